"""Names in paths: the clients of Marquez encode them, ``/`` included, so ``%2F`` belongs to a name and ``/`` ends it.

WSGI has the path decoded only. Below the addresses with names it is read from the request line instead, and each of its
parts keeps ``/`` and ``%`` encoded until the converter ``name`` decodes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from flask import Flask
from werkzeug.routing import BaseConverter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["register"]

_WITH_NAMES = re.compile(r"(?:/projects/[^/]+)?/api/v1/(?:namespaces|jobs/runs|sources|tags)/")


class _Name(BaseConverter):
    """One part of a path, decoded; it may be empty."""

    regex = "[^/]*"
    part_isolating = True
    weight = 200

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


class _RawNames:
    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if _WITH_NAMES.match(path):
            raw = environ.get("REQUEST_URI", "").partition("?")[0].encode("latin-1")
            whole = (environ.get("SCRIPT_NAME", "") + path).encode("latin-1")
            # A server or proxy that gives another path than that of the request line is believed.
            if b"%" in raw and unquote_to_bytes(raw) == whole:
                parts = [_kept(unquote_to_bytes(part)) for part in raw.split(b"/")]
                above = environ.get("SCRIPT_NAME", "").count("/")
                environ["PATH_INFO"] = "/" + b"/".join(parts[above + 1 :]).decode("latin-1")
        return self._application(environ, start_response)


def _kept(part: bytes) -> bytes:
    return part.replace(b"%", b"%25").replace(b"/", b"%2F")


def register(app: Flask) -> None:
    """Register the converter ``name``, and read paths from the request line. Must precede the routes."""
    app.url_map.converters["name"] = _Name
    app.wsgi_app = _RawNames(app.wsgi_app)  # type: ignore[method-assign]
