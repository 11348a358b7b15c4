"""Canonical form of a normal form: existential variables renamed so that isomorphic instances become equal.

Statements that share variables form a component, usually a small one, because constants do not connect. Components are
canonicalized one by one by color refinement: variables are colored by the statements that contain them. Where several
variables have one color, each is tried first, and the least result is taken; variables that can be swapped are tried
once. Since this is graph isomorphism, the number of steps is limited.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from provrepo.checks.constraints.instance import Row
from provrepo.checks.constraints.normal import NormalForm
from provrepo.checks.constraints.terms import NONE, canonical_time
from provrepo.errors import TooLarge
from provrepo.model.identifiers import Identifier, Value, is_anonymous
from provrepo.model.statements import Kind

__all__ = ["STEPS", "Component", "NormalStatement", "components"]

STEPS = 2_000_000
"""The most statements that may be read during canonicalization."""

Part: TypeAlias = int | str
"""A variable, or the text of a constant."""


class NormalStatement(NamedTuple):
    """A statement of the normal form, in a form that can be compared.

    Attributes:
        kind: its kind.
        row: its row.
        parts: identifier and arguments in order, as texts and variables.
        attributes: the parts of each attribute, and of each key of a dictionary.
    """

    kind: Kind
    row: Row
    parts: tuple[Part, ...]
    attributes: tuple[tuple[Part, ...], ...]

    def variables(self) -> set[int]:
        """The variables in it."""
        found = {part for part in self.parts if isinstance(part, int)}
        found.update(part for pair in self.attributes for part in pair if isinstance(part, int))
        return found

    def line(self, names: Mapping[int, str]) -> str:
        """The statement as text, with names for its variables."""
        parts = [_text(part, names) for part in self.parts]
        pairs = sorted("=".join(_text(part, names) for part in pair) for pair in self.attributes)
        tail = f", [{', '.join(pairs)}]" if pairs else ""
        return f"{self.kind.name}({', '.join(parts)}{tail})"


class Component(NamedTuple):
    """Statements that are connected by variables, in canonical form.

    Attributes:
        lines: the statements as text, sorted; equal if and only if components are isomorphic.
        statements: in the order of their lines.
        variables: in canonical order.
    """

    lines: tuple[str, ...]
    statements: tuple[NormalStatement, ...]
    variables: tuple[int, ...]


def components(form: NormalForm, *, steps: int = STEPS) -> list[Component]:
    """The components of a normal form, sorted by lines. Each statement without variables is a component.

    Raises:
        TooLarge: the budget of steps is used up.
    """
    budget = _Budget(steps)
    found = [_canonical(statements, budget) for statements in _connected(_statements(form))]
    return sorted(found, key=lambda component: component.lines)


class _Budget:
    """A number of steps, which ``spend`` uses up."""

    def __init__(self, steps: int) -> None:
        self.remaining = steps

    def spend(self, steps: int) -> None:
        self.remaining -= steps
        if self.remaining < 0:
            raise TooLarge("the existential variables are too similar to be distinguished within the budget of steps")


def _statements(form: NormalForm) -> list[NormalStatement]:
    terms = form.instance.terms
    found = []
    pairs: list[tuple[Part, ...]]
    for kind, rows in form.instance.rows.items():
        times = {index for index, argument in enumerate(kind.arguments, 1) if argument.time}
        for row in rows:
            parts = tuple(
                term if term in terms.variables else _constant(terms.names[term], index in times, term)
                for index, term in enumerate(row[:-1])
            )
            pairs = [(f"<{name}>", _value(form, value)) for name, value in form.attributes(row)]
            pairs += [
                ("key", _value(form, entry.key), "" if entry.entity is None else _value(form, entry.entity))
                for entry in form.entries(kind, row)
            ]
            found.append(NormalStatement(kind, row, parts, tuple(pairs)))
    return found


def _constant(name: str, time: bool, term: int) -> str:
    if term == NONE:
        return "-"
    return canonical_time(name) if time else f"<{name}>"


def _value(form: NormalForm, value: Value) -> Part:
    if isinstance(value, Identifier):
        if is_anonymous(value):
            terms = form.instance.terms
            term = terms.value(value)
            return term if term in terms.variables else f"<{terms.names[term]}>"
        return f"<{value}>"
    return f"{value.lexical!r}{'@' + value.language.lower() if value.language else '^^<' + value.datatype + '>'}"


def _text(part: Part, names: Mapping[int, str]) -> str:
    return names[part] if isinstance(part, int) else part


def _connected(statements: list[NormalStatement]) -> list[list[NormalStatement]]:
    """The statements in groups that are connected by variables."""
    groups: list[list[NormalStatement]] = []
    uses: dict[int, list[NormalStatement]] = defaultdict(list)
    variables: dict[int, set[int]] = {}
    for statement in statements:
        used = variables[id(statement)] = statement.variables()
        for variable in used:
            uses[variable].append(statement)
    seen: set[int] = set()
    reached: set[int] = set()
    for first in statements:
        if id(first) in seen:
            continue
        seen.add(id(first))
        group = [first]
        for statement in group:  # grows during the iteration
            for variable in variables[id(statement)] - reached:
                reached.add(variable)
                for other in uses[variable]:
                    if id(other) not in seen:
                        seen.add(id(other))
                        group.append(other)
        groups.append(group)
    return groups


def _canonical(statements: list[NormalStatement], budget: _Budget) -> Component:
    uses: dict[int, list[NormalStatement]] = defaultdict(list)
    for statement in statements:
        for variable in statement.variables():
            uses[variable].append(statement)
    if not uses:
        return Component((statements[0].line({}),), tuple(statements), ())
    labeling = _CanonicalLabeling(statements, uses, budget)
    labeling.refine(dict.fromkeys(uses, "?"))
    lines, names = labeling.best()
    order = sorted(names, key=lambda variable: int(names[variable][1:]))
    arranged = sorted(statements, key=lambda statement: statement.line(names))
    return Component(lines, tuple(arranged), tuple(order))


VariableNames: TypeAlias = dict[int, str]


class _CanonicalLabeling:
    """Search for the names of a component's variables that give the least lines."""

    def __init__(
        self, statements: list[NormalStatement], uses: dict[int, list[NormalStatement]], budget: _Budget
    ) -> None:
        self._statements = statements
        self._uses = uses
        self._budget = budget
        self._best: tuple[tuple[str, ...], VariableNames] | None = None

    def best(self) -> tuple[tuple[str, ...], VariableNames]:
        """The least lines, and the names of the variables in them."""
        if self._best is None:
            raise AssertionError("refine finds at least one labeling")
        return self._best

    def refine(self, colors: VariableNames) -> None:
        """Refine the colors by the statements of each variable until they are stable; then split ties, or finish."""
        classes = len(set(colors.values()))
        while True:
            refined = {}
            for variable, used in self._uses.items():
                self._budget.spend(len(used))
                marked = {**{v: colors[v] for statement in used for v in statement.variables()}, variable: "!"}
                lines = sorted(statement.line(marked) for statement in used)
                refined[variable] = "?" + _hash([colors[variable], *lines])
            colors = refined
            now = len(set(colors.values()))
            if now == classes:
                break
            classes = now
        sizes = Counter(colors.values())
        tied = min((color for color, size in sizes.items() if size > 1), default=None)
        if tied is None:
            self._keep(colors)
        else:
            self._split(colors, sorted(v for v, color in colors.items() if color == tied))

    def _split(self, colors: VariableNames, tied: list[int]) -> None:
        tried: list[int] = []
        for variable in tied:
            if any(self._swappable(variable, other) for other in tried):
                continue
            tried.append(variable)
            self.refine({**colors, variable: colors[variable] + "!"})

    def _swappable(self, one: int, other: int) -> bool:
        """Whether swapping two variables is an automorphism of the component."""
        involved = {id(statement): statement for v in (one, other) for statement in self._uses[v]}.values()
        self._budget.spend(len(involved))
        names = {v: f"?{v}" for statement in involved for v in statement.variables()}
        swapped = {**names, one: names[other], other: names[one]}
        return sorted(s.line(names) for s in involved) == sorted(s.line(swapped) for s in involved)

    def _keep(self, colors: VariableNames) -> None:
        ranked = sorted(colors, key=colors.__getitem__)
        names = {variable: f"?{rank}" for rank, variable in enumerate(ranked)}
        self._budget.spend(len(self._statements))
        lines = tuple(sorted(statement.line(names) for statement in self._statements))
        if self._best is None or lines < self._best[0]:
            self._best = lines, names


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:24]
