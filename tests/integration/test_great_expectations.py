"""Great Expectations validates a file twice; the results in its project are imported."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.importers.great_expectations.names import TERMS
from provrepo.repository.repository import Repository
from provrepo.vocab import DQV
from tests.integration.environments import NotHere, python, run

REQUIREMENTS = ["great_expectations==1.24.1"]


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, list[str]]:
    try:
        interpreter = python("great_expectations", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"Great Expectations cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("validated")
    script = Path(__file__).with_name("great_expectations_runner.py")
    ran = run(["env", "-C", folder, interpreter, script, folder / "project"], GX_ANALYTICS_ENABLED="false")
    assert ran.returncode == 0, ran.stderr[-3000:]
    repository = provrepo.open(folder / "data")
    found = repository.import_documents(folder / "project", format="great_expectations")
    assert found.skipped == ()
    return repository, [receipt.version.name for receipt in found.receipts]


def test_each_validation_is_a_document_that_conforms(validated: tuple[Repository, list[str]]) -> None:
    repository, names = validated
    assert len(set(names)) == 2
    for name in names:
        document = repository.read("default", name)
        assert document.warnings == []
        assert provrepo.validate(document, profiles=["core"]).conforms


def test_what_expectations_found(validated: tuple[Repository, list[str]]) -> None:
    repository, names = validated
    found = []
    for name in names:
        document = repository.read("default", name)
        values = [
            {str(key): str(value) for key, value in one.attributes}
            for one in document
            if any(key == f"{DQV}value" for key, _ in one.attributes)
        ]
        found.append(sorted((each.get(f"{TERMS}column", ""), each[f"{DQV}value"]) for each in values))
    assert sorted(found) == [
        [("", "true"), ("soil_ph", "false")],
        [("", "true"), ("soil_ph", "true")],
    ]
