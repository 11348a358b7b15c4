"""Verbs that read documents and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.errors import NotFound
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.model.document import Document
from provrepo.repository import catalog
from provrepo.repository.context import Context
from provrepo.repository.records import (
    DocumentInfo,
    VersionInfo,
)
from provrepo.repository.submission.conversion import convert

if TYPE_CHECKING:
    from provrepo.repository.records import DocumentInfo, VersionInfo


__all__ = ["document", "documents", "export", "history", "original", "read", "report", "version"]


def documents(
    context: Context, project: str, *, after: str = "", limit: int | None = None, withdrawn: bool = False
) -> list[DocumentInfo]:
    """The documents of a project by name, each with its newest version.

    Args:
        project: which project.
        after: only names that come after this one.
        limit: at most so many.
        withdrawn: whether to list withdrawn ones too.

    Raises:
        NotFound: no such project.
    """
    context.require_read(project)
    found: list[DocumentInfo] = []
    erased = context.store.ledger.erased(project)
    while limit is None or len(found) < limit:
        page = context.store.ledger.documents(project, after=after, limit=limit or MAX_PAGE_SIZE)
        if not page:
            break
        after = page[-1][0]
        for name, newest, withdrawal in page:
            if withdrawal is None or withdrawn:
                info = catalog.document_info(
                    context.store, project, name, newest, withdrawal, erased, curator=context.curates(project)
                )
                found.append(info)
    return found[:limit]


def document(context: Context, project: str, name: str) -> DocumentInfo:
    """One document with its newest version; ``withdrawn`` says whether it still stands.

    Raises:
        NotFound: there has never been one of that name.
    """
    context.require_read(project)
    versions = context.store.ledger.versions(project, name)
    last = context.store.ledger.last(project, name)
    if not versions or last is None:
        raise NotFound(f"there is no document {name!r} in project {project!r}")
    withdrawal = last if last.kind == "withdraw" else None
    erased = context.store.ledger.erased(project)
    return catalog.document_info(
        context.store, project, name, versions[-1], withdrawal, erased, curator=context.curates(project)
    )


def history(context: Context, project: str, name: str) -> list[VersionInfo]:
    """Every version of a document, oldest first.

    Raises:
        NotFound: there has never been one of that name.
    """
    context.require_read(project)
    return catalog.history(context.store, project, name, curator=context.curates(project))


def version(context: Context, project: str, name: str, version: int | None = None) -> VersionInfo:
    """One version; the current one where none is named.

    A withdrawal covers every version that the document had then. These stay withdrawn where a later version is
    submitted; those who may change the project still read them, by their numbers.

    Raises:
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
    """
    return _version(context, project, name, version)


def _version(context: Context, project: str, name: str, number: int | None) -> VersionInfo:
    context.require_read(project)
    return catalog.find_version(context.store, project, name, number, curator=context.curates(project))


def original(context: Context, project: str, name: str, version: int | None = None) -> tuple[bytes, VersionInfo]:
    """The bytes exactly as they were submitted, verified against their digest.

    Raises:
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
        Damaged: the stored bytes are no longer what was submitted.
    """
    info = _version(context, project, name, version)
    return context.store.blobs.get(info.sha256), info


def read(context: Context, project: str, name: str, version: int | None = None) -> Document:
    """A stored version as a document; raises what ``original`` does."""
    from provrepo.codecs import formats
    from provrepo.codecs.jsonld.user_contexts import contexts_from

    data, info = original(context, project, name, version)
    with contexts_from(context.store.settings.contexts):
        return formats.read(data, format=info.format, base=info.base or None)


def export(
    context: Context,
    project: str,
    name: str,
    version: int | None = None,
    *,
    format: str | None = None,  # noqa: A002
) -> bytes:
    """A stored version in a format; the submitted bytes where none is named or it is theirs already.

    Raises:
        UnknownFormat: no such format.
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
        WriteError: the format cannot carry it.
        TimedOut: the document is large, and writing it took too long.
        WorkerFailed: it needed too much memory.
        Busy: too many large documents are being read.
    """
    from provrepo.codecs import formats

    if format is not None:
        formats.by_name(format)
    data, info = original(context, project, name, version)
    if format is None or format == info.format:
        return data
    return convert(context.store, info, data, format)


def report(context: Context, project: str, name: str, version: int | None = None) -> Report:
    """The report that was made when a version was accepted; raises what ``version`` does."""
    info = _version(context, project, name, version)
    return catalog.stored_report(context.store, context.store.ledger.entry(project, info.sequence))
