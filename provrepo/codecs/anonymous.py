"""Blank identifiers of relations, which formats that require an identifier write for relations without one."""

from __future__ import annotations

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import Statement

__all__ = ["drop_unreferenced_identifiers"]


def drop_unreferenced_identifiers(statements: list[Statement]) -> list[Statement]:
    """The statements of one instance, without the blank identifiers of relations that no other statement refers to.

    A repetition of the statement does not count: the `prov` package writes equal relations under one blank identifier.
    """
    first: dict[str, Statement] = {}
    referenced: set[str] = set()
    for statement in statements:
        if statement.id is not None and statement.id.startswith("_:"):
            known = first.setdefault(statement.id, statement)
            # The time of a comparison grows with the statements, so the first difference is the last comparison.
            if known is not statement and statement.id not in referenced and known != statement:
                referenced.add(statement.id)
    if not first:
        return statements
    for statement in statements:
        referenced.update(statement.identifiers())
        referenced.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return [s.unnamed() if s.id in first and s.id not in referenced and not s.kind.element else s for s in statements]
