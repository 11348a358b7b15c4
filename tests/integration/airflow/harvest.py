"""The DAG of the group ``airflow``: two tasks that name what they read and write, and one that fails."""

from __future__ import annotations

import os
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, dag, task

DATA = os.environ["HARVEST_DATA"]
raw, clean, total = (Asset(uri=f"file://{DATA}/{name}.csv", name=name) for name in ("raw", "clean", "total"))


@dag(dag_id="harvest", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["farm"])
def harvest() -> None:
    first = BashOperator(
        task_id="clean",
        bash_command=f"grep -v ',$' {DATA}/raw.csv > {DATA}/clean.csv",
        inlets=[raw],
        outlets=[clean],
        owner="ana",
    )

    @task(inlets=[clean], outlets=[total])
    def add() -> None:
        rows = Path(DATA, "clean.csv").read_text("utf-8").splitlines()[1:]
        Path(DATA, "total.csv").write_text(f"kg\n{sum(int(row.split(',')[1]) for row in rows)}\n", "utf-8")

    @task
    def publish() -> None:
        raise PermissionError("no such share")

    first >> add() >> publish()


harvest()
