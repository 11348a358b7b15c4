"""What the metadata of a crate do not say of a document, and only its PROV-JSON does."""

from __future__ import annotations

from provrepo.model.document import Document, Loss
from provrepo.model.statements import Statement
from provrepo.vocab import PROV_ROLE

__all__ = ["without_place"]


def without_place(document: Document, again: Document) -> list[Loss]:
    """The statements that other tools do not find in a crate.

    Args:
        document: that it was written from.
        again: what its metadata say, read as those of another tool.
    """
    said = {_said(one) for one in again}
    elements = {(one.kind, one.id): set(one.attributes) for one in again if one.kind.element}
    found = []
    for one in document:
        if _said(one) not in said:
            reason = f"other tools do not find {one.kind.name} in a Workflow Run RO-Crate as it is stated"
        elif one.kind.element and set(one.attributes) - elements[one.kind, one.id]:
            reason = f"other tools do not find all attributes of {one.kind.name} in a Workflow Run RO-Crate"
        else:
            continue
        found.append(Loss(reason, str(one.id or next(filter(None, one.args), "")), kept=True))
    reason = "other tools do not find bundles in a Workflow Run RO-Crate"
    return [*found, *(Loss(reason, str(bundle.id), kept=True) for bundle in document.bundles)]


def _said(one: Statement) -> tuple[object, ...]:
    """A statement without its attributes but its roles."""
    roles = frozenset(str(value) for name, value in one.attributes if name == PROV_ROLE)
    return one.kind, one.id, one.args, one.entries, roles
