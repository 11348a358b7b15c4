"""The actions that an audit lists, in a module without further imports, for the help of the command line."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Action"]


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
