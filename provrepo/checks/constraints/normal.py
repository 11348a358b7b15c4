"""The normal form of a valid instance, by definitions, inferences and uniqueness constraints (section 6).

The Recommendation applies an inference where its whole conclusion is not satisfied yet, and states that the order of
application does not matter. That is true only of conclusions without existential variables. To get the same result for
all orders of statements, the order is fixed in rounds: first uniqueness constraints and inferences without existential
variables, to their common fixpoint; then all other inferences, each for all premises at once. Rounds are repeated until
nothing is added.

Some inferences give quadratically many statements (alternates of alternates, communications), so there is a limit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from provrepo.checks.constraints.instance import PAIRS, Instance, Row
from provrepo.checks.constraints.terms import NONE
from provrepo.checks.constraints.unify import Unifier
from provrepo.errors import TooLarge
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ACTIVITY,
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    END,
    ENTITY,
    GENERATION,
    INFLUENCE,
    INVALIDATION,
    MENTION,
    SPECIALIZATION,
    START,
    USAGE,
    Attribute,
    DictionaryEntry,
    Kind,
    Statement,
)
from provrepo.vocab import PROV, PROV_TYPE

__all__ = ["LIMIT", "NormalForm"]

LIMIT = 2_000_000
"""The most statements of a normal form."""

Attributes: TypeAlias = dict[Attribute, None]

_REVISION: Attribute = (Identifier(PROV_TYPE), Identifier(PROV + "Revision"))

_NO_STATEMENT = 0


class NormalForm:
    """The normal form of one valid instance.

    Attributes:
        instance: its rows; each existential variable has its own number.
    """

    def __init__(self, statements: Iterable[Statement], *, limit: int = LIMIT) -> None:
        """Normalize statements, which must be valid.

        Raises:
            TooLarge: the normal form has more than ``limit`` statements.
        """
        # An instance is a set of statements, without duplicates.
        self.instance = Instance(dict.fromkeys(statements), named=True)
        self._limit = limit
        self._attributes: dict[int, Attributes] = {}
        for kind, rows in self.instance.rows.items():
            if kind.attributed:
                for row in rows:
                    self._attributes[id(row)] = dict.fromkeys(self.instance.statements[row[-1]].attributes)
        while True:
            self._unify()
            if self._infer(WITHOUT_VARIABLES):
                continue
            if not self._infer(WITH_VARIABLES):
                break

    def rows(self, kind: Kind) -> list[Row]:
        """The rows of a kind."""
        return self.instance.rows[kind]

    def attributes(self, row: Row) -> Attributes:
        """The attributes of a row."""
        return self._attributes.setdefault(id(row), {})

    def entries(self, kind: Kind, row: Row) -> tuple[DictionaryEntry, ...]:
        """The dictionary entries of a row; inferred rows have none."""
        return self.instance.statements[row[-1]].entries if kind.entries is not None else ()

    def pairs(self, kind: Kind, first: int = 1, second: int = 2) -> dict[int, set[int]]:
        """For each term at the first index of a kind's rows, the terms at the second index."""
        found: dict[int, set[int]] = defaultdict(set)
        for row in self.rows(kind):
            found[row[first]].add(row[second])
        return found

    def _unify(self) -> None:
        """Unify; then keep each row once, with the attributes of all rows that were merged into it."""
        instance = self.instance
        Unifier(instance).run()
        for kind, rows in instance.rows.items():
            kept: dict[tuple[object, ...], Row] = {}
            attributes: dict[int, Attributes] = {}
            for row in rows:
                merged = instance.representative(row)
                # Rows with the same terms are one statement, also without an identifier by which they are merged.
                merged = kept.setdefault((*merged[:-1], frozenset(self.entries(kind, merged))), merged)
                attributes.setdefault(id(merged), {}).update(self._attributes.pop(id(row), {}))
            instance.rows[kind] = list(kept.values())
            self._attributes.update(attributes)
        instance.merged.clear()

    def _infer(self, inferences: tuple[Inference, ...]) -> bool:
        """Add the conclusions of inferences, all drawn before any is added; return whether there were any."""
        added: list[tuple[Kind, list[int], Attributes]] = []
        size = sum(map(len, self.instance.rows.values()))
        changed = False
        for inference in inferences:
            for kind, terms, attributes in inference(self):
                added.append((kind, terms, attributes))
                if size + len(added) > self._limit:
                    raise TooLarge(f"the normal form has more than {self._limit:,} statements")
        for kind, terms, attributes in added:
            row = [*terms, _NO_STATEMENT]
            self.rows(kind).append(row)
            if kind.attributed:
                self._attributes[id(row)] = dict(attributes)
            changed = True
        return changed


Conclusion: TypeAlias = tuple[Kind, list[int], Attributes]
"""An inferred statement: kind, terms and attributes."""


# Inferences without existential variables -----------------------------------------------------------------------


def inference_12(form: NormalForm) -> Iterator[Conclusion]:
    """12 revision-is-alternate-inference."""
    alternates = form.pairs(ALTERNATE)
    for row in form.rows(DERIVATION):
        if _REVISION in form.attributes(row) and row[2] not in alternates[row[1]]:
            alternates[row[1]].add(row[2])
            yield ALTERNATE, [NONE, row[1], row[2]], {}


def inference_15(form: NormalForm) -> Iterator[Conclusion]:
    """15 influence-inference: the influence has the relation's identifier and attributes."""
    influences = {row[0]: row for row in form.rows(INFLUENCE)}
    for kind, (influencee, influencer) in PAIRS.items():
        for row in form.rows(kind):
            known = influences.get(row[0])
            attributes = form.attributes(row)
            if known is None or not attributes.keys() <= form.attributes(known).keys():
                yield INFLUENCE, [row[0], row[influencee], row[influencer]], attributes


def inference_16(form: NormalForm) -> Iterator[Conclusion]:
    """16 alternate-reflexive."""
    alternates = form.pairs(ALTERNATE)
    for row in form.rows(ENTITY):
        if row[0] not in alternates[row[0]]:
            yield ALTERNATE, [NONE, row[0], row[0]], {}


def inferences_17_18(form: NormalForm) -> Iterator[Conclusion]:
    """17 alternate-transitive, 18 alternate-symmetric: all connected entities are alternates of each other."""
    alternates = form.pairs(ALTERNATE)
    neighbors: dict[int, set[int]] = defaultdict(set)
    for one, others in alternates.items():
        neighbors[one] |= others
        for other in others:
            neighbors[other].add(one)
    for group in _groups(neighbors):
        for one in group:
            known = alternates.get(one, set())
            for other in group:
                if other not in known:
                    yield ALTERNATE, [NONE, one, other], {}


def _groups(neighbors: dict[int, set[int]]) -> Iterator[list[int]]:
    seen: set[int] = set()
    for start in neighbors:
        if start in seen:
            continue
        seen.add(start)
        group = [start]
        for term in group:  # grows during the iteration
            for other in neighbors[term]:
                if other not in seen:
                    seen.add(other)
                    group.append(other)
        yield group


def inference_19(form: NormalForm) -> Iterator[Conclusion]:
    """19 specialization-transitive."""
    generals = form.pairs(SPECIALIZATION)
    for specific in list(generals):
        reached = list(generals[specific])
        seen = set(reached)
        for general in reached:  # grows during the iteration
            for further in generals.get(general, ()):
                if further not in seen:
                    seen.add(further)
                    reached.append(further)
                    yield SPECIALIZATION, [NONE, specific, further], {}


def inference_20(form: NormalForm) -> Iterator[Conclusion]:
    """20 specialization-alternate-inference."""
    alternates = form.pairs(ALTERNATE)
    for row in form.rows(SPECIALIZATION):
        if row[2] not in alternates[row[1]]:
            yield ALTERNATE, [NONE, row[1], row[2]], {}


def inference_21(form: NormalForm) -> Iterator[Conclusion]:
    """21 specialization-attributes-inference."""
    entities = {row[0]: row for row in form.rows(ENTITY)}
    for row in form.rows(SPECIALIZATION):
        general, specific = entities.get(row[2]), entities.get(row[1])
        if general is None:
            continue
        attributes = form.attributes(general)
        if specific is None or not attributes.keys() <= form.attributes(specific).keys():
            yield ENTITY, [row[1]], attributes


def mention_specialization(form: NormalForm) -> Iterator[Conclusion]:
    """PROV-Links, mention-specialization-inference: a mention is a specialization."""
    generals = form.pairs(SPECIALIZATION)
    for row in form.rows(MENTION):
        if row[2] not in generals[row[1]]:
            yield SPECIALIZATION, [NONE, row[1], row[2]], {}


# Inferences with existential variables ----------------------------------------------------------------------------


def inference_5(form: NormalForm) -> Iterator[Conclusion]:
    """5 communication-generation-use-inference."""
    generated, used = form.pairs(GENERATION, 2, 1), form.pairs(USAGE)
    fresh = form.instance.fresh
    for informed, informants in form.pairs(COMMUNICATION).items():
        for informant in informants:
            if generated[informant].isdisjoint(used[informed]):
                entity = fresh()
                yield GENERATION, [fresh(), entity, informant, fresh()], {}
                yield USAGE, [fresh(), informed, entity, fresh()], {}


def inference_6(form: NormalForm) -> Iterator[Conclusion]:
    """6 generation-use-communication-inference."""
    informants, users = form.pairs(COMMUNICATION), form.pairs(USAGE, 2, 1)
    for entity, generators in form.pairs(GENERATION).items():
        for user in users.get(entity, ()):
            for generator in generators - informants[user]:
                informants[user].add(generator)
                yield COMMUNICATION, [form.instance.fresh(), user, generator], {}


def inference_7(form: NormalForm) -> Iterator[Conclusion]:
    """7 entity-generation-invalidation-inference; both statements or none, since they are one conclusion."""
    generated, invalidated = form.pairs(GENERATION), form.pairs(INVALIDATION)
    fresh = form.instance.fresh
    for row in form.rows(ENTITY):
        if row[0] not in generated or row[0] not in invalidated:
            yield GENERATION, [fresh(), row[0], fresh(), fresh()], {}
            yield INVALIDATION, [fresh(), row[0], fresh(), fresh()], {}


def inference_8(form: NormalForm) -> Iterator[Conclusion]:
    """8 activity-start-end-inference; all starts of an activity have its start time (28)."""
    started, ended = form.pairs(START), form.pairs(END)
    fresh = form.instance.fresh
    for activity, start, end, _ in form.rows(ACTIVITY):
        if activity not in started or activity not in ended:
            yield START, [fresh(), activity, fresh(), fresh(), start], {}
            yield END, [fresh(), activity, fresh(), fresh(), end], {}


def inferences_9_10(form: NormalForm) -> Iterator[Conclusion]:
    """9 wasStartedBy-inference, 10 wasEndedBy-inference."""
    generated = form.pairs(GENERATION)
    for kind in (START, END):
        for row in form.rows(kind):
            if row[3] not in generated[row[2]]:
                generated[row[2]].add(row[3])
                yield GENERATION, [form.instance.fresh(), row[2], row[3], form.instance.fresh()], {}


def inference_13(form: NormalForm) -> Iterator[Conclusion]:
    """13 attribution-inference."""
    generators, associated = form.pairs(GENERATION), form.pairs(ASSOCIATION, 2, 1)
    fresh = form.instance.fresh
    for entity, agents in form.pairs(ATTRIBUTION).items():
        for agent in agents:
            if generators[entity].isdisjoint(associated[agent]):
                activity = fresh()
                yield GENERATION, [fresh(), entity, activity, fresh()], {}
                yield ASSOCIATION, [fresh(), activity, agent, fresh()], {}


def inference_14(form: NormalForm) -> Iterator[Conclusion]:
    """14 delegation-inference."""
    associated = form.pairs(ASSOCIATION)
    fresh = form.instance.fresh
    for delegate, responsible, activity in {(row[1], row[2], row[3]): None for row in form.rows(DELEGATION)}:
        if not {delegate, responsible} <= associated[activity]:
            yield ASSOCIATION, [fresh(), activity, delegate, fresh()], {}
            yield ASSOCIATION, [fresh(), activity, responsible, fresh()], {}


Inference: TypeAlias = "Callable[[NormalForm], Iterator[Conclusion]]"

WITHOUT_VARIABLES: tuple[Inference, ...] = (
    inference_12,
    inference_15,
    inference_16,
    inferences_17_18,
    inference_19,
    inference_20,
    inference_21,
    mention_specialization,
)

WITH_VARIABLES: tuple[Inference, ...] = (
    inference_5,
    inference_6,
    inference_7,
    inference_8,
    inferences_9_10,
    inference_13,
    inference_14,
)
"""Inferences with existential variables. ``unify`` applies inference 11, because both of its conclusions have a key."""
