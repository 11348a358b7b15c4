"""The codec of results of Great Expectations: a validation is an activity, what it found are measurements of quality.

https://docs.greatexpectations.io/docs/reference/api/expectationsuitevalidationresult_class, of versions 0.15 to 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.findings import Findings
from provrepo.importers.great_expectations.names import FORMAT, ROOT, TERMS, Names
from provrepo.importers.json_values import Problem, canonical, parse, unwritable
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.runs import COMPLETED, state_measurement, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.sources import SourceFile
from provrepo.importers.statements import Statements, json_value, value, words
from provrepo.limits import IMPORT_BYTES
from provrepo.model.document import Document, SourceBytes
from provrepo.model.statements import ASSOCIATION, SPECIALIZATION, USAGE, Attribute
from provrepo.vocab import DCAT, DCTERMS, DQV, PROV, PROV_LOCATION, PROVREPO, RDF, RDFS, RDFS_LABEL, SCHEMA, XSD

__all__ = ["MAPPING", "collect", "read"]

MAPPING = "great_expectations/1"
"""The version of the mapping from results to statements."""

_PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "dqv": DQV,
    "gx": TERMS,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "validation": f"{ROOT}validation/",
    "xsd": XSD,
}
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?Z?)", re.ASCII)
"""How Great Expectations writes times in names of files, and in records before 1.0."""

_SAMPLES = ("partial_unexpected_", "unexpected_list", "unexpected_index", "unexpected_rows", "details")
"""Members of results with values of the data, which stay in the record alone."""

_RESULT = ("results", "statistics", "success")
_PROJECT = re.compile(r"(?:^|.*/)(?:expectations|checkpoints|validation_definitions)/[^/]+\.(?:json|ya?ml)")
"""Parts of a project that results repeat as far as they were used."""


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read the results of validations as a document.

    Args:
        data: UTF-8: a result as a store of validations has it, an array of results, or JSON lines.
        format: ``great_expectations``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    names = Names.below(base)
    statements, findings = Statements(), Findings(FORMAT, "result")
    state_payload(statements, names.made(sha256(data).hexdigest()), data, MAPPING, [])
    for line, pointer, found in parse(data, FORMAT):
        problems: list[Problem] = []
        wrong = next(unwritable(found, ""), None)
        if wrong is not None or not _is_result(found):
            problems = [wrong or Problem("", "no result of a validation of Great Expectations", fatal=True)]
        else:
            _Result(statements, names, found, problems).state()
        findings.add(problems, line, pointer)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """The results in a project of Great Expectations, each as a document that is named by its content."""
    # Results repeat what was used of suites and checkpoints: the rest of a project is no record of a run.
    more = frozenset(file.path for file in files if _PROJECT.fullmatch(file.path))
    for file in files:
        if not file.path.endswith(".json") or b'"results"' not in file.read(1 << 16):
            continue
        data = file.read(IMPORT_BYTES + 1)
        try:
            values = [each for *_, each in parse(data, FORMAT)]
        except ReadError as error:
            if "/validations/" in f"/{file.path}":
                yield Collected(Skipped(file.place, str(error)), frozenset({file.path}))
            continue
        if len(values) == 1 and _is_result(values[0]):
            key = sha256(canonical(_identity(values[0]))).hexdigest()
            yield Collected(Part(f"validation-{key[:16]}", data, FORMAT, file.place), more | {file.path})


def _is_result(found: Any) -> bool:
    return isinstance(found, dict) and all(key in found for key in _RESULT) and isinstance(found.get("meta"), dict)


def _identity(found: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a validation this one: the suite, the run, and the batch."""
    meta = found["meta"]
    keys = ("run_id", "validation_id", "validation_time", "active_batch_definition", "batch_spec", "batch_kwargs")
    suite = found.get("suite_name") or meta.get("expectation_suite_name")
    return {"suite": suite, **{key: meta[key] for key in keys if meta.get(key) is not None}}


class _Result(Shapes):
    """Makes the statements of one result."""

    def __init__(self, statements: Statements, names: Names, found: Mapping[str, Any], problems: list[Problem]) -> None:
        super().__init__(problems, "result")
        self._statements, self._names, self._found = statements, names, found
        self._meta = self.object(found["meta"], "/meta")
        self._key = sha256(canonical(_identity(found))).hexdigest()[:32]

    def state(self) -> None:
        """State the validation, its batch, and what it found."""
        meta, statements = self._meta, self._statements
        batch = self._batch()
        run = self.object(meta.get("run_id"), "/meta/run_id")
        start = self._time(meta.get("validation_time"), "/meta/validation_time") or self._time(
            run.get("run_time"), "/meta/run_id/run_time"
        )
        suite = self.text(self._found.get("suite_name") or meta.get("expectation_suite_name"), "/suite_name")
        attributes = [
            *words(RDFS_LABEL, f"validation of {suite}" if suite else "validation"),
            *status(COMPLETED),
            *value(f"{TERMS}success", self._found.get("success")),
            *self._json("statistics", self._found.get("statistics")),
            *words(f"{TERMS}runName", run.get("run_name")),
            *words(f"{TERMS}validation", meta.get("validation_id")),
        ]
        parameters = self._found.get("suite_parameters") or self._found.get("evaluation_parameters")
        activity = statements.activity(
            self._names.validation(self._key), start, None, attributes, self._json("suiteParameters", parameters)
        )
        markers = self.object(meta.get("batch_markers"), "/meta/batch_markers")
        loaded = self._time(markers.get("ge_load_time"), "/meta/batch_markers/ge_load_time")
        statements.relate(USAGE, activity, batch, loaded)
        self._plans(activity, suite)
        for number, (pointer, result) in enumerate(self.objects(self._found.get("results"), "/results"), 1):
            self._measurement(activity, batch, number, pointer, result)

    def _plans(self, activity: str, suite: str) -> None:
        """The software, which followed the suite, and the checkpoint where there was one."""
        version = self.text(self._meta.get("great_expectations_version"), "/meta/great_expectations_version")
        agent = self._statements.agent(
            self._names.software(version),
            words(RDFS_LABEL, "Great Expectations"),
            words(f"{SCHEMA}softwareVersion", version),
            types=[f"{PROV}SoftwareAgent"],
        )
        plans = [("suite", suite)] if suite else []
        for member in ("checkpoint_name", "checkpoint_id"):
            if name := self.text(self._meta.get(member), f"/meta/{member}"):
                plans.append(("checkpoint", name))
                break
        for kind, name in plans:
            plan = self._statements.entity(
                self._names.plan(kind, name), words(RDFS_LABEL, f"{kind} {name}"), types=[f"{PROV}Plan"]
            )
            self._statements.relate(ASSOCIATION, activity, agent, plan)
        if not plans:
            self._statements.relate(ASSOCIATION, activity, agent)

    def _batch(self) -> str:
        """Describe the batch, which is a version of its data asset that no record names; returns its IRI."""
        place = "/meta/active_batch_definition"
        definition = self.object(self._meta.get("active_batch_definition"), place)
        texts = {
            key: self.text(definition.get(key), f"{place}/{key}") for key in ("datasource_name", "data_asset_name")
        }
        kwargs = self.object(self._meta.get("batch_kwargs"), "/meta/batch_kwargs")
        spec = self.object(self._meta.get("batch_spec"), "/meta/batch_spec") or kwargs
        source = texts["datasource_name"] or self.text(kwargs.get("datasource"), "/meta/batch_kwargs/datasource")
        asset = texts["data_asset_name"] or self.text(spec.get("data_asset_name"), "/meta/batch_spec/data_asset_name")
        if not asset:
            pointer = f"{place}/data_asset_name"
            self.problems.append(Problem(pointer, "no data asset: what was validated has the name of the validation"))
        logical = self._names.asset(source, asset or self._key)
        self._statements.entity(
            logical,
            words(RDFS_LABEL, asset or "what was validated"),
            words(f"{TERMS}datasource", source),
            types=[f"{DCAT}Dataset"],
        )
        markers = self.object(self._meta.get("batch_markers"), "/meta/batch_markers")
        identifiers = definition.get("batch_identifiers")
        batch = self._statements.entity(
            self._names.batch(source, asset or self._key, self._key),
            words(RDFS_LABEL, f"batch of {asset}" if asset else "batch"),
            words(PROV_LOCATION, spec.get("path") or spec.get("s3")),
            # A digest of the data frame in memory: no digest of a file, and it names no content.
            words(f"{TERMS}pandasDataFingerprint", markers.get("pandas_data_fingerprint")),
            self._json("batchIdentifiers", identifiers),
            self._json("batchSpec", {key: each for key, each in spec.items() if key not in ("path", "batch_data")}),
        )
        self._statements.relate(SPECIALIZATION, batch, logical)
        return batch

    def _measurement(self, activity: str, batch: str, number: int, pointer: str, result: Mapping[str, Any]) -> None:
        config = self.object(result.get("expectation_config"), f"{pointer}/expectation_config")
        kind = self.text(config.get("type") or config.get("expectation_type"), f"{pointer}/expectation_config/type")
        if not kind:
            self.problems.append(Problem(f"{pointer}/expectation_config", "no type of an expectation; it is left out"))
            return
        kwargs = dict(self.object(config.get("kwargs"), f"{pointer}/expectation_config/kwargs"))
        kwargs.pop("batch_id", None)
        details = self.object(result.get("result"), f"{pointer}/result")
        kept = {key: each for key, each in details.items() if not key.startswith(_SAMPLES)}
        raised = self.object(result.get("exception_info"), f"{pointer}/exception_info")
        state_measurement(
            self._statements,
            f"{self._names.validation(self._key)}#result/{number}",
            self._names.expectation(kind),
            batch,
            activity,
            words(RDFS_LABEL, kind),
            value(f"{DQV}value", self._flag(result.get("success"), f"{pointer}/success")),
            words(f"{TERMS}column", kwargs.get("column")),
            words(f"{TERMS}severity", config.get("severity")),
            words(f"{TERMS}expectation", config.get("id")),
            self._json("kwargs", kwargs),
            value(f"{TERMS}observedValue", kept.pop("observed_value", None)),
            self._json("result", kept),
            words(f"{TERMS}exception", raised.get("exception_message")),
        )

    def _flag(self, found: Any, pointer: str) -> bool | None:
        if not isinstance(found, bool):
            self.problems.append(Problem(pointer, "true or false is needed; it is not read"))
            return None
        return found

    def _json(self, term: str, found: Any) -> list[Attribute]:
        return [json_value(TERMS + term, found)] if found not in (None, {}, [], "") else []

    def _time(self, found: Any, pointer: str) -> str | None:
        compact = _COMPACT.fullmatch(found) if isinstance(found, str) else None
        if compact is not None:
            year, month, day, hour, minute, second = compact.groups()
            found = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
        lexical = self.time(found, pointer)
        if lexical and not re.search(r"(?:Z|[+-]\d\d:\d\d)$", lexical):
            self.problems.append(Problem(pointer, "a time without a zone"))
        return lexical
