"""Polars: lazy scans when they are collected, sinks, and eager readers and writers."""

from __future__ import annotations

import re
from typing import Any

from .observing import READ, REPLACED, argument, before, opened

_COLLECTED = ("collect", "_collect_eager", "collect_async", "collect_batches", "profile", "remote", "sink_batches")
_SINKS = ("sink_csv", "sink_ipc", "sink_ndjson", "sink_parquet")
_WRITERS = ("avro", "clipboard", "csv", "ipc", "ipc_stream", "json", "ndjson", "parquet")
_READERS = ("read_avro", "read_csv", "read_csv_batched", "read_ipc", "read_ipc_stream", "read_json", "read_ndjson")
_SCAN = re.compile(r"SCAN \[([^\]\n]*)\]")


def adapt(module: Any) -> None:
    """Adapt the package."""
    for name in _COLLECTED:
        before(module.LazyFrame, name, _collected)
    for name in _SINKS:
        before(module.LazyFrame, name, _sink)
    for name in _WRITERS:
        before(module.DataFrame, f"write_{name}", argument(1, "file", REPLACED))
    for name in _READERS:
        before(module, name, argument(0, "source", READ))
    before(module, "read_parquet_schema", argument(0, "source", READ))


_write = argument(1, "path", REPLACED)


def _sink(frame: Any, *args: Any, **kwargs: Any) -> None:
    if not kwargs.get("lazy"):
        _collected(frame)
        _write(frame, *args, **kwargs)


def _collected(frame: Any, *args: Any, **kwargs: Any) -> None:
    """Tell the files of the scans in a plan."""
    try:
        plan = frame._ldf.visit()
        waiting, found = [plan.get_node()], []
        while waiting:
            plan.set_node(waiting.pop())
            node = plan.view_current_node()
            if type(node).__name__ == "Scan":
                found += list(node.paths)
            waiting += plan.get_inputs()
    except (AttributeError, NotImplementedError):  # private, and not for every kind of scan
        found = _SCAN.findall(frame.explain(optimized=False))
        if any(" other sources" in one or " ... " in one for one in found):
            raise
    for path in found:
        opened(path, READ)
