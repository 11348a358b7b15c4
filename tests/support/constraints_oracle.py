"""A slow reference implementation of validity: the rules as written, on the normal form, with every closure computed.

It shares expansion and unification with the engine that it tests, but neither ordering, types nor optimizations.
"""

from __future__ import annotations

from itertools import product

from provrepo.checks.constraints.normal import NormalForm
from provrepo.checks.constraints.terms import NONE
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import KINDS, Statement
from provrepo.vocab import PROV, PROV_TYPE

EMPTY = {(Identifier(PROV_TYPE), Identifier(PROV + name)) for name in ("EmptyCollection", "EmptyDictionary")}

DISJOINT = (
    *("used", "wasGeneratedBy", "wasInvalidatedBy", "wasStartedBy", "wasEndedBy", "wasInformedBy", "wasAttributedTo"),
    *("wasAssociatedWith", "actedOnBehalfOf"),
)


def valid(statements: list[Statement]) -> bool:
    """Whether statements are valid; their unification must have succeeded."""
    form = NormalForm(statements)
    rows = {name: form.rows(kind) for name, kind in KINDS.items()}
    return possible(form, rows) and in_order(rows)


def possible(form, rows) -> bool:
    """Rules 50–56."""
    for _, _, _, activity, generation, usage, _ in rows["wasDerivedFrom"]:
        if activity == NONE and (generation != NONE or usage != NONE):
            return False
    if any(row[1] == row[2] for row in rows["specializationOf"]):
        return False
    names = {kind: {row[0] for row in rows[kind]} for kind in rows}
    if any(names[one] & names[other] for one, other in product(DISJOINT, DISJOINT) if one != other):
        return False
    things = names["entity"] | names["activity"] | names["agent"]
    if any(things & names[kind] for kind in (*DISJOINT, "wasDerivedFrom", "wasInfluencedBy")):
        return False
    entities, activities = types(rows)
    if entities & activities:
        return False
    empty = {row[0] for row in rows["entity"] if EMPTY & form.attributes(row).keys()}
    return not any(row[1] in empty for row in rows["hadMember"])


def types(rows) -> tuple[set[int], set[int]]:
    """Rule 50."""
    entities, activities = set(), set()
    places = {
        "entity": "E", "activity": "A", "used": "-AE", "wasGeneratedBy": "-EA", "wasInformedBy": "-AA",
        "wasStartedBy": "-AEA", "wasEndedBy": "-AEA", "wasInvalidatedBy": "-EA", "wasDerivedFrom": "-EEA",
        "wasAttributedTo": "-E", "wasAssociatedWith": "-A-E", "actedOnBehalfOf": "---A", "alternateOf": "-EE",
        "specializationOf": "-EE", "hadMember": "-EE", "mentionOf": "-EEE",
    }  # fmt: skip
    for kind, letters in places.items():
        for row in rows[kind]:
            for term, letter in zip(row, letters, strict=False):
                if term != NONE and letter != "-":
                    (entities if letter == "E" else activities).add(term)
    return entities, activities


def in_order(rows) -> bool:
    """Rules 30–49: ≼ and ≺ between events, closed by brute force."""
    before: set[tuple[object, object]] = set()
    strictly: set[tuple[object, object]] = set()
    gens = [(("g", row[0]), row[1], row[2]) for row in rows["wasGeneratedBy"]]
    invs = [(("i", row[0]), row[1], row[2]) for row in rows["wasInvalidatedBy"]]
    uses = [(("u", row[0]), row[1], row[2]) for row in rows["used"]]
    starts = [(("s", row[0]), row[1], row[2]) for row in rows["wasStartedBy"]]
    ends = [(("e", row[0]), row[1], row[2]) for row in rows["wasEndedBy"]]

    def of(events, thing):
        return [event for event, what, _ in events if what == thing]

    def precedes(earlier, later, into=before):
        into.update(product(earlier, later))

    for activity in {what for _, what, _ in starts + ends}:
        precedes(of(starts, activity), of(ends, activity))  # 30
        precedes(of(starts, activity), of(starts, activity))  # 31
        precedes(of(ends, activity), of(ends, activity))  # 32
    for use, activity, entity in uses:
        precedes(of(starts, activity), [use])  # 33
        precedes([use], of(ends, activity))
        precedes(of(gens, entity), [use])  # 37
        precedes([use], of(invs, entity))  # 38
    for gen, entity, activity in gens:
        precedes(of(starts, activity), [gen])  # 34
        precedes([gen], of(ends, activity))
        precedes([gen], of(invs, entity))  # 36
        precedes([gen], of(gens, entity))  # 39
    for row in rows["wasInformedBy"]:
        precedes(of(starts, row[2]), of(ends, row[1]))  # 35
    for inv, entity, _ in invs:
        precedes([inv], of(invs, entity))  # 40
    for _, later, earlier, activity, gen, use, _ in rows["wasDerivedFrom"]:
        if NONE not in (activity, gen, use):
            precedes([("u", use)], [("g", gen)])  # 41
        precedes(of(gens, earlier), of(gens, later), strictly)  # 42
    for events in (starts, ends):
        for event, _, trigger in events:
            precedes(of(gens, trigger), [event])  # 43, 44
            precedes([event], of(invs, trigger))
    for row in rows["specializationOf"]:
        precedes(of(gens, row[2]), of(gens, row[1]))  # 45
        precedes(of(invs, row[1]), of(invs, row[2]))  # 46
    for row in rows["wasAssociatedWith"]:
        precedes(of(starts, row[1]), of(invs, row[2]) + of(ends, row[2]))  # 47
        precedes(of(gens, row[2]) + of(starts, row[2]), of(ends, row[1]))
    for row in rows["wasAttributedTo"]:
        precedes(of(gens, row[2]) + of(starts, row[2]), of(gens, row[1]))  # 48
    for row in rows["actedOnBehalfOf"]:
        precedes(of(gens, row[2]), of(invs, row[1]))  # 49
        precedes(of(starts, row[2]), of(ends, row[1]))
    return acyclic(before, strictly)


def acyclic(before, strictly) -> bool:
    """Whether no cycle contains a strict edge."""
    onward: dict[object, set[object]] = {}
    for earlier, later in before | strictly:
        onward.setdefault(earlier, set()).add(later)
    for earlier, later in strictly:
        reached, waiting = {later}, [later]
        while waiting:
            for event in onward.get(waiting.pop(), ()):
                if event not in reached:
                    reached.add(event)
                    waiting.append(event)
        if earlier in reached:
            return False
    return True
