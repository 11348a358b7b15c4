"""rocrate-validator accepts the crates in our packages, and ro-crate-py reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.crates import packages
from tests.integration.environments import NotHere, python, run

PACKAGES = ["roc-validator==0.13.0", "rocrate==0.16.0"]

UNKNOWN = {
    "ro-crate-1.2_51.1": "The IRI of the project is not fetched.",
    "ro-crate-1.2_85.0": "A project without a license has none to refer to.",
    "ro-crate-1.2_86.2": "A repository without a base IRI has no URL.",
    "ro-crate-1.2_89.0": "The repository does not know the ROR of its operator.",
    "ro-crate-1.2_90.1": "It does not know a contact either.",
    "ro-crate-1.2_93.0": "It does not know a contact either.",
}
"""Recommendations that need what the repository does not know."""


@pytest.fixture(scope="module")
def crates(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], Any]:
    try:
        interpreter = python("rocrate", PACKAGES)
    except NotHere as error:
        pytest.skip(f"roc-validator cannot be installed: {error}")
    made = {name: folder / "data" for name, folder in packages(tmp_path_factory.mktemp("crates")).items()}
    done = run([interpreter, Path(__file__).with_name("rocrate_runner.py"), *made.values()])
    assert done.returncode == 0, done.stderr
    return made, json.loads(done.stdout.splitlines()[-1])


def test_they_are_valid(crates: tuple[dict[str, Path], Any]) -> None:
    made, answer = crates
    issues = [issue for folder in made.values() for issue in answer["found"][str(folder)]["issues"]]
    assert [issue for issue in issues if issue[1] not in UNKNOWN] == []
    assert {issue[0] for issue in issues} <= {"RECOMMENDED"}
    assert "https://w3id.org/ro/crate/1.2/context" in answer["asked"]


def test_their_files_are_found(crates: tuple[dict[str, Path], Any]) -> None:
    made, answer = crates
    for folder in made.values():
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert set(answer["found"][str(folder)]["files"]) == files - {"ro-crate-metadata.json"}
    assert answer["found"][str(made["whole"])]["name"] == "Äcker & <Wiesen> %0A"
