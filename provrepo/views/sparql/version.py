"""Asking one version in the graphs that its author gave it: its top level, and its bundles under their own names.

A dataset gives each version and each bundle a graph of the repository's, since two documents may use one name for
different bundles. Here there is only one document, read from its bytes. Two graphs of the same name are one.

People ask one version several things, and reading takes many times as long as answering. So a worker keeps what it read
last, until it is asked for so much else that there is no room, or the bytes are erased.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from provrepo.codecs import formats
from provrepo.codecs.provo.writer import document_quads
from provrepo.codecs.rdf.dataset import read_for_dataset
from provrepo.codecs.rdf.lines import LineWriter
from provrepo.codecs.results import QueryResult
from provrepo.errors import TimedOut
from provrepo.model.identifiers import Rdf12Term
from provrepo.views.sparql import guard, query
from provrepo.views.sparql.query import Limits, Question
from provrepo.workers.blob import read_blob
from provrepo.workers.pool import Pool as Workers

__all__ = ["ask", "load", "run"]

_KEPT = 32 << 20
"""Bytes of the versions that a worker keeps, as they were submitted; in memory they take some ten times that."""

_Key = tuple[str, str, str | None]


def ask(
    workers: Workers,
    question: Question,
    limits: Limits,
    *,
    source: Path,
    format: str,  # noqa: A002 (the name that callers use)
    base: str | None,
    spool: Path,
    patience: float,
    abandoned: Callable[[], bool] | None = None,
) -> QueryResult:
    """Ask a version.

    Args:
        workers: the processes that answer queries.
        question: the query, perhaps with graphs of the version to ask it of.
        limits: how much it may take, reading the version included.
        source: the file with the version's bytes, named by their SHA-256.
        format: of the bytes.
        base: against which their relative IRIs are resolved.
        spool: a file for a long answer, which is removed.
        patience: seconds to wait for a worker.
        abandoned: says that nobody waits for the answer any more; asked several times a second.

    Raises:
        QueryError: it cannot be parsed, is not allowed, or cannot be evaluated.
        AnswerTooLarge: the answer has more rows or bytes than the limits allow.
        TimedOut: it took too long.
        WorkerFailed: it needed too much memory, or the worker died of it.
        Busy: all workers were taken for too long.
    """
    arguments = {
        "source": str(source),
        "format": format,
        "base": base,
        "question": question.to_dict(),
        "rows": limits.rows,
        "size": limits.size,
        "spool": str(spool),
    }
    try:
        reply = workers.call(
            f"{__name__}:run", arguments, timeout=limits.seconds, patience=patience, abandoned=abandoned
        )
        return query.received(reply, spool)
    except TimedOut:
        raise query.too_slow(limits.seconds) from None
    finally:
        spool.unlink(missing_ok=True)


def run(
    *,
    source: str,
    format: str,  # noqa: A002
    base: str | None,
    question: dict[str, Any],
    rows: int,
    size: int,
    spool: str,
) -> dict[str, Any]:
    """Answer a question in a worker; see ``ask``, and ``query.run`` for what it returns."""
    asked = Question(**question)
    # Before the version is read: what is refused should be refused at once.
    guard.check(asked.text)
    return query.reply(_store(source, format, base), asked, Limits(rows=rows, size=size), Path(spool))


_stores: OrderedDict[_Key, tuple[int, ox.Store]] = OrderedDict()
"""File, format and base of a version → its size and its store; the one last used comes last."""


def _store(source: str, format: str, base: str | None) -> ox.Store:  # noqa: A002
    for key in [key for key in _stores if not Path(key[0]).exists()]:
        del _stores[key]  # what was erased is to be gone from here too
    # The file is named by the digest of its bytes, so that it is always the same.
    wanted = (source, format, base)
    if wanted in _stores:
        _stores.move_to_end(wanted)
        return _stores[wanted][1]
    data = read_blob(Path(source))
    while _stores and len(data) + sum(size for size, _ in _stores.values()) > _KEPT:
        _stores.popitem(last=False)
    store = load(data, format, base)
    if len(data) <= _KEPT:
        _stores[wanted] = len(data), store
    return store


def load(data: bytes, format: str, base: str | None) -> ox.Store:  # noqa: A002
    """A version as a store in memory.

    An RDF source is there with exactly its triples, another one as PROV-O says the same.
    """
    document, quads = read_for_dataset(data, formats.by_name(format), base)
    held = (quad for quad in quads or document_quads(document) if not isinstance(quad.object, Rdf12Term))
    lines = LineWriter(trusted=quads is not None).lines(held)
    store = ox.Store()
    store.load("".join(lines).encode(), ox.RdfFormat.N_QUADS)
    return store
