"""Formats are detected by structure, in every spelling that a specification or a peer allows."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats
from provrepo.codecs.formats import detect
from provrepo.codecs.provjsonld.terms import CONTEXT_URL
from provrepo.errors import ReadError
from provrepo.model.document import Document
from provrepo.resources import root
from tests.support.sampling import examples
from tests.support.strategies import documents

PREFIXES = {"ex": "http://example.org/", "prov": "http://www.w3.org/ns/prov#"}
ADDRESSES = (
    CONTEXT_URL,
    "https://openprovenance.org/prov-jsonld/context.json",
    "http://openprovenance.org/prov.jsonld",
    "https://openprovenance.org/prov-jsonld/2020-03-23/context.jsonld",
    "https://www.w3.org/submissions/2024/SUBM-prov-jsonld-20240825/context.jsonld",
)
EMBEDDED = json.loads((root() / "ontology" / "contexts" / "prov-jsonld.json").read_bytes())["@context"]
BOM = b"\xef\xbb\xbf"
SEEDS = st.integers(0, 2**32).map(Random)


# --- spellings of JSON -------------------------------------------------------------------------------------------


def spelled(value: Any, random: Random) -> bytes:
    """JSON text of a value: keys in any order, characters escaped or not, white space anywhere."""

    def space() -> str:
        return random.choice(("", "", "", " ", "\n", "\r\n\t"))

    def string(text: str) -> str:
        escaped = []
        for character in text:
            plain = json.dumps(character, ensure_ascii=False)[1:-1]
            units = character.encode("utf-16-be").hex()
            wide = "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
            escaped.append(wide if random.random() < 0.05 else plain)
        return '"' + "".join(escaped) + '"'

    def written(value: Any) -> str:
        if isinstance(value, dict):
            members = list(value.items())
            random.shuffle(members)
            inner = ",".join(f"{space()}{string(k)}{space()}:{space()}{written(v)}{space()}" for k, v in members)
            return "{" + (inner or space()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{space()}{written(item)}{space()}" for item in value) + "]"
        return string(value) if isinstance(value, str) else json.dumps(value)

    text = space() + written(value) + space()
    return random.choice((b"", BOM)) + text.encode()


def prov_json(value: dict[str, Any], random: Random) -> dict[str, Any]:
    """The same in other ways that the submission and ProvToolbox have."""

    def literal(item: Any) -> Any:
        if isinstance(item, str) and random.random() < 0.3:
            return {"$": item, "type": "xsd:string"}
        if isinstance(item, dict) and "lang" in item and random.random() < 0.5:
            return {**item, "type": "prov:InternationalizedString"}
        return item

    def record(members: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for key, content in members.items():
            found[key] = content
            if isinstance(content, list) and not key.endswith(("key-set", "key-entity-set")):
                values = [item if key == "prov:entity" else literal(item) for item in content]
                found[key] = values[0] if len(values) == 1 and random.random() < 0.5 else values
        return found

    def instance(sections: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for section, content in sections.items():
            if section == "prefix":
                reserved = ("prov", "xsd") if random.random() < 0.5 else ()
                found[section] = {prefix: iri for prefix, iri in content.items() if prefix not in reserved}
            elif section == "bundle":
                found[section] = {
                    name: [instance(one) for one in inner] if isinstance(inner, list) else instance(inner)
                    for name, inner in content.items()
                }
            elif section == "@id":
                if random.random() < 0.5:
                    found[section] = content
            else:
                found[section] = {
                    name: [record(one) for one in inner] if isinstance(inner, list) else record(inner)
                    for name, inner in content.items()
                }
        return found

    return instance(value)


def prov_jsonld(value: dict[str, Any], random: Random) -> dict[str, Any]:
    """The same with other contexts, as the draft of 2020 spells terms, and with single values beside arrays."""
    spelling = random.choice(("", "prov:"))

    def item(term: str, content: Any) -> Any:
        if term in ("@type", "@id", "@context", "@graph") or not isinstance(content, list) or len(content) != 1:
            return content
        named = isinstance(content[0], str) and term.removeprefix("prov:") not in ("type", "role", "location", "entity")
        return content if named or random.random() < 0.5 else content[0]

    def statement(members: dict[str, Any]) -> dict[str, Any]:
        if "@graph" in members:
            inner = [statement(one) for one in members["@graph"]]
            return {**members, "@type": spelling + "Bundle", "@graph": inner}
        found = {}
        for key, content in members.items():
            plain = key.startswith("@") or ":" in key
            term = key if plain or random.random() < 0.5 else "prov:" + key
            found[term] = item(term, content)
        return {**found, "@type": spelling + members["@type"]}

    declared = {} if isinstance(value["@context"][0], str) else value["@context"][0]
    address: Any = random.choice((*ADDRESSES, EMBEDDED))
    parts = [{prefix: iri} for prefix, iri in declared.items()] if random.random() < 0.5 else [declared]
    context: Any = [*parts, address] if random.random() < 0.5 else [address, *parts]
    if len(context) == 1 or not declared:
        context = address
    return {**value, "@context": context, "@graph": [statement(one) for one in value["@graph"]]}


@settings(max_examples=examples(80), deadline=None)
@given(documents(), SEEDS, st.sampled_from([None, "d.json", "d.jsonld"]))
def test_prov_json_in_every_spelling(document: Document, random: Random, name: str | None) -> None:
    data = spelled(prov_json(json.loads(document.write("provjson")), random), random)
    if len(document):
        assert detect(data, name).name == "provjson"
    again = formats.read(data, format="provjson")
    assert again.compare(document).same
    assert not again.unmapped


@settings(max_examples=examples(80), deadline=None)
@given(
    documents(dictionaries=False),
    SEEDS,
    st.sampled_from([None, "d.json", "d.jsonld"]),
)
def test_prov_jsonld_in_every_spelling(document: Document, random: Random, name: str | None) -> None:
    written = document.write("provjsonld")  # which has no term for mentions
    data = spelled(prov_jsonld(json.loads(written), random), random)
    assert detect(data, name).name == "provjsonld"
    again = formats.read(data)
    assert again.compare(formats.read(written, format="provjsonld")).same
    assert len(again) == len([s for s in document if s.kind.name != "mentionOf"])
    assert not again.unmapped


@settings(max_examples=examples(50), deadline=None)
@given(
    documents(awkward_identifiers=False),
    SEEDS,
    st.sampled_from([None, "d.json", "d.jsonld", "d.rdf.jsonld"]),
)
def test_prov_o_as_json_ld_in_every_spelling(document: Document, random: Random, name: str | None) -> None:
    written = document.write("rdfjsonld")
    value = json.loads(written)
    data = spelled(value, random)
    if len(document):
        assert detect(data, name).name == "rdfjsonld"
    assert formats.read(data, format="rdfjsonld").compare(formats.read(written, format="rdfjsonld")).same


# --- by hand -----------------------------------------------------------------------------------------------------


def graph(*nodes: object, context: object = PREFIXES) -> dict[str, object]:
    return {"@context": context, "@graph": list(nodes)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"entity": {"ex:e": {}}, "prefix": PREFIXES}, "provjson"),
        ({"entity": {"ex:e": [{}, {}]}}, "provjson"),
        ({"bundle": {"ex:b": {"@id": "ex:b", "entity": {"ex:e": {}}}}, "prefix": PREFIXES}, "provjson"),
        ({"@id": "ex:doc", "prefix": PREFIXES}, "provjson"),
        ({"entity": {"ex:e": {"ex:a": {"@context": "x", "@graph": [], "@type": "Entity"}}}}, "provjson"),
        ({"entity": {"ex:e": {"prov:value": 'prov-jsonld "@context": "@graph"'}}}, "provjson"),
        ({"provext:hadMember": {"ex:m": {}}}, "provjson"),
        # A context that only declares prefixes: types without one are PROV-JSONLD's.
        (graph({"@type": "Entity", "@id": "ex:e"}), "provjsonld"),
        (graph({"@type": ["Entity"], "@id": "ex:e"}), "provjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context="https://unknown.example/context"), "provjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context=[PREFIXES, CONTEXT_URL]), "provjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context=[CONTEXT_URL, PREFIXES]), "provjsonld"),
        (graph(context=CONTEXT_URL), "provjsonld"),
        (graph({"@type": "prov:Usage", "activity": "ex:a", "entity": "ex:e"}), "provjsonld"),
        (graph({"@type": "prov:Entity", "@id": "ex:e", "prov:type": ["ex:T"]}), "provjsonld"),
        (graph({"@type": "Bundle", "@id": "ex:b", "@graph": [{"@type": "Agent", "@id": "ex:g"}]}), "provjsonld"),
        # PROV-O: the types are compact IRIs, or a context of PROV-O defines them.
        (graph({"@type": "prov:Entity", "@id": "ex:e"}), "rdfjsonld"),
        (graph({"@type": "prov:Usage", "prov:entity": {"@id": "ex:e"}}), "rdfjsonld"),
        (graph({"@type": "prov:Activity", "@id": "ex:a", "used": {"@id": "ex:e"}}), "rdfjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context="http://www.w3.org/ns/prov.jsonld"), "rdfjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context={"@vocab": PREFIXES["prov"]}), "rdfjsonld"),
        (graph({"@type": "Entity", "@id": "ex:e"}, context={**PREFIXES, "Entity": "prov:Entity"}), "rdfjsonld"),
        (graph({"@type": "prov:Usage", "entity": {"@id": "ex:e"}}, context={"entity": "prov:entity"}), "rdfjsonld"),
        (graph({"@id": "./", "@type": "Dataset"}, context="https://w3id.org/ro/crate/1.1/context"), "rdfjsonld"),
        ({"@context": PREFIXES, "@id": "ex:e", "@type": "prov:Entity"}, "rdfjsonld"),
        ({"@id": "http://e/a", "@type": "http://www.w3.org/ns/prov#Entity"}, "rdfjsonld"),
        ([{"@id": "http://e/a"}], "rdfjsonld"),
        ([], "rdfjsonld"),
        ([1, 2], "rdfjsonld"),
        # No provenance: read as what the name says, PROV-JSON otherwise.
        ({}, "provjson"),
        ({"hello": {"@id": "x"}, "data": [1, 2, 3]}, "provjson"),
        ({"agent": "curl/8", "entity": ["x"]}, "provjson"),
    ],
)
def test_json_is_told_by_its_keys_and_their_shapes(value: object, expected: str) -> None:
    data = json.dumps(value).encode()
    assert detect(data).name == detect(data, "x.json").name == expected
    assert detect(BOM + json.dumps(value, indent=1).encode(), "x").name == expected


@pytest.mark.parametrize(
    ("value", "candidates"),
    [
        ({"@context": PREFIXES, "entity": {"ex:e": {}}}, ("provjson", "rdfjsonld")),
        ({**graph({"@type": "Entity", "@id": "ex:e"}), "agent": {"ex:g": {}}}, ("provjson", "provjsonld")),
        (
            graph(context=["https://w3id.org/ro/crate/1.1/context", CONTEXT_URL]),
            ("provjsonld", "rdfjsonld"),
        ),
        (
            graph({"@type": "Entity", "@id": "a"}, {"@type": "Dataset", "@id": "b"}, context="https://own.example/c"),
            ("provjsonld", "rdfjsonld"),
        ),
    ],
)
def test_what_stays_ambiguous_is_an_error_that_names_both(value: object, candidates: tuple[str, str]) -> None:
    data = json.dumps(value).encode()
    for name in (None, "d.json", "d.jsonld"):
        with pytest.raises(ReadError, match="--from") as caught:
            detect(data, name)
        assert all(f"({candidate})" in caught.value.message for candidate in candidates)
    # Named, it is no question.
    assert detect(data, "d.provjson").name == "provjson"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[] a <http://e/T> .", "turtle"),
        ("[ a <http://e/T> ] .", "turtle"),
        ("{ <http://e/a> a <http://e/T> }", "trig"),
        ("{\n<http://e/a> a <http://e/T> }", "trig"),
    ],
)
def test_brackets_begin_other_formats_too(text: str, expected: str) -> None:
    assert detect(text.encode()).name == expected
    assert formats.read(text.encode()).format == expected


def test_json_ld_without_provenance_is_read_as_json_ld_where_its_name_says_so() -> None:
    document = formats.read(b'{"hello": 1}', format=detect(b'{"hello": 1}', "x.jsonld").name)
    assert document.format == "rdfjsonld"
    assert [part.part for part in document.unmapped.unread] == ["/hello"]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_the_beginning_of_a_text_is_enough(cut: float) -> None:
    for row in ("provjson", "provjsonld", "rdfjsonld"):
        entities = "".join(f"entity(ex:e{n})\n" for n in range(50))
        document = formats.read(f"document prefix ex <http://e/>\n{entities}endDocument".encode(), format="provn")
        data = document.write(row)
        assert detect(data[: int(len(data) * cut)]).name == row


@pytest.mark.parametrize(
    "data", [b'{"entity": {"ex:e": ', b'{"entity" {}}', b'{"a":' * 100_000, b'{"entity": ' + b"[" * 100_000]
)
def test_malformed_json_is_left_to_the_reader_which_says_where(data: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        formats.read(data)
    assert caught.value.format == "provjson"
    assert caught.value.line == 1
