"""Repositories that DVC, DataLad and Git LFS themselves wrote about one pipeline (``tests/cases/repositories``)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import provrepo
from provrepo.importers.contents import content_of
from provrepo.repository.repository import Repository

CASES = Path(__file__).parent.parent / "cases" / "repositories"

RAW_MD5 = content_of("md5", "24394e434866823e1367e511a54aa482")
RAW_SHA256 = content_of("sha256", "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea")
MODEL = content_of("md5", "3684d6990e91e776edf4d24c72306bc8")
"""The model of alpha 1, which DVC and DataLad made alike."""

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def cloned(name: str, folder: Path) -> Path:
    """A clone of a bundle, with the references that a clone leaves out, such as experiments."""
    for words in (
        ["clone", "-q", str(CASES / f"{name}.bundle"), str(folder)],
        ["-C", str(folder), "fetch", "-q", str(CASES / f"{name}.bundle"), "refs/*:refs/bundled/*"],
    ):
        subprocess.run(["git", *words], check=True)
    found = subprocess.run(
        ["git", "-C", str(folder), "for-each-ref", "--format=%(refname) %(objectname)", "refs/bundled/exps"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in found.splitlines():
        name, commit = line.split()
        subprocess.run(["git", "-C", str(folder), "update-ref", name.replace("/bundled", ""), commit], check=True)
    return folder


def labels(repository: Repository, iri: str | None) -> set[str]:
    assert iri is not None
    return {node.label or str(node.iri) for node in repository.lineage(iri).nodes}


@pytest.mark.parametrize(("name", "format_"), [("dvc", "dvc"), ("dvc", "git"), ("datalad", "git"), ("lfs", "git")])
def test_each_conforms(name: str, format_: str, repository: Repository, tmp_path: Path) -> None:
    found = repository.import_documents(cloned(name, tmp_path / "clone"), format=format_, profiles=["core"])
    (receipt,) = found.receipts
    assert (receipt.version.verdict, receipt.version.warnings) == ("conforms", 0)
    assert found.skipped == ()
    document = provrepo.read(repository.original("default", receipt.version.name)[0])
    assert provrepo.validate(document, profiles=["core"]).possible


def test_the_raw_data_is_one_content_and_the_model_leads_to_it_through_both_tools(
    repository: Repository, tmp_path: Path
) -> None:
    repository.import_documents(cloned("dvc", tmp_path / "dvc"))
    repository.import_documents(cloned("datalad", tmp_path / "datalad"), format="git")
    repository.import_documents(cloned("lfs", tmp_path / "lfs"), format="git")
    found = labels(repository, MODEL)
    assert {"DVC", "train", "clean", "raw.csv", "python train.py clean.csv model.pkl metrics.json 1.0"} <= found
    assert RAW_MD5 in found
    # Nobody here saw the bytes that the pointer of Git LFS names under another hash.
    assert RAW_SHA256 not in found
    assert "lfs" in labels(repository, RAW_SHA256)


def test_the_experiment_is_there(repository: Repository, tmp_path: Path) -> None:
    repository.import_documents(cloned("dvc", tmp_path / "dvc"))
    assert "e9" in labels(repository, content_of("md5", "0bb5ec541f07b9c9e2f4433383f85084"))
