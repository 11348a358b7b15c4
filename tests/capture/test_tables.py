"""Tables are described where that is asked for: in bounds, and without telling of few rows."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provrepo.capture import session, step
from provrepo.capture.facts.tables import COLUMNS, described
from provrepo.model.statements import GENERATION
from provrepo.vocab import DQV, PROV_LABEL, PROV_TYPE, PROVREPO
from tests.support.captured import Captured


class Column:
    """One column, as pandas has them."""

    iloc = None

    def __init__(self, name: str, kind: str, values: list[Any]) -> None:
        self.name, self.values, self.dtype = name, values, SimpleNamespace(kind=kind)
        self.shape = (len(values),)

    def isna(self) -> Any:
        return SimpleNamespace(sum=lambda: self.values.count(None))

    def known(self) -> list[Any]:
        return [value for value in self.values if value is not None]

    def mean(self) -> float:
        return float(sum(self.known()) / len(self.known()))

    def std(self) -> float:
        return float((sum((v - self.mean()) ** 2 for v in self.known()) / (len(self.known()) - 1)) ** 0.5)

    def nunique(self) -> int:
        return len(set(self.known()))

    def value_counts(self) -> Counter[Any]:
        return Counter(self.known())


class Frame:
    """A table, as pandas has them."""

    def __init__(self, *columns: Column) -> None:
        self.columns = [column.name for column in columns]
        self.shape = (len(columns[0].values), len(columns))
        self._data = columns

    def isna(self) -> None:
        """Marks a table of the kind of pandas."""

    @property
    def iloc(self) -> Any:
        return _Located(self._data)


class _Located:
    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns

    def __getitem__(self, key: tuple[Any, int]) -> Column:
        return self._columns[key[1]]


TABLE = Frame(
    Column("height", "f", [1.0, 2.0, 3.0, None, 4.0, 5.0, 6.0, 7.0]),
    Column("kind", "O", ["a", "a", "a", "a", "a", "b", "b", None]),
    Column("name", "O", list("abcdefgh")),
    Column("id", "i", list(range(8))),
    Column("password", "O", ["x"] * 8),
)


def test_what_is_told_of_a_table() -> None:
    assert described(TABLE) == {
        "shape": [8, 5],
        "missing": {"height": 1, "kind": 1},
        "mean": {"height": 4.0, "id": 3.5},
        "deviation": {"height": pytest.approx(2.160247), "id": pytest.approx(2.449490)},
        "labels": {"kind": {"a": 5, "(others)": 2}},
    }


def test_few_rows_are_not_told_of() -> None:
    assert described(Frame(Column("height", "f", [1.5]), Column("kind", "O", ["a"]))) == {"shape": [1, 2]}


def test_wide_tables_are_told_of_in_part() -> None:
    wide = Frame(*[Column(f"c{n}", "i", list(range(9))) for n in range(3 * COLUMNS)])
    told = described(wide)
    assert told is not None
    assert (told["shape"], len(told["mean"])) == ([9, 3 * COLUMNS], COLUMNS)


@pytest.mark.parametrize("value", [1, "text", [1, 2], {"shape": (1,)}, SimpleNamespace(shape=(3, 4)), None])
def test_what_is_no_table(value: Any) -> None:
    assert described(value) is None


def test_a_column_that_cannot_be_read_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Column):
        def isna(self) -> Any:
            raise RuntimeError

    assert described(Frame(Broken("x", "f", [1.0] * 9), Column("y", "i", [1] * 9))) == {
        "shape": [9, 2], "mean": {"y": 1.0}, "deviation": {"y": 0.0}, "labels": {"y": {"1": 9}},
    }  # fmt: skip


@step(stats=True)
def clean(table: Frame) -> Frame:
    return Frame(Column("height", "i", [1, 2, 3, 4, 5]))


@step
def plain(table: Frame) -> Frame:
    return Frame(Column("height", "i", [1, 2, 3, 4, 5]))


def measurements(found: Captured) -> dict[str, tuple[str, str, list[str], list[str], str]]:
    """By label: metric, value, column, category, and the activity that measured it."""
    made = {s.args[0]: found.label(s.args[1]) for s in found.document if s.kind is GENERATION}
    return {
        found.values(s, PROV_LABEL)[0]: (
            found.values(s, DQV + "isMeasurementOf")[0].removeprefix(PROVREPO),
            found.values(s, DQV + "value")[0],
            found.values(s, PROVREPO + "column"),
            found.values(s, PROVREPO + "category"),
            made[s.id],
        )
        for s in found.document
        if s.kind.element and DQV + "QualityMeasurement" in found.values(s, PROV_TYPE)
    }


def test_steps_describe_what_they_take_and_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with session("run", out="run.trig"):
        plain(clean(plain(TABLE)))
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    told = measurements(found)
    assert {label.split(" ", 1)[0] for label in told} == {"table", "result"}
    assert told["result row count"] == ("rowCount", "5", [], [], "clean")
    assert told["result column count"] == ("columnCount", "1", [], [], "clean")
    assert told["result height mean"] == ("mean", "3.0", ["height"], [], "clean")
    assert told["result height deviation"][1].startswith("1.58113")


def test_a_step_that_fails_generates_no_measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    @step(stats=True)
    def broken(table: Frame) -> None:
        raise ValueError("broken")

    with session("run", out="run.trig"), pytest.raises(ValueError, match="broken"):
        broken(plain(TABLE))
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert measurements(found)["table row count"] == ("rowCount", "5", [], [], "run")


def test_a_session_describes_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with session("run", out="run.trig", stats=True):
        plain(TABLE)
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    told = measurements(found)
    assert told["table kind a"] == ("frequency", "5", ["kind"], ["a"], "plain")
    assert told["table kind (others)"] == ("frequency", "2", ["kind"], [], "plain")
    assert told["table height missing"] == ("missing", "1", ["height"], [], "plain")
    assert [each for each in told if each.endswith("row count")] == ["table row count", "result row count"]
    values = [s for s in found.document if DQV + "QualityMeasurement" in found.values(s, PROV_TYPE)]
    assert all(len(found.values(s, DQV + "value")) == len(found.values(s, DQV + "computedOn")) == 1 for s in values)


def told_of(value: Any) -> dict[str, Any]:
    told = described(value)
    assert told is not None
    return told


def test_the_libraries_themselves_where_they_are() -> None:
    numpy = pytest.importorskip("numpy")
    told = told_of(numpy.array([[1.0, 2.0], [3.0, numpy.nan], [5.0, 1.0], [2.0, 2.0], [1.0, 9.0], [4.0, 3.0]]))
    assert told["shape"] == [6, 2]
    assert told["missing"] == {"1": 1}
    assert told_of(numpy.array([0, 1] * 5))["labels"] == {"values": {"0": 5, "1": 5}}
    assert described(numpy.zeros((2, 3, 4))) == {"shape": [2, 3, 4]}
    data = {"height": [1.0, 2.0, None, 4.0, 5.0, 6.0], "kind": ["a"] * 5 + [None]}
    for library in ("pandas", "polars"):
        told = told_of(pytest.importorskip(library).DataFrame(data))
        assert told == {
            "shape": [6, 2], "missing": {"height": 1, "kind": 1}, "mean": {"height": 3.6},
            "deviation": {"height": pytest.approx(2.073644)}, "labels": {"kind": {"a": 5}},
        }  # fmt: skip
        assert told_of(sys.modules[library].Series(data["kind"]))["labels"] == {"values": {"a": 5}}
