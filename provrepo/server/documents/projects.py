"""Projects, and the lists of their documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Response, request, url_for

from provrepo.ledger.governance.standing import QUOTAS
from provrepo.repository import access
from provrepo.repository.exchange.summary import summary
from provrepo.repository.people.roles import Right
from provrepo.repository.records import DocumentInfo, ProjectInfo
from provrepo.server.discovery import schema_org
from provrepo.server.monitoring import metrics
from provrepo.server.pages import charts, pages
from provrepo.server.pages.lists import Order, listed
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import Links, conditional, json_response, pagination
from provrepo.server.queries import running

__all__ = ["PROJECT_ORDERS", "blueprint"]

blueprint = Blueprint("projects", __name__)


@blueprint.get("/projects")
def index() -> Response:
    """The projects that the caller may read."""
    page = pagination()
    found = [info for info in auth.repository().projects() if info.name > page.after]
    shown = listed(found, PROJECT_ORDERS, _text, most=page.limit)
    if _wants_page():
        return conditional(
            pages.page("projects.html", listed=shown, may_create=access.may_administer(auth.repository().actor))
        )
    answer = {"total": shown.part.total, "projects": [info.to_dict() for info in shown.shown]}
    return json_response(answer, next_=shown.part.after or None)


def _text(info: ProjectInfo) -> str:
    return f"{info.name}\n{info.title}\n{' '.join(info.profiles)}"


PROJECT_ORDERS = {
    "name": Order[ProjectInfo]("By name", lambda info: info.name),
    "title": Order[ProjectInfo]("By title", lambda info: (info.title.casefold(), info.name)),
    "documents": Order[ProjectInfo]("Most documents first", lambda info: info.documents, reverse=True),
    "entries": Order[ProjectInfo]("Most entries first", lambda info: info.entries, reverse=True),
}
"""The orders of projects."""


@blueprint.post("/projects")
def create() -> Response:
    """Create a project, private by default. Needs a token for all projects."""
    repo = auth.repository()
    given = _settings(body.json_object(), _TYPES)
    if "name" not in given:
        raise Rejected(400, "a project needs a name")
    info = repo.create_project(given.pop("name"), **given)
    return json_response(info.to_dict(), status=201, headers={"Location": url_for("projects.one", project=info.name)})


@blueprint.get("/projects/<project>")
def one(project: str) -> Response:
    """One project; the page also lists its documents."""
    info = auth.repository().project(project)
    if _wants_page():
        return _page(info, "newest")
    # Parameters that only the page uses must be valid for JSON too.
    pagination()
    _asked("name")
    return json_response({**info.to_dict(), "metrics": metrics.counted(auth.repository(), project)})


@blueprint.patch("/projects/<project>")
def change(project: str) -> Response:
    """Change settings of a project: those in the body. Needs a token for all projects."""
    given = _settings(body.json_object(), _CHANGES)
    return json_response(auth.repository().set_project(project, **given).to_dict())


@blueprint.put("/projects/<project>/embargo")
def set_embargo(project: str) -> Response:
    """Keep the project private until a time, at which it becomes public by itself; or move that time."""
    given = body.json_object()
    if (
        "until" not in given
        or given.keys() - {"until", "reason"}
        or not all(isinstance(v, str) for v in given.values())
    ):
        raise Rejected(400, 'send {"until": "2027-03-01"}, if need be with a "reason", and nothing else')
    return json_response(auth.repository().set_embargo(project, **given).to_dict())


@blueprint.delete("/projects/<project>/embargo")
def lift_embargo(project: str) -> Response:
    """Lift the embargo of the project, which stays private."""
    return json_response(auth.repository().set_embargo(project, None).to_dict())


@blueprint.get("/projects/<project>/exposure")
def exposure(project: str) -> Response:
    """What everybody could read if the project were public; the page has forms to publish it."""
    with running.query_slot():
        found = auth.repository().exposure(project)
    if _wants_page():
        return conditional(pages.page("exposure.html", found=found, project=auth.repository().project(project)))
    return json_response(found.to_dict())


@blueprint.get("/projects/<project>/documents")
def documents(project: str) -> Response:
    """The documents of a project by name; with ``?withdrawn=true`` also the withdrawn ones; or that of ``?name=``."""
    repo = auth.repository()
    info = repo.project(project)
    if _wants_page():
        return _page(info, "name")
    if name := request.args.get("name"):
        pagination()
        _asked("name")
        return json_response({"project": project, "total": 1, "documents": [repo.document(project, name).to_dict()]})
    part = _documents(project, _asked("name"))
    answer = {"project": project, "total": part.total, "documents": [info.to_dict() for info in part.shown]}
    return json_response(answer, next_=part.following)


def _wants_page() -> bool:
    # Call it only after the project was found readable: a 406 must not reveal that a private project exists.
    return choose((JSON, HTML)).name == HTML.name


def _page(info: ProjectInfo, order: str) -> Response:
    repo, after = auth.repository(), request.args.get("after", "")
    found = metrics.counted(repo, info.name)
    asked = _asked(order if found and not after else "name")
    part = _documents(info.name, asked)
    shown = part.shown
    waiting = repo.pending(info.name) if Right.SUBMIT in repo.context.rights(info.name) else []
    titled = any(document.title != document.name for document in shown)
    answer = pages.page(
        "project.html",
        project=info,
        documents=shown,
        titled=titled,
        following=part.following,
        after=after,
        asked=asked,
        sorts=SORTS,
        metrics=found,
        chart=charts.chart(found["over_time"]) if found else None,
        waiting=[each for each in waiting if each.needs_you],
        waits=len(waiting),
        attention=[document for document in shown if _needs_attention(document)],
        may_write=repo.context.curates(info.name),
        is_member=Right.SUBMIT in repo.context.rights(info.name),
        may_manage=Right.MANAGE in repo.context.rights(info.name),
        may_submit=Right.SUBMIT in repo.context.rights(info.name) and not info.archived,
        exchange=summary(repo.context, info.name),
        description=schema_org.block(schema_org.project(info)),
    )
    links = Links()
    links.add(url_for("catalogs.of_project", project=info.name), "describedby", "text/turtle")
    answer.headers["Link"] = str(links)
    return conditional(answer)


class _Asked(NamedTuple):
    """What is asked of a list of documents: a text that they contain, an order, and how many are left out."""

    q: str
    sort: str
    offset: int
    withdrawn: bool


def _asked(default: str) -> _Asked:
    """The parameters of the list in the current request.

    Raises:
        Rejected: 400, the order is unknown, or a number is none.
    """
    sort = request.args.get("sort") or default
    if sort not in SORTS:
        raise Rejected(400, f"sort={sort[:40]} is no order; there are: {', '.join(SORTS)}")
    offset = parameters.number("offset", _MOST, least=0) or 0
    return _Asked(request.args.get("q", "").strip(), sort, offset, _flag("withdrawn"))


class _Part(NamedTuple):
    """A part of the documents, the number of all that fit, and the address of the next part or None."""

    shown: list[DocumentInfo]
    total: int
    following: str | None


def _documents(project: str, asked: _Asked) -> _Part:
    """The requested part of the list."""
    page = pagination()
    repo = auth.repository()
    if asked.sort == "name" and not asked.q and not asked.offset:
        found = repo.documents(project, after=page.after, limit=page.limit + 1, withdrawn=asked.withdrawn)
        shown = found[: page.limit]
        total = repo.context.store.ledger.count(project, withdrawn=asked.withdrawn)
        return _Part(shown, total, page.next(shown[-1].name) if len(found) > len(shown) else None)
    if asked.sort == "newest" and not asked.q and not asked.withdrawn and not page.after:
        found = repo.newest_documents(project, offset=asked.offset, limit=page.limit + 1)
        following = _rest(asked, page.limit) if len(found) > page.limit else None
        return _Part(found[: page.limit], repo.context.store.ledger.count(project), following)
    if repo.project(project).documents > _SORTED:
        raise Rejected(
            400,
            f"more than {_SORTED:,} documents are listed by name, or failing and newest first, and not filtered; "
            "/search finds one",
        )
    wanted = asked.q.casefold()
    found = [
        document
        for document in repo.documents(project, after=page.after, withdrawn=asked.withdrawn)
        if wanted in "\n".join((document.name, document.title, document.current.submitter)).casefold()
    ]
    found.sort(key=_ORDERS[asked.sort])
    ends = asked.offset + page.limit
    return _Part(found[asked.offset : ends], len(found), _rest(asked, page.limit) if ends < len(found) else None)


def _rest(asked: _Asked, limit: int) -> str:
    """The address of the next part of the list."""
    kept = {name: request.args[name] for name in ("format", "withdrawn", "q", "after") if request.args.get(name)}
    arguments = {**(request.view_args or {}), **kept, "sort": asked.sort, "offset": asked.offset + limit}
    return url_for(request.endpoint or "", **arguments, limit=limit)


def _needs_attention(document: DocumentInfo) -> bool:
    return _fails(document) or (document.current.state == "current" and bool(document.current.warnings))


def _fails(document: DocumentInfo) -> bool:
    current = document.current
    failing = current.verdict != "conforms" or current.possible is False or current.set_aside or current.origin_warnings
    return current.state == "current" and bool(failing)


SORTS = {
    "newest": "Failing first, then newest",
    "name": "By name",
    "statements": "Most statements first",
    "warnings": "Most warnings first",
}
"""The orders of documents; lists in JSON are by name unless they ask for another."""

_ORDERS: Mapping[str, Callable[[DocumentInfo], Any]] = {
    "newest": lambda document: (not _fails(document), -document.current.sequence),
    "name": lambda document: document.name,
    "statements": lambda document: (-document.current.statements, document.name),
    "warnings": lambda document: (-(document.current.warnings or 0), document.name),
}

_SORTED = 5_000
"""The most documents of a project that are filtered, or in another order than by name or newest: all are read."""

_MOST = 99_999_999
"""The largest offset."""


def _flag(name: str) -> bool:
    value = (request.args.get(name) or "false").lower()
    if value not in {"true", "false"}:
        raise Rejected(400, f"{name}={value[:40]} is neither true nor false")
    return value == "true"


_SETTINGS: dict[str, tuple[type, str]] = {
    "public": (bool, "true or false"),
    "title": (str, "a string"),
    "profiles": (list, "a list of names of profiles"),
    "license": (str, "a web address"),
}
_TYPES: dict[str, tuple[type, str]] = {"name": (str, "a string"), **_SETTINGS}
_CHANGES: dict[str, tuple[type, str]] = {
    **_SETTINGS,
    "push": (list, "a list of names of peers"),
    "pushes": (str, "a string"),
    "reviewed": (list, "a list of names of actors"),
    "review": (str, "a string"),
    "announce": (bool, "true or false"),
    "archived": (bool, "true or false"),
    **dict.fromkeys(QUOTAS, (int, "a whole number; 0 for no limit")),
}


def _settings(given: dict[str, Any], types: Mapping[str, tuple[type, str]]) -> dict[str, Any]:
    """The members of a JSON object after checking their types.

    Raises:
        Rejected: 400, a member is unknown or has another type.
    """
    unknown = sorted(set(given) - set(types))
    if unknown:
        raise Rejected(400, f"a project has no member {unknown[0][:40]!r}; it has: {', '.join(types)}")
    for member, value in given.items():
        kind, description = types[member]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings or (kind is int and isinstance(value, bool)):
            raise Rejected(400, f"{member!r} of a project is {description}")
    return given
