"""Open stores: one directory per dataset, opened when it is needed and closed when it is idle."""

from __future__ import annotations

import logging
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from provrepo.errors import Busy
from provrepo.views.view import PUBLIC

__all__ = ["CLOSED", "StorePool", "directory_name", "name_of"]

log = logging.getLogger("provrepo.views.sparql.pool")

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
CLOSED = "the datasets are being built again; try again"
"""The reason for readers that came before a view was closed, and go on after it."""

_PUBLIC_DIRECTORY = "_public"
_TRASH = ".removed-"
_NEW = ".new-"
_MARK = ".rewrite-"


def directory_name(dataset: str) -> str:
    """The name of a dataset's directory.

    ``*public`` becomes ``_public``, which is not the name of a project. Capitals are escaped, because on some file
    systems ``Crops`` and ``crops`` would be the same directory.

    Raises:
        ValueError: not the name of a dataset.
    """
    if dataset == PUBLIC:
        return _PUBLIC_DIRECTORY
    if _NAME.fullmatch(dataset) is None:
        raise ValueError(f"{dataset!r} is not the name of a dataset")
    return re.sub("[A-Z]", lambda capital: "=" + capital.group().lower(), dataset)


def name_of(directory: str) -> str | None:
    """The dataset of a directory; None where the directory does not belong to a dataset."""
    if directory == _PUBLIC_DIRECTORY:
        return PUBLIC
    name = re.sub("=([a-z])", lambda marked: marked.group(1).upper(), directory)
    return name if _NAME.fullmatch(name) and directory_name(name) == directory else None


@dataclass(slots=True)
class _Slot(Generic[T]):
    store: T
    users: int = 0


class StorePool(Generic[T]):
    """The stores in directories below ``root``, of which at most ``capacity`` stay open.

    A store stays open while it is in use, so more may be open for a while. A store is closed by dropping the last
    reference to it: callers must not keep one.
    """

    def __init__(self, root: Path, opener: Callable[[Path], T], *, capacity: int) -> None:
        """Create the root where it does not exist, and finish removals that a crash interrupted.

        Args:
            root: the directory that contains a directory for each dataset.
            opener: opens the store in a directory.
            capacity: the number of stores that stay open.
        """
        self._root = root
        self._open = opener
        self._capacity = capacity
        self._slots: OrderedDict[str, _Slot[T]] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in (*root.glob(f"{_TRASH}*"), *root.glob(f"{_NEW}*")):
            shutil.rmtree(left, ignore_errors=True)

    def names(self) -> list[str]:
        """The datasets that have a directory, sorted."""
        found = (name_of(entry.name) for entry in self._root.iterdir() if entry.is_dir())
        return sorted(name for name in found if name is not None)

    def path(self, dataset: str) -> Path:
        """The directory of a dataset, whether or not it exists."""
        return self._root / directory_name(dataset)

    @contextmanager
    def use(self, dataset: str, *, create: bool = False) -> Iterator[T | None]:
        """The store of a dataset, open until the block ends.

        Args:
            dataset: its name.
            create: create the directory where there is none; otherwise None is returned.

        Raises:
            Busy: the pool was closed forever.
        """
        slot = self._enter(dataset, create)
        if slot is None:
            yield None
            return
        try:
            yield slot.store
        finally:
            self._leave(slot)

    def remove(self, dataset: str) -> None:
        """Remove the dataset's directory, if it exists, once the store is not in use."""
        path = self.path(dataset)
        with self._changed:
            self._changed.wait_for(lambda: self._idle(dataset))
            self._slots.pop(dataset, None)
            if path.is_dir():
                # Renamed first: after a crash during the removal, half a dataset must not be opened.
                trash = path.with_name(f"{_TRASH}{path.name}")
                shutil.rmtree(trash, ignore_errors=True)
                path.rename(trash)
                shutil.rmtree(trash)
            self._mark(dataset).unlink(missing_ok=True)

    def mark(self, dataset: str) -> None:
        """Note that a dataset is to be written anew (``rewrite``). The note is a file, which outlives the process."""
        self._mark(dataset).touch(mode=0o600)

    def marked(self) -> list[str]:
        """The datasets that are to be written anew, sorted."""
        found = (name_of(mark.name.removeprefix(_MARK)) for mark in self._root.glob(f"{_MARK}*"))
        return sorted(name for name in found if name is not None)

    def rewrite(self, dataset: str, copy: Callable[[T, Path], None]) -> None:
        """Replace the directory of a dataset by a copy of the store, once the store is not in use.

        After a crash the dataset is the former one, the new one, or missing, and then its entries are applied again.

        Args:
            dataset: its name; nobody may write to it meanwhile.
            copy: copies an open store to an empty directory, and closes the copy.
        """
        path = self.path(dataset)
        new = path.with_name(f"{_NEW}{path.name}")
        shutil.rmtree(new, ignore_errors=True)
        with self.use(dataset) as store:
            if store is not None:
                new.mkdir(mode=0o700)
                copy(store, new)
            del store
        if new.is_dir():
            trash = path.with_name(f"{_TRASH}{path.name}")
            shutil.rmtree(trash, ignore_errors=True)
            with self._changed:
                self._changed.wait_for(lambda: self._idle(dataset))
                self._slots.pop(dataset, None)
                path.rename(trash)
                new.rename(path)
            shutil.rmtree(trash)
        self._mark(dataset).unlink(missing_ok=True)

    def retire(self, dataset: str) -> bool:
        """Close a store unless it is in use; returns whether it was closed. The next use opens it again."""
        with self._changed:
            if not self._idle(dataset):
                return False
            self._slots.pop(dataset, None)
            return True

    def close(self, *, forever: bool = False) -> None:
        """Close all stores, once none is in use. Afterwards they can be opened again, unless it is ``forever``."""
        with self._changed:
            self._closed = forever
            self._changed.wait_for(lambda: all(slot.users == 0 for slot in self._slots.values()))
            self._slots.clear()

    def opened(self) -> int:
        """The number of open stores."""
        with self._changed:
            return len(self._slots)

    def _mark(self, dataset: str) -> Path:
        return self._root / f"{_MARK}{directory_name(dataset)}"

    def _idle(self, dataset: str) -> bool:
        slot = self._slots.get(dataset)
        return slot is None or slot.users == 0

    def _enter(self, dataset: str, create: bool) -> _Slot[T] | None:
        with self._changed:
            if self._closed:
                raise Busy(CLOSED)
            slot = self._slots.get(dataset)
            if slot is None:
                path = self.path(dataset)
                if not path.is_dir() and not create:
                    return None
                self._make_room()
                path.mkdir(mode=0o700, exist_ok=True)
                slot = self._slots[dataset] = _Slot(self._open(path))
            slot.users += 1
            self._slots.move_to_end(dataset)
            return slot

    def _leave(self, slot: _Slot[T]) -> None:
        with self._changed:
            slot.users -= 1
            self._changed.notify_all()

    def _make_room(self) -> None:
        """Close the stores that have been idle for longest, so that another one can be opened."""
        idle = [name for name, slot in self._slots.items() if slot.users == 0]
        for name in idle[: max(0, len(self._slots) + 1 - self._capacity)]:
            del self._slots[name]
