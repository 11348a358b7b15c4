"""Reading and writing each format, ours beside the ``prov`` package alone, in µs per statement."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from benchmarks.generate import pipeline
from benchmarks.measure import best, isolated
from provrepo.codecs import formats

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
"""What each format is called in prov, and its options there."""


def measure(format: str, statements: int, peer: bool, file: str) -> dict[str, Any]:  # noqa: A002
    """One format, one size, one implementation; run in a process of its own."""
    times = 3 if statements <= 10_000 else 1
    data = Path(file).read_bytes()
    if not peer:
        document = formats.read(data, format=format)
        return {
            "read": best(times, lambda: formats.read(data, format=format)) / statements * 1e6,
            "write": best(times, lambda: document.write(format)) / statements * 1e6,
            "bytes": len(data),
        }
    from prov.model import ProvDocument

    warnings.simplefilter("ignore")
    name, options = PEER[format]

    def read() -> ProvDocument:
        return ProvDocument.deserialize(content=data.decode(), format=name, **options)

    loaded = read()

    def write() -> None:
        loaded.serialize(io.BytesIO() if name in ("xml", "rdf") else io.StringIO(), format=name, **options)

    return {"read": best(times, read) / statements * 1e6, "write": best(times, write) / statements * 1e6}


def table(sizes: list[int], directory: Path, peer_limit: int) -> list[str]:
    """The rows of the Markdown table."""
    rows = [
        "| format | statements | read µs | prov | ratio | write µs | prov | ratio | peak MiB | prov |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for size in sizes:
        document = pipeline(size)
        for format_ in formats.READABLE:
            file = directory / f"{size}{format_.suffixes[0]}"
            file.write_bytes(document.write(format_.name))
            ours = isolated("formats", format=format_.name, statements=size, peer=False, file=str(file))
            theirs = None
            if size <= peer_limit or not format_.rdf:
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
