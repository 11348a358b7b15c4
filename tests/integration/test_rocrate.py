"""rocrate-validator accepts our crates, of packages and of runs, and ro-crate-py reads those of packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provrepo.codecs import formats
from provrepo.codecs.jsonld.contexts import find
from provrepo.importers.rocrate.writing import members
from provrepo.resources import root
from tests.conftest import TURTLE
from tests.integration.crates import packages
from tests.integration.environments import NotHere, python, run
from tests.support.crates import metadata, process, provenance

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


PROCESS = "process-run-crate-0.5"
PROVENANCE = f"{PROCESS},workflow-run-crate-0.5,provenance-run-crate-0.5"
CONTEXTS = ("https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context")


def flat(context: Any) -> dict[str, Any]:
    """A context as one object."""
    parts = context if isinstance(context, list) else [context]
    return {
        name: meaning for part in parts for name, meaning in (flat(part) if isinstance(part, list) else part).items()
    }


def test_crates_of_runs_pass_the_required_checks_of_their_profiles(tmp_path: Path) -> None:
    """Documents of all kinds as crates; and one that was spoiled does not pass."""
    try:
        interpreter = python("rocrate", PACKAGES)
    except NotHere as error:
        pytest.skip(f"roc-validator cannot be installed: {error}")
    kept = [node for node in provenance() if node["@type"] not in ("OrganizeAction", "ControlAction")]
    documents = {
        "cwltool": formats.read(root() / "examples" / "cwltool" / "primary.cwlprov.provn"),
        "process": formats.read(metadata(*process())),
        "steps": formats.read(metadata(*provenance())),
        "provenance": formats.read(metadata(*kept)),
        "turtle": formats.read(TURTLE, format="turtle"),
        "empty": formats.read(b"document\nendDocument", format="provn"),
    }
    arguments: list[object] = []
    for name, document in documents.items():
        for path, content in members(document).items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
        profiles = PROVENANCE if (tmp_path / name / "workflow.json").exists() else PROCESS
        arguments += [profiles, tmp_path / name]
    spoiled = json.loads((tmp_path / "process" / "ro-crate-metadata.json").read_bytes())
    for node in spoiled["@graph"]:
        node.pop("instrument", None)
    (tmp_path / "spoiled").mkdir()
    (tmp_path / "spoiled" / "ro-crate-metadata.json").write_text(json.dumps(spoiled))
    contexts = {address: flat(find(address)) for address in CONTEXTS}
    (tmp_path / "contexts.json").write_text(json.dumps(contexts))
    runner = Path(__file__).with_name("run_crates_runner.py")
    done = run([interpreter, runner, tmp_path / "contexts.json", *arguments, PROCESS, tmp_path / "spoiled"])
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    checked = {Path(folder).name: found for folder, found in answer["found"].items()}
    assert any("instrument" in message for _, message in checked.pop("spoiled")[PROCESS])
    assert {name for name, found in checked.items() if len(found) == 3} == {"cwltool", "steps", "provenance"}
    assert {name: found for name, found in checked.items() if any(found.values())} == {}
    assert set(answer["asked"]) >= set(CONTEXTS)
