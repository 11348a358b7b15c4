"""The statements of an invocation of dbt: its nodes, the versions of relations that they wrote, what tests found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provrepo.importers.contents import state_file
from provrepo.importers.dbt.columns import INSTALL, Table, available, sources_of
from provrepo.importers.dbt.names import DIALECTS, TERMS, Names
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import without_login
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.names import column as column_name
from provrepo.importers.runs import COMPLETED, FAILED, part_of, state_measurement, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, json_value, typed, value, words
from provrepo.model.statements import (
    ASSOCIATION,
    ATTRIBUTION,
    DERIVATION,
    GENERATION,
    MEMBERSHIP,
    SPECIALIZATION,
    USAGE,
    Attribute,
)
from provrepo.vocab import (
    DCAT,
    DCTERMS,
    DQV,
    PROV,
    PROV_LOCATION,
    PROVREPO,
    RDFS_LABEL,
    SCHEMA,
    WFPROV,
)

__all__ = ["Invocation"]

_RELATIONS = ("model", "seed", "snapshot", "source")
_CHECKED = {"pass": True, "fail": False, "warn": False}
"""Status of a test → whether it passed; others did not come to a result."""

_NOT_RUN = ("skipped", "no-op")
_ERRORS = ("error", "runtime error", "fail")


class Invocation(Shapes):
    """Makes the statements of one document."""

    def __init__(self, statements: Statements, names: Names, found: Mapping[str, Any], problems: list[Problem]) -> None:
        """Begin.

        Args:
            statements: the document.
            names: mints IRIs.
            found: the artifacts, as ``artifacts.collect`` makes them.
            problems: what is found unusual is added.
        """
        super().__init__(problems, "artifacts")
        self._statements, self._names, self._found = statements, names, found
        manifest = self.object(found.get("manifest"), "/manifest")
        self._about = self.object(manifest.get("metadata"), "/manifest/metadata")
        self._adapter = self.text(self._about.get("adapter_type"), "/manifest/metadata/adapter_type")
        self._project = self.text(self._about.get("project_name"), "/manifest/metadata/project_name")
        self._project = self._project or self.text(self._about.get("project_id"), "/manifest/metadata/project_id")
        self._nodes: dict[str, Mapping[str, Any]] = {}
        for member in ("nodes", "sources", "exposures"):
            for key, node in self.object(manifest.get(member), f"/manifest/{member}").items():
                self._nodes[key] = self.object(node, f"/manifest/{member}/{escaped(key)}")
        self._namespace = self.text(found.get("namespace"), "/namespace")
        if not self._namespace:
            self._namespace = f"dbt:{self._adapter}:{self._project}"
            text = "the address of the database is not known: relations have names of their own, and not those of"
            advice = "OpenLineage events; import the folder of the project, with dbt_project.yml and profiles.yml"
            self.problems.append(Problem("/namespace", f"{text} {advice}"))
        self._written: dict[str, str] = {}
        self._id, self._agent = "", ""

    def state(self) -> None:
        """State the run of the command and of its nodes, or how fresh sources were."""
        for member in ("run_results", "freshness"):
            results = self.object(self._found.get(member), f"/{member}")
            if results:
                self._state(member, results)
                return
        self.problems.append(Problem("", "no results of a run", fatal=True))

    def _state(self, member: str, results: Mapping[str, Any]) -> None:
        at = f"/{member}/metadata"
        metadata = self.object(results.get("metadata"), at)
        self._id = self.text(metadata.get("invocation_id"), f"{at}/invocation_id")
        if not self._id:
            self.problems.append(Problem(f"{at}/invocation_id", "nothing says which run this is", fatal=True))
            return
        if member == "run_results" and self._about.get("invocation_id") not in (None, self._id):
            text = "the manifest is of another invocation: what has changed since is not seen"
            self.problems.append(Problem("/manifest/metadata/invocation_id", text))
        version = self.text(metadata.get("dbt_version"), f"{at}/dbt_version")
        args = self.object(results.get("args"), f"/{member}/args")
        command = self.text(args.get("which") or args.get("rpc_method"), f"/{member}/args/which")
        command = command or "source freshness"
        self._agent = self._statements.agent(
            self._names.software(version),
            words(RDFS_LABEL, "dbt"),
            words(f"{SCHEMA}softwareVersion", version),
            types=[f"{PROV}SoftwareAgent"],
        )
        found = self.objects(results.get("results"), f"/{member}/results")
        states = [self.text(each.get("status"), f"{pointer}/status") for pointer, each in found]
        skipped = sorted(str(each.get("unique_id")) for _, each in found if each.get("status") in _NOT_RUN)
        chosen = {key: args[key] for key in ("select", "exclude", "vars", "target", "full_refresh") if args.get(key)}
        invocation = self._statements.activity(
            self._names.invocation(self._id),
            self.time(metadata.get("invocation_started_at"), f"{at}/invocation_started_at"),
            self.time(metadata.get("generated_at"), f"{at}/generated_at"),
            words(RDFS_LABEL, f"dbt {command}"),
            status(FAILED if any(state in _ERRORS for state in states) else COMPLETED),
            words(f"{TERMS}invocationId", self._id),
            words(f"{TERMS}project", self._project),
            words(f"{TERMS}adapter", self._adapter),
            [each for name in skipped for each in words(f"{TERMS}skipped", name)],
            [json_value(f"{TERMS}arguments", chosen)] if chosen else [],
            types=[f"{WFPROV}WorkflowRun"],
        )
        plan = self._statements.entity(
            self._names.node(self._project, "project"),
            words(RDFS_LABEL, f"project {self._project}"),
            types=[f"{PROV}Plan"],
        )
        self._statements.relate(ASSOCIATION, invocation, self._agent, plan)
        self._missing_columns(member)
        ordered = sorted(found, key=lambda pair: (_started(pair[1]), str(pair[1].get("unique_id"))))
        for pointer, each in ordered:
            if member == "freshness":
                self._freshness(each, pointer)
            elif each.get("status") not in _NOT_RUN:
                self._node_run(each, pointer)
        for key, node in sorted(self._nodes.items()):
            if node.get("resource_type") == "exposure" or key.startswith("exposure."):
                self._exposure(key, node)

    # --- Runs of nodes ---------------------------------------------------------------------------------------------

    def _node_run(self, result: Mapping[str, Any], pointer: str) -> None:
        key = self.text(result.get("unique_id"), f"{pointer}/unique_id")
        node = self._nodes.get(key)
        if not key or node is None:
            text = f"{key or 'what ran'} is not in the manifest: nothing says what it read; it is left out"
            self.problems.append(Problem(f"{pointer}/unique_id", text))
            return
        kind = self.text(node.get("resource_type"), "") or key.partition(".")[0]
        state = self.text(result.get("status"), f"{pointer}/status")
        failed = state in _ERRORS and not (kind in ("test", "unit_test") and state == "fail")
        activity = self._activity(key, node, result, pointer, FAILED if failed else COMPLETED)
        read = self._read(activity, key)
        if kind == "seed" and not failed:
            read += self._seed_file(activity, key, node)
        if kind in ("test", "unit_test"):
            self._test(activity, key, node, result, read)
        elif kind in _RELATIONS and not failed:
            self._write(activity, key, node, result, read)

    def _activity(self, key: str, node: Mapping[str, Any], result: Mapping[str, Any], pointer: str, state: str) -> str:
        start, end = self._times(result, pointer)
        label = self.text(node.get("name"), "") or key
        run = self._names.run(self._id, key)
        invocation = self._names.invocation(self._id)
        response = result.get("adapter_response")
        activity = self._statements.activity(
            run,
            start,
            end,
            words(RDFS_LABEL, label),
            status(state),
            words(f"{TERMS}status", result.get("status")),
            words(f"{TERMS}uniqueId", key),
            words(f"{TERMS}message", result.get("message") if state == FAILED else None),
            [json_value(f"{TERMS}adapterResponse", response)] if response else [],
            part_of(self._statements, run, invocation, invocation),
            types=[f"{WFPROV}ProcessRun"],
        )
        plan = self._statements.entity(
            self._names.node(self._project, key),
            words(RDFS_LABEL, label),
            words(PROV_LOCATION, node.get("original_file_path")),
            words(f"{DCTERMS}description", node.get("description")),
            words(f"{TERMS}resourceType", node.get("resource_type")),
            words(f"{TERMS}materialized", self.object(node.get("config"), "").get("materialized")),
            # Of the text without the space around it: no digest of a file.
            words(f"{TERMS}checksum", self.object(node.get("checksum"), "").get("checksum")),
            words(f"{TERMS}sql", node.get("compiled_code") or node.get("compiled_sql")),
            types=[f"{PROV}Plan"],
        )
        self._statements.relate(ASSOCIATION, activity, self._agent, plan)
        return activity

    def _times(self, result: Mapping[str, Any], pointer: str) -> tuple[str | None, str | None]:
        """The times of the execution, or of the first and the last part where there was none."""
        timing = self.objects(result.get("timing"), f"{pointer}/timing")
        chosen = [each for each in timing if each[1].get("name") == "execute"] or timing
        if not chosen:
            return None, None
        (first, start), (last, end) = chosen[0], chosen[-1]
        return (
            self.time(start.get("started_at"), f"{first}/started_at"),
            self.time(end.get("completed_at"), f"{last}/completed_at"),
        )

    def _read(self, activity: str, key: str) -> list[tuple[str, str]]:
        """State which versions a node read; returns the nodes of relations with their versions."""
        read = []
        for source in dict.fromkeys(self._inputs(key, {key})):
            version = self._version(source, activity)
            if version:
                self._statements.relate(USAGE, activity, version)
                read.append((source, version))
        return read

    def _inputs(self, key: str, seen: set[str]) -> Iterator[str]:
        """The nodes with relations that a node reads, through those that are part of its SQL alone (ephemeral)."""
        depends = self.object(self._nodes[key].get("depends_on"), "")
        for source in depends.get("nodes", []) if isinstance(depends.get("nodes"), list) else []:
            node = self._nodes.get(source) if isinstance(source, str) else None
            if node is None or source in seen:
                continue
            if self.object(node.get("config"), "").get("materialized") == "ephemeral":
                seen.add(source)
                yield from self._inputs(source, seen)
            else:
                yield source

    def _dataset(self, key: str) -> Dataset | None:
        """The name of the relation of a node; None if it has none."""
        node = self._nodes[key]
        name = node.get("alias") or node.get("identifier") or node.get("name")
        parts = [node.get("database"), node.get("schema"), name]
        if key.partition(".")[0] not in _RELATIONS or not isinstance(name, str):
            return None
        return Dataset(self._namespace, ".".join(part for part in parts if isinstance(part, str) and part))

    def _logical(self, key: str, dataset: Dataset) -> str:
        """Describe a relation: all of its versions."""
        node = self._nodes[key]
        return self._statements.entity(
            self._names.lineage.dataset(dataset),
            words(RDFS_LABEL, dataset.name),
            words(f"{DCTERMS}description", node.get("description")),
            types=[f"{DCAT}Dataset"],
        )

    def _version(self, key: str, activity: str) -> str:
        """The version of a relation that an activity read; empty for a node that has no relation."""
        if key in self._written:
            return self._written[key]
        dataset = self._dataset(key)
        if dataset is None:
            return ""
        run = activity.removeprefix(f"{self._names.root}run/")
        version = self._statements.entity(self._names.lineage.unknown(dataset, run), words(RDFS_LABEL, dataset.name))
        self._statements.relate(SPECIALIZATION, version, self._logical(key, dataset))
        self._columns(key, version)
        return version

    def _write(
        self,
        activity: str,
        key: str,
        node: Mapping[str, Any],
        result: Mapping[str, Any],
        read: list[tuple[str, str]],
    ) -> None:
        dataset = self._dataset(key)
        if dataset is None:
            return
        rows = self.object(result.get("adapter_response"), "").get("rows_affected")
        version = self._statements.entity(
            self._names.lineage.version(dataset, f"{self._id}/{key}"),
            words(RDFS_LABEL, dataset.name),
            [typed(f"{TERMS}rowsAffected", str(rows), "integer")] if isinstance(rows, int) and rows >= 0 else [],
        )
        self._statements.relate(SPECIALIZATION, version, self._logical(key, dataset))
        self._statements.relate(GENERATION, version, activity, self._times(result, "")[1])
        for _, source in read:
            self._statements.relate(DERIVATION, version, source, activity)
        self._written[key] = version
        self._columns(key, version)
        self._column_lineage(activity, key, node, result, version, read)

    def _seed_file(self, activity: str, key: str, node: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The file that a seed loads, if it is there and still the same."""
        path = node.get("original_file_path")
        if not isinstance(path, str) or not path:
            return []
        known = self.object(self.object(self._found.get("files"), "/files").get(key), f"/files/{escaped(key)}")
        digests = {
            name: each for name, each in self.object(known.get("digests"), "/files").items() if isinstance(each, str)
        }
        size = known.get("size")
        file = state_file(
            self._statements,
            f"{activity}#file",
            without_login(path),
            digests,
            [typed(f"{DCAT}byteSize", str(size), "integer")] if isinstance(size, int) and size >= 0 else [],
            types=[f"{PROVREPO}Source"],
        )
        self._statements.relate(USAGE, activity, file)
        return [("", file)]

    # --- Columns ---------------------------------------------------------------------------------------------------

    def _known_columns(self, key: str) -> dict[str, tuple[str, str]]:
        """The columns of a relation: name → type and description, by the catalog and the manifest."""
        found: dict[str, tuple[str, str]] = {}
        node = self._nodes[key]
        for name, each in self.object(node.get("columns"), "").items():
            column = self.object(each, "")
            found[name.lower()] = (self.text(column.get("data_type"), ""), self.text(column.get("description"), ""))
        catalog = self.object(self._found.get("catalog"), "/catalog")
        for member in ("nodes", "sources"):
            columns = self.object(self.object(self.object(catalog.get(member), "").get(key), "").get("columns"), "")
            for name, each in columns.items():
                kind = self.text(self.object(each, "").get("type"), "")
                found[name.lower()] = (kind, found.get(name.lower(), ("", ""))[1])
        return found

    def _columns(self, key: str, version: str) -> None:
        for name, (kind, description) in sorted(self._known_columns(key).items()):
            self._column(
                version, name, [*words(f"{TERMS}dataType", kind), *words(f"{DCTERMS}description", description)]
            )

    def _column(self, version: str, name: str, attributes: list[Attribute]) -> str:
        column = self._statements.entity(column_name(version, name), words(RDFS_LABEL, name), attributes)
        self._statements.entity(version, types=[f"{PROV}Collection"])
        self._statements.relate(MEMBERSHIP, version, column)
        return column

    def _missing_columns(self, member: str) -> None:
        if member == "run_results" and not available():
            text = f"lineage of columns is not read without sqlglot: {INSTALL}"
            self.problems.append(Problem("/manifest/nodes", text))

    def _column_lineage(
        self,
        activity: str,
        key: str,
        node: Mapping[str, Any],
        result: Mapping[str, Any],
        version: str,
        read: list[tuple[str, str]],
    ) -> None:
        sql = result.get("compiled_code") or node.get("compiled_code") or node.get("compiled_sql")
        if not isinstance(sql, str) or not sql.strip() or node.get("language", "sql") != "sql" or not available():
            return
        tables = {self._table(source): (source, found) for source, found in read if source}
        schema = {
            table: {name: kind or "VARCHAR" for name, (kind, _) in self._known_columns(source).items()}
            for table, (source, _) in tables.items()
        }
        schema = {table: columns for table, columns in schema.items() if columns}
        try:
            for column, sources in sources_of(sql, DIALECTS.get(self._adapter, ""), schema):
                target = self._column(version, column.lower(), [])
                for table, name in sorted(sources):
                    if table in tables:
                        source = self._column(tables[table][1], name.lower(), [])
                        self._statements.relate(DERIVATION, target, source, activity)
        except ValueError as error:
            text = f"no lineage of columns: the SQL of {key} is not understood: {error}"
            self.problems.append(Problem(f"/manifest/nodes/{escaped(key)}/compiled_code", text))

    def _table(self, key: str) -> Table:
        node = self._nodes[key]
        name = node.get("alias") or node.get("identifier") or node.get("name")
        database, schema, table = (str(each or "").lower() for each in (node.get("database"), node.get("schema"), name))
        return database, schema, table

    # --- Quality ---------------------------------------------------------------------------------------------------

    def _test(
        self,
        activity: str,
        key: str,
        node: Mapping[str, Any],
        result: Mapping[str, Any],
        read: list[tuple[str, str]],
    ) -> None:
        """What a test found, about the relation that it is attached to, or about each that it reads."""
        passed = _CHECKED.get(str(result.get("status")))
        if passed is None:
            return
        about = self.object(node.get("test_metadata"), "")
        attached = node.get("attached_node")
        checked = [version for source, version in read if source == attached] or [version for _, version in read]
        kwargs = {name: each for name, each in self.object(about.get("kwargs"), "").items() if name != "model"}
        name = self.text(about.get("name"), "") or self.text(node.get("name"), "") or key
        for number, version in enumerate(checked or [""], 1):
            state_measurement(
                self._statements,
                f"{activity}#result/{number}",
                self._names.lineage.metric(name),
                version,
                activity,
                words(RDFS_LABEL, node.get("name")),
                value(f"{DQV}value", passed),
                words(f"{TERMS}status", result.get("status")),
                value(f"{TERMS}failures", result.get("failures")),
                words(f"{TERMS}severity", self.object(node.get("config"), "").get("severity")),
                words(f"{TERMS}column", node.get("column_name") or kwargs.get("column_name")),
                [json_value(f"{TERMS}arguments", kwargs)] if kwargs else [],
            )

    def _freshness(self, result: Mapping[str, Any], pointer: str) -> None:
        """How fresh a source was."""
        key = self.text(result.get("unique_id"), f"{pointer}/unique_id")
        node = self._nodes.get(key)
        if node is None:
            self.problems.append(Problem(f"{pointer}/unique_id", f"{key or 'a source'} is not in the manifest"))
            return
        state = str(result.get("status"))
        failed = state == "runtime error"
        activity = self._activity(key, node, result, pointer, FAILED if failed else COMPLETED)
        version = self._version(key, activity)
        self._statements.relate(USAGE, activity, version)
        if failed:
            return
        state_measurement(
            self._statements,
            f"{activity}#result/1",
            self._names.lineage.metric("freshness"),
            version,
            activity,
            words(RDFS_LABEL, f"freshness of {node.get('name')}"),
            value(f"{DQV}value", state == "pass"),
            words(f"{TERMS}status", state),
            _time(f"{TERMS}maxLoadedAt", self.time(result.get("max_loaded_at"), f"{pointer}/max_loaded_at")),
            _time(f"{TERMS}snapshottedAt", self.time(result.get("snapshotted_at"), f"{pointer}/snapshotted_at")),
            value(f"{TERMS}age", result.get("max_loaded_at_time_ago_in_s")),
            [json_value(f"{TERMS}criteria", result["criteria"])] if result.get("criteria") else [],
        )

    def _exposure(self, key: str, node: Mapping[str, Any]) -> None:
        """A use of relations outside of dbt, such as a report, of which no run is recorded."""
        sources = [*self._inputs(key, {key})]
        derived = [self._written[source] for source in sources if source in self._written]
        if not derived:
            return
        entity = self._statements.entity(
            self._names.node(self._project, key),
            words(RDFS_LABEL, node.get("label") or node.get("name")),
            words(f"{DCTERMS}description", node.get("description")),
            words(f"{TERMS}exposureType", node.get("type")),
            words(f"{SCHEMA}url", node.get("url")),
            types=[f"{PROVREPO}Unrecorded"],
        )
        for version in derived:
            self._statements.relate(DERIVATION, entity, version)
        owner = self.object(node.get("owner"), "")
        name = owner.get("email") or owner.get("name")
        if isinstance(name, str) and name:
            agent = self._statements.agent(self._names.owner(name), words(RDFS_LABEL, owner.get("name") or name))
            self._statements.relate(ATTRIBUTION, entity, agent)


def _started(result: Mapping[str, Any]) -> str:
    """When a result began, for order: a version is written before others read it."""
    timing = result.get("timing")
    found = (
        [str(each.get("started_at")) for each in timing if isinstance(each, dict)] if isinstance(timing, list) else []
    )
    return max(found, default="")


def _time(term: str, found: str | None) -> list[Attribute]:
    return [typed(term, found, "dateTime")] if found else []
