"""How entries of another repository enter a mirror, from a server or from a package.

Entries are taken in pages. The chain of a page is verified before anything of it is stored. Then its blobs are stored
under their digests, and at last its entries are appended in one transaction. A process that is killed in between has at
most some blobs without entries, and goes on with the same page. While the views apply a page, the next one is received.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from provrepo.errors import Damaged, Diverged, Error, InvalidName, NotFound, RemoteError
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import Entry, check_settings, recent
from provrepo.ledger.exchange.chain import check_next
from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.ledger.streams import columns
from provrepo.repository.context import Context
from provrepo.repository.exchange.blobs import has_blob
from provrepo.repository.store import Store
from provrepo.repository.submission import content_files
from provrepo.text import quoted
from provrepo.views.extraction import discard

__all__ = [
    "ALL",
    "BLOBS",
    "CURRENT",
    "NONE",
    "BlobSource",
    "BulkBlobSource",
    "Imported",
    "fetch_absent",
    "import_entries",
    "require_mirror",
]

ALL, CURRENT, NONE = "all", "current", "none"

BLOBS = (ALL, CURRENT, NONE)
"""Which blobs are copied: all; those of versions that are current when they are copied; or none."""

LONGEST_ENTRY = 1 << 20
"""The most bytes of one entry of another repository."""

_ERASED = "erased at the origin"
"""Why a mirror lacks a blob."""

_PAGE_ENTRIES = 256
_PAGE_BYTES = 4 << 20
_CHUNK = 1 << 20
_CALL_ENTRIES = 32
_CALL_BYTES = 256 << 10
"""The most bytes of several submissions that one call of a worker reads."""

_BULK = 256 << 10
"""The most bytes of a blob that is requested together with others, where its size is known."""


class BlobSource(Protocol):
    """Where the blobs of foreign entries come from.

    Attributes:
        parallel: how many calls of ``fetch`` may run at the same time.
    """

    parallel: int

    def fetch(self, digest: str, file: Path, most: int | None) -> str | None:
        """Write the bytes with a digest to a file.

        Args:
            digest: the SHA-256 of the bytes. The caller compares it.
            file: the file. It may have the first bytes already, from an attempt that was interrupted.
            most: the most bytes to write; None for no limit.

        Returns:
            None if the file is complete; otherwise why the source does not have the bytes, for people.

        Raises:
            Error: the source failed, and may have the bytes later.
        """


@runtime_checkable
class BulkBlobSource(BlobSource, Protocol):
    """A source that can send several blobs at once."""

    def prefetch(self, wanted: Collection[str], folder: Path) -> dict[str, str]:
        """Write blobs to files of a folder, named by their digests. Those that it omits are fetched one by one.

        Returns:
            The blobs that the source does not have, with the reason.
        """


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        entries: the number of entries that were appended.
        blobs: the number of blobs that were stored.
        absent: the blobs of these entries that were not stored, each with the reason, by digest.
        sequence: the number of entries of the mirror now.
    """

    entries: int = 0
    blobs: int = 0
    absent: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 0


def import_entries(
    context: Context,
    project: str,
    entries: Iterable[bytes],
    blobs: BlobSource,
    *,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Append the next entries of its origin to a mirror, with their blobs. Entries that it has already are skipped.

    Args:
        context: the data directory, and its owner.
        project: the name of the mirror: see ``begin_mirror``.
        entries: canonical bytes, in order, from the first or any later one up to the next that is not here.
        blobs: where the blobs are.
        progress: called with the sequence number of the last entry of each page after it was stored.

    Raises:
        Diverged: an entry is not the one that is here under its number, or does not follow the one before it. The
            entries of the pages before it were stored.
        RemoteError: an entry is malformed, or a blob has other bytes.
        NotFound: there is no such mirror.
        NoSpace: the disk is nearly full.
    """
    context.require_owner("imports entries")
    store = context.store
    found = require_mirror(store, project)
    count = stored = 0
    absent: dict[str, str] = {}
    length, digest = store.ledger.end(project)
    with ThreadPoolExecutor(max_workers=1) as indexing:
        indexed: Future[None] | None = None
        for page in _pages(store, found, entries, length, digest):
            result = _import_page(store, found, page, blobs)
            if indexed is not None:
                indexed.result()  # so that the content of no more than two pages waits
            indexed = indexing.submit(_index, store)
            count, stored = count + len(page), stored + result.blobs
            absent |= result.absent
            if progress is not None:
                progress(page[-1].sequence)
        if indexed is not None:
            indexed.result()
    return Imported(count, stored, absent, store.ledger.length(project))


def fetch_absent(context: Context, project: str, blobs: BlobSource, *, only: Collection[str] | None = None) -> Imported:
    """Fetch the blobs that a mirror lacks, as far as its filters and the source allow.

    Args:
        context: the data directory, and its owner.
        project: the name of the mirror.
        blobs: where the blobs are.
        only: the digests of the blobs to fetch; None for all.

    Raises:
        RemoteError: a blob has other bytes.
        NotFound: there is no such mirror.
    """
    context.require_owner("imports entries")
    store = context.store
    mirror = require_mirror(store, project)
    lacking = store.parts.mirroring.absent(project)
    erased = _erased(store, project)
    stored = 0
    absent: dict[str, str] = {}
    if mirror.blobs != NONE:
        wanted = lacking.keys() - erased
        for batch in _batches(sorted(wanted if only is None else wanted & set(only))):
            missing = _receive(store, mirror, dict.fromkeys(batch), blobs)
            absent |= missing
            arrived = [blob for blob in batch if blob not in missing]
            stored += len(arrived)
            with store.ledger.database.writing() as connection:
                store.parts.mirroring.set_absent(connection, project, missing)
                if store.parts.mirroring.set_present(connection, project, arrived):
                    store.parts.mirroring.change_within(connection, project, actor="", content=mirror.content + stored)
    if stored:
        store.index()
    return Imported(0, stored, absent, store.ledger.length(project))


def _pages(store: Store, mirror: Mirror, entries: Iterable[bytes], length: int, digest: str) -> Iterator[list[Entry]]:
    """Yield the new entries in pages, after verifying their chain."""
    page: list[Entry] = []
    size = 0
    for data in entries:
        entry = _parsed(data, length)
        if entry.sequence <= length and not page:
            if _digest_here(store, mirror, entry.sequence) != entry.sha256:
                raise Diverged(f"entry {entry.sequence} is not the one that was mirrored before")
            continue
        check_next(entry, mirror.stream, length, digest)
        length, digest = entry.sequence, entry.sha256
        page.append(entry)
        size += len(data)
        if len(page) >= _PAGE_ENTRIES or size >= _PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def _parsed(data: bytes, length: int) -> Entry:
    if len(data) > LONGEST_ENTRY:
        raise RemoteError(f"the entry after entry {length} has {len(data):,} bytes; at most {LONGEST_ENTRY:,} are read")
    try:
        entry = recent(data)
        if entry.kind == "settings":
            check_settings(entry.body)
        return entry
    except (Damaged, InvalidName, ValueError) as error:
        raise RemoteError(f"what was sent after entry {length} cannot be stored: {quoted(str(error))}") from error


def _import_page(store: Store, mirror: Mirror, page: list[Entry], blobs: BlobSource) -> Imported:
    wanted, absent = _wanted(store, mirror, page)
    store.require_space(sum(size or 0 for size in wanted.values()) + sum(len(entry.data) for entry in page))
    absent |= _receive(store, mirror, wanted, blobs)
    arrived = [blob for blob in wanted if blob not in absent]
    own = [entry.here(mirror.project) for entry in page]
    derived = _derive(store, mirror, [entry for entry in own if entry.body.get("blob") not in absent])
    try:
        _append(store, mirror, page, arrived, absent)
    except BaseException:
        for file in derived:
            discard(file)
        raise
    return Imported(len(page), len(arrived), absent, page[-1].sequence)


def _index(store: Store) -> None:
    """Apply the entries of a page, and load their content into the quads view together."""
    if not store.may_index():
        return
    store.follower.gather()
    store.index()
    with suppress(Error), store.follower.paused():
        pass  # it loads what waits


def _append(store: Store, mirror: Mirror, page: list[Entry], arrived: list[str], absent: Mapping[str, str]) -> None:
    erasing = _mark_erased(store, mirror, page)
    with store.ledger.appending(mirror.project) as appending:
        _copy(appending, page)
        store.parts.mirroring.set_absent(appending.connection, mirror.project, absent)
        present = [blob for blob in (*arrived, *erasing) if blob not in absent]
        store.parts.mirroring.set_present(appending.connection, mirror.project, present)
        # Before the entries are committed: whatever happens now, the bytes are gone once the entry is here.
        for blob in _unreferenced(appending, page):
            store.blobs.erase(blob)


def _copy(appending: Appending, page: list[Entry]) -> None:
    length, _ = appending.end()
    for entry in page:
        if entry.sequence <= length:  # another process was faster
            if appending.digest(entry.sequence) != entry.sha256:
                raise Diverged(f"entry {entry.sequence} is not the one that was mirrored before")
            continue
        try:
            appending.copy(entry)
        except ValueError as error:
            raise RemoteError(f"entry {entry.sequence} cannot be stored: {quoted(str(error))}") from error


def _unreferenced(appending: Appending, page: list[Entry]) -> list[str]:
    """Return the blobs that a page erases and that no version here has any more, after the page was appended."""
    erased = dict.fromkeys(entry.body["blob"] for entry in page if entry.kind == "erase")
    return [blob for blob in erased if appending.references(blob) == 0]


def _mark_erased(store: Store, mirror: Mirror, page: list[Entry]) -> list[str]:
    """Record the blobs that a page erases as absent, in a transaction of its own; return those that are here now.

    Their files are deleted before the page is committed. If the process is killed in between, the mirror lacks bytes
    whose erasure it does not have yet; without the record they would seem to be lost.
    """
    if not any(entry.kind == "erase" for entry in page):
        return []
    erased: list[str] = []
    with suppress(_Undone), store.ledger.appending(mirror.project) as appending:
        _copy(appending, page)
        erased = _unreferenced(appending, page)
        raise _Undone
    here = [blob for blob in erased if has_blob(store, mirror.project, blob)]
    with store.ledger.database.writing() as connection:
        store.parts.mirroring.set_absent(connection, mirror.project, dict.fromkeys(here, _ERASED))
    return here


class _Undone(Exception):
    """Ends a transaction whose changes are not wanted."""


def _wanted(store: Store, mirror: Mirror, page: list[Entry]) -> tuple[dict[str, int | None], dict[str, str]]:
    """Return the blobs to receive for a page, with their sizes where known, and those left out, with the reason."""
    wanted: dict[str, int | None] = {}
    absent: dict[str, str] = {}
    lacking = store.parts.mirroring.absent(mirror.project)
    outdated = _outdated(page) if mirror.blobs == CURRENT else set()
    erased = {(entry.body["document"], entry.body["version"]) for entry in page if entry.kind == "erase"}
    for entry in page:
        if entry.kind == "erase":
            continue
        bytes_of, report = columns(entry)[3:]
        for blob in (bytes_of, report):
            if blob is None or blob in wanted or blob in absent:
                continue
            size = entry.body.get("size") if entry.kind == "submit" and blob == bytes_of else None
            if blob not in lacking and _is_named(store, mirror, blob) and store.blobs.exists(blob):
                continue
            if entry.kind == "submit" and (entry.body["document"], entry.body["version"]) in erased:
                absent[blob] = _ERASED
            elif mirror.blobs == NONE:
                absent[blob] = "left out: this mirror copies no bytes"
            elif entry.sequence in outdated:
                absent[blob] = "left out: this mirror copies the bytes of current versions"
            elif mirror.most is not None and isinstance(size, int) and size > mirror.most:
                absent[blob] = f"left out: this mirror copies at most {mirror.most:,} bytes, and it has {size:,}"
            else:
                wanted[blob] = size if isinstance(size, int) else None
    return wanted, absent


def _outdated(page: list[Entry]) -> set[int]:
    """Return the submissions of a page that a later entry of the page replaces or withdraws."""
    newest: dict[str, int] = {}
    found: set[int] = set()
    for entry in page:
        if entry.kind in ("submit", "withdraw"):
            former = newest.pop(entry.body["document"], None)
            if former is not None:
                found.add(former)
        if entry.kind == "submit":
            newest[entry.body["document"]] = entry.sequence
    return found


def _receive(store: Store, mirror: Mirror, wanted: Mapping[str, int | None], blobs: BlobSource) -> dict[str, str]:
    """Store blobs under their digests; return those that the source does not have, with the reason."""
    if not wanted:
        return {}
    folder = store.blobs.partial(mirror.project)

    refused: dict[str, str] = {}
    if isinstance(blobs, BulkBlobSource):
        small = [blob for blob, size in wanted.items() if (size or 0) <= _BULK and not (folder / blob).exists()]
        refused = blobs.prefetch(small, folder)

    def receive(blob: str) -> str | None:
        file = folder / blob
        if blob in refused:
            return refused[blob]
        if _digest(file) == blob:
            return None  # received together with others, or by a process that was killed afterwards
        reason = blobs.fetch(blob, file, wanted[blob] if wanted[blob] is not None else mirror.most)
        if reason is not None:
            file.unlink(missing_ok=True)
            return reason
        if _digest(file) != blob:
            file.unlink(missing_ok=True)
            raise RemoteError(f"the bytes that were sent for the digest {blob} have another digest")
        return None

    with ThreadPoolExecutor(max_workers=max(1, blobs.parallel)) as threads:
        reasons = dict(zip(wanted, threads.map(receive, wanted), strict=True))
        # The file system syncs the files and names of several threads together.
        store.blobs.adopt({blob: folder / blob for blob, reason in reasons.items() if reason is None}, threads.map)
    with suppress(OSError):
        folder.rmdir()
    return {blob: reason for blob, reason in reasons.items() if reason is not None}


def _derive(store: Store, mirror: Mirror, page: list[Entry]) -> list[Path]:
    """Write the content files of a page in the worker processes, for the views to load.

    A failure is left to the views, which try again. Entries from before the identity of the origin are left to them,
    too, since the IRIs in their content depend on which versions are there.
    """
    submissions = [entry for entry in page if entry.kind == "submit" and entry.sequence > mirror.before]
    if not (submissions and store.may_index()):
        return []
    minter = store.minter()

    def derive(batch: list[Entry]) -> list[Path]:
        with suppress(Error, OSError):
            return content_files.derive_several(store, batch, store.parts.spool, minter)
        return []

    with ThreadPoolExecutor(max_workers=store.settings.workers) as threads:
        return [file for files in threads.map(derive, _calls(submissions)) for file in files]


def _calls(submissions: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield submissions in batches for one call of a worker each: many small ones, or a large one."""
    batch: list[Entry] = []
    size = 0
    for entry in submissions:
        if batch and (len(batch) >= _CALL_ENTRIES or size + entry.body["size"] > _CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.body["size"]
    if batch:
        yield batch


def require_mirror(store: Store, project: str) -> Mirror:
    """Return a mirror.

    Raises:
        NotFound: there is none of this name.
    """
    found = store.ledger.mirror(project)
    if found is None:
        raise NotFound(f"there is no mirror {project!r}")
    return found


def _erased(store: Store, project: str) -> set[str]:
    """Return the digests that were erased at the origin."""
    found = set()
    for document, version in store.ledger.erased(project):
        entry = store.ledger.version(project, document, version)
        if entry is not None:
            found.add(str(entry.body["blob"]))
    return found


def _batches(blobs: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(blobs), _PAGE_ENTRIES):
        yield blobs[start : start + _PAGE_ENTRIES]


def _digest(file: Path) -> str:
    """Return the SHA-256 of a file; empty if it does not exist."""
    found = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                found.update(chunk)
    except FileNotFoundError:
        return ""
    return found.hexdigest()


def _digest_here(store: Store, mirror: Mirror, sequence: int) -> str:
    with store.ledger.stream(mirror.project) as stream:
        return stream.digest(sequence)


def _is_named(store: Store, mirror: Mirror, blob: str) -> bool:
    with store.ledger.stream(mirror.project) as stream:
        return stream.names(blob)
