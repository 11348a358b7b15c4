"""The names that a redacted copy withholds, and where else in a document they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import Statement

__all__ = ["Finder", "Names", "can_be_stated", "names_of", "withhold_relations"]

_NAME_CHARACTER = r"[\w%~-]"
"""After one of these, a name goes on: ``…/a1`` does not contain ``…/a``."""


@dataclass
class Names:
    """The withheld names.

    Attributes:
        removed: names of what is not in the copy.
        renamed: name → the name that it has in the copy.
    """

    removed: set[Identifier] = field(default_factory=set)
    renamed: dict[Identifier, Identifier] = field(default_factory=dict)

    def withheld(self) -> set[Identifier]:
        """All of them."""
        return self.removed | self.renamed.keys()

    def rename(self, names: Iterable[Identifier], new_name: Callable[[], Identifier]) -> None:
        """Give other names to some elements or relations that are in the copy."""
        for name in sorted(set(names) - self.withheld()):
            self.renamed[name] = new_name()

    def kept(self, name: Identifier) -> Identifier | None:
        """The name in the copy; None for what is removed."""
        return None if name in self.removed else self.renamed.get(name, name)


def names_of(statement: Statement) -> list[tuple[Identifier, bool]]:
    """The names in a statement, without those in attributes, and whether it cannot be made without each."""
    found: list[tuple[Identifier, bool]] = []
    if statement.id is not None:
        found.append((statement.id, statement.kind.element))
    for argument, term in zip(statement.kind.arguments, statement.args, strict=True):
        if isinstance(term, Identifier) and not argument.time:
            found.append((term, argument.required))
    return [*found, *((entry.entity, True) for entry in statement.entries if entry.entity is not None)]


def withhold_relations(statements: Iterable[Statement], names: Names) -> None:
    """Withhold the names of relations that cannot be stated any more, so that no derivation refers to them."""
    relations = [one for one in statements if one.id is not None and not one.kind.element]
    while gone := [one for one in relations if one.id not in names.removed and not can_be_stated(one, names)]:
        names.removed.update(one.id for one in gone if one.id is not None)


def can_be_stated(statement: Statement, names: Names) -> bool:
    """Whether a statement has its mandatory names, and a relation of several things is still one."""
    found = names_of(statement)
    if any(name in names.removed and required for name, required in found):
        return False
    if statement.kind.element:
        return True
    others = [term for term in statement.args[1:] if isinstance(term, Identifier)]
    return not others or any(term not in names.removed for term in others)


class Finder:
    """Finds withheld names in texts: as they are, and percent-decoded."""

    def __init__(self, names: Iterable[Identifier]) -> None:
        """Take the names; those of blank nodes say nothing."""
        spelled = {text for name in names if not name.startswith("_:") for text in (str(name), unquote(name))}
        longest_first = sorted(spelled, key=lambda text: (-len(text), text))
        pattern = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(f"(?:{pattern})(?!{_NAME_CHARACTER})", re.IGNORECASE) if spelled else None

    def inside(self, text: str) -> bool:
        """Whether a text has one of the names in it."""
        if self._pattern is None or not (":" in text or "%" in text):
            return False
        return any(self._pattern.search(spelled) for spelled in {text, unquote(text)})

    def inside_value(self, value: Value) -> bool:
        """Whether a value of an attribute has one of the names in it."""
        if isinstance(value, Literal):
            return self.inside(value.lexical) or self.inside(value.datatype)
        return self.inside(value)
