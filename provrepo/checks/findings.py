"""A finding: one thing wrong with a document, said so that a domain scientist understands it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """SHACL's three severities; only violations fail a document."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst, so that sorting puts it first."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of one check.

    Attributes:
        layer: ``syntax``, ``constraints`` or ``shapes``.
        rule: ``prov-dm:mandatory``, ``prov-constraints:42``, or for SHACL the IRI of the shape.
        severity: whether it fails the document.
        message: one sentence that says what is wrong.
        focus: the identifier or node it is about, or None.
        line: 1-based line in the source, or None.
        column: 1-based column, or None.
        approximate: whether the line is only where the focus first stands (RDF) and not the exact place.
        profile: which profile asked for it, or None.
        component: for SHACL the IRI of the constraint component, or None.
        path: the property concerned, as an IRI or SPARQL path, or None.
        value: the offending value in N-Triples syntax, or None.
        bundle: the bundle it was found in, None for the top level.
        repair: what to do about it, in plain words, or None.
        patch: triples with placeholders that would mend it, in Turtle without prefixes, or None.
        label: what the document calls the focus, or None.
        lineage: where the focus stands in the lineage, in a few words, or None.
        occurrences: how many findings it stands for; more than 1 where a check lists only the first of very many.
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
        """As JSON would hold it, without what is absent."""
        fields = {key: value for key, value in asdict(self).items() if value is not None and value is not False}
        if self.occurrences == 1:
            del fields["occurrences"]
        return fields

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The reverse of ``to_dict``."""
        return cls(**{**data, "severity": Severity(data["severity"])})

    def order(self) -> tuple[int, int, *tuple[str, ...]]:
        """Worst first, then by place, so that the same findings always come in the same order."""
        names = (self.rule, self.focus, self.message, self.bundle, self.profile, self.component, self.path, self.value)
        return self.severity.rank, self.line or 0, *(name or "" for name in names)
