"""Runs of MLflow from a database, from files and from a server: one mapping."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.cli.imports.asking import asked as asked_by_command
from provrepo.cli.imports.asking import asks
from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import Error, ReadError, UsageError
from provrepo.importers.contents import content_of
from provrepo.importers.mlflow.codec import ask, collect
from provrepo.importers.mlflow.codec import read as read_snapshot
from provrepo.importers.mlflow.names import ROOT, TERMS
from provrepo.importers.mlflow.records import POINTS, history
from provrepo.importers.parts import Part, Skipped
from provrepo.importers.sources import digests_of, files_of
from provrepo.model.document import Document
from provrepo.model.statements import (
    ASSOCIATION,
    DERIVATION,
    GENERATION,
    INFLUENCE,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)
from provrepo.vocab import MLS, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA
from tests.support.mlflow_stores import BROKEN, COMMIT, FILES, MODEL, PARENT, TRAIN, database, file_store, server


def collected(folder: Path) -> dict[str, Part]:
    return {one.part.name: one.part for one in collect(files_of(folder), folder) if isinstance(one.part, Part)}


def asked(url: str, *experiments: str) -> dict[str, Part]:
    return {part.name: part for part in ask(url, experiments) if isinstance(part, Part)}


def read(part: Part) -> Document:
    return provrepo.read(part.data)


def without(found: Any, *names: str) -> Any:
    if isinstance(found, dict):
        return {key: without(each, *names) for key, each in found.items() if key not in names}
    return [without(each, *names) for each in found] if isinstance(found, list) else found


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    """Labels of the arguments of relations; identifiers of what has no label."""
    labels = {
        str(one.id): str(value) for one in document for name, value in one.attributes if one.id and name == RDFS_LABEL
    }
    found = [[labels.get(str(arg), str(arg)) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(args) for args in found}


def values(document: Document, *names: str) -> list[str]:
    return [str(value) for one in document for name, value in one.attributes if name in names]


def test_a_training_run_from_files(tmp_path: Path) -> None:
    document = read(collected(file_store(tmp_path))[f"run-{TRAIN}"])
    assert document.format == "mlflow"
    assert related(document, START) == {("train", f"{ROOT}run/{PARENT}")}
    assert related(document, ASSOCIATION) == {("train", "ana", "train.py")}
    roles = {
        (str(one.args[1]).rpartition("/")[2], value.lexical)
        for one in document
        if one.kind is USAGE
        for name, value in one.attributes
        if name == PROV_ROLE
    }
    assert roles >= {("454d8bfd", "training"), ("86b470dc", "validation")}
    used = {"plots 454d8bfd", "held 86b470dc", "alpha", "random_state", "api_token"}
    assert {args[1] for args in related(document, USAGE)} == used
    made = {args[0] for args in related(document, GENERATION)}
    assert made == {"loss", "r2", "model", *FILES}
    assert related(document, MEMBERSHIP) == {("model", name) for name in FILES}
    assert {("ridge 1", "model"), ("model", "plots 454d8bfd"), ("r2", "held 86b470dc"), ("r2", "model")} <= related(
        document, DERIVATION
    )
    assert ("model", "held 86b470dc") not in related(document, DERIVATION)
    assert {("ridge 1", "model"), ("plots 454d8bfd", "plots")} <= related(document, SPECIALIZATION)
    assert values(document, f"{TERMS}alias") == ["champion"]
    assert values(document, f"{PROVREPO}seed") == ["7"]
    assert set(values(document, f"{PROVREPO}commit")) == {COMMIT}
    assert "scikit-learn==1.9.1" in values(document, f"{SCHEMA}softwareRequirements")
    assert "Python 3.11.7" in values(document, f"{SCHEMA}runtimePlatform")
    assert document.warnings == []
    assert b"hush" not in document.write("provn")
    assert "(masked)" in values(document, PROV_VALUE)
    assert provrepo.validate(document, profiles=["ml-training"]).conforms


def test_a_metric_has_its_last_value_and_its_history_in_one_entity(tmp_path: Path) -> None:
    document = read(collected(file_store(tmp_path))[f"run-{TRAIN}"])
    (loss,) = [one for one in document if str(one.id).endswith("#metric/loss")]
    found = {str(name).rpartition("#")[2]: str(value) for name, value in loss.attributes}
    assert (float(found["hasValue"]), found["step"], found["points"]) == (1 / 3, "2", "3")
    assert [point[0] for point in json.loads(found["history"])] == [0, 1, 2]


def test_only_files_with_digests_join_contents_and_no_dataset_does(tmp_path: Path) -> None:
    part = collected(file_store(tmp_path))[f"run-{TRAIN}"]
    (model,) = [file for file in files_of(tmp_path) if file.path.endswith("model.pkl")]
    digests = digests_of(model, ("sha256",))
    content = content_of("sha256", digests["sha256"])
    contents = {args for args in related(read(part), SPECIALIZATION) if args[1].startswith(("ni:", "urn:hash"))}
    assert ("model.pkl", content) in contents
    assert {args[0] for args in contents} == set(FILES)


def test_a_failed_run_generated_nothing_and_keeps_what_it_logged(tmp_path: Path) -> None:
    document = read(collected(file_store(tmp_path))[f"run-{BROKEN}"])
    assert related(document, GENERATION) == set()
    assert related(document, INFLUENCE) == {("loss", "broken")}
    assert f"{SCHEMA}FailedActionStatus" in values(document, f"{SCHEMA}actionStatus")
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_the_three_stores_give_the_same_documents(tmp_path: Path) -> None:
    files = collected(file_store(tmp_path / "files"))
    (tmp_path / "one").mkdir()
    rows = collected(database(tmp_path / "one" / "mlflow.db").parent)
    with server() as (url, paths):
        answers = asked(url)
    assert set(files) == set(rows) == set(answers) == {f"run-{id_}" for id_ in (PARENT, TRAIN, BROKEN)}
    for name, part in files.items():
        found = json.loads(part.data)
        assert without(json.loads(rows[name].data), "files") == without(found, "files")
        # A server lists files, and their digests are not known.
        assert json.loads(answers[name].data) == without(found, "digests")
    assert all(path.startswith(("/api/2.0/mlflow/", f"/ajax-api/2.0/mlflow/logged-models/{MODEL}/")) for path in paths)


def test_a_database_beside_its_artifacts_has_their_digests(tmp_path: Path) -> None:
    file_store(tmp_path / "mlruns")
    for path in sorted((tmp_path / "mlruns").rglob("meta.yaml")):
        path.unlink()
    database(tmp_path / "mlflow.db")
    found = json.loads(collected(tmp_path)[f"run-{TRAIN}"].data)
    assert {file["path"] for file in found["models"][0]["files"]} == set(FILES)
    assert all(file["digests"]["sha256"] for file in found["models"][0]["files"])


def test_a_file_a_folder_and_a_server_are_imported(tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    one = repository.import_documents(database(tmp_path / "mlflow.db"))
    assert len(one.receipts) == 3
    assert one.skipped == ()
    again = repository.import_documents((tmp_path / "mlflow.db").read_bytes(), file="mlflow.db")
    assert [receipt.created for receipt in again.receipts] == [False] * 3


def test_the_command_asks_a_server(tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    options = {"project": "default", "name": None, "format": "mlflow", "base": None}
    assert (asks("http://lab", "mlflow"), asks("http://lab", None), asks("mlflow.db", "mlflow")) == (True, False, False)
    with server() as (url, _):
        found = asked_by_command(repository, url, ["1"], options)
        with pytest.raises(UsageError, match="without a query"):
            asked_by_command(repository, f"{url}?token=hush", [], options)
    assert sorted(receipt.version.name for receipt in found.receipts) == sorted(
        f"run-{id_}" for id_ in (PARENT, TRAIN, BROKEN)
    )
    assert found.skipped == ()


def test_a_server_that_fails_in_part_and_one_that_is_none_of_mlflow() -> None:
    with server(frozenset({"model-versions/search"})) as (url, _):
        found = list(ask(url, ["crop-yield"]))
        assert [part.reason for part in found if isinstance(part, Skipped)] != []
        assert len([part for part in found if isinstance(part, Part)]) == 3
        with pytest.raises(UsageError, match="crop-yield"):
            list(ask(url, ["other"]))
    with server(frozenset({"experiments/search"})) as (url, _), pytest.raises(Error):
        list(ask(url, []))


def skipped(folder: Path) -> list[Skipped]:
    return [one.part for one in collect(files_of(folder), folder) if isinstance(one.part, Skipped)]


def test_hostile_and_damaged_databases_are_said(tmp_path: Path) -> None:
    path = database(tmp_path / "mlflow.db")
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE datasets; CREATE VIEW datasets AS WITH RECURSIVE n(x) AS"
        " (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;"
    )
    connection.close()
    assert len(collected(tmp_path)) == 3  # a view is no table, and is not read
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert [one.place for one in skipped(tmp_path)] == [str(path)]
    path.write_bytes(whole)
    (tmp_path / "mlflow.db-wal").write_bytes(b"changes")
    assert "-wal" in skipped(tmp_path)[0].reason


def test_a_damaged_file_of_a_store_stops_nothing_else(tmp_path: Path) -> None:
    file_store(tmp_path)
    meta = tmp_path / "1" / BROKEN / "meta.yaml"
    meta.write_text("status: [1", "utf-8")
    (tmp_path / "1" / TRAIN / "metrics" / "loss").write_text("half\n1795187006000 0.5 1\n", "utf-8")
    assert set(collected(tmp_path)) == {f"run-{PARENT}", f"run-{TRAIN}"}
    places = [one.place for one in skipped(tmp_path)]
    assert any(place.startswith(str(meta)) for place in places)
    assert any(place.endswith("loss, line 1") for place in places)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: *x", "alias"),
        ("a: 1\na: 2", "twice"),
        ("a: [", "not YAML"),
        ("[" * 100, "deep"),
        (b"\xff", "UTF-8"),
    ],
)
def test_yaml_that_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        parse_yaml(text if isinstance(text, bytes) else text.encode(), "mlflow")


def test_yaml_is_read_as_json_has_it() -> None:
    found = parse_yaml(b"at: 2026-11-20\nn: 1\nyes: true\nnone: null\n1: one\n", "mlflow")
    assert found == {"at": "2026-11-20", "n": 1, "yes": True, "none": None, "1": "one"}


def test_answers_of_rest_are_read_as_they_are() -> None:
    info = {"run_id": TRAIN, "status": "FINISHED", "start_time": 0, "end_time": 1, "user_id": "ana"}
    metrics = [{"key": "r2", "value": "NaN", "timestamp": 1, "step": 0}]
    for answer in ({"runs": [{"info": info, "data": {"metrics": metrics}}]}, {"run": {"info": info, "data": {}}}):
        document = provrepo.read(json.dumps(answer).encode())
        assert document.format == "mlflow"
        assert provrepo.validate(document, profiles=["core"]).conforms
    assert read_snapshot(b"{}", format="mlflow", base=None).warnings[0].violation


def test_models_before_mlflow_3_are_in_a_tag_of_the_run() -> None:
    tag = json.dumps([{"artifact_path": "model", "model_uuid": "u", "run_id": TRAIN}])
    snapshot = {
        "mlflow_snapshot": 1,
        "run": {"run_id": TRAIN, "status": "FINISHED", "start_time": 0, "tags": {"mlflow.log-model.history": tag},
                "files": [{"path": "model/MLmodel", "size": 1, "digests": {}}]},
        "versions": [{"name": "ridge", "version": "1", "source": f"mlflow-artifacts:/1/{TRAIN}/artifacts/model",
                      "current_stage": "Production"}],
    }  # fmt: skip
    document = provrepo.read(json.dumps(snapshot).encode())
    assert ("ridge 1", "model") in related(document, SPECIALIZATION)
    assert related(document, MEMBERSHIP) == {("model", "model/MLmodel")}
    assert values(document, f"{TERMS}stage") == ["Production"]
    assert f"{MLS}Model" in values(document, "http://www.w3.org/ns/prov#type")


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 9), st.floats()), max_size=30))
def test_a_history_does_not_depend_on_order_or_repetition(points: list[tuple[int, int, float]]) -> None:
    assert history(points) == history([*reversed(points), *points])


def test_a_long_history_keeps_its_ends() -> None:
    found = history((step, step, 0.5) for step in range(POINTS * 3 + 7))
    assert (found["count"], len(found["points"])) == (POINTS * 3 + 7, POINTS)
    assert [found["points"][0][0], found["points"][-1][0], found["last"][0]] == [0, POINTS * 3 + 6, POINTS * 3 + 6]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def some(names: Iterable[str], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, inner))


FILE = some(("path", "size", "digests", "text"), VALUES)
RUN = st.fixed_dictionaries(
    {"run_id": st.text(min_size=1)},
    optional={
        **dict.fromkeys(("run_name", "status", "start_time", "tags", "params", "metrics", "inputs", "user_id"), VALUES),
        "metrics": st.dictionaries(st.text(), some(("last", "points", "count"), VALUES | st.lists(VALUES, min_size=3))),
        "datasets": st.lists(VALUES | some(("name", "digest", "source", "tags"), VALUES), max_size=3),
        "files": st.lists(FILE, max_size=2),
    },
)
MODELS = some(("model_id", "name", "status", "source_run_id", "creation_timestamp_ms", "files", "tags"), VALUES)
VERSIONS = some(("name", "version", "source", "aliases", "current_stage", "creation_timestamp"), VALUES)


@given(
    st.fixed_dictionaries(
        {"mlflow_snapshot": VALUES},
        optional={
            "run": RUN | VALUES,
            "experiment": VALUES | some(("experiment_id", "name", "creation_time"), VALUES),
            "models": st.lists(MODELS | VALUES, max_size=2) | VALUES,
            "versions": st.lists(VERSIONS | VALUES, max_size=2) | VALUES,
            "links": st.lists(some(("key", "model_id", "dataset_name", "dataset_digest"), VALUES), max_size=2),
        },
    )
    | VALUES
)
def test_any_json_makes_a_document_or_a_finding(value: Any) -> None:
    document = read_snapshot(json.dumps(value).encode(), format="mlflow", base=None)
    document.write("provn")
    if not isinstance(value, dict | list):
        assert document.warnings
