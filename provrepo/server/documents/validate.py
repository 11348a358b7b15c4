"""Validation of a document that is not stored."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.server.documents import reports
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.negotiate import choose

__all__ = ["blueprint"]

blueprint = Blueprint("validate", __name__)


@blueprint.post("/validate")
def validate() -> Response:
    """Validate the document in the body, without storing it. Needs no token."""
    repo = auth.repository()
    choose(reports.OFFERS)
    upload = body.upload()
    report = repo.validate(
        upload.data,
        project=parameters.text("project"),
        profiles=request.args.getlist("profile"),
        constraints=request.args.get("constraints") or None,
        format=upload.format,
        base=upload.base,
    )
    return reports.response(report, heading="Report")
