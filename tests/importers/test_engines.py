"""Snakemake, Nextflow and Cromwell: runs, their tasks, files, hashes, failures, and records that are damaged."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError
from provrepo.importers.contents import content_of
from provrepo.importers.engines import snakemake
from provrepo.importers.parts import Part
from provrepo.importers.sources import files_of
from provrepo.model.document import Document
from provrepo.model.statements import DERIVATION, GENERATION, SPECIALIZATION, START, USAGE, Kind
from provrepo.repository.repository import Repository
from provrepo.vocab import RDFS_LABEL, SCHEMA

RAW = "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea"


def labelled(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    """Labels of the arguments of relations, without times."""
    labels = {
        str(one.id): str(value) for one in document for name, value in one.attributes if one.id and name == RDFS_LABEL
    }
    rows = [[labels.get(str(arg), str(arg)) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(row[:2]) for row in rows}


def statuses(document: Document) -> dict[str, str]:
    found = {}
    for one in document:
        about = {str(name): str(value) for name, value in one.attributes}
        if f"{SCHEMA}actionStatus" in about:
            found[about[RDFS_LABEL]] = about[f"{SCHEMA}actionStatus"].removeprefix(SCHEMA).removesuffix("ActionStatus")
    return found


def core(document: Document) -> None:
    report = provrepo.validate(document, profiles=["core"])
    assert report.conforms, report.findings
    assert report.possible


# --- Snakemake ---------------------------------------------------------------------------------------------------

JOB = {
    "rule": "clean",
    "input": ["clean.py", "raw.csv"],
    "log": ["logs/clean.log"],
    "shellcmd": "python clean.py raw.csv clean.csv --token=hush-hush",
    "params": ["1.0"],
    "code": "python clean.py {input} {output}",
    "record_format_version": 6,
    "conda_env": None,
    "container_img_url": "docker://lab/clean:1",
    "job_hash": 8755268394763,
    "starttime": 1795187778.25,
    "endtime": 1795187779.5,
    "incomplete": False,
    "input_checksums": {"raw.csv": f"sha256:{RAW}"},
}
TRAIN = {**JOB, "rule": "train", "input": ["clean.csv"], "shellcmd": "train", "job_hash": 2, "input_checksums": {}}
TRAIN |= {"starttime": 1795187780, "endtime": 1795187790, "code": "train"}


def encoded(output: str, length: int = 254) -> str:
    """The name of a record as Snakemake makes it."""
    text = urlsafe_b64encode(output.encode()).decode()
    parts = [text[start : start + length] for start in range(0, len(text), length)]
    return "/".join([*(f"@{part}" for part in parts[:-1]), parts[-1]])


def workflow(root: Path, records: dict[str, Any]) -> Path:
    for output, record in records.items():
        path = root / ".snakemake" / "metadata" / encoded(output)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record if isinstance(record, str) else json.dumps(record))
        if not output.startswith("gone"):
            (root / output).parent.mkdir(parents=True, exist_ok=True)
            (root / output).write_text(output)
            os.utime(root / output, (1795187779.5, 1795187779.5))
    return root


def collected(repository: Repository, root: Path) -> Document:
    found = repository.import_documents(root, format="snakemake")
    assert [receipt.version.verdict for receipt in found.receipts] == ["conforms"]
    data, _ = repository.original("default", found.receipts[0].version.name)
    return provrepo.read(data)


def test_the_outputs_of_one_job_are_of_one_activity(repository: Repository, tmp_path: Path) -> None:
    long = "deep/" * 60 + "model.pkl"
    root = workflow(
        tmp_path / "crops", {"clean.csv": JOB, "gone.csv": JOB, long: TRAIN, "bad.csv": {**TRAIN, "incomplete": True}}
    )
    (root / ".snakemake" / "conda" / "env").mkdir(parents=True)
    (root / ".snakemake" / "conda" / "env" / "a.json").write_text("{}")
    document = collected(repository, root)
    assert document.format == "snakemake"
    core(document)
    # One output of this job is incomplete: the job failed, and what it had finished before is its output.
    assert statuses(document) == {"clean": "Completed", "train": "Failed"}
    assert labelled(document, GENERATION) == {("clean.csv", "clean"), ("gone.csv", "clean"), (long, "train")}
    assert labelled(document, USAGE) >= {("clean", "raw.csv"), ("clean", "clean.py"), ("train", "clean.csv")}
    contents = {args[1] for args in labelled(document, SPECIALIZATION)}
    assert {content_of("sha256", RAW), content_of("sha256", sha256(b"clean.csv").hexdigest())} <= contents
    assert [one.message.partition(": ")[2] for one in document.warnings] == [
        "the output was not there when the records were collected; it has no digest"
    ]
    assert b"hush" not in document.write("provn")
    assert len({one.args[1] for one in document if one.kind is GENERATION and "clean" in str(one.args[0])}) == 1


def test_outputs_that_are_not_there_are_made_only_if_another_job_read_them(
    repository: Repository, tmp_path: Path
) -> None:
    # Snakemake removes the outputs of a job that failed, and their records say that they are complete.
    broken = {**JOB, "rule": "broken", "job_hash": 3}
    root = workflow(
        tmp_path / "crops",
        {"gone.csv": broken, "gone-temporary.csv": JOB, "model": {**TRAIN, "input": ["gone-temporary.csv"]}},
    )
    document = collected(repository, root)
    core(document)
    assert labelled(document, GENERATION) == {("gone-temporary.csv", "clean"), ("model", "train")}
    assert statuses(document) == {"clean": "Completed", "train": "Completed"}
    assert any("no output of the job is there" in one.message for one in document.warnings)


def test_a_copy_of_the_records_without_the_data_says_nothing_of_outputs_that_are_not_there(
    repository: Repository, tmp_path: Path
) -> None:
    root = workflow(tmp_path / "crops", {"gone.csv": JOB, "gone-model": TRAIN})
    (root / ".snakemake" / "metadata").rename(root / "metadata")
    (root / ".snakemake").rmdir()
    document = collected(repository, root)
    assert labelled(document, GENERATION) == {("gone.csv", "clean"), ("gone-model", "train")}
    assert statuses(document) == {"clean": "Completed", "train": "Completed"}


def test_an_output_that_was_changed_afterwards_has_no_digest(repository: Repository, tmp_path: Path) -> None:
    root = workflow(tmp_path / "crops", {"clean.csv": JOB})
    os.utime(root / "clean.csv", (1795187799, 1795187799))
    document = collected(repository, root)
    assert "was changed after the job had ended" in document.warnings[0].message
    assert content_of("sha256", sha256(b"clean.csv").hexdigest()) not in {
        args[1] for args in labelled(document, SPECIALIZATION)
    }
    repository.rebuild()
    again = repository.import_documents(root, format="snakemake")
    assert [receipt.created for receipt in again.receipts] == [False]


def test_damaged_records_are_left_out_and_named(repository: Repository, tmp_path: Path) -> None:
    root = workflow(tmp_path / "crops", {"clean.csv": JOB})
    folder = root / ".snakemake" / "metadata"
    (folder / "no base64").write_text(json.dumps(JOB))
    (folder / encoded("cut.csv")).write_text('{"rule": "cle')
    (folder / encoded("none.csv")).write_text("{}")
    (folder / encoded("newer.csv")).write_text(json.dumps({**JOB, "record_format_version": 9, "job_hash": 7}))
    found = repository.import_documents(root, format="snakemake")
    assert found.receipts == ()
    assert "left out" in found.skipped[0].reason
    ((part, _),) = snakemake.collect(files_of(root), root)
    assert isinstance(part, Part)
    document = provrepo.read(part.data)
    assert len([one for one in document.warnings if one.violation]) == 3
    assert any("format 9" in one.message for one in document.warnings)
    assert ("clean.csv", "clean") in labelled(document, GENERATION)


# --- Cromwell ----------------------------------------------------------------------------------------------------

INNER = {
    "id": "b2",
    "workflowName": "inner",
    "status": "Succeeded",
    "start": "2026-03-01T09:05:00Z",
    "end": "2026-03-01T09:06:00Z",
    "calls": {"inner.sum": [{"executionStatus": "Done", "shardIndex": -1, "attempt": 1, "outputs": {"n": 3}}]},
}
CROMWELL: dict[str, Any] = {
    "id": "a1",
    "workflowName": "crops",
    "status": "Failed",
    "start": "2026-03-01T09:00:00Z",
    "end": "2026-03-01T10:00:00Z",
    "actualWorkflowLanguage": "WDL",
    "submittedFiles": {"workflow": "workflow crops {}"},
    "workflowProcessingEvents": [{"cromwellVersion": "87", "description": "PickedUp"}],
    "inputs": {"raw": "gs://lab/raw.csv", "rate": 0.1},
    "failures": [{"message": "Workflow failed", "causedBy": [{"message": "boom", "causedBy": []}]}],
    "calls": {
        "crops.clean": [
            {
                "executionStatus": "RetryableFailure",
                "shardIndex": 0,
                "attempt": 1,
                "inputs": {"table": "gs://lab/raw.csv"},
                "outputs": {"out": "/exec/attempt-1/clean.csv"},
            },
            {
                "executionStatus": "Done",
                "shardIndex": 0,
                "attempt": 2,
                "start": "2026-03-01T09:01:00Z",
                "end": "2026-03-01T09:02:00Z",
                "dockerImageUsed": "lab/clean@sha256:" + "1" * 64,
                "inputs": {"table": "gs://lab/raw.csv", "rate": 0.1, "password": "hush"},
                "outputs": {"out": {"left": "/exec/clean.csv", "right": ["/exec/more.csv", 7]}, "rows": 12},
            },
        ],
        "crops.train": [
            {
                "executionStatus": "Done",
                "shardIndex": -1,
                "attempt": 1,
                "start": "2026-03-01T09:10:00Z",
                "end": "2026-03-01T09:20:00Z",
                "inputs": {"tables": [["/exec/clean.csv"]]},
                "outputs": {"model": "/exec/model.pkl"},
                "callCaching": {"hit": True, "result": "Cache Hit: 99-88:crops.train:-1"},
            },
            {"executionStatus": "Failed", "shardIndex": 1, "failures": [{"message": "x"}], "outputs": {"m": "/exec/m"}},
        ],
        "crops.inner": [{"executionStatus": "Done", "shardIndex": -1, "subWorkflowMetadata": INNER}],
    },
}


def test_calls_attempts_shards_and_workflows_within() -> None:
    document = provrepo.read(json.dumps(CROMWELL).encode())
    assert document.format == "cromwell"
    assert document.warnings == []
    core(document)
    assert statuses(document) == {
        "crops": "Failed",
        "inner": "Completed",
        "inner.sum": "Completed",
        "crops.clean/shard-0": "Failed",
        "crops.clean/shard-0/attempt-2": "Completed",
        "crops.train": "Completed",
        "crops.train/shard-1": "Failed",
    }
    assert labelled(document, GENERATION) == {
        ("/exec/clean.csv", "crops.clean/shard-0/attempt-2"),
        ("/exec/more.csv", "crops.clean/shard-0/attempt-2"),
        ("rows", "crops.clean/shard-0/attempt-2"),
        ("/exec/model.pkl", "crops.train"),
        ("n", "inner.sum"),
    }
    assert ("crops.train", "/exec/clean.csv") in labelled(document, USAGE)
    assert labelled(document, START) == {
        ("inner", "crops"),
        ("inner.sum", "inner"),
        ("crops.clean/shard-0", "crops"),
        ("crops.clean/shard-0/attempt-2", "crops"),
        ("crops.train", "crops"),
        ("crops.train/shard-1", "crops"),
    }
    assert labelled(document, DERIVATION) >= {("/exec/model.pkl", "model")}
    (copied,) = [one for one in document if one.kind is DERIVATION and "model.pkl" in str(one.args[0])]
    assert str(copied.args[1]) == "https://w3id.org/provrepo/cromwell/call/99-88/crops.train/output/model"
    assert b"hush" not in document.write("provn")


# --- Nextflow ----------------------------------------------------------------------------------------------------


def record(kind: str, **spec: Any) -> dict[str, Any]:
    return {"version": "lineage/v1beta1", "kind": kind, "spec": spec}


NEXTFLOW: dict[str, Any] = {
    "a0": record(
        "WorkflowRun",
        name="peaceful_curie",
        workflow={"repository": "https://lab.example/crops", "commitId": "1" * 40, "scriptFiles": [{"path": "a.nf"}]},
        params=[{"type": "path", "name": "raw", "value": "raw.csv"}, {"type": "val", "name": "rate", "value": 0.1}],
        metadata={"nextflow": {"version": "25.10.0"}},
    ),
    "b1": record(
        "TaskRun",
        name="CLEAN (1)",
        script="clean",
        container="lab/clean:1",
        workflowRun="lid://a0",
        input=[{"type": "path", "name": "t", "value": [
            {"path": "raw.csv", "checksum": {"value": RAW, "algorithm": "sha256", "mode": "standard"}},
            {"path": "b.csv", "checksum": {"value": "2" * 32, "algorithm": "nextflow", "mode": "standard"}},
        ]}],
    ),
    "b1#output": record("TaskOutput", taskRun="lid://b1", workflowRun="lid://a0", createdAt="2026-03-01T09:00:00Z",
                        output=[{"type": "path", "name": "out", "value": ["lid://b1/clean.csv"]},
                                {"type": "val", "name": "rows", "value": 12}]),
    "b1/clean.csv": record("FileOutput", path="/work/b1/clean.csv", taskRun="lid://b1", source="lid://b1", size=7,
                           createdAt="2026-03-01T09:00:00.123456789+01:00", labels=["table"],
                           checksum={"value": "3" * 32, "algorithm": "nextflow"}),
    "c2": record("TaskRun", name="TRAIN", script="train", workflowRun="lid://a0",
                 input=[{"type": "path", "name": "in", "value": ["lid://b1/clean.csv", "lid://zz/elsewhere.csv"]}]),
    "a0/clean.csv": record("FileOutput", path="/results/clean.csv", workflowRun="lid://a0", taskRun=None,
                           source="lid://b1/clean.csv", createdAt="2026-03-01T09:01:00Z"),
}  # fmt: skip


def lineage(root: Path, records: dict[str, Any]) -> Path:
    for lid, value in records.items():
        path = root / ".lineage" / lid / ".data.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return root


def stored(records: dict[str, Any]) -> Document:
    return provrepo.read(json.dumps({"nextflowLineage": "crops", "records": records}).encode())


def test_a_lineage_store(repository: Repository, tmp_path: Path) -> None:
    found = repository.import_documents(lineage(tmp_path / "crops", NEXTFLOW), format="nextflow")
    assert [(r.version.name, r.version.verdict) for r in found.receipts] == [("nextflow", "conforms")]
    data, _ = repository.original("default", "nextflow")
    document = provrepo.read(data)
    assert document.format == "nextflow"
    assert document.warnings == []
    core(document)
    assert labelled(document, GENERATION) == {
        ("clean.csv", "CLEAN (1)"),
        ("rows", "CLEAN (1)"),
        ("clean.csv", "peaceful_curie"),
    }
    assert labelled(document, DERIVATION) >= {("clean.csv", "clean.csv")}
    assert ("TRAIN", "clean.csv") in labelled(document, USAGE)
    assert ("TRAIN", "elsewhere.csv") in labelled(document, USAGE)
    contents = {args[1] for args in labelled(document, SPECIALIZATION)}
    assert contents == {content_of("sha256", RAW)}, "the algorithm nextflow is of no file"
    graph = repository.lineage("lid://a0/clean.csv")
    assert content_of("sha256", RAW) in {node.iri for node in graph.nodes}
    # The first version of the model has the members of spec beside the version.
    flat = {
        lid: {"version": value["version"], "type": value["kind"], **value["spec"]} for lid, value in NEXTFLOW.items()
    }
    assert labelled(stored(flat), USAGE) == labelled(document, USAGE)


def test_a_lineage_store_may_have_another_name(repository: Repository, tmp_path: Path) -> None:
    place = tmp_path / "lab" / "store" / ("0a" * 16) / ".data.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(record("WorkflowRun")))
    found = repository.import_documents(tmp_path / "lab")
    assert [(receipt.version.format, receipt.version.name) for receipt in found.receipts] == [("nextflow", "nextflow")]


def test_records_of_another_version_are_left_out_and_named() -> None:
    document = stored({**NEXTFLOW, "x": record("TaskRun") | {"version": "lineage/v9"}, "y": "{", "z": record("Dream")})
    wrong = {one.message.partition(":")[0] for one in document.warnings if one.violation}
    assert wrong == {"x/version", "y", "z/kind"}


# --- all of them -------------------------------------------------------------------------------------------------

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _with(value: dict[str, Any], path: list[str], wrong: Any) -> dict[str, Any]:
    copy = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[int(key) if isinstance(place, list) else key]
    place[int(path[-1]) if isinstance(place, list) else path[-1]] = wrong
    return copy


def _paths(value: Any, before: tuple[str, ...] = ()) -> list[list[str]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [[*before, str(key)] for key, _ in items]
    return found + [path for key, item in items for path in _paths(item, (*before, str(key)))]


WHOLE = {
    "cromwell": CROMWELL,
    "nextflow": {"nextflowLineage": "crops", "records": NEXTFLOW},
    "snakemake": {
        "snakemakeProject": "crops",
        "records": {encoded("a.csv"): JOB, encoded("b.csv"): TRAIN},
        "files": {},
    },
}


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_json_makes_a_document_or_a_finding(name: str, data: st.DataObject) -> None:
    wrong = data.draw(_JSON)
    value = _with(WHOLE[name], data.draw(st.sampled_from(_paths(WHOLE[name]))), wrong)
    try:
        document = provrepo.read(json.dumps(value).encode(), format=name)
    except ReadError:
        return
    for format_ in ("provn", "provxml", "turtle"):
        assert document.write(format_)


@pytest.mark.parametrize("name", WHOLE)
def test_the_order_of_records_does_not_matter(name: str) -> None:
    def turned(value: Any) -> Any:
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    one = provrepo.read(json.dumps(WHOLE[name]).encode(), format=name)
    other = provrepo.read(json.dumps(turned(WHOLE[name])).encode(), format=name)
    for kind in (USAGE, GENERATION, SPECIALIZATION, START):
        assert labelled(one, kind) == labelled(other, kind)


@pytest.mark.parametrize("name", ["nextflow", "snakemake"])
def test_other_json_is_no_record(name: str) -> None:
    for text in (b"[]", b"{}", b'{"records": 1}', b"{"):
        with pytest.raises(ReadError):
            provrepo.read(text, format=name)
