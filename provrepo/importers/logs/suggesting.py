"""A first mapping file for a log, from its headings and its first rows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.logs.clock import Clock
from provrepo.importers.logs.mapping import STATES, Layout, Mapping
from provrepo.importers.logs.rows import Log, opened
from provrepo.importers.masking import masked
from provrepo.model.secrets import secret_name

__all__ = ["suggested"]

_ROWS = 200
"""Rows that are looked at."""

_FIELDS = {
    "id": "runid jobid taskid id run uuid experimentid executionid",
    "name": "step name task stage job process activity operation action rule procedure",
    "start": "start started starttime startedat begin begintime starttimestamp startdate",
    "end": "end ended endtime endedat finish finished finishtime finishedat completedat stop enddate",
    "time": "time timestamp date datetime when ts logged createdat day created",
    "duration": "duration seconds elapsed runtime walltime durations",
    "status": "status state exitcode exit rc returncode result outcome exitstatus success",
    "agent": "agent user operator who author username person by analyst researcher technician owner",
    "software": "software tool program engine",
    "software_version": "softwareversion toolversion programversion version",
    "plan": "plan script protocol workflow notebook sop method pipeline",
    "command": "command cmd commandline argv",
    "part_of": "parent parentid partof parentrun campaign batch",
    "project": "project study",
    "note": "note notes comment comments remark remarks description",
}
_FILES = {
    "input": "input inputs in source sources infile infiles inputfile inputfiles read reads rawfile src from used",
    "output": "output outputs out outfile outfiles outputfile outputfiles written result_file results target dest to"
    " made generated product",
}
_HASHES = r"(sha-?\d+|md5|hash|checksum|digest)"
_METRICS = "accuracy acc loss rmse mse mae r2 auc f1 precision recall score error perplexity bleu"
_FORMATS = (
    *("iso", "unix", "unix-ms", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S"),
    *("%Y/%m/%d %H:%M", "%Y/%m/%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
    *("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%dT%H%M%S", "%Y%m%d-%H%M%S", "%Y%m%d"),
    *("%d %b %Y %H:%M:%S", "%d %b %Y", "%b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y"),
)


def suggested(source: str | Path) -> str:
    """The text of a mapping file.

    Args:
        source: the path of a log.

    Raises:
        ReadError: it cannot be read, or has no headings.
    """
    path = Path(source)
    layout = Layout(path.name.partition(".")[0] or "log")
    try:
        with path.open("rb") as file:
            log = opened(file, layout)
            rows = [row.values for row in islice(log.rows, _ROWS) if not row.problem]
    except OSError as error:
        raise ReadError(f"cannot read {source}: {error.strerror or error}") from error
    columns = list(log.columns) or list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        raise ReadError(f"{source} has no headings and no members in its first {_ROWS} rows")
    values = {column: [row[column] for row in rows if column in row] for column in columns}
    text = _Suggestion(path.name, layout.name, log, columns, values).text()
    Mapping.parse(text.encode(), "the suggestion")
    return text


class _Suggestion:
    def __init__(self, file: str, name: str, log: Log, columns: Sequence[str], values: dict[str, list[Any]]) -> None:
        self._file, self._name, self._log, self._values = file, name, log, values
        self._left = list(columns)

    def text(self) -> str:
        run = self._run()
        blocks = [
            f"# Which column of {_commented(self._file)} is what. It is a guess from the headings: look at each line.\n"
            f"# Import with: provrepo import {_commented(self._file)} --mapping THIS-FILE",
            self._lines("log", {"name": self._name}, after=["# a part of the IRIs of its runs and files"]),
            self._time(run),
            self._lines("run", run) if run else "[run]",
            self._status(run),
        ]
        if "agent" not in run and "software" not in run:
            blocks.append(
                '[constants]\n# agent = "Ana Lima <0000-0002-1825-0097>"   # nothing in the log says who did it'
            )
        files = [block for kind in _FILES for block in self._files(kind)]
        named = [block for kind in ("metric", "parameter") for block in self._named(kind)]
        if not files and not named:
            files = ["[[output]]\ncolumn = " + _toml(self._left[0] if self._left else "output")]
            files.append("# no heading looks like an input or output: name the right columns")
        blocks += files + named
        if self._left:
            shown = ", ".join(_commented(column) for column in self._left)
            ignored = "# Not mapped; they are kept as details of the run. [log] ignore leaves them out:"
            blocks.append(f"{ignored}\n# {shown}")
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _run(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for field, names in _FIELDS.items():
            column = next((each for name in names.split() for each in self._left if _plain(each) == name), None)
            if column is None or (field == "time" and ("start" in found or "end" in found)):
                continue
            if field in ("start", "end", "time") and not self._is_time(column):
                continue
            if field == "id" and len(set(map(str, self._values[column]))) < 2 < len(self._values[column]):
                continue
            found[field] = column
            self._left.remove(column)
        return found

    def _is_time(self, column: str) -> bool:
        return bool(self._format([column])) or not self._values[column]

    def _format(self, columns: Sequence[str]) -> str:
        texts = [str(value) for column in columns for value in self._values[column]]
        return next((each for each in _FORMATS if texts and all(_fits(each, text) for text in texts)), "")

    def _time(self, run: dict[str, str]) -> str:
        columns = [run[name] for name in ("start", "end", "time") if name in run]
        if not columns:
            return ""
        format_ = self._format(columns) or "iso"
        texts = [str(value) for column in columns for value in self._values[column]]
        zoned = bool(texts) and all(_zoned(format_, text) for text in texts)
        lines = ["[time]", f"format = {_toml(format_)}"]
        if "%d/%m" in format_ or "%m/%d" in format_:
            lines[-1] += "   # day or month first?"
        if not zoned:
            lines.append('# zone = "Europe/Berlin"   # times have no zone: without this, other logs cannot be compared')
        return "\n".join(lines)

    def _status(self, run: dict[str, str]) -> str:
        if "status" not in run:
            return ""
        seen = ", ".join(sorted({masked(str(value))[:30] for value in self._values[run["status"]]})[:8])
        lines = [f"# [status]   # which texts mean what; seen: {_commented(seen)}"]
        return "\n".join([*lines, *(f'# {state} = ["…"]' for state in STATES)])

    def _files(self, kind: str) -> list[str]:
        names = _FILES[kind].split()
        found = [
            each
            for each in self._left
            if re.sub(r"_?(file|path|name)?s?_?\d*(#\d+)?$", "", each.strip().lower()) in names or _plain(each) in names
        ]
        blocks = []
        for column in found:
            self._left.remove(column)
            about = {"column": column}
            if separator := self._separator(column):
                about["separator"] = separator
            if digests := self._hashes(column):
                about["hash"] = digests
                self._left.remove(digests)
            blocks.append(self._lines(f"[{kind}]", about))
        return blocks

    def _separator(self, column: str) -> str:
        texts = [value for value in self._values[column] if isinstance(value, str)]
        return next((each for each in (";", "|", ",") if any(each in text for text in texts)), "")

    def _hashes(self, column: str) -> str:
        return next(
            (each for each in self._left if re.fullmatch(f"{re.escape(_plain(column))}{_HASHES}", _plain(each))), ""
        )

    def _named(self, kind: str) -> list[str]:
        metrics = _METRICS.split()
        found = []
        for column in list(self._left):
            words = set(re.split(r"[^a-z0-9]+", column.lower()))
            numbers = self._values[column] and all(_is_number(value) for value in self._values[column])
            if numbers and (kind == "parameter" or words & set(metrics)) and not secret_name(column):
                found.append(column)
                self._left.remove(column)
        if not found:
            return []
        return [f"[[{kind}]]\ncolumn = {json.dumps(found, ensure_ascii=False)}"]

    @staticmethod
    def _lines(table: str, found: dict[str, str], after: Sequence[str] = ()) -> str:
        lines = [f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in found.items())]
        if after:
            lines[-1] += "   " + after[0]
        return "\n".join(lines)


def _commented(text: str) -> str:
    """A text in a comment of TOML, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _toml(text: str) -> str:
    """A text as a string of TOML, which is one of JSON but for the character U+007F."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _fits(format_: str, text: str) -> bool:
    if format_ in ("unix", "unix-ms"):
        seconds = _number(text)
        return seconds is not None and 5e8 < seconds / (1000 if format_ == "unix-ms" else 1) < 5e9
    try:
        Clock((format_,), None).read(text)
    except ValueError:
        return False
    return True


def _zoned(format_: str, text: str) -> bool:
    return Clock((format_,), None).read(text)[0].zoned


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and _number(value) is not None
