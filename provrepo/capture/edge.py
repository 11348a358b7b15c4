"""The one place where failures of capture end: they are logged and never reach the user's program."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from provrepo.settings import load

__all__ = ["LOG", "contained", "enabled", "quietly", "working"]

LOG = logging.getLogger("provrepo.capture")

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Own(threading.local):
    """Whether this thread is at capture's own work, whose files are not the user's."""

    depth = 0


_own = _Own()


def contained(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """The same function, from which no failure comes out: it is logged, and the result is None.

    Files that it opens are not recorded. KeyboardInterrupt and SystemExit are the user's and pass.
    """

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        _own.depth += 1
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (this is the edge)
            _tell(function.__qualname__, error)
            return None
        finally:
            _own.depth -= 1

    return guarded


def _tell(where: str, error: Exception) -> None:
    # The text of an error may hold what was passed to a step, so only its class is told; a debugger sees all of it.
    LOG.warning("provenance is incomplete: %s failed with %s", where, type(error).__name__)
    LOG.debug("the failure of %s", where, exc_info=error)


@contextmanager
def quietly() -> Iterator[None]:
    """Files opened inside are capture's own."""
    _own.depth += 1
    try:
        yield
    finally:
        _own.depth -= 1


def working() -> bool:
    """Whether this thread is at capture's own work."""
    return _own.depth > 0


@functools.cache
def enabled() -> bool:
    """Whether anything is captured in this process: ``PROVREPO_CAPTURE=off`` says no. Asked once."""
    return contained(lambda: load().capture)() != "off"
