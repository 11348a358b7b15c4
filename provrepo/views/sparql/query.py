"""Answering a query: in a worker process on a checkpoint, or right here on a store.

The process that holds the views never evaluates what a stranger asks: evaluation cannot be interrupted, and may take
all memory or the process with it. A worker can be killed, has a limit of memory, and no network.
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
from provrepo.views.sparql import columns, guard
from provrepo.views.sparql.graphs import merged, selected
from provrepo.vocab import PREDECLARED

__all__ = ["Limits", "Question", "evaluate", "received", "reply", "run", "spool", "too_slow", "warm"]

_Found: TypeAlias = "ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples"

_OPEN = 8
"""Checkpoints that a worker keeps open: each costs some 4 MB and 18 file descriptors."""

_INLINE = 256 << 10
"""Bytes of an answer that pass through the pipe; a longer one goes through a file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one query may take.

    Attributes:
        seconds: until it is killed.
        rows: the most rows or triples of an answer.
        size: the most bytes of an answer, as SPARQL JSON results or N-Triples.
    """

    seconds: float = 30.0
    rows: int = 1_000_000
    size: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the graphs it is asked of.

    Attributes:
        text: a SPARQL 1.1 query.
        base: against which its relative IRIs are resolved.
        default_graphs: the graphs that are merged into its default graph, whatever its ``FROM`` says.
        named_graphs: the graphs it finds with ``GRAPH``, whatever its ``FROM NAMED`` says. Where both are empty, the
            query has the whole dataset.
    """

    text: str
    base: str | None = None
    default_graphs: Sequence[str] = field(default=())
    named_graphs: Sequence[str] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """As it passes between processes."""
        return {
            "text": self.text,
            "base": self.base,
            "default_graphs": list(self.default_graphs),
            "named_graphs": list(self.named_graphs),
        }


def evaluate(store: ox.Store, question: Question, limits: Limits) -> tuple[Kind, bytes]:
    """Answer a question and write the answer.

    Raises:
        QueryError: it cannot be parsed, with line and column; it is not allowed (``views.sparql.guard``); or it
            cannot be evaluated.
        AnswerTooLarge: more rows or bytes than allowed.
    """
    guard.check(question.text)
    try:
        return write_pyoxigraph(_query(store, question), rows=limits.rows, size=limits.size)
    except SyntaxError as error:
        raise _syntax_error(str(error.msg)) from None
    except QueryError as error:
        raise QueryError(error.message) from None
    except (RuntimeError, ValueError) as error:
        raise QueryError(f"the query cannot be evaluated: {error}") from None


def _query(store: ox.Store, question: Question) -> _Found:
    selection = selected(question.text, question.base, question.default_graphs, question.named_graphs)
    graphs: dict[str, Any] = {}
    if selection is not None:
        store, default = merged(store, selection)
        graphs = {"default_graph": default, "named_graphs": list(selection.named)}

    def ask(text: str) -> _Found:
        return store.query(text, base_iri=question.base, prefixes=dict(PREDECLARED), **graphs)

    found = ask(question.text)
    if isinstance(found, ox.QuerySolutions):
        text = columns.spelled_out(question.text, [variable.value for variable in found.variables])
        return found if text == question.text else ask(text)
    return found


# In a worker

_stores: OrderedDict[str, tuple[str, ox.Store]] = OrderedDict()
"""Directory of a dataset's checkpoints → the one that is open, and its store; the one last used comes last."""


def warm() -> None:
    """Nothing: whoever calls this has imported everything that a query needs."""


def run(*, checkpoint: str | None, question: dict[str, Any], rows: int, size: int, spool: str) -> dict[str, Any]:
    """Answer a question in a worker.

    Args:
        checkpoint: the checkpoint's directory; None for an empty dataset.
        question: of ``Question.to_dict``.
        rows: the most rows.
        size: the most bytes.
        spool: the file to write a long answer to.

    Returns:
        ``kind``, and ``text`` unless the answer is in the file.
    """
    return reply(_store(checkpoint), Question(**question), Limits(rows=rows, size=size), Path(spool))


def reply(store: ox.Store, question: Question, limits: Limits, spool: Path) -> dict[str, Any]:
    """Answer a question as ``run`` does, on a store that is open."""
    kind, written = evaluate(store, question, limits)
    if len(written) <= _INLINE:
        return {"kind": kind, "text": written.decode()}
    spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    spool.write_bytes(written)
    return {"kind": kind}


def _store(checkpoint: str | None) -> ox.Store:
    if checkpoint is None:
        return ox.Store()
    dataset = str(Path(checkpoint).parent)
    path, store = _stores.pop(dataset, ("", None))
    if store is None or path != checkpoint:
        # The former checkpoint is closed by this, and its files go.
        store = None
        while len(_stores) >= _OPEN:
            _stores.popitem(last=False)
        store = ox.Store.read_only(checkpoint)
    _stores[dataset] = (checkpoint, store)
    return store


# On the side that asked


def spool(root: Path) -> Path:
    """A name for the file of a long answer, below ``root``."""
    return root / f"answer-{uuid.uuid4().hex}"


def received(reply: dict[str, Any], file: Path) -> QueryResult:
    """The answer that a worker gave, in its reply or in the file that it was told to write to."""
    written = reply["text"].encode() if "text" in reply else file.read_bytes()
    return QueryResult.from_written(cast("Kind", reply["kind"]), written)


def too_slow(seconds: float) -> TimedOut:
    """What is said of a query that was killed at its deadline."""
    return TimedOut(f"the query took longer than {seconds:g} s and was stopped; make it more specific")


_PLACE = re.compile(r"error at (\d+):(\d+): (?:expected )?(.*)", re.DOTALL)
_SENTENCE = re.compile(r"(?:^|, |^one of )(?!one of )([A-Za-z][\w*]*(?: [\w*]+){2,})")
"""Among the tokens that the grammar expected, what says that the grammar was kept and something else was not."""

_LONGEST = 200


def _syntax_error(message: str) -> QueryError:
    """Oxigraph names everything that its grammar would have taken, character classes included: too much to read."""
    found = _PLACE.match(message)
    if found is None:
        return QueryError(f"not a SPARQL query: {message}"[:_LONGEST])
    line, column, expected = found.groups()
    sentence = _SENTENCE.search(expected)
    if sentence is not None:
        message = sentence.group(1)
    elif expected.startswith("one of ") or "[" in expected:
        message = "the query cannot be understood from here on"
    else:
        message = f"expected {expected}"[:_LONGEST]
    return QueryError(message, line=int(line), column=int(column))
