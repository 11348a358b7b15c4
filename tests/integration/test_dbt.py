"""dbt-ol on DuckDB, in its own environment, reports two builds of a small project to a server that is disturbed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import provrepo
from provrepo.importers.openlineage.quality import DQV
from provrepo.model.document import Document
from provrepo.model.statements import GENERATION, SPECIALIZATION
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
        project: the folder of the project, with ``target/`` of the second build.
        codes: the exit codes of the builds.
    """

    here: Receiver
    repository: Repository
    project: Path
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
            yield Ran(here, repository, project, (first, second))


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


def test_the_folder_of_the_project_says_what_the_events_say(ran: Ran, tmp_path: Path) -> None:
    # The address of the database is an expression, which only dbt evaluates.
    place = str(ran.project / "harvest.duckdb")
    profiles = ran.project / "profiles.yml"
    profiles.write_text(profiles.read_text("utf-8").replace("{{ env_var('HARVEST_DATABASE') }}", place), "utf-8")
    repository = provrepo.open(tmp_path / "data")
    found = repository.import_documents(ran.project, format="dbt")
    assert found.skipped == ()
    (receipt,) = found.receipts
    document = repository.read("default", receipt.version.name)
    assert document.warnings == []
    assert provrepo.validate(document, profiles=["pipeline"]).conforms

    def relations(documents: Iterable[Document]) -> set[str]:
        whole = (str(one.args[1]) for each in documents for one in each if one.kind is SPECIALIZATION)
        return {iri for iri in whole if "/dataset/" in iri}

    events = (ran.repository.read(PROJECT, name) for name in ran.here.stored(ran.repository))
    # The last model was skipped in the second build, since a test of what it reads failed.
    assert {iri.rpartition("/")[2] for iri in relations([document])} == {"harvest.main.plots", "harvest.main.clean"}
    assert relations([document]) < relations(events)
    values = {str(value) for one in document for name, value in one.attributes if name == f"{DQV}value"}
    assert values == {"true", "false"}


def test_results_of_docs_generate_are_refused(ran: Ran, tmp_path: Path) -> None:
    folder = python("dbt", REQUIREMENTS).parent
    names = {"HARVEST_DATABASE": str(ran.project / "harvest.duckdb")}
    generate = [folder / "dbt", "docs", "generate", "--project-dir", ran.project, "--profiles-dir", ran.project]
    assert run(generate, **names).returncode == 0
    found = provrepo.open(tmp_path / "data").import_documents(ran.project, format="dbt")
    assert found.receipts == ()
    assert ["dbt docs generate" in skipped.reason for skipped in found.skipped] == [True]
