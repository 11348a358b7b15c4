"""Figures for people and for monitoring: how well each project's documents are described, and how the server does.

``/metrics`` is Prometheus' text format, version 0.0.4. It names only projects that the caller may read, and what would
tell of private ones is for those who may administer the repository.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Flask, Response, current_app

from provrepo.repository import access
from provrepo.repository.repository import Repository
from provrepo.server.protocol import auth
from provrepo.server.protocol.respond import json_response
from provrepo.workers.shares import Figures

__all__ = ["blueprint", "count"]

blueprint = Blueprint("metrics", __name__)

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FAMILIES = {
    "provrepo_indexing": "1 while this process applies ledger entries to the views.",
    "provrepo_ledger_entries": "Position of the newest ledger entry.",
    "provrepo_set_aside": "Entries that could not be applied to the views.",
    "provrepo_working": "Requests, queries and checks that are being worked on, by class of callers.",
    "provrepo_waiting": "Requests, queries and checks that wait, by class of callers.",
    "provrepo_documents": "Current documents of a project.",
    "provrepo_documents_without_findings": "Current documents about which no check had anything to say.",
    "provrepo_documents_conforming": "Current documents accepted under a profile.",
    "provrepo_lineage_coverage_percent": "Mean share of entities that are generated or declared a source.",
}
"""Every metric, all of them gauges, with its help text."""


class _Remembered:
    """The figures of each project until its next entry: they are read from one report for each version."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, dict[str, Any]]] = {}

    def of(self, repository: Repository, project: str, entries: int) -> dict[str, Any]:
        with self._lock:
            known = self._known.get(project)
        if known is not None and known[0] == entries:
            return known[1]
        found = repository.metrics(project)
        with self._lock:
            self._known[project] = entries, found
        return found


_EXTENSION = "provrepo-metrics"
_COUNTED = "provrepo-metrics-counted"


def count(app: Flask, what: str, figures: Callable[[], Figures]) -> None:
    """Show how much of something each class of callers has.

    Args:
        app: the application.
        what: its name.
        figures: of each class, how many work and how many wait.
    """
    app.extensions.setdefault(_COUNTED, {})[what] = figures


@blueprint.get("/projects/<project>/metrics")
def one(project: str) -> Response:
    """How many of a project's documents conform to which profile, and how much of their lineage is known, by month."""
    return json_response(auth.repository().metrics(project))


@blueprint.get("/metrics")
def every() -> Response:
    """What a monitor scrapes."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in _FAMILIES}
    repository = auth.repository()
    for name, labels, value in [*_of_server(repository), *_of_projects(repository)]:
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
        for what, figures in current_app.extensions.get(_COUNTED, {}).items():
            for caller, (working, waiting) in figures().items():
                labels = {"what": what, "caller": caller.value}
                yield "provrepo_working", labels, float(working)
                yield "provrepo_waiting", labels, float(waiting)


def _of_projects(repository: Repository) -> Iterator[tuple[str, dict[str, str], float]]:
    remembered: _Remembered = current_app.extensions.setdefault(_EXTENSION, _Remembered())
    for info in repository.projects():
        found = remembered.of(repository, info.name, info.entries)
        project = {"project": info.name}
        yield "provrepo_documents", project, found["documents"]
        yield "provrepo_documents_without_findings", project, found["without_findings"]
        for profile in found["profiles"]:
            yield "provrepo_documents_conforming", {**project, "profile": profile["profile"]}, profile["conforming"]
        if found["coverage"] is not None:
            yield "provrepo_lineage_coverage_percent", project, found["coverage"]


def _labels(labels: dict[str, str]) -> str:
    # Names of projects and profiles hold nothing that would have to be escaped.
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
