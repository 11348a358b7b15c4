"""The classes and properties of a dataset, and things by their labels: what an editor of queries completes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from provrepo.errors import Busy, TimedOut, WorkerFailed
from provrepo.model.identifiers import Literal
from provrepo.repository.repository import Repository
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import JSON, choose
from provrepo.server.protocol.respond import json_response
from provrepo.server.queries import running

__all__ = ["MOST_LABELS", "MOST_TERMS", "blueprint"]

blueprint = Blueprint("terms", __name__)

MOST_TERMS, MOST_LABELS = 500, 20
"""The most classes and properties of an answer, the most frequent first, and the most things."""

_TIMEOUT = 5.0
_SIZE = 64

_POSITION = """SELECT ?project ?position {
  GRAPH ?catalogue { ?project provrepo:position ?position }
} ORDER BY ?project"""
_CLASSES = f"""SELECT ?term (COUNT(*) AS ?n) {{ ?s a ?term FILTER(isIRI(?term)) }}
GROUP BY ?term ORDER BY DESC(?n) ?term LIMIT {MOST_TERMS}"""
_PROPERTIES = f"""SELECT ?term (COUNT(*) AS ?n) {{ ?s ?term ?o }}
GROUP BY ?term ORDER BY DESC(?n) ?term LIMIT {MOST_TERMS}"""


_NONE: dict[str, Any] = {"complete": True, "classes": [], "properties": [], "total": 0, "things": []}


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms of a dataset, and the position of each of its projects that they are of."""

    position: bytes
    classes: tuple[tuple[str, int], ...]
    properties: tuple[tuple[str, int], ...]


_cache: OrderedDict[str, _Terms] = OrderedDict()
_lock = threading.Lock()


@blueprint.get("/sparql/terms")
def terms() -> Response:
    """Without ``?q=`` the classes and properties of a project, or of all public ones; with it things by label."""
    repo = auth.repository()
    choose((JSON,))
    project = request.args.get("project") or None
    if project:
        repo.require(project)
    if text := request.args.get("q", "").strip():
        found = repo.search(text, project=project, limit=MOST_LABELS)
        access_log.record_projects(name for thing in found.things for name in thing.projects)
        return json_response(
            {**_NONE, "total": found.total, "things": [thing.summary() for thing in found.things]}, compact=True
        )
    if project:
        access_log.record_projects([project])
    return json_response(_terms(repo, project), compact=True)


def _terms(repo: Repository, project: str | None) -> dict[str, Any]:
    """The terms of a dataset; none where there are too many to be counted in time."""
    try:
        with running.query_slot():
            known = _computed(repo, project)
    except (Busy, TimedOut, WorkerFailed):
        return {**_NONE, "complete": False}
    complete = max(len(known.classes), len(known.properties)) < MOST_TERMS
    return {**_NONE, "complete": complete, "classes": _listed(known.classes), "properties": _listed(known.properties)}


def _listed(found: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"iri": iri, "count": count} for iri, count in found]


def _computed(repo: Repository, project: str | None) -> _Terms:
    def ask(query: str) -> Any:
        return repo.query(query, project=project, public=project is None, timeout=_TIMEOUT)

    # The position is read first: if the dataset changes meanwhile, the next request counts again.
    position = ask(_POSITION).write("json")
    with _lock:
        cached = _cache.get(project or "")
    if cached is not None and cached.position == position:
        return cached
    counts = []
    for query in (_CLASSES, _PROPERTIES):
        rows = ask(query).rows
        counts.append(tuple((str(row["term"]), int(n.lexical)) for row in rows if isinstance(n := row["n"], Literal)))
    found = _Terms(position, *counts)
    with _lock:
        _cache[project or ""] = found
        while len(_cache) > _SIZE:
            _cache.popitem(last=False)
    return found
