"""The home page: what is new, conformance and coverage by month, and the projects that its reader may read."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, url_for

from provrepo.codecs.formats import READABLE
from provrepo.errors import NotFound, Withdrawn
from provrepo.repository.exchange.summary import summary
from provrepo.repository.records import ProjectInfo, VersionInfo
from provrepo.repository.repository import Repository
from provrepo.server.discovery import schema_org
from provrepo.server.monitoring import metrics
from provrepo.server.pages import charts, pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import Links, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> Response:
    """The home page: the newest documents, all of them by month, the projects, and how to submit."""
    repo = auth.repository()
    projects = repo.projects()
    listed = sorted(projects, key=lambda info: (-info.documents, info.name))[:_LISTED]
    newest, found = _newest(repo, projects), metrics.counted(repo)
    if choose((JSON, HTML)).name == JSON.name:
        body = {
            "total": len(projects),
            "projects": [info.to_dict() for info in listed],
            "newest": [info.to_dict() for info in newest],
            "metrics": found,
        }
        return json_response(body, headers={"Link": _links()})
    answer = pages.page(
        "home.html",
        projects=listed,
        total=len(projects),
        waiting=sorted(repo.pending(), key=lambda each: not each.needs_you) if auth.session() is not None else [],
        newest=newest,
        metrics=found,
        chart=charts.chart(found["over_time"]) if found else None,
        formats=READABLE,
        exchange=summary(repo.context),
        description=schema_org.block(schema_org.repository(projects)),
    )
    answer.headers["Link"] = _links()
    return answer


def _links() -> str:
    """The catalogs of this server (RFC 9727), which the home page names in each representation."""
    links = Links()
    links.add(url_for("linksets.api_catalog"), "api-catalog", "application/linkset+json")
    links.add(url_for("catalogs.catalog"), "describedby", "text/turtle")
    return str(links)


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
