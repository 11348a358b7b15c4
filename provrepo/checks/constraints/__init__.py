"""PROV-CONSTRAINTS (W3C Recommendation, 30 April 2013): validity of documents, normal form, equivalence.

``check`` says what is wrong. Each instance, the top level and every bundle, is judged by itself (section 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from provrepo.checks.constraints import findings
from provrepo.checks.constraints.findings import LAYER
from provrepo.checks.constraints.instance import Instance
from provrepo.checks.constraints.unify import Unifier
from provrepo.checks.findings import Finding
from provrepo.model.document import Document

__all__ = ["LAYER", "check"]


def check(document: Document) -> list[Finding]:
    """Everything in a document that the rules of PROV-CONSTRAINTS do not allow, instance by instance."""
    return [*findings.repeated_bundles(document), *_instances(document)]


def _instances(document: Document) -> Iterator[Finding]:
    for bundle in document.instances():
        if bundle.statements:
            unifier = Unifier(Instance(bundle.statements))
            unifier.run()
            yield from findings.judge(bundle, unifier, document)
