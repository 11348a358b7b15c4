"""Verbs that read documents and their versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provrepo.checks.report import Report
from provrepo.errors import NotFound, UsageError
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.model.document import Document
from provrepo.repository import catalog
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import read_blob
from provrepo.repository.exchange.notices.warnings import of_projects as origin_warnings
from provrepo.repository.submission.conversion import convert

if TYPE_CHECKING:
    from provrepo.repository.records import DocumentInfo, VersionInfo


__all__ = [
    "document",
    "document_pages",
    "documents",
    "export",
    "history",
    "newest_documents",
    "original",
    "read",
    "report",
    "version",
]


def documents(
    context: Context, project: str, *, after: str = "", limit: int | None = None, withdrawn: bool = False
) -> list[DocumentInfo]:
    """Return the documents of a project by name, each with its newest version.

    Args:
        project: the project.
        after: only names after this one (by code point).
        limit: the most documents; None for all.
        withdrawn: whether to list withdrawn documents, too.

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


def newest_documents(
    context: Context, project: str, *, offset: int = 0, limit: int | None = None
) -> list[DocumentInfo]:
    """Return the documents of a project that are not withdrawn: those that need attention first, then the newest.

    These are the ones that do not conform or are impossible, that are set aside, or about whose origin there are
    warnings.

    Args:
        project: the project.
        offset: how many documents are left out.
        limit: the most documents; None for all.

    Raises:
        NotFound: no such project.
    """
    context.require_read(project)
    store = context.store
    first = set(store.set_aside.of_project(project))
    for _, name, number in origin_warnings(store, [project]):
        if (warned := store.ledger.version(project, name, number)) is not None:
            first.add(warned.sequence)
    store.figures.catch_up(project)
    names = store.figures.newest(project, first=first, offset=offset, limit=-1 if limit is None else limit)
    erased, curator = store.ledger.erased(project), context.curates(project)
    found = ((name, store.ledger.last(project, name)) for name in names)
    return [
        catalog.document_info(store, project, name, last, None, erased, curator=curator)
        for name, last in found
        if last is not None and last.kind == "submit"  # it may have been withdrawn a moment ago
    ]


def document_pages(context: Context, project: str, size: int) -> list[str]:
    """Return where the pages of the list of documents begin, without reading the documents.

    Args:
        project: the project.
        size: the number of documents of a page.

    Returns:
        For each page the value of ``after`` in ``documents`` with this limit; the first is empty. Withdrawn documents
        are not counted.

    Raises:
        NotFound: no such project.
        UsageError: the size is not positive.
    """
    context.require_read(project)
    if size < 1:
        raise UsageError(f"a page has at least one document, not {size}")
    ends = context.store.ledger.page_ends(project, size)
    pages = -(-context.store.ledger.count(project) // size)
    return ["", *ends][:pages]


def document(context: Context, project: str, name: str) -> DocumentInfo:
    """Return one document, withdrawn or not, with its newest version.

    Raises:
        NotFound: the document never existed.
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
    """Return every version of a document, the oldest first.

    Raises:
        NotFound: the document never existed.
    """
    context.require_read(project)
    return catalog.history(context.store, project, name, curator=context.curates(project))


def version(context: Context, project: str, name: str, version: int | None = None) -> VersionInfo:
    """Return one version, by default the current one.

    A withdrawal covers every version that the document had then. These stay withdrawn after a later version is
    submitted. Actors who may change the project can read them by number.

    Raises:
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
    """
    return _version(context, project, name, version)


def _version(context: Context, project: str, name: str, number: int | None) -> VersionInfo:
    context.require_read(project)
    return catalog.find_version(context.store, project, name, number, curator=context.curates(project))


def original(context: Context, project: str, name: str, version: int | None = None) -> tuple[bytes, VersionInfo]:
    """Return the bytes exactly as they were submitted, verified against their digest.

    Raises:
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
        Damaged: the stored bytes have changed.
    """
    info = _version(context, project, name, version)
    return read_blob(context.store, project, info.sha256), info


def read(context: Context, project: str, name: str, version: int | None = None) -> Document:
    """Return a stored version as a ``Document``; errors as for ``original``."""
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
    """Return a stored version in a format; the submitted bytes if that is their format, or none is given.

    Raises:
        UnknownFormat: no such format.
        NotFound: no such document or version.
        Withdrawn: withdrawn or erased.
        WriteError: the format cannot represent the document.
        TimedOut: the document is large, and converting it took too long.
        WorkerFailed: the conversion needed too much memory.
        Busy: no worker became free.
    """
    from provrepo.codecs import formats

    if format is not None:
        formats.by_name(format)
    data, info = original(context, project, name, version)
    if format is None or format == info.format:
        return data
    return convert(context.store, info, data, format)


def report(context: Context, project: str, name: str, version: int | None = None) -> Report:
    """Return the report that was made when a version was accepted; errors as for ``version``."""
    info = _version(context, project, name, version)
    return catalog.stored_report(context.store, context.store.ledger.entry(project, info.sequence))
