"""The folder of user-defined JSON-LD contexts: the setting ``contexts``. Nothing is ever fetched into it.

The context at ``https://example.org/ns/run.jsonld`` is the file ``example.org/ns/run.jsonld`` in the folder, where
``wget -x`` stores it. To a URL without a file name ``.jsonld`` or ``.json`` is appended. A file ``index.json`` in the
folder may map a URL to another file: ``{"https://example.org/ns/run": "run.jsonld"}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from provrepo.errors import ReadError
from provrepo.settings import contexts_folder

__all__ = ["advice", "user_context", "contexts_from"]

_ADDRESS = re.compile(r"https?://([^/?#]+)(/[^#]*)?(?:#.*)?")
_INDEX = "index.json"
_MAX_BYTES = 4 * 1024 * 1024
"""The largest file that is read as a context, in bytes."""

_folder: ContextVar[Path | None] = ContextVar("contexts", default=None)


@contextmanager
def contexts_from(folder: str | Path) -> Iterator[None]:
    """Use the contexts of a folder instead of that of the settings of the process, within a ``with`` block.

    Args:
        folder: the folder; empty for that of the settings.
    """
    if not str(folder):
        yield
        return
    token = _folder.set(Path(folder))
    try:
        yield
    finally:
        _folder.reset(token)


def user_context(address: str) -> Any | None:
    """The user-defined context at a URL: the value of its ``@context``; None if the folder has none.

    Raises:
        ReadError: the folder does not exist, its index cannot be read, or the file is not a JSON-LD context.
    """
    folder = _current()
    if folder is None:
        return None
    file = next((file for file in _files(folder, address) if file.is_file()), None)
    if file is None:
        return None
    found = _parsed(file)
    if not isinstance(found, dict) or "@context" not in found:
        raise ReadError(f"{file} is used for the JSON-LD context {address}, but is not an object with '@context'")
    return found["@context"]


def advice(address: str) -> str:
    """Advice about an unknown URL, as the end of a sentence."""
    folder, name = _current(), _name(address)
    where = "the folder that the setting 'contexts' (--contexts, PROVREPO_CONTEXTS) names" if folder is None else folder
    return f"save it in {where}" + (f" as {name}" if name else " and name it in its index.json")


def _current() -> Path | None:
    folder = _folder.get() or contexts_folder()
    if folder is not None and not folder.is_dir():
        raise ReadError(f"the folder of JSON-LD contexts, {folder}, does not exist; see the setting 'contexts'")
    return folder


def _name(address: str) -> str | None:
    """The path of a URL's file in the folder; None if it is not an http URL, or the path would leave the folder."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None or "\\" in address or "\0" in address:
        return None
    segments = [parts[1].lower(), *(parts[2] or "").strip("/").split("/")]
    segments = [segment for segment in segments if segment]
    return None if any(segment in (".", "..") for segment in segments) else "/".join(segments)


def _files(folder: Path, address: str) -> Iterator[Path]:
    index = folder / _INDEX
    if index.is_file():
        named = _parsed(index)
        if not isinstance(named, dict) or not all(isinstance(file, str) for file in named.values()):
            raise ReadError(f"{index}: expected an object that maps URLs to names of files")
        if address in named:
            file = folder / named[address]
            if not file.is_file():
                raise ReadError(f"{index}: the file {named[address]!r} for {address} does not exist")
            yield file
    name = _name(address)
    if name is not None:
        for suffix in ("", ".jsonld", ".json"):
            yield folder / (name + suffix)


def _parsed(file: Path) -> Any:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ReadError(f"{file} is larger than {_MAX_BYTES} bytes, the most that a context may have")
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(f"cannot read the context {file}: {error}") from None
