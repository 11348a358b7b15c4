"""Marquez's API for reading, ``/api/v1``: what its web client and scripts ask, from events of OpenLineage.

The answers have what the caller may read; below ``/projects/NAME`` only that project.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from provrepo.importers.masking import without_login
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.index import shown_name
from provrepo.limits import MAX_LINEAGE, MAX_PAGE_SIZE, PRINTED_NODES
from provrepo.repository.events.catalog import event_texts, reading
from provrepo.repository.events.walks import lineage as lineage_of
from provrepo.server.marquez import flow, shapes
from provrepo.server.marquez.answers import blueprint, choice, json_answer, moment, number, read, route, time
from provrepo.server.marquez.intervals import bounds
from provrepo.server.marquez.lineage import of_things, relations_of
from provrepo.server.marquez.nodes import KINDS, item_of, raw_node_id
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional
from provrepo.server.queries import running
from provrepo.views.openlineage.reading import DATASET, JOB, Item, Name, Reading, Run

__all__ = ["blueprint", "register"]

DEPTH = 20
"""Steps where ``depth`` is not given, as in Marquez."""

PAGE = 100
"""Members of a page where ``limit`` is not given, as in Marquez."""

_MOST_NAMES = 10_000
"""The most namespaces and tags of an answer; the client asks for all of them."""

_FARTHEST = 999_999_999
"""The largest ``offset``."""

_LAST = 253_402_300_800_000_000
"""The end of the year 9999, in microseconds since 1970."""

_FOUND = 10
"""Results of a search where ``limit`` is not given, as in Marquez."""

_STATES = ("NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED")


@route("/namespaces", "namespaces")
def namespaces(project: str | None) -> Response:
    """The namespaces of jobs and datasets, by name."""
    page = _page(_MOST_NAMES)

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.namespaces(*page)
        return {"namespaces": [shapes.namespace(row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/namespaces/<name:namespace>", "namespace")
def namespace(project: str | None, namespace: str) -> Response:
    """One namespace of jobs and datasets, with the times of its first and last event."""

    def shape(found: Reading) -> dict[str, Any]:
        row = found.namespace(shown_name(Dataset(namespace, ""))[0])
        if row is None:
            raise Rejected(404, f"Namespace '{namespace[:200]}' not found.")
        return shapes.namespace(row)

    return read(project, shape)


@route("/jobs", "jobs")
def jobs(project: str | None) -> Response:
    """All jobs, the one with the last event first."""
    states = {value.upper() for value in request.args.getlist("lastRunStates") if value}
    if wrong := sorted(states - set(_STATES)):
        raise Rejected(400, f"lastRunStates={wrong[0][:40]} is not one of {', '.join(_STATES)}")
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.items(JOB, *page, states=states, latest=True)
        return {"jobs": [shapes.job(found, row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/namespaces/<name:namespace>/jobs", "jobs_of_namespace")
def jobs_of_namespace(project: str | None, namespace: str) -> Response:
    """The jobs of a namespace, the one with the last event first; none for an unknown namespace."""
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        known = shown_name(Dataset(namespace, ""))[0]
        rows, total = found.items(JOB, *page, namespace=known, latest=True)
        return {"jobs": [shapes.job(found, row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/namespaces/<name:namespace>/jobs/<name:job>", "job")
def job(project: str | None, namespace: str, job: str) -> Response:
    """One job with its latest runs and the facets that were sent last."""
    return read(project, lambda found: shapes.job(found, _item(found, JOB, namespace, job), details=True))


@route("/namespaces/<name:namespace>/jobs/<name:job>/runs", "runs")
def runs(project: str | None, namespace: str, job: str) -> Response:
    """The runs of a job, the one that started last first."""
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.runs(_item(found, JOB, namespace, job), *page)
        return {"runs": [shapes.run(found, row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/jobs/runs/<name:run>", "run")
def run(project: str | None, run: str) -> Response:
    """One run with its state, its times and its facets, by its identifier."""
    return read(project, lambda found: shapes.run(found, _run(found, run)))


@route("/jobs/runs/<name:run>/facets", "run_facets")
def run_facets(project: str | None, run: str) -> Response:
    """The facets that the events of a run have, for the run or for its job."""
    kind = choice("type", "RUN", "JOB")

    def shape(found: Reading) -> dict[str, Any]:
        known = _run(found, run)
        return {"runId": known.id, "facets": found.text(known.text) if kind == "RUN" else found.job_facets(known)}

    return read(project, shape)


@route("/namespaces/<name:namespace>/datasets", "datasets")
def datasets(project: str | None, namespace: str) -> Response:
    """The datasets of a namespace, by name; none for an unknown namespace."""
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.items(DATASET, *page, namespace=shown_name(Dataset(namespace, ""))[0])
        return {"datasets": [shapes.dataset(found, row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/namespaces/<name:namespace>/datasets/<name:dataset>", "dataset")
def dataset(project: str | None, namespace: str, dataset: str) -> Response:
    """One dataset with its fields and the facets that were sent last."""
    return read(project, lambda found: shapes.dataset(found, _item(found, DATASET, namespace, dataset)))


@route("/namespaces/<name:namespace>/datasets/<name:dataset>/versions", "versions")
def versions(project: str | None, namespace: str, dataset: str) -> Response:
    """The versions of a dataset that runs wrote, the last one first."""
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        item = _item(found, DATASET, namespace, dataset)
        rows, total = found.versions(item, *page)
        return {"versions": [shapes.version(found, item.name, row) for row in rows], "totalCount": total}

    return read(project, shape)


@route("/namespaces/<name:namespace>/datasets/<name:dataset>/versions/<name:version>", "version")
def version(project: str | None, namespace: str, dataset: str, version: str) -> Response:
    """One version of a dataset that a run wrote, with the facets that this run's events have."""

    def shape(found: Reading) -> dict[str, Any]:
        item = _item(found, DATASET, namespace, dataset)
        row = found.version(item, without_login(version))
        if row is None:
            raise Rejected(404, f"Dataset version '{version[:200]}' not found.")
        return shapes.version(found, item.name, row)

    return read(project, shape)


@route("/lineage", "lineage")
def lineage(project: str | None) -> Response:
    """The datasets and jobs that a dataset or job came from, and those that depend on it."""
    raw = raw_node_id(request.query_string.decode("utf-8", "replace"))
    depth, limit = number("depth", DEPTH, 0, MAX_LINEAGE), number("limit", PRINTED_NODES, 1, MAX_LINEAGE)
    with running.query_slot(), reading(auth.repository().context, project) as found:
        start = item_of(found, raw)
        if start is not None and not start[1]:
            if project is None:
                access_log.record_projects(found.projects())
            relations = relations_of(depth, start[0].name.kind)
            graph = lineage_of(found, start[0], depth=relations, limit=limit)
            return conditional(json_answer(flow.lineage(found, start[0], graph)))
    return conditional(json_answer(of_things(request.args.get("nodeId", ""), depth, limit, project)))


@route("/column-lineage", "column_lineage")
def column_lineage(project: str | None) -> Response:
    """The columns that the columns of a dataset came from, and those that come from them; empty for unknown ones."""
    raw = raw_node_id(request.query_string.decode("utf-8", "replace"))
    if raw.partition(":")[0] not in KINDS and unquote_plus(raw).partition(":")[0] not in KINDS:
        raise Rejected(
            400,
            f"nodeId={raw[:200]} is no id of a node: dataset:<namespace>:<name> and "
            "datasetField:<namespace>:<name>:<field> are",
        )
    depth, limit = number("depth", DEPTH, 0, MAX_LINEAGE), number("limit", PRINTED_NODES, 1, MAX_LINEAGE)
    downstream = choice("withDownstream", "FALSE", "TRUE") == "TRUE"
    return read(
        project,
        lambda found: flow.columns(found, item_of(found, raw), depth=depth, downstream=downstream, limit=limit),
    )


@route("/search", "search")
def search(project: str | None) -> Response:
    """Jobs and datasets whose names contain a text; none for an empty one."""
    text = request.args.get("q", "")
    kind = choice("filter", "ALL", JOB, DATASET)
    by_name = choice("sort", "NAME", "UPDATE_AT") == "NAME"
    limit = number("limit", _FOUND, 1, MAX_PAGE_SIZE)

    def shape(found: Reading) -> dict[str, Any]:
        wanted = None if kind == "ALL" else kind
        items, total = found.search(text, wanted, limit, by_name=by_name) if text else ([], 0)
        results = [
            {
                "name": item.name.name,
                "namespace": item.name.namespace,
                "nodeId": shapes.node_id(item.name),
                "type": item.name.kind,
                "updatedAt": time(item.updated),
            }
            for item in items
        ]
        return {"totalCount": total, "results": results}

    return read(project, shape)


@route("/tags", "tags")
def tags(project: str | None) -> Response:
    """The tags of datasets, by name."""
    page = _page(_MOST_NAMES)

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.tags(*page)
        return {"tags": [{"name": name, "description": ""} for (name,) in rows], "totalCount": total}

    return read(project, shape)


@route("/events/lineage", "events")
def events(project: str | None) -> Response:
    """The events of runs, the last one first; none of jobs and datasets without a run."""
    after, before = moment("after", -_LAST), moment("before", _LAST)
    descending = choice("sortDirection", "DESC", "ASC") == "DESC"
    page = _page()

    def shape(found: Reading) -> dict[str, Any]:
        rows, total = found.events(after, before, *page, descending=descending)
        texts, cut = event_texts(auth.repository().context, rows)
        return {"events": texts, "totalCount": total, "provrepo": {"truncated": cut}}

    return read(project, shape)


@route("/stats/lineage-events", "event_statistics")
def event_statistics(project: str | None) -> Response:
    """The number of events of runs by type, in each of the last 24 hours or 7 days."""
    times = _bounds()

    def shape(found: Reading) -> list[Any]:
        rows = []
        for start, end in pairwise(times):
            counts = found.event_counts(start, end)
            types = {type_.lower(): counts.get(type_, 0) for type_ in ("FAIL", "START", "COMPLETE", "ABORT")}
            rows.append({"startInterval": time(start), "endInterval": time(end), **types})
        return rows

    return read(project, shape)


@route("/stats/jobs", "job_statistics")
def job_statistics(project: str | None) -> Response:
    """The number of jobs at the end of each of the last 24 hours or 7 days."""
    return _growth(project, JOB)


@route("/stats/datasets", "dataset_statistics")
def dataset_statistics(project: str | None) -> Response:
    """The number of datasets at the end of each of the last 24 hours or 7 days."""
    return _growth(project, DATASET)


@route("/stats/sources", "source_statistics")
def source_statistics(project: str | None) -> Response:
    """The number of namespaces of datasets at the end of each of the last 24 hours or 7 days."""
    return _growth(project, DATASET, namespaces=True)


_CHANGED = re.compile(r"(?:/projects/[^/]+)?/api/v1/(?:namespaces|jobs|datasets|sources|tags)/.*", re.DOTALL)
_NOT_KEPT = {
    re.compile(rf"(?:/projects/[^/]+)?/api/{path}", re.DOTALL): message
    for path, message in {
        "v1/namespaces/[^/]+/jobs/[^/]+/versions(?:/[^/]*)?": (
            "Versions of jobs are not kept: what a job was at a run is in the facets of that run, "
            "/api/v1/jobs/runs/{run}/facets?type=job."
        ),
        "v1/sources(?:/[^/]*)?": (
            "Sources are not kept as a list: the facet dataSource of a dataset names its source, and "
            "/api/v1/namespaces lists the namespaces."
        ),
        "v1/runlineage/upstream": (
            "The lineage of runs is not in this form: /api/v1/lineage has that of jobs and datasets, and "
            "/projects/{project}/lineage that of runs and versions."
        ),
        "v2beta/search/.*": "Facets are not searched: /api/v1/search finds jobs and datasets by their names.",
    }.items()
}
"""What Marquez answers and this server does not, with what to ask instead."""

_READ_ONLY = (
    "This server takes no changes by the API of Marquez: jobs, datasets and tags are what events of OpenLineage say. "
    "Send events to POST /api/v1/lineage; to remove a run, withdraw its document."
)


def register(app: Flask) -> None:
    """Refuse the changes that Marquez takes, and name what is not kept, with the reason."""

    @app.before_request
    def _() -> Response | None:
        unknown = request.routing_exception
        if isinstance(unknown, NotFound) and request.method in ("GET", "HEAD"):
            message = next((text for path, text in _NOT_KEPT.items() if path.fullmatch(request.path)), None)
            return None if message is None else json_answer({"code": 404, "message": message}, 404)
        if unknown is not None and request.method in ("POST", "PUT", "DELETE") and _CHANGED.fullmatch(request.path):
            allowed = unknown.valid_methods if isinstance(unknown, MethodNotAllowed) else None
            raise Rejected(405, _READ_ONLY, headers={"Allow": ", ".join(sorted(allowed or ()))})
        return None


def _page(default: int = PAGE) -> tuple[int, int]:
    """The parameters ``limit`` and ``offset``."""
    return number("limit", default, 1, max(default, MAX_PAGE_SIZE)), number("offset", 0, 0, _FARTHEST)


def _item(found: Reading, kind: str, namespace: str, name: str) -> Item:
    item = found.item(Name(kind, *shown_name(Dataset(namespace, name))))
    if item is None:
        raise Rejected(404, f"{kind.capitalize()} '{name[:200]}' not found.")
    return item


def _run(found: Reading, id_: str) -> Run:
    run = found.run(without_login(id_))
    if run is None:
        raise Rejected(404, f"Run '{id_[:200]}' not found.")
    return run


def _bounds() -> list[int]:
    return bounds(choice("period", "DAY", "WEEK"), request.args.get("timezone", ""), datetime.now(UTC))


def _growth(project: str | None, kind: str, *, namespaces: bool = False) -> Response:
    times = _bounds()

    def shape(found: Reading) -> list[Any]:
        counts = found.growth(kind, times[1:], namespaces=namespaces)
        return [
            {"startInterval": time(start), "endInterval": time(end), "count": count}
            for (start, end), count in zip(pairwise(times), counts, strict=True)
        ]

    return read(project, shape)
