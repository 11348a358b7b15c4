"""Evaluation of a query: in a worker process on a checkpoint, or in this process on an open store.

The process that holds the views never evaluates an untrusted query: evaluation cannot be interrupted, may use all
memory, and may end the process. A worker can be killed, has a memory limit, and has no network.
"""

from __future__ import annotations

import re
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import pyoxigraph as ox

from provrepo.codecs.results import Kind, QueryResult, write_pyoxigraph
from provrepo.errors import QueryError, TimedOut
from provrepo.limits import QUERY_BYTES, QUERY_ROWS, QUERY_SECONDS
from provrepo.views.sparql import columns, guard
from provrepo.views.sparql.graphs import merged, selected
from provrepo.views.sparql.waiting.increments import STORE, Copy
from provrepo.vocab import PREDECLARED
from provrepo.words import lasting

__all__ = ["QueryLimits", "SparqlQuery", "evaluate", "received", "reply", "run", "spool", "too_slow", "warm"]

_Found: TypeAlias = "ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples"

_OPEN_CHECKPOINTS = 8
"""Checkpoints that a worker keeps open: each takes some 4 MB and 18 file descriptors."""

_INLINE = 256 << 10
"""Bytes up to which an answer goes through the pipe; a longer one goes through a file."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """The limits of one query.

    Attributes:
        seconds: the time after which it is killed.
        rows: the most rows or triples of its answer.
        size: the most bytes of its answer, as SPARQL JSON results or N-Triples.
    """

    seconds: float = QUERY_SECONDS
    rows: int = QUERY_ROWS
    size: int = QUERY_BYTES


@dataclass(frozen=True, slots=True)
class SparqlQuery:
    """A query with its RDF dataset (SPARQL 1.1 Protocol, section 2.1.4).

    Attributes:
        text: a SPARQL 1.1 query.
        base: the IRI against which its relative IRIs are resolved.
        default_graphs: the graphs that are merged into its default graph. They override its ``FROM`` clauses.
        named_graphs: the graphs that ``GRAPH`` matches. They override its ``FROM NAMED`` clauses. Where both are
            empty, the clauses of the query select the graphs, and without clauses it has the whole dataset.
    """

    text: str
    base: str | None = None
    default_graphs: Sequence[str] = field(default=())
    named_graphs: Sequence[str] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, as they are sent to a worker."""
        return {
            "text": self.text,
            "base": self.base,
            "default_graphs": list(self.default_graphs),
            "named_graphs": list(self.named_graphs),
        }


def evaluate(store: ox.Store, query: SparqlQuery, limits: QueryLimits) -> tuple[Kind, bytes]:
    """Evaluate a query and serialize its answer.

    Returns:
        The kind of the answer and its bytes; see ``provrepo.codecs.results.write_pyoxigraph``.

    Raises:
        QueryError: it cannot be parsed, with line and column; it is not allowed (``views.sparql.guard``); or it
            cannot be evaluated.
        AnswerTooLarge: more rows or bytes than allowed.
    """
    guard.check(query.text)
    try:
        return write_pyoxigraph(_query(store, query), rows=limits.rows, size=limits.size)
    except SyntaxError as error:
        raise _syntax_error(str(error.msg)) from None
    except QueryError as error:
        raise QueryError(error.message) from None
    except (RuntimeError, ValueError) as error:
        raise QueryError(f"the query cannot be evaluated: {error}") from None


def _query(store: ox.Store, query: SparqlQuery) -> _Found:
    selection = selected(query.text, query.base, query.default_graphs, query.named_graphs)
    graphs: dict[str, Any] = {}
    if selection is not None:
        store, default = merged(store, selection)
        graphs = {"default_graph": default, "named_graphs": list(selection.named)}

    def execute(text: str) -> _Found:
        return store.query(text, base_iri=query.base, prefixes=dict(PREDECLARED), **graphs)

    found = execute(query.text)
    if isinstance(found, ox.QuerySolutions):
        text = columns.spelled_out(query.text, [variable.value for variable in found.variables])
        return found if text == query.text else execute(text)
    return found


# In a worker process

_stores: OrderedDict[str, Copy] = OrderedDict()
"""The directory of a dataset's checkpoints → the open one, or a copy of it; the least recently used first."""


def warm() -> None:
    """Do nothing. The call makes a new worker import all modules that a query needs."""


def run(
    *, checkpoint: str | None, increments: Sequence[str] = (), query: dict[str, Any], rows: int, size: int, spool: str
) -> dict[str, Any]:
    """Evaluate a query; the entry point in a worker.

    Args:
        checkpoint: the checkpoint's directory; None for an empty dataset.
        increments: the increments that lead from the checkpoint to the state to query.
        query: the result of ``SparqlQuery.to_dict``.
        rows: the most rows or triples of the answer.
        size: the most bytes of the answer.
        spool: the file to which a long answer is written.

    Returns:
        ``kind``, and ``text`` unless the answer is in the file. ``failed``, with the reason, where the
        checkpoint cannot be opened or the increments cannot be executed.
    """
    try:
        store = _store(checkpoint, increments)
    except (OSError, RuntimeError, SyntaxError) as error:
        return {"failed": str(error)}
    return reply(store, SparqlQuery(**query), QueryLimits(rows=rows, size=size), Path(spool))


def reply(store: ox.Store, query: SparqlQuery, limits: QueryLimits, spool: Path) -> dict[str, Any]:
    """Evaluate a query on an open store; returns what ``run`` returns."""
    kind, written = evaluate(store, query, limits)
    if len(written) <= _INLINE:
        return {"kind": kind, "text": written.decode()}
    spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    spool.write_bytes(written)
    return {"kind": kind}


def _store(checkpoint: str | None, increments: Sequence[str]) -> ox.Store:
    if checkpoint is None:
        return ox.Store()
    folder = Path(checkpoint).parent
    dataset = str(folder.parent if Path(checkpoint).name == STORE else folder)
    found = _stores.pop(dataset, None)
    if found is not None and found.leads_to(checkpoint, increments):
        found.advance(increments)
    else:
        # This closes the former checkpoint, so that the disk space of its files becomes free.
        found = None
        while len(_stores) >= _OPEN_CHECKPOINTS:
            _stores.popitem(last=False)
        found = Copy(checkpoint, increments)
    _stores[dataset] = found
    return found.store


# In the process that calls the worker


def spool(root: Path) -> Path:
    """A new path below ``root`` for the file of a long answer."""
    return root / f"answer-{uuid.uuid4().hex}"


def received(reply: dict[str, Any], file: Path) -> QueryResult:
    """The answer of a worker, from its reply or from the file that it was given for a long answer."""
    written = reply["text"].encode() if "text" in reply else file.read_bytes()
    return QueryResult.from_written(cast("Kind", reply["kind"]), written)


def too_slow(seconds: float) -> TimedOut:
    """The error for a query that was killed at its deadline."""
    return TimedOut(f"the query took longer than {lasting(seconds)} and was stopped; make it more specific")


_LOCATED = re.compile(r"error at (\d+):(\d+): (?:expected )?(.*)", re.DOTALL)
_SENTENCE = re.compile(r"(?:^|, |^one of )(?!one of )([A-Za-z][\w*]*(?: [\w*]+){2,})")
"""In the list of expected tokens, a sentence: the grammar was satisfied, but another rule was not."""

_MAX_MESSAGE = 200


def _syntax_error(message: str) -> QueryError:
    """The error for a message of Oxigraph, which lists every token that its grammar expects, and so is shortened."""
    found = _LOCATED.match(message)
    if found is None:
        return QueryError(f"not a SPARQL query: {message}"[:_MAX_MESSAGE])
    line, column, expected = found.groups()
    sentence = _SENTENCE.search(expected)
    if sentence is not None:
        message = sentence.group(1)
    elif expected.startswith("one of ") or "[" in expected:
        message = "the query cannot be understood from here on"
    else:
        message = f"expected {expected}"[:_MAX_MESSAGE]
    return QueryError(message, line=int(line), column=int(column))
