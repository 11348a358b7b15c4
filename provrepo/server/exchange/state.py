"""The state of the exchange with other repositories: peers, holders, notices, pushes and mirrors; for reading only.

Whatever contacts another server is started in the data directory, since its operator decides which ones are contacted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, url_for

from provrepo.errors import NotFound
from provrepo.ledger.exchange.holders import Holder
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.ledger.exchange.peers import Peer
from provrepo.ledger.exchange.pushes import Push
from provrepo.repository.exchange.mirroring.records import MirrorInfo
from provrepo.server.pages import pages
from provrepo.server.pages.lists import Order, listed
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["SORTS", "blueprint"]

blueprint = Blueprint("exchange", __name__)

_Cell = tuple[str, str]
"""A text and the address that it links to, which may be empty. Only addresses of this server are linked."""


@blueprint.get("/peers")
def peers() -> Response:
    """The peers, which are the other repositories that the operator has named. Tokens are never shown."""
    found = auth.repository().peers()
    return _listed("Peers", "peers", found, _peer)


@blueprint.get("/peers/<name>")
def peer(name: str) -> Response:
    """A peer, with its quota, identity and last contact."""
    choose((JSON,))
    return json_response(auth.repository().peer(name).to_dict())


@blueprint.get("/holders")
def holders() -> Response:
    """Who holds copies of the documents of all projects."""
    return _listed("Holders of copies", "holders", auth.repository().holders(), _holder)


@blueprint.get("/projects/<project>/holders")
def holders_of_project(project: str) -> Response:
    """Who holds copies of the documents of a project, and how that is known."""
    return _listed("Holders of copies", "holders", auth.repository().holders(project), _holder, project=project)


@blueprint.get("/notices")
def notices() -> Response:
    """The notices about all projects: sent ones with their acknowledgments, and received ones."""
    found = auth.repository().notices(direction=parameters.text("direction"))
    return _listed("Notices", "notices", found, _notice)


@blueprint.get("/projects/<project>/notices")
def notices_of_project(project: str) -> Response:
    """The notices about the documents of a project: sent ones with their acknowledgments, and received ones."""
    found = auth.repository().notices(project, parameters.text("document"), direction=parameters.text("direction"))
    return _listed("Notices", "notices", found, _notice, project=project)


@blueprint.get("/notice")
def notice() -> Response:
    """A notice with its text, for those who may see it."""
    choose((JSON,))
    found = auth.repository().notice(parameters.required("id"))
    return json_response({**found.to_dict(), "text": found.body.decode("utf-8", "replace")})


@blueprint.get("/pushes")
def pushes() -> Response:
    """The versions of all projects that were sent to peers, or are on their way."""
    return _listed("Sent to peers", "pushes", auth.repository().pushes(), _push)


@blueprint.get("/projects/<project>/pushes")
def pushes_of_project(project: str) -> Response:
    """The versions of a project that were sent to peers, or are on their way; and what became of them there."""
    return _listed("Sent to peers", "pushes", auth.repository().pushes(project), _push, project=project)


@blueprint.get("/mirrors")
def mirrors() -> Response:
    """The mirrors that the caller may read: how far they have followed their origins, and what is wrong."""
    return _listed("Mirrors", "mirrors", auth.repository().mirrors(), _mirror)


@blueprint.get("/projects/<project>/mirror")
def mirror(project: str) -> Response:
    """How far a mirror has followed its origin, the last attempt, and what is wrong."""
    choose((JSON,))
    repo = auth.repository()
    repo.require(project)
    found = next((one for one in repo.mirrors() if one.name == project), None)
    if found is None:
        raise NotFound(f"project {project} is not a mirror")
    return json_response(found.to_dict())


def _listed(title: str, member: str, found: Sequence[Any], row: Any, *, project: str | None = None) -> Response:
    """A list as JSON, or as a page with a table.

    Args:
        title: the title of the page.
        member: the member of the JSON object that has the records.
        found: the records.
        row: makes the cells of a row of a record, by the heads of their columns.
        project: the project; None for a list of the whole repository.
    """
    page = choose((JSON, HTML)).name == HTML.name
    every: list[tuple[Any, Mapping[str, _Cell]]] = [(one, row(one)) for one in found]
    shown = listed(every, _ORDERS[member], _text)
    if page:
        return conditional(pages.page("exchange.html", title=title, project=project, listed=shown))
    named = {} if project is None else {"project": project}
    answer = {**named, "total": shown.part.total, member: [one.to_dict() for one, _ in shown.shown]}
    return json_response(answer, next_=shown.part.after or None)


def _text(item: tuple[Any, Mapping[str, _Cell]]) -> str:
    return "\n".join(text for text, _ in item[1].values())


def _by(head: str) -> Order[tuple[Any, Mapping[str, _Cell]]]:
    latest = head in _TIMES
    return Order(head + (", newest first" if latest else ""), lambda item: item[1][head][0], reverse=latest)


_TIMES = ("Added", "Changed", "Last contact", "Time")
_HEADS = {
    "peers": ("Peer", "Server", "Last contact"),
    "holders": ("Holder", "Holds", "Added"),
    "notices": ("Time", "Peer", "What", "Document", "State"),
    "pushes": ("Changed", "Version", "Peer", "State"),
    "mirrors": ("Mirror", "State", "Last contact"),
}
"""Columns by which each list is sorted."""

SORTS = {member: ("listed", *(head.lower().replace(" ", "-") for head in heads)) for member, heads in _HEADS.items()}
"""The values of ``sort`` of each list; the first one leaves the order as it is."""

_ORDERS: Mapping[str, Mapping[str, Order[tuple[Any, Mapping[str, _Cell]]]]] = {
    member: {
        "listed": Order("As listed", lambda _: 0),
        **{head.lower().replace(" ", "-"): _by(head) for head in heads},
    }
    for member, heads in _HEADS.items()
}


def _peer(found: Peer) -> dict[str, _Cell]:
    failed = f"failed {found.failed}: {found.failure}" if found.failed else ""
    return {
        "Peer": (found.name, ""),
        "Server": (found.url, ""),
        "What it sends": (found.accepts, ""),
        "Into": (", ".join(found.projects), ""),
        "Last contact": (found.contacted, ""),
        "Problem": (failed, ""),
    }


def _holder(found: Holder) -> dict[str, _Cell]:
    return {
        "Holder": (found.peer or found.url, ""),
        "Holds": _place(found.project, found.document, found.version),
        "Known by": (found.how, ""),
        "Told of entries after": (f"{found.since:,}", ""),
        "Added": (found.added, ""),
    }


def _notice(found: SentNotice | ReceivedNotice) -> dict[str, _Cell]:
    sent = isinstance(found, SentNotice)
    # The document of a received notice is one of the peer, except where it was derived from one here.
    here = sent or found.about == "derived"
    place = _place(found.project, found.document, found.version)
    if isinstance(found, SentNotice):
        state, time = found.state, found.acknowledged or found.delivered or found.made
        problem = found.failure
    else:
        state, time, problem = "proven" if found.proof else "not proven", found.received, ""
    return {
        "Direction": ("sent to" if sent else "received from", ""),
        "Peer": (found.peer or (found.url if isinstance(found, SentNotice) else "unknown"), ""),
        "What": (found.about or "other", ""),
        "Document": place if here else (place[0], ""),
        "State": (state, ""),
        "Time": (time, ""),
        "Problem": (problem, ""),
    }


def _push(found: Push) -> dict[str, _Cell]:
    there = f"{found.target}/{found.there['name']}@{found.there['version']}" if found.there.get("version") else ""
    return {
        "Version": _place(found.project, found.document, found.version),
        "Peer": (found.peer, ""),
        "State": (found.state, ""),
        "There": (there, ""),
        "Reason": (found.failure or str(found.there.get("reason", "")), ""),
        "Changed": (found.changed, ""),
    }


def _mirror(found: MirrorInfo) -> dict[str, _Cell]:
    return {
        "Mirror": (found.name, url_for("projects.one", project=found.name)),
        "Of": (found.where, ""),
        "Entries": (f"{found.sequence:,} of {max(found.ahead, found.sequence):,}", ""),
        "State": (found.state, ""),
        "Problem": (found.message, ""),
        "Last contact": (found.contacted, ""),
        "Last attempt": (found.tried, ""),
    }


def _place(project: str, document: str, version: int) -> _Cell:
    """A project, document or version, with its address."""
    if not project:
        return "", ""
    if not document:
        return project, url_for("projects.one", project=project)
    at = url_for("documents.versions", project=project, document=document)
    return f"{project}/{document}" + (f"@{version}" if version else ""), at
