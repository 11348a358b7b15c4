"""From what a provider of sign-in, or a trusted proxy, says of a person to the person of this repository.

A person is known by issuer and subject (OpenID Connect Core 1.0, section 2). At the first sign-in, a person who was
added before is recognized by an ORCID that the provider has authenticated, or by a verified e-mail address. Later
sign-ins change nothing: neither the name nor the address follows the provider.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from provrepo.errors import Conflict, Denied, UsageError
from provrepo.ledger.entries import now
from provrepo.ledger.governance.invitations import MEMBER, Invitations
from provrepo.ledger.people import People, Person
from provrepo.repository.people.users import checked
from provrepo.repository.records import Actor
from provrepo.repository.store import Store
from provrepo.text import UNSEEN

__all__ = ["Claims", "enter", "is_invited"]

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Claims:
    """What is said of a person who signs in.

    Attributes:
        issuer: the address of the provider; for a proxy ``header:`` and the name of the header field.
        subject: the identifier there, which is never given to anybody else.
        name: the name; may be empty.
        email: an e-mail address that the provider has verified; empty otherwise.
        orcid: an ORCID that the provider has authenticated; empty otherwise.
        called: for a proxy, the value of the header field: a name, e-mail address or ORCID; empty otherwise.
    """

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    orcid: str = ""
    called: str = ""


def is_known(store: Store, claims: Claims) -> bool:
    """Return whether somebody has signed in with this account before, so that only issuer and subject count."""
    return People(store.ledger.database).identified(claims.issuer, claims.subject) is not None


_INVITATION = re.compile(r"/(?:[^?]*/)?invitations/([0-9a-f]{32})(?:\?.*)?")


def is_invited(store: Store, path: str) -> bool:
    """Return whether somebody who came by a path of this server may enter as a new person: by an open invitation.

    The person has no role before the invitation is accepted, which needs its secret.

    Args:
        store: the data directory.
        path: path and query of the page to which the sign-in leads.
    """
    found = _INVITATION.fullmatch(path)
    link = None if found is None else Invitations(store.ledger.database).find(found[1])
    return link is not None and link.purpose == MEMBER and link.is_open(now())


def enter(store: Store, claims: Claims, path: str) -> Actor:
    """Return the actor of a person who has signed in; at the first time, the person is recognized, or added.

    Args:
        store: the data directory.
        claims: what the provider or the proxy says; verified before.
        path: path and query of the page to which the sign-in leads.

    Raises:
        Denied: nobody like that was added, and the settings let nobody else in.
        Conflict: the claims fit several people, or somebody who has another account at the provider.
    """
    people = People(store.ledger.database)
    found = people.identified(claims.issuer, claims.subject)
    if found is None:
        found = _recognized(people, claims)
        if found is not None:
            people.identify(claims.issuer, claims.subject, found)
        elif store.settings.sign_in_people == "anyone" or is_invited(store, path):
            found = _added(store, claims)
        else:
            raise Denied(
                "nobody with your ORCID or verified e-mail address was added to this repository: ask an administrator "
                "to add you, or sign in with a token"
            )
    actor = store.person(found)
    if actor is None:
        raise Denied("this person was removed from the repository")
    return actor


def _recognized(people: People, claims: Claims) -> str | None:
    """The person whom the claims fit; None if they fit nobody.

    Raises:
        Conflict: they fit several people.
    """
    found = {person.actor for person in people.find(claims.called)} if claims.called else set()
    for column in ("orcid", "email"):
        value: str = getattr(claims, column)
        if value:
            found |= people.having(column, f"https://orcid.org/{value}" if column == "orcid" else value)
    if len(found) > 1:
        raise Conflict(
            "what the provider says of you fits several people of this repository: ask an administrator to correct "
            "their e-mail addresses and ORCIDs"
        )
    return next(iter(found), None)


def _added(store: Store, claims: Claims) -> str:
    """A new person without roles. The name is changed if another actor has it, whose rights must not be inherited."""
    name = " ".join(UNSEEN.sub(" ", claims.name or claims.called).split())[:_LONGEST_NAME]
    name = name or claims.email or f"person {claims.subject[:60]}"
    for number in itertools.count(1):
        try:
            person = checked(
                Person("", name if number == 1 else f"{name} ({number})", email=claims.email, orcid=claims.orcid)
            )
        except UsageError:
            person = Person("", re.sub(r"[^\w .@-]", "", name) or "person")
        try:
            identity = (claims.issuer, claims.subject)
            return store.accounts.add_person(person, by="", new=True, identity=identity).actor
        except Conflict:
            if store.accounts.find(person.name) is None:
                raise
    raise AssertionError
