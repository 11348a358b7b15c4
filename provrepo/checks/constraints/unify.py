"""Uniqueness constraints 22–29 and the inferences that they interact with: unification to a fixpoint.

Rows that a key says are one row are merged, argument by argument: a variable takes the value of the other, two
different constants clash. A row that mentions a variable which was found to be something is looked at again. Each
merge removes a row and each binding a variable, so this ends, and costs no more than it must.
"""

from __future__ import annotations

from typing import NamedTuple

from provrepo.checks.constraints.instance import IDENTIFIED, PAIRS, Instance, Row
from provrepo.checks.constraints.terms import CLASH, FRESH, NONE
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    DERIVATION,
    END,
    ENTITY,
    GENERATION,
    INFLUENCE,
    INVALIDATION,
    MENTION,
    START,
    USAGE,
    Kind,
)

__all__ = ["KEYS", "Clash", "Unifier"]

KEYS: dict[Kind, tuple[int, int, int]] = {
    GENERATION: (24, 1, 2),
    INVALIDATION: (25, 1, 2),
    START: (26, 1, 3),
    END: (27, 1, 3),
}
"""Constraints 24–27: which rule it is, and the places that determine the row."""

_SHIFT = 40


class Clash(NamedTuple):
    """Two values that a rule says are one.

    Attributes:
        rule: the number of the rule that merged the rows; 0 for the unique mention of PROV-Links. Where more than two
            rows were merged, ``causes`` says which rules made these two values meet.
        kind: of the rows.
        place: which argument, 0 for the identifier.
        rows: the two rows.
        terms: the two values.
    """

    rule: int
    kind: Kind
    place: int
    rows: tuple[Row, Row]
    terms: tuple[int, int]


class Unifier:
    """Applies constraints 22–29, and inferences 11 and 15 where they can decide anything, to one instance.

    Attributes:
        clashes: what could not be unified, in the order of discovery.
        by_id: for each kind with identifiers, the row of each identifier.
        used: for each derivation that names an activity, its row and that of the usage it went through (inference 11).
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.clashes: list[Clash] = []
        self.by_id: dict[Kind, dict[int, Row]] = {kind: {} for kind in (ENTITY, ACTIVITY, AGENT, *IDENTIFIED)}
        self.used: list[tuple[Row, Row]] = []
        self._by_key: dict[Kind, dict[int, Row]] = {kind: {} for kind in KEYS}
        self._told: set[tuple[int, int, int, int]] = set()
        self._agenda: list[tuple[Kind, Row]] = []
        self._holders: dict[int, list[tuple[Kind, Row]]] = {}
        self._derived: set[int] = set()

    def run(self) -> None:
        """To the fixpoint; afterwards every row that is alive holds what its terms stand for."""
        if self.instance.terms.variables:
            self._index()
        for kind in self.by_id:
            for row in self.instance.rows[kind]:
                self._settle(kind, row)
        self._settle_mentions()
        self._drain()
        while self._infer():
            self._drain()
        self._times(ACTIVITY, 1, START, 28)
        self._times(ACTIVITY, 2, END, 29)
        self.instance.resolve()

    # Terms ------------------------------------------------------------------------------------------------------

    def _index(self) -> None:
        variables = self.instance.terms.variables
        for kind, rows in self.instance.rows.items():
            for row in rows:
                for term in row[:-1]:
                    if term in variables:
                        self._holders.setdefault(term, []).append((kind, row))

    def _unify(self, left: int, right: int) -> int:
        """What two terms are, or ``CLASH`` (section 6.1)."""
        if left == right:
            return left
        terms = self.instance.terms
        left, right = terms.find(left), terms.find(right)
        if right in (left, FRESH):
            return left
        if left == FRESH:
            return right
        if right in terms.variables and (left not in terms.variables or self._held(right) <= self._held(left)):
            return self._bind(right, left)
        if left in terms.variables:
            return self._bind(left, right)
        return CLASH

    def _held(self, variable: int) -> int:
        """How many rows mention a variable: the one with fewer is bound, so that no row is looked at too often."""
        return len(self._holders.get(variable, ()))

    def _bind(self, variable: int, term: int) -> int:
        self.instance.terms.bound[variable] = term
        held = self._holders.pop(variable, [])
        if term in self.instance.terms.variables:
            self._holders.setdefault(term, []).extend(held)
        self._agenda.extend(held)
        return term

    # Rows -------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        agenda = self._agenda
        mentioned = False
        while agenda or mentioned:
            if not agenda:
                mentioned = False
                self._settle_mentions()
                continue
            kind, row = agenda.pop()
            if kind in self.by_id:
                self._settle(kind, self.instance.standing(row))
            elif kind is MENTION:
                mentioned = True

    def _settle(self, kind: Kind, row: Row) -> None:
        """Find out which row this is, by its identifier and by its key."""
        find, dead = self.instance.terms.find, self.instance.dead
        name = find(row[0])
        if name > NONE:
            known = self.by_id[kind].get(name)
            if known is None or id(known) in dead:
                self.by_id[kind][name] = row
            elif known is not row:
                self._merge(kind, known, row, 22 if kind.element else 23)
                return
        if kind not in KEYS:
            return
        rule, first, second = KEYS[kind]
        one, two = find(row[first]), find(row[second])
        if FRESH in (one, two):
            return
        key = one << _SHIFT | two
        known = self._by_key[kind].get(key)
        if known is None or id(known) in dead:
            self._by_key[kind][key] = row
        elif known is not row:
            name = self._unify(known[0], row[0])
            if name == CLASH:
                self._clash(rule, kind, 0, (known, row), (known[0], row[0]))
            else:
                self._merge(kind, known, row, rule)

    def _merge(self, kind: Kind, kept: Row, gone: Row, rule: int) -> None:
        """Make one row of two. What clashes is told, and the row that was first keeps its value."""
        self.instance.dead[id(gone)] = kept
        for place in range(len(kept) - 1):
            term = self._unify(kept[place], gone[place])
            if term == CLASH:
                self._clash(rule, kind, place, (kept, gone), (kept[place], gone[place]))
            elif term != kept[place]:
                kept[place] = term
                if term in self._holders:
                    self._holders[term].append((kind, kept))
        self._agenda.append((kind, kept))

    def _times(self, element: Kind, place: int, event: Kind, rule: int) -> None:
        """Constraints 28 and 29: the times of starts and ends are the activity's."""
        find = self.instance.terms.find
        for row in self.instance.alive(event):
            activity = self.by_id[element].get(find(row[1]))
            if activity is None:
                continue
            activity = self.instance.standing(activity)
            term = self._unify(activity[place], row[4])
            if term == CLASH:
                self._clash(rule, event, 4, (activity, row), (activity[place], row[4]))
            else:
                activity[place] = row[4] = term

    # Inferences -------------------------------------------------------------------------------------------------

    def _infer(self) -> bool:
        """Whether an inference led to something that has to be unified."""
        return self._infer_11() | self._infer_15()

    def _infer_11(self) -> bool:
        """Inference 11: the activity of a derivation used the one entity and generated the other."""
        added = False
        for row in self.instance.alive(DERIVATION):
            if row[3] == NONE or id(row) in self._derived:
                continue
            self._derived.add(id(row))
            _, generated, used, activity, generation, usage, number = row
            inferred = number if number < 0 else ~number
            self._add(GENERATION, [generation, generated, activity, self.instance.fresh(), inferred])
            use = [usage, activity, used, self.instance.fresh(), inferred]
            self._add(USAGE, use)
            self.used.append((row, use))
            added = True
        return added

    def _add(self, kind: Kind, row: Row) -> None:
        self.instance.rows[kind].append(row)
        if self.instance.terms.variables:
            for term in row[:-1]:
                if term in self._holders:
                    self._holders[term].append((kind, row))
        self._settle(kind, row)

    def _infer_15(self) -> bool:
        """Inference 15: a relation is an influence with the same identifier, so both are about the same two things.

        An influence that is not stated cannot clash with anything but with that of another relation with the same
        identifier, and that is impossible already (constraint 53) unless one of them is a derivation.
        """
        before = len(self.instance.terms.bound)
        find = self.instance.terms.find
        changed = False
        for row in list(self.instance.alive(INFLUENCE)):
            name = find(row[0])
            if name <= NONE:
                continue
            for kind, places in PAIRS.items():
                other = self.by_id[kind].get(name)
                if other is not None:
                    changed |= self._same_pair((INFLUENCE, row), (kind, self.instance.standing(other)), places)
        derivations = self.by_id[DERIVATION]
        for kind, places in PAIRS.items():
            if kind is DERIVATION:
                continue
            for name in sorted(derivations.keys() & self.by_id[kind].keys()):
                one, other = (self.instance.standing(self.by_id[k][name]) for k in (DERIVATION, kind))
                changed |= self._same_pair((DERIVATION, one), (kind, other), places)
        return changed or len(self.instance.terms.bound) > before

    def _same_pair(self, influence: tuple[Kind, Row], relation: tuple[Kind, Row], places: tuple[int, int]) -> bool:
        """Unify influencee and influencer of two rows; whether anything was learned."""
        (kind, row), (_, other) = influence, relation
        changed = False
        for here, there in zip((1, 2), places, strict=True):
            term = self._unify(row[here], other[there])
            if term == CLASH:
                self._clash(15, kind, here, (row, other), (row[here], other[there]))
            elif term != row[here] or term != other[there]:
                row[here] = other[there] = term
                self._agenda += influence, relation
                changed = True
        return changed

    def _clash(self, rule: int, kind: Kind, place: int, rows: tuple[Row, Row], terms: tuple[int, int]) -> None:
        """Remember a clash; rows are looked at again and again, and a clash is told once."""
        key = (rule, place, id(rows[0]), id(rows[1]))
        if key not in self._told:
            self._told.add(key)
            self.clashes.append(Clash(rule, kind, place, rows, terms))

    def _settle_mentions(self) -> None:
        """PROV-Links: whatever an entity is mentioned of is one general entity in one bundle."""
        find = self.instance.terms.find
        known: dict[int, Row] = {}
        for row in self.instance.alive(MENTION):
            first = known.setdefault(find(row[1]), row)
            if first is row:
                continue
            for place in (2, 3):
                if self._unify(first[place], row[place]) == CLASH:
                    self._clash(0, MENTION, place, (first, row), (first[place], row[place]))
