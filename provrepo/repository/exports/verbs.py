"""The verb ``export_project``: a whole project as a graph, or as a table of its relations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from provrepo._version import __version__
from provrepo.codecs.property_graph.codec import WRITERS
from provrepo.codecs.property_graph.graph import PropertyEdge, PropertyNode
from provrepo.errors import Busy, Damaged, Error, UsageError
from provrepo.ledger.entries import Entry
from provrepo.repository.context import Context
from provrepo.repository.exchange.package.survey import Survey
from provrepo.repository.exports.graphs import GraphSpool
from provrepo.repository.exports.reading import parts_of
from provrepo.repository.exports.rows import ProjectFormat, project_format
from provrepo.repository.exports.tables import table

__all__ = ["ProjectExport", "export_project"]

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class ProjectExport:
    """What was exported.

    Attributes:
        project: the project.
        format: the name of the format.
        after: only versions whose entries come after this one.
        sequence: the last entry of the project that is considered: ``after`` of the next export.
        documents: the number of documents.
        relations: the number of relations.
        things: the number of things; 0 in a table.
        left_out: the number of relations without their second argument, which are no edges of a graph; and in Parquet
            of times without a zone, or that are no time.
        omitted: the documents that could not be read, each as ``NAME@VERSION``.
    """

    project: str
    format: str
    after: int
    sequence: int
    documents: int
    relations: int
    things: int = 0
    left_out: int = 0
    omitted: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "omitted": list(self.omitted)}


def export_project(
    context: Context,
    project: str,
    target: str | Path | IO[bytes],
    *,
    format: str,  # noqa: A002 (the public name)
    after: int = 0,
    progress: Progress | None = None,
) -> ProjectExport:
    """Write the relations of all documents of a project, as a graph or as a table.

    They are those of the current versions, as asserted: what PROV-CONSTRAINTS infers is not among them. Memory does not
    grow with the number of documents. The same entries give the same bytes with the same version of provrepo.

    Args:
        project: the project.
        target: the file to write, which is replaced if it exists; or an open binary file, which gets the bytes from the
            first to the last.
        format: ``csv``, ``parquet``, ``graphml`` or ``neo4j``.
        after: the sequence number of the last entry of a former export: only versions that came later. Versions that
            were replaced or withdrawn since then are not named.
        progress: called with the name of a part, and the number of its items that are done.

    Raises:
        NotFound: no such project.
        UnknownFormat: no such format.
        NotAvailable: a package for the format is not installed.
        UsageError: ``after`` is negative, or the file cannot be written there.
        Damaged: an entry or a blob is damaged.
        Busy: no worker became free, or another process writes the same file.
    """
    from provrepo.repository.exchange.package.target import replacing

    context.require_read(project)
    chosen = project_format(format)
    if after < 0:
        raise UsageError("after is the sequence number of an entry, or 0 for all entries")
    report = progress or (lambda _what, _count: None)
    if not isinstance(target, str | Path):
        return _export(context, project, target, chosen, after, report)
    path = Path(target)
    if context.store.settings.data.resolve() in path.resolve().parents:
        raise UsageError(f"{target} is in the data directory; choose a file outside of it")
    with replacing(path) as file:
        return _export(context, project, file, chosen, after, report)


def _export(
    context: Context, project: str, file: IO[bytes], chosen: ProjectFormat, after: int, report: Progress
) -> ProjectExport:
    ledger = context.store.ledger
    last = ledger.length(project)
    reading = _Reading(context, project, after, last, report)
    with ExitStack() as stack:
        folder = stack.enter_context(context.store.scratch())
        if not chosen.graph:
            about = {"project": project, "after": after, "sequence": last, "software": f"provrepo/{__version__}"}
            rows = table(chosen.name, file, about)
            relations = 0
            for part in reading.parts(folder):
                if isinstance(part, PropertyEdge):
                    rows.add(part)
                    relations += 1
            rows.close()
            return reading.done(chosen, relations=relations, left_out=rows.untimed)
        graph = GraphSpool(folder)
        stack.callback(graph.close)
        left_out = 0
        for part in reading.parts(folder):
            if isinstance(part, PropertyNode):
                graph.add_node(part)
            elif part.target:
                graph.add_edge(part)
            else:
                left_out += 1
        WRITERS[chosen.name](file, graph.all_nodes(), graph.all_edges())
        return reading.done(chosen, relations=graph.edges, things=graph.nodes, left_out=left_out)


class _Reading:
    """The current versions of a project, one after the other."""

    def __init__(self, context: Context, project: str, after: int, last: int, report: Progress) -> None:
        self._context, self._project, self._after, self._last = context, project, after, last
        self._report = report
        self._documents = 0
        self._omitted: list[str] = []

    def parts(self, folder: Path) -> Iterator[PropertyNode | PropertyEdge]:
        """Yield the things and relations of each version, in the order of the entries."""
        for entry in self._submissions():
            try:
                yield from parts_of(self._context.store, entry, folder)
            except (Busy, Damaged):
                raise
            except (Error, FileNotFoundError):
                # Of a mirror without the bytes; erased meanwhile; or beyond a limit, in a worker before the first part.
                self._omitted.append(f"{entry.body['document']}@{entry.body['version']}")
                continue
            self._documents += 1
            self._report("documents", self._documents)

    def _submissions(self) -> Iterator[Entry]:
        ledger, survey = self._context.store.ledger, Survey(self._project)
        for entry in ledger.entries(self._project, limit=self._last, every=True):
            survey.add(entry)
        if survey.sequence != self._last:
            raise Damaged(f"entry {survey.sequence + 1} of {self._project} cannot be read: provrepo fsck says more")
        for entry in ledger.entries(self._project, after=self._after, limit=max(self._last - self._after, 1)):
            if entry.sequence <= self._last and entry.kind == "submit":
                state = survey.documents[entry.body["document"]].state(entry.body["version"])
                if state == "current":
                    yield entry

    def done(self, chosen: ProjectFormat, *, relations: int, left_out: int, things: int = 0) -> ProjectExport:
        """The record of the export."""
        found = (self._project, chosen.name, self._after, self._last, self._documents)
        return ProjectExport(*found, relations, things, left_out, tuple(self._omitted))
