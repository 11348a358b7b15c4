"""dbt-ol on DuckDB, in its own environment, reports two builds of a small project to a server that is disturbed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provrepo.importers.openlineage.quality import DQV
from provrepo.model.statements import GENERATION
from provrepo.repository.repository import Repository
from tests.integration.environments import NotHere, python, run
from tests.integration.receiving import PROJECT, Receiver, receiver

REQUIREMENTS = ["openlineage-dbt==1.54.0", "dbt-core==1.11.16", "dbt-duckdb==1.11.1"]
"""dbt-core 1.12.6 needs a package whose installation downloads from another place than PyPI."""

PLAN = [*["pass"] * 3, "503", *["pass"] * 2, "lost", "killed"]
"""Of the requests of the first build, one is refused, one answer is lost, and one finds the server killed."""

MODELS = ("clean", "by_crop")


@dataclass
class Ran:
    """Two builds: the tests pass in the first; in the second, one of them fails.

    Attributes:
        here: the receiver.
        repository: what it stored.
        codes: the exit codes of the builds.
    """

    here: Receiver
    repository: Repository
    codes: tuple[int, int]


def build(interpreter: Path, here: Receiver, project: Path) -> int:
    """Run ``dbt-ol build``; returns its exit code."""
    transport = {
        "type": "http",
        "url": here.url,
        "auth": {"type": "api_key", "apiKey": here.token},
        "retry": {"total": 10, "connect": 10, "read": 10},
    }
    configuration = project / "openlineage.yml"
    configuration.write_text(json.dumps({"transport": transport}), "utf-8")  # JSON is YAML
    folder = interpreter.parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    command = [folder / "dbt-ol", "build", "--project-dir", project, "--profiles-dir", project]
    names = {"OPENLINEAGE_CONFIG": str(configuration), "OPENLINEAGE_NAMESPACE": "farm"}
    ran = run(command, PATH=path, HARVEST_DATABASE=str(project / "harvest.duckdb"), **names)
    assert "OpenLineage events" in ran.stdout + ran.stderr, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.returncode


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    try:
        interpreter = python("dbt", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"dbt-ol cannot be installed: {error}")
    project = tmp_path_factory.mktemp("built") / "harvest"
    shutil.copytree(Path(__file__).with_name("dbt"), project)
    with receiver(tmp_path_factory.mktemp("received")) as here:
        here.plan = list(PLAN)
        first = build(interpreter, here, project)
        assert here.plan == []
        with (project / "seeds" / "plots.csv").open("a", encoding="utf-8") as seed:
            seed.write("4,oats,120\n4,oats,130\n")
        second = build(interpreter, here, project)
        with here.opened() as repository:
            yield Ran(here, repository, (first, second))


def jobs(ran: Ran) -> dict[str, list[str]]:
    """The documents of the runs of each job, by the time of their first event."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, events in ran.here.stored(ran.repository).items():
        found.setdefault(events[0]["job"]["name"], []).append((min(event["eventTime"] for event in events), name))
    return {job: [name for _, name in sorted(runs)] for job, runs in found.items()}


def test_nothing_is_lost_and_documents_conform_to_pipeline(ran: Ran) -> None:
    assert ran.codes == (0, 1), "a test failed in the second build"
    ran.here.nothing_lost(ran.repository)
    assert {one.status for one in ran.here.answered} >= {201, 503, 502, 0}
    ran.here.conform(ran.repository, "pipeline")


def test_each_model_derives_from_what_it_reads(ran: Ran) -> None:
    found = jobs(ran)
    for model, source, columns in (
        ("clean", "plots", {("plot", "plot"), ("crop", "crop"), ("yield_kg", "yield_kg")}),
        ("by_crop", "clean", {("crop", "crop"), ("total_kg", "yield_kg")}),
    ):
        (name, *_) = found[f"harvest.main.harvest.{model}.build.run"]
        edges = ran.here.columns(ran.repository, name)
        assert {
            (target, origin) for target, (dataset, origin) in edges if dataset == f"harvest.main.{source}"
        } >= columns


def test_the_last_model_came_from_the_seed_through_other_runs(ran: Ran) -> None:
    names = {f"harvest.main.{name}" for name in ("by_crop", "clean", "plots")}
    assert ran.here.upstream(ran.repository, "harvest.main.by_crop") == names


def test_tests_become_measurements_of_quality(ran: Ran) -> None:
    found = jobs(ran)
    results: list[list[str]] = []
    for number in (0, 1):
        results.append([])
        for model in MODELS:
            names = found.get(f"harvest.main.harvest.{model}.build.test", [])
            if number < len(names):
                document = ran.repository.read(PROJECT, names[number])
                made = {statement.args[0] for statement in document if statement.kind is GENERATION}
                results[number] += [
                    str(getattr(value, "lexical", value))
                    for statement in document
                    if statement.id in made
                    for name, value in statement.attributes
                    if name == f"{DQV}value"
                ]
    assert results[0] == ["true"] * 4
    assert sorted(set(results[1])) == ["false", "true"]
