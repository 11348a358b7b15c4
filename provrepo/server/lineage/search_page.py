"""The page of a search: projects, documents and things, with counts by which it is narrowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup

from provrepo.codecs.svg.graph import Naming
from provrepo.repository.lineage.query import FEW, MATCHED, ORDERS, SearchQuery
from provrepo.repository.lineage.records import SearchResult
from provrepo.server.lineage.pages import name_of, row
from provrepo.server.pages import pages
from provrepo.server.pages.forms import controls
from provrepo.server.pages.isolation import isolated
from provrepo.server.pages.statement_list import Part
from provrepo.vocab import PREDECLARED

__all__ = ["search_page"]

_TITLES = {"kind": "Kind", "type": "Type", "project": "Project", "document": "Document", "matched": "Words found"}
_KEPT = ("q", "project", "kind", "type", "document", "matched", "sort", "limit", "part")
_naming = Naming(PREDECLARED)


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a facet.

    Attributes:
        words: for people.
        whole: the value.
        count: the things that it would leave.
        address: of the search with it, or without it if it is chosen.
        chosen: whether it narrows the search.
    """

    words: str
    whole: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet with its choices."""

    name: str
    title: str
    choices: tuple[Choice, ...]


def search_page(found: SearchResult | None, text: str) -> Response:
    """The results of a search.

    Args:
        found: the results; None for the form alone.
        text: the words.
    """
    form = [control for control in controls(SearchQuery, request.args.getlist) if control.name == "q"]
    if found is None:
        return pages.page("search.html", found=None, text=text, controls=form)
    part = request.args.get("part") or "things"
    documents = part == "documents"
    return pages.page(
        "search.html",
        found=found,
        text=text,
        controls=form,
        rows=[row(thing) for thing in found.things],
        documents=documents,
        few=FEW,
        part=_part(found, documents=documents),
        facets=[] if documents else list(_facets(found)),
        orders={name: _address(sort=name) for name in (("best", "newest") if documents else ("best", "label", "iri"))},
        order=request.args.get("sort") or "best",
        words=ORDERS,
        all_documents=_address(part="documents", sort="", page=""),
        all_things=_address(part="", sort="", page=""),
        marked=lambda value: _marked(value, text),
        short=_naming.short,
        suggestions=sorted({name_of(thing) for thing in found.things})[:20],
    )


def _part(found: SearchResult, *, documents: bool) -> Part:
    shown, total = (len(found.documents), found.total_documents) if documents else (len(found.things), found.total)
    limit = int(request.args.get("limit") or 0) or SearchQuery(text="x").limit
    before = (found.page - 1) * limit
    return Part(
        before + 1 if shown else 0,
        before + shown if shown else 0,
        total,
        _address(page=str(found.page - 1)) if found.page > 1 else "",
        _address(page=str(found.page + 1)) if shown and before + shown < total else "",
    )


def _facets(found: SearchResult) -> Iterator[Facet]:
    for name, title in _TITLES.items():
        counts: Mapping[str, int] = found.facets.get(name, {})
        chosen = request.args.get(name, "")
        if chosen and chosen not in counts:
            counts = {chosen: 0, **counts}
        if len(counts) > 1 or chosen:
            yield Facet(
                name,
                title,
                tuple(
                    Choice(
                        _words(name, value),
                        value,
                        count,
                        _address(**{name: "" if value == chosen else value, "page": ""}),
                        value == chosen,
                    )
                    for value, count in counts.items()
                ),
            )


def _words(name: str, value: str) -> str:
    if name == "matched":
        return MATCHED.get(value, value)
    return _naming.short(value) if name == "type" else value


def _address(**changes: str) -> str:
    """The address of this search with other parameters; an empty one is left out."""
    kept = {name: request.args[name] for name in _KEPT if name in request.args}
    given: dict[str, Any] = {name: value for name, value in {**kept, **changes}.items() if value}
    return url_for("lineage.search", **given)


def _marked(value: str, text: str) -> Markup:
    """A text in which the words of a search are marked. Each piece is isolated and escaped on its own.

    A text with characters of another direction stays whole, since pieces of it would be placed one by one.
    """
    words = sorted((word for word in re.findall(r"\w+", text) if word), key=len, reverse=True)[:16]
    whole = isolated(value)
    if not words or (isinstance(whole, Markup) and "<" in whole) or not _one_to_one(value):
        return whole if isinstance(whole, Markup) else Markup("{}").format(whole)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words), re.IGNORECASE)
    parts, end = [], 0
    for match in pattern.finditer(value):
        parts += [Markup("{}<mark>{}</mark>").format(value[end : match.start()], match[0])]
        end = match.end()
    return Markup("").join([*parts, Markup("{}").format(value[end:])])


def _one_to_one(value: str) -> bool:
    """Whether the text has no combining characters, which a mark would tear from their letters."""
    return not any(unicodedata.combining(character) for character in value)
