"""To and from the prov package, and what that costs: the reason why the codecs are our own."""

from __future__ import annotations

import io

import prov.model
import pytest
from hypothesis import HealthCheck, given, settings

from provrepo.codecs.prov_adapter import from_prov, to_prov
from provrepo.codecs.provjson import codec as provjson
from provrepo.codecs.provjsonld import codec as provjsonld
from provrepo.codecs.provn import codec as provn
from provrepo.codecs.provxml import codec as provxml
from provrepo.errors import UsageError, WriteError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.statements import ACTIVITY, ENTITY, KINDS, MEMBERSHIP, MENTION, REMOVAL, Statement
from provrepo.vocab import PROV_INTERNATIONALIZED_STRING, PROV_TYPE, PROV_VALUE, XSD
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"
E = Identifier(EX + "e")
TAG = Identifier(EX + "tag")


def entity(*values: Literal | Identifier) -> Document:
    return Document([Statement(ENTITY, E, (), tuple((TAG, value) for value in values))], prefixes={"ex": EX})


def values(document: Document) -> list[Literal | Identifier]:
    return [value for _, value in document.statements[0].attributes]


@pytest.mark.parametrize(
    ("lexical", "datatype", "respelled"),
    [
        ("2015-09-09T21:42:16.403+01:00", "dateTime", "2015-09-09T21:42:16.403000+01:00"),
        ("1", "boolean", "true"),
        ("1.10", "double", "1.1"),
        ("007", "int", "7"),
    ],
)
@pytest.mark.parametrize(
    ("codec", "name"), [(provn, "provn"), (provjson, "json"), (provxml, "xml"), (provjsonld, "jsonld")]
)
def test_prov_respells_values_in_every_format_and_we_do_not(codec, name, lexical, datatype, respelled):
    ours = entity(Literal(lexical, XSD + datatype))
    data = codec.write(ours, format="")
    assert values(codec.read(data, format="", base=None)) == [Literal(lexical, XSD + datatype)]
    theirs = prov.model.ProvDocument.deserialize(io.BytesIO(data), format=name)
    assert values(from_prov(theirs)) == [Literal(respelled, XSD + datatype)]


def test_instants_are_respelled_on_the_way_to_prov():
    document = Document([Statement(ACTIVITY, E, ("2012-03-02T10:30:00.10Z", None))])
    assert from_prov(to_prov(document)).statements[0].args == ("2012-03-02T10:30:00.100000+00:00", None)


@pytest.mark.parametrize(
    "value",
    [
        Identifier(EX + "name"),
        text("plain"),
        text("1"),
        text("bonjour", "fr"),
        Literal("x", PROV_INTERNATIONALIZED_STRING),
        Literal("7", XSD + "integer"),
        Literal("123456789012345678901234567890", XSD + "integer"),
        Literal("7", XSD + "long"),
        Literal("1.10", XSD + "decimal"),
        Literal("INF", XSD + "double"),
        Literal("-INF", XSD + "double"),
        Literal("NaN", XSD + "double"),
        Literal("false", XSD + "boolean"),
        Literal("http://example.org/a?b#c", XSD + "anyURI"),
        Literal("no number", XSD + "int"),
        Literal("own", EX + "datatype"),
    ],
    ids=str,
)
def test_values_that_survive(value):
    assert values(from_prov(to_prov(entity(value)))) == [value]


def test_every_kind_of_statement_goes_there_and_back():
    statements = []
    for number, kind in enumerate(kind for kind in KINDS.values() if kind.entries is None):
        args = tuple(
            "2012-03-31T09:21:00" if argument.time else Identifier(f"{EX}{argument.name}")
            for argument in kind.arguments
        )
        own = Identifier(f"{EX}s{number}") if kind.identified else None
        statements.append(Statement(kind, own, args, ((TAG, text("x")),) if kind.attributed else ()))
    document = Document(statements, prefixes={"ex": EX})
    assert from_prov(document.to_prov()).statements == statements


def test_bundles_and_prefixes_go_there_and_back():
    other = "http://other.example/"
    document = Document(
        [Statement(ENTITY, Identifier(EX + "b"), (), ((Identifier(PROV_TYPE), Identifier(other + "T")),))],
        [
            Bundle(Identifier(EX + "b"), [Statement(ENTITY, Identifier(other + "e"))], {"other": other}),
            Bundle(Identifier(EX + "c"), [Statement(MENTION, None, (E, E, Identifier(EX + "b")))]),
        ],
        {"ex": EX, "": "http://default.example/"},
    )
    back = Document.from_prov(document.to_prov())
    assert back.compare(document).same
    assert back.prefixes["ex"] == EX
    assert back.prefixes[""] == "http://default.example/"
    assert back.bundles[0].prefixes == {"other": other}


def test_blank_nodes_keep_their_labels():
    document = Document([Statement(MEMBERSHIP, None, (Identifier("_:c"), E))], prefixes={"ex": EX})
    back = from_prov(to_prov(document))
    assert back.statements == document.statements
    assert back.prefixes == document.prefixes


def test_what_prov_cannot_hold_is_our_error():
    with pytest.raises(WriteError, match="prov package"):
        to_prov(Document([Statement(ACTIVITY, E, ("yesterday", None))]))
    with pytest.raises(WriteError, match="PROV-Dictionary"):
        to_prov(Document([Statement(REMOVAL, None, (E, E))]))


def test_only_documents_of_prov_are_taken():
    with pytest.raises(UsageError, match="ProvDocument"):
        from_prov("document endDocument")  # type: ignore[arg-type]


def test_python_values_put_into_prov_by_hand():
    made = prov.model.ProvDocument()
    made.add_namespace("ex", EX)
    made.entity("ex:e", {"prov:value": 7, "ex:f": 0.5, "ex:b": True, "ex:big": 2**40})
    found = dict(from_prov(made).statements[0].attributes)
    assert found[Identifier(PROV_VALUE)] == Literal("7", XSD + "int")
    assert found[Identifier(EX + "f")] == Literal("0.5", XSD + "double")
    assert found[Identifier(EX + "b")] == Literal("true", XSD + "boolean")
    assert found[Identifier(EX + "big")] == Literal(str(2**40), XSD + "long")


@pytest.mark.filterwarnings("ignore::prov.model.ProvFutureRejectionWarning")
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(awkward_identifiers=False, dictionaries=False))
def test_peer(document: Document) -> None:
    """What we write prov reads as the adapter gives it, and what prov writes we read."""
    try:
        theirs = to_prov(document)
    except WriteError as error:
        # Python has no years before 1 or after 9999; prov takes an attribute named like an argument for it.
        if "Expected a datetime" in str(error) or "more than one value" in str(error):
            return
        raise
    mentions = any(statement.kind is MENTION for statement in document)
    for codec, name in ((provxml, "xml"), (provjsonld, "jsonld")):
        if codec is provjsonld and mentions:
            continue
        assert prov.model.ProvDocument.deserialize(io.BytesIO(codec.write(document)), format=name) == theirs
        written = io.BytesIO()
        theirs.serialize(written, format=name)
        difference = codec.read(written.getvalue()).compare(from_prov(theirs)).difference
        assert not difference, str(difference)
