"""When two documents say the same: canonical statements, comparison and the statement digest.

The canonical form of an instance is a set: repeated statements count once, statements of one kind with one identifier
are merged where their arguments agree (PROV-CONSTRAINTS 22 and 23, without inferring anything) and taken apart where
they do not, and identifiers that mean nothing outside the document (blank nodes, skolem IRIs) are replaced by a
colour that depends only on what is said about them. Literals are compared by their exact spelling, language tags
without regard to case (RDF 1.1 Concepts, section 3.3).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal, Value, is_anonymous
from provrepo.model.statements import ALTERNATE, Attribute, Entry, Statement, Term

__all__ = ["Comparison", "Difference", "compare", "merged", "statement_digest"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What only one of two documents says.

    Attributes:
        left: statements of the left document that the right one does not make, as text, sorted.
        right: the reverse.
    """

    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.left or self.right)

    def __str__(self) -> str:
        return "\n".join([f"- {line}" for line in self.left] + [f"+ {line}" for line in self.right])


class _Judged(Protocol):
    @property
    def equivalent(self) -> bool | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def difference(self) -> Difference: ...


class _Equivalence(Protocol):
    def equivalent(self, left: Document, right: Document) -> _Judged: ...


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing two documents.

    Attributes:
        same: whether both make the same statements.
        difference: what only one of them says.
        equivalent: PROV-CONSTRAINTS equivalence, judged when it is first asked for; None where a document is invalid
            or it could not be found out.
        equivalence: the same with a sentence that says why, ``reason``, and the ``difference`` of the normal forms.
    """

    same: bool
    difference: Difference
    left: Document = field(repr=False, compare=False)
    right: Document = field(repr=False, compare=False)

    @property
    def equivalent(self) -> bool | None:
        """Whether the documents are equivalent by PROV-CONSTRAINTS (section 7)."""
        return self.equivalence.equivalent

    @cached_property
    def equivalence(self) -> _Judged:
        """Whether the documents are equivalent, and why not."""
        # The model knows no check; `compare(...).equivalent` is promised to callers all the same.
        checks = cast("_Equivalence", import_module("provrepo.checks.constraints.equivalence"))
        return checks.equivalent(self.left, self.right)


def compare(left: Document, right: Document) -> Comparison:
    """Whether two documents make the same statements, in the same bundles, across formats."""
    ours, _ = _canonical(left)
    theirs, _ = _canonical(right)
    only_left, only_right = ours - theirs, theirs - ours
    difference = Difference(tuple(sorted(only_left.elements())), tuple(sorted(only_right.elements())))
    return Comparison(not difference, difference, left, right)


def statement_digest(document: Document) -> str | None:
    """``stmt/1:`` and the SHA-256 of the canonical statements, equal for the same content in any format.

    It is for finding content again, never for identity or signatures: those are of the bytes.

    Returns:
        None where anonymous nodes remain that colour refinement cannot tell apart: two documents that differ only in
        how such nodes are linked would get the same digest.
    """
    lines, tied = _canonical(document)
    if tied:
        return None
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return "stmt/1:" + digest.hexdigest()


def merged(statements: Iterable[Statement]) -> list[Statement]:
    """Statements with repetitions removed and those of one kind and identifier merged where their arguments agree.

    Two arguments agree when they are equal or one is absent. Order is that of first occurrence.
    """
    result: dict[object, Statement] = {}
    variants: dict[tuple[str, str], list[object]] = {}
    for statement in statements:
        if statement.id is None:
            result.setdefault(statement, statement)
            continue
        name = (statement.kind.name, statement.id)
        slots = variants.setdefault(name, [])
        for slot in slots:
            args = _unified(result[slot].args, statement.args)
            if args is not None:
                known = result[slot]
                attributes = tuple(dict.fromkeys(known.attributes + statement.attributes))
                entries = tuple(dict.fromkeys(known.entries + statement.entries))
                result[slot] = Statement(known.kind, known.id, args, attributes, known.span, entries)
                break
        else:
            slot = (*name, len(slots))
            slots.append(slot)
            result[slot] = statement
    return list(result.values())


def _unified(left: tuple[Term, ...], right: tuple[Term, ...]) -> tuple[Term, ...] | None:
    if left == right:
        return left
    if len(left) != len(right) or any(
        a is not None and b is not None and a != b for a, b in zip(left, right, strict=True)
    ):
        return None
    return tuple(b if a is None else a for a, b in zip(left, right, strict=True))


def _separated(statements: list[Statement]) -> list[Statement]:
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


def _canonical(document: Document) -> tuple[Counter[str], bool]:
    """The canonical lines of every instance, and whether anonymous nodes remain that cannot be told apart."""
    lines: Counter[str] = Counter()
    tied = False
    for instance in document.instances():
        statements = _separated(merged(instance.statements))
        colours, ties = _colours(statements)
        tied = tied or ties
        where = "" if instance.id is None else f" in bundle {_identifier(instance.id, {})}"
        lines.update({_line(statement, colours) + where for statement in statements})
    return lines, tied


def _colours(statements: list[Statement]) -> tuple[dict[str, str], bool]:
    """A colour for each anonymous identifier by refinement (1-dimensional Weisfeiler-Leman), without branching."""
    holders: dict[str, list[Statement]] = {}
    for statement in statements:
        for name in _mentioned(statement):
            if is_anonymous(name):
                holders.setdefault(name, []).append(statement)
    # A relation's anonymous name that nothing refers to says nothing: as absent as no name at all.
    unreferred = {
        name
        for name, held in holders.items()
        if len(held) == 1 and held[0].id == name and not held[0].kind.element and name not in held[0].args
    }
    colours = {name: "" if name in unreferred else "?" for name in holders}
    nodes = [name for name in holders if name not in unreferred]
    classes = len(set(colours.values()))
    while nodes:
        refined = {}
        for name in nodes:
            own, colours[name] = colours[name], "!"
            refined[name] = "?" + _hash([own, *sorted(_line(s, colours) for s in holders[name])])
            colours[name] = own
        colours.update(refined)
        now = len(set(colours.values()))
        if now == classes:
            break
        classes = now
    return colours, len({colours[name] for name in nodes}) < len(nodes)


def _mentioned(statement: Statement) -> set[str]:
    names: set[str] = set(statement.identifiers())
    if statement.id is not None:
        names.add(statement.id)
    names.update(value for _, value in statement.attributes if isinstance(value, Identifier))
    return names


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _identifier(name: str, colours: Mapping[str, str]) -> str:
    colour = colours.get(name)
    return f"<{name}>" if colour is None else colour


def _value(value: Value, colours: Mapping[str, str]) -> str:
    if isinstance(value, Literal):
        tag = f"@{value.language.lower()}" if value.language else f"^^<{value.datatype}>"
        return f"{value.lexical!r}{tag}"
    return _identifier(value, colours)


def _line(statement: Statement, colours: Mapping[str, str]) -> str:
    name = "" if statement.id is None else _identifier(statement.id, colours)
    args = ["-" if a is None else _identifier(a, colours) if isinstance(a, Identifier) else a for a in statement.args]
    if statement.kind is ALTERNATE:
        args.sort()  # it is symmetric (PROV-CONSTRAINTS inference 18), and formats are found to differ in its order
    attributes = sorted({_attribute(pair, colours) for pair in statement.attributes})
    shown = f", [{', '.join(attributes)}]" if attributes else ""
    if statement.kind.entries is not None:
        args.append(f"{{{', '.join(sorted({_entry(entry, colours) for entry in statement.entries}))}}}")
    if statement.kind.element:
        return f"{statement.kind.name}({', '.join([name, *args])}{shown})"
    return f"{statement.kind.name}({name + '; ' if name else ''}{', '.join(args)}{shown})"


def _attribute(pair: Attribute, colours: Mapping[str, str]) -> str:
    return f"<{pair[0]}>={_value(pair[1], colours)}"


def _entry(entry: Entry, colours: Mapping[str, str]) -> str:
    key = _value(entry.key, colours)
    return key if entry.entity is None else f"({key}, {_identifier(entry.entity, colours)})"
