"""Which representation to send: the suffix before ``?format=`` before ``Accept`` (RFC 9110, section 12.5.1).

``?format=`` takes names, suffixes and media types. Where SPARQL clients ask, a value that is none of these, or that
this kind of answer does not have, leaves the choice to ``Accept``: they send the names of many servers at once.

Among equally welcome representations the more exactly named one wins, then the earlier offer: the first offer is what
a client gets that does not care. Browsers name ``text/html`` and so get pages; ``*/*`` alone never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from flask import request
from werkzeug.http import parse_list_header, parse_options_header

from provrepo.server.protocol.rejections import Rejected

__all__ = ["HTML", "JSON", "Choice", "Offer", "accepted", "requested", "choose", "content_type", "prefers_html"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A representation that can be sent.

    Attributes:
        name: what ``?format=`` calls it.
        media_types: the one to send by default first; others are sent to who asks for them by name.
        suffixes: file name endings, which ``?format=`` understands too, without the dot.
        aliases: further names that ``?format=`` understands.
    """

    name: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        name: of the offer.
        media_type: which of its media types the client gets.
    """

    name: str
    media_type: str


HTML = Offer("html", ("text/html",), (".html",))
JSON = Offer("json", ("application/json",), (".json",))
_PROBLEM = Offer("problem", ("application/problem+json", "application/json"))


MOST = 100
"""Media ranges of an ``Accept`` header that are looked at; no honest client sends more."""

_USUAL = 200
"""Characters of an ``Accept`` header that is worth remembering; browsers send fewer."""


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
    """The representation for the running request.

    Args:
        offers: the default first.
        suffix: of the path, with its dot; empty where there is none.
        formats: the values of ``format``, where they are not those of the address alone; the first known one counts.
        lenient: leave the choice to ``Accept`` where none of them is known.

    Raises:
        Rejected: 404 for an unknown suffix, 406 where nothing on offer is acceptable, with the list of offers.
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
    """The offer that a value of ``?format=`` means: a name, a suffix, or media types as in ``Accept``.

    Args:
        offers: the default first.
        value: as it arrived; a plus that nobody encoded is a space by then.
    """
    value = value.strip().replace(" ", "+")
    if "/" not in value:
        return _named("." + value, offers)
    return None if "*" in value else accepted(offers, value)


def accepted(offers: Sequence[Offer], header: str) -> Choice | None:
    """The best offer for an ``Accept`` header; None where it accepts none. An empty header accepts everything."""
    judge = _chosen_again if len(header) <= _USUAL else _chosen
    return judge(tuple(offers), header or "*/*")


def _chosen(offers: tuple[Offer, ...], header: str) -> Choice | None:
    ranges = _ranges(header)
    best: tuple[float, int, int] | None = None
    choice = None
    for position, offer in enumerate(offers):
        for media_type in offer.media_types:
            quality, exactness = _judge(_offered(media_type), ranges)
            rank = (quality, exactness, -position)
            if quality > 0 and (best is None or rank > best):
                best, choice = rank, Choice(offer.name, media_type)
    return choice


_chosen_again = lru_cache(512)(_chosen)
"""The same clients send the same header again and again; judging it anew would take a tenth of a look-up's time."""


def prefers_html() -> bool:
    """Whether the client would rather have a page than JSON: a browser."""
    choice = accepted((_PROBLEM, HTML), request.headers.get("Accept", ""))
    return choice is not None and choice.name == HTML.name


def content_type(media_type: str) -> str:
    """The media type with its charset: all text that is sent is UTF-8."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _named(ending: str, offers: Sequence[Offer]) -> Choice | None:
    ending = ending.lower()
    for offer in offers:
        if ending == "." + offer.name or ending in offer.suffixes or ending[1:] in offer.aliases:
            return Choice(offer.name, offer.media_types[0])
    return None


@cache
def _offered(media_type: str) -> _Media:
    return _media(media_type)


def _media(value: str) -> _Media:
    kind, options = parse_options_header(value)
    main, _, sub = kind.strip().lower().partition("/")
    # RFC 6906: a profile parameter may hold several IRIs. No other parameter tells representations apart.
    return _Media(main, sub, tuple(options.get("profile", "").split()))


def _ranges(header: str) -> list[_Range]:
    return [_Range(_media(item), _quality(item)) for item in parse_list_header(header)[:MOST]]


def _quality(item: str) -> float:
    try:
        quality = float(parse_options_header(item)[1].get("q", "1"))
    except ValueError:
        return 1.0
    return min(quality, 1.0) if quality > 0 else 0.0


def _judge(media: _Media, ranges: Sequence[_Range]) -> tuple[float, int]:
    # The most exact range that matches speaks for the media type, whatever the quality of vaguer ones.
    matching = [(_exactness(media, r.media), r.quality) for r in ranges]
    exactness, quality = max(matching, default=(-1, 0.0))
    return (quality, exactness) if exactness >= 0 else (0.0, -1)


def _exactness(media: _Media, wanted: _Media) -> int:
    """How exactly a range names a media type, from 0 for ``*/*`` to 3 with its profile; -1 where it does not."""
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
