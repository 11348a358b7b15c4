"""Directories that are opened when first needed and closed when idle; one per dataset."""

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

from provrepo.views.view import PUBLIC

__all__ = ["StorePool", "directory_name", "name_of"]

log = logging.getLogger("provrepo.views.sparql.pool")

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PUBLIC_DIRECTORY = "_public"
_TRASH = ".removed-"


def directory_name(dataset: str) -> str:
    """The name of a dataset's directory.

    ``*public`` becomes ``_public``, which no project can be called. Capitals are marked, because on some file systems
    ``Crops`` and ``crops`` would be one directory.

    Raises:
        ValueError: not a name that a dataset can have.
    """
    if dataset == PUBLIC:
        return _PUBLIC_DIRECTORY
    if _NAME.fullmatch(dataset) is None:
        raise ValueError(f"{dataset!r} is not the name of a dataset")
    return re.sub("[A-Z]", lambda capital: "=" + capital.group().lower(), dataset)


def name_of(directory: str) -> str | None:
    """The dataset of a directory name; None where it is none of ours."""
    if directory == _PUBLIC_DIRECTORY:
        return PUBLIC
    name = re.sub("=([a-z])", lambda marked: marked.group(1).upper(), directory)
    return name if _NAME.fullmatch(name) and directory_name(name) == directory else None


@dataclass(slots=True)
class _Slot(Generic[T]):
    thing: T
    users: int = 0


class StorePool(Generic[T]):
    """Hands out what lies in directories below ``root``, keeping at most ``capacity`` open.

    What was handed out stays open while it is in use, so it may be more for a while. An opened
    thing is closed by dropping the last reference to it: users must not keep any.
    """

    def __init__(self, root: Path, opener: Callable[[Path], T], *, capacity: int) -> None:
        """Make the root where it does not exist, and finish removals that a crash interrupted."""
        self._root = root
        self._open = opener
        self._capacity = capacity
        self._slots: OrderedDict[str, _Slot[T]] = OrderedDict()
        self._changed = threading.Condition()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in root.glob(f"{_TRASH}*"):
            shutil.rmtree(left, ignore_errors=True)

    def names(self) -> list[str]:
        """The datasets that have a directory, sorted."""
        found = (name_of(entry.name) for entry in self._root.iterdir() if entry.is_dir())
        return sorted(name for name in found if name is not None)

    def path(self, dataset: str) -> Path:
        """Where a dataset lies, whether or not it exists."""
        return self._root / directory_name(dataset)

    @contextmanager
    def use(self, dataset: str, *, create: bool = False) -> Iterator[T | None]:
        """What lies in the dataset's directory, open until the block ends.

        Args:
            dataset: its name.
            create: make the directory where there is none; otherwise None is handed out.
        """
        slot = self._enter(dataset, create)
        if slot is None:
            yield None
            return
        try:
            yield slot.thing
        finally:
            self._leave(slot)

    def remove(self, dataset: str) -> None:
        """Remove the dataset's directory, once nobody uses it any more. Nothing is done where there is none."""
        path = self.path(dataset)
        with self._changed:
            self._changed.wait_for(lambda: self._idle(dataset))
            self._slots.pop(dataset, None)
            if path.is_dir():
                # Renamed first: a crash while removing must not leave half a dataset to be opened.
                trash = path.with_name(f"{_TRASH}{path.name}")
                shutil.rmtree(trash, ignore_errors=True)
                path.rename(trash)
                shutil.rmtree(trash)

    def retire(self, dataset: str) -> bool:
        """Close it, to be opened anew by who needs it next; False, and nothing done, where somebody uses it."""
        with self._changed:
            if not self._idle(dataset):
                return False
            self._slots.pop(dataset, None)
            return True

    def close(self) -> None:
        """Wait until nothing is in use, then close everything. The pool may be used again."""
        with self._changed:
            self._changed.wait_for(lambda: all(slot.users == 0 for slot in self._slots.values()))
            self._slots.clear()

    def opened(self) -> int:
        """How many are open now."""
        with self._changed:
            return len(self._slots)

    def _idle(self, dataset: str) -> bool:
        slot = self._slots.get(dataset)
        return slot is None or slot.users == 0

    def _enter(self, dataset: str, create: bool) -> _Slot[T] | None:
        with self._changed:
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
        """Close those that have been idle for longest, so that one more can be opened."""
        idle = [name for name, slot in self._slots.items() if slot.users == 0]
        for name in idle[: max(0, len(self._slots) + 1 - self._capacity)]:
            del self._slots[name]
