"""The schemas of answers in the form of Marquez. Members that are null or empty where unknown are always there."""

from __future__ import annotations

from provrepo.server.routing.schema_parts import FLAG, INTEGER, OBJECT, STRING, Schema, array, members, or_null, ref

__all__ = ["ANSWERS", "MARQUEZ"]

_TIME: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"}
_NAME = members({"namespace": STRING, "name": STRING})
_VERSION_NAME = members({"namespace": STRING, "name": STRING, "version": STRING})
_EDGES = array(members({"origin": STRING, "destination": STRING}))
_TEXT = or_null(STRING)
_ANY: Schema = {**OBJECT, "additionalProperties": True}
_TOLD: dict[str, Schema] = {"transformationDescription": _TEXT, "transformationType": _TEXT}
_FIELD = members({"name": STRING, "type": STRING, "tags": array(STRING), "description": _TEXT})
_DESCRIBED: dict[str, Schema] = {
    "type": {"enum": ["DB_TABLE", "STREAM"]},
    **dict.fromkeys(("name", "physicalName", "namespace", "sourceName"), STRING),
    "createdAt": _TIME,
    "fields": array(_FIELD),
    "tags": array(STRING),
    "description": _TEXT,
    "facets": _ANY,
}
_NAME_OF_FIELD: dict[str, Schema] = {"namespace": STRING, "dataset": STRING, "field": STRING}
_INTERVAL = {"startInterval": _TIME, "endInterval": _TIME}
_COLUMN: dict[str, Schema] = {"namespace": STRING, "dataset": STRING, "datasetVersion": _TEXT, "field": STRING}

MARQUEZ: dict[str, Schema] = {
    "MarquezNamespace": members(
        {
            "name": STRING,
            "createdAt": _TIME,
            "updatedAt": _TIME,
            "ownerName": STRING,
            "description": _TEXT,
            "isHidden": FLAG,
        }
    ),
    "MarquezNamespaces": members({"namespaces": array(ref("MarquezNamespace")), "totalCount": INTEGER}),
    "MarquezRun": members(
        {
            "id": STRING,
            "createdAt": _TIME,
            "updatedAt": _TIME,
            **dict.fromkeys(("nominalStartTime", "nominalEndTime", "startedAt", "endedAt"), or_null(_TIME)),
            "state": {"enum": ["NEW", "RUNNING", "COMPLETED", "FAILED", "ABORTED"]},
            "durationMs": {"type": ["integer", "null"]},
            "args": _ANY,
            "jobVersion": {"type": "null"},
            **dict.fromkeys(
                ("inputDatasetVersions", "outputDatasetVersions"),
                array(members({"datasetVersionId": _VERSION_NAME, "facets": _ANY})),
            ),
            "facets": _ANY,
        }
    ),
    "MarquezRuns": members({"runs": array(ref("MarquezRun")), "totalCount": INTEGER}),
    "MarquezFacets": members({"runId": STRING, "facets": _ANY}),
    "MarquezJob": members(
        {
            "id": _NAME,
            "type": {"enum": ["BATCH", "STREAM", "SERVICE"]},
            **dict.fromkeys(("name", "simpleName", "namespace"), STRING),
            **dict.fromkeys(("parentJobName", "parentJobUuid", "location", "description", "currentVersion"), _TEXT),
            "createdAt": _TIME,
            "updatedAt": _TIME,
            "inputs": array(_NAME),
            "outputs": array(_NAME),
            "latestRun": or_null(ref("MarquezRun")),
            "latestRuns": or_null({**array(ref("MarquezRun")), "minItems": 1}),
            "tags": array(STRING),
            "labels": array(STRING),
            "facets": _ANY,
        }
    ),
    "MarquezJobs": members({"jobs": array(ref("MarquezJob")), "totalCount": INTEGER}),
    "MarquezDataset": members(
        {
            **_DESCRIBED,
            "id": _NAME,
            "updatedAt": _TIME,
            "lastModifiedAt": or_null(_TIME),
            "lastLifecycleState": _TEXT,
            "currentVersion": _TEXT,
            "columnLineage": or_null(
                array(members({"name": STRING, "inputFields": array(members({**_NAME_OF_FIELD, **_TOLD})), **_TOLD}))
            ),
            "deleted": FLAG,
        }
    ),
    "MarquezDatasets": members({"datasets": array(ref("MarquezDataset")), "totalCount": INTEGER}),
    "MarquezVersion": members(
        {
            **_DESCRIBED,
            "id": _VERSION_NAME,
            "version": STRING,
            "lifecycleState": _TEXT,
            "currentSchemaVersion": _TEXT,
            "createdByRun": or_null(ref("MarquezRun")),
        }
    ),
    "MarquezVersions": members({"versions": array(ref("MarquezVersion")), "totalCount": INTEGER}),
    "MarquezLineage": members(
        {
            "graph": array(
                members(
                    {
                        "id": STRING,
                        "type": {"enum": ["DATASET", "JOB"]},
                        "data": {
                            "type": "object",
                            "required": ["id", "name", "namespace", "type"],
                            "properties": {"id": _NAME, "name": STRING, "namespace": STRING},
                            "additionalProperties": True,
                        },
                        "inEdges": _EDGES,
                        "outEdges": _EDGES,
                    }
                )
            ),
            "provrepo": members(
                {
                    "start": STRING,
                    "truncated": FLAG,
                    "total_nodes": INTEGER,
                    "total_edges": INTEGER,
                    "beyond": INTEGER,
                }
            ),
        }
    ),
    "MarquezColumnLineage": members(
        {
            "graph": array(
                members(
                    {
                        "id": STRING,
                        "type": {"const": "DATASET_FIELD"},
                        "data": members(
                            {
                                **_COLUMN,
                                "fieldType": _TEXT,
                                **_TOLD,
                                "inputFields": array(members({**_COLUMN, **_TOLD})),
                            }
                        ),
                        "inEdges": _EDGES,
                        "outEdges": _EDGES,
                    }
                )
            ),
            "provrepo": members({"truncated": FLAG}),
        }
    ),
    "MarquezSearch": members(
        {
            "totalCount": INTEGER,
            "results": array(
                members(
                    {
                        **dict.fromkeys(("name", "namespace", "nodeId"), STRING),
                        "type": {"enum": ["JOB", "DATASET"]},
                        "updatedAt": _TIME,
                    }
                )
            ),
        }
    ),
    "MarquezTags": members({"tags": array(members({"name": STRING, "description": STRING})), "totalCount": INTEGER}),
    "MarquezEvents": members({"events": array(_ANY), "totalCount": INTEGER, "provrepo": members({"truncated": FLAG})}),
    "MarquezEventStatistics": array(
        members({**_INTERVAL, **dict.fromkeys(("fail", "start", "complete", "abort"), INTEGER)})
    ),
    "MarquezStatistics": array(members({**_INTERVAL, "count": INTEGER})),
    "MarquezError": members({"code": {"type": "integer", "minimum": 400, "maximum": 599}, "message": STRING}),
}
"""These schemas by name."""

_BY_ENDPOINT = {
    "namespaces": "MarquezNamespaces",
    "namespace": "MarquezNamespace",
    "jobs": "MarquezJobs",
    "jobs_of_namespace": "MarquezJobs",
    "job": "MarquezJob",
    "runs": "MarquezRuns",
    "run": "MarquezRun",
    "run_facets": "MarquezFacets",
    "datasets": "MarquezDatasets",
    "dataset": "MarquezDataset",
    "versions": "MarquezVersions",
    "version": "MarquezVersion",
    "lineage": "MarquezLineage",
    "column_lineage": "MarquezColumnLineage",
    "search": "MarquezSearch",
    "tags": "MarquezTags",
    "events": "MarquezEvents",
    "event_statistics": "MarquezEventStatistics",
    "job_statistics": "MarquezStatistics",
    "dataset_statistics": "MarquezStatistics",
    "source_statistics": "MarquezStatistics",
}

ANSWERS = {f"marquez.{name}{suffix}": schema for name, schema in _BY_ENDPOINT.items() for suffix in ("", "_in_project")}
"""The name of the schema of an answer, by endpoint."""
