"""Airflow with OpenLineage's provider, in its own environment, reports a run to a server that is disturbed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provrepo.model.statements import ACTIVITY
from provrepo.repository.repository import Repository
from provrepo.vocab import SCHEMA
from tests.integration.environments import NotHere, python, run
from tests.integration.receiving import PROJECT, Receiver, receiver

REQUIREMENTS = ["apache-airflow==3.3.2", "apache-airflow-providers-openlineage==2.20.3"]

PLAN = ["pass", "503", "pass", "lost", "killed"]
"""One event is refused, one answer is lost, and one event finds the server killed."""


@dataclass
class Ran:
    """The run of a DAG whose last task fails.

    Attributes:
        here: the receiver.
        repository: what it stored.
        folder: of the files.
    """

    here: Receiver
    repository: Repository
    folder: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    try:
        interpreter = python("airflow", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"Airflow cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("harvest")
    (folder / "raw.csv").write_text("plot,kg\n1,3\n2,4\n3,\n", "utf-8")
    airflow = interpreter.with_name("airflow")
    with receiver(tmp_path_factory.mktemp("received")) as here:
        here.plan = list(PLAN)
        transport = {
            "type": "http",
            "url": here.url,
            "auth": {"type": "api_key", "apiKey": here.token},
            "retry": {"total": 10, "connect": 10, "read": 10},
        }
        settings = {
            "PATH": f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(tmp_path_factory.mktemp("home")),
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).with_name("airflow")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__OPENLINEAGE__NAMESPACE": "farm",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "HARVEST_DATA": str(folder),
        }
        made = run([airflow, "db", "migrate"], **settings)
        assert made.returncode == 0, made.stderr[-4000:]
        done = run([airflow, "dags", "test", "harvest", "2026-11-20"], **settings)
        assert "no such share" in done.stdout + done.stderr, (done.stdout + done.stderr)[-4000:]
        assert here.plan == []
        assert (folder / "total.csv").read_text("utf-8") == "kg\n7\n"
        with here.opened() as repository:
            yield Ran(here, repository, folder)


def test_nothing_is_lost_and_documents_conform(ran: Ran) -> None:
    assert {one.status for one in ran.here.answered} >= {201, 503, 502, 0}
    ran.here.nothing_lost(ran.repository)
    ran.here.conform(ran.repository, "core")
    # Without a scheduler, nothing reports the start of the run of the DAG itself.
    ran.here.conform(ran.repository, "pipeline", but=["Start"])


def test_each_task_has_its_state(ran: Ran) -> None:
    found = {}
    for name, events in ran.here.stored(ran.repository).items():
        (activity,) = [one for one in ran.repository.read(PROJECT, name) if one.kind is ACTIVITY]
        (status,) = [str(value) for key, value in activity.attributes if key == f"{SCHEMA}actionStatus"]
        found[events[0]["job"]["name"]] = status.removeprefix(SCHEMA)
    assert found == {
        "harvest": "FailedActionStatus",
        "harvest.clean": "CompletedActionStatus",
        "harvest.add": "CompletedActionStatus",
        "harvest.publish": "FailedActionStatus",
    }
