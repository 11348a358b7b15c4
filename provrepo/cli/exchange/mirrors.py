"""The verbs ``mirror`` and ``pull``: copies of projects of other repositories, which follow their origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.errors import Diverged, Error, UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.exchange.mirroring.records import MirrorInfo

__all__ = ["describe", "mirror", "pull"]


@click.command(short_help="Copy a project of another repository, and follow it.")
@click.argument("url", metavar="URL/projects/P", required=False)
@click.option("--name", metavar="N", help="The name of the mirror here. Default: that of the project.")
@click.option(
    "--public/--private",
    default=None,
    help="Whether everybody may read the mirror, if the project is public there too. Default: private.",
)
@click.option(
    "--blobs",
    type=click.Choice(["all", "current", "none"]),
    help="Which bytes are copied: all, those of current versions, or none. Entries always are. Default: all.",
)
@click.option("--max-blob", "most", type=click.IntRange(min=0), metavar="BYTES", help="No larger bytes; 0: no limit.")
@click.option("--end", metavar="N", help="Stop following the origin of mirror N, which stays as it is.")
@json_option
@pass_invocation
def mirror(
    invocation: Invocation,
    url: str | None,
    name: str | None,
    public: bool | None,
    blobs: str | None,
    most: int | None,
    end: str | None,
    style: str,
) -> None:
    """Copy the project at URL/projects/P into a read-only project N, entry for entry, byte for byte.

    The chain of the entries is verified before anything is stored, and bytes are compared with their digests.
    Documents keep their IRIs, submitters, times, verdicts, withdrawals and erasures. What the caller may not read
    there, such as withdrawn versions, is absent here, with the reason. An interrupted copy goes on where it was.

    The token is PROVREPO_TOKEN, or that of the peer with this URL (`provrepo peers add`). Later changes come with
    `provrepo pull`, and every `pull_every` seconds while a server runs. The same command again changes the options.
    """
    if (url is None) == (end is None):
        raise UsageError("give the URL of a project, or --end with the name of a mirror")
    if end is not None:
        with invocation.repository() as repository:
            _show(repository.end_mirror(end), style)
        return
    with output.Progress() as progress, invocation.repository(follow=True) as repository:
        found = repository.mirror(
            url or "",
            name=name,
            public=public,
            blobs=blobs,
            most=most,
            token=repository.settings.token or None,
            progress=lambda sequence, ahead: progress(f"entries of {ahead:,}", sequence),
        )
    _show(found, style)


@click.command(short_help="Bring mirrors up to date.")
@click.argument("names", metavar="[P]...", nargs=-1)
@click.option("--missing", is_flag=True, help="Fetch also the bytes that are absent, as far as the mirror allows.")
@click.option("--after-reset", is_flag=True, help="Go on with an origin that was restored, if it lacks no entry.")
@json_option
@pass_invocation
def pull(invocation: Invocation, names: tuple[str, ...], missing: bool, after_reset: bool, style: str) -> int:
    """Bring the mirrors P up to date; without names all that are followed. An unchanged origin costs one request.

    PROVREPO_TOKEN is sent only if one mirror is named; otherwise each origin gets the token of its peer. An origin
    that was reset, shortened or rewritten is named, and nothing is changed here. Exit 1: at least one mirror could not
    be brought up to date.
    """
    if after_reset and len(names) != 1:
        raise UsageError("--after-reset needs the name of one mirror")
    if not names:
        invocation.settings().require_directory()
    failed: list[tuple[str, Error]] = []
    shown: list[MirrorInfo] = []
    with output.Progress() as progress, invocation.repository(follow=True) as repository:
        chosen = list(names) or [info.name for info in repository.mirrors() if info.origin and info.state != "ended"]
        for name in chosen:
            try:
                found = repository.pull(
                    name,
                    missing=missing,
                    after_reset=after_reset,
                    token=(repository.settings.token or None) if len(names) == 1 else None,
                    progress=lambda sequence, ahead: progress(f"entries of {ahead:,}", sequence),
                )
            except Error as error:
                if isinstance(error, UsageError) or len(chosen) == 1:
                    _show_evidence(name, error)
                    raise
                failed.append((name, error))
            else:
                shown.append(found)
    if style == "json":
        errors = [{"name": name, "error": str(why), "evidence": list(_evidence(why))} for name, why in failed]
        output.records({"mirrors": [found.to_dict() for found in shown], "failed": errors})
    else:
        for found in shown:
            output.result(f"{found.name}: {describe(found)}")
        if not chosen:
            output.note("there are no mirrors to pull: provrepo mirror makes one")
    for name, why in failed:
        _show_evidence(name, why)
        output.note(f"{name}: {why}")
    return 1 if failed else 0


def _evidence(error: Error) -> tuple[str, ...]:
    return tuple(error.evidence) if isinstance(error, Diverged) else ()


def _show_evidence(name: str, error: Error) -> None:
    """Print the signed checkpoints that contradict each other, on stderr, since they are no result."""
    for note in _evidence(error):
        for line in (f"{name}: a signed checkpoint of its origin:", *note.splitlines()):
            output.note(line)


def describe(found: MirrorInfo) -> str:
    """Return what is said of a mirror in a line."""
    text = f"mirror of {found.where}, up to entry {found.sequence:,}"
    if found.ahead > found.sequence:
        text += f" of {found.ahead:,}"
    text += f", {found.state}"
    if found.absent:
        text += f", {counted(found.absent, 'blob')} absent"
    if not (found.origin or found.contacted):
        return f"{text}, from a package"
    return f"{text}, last contact {found.contacted or 'never'}"


def _show(found: MirrorInfo, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    output.result(f"{found.name}: {describe(found)}")
    if found.message:
        output.result(f"  {found.message}")
