"""The facets of jobs, which are the plans of runs."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from provrepo.importers.openlineage.common_facets import DOCUMENTATION, OWNERSHIP, TAGS
from provrepo.importers.openlineage.explicit import ENTRIES
from provrepo.importers.openlineage.facets import Context, FacetMapping, Table, shape, text_of
from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.statements import json_value, words
from provrepo.model.statements import SPECIALIZATION, Attribute
from provrepo.vocab import PROV, SCHEMA, SPDX

__all__ = ["ELSEWHERE", "JOB_FACETS"]


def _job_type(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    attributes = [
        attribute
        for member in ("processingType", "integration", "jobType")
        for attribute in words(TERMS + member, facet.get(member))
    ]
    if facet.get("emissionPattern") is not None:
        attributes.append(json_value(f"{TERMS}emissionPattern", facet["emissionPattern"]))
    return attributes


def _sql(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{SCHEMA}text", facet.get("query")),
        *words(f"{SCHEMA}programmingLanguage", facet.get("dialect")),
    ]


def _source_code(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    code = text_of(facet.get("sourceCode"))
    digest = sha256(code.encode("utf-8", "surrogatepass")).hexdigest() if code else ""
    return [
        *words(f"{SCHEMA}text", code),
        *words(f"{SCHEMA}programmingLanguage", facet.get("language")),
        *words(f"{SPDX}checksumValue", digest),
    ]


def _location(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The version of the code is a specialization of the plan."""
    place = [
        *words(f"{SCHEMA}url", facet.get("url")),
        *words(f"{SCHEMA}codeRepository", facet.get("repoUrl")),
        *words(f"{TERMS}path", facet.get("path")),
        *words(f"{TERMS}codeSystem", facet.get("type")),
        *words(f"{TERMS}branch", facet.get("branch")),
        *words(f"{TERMS}tag", facet.get("tag")),
        *words(f"{TERMS}pullRequestNumber", facet.get("pullRequestNumber")),
        *words(f"{SCHEMA}version", facet.get("version")),
    ]
    version = next((text for member in ("version", "tag") if (text := text_of(facet.get(member)))), "")
    if not version:
        return place
    code = context.statements.entity(context.names.code(context.dataset, version), place, types=[f"{PROV}Plan"])
    context.statements.relate(SPECIALIZATION, code, context.subject)
    return []


def _lineage(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """Without a run it is kept; the statements of a run are made by ``explicit``."""
    if context.run:
        return []
    return [json_value(f"{TERMS}facet", {"lineage": {"entries": facet.get("entries")}})]


JOB_FACETS: Table = {
    "jobType": FacetMapping(
        "attributes of the plan; runs of a DAG, an application or a dbt job are a `wfprov:WorkflowRun`",
        shape("processingType", "integration", "jobType", "emissionPattern"),
        _job_type,
    ),
    "sql": FacetMapping("text and dialect of the plan", shape("query", "dialect"), _sql),
    "sourceCode": FacetMapping(
        "text, language and SHA-256 of the plan", shape("language", "sourceCode?"), _source_code
    ),
    "sourceCodeLocation": FacetMapping(
        "a version of the plan, `prov:specializationOf` it",
        shape("type", "url", "repoUrl", "path", "version?", "tag?", "branch", "pullRequestNumber"),
        _location,
    ),
    "documentation": DOCUMENTATION,
    "ownership": OWNERSHIP,
    "tags": TAGS,
}
"""Key of a facet of a job → what it becomes."""

ELSEWHERE: Table = {
    "lineage": FacetMapping("as the facet of datasets, for each of its entries", ENTRIES, _lineage),
}
"""Facets of a job that are about its runs (``provrepo.importers.openlineage.explicit``)."""
