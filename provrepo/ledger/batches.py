"""Transactions that several threads share, since each commit waits for the disk.

The first thread that comes leads: it executes the work of all that wait in one transaction. Those that come meanwhile
wait for the next one, which the first of them leads. So a single writer waits for nobody.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import check_name
from provrepo.ledger.storage.database import Database, translate

__all__ = ["MOST", "Batches"]

T = TypeVar("T")

MOST = 64
"""The most pieces of work in one transaction, so that other processes can write in between."""


@dataclass(eq=False, slots=True)
class _Piece:
    """The work of one thread, which waits for it.

    Attributes:
        project: the stream to append to.
        work: what to do in the transaction.
        woken: set when the thread has to go on.
        leads: whether the thread has to lead the next transaction.
        done: whether the work was committed or has failed. If not, the thread does it in a transaction of its own.
        result: what the work returned.
        error: what it raised.
    """

    project: str
    work: Callable[[Appending], Any]
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class Batches:
    """Shared transactions of one database. Any number of threads may use it."""

    def __init__(self, database: Database, software: str) -> None:
        """Take the database.

        Args:
            database: that of the ledger.
            software: name and version of this program, which new entries record.
        """
        self._database = database
        self._software = software
        self._guard = threading.Lock()
        self._waiting: deque[_Piece] = deque()
        self._led = False  # whether a thread leads

    def append(self, project: str, work: Callable[[Appending], T]) -> T:
        """Do some work in a transaction, perhaps together with that of other threads.

        Each piece of work sees what those before it have appended. If it raises an exception, what it has written is
        undone, and what others have written is not.

        Args:
            project: the stream to append to.
            work: gets the stream, and must be short, since all others wait. Another thread may execute it, and it
                may be executed a second time if the transaction fails.

        Returns:
            What the work returned. It is stored durably.

        Raises:
            Error: as for ``Ledger.appending``; and whatever the work raises.
        """
        check_name(project, stream=True)
        piece = _Piece(project, work)
        with self._guard:
            self._waiting.append(piece)
            piece.leads = not self._led
            self._led = True
        if not piece.leads:
            try:
                piece.woken.wait()
            except BaseException:  # such as KeyboardInterrupt
                self._leave(piece)
                raise
        if piece.leads:
            self._lead()
        if not piece.done:
            self._execute_alone(piece)  # the transaction failed; this one has an error of its own, if any
        if piece.error is not None:
            raise piece.error
        result: T = piece.result
        return result

    def _lead(self) -> None:
        """Execute what waits, the first of which is of this thread, and let another thread lead."""
        pieces: list[_Piece] = []
        try:
            with self._guard:
                pieces += [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if len(pieces) > 1:
                self._execute(pieces)
            else:
                self._execute_alone(pieces[0])
        finally:
            with self._guard:
                self._pass_on()
            for piece in pieces:
                piece.woken.set()

    def _leave(self, piece: _Piece) -> None:
        """Let the others go on without a thread that was interrupted while it waited."""
        with self._guard:
            if piece in self._waiting:
                self._waiting.remove(piece)
            if piece.leads:
                self._pass_on()

    def _pass_on(self) -> None:
        """Let the first that waits lead, if any waits; the guard is held."""
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].leads = True
            self._waiting[0].woken.set()

    def _execute_alone(self, piece: _Piece) -> None:
        try:
            with self._database.writing() as connection:
                piece.result = piece.work(Appending(connection, piece.project, self._software))
        except Exception as error:  # noqa: BLE001 (raised again by the thread that waits for it)
            piece.error = error
        piece.done = True

    def _execute(self, pieces: list[_Piece]) -> None:
        failed: list[tuple[_Piece, Exception]] = []
        try:
            with self._database.writing() as connection:
                for piece in pieces:
                    connection.execute("SAVEPOINT piece")
                    try:
                        piece.result = piece.work(Appending(connection, piece.project, self._software))
                    except Exception as error:
                        if not connection.in_transaction:
                            raise  # SQLite has undone all of it, as on a full disk
                        connection.execute("ROLLBACK TO piece")
                        failed.append((piece, self._translated(error)))
                    connection.execute("RELEASE piece")
        except Exception:  # noqa: BLE001 (each thread tries again, and then has an error of its own)
            return
        for piece, reason in failed:
            piece.error = reason
        for piece in pieces:
            piece.done = True

    def _translated(self, error: Exception) -> Exception:
        return translate(error, self._database.file) if isinstance(error, sqlite3.Error) else error
