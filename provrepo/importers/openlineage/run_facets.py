"""The facets of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.masking import RECORDED, without_login
from provrepo.importers.openlineage.common_facets import TAG_FIELDS, tags
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.facets import Context, FacetMapping, Table, date_time, items, shape, text_of
from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.openlineage.quality import TESTS, tests
from provrepo.importers.statements import json_value, link, typed, value, words
from provrepo.model.secrets import MASK, secret_name
from provrepo.model.statements import START, USAGE, Attribute
from provrepo.vocab import DCTERMS, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA, WFPROV

__all__ = ["RUN_FACETS", "engine_of"]

_NOMINAL = ("nominalStartTime", "nominalEndTime")


def _nominal_time(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [each for member in _NOMINAL for each in date_time(TERMS + member, facet.get(member))]


def _parent(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The parent is the whole and the starter. It is mentioned and not described: its own events do that."""
    attributes = []
    for place, whole, job_term in (
        (facet, f"{DCTERMS}isPartOf", "parentJob"),
        (facet.get("root"), f"{WFPROV}wasPartOfWorkflowRun", "rootJob"),
    ):
        run, job = _run_and_job(place)
        if run and context.names.run(run) == context.subject:
            continue
        if job is not None:
            attributes.append(link(TERMS + job_term, context.names.job(job)))
        if not run:
            continue
        attributes.append(link(whole, context.names.run(run)))
        if place is facet:
            context.statements.relate(START, context.subject, None, context.names.run(run))
    return attributes


def _run_and_job(found: Any) -> tuple[str, Dataset | None]:
    if not isinstance(found, dict):
        return "", None
    run, job = found.get("run"), found.get("job")
    named = isinstance(job, dict) and bool(text_of(job.get("name")))
    return (
        text_of(run.get("runId")) if isinstance(run, dict) else "",
        Dataset(text_of(job.get("namespace")), text_of(job["name"])) if isinstance(job, dict) and named else None,
    )


def _error(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{SCHEMA}error", facet.get("message")),
        *words(f"{TERMS}programmingLanguage", facet.get("programmingLanguage")),
        *words(f"{TERMS}stackTrace", facet.get("stackTrace")),
    ]


def _extraction_error(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The run did not fail: its lineage is incomplete."""
    return [
        typed(f"{PROVREPO}incomplete", "true", "boolean"),
        *value(f"{TERMS}totalTasks", facet.get("totalTasks")),
        *value(f"{TERMS}failedTasks", facet.get("failedTasks")),
        *(json_value(f"{TERMS}extractionError", error) for error in items(facet.get("errors"))),
    ]


def _external_query(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{SCHEMA}identifier", facet.get("externalQueryId")),
        *words(f"{TERMS}querySource", facet.get("source")),
    ]


def engine_of(facet: Mapping[str, Any]) -> tuple[str, str]:
    """The name and version of the engine that a facet ``processing_engine`` names."""
    return text_of(facet.get("name")) or "engine", text_of(facet.get("version"))


def _engine(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    name, version = engine_of(facet)
    context.statements.agent(
        context.names.engine(name, version),
        words(f"{TERMS}openlineageAdapterVersion", facet.get("openlineageAdapterVersion")),
    )
    return []


def _environment(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    for variable in items(facet.get("environmentVariables")):
        name = without_login(text_of(variable.get("name")))
        kept = text_of(variable.get("value")) if name in RECORDED else MASK
        _parameter(context, f"environment/{name}", name, kept)
    return []


def _execution_parameters(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    for parameter in items(facet.get("parameters")):
        key, label = text_of(parameter.get("key")), text_of(parameter.get("name"))
        kept = MASK if secret_name(key) or secret_name(label) else text_of(parameter.get("value"))
        _parameter(context, key, key, kept, label, text_of(parameter.get("description")))
    return []


def _parameter(context: Context, path: str, role: str, found: str, label: str = "", description: str = "") -> None:
    entity = context.statements.entity(
        context.names.parameter(context.run, path),
        words(PROV_VALUE, found),
        words(RDFS_LABEL, label or role),
        words(f"{DCTERMS}description", description),
        types=[f"{PROVREPO}Source"],
    )
    context.statements.relate(USAGE, context.subject, entity, attributes=words(PROV_ROLE, role))


def _job_dependencies(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """An order of execution is no flow of data, so these are no PROV relations."""
    attributes = words(f"{TERMS}triggerRule", facet.get("trigger_rule"))
    for side in ("upstream", "downstream"):
        for dependency in items(facet.get(side)):
            run, job = _run_and_job(dependency)
            if run:
                attributes.append(link(f"{TERMS}{side}Run", context.names.run(run)))
            if job is not None:
                attributes.append(link(f"{TERMS}{side}Job", context.names.job(job)))
            attributes.append(json_value(f"{TERMS}{side}Dependency", dependency))
    return attributes


RUN_FACETS: Table = {
    "nominalTime": FacetMapping("attributes; never the start or end of the activity", shape(*_NOMINAL), _nominal_time),
    "parent": FacetMapping(
        "`dcterms:isPartOf` and `prov:wasStartedBy` the parent, `wfprov:wasPartOfWorkflowRun` the root",
        shape(
            *(f"{place}{member}" for place in ("", "root.") for member in ("run.runId!", "job.name!", "job.namespace?"))
        ),
        _parent,
    ),
    "errorMessage": FacetMapping(
        "`schema:error`, language and stack trace", shape("message", "programmingLanguage", "stackTrace"), _error
    ),
    "extractionError": FacetMapping(
        "`provrepo:incomplete`, with the errors", shape("totalTasks", "failedTasks", "errors[].*"), _extraction_error
    ),
    "externalQuery": FacetMapping(
        "`schema:identifier` of the run", shape("externalQueryId", "source"), _external_query
    ),
    "processing_engine": FacetMapping(
        "the agent of the run, in its version", shape("version?", "name?", "openlineageAdapterVersion"), _engine
    ),
    "environmentVariables": FacetMapping(
        "entities that the run used; values of variables on a short list only",
        shape("environmentVariables[].name!", "environmentVariables[].value?"),
        _environment,
    ),
    "executionParameters": FacetMapping(
        "entities with `prov:value` that the run used, with the key as role",
        shape(*(f"parameters[].{member}" for member in ("key!", "name?", "value?", "description?"))),
        _execution_parameters,
    ),
    "jobDependencies": FacetMapping(
        "own terms: an order of execution is no flow of data",
        shape("upstream[].*", "downstream[].*", "trigger_rule"),
        _job_dependencies,
    ),
    "test": FacetMapping("a `dqv:QualityMeasurement` for each test, generated by the run", TESTS, tests),
    "tags": FacetMapping("`dcat:keyword`", TAG_FIELDS, tags),
}
"""Key of a facet of a run → what it becomes."""
