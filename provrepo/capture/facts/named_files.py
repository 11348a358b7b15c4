"""Files that the arguments and results of a step name, for steps that are declared with ``infer=True``.

What a step does with such a file is inferred: an argument that the step leaves as it is was used, one that it changes
was generated, and so was a result that is as new as the step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from provrepo.capture.facts.values import members
from provrepo.capture.files.digests import RACY, Signature, absolute, signature

if TYPE_CHECKING:
    from provrepo.capture.activities import Activity

__all__ = ["Named"]

LONGEST = 4096
"""Characters of a text that may be a path."""
DEEPEST = 3


class Named:
    """The files that a call names."""

    def __init__(self) -> None:
        self._begun = time.time_ns()
        self._before: dict[str, tuple[Signature | None, str]] = {}
        self._results: list[str] = []

    def argument(self, value: object, role: str) -> None:
        """Add the files that an argument names, as they are before the step."""
        for path in _paths(value):
            self._before.setdefault(path, (signature(path), role))

    def result(self, value: object) -> None:
        """Add the files that a result names."""
        self._results += _paths(value)

    def conclude(self, activity: Activity) -> None:
        """Record at the end of the step what was used and generated."""
        for path, (before, role) in self._before.items():
            now = signature(path)
            if now is not None and now == before:
                activity.read(path, role)
            elif now is not None and path not in activity.pending:
                activity.wrote(path)
        for path in self._results:
            now = signature(path)
            new = now is not None and max(now.modified, now.changed) >= self._begun - RACY
            if new and path not in self._before and path not in activity.pending:
                activity.wrote(path)


def _paths(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, os.PathLike) or (isinstance(value, str) and 0 < len(value) <= LONGEST):
        try:
            yield absolute(value)
        except (OSError, TypeError, ValueError):  # no path after all
            return
    elif depth < DEEPEST:
        for member in members(value) or ():
            yield from _paths(member, depth + 1)
