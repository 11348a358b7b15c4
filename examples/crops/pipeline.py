"""raw.csv → clean → train → metrics: a small pipeline that says what it did, as PROV-O in Turtle.

Usage::

    python pipeline.py WORK [--raw raw.csv] [--alpha 1.0]

It makes ``WORK/runs/<run>/`` with ``clean.csv``, ``model.json``, ``metrics.json`` and ``run.ttl``, and prints the path
of ``run.ttl``. Standard library only.
"""

from __future__ import annotations

import argparse
import csv
import json
import uuid
from pathlib import Path

from lab import ANA, ANA_NAME, CONTENT, LAB, ORCID, PYTHON, File, now

FEATURES = ("rain_mm", "soil_ph", "temp_c")
TARGET = "yield_t_ha"
HOLD_OUT = 4
"""Every fourth plot tests the model and does not train it."""


# --- the science -----------------------------------------------------------------------------------------------------


def clean(raw: Path, cleaned: Path) -> None:
    """Drop incomplete rows, and those whose pH no soil has."""
    with raw.open(newline="", encoding="utf-8") as source, cleaned.open("w", newline="", encoding="utf-8") as target:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(target, rows.fieldnames or (), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if all(row.values()) and 4.5 <= float(row["soil_ph"]) <= 8.5)


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


# --- what it says about itself ---------------------------------------------------------------------------------------


class Account:
    """The account of one run, in Turtle."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.blocks = [
            "\n".join(
                f"@prefix {prefix}: <{namespace}> ."
                for prefix, namespace in {
                    "prov": "http://www.w3.org/ns/prov#",
                    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
                    "xsd": "http://www.w3.org/2001/XMLSchema#",
                    "schema": "http://schema.org/",
                    "content": CONTENT,
                    "data": f"{LAB}data/",
                    "run": f"{LAB}runs/{run}/",
                    "software": f"{LAB}software/",
                    "orcid": ORCID,
                }.items()
            )
        ]
        self.described: set[str] = set()

    def say(self, subject: str, *properties: tuple[str, str]) -> None:
        """One subject with its properties, values already in Turtle."""
        self.blocks.append(f"{subject}\n    " + " ;\n    ".join(f"{p} {value}" for p, value in properties) + " .")

    def agents(self, script: File) -> None:
        """Ana, who asked for the run, and the script that did it for her."""
        self.say(f"orcid:{ANA}", ("a", "prov:Agent, prov:Person"), ("rdfs:label", string(ANA_NAME)))
        self.say(
            "software:pipeline",
            ("a", "prov:Agent, prov:SoftwareAgent"),
            ("rdfs:label", string(f"{script.name} on {PYTHON}")),
            ("prov:actedOnBehalfOf", f"orcid:{ANA}"),
        )
        self.say(
            "software:pipeline.py",
            ("a", "prov:Entity, prov:Plan"),
            ("rdfs:label", string(script.name)),
            ("schema:sha256", string(script.sha256)),
        )

    def file(self, name: str, path: Path, *more: tuple[str, str]) -> None:
        """A file, and its content as a thing of its own."""
        file = File.of(path)
        if file.sha1 not in self.described:
            self.described.add(file.sha1)
            self.say(
                f"content:{file.sha1}",
                ("a", "prov:Entity"),
                ("rdfs:label", string(f"the content of {file.name}")),
                ("schema:sha256", string(file.sha256)),
                ("schema:contentSize", f'"{file.size}"^^xsd:integer'),
            )
        self.say(
            name,
            ("a", "prov:Entity"),
            ("rdfs:label", string(file.name)),
            ("prov:specializationOf", f"content:{file.sha1}"),
            *more,
        )

    def step(self, name: str, label: str, used: str, began: str, ended: str, *more: tuple[str, str]) -> None:
        """One step: who did it, by which plan, when, with what."""
        self.say(
            f"run:{name}",
            ("a", "prov:Activity"),
            ("rdfs:label", string(label)),
            ("prov:startedAtTime", time(began)),
            ("prov:endedAtTime", time(ended)),
            ("prov:used", used),
            ("prov:wasAssociatedWith", f"software:pipeline, orcid:{ANA}"),
            (
                "prov:qualifiedAssociation",
                "[ a prov:Association ; prov:agent software:pipeline ; prov:hadPlan software:pipeline.py ]",
            ),
            *more,
        )

    def made(self, name: str, path: Path, step: str, source: str) -> None:
        """A file that a step made out of another."""
        self.file(
            name,
            path,
            ("prov:wasGeneratedBy", f"run:{step}"),
            ("prov:generatedAtTime", time(now())),
            ("prov:wasDerivedFrom", source),
            ("prov:wasAttributedTo", f"orcid:{ANA}"),
        )

    def text(self) -> str:
        """The document."""
        return "\n\n".join(self.blocks) + "\n"


def string(value: str) -> str:
    """A Turtle string: JSON's escapes are Turtle's too."""
    return json.dumps(value, ensure_ascii=False)


def time(value: str) -> str:
    """A Turtle instant."""
    return f'"{value}"^^xsd:dateTime'


def main() -> None:
    """Run the steps one after the other, and write what happened."""
    arguments = argparse.ArgumentParser(description="raw.csv, clean, train, metrics")
    arguments.add_argument("work", type=Path, help="where runs/ is")
    arguments.add_argument("--raw", type=Path, default=Path(__file__).with_name("raw.csv"))
    arguments.add_argument("--alpha", type=float, default=1.0, help="how much the regression shrinks its weights")
    given = arguments.parse_args()

    run = uuid.uuid4().hex[:8]
    place = given.work / "runs" / run
    place.mkdir(parents=True)
    cleaned, model, metrics = place / "clean.csv", place / "model.json", place / "metrics.json"

    account = Account(run)
    account.agents(File.of(Path(__file__)))
    account.file("data:raw.csv", given.raw)

    began = now()
    clean(given.raw, cleaned)
    account.made("run:clean.csv", cleaned, "clean", "data:raw.csv")
    account.step("clean", "clean: drop incomplete rows and impossible pH", "data:raw.csv", began, now())

    began = now()
    train(cleaned, model, metrics, given.alpha)
    account.made("run:model.json", model, "train", "run:clean.csv")
    account.made("run:metrics.json", metrics, "train", "run:clean.csv")
    alpha = ("schema:additionalProperty", string(f"alpha = {given.alpha}"))
    account.step("train", "train: Ridge regression on yield", "run:clean.csv", began, now(), alpha)

    document = place / "run.ttl"
    document.write_text(account.text(), "utf-8")
    print(document)


if __name__ == "__main__":
    main()
