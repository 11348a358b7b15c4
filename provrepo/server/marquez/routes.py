"""The rows of the table of routes for the API of Marquez."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.limits import MAX_PAGE_SIZE
from provrepo.repository.actions import Action
from provrepo.server.routing.operations import Access, Operation, Permission, RequestParameter
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.schema_parts import STRING

__all__ = ["MARQUEZ"]


def _whole(least: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "default": default}


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values), "default": values[0]}


_NODE = RequestParameter("nodeId", STRING, "`dataset:` or `job:`, then namespace and name.", required=True)
_COLUMN = RequestParameter("nodeId", STRING, "`dataset:` or `datasetField:`, then the names.", required=True)
_DEPTH = RequestParameter("depth", _whole(0, 20), "The most steps to follow, in both directions.")
_NODES = RequestParameter("limit", _whole(1, 1000), "The most nodes in the response.")
_PAGE = (
    RequestParameter("limit", {**_whole(1, 100), "maximum": MAX_PAGE_SIZE}, "The most members in the response."),
    RequestParameter("offset", _whole(0, 0), "Members to skip."),
)
_ALL = (
    RequestParameter("limit", {**_whole(1, 10_000), "maximum": 10_000}, "The most members in the response."),
    RequestParameter("offset", _whole(0, 0), "Members to skip."),
)
_STATES = {"type": "array", "items": {"enum": ["NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED"], "type": "string"}}
_PERIOD = (
    RequestParameter("period", _one_of("DAY", "WEEK"), "24 hours, or 7 days."),
    RequestParameter("timezone", STRING, "The time zone of the days, such as `Europe/Berlin`; UTC without it."),
)
_SORT = _one_of("NAME", "UPDATE_AT")

_READ: dict[str, tuple[Action, Rate, tuple[RequestParameter, ...]]] = {
    "namespaces": (Action.LIST, Rate.READ, _ALL),
    "namespace": (Action.LIST, Rate.READ, ()),
    "jobs": (
        Action.LIST,
        Rate.READ,
        (*_PAGE, RequestParameter("lastRunStates", _STATES, "Only jobs whose last run has one of these states.")),
    ),
    "jobs_of_namespace": (Action.LIST, Rate.READ, _PAGE),
    "job": (Action.READ, Rate.READ, ()),
    "runs": (Action.READ, Rate.READ, _PAGE),
    "run": (Action.READ, Rate.READ, ()),
    "run_facets": (
        Action.READ,
        Rate.READ,
        (RequestParameter("type", _one_of("run", "job"), "Whose facets: those of the run, or of its job."),),
    ),
    "datasets": (Action.LIST, Rate.READ, _PAGE),
    "dataset": (Action.READ, Rate.READ, ()),
    "versions": (Action.READ, Rate.READ, _PAGE),
    "version": (Action.READ, Rate.READ, ()),
    "lineage": (Action.LINEAGE, Rate.QUERY, (_NODE, _DEPTH, _NODES)),
    "column_lineage": (
        Action.LINEAGE,
        Rate.QUERY,
        (
            *(_COLUMN, _DEPTH, _NODES),
            RequestParameter("withDownstream", _one_of("false", "true"), "Also what comes from the columns."),
        ),
    ),
    "search": (
        Action.SEARCH,
        Rate.QUERY,
        (
            RequestParameter("q", STRING, "The text that names contain, in any case."),
            RequestParameter("filter", _one_of("ALL", "JOB", "DATASET"), "Only jobs, or only datasets."),
            RequestParameter("sort", _SORT, "By name, or the one with the last event first."),
            RequestParameter("limit", {**_whole(1, 10), "maximum": MAX_PAGE_SIZE}, "The most results."),
        ),
    ),
    "tags": (Action.LIST, Rate.READ, _ALL),
    "events": (
        Action.READ,
        Rate.QUERY,
        (
            *_PAGE,
            RequestParameter("after", STRING, "Only events at this time or later."),
            RequestParameter("before", STRING, "Only events before this time."),
            RequestParameter("sortDirection", _one_of("desc", "asc"), "The last event first, or the first one."),
        ),
    ),
    "event_statistics": (Action.LIST, Rate.READ, _PERIOD),
    "job_statistics": (Action.LIST, Rate.READ, _PERIOD),
    "dataset_statistics": (Action.LIST, Rate.READ, _PERIOD),
    "source_statistics": (Action.LIST, Rate.READ, _PERIOD),
}


def _operations() -> dict[tuple[str, str], Operation]:
    found = {}
    for suffix, permission in (("", Permission.CALLER), ("_in_project", Permission.READ)):
        for name, (action, rate, parameters) in _READ.items():
            found[f"marquez.{name}{suffix}", "GET"] = Operation(
                Access(permission, rate, action), parameters=parameters, problems=(404,), ignores_unknown=True
            )
    return found


MARQUEZ: Mapping[tuple[str, str], Operation] = _operations()
"""The rows, by endpoint and method. Clients of Marquez send parameters of their own, which are ignored."""
