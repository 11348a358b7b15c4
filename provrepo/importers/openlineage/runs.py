"""Runs as activities, with the versions of datasets that they used and generated."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from provrepo.importers.json_values import canonical
from provrepo.importers.openlineage.columns import column_of, input_columns, relate_columns
from provrepo.importers.openlineage.dataset_facets import LOGICAL, OF_RUNS, OWN, VERSION, described, statistics
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.explicit import Target, others, state_job, state_part, targets
from provrepo.importers.openlineage.facets import Context, Table, mapped, text_of
from provrepo.importers.openlineage.fold import Facets, Run, Side
from provrepo.importers.openlineage.job_facets import ELSEWHERE, JOB_FACETS
from provrepo.importers.openlineage.names import TERMS, Names
from provrepo.importers.openlineage.quality import measured
from provrepo.importers.openlineage.run_facets import RUN_FACETS, engine_of
from provrepo.importers.statements import Statements, json_value, link, unknown_members, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ASSOCIATION,
    DERIVATION,
    GENERATION,
    INVALIDATION,
    SPECIALIZATION,
    USAGE,
    Attribute,
)
from provrepo.vocab import DCTERMS, PROV, PROV_TYPE, RDFS_LABEL, SCHEMA, WFPROV

__all__ = ["plan", "state_run"]

_STATUS = {"COMPLETE": "CompletedActionStatus", "FAIL": "FailedActionStatus", "ABORT": "FailedActionStatus"}
_WHOLES = {"DAG", "APPLICATION", "WORKFLOW", "DBT JOB"}
"""Types of jobs whose runs consist of others: Airflow's DAG, Spark's application, and what dbt calls a job."""

_REVISION: list[Attribute] = [(Identifier(PROV_TYPE), Identifier(f"{PROV}Revision"))]


def plan(statements: Statements, names: Names, job: Dataset, facets: Facets, run: str = "") -> str:
    """Describe a job as a plan; returns its IRI."""
    name = names.job(job)
    statements.entity(name, words(RDFS_LABEL, job.name), types=[f"{PROV}Plan"])
    table = {**JOB_FACETS, **ELSEWHERE}
    statements.entity(name, mapped(Context(statements, names, name, run, job), facets, table))
    return name


def state_run(statements: Statements, names: Names, run: Run) -> None:
    """State all that the events of a run say."""
    _RunStatements(statements, names, run).state()


def _of(facets: Facets, table: Table) -> Facets:
    """The facets that a table maps."""
    return {key: unknown_members(facet, ()) for key, facet in facets.items() if key in table}


class _RunStatements:
    def __init__(self, statements: Statements, names: Names, run: Run) -> None:
        self._statements, self._names, self._run = statements, names, run
        self._activity = names.run(run.id)
        self._context = Context(statements, names, self._activity, run.id, run.job)
        self._agents = self._associated()
        self._plan = plan(statements, names, run.job, run.job_facets, run.id)
        self._read = {dataset: self._version_read(dataset, side) for dataset, side in run.inputs.items()}
        self._targets = targets(run)

    def state(self) -> None:
        run = self._run
        self._state_activity(self._activity, self._status())
        for dataset in sorted(run.inputs):
            self._input(dataset, run.inputs[dataset])
        for dataset in sorted(run.outputs):
            side = run.outputs[dataset]
            if run.wrote(dataset):
                self._output(dataset, side)
            else:
                self._intended(dataset, side)
        self._own_lineage()

    def _own_lineage(self) -> None:
        """The explicit lineage of the job itself, and the entries that are about something else."""
        for source in self._targets.get(None, Target()).sources:
            if source.dataset is None:
                state_job(self._context, source, self._activity, self._run.job)
                continue
            if source.dataset not in self._run.inputs:
                self._statements.relate(USAGE, self._activity, self._described_read(source.dataset))
            if source.source_column or source.transformations:
                found = json_value(f"{TERMS}lineageInput", source.item)
                self._statements.activity(self._activity, None, None, [found])
        left = others(self._run)
        if left:
            self._statements.entity(self._plan, [json_value(f"{TERMS}facet", {"lineage": {"entries": left}})])

    def _status(self) -> list[Attribute]:
        run = self._run
        status = _STATUS.get(run.state, "ActiveActionStatus" if run.active else "")
        attributes = [link(f"{SCHEMA}actionStatus", SCHEMA + status)] if status else []
        if run.state == "ABORT":
            attributes += words(f"{TERMS}state", run.state)
        return attributes + mapped(self._context, run.facets, RUN_FACETS)

    def _state_activity(self, activity: str, attributes: list[Attribute]) -> None:
        start, end = self._run.start, self._run.end
        type_ = self._run.job_facets.get("jobType", {})
        names = text_of(type_.get("jobType")).upper(), text_of(type_.get("integration")).upper()
        types = [f"{WFPROV}WorkflowRun"] if _WHOLES & {names[0], f"{names[1]} {names[0]}"} else []
        self._statements.activity(activity, start and start.lexical, end and end.lexical, attributes, types=types)
        for agent in self._agents:
            self._statements.relate(ASSOCIATION, activity, agent, self._plan)
        if not self._agents:
            self._statements.relate(ASSOCIATION, activity, None, self._plan)

    def _associated(self) -> list[str]:
        """The engine, or where the events name none, the software that sent them."""
        facet = self._run.facets.get("processing_engine")
        if facet is not None:
            name, version = engine_of(facet)
            agent = self._statements.agent(
                self._names.engine(name, version),
                words(RDFS_LABEL, name),
                words(f"{SCHEMA}softwareVersion", version),
                types=[f"{PROV}SoftwareAgent"],
            )
            return [agent]
        return [
            self._statements.agent(
                self._names.producer(producer), words(RDFS_LABEL, producer), types=[f"{PROV}SoftwareAgent"]
            )
            for producer in self._run.producers
        ]

    # Datasets ----------------------------------------------------------------------------------------------------

    def _version_read(self, dataset: Dataset, side: Side) -> str:
        version = text_of(side.facets.get("version", {}).get("datasetVersion"))
        return self._names.version(dataset, version) if version else self._unknown(dataset)

    def _unknown(self, dataset: Dataset) -> str:
        return self._names.unknown(dataset, self._run.id)

    def _version_written(self, dataset: Dataset, side: Side) -> str:
        version = text_of(side.facets.get("version", {}).get("datasetVersion"))
        name = self._names.version(dataset, version) if version else ""
        # A version that is read and written at once would be older than itself.
        return name if name and name != self._read.get(dataset) else self._names.version(dataset, self._run.id)

    def _described_read(self, dataset: Dataset) -> str:
        """The version of a dataset that was read, described by its name and no more."""
        version = self._read.get(dataset) or self._unknown(dataset)
        self._statements.entity(version)
        self._statements.relate(SPECIALIZATION, version, described(self._context, dataset))
        return version

    def _about(self, dataset: Dataset, side: Side, version: str, *, output: bool) -> Context:
        """State the facets of a dataset and of its version; returns the context of the version."""
        logical = described(self._context, dataset)
        about_dataset = Context(self._statements, self._names, logical, self._run.id, dataset, output)
        about_version = Context(self._statements, self._names, version, self._run.id, dataset, output)
        self._statements.entity(logical, mapped(about_dataset, side.facets, LOGICAL, elsewhere=VERSION))
        own = {key: facet for key, facet in side.facets.items() if key in VERSION}
        # What a run does to a version, no reader does: such a facet of an input is kept as it is.
        table = VERSION if output else {key: row for key, row in VERSION.items() if key not in OF_RUNS}
        self._statements.entity(version, mapped(about_version, own, table), measured(about_version, side))
        self._statements.relate(SPECIALIZATION, version, logical)
        return about_version

    def _input(self, dataset: Dataset, side: Side) -> None:
        version = self._read[dataset]
        context = self._about(dataset, side, version, output=False)
        attributes = [*self._statistics(side, "inputStatistics"), *mapped(context, side.own, OWN)]
        used = self._part(version, side.own.get("subset"), "inputCondition")
        self._statements.relate(USAGE, self._activity, used, attributes=attributes)

    def _output(self, dataset: Dataset, side: Side) -> None:
        change = side.facets.get("lifecycleStateChange", {})
        state = text_of(change.get("lifecycleStateChange")).upper()
        before = self._read.get(dataset) or self._unknown(dataset)
        if state == "DROP":
            self._described_read(dataset)
            self._intended(dataset, side, term="dropped")
            self._statements.relate(INVALIDATION, before, self._activity)
            return
        version = self._version_written(dataset, side)
        context = self._about(dataset, side, version, output=True)
        self._statements.entity(version, self._statistics(side, "outputStatistics"), mapped(context, side.own, OWN))
        self._statements.entity(version, words(f"{TERMS}lifecycleStateChange", state))
        generated = self._part(version, side.own.get("subset"), "outputCondition")
        target = self._targets.get(dataset)
        activity = self._activity
        if target is not None:
            activity = self._names.part_of_run(self._run.id, dataset)
            self._state_activity(activity, [link(f"{DCTERMS}isPartOf", self._activity)])
            state_part(context, target, activity, self._run.job, self._described_read)
        self._statements.relate(GENERATION, generated, activity)
        self._columns(context, side.facets.get("columnLineage", {}))
        self._revision(dataset, version, before, state, change)

    def _revision(self, dataset: Dataset, version: str, before: str, state: str, change: Mapping[str, Any]) -> None:
        """A version follows the one before it, where the run read or changed that."""
        previous = change.get("previousIdentifier")
        former = previous if state == "RENAME" and isinstance(previous, dict) else {}
        if previous is not None and not text_of(former.get("name")):
            kept = {"lifecycleStateChange": {"previousIdentifier": previous}}
            self._statements.entity(version, [json_value(f"{TERMS}facet", kept)])
        if text_of(former.get("name")):
            old = Dataset(text_of(former.get("namespace")) or dataset.namespace, text_of(former["name"]))
            before = self._described_read(old)
            self._statements.relate(INVALIDATION, before, self._activity)
        elif state in ("ALTER", "TRUNCATE", "RENAME"):
            before = self._described_read(dataset)
        elif state or dataset not in self._run.inputs or dataset in self._targets:
            # OVERWRITE and CREATE begin anew. Explicit lineage says itself what a target is derived from.
            return
        self._statements.relate(DERIVATION, version, before, attributes=_REVISION)

    def _columns(self, context: Context, facet: Mapping[str, Any]) -> None:
        for field, (dataset, source_field, transformations), attributes in input_columns(facet):
            version = self._read.get(dataset)
            if version is None:
                # Some producers name a dataset in the lineage of columns alone: it was read all the same.
                version = self._described_read(dataset)
                self._statements.relate(USAGE, self._activity, version)
            source = column_of(self._context, version, source_field)
            target = column_of(self._context, context.subject, field)
            relate_columns(self._context, target, source, transformations, attributes, self._activity)

    def _intended(self, dataset: Dataset, side: Side, *, term: str = "intendedOutput") -> None:
        """What a run meant to write is no version, so that no reader takes it for one."""
        logical = described(self._context, dataset)
        context = Context(self._statements, self._names, logical, self._run.id, dataset, output=True)
        self._statements.entity(logical, mapped(context, side.facets, LOGICAL, elsewhere=VERSION))
        self._statements.activity(
            self._activity, None, None, [link(TERMS + term, logical)], mapped(context, side.own, {}, elsewhere=OWN)
        )
        # What the other facets say is about a version that there is not.
        kept = {"facets": _of(side.facets, VERSION), "outputFacets": _of(side.own, OWN)}
        if any(kept.values()):
            found = {**dataset._asdict(), **{member: facets for member, facets in kept.items() if facets}}
            self._statements.activity(self._activity, None, None, [json_value(f"{TERMS}{term}Facets", found)])
        for _, (source, _, _), _ in input_columns(side.facets.get("columnLineage", {})):
            if source not in self._run.inputs:
                self._statements.relate(USAGE, self._activity, self._described_read(source))

    def _statistics(self, side: Side, key: str) -> list[Attribute]:
        """Statistics; of a run that goes on, those of each of its events, which are about windows of time."""
        if self._run.continuous and len(side.windows) > 1:
            return [json_value(f"{TERMS}window", window) for window in side.windows]
        return statistics(side.own.get(key, {}))

    def _part(self, version: str, subset: Mapping[str, Any] | None, member: str) -> str:
        """The part of a version that a run read or wrote, where an event says which; otherwise the version."""
        condition = (subset or {}).get(member)
        if condition is None:
            return version
        digest = sha256(canonical(condition)).hexdigest()
        return self._statements.entity(
            f"{version}#part/{digest[:16]}",
            [link(f"{DCTERMS}isPartOf", version), json_value(f"{TERMS}condition", condition)],
        )
