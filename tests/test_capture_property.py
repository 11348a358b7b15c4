"""Random pipelines against a recorder that knows the truth: the same relations, and nothing more."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provrepo.capture import session, step
from tests.captured import Captured


class Value:
    """An object that steps pass on."""


@dataclass(frozen=True)
class Plan:
    """One step of a random pipeline.

    Attributes:
        objects: which of the objects made so far it takes.
        reads: which of the files written so far it reads.
        writes: the files that it writes, of four, so that files are overwritten.
        makes: how many objects it returns.
        fails: whether it raises after all of that.
        kind: how it runs.
        nested: steps that it calls, before it writes.
    """

    objects: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    makes: int
    fails: bool
    kind: str
    nested: tuple[Plan, ...] = ()


def plans(nested: st.SearchStrategy[tuple[Plan, ...]]) -> st.SearchStrategy[Plan]:
    some = st.lists(st.integers(0, 5), max_size=3, unique=True).map(tuple)
    return st.builds(
        Plan,
        objects=some,
        reads=some,
        writes=st.lists(st.integers(0, 3), max_size=2, unique=True).map(tuple),
        makes=st.integers(0, 2),
        fails=st.sampled_from([False, False, False, True]),
        kind=st.sampled_from(["plain", "block", "thread", "async", "generator"]),
        nested=nested,
    )


LEAVES = plans(st.just(()))
STEPS = st.lists(plans(st.lists(LEAVES, max_size=2).map(tuple)), min_size=1, max_size=6)


@dataclass
class Truth:
    """What happened, told by those who did it. Every content is written once, so it names the version of a file."""

    used: set[tuple[str, str]] = field(default_factory=set)
    generated: set[tuple[str, str]] = field(default_factory=set)
    objects: list[tuple[Value, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=itertools.count)


class Expected(Exception):
    """A step that fails on purpose."""


def run(plan: Plan, truth: Truth) -> None:
    name = f"s{next(truth.numbers)}"
    taken = [truth.objects[i] for i in plan.objects if i < len(truth.objects)]
    truth.used |= {(name, label) for _, label in taken}
    kinds = [type(f"{name}v{n}", (Value,), {}) for n in range(plan.makes)]
    made = [kind() for kind in kinds]
    labels = [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds]
    written: dict[str, str] = {}

    def work() -> None:
        for number in plan.reads:
            path = f"f{number % 4}"
            if path in truth.files:
                assert Path(path).read_text() == truth.files[path]
                truth.used.add((name, truth.files[path]))
        for inner in plan.nested:
            run(inner, truth)
        for number in plan.writes:
            content = f"{name}w{number}"
            Path(f"f{number}").write_text(content)
            truth.files[f"f{number}"] = written[f"f{number}"] = content
        if plan.fails:
            raise Expected

    try:
        call(plan.kind, name, work, [value for value, _ in taken], made)
    except Expected:
        truth.failed.add(name)
    else:
        truth.generated |= {(thing, name) for thing in [*written.values(), *labels]}
        truth.objects += zip(made, labels, strict=True)


def call(kind: str, name: str, work: Any, taken: list[Value], made: list[Value]) -> None:
    if kind == "block":
        with step(name, derives=False) as block:
            for value in taken:
                block.used(value)
            work()
            block.generated(made or None)
    elif kind == "async":

        @step(name, derives=False)
        async def later(values: list[Value]) -> list[Value] | None:
            await asyncio.sleep(0)
            work()
            return made or None

        coroutine = later(taken)
        with suppress(StopIteration):
            while True:  # an event loop of one, since steps nest and loops do not
                coroutine.send(None)
    elif kind == "generator":

        @step(name, derives=False)
        def one_by_one(values: list[Value]) -> Any:
            work()
            yield from made

        assert list(one_by_one(taken)) == made
    else:

        @step(name, derives=False)
        def plain(values: list[Value]) -> list[Value] | None:
            if kind == "plain":
                work()
            else:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(work).result()
            return made or None

        assert plain(taken) == (made or None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_is_recorded_is_what_happened(pipeline: list[Plan]) -> None:
    truth = Truth()
    with tempfile.TemporaryDirectory() as folder:
        with chdir(folder), session("run", out="run.provn"):
            for plan in pipeline:
                run(plan, truth)
        found = Captured(Path(folder, "run.provn"))
    contents = {digest(content): content for content in written_by(pipeline)}

    def named(label: str, identifier: object) -> str:
        (element,) = [s for s in found.document if s.kind.element and s.id == identifier]
        digests = found.values(element, "http://spdx.org/rdf/terms#checksumValue")
        return contents.get(digests[0], label) if digests else label

    used, generated = set(), set()
    for statement in found.document:
        if statement.kind.name in ("used", "wasGeneratedBy"):
            first, second = (named(found.label(arg), arg) for arg in statement.args[:2])
            (used if statement.kind.name == "used" else generated).add((first, second))
    assert used == truth.used
    assert generated == truth.generated
    assert {name for name in truth.failed if found.status(name) != "Failed"} == set()
    assert found.rules("core") == []


def test_steps_at_once_keep_to_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def chain(number: int) -> None:
        value: Any = None
        for turn in range(5):
            name = f"s{number}t{turn}"

            @step(name)
            def work(value: Any, name: str) -> Any:
                if value is not None:
                    Path(f"f{number}").read_text()
                Path(f"f{number}").write_text(name)
                return type(f"V{name}", (), {})()

            value = work(value, name)

    with session("run", out="run.provn"), ThreadPoolExecutor(8) as pool:
        list(pool.map(chain, range(8)))
    found = Captured(Path("run.provn"))
    assert found.rules("pipeline") == []
    made = {(f"s{n}t{t}", f"{__name__}.Vs{n}t{t}", f"f{n}") for n in range(8) for t in range(5)}
    assert found.generated == {(thing, name) for name, value, file in made for thing in (value, file)}
    assert len([s for s in found.document if s.kind.name == "wasGeneratedBy"]) == 80
    steps = [(n, t) for n in range(8) for t in range(4)]
    assert found.used == {(f"s{n}t{t + 1}", thing) for n, t in steps for thing in (f"{__name__}.Vs{n}t{t}", f"f{n}")}


def digest(content: str) -> str:
    import hashlib

    return hashlib.sha256(content.encode()).hexdigest()


def written_by(pipeline: list[Plan]) -> list[str]:
    """Every content that the pipeline may have written."""
    steps = sum(1 + len(plan.nested) for plan in pipeline)
    return [f"s{name}w{number}" for name in range(steps) for number in range(4)]
