"""The graphs of a dataset that a query selects, by parameters of the protocol or by its own ``FROM`` clauses.

Where several graphs form the default graph, SPARQL 1.1 (section 13.2) requires their merge, which has each triple once.
Oxigraph returns a triple once for each graph that contains it, so the graphs are merged in memory first.
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
"""The most triples that are merged in memory, about 400 bytes each."""


class Selection(NamedTuple):
    """The graphs of a query.

    Attributes:
        default: the graphs that are merged into its default graph.
        named: the graphs that its ``GRAPH`` clauses match.
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
    """The graphs that a query selects; None where the engine itself evaluates the query's clauses correctly.

    The parameters of the protocol override the clauses of the query (SPARQL 1.1 Protocol, section 2.1.4).

    Args:
        text: the query.
        base: the IRI against which relative IRIs in it are resolved.
        default_graphs: the protocol's ``default-graph-uri``.
        named_graphs: the protocol's ``named-graph-uri``.

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
        # The engine expands the names with the prologue, as in the query itself.
        rows = " ".join(f"({'true' if named else 'false'} {name})" for named, name in clauses)
        found = ox.Store().query(
            f"{prologue}\nSELECT ?named ?graph {{ VALUES (?named ?graph) {{ {rows} }} }}",
            base_iri=base,
            prefixes=dict(PREDECLARED),
        )
    except SyntaxError:
        return None  # the query cannot be parsed either, and its own error has line and column
    graphs = [(str(row["named"].value) == "true", row["graph"].value) for row in found]  # type: ignore[union-attr]
    return Selection(_unique([g for named, g in graphs if not named]), _unique([g for named, g in graphs if named]))


def merged(
    store: ox.Store, selection: Selection
) -> tuple[ox.Store, list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph]]:
    """The store to query, and the graphs in it that form the default graph.

    Raises:
        QueryError: more than ``MAX_MERGED`` triples would be merged.
    """
    if len(selection.default) < 2:
        # Without any, the default graph is empty: no graph has the name of a new blank node.
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
    """The prologue, and for each dataset clause whether it is ``FROM NAMED``, and the graph's name as written."""
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
