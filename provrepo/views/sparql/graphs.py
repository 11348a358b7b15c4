"""Which graphs of a dataset a query is asked of: by the protocol, or by the query's own ``FROM`` clauses.

The engine gives a triple once for each graph of the default graph that holds it, where SPARQL 1.1 (section 13.2) asks
for the merge of the graphs, in which it stands once. So several graphs are merged in memory first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import pyoxigraph as ox

from provrepo.errors import QueryError
from provrepo.vocab import PREDECLARED

__all__ = ["MAX_MERGED", "Selection", "merged", "selected"]

MAX_MERGED = 500_000
"""Triples that are merged in memory, some 400 bytes each."""


class Selection(NamedTuple):
    """The graphs of a query.

    Attributes:
        default: merged into its default graph.
        named: found by its ``GRAPH``.
    """

    default: tuple[ox.NamedNode, ...]
    named: tuple[ox.NamedNode, ...]


_TOKEN = re.compile(
    r"""
      (?P<skip> \#[^\n\r]*
        | \'{3}(?:[^\'\\]|\\.|\'{1,2}(?!\'))*\'{3} | "{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3}
        | \'(?:[^\'\\\n\r]|\\.)*\' | "(?:[^"\\\n\r]|\\.)*" | [?$]\w+ )
    | (?P<iri> <[^<>"{}|^`\\\x00-\x20]*> )
    | (?P<open> [({\[] )
    | (?P<close> [)}\]] )
    | (?P<prefixed> (?:\w[\w.\-]*)?:(?:[\w:%.\-]|\\.)* )
    | (?P<word> [A-Za-z]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
_FROM = re.compile(r"\bFROM\b", re.IGNORECASE)


def selected(
    text: str, base: str | None, default_graphs: Sequence[str], named_graphs: Sequence[str]
) -> Selection | None:
    """The graphs that a query is asked of; None where the engine may be left to it.

    What the protocol says comes before what the query says (SPARQL 1.1 Protocol, section 2.1.4).

    Raises:
        QueryError: a graph's name is not an absolute IRI.
    """
    if default_graphs or named_graphs:
        return Selection(_unique(default_graphs), _unique(named_graphs))
    if len(_FROM.findall(text)) < 2:
        return None
    prologue, clauses = _clauses(text)
    if sum(not named for named, _ in clauses) < 2:
        return None
    try:
        # The engine resolves the names by the prologue, as it does in the query.
        rows = " ".join(f"({'true' if named else 'false'} {name})" for named, name in clauses)
        found = ox.Store().query(
            f"{prologue}\nSELECT ?named ?graph {{ VALUES (?named ?graph) {{ {rows} }} }}",
            base_iri=base,
            prefixes=dict(PREDECLARED),
        )
    except SyntaxError:
        return None  # it cannot be parsed as a whole either, which is what says where
    graphs = [(str(row["named"].value) == "true", row["graph"].value) for row in found]  # type: ignore[union-attr]
    return Selection(_unique([g for named, g in graphs if not named]), _unique([g for named, g in graphs if named]))


def merged(
    store: ox.Store, selection: Selection
) -> tuple[ox.Store, list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph]]:
    """The store to ask, and its graphs that make up the default graph.

    Raises:
        QueryError: more than ``MAX_MERGED`` triples would have to be merged.
    """
    if len(selection.default) < 2:
        # Without any, the default graph is empty: this name is nobody's.
        return store, list(selection.default) or [ox.BlankNode()]
    memory = ox.Store()
    quads = _quads(store, selection)
    memory.extend(islice(quads, MAX_MERGED))
    if next(quads, None) is not None:
        raise QueryError(f"the graphs that the query chooses have more than {MAX_MERGED:,} triples; choose fewer")
    return memory, [ox.DefaultGraph()]


def _quads(store: ox.Store, selection: Selection) -> Iterator[ox.Quad]:
    for graph in selection.default:
        for quad in store.quads_for_pattern(None, None, None, graph):
            yield ox.Quad(quad.subject, quad.predicate, quad.object)
    for graph in selection.named:
        yield from store.quads_for_pattern(None, None, None, graph)


def _unique(names: Sequence[str]) -> tuple[ox.NamedNode, ...]:
    try:
        return tuple(ox.NamedNode(name) for name in dict.fromkeys(names))
    except ValueError:
        raise QueryError("a graph of the query is not named by an absolute IRI") from None


def _clauses(text: str) -> tuple[str, list[tuple[bool, str]]]:
    """The prologue, and the dataset clauses: whether it is ``FROM NAMED``, and the graph's name as it is written."""
    prologue = ""
    begun = False
    depth = 0
    words: list[str] = []
    found: list[tuple[bool, str]] = []
    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token.group()
        depth += (kind == "open") - (kind == "close")
        if depth or kind in ("skip", "open", "close"):
            continue
        if kind == "word":
            if not begun and value.upper() in _FORMS:
                begun, prologue = True, text[: token.start()]
            words.append(value.upper())
            continue
        if begun and words[-1:] == ["FROM"]:
            found.append((False, value))
        elif begun and words[-2:] == ["FROM", "NAMED"]:
            found.append((True, value))
        words.clear()
    return prologue, found
