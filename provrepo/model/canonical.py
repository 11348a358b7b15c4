"""The canonical form of the statements of an instance, which comparison uses.

It is a set: repeated statements count once. Statements of one kind with one identifier are merged where their
arguments agree (PROV-CONSTRAINTS 22 and 23, without inference) and split into their parts where they do not. Literals
keep their exact spelling; language tags are compared without regard to case (RDF 1.1 Concepts, section 3.3). The caller
chooses the names of anonymous identifiers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import TypeAlias, cast

from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import ALTERNATE, Attribute, DictionaryEntry, Statement, Term

__all__ = ["identifier", "line", "literal", "mentioned", "merged", "parts", "separated", "unreferred"]


def merged(statements: Iterable[Statement]) -> list[Statement]:
    """Statements with repetitions removed and those of one kind and identifier merged where their arguments agree.

    Two arguments agree when they are equal or one is absent; so do the keys of dictionaries, since each statement names
    all that it inserts or removes (PROV-Dictionary). Order is that of first occurrence.
    """
    result: dict[object, Statement | _Merged] = {}
    variants: dict[tuple[str, str], _Variants] = {}
    for statement in statements:
        if statement.id is None:
            result.setdefault(statement, statement)
            continue
        name = (statement.kind.name, statement.id)
        known = variants.get(name)
        if known is None:
            known = variants[name] = _Variants()
        number, new = known.place(statement)
        if new:
            result[*name, number] = known.slots[number]
    return [item if isinstance(item, Statement) else item.statement() for item in result.values()]


_Arguments: TypeAlias = tuple[object, ...]
"""The arguments of a statement, and its entries as one more; None for those that are absent."""


class _Merged:
    """Statements of one kind and identifier whose arguments agree, merged."""

    __slots__ = ("_attributes", "_entries", "_first", "arguments")

    def __init__(self, first: Statement, arguments: _Arguments) -> None:
        self.arguments = arguments
        self._first = first
        self._entries = first.entries
        self._attributes: dict[Attribute, None] | None = None

    def add(self, statement: Statement, arguments: _Arguments) -> None:
        """Merge one more statement, whose arguments agree."""
        if self._attributes is None:
            self._attributes = dict.fromkeys(self._first.attributes)
        self._attributes.update(dict.fromkeys(statement.attributes))
        self._entries = self._entries or statement.entries
        if arguments != self.arguments:
            self.arguments = tuple(b if a is None else a for a, b in zip(self.arguments, arguments, strict=True))

    def statement(self) -> Statement:
        """The merged statement."""
        first = self._first
        if self._attributes is None:
            return first
        args = cast("tuple[Term, ...]", self.arguments[:-1])
        return Statement(first.kind, first.id, args, tuple(self._attributes), first.span, self._entries)


_Presence: TypeAlias = tuple[bool, ...]
"""Which of the arguments are present."""


class _Variants:
    """The merged statements of one kind and identifier.

    A statement is merged into the first slot with which it agrees. There may be as many slots as statements, so an
    index finds them: a slot agrees with a statement if the arguments that both have are equal.
    """

    __slots__ = ("_index", "_presences", "slots")

    def __init__(self) -> None:
        self.slots: list[_Merged] = []
        self._presences: dict[_Presence, None] = {}
        # The arguments that slots have, and those that are compared → values of the latter → numbers of slots, a heap.
        self._index: dict[tuple[_Presence, _Presence], dict[_Arguments, list[int]]] = {}

    def place(self, statement: Statement) -> tuple[int, bool]:
        """The number of the slot of a statement, and whether the slot is new."""
        arguments: _Arguments = (*statement.args, frozenset(statement.entries) if statement.entries else None)
        present = _presence(arguments)
        candidates = (self._first(stored, present, arguments) for stored in self._presences)
        number = min((candidate for candidate in candidates if candidate >= 0), default=-1)
        if number < 0:
            number = len(self.slots)
            self.slots.append(_Merged(statement, arguments))
            self._enter(number)
            return number, True
        slot = self.slots[number]
        before = slot.arguments
        slot.add(statement, arguments)
        if slot.arguments != before:
            self._enter(number)
        return number, False

    def _enter(self, number: int) -> None:
        arguments = self.slots[number].arguments
        present = _presence(arguments)
        self._presences[present] = None
        for (stored, compared), index in self._index.items():
            if stored == present:
                heappush(index.setdefault(_selected(arguments, compared), []), number)

    def _first(self, stored: _Presence, present: _Presence, arguments: _Arguments) -> int:
        """The first slot with the arguments ``stored`` that agrees with a statement; -1 if none does."""
        if len(stored) != len(present):
            return -1
        compared = tuple(a and b for a, b in zip(stored, present, strict=True))
        index = self._index.get((stored, compared))
        if index is None:
            index = self._index[stored, compared] = {}
            for number, slot in enumerate(self.slots):
                if _presence(slot.arguments) == stored:
                    index.setdefault(_selected(slot.arguments, compared), []).append(number)
        numbers = index.get(_selected(arguments, compared), [])
        while numbers and _presence(self.slots[numbers[0]].arguments) != stored:
            heappop(numbers)  # the slot has more arguments now, and is found by those
        return numbers[0] if numbers else -1


def _presence(arguments: _Arguments) -> _Presence:
    return tuple(argument is not None for argument in arguments)


def _selected(arguments: _Arguments, compared: _Presence) -> _Arguments:
    return tuple(argument for argument, selected in zip(arguments, compared, strict=True) if selected)


def separated(statements: list[Statement]) -> list[Statement]:
    """The statements, with those of one kind and identifier that do not agree split into one statement for each part.

    An identifier is a key (PROV-CONSTRAINTS 22 and 23), so they describe one relation. Formats that represent each
    argument and attribute separately, as RDF does, do not keep which of them were stated together.
    """
    counts: Counter[tuple[str, str | None]] = Counter((s.kind.name, s.id) for s in statements if s.id is not None)
    result: dict[Statement, None] = {}
    for statement in statements:
        if counts[statement.kind.name, statement.id] < 2:
            result[statement] = None
            continue
        kind, absent = statement.kind, (None,) * len(statement.args)
        for pair in statement.attributes:
            result[Statement(kind, statement.id, absent, (pair,))] = None
        for entry in statement.entries:
            result[Statement(kind, statement.id, absent, entries=(entry,))] = None
        for place, term in enumerate(statement.args):
            if term is not None:
                result[Statement(kind, statement.id, (*absent[:place], term, *absent[place + 1 :]))] = None
    return list(result)


def mentioned(statement: Statement) -> set[str]:
    """The identifiers in a statement, without the names of attributes."""
    names: set[str] = set(statement.identifiers())
    if statement.id is not None:
        names.add(statement.id)
    names.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return names


def unreferred(mentions: Mapping[str, list[Statement]]) -> set[str]:
    """The anonymous identifiers of relations that nothing refers to. They are equivalent to no identifier.

    Args:
        mentions: anonymous identifier → the statements that mention it.
    """
    return {
        name
        for name, found in mentions.items()
        if len(found) == 1 and found[0].id == name and not found[0].kind.element and name not in found[0].args
    }


def identifier(name: str, colors: Mapping[str, str]) -> str:
    """An identifier in angle brackets, or the name that ``colors`` has for an anonymous one."""
    color = colors.get(name)
    return f"<{name}>" if color is None else color


def _value(value: Value, colors: Mapping[str, str]) -> str:
    return literal(value) if isinstance(value, Literal) else identifier(value, colors)


def literal(value: Literal) -> str:
    """A literal as text; equal literals have equal texts."""
    tag = f"@{value.language.lower()}" if value.language else f"^^<{value.datatype}>"
    return f"{value.lexical!r}{tag}"


def line(statement: Statement, colors: Mapping[str, str]) -> str:
    """A statement as one line; equal statements have equal lines.

    Args:
        statement: one of ``separated``.
        colors: anonymous identifier → its name.
    """
    name = "" if statement.id is None else identifier(statement.id, colors)
    args = ["-" if a is None else identifier(a, colors) if isinstance(a, Identifier) else a for a in statement.args]
    if statement.kind is ALTERNATE:
        args.sort()  # alternateOf is symmetric (PROV-CONSTRAINTS inference 18), and writers differ in the order
    attributes = sorted({_attribute(pair, colors) for pair in statement.attributes})
    shown = f", [{', '.join(attributes)}]" if attributes else ""
    if statement.kind.entries is not None:
        args.append(f"{{{', '.join(sorted({_entry(entry, colors) for entry in statement.entries}))}}}")
    if statement.kind.element:
        return f"{statement.kind.name}({', '.join([name, *args])}{shown})"
    return f"{statement.kind.name}({name + '; ' if name else ''}{', '.join(args)}{shown})"


def parts(statement: Statement, colors: Mapping[str, str]) -> Iterator[str]:
    """The parts of a statement: its identifier, arguments, entries and attributes, in this order."""
    if statement.id is not None:
        yield f"identifier {identifier(statement.id, colors)}"
    for argument, term in zip(statement.kind.arguments, statement.args, strict=False):
        if term is not None:
            yield f"{argument.name} {identifier(term, colors) if isinstance(term, Identifier) else term}"
    for entry in statement.entries:
        yield f"key {_entry(entry, colors)}"
    for pair in statement.attributes:
        yield _attribute(pair, colors)


def _attribute(pair: Attribute, colors: Mapping[str, str]) -> str:
    return f"<{pair[0]}>={_value(pair[1], colors)}"


def _entry(entry: DictionaryEntry, colors: Mapping[str, str]) -> str:
    key = _value(entry.key, colors)
    return key if entry.entity is None else f"({key}, {identifier(entry.entity, colors)})"
