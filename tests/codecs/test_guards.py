"""Input that must be refused before a parser sees it, and input that only looks like it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from provrepo.codecs import formats, guards
from provrepo.codecs.guards import MAX_DEPTH, MAX_PREFIXES, check, check_literals, decode, location
from provrepo.codecs.rdf.dataset import read_for_dataset, write_nquads
from provrepo.codecs.rdf.lines import LineWriter
from provrepo.errors import ReadError, TooLarge
from provrepo.model.document import Bundle, Document, Quad
from provrepo.model.identifiers import Identifier, text
from provrepo.model.statements import KINDS, Statement
from tests.support.round_trip import BOTH_WAYS
from tests.support.work import bounded

JSON = ("provjson", "provjsonld", "rdfjsonld")
TURTLE = ("turtle", "trig", "ntriples", "nquads")
XML = ("provxml", "rdfxml")


def refusal(data: bytes, format_: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        check(data, format_)
    assert caught.value.format == format_
    return caught.value


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + closing * depth


@pytest.mark.parametrize("format_", [*JSON, *TURTLE, *XML, "provn"])
class TestText:
    def test_the_first_byte_that_is_not_utf8_is_named_with_its_place(self, format_: str) -> None:
        error = refusal(b"a\n\xc3\xa9b\xff\xff", format_)
        assert (error.line, error.column) == (2, 3)
        assert "0xff" in error.message

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf16_is_called_by_its_name(self, format_: str, encoding: str) -> None:
        assert "UTF-16" in refusal("document".encode(encoding), format_).message

    def test_binary_data(self, format_: str) -> None:
        error = refusal(b"a\nbc\0d", format_)
        assert (error.line, error.column) == (2, 3)
        assert "gzip" in refusal(b"\x1f\x8b\x08\x00", format_).message
        assert "ZIP" in refusal(b"PK\x03\x04....", format_).message

    def test_a_byte_order_mark_and_unicode_pass(self, format_: str) -> None:
        check("\ufeffdocument été 日本".encode(), format_)


def test_decode_removes_the_byte_order_mark() -> None:
    assert decode("\ufeffété".encode(), "provn") == "été"
    with pytest.raises(ReadError) as caught:
        decode(b"\xef\xbb\xbfa\xff", "provn")
    assert (caught.value.line, caught.value.column) == (1, 2)


def test_places_count_characters_from_one() -> None:
    assert location("été\nab", 0) == (1, 1)
    assert location("été\nab", 2) == (1, 3)
    assert location("été\nab", 5) == (2, 2)


@pytest.mark.parametrize("format_", JSON)
class TestJsonDepth:
    def test_the_limit_is_exact(self, format_: str) -> None:
        check(nested(b"[", b"]", MAX_DEPTH), format_)
        check(nested(b'{"a":', b"}", MAX_DEPTH), format_)
        error = refusal(nested(b"[", b"]", MAX_DEPTH + 1), format_)
        assert (error.line, error.column) == (1, MAX_DEPTH + 1)
        refusal(nested(b'{"a": [', b"]}", MAX_DEPTH // 2 + 1), format_)

    def test_unclosed_brackets_count(self, format_: str) -> None:
        refusal(b"[" * 100_000, format_)

    def test_many_siblings_are_not_deep(self, format_: str) -> None:
        check(b"[" + b"[[]]," * 10_000 + b"[]]", format_)
        check(b"[}" * 10_000, format_)

    def test_brackets_in_strings_are_text(self, format_: str) -> None:
        check(rb'["[[[[\"[[", "\\", "[", "{\\\"{"],' * 200, format_)

    def test_a_string_cannot_hide_brackets(self, format_: str) -> None:
        refusal(rb'["\\",' * 100, format_)
        refusal(b'["",' * 100 + b'""' + b"]" * 100, format_)


@pytest.mark.parametrize("format_", TURTLE)
class TestTurtleDepth:
    @pytest.mark.parametrize(
        ("opening", "closing"), [(b"[ ", b"] "), (b"( ", b") "), (b"<<( ", b")>> "), (b"<< ", b">> ")]
    )
    def test_the_limit_is_exact(self, format_: str, opening: bytes, closing: bytes) -> None:
        check(nested(opening, closing, MAX_DEPTH), format_)
        refusal(nested(opening, closing, MAX_DEPTH + 1), format_)
        refusal(opening * 20_000, format_)

    @pytest.mark.parametrize(
        "noise", [b'"[[("', b"'[(['", b'"""[ " ( \\""" """', b"'''[('''", b"<http://a/(b[c>", b"# [[ ((\n", b"ex:a\\(b"]
    )
    def test_brackets_in_strings_iris_comments_and_names_are_text(self, format_: str, noise: bytes) -> None:
        check((noise + b" ") * 200, format_)

    @pytest.mark.parametrize(
        "disguise", [b"ex:a\\# [ ", b"ex:a\\' [ ", b'"\\"" [ ', b'"""a""" [ ', b"<a> [ ", b"# \n[ "]
    )
    def test_brackets_cannot_hide(self, format_: str, disguise: bytes) -> None:
        refusal(disguise * (MAX_DEPTH + 1), format_)


@pytest.mark.parametrize("format_", XML)
class TestXml:
    def test_the_limit_is_exact(self, format_: str) -> None:
        check(nested(b"<a>", b"</a>", MAX_DEPTH), format_)
        error = refusal(nested(b"<a>\n", b"</a>", MAX_DEPTH + 1), format_)
        assert error.line == MAX_DEPTH + 1

    def test_siblings_comments_and_text_are_not_deep(self, format_: str) -> None:
        check(b"<r>" + b'<a x="1>2"><b/></a>/> > <!-- <a><a> --><?p <a> ?><![CDATA[<a><a>]]>' * 200 + b"</r>", format_)

    @pytest.mark.parametrize(
        "opening", [b'<a x="/>">', b'<a x="</a>">', b"<a x='/>'>", b"<a><!-- </a> -->", b"<a><b/>"]
    )
    def test_elements_cannot_hide(self, format_: str, opening: bytes) -> None:
        refusal(opening * (MAX_DEPTH + 1), format_)

    def test_a_document_type_is_refused(self, format_: str) -> None:
        error = refusal(b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]><a/>', format_)
        assert (error.line, error.column) == (2, 1)
        assert "DOCTYPE" in error.message
        refusal(b"<a><!-- --><!doctype a></a>", format_)

    def test_a_document_type_in_a_comment_or_in_text_is_none(self, format_: str) -> None:
        check(b"<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]></a>", format_)

    def test_an_encoding_that_could_hide_things_is_refused(self, format_: str) -> None:
        check(b'<?xml version="1.0" encoding="utf-8"?><a/>', format_)
        check(b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', format_)
        assert "UTF-7" in refusal(b'<?xml version="1.0" encoding="UTF-7"?>+ADw-', format_).message
        refusal('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode(), format_)


class TestPrefixes:
    @pytest.mark.parametrize(
        ("format_", "one"),
        [
            ("provn", "prefix p{} <http://e/{}>\n"),
            ("turtle", "@prefix p{}: <http://e/{}> .\n"),
            ("trig", "PREFIX p{}: <http://e/{}>\n"),
        ],
    )
    def test_their_number_is_bounded(self, format_: str, one: str) -> None:
        lines = [one.format(i, i).encode() for i in range(MAX_PREFIXES + 1)]
        check(b"".join(lines[1:]), format_)
        assert str(MAX_PREFIXES) in refusal(b"".join(lines), format_).message
        check(lines[0] * (MAX_PREFIXES + 1), format_)

    def test_their_number_is_bounded_in_provjson(self) -> None:
        members = [f'"p{i}": "http://e/{i}"' for i in range(MAX_PREFIXES + 1)]
        check(f'{{"prefix": {{{", ".join(members[1:])}}}}}'.encode(), "provjson")
        refusal(f'{{"prefix": {{{", ".join(members)}}}}}'.encode(), "provjson")


def test_no_literal_may_be_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "MAX_LITERAL", 100)
    name = Identifier("http://e/a")
    fine = Statement(KINDS["entity"], name, (), ((name, text("x" * 100)),))
    large = Statement(KINDS["entity"], name, (), ((name, text("x" * 101)),))
    check_literals(Document(statements=[fine], bundles=[Bundle(name, [fine])]))
    with pytest.raises(TooLarge, match="101 characters"):
        check_literals(Document(bundles=[Bundle(name, [fine, large])]))
    document = Document()
    document.unmapped.add(Quad(name, name, text("x" * 101)), "unknown")
    with pytest.raises(TooLarge):
        check_literals(document)


@pytest.mark.parametrize("character", ["x", '"', "\\", "\n", "\t", "\x01", "\x7f", "é", "€", "😀"])
def test_a_literal_is_measured_as_the_views_load_it(monkeypatch: pytest.MonkeyPatch, character: str) -> None:
    name = Identifier("http://e/a")
    (line,) = LineWriter(trusted=True).lines([Quad(name, name, text(character * 50))])
    size = len(line.encode()) - len('<http://e/a> <http://e/a> "" .\n')
    document = Document(statements=[Statement(KINDS["entity"], name, (), ((name, text(character * 50)),))])
    monkeypatch.setattr(guards, "MAX_LITERAL", size)
    check_literals(document)
    monkeypatch.setattr(guards, "MAX_LITERAL", size - 1)
    with pytest.raises(TooLarge, match="50 characters"):
        check_literals(document)


@pytest.mark.parametrize("format_", [f.name for f in BOTH_WAYS])
def test_every_reader_refuses_a_literal_that_no_view_could_load(monkeypatch: pytest.MonkeyPatch, format_: str) -> None:
    name = Identifier("http://e/a")
    for character, count in (('"', 600), ("x", 1_100), ("€", 400)):
        attribute = ((Identifier("http://e/p"), text(character * count)),)
        data = formats.write(Document(statements=[Statement(KINDS["entity"], name, (), attribute)]), format_)
        monkeypatch.setattr(guards, "MAX_LITERAL", 1_500)
        read_for_dataset(data, formats.by_name(format_), None)
        formats.read(data, format=format_)
        monkeypatch.setattr(guards, "MAX_LITERAL", 1_050)
        for reading in (
            lambda data=data: read_for_dataset(data, formats.by_name(format_), None),
            lambda data=data: formats.read(data, format=format_),
        ):
            with pytest.raises(TooLarge, match=f"{count:,} characters"):
                reading()
        monkeypatch.undo()


def test_no_line_is_written_that_no_view_could_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("provrepo.codecs.rdf.dataset.MAX_LINE", 1_000)
    data = (
        f"<http://e/{'a' * 600}> a <http://www.w3.org/ns/prov#Entity> ; <http://e/p> <http://e/{'b' * 600}> .".encode()
    )
    turtle = formats.by_name("turtle")
    document, quads = read_for_dataset(data, turtle, None)
    with pytest.raises(TooLarge, match="in N-Quads"):
        write_nquads(
            data,
            document,
            turtle,
            None,
            version=Identifier("http://e/v"),
            mint_blank=lambda number: Identifier(f"http://e/{number}"),
            output=tmp_path / "x.nq",
            quads=quads,
        )


@pytest.mark.parametrize(
    ("format_", "piece"),
    [
        ("provjson", b'["'),
        ("provjson", b'"\\'),
        ("provjson", b"[}"),
        ("turtle", b'"""\\"'),
        ("turtle", b"<<"),
        ("turtle", b'"\\"'),
        ("provxml", b"<!--"),
        ("provxml", b'<a "'),
        ("provxml", b"<![CDATA[<?"),
        ("rdfxml", b"<a b='"),
    ],
)
def test_no_scan_is_quadratic(format_: str, piece: bytes) -> None:
    with bounded(), suppress(ReadError):  # linear scans take under 0.2 s here; a quadratic one would take hours
        check(piece * 500_000, format_)
