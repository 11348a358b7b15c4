"""Everything upstream of a result: the lineage index beside the same question as a property path on Oxigraph."""

from __future__ import annotations

import resource
from pathlib import Path
from random import Random
from typing import Any

import pyoxigraph

from benchmarks.measure import isolated, peak_mib, stopwatch
from provrepo.codecs.completion import complete
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.minting import Minter
from provrepo.views.lineage import Lineage
from provrepo.views.lineage_walk import Options
from provrepo.views.view import Change
from provrepo.vocab import PROV, RDF_TYPE

EX = "http://example.org/"
BASE = "https://repository.example/"
STEPS = 10
_PATH = f"SELECT DISTINCT ?x {{ <%s> (<{PROV}wasGeneratedBy>|<{PROV}used>|<{PROV}wasDerivedFrom>)+ ?x }}"


def measure(runs: int, starts: int, data: str) -> dict[str, Any]:
    """Index so many runs of ten steps, of which each uses results of six earlier ones; ask about the newest results."""
    random, folder = Random(7), Path(data)
    store, minter, quads = pyoxigraph.Store(), Minter(BASE), 0
    view = Lineage(folder / "view", base=BASE)
    indexing = 0.0
    for run in range(runs):
        version = minter.version("crops", f"run-{run}", 1)
        lines = _lines(run, random, version)
        quads += len(lines)
        store.bulk_load("".join(line.rpartition(" <")[0] + " .\n" for line in lines), pyoxigraph.RdfFormat.N_TRIPLES)
        change = Change("crops", run + 1, "", _entry(run), BASE, _writes(folder / "content.nq", lines))
        with stopwatch() as one:
            view.apply("crops", change)
        indexing += one.seconds
    store.optimize()
    ours, theirs, drawn, nodes = [], [], [], []
    for run in range(runs - starts, runs):
        start = f"{EX}out{run}-{STEPS - 1}"
        with stopwatch() as index:
            answer = view.ask(start, ["crops"], [Options()], to=None, limit=1)
        with stopwatch() as path:
            rows = {row["x"] for row in store.query(_PATH % start)}
        with stopwatch() as all_of_it:
            view.ask(start, ["crops"], [Options()], to=None, limit=10_000)
        if answer is None or len(answer.walk.nodes) != len(rows | {pyoxigraph.NamedNode(start)}):
            raise RuntimeError("the two answers differ")
        ours.append(index.seconds)
        theirs.append(path.seconds)
        drawn.append(all_of_it.seconds)
        nodes.append(len(rows))
    view.close()
    middle = starts // 2
    return {
        "quads": quads,
        "nodes": sorted(nodes)[middle],
        "index_ms": sorted(ours)[middle] * 1000,
        "told_ms": sorted(drawn)[middle] * 1000,
        "path_ms": sorted(theirs)[middle] * 1000,
        "indexing_s": indexing,
        "bytes": sum(file.stat().st_size for file in (folder / "view").iterdir()),
        "peak_mib": peak_mib(resource.RUSAGE_SELF),
    }


def table(directory: Path, sizes: list[int]) -> list[str]:
    """One row for each number of runs, as Markdown."""
    rows = [
        "| runs | quads | nodes upstream | index, ms | with 10,000 nodes told, ms | property path, ms | times as fast "
        "| indexing, s | MB on disk |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for runs in sizes:
        folder = directory / f"lineage-{runs}"
        folder.mkdir()
        found = isolated("lineage", runs=runs, starts=min(50, runs // 2), data=str(folder))
        rows.append(
            f"| {runs:,} | {found['quads']:,} | {found['nodes']:,} | {found['index_ms']:.1f} | {found['told_ms']:.0f} "
            f"| {found['path_ms']:.0f} | {found['path_ms'] / found['index_ms']:.1f} | {found['indexing_s']:.1f} "
            f"| {found['bytes'] / 1e6:.1f} |"
        )
    return rows


def _lines(run: int, random: Random, version: str) -> list[str]:
    """A run in N-Quads, completed as submissions are."""
    asserted = list(_quads(run, random))
    graphs = ((version, asserted), (Minter.completed(version), complete(asserted)))
    return [f"<{q.subject}> <{q.predicate}> <{q.object}> <{graph}> .\n" for graph, quads in graphs for q in quads]


def _quads(run: int, random: Random) -> list[Quad]:
    def quad(subject: str, predicate: str, value: str) -> Quad:
        return Quad(Identifier(EX + subject), Identifier(predicate), Identifier(value))

    before = [f"{EX}out{random.randrange(run)}-{STEPS - 1}" for _ in range(6)] if run else [f"{EX}raw"]
    made = []
    for step in range(STEPS):
        activity, output = f"a{run}-{step}", f"out{run}-{step}"
        made += [
            quad(activity, RDF_TYPE, f"{PROV}Activity"),
            quad(output, RDF_TYPE, f"{PROV}Entity"),
            quad(output, f"{PROV}wasGeneratedBy", EX + activity),
            *(quad(activity, f"{PROV}used", source) for source in before),
        ]
        before = [EX + output]
    return made


def _entry(run: int) -> dict[str, Any]:
    return {"kind": "submit", "document": f"run-{run}", "version": 1}


def _writes(file: Path, lines: list[str]) -> Any:
    def write() -> Path:
        file.write_text("".join(lines), "utf-8")
        return file

    return write
