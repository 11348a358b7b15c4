"""The verbs ``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, keep_private, pass_invocation
from provrepo.errors import UsageError

if TYPE_CHECKING:
    from provrepo.repository.upkeep.backup import Snapshot

__all__ = ["backup", "restore"]

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(short_help="Copy the repository to another directory, while it is used.")
@click.argument("target", type=_FOLDER, metavar="TARGET")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Remove all but the newest N sound snapshots.")
@click.option("--list", "listing", is_flag=True, help="The snapshots in TARGET; nothing is copied.")
@click.option("--verify", is_flag=True, help="Read all snapshots in TARGET again; nothing is copied.")
@json_option
@pass_invocation
def backup(invocation: Invocation, target: Path, keep: int | None, listing: bool, verify: bool, style: str) -> int:
    """Add a snapshot of the ledger, accounts and blobs to the directory TARGET, which is made where there is none.

    Servers and writers go on meanwhile. A snapshot is one state of the ledger with every blob that it names; blobs
    that TARGET has are not copied again. What is copied is compared with its digest, and the chain of entries is
    verified. TARGET has the snapshot once it is whole: whenever the command is interrupted, the earlier ones stay as
    they were. Views are not copied, since they can be made again, nor are settings and logs. TARGET holds all
    that the repository holds, private projects and the digests of tokens included: it is closed to other users.

    Exit 0: sound; 1: something is wrong, and the output says what.
    """
    if keep is not None and (listing or verify):
        raise UsageError("--keep goes with a new snapshot, and so with neither --list nor --verify")
    keep_private()
    if listing or verify:
        return _listed(target, style, verify=verify)
    with output.Progress() as progress, invocation.repository() as repository:
        made = repository.backup(target, keep=keep, progress=progress)
    if style == "json":
        output.records(made.to_dict())
    else:
        _problems(made.problems)
        output.result(
            f"{target}: snapshot {made.name}, {made.entries:,} entries and {made.blobs:,} blobs, "
            f"{made.copied:,} of them copied: {_verdict(made.problems)}"
        )
    return 1 if made.problems else 0


def _listed(target: Path, style: str, *, verify: bool) -> int:
    from provrepo.repository.upkeep.backup import Archive

    archive = Archive(target)
    found: list[tuple[Snapshot, list[str]]] = []
    checked: set[str] = set()
    with output.Progress() as progress, archive.locked(shared=True):
        for snapshot in archive.snapshots():
            problems = list(archive.problems(snapshot, checked, progress)) if verify else list(snapshot.problems)
            found.append((snapshot, problems))
    if style == "json":
        output.records([{**snapshot.to_dict(), "problems": problems} for snapshot, problems in found])
    else:
        for snapshot, problems in found:
            _problems([f"snapshot {snapshot.name}: {problem}" for problem in problems])
        output.table(
            ["SNAPSHOT", "ENTRIES", "BLOBS", "BYTES", "STATE", "TIME"],
            [[s.name, s.entries, s.blobs, s.size, _verdict(problems), s.made] for s, problems in found],
        )
    return 1 if any(problems for _, problems in found) else 0


@click.command(short_help="Make a data directory from a backup.")
@click.argument("source", type=_FOLDER, metavar="SOURCE")
@click.option("--snapshot", metavar="NAME", help="Which one; otherwise the newest.")
@click.option("--damaged", is_flag=True, help="Restore what is left of a snapshot that is not whole.")
@json_option
@pass_invocation
def restore(invocation: Invocation, source: Path, snapshot: str | None, damaged: bool, style: str) -> int:
    """Make the data directory, which does not exist or is empty, from a snapshot in SOURCE.

    All is copied and verified first, and becomes a repository in one step at the end: whenever the command is
    interrupted, there is none, and it can be run again. A directory that holds anything is refused. The repository
    keeps its identity and all names; a new set-up identifier, and an entry in each project, tell those who follow it
    that what was stored after the backup is missing. The next command that needs the views makes them.

    Exit 0: restored and sound; 1: refused, or restored with --damaged and the output says what is missing.
    """
    from provrepo.repository.upkeep.restore import restore as run

    keep_private()
    with output.Progress() as progress:
        made = run(source, settings=invocation.settings(), snapshot=snapshot, damaged=damaged, progress=progress)
    if style == "json":
        output.records(made.to_dict())
    else:
        _problems(made.problems)
        output.result(
            f"{made.data}: snapshot {made.snapshot} of {made.made} restored, {made.entries:,} entries and "
            f"{made.blobs:,} blobs: {_verdict(made.problems)}; identity {made.identity}, set-up {made.setup}"
        )
    return 1 if made.problems else 0


def _problems(problems: tuple[str, ...] | list[str]) -> None:
    for problem in problems:
        output.result(f"problem: {problem}")


def _verdict(problems: tuple[str, ...] | list[str]) -> str:
    if not problems:
        return "sound"
    return f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
