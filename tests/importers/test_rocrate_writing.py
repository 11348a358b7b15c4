"""Documents as crates: the same document comes back, and other tools find its runs, inputs and outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import provrepo
from provrepo.codecs import formats
from provrepo.importers.archives import packed, unpacked
from provrepo.importers.rocrate.collecting import DOCUMENT
from provrepo.importers.rocrate.graph import METADATA
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, ASSOCIATION, GENERATION, SPECIALIZATION, START, USAGE, Kind
from provrepo.resources import root
from provrepo.vocab import PROV_ROLE
from tests.support.command import Command
from tests.support.crates import metadata, process, provenance
from tests.support.sampling import examples
from tests.support.strategies import documents

BASE = "https://lab.example/crates/7/"


def metadata_of(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unpacked(document.write("rocrate"), "rocrate")[METADATA])
    return found


def by_others(document: Document) -> Document:
    """The document as another tool finds it in the crate: from the metadata alone."""
    return formats.read(json.dumps(metadata_of(document)).encode(), format="rocratejson")


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    return {
        (
            *(str(arg) for arg in one.args if arg is not None),
            *(str(value) for name, value in one.attributes if name == PROV_ROLE),
        )
        for one in document
        if one.kind is kind
    }


def test_runs_of_tools_are_a_process_run_crate() -> None:
    document = formats.read(metadata(*process()), base=BASE)
    again = formats.read(document.write("rocrate"))
    assert again.format == "rocrate"
    again.unmapped = document.unmapped  # triples that are no PROV are a loss
    assert document.compare(again).same
    found = by_others(document)
    for kind in (USAGE, GENERATION):
        assert related(found, kind) == related(document, kind)
    assert related(document, SPECIALIZATION) <= related(found, SPECIALIZATION)
    times = {(one.id, one.args) for one in document if one.kind is ACTIVITY}
    assert {(one.id, one.args) for one in found if one.kind is ACTIVITY} == times
    graph = {node["@id"]: node for node in metadata_of(document)["@graph"]}
    assert graph["./"]["conformsTo"] == [{"@id": "https://w3id.org/ro/wfrun/process/0.5"}]
    assert graph[f"{BASE}#train"]["actionStatus"] == {"@id": "http://schema.org/FailedActionStatus"}
    assert graph[f"{BASE}#train"]["error"] == "disk full"
    assert "result" not in graph[f"{BASE}#train"]
    assert graph[f"{BASE}raw.csv"]["sha256"].startswith("f8afde17")
    assert b"hush" not in document.write("rocrate")


def test_a_run_with_parts_is_a_provenance_run_crate() -> None:
    kept = [node for node in provenance() if node["@type"] not in ("OrganizeAction", "ControlAction")]
    document = formats.read(metadata(*kept), base=BASE)
    found = by_others(document)
    assert related(found, START) == related(document, START) != set()
    assert related(found, USAGE) == related(document, USAGE)
    assert related(found, GENERATION) == related(document, GENERATION)
    graph = {node["@id"]: node for node in metadata_of(document)["@graph"]}
    profiles = [profile["@id"] for profile in graph["./"]["conformsTo"]]
    assert "https://w3id.org/ro/wfrun/provenance/0.5" in profiles
    assert graph["./"]["mainEntity"] == {"@id": "workflow.json"}
    assert {part["@id"] for part in graph["workflow.json"]["hasPart"]} == {
        f"{BASE}flow.cwl#clean",
        f"{BASE}flow.cwl#train",
    }
    plan = json.loads(unpacked(document.write("rocrate"), "rocrate")["workflow.json"])
    assert (plan["plan"], plan["run"]) == (f"{BASE}flow.cwl", f"{BASE}#flow")


def test_what_cwltool_wrote_keeps_runs_inputs_and_outputs() -> None:
    document = formats.read(root() / "examples" / "cwltool" / "primary.cwlprov.provn")
    assert document.compare(formats.read(document.write("rocrate"))).same
    found = by_others(document)

    def pairs(which: Document, kind: Kind) -> set[tuple[str | None, str | None]]:
        return {
            (str(one.args[0]), str(one.args[1]))
            for one in which
            if one.kind is kind and not str(one.args[1] if kind is USAGE else one.args[0]).startswith("urn:hash:")
        }

    assert pairs(found, USAGE) == pairs(document, USAGE)
    assert pairs(found, GENERATION) == pairs(document, GENERATION)
    assert pairs(document, SPECIALIZATION) <= pairs(found, SPECIALIZATION)


def test_what_other_tools_do_not_find_is_a_loss_that_is_kept() -> None:
    document = formats.read(b"document\nprefix e <http://e/>\nwasDerivedFrom(e:a, e:b)\nendDocument", format="provn")
    (loss,) = document.losses("rocrate")
    assert loss.kept
    assert loss.reason == "other tools do not find wasDerivedFrom in a Workflow Run RO-Crate as it is stated"
    assert document.compare(formats.read(document.write("rocrate"))).same


def test_metadata_that_were_changed_are_read_and_the_document_in_it_is_not() -> None:
    document = formats.read(metadata(*process()), base=BASE)
    files = unpacked(document.write("rocrate"), "rocrate")
    files[METADATA] = files[METADATA].replace(b"clean the data", b"clean all data")
    again = formats.read(packed("rocrate", files))
    assert next(w.message for w in again.warnings).startswith(f"/{DOCUMENT}: not what the metadata were made from")
    assert b"clean all data" in again.write("provn")
    files[DOCUMENT] = b"{"
    assert formats.read(packed("rocrate", files)).warnings


@given(documents())
@settings(max_examples=examples(100), deadline=None)
def test_any_document_comes_back(document: Document) -> None:
    through = formats.read(document.write("provjson"), format="provjson")
    again = formats.read(document.write("rocrate"), format="rocrate")
    assert through.compare(again).same
    assert document.write("rocrate") == document.write("rocrate")


def test_associations_name_people_and_software() -> None:
    text = (
        "document\nprefix e <http://e/>\nactivity(e:r)\nagent(e:p, [prov:type='prov:Person'])\nagent(e:t)\n"
        "wasAssociatedWith(e:r, e:p, e:plan)\nwasAssociatedWith(e:r, e:t, -)\nendDocument"
    )
    document = formats.read(text.encode(), format="provn")
    graph = {node["@id"]: node for node in metadata_of(document)["@graph"]}
    assert graph["http://e/r"]["agent"] == [{"@id": "http://e/p"}]
    assert graph["http://e/r"]["instrument"] == [{"@id": "http://e/plan"}, {"@id": "http://e/t"}]
    assert related(by_others(document), ASSOCIATION) == {
        ("http://e/r", "http://e/p", "http://e/plan"),
        ("http://e/r", "http://e/t"),
    }


def test_export_as_an_archive_and_as_a_folder(tmp_path: Path) -> None:
    run = Command(tmp_path / "data")
    source = tmp_path / "crate.json"
    source.write_bytes(metadata(*process()))
    run("project", "create", "crops")
    run("submit", source, "--project", "crops", "--name", "run")
    run("export", "crops/run", "-o", tmp_path / "run.crate.zip")
    run("export", "crops/run", "--to", "rocrate", "-o", f"{tmp_path}/folder/")
    archive = unpacked((tmp_path / "run.crate.zip").read_bytes(), "rocrate")
    assert {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()} == archive
    assert "has files already" in run.error(
        "export", "crops/run", "--to", "rocrate", "-o", f"{tmp_path}/folder/", code=2
    )
    assert "is one file" in run.error("export", "crops/run", "--to", "provn", "-o", f"{tmp_path}/other/", code=2)
    run("import", tmp_path / "folder", "--project", "crops", "--name", "again")
    with provrepo.open(tmp_path / "data") as repository:
        assert repository.read("crops", "again-crate").compare(formats.read(tmp_path / "run.crate.zip")).same


@pytest.mark.parametrize(
    "text", ["entity(e:a)", "hadMember(e:c, e:c)", "wasStartedBy(e:a, -, e:b, -) wasStartedBy(e:b, -, e:a, -)"]
)
def test_documents_without_runs_and_with_cycles(text: str) -> None:
    elements = "entity(e:c) activity(e:a) activity(e:b)" if "e:b" in text or "e:c" in text else ""
    document = formats.read(f"document\nprefix e <http://e/>\n{elements} {text}\nendDocument".encode(), format="provn")
    assert document.compare(formats.read(document.write("rocrate"))).same
    assert by_others(document)
