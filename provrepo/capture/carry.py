"""Threads that a step starts belong to the step: the context goes with what they run."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from provrepo.capture.recorder import entered

__all__ = ["carry"]


@functools.cache
def carry() -> None:
    """From now on, threads started and work submitted inside a step run in the step's context."""
    submit, start = ThreadPoolExecutor.submit, threading.Thread.start

    @functools.wraps(submit)  # type: ignore[arg-type]
    def submit_in_context(self: ThreadPoolExecutor, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if entered.get() is None:
            return submit(self, function, *args, **kwargs)
        return submit(self, copy_context().run, function, *args, **kwargs)

    @functools.wraps(start)
    def start_in_context(self: threading.Thread) -> None:
        if entered.get() is not None:
            self.run = functools.partial(copy_context().run, self.run)  # type: ignore[method-assign]
        start(self)

    ThreadPoolExecutor.submit = submit_in_context  # type: ignore[method-assign, assignment]
    threading.Thread.start = start_in_context  # type: ignore[method-assign]
