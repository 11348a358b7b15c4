"""Unification of an instance to a fixpoint, by uniqueness constraints 22–29 and inferences 11 and 15.

Rows with the same key are merged, argument by argument: a variable is bound to the other term, and two different
constants clash. When a variable is bound, the rows that contain it are processed again. Each merge removes a row and
each binding a variable, so this terminates.
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
"""Constraints 24–27: the number of the rule, and the indexes of the two terms that are the key."""

_SHIFT = 40


class Clash(NamedTuple):
    """Two constants that would have to be equal by a rule.

    Attributes:
        rule: the number of the rule that merged the rows; 0 for the unique mention of PROV-Links. Where more than two
            rows were merged, ``causes`` finds the rules that connect these two constants.
        kind: of the rows.
        argument: its index in the rows, 0 for the identifier.
        rows: the two rows.
        terms: the two constants.
    """

    rule: int
    kind: Kind
    argument: int
    rows: tuple[Row, Row]
    terms: tuple[int, int]


class Unifier:
    """Unification of one instance by constraints 22–29, and by inferences 11 and 15 where they affect it.

    Attributes:
        clashes: in the order of discovery.
        by_id: for each kind with identifiers, the row of each identifier.
        used: for each derivation with an activity, its row and that of its usage (inference 11).
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.clashes: list[Clash] = []
        self.by_id: dict[Kind, dict[int, Row]] = {kind: {} for kind in (ENTITY, ACTIVITY, AGENT, *IDENTIFIED)}
        self.used: list[tuple[Row, Row]] = []
        self._by_key: dict[Kind, dict[int, Row]] = {kind: {} for kind in KEYS}
        self._reported: set[tuple[int, int, int, int]] = set()
        self._agenda: list[tuple[Kind, Row]] = []
        self._uses: dict[int, list[tuple[Kind, Row]]] = {}
        self._derived: set[int] = set()

    def run(self) -> None:
        """Unify to the fixpoint; afterwards all rows that were not merged have resolved terms."""
        if self.instance.terms.variables:
            self._index()
        for kind in self.by_id:
            for row in self.instance.rows[kind]:
                self._apply_keys(kind, row)
        self._unify_mentions()
        self._process_agenda()
        while self._infer():
            self._process_agenda()
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
                        self._uses.setdefault(term, []).append((kind, row))

    def _unify(self, left: int, right: int) -> int:
        """The common term of two terms, or ``CLASH`` (section 6.1)."""
        if left == right:
            return left
        terms = self.instance.terms
        left, right = terms.find(left), terms.find(right)
        if right in (left, FRESH):
            return left
        if left == FRESH:
            return right
        if right in terms.variables and (left not in terms.variables or self._count(right) <= self._count(left)):
            return self._bind(right, left)
        if left in terms.variables:
            return self._bind(left, right)
        return CLASH

    def _count(self, variable: int) -> int:
        """The number of rows with a variable; that with fewer is bound, which bounds how often a row is processed."""
        return len(self._uses.get(variable, ()))

    def _bind(self, variable: int, term: int) -> int:
        self.instance.terms.bound[variable] = term
        uses = self._uses.pop(variable, [])
        if term in self.instance.terms.variables:
            self._uses.setdefault(term, []).extend(uses)
        self._agenda.extend(uses)
        return term

    # Rows -------------------------------------------------------------------------------------------------------

    def _process_agenda(self) -> None:
        agenda = self._agenda
        has_mentions = False
        while agenda or has_mentions:
            if not agenda:
                has_mentions = False
                self._unify_mentions()
                continue
            kind, row = agenda.pop()
            if kind in self.by_id:
                self._apply_keys(kind, self.instance.representative(row))
            elif kind is MENTION:
                has_mentions = True

    def _apply_keys(self, kind: Kind, row: Row) -> None:
        """Merge a row with those of the same identifier and of the same key."""
        find, merged = self.instance.terms.find, self.instance.merged
        name = find(row[0])
        if name > NONE:
            known = self.by_id[kind].get(name)
            if known is None or id(known) in merged:
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
        if known is None or id(known) in merged:
            self._by_key[kind][key] = row
        elif known is not row:
            name = self._unify(known[0], row[0])
            if name == CLASH:
                self._clash(rule, kind, 0, (known, row), (known[0], row[0]))
            else:
                self._merge(kind, known, row, rule)

    def _merge(self, kind: Kind, kept: Row, other: Row, rule: int) -> None:
        """Merge a row into another. At a clash the kept row keeps its value."""
        self.instance.merged[id(other)] = kept
        for index in range(len(kept) - 1):
            term = self._unify(kept[index], other[index])
            if term == CLASH:
                self._clash(rule, kind, index, (kept, other), (kept[index], other[index]))
            elif term != kept[index]:
                kept[index] = term
                if term in self._uses:
                    self._uses[term].append((kind, kept))
        self._agenda.append((kind, kept))

    def _times(self, element: Kind, index: int, event: Kind, rule: int) -> None:
        """Constraints 28 and 29: the times of starts and ends are those of the activity."""
        find = self.instance.terms.find
        for row in self.instance.current(event):
            activity = self.by_id[element].get(find(row[1]))
            if activity is None:
                continue
            activity = self.instance.representative(activity)
            term = self._unify(activity[index], row[4])
            if term == CLASH:
                self._clash(rule, event, 4, (activity, row), (activity[index], row[4]))
            else:
                activity[index] = row[4] = term

    # Inferences -------------------------------------------------------------------------------------------------

    def _infer(self) -> bool:
        """Whether an inference added rows or bindings."""
        return self._infer_11() | self._infer_15()

    def _infer_11(self) -> bool:
        """Inference 11: the activity of a derivation used the used entity and generated the generated one."""
        added = False
        for row in self.instance.current(DERIVATION):
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
                if term in self._uses:
                    self._uses[term].append((kind, row))
        self._apply_keys(kind, row)

    def _infer_15(self) -> bool:
        """Inference 15: a relation is an influence with the same identifier, so both have the same two things.

        An influence that is not asserted can clash only with that of another relation with the same identifier. That
        is impossible already (constraint 53), unless one of them is a derivation.
        """
        before = len(self.instance.terms.bound)
        find = self.instance.terms.find
        changed = False
        for row in list(self.instance.current(INFLUENCE)):
            name = find(row[0])
            if name <= NONE:
                continue
            for kind, indexes in PAIRS.items():
                other = self.by_id[kind].get(name)
                if other is not None:
                    changed |= self._same_pair((INFLUENCE, row), (kind, self.instance.representative(other)), indexes)
        derivations = self.by_id[DERIVATION]
        for kind, indexes in PAIRS.items():
            if kind is DERIVATION:
                continue
            for name in sorted(derivations.keys() & self.by_id[kind].keys()):
                one, other = (self.instance.representative(self.by_id[k][name]) for k in (DERIVATION, kind))
                changed |= self._same_pair((DERIVATION, one), (kind, other), indexes)
        return changed or len(self.instance.terms.bound) > before

    def _same_pair(self, influence: tuple[Kind, Row], relation: tuple[Kind, Row], indexes: tuple[int, int]) -> bool:
        """Unify influencee and influencer of two rows; return whether a term changed."""
        (kind, row), (_, other) = influence, relation
        changed = False
        for index, other_index in zip((1, 2), indexes, strict=True):
            term = self._unify(row[index], other[other_index])
            if term == CLASH:
                self._clash(15, kind, index, (row, other), (row[index], other[other_index]))
            elif term != row[index] or term != other[other_index]:
                row[index] = other[other_index] = term
                self._agenda += influence, relation
                changed = True
        return changed

    def _clash(self, rule: int, kind: Kind, index: int, rows: tuple[Row, Row], terms: tuple[int, int]) -> None:
        """Record a clash once, since rows are processed several times."""
        key = (rule, index, id(rows[0]), id(rows[1]))
        if key not in self._reported:
            self._reported.add(key)
            self.clashes.append(Clash(rule, kind, index, rows, terms))

    def _unify_mentions(self) -> None:
        """PROV-Links, unique-mention: an entity is a mention of one general entity in one bundle."""
        find = self.instance.terms.find
        known: dict[int, Row] = {}
        for row in self.instance.current(MENTION):
            first = known.setdefault(find(row[1]), row)
            if first is row:
                continue
            for index in (2, 3):
                if self._unify(first[index], row[index]) == CLASH:
                    self._clash(0, MENTION, index, (first, row), (first[index], row[index]))
