"""``provrepo runs`` and ``provrepo compare-runs``: recordings by label, and drift against limits."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean, stdev
from types import SimpleNamespace
from typing import Any

import pytest

import provrepo
from provrepo.authoring.steps import described, document
from provrepo.capture import log_metrics, log_params, session, step
from provrepo.errors import NotFound, UsageError
from provrepo.repository.queries.named import by_name
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
        found = repository.runs()
        assert [run.label for run in found] == [*LABELS, "weighed"]
        assert [run.kind for run in found] == ["program"] * 5 + ["by hand"]
        assert [run.steps for run in found] == [1] * 5 + [0]
        assert found[-1].who == "Ana"
        assert [run.label for run in repository.runs(status="failed")] == ["failing"]
        assert [run.label for run in repository.runs(before="2026-02-01T00:00:00Z")] == ["weighed"]
        assert [run.label for run in repository.runs(since=found[0].started)] == ["twice"]
        with pytest.raises(UsageError, match="'lost' is not a status"):
            repository.runs(status="lost")
        with pytest.raises(NotFound):
            repository.runs(project="nowhere")


def test_labels_stand_for_recordings(data: Path) -> None:
    with provrepo.open(data) as repository:
        found = repository.compare_runs("first", "strong")
        told = {(each.aspect, each.name): (each.first, each.second, each.drift) for each in found.differences}
        assert told["parameter", "alpha"] == ("0.1", "1.0", None)
        assert told["measure", "accuracy"] == ("0.8", "0.9", pytest.approx(0.125))
        assert told["measure", "recall"] == ("0.5", "", float("inf"))
        assert repository.compare_runs(found.first, found.second) == found
        with pytest.raises(UsageError, match="2 recordings have the label 'twice'; name one by its IRI: urn:uuid:"):
            repository.compare_runs("first", "twice")
        with pytest.raises(NotFound, match="no recording has the label 'lost'"):
            repository.compare_runs("first", "lost")
        with pytest.raises(NotFound, match="nothing is known of a recording urn:x:lost"):
            repository.compare_runs("first", "urn:x:lost")
        with pytest.raises(UsageError, match="is not an absolute IRI"):
            repository.compare_runs("first", "urn:x> } #")
        with pytest.raises(UsageError, match="not negative"):
            repository.compare_runs("first", "strong", drift=-1)


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
        assert [run.to_dict() for run in repository.runs()] == listed
        assert json.loads(json.dumps(repository.compare_runs("first", "strong").to_dict())) == compared


class Column:
    """One column, as pandas has them; it is a sequence of numbers without missing ones."""

    iloc = None

    def __init__(self, name: str, values: list[float]) -> None:
        self.name, self.values, self.shape = name, values, (len(values),)
        self.dtype = SimpleNamespace(kind="f")

    def isna(self) -> Any:
        return SimpleNamespace(sum=lambda: 0)

    def mean(self) -> float:
        return fmean(self.values)

    def std(self) -> float:
        return stdev(self.values)


def test_statistics_of_tables_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    @step(stats=True)
    def heights(more: float, rows: int) -> Column:
        return Column("height", [1.0 * row + more for row in range(rows)])

    with provrepo.open(tmp_path / "data") as repository:
        for label, more, rows in (("first", 0.0, 10), ("same", 0.0, 10), ("higher", 4.5, 10), ("shorter", 0.0, 5)):
            with session(label, out=f"{label}.trig"):
                heights(more, rows)
            repository.submit(f"{label}.trig")

        def told(second: str, drift: float | None = None) -> dict[str, tuple[str, str, float | None, bool]]:
            found = repository.compare_runs("first", second, drift=drift).differences
            return {e.name: (e.first, e.second, e.drift, e.exceeded) for e in found if e.aspect == "statistic"}

        assert told("same") == {}
        assert told("higher", 0.5) == {"result height mean": ("4.5", "9", 1.0, True)}
        assert told("higher", 1.0)["result height mean"][3] is False
        shorter = told("shorter", 0.6)
        assert shorter["result row count"] == ("10", "5", 0.5, False)
        assert shorter["result height mean"][:3] == ("4.5", "2", pytest.approx(2.5 / 4.5))


def test_equal_values_are_an_answer_and_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shared = 7.25

    @step
    def threshold(*, fresh: bool) -> float:
        return sum([shared, 0.5]) if fresh else shared

    @step
    def apply(limit: float) -> None:
        """Takes a number."""

    with session("run", out="run.trig"):
        apply(shared)
        made = threshold(fresh=True)
        apply(made)
        threshold(fresh=False)
        apply(shared)
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit("run.trig")
        found = repository.query(by_name("equal-values").bind({})).rows
        assert [(str(row["argument"]), str(row["value"])) for row in found] == [("limit", "7.25")]
        assert repository.query(by_name("equal-values").bind({"run": "urn:x:other"})).rows == []
