"""JSON-LD contexts that are named by address: known ones stand in from tables, and nothing is ever fetched."""

from __future__ import annotations

import json
import re
import socket

import pytest

import provrepo
from provrepo.codecs import formats
from provrepo.codecs.jsonld.contexts import KNOWN, inlined
from provrepo.codecs.jsonld.keys import REASON
from provrepo.codecs.provo.bioschemas import moved
from provrepo.codecs.provo.terms import CLASS, PREDICATES
from provrepo.codecs.rdf import codec as rdf
from provrepo.errors import ReadError
from provrepo.model.document import UnreadPart
from provrepo.repository.repository import Repository
from provrepo.resources import root
from provrepo.vocab import PROV, RDF_TYPE, XSD
from tests.support.corpus import corpus

CRATE = """{ "@context": ["https://w3id.org/ro/crate/1.1/context", {"sha1": "http://h.example/sha1"}],
  "@graph": [
    {"@id": "./", "@type": "Dataset", "name": "A run", "hasPart": {"@id": "a.csv"}},
    {"@id": "a.csv", "@type": "File", "sha1": "da39", "wasDerivedFrom": {"@id": "b.csv"}, "contentSize": "007"},
    {"@id": "#flow", "@type": "ComputationalWorkflow", "input": {"@id": "#in"}}
  ]
}
"""
BASE = "https://crate.example/run/"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a context was about to be fetched")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def objects(text: str, predicate: str) -> list[str]:
    return [
        str(quad.object) for quad in rdf.parse(text.encode(), "rdfjsonld", BASE).quads if quad.predicate == predicate
    ]


def test_prov_o_with_its_context_by_address() -> None:
    text = """{"@context": "http://www.w3.org/ns/prov.jsonld", "@id": "urn:x:e", "@type": "Entity",
      "label": "made", "wasGeneratedBy": "urn:x:a", "generatedAtTime": "2020-01-01T00:00:00Z",
      "qualifiedGeneration": {"@type": "Generation", "activity": "urn:x:a", "hadRole": "urn:x:r"}}"""
    document = provrepo.read(text.encode())
    assert document.format == "rdfjsonld"
    assert not document.unmapped
    generation = next(s for s in document if s.kind.name == "wasGeneratedBy")
    assert generation.args == ("urn:x:e", "urn:x:a", "2020-01-01T00:00:00Z")
    assert [name for name, _ in generation.attributes] == [PROV + "role"]
    assert [str(value) for s in document if s.kind.element for _, value in s.attributes] == ["made"]


def test_a_crate_reads_as_rdf_and_what_is_not_prov_is_kept() -> None:
    document = formats.read(CRATE.encode(), base=BASE)
    assert document.format == "rdfjsonld"
    (derived,) = (s for s in document if s.kind.name == "wasDerivedFrom")
    assert derived.args[:2] == (BASE + "a.csv", BASE + "b.csv")
    kept = {(quad.predicate, str(quad.object)) for quad in document.unmapped.quads}
    assert ("http://schema.org/name", "A run") in kept
    # A thing that is derived from another is an entity, and keeps its attributes.
    (entity,) = (s for s in document if s.kind.name == "entity")
    stated = {str(name): str(value) for name, value in entity.attributes}
    assert stated["http://schema.org/contentSize"] == "007"
    assert stated["http://h.example/sha1"] == "da39"


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.1", "https://bioschemas.org/ComputationalWorkflow#input"),
        ("1.2", "https://bioschemas.org/properties/input"),
        ("1.3", "https://bioschemas.org/terms/input"),
    ],
)
def test_versions_of_crates_differ(version: str, name: str) -> None:
    text = CRATE.replace("crate/1.1/context", f"crate/{version}/context")
    assert objects(text, name) == [BASE + "#in"]


def test_the_terms_of_workflow_runs() -> None:
    text = CRATE.replace('{"sha1": "http://h.example/sha1"}', '"https://w3id.org/ro/terms/workflow-run/context"')
    assert objects(text, "https://w3id.org/ro/terms/workflow-run#sha1") == ["da39"]


def test_the_manifest_that_cwltool_writes() -> None:
    text = """{"@context": [{"@base": "arcp://uuid,1/metadata/"}, "https://w3id.org/bundle/context"],
      "id": "/", "manifest": "manifest.json", "createdOn": "2020-01-01T00:00:00",
      "aggregates": [{"uri": null, "bundledAs": {"uri": "urn:x:b", "folder": "/data/"}}]}"""
    document = provrepo.read(text.encode())
    assert document.format == "rdfjsonld"
    found = {quad.predicate: str(quad.object) for quad in document.unmapped.quads}
    assert found["http://purl.org/wf4ever/bundle#inFolder"] == "arcp://uuid,1/data/"
    assert found["http://www.openarchives.org/ore/terms/isDescribedBy"] == "arcp://uuid,1/metadata/manifest.json"
    assert [warned.message for warned in document.warnings] == [
        "null as an identifier, 1 times: read as things without one"
    ]


def test_names_in_no_context_are_named_with_their_place() -> None:
    text = CRATE.replace('"contentSize"', '"colour": "red", "contentSize"')
    document = formats.read(text.encode(), base=BASE)
    assert document.unmapped.unread == [UnreadPart("/@graph/1/colour", REASON, 4, 91)]
    assert document.unmapped.reasons[REASON] == 1


@pytest.mark.parametrize(
    "context",
    [
        '"https://example.org/context.jsonld"',
        '[{"a": "http://e/"}, "https://example.org/context.jsonld"]',
        '{"@import": "https://example.org/context.jsonld"}',
        '{"T": {"@id": "http://e/T", "@context": "https://example.org/context.jsonld"}}',
        '["https://w3id.org/ro/crate/1.1/context", "https://example.org/context.jsonld"]',
    ],
)
def test_an_unknown_context_is_an_error_that_names_it(context: str) -> None:
    text = f'{{"@id": "http://e/a",\n "@context":\n{context}}}'
    with pytest.raises(ReadError, match=r"https://example\.org/context\.jsonld is not known") as raised:
        formats.read(text.encode(), format="rdfjsonld")
    assert (raised.value.line, raised.value.column) == (3, context.index("https://example.org") + 1)


def test_a_context_within_is_put_in_place_as_well() -> None:
    text = """{"@context": {"x": "http://x.example/"}, "@id": "x:a", "x:p":
      {"@context": "http://www.w3.org/ns/prov#", "@id": "x:b", "wasInformedBy": "x:c"}}"""
    assert objects(text, PROV + "wasInformedBy") == ["http://x.example/c"]


def test_lines_stay_where_they_are() -> None:
    text = '{"@context": [\n"https://w3id.org/ro/crate/1.1/context"\n],\n"name": \x01}'
    assert inlined(text.encode(), "rdfjsonld").data.count(b"\n") == 3
    with pytest.raises(ReadError) as raised:
        formats.read(text.encode(), format="rdfjsonld")
    assert raised.value.line == 4


def test_text_that_only_looks_like_a_context_stays() -> None:
    text = r'{"@id": "http://e/a", "http://e/p": "\"@context\": \"https://e/c\"", "http://e/q": "\"@id\": null"}'
    assert inlined(text.encode(), "rdfjsonld") == (text.encode(), 0)


def test_every_table_is_well_formed_and_used() -> None:
    folder = root() / "ontology" / "contexts"
    named = {table.partition("@")[0] for _, tables in KNOWN for table in tables}
    assert named | {"prov-jsonld"} == {path.stem for path in folder.glob("*.json")}
    for path in folder.glob("*.json"):
        table = json.loads(path.read_bytes())
        parts = [table["@context"]] if "@context" in table else list(table["versions"].values())
        for term, meaning in (item for part in parts for item in part.items()):
            if path.stem != "prov-jsonld":
                name = meaning["@id"] if isinstance(meaning, dict) else meaning
                assert ":" in name or name.startswith("@"), (path, term)


def test_the_table_of_prov_o_has_every_term_of_it() -> None:
    table = json.loads((root() / "ontology" / "contexts" / "prov-o.json").read_bytes())["@context"]
    terms = {name.removeprefix(PROV) for name in [*CLASS, *PREDICATES] if name.startswith(PROV)}
    # Names of inverses that PROV-O only reserves (appendix B), and PROV-Dictionary, which is no part of it.
    reserved = re.compile(
        r".*Of|.*Dictionary.*|.*(?:Insertion|Removal).*|wasUsedBy|informed|started|ended|contributed|wasAssociateFor|"
        r"had(?:Derivation|Delegate|Revision)|quotedAs|KeyEntityPair"
    )
    assert {term for term in terms - set(table) if not reserved.fullmatch(term)} == set()


def test_crates_of_others() -> None:
    crates = sorted((corpus("documents") / "runcrate").rglob("ro-crate-metadata.json"))
    assert crates
    for crate in crates:
        document = formats.read(crate, base=BASE, format="rdfjsonld")
        assert formats.detect(crate.read_bytes(), crate).name == "rocratejson"
        assert len(document.unmapped) > 100
        assert document.warnings == [], crate


BIOSCHEMAS = "https://bioschemas.org/terms/"


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_the_terms_of_bioschemas_have_one_name_in_queries(version: str, repository: Repository) -> None:
    text = CRATE.replace("crate/1.1/context", f"crate/{version}/context")
    repository.submit(text.encode(), name="crate", format="rdfjsonld", base=BASE)
    question = f"ASK {{ <{BASE}#flow> a <{BIOSCHEMAS}ComputationalWorkflow> ; <{BIOSCHEMAS}input> <{BASE}#in> }}"
    assert repository.query(question).boolean is True


def test_the_newest_names_of_bioschemas_are_those_of_the_newest_crates() -> None:
    assert set(moved().values()) == {
        BIOSCHEMAS + name for name in ("ComputationalWorkflow", "FormalParameter", "input", "output")
    }
    assert not set(moved()) & set(moved().values())


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
def test_crates_know_the_names_of_schema_org(version: str) -> None:
    text = CRATE.replace("crate/1.1/context", f"crate/{version}/context").replace('"contentSize"', '"lyricist"')
    assert objects(text, "http://schema.org/lyricist") == ["007"]
    assert formats.read(text.encode(), base=BASE).warnings == [
        warned for warned in formats.read(text.encode(), base=BASE).warnings if "context" not in warned.message
    ]


def test_the_context_of_schema_org_knows_every_name() -> None:
    text = '{"@context": "https://schema.org", "id": "http://e/a", "type": "Person", "neverHeardOf": "x"}'
    assert objects(text, "http://schema.org/neverHeardOf") == ["x"]


@pytest.mark.parametrize("version", ["3.0.0", "3.0.1"])
def test_an_sbom_of_spdx_3_is_read_as_rdf(version: str) -> None:
    text = f"""{{"@context": "https://spdx.org/rdf/{version}/spdx-context.jsonld", "@graph": [
      {{"type": "CreationInfo", "@id": "_:made", "created": "2024-03-06T00:00:00Z", "createdBy": ["http://e/bob"],
        "specVersion": "{version}"}},
      {{"type": "build_Build", "spdxId": "http://e/build", "creationInfo": "_:made",
        "build_buildStartTime": "2024-03-06T00:00:00Z"}},
      {{"type": "Relationship", "spdxId": "http://e/out", "relationshipType": "hasOutput", "from": "http://e/build",
        "to": ["http://e/file"], "creationInfo": "_:made"}},
      {{"type": "software_File", "spdxId": "http://e/file", "name": "f", "verifiedUsing": [
        {{"type": "Hash", "algorithm": "sha256", "hashValue": "aa"}}], "software_copyrightText": "NOASSERTION"}}]}}"""
    terms = f"https://spdx.org/rdf/{version}/terms/"
    document = formats.read(text.encode(), format="rdfjsonld")
    unmapped_objects = {(quad.subject, quad.predicate): quad.object for quad in document.unmapped.quads}
    assert unmapped_objects["http://e/build", RDF_TYPE] == terms + "Build/Build"
    assert unmapped_objects["http://e/build", terms + "Build/buildStartTime"].datatype == XSD + "dateTimeStamp"
    assert (
        unmapped_objects["http://e/out", terms + "Core/relationshipType"] == terms + "Core/RelationshipType/hasOutput"
    )
    assert unmapped_objects["http://e/out", terms + "Core/to"] == "http://e/file"
    assert unmapped_objects["_:b1", terms + "Core/createdBy"] == "http://e/bob"
    assert terms + "Core/HashAlgorithm/sha256" in unmapped_objects.values()
    assert not document.warnings


CROISSANT = """{"@context": {"@language": "en", "@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "sc": "https://schema.org/", "dct": "http://purl.org/dc/terms/", "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo", "recordSet": "cr:recordSet", "field": "cr:field",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"}},
  "@type": "sc:Dataset", "@id": "http://e/set", "name": "A set", "conformsTo": "http://mlcommons.org/croissant/%s",
  "recordSet": {"@type": "cr:RecordSet", "@id": "http://e/set#r", "data": [{"a": 1}],
    "field": {"@type": "cr:Field", "@id": "http://e/set#f", "dataType": "sc:Text"}},
  "prov:wasDerivedFrom": {"@id": "http://e/raw"},
  "prov:wasGeneratedBy": {"@type": "prov:Activity", "@id": "http://e/run", "prov:isAssociatedWith": {"@id": "http://e/g"},
    "prov:startedAtTime": "2023-01-01T00:00:00Z"}}"""


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_croissant_is_read_as_rdf_and_its_provenance_as_prov(version: str) -> None:
    source = (CROISSANT % version).encode()
    assert provrepo.read(source).format == "croissant", "by what it conforms to"
    document = provrepo.read(source, format="rdfjsonld")
    assert {statement.kind.name for statement in document} == {
        *("wasDerivedFrom", "wasGeneratedBy", "activity", "entity")
    }
    kept = {(quad.predicate, str(quad.object)) for quad in rdf.parse(source, "rdfjsonld").quads}
    assert ("http://mlcommons.org/croissant/dataType", "https://schema.org/Text") in kept
    assert ("http://mlcommons.org/croissant/data", '[{"a":1}]') in kept
    report = provrepo.validate(document, source=source, constraints="off")
    # The texts of its times are no xsd:dateTime, and PROV has no isAssociatedWith.
    stated = {finding.rule: finding.message for finding in report.findings}
    assert "prov:startedAtTime" in stated["prov-o:unread"]
    assert "prov:isAssociatedWith" in stated["prov-dm:attribute"]
