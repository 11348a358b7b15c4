"""Sends the documents of an outbox: order, retries with backoff, and limits."""

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
from provrepo.errors import Busy, Error, ReadError, UsageError

__all__ = ["BACKGROUND", "FOREGROUND", "Limits", "in_background", "now"]

TURN = 0.1
"""Seconds between polls while another process is sending."""
_PASSING = (408, 412, 425, 429)
"""Statuses below 500 that may pass: Request Timeout, Precondition Failed, Too Early, and Too Many Requests."""
_ACCESS = (401, 403, 404)
"""Statuses that last until somebody changes the token or the project; 404 is also the answer for a hidden project."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first pause between attempts, and of the longest."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of retries.

    Attributes:
        attempts: consecutive failures after which to stop.
        seconds: the longest duration of all attempts, with pauses.
    """

    attempts: int
    seconds: float


FOREGROUND = Limits(4, 30.0)
BACKGROUND = Limits(20, 900.0)

Deliver = Callable[[Path, bytes], dict[str, Any]]
"""Sends a document and returns the receipt; raises ``Error``, with ``status`` if it is the answer of the server."""
OnResult = Callable[[Item, dict[str, Any] | Error, bool], None]
"""Called after each attempt with the document, the receipt or the error, and whether it is tried again."""


def in_background(folder: Path, deliver: Deliver, limits: Limits = BACKGROUND) -> None:
    """Send the queued documents of a folder, unless another process does.

    Args:
        folder: the outbox.
        deliver: sends one document.
        limits: of retries.
    """
    more = True
    while more:
        with lock(folder, SENDER) as alone:
            if not alone:
                return
            done = _Round(folder, deliver, lambda *_: None, limits, queued=True).run(set())
        # A session that queued a document after the last poll found the lock taken and left it to this process.
        more = done and any(item.waits for item in items(folder, queued=True))


def now(
    folder: Path, deliver: Deliver, on_result: OnResult, *, again: bool = False, limits: Limits = FOREGROUND
) -> bool:
    """Send all waiting documents of a folder.

    Args:
        folder: the outbox.
        deliver: sends one document.
        on_result: called after each attempt.
        again: whether to try refused documents too.
        limits: of retries.

    Returns:
        Whether all documents were sent.

    Raises:
        UsageError: there can be no such server or project.
        OSError: a document cannot be read, or the result cannot be recorded.
    """
    refused = {item.path for item in items(folder) if item.state == "refused"} if again else set()
    round_ = _Round(folder, deliver, on_result, limits, queued=False)
    return round_.run(refused) and not round_.refused


class _Round:
    """One run over an outbox: attempts until nothing waits or a limit is reached.

    All documents go to one server, so a failure of the server concerns all: nothing else is tried before a pause.
    """

    def __init__(self, folder: Path, deliver: Deliver, on_result: OnResult, limits: Limits, *, queued: bool) -> None:
        self._folder, self._deliver, self._on_result, self._limits = folder, deliver, on_result, limits
        self._queued = queued
        self._end = time.monotonic() + limits.seconds
        self._failures = 0
        self.refused = False

    def run(self, again: set[Path]) -> bool:
        """Send what waits.

        Args:
            again: refused documents that are tried once more.

        Returns:
            Whether no document waits any more.
        """
        while True:
            waiting = [item for item in items(self._folder, queued=self._queued) if self._meant(item, again)]
            if not waiting:
                return True
            hold = max(item.after for item in waiting) - time.time()
            if hold > 0 and not self._pause(hold):
                asked = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + hold))
                self._on_result(waiting[0], Busy(f"the server asked not to be asked again before {asked}"), False)
                return False
            if not self._all(waiting, again):
                return False

    def _all(self, waiting: Iterable[Item], again: set[Path]) -> bool:
        """Try each document; returns whether to continue."""
        for item in waiting:
            try:
                with self._turn():
                    if not self._meant(look(item.path), again):
                        continue  # another process sent it
                    data = item.path.read_bytes()
                    receipt = self._deliver(item.path, data)
                    sent(item, data, receipt)  # before another process looks for waiting documents
            except FileNotFoundError:
                continue  # the document was deleted
            except Error as error:
                if isinstance(error, UsageError) and error.status is None:
                    raise  # of our caller, not of the document
                if error.status in _ACCESS:
                    self._on_result(item, error, False)
                    postpone(item, str(error))
                    return False
                if not _final(error):
                    return self._later(item, error)
                self._on_result(item, error, False)
                refuse(item, str(error))
                self.refused = True
            else:
                self._failures = 0
                self._on_result(item, receipt, False)
            again.discard(item.path)
        return True

    @staticmethod
    def _meant(item: Item, again: set[Path]) -> bool:
        return item.waits or (item.state == "refused" and item.path in again)

    def _later(self, item: Item, error: Error) -> bool:
        """Pause after a failure that may pass; returns whether to continue."""
        self._failures += 1
        asked = error.retry_after
        backoff = min(LONGEST, FIRST * 2.0 ** (self._failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        pause = max(backoff, asked)
        retry = self._failures < self._limits.attempts and time.monotonic() + pause < self._end
        self._on_result(item, error, retry)
        postpone(item, str(error), time.time() + asked if asked else 0.0)
        return retry and self._pause(pause)

    def _pause(self, seconds: float) -> bool:
        """Sleep, unless that exceeds the limit; returns whether it slept."""
        if time.monotonic() + seconds >= self._end:
            return False
        time.sleep(seconds)
        return True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other process is sending."""
        while True:
            with lock(self._folder, SENDING) as alone:
                if alone:
                    yield
                    return
            if not self._pause(TURN):
                raise Busy("another process is sending")


def _final(error: Error) -> bool:
    """Whether a server that refused a document will refuse it again (RFC 9110, section 15.5)."""
    if error.status is None:
        return isinstance(error, ReadError)  # no server was asked
    return 400 <= error.status < 500 and error.status not in _PASSING
