"""PyTables, which ``HDFStore`` and ``to_hdf`` of pandas use."""

from __future__ import annotations

from typing import Any

from .observing import CHANGED, READ, REPLACED, before, opened


def adapt(module: Any) -> None:
    """Adapt ``tables.file``."""
    before(module.File, "__init__", _file)


def _file(_: Any, filename: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
    opened(filename, {"r": READ, "w": REPLACED}.get(mode, CHANGED))
