"""netCDF4, and xarray through it."""

from __future__ import annotations

from typing import Any

from .observing import CHANGED, READ, REPLACED, before, opened


def adapt(module: Any) -> None:
    """Adapt the class; where it cannot be changed (version 1.7.2) its files are not observed, which is told."""
    before(module.Dataset, "__init__", _dataset)


def _dataset(_: Any, filename: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
    if kwargs.get("memory") is None and not kwargs.get("diskless"):
        opened(filename, READ if mode.startswith("r") and "+" not in mode else REPLACED if mode[0] in "wx" else CHANGED)
    elif kwargs.get("memory") is None:  # in memory until it is closed
        opened(filename, REPLACED if mode[0] in "wx" and kwargs.get("persist") else READ)
