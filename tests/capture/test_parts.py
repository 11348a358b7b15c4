"""Parts of things are entities of their own."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from provrepo.capture import Part, select, session, step
from provrepo.capture.facts.parts import fragment
from provrepo.vocab import DCTERMS, PROV_LOCATION, PROVREPO
from tests.support.captured import Captured


class Table:
    """Something that steps hand on."""


@step
def load(path: str) -> Table:
    return Table()


@step
def fit(part: Part[Table]) -> None:
    assert isinstance(part.whole, Table)


@step
def head(part: Part[str]) -> None:
    Path(part.whole).read_text()


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("a,b\n1,2\n")


def captured() -> Captured:
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    return found


TABLE = f"{__name__}.Table"


def test_part_of_a_value() -> None:
    with session("run", out="run.trig"):
        table = load("raw.csv")
        fit(select(table, rows=range(100), columns=["a", "b"], name="training rows"))
        fit(select(table, rows=range(100), columns=["a", "b"], name="training rows"))
        fit(select(table, rows=range(100, 120)))
    found = captured()
    assert found.used == {("run", TABLE), ("fit", "training rows"), ("fit", "part 100-119")}
    assert found.generated == {(TABLE, "load"), ("training rows", "run"), ("part 100-119", "run")}
    assert found.derived == {("training rows", TABLE), ("part 100-119", TABLE)}
    part = found.one("training rows")
    assert found.values(part, DCTERMS + "isPartOf") == [str(found.one(TABLE).id)]
    assert found.values(part, PROVREPO + "rows") == ["0-99"]
    assert sorted(found.values(part, PROVREPO + "column")) == ["a", "b"]
    assert found.sources() == set()


def test_part_of_a_file_is_used_and_not_the_file() -> None:
    with session("run", out="run.trig"):
        head(select("raw.csv", rows=slice(0, 1)))
    found = captured()
    assert found.used == {("run", "raw.csv"), ("head", "part 0-0")}
    assert found.derived == {("part 0-0", "raw.csv")}
    assert found.values(found.one("part 0-0"), PROV_LOCATION) == [str(Path("raw.csv").absolute()) + "#row=2-2"]


def test_the_step_that_selects_generates_the_part() -> None:
    @step
    def split(table: Table) -> tuple[Part[Table], Part[Table]]:
        return select(table, rows=slice(0, 80), name="training"), select(table, rows=slice(80, None), name="test")

    with session("run", out="run.trig"):
        training, test = split(load("raw.csv"))
        fit(training)
        fit(test)
    found = captured()
    assert {("split", TABLE), ("fit", "training"), ("fit", "test")} == found.used
    assert {("training", "split"), ("test", "split")} <= found.generated
    assert found.values(found.one("test"), PROVREPO + "rows") == ["80-*"]


def test_a_part_that_was_selected_before_there_was_a_session() -> None:
    part = select("raw.csv", columns=1)
    with session("run", out="run.trig"):
        head(part)
    found = captured()
    assert found.generated == {("part 1", "run")}
    assert found.values(found.one("part 1"), PROV_LOCATION)[0].endswith("raw.csv#col=2")


def test_a_part_selected_by_a_step_that_fails_is_a_source() -> None:
    parts: list[Part[Table]] = []

    @step
    def broken(table: Table) -> None:
        parts.append(select(table, rows=1, name="row"))
        raise ValueError

    with session("run", out="run.trig"):
        with pytest.raises(ValueError):
            broken(load("raw.csv"))
        fit(parts[0])
    found = captured()
    assert found.sources() == {"row"}
    assert found.derived == {("row", TABLE)}


@pytest.mark.parametrize("whole", ["missing.csv", 3, [1] * 5000, None, (1, 2)])
def test_parts_of_what_cannot_be_followed(whole: Any) -> None:
    @step
    def take(part: Part[Any]) -> None: ...

    with session("run", out="run.trig"):
        take(select(whole, rows=1, name="row"))
    found = captured()
    assert found.used == {("take", "row")}
    assert found.derived == set()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"rows": 0}, "row=2"),
        ({"rows": "2-101;110"}, "row=2-101;110"),
        ({"rows": range(0)}, None),
        ({"rows": range(0, 10, 2)}, None),
        ({"rows": slice(None)}, "row=2-*"),
        ({"rows": slice(-5, None)}, None),
        ({"rows": slice(3, 3)}, None),
        ({"columns": [0, 2]}, "col=1;3"),
        ({"columns": ["a"]}, None),
        ({"rows": 1, "columns": 1}, None),
        ({"region": (160, 120, 320, 240)}, "xywh=160,120,320,240"),
        ({"region": "percent:25,25,50,50"}, "xywh=percent:25,25,50,50"),
    ],
)
def test_fragments(told: dict[str, Any], expected: str | None) -> None:
    assert fragment(select("x.csv", **told), "text/csv") == expected
    if "region" not in told:
        assert fragment(select("x.parquet", **told), "application/vnd.apache.parquet") is None


def test_a_part_is_what_it_is_without_capture() -> None:
    table = Table()
    part = select(table, rows=1, name="row")
    assert (part.whole, part.rows, part.name) == (table, 1, "row")
    assert "Table" in repr(part)
    assert pickle.loads(pickle.dumps(select("a", rows=2))).rows == 2
