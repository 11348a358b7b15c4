"""What a request carries: a document with its media type, or a small JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import request

from provrepo.codecs.formats import READABLE, by_media_type
from provrepo.server.protocol import codings
from provrepo.server.protocol.rejections import Rejected

__all__ = ["FORM", "Upload", "fields", "json_object", "decoded", "text", "upload"]

FORM = "application/x-www-form-urlencoded"

_JSON_LD = "application/ld+json"
_UNSAID = frozenset({"", "application/octet-stream", "text/plain", FORM})
"""Media types that say nothing about the format: there the content decides.

The last is what curl --data-binary sends unless it is told something better; no form of ours sends a document.
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as it was sent.

    Attributes:
        data: its bytes, unchanged.
        format: the format that its media type stands for, or None where the content decides: without a type, and for
            JSON-LD without a profile.
        base: the IRI against which relative IRIs are resolved, or None.
    """

    data: bytes
    format: str | None
    base: str | None


def upload() -> Upload:
    """The document in the running request.

    Raises:
        Rejected: 415 for a media type or a content coding that is not understood.
        RequestEntityTooLarge: beyond the limit of the settings.
        TooLarge: the same, once it is decompressed.
    """
    chosen = _format()
    return Upload(decoded(), chosen, request.args.get("base") or None)


def decoded(most: int | None = None) -> bytes:
    """The body's bytes, without the content coding that they were sent in.

    Args:
        most: bytes that it may have once it is decompressed; of the settings where it is not given.

    Raises:
        Rejected: 415 for a content coding that is not known, 400 where the body is not in it.
        TooLarge: it is larger than allowed.
    """
    codings.open_body(most)
    return request.get_data(cache=False)


def text(most: int | None = None) -> str:
    """The body as UTF-8, without a byte order mark.

    Args:
        most: as in ``decoded``.

    Raises:
        Rejected: 400, it is not UTF-8.
    """
    try:
        return decoded(most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Rejected(400, f"the body is not UTF-8: byte {error.start + 1} cannot be read") from None


def fields(name: str) -> list[str]:
    """Every value that a field has in the address and in a form.

    Werkzeug leaves percent signs where what they stand for is not UTF-8: another question than the client's.

    Raises:
        Rejected: 400, they are not UTF-8; for the form as in ``decoded``.
    """
    sources = [request.query_string]
    found = request.args.getlist(name)
    if request.mimetype == FORM:
        codings.open_body()
        sources.append(request.get_data())  # kept, since the form is made of it
        found = [*found, *request.form.getlist(name)]
    if any("%" in value for value in found):
        try:
            for source in sources:
                unquote_to_bytes(source).decode("utf-8")
        except UnicodeDecodeError:
            raise Rejected(400, f"{name} is not UTF-8 once its percent signs are decoded") from None
    return found


def json_object() -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        Rejected: 415 for another media type, 400 for anything but an object.
    """
    if request.mimetype != "application/json":
        raise Rejected(415, "send a JSON object with Content-Type: application/json")
    try:
        found = json.loads(text())
    except (ValueError, RecursionError) as error:
        raise Rejected(400, f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Rejected(400, "the body is JSON, but not an object")
    return found


def _format() -> str | None:
    if request.mimetype in _UNSAID:
        return None
    if request.mimetype == _JSON_LD and "profile" not in request.mimetype_params:
        return None  # of PROV-JSONLD and of PROV-O: the content decides
    found = by_media_type(request.headers.get("Content-Type", ""))
    if found is None or not found.reads:
        known = ", ".join(format_.media_type for format_ in READABLE)
        raise Rejected(
            415,
            f"{request.mimetype} is not a format of provenance documents; send one of: {known}; "
            "or application/octet-stream, and the content decides",
        )
    return found.name
