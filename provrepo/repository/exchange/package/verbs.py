"""Verbs that write a project to a file, and read it from one."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from provrepo.errors import UsageError
from provrepo.repository.context import Context

if TYPE_CHECKING:
    from provrepo.repository.exchange.package.pack import Package, Progress
    from provrepo.repository.exchange.package.unpack import Unpacked

__all__ = ["pack", "unpack"]


def pack(
    context: Context,
    project: str,
    target: str | Path | IO[bytes],
    *,
    since: int = 0,
    for_readers: bool = False,
    progress: Progress | None = None,
) -> Package:
    """Write a project to a zip archive, from which ``unpack`` makes a mirror in another repository.

    The file is complete or is not there: it is written under another name, synced and renamed. The same entries give
    the same bytes with the same version of provrepo. It contains what the actor may read: the ledger entries, the
    submitted bytes, current versions as PROV-JSON, reports, profiles of the project, and names of submitters. Withdrawn
    versions are in it for actors who may change the project. Erased bytes and internal reasons are never in it.

    Args:
        project: the project.
        target: the file to write, which is replaced if it exists; or an open binary file, which gets the bytes from the
            first to the last.
        since: the sequence number of the last entry that the receiver has; 0 for none.
        for_readers: leave out withdrawn versions, which readers of the project do not see.
        progress: called with the name of a part, and the number of its items that are done.

    Raises:
        NotFound: no such project, or it has no entries after ``since``.
        UsageError: ``since`` is negative, or the file cannot be written there.
        Damaged: an entry or a blob is damaged; nothing is written.
        TooLarge: the project has too many documents for one file.
        Busy: another process writes the same file.
        NoSpace: the disk is full.
    """
    from provrepo.repository.exchange.package.pack import write_package
    from provrepo.repository.exchange.package.target import replacing

    context.require_read(project)
    withdrawn = context.curates(project) and not for_readers
    if not isinstance(target, str | Path):
        return write_package(context, project, target, since=since, withdrawn=withdrawn, progress=progress)
    path = Path(target)
    if context.store.settings.data.resolve() in path.resolve().parents:
        raise UsageError(f"{target} is in the data directory; choose a file outside of it")
    with replacing(path) as file:
        return write_package(context, project, file, since=since, withdrawn=withdrawn, progress=progress)


def unpack(
    context: Context,
    source: str | Path,
    *,
    name: str | None = None,
    check: bool = False,
    after_reset: bool = False,
    progress: Progress | None = None,
) -> Unpacked:
    """Make a mirror from a package, or continue it with a later one.

    The whole package is verified before anything is stored: the archive, the digests of all files, the chain of the
    entries, and that they continue those that are here. Then entries are appended in pages, each after its blobs. So
    after an interruption the mirror has the first entries, and unpacking again completes it. Unpacking a package again
    changes nothing, except that blobs which the mirror lacks are added.

    Args:
        source: the file.
        name: the name of the mirror; by default that of the project.
        check: verify the package, and store nothing.
        after_reset: continue although the origin was restored from a backup, if the package continues the mirror.
        progress: called with the name of a part, and the number of its items that are done.

    Raises:
        ReadError: the package is refused; the message names the member that is wrong. Nothing is stored.
        Conflict: it is of this repository; or of another repository or project than the mirror; or entries between
            mirror and package are missing. Nothing is stored.
        Diverged: its entries do not continue those of the mirror, or its origin was reset. Nothing is stored.
        Busy: another process is pulling the mirror.
        Denied: the actor is not the owner.
        NoSpace: the disk is nearly full.
    """
    from provrepo.repository.exchange.package.unpack import check_package, unpack_package

    report = progress or (lambda _what, _count: None)
    if check:
        return check_package(Path(source), report)
    return unpack_package(context, Path(source), name, after_reset=after_reset, progress=report)
