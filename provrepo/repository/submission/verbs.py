"""Verbs that check and store documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.codecs.formats import content
from provrepo.model.document import Document
from provrepo.repository.context import Context
from provrepo.repository.profiles import own
from provrepo.repository.records import (
    DEFAULT,
    Receipt,
)
from provrepo.repository.submission import submit as submission

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source


__all__ = ["submit", "validate"]


def submit(
    context: Context,
    source: Source,
    *,
    project: str = DEFAULT,
    name: str | None = None,
    profiles: Sequence[str] = (),
    update: bool = False,
    if_match: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    note: str = "",
    again: bool = False,
    allow_empty: bool = False,
) -> Receipt:
    """Check a document and store it for good.

    It is stored whole or not at all: when this returns, bytes and ledger entry are on disk. Submitting the
    current version's bytes again changes nothing and returns its receipt.

    Args:
        source: a path, the bytes, or a binary file object.
        project: where to; ``default`` is made when its owner first needs it.
        name: the document's name; the file's name or part of the digest where it is not given.
        profiles: to hold it against, beyond the project's own.
        update: append a new version where the name is taken.
        if_match: replace only the version with this SHA-256, or any for ``"*"``.
        format: a format's name; detected where it is not given.
        base: the IRI against which relative IRIs are resolved.
        note: what the submitter says about it.
        again: take in bytes that were withdrawn from this document, as a new version; and, where the owner asks,
            bytes that were erased from the project.
        allow_empty: store a document that makes no statement, whatever its profiles say of that.

    Raises:
        TakenBack: the bytes were withdrawn or erased before; carries who, when and why.
        ReadError: unreadable, with line and column where there is one.
        Refused: it does not conform, or makes no statement; carries the report. Nothing is stored.
        Conflict: the name is taken by other bytes.
        Stale: the version named by ``if_match`` is not the current one.
        NotFound: no such project.
        Denied: the actor may not submit to it.
        TooLarge: more bytes than the settings allow.
        NoSpace: the disk is nearly full.
        WorkerFailed: checking took too long or too much memory.
    """
    data, file = content(source)
    context.store.make()
    if project == DEFAULT and context.actor.owner:
        context.ensure_default()
    return submission.submit(
        context.store,
        context.actor,
        data,
        file,
        project=project,
        name=name,
        profiles=profiles,
        update=update,
        if_match=if_match,
        format=format,
        base=base,
        note=note,
        again=again,
        allow_empty=allow_empty,
    )


def validate(
    context: Context,
    source: Source | Document,
    *,
    project: str | None = None,
    profiles: Sequence[str] = (),
    constraints: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
) -> Report:
    """Check a document and keep nothing of it.

    Args:
        source: a path, the bytes, a binary file object, or a document.
        project: whose own profiles may be named beside those that every project has.
        profiles: to hold it against.
        constraints: ``gate``, ``report`` or ``off``; None leaves it to the profiles.
        format: a format's name; detected where it is not given.
        base: the IRI against which relative IRIs are resolved.

    Raises:
        NotFound: no such project.
        ReadError: unreadable.
        UsageError: an unknown profile.
    """
    if project is not None:
        context.require_read(project)
    if isinstance(source, Document):
        from provrepo.checks.validation import check

        held = own.chosen(context.store, project, profiles)
        return check(source, profiles=held, constraints=constraints)
    return submission.validate(
        context.store,
        source,
        project=project,
        profiles=profiles,
        constraints=constraints,
        format=format,
        base=base,
    )
