"""What fails again and again in the background: logged when it begins, changes or ends, and counted."""

from __future__ import annotations

import logging
import threading

__all__ = ["Troubles"]


class Troubles:
    """The present failures of repeated work, by what fails. Any number of threads may use it."""

    def __init__(self) -> None:
        """Start without failures."""
        self._guard = threading.Lock()
        self._found: dict[str, tuple[str, int]] = {}

    def failed(self, log: logging.Logger, what: str, reason: str) -> None:
        """Count a failure; log it if it is the first one, or has another reason than the last one.

        Args:
            log: the logger.
            what: what failed, which begins the message, such as ``crops was not pulled``.
            reason: why.
        """
        with self._guard:
            former, count = self._found.get(what, ("", 0))
            self._found[what] = reason, count + 1
        if reason != former:
            log.warning("%s: %s", what, reason)

    def works(self, log: logging.Logger, what: str) -> None:
        """Forget the failures; log that they have ended, if there were any."""
        with self._guard:
            _, count = self._found.pop(what, ("", 0))
        if count:
            log.info("no longer: %s (%d times)", what, count)

    def count(self, what: str) -> int:
        """The number of failures since it worked, or since this process began."""
        with self._guard:
            return self._found.get(what, ("", 0))[1]
