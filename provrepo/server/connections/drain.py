"""How a server ends: it stops accepting, lets the requests end that it has, and cancels those that take too long.

The first SIGTERM or SIGINT begins it, and a second one ends the process at once, which loses nothing either: what was
acknowledged is durable.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from waitress import wasyncore

from provrepo.repository.store import Store

__all__ = ["MAX_SECONDS", "Drain"]

log = logging.getLogger("provrepo.server.connections.drain")

MAX_SECONDS = 9.5
"""Seconds from the signal to the end of the process; service managers send SIGKILL some time after."""

_PATIENCE = 6.0
"""Seconds for which requests may run on before they are cancelled."""

_ANSWERING = 2.0
"""Seconds for the answers to those that were cancelled."""


class Drain:
    """Runs a server of waitress until a signal, and then to the end of its requests."""

    def __init__(
        self,
        server: Any,
        store: Store,
        *,
        begun: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Run a server.

        Args:
            server: of waitress.
            store: what it serves; ``draining`` of both is set at the signal.
            begun: called at the signal, in the main thread.
            clock: seconds.
        """
        self._server = server
        self._store = store
        self._begun = begun
        self._clock = clock
        self._since: float | None = None

    def run(self) -> None:
        """Serve until a signal comes, and end. Signals come to the main thread only: elsewhere it serves for ever."""
        if threading.current_thread() is not threading.main_thread():
            self._server.run()
            return
        while self._since is None:
            self._turn()
        self._finish(self._since)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT begin the end, from the block's beginning on; a second one has its usual effect."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            for number in before:
                signal.signal(number, signal.SIG_DFL)
            self._since = self._clock()
            self._store.draining = self._server.draining = True
            self._server.pull_trigger()
            self._begun()

        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            if self._since is None:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _finish(self, since: float) -> None:
        # Those that have connected already are answered.
        self._turn()
        wasyncore.dispatcher.close(self._server)
        log.info("ending: %d connections are open, no more are accepted", len(self._server.active_channels))
        cancelled = False
        while self._close_idle():
            passed = self._clock() - since
            if passed > _PATIENCE + _ANSWERING:
                break
            if passed > _PATIENCE and not cancelled:
                log.warning("requests that take longer than %g s are cancelled", _PATIENCE)
                cancelled = True
                self._store.cancel()
            self._turn()
        left = len(self._server.active_channels)
        if left:
            log.warning("%d connections are closed before they have got their answer", left)
        self._server.task_dispatcher.shutdown(timeout=0.5)
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()

    def _turn(self) -> None:
        if self._since is not None:
            self._server.adj.asyncore_loop_timeout = 0.2
        self._server.turn()

    def _close_idle(self) -> int:
        """Close the connections on which nothing is under way; how many are left."""
        for channel in list(self._server.active_channels.values()):
            # Only this thread reads from connections, so that no request can begin meanwhile.
            if not channel.requests and channel.request is None and not channel.total_outbufs_len:
                channel.handle_close()
        return len(self._server.active_channels)
