"""The receiver of OpenLineage events: ``POST /api/v1/lineage`` and ``/batch``, as its clients expect them.

Clients of OpenLineage send an event again after 500, 502, 503 and 504, and drop it after any other error; a redirect
makes them lose it. So a server that cannot take events now answers 503, and never 429 or 507.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response

from provrepo.errors import Busy, NoSpace, ReadError
from provrepo.importers.json_values import Problem as EventProblem
from provrepo.importers.json_values import parse
from provrepo.importers.openlineage.events import FORMAT
from provrepo.repository.events.verbs import EventResult
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.rejections import Rejected

__all__ = ["blueprint"]

blueprint = Blueprint("openlineage", __name__)

_EVENT = 32 * 1024 * 1024
_BATCH = 64 * 1024 * 1024
_EVENTS = 10_000
"""The most events of one request."""

_AGAIN = {"Retry-After": "5"}


@blueprint.post("/api/v1/lineage")
def receive() -> Response:
    """Receive an event, or several; they are durable when the response is sent."""
    return _received(None)


@blueprint.post("/projects/<project>/api/v1/lineage")
def receive_in_project(project: str) -> Response:
    """Receive an event, or several, for one project; they are durable when the response is sent."""
    return _received(project)


@blueprint.post("/api/v1/lineage/batch")
def receive_batch() -> Response:
    """Receive an array of events. The response names each event that is not stored; the others are durable."""
    return _received_batch(None)


@blueprint.post("/projects/<project>/api/v1/lineage/batch")
def receive_batch_in_project(project: str) -> Response:
    """Receive an array of events for one project; the response is that of the address without a project."""
    return _received_batch(project)


def _received(project: str | None) -> Response:
    values, many = _values(_EVENT)
    results = auth.repository().receive_events(values, project=project)
    if many:
        return _summary(results)
    (result,) = results
    if not result.stored:
        problem = next(problem for problem in result.problems if problem.fatal)
        raise Rejected(422, _text(problem), pointer=problem.pointer)
    return _json({"project": result.project, "remarks": [_text(problem) for problem in result.problems]}, 201)


def _received_batch(project: str | None) -> Response:
    values, many = _values(_BATCH)
    if not many:
        raise Rejected(400, "a batch is a JSON array of events; send a single event to /api/v1/lineage")
    return _summary(auth.repository().receive_events(values, project=project))


@blueprint.errorhandler(NoSpace)
@blueprint.errorhandler(Busy)
def _(error: NoSpace | Busy) -> Response:
    """Clients send an event again after 503 only."""
    found = {"type": "about:blank", "title": "Try again", "status": 503, "detail": str(error)}
    response = _json(found, 503, "application/problem+json")
    response.headers.update(_AGAIN)
    return response


def _values(most: int) -> tuple[list[Any], bool]:
    """The events in the body, and whether they are an array.

    Raises:
        Rejected: 400, the body is not JSON, or has no event; 413, it has too many.
    """
    data = body.decoded(most)
    try:
        found = [value for _, _, value in parse(_prepared(data), FORMAT)]
    except ReadError as error:
        raise Rejected(400, str(error)) from None
    if len(found) > _EVENTS:
        raise Rejected(413, f"there are {len(found):,} events; at most {_EVENTS:,} are received at once")
    if not data.strip():
        raise Rejected(400, "the body is empty; send an event, an array of events, or JSON lines")
    return found, data.lstrip()[:1] == b"[" or len(found) != 1


def _prepared(data: bytes) -> bytes:
    from provrepo.codecs.guards import prepared

    return prepared(data, FORMAT)


def _summary(results: list[EventResult]) -> Response:
    """The answer to a batch, in the form of OpenLineage's specification. What failed would fail again."""
    failed = [
        {
            "index": result.index,
            "reason": "; ".join(_text(problem) for problem in result.problems if problem.fatal),
            "retriable": False,
        }
        for result in results
        if not result.stored
    ]
    summary = {
        "received": len(results),
        "successful": len(results) - len(failed),
        "failed": len(failed),
        "retriable": 0,
        "non_retriable": len(failed),
    }
    status = "partial_success" if failed else "success"
    return _json({"status": status, "summary": summary, "failed_events": failed})


def _text(problem: EventProblem) -> str:
    return f"{problem.pointer}: {problem.message}" if problem.pointer else problem.message


def _json(found: object, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(json.dumps(found, ensure_ascii=False) + "\n", status, content_type=content_type)
