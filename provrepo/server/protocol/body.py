"""The body of a request: a document with its media type, form fields, or a small JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import request

from provrepo.codecs.formats import READABLE, by_media_type
from provrepo.server.protocol import codings
from provrepo.server.protocol.rejections import Rejected

__all__ = ["FORM", "FORMS", "MULTIPART", "Upload", "decoded", "fields", "json_object", "require_form", "text", "upload"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = (MULTIPART, FORM)
"""The media types of forms."""

_JSON_LD = "application/ld+json"
_UNSPECIFIC = frozenset({"", "application/octet-stream", "text/plain", FORM})
"""Media types that do not identify a format, so that the format is detected from the content.

The last is what ``curl --data-binary`` sends by default; no form of this server submits a document.
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as sent by a client.

    Attributes:
        data: its bytes, without a content coding.
        format: the format of its media type; None if the format is to be detected from the content.
        base: the IRI against which relative IRIs are resolved, or None.
    """

    data: bytes
    format: str | None
    base: str | None


def require_form(*types: str) -> None:
    """Require that the body of the current request is a form.

    Args:
        types: the media types that it may have; by default ``FORMS``.

    Raises:
        Rejected: 415, it has another one, or there is no body.
    """
    if request.mimetype not in (types or FORMS):
        raise Rejected(415, f"send a form: {' or '.join(types or FORMS)}")


def upload() -> Upload:
    """The document in the body of the current request.

    Raises:
        Rejected: 415, the media type or the content coding is not supported.
        RequestEntityTooLarge: it is larger than the settings allow.
        TooLarge: the same, after decompression.
    """
    chosen = _format()
    return Upload(decoded(), chosen, request.args.get("base") or None)


def decoded(most: int | None = None) -> bytes:
    """The body of the current request in bytes, with its content coding undone.

    Args:
        most: the largest size in bytes after decompression; by default that of the settings.

    Raises:
        Rejected: 415 if the content coding is not supported, 400 if the body is not valid in it.
        TooLarge: it is larger than ``most``.
    """
    codings.open_body(most)
    return request.get_data(cache=False)


def text(most: int | None = None) -> str:
    """The body of the current request, decoded from UTF-8, without a byte order mark.

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
    """All values of a parameter, from the query of the URL and from the form in the body.

    Werkzeug keeps percent-encoded bytes that are not UTF-8 as they are, which would change the meaning; they are
    refused.

    Raises:
        Rejected: 400, the values are not UTF-8; for the form also as in ``decoded``.
    """
    sources = [request.query_string]
    found = request.args.getlist(name)
    if request.mimetype == FORM:
        codings.open_body()
        sources.append(request.get_data())  # cached, because the form is parsed from it
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
        Rejected: 415 for another media type, 400 if the body is not a JSON object.
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
    if request.mimetype in _UNSPECIFIC:
        return None
    if request.mimetype == _JSON_LD and "profile" not in request.mimetype_params:
        return None  # both PROV-JSONLD and PROV-O as JSON-LD have this media type
    found = by_media_type(request.headers.get("Content-Type", ""))
    if found is None or not found.reads:
        known = ", ".join(format_.media_type for format_ in READABLE)
        raise Rejected(
            415,
            f"{request.mimetype} is not a format of provenance documents; send one of: {known}; "
            "or application/octet-stream, for a format that is detected from the content",
        )
    return found.name
