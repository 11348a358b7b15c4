"""Main function of a worker process, which answers calls one after the other.

Modules are imported when a call needs them. The process ends when its pool does, also during a call.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import sys
import threading
from importlib import import_module
from typing import IO, Any

from provrepo.limits import STACK_BYTES
from provrepo.workers import heap, network, wire

__all__ = ["in_worker", "main"]

GRACE = 2.0
"""Seconds after the deadline of a call until the kernel ends a worker that its pool has not ended."""

_state = {"in_worker": False}


def in_worker() -> bool:
    """Whether this is a worker process, which may process untrusted input itself."""
    return _state["in_worker"]


def main(memory: int) -> None:
    """Answer calls from standard input until it ends.

    Args:
        memory: limit of the address space, in MiB; 0 for none.
    """
    _state["in_worker"] = True
    os.umask(0o077)  # the files that a worker writes belong to a repository
    requests, replies = _channel()
    network.block()
    _limit(memory)
    threading.stack_size(STACK_BYTES)
    threading.Thread(target=_serve, args=(requests, replies), daemon=True).start()
    # Calls run in the other thread, so that the end of the pool is noticed during a call. This thread only waits for
    # that end: if it also read the calls and passed them on, each would cost a switch of threads.
    hangup = select.poll()
    hangup.register(requests, 0)
    hangup.poll()
    os._exit(0)


def _channel() -> tuple[IO[bytes], IO[bytes]]:
    """The streams of calls and replies; other output to standard output is redirected to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _limit(memory: int) -> None:
    # The pool handles interrupts at the terminal; SIGALRM ends the process whatever it is doing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if memory:
        heap.limit_arenas()
        try:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
        except (ValueError, OSError):
            # macOS defines the limit but refuses to set it; the deadline still applies.
            pass


def _serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    modules = 0
    while (request := wire.read_frame(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, request["timeout"] + GRACE)
        try:
            reply = _answer(request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            replies.write(reply)
            replies.flush()
            if len(sys.modules) != modules:
                # What was imported stays: the collector need not traverse it at each of the next calls.
                modules = len(sys.modules)
                gc.collect()
                gc.freeze()
        except BaseException:  # noqa: BLE001 (the reply cannot be made or sent)
            os._exit(os.EX_SOFTWARE)
    os._exit(0)


def _answer(request: dict[str, Any]) -> bytes:
    try:
        return wire.frame({"result": _function(request["function"])(**request["arguments"])})
    except BaseException as error:  # noqa: BLE001 (the reply reports any exception)
        return wire.frame(wire.encode_error(error))


def _function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
