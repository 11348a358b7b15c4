"""Graceful shutdown: stop accepting connections, let running requests end, and cancel those that take too long.

The first SIGTERM or SIGINT starts it. A second one ends the process at once, and loses nothing either: everything that
was acknowledged is durable.
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
"""The most seconds from the signal to the end of the process; service managers send SIGKILL some time after that."""

_GRACE = 6.0
"""Seconds after the signal at which running requests are cancelled."""

_RESPONDING = 2.0
"""Seconds for sending the responses to cancelled requests."""


class Drain:
    """Runs a waitress server until a signal, and then drains it."""

    def __init__(
        self,
        server: Any,
        store: Store,
        *,
        on_signal: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to run a server.

        Args:
            server: a waitress server.
            store: the store that it serves; the signal sets ``draining`` of both.
            on_signal: called at the first signal, in the main thread.
            clock: the time in seconds.
        """
        self._server = server
        self._store = store
        self._on_signal = on_signal
        self._clock = clock
        self._since: float | None = None

    def run(self) -> None:
        """Serve until a signal, then drain. Signals reach the main thread only; in another thread it serves forever."""
        if threading.current_thread() is not threading.main_thread():
            self._server.run()
            return
        while self._since is None:
            self._turn()
        self._finish(self._since)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT within the block; after the first signal, the default handlers are restored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            for number in before:
                signal.signal(number, signal.SIG_DFL)
            self._since = self._clock()
            self._store.draining = self._server.draining = True
            self._server.pull_trigger()
            self._on_signal()

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
        # Connections that the system has already accepted are served.
        self._turn()
        wasyncore.dispatcher.close(self._server)
        log.info("shutting down: %d connections are open, no more are accepted", len(self._server.active_channels))
        cancelled = False
        while self._close_idle():
            elapsed = self._clock() - since
            if elapsed > _GRACE + _RESPONDING:
                break
            if elapsed > _GRACE and not cancelled:
                log.warning("requests that take longer than %g s are cancelled", _GRACE)
                cancelled = True
                self._store.cancel()
            self._turn()
        left = len(self._server.active_channels)
        if left:
            log.warning("%d connections are closed before their response was sent", left)
        self._server.task_dispatcher.shutdown(timeout=0.5)
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()

    def _turn(self) -> None:
        if self._since is not None:
            self._server.adj.asyncore_loop_timeout = 0.2
        self._server.turn()

    def _close_idle(self) -> int:
        """Close the connections without a request in progress; return the number of those that remain."""
        for channel in list(self._server.active_channels.values()):
            # No request can begin meanwhile, because only this thread reads from connections.
            if not channel.requests and channel.request is None and not channel.total_outbufs_len:
                channel.handle_close()
        return len(self._server.active_channels)
