"""``provrepo runs`` and ``provrepo compare-runs``: recordings by label, and drift against limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import provrepo
from provrepo.authoring.steps import described, document
from provrepo.capture import log_metrics, log_params, session, step
from provrepo.errors import NotFound, UsageError
from provrepo.repository.queries.runs import compare_runs, list_runs
from tests.support.command import Command
from tests.support.distance import started

LABELS = ["twice", "twice", "failing", "strong", "first"]


@step
def fit(alpha: float, accuracy: float, *, fail: bool = False) -> None:
    """Measures what it is told."""
    log_params({"alpha": alpha})
    log_metrics({"accuracy": accuracy} | ({"recall": 0.5} if alpha < 1 else {}))
    if fail:
        raise ValueError


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with recordings of programs and one by hand."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch, provrepo.open(folder / "data") as repository:
        patch.chdir(folder)
        values = [
            ("first", 0.1, 0.8),
            ("strong", 1.0, 0.9),
            ("failing", 1.0, 0.9),
            ("twice", 1.0, 0.9),
            ("twice", 1.0, 0.9),
        ]
        for number, (label, alpha, accuracy) in enumerate(values):
            try:
                with session(label, out=f"{number}.trig"):
                    fit(alpha, accuracy, fail=label == "failing")
            except ValueError:
                pass
            repository.submit(f"{number}.trig", name=f"run-{number}")
        by_hand = {"what": ["weighed"], "who": ["Ana"], "when": ["2026-01-31T09:00Z"], "output": ["urn:x:weights"]}
        repository.submit(document([described(by_hand)]).write("trig"), name="weighed", format="trig")
    return folder / "data"


def test_recordings_are_listed_the_newest_first(data: Path) -> None:
    with provrepo.open(data) as repository:
        found = list_runs(repository)
        assert [run.label for run in found] == [*LABELS, "weighed"]
        assert [run.kind for run in found] == ["program"] * 5 + ["by hand"]
        assert [run.steps for run in found] == [1] * 5 + [0]
        assert found[-1].who == "Ana"
        assert [run.label for run in list_runs(repository, status="failed")] == ["failing"]
        assert [run.label for run in list_runs(repository, before="2026-02-01T00:00:00Z")] == ["weighed"]
        assert [run.label for run in list_runs(repository, since=found[0].started)] == ["twice"]
        with pytest.raises(UsageError, match="'lost' is not a status"):
            list_runs(repository, status="lost")
        with pytest.raises(NotFound):
            list_runs(repository, project="nowhere")


def test_labels_stand_for_recordings(data: Path) -> None:
    with provrepo.open(data) as repository:
        found = compare_runs(repository, "first", "strong")
        told = {(each.aspect, each.name): (each.first, each.second, each.drift) for each in found.differences}
        assert told["parameter", "alpha"] == ("0.1", "1.0", None)
        assert told["measure", "accuracy"] == ("0.8", "0.9", pytest.approx(0.125))
        assert told["measure", "recall"] == ("0.5", "", float("inf"))
        assert compare_runs(repository, found.first, found.second) == found
        with pytest.raises(UsageError, match="2 recordings have the label 'twice'; name one by its IRI: urn:uuid:"):
            compare_runs(repository, "first", "twice")
        with pytest.raises(NotFound, match="no recording has the label 'lost'"):
            compare_runs(repository, "first", "lost")
        with pytest.raises(NotFound, match="nothing is known of a recording urn:x:lost"):
            compare_runs(repository, "first", "urn:x:lost")
        with pytest.raises(UsageError, match="is not an absolute IRI"):
            compare_runs(repository, "first", "urn:x> } #")
        with pytest.raises(UsageError, match="not negative"):
            compare_runs(repository, "first", "strong", drift=-1)


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        (["0.1"], ["accuracy", "recall"]),
        (["0.2"], ["recall"]),
        (["recall=1000"], ["recall"]),
        (["accuracy=0.1"], ["accuracy"]),
        (["0.1", "accuracy=0.2"], ["recall"]),
    ],
)
def test_drift_is_compared_with_limits(data: Path, limits: list[str], exceeded: list[str]) -> None:
    words = [word for limit in limits for word in ("--drift", limit)]
    found = Command(data).json("compare-runs", "first", "strong", *words, code=1)
    assert [each["name"] for each in found["differences"] if each["exceeded"]] == exceeded
    assert found["exceeded"] == len(exceeded)


def test_exit_codes_of_a_comparison(data: Path) -> None:
    run = Command(data)
    assert "accuracy" in run("compare-runs", "first", "strong", code=1).stdout
    assert run("compare-runs", "strong", "strong").stdout.splitlines() == ["ASPECT  STEP  NAME  FIRST  SECOND  DRIFT"]
    # What differs without drift is shown, and is no failure.
    assert "alpha" in run("compare-runs", "first", "strong", "--drift", "precision=0.1").stdout
    assert "write a number, such as 0.1" in run.error("compare-runs", "first", "strong", "--drift", "a", code=2)


def test_at_a_distance(data: Path) -> None:
    here = Command(data)
    with provrepo.open(data) as repository:
        token, _ = repository.create_token("ada")
    listed, compared = here.json("runs"), here.json("compare-runs", "first", "strong", code=1)
    with started(data) as url, provrepo.connect(url, token=token) as repository:
        assert [run.to_dict() for run in list_runs(repository)] == listed
        assert json.loads(json.dumps(compare_runs(repository, "first", "strong").to_dict())) == compared
