"""Validity of documents: each instance, the top level and every bundle, is checked separately (section 7.2)."""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.checks.constraints.findings import instance_findings, repeated_bundles
from provrepo.checks.constraints.instance import Instance
from provrepo.checks.constraints.unify import Unifier
from provrepo.checks.findings import Finding
from provrepo.model.document import Document

__all__ = ["check"]


def check(document: Document) -> list[Finding]:
    """The violations of PROV-CONSTRAINTS in a document, and warnings about times, by instance."""
    return [*repeated_bundles(document), *_instances(document)]


def _instances(document: Document) -> Iterator[Finding]:
    for bundle in document.instances():
        if bundle.statements:
            unifier = Unifier(Instance(bundle.statements))
            unifier.run()
            yield from instance_findings(bundle, unifier, document)
