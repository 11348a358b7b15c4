"""The IRIs of what results of Great Expectations are about."""

from __future__ import annotations

from dataclasses import dataclass

from provrepo.importers.names import below, segment
from provrepo.model.unknown_versions import UNKNOWN

__all__ = ["FORMAT", "ROOT", "TERMS", "Names"]

FORMAT = "great_expectations"

ROOT = "https://w3id.org/provrepo/great_expectations/"
"""The beginning of all names, where the caller gives no base IRI."""

TERMS = "https://w3id.org/provrepo/great_expectations#"
"""The namespace of terms for which no vocabulary has one."""


@dataclass(frozen=True, slots=True)
class Names:
    """Mints IRIs.

    Attributes:
        root: their beginning, which ends with a slash.
    """

    root: str = ROOT

    @classmethod
    def below(cls, base: str | None) -> Names:
        """Names below a base IRI; below ``ROOT`` without one."""
        return cls(below(base, ROOT))

    def validation(self, key: str) -> str:
        """A validation, by the digest of its suite, run and batch."""
        return f"{self.root}validation/{key}"

    def asset(self, source: str, name: str) -> str:
        """A data asset: all of its batches."""
        return f"{self.root}asset/{segment(source)}/{segment(name)}"

    def batch(self, source: str, name: str, key: str) -> str:
        """What a validation read of a data asset: no record says which version that was."""
        return f"{self.root}version/{segment(source)}/{segment(name)}/{UNKNOWN}/{key}"

    def plan(self, kind: str, name: str) -> str:
        """A suite or a checkpoint."""
        return f"{self.root}{kind}/{segment(name)}"

    def expectation(self, kind: str) -> str:
        """What an expectation measures."""
        return f"{self.root}expectation/{segment(kind)}"

    def software(self, version: str) -> str:
        """Great Expectations in a version."""
        return f"{self.root}software" + (f"/{segment(version)}" if version else "")

    def made(self, digest: str) -> str:
        """What was made from a payload by this mapping."""
        return f"{self.root}import/{digest}"
