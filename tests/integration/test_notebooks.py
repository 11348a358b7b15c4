"""Notebooks that Jupyter runs: nbconvert and papermill, in their own environment, record the same of a notebook."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import provrepo
from provrepo.vocab import PROV_LOCATION, PROV_TYPE, PROVREPO, RDFS_LABEL, SPDX
from tests.integration.environments import NotHere, python
from tests.integration.recordings import beside
from tests.support.captured import Captured

REQUIREMENTS = ["ipykernel==7.4.0", "ipython==9.18.1", "nbconvert==7.17.2", "nbformat==5.11.1", "papermill==2.7.0"]
CELLS = [
    "%load_ext provrepo",
    "alpha = 0.1\nseed = 7",
    "from pathlib import Path\nfrom provrepo.capture import log_data, log_metrics, log_model, log_params",
    "rows = Path('raw.csv').read_text().split()",
    "%time clean = [row for row in rows if row != '7']",
    "log_data('raw.csv', 'training')\nlog_data('test.csv', 'test')\nlog_params({'alpha': alpha}, seed=seed)\n"
    "Path('model.bin').write_text(' '.join(clean))\nlog_model('model.bin', name='mean')\n"
    "log_metrics({'accuracy': 0.9})",
]
WAYS = {
    "nbconvert": ["-m", "nbconvert", "--to", "notebook", "--execute", "analysis.ipynb", "--output", "out.ipynb"],
    "papermill": ["-m", "papermill", "-p", "alpha", "0.5", "analysis.ipynb", "out.ipynb"],
}


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return python("notebooks", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"notebooks cannot be installed: {error}")


def notebook(cells: list[str]) -> str:
    """A notebook of nbformat 4.5."""
    code = [
        {
            **{"cell_type": "code", "id": f"id-{number}", "source": source, "outputs": [], "execution_count": None},
            "metadata": {"tags": ["parameters"]} if number == 2 else {},
        }
        for number, source in enumerate(cells, 1)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def recorded(interpreter: Path, way: str, folder: Path, cells: list[str]) -> Captured:
    """What is recorded of a notebook that a tool runs, in a working tree with a commit."""
    (folder / "analysis.ipynb").write_text(notebook(cells), "utf-8")
    (folder / "raw.csv").write_text("1\n7\n9\n", "utf-8")
    (folder / "test.csv").write_text("3\n", "utf-8")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    places = {"IPYTHONDIR": str(folder / ".ipython"), "JUPYTER_PLATFORM_DIRS": "1"}
    done = beside(interpreter, WAYS[way], folder, **places)
    assert (done.returncode == 0) == ("raise ValueError" not in cells), done.stderr
    (document,) = (folder / "prov").glob("analysis-*.trig")
    return Captured(document)


@pytest.mark.parametrize("way", WAYS)
def test_a_notebook_conforms_to_ml_training(way: str, interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, way, tmp_path, CELLS)
    report = provrepo.validate(found.document, profiles=["pipeline", "ml-training"], constraints="gate")
    assert report.conforms, report.findings
    assert found.used == {
        *(("cell 4", "raw.csv"), ("cell 5", "list"), ("cell 6", "list"), ("cell 6", "raw.csv")),
        *(("cell 6", "test.csv"), ("cell 6", "alpha")),
    }
    assert {("list", "cell 4"), ("list", "cell 5"), ("model.bin", "cell 6"), ("accuracy", "cell 6")} <= found.generated
    plans = [s for s in found.document if "http://www.w3.org/ns/prov#Plan" in found.values(s, PROV_TYPE)]
    assert {each for s in plans for each in found.values(s, PROV_LOCATION)} == {str(tmp_path / "analysis.ipynb")}
    assert {each for s in plans for each in found.values(s, PROVREPO + "cell")} >= {f"id-{n}" for n in range(2, 7)}
    assert all(found.values(s, SPDX + "checksumValue") for s in plans)
    commits = [found.values(s, PROVREPO + "commit") for s in plans]
    assert all(commits)
    if way == "papermill":
        assert found.parameters("parameters") == {"alpha=0.5"}
    imported = provrepo.read(tmp_path / "out.ipynb")
    assert provrepo.validate(imported, profiles=["core", "pipeline"], constraints="gate").conforms
    labels = {str(v) for s in imported for n, v in s.attributes if n == RDFS_LABEL}
    assert {f"cell {number}" for number in range(1, 7)} <= labels
    assert ("papermill 2.7.0" in labels) == (way == "papermill")


def test_a_cell_that_fails(interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, "nbconvert", tmp_path, ["%load_ext provrepo", "open('raw.csv')", "raise ValueError"])
    assert found.status("cell 2") == "Completed"
    assert found.status("cell 3") == "Failed"
    assert found.used == {("cell 2", "raw.csv")}
