"""Libraries that open what no audit event of Python tells: each is adapted after the program has imported it.

None of them is imported here. An adapted function raises an audit event (PEP 578) before it opens a file, which the
hooks of capture receive like those of Python itself: see ``observing``. Like ``provrepo_child`` this runs inside
programs of others, on any Python from 3.8.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from .after_import import AfterImport
from .observing import failed, foreign, rebind

TABLE = {
    "aiohttp.client_reqrep": "aiohttp",
    "duckdb": "databases.duckdb",
    "h5py.h5f": "h5py",
    "http.client": "httpclient",
    "httpx._transports.default": "httpx",
    "netCDF4": "netcdf4",
    "polars": "polars",
    "psycopg": "databases.psycopg",
    "psycopg2": "databases.psycopg",
    "psycopg2.extras": "databases.psycopg",
    "pyarrow": "pyarrow",
    "pyarrow.csv": "pyarrow",
    "pyarrow.dataset": "pyarrow",
    "pyarrow.feather": "pyarrow",
    "pyarrow.ipc": "pyarrow",
    "pyarrow.json": "pyarrow",
    "pyarrow.orc": "pyarrow",
    "pyarrow.parquet.core": "pyarrow",
    "safetensors.numpy": "safetensors",
    "safetensors.torch": "safetensors",
    "sqlalchemy": "databases.sqlalchemy",
    "sqlite3": "databases.sqlite",
    "sqlite3.dbapi2": "databases.sqlite",
    "tables.file": "pytables",
    "torch.serialization": "torch",
    "urllib3.response": "urllib3",
}
"""The modules that are adapted, and the file of this folder that does it with its function ``adapt``."""


@functools.lru_cache(None)
def install() -> None:
    """Adapt the libraries, those that are imported already as well."""
    if __name__ != "provrepo_libraries" and "provrepo_libraries" in sys.modules:
        return  # below provrepo run, whose events the hooks of this process receive too
    AfterImport(dict.fromkeys(TABLE, adapt)).install()
    rebind()


def adapt(module: Any) -> None:
    """Adapt one module; a failure is told and leaves the rest of the module as it was."""
    from importlib import import_module

    try:
        import_module(f"{__name__}.{TABLE[module.__name__]}").adapt(module)
    except Exception as error:
        if foreign(error):
            raise
        failed(module.__name__, error)
