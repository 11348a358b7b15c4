"""Documents, to write: submit, replace, withdraw. Each needs a token that may write to the project."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request, url_for

from provrepo.errors import Conflict, Stale, TakenBack
from provrepo.repository.records import Receipt
from provrepo.repository.repository import Repository
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("submissions", __name__)

_TAG = re.compile(r"([0-9a-f]{64})(?:\..*)?")
"""An entity tag of a document: the submitted bytes' SHA-256, and for other representations what was made of them."""


@blueprint.post("/projects/<project>/documents")
def submit(project: str) -> Response:
    """A new document. The same bytes under the same name again are answered as before."""
    repo = auth.repository()
    again = parameters.flag("again")
    allow_empty = parameters.flag("allow_empty")
    upload = body.upload()
    receipt = repo.submit(
        upload.data,
        project=project,
        name=request.args.get("name") or None,
        profiles=request.args.getlist("profile"),
        format=upload.format,
        base=upload.base,
        note=request.args.get("note", ""),
        again=again,
        allow_empty=allow_empty,
    )
    return _receipt(receipt, 201 if receipt.created else 200)


@blueprint.put("/projects/<project>/documents/<document>")
def replace(project: str, document: str) -> Response:
    """A new version of the document that the client has seen, or with ``If-None-Match: *`` the first one."""
    repo = auth.repository()
    again = parameters.flag("again")
    creating = request.if_none_match.star_tag
    if_match = None if creating else _precondition(repo, project, document)
    allow_empty = parameters.flag("allow_empty")
    upload = body.upload()
    try:
        receipt = repo.submit(
            upload.data,
            project=project,
            name=document,
            profiles=request.args.getlist("profile"),
            update=not creating,
            if_match=if_match,
            format=upload.format,
            base=upload.base,
            note=request.args.get("note", ""),
            again=again,
            allow_empty=allow_empty,
        )
    except TakenBack:
        raise
    except Conflict as conflict:
        # RFC 9110, section 13.1.2: what the client made a condition of is a failed precondition, not a conflict.
        raise Stale(str(conflict)) from conflict
    return _receipt(receipt, 201 if receipt.created and creating else 200)


@blueprint.delete("/projects/<project>/documents/<document>")
def withdraw(project: str, document: str) -> Response:
    """Take a document back. What it was stays in the ledger."""
    repo = auth.repository()
    if_match = _precondition(repo, project, document) if "If-Match" in request.headers else None
    reason = request.args.get("reason", "").strip() or "no reason given"
    internal = request.args.get("internal_reason", "")
    found = repo.withdraw(project, document, reason=reason, internal_reason=internal, if_match=if_match)
    return json_response(found.to_dict())


def _precondition(repo: Repository, project: str, document: str) -> str:
    """The SHA-256 of the version that the client means to replace, or ``*``.

    Raises:
        Rejected: 428 without ``If-Match``, 400 where it is not one.
        Stale: none of its tags can be the current version's.
    """
    wanted = request.if_match
    if wanted.star_tag:
        return "*"
    if "If-Match" not in request.headers:
        raise Rejected(
            428,
            "say which version you mean to replace: If-Match with the ETag that you got with it, or '*' for any; "
            "If-None-Match: * makes a new document",
        )
    if not wanted:
        raise Rejected(400, "If-Match is neither '*' nor a list of entity tags, each in double quotes")
    # Sorted, because werkzeug keeps tags in a set. Weak tags never match (RFC 9110, section 13.1.1).
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
