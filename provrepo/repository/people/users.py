"""Verbs about people: who they are. Administrators call them."""

from __future__ import annotations

import re
from dataclasses import replace

from provrepo.errors import Conflict, NotFound, UsageError
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.members import NO_ROLE, Members
from provrepo.ledger.people import People, Person
from provrepo.repository import access
from provrepo.repository.context import Context

__all__ = ["add_user", "checked", "remove_user", "set_user", "unlink_user", "user", "users"]

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_ORCID = re.compile(r"(?:https?://orcid\.org/)?((?:\d{4}-){3}\d{3}[\dX])")
_ROR = re.compile(r"(?:https?://ror\.org/|ror\.org/)?(0[a-hj-km-np-tv-z0-9]{6}\d{2})")


def users(context: Context) -> list[Person]:
    """Return all people by name.

    Raises:
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    return People(context.store.ledger.database).listed()


def add_user(
    context: Context, name: str, *, email: str = "", orcid: str = "", affiliation: str = "", ror: str = ""
) -> Person:
    """Add a person. An actor of that name who has tokens already becomes this person, with the same identifier.

    Args:
        name: the name, which no other actor has.
        email: the address; may be empty.
        orcid: the ORCID; may be empty.
        affiliation: the name of the organization; may be empty.
        ror: the ROR of the organization; may be empty.

    Raises:
        UsageError: a value is malformed.
        Conflict: a person has that name, address or ORCID.
        Denied: the actor may not administer the repository.
    """
    context.store.make()
    access.require_administer(context.actor)
    person = checked(Person("", name.strip(), email, orcid, affiliation, ror))
    return context.store.accounts.add_person(person, by=context.actor.id)


def set_user(
    context: Context,
    who: str,
    *,
    name: str | None = None,
    email: str | None = None,
    orcid: str | None = None,
    affiliation: str | None = None,
    ror: str | None = None,
) -> Person:
    """Change what is known of a person; None leaves a value unchanged. The identifier stays.

    Args:
        who: the name, identifier, e-mail address or ORCID.
        name: the new name.
        email: the new address; empty for none.
        orcid: the new ORCID; empty for none.
        affiliation: the name of the new organization; empty for none.
        ror: its ROR; empty for none.

    Raises:
        NotFound: there is no such person.
        UsageError: a value is malformed.
        Conflict: somebody else has that name, address or ORCID.
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    known = _person(context, who)
    given = {"name": name, "email": email, "orcid": orcid, "affiliation": affiliation, "ror": ror}
    person = checked(replace(known, **{key: value.strip() for key, value in given.items() if value is not None}))
    People(context.store.ledger.database).change(person)
    if person.name != known.name:
        context.store.accounts.rename(person.actor, person.name, by=context.actor.id)
    return person


def remove_user(context: Context, who: str) -> Person:
    """Erase the name of a person and all that is known of it; its roles end, and its tokens are revoked.

    What the person has submitted stays, under an identifier from which the name cannot be found.

    Args:
        who: the name, identifier, e-mail address or ORCID.

    Returns:
        What was known.

    Raises:
        NotFound: there is no such person.
        Denied: the actor may not administer the repository.
        Busy: others kept using the database, and the name may still be in the file: remove the person again.
    """
    access.require_administer(context.actor)
    store = context.store
    person = _person(context, who)
    for project, _ in Members(store.ledger.database).of_actor(person.actor):
        with store.ledger.appending(project or REPOSITORY) as appending:
            Members.change(appending, person.actor, NO_ROLE, by=context.actor.id, token=context.actor.token)
    store.accounts.revoke_all(person.actor, by=context.actor.id)
    store.accounts.rename(person.actor, None, by=context.actor.id)
    store.index()
    return person


def user(context: Context, who: str) -> Person:
    """Return a person.

    Args:
        who: the name, identifier, e-mail address or ORCID.

    Raises:
        NotFound: there is no such person.
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    return _person(context, who)


def unlink_user(context: Context, who: str) -> int:
    """Forget with which accounts of providers a person has signed in: the next sign-in is recognized as a first one.

    Args:
        who: the name, identifier, e-mail address or ORCID.

    Returns:
        How many accounts there were.

    Raises:
        NotFound: there is no such person.
        Denied: the actor may not administer the repository.
    """
    access.require_administer(context.actor)
    return People(context.store.ledger.database).forget_identities(_person(context, who).actor)


def _person(context: Context, who: str) -> Person:
    found = People(context.store.ledger.database).find(who)
    if not found:
        raise NotFound(f"no person is called {who[:100]!r}; `provrepo user list` lists them")
    if len(found) > 1:
        raise Conflict(f"{who[:100]!r} may be {', '.join(sorted(one.actor for one in found))}: give an identifier")
    return found[0]


def checked(person: Person) -> Person:
    """Return a person with ORCID and ROR as web addresses.

    Raises:
        UsageError: a value is malformed, or the ORCID has a wrong check digit (ISO 7064, MOD 11-2).
    """
    if not person.name:
        raise UsageError("a person needs a name")
    for what, value in (("name", person.name), ("affiliation", person.affiliation), ("e-mail address", person.email)):
        access.text(what, value)
    if person.email and _EMAIL.fullmatch(person.email) is None:
        raise UsageError(f"{person.email[:100]!r} is not an e-mail address")
    orcid, ror = _ORCID.fullmatch(person.orcid), _ROR.fullmatch(person.ror)
    if person.orcid and (orcid is None or not _is_orcid(orcid[1])):
        raise UsageError(f"{person.orcid[:100]!r} is not an ORCID, such as 0000-0002-1825-0097; is a digit wrong?")
    if person.ror and ror is None:
        raise UsageError(f"{person.ror[:100]!r} is not a ROR, such as https://ror.org/03yrm5c26")
    return replace(
        person,
        orcid=f"https://orcid.org/{orcid[1]}" if orcid else "",
        ror=f"https://ror.org/{ror[1]}" if ror else "",
    )


def _is_orcid(text: str) -> bool:
    total = 0
    for digit in text.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == text[-1]
