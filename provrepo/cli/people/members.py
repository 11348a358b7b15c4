"""The verb ``member``: roles in projects."""

from __future__ import annotations

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation

__all__ = ["member"]


@click.group(short_help="Give people and services a role in a project.")
def member() -> None:
    """Members of a project: each has one role, which counts for tokens with scopes.

    A reader reads. A submitter also submits, and replaces and withdraws own documents. A curator also reviews, replaces
    and withdraws the documents of others, and sees withdrawn versions. An owner also changes settings and members.
    """


@member.command("add")
@click.argument("project")
@click.argument("who")
@click.argument("role")
@json_option
@pass_invocation
def member_add(invocation: Invocation, project: str, who: str, role: str, style: str) -> None:
    """Give WHO a role in PROJECT: reader, submitter, curator or owner. It replaces the one that WHO has there.

    WHO is the name of a person or service, or the e-mail address or ORCID of a person.
    """
    with invocation.repository() as repository:
        added = repository.set_member(project, who, role)
    if style == "json":
        output.records(added.to_dict())
    else:
        output.result(f"{added.name} is {added.role} of {project}")


@member.command("list")
@click.argument("project")
@json_option
@pass_invocation
def member_list(invocation: Invocation, project: str, style: str) -> None:
    """List the members of PROJECT with their roles."""
    with invocation.repository() as repository:
        found = repository.members(project)
    if style == "json":
        output.records([one.to_dict() for one in found])
        return
    output.table(["NAME", "ROLE", "SINCE", "BY", "ID"], [[m.name, m.role, m.since, m.by, m.actor] for m in found])


@member.command("remove")
@click.argument("project")
@click.argument("who")
@pass_invocation
def member_remove(invocation: Invocation, project: str, who: str) -> None:
    """Take the role of WHO in PROJECT away. What WHO has submitted stays."""
    with invocation.repository() as repository:
        repository.remove_member(project, who)
    output.result(f"{who} has no role in {project} any more")
