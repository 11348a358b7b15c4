"""What is suggested for the parameters of named queries: things of a dataset by their kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from provrepo.codecs.provo.terms import BASE_CLASS
from provrepo.errors import Busy, TimedOut, WorkerFailed
from provrepo.model.identifiers import Literal
from provrepo.model.statements import KINDS
from provrepo.repository.queries.named import DATASET
from provrepo.repository.repository import Repository
from provrepo.server.queries import running

__all__ = ["Suggestion", "suggestions"]

_MOST = 200
"""The most things of a kind. More are found while somebody types."""

_SECONDS = 5.0

_OF_KIND = """{{ SELECT ?kind ?thing (MIN(?name) AS ?label) {{
  ?thing a <{0}> FILTER(isIRI(?thing)) BIND("{1}" AS ?kind)
  OPTIONAL {{ ?thing rdfs:label ?name }}
}} GROUP BY ?kind ?thing ORDER BY DESC(BOUND(?label)) ?label ?thing LIMIT {2} }}"""


class Suggestion(NamedTuple):
    """A thing.

    Attributes:
        iri: the thing.
        label: its label, or empty.
    """

    iri: str
    label: str


def suggestions(repo: Repository, project: str, kinds: Iterable[str]) -> dict[str, list[Suggestion]]:
    """Things to choose from, by kind; none of a kind where finding them takes long.

    Args:
        repo: of the caller, who has been found to be allowed to read the project.
        project: the project; empty for all public ones.
        kinds: of ``named.OF``.
    """
    found: dict[str, list[Suggestion]] = {kind: [] for kind in kinds}
    with suppress(Busy, TimedOut, WorkerFailed), running.query_slot():
        if DATASET in found:
            found[DATASET] = _datasets(repo, project)
        for kind, thing in _things(repo, project, [kind for kind in found if kind != DATASET]):
            found[kind].append(thing)
    return found


def _things(repo: Repository, project: str, kinds: Sequence[str]) -> Iterator[tuple[str, Suggestion]]:
    """The first things of each kind, by their labels; those without one last."""
    parts = " UNION ".join(_OF_KIND.format(BASE_CLASS[KINDS[kind]], kind, _MOST) for kind in kinds)
    query = f"SELECT ?kind ?thing ?label {{ {parts} }} ORDER BY ?kind DESC(BOUND(?label)) ?label ?thing"
    for row in repo.query(query, project=project or None, public=not project, timeout=_SECONDS).rows if kinds else ():
        kind, label = row["kind"], row.get("label")
        if isinstance(kind, Literal):
            yield kind.lexical, Suggestion(str(row["thing"]), label.lexical if isinstance(label, Literal) else "")


def _datasets(repo: Repository, project: str) -> list[Suggestion]:
    found: list[Suggestion] = []
    for name in [project] if project else [each.name for each in repo.projects() if each.public]:
        found += [Suggestion(each.iri, each.name) for each in repo.datasets(name, limit=_MOST)]
        if len(found) >= _MOST:
            break
    return found[:_MOST]
