"""The inside of a worker process: take a call, answer it, take the next.

Nothing heavy is imported before a call asks for it. The process ends when its pool does, also in the middle of a call.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import threading
from importlib import import_module
from typing import IO, Any

from provrepo.limits import STACK_BYTES
from provrepo.workers import heap, network, wire

__all__ = ["inside", "main"]

GRACE = 2.0
"""Seconds after a call's deadline at which the kernel ends a worker that no pool has ended."""

_state = {"inside": False}


def inside() -> bool:
    """Whether this is a worker process, which may run untrusted input without another one around it."""
    return _state["inside"]


def main(memory: int) -> None:
    """Serve calls from standard input until it ends.

    Args:
        memory: limit of the address space in MiB; 0 for none.
    """
    _state["inside"] = True
    os.umask(0o077)  # what a worker writes is part of a repository, or waits to be
    requests, replies = _channel()
    network.block()
    _limit(memory)
    threading.stack_size(STACK_BYTES)
    threading.Thread(target=_serve, args=(requests, replies), daemon=True).start()
    # Calls run in the other thread, so that the end of the pool is noticed while one is running. This one waits for
    # nothing else: to read the calls and hand them over would cost each of them a change of threads.
    hangup = select.poll()
    hangup.register(requests, 0)
    hangup.poll()
    os._exit(0)


def _channel() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for ourselves; what anybody else prints goes to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _limit(memory: int) -> None:
    # An interrupt at the terminal is the pool's to handle, and SIGALRM ends the process whatever it is busy with.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if memory:
        heap.few_arenas()
        try:
            resource.setrlimit(resource.RLIMIT_AS, (memory << 20, memory << 20))
        except (ValueError, OSError):
            # macOS knows the limit but refuses to set it; the deadline still holds.
            pass


def _serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    while (request := wire.read_frame(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, request["timeout"] + GRACE)
        try:
            reply = _answer(request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            replies.write(reply)
            replies.flush()
        except BaseException:  # noqa: BLE001 (an answer that cannot even be made or sent)
            os._exit(os.EX_SOFTWARE)
    os._exit(0)


def _answer(request: dict[str, Any]) -> bytes:
    try:
        return wire.frame({"result": _function(request["function"])(**request["arguments"])})
    except BaseException as error:  # noqa: BLE001 (whatever it is, the pool is told)
        return wire.frame(wire.encode_error(error))


def _function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
