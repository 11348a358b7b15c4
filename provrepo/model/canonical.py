"""The canonical form of what an instance says, on which comparison and the statement digest rest.

It is a set: repeated statements count once, statements of one kind with one identifier are merged where their
arguments agree (PROV-CONSTRAINTS 22 and 23, without inferring anything) and taken apart where they do not. Literals
keep their exact spelling, language tags without regard to case (RDF 1.1 Concepts, section 3.3). What anonymous
identifiers are called is for the caller to say.
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
    return [held if isinstance(held, Statement) else held.statement() for held in result.values()]


_Said: TypeAlias = tuple[object, ...]
"""The arguments of a statement, and its entries as one more: None where there are none."""


class _Merged:
    """What statements of one kind and identifier, whose arguments agree, say together."""

    __slots__ = ("_attributes", "_entries", "_first", "said")

    def __init__(self, first: Statement, said: _Said) -> None:
        self.said = said
        self._first = first
        self._entries = first.entries
        self._attributes: dict[Attribute, None] | None = None

    def add(self, statement: Statement, said: _Said) -> None:
        """One more statement, whose arguments agree."""
        if self._attributes is None:
            self._attributes = dict.fromkeys(self._first.attributes)
        self._attributes.update(dict.fromkeys(statement.attributes))
        self._entries = self._entries or statement.entries
        if said != self.said:
            self.said = tuple(b if a is None else a for a, b in zip(self.said, said, strict=True))

    def statement(self) -> Statement:
        """All as one statement."""
        first = self._first
        if self._attributes is None:
            return first
        args = cast("tuple[Term, ...]", self.said[:-1])
        return Statement(first.kind, first.id, args, tuple(self._attributes), first.span, self._entries)


_Shape: TypeAlias = tuple[bool, ...]
"""Which arguments are there."""


class _Variants:
    """The statements of one kind and identifier, as few as their arguments allow.

    A statement goes to the first with which it agrees. There may be as many as statements, so that they are looked up:
    those of one shape agree with a statement where they are equal in what both have.
    """

    __slots__ = ("_index", "_shapes", "slots")

    def __init__(self) -> None:
        self.slots: list[_Merged] = []
        self._shapes: dict[_Shape, None] = {}
        # For a shape and what is compared: the values of that → numbers of slots, as a heap.
        self._index: dict[tuple[_Shape, _Shape], dict[_Said, list[int]]] = {}

    def place(self, statement: Statement) -> tuple[int, bool]:
        """The number of the slot of a statement, and whether that is new."""
        said: _Said = (*statement.args, frozenset(statement.entries) if statement.entries else None)
        shape = _shape(said)
        number = min((found for held in self._shapes if (found := self._first(held, shape, said)) >= 0), default=-1)
        if number < 0:
            number = len(self.slots)
            self.slots.append(_Merged(statement, said))
            self._enter(number)
            return number, True
        slot = self.slots[number]
        before = slot.said
        slot.add(statement, said)
        if slot.said != before:
            self._enter(number)
        return number, False

    def _enter(self, number: int) -> None:
        said = self.slots[number].said
        shape = _shape(said)
        self._shapes[shape] = None
        for (held, compared), index in self._index.items():
            if held == shape:
                heappush(index.setdefault(_chosen(said, compared), []), number)

    def _first(self, held: _Shape, shape: _Shape, said: _Said) -> int:
        """The first slot of a shape that agrees; -1 where none does."""
        if len(held) != len(shape):
            return -1
        compared = tuple(a and b for a, b in zip(held, shape, strict=True))
        index = self._index.get((held, compared))
        if index is None:
            index = self._index[held, compared] = {}
            for number, slot in enumerate(self.slots):
                if _shape(slot.said) == held:
                    index.setdefault(_chosen(slot.said, compared), []).append(number)
        numbers = index.get(_chosen(said, compared), [])
        while numbers and _shape(self.slots[numbers[0]].said) != held:
            heappop(numbers)  # it says more by now, and is found by that
        return numbers[0] if numbers else -1


def _shape(said: _Said) -> _Shape:
    return tuple(part is not None for part in said)


def _chosen(said: _Said, compared: _Shape) -> _Said:
    return tuple(part for part, chosen in zip(said, compared, strict=True) if chosen)


def separated(statements: list[Statement]) -> list[Statement]:
    """Statements of one kind and identifier that do not agree, as one statement for each thing that is said.

    An identifier is a key (PROV-CONSTRAINTS 22 and 23), so they speak of one relation. Formats that hold each of its
    arguments and attributes on its own, as RDF does, do not keep which of them were said together.
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
    """Every identifier that stands in a statement, but for names of attributes."""
    names: set[str] = set(statement.identifiers())
    if statement.id is not None:
        names.add(statement.id)
    names.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return names


def unreferred(holders: Mapping[str, list[Statement]]) -> set[str]:
    """Anonymous names of relations that nothing refers to: they say no more than no name at all.

    Args:
        holders: for each anonymous name the statements that mention it.
    """
    return {
        name
        for name, held in holders.items()
        if len(held) == 1 and held[0].id == name and not held[0].kind.element and name not in held[0].args
    }


def identifier(name: str, colours: Mapping[str, str]) -> str:
    """An identifier in angle brackets, or the name that an anonymous one is given."""
    colour = colours.get(name)
    return f"<{name}>" if colour is None else colour


def _value(value: Value, colours: Mapping[str, str]) -> str:
    return literal(value) if isinstance(value, Literal) else identifier(value, colours)


def literal(value: Literal) -> str:
    """A literal as text, equal for equal ones."""
    tag = f"@{value.language.lower()}" if value.language else f"^^<{value.datatype}>"
    return f"{value.lexical!r}{tag}"


def line(statement: Statement, colours: Mapping[str, str]) -> str:
    """A statement as one line, equal for equal statements.

    Args:
        statement: of ``separated``.
        colours: what anonymous identifiers are called.
    """
    name = "" if statement.id is None else identifier(statement.id, colours)
    args = ["-" if a is None else identifier(a, colours) if isinstance(a, Identifier) else a for a in statement.args]
    if statement.kind is ALTERNATE:
        args.sort()  # it is symmetric (PROV-CONSTRAINTS inference 18), and formats are found to differ in its order
    attributes = sorted({_attribute(pair, colours) for pair in statement.attributes})
    shown = f", [{', '.join(attributes)}]" if attributes else ""
    if statement.kind.entries is not None:
        args.append(f"{{{', '.join(sorted({_entry(entry, colours) for entry in statement.entries}))}}}")
    if statement.kind.element:
        return f"{statement.kind.name}({', '.join([name, *args])}{shown})"
    return f"{statement.kind.name}({name + '; ' if name else ''}{', '.join(args)}{shown})"


def parts(statement: Statement, colours: Mapping[str, str]) -> Iterator[str]:
    """Each thing that a statement says: its identifier, arguments, entries and attributes, in this order."""
    if statement.id is not None:
        yield f"identifier {identifier(statement.id, colours)}"
    for argument, term in zip(statement.kind.arguments, statement.args, strict=False):
        if term is not None:
            yield f"{argument.name} {identifier(term, colours) if isinstance(term, Identifier) else term}"
    for entry in statement.entries:
        yield f"key {_entry(entry, colours)}"
    for pair in statement.attributes:
        yield _attribute(pair, colours)


def _attribute(pair: Attribute, colours: Mapping[str, str]) -> str:
    return f"<{pair[0]}>={_value(pair[1], colours)}"


def _entry(entry: DictionaryEntry, colours: Mapping[str, str]) -> str:
    key = _value(entry.key, colours)
    return key if entry.entity is None else f"({key}, {identifier(entry.entity, colours)})"
