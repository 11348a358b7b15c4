"""The intervals of Marquez's statistics: the last 24 hours, or the last 7 days of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from provrepo.server.protocol.rejections import Rejected

__all__ = ["bounds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bounds(period: str, zone: str, now: datetime) -> list[int]:
    """The bounds of the intervals, in microseconds since 1970; the last one ends after now.

    Args:
        period: ``DAY`` for 24 hours, ``WEEK`` for 7 days.
        zone: the time zone of the days, such as ``Europe/Berlin``.
        now: the present time.

    Raises:
        Rejected: 400, there is no such time zone.
    """
    if period == "DAY":
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        times = [hour + timedelta(hours=number) for number in range(-23, 2)]
    else:
        try:
            local = UTC if zone.upper() in ("", "UTC") else ZoneInfo(zone)
        except (LookupError, ValueError, OSError):
            raise Rejected(400, f"timezone={zone[:40]} is not a time zone such as Europe/Berlin") from None
        day = now.astimezone(local).date()
        days = [day + timedelta(days=number) for number in range(-6, 2)]
        # Days of 23 and 25 hours: each begins at midnight of the zone.
        times = [datetime(each.year, each.month, each.day, tzinfo=local) for each in days]
    return [(each.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) for each in times]
