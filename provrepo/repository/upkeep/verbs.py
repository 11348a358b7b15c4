"""Verbs that maintain the data directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from provrepo._version import __version__
from provrepo.repository.context import Context
from provrepo.repository.records import (
    Check,
)

if TYPE_CHECKING:
    from provrepo.repository.upkeep.backup import Snapshot

from provrepo.repository.queries.verbs import _quads

__all__ = ["backup", "check_views", "fsck", "indexing_server", "rebuild", "waiting"]


def rebuild(context: Context, progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Throw the views away and make them again from the ledger.

    Args:
        progress: called with each project and how many entries it has, once it is done.

    Returns:
        The number of quads of each dataset.

    Raises:
        Busy: another process holds the views.
        Denied: only the owner may.
    """
    context.require_owner("rebuilds")
    context.store.follower.rebuild(progress)
    quads = _quads(context)
    return {dataset: quads.count(dataset) for dataset in quads.datasets()}


def fsck(context: Context, progress: Callable[[str, int], None] | None = None, *, views: bool = False) -> Check:
    """Read every entry and every blob again, and say what is not as it was written.

    Args:
        progress: called with what was read and how much of it there was.
        views: derive every view anew beside the former ones and compare all of them; without it some versions are
            compared.

    Raises:
        Denied: only the owner may.
    """
    from provrepo.repository.upkeep.fsck import fsck

    context.require_owner("checks the data directory")
    return fsck(context.store, progress, views=views)


def check_views(context: Context, whole: bool = False) -> list[str]:
    """Compare the views with what the ledger yields: the part of ``fsck`` that needs the process that has them.

    Args:
        whole: all of them; otherwise some versions.

    Returns:
        What is wrong, one sentence each.

    Raises:
        Denied: only the owner may.
    """
    from provrepo.repository.upkeep.fsck_views import check_views

    context.require_owner("checks the data directory")
    return check_views(context.store, whole=whole)


def backup(
    context: Context,
    target: str | Path,
    *,
    keep: int | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Snapshot:
    """Add a snapshot of the repository to a backup; writers and servers go on meanwhile.

    Args:
        target: a directory; made where there is none.
        keep: how many sound snapshots stay; None for all.
        progress: called with what was just done and how much of it there was.

    Returns:
        The snapshot, with its problems where it is not sound.

    Raises:
        Conflict: the directory holds something else.
        Busy: another process writes to it.
        Denied: only the owner may.
    """
    from provrepo.repository.upkeep.backup import back_up

    context.require_owner("makes backups")
    return back_up(context.store, Path(target), software=f"provrepo/{__version__}", keep=keep, progress=progress)


def waiting(context: Context) -> str:
    """Why the views could not be brought up to the ledger the last time; empty where they could."""
    return "; ".join(dict.fromkeys(context.store.follower.waiting.values()))


def indexing_server(context: Context) -> str:
    """The URL of the server that indexes what this process stores; empty where there is none.

    Without one, this process does, or whoever asks next.
    """
    return context.store.follower.server()
