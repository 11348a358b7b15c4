"""Descriptions of datasets in Croissant 1.1: cases of our own, from the sections of its specification."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.codecs.detection import sniff
from provrepo.errors import ReadError
from provrepo.importers.contents import content_of
from provrepo.importers.croissant.codec import read as read_description
from provrepo.importers.croissant.provenance import MISTAKEN, RELATIONS
from provrepo.model.document import Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    ATTRIBUTION,
    DERIVATION,
    GENERATION,
    MEMBERSHIP,
    SPECIALIZATION,
    USAGE,
    Kind,
)
from provrepo.vocab import PROV_VALUE, PROVREPO, RDFS_LABEL

DIGEST = "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea"
CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "dct": "http://purl.org/dc/terms/",
    "cr": "http://mlcommons.org/croissant/", "prov": "http://www.w3.org/ns/prov#", "conformsTo": "dct:conformsTo",
    **{key: f"cr:{key}" for key in ("recordSet", "field", "source", "fileObject", "extract", "column", "containedIn")},
}  # fmt: skip


def description(**more: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT, "@type": "sc:Dataset", "name": "crops", "conformsTo": "http://mlcommons.org/croissant/1.1",
        "description": "Yields of plots.", "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "url": "https://lab.example/crops", "datePublished": "2026-11-20",
        "creator": {"@type": "sc:Person", "name": "Ada", "url": "https://orcid.org/0000-0002-1825-0097"},
        "distribution": [
            {"@type": "cr:FileObject", "@id": "crops.zip", "name": "crops.zip", "md5": "0" * 32, "contentUrl":
             "https://lab.example/crops.zip?token=hunter2", "encodingFormat": "application/zip"},
            {"@type": "cr:FileObject", "@id": "raw.csv", "name": "raw.csv", "contentUrl": "raw.csv", "sha256": DIGEST,
             "encodingFormat": "text/csv", "containedIn": {"@id": "crops.zip"}},
            {"@type": "cr:FileSet", "@id": "pictures", "containedIn": {"@id": "crops.zip"}, "includes": "*.jpg",
             "encodingFormat": "image/jpeg"},
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "plots", "field": [
                {"@type": "cr:Field", "@id": "plots/ph", "dataType": "sc:Float", "source":
                 {"fileObject": {"@id": "raw.csv"}, "extract": {"column": "soil_ph"}}},
            ]},
        ],
        **more,
    }  # fmt: skip


def read(value: Any) -> Document:
    return provrepo.read(json.dumps(value).encode())


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    labels = {s.id: str(v) for s in document if s.kind.element for n, v in s.attributes if n == RDFS_LABEL}
    return {
        tuple(labels.get(arg, str(arg)) if arg is not None else "-" for arg in s.args)
        for s in document
        if s.kind is kind
    }  # type: ignore[arg-type]


def messages(document: Document) -> list[str]:
    return [warning.message for warning in document.warnings]


def conforms(document: Document) -> bool:
    return bool(provrepo.validate(document, profiles=["core"], constraints="gate").conforms)


def test_a_dataset_with_its_resources_and_fields() -> None:
    document = read(description())
    assert messages(document) == []
    assert conforms(document)
    assert document.source is not None
    assert document.source.format == "croissant"
    assert related(document, MEMBERSHIP) == {
        ("crops", "crops.zip"), ("crops", "raw.csv"), ("crops", "pictures"), ("plots", "plots/ph"),
    }  # fmt: skip
    assert {pair[:2] for pair in related(document, DERIVATION)} >= {
        ("raw.csv", "crops.zip"), ("pictures", "crops.zip"), ("plots/ph", "raw.csv"),
    }  # fmt: skip
    assert ("crops", "Ada") in related(document, ATTRIBUTION)
    assert "https://orcid.org/0000-0002-1825-0097" in {str(s.id) for s in document}
    contents = {pair[1] for pair in related(document, SPECIALIZATION)}
    assert contents == {
        content_of("sha256", DIGEST), content_of("md5", "0" * 32), "https://lab.example/crops",
    }  # fmt: skip
    (how,) = [str(v) for s in document if s.kind is DERIVATION for n, v in s.attributes if n == PROVREPO + "details"]
    assert json.loads(how) == {"cr:extract": {"cr:column": "soil_ph"}}
    assert "hunter2" not in document.write("provn").decode()


@pytest.mark.parametrize("place", ["dataset", "file", "record set", "field"])
def test_provenance_at_each_level(place: str) -> None:
    said = {
        "prov:wasDerivedFrom": {"@id": "urn:dataset:ImageNet"},
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity", "prov:label": "corruption", "prov:endedAtTime": "2023-10-01T12:00:00Z",
            "prov:used": {"@id": "urn:dataset:ImageNet"},
            "prov:wasAssociatedWith": {"@type": "prov:SoftwareAgent", "prov:label": "tool"},
        },
        "prov:wasAttributedTo": {"@type": "prov:Agent", "prov:label": "Foundation"},
    }  # fmt: skip
    value = description()
    target, label = {
        "dataset": (value, "crops"), "file": (value["distribution"][1], "raw.csv"),
        "record set": (value["recordSet"][0], "plots"), "field": (value["recordSet"][0]["field"][0], "plots/ph"),
    }[place]  # fmt: skip
    target |= said
    document = read(value)
    assert messages(document) == []
    assert conforms(document)
    assert (label, "urn:dataset:ImageNet", "-", "-", "-") in related(document, DERIVATION)
    assert (label, "corruption", "-") in related(document, GENERATION)
    assert (label, "Foundation") in related(document, ATTRIBUTION)
    assert related(document, USAGE) == {("corruption", "urn:dataset:ImageNet", "-")}
    assert related(document, ASSOCIATION) == {("corruption", "tool", "-")}
    (activity,) = [s for s in document if s.kind is ACTIVITY]
    assert str(activity.args[1]) == "2023-10-01T12:00:00Z"


def test_provenance_of_values() -> None:
    value = description()
    value["recordSet"] = [
        {"@type": "cr:RecordSet", "@id": "labels", "cr:data": [
            {"labels/label": "wheat", "labels/label/annotator": "ada"},
            {"labels/label": "rye", "labels/label/annotator": "bo"},
         ], "field": [
            {"@type": "cr:Field", "@id": "labels/label", "dataType": "sc:Text", "cr:annotation": {
                "@type": "cr:Field", "@id": "labels/label/annotator", "dataType": "prov:Person",
                "cr:equivalentProperty": "prov:wasAttributedTo"}}]},
    ]  # fmt: skip
    document = read(value)
    assert conforms(document)
    values = {s.id: str(v) for s in document for n, v in s.attributes if n == PROV_VALUE}
    pairs = {
        (values[s.args[0]], str(s.args[1]).rpartition("/")[2])
        for s in document
        if s.kind is ATTRIBUTION and s.args[0] in values
    }  # type: ignore[index]
    assert pairs == {("wheat", "ada"), ("rye", "bo")}
    del value["recordSet"][0]["cr:data"]
    (message,) = messages(read(value))
    assert message == (
        "/recordSet/0/field/0/cr:annotation: prov:wasAttributedTo is said of each value; these are in the data, which "
        "is not read"
    )


def test_is_associated_with_is_no_term_of_prov() -> None:
    agent = {"@type": "prov:Agent", "@id": "crowd", "prov:label": "crowd workers"}
    activity = {"@type": "prov:Activity", "@id": "addition", "prov:isAssociatedWith": "crowd"}
    document = read(description(**{"prov:wasGeneratedBy": activity, "prov:isAssociatedWith": agent}))
    assert "https://w3id.org/provrepo/croissant/" in next(iter(related(document, ASSOCIATION)))[0]
    assert {pair[1] for pair in related(document, ASSOCIATION)} == {"crowd workers"}
    assert {pair for pair in related(document, ATTRIBUTION) if pair[0] == "crops"} == {("crops", "Ada")}
    assert messages(document) == [
        "/prov:wasGeneratedBy/prov:isAssociatedWith: prov:isAssociatedWith is no term of PROV; it is read as "
        "prov:wasAssociatedWith, which is to be written",
        "/prov:wasGeneratedBy/prov:isAssociatedWith: an identifier as a text, which JSON-LD takes for a text; write "
        '{"@id": …}',
        "/prov:isAssociatedWith: prov:isAssociatedWith is no term of PROV, and wasAssociatedWith is of an activity; "
        "write prov:wasAttributedTo, or the association at the activity",
    ]


def test_mistaken_names_are_no_terms_and_mean_terms() -> None:
    assert MISTAKEN.keys().isdisjoint(RELATIONS)
    assert {right for right in MISTAKEN.values() if right != "atLocation"} <= RELATIONS.keys()


@pytest.mark.parametrize("name", ["name", "description", "license", "url", "creator", "datePublished", "distribution"])
def test_what_is_required_is_named(name: str) -> None:
    value = description()
    del value[name]
    found = messages(read(value))
    assert f"Croissant 1.1 requires {name} (Dataset-level Information, Required)" in found


def test_what_else_the_specification_says() -> None:
    value = description()
    value["distribution"][1] |= {"sha256": "0b033707ea49365a5ffdd14615825511", "containedIn": {"@id": "nothing"}}
    value["distribution"].append({"@type": "sc:DataDownload", "name": "x"})
    value["distribution"].append({"@type": "cr:FileObject", "@id": "bare", "name": "bare"})
    value["recordSet"][0]["field"].append({"@type": "cr:Field", "@id": "plots/ph", "cr:arrayShape": "-1"})
    found = messages(read(value))
    for expected in (
        "/distribution/1/sha256: no sha256 of a file in hexadecimal; it names no content",
        "/distribution/1/containedIn: nothing is described with the identifier nothing",
        "/distribution/3: Croissant 1.1 requires a FileObject or a FileSet here (Modified and Added Properties)",
        "/distribution/4: a FileObject needs contentUrl, where its bytes are (FileObject)",
        "/distribution/4: a FileObject needs encodingFormat, its media type (FileObject)",
        "/distribution/4: no checksum: it is not known whether this file is another one later (Checksums)",
        "/recordSet/0/field/1/@id: the identifier plots/ph is described twice",
        "/recordSet/0/field/1: a Field needs dataType (Field)",
        "/recordSet/0/field/1: arrayShape needs isArray true (Field)",
    ):
        assert expected in found, found


def test_the_context_decides_what_names_mean() -> None:
    value = description()
    renamed = {
        "@context": {"s": "http://schema.org/", "c": "http://mlcommons.org/croissant/", "p": "http://www.w3.org/ns/prov#",
                     "title": "s:name", "@base": "https://lab.example/d/"},
        "@type": "s:Dataset", "http://purl.org/dc/terms/conformsTo": {"@id": "http://mlcommons.org/croissant/1.1"},
        "title": "crops", "s:distribution": {"@type": "c:FileObject", "@id": "raw.csv", "title": "raw.csv",
                                             "s:contentUrl": "raw.csv", "s:encodingFormat": "text/csv",
                                             "s:sha256": DIGEST},
        "p:wasDerivedFrom": {"@id": "former"},
    }  # fmt: skip
    document = read(renamed)
    assert ("crops", "raw.csv") in related(document, MEMBERSHIP)
    assert ("crops", "https://lab.example/d/former", "-", "-", "-") in related(document, DERIVATION)
    remote = read(value | {"@context": ["https://elsewhere.example/context.json", CONTEXT]})
    assert "/@context: the context https://elsewhere.example/context.json is not fetched; its terms are not known" in (
        messages(remote)
    )


@pytest.mark.parametrize("version", ["https://w3id.org/ro/crate/1.1", "http://mlcommons.org/croissant/RAI/1.0"])
def test_what_conforms_to_something_else_is_json_ld(version: str) -> None:
    assert sniff(json.dumps(description(conformsTo=version)).encode()) == "rdfjsonld"


# Writing --------------------------------------------------------------------------------------------------------

DOCUMENT = f"""document
prefix ex <https://lab.example/>
prefix schema <http://schema.org/>
prefix dcat <http://www.w3.org/ns/dcat#>
entity(ex:crops, [prov:type='dcat:Dataset', prov:type='prov:Collection', schema:name="crops",
 schema:description="Yields.", schema:license="https://spdx.org/licenses/CC0-1.0.html", schema:url="https://lab.example/c",
 schema:datePublished="2026-11-20"])
entity(ex:clean, [prov:label="clean.csv", prov:location="/srv/clean.csv", schema:sha256="{DIGEST}",
 schema:encodingFormat="text/csv", schema:contentSize="12" %% xsd:integer])
entity(ex:other, [prov:label="other.csv", schema:sha256="{DIGEST}"])
hadMember(ex:crops, ex:clean)
agent(ex:lab, [prov:type='prov:Organization', prov:label="Lab"])
wasAttributedTo(ex:crops, ex:lab)
activity(ex:run, 2026-11-20T10:00:00Z, -)
wasGeneratedBy(ex:clean, ex:run, 2026-11-20T10:01:00Z)
endDocument"""


def test_a_dataset_is_written_with_its_provenance() -> None:
    document = provrepo.read(DOCUMENT.encode())
    written = json.loads(document.write("croissant"))
    assert document.losses("croissant") == []
    assert (written["@type"], written["@id"], written["name"]) == ("sc:Dataset", "https://lab.example/crops", "crops")
    assert written["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert written["creator"] == [{"@type": "sc:Organization", "@id": "https://lab.example/lab", "name": "Lab"}]
    (file,) = written["distribution"]
    assert {key: file[key] for key in ("@id", "name", "contentUrl", "encodingFormat", "contentSize", "sha256")} == {
        "@id": "https://lab.example/clean", "name": "clean.csv", "contentUrl": "/srv/clean.csv",
        "encodingFormat": "text/csv", "contentSize": "12 B", "sha256": DIGEST,
    }  # fmt: skip
    assert file["prov:wasGeneratedBy"] == {"@id": "https://lab.example/run"}
    (run,) = [node for node in written["@included"] if node["@id"] == "https://lab.example/run"]
    assert run["prov:startedAtTime"] == {"@type": "xsd:dateTime", "@value": "2026-11-20T10:00:00Z"}


def test_what_is_written_is_read_back() -> None:
    document = provrepo.read(DOCUMENT.encode())
    data = document.write("croissant")
    assert provrepo.compare(document, provrepo.read(data)).same
    changed = json.loads(data)
    changed["name"] = "changed"
    again = read(changed)
    assert "/provrepo:statements: the description was changed since; these statements are not used" in messages(again)
    assert ("clean.csv", "https://lab.example/run", "-") in related(again, GENERATION)


def test_what_croissant_requires_and_a_document_does_not_say_is_a_loss() -> None:
    entity = f'entity(ex:a, [prov:label="a.csv", schema:sha256="{DIGEST}"])'
    prefixes = "prefix ex <https://e/>\nprefix schema <http://schema.org/>"
    document = provrepo.read(f"document\n{prefixes}\n{entity}\nendDocument".encode())
    reasons = [loss.reason for loss in document.losses("croissant")]
    assert reasons == [
        f"Croissant 1.1 requires {name}, which the document does not state of its dataset"
        for name in ("description", "license", "url", "creator", "datePublished")
    ]
    assert json.loads(document.write("croissant"))["distribution"][0]["name"] == "a.csv"


# Any input ------------------------------------------------------------------------------------------------------

KEYS = [
    "@id", "@type", "@context", "@included", "name", "conformsTo", "creator", "distribution", "recordSet", "field",
    "source", "containedIn", "sha256", "cr:data", "cr:annotation", "cr:equivalentProperty", "cr:subField",
    "prov:wasGeneratedBy",
    "prov:wasDerivedFrom", "prov:isAssociatedWith", "prov:startedAtTime", "prov:atLocation", "provrepo:statements",
    "x:y",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from(["cr:FileObject", "cr:FileSet", "cr:Field", "prov:Activity", "prov:wasAttributedTo", "raw.csv"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_any_json_makes_a_document_or_a_finding(value: dict[str, Any]) -> None:
    for data in (json.dumps(value).encode(), json.dumps(description(**value)).encode()):
        try:
            document = read_description(data, format="croissant", base=None)
        except ReadError:
            continue
        document.write("provn")


@pytest.mark.parametrize("data", [b'{"conformsTo": ', b'{"@id": "a", "@id": "b"}'])
def test_what_is_no_json_has_a_place(data: bytes) -> None:
    with pytest.raises(ReadError) as error:
        read_description(data, format="croissant", base=None)
    assert error.value.line == 1
