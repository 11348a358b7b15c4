"""The verb ``project``: projects and their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.cli.exchange.mirrors import describe
from provrepo.cli.repository import not_indexed
from provrepo.errors import UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.exposure import Exposure
    from provrepo.repository.records import ProjectInfo, Quota

__all__ = ["embargo", "project"]


@click.group(short_help="Create, show and change projects.")
def project() -> None:
    """Projects: each contains documents, is public or private, and has profiles for its submissions."""


_visibility = click.option("--public/--private", default=None, help="Whether everybody may read it.")
_title = click.option("--title", help="The title of the project.")
_profiles = click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="A profile to which every submission must conform; repeatable.",
)


_license = click.option(
    "--license",
    "license_",
    metavar="URL",
    help="The web address of the license under which its documents may be used, such as "
    "https://spdx.org/licenses/CC-BY-4.0; an empty text removes it.",
)


@project.command("create")
@click.argument("name")
@_visibility
@_title
@_profiles
@_license
@json_option
@pass_invocation
def project_create(
    invocation: Invocation,
    name: str,
    public: bool | None,
    title: str | None,
    profiles: tuple[str, ...],
    license_: str | None,
    style: str,
) -> None:
    """Create a project, private unless --public is given. Exit 1: it exists already, and is not changed."""
    with invocation.repository(follow=True) as repository:
        made = repository.create_project(
            name, public=bool(public), title=title or "", profiles=profiles, license=license_ or ""
        )
    _show_project(made, style)


@project.command("list")
@json_option
@pass_invocation
def project_list(invocation: Invocation, style: str) -> None:
    """List all projects."""
    with invocation.repository() as repository:
        projects = repository.projects()
    if style == "json":
        output.records([found.to_dict() for found in projects])
        return
    output.table(
        ["PROJECT", "ACCESS", "DOCUMENTS", "PROFILES", "TITLE"],
        [[p.name, _access(p), p.documents, ", ".join(p.profiles) or "-", p.title] for p in projects],
    )
    for found in projects:
        if found.mirror is not None:
            output.note(f"{found.name}: {describe(found.mirror)}")


@project.command("show")
@click.argument("name")
@json_option
@pass_invocation
def project_show(invocation: Invocation, name: str, style: str) -> None:
    """Show a project and its settings."""
    with invocation.repository() as repository:
        found = repository.project(name)
    _show_project(found, style)


@project.command("set")
@click.argument("name")
@_visibility
@_title
@_profiles
@_license
@click.option("--no-profiles", is_flag=True, help="Remove all profiles: submissions need not conform to any.")
@click.option("--push", multiple=True, metavar="PEER", help="Send each version accepted from now on to it; repeatable.")
@click.option("--no-push", is_flag=True, help="Send new versions to no peer.")
@click.option(
    "--pushes",
    type=click.Choice(["as-peer", "pending", "at-once"]),
    help="What happens with documents that peers send. Default: what `provrepo peers` says.",
)
@click.option(
    "--reviewed", multiple=True, metavar="NAME", help="Submissions with tokens of NAME wait for a review; repeatable."
)
@click.option(
    "--review",
    type=click.Choice(["nobody", "submitters"]),
    help="Submissions wait of those who may submit and not curate (submitters), or of --reviewed alone (nobody).",
)
@click.option(
    "--announce/--no-announce", default=None, help="Tell peers that a new version was derived from their documents."
)
@click.option("--no-reviewed", is_flag=True, help="No submissions wait for a review.")
@click.option(
    "--archived/--no-archived", default=None, help="Refuse all further changes of the project, or allow them again."
)
@click.option("--quota-documents", type=int, metavar="N", help="The most documents; 0 for no limit.")
@click.option("--quota-bytes", type=int, metavar="N", help="The most bytes of all versions; 0 for no limit.")
@click.option("--quota-submissions", type=int, metavar="N", help="The most submissions a day; 0 for no limit.")
@click.option("--dry-run", is_flag=True, help="With --public: list what would be published, and change nothing.")
@json_option
@pass_invocation
def project_set(
    invocation: Invocation,
    name: str,
    public: bool | None,
    title: str | None,
    profiles: tuple[str, ...],
    license_: str | None,
    no_profiles: bool,
    push: tuple[str, ...],
    no_push: bool,
    pushes: str | None,
    reviewed: tuple[str, ...],
    no_reviewed: bool,
    review: str | None,
    announce: bool | None,
    archived: bool | None,
    quota_documents: int | None,
    quota_bytes: int | None,
    quota_submissions: int | None,
    dry_run: bool,
    style: str,
) -> None:
    """Change settings of a project. Settings without an option stay the same.

    Profiles apply to later submissions; stored documents are not validated again. The change is an entry of the
    ledger.

    `--public --dry-run` lists what would be published: documents with all versions, withdrawals with reasons, agents,
    names of submitters. It changes nothing.
    """
    if dry_run:
        others = (profiles, no_profiles, push, no_push, pushes, reviewed, no_reviewed, review)
        values = (announce, title, license_, archived, quota_documents, quota_bytes, quota_submissions)
        if not public or any(others) or any(value is not None for value in values):
            raise UsageError("--dry-run can be combined with --public only: it lists what would be published")
        with invocation.repository(follow=True) as repository:
            found = repository.exposure(name)
        _show_exposure(found, style)
        return
    chosen: dict[str, Any] = {
        "profiles": _chosen("--profile", profiles, no_profiles),
        "push": _chosen("--push", push, no_push),
        "reviewed": _chosen("--reviewed", reviewed, no_reviewed),
    }
    chosen |= {"public": public, "title": title, "license": license_, "pushes": pushes, "announce": announce}
    chosen["review"] = review
    chosen |= {"archived": archived, "quota_documents": quota_documents, "quota_bytes": quota_bytes}
    chosen |= {"quota_submissions": quota_submissions}
    with invocation.repository(follow=True) as repository:
        changed = repository.set_project(name, **chosen)
        waiting = repository.waiting()
    if waiting:
        output.note(f"set; {not_indexed(waiting)}")
    _show_project(changed, style)


@project.command("transfer")
@click.argument("name")
@click.argument("who")
@pass_invocation
def project_transfer(invocation: Invocation, name: str, who: str) -> None:
    """Give the project NAME to another owner, WHO. Who was owner is curator afterwards.

    WHO is the name of a person or service, or the e-mail address or ORCID of a person. An owner gives up its own role;
    other owners stay. If an administrator or the owner of the data directory does it, all owners give up their roles.
    """
    with invocation.repository() as repository:
        members = repository.transfer_project(name, who)
    owners = [member.name for member in members if member.role == "owner"]
    output.result(f"{name} belongs to {', '.join(owners)}")


@click.command()
@click.argument("name")
@click.option("--until", metavar="DATE", help="The end: a date in UTC, or a time with a time zone.")
@click.option("--lift", is_flag=True, help="End the embargo now; the project stays private.")
@click.option("--reason", default="", help="The reason, which every reader of the project may see.")
@json_option
@pass_invocation
def embargo(invocation: Invocation, name: str, until: str | None, lift: bool, reason: str, style: str) -> None:
    """Keep the private project NAME private until a date, at which it becomes public by itself.

    Nothing else can make it public before. A server makes it public at the time; without a server, the next command
    that opens the data directory does. Another date moves the end. Both are entries of the ledger.
    """
    if (until is None) != lift or (lift and reason):
        raise UsageError("give either --until DATE or --lift")
    with invocation.repository(follow=True) as repository:
        changed = repository.set_embargo(name, until, reason=reason)
    _show_project(changed, style)


def _access(found: ProjectInfo) -> str:
    return "public" if found.public else "private"


def _chosen(option: str, values: tuple[str, ...], none: bool) -> tuple[str, ...] | None:
    """Return the values of a repeatable option; None without them.

    Raises:
        UsageError: values are given, and the option that removes them.
    """
    if values and none:
        raise UsageError(
            f"{option} and --no-{'profiles' if option == '--profile' else option[2:]} contradict each other"
        )
    return () if none else values or None


def _show_project(found: ProjectInfo, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    output.result(f"{found.name}: {_access(found)}, {counted(found.documents, 'document')}")
    if found.title:
        output.result(f"  title     {found.title}")
    output.result(f"  profiles  {', '.join(found.profiles) or 'none'}")
    if found.license:
        output.result(f"  license   {found.license}")
    if found.embargo:
        output.result(f"  embargo   private until {found.embargo}, and public from then on")
    if found.archived:
        output.result("  archived  nothing in it can be changed")
    if found.quota is not None:
        _show_quota(found.quota)
    if found.mirror is not None:
        output.result(f"  mirror    {describe(found.mirror).removeprefix('mirror ')}")
        if found.mirror.message:
            output.result(f"            {found.mirror.message}")
    if found.push:
        output.result(f"  push      each version to {', '.join(found.push)}")
    if found.pushes not in ("", "as-peer"):
        output.result(f"  pushes    {found.pushes}")
    if found.announce:
        output.result("  announce  derivations to peers")
    if found.review == "submitters":
        output.result("  review    of what those submit who may not curate")
    if found.reviewed:
        output.result(f"  reviewed  submissions of {', '.join(found.reviewed)}")


def _show_quota(quota: Quota) -> None:
    limits = (
        (quota.documents, quota.used_documents, "document", ""),
        (quota.bytes, quota.used_bytes, "byte", ""),
        (quota.submissions, quota.used_submissions, "submission", " today"),
    )
    parts = [f"{used:,} of {counted(most, noun)}{when}" for most, used, noun, when in limits if most]
    if parts:
        output.result(f"  quota     {', '.join(parts)}")


def _show_exposure(found: Exposure, style: str) -> None:
    if style == "json":
        output.records(found.to_dict())
        return
    state = "is public already; everybody can" if found.public else "would be public; everybody could"
    output.result(f"{found.project} {state} read:")
    output.result(
        f"{counted(len(found.documents), 'document')} in {counted(found.versions, 'version')} with "
        f"{counted(found.statements, 'statement')}"
    )
    if found.documents:
        output.table(
            ["DOCUMENT", "VERSIONS", "STATEMENTS", "TITLE", "NOTES"],
            [
                [d.name, ", ".join(map(str, d.versions)), d.statements, d.title, "; ".join(d.notes)]
                for d in found.documents
            ],
        )
    output.result(f"{len(found.endings):,} withdrawals and erasures, with reasons and without content")
    if found.endings:
        output.table(
            ["DOCUMENT", "VERSION", "STATE", "TIME", "BY", "REASON"],
            [[e.document, e.version, e.state, e.time, e.by, e.reason] for e in found.endings],
        )
    more = " and more" if found.more_agents else ""
    output.result(counted(len(found.agents), f"agent{more}", f"agents{more}") + " in current versions")
    if found.agents:
        output.table(
            ["AGENT", "NAMES", "E-MAIL"],
            [[a.iri, ", ".join(a.names) or "-", ", ".join(a.emails) or "-"] for a in found.agents],
        )
    output.result(f"{found.entries:,} ledger entries; who acted in them: {', '.join(found.submitters) or 'nobody'}")
    output.result(f"  tokens    {', '.join(found.tokens) or 'none'} (identifiers, which give no access)")
    output.result(f"  titles    {', '.join(found.titles) or 'none'}")
    output.result(f"  profiles  {', '.join(found.profiles) or 'none of its own'}")
    output.result(
        f"Not shown to everybody: {found.pingbacks:,} pingbacks, {found.internal_reasons:,} internal reasons, and what "
        "was withdrawn or erased. Nothing was changed."
    )
