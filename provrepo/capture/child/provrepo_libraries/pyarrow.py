"""pyarrow: Parquet, Feather, datasets, CSV, JSON, ORC, IPC and its own files; pandas reads and writes through it."""

from __future__ import annotations

import functools
import os
from typing import Any

from .observing import (
    CHANGED,
    READ,
    REPLACED,
    after,
    argument,
    before,
    contained,
    opened,
    original_of,
    replace,
    written,
)


def adapt(module: Any) -> None:
    """Adapt pyarrow or one of its modules."""
    _ADAPTED[module.__name__](module)


def _parquet(module: Any) -> None:
    before(module.ParquetFile, "__init__", argument(1, "source", READ))
    before(module.ParquetWriter, "__init__", argument(1, "where", REPLACED))
    before(module, "read_metadata", argument(0, "where", READ))
    before(module, "read_schema", argument(0, "where", READ))
    after(module.ParquetDataset, "__init__", lambda _, dataset, *args, **kwargs: _files(dataset))


def _dataset(module: Any) -> None:
    after(module, "dataset", lambda dataset, *args, **kwargs: _files(dataset))
    after(module, "parquet_dataset", lambda dataset, *args, **kwargs: _files(dataset))
    original = original_of(module, "write_dataset")
    if original is None:
        return

    @functools.wraps(original)
    def write_dataset(data: Any, base_dir: Any, *args: Any, **kwargs: Any) -> Any:
        visitor = kwargs.pop("file_visitor", None)
        files: list[str] = []

        def visited(file: Any) -> None:
            files.append(file.path)  # in a thread of pyarrow
            if visitor is not None:
                visitor(file)

        try:
            return original(data, base_dir, *args, file_visitor=visited, **kwargs)
        finally:
            filesystem = kwargs.get("filesystem")
            if filesystem is None or _is_local(filesystem):
                written(files)

    replace(module, "write_dataset", write_dataset, original)


def _files(dataset: Any) -> None:
    """Tell the files of a dataset; it opens them later."""
    for child in getattr(dataset, "children", ()):
        _files(child)
    if _is_local(getattr(dataset, "filesystem", None)):
        # Of a dataset in memory there are no files, or one without a name.
        opened([file for file in getattr(dataset, "files", ()) if os.path.exists(file)], READ)


def _is_local(filesystem: Any) -> bool:
    return type(filesystem).__name__ == "LocalFileSystem"


def _feather(module: Any) -> None:
    before(module, "read_table", argument(0, "source", READ))
    before(module, "read_feather", argument(0, "source", READ))
    before(module, "write_feather", argument(1, "dest", REPLACED))


def _csv(module: Any) -> None:
    before(module, "read_csv", argument(0, "input_file", READ))
    before(module, "open_csv", argument(0, "input_file", READ))
    before(module, "write_csv", argument(1, "output_file", REPLACED))


def _json(module: Any) -> None:
    before(module, "read_json", argument(0, "input_file", READ))
    before(module, "open_json", argument(0, "input_file", READ))


def _orc(module: Any) -> None:
    before(module.ORCFile, "__init__", argument(1, "source", READ))
    before(module.ORCWriter, "__init__", argument(1, "where", REPLACED))


def _ipc(module: Any) -> None:
    for reader in (module.RecordBatchFileReader, module.RecordBatchStreamReader):
        before(reader, "__init__", argument(1, "source", READ))
    for writer in (module.RecordBatchFileWriter, module.RecordBatchStreamWriter):
        before(writer, "__init__", argument(1, "sink", REPLACED))


def _pyarrow(module: Any) -> None:
    before(module, "memory_map", _mapped)
    before(module, "create_memory_map", argument(0, "path", REPLACED))
    before(module, "input_stream", argument(0, "source", READ))
    before(module, "output_stream", argument(0, "source", REPLACED))
    original = module.OSFile
    if original.__module__ != "pyarrow.lib":
        return

    def init(self: Any, path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
        contained("pyarrow.OSFile", opened, path, _flags(mode))

    # The class of pyarrow is compiled, so that its methods cannot be replaced; it is made by ``__cinit__``.
    named = {"__init__": init, "__doc__": original.__doc__, "__module__": original.__module__}
    module.OSFile = type(original)("OSFile", (original,), named)


def _mapped(path: Any, mode: str = "r") -> None:
    opened(path, READ if mode in ("r", "rb") else CHANGED)


def _flags(mode: str) -> int:
    return REPLACED if mode.startswith("w") else CHANGED if mode.startswith("a") or "+" in mode else READ


_ADAPTED = {
    "pyarrow": _pyarrow,
    "pyarrow.csv": _csv,
    "pyarrow.dataset": _dataset,
    "pyarrow.feather": _feather,
    "pyarrow.ipc": _ipc,
    "pyarrow.json": _json,
    "pyarrow.orc": _orc,
    "pyarrow.parquet.core": _parquet,
}
