"""Calls beside a server: the process that holds the views answers verbs for other processes of the same user.

Only one process has the views open. A server that has them listens on a Unix domain socket below ``views/``. Another
process of the same user sends it the name and arguments of a verb that needs the views, and receives the result. The
result covers every entry that was in the ledger at the time of the request. ``docs/adr/0010-beside-a-server.md``
records the decision and its alternatives.

The socket is in a directory that only its owner may enter (mode 0700), so a process that can connect can open the data
directory as well. The request is JSON. The reply is a pickle, which is accepted from a socket of the same user only.
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

__all__ = ["FROM_VIEWS", "CallListener", "Holder", "holder", "serve"]

log = logging.getLogger("provrepo.repository.upkeep.beside")

TIMEOUT = 5.0
"""Seconds to wait for another process to release the views or to listen. Commands hold the views briefly."""

CONNECTING = 5.0
"""Seconds to wait for the connection to be accepted."""

GRACE = 30.0
"""Seconds to wait for a reply beyond the timeout of the call."""

AT_ONCE = 8
"""The connections that are answered concurrently; others wait."""

_PREFIX, _NAME = ".asked-", "s"

FROM_VIEWS: set[str] = set()
"""The names of the verbs that need the views, which the holder answers for other processes; ``verb`` adds them."""


def holder(store: Store) -> Holder | None:
    """Return the server that holds the views; None if there is none, or if this process holds them.

    If no process holds them, this process acquires them.
    """
    if not store.follows or store.follower.indexing:
        return None
    deadline = time.monotonic() + TIMEOUT
    while not store.follower.acquire():
        found = holder_at(store.follower.socket())
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return None


def serve(repository: HasContext, url: str) -> bool:
    """Follow the ledger in a thread, announce a URL to other processes, and answer their calls.

    Args:
        repository: the repository, with its owner as the actor.
        url: the URL of the server.

    Returns:
        False if another process holds the views.
    """
    store = repository.context.store
    follower = store.follower
    if follower.indexing:
        follower.announce(url)
    if not follower.start(url):
        return False
    if not store.socket:
        try:
            listener = CallListener(repository, store.settings.data / "views", follower.catch_up)
        except OSError as error:
            log.warning("calls of other processes of this user are not answered: %s", error)
            return True
        store.on_close(listener.close)
        store.socket = listener.path
    follower.announce(url, store.socket)
    return True


class Holder:
    """A client for the server that holds the views."""

    def __init__(self, path: str) -> None:
        """Take the path of the socket; nothing is sent yet."""
        self._path = path

    def call_verb(self, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a verb in the server and return its result.

        Args:
            verb: the name of the verb.
            args: its positional arguments: JSON values or sequences of them.
            kwargs: its keyword arguments. ``abandoned`` is not sent: the end of the connection replaces it.

        Raises:
            Error: the error that the verb raised.
            RemoteError: the server ended, or does not answer.
        """
        kwargs = {name: _plain(value) for name, value in kwargs.items() if name != "abandoned" and value is not None}
        request = {"software": __version__, "verb": verb, "args": list(map(_plain, args)), "kwargs": kwargs}
        limit = kwargs.get("timeout")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(CONNECTING)
                connection.connect(self._path)
                connection.settimeout(None if limit is None else float(limit) + GRACE)
                connection.sendall(wire.frame(request))
                with connection.makefile("rb") as stream:
                    return _received(stream)
        except OSError as error:
            raise RemoteError(f"the server that holds the views does not answer: {error}") from error


def _plain(value: Any) -> Any:
    """Return an argument as a JSON value; a sequence becomes a list."""
    return value if value is None or isinstance(value, str | int | float) else list(value)


def _received(stream: IO[bytes]) -> Any:
    head = wire.read_frame(stream)
    if head is None:
        raise RemoteError("the server that holds the views ended before it answered")
    error = wire.decode_error(head)
    if error is not None:
        raise error
    if "exception" in head:
        raise RemoteError(f"the server that holds the views failed: {head['exception']}; see its log")
    data = stream.read(head["size"])
    if len(data) < head["size"]:
        raise RemoteError("the server that holds the views ended while it answered")
    return pickle.loads(data)  # noqa: S301 (see ``holder_at``: a process of this user wrote it)


def holder_at(path: str) -> Holder | None:
    """Return the server that listens at a path; None if the path is empty or not a private socket of this user."""
    if not path:
        return None
    try:
        folder, itself = os.lstat(os.path.dirname(path)), os.lstat(path)  # noqa: PTH120 (kept as text)
    except OSError:
        return None
    trusted = folder.st_uid == itself.st_uid == os.geteuid() and stat.S_ISSOCK(itself.st_mode)
    return Holder(path) if trusted and not folder.st_mode & 0o077 else None


class CallListener:
    """The server side: a socket, a thread that accepts connections, and a thread for each call.

    Attributes:
        path: the path of the socket.
    """

    def __init__(self, repository: HasContext, folder: Path, prepare: Callable[[], None]) -> None:
        """Start to listen.

        Args:
            repository: the repository, with its owner as the actor.
            folder: the parent of the directory for the socket. Directories of killed servers are removed.
            prepare: called before each verb, to bring the views up to date.

        Raises:
            OSError: no socket can be created, neither there nor in the temporary directory.
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
        """Accept no more calls. Running calls are not interrupted."""
        self._closed = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            # Closing a socket does not wake the thread in accept(); a connection does.
            connection.settimeout(1.0)
            connection.connect(self.path)
        self._thread.join(timeout=5)
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed:
                    return
                log.exception("a connection could not be accepted")
                time.sleep(1.0)  # no file descriptor may be left
                continue
            if self._closed:
                connection.close()
                return
            self._slots.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="provrepo-beside-call", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream, suppress(OSError):
                connection.settimeout(CONNECTING)
                request = wire.read_frame(stream)
                if request is None:
                    return
                connection.settimeout(GRACE)
                connection.sendall(self._reply(request, connection))
        finally:
            self._slots.release()

    def _reply(self, request: dict[str, Any], connection: socket.socket) -> bytes:
        try:
            data = pickle.dumps(self._call(request, connection))
        except Error as error:
            return wire.frame(wire.encode_error(error))
        except Exception as error:
            log.exception("%s could not be answered", request.get("verb"))
            return wire.frame(wire.encode_error(error))
        return wire.frame({"size": len(data)}) + data

    def _call(self, request: dict[str, Any], connection: socket.socket) -> Any:
        if request["software"] != __version__:
            raise Busy(
                f"the server that holds the views runs provrepo {__version__}, and this is "
                f"{request['software']}: query it over HTTP, or restart it"
            )
        verb, kwargs = request["verb"], request["kwargs"]
        if verb not in FROM_VIEWS:
            raise Busy(f"the server that holds the views does not answer {verb} for other processes")
        if verb in ("query", "thing"):
            kwargs["abandoned"] = lambda: _closed(connection)
        self._prepare()
        return getattr(self._repository, verb)(*request["args"], **kwargs)


def _listening(folder: Path) -> tuple[Path, socket.socket]:
    """Create a private directory and a listening socket in it.

    The parent is ``folder``, or the temporary directory if the path is too long for a socket or the file system does
    not support sockets.
    """
    last: OSError | None = None
    for parent in (folder.absolute(), Path(tempfile.gettempdir())):
        private = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(private / _NAME))
            listening.listen(64)
        except OSError as error:
            listening.close()
            shutil.rmtree(private, ignore_errors=True)
            last = error
        else:
            return private, listening
    raise last or OSError("no directory for a socket")


def _closed(connection: socket.socket) -> bool:
    """Return whether the client has closed the connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    try:
        # The client sends nothing after the request, so only its end can be read.
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
