"""Values of literals that can be compared, as SPARQL compares them with ``<`` (SHACL, sections 4.3 and 4.5).

Only what is well-formed by its datatype has a value, which is looked at on the text alone (``lexical``).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from provrepo.checks.lexical import valid
from provrepo.model.identifiers import Literal, Value
from provrepo.vocab import XSD, XSD_STRING

__all__ = ["UNDECIDED", "Comparable", "comparable", "compare", "in_plain_order", "is_well_formed"]

UNDECIDED = 2
"""What ``compare`` returns for two times of which only one has a zone, where the zone of the other decides."""

_NUMERIC = frozenset(
    XSD + name
    for name in (
        *("decimal", "integer", "double", "float", "long", "int", "short", "byte"),
        *("nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"),
        *("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    )
)
_FLOATING = frozenset((XSD + "double", XSD + "float"))
_INSTANTS = frozenset((XSD + "dateTime", XSD + "dateTimeStamp"))
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$", re.ASCII)
_SHORT_INTEGER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)
"""Python converts no more digits at a time."""
_PLAIN_INSTANT = re.compile(r"[12]\d{3}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
_FARTHEST = timedelta(hours=14)
"""How far the local time of a zone is from UTC at most (XML Schema part 2, section D.2.1.1)."""
_MIDNIGHT = "T24:00:00"


class Comparable(NamedTuple):
    """The value of a literal.

    Attributes:
        space: what it can be compared with; values of other spaces are not comparable.
        value: of a type with an order.
    """

    space: str
    value: Any


def is_well_formed(literal: Literal) -> bool:
    """Whether the lexical form is not known to be outside the lexical space of the datatype."""
    return valid(literal.lexical, literal.datatype) is not False


def comparable(term: Value) -> Comparable | None:
    """The value of a term; None where it has none that this module compares: IRIs, blank nodes, unknown datatypes."""
    if not isinstance(term, Literal):
        return None
    lexical, datatype, language = term
    if datatype == XSD_STRING:
        return Comparable("string", lexical)
    if language or valid(lexical, datatype) is not True:
        return None
    if datatype in _NUMERIC:
        return Comparable("number", _number(lexical, datatype))
    if datatype == XSD + "boolean":
        return Comparable("boolean", lexical in ("true", "1"))
    if datatype in _INSTANTS:
        return Comparable("instant", _instant(lexical))
    if datatype == XSD + "date":
        return Comparable("date", _date(lexical))
    if datatype == XSD + "time":
        moment = _instant(f"2000-01-01T{lexical}")
        return Comparable("time" if moment.tzinfo is None else "time of a zone", _since(moment))
    return None


def _number(lexical: str, datatype: str) -> Any:
    if datatype in _FLOATING:
        return float(lexical.replace("INF", "inf"))
    return int(lexical) if _SHORT_INTEGER.fullmatch(lexical) else Decimal(lexical)


def _instant(lexical: str) -> datetime:
    """A time; what lies beyond Python's years is the first or the last year that Python has."""
    try:
        if _MIDNIGHT in lexical:
            return datetime.fromisoformat(lexical.replace(_MIDNIGHT, "T23:59:59", 1))
        return datetime.fromisoformat(lexical)
    except ValueError:
        zone = datetime.fromisoformat("2000-01-01T00:00:00" + (_ZONE.findall(lexical) or [""])[0]).tzinfo
        return datetime(2 if lexical.startswith(("-", "0000")) else 9998, 1, 1, tzinfo=zone)


def _date(lexical: str) -> date:
    return _instant(_ZONE.sub("", lexical)).date()


def compare(one: Comparable | None, other: Comparable | None) -> int | None:
    """-1, 0 or 1 as the first is less than, equal to or greater than the second.

    Returns:
        None where they cannot be compared, and ``UNDECIDED`` for times as described there.
    """
    if one is None or other is None or one.space != other.space:
        return None
    first, second = one.value, other.value
    if one.space == "instant" and (first.tzinfo is None) != (second.tzinfo is None):
        apart = _since(first) - _since(second)
        return -1 if apart < -_FARTHEST else 1 if apart > _FARTHEST else UNDECIDED
    if first != first or second != second:  # noqa: PLR0124 (only NaN differs from itself, and it has no order)
        return None
    return -1 if first < second else 1 if first > second else 0


def _since(moment: datetime) -> timedelta:
    """The time since the beginning of the calendar, in UTC where there is a zone. It may be negative."""
    return moment.replace(tzinfo=None) - datetime.min - (moment.utcoffset() or timedelta())


def in_plain_order(one: Value, other: Value) -> bool:
    """Whether two terms are times in UTC to the second, the first before the second, which their texts show."""
    return (
        isinstance(one, Literal)
        and isinstance(other, Literal)
        and one.datatype == other.datatype == XSD + "dateTime"
        and one.lexical < other.lexical
        and _PLAIN_INSTANT.fullmatch(one.lexical) is not None
        and _PLAIN_INSTANT.fullmatch(other.lexical) is not None
    )
