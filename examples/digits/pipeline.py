"""images → clean → features → train → evaluate: handwritten digits, and a record of how each result came about.

Usage::

    python pipeline.py NAME [--alpha 0.0001] [--seed 1] [--corrupt SHEET]

The first run writes the scans that all runs share: ``scans/sheet-1.pgm`` to ``sheet-6.pgm``, 300 digits on each, and
``scans/labels.csv``. Every run writes ``runs/NAME/`` and, since its functions are steps, ``prov/NAME.trig``. The same
options give the same bytes again. It needs scikit-learn, whose images these are.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step

SCANS = Path("scans")
LABELS = SCANS / "labels.csv"
SPLIT = {"training": (1, 2, 3, 4), "validation": (5,), "test": (6,)}
"""Whole sheets: digits of one hand are on one sheet, and must not help to recognize each other."""
ROWS, COLUMNS, SIDE, WHITE, INK = 15, 20, 8, 0, 16
"""A sheet has 15 × 20 cells of 8 × 8 pixels, from 0 (paper) to 16 (ink)."""
FAINT = 20
"""Cells with less ink than this, summed over their pixels, are empty."""


@step(why="stands for the scanner: these are the images that scikit-learn ships")
def scan(folder: Path) -> None:
    """Write the sheets, and the labels that somebody typed for each cell."""
    digits = load_digits()
    folder.mkdir(parents=True)
    with LABELS.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["sheet", "cell", "digit"])
        table.writerows((1 + n // (ROWS * COLUMNS), n % (ROWS * COLUMNS), d) for n, d in enumerate(digits.target))
    for number in range(1, 7):
        cells = np.full((ROWS * COLUMNS, SIDE, SIDE), WHITE, dtype=np.uint8)
        images = digits.images[(number - 1) * len(cells) : number * len(cells)]
        cells[: len(images)] = images
        pixels = cells.reshape(ROWS, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
        write_image(sheet(number), pixels.reshape(ROWS * SIDE, COLUMNS * SIDE))


@step(derives=True, why="cells that nobody wrote in teach nothing")
def clean(image: Path, labels: Path, cleaned: Path) -> None:
    """Cut a sheet into its cells, and write those that hold a digit: the label, then the pixels."""
    number = image.stem.partition("-")[2]
    with labels.open(newline="", encoding="utf-8") as file:
        known = {int(row["cell"]): int(row["digit"]) for row in csv.DictReader(file) if row["sheet"] == number}
    pixels = read_image(image).reshape(ROWS, SIDE, COLUMNS, SIDE).swapaxes(1, 2)
    cells = pixels.reshape(ROWS * COLUMNS, SIDE * SIDE)
    kept = [(known[n], *cell) for n, cell in enumerate(cells) if n in known and cell.sum(dtype=int) >= FAINT]
    np.savetxt(cleaned, kept, fmt="%d", delimiter=",")


@step(derives=True)
def features(cleaned: Sequence[Path], table: Path) -> None:
    """One table of several sheets: the label, the pixels, and the ink of each row and column."""
    rows = np.vstack([np.loadtxt(path, delimiter=",") for path in cleaned])
    images = rows[:, 1:].reshape(-1, SIDE, SIDE)
    np.savetxt(table, np.hstack([rows, images.sum(axis=1), images.sum(axis=2)]), fmt="%d", delimiter=",")


@step
def train(training: Path, validation: Path, model: Path, alpha: float, seed: int) -> None:
    """Fit a linear classifier, and see how it does on digits that it has not learned from."""
    log_params({"alpha": alpha}, seed=seed)
    log_data(training, "training")
    log_data(validation, "validation")
    labels, inputs = read_table(training)
    fitted = make_pipeline(StandardScaler(), SGDClassifier(alpha=alpha, random_state=seed)).fit(inputs, labels)
    joblib.dump(fitted, model)
    log_model(model, name="digits")
    labels, inputs = read_table(validation)
    log_metrics({"validation accuracy": round(fitted.score(inputs, labels), 4)})


@step(derives=True)
def evaluate(model: Path, test: Path, metrics: Path) -> None:
    """Recognize the digits of the last sheet, and say which share of them were right."""
    log_data(test, "test")
    labels, inputs = read_table(test)
    right = joblib.load(model).predict(inputs) == labels
    measured = {"accuracy": round(float(right.mean()), 4), "digits": len(labels)}
    log_metrics(measured)
    metrics.write_text(json.dumps(measured) + "\n", "utf-8")


def sheet(number: int) -> Path:
    """Where a sheet is."""
    return SCANS / f"sheet-{number}.pgm"


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write a PGM, which most programs for images open."""
    height, width = pixels.shape
    path.write_bytes(b"P5 %d %d %d\n" % (width, height, INK) + pixels.tobytes())


def read_image(path: Path) -> np.ndarray:
    """The pixels of a PGM that ``write_image`` wrote."""
    head, _, pixels = path.read_bytes().partition(b"\n")
    width, height = map(int, head.split()[1:3])
    return np.frombuffer(pixels, dtype=np.uint8).reshape(height, width)


def read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels and inputs of a table of features."""
    rows = np.loadtxt(path, delimiter=",")
    return rows[:, 0].astype(int), rows[:, 1:]


def run(name: str, alpha: float, seed: int) -> Path:
    """All steps, in one session; what they measured."""
    place = Path("runs") / name
    place.mkdir(parents=True)
    with session(name, out=Path("prov") / f"{name}.trig"):
        if not SCANS.exists():
            scan(SCANS)
        tables = {}
        for use, numbers in SPLIT.items():
            cleaned = [place / f"clean-{number}.csv" for number in numbers]
            for number, path in zip(numbers, cleaned, strict=True):
                clean(sheet(number), LABELS, path)
            tables[use] = place / f"{use}.csv"
            features(cleaned, tables[use])
        train(tables["training"], tables["validation"], place / "model.joblib", alpha, seed)
        evaluate(place / "model.joblib", tables["test"], place / "metrics.json")
    return place / "metrics.json"


def main() -> None:
    """Read the options, and run."""
    options = argparse.ArgumentParser(description="recognize handwritten digits, and record how")
    options.add_argument("name", help="of this run; its files go to runs/NAME and prov/NAME.trig")
    options.add_argument("--alpha", type=float, default=0.0001, help="how much the classifier shrinks its weights")
    options.add_argument("--seed", type=int, default=1, help="of the order in which it sees the digits")
    options.add_argument("--corrupt", type=int, metavar="SHEET", choices=range(1, 7),
                         help="first turn this sheet upside down, which no step tells of")  # fmt: skip
    given = options.parse_args()
    if (Path("runs") / given.name).exists():
        options.error(f"there is a run {given.name} already: give this one another name")
    if given.corrupt:
        if not SCANS.exists():
            options.error("there are no scans yet: run once without --corrupt")
        write_image(sheet(given.corrupt), np.flip(read_image(sheet(given.corrupt))))
    metrics = run(given.name, given.alpha, given.seed)
    print(f"{metrics}: {metrics.read_text('utf-8').strip()}")


if __name__ == "__main__":
    main()
