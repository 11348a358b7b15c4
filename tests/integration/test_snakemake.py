"""Snakemake runs a small workflow; its metadata become a document, with the digests of its files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

import provrepo
from provrepo.importers.contents import content_of
from provrepo.model.document import Document
from provrepo.model.statements import GENERATION, SPECIALIZATION, USAGE
from provrepo.repository.repository import Repository
from tests.integration.environments import NotHere, python, run

REQUIREMENTS = ["snakemake==9.27.1"]

LONG = "/".join(["a folder with a long name"] * 9)

SNAKEFILE = f"""
rule all:
    input: "metrics.json", "{LONG}/copy.csv"
rule clean:
    input: "raw.csv"
    output: "clean.csv"
    log: "logs/clean.log"
    benchmark: "bench/clean.tsv"
    shell: "grep -v bad {{input}} > {{output}} 2> {{log}}"
rule train:
    input: data="clean.csv"
    output: model="model.txt", metrics="metrics.json"
    params: alpha=0.5
    shell: "wc -l {{input.data}} > {{output.model}}; echo '{{params.alpha}}' > {{output.metrics}}"
rule copy:
    input: "clean.csv"
    output: "{LONG}/copy.csv"
    shell: "cp {{input}} '{{output}}'"
rule broken:
    input: "clean.csv"
    output: "never.csv"
    shell: "echo begun > {{output}}; exit 3"
"""


def content(path: Path) -> str:
    return str(content_of("sha256", sha256(path.read_bytes()).hexdigest()))


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Snakemake ran three rules, and one that fails."""
    try:
        interpreter = python("snakemake", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"Snakemake cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("snakemake") / "crops"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "raw.csv").write_text("crop,mass\nrye,1\nbad,0\nwheat,2\n")
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
    command = [interpreter, "-m", "snakemake", "-c1", "--directory", folder, "--snakefile", folder / "Snakefile"]
    ran = run(command, PATH=path, HOME=str(folder.parent), XDG_CACHE_HOME=str(folder.parent / "cache"))
    assert ran.returncode == 0, ran.stderr[-3000:]
    failed = run([*command, "broken"], PATH=path, HOME=str(folder.parent))
    assert failed.returncode == 1, failed.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with provrepo.open(tmp_path_factory.mktemp("data")) as opened:
        yield opened


@pytest.fixture(scope="module")
def document(workflow: Path, repository: Repository) -> Document:
    found = repository.import_documents(workflow, format="snakemake", profiles=["core"])
    assert [(r.version.format, r.version.verdict) for r in found.receipts] == [("snakemake", "conforms")]
    return provrepo.read(repository.original("default", found.receipts[0].version.name)[0])


def made_by(document: Document, rule: str) -> set[str]:
    """The paths that the job of a rule made."""
    labels = {str(one.id): str(value) for one in document for name, value in one.attributes if name.endswith("label")}
    return {
        labels[str(one.args[0])] for one in document if one.kind is GENERATION and labels.get(str(one.args[1])) == rule
    }


def test_each_job_is_one_activity_with_its_outputs(document: Document) -> None:
    # Snakemake records what a job that failed was to make as complete, and removes it.
    assert [one.message.partition(": ")[2] for one in document.warnings] == [
        "no output of the job is there: it failed, or they were removed; none is made"
    ]
    assert made_by(document, "clean") == {"clean.csv"}
    assert made_by(document, "train") == {"model.txt", "metrics.json"}
    assert made_by(document, "copy") == {f"{LONG}/copy.csv"}
    assert made_by(document, "broken") == set()


def test_files_are_what_their_bytes_are(workflow: Path, document: Document) -> None:
    contents = {str(one.args[1]) for one in document if one.kind is SPECIALIZATION}
    for name in ("raw.csv", "clean.csv", "model.txt", "metrics.json"):
        assert content(workflow / name) in contents, name
    assert len([one for one in document if one.kind is USAGE]) >= 4


def test_the_lineage_of_the_model_leads_to_the_bytes_that_were_read(
    workflow: Path, repository: Repository, document: Document
) -> None:
    assert document
    graph = repository.lineage(content(workflow / "model.txt"))
    assert content(workflow / "raw.csv") in {node.iri for node in graph.nodes}


def test_a_workflow_that_ran_again_is_the_same_document(workflow: Path, repository: Repository, tmp_path: Path) -> None:
    again = repository.import_documents(workflow, format="snakemake")
    assert [receipt.created for receipt in again.receipts] == [False]
    archive = shutil.make_archive(str(tmp_path / "crops"), "zip", workflow)
    packed = repository.import_documents(archive, format="snakemake", name="packed")
    assert len(packed.receipts) == 1
