"""Jobs, runs, datasets and versions in the form of Marquez.

Its clients need every field; unknown values are null or empty. ``docs/reference/marquez.md`` says what each is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.openlineage.facets import items, text_of
from provrepo.importers.openlineage.index import tag_name
from provrepo.repository.events.walks import fields, source_columns
from provrepo.server.marquez.answers import time
from provrepo.views.openlineage.reading import Facets, Item, Name, Reading, Run, Version

__all__ = ["dataset", "field_tags", "job", "name_of", "namespace", "node_id", "run", "version"]

_RUNS = 10
"""The most runs in ``latestRuns``."""

_TYPES = {"STREAMING": "STREAM", "SERVICE": "SERVICE"}


def name_of(name: Name) -> dict[str, str]:
    """A name as the ``id`` of a job or dataset."""
    return {"namespace": name.namespace, "name": name.name}


def node_id(name: Name) -> str:
    """The id of a node, which is not encoded."""
    return f"{name.kind.lower()}:{name.namespace}:{name.name}"


def namespace(row: tuple[str, int, int]) -> dict[str, Any]:
    """A namespace."""
    name, created, updated = row
    return {
        "name": name,
        "createdAt": time(created),
        "updatedAt": time(updated),
        "ownerName": "",
        "description": None,
        "isHidden": False,
    }


def job(reading: Reading, found: Item, *, details: bool = False) -> dict[str, Any]:
    """A job.

    Args:
        reading: what the caller may read.
        found: the job.
        details: whether its runs have their facets.
    """
    facets = reading.facets(found)
    runs = reading.latest_runs(found, _RUNS)
    shown = [run(reading, each, details=details) for each in runs]
    parent = runs[0].parent if runs else ""
    name = found.name.name
    return {
        "id": name_of(found.name),
        "type": _TYPES.get(text_of(facets.get("jobType", {}).get("processingType")).upper(), "BATCH"),
        "name": name,
        "simpleName": (parent and name.removeprefix(f"{parent}.")) or name,
        "parentJobName": parent or None,
        "parentJobUuid": None,
        "createdAt": time(found.created),
        "updatedAt": time(found.updated),
        "namespace": found.name.namespace,
        "inputs": [name_of(each) for each in reading.origins("R", found.name)],
        "outputs": [name_of(each) for each in reading.targets("W", found.name)],
        "location": text_of(facets.get("sourceCodeLocation", {}).get("url")) or None,
        "description": text_of(facets.get("documentation", {}).get("description")) or None,
        # The home page of Marquez's web client fails on an empty list.
        "latestRun": shown[0] if shown else None,
        "latestRuns": shown or None,
        "tags": _tags(facets),
        "labels": [],
        "currentVersion": None,
        "facets": facets,
    }


def run(reading: Reading, found: Run, *, details: bool = True) -> dict[str, Any]:
    """A run; without ``details`` its facets and datasets are empty."""
    parts = reading.run_parts(found) if details else []
    duration = None if found.started is None or found.ended is None else (found.ended - found.started) // 1000
    return {
        "id": found.id,
        "createdAt": time(found.first),
        "updatedAt": time(found.last),
        "nominalStartTime": time(found.nominal[0]),
        "nominalEndTime": time(found.nominal[1]),
        "state": found.state,
        "startedAt": time(found.started),
        "endedAt": time(found.ended),
        "durationMs": duration,
        "args": {},
        "jobVersion": None,
        "inputDatasetVersions": [
            {"datasetVersionId": {**name_of(part.dataset), "version": part.version}, "facets": {}}
            for part in parts
            if part.role == "I" and part.version
        ],
        "outputDatasetVersions": [
            {"datasetVersionId": {**name_of(part.dataset), "version": part.version}, "facets": {}}
            for part in parts
            if part.role == "W"
        ],
        "facets": reading.text(found.text) if details else {},
    }


def dataset(reading: Reading, found: Item) -> dict[str, Any]:
    """A dataset."""
    facets = reading.facets(found)
    versions, _ = reading.versions(found, 1, 0)
    state = text_of(facets.get("lifecycleStateChange", {}).get("lifecycleStateChange"))
    return {
        **_described(found.name, facets),
        "createdAt": time(found.created),
        "updatedAt": time(found.updated),
        "lastModifiedAt": time(versions[0].time) if versions else None,
        "lastLifecycleState": state or None,
        "currentVersion": versions[0].version if versions else None,
        "columnLineage": _column_lineage(facets),
        "deleted": state == "DROP",
    }


def version(reading: Reading, name: Name, found: Version) -> dict[str, Any]:
    """A version of a dataset."""
    facets = reading.part_facets(found.row)
    creator = reading.run_of(found.run)
    state = text_of(facets.get("lifecycleStateChange", {}).get("lifecycleStateChange"))
    return {
        **_described(name, facets),
        "id": {**name_of(name), "version": found.version},
        "createdAt": time(found.time),
        "version": found.version,
        "lifecycleState": state or None,
        "currentSchemaVersion": None,
        "createdByRun": None if creator is None else run(reading, creator),
    }


def _described(name: Name, facets: Facets) -> dict[str, Any]:
    """What a dataset and its versions have in common."""
    stream = "STREAM" in text_of(facets.get("datasetType", {}).get("datasetType")).upper()
    return {
        "id": name_of(name),
        "type": "STREAM" if stream else "DB_TABLE",
        "name": name.name,
        "physicalName": name.name,
        "namespace": name.namespace,
        "sourceName": text_of(facets.get("dataSource", {}).get("name")) or name.namespace,
        "fields": [
            {
                "name": each,
                # Text in any case: the client fails on another value.
                "type": text_of(about.get("type")),
                "tags": field_tags(facets, each),
                "description": text_of(about.get("description")) or None,
            }
            for each, about in fields(facets)
        ],
        "tags": _tags(facets),
        "description": text_of(facets.get("documentation", {}).get("description")) or None,
        "facets": facets,
    }


def _tags(facets: Facets) -> list[str]:
    return field_tags(facets, "")


def field_tags(facets: Facets, field: str) -> list[str]:
    """The tags of a field; those of the whole for an empty name."""
    found = {tag_name(tag) for tag in items(facets.get("tags", {}).get("tags")) if text_of(tag.get("field")) == field}
    return sorted(found - {""})


def _column_lineage(facets: Facets) -> list[dict[str, Any]] | None:
    """What the columns come from; None without the facet, so that the client shows no link."""
    if "columnLineage" not in facets:
        return None
    found: dict[str, dict[str, Any]] = {}
    for column, (source, field), (text, kind) in source_columns(facets):
        told: Mapping[str, Any] = {"transformationDescription": text or None, "transformationType": kind or None}
        entry = found.setdefault(column, {"name": column, "inputFields": [], **told})
        entry["inputFields"].append({"namespace": source.namespace, "dataset": source.name, "field": field, **told})
    return list(found.values())
