"""PROV-CONSTRAINTS on random documents: properties that all documents have."""

from __future__ import annotations

import random
from functools import cache

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from provrepo.checks.constraints.equivalence import equivalent, normalized
from provrepo.checks.constraints.instance import Instance
from provrepo.checks.constraints.unify import Unifier
from provrepo.checks.constraints.validity import check
from provrepo.checks.findings import Severity
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import KINDS, Statement
from provrepo.vocab import PROV, PROV_TYPE
from tests.support.constraints_oracle import valid as second_opinion
from tests.support.sampling import examples

EX = "http://example.org/"
ENTITIES = [Identifier(EX + name) for name in ("e1", "e2", "e3")]
ACTIVITIES = [Identifier(EX + name) for name in ("a1", "a2")]
AGENTS = [*ENTITIES[:1], *ACTIVITIES[:1], Identifier(EX + "ag")]
UNKNOWN = [Identifier("_:x"), Identifier("_:y")]
TIMES = ["2024-05-31T12:00:00Z", "2024-05-31T14:00:00+02:00", "2024-05-31T13:00:00Z"]
TYPES = [(Identifier(PROV_TYPE), Identifier(PROV + name)) for name in ("Revision", "EmptyCollection")]
KNOWN = [*TYPES, (Identifier(EX + "size"), Literal("1"))]
ATTRIBUTES = [*KNOWN, (Identifier(EX + "see"), UNKNOWN[0])]

ROLES = {
    **dict.fromkeys(("entity", "usedEntity", "generatedEntity", "trigger", "plan", "collection"), ENTITIES),
    **dict.fromkeys(("specificEntity", "generalEntity", "alternate1", "alternate2"), ENTITIES),
    **dict.fromkeys(("activity", "informed", "informant", "starter", "ender"), ACTIVITIES),
    **dict.fromkeys(("agent", "delegate", "responsible"), AGENTS),
    **dict.fromkeys(("influencee", "influencer"), ENTITIES + ACTIVITIES),
    "generation": [Identifier(EX + "r1"), UNKNOWN[0]],
    "usage": [Identifier(EX + "r2"), UNKNOWN[1]],
    "bundle": [Identifier(EX + "b")],
}  # fmt: skip
NAMES = {
    "entity": ENTITIES,
    "activity": ACTIVITIES,
    "agent": AGENTS,
    "wasGeneratedBy": [Identifier(EX + "r1"), UNKNOWN[0]],
    "used": [Identifier(EX + "r2"), UNKNOWN[1]],
    "wasInfluencedBy": [Identifier(EX + "r1"), Identifier(EX + "r2")],
}


_among = cache(lambda *choices: st.sampled_from(choices))
_maybe = cache(lambda strategy: st.none() | strategy)
_attributes = cache(lambda *choices: st.lists(st.sampled_from(choices), max_size=1))


@st.composite
def statements(draw, *, blank=True):
    kind = KINDS[draw(_among(*(name for name in KINDS if KINDS[name].entries is None)))]
    args = []
    for argument in kind.arguments:
        choices = TIMES if argument.time else ROLES[argument.name]
        if blank and choices is ENTITIES:
            choices = [*ENTITIES, UNKNOWN[0]]
        term = _among(*choices)
        args.append(draw(term if argument.required else _maybe(term)))
    own = [Identifier(f"{EX}{kind.name}"), UNKNOWN[1]]
    names = NAMES.get(kind.name, own)
    named = _among(*(names if blank or kind.element else names[:1]))
    name = draw(named if kind.element else _maybe(named)) if kind.identified else None
    attributes = draw(_attributes(*(ATTRIBUTES if blank else KNOWN))) if kind.attributed else []
    return Statement(kind, name, tuple(args), tuple(attributes))


instances = st.lists(statements(), max_size=7)


def verdict(instance: list[Statement]) -> bool:
    return not any(finding.severity is Severity.VIOLATION for finding in check(Document(instance)))


def unifies(instance: list[Statement]) -> bool:
    unifier = Unifier(Instance(instance))
    unifier.run()
    return not unifier.clashes


@given(instances, st.randoms(use_true_random=False))
@settings(max_examples=examples(300), deadline=None)
def test_neither_verdict_nor_normal_form_depends_on_the_order_of_statements(instance, chance: random.Random):
    shuffled = chance.sample(instance, len(instance))
    assert verdict(instance) is verdict(shuffled)
    if verdict(instance):
        assert normalized(Document(instance)).statements == normalized(Document(shuffled)).statements


@given(instances)
@settings(max_examples=examples(400), deadline=None)
def test_validity_is_the_same_as_by_the_rules_to_the_letter(instance):
    assume(unifies(instance))
    assert verdict(instance) is second_opinion(instance)


SEEN = Statement(KINDS["wasAssociatedWith"], Identifier(EX + "r"), (ACTIVITIES[1], None, None), (ATTRIBUTES[-1],))
"""With the same statement with a plan, its variable is bound to the placeholder, and still stands in the attribute."""


@given(instances)
@example([Statement(SEEN.kind, SEEN.id, (ACTIVITIES[1], None, UNKNOWN[0])), SEEN])
@settings(max_examples=examples(200), deadline=None)
def test_normalizing_twice_is_normalizing_once(instance):
    assume(verdict(instance))
    once = normalized(Document(instance))
    assert normalized(once).statements == once.statements


@given(instances, st.randoms(use_true_random=False))
@settings(max_examples=examples(200), deadline=None)
def test_a_document_is_equivalent_to_itself_with_renamed_variables(instance, chance: random.Random):
    assume(verdict(instance))
    names = {old: Identifier(f"_:renamed-{old[2:]}") for old in UNKNOWN}

    def renamed(term):
        return names.get(term, term) if isinstance(term, Identifier) else term

    other = [
        Statement(
            s.kind,
            renamed(s.id),
            tuple(map(renamed, s.args)),
            tuple((name, renamed(value)) for name, value in s.attributes),
        )
        for s in chance.sample(instance, len(instance))
    ]
    assert equivalent(Document(instance), Document(other)).equivalent is True


@given(instances, st.data())
@settings(max_examples=examples(200), deadline=None)
def test_asserting_inferred_statements_never_changes_the_verdict(instance, data):
    assume(instance)
    assume(verdict(instance))
    follows = normalized(Document(instance)).statements
    # The names of variables in the normal form are not those of the document.
    chosen = data.draw(st.lists(st.sampled_from(follows), max_size=4))
    chosen = [s for s in chosen if "_:n" not in repr(s)]
    assert verdict([*instance, *chosen])


FULL = {"alternateOf", "specializationOf"}


@given(st.lists(statements(blank=False), max_size=6))
@settings(max_examples=examples(200), deadline=None)
def test_asserting_inferred_statements_without_variables_keeps_the_normal_form(instance):
    assume(verdict(instance))
    follows = normalized(Document(instance)).statements
    ours = {s.id for s in instance if s.id is not None}
    plain = [s for s in follows if s.kind.name in FULL or (s.kind.name == "wasInfluencedBy" and s.id in ours)]
    assert normalized(Document([*instance, *plain])).statements == follows


@given(instances, st.data())
@settings(max_examples=examples(200), deadline=None)
def test_part_of_a_valid_document_is_valid(instance, data):
    assume(instance)
    assume(verdict(instance))
    assert verdict([s for s in instance if data.draw(st.booleans())])


@given(instances, instances)
@settings(max_examples=examples(100), deadline=None)
def test_bundles_are_checked_independently(top, inside):
    document = Document(top, [Bundle(Identifier(EX + "b"), inside)])
    found = {finding.bundle for finding in check(document) if finding.severity is Severity.VIOLATION}
    assert (None not in found) is verdict(top)
    assert (EX + "b" not in found) is verdict(inside)
