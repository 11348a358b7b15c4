"""Verbs that maintain the data directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from provrepo._version import __version__
from provrepo.repository.context import Context
from provrepo.repository.records import Check

if TYPE_CHECKING:
    from provrepo.repository.upkeep.backup import Snapshot

__all__ = ["backup", "check_views", "fsck", "indexing_server", "rebuild", "waiting"]


def rebuild(context: Context, progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Discard the content of the views and rebuild them from the ledger.

    Args:
        progress: called with each project and the number of its entries after it was applied.

    Returns:
        The number of quads of each dataset.

    Raises:
        Busy: another process holds the views.
        Denied: only the owner may.
    """
    from provrepo.views.sparql.store import Quads

    context.require_owner("rebuilds")
    context.store.figures.forget()
    context.store.follower.rebuild(progress)
    quads = context.store.view(Quads)
    return {dataset: quads.count(dataset) for dataset in quads.datasets()}


def fsck(context: Context, progress: Callable[[str, int], None] | None = None, *, views: bool = False) -> Check:
    """Read every entry, blob and view again and report every difference from what was written.

    Args:
        progress: called with the name of a part that was read, and the number of its items.
        views: rebuild every view in a temporary directory and compare all of it; otherwise a sample of the versions is
            compared.

    Raises:
        Denied: only the owner may.
    """
    from provrepo.repository.upkeep.fsck import fsck

    context.require_owner("checks the data directory")
    return fsck(context.store, progress, views=views)


def check_views(context: Context, whole: bool = False) -> list[str]:
    """Compare the views with the ledger: the part of ``fsck`` that needs the process with the open views.

    Args:
        whole: compare everything; otherwise a sample of the versions.

    Returns:
        One sentence for each problem.

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
    """Add a snapshot of the repository to a backup. Writers and servers are not blocked.

    Args:
        target: the directory of the backup; created if it does not exist.
        keep: the number of sound snapshots to keep; None for all.
        progress: called with the name of a part that was copied, and the number of its items.

    Returns:
        The snapshot, with its problems if it is not sound.

    Raises:
        Conflict: the directory contains something else.
        Busy: another process writes to it.
        Denied: only the owner may.
    """
    from provrepo.repository.upkeep.backup import back_up

    context.require_owner("makes backups")
    return back_up(context.store, Path(target), software=f"provrepo/{__version__}", keep=keep, progress=progress)


def waiting(context: Context) -> str:
    """Return why the last update of the views failed; empty if it did not."""
    return "; ".join(dict.fromkeys(context.store.follower.waiting.values()))


def indexing_server(context: Context) -> str:
    """Return the URL of the server that indexes the entries of this process; empty if there is none.

    Without a server this process indexes them, or the next process that queries the views.
    """
    return context.store.follower.server()
