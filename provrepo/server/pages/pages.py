"""HTML pages without scripts, from Jinja templates that escape all values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, Response, render_template, url_for

from provrepo._version import __version__
from provrepo.checks.findings import Severity
from provrepo.checks.render import groups
from provrepo.codecs.formats import READABLE
from provrepo.errors import NotFound, Withdrawn
from provrepo.repository.exchange.summary import summary
from provrepo.repository.records import Actor, ProjectInfo, VersionInfo
from provrepo.repository.repository import Repository
from provrepo.server.discovery import schema_org
from provrepo.server.pages import display
from provrepo.server.pages.isolation import Isolation
from provrepo.server.pages.rules import rule_address
from provrepo.server.protocol import addresses, auth
from provrepo.server.protocol.respond import Links
from provrepo.words import counted

__all__ = ["blueprint", "page", "register"]

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> Response:
    """The home page: the projects, and how to submit."""
    repo = auth.repository()
    projects = repo.projects()
    answer = page(
        "home.html",
        projects=sorted(projects, key=lambda info: (-info.documents, info.name))[:_LISTED],
        total=len(projects),
        waiting=repo.pending() if auth.session() is not None else [],
        newest=_newest(repo, projects),
        formats=READABLE,
        exchange=summary(repo.context),
        description=schema_org.block(schema_org.repository(projects)),
    )
    links = Links()
    links.add(url_for("linksets.api_catalog"), "api-catalog", "application/linkset+json")
    links.add(url_for("catalogs.catalog"), "describedby", "text/turtle")
    answer.headers["Link"] = str(links)
    return answer


_NEWEST, _STEP, _STEPS, _LISTED = 8, 40, 10, 12
"""Documents on the home page; entries that are read at once to find them, and how often; listed projects."""


def _newest(repo: Repository, projects: Sequence[ProjectInfo]) -> list[VersionInfo]:
    """The newest versions in the projects that the caller may read: failing ones first, then the newest."""
    recent: list[tuple[str, str, str, int]] = []
    for info in projects[:50]:
        recent += _recent(repo, info)
    found: list[VersionInfo] = []
    for _, project, name, number in sorted(recent, reverse=True):
        try:
            version = repo.version(project, name, number)
        except (NotFound, Withdrawn):
            continue
        if version.state == "current" and len(found) < _NEWEST:
            found.append(version)
    return sorted(found, key=lambda version: version.verdict == "conforms" and version.possible is not False)


def _recent(repo: Repository, info: ProjectInfo) -> list[tuple[str, str, str, int]]:
    """Time, project, document and version of the last submissions to a project, among entries of other kinds."""
    found: list[tuple[str, str, str, int]] = []
    end = info.entries
    for _ in range(_STEPS):
        if end <= 0 or len(found) >= 2 * _NEWEST:  # some were replaced or withdrawn
            break
        begin = max(0, end - _STEP)
        found += [
            (each.entry["time"], info.name, each.entry["document"], each.entry["version"])
            for each in repo.entries(info.name, after=begin, limit=end - begin)
            if each.entry["kind"] == "submit"
        ]
        end = begin
    return found


def page(template: str, **context: Any) -> Response:
    """Render a template of ``web/templates``."""
    return Response(render_template(template, **context), content_type="text/html; charset=utf-8")


def register(app: Flask) -> None:
    """Register the filters and functions of the templates."""
    environment = app.jinja_env
    environment.add_extension(Isolation)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(utc=_utc, size=_size, plural=counted, words=display.words)
    environment.globals.update(
        groups=groups,
        rule_address=rule_address,
        Severity=Severity,
        software=f"provrepo {__version__}",
        asset_version=__version__,
    )

    @app.context_processor
    def _() -> dict[str, Any]:
        return {"url": addresses.address, "me": _me(), "form_token": _form_token}


def _me() -> Actor | None:
    """The actor of the session of the current request; None without a session."""
    return auth.repository().actor if auth.session() is not None else None


def _form_token() -> str:
    """The form token of the session of the current request; empty without a session, where forms need none."""
    found = auth.session()
    return "" if found is None else found.form_token


def _utc(time: str) -> str:
    """Format an xsd:dateTime in UTC: ``2026-03-01 17:05 UTC``."""
    found = re.match(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)", time)
    return f"{found.group(1)} {found.group(2)} UTC" if found else time


def _size(number: int) -> str:
    """Format a number of bytes, with units of powers of 1,000."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
