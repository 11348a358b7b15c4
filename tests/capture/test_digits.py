"""The worked example ``examples/digits``: it runs, says the same twice, and what it records needs nothing added."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import provrepo
from provrepo.resources import root
from tests.support.command import environment
from tests.support.extras import needs_examples

needs_examples()

SCRIPT = root() / "examples" / "digits" / "pipeline.py"
ACCURATE = 0.8


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One run of the example in a folder."""
    command = [sys.executable, "-B", "pipeline.py", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False
    )


def start(folder: Path) -> None:
    """What somebody does who has read the tutorial: the script, in a git repository."""
    shutil.copy(SCRIPT, folder)
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@lab.example"]
    for words in (["init", "-q"], ["add", "pipeline.py"], [*who, "commit", "-q", "-m", "the pipeline"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models from the same scans, and one from a damaged sheet."""
    folder = tmp_path_factory.mktemp("digits")
    start(folder)
    for arguments in (("first",), ("strong", "--alpha", "0.1"), ("damaged", "--alpha", "0.1", "--corrupt", "3")):
        ran = run(folder, *arguments)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
    return folder


def measured(folder: Path, name: str) -> dict[str, float]:
    return json.loads((folder / "runs" / name / "metrics.json").read_text("utf-8"))


def test_it_learns_and_notices_damage(worked: Path) -> None:
    assert measured(worked, "first")["accuracy"] > ACCURATE
    assert measured(worked, "strong")["accuracy"] > ACCURATE
    assert measured(worked, "damaged")["accuracy"] < measured(worked, "strong")["accuracy"] - 0.02


@pytest.mark.parametrize("name", ["first", "strong", "damaged"])
@pytest.mark.parametrize("profile", ["pipeline", "ml-training"])
def test_its_documents_need_nothing_added(worked: Path, name: str, profile: str) -> None:
    report = provrepo.validate(provrepo.read(worked / "prov" / f"{name}.trig"), profiles=[profile])
    assert report.findings == ()


def test_the_same_options_give_the_same_bytes(worked: Path, tmp_path: Path) -> None:
    start(tmp_path)
    assert run(tmp_path, "again", PYTHONHASHSEED="7", PROVREPO_CAPTURE="off").returncode == 0
    for path in (worked / "runs" / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "runs" / "again" / path.name).read_bytes(), path.name
    assert not (tmp_path / "prov").exists()


def test_runs_have_names_of_their_own(worked: Path) -> None:
    refused = run(worked, "first")
    assert refused.returncode == 2
    assert "there is a run first already" in refused.stderr


def test_there_must_be_something_to_corrupt(tmp_path: Path) -> None:
    start(tmp_path)
    refused = run(tmp_path, "first", "--corrupt", "3")
    assert refused.returncode == 2
    assert "there are no scans yet" in refused.stderr
    assert not (tmp_path / "scans").exists()


def test_lineage_tells_the_sheets_that_a_result_came_from(worked: Path, tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("digits", profiles=["ml-training"])
        for name in ("first", "strong", "damaged"):
            repository.submit(worked / "prov" / f"{name}.trig", project="digits", name=name)
        [model] = [
            row["model"]
            for row in repository.query(
                "SELECT ?model { ?model prov:wasGeneratedBy/dcterms:isPartOf/rdfs:label 'strong'"
                " ; rdfs:label 'model.joblib' }",
                project="digits",
            )
        ]
        upstream = repository.lineage(str(model), direction="upstream")
        sheets = {node.label for node in upstream.nodes if node.label and node.label.startswith("sheet-")}
        assert sheets == {f"sheet-{number}.pgm" for number in range(1, 6)}  # the sixth tests it, and made nothing of it
        damaged = {
            row["content"]
            for row in repository.query(
                "SELECT DISTINCT ?content { ?sheet rdfs:label 'sheet-3.pgm' ; prov:specializationOf ?content }",
                project="digits",
            )
        }
        assert len(damaged) == 2
        reached = []
        for content in damaged:
            affected = repository.lineage(str(content), direction="downstream")
            reached.append(sorted(node.label or "" for node in affected.nodes if node.label == "model.joblib"))
        assert sorted(map(len, reached)) == [1, 2]
