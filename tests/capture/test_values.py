"""Values of arguments, parameters and results, and which result is which argument."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import random
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provrepo.capture import log_metrics, log_params, session, step
from provrepo.vocab import PROV_TYPE, PROV_VALUE, PROVREPO
from tests.support.captured import Captured


class Table(list[Any]):
    """Stands for a data frame: large, mutable, compared by identity."""


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Config:
    rate: float
    password: str = "canary"


@dataclasses.dataclass(slots=True)
class Slots:
    data: object


class Pair(NamedTuple):
    first: object
    second: object


class Odd:
    __slots__ = ()


class Bunch(dict[str, Any]):
    """As of scikit-learn: a mapping whose keys are attributes."""


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("1\n2\n")


def capture(pipeline: Callable[[], object]) -> Captured:
    with session("run", out="run.provn") as recorded:
        pipeline()
    assert recorded.path is not None
    found = Captured(recorded.path)
    assert found.problems() == []
    return found


def results(found: Captured) -> dict[str, list[str]]:
    """The values of the entities of each type."""
    shown: dict[str, list[str]] = {}
    for element in (s for s in found.document if s.kind.name == "entity"):
        for value in found.values(element, PROV_VALUE):
            shown.setdefault(found.label(element.id), []).append(value)
    return shown


PARAMETERS = [
    (datetime.date(2026, 1, 2), "2026-01-02"),
    (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00"),
    (datetime.timedelta(minutes=3), "0:03:00"),
    (decimal.Decimal("1.50"), "1.50"),
    (fractions.Fraction(1, 3), "1/3"),
    (Color.RED, "Color.RED"),
    (uuid.UUID(int=3), "00000000-0000-0000-0000-000000000003"),
    (Config(0.1), "Config(rate=0.1, password=(masked))"),
    (Slots(3), "Slots(data=3)"),
    (Pair(1, "b"), "Pair(first=1, second=b)"),
    (argparse.Namespace(rate=0.1, api_key="canary"), "Namespace(rate=0.1, api_key=(masked))"),
    (types.SimpleNamespace(depth=decimal.Decimal(3)), "SimpleNamespace(depth=3)"),
    (collections.OrderedDict(depth=3), "{depth: 3}"),
    (types.MappingProxyType({"depth": 3}), "{depth: 3}"),
    (collections.deque([1, 2]), "[1, 2]"),
    (type("Text", (str,), {})("a text"), "a text"),
    (type("Number", (float,), {})(0.5), "0.5"),
    (Path("a/b"), "a/b"),
    (Table, f"{__name__}.Table"),
    (functools.reduce, "_functools.reduce"),
    (slice(3), "slice(None, 3, None)"),
    (Odd(), "(no value)"),
    ("x" * 300, "x" * 199 + "…"),
]


@pytest.mark.parametrize(("value", "text"), PARAMETERS, ids=lambda value: type(value).__name__)
def test_a_parameter_has_its_value(value: object, text: str) -> None:
    @step
    def work(value: object) -> None:
        log_params({"logged": value})

    found = capture(lambda: work(value))
    assert f"value={text}" in found.parameters("work")
    assert text in results(found)["logged"]


def test_scalars_of_numpy_have_their_value() -> None:
    np = pytest.importorskip("numpy")
    given = [np.float64(0.001), np.float32(0.5), np.int64(7), np.bool_(True), np.str_("a"), np.datetime64("2026-01-02"),
             np.dtype("f4"), np.complex64(1j)]  # fmt: skip

    @step
    def work(*values: object) -> Any:
        return np.float64(values[0]) * 2

    found = capture(lambda: work(*given))
    expected = ["0.001", "0.5", "7", "True", "a", "2026-01-02", "float32", "1j"]
    assert found.parameters("work") == {f"values={text}" for text in expected}
    assert results(found) == {"numpy.float64": ["0.002"]}


def test_what_has_a_failing_or_default_text_has_no_value() -> None:
    class Failing(decimal.Decimal):
        def __str__(self) -> str:
            raise ValueError

    class Default(decimal.Decimal):
        __str__ = object.__repr__

    work = step("work")(lambda first, second: None)
    found = capture(lambda: work(Failing(1), Default(1)))
    assert found.parameters("work") == {"first=(no value)", "second=(no value)"}


def number(path: str) -> object:
    return float(Path(path).read_text().split()[1]) / 3


KINDS: dict[str, tuple[Callable[[str], Any], Callable[[Any], Any]]] = {
    "number": (number, lambda made: made),
    "text": (lambda path: Path(path).read_text(), lambda made: made),
    "date": (lambda path: datetime.date.fromordinal(int(Path(path).read_text()[0])), lambda made: made),
    "numbers in a tuple": (lambda path: (number(path), number(path)), lambda made: made[1]),
    "numbers by name": (lambda path: {"a": number(path), "b": number(path)}, lambda made: made["b"]),
    "several numbers": (lambda path: (number(path), number(path)), lambda made: list(made)),
    "named tuple": (lambda path: Pair(Table(Path(path).read_text()), Table()), lambda made: made.second),
    "data class": (lambda path: Slots(Table(Path(path).read_text())), lambda made: made.data),
    "namespace": (lambda path: types.SimpleNamespace(a=Table(Path(path).read_text())), lambda made: made.a),
    "ordered": (lambda path: collections.OrderedDict(a=Table(Path(path).read_text())), lambda made: made["a"]),
    "default": (lambda path: collections.defaultdict(list, a=Table(Path(path).read_text())), lambda made: made["a"]),
    "bunch": (lambda path: Bunch(a=Table(Path(path).read_text())), lambda made: made["a"]),
    "deque": (lambda path: collections.deque([Table(Path(path).read_text())]), lambda made: made[0]),
    "user dictionary": (lambda path: collections.UserDict(a=Table(Path(path).read_text())), lambda made: made["a"]),
    "chain": (lambda path: collections.ChainMap({"a": Table(Path(path).read_text())}), lambda made: made["a"]),
    "nested": (lambda path: {"a": (1, {"b": Table(Path(path).read_text())})}, lambda made: made["a"][1]["b"]),
    "lists in a tuple": (lambda path: (Path(path).read_text().split(), ["x"]), lambda made: made[0]),
    "lists by name": (lambda path: {"a": Path(path).read_text().split()}, lambda made: made["a"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_step_returns_and_another_takes_is_linked(kind: str) -> None:
    make, part = KINDS[kind]
    load = step("load")(make)

    @step
    def save(value: object) -> None:
        Path("out.txt").write_text(str(value))

    found = capture(lambda: save(part(load("raw.csv"))))
    made = {s.args[0] for s in found.document if s.kind.name == "wasGeneratedBy" and found.label(s.args[1]) == "load"}
    taken = {s.args[1] for s in found.document if s.kind.name == "used" and found.label(s.args[0]) == "save"}
    assert taken
    assert taken <= made
    assert found.sources() == {"raw.csv"}


def test_what_no_step_made_is_no_source() -> None:
    found = capture(lambda: step("work")(lambda table: None)(Table()))
    assert (found.used, found.sources()) == ({("work", f"{__name__}.Table")}, set())
    (value,) = found.elements(f"{__name__}.Table")
    assert PROVREPO + "Unrecorded" in found.values(value, PROV_TYPE)


def test_secrets_among_results_are_masked() -> None:
    def pipeline() -> None:
        step("get_token")(lambda: "canary one")()
        step("load")(lambda: {"password": "canary two", "n": 3})()
        step("read")(lambda: "https://ana:canary@host/x?token=canary")()

    capture(pipeline)
    assert "canary" not in Path("run.provn").read_text()


def test_a_file_is_derived_from_data_and_not_from_the_numbers_beside_it() -> None:
    threshold = step("threshold")(lambda path: len(Path(path).read_text()) / 7)

    @step
    def clean(source: str, limit: float) -> str:
        Path("clean.csv").write_text(Path(source).read_text() + str(limit))
        return "clean" + str(limit)

    found = capture(lambda: clean("raw.csv", threshold("raw.csv")))
    assert ("clean.csv", "raw.csv") in found.derived
    assert {used for generated, used in found.derived if generated == "clean.csv"} == {"raw.csv"}


GLOBAL = random.Random(1).random()
MAKERS: dict[str, Callable[[random.Random], Any]] = {
    "literal": lambda r: 0.5, "text literal": lambda r: "some text", "small": lambda r: r.randrange(9),
    "large": lambda r: r.getrandbits(70), "float": lambda r: r.random(), "global": lambda r: GLOBAL,
    "cached": functools.lru_cache(lambda r: 0.25 + random.Random(2).random()), "empty": lambda r: "",
    "text": lambda r: f"acc {r.random()}", "tuple": lambda r: (r.random(),), "boolean": lambda r: r.random() > 0.5,
    "nothing": lambda r: None, "rounded": lambda r: round(r.random(), 1), "label": lambda r: "ab"[r.randrange(2)],
    "cached tuple": functools.lru_cache(lambda r: (0.25 + random.Random(3).random(),)),
}  # fmt: skip
FRESH = {"large", "float", "text", "tuple", "rounded"}


def test_equal_numbers_that_were_made_elsewhere_are_not_linked() -> None:
    """No false link, and no fresh result without one."""
    r = random.Random(7)
    expected: list[tuple[str, str] | None] = []

    def pipeline() -> None:
        made: list[tuple[Any, str, str]] = []
        for number in range(300):
            kind = r.choice(list(MAKERS))
            made.append((step(f"make{number}")(MAKERS[kind])(r), f"make{number}", kind))
            if r.random() < 0.5:
                value, maker, kind = r.choice(made)
                expected.append((f"take{number}", maker) if kind in FRESH else None)
            else:
                value = MAKERS[r.choice([kind for kind in MAKERS if not kind.startswith("cached")])](r)
                expected.append(None)
            value = value[0] if isinstance(value, tuple) else value
            step(f"take{number}")(lambda value: None)(value)
            del value

    found = capture(pipeline)
    makers = {s.args[0]: found.label(s.args[1]) for s in found.document if s.kind.name == "wasGeneratedBy"}
    links = {
        (found.label(s.args[0]), makers[s.args[1]])
        for s in found.document
        if s.args[1:2] and s.args[1] in makers and s.kind.name == "used"
    }
    assert links == {link for link in expected if link is not None}


def test_metrics_keep_their_values() -> None:
    found = capture(step("work")(lambda: log_metrics({"accuracy": 0.93})))
    assert results(found)["accuracy"] == ["0.93"]


def test_a_block_uses_a_number_that_a_step_has_made(tmp_path: Path) -> None:
    with session("run", out=tmp_path / "run.provn"):
        number = step("make")(lambda: float("2.5"))()
        with step("take") as run:
            run.used(number, "threshold")
            run.used(3.5)
    found = Captured(tmp_path / "run.provn")
    assert found.used == {("take", "float")}
    assert found.generated == {("float", "make")}
