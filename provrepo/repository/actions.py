"""The actions that an audit lists, in a module without further imports, for the help of the command line."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Action"]


class Action(StrEnum):
    """An action of a caller: a kind of ledger entries, or an action in the access log."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    ERASE = "erase"
    SETTINGS = "settings"
    MEMBER = "member"
    INVITATION = "invitation"
    EMBARGO = "embargo"
    PENDING = "pending"
    REVIEW = "review"
    EXCHANGE = "exchange"
    READ = "read"
    LIST = "list"
    QUERY = "query"
    LINEAGE = "lineage"
    SEARCH = "search"
    CHECK = "check"
    PINGBACK = "pingback"
    NOTICE = "notice"
    DISCARD = "discard"
    AUDIT = "audit"
    SIGN_IN = "sign-in"
    TOKEN = "token"  # noqa: S105 (the action, not a secret)
