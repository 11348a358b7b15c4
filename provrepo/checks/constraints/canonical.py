"""A canonical form of a normal form: existential variables renamed so that isomorphic instances become equal.

Statements that share variables hang together; such a component is small as a rule, because constants do not connect.
Each is made canonical by itself: variables are coloured by what is said of them (refinement), and where colours do not
tell them apart, each of the tied ones is tried and the least outcome is taken. Ties between variables that can be
swapped are not tried. The steps are counted, since this is graph isomorphism.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from provrepo.checks.constraints.instance import Row
from provrepo.checks.constraints.normal import NormalForm
from provrepo.checks.constraints.terms import NONE, instant
from provrepo.errors import TooLarge
from provrepo.model.identifiers import Identifier, Value, is_anonymous
from provrepo.model.statements import Kind

__all__ = ["STEPS", "Component", "Fact", "components"]

STEPS = 2_000_000
"""Statements that may be looked at while ties are broken."""

Part: TypeAlias = int | str
"""A variable, or the text of what is constant."""


class Fact(NamedTuple):
    """A statement of the normal form, ready to be compared.

    Attributes:
        kind: its kind.
        row: its row.
        parts: the words of the statement in order: text, and variables.
        attributes: the same of each attribute, and of each key of a dictionary.
    """

    kind: Kind
    row: Row
    parts: tuple[Part, ...]
    attributes: tuple[tuple[Part, ...], ...]

    def variables(self) -> set[int]:
        """The variables that occur in it."""
        found = {part for part in self.parts if isinstance(part, int)}
        found.update(part for pair in self.attributes for part in pair if isinstance(part, int))
        return found

    def line(self, names: Mapping[int, str]) -> str:
        """The statement as text, with names for its variables."""
        words = [_worded(part, names) for part in self.parts]
        pairs = sorted("=".join(_worded(part, names) for part in pair) for pair in self.attributes)
        tail = f", [{', '.join(pairs)}]" if pairs else ""
        return f"{self.kind.name}({', '.join(words)}{tail})"


class Component(NamedTuple):
    """Statements that hang together by variables, made canonical.

    Attributes:
        lines: the statements as text, sorted; equal for isomorphic components and for no others.
        facts: the statements in the order of their lines.
        variables: in canonical order.
    """

    lines: tuple[str, ...]
    facts: tuple[Fact, ...]
    variables: tuple[int, ...]


def components(form: NormalForm, *, steps: int = STEPS) -> list[Component]:
    """The components of a normal form, in order of their lines. A statement without variables is one by itself.

    Raises:
        TooLarge: the budget of steps is used up.
    """
    budget = _Budget(steps)
    found = [_canonical(facts, budget) for facts in _connected(_facts(form))]
    return sorted(found, key=lambda component: component.lines)


class _Budget:
    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooLarge("the existential variables are too much alike to be told apart within the budget of steps")


def _facts(form: NormalForm) -> list[Fact]:
    terms = form.instance.terms
    found = []
    pairs: list[tuple[Part, ...]]
    for kind, rows in form.instance.rows.items():
        times = {place for place, argument in enumerate(kind.arguments, 1) if argument.time}
        for row in rows:
            parts = tuple(
                term if term in terms.variables else _constant(terms.names[term], place in times, term)
                for place, term in enumerate(row[:-1])
            )
            pairs = [(f"<{name}>", _value(form, value)) for name, value in form.attributes(row)]
            pairs += [
                ("key", _value(form, entry.key), "" if entry.entity is None else _value(form, entry.entity))
                for entry in form.entries(kind, row)
            ]
            found.append(Fact(kind, row, parts, tuple(pairs)))
    return found


def _constant(name: str, time: bool, term: int) -> str:
    if term == NONE:
        return "-"
    return instant(name) if time else f"<{name}>"


def _value(form: NormalForm, value: Value) -> Part:
    if isinstance(value, Identifier):
        if is_anonymous(value):
            terms = form.instance.terms
            term = terms.find(terms.number(value))
            return term if term in terms.variables else f"<{terms.names[term]}>"
        return f"<{value}>"
    return f"{value.lexical!r}{'@' + value.language.lower() if value.language else '^^<' + value.datatype + '>'}"


def _worded(part: Part, names: Mapping[int, str]) -> str:
    return names[part] if isinstance(part, int) else part


def _connected(facts: Iterable[Fact]) -> list[list[Fact]]:
    groups: list[list[Fact]] = []
    holders: dict[int, list[Fact]] = defaultdict(list)
    variables: dict[int, set[int]] = {}
    everything = list(facts)
    for fact in everything:
        mentioned = variables[id(fact)] = fact.variables()
        for variable in mentioned:
            holders[variable].append(fact)
    seen: set[int] = set()
    reached: set[int] = set()
    for first in everything:
        if id(first) in seen:
            continue
        seen.add(id(first))
        group = [first]
        for fact in group:  # grows while it is walked
            for variable in variables[id(fact)] - reached:
                reached.add(variable)
                for other in holders[variable]:
                    if id(other) not in seen:
                        seen.add(id(other))
                        group.append(other)
        groups.append(group)
    return groups


def _canonical(facts: list[Fact], budget: _Budget) -> Component:
    holders: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        for variable in fact.variables():
            holders[variable].append(fact)
    if not holders:
        return Component((facts[0].line({}),), tuple(facts), ())
    search = _Search(facts, holders, budget)
    search.refine(dict.fromkeys(holders, "?"))
    lines, names = search.best()
    order = sorted(names, key=lambda variable: int(names[variable][1:]))
    arranged = sorted(facts, key=lambda fact: fact.line(names))
    return Component(lines, tuple(arranged), tuple(order))


Names: TypeAlias = dict[int, str]


class _Search:
    """Looks for the least way to write a component."""

    def __init__(self, facts: list[Fact], holders: dict[int, list[Fact]], budget: _Budget) -> None:
        self._facts = facts
        self._holders = holders
        self._budget = budget
        self._best: tuple[tuple[str, ...], Names] | None = None

    def best(self) -> tuple[tuple[str, ...], Names]:
        """The least lines, and the names of the variables in them."""
        if self._best is None:
            raise AssertionError("refine finds at least one way")
        return self._best

    def refine(self, colours: Names) -> None:
        """Colour variables by what is said of them until nothing changes; then break a tie, or keep the outcome."""
        classes = len(set(colours.values()))
        while True:
            refined = {}
            for variable, held in self._holders.items():
                self._budget.spend(len(held))
                marked = {**{v: colours[v] for fact in held for v in fact.variables()}, variable: "!"}
                lines = sorted(fact.line(marked) for fact in held)
                refined[variable] = "?" + _hash([colours[variable], *lines])
            colours = refined
            now = len(set(colours.values()))
            if now == classes:
                break
            classes = now
        sizes = Counter(colours.values())
        tied = min((colour for colour, size in sizes.items() if size > 1), default=None)
        if tied is None:
            self._keep(colours)
        else:
            self._split(colours, sorted(v for v, colour in colours.items() if colour == tied))

    def _split(self, colours: Names, tied: list[int]) -> None:
        tried: list[int] = []
        for variable in tied:
            if any(self._swappable(variable, other) for other in tried):
                continue
            tried.append(variable)
            self.refine({**colours, variable: colours[variable] + "!"})

    def _swappable(self, one: int, other: int) -> bool:
        """Whether the component stays the same when two variables change places."""
        involved = {id(fact): fact for v in (one, other) for fact in self._holders[v]}.values()
        self._budget.spend(len(involved))
        names = {v: f"?{v}" for fact in involved for v in fact.variables()}
        swapped = {**names, one: names[other], other: names[one]}
        return sorted(fact.line(names) for fact in involved) == sorted(fact.line(swapped) for fact in involved)

    def _keep(self, colours: Names) -> None:
        ranked = sorted(colours, key=colours.__getitem__)
        names = {variable: f"?{rank}" for rank, variable in enumerate(ranked)}
        self._budget.spend(len(self._facts))
        lines = tuple(sorted(fact.line(names) for fact in self._facts))
        if self._best is None or lines < self._best[0]:
            self._best = lines, names


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:24]
