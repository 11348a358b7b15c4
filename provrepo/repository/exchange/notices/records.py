"""The record of a warning about a copy, in a module without further imports, since many records contain it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from provrepo.text import quoted

__all__ = ["OriginWarning"]


@dataclass(frozen=True, slots=True)
class OriginWarning:
    """A warning that the origin of a version has taken it back or replaced it.

    Attributes:
        project: the project of the copy.
        document: its document.
        version: its version.
        what: ``withdrawn``, ``corrected`` (there is a later version) or ``erased``.
        peer: the name of the peer from which the version came.
        by: the name of the actor there; may be empty.
        when: the time of the event there, xsd:dateTime in UTC.
        reason: the published reason, or the note of the later version; may be empty.
        see: the IRI of the document, or of the later version, at the origin.
        notice: the identifier of the notice.
    """

    project: str
    document: str
    version: int
    what: str
    peer: str
    by: str
    when: str
    reason: str
    see: str
    notice: str

    @property
    def taken_back(self) -> bool:
        """Whether the version was withdrawn or erased, and not only replaced."""
        return self.what != "corrected"

    def __str__(self) -> str:
        place = f"{self.project}/{self.document}@{self.version}"
        by = f" by {quoted(self.by)}" if self.by else ""
        verb = "has a later version" if self.what == "corrected" else f"was {self.what}"
        reason = f": {quoted(self.reason)}" if self.reason else ""
        return f"{place} {verb} at its origin {self.peer}, {self.when}{by}{reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)
