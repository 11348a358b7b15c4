"""Verbs that withdraw documents and erase bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.errors import Denied, Stale, UsageError
from provrepo.repository import access, catalog
from provrepo.repository.context import Context
from provrepo.repository.documents import document

if TYPE_CHECKING:
    from provrepo.ledger.appending import Appending
    from provrepo.repository.records import DocumentInfo, VersionInfo

__all__ = ["erase", "remaining", "withdraw"]


def withdraw(
    context: Context, project: str, name: str, *, reason: str, internal_reason: str = "", if_match: str | None = None
) -> DocumentInfo:
    """Take a document back: it leaves the datasets, and only those who may change the project read its versions.

    Args:
        project: which project.
        name: which document.
        reason: kept in the ledger and shown in its place, to everybody who may read the project.
        internal_reason: shown to those alone who may change the project; the ledger has a salted digest of it.
        if_match: only if the current version has this SHA-256; ``"*"`` for any.

    Raises:
        NotFound: no such document.
        Withdrawn: it has been withdrawn before.
        Stale: another version is current.
        Denied: the actor may not.
    """
    context.require_write(project)
    _check_reasons("withdrawal", reason, internal_reason)
    with context.store.ledger.appending(project) as appending:
        current = catalog.find_version(context.store, project, name, None)
        if if_match not in (None, "*", current.sha256):
            raise Stale(f"{name} has a newer version: {current.version} ({current.sha256})")
        internal = _concealed(appending, internal_reason)
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
    """Delete the bytes of one version for legal reasons; its digest, the report's and the reason stay.

    The bytes are deleted once no version that is not erased consists of them. Erasing again finishes what a
    crash interrupted.

    Args:
        project: which project.
        name: which document.
        version: the number of the version.
        reason: kept in the ledger and shown in its place, to everybody who may read the project.
        internal_reason: shown to those alone who may change the project; the ledger has a salted digest of it.

    Raises:
        NotFound: no such version.
        Denied: only the owner may.
    """
    if not context.actor.owner:
        raise Denied("only the owner of the data directory erases")
    _check_reasons("erasure", reason, internal_reason)
    context.require_write(project)
    with context.store.ledger.appending(project) as appending:
        info = catalog.find_version(context.store, project, name, version, erased=True, curator=True)
        if info.state != "erased":
            internal = _concealed(appending, internal_reason)
            appending.append(
                "erase",
                {"document": name, "version": version, "blob": info.sha256, "reason": reason.strip(), **internal},
                actor=context.actor.id,
                token=context.actor.token,
            )
    context.store.index()
    # Inside a transaction, so that nobody starts to need the bytes meanwhile.
    with context.store.ledger.appending(project) as appending:
        if appending.references(info.sha256) == 0:
            context.store.blobs.erase(info.sha256)
    return catalog.find_version(context.store, project, name, version, erased=True, curator=True)


def remaining(context: Context, sha256: str) -> int:
    """How many versions that were not erased consist of some bytes; while there are any, the bytes are stored.

    Reports and profiles count as well.

    Raises:
        Denied: only the owner may know.
    """
    context.require_owner("counts what consists of some bytes")
    return context.store.ledger.references(sha256)


def _check_reasons(what: str, reason: str, internal: str) -> None:
    """Refuse reasons that cannot be kept.

    Raises:
        UsageError: none is given for the readers, one is too long, or one is not Unicode text.
    """
    if not reason.strip():
        raise UsageError(f"{'an' if what[0] in 'aeiou' else 'a'} {what} needs a reason")
    for name, text in (("reason", reason), ("internal reason", internal)):
        access.text(name, text)


def _concealed(appending: Appending, internal_reason: str) -> dict[str, str]:
    """The field of an entry for an internal reason; nothing where there is none."""
    text = internal_reason.strip()
    return {"internal": appending.conceal(text)} if text else {}
