"""The codec of Snakemake's metadata: one record for each output file, of which those of one job are one activity.

https://github.com/snakemake/snakemake: ``.snakemake/metadata``, record formats up to 6. The name of a record is the
path of the output in base64; long names are divided, and all parts but the last are folders that begin with ``@``.
"""

from __future__ import annotations

import binascii
import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.importers.engines.gathering import gather, gathered, project_of, within
from provrepo.importers.engines.tasks import PREFIXES, details, state_container, state_engine, state_plan
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, canonical
from provrepo.importers.moments import Moment
from provrepo.importers.names import below, segment
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.runs import COMPLETED, FAILED, state_parameter, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.sources import SourceFile, digests_of
from provrepo.importers.statements import Statements, typed, words
from provrepo.importers.versions import Span, Versions
from provrepo.model.document import Document, SourceBytes
from provrepo.model.statements import ASSOCIATION, GENERATION, USAGE
from provrepo.vocab import DCAT, RDFS_LABEL

__all__ = ["KEY", "MAPPING", "collect", "read"]

MAPPING = "snakemake/1"
"""The version of the mapping from records to statements."""

KEY = "snakemakeProject"
"""The key by which documents are recognized."""

ROOT = "https://w3id.org/provrepo/snakemake/"
"""The beginning of minted names, where the caller gives no base IRI."""

_FORMAT = "snakemake"
_METADATA = ".snakemake/metadata/"
_NEWEST = 6
_TOLERANCE = 1.0
"""Seconds by which the time of an output may be after the recorded end: clocks of file systems are coarse."""
_KNOWN = frozenset({
    *("rule", "input", "log", "params", "shellcmd", "code", "starttime", "endtime", "incomplete", "job_hash"),
    *("input_checksums", "conda_env", "container_img_url", "software_stack_hash", "record_format_version"),
    *("external_jobid", "version"),
})  # fmt: skip


class _Record(NamedTuple):
    output: str
    pointer: str
    data: Mapping[str, Any]


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:
    """The records of each workflow, with the digests of outputs that are still there as Snakemake left them."""
    by_path = {file.path: file for file in files}
    for folder, records in within(files, _METADATA, _elsewhere).items():
        taken = frozenset(file.path for file in records.values())
        place = str(root / folder) if root is not None else folder.rstrip("/")
        try:
            found = {name: _observed(name, file, folder, root, by_path) for name, file in records.items()}
            more = {"files": {path: about for path, about in found.values() if about}}
            data = gather(KEY, project_of(folder, root), records, more)
        except OSError as error:
            yield Collected(Skipped(place, error.strerror or str(error)), taken)
            continue
        yield Collected(Part(folder.rstrip("/"), data, _FORMAT, place), taken)


def _elsewhere(file: SourceFile) -> tuple[str, str] | None:
    """A record in a copy of the folder ``metadata``, recognized by its name and content."""
    folder, mark, name = f"/{file.path}".rpartition("/metadata/")
    if not mark or not _decoded(name) or b'"record_format_version"' not in file.read(1 << 16):
        return None
    return f"{folder}/".removeprefix("/"), name


def _observed(
    name: str, record: SourceFile, folder: str, root: Path | None, files: Mapping[str, SourceFile]
) -> tuple[str, dict[str, Any]]:
    """An output, and what is seen of it: digest and size, that it was changed, or that it is missing."""
    output = _decoded(name) or ""
    file = files.get(f"{folder}{output}")
    if file is None and (root is not None or not Path(output).is_absolute()):
        there = root is not None and os.path.lexists(root / folder / output)
        return output, {} if there else {"missing": True}
    if Path(output).is_absolute() or root is None:
        return output, {}
    try:
        data = json.loads(record.read(1 << 20))
        end = float(data["endtime"])
        changed = (root / folder / output).stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return output, {}
    if file is None:  # a folder, a link, or hidden
        return output, {}
    if changed > end + _TOLERANCE:
        return output, {"changed": datetime.fromtimestamp(changed, UTC).isoformat().replace("+00:00", "Z")}
    return output, {"size": file.size, **digests_of(file, ["sha256"])}


def _decoded(name: str) -> str | None:
    """The output that a record is about; None if its name is not of this kind."""
    parts = name.split("/")
    text = "".join(part.removeprefix("@") for part in parts)
    if any(not part.startswith("@") for part in parts[:-1]):
        return None
    try:
        return urlsafe_b64decode(text.encode("ascii")).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read the records of a workflow as a document.

    Args:
        data: the JSON object that ``collect`` makes of a folder.
        format: ``snakemake``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: another text, with line and column if it is no JSON.
    """
    found = gathered(data, format, KEY)
    root = f"{below(base, ROOT)}{segment(found.project)}/"
    statements, findings = Statements(), Findings(_FORMAT, "record")
    jobs: dict[str, list[_Record]] = {}
    for name, record in sorted(found.records.items()):
        output = _decoded(name)
        problems: list[Problem] = []
        if output is None:
            problems.append(Problem("", "the name is no path in base64", fatal=True))
        elif not isinstance(record, dict):
            problems.append(Problem("", "not a JSON object", fatal=True))
        elif not isinstance(record.get("rule"), str):
            problems.append(Problem("/rule", "the name of a rule is needed", fatal=True))
        else:
            jobs.setdefault(_job(record), []).append(_Record(output, name, record))
        findings.add(problems, None, name)
    stating = _Jobs(statements, root, found.more.get("files"), findings)
    stating.state(jobs)
    state_payload(
        statements,
        f"{root}import/{sha256(data).hexdigest()}",
        data,
        MAPPING,
        words(RDFS_LABEL, f"workflow {found.project}"),
    )
    document = statements.document(PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, _FORMAT, base, len(document))
    return document


def _job(record: Mapping[str, Any]) -> str:
    """What the records of one job have in common. A hash of a job is unique within one run of Snakemake only."""
    members = ("job_hash", "rule", "shellcmd", "input", "params", "log", "endtime" if "job_hash" not in record else "")
    return sha256(canonical({name: record.get(name) for name in members if name})).hexdigest()[:16]


class _Jobs:
    def __init__(self, statements: Statements, root: str, files: Any, findings: Findings) -> None:
        self._statements, self._root, self._findings = statements, root, findings
        self._versions = Versions(statements, root)
        self._files = files if isinstance(files, dict) else {}
        self._used: dict[str, str] = {}
        self._has_data = True

    def state(self, jobs: Mapping[str, list[_Record]]) -> None:
        made = []
        self._used = {path: job for job, records in jobs.items() for path in _inputs(records)}
        self._has_data = not all(self._is_missing(record) for records in jobs.values() for record in records)
        for job, records in sorted(jobs.items()):
            problems: list[Problem] = []
            shapes = Shapes(problems, "record")
            span = self._span(shapes, records)
            state = self._state(job, records, problems)
            complete = [record for record in records if state and record.data.get("incomplete") is not True]
            written = [self._write(record, job, span, problems) for record in complete]
            made.append((job, records, span, state, written, shapes))
        for job, records, span, state, written, shapes in made:
            activity = self._activity(job, records, span, state, shapes)
            for version in written:
                self._statements.relate(GENERATION, version, activity, span.end.lexical if span.end else None)
            self._findings.add(shapes.problems, None, records[0].pointer)

    def _state(self, job: str, records: Sequence[_Record], problems: list[Problem]) -> str:
        """How a job ended; empty where that is not known.

        Snakemake records the outputs of a job that failed as complete ones, and removes them. So it is known that a job
        completed if one of them is there, or another job read it, as it does with temporary files. Where no output of
        any job is there, the records are a copy without the data, which says nothing of them.
        """
        if any(record.data.get("incomplete") is True for record in records):
            return FAILED
        gone = all(self._is_missing(record) and self._used.get(record.output, job) == job for record in records)
        if gone and self._has_data:
            problems.append(Problem("", "no output of the job is there: it failed, or they were removed; none is made"))
            return ""
        return COMPLETED

    def _is_missing(self, record: _Record) -> bool:
        seen = self._files.get(record.output)
        return isinstance(seen, dict) and seen.get("missing") is True

    def _write(self, record: _Record, job: str, span: Span, problems: list[Problem]) -> str:
        seen = self._files.get(record.output)
        seen = seen if isinstance(seen, dict) else {}
        digest = seen.get("sha256")
        if isinstance(seen.get("changed"), str):
            problems.append(Problem("", "the output was changed after the job had ended; it has no digest here"))
        elif not isinstance(digest, str):
            problems.append(Problem("", "the output was not there when the records were collected; it has no digest"))
        size = seen.get("size")
        about = [typed(f"{DCAT}byteSize", str(size), "integer")] if isinstance(size, int) else []
        return self._versions.write(
            record.output, job, span, {"sha256": digest} if isinstance(digest, str) else {}, about
        )

    def _span(self, shapes: Shapes, records: Sequence[_Record]) -> Span:
        starts = [_time(shapes.number(record.data.get("starttime"), "/starttime")) for record in records]
        ends = [_time(shapes.number(record.data.get("endtime"), "/endtime")) for record in records]
        return Span(min(filter(None, starts), default=None), max(filter(None, ends), default=None))

    def _activity(self, job: str, records: Sequence[_Record], span: Span, state: str, shapes: Shapes) -> str:
        data, statements = records[0].data, self._statements
        version = data.get("record_format_version")
        if isinstance(version, int) and version > _NEWEST:
            message = f"the record has format {version}; {_NEWEST} is the newest that is known"
            shapes.problems.append(Problem("/record_format_version", message))
        incomplete = [record.output for record in records if not state or record.data.get("incomplete") is True]
        rule = data["rule"]
        activity = statements.activity(
            f"{self._root}job/{job}",
            span.start.lexical if span.start else None,
            span.end.lexical if span.end else None,
            words(RDFS_LABEL, rule),
            status(state),
            *(self._versions.intended(path) for path in incomplete),
            details({
                **{name: value for name, value in data.items() if name not in _KNOWN},
                "command": shapes.text(data.get("shellcmd"), "/shellcmd"),
                "log": data.get("log"),
                "conda_env": data.get("conda_env"),
                "software_stack_hash": data.get("software_stack_hash"),
                "external_jobid": data.get("external_jobid"),
                "version": data.get("version"),
            }),
        )  # fmt: skip
        code = data.get("code")
        plan = state_plan(statements, self._root, rule, code if isinstance(code, str) else "")
        statements.relate(ASSOCIATION, activity, state_engine(statements, self._root, "Snakemake"), plan)
        state_container(
            statements, self._root, activity, shapes.text(data.get("container_img_url"), "/container_img_url")
        )
        for number, value in enumerate(shapes.texts(data.get("params"), "/params")):
            state_parameter(statements, f"{activity}/param/{number}", activity, f"params[{number}]", value)
        checksums = shapes.object(data.get("input_checksums"), "/input_checksums")
        for path in shapes.texts(data.get("input"), "/input"):
            algorithm, _, digest = shapes.text(checksums.get(path), "/input_checksums").partition(":")
            read_ = self._versions.read(path, job, span, {algorithm: digest} if digest else {})
            statements.relate(USAGE, activity, read_)
        return activity


def _inputs(records: Sequence[_Record]) -> set[str]:
    """The paths that a job read."""
    found = records[0].data.get("input")
    return {path for path in found if isinstance(path, str)} if isinstance(found, list) else set()


def _time(seconds: Any) -> Moment | None:
    try:
        found = datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return Moment.parse(found.isoformat().replace("+00:00", "Z"))
