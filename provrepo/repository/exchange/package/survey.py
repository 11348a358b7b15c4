"""The state of a project after some of its ledger entries, from one pass over them that verifies the chain."""

from __future__ import annotations

from dataclasses import dataclass, field

from provrepo.errors import Damaged
from provrepo.ledger.entries import Entry, named

__all__ = ["DocumentState", "Survey"]


@dataclass(slots=True)
class DocumentState:
    """A document.

    Attributes:
        newest: the number of its newest version.
        covered: the number of the newest version that a withdrawal covers; 0 for none.
        erased: the numbers of the versions whose bytes were erased.
    """

    newest: int = 0
    covered: int = 0
    erased: frozenset[int] = frozenset()

    def state(self, version: int) -> str:
        """Return the state of a version: ``current``, ``superseded``, ``withdrawn`` or ``erased``."""
        if version in self.erased:
            return "erased"
        if version <= self.covered:
            return "withdrawn"
        return "current" if version == self.newest else "superseded"


@dataclass(slots=True)
class Survey:
    """The state of a project.

    Attributes:
        project: the project.
        sequence: the number of entries so far.
        sha256: SHA-256 of the last of them; empty for none.
        time: its time; empty for none.
        documents: the documents by name.
        settings: the title and the license, if they were set.
    """

    project: str
    sequence: int = 0
    sha256: str = ""
    time: str = ""
    documents: dict[str, DocumentState] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add the next entry.

        Raises:
            Damaged: it does not follow the entry before it.
        """
        if entry.sequence != self.sequence + 1 or entry.previous != self.sha256:
            raise Damaged(
                f"entry {self.sequence + 1} of {named(self.project)} cannot be read, or does not follow the entry "
                "before it: provrepo fsck lists the problems"
            )
        self.sequence, self.sha256, self.time = entry.sequence, entry.sha256, entry.time
        if entry.kind == "settings":
            for name in ("title", "license"):
                if isinstance(entry.body.get(name), str):
                    self.settings[name] = entry.body[name]
        elif entry.kind == "submit":
            self.documents.setdefault(entry.body["document"], DocumentState()).newest = entry.body["version"]
        elif entry.kind == "withdraw":
            state = self.documents.setdefault(entry.body["document"], DocumentState())
            state.covered = max(state.covered, entry.body["version"])
        elif entry.kind == "erase":
            state = self.documents.setdefault(entry.body["document"], DocumentState())
            state.erased |= {entry.body["version"]}
