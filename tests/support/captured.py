"""Access to a captured document by the labels of its elements."""

from __future__ import annotations

from pathlib import Path

import provrepo
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, DERIVATION, ENTITY, GENERATION, USAGE, Statement
from provrepo.vocab import DCTERMS, PROV_LABEL, PROV_TYPE, PROVREPO, SCHEMA, SPDX


class Captured:
    """A captured document."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.document: Document = provrepo.read(path)

    def elements(self, label: str) -> list[Statement]:
        return [s for s in self.document if s.kind.element and label in self.values(s, PROV_LABEL)]

    def one(self, label: str) -> Statement:
        (found,) = self.elements(label)
        return found

    @staticmethod
    def values(statement: Statement, name: str) -> list[str]:
        return [str(value) for key, value in statement.attributes if key == name]

    def status(self, label: str) -> str:
        (status,) = self.values(self.one(label), SCHEMA + "actionStatus")
        return status.removeprefix(SCHEMA).removesuffix("ActionStatus")

    def parameters(self, label: str) -> set[str]:
        return set(self.values(self.one(label), SCHEMA + "additionalProperty"))

    def inside(self, label: str) -> str:
        """The label of the activity of which an activity is a part."""
        return self.inside_of(self.one(label))

    def inside_of(self, activity: Statement) -> str:
        (outer,) = self.values(activity, DCTERMS + "isPartOf")
        return self.label(outer)

    def label(self, identifier: object) -> str:
        (found,) = [s for s in self.document if s.kind.element and s.id == identifier]
        return self.values(found, PROV_LABEL)[0]

    def related(self, kind: object) -> set[tuple[str, str]]:
        assert kind in (USAGE, GENERATION, DERIVATION)
        return {(self.label(s.args[0]), self.label(s.args[1])) for s in self.document if s.kind is kind}

    @property
    def used(self) -> set[tuple[str, str]]:
        return self.related(USAGE)

    @property
    def generated(self) -> set[tuple[str, str]]:
        return self.related(GENERATION)

    @property
    def derived(self) -> set[tuple[str, str]]:
        return self.related(DERIVATION)

    def sources(self) -> set[str]:
        return {
            self.label(s.id)
            for s in self.document
            if s.kind is ENTITY and PROVREPO + "Source" in self.values(s, PROV_TYPE)
        }

    def digests(self, label: str) -> list[str]:
        return [self.values(s, SPDX + "checksumValue")[0] for s in self.elements(label)]

    def activities(self) -> list[Statement]:
        return [s for s in self.document if s.kind is ACTIVITY]

    def problems(self, *profiles: str) -> list[str]:
        """The messages of all findings of a validation, warnings included."""
        report = provrepo.validate(self.document, profiles=list(profiles or ["pipeline"]), constraints="gate")
        return [f"{f.severity} {f.rule} {f.message} {f.focus}" for f in report.findings]

    def rules(self, *profiles: str) -> list[str]:
        """The rules of the findings of a validation."""
        report = provrepo.validate(self.document, profiles=list(profiles or ["pipeline"]), constraints="gate")
        return [finding.rule for finding in report.findings]
