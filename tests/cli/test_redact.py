"""The verb ``redact``: copies of files and of stored documents, and the preview."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from tests.support.command import Command

STUDY = b"""document
prefix lab <https://lab.example/>
entity(lab:patient) entity(lab:scan)
activity(lab:scanning)
used(lab:scanning, lab:patient, -)
wasGeneratedBy(lab:scan, lab:scanning, -)
endDocument"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    Path("study.provn").write_bytes(STUDY)
    return Command(tmp_path / "data")


def test_a_file_and_a_stored_document_give_the_same_copy(command: Command) -> None:
    command("submit", "study.provn")
    copies = [
        command("redact", source, "--remove", "lab:patient", "--to", "provn", "-o", "-").stdout
        for source in ("study.provn", "default/study@1")
    ]
    assert copies[0] == copies[1]
    assert "lab:patient" not in copies[0]
    command("redact", "study.provn", "--remove", "lab:patient", "-o", "copy.ttl")
    assert provrepo.read("copy.ttl").format == "turtle"
    assert [info["name"] for info in command.json("list")] == ["study"], "nothing is stored"


def test_a_preview_writes_nothing(command: Command) -> None:
    found = command.json("redact", "study.provn", "--collapse", "lab:scanning", "--preview")
    assert (found["removed"], found["added"]) == (3, 3)
    assert {each["way"] for each in found["inferences"]} == {"degree", "namespace"}
    assert sorted(path.name for path in Path().iterdir()) == ["study.provn"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--remove", "lab:patient"), "-o FILE for the copy, or --preview"),
        (("--remove", "lab:patient", "--preview", "-o", "x.ttl"), "-o FILE for the copy, or --preview"),
        (("--preview",), "nothing to redact"),
        (("--remove", "lab:nobody", "--preview"), "lab:nobody is not named in the document"),
        (("--drop", "lab:site", "-o", "x.ttl"), "lab:site is no attribute of the document"),
    ],
)
def test_what_cannot_be_done_is_said(command: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in command.error("redact", "study.provn", *arguments, code=2)
    assert not Path("x.ttl").exists()
