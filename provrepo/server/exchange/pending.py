"""Documents that wait for a review: sent by peers, or submitted under review; lists, decisions, and their pages.

For callers who neither review in the project nor have sent a document, there are none: they get the same answers as for
documents that do not exist.
"""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, request, url_for

from provrepo.checks.render import SHOWN
from provrepo.codecs.formats import by_name, read
from provrepo.errors import ReadError, Waits
from provrepo.model.difference import Difference
from provrepo.repository.exchange.records import PendingInfo
from provrepo.repository.records import VersionInfo
from provrepo.repository.repository import Repository
from provrepo.repository.submission.conversion import LARGE
from provrepo.server.documents import reports
from provrepo.server.pages import pages
from provrepo.server.pages.excerpts import excerpts
from provrepo.server.pages.lists import Order, listed
from provrepo.server.pages.submitting import current_version, difference_from
from provrepo.server.protocol import auth, body, codings, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose, content_type
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["PENDING_ORDERS", "blueprint", "waits"]

blueprint = Blueprint("pending", __name__)

_ALL = "/projects/<project>/pending"
_ONE = f"{_ALL}/<pending>"


@blueprint.post(_ALL)
def receive(project: str) -> Response:
    """Send a document that waits for a review: as a peer a version with its origin, otherwise a submission."""
    repo = auth.repository()
    if request.mimetype == body.MULTIPART:
        data, message = _parts()
        found, new = repo.receive(project, data, message)
        return _answer(found, 201 if new else 200)
    allow_empty, update = parameters.flag("allow_empty"), parameters.flag("update")
    upload = body.upload()
    found, _ = repo.submit_for_review(
        upload.data,
        project=project,
        name=request.args.get("name") or None,
        profiles=request.args.getlist("profile"),
        update=update,
        format=upload.format,
        base=upload.base,
        note=request.args.get("note", ""),
        allow_empty=allow_empty,
    )
    return _answer(found, 202)


@blueprint.get(_ALL)
def index(project: str) -> Response:
    """The documents that wait for a review in a project, the oldest first: all, or one's own if these are reviewed."""
    found = auth.repository().pending(project)
    page = choose((JSON, HTML)).name == HTML.name
    waiting = listed(found, PENDING_ORDERS, _text)
    if page:
        return conditional(pages.page("pending.html", project=project, waiting=waiting))
    answer = {"project": project, "total": waiting.part.total, "pending": [info.to_dict() for info in waiting.shown]}
    return json_response(answer, next_=waiting.part.after or None)


PENDING_ORDERS = {
    "oldest": Order[PendingInfo]("Oldest first", lambda info: info.received),
    "newest": Order[PendingInfo]("Newest first", lambda info: info.received, reverse=True),
    "name": Order[PendingInfo]("By name", lambda info: info.name),
    "sender": Order[PendingInfo]("By sender", lambda info: (info.peer or info.sender, info.received)),
}


def _text(info: PendingInfo) -> str:
    return "\n".join((info.name, info.title, info.peer, info.sender, info.verdict, info.why, info.note, info.sha256))


@blueprint.get(_ONE)
def one(project: str, pending: str) -> Response:
    """A document that waits or waited, for those who review and for its sender."""
    repo = auth.repository()
    found = repo.pending_document(pending, project=project)
    if choose((JSON, HTML)).name == HTML.name:
        report = repo.pending_report(pending, project=project)
        lines = excerpts(report, SHOWN, lambda: repo.pending_original(pending, project=project)[0])
        current, difference = _compared(repo, found)
        page = pages.page(
            "pending_document.html", found=found, report=report, lines=lines, current=current, difference=difference
        )
        return conditional(page)
    return json_response(found.to_dict())


def _compared(repo: Repository, found: PendingInfo) -> tuple[VersionInfo | None, Difference | None]:
    """The version that a document which waits would replace, and the difference from it, where they can be compared."""
    if found.state not in ("waiting", "changes"):
        return None, None
    current = current_version(repo, found.project, found.name)
    if current is None or found.size > LARGE:
        return current, None
    data, _ = repo.pending_original(found.id, project=found.project)
    try:
        document = read(data, format=found.format or None, base=found.base or None)
    except ReadError:  # a refused one, for example
        return current, None
    return current, difference_from(repo, current, document)


@blueprint.put(_ONE)
def replace(project: str, pending: str) -> Response:
    """Replace the bytes of an own submission that waits, as after a request for changes: its next round."""
    repo = auth.repository()
    upload = body.upload()
    found = repo.replace_pending(
        pending,
        upload.data,
        project=project,
        format=upload.format,
        base=upload.base,
        note=request.args.get("note"),
        profiles=request.args.getlist("profile") or None,
    )
    return json_response(found.to_dict())


@blueprint.get(f"{_ONE}/original")
def original(project: str, pending: str) -> Response:
    """The bytes of a document that waits, unchanged; always as an attachment."""
    data, found = auth.repository().pending_original(pending, project=project)
    format_ = by_name(found.format)
    response = Response(data, content_type=content_type(format_.media_type))
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}{format_.suffixes[0]}"'
    return conditional(response)


@blueprint.get(f"{_ONE}/report")
def report(project: str, pending: str) -> Response:
    """The report of the checks on the arrival of a document that waits or waited."""
    repo = auth.repository()
    info = repo.pending_document(pending, project=project)
    return reports.response(
        repo.pending_report(pending, project=project),
        heading=f"Report on {info.name}",
        read=lambda: repo.pending_original(pending, project=project)[0],
        project=project,
    )


@blueprint.post(f"{_ONE}/accept")
def accept(project: str, pending: str) -> Response:
    """Accept a document that waits: it is checked again, and stored in the name of its sender."""
    repo = auth.repository()
    found = repo.accept_pending(
        pending,
        project=project,
        reason=request.args.get("reason", ""),
        name=request.args.get("name") or None,
        update=parameters.flag("update"),
        again=parameters.flag("again"),
        replaces=request.args.get("replaces") or None,
        if_match=_seen(),
    )
    return json_response(found.to_dict())


@blueprint.post(f"{_ONE}/reject")
def reject(project: str, pending: str) -> Response:
    """Reject a document that waits, or give up an own one. Its bytes are deleted, and its sender gets the reason."""
    repo = auth.repository()
    found = repo.reject_pending(pending, project=project, reason=request.args.get("reason", ""), if_match=_seen())
    return json_response(found.to_dict())


@blueprint.post(f"{_ONE}/ask")
def ask(project: str, pending: str) -> Response:
    """Ask the submitter of a document that waits for changes; it waits for them, with the reason."""
    repo = auth.repository()
    found = repo.ask_pending(pending, project=project, reason=request.args.get("reason", ""), if_match=_seen())
    return json_response(found.to_dict())


def _seen() -> str | None:
    """The SHA-256 of the bytes that the reviewer has seen; None without this condition."""
    return request.args.get("if_match") or None


def waits(waiting: Waits) -> Response:
    """The answer to a submission that waits for a review: its record, and its address."""
    return _answer(cast("PendingInfo", waiting.pending), 202)


def _answer(found: PendingInfo, status: int) -> Response:
    at = url_for("pending.one", project=found.project, pending=found.id)
    return json_response(found.to_dict(), status=status, headers={"Location": at})


def _parts() -> tuple[bytes, bytes]:
    """The document and the message of a push: the parts ``document``, bytes, and ``push``, a JSON object, of the form.

    Raises:
        Rejected: 400, the form does not have exactly these parts.
        RequestEntityTooLarge: it is larger than the settings allow.
    """
    codings.open_body()
    given = [name for source in (request.files, request.form) for name, _ in source.items(multi=True)]
    if len(given) != 2 or set(given) != {"document", "push"}:  # The name of a part that has none is None.
        raise Rejected(
            400,
            "a push is a form with one part 'push', a JSON object, and one part 'document', the bytes of the document",
        )
    return _part("document"), _part("push")


def _part(name: str) -> bytes:
    file = request.files.get(name)
    return request.form[name].encode("utf-8", "surrogatepass") if file is None else file.read()
