"""Writing documents: submit, replace and withdraw. Each needs a token that may write to the project."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo.errors import Conflict, Stale, TakenBack, Waits
from provrepo.repository.records import Receipt
from provrepo.repository.repository import Repository
from provrepo.server.exchange import pending
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("submissions", __name__)

_TAG = re.compile(r"([0-9a-f]{64})(?:\..*)?")
"""An entity tag of a document: the SHA-256 of the submitted bytes, and for other representations a suffix."""


@blueprint.post("/projects/<project>/documents")
def submit(project: str) -> Response:
    """Submit a new document. Submitting the same bytes under the same name again returns the same receipt.

    If submissions of this caller are reviewed, the document waits for that (202).
    """
    repo = auth.repository()
    options, update = _options(), parameters.flag("update")
    upload = body.upload()
    try:
        receipt = repo.submit(
            upload.data,
            project=project,
            name=request.args.get("name") or None,
            update=update,
            format=upload.format,
            base=upload.base,
            **options,
        )
    except Waits as waiting:
        return pending.waits(waiting)
    return _receipt(receipt, 201 if receipt.created else 200)


@blueprint.put("/projects/<project>/documents/<document>")
def replace(project: str, document: str) -> Response:
    """Submit a version that replaces the one in ``If-Match``, or with ``If-None-Match: *`` the first version.

    If submissions of this caller are reviewed, it waits for that (202). The precondition holds for its acceptance too.
    """
    repo = auth.repository()
    options = _options()
    creating = request.if_none_match.star_tag
    if_match = None if creating else _precondition(repo, project, document)
    upload = body.upload()
    try:
        receipt = repo.submit(
            upload.data,
            project=project,
            name=document,
            update=not creating,
            if_match=if_match,
            format=upload.format,
            base=upload.base,
            **options,
        )
    except Waits as waiting:
        return pending.waits(waiting)
    except TakenBack:
        raise
    except Conflict as conflict:
        # The conflict violates the precondition of the client: 412 instead of 409 (RFC 9110, section 13.1.2).
        raise Stale(str(conflict)) from conflict
    return _receipt(receipt, 201 if receipt.created and creating else 200)


@blueprint.delete("/projects/<project>/documents/<document>")
def withdraw(project: str, document: str) -> Response:
    """Withdraw a document. Its versions stay in the ledger."""
    repo = auth.repository()
    if_match = _precondition(repo, project, document) if "If-Match" in request.headers else None
    reason = request.args.get("reason", "").strip() or "no reason given"
    internal = request.args.get("internal_reason", "")
    found = repo.withdraw(project, document, reason=reason, internal_reason=internal, if_match=if_match)
    return json_response(found.to_dict())


def _options() -> dict[str, Any]:
    """The options of a submission that ``POST`` and ``PUT`` have."""
    return {
        "profiles": request.args.getlist("profile"),
        "note": request.args.get("note", ""),
        **{name: parameters.flag(name) for name in ("again", "allow_empty", "keep")},
    }


def _precondition(repo: Repository, project: str, document: str) -> str:
    """The SHA-256 of the version in ``If-Match``, or ``*``.

    Raises:
        Rejected: 428 if ``If-Match`` is missing, 400 if it is not valid.
        Stale: none of its tags is an entity tag of a version.
    """
    wanted = request.if_match
    if wanted.star_tag:
        return "*"
    if "If-Match" not in request.headers:
        raise Rejected(
            428,
            "name the version to be replaced: send If-Match with its ETag, or '*' for any version; "
            "If-None-Match: * creates a new document",
        )
    if not wanted:
        raise Rejected(400, "If-Match is neither '*' nor a list of entity tags, each in double quotes")
    # Sorted for determinism: werkzeug keeps tags in a set. Weak tags never match (RFC 9110, section 13.1.1).
    digests = [match.group(1) for tag in sorted(filter(None, wanted.as_set())) if (match := _TAG.fullmatch(tag))]
    if not digests:
        raise Stale(f"no tag of If-Match is an ETag of {document}")
    if len(digests) == 1:
        return digests[0]
    current = repo.version(project, document).sha256
    return current if current in digests else digests[0]


def _receipt(receipt: Receipt, status: int) -> Response:
    version = receipt.version
    at = url_for("documents.current", project=version.project, document=version.name)
    return json_response(receipt.to_dict(), status=status, headers={"Location": at, "ETag": f'"{version.sha256}"'})
