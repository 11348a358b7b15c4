"""The codec of OpenLineage events, which are read as the runs, jobs and datasets that they describe together.

A document that was read from events is written as these events, any other as ``openlineage.writing`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from provrepo.errors import ReadError
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import canonical
from provrepo.importers.masking import without_login
from provrepo.importers.openlineage.common_facets import TAGS
from provrepo.importers.openlineage.dataset_facets import LOGICAL, OF_RUNS, VERSION, described
from provrepo.importers.openlineage.events import FORMAT, Dataset, Event, events
from provrepo.importers.openlineage.facets import Context, mapped
from provrepo.importers.openlineage.fold import Facets, Fold, Side, document_of, fold
from provrepo.importers.openlineage.names import TERMS, Names
from provrepo.importers.openlineage.quality import measured
from provrepo.importers.openlineage.runs import plan, state_run
from provrepo.importers.openlineage.writing import writer
from provrepo.importers.openlineage.writing.embedded import embedded, joined
from provrepo.importers.parts import Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.statements import Statements, json_value, link, unknown_members, words
from provrepo.model.document import Document, Loss, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, DQV, PROVREPO, RDF, RDFS, SCHEMA, SPDX, WFPROV, XSD

__all__ = ["MAPPING", "losses", "merge", "read", "split", "write"]

MAPPING = "openlineage/1"
"""The version of the mapping from events to statements."""

_PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "dqv": DQV,
    "ol": TERMS,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "run": "urn:uuid:",
    "schema": SCHEMA,
    "spdx": SPDX,
    "wfprov": WFPROV,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read events as a document.

    Args:
        data: UTF-8: one event, an array of events, or JSON lines.
        format: ``openlineage``.
        base: the beginning of the IRIs of datasets and jobs; without one they are the same in all repositories.

    Raises:
        ReadError: not JSON, with line and column.
    """
    understood: list[Event] = []
    carried: dict[str, Document] = {}
    warnings = Findings(FORMAT, "event")
    for event, problems, line, pointer in events(data):
        warnings.add(problems, line, pointer)
        if event is None:
            continue
        document, doubts = embedded(event)
        warnings.add(doubts, line, pointer)
        if document is None:
            understood.append(event)
        else:
            carried[event.digest] = document
    folded = fold(understood)
    for run in folded.runs.values():
        if len(run.jobs) > 1:
            warnings.note(f"the events of run {without_login(run.id)} name {len(run.jobs)} jobs; the last is taken")
    parts = list(carried.values())
    if understood or (data.strip() and not parts):
        parts.insert(0, _document(folded, Names.below(base), data))
    document = joined(parts)
    document.warnings = [*warnings.warnings(), *document.warnings]
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001
    """Write events as canonical JSON lines: those that the document was read from, or its activities and entities."""
    own = _events_of(document)
    return writer.write(document) if own is None else b"".join(canonical(event.data) + b"\n" for event in own)


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """What events cannot carry; nothing of a document that was read from them."""
    return writer.losses(document) if _events_of(document) is None else []


def _events_of(document: Document) -> list[Event] | None:
    """The events that a document was read from; None if it was not, or was changed since."""
    source = document.source
    if source is None or source.format != FORMAT or source.statements != len(document):
        return None
    again = read(source.data, format=FORMAT, base=source.base)
    if (again.statements, again.bundles) != (document.statements, document.bundles):
        return None
    return [event for event, *_ in events(source.data) if event is not None]


def split(data: bytes, line: int = 1) -> Iterator[Part | Skipped]:
    """The events of each run, apart from those of other runs; and those of each job and dataset without a run.

    Each part is the different events as canonical JSON lines in their order, so that the same events give the same
    bytes. What is not understood is skipped.

    Args:
        data: UTF-8.
        line: the line of the file at which they begin.
    """
    skipped: list[Skipped] = []
    before = line - 1

    def failed(error: ReadError) -> None:
        skipped.append(Skipped(f"line {before + (error.line or 1)}", error.message))

    documents: dict[str, dict[str, Event]] = {}
    for event, problems, number, pointer in events(data, failed):
        if event is None:
            fatal = next(problem for problem in problems if problem.fatal)
            skipped.append(
                Skipped(f"line {before + number}", f"{pointer}{fatal.pointer}: {fatal.message}".removeprefix(": "))
            )
        else:
            documents.setdefault(document_of(event), {}).setdefault(event.digest, event)
    for name, different in sorted(documents.items()):
        yield Part(name, _lines(different), FORMAT)
    yield from skipped


def merge(former: bytes, more: bytes) -> bytes:
    """The different events of two documents of one run, as ``split`` writes them.

    Raises:
        ReadError: one of them is not JSON.
    """
    different: dict[str, Event] = {}
    for data in (former, more):
        for event, *_ in events(data):
            if event is not None:
                different.setdefault(event.digest, event)
    return _lines(different)


def _lines(different: Mapping[str, Event]) -> bytes:
    ordered = sorted(different.values(), key=lambda event: event.order)
    return b"".join(canonical(event.data) + b"\n" for event in ordered)


def _document(folded: Fold, names: Names, data: bytes) -> Document:
    statements = Statements()
    state_payload(
        statements,
        names.made(sha256(data).hexdigest()),
        data,
        MAPPING,
        [attribute for producer in folded.producers for attribute in words(f"{TERMS}producer", producer)],
    )
    for run in folded.runs.values():
        state_run(statements, names, run)
    for job, declared in folded.jobs.items():
        name = plan(statements, names, job, declared.facets)
        context = Context(statements, names, name, "", job)
        for term, sides in (("reads", declared.inputs), ("writes", declared.outputs)):
            for dataset, side in sorted(sides.items()):
                statements.entity(name, [link(TERMS + term, _logical(context, dataset, side.facets))])
                if side.own:
                    # They are about a run that there is not.
                    own = {key: unknown_members(facet, ()) for key, facet in side.own.items()}
                    statements.entity(name, [json_value(f"{TERMS}{term}Facets", {**dataset._asdict(), "facets": own})])
    for dataset, declared in folded.datasets.items():
        context = Context(statements, names, names.job(dataset), "", dataset)
        _logical(context, dataset, declared.facets)
    return statements.document(_PREFIXES)


def _logical(context: Context, dataset: Dataset, facets: Facets) -> str:
    """Describe a dataset outside of any run, where what else is about a version is about the dataset."""
    logical = described(context, dataset)
    about = Context(context.statements, context.names, logical, "", dataset)
    own = {key: facet for key, facet in facets.items() if key in OF_RUNS}
    rest = {key: facet for key, facet in facets.items() if key not in OF_RUNS}
    attributes = mapped(about, rest, {**VERSION, **LOGICAL, "tags": TAGS})
    context.statements.entity(logical, attributes, mapped(about, own, {}), measured(about, Side(facets)))
    return logical
