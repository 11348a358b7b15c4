"""Which file an audit event (PEP 578) is about: the right path or none.

Events do not carry everything. That of ``os.open`` has no ``dir_fd``, and that of ``open`` is raised before an opener
decides what is opened. Like ``provrepo_child`` this runs inside programs of others, on any Python from 3.8: it imports
only modules that Python imports at start-up anyway.
"""

from __future__ import annotations

import os
import stat
import sys
from _thread import _local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_F_GETPATH = 50
"""The command of fcntl(2) on macOS that returns the path of a descriptor."""
_AT_FDCWD = -100
"""The working directory as a descriptor (openat(2)); events carry -1 for it."""
_DEPTH = 200
"""Frames between an opener and the ``os.open`` that it calls."""
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")


def of_descriptor(number: int) -> str | None:
    """The path of an open file or folder; None where it has none, or where that is not known."""
    try:
        if sys.platform == "darwin":
            import fcntl

            found = fcntl.fcntl(number, _F_GETPATH, bytes(1024))
            path = os.fsdecode(found.rstrip(b"\0"))
        else:
            path = os.readlink(f"/proc/self/fd/{number}")
        # A removed file, and one of another root, has a path under which there is nothing or something else.
        if os.path.isabs(path) and os.path.samestat(os.stat(path), os.fstat(number)):
            return path
    except (OSError, ValueError):
        pass
    return None


def normal(name: str) -> str:
    """The absolute path of a name, with links as they are, except where ``..`` follows one.

    Raises:
        OSError: the working directory does not exist any more.
    """
    path = os.path.abspath(name)
    if os.pardir in name.split(os.sep):
        folder, last = os.path.split(name)
        real = os.path.realpath(folder)
        if os.path.realpath(os.path.dirname(path)) != real:
            return os.path.normpath(os.path.join(real, last))
    return path


def located(name: object, folder: int | None = None) -> str | None:
    """The absolute path of a name in an event; None where that is not known.

    Args:
        name: text, bytes, or an object with a path.
        folder: the descriptor of the folder that it is relative to; None or -1 for the working directory.
    """
    text = os.fsdecode(name)  # type: ignore[arg-type]
    number = _number(text)
    if number is not None:
        return of_descriptor(number) or text
    if folder is not None and folder not in (-1, _AT_FDCWD) and not os.path.isabs(text):
        base = of_descriptor(folder)
        if base is None:
            return None
        text = os.path.join(base, text)
    try:
        return normal(text)
    except OSError:
        return None


def standard_files() -> list[tuple[int, str, int]]:
    """The standard streams that are files: descriptor, path, and position in bytes."""
    found = []
    for number in (0, 1, 2):
        try:
            path = of_descriptor(number) if stat.S_ISREG(os.fstat(number).st_mode) else None
            if path is not None:
                found.append((number, path, os.lseek(number, 0, os.SEEK_CUR)))
        except OSError:  # closed
            continue
    return found


def appends(number: int) -> bool:
    """Whether an open file is written at its end."""
    import fcntl

    return bool(fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND)


def position(number: int, path: str) -> int | None:
    """The position of a descriptor in bytes; None where it is no longer that of the file of this path."""
    try:
        return os.lseek(number, 0, os.SEEK_CUR) if os.path.samestat(os.stat(path), os.fstat(number)) else None
    except OSError:
        return None


def nameless(path: str) -> bool:
    """Whether a path is only the name of a descriptor: of a pipe, or of a file without a name (O_TMPFILE)."""
    return path.startswith(_DESCRIPTORS)


def _number(text: str) -> int | None:
    """The descriptor that a name stands for."""
    for prefix in _DESCRIPTORS:
        if text.startswith(prefix) and text[len(prefix) :].isdigit():
            return int(text[len(prefix) :])
    return _STREAMS.get(text)


_OTHERWISE = object()
"""The folder of an event that does not come from ``os.open``."""


class _Folder(_local):
    """The ``dir_fd`` of the ``os.open`` that is running in this thread."""

    folder: object = _OTHERWISE


class Replaced:
    """Takes the place of a function of ``os``.

    No function, because as an attribute of a class that would become a method.
    """

    def __init__(self, original: Any) -> None:
        self.__wrapped__ = original
        self.__name__ = self.__qualname__ = original.__name__
        self.__doc__, self.__module__ = original.__doc__, "os"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)

    def __reduce__(self) -> str:
        return str(self.__name__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class _Open(Replaced):
    """``os.open``, which keeps ``dir_fd`` while it runs."""

    def __init__(self, original: Any) -> None:
        super().__init__(original)
        self.provrepo_folder = _Folder()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        here = self.provrepo_folder
        before, here.folder = here.folder, kwargs.get("dir_fd")
        try:
            return self.__wrapped__(*args, **kwargs)
        finally:
            here.folder = before


def _watched() -> _Folder:
    """The ``dir_fd`` of each thread. Several hooks in a process share it."""
    known = getattr(os.open, "provrepo_folder", None)
    if known is None:
        original = os.open
        os.open = _Open(original)
        for supporting in (os.supports_dir_fd, os.supports_fd):
            if original in supporting:
                supporting.add(os.open)
        known = os.open.provrepo_folder
    return known


class _Last(_local):
    """The last event of ``open`` in this thread: frame, instruction, flags, and what was recorded of it."""

    event: tuple[int, int, int, Any] | None = None


class Opens:
    """The ``open`` events of a process, of whatever thread."""

    def __init__(self) -> None:
        self._folders = _watched()
        self._last = _Last()

    def path(self, name: object, mode: object) -> str | None:
        """The absolute path of what is opened; None where that is not known.

        Args:
            name: as in the event.
            mode: as in the event: None for ``os.open``.
        """
        if mode is not None:
            return located(name)
        folder = self._folders.folder
        if folder is _OTHERWISE:  # bound before it was wrapped: nothing tells whether it was given a folder
            return located(name) if os.path.isabs(os.fsdecode(name)) else None  # type: ignore[arg-type]
        return located(name, folder)  # type: ignore[arg-type]

    def recorded(self, frame: FrameType, flags: int, what: object) -> None:
        """Keep what was recorded of an ``open`` that may turn out to have an opener.

        Args:
            frame: that of the caller; its address is kept and not itself, since it keeps variables of the program.
            flags: as in the event.
            what: is returned by ``mistaken``.
        """
        self._last.event = (id(frame), frame.f_lasti, flags, what)

    def mistaken(self, frame: FrameType) -> Any:
        """What was recorded of the ``open`` whose opener opens a file now; None where no opener does.

        Args:
            frame: that of the caller of ``os.open``.
        """
        last = self._last.event
        if last is None:
            return None
        address, instruction, flags, what = last
        inner: FrameType | None = None
        outer: FrameType | None = frame
        for _ in range(_DEPTH):
            if outer is None:
                break
            if inner is not None and id(outer) == address and outer.f_lasti == instruction and _takes(inner, flags):
                self._last.event = None
                return what
            inner, outer = outer, outer.f_back
        return None


def _takes(frame: FrameType, flags: int) -> bool:
    """Whether a function was called with these flags, as an opener is: an ``open`` before it may have ended."""
    code = frame.f_code
    count = code.co_argcount
    names = list(code.co_varnames[:count])
    if code.co_flags & 0x04:  # it has *args (inspect.CO_VARARGS)
        names.append(code.co_varnames[count + code.co_kwonlyargcount])
    given: list[Any] = [frame.f_locals.get(name) for name in names] if names else []
    given += [one for some in given if type(some) is tuple for one in some]
    return any(type(one) is int and one == flags for one in given)
