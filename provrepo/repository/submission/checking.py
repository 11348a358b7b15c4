"""The calls of ``submission.worker.run``: one worker for most documents, two at once for a large one."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from provrepo.ledger.storage.durable import translated
from provrepo.repository.store import Store
from provrepo.views.extraction import discard
from provrepo.workers import callers

__all__ = ["APART", "run_worker"]

APART = 2 << 20
"""The least bytes of a document that one worker checks while another writes its quads. Both read it."""


def run_worker(store: Store, data: bytes, file: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call ``submission.worker.run`` with some bytes.

    Args:
        store: the data directory with its workers.
        data: the bytes of the document.
        file: the name of their file; None for none.
        arguments: further arguments of the function.

    Returns:
        Its result.

    Raises:
        ReadError: the bytes cannot be read.
        NoSpace: the disk is full.
        WorkerFailed: the check took too long or too much memory.
    """
    source = store.temporary()
    try:
        with translated("store the submitted bytes while they are checked"):
            source.write_bytes(data)
        call = {"source": str(source), "name": file, **arguments}
        if arguments.get("target") and len(data) >= APART and store.pool.free() >= 2:
            return _apart(store, call)
        return _call(store, call)
    finally:
        source.unlink(missing_ok=True)
        target = arguments.get("target")
        if target and target["partial"] != target["output"]:
            discard(Path(target["partial"]))


def _apart(store: Store, call: dict[str, Any]) -> dict[str, Any]:
    """Check a document and write its table in one worker, and its quads in another; that ends if the check fails."""
    failed = threading.Event()
    # The second thread works for the client of this one.
    context = copy_context()
    with ThreadPoolExecutor(max_workers=1) as thread:
        writing = {**call, "check": False, "table": None}
        quads: Future[dict[str, Any]] = thread.submit(context.run, _call, store, writing, failed)
        try:
            result = _call(store, {**call, "target": None})
            if not result["accepted"]:
                failed.set()
                return result
        except BaseException:
            failed.set()
            raise
        return {**result, "written": quads.result()["written"]}


def _call(store: Store, call: dict[str, Any], failed: threading.Event | None = None) -> dict[str, Any]:
    def abandoned() -> bool:
        return callers.client_gone() or (failed is not None and failed.is_set())

    result: dict[str, Any] = store.pool.call(
        "provrepo.repository.submission.worker:run",
        call,
        timeout=store.settings.check_timeout,
        abandoned=abandoned,
    )
    return result
