"""Conversion of a stored version to another format; of a large one in a worker process.

Reading a large document takes seconds and hundreds of megabytes, although it was accepted before. In a worker there is
a deadline and a limit of memory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provrepo.errors import TimedOut
from provrepo.limits import WORKER_WAIT
from provrepo.repository.records import VersionInfo
from provrepo.repository.store import Store
from provrepo.words import lasting
from provrepo.workers.blob import read_blob

__all__ = ["LARGE", "convert", "run"]

LARGE = 256 << 10
"""The most bytes of a document that is converted without a worker, which takes a tenth of a second."""

_SECONDS = 60.0
"""The timeout of a conversion, unless that of a check is less."""


def convert(
    store: Store,
    info: VersionInfo,
    data: bytes,
    format: str,  # noqa: A002
    *,
    bundles: bool = True,
) -> bytes:
    """Return a version in another format.

    Args:
        store: the data directory with its workers.
        info: the version.
        data: its bytes.
        format: the name of the new format.
        bundles: whether to write its bundles, or its top level only.

    Raises:
        WriteError: the format cannot represent the document.
        TimedOut: the conversion took too long.
        WorkerFailed: the conversion needed too much memory.
        Busy: no worker became free.
    """
    if len(data) <= LARGE:
        from provrepo.codecs.jsonld.user_contexts import contexts_from

        with contexts_from(store.settings.contexts):
            return _converted(data, info.format, info.base or None, format, bundles)
    output = store.temporary()
    seconds = store.pool.seconds(min(_SECONDS, store.settings.check_timeout))
    try:
        store.pool.call(
            f"{__name__}:run",
            {
                "source": str(store.blobs.path(info.sha256)),
                "format": info.format,
                "base": info.base or None,
                "target": format,
                "bundles": bundles,
                "output": str(output),
            },
            timeout=seconds,
            queue_timeout=WORKER_WAIT,
        )
        return output.read_bytes()
    except TimedOut:
        raise TimedOut(
            f"writing {info.name} as {format} took longer than {lasting(seconds)} and was stopped; "
            "the submitted bytes are available at once"
        ) from None
    finally:
        output.unlink(missing_ok=True)


def run(
    *,
    source: str,
    format: str,  # noqa: A002
    base: str | None,
    target: str,
    bundles: bool,
    output: str,
) -> None:
    """Convert a file in a worker; see ``convert``."""
    Path(output).write_bytes(_converted(read_blob(Path(source)), format, base, target, bundles))


def _converted(data: bytes, format: str, base: str | None, target: str, bundles: bool) -> bytes:  # noqa: A002
    from provrepo.codecs import formats

    document = formats.read(data, format=format, base=base)
    return (document if bundles else replace(document, bundles=[])).write(target)
