"""A version as PROV-JSON, for readers of a package without provrepo; of a large one in a worker process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from provrepo.errors import Busy, Damaged, Error, TimedOut
from provrepo.ledger.entries import Entry
from provrepo.limits import WORKER_WAIT
from provrepo.repository.store import Store
from provrepo.repository.submission.conversion import LARGE
from provrepo.workers.blob import read_blob

__all__ = ["FORMAT", "as_prov_json", "run"]

FORMAT = "provjson"

_REASONS = 5
"""The most reasons of losses that are listed."""


def as_prov_json(store: Store, entry: Entry, output: Path) -> tuple[bool, str]:
    """Write a version as PROV-JSON.

    Args:
        store: the data directory with its workers.
        entry: the submission of the version, in another format.
        output: the file to write.

    Returns:
        Whether it was written, and what PROV-JSON cannot represent of it, or why it was not written.

    Raises:
        Busy: no worker became free.
        Damaged: the bytes have changed.
    """
    body = entry.body
    arguments = {
        "source": str(store.blobs.path(body["blob"])),
        "format": body["format"],
        "base": body["base"] or None,
        "output": str(output),
    }
    try:
        if body["size"] <= LARGE:
            from provrepo.codecs.jsonld.user_contexts import contexts_from

            with contexts_from(store.settings.contexts):
                return True, run(**arguments)["losses"]
        seconds = store.pool.seconds(store.settings.check_timeout)
        done = store.pool.call(f"{__name__}:run", arguments, timeout=seconds, queue_timeout=WORKER_WAIT)
        return True, done["losses"]
    except (Busy, Damaged):
        raise
    except TimedOut:
        return False, "the conversion to PROV-JSON took too long"
    except FileNotFoundError:
        return False, "erased"
    except Error as error:
        return False, f"PROV-JSON cannot be written: {error}"


def run(*, source: str, format: str, base: str | None, output: str) -> dict[str, Any]:  # noqa: A002
    """Convert a file; the entry point in a worker process."""
    from provrepo.codecs import formats

    document = formats.read(read_blob(Path(source)), format=format, base=base)
    Path(output).write_bytes(document.write(FORMAT))
    counts = Counter(loss.reason for loss in document.losses(FORMAT))
    reasons = [
        f"{reason}{f' ({count:,} times)' if count > 1 else ''}" for reason, count in counts.most_common(_REASONS)
    ]
    more = f"; and {len(counts) - _REASONS:,} more reasons" if len(counts) > _REASONS else ""
    return {"losses": "; ".join(reasons) + more}
