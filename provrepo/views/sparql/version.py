"""Queries on one version in its original graphs: its top level, and its bundles under their own names.

In a dataset the repository names the graphs of versions and bundles, since two documents may use one name for different
bundles. Here there is only one document, read from its bytes. Two graphs of the same name are merged.

A version is often queried several times, and reading it takes many times as long as a query. So a worker caches the
versions that it read last, up to a number of bytes. A version leaves the cache when its bytes are erased.
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
from provrepo.views.sparql import guard
from provrepo.views.sparql.query import QueryLimits, SparqlQuery, received, reply, too_slow
from provrepo.workers.blob import read_blob
from provrepo.workers.pool import Pool as Workers

__all__ = ["load", "query_version", "run"]

_CACHE_BYTES = 32 << 20
"""Bytes of the versions in a worker's cache, as they were submitted; in memory they take about ten times that."""

_Key = tuple[str, str, str | None]


def query_version(
    workers: Workers,
    query: SparqlQuery,
    limits: QueryLimits,
    *,
    source: Path,
    format: str,  # noqa: A002 (the name that callers use)
    base: str | None,
    spool: Path,
    queue_timeout: float,
    abandoned: Callable[[], bool] | None = None,
) -> QueryResult:
    """Query a version.

    Args:
        workers: the processes that evaluate queries.
        query: the query; the graphs that it selects are those of the version.
        limits: its limits; the time includes reading the version.
        source: the file with the version's bytes, named by their SHA-256.
        format: the name of their format.
        base: the IRI against which their relative IRIs are resolved.
        spool: the file for a long answer, which is deleted.
        queue_timeout: seconds to wait for a worker.
        abandoned: returns True once the client has gone and no answer is needed; called several times a second.

    Raises:
        QueryError: it cannot be parsed, is not allowed, or cannot be evaluated.
        AnswerTooLarge: the answer has more rows or bytes than the limits allow.
        TimedOut: it took too long.
        WorkerFailed: it needed too much memory, or the worker process ended.
        Busy: no worker became free in time.
    """
    arguments = {
        "source": str(source),
        "format": format,
        "base": base,
        "query": query.to_dict(),
        "rows": limits.rows,
        "size": limits.size,
        "spool": str(spool),
    }
    try:
        answer = workers.call(
            f"{__name__}:run", arguments, timeout=limits.seconds, queue_timeout=queue_timeout, abandoned=abandoned
        )
        return received(answer, spool)
    except TimedOut:
        raise too_slow(limits.seconds) from None
    finally:
        spool.unlink(missing_ok=True)


def run(
    *,
    source: str,
    format: str,  # noqa: A002
    base: str | None,
    query: dict[str, Any],
    rows: int,
    size: int,
    spool: str,
) -> dict[str, Any]:
    """Evaluate a query; the entry point in a worker. See ``query_version``; returns what ``query.run`` returns."""
    parsed = SparqlQuery(**query)
    # Checked here already, so that a query that is not allowed is refused before the version is read.
    guard.check(parsed.text)
    return reply(_store(source, format, base), parsed, QueryLimits(rows=rows, size=size), Path(spool))


_stores: OrderedDict[_Key, tuple[int, ox.Store]] = OrderedDict()
"""The cache: file, format and base of a version → its size and its store, the least recently used first."""


def _store(source: str, format: str, base: str | None) -> ox.Store:  # noqa: A002
    for key in [key for key in _stores if not Path(key[0]).exists()]:
        del _stores[key]  # erased bytes must leave the memory, too
    # The file is named by the digest of its bytes, so its content never changes.
    key = (source, format, base)
    if key in _stores:
        _stores.move_to_end(key)
        return _stores[key][1]
    data = read_blob(Path(source))
    while _stores and len(data) + sum(size for size, _ in _stores.values()) > _CACHE_BYTES:
        _stores.popitem(last=False)
    store = load(data, format, base)
    if len(data) <= _CACHE_BYTES:
        _stores[key] = len(data), store
    return store


def load(data: bytes, format: str, base: str | None) -> ox.Store:  # noqa: A002
    """A version as a store in memory.

    The store contains exactly the triples of an RDF source. A source in another format is mapped to PROV-O.
    """
    document, quads = read_for_dataset(data, formats.by_name(format), base)
    supported = (quad for quad in quads or document_quads(document) if not isinstance(quad.object, Rdf12Term))
    lines = LineWriter(trusted=quads is not None).lines(supported)
    store = ox.Store()
    store.load("".join(lines).encode(), ox.RdfFormat.N_QUADS)
    return store
