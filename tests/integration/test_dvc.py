"""DVC itself: stages are added, run, committed and varied by experiments, and the project is imported."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

import provrepo
from provrepo.importers.contents import content_of
from provrepo.model.statements import ACTIVITY, GENERATION, USAGE
from provrepo.vocab import MLS, PROV_VALUE, RDFS_LABEL
from tests.integration.environments import NotHere, python, run

REQUIREMENTS = ["dvc==3.67.1"]
CLEAN = "rows = [r for r in open('raw.csv') if ',,' not in r]\nopen('clean.csv', 'w').writelines(rows)\n"
TRAIN = """import json, sys
rows = open('clean.csv').readlines()
alpha = float(sys.argv[1])
open('model.txt', 'w').write(f'{alpha} {len(rows)}')
json.dump({'score': alpha / len(rows)}, open('metrics.json', 'w'))
"""


@pytest.fixture(scope="module")
def interpreter() -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    try:
        return python("dvc", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"DVC cannot be installed: {error}")


@pytest.fixture(scope="module")
def project(interpreter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two stages, one of them for each item of a list, two states and an experiment."""
    folder = tmp_path_factory.mktemp("project")
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\n  name = Ana\n  email = ana@lab.example\n")
    alone = {"HOME": str(home), "DVC_NO_ANALYTICS": "true", "DVC_SITE_CACHE_DIR": str(home / "site")}
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"

    def call(*words: str) -> None:
        done = run(["/bin/sh", "-c", 'cd "$0"; exec "$@"', folder, *words], PATH=path, **alone)
        assert done.returncode == 0, done.stdout + done.stderr

    call("git", "init", "-q")
    call("dvc", "init", "-q")
    (folder / "raw.csv").write_text("plot,ph\n1,6.5\n2,,\n3,7.0\n")
    (folder / "clean.py").write_text(CLEAN)
    (folder / "train.py").write_text(TRAIN)
    (folder / "params.yaml").write_text("alpha: 1.0\n")
    call("dvc", "add", "-q", "raw.csv")
    add = ("dvc", "stage", "add", "-q", "-n")
    call(*add, "clean", "-d", "raw.csv", "-d", "clean.py", "-o", "clean.csv", "python clean.py")
    call(
        *(*add, "train", "-d", "clean.csv", "-d", "train.py", "-p", "alpha"),
        *("-o", "model.txt", "-M", "metrics.json", "python train.py ${alpha}"),
    )
    with (folder / "dvc.yaml").open("a") as file:
        file.write(
            "  copy:\n    foreach: [x, y]\n    do:\n      cmd: mkdir -p out/${item} && cp clean.csv out/${item}\n"
        )
        file.write('      deps: [clean.csv]\n      outs: ["out/${item}"]\n')
    call("dvc", "repro", "-q")
    call("git", "add", "-A")
    call("git", "commit", "-q", "-m", "first")
    (folder / "params.yaml").write_text("alpha: 5.0\n")
    call("dvc", "repro", "-q")
    call("git", "add", "-A")
    call("git", "commit", "-q", "-m", "second")
    call("dvc", "exp", "run", "-q", "-n", "nine", "-S", "alpha=9.0")
    call("git", "checkout", "-q", ".")
    call("dvc", "checkout", "-q")
    return folder


def test_a_project_is_imported_with_its_history_and_experiments(project: Path, tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    found = repository.import_documents(project, profiles=["core"])
    (receipt,) = found.receipts
    assert (receipt.version.format, receipt.version.verdict) == ("dvc", "conforms")
    assert found.skipped == ()
    data, _ = repository.original("default", receipt.version.name)
    document = provrepo.read(data)
    assert document.warnings == []
    runs = [one for one in document if one.kind is ACTIVITY and "/run/" in str(one.id)]
    labels = sorted(str(v) for one in runs for name, v in one.attributes if name == RDFS_LABEL)
    assert labels == ["clean", "copy@x", "copy@y", "train", "train", "train"]
    assert all(one.args[1] for one in runs), "each is recorded by a commit"
    values = [(name, str(v)) for one in document for name, v in one.attributes]
    assert sorted(v for name, v in values if name == PROV_VALUE) == ["1.0", "5.0", "9.0"]
    scores = sorted(float(v) for name, v in values if name == f"{MLS}hasValue")
    assert scores == [1 / 3, 5 / 3, 3.0]
    assert len([one for one in document if one.kind is USAGE]) == 13
    assert len([one for one in document if one.kind is GENERATION]) >= 12
    digest = hashlib.sha256((project / "model.txt").read_bytes()).hexdigest()
    lineage = repository.lineage(str(content_of("sha256", digest)))
    assert {"raw.csv", "clean.csv", "clean.py", "train.py", "Ana"} <= {node.label for node in lineage.nodes}
    raw = hashlib.sha256((project / "raw.csv").read_bytes()).hexdigest()
    assert content_of("sha256", raw) in {str(node.iri) for node in lineage.nodes}


def test_the_history_of_git_and_the_project_are_one_lineage(project: Path, tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    repository.import_documents(project, format="git")
    repository.import_documents(project, format="dvc")
    digest = hashlib.md5((project / "model.txt").read_bytes()).hexdigest()
    labels = {node.label for node in repository.lineage(f"urn:hash::md5:{digest}").nodes}
    assert {"train", "clean", "first"} <= labels, "scripts come from commits"
