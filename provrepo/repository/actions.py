"""What an audit lists: the actions by name, and how many at once. The help of the command line needs no more."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MOST", "Action"]

MOST = 1000
"""Events that one answer has."""


class Action(StrEnum):
    """What a caller did: the kinds of ledger entries, and what the access log has beside them."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    ERASE = "erase"
    SETTINGS = "settings"
    READ = "read"
    LIST = "list"
    QUERY = "query"
    LINEAGE = "lineage"
    SEARCH = "search"
    CHECK = "check"
    PINGBACK = "pingback"
    DISCARD = "discard"
    AUDIT = "audit"
