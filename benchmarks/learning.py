"""A pipeline of pandas, Parquet, HDF5 and scikit-learn, plain or recorded by a tool: ``python learning.py TOOL``.

It imports nothing of this repository unless that is the tool, so that it runs in an environment with one tool only. At
the end it prints as JSON the seconds of processor time that provrepo spent on hashing files.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import h5py
import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

TOOL = sys.argv[1] if len(sys.argv) > 1 else "plain"
SITES, ROWS = 12, 40_000

if TOOL == "provrepo":
    from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step
    from provrepo.capture.files import digests

    recording = session("learning", out="prov/learning.trig")
    sha256, hashing = digests.sha256, []

    def timed(path):
        """The digest of a file, with the time that it took."""
        start = time.process_time()
        try:
            return sha256(path)
        finally:
            hashing.append(time.process_time() - start)

    digests.sha256 = timed
else:

    def step(function):
        """The function unchanged, without a tool."""
        return function

    def log_data(*_):
        """Do nothing, without a tool."""

    log_metrics = log_model = log_params = log_data
    recording, hashing = nullcontext(), []

if TOOL == "mlflow":
    import mlflow

    mlflow.set_tracking_uri(Path("mlruns").absolute().as_uri())
    mlflow.sklearn.autolog()
    recording = mlflow.start_run()


@step
def measure(site, path):
    """Write the measurements of a site."""
    random = np.random.default_rng(site)
    table = pd.DataFrame(random.normal(site / 10, 1, (ROWS, 5)), columns=list("abcde"))
    table["label"] = (table.a * table.b + table.c + random.normal(0, 0.5, ROWS) > 0).astype(int)
    table.iloc[::97, 1] = np.nan
    table.to_parquet(path)


@step
def load(path):
    """Read a table of measurements."""
    return pd.read_parquet(path)


@step
def store(table, path):
    """Write the columns of a table as HDF5."""
    with h5py.File(path, "w") as file:
        for name in table.columns:
            file[name] = table[name].to_numpy()


@step
def restore(path):
    """Read a table from HDF5."""
    with h5py.File(path) as file:
        return pd.DataFrame({name: file[name][:] for name in file})


@step
def clean(table):
    """Remove incomplete rows and outliers."""
    return table.dropna().query("abs(a) < 3 and abs(b) < 3")


@step
def features(tables):
    """Join the tables of all sites and add columns."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(ab=table.a * table.b, mean=table[list("abcde")].mean(axis=1))


@step
def train(table, path):
    """Train a random forest on a sample."""
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
    """Write the accuracy of the model."""
    right = joblib.load(path).predict(test.drop(columns="label")) == test.label
    Path(report).write_text(json.dumps({"accuracy": float(right.mean())}))


def main():
    """Run the pipeline."""
    tables = []
    for site in range(SITES):
        measure(site, f"site-{site}.parquet")
        tables.append(clean(load(f"site-{site}.parquet")))
    store(features(tables), "features.h5")
    table = restore("features.h5")
    evaluate("forest.joblib", train(table, "forest.joblib"), "report.json")


with recording:
    main()

print(json.dumps({"hashing": sum(hashing)}))
