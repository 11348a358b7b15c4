"""Files in installed packages: what the user's code reads of their data is an input, and what they need is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.captured import Captured
from tests.support.command import environment, provrepo
from tests.support.extras import needs_examples

PACKAGE = {
    "lab/__init__.py": """
import importlib.metadata, importlib.resources, pathlib, pkgutil
HERE = pathlib.Path(__file__).parent
SETTINGS = (HERE / "settings.json").read_text()
importlib.metadata.version("lab")

def plots():
    (HERE / "labels.ttf").read_bytes()
    (HERE / "labrc").read_bytes()
    (HERE / "locale" / "de.mo").read_bytes()
    (HERE / "page.HTML").read_bytes()
    (HERE / "zoneinfo" / "Bern").read_bytes()
    (HERE / "__pycache__" / "kept.nbi").write_bytes(b"compiled")
    from lab import lazy
    return (HERE / "data" / "plots.csv").read_text()

def soils():
    return importlib.resources.files("lab").joinpath("data/soils.csv").read_text()

def crops():
    return pkgutil.get_data("lab", "data/crops.marc").decode()
""",
    "lab/lazy.py": "import pathlib\n(pathlib.Path(__file__).parent / 'terms.json').read_text()\n",
    **{f"lab/{name}": "{}" for name in ("settings.json", "terms.json")},
    **{f"lab/data/{name}": name for name in ("plots.csv", "soils.csv", "crops.marc", "mine.csv")},
    **{f"lab/{name}": "" for name in ("labels.ttf", "labrc", "locale/de.mo", "page.HTML", "zoneinfo/Bern")},
    "lab/__pycache__/empty": "",
    "lab-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n",
}
MINE = """
import pathlib, lab
FIRST = lab.plots()
LABELS = pathlib.Path("labels.json").read_text()
"""
WORK = """
import pathlib, lab
def work():
    import mine
    lab.soils(), lab.crops()
    folder = pathlib.Path(lab.__file__).parent
    (folder / "data" / "mine.csv").read_bytes()
    (folder / "data" / "result.csv").write_text("r")
    pathlib.Path("out.csv").write_text("o")
"""
STEP = "from provrepo.capture import session, step\nwith session('work', out='run.trig'):\n    step(work)()\n"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Where the package is installed; the working directory holds a program that uses it."""
    installed = tmp_path / request.param
    for name, content in PACKAGE.items():
        (installed / name).parent.mkdir(parents=True, exist_ok=True)
        (installed / name).write_text(content)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "mine.py").write_text(MINE)
    (work / "labels.json").write_text("{}")
    return installed


@pytest.mark.parametrize(
    "places", ["venv/lib/python3.12/site-packages", "usr/lib/python3/dist-packages"], indirect=True
)
@pytest.mark.parametrize("way", ["step", "run"])
def test_data_of_packages_is_data(places: Path, way: str) -> None:
    if way == "step":
        Path("work.py").write_text(WORK + STEP)
        subprocess.run([sys.executable, "work.py"], env=environment(PYTHONPATH=str(places)), check=True)
    else:
        Path("work.py").write_text(WORK + "work()\n")
        words = ["--out", "run.trig", "--", sys.executable, "work.py"]
        assert provrepo("run", *words, cwd=Path.cwd(), PYTHONPATH=str(places)).returncode == 0
    found = Captured(Path("run.trig"))
    assert {name for _, name in found.used} == {"plots.csv", "soils.csv", "crops.marc", "mine.csv", "labels.json"}
    assert {name for name, _ in found.generated} == {"result.csv", "out.csv"}
    assert all(found.digests(name) for _, name in found.used)


@pytest.mark.parametrize("places", ["venv/lib/python3.12/site-packages"], indirect=True)
def test_a_program_in_a_package_reads_what_lies_beside_it(places: Path) -> None:
    (places / "lab" / "__main__.py").write_text("import lab\nlab.soils()\n")
    words = ["--out", "run.trig", "--", sys.executable, "-m", "lab"]
    assert provrepo("run", *words, cwd=Path.cwd(), PYTHONPATH=str(places)).returncode == 0
    assert {name for _, name in Captured(Path("run.trig")).used} == {"soils.csv"}


@pytest.mark.parametrize("data", ["load_iris", "load_digits"])
def test_the_data_that_scikit_learn_ships(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_examples()
    monkeypatch.chdir(tmp_path)
    Path("work.py").write_text(
        f"def work():\n    from sklearn.datasets import {data}\n    from sklearn.svm import SVC\n    {data}()\n{STEP}"
    )
    subprocess.run([sys.executable, "work.py"], env=environment(), check=True)
    (used,) = {name for _, name in Captured(Path("run.trig")).used}
    assert used == {"load_iris": "iris.csv", "load_digits": "digits.csv.gz"}[data]
