"""Metrics: conformance and lineage coverage of each project, and the load of the server.

``/metrics`` is in the text format of Prometheus, version 0.0.4. It has the projects that the caller may read. Metrics
that reveal activity in private projects are only for administrators of the repository.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app

from provrepo.repository import access
from provrepo.repository.exchange.mirroring.background import failures
from provrepo.repository.records import ProjectInfo
from provrepo.repository.repository import Repository
from provrepo.server.pages import charts, pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.workers.shares import Figures

__all__ = ["add_load", "blueprint", "counted"]

blueprint = Blueprint("metrics", __name__)

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FAMILIES = {
    "provrepo_indexing": "1 while this process applies ledger entries to the views.",
    "provrepo_ledger_entries": "Position of the newest ledger entry.",
    "provrepo_set_aside": "Entries that could not be applied to the views.",
    "provrepo_working": "Requests, queries and checks in progress, by class of callers.",
    "provrepo_waiting": "Waiting requests, queries and checks, by class of callers.",
    "provrepo_documents": "Current documents of a project.",
    "provrepo_documents_without_findings": "Current documents without findings.",
    "provrepo_documents_conforming": "Current documents accepted under a profile.",
    "provrepo_lineage_coverage_percent": "Mean percentage of entities that are generated or declared a source.",
    "provrepo_mirror_missing_entries": "Entries of the origin of a mirror, at the last contact, that are not here yet.",
    "provrepo_mirror_failed_pulls": "Failed pulls of a mirror since one succeeded, or since the server was started.",
}
"""The help text of each metric; all metrics are gauges."""


_MOST_BEHIND = 200
"""Entries whose figures a page still adds, which takes a tenth of a second; more are left to the thread for it."""


class _MetricsCache:
    """The metrics of each project, cached until its next entry: a thousand projects take a second to sum."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[int, dict[str, Any]]] = {}

    def of(self, repository: Repository, project: str, entries: int) -> dict[str, Any]:
        with self._lock:
            cached = self._cache.get(project)
        if cached is not None and cached[0] == entries:
            return cached[1]
        found = repository.metrics(project)
        with self._lock:
            self._cache[project] = entries, found
        return found


_CACHE = "provrepo-metrics"
_LOADS = "provrepo-metrics-loads"


def add_load(app: Flask, what: str, figures: Callable[[], Figures]) -> None:
    """Add a kind of work, such as queries, to the metrics of the load of each class of callers.

    Args:
        app: the application.
        what: the value of the label ``what``.
        figures: returns, for each class, the numbers of running and of waiting calls.
    """
    app.extensions.setdefault(_LOADS, {})[what] = figures


@blueprint.get("/projects/<project>/metrics")
def one(project: str) -> Response:
    """Conformance and lineage coverage of a project, now and by month."""
    repo = auth.repository()
    if choose((JSON, HTML)).name == HTML.name:
        found = repo.metrics(project)
        return conditional(pages.page("metrics.html", metrics=found, chart=charts.chart(found["over_time"])))
    return json_response(repo.metrics(project))


def counted(repository: Repository, project: str | None = None) -> dict[str, Any] | None:
    """The metrics of a project, or of all that the caller may read; None while many versions are not counted yet."""
    return repository.metrics(project) if auth.store().figures.behind() <= _MOST_BEHIND else None


def _cached(repository: Repository, info: ProjectInfo) -> dict[str, Any]:
    cache: _MetricsCache = current_app.extensions.setdefault(_CACHE, _MetricsCache())
    return cache.of(repository, info.name, info.entries)


@blueprint.get("/metrics")
def every() -> Response:
    """Metrics of the server and of all readable projects, in the text format of Prometheus."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in _FAMILIES}
    repository = auth.repository()
    for name, labels, value in [*_of_server(repository), *_of_projects(repository), *_of_mirrors(repository)]:
        samples[name].append((labels, value))
    lines = []
    for name, help_text in _FAMILIES.items():
        if not samples[name]:
            continue
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(labels)} {value:g}" for labels, value in samples[name]]
    return Response("\n".join(lines) + "\n", content_type=MEDIA_TYPE)


def _of_server(repository: Repository) -> Iterator[tuple[str, dict[str, str], float]]:
    store = auth.store()
    yield "provrepo_indexing", {}, float(store.indexing())
    if access.may_administer(repository.actor):
        yield "provrepo_ledger_entries", {}, float(store.ledger.position())
        yield "provrepo_set_aside", {}, float(len(store.set_aside))
        for what, figures in current_app.extensions.get(_LOADS, {}).items():
            for caller, (working, waiting) in figures().items():
                labels = {"what": what, "caller": caller.value}
                yield "provrepo_working", labels, float(working)
                yield "provrepo_waiting", labels, float(waiting)


def _of_projects(repository: Repository) -> Iterator[tuple[str, dict[str, str], float]]:
    for info in repository.projects():
        found = _cached(repository, info)
        project = {"project": info.name}
        yield "provrepo_documents", project, found["documents"]
        yield "provrepo_documents_without_findings", project, found["without_findings"]
        for profile in found["profiles"]:
            yield "provrepo_documents_conforming", {**project, "profile": profile["profile"]}, profile["conforming"]
        if found["coverage"] is not None:
            yield "provrepo_lineage_coverage_percent", project, found["coverage"]


def _of_mirrors(repository: Repository) -> Iterator[tuple[str, dict[str, str], float]]:
    for mirror in repository.mirrors():
        project = {"project": mirror.name}
        yield "provrepo_mirror_missing_entries", project, float(max(0, mirror.ahead - mirror.sequence))
        yield "provrepo_mirror_failed_pulls", project, float(failures(auth.store(), mirror.name))


def _labels(labels: dict[str, str]) -> str:
    # Names of projects and profiles contain no characters that need escaping.
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
