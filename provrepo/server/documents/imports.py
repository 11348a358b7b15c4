"""Imports: records of other tools, as a file or a zip archive of files, become documents."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.server.protocol import auth, body
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response

__all__ = ["ZIP", "blueprint"]

blueprint = Blueprint("imports", __name__)

ZIP = "application/zip"


@blueprint.post("/projects/<project>/import")
def import_(project: str) -> Response:
    """Import the records of another tool, a file or a zip archive: a document for each run or file, with a receipt.

    What cannot be stored is named in `skipped` and does not stop the rest. An archive is refused as a whole if one of
    its members is a link, has a path that leaves the archive, or is damaged, or if it unpacks to too much.
    """
    found = auth.repository().import_documents(
        body.decoded(),
        project=project,
        name=request.args.get("name") or None,
        format=request.args.get("source") or None,
        profiles=request.args.getlist("profile"),
        base=request.args.get("base") or None,
        note=request.args.get("note", ""),
        file=request.args.get("file") or None,
    )
    record = found.to_dict()
    if not found.receipts:
        what = f"{len(found.skipped):,} could not be stored" if found.skipped else "there is nothing to import in it"
        raise Rejected(422, f"no document was stored: {what}", skipped=record["skipped"])
    return json_response(record, status=201 if any(receipt.created for receipt in found.receipts) else 200)
