"""JSON Schemas (2020-12, the dialect of OpenAPI 3.1) of the JSON bodies of requests and responses.

Schemas of records are derived from their dataclasses, so that no field can be forgotten; deviations are stated here.
Objects allow further members, because clients must ignore members that they do not know. The tests forbid them.
"""

from __future__ import annotations

from provrepo.authoring.fields import Field
from provrepo.checks.findings import Finding, Severity
from provrepo.ledger.governance.standing import QUOTAS
from provrepo.ledger.pingbacks import Pingback
from provrepo.repository.audit import AuditEvent
from provrepo.repository.datasets.records import DatasetDetails, DatasetInfo, RunsAgain
from provrepo.repository.exchange.mirroring.records import MirrorInfo
from provrepo.repository.exchange.origin import Origin
from provrepo.repository.exposure import ExposedAgent, ExposedDocument, ExposedEnding, Exposure
from provrepo.repository.federation.records import LaboratoryReport, Missing, StatedRelation
from provrepo.repository.lineage.records import JSON_FORMAT, FoundDocument, FoundProject, LineageNode, SourceReference
from provrepo.repository.logs.records import LogInfo
from provrepo.repository.queries.named import Parameter
from provrepo.repository.records import DocumentInfo, GateResult, ProfileInfo, ProjectInfo, Quota, VersionInfo
from provrepo.repository.stream import EntryInfo
from provrepo.server.marquez.schemas import MARQUEZ
from provrepo.server.routing.schema_parts import FLAG, INTEGER, NAME, NUMBER, OBJECT, STRING, Schema, ref
from provrepo.server.routing.schema_parts import array as _list
from provrepo.server.routing.schema_parts import extended as _extended
from provrepo.server.routing.schema_parts import mapping as _map
from provrepo.server.routing.schema_parts import members as _object
from provrepo.server.routing.schema_parts import or_null as _or_null
from provrepo.server.routing.schema_parts import record as _record
from provrepo.server.routing.schemas_of_access import ACCESS
from provrepo.server.routing.schemas_of_exchange import EXCHANGE, NOTICES, PENDING
from provrepo.server.routing.schemas_of_statements import statement_schemas

__all__ = ["NAME", "SCHEMAS", "ref"]

_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TIME: Schema = {"type": "string", "pattern": "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"}
_PERCENT: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
_VERDICT: Schema = {"enum": ["conforms", "fails"]}
_DIRECTION: Schema = {"enum": ["upstream", "downstream", "both"]}
_KIND: Schema = {"enum": ["entity", "activity", "agent"]}


_SAID = _object(
    _record(SourceReference, project=NAME, document=NAME)["properties"], optional={"laboratory": _or_null(STRING)}
)
_VERSION = _record(
    VersionInfo,
    project=NAME,
    name=NAME,
    sha256=_DIGEST,
    time=_TIME,
    verdict=_VERDICT,
    state={"enum": ["current", "superseded", "withdrawn", "erased"]},
    origin=ref("OriginOrNull"),
    origin_warnings=_list(ref("OriginWarning")),
)
_COUNTS = _object({severity.value: INTEGER for severity in Severity})
_REPORT = _object(
    {
        "verdict": _VERDICT,
        "conforms": FLAG,
        "possible": _or_null(FLAG),
        "layers": _list(STRING),
        "profiles": _list(STRING),
        "statements": INTEGER,
        "format": STRING,
        "coverage": _PERCENT,
        "counts": _COUNTS,
        "unmapped": _map(INTEGER),
        "findings": _list(ref("Finding")),
    }
)
_LEVEL = {"enum": ["none", "half", "full", "start"]}
_NODE = _record(LineageNode, kinds=_list(_KIND), sources=_list(ref("Said")))
_BASIS = {"enum": ["asserted", "via-activity", "resolved"]}
_SUMMARY = {name: _NODE["properties"][name] for name in ("iri", "kinds", "label", "types")}
_AS_OF = _or_null(STRING)
_FINDING = _record(Finding, severity={"enum": [severity.value for severity in Severity]})
_PROJECT = _record(ProjectInfo, name=NAME, mirror=_or_null(ref("Mirror")), quota=_or_null(_record(Quota)))
_FIGURES = {
    "documents": INTEGER,
    "without_findings": INTEGER,
    "profiles": _list(_object({"profile": STRING, "conforming": INTEGER, "share": NUMBER})),
    "coverage": _PERCENT,
}
_VALUE: Schema = {
    "anyOf": [_object({"iri": STRING}), _object({"text": STRING, "datatype": STRING}, optional={"language": STRING})]
}
_TERM = _object(
    {"type": {"enum": ["uri", "literal", "bnode", "triple"]}, "value": {}},
    optional={"datatype": STRING, "xml:lang": STRING},
)

_PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457; the type determines the further members.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": STRING,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": STRING,
        "instance": {"type": "string", "format": "uri"},
        "line": _or_null(INTEGER),
        "column": _or_null(INTEGER),
        "format": _or_null(STRING),
        "reason": STRING,
        "withdrawn_at": STRING,
        "withdrawal": _object(
            dict.fromkeys(("state", "document", "time", "by", "reason"), STRING) | {"version": INTEGER}
        ),
        "state": STRING,
        "report": ref("Report"),
        "pending": ref("Pending"),
        "request_id": STRING,
        "parameter": STRING,
        "known": _list(STRING),
        "available": _list(_object({"format": STRING, "media_type": STRING})),
        "skipped": _list(_object({"place": STRING, "reason": STRING})),
        "pointer": STRING,
    },
}

SCHEMAS: dict[str, Schema] = {
    **PENDING,
    **NOTICES,
    **EXCHANGE,
    **ACCESS,
    "Problem": _PROBLEM,
    "Project": _PROJECT,
    # The metrics are null while many versions are not counted yet.
    "ProjectWithMetrics": _extended(_PROJECT, {"metrics": _or_null(ref("Metrics"))}),
    "Home": _object(
        {
            "total": INTEGER,
            "projects": _list(ref("Project")),
            "newest": _list(ref("Version")),
            "metrics": _or_null(ref("Metrics")),
        }
    ),
    "Mirror": _record(MirrorInfo, name=NAME, project=NAME),
    "Projects": _object({"total": INTEGER, "projects": _list(ref("Project"))}),
    "NewProject": {
        "type": "object",
        "description": "A project to create; private unless `public` is true.",
        "required": ["name"],
        "properties": {
            "name": NAME,
            "public": {**FLAG, "default": False},
            "title": {**STRING, "default": ""},
            "profiles": {**_list(STRING), "description": "The profiles that each submission must satisfy."},
            "license": {**STRING, "default": "", "description": "The web address of the license of its documents."},
        },
        "additionalProperties": False,
    },
    "ProjectChange": {
        "type": "object",
        "description": "Settings of a project; those that are absent stay the same.",
        "properties": {
            **dict.fromkeys(("public", "announce", "archived"), FLAG),
            **{name: {"type": "integer", "minimum": 0} for name in QUOTAS},
            **dict.fromkeys(("title", "license", "pushes", "review"), STRING),
            **dict.fromkeys(("profiles", "push", "reviewed"), _list(STRING)),
        },
        "additionalProperties": False,
    },
    "Exposure": _extended(
        _record(
            Exposure,
            project=NAME,
            documents=_list(_record(ExposedDocument)),
            endings=_list(_record(ExposedEnding)),
            agents=_list(_record(ExposedAgent)),
        ),
        {"total_versions": INTEGER, "total_statements": INTEGER},
    ),
    "Profile": _record(ProfileInfo),
    "Profiles": _object({"profiles": _list(ref("Profile"))}),
    "GateRequest": {
        "type": "object",
        "required": ["iri", "sources"],
        "properties": {
            "iri": {"type": "string", "format": "iri"},
            "sources": {**_list(STRING), "description": "IRIs, in which `*` stands for any characters."},
            "min_coverage": {**NUMBER, "minimum": 0, "maximum": 100, "default": 100},
            "project": _or_null(NAME),
            "public": {**FLAG, "default": False},
        },
        "additionalProperties": False,
    },
    "Gate": _extended(
        _record(
            GateResult,
            gaps=_list(_object({"thing": STRING, "reason": STRING})),
            warnings=_list(ref("OriginWarning")),
        ),
        {"passed": FLAG},
    ),
    "Version": _VERSION,
    "Versions": _object({"project": NAME, "name": NAME, "total": INTEGER, "versions": _list(ref("Version"))}),
    "Metadata": _extended(_VERSION, {"counts": _COUNTS, "unmapped": _map(INTEGER), "mirror": _or_null(ref("Mirror"))}),
    "Document": _record(DocumentInfo, project=NAME, name=NAME, current=ref("Version")),
    "Documents": _object({"project": NAME, "total": INTEGER, "documents": _list(ref("Document"))}),
    "Receipt": _extended(
        _VERSION,
        {
            **{"created": FLAG, "indexed": FLAG, "entry": _DIGEST, "unmapped": INTEGER, "report": ref("Report")},
            "receipt": _or_null(ref("SignedReceipt")),
        },
    ),
    "SignedReceipt": _object({"entry": _map({}), **dict.fromkeys(("proof", "checkpoint", "key"), STRING)}),
    "Log": _record(LogInfo, root=_DIGEST),
    # A submission that waits for a review has no receipt yet: 202.
    "ReceiptOrPending": {"anyOf": [ref("Receipt"), ref("Pending")]},
    "Imported": _object(
        {"receipts": _list(ref("Receipt")), "skipped": _list(_object({"place": STRING, "reason": STRING}))}
    ),
    "Report": _REPORT,
    "Finding": {**_FINDING, "required": ["layer", "rule", "severity", "message"]},
    "Origin": _record(Origin, sha256={"type": "string"}, actors=_map(STRING)),
    "Entries": _object({"project": NAME, "entries": _list(_record(EntryInfo, sha256=_DIGEST))}),
    "Datasets": _object({"project": NAME, "datasets": _list(_record(DatasetInfo))}),
    "DatasetOfProject": _extended(_record(DatasetDetails), {"project": NAME}),
    "RunsAgain": _extended(_record(RunsAgain), {"project": NAME}),
    "Said": {**_SAID, "description": "A source reference: where something is asserted."},
    "Thing": _NODE,
    "Edge": _object(
        {"subject": STRING, "relation": STRING, "object": STRING, "sources": _list(INTEGER)},
        optional={"reason": STRING},
    ),
    "Lineage": _object(
        {
            "format": {"const": JSON_FORMAT},
            "start": STRING,
            "direction": _DIRECTION,
            "as_of": _AS_OF,
            "truncated": FLAG,
            "total_nodes": INTEGER,
            "total_edges": INTEGER,
            "total_roots": INTEGER,
            "total_declared": INTEGER,
            "beyond": INTEGER,
            "warnings": _list(ref("OriginWarning")),
            "roots": _list(STRING),
            "declared": _or_null(_list(STRING)),
            "undeclared": _or_null(_list(STRING)),
            "coverage": _PERCENT,
            "sources": _list(ref("Said")),
            "relations": _map(_BASIS),
            "nodes": _list(_extended(_NODE, {"sources": _list(INTEGER)})),
            "edges": _list(ref("Edge")),
        },
        optional={
            "complete": FLAG,
            "missing": _list(_record(Missing)),
            "laboratories": _list(_record(LaboratoryReport)),
        },
    ),
    "Surroundings": _object(
        {
            "direction": _DIRECTION,
            "things": _list(_extended(_NODE, {"followed": _LEVEL}, "distance")),
            "relations": _list(_record(StatedRelation)),
            "sources": _list(ref("Said")),
            "cut": _list(STRING),
            "repository": STRING,
        }
    ),
    "SurroundingsQuestion": {
        **_object(
            {},
            optional={
                **dict.fromkeys(("start", "full", "half", "none", "relations", "stop"), _list(STRING)),
                "direction": {"enum": ["upstream", "downstream"]},
                **{name: {"type": "integer", "minimum": 1} for name in ("depth", "limit")},
                **dict.fromkeys(("strict", "alternates"), FLAG),
                "timeout": NUMBER,
            },
        ),
        "additionalProperties": False,
    },
    "Impact": _object(
        {
            "start": STRING,
            "direction": _DIRECTION,
            "as_of": _AS_OF,
            "truncated": FLAG,
            **dict.fromkeys(("total", "total_types", "total_agents", "total_projects"), INTEGER),
            **{name: _map(INTEGER) for name in ("kinds", "types", "agents", "projects")},
            "labels": _map(STRING),
            "warnings": _list(ref("OriginWarning")),
        }
    ),
    "Common": _object(
        {
            "starts": _list(STRING),
            "as_of": _AS_OF,
            "truncated": FLAG,
            "total": INTEGER,
            "warnings": _list(ref("OriginWarning")),
            "nodes": _list(_extended(_NODE, {"distances": _list(INTEGER), "nearest": FLAG})),
        }
    ),
    "KnownThing": _object(
        {
            **_SUMMARY,
            "projects": _list(NAME),
            "as_of": _AS_OF,
            "truncated": FLAG,
            "total_versions": INTEGER,
            "total_statements": INTEGER,
            "sources": _list(ref("Account")),
        }
    ),
    "Account": _extended(
        _SAID,
        {
            "time": _TIME,
            "actor": STRING,
            "submitter": STRING,
            "agent": STRING,
            "sha256": _DIGEST,
            "format": STRING,
            "state": STRING,
            "total_statements": INTEGER,
            "statements": _list(ref("Statement")),
            "triples": _list(_object({"predicate": STRING, "object": _VALUE})),
        },
    ),
    "Statement": _object(
        {
            "kind": STRING,
            "id": _or_null(STRING),
            "arguments": _map(STRING),
            "attributes": _list(_object({"name": STRING, "value": _VALUE})),
            "line": _or_null(INTEGER),
            "roles": _list(STRING),
            "graph": STRING,
            "bundle": _or_null(STRING),
        },
        optional={"entries": _list(_object({"key": _VALUE, "entity": STRING}))},
    ),
    "Search": _object(
        {
            "total": INTEGER,
            "things": _list(ref("Thing")),
            "total_documents": INTEGER,
            "documents": _list(_record(FoundDocument, project=NAME, name=NAME, sha256=_DIGEST, verdict=_VERDICT)),
            "projects": _list(_record(FoundProject, name=NAME)),
            "facets": _map(_map(INTEGER)),
            "page": INTEGER,
        }
    ),
    "Terms": _object(
        {
            "complete": FLAG,
            **dict.fromkeys(("classes", "properties"), _list(_object({"iri": STRING, "count": INTEGER}))),
            "total": INTEGER,
            "things": _list(_object({"iri": STRING, "kinds": _list(STRING), "label": STRING, "types": _list(STRING)})),
        }
    ),
    "Queries": _object({"queries": _list(ref("Query"))}),
    "Query": _object(
        {
            **dict.fromkeys(("name", "title", "question", "query"), STRING),
            "parameters": _list(_extended(_record(Parameter), {"required": FLAG}, "optional")),
        }
    ),
    **statement_schemas(_VALUE),
    "Pingbacks": _object(
        {
            "project": NAME,
            "document": _or_null(NAME),
            "pingbacks": _list(_record(Pingback, relation={"enum": ["has_provenance", "has_query_service"]})),
        }
    ),
    "Metrics": _object(
        {"project": _or_null(NAME), **_FIGURES, "over_time": _list(_object({"month": STRING, **_FIGURES}))},
    ),
    "Audit": _object(
        {
            "project": _or_null(NAME),
            "document": _or_null(NAME),
            "counts": _map(INTEGER),
            "unreadable": INTEGER,
            "following": _or_null(STRING),
            "events": _list(_record(AuditEvent, time=_TIME)),
        }
    ),
    "Submitting": _object(
        {"projects": _list(ref("Project")), "profiles": _list(ref("Profile")), "formats": _list(STRING)}
    ),
    "Recording": _object({"projects": _list(ref("Project")), "fields": _list(_record(Field))}),
    "Caller": _object(
        {
            **{"name": STRING, "token": _or_null(STRING), "write": FLAG},
            **{"projects": _or_null(_list(NAME)), "session": FLAG, "signed_in": FLAG},
        }
    ),
    "Health": _object(
        {
            "status": {"enum": ["ok", "degraded"]},
            "version": STRING,
            "indexing": FLAG,
            "accepting": FLAG,
            "limits": _map(FLAG),
        },
        optional={"set_aside": _map(STRING), "waiting": _map(STRING), "entries": INTEGER, "free_bytes": INTEGER},
    ),
    "Ready": _object({"ready": FLAG}),
    "Linkset": _object({"linkset": _list(ref("LinkContext"))}),  # RFC 9264, section 4.2
    "LinkContext": {
        **_object({"anchor": STRING}),
        "additionalProperties": _list(_object({"href": STRING}, optional=dict.fromkeys(("type", "profile"), STRING))),
    },
    "OpenAPI": _object(
        {"openapi": STRING, "info": OBJECT, "paths": OBJECT, "components": OBJECT, "security": _list(OBJECT)}
    ),
    "ProvJson": {
        "type": "object",
        "description": "PROV-JSON (W3C Member Submission of 24 April 2013).",
        "properties": {"prefix": _map(STRING), "bundle": _map(OBJECT)},
        "additionalProperties": OBJECT,
    },
    # Both are application/json: the second with `format=provjson`.
    "LineageOrProvJson": {"anyOf": [ref("Lineage"), ref("ProvJson")]},
    "KnownThingOrProvJson": {"anyOf": [ref("KnownThing"), ref("ProvJson")]},
    "SparqlResults": {
        "type": "object",
        "description": "SPARQL 1.1 Query Results JSON Format.",
        "required": ["head"],
        "properties": {
            "head": _object({}, optional={"vars": _list(STRING), "link": _list(STRING)}),
            "boolean": FLAG,
            "results": _object({"bindings": _list(_map(_TERM))}),
        },
        "oneOf": [{"required": ["boolean"]}, {"required": ["results"]}],
    },
    "ReceivedEvent": _object({"project": NAME, "remarks": _list(STRING)}),
    "ReceivedEvents": _object(
        {
            "status": {"type": "string", "enum": ["success", "partial_success"]},
            "summary": _object(
                {
                    "received": INTEGER,
                    "successful": INTEGER,
                    "failed": INTEGER,
                    "retriable": INTEGER,
                    "non_retriable": INTEGER,
                }
            ),
            "failed_events": _list(_object({"index": INTEGER, "reason": STRING, "retriable": FLAG})),
        }
    ),
    "ReceivedEventOrEvents": {"anyOf": [ref("ReceivedEvent"), ref("ReceivedEvents")]},
    **MARQUEZ,
}
"""The schemas by name, as in ``components`` of ``/openapi.json``."""
