"""Verbs that withdraw documents and erase bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.errors import Denied, Stale, UsageError
from provrepo.ledger.events import Events
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.documents import document
from provrepo.repository.people.roles import Right
from provrepo.repository.statements.files import forget

if TYPE_CHECKING:
    from provrepo.ledger.appending import Appending
    from provrepo.repository.records import DocumentInfo, VersionInfo

__all__ = ["check_reasons", "erase", "remaining", "withdraw"]


def withdraw(
    context: Context, project: str, name: str, *, reason: str, internal_reason: str = "", if_match: str | None = None
) -> DocumentInfo:
    """Withdraw a document: it is removed from the datasets, and only actors who may change the project can read it.

    Args:
        project: the project.
        name: the document.
        reason: stored in the ledger, and shown to every reader of the project.
        internal_reason: shown only to actors who may change the project; the ledger contains a salted digest of it.
        if_match: withdraw only if the current version has this SHA-256; ``"*"`` for any.

    Raises:
        NotFound: no such document.
        Withdrawn: it is withdrawn already.
        Stale: another version is current.
        Denied: the actor may not change the project or this document of others, or the project is a mirror.
    """
    context.require_document(project, name)
    context.store.ledger.require_own(project)
    check_reasons("withdrawal", reason, internal_reason)
    with context.store.ledger.appending(project) as appending:
        current = catalog.find_version(context.store, project, name, None)
        if if_match not in (None, "*", current.sha256):
            raise Stale(f"{name} has a newer version: {current.version} ({current.sha256})")
        internal = _internal_field(appending, internal_reason)
        appending.append(
            "withdraw",
            {"document": name, "version": current.version, "reason": reason.strip(), **internal},
            actor=context.actor.id,
            token=context.actor.token,
        )
    context.store.index()
    return document(context, project, name)


def erase(
    context: Context, project: str, name: str, version: int, *, reason: str, internal_reason: str = ""
) -> VersionInfo:
    """Delete the bytes of one version for legal reasons. Its digest, its report and the reason stay.

    The bytes are deleted once all versions with these bytes are erased. Erasing again completes an erasure that a crash
    interrupted.

    Args:
        project: the project.
        name: the document.
        version: the number of the version.
        reason: stored in the ledger, and shown to every reader of the project.
        internal_reason: shown only to actors who may change the project; the ledger contains a salted digest of it.

    Raises:
        NotFound: no such version.
        Denied: the actor is not the owner, or the project is a mirror.
        Busy: the version is erased, and others kept using a database that may contain copies of it: erase it again.
    """
    if not context.actor.owner:
        raise Denied("only the owner of the data directory erases")
    check_reasons("erasure", reason, internal_reason)
    context.require_change(project, Right.CURATE)
    context.store.ledger.require_own(project)
    with context.store.ledger.appending(project) as appending:
        info = catalog.find_version(context.store, project, name, version, erased=True, curator=True)
        if info.state != "erased":
            internal = _internal_field(appending, internal_reason)
            appending.append(
                "erase",
                {"document": name, "version": version, "blob": info.sha256, "reason": reason.strip(), **internal},
                actor=context.actor.id,
                token=context.actor.token,
            )
    context.store.index()
    # Inside a transaction, so that no submission refers to the bytes meanwhile.
    with context.store.ledger.appending(project) as appending:
        if appending.references(info.sha256) == 0:
            context.store.blobs.erase(info.sha256)
            forget(context.store, info.sha256)
    Events(context.store.ledger).erase(project, name)
    context.store.exchange.rewrite()
    return catalog.find_version(context.store, project, name, version, erased=True, curator=True)


def remaining(context: Context, sha256: str) -> int:
    """Return the number of versions with some bytes that are not erased. The bytes are deleted when it is 0.

    Reports and profiles with these bytes count as well.

    Args:
        sha256: the digest of the bytes.

    Raises:
        Denied: the actor is not the owner.
    """
    context.require_owner("counts what consists of some bytes")
    return context.store.ledger.references(sha256)


def check_reasons(what: str, reason: str, internal: str) -> None:
    """Check the reasons of a withdrawal or erasure.

    Raises:
        UsageError: the published reason is empty, or one is too long or is not Unicode text.
    """
    if not reason.strip():
        raise UsageError(f"{'an' if what[0] in 'aeiou' else 'a'} {what} needs a reason")
    for name, text in (("reason", reason), ("internal reason", internal)):
        access.text(name, text)


def _internal_field(appending: Appending, internal_reason: str) -> dict[str, str]:
    """Store an internal reason and return the field for its entry; empty if there is none."""
    text = internal_reason.strip()
    return {"internal": appending.conceal(text)} if text else {}
