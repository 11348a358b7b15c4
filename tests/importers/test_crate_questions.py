"""The eleven competency questions of Workflow Run RO-Crate, asked of crates by the named queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.repository.queries.named import by_name
from provrepo.repository.repository import Repository
from tests.support.corpus import CORPUS
from tests.support.crates import metadata, process, provenance, ref

BASE = "https://lab.example/crates/7/"
FIXTURES = CORPUS.parent / "fixtures"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "data") as opened:
        yield opened


def ask(repository: Repository, name: str, **values: str) -> list[dict[str, str]]:
    """The rows of a named query, without the base IRI."""
    rows = repository.query(by_name(name).bind(values), project="default").rows
    return [
        {
            key: str(getattr(value, "lexical", value)).removeprefix(BASE)
            for key, value in row.items()
            if value is not None
        }
        for row in rows
    ]


ANSWERS: dict[str, list[dict[str, str]]] = {
    "containers": [
        {"activity": "#clean", "image": "#image", "name": "lab/clean"},
        {"activity": "#train", "name": "docker.io/lab/train:1"},
    ],
    "resources": [
        {
            "activity": "#clean",
            "property": "https://lab.example/memory",
            "value": "512",
            "unit": "https://qudt.org/vocab/unit/MegaBYTE",
        }
    ],
    "configuration": [{"activity": "#organize", "file": "engine.yml", "role": "configuration"}],
    "environments": [{"activity": "#flow", "file": "environment.yml"}],
    "durations": [
        {"activity": "#run-train", "label": "run of train", "duration": "PT7M"},
        {"activity": "#run-clean", "label": "run of clean", "duration": "PT1M59S"},
    ],
    "workflow-duration": [{"activity": "#flow", "label": "run of flow", "duration": "PT10M"}],
    "outcomes": [
        {"activity": "#train", "outcome": "FailedActionStatus"},
        {"activity": "#run-train", "outcome": "CompletedActionStatus"},
    ],
    "inputs-outputs": [
        {"direction": "input", "entity": "raw.csv", "label": "raw.csv"},
        {"direction": "input", "entity": "#pv-rate"},
        {"direction": "output", "entity": "model.pkl"},
    ],
    "software-versions": [
        {"activity": "#train", "software": "#mill", "name": "mill", "version": "2.1"},
        {"activity": "#clean", "software": "clean.py", "version": "3"},
        {"activity": "#run-clean", "software": "flow.cwl#clean", "name": "clean tool", "version": "1.4"},
        {"activity": "#flow", "software": "#engine", "version": "0.2"},
    ],
    "scripts": [
        {"activity": "#run-clean", "script": "flow.cwl#clean", "requires": "scripts/clean.py", "version": "0.1"},
        {"requires": "https://pypi.org/project/pandas/3.0/", "version": "3.0"},
    ],
    "parameters": [
        {"activity": "#run-train", "role": "rate", "parameter": "#pv-train", "value": "0.1", "source": "rate"},
        {"activity": "#run-train", "role": "data", "parameter": "clean.csv", "source": "out"},
        {"activity": "#run-clean", "role": "in", "parameter": "raw.csv", "source": "raw"},
        {"activity": "#flow", "role": "rate", "value": "0.1"},
    ],
}
"""Named query → rows that are among its answers, for both crates."""


@pytest.mark.parametrize("name", ANSWERS)
def test_each_question_is_answered(repository: Repository, name: str) -> None:
    repository.submit(metadata(*process()), name="process", format="rocratejson", base=BASE)
    repository.submit(metadata(*provenance()), name="provenance", format="rocratejson", base=BASE)
    found = ask(repository, name, **({"run": f"{BASE}#flow"} if name == "inputs-outputs" else {}))
    for wanted in ANSWERS[name]:
        assert any(wanted.items() <= row.items() for row in found), found
    if name in ("configuration", "workflow-duration", "inputs-outputs"):
        runs = {"#clean", "#train"}
        assert len([row for row in found if row.get("activity") not in runs]) == len(ANSWERS[name]), found


def engine(name: str, *, steps: bool) -> list[dict[str, Any]]:
    """A run as an engine of this name describes it: Galaxy, COMPSs, Autosubmit and WfExS without steps."""
    nodes = provenance()
    for node in nodes:
        if node["@id"] == "#engine":
            node["name"] = name
    kept = ("CreateAction", "ControlAction", "OrganizeAction")
    return [node for node in nodes if steps or node["@type"] not in kept or node["@id"] == "#flow"]


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize("name", ["StreamFlow", "Galaxy"])
def test_an_engine_with_and_without_steps(repository: Repository, name: str, steps: bool) -> None:
    repository.submit(metadata(*engine(name, steps=steps)), name="run", format="rocratejson", base=BASE)
    assert [row["duration"] for row in ask(repository, "workflow-duration")] == ["PT10M"]
    rows = ask(repository, "inputs-outputs", run=f"{BASE}#flow")
    assert {row["entity"] for row in rows} == {"raw.csv", "#pv-rate", "model.pkl"}
    assert {row["outcome"] for row in ask(repository, "outcomes")} == {"CompletedActionStatus"}
    named = {row.get("name") for row in ask(repository, "software-versions")}
    assert (name in named) is steps
    assert "flow" in named


def test_engines_that_name_the_image_at_the_tool_run(repository: Repository) -> None:
    nodes = provenance()
    run = next(node for node in nodes if node["@id"] == "#run-train")
    run["containerImage"] = ref("docker://lab/train:2")
    repository.submit(metadata(*nodes), name="run", format="rocratejson", base=BASE)
    assert [row["activity"] for row in ask(repository, "containers")] == ["#run-train"]


OF_RUNCRATE = (
    "durations",
    "workflow-duration",
    "outcomes",
    "inputs-outputs",
    "software-versions",
    "scripts",
    "parameters",
)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no fixtures: set PROVREPO_CORPUS to the corpus beside them")
@pytest.mark.parametrize("path", sorted(CORPUS.glob("documents/runcrate/**/ro-crate-metadata.json")), ids=str)
def test_crates_of_the_corpus(repository: Repository, path: Path) -> None:
    repository.submit(path, name="run", format="rocratejson", base=BASE)
    for name in OF_RUNCRATE:
        assert ask(repository, name), name


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no fixtures: set PROVREPO_CORPUS to the corpus beside them")
def test_the_parameters_of_the_workflow_that_cwltool_ran(repository: Repository) -> None:
    (path,) = FIXTURES.glob("runcrate/*/ro-crate-metadata.json")
    repository.submit(path, name="run", format="rocratejson", base=BASE)
    rows = {(row["role"], row.get("value"), row.get("source")) for row in ask(repository, "parameters")}
    assert {("alpha", "1.0", "alpha"), ("data", None, "clean"), ("raw", None, "raw")} <= rows
    assert [row["label"] for row in ask(repository, "workflow-duration")] == ["Run of workflow/packed.cwl#main"]
