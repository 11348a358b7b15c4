"""PROV-O read as PROV-DM and written back: the Recommendation's forms, those in the wild, and the suite's cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats
from provrepo.codecs.provo.completion import complete
from provrepo.codecs.provo.reader import read_quads
from provrepo.codecs.provo.terms import CLASS, PLACES, PREDICATES, RELATIONS, VARIANTS
from provrepo.codecs.provo.writer import document_quads
from provrepo.codecs.rdf import codec as rdf
from provrepo.errors import ReadError
from provrepo.model.compare import compare
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import DERIVATION, KINDS, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_ROLE, PROV_TYPE
from tests.support.corpus import present
from tests.support.sampling import examples

PREFIXES = """\
@prefix ex: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
HEADER = "document\nprefix ex <http://example.org/>\nprefix rdfs <http://www.w3.org/2000/01/rdf-schema#>\n"
T, U = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"


def turtle(text: str) -> Document:
    return rdf.read((PREFIXES + text).encode(), format="trig", base=None)


def provn(text: str) -> Document:
    return formats.read(f"{HEADER}{text}\nendDocument".encode(), format="provn")


def instant(time: str) -> str:
    return f'"{time}"^^xsd:dateTime'


READS = {
    "two associations, the first with a plan": (
        "ex:a prov:wasAssociatedWith ex:ag1, ex:ag2 ; "
        "prov:qualifiedAssociation [ prov:agent ex:ag1 ; prov:hadPlan ex:p ] .",
        "wasAssociatedWith(ex:a, ex:ag1, ex:p) wasAssociatedWith(ex:a, ex:ag2, -)",
    ),
    "several nodes for one pair": (
        "ex:a prov:used ex:e ; prov:qualifiedUsage [ prov:entity ex:e ; prov:hadRole ex:r1 ], ex:u . "
        "ex:u a prov:Usage ; prov:entity ex:e .",
        "used(ex:a, ex:e, -, [prov:role='ex:r1']) used(ex:u; ex:a, ex:e, -)",
    ),
    "shortcuts alone": (
        "ex:e prov:wasGeneratedBy ex:a ; prov:wasDerivedFrom ex:d ; prov:wasAttributedTo ex:g . "
        "ex:g prov:actedOnBehalfOf ex:h . "
        "ex:b prov:wasInformedBy ex:a ; prov:wasStartedBy ex:e ; prov:wasEndedBy ex:e ; prov:wasInfluencedBy ex:g . "
        "ex:e prov:wasInvalidatedBy ex:b ; prov:specializationOf ex:f ; prov:alternateOf ex:f . "
        "ex:c prov:hadMember ex:e .",
        "wasGeneratedBy(ex:e, ex:a, -) wasDerivedFrom(ex:e, ex:d) wasAttributedTo(ex:e, ex:g) "
        "actedOnBehalfOf(ex:g, ex:h) "
        "wasInformedBy(ex:b, ex:a) wasStartedBy(ex:b, ex:e, -, -) wasEndedBy(ex:b, ex:e, -, -) "
        "wasInfluencedBy(ex:b, ex:g) "
        "wasInvalidatedBy(ex:e, ex:b, -) specializationOf(ex:e, ex:f) alternateOf(ex:e, ex:f) hadMember(ex:c, ex:e)",
    ),
    "inverses": (
        "ex:a prov:generated ex:e ; prov:invalidated ex:f ; prov:influenced ex:g . ex:e prov:wasUsedBy ex:b .",
        "wasGeneratedBy(ex:e, ex:a, -) wasInvalidatedBy(ex:f, ex:a, -) wasInfluencedBy(ex:g, ex:a) used(ex:b, ex:e, -)",
    ),
    "an inverse and its property say it once": (
        "ex:a prov:generated ex:e . ex:e prov:wasGeneratedBy ex:a ; prov:qualifiedGeneration [ prov:activity ex:a ] .",
        "wasGeneratedBy(ex:e, ex:a, -)",
    ),
    "all of a qualified start": (
        f"ex:a prov:qualifiedStart [ a prov:Start ; prov:entity ex:t ; prov:hadActivity ex:s ; "
        f"prov:atTime {instant(T)} ; prov:hadRole ex:r ; prov:atLocation ex:l ; rdfs:label 'x'@en ; ex:p 1 ] .",
        f"wasStartedBy(ex:a, ex:t, ex:s, {T}, "
        "[prov:role='ex:r', prov:location='ex:l', prov:label=\"x\"@en, ex:p=\"1\" %% xsd:integer])",
    ),
    "all of a qualified derivation": (
        "ex:e prov:qualifiedDerivation ex:x . ex:x prov:entity ex:d ; prov:hadActivity ex:a ; "
        "prov:hadGeneration ex:g ; prov:hadUsage ex:u .",
        "wasDerivedFrom(ex:x; ex:e, ex:d, ex:a, ex:g, ex:u)",
    ),
    "narrower derivations": (
        "ex:e prov:wasRevisionOf ex:d ; prov:wasDerivedFrom ex:d ; prov:hadPrimarySource ex:s ; "
        "prov:qualifiedQuotation [ prov:entity ex:q ; ex:p 1 ] ; prov:wasQuotedFrom ex:q .",
        "wasDerivedFrom(ex:e, ex:d, [prov:type='prov:Revision']) "
        "wasDerivedFrom(ex:e, ex:s, [prov:type='prov:PrimarySource']) "
        "wasDerivedFrom(ex:e, ex:q, [prov:type='prov:Quotation', ex:p=\"1\" %% xsd:integer])",
    ),
    "a revision beside a derivation that is not said to be one": (
        "ex:e prov:wasRevisionOf ex:d ; prov:qualifiedDerivation [ prov:entity ex:d ; prov:hadActivity ex:a ] .",
        "wasDerivedFrom(ex:e, ex:d, [prov:type='prov:Revision']) wasDerivedFrom(ex:e, ex:d, ex:a, -, -)",
    ),
    "narrower classes alone": (
        "ex:p a prov:Person . ex:o a prov:Organization . ex:s a prov:SoftwareAgent . ex:l a prov:Plan . "
        "ex:c a prov:Collection . ex:n a prov:EmptyCollection . ex:b a prov:Bundle .",
        "agent(ex:p, [prov:type='prov:Person']) agent(ex:o, [prov:type='prov:Organization']) "
        "agent(ex:s, [prov:type='prov:SoftwareAgent']) entity(ex:l, [prov:type='prov:Plan']) "
        "entity(ex:c, [prov:type='prov:Collection']) entity(ex:n, [prov:type='prov:EmptyCollection']) "
        "entity(ex:b, [prov:type='prov:Bundle'])",
    ),
    "an entity that is an agent": (
        "ex:x a prov:Entity, prov:Agent, prov:Person ; rdfs:label 'x' .",
        "entity(ex:x, [prov:label=\"x\"]) agent(ex:x, [prov:type='prov:Person'])",
    ),
    "times of an activity": (
        f"ex:a prov:startedAtTime {instant(T)} ; prov:endedAtTime {instant(U)} .",
        f"activity(ex:a, {T}, {U})",
    ),
    "an instant of the only generation": (
        f"ex:e prov:generatedAtTime {instant(T)} ; prov:wasGeneratedBy ex:a .",
        f"wasGeneratedBy(ex:e, ex:a, {T})",
    ),
    "an instant that is said already": (
        f"ex:e prov:generatedAtTime {instant(T)} ; "
        f"prov:qualifiedGeneration [ prov:activity ex:a ; prov:atTime {instant(T)} ] ; "
        "prov:wasGeneratedBy ex:b .",
        f"wasGeneratedBy(ex:e, ex:a, {T}) wasGeneratedBy(ex:e, ex:b, -)",
    ),
    "an instant of one of several": (
        f"ex:e prov:invalidatedAtTime {instant(T)} ; prov:wasInvalidatedBy ex:a, ex:b .",
        f"wasInvalidatedBy(ex:e, ex:a, -) wasInvalidatedBy(ex:e, ex:b, -) wasInvalidatedBy(ex:e, -, {T})",
    ),
    "two instants": (
        f"ex:e prov:generatedAtTime {instant(T)}, {instant(U)} ; prov:wasGeneratedBy ex:a .",
        f"wasGeneratedBy(ex:e, ex:a, -) wasGeneratedBy(ex:e, -, {T}) wasGeneratedBy(ex:e, -, {U})",
    ),
    "influences of every class": (
        "ex:e prov:qualifiedInfluence [ a prov:EntityInfluence ; prov:entity ex:d ], [ prov:agent ex:g ], "
        "[ a prov:Influence ; prov:influencer ex:i ] .",
        "wasInfluencedBy(ex:e, ex:d, [prov:type='prov:EntityInfluence']) "
        "wasInfluencedBy(ex:e, ex:g, [prov:type='prov:AgentInfluence']) wasInfluencedBy(ex:e, ex:i)",
    ),
    "an influence that is a usage": (
        "ex:a prov:used ex:e ; prov:qualifiedInfluence [ a prov:Usage ; prov:influencer ex:e ; ex:p 1 ] .",
        'used(ex:a, ex:e, -, [ex:p="1" %% xsd:integer])',
    ),
    "an agent given twice on one blank node": (
        "ex:a prov:qualifiedAssociation [ prov:agent ex:g, ex:h ; prov:hadPlan ex:p ] .",
        "wasAssociatedWith(ex:a, ex:g, ex:p) wasAssociatedWith(ex:a, ex:h, ex:p)",
    ),
    "nodes without an owner": ("ex:u a prov:Usage ; prov:entity ex:e .", "used(ex:u; -, ex:e, -)"),
    "a mention": (
        "ex:e prov:mentionOf ex:f ; prov:asInBundle ex:b .",
        "mentionOf(ex:e, ex:f, ex:b)",
    ),
    "dictionaries": (
        "ex:d prov:hadDictionaryMember [ a prov:KeyEntityPair ; prov:pairKey 'k' ; prov:pairEntity ex:e ] . "
        "ex:d prov:derivedByInsertionFrom ex:c ; prov:qualifiedInsertion [ a prov:Insertion ; prov:dictionary ex:c ; "
        "prov:insertedKeyEntityPair [ prov:pairKey 1 ; prov:pairEntity ex:e ] ] . "
        "ex:b prov:qualifiedRemoval ex:r . ex:r prov:dictionary ex:d ; prov:removedKey 'ex:k'^^xsd:QName, 'l' .",
        'prov:hadDictionaryMember(ex:d, ex:e, "k") '
        'prov:derivedByInsertionFrom(ex:d, ex:c, {("1" %% xsd:integer, ex:e)}) '
        "prov:derivedByRemovalFrom(ex:r; ex:b, ex:d, {'ex:k', \"l\"})",
    ),
    "own properties and classes": (
        "ex:made rdfs:subPropertyOf ex:did . ex:did rdfs:subPropertyOf prov:generated, prov:influenced . "
        "ex:File rdfs:subClassOf prov:Entity . ex:Reading rdfs:subClassOf prov:Usage . "
        "ex:a a prov:Activity ; ex:made ex:e . ex:e a ex:File . ex:u a ex:Reading ; prov:entity ex:e .",
        "activity(ex:a, -, -, [ex:made='ex:e']) entity(ex:e, [prov:type='ex:File']) wasGeneratedBy(ex:e, ex:a, -) "
        "used(ex:u; -, ex:e, -, [prov:type='ex:Reading'])",
    ),
    "described but not typed": (
        "ex:e prov:wasAttributedTo ex:g ; rdfs:label 'e' . ex:g ex:p 1 .",
        'wasAttributedTo(ex:e, ex:g) entity(ex:e, [prov:label="e"]) agent(ex:g, [ex:p="1" %% xsd:integer])',
    ),
    "named graphs": (
        "ex:b { ex:e a prov:Entity . } ex:b a prov:Bundle . ex:c { ex:e prov:wasGeneratedBy ex:a . }",
        "entity(ex:b, [prov:type='prov:Bundle']) bundle ex:b entity(ex:e) endBundle "
        "bundle ex:c wasGeneratedBy(ex:e, ex:a, -) endBundle",
    ),
}


@pytest.mark.parametrize("case", READS)
def test_reading(case: str) -> None:
    source, expected = READS[case]
    document = turtle(source)
    declarations = [quad for quad in document.unmapped.quads if quad.predicate.startswith("http://www.w3.org/2000/01/")]
    assert str(compare(provn(expected), document).difference) == ""
    assert len(document) == len(provn(expected)), document.statements
    assert len(document.unmapped) == len(declarations)


@pytest.mark.parametrize("case", READS)
def test_what_was_read_is_written_as_the_same(case: str) -> None:
    document = turtle(READS[case][0])
    again = rdf.read(rdf.write(document, format="trig"), format="trig", base=None)
    assert str(compare(document, again).difference) == ""


@given(case=st.sampled_from(sorted(READS)), random=st.randoms(use_true_random=False))
@settings(max_examples=examples(100), deadline=None)
def test_reading_does_not_depend_on_the_order_of_triples(case: str, random: object) -> None:
    quads = rdf.parse((PREFIXES + READS[case][0]).encode(), "trig").quads
    document = read_quads(quads)
    random.shuffle(quads)  # type: ignore[attr-defined]
    assert str(compare(document, read_quads(quads)).difference) == ""


UNMAPPED = {
    "ex:a prov:used 'a literal' .": "identifier",
    "ex:a prov:qualifiedUsage 'a literal' .": "identifier",
    "ex:u a prov:Usage ; prov:entity 'a literal' .": "identifier",
    "ex:a a prov:Activity ; prov:startedAtTime '2020'^^xsd:gYear .": "xsd:dateTime",
    "ex:e a prov:Entity ; prov:generatedAtTime 'yesterday' .": "xsd:dateTime",
    "ex:u a prov:Usage ; prov:atTime '2020-01-01'^^xsd:date .": "xsd:dateTime",
    "ex:place rdfs:label 'Wien' .": "neither",
    "ex:l a prov:Location .": "neither",
    "ex:e a prov:Entity ; prov:asInBundle ex:b .": "asInBundle",
    "ex:d prov:hadDictionaryMember 'a literal' .": "identifier",
}


@pytest.mark.parametrize("source", UNMAPPED)
def test_what_has_no_place_is_kept_with_a_reason(source: str) -> None:
    document = turtle(source)
    assert len(document.unmapped) == 1
    (reason,) = document.unmapped.reasons
    assert UNMAPPED[source] in reason
    assert set(document.unmapped.quads) <= set(document_quads(document))


def test_a_pair_with_a_name_of_its_own_is_kept_beside_the_statement() -> None:
    document = turtle("ex:d prov:hadDictionaryMember ex:p . ex:p prov:pairKey 'k' ; prov:pairEntity ex:e .")
    assert compare(document, provn('prov:hadDictionaryMember(ex:d, ex:e, "k")')).same
    assert len(document.unmapped) == 3
    again = rdf.read(rdf.write(document, format="turtle"), format="turtle", base=None)
    assert compare(document, again).same
    assert len(again.unmapped) == 3


def test_a_pair_that_is_described_as_an_entity_is_an_attribute_of_its_dictionary() -> None:
    document = turtle(
        "ex:d a prov:Dictionary ; prov:hadDictionaryMember ex:p . "
        "ex:p a prov:Entity, prov:KeyEntityPair ; prov:pairKey 'k' ; prov:pairEntity ex:e ."
    )
    expected = provn(
        "entity(ex:d, [prov:type='prov:Dictionary', prov:hadDictionaryMember='ex:p']) "
        "entity(ex:p, [prov:type='prov:KeyEntityPair', prov:pairKey=\"k\", prov:pairEntity='ex:e'])"
    )
    assert compare(document, expected).same
    assert not len(document.unmapped)
    assert not formats.losses(expected, "turtle")


def test_several_values_in_several_places_of_a_blank_node_are_not_paired() -> None:
    document = turtle("ex:a prov:qualifiedAssociation [ prov:agent ex:g, ex:h ; prov:hadPlan ex:p, ex:q ] .")
    assert [statement.args[1:] for statement in document] == [(f"http://example.org/{x}", None) for x in "gh"]
    assert [quad.object for quad in document.unmapped.quads] == [f"http://example.org/{x}" for x in "pq"]
    again = rdf.read(rdf.write(document, format="turtle"), format="turtle", base=None)
    assert compare(document, again).same
    assert len(again.unmapped) == 2


def test_a_node_with_very_many_values_makes_no_product() -> None:
    many = ", ".join(f"ex:v{n}" for n in range(400))
    owners = " ".join(f"ex:a{n} prov:qualifiedStart ex:s ." for n in range(400))
    document = turtle(f"{owners} ex:s prov:entity {many} ; prov:hadActivity {many} .")
    assert len(document) == 400
    assert len(document.unmapped) == 800


def test_what_repeats_over_many_statements_has_a_bound() -> None:
    many = ", ".join(f"ex:v{n}" for n in range(400))
    for source in (
        f"ex:a prov:qualifiedUsage [ prov:entity {many} ; ex:p {many} ] .",
        " ".join(f"ex:d{n} prov:hadDictionaryMember _:p ." for n in range(400)) + f" _:p prov:pairKey {many} .",
        f"ex:p rdfs:subPropertyOf {many} . ex:q rdfs:subPropertyOf ex:p .",
    ):
        document = turtle(source)
        assert len(document) <= 400
        assert sum(len(statement.attributes) for statement in document) <= 100_000


def test_blank_nodes_that_something_refers_to_keep_their_name() -> None:
    document = turtle(
        "ex:a prov:qualifiedUsage _:u, _:v . ex:e prov:qualifiedDerivation [ prov:hadUsage _:u ; prov:entity ex:d ] ."
    )
    named = [statement.id for statement in document if statement.kind.name == "used"]
    (derivation,) = [statement for statement in document if statement.kind is DERIVATION]
    assert sorted(named, key=str) == sorted([None, derivation.args[4]], key=str)


def test_an_entity_is_guessed_with_a_warning() -> None:
    (warning,) = turtle("ex:e prov:wasAttributedTo ex:g ; rdfs:label 'e' .").warnings
    assert warning.message.startswith("1 thing is described but not typed")


def test_spans_without_end_make_no_product() -> None:
    times = ", ".join(instant(f"2020-01-01T00:00:{n:02d}Z") for n in range(40))
    document = turtle(f"ex:a a prov:Activity ; prov:startedAtTime {times} ; prov:endedAtTime {times} .")
    assert len(document) == 80


def shortcuts(document: Document) -> list[str]:
    return sorted(quad.predicate.removeprefix(PROV) for quad in document_quads(document))


def test_a_bare_relation_is_one_triple() -> None:
    assert shortcuts(provn("used(ex:a, ex:e, -)")) == ["used"]
    assert shortcuts(provn("wasDerivedFrom(ex:e, ex:d, [prov:type='prov:Revision'])")) == [
        "wasDerivedFrom",
        "wasRevisionOf",
    ]


def test_a_qualified_relation_has_its_shortcut_beside_it() -> None:
    written = shortcuts(provn(f"used(ex:a, ex:e, {T})"))
    assert written == sorted(
        ["used", "qualifiedUsage", "entity", "atTime", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"]
    )


def test_a_bare_relation_has_a_node_where_the_shortcut_would_be_read_as_another() -> None:
    document = provn('used(ex:a, ex:e, -) used(ex:a, ex:e, -, [ex:p="1"])')
    assert shortcuts(document).count("qualifiedUsage") == 2


def test_fresh_labels_meet_none_of_the_document() -> None:
    statement = Statement(KINDS["used"], Identifier("_:r1"), (Identifier("_:a b"), Identifier("_:r2"), T))
    document = Document([statement, Statement(KINDS["used"], None, (*statement.args[:2], U))])
    assert compare(document, read_quads(document_quads(document))).same


def test_the_table_covers_every_kind() -> None:
    assert [kind.name for kind in RELATIONS] == [kind.name for kind in KINDS.values() if not kind.element]
    for kind, terms in RELATIONS.items():
        assert len(terms.ends) == len(kind.arguments)
        assert PREDICATES[terms.shortcut].kind is kind
        if terms.qualified is not None:
            assert len(terms.properties) == len(kind.arguments) - 1
            assert set(terms.properties) <= set(PLACES[kind])
    assert len(CLASS) == len({id(kind) for kind in CLASS.values()})
    assert all(PREDICATES[variant.shortcut].variant == cls for cls, variant in VARIANTS.items())


# --- the corpus -------------------------------------------------------------------------------------------------------


def rdf_files() -> list[Path]:
    folder = present("documents")
    suffixes = {".ttl": "turtle", ".trig": "trig", ".nt": "ntriples", ".jsonld": "rdfjsonld", ".rdf": "rdfxml"}
    return [path for path in sorted(folder.rglob("*")) if path.suffix in suffixes] if folder else []


@pytest.mark.parametrize("path", rdf_files(), ids=lambda path: "/".join(path.parts[-3:]))
def test_documents_of_other_tools_read_and_survive_export(path: Path) -> None:
    data = path.read_bytes()
    if b"&lt;" in data[:200]:
        with pytest.raises(ReadError):
            formats.read(path)
        return
    name = {".ttl": "turtle", ".trig": "trig", ".nt": "ntriples", ".jsonld": "rdfjsonld", ".rdf": "rdfxml"}[path.suffix]
    quads, prefixes = rdf.parse(data, name, "http://base.example/dir/")
    document = read_quads(quads, prefixes)
    assert accounted(quads, document) == []
    again = rdf.read(rdf.write(document, format="trig"), format="trig", base=None)
    assert formats.losses(document, "trig") or compare(document, again).same
    assert len(again.unmapped) == len(document.unmapped)


RENAMED = {PROV_TYPE, PROV_LABEL, PROV_ROLE}
"""Attributes of PROV-DM that some tools write under that name; they are written as PROV-O's property."""


def accounted(quads: list[Quad], document: Document) -> list[Quad]:
    """The quads that are neither written again nor follow from what is."""
    graphs: dict[Identifier | None, list[Quad]] = {}
    for quad in document_quads(document):
        graphs.setdefault(quad.graph, []).append(quad)
    for triples in graphs.values():
        triples.extend(complete(triples, lambda subject, predicate, value: Identifier("_:x")))
    written = {blurred(quad) for triples in graphs.values() for quad in triples}
    return [quad for quad in quads if quad.predicate not in RENAMED and blurred(quad) not in written]


def blurred(quad: Quad) -> tuple[object, ...]:
    """The quad without the labels of its blank nodes, which are others on each reading."""
    return tuple("_:" if isinstance(term, str) and term.startswith("_:") else term for term in quad)
