"""An open Oxigraph store: the quads of one dataset on disk, with an estimate of the memory that its updates take."""

from __future__ import annotations

import errno
import gc
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from provrepo.errors import Damaged, NoSpace
from provrepo.workers import heap

__all__ = ["DatasetStore", "copy_store", "open_store", "quads_of", "translated_errors"]

_QUAD_BYTES = 400
"""Bytes that a quad and its triple in the default graph would take in the text of an update."""

_COPIED = 50_000
"""Quads in one bulk load of a copy, which takes about 100 MB."""

_CLOSING_SECONDS = 5.0
"""Seconds to wait until a store that another thread is closing can be opened again."""


@dataclass(slots=True)
class DatasetStore:
    """An open store.

    Attributes:
        store: the store.
        written: the estimated bytes of updates since it was opened.
    """

    store: ox.Store
    written: int = 0

    def update(self, text: str, *, deleted: int = 0) -> None:
        """Execute an update as one transaction.

        Args:
            text: SPARQL 1.1 Update.
            deleted: the number of quads that it deletes by a pattern, so that its text does not contain them.
        """
        self.store.update(text)
        self.written += len(text) + deleted * _QUAD_BYTES


def open_store(path: Path) -> DatasetStore:
    """Open the store in a directory, or create it there.

    Raises:
        OSError: it cannot be opened.
    """
    # A bulk load that was killed leaves its files. No other process writes to this directory.
    for left in path.glob("bulk-*"):
        left.unlink(missing_ok=True)
    deadline = time.monotonic() + _CLOSING_SECONDS
    while True:
        try:
            store = ox.Store(str(path))
        except OSError as error:
            # A store is closed by the last reference to it, which another thread may be about to drop.
            if "lock hold by current process" not in str(error) or time.monotonic() > deadline:
                raise
            # Or an error refers to it whose frames refer to the error.
            gc.collect()
            time.sleep(0.01)
        else:
            # Where the store was closed and opened again, its memory is free, but in pieces that the C library keeps.
            heap.return_free_memory()
            return DatasetStore(store)


def copy_store(source: DatasetStore, path: Path) -> None:
    """Copy the quads of a store to a new store in an empty directory.

    Oxigraph keeps the strings of deleted quads, which a copy does not contain.

    Raises:
        OSError: the copy cannot be written.
    """
    target = ox.Store(str(path))
    quads = source.store.quads_for_pattern(None, None, None, None)
    while part := list(islice(quads, _COPIED)):
        target.bulk_extend(part)
    target.flush()


@contextmanager
def translated_errors(dataset: str) -> Iterator[None]:
    """A block in which errors of Oxigraph are raised as errors of this package.

    Args:
        dataset: the dataset's name, for messages.

    Raises:
        Damaged: the content is not N-Quads, or the store cannot be read or written.
        NoSpace: the disk is full.
    """
    try:
        yield
    except SyntaxError as error:
        raise Damaged(f"the content for dataset {dataset} is not N-Quads: {error.msg}") from error
    except (OSError, RuntimeError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise NoSpace(f"cannot write dataset {dataset}: the disk is full") from error
        raise Damaged(
            f"dataset {dataset} cannot be read or written ({error}); provrepo rebuild recreates it"
        ) from error


def quads_of(store: ox.Store, graphs: Iterable[ox.NamedNode]) -> Iterator[ox.Quad]:
    """The quads of some graphs of a store."""
    return (quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph))
