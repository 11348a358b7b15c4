"""The codec of Nextflow's lineage store: ``.lineage/**/.data.json`` of the model ``lineage/v1beta1``.

https://github.com/nextflow-io/nextflow/tree/master/modules/nf-lineage: runs of workflows and of tasks, what they put
out, and files with their source. Identifiers are ``lid://`` URIs, which name the same record everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import state_file
from provrepo.importers.engines.gathering import gather, gathered, project_of, within
from provrepo.importers.engines.tasks import PREFIXES, details, state_container, state_engine, state_plan
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem
from provrepo.importers.masking import without_login
from provrepo.importers.names import below, segment
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.runs import part_of, state_parameter
from provrepo.importers.shapes import Shapes
from provrepo.importers.sources import SourceFile
from provrepo.importers.statements import Statements, link, typed, words
from provrepo.model.document import Document, SourceBytes
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ASSOCIATION, DERIVATION, GENERATION, USAGE, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV_LOCATION, PROV_ROLE, PROVREPO, RDFS_LABEL, SCHEMA, WFPROV

__all__ = ["KEY", "MAPPING", "collect", "read"]

MAPPING = "nextflow/1"
"""The version of the mapping from records to statements."""

KEY = "nextflowLineage"
"""The key by which documents are recognized."""

ROOT = "https://w3id.org/provrepo/nextflow/"
"""The beginning of minted names, where the caller gives no base IRI."""

_FORMAT = "nextflow"
_STORE = ".lineage/"
_NAME = ".data.json"
_VERSION = "lineage/v1beta1"
_FILE_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
"""Algorithms of checksums that are of the bytes of a file; ``nextflow`` is not: it has path, size and time in it."""

_KINDS = ("WorkflowRun", "TaskRun", "AgentRun", "TaskOutput", "WorkflowOutput", "FileOutput", "Workflow")


_ELSEWHERE = re.compile(r"(.*/|)[^/]+/([0-9a-f]{32}/(?:.*/)?\.data\.json)")


def _elsewhere(file: SourceFile) -> tuple[str, str] | None:
    """A record of a store that has another name (``lineage.store.location``)."""
    found = _ELSEWHERE.fullmatch(file.path)
    return (found[1], found[2]) if found is not None and _VERSION.encode() in file.read(1 << 16) else None


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:
    """The records of each lineage store."""
    for folder, inside in within(files, _STORE, _elsewhere).items():
        records = {path.removesuffix(f"/{_NAME}"): file for path, file in inside.items() if path.endswith(f"/{_NAME}")}
        if not records:
            continue
        taken = frozenset(file.path for file in inside.values())
        place = str(root / folder) if root is not None else folder.rstrip("/")
        try:
            data = gather(KEY, project_of(folder, None), records, {})
        except OSError as error:
            yield Collected(Skipped(place, error.strerror or str(error)), taken)
            continue
        yield Collected(Part(folder.rstrip("/"), data, _FORMAT, place), taken)


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read a lineage store as a document.

    Args:
        data: the JSON object that ``collect`` makes of a folder.
        format: ``nextflow``.
        base: the beginning of minted IRIs; what Nextflow names keeps its ``lid://`` URI.

    Raises:
        ReadError: another text, with line and column if it is no JSON.
    """
    found = gathered(data, format, KEY)
    root = below(base, ROOT)
    statements, findings = Statements(), Findings(_FORMAT, "record")
    store = _Store(statements, root, found.records)
    for lid, record in sorted(found.records.items()):
        problems: list[Problem] = []
        store.state(Shapes(problems, "record"), lid, record)
        findings.add(problems, None, lid)
    name = f"{root}import/{sha256(data).hexdigest()}"
    state_payload(statements, name, data, MAPPING, words(RDFS_LABEL, f"lineage of {found.project}"))
    document = statements.document(PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, _FORMAT, base, len(document))
    return document


def _kind(record: Any) -> str:
    """The kind of a record: ``type`` in Nextflow 25.04, where its members stand beside it, ``kind`` later."""
    found = (record.get("kind") or record.get("type")) if isinstance(record, dict) else None
    return found if isinstance(found, str) else ""


class _Store:
    """Makes the statements of the records of one store."""

    def __init__(self, statements: Statements, root: str, records: Mapping[str, Any]) -> None:
        self._statements, self._root = statements, root
        self._kinds = {lid: _kind(record) for lid, record in records.items()}

    def state(self, shapes: Shapes, lid: str, record: Any) -> None:
        """State what one record says."""
        kind = _kind(record)
        if not isinstance(record, dict):
            shapes.problems.append(Problem("", "not a JSON object", fatal=True))
        elif record.get("version") != _VERSION:
            shapes.problems.append(Problem("/version", f"a record of {_VERSION} is needed", fatal=True))
        elif kind not in _KINDS:
            known = ", ".join(_KINDS)
            shapes.problems.append(Problem("/kind", f"{kind[:50]!r} is none of: {known}", fatal=True))
        else:
            spec = shapes.object(record["spec"], "/spec") if "spec" in record else record
            {
                "WorkflowRun": self._workflow_run,
                "TaskRun": self._task_run,
                "AgentRun": self._agent_run,
                "TaskOutput": self._output,
                "WorkflowOutput": self._output,
                "FileOutput": self._file_output,
                "Workflow": self._workflow,
            }[kind](shapes, lid, spec)

    # Runs ---------------------------------------------------------------------------------------------------------

    def _workflow_run(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        workflow = shapes.object(spec.get("workflow"), "/spec/workflow")
        metadata = shapes.object(spec.get("metadata"), "/spec/metadata")
        activity = self._run(shapes, lid, spec, details({"config": spec.get("config"), "metadata": metadata}))
        self._statements.activity(activity, None, None, types=[f"{WFPROV}WorkflowRun"])
        repository = without_login(shapes.text(workflow.get("repository"), "/spec/workflow/repository"))
        commit = shapes.text(workflow.get("commitId"), "/spec/workflow/commitId")
        plan = state_plan(self._statements, self._root, repository or "workflow", commit)
        self._statements.entity(plan, words(f"{SCHEMA}codeRepository", repository), words(f"{PROVREPO}commit", commit))
        nextflow = shapes.object(metadata.get("nextflow"), "/spec/metadata/nextflow")
        version = shapes.text(nextflow.get("version"), "/spec/metadata/nextflow/version")
        self._associate(activity, plan, version)
        for place, script in shapes.objects(workflow.get("scriptFiles"), "/spec/workflow/scriptFiles"):
            self._use(activity, self._data_path(shapes, script, place), "script")
        self._parameters(shapes, activity, spec.get("params"), "/spec/params")

    def _task_run(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        members = ("eval", "conda", "spack", "architecture", "globalVars", "codeChecksum", "moduleId")
        activity = self._run(shapes, lid, spec, details({member: spec.get(member) for member in members}))
        name = shapes.text(spec.get("name"), "/spec/name").partition(" (")[0] or "task"
        script = shapes.text(spec.get("script"), "/spec/script")
        self._associate(activity, state_plan(self._statements, self._root, name, script))
        state_container(self._statements, self._root, activity, shapes.text(spec.get("container"), "/spec/container"))
        for place, binary in shapes.objects(spec.get("binEntries"), "/spec/binEntries"):
            self._use(activity, self._data_path(shapes, binary, place), "bin")
        self._parameters(shapes, activity, spec.get("input"), "/spec/input")

    def _agent_run(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        """A task that a language model carried out."""
        self._task_run(shapes, lid, {**spec, "script": spec.get("promptTemplate")})
        members = ("runner", "resolvedModel", "instruction", "goal", "maxIterations", "outputSchema", "tools", "skills")
        activity = self._statements.activity(_iri(lid), None, None, details({key: spec.get(key) for key in members}))
        if model := shapes.text(spec.get("model"), "/spec/model"):
            self._associate(activity, None, "", model)

    def _run(self, shapes: Shapes, lid: str, spec: Mapping[str, Any], attributes: list[Attribute]) -> Identifier:
        """The activity of a run; no record says when it started or ended."""
        whole = self._reference(shapes, spec.get("workflowRun"), "/spec/workflowRun")
        part: list[Attribute] = []
        if whole and whole in self._kinds:
            part = part_of(self._statements, _iri(lid), _iri(whole))
        elif whole:
            part = [link(f"{DCTERMS}isPartOf", _iri(whole))]
        session = shapes.text(spec.get("sessionId"), "/spec/sessionId")
        label = shapes.text(spec.get("name"), "/spec/name") or lid
        return self._statements.activity(
            _iri(lid), None, None, words(RDFS_LABEL, label), words(f"{SCHEMA}identifier", session), attributes, part
        )

    def _associate(self, activity: str, plan: str | None, version: str = "", name: str = "Nextflow") -> None:
        agent = state_engine(self._statements, self._root, name, version)
        self._statements.relate(ASSOCIATION, activity, agent, plan)

    def _parameters(self, shapes: Shapes, activity: str, found: Any, pointer: str) -> None:
        """Inputs: files by their records or paths, and other values."""
        for number, (place, item) in enumerate(shapes.objects(found, pointer)):
            name = shapes.text(item.get("name"), f"{place}/name") or str(number)
            files = list(self._referred(shapes, item, place))
            for entity in files:
                self._use(activity, entity, name)
            value = item.get("value")
            if not files and value not in (None, "", [], {}):
                parameter = f"{self._root}parameter/{segment(activity)}/{number}"
                state_parameter(self._statements, parameter, activity, name, value)

    def _referred(self, shapes: Shapes, item: Mapping[str, Any], place: str) -> Iterator[Identifier]:
        """The files in the value of an input or output, within lists."""
        is_path = "path" in str(item.get("type")).lower()
        values = [(f"{place}/value", item.get("value"))]
        while values:
            at, value = values.pop()
            if isinstance(value, list):
                values += [(f"{at}/{number}", each) for number, each in enumerate(value)]
            elif isinstance(value, dict) and isinstance(value.get("path"), str):
                yield self._data_path(shapes, value, at)
            elif isinstance(value, dict):
                values += [(f"{at}/{key}", each) for key, each in value.items()]
            elif isinstance(value, str) and value.startswith("lid://"):
                yield self._file(value.removeprefix("lid://"))
            elif isinstance(value, str) and is_path and value:
                yield self._data_path(shapes, {"path": value}, at)

    def _use(self, activity: str, entity: Identifier, role: str) -> None:
        self._statements.relate(USAGE, activity, entity, attributes=words(PROV_ROLE, role))

    # Files --------------------------------------------------------------------------------------------------------

    def _file_output(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        path = without_login(shapes.text(spec.get("path"), "/spec/path"))
        digests, other = self._checksum(shapes, spec.get("checksum"), "/spec/checksum")
        size = shapes.number(spec.get("size"), "/spec/size")
        entity = state_file(
            self._statements,
            _iri(lid),
            path.replace("\\", "/").rpartition("/")[2] or lid,
            digests,
            words(PROV_LOCATION, path),
            [typed(f"{DCAT}byteSize", str(size), "integer")] if isinstance(size, int) else [],
            [each for text in _texts(spec.get("labels")) for each in words(f"{SCHEMA}keywords", text)],
            other,
        )
        made = shapes.time(spec.get("createdAt"), "/spec/createdAt")
        changed = shapes.time(spec.get("modifiedAt"), "/spec/modifiedAt")
        if changed:
            self._statements.entity(entity, [typed(f"{DCTERMS}modified", changed, "dateTime")])
        source = self._reference(shapes, spec.get("source"), "/spec/source")
        task = self._reference(shapes, spec.get("taskRun"), "/spec/taskRun")
        run = task or self._reference(shapes, spec.get("workflowRun"), "/spec/workflowRun")
        if run and self._kinds.get(run):
            self._statements.relate(GENERATION, entity, _iri(run), made)
        if source and source != run:
            activity = _iri(run) if run and self._kinds.get(run) else None
            self._statements.relate(DERIVATION, entity, self._file(source), activity)

    def _output(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        """What a run put out: its files have records of their own."""
        run = self._reference(shapes, spec.get("taskRun"), "/spec/taskRun")
        run = run or self._reference(shapes, spec.get("workflowRun"), "/spec/workflowRun")
        made = shapes.time(spec.get("createdAt"), "/spec/createdAt")
        if not run or not self._kinds.get(run):
            shapes.problems.append(Problem("/spec", "the run that this is the output of is not in the store"))
            return
        for number, (place, item) in enumerate(shapes.objects(spec.get("output"), "/spec/output")):
            name = shapes.text(item.get("name"), f"{place}/name") or str(number)
            files = list(self._referred(shapes, item, place))
            for entity in files:
                if self._kinds.get(str(entity).removeprefix("lid://")) is None:
                    self._statements.relate(GENERATION, entity, _iri(run), made, attributes=words(PROV_ROLE, name))
            value = item.get("value")
            if not files and value not in (None, "", [], {}):
                entity = self._statements.entity(
                    f"{self._root}output/{segment(lid)}/{number}", words(RDFS_LABEL, name), details({"value": value})
                )
                self._statements.relate(GENERATION, entity, _iri(run), made, attributes=words(PROV_ROLE, name))

    def _workflow(self, shapes: Shapes, lid: str, spec: Mapping[str, Any]) -> None:
        repository = without_login(shapes.text(spec.get("repository"), "/spec/repository"))
        commit = shapes.text(spec.get("commitId"), "/spec/commitId")
        plan = state_plan(self._statements, self._root, repository or lid, commit)
        self._statements.entity(plan, words(f"{SCHEMA}codeRepository", repository), words(f"{PROVREPO}commit", commit))

    def _file(self, lid: str) -> Identifier:
        """A file by its record, which may be in another store."""
        known = self._kinds.get(lid)
        label = words(RDFS_LABEL, lid.rpartition("/")[2]) if known is None else []
        return self._statements.entity(_iri(lid), label, types=[f"{PROVREPO}Source"] if known is None else [])

    def _data_path(self, shapes: Shapes, found: Mapping[str, Any], pointer: str) -> Identifier:
        """A file that no run of Nextflow made: the same path with the same checksum is the same."""
        path = without_login(shapes.text(found.get("path"), f"{pointer}/path"))
        digests, other = self._checksum(shapes, found.get("checksum"), f"{pointer}/checksum")
        state = sha256(repr((sorted(digests.items()), other)).encode()).hexdigest()[:12]
        return state_file(
            self._statements,
            f"{self._root}file/{segment(path)}" + (f"/{state}" if digests or other else ""),
            path.rpartition("/")[2] or path,
            digests,
            words(PROV_LOCATION, path),
            other,
            types=[f"{PROVREPO}Source"],
        )

    def _checksum(self, shapes: Shapes, found: Any, pointer: str) -> tuple[dict[str, str], list[Attribute]]:
        """A checksum of the bytes of a file, or another one as an attribute."""
        checksum = shapes.object(found, pointer)
        algorithm = shapes.text(checksum.get("algorithm"), f"{pointer}/algorithm").lower().replace("-", "")
        value = shapes.text(checksum.get("value"), f"{pointer}/value")
        if value and algorithm in _FILE_HASHES:
            return {algorithm: value}, []
        return {}, details({"checksum": checksum})

    def _reference(self, shapes: Shapes, found: Any, pointer: str) -> str:
        """A ``lid://`` URI, without its scheme."""
        text = shapes.text(found, pointer)
        if text and not text.startswith("lid://"):
            shapes.problems.append(Problem(pointer, "a lid:// URI is needed; it is not read"))
            return ""
        return text.removeprefix("lid://")


def _iri(lid: str) -> str:
    """The IRI of a record. Characters that IRIs forbid are quoted."""
    found = f"lid://{lid}"
    return found if is_iri(found) else "lid://" + "/".join(segment(part) for part in lid.split("/"))


def _texts(found: Any) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
