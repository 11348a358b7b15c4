"""The statements of a redacted copy: without what is withheld, with other names, and marked where they changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import ACTIVITY, Attribute, DictionaryEntry, Statement, Term
from provrepo.redaction.names import Finder, Names, can_be_stated
from provrepo.vocab import PROV, PROV_TYPE, PROVREPO

__all__ = ["CHANGED", "Rewriting"]

CHANGED: Attribute = (Identifier(f"{PROVREPO}redaction"), Literal("changed"))
"""The mark of a statement that the redactor changed."""

_ELEMENT_TIMES = (f"{PROV}startedAtTime", f"{PROV}endedAtTime")
_AT_TIME = f"{PROV}atTime"


@dataclass
class Rewriting:
    """Rewrites statements one by one.

    Attributes:
        names: the withheld names.
        dropped: the names of withheld attributes, and of times.
        reduced: elements, by their former names, that keep their types alone.
        verbatim: the number of statements that stayed as they were.
        changed: the number of those that are others now.
        removed: the number of those that are left out.
    """

    names: Names
    dropped: frozenset[str]
    reduced: frozenset[Identifier]
    verbatim: int = 0
    changed: int = 0
    removed: int = 0
    _finder: Finder = field(init=False)

    def __post_init__(self) -> None:
        self._finder = Finder(self.names.withheld())

    def rewrite(self, statement: Statement) -> Statement | None:
        """The statement of the copy; None where it is left out."""
        entries = [self._entry(entry) for entry in statement.entries]
        if not can_be_stated(statement, self.names) or None in entries:
            self.removed += 1
            return None
        made = Statement(
            statement.kind,
            None if statement.id is None else self.names.kept(statement.id),
            tuple(self._term(statement, place, term) for place, term in enumerate(statement.args)),
            tuple(self._attributes(statement)),
            None,
            tuple(entry for entry in entries if entry is not None),
        )
        if made == statement:
            self.verbatim += 1
            return made
        self.changed += 1
        if statement.kind.attributed:
            made.attributes = (*made.attributes, CHANGED)
        return made

    def _term(self, statement: Statement, place: int, term: Term) -> Term:
        if statement.kind.arguments[place].time:
            name = _ELEMENT_TIMES[place] if statement.kind is ACTIVITY else _AT_TIME
            hidden = name in self.dropped or (statement.kind is ACTIVITY and statement.id in self.reduced)
            return None if hidden else term
        return self.names.kept(term) if isinstance(term, Identifier) else term

    def _entry(self, entry: DictionaryEntry) -> DictionaryEntry | None:
        """An entry of the copy; None where its key or entity is withheld."""
        key = self.value(entry.key)
        entity = None if entry.entity is None else self.names.kept(entry.entity)
        if key is None or (entity is None) != (entry.entity is None):
            return None
        return DictionaryEntry(key, entity)

    def _attributes(self, statement: Statement) -> Iterable[Attribute]:
        reduced = statement.kind.element and statement.id in self.reduced
        for name, value in statement.attributes:
            if name in self.dropped or (reduced and name != PROV_TYPE) or self._finder.inside(name):
                continue
            kept = self.value(value)
            if kept is not None:
                yield name, kept

    def value(self, value: Value) -> Value | None:
        """A value of the copy; None for one with a withheld name in it."""
        if isinstance(value, Identifier) and value in self.names.renamed:
            return self.names.renamed[value]
        return None if self._finder.inside_value(value) else value
