"""mlcroissant, the library of Croissant's authors: it accepts what is written, and what it writes is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import provrepo
from provrepo.capture import session, step
from provrepo.vocab import RDFS_LABEL
from tests.importers.test_croissant import DOCUMENT
from tests.integration.environments import NotHere, python, run

RUNNER = Path(__file__).with_name("croissant_runner.py")


def test_mlcroissant(tmp_path: Path) -> None:
    try:
        interpreter = python("croissant", ["mlcroissant==1.1.1"])
    except NotHere as error:
        pytest.skip(f"mlcroissant cannot be installed: {error}")
    (tmp_path / "raw.csv").write_text("1\n", "utf-8")
    with session("crops", out=tmp_path / "run.trig"), step("clean"):
        (tmp_path / "clean.csv").write_text((tmp_path / "raw.csv").read_text("utf-8"), "utf-8")
    folder = tmp_path / "written"
    folder.mkdir()
    documents = {"dataset": provrepo.read(DOCUMENT.encode()), "recording": provrepo.read(tmp_path / "run.trig")}
    for name, document in documents.items():
        (folder / f"{name}.json").write_bytes(document.write("croissant"))
    done = run([interpreter, RUNNER, folder])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["dataset.json"] == ["https://lab.example/clean"]
    assert len(found["recording.json"]) == 2, found
    own = provrepo.read((folder / "own").read_bytes(), format="croissant")
    labels = {str(value) for s in own for name, value in s.attributes if name == RDFS_LABEL}
    assert {"crops", "raw.csv", "plots", "plots/ph"} <= labels
    assert not any(warning.violation for warning in own.warnings)
    assert provrepo.validate(own, profiles=["core"], constraints="gate").conforms
