"""Reading beside a server: the process that holds the views answers for others of the same user.

Only one process has the views open. A server that has them listens on a Unix domain socket below ``views/``; another
process of the same user that is to answer from the views passes the verb and its arguments on, and gets the record that
the verb returns. The answer holds every entry that was in the ledger when it was asked for. The decision, with what was
weighed against it, is ``docs/adr/0010-beside-a-server.md``.

The socket lies in a directory that only its owner may enter (mode 0700), so a process that can reach it can open the
data directory as well. The request is JSON. The reply is a pickle, which is read from a socket of the same user alone.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from provrepo._version import __version__
from provrepo.errors import Busy, Error, RemoteError
from provrepo.workers import wire

if TYPE_CHECKING:
    from provrepo.repository.context import HasContext
    from provrepo.repository.store import Store

__all__ = ["FROM_VIEWS", "Answers", "Holder", "holder", "serve"]

log = logging.getLogger("provrepo.repository.upkeep.beside")

PATIENCE = 5.0
"""Seconds to wait for another process to let go of the views, or to start to answer: commands hold them for moments."""

CONNECTING = 5.0
"""Seconds for the connection to be accepted."""

GRACE = 30.0
"""Seconds beyond its own limit of time that an answer may take to come."""

AT_ONCE = 8
"""Connections that are answered at once; more of them wait."""

_PREFIX, _NAME = ".asked-", "s"

FROM_VIEWS: set[str] = set()
"""The verbs that need the views, and that the process with the views answers for others; ``verb`` adds them."""


def holder(store: Store) -> Holder | None:
    """The server that answers from the views; None where there is none, or where this process has the views."""
    if not store.follows or store.follower.indexing:
        return None
    deadline = time.monotonic() + PATIENCE
    while not store.follower.acquire():
        found = holder_at(store.follower.socket())
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return None


def serve(repository: HasContext, url: str) -> bool:
    """Follow the ledger in a thread, announce a URL to other processes, and answer their calls.

    Args:
        repository: as its owner may use it.
        url: where the server is reached.

    Returns:
        False where another process has the views.
    """
    store = repository.context.store
    follower = store.follower
    if follower.indexing:
        follower.announce(url)
    if not follower.start(url):
        return False
    if not store.socket:
        try:
            answers = Answers(repository, store.settings.data / "views", follower.catch_up)
        except OSError as error:
            log.warning("other processes of this user are not answered beside this server: %s", error)
            return True
        store.on_close(answers.close)
        store.socket = answers.path
    follower.announce(url, store.socket)
    return True


class Holder:
    """The server that holds the views, as another process sees it."""

    def __init__(self, path: str) -> None:
        """Take the path of its socket; nothing is sent yet."""
        self._path = path

    def ask(self, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a verb returns there.

        Args:
            verb: its name.
            args: its arguments, as JSON holds them.
            kwargs: the same by name. ``abandoned`` is not sent: a caller that goes away closes the connection.

        Raises:
            Error: whatever the verb raised there.
            RemoteError: the server went away, or does not answer.
        """
        kwargs = {name: _plain(value) for name, value in kwargs.items() if name != "abandoned" and value is not None}
        request = {"software": __version__, "verb": verb, "args": list(map(_plain, args)), "kwargs": kwargs}
        limit = kwargs.get("timeout")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(CONNECTING)
                link.connect(self._path)
                link.settimeout(None if limit is None else float(limit) + GRACE)
                link.sendall(wire.frame(request))
                with link.makefile("rb") as stream:
                    return _received(stream)
        except OSError as error:
            raise RemoteError(f"the server that holds the views does not answer: {error}") from error


def _plain(value: Any) -> Any:
    """An argument as JSON holds it: several values are a list."""
    return value if value is None or isinstance(value, str | int | float) else list(value)


def _received(stream: IO[bytes]) -> Any:
    head = wire.read_frame(stream)
    if head is None:
        raise RemoteError("the server that holds the views ended before it had answered")
    error = wire.decode_error(head)
    if error is not None:
        raise error
    if "exception" in head:
        raise RemoteError(f"the server that holds the views failed: {head['exception']}; its log says more")
    data = stream.read(head["size"])
    if len(data) < head["size"]:
        raise RemoteError("the server that holds the views ended while it answered")
    return pickle.loads(data)  # noqa: S301 (see ``holder_at``: a process of this user wrote it)


def holder_at(path: str) -> Holder | None:
    """The server that listens at a path; None where it is not one of this user."""
    if not path:
        return None
    try:
        folder, itself = os.lstat(os.path.dirname(path)), os.lstat(path)  # noqa: PTH120 (kept as text)
    except OSError:
        return None
    own = folder.st_uid == itself.st_uid == os.geteuid() and stat.S_ISSOCK(itself.st_mode)
    return Holder(path) if own and not folder.st_mode & 0o077 else None


class Answers:
    """The side of the server: a socket, a thread that accepts, and a thread for each question.

    Attributes:
        path: where the socket is.
    """

    def __init__(self, repository: HasContext, folder: Path, prepare: Callable[[], None]) -> None:
        """Listen.

        Args:
            repository: as its owner sees it.
            folder: in which a directory for the socket is made; what servers left there that died is removed.
            prepare: called before each answer, to bring the views up to the ledger.

        Raises:
            OSError: no socket can be made, neither there nor among temporary files.
        """
        self._repository = repository
        self._prepare = prepare
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._closed = False
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        self._folder, self._socket = _listening(folder)
        self.path = str(self._folder / _NAME)
        self._thread = threading.Thread(target=self._accept, name="provrepo-beside", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept no more questions. Those that are being answered are left to end."""
        self._closed = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waking:
            # Closing a socket does not wake the thread that waits for a connection; a connection does.
            waking.settimeout(1.0)
            waking.connect(self.path)
        self._thread.join(timeout=5)
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                if self._closed:
                    return
                log.exception("a connection could not be accepted")
                time.sleep(1.0)  # descriptors may have run out
                continue
            if self._closed:
                link.close()
                return
            self._slots.acquire()
            threading.Thread(target=self._serve, args=(link,), name="provrepo-beside-answer", daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        try:
            with link, link.makefile("rb") as stream, suppress(OSError):
                link.settimeout(CONNECTING)
                request = wire.read_frame(stream)
                if request is None:
                    return
                link.settimeout(GRACE)
                link.sendall(self._answer(request, link))
        finally:
            self._slots.release()

    def _answer(self, request: dict[str, Any], link: socket.socket) -> bytes:
        try:
            data = pickle.dumps(self._asked(request, link))
        except Error as error:
            return wire.frame(wire.encode_error(error))
        except Exception as error:
            log.exception("%s could not be answered", request.get("verb"))
            return wire.frame(wire.encode_error(error))
        return wire.frame({"size": len(data)}) + data

    def _asked(self, request: dict[str, Any], link: socket.socket) -> Any:
        if request["software"] != __version__:
            raise Busy(
                f"the server that holds the views runs provrepo {__version__}, and this is "
                f"{request['software']}: ask it over HTTP, or start it anew"
            )
        verb, kwargs = request["verb"], request["kwargs"]
        if verb not in FROM_VIEWS:
            raise Busy(f"the server that holds the views does not answer {verb} for other processes")
        if verb in ("query", "thing"):
            kwargs["abandoned"] = lambda: _gone(link)
        self._prepare()
        return getattr(self._repository, verb)(*request["args"], **kwargs)


def _listening(folder: Path) -> tuple[Path, socket.socket]:
    """A directory that only its owner may enter, and a socket in it that listens.

    It is made below ``folder``, or among temporary files where the path is too long for a socket, or the file system
    has none.
    """
    last: OSError | None = None
    for parent in (folder.absolute(), Path(tempfile.gettempdir())):
        place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.bind(str(place / _NAME))
            link.listen(64)
        except OSError as error:
            link.close()
            shutil.rmtree(place, ignore_errors=True)
            last = error
        else:
            return place, link
    raise last or OSError("no place for a socket")


def _gone(link: socket.socket) -> bool:
    """Whether the caller has closed the connection."""
    waiting = select.poll()
    waiting.register(link, select.POLLIN)
    try:
        # Nothing is sent after the question: what can be read is the end.
        return bool(waiting.poll(0)) and link.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
