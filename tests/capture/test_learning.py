"""Which steps are training runs, and which only measure."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step


def _written(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("1,0\n", "utf-8")
    Path("test.csv").write_text("0,1\n", "utf-8")


def test_a_step_that_only_measures_is_no_training_run(tmp_path: Path) -> None:
    @step
    def train() -> None:
        log_data("train.csv", "training")
        log_params({"depth": 8}, seed=1)
        Path("model.bin").write_bytes(b"model")
        log_model("model.bin", name="tree")
        log_metrics({"fit": 0.9})

    @step
    def evaluate() -> None:
        log_data("test.csv", "test")
        Path("model.bin").read_bytes()
        log_metrics({"accuracy": 0.8})

    with session("learn", out="run.provn"):
        train()
        evaluate()
    lines = _written(tmp_path / "run.provn")
    assert [line for line in lines if line.startswith("activity") and "mls:Run" in line and '"train"' in line]
    assert not [line for line in lines if line.startswith("activity") and "mls:Run" in line and '"evaluate"' in line]
    measures = [line for line in lines if "mls:ModelEvaluation" in line]
    assert any('"accuracy"' in line for line in measures)
    report = provrepo.validate(provrepo.read("run.provn"), profiles=["ml-training"])
    # The functions above are in no commit where the tests are not, and nothing else may be missing.
    assert {finding.rule.rpartition("#")[2] for finding in report.findings} <= {"Commit", "EvaluationSplit"}


@pytest.mark.parametrize(
    "say",
    [
        lambda: log_params({"depth": 8}),
        lambda: log_data("train.csv", "training"),
        lambda: log_model(Path("test.csv")),
    ],
    ids=["params", "data", "model"],
)
def test_parameters_training_data_and_models_make_a_training_run(say: object, tmp_path: Path) -> None:
    with session("learn", out="run.provn"), step("train"):
        say()  # type: ignore[operator]
    assert any("mls:Run" in line for line in _written(tmp_path / "run.provn") if line.startswith("activity"))
