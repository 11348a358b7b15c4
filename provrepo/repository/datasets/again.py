"""The verb ``to_run_again``: the latest results that rest on inputs that are no longer good.

What was superseded, dropped, or failed a check, is in the dataset of the project: the named query ``to-run-again``
finds it. A withdrawn document is in no dataset. Its bytes are read to find the versions that its runs wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provrepo.codecs.rdf.terms import PyoxigraphTerms
from provrepo.codecs.results import Row
from provrepo.errors import Damaged, NotFound, UsageError
from provrepo.model.identifiers import Identifier, Value
from provrepo.model.unknown_versions import UNKNOWN
from provrepo.repository.context import Context
from provrepo.repository.datasets.records import REASONS, RunAgain, RunsAgain
from provrepo.repository.datasets.source import Source, text_of, values
from provrepo.repository.documents import documents
from provrepo.repository.exchange.blobs import require_blob
from provrepo.repository.options import required_iri
from provrepo.repository.queries.named import by_name
from provrepo.repository.records import DocumentInfo
from provrepo.views.sparql.query import SparqlQuery

__all__ = ["to_run_again"]

_WROTE = """
SELECT DISTINCT ?version ?input ?at WHERE {
  ?version prov:specializationOf ?input .
  { ?version prov:wasGeneratedBy ?run } UNION { ?part dcterms:isPartOf ?version ; prov:wasGeneratedBy ?run }
  ?run prov:endedAtTime ?at
}"""

_RESTS = f"""
SELECT DISTINCT ?lost ?job ?run ?result ?input WHERE {{
  VALUES (?lost ?input ?at) {{ $things }}
  ?run prov:startedAtTime ?started ; prov:endedAtTime ?ended .
  {{ ?run prov:used ?read }} UNION {{ ?run prov:used ?some . ?some dcterms:isPartOf ?read }}
  ?read prov:specializationOf ?input .
  # Without a version, the one was read that was written last before the run started.
  FILTER(?read = ?lost || (CONTAINS(STR(?read), "/{UNKNOWN}/") && ?started >= ?at && NOT EXISTS {{
    ?other prov:specializationOf ?input .
    {{ ?other prov:wasGeneratedBy ?writer }} UNION {{ ?piece dcterms:isPartOf ?other ; prov:wasGeneratedBy ?writer }}
    ?writer prov:endedAtTime ?then . FILTER(?then > ?at && ?then <= ?started)
  }}))
  {{ ?result prov:wasGeneratedBy ?run }} UNION {{ ?part dcterms:isPartOf ?result ; prov:wasGeneratedBy ?run }}
  ?result prov:specializationOf ?output . ?output a dcat:Dataset .
  # Only the latest version of a dataset is a result.
  FILTER NOT EXISTS {{
    ?later prov:specializationOf ?output .
    ?later (^dcterms:isPartOf)?/prov:wasGeneratedBy/prov:endedAtTime ?end . FILTER(?end > ?ended)
  }}
  OPTIONAL {{ ?run prov:qualifiedAssociation/prov:hadPlan ?job }}
}}"""


@dataclass(frozen=True, slots=True)
class _Lost:
    """A version that a withdrawn document says was written.

    Attributes:
        version: its IRI.
        terms: its IRI, its dataset and when it was written, as a row of SPARQL.
        withdrawn: when the document was withdrawn.
    """

    version: str
    terms: str
    withdrawn: str


def to_run_again(context: Context, project: str, *, input: str = "", reason: str = "") -> RunsAgain:  # noqa: A002
    """The latest versions of datasets that rest on an input that is no longer good, one step back.

    An input was superseded or dropped after the run started, failed a check of its quality, or the document of the run
    that wrote it was withdrawn. Withdrawn documents are read for an actor who may change the project only.

    Args:
        project: the project.
        input: only results that rest on this dataset; empty for all.
        reason: only ``superseded``, ``dropped``, ``failed`` or ``withdrawn``; empty for all.

    Raises:
        NotFound: no such project.
        UsageError: not an IRI, or no such reason.
        TimedOut: it took too long.
        Busy: another process holds the views; the message names its URL.
    """
    context.require_read(project)
    if input:
        required_iri(input)
    if reason not in ("", *REASONS):
        raise UsageError(f"{reason[:100]!r} is no reason; these are: {', '.join(REASONS)}")
    source = Source(context, project)
    found: list[RunAgain] = []
    if reason != "withdrawn":
        bound = by_name("to-run-again").bind({"input": input, "reason": reason})
        found += [_row(row, text_of(row["reason"]), text_of(row["since"])) for row in source.rows(bound)]
    complete = reason not in ("", "withdrawn") or context.curates(project)
    if complete and reason in ("", "withdrawn"):
        found += _on_withdrawn(source, _lost(context, project, input))
    return RunsAgain(tuple(sorted(found, key=lambda each: (each.job, each.result, each.input, each.reason))), complete)


def _lost(context: Context, project: str, dataset: str) -> list[_Lost]:
    """What the withdrawn documents of a project say was written."""
    found = []
    for info in documents(context, project, withdrawn=True):
        for row in _written(context, project, info) if info.withdrawn else ():
            version, read, at = row["version"], row["input"], row["at"]
            if isinstance(version, Identifier) and isinstance(read, Identifier) and read == (dataset or read):
                terms = f"({values([version, read])} {PyoxigraphTerms().value(at)})"
                found.append(_Lost(version, terms, info.withdrawn_at))
    return found


def _written(context: Context, project: str, info: DocumentInfo) -> list[Row]:
    try:
        require_blob(context.store, project, info.current.sha256)
    except (NotFound, Damaged):
        return []  # it was erased
    selected = SparqlQuery(_WROTE, None, (), ())
    return list(context.store.query_version(info.current, selected, context.seconds(None)).rows)


def _on_withdrawn(source: Source, lost: Sequence[_Lost]) -> list[RunAgain]:
    withdrawn = {each.version: each.withdrawn for each in lost}
    rows = source.rows_of_terms(_RESTS, [each.terms for each in lost])
    return [_row(row, "withdrawn", withdrawn[str(row["lost"])]) for row in rows]


def _row(row: Mapping[str, Value], reason: str, since: str) -> RunAgain:
    job = row.get("job")
    return RunAgain(
        "" if job is None else str(job), str(row["run"]), str(row["result"]), str(row["input"]), reason, since
    )
