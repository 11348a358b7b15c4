"""What the views were built from, for each mirror.

The IRIs of a mirror depend on its origin: its base IRI may change, and bytes that were absent may arrive. Neither is an
entry of the mirror. So a file beside the views records the ``Mirror.key`` with which each mirror was applied; with
another key, its content is removed and applied again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from provrepo.ledger.storage.durable import PRIVATE, make_directory, sync
from provrepo.repository.exchange.foreign import MirroredProjects
from provrepo.views.view import PUBLIC, View

__all__ = ["MirrorKeys"]

log = logging.getLogger("provrepo.repository.upkeep.mirror_keys")


class MirrorKeys:
    """The keys of the mirrors in the views of one folder. Only the holder of ``views.lock`` writes the file."""

    def __init__(self, file: Path, mirrored: MirroredProjects) -> None:
        """Take the file, which need not exist, and the mirrors."""
        self._file = file
        self._mirrored = mirrored
        self._applied: dict[str, str] | None = None

    def changed(self) -> bool:
        """Return whether a mirror has another key than the one with which it was applied."""
        return self._present() != self._load()

    def level(self, views: Sequence[View]) -> set[str]:
        """Remove the content of the mirrors that have another key now, and record their present keys.

        Returns:
            The projects that have to be applied again.
        """
        present, applied = self._present(), self._load()
        if present == applied:
            return set()
        again = {project for project in present.keys() | applied.keys() if present.get(project) != applied.get(project)}
        stale = {project for project in again if any(view.position(project, project) for view in views)}
        for view in views:
            for project in stale:
                view.clear(project)
            if stale and view.MERGES and PUBLIC in view.datasets():
                # Its graphs have the former names, by which they are no longer found.
                view.clear(PUBLIC)
        if stale:
            log.info("mirrors are indexed again: %s", ", ".join(sorted(stale)))
        self._save(present)
        return again if not stale else again | {PUBLIC}

    def public_twin(self, project: str) -> bool:
        """Return whether another mirror of the same project is public: its graphs have the same names."""
        mirrors = self._mirrored.refresh()
        own = mirrors.get(project)
        return own is not None and any(
            other.public and other.project != project and (other.identity, other.stream) == (own.identity, own.stream)
            for other in mirrors.values()
        )

    def _present(self) -> dict[str, str]:
        return {name: mirror.key for name, mirror in self._mirrored.refresh().items()}

    def _load(self) -> Mapping[str, str]:
        if self._applied is None:
            try:
                found = json.loads(self._file.read_text("utf-8"))
                self._applied = {str(name): str(key) for name, key in found.items()}
            except (OSError, ValueError, AttributeError):
                # Without the file the mirrors are applied again.
                self._applied = {}
        return self._applied

    def _save(self, keys: dict[str, str]) -> None:
        partial = self._file.with_suffix(".part")
        make_directory(self._file.parent, mode=PRIVATE)
        with partial.open("w", encoding="utf-8") as file:
            json.dump(keys, file, ensure_ascii=False, sort_keys=True, indent=1)
            file.flush()
            sync(file.fileno())
        partial.replace(self._file)
        self._applied = keys
