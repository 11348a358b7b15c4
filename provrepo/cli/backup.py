"""The verbs ``backup`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, keep_private, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.upkeep.backup import Snapshot

__all__ = ["backup", "restore"]

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(short_help="Copy the repository to another directory while it is in use.")
@click.argument("target", type=_FOLDER, metavar="TARGET")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Remove all but the newest N sound snapshots.")
@click.option("--list", "listing", is_flag=True, help="List the snapshots in TARGET; nothing is copied.")
@click.option("--verify", is_flag=True, help="Read all snapshots in TARGET again; nothing is copied.")
@json_option
@pass_invocation
def backup(invocation: Invocation, target: Path, keep: int | None, listing: bool, verify: bool, style: str) -> int:
    """Add a snapshot of the ledger, accounts and blobs to the directory TARGET, which is made if it does not exist.

    Servers and writers continue to run. A snapshot is one state of the ledger with all its blobs; blobs that are
    already in TARGET are not copied again. Copies are compared with their digests, and the chain of entries is
    verified. A snapshot appears in TARGET when it is complete; an interrupted command does not change earlier
    snapshots. Views (which can be rebuilt), settings and logs are not copied. TARGET contains private projects and the
    digests of tokens; other users cannot read it.

    Exit 0: sound; 1: a problem was found, and is printed.
    """
    if keep is not None and (listing or verify):
        raise UsageError("--keep cannot be combined with --list or --verify, which make no snapshot")
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
            f"{target}: snapshot {made.name}, {_contents(made.entries, made.blobs)}, {made.copied:,} of them "
            f"copied: {_verdict(made.problems)}"
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
@click.option("--snapshot", metavar="NAME", help="The snapshot to restore. Default: the newest.")
@click.option("--damaged", is_flag=True, help="Restore the intact parts of a damaged snapshot.")
@json_option
@pass_invocation
def restore(invocation: Invocation, source: Path, snapshot: str | None, damaged: bool, style: str) -> int:
    """Make the data directory, which must not exist or must be empty, from a snapshot in SOURCE.

    Everything is copied and verified, and becomes a repository in the last step: after an interruption there is no
    repository, and the command can be repeated. A directory that is not empty is refused. The repository keeps its
    identity and all names. A new set-up identifier and an entry `gap` in each project inform programs that follow the
    ledger that entries after the backup are missing. The next command that needs the views rebuilds them.

    Exit 0: restored and sound; 1: refused, or restored with --damaged, and missing content is listed.
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
            f"{made.data}: snapshot {made.snapshot} of {made.made} restored, "
            f"{_contents(made.entries, made.blobs)}: {_verdict(made.problems)}; identity "
            f"{made.identity}, set-up {made.setup}"
        )
    return 1 if made.problems else 0


def _problems(problems: tuple[str, ...] | list[str]) -> None:
    for problem in problems:
        output.result(f"problem: {problem}")


def _verdict(problems: tuple[str, ...] | list[str]) -> str:
    if not problems:
        return "sound"
    return counted(len(problems), "problem")


def _contents(entries: int, blobs: int) -> str:
    return f"{counted(entries, 'entry', 'entries')} and {counted(blobs, 'blob')}"
