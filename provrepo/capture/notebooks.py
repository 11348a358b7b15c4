"""Notebooks: each cell that IPython runs is a step of one session, whose plan is the notebook.

``%load_ext provrepo`` begins the session, which ends with the kernel. Values pass from cell to cell by names: a cell
uses what the names in its code stand for, if an earlier cell made it, and makes what it binds them to.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.capture.activities import Activity
from provrepo.capture.facts import plans
from provrepo.capture.facts.values import scalar, things
from provrepo.capture.failures import contained, enabled, quietly, warn_once
from provrepo.capture.journal.events import Event
from provrepo.capture.recorder import Recorder, entered
from provrepo.settings import notebook_name

__all__ = ["Notebook", "find", "load_ipython_extension", "names_of", "unload_ipython_extension"]

_PARAMETERS = ("# Parameters\n", "# parameters\n")
"""How the cell begins that papermill adds with the values that it was given."""
_LARGEST = 64 * 1024 * 1024
"""In bytes: a larger notebook is not read."""


class Cell(NamedTuple):
    """A code cell of a notebook: its number among the code cells, from 1, and its identifier (nbformat 4.5)."""

    number: int
    id: str | None


class Notebook(NamedTuple):
    """A notebook: its path, and its code cells by their source."""

    path: Path
    cells: dict[str, Cell]

    @classmethod
    def read(cls, path: Path) -> Notebook | None:
        """The notebook in a file; None for anything else."""
        try:
            with quietly():
                if path.stat().st_size > _LARGEST:
                    return None
                content = json.loads(path.read_bytes())
            code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
            cells = {_source(cell): Cell(number, cell.get("id")) for number, cell in reversed([*enumerate(code, 1)])}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return cls(path, cells)

    def plan(self, cell: Cell | None, source: str | None = None) -> Event:
        """The notebook, or one of its cells, as a plan."""
        import hashlib

        described: Event = {"name": self.path.name, "path": str(self.path), **plans.of_file(str(self.path))}
        if source is not None:
            described["name"] += f", cell {cell.number if cell else 'that is not saved'}"
            described["sha256"] = hashlib.sha256(source.encode()).hexdigest()
            if cell is None and "dirty" in described:
                described["dirty"] = True
            if cell is not None:
                described["cell"] = cell.id or str(cell.number)
        return described


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return ("".join(source) if isinstance(source, list) else source).strip()


def find(source: str, namespace: dict[str, Any]) -> Notebook | None:
    """The notebook that runs: the first one that has a running cell.

    Candidates are the name that the Jupyter server or VS Code gives its kernels, the notebooks that the command of the
    parent process names (nbconvert, papermill), and those in the working folder.

    Args:
        source: of a cell that runs.
        namespace: of the kernel.
    """
    named = [name for name in (notebook_name(), namespace.get("__vsc_ipynb_file__")) if isinstance(name, str) and name]
    folder = Path.cwd()
    candidates = [folder / name for name in named] + [folder / Path(name).name for name in named]
    candidates += _of_parent()
    with quietly():
        candidates += sorted(folder.glob("*.ipynb"))
    for path in dict.fromkeys(candidates):
        notebook = Notebook.read(path) if path.suffix == ".ipynb" else None
        if notebook is not None and source.strip() in notebook.cells:
            return notebook
    return None


def _of_parent() -> list[Path]:
    """The notebooks that the command of the parent process names, on Linux."""
    import os

    process = Path(f"/proc/{os.getppid()}")
    try:
        with quietly():
            words = (process / "cmdline").read_bytes().split(b"\0")
            folder = Path(os.readlink(process / "cwd"))  # noqa: PTH115 (``Path.readlink`` is an audit event, too)
    except OSError:
        return []
    return [folder / os.fsdecode(word) for word in words if word.endswith(b".ipynb")]


def _unmeasured(source: str) -> str:
    """Code without the magics of IPython that only measure or hide what it does, which would turn it into text."""
    return _LINE_MAGIC.sub(r"\1", _CELL_MAGIC.sub("", source))


_CELL_MAGIC = re.compile(r"\A\s*%%(?:time|timeit|capture|prun)\b[^\n]*\n")
_LINE_MAGIC = re.compile(r"(?m)^([ \t]*)%(?:time|prun) +(?=\S)")


class Names(NamedTuple):
    """The names in the code of a cell: those that it reads, binds, and of which it changes an item or attribute."""

    read: tuple[str, ...]
    bound: tuple[str, ...]
    changed: tuple[str, ...]


def names_of(code: str) -> Names:
    """The names in code, also in functions and classes that it defines; none if it is no Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return Names((), (), ())
    read: dict[str, None] = {}
    bound: dict[str, None] = {}
    changed: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound)[node.id] = None
        elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            root = _root(node)
            if root is not None:
                changed[root] = None
        if isinstance(node, ast.AugAssign) and (root := _root(node.target)) is not None:
            read[root] = changed[root] = None
    return Names(tuple(read), tuple(bound), tuple(changed))


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class Extension:
    """The recording of one kernel.

    Args:
        shell: of IPython.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._recorder: Recorder | None = None
        self._notebook: Notebook | None = None
        self._activity: Activity | None = None
        self._before: Activity | None = None
        self._names = Names((), (), ())

    @contained
    def begin(self, info: Any) -> None:
        """A cell begins."""
        source = getattr(info, "raw_cell", None)
        if not isinstance(source, str) or not source.strip() or self._activity is not None:
            return
        recorder = self._session(source)
        notebook, plain = self._notebook, source.strip()
        cell = notebook.cells.get(plain) if notebook else None
        plan = notebook.plan(cell, plain) if notebook else {"name": "a cell of an unknown notebook"}
        number = cell.number if cell else f"run {self._shell.execution_count}"
        label = "parameters" if source.startswith(_PARAMETERS) else f"cell {number}"
        activity = Activity(recorder, label, recorder.root, recorder.plan(("cell", plain), plan))
        self._names = names_of(self._shell.transform_cell(_unmeasured(source)))
        for name in self._names.read:
            for value in things(self._shell.user_ns.get(name)):
                known = recorder.values.known(value)
                if known is not None:
                    activity.uses(known, name)
        self._activity, self._before = activity, entered.get()
        entered.set(activity)

    @contained
    def end(self, result: Any) -> None:
        """A cell has ended."""
        activity, self._activity = self._activity, None
        if activity is None:
            return
        if entered.get() is activity:
            entered.set(self._before)
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if error is None:
            self._made(activity)
        activity.end(error)

    def _made(self, activity: Activity) -> None:
        namespace, known = self._shell.user_ns, activity.recorder.values.known
        parameters = activity.name == "parameters"
        for name in dict.fromkeys((*self._names.bound, *self._names.changed)):
            value = namespace.get(name)
            if name.startswith("_") or name not in namespace:
                continue
            if scalar(value):
                if parameters:
                    activity.parameter(name, value)
                else:
                    activity.returned(value, name)
                continue
            for thing in things(value):
                if known(thing) is None or name in self._names.changed:
                    activity.makes(thing, name)

    def _session(self, source: str) -> Recorder:
        """The session of the kernel, which begins with the first cell."""
        if self._recorder is None or self._recorder.closed:
            import atexit

            from provrepo.capture.sessions import default_name, end_session, open_session

            raw = [source, *reversed(getattr(self._shell.history_manager, "input_hist_raw", []))]
            found = (find(each, self._shell.user_ns) for each in raw if each.strip())
            self._notebook = next(filter(None, found), None)
            if self._notebook is None:
                warn_once(
                    "it is not known which notebook in %s this is; save it before its first cell is run", Path.cwd()
                )
            name = default_name(self._notebook.path.stem if self._notebook else "notebook")
            plan = self._notebook.plan(None) if self._notebook else {"name": "a notebook that is not saved"}
            self._recorder = open_session(name, plan=plan)
            atexit.register(contained(end_session), self._recorder)
        return self._recorder

    def close(self) -> None:
        """End the session."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            from provrepo.capture.sessions import end_session

            contained(end_session)(recorder)


_EXTENSION = "provrepo_extension"


def load_ipython_extension(shell: Any) -> None:
    """Record each further cell as a step: what ``%load_ext provrepo`` calls.

    Args:
        shell: of IPython.
    """
    if not enabled() or getattr(shell, _EXTENSION, None) is not None:
        return
    extension = Extension(shell)
    setattr(shell, _EXTENSION, extension)
    shell.events.register("pre_run_cell", extension.begin)
    shell.events.register("post_run_cell", extension.end)


def unload_ipython_extension(shell: Any) -> None:
    """End the recording, and write its document: what ``%unload_ext provrepo`` calls."""
    extension = getattr(shell, _EXTENSION, None)
    if extension is not None:
        setattr(shell, _EXTENSION, None)
        shell.events.unregister("pre_run_cell", extension.begin)
        shell.events.unregister("post_run_cell", extension.end)
        extension.close()
