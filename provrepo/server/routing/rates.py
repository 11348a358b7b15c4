"""Rate limits: the most requests of a class from one sender, which is a token or, without one, an address.

A sender above the limit gets 429 with ``Retry-After`` (RFC 6585, section 4). Counts are kept in memory only.
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

__all__ = ["MAX_SENDERS", "Limit", "Rate", "RateLimiter", "limits", "sender_of"]

MAX_SENDERS = 10_000
"""The most senders of each class whose counts are kept; beyond it the least recently active one is dropped."""

LOOPBACK = "loopback"
"""The sender that stands for all loopback addresses."""


class Rate(StrEnum):
    """The classes of requests; each class is counted separately."""

    FREE = "free"
    READ = "read"
    QUERY = "query"
    CHECK = "check"
    WRITE = "write"
    PINGBACK = "pingback"
    NOTICE = "notice"


class Limit(NamedTuple):
    """The limit of a class: the most requests of one sender in a period; they may come all at once.

    Attributes:
        requests: the number of requests; 0 allows none.
        seconds: the period in seconds.
    """

    requests: int
    seconds: float


def limits(settings: Settings) -> dict[Rate, Limit]:
    """The limits of the settings by class; a missing class is not limited."""
    by_minute = {
        Rate.READ: settings.rate_read,
        Rate.QUERY: settings.rate_query,
        Rate.CHECK: settings.rate_check,
        Rate.WRITE: settings.rate_write,
    }
    found = {rate: Limit(requests, 60.0) for rate, requests in by_minute.items() if requests}
    by_hour = {Rate.PINGBACK: settings.pingback_rate, Rate.NOTICE: settings.inbox_rate}
    return {**found, **{rate: Limit(requests, 3600.0) for rate, requests in by_hour.items()}}


_ALWAYS = frozenset({Rate.PINGBACK, Rate.NOTICE})
"""The classes that are limited also from this machine, since anybody's requests store something."""


class RateLimiter:
    """Token buckets, one for each sender and class, which refill evenly over the period of the limit."""

    def __init__(
        self, limits: Mapping[Rate, Limit], *, loopback: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a limiter with full buckets.

        Args:
            limits: the limit of each class.
            loopback: whether requests from this machine are limited too; pingbacks and notices always are.
            clock: a monotonic time in seconds.
        """
        self._limits = dict(limits)
        self._loopback = loopback
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[Rate, OrderedDict[tuple[str, ...], tuple[float, float]]] = {
            rate: OrderedDict() for rate in self._limits
        }

    def exempt(self, sender: str) -> bool:
        """Whether a sender is this machine and exempt from the limits of all classes but ``_ALWAYS``."""
        return sender == LOOPBACK and not self._loopback

    def take(self, rate: Rate, *sender: str) -> int:
        """Take one token from the bucket of a sender.

        Args:
            rate: the class of the request.
            sender: the sender, from ``sender_of`` or a token, and further names that select a separate bucket.

        Returns:
            0 if the request is allowed; otherwise the seconds after which the sender may try again.
        """
        limit = self._limits.get(rate)
        if limit is None or (self.exempt(sender[0]) and rate not in _ALWAYS):
            return 0
        capacity, seconds = limit
        with self._lock:
            at = self._clock()
            buckets = self._buckets[rate]
            left, before = buckets.pop(sender, (float(capacity), at))
            left = min(capacity, left + (at - before) * capacity / seconds)
            allowed = left >= 1
            buckets[sender] = (left - allowed, at)
            if len(buckets) > MAX_SENDERS:
                buckets.popitem(last=False)
        if allowed:
            return 0
        return max(1, math.ceil(round((1 - left) * seconds / capacity, 3))) if capacity else math.ceil(seconds)


@lru_cache(1024)
def sender_of(address: str) -> str:
    """The sender for an address: an IPv4 address, or an IPv6 network with a prefix of 64 bits, as customers get them.

    Args:
        address: the address of the client; behind a trusted proxy, the one that the proxy reported.
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
