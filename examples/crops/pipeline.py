"""raw.csv → clean → train → metrics: a small pipeline whose functions are steps, recorded as PROV-O in Turtle.

Usage::

    python pipeline.py WORK [--raw raw.csv] [--alpha 1.0]

It makes ``WORK/runs/<run>/`` with ``clean.csv``, ``model.json``, ``metrics.json`` and ``run.ttl``, and prints the path
of ``run.ttl``. It needs provrepo, and computes with the standard library.
"""

from __future__ import annotations

import argparse
import csv
import json
import uuid
from pathlib import Path

from lab import CONTENT, LAB, File

from provrepo.capture import session, step

FEATURES = ("rain_mm", "soil_ph", "temp_c")
TARGET = "yield_t_ha"
HOLD_OUT = 4
"""Every fourth plot tests the model and does not train it."""


@step(why="no soil has such a pH, and a plot without yield teaches nothing")
def clean(raw: Path, cleaned: Path) -> None:
    """Drop incomplete rows, and those whose pH no soil has."""
    with raw.open(newline="", encoding="utf-8") as source, cleaned.open("w", newline="", encoding="utf-8") as target:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(target, rows.fieldnames or (), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if all(row.values()) and 4.5 <= float(row["soil_ph"]) <= 8.5)


@step(derives=True)
def train(cleaned: Path, model: Path, metrics: Path, alpha: float) -> None:
    """Fit a Ridge regression, and measure it on plots that it has not seen."""
    with cleaned.open(newline="", encoding="utf-8") as source:
        rows = [([float(row[f]) for f in FEATURES], float(row[TARGET])) for row in csv.DictReader(source)]
    seen = [row for n, row in enumerate(rows) if n % HOLD_OUT]
    unseen = rows[::HOLD_OUT]
    weights, intercept = ridge(seen, alpha)

    predicted = [intercept + dot(weights, x) for x, _ in unseen]
    actual = [y for _, y in unseen]
    residual = sum((y - p) ** 2 for y, p in zip(actual, predicted, strict=True))
    total = sum((y - mean(actual)) ** 2 for y in actual)
    error = mean([abs(y - p) for y, p in zip(actual, predicted, strict=True)])

    fitted = {"alpha": alpha, "intercept": intercept, **dict(zip(FEATURES, weights, strict=True))}
    model.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")
    metrics.write_text(json.dumps({"r2": round(1 - residual / total, 4), "mae": round(error, 4)}, indent=1) + "\n")


def ridge(rows: list[tuple[list[float], float]], alpha: float) -> tuple[list[float], float]:
    """Weights and intercept that minimize squared error + alpha · |weights|²."""
    means = [mean([x[i] for x, _ in rows]) for i in range(len(FEATURES))]
    middle = mean([y for _, y in rows])
    xs = [[value - m for value, m in zip(x, means, strict=True)] for x, _ in rows]
    ys = [y - middle for _, y in rows]
    size = range(len(FEATURES))
    gram = [[sum(x[i] * x[j] for x in xs) + (alpha if i == j else 0.0) for j in size] for i in size]
    weights = solve(gram, [sum(x[i] * y for x, y in zip(xs, ys, strict=True)) for i in size])
    return weights, middle - dot(weights, means)


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss–Jordan elimination with partial pivoting."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        pivot = max(range(column, len(rows)), key=lambda n: abs(rows[n][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for n, row in enumerate(rows):
            if n != column:
                rows[n] = [value - row[column] * p for value, p in zip(row, rows[column], strict=True)]
    return [row[-1] for row in rows]


def mean(values: list[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def dot(left: list[float], right: list[float]) -> float:
    """The scalar product."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def named(iri: str, path: Path) -> str:
    """In Turtle: what the laboratory calls a file, and its content under both digests that others know it by."""
    file = File.of(path)
    return f"<{iri}> prov:specializationOf <{file.content}>, <{CONTENT}{file.sha1}> .\n"


def main() -> None:
    """Run the steps in a session that records them, and add what the laboratory calls the files."""
    arguments = argparse.ArgumentParser(description="raw.csv, clean, train, metrics")
    arguments.add_argument("work", type=Path, help="where runs/ is")
    arguments.add_argument("--raw", type=Path, default=Path(__file__).with_name("raw.csv"))
    arguments.add_argument("--alpha", type=float, default=1.0, help="how much the regression shrinks its weights")
    given = arguments.parse_args()

    run = uuid.uuid4().hex[:8]
    place = given.work / "runs" / run
    place.mkdir(parents=True)
    cleaned, model, metrics = place / "clean.csv", place / "model.json", place / "metrics.json"

    document = place / "run.ttl"
    with session(f"crops {run}", out=document):
        clean(given.raw, cleaned)
        train(cleaned, model, metrics, given.alpha)

    if not document.exists():
        raise SystemExit("nothing was recorded: PROVREPO_CAPTURE says off")
    # The record knows files by what they hold; cwltool has another digest of that, and colleagues say "runs/...".
    with document.open("a", encoding="utf-8") as turtle:
        turtle.write(named(f"{LAB}data/{given.raw.name}", given.raw))
        turtle.writelines(named(f"{LAB}runs/{run}/{path.name}", path) for path in (cleaned, model, metrics))
    print(document)


if __name__ == "__main__":
    main()
