"""Times as logs write them, by the formats and the zone that the mapping states."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation

from provrepo.importers.moments import Moment

__all__ = ["Clock", "shifted"]

_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PARTS = re.compile(r"(?:(?P<days>\d+)[ ]days?,?[ ]+)?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)")
_UNITS = {"unix": Decimal(1), "unix-ms": Decimal(1000), "unix-us": Decimal(1_000_000)}
_LAST = timedelta(days=1, seconds=-1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Clock:
    """Reads times.

    Attributes:
        formats: ``iso``, ``unix`` and the like, or formats of ``strftime``; the first that fits counts.
        zone: of times without one; None where the mapping states none.
    """

    formats: tuple[str, ...]
    zone: tzinfo | None

    @classmethod
    def of(cls, formats: tuple[str, ...], zone: str) -> Clock:
        """A clock for texts of a mapping.

        Raises:
            ValueError: a format or the zone is not known.
        """
        for format_ in formats:
            if format_ not in ("iso", *_UNITS):
                _check_format(format_)
        return cls(formats or ("iso",), _zone(zone) if zone else None)

    def read(self, text: str, *, end: bool = False) -> tuple[Moment, str]:
        """A time, and what is unclear about it.

        Args:
            text: as the log has it.
            end: whether a day stands for its end, not for its start.

        Raises:
            ValueError: it is no time of these formats.
        """
        for format_ in self.formats:
            found = self._by(format_, text.strip(), end)
            if found is not None:
                return self._zoned(found)
        raise ValueError(f"{text[:100]!r} is no time of the format {' or '.join(self.formats)}")

    def _by(self, format_: str, text: str, end: bool) -> Moment | None:
        try:
            if format_ == "iso":
                if _DAY.fullmatch(text):
                    return _moment(datetime.fromisoformat(text), day=True, end=end)
                return Moment.parse(text)
            if format_ in _UNITS:
                microseconds = int(Decimal(text) / _UNITS[format_] * 1_000_000)
                return Moment.parse((_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z"))
            return _moment(datetime.strptime(text, format_), day=not re.search("%[HIsXcT]", format_), end=end)
        except (ValueError, OverflowError, InvalidOperation):
            return None

    def _zoned(self, found: Moment) -> tuple[Moment, str]:
        if found.zoned:
            return found, ""
        if self.zone is None:
            return found, "times have no zone: it is not known which instants they are; state the zone in [time] zone"
        local = datetime.fromisoformat(found.lexical[:26]).replace(tzinfo=self.zone)
        first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
        moment = Moment.parse(local.isoformat())
        if moment is None:  # an offset with seconds, of a time before there were zones
            return found, f"the zone has an offset of {first} at {found.lexical}; the time stays without a zone"
        unclear = "" if first == second else f"{found.lexical} is not one time in this zone: clocks were changed then"
        return moment, unclear


def _moment(found: datetime, *, day: bool, end: bool) -> Moment | None:
    return Moment.parse((found + _LAST if day and end else found).isoformat())


def _check_format(format_: str) -> None:
    try:
        example = datetime(2026, 1, 31, 10, 0, 0, tzinfo=UTC).strftime(format_)
        datetime.strptime(example, format_)
    except (ValueError, re.error) as error:
        raise ValueError(f"format: {format_[:100]!r} is none of iso, {', '.join(_UNITS)}, nor of strftime") from error
    if not all(re.search(f"%[{letters}]", format_) for letters in ("YyGcx", "dejcxuV")):
        raise ValueError(f"format: {format_[:100]!r} has no year or no day")


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    if name.upper() in ("UTC", "Z"):
        return UTC
    if found := _OFFSET.fullmatch(name):
        return timezone((1 if found[1] == "+" else -1) * timedelta(hours=int(found[2]), minutes=int(found[3])))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"zone: {name[:100]!r} is no zone, such as Europe/Berlin, UTC or +01:00") from None


def shifted(moment: Moment, duration: str, *, back: bool) -> Moment:
    """The end of what started at a time, or with ``back`` the start of what ended then.

    Args:
        moment: the time.
        duration: in seconds, or as ``1:02:03``.
        back: whether to go back.

    Raises:
        ValueError: it is no duration.
    """
    try:
        if parts := _PARTS.fullmatch(duration):
            days, hours, minutes = (int(parts[name] or 0) for name in ("days", "hours", "minutes"))
            length = timedelta(days, float(parts["seconds"]), hours=hours, minutes=minutes)
        else:
            length = timedelta(seconds=float(duration))
        if length < timedelta():
            raise ValueError
        base = datetime.fromisoformat(moment.lexical)
        found = Moment.parse((base - length if back else base + length).isoformat().replace("+00:00", "Z"))
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError(f"{duration[:100]!r} is no duration in seconds, nor one such as 1:02:03")
    return found
