"""Containment of failures: an error inside capture is logged once per kind and never reaches the user's program."""

from __future__ import annotations

import functools
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from provrepo.capture.child.provrepo_libraries.observing import foreign

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    LOG: logging.Logger

__all__ = ["LOG", "contained", "enabled", "nested", "quietly", "warn_once", "working"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def __getattr__(name: str) -> Any:
    """Create ``LOG`` on first access (PEP 562): most programs never log anything here."""
    if name == "LOG":
        import logging

        return globals().setdefault("LOG", logging.getLogger("provrepo.capture"))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Own(threading.local):
    """How deeply this thread is inside code of capture, whose files are not the user's."""

    depth = 0


_own = _Own()
_warned: set[tuple[str, ...]] = set()


def contained(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Wrap a function so that an exception in it is logged and its result is then None.

    Files that it opens are not recorded. KeyboardInterrupt and SystemExit belong to the program and are raised.
    """

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        _own.depth += 1
        try:
            return function(*args, **kwargs)
        except Exception as error:  # no failure of capture may reach the program
            if foreign(error):
                raise
            _failed(function, error)
            return None
        finally:
            _own.depth -= 1

    return guarded


def _failed(function: Callable[..., Any], error: Exception) -> None:
    # The text of an error may contain arguments of a step, so only its class is logged; at level DEBUG all of it is.
    # A SettingsError contains no arguments and states the remedy. No import here: the program may be ending.
    settings = getattr(sys.modules.get("provrepo.errors"), "SettingsError", ())
    where = getattr(function, "__qualname__", "capture")
    reason = str(error) if isinstance(error, settings) else f"{where} failed with {type(error).__name__}"
    warn_once("provenance is incomplete: %s", reason)
    with suppress(Exception):
        __getattr__("LOG").debug("the failure of %s", where, exc_info=error)


def warn_once(message: str, *about: object) -> None:
    """Log a warning, once for each message with its arguments: a failure in a loop repeats."""
    key = (message, *map(str, about))
    if key in _warned:
        return
    _warned.add(key)
    with suppress(Exception):  # standard error may be closed, or the interpreter may be ending
        __getattr__("LOG").warning(message, *about)


@contextmanager
def quietly() -> Iterator[None]:
    """Mark the files that are opened inside as those of capture."""
    _own.depth += 1
    try:
        yield
    finally:
        _own.depth -= 1


def working() -> bool:
    """Whether this thread is inside code of capture."""
    return _own.depth > 0


def nested() -> bool:
    """Whether this thread is inside code of capture that other code of capture called."""
    return _own.depth > 1


@functools.cache
def enabled() -> bool:
    """Whether capture is on in this process (``PROVREPO_CAPTURE``, which is read once)."""
    return contained(_setting)() != "off"


def _setting() -> str:
    from provrepo.settings import load

    return load().capture
