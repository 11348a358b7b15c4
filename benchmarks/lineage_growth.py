"""The lineage index from ten thousand to ten million relations: building, size, opening and queries.

The history is synthetic and consists of relations only. Each activity generates one thing and uses three earlier ones,
two of them among the newest thousand and any third one, so that ten levels reach hundreds of nodes all over the file. A
version asserts ten thousand relations, as single triples, without labels and types.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measure import isolated, stopwatch
from provrepo.model.minting import Minter
from provrepo.views.contract import extract
from provrepo.views.extraction import Extraction
from provrepo.views.lineage.index import Lineage
from provrepo.views.lineage.traversal import Options
from provrepo.views.view import Change
from provrepo.vocab import PROV

EX = "http://example.org/"
BASE = "https://repository.example/"
PER_ACTIVITY = 4
"""Relations of one activity: a generation and three uses."""

PER_VERSION = 10_000
"""Relations of one version."""

RECENT = 1000
DEPTH = 10


def measure(part: str, relations: int, data: str, starts: int = 200) -> dict[str, Any]:
    """Build the index or query it, each in a process of its own."""
    return _build(relations, Path(data)) if part == "build" else _query(relations, Path(data), starts)


def table(directory: Path, sizes: list[int]) -> list[str]:
    """One row for each number of relations, as Markdown."""
    rows = [
        "| relations | things | built s | relations/s | per processor second | bytes/relation "
        "| names, bytes/relation | peak MiB | opened ms | depth-10 nodes | p50 ms | p99 ms | worst ms "
        "| peak MiB of queries |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for relations in sizes:
        folder = directory / f"growth-{relations}"
        folder.mkdir()
        built = isolated("lineage_growth", part="build", relations=relations, data=str(folder))
        queried = isolated("lineage_growth", part="query", relations=relations, data=str(folder))
        rows.append(
            f"| {relations:,} | {relations // PER_ACTIVITY * 2:,} | {built['seconds']:.1f} "
            f"| {relations / built['seconds']:,.0f} | {relations / built['processor']:,.0f} "
            f"| {built['bytes'] / relations:.1f} | {built['names'] / relations:.1f} | {built['peak_mib']:.0f} "
            f"| {queried['open_ms']:.1f} | {queried['nodes']} | {queried['p50_ms']:.2f} | {queried['p99_ms']:.2f} "
            f"| {queried['worst_ms']:.2f} | {queried['peak_mib']:.0f} |"
        )
    return rows


def _build(relations: int, folder: Path) -> dict[str, Any]:
    view, minter = Lineage(folder / "view", base=BASE), Minter(BASE)
    others = apart = 0.0
    with stopwatch() as building, view.together():
        for place in range(relations // PER_VERSION):
            version = minter.version("grown", f"part-{place}", 1)
            with stopwatch() as other:
                extraction = extract("".join(_lines(place, version)).encode())
            others += other.seconds
            apart += other.processor
            view.apply("grown", _change(place, extraction))
    view.close()
    sizes = _sizes(folder / "view" / "view.sqlite")
    names = sizes.pop("term", 0) + sizes.pop("sqlite_autoindex_term_1", 0)
    return {
        "seconds": building.seconds - others,
        "processor": building.processor - apart,
        "bytes": sum(sizes.values()),
        "names": names,
        "sizes": sizes,
    }


def _query(relations: int, folder: Path, starts: int) -> dict[str, Any]:
    random, seconds, nodes = Random(11), list[float](), list[int]()
    with stopwatch() as opening:
        view = Lineage(folder / "view", base=BASE)
        view.position("grown", "grown")
    for _ in range(starts):
        start = f"{EX}thing/{random.randrange(relations // PER_ACTIVITY)}"
        with stopwatch() as watch:
            answer = view.traverse(start, ["grown"], [Options(depth=DEPTH)], limit=1)
        if answer is None:
            raise RuntimeError(f"{start} is not known")
        seconds.append(watch.seconds)
        nodes.append(answer.walk.total)
    view.close()
    seconds.sort()
    return {
        "open_ms": opening.seconds * 1000,
        "nodes": sorted(nodes)[starts // 2],
        "p50_ms": seconds[starts // 2] * 1000,
        "p99_ms": seconds[starts * 99 // 100] * 1000,
        "worst_ms": seconds[-1] * 1000,
    }


def _lines(place: int, version: str) -> Iterator[str]:
    random, activities = Random(place), PER_VERSION // PER_ACTIVITY
    for number in range(place * activities, (place + 1) * activities):
        yield f"<{EX}thing/{number}> <{PROV}wasGeneratedBy> <{EX}activity/{number}> <{version}> .\n"
        newest = max(number - RECENT, -2)
        for used in (*random.sample(range(newest, number), 2), random.randrange(-2, newest + 1)):
            yield f"<{EX}activity/{number}> <{PROV}used> <{EX}thing/{used}> <{version}> .\n"


def _change(place: int, extraction: Extraction) -> Change:
    return Change("grown", place + 1, "", _entry(place), BASE, extraction=lambda: extraction)


def _entry(place: int) -> dict[str, Any]:
    return {"kind": "submit", "document": f"part-{place}", "version": 1}


def _sizes(file: Path) -> dict[str, int]:
    """Bytes of the pages of every table and index."""
    with closing(sqlite3.connect(file)) as connection:
        return dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
