"""Cells of notebooks as steps, with what IPython is to the extension; with IPython itself in ``make integration``."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import provrepo
from provrepo.capture.notebooks import _unmeasured, find, names_of
from provrepo.model.statements import DERIVATION
from provrepo.vocab import PROV_LOCATION, PROV_TYPE, PROVREPO
from tests.support.captured import Captured


class Shell:
    """What the extension needs of IPython."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.execution_count = 0
        self.history_manager = SimpleNamespace(input_hist_raw=[])
        self._callbacks: dict[str, list[Any]] = {"pre_run_cell": [], "post_run_cell": []}
        self.events = SimpleNamespace(
            register=lambda event, callback: self._callbacks[event].append(callback),
            unregister=lambda event, callback: self._callbacks[event].remove(callback),
        )

    def transform_cell(self, source: str) -> str:
        return source.replace("%load_ext provrepo", "provrepo.load_ipython_extension(shell)")

    def run(self, source: str) -> None:
        """Run a cell."""
        self.execution_count += 1
        self.history_manager.input_hist_raw.append(source)
        for callback in self._callbacks["pre_run_cell"]:
            callback(SimpleNamespace(raw_cell=source))
        result = SimpleNamespace(error_before_exec=None, error_in_exec=None)
        try:
            exec(self.transform_cell(source), self.user_ns | {"provrepo": provrepo, "shell": self}, self.user_ns)
        except Exception as error:  # noqa: BLE001 (as IPython does)
            result.error_in_exec = error
        for callback in self._callbacks["post_run_cell"]:
            callback(result)


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    Path("raw.csv").write_text("3\n1\n", "utf-8")


def saved(name: str, *cells: str) -> None:
    code = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in cells]
    text = {"cell_type": "markdown", "source": "text"}
    Path(name).write_text(json.dumps({"cells": [text, *code], "nbformat": 4}), "utf-8")


def recorded(*cells: str) -> Captured:
    """Run cells, and end the session."""
    shell = Shell()
    for cell in ("%load_ext provrepo", *cells):
        shell.run(cell)
    provrepo.unload_ipython_extension(shell)
    (document,) = Path("prov").glob("*.trig")
    return Captured(document)


CELLS = ("import pathlib\nrows = pathlib.Path('raw.csv').read_text().split()", "top = sorted(rows)\nn = len(top)")


def test_cells_are_steps_that_share_values() -> None:
    saved("analysis.ipynb", "%load_ext provrepo", *CELLS)
    found = recorded(*CELLS)
    assert found.problems() == []
    assert found.path.name.startswith("analysis-")
    assert found.used == {("cell 2", "raw.csv"), ("cell 3", "list")}
    assert {("list", "cell 2"), ("list", "cell 3"), ("int", "cell 3")} <= found.generated
    assert ("list", "raw.csv") in found.related(DERIVATION)
    plans = [s for s in found.document if "http://www.w3.org/ns/prov#Plan" in found.values(s, PROV_TYPE)]
    assert {each for s in plans for each in found.values(s, PROV_LOCATION)} == {str(Path("analysis.ipynb").absolute())}
    assert [found.values(s, PROVREPO + "cell") for s in plans] == [[], ["2"], ["3"]]


def test_a_value_that_a_cell_changes_is_a_new_one() -> None:
    found = recorded("rows = open('raw.csv').read().split()", "rows[0] = '9'", "open('out.csv', 'w').write(rows[0])")
    assert found.problems() == []
    cells = [name for name, thing in sorted(found.generated | {("", "")}) if thing == "cell run 3"]
    assert cells == ["list"]
    assert ("cell run 4", "list") in found.used


def test_a_cell_that_fails_generates_nothing() -> None:
    saved("a.ipynb", "%load_ext provrepo", "x = [1]\nraise ValueError")
    found = recorded("x = [1]\nraise ValueError", "y = 1")
    assert found.status("cell 2") == "Failed"
    assert all(activity != "cell 2" for _, activity in found.generated)


def test_a_cell_that_is_not_saved_says_so(caplog: pytest.LogCaptureFixture) -> None:
    saved("a.ipynb", "%load_ext provrepo")
    found = recorded("x = open('raw.csv').read().split()")
    assert found.elements("a.ipynb, cell that is not saved")
    Path("a.ipynb").unlink()
    for document in Path("prov").iterdir():
        document.unlink()
    found = recorded("x = open('raw.csv').read().split()")
    assert found.elements("a notebook that is not saved")
    assert "it is not known which notebook in" in caplog.text


def test_values_of_papermill_are_parameters() -> None:
    found = recorded("# Parameters\nalpha = 0.5\n", "open('raw.csv').read()")
    assert found.parameters("parameters") == {"alpha=0.5"}


def test_which_notebook_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    saved("b.ipynb", "x = 1")
    saved("a.ipynb", "x = 1")
    saved("c.ipynb", "x = 2")
    Path("broken.ipynb").write_text("{", "utf-8")

    def named(source: str, **namespace: str) -> str | None:
        notebook = find(source, namespace)
        return notebook and notebook.path.name

    assert named("x = 1") == "a.ipynb"
    assert named("x = 3") is None
    assert named("x = 1", __vsc_ipynb_file__=str(Path("b.ipynb").absolute())) == "b.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", "notes/b.ipynb")
    assert named("x = 1") == "b.ipynb"
    assert named("x = 2") == "c.ipynb"


def test_names_of_code() -> None:
    found = names_of("import os\nx = f(a)\nb['k'] = 1\nc.d.e = 2\nn += 1\nfor i in items: pass")
    assert set(found.read) >= {"f", "a", "b", "c", "n", "items"}
    assert set(found.bound) == {"x", "n", "i"}
    assert set(found.changed) == {"b", "c", "n"}
    assert names_of("not python !") == ((), (), ())


@pytest.mark.parametrize("magic", ["%time ", "%%time\n", "%%capture out\n"])
def test_magics_that_measure_do_not_hide_names(magic: str) -> None:
    found = names_of(_unmeasured(f"{magic}x = sorted(rows)"))
    assert (set(found.read), found.bound) == ({"sorted", "rows"}, ("x",))


def test_capture_that_is_off_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.capture.notebooks.enabled", lambda: False)
    shell = Shell()
    shell.run("%load_ext provrepo")
    shell.run("x = open('raw.csv').read()")
    provrepo.unload_ipython_extension(shell)
    assert not Path("prov").exists()
