"""The runs of a log: what its rows say by the mapping. Rows with the same id are one run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from provrepo.errors import ReadError
from provrepo.importers.json_values import canonical
from provrepo.importers.logs.mapping import FORMAT, Part
from provrepo.importers.logs.mapping import Mapping as LogMapping
from provrepo.importers.logs.rows import Log, Row

__all__ = ["File", "Records", "Run"]

_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
_DIGEST = re.compile(r"(?:(?P<name>[A-Za-z][\w-]*)[:=])?(?P<hex>[0-9A-Fa-f]+)")
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class File(NamedTuple):
    """An input or output: path, digest as ``algorithm`` and hexadecimal text (both may be empty), and role."""

    path: str
    algorithm: str
    digest: str
    role: str

    @property
    def digests(self) -> dict[str, str]:
        """Algorithm → digest."""
        return {self.algorithm: self.digest} if self.digest else {}


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        key: what identifies it in the log.
        lines: those of its rows.
        fields: field of ``[run]`` → its different values.
        inputs: what it read.
        outputs: what it wrote.
        parameters: name → value, and whether it is a hyperparameter.
        metrics: name and step → value.
        details: column that is not mapped → its different values, as JSON.
    """

    key: str
    lines: list[int] = field(default_factory=list)
    fields: dict[str, set[str]] = field(default_factory=dict)
    inputs: set[File] = field(default_factory=set)
    outputs: set[File] = field(default_factory=set)
    parameters: dict[str, set[tuple[Any, bool]]] = field(default_factory=dict)
    metrics: dict[tuple[str, str], set[Any]] = field(default_factory=dict)
    details: dict[str, dict[bytes, Any]] = field(default_factory=dict)

    def texts(self, name: str) -> list[str]:
        """The values of a field, in alphabetical order."""
        return sorted(self.fields.get(name, ()))


class Records:
    """Collects the runs of a log.

    Attributes:
        runs: by their keys, in the order of the log.
        problems: line of a row, what is wrong with it, and whether it is left out.
    """

    def __init__(self, mapping: LogMapping) -> None:
        """Begin.

        Args:
            mapping: of the log.
        """
        self._mapping = mapping
        self.runs: dict[str, Run] = {}
        self.problems: list[tuple[int, str, bool]] = []

    def check(self, log: Log) -> None:
        """Compare the columns of a table with those that the mapping names.

        Raises:
            ReadError: one is missing, or is there twice for a field that has one value.
        """
        if not log.columns:
            return
        for column in sorted(self._mapping.used | set(self._mapping.layout.ignore)):
            if not log.named(column):
                raise ReadError(
                    f"the log has no column {column[:100]!r}; it has: {', '.join(map(repr, log.columns))}",
                    format=FORMAT,
                )
        for name, columns in self._mapping.run.items():
            if twice := next((each for each in columns if len(log.named(each)) > 1), None):
                one, two = f"{twice}#1", f"{twice}#2"
                message = f"several columns are called {twice!r}; write {one!r} or {two!r} in [run] {name}"
                raise ReadError(message, format=FORMAT)

    def add(self, row: Row, log: Log) -> str:
        """Add a row; returns why it is left out, empty if it is not."""
        problem = row.problem or self._add(row, log)
        if problem:
            self.problems.append((row.line, problem, True))
        return problem

    def _add(self, row: Row, log: Log) -> str:
        mapping, used = self._mapping, _Used(row, log)
        fields = {name: text for name in mapping.run if (text := used.text(mapping.run[name]))}
        key = fields.pop("id", "")
        if "id" in mapping.run and not key:
            return f"no value in {' and '.join(mapping.run['id'])}, which identifies the run"
        if not key:
            key = f"row-{sha256(canonical(dict(row.values))).hexdigest()[:16]}"
        inputs, outputs = (
            [file for part in parts for file in self._files(part, used, row.line)]
            for parts in (mapping.inputs, mapping.outputs)
        )
        parameters = list(self._named(mapping.parameters, used))
        metrics = list(self._named(mapping.metrics, used))
        if not (fields or inputs or outputs or parameters or metrics):
            return "nothing of the mapping is in it"
        if "id" not in mapping.run and key in self.runs:
            first = self.runs[key].lines[0]
            self.problems.append((row.line, f"the same as that of line {first}: they are one run", False))
        run = self.runs.setdefault(key, Run(key))
        run.lines.append(row.line)
        for name, text in fields.items():
            run.fields.setdefault(name, set()).add(text)
        run.inputs.update(inputs)
        run.outputs.update(outputs)
        for part, name, value in parameters:
            run.parameters.setdefault(name, set()).add((value, part.hyperparameter))
        for part, name, value in metrics:
            run.metrics.setdefault((name, used.text((part.step,)) if part.step else ""), set()).add(value)
        for name, value in used.left(mapping.layout.ignore):
            run.details.setdefault(name, {})[canonical(value)] = value
        return ""

    def _files(self, part: Part, used: _Used, line: int) -> Iterator[File]:
        for number, column in enumerate(part.columns):
            values = _separated(used.values(column), part.separator)
            with_item = bool(part.item)
            hashes: list[str] = []
            if part.hash and not with_item:
                where = part.hash[number] if len(part.hash) == len(part.columns) else part.hash[0]
                hashes = [str(each) for each in _separated(used.values(where), part.separator)]
                if hashes and len(hashes) != len(values):
                    counts = f"{len(values)} in {column}, and {len(hashes)} in {where}"
                    self.problems.append((line, f"the numbers of files and hashes differ: {counts}", False))
                    hashes = []
            for place, value in enumerate(values):
                path: Any = value
                digest = hashes[place] if hashes else ""
                if with_item and isinstance(value, dict):
                    path = value.get(part.item)
                    digest = str(value.get(part.hash[0]) or "") if part.hash else ""
                if not isinstance(path, str | int | float) or isinstance(path, bool) or not str(path).strip():
                    self.problems.append((line, f"{column}: a path is needed; it is not read", False))
                    continue
                yield File(str(path).strip(), *self._digest(digest.strip(), part, line), part.role)

    def _digest(self, text: str, part: Part, line: int) -> tuple[str, str]:
        if not text:
            return "", ""
        found = _DIGEST.fullmatch(text)
        algorithm = found and (found["name"] or part.algorithm or _LENGTHS.get(len(found["hex"]), ""))
        if not found or not algorithm:
            if part.algorithm:  # of a kind of its own, which is no content
                return part.algorithm, text
            self.problems.append((line, f"{text[:100]!r} is no hash of a known length; state its algorithm", False))
            return "", ""
        return algorithm.lower().replace("sha-", "sha"), found["hex"].lower()

    def _named(self, parts: Iterable[Part], used: _Used) -> Iterator[tuple[Part, str, Any]]:
        for part in parts:
            for column in part.columns:
                for value in used.values(column):
                    yield part, part.name or column.rpartition("/")[2], self._number(value)

    def _number(self, value: Any) -> Any:
        """A number, where a text is one."""
        if isinstance(value, dict | list):
            return canonical(value).decode()
        if not isinstance(value, str):
            return value
        text = value.replace(",", ".") if self._mapping.layout.decimal == "," else value
        if _WHOLE.fullmatch(text):
            return int(text) if len(text) < 1000 else value
        if not _NUMBER.fullmatch(text) or (text.lstrip("+-").startswith("0") and text.lstrip("+-")[1:2].isdigit()):
            return value
        return float(text) if "e" in text.lower() else Decimal(text)


def _separated(values: Sequence[Any], separator: str) -> list[Any]:
    """Values, those of a cell apart."""
    found: list[Any] = []
    for value in values:
        if separator and isinstance(value, str):
            found += [each.strip() for each in value.split(separator) if each.strip()]
        elif isinstance(value, list):
            found += value
        else:
            found.append(value)
    return found


class _Used:
    """The values of a row by column; remembers what was asked for."""

    def __init__(self, row: Row, log: Log) -> None:
        self._row, self._log = row, log
        self._used: set[str] = set()

    def values(self, column: str) -> list[Any]:
        """The values of a column: those of all columns with this heading; of JSON a member, or what a pointer names."""
        names = self._log.named(column) if self._log.columns else [column]
        if not self._log.columns and column not in self._row.values and column.startswith("/"):
            self._used.add(column.split("/")[1].replace("~1", "/").replace("~0", "~"))
            found = _pointed(self._row.values, column)
            return [] if found is None or found == "" else [found]
        self._used.update(names)
        return [self._row.values[name] for name in names if name in self._row.values]

    def text(self, columns: Sequence[str]) -> str:
        """The texts of some columns with a space between them."""
        found = [value for column in columns for value in self.values(column)]
        texts = [canonical(each).decode() if not isinstance(each, str) else each for each in found]
        return " ".join(texts).strip()

    def left(self, ignored: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """The values that nothing asked for."""
        skip = {name for column in ignored for name in (self._log.named(column) if self._log.columns else [column])}
        for name, value in self._row.values.items():
            if name not in self._used and name not in skip:
                yield name, value


def _pointed(values: Mapping[str, Any], pointer: str) -> Any:
    found: Any = values
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isdigit() and len(key) < 9 and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found
