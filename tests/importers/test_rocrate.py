"""Workflow Run RO-Crates: what runs become, in all profiles and versions, and what is wrong with a crate."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.codecs import formats
from provrepo.errors import ReadError
from provrepo.importers.contents import content_of
from provrepo.importers.rocrate.graph import ROOT
from provrepo.model.document import Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    DELEGATION,
    DERIVATION,
    GENERATION,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)
from provrepo.vocab import DCTERMS, PROV_ROLE, PROV_TYPE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA, WFPROV
from tests.support.corpus import CORPUS
from tests.support.crates import ANA, RAW, crate, metadata, process, provenance, ref
from tests.support.sampling import examples

BASE = "https://lab.example/crates/7/"
FIXTURES = CORPUS.parent / "fixtures"


def read(*nodes: dict[str, Any], **more: Any) -> Document:
    return formats.read(metadata(*nodes, **more), base=BASE)


def local(found: object) -> str:
    return str(found).removeprefix(BASE)


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    """The arguments of relations, and their role, without the base IRI."""
    return {
        (
            *(local(arg) for arg in one.args if arg is not None),
            *(str(value) for name, value in one.attributes if name == PROV_ROLE),
        )
        for one in document
        if one.kind is kind
    }


def about(document: Document, name: str, attribute: str) -> set[str]:
    """The values of an attribute of elements."""
    return {
        local(value)
        for one in document
        if one.id is not None and local(one.id) == name
        for found, value in one.attributes
        if found == attribute
    }


def messages(document: Document) -> list[str]:
    return [warning.message for warning in document.warnings]


def test_runs_of_tools() -> None:
    document = read(*process())
    assert document.format == "rocratejson"
    assert messages(document) == []
    assert {tuple(map(local, filter(None, one.args))) for one in document if one.kind is ACTIVITY} == {
        ("2026-11-20T15:00:00Z", "2026-11-20T15:01:00+00:00"),
        ("2026-11-20T16:00:00Z",),
    }
    assert related(document, USAGE) == {
        ("#clean", "raw.csv"),
        ("#clean", "#rate", "rate"),
        ("#clean", "#size", "BATCH_SIZE"),
        ("#clean", "#token", "API_TOKEN"),
        ("#clean", "#image", "container image"),
        ("#train", "clean.csv"),
        ("#train", "image/docker.io%2Flab%2Ftrain%3A1", "container image"),
    }
    assert related(document, GENERATION) == {("clean.csv", "#clean")}, "a run that failed generates nothing"
    assert about(document, "#train", f"{SCHEMA}result") == {"half.pkl"}
    assert about(document, "#train", f"{SCHEMA}error") == {"disk full"}
    assert about(document, "#train", f"{SCHEMA}actionStatus") == {f"{SCHEMA}FailedActionStatus"}
    assert related(document, ASSOCIATION) == {("#clean", ANA, "clean.py"), ("#train", ANA), ("#train", "#mill")}
    assert related(document, DELEGATION) == {("#mill", ANA, "#train")}
    assert related(document, SPECIALIZATION) == {("raw.csv", content_of("sha256", RAW))}
    assert about(document, "#token", PROV_VALUE) == {"(masked)"}
    assert about(document, "#rate", PROV_VALUE) == {"0.1"}
    assert f"{PROVREPO}Source" in about(document, "raw.csv", PROV_TYPE)
    assert f"{PROVREPO}Source" not in about(document, "clean.csv", PROV_TYPE)
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_the_run_of_a_workflow_contains_those_of_its_steps() -> None:
    document = read(*provenance(), profile="provenance/0.5")
    assert messages(document) == []
    assert related(document, START) == {
        ("#flow", "#organize"),
        ("#step-clean", "#flow"),
        ("#step-train", "#flow"),
        ("#run-clean", "#step-clean"),
        ("#run-train", "#step-train"),
    }
    assert about(document, "#run-clean", f"{DCTERMS}isPartOf") == {"#step-clean"}
    assert about(document, "#run-clean", f"{WFPROV}wasPartOfWorkflowRun") == {"#flow"}
    assert related(document, ASSOCIATION) == {
        ("#organize", ANA),
        ("#organize", "#engine"),
        ("#flow", "#engine", "flow.cwl"),
        ("#step-clean", "#engine", "flow.cwl#main/clean"),
        ("#step-train", "#engine", "flow.cwl#main/train"),
        ("#run-clean", "#engine", "flow.cwl#clean"),
        ("#run-train", "#engine", "flow.cwl#train"),
    }
    assert related(document, USAGE) == {
        ("#organize", "engine.yml", "configuration"),
        ("#flow", "raw.csv", "raw"),
        ("#flow", "#pv-rate", "rate"),
        ("#run-clean", "raw.csv", "in"),
        ("#run-train", "clean.csv", "data"),
        ("#run-train", "#pv-train", "rate"),
    }
    assert related(document, GENERATION) == {
        ("model.pkl", "#flow", "model"),
        ("clean.csv", "#run-clean", "out"),
        ("model.pkl", "#run-train", "out"),
    }
    report = provrepo.validate(document, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)


def test_a_tool_of_a_workflow_runs_in_the_run_of_the_workflow_without_an_engine() -> None:
    kept = [node for node in provenance() if node["@type"] not in ("OrganizeAction", "ControlAction")]
    document = read(*kept)
    assert related(document, START) == {("#run-clean", "#flow"), ("#run-train", "#flow")}
    assert ("#run-clean", "flow.cwl#clean", "flow.cwl#clean") in related(document, ASSOCIATION)
    assert provrepo.validate(document, profiles=["core"]).conforms


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3"])
@pytest.mark.parametrize("profile", ["0.1", "0.2", "0.3", "0.4", "0.5"])
def test_versions_of_ro_crate_and_of_the_profiles_say_the_same(version: str, profile: str) -> None:
    context = [f"https://w3id.org/ro/crate/{version}/context", "https://w3id.org/ro/terms/workflow-run"]
    context += [{"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}]  # type: ignore[list-item]
    nodes = [{key: value for key, value in node.items() if key != "sha256"} for node in provenance()]
    document = read(*nodes, profile=f"provenance/{profile}", context=context)
    types = about(document, "flow.cwl", PROV_TYPE)
    assert "https://bioschemas.org/terms/ComputationalWorkflow" in types
    assert about(document, "flow.cwl", "https://bioschemas.org/terms/input") == {"#main/raw", "#main/rate"}
    assert messages(document) == []


def test_nodes_without_an_element_stay_triples() -> None:
    document = read(*provenance(), *process()[9:10])
    triples = {(local(s), local(p), local(getattr(o, "lexical", o))) for s, p, o, _ in document.unmapped.quads}
    run = "https://w3id.org/ro/terms/workflow-run#"
    assert ("#c-data", f"{run}sourceParameter", "#clean/out") in triples
    assert ("#main/raw", RDFS_LABEL, "raw") in triples
    assert ("#memory", f"{SCHEMA}value", "512") in triples
    assert not [one for one in document if one.id and local(one.id) in ("#memory", "#c-data", "#cwl")]


def test_the_same_nodes_in_any_order_are_the_same_document() -> None:
    whole = crate(*provenance(), *process()[1:])
    documents = []
    for seed in range(4):
        random.Random(seed).shuffle(whole["@graph"])
        documents.append(formats.read(json.dumps(whole).encode()))
    first, *others = documents
    assert any(one.id and one.id.startswith(ROOT) for one in first)
    for other in others:
        # The bytes are others, and what was made of them has their digest.
        different = [*first.compare(other).difference.left, *first.compare(other).difference.right]
        assert all("ni:///" in line or "import" in line for line in different), different


def test_what_is_changed_in_place_has_two_versions() -> None:
    action = {"@id": "#a", "@type": "UpdateAction", "instrument": ref("#t"), "object": ref("db"), "result": ref("db")}
    document = read(action, {"@id": "db", "@type": "File"}, {"@id": "#t", "@type": "SoftwareApplication"})
    before = "path/db/before/%23a"
    assert related(document, USAGE) == {("#a", before)}
    assert related(document, GENERATION) == {("db", "#a")}
    assert ("db", before, "#a") in related(document, DERIVATION)
    assert related(document, SPECIALIZATION) == {("db", "path/db"), (before, "path/db")}
    assert provrepo.validate(document).possible


def test_what_is_written_again_has_a_version_for_each_run() -> None:
    def run(name: str, hour: int, **more: Any) -> dict[str, Any]:
        times = {"startTime": f"2026-01-01T{hour:02}:00:00Z", "endTime": f"2026-01-01T{hour:02}:30:00Z"}
        return {"@id": name, "@type": "CreateAction", "instrument": ref("#t"), **times, **more}

    document = read(
        {"@id": "#t", "@type": "SoftwareApplication"},
        {"@id": "out.csv", "@type": "File"},
        run("#second", 10, result=ref("out.csv")),
        run("#first", 8, result=ref("out.csv")),
        run("#between", 9, object=ref("out.csv")),
        run("#after", 11, object=ref("out.csv")),
    )
    former = "path/out.csv/made-by/%23first"
    assert related(document, GENERATION) == {("out.csv", "#second"), (former, "#first")}
    assert related(document, USAGE) == {("#between", former), ("#after", "out.csv")}
    report = provrepo.validate(document, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)


def test_collections_folders_and_records_have_members() -> None:
    document = read(
        {"@id": "#t", "@type": "SoftwareApplication"},
        {"@id": "#a", "@type": "CreateAction", "instrument": ref("#t"), "object": ref("#set", "#record")},
        {"@id": "#set", "@type": "Collection", "hasPart": ref("x.mrxs", "x/"), "mainEntity": ref("x.mrxs")},
        {"@id": "x.mrxs", "@type": "File", "alternateName": "slide.mrxs"},
        {"@id": "x/", "@type": "Dataset", "hasPart": ref("x/1.dat")},
        {"@id": "x/1.dat", "@type": "File"},
        {"@id": "#record", "@type": "PropertyValue", "name": "r", "value": [ref("#inner"), ref("x.mrxs")]},
        {"@id": "#inner", "@type": "PropertyValue", "name": "i", "value": 7},
    )
    assert related(document, MEMBERSHIP) == {
        ("#set", "x.mrxs"),
        ("#set", "x/"),
        ("x/", "x/1.dat"),
        ("#record", "#inner"),
        ("#record", "x.mrxs"),
    }
    assert about(document, "x.mrxs", RDFS_LABEL) == {"slide.mrxs"}
    assert messages(document) == []


ACTION = {"@id": "#a", "@type": "CreateAction", "instrument": ref("#t"), "object": ref("in"), "result": ref("out")}
OTHER = {**ACTION, "@id": "#b", "result": ref("other")}
TOOL = {"@id": "#t", "@type": "SoftwareApplication"}


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([{"@type": "File"}], "/@graph/4/@id: an identifier is needed; the node is not read"),
        ([7], "/@graph/4: an object is needed; it is not read"),
        ([{"@id": "x"}], "/@graph/4/@type: a type is needed"),
        ([{"@id": "a\\b.csv", "@type": "File"}], "/@graph/4/@id: a path of one machine"),
        ([{"@id": "file:///C:\\data\\in.csv", "@type": "File"}], "/@graph/4/@id: a path of one machine"),
        ([{"@id": "C:\\data\\in.csv", "@type": "File"}], "/@graph/4/@id: a path of one machine"),
        ([TOOL], "/@graph/4/@id: the node is described at /@graph/3, too; both are read as one"),
        ([{"@id": "x", "@type": "File", "heaviness": 3}], "/@graph/4/heaviness: no context of the crate has this term"),
        ([{"@id": "x", "@type": "Whatever"}], "/@graph/4/@type/Whatever: no context of the crate has this term"),
        ([{"@id": "x", "@type": "File", "sha256": "12"}], "/@graph/4/sha256: no sha256: 64 hexadecimal digits"),
        (
            [
                {"@id": "a/", "@type": "Dataset", "hasPart": ref("b/")},
                {"@id": "b/", "@type": "Dataset", "hasPart": ref("a/")},
            ],
            "/hasPart: a part has the whole as a part of its own; it is no member",
        ),
        ([{"@id": "a/", "@type": "Dataset", "hasPart": ref("a/")}], "/@graph/4/hasPart: a part has the whole"),
        (
            [{"@id": "v", "@type": "PropertyValue", "value": ref("v")}, {**OTHER, "object": ref("v")}],
            "/@graph/4/value: a value has itself as a part",
        ),
        ([{**OTHER, "startTime": "soon"}], "/@graph/4/startTime: no time, such as"),
        ([{**OTHER, "startTime": ["2026-01-01T00:00:00Z"] * 2}], "/startTime: more than one time"),
        ([{**OTHER, "actionStatus": "Done"}], "/@graph/4/actionStatus: no status of an action that ran"),
        ([{**OTHER, "instrument": "mill"}], "/@graph/4/instrument: a text, and no node"),
        ([{**OTHER, "object": "in.csv"}], "/@graph/4/object: a text, and no reference to a node"),
        ([{**OTHER, "containerImage": 7}], "/@graph/4/containerImage: an image or its address is needed"),
        ([{"@id": "x", "@type": "File", "author": {"name": "Ana"}}], "/@graph/4/author: a node without an identifier"),
        ([{"@id": "x", "@type": "File", "author": {"@id": "#y", "name": "A"}}], "/@graph/4/author: a node inside of"),
        ([{"@id": "x", "@type": "File", "name": "\ud800"}], "/@graph/4/name: half a character"),
        (
            [
                {"@id": "#o", "@type": "OrganizeAction", "object": ref("#c"), "result": ref("#a")},
                {"@id": "#c", "@type": "ControlAction", "object": ref("#o")},
            ],
            "the actions that it is a part of are a part of it",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_rest_is_read(nodes: list[Any], message: str) -> None:
    document = read(ACTION, TOOL, *nodes)
    assert [found for found in messages(document) if message in found], messages(document)
    assert ("out", "#a") in related(document, GENERATION) or "#o" in str(nodes)
    assert formats.read(document.write("trig"), format="trig")


def test_terms_of_workflow_run_are_read_without_their_context() -> None:
    document = read(*process(), context="https://w3id.org/ro/crate/1.2/context")
    named = [found for found in messages(document) if "it is read as https://w3id.org/ro/terms/workflow-run#" in found]
    assert len(named) == 6
    assert ("#clean", "#image", "container image") in related(document, USAGE)


def test_other_contexts_are_never_fetched() -> None:
    context = [
        "https://w3id.org/ro/crate/1.2/context",
        "https://other.example/context",
        {"heaviness": "https://e.example/w"},
    ]
    document = read(ACTION, TOOL, {"@id": "in", "@type": "File", "heaviness": 3}, context=context)
    assert messages(document) == [
        "/@context/1: the context https://other.example/context is not known, and contexts are never fetched"
    ]
    assert about(document, "in", "https://e.example/w") == {"3"}


def test_times_without_a_zone_are_counted() -> None:
    document = read({**ACTION, "startTime": "2026-01-01T10:00:00", "endTime": "2026-01-01T11:00:00Z"}, TOOL)
    assert messages(document) == ["1 time without a zone: compared with others they may be off by hours"]
    assert document.warnings[0].rule == "rocrate:no-zone"


def test_what_could_be_done_is_no_run() -> None:
    document = read(ACTION, TOOL, {**OTHER, "actionStatus": "http://schema.org/PotentialActionStatus"})
    assert [local(one.id) for one in document if one.kind is ACTIVITY] == ["#a"]
    assert {local(quad.subject) for quad in document.unmapped.quads} >= {"#b"}


def test_a_file_of_the_web_is_a_version_of_it() -> None:
    url = "https://data.example/raw.csv"
    document = read({**ACTION, "object": ref(url)}, TOOL, {"@id": url, "@type": "File", "sha256": RAW})
    version = "web/https%3A%2F%2Fdata.example%2Fraw.csv"
    assert related(document, USAGE) == {("#a", version)}
    assert related(document, SPECIALIZATION) == {(version, url), (version, content_of("sha256", RAW))}


@pytest.mark.parametrize(
    "value",
    [
        crate({"@id": "x", "@type": "File"}, profile="x"),
        {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": []},
        {"@context": "https://schema.org/", "@graph": [{"@id": "http://e.example/a", "@type": "CreateAction"}]},
    ],
)
def test_other_crates_and_json_ld_stay_what_they_were(value: Any) -> None:
    value["@graph"] = [node for node in value["@graph"] if "wfrun" not in json.dumps(node)]
    assert formats.detect(json.dumps(value).encode(), "ro-crate-metadata.json").name == "rdfjsonld"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "one JSON object is needed"),
        (b"{}", "in an array, @graph"),
        (b"", "one JSON object is needed"),
        (b'{"@graph": {}}', "in an array, @graph"),
        (b'{"@graph": [', "not JSON"),
        (b'{"@graph": [], "@graph": [1]}', "a key twice"),
    ],
)
def test_what_is_no_crate_is_unreadable(data: bytes, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        formats.read(data, format="rocratejson")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["@id", "@type", "@value", "@list", "name", "x y"]), inner, max_size=4)
        ),
        max_leaves=20,
    ),
    st.sampled_from(sorted({key for node in [*process(), *provenance()] for key in node} | {"@graph", "@context"})),
    st.sampled_from(["#clean", "#organize", "raw.csv", "#pv-rate", "flow.cwl", "./", "#main/raw", "#image"]),
)
@settings(max_examples=examples(200), deadline=None)
def test_any_json_makes_a_document_or_a_finding(value: Any, key: str, where: str) -> None:
    data = crate(*process(), *provenance()[1:])
    if key.startswith("@") and key not in ("@id", "@type"):
        data[key] = [*data[key], value] if isinstance(data[key], list) else value
    else:
        next(node for node in data["@graph"] if node["@id"] == where)[key] = value
    document = formats.read(json.dumps(data).encode(), format="rocratejson")
    again = formats.read(formats.write(document, "nquads"), format="nquads")
    assert len(document) > 0
    assert len(again) > 0


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no fixtures: set PROVREPO_CORPUS to the corpus beside them")
def test_crates_of_ro_crate_py_and_runcrate_conform_to_core() -> None:
    found = sorted(
        [*FIXTURES.glob("r*crate/*/ro-crate-metadata.json"), *CORPUS.glob("documents/runcrate/**/ro-crate-*")]
    )
    assert len(found) >= 6
    for path in found:
        document = formats.read(path)
        report = provrepo.validate(document, profiles=["core"])
        assert (document.format, report.conforms, report.possible) == ("rocratejson", True, True), path
        assert related(document, USAGE), path
