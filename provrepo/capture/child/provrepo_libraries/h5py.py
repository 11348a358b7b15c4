"""h5py, and what reads HDF5 through it: h5netcdf, xarray, AnnData, Keras."""

from __future__ import annotations

from typing import Any

from .observing import CHANGED, READ, REPLACED, before, opened


def adapt(module: Any) -> None:
    """Adapt ``h5py.h5f``, the functions below ``h5py.File``."""
    before(module, "open", _open)
    before(module, "create", lambda name, *args, **kwargs: opened(name, REPLACED))


def _open(name: Any, flags: int = 0, *args: Any, **kwargs: Any) -> None:
    opened(name, CHANGED if flags & 1 else READ)  # H5F_ACC_RDWR
