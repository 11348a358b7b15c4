"""The verdict on a document: each instance, the top level and every bundle, is judged by itself (section 7.2)."""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.checks.constraints.findings import judge, repeated_bundles
from provrepo.checks.constraints.instance import Instance
from provrepo.checks.constraints.unify import Unifier
from provrepo.checks.findings import Finding
from provrepo.model.document import Document

__all__ = ["check"]


def check(document: Document) -> list[Finding]:
    """Everything in a document that the rules of PROV-CONSTRAINTS do not allow, instance by instance."""
    return [*repeated_bundles(document), *_instances(document)]


def _instances(document: Document) -> Iterator[Finding]:
    for bundle in document.instances():
        if bundle.statements:
            unifier = Unifier(Instance(bundle.statements))
            unifier.run()
            yield from judge(bundle, unifier, document)
