"""Verbs about what a repository holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation
from provrepo.errors import UsageError

if TYPE_CHECKING:
    from provrepo.repository.records import VersionInfo

__all__ = ["erase", "export", "fsck", "history", "init", "list_", "rebuild", "submitter", "withdraw"]

SHORT = 12
"""Digits of a SHA-256 that a table shows; ``--output json`` has them all."""


@click.command()
@click.option("--base", metavar="IRI", help="Under which the repository mints IRIs; such as https://prov.example/.")
@json_option
@pass_invocation
def init(invocation: Invocation, base: str | None, style: str) -> None:
    """Make a data directory, or set the base IRI of one.

    The first verb that writes makes one as well; verbs that read never do. It is given an identity, a UUID that never
    changes. Without a base IRI minted IRIs are urn:uuid: and depend on the identity. The base is an entry of the
    ledger: setting it to what it is changes nothing, changing it rebuilds the views.
    """
    settings = invocation.settings(base=base)
    with invocation.repository(follow=True) as repository:
        base = repository.init(settings.base or None)
        identity = repository.identity()
    if style == "json":
        output.records({"data": str(settings.data), "base": base, "identity": identity})
    else:
        output.result(f"{settings.data}: {f'base IRI {base}' if base else 'no base IRI yet'}, identity {identity}")


@click.command("list", short_help="Documents: who, when, digest, verdict, possibility.")
@click.argument("project", required=False, metavar="[P]")
@click.option("--withdrawn", is_flag=True, help="Those that were withdrawn too.")
@json_option
@pass_invocation
def list_(invocation: Invocation, project: str | None, withdrawn: bool, style: str) -> None:
    """The documents of project P, or of all projects, with the newest version of each.

    VERDICT is whether it conforms to its profiles, POSSIBLE what PROV-CONSTRAINTS say of it where they were asked.
    """
    with invocation.repository() as repository:
        projects = [project] if project else [known.name for known in repository.projects()]
        documents = [found for name in projects for found in repository.documents(name, withdrawn=withdrawn)]
    if style == "json":
        output.records([document.to_dict() for document in documents])
        return
    output.table(
        ["DOCUMENT", "VERSION", "STATE", "FORMAT", "STATEMENTS", *_JUDGED, "TIME", "SUBMITTER", "SHA-256"],
        [_row(f"{d.project}/{d.name}", d.current, "withdrawn" if d.withdrawn else d.current.state) for d in documents],
    )


_JUDGED = ("VERDICT", "POSSIBLE", "WARNINGS")

POSSIBLE = {True: "possible", False: "impossible", None: "-"}
"""What PROV-CONSTRAINTS say of a version, in one word; it was not asked, or is not known, where there is none."""


def _row(name: str, version: VersionInfo, state: str) -> list[object]:
    return [
        name,
        version.version,
        state,
        version.format,
        version.statements,
        version.verdict,
        POSSIBLE[version.possible],
        "-" if version.warnings is None else version.warnings,
        version.time,
        submitter(version.submitter, version.token),
        version.sha256[:SHORT],
    ]


def submitter(name: str, token: str) -> str:
    """Who sent a version: two tokens of one name are told apart."""
    return f"{name} [{token}]" if token else name


def not_indexed(waiting: str) -> str:
    """What is to be said where the views could not be brought up to what was just stored."""
    return f"the views do not have it yet ({waiting}): the next command tries again"


@click.command(short_help="All versions of a document, oldest first.")
@click.argument("reference", type=REFERENCE, metavar="P/N")
@json_option
@pass_invocation
def history(invocation: Invocation, reference: Reference, style: str) -> None:
    """All versions of a document, oldest first: who, when, digest, verdict, possibility.

    No version is ever changed or forgotten. An erased one has lost its bytes and keeps its digest. What was withdrawn
    or erased is listed with who, when and why. Beside the name of a submitter stands the token that was used.
    """
    _whole(reference)
    with invocation.repository() as repository:
        versions = repository.history(reference.project, reference.name)
    if style == "json":
        output.records([version.to_dict() for version in versions])
        return
    output.table(
        ["VERSION", "STATE", "FORMAT", "STATEMENTS", *_JUDGED, "TIME", "SUBMITTER", "SHA-256", "NOTE"],
        [[*_row("", version, _state(version))[1:], version.note] for version in versions],
    )
    for version in versions:
        if version.ended:
            output.result(
                f"version {version.version} {version.state} {version.ended} by {version.ended_by}: {version.reason}"
            )
        if version.internal_reason:
            output.result(f"version {version.version} {version.state} internally: {version.internal_reason}")
        if version.set_aside:
            output.result(
                f"version {version.version} set aside by {', '.join(version.set_aside)}; `provrepo fsck` says why"
            )


def _state(version: VersionInfo) -> str:
    return (
        version.state
        if version.state in ("withdrawn", "erased") or not version.withdrawn
        else (f"{version.state}, withdrawn")
    )


@click.command()
@click.argument("reference", type=REFERENCE, metavar="P/N[@VERSION]")
@click.option("--to", metavar="FORMAT", help="The format; otherwise the suffix of -o says, or it stays as submitted.")
@click.option("--original", is_flag=True, help="The submitted bytes, unchanged.")
@click.option("-o", "--out", default="-", metavar="FILE", help="Where to write it instead of stdout.")
@pass_invocation
def export(invocation: Invocation, reference: Reference, to: str | None, original: bool, out: str) -> None:
    """A version of a document, by default the current one.

    Without a format, or with --original, these are the very bytes that were submitted. In another format they say the
    same; what the format cannot carry is listed on stderr. FILE is written whole or not at all.
    """
    from provrepo.cli.documents import report_losses
    from provrepo.codecs.formats import by_name, by_suffix

    if original and to:
        raise UsageError("--original gives the bytes as they are: it does not go together with --to")
    suffix = None if original or to or out == "-" else by_suffix(out)
    target = by_name(to) if to else suffix
    with invocation.repository() as repository:
        if target is None:
            output.save(repository.export(*reference), out)
            return
        content = repository.export(*reference, format=target.name)
        losses = repository.read(*reference).losses(target.name)
    output.save(content, out)
    report_losses(losses)


_internal = click.option(
    "--internal-reason",
    default="",
    help="Why, for those alone who may change the project; the ledger has a salted digest of it.",
)


@click.command(short_help="Leave a document out of lists and queries.")
@click.argument("reference", type=REFERENCE, metavar="P/N")
@click.option("--reason", required=True, help="Why; everybody who may read the project will read it.")
@_internal
@json_option
@pass_invocation
def withdraw(invocation: Invocation, reference: Reference, reason: str, internal_reason: str, style: str) -> None:
    """Withdraw a document: lists, queries and all its addresses leave it out from now on.

    Its history stays, and says who withdrew it, when and why. Its versions can be exported by number, by those who may
    change the project. Submitting under the name again adds a version that readers get; those before stay withdrawn.
    """
    _whole(reference)
    with invocation.repository(follow=True) as repository:
        document = repository.withdraw(
            reference.project, reference.name, reason=reason, internal_reason=internal_reason
        )
        waiting = repository.waiting()
    if waiting:
        output.note(f"withdrawn; {not_indexed(waiting)}")
    if style == "json":
        output.records(document.to_dict())
    else:
        output.result(f"{reference} withdrawn {document.withdrawn_at}")


@click.command(short_help="Delete the bytes of a version for good.")
@click.argument("reference", type=REFERENCE, metavar="P/N@VERSION")
@click.option("--reason", required=True, help="Why; it stays in the ledger for good, for all who may read the project.")
@_internal
@json_option
@pass_invocation
def erase(invocation: Invocation, reference: Reference, reason: str, internal_reason: str, style: str) -> None:
    """Delete the bytes of one version for good, because the law asks for it.

    This cannot be undone. The entry, its digest and the reason stay, so that the history still adds up.
    """
    if reference.version is None:
        raise UsageError(f"say which version is to be erased: {reference}@1")
    with invocation.repository(follow=True) as repository:
        version = repository.erase(
            reference.project, reference.name, reference.version, reason=reason, internal_reason=internal_reason
        )
        waiting, remaining = repository.waiting(), repository.remaining(version.sha256)
    if waiting:
        output.note(f"erased; {not_indexed(waiting)}")
    if remaining:
        others = "another version consists" if remaining == 1 else f"{remaining:,} other versions consist"
        output.note(
            f"the bytes are still stored: {others} of them, and each is erased by itself; `provrepo history` has the "
            "SHA-256 of each"
        )
    if style == "json":
        output.records(version.to_dict())
    else:
        output.result(f"{reference} erased; its SHA-256 was {version.sha256}")


def _whole(reference: Reference) -> None:
    if reference.version is not None:
        raise UsageError(f"name the document without a version: {reference.project}/{reference.name}")


@click.command()
@json_option
@pass_invocation
def rebuild(invocation: Invocation, style: str) -> None:
    """Throw the views away and derive them from the ledger again.

    The same software gives the same quads. The ledger is only read, and nothing is checked again.
    """
    with output.Progress() as progress, invocation.repository(follow=True) as repository:
        datasets = repository.rebuild(progress)
    if style == "json":
        output.records(datasets)
    else:
        output.table(["DATASET", "QUADS"], sorted(datasets.items()))


@click.command(short_help="Check every digest, and compare views with the ledger.")
@click.option("--views", is_flag=True, help="Derive all views anew and compare them; otherwise some versions.")
@json_option
@pass_invocation
def fsck(invocation: Invocation, views: bool, style: str) -> int:
    """Read all of the ledger and check every digest and every link between entries. Changes nothing.

    Names and tokens are compared with what the ledger recorded of them, and the views with what the ledger yields: a
    random sample of the versions, or with --views everything, which takes as long as `provrepo rebuild` and as much
    space as the views have. Each problem says what to do.

    Exit 0: sound; 1: something is wrong, and the output says what; 2: there is no repository that could be sound.
    """
    with output.Progress() as progress, invocation.repository(follow=True) as repository:
        check = repository.fsck(progress, views=views)
    if style == "json":
        output.records(check.to_dict())
    else:
        for problem in check.problems:
            output.result(f"problem: {problem}")
        for remark in check.notes:
            output.result(f"note: {remark}")
        number = len(check.problems)
        verdict = "sound" if check.sound else f"{number:,} problem{'' if number == 1 else 's'}"
        output.result(f"{check.entries} entries and {check.blobs} blobs read: {verdict}")
    return 0 if check.sound else 1
