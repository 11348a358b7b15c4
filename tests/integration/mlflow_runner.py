"""Runs of all kinds, tracked by MLflow at ``MLFLOW_TRACKING_URI``. Run by the interpreter that has MLflow."""

from __future__ import annotations

import math
from pathlib import Path

import mlflow
import pandas
from sklearn.linear_model import Ridge

LEARNED = pandas.DataFrame({"rain": [1.0, 2.0, 3.0, 4.0], "yield": [2.1, 3.9, 6.2, 7.8]})
Path("plots.csv").write_text(LEARNED.to_csv(index=False), "utf-8")
client = mlflow.MlflowClient()

mlflow.set_experiment("crop-yield")
plots = mlflow.data.from_pandas(LEARNED, source="plots.csv", name="plots", targets="yield")
held = mlflow.data.from_pandas(LEARNED.tail(2), source="held.csv", name="held", targets="yield")
with mlflow.start_run(run_name="search", tags={"team": "agro"}):
    mlflow.log_metrics({"undefined": math.nan, "unbounded": math.inf})
    for alpha in (0.1, 1.0):
        with mlflow.start_run(run_name=f"train {alpha}", nested=True) as trained:
            mlflow.log_input(plots, context="training")
            mlflow.log_input(held, context="validation")
            mlflow.log_params({"alpha": alpha, "random_state": 7, "api_token": "hush-hush"})
            mlflow.log_artifact("plots.csv", "data")
            model = Ridge(alpha=alpha).fit(LEARNED[["rain"]], LEARNED["yield"])
            logged = mlflow.sklearn.log_model(model, name="model", registered_model_name="ridge", params={"a": "1"})
            # After the model: what is logged before it, a FileStore writes twice, and its own migration refuses that.
            for step in range(5):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.log_metric("r2", 0.9, dataset=plots, model_id=logged.model_id)
client.set_registered_model_alias("ridge", "champion", "2")
client.set_model_version_tag("ridge", "2", "checked", "yes")

with mlflow.start_run(run_name="evaluate"):
    mlflow.log_metric("mae", 0.1, dataset=held, model_id=logged.model_id)
    mlflow.log_text("fine", "report.txt")

try:
    with mlflow.start_run(run_name="broken"):
        mlflow.log_metric("loss", 1.0)
        raise RuntimeError("as intended")
except RuntimeError:
    pass

with mlflow.start_run(run_name="killed") as killed:
    mlflow.log_param("alpha", 3)
client.set_terminated(killed.info.run_id, "KILLED")
with mlflow.start_run(run_name="deleted") as deleted:
    pass
client.delete_run(deleted.info.run_id)
client.create_run(client.get_experiment_by_name("crop-yield").experiment_id, run_name="running")
