"""The mapping file of a log (TOML): which column is what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.logs.clock import Clock
from provrepo.importers.persons import person

__all__ = ["FORMAT", "RUN_FIELDS", "STATES", "Layout", "Mapping", "Part"]

FORMAT = "log"

RUN_FIELDS = {
    "id": "what identifies the run; rows with the same are one run",
    "name": "the name of the step",
    "start": "when it started",
    "end": "when it ended",
    "time": "the only time that the log has, which is start and end",
    "duration": "how long it took, in seconds or as 1:02:03",
    "status": "how it ended ([status] says which value means what)",
    "agent": "who did it: a name, an ORCID iD, a mail address, or both as in 'Ana Lima <0000-0002-1825-0097>'",
    "software": "the program",
    "software_version": "its version",
    "plan": "the script or protocol",
    "command": "the command line",
    "part_of": "the id of the run that it is a part of",
    "project": "the project that it belongs to",
    "note": "a comment",
}
"""The fields of ``[run]`` and ``[constants]``, with what they mean."""

STATES = ("completed", "failed", "active")
_NOT_CONSTANT = ("id", "start", "end", "time", "duration")
_ENCODINGS = re.compile(
    r"ascii|utf-?8|utf-?16(-?[lb]e)?|latin-?1|iso-?8859-?\d+|(cp|windows-)?125\d|cp(437|850|852|866)|mac-?roman|"
    r"koi8-?[ru]|shift[-_]?jis|cp932|euc-?(jp|kr)|gb18030|gbk|big5"
)
_DEFAULT_STATES = {
    "completed": "0 ok done success succeeded successful complete completed finished true pass passed yes",
    "failed": "fail failed failure error false abort aborted killed cancelled canceled timeout no",
    "active": "running started active pending queued submitted",
}
_LAYOUT = ("name", "format", "delimiter", "quote", "encoding", "columns", "skip", "comment", "empty", "decimal")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the log is written, ``[log]``.

    Attributes:
        name: the name of the log, a part of the IRIs of its runs and files.
        format: ``csv``, ``jsonl``, or empty: the first character decides.
        delimiter: between cells; empty: that of the first row.
        quote: the quotation mark; empty if there is none.
        encoding: of the text; empty: UTF-8, or UTF-16 with a byte order mark.
        columns: headings of a table that has no row with them.
        skip: lines before the table.
        comment: the beginning of lines that are no rows; empty if there are none.
        empty: texts that mean that there is no value.
        decimal: the decimal mark.
        order: ``oldest-first`` or ``newest-first``, where the order of rows is that of time; empty: only times count.
        ignore: columns of which nothing is kept.
    """

    name: str
    format: str = ""
    delimiter: str = ""
    quote: str = '"'
    encoding: str = ""
    columns: tuple[str, ...] = ()
    skip: int = 0
    comment: str = ""
    empty: frozenset[str] = frozenset()
    decimal: str = "."
    order: str = ""
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of inputs, outputs, parameters or metrics.

    Attributes:
        columns: headings, members of JSON, or JSON pointers.
        separator: between several values in one cell; empty if there is one.
        hash: the columns of digests, in the order of the values; empty if there are none.
        algorithm: of digests that do not name theirs; empty: by their length.
        item: the member of a JSON object that is the path, where values are objects.
        role: the role of an input or output in the run.
        name: of a parameter or metric; empty: the heading of its column.
        step: the column with the step of a metric.
        hyperparameter: whether it is a hyperparameter of a model.
    """

    columns: tuple[str, ...]
    separator: str = ""
    hash: tuple[str, ...] = ()
    algorithm: str = ""
    item: str = ""
    role: str = ""
    name: str = ""
    step: str = ""
    hyperparameter: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """What the columns of a log mean.

    Attributes:
        layout: how it is written.
        clock: reads its times.
        run: field of a run → columns, whose texts are joined with a space.
        constants: field of a run → the value for all rows that have none.
        states: text in lower case → ``completed``, ``failed`` or ``active``.
        otherwise: the state of other texts; empty if they are not understood.
        inputs: what runs read.
        outputs: what they wrote.
        parameters: their settings.
        metrics: their measurements.
        used: all columns that it names.
    """

    layout: Layout
    clock: Clock
    run: Table[str, tuple[str, ...]]
    constants: Table[str, str]
    states: Table[str, str]
    otherwise: str
    inputs: tuple[Part, ...] = ()
    outputs: tuple[Part, ...] = ()
    parameters: tuple[Part, ...] = ()
    metrics: tuple[Part, ...] = ()
    used: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, data: bytes, place: str = "mapping.toml") -> Mapping:
        """Read a mapping file.

        Args:
            data: TOML in UTF-8.
            place: its name, for messages.

        Raises:
            ReadError: it is no TOML, or a value is not possible, with its table and key.
        """
        try:
            tables = tomllib.loads(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ReadError(f"{place} is not UTF-8 (byte {error.start})", format=FORMAT) from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line, column = (int(found[1]), int(found[2])) if found else (None, None)
            raise ReadError(f"{place}: {error}", line=line, column=column, format=FORMAT) from None
        return _Reader(place, tables).mapping()


class _Reader:
    """Checks the values of a mapping file."""

    def __init__(self, place: str, tables: dict[str, Any]) -> None:
        self._place, self._tables = place, tables
        self._used: set[str] = set()

    def mapping(self) -> Mapping:
        known = ("log", "time", "run", "constants", "status", "input", "output", "parameter", "metric")
        self._known(self._tables, known, "the mapping")
        layout = self._layout(self._table("log"))
        run = self._run(self._table("run"))
        if "time" in run and ("start" in run or "end" in run):
            raise self._error("[run] time", "is for a log with one time; it has start or end, too")
        parts = {name: self._parts(name) for name in ("input", "output", "parameter", "metric")}
        if not any(parts.values()):
            raise self._error("the mapping", "has no [[input]], [[output]], [[parameter]] or [[metric]]")
        states, otherwise = self._states(self._table("status"))
        return Mapping(
            layout,
            self._clock(self._table("time")),
            run,
            self._constants(self._table("constants")),
            states,
            otherwise,
            parts["input"],
            parts["output"],
            parts["parameter"],
            parts["metric"],
            frozenset(self._used),
        )

    def _layout(self, table: dict[str, Any]) -> Layout:
        self._known(table, (*_LAYOUT, "order", "ignore"), "[log]")
        if not (name := self._text(table, "name", "[log]")):
            raise self._error("[log] name", 'is needed: a name of the log, such as "bench-3"')
        found = Layout(
            name,
            self._one_of(table, "format", ("csv", "jsonl"), "[log]"),
            self._text(table, "delimiter", "[log]"),
            self._text(table, "quote", "[log]", '"'),
            self._text(table, "encoding", "[log]").lower(),
            self._texts(table, "columns", "[log]"),
            self._number(table, "skip", "[log]"),
            self._text(table, "comment", "[log]"),
            frozenset(self._texts(table, "empty", "[log]")),
            self._one_of(table, "decimal", (".", ","), "[log]") or ".",
            self._one_of(table, "order", ("oldest-first", "newest-first"), "[log]"),
            self._texts(table, "ignore", "[log]"),
        )
        for key, text in (("delimiter", found.delimiter), ("quote", found.quote)):
            if len(text) > 1 or text in ("\r", "\n"):
                raise self._error(f"[log] {key}", f"{text!r} is not one character")
        if found.delimiter and found.delimiter == found.quote:
            raise self._error("[log] delimiter", "is the quotation mark, too")
        if found.encoding and not _ENCODINGS.fullmatch(found.encoding):
            raise self._error("[log] encoding", f"{found.encoding[:50]!r} is not known; for example utf-8 or cp1252")
        return found

    def _clock(self, table: dict[str, Any]) -> Clock:
        self._known(table, ("format", "zone"), "[time]")
        formats = self._texts(table, "format", "[time]")
        try:
            return Clock.of(formats, self._text(table, "zone", "[time]"))
        except ValueError as error:
            raise self._error("[time]", str(error)) from None

    def _run(self, table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        self._known(table, RUN_FIELDS, "[run]")
        return {key: self._columns(table, key, "[run]") for key in table}

    def _constants(self, table: dict[str, Any]) -> dict[str, str]:
        self._known(table, [name for name in RUN_FIELDS if name not in _NOT_CONSTANT], "[constants]")
        found = {key: self._text(table, key, "[constants]") for key in table}
        try:
            if found.get("agent"):
                person(found["agent"])
        except ValueError as error:
            raise self._error("[constants] agent", str(error)) from None
        return {key: text for key, text in found.items() if text}

    def _states(self, table: dict[str, Any]) -> tuple[dict[str, str], str]:
        self._known(table, (*STATES, "other"), "[status]")
        given = {
            text.casefold(): state
            for state in STATES
            for text in ([str(each) for each in self._scalars(table, state, "[status]")])
        }
        default = {text: state for state, texts in _DEFAULT_STATES.items() for text in texts.split()}
        return (given or default), self._one_of(table, "other", STATES, "[status]")

    def _parts(self, name: str) -> tuple[Part, ...]:
        tables = self._tables.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise self._error(f"[[{name}]]", "is written with two brackets, once for each kind of column")
        return tuple(self._part(each, name, f"[[{name}]] {number}") for number, each in enumerate(tables, 1))

    def _part(self, table: dict[str, Any], kind: str, place: str) -> Part:
        of_kind = {
            "parameter": ("column", "name", "hyperparameter"),
            "metric": ("column", "name", "step"),
        }.get(kind, ("column", "separator", "hash", "algorithm", "item", "role"))
        self._known(table, of_kind, place)
        columns = self._columns(table, "column", place)
        part = Part(
            columns,
            self._text(table, "separator", place),
            self._columns(table, "hash", place) if "hash" in table else (),
            self._text(table, "algorithm", place),
            self._text(table, "item", place),
            self._text(table, "role", place),
            self._text(table, "name", place),
            self._text(table, "step", place),
            table.get("hyperparameter") is True,
        )
        if part.step:
            self._used.add(part.step)
        if not isinstance(table.get("hyperparameter", False), bool):
            raise self._error(f"{place} hyperparameter", "is true or false")
        if part.name and len(columns) > 1:
            raise self._error(f"{place} name", f"there are {len(columns)} columns for one name")
        if len(part.hash) not in (0, 1, len(columns)):
            raise self._error(f"{place} hash", f"there are {len(columns)} columns, and {len(part.hash)} of hashes")
        return part

    # Values -------------------------------------------------------------------------------------------------------

    def _error(self, place: str, message: str) -> ReadError:
        return ReadError(f"{self._place}: {place}: {message}", format=FORMAT)

    def _known(self, table: dict[str, Any], names: Any, place: str) -> None:
        if unknown := next((key for key in table if key not in names), None):
            raise self._error(place, f"has no {unknown[:100]!r}; it has: {', '.join(names)}")

    def _table(self, name: str) -> dict[str, Any]:
        found = self._tables.get(name, {})
        if not isinstance(found, dict):
            raise self._error(f"[{name}]", "a table is needed, with one pair of brackets")
        return found

    def _text(self, table: dict[str, Any], key: str, place: str, default: str = "") -> str:
        found = table.get(key, default)
        if not isinstance(found, str):
            raise self._error(f"{place} {key}", "a text in quotation marks is needed")
        return found

    def _texts(self, table: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        found = table.get(key, [])
        texts = [found] if isinstance(found, str) else found
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise self._error(f"{place} {key}", 'a text or a list of texts is needed, such as ["a", "b"]')
        return tuple(texts)

    def _columns(self, table: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        found = self._texts(table, key, place)
        if not found or not all(found):
            raise self._error(f"{place} {key}", "the heading of a column is needed")
        self._used.update(found)
        return found

    def _scalars(self, table: dict[str, Any], key: str, place: str) -> list[str | int]:
        found = table.get(key, [])
        values = found if isinstance(found, list) else [found]
        if not all(isinstance(each, str | int) for each in values):
            raise self._error(f"{place} {key}", "a list of texts or whole numbers is needed")
        return [str(each).lower() if isinstance(each, bool) else each for each in values]

    def _one_of(self, table: dict[str, Any], key: str, names: tuple[str, ...], place: str) -> str:
        found = self._text(table, key, place)
        if found and found not in names:
            raise self._error(f"{place} {key}", f"{found[:100]!r} is none of: {', '.join(names)}")
        return found

    def _number(self, table: dict[str, Any], key: str, place: str) -> int:
        found = table.get(key, 0)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise self._error(f"{place} {key}", "a whole number is needed")
        return found
