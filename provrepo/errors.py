"""The errors that provrepo raises.

::

Error:
    ├── UsageError            a wrong name, option or argument of the caller
    │   ├── UnknownFormat     no format has that name
    │   ├── InvalidName       not a name of a project or document
    │   ├── NoRepository      a data directory to read that does not exist
    │   └── SettingsError     an unreadable provrepo.toml or environment value
    ├── ReadError             input that cannot be read: what, and where
    │   └── QueryError        a SPARQL query that cannot be parsed or is not allowed
    ├── WriteError            a document that a format cannot represent at all
    ├── NotFound              no such thing that the caller may see
    │   └── Withdrawn         it was withdrawn
    ├── Denied                the caller may see it, but may not do this
    │   ├── Mirrored          the project is a mirror, which only its origin changes
    │   └── Archived          the project is archived, until that is ended
    ├── Conflict              the name is taken by other bytes
    │   ├── Stale             a new version was appended meanwhile
    │   └── TakenBack         these bytes were withdrawn or erased before
    ├── Refused               a submission that does not conform; carries the report
    ├── Waits                 a submission that is not stored as a version yet: it waits for a review
    ├── TooLarge              a limit of size or depth is exceeded
    │   └── AnswerTooLarge    the result of a query is too large
    ├── NoSpace               the disk is full; nothing of this was stored
    │   └── ProjectFull       the quota of the project is used up
    ├── Busy                  another process holds the views, or all workers are busy
    │   └── OverQuota         what waits for a review uses up the quota of a peer
    ├── NotAvailable          a part that is not installed or does not exist yet
    ├── WorkerFailed          a worker died or ran out of memory
    │   └── TimedOut          it was killed at its deadline
    ├── RemoteError           another server refused, failed, or sent an invalid response
    │   ├── Diverged          its entries are not those that were mirrored from it before
    │   └── Unreachable       no connection, or no complete answer in time
    └── Damaged               the data directory is inconsistent
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AnswerTooLarge",
    "Archived",
    "Busy",
    "Conflict",
    "Damaged",
    "Denied",
    "Diverged",
    "Error",
    "InvalidName",
    "Mirrored",
    "NoRepository",
    "NoSpace",
    "NotAvailable",
    "NotFound",
    "OverQuota",
    "ProjectFull",
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
    "Unreachable",
    "UsageError",
    "Waits",
    "Withdrawn",
    "WorkerFailed",
    "WriteError",
]


class Error(Exception):
    """The base class of all errors that provrepo raises; its text is meant for the user.

    Attributes:
        status: the HTTP status of the answer of another server that is the cause, or None if there is none.
        retry_after: the seconds after which that server, or a resource in use, asks to be tried again; 0 if unknown.
    """

    status: int | None = None
    retry_after: float = 0.0


class UsageError(Error):
    """A wrong name, option or argument."""


class UnknownFormat(UsageError):
    """No format has this name, suffix or media type."""


class InvalidName(UsageError):
    """Not a name of a project or document: ``[A-Za-z0-9][A-Za-z0-9_-]{0,99}``."""


class NoRepository(UsageError):
    """There is no repository in the data directory, and reading does not create one."""


class SettingsError(UsageError):
    """A setting that cannot be read or is invalid."""


class ReadError(Error):
    """Input that cannot be read.

    Attributes:
        message: what is wrong, without the location.
        line: 1-based line, or None.
        column: 1-based column in characters, or None.
        format: name of the format that was tried, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        format: str | None = None,  # noqa: A002 (the public name)
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.format = format
        location = "" if line is None else f"line {line}: " if column is None else f"line {line}, column {column}: "
        super().__init__(f"{format + ': ' if format else ''}{location}{message}")


class QueryError(ReadError):
    """A SPARQL query that cannot be parsed or is not allowed."""


class WriteError(Error):
    """A document that cannot be written in a format."""


class NotFound(Error):
    """There is nothing with that name that the caller may see."""


class Withdrawn(NotFound):
    """The document has been withdrawn, or the bytes of the version were erased.

    Attributes:
        reason: the reason given, or None.
        time: the time of the withdrawal or erasure, as xsd:dateTime in UTC.
        state: ``withdrawn`` or ``erased``.
    """

    def __init__(
        self, message: str, *, reason: str | None = None, time: str | None = None, state: str | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.time = time
        self.state = state or "withdrawn"


class Denied(Error):
    """The caller may see it but may not do this with it."""


class Mirrored(Denied):
    """The project is a mirror: its entries are those of its origin, and nothing can be appended here."""


class Archived(Denied):
    """The project is archived: nothing in it can be changed until that is ended."""


class Conflict(Error):
    """The name is taken by other bytes."""


class Stale(Conflict):
    """The version that the caller wants to replace is no longer the current one."""


class TakenBack(Conflict):
    """The bytes were withdrawn or erased before, and the caller did not ask to submit them again.

    Attributes:
        state: ``withdrawn`` or ``erased``.
        document: their document.
        version: the version that was current when the document was withdrawn, or whose bytes were erased.
        time: the time of the withdrawal or erasure, as xsd:dateTime in UTC.
        by: the name of its actor.
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
    """A submission that does not conform to the profiles of its project.

    Attributes:
        report: the ``provrepo.checks.report.Report``; typed as object, since this module imports no other.
        kept: the ``PendingInfo`` of the document, if its submitter asked to keep it; otherwise None.
    """

    def __init__(self, message: str, report: object) -> None:
        super().__init__(message)
        self.report = report
        self.kept: object = None


class Waits(Error):
    """A submission that waits for a review: its bytes are stored, and are no version before they are accepted.

    Attributes:
        pending: the ``PendingInfo`` of the document that waits.
    """

    def __init__(self, message: str, pending: object = None) -> None:
        super().__init__(message)
        self.pending = pending


class TooLarge(Error):
    """A limit of size or depth is exceeded."""


class AnswerTooLarge(TooLarge):
    """The result of a query has more rows or bytes than the limit; nothing of it is sent."""


class NoSpace(Error):
    """The disk or the quota is full; nothing of the current operation is stored."""


class ProjectFull(NoSpace):
    """The quota of a project in documents or bytes is used up; nothing of the current operation is stored."""


class Busy(Error):
    """A resource is in use; trying again later may help."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OverQuota(Busy):
    """A quota is used up for now: that of a peer by documents that wait, or that of a project for today."""


class NotAvailable(Error):
    """A part that is not installed, or that this version does not have."""


class WorkerFailed(Error):
    """A worker process died, or was killed at its deadline or memory limit."""


class TimedOut(WorkerFailed):
    """A worker process did not finish a call by its deadline and was killed."""


class RemoteError(Error):
    """Another server refused, failed, or sent an invalid response."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(RemoteError):
    """Another server cannot be reached, or its answer does not arrive completely or in time.

    What was asked of it may have been done. ``status`` is the HTTP status if there was one, such as 503.
    """


class Diverged(RemoteError):
    """The origin of a mirror, or a log, is not, or not only, the continuation of what was seen of it before.

    Attributes:
        state: ``reset``, ``shortened`` or ``forked``.
        evidence: the signed checkpoints of before and of now, which contradict each other; empty without signatures.
    """

    def __init__(self, message: str, *, state: str = "forked", evidence: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.state = state
        self.evidence = list(evidence)


class Damaged(Error):
    """The data directory is inconsistent or was written by a newer version."""
