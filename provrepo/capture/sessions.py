"""Sessions: one document for each."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

from provrepo.capture.failures import contained, enabled, tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from provrepo.capture.activities import Activity
    from provrepo.capture.recorder import Recorder, Recording

__all__ = ["default_name", "ensure", "place", "session"]

_F = TypeVar("_F", bound="Callable[..., Any]")


class session:  # noqa: N801 (read as a verb: `with session(...)`)
    """Everything in the block, or in the function it decorates, goes into one document.

    Steps outside of all sessions go into a session of the whole process, which ends with it. Each call of a decorated
    function is a session of its own.

    Args:
        name: what the session is called; otherwise the script's name and the time.
        out: where the document goes, in the format that its ending stands for; otherwise ``prov/NAME.trig`` below
            the working directory.
        agent: the IRI of who is responsible, such as an ORCID; otherwise the user of this machine, by name.
        stats: whether tables that steps take and return are described: shape, missing values, means, labels.
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
        """The function, each call of which is a session."""
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
        """Where the document goes; None where nothing is captured."""
        return self._recorder.out if self._recorder is not None else None


_ended = False


def ensure() -> Recording | None:
    """The session that a step belongs to, begun here where there is none.

    None in a worker of ``multiprocessing`` that belongs to no session: it ends without running what is left for the
    end, so that its session would look like a killed one. None, too, when the process is at its end.
    """
    from provrepo.capture.recorder import opening, session_now

    recording = session_now()
    if recording is not None or _ended or _worker():
        return recording
    with opening():
        recording = session_now()  # of another thread that was faster
        if recording is None:
            import atexit

            recording = _open(None, None, None, outside=False, stats=False)
            atexit.register(contained(_end), recording)
    return recording


def _end(recorder: Recorder) -> None:
    global _ended  # noqa: PLW0603 (as the process has one end)
    _ended = recorder.owner
    _close(recorder, None)


def _worker() -> bool:
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


def default_name(program: str) -> str:
    """What a session of a program is called that has no name: like no other."""
    return f"{program}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"


def place(name: str, out: str | os.PathLike[str] | None) -> Path:
    """Where the document of a session goes."""
    import re
    from pathlib import Path

    file = Path(out) if out is not None else Path("prov") / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.trig"
    return file.absolute()


def _open(
    name: str | None, out: str | os.PathLike[str] | None, agent: str | None, *, outside: bool, stats: bool
) -> Recorder:
    from provrepo.capture import context_propagation
    from provrepo.capture.files.hook import watch
    from provrepo.capture.recorder import Recorder, install

    name = name or default_name(_script())
    recorder = Recorder(name, place(name, out), agent, outside=outside, stats=stats)
    install(recorder)
    watch()
    context_propagation.watch()
    return recorder


def _script() -> str:
    import re
    from pathlib import Path

    stem = Path(sys.argv[0]).stem if sys.argv else ""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "session"


def _close(recorder: Recorder, error: BaseException | None) -> None:
    from provrepo.capture.recorder import uninstall

    uninstall(recorder)
    recorder.close(error)
    if recorder.owner:
        contained(_recover)(recorder.out.parent)


def _recover(folder: Path) -> None:
    """Make documents of sessions that were killed, which left their journals in the same folder."""
    from provrepo.capture.delivery.outbox import recover

    for path in recover(folder):
        tell("provenance of a session that was killed: %s", path)
