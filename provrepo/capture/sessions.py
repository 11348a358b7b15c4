"""Sessions: each is recorded in one document."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

from provrepo.capture.failures import contained, enabled, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from provrepo.capture.activities import Activity
    from provrepo.capture.journal.events import Event
    from provrepo.capture.recorder import Recorder, Recording

__all__ = ["default_name", "document_path", "end_session", "ensure", "open_session", "session"]

_F = TypeVar("_F", bound="Callable[..., Any]")


class session:  # noqa: N801 (read as a verb: `with session(...)`)
    """Record everything in the block, or in the decorated function, in one document.

    Steps outside of all sessions belong to a session of the process, which ends with it. Each call of a decorated
    function is a session of its own.

    Args:
        name: the name of the session; by default the script's name and the time.
        out: the path of the document, whose suffix selects the format; by default ``prov/NAME.trig`` below the
            working directory. A file that exists is not replaced: the document of a second run is ``NAME-2.trig``, and
            a warning says so.
        agent: the IRI of the responsible agent, such as an ORCID; by default the user of this machine, by name.
        stats: whether tables among arguments and results are described: shape, missing values, means, labels.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        out: str | os.PathLike[str] | None = None,
        agent: str | None = None,
        stats: bool = False,
    ) -> None:
        self._name, self._out, self._agent, self._stats = name, out, agent, stats
        self._recorder: Recorder | None = None
        self._before: Activity | None = None

    def __call__(self, function: _F) -> _F:
        """Return the function with a session around each call."""
        if not enabled():
            return function
        wrapped = contained(self._wrapped)(function)
        return function if wrapped is None else wrapped

    def _wrapped(self, function: _F) -> _F:
        import inspect

        again = functools.partial(session, self._name, out=self._out, agent=self._agent, stats=self._stats)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            with again():
                return await function(*args, **kwargs)

        return run_async if inspect.iscoroutinefunction(function) else run  # type: ignore[return-value]

    def __enter__(self) -> session:
        if enabled():
            self._recorder = contained(_open)(self._name, self._out, self._agent, outside=True, stats=self._stats)
            if self._recorder is not None:
                from provrepo.capture.recorder import entered

                self._before = entered.get()
                entered.set(self._recorder.root)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            from provrepo.capture.recorder import entered

            entered.set(self._before)
            contained(_close)(self._recorder, error)

    @property
    def path(self) -> Path | None:
        """The path of the document, which is final when the session has ended; None where capture is off."""
        return self._recorder.out if self._recorder is not None else None


_ended = False


def ensure() -> Recording | None:
    """Return the session for a new step, and begin one if there is none.

    None in a worker of ``multiprocessing`` that belongs to no session: it ends without exit handlers, so its session
    would look like a killed one. None also while the process ends.
    """
    from provrepo.capture.recorder import opening, session_now

    recording = session_now()
    if recording is not None or _ended or _worker():
        return recording
    with opening():
        recording = session_now()  # another thread may have begun it
        if recording is None:
            import atexit

            recording = _open(None, None, None, outside=False, stats=False)
            atexit.register(contained(_end), recording)
    return recording


def open_session(name: str, *, plan: Event) -> Recorder:
    """Begin a session outside of a block; ``end_session`` ends it.

    Args:
        name: of the session and its document, which is ``prov/NAME.trig``.
        plan: what it follows.
    """
    return _open(name, None, None, outside=False, stats=False, plan=plan)


def end_session(recorder: Recorder, error: BaseException | str | None = None) -> None:
    """End a session that ``open_session`` began, and write its document.

    Args:
        recorder: the session.
        error: why it failed.
    """
    _close(recorder, error)


def _end(recorder: Recorder) -> None:
    global _ended  # noqa: PLW0603 (as the process has one end)
    _ended = recorder.owner
    _close(recorder, None)


def _worker() -> bool:
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


def default_name(program: str) -> str:
    """A unique name for a session without one."""
    return f"{program}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"


def document_path(name: str, out: str | os.PathLike[str] | None) -> Path:
    """The path of the document of a session."""
    import re
    from pathlib import Path

    file = Path(out) if out is not None else Path("prov") / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.trig"
    return file.absolute()


def _open(
    name: str | None,
    out: str | os.PathLike[str] | None,
    agent: str | None,
    *,
    outside: bool,
    stats: bool,
    plan: Event | None = None,
) -> Recorder:
    from provrepo.capture import context_propagation
    from provrepo.capture.files.hook import watch
    from provrepo.capture.recorder import Recorder, install

    watch()  # first: what capture itself reads is not reported to ``provrepo run`` either
    name = name or default_name(_script())
    recorder = Recorder(name, document_path(name, out), agent, outside=outside, plan=plan, stats=stats)
    install(recorder)
    context_propagation.watch()
    return recorder


def _script() -> str:
    import re
    from pathlib import Path

    stem = Path(sys.argv[0]).stem if sys.argv else ""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "session"


def _close(recorder: Recorder, error: BaseException | str | None) -> None:
    from provrepo.capture.recorder import uninstall

    uninstall(recorder)
    recorder.close(error)
    if recorder.owner:
        contained(_recover)(recorder.out.parent)


def _recover(folder: Path) -> None:
    """Make documents of sessions that were killed, which left their journals in the same folder."""
    from provrepo.capture.delivery.outbox import recover

    for path in recover(folder):
        warn_once("provenance of a session that was killed: %s", path)
