"""Verbs about logs: signed checkpoints of projects, tiles of their trees, receipts, and the keys that sign."""

from __future__ import annotations

from typing import Any

from provrepo.errors import Denied, NotFound
from provrepo.ledger.entries import REPOSITORY
from provrepo.repository.context import Context
from provrepo.repository.documents import version as find_version
from provrepo.repository.logs.records import LogInfo
from provrepo.verify.notes import parse_checkpoint

__all__ = ["log", "log_tile", "receipt", "retire_log_key", "rotate_log_key"]


def log(context: Context, project: str | None = None) -> LogInfo:
    """Return the log of a project: a signed checkpoint of all its entries, and the keys that sign.

    Args:
        project: the project; None for the repository's own stream.

    Raises:
        NotFound: no such project; or a mirror whose origin has sent no checkpoint.
        Denied: only the owner may see the log of the repository's own stream.
        NotAvailable: the key that signs is missing.
    """
    stream = _require(context, project)
    found = context.store.parts.log
    note = found.checkpoint(stream)
    stated = parse_checkpoint(note)
    keys = tuple(key.text for key in found.verifiers(stream))
    return LogInfo(stream, stated.origin, stated.size, stated.root.hex(), str(note), keys)


def log_tile(context: Context, project: str | None, path: str) -> bytes:
    """Return a tile of the tree of a log, or a bundle of its entries, as C2SP specifies them (tlog-tiles).

    The leaves of the tree are the SHA-256 of the entries of the project, 32 bytes each.

    Args:
        project: the project; None for the repository's own stream.
        path: such as ``0/x001/234``, ``1/000.p/3`` or ``entries/000``.

    Raises:
        NotFound: no such project, or no such tile.
        Denied: only the owner may see the log of the repository's own stream.
    """
    return context.store.parts.log.tile(_require(context, project), path)


def receipt(context: Context, project: str, name: str, version: int | None = None) -> dict[str, Any]:
    """Return the receipt of a version, which proves to others what was submitted: see ``provrepo.verify``.

    Args:
        project: the project.
        name: the document.
        version: the number of the version; None for the current one.

    Raises:
        NotFound: no such document or version; or a mirror whose origin has sent no checkpoint that covers it.
        Withdrawn: withdrawn or erased.
        NotAvailable: the key that signs is missing.
    """
    info = find_version(context, project, name, version)
    entry = context.store.ledger.version(project, name, info.version)
    if entry is None:
        raise NotFound(f"the entry of {project}/{name}@{info.version} cannot be read")
    return context.store.parts.log.receipt(project, entry)


def rotate_log_key(context: Context, *, lost: bool = False) -> LogInfo:
    """Replace the key that signs checkpoints with a new one. Both sign from now on, until ``retire_log_key``.

    Args:
        lost: the private key is lost, or others have it: it is revoked and does not sign any more.

    Returns:
        The log of the repository's own stream, which records the change.

    Raises:
        Denied: only the owner may.
        Conflict: two keys sign already.
        NotAvailable: the key in force is missing; or the new one cannot be written.
    """
    context.require_owner("replaces the key that signs checkpoints")
    context.store.parts.log.keys.rotate(actor=context.actor.id, lost=lost)
    return log(context)


def retire_log_key(context: Context) -> LogInfo:
    """Revoke the former key after a rotation, so that it does not sign any more.

    Returns:
        The log of the repository's own stream, which records the change.

    Raises:
        Denied: only the owner may.
        Conflict: no key was replaced.
        NotAvailable: the key in force is missing.
    """
    context.require_owner("ends the use of a key")
    context.store.parts.log.keys.retire(actor=context.actor.id)
    return log(context)


def _require(context: Context, project: str | None) -> str:
    if project is not None:
        context.require_read(project)
        return project
    if not context.actor.owner and not context.actor.administrator:
        raise Denied("only administrators see the log of the repository's own stream")
    return REPOSITORY
