"""Everything that provrepo raises on purpose.

::

Error:
    ├── UsageError            a wrong name, option or argument of the caller
    │   ├── UnknownFormat     no format of that name
    │   ├── InvalidName       not a name of a project or document
    │   ├── NoRepository      a data directory that is not there, where something is to be read
    │   └── SettingsError     an unreadable provrepo.toml or environment value
    ├── ReadError             input that cannot be read: what, and where
    │   └── QueryError        a SPARQL query that cannot be parsed or is not allowed
    ├── WriteError            a document that a format cannot carry at all
    ├── NotFound              nothing there that the caller may see
    │   └── Withdrawn         it was there
    ├── Denied                the caller may see it, but not do this
    ├── Conflict              the name is taken by other bytes
    │   ├── Stale             a new version was appended meanwhile
    │   └── TakenBack         these bytes were withdrawn or erased before
    ├── Refused               a submission that does not conform; carries the report
    ├── TooLarge              beyond a limit
    │   └── AnswerTooLarge    the answer to a query is
    ├── NoSpace               the disk is full; nothing of this was stored
    ├── Busy                  another process holds the views, or all workers are taken
    ├── NotAvailable          a part that is not installed or does not exist yet
    ├── WorkerFailed          a worker died or ran out of memory
    │   └── TimedOut          it was killed at its deadline
    ├── RemoteError           another server did not answer as it should
    └── Damaged               the data directory is not what it should be
"""

from __future__ import annotations

__all__ = [
    "AnswerTooLarge",
    "Busy",
    "Conflict",
    "Damaged",
    "Denied",
    "Error",
    "InvalidName",
    "NoRepository",
    "NoSpace",
    "NotAvailable",
    "NotFound",
    "QueryError",
    "ReadError",
    "Refused",
    "RemoteError",
    "SettingsError",
    "Stale",
    "TakenBack",
    "TimedOut",
    "TooLarge",
    "UnknownFormat",
    "UsageError",
    "Withdrawn",
    "WorkerFailed",
    "WriteError",
]


class Error(Exception):
    """Whatever provrepo raises on purpose; its text is meant for the user."""


class UsageError(Error):
    """A wrong name, option or argument."""


class UnknownFormat(UsageError):
    """No format has this name, suffix or media type."""


class InvalidName(UsageError):
    """Not a name of a project or document: ``[A-Za-z0-9][A-Za-z0-9_-]{0,99}``."""


class NoRepository(UsageError):
    """There is no repository in the data directory, and reading does not make one."""


class SettingsError(UsageError):
    """A setting that cannot be read or has no meaning."""


class ReadError(Error):
    """Input that cannot be read.

    Attributes:
        message: what is wrong, without the place.
        line: 1-based line, or None where there is none.
        column: 1-based column in characters, or None.
        format: name of the format that was tried, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        format: str | None = None,  # noqa: A002 (the name that callers read)
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.format = format
        place = "" if line is None else f"line {line}: " if column is None else f"line {line}, column {column}: "
        super().__init__(f"{format + ': ' if format else ''}{place}{message}")


class QueryError(ReadError):
    """A SPARQL query that cannot be parsed, or asks for what is not allowed."""


class WriteError(Error):
    """A document that cannot be written in the format asked for."""


class NotFound(Error):
    """Nothing of that name that the caller may see."""


class Withdrawn(NotFound):
    """The document was here and has been withdrawn.

    Attributes:
        reason: the reason given, or None.
        time: when, as xsd:dateTime in UTC.
    """

    def __init__(self, message: str, *, reason: str | None = None, time: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.time = time


class Denied(Error):
    """The caller may know of it but not do this with it."""


class Conflict(Error):
    """The name is taken by other bytes."""


class Stale(Conflict):
    """The version that the caller meant to replace is no longer the current one."""


class TakenBack(Conflict):
    """The bytes were withdrawn or erased before, and were not asked for again expressly.

    Attributes:
        state: ``withdrawn`` or ``erased``.
        document: the document that they were taken back from.
        version: the version that was current when the document was withdrawn, or whose bytes were erased.
        time: when, as xsd:dateTime in UTC.
        by: the name of who did it.
        reason: the reason given.
    """

    def __init__(
        self,
        message: str,
        *,
        state: str = "",
        document: str = "",
        version: int = 0,
        time: str = "",
        by: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.state = state
        self.document = document
        self.version = version
        self.time = time
        self.by = by
        self.reason = reason


class Refused(Error):
    """A submission that does not conform to what its project asks for.

    Attributes:
        report: the ``provrepo.checks.report.Report`` (typed loosely: errors know no other part).
    """

    def __init__(self, message: str, report: object) -> None:
        super().__init__(message)
        self.report = report


class TooLarge(Error):
    """Beyond a limit of size or depth."""


class AnswerTooLarge(TooLarge):
    """The answer to a query has more rows or bytes than are sent; nothing of it is."""


class NoSpace(Error):
    """The disk or the quota is full; what was being written is not stored."""


class Busy(Error):
    """Somebody else holds what is needed; trying again later may help.

    Attributes:
        retry_after: seconds to wait before that, where somebody said so; otherwise 0.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotAvailable(Error):
    """A part that is not installed, or that this version does not have."""


class WorkerFailed(Error):
    """A worker process died, or was killed at its deadline or memory limit."""


class TimedOut(WorkerFailed):
    """What a worker process was asked for was not done by the deadline, and it was killed."""


class RemoteError(Error):
    """Another server refused, failed or answered what cannot be understood.

    Attributes:
        status: of HTTP, or None where there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Damaged(Error):
    """The data directory contradicts itself or was written by a newer version."""
