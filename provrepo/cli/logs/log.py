"""The verbs ``log …``: signed checkpoints of projects, and the keys that sign them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import Diverged
from provrepo.verify.notes import parse_keys
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.logs.records import LogInfo

__all__ = ["log"]


@click.group(short_help="Show the signed logs of projects, and replace the key that signs them.")
def log() -> None:
    """Show the signed log of a project, and replace the key that signs it.

    The log of a project is a Merkle tree over its ledger entries. A checkpoint is a signed statement of its size and
    root, so that whoever has an earlier one can detect that the history was rewritten.
    """


@log.command("show", short_help="Show the log of a project and its signed checkpoint.")
@click.argument("project", metavar="[P]", required=False)
@json_option
@pass_invocation
def show(invocation: Invocation, project: str | None, style: str) -> None:
    """Show the log of project P: origin, number of entries, root of the tree, keys, and the signed checkpoint.

    Without P it is the log of the repository's own stream, which only its owner can see.
    """
    with invocation.repository() as repository:
        found = repository.log(project)
    _print(found, style)


@log.command("keys", short_help="Print the keys that sign, for `provrepo verify --key`.")
@click.argument("project", metavar="[P]", required=False)
@pass_invocation
def keys(invocation: Invocation, project: str | None) -> None:
    """Print the keys that sign the log of project P, one a line, as `provrepo verify --key` reads them.

    Give this file to those who are to verify receipts, by a way on which nobody can replace it. The keys are the same
    for all projects of a repository; those of a mirror are the keys of its origin.
    """
    with invocation.repository() as repository:
        for key in repository.log(project).keys:
            output.result(key)


@log.command("monitor", short_help="Check that the log of another repository has only grown.")
@click.argument("url", metavar="URL/projects/P")
@click.option("--key", metavar="FILE", help="The keys that you trust, one a line. Default: those of the first contact.")
@click.option("--state", metavar="FILE", help="The file with the last checkpoint. Default: one in the data directory.")
@json_option
@pass_invocation
def monitor(invocation: Invocation, url: str, key: str | None, state: str | None, style: str) -> int:
    """Check that the log of the project at URL/projects/P has only grown since the last call, without copying it.

    The last signed checkpoint is kept in a file. A history that was rewritten, shortened or forked is named, with both
    signed checkpoints as evidence, which the file keeps as well (exit 1). The token is PROVREPO_TOKEN. Call it
    regularly: what changed before the first call cannot be detected.
    """
    from provrepo.repository.logs.monitor import monitor as look
    from provrepo.repository.logs.monitor import state_file

    settings = invocation.settings()
    if state is None:
        settings.require_directory()
    file = state_file(settings.data / "monitors", url) if state is None else Path(state)
    keys = parse_keys(Path(key).read_text("utf-8")) if key else ()
    try:
        found = look(url, file, token=settings.token, keys=keys)
    except Diverged as error:
        if style == "json":
            output.records({"url": url, "state": error.state, "problem": str(error), "evidence": list(error.evidence)})
        else:
            for heading, note in zip(("signed before:", "signed now:"), error.evidence, strict=False):
                output.result(f"{heading}\n\n{note}")
        raise
    if style == "json":
        output.records(found.to_dict())
    else:
        since = f", {found.former:,} at {found.seen}" if found.seen else ""
        output.result(f"{found.origin}: {found.state}, {counted(found.size, 'entry', 'entries')}{since}")
        if not found.seen and not key:
            output.note(f"the key was learned from the server: compare it on another way: {found.keys[0]}")
    return 0


@log.command("rotate", short_help="Replace the key that signs with a new one.")
@click.option("--lost", is_flag=True, help="The former key is lost or in other hands: it does not sign any more.")
@json_option
@pass_invocation
def rotate(invocation: Invocation, lost: bool, style: str) -> None:
    """Replace the key that signs checkpoints with a new one. Both sign, until `provrepo log retire`.

    So those who trust the former key learn of the new one from checkpoints that both signed. The change is an entry of
    the repository's own stream.
    """
    with invocation.repository() as repository:
        found = repository.rotate_log_key(lost=lost)
    _print(found, style)


@log.command("retire", short_help="End the use of the former key after a rotation.")
@json_option
@pass_invocation
def retire(invocation: Invocation, style: str) -> None:
    """End the use of the key that `provrepo log rotate` replaced: it is revoked, and deleted from the file of keys.

    What it has signed stays valid for those who trust it.
    """
    with invocation.repository() as repository:
        found = repository.retire_log_key()
    _print(found, style)


def _print(found: LogInfo, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    output.result(f"{found.project or 'the repository'}: {counted(found.size, 'entry', 'entries')} in a signed log")
    output.result(f"  origin  {found.origin}")
    output.result(f"  root    {found.root}")
    for key in found.keys:
        output.result(f"  key     {key}")
    output.result("")
    output.result(found.checkpoint.rstrip("\n"))
