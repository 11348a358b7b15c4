"""A pipeline of pandas and scikit-learn, by itself or watched by one of several tools: ``python learning.py TOOL``.

It stands alone, so that it runs in an environment that has only one of the tools. In the end it prints as JSON how
long it takes to hash every file once that it made; that is not part of any step.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

TOOL = sys.argv[1] if len(sys.argv) > 1 else "plain"
SITES, ROWS = 12, 40_000

if TOOL == "provrepo":
    from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step

    watched = session("learning", out="prov/learning.trig")
else:

    def step(function):
        """No tool: the function as it is."""
        return function

    def log_data(*_):
        """No tool."""

    log_metrics = log_model = log_params = log_data
    watched = nullcontext()

if TOOL == "mlflow":
    import mlflow

    mlflow.set_tracking_uri(Path("mlruns").absolute().as_uri())
    mlflow.sklearn.autolog()
    watched = mlflow.start_run()


@step
def measure(site, path):
    """What a site's instruments wrote."""
    random = np.random.default_rng(site)
    table = pd.DataFrame(random.normal(site / 10, 1, (ROWS, 5)), columns=list("abcde"))
    table["label"] = (table.a * table.b + table.c + random.normal(0, 0.5, ROWS) > 0).astype(int)
    table.iloc[::97, 1] = np.nan
    table.to_csv(path, index=False)


@step
def load(path):
    """A table, as it was measured."""
    return pd.read_csv(path)


@step
def clean(table):
    """Whole rows within reason."""
    return table.dropna().query("abs(a) < 3 and abs(b) < 3")


@step
def features(tables):
    """All sites together, with what the sensors' ratios tell."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(ab=table.a * table.b, mean=table[list("abcde")].mean(axis=1))


@step
def train(table, path):
    """A forest on a sample."""
    sample = table.sample(20_000, random_state=1)
    training, test = train_test_split(sample, random_state=1)
    log_data(training, "training")
    log_params({"n_estimators": 40, "max_depth": 10, "seed": 1})
    forest = RandomForestClassifier(n_estimators=40, max_depth=10, random_state=1)
    forest.fit(training.drop(columns="label"), training.label)
    joblib.dump(forest, path)
    log_model(path)
    log_metrics({"accuracy": forest.score(test.drop(columns="label"), test.label)})
    return test


@step
def evaluate(path, test, report):
    """How good it is, by site and in all."""
    right = joblib.load(path).predict(test.drop(columns="label")) == test.label
    Path(report).write_text(json.dumps({"accuracy": float(right.mean())}))


def main():
    """All of it."""
    tables = []
    for site in range(SITES):
        measure(site, f"site-{site}.csv")
        tables.append(clean(load(f"site-{site}.csv")))
    table = features(tables)
    evaluate("forest.joblib", train(table, "forest.joblib"), "report.json")


with watched:
    main()

start = time.process_time()
for made in sorted(Path().glob("*.*")):
    if made.is_file():
        hashlib.sha256(made.read_bytes()).hexdigest()
print(json.dumps({"hashing": time.process_time() - start}))
