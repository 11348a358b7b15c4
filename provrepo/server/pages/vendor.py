"""The editor of the query page, made of modules of others by ``web/editor/build.sh``, and their licenses."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from provrepo.resources import root
from provrepo.server.protocol.respond import conditional

__all__ = ["blueprint"]

blueprint = Blueprint("vendor", __name__)


@blueprint.get("/vendor/codemirror.mjs")
def editor() -> Response:
    """CodeMirror with SPARQL as one module."""
    return _file("codemirror.mjs", "text/javascript; charset=utf-8")


@blueprint.get("/vendor/licenses.txt")
def licenses() -> Response:
    """The licenses of what the editor is made of."""
    return _file("LICENSES.txt", "text/plain; charset=utf-8")


def _file(name: str, content_type: str) -> Response:
    response = Response((root() / "web" / "vendor" / name).read_bytes(), content_type=content_type)
    response.headers["Cache-Control"] = f"public, max-age={current_app.get_send_file_max_age(name)}"
    return conditional(response)
