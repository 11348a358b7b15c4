"""The result of a query on its page: sorted, in parts, with labels and links, and as a graph or a chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from provrepo.codecs.formats import read
from provrepo.codecs.results import QueryResult
from provrepo.codecs.svg.codec import picture
from provrepo.codecs.svg.graph import Naming
from provrepo.drawing.outline import sentence
from provrepo.errors import Error, NotFound
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.repository.repository import Repository
from provrepo.server.pages import display
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.queries.charts import Chart, chart
from provrepo.vocab import PREDECLARED

__all__ = ["ROWS", "Column", "ResultPage", "result_page"]

_naming = Naming(PREDECLARED)

ROWS = 100
"""Rows of a result on one page."""

_DRAWN_TRIPLES = 3_000
"""The most triples that are drawn as a graph."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result.

    Attributes:
        name: the variable.
        sort: the value of ``sort`` that sorts by it, or by it the other way where it is sorted already.
        order: ``ascending``, ``descending`` or ``none``.
    """

    name: str
    sort: str
    order: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A term of a result.

    Attributes:
        term: as it is shown.
        linked: whether a document that the caller may read mentions it.
    """

    term: display.DisplayTerm
    linked: bool


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One part of a result.

    Attributes:
        columns: of the table.
        rows: of this part; None for an unbound variable.
        offset: the number of rows before it.
        total: the number of all rows.
        boolean: the result of an ASK; otherwise None.
        formats: the names of the formats in which the whole result can be downloaded.
        sort: the value of ``sort``, or empty.
        chart: of the rows of this part, or None.
        graph: the triples as an ``svg`` element, or empty.
        graph_words: what that shows, or why there is none.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    offset: int
    total: int
    boolean: bool | None
    formats: tuple[str, ...]
    sort: str
    chart: Chart | None
    graph: str
    graph_words: str

    @property
    def previous(self) -> int | None:
        """The offset of the part before; None for the first."""
        return max(0, self.offset - ROWS) if self.offset else None

    @property
    def next(self) -> int | None:
        """The offset of the next part; None for the last."""
        after = self.offset + len(self.rows)
        return after if after < self.total else None


def result_page(repo: Repository, result: QueryResult, *, sort: str, offset: int, project: str | None) -> ResultPage:
    """One part of a result.

    Args:
        repo: of the caller, whose rights decide which labels and links there are.
        result: the whole result.
        sort: the variable to sort by, after ``-`` for the other way; empty for the order of the result.
        offset: the number of rows to leave out.
        project: the project of the query; None for several.

    Raises:
        Rejected: 400, no such variable.
    """
    is_graph = result.kind == "graph"
    names = ("subject", "predicate", "object") if is_graph else result.variables
    if sort and sort.removeprefix("-") not in names:
        raise Rejected(
            400, f"there is no column {sort[:60]!r} to sort by; there is: {', '.join(names)}", parameter="sort"
        )
    every: Sequence[Sequence[Value | None]]
    if is_graph:
        every = [triple[:3] for triple in result.triples]
    else:
        every = [[row.get(name) for name in names] for row in result.rows] if result.kind == "bindings" else []
    if sort:
        index = names.index(sort.removeprefix("-"))
        every = sorted(every, key=lambda row: _order(row[index]), reverse=sort.startswith("-"))
    part = every[offset : offset + ROWS]
    shown = _named(repo, project)
    rows = tuple(tuple(None if value is None else shown(value) for value in row) for row in part)
    texts = [[_short(cell) if cell else "" for cell in row] for row in rows]
    graph, words = _graph(repo, result) if is_graph else ("", "")
    return ResultPage(
        tuple(_column(name, sort) for name in names),
        rows,
        offset,
        len(every),
        result.boolean,
        result.formats(),
        sort,
        chart(names, part, texts, before=offset, total=len(every)) if part and not is_graph else None,
        graph,
        words,
    )


def _short(cell: Cell) -> str:
    """What a value is called in a chart: its label, or the end of its IRI."""
    term = cell.term
    return term.label or (_naming.short(term.text) if term.kind == "iri" else term.text)


def _column(name: str, sort: str) -> Column:
    order = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    return Column(name, f"-{name}" if order == "ascending" else name, order)


def _order(value: Value | None) -> tuple[int, float, str]:
    """Unbound first, then numbers by size, then everything else by its text; times have an order as texts."""
    if value is None:
        return 0, 0.0, ""
    text = value.lexical if isinstance(value, Literal) else str(value)
    try:
        number = float(text)
    except ValueError:
        return 2, 0.0, text.casefold()
    return (1, number, text) if math.isfinite(number) else (2, 0.0, text)


def _named(repo: Repository, project: str | None) -> Callable[[Value], Cell]:
    """A function that gives the cell of a value, with the label of the thing that it names."""
    known: dict[str, Cell] = {}
    plain = display.Shortener(PREDECLARED)

    def cell(value: Value) -> Cell:
        if isinstance(value, Literal) or value.startswith("_:"):
            return Cell(plain.term(value), linked=False)
        if value not in known:
            try:
                node = repo.node(str(value), project=project)
            except Error:
                known[value] = Cell(plain.term(value), linked=False)
            else:
                known[value] = Cell(plain.term(value)._replace(label=display.brief(node.label)), linked=True)
        return known[value]

    return cell


def _graph(repo: Repository, result: QueryResult) -> tuple[str, str]:
    """The PROV statements of the triples of a result as a picture, and what it shows."""
    if len(result) > _DRAWN_TRIPLES:
        return "", f"More than {_DRAWN_TRIPLES:,} triples are not drawn."
    if not len(result):
        return "", ""
    document = read(result.write("ntriples"), format="ntriples")

    def link(iri: str) -> str:
        try:
            repo.node(Identifier(iri))
        except (NotFound, Error):
            return f"{url_for('lineage.search')}?q={iri}"
        return url_for("lineage.thing", iri=iri)

    drawn = picture(document, prefix="picture", link=link)
    if not drawn.graph.nodes:
        return "", "No PROV statement is among the triples, so there is no picture of them."
    return drawn.svg, sentence(drawn.graph)
