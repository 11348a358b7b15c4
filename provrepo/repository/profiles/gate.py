"""The gate: whether the lineage of a thing is complete and comes from trusted sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from provrepo.checks.coverage import PROPERTIES, UPSTREAM, Sources, measure
from provrepo.errors import NotFound, UsageError
from provrepo.repository.records import GateResult

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.repository.exchange.notices.records import OriginWarning

__all__ = ["check", "gate"]


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
    triples = list(_triples(query, iri))
    if not triples:
        raise NotFound(f"nothing is known of {iri} in {where}")
    found = measure(triples, start=iri, sources=sources)
    gaps = tuple((gap.thing, gap.reason) for gap in found.gaps)
    graphs = _graphs(query, iri, found.names) & warned.keys() if warned else frozenset()
    warnings = tuple(warning for graph in sorted(graphs) for warning in warned[graph])
    return GateResult(iri, found.percent, minimum, found.things, gaps, found.untrusted, warnings)


def _graphs(query: Callable[[str], QueryResult], iri: str, things: frozenset[str]) -> frozenset[str]:
    """Return the graphs of the versions with a statement about one of some things upstream of a thing."""
    path = "|".join(f"<{name}>" for name in UPSTREAM)
    text = f"SELECT DISTINCT ?s ?g WHERE {{ <{iri}> ({path})* ?s . GRAPH ?g {{ ?s ?p ?o }} }}"
    # The graphs of bundles and of completions have the name of that of the version, with a fragment.
    return frozenset(str(row["g"]).partition("#")[0] for row in query(text) if str(row["s"]) in things)


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


def _triples(query: Callable[[str], QueryResult], iri: str) -> Iterator[tuple[str, str, str]]:
    """Yield the triples that ``measure`` needs, about the thing and everything upstream of it."""
    path = "|".join(f"<{name}>" for name in UPSTREAM)
    wanted = " ".join(f"<{name}>" for name in PROPERTIES)
    text = f"SELECT DISTINCT ?s ?p ?o WHERE {{ <{iri}> ({path})* ?s . ?s ?p ?o . VALUES ?p {{ {wanted} }} }}"
    for row in query(text):
        yield str(row["s"]), str(row["p"]), str(row["o"])
