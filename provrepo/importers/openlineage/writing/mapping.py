"""PROV as events: an activity becomes a run, its plan a job, what it used and generated datasets with versions.

What has no place in a facet of OpenLineage is told by ``provrepo.importers.openlineage.writing.losses``, and kept in a
facet of its own by ``embedded``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.openlineage.writing.embedded import PRODUCER
from provrepo.importers.openlineage.writing.graph import Graph
from provrepo.importers.openlineage.writing.names import event_time, field_of, latest, named, run_id
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import (
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DERIVATION,
    GENERATION,
    INFLUENCE,
    MEMBERSHIP,
    USAGE,
    Statement,
)
from provrepo.vocab import (
    DCTERMS,
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    RDFS_LABEL,
    SCHEMA,
)

__all__ = ["NO_TIME", "Mapping"]

_SPEC = "https://openlineage.io/spec"
_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/"
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "executionParameters": "1-0-0/ExecutionParametersRunFacet",
    "lineage": "1-0-0/LineageFacet",
    "parent": "1-2-0/ParentRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "documentation of a dataset": "1-1-0/DocumentationDatasetFacet",
    "documentation of a job": "1-1-0/DocumentationJobFacet",
    "ownership of a dataset": "1-0-1/OwnershipDatasetFacet",
    "ownership of a job": "1-0-1/OwnershipJobFacet",
}
"""Facet → the version and name of its schema in the specification."""

NO_TIME = "1970-01-01T00:00:00Z"
"""The time of events of a document that states no time at all."""

_ERROR = {
    "message": f"{SCHEMA}error",
    "programmingLanguage": f"{TERMS}programmingLanguage",
    "stackTrace": f"{TERMS}stackTrace",
}
"""Member of the facet ``errorMessage`` → the attribute."""

_VERSION, _DESCRIPTION = f"{SCHEMA}version", f"{DCTERMS}description"


class Mapping:
    """The events of a document, without the facet of ``embedded``."""

    def __init__(self, graph: Graph, times: list[str | None]) -> None:
        """Prepare the events.

        Args:
            graph: the statements.
            times: all times of the document. The latest is that of events of which no time is stated.
        """
        self._graph = graph
        self._time = latest(times) or NO_TIME

    def run(self, activity: Identifier) -> list[dict[str, Any]]:
        """The events of an activity: START, where its start is stated, and the one that says everything."""
        start, end = (event_time(time) for time in self._graph.times(activity))
        run = {"runId": run_id(activity), "facets": self._run_facets(activity)}
        job = {**self._job(activity)._asdict(), "facets": self._job_facets(activity)}
        type_ = self._type(activity, bool(end))
        last = end or latest([*self._relation_times(activity), start]) or self._time
        events = []
        if start and type_ != "START":
            named_only = {"runId": run["runId"], "facets": {}}
            events.append(self._event("RunEvent", start, eventType="START", run=named_only, job=job))
        inputs = [self._input(entity) for entity in self.inputs(activity)]
        outputs = [self._output(entity) for entity in self.outputs(activity)]
        events.append(self._event("RunEvent", last, eventType=type_, run=run, job=job, inputs=inputs, outputs=outputs))
        return events

    def dataset(self, entity: Identifier) -> dict[str, Any]:
        """The event of an entity that no activity used or generated."""
        facets = self._dataset_facets(entity) | self._lineage(entity)
        return self._event("DatasetEvent", self._time, dataset={**self.name(entity)._asdict(), "facets": facets})

    def remainder(self) -> dict[str, Any]:
        """An event for statements of a document without activities and entities."""
        dataset = {"namespace": PRODUCER, "name": "document", "facets": {}}
        return self._event("DatasetEvent", self._time, dataset=dataset)

    def name(self, entity: str) -> Dataset:
        """The dataset that an entity is a version of, or that it is."""
        whole = self._graph.general(entity) or entity
        return named(whole, self._graph.labels(whole))

    def inputs(self, activity: str) -> list[Identifier]:
        """What an activity used, without parameters."""
        self._graph.placed.update(map(id, self._graph.of(USAGE, activity)))
        used = (statement.args[1] for statement in self._graph.of(USAGE, activity) if not self._parameter(statement))
        return [entity for entity in dict.fromkeys(used) if isinstance(entity, Identifier)]

    def outputs(self, activity: str) -> list[Identifier]:
        """What an activity generated."""
        self._graph.placed.update(map(id, self._graph.of(GENERATION, activity)))
        made = (statement.args[0] for statement in self._graph.of(GENERATION, activity))
        return [entity for entity in dict.fromkeys(made) if isinstance(entity, Identifier)]

    def parameters(self, activity: str) -> list[Identifier]:
        """The parameters that an activity used."""
        found = (
            parameter for statement in self._graph.of(USAGE, activity) if (parameter := self._parameter(statement))
        )
        return list(dict.fromkeys(found))

    def plan(self, activity: str) -> Identifier | None:
        """The first plan of an activity."""
        plans = (statement.args[2] for statement in self._graph.of(ASSOCIATION, activity))
        return next((plan for plan in plans if isinstance(plan, Identifier)), None)

    def _place_associations(self, activity: str) -> None:
        """An association has a place if job and engine are all that it names."""
        plan, engine = self.plan(activity), (self.engine(activity) or (None,))[0]
        for statement in self._graph.of(ASSOCIATION, activity):
            if statement.args[1] in (None, engine) and statement.args[2] in (None, plan):
                self._graph.placed.add(id(statement))

    def engine(self, activity: str) -> tuple[Identifier, str] | None:
        """The first software of an activity whose version is stated, and this version."""
        for statement in self._graph.of(ASSOCIATION, activity):
            agent = statement.args[1]
            if isinstance(agent, Identifier):
                software = Identifier(f"{PROV}SoftwareAgent")
                version = self._graph.take(agent, f"{SCHEMA}softwareVersion")
                if version and software in self._graph.values(agent, PROV_TYPE):
                    self._graph.place(agent, PROV_TYPE, software)
                    return agent, version
        return None

    # Runs and jobs -----------------------------------------------------------------------------------------------

    def _type(self, activity: Identifier, ended: bool) -> str:
        status = f"{SCHEMA}actionStatus"
        states = {str(value).removeprefix(SCHEMA) for value in self._graph.values(activity, status)}
        for state in ("FailedActionStatus", "ActiveActionStatus", "CompletedActionStatus"):
            if state in states:
                self._graph.place(activity, status, Identifier(SCHEMA + state))
                break
        if "FailedActionStatus" in states:
            return "ABORT" if self._graph.take(activity, f"{TERMS}state") == "ABORT" else "FAIL"
        if "ActiveActionStatus" in states and not ended:
            return "RUNNING"
        return "COMPLETE"

    def _relation_times(self, activity: Identifier) -> Iterator[str | None]:
        for kind in (USAGE, GENERATION):
            yield from (statement.args[2] for statement in self._graph.of(kind, activity))

    def _job(self, activity: str) -> Dataset:
        """The plan of an activity; of one without a plan a job of its own, since no statement says more."""
        plan = self.plan(activity) or activity
        return named(plan, self._graph.labels(plan))

    def _job_facets(self, activity: Identifier) -> dict[str, Any]:
        facets: dict[str, Any] = {}
        plan = self.plan(activity)
        if plan is not None:
            facets |= self._described(plan, "job")
        self._place_associations(activity)
        sources = []
        for statement in self._graph.of(COMMUNICATION, activity):
            informant = statement.args[1]
            if isinstance(informant, Identifier):
                self._graph.placed.add(id(statement))
                sources.append({"type": "JOB", **self._job(informant)._asdict(), "runId": run_id(informant)})
        if sources:
            facets["lineage"] = _facet("lineage", entries=[{"type": "JOB", "inputs": sources}])
        return facets

    def _run_facets(self, activity: Identifier) -> dict[str, Any]:
        facets: dict[str, Any] = {}
        parent = self._graph.parent(activity)
        if parent is not None:
            run, job = {"runId": run_id(parent)}, self._job(parent)._asdict()
            facets["parent"] = _facet("parent", run=run, job=job)
        engine = self.engine(activity)
        if engine is not None:
            agent, version = engine
            self._graph.placed.add(agent)
            name = self._graph.take(agent, PROV_LABEL, RDFS_LABEL) or agent
            facets["processing_engine"] = _facet("processing_engine", name=name, version=version)
        if all(any(self._graph.texts(activity, _ERROR[member])) for member in ("message", "programmingLanguage")):
            error = {
                member: text
                for member, attribute in _ERROR.items()
                if (text := self._graph.take(activity, attribute)) or member != "stackTrace"
            }
            facets["errorMessage"] = _facet("errorMessage", **error)
        parameters = [
            self._stated_parameter(statement)
            for statement in self._graph.of(USAGE, activity)
            if self._parameter(statement)
        ]
        if parameters:
            facets["executionParameters"] = _facet("executionParameters", parameters=parameters)
        return facets

    def _parameter(self, usage: Statement) -> Identifier | None:
        """The parameter that was used: an entity with a value, that nothing generated, used in a role."""
        entity = usage.args[1]
        if not isinstance(entity, Identifier) or not _role(usage) or self._graph.generators.get(entity):
            return None
        elsewhere = any(self._graph.values(entity, PROV_LOCATION)) or self._graph.general(entity)
        return entity if self._graph.texts(entity, PROV_VALUE) and not elsewhere else None

    def _stated_parameter(self, usage: Statement) -> dict[str, str]:
        entity, role = str(usage.args[1]), _role(usage)
        self._graph.placed.add(id(usage))
        self._place_role(usage)
        found = {"key": role, "value": self._graph.take(entity, PROV_VALUE)}
        more = {
            "name": self._graph.take(entity, PROV_LABEL, RDFS_LABEL),
            "description": self._graph.take(entity, _DESCRIPTION),
        }
        return found | {member: text for member, text in more.items() if text}

    # Datasets ----------------------------------------------------------------------------------------------------

    def _input(self, entity: Identifier) -> dict[str, Any]:
        return {**self.name(entity)._asdict(), "facets": self._dataset_facets(entity)}

    def _output(self, entity: Identifier) -> dict[str, Any]:
        return {**self.name(entity)._asdict(), "facets": self._dataset_facets(entity) | self._lineage(entity)}

    def _dataset_facets(self, entity: Identifier) -> dict[str, Any]:
        version = self._graph.take(entity, _VERSION) or entity
        facets = {"version": _facet("version", datasetVersion=version), **self._described(entity, "dataset")}
        columns = {self._column(entity, column) for column in self.columns(entity)}
        if columns:
            facets["schema"] = _facet("schema", fields=[{"name": name} for name in sorted(columns)])
        return facets

    def columns(self, entity: str) -> list[Identifier]:
        """The members of a version that are its columns: their IRIs are those of the version, ``#`` and a name."""
        members = [statement for statement in self._graph.of(MEMBERSHIP, entity) if _is_column(statement)]
        self._graph.placed.update(map(id, members))
        return [Identifier(statement.args[1]) for statement in members]

    def _column(self, entity: str, column: str) -> str:
        return field_of(column, entity, self._graph.labels(column))

    def _described(self, thing: Identifier, of: str) -> dict[str, Any]:
        """The description and the owners of a thing, or of the dataset that it is a version of."""
        facets: dict[str, Any] = {}
        things = [thing, *filter(None, [self._graph.general(thing)])] if of == "dataset" else [thing]
        description = next((text for each in things if (text := self._graph.take(each, _DESCRIPTION))), "")
        if description:
            facets["documentation"] = _facet("documentation", of=of, description=description)
        owners = []
        for statement in (statement for each in things for statement in self._graph.of(ATTRIBUTION, each)):
            agent = statement.args[1]
            if isinstance(agent, Identifier):
                self._graph.placed |= {id(statement), agent}
                self._place_role(statement)
                owners.append({"name": agent} | ({"type": _role(statement)} if _role(statement) else {}))
        if owners:
            facets["ownership"] = _facet("ownership", of=of, owners=owners)
        return facets

    def _lineage(self, entity: Identifier) -> dict[str, Any]:
        """What an output is derived from, and its columns; what influenced them is INDIRECT."""
        facets: dict[str, Any] = {}
        inputs = [
            {"type": "DATASET", **self.name(source)._asdict(), "transformations": [{"type": type_}]}
            for source, type_ in self._sources(entity)
        ]
        if inputs:
            facets["lineage"] = _facet("lineage", inputs=inputs)
        fields: dict[str, Any] = {}
        for column in self.columns(entity):
            found = []
            for source, type_ in self._sources(column):
                version, hash_, _ = source.partition("#")
                if hash_:
                    field = self._column(version, source)
                    transformations = [{"type": type_}]
                    found.append({**self.name(version)._asdict(), "field": field, "transformations": transformations})
            if found:
                fields[self._column(entity, column)] = {"inputFields": found}
        if fields:
            facets["columnLineage"] = _facet("columnLineage", fields=fields)
        return facets

    def _sources(self, entity: Identifier) -> list[tuple[Identifier, str]]:
        found: dict[tuple[Identifier, str], None] = {}
        for kind, type_ in ((DERIVATION, "DIRECT"), (INFLUENCE, "INDIRECT")):
            for statement in self._graph.of(kind, entity):
                source = statement.args[1]
                if isinstance(source, Identifier) and source in self._graph.entities:
                    self._graph.placed.add(id(statement))
                    found[source, type_] = None
        return list(found)

    def _place_role(self, statement: Statement) -> None:
        role = _role(statement)
        self._graph.placed.update(
            (id(statement), name, value)
            for name, value in statement.attributes
            if name == PROV_ROLE and isinstance(value, Literal) and value.lexical == role
        )

    def _event(self, kind: str, time: str, **members: Any) -> dict[str, Any]:
        return {"eventTime": time, "producer": PRODUCER, "schemaURL": f"{_SCHEMA}{kind}", **members}


def _is_column(membership: Statement) -> bool:
    collection, member = membership.args
    return collection is not None and member is not None and member.startswith(f"{collection}#")


def _role(statement: Statement) -> str:
    values = (value for name, value in statement.attributes if name == PROV_ROLE)
    return next((value.lexical for value in values if isinstance(value, Literal)), "")


def _facet(key: str, *, of: str = "", **members: Any) -> dict[str, Any]:
    schema = _FACETS[f"{key} of a {of}" if of else key]
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{schema}.json", **members}
