"""What activities record of observations that are no files: unknown names, tables, answers of servers, statements."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from provrepo.capture.failures import warn_once
from provrepo.capture.files.digests import Pending, signature
from provrepo.capture.journal.events import Event, masked
from provrepo.model.secrets import text

if TYPE_CHECKING:
    from provrepo.capture.recorder import Recording

__all__ = ["Observations"]

QUERIES = 100
"""Statements of SQL that are recorded of an activity."""


class Observations:
    """The part of an activity that the hook calls for them. Each is recorded once."""

    recorder: Recording
    number: int | str
    pending: dict[str, Pending]

    def _begin_observations(self) -> None:
        self._unresolved: set[str] = set()
        self._unobserved: dict[tuple[str, str], int] = {}
        self._queries: set[str] = set()
        self._tables: set[tuple[str, str, bool]] = set()

    def writes(self, path: str, opened: Pending) -> None:
        """Record that a file was opened for writing."""
        raise NotImplementedError

    def unresolved(self, name: object) -> None:
        """Record that it is not known which file a name stood for."""
        shown = text(os.fsdecode(name))  # type: ignore[arg-type]
        if shown not in self._unresolved:
            self._unresolved.add(shown)
            warn_once("provenance is incomplete: it is not known which file %s is", shown)
            self.recorder.note("unresolved", activity=self.number, name=shown)

    def unobserved(self, where: str, error: str) -> None:
        """Record that an adapted function of a library could not tell what it opens.

        Args:
            where: the function.
            error: the class of the error.
        """
        count = self._unobserved[where, error] = self._unobserved.get((where, error), 0) + 1
        if count == 1:
            warn_once("provenance is incomplete: what %s opens could not be observed (%s)", where, error)
            self.recorder.note("unobserved", activity=self.number, where=where, error=error, count=count)

    def resource(self, about: Event) -> None:
        """Record an answer of a server: its URL was used, or with PUT generated.

        Args:
            about: as ``provrepo_libraries.resources`` tells it.
        """
        self.recorder.note("resource", activity=self.number, time=self.recorder.now(), **masked(about))

    def query(self, database: str, statement: str) -> None:
        """Record that a statement of SQL was executed, without secrets."""
        if statement not in self._queries and len(self._queries) < QUERIES:
            self._queries.add(statement)
            about = masked({"database": database, "text": statement})
            self.recorder.note("query", activity=self.number, **about)

    def table(self, database: str, name: str, *, wrote: bool) -> None:
        """Record that a table of a database was read or written.

        Args:
            database: the path of a file, or a URL.
            name: of the table.
            wrote: whether it was written.
        """
        if (database, name, wrote) not in self._tables:
            self._tables.add((database, name, wrote))
            before = signature(database) if wrote and database not in self.pending else None
            if before is not None:  # the connection may be older than this activity
                self.writes(database, Pending(before, None, False, self.recorder.now()))
            self.recorder.note(
                "table", activity=self.number, time=self.recorder.now(), database=database, table=name, wrote=wrote
            )

    def _counted(self) -> list[Event]:
        """How often functions could not tell what they open, where that was more than once."""
        return [
            {"event": "unobserved", "activity": self.number, "where": where, "error": name, "count": count}
            for (where, name), count in self._unobserved.items()
            if count > 1
        ]
