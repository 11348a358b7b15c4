"""The merge of several datasets into one store, in a worker process.

The store begins as a copy of the largest checkpoint: its files never change, so they are linked instead of copied. The
quads of the others are loaded into it. A store is a set of quads, so each is there once, also in the default graph.
``docs/adr/0021-merged-datasets.md`` records the alternatives.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyoxigraph as ox

from provrepo.errors import NoSpace, QueryError
from provrepo.limits import MERGED_QUADS

__all__ = ["MAX_DATASETS", "MERGED_QUADS", "merge_in_memory", "run", "too_many"]

MAX_DATASETS = 50
"""The most datasets of one query."""

_PART = 8 << 20
"""Bytes of N-Quads in one bulk load, which takes about ten times as much memory."""


def too_many(quads: int, most: int) -> QueryError:
    """The error where the datasets other than the largest one have too many quads."""
    return QueryError(
        f"the projects of this query have {quads:,} quads besides those of the largest one, and at most {most:,} can "
        "be merged for a query: query fewer projects at once, or one after the other"
    )


def run(*, checkpoints: Sequence[str], target: str, most: int) -> None:
    """Merge checkpoints into a new store; the entry point in a worker.

    Args:
        checkpoints: the directories of two or more checkpoints.
        target: the directory of the new store, which does not exist yet.
        most: the most quads of all checkpoints but the largest one.

    Raises:
        QueryError: they have more.
        NoSpace: the disk is full.
    """
    try:
        _merge([Path(checkpoint) for checkpoint in checkpoints], Path(target), most)
    except OSError as error:
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise NoSpace("the projects cannot be merged for the query: the disk is full") from None
        raise


def _merge(checkpoints: Sequence[Path], target: Path, most: int) -> None:
    stores = {path: ox.Store.read_only(str(path)) for path in checkpoints}
    sizes = {path: len(store) for path, store in stores.items()}
    largest = max(checkpoints, key=sizes.__getitem__)
    others = [path for path in checkpoints if path != largest]
    quads = sum(map(sizes.__getitem__, others))
    if quads > most:
        raise too_many(quads, most)
    shutil.copytree(largest, target, copy_function=_link)
    merged = ox.Store(str(target))
    dumped = target.with_suffix(".nq")
    try:
        for path in others:
            stores[path].dump(str(dumped), ox.RdfFormat.N_QUADS)
            with dumped.open("rb") as lines:
                while part := lines.readlines(_PART):
                    merged.bulk_load(b"".join(part), ox.RdfFormat.N_QUADS)
        merged.flush()
    finally:
        dumped.unlink(missing_ok=True)


def _link(source: str, target: str) -> None:
    """Copy a file of a store; tables are linked, since only they never change."""
    if source.endswith(".sst"):
        try:
            os.link(source, target)
        except OSError:
            pass  # the file system has no links
        else:
            return
    shutil.copy2(source, target)


def merge_in_memory(stores: Sequence[ox.Store], most: int) -> ox.Store:
    """Merge open stores into a new one in memory, for the process that has no workers.

    Raises:
        QueryError: there are more quads than ``most`` in all stores but the largest one.
    """
    sizes = sorted(map(len, stores))
    if sum(sizes[:-1]) > most:
        raise too_many(sum(sizes[:-1]), most)
    merged = ox.Store()
    for store in stores:
        merged.extend(store)
    return merged
