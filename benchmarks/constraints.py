"""Judging by PROV-CONSTRAINTS: pipelines of several shapes, and documents made to hurt."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.generate import EX, pipeline
from benchmarks.measure import isolated, peak_mib
from provrepo.checks.constraints.validity import check
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import KINDS, Statement


def _say(kind: str, *args: str | None, name: str | None = None) -> Statement:
    padded = [None if arg is None else Identifier(EX + arg) for arg in args]
    padded += [None] * (len(KINDS[kind].arguments) - len(padded))
    return Statement(KINDS[kind], None if name is None else Identifier(EX + name), tuple(padded))


def _chain(size: int) -> Iterator[Statement]:
    """Each entity derived from the one before, by an activity of its own."""
    for n in range(size // 4):
        yield _say("entity", name=f"e{n}")
        yield _say("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _say("used", f"a{n}", f"e{n - 1}")
        yield _say("wasDerivedFrom", f"e{n}", f"e{n - 1}", f"a{n}")


def _fan(size: int) -> Iterator[Statement]:
    """One entity that everything uses and is derived from."""
    yield _say("entity", name="root")
    for n in range(size // 4):
        yield _say("activity", name=f"a{n}")
        yield _say("used", f"a{n}", "root")
        yield _say("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _say("wasDerivedFrom", f"e{n}", "root")


def _merges(size: int) -> Iterator[Statement]:
    """Every generation said in four parts."""
    for n in range(size // 4):
        name = f"g{n}"
        yield _say("wasGeneratedBy", f"e{n}", name=name)
        yield _say("wasGeneratedBy", f"e{n}", f"a{n}", name=name)
        yield _say("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _say("wasDerivedFrom", f"e{n}", "e0" if n else "root", f"a{n}", name)


def _cycle(size: int) -> Iterator[Statement]:
    """One cycle through everything, of ≼ but for a single ≺."""
    length = size // 2
    for n in range(length):
        yield _say("entity", name=f"e{n}")
        if n:
            yield _say("specializationOf", f"e{n}", f"e{n - 1}")
    yield _say("wasDerivedFrom", "e0", f"e{length - 1}")


def _generations(size: int) -> Iterator[Statement]:
    """So many generations of one entity, by as many activities and by one."""
    for n in range(size // 2):
        yield _say("wasGeneratedBy", "e", f"a{n}")
        yield _say("wasGeneratedBy", "e", "a")


def _clique(size: int) -> Iterator[Statement]:
    """So many derivations between as few entities as can have them, each of which has a generation."""
    entities = max(2, int(size**0.5))
    for n in range(entities):
        yield _say("entity", name=f"e{n}")
    for n in range(entities):
        for m in range(entities):
            if n != m:
                yield _say("wasDerivedFrom", f"e{n}", f"e{m}")


def _specializations(size: int) -> Iterator[Statement]:
    """A chain of specializations, of entities that have generations at its ends only."""
    yield _say("entity", name="e0")
    for n in range(1, size):
        yield _say("specializationOf", f"e{n}", f"e{n - 1}")


SHAPES: dict[str, tuple[str, Callable[[int], Document]]] = {
    "pipeline": ("steps with times, agents and plans", pipeline),
    "chain": ("derivations one after the other", lambda size: Document(list(_chain(size)))),
    "fan": ("all from one entity", lambda size: Document(list(_fan(size)))),
    "merges": ("each generation in four statements", lambda size: Document(list(_merges(size)))),
    "cycle": ("one cycle with a single strict edge", lambda size: Document(list(_cycle(size)))),
    "generations": ("all of one entity", lambda size: Document(list(_generations(size)))),
    "clique": ("everything derived from everything", lambda size: Document(list(_clique(size)))),
    "specializations": ("one chain of them", lambda size: Document(list(_specializations(size)))),
}


def measure(shape: str, size: int) -> dict[str, Any]:
    """Judge one document in a process of its own.

    Returns:
        The processor's seconds, what memory grew by over that of the document, how many statements and findings.
    """
    document = SHAPES[shape][1](size)
    gc.collect()
    before = peak_mib()
    start = time.process_time()
    found = check(document)
    seconds = time.process_time() - start
    return {"seconds": seconds, "grown": peak_mib() - before, "statements": len(document), "found": len(found)}


def table(sizes: list[int]) -> Iterator[str]:
    """Microseconds and bytes per statement."""
    yield "| document | statements | µs/statement | bytes/statement | findings |"
    yield "|---|---:|---:|---:|---:|"
    for shape, (title, _) in SHAPES.items():
        for size in sizes:
            result = isolated("constraints", shape=shape, size=size)
            count = result["statements"]
            yield (
                f"| {shape}: {title} | {count:,} | {result['seconds'] / count * 1e6:.1f} "
                f"| {result['grown'] * 1024 * 1024 / count:,.0f} | {result['found']} |"
            )
