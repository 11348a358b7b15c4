"""PROV-XML: the Recommendation, the dialects that occur, and what cannot be read or written."""

from __future__ import annotations

import re
from pathlib import Path

import prov
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from provrepo.checks import syntax
from provrepo.codecs import formats
from provrepo.codecs.provjson import codec as provjson
from provrepo.codecs.provn import codec as provn
from provrepo.codecs.provxml import codec as provxml
from provrepo.codecs.provxml.names import escape, is_ncname, toolbox_escaped, toolbox_unescape, unescape
from provrepo.errors import ReadError, WriteError
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.statements import ACTIVITY, ENTITY, KINDS, MEMBERSHIP, USAGE, DictionaryEntry, Statement
from provrepo.vocab import (
    PROV,
    PROV_INTERNATIONALIZED_STRING,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    RDF,
    XSD,
    XSD_QNAME,
)
from tests.support.corpus import corpus, present
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"
E = Identifier(EX + "e")
TAG = Identifier(EX + "tag")

HEAD = (
    f'<prov:document xmlns:prov="{PROV}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ex="{EX}">'
)
TOOLBOX = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def read(body: str, *, declaration: str = "", head: str = HEAD, base: str | None = None) -> Document:
    return provxml.read(f"{declaration}{head}\n{body}</prov:document>".encode(), base=base)


def value(inner: str) -> Identifier | Literal:
    """The value of the one attribute of an entity."""
    return read(f'<prov:entity prov:id="ex:e">{inner}</prov:entity>').statements[0].attributes[0][1]


def error(body: str, **options: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(body, **options)
    assert caught.value.format == "provxml"
    return caught.value


# --- the Recommendation ------------------------------------------------------------------------------------------


def test_every_kind_of_statement():
    """Section 3; each element, its arguments by name, and an attribute where there may be some."""
    for kind in (kind for kind in KINDS.values() if kind.entries is None):
        args = [
            f"<prov:{a.name}>2012-03-31T09:21:00</prov:{a.name}>"
            if a.time
            else f'<prov:{a.name} prov:ref="ex:{a.name}"/>'
            for a in kind.arguments
        ]
        body = f'<prov:{kind.name} prov:id="ex:s">{"".join(args)}<prov:label>x</prov:label></prov:{kind.name}>'
        (statement,) = read(body).statements
        expected = tuple("2012-03-31T09:21:00" if a.time else Identifier(EX + a.name) for a in kind.arguments)
        assert statement == Statement(kind, Identifier(EX + "s"), expected, ((Identifier(PROV_LABEL), text("x")),))


PAIR = (
    '<prov:keyEntityPair><prov:key xsi:type="xsd:int">1</prov:key><prov:entity prov:ref="ex:e"/></prov:keyEntityPair>'
)


def test_dictionaries():
    dictionaries = '<prov:newDictionary prov:ref="ex:d"/><prov:oldDictionary prov:ref="ex:c"/>'
    one, e = Literal("1", XSD + "int"), Identifier(EX + "e")
    ends = (Identifier(EX + "d"), Identifier(EX + "c"))
    body = (
        f'<prov:derivedByInsertionFrom prov:id="ex:i">{dictionaries}{PAIR}</prov:derivedByInsertionFrom>'
        f'<prov:derivedByRemovalFrom>{dictionaries}<prov:key xml:lang="en">k</prov:key></prov:derivedByRemovalFrom>'
        f'<prov:hadDictionaryMember><prov:dictionary prov:ref="ex:d"/>{PAIR}{PAIR}</prov:hadDictionaryMember>'
        '<prov:emptyDictionary prov:id="ex:d"/>'
    )
    member = Statement(KINDS["hadDictionaryMember"], None, (ends[0], e), entries=(DictionaryEntry(one),))
    assert read(body).statements == [
        Statement(KINDS["derivedByInsertionFrom"], Identifier(EX + "i"), ends, entries=(DictionaryEntry(one, e),)),
        Statement(KINDS["derivedByRemovalFrom"], None, ends, entries=(DictionaryEntry(text("k", "en")),)),
        member,
        member,
        Statement(ENTITY, ends[0], (), ((Identifier(PROV_TYPE), Identifier(PROV + "EmptyDictionary")),)),
    ]


@pytest.mark.parametrize(
    ("element", "kind", "type_"),
    [
        ("person", "agent", "Person"),
        ("organization", "agent", "Organization"),
        ("softwareAgent", "agent", "SoftwareAgent"),
        ("plan", "entity", "Plan"),
        ("collection", "entity", "Collection"),
        ("emptyCollection", "entity", "EmptyCollection"),
        ("bundle", "entity", "Bundle"),
        ("wasRevisionOf", "wasDerivedFrom", "Revision"),
        ("wasQuotedFrom", "wasDerivedFrom", "Quotation"),
        ("hadPrimarySource", "wasDerivedFrom", "PrimarySource"),
    ],
)
def test_elements_of_subtypes_are_the_base_statement_with_a_type(element, kind, type_):
    explicit = f'<prov:type xsi:type="xsd:QName">prov:{type_}</prov:type>'
    short = read(f'<prov:{element} prov:id="ex:s"/>')
    assert short.compare(read(f'<prov:{kind} prov:id="ex:s">{explicit}</prov:{kind}>')).same
    both = read(f'<prov:{element} prov:id="ex:s">{explicit}</prov:{element}>')
    assert both.statements[0].attributes == ((Identifier(PROV_TYPE), Identifier(PROV + type_)),)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<ex:tag>plain</ex:tag>", text("plain")),
        ('<ex:tag xsi:type="xsd:string">  kept\n </ex:tag>', text("  kept\n ")),
        ("<ex:tag/>", text("")),
        ('<ex:tag xsi:type="xsd:integer">007</ex:tag>', Literal("007", XSD + "integer")),
        ('<ex:tag xsi:type="ex:unit">5</ex:tag>', Literal("5", EX + "unit")),
        ('<ex:tag xml:lang="fr">bonjour</ex:tag>', text("bonjour", "fr")),
        ('<ex:tag xml:lang="fr" xsi:type="prov:InternationalizedString">x</ex:tag>', text("x", "fr")),
        ('<ex:tag xsi:type="prov:InternationalizedString">x</ex:tag>', Literal("x", PROV_INTERNATIONALIZED_STRING)),
        ('<ex:tag xsi:type="xsd:QName"> ex:name </ex:tag>', Identifier(EX + "name")),
        ('<ex:tag xsi:type="prov:QUALIFIED_NAME">ex:a/b</ex:tag>', Identifier(EX + "a/b")),
        ('<ex:tag prov:ref="ex:name"/>', Identifier(EX + "name")),
        ("<ex:tag>a<!-- b -->c<![CDATA[<d>]]></ex:tag>", text("ac<d>")),
        ('<ex:tag xmlns:o="http://o.example/" xsi:type="xsd:QName">o:x</ex:tag>', Identifier("http://o.example/x")),
        (
            f'<ex:tag xsi:type="rdf:XMLLiteral" xmlns:rdf="{RDF}">a &lt; b</ex:tag>',
            Literal("a < b", RDF + "XMLLiteral"),
        ),
    ],
)
def test_values(inner, expected):
    assert value(inner) == expected


def test_markup_is_kept_without_the_indentation_between_elements():
    found = value(
        f'<ex:tag xsi:type="r:XMLLiteral" xmlns:r="{RDF}">\n  <m:a xmlns:m="http://m/" k="1">\n    <m:b> x </m:b>\n'
        "    <m:c/>\n  </m:a>\n</ex:tag>"
    )
    assert found == Literal('<m:a xmlns:m="http://m/" k="1"><m:b> x </m:b><m:c/></m:a>', RDF + "XMLLiteral")


def test_mixed_content_is_kept_as_it_is():
    assert value('<ex:tag>one <i xmlns="">two</i> &amp; three </ex:tag>') == Literal(
        "one <i>two</i> &amp; three ", RDF + "XMLLiteral"
    )


def test_bundles_have_their_own_namespaces():
    document = read(
        '<prov:bundleContent prov:id="o:b" xmlns:o="http://o.example/" xmlns:ex="http://other.example/">'
        '<prov:entity prov:id="ex:e"/></prov:bundleContent><prov:entity prov:id="ex:e"/>'
    )
    assert document.prefixes == {"ex": EX}
    assert document.statements == [Statement(ENTITY, E)]
    (bundle,) = document.bundles
    assert bundle.id == "http://o.example/b"
    assert bundle.statements == [Statement(ENTITY, Identifier("http://other.example/e"))]
    assert bundle.prefixes == {"o": "http://o.example/", "ex": "http://other.example/"}


def test_the_default_namespace_holds_for_names_in_values_too():
    head = HEAD.replace("xmlns:ex=", "xmlns=")
    document = read('<prov:entity prov:id="e"><tag prov:ref="x"/></prov:entity>', head=head)
    assert document.prefixes == {"": EX}
    assert document.statements == [Statement(ENTITY, E, (), ((TAG, Identifier(EX + "x")),))]


def test_statements_know_their_line():
    document = read('<prov:entity prov:id="ex:a"/>\n\n<prov:entity prov:id="ex:b">\n</prov:entity>')
    assert [statement.span and statement.span[0] for statement in document.statements] == [2, 4]


def test_missing_arguments_are_absent_and_repeated_members_are_statements():
    document = read(
        '<prov:used/><prov:hadMember><prov:collection prov:ref="ex:c"/><prov:entity prov:ref="ex:e"/>'
        '<prov:entity prov:ref="ex:f"/></prov:hadMember>'
    )
    collection, other = Identifier(EX + "c"), Identifier(EX + "f")
    assert document.statements == [
        Statement(USAGE, None, (None, None, None)),
        Statement(MEMBERSHIP, None, (collection, E)),
        Statement(MEMBERSHIP, None, (collection, other)),
    ]
    assert not document.warnings


# --- written for peers -----------------------------------------------------------------------------------------------


def test_names_always_have_a_prefix_and_the_default_namespace_stays_declared():
    """ProvToolbox looks for a name without a prefix in the namespace of the element around it."""
    bundle = Bundle(Identifier("http://d/b"), [Statement(ENTITY, Identifier("http://f/e"))], {"": "http://f/"})
    document = Document([Statement(ENTITY, Identifier("http://d/e"))], [bundle], {"": "http://d/"})
    root = etree.fromstring(provxml.write(document))
    names = [value for element in root.iter() for value in element.attrib.values()]
    assert len(names) == 3
    assert all(":" in name for name in names)
    assert provxml.read(provxml.write(document)).prefixes[""] == "http://d/"
    assert provxml.read(provxml.write(document)).compare(document).same


def test_elements_are_names_of_xml_where_some_prefix_gives_one():
    attributes = tuple((Identifier(EX + local), text("x")) for local in ("ns#e1", "a/b", "c?d=e", "0", "a/0"))
    document = Document([Statement(ENTITY, E, (), attributes)], prefixes={"ex": EX})
    written = provxml.write(document)
    tags = [element.tag for element in etree.fromstring(written)[0]]
    assert tags == [
        *(f"{{{EX}ns#}}e1", f"{{{EX}a/}}b", f"{{{EX}c?d=}}e"),
        *(f"{{{EX}}}_x0030_", f"{{{EX}a/}}_x0030_"),
    ]
    assert provxml.read(written).statements == document.statements


SCHEMA = Path(prov.__file__).parent / "tests" / "schemas" / "prov.xsd"
UNAVOIDABLE = re.compile(
    r"does not resolve to a type definition|The type definition is absent|is not a valid value of the atomic type "
    r"'xs:(?!QName)|Expected is \( \{http://www.w3.org/ns/prov#\}key"
)
"""Datatypes that no schema defines, values that are none of their datatype, and dictionaries changed by no key."""


@given(documents(awkward_identifiers=False, odd_times=False))
@settings(max_examples=examples(100), deadline=None)
def test_what_is_written_is_valid_by_the_schema_of_the_note(document):
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.validate(etree.fromstring(provxml.write(document)))
    assert [error.message for error in schema.error_log if not UNAVOIDABLE.search(error.message)] == []


def test_a_language_has_the_type_that_the_schema_asks_for():
    attributes = tuple((Identifier(name), text("x", "en")) for name in (PROV_LABEL, PROV_TYPE, EX + "tag"))
    document = Document([Statement(ENTITY, E, (), attributes)])
    lines = [line.strip() for line in provxml.write(document).decode().splitlines()]
    assert '<prov:label xml:lang="en">x</prov:label>' in lines
    assert '<prov:type xsi:type="prov:InternationalizedString" xml:lang="en">x</prov:type>' in lines
    assert '<ns1:tag xml:lang="en">x</ns1:tag>' in lines
    assert provxml.read(provxml.write(document)).statements == document.statements


def test_prefixes_for_elements_are_bounded():
    attributes = tuple((Identifier(f"{EX}{number}/a"), text("x")) for number in range(2_000))
    document = Document([Statement(ENTITY, E, (), attributes)], prefixes={"ex": EX})
    written = provxml.write(document)
    assert written.count(b"xmlns:") < 250
    assert provxml.read(written).statements == document.statements


# --- dialects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", ["http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema#"])
def test_xml_schema_with_and_without_hash(schema):
    head = HEAD.replace('xmlns:xsd="http://www.w3.org/2001/XMLSchema"', f'xmlns:xsd="{schema}" xmlns:xs="{schema}"')
    body = '<prov:entity prov:id="ex:e"><ex:tag xsi:type="{}:int">1</ex:tag></prov:entity>'
    for prefix in ("xsd", "xs"):
        assert read(body.format(prefix), head=head).statements[0].attributes == ((TAG, Literal("1", XSD + "int")),)


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        ('<prov:bundle prov:id="ex:b"><prov:entity prov:id="ex:e"/></prov:bundle>', "read as prov:bundleContent"),
        ("<prov:used><prov:entity>ex:e</prov:entity></prov:used>", "a name as its text"),
        ("<prov:used><prov:entity/></prov:used>", "no prov:ref: read as absent"),
        ("<prov:used><prov:time/></prov:used>", "prov:time is empty: read as absent"),
        (
            '<prov:hadMember><prov:entity><prov:entity prov:ref="ex:e"/></prov:entity></prov:hadMember>',
            "on an element within it",
        ),
        (
            '<prov:entity prov:id="ex:e"><ex:tag xsi:type="xsd:int" xml:lang="fr">1</ex:tag></prov:entity>',
            "has no meaning for a value",
        ),
    ],
)
def test_what_is_unusual_is_remarked_upon_with_its_line(body, remark):
    (warned,) = read(body).warnings
    assert remark in warned.message
    assert warned.line in (1, 2)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("<prov:other><ex:x/></prov:other>", "the element prov:other"),
        ("<prov:entitty/>", "the element prov:entitty"),
        ("<ex:x><prov:entity prov:id='ex:e'/></ex:x>", "the element x of <http://example.org/>"),
        ('<x xmlns=""/>', "the element x, in no namespace,"),
        (
            '<prov:entity prov:id="ex:e" ex:extra="1"/>',
            "the attribute extra of <http://example.org/> of prov:entity",
        ),
        ('<prov:entity prov:id="ex:e"><label>x</label></prov:entity>', "the element label, in no namespace,"),
        (
            '<prov:entity prov:id="ex:e"><ex:tag ex:k="1">x</ex:tag></prov:entity>',
            "the attribute k of <http://example.org/> of tag of <http://example.org/>",
        ),
        ('<prov:entity prov:id="ex:e"><ex:tag prov:ref="ex:f">x</ex:tag></prov:entity>', "the text 'x' in tag of"),
        ('<prov:entity prov:id="ex:e">stray</prov:entity>', "the text 'stray' in prov:entity"),
        ('stray<prov:entity prov:id="ex:e"/>', "the text 'stray' in prov:document"),
        ('<prov:bundleContent prov:id="ex:b">stray</prov:bundleContent>', "the text 'stray' in prov:bundleContent"),
        ('<prov:bundleContent prov:id="ex:b" ex:k="1"/>', "the attribute k of <http://example.org/> of prov:bundle"),
        ('<prov:bundleContent prov:id="ex:b"><ex:x/></prov:bundleContent>', "the element x of <http://example.org/>"),
        (
            '<prov:used><prov:entity prov:ref="ex:e" k="1"/></prov:used>',
            "the attribute k, in no namespace, of prov:ent",
        ),
        ('<prov:used><prov:entity prov:ref="ex:e">x</prov:entity></prov:used>', "the text 'x' in prov:entity"),
        ('<prov:used><prov:entity prov:ref="ex:e"><ex:x/></prov:entity></prov:used>', "the element x of"),
        ("<prov:used><prov:time ex:k='1'>2012-01-01T00:00:00</prov:time></prov:used>", "the attribute k of"),
        ("<prov:used><prov:time>2012-01-01T00:00:00<ex:x/></prov:time></prov:used>", "the element x of"),
        (
            '<prov:derivedByInsertionFrom><prov:keyEntityPair k="1"><prov:key>x</prov:key>'
            '<prov:entity prov:ref="ex:e"/></prov:keyEntityPair></prov:derivedByInsertionFrom>',
            "the attribute k, in no namespace, of prov:keyEntityPair",
        ),
    ],
)
def test_what_nothing_reads_is_named_with_its_line(body, part):
    document = read(body)
    (left,) = document.unmapped.unread
    assert left.part.startswith(part)
    assert left.line in (1, 2)
    assert [finding.rule for finding in syntax.unread(document)] == ["reading:unread"]


def test_attributes_without_a_prefix_are_told_from_those_of_prov():
    document = read('<prov:used><prov:entity ref="ex:e"/></prov:used>')
    assert "write prov:ref" in document.unmapped.unread[0].reason
    with pytest.raises(ReadError, match="its attribute id has no prefix"):
        read('<prov:entity id="ex:e"/>')


def test_what_any_xml_may_have_is_not_reported():
    source = HEAD.replace("<prov:document", '<prov:document xsi:schemaLocation="http://www.w3.org/ns/prov# prov.xsd"')
    document = read(
        '<!-- c --><?p i?><prov:used xml:space="preserve">\n'
        '<prov:time xsi:type="xsd:dateTime">2012-01-01T00:00:00<!-- c --></prov:time></prov:used>',
        head=source,
    )
    assert (document.statements[0].args[2], len(document.unmapped), document.warnings) == (
        "2012-01-01T00:00:00",
        0,
        [],
    )


def test_names_that_are_no_iris_are_repaired_with_their_line():
    document = read(
        '\n<prov:entity prov:id="ex:a[1]"/>\n<prov:entity prov:id="ex:b"><ex:c prov:ref="ex:a b"/></prov:entity>'
    )
    assert [(w.rule, w.line, w.focus) for w in document.warnings] == [
        ("reading:iri", 3, EX + "a%5B1%5D"),
        ("reading:iri", 4, EX + "a%20b"),
    ]


def test_a_value_that_is_no_name_stays_text():
    document = read('<prov:entity prov:id="ex:e"><ex:tag xsi:type="xsd:QName">nowhere</ex:tag></prov:entity>')
    assert document.statements[0].attributes == ((TAG, Literal("nowhere", XSD_QNAME)),)
    assert "'nowhere' has no declared namespace" in document.warnings[0].message
    assert provxml.read(provxml.write(document)).statements == document.statements


def test_namespaces_that_libxml2_takes_for_no_uri():
    head = HEAD.replace(f'xmlns:ex="{EX}"', 'xmlns:ex="http://example.org/né/"')
    document = read('<prov:entity prov:id="ex:e"/>', head=head)
    assert document.statements[0].id == "http://example.org/né/e"


def test_relative_namespaces_need_a_base():
    head = HEAD.replace(f'xmlns:ex="{EX}"', 'xmlns:ex="things/"')
    document = read('<prov:entity prov:id="ex:e"/>', head=head, base=EX)
    assert document.statements[0].id == EX + "things/e"
    found = error('<prov:entity prov:id="ex:e"/>', head=head)
    assert found.line == 1
    assert "things/" in found.message


def test_names_that_provtoolbox_escaped_are_restored():
    body = (
        '<prov:entity prov:id="ex:_0e"><ex:_0tag xsi:type="xsd:QName">ex:a__b</ex:_0tag></prov:entity>'
        '<prov:entity prov:id="ex:a_2Fb"/>'
    )
    first, second = read(body, declaration=TOOLBOX).statements
    assert first == Statement(ENTITY, Identifier(EX + "0e"), (), ((Identifier(EX + "0tag"), Identifier(EX + "a_b")),))
    assert second.id == EX + "a/b"


def test_names_stay_as_they_are_where_one_of_them_cannot_be_escaped():
    body = '<prov:entity prov:id="ex:run_21"/><prov:entity prov:id="ex:my_run"/>'
    assert [s.id for s in read(body, declaration=TOOLBOX).statements] == [EX + "run_21", EX + "my_run"]
    assert read('<prov:entity prov:id="ex:run_21"/>').statements[0].id == EX + "run_21"


@given(st.text(min_size=1, max_size=12) | st.text(alphabet="_x0041BFé ", min_size=1, max_size=14))
@settings(max_examples=examples(200), deadline=None)
def test_escaped_names_are_ncnames_and_come_back(local):
    assert is_ncname(escape(local))
    assert unescape(escape(local)) == local


@pytest.mark.parametrize(
    ("written", "meant"),
    [("_0tag", "0tag"), ("a__b", "a_b"), ("___a", "_a"), ("_", ""), ("a_2Fb_3A", "a/b:"), ("_ח", "ח")],
)
def test_provtoolbox_names(written, meant):
    assert toolbox_escaped([written])
    assert toolbox_unescape(written) == meant


@pytest.mark.parametrize("name", ["my_run", "54b8b2f2", "_foo", "main/step", "a_2f"])
def test_names_that_provtoolbox_would_have_escaped(name):
    assert not toolbox_escaped([name])


# --- what cannot be read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("\n<prov:entity/>", 3, "no prov:id"),
        ('<prov:entity prov:id=""/>', 2, "'' has no prefix"),
        ('<prov:entity prov:id="e"/>', 2, "no namespace is the default"),
        ('<prov:entity prov:id="nope:e"/>', 2, "the prefix 'nope'"),
        ('<prov:used><prov:entity prov:ref="nope:e"/></prov:used>', 2, "prov:entity: the prefix 'nope'"),
        ('<prov:entity prov:id="ex:e"><ex:t xsi:type="nope:t"/></prov:entity>', 2, "the prefix 'nope'"),
        (
            "<prov:derivedByInsertionFrom><prov:keyEntityPair><prov:key>k</prov:key></prov:keyEntityPair>"
            "</prov:derivedByInsertionFrom>",
            2,
            "one prov:key and one prov:entity",
        ),
        (
            '<prov:used>\n<prov:entity prov:ref="ex:e"/>\n<prov:entity prov:ref="ex:e"/></prov:used>',
            4,
            "a second prov:entity",
        ),
        ("<prov:bundleContent/>", 2, "no prov:id"),
        (
            '<prov:bundleContent prov:id="ex:b"><prov:bundleContent prov:id="ex:c"/></prov:bundleContent>',
            2,
            "within a bundle",
        ),
        ("<prov:used>", 2, "not well-formed"),
        ("&undefined;", 2, "not well-formed"),
        ("<undeclared:x/>", 2, "not well-formed"),
    ],
)
def test_errors_say_what_and_where(body, line, message):
    found = error(body)
    assert message in found.message
    assert found.line == line


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"not xml",
        b"<a/>",
        b"<document/>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        HEAD.encode(),
        HEAD.encode()[:40],
        b"<!DOCTYPE x><x/>",
        b'<!DOCTYPE x [<!ENTITY a "' + b"b" * 1000 + b'"><!ENTITY c "' + b"&a;" * 1000 + b'">]><x>&c;</x>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + HEAD.encode() + b"&a;</prov:document>",
        HEAD.encode() + b"<prov:entity>" * 5000,
        HEAD.encode() + b"\xff</prov:document>",
        HEAD.encode() + b"\x00</prov:document>",
        b"\xff\xfe\x00",
    ],
)
def test_hostile_input_is_an_error(data):
    with pytest.raises(ReadError):
        provxml.read(data)


def test_entities_are_not_expanded(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    doctype = f'<!DOCTYPE d [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    data = f'{doctype}{HEAD}<prov:entity prov:id="ex:e">&s;</prov:entity></prov:document>'
    with pytest.raises(ReadError, match="DOCTYPE") as caught:
        provxml.read(data.encode())
    assert "hidden" not in str(caught.value)


def test_namespaces_without_end_are_refused():
    many = "".join(f' xmlns:p{n}="http://p.example/{n}"' for n in range(3000))
    with pytest.raises(ReadError, match="namespaces"):
        read("", head=HEAD[:-1] + many + ">")


# --- writing -----------------------------------------------------------------------------------------------------


def test_children_come_in_the_order_of_the_schema():
    document = Document(
        [
            Statement(
                ENTITY,
                E,
                (),
                (
                    (TAG, text("other")),
                    (Identifier(PROV_VALUE), text("v")),
                    (Identifier(PROV_TYPE), Identifier(EX + "T")),
                    (Identifier(PROV_LOCATION), text("here")),
                    (Identifier(PROV_LABEL), text("l", "en")),
                ),
            ),
            Statement(
                USAGE,
                None,
                (Identifier(EX + "a"), E, "2012-03-31T09:21:00"),
                ((Identifier(PROV_ROLE), Literal("1", XSD + "int")),),
            ),
            Statement(ACTIVITY, Identifier(EX + "a"), (None, None)),
        ],
        prefixes={"ex": EX},
    )
    assert provxml.write(document).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<prov:document xmlns:prov="http://www.w3.org/ns/prov#" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ex="http://example.org/">\n'
        '  <prov:entity prov:id="ex:e">\n'
        '    <prov:label xml:lang="en">l</prov:label>\n'
        '    <prov:location xsi:type="xsd:string">here</prov:location>\n'
        '    <prov:type xsi:type="xsd:QName">ex:T</prov:type>\n'
        '    <prov:value xsi:type="xsd:string">v</prov:value>\n'
        '    <ex:tag xsi:type="xsd:string">other</ex:tag>\n'
        "  </prov:entity>\n"
        "  <prov:used>\n"
        '    <prov:activity prov:ref="ex:a"/>\n'
        '    <prov:entity prov:ref="ex:e"/>\n'
        "    <prov:time>2012-03-31T09:21:00</prov:time>\n"
        '    <prov:role xsi:type="xsd:int">1</prov:role>\n'
        "  </prov:used>\n"
        '  <prov:activity prov:id="ex:a"/>\n'
        "</prov:document>\n"
    )


def test_an_empty_document():
    assert provxml.read(provxml.write(Document())).compare(Document()).same


@pytest.mark.parametrize("lexical", ["a\rb", "\r\n", "\t", " ", "]]>", "<&>\"'", "\u2028\u0085", "\U0001f600"])
def test_text_survives(lexical):
    document = Document([Statement(ENTITY, E, (), ((TAG, text(lexical)), (TAG, text(lexical, "en"))))])
    assert provxml.read(provxml.write(document)).statements == document.statements


@pytest.mark.parametrize(
    "iri",
    ["0tag", "a/b", "_x0041_", "tag#", "7", "a b", "é", "a:b"],
)
def test_any_attribute_has_an_element(iri):
    name = Identifier(EX + iri.replace(" ", "%20"))
    document = Document([Statement(ENTITY, E, (), ((name, text("x")),))], prefixes={"ex": EX})
    assert provxml.losses(document) == []
    assert provxml.read(provxml.write(document)).statements == document.statements


@pytest.mark.parametrize(
    "prefixes",
    [
        {"xsi": EX},
        {"xml": EX},
        {"xmlns": EX},
        {"1": EX},
        {"a b": EX},
        {"prov": EX},
        {"p": "http://www.w3.org/2001/XMLSchema"},
        {"p": "http://www.w3.org/2001/XMLSchema-instance"},
        {"p": "http://www.w3.org/XML/1998/namespace"},
        {"p": 'http://example.org/"<&>'},
        {"": EX},
        {"p": ""},
    ],
)
def test_prefixes_that_xml_does_not_allow_are_replaced(prefixes):
    named = [EX + "a", "http://www.w3.org/2001/XMLSchema-instanceX", "http://www.w3.org/2001/XMLSchemaX", XSD + "x"]
    document = Document(
        [Statement(ENTITY, Identifier(iri), (), ((Identifier(iri), Identifier(iri)),)) for iri in named],
        prefixes=prefixes,
    )
    assert provxml.read(provxml.write(document)).statements == document.statements


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ((TAG, text("bell\x07")), "control characters"),
        ((TAG, text("\ud800")), "control characters"),
        ((TAG, text("x", "e\x00n")), "control characters"),
        ((Identifier(PROV + "entity"), text("x")), "from its argument"),
        ((Identifier("urn:"), text("x")), "the name of an XML element"),
    ],
)
def test_attributes_that_xml_cannot_hold_are_named_and_left_out(attribute, reason):
    usage = Statement(USAGE, E, (E, None, None), (attribute, (TAG, text("kept"))))
    document = Document([usage])
    (loss,) = provxml.losses(document)
    assert reason in loss.reason
    assert loss.subject == E
    assert provxml.read(provxml.write(document)).statements == [
        Statement(USAGE, E, (E, None, None), ((TAG, text("kept")),))
    ]


@pytest.mark.parametrize(
    "document",
    [
        Document([Statement(ENTITY, Identifier(EX + "a\x07"))]),
        Document([Statement(ACTIVITY, E, ("\x00", None))]),
        Document(bundles=[Bundle(None)]),
    ],
)
def test_what_cannot_be_written_at_all(document):
    with pytest.raises(WriteError):
        provxml.write(document)


def test_blank_nodes_are_written_and_named_as_a_loss():
    document = Document([Statement(MEMBERSHIP, None, (Identifier("_:c"), E))], prefixes={"ex": EX})
    assert provxml.read(provxml.write(document)).statements == document.statements
    assert [loss.subject for loss in provxml.losses(document)] == ["_:c"]


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(missing_mandatory=True, repeated_bundles=True, controls=True))
def test_what_is_written_is_well_formed_and_comes_back(document):
    data = provxml.write(document)
    if data.isascii():
        etree.fromstring(data)
    assert provxml.write(document) == data
    difference = provxml.read(data).compare(document).difference
    assert bool(difference) is bool(provxml.losses(document)), str(difference)


# --- the corpus --------------------------------------------------------------------------------------------------


def cases() -> list[Path]:
    suite = present("prov-suite-testcases")
    return [] if suite is None else sorted(suite.glob("test-*/*.provx"))


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.name)
def test_each_case_says_the_same_in_every_format(path):
    document = provxml.read(path.read_bytes())
    as_provn = provn.read(path.with_suffix(".provn").read_bytes(), format="provn", base=None)
    as_json = provjson.read(path.with_suffix(".json").read_bytes(), format="provjson", base=None)
    assert not document.warnings
    assert not document.compare(as_provn).difference
    assert not document.compare(as_json).difference
    assert provxml.losses(document) == []
    assert not provxml.read(provxml.write(document)).compare(document).difference


def test_the_constraint_cases_say_the_same_as_in_provn():
    paths = sorted(corpus("prov-constraints").glob("*.xml"))
    assert len(paths) == 95
    for path in paths:
        as_provn = provn.read(path.with_suffix(".provn").read_bytes(), format="provn", base=None)
        document = formats.read(path)
        assert document.format == "provxml"
        assert not document.compare(as_provn).difference, path.name


def test_every_document_of_others_is_read_and_comes_back():
    root = corpus("documents")
    paths = [p for p in sorted(root.rglob("*")) if p.suffix in (".xml", ".provx") and b"rdf:RDF" not in p.read_bytes()]
    assert len(paths) > 30
    for path in paths:
        document = provxml.read(path.read_bytes())
        assert len(document) > 0, path
        assert not provxml.read(provxml.write(document)).compare(document).difference, path
