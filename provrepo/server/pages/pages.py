"""Pages: Jinja templates that escape everything, in plain HTML that needs no script."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, url_for

from provrepo._version import __version__
from provrepo.checks.findings import Severity
from provrepo.checks.render import groups
from provrepo.codecs.formats import FORMATS, READABLE, by_name
from provrepo.drawing.outline import sentence
from provrepo.repository.records import VersionInfo
from provrepo.repository.repository import Repository
from provrepo.repository.submission import conversion
from provrepo.server.documents.pictures import Pictures
from provrepo.server.pages import display
from provrepo.server.protocol import auth

__all__ = ["URL", "address", "blueprint", "document_page", "page", "register"]

blueprint = Blueprint("pages", __name__)

URL = "PROVREPO_URL"
"""Configuration: where the server is reached, for the commands that pages show. Never taken from a Host header."""

_pictures = Pictures()

ROWS = 500
"""Statements that the page of a document shows."""


@blueprint.get("/")
def home() -> Response:
    """What this is, which projects there are, and how to submit."""
    repo = auth.repository()
    return page("home.html", projects=repo.projects(), formats=READABLE)


def page(template: str, **context: Any) -> Response:
    """A page made from a template of ``web/templates``."""
    return Response(render_template(template, **context), content_type="text/html; charset=utf-8")


def document_page(repo: Repository, info: VersionInfo) -> Response:
    """Everything about one version of a document.

    Args:
        repo: bound to whoever asks.
        info: the version to show.
    """
    history = repo.history(info.project, info.name)
    table = drawn = None
    if info.size <= conversion.LARGE:
        # A larger one would take this thread too long to read and too much memory.
        document = repo.read(info.project, info.name, info.version)
        table = display.statements(document, limit=ROWS)
        # What only a former version said, nothing may be known of today.
        drawn = _pictures.of(info, document, _thing if info.state == "current" else None)
    return page(
        "document.html",
        document=repo.document(info.project, info.name),
        version=info,
        newest=history[-1],
        history=history[::-1],
        report=repo.report(info.project, info.name, info.version),
        statements=table,
        picture=drawn.svg if drawn and drawn.graph.nodes else None,
        in_words=sentence(drawn.graph) if drawn else "",
        formats=FORMATS,
        submitted_as=by_name(info.format),
    )


def _thing(iri: str) -> str:
    """The address of the page that has all that is said of a thing."""
    return url_for("lineage.thing", iri=iri)


def register(app: Flask) -> None:
    """Teach the templates how to write times and sizes."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(moment=_moment, size=_size, plural=_plural, words=display.words)
    environment.globals.update(
        groups=groups,
        Severity=Severity,
        software=f"provrepo {__version__}",
        asset_version=__version__,
    )

    @app.context_processor
    def _() -> dict[str, Any]:
        return {"url": address}


def address() -> str:
    """Where the server is reached, ending in a slash: the base IRI, or where it listens."""
    settings = auth.store().settings
    return auth.store().base() or current_app.config.get(URL) or f"http://{settings.host}:{settings.port}/"


def _moment(time: str) -> str:
    """An xsd:dateTime in UTC for people: ``2026-03-01 17:05 UTC``."""
    found = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", time)
    return f"{found.group(1)} {found.group(2)} UTC" if found else time


def _size(number: int) -> str:
    """Bytes for people, in powers of 1,000."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 document``, ``2 documents``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
