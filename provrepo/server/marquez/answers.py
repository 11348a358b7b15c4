"""What all answers to clients of Marquez share: the blueprint, JSON, errors in Marquez's form, and parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from provrepo.errors import Error
from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.index import microseconds
from provrepo.repository.events.catalog import reading
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, parameters, problems
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional
from provrepo.server.queries import running
from provrepo.views.openlineage.reading import Reading

__all__ = ["Handler", "blueprint", "choice", "json_answer", "moment", "number", "read", "route", "time"]

blueprint = Blueprint("marquez", __name__)

Handler = Callable[..., Response]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@blueprint.errorhandler(HTTPException)
@blueprint.errorhandler(Error)
def _(error: Exception) -> Response:
    """Errors as Marquez has them: the status as ``code``, and a message."""
    problem = problems.of(error)
    # The message about a node is the same whether it is unknown or private.
    message = (error.detail if isinstance(error, Rejected) else "") or problem.detail
    response = json_answer({"code": problem.type.status, "message": message}, problem.type.status)
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def route(path: str, name: str) -> Callable[[Handler], Handler]:
    """Register a handler at an address of Marquez, for all projects that the caller may read, and below a project.

    The handler gets the project, None for all, and the names in the path.

    Args:
        path: below ``/api/v1``.
        name: of the endpoint; that below a project is ``<name>_in_project``.
    """

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def everywhere(**names: str) -> Response:
            return handler(None, **names)

        @wraps(handler)
        def in_project(project: str, **names: str) -> Response:
            return handler(project, **names)

        blueprint.add_url_rule(f"/api/v1{path}", name, everywhere)
        blueprint.add_url_rule(f"/projects/<project>/api/v1{path}", f"{name}_in_project", in_project)
        return handler

    return register


def read(project: str | None, shape: Callable[[Reading], Mapping[str, Any] | list[Any]]) -> Response:
    """The response with what a function makes of what the caller may read."""
    with running.query_slot(), reading(auth.repository().context, project) as found:
        if project is None:
            access_log.record_projects(found.projects())
        return conditional(json_answer(shape(found)))


def json_answer(body: Mapping[str, Any] | list[Any], status: int = 200) -> Response:
    """A response in JSON."""
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    return Response(text.encode("utf-8", "replace"), status, content_type="application/json")


def number(name: str, default: int, least: int, most: int) -> int:
    """A parameter that is a whole number.

    Raises:
        Rejected: 400, it is none, or is not in the range.
    """
    found = parameters.number(name, most, least=least)
    return default if found is None else found


def choice(name: str, *values: str) -> str:
    """A parameter that is one of some words, in any case; the first one where it is missing.

    Raises:
        Rejected: 400, it is another word.
    """
    value = request.args.get(name) or values[0]
    if value.upper() not in values:
        raise Rejected(400, f"{name}={value[:40]} is not one of {', '.join(values)}")
    return value.upper()


def moment(name: str, default: int) -> int:
    """A parameter that is a time, in microseconds since 1970; a time without a zone is one in UTC.

    Raises:
        Rejected: 400, it is not a time.
    """
    value = request.args.get(name)
    if not value:
        return default
    found = Moment.parse(value)
    if found is None:
        raise Rejected(400, f"{name}={value[:40]} is not a time such as 2026-01-31T10:00:00Z")
    return microseconds(found)


def time(value: int | None) -> str | None:
    """A time as text in UTC; None where there is none, or it is beyond the years 1 to 9999."""
    if value is None:
        return None
    try:
        found = _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return None
    return found.isoformat(timespec="microseconds").replace("+00:00", "Z")
