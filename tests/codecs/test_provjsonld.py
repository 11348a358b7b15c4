"""PROV-JSONLD: the shape of the submission, what else is understood, and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import prov.model
import pytest
from hypothesis import HealthCheck, given, settings

from provrepo.codecs.provjsonld import codec as provjsonld
from provrepo.codecs.provjsonld.terms import CONTEXT_URL, KNOWN_CONTEXTS, SPECIAL, TYPES, context
from provrepo.codecs.provn import codec as provn
from provrepo.codecs.provxml import codec as provxml
from provrepo.errors import ReadError, WriteError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.statements import ENTITY, KINDS, MEMBERSHIP, MENTION, USAGE, Statement
from provrepo.resources import root
from provrepo.vocab import (
    PROV,
    PROV_INTERNATIONALIZED_STRING,
    PROV_LABEL,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    XSD,
    XSD_QNAME,
)
from tests.support.corpus import corpus, present
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"
E = Identifier(EX + "e")
TAG = Identifier(EX + "tag")
ENTITY_E = {"@type": "Entity", "@id": "ex:e"}


def read(*records: object, prefixes: object = None, contexts: list[object] | None = None, **options: str) -> Document:
    declared = {"ex": EX} if prefixes is None else prefixes
    value = {"@context": [declared, CONTEXT_URL] if contexts is None else contexts, "@graph": list(records)}
    return provjsonld.read(json.dumps(value, indent=1).encode(), **options)


def one(term: str, value: object) -> Identifier | Literal:
    ((_, found),) = read({**ENTITY_E, term: value}).statements[0].attributes
    return found


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("type_", "kind"), TYPES.items())
@pytest.mark.parametrize("spelling", ["", "prov:"])
def test_every_type_of_statement(type_, kind, spelling):
    args = {spelling + a.name: "2012-03-31T09:21:00" if a.time else "ex:" + a.name for a in kind.arguments}
    record = {"@type": spelling + type_, "@id": "ex:s", **args, "label": [{"@value": "x"}]}
    expected = tuple("2012-03-31T09:21:00" if a.time else Identifier(EX + a.name) for a in kind.arguments)
    assert read(record).statements == [
        Statement(kind, Identifier(EX + "s"), expected, ((Identifier(PROV_LABEL), text("x")),))
    ]


@pytest.mark.parametrize(
    ("term", "value", "expected"),
    [
        ("type", ["ex:T"], Identifier(EX + "T")),
        ("prov:type", "ex:T", Identifier(EX + "T")),
        ("type", [{"@value": "x"}], text("x")),
        ("ex:tag", ["ex:T"], Identifier(EX + "T")),
        ("ex:tag", ["http://example.org/T"], Identifier(EX + "T")),
        ("ex:tag", "ex:T", text("ex:T")),
        ("value", ["ex:T"], Identifier(EX + "T")),
        ("location", ["ex:T"], Identifier(EX + "T")),
        ("label", ["ex:T"], text("ex:T")),
        ("prov:label", ["ex:T"], text("ex:T")),
        ("ex:tag", [{"@id": "ex:T"}], Identifier(EX + "T")),
        ("ex:tag", [{"@value": "ex:T", "@type": "xsd:QName"}], Identifier(EX + "T")),
        ("ex:tag", [{"@value": "ex:T", "@type": "prov:QUALIFIED_NAME"}], Identifier(EX + "T")),
        ("ex:tag", [{"@value": "bonjour", "@language": "fr"}], text("bonjour", "fr")),
        ("ex:tag", [{"@value": "x", "@language": "fr", "@type": PROV_INTERNATIONALIZED_STRING}], text("x", "fr")),
        ("ex:tag", [{"@value": "007", "@type": "xsd:integer"}], Literal("007", XSD + "integer")),
        ("ex:tag", [{"@value": "5", "@type": "ex:unit"}], Literal("5", EX + "unit")),
        ("ex:tag", [{"@value": "5", "@type": "http://units.example/m"}], Literal("5", "http://units.example/m")),
        ("ex:tag", 7, Literal("7", XSD + "integer")),
        ("ex:tag", 1.5, Literal("1.5", XSD + "double")),
        ("ex:tag", [True], Literal("true", XSD + "boolean")),
        ("ex:tag", {"@value": 7, "@type": "xsd:int"}, Literal("7", XSD + "int")),
        ("http://example.org/tag", "x", text("x")),
    ],
)
def test_values(term, value, expected):
    assert one(term, value) == expected


def test_words_in_an_array_are_text_where_nothing_makes_names_of_them():
    document = read({**ENTITY_E, "ex:tag": ["two words", "red", "unknown:x"]})
    assert [value for _, value in document.statements[0].attributes] == [
        text("two words"),
        text("red"),
        text("unknown:x"),
    ]
    assert ["no declared namespace: kept as text" in w.message for w in document.warnings] == [True, True, True]


def test_keys_that_nothing_defines_are_named_with_their_place():
    inner = {"@type": "Bundle", "@id": "ex:b", "@context": [], "note": 1, "@graph": [{**ENTITY_E, "used": "ex:x"}]}
    document = read({**ENTITY_E, "name": ["x"], "startTime": "2012-03-31T09:21:00"}, inner)
    assert [(part.part, part.line) for part in document.unmapped.unread] == [
        ("/@graph/0/name", 12),
        ("/@graph/0/startTime", 15),
        ("/@graph/1/note", 21),
        ("/@graph/1/@graph/0/used", 26),
    ]
    assert len(document) == 2


def test_a_context_may_define_names_for_attributes():
    defined = {"ex": EX, "tag": {"@id": "ex:tag", "@type": "@id"}, "other": "http://example.org/other"}
    document = read({**ENTITY_E, "tag": ["ex:T"], "other": [{"@value": "x"}]}, prefixes=defined)
    assert document.statements[0].attributes == (
        (TAG, Identifier(EX + "T")),
        (Identifier(EX + "other"), text("x")),
    )


def test_numbers_keep_their_spelling():
    data = b'{"@context":{"ex":"http://example.org/"},"@graph":[{"@type":"Entity","@id":"ex:e","ex:tag":[1.10,1E3]}]}'
    assert [v for _, v in provjsonld.read(data).statements[0].attributes] == [
        Literal("1.10", XSD + "double"),
        Literal("1E3", XSD + "double"),
    ]


def test_null_says_nothing():
    assert read({"@type": "Usage", "activity": None, "role": None, "ex:tag": [None]}).statements == [
        Statement(USAGE, None, (None, None, None))
    ]


def test_an_empty_instant_is_absent_with_a_remark():
    document = read({"@type": "Usage", "time": " "})
    assert document.statements == [Statement(USAGE, None, (None, None, None))]
    assert "'time' is empty" in document.warnings[0].message


def test_members_may_come_as_an_array():
    statements = read({"@type": "Membership", "collection": "ex:c", "entity": ["ex:e", "ex:f"]}).statements
    assert statements == [
        Statement(MEMBERSHIP, None, (Identifier(EX + "c"), E)),
        Statement(MEMBERSHIP, None, (Identifier(EX + "c"), Identifier(EX + "f"))),
    ]


def test_bundles_have_their_own_prefixes():
    document = read(
        {
            "@type": "Bundle",
            "@id": "o:b",
            "@context": [{"o": "http://o.example/", "ex": "http://other.example/"}],
            "@graph": [ENTITY_E],
        },
        ENTITY_E,
    )
    assert document.prefixes == {"ex": EX}
    assert document.statements == [Statement(ENTITY, E)]
    (bundle,) = document.bundles
    assert bundle.id == "http://o.example/b"
    assert bundle.prefixes == {"o": "http://o.example/", "ex": "http://other.example/"}
    assert bundle.statements == [Statement(ENTITY, Identifier("http://other.example/e"))]
    assert bundle.statements[0].span is not None
    assert bundle.statements[0].span[0] > 10


def test_the_context_may_come_last():
    data = b'{"@graph":[{"@type":"Entity","@id":"ex:e"}],"@context":[{"ex":"http://example.org/"}]}'
    assert provjsonld.read(data).statements == [Statement(ENTITY, E)]


def test_statements_know_their_place():
    data = b'{"@context":[],\n"@graph":[\n {"@type":"Entity","@id":"urn:a"},\n\n   {"@type":"Entity","@id":"urn:b"}]}'
    assert [s.span for s in provjsonld.read(data).statements] == [(3, 2), (5, 4)]


@pytest.mark.parametrize("default", [{"@vocab": EX}, {"@vocab": EX, "@base": EX}, {"@base": EX}])
def test_the_default_namespace(default):
    document = read({"@type": "Entity", "@id": "e", "tag": ["x", {"@value": "x"}]}, prefixes=default)
    assert document.statements == [Statement(ENTITY, E, (), ((TAG, Identifier(EX + "x")), (TAG, text("x"))))]
    assert document.prefixes == {"": EX}


def test_names_may_be_iris():
    document = read({"@type": "Entity", "@id": "urn:uuid:1"}, {"@type": "Entity", "@id": "https://a.example/b"})
    assert [s.id for s in document.statements] == ["urn:uuid:1", "https://a.example/b"]
    assert not document.warnings


def test_a_prefix_that_is_not_declared_is_remarked_upon_once():
    document = read({"@type": "Entity", "@id": "other:a"}, {"@type": "Entity", "@id": "other:b"})
    assert [s.id for s in document.statements] == ["other:a", "other:b"]
    (warned,) = document.warnings
    assert "the prefix 'other'" in warned.message


def test_relative_names_need_a_base():
    assert read({"@type": "Entity", "@id": "e"}, base=EX).statements[0].id == E
    with pytest.raises(ReadError, match="neither an IRI"):
        read({"@type": "Entity", "@id": "e"})


def test_a_word_where_a_name_belongs_stays_text():
    document = read({"@type": "Usage", "activity": "ex:a", "role": ["author", "nope:x"]})
    role = Identifier(PROV_ROLE)
    assert document.statements[0].attributes == (
        (role, Literal("author", XSD_QNAME)),
        (role, Literal("nope:x", XSD_QNAME)),
    )
    assert len(document.warnings) == 2
    assert provjsonld.read(provjsonld.write(document)).statements == document.statements


@pytest.mark.parametrize(
    "url",
    [
        CONTEXT_URL,
        "https://openprovenance.org/prov-jsonld/context.json",
        "https://openprovenance.org/prov-jsonld/2024-08-25/context.jsonld",
        "https://openprovenance.org/prov-jsonld/context-2024-08-25.jsonld",
        "http://openprovenance.org/prov-jsonld/context.jsonld",
        "https://www.w3.org/submissions/prov-jsonld/context.jsonld",
        "https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/context.jsonld",
    ],
)
def test_addresses_of_the_context(url):
    assert read({"@type": "Entity", "@id": "rdf:x"}, contexts=[url]).statements[0].id.endswith("rdf-syntax-ns#x")


@pytest.mark.parametrize(
    "url",
    [
        "https://schema.org/",
        "https://evil.example/openprovenance.org/prov-jsonld/context.jsonld",
        "https://openprovenance.org.evil.example/prov-jsonld/context.jsonld",
        "context.jsonld",
        "file:///etc/passwd",
    ],
)
def test_other_contexts_are_named_and_never_fetched(url):
    with pytest.raises(ReadError, match="never fetched") as caught:
        read(contexts=[CONTEXT_URL, url])
    assert f"<{url}>" in caught.value.message
    assert caught.value.line == 1


def test_the_context_written_out_is_the_context():
    table = json.loads((root() / "ontology" / "contexts" / "prov-jsonld.json").read_bytes())["@context"]
    assert read(ENTITY_E, contexts=[{"ex": EX}, table]).statements == [Statement(ENTITY, E)]


def test_prefixes_by_other_prefixes_and_in_long_form():
    document = read(
        {"@type": "Entity", "@id": "sub:e"},
        prefixes={"ex": EX, "sub": "ex:sub/", "o": {"@id": "urn:o;", "@prefix": True}},
    )
    assert document.statements[0].id == EX + "sub/e"
    assert document.prefixes == {"ex": EX, "sub": EX + "sub/", "o": "urn:o;"}


def test_reserved_prefixes_mean_what_they_always_mean():
    document = read(
        {**ENTITY_E, "ex:tag": [{"@value": "1", "@type": "xsd:int"}]},
        prefixes={"ex": EX, "xsd": "http://www.w3.org/2001/XMLSchema"},
    )
    assert document.statements[0].attributes == ((TAG, Literal("1", XSD + "int")),)
    assert "xsd" not in document.prefixes
    assert document.warnings


# --- what cannot be read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "line", "message"),
    [
        ("x", 9, "a statement is a JSON object"),
        ({"@id": "ex:e"}, 9, "has as its '@type' one of Entity"),
        ({"@type": "Mention", "specificEntity": "ex:e"}, 9, "'Mention'"),
        ({"@type": ["Entity", "Agent"], "@id": "ex:e"}, 9, "'@type'"),
        ({"@type": "Entity"}, 9, "'Entity' needs an '@id'"),
        ({"@type": "Entity", "@id": 7}, 11, "an '@id' is a string"),
        ({"@type": "Entity", "@id": ""}, 9, "neither an IRI"),
        ({"@type": "Entity", "@id": "a b:c"}, 9, "neither an IRI"),
        ({**ENTITY_E, "@reverse": {}}, 12, "'@reverse' has no place"),
        ({**ENTITY_E, "ex:tag": [["x"]]}, 12, "the value of 'ex:tag' is neither"),
        ({**ENTITY_E, "ex:tag": {"@list": []}}, 12, "the value of 'ex:tag' is neither"),
        ({**ENTITY_E, "ex:tag": {"@value": "x", "@direction": "rtl"}}, 12, "more than '@value'"),
        ({**ENTITY_E, "ex:tag": {"@value": ["x"]}}, 12, "'@value' of 'ex:tag'"),
        ({**ENTITY_E, "ex:tag": {"@value": "x", "@type": 1}}, 12, "are strings"),
        ({"@type": "Usage", "activity": 7}, 11, "'activity' takes one name"),
        ({"@type": "Usage", "activity": ["ex:a", "ex:b"]}, 11, "'activity' takes one name"),
        ({"@type": "Usage", "time": 2012}, 11, "'time' takes one instant"),
        ({"@type": "Usage", "activity": "ex:a", "prov:activity": "ex:b"}, 12, "is given twice"),
        ({"@type": "Bundle", "@graph": []}, 9, "a bundle has an '@id'"),
        ({"@type": "Bundle", "@id": "ex:b", "@graph": {}}, 12, "array of statements"),
        ({"@type": "Bundle", "@id": "ex:b", "@graph": [{"@type": "Bundle", "@id": "ex:c"}]}, 13, "within a bundle"),
    ],
)
def test_errors_say_what_and_where(record, line, message):
    with pytest.raises(ReadError) as caught:
        read(record)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.format) == (line, "provjsonld")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"name": {"@id": "http://schema.org/name", "@type": "xsd:int"}}, "'name' is not one"),
        ({"name": {"@reverse": "http://schema.org/name"}}, "'name' is not one"),
        ({"@import": "http://a.example/"}, "'@import'"),
        ({"@language": "en"}, "'@language'"),
        ({"a": 7}, "'a' is not one"),
        ({"a": "relative/"}, "name a base IRI"),
        (7, "a '@context' contains"),
        ({f"p{n}": f"http://p.example/{n}" for n in range(3000)}, "prefixes are declared"),
    ],
)
def test_contexts_that_declare_more_than_prefixes(declared, message):
    with pytest.raises(ReadError) as caught:
        read(contexts=[declared])
    assert message in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"@context":[]}',
        b'{"@graph":[]}',
        b'{"@context":[],"@graph":[}',
        b'{"@context":[],"@graph":[]',
        b'{"@context":[],"@graph":[],}',
        b'{"@context":[],"@graph":[]} x',
        b'{"@context":[],"@graph":[],"@graph":[]}',
        b'{"@context":[],"@graph":[{"@type":"Entity","@id":"urn:a","@id":"urn:b"}]}',
        b'{"@context":[],"@graph":[{"@type":"Entity","@id":"urn:a","urn:b":NaN}]}',
        b'{"@context":[],"@graph":[{"@type":"Entity","@id":"urn:a\\ud800"}]}',
        b'{"@context":[],"@graph":' + b"[" * 100_000,
        b'{"@context":[],"@graph":[{"@type":"Entity","@id":"urn:a","urn:b":' + b'{"a":' * 100_000,
        b'{"@context":[],"@graph":["\xff"]}',
    ],
)
def test_hostile_input_is_an_error(data):
    with pytest.raises(ReadError):
        provjsonld.read(data)


def test_a_repeated_key_is_located():
    data = b'{"@context":[],\n"@graph":[\n{"@type":"Entity","@id":"urn:a",\n "@id":"urn:b"}]}'
    with pytest.raises(ReadError, match="'@id'") as caught:
        provjsonld.read(data)
    assert (caught.value.line, caught.value.column) == (4, 2)


# --- writing -----------------------------------------------------------------------------------------------------


def test_the_shape_that_is_written():
    document = Document(
        [
            Statement(
                ENTITY,
                E,
                (),
                (
                    (Identifier(PROV_TYPE), Identifier(EX + "T")),
                    (TAG, Identifier(EX + "x")),
                    (Identifier(PROV_VALUE), Literal("1", XSD + "int")),
                    (TAG, text("y", "en")),
                ),
            ),
            Statement(
                USAGE, None, (Identifier(EX + "a"), None, "2012-03-31T09:21:00"), ((Identifier(PROV_VALUE), text("v")),)
            ),
        ],
        [Bundle(Identifier("http://o.example/b"), [Statement(ENTITY, E)], {"o": "http://o.example/"})],
        {"ex": EX},
    )
    assert json.loads(provjsonld.write(document)) == {
        "@context": [{"ex": EX, "prov": PROV, "xsd": XSD}, CONTEXT_URL],
        "@graph": [
            {
                "@type": "Entity",
                "@id": "ex:e",
                "type": ["ex:T"],
                "ex:tag": [{"@value": "ex:x", "@type": "prov:QUALIFIED_NAME"}, {"@value": "y", "@language": "en"}],
                "value": [{"@value": "1", "@type": "xsd:int"}],
            },
            {"@type": "Usage", "activity": "ex:a", "time": "2012-03-31T09:21:00", "prov:value": [{"@value": "v"}]},
            {
                "@type": "Bundle",
                "@id": "o:b",
                "@context": [{"o": "http://o.example/"}],
                "@graph": [{"@type": "Entity", "@id": "ex:e"}],
            },
        ],
    }


def test_a_bundle_declares_what_bundles_before_it_declared_otherwise():
    bundles = [
        Bundle(E, [Statement(ENTITY, Identifier("http://o.example/e"))], {"ex": "http://o.example/"}),
        Bundle(Identifier(EX + "c"), [Statement(ENTITY, E)]),
    ]
    document = Document([], bundles, {"ex": EX})
    written = json.loads(provjsonld.write(document))["@graph"]
    assert [list(bundle) for bundle in written] == [["@type", "@context", "@id", "@graph"]] * 2
    # The name of the first is not in the namespace that its own "ex" is.
    assert written[0]["@context"][0]["ex"] == "http://o.example/"
    assert written[1]["@context"] == [{"ex": EX}]
    again = provjsonld.read(provjsonld.write(document))
    assert [b.id for b in again.bundles] == [E, EX + "c"]
    assert again.compare(document).same


def test_members_are_written_as_an_array():
    document = Document([Statement(MEMBERSHIP, None, (E, TAG))], prefixes={"ex": EX})
    assert json.loads(provjsonld.write(document))["@graph"][0]["entity"] == ["ex:tag"]


def test_an_empty_document():
    assert json.loads(provjsonld.write(Document())) == {"@context": [CONTEXT_URL], "@graph": []}


@pytest.mark.parametrize("prefixes", [{"entity": EX}, {"type": EX}, {"": EX}, {"@id": EX}, {"rdf": EX}, {"prov": EX}])
def test_prefixes_that_mean_something_to_the_context_are_replaced(prefixes):
    document = Document([Statement(ENTITY, E, (), ((TAG, E),))], prefixes=prefixes)
    written = json.loads(provjsonld.write(document))
    assert set(written["@context"][0]) & {*context().terms, "", "@id"} == {"prov", "xsd"}
    assert written["@context"][0]["prov"] == PROV
    assert provjsonld.read(json.dumps(written).encode()).statements == document.statements


def test_what_has_no_term_is_named_and_left_out():
    mention = Statement(MENTION, None, (E, E, E))
    conflict = Statement(USAGE, E, (E, None, None), ((Identifier(PROV + "entity"), text("x")),))
    document = Document([mention, conflict])
    assert [loss.reason.split(" ")[1:3] for loss in provjsonld.losses(document)] == [
        ["has", "no"],
        ["cannot", "distinguish"],
    ]
    assert provjsonld.read(provjsonld.write(document)).statements == [Statement(USAGE, E, (E, None, None))]


@pytest.mark.parametrize(
    "document", [Document([Statement(ENTITY, E, (), ((TAG, text("\ud800")),))]), Document(bundles=[Bundle(None)])]
)
def test_what_cannot_be_written_at_all(document):
    with pytest.raises(WriteError):
        provjsonld.write(document)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(missing_mandatory=True, repeated_bundles=True, controls=True))
def test_what_is_written_comes_back(document):
    data = provjsonld.write(document)
    assert provjsonld.write(document) == data
    difference = provjsonld.read(data).compare(document).difference
    assert bool(difference) is bool(provjsonld.losses(document)), str(difference)


# --- the table of terms, and the peer ----------------------------------------------------------------------------


def test_the_table_has_every_term_that_the_codec_uses():
    table = json.loads((root() / "ontology" / "contexts" / "prov-jsonld.json").read_bytes())["@context"]
    scoped = {name: {**table, **table[name].get("@context", {})} for name in TYPES}
    for name, kind in TYPES.items():
        assert {argument.name for argument in kind.arguments} <= set(scoped[name])
    assert set(SPECIAL) <= set(scoped["Entity"])
    assert set(TYPES.values()) == {kind for kind in KINDS.values() if kind is not MENTION and kind.entries is None}
    assert KNOWN_CONTEXTS.fullmatch(CONTEXT_URL)


def cases() -> list[Path]:
    suite = present("prov-suite-testcases")
    found = [] if suite is None else sorted(suite.glob("test-*/*.provn"))
    return [path for path in found if "dict" not in path.name.lower()]


@pytest.mark.filterwarnings("ignore::prov.model.ProvFutureRejectionWarning")
@pytest.mark.parametrize("path", cases(), ids=lambda path: path.name)
def test_each_case_comes_back_and_is_read_by_the_peer(path):
    document = provn.read(path.read_bytes(), format="provn", base=None)
    data = provjsonld.write(document)
    assert provjsonld.losses(document) == []
    assert not provjsonld.read(data).compare(document).difference
    theirs = prov.model.ProvDocument.deserialize(io.BytesIO(data), format="jsonld")
    assert theirs == document.to_prov()
    for form in ("url", "embed"):
        again = provjsonld.read(theirs.serialize(format="jsonld", context=form).encode())
        assert not again.compare(Document.from_prov(theirs)).difference


def test_documents_of_others_come_back():
    paths = sorted(corpus("documents").rglob("*.cwlprov.xml"))
    assert len(paths) > 20
    for path in paths:
        document = provxml.read(path.read_bytes())
        back = provjsonld.read(provjsonld.write(document))
        lost = back.compare(document).difference
        assert not lost.left, path
        assert all(line.startswith("mentionOf(") for line in lost.right), path
        assert bool(lost) is bool(provjsonld.losses(document)), path
