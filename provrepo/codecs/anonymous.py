"""Relations without an identifier: formats that must write one use a blank node, which says nothing by itself."""

from __future__ import annotations

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import Statement

__all__ = ["drop_unreferenced_identifiers"]


def drop_unreferenced_identifiers(statements: list[Statement]) -> list[Statement]:
    """The statements of one instance, relations without those blank identifiers that nothing else refers to.

    A repeated statement refers to nothing: prov writes equal relations under one blank identifier.
    """
    first: dict[str, Statement] = {}
    referred: set[str] = set()
    for statement in statements:
        if statement.id is not None and statement.id.startswith("_:"):
            known = first.setdefault(statement.id, statement)
            # Comparing takes as long as the statements are large, so that it ends with the first that differs.
            if known is not statement and statement.id not in referred and known != statement:
                referred.add(statement.id)
    if not first:
        return statements
    for statement in statements:
        referred.update(statement.identifiers())
        referred.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return [s.unnamed() if s.id in first and s.id not in referred and not s.kind.element else s for s in statements]
