"""The codec of Cromwell's metadata: a run of a workflow, its calls, and the runs of workflows within it.

https://cromwell.readthedocs.io/en/stable/api/RESTAPI/: ``GET /api/workflows/v1/{id}/metadata``, and the file of
``cromwell run --metadata-output``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.engines.tasks import PREFIXES, details, state_container, state_engine, state_plan
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, escaped, parse, unwritable
from provrepo.importers.moments import Moment
from provrepo.importers.names import below, segment
from provrepo.importers.payload import state_payload
from provrepo.importers.runs import ACTIVE, COMPLETED, FAILED, part_of, state_parameter, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, json_value, words
from provrepo.importers.versions import Span, Versions, plain_path
from provrepo.model.document import Document, SourceBytes
from provrepo.model.statements import ASSOCIATION, DERIVATION, GENERATION, USAGE
from provrepo.vocab import DCTERMS, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA, WFPROV

__all__ = ["MAPPING", "read"]

MAPPING = "cromwell/1"
"""The version of the mapping from metadata to statements."""

ROOT = "https://w3id.org/provrepo/cromwell/"
"""The beginning of minted names, where the caller gives no base IRI. Identifiers of Cromwell are UUIDs."""

_FORMAT = "cromwell"
_STATES = {
    "Succeeded": COMPLETED,
    "Done": COMPLETED,
    "Failed": FAILED,
    "Aborted": FAILED,
    "RetryableFailure": FAILED,
    "Running": ACTIVE,
    "Starting": ACTIVE,
    "QueuedInCromwell": ACTIVE,
    "Submitted": ACTIVE,
    "Aborting": ACTIVE,
    "Bypassed": "",
    "NotStarted": "",
    "Unstartable": FAILED,
}
_FILE = re.compile(r"(?:[a-z][a-z0-9+.-]*://\S+/\S*|/(?:[^/\0\n]+/)*[^/\0\n]+|[A-Za-z]:\\[^\0\n]+)", re.IGNORECASE)
"""A text that is a file: metadata has no types, and Cromwell writes absolute paths and URLs."""
_OF_CALL = ("jobId", "backend", "returnCode", "commandLine", "stdout", "stderr", "callRoot", "failures", "labels")
_DEEPEST = 40


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read metadata as a document.

    Args:
        data: UTF-8: the metadata of a workflow, of several as an array, or one in each line.
        format: ``cromwell``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    root = below(base, ROOT)
    statements, findings = Statements(), Findings(_FORMAT, "workflow")
    ran: list[str] = []
    stating = _Runs(statements, root)
    found = list(parse(data, _FORMAT))
    for states in (stating.register, stating.state):
        for line, pointer, value in found:
            problems: list[Problem] = []
            wrong = next(unwritable(value, ""), None)
            if wrong is not None:
                problems.append(wrong)
            elif not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
                problems.append(Problem("/id", "the identifier of a workflow is needed", fatal=True))
            else:
                run = states(Shapes(problems, "metadata"), value, "")
                ran += [run] if states == stating.state else []
            if states == stating.state:
                findings.add(problems, line, pointer)
    if not found:
        raise ReadError("no metadata of a workflow", format=_FORMAT)
    about = [(name, link) for run in dict.fromkeys(ran) for name, link in words(f"{SCHEMA}identifier", run)]
    state_payload(statements, f"{root}import/{sha256(data).hexdigest()}", data, MAPPING, about)
    document = statements.document(PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, _FORMAT, base, len(document))
    return document


class _Runs:
    """Makes the statements of workflows. Outputs of all calls are known before the first input is looked up."""

    def __init__(self, statements: Statements, root: str) -> None:
        self._statements, self._root = statements, root
        self._versions = Versions(statements, root)
        self._cromwell = ""

    def register(self, shapes: Shapes, data: Mapping[str, Any], pointer: str, depth: int = 0) -> str:
        """Note the files that the calls of a workflow wrote."""
        for place, call, name in self._calls(shapes, data, pointer):
            if "subWorkflowMetadata" in call:
                inner = shapes.object(call["subWorkflowMetadata"], f"{place}/subWorkflowMetadata")
                if depth < _DEEPEST:
                    self.register(shapes, inner, f"{place}/subWorkflowMetadata", depth + 1)
            elif self._state_of(shapes, call.get("executionStatus"), place) == COMPLETED:
                key = self._key(data, name, call)
                for path, _ in _files(call.get("outputs"), ""):
                    self._versions.write(path, key, _span(shapes, call, place), {})
        return ""

    def state(self, shapes: Shapes, data: Mapping[str, Any], pointer: str, parent: str = "", depth: int = 0) -> str:
        """State the run of a workflow; returns its identifier."""
        id_ = shapes.text(data.get("id"), f"{pointer}/id")
        run, span = f"{self._root}workflow/{segment(id_)}", _span(shapes, data, pointer)
        name = shapes.text(data.get("workflowName"), f"{pointer}/workflowName") or "workflow"
        activity = self._statements.activity(
            run,
            span.start and span.start.lexical,
            span.end and span.end.lexical,
            words(RDFS_LABEL, name),
            words(f"{DCTERMS}identifier", id_),
            status(self._state_of(shapes, data.get("status"), f"{pointer}/status")),
            details({member: data.get(member) for member in ("failures", "labels", "workflowRoot")}),
            part_of(self._statements, run, parent) if parent else [],
            types=[f"{WFPROV}WorkflowRun"],
        )
        submitted = shapes.object(data.get("submittedFiles"), f"{pointer}/submittedFiles")
        code = shapes.text(submitted.get("workflow"), f"{pointer}/submittedFiles/workflow")
        plan = state_plan(self._statements, self._root, name, code)
        language = " ".join(
            shapes.text(data.get(member), f"{pointer}/{member}")
            for member in ("actualWorkflowLanguage", "actualWorkflowLanguageVersion")
        ).strip()
        self._statements.entity(plan, words(f"{SCHEMA}programmingLanguage", language))
        # The metadata of a workflow within another one does not repeat the version.
        self._cromwell = self._version(shapes, data, pointer) or (self._cromwell if parent else "")
        engine = state_engine(self._statements, self._root, "Cromwell", self._cromwell)
        self._statements.relate(ASSOCIATION, activity, engine, plan)
        self._values(shapes, activity, id_, span, data.get("inputs"), f"{pointer}/inputs")
        for place, call, task in self._calls(shapes, data, pointer):
            if "subWorkflowMetadata" in call:
                inner = shapes.object(call["subWorkflowMetadata"], f"{place}/subWorkflowMetadata")
                if depth >= _DEEPEST:
                    shapes.problems.append(Problem(place, "workflows are nested too deeply; it is not read"))
                elif inner.get("id"):
                    self.state(shapes, inner, f"{place}/subWorkflowMetadata", run, depth + 1)
                    continue
            self._call(shapes, data, task, call, place, run, engine)
        return id_

    def _calls(
        self, shapes: Shapes, data: Mapping[str, Any], pointer: str
    ) -> Iterator[tuple[str, Mapping[str, Any], str]]:
        calls = shapes.object(data.get("calls"), f"{pointer}/calls")
        for name in sorted(calls):
            for place, call in shapes.objects(calls[name], f"{pointer}/calls/{escaped(name)}"):
                yield place, call, name

    @staticmethod
    def _key(data: Mapping[str, Any], name: str, call: Mapping[str, Any]) -> str:
        shard, attempt = call.get("shardIndex", -1), call.get("attempt", 1)
        more = [f"shard-{shard}"] if shard != -1 else []
        return "/".join([str(data.get("id")), name, *more, *([f"attempt-{attempt}"] if attempt != 1 else [])])

    def _call(
        self,
        shapes: Shapes,
        data: Mapping[str, Any],
        name: str,
        call: Mapping[str, Any],
        place: str,
        run: str,
        engine: str,
    ) -> None:
        key, span = self._key(data, name, call), _span(shapes, call, place)
        state = self._state_of(shapes, call.get("executionStatus"), f"{place}/executionStatus")
        name_of_run = f"{self._root}call/" + "/".join(map(segment, key.split("/")))
        caching = shapes.object(call.get("callCaching"), f"{place}/callCaching")
        kept = {member: call.get(member) for member in _OF_CALL}
        kept |= {member: caching.get(member) for member in ("hit", "result")}
        inner = call.get("subWorkflowId")
        activity = self._statements.activity(
            name_of_run,
            span.start and span.start.lexical,
            span.end and span.end.lexical,
            words(RDFS_LABEL, key.partition("/")[2]),
            status(state),
            details(kept),
            words(f"{DCTERMS}hasPart", inner if isinstance(inner, str) else None),
            part_of(self._statements, name_of_run, run),
        )
        plan = state_plan(self._statements, self._root, name)
        self._statements.relate(ASSOCIATION, activity, engine, plan)
        runtime = shapes.object(call.get("runtimeAttributes"), f"{place}/runtimeAttributes")
        image = call.get("dockerImageUsed") or runtime.get("docker")
        state_container(self._statements, self._root, activity, shapes.text(image, f"{place}/dockerImageUsed"))
        self._values(shapes, activity, key, span, call.get("inputs"), f"{place}/inputs")
        copied = self._copied(caching)
        for path, role in _files(call.get("outputs"), ""):
            if state != COMPLETED:
                self._statements.activity(activity, None, None, self._versions.intended(path))
                continue
            version = self._versions.write(path, key, span, {})
            self._statements.relate(
                GENERATION, version, activity, span.end and span.end.lexical, attributes=words(PROV_ROLE, role)
            )
            if copied:
                source = f"{copied}/output/{segment(role)}"
                self._statements.entity(source, words(RDFS_LABEL, role), types=[f"{PROVREPO}Source"])
                self._statements.relate(DERIVATION, version, source, activity)
        for role, value in _others(call.get("outputs")) if state == COMPLETED else ():
            made = self._statements.entity(
                f"{name_of_run}/output/{segment(role)}",
                [json_value(PROV_VALUE, value)] if isinstance(value, list | dict) else words(PROV_VALUE, value),
                words(RDFS_LABEL, role),
            )
            self._statements.relate(
                GENERATION, made, activity, span.end and span.end.lexical, attributes=words(PROV_ROLE, role)
            )
            if copied:
                source = f"{copied}/output/{segment(role)}"
                self._statements.entity(source, words(RDFS_LABEL, role), types=[f"{PROVREPO}Source"])
                self._statements.relate(DERIVATION, made, source, activity)

    def _copied(self, caching: Mapping[str, Any]) -> str:
        """The call whose result a call has: ``Cache Hit: WORKFLOW-ID:CALL:SHARD``; empty if it was run."""
        result = caching.get("result")
        hit = re.fullmatch(r"Cache Hit: ([\w-]+):([\w.]+):(-?\d+)", result) if isinstance(result, str) else None
        if caching.get("hit") is not True or hit is None:
            return ""
        shard = [f"shard-{hit[3]}"] if hit[3] != "-1" else []
        return f"{self._root}call/" + "/".join(map(segment, [hit[1], hit[2], *shard]))

    def _values(self, shapes: Shapes, activity: str, key: str, span: Span, found: Any, pointer: str) -> None:
        """Inputs: files, and other values as parameters."""
        inputs = shapes.object(found, pointer)
        for path, role in _files(inputs, ""):
            version = self._versions.read(path, key, span, {})
            self._statements.relate(USAGE, activity, version, attributes=words(PROV_ROLE, role))
        for role, value in _others(inputs):
            state_parameter(self._statements, f"{activity}/input/{segment(role)}", activity, role, value)

    @staticmethod
    def _version(shapes: Shapes, data: Mapping[str, Any], pointer: str) -> str:
        place = f"{pointer}/workflowProcessingEvents"
        events = shapes.objects(data.get("workflowProcessingEvents"), place)
        found = (shapes.text(event.get("cromwellVersion"), f"{at}/cromwellVersion") for at, event in events)
        return next(filter(None, found), "")

    @staticmethod
    def _state_of(shapes: Shapes, found: Any, pointer: str) -> str:
        text = shapes.text(found, pointer)
        if text and text not in _STATES:
            shapes.problems.append(Problem(pointer, f"the status {text[:50]!r} is not known"))
        return _STATES.get(text, "")


def _span(shapes: Shapes, found: Mapping[str, Any], pointer: str) -> Span:
    start, end = (shapes.time(found.get(name), f"{pointer}/{name}") for name in ("start", "end"))
    return Span(Moment.parse(start) if start else None, Moment.parse(end) if end else None)


def _files(found: Any, role: str) -> Iterator[tuple[str, str]]:
    """The files in inputs or outputs, within arrays, maps, pairs and objects, with the name of the input or output."""
    if isinstance(found, dict):
        for name, value in sorted(found.items()):
            yield from _files(value, role or name)
    elif isinstance(found, list):
        for value in found:
            yield from _files(value, role)
    elif isinstance(found, str) and _FILE.fullmatch(found):
        yield plain_path(found), role


def _others(found: Any) -> Iterator[tuple[str, Any]]:
    """The inputs or outputs that have no file."""
    if isinstance(found, dict):
        for name, value in sorted(found.items()):
            if value not in (None, "", [], {}) and not any(_files(value, name)):
                yield name, value
