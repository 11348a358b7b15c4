"""The page on which documents are checked, mended, submitted, replaced and withdrawn, by forms that need no script.

``POST /submit`` checks and repairs; ``/projects/…/submit`` stores. The script of the page sends the same form as one
types, and takes the checked part of the same answer, so that all that is shown is made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo import errors
from provrepo.checks.findings import Finding
from provrepo.checks.mending import Mending, Repair, added
from provrepo.checks.render import rule_name
from provrepo.checks.report import Report
from provrepo.codecs import formats
from provrepo.model.compare import compare
from provrepo.model.difference import Difference
from provrepo.model.document import Document
from provrepo.repository import access
from provrepo.repository.exchange import rights
from provrepo.repository.exchange.records import PendingInfo
from provrepo.repository.people.roles import Right
from provrepo.repository.records import ProfileInfo, ProjectInfo, VersionInfo
from provrepo.repository.repository import Repository
from provrepo.repository.submission import conversion
from provrepo.server.pages import pages, several
from provrepo.server.protocol import auth, codings
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response

__all__ = [
    "CheckedFinding",
    "Form",
    "blueprint",
    "check",
    "current_version",
    "difference_from",
    "store",
    "stored",
    "writable",
]

blueprint = Blueprint("submitting", __name__)

FINDINGS = 200
"""The most findings that are listed beside the document."""

_LINES = 2000
"""The most lines that are numbered."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of the form.

    Attributes:
        project: the chosen project; empty for none.
        name: the name of the document; may be empty.
        profiles: profiles beyond those of the project.
        text: the document; what is not UTF-8 is in ``data`` alone.
        data: its bytes: those of the chosen file, otherwise those of ``text``.
        note: of the submitter.
        replaces: SHA-256 of the version that it replaces; empty for a new document.
        pending: identifier of the refused document that it mends; empty for none.
        files: several chosen files, each a document of its own; empty for one or none.
    """

    project: str = ""
    name: str = ""
    profiles: tuple[str, ...] = ()
    text: str = ""
    data: bytes = b""
    note: str = ""
    replaces: str = ""
    pending: str = ""
    files: tuple[several.ChosenFile, ...] = ()

    @classmethod
    def sent(cls) -> Form:
        """The form in the body of the current request. A chosen file precedes the text.

        Browsers send line ends of a text as CR LF; stored are line feeds. A file keeps its bytes.

        Raises:
            Rejected: 403 as ``auth.require_form``.
        """
        codings.open_body()
        auth.require_form()
        files = several.chosen()
        data = files[0].data if len(files) == 1 else b""
        names = ("project", "name", "note", "replaces", "pending")
        fields: dict[str, Any] = {name: request.form.get(name, "").strip() for name in names}
        fields["replaces"] = request.form.get("replace") or fields["replaces"]
        text = request.form.get("text", "").replace("\r\n", "\n")
        if data:
            text = "" if len(data) > conversion.LARGE else data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        profiles = tuple(filter(None, request.form.getlist("profile")))
        if len(files) > 1:
            return cls(**fields, profiles=profiles, files=files)
        return cls(**fields, profiles=profiles, text=text, data=data or text.encode("utf-8", "surrogatepass"))

    @property
    def marked(self) -> str:
        """The text with one line feed in front, which HTML removes after the start tag of a text area."""
        return "\n" + self.text


@dataclass(frozen=True, slots=True)
class CheckedFinding:
    """A finding beside the document, with what can be done about it."""

    finding: Finding
    rule: str
    repairs: Sequence[Repair]


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Attributes:
        report: the report; None if the document cannot be read.
        error: why it cannot be read, or was not stored; empty for neither.
        line: of that error, or None.
        findings: the first findings.
        lines: the worst severity and the number of the first finding, by line.
        outcomes: of each of several files.
        current: the version that has the same name now, or None.
        difference: from that version; None without one, or where a document is too large to compare here.
    """

    report: Report | None = None
    error: str = ""
    line: int | None = None
    findings: Sequence[CheckedFinding] = ()
    outcomes: Sequence[several.Outcome] = ()
    current: VersionInfo | None = None
    difference: Difference | None = None

    @property
    def lines(self) -> dict[int, tuple[str, int]]:
        found: dict[int, tuple[str, int]] = {}
        for number, each in enumerate(self.findings):
            if each.finding.line is not None:
                found.setdefault(each.finding.line, (each.finding.severity.value, number))
        if self.line is not None:
            found.setdefault(self.line, ("violation", 0))
        return found


@blueprint.get("/submit")
def form() -> Response:
    """The form; with ``?pending=`` with the refused document of that identifier, and with ``?name=`` to replace one."""
    repo = auth.repository()
    projects = writable(repo)
    if choose((JSON, HTML)).name != HTML.name:
        known = [info.to_dict() for info in repo.profiles(request.args.get("project") or None)]
        readable = [format_.name for format_ in formats.READABLE]
        return json_response(
            {"projects": [info.to_dict() for info in projects], "profiles": known, "formats": readable}
        )
    project, name = request.args.get("project", ""), request.args.get("name", "")
    sent = Form(project=project or (projects[0].name if len(projects) == 1 else ""), name=name)
    if request.args.get("pending"):
        sent = _of_pending(repo, sent, request.args["pending"])
        return _page(repo, sent, _checked(repo, sent))
    if project and name:
        current = current_version(repo, project, name)
        if current is not None:
            sent = replace(sent, replaces=current.sha256)
            data = repo.original(project, name, current.version)[0] if current.size <= conversion.LARGE else b""
            sent = replace(sent, data=data, text=data.decode("utf-8-sig", "replace").replace("\r\n", "\n"))
            return _page(repo, sent, Checked(current=current))
    return _page(repo, sent, None)


@blueprint.post("/submit")
def check() -> Response:
    """Check what the form has, and store nothing; with a repair, add its statement first."""
    repo = auth.repository()
    sent = Form.sent()
    if statement := request.form.get("repair", ""):
        text = added(sent.text, statement)
        sent = replace(sent, text=text, data=text.encode("utf-8", "surrogatepass"))
    return _page(repo, sent, _checked(repo, sent) if sent.data or sent.files else None)


@blueprint.post("/projects/<project>/submit")
def store(project: str) -> Response:
    """Store what the form has; or keep it though it was refused, at an address for its submitter and reviewers."""
    repo = auth.repository()
    sent = Form.sent()
    if sent.project != project:
        return _page(repo, sent, replace(_checked(repo, sent), error="The project was changed: press Submit again."))
    if sent.files:
        found = several.stored(repo, sent.files, project, sent.profiles, sent.note)
        answer = pages.page("submitted.html", project=project, outcomes_of=found)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    if not sent.data:
        return _page(repo, sent, Checked(error="There is no document: type or paste one, or choose a file."), 400)
    return stored(repo, sent, keep=request.form.get("action") == "keep")


def stored(repo: Repository, sent: Form, *, keep: bool = False) -> Response:
    """Store a document and lead to its page; where it cannot be stored, the page of the form with the reason.

    Args:
        repo: the repository of the caller.
        sent: the form.
        keep: whether to keep it as a refused document.
    """
    given: dict[str, Any] = {"name": sent.name or None, "profiles": sent.profiles, "note": sent.note}
    update, reviewed = bool(sent.replaces), rights.is_reviewed(repo.context, sent.project)
    try:
        if sent.pending and (keep or reviewed) and _is_next_round(repo, sent):
            repo.replace_pending(
                sent.pending, sent.data, project=sent.project, note=sent.note, profiles=sent.profiles or None
            )
            return _to(url_for("pending.one", project=sent.project, pending=sent.pending))
        if keep or reviewed:
            waiting, _ = repo.submit_for_review(
                sent.data,
                project=sent.project,
                update=update,
                if_match=sent.replaces or None,
                refused=keep,
                **given,
            )
            if waiting.id != sent.pending:
                _settle(repo, sent, f"sent again as {waiting.name}")
            return _to(url_for("pending.one", project=sent.project, pending=waiting.id))
        receipt = repo.submit(sent.data, project=sent.project, update=update, if_match=sent.replaces or None, **given)
    except (errors.Conflict, errors.Stale, errors.Refused, errors.ReadError, errors.UsageError) as error:
        found = _checked(repo, sent) if not isinstance(error, errors.ReadError) else _unread(error)
        status = 409 if isinstance(error, errors.Conflict | errors.Stale) else 422
        return _page(repo, sent, replace(found, error=str(error)), status)
    version = receipt.version
    _settle(repo, sent, f"mended and submitted as {version.name}, version {version.version}")
    return _to(url_for("documents.current", project=version.project, document=version.name))


def _is_next_round(repo: Repository, sent: Form) -> bool:
    """Whether a document replaces the one that it was made from: an own one of the same name that still waits."""
    found: PendingInfo = repo.pending_document(sent.pending, project=sent.project)
    return found.own and found.state in ("waiting", "changes") and sent.name in ("", found.name)


@blueprint.post("/projects/<project>/documents/<document>/withdraw")
def withdraw(project: str, document: str) -> Response:
    """Withdraw a document, by a form, which has the reason."""
    codings.open_body()
    auth.require_form()
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise Rejected(400, "say why it is withdrawn: readers see the reason in its place")
    given = request.form.get("replaces", "")
    auth.repository().withdraw(project, document, reason=reason, if_match=given or None)
    return _to(url_for("documents.versions", project=project, document=document))


@blueprint.post("/projects/<project>/pending/<pending>/decide")
def decide(project: str, pending: str) -> Response:
    """Accept or reject a document that waits, or ask for changes, by a form; its submitter gives it up.

    The form has the digests of the bytes and of the present version that its page has shown: if one of them was
    replaced since, nothing is decided.
    """
    codings.open_body()
    auth.require_form()
    repo, reason = auth.repository(), request.form.get("reason", "").strip()
    decision = request.form.get("decision")
    seen = request.form.get("if_match") or None
    if decision == "accept":
        replaces = request.form.get("replaces") or None
        repo.accept_pending(pending, project=project, reason=reason, replaces=replaces, if_match=seen)
    elif decision == "reject":
        repo.reject_pending(pending, project=project, reason=reason, if_match=seen)
    elif decision == "ask":
        repo.ask_pending(pending, project=project, reason=reason, if_match=seen)
    else:
        raise Rejected(400, "the decision is none of accept, reject and ask")
    return _to(url_for("pending.one", project=project, pending=pending))


def writable(repo: Repository) -> list[ProjectInfo]:
    """The projects to which the caller may submit; mirrors and archived projects take no submissions."""
    if not access.may_submit_somewhere(repo.actor):
        return []
    allowed = set(repo.context.projects_with(Right.SUBMIT))
    return [info for info in repo.projects() if info.mirror is None and not info.archived and info.name in allowed]


def _of_pending(repo: Repository, sent: Form, id_: str) -> Form:
    info: PendingInfo = repo.pending_document(id_, project=sent.project or None)
    data, _ = repo.pending_original(id_, project=info.project)
    text = "" if len(data) > conversion.LARGE else data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return replace(sent, project=info.project, name=info.name, note=info.note, pending=id_, data=data, text=text)


def _settle(repo: Repository, sent: Form, reason: str) -> None:
    """Give up the refused document that a submission has mended, if it still waits."""
    if sent.pending:
        try:
            repo.reject_pending(sent.pending, project=sent.project, reason=reason)
        except (errors.NotFound, errors.Conflict, errors.Denied):
            return  # it was decided on meanwhile, or is another's: then that decision stays


def _checked(repo: Repository, sent: Form) -> Checked:
    """Check a document as a submission would be, with its difference from the version that it would replace."""
    project = next((info for info in repo.projects() if info.name == sent.project), None)
    names = list(dict.fromkeys([*(project.profiles if project else ()), *sent.profiles]))
    if sent.files:
        return Checked(outcomes=several.checked(repo, sent.files, project.name if project else "", names))
    try:
        report = repo.validate(sent.data, project=project.name if project else None, profiles=names)
    except errors.ReadError as error:
        return _unread(error)
    document = formats.read(sent.data) if len(sent.data) <= conversion.LARGE else None
    mending = None if document is None else Mending(document)
    findings = [
        CheckedFinding(finding, rule_name(finding), mending.of(finding) if mending and sent.text else ())
        for finding in report.findings[:FINDINGS]
    ]
    current = current_version(repo, sent.project, sent.name) if project and sent.name else None
    difference = None if document is None or current is None else difference_from(repo, current, document)
    return Checked(report, findings=findings, current=current, difference=difference)


def _unread(error: errors.ReadError) -> Checked:
    return Checked(error=str(error), line=error.line)


def difference_from(repo: Repository, current: VersionInfo, document: Document) -> Difference | None:
    """The difference of a document from a version; None where one of them is too large to compare them here."""
    if current.size > conversion.LARGE:
        return None
    try:
        former = repo.read(current.project, current.name, current.version)
        return compare(former, document, max_steps=20_000).difference
    except errors.TooLarge:
        return None


def current_version(repo: Repository, project: str, name: str) -> VersionInfo | None:
    """The current version of a document; None if there is none."""
    try:
        found = repo.version(project, name)
    except (errors.NotFound, errors.Withdrawn, errors.InvalidName):
        return None
    return found if found.state == "current" else None


def _page(repo: Repository, sent: Form, checked: Checked | None, status: int = 200) -> Response:
    projects = writable(repo)
    chosen = next((info for info in projects if info.name == sent.project), None)
    known: list[ProfileInfo] = repo.profiles(chosen.name if chosen else None)
    required = chosen.profiles if chosen else ()
    page = pages.page(
        "submit.html",
        sent=sent,
        checked=checked,
        projects=projects,
        project=chosen,
        reviewed=chosen is not None and rights.is_reviewed(repo.context, chosen.name),
        profiles=[info for info in known if info.name not in required],
        lines=min(_LINES, sent.text.count("\n") + 1),
        sha256=hashlib.sha256(sent.data).hexdigest() if sent.data else "",
        most=FINDINGS,
        formats=formats.READABLE,
    )
    page.status_code = status
    page.headers["Cache-Control"] = "no-store"
    return page


def _to(path: str) -> Response:
    return Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})
