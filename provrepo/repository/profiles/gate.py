"""The gate: whether the lineage of a thing is complete and comes from trusted sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from provrepo.checks.coverage import PROPERTIES, UPSTREAM, Sources, measure
from provrepo.errors import NotFound, UsageError
from provrepo.model.identifiers import is_blank, is_content
from provrepo.repository.records import GateResult
from provrepo.vocab import PROV, RDFS_LABEL

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.repository.exchange.notices.records import OriginWarning

__all__ = ["check", "gate"]

MOST_NAMED = 200
"""Things that are not in order whose labels are looked up."""


def gate(
    query: Callable[[str], QueryResult],
    iri: str,
    *,
    sources: Sources,
    minimum: float,
    where: str,
    warned: Mapping[str, tuple[OriginWarning, ...]],
) -> GateResult:
    """Measure the lineage of a thing.

    Args:
        query: runs a SPARQL query on the dataset.
        iri: the thing.
        sources: the entities that may be sources.
        minimum: percent of the lineage that has to be complete.
        where: the projects of the dataset, for messages.
        warned: the graph of a version → warnings about the version.

    Raises:
        UsageError: ``iri`` is not an IRI, or ``minimum`` is not a percentage.
        NotFound: the dataset contains nothing about the thing.
    """
    check(iri, minimum)
    triples, starts = _triples(query, iri)
    if not triples:
        raise NotFound(f"nothing is known of {iri} in {where}")
    found = measure(triples, start=iri, sources=sources)
    gaps = tuple((gap.thing, gap.reason) for gap in found.gaps)
    graphs = _graphs(query, starts, found.names) & warned.keys() if warned else frozenset()
    warnings = tuple(warning for graph in sorted(graphs) for warning in warned[graph])
    labels = _labels(query, [*found.untrusted, *(thing for thing, _ in gaps)])
    return GateResult(iri, found.percent, minimum, found.things, gaps, found.untrusted, warnings, labels)


def _graphs(query: Callable[[str], QueryResult], starts: Iterable[str], things: frozenset[str]) -> frozenset[str]:
    """Return the graphs of the versions with a statement about one of some things upstream of some starts."""
    text = f"SELECT DISTINCT ?s ?g WHERE {{ {_upstream(starts)} GRAPH ?g {{ ?s ?p ?o }} }}"
    # The graphs of bundles and of completions have the name of that of the version, with a fragment.
    return frozenset(str(row["g"]).partition("#")[0] for row in query(text) if str(row["s"]) in things)


def _labels(query: Callable[[str], QueryResult], things: Sequence[str]) -> dict[str, str]:
    """Return labels of the first things that have one."""
    named = " ".join(f"<{name}>" for name in dict.fromkeys(things[:MOST_NAMED]) if not is_blank(name))
    about = f"VALUES ?s {{ {named} }} ?s <{RDFS_LABEL}> ?label"
    text = f"SELECT ?s (MIN(STR(?label)) AS ?name) WHERE {{ {about} }} GROUP BY ?s"
    return {str(row["s"]): str(row["name"]) for row in query(text)} if named else {}


def check(iri: str, minimum: float) -> None:
    """Check what a gate is asked.

    Raises:
        UsageError: ``iri`` is not an IRI, or ``minimum`` is not a percentage.
    """
    from provrepo.codecs.rdf.terms import is_iri

    if not is_iri(iri):
        raise UsageError(f"{iri!r} is not an absolute IRI")
    if not 0 <= minimum <= 100:
        raise UsageError(f"coverage is a percentage from 0 to 100, not {minimum:g}")


def _triples(query: Callable[[str], QueryResult], iri: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return the triples that ``measure`` needs, about the thing and everything upstream of it.

    As in lineage, content leads to its versions, wherever they were recorded. Each round of queries goes as far as the
    other relations lead.

    Returns:
        The triples, and the things where a query began.
    """
    wanted = " ".join(f"<{name}>" for name in PROPERTIES)
    found: dict[tuple[str, str, str], None] = {}
    starts, new = [iri], [iri]
    reached, contents = set[str](), set[str]()
    while new:
        text = f"SELECT DISTINCT ?s ?p ?o WHERE {{ {_upstream(new)} ?s ?p ?o . VALUES ?p {{ {wanted} }} }}"
        rows = [(str(row["s"]), str(row["p"]), str(row["o"])) for row in query(text)]
        found.update(dict.fromkeys(rows))
        reached.update(subject for subject, _, _ in rows)
        names = {name for subject, _, value in [*rows, (iri, "", iri)] for name in (subject, value) if is_content(name)}
        new = [name for name in _versions(query, sorted(names - contents)) if name not in reached]
        contents |= names
        starts += new
    return list(found), starts


def _versions(query: Callable[[str], QueryResult], contents: Sequence[str]) -> list[str]:
    """Return the versions of content."""
    named = " ".join(f"<{name}>" for name in contents)
    text = f"SELECT DISTINCT ?s WHERE {{ VALUES ?o {{ {named} }} ?s <{PROV}specializationOf> ?o }} ORDER BY ?s"
    return [str(row["s"]) for row in query(text)] if contents else []


def _upstream(starts: Iterable[str]) -> str:
    """A graph pattern for all things upstream of some things, as ``?s``."""
    path = "|".join(f"<{name}>" for name in UPSTREAM)
    return f"VALUES ?start {{ {' '.join(f'<{name}>' for name in starts)} }} ?start ({path})* ?s ."
