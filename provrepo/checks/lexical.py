"""Tests that a lexical form belongs to the lexical space of a datatype (XML Schema 1.1 part 2).

Nothing is converted to a value: that of ``"1E999999999"^^xsd:decimal`` would not fit into memory, yet its lexical form
shows that it is not a decimal.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from provrepo.vocab import XSD

__all__ = ["is_date_time", "valid"]

_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_DATE = r"(?P<year>-?(?:[1-9]\d{3,}|0\d{3}))-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])"
_TIME = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"

_DATE_TIME = re.compile(f"{_DATE}T{_TIME}{_ZONE}?", re.ASCII)
_DATE_TIME_STAMP = re.compile(f"{_DATE}T{_TIME}{_ZONE}", re.ASCII)
_DATE_ONLY = re.compile(f"{_DATE}{_ZONE}?", re.ASCII)
_TIME_ONLY = re.compile(f"{_TIME}{_ZONE}?", re.ASCII)
_INTEGER = re.compile(r"(?P<sign>[+-]?)0*(?P<digits>\d+)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DOUBLE = re.compile(r"(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN)", re.ASCII)
_BOOLEAN = re.compile(r"true|false|1|0")

_DAYS = {"02": 29, "04": 30, "06": 30, "09": 30, "11": 30}


def is_date_time(lexical: str) -> bool:
    """Whether a text is an ``xsd:dateTime`` (XML Schema part 2, section 3.3.7)."""
    return _dated(_DATE_TIME, lexical)


def _dated(pattern: re.Pattern[str], lexical: str) -> bool:
    match = pattern.fullmatch(lexical)
    if match is None:
        return False
    month, day = match["month"], int(match["day"])
    if day > _DAYS.get(month, 31):
        return False
    if month != "02" or day < 29:
        return True
    # The last four digits of a year determine whether it is a leap year.
    year = int(match["year"][-4:])
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda lexical: pattern.fullmatch(lexical) is not None


def _integer(low: int | None, high: int | None) -> Callable[[str], bool]:
    """A test for integers between two inclusive bounds; numbers with more digits than a bound are not converted."""

    def check(lexical: str) -> bool:
        match = _INTEGER.fullmatch(lexical)
        if match is None:
            return False
        digits = match["digits"]
        negative = match["sign"] == "-"
        bound = low if negative else high
        if bound is None and digits != "0":
            return True
        if bound is not None and len(digits) > len(str(abs(bound))):
            return False
        number = -int(digits) if negative else int(digits)
        return (low is None or number >= low) and (high is None or number <= high)

    return check


_CHECKS: dict[str, Callable[[str], bool]] = {
    XSD + "dateTime": is_date_time,
    XSD + "dateTimeStamp": lambda lexical: _dated(_DATE_TIME_STAMP, lexical),
    XSD + "date": lambda lexical: _dated(_DATE_ONLY, lexical),
    XSD + "time": _matches(_TIME_ONLY),
    XSD + "boolean": _matches(_BOOLEAN),
    XSD + "decimal": _matches(_DECIMAL),
    XSD + "double": _matches(_DOUBLE),
    XSD + "float": _matches(_DOUBLE),
    XSD + "integer": _integer(None, None),
    XSD + "nonNegativeInteger": _integer(0, None),
    XSD + "positiveInteger": _integer(1, None),
    XSD + "nonPositiveInteger": _integer(None, 0),
    XSD + "negativeInteger": _integer(None, -1),
    XSD + "long": _integer(-(1 << 63), (1 << 63) - 1),
    XSD + "int": _integer(-(1 << 31), (1 << 31) - 1),
    XSD + "short": _integer(-(1 << 15), (1 << 15) - 1),
    XSD + "byte": _integer(-(1 << 7), (1 << 7) - 1),
    XSD + "unsignedLong": _integer(0, (1 << 64) - 1),
    XSD + "unsignedInt": _integer(0, (1 << 32) - 1),
    XSD + "unsignedShort": _integer(0, (1 << 16) - 1),
    XSD + "unsignedByte": _integer(0, (1 << 8) - 1),
}


def valid(lexical: str, datatype: str) -> bool | None:
    """Whether a lexical form belongs to a datatype; None where the datatype is not checked.

    Checked are the numeric types, ``boolean``, ``dateTime``, ``dateTimeStamp``, ``date`` and ``time`` of XML Schema.
    """
    check = _CHECKS.get(datatype)
    return None if check is None else check(lexical)
