"""Verbs that check and store documents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from provrepo.checks.report import Report
from provrepo.codecs.formats import content
from provrepo.errors import Refused, Waits
from provrepo.model.document import Document
from provrepo.repository import access
from provrepo.repository.context import Context
from provrepo.repository.exchange import rights
from provrepo.repository.exchange.reviewing.submitting import submit_for_review
from provrepo.repository.exchange.webhooks.announcing import announce_refusal
from provrepo.repository.people.roles import Right
from provrepo.repository.profiles import user_defined
from provrepo.repository.records import DEFAULT, Receipt
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
    keep: bool = False,
) -> Receipt:
    """Check a document and store it durably.

    It is stored completely or not at all: when this returns, bytes and ledger entry are on disk. Submitting the bytes
    of the current version again changes nothing and returns its receipt.

    Args:
        source: a path, the bytes, or a binary file object.
        project: the project; ``default`` is created when its owner first needs it.
        name: the name of the document; by default the name of the file, or part of the digest.
        profiles: names of profiles to check it against, in addition to those of the project.
        update: append a new version if the document exists.
        if_match: replace only the version with this SHA-256, or any for ``"*"``.
        format: the name of its format; detected by default.
        base: the IRI against which relative IRIs are resolved.
        note: a note of the submitter.
        again: accept bytes that were withdrawn from this document, as a new version; and from the owner also bytes that
            were erased from the project.
        allow_empty: store a document without statements, even if its profiles refuse it.
        keep: if the document does not conform, keep it for some days at an address that its submitter and the curators
            of the project see. It is no version, and in no dataset.

    Raises:
        Waits: the submissions of the actor are reviewed: the document is stored, and waits until a curator accepts it.
        TakenBack: the bytes were withdrawn or erased before; with actor, time and reason.
        ReadError: the document cannot be read; with line and column if they are known.
        Refused: the document does not conform, or contains no statement; with the report. Nothing is stored,
            except with ``keep``; then the error has the record.
        Conflict: the document exists with other bytes.
        Stale: ``if_match`` does not match the current version.
        NotFound: no such project.
        Denied: the actor may not submit to the project, or may not replace this document of others.
        TooLarge: the document has more bytes than the settings allow.
        Archived: the project is archived.
        ProjectFull, OverQuota: the quota of the project is used up.
        NoSpace: the disk is nearly full.
        WorkerFailed: the check took too long or too much memory.
    """
    data, file = content(source)
    context.store.make()
    if project == DEFAULT and context.actor.owner:
        context.ensure_default()
    access.name("project", project)
    curates = Right.CURATE in context.require_change(project, Right.SUBMIT)
    fits: dict[str, Any] = {"update": update, "if_match": if_match}
    options: dict[str, Any] = {"project": project, "profiles": profiles, "format": format, "base": base, "note": note}
    options |= {"allow_empty": allow_empty, **fits}
    blob = hashlib.sha256(data).hexdigest()
    document = access.name("document", name) if name is not None else submission.name_for(file, blob)
    if rights.is_reviewed(context, project) and not submission.unchanged(
        context.store, project, document, blob, **fits
    ):
        try:
            waiting, _ = submit_for_review(context, data, name=document, **options)
        except Refused as refusal:
            raise _refused(context, refusal, data, document, options, keep=keep) from None
        raise Waits(f"{project}/{document} waits for a review as {waiting.id}", waiting)
    try:
        return submission.submit(
            context.store, context.actor, data, file, name=document, again=again, own_only=not curates, **options
        )
    except Refused as refusal:
        raise _refused(context, refusal, data, document, options, keep=keep) from None


def _refused(
    context: Context, refusal: Refused, data: bytes, document: str, options: dict[str, Any], *, keep: bool
) -> Refused:
    """Return a refusal, with the record of the document if that is to be kept; otherwise webhooks are told of it."""
    if not keep:
        announce_refusal(context.store, options["project"], document, cast("Report", refusal.report))
        return refusal
    refusal.kept, _ = submit_for_review(context, data, name=document, refused=True, **options)
    return refusal


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
    """Check a document and store nothing.

    Args:
        source: a path, the bytes, a binary file object, or a document.
        project: the project whose user-defined profiles are available besides those of the whole repository.
        profiles: names of profiles to check it against.
        constraints: ``gate``, ``report`` or ``off``; None for the effect that the profiles define.
        format: the name of its format; detected by default.
        base: the IRI against which relative IRIs are resolved.

    Raises:
        NotFound: no such project.
        ReadError: the document cannot be read.
        UsageError: a profile is unknown.
    """
    if project is not None:
        context.require_read(project)
    if isinstance(source, Document):
        from provrepo.checks.validation import check

        chosen = user_defined.chosen(context.store, project, profiles)
        return check(source, profiles=chosen, constraints=constraints)
    return submission.validate(
        context.store,
        source,
        project=project,
        profiles=profiles,
        constraints=constraints,
        format=format,
        base=base,
    )
