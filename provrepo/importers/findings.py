"""Problems of records as warnings of the reader."""

from __future__ import annotations

from collections import Counter

from provrepo.importers.json_values import Problem
from provrepo.model.document import ReaderWarning

__all__ = ["Findings"]


class Findings:
    """The problems of the records of a source: equal ones once, with the place of the first."""

    def __init__(self, format: str, record: str) -> None:  # noqa: A002
        """Begin.

        Args:
            format: the name of the format, with which the names of rules begin.
            record: what one record is called, such as ``event``.
        """
        self._format, self._record = format, record
        self._first: dict[tuple[str, bool], tuple[str, int | None]] = {}
        self._count: Counter[tuple[str, bool]] = Counter()

    def add(self, problems: list[Problem], line: int | None, pointer: str) -> None:
        """Add the problems of a record.

        Args:
            problems: them; a fatal one means that the record is left out, which is a violation.
            line: the line on which it starts.
            pointer: where it is: a JSON pointer, or the path of its file before one.
        """
        for problem in problems:
            key = problem.message, problem.fatal
            self._first.setdefault(key, (f"{pointer}{problem.pointer}", line))
            self._count[key] += 1

    def note(self, message: str) -> None:
        """Add a warning about the whole source."""
        self._first.setdefault((message, False), ("", None))
        self._count[message, False] += 1

    def warnings(self) -> list[ReaderWarning]:
        """All of them, in the order of their first places."""
        found = []
        repair = f"correct the {self._record} and send it again; the others of this source are not affected by it"
        for (message, fatal), (pointer, line) in self._first.items():
            more = self._count[message, fatal] - 1
            text = f"{pointer}: {message}" if pointer else message
            if fatal:
                text += f"; the {self._record} is left out"
            if more:
                text += f" (and {more:,} more)"
            rule = f"{self._format}:{'not-understood' if fatal else 'unusual'}"
            found.append(ReaderWarning(text, line, None, rule, violation=fatal, repair=repair if fatal else None))
        return found
