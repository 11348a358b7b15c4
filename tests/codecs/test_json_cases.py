"""The smallest inputs of kinds that were once read wrongly, and what is right (``tests/cases/read``)."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

import provrepo
from provrepo.codecs import formats
from provrepo.errors import ReadError
from provrepo.model.identifiers import Identifier
from tests.support.paths import TESTS
from tests.support.round_trip import BOTH_WAYS

CASES = TESTS / "cases" / "read"
SMALL = b"document prefix ex <http://lab.example/> entity(ex:e) endDocument"


def case(name: str) -> provrepo.Document:
    return provrepo.read(CASES / name)


def parts(document: provrepo.Document) -> list[tuple[str, int | None, int | None]]:
    return [(part.part, part.line, part.column) for part in document.unmapped.unread]


def test_a_bundle_with_an_id_is_prov_json() -> None:
    document = case("bundle-with-id.json")
    assert document.format == "provjson"
    (bundle,) = document.bundles
    assert bundle.id == "http://field.example/b"
    assert [s.id for s in bundle] == ["http://field.example/e"]
    assert not document.warnings
    assert not document.unmapped


def test_json_that_is_no_provenance_is_read_as_nothing() -> None:
    document = case("not-prov.json")
    assert len(document) == 0
    assert [part for part, _, _ in parts(document)] == ["/hello", "/data"]


def test_prov_jsonld_is_known_whatever_its_context_declares() -> None:
    document = case("jsonld-context-with-prov-prefix.jsonld")
    assert document.format == "provjsonld"
    assert [s.id for s in document] == ["http://example.org/e"]


def test_bare_strings_in_arrays_are_names() -> None:
    (entity,) = case("jsonld-bare-strings.jsonld")
    assert {value for _, value in entity.attributes} == {
        Identifier("http://example.org/" + local) for local in ("q", "T", "loc", "v")
    }


def test_a_key_that_no_context_defines_is_named_with_its_place() -> None:
    document = case("jsonld-unmapped-key.jsonld")
    assert [s.kind.name for s in document] == ["activity"]
    assert parts(document) == [("/used", 1, 94)]
    report = provrepo.validate(document, constraints="off")
    assert [(f.rule, f.line) for f in report.findings if f.rule == "reading:unread"] == [("reading:unread", 1)]


def test_a_bundles_name_is_read_with_its_own_declarations_and_written_so() -> None:
    document = case("bundle-name-inner.json")
    assert [b.id for b in document.bundles] == ["http://lab.example/inner/b"]
    for name in ("provjson", "provjsonld"):
        again = formats.read(document.write(name), format=name)
        assert [b.id for b in again.bundles] == ["http://lab.example/inner/b"]
        assert again.compare(document).same


def test_names_of_relations_without_names_are_dropped_and_reported() -> None:
    document = case("named-specialization.json")
    assert sorted(s.kind.name for s in document) == [
        "alternateOf",
        "entity",
        "entity",
        "hadMember",
        "specializationOf",
    ]
    assert [part for part, _, _ in parts(document)] == [
        "/specializationOf/r:f1_spec",
        "/alternateOf/r:alt",
        "/hadMember/r:hm",
    ]


def test_a_relative_namespace_needs_a_base_and_says_so() -> None:
    with pytest.raises(ReadError, match=r"--base, base= in Python, \?base= over HTTP") as caught:
        case("relative-namespace.json")
    assert (caught.value.line, caught.value.column) == (1, 12)
    document = provrepo.read(CASES / "relative-namespace.json", base="https://lab.example/docs/")
    (entity,) = document
    assert [name for name, _ in entity.attributes] == ["https://lab.example/docs/prov-mllr"]
    assert [w.line for w in document.warnings if "relative: read as" in w.message] == [1]
    assert [part for part, _, _ in parts(document)] == ["/default"]


def test_n_triples_has_no_base_and_the_advice_knows() -> None:
    with pytest.raises(ReadError, match="write it in full") as caught:
        formats.read(b"<http://e/a> <http://e/b> <c> .\n", format="ntriples")
    assert "--base" not in str(caught.value)


def test_a_byte_order_mark_stands_before_any_text() -> None:
    assert [s.id for s in case("byte-order-mark.ttl")] == ["http://lab.example/e"]
    document = formats.read(SMALL, format="provn")
    for row in BOTH_WAYS:
        written = document.write(row.name)
        if written.startswith(b"PK"):
            continue  # an archive is no text
        data = codecs.BOM_UTF8 + written
        for read in (formats.read(data), formats.read(data, format=row.name)):
            assert read.compare(document).same, row.name
            assert not read.warnings


@pytest.mark.parametrize("source", ["ntriples", "nquads", "turtle", "trig", "provn", "provjson"])
def test_a_byte_order_mark_is_no_part_of_what_is_converted(source: str, tmp_path: Path) -> None:
    from io import BytesIO

    from provrepo.codecs.convert import convert

    file = tmp_path / "document"
    file.write_bytes(codecs.BOM_UTF8 + formats.read(SMALL, format="provn").write(source))
    for target in ("nquads", "turtle"):
        output = BytesIO()
        convert(file, output, to=target, format=source)
        assert [s.id for s in formats.read(output.getvalue(), format=target)] == ["http://lab.example/e"]


@pytest.mark.parametrize("key", ["@id", "@type"])
def test_a_whole_document_of_prov_jsonld_has_no_name(key: str) -> None:
    address = "https://openprovenance.org/prov-jsonld/context.jsonld"
    text = f'{{"@context": [{{"ex": "http://e/"}}, "{address}"],\n"{key}": "ex:d",'
    document = provrepo.read((text + '"@graph": [{"@type": "Entity", "@id": "ex:e"}]}').encode(), format="provjsonld")
    assert [(part.part, part.line, part.column) for part in document.unmapped.unread] == [(f"/{key}", 2, 1)]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('"@id": "e:a",\n"@type": "p:Entity", "@kind": "x"', "/@kind"),
        ('"@id": "e:a", "@type": "p:Entity",\n"_:p": "x"', "/_:p"),
        ('"@graph": [\n"x", {"@id": "e:a", "@type": "p:Entity"}]', "/@graph/0"),
        ('"@graph": [\n{"@value": "x"}, {"@id": "e:a", "@type": "p:Entity"}]', "/@graph/0"),
        ('"@id": "e:a", "@type": "p:Entity", "e:l": {"@value": "x",\n"@language": "en_US"}', "/e:l/@language"),
        ('"@id": "e:a", "@type": "p:Entity", "e:l": [{"@value": "x",\n"@language": ""}]', "/e:l/0/@language"),
        ('"@id": "e:a", "@type": "p:Entity", "map": {"de": "y",\n"en_US": "x"}', "/map/en_US"),
    ],
)
def test_what_json_ld_drops_is_named(text: str, pointer: str) -> None:
    context = '{"p": "http://www.w3.org/ns/prov#", "e": "http://e/", "map": {"@id": "e:m", "@container": "@language"}}'
    document = provrepo.read(f'{{"@context": {context}, {text}}}'.encode(), format="rdfjsonld")
    assert [(part.part, part.line) for part in document.unmapped.unread] == [(pointer, 2)]
    assert len(document.statements) == 1


@pytest.mark.parametrize("context", ['"@language": "en_US"', '"l": {"@id": "http://e/l", "@language": "en_US"}'])
def test_languages_of_contexts_that_are_none_are_named(context: str) -> None:
    text = (
        f'{{"@context": [{{"p": "http://www.w3.org/ns/prov#", {context}}}], "@id": "http://e/a", "@type": "p:Entity"}}'
    )
    document = provrepo.read(text.encode(), format="rdfjsonld")
    (part,) = document.unmapped.unread
    assert part.part.startswith("/@context/0/")
    assert part.part.endswith("/@language") or part.part == "/@context/0/@language"
    assert "not a language tag" in part.reason
