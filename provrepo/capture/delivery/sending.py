"""Sending what waits in an outbox: in which order, how often, and when to give up for now."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.capture.delivery.outbox import SENDER, SENDING, Item, items, lock, postpone, refuse, sent
from provrepo.capture.delivery.outbox import item as look
from provrepo.errors import (
    Busy,
    Conflict,
    Denied,
    Error,
    NotFound,
    ReadError,
    Refused,
    RemoteError,
    Stale,
    TooLarge,
    UsageError,
)

__all__ = ["BACKGROUND", "FOREGROUND", "Patience", "in_background", "now"]

TURN = 0.1
"""Seconds between looks whether another process is still sending."""
_PASSING = (408, 425)
"""Statuses below 500 that say nothing about the document: too slow, and too early."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first pause between attempts, and of the longest."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try.

    Attributes:
        attempts: failures in a row after which to give up for now.
        seconds: the longest that all of them together may take, pauses included.
    """

    attempts: int
    seconds: float


FOREGROUND = Patience(4, 30.0)
BACKGROUND = Patience(20, 900.0)

Deliver = Callable[[Path, bytes], dict[str, Any]]
"""Sends a document and gives the receipt; raises what ``provrepo.cli.transfer.send`` does."""
Tell = Callable[[Item, dict[str, Any] | Error, bool], None]
"""Hears what came of each attempt: the document, the receipt or the error, and whether it is tried again."""


def in_background(folder: Path, deliver: Deliver, patience: Patience = BACKGROUND) -> None:
    """Send what sessions queued in a folder, unless a process does that already.

    Args:
        folder: the outbox.
        deliver: sends one document.
        patience: how long to try.
    """
    more = True
    while more:
        with lock(folder, SENDER) as alone:
            if not alone:
                return
            done = _Round(folder, deliver, lambda *_: None, patience, queued=True).run(set())
        # Who queued something after the last look found the lock taken, and left it to this process.
        more = done and any(item.waits for item in items(folder, queued=True))


def now(folder: Path, deliver: Deliver, tell: Tell, *, again: bool = False, patience: Patience = FOREGROUND) -> bool:
    """Send everything that waits in a folder.

    Args:
        folder: the outbox.
        deliver: sends one document.
        tell: hears what came of it.
        again: whether to try what was refused, too.
        patience: how long to try.

    Returns:
        Whether all of it was sent.

    Raises:
        UsageError: there is no such server as is named.
        OSError: a document cannot be read, or what came of it cannot be noted.
    """
    refused = {item.path for item in items(folder) if item.state == "refused"} if again else set()
    round_ = _Round(folder, deliver, tell, patience, queued=False)
    return round_.run(refused) and not round_.refused


class _Round:
    """Attempts until nothing waits, or patience is at its end.

    One server gets all documents, so that its failure is that of all: after one nothing else is tried before a pause.
    """

    def __init__(self, folder: Path, deliver: Deliver, tell: Tell, patience: Patience, *, queued: bool) -> None:
        self._folder, self._deliver, self._tell, self._patience = folder, deliver, tell, patience
        self._queued = queued
        self._end = time.monotonic() + patience.seconds
        self._failures = 0
        self.refused = False

    def run(self, again: set[Path]) -> bool:
        """Send what waits.

        Args:
            again: what was refused before and is tried once more.

        Returns:
            Whether all of it was dealt with.
        """
        while True:
            waiting = [item for item in items(self._folder, queued=self._queued) if self._meant(item, again)]
            if not waiting:
                return True
            hold = max(item.after for item in waiting) - time.time()
            if hold > 0 and not self._pause(hold):
                asked = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + hold))
                self._tell(waiting[0], Busy(f"the server asked not to be asked again before {asked}"), False)
                return False
            if not self._all(waiting, again):
                return False

    def _all(self, waiting: Iterable[Item], again: set[Path]) -> bool:
        """Try each; whether to go on, with what is left or came meanwhile."""
        for item in waiting:
            try:
                with self._turn():
                    if not self._meant(look(item.path), again):
                        continue  # somebody else was faster
                    data = item.path.read_bytes()
                    receipt = self._deliver(item.path, data)
                    sent(item, data, receipt)  # before another process has its turn, and looks what waits
            except FileNotFoundError:
                continue  # somebody took the document away
            except UsageError:
                raise
            except (Denied, NotFound) as error:  # and 404 is what a server says of a project that it does not show
                self._tell(item, error, False)
                postpone(item, str(error))
                return False
            except Error as error:
                if not _final(error):
                    return self._later(item, error)
                self._tell(item, error, False)
                refuse(item, str(error))
                self.refused = True
            else:
                self._failures = 0
                self._tell(item, receipt, False)
            again.discard(item.path)
        return True

    @staticmethod
    def _meant(item: Item, again: set[Path]) -> bool:
        return item.waits or (item.state == "refused" and item.path in again)

    def _later(self, item: Item, error: Error) -> bool:
        """Wait after a failure that may pass; whether to go on."""
        self._failures += 1
        asked = error.retry_after if isinstance(error, Busy) else 0.0
        backoff = min(LONGEST, FIRST * 2.0 ** (self._failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        pause = max(backoff, asked)
        patient = self._failures < self._patience.attempts and time.monotonic() + pause < self._end
        self._tell(item, error, patient)
        postpone(item, str(error), time.time() + asked if asked else 0.0)
        return patient and self._pause(pause)

    def _pause(self, seconds: float) -> bool:
        """Wait, unless that takes too long; whether it did."""
        if time.monotonic() + seconds >= self._end:
            return False
        time.sleep(seconds)
        return True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Only one process sends at a time."""
        while True:
            with lock(self._folder, SENDING) as alone:
                if alone:
                    yield
                    return
            if not self._pause(TURN):
                raise Busy("another process is sending")


def _final(error: Error) -> bool:
    """Whether a server that refused a document will refuse it again (RFC 9110, section 15.5)."""
    if isinstance(error, RemoteError) and error.status is not None:
        return 400 <= error.status < 500 and error.status not in _PASSING
    return isinstance(error, (Conflict, ReadError, Refused, TooLarge)) and not isinstance(error, Stale)
