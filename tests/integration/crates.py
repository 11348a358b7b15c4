"""Packages for the groups `bagit` and `rocrate`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import provrepo
from tests.conftest import PROVJSON, TURTLE

__all__ = ["packages"]


def packages(work: Path) -> dict[str, Path]:
    """Unpacked packages by name: their folders.

    Args:
        work: an empty folder.
    """
    with provrepo.open(work / "data") as repository:
        repository.init("https://lab-a.example/")
        repository.create_project("crops", title="Äcker & <Wiesen> %0A")
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, project="crops", name="run", update=True)
        repository.submit(TURTLE + b"ex:a a prov:Entity .\n", project="crops", name="Run")
        repository.withdraw("crops", "Run", reason="wrong")
        repository.create_project("empty")
        wanted = {
            "whole": repository.pack("crops", work / "whole.zip"),
            "readers": repository.pack("crops", work / "readers.zip", for_readers=True),
            "since": repository.pack("crops", work / "since.zip", since=3),
            "empty": repository.pack("empty", work / "empty.zip"),
        }
    found = {}
    for name, made in wanted.items():
        with zipfile.ZipFile(work / f"{name}.zip") as archive:
            archive.extractall(work / name)
        (found[name],) = (work / name).iterdir()
        assert found[name].name == f"{made.contents.project}-{made.contents.first}-{made.contents.last}"
    return found
