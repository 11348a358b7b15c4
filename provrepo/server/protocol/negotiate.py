"""Content negotiation: a suffix precedes ``?format=``, which precedes ``Accept`` (RFC 9110, section 12.5.1).

``?format=`` takes names, suffixes and media types. On SPARQL endpoints unknown values are ignored and ``Accept``
decides, because SPARQL clients send the names of many servers at once.

Among representations of equal quality the one that is named most exactly wins, then the first one offered, which is
therefore the default. Browsers name ``text/html`` and get pages; ``*/*`` alone never selects a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from flask import request
from werkzeug.http import parse_list_header, parse_options_header

from provrepo.server.protocol.rejections import Rejected

__all__ = ["HTML", "JSON", "Choice", "Offer", "accepted", "choose", "content_type", "prefers_html", "requested"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A representation that can be sent.

    Attributes:
        name: its name in ``?format=``.
        media_types: its media types, the default first.
        suffixes: file name suffixes with their dot; ``?format=`` accepts them too, without the dot.
        aliases: further names for ``?format=``.
    """

    name: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen representation.

    Attributes:
        name: the name of the offer.
        media_type: the media type to send.
    """

    name: str
    media_type: str


HTML = Offer("html", ("text/html",), (".html",))
JSON = Offer("json", ("application/json",), (".json",))
_PROBLEM = Offer("problem", ("application/problem+json", "application/json"))


MAX_RANGES = 100
"""The most media ranges of an ``Accept`` header that are considered."""

_CACHEABLE = 200
"""The longest ``Accept`` header, in characters, whose result is cached; those of browsers are shorter."""


class _Media(NamedTuple):
    type: str
    subtype: str
    profiles: tuple[str, ...]


class _Range(NamedTuple):
    media: _Media
    quality: float


def choose(
    offers: Sequence[Offer], *, suffix: str = "", formats: Sequence[str] | None = None, lenient: bool = False
) -> Choice:
    """Choose the representation for the current request.

    Args:
        offers: the offered representations, the default first.
        suffix: the suffix of the path with its dot, or empty.
        formats: values of ``format``, by default those of the URL; the first known one counts.
        lenient: let ``Accept`` decide if none of the values is known.

    Raises:
        Rejected: 404 for an unknown suffix; 406 if no offer is acceptable, with the list of offers.
    """
    if suffix:
        found = _named(suffix, offers)
        if found is None:
            raise Rejected(404, "")
        return found
    wanted = [value for value in (request.args.getlist("format") if formats is None else formats) if value]
    found = next(filter(None, (requested(offers, value) for value in wanted)), None)
    refused = bool(wanted) and not lenient
    if found is None and not refused:
        found = accepted(offers, request.headers.get("Accept", ""))
    if found is None:
        what = (
            f"no representation is called {wanted[0][:100]!r}"
            if refused
            else "none of the media types you accept is on offer"
        )
        raise Rejected(
            406,
            f"{what}; available are: {', '.join(offer.name for offer in offers)}",
            available=[{"format": offer.name, "media_type": offer.media_types[0]} for offer in offers],
        )
    return found


def requested(offers: Sequence[Offer], value: str) -> Choice | None:
    """The offer for a value of ``?format=``: a name, a suffix, or media types as in ``Accept``; None if there is none.

    Args:
        offers: the offered representations, the default first.
        value: the value after form decoding, which turns an unencoded plus into a space.
    """
    value = value.strip().replace(" ", "+")
    if "/" not in value:
        return _named("." + value, offers)
    return None if "*" in value else accepted(offers, value)


def accepted(offers: Sequence[Offer], header: str) -> Choice | None:
    """The best offer for an ``Accept`` header; None if none is acceptable. An empty header accepts everything."""
    best_offer = _best_offer_cached if len(header) <= _CACHEABLE else _best_offer
    return best_offer(tuple(offers), header or "*/*")


def _best_offer(offers: tuple[Offer, ...], header: str) -> Choice | None:
    ranges = _ranges(header)
    best: tuple[float, int, int] | None = None
    choice = None
    for position, offer in enumerate(offers):
        for media_type in offer.media_types:
            quality, exactness = _quality_of(_parsed_offer(media_type), ranges)
            rank = (quality, exactness, -position)
            if quality > 0 and (best is None or rank > best):
                best, choice = rank, Choice(offer.name, media_type)
    return choice


_best_offer_cached = lru_cache(512)(_best_offer)
"""Clients send the same header with each request; negotiation would take a tenth of the time of a look-up."""


def prefers_html() -> bool:
    """Whether the client prefers a page to JSON, as browsers do."""
    choice = accepted((_PROBLEM, HTML), request.headers.get("Accept", ""))
    return choice is not None and choice.name == HTML.name


def content_type(media_type: str) -> str:
    """The value of ``Content-Type`` for a media type; all text is sent in UTF-8."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _named(ending: str, offers: Sequence[Offer]) -> Choice | None:
    ending = ending.lower()
    for offer in offers:
        if ending == "." + offer.name or ending in offer.suffixes or ending[1:] in offer.aliases:
            return Choice(offer.name, offer.media_types[0])
    return None


@cache
def _parsed_offer(media_type: str) -> _Media:
    return _media(media_type)


def _media(value: str) -> _Media:
    kind, options = parse_options_header(value)
    main, _, sub = kind.strip().lower().partition("/")
    # RFC 6906: a profile parameter may contain several IRIs. No other parameter distinguishes representations.
    return _Media(main, sub, tuple(options.get("profile", "").split()))


def _ranges(header: str) -> list[_Range]:
    return [_Range(_media(item), _quality(item)) for item in parse_list_header(header)[:MAX_RANGES]]


def _quality(item: str) -> float:
    try:
        quality = float(parse_options_header(item)[1].get("q", "1"))
    except ValueError:
        return 1.0
    return min(quality, 1.0) if quality > 0 else 0.0


def _quality_of(media: _Media, ranges: Sequence[_Range]) -> tuple[float, int]:
    # The most exact range that matches decides, whatever the quality of less exact ones.
    matching = [(_exactness(media, r.media), r.quality) for r in ranges]
    exactness, quality = max(matching, default=(-1, 0.0))
    return (quality, exactness) if exactness >= 0 else (0.0, -1)


def _exactness(media: _Media, wanted: _Media) -> int:
    """How exactly a range names a media type: from 0 for ``*/*`` to 3 with its profile; -1 if it does not match."""
    if wanted.profiles:
        same = (media.type, media.subtype) == (wanted.type, wanted.subtype)
        return 3 if same and set(media.profiles) & set(wanted.profiles) else -1
    if wanted.type == "*":
        return 0
    if wanted.type != media.type:
        return -1
    if wanted.subtype == "*":
        return 1
    return 2 if wanted.subtype == media.subtype else -1
