"""Checks by PROV-CONSTRAINTS: a pipeline, and documents of shapes that are costly for an engine."""

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


def _statement(kind: str, *args: str | None, name: str | None = None) -> Statement:
    padded = [None if arg is None else Identifier(EX + arg) for arg in args]
    padded += [None] * (len(KINDS[kind].arguments) - len(padded))
    return Statement(KINDS[kind], None if name is None else Identifier(EX + name), tuple(padded))


def _chain(size: int) -> Iterator[Statement]:
    """Each entity derived from the one before, by an activity of its own."""
    for n in range(size // 4):
        yield _statement("entity", name=f"e{n}")
        yield _statement("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _statement("used", f"a{n}", f"e{n - 1}")
        yield _statement("wasDerivedFrom", f"e{n}", f"e{n - 1}", f"a{n}")


def _fan(size: int) -> Iterator[Statement]:
    """One entity that everything uses and is derived from."""
    yield _statement("entity", name="root")
    for n in range(size // 4):
        yield _statement("activity", name=f"a{n}")
        yield _statement("used", f"a{n}", "root")
        yield _statement("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _statement("wasDerivedFrom", f"e{n}", "root")


def _merges(size: int) -> Iterator[Statement]:
    """Every generation in three statements to be merged, with a derivation that names it."""
    for n in range(size // 4):
        name = f"g{n}"
        yield _statement("wasGeneratedBy", f"e{n}", name=name)
        yield _statement("wasGeneratedBy", f"e{n}", f"a{n}", name=name)
        yield _statement("wasGeneratedBy", f"e{n}", f"a{n}")
        yield _statement("wasDerivedFrom", f"e{n}", "e0" if n else "root", f"a{n}", name)


def _cycle(size: int) -> Iterator[Statement]:
    """One cycle through all entities, whose edges are ≼, except for a single ≺."""
    length = size // 2
    for n in range(length):
        yield _statement("entity", name=f"e{n}")
        if n:
            yield _statement("specializationOf", f"e{n}", f"e{n - 1}")
    yield _statement("wasDerivedFrom", "e0", f"e{length - 1}")


def _generations(size: int) -> Iterator[Statement]:
    """Generations of one entity, half of them by different activities and half by the same one."""
    for n in range(size // 2):
        yield _statement("wasGeneratedBy", "e", f"a{n}")
        yield _statement("wasGeneratedBy", "e", "a")


def _clique(size: int) -> Iterator[Statement]:
    """Derivations between all pairs of as few entities as possible."""
    entities = max(2, int(size**0.5))
    for n in range(entities):
        yield _statement("entity", name=f"e{n}")
    for n in range(entities):
        for m in range(entities):
            if n != m:
                yield _statement("wasDerivedFrom", f"e{n}", f"e{m}")


def _specializations(size: int) -> Iterator[Statement]:
    """A chain of specializations."""
    yield _statement("entity", name="e0")
    for n in range(1, size):
        yield _statement("specializationOf", f"e{n}", f"e{n - 1}")


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
    """Check one document, in a process of its own.

    Returns:
        Processor seconds, the growth of peak memory in MiB beyond that of the document, and the numbers of statements
        and findings.
    """
    document = SHAPES[shape][1](size)
    gc.collect()
    before = peak_mib()
    start = time.process_time()
    found = check(document)
    seconds = time.process_time() - start
    return {"seconds": seconds, "grown": peak_mib() - before, "statements": len(document), "found": len(found)}


def table(sizes: list[int]) -> Iterator[str]:
    """Microseconds and bytes per statement, as Markdown."""
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
