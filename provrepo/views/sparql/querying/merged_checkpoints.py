"""Merged checkpoints: the stores of several datasets as one, kept until one of the datasets changes."""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provrepo.errors import Busy

__all__ = ["MergedCheckpoints"]

_KEPT = 4
"""Merged checkpoints that are kept: each takes the disk space of all its datasets but the largest."""


@dataclass(slots=True)
class _Merged:
    path: Path
    members: tuple[Path, ...]
    users: int = 0


class MergedCheckpoints:
    """The last merged checkpoints, the least recently used first. Any number of threads may use them."""

    def __init__(self, root: Path) -> None:
        """Keep them below a directory, which other code empties before and afterwards."""
        self._root = root
        self._kept: OrderedDict[tuple[str, ...], _Merged] = OrderedDict()
        self._states: defaultdict[str, int] = defaultdict(int)
        self._guard = threading.Lock()
        # Merges are large, so there is one at a time.
        self._merging = threading.Lock()

    @contextmanager
    def use(
        self, datasets: Sequence[str], members: Sequence[Path], merge: Callable[[Path], None], *, seconds: float
    ) -> Iterator[Path]:
        """The merge of some checkpoints.

        Args:
            datasets: their names, sorted.
            members: their present checkpoints, which exist until ``merge`` returns.
            merge: makes the merged checkpoint at a path that does not exist.
            seconds: the longest time to wait for another merge.

        Yields:
            Its directory, which exists until the block ends.

        Raises:
            Busy: another merge took too long.
        """
        found = self._enter(tuple(datasets), tuple(members), merge, seconds)
        try:
            yield found.path
        finally:
            self._leave(tuple(datasets), found)

    def outdate(self, dataset: str) -> None:
        """Remove the merged checkpoints of a dataset that changed; those in use are removed after it."""
        with self._guard:
            self._states[dataset] += 1
            for key in [key for key in self._kept if dataset in key]:
                self._drop(key)

    def clear(self) -> None:
        """Forget all of them; none may be in use."""
        with self._guard:
            self._kept.clear()

    def _enter(
        self, key: tuple[str, ...], members: tuple[Path, ...], merge: Callable[[Path], None], seconds: float
    ) -> _Merged:
        found = self._ready(key, members)
        if found is not None:
            return found
        if not self._merging.acquire(timeout=seconds):
            raise Busy("other projects are being merged for another query; try again")
        try:
            found = self._ready(key, members)
            if found is not None:
                return found
            with self._guard:
                states = [self._states[dataset] for dataset in key]
            folder = hashlib.sha256("/".join(key).encode()).hexdigest()[:32]
            made = _Merged(self._root / folder / uuid.uuid4().hex[:12], members, users=1)
            made.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                merge(made.path)
            except BaseException:
                shutil.rmtree(made.path, ignore_errors=True)
                made.path.with_suffix(".nq").unlink(missing_ok=True)
                raise
            with self._guard:
                if states == [self._states[dataset] for dataset in key]:
                    self._keep(key, made)
            return made
        finally:
            self._merging.release()

    def _ready(self, key: tuple[str, ...], members: tuple[Path, ...]) -> _Merged | None:
        with self._guard:
            found = self._kept.get(key)
            if found is None or found.members != members:
                return None
            self._kept.move_to_end(key)
            found.users += 1
            return found

    def _keep(self, key: tuple[str, ...], made: _Merged) -> None:
        if key in self._kept:
            self._drop(key)
        self._kept[key] = made
        while len(self._kept) > _KEPT:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, ...]) -> None:
        merged = self._kept.pop(key)
        if not merged.users:
            shutil.rmtree(merged.path, ignore_errors=True)

    def _leave(self, key: tuple[str, ...], merged: _Merged) -> None:
        with self._guard:
            merged.users -= 1
            if not merged.users and self._kept.get(key) is not merged:
                shutil.rmtree(merged.path, ignore_errors=True)
