"""``Finding``: one result of a check, worded for domain scientists, and its severity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """The three severities of SHACL (section 2.1.4); only violations make a document fail."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst, which sorting puts first."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one check.

    Attributes:
        layer: ``syntax``, ``constraints`` or ``shapes``.
        rule: such as ``prov-dm:mandatory`` or ``prov-constraints:42``; for SHACL the IRI of the shape.
        severity: a violation makes the document fail.
        message: one sentence that states the problem.
        focus: the identifier or node that it is about, or None.
        line: 1-based line in the source, or None.
        column: 1-based column, or None.
        approximate: whether the line is not exact, but one that mentions the focus or the property.
        profile: the profile of the shape, or None.
        component: for SHACL the IRI of the constraint component, or None.
        path: the property concerned, as an IRI or SPARQL path, or None.
        value: the offending value in N-Triples syntax, or None.
        bundle: the bundle that it was found in; None for the top level.
        repair: advice for the author, in plain words, or None.
        patch: triples with placeholders that would repair it, in Turtle without prefixes, or None.
        label: the ``prov:label`` of the focus, or None.
        lineage: the relations of the focus in the lineage, in a few words, or None.
        occurrences: the number of results that it stands for; more than 1 where a check lists only the first of many.
    """

    layer: str
    rule: str
    severity: Severity
    message: str
    focus: str | None = None
    line: int | None = None
    column: int | None = None
    approximate: bool = False
    profile: str | None = None
    component: str | None = None
    path: str | None = None
    value: str | None = None
    bundle: str | None = None
    repair: str | None = None
    patch: str | None = None
    label: str | None = None
    lineage: str | None = None
    occurrences: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, without absent values."""
        fields = {key: value for key, value in asdict(self).items() if value is not None and value is not False}
        if self.occurrences == 1:
            del fields["occurrences"]
        return fields

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The reverse of ``to_dict``."""
        return cls(**{**data, "severity": Severity(data["severity"])})

    def order(self) -> tuple[int, int, *tuple[str, ...]]:
        """The sort key: worst severity first, then by line; equal sets of findings give equal sequences."""
        names = (self.rule, self.focus, self.message, self.bundle, self.profile, self.component, self.path, self.value)
        return self.severity.rank, self.line or 0, *(name or "" for name in names)
