"""Content files: the quads of one version as N-Quads, which a worker process writes and the views load."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.ledger.entries import Entry
from provrepo.ledger.storage.blobs import Blobs
from provrepo.model.minting import Minter
from provrepo.repository.exchange.blobs import has_blob
from provrepo.views.extraction import discard, extraction_file
from provrepo.workers.callers import LOCAL, on_behalf_of

if TYPE_CHECKING:
    from provrepo.repository.store import Store

__all__ = ["derive", "derive_several", "file_name", "name_of", "target"]

_WORKER = "provrepo.repository.submission.worker"


def file_name(project: str, document: str, version: int, blob: str, base: str) -> str:
    """Return the name of a content file: a digest of everything that its content depends on.

    Args:
        project: the project.
        document: the document.
        version: its number.
        blob: SHA-256 of the submitted bytes.
        base: the base IRI; may be empty.
    """
    return hashlib.sha256(f"{base}\n{project}/{document}@{version}\n{blob}".encode()).hexdigest()[:40] + ".nq"


def name_of(entry: Entry, minter: Minter) -> str:
    """Return the name of the content file of a submission, with the IRIs that a minter mints."""
    body, home = entry.body, minter.home(entry.project).minter
    names = minter.base if home is minter else f"{home.base} {home.identity}"
    return file_name(entry.project, body["document"], body["version"], body["blob"], names)


def target(
    minter: Minter, project: str, document: str, version: int, blob: str, *, output: Path, partial: Path
) -> dict[str, Any]:
    """Return the argument ``target`` of ``submission.worker.run``.

    Args:
        minter: mints the IRIs of the repository.
        project: the project.
        document: the document.
        version: its number.
        blob: SHA-256 of the submitted bytes.
        output: the content file.
        partial: a temporary file, which is renamed to ``output`` when it is complete; ``output`` where that is one.
    """
    blank_nodes = minter.of(project, document, version)
    return {
        "output": str(output),
        "partial": str(partial),
        "version": str(minter.version(project, document, version)),
        "blob": blob,
        "minting": {"base": blank_nodes.base, "identity": blank_nodes.identity},
    }


def derive(store: Store, entry: Entry, folder: Path, minter: Minter) -> Path | None:
    """Return the content file of an accepted submission in a folder, written from its blob if it is not there.

    Args:
        store: the data directory.
        entry: the submission.
        folder: of content files.
        minter: mints the IRIs.

    Returns:
        The file; None where the bytes were erased.

    Raises:
        Damaged: the blob does not have its digest.
        TimedOut: it took too long.
        WorkerFailed: the worker needed too much memory, or the pool was closed.
    """
    file = folder / name_of(entry, minter)
    if not has_blob(store, entry.project, entry.body["blob"]):
        return None
    if not _is_there(file):
        _write(store, [(entry, file)], minter)
    return file


def derive_several(store: Store, entries: Sequence[Entry], folder: Path, minter: Minter) -> list[Path]:
    """Write the content files of some small submissions by one call of a worker process; see ``derive``.

    Returns:
        The files that are there afterwards. One that cannot be written is missing; ``derive`` says why.

    Raises:
        TimedOut, WorkerFailed: as ``derive``, for all together.
    """
    files = [(entry, folder / name_of(entry, minter)) for entry in entries]
    lacking = [
        (entry, file)
        for entry, file in files
        if not _is_there(file) and has_blob(store, entry.project, entry.body["blob"])
    ]
    if lacking:
        _write(store, lacking, minter)
    return [file for _, file in files if _is_there(file)]


def _is_there(file: Path) -> bool:
    return file.exists() and extraction_file(file).exists()


def _write(store: Store, files: Sequence[tuple[Entry, Path]], minter: Minter) -> None:
    """Write content files in one call of a worker; with several submissions, those at fault have none afterwards."""
    partials = [store.temporary(".part") for _ in files]
    calls = [
        _arguments(entry, minter, store.blobs, file, partial)
        for (entry, file), partial in zip(files, partials, strict=True)
    ]
    # The request during which an entry is indexed may be that of any client. The work is not bound to it: a client that
    # disconnects must not cause an entry to be set aside.
    try:
        with on_behalf_of(LOCAL):
            timeout = store.settings.check_timeout
            if len(calls) == 1:
                store.pool.call(f"{_WORKER}:run", calls[0], timeout=timeout)
            else:
                store.pool.call(f"{_WORKER}:run_several", {"calls": calls}, timeout=timeout)
    finally:
        for partial in partials:
            discard(partial)


def _arguments(entry: Entry, minter: Minter, blobs: Blobs, output: Path, partial: Path) -> dict[str, Any]:
    body = entry.body
    document, version, blob = body["document"], body["version"], body["blob"]
    return {
        "source": str(blobs.path(blob)),
        "format": body["format"],
        "base": body["base"] or None,
        "check": False,
        "target": target(minter, entry.project, document, version, blob, output=output, partial=partial),
    }
