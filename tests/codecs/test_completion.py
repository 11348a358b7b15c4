"""What follows from PROV-O triples: each rule, that nothing is guessed, and that once is enough."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.provo.completion import complete, minted
from provrepo.codecs.provo.reader import read_quads
from provrepo.codecs.provo.terms import CLASS, PLACES, PREDICATES, SUBCLASSES, SUBTYPES, TYPE
from provrepo.codecs.provo.writer import document_quads
from provrepo.codecs.rdf import codec as rdf
from provrepo.model.compare import compare
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.vocab import PROV, XSD_DATETIME
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"
PREFIXES = """\
@prefix ex: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
TIME = '"2020-01-01T00:00:00Z"^^xsd:dateTime'

RULES = {
    "a qualified node gives its shortcut and class": (
        "ex:a prov:qualifiedUsage ex:u . ex:u prov:entity ex:e .",
        "ex:u a prov:Usage . ex:a prov:used ex:e .",
    ),
    "a shortcut gives a qualified node": (
        "ex:a prov:used ex:e .",
        "ex:a prov:qualifiedUsage ex:MINTED . ex:MINTED a prov:Usage ; prov:entity ex:e .",
    ),
    "a shortcut with a node gives nothing": (
        "ex:a prov:used ex:e ; prov:qualifiedUsage ex:u . ex:u a prov:Usage ; prov:entity ex:e .",
        "",
    ),
    "inverses both ways": (
        "ex:a prov:generated ex:e . ex:e prov:qualifiedGeneration ex:g . ex:g a prov:Generation ; prov:activity ex:a . "
        "ex:f prov:qualifiedInvalidation ex:i . ex:i a prov:Invalidation ; prov:activity ex:a .",
        "ex:e prov:wasGeneratedBy ex:a . ex:f prov:wasInvalidatedBy ex:a . ex:a prov:invalidated ex:f .",
    ),
    "reserved inverses one way": (
        "ex:e prov:wasMemberOf ex:c . ex:u prov:qualifiedUsageOf ex:a . ex:u a prov:Usage ; prov:entity ex:e .",
        "ex:c prov:hadMember ex:e . ex:a prov:qualifiedUsage ex:u ; prov:used ex:e .",
    ),
    "a revision is a derivation": (
        "ex:e prov:qualifiedRevision ex:r . ex:r prov:entity ex:d .",
        "ex:r a prov:Revision, prov:Derivation . ex:e prov:qualifiedDerivation ex:r ; "
        "prov:wasRevisionOf ex:d ; prov:wasDerivedFrom ex:d .",
    ),
    "a revision by its shortcut": (
        "ex:e prov:wasRevisionOf ex:d .",
        "ex:e prov:wasDerivedFrom ex:d ; prov:qualifiedRevision ex:MINTED ; prov:qualifiedDerivation ex:MINTED . "
        "ex:MINTED a prov:Revision, prov:Derivation ; prov:entity ex:d .",
    ),
    "a quotation beside a derivation that is none": (
        "ex:e prov:wasQuotedFrom ex:d ; prov:qualifiedDerivation ex:x . ex:x a prov:Derivation ; prov:entity ex:d .",
        "ex:e prov:wasDerivedFrom ex:d ; prov:qualifiedQuotation ex:MINTED ; prov:qualifiedDerivation ex:MINTED . "
        "ex:MINTED a prov:Quotation, prov:Derivation ; prov:entity ex:d .",
    ),
    "narrower classes": (
        "ex:p a prov:Plan . ex:q a prov:Person . ex:c a prov:EmptyCollection .",
        "ex:p a prov:Entity . ex:q a prov:Agent . ex:c a prov:Collection, prov:Entity .",
    ),
    "times of qualified events": (
        f"ex:e prov:wasGeneratedBy ex:a ; prov:qualifiedGeneration ex:g . ex:a prov:generated ex:e . "
        f"ex:g a prov:Generation ; prov:activity ex:a ; prov:atTime {TIME} . "
        f"ex:a prov:qualifiedEnd ex:x . ex:x a prov:End ; prov:atTime {TIME} .",
        f"ex:e prov:generatedAtTime {TIME} . ex:a prov:endedAtTime {TIME} .",
    ),
    "an instant is not paired": (
        f"ex:e prov:generatedAtTime {TIME} ; prov:wasGeneratedBy ex:a . ex:a prov:generated ex:e . "
        "ex:e prov:qualifiedGeneration ex:g . ex:g a prov:Generation ; prov:activity ex:a .",
        "",
    ),
    "an influence that is a usage": (
        "ex:a prov:qualifiedInfluence ex:u . ex:u a prov:Usage ; prov:influencer ex:e .",
        "ex:a prov:qualifiedUsage ex:u ; prov:used ex:e . ex:u prov:entity ex:e .",
    ),
    "an influence by an agent": (
        "ex:e prov:qualifiedInfluence ex:i . ex:i a prov:AgentInfluence ; prov:agent ex:g .",
        "ex:i a prov:Influence ; prov:influencer ex:g . ex:e prov:wasInfluencedBy ex:g . ex:g prov:influenced ex:e .",
    ),
    "what the document declares": (
        "ex:made rdfs:subPropertyOf prov:generated . ex:Reading rdfs:subClassOf prov:Usage . "
        "ex:File rdfs:subClassOf prov:Plan . ex:f a ex:File . ex:a ex:made ex:e . ex:u a ex:Reading . "
        "ex:e prov:qualifiedGeneration ex:g . ex:g a prov:Generation ; prov:activity ex:a .",
        "ex:e prov:wasGeneratedBy ex:a . ex:a prov:generated ex:e . "
        "ex:u a prov:Usage . ex:f a prov:Plan, prov:Entity .",
    ),
    "a dictionary": (
        "ex:d prov:derivedByInsertionFrom ex:c ; prov:qualifiedInsertion ex:i . "
        "ex:i a prov:Insertion ; prov:dictionary ex:c . "
        "ex:d prov:hadDictionaryMember ex:p . ex:p prov:pairEntity ex:e .",
        "ex:d prov:wasDerivedFrom ex:c ; prov:hadMember ex:e .",
    ),
    "nothing to say": ("ex:a ex:p ex:b . ex:e a prov:Entity ; prov:used 'a literal' .", ""),
}


def parsed(text: str) -> list[Quad]:
    return rdf.parse((PREFIXES + text).encode(), "turtle").quads


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    asserted, expected = (parsed(text) for text in RULES[rule])
    added = complete(asserted, lambda subject, predicate, value: Identifier(EX + "MINTED"))
    assert sorted(map(str, added)) == sorted(map(str, expected))
    assert complete(asserted + added, lambda subject, predicate, value: Identifier(EX + "MINTED")) == []


_NAMES = st.sampled_from([Identifier(EX + name) for name in "abcdef"] + [Identifier("_:n")])
_PREDICATES = st.sampled_from(
    [Identifier(name) for name in sorted({*PREDICATES, *(name for places in PLACES.values() for name in places)})]
)
_CLASSES = st.sampled_from([Identifier(name) for name in sorted({*CLASS, *SUBCLASSES, *SUBTYPES})])
_INSTANT = st.just(Literal("2020-01-01T00:00:00Z", XSD_DATETIME))
_TRIPLES = st.tuples(_NAMES, _PREDICATES, _NAMES | _INSTANT) | st.tuples(_NAMES, st.just(TYPE), _CLASSES)
_QUADS = _TRIPLES.map(lambda triple: Quad(*triple))


@given(quads=st.lists(_QUADS, max_size=12), random=st.randoms(use_true_random=False))
@settings(max_examples=examples(300), deadline=None)
def test_once_is_enough_and_order_does_not_matter(quads: list[Quad], random: object) -> None:
    added = complete(quads)
    assert not set(added) & set(quads)
    assert len(set(added)) == len(added)
    assert complete([*quads, *added]) == []
    shuffled = list(quads)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(complete(shuffled)) == set(added)


def drop_ids(document: Document) -> set[tuple[object, ...]]:
    """What relations there are, whatever their nodes are called."""
    return {(statement.kind.name, statement.args) for statement in document if not statement.kind.element}


@given(document=documents(bundles=False, awkward_identifiers=False, named=False))
@settings(max_examples=examples(60), deadline=None)
def test_completed_triples_relate_nothing_new(document: Document) -> None:
    quads = document_quads(document)
    again = read_quads([*quads, *complete(quads)])
    # An influence of an activity on its own start adds times, and nothing else does.
    assert drop_ids(read_quads(quads)) <= drop_ids(again)
    pairs = {(name, args[:2]) for name, args in drop_ids(document)}
    derived = {("wasDerivedFrom", args) for name, args in pairs if name.startswith("derivedBy")}
    members = {("hadMember", args) for name, args in pairs if name == "hadDictionaryMember"}
    assert {(name, args[:2]) for name, args in drop_ids(again)} == pairs | derived | members


def test_a_node_shared_by_very_many_makes_no_product() -> None:
    many = ", ".join(f"ex:v{n}" for n in range(300))
    times = ", ".join(f'"{n}"^^xsd:dateTime' for n in range(300))
    owners = " ".join(f"ex:a{n} prov:qualifiedGeneration ex:s ." for n in range(300))
    quads = parsed(f"{owners} ex:s prov:activity {many} ; prov:atTime {times} .")
    added = complete(quads)
    assert len(added) < len(quads)
    assert complete([*quads, *added]) == []


def test_minted_names_depend_on_the_triple_alone() -> None:
    triple = Identifier(EX + "a"), Identifier(PROV + "used"), Identifier(EX + "e")
    assert minted(*triple) == minted(*triple) == "urn:uuid:" + minted(*triple)[9:]
    assert minted(*triple) != minted(triple[2], triple[1], triple[0])


def test_the_graph_stays() -> None:
    graph = Identifier(EX + "g")
    assert {
        quad.graph for quad in complete([quad._replace(graph=graph) for quad in parsed("ex:a prov:used ex:e .")])
    } == {graph}


def test_read_back_it_is_the_same_document() -> None:
    quads = parsed("ex:e prov:wasGeneratedBy ex:a ; prov:wasRevisionOf ex:d . ex:e a prov:Entity .")
    nodes = complete(quads, lambda subject, predicate, value: Identifier("_:" + predicate.rpartition("#")[2]))
    assert compare(read_quads(quads), read_quads([*quads, *nodes])).same
