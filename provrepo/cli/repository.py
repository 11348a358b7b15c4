"""The verbs ``init list history export withdraw erase rebuild fsck``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, json_option, pass_invocation
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.records import VersionInfo

__all__ = ["erase", "export", "fsck", "history", "init", "list_", "rebuild", "submitter", "withdraw"]

SHORT = 12
"""The number of digits of a SHA-256 in tables; ``--output json`` has all digits."""


@click.command()
@click.option("--base", metavar="IRI", help="The base of minted IRIs, such as https://prov.example/.")
@json_option
@pass_invocation
def init(invocation: Invocation, base: str | None, style: str) -> None:
    """Make a data directory, or set its base IRI.

    Verbs that write make the data directory too, verbs that read do not. A new repository gets an identity, a UUID
    that never changes. Without a base IRI, minted IRIs are urn:uuid: and depend on the identity. The base IRI is an
    entry of the ledger. A change of the base IRI rebuilds the views.
    """
    settings = invocation.settings(base=base)
    with invocation.repository(follow=True) as repository:
        base = repository.init(settings.base or None)
        identity = repository.identity()
    if style == "json":
        output.records({"data": str(settings.data), "base": base, "identity": identity})
    else:
        output.result(f"{settings.data}: {f'base IRI {base}' if base else 'no base IRI yet'}, identity {identity}")


@click.command("list", short_help="List documents with submitter, time, digest and verdict.")
@click.argument("project", required=False, metavar="[P]")
@click.option("--withdrawn", is_flag=True, help="Include withdrawn documents.")
@click.option("--newest", is_flag=True, help="Those that need attention first, then the newest. Default: by name.")
@json_option
@pass_invocation
def list_(invocation: Invocation, project: str | None, withdrawn: bool, newest: bool, style: str) -> None:
    """List the documents of project P, or of all projects, with the newest version of each.

    VERDICT: whether it conforms to its profiles. POSSIBLE: whether it is valid by PROV-CONSTRAINTS, if they were
    checked.
    """
    if newest and withdrawn:
        raise UsageError("--newest lists the documents that are not withdrawn; leave out --withdrawn")
    with invocation.repository() as repository:
        projects = [project] if project else [known.name for known in repository.projects()]
        if newest:
            documents = [found for name in projects for found in repository.newest_documents(name)]
        else:
            documents = [found for name in projects for found in repository.documents(name, withdrawn=withdrawn)]
    if style == "json":
        output.records([document.to_dict() for document in documents])
        return
    output.table(
        ["DOCUMENT", "VERSION", "STATE", "FORMAT", "STATEMENTS", *_JUDGED, "TIME", "SUBMITTER", "SHA-256"],
        [_row(f"{d.project}/{d.name}", d.current, "withdrawn" if d.withdrawn else d.current.state) for d in documents],
    )
    for document in documents:
        for warning in document.current.origin_warnings:
            output.note(f"warning: {warning}")


_JUDGED = ("VERDICT", "POSSIBLE", "WARNINGS")

POSSIBLE = {True: "possible", False: "impossible", None: "-"}
"""Whether a version is valid by PROV-CONSTRAINTS, as one word; ``-`` if not checked or unknown."""


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
    """Return the submitter of a version with the token, because several tokens may have one name."""
    return f"{name} [{token}]" if token else name


def not_indexed(waiting: str) -> str:
    """Return the message for an entry that is stored and not yet in the views."""
    return f"it is not indexed yet ({waiting}); the next command tries again"


@click.command(short_help="List all versions of a document, oldest first.")
@click.argument("reference", type=REFERENCE, metavar="P/N")
@json_option
@pass_invocation
def history(invocation: Invocation, reference: Reference, style: str) -> None:
    """List all versions of a document, oldest first, with submitter, time, digest and verdict.

    Versions are never changed or removed. The bytes of an erased version are deleted; its digest is kept. Withdrawals
    and erasures are listed with actor, time and reason. The token of a submission is shown after the submitter.
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
        for warning in version.origin_warnings:
            output.result(f"version {version.version}: {warning}")
        if version.set_aside:
            output.result(
                f"version {version.version} set aside by {', '.join(version.set_aside)}; `provrepo fsck` has the reason"
            )


def _state(version: VersionInfo) -> str:
    return (
        version.state
        if version.state in ("withdrawn", "erased") or not version.withdrawn
        else (f"{version.state}, withdrawn")
    )


@click.command(short_help="Write a version of a document in a format, or a whole project.")
@click.argument("reference", metavar="P/N[@VERSION]|P/")
@click.option(
    "--to", metavar="FORMAT", help="The format. Default: by the suffix of -o, or as submitted. Of projects: see above."
)
@click.option("--original", is_flag=True, help="The submitted bytes, unchanged.")
@click.option(
    "--after", type=click.IntRange(0), metavar="N", help="Of a project: only versions that came after its entry N."
)
@click.option(
    "-o", "--out", default="-", metavar="FILE", help="Where to write it instead of stdout; DIR/ for a folder."
)
@pass_invocation
def export(invocation: Invocation, reference: str, to: str | None, original: bool, after: int | None, out: str) -> None:
    """Write a version of a document, by default the current one, or a whole project.

    Without a format, or with --original, the submitted bytes are written unchanged. Other formats: those of PROV,
    pictures and diagrams (svg, dot, mermaid), graphs for databases (graphml, neo4j), and those of other tools that can
    be written, such as openlineage. Content that a format cannot represent is listed on stderr.

    P/ is the whole project P: the relations of the current versions of its documents, as a table (csv, parquet) or as a
    graph (graphml, neo4j). With --after N, these are the versions that came after an earlier export; its last entry is
    on stderr. parquet needs `pip install 'provrepo[parquet]'`.

    FILE is written completely or not at all. A crate (--to rocrate) is a zip archive, or with -o DIR/ a folder.
    """
    from provrepo.cli.documents import report_losses
    from provrepo.codecs.formats import by_name, by_suffix, format_of_archive
    from provrepo.repository.exports.rows import EXPORTS, of_suffix

    row = EXPORTS.get(to) if to else of_suffix(out)
    if reference.endswith("/") or (row is not None and not row.graph and "/" not in reference):
        if original:
            raise UsageError("--original is for one document")
        _export_project(
            invocation, reference.removesuffix("/"), to or (row.name if row is not None else None), after, out
        )
        return
    document = REFERENCE.convert(reference, None, None)
    if after is not None:
        raise UsageError(f"--after is for whole projects: provrepo export {document.project}/ --after {after}")
    if row is not None and not row.graph:
        raise UsageError(f"{row.title} is for whole projects: provrepo export {document.project}/ --to {row.name}")
    if original and to:
        raise UsageError("--original writes the submitted bytes and cannot be combined with --to")
    suffix = None if original or to or out == "-" else by_suffix(out)
    target = by_name(to) if to else suffix
    with invocation.repository() as repository:
        if target is None:
            output.save(repository.export(*document), out)
            return
        content = repository.export(*document, format=target.name)
        losses = repository.read(*document).losses(target.name)
    if out.endswith("/"):
        from provrepo.importers.archives import unpacked

        if format_of_archive(content) is None:
            raise UsageError(f"{target.title} is one file; name it without a slash at the end")
        output.save_folder(unpacked(content, target.name), out)
    else:
        output.save(content, out)
    report_losses(losses)


def _export_project(invocation: Invocation, project: str, to: str | None, after: int | None, out: str) -> None:
    from provrepo.repository.exports.rows import EXPORTS, project_format

    if to is None:
        raise UsageError(f"name the format of the project with --to: {', '.join(EXPORTS)}")
    chosen = project_format(to)
    with output.Progress() as progress, invocation.repository() as repository, output.saving(out) as file:
        done = repository.export_project(project, file, format=chosen.name, after=after or 0, progress=progress)
    things = f"{counted(done.things, 'thing')} and " if chosen.graph else ""
    output.note(
        f"{things}{counted(done.relations, 'relation')} of {counted(done.documents, 'document')}; "
        f"last entry {done.sequence}"
    )
    if done.left_out:
        what = "relations without a second argument" if chosen.graph else "times without a zone"
        output.note(f"loss: {chosen.title} has no place for {what}: {done.left_out:,}")
    for name in done.omitted:
        output.note(f"omitted: {done.project}/{name} could not be read")


_internal = click.option(
    "--internal-reason",
    default="",
    help="A reason for callers who may write to the project; the ledger has a salted digest of it.",
)


@click.command(short_help="Remove a document from lists and queries.")
@click.argument("reference", type=REFERENCE, metavar="P/N")
@click.option("--reason", required=True, help="The reason, for all who may read the project.")
@_internal
@json_option
@pass_invocation
def withdraw(invocation: Invocation, reference: Reference, reason: str, internal_reason: str, style: str) -> None:
    """Withdraw a document: it is removed from lists and queries, and its addresses no longer return it.

    Its history stays, with the actor, time and reason of the withdrawal. Callers who may write to the project can
    still export its versions by number. A later submission under the same name is visible; the versions before stay
    withdrawn.
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


@click.command(short_help="Delete the bytes of a version permanently.")
@click.argument("reference", type=REFERENCE, metavar="P/N@VERSION")
@click.option(
    "--reason", required=True, help="The reason, for all who may read the project. It stays in the ledger permanently."
)
@_internal
@json_option
@pass_invocation
def erase(invocation: Invocation, reference: Reference, reason: str, internal_reason: str, style: str) -> None:
    """Delete the bytes of one version permanently, for legal reasons.

    This cannot be undone. The entry, its digest and the reason are kept, so that the chain can still be verified.
    """
    if reference.version is None:
        raise UsageError(f"name the version to erase: {reference}@1")
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
            f"the bytes are still stored: {others} of them, and each is erased separately; `provrepo history` has the "
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
    """Delete the views and derive them from the ledger again.

    The same software gives the same quads. The ledger is not changed, and documents are not validated again.
    """
    with output.Progress() as progress, invocation.repository(follow=True) as repository:
        datasets = repository.rebuild(progress)
    if style == "json":
        output.records(datasets)
    else:
        output.table(["DATASET", "QUADS"], sorted(datasets.items()))


@click.command(short_help="Verify all digests, and compare the views with the ledger.")
@click.option(
    "--views", is_flag=True, help="Derive all views again and compare them. Default: a sample of the versions."
)
@json_option
@pass_invocation
def fsck(invocation: Invocation, views: bool, style: str) -> int:
    """Read the whole ledger and verify every digest and every link between entries. Changes nothing.

    Names and tokens are compared with their ledger entries, and the views with the ledger: a random sample of the
    versions, or with --views all of them, which takes as long as `provrepo rebuild` and as much space as the views.
    Each problem is printed with a remedy.

    Exit 0: sound; 1: problems were found; 2: there is no repository.
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
        verdict = "sound" if check.sound else counted(number, "problem")
        output.result(
            f"{counted(check.entries, 'entry', 'entries')} and {counted(check.blobs, 'blob')} read: {verdict}"
        )
    return 0 if check.sound else 1
