"""Verbs about peers: the other repositories that the operator has named. Only the local owner may change them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import NotFound, UsageError
from provrepo.ledger.exchange.peers import ACCEPTS, NOTHING, Peer
from provrepo.model.identifiers import web_address
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.profiles import user_defined
from provrepo.settings import bearer

__all__ = ["QUOTA_BYTES", "QUOTA_DOCUMENTS", "Peer", "add_peer", "peer", "peers", "remove_peer", "set_peer"]

QUOTA_BYTES = 256 << 20
"""Bytes of a peer's documents that may wait for a review, where its quota is not given."""

QUOTA_DOCUMENTS = 1000
"""Documents of a peer that may wait for a review, where its quota is not given."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LARGEST = 1 << 53


def add_peer(
    context: Context,
    name: str,
    url: str,
    *,
    project: str = "",
    accepts: str = NOTHING,
    projects: Sequence[str] = (),
    profiles: Sequence[str] = (),
    quota_bytes: int = QUOTA_BYTES,
    quota_documents: int = QUOTA_DOCUMENTS,
    identity: str = "",
    token: str | None = None,
) -> Peer:
    """Name another repository, with which documents are exchanged. It is not contacted.

    Args:
        name: its short name here. A token of this repository for the same name lets it send documents.
        url: the URL of its server.
        project: the project there to which documents are sent; by default the one of the same name as here.
        accepts: what happens with the documents that it sends: ``nothing``, ``pending`` or ``at-once``.
        projects: the projects here into which it may send.
        profiles: names of profiles that its documents must satisfy, in addition to those of the project.
        quota_bytes: the most bytes of its documents that may wait for a review.
        quota_documents: the most of its documents that may wait for a review.
        identity: the UUID of its repository; learned at the first contact if it is not given.
        token: the token that its operator has given to this repository. It is stored and never shown.

    Raises:
        Conflict: a peer of that name exists.
        InvalidName: a name is malformed.
        UsageError: the URL, the identity, the token or a number is invalid, or a profile is unknown.
        NotFound: one of the projects does not exist.
        Denied: the actor is not the owner.
    """
    values: dict[str, Any] = {
        "url": url,
        "project": project,
        "accepts": accepts,
        "projects": projects,
        "profiles": profiles,
        "quota_bytes": quota_bytes,
        "quota_documents": quota_documents,
        "identity": identity,
    }
    access.name("peer", name)
    context.store.make()
    context.require_owner("names peers")
    wanted = Peer(name=name, has_token=False, **_checked(context, values))
    return context.store.peers.add(wanted, _token(token))


def set_peer(
    context: Context,
    name: str,
    *,
    url: str | None = None,
    project: str | None = None,
    accepts: str | None = None,
    projects: Sequence[str] | None = None,
    profiles: Sequence[str] | None = None,
    quota_bytes: int | None = None,
    quota_documents: int | None = None,
    identity: str | None = None,
    token: str | None = None,
) -> Peer:
    """Change a peer; None leaves a value unchanged. Arguments and errors as for ``add_peer``.

    Args:
        name: its name.
        url: the URL of its server.
        project: the project there.
        accepts: what happens with the documents that it sends.
        projects: the projects here into which it may send.
        profiles: names of profiles.
        quota_bytes: the most bytes that may wait.
        quota_documents: the most documents that may wait.
        identity: the UUID of its repository. The empty string forgets it; it is learned again.
        token: a new token; the empty string removes the stored one.

    Raises:
        NotFound: no peer has this name.
    """
    context.require_owner("changes peers")
    given: dict[str, Any] = {
        "url": url,
        "project": project,
        "accepts": accepts,
        "projects": projects,
        "profiles": profiles,
        "quota_bytes": quota_bytes,
        "quota_documents": quota_documents,
        "identity": identity,
    }
    context.store.peers.get(name)
    values = _checked(context, {field: value for field, value in given.items() if value is not None})
    return context.store.peers.change(name, values, token=_token(token))


def peers(context: Context) -> list[Peer]:
    """Return the peers by name, without their tokens.

    Raises:
        Denied: the actor may not write to all projects.
    """
    access.require_administer(context.actor)
    return context.store.peers.list()


def peer(context: Context, name: str) -> Peer:
    """Return one peer, without its token.

    Raises:
        NotFound: no peer has this name.
        Denied: the actor may not write to all projects.
    """
    access.require_administer(context.actor)
    return context.store.peers.get(name)


def remove_peer(context: Context, name: str) -> Peer:
    """Delete a peer with its token. What was exchanged with it stays.

    Returns:
        The deleted peer.

    Raises:
        NotFound: no peer has this name.
        Denied: the actor is not the owner.
    """
    context.require_owner("removes peers")
    return context.store.peers.remove(name)


def _checked(context: Context, values: dict[str, Any]) -> dict[str, Any]:
    """Return fields of a peer after checking them.

    Raises:
        UsageError, NotFound: as for ``add_peer``.
    """
    found = dict(values)
    if "url" in found:
        found["url"] = _url(found["url"])
        if found["url"] == context.store.base():
            raise UsageError(f"{found['url']} is the base IRI of this repository, which is no peer of itself")
    if found.get("project"):
        access.name("project", found["project"])
    if found.get("accepts", NOTHING) not in ACCEPTS:
        raise UsageError(f"{found['accepts']!r} is not what a peer's documents may meet: {', '.join(ACCEPTS)}")
    for field in ("projects", "profiles"):
        if field in found:
            found[field] = tuple(dict.fromkeys(found[field]))
    for name in found.get("projects", ()):
        access.name("project", name)
        if not context.store.ledger.length(name):
            raise NotFound(f"there is no project {name!r}")
    if found.get("profiles"):
        user_defined.chosen(context.store, None, found["profiles"])
    for field in ("quota_bytes", "quota_documents"):
        if not 0 <= found.get(field, 0) <= _LARGEST:
            raise UsageError(f"a quota is a number from 0, not {found[field]}")
    if found.get("identity") and not _UUID.fullmatch(found["identity"]):
        raise UsageError(f"{found['identity'][:80]!r} is not the identity of a repository, which is a UUID")
    if found.get("identity") == context.store.ledger.identity().id:
        raise UsageError(f"{found['identity']} is the identity of this repository, which is no peer of itself")
    return found


def _url(text: str) -> str:
    """Return the URL of a server, ending in ``/``.

    Raises:
        UsageError: it is none, or contains a user or password.
    """
    parts = web_address(text)
    if "@" in text.partition("//")[2].partition("/")[0]:
        raise UsageError("the URL of a peer must not contain a user or password: give its token apart")
    if parts is None or parts.query or parts.fragment or not is_iri(text) or len(text) > access.LONGEST:
        raise UsageError(f"{text[:200]!r} is not the URL of a server, such as https://prov.example/")
    return text.rstrip("/") + "/"


def _token(token: str | None) -> str | None:
    return None if token is None else bearer(token, "the peer's token")
