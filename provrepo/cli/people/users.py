"""The verb ``user``: people, and the administrators among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.ledger.people import Person

__all__ = ["user"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(short_help="Add, list, change and remove people.")
def user() -> None:
    """People who use the repository. Only the ledger's digest of a name outlives its removal."""


def _about(command: _Command) -> _Command:
    """Add the options that say who a person is."""
    for option in (
        click.option("--ror", help="The ROR of the organization."),
        click.option("--affiliation", metavar="NAME", help="The name of the organization."),
        click.option("--orcid", help="The ORCID."),
        click.option("--email", help="The e-mail address."),
    ):
        command = option(command)
    return command


@user.command("add")
@click.argument("name")
@_about
@click.option("--administrator", is_flag=True, help="Give every right in every project, and to create projects.")
@json_option
@pass_invocation
def user_add(
    invocation: Invocation,
    name: str,
    email: str | None,
    orcid: str | None,
    affiliation: str | None,
    ror: str | None,
    administrator: bool,
    style: str,
) -> None:
    """Add a person. A service of that name, which has tokens already, becomes this person."""
    with invocation.repository() as repository:
        added = repository.add_user(
            name, email=email or "", orcid=orcid or "", affiliation=affiliation or "", ror=ror or ""
        )
        if administrator:
            repository.set_administrator(added.actor, True)
    _told(added, style, f"{added.name} added, as {added.actor}")


@user.command("list")
@json_option
@pass_invocation
def user_list(invocation: Invocation, style: str) -> None:
    """List all people; administrators are marked."""
    with invocation.repository() as repository:
        found = repository.users()
        administrators = {one.actor for one in repository.administrators()}
    if style == "json":
        output.records([{**one.to_dict(), "administrator": one.actor in administrators} for one in found])
        return
    output.table(
        ["NAME", "E-MAIL", "ORCID", "AFFILIATION", "ADMINISTRATOR", "ID"],
        [
            [u.name, u.email or "-", u.orcid or "-", u.affiliation or "-", _yes(u.actor in administrators), u.actor]
            for u in found
        ],
    )


@user.command("set")
@click.argument("who")
@click.option("--name", help="The new name.")
@_about
@click.option("--administrator/--no-administrator", default=None, help="Whether it administers the repository.")
@json_option
@pass_invocation
def user_set(
    invocation: Invocation,
    who: str,
    name: str | None,
    email: str | None,
    orcid: str | None,
    affiliation: str | None,
    ror: str | None,
    administrator: bool | None,
    style: str,
) -> None:
    """Change what is known of a person: WHO is the name, identifier, e-mail address or ORCID."""
    with invocation.repository() as repository:
        changed = repository.set_user(who, name=name, email=email, orcid=orcid, affiliation=affiliation, ror=ror)
        if administrator is not None:
            repository.set_administrator(changed.actor, administrator)
    _told(changed, style, f"{changed.name} changed")


@user.command("unlink")
@click.argument("who")
@json_option
@pass_invocation
def user_unlink(invocation: Invocation, who: str, style: str) -> None:
    """Forget with which account a person signs in: the next sign-in counts as the first one.

    It is for people who have another account at the provider now.
    """
    with invocation.repository() as repository:
        count = repository.unlink_user(who)
    if style == "json":
        output.records({"accounts": count})
    else:
        output.result(f"{counted(count, 'account')} of {who} forgotten")


@user.command("remove")
@click.argument("who")
@json_option
@pass_invocation
def user_remove(invocation: Invocation, who: str, style: str) -> None:
    """Erase the name of a person and what is known of it, end its roles, and revoke its tokens.

    The documents that it has submitted stay, under an identifier from which the name cannot be found.
    """
    with invocation.repository() as repository:
        removed = repository.remove_user(who)
    _told(removed, style, f"{removed.name} removed; what was submitted stays, as from {removed.actor}")


def _told(person: Person, style: str, sentence: str) -> None:
    if style == "json":
        output.records(person.to_dict())
    else:
        output.result(sentence)


def _yes(value: bool) -> str:
    return "yes" if value else "-"
