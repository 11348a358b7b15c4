"""Loading quads into one project's dataset, compared with ``pyoxigraph.Store.bulk_load`` of the same file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pyoxigraph

from benchmarks.generate import pipeline
from benchmarks.measure import isolated, stopwatch
from provrepo.model.minting import Minter
from provrepo.repository.submission.worker import run
from provrepo.views.sparql.store import Quads
from provrepo.views.view import Change

BLOB = "0" * 64


def content(directory: Path, statements: int) -> Path:
    """The content file of one version, as a worker writes it."""
    source, output = directory / "source.ttl", directory / "content.nq"
    data = pipeline(statements).write("turtle")
    source.write_bytes(data)
    partial = str(output.with_suffix(".part"))
    target = {
        "output": str(output),
        "partial": partial,
        "version": str(Minter().version("p", "d", 1)),
        "blob": hashlib.sha256(data).hexdigest(),
        "minting": {},
    }
    run(str(source), name=source.name, check=False, target=target)
    return output


def measure(peer: bool, file: str, directory: str) -> dict[str, Any]:
    """Load the file into an empty store, in a process of its own."""
    copy = Path(directory) / "copy.nq"
    shutil.copy(file, copy)
    with stopwatch() as watch:
        if peer:
            store = pyoxigraph.Store(str(Path(directory) / "peer"))
            store.bulk_load(path=str(copy), format=pyoxigraph.RdfFormat.N_QUADS)
            quads = len(store)
        else:
            view = Quads(Path(directory) / "ours", base="")
            view.apply("p", _change(copy))
            quads = view.count("p")
            view.close()
    return {"seconds": watch.seconds, "quads": quads}


def _change(file: Path) -> Change:
    entry = {
        "kind": "submit",
        "project": "p",
        "sequence": 1,
        "actor": "nobody",
        "time": "2026-01-01T00:00:00Z",
        "software": "provrepo/0",
        "document": "d",
        "version": 1,
        "blob": BLOB,
        "size": 0,
        "format": "turtle",
        "base": "",
        "title": "",
        "statements": 0,
        "layers": [],
        "profiles": [],
        "mapping": "",
        "verdict": "conforms",
        "report": BLOB,
        "note": "",
        "origin": None,
    }
    return Change("p", 1, "0" * 64, entry, "", lambda: file)


def table(directory: Path, statements: int) -> list[str]:
    """Both as Markdown."""
    file = content(directory, statements)
    lines = sum(1 for _ in file.open("rb"))
    rows = [
        "| loading one version into an empty dataset | quads in the file | seconds | quads/s | peak MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    seconds = {}
    for name, peer in (("pyoxigraph bulk_load, named graphs only", True), ("provrepo, with the default graph", False)):
        place = directory / str(peer)
        place.mkdir()
        found = isolated("loading", peer=peer, file=str(file), directory=str(place))
        seconds[peer] = found["seconds"]
        taken = found["seconds"]
        rows.append(f"| {name} | {lines:,} | {taken:.2f} | {lines / taken:,.0f} | {found['peak_mib']:.0f} |")
    return [*rows, "", f"Ratio: {seconds[False] / seconds[True]:.2f}×."]
