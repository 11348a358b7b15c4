"""The one place where failures of capture end: they are logged, each kind once, and never reach the user's program."""

from __future__ import annotations

import functools
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    LOG: logging.Logger

__all__ = ["LOG", "contained", "enabled", "quietly", "tell", "working"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def __getattr__(name: str) -> Any:
    """``LOG`` is made when it is first asked for: most programs never log anything here (PEP 562)."""
    if name == "LOG":
        import logging

        return globals().setdefault("LOG", logging.getLogger("provrepo.capture"))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Own(threading.local):
    """Whether this thread is at capture's own work, whose files are not the user's."""

    depth = 0


_own = _Own()
_told: set[tuple[str, ...]] = set()


def contained(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """The same function, from which no failure comes out: it is logged, and the result is None.

    Files that it opens are not recorded. KeyboardInterrupt and SystemExit are the user's and pass.
    """

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        _own.depth += 1
        try:
            return function(*args, **kwargs)
        except Exception as error:  # (this is the edge)
            if _foreign(error):
                raise
            _failed(function, error)
            return None
        finally:
            _own.depth -= 1

    return guarded


def _failed(function: Callable[..., Any], error: Exception) -> None:
    # The text of an error may hold what was passed to a step, so only its class is told; a debugger sees all of it.
    # That of a setting holds nothing of a step, and says what to do; nothing can be imported while a program ends.
    settings = getattr(sys.modules.get("provrepo.errors"), "SettingsError", ())
    where = getattr(function, "__qualname__", "capture")
    reason = str(error) if isinstance(error, settings) else f"{where} failed with {type(error).__name__}"
    tell("provenance is incomplete: %s", reason)
    with suppress(Exception):
        __getattr__("LOG").debug("the failure of %s", where, exc_info=error)


def _foreign(error: Exception) -> bool:
    """Whether an error is the program's: raised by a handler of a signal that came while capture was at work."""
    signals = sys.modules.get("signal")
    if signals is None:
        return False
    handlers = [signals.getsignal(number) for number in signals.valid_signals()]
    codes = {getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers} - {None}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code not in codes:
        trace = trace.tb_next
    return trace is not None


def tell(message: str, *about: object) -> None:
    """Warn, once for each message: what goes wrong in a loop goes wrong many times."""
    key = (message, *map(str, about))
    if key in _told:
        return
    _told.add(key)
    with suppress(Exception):  # nobody can be told: standard error is closed, or the interpreter ends
        __getattr__("LOG").warning(message, *about)


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
    return contained(_setting)() != "off"


def _setting() -> str:
    from provrepo.settings import load

    return load().capture
