"""Spark with OpenLineage's listener, in its own environment, reports a join and an aggregation to a running server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provrepo.repository.repository import Repository
from tests.integration.environments import NotHere, jar, python, run
from tests.integration.receiving import PROJECT, Receiver, receiver

LISTENER = "io.openlineage:openlineage-spark_2.12:1.53.0"

PLAN = [*["pass"] * 3, "503", *["pass"] * 3, "503"]
"""Java's client sends an event again once after 503, and not at all after other answers or without one."""


@dataclass
class Ran:
    """One Spark application.

    Attributes:
        here: the receiver.
        repository: what it stored.
        folder: of the files.
    """

    here: Receiver
    repository: Repository
    folder: Path

    def document(self, output: str) -> str:
        """The name of the document of the run that wrote an output."""
        stored = self.here.stored(self.repository)
        (found,) = [
            name
            for name, events in stored.items()
            if any(one["name"] == str(self.folder / output) for event in events for one in event.get("outputs", ()))
        ]
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    try:
        interpreter = python("spark", ["pyspark==3.5.8"])
        listener = jar("spark", LISTENER)
    except NotHere as error:
        pytest.skip(f"Spark or its listener cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("harvest")
    (folder / "plots.csv").write_text("plot,crop,kg\n1,w,310\n2,w,290\n3,r,205\n4,r,\n", "utf-8")
    (folder / "crops.csv").write_text("crop,name\nw,wheat\nr,rye\n", "utf-8")
    with receiver(tmp_path_factory.mktemp("received")) as here:
        here.plan = list(PLAN)
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
            "spark.jars": listener,
            "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
            "spark.openlineage.namespace": "farm",
            "spark.openlineage.transport.type": "http",
            "spark.openlineage.transport.url": here.url,
            "spark.openlineage.transport.endpoint": f"/projects/{PROJECT}/api/v1/lineage",
            "spark.openlineage.transport.auth.type": "api_key",
            "spark.openlineage.transport.auth.apiKey": here.token,
            "spark.openlineage.transport.compression": "gzip",
        }
        command: list[object] = [interpreter.with_name("spark-submit"), "--master", "local[1]"]
        for name, value in settings.items():
            command += ["--conf", f"{name}={value}"]
        # spark-submit takes the Python that is first on the path.
        path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
        script = Path(__file__).with_name("spark_runner.py")
        done = run([*command, script, folder], PATH=path, PYSPARK_PYTHON=str(interpreter), SPARK_LOCAL_IP="127.0.0.1")
        assert done.returncode == 0, done.stderr[-4000:]
        assert here.plan == []
        with here.opened() as repository:
            yield Ran(here, repository, folder)


def test_nothing_is_lost_and_documents_conform(ran: Ran) -> None:
    assert [one.status for one in ran.here.answered if one.status != 201] == [503, 503]
    assert {one.headers.get("transfer-encoding") for one in ran.here.answered} == {"chunked"}
    ran.here.nothing_lost(ran.repository)
    ran.here.conform(ran.repository, "core")
    # Spark does not say when the jobs of RDDs end, such as those that look at the schema of files.
    ran.here.conform(ran.repository, "pipeline", but=["End"])


def test_columns_derive_from_columns_of_the_files(ran: Ran) -> None:
    files = {name: str(ran.folder / name) for name in ("plots.csv", "crops.csv", "joined")}
    assert ran.here.columns(ran.repository, ran.document("joined")) == {
        ("plot", (files["plots.csv"], "plot")),
        ("name", (files["crops.csv"], "name")),
        ("tons", (files["plots.csv"], "kg")),
    }
    assert ran.here.columns(ran.repository, ran.document("total")) == {
        ("name", (files["joined"], "name")),
        ("total", (files["joined"], "tons")),
    }


def test_the_last_table_came_from_the_files_through_other_runs(ran: Ran) -> None:
    names = {str(ran.folder / name) for name in ("total", "joined", "plots.csv", "crops.csv")}
    assert ran.here.upstream(ran.repository, str(ran.folder / "total")) == names
