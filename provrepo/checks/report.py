"""``Report``: the findings of the checks on one document, with the verdict and the validity by PROV-CONSTRAINTS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provrepo.checks.findings import Finding, Severity
from provrepo.words import counted

__all__ = ["Report"]

# As in provrepo.checks.constraints, which imports this module.
_CONSTRAINTS = "constraints"
_TIMES = "provrepo:times"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of checking one document.

    Attributes:
        layers: the layers that ran, in order: of ``syntax``, ``constraints``, ``shapes``.
        profiles: the profiles that it was checked against, as ``name/version``.
        findings: worst first.
        statements: the number of statements that were checked.
        format: of the source; None for a document made in memory.
        coverage: of the lineage, in percent (``provrepo.checks.coverage``); None without profiles, where it is not
            measured.
        unmapped: the numbers of triples and other parts of the source without a statement, each with its reason.
    """

    layers: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    statements: int = 0
    format: str | None = None
    coverage: float | None = None
    unmapped: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        layers: Iterable[str],
        profiles: Iterable[str] = (),
        statements: int = 0,
        format: str | None = None,  # noqa: A002
        coverage: float | None = None,
        unmapped: Iterable[tuple[str, int]] = (),
    ) -> Report:
        """A report with its findings sorted and without duplicates."""
        ordered = sorted(dict.fromkeys(findings), key=Finding.order)
        return cls(tuple(layers), tuple(profiles), tuple(ordered), statements, format, coverage, tuple(unmapped))

    @property
    def conforms(self) -> bool:
        """Whether there is no violation. Warnings and remarks do not make a document fail."""
        return not any(finding.severity is Severity.VIOLATION for finding in self.findings)

    @property
    def verdict(self) -> str:
        """``conforms`` or ``fails``."""
        return "conforms" if self.conforms else "fails"

    @property
    def possible(self) -> bool | None:
        """Whether the document is valid by PROV-CONSTRAINTS, independent of the verdict; None if not checked.

        Times that contradict the order of events do not count: they are outside PROV-CONSTRAINTS (section 2.2).
        """
        if _CONSTRAINTS not in self.layers:
            return None
        return not any(f.layer == _CONSTRAINTS and f.rule != _TIMES for f in self.findings)

    def words(self) -> str:
        """Verdict and validity: ``conforms to the profiles; impossible by PROV-CONSTRAINTS``.

        Only the verdict where PROV-CONSTRAINTS were not checked.
        """
        verdict = "conforms" if self.conforms else "does not conform"
        if self.possible is None:
            return verdict
        profiles = " to the profiles" if self.profiles else ""
        return f"{verdict}{profiles}; {'possible' if self.possible else 'impossible'} by PROV-CONSTRAINTS"

    def count(self, severity: Severity) -> int:
        """The number of findings of a severity, including occurrences that are not listed."""
        return sum(finding.occurrences for finding in self.findings if finding.severity is severity)

    def count_text(self) -> str:
        """The number of findings of each severity as text: ``2 violations, 1 warning``."""
        words = {Severity.VIOLATION: "violation", Severity.WARNING: "warning", Severity.INFO: "remark"}
        counts = [(self.count(severity), word) for severity, word in words.items()]
        return ", ".join(counted(n, word) for n, word in counts if n) or "no findings"

    def unmapped_text(self) -> str:
        """The number of parts without a statement and the reasons, as one sentence; empty where there are none."""
        total = sum(number for _, number in self.unmapped)
        if not total:
            return ""
        what = "1 triple or other part of the source makes" if total == 1 else f"{total:,} triples or other parts make"
        return f"{what} no statement: " + "; ".join(f"{reason} ({number:,})" for reason, number in self.unmapped)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object for HTTP, the ledger and ``--output json``."""
        return {
            "verdict": self.verdict,
            "conforms": self.conforms,
            "possible": self.possible,
            "layers": list(self.layers),
            "profiles": list(self.profiles),
            "statements": self.statements,
            "format": self.format,
            "coverage": self.coverage,
            "counts": {severity.value: self.count(severity) for severity in Severity},
            "unmapped": dict(self.unmapped),
            "findings": [finding.to_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """The reverse of ``to_dict``."""
        return cls(
            tuple(data["layers"]),
            tuple(data["profiles"]),
            tuple(Finding.from_dict(finding) for finding in data["findings"]),
            data["statements"],
            data["format"],
            data.get("coverage"),  # absent in old reports
            tuple(data.get("unmapped", {}).items()),
        )
