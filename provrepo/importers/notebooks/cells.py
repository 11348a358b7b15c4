"""A notebook and its cells: what papermill, nbclient, Jupyter and its extensions write about their execution."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from provrepo.importers.json_values import Problem, canonical, unwritable
from provrepo.importers.moments import Moment
from provrepo.importers.shapes import Shapes

__all__ = ["Cell", "Notebook"]

PARAMETERS, INJECTED = "parameters", "injected-parameters"
"""Tags of the cells with the default values of parameters, and with those that were given."""

MAY_FAIL = "raises-exception"
"""The tag of a cell that is expected to raise an error."""

Times = tuple[str | None, str | None]


class Cell:
    """A code cell.

    Attributes:
        name: its identifier (nbformat 4.5), or its number.
        label: ``cell N``, its number among the code cells of the notebook without those that papermill adds.
        source: its code.
        digest: SHA-256 of the code, in hexadecimal.
        times: when it was executed: start and end.
        ran: whether it was executed.
        error: the class of the exception that it raised.
        status: ``completed``, ``failed`` or ``active``.
        tags: its tags.
    """

    def __init__(self, found: Mapping[str, Any], number: int, pointer: str, shapes: Shapes) -> None:
        metadata = shapes.object(found.get("metadata"), f"{pointer}/metadata")
        self.tags = shapes.texts(metadata.get("tags"), f"{pointer}/metadata/tags")
        self.name = shapes.text(found.get("id"), f"{pointer}/id") or str(number)
        self.label = "parameters" if INJECTED in self.tags else f"cell {number}"
        self.source = _source(found, pointer, shapes)
        self.digest = sha256(self.source.strip().encode()).hexdigest()
        papermill = shapes.object(metadata.get("papermill"), f"{pointer}/metadata/papermill")
        self.times = _times(metadata, papermill, pointer, shapes)
        outputs = shapes.objects(found.get("outputs"), f"{pointer}/outputs")
        errors = [output for _, output in outputs if output.get("output_type") in ("error", "pyerr")]
        self.error = str(errors[-1].get("ename") or "error") if errors else ""
        count = found.get("execution_count", found.get("prompt_number"))
        self.ran = isinstance(count, int) or self.times[0] is not None or bool(errors)
        self.status = "completed"
        if papermill.get("status") == "failed" or papermill.get("exception") is True or errors:
            self.status = "failed"
        elif papermill.get("status") == "running" or (self.times[0] and not self.times[1]):
            self.status = "active"
        if MAY_FAIL in self.tags and self.status == "failed":
            self.status = "completed"


def _source(found: Mapping[str, Any], pointer: str, shapes: Shapes) -> str:
    """The code of a cell: a text or a list of lines; ``input`` in nbformat 3."""
    key = "source" if "source" in found else "input"
    source = found.get(key)
    if isinstance(source, list):
        return "".join(shapes.texts(source, f"{pointer}/{key}"))
    return shapes.text(source, f"{pointer}/{key}")


def _times(metadata: Mapping[str, Any], papermill: Mapping[str, Any], pointer: str, shapes: Shapes) -> Times:
    """The first of what the programs write: papermill; nbclient and JupyterLab; the extension ExecuteTime."""
    execution = shapes.object(metadata.get("execution"), f"{pointer}/metadata/execution")
    extension = shapes.object(metadata.get("ExecuteTime"), f"{pointer}/metadata/ExecuteTime")
    started = next((key for key in ("iopub.execute_input", "iopub.status.busy") if execution.get(key)), "")
    for place, inside, keys in (
        ("papermill", papermill, ("start_time", "end_time")),
        ("execution", execution, (started, "shell.execute_reply")),
        ("ExecuteTime", extension, ("start_time", "end_time")),
    ):
        start, end = (shapes.time(inside.get(key), f"{pointer}/metadata/{place}/{key}") for key in keys)
        if start or end:
            return start, end
    return None, None


class Notebook(Shapes):
    """A notebook.

    Attributes:
        papermill: what papermill says of its run; empty where it did not run it.
        cells: the code cells.
        kernel: the kernel that it is for.
        language: the language of this kernel, with its version.
        title: its title.
        authors: those who wrote it.
    """

    def __init__(self, found: Mapping[str, Any], problems: list[Problem]) -> None:
        super().__init__(problems, "notebook")
        metadata = self.object(found.get("metadata"), "/metadata")
        self.papermill = self.object(metadata.get("papermill"), "/metadata/papermill")
        self.kernel = self.object(metadata.get("kernelspec"), "/metadata/kernelspec")
        self.language = self.object(metadata.get("language_info"), "/metadata/language_info")
        self.title = self.text(metadata.get("title"), "/metadata/title")
        self.input, self.output = (
            self.text(self.papermill.get(key), f"/metadata/papermill/{key}") for key in ("input_path", "output_path")
        )
        if not self.input:
            self.input = self.text(metadata.get("name"), "/metadata/name")  # of nbformat 3
        authors = metadata.get("authors")
        self.authors = [author for _, author in self.objects(authors, "/metadata/authors")]
        self.cells = self._cells(found)
        self._times = tuple(
            self.time(self.papermill.get(key), f"/metadata/papermill/{key}") for key in ("start_time", "end_time")
        )

    def _cells(self, found: Mapping[str, Any]) -> list[Cell]:
        places = [("/cells", found.get("cells"))]
        if "cells" not in found:  # nbformat 3
            sheets = self.objects(found.get("worksheets"), "/worksheets")
            places = [(f"{place}/cells", sheet.get("cells")) for place, sheet in sheets]
        cells: list[Cell] = []
        number = 0
        for place, inside in places:
            for pointer, cell in self.objects(inside, place):
                if cell.get("cell_type") == "code":
                    number += 1
                    cells.append(Cell(cell, number, pointer, self))
                    if INJECTED in cells[-1].tags:
                        number -= 1
        return self._distinct(cells)

    def _distinct(self, cells: list[Cell]) -> list[Cell]:
        """Cells of different names: two cells of one identifier get their places."""
        seen: set[str] = set()
        for place, cell in enumerate(cells, 1):
            if cell.name in seen:
                cell.name = f"{cell.name} ({place})"
            seen.add(cell.name)
        return cells

    def time(self, found: Any, pointer: str) -> str | None:
        """A time as ``xsd:dateTime``; one without a zone is a problem, and is kept as it is."""
        lexical = super().time(found, pointer)
        moment = Moment.parse(lexical) if lexical else None
        if moment is not None and not moment.zoned:
            self.problems.append(Problem(pointer, "a time without a zone"))
        return lexical

    @property
    def ran(self) -> bool:
        """Whether there is a record of a run."""
        return bool(self.papermill.get("start_time")) or any(cell.ran for cell in self.cells)

    @property
    def digest(self) -> str:
        """The digest that names the run: of paths, start and parameters, or else of what was executed and when."""
        if self._times[0]:
            keys = ("input_path", "output_path", "start_time", "parameters")
            return sha256(canonical([self.papermill.get(key) for key in keys])).hexdigest()[:32]
        return sha256(canonical([(cell.name, cell.digest, cell.times) for cell in self.cells])).hexdigest()[:32]

    @property
    def code_digest(self) -> str:
        """The digest that names the code: of all code cells, without those that papermill adds."""
        code = [cell.source for cell in self.cells if INJECTED not in cell.tags]
        return sha256(canonical(code)).hexdigest()[:32]

    @property
    def times(self) -> Times:
        """Start and end of the run."""
        if self._times[0] or self._times[1]:
            return self._times[0], self._times[1]
        starts = [cell.times[0] for cell in self.cells if cell.times[0]]
        ends = [cell.times[1] for cell in self.cells if cell.times[1]]
        return min(starts, key=_instant, default=None), max(ends, key=_instant, default=None)

    @property
    def status(self) -> str:
        """``completed``, ``failed`` or ``active``: of an interactive session, what its last cell says."""
        if self.papermill:
            if self.papermill.get("exception") is True:
                return "failed"
            return "completed" if self._times[1] else "active"
        last = [cell for cell in self.cells if cell.ran][-1:]
        return last[0].status if last else "active"

    @property
    def error(self) -> str:
        """The class of the exception that ended the run."""
        return (
            next((cell.error for cell in self.cells if cell.status == "failed"), "") if self.status == "failed" else ""
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters: those that were given, and defaults of the others that can be read without running them."""
        found: dict[str, Any] = {}
        for tag in (PARAMETERS, INJECTED):
            for cell in self.cells:
                if tag in cell.tags and cell.ran:
                    found |= _assigned(cell.source)
        for key in ("default_parameters", "parameters"):
            found |= self.object(self.papermill.get(key), f"/metadata/papermill/{key}")
        return found


def _instant(lexical: str) -> tuple[int, str]:
    moment = Moment.parse(lexical)
    return (0, "") if moment is None else moment[:2]


def _assigned(code: str) -> dict[str, Any]:
    """The names that Python code binds to literals: ``alpha = 0.5``; none in another language."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code, which is not ours
            body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, Any] = {}
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            try:
                literal = json.loads(json.dumps(ast.literal_eval(node.value), allow_nan=False))
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            if next(unwritable(literal, ""), None) is None:
                found[target.id] = literal
    return found
