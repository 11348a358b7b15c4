"""The verbs ``pack`` and ``unpack``: a project as a file."""

from __future__ import annotations

from pathlib import Path

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

__all__ = ["pack", "unpack"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Write a project to a file, for another repository.")
@click.argument("project", metavar="P")
@click.argument("target", type=_FILE, metavar="OUT.zip")
@click.option(
    "--since",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Only entries after entry N, the last that the receiver has, and their files.",
)
@click.option("--for-readers", is_flag=True, help="Leave out withdrawn versions, which readers do not see.")
@json_option
@pass_invocation
def pack(invocation: Invocation, project: str, target: Path, since: int, for_readers: bool, style: str) -> None:
    """Write project P to the zip archive OUT.zip, from which `provrepo unpack` makes a mirror in another repository.

    The archive is an RO-Crate 1.2 in a BagIt bag with SHA-512 digests. It contains the ledger entries with their exact
    bytes, the submitted bytes of all versions, current versions as PROV-JSON, reports, profiles of the project, names
    of submitters, and a page `index.html` for people. Withdrawn versions are in it, unless --for-readers is given;
    erased bytes and internal reasons are not.

    OUT.zip is complete or is not there, even after a kill; an existing file is replaced at the end. Each blob is
    compared with its digest, and the chain of entries is verified. The same entries give the same bytes with the same
    version of provrepo. Memory grows with the number of files, and not with their sizes.
    """
    with output.Progress() as progress, invocation.repository() as repository:
        made = repository.pack(project, target, since=since, for_readers=for_readers, progress=progress)
    if style == "json":
        output.records({"file": str(target), **made.to_dict()})
        return
    contents = made.contents
    output.result(
        f"{target}: entries {contents.first} to {contents.last} of {contents.project}, "
        f"{counted(made.originals, 'version')}, {counted(made.size, 'byte')}; last entry {contents.sha256}"
    )
    if made.withdrawn:
        output.note(f"withdrawn versions among them: {made.withdrawn:,}; --for-readers leaves them out")
    if made.omitted:
        output.note(f"withdrawn or erased versions without their bytes: {made.omitted:,}")


@click.command(short_help="Make a mirror from the file of a project, or continue one.")
@click.argument("source", type=_FILE, metavar="FILE")
@click.option("--name", metavar="N", help="The name of the mirror here. Default: the name of the project.")
@click.option("--check", is_flag=True, help="Verify FILE, and store nothing.")
@click.option(
    "--after-reset",
    is_flag=True,
    help="Continue although the origin was restored from a backup, if FILE continues the mirror.",
)
@json_option
@pass_invocation
def unpack(invocation: Invocation, source: Path, name: str | None, check: bool, after_reset: bool, style: str) -> None:
    """Make a mirror from FILE, which `provrepo pack` has written, or continue one with a later file (`pack --since`).

    A mirror is read-only. Its entries are those of the origin, byte for byte, so that documents keep their IRIs,
    submitters, times, verdicts and withdrawals. The whole FILE is verified before anything is stored: the archive, the
    digests of all files, the chain of entries, and that they continue those that are here. Otherwise it is refused, the
    wrong member is named, and nothing is stored. Nothing is fetched from elsewhere.

    After an interruption the mirror has the first entries; unpacking again completes it. Unpacking a file again adds
    only blobs that the mirror lacks. A forger can make a sound FILE: compare the printed digest of the last entry with
    the sender.
    """
    if check and (name is not None or after_reset):
        raise UsageError("--check cannot be combined with --name or --after-reset: it makes no mirror")
    with output.Progress() as progress, invocation.repository(follow=not check) as repository:
        done = repository.unpack(source, name=name, check=check, after_reset=after_reset, progress=progress)
    if style == "json":
        output.records(done.to_dict())
        return
    contents = done.contents
    origin = contents.base or contents.identity
    what = f"entries {contents.first} to {contents.last} of {contents.project} of {origin}"
    if check:
        output.result(f"{source}: sound; {what}; last entry {contents.sha256}")
        return
    output.result(
        f"{done.mirror}: {what}, {done.entries:,} of them new, {done.blobs:,} new blobs; last entry {contents.sha256}"
    )
    for reason, number in done.absent.items():
        output.note(f"{counted(number, 'blob is', 'blobs are')} absent: {reason}")
