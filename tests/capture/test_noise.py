"""What is data and what is not: files anywhere, code as data, and what libraries keep for themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.captured import Captured
from tests.support.command import environment, provrepo
from tests.support.paths import ROOT

LIBRARY = """
import os, pathlib, tempfile
HOME = pathlib.Path(os.environ["HOME"])
for name in (".config/plots/plotsrc", ".cache/plots/fontlist-v1.json", ".cache/plots/names.txt"):
    (HOME / name).parent.mkdir(parents=True, exist_ok=True)
    (HOME / name).write_text("{}")
(HOME / "settings.json").read_text()

def plot(target):
    (HOME / ".config/plots/plotsrc").read_text()
    (HOME / ".cache/plots/index.json").write_text("{}")
    (HOME / ".ipython").mkdir(exist_ok=True)
    (HOME / ".ipython/history.json").write_text("{}")
    (HOME / "fontlist-v2.json").write_text("{}")
    (HOME / "func_code.py").write_text("cached = 1")
    pathlib.Path(target).write_text("a plot")

def weights():
    return (HOME / ".cache/models/large.safetensors").read_bytes()
"""
WORK = """
import pathlib, sys, linecache
HOME = pathlib.Path.home()
def work():
    import plots
    plots.plot("plot.png")
    plots.weights()
    (HOME / ".config/mine.yaml").read_text()
    pathlib.Path("made.py").write_text("value = 1")
    sys.path.insert(0, ".")
    import made, helper
    linecache.getline("helper.py", 1)
    helper.work(MEMORY)
"""
HELPER = """
import pathlib
LABELS = pathlib.Path("labels.csv").read_text()
def work(memory):
    memory and pathlib.Path(memory).read_text()
    pathlib.Path("source.py").read_text()
"""
STEP = "from provrepo.capture import session, step\nwith session('work', out='run.trig'):\n    step(work)()\n"


@pytest.mark.parametrize("way", ["step", "run"])
def test_what_is_data(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places, home = tmp_path / "lib" / "site-packages", tmp_path / "home"
    folder = tmp_path / "work"
    for place in (places / "plots", folder, home / ".config", home / ".cache" / "models"):
        place.mkdir(parents=True)
    (places / "plots" / "__init__.py").write_text(LIBRARY)
    monkeypatch.chdir(folder)
    for name in (".config/mine.yaml", ".cache/models/large.safetensors", "settings.json"):
        (home / name).write_text("x")
    for name in ("labels.csv", "source.py"):
        Path(name).write_text(f"# {name}")
    memory = Path("/dev/shm") / f"{tmp_path.name}-{os.getpid()}.csv"
    there = memory.parent.is_dir() and os.access(memory.parent, os.W_OK)
    try:
        if there:
            memory.write_text("in memory")
        Path("helper.py").write_text(HELPER)
        Path("work.py").write_text(WORK.replace("MEMORY", repr(str(memory) if there else "")))
        with Path("work.py").open("a") as file:
            file.write(STEP if way == "step" else "work()\n")
        variables = {"PYTHONPATH": f"{places}{os.pathsep}{ROOT}", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        if way == "step":
            subprocess.run([sys.executable, "work.py"], env=environment(**variables), check=True)
        else:
            done = provrepo("run", "--out", "run.trig", "--", sys.executable, "work.py", cwd=folder, **variables)
            assert done.returncode == 0, done.stderr
    finally:
        memory.unlink(missing_ok=True)
    found = Captured(Path("run.trig"))
    expected = {"mine.yaml", "large.safetensors", "labels.csv", "source.py"} | ({memory.name} if there else set())
    assert {name for _, name in found.used} == expected
    assert {name for name, _ in found.generated} == {"plot.png", "made.py"}


def test_a_plot_has_no_font_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.chdir(tmp_path)
    Path("work.py").write_text(
        "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "plt.savefig('plot.png')\n"
    )
    done = provrepo(
        "run", "--out", "run.trig", "--", sys.executable, "work.py", cwd=tmp_path, MPLCONFIGDIR=str(tmp_path / "mpl")
    )
    assert done.returncode == 0, done.stderr
    found = Captured(Path("run.trig"))
    assert (found.used, {name for name, _ in found.generated}) == (set(), {"plot.png"})
