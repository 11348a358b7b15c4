"""Everything upstream of a result: the lineage index compared with a property path on Oxigraph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyoxigraph

from benchmarks.measure import isolated, stopwatch
from provrepo.codecs.provo.completion import complete
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.minting import Minter
from provrepo.views.contract import extract
from provrepo.views.lineage.index import Lineage
from provrepo.views.lineage.traversal import Options
from provrepo.views.view import Change
from provrepo.vocab import PROV, RDF_TYPE, RDFS_LABEL, XSD

EX = "http://example.org/"
BASE = "https://repository.example/"
STEPS = 10
FORMER = 8
"""Results of earlier runs that a run uses."""

RECORDS = 10_000
"""Nodes that are returned with their records."""

_PATH = f"SELECT DISTINCT ?x {{ <%s> (<{PROV}wasGeneratedBy>|<{PROV}used>|<{PROV}wasDerivedFrom>)+ ?x }}"


def measure(part: str, runs: int, data: str, starts: int = 50) -> dict[str, Any]:
    """One part, in a process of its own: ``write`` the history, ``compare`` the two, ``query`` the index alone."""
    folder = Path(data)
    if part == "write":
        return _write(runs, folder)
    return _compare(runs, folder, starts) if part == "compare" else _query(runs, folder, starts)


def table(directory: Path, sizes: list[int]) -> list[str]:
    """One row for each number of runs, as Markdown."""
    rows = [
        "| runs | quads | nodes upstream | first ms | median ms | worst ms | property path, median ms | times as fast "
        "| alternately, median ms | property path, median ms | times as fast | with records of 10,000 nodes, median ms "
        "| peak MiB | indexing s | MB on disk |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for runs in sizes:
        folder = directory / f"lineage-{runs}"
        folder.mkdir()
        alike = {"runs": runs, "data": str(folder)}
        written = isolated("lineage", part="write", **alike)
        starts = min(50, runs // 4)
        found = isolated("lineage", part="compare", starts=starts, **alike)
        alone = isolated("lineage", part="query", starts=starts, **alike)
        rows.append(
            f"| {runs:,} | {written['quads']:,} | {found['nodes']:,} | {found['first_ms']:.1f} "
            f"| {found['median_ms']:.2f} | {found['worst_ms']:.1f} | {found['path_ms']:.0f} "
            f"| {found['path_ms'] / found['median_ms']:.0f} | {found['turns_ms']:.2f} | {found['path_turns_ms']:.0f} "
            f"| {found['path_turns_ms'] / found['turns_ms']:.0f} | {found['records_ms']:.0f} "
            f"| {alone['peak_mib']:.0f} | {written['indexing_s']:.1f} | {written['bytes'] / 1e6:.1f} |"
        )
    return rows


def _write(runs: int, folder: Path) -> dict[str, Any]:
    random, minter, quads, indexing = Random(7), Minter(BASE), 0, 0.0
    view = Lineage(folder / "view", base=BASE)
    with (folder / "history.nt").open("w", encoding="utf-8") as history:
        for run in range(runs):
            version = minter.version("crops", f"run-{run}", 1)
            lines = _lines(run, random, version)
            quads += len(lines)
            history.writelines(line.rpartition(" <")[0] + " .\n" for line in lines)
            extraction = extract("".join(lines).encode())
            change = Change("crops", run + 1, "", _entry(run), BASE, extraction=lambda found=extraction: found)  # type: ignore[misc]
            with stopwatch() as one:
                view.apply("crops", change)
            indexing += one.seconds
    view.close()
    size = sum(file.stat().st_size for file in (folder / "view").iterdir())
    return {"quads": quads, "indexing_s": indexing, "bytes": size}


def _compare(runs: int, folder: Path, starts: int) -> dict[str, Any]:
    """Query the newest results: first the index, then the path, then both alternately for other results.

    When they alternate, each finds the data of the other in the processor's caches. At the end the index returns the
    records of nodes, and its answer is compared with that of the path, without the agents and plans, which the path
    does not follow.
    """
    view, store = Lineage(folder / "view", base=BASE), pyoxigraph.Store()
    store.bulk_load(path=str(folder / "history.nt"), format=pyoxigraph.RdfFormat.N_TRIPLES)
    store.optimize()
    ours, theirs, with_records, nodes = list[float](), list[float](), list[float](), list[int]()
    for start in _starts(runs, starts):
        with stopwatch() as index:
            nodes.append(_upstream(view, start, limit=1))
        ours.append(index.seconds)
    for start in _starts(runs, starts):
        with stopwatch() as path:
            _by_path(store, start)
        theirs.append(path.seconds)
    turns, their_turns = list[float](), list[float]()
    for start in _starts(runs - starts, starts):
        # The allocator defers its work on the million blocks that the path freed until the next large allocation.
        bytearray(1 << 20)
        with stopwatch() as index:
            _upstream(view, start, limit=1)
        with stopwatch() as path:
            _by_path(store, start)
        turns.append(index.seconds)
        their_turns.append(path.seconds)
    for start in _starts(runs - 2 * starts, min(10, starts)):
        with stopwatch() as records:
            _upstream(view, start, limit=RECORDS)
        with_records.append(records.seconds)
        if not _alike(view, store, start):
            raise RuntimeError(f"the answers for {start} differ")
    view.close()
    return {
        "nodes": sorted(nodes)[starts // 2],
        "first_ms": ours[0] * 1000,
        "median_ms": _median(ours) * 1000,
        "worst_ms": max(ours[1:]) * 1000,
        "path_ms": _median(theirs) * 1000,
        "turns_ms": _median(turns) * 1000,
        "path_turns_ms": _median(their_turns) * 1000,
        "records_ms": _median(with_records) * 1000,
    }


def _query(runs: int, folder: Path, starts: int) -> dict[str, Any]:
    """Query the index without Oxigraph, whose store would count as memory of the process."""
    view = Lineage(folder / "view", base=BASE)
    for start in _starts(runs, starts):
        _upstream(view, start, limit=1)
    view.close()
    return {}


def _starts(runs: int, count: int) -> Iterator[str]:
    """The results of the newest ``count`` of ``runs`` runs."""
    return (f"{EX}out{run}-{STEPS - 1}" for run in range(runs - count, runs))


def _upstream(view: Lineage, start: str, limit: int) -> int:
    answer = view.traverse(start, ["crops"], [Options()], limit=limit)
    if answer is None:
        raise RuntimeError(f"{start} is not known")
    return answer.walk.total


def _by_path(store: pyoxigraph.Store, start: str) -> set[str]:
    return {row["x"].value for row in store.query(_PATH % start)}


def _alike(view: Lineage, store: pyoxigraph.Store, start: str) -> bool:
    answer = view.traverse(start, ["crops"], [Options()], limit=1 << 30)
    leaves = (f"{EX}person", f"{EX}plan")
    names = set[str]() if answer is None else {thing.iri for thing in answer.things.values()}
    return {name for name in names if not name.startswith(leaves)} == _by_path(store, start) | {start}


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _lines(run: int, random: Random, version: str) -> list[str]:
    """A run in N-Quads, with its completion."""
    asserted = list(_quads(run, random))
    graphs = ((version, asserted), (Minter.completed(version), complete(asserted)))
    return [f"<{q.subject}> <{q.predicate}> {_term(q)} <{graph}> .\n" for graph, quads in graphs for q in quads]


def _term(quad: Quad) -> str:
    if not isinstance(quad.object, Literal):
        return f"<{quad.object}>"
    return f'"{quad.object.lexical}"^^<{quad.object.datatype}>'


def _quads(run: int, random: Random) -> Iterator[Quad]:
    def quad(subject: str, predicate: str, value: str | Literal) -> Quad:
        node = value if isinstance(value, Literal) else Identifier(value)
        return Quad(Identifier(EX + subject), Identifier(predicate), node)

    before = [f"{EX}out{random.randrange(run)}-{STEPS - 1}" for _ in range(FORMER)] if run else [f"{EX}raw"]
    agent, plan = f"person{run % 20}", f"plan{run % 5}"
    yield quad(agent, RDF_TYPE, f"{PROV}Agent")
    yield quad(plan, RDF_TYPE, f"{PROV}Plan")
    for step in range(STEPS):
        activity, output, association = f"a{run}-{step}", f"out{run}-{step}", f"by{run}-{step}"
        yield quad(activity, RDF_TYPE, f"{PROV}Activity")
        yield quad(activity, RDFS_LABEL, text(f"step {step}"))
        yield quad(activity, f"{PROV}startedAtTime", _time(run, step))
        yield quad(activity, f"{PROV}endedAtTime", _time(run, step + 1))
        yield quad(activity, f"{PROV}qualifiedAssociation", EX + association)
        yield quad(association, f"{PROV}agent", EX + agent)
        yield quad(association, f"{PROV}hadPlan", EX + plan)
        yield from (quad(activity, f"{PROV}used", source) for source in before)
        yield quad(output, RDF_TYPE, f"{PROV}Entity")
        yield quad(output, RDFS_LABEL, text(f"result {step} of run {run}"))
        yield quad(output, f"{PROV}wasGeneratedBy", EX + activity)
        before = [EX + output]


def _time(run: int, step: int) -> Literal:
    hours, minute = divmod(run, 60)
    days, hour = divmod(hours, 24)
    months, day = divmod(days, 28)
    return Literal(f"2026-{months + 1:02}-{day + 1:02}T{hour:02}:{minute:02}:{step:02}Z", f"{XSD}dateTime")


def _entry(run: int) -> dict[str, Any]:
    return {"kind": "submit", "document": f"run-{run}", "version": 1}
