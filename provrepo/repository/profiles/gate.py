"""The gate: whether what a thing was made from is known well enough to build on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from provrepo.checks.coverage import PROPERTIES, UPSTREAM, Sources, measure
from provrepo.errors import NotFound, UsageError
from provrepo.repository.records import GateResult

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult

__all__ = ["gate"]


def gate(ask: Callable[[str], QueryResult], iri: str, *, sources: Sources, minimum: float, where: str) -> GateResult:
    """Walk up from a thing and judge what is there.

    Args:
        ask: asks the dataset a query.
        iri: the thing.
        sources: the entities that may be sources.
        minimum: percent of the lineage that has to be complete.
        where: which projects the dataset holds, for people.

    Raises:
        UsageError: no IRI, or no percentage.
        NotFound: the dataset says nothing about it.
    """
    from provrepo.codecs.rdf.terms import is_iri

    if not is_iri(iri):
        raise UsageError(f"{iri!r} is no absolute IRI")
    if not 0 <= minimum <= 100:
        raise UsageError(f"coverage is a percentage from 0 to 100, not {minimum:g}")
    triples = list(_triples(ask, iri))
    if not triples:
        raise NotFound(f"nothing is known of {iri} in {where}")
    found = measure(triples, start=iri, sources=sources)
    gaps = tuple((gap.thing, gap.reason) for gap in found.gaps)
    return GateResult(iri, found.percent, minimum, found.things, gaps, found.untrusted)


def _triples(ask: Callable[[str], QueryResult], iri: str) -> Iterator[tuple[str, str, str]]:
    """All that ``measure`` looks at, of the thing and of all that is upstream of it."""
    path = "|".join(f"<{name}>" for name in UPSTREAM)
    wanted = " ".join(f"<{name}>" for name in PROPERTIES)
    query = f"SELECT DISTINCT ?s ?p ?o WHERE {{ <{iri}> ({path})* ?s . ?s ?p ?o . VALUES ?p {{ {wanted} }} }}"
    for row in ask(query):
        yield str(row["s"]), str(row["p"]), str(row["o"])
