"""``python -m benchmarks``: run the measurements and print the tables of ``benchmarks/README.md``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import (
    access,
    attacks,
    capture,
    constraints,
    documents,
    drawing,
    events,
    explorer,
    formats,
    intake,
    lineage,
    lineage_growth,
    loading,
    logs,
    mirroring,
    peers,
    queries,
    shapes,
    soak,
    submissions,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes only, to check that it runs")
    parser.add_argument(
        "--only",
        choices=[
            "formats",
            "constraints",
            "shapes",
            "drawing",
            "explorer",
            "submissions",
            "intake",
            "documents",
            "loading",
            "queries",
            "access",
            "attacks",
            "lineage",
            "growth",
            "mirroring",
            "logs",
            "events",
            "capture",
            "soak",
        ],
        help="only this table; soak, documents, and the 10,000,000 relations of growth, run only with this option",
    )
    parser.add_argument("--minutes", type=float, default=60, help="minutes that soak runs")
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="DIR",
        help="compare capture with the tools that `benchmarks.peers` installed in this folder",
    )
    arguments = parser.parse_args()
    sizes = [1_000] if arguments.quick else [10_000, 100_000]
    large = sizes[-1]
    huge = [] if arguments.quick else [1_000_000]
    growth = [10_000] if arguments.quick else [10_000, 100_000, 1_000_000]
    if arguments.only == "growth" and not arguments.quick:
        growth.append(10_000_000)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        tables = {
            "formats": lambda: formats.table([*sizes, *huge], root),
            "constraints": lambda: constraints.table([*sizes, *huge]),
            "shapes": lambda: shapes.table([1_000, *sizes, *huge]),
            "drawing": drawing.table,
            "explorer": lambda: explorer.table(root, large=not arguments.quick),
            "submissions": lambda: submissions.table(root, large),
            "intake": lambda: intake.table(root, *([100, 20] if arguments.quick else [])),
            "loading": lambda: loading.table(root, large),
            "capture": lambda: capture.table() + (["", *peers.table(arguments.peers)] if arguments.peers else []),
            "queries": lambda: queries.table(root, large, 1.0 if arguments.quick else 5.0),
            "access": lambda: access.table(root),
            "attacks": lambda: attacks.table(root, large),
            "lineage": lambda: lineage.table(root, [100] if arguments.quick else [400, 4_000]),
            "growth": lambda: lineage_growth.table(root, growth),
            "mirroring": lambda: mirroring.table(root, *([2_000] if arguments.quick else [])),
            "logs": lambda: logs.table([1_000] if arguments.quick else [10_000, 100_000, 1_000_000], root),
            "events": lambda: events.table(root, *([5_000] if arguments.quick else [])),
        }
        if arguments.only == "soak":
            tables = {"soak": lambda: soak.table(root, arguments.minutes)}
        if arguments.only == "documents":
            growing = ([20, 60], None) if arguments.quick else ([100, 1_000, 10_000, 50_000], documents.PICTURE)
            tables = {"documents": lambda: documents.table(root, *growing)}
        for name, table in tables.items():
            if arguments.only in (None, name):
                print(f"\n## {name}\n")
                print("\n".join(table()), flush=True)


if __name__ == "__main__":
    main()
