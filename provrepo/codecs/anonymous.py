"""Relations without an identifier: formats that must write one use a blank node, which says nothing by itself."""

from __future__ import annotations

from collections import Counter

from provrepo.model.identifiers import Identifier
from provrepo.model.statements import Statement

__all__ = ["forget_blank_names"]


def forget_blank_names(statements: list[Statement]) -> list[Statement]:
    """The statements of one instance, relations without those blank identifiers that nothing else refers to."""
    named = Counter(s.id for s in statements if s.id is not None and s.id.startswith("_:"))
    if not named:
        return statements
    referred: set[str] = {name for name, count in named.items() if count > 1}
    for statement in statements:
        referred.update(statement.identifiers())
        referred.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return [
        Statement(s.kind, None, s.args, s.attributes, s.span)
        if s.id in named and s.id not in referred and not s.kind.element
        else s
        for s in statements
    ]
