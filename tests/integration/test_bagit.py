"""The Library of Congress' bagit validates our packages, and we read the bags that it makes of their content."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.integration.crates import packages
from tests.integration.environments import NotHere, python, run
from tests.support.packages import verified

PACKAGES = ["bagit==1.9.0"]


@pytest.fixture(scope="module")
def bagit() -> list[object]:
    try:
        interpreter = python("bagit", PACKAGES)
    except NotHere as error:
        pytest.skip(f"bagit cannot be installed: {error}")
    return [interpreter, "-m", "bagit"]


@pytest.fixture(scope="module")
def bags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return packages(tmp_path_factory.mktemp("bags"))


def test_packages_are_valid_bags(bagit: list[object], bags: dict[str, Path]) -> None:
    for folder in bags.values():
        done = run([*bagit, "--validate", folder])
        assert done.returncode == 0, done.stderr
        assert "is valid" in done.stderr


def test_a_changed_file_is_found(bagit: list[object], bags: dict[str, Path], tmp_path: Path) -> None:
    changed = Path(shutil.copytree(bags["whole"], tmp_path / "changed"))
    page = changed / "data" / "index.html"
    page.write_bytes(page.read_bytes().replace(b"a", b"b", 1))
    done = run([*bagit, "--validate", changed])
    assert done.returncode == 1
    assert "index.html" in done.stderr


def test_bags_of_bagit_are_read(bagit: list[object], bags: dict[str, Path], tmp_path: Path) -> None:
    for folder in bags.values():
        made = tmp_path / folder.name
        shutil.copytree(folder / "data", made)
        done = run([*bagit, "--sha512", "--contact-name", "Ada", made])
        assert done.returncode == 0, done.stderr
        archive = tmp_path / f"{folder.name}.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            for path in sorted(made.rglob("*")):
                zipped.write(path, path.relative_to(tmp_path))
        assert verified(archive.read_bytes()).keys() == verified(_zip(folder)).keys()
        shutil.rmtree(made)


def _zip(folder: Path) -> bytes:
    return folder.parent.with_suffix(".zip").read_bytes()
