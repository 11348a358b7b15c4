"""XML in encodings other than UTF-8 (XML 1.0, section 4.3.3), and that none of them hides anything from the guards."""

from __future__ import annotations

import io

import pytest

from provrepo.checks.validation import validate
from provrepo.codecs import formats
from provrepo.codecs.convert import convert
from provrepo.codecs.guards import MAX_DEPTH
from provrepo.codecs.provxml.encoding import decoded_xml
from provrepo.errors import ReadError
from provrepo.model.identifiers import text
from provrepo.vocab import PROV, RDF, RDFS, XSD

EX = "http://example.org/"
PROVXML = (
    f'<prov:document xmlns:prov="{PROV}" xmlns:ex="{EX}">\n'
    '<prov:entity prov:id="ex:e"><prov:label>{}</prov:label></prov:entity></prov:document>'
)
RDFXML = (
    f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:rdfs="{RDFS}" xmlns:prov="{PROV}">\n'
    f'<prov:Entity rdf:about="{EX}e"><rdfs:label>{{}}</rdfs:label></prov:Entity></rdf:RDF>'
)
SOURCES = {"provxml": PROVXML, "rdfxml": RDFXML}


def declared(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>\n'


def encoded(source: str, encoding: str) -> bytes:
    """Bytes in a Python encoding; ``+bom`` after its name puts a byte order mark in front."""
    name, _, mark = encoding.partition("+")
    return (("\ufeff" if mark else "") + source).encode(name)


@pytest.mark.parametrize("format_", SOURCES)
@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        (declared("UTF-16"), "utf-16-le+bom"),
        (declared("utf-16"), "utf-16-be+bom"),
        (declared("UTF-16LE"), "utf-16-le"),
        (declared("UTF-16BE"), "utf-16-be"),
        ('<?xml version="1.0"?>', "utf-16-le+bom"),
        ("", "utf-16-le+bom"),
        ("", "utf-16-be+bom"),
        ("", "utf-16-le"),
        (declared("UTF-32"), "utf-32-le+bom"),
        (declared("ISO-8859-1"), "latin-1"),
        (declared("iso-8859-15").replace('"', "'"), "iso-8859-15"),
        (declared("windows-1252"), "cp1252"),
        (declared("Shift_JIS"), "shift_jis"),
        (declared("UTF-8"), "utf-8+bom"),
        ("", "utf-8+bom"),
    ],
)
def test_the_text_is_what_it_was_before_it_was_encoded(format_: str, declaration: str, encoding: str) -> None:
    label = "日本" if "jis" in encoding else "é"
    data = encoded(declaration + SOURCES[format_].format(label), encoding)
    assert formats.detect(data).name == format_
    document = formats.read(data)
    assert document.statements[0].attributes[0][1] == text(label)
    output = io.BytesIO()
    assert convert(data, output, to="turtle").source.name == format_
    assert label in output.getvalue().decode()


@pytest.mark.parametrize("format_", SOURCES)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (encoded(declared("UTF-8") + "<a/>", "utf-16-le+bom"), "declares the encoding 'UTF-8', but is UTF-16"),
        (encoded(declared("UTF-16") + "<a/>", "utf-8"), "declares the encoding 'UTF-16', but is text of one byte"),
        (declared("UTF-7").encode() + b"<a/>", "'UTF-7', which is not read"),
        (declared("rot13").encode() + b"<a/>", "'rot13', which is not read"),
        (declared("iso-8859-99").encode() + b"<a/>", "'iso-8859-99', which is not known"),
    ],
)
def test_an_encoding_that_is_not_the_declared_one_is_an_error(format_: str, data: bytes, says: str) -> None:
    with pytest.raises(ReadError) as caught:
        formats.read(data, format=format_)
    assert says in caught.value.message
    assert caught.value.line == 1


@pytest.mark.parametrize("format_", SOURCES)
@pytest.mark.parametrize(("name", "byte"), [("utf-8", b"\xff"), ("windows-1252", b"\x81"), ("euc-jp", b"\xff")])
def test_bytes_that_are_no_characters_have_their_place(format_: str, name: str, byte: bytes) -> None:
    data = declared(name).encode() + SOURCES[format_].encode().replace(b"{}", byte)
    with pytest.raises(ReadError) as caught:
        formats.read(data, format=format_)
    assert caught.value.line == 3


def test_half_a_character_of_utf16_has_its_place() -> None:
    with pytest.raises(ReadError) as caught:
        formats.read("<a>\n<b>".encode("utf-16") + b"\x00", format="provxml")
    assert (caught.value.line, caught.value.column) == (2, 4)


@pytest.mark.parametrize("format_", SOURCES)
@pytest.mark.parametrize("encoding", ["utf-16-le+bom", "utf-16-be", "utf-32-be+bom", "utf-8"])
def test_no_encoding_hides_what_the_guards_refuse(format_: str, encoding: str) -> None:
    doctype = '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'
    with pytest.raises(ReadError, match="document type declaration"):
        formats.read(encoded(doctype, encoding), format=format_)
    deep = "<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1)
    with pytest.raises(ReadError, match="nested more than"):
        formats.read(encoded(deep, encoding), format=format_)


def test_a_declaration_keeps_every_place_behind_it() -> None:
    source = declared("ISO-8859-1").rstrip() + "<a>é</a>"
    assert decoded_xml(source.encode("latin-1")).decode().index("<a>") == source.index("<a>")


def test_findings_have_their_line_in_every_encoding() -> None:
    source = declared("UTF-16") + RDFXML.format("x").replace("<rdfs:label>", f'<rdfs:label rdf:datatype="{XSD}int">')
    data = source.encode("utf-16")
    finding = next(f for f in validate(formats.read(data, format="rdfxml"), source=data).findings if "label" in f.rule)
    assert (finding.rule, finding.line) == ("prov-dm:label", 3)
