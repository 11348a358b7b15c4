"""Random pipelines against a recorder that knows the truth: the same relations, and nothing more."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import itertools
import multiprocessing
import os
import shlex
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provrepo.capture import session, step
from provrepo.vocab import PROV_VALUE, SPDX
from tests.support.captured import Captured
from tests.support.sampling import examples


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
        derives: what it declares its outputs to be derived from.
        late: whether the steps that it calls run after it has written.
        way: how it opens files.
        container: what it returns its objects in.
        number: whether it also returns a number that it has just made.
        again: whether it reads what it has written.
        nested: steps that it calls.
    """

    objects: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    makes: int
    fails: bool
    kind: str
    derives: bool | str | None
    late: bool = False
    way: str = "name"
    container: str = "list"
    number: bool = False
    again: bool = False
    nested: tuple[Plan, ...] = ()


HERE = ["plain", "block", "thread", "async", "generator", "stream"]


Pair = collections.namedtuple("Pair", "first second")

CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": lambda made: made,
    "tuple": tuple,
    "dict": lambda made: {f"k{n}": value for n, value in enumerate(made)},
    "ordered": lambda made: collections.OrderedDict(enumerate(made)),
    "namespace": lambda made: types.SimpleNamespace(**{f"k{n}": value for n, value in enumerate(made)}),
    "named": lambda made: Pair(*[*made, None, None][:2]),
    "nested": lambda made: {"inside": made},
}
"""What objects may be returned in."""


def plans(
    kinds: list[str], nested: st.SearchStrategy[tuple[Plan, ...]], redirected: tuple[str, ...] = ()
) -> st.SearchStrategy[Plan]:
    some = st.lists(st.integers(0, 5), max_size=3, unique=True).map(tuple)
    return st.builds(
        Plan,
        objects=some,
        reads=some,
        writes=st.lists(st.integers(0, 3), max_size=2, unique=True).map(tuple),
        makes=st.integers(0, 2),
        fails=st.sampled_from([False, False, False, True]),
        kind=st.sampled_from(kinds),
        derives=st.sampled_from([None, None, True, False, "values"]),
        late=st.booleans(),
        way=st.sampled_from(["name", "folder", "opener", "rename", "link", *redirected]),
        container=st.sampled_from(sorted(CONTAINERS)),
        number=st.booleans(),
        again=st.booleans(),
        nested=nested,
    )


LEAVES = plans([*HERE, *HERE, "process"], st.just(()))
REDIRECTED = plans(["plain"], st.just(()), ("redirection",))
STEPS = st.lists(plans(HERE, st.lists(LEAVES, max_size=2).map(tuple)) | LEAVES, min_size=1, max_size=6)
FEW = st.lists(REDIRECTED | LEAVES, min_size=1, max_size=4)
"""Each redirected step starts processes."""


@dataclass
class Truth:
    """What happened, told by those who did it. Every content is written once, so it names the version of a file."""

    used: set[tuple[str, str]] = field(default_factory=set)
    generated: set[tuple[str, str]] = field(default_factory=set)
    derived: set[tuple[str, str]] = field(default_factory=set)
    objects: list[tuple[Any, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=itertools.count)

    def outputs(self, name: str, written: dict[str, str]) -> list[str]:
        """Contents that a step wrote and that could be seen: by a step in between, or when it ended."""
        last = {path: self.files[path] for path in written}
        seen = {content for _, content in self.used}
        found = [content for path, content in written.items() if content in seen or last[path] == content]
        # What a failed step inside left behind in its files is its own: the failed one generated nothing.
        return found + [c for c in last.values() if c not in found and c.partition("w")[0] in self.failed]

    def end(self, name: str, outputs: list[str], taken: list[str], derives: bool | str | None) -> None:
        """A step has ended well."""
        self.generated |= {(thing, name) for thing in outputs}
        used = {thing for activity, thing in self.used if activity == name}
        if derives is None:
            sources, outputs = large(used), sorted(large(outputs))
            sources = sources if len(sources) == len(outputs) == 1 else set()
        else:
            sources = {True: used, False: set(), "values": set(taken)}[derives]
        self.derived |= {(thing, source) for thing in outputs for source in sources}


def large(names: Iterable[str]) -> set[str]:
    """Names of other things than numbers, where there are any: they count for a derivation that nobody declared."""
    found = set(names)
    return {name for name in found if not name.endswith("number")} or found


class Expected(Exception):
    """A step that fails on purpose."""


def kinds_of(name: str, count: int) -> list[type[Value]]:
    """Classes that pickle finds in this module, so that each value shows in the document whose it is."""
    kinds = [type(f"{name}v{n}", (Value,), {"__module__": __name__}) for n in range(count)]
    for kind in kinds:
        setattr(sys.modules[__name__], kind.__name__, kind)
    return kinds


def run(plan: Plan, truth: Truth) -> None:
    name = f"s{next(truth.numbers)}"
    taken = [truth.objects[i] for i in plan.objects if i < len(truth.objects)]
    labels_taken = [label for _, label in taken]
    truth.used |= {(name, label) for label in labels_taken}
    kinds = kinds_of(name, plan.makes)
    labels = [f"{__name__}.{kind.__name__}" for kind in kinds]
    paths = [f"f{number % 4}" for number in plan.reads]
    reads = {path: truth.files[path] for path in paths if path in truth.files}
    truth.used |= {(name, content) for content in reads.values()}
    written = {f"f{number}": f"{name}w{number}" for number in plan.writes}

    def nested() -> None:
        for inner in plan.nested:
            run(inner, truth)

    def work() -> None:
        if plan.way == "redirection":
            redirect(reads, written)
        else:
            read(reads, plan.way)
        if not plan.late:
            nested()
        if plan.way != "redirection":
            write(written, plan.way)
        truth.files |= written
        if plan.again and plan.way != "redirection":
            read(written, "name")
        if plan.late:
            nested()
        if plan.fails:
            raise Expected

    values = [value for value, _ in taken]
    try:
        if plan.kind == "process":
            truth.files |= written  # by a process that may fail after it
            with multiprocessing.get_context("fork").Pool(1) as pool:
                made = pool.apply(elsewhere, (name, plan, values, reads, written, kinds))
        else:
            made = [kind() for kind in kinds]
            count = int(name[1:]) + 0.5 if plan.number and plan.kind in ("plain", "thread") else None
            returned = call(plan.kind, name, plan.derives, work, values, made, plan.container, count)
            if returned is not None:
                labels.append(f"{name}number")
                made = [*made, returned]
    except Expected:
        truth.failed.add(name)
    else:
        truth.end(name, truth.outputs(name, written) + labels, labels_taken, plan.derives)
        truth.objects += zip(made, labels, strict=True)
        if plan.again and plan.kind != "process" and plan.way != "redirection":  # in the state in which it was left
            truth.used |= {(name, content) for path, content in written.items() if truth.files[path] == content}


@contextmanager
def folder() -> Iterator[int]:
    number = os.open(".", os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def read(files: dict[str, str], way: str) -> None:
    for path, content in files.items():
        with folder() as number:
            if way == "folder":
                with os.fdopen(os.open(path, os.O_RDONLY, dir_fd=number)) as file:
                    assert file.read() == content
            elif way == "opener":
                with open("elsewhere", opener=lambda _, flags, path=path: os.open(path, flags, dir_fd=number)) as file:
                    assert file.read() == content
            else:
                assert Path(path).read_text() == content


def write(files: dict[str, str], way: str) -> None:
    for path, content in files.items():
        with folder() as number:
            if way in ("rename", "link"):
                Path("part").write_text(content)
                if way == "rename":
                    os.replace("part", path, src_dir_fd=number, dst_dir_fd=number)
                else:
                    Path(path).unlink(missing_ok=True)
                    os.link("part", path)
                    Path("part").unlink()
            elif way == "folder":
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                with os.fdopen(os.open(path, flags, dir_fd=number), "w") as file:
                    file.write(content)
            elif way == "opener":
                opener = partial(os.open, dir_fd=number)
                with open(path, "w", opener=opener) as file:
                    file.write(content)
            else:
                Path(path).write_text(content)


def redirect(reads: dict[str, str], written: dict[str, str]) -> None:
    """Read and write by Python children whose standard input and output are files."""
    code = "import sys; sys.stdin.read(); sys.stdout.write({!r})"
    for path in reads:
        subprocess.run(f"{sys.executable} -c 'import sys; sys.stdin.read()' < {path}", shell=True, check=True)
    for path, content in written.items():
        words = [sys.executable, "-c", code.format(content)]
        subprocess.run(f"{shlex.join(words)} < /dev/null > {path}", shell=True, check=True)


def elsewhere(
    name: str, plan: Plan, values: list[Value], reads: dict[str, str], written: dict[str, str], kinds: list[type[Value]]
) -> list[Value]:
    """A step without nested ones, in another process."""

    def work() -> None:
        read(reads, plan.way)
        write(written, plan.way)
        if plan.fails:
            raise Expected

    made = [kind() for kind in kinds]
    call("plain", name, plan.derives, work, values, made)
    return made


def call(
    kind: str,
    name: str,
    derives: bool | str | None,
    work: Callable[[], None],
    taken: list[Any],
    made: list[Value],
    container: str = "list",
    count: float | None = None,
) -> float | None:
    """Run a step; returns the number that it returned among its results, if it was asked for one."""
    declared = step(name, derives=derives)
    if kind == "block":
        with declared as block:
            for value in taken:
                block.used(value, "values")
            work()
            block.generated(made or None)
    elif kind == "async":

        @declared
        async def later(values: list[Value]) -> list[Value] | None:
            await asyncio.sleep(0)
            work()
            return made or None

        finish(later(taken))
    elif kind == "generator":

        @declared
        def one_by_one(values: list[Value]) -> Any:
            work()
            yield from made

        assert list(one_by_one(taken)) == made
    elif kind == "stream":

        @declared
        async def stream(values: list[Value]) -> Any:
            work()
            for value in made:
                yield value

        async def all_of(values: Any) -> list[Value]:
            return [value async for value in values]

        assert finish(all_of(stream(taken))) == made
    else:

        @declared
        def plain(values: list[Any]) -> Any:
            if kind == "plain":
                work()
            else:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(work).result()
            if count is not None and not made:
                return float(str(count))
            if count is not None:
                return {"objects": CONTAINERS[container](made), "number": float(str(count))}
            return CONTAINERS[container](made) if made else None

        result = plain(taken)
        if count is not None:
            number: float = result["number"] if made else result
            assert number == count
            return number
    return None


def finish(coroutine: Any) -> Any:
    """Run a coroutine in an event loop of one, since steps nest and loops do not."""
    with suppress(RuntimeError):
        while True:
            try:
                coroutine.send(None)
            except StopIteration as end:
                return end.value
    raise AssertionError("unreachable")


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_is_recorded_is_what_happened(pipeline: list[Plan]) -> None:
    check(pipeline)


@settings(max_examples=examples(60) // 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FEW)
def test_what_is_redirected_is_what_happened(pipeline: list[Plan]) -> None:
    check(pipeline)


def check(pipeline: list[Plan]) -> None:
    truth = Truth()
    with tempfile.TemporaryDirectory() as folder:
        with chdir(folder), session("run", out="run.provn"):
            for plan in pipeline:
                run(plan, truth)
        found = Captured(Path(folder, "run.provn"))
    contents = {digest(content): content for content in written_by(pipeline)}
    names: dict[object, str] = {}
    numbers = {str(value): label for value, label in truth.objects if type(value) is float}
    for element in (s for s in found.document if s.kind.element):
        digests = found.values(element, SPDX + "checksumValue")
        names[element.id] = contents.get(digests[0] if digests else "") or found.label(element.id)
        if names[element.id] == "float":
            names[element.id] = numbers[found.values(element, PROV_VALUE)[0]]

    def relations(kind: str) -> list[tuple[str, str]]:
        return [(names[s.args[0]], names[s.args[1]]) for s in found.document if s.kind.name == kind]

    assert set(relations("used")) == truth.used
    assert sorted(relations("wasGeneratedBy")) == sorted(truth.generated)
    assert sorted(relations("wasDerivedFrom")) == sorted(truth.derived)
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
    return hashlib.sha256(content.encode()).hexdigest()


def written_by(pipeline: list[Plan]) -> list[str]:
    """Every content that the pipeline may have written."""
    steps = sum(1 + len(plan.nested) for plan in pipeline)
    return [f"s{name}w{number}" for name in range(steps) for number in range(4)]
