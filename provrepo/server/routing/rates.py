"""Rate limits: how many requests of a class one sender may make, by token, and without one by address.

A sender above the limit gets 429 with ``Retry-After`` (RFC 6585, section 4). The counts are in memory alone.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from provrepo.settings import Settings

__all__ = ["KNOWN", "Limit", "Rate", "Rates", "limits", "sender"]

KNOWN = 10_000
"""Senders of each class whose counts are kept. Beyond that the one that was quiet for longest is forgotten."""

LOOPBACK = "loopback"
"""The sender that stands for all loopback addresses."""


class Rate(StrEnum):
    """The classes in which requests are counted, each for itself."""

    FREE = "free"
    READ = "read"
    QUERY = "query"
    CHECK = "check"
    WRITE = "write"
    PINGBACK = "pingback"


class Limit(NamedTuple):
    """How many requests a sender may make: all at once, and as many again in each period.

    Attributes:
        requests: 0 allows none.
        seconds: the period.
    """

    requests: int
    seconds: float


def limits(settings: Settings) -> dict[Rate, Limit]:
    """The limits of each class; a class that has none is not limited."""
    by_minute = {
        Rate.READ: settings.rate_read,
        Rate.QUERY: settings.rate_query,
        Rate.CHECK: settings.rate_check,
        Rate.WRITE: settings.rate_write,
    }
    found = {rate: Limit(requests, 60.0) for rate, requests in by_minute.items() if requests}
    return {**found, Rate.PINGBACK: Limit(settings.pingback_rate, 3600.0)}


class Rates:
    """What each sender has left in each class: a token bucket that fills up evenly over the period."""

    def __init__(
        self, limits: Mapping[Rate, Limit], *, loopback: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin without counts.

        Args:
            limits: of each class.
            loopback: whether requests from this machine are limited too. Pingbacks always are.
            clock: seconds from any beginning.
        """
        self._limits = dict(limits)
        self._loopback = loopback
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[Rate, OrderedDict[tuple[str, ...], tuple[float, float]]] = {
            rate: OrderedDict() for rate in self._limits
        }

    def exempt(self, sender: str) -> bool:
        """Whether a sender is this machine, and so is limited in pingbacks alone."""
        return sender == LOOPBACK and not self._loopback

    def take(self, rate: Rate, *sender: str) -> int:
        """Count one request.

        Args:
            rate: its class.
            sender: who sent it, as ``sender`` names it, and further names for which the sender is counted apart.

        Returns:
            0, or the seconds after which the sender may try again; then nothing is counted.
        """
        limit = self._limits.get(rate)
        if limit is None or (self.exempt(sender[0]) and rate is not Rate.PINGBACK):
            return 0
        most, seconds = limit
        with self._lock:
            at = self._clock()
            known = self._left[rate]
            left, before = known.pop(sender, (float(most), at))
            left = min(most, left + (at - before) * most / seconds)
            allowed = left >= 1
            known[sender] = (left - allowed, at)
            if len(known) > KNOWN:
                known.popitem(last=False)
        if allowed:
            return 0
        return max(1, math.ceil(round((1 - left) * seconds / most, 3))) if most else math.ceil(seconds)


@lru_cache(1024)
def sender(address: str) -> str:
    """The sender that an address stands for: an IPv4 address, or the network that one customer has in IPv6 (/64).

    Args:
        address: of the client; behind a proxy that the settings name, the server has put in the one that it saw.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.version == 6 and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback:
        return LOOPBACK
    return str(found) if found.version == 4 else str(ipaddress.ip_network(f"{found}/64", strict=False))
