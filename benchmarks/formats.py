"""Reading and writing each format compared with the ``prov`` package, in µs per statement."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.generate import pipeline
from benchmarks.measure import best, isolated
from provrepo.codecs import formats
from provrepo.model.document import Document

PEER = {
    "provjson": ("json", {}),
    "provn": ("provn", {}),
    "provxml": ("xml", {}),
    "provjsonld": ("jsonld", {}),
    "turtle": ("rdf", {"rdf_format": "turtle"}),
    "trig": ("rdf", {"rdf_format": "trig"}),
    "ntriples": ("rdf", {"rdf_format": "nt"}),
    "nquads": ("rdf", {"rdf_format": "nquads"}),
    "rdfxml": ("rdf", {"rdf_format": "xml"}),
    "rdfjsonld": ("rdf", {"rdf_format": "json-ld"}),
}
"""The name and the options of each format in prov."""

LARGE = ("provjson", "turtle", "nquads")
"""Formats that are measured above 100,000 statements; prov's RDF, with eight minutes a million, is not."""


def measure(format: str, statements: int, peer: bool, file: str) -> dict[str, Any]:  # noqa: A002
    """Measure one format, size and implementation, in a process of its own."""
    times = 3 if statements <= 10_000 else 1
    data = Path(file).read_bytes()
    if peer:
        read, write = _peer(format)
    else:
        read, write = partial(formats.read, format=format), partial(_write, format)
    reading, document = best(times, lambda: read(data))
    writing, _ = best(times, lambda: write(document))
    return {"read": reading / statements * 1e6, "write": writing / statements * 1e6}


def _write(format: str, document: Document) -> bytes:  # noqa: A002
    return document.write(format)


def _peer(format: str) -> tuple[Callable[[bytes], Any], Callable[[Any], Any]]:  # noqa: A002
    """The functions by which prov reads and writes a format."""
    from prov.model import ProvDocument

    warnings.simplefilter("ignore")
    name, options = PEER[format]

    def read(data: bytes) -> ProvDocument:
        return ProvDocument.deserialize(content=data.decode(), format=name, **options)

    def write(document: ProvDocument) -> None:
        document.serialize(io.BytesIO() if name in ("xml", "rdf") else io.StringIO(), format=name, **options)

    return read, write


def table(sizes: list[int], directory: Path) -> list[str]:
    """The rows of the Markdown table."""
    rows = [
        "| format | statements | read µs | prov | ratio | write µs | prov | ratio | peak MiB | prov |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for size in sizes:
        large = size > 100_000
        document = pipeline(size)
        chosen = [format_ for format_ in formats.READABLE if not large or format_.name in LARGE]
        for format_ in chosen:
            file = directory / f"{size}{format_.suffixes[0]}"
            file.write_bytes(document.write(format_.name))
            ours = isolated("formats", format=format_.name, statements=size, peer=False, file=str(file))
            theirs = None
            if not (large and format_.rdf):
                theirs = isolated("formats", format=format_.name, statements=size, peer=True, file=str(file))
            rows.append(_row(format_.title, size, ours, theirs))
    return rows


def _row(title: str, size: int, ours: dict[str, Any], theirs: dict[str, Any] | None) -> str:
    cells = [title, f"{size:,}"]
    for what in ("read", "write"):
        cells.append(f"{ours[what]:.1f}")
        cells += [f"{theirs[what]:.0f}", f"{theirs[what] / ours[what]:.1f}×"] if theirs else ["", ""]
    cells += [f"{ours['peak_mib']:.0f}", f"{theirs['peak_mib']:.0f}" if theirs else ""]
    return f"| {' | '.join(cells)} |"
