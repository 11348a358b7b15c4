"""The RDF syntaxes: what is read, what is refused and where, and that writing loses only what it says it loses."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.codecs import formats
from provrepo.codecs.convert import convert
from provrepo.codecs.rdf import codec as rdf
from provrepo.errors import ReadError, TooLarge, WriteError
from provrepo.model.compare import compare
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier, Literal, Rdf12Term
from provrepo.model.statements import DERIVATION, ENTITY, KINDS, MEMBERSHIP, USAGE, DictionaryEntry, Statement
from provrepo.repository.repository import Repository
from provrepo.vocab import PROV, PROV_TYPE, RDF12_TERM, RDFS_LABEL, XSD
from tests.support.sampling import examples
from tests.support.strategies import documents

RDF_FORMATS = [row.name for row in formats.FORMATS if row.rdf]
DATASETS = [row.name for row in formats.FORMATS if row.rdf and row.bundles]
EX = "http://example.org/"
PREFIXES = "@prefix ex: <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .\n"


def ex(local: str) -> Identifier:
    return Identifier(EX + local)


PROV_CLASSES = [
    Identifier(PROV + name)
    for name in (
        *("Entity", "Activity", "Agent", "Plan", "Person", "Bundle", "Collection", "Location"),
        *("Revision", "Quotation", "PrimarySource", "Derivation", "Usage", "Generation", "Association"),
        *("Influence", "EntityInfluence"),
    )
]


_NAMES = st.sampled_from([ex("a"), ex("b"), ex("c"), Identifier("_:n"), Identifier("_:x y")])
_ATTRIBUTE = st.one_of(
    st.tuples(st.just(Identifier(PROV_TYPE)), st.sampled_from(PROV_CLASSES)),
    st.tuples(st.just(ex("tag")), st.sampled_from([Literal("1"), ex("a"), Identifier("_:n")])),
    st.tuples(st.sampled_from([Identifier(PROV + n) for n in ("role", "used", "entity", "atTime")]), _NAMES),
    st.tuples(st.just(Identifier(RDFS_LABEL)), st.just(Literal("label"))),
)
_ENTRY = st.builds(
    DictionaryEntry, st.sampled_from([Literal("k"), Literal("ex:k", PROV + "QUALIFIED_NAME"), ex("k")]), _NAMES
)
_ATTRIBUTES, _ENTRIES = st.lists(_ATTRIBUTE, max_size=2), st.lists(_ENTRY, max_size=2)
_KINDS = st.sampled_from([*KINDS.values(), DERIVATION, DERIVATION, USAGE])
_TIMES = st.sampled_from(["2020-01-01T00:00:00Z", "never"])
_SIZES, _DIGITS, _EITHER = st.integers(1, 5), st.integers(0, 9), st.booleans()


@st.composite
def prov_typed(draw: st.DrawFn) -> Document:
    """Documents whose few identifiers, PROV types and properties get in each other's way."""
    found = []
    for _ in range(draw(_SIZES)):
        kind = draw(_KINDS)
        args = tuple(draw(_TIMES if a.time else _NAMES) if draw(_DIGITS) > 1 else None for a in kind.arguments)
        own = draw(_NAMES) if kind.element or (kind.identified and draw(_EITHER)) else None
        attributes = tuple(draw(_ATTRIBUTES)) if kind.attributed else ()
        entries = tuple(draw(_ENTRIES)) if kind.entries is not None else ()
        found.append(Statement(kind, own, args, attributes, entries=entries))
    return Document(statements=found)


def assert_kept(document: Document, name: str) -> None:
    if formats.losses(document, name):
        return
    back = rdf.read(rdf.write(document, format=name), format=name, base=None)
    assert str(compare(document, back).difference) == ""
    assert not len(back.unmapped)


@pytest.mark.parametrize("name", RDF_FORMATS)
@given(document=documents(controls=True, missing_mandatory=True, repeated_bundles=True, repeated_relations=True))
@settings(max_examples=examples(60), deadline=None)
def test_what_is_not_reported_lost_is_read_back(document: Document, name: str) -> None:
    assert_kept(document, name)


@given(document=prov_typed(), name=st.sampled_from(RDF_FORMATS))
@settings(max_examples=examples(400), deadline=None)
def test_what_is_not_reported_lost_is_read_back_among_prov_terms(document: Document, name: str) -> None:
    assert_kept(document, name)


@pytest.mark.parametrize(
    ("data", "name", "line", "column", "says"),
    [
        (b"@prefix ex: <http://e/> .\nex:a ex:b ex:c ;; nope:d 1 .", "turtle", 2, 19, "nope"),
        (b"@prefix ex: <http://e/> .\nex:a ex:b <rel> .", "turtle", 2, 11, "without a base"),
        (b"<http://e/a> <http://e/b> <rel> .", "ntriples", 1, 27, "without a base"),
        (b'{\n "@id": "rel", "http://e/b": 1}', "rdfjsonld", 2, 9, "<rel> without a base"),
        (b'{\n "@id": "../up#x", "http://e/b": 1}', "rdfjsonld", 2, 9, "without a base"),
        (b'{"@context": "https://far.example/c",\n "@id": "http://e/a"}', "rdfjsonld", 1, 15, "https://far.example/c"),
        (b'{"@context": [{}, {"@import": "https://far.example/c"}]}', "rdfjsonld", 1, 32, "never fetched"),
        (b'{"@id": "http://e/a", ', "rdfjsonld", 1, None, ""),
        (b"<a b> <http://e/b> 1 .", "turtle", 1, None, ""),
    ],
)
def test_unreadable_input_is_refused_with_its_place(
    data: bytes, name: str, line: int | None, column: int | None, says: str
) -> None:
    with pytest.raises(ReadError) as caught:
        rdf.read(data, format=name, base=None)
    assert says in str(caught.value)
    assert caught.value.line == line
    assert column is None or caught.value.column == column
    assert caught.value.format == name


def test_relative_iri_in_rdfxml_is_found_in_the_source() -> None:
    data = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://e/">
  <rdf:Description rdf:about="rel"><ex:p>1</ex:p></rdf:Description>
</rdf:RDF>"""
    with pytest.raises(ReadError) as caught:
        rdf.read(data, format="rdfxml", base=None)
    assert (caught.value.line, caught.value.column) == (2, 30)


@pytest.mark.parametrize("name", ["turtle", "rdfjsonld"])
def test_relative_iris_are_resolved_against_the_base(name: str) -> None:
    data = b"<rel> <http://e/p> 1 ." if name == "turtle" else b'{"@id": "rel", "http://e/p": 1}'
    assert rdf.parse(data, name, "http://base.example/dir/").quads[0].subject == "http://base.example/dir/rel"


def test_a_base_that_is_no_iri_is_refused() -> None:
    with pytest.raises(ReadError, match="cannot be a base IRI"):
        rdf.parse(b"<rel> <http://e/p> 1 .", "turtle", "nowhere")


def test_blank_nodes_are_numbered_by_first_occurrence_in_every_parse() -> None:
    data = PREFIXES.encode() + b"ex:a ex:p [ ex:q _:z ], [ ex:q _:z ] . _:b1 ex:r _:z ."
    first = rdf.parse(data, "turtle").quads
    assert first == rdf.parse(data, "turtle").quads
    assert len({term for quad in first for term in (quad.subject, quad.object) if term[:2] == "_:"}) == 4
    assert [quad.subject for quad in first if quad.predicate == ex("r")] == ["_:b4"]


def test_literals_keep_their_spelling() -> None:
    data = PREFIXES.encode() + b'ex:a ex:p "007"^^<http://www.w3.org/2001/XMLSchema#integer>, 1.10, "x"@EN-gb, true .'
    values = [quad.object for quad in rdf.parse(data, "turtle").quads]
    assert values[0] == Literal("007", XSD + "integer")
    assert values[1] == Literal("1.10", XSD + "decimal")
    assert isinstance(values[2], Literal)
    assert (values[2].language or "").lower() == "en-gb"
    assert values[3] == Literal("true", XSD + "boolean")


def test_only_prefixes_that_are_declared_or_used_stand_in_turtle() -> None:
    document = Document([Statement(ENTITY, ex("a"))], prefixes={"ex": EX, "prov": PROV, "bad name": EX, "nope": "rel"})
    assert rdf.write(document, format="turtle").decode().splitlines() == [
        f"@prefix prov: <{PROV}> .",
        f"@prefix ex: <{EX}> .",
        "ex:a a prov:Entity .",
    ]


def test_a_reserved_prefix_declared_as_something_else_stays_that() -> None:
    document = Document([Statement(ENTITY, ex("a"))], prefixes={"prov": EX})
    written = rdf.write(document, format="turtle").decode()
    assert f"@prefix prov: <{EX}>" in written
    assert rdf.read(written.encode(), format="turtle", base=None).prefixes == {"prov": EX}


@pytest.mark.parametrize("name", RDF_FORMATS)
@pytest.mark.parametrize(
    "statement",
    [
        Statement(ENTITY, Identifier("no iri")),
        Statement(ENTITY, ex("a"), (), ((ex("p"), Literal("x", "not an iri")),)),
        Statement(ENTITY, ex("a"), (), ((ex("p"), Literal("x", "http://lang", "not a tag")),)),
        Statement(ENTITY, ex("a"), (), ((Identifier("_:p"), Literal("x")),)),
        Statement(ENTITY, ex("a"), (), ((ex("p"), Literal("\ud800")),)),
    ],
)
def test_what_rdf_cannot_hold_at_all_is_named(statement: Statement, name: str) -> None:
    document = Document([statement])
    assert rdf.losses(document, format=name)
    with pytest.raises(WriteError, match="RDF cannot represent"):
        rdf.write(document, format=name)


def test_losses_name_what_is_lost() -> None:
    same = [Statement(USAGE, ex("u"), (ex("a"), ex(e), None)) for e in "bc"]
    document = Document(
        [*same, Statement(MEMBERSHIP, None, (ex("c"), None)), Statement(ENTITY, ex("e"), (), ((RDFS, Literal("x")),))],
        [Bundle(ex("empty")), Bundle(ex("twice"), list(same)), Bundle(ex("twice"), list(same))],
    )
    reasons = "\n".join(loss.reason for loss in rdf.losses(document, format="trig"))
    expected = ("one kind and identifier", "empty bundle", "two bundles", "both its ends", "meaning for this property")
    for part in expected:
        assert part in reasons


RDFS = Identifier(RDFS_LABEL)


def test_rdfxml_says_which_properties_it_cannot_spell() -> None:
    document = Document([Statement(ENTITY, ex("a"), (), ((ex("1"), Literal("x")), (ex("b"), Literal("bell\x07"))))])
    assert [loss.subject for loss in rdf.losses(document, format="rdfxml")] == [ex("a"), ex("a")]
    back = rdf.read(rdf.write(document, format="rdfxml"), format="rdfxml", base=None)
    assert back.statements == [Statement(ENTITY, ex("a"))]


@pytest.mark.parametrize("name", DATASETS)
def test_unmapped_quads_are_written_again(name: str) -> None:
    data = (PREFIXES + 'ex:place ex:name "Wien" . ex:g { _:p ex:in ex:place . [] a prov:Usage . }').encode()
    document = rdf.read(data, format="trig", base=None)
    assert len(document.unmapped) == 2
    again = rdf.read(rdf.write(document, format=name), format=name, base=None)
    assert len(again.unmapped) == 2
    assert compare(document, again).same


def test_quads_of_named_graphs_are_left_out_where_there_are_none() -> None:
    quads = [Quad(ex("a"), ex("p"), ex("b")), Quad(ex("a"), ex("p"), ex("c"), ex("g"))]
    assert (
        rdf.serialize(quads, "ntriples") == b"<http://example.org/a> <http://example.org/p> <http://example.org/b> .\n"
    )


HASHED = """
import sys
from provrepo.codecs.rdf import codec as rdf
document = rdf.read(sys.stdin.buffer.read(), format="turtle", base=None)
for name in ("turtle", "trig", "rdfxml", "rdfjsonld"):
    sys.stdout.buffer.write(rdf.write(document, format=name))
"""


def test_writing_does_not_depend_on_the_hash_seed() -> None:
    data = PREFIXES + "@prefix z: <http://z/> .\n"
    for n in range(5):
        data += f"ex:a{n} a prov:Activity, z:t{n} ; prov:qualifiedUsage [ prov:entity ex:e{n} ; z:p 1 ] ."
    written = set()
    for seed in ("1", "2", "3"):
        run = subprocess.run(
            [sys.executable, "-c", HASHED],
            input=data.encode(),
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        written.add(run.stdout)
    assert len(written) == 1


# RDF 1.2

RDF12 = """VERSION "1.2"
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <http://e/> .
ex:e a prov:Entity ; prov:wasGeneratedBy ex:a {| ex:confidence 0.9 |} .
ex:a a prov:Activity .
<< ex:a prov:used "x _:n )>> \\\\ \\" <"@de-AT >> ex:saidBy [] .
ex:e ex:holds <<( _:m ex:about <<( ex:a ex:b _:m )>> )>> ; ex:title "x"@ar--rtl .
"""


def test_triple_terms_and_directions_are_kept_as_what_is_not_prov() -> None:
    document = rdf.read(RDF12.encode(), format="turtle", base=None)
    assert [str(statement) for statement in document] == [
        "entity(http://e/e)",
        "activity(http://e/a, -, -)",
        "wasGeneratedBy(http://e/e, http://e/a, -)",
    ]
    kept = [quad.object.lexical for quad in document.unmapped.quads if isinstance(quad.object, Rdf12Term)]
    assert kept[0] == "<<( <http://e/e> <http://www.w3.org/ns/prov#wasGeneratedBy> <http://e/a> )>>"
    assert kept[3] == '"x"@ar--rtl'
    assert len(document.unmapped) == 6


@pytest.mark.parametrize("name", ["turtle", "trig", "ntriples", "nquads", "rdfxml"])
def test_what_only_rdf_1_2_has_is_written_again(name: str) -> None:
    document = rdf.read(RDF12.encode(), format="turtle", base=None)
    assert rdf.losses(document, format=name) == []
    again = rdf.read(rdf.write(document, format=name), format=name, base=None)
    assert again.unmapped.reasons == document.unmapped.reasons
    numbers = {label: f"_:{number}" for number, label in enumerate(labels(again))}
    others = {label: f"_:{number}" for number, label in enumerate(labels(document))}
    assert {term.renamed(numbers.__getitem__) for term in terms(again)} == {
        term.renamed(others.__getitem__) for term in terms(document)
    }


def terms(document: Document) -> list[Rdf12Term]:
    return [quad.object for quad in document.unmapped.quads if isinstance(quad.object, Rdf12Term)]


def labels(document: Document) -> list[str]:
    """The blank nodes of its triple terms, each once."""
    return list(dict.fromkeys(name for term in terms(document) for name in term.nodes()))


def test_a_blank_node_in_a_triple_term_is_the_one_outside_of_it() -> None:
    data = b"<u:a> <u:p> _:x . <u:a> <u:q> <<( _:x <u:p> _:y )>> ."
    ((_, _, outside, _), (_, _, term, _)) = rdf.parse(data, "turtle").quads
    assert isinstance(term, Rdf12Term)
    assert term.nodes()[0] == outside
    assert term.nodes()[1] != outside


@pytest.mark.parametrize("name", ["provn", "provjson", "provxml", "provjsonld", "rdfjsonld"])
def test_a_format_without_rdf_1_2_says_that_it_drops_it(name: str) -> None:
    document = rdf.read(RDF12.encode(), format="turtle", base=None)
    assert len([loss for loss in document.losses(name) if "RDF 1.2" in loss.reason or "not PROV" in loss.reason]) >= 4
    assert compare(formats.read(document.write(name), format=name), document).same


def test_a_literal_that_looks_like_a_triple_term_is_a_literal() -> None:
    both = f'<u:a> <u:p> "<<( <u:a> <u:p> <u:b> )>>"^^<{RDF12_TERM}> .\n<u:a> <u:p> <<( <u:a> <u:p> <u:b> )>> .\n'
    assert rdf.serialize(dict.fromkeys(rdf.parse(both.encode(), "ntriples").quads), "ntriples").decode() == both
    output = io.BytesIO()
    convert(both.encode(), output, to="ntriples", format="ntriples")
    assert output.getvalue().decode() == both
    data = f'<u:a> <u:p> "<u:x> . <u:y> <u:z> 1"^^<{RDF12_TERM}> .'.encode()
    assert rdf.serialize(rdf.parse(data, "ntriples").quads, "ntriples").decode().strip() == data.decode()


def test_deeply_nested_triple_terms_are_refused() -> None:
    deep = 20_000
    data = b"<u:a> <u:p> " + b"<<( <u:a> <u:p> " * deep + b"1" + b" )>>" * deep + b" ."
    for name in ("turtle", "ntriples"):
        with pytest.raises((ReadError, TooLarge)):
            formats.read(data, format=name)


def test_what_only_rdf_1_2_has_is_left_out_of_queries_and_shapes(repository: Repository) -> None:
    receipt = repository.submit(RDF12.encode(), name="new", format="turtle")
    assert sum(number for _, number in receipt.report.unmapped) == 6
    found = repository.query(f"SELECT ?o WHERE {{ GRAPH <{receipt.version.iri}> {{ <http://e/e> ?p ?o }} }}")
    assert len(found.rows) == 2
    assert provrepo.validate(rdf.read(RDF12.encode(), format="turtle", base=None), profiles=["core"]).layers
    assert b"<<(" in repository.export("default", "new", format="ntriples")


def test_one_version_by_itself_is_queried_without_what_only_rdf_1_2_has(repository: Repository) -> None:
    repository.submit(RDF12.encode(), name="new", format="turtle")
    found = repository.query_version("default", "new", 1, "SELECT * WHERE { ?s ?p ?o }")
    assert len(found.rows) == 5
