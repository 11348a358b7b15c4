"""Sessions: one document for each."""

from __future__ import annotations

import atexit
import os
import re
import sys
import time
from contextlib import ContextDecorator
from pathlib import Path
from types import TracebackType

from provrepo.capture.edge import LOG, contained, enabled
from provrepo.capture.recorder import Recorder, entered, install, session_now, uninstall

__all__ = ["default_name", "ensure", "place", "session"]


class session(ContextDecorator):  # noqa: N801 (read as a verb: `with session(...)`)
    """Everything in the block, or in the function it decorates, goes into one document.

    Steps outside of all sessions go into a session of the whole process, which ends with it.

    Args:
        name: what the session is called; otherwise the script's name and the time.
        out: where the document goes, in the format that its ending stands for; otherwise ``prov/NAME.trig`` below
            the working directory.
        agent: the IRI of who is responsible, such as an ORCID; otherwise the user of this machine, by name.
    """

    def __init__(
        self, name: str | None = None, *, out: str | os.PathLike[str] | None = None, agent: str | None = None
    ) -> None:
        self._name, self._out, self._agent = name, out, agent
        self._recorder: Recorder | None = None

    def _recreate_cm(self) -> session:
        """Each call of a decorated function is a session of its own."""
        return session(self._name, out=self._out, agent=self._agent)

    def __enter__(self) -> session:
        self._recorder = contained(_open)(self._name, self._out, self._agent, outside=True) if enabled() else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            contained(_close)(self._recorder, error)

    @property
    def path(self) -> Path | None:
        """Where the document goes; None where nothing is captured."""
        return self._recorder.out if self._recorder is not None else None


def ensure() -> Recorder | None:
    """The session that a step belongs to, begun here where there is none; None in a worker of ``multiprocessing``.

    Such a worker ends without running what is left for the end, so that its session would look like a killed one.
    """
    recorder = session_now()
    if recorder is None and not _worker():
        recorder = _open(None, None, None, outside=False)
        atexit.register(contained(_close), recorder, None)
    return recorder


def _worker() -> bool:
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


def default_name(program: str) -> str:
    """What a session of a program is called that has no name: like no other."""
    return f"{program}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(2).hex()}"


def place(name: str, out: str | os.PathLike[str] | None) -> Path:
    """Where the document of a session goes."""
    file = Path(out) if out is not None else Path("prov") / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.trig"
    return file.absolute()


def _open(name: str | None, out: str | os.PathLike[str] | None, agent: str | None, *, outside: bool) -> Recorder:
    name = name or default_name(_script())
    recorder = Recorder(name, place(name, out), agent, outside=outside)
    install(recorder)

    from provrepo.capture.carry import carry
    from provrepo.capture.hook import watch

    watch()
    carry()
    return recorder


def _script() -> str:
    stem = Path(sys.argv[0]).stem if sys.argv else ""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "session"


def _close(recorder: Recorder, error: BaseException | None) -> None:
    uninstall(recorder)
    activity = entered.get()
    if activity is not None and activity.recorder is recorder:
        entered.set(None)
    recorder.close(error)
    contained(_recover)(recorder.out.parent)


def _recover(folder: Path) -> None:
    """Make documents of sessions that were killed, which left their journals in the same folder."""
    from provrepo.capture.outbox import recover

    for path in recover(folder):
        LOG.warning("provenance of a session that was killed: %s", path)
