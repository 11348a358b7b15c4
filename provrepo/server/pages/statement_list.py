"""A part of the statements of a version as a list for a page: one line for each, with what it says in columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request, url_for

from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import KINDS
from provrepo.repository.records import VersionInfo
from provrepo.repository.statements.table import PlacedStatement, UnmappedGroup
from provrepo.repository.statements.verbs import StatementPage
from provrepo.server.pages import display
from provrepo.vocab import PREDECLARED, PROV_TYPE
from provrepo.words import spaced

__all__ = ["ListedStatement", "Part", "StatementList", "Time", "of_page", "unmapped_texts"]

_TIMES = frozenset({"time", "start time", "end time"})
_TIME = re.compile(r"(\d{4,}-\d\d-\d\d)T(\d\d:\d\d)(?::[\d.]+)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Time:
    """A time of a statement.

    Attributes:
        exact: as it was submitted.
        short: date, hour and minute, and the zone if it is not UTC.
    """

    exact: str
    short: str


@dataclass(frozen=True, slots=True)
class ListedStatement:
    """One statement as a line.

    Attributes:
        number: its place among all statements of the version.
        row: its parts for display.
        types: the types of an entity, an activity or an agent.
        times: its times.
        details: the further arguments and attributes.
    """

    number: int
    row: display.StatementRow
    types: tuple[display.DisplayTerm, ...]
    times: tuple[Time, ...]
    details: tuple[tuple[str, display.DisplayTerm], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list a page shows, and the addresses of the other parts.

    Attributes:
        first: the number of the first item in the list, from 1.
        last: that of the last one.
        total: the number of items in the list.
        before: the address of the part before; empty for none.
        after: that of the next part; empty for none.
    """

    first: int
    last: int
    total: int
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """``26–50 of 593``."""
        return f"{self.first:,}–{self.last:,} of {self.total:,}" if self.last else "none"


@dataclass(frozen=True, slots=True)
class StatementList:
    """The list of a page.

    Attributes:
        lines: the statements.
        part: which of the found statements these are.
        whole: the number of statements of the version.
        kinds: keyword, words, style and number of statements of each kind that the filter by words and thing finds.
        text: the words of the filter.
        kind: the keyword of the filter.
        thing: the IRI of the filter.
        located: whether any line is known.
        bundles: whether any statement is in a bundle.
    """

    lines: tuple[ListedStatement, ...]
    part: Part
    whole: int
    kinds: tuple[tuple[str, str, str, int], ...]
    text: str = ""
    kind: str = ""
    thing: str = ""
    located: bool = field(default=False)
    bundles: bool = field(default=False)

    @property
    def filtered(self) -> bool:
        """Whether statements are left out by a filter."""
        return bool(self.text or self.kind or self.thing)


def of_page(page: StatementPage, *, text: str = "", kind: str = "", thing: str = "") -> StatementList:
    """The list of a part of the statements, with links to the parts before and after it."""
    found = page.found
    shortener = display.Shortener(
        {**PREDECLARED, **dict(found.summary.prefixes)},
        {iri: display.brief(label) for iri, label in found.labels.items()},
    )
    lines = tuple(_line(each, shortener) for each in found.statements)
    given = {name: value for name, value in (("q", text), ("kind", kind), ("thing", thing)) if value}
    first = page.offset + 1 if lines else 0
    last = page.offset + len(lines)
    return StatementList(
        lines,
        Part(
            first,
            last if lines else 0,
            found.total,
            _address(page, given, max(0, page.offset - page.limit)) if page.offset and lines else "",
            _address(page, given, last) if last < found.total and lines else "",
        ),
        found.summary.total,
        tuple((name, spaced(name), name if KINDS[name].element else "relation", n) for name, n in found.counts.items()),
        text,
        kind,
        thing,
        any(line.row.line for line in lines),
        any(line.row.bundle for line in lines),
    )


def _address(page: StatementPage, given: Mapping[str, str], offset: int) -> str:
    kept: dict[str, Any] = {**given, "offset": offset}
    if "limit" in request.args:
        kept["limit"] = page.limit
    if "format" in request.args:
        kept["format"] = request.args["format"]
    return statements_address(page.version, **kept)


def statements_address(info: VersionInfo, **parameters: Any) -> str:
    """The address of the statements of a version."""
    return url_for(
        "statements.listed", project=info.project, document=info.name, version=str(info.version), **parameters
    )


def _line(placed: PlacedStatement, shortener: display.Shortener) -> ListedStatement:
    row = display.row(placed.statement, shortener, bundle=placed.bundle or None)
    element = placed.statement.kind.element
    types = tuple(
        shortener.named(value) for name, value in placed.statement.attributes if element and name == PROV_TYPE
    )
    typed = shortener.iri(PROV_TYPE) if types else ""
    return ListedStatement(
        placed.number,
        row,
        types,
        tuple(_time(term.text) for name, term in row.details if name in _TIMES),
        tuple((name, term) for name, term in row.details if name not in _TIMES and name != typed),
    )


def _time(exact: str) -> Time:
    found = _TIME.fullmatch(exact)
    if not found:
        return Time(exact, exact)
    date, clock, zone = found.groups()
    return Time(exact, f"{date} {clock}" + (f" {zone}" if zone not in (None, "Z", "+00:00") else ""))


def unmapped_texts(group: UnmappedGroup, shortener: display.Shortener) -> list[str]:
    """The examples of unmapped triples and parts as text."""
    texts = []
    for triple in group.triples:
        value = triple["object"]
        term = (
            Identifier(value["iri"])
            if "iri" in value
            else Literal(value["text"], value["datatype"], value.get("language"))
        )
        terms = (shortener.term(Identifier(triple["subject"])), shortener.term(Identifier(triple["predicate"])))
        texts.append(
            " ".join(f"{display.brief(each.text)} {each.note}".rstrip() for each in (*terms, shortener.term(term)))
        )
    return [*texts, *group.parts]
