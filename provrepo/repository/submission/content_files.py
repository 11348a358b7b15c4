"""Content files: the quads of one version as N-Quads, which a worker process writes and the views load."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from provrepo.ledger.entries import Entry
from provrepo.ledger.storage.blobs import Blobs
from provrepo.model.minting import Minter
from provrepo.views.extraction import discard
from provrepo.workers.callers import LOCAL, on_behalf_of
from provrepo.workers.pool import Pool

__all__ = ["file_name", "target", "write"]


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


def write(
    entry: Entry, minter: Minter, *, blobs: Blobs, pool: Pool, output: Path, partial: Path, timeout: float
) -> None:
    """Write the content file of an accepted submission in a worker process, from its blob.

    Args:
        entry: the submission.
        minter: mints the IRIs of the repository.
        blobs: the submitted bytes.
        pool: the worker processes.
        output: the content file.
        partial: a temporary file of this call.
        timeout: seconds after which the worker is killed.

    Raises:
        Damaged: the blob does not have its digest.
        TimedOut: the timeout passed.
        WorkerFailed: the worker needed too much memory, or the pool was closed.
    """
    fields = entry.fields
    # The request during which an entry is indexed may be that of any client. The work is not bound to it: a client that
    # disconnects must not cause an entry to be set aside.
    try:
        with on_behalf_of(LOCAL):
            pool.call(
                "provrepo.repository.submission.worker:run",
                {
                    "source": str(blobs.path(fields["blob"])),
                    "format": fields["format"],
                    "base": fields["base"] or None,
                    "check": False,
                    "target": target(
                        minter,
                        entry.project,
                        fields["document"],
                        fields["version"],
                        fields["blob"],
                        output=output,
                        partial=partial,
                    ),
                },
                timeout=timeout,
            )
    finally:
        discard(partial)
