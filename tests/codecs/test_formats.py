"""The table of formats, and telling which one some bytes are in."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from provrepo.codecs import formats
from provrepo.codecs.formats import FORMATS, READABLE, by_media_type, by_name, by_suffix, detect
from provrepo.errors import ReadError, UnknownFormat, WriteError
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import KINDS, Statement
from tests.support.corpus import corpus

SMALL = Document(
    statements=[
        Statement(KINDS["entity"], Identifier("http://example.org/e")),
        Statement(KINDS["activity"], Identifier("http://example.org/a"), (None, None)),
        Statement(KINDS["used"], None, (Identifier("http://example.org/a"), Identifier("http://example.org/e"), None)),
    ],
    prefixes={"ex": "http://example.org/"},
)


def test_names_and_suffixes_are_distinct() -> None:
    assert len({f.name for f in FORMATS}) == len(FORMATS)
    suffixes = [suffix for f in FORMATS for suffix in f.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert formats.names() == [f.name for f in FORMATS]


@pytest.mark.parametrize("row", FORMATS, ids=lambda f: f.name)
class TestRow:
    def test_it_is_found_by_name_suffix_and_media_type(self, row: formats.Format) -> None:
        assert by_name(row.name) is row
        assert all(by_suffix("a/b/c" + suffix.upper()) is row for suffix in row.suffixes)
        assert by_media_type(row.media_type) is row
        assert by_media_type(row.media_type.replace("application", "Application")) is row

    def test_what_it_writes_it_reads_and_recognizes(self, row: formats.Format) -> None:
        if not row.writes:
            with pytest.raises(WriteError, match="cannot be written"):
                SMALL.write(row.name)
            return
        data = SMALL.write(row.name)
        if not row.reads:
            assert detect(data) is detect(data, "document" + row.suffixes[0]) is row
            with pytest.raises((UnknownFormat, ReadError), match=r"no document can be read from it|ZIP archive"):
                formats.read(data)
            return
        assert formats.read(data, format=row.name).compare(SMALL).same
        # N-Quads without a graph name are N-Triples, and TriG without one is Turtle.
        same_text = {"nquads": "ntriples", "trig": "turtle"}
        assert detect(data).name in {row.name, same_text.get(row.name)}
        assert detect(data, "document" + row.suffixes[0]).name == row.name
        assert formats.read(data, format=row.name).format == row.name

    def test_writing_is_deterministic(self, row: formats.Format) -> None:
        assert not row.writes or SMALL.write(row.name) == SMALL.write(row.name)


def test_a_format_that_is_only_read_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    data = SMALL.write("provn")
    log = replace(by_name("provn"), name="log", title="Log", writes=False)
    monkeypatch.setitem(formats._BY_NAME, "log", log)
    assert formats.read(data, format="log").compare(SMALL).same
    for call in (SMALL.write, SMALL.losses):
        with pytest.raises(WriteError, match="from Log and cannot be written"):
            call("log")


def test_media_types_are_told_apart_by_profile() -> None:
    assert by_media_type("application/ld+json").name == "provjsonld"  # type: ignore[union-attr]
    assert by_media_type('application/ld+json; profile="http://www.w3.org/ns/prov#"').name == "rdfjsonld"  # type: ignore[union-attr]
    assert by_media_type("text/turtle; charset=utf-8").name == "turtle"  # type: ignore[union-attr]
    assert by_media_type("application/json;charset=utf-8").name == "provjson"  # type: ignore[union-attr]
    assert by_media_type("image/png") is None


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match="provjson"):
        by_name("yaml")
    with pytest.raises(UnknownFormat):
        SMALL.write("yaml")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("document\nendDocument", "provn"),
        ("// a comment\n\nprefix ex <http://e/>\nentity(ex:a)", "provn"),
        ("entity(ex:a)", "provn"),
        ('{"prefix": {}}', "provjson"),
        ("{}", "provjson"),
        ('{"@context": ["https://openprovenance.org/prov-jsonld/context.json"], "@graph": []}', "provjsonld"),
        ('{"@context": {"prov": "http://www.w3.org/ns/prov#"}, "@id": "http://e/a"}', "rdfjsonld"),
        ('[{"@id": "http://e/a"}]', "rdfjsonld"),
        ('<?xml version="1.0"?><prov:document xmlns:prov="http://www.w3.org/ns/prov#"/>', "provxml"),
        ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "rdfxml"),
        ("@prefix ex: <http://e/> .\nex:a a ex:B .", "turtle"),
        ("PREFIX ex: <http://e/>\nex:a a ex:B .", "turtle"),
        ("@prefix ex: <http://e/> .\nex:g { ex:a a ex:B . }", "trig"),
        ("<http://e/a> <http://e/b> <http://e/c> .\n", "ntriples"),
        ('<http://e/a> <http://e/b> "c"@en <http://e/g> .\n', "nquads"),
    ],
)
def test_content_tells_the_format(content: str, expected: str) -> None:
    assert detect(content.encode()).name == expected
    assert detect(b"\xef\xbb\xbf" + content.encode()).name == expected


def test_content_decides_where_the_ending_is_shared() -> None:
    prov_o = b'{"@context": {"prov": "http://www.w3.org/ns/prov#"}, "@id": "http://e/a"}'
    assert detect(prov_o, "run.json").name == "rdfjsonld"
    assert detect(prov_o, "run.jsonld").name == "rdfjsonld"
    assert detect(b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "a.xml").name == "rdfxml"
    assert detect(b"document\nendDocument", "a.ttl").name == "turtle"


@pytest.mark.parametrize("content", [b"", b"hello world", b"\x00\x01\x02", b"a,b,c\n1,2,3\n"])
def test_what_is_no_format_is_an_error_that_says_what_to_do(content: bytes) -> None:
    with pytest.raises(ReadError, match="--from") as caught:
        detect(content)
    assert all(row.name in str(caught.value) for row in READABLE)
    assert "svg" not in str(caught.value)


def test_sources(tmp_path: Path) -> None:
    data = SMALL.write("provn")
    path = tmp_path / "small.provn"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data)):
        assert formats.read(source).compare(SMALL).same
    with path.open("rb") as file:
        assert formats.read(file).format == "provn"
    with pytest.raises(ReadError, match="binary mode"):
        formats.read(io.StringIO("document endDocument"))  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="cannot read"):
        formats.read(tmp_path / "missing.provn")


def test_the_guards_stand_before_every_reader() -> None:
    for row in FORMATS:
        with pytest.raises(ReadError, match="NUL"):
            formats.read(b"abc\0def", format=row.name)


def test_losses_name_what_a_format_has_no_place_for() -> None:
    from provrepo.model.document import Bundle, Quad
    from provrepo.model.identifiers import text

    name = Identifier("http://example.org/a")
    document = Document(bundles=[Bundle(name)])
    document.unmapped.add(Quad(name, name, text("x")), "unknown")
    assert any("not PROV" in loss.reason for loss in document.losses("provn"))
    assert not any("bundle" in loss.reason for loss in document.losses("provn"))
    assert any("bundle" in loss.reason and loss.subject == name for loss in document.losses("turtle"))


def test_every_file_of_the_suite_is_recognized_by_its_content() -> None:
    expected = {".provn": "provn", ".json": "provjson", ".provx": "provxml", ".ttl": "turtle", ".trig": "trig"}
    for path in sorted(corpus("prov-suite-testcases").glob("*/*.*")):
        if path.is_file() and path.suffix in expected:
            found = detect(path.read_bytes()).name
            assert found == expected[path.suffix] or (path.suffix, found) == (".trig", "turtle"), path
