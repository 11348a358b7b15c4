"""Times in the records of other tools."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

__all__ = ["Moment"]

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?[ ]?(?:([Zz])|([+-]\d\d):?(\d\d)?)?", re.ASCII
)


class Moment(NamedTuple):
    """A time of a record, which sorts by the instant at full precision; a time without a zone sorts as UTC.

    Attributes:
        instant: seconds since year 1, in UTC.
        fraction: digits of the fraction of a second, without zeros at the end.
        lexical: the time as an ``xsd:dateTime``, in the zone in which it was written.
        zoned: whether it was written with a zone.
    """

    instant: int
    fraction: str
    lexical: str
    zoned: bool

    @classmethod
    def parse(cls, text: str) -> Moment | None:
        """The time that a text states; None where it is not a time."""
        found = _TIME.fullmatch(text.strip())
        if found is None:
            return None
        day, minute, second, fraction, utc, hours, minutes = found.groups()
        clock = f"{day}T{minute}:{second or '00'}"
        zone = "Z" if utc else f"{hours}:{minutes or '00'}" if hours else ""
        try:
            moment = datetime.fromisoformat(clock + ("+00:00" if zone in ("", "Z") else zone))
        except ValueError:
            return None
        shift = moment.utcoffset() or timedelta()
        seconds = moment.toordinal() * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second
        lexical = clock + (f".{fraction}" if fraction else "") + zone
        return cls(seconds - int(shift.total_seconds()), (fraction or "").rstrip("0"), lexical, bool(zone))
