"""Normal form and equivalence by PROV-CONSTRAINTS: each inference alone, and pairs of documents."""

from __future__ import annotations

import re

import pytest

import provrepo
from provrepo.checks.constraints import canonical
from provrepo.checks.constraints.canonical import components
from provrepo.checks.constraints.equivalence import equivalent
from provrepo.checks.constraints.normal import NormalForm
from provrepo.errors import Refused, TooLarge
from tests.support.corpus import corpus

T10, T11 = "2024-05-31T10:00:00Z", "2024-05-31T11:00:00Z"


def document(statements: str) -> provrepo.Document:
    return provrepo.read(
        f"document\nprefix ex <http://example.org/>\n{statements}\nendDocument".encode(), format="provn"
    )


def normal(statements: str, *, influences: bool = False) -> list[str]:
    """The statements of the normal form; without influences, which follow from every relation (15)."""
    lines = document(statements).normalized().write("provn").decode().splitlines()
    found = [line.strip().replace("ex:", "") for line in lines if re.match(r"  \w+\(", line)]
    return [line for line in found if influences or not line.startswith("wasInfluencedBy")]


INFERENCES = {
    "1-identifier": ("used(ex:a, ex:e, -)", ["used(_:n1; a, e, -)"]),
    "2-3-short-forms": ("wasGeneratedBy(ex:g; ex:e)", ["wasGeneratedBy(g; e, _:n1, -)"]),
    "4-placeholders": (
        "wasStartedBy(ex:s; ex:a, -, -, -)",
        ["wasGeneratedBy(_:n1; _:n2, _:n3, -)", "wasStartedBy(s; a, _:n2, _:n3, -)"],
    ),
    "4-plan-stays-absent": ("wasAssociatedWith(ex:s; ex:a, -, -)", ["wasAssociatedWith(s; a, _:n1, -)"]),
    "4-derivation-stays-unspecified": ("wasDerivedFrom(ex:d; ex:e2, ex:e1)", ["wasDerivedFrom(d; e2, e1)"]),
    "5": (
        "wasInformedBy(ex:i; ex:a2, ex:a1)",
        ["wasGeneratedBy(_:n1; _:n2, a1, -)", "used(_:n3; a2, _:n2, -)", "wasInformedBy(i; a2, a1)"],
    ),
    "5-holds-already": (
        "wasInformedBy(ex:i; ex:a2, ex:a1)\nwasGeneratedBy(ex:g; ex:e, ex:a1, -)\nused(ex:u; ex:a2, ex:e, -)",
        ["wasGeneratedBy(g; e, a1, -)", "used(u; a2, e, -)", "wasInformedBy(i; a2, a1)"],
    ),
    "6": (
        "wasGeneratedBy(ex:g; ex:e, ex:a1, -)\nused(ex:u; ex:a2, ex:e, -)",
        ["wasGeneratedBy(g; e, a1, -)", "used(u; a2, e, -)", "wasInformedBy(_:n1; a2, a1)"],
    ),
    "7-16": (
        "entity(ex:e)",
        [
            *("entity(e)", "wasGeneratedBy(_:n1; e, _:n2, -)", "wasInvalidatedBy(_:n3; e, _:n4, -)"),
            "alternateOf(e, e)",
        ],
    ),
    "8-9-10": (
        f"activity(ex:a, {T10}, {T11})",
        [
            f"activity(a, {T10}, {T11})",
            *("wasGeneratedBy(_:n1; _:n2, _:n3, -)", "wasGeneratedBy(_:n4; _:n5, _:n6, -)"),
            *(f"wasStartedBy(_:n7; a, _:n5, _:n6, {T10})", f"wasEndedBy(_:n8; a, _:n2, _:n3, {T11})"),
        ],
    ),
    "9": (
        "wasStartedBy(ex:s; ex:a, ex:e, ex:b, -)",
        ["wasGeneratedBy(_:n1; e, b, -)", "wasStartedBy(s; a, e, b, -)"],
    ),
    "10": ("wasEndedBy(ex:s; ex:a, ex:e, ex:b, -)", ["wasGeneratedBy(_:n1; e, b, -)", "wasEndedBy(s; a, e, b, -)"]),
    "11": (
        "wasDerivedFrom(ex:d; ex:e2, ex:e1, ex:a, ex:g, ex:u)",
        ["wasGeneratedBy(g; e2, a, -)", "used(u; a, e1, -)", "wasDerivedFrom(d; e2, e1, a, g, u)"],
    ),
    "11-unknown-usage": (
        "wasDerivedFrom(ex:d; ex:e2, ex:e1, ex:a, -, -)",
        ["wasGeneratedBy(_:n1; e2, a, -)", "used(_:n2; a, e1, -)", "wasDerivedFrom(d; e2, e1, a, _:n1, _:n2)"],
    ),
    "12": (
        "wasDerivedFrom(ex:d; ex:e2, ex:e1, [prov:type='prov:Revision'])",
        [
            "wasDerivedFrom(d; e2, e1, [prov:type='prov:Revision'])",
            *("alternateOf(e1, e1)", "alternateOf(e1, e2)", "alternateOf(e2, e1)", "alternateOf(e2, e2)"),
        ],
    ),
    "13": (
        "wasAttributedTo(ex:t; ex:e, ex:ag)",
        ["wasGeneratedBy(_:n1; e, _:n2, -)", "wasAttributedTo(t; e, ag)", "wasAssociatedWith(_:n3; _:n2, ag, _:n4)"],
    ),
    "14": (
        "actedOnBehalfOf(ex:d; ex:ag, ex:boss, ex:a)",
        [
            *("wasAssociatedWith(_:n1; a, ag, _:n2)", "wasAssociatedWith(_:n3; a, boss, _:n4)"),
            "actedOnBehalfOf(d; ag, boss, a)",
        ],
    ),
    "17-18": (
        "alternateOf(ex:a, ex:b)\nalternateOf(ex:b, ex:c)",
        [f"alternateOf({one}, {other})" for one in "abc" for other in "abc"],
    ),
    "19-20": (
        "specializationOf(ex:a, ex:b)\nspecializationOf(ex:b, ex:c)",
        [
            *("specializationOf(a, b)", "specializationOf(a, c)", "specializationOf(b, c)"),
            *(f"alternateOf({one}, {other})" for one in "abc" for other in "abc"),
        ],
    ),
    "22": (
        "agent(ex:ag, [ex:x='ex:y'])\nagent(ex:ag, [ex:x='ex:z'])",
        ["agent(ag, [x='y', x='z'])"],
    ),
    "23": (f"used(ex:u; ex:a, -, {T10})\nused(ex:u; ex:a, ex:e, -)", [f"used(u; a, e, {T10})"]),
    "24": ("wasGeneratedBy(ex:e, ex:a, -)\nwasGeneratedBy(ex:g; ex:e, ex:a, -)", ["wasGeneratedBy(g; e, a, -)"]),
    "25": (
        f"wasInvalidatedBy(ex:e, ex:a, {T10})\nwasInvalidatedBy(ex:i; ex:e, ex:a, -)",
        [f"wasInvalidatedBy(i; e, a, {T10})"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INFERENCES)
def test_inferences(name):
    statements, follows = INFERENCES[name]
    assert normal(statements) == follows


RELATIONS = {
    "wasGeneratedBy(ex:r; ex:x, ex:y, -, [ex:k='ex:v'])": "x, y",
    "used(ex:r; ex:x, ex:y, -, [ex:k='ex:v'])": "x, y",
    "wasInformedBy(ex:r; ex:x, ex:y, [ex:k='ex:v'])": "x, y",
    "wasStartedBy(ex:r; ex:x, ex:y, ex:z, -, [ex:k='ex:v'])": "x, y",
    "wasEndedBy(ex:r; ex:x, ex:y, ex:z, -, [ex:k='ex:v'])": "x, y",
    "wasInvalidatedBy(ex:r; ex:x, ex:y, -, [ex:k='ex:v'])": "x, y",
    "wasDerivedFrom(ex:r; ex:x, ex:y, -, -, -, [ex:k='ex:v'])": "x, y",
    "wasAttributedTo(ex:r; ex:x, ex:y, [ex:k='ex:v'])": "x, y",
    "wasAssociatedWith(ex:r; ex:x, ex:y, -, [ex:k='ex:v'])": "x, y",
    "actedOnBehalfOf(ex:r; ex:x, ex:y, -, [ex:k='ex:v'])": "x, y",
}


@pytest.mark.parametrize("statements", RELATIONS, ids=lambda statements: statements.partition("(")[0])
def test_15_each_relation_is_an_influence_with_its_attributes(statements):
    assert f"wasInfluencedBy(r; {RELATIONS[statements]}, [k='v'])" in normal(statements, influences=True)


def test_21_a_specialization_has_the_attributes_of_all_above_it():
    statements = "specializationOf(ex:a, ex:b)\nspecializationOf(ex:b, ex:c)\nentity(ex:c, [ex:x='ex:1'])\n"
    entities = [line for line in normal(f"{statements}entity(ex:b, [ex:x='ex:2'])") if line.startswith("entity")]
    assert entities == ["entity(a, [x='1', x='2'])", "entity(b, [x='1', x='2'])", "entity(c, [x='1'])"]


def test_28_29_times_spread_between_an_activity_and_its_events():
    events = f"wasStartedBy(ex:s; ex:a, ex:e, ex:b, {T10})\nwasEndedBy(ex:n; ex:a, ex:e, ex:b, {T11})"
    assert f"activity(a, {T10}, {T11})" in normal(f"activity(ex:a, -, -)\n{events}")


def test_a_mention_is_a_specialization():
    assert "specializationOf(e2, e1)" in normal("mentionOf(ex:e2, ex:e1, ex:b)")


def test_bundles_are_normalized_separately_and_keep_their_names():
    read = document("entity(ex:e)\nbundle ex:b\nalternateOf(ex:x, ex:y)\nendBundle").normalized()
    assert [bundle.id for bundle in read.bundles] == ["http://example.org/b"]
    assert {s.kind.name for s in read.bundles[0]} == {"alternateOf"}
    assert "alternateOf" in {s.kind.name for s in read.statements}


def test_an_invalid_document_has_no_normal_form_and_the_refusal_names_the_rules():
    with pytest.raises(Refused, match="prov-constraints:52") as refused:
        document("specializationOf(ex:e, ex:e)").normalized()
    assert [finding.rule for finding in refused.value.report.findings] == ["prov-constraints:52"]


def test_a_normal_form_that_would_be_too_large_is_not_begun():
    chain = [s for n in range(300) for s in document(f"alternateOf(ex:e{n}, ex:e{n + 1})").statements]
    with pytest.raises(TooLarge, match="more than 1,000 statements"):
        NormalForm(chain, limit=1000)


# Equivalence ----------------------------------------------------------------------------------------------------

REVISION = "[prov:type='prov:Revision']"
BLANK_CYCLE = "wasInformedBy({0}, {1})\nwasInformedBy({1}, {2})\nwasInformedBy({2}, {0})"

SAME = [
    ("", ""),
    ("entity(ex:e)", "entity(ex:e)\nentity(ex:e)"),
    ("entity(ex:e, [ex:x=1, ex:y=2])", "entity(ex:e, [ex:y=2])\nentity(ex:e, [ex:x=1])"),
    ("entity(ex:e, [ex:x=1, ex:x=1])", "entity(ex:e, [ex:x=1])"),
    ("entity(ex:a)\nentity(ex:b)", "entity(ex:b)\nentity(ex:a)"),
    ("used(ex:a, ex:e, -)", "used(ex:a, ex:e)"),
    ("used(ex:a, ex:e, -)", "used(ex:a, ex:e, -)\nused(ex:a, ex:e, -)"),
    ("used(ex:a, ex:e, -)", "used(_:u; ex:a, ex:e, -)"),
    ("used(_:u; ex:a, ex:e, -)", "used(_:other; ex:a, ex:e, -)"),
    ("used(ex:a)", "used(ex:a, -, -)"),
    ("used(ex:a, -, -)", "used(ex:a, _:x, -)"),
    ("wasGeneratedBy(ex:e)", "wasGeneratedBy(ex:e, -, -)"),
    ("wasGeneratedBy(ex:e, -, -)", "wasGeneratedBy(ex:e, _:a, -)"),
    ("wasGeneratedBy(ex:g; ex:e, ex:a, -)", "wasGeneratedBy(ex:g; ex:e, -, -)\nwasGeneratedBy(ex:g; ex:e, ex:a, -)"),
    ("wasGeneratedBy(ex:e, ex:a, -)", "wasGeneratedBy(ex:e, ex:a, -)\nwasGeneratedBy(_:g; ex:e, ex:a, -)"),
    (f"wasGeneratedBy(ex:e, ex:a, {T10})", f"wasGeneratedBy(ex:e, ex:a, {T10})\nwasGeneratedBy(ex:e, ex:a, -)"),
    (f"wasGeneratedBy(ex:e, -, {T10})", "wasGeneratedBy(ex:e, -, 2024-05-31T12:00:00+02:00)"),
    ("wasInvalidatedBy(ex:i; ex:e, ex:a)", "wasInvalidatedBy(ex:e, ex:a, -)\nwasInvalidatedBy(ex:i; ex:e, ex:a, -)"),
    (f"activity(ex:a, {T10}, {T11})", f"activity(ex:a, {T10}, -)\nactivity(ex:a, -, {T11})"),
    (f"activity(ex:a, {T10}, -)", f"activity(ex:a, {T10}, -)\nactivity(ex:a)"),
    ("activity(ex:a)", "activity(ex:a, -, -)"),
    ("wasStartedBy(ex:a)", "wasStartedBy(ex:a, -, -, -)"),
    ("wasStartedBy(ex:a, ex:e, ex:b, -)", "wasStartedBy(ex:a, ex:e, ex:b, -)\nwasGeneratedBy(ex:e, ex:b, -)"),
    ("wasStartedBy(ex:a, ex:e, ex:b, -)", "wasStartedBy(ex:a, -, ex:b, -)\nwasStartedBy(ex:a, ex:e, ex:b, -)"),
    ("wasEndedBy(ex:a, ex:e, ex:b, -)", "wasEndedBy(ex:a, ex:e, ex:b, -)\nwasGeneratedBy(ex:e, ex:b, -)"),
    (
        f"activity(ex:a, {T10}, -)\nwasStartedBy(ex:s; ex:a, ex:e, ex:b, {T10})",
        f"activity(ex:a, -, -)\nwasStartedBy(ex:s; ex:a, ex:e, ex:b, {T10})",
    ),
    ("wasAssociatedWith(ex:a, ex:ag)", "wasAssociatedWith(ex:a, ex:ag, -)"),
    ("wasAssociatedWith(ex:a, -, ex:p)", "wasAssociatedWith(ex:a, _:ag, ex:p)"),
    ("actedOnBehalfOf(ex:ag, ex:boss)", "actedOnBehalfOf(ex:ag, ex:boss, -)"),
    ("wasDerivedFrom(ex:e2, ex:e1)", "wasDerivedFrom(ex:e2, ex:e1, -, -, -)"),
    ("wasDerivedFrom(ex:e2, ex:e1, ex:a, -, -)", "wasDerivedFrom(ex:e2, ex:e1, ex:a, _:g, _:u)"),
    (
        "wasDerivedFrom(ex:e2, ex:e1, ex:a, ex:g, ex:u)",
        "wasDerivedFrom(ex:e2, ex:e1, ex:a, ex:g, ex:u)\nused(ex:u; ex:a, ex:e1, -)",
    ),
    (
        "wasDerivedFrom(ex:e2, ex:e1, ex:a, ex:g, ex:u)",
        "wasDerivedFrom(ex:e2, ex:e1, ex:a, ex:g, ex:u)\nwasGeneratedBy(ex:g; ex:e2, ex:a, -)",
    ),
    (f"wasDerivedFrom(ex:b, ex:a, {REVISION})", f"wasDerivedFrom(ex:b, ex:a, {REVISION})\nalternateOf(ex:b, ex:a)"),
    ("alternateOf(ex:a, ex:b)", "alternateOf(ex:b, ex:a)"),
    ("alternateOf(ex:a, ex:b)", "alternateOf(ex:a, ex:b)\nalternateOf(ex:a, ex:a)"),
    (
        "alternateOf(ex:a, ex:b)\nalternateOf(ex:b, ex:c)",
        "alternateOf(ex:a, ex:b)\nalternateOf(ex:a, ex:c)",
    ),
    ("entity(ex:e)", "entity(ex:e)\nalternateOf(ex:e, ex:e)"),
    ("specializationOf(ex:a, ex:b)", "specializationOf(ex:a, ex:b)\nalternateOf(ex:b, ex:a)"),
    (
        "specializationOf(ex:a, ex:b)\nspecializationOf(ex:b, ex:c)",
        "specializationOf(ex:a, ex:b)\nspecializationOf(ex:b, ex:c)\nspecializationOf(ex:a, ex:c)",
    ),
    (
        "entity(ex:b, [ex:x=1])\nspecializationOf(ex:a, ex:b)",
        "entity(ex:b, [ex:x=1])\nspecializationOf(ex:a, ex:b)\nentity(ex:a, [ex:x=1])",
    ),
    ("entity(ex:b)\nspecializationOf(ex:a, ex:b)", "entity(ex:b)\nspecializationOf(ex:a, ex:b)\nentity(ex:a)"),
    ("mentionOf(ex:a, ex:b, ex:c)", "mentionOf(ex:a, ex:b, ex:c)\nspecializationOf(ex:a, ex:b)"),
    ("used(ex:u; ex:a, ex:e, -)", "used(ex:u; ex:a, ex:e, -)\nwasInfluencedBy(ex:u; ex:a, ex:e)"),
    (
        "used(ex:u; ex:a, ex:e, -, [ex:x=1])",
        "used(ex:u; ex:a, ex:e, -, [ex:x=1])\nwasInfluencedBy(ex:u; ex:a, ex:e, [ex:x=1])",
    ),
    (
        "wasGeneratedBy(ex:e, ex:a1, -)\nused(ex:a2, ex:e, -)",
        "wasGeneratedBy(ex:e, ex:a1, -)\nused(ex:a2, ex:e, -)\nwasInformedBy(ex:a2, ex:a1)",
    ),
    (
        "used(_:u; ex:a, ex:e, -)\nwasDerivedFrom(ex:e2, ex:e, ex:a, -, _:u)",
        "used(_:v; ex:a, ex:e, -)\nwasDerivedFrom(ex:e2, ex:e, ex:a, -, _:v)",
    ),
    ("wasInformedBy(_:x, _:y)\nwasInformedBy(_:y, ex:a)", "wasInformedBy(_:p, ex:a)\nwasInformedBy(_:q, _:p)"),
    (BLANK_CYCLE.format("_:a", "_:b", "_:c"), BLANK_CYCLE.format("_:z", "_:x", "_:y")),
    ("entity(ex:e)\nbundle ex:b\nentity(ex:f)\nendBundle", "bundle ex:b\nentity(ex:f)\nendBundle\nentity(ex:e)"),
    (
        "bundle ex:b\nalternateOf(ex:x, ex:y)\nendBundle\nbundle ex:c\nendBundle",
        "bundle ex:c\nendBundle\nbundle ex:b\nalternateOf(ex:y, ex:x)\nendBundle",
    ),
]

OTHER = [
    ("", "entity(ex:e)"),
    ("entity(ex:e)", "entity(ex:f)"),
    ("entity(ex:e)", "agent(ex:e)"),
    ("entity(ex:e, [ex:x=1])", "entity(ex:e, [ex:x=2])"),
    ("entity(ex:e, [ex:x=1])", 'entity(ex:e, [ex:x="1"])'),
    ("entity(ex:e)", "entity(ex:e)\nwasGeneratedBy(ex:e, -, -)"),
    ("entity(ex:e)", "entity(ex:e)\nwasGeneratedBy(ex:e, ex:a, -)"),
    ("used(ex:a, ex:e, -)", "used(ex:u; ex:a, ex:e, -)"),
    ("used(ex:a, ex:e, -)", f"used(ex:a, ex:e, {T10})"),
    ("used(ex:a, ex:e, -)", "used(ex:a, -, -)"),
    ("used(ex:a, ex:e, -)", "used(ex:a, ex:e, -)\nused(ex:a, ex:e, -, [ex:x=1])"),
    ("used(ex:u; ex:a, ex:e, -)", "used(ex:u; ex:a, ex:e, -)\nused(ex:v; ex:a, ex:e, -)"),
    ("wasAssociatedWith(ex:a, ex:ag, -)", "wasAssociatedWith(ex:a, ex:ag, _:plan)"),
    ("wasDerivedFrom(ex:e2, ex:e1, -, -, -)", "wasDerivedFrom(ex:e2, ex:e1, ex:a, -, -)"),
    ("wasDerivedFrom(ex:e2, ex:e1, -, -, -)", "wasDerivedFrom(ex:e2, ex:e1, _:a, -, -)"),
    ("wasDerivedFrom(ex:e2, ex:e1)", "wasDerivedFrom(ex:e1, ex:e2)"),
    ("specializationOf(ex:a, ex:b)", "alternateOf(ex:a, ex:b)"),
    ("wasInformedBy(ex:a, ex:b)", "wasInformedBy(ex:b, ex:a)"),
    ("hadMember(ex:c, ex:a)\nhadMember(ex:c, ex:b)", "hadMember(ex:c, ex:a)"),
    ("wasGeneratedBy(ex:e, -, 2024-05-31T10:00:00)", f"wasGeneratedBy(ex:e, -, {T10})"),
    ("wasGeneratedBy(ex:e, _:a, -)\nused(_:a, ex:f, -)", "wasGeneratedBy(ex:e, _:a, -)\nused(_:b, ex:f, -)"),
    ("wasInformedBy(_:x, _:x)", "wasInformedBy(_:x, _:y)"),
    (
        BLANK_CYCLE.format("_:a", "_:b", "_:c") + "\n" + BLANK_CYCLE.format("_:d", "_:e", "_:f"),
        "\n".join(f"wasInformedBy(_:{one}, _:{other})" for one, other in zip("abcdef", "bcdefa", strict=True)),
    ),
    ("entity(ex:e)", "bundle ex:b\nentity(ex:e)\nendBundle"),
    ("bundle ex:b\nentity(ex:e)\nendBundle", "bundle ex:c\nentity(ex:e)\nendBundle"),
    ("bundle ex:b\nendBundle", ""),
]

UNDEFINED = [
    ("specializationOf(ex:e, ex:e)", "specializationOf(ex:e, ex:e)"),
    ("entity(ex:e)", "entity(ex:e)\nactivity(ex:e)"),
    ("bundle ex:b\nendBundle\nbundle ex:b\nendBundle", "bundle ex:b\nendBundle"),
]


def test_there_are_enough_pairs():
    assert len(SAME) + len(OTHER) >= 60


@pytest.mark.parametrize(("left", "right"), SAME)
def test_equivalent(left, right):
    compared = provrepo.compare(document(left), document(right))
    assert compared.equivalence.difference.left == compared.equivalence.difference.right == ()
    assert compared.equivalent is True


@pytest.mark.parametrize(("left", "right"), OTHER)
def test_not_equivalent_with_a_difference(left, right):
    found = equivalent(document(left), document(right))
    assert found.equivalent is False
    assert found.difference
    assert equivalent(document(right), document(left)).equivalent is False


@pytest.mark.parametrize(("left", "right"), UNDEFINED)
def test_an_invalid_document_is_equivalent_to_none(left, right):
    found = equivalent(document(left), document(right))
    assert found.equivalent is None
    assert "invalid" in found.reason


def test_comparing_statements_does_not_compute_equivalence(monkeypatch):
    def never(*_):
        raise AssertionError("nobody asked")

    monkeypatch.setattr("provrepo.checks.constraints.equivalence.equivalent", never)
    assert provrepo.compare(document("entity(ex:e)"), document("entity(ex:e)")).same


def test_variables_that_the_budget_cannot_distinguish_leave_equivalence_undecided(monkeypatch):
    # A graph in which all nodes look alike: refinement distinguishes none.
    edges = [(n, (n + step) % 13) for n in range(13) for step in (1, 3, 4, 9, 10, 12)]
    statements = "\n".join(f"wasInformedBy(_:a{one}, _:a{other})" for one, other in edges)
    with pytest.raises(TooLarge, match="budget"):
        components(NormalForm(document(statements).statements), steps=500)
    monkeypatch.setattr(canonical.components, "__kwdefaults__", {"steps": 500})
    found = equivalent(document(statements), document(statements))
    assert found.equivalent is None
    assert "budget" in found.reason


def test_many_swappable_variables_need_no_search():
    statements = "\n".join(f"used(_:u{n}; _:a, ex:e, -)" for n in range(60))
    assert equivalent(document(statements), document(statements)).equivalent is True


def test_every_format_of_a_document_is_equivalent_to_it():
    path = corpus("prov-constraints") / "unification-start-s5-PASS-c23-c26.provn"
    read = provrepo.read(path)
    for name in ("provjson", "provxml", "turtle", "provjsonld"):
        assert provrepo.compare(read, provrepo.read(read.write(name), format=name)).equivalent, name
