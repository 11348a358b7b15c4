"""Documents as OpenLineage events: valid by its schemas, and read again as the same statements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import provrepo
from provrepo.codecs import formats
from provrepo.importers.openlineage.writing.embedded import FACET
from provrepo.importers.openlineage.writing.names import event_time, named, run_id
from provrepo.model.document import Document
from provrepo.model.statements import COMMUNICATION, DERIVATION, GENERATION, USAGE
from tests.importers.test_openlineage import BASE, CASES, NAMES, event, read
from tests.support.command import Command
from tests.support.openlineage_schemas import FIXTURES, check_events, facets_of
from tests.support.sampling import examples
from tests.support.strategies import documents

HEAD = "document\nprefix ex <https://lab.example/>\nprefix dcterms <http://purl.org/dc/terms/>\n"
HEAD += "prefix schema <http://schema.org/>\n"
RUN = "urn:uuid:00000000-0000-7000-8000-0000000000aa"
STORY = f"""{HEAD}prefix run <urn:uuid:>
activity(run:{RUN[9:]}, 2026-11-20T10:00:00Z, 2026-11-20T10:05:00Z, [dcterms:isPartOf='ex:night'])
activity(ex:night)
activity(ex:fetch, 2026-11-20T09:00:00Z, -, [schema:actionStatus='schema:ActiveActionStatus'])
activity(ex:broken, 2026-11-20T09:00:00Z, 2026-11-20T09:10:00Z, [schema:actionStatus='schema:FailedActionStatus'])
entity(ex:raw, [schema:version="7", dcterms:description="as measured"])
entity(ex:clean)
entity(ex:unrelated)
entity(ex:alpha, [prov:value="0.1", prov:label="Alpha"])
used(run:{RUN[9:]}, ex:raw, -)
used(run:{RUN[9:]}, ex:alpha, -, [prov:role="alpha"])
wasGeneratedBy(ex:clean, run:{RUN[9:]}, 2026-11-20T10:04:00Z)
wasDerivedFrom(ex:clean, ex:raw)
hadMember(ex:clean, ex:clean#x)
hadMember(ex:raw, ex:raw#y)
wasInformedBy(run:{RUN[9:]}, ex:fetch)
wasAssociatedWith(run:{RUN[9:]}, ex:tool, ex:script)
agent(ex:tool, [prov:type='prov:SoftwareAgent', prov:label="tool", schema:softwareVersion="2"])
wasAttributedTo(ex:clean, ex:ann, [prov:role="OWNER"])
endDocument"""


def prov(text: str) -> Document:
    return formats.read(text.encode(), format="provn")


def written(document: Document) -> list[dict[str, Any]]:
    return [json.loads(line) for line in document.write("openlineage").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_from_events_is_written_as_these_events(name: str) -> None:
    data = (CASES / f"{name}.jsonl").read_bytes()
    document = formats.read(data, format="openlineage", base=BASE)
    assert written(document) == [json.loads(line) for line in data.splitlines()]
    assert document.losses("openlineage") == []
    check_events(document.write("openlineage"))


def test_all_facets_of_events_are_kept() -> None:
    path = FIXTURES / "own" / "events.jsonl"
    if not path.is_file():
        pytest.skip(f"no events in {path}")
    data = path.read_bytes()
    assert written(formats.read(data, format="openlineage")) == [json.loads(line) for line in data.splitlines()]
    assert check_events(data) > 10


def test_facets_and_members_that_nobody_knows_are_kept() -> None:
    found = event("COMPLETE", lab_member=[1, 2.5, "é", None])
    found["run"]["facets"] = {"lab_own": {"_producer": "p:x", "_schemaURL": "s:x", "deep": [{"a": True}]}}
    assert written(read([found])) == [found]


def test_a_document_that_was_changed_is_not_written_as_the_events_it_was_read_from() -> None:
    document = read([event("COMPLETE", inputs=[{"namespace": "lab", "name": "a"}])])
    used = next(s for s in document if s.kind is USAGE)
    document.statements.remove(used)
    document.statements.append(type(used)(used.kind, None, (used.args[0], "https://lab.example/b", None)))
    again = formats.read(document.write("openlineage"), format="openlineage")
    assert [s.args[1] for s in again if s.kind is USAGE] == ["https://lab.example/b"]


@given(
    documents(),
)
@settings(max_examples=examples(120), deadline=None)
def test_any_document_is_written_validly_and_read_again(document: Document) -> None:
    data = document.write("openlineage")
    again = formats.read(data, format="openlineage")
    if all(loss.kept for loss in document.losses("openlineage")):
        assert document.compare(again).same, document.compare(again).difference
    assert again.write("openlineage") == data
    check_events(data)


def test_what_the_events_say_to_other_tools() -> None:
    events = written(prov(STORY))
    runs = {each["run"]["runId"]: each for each in events if each.get("eventType") not in (None, "START")}
    run = runs[RUN[9:]]
    assert (run["eventType"], run["eventTime"]) == ("COMPLETE", "2026-11-20T10:05:00Z")
    starts = {each["run"]["runId"]: each["eventTime"] for each in events if each.get("eventType") == "START"}
    assert starts[RUN[9:]] == "2026-11-20T10:00:00Z"
    assert (run["job"]["namespace"], run["job"]["name"]) == ("https://lab.example", "script")
    (raw,), (clean,) = run["inputs"], run["outputs"]
    assert (raw["namespace"], raw["name"]) == ("https://lab.example", "raw")
    assert raw["facets"]["version"]["datasetVersion"] == "7"
    assert raw["facets"]["documentation"]["description"] == "as measured"
    assert clean["facets"]["version"]["datasetVersion"] == "https://lab.example/clean"
    (source,) = clean["facets"]["lineage"]["inputs"]
    assert (source["namespace"], source["name"]) == ("https://lab.example", "raw")
    assert clean["facets"]["ownership"]["owners"] == [{"name": "https://lab.example/ann", "type": "OWNER"}]
    assert [field["name"] for field in clean["facets"]["schema"]["fields"]] == ["x"]
    facets = run["run"]["facets"]
    assert facets["parent"]["run"]["runId"] == run_id("https://lab.example/night")
    assert (facets["processing_engine"]["name"], facets["processing_engine"]["version"]) == ("tool", "2")
    assert facets["executionParameters"]["parameters"] == [{"key": "alpha", "value": "0.1", "name": "Alpha"}]
    (entry,) = run["job"]["facets"]["lineage"]["entries"]
    assert entry["inputs"][0]["runId"] == run_id("https://lab.example/fetch")
    states = {each["run"]["runId"]: each["eventType"] for each in runs.values()}
    assert states[run_id("https://lab.example/fetch")] == "RUNNING"
    assert states[run_id("https://lab.example/broken")] == "FAIL"
    assert [each["dataset"]["name"] for each in events if "dataset" in each] == ["unrelated"]
    check_events(prov(STORY).write("openlineage"))


def test_lineage_of_columns() -> None:
    text = f"""{HEAD}
    used(ex:run, ex:raw, -)
    wasGeneratedBy(ex:clean, ex:run, -)
    hadMember(ex:clean, ex:clean#x)
    hadMember(ex:raw, ex:raw#y)
    hadMember(ex:raw, ex:raw#z)
    wasDerivedFrom(ex:clean#x, ex:raw#y)
    wasInfluencedBy(ex:clean#x, ex:raw#z)
    endDocument"""
    (last,) = [each for each in written(prov(text)) if "outputs" in each]
    field = last["outputs"][0]["facets"]["columnLineage"]["fields"]["x"]["inputFields"]
    assert [(each["name"], each["field"], each["transformations"][0]["type"]) for each in field] == [
        ("raw", "y", "DIRECT"),
        ("raw", "z", "INDIRECT"),
    ]


def without_facet(events: list[dict[str, Any]]) -> bytes:
    for each in events:
        for place in ("run", "dataset"):
            each.get(place, {}).get("facets", {}).pop(FACET, None)
    return "\n".join(map(json.dumps, events)).encode()


def test_without_our_facet_the_lineage_is_the_same() -> None:
    again = formats.read(without_facet(written(prov(STORY))), format="openlineage", base=BASE)
    kinds = {kind: [s.args[:2] for s in again if s.kind is kind] for kind in (USAGE, GENERATION, DERIVATION)}
    raw, clean = f"{BASE}version/https%3A%2F%2Flab.example/raw/7", f"{BASE}version/https%3A%2F%2Flab.example/clean/"
    clean += "https%3A%2F%2Flab.example%2Fclean"
    assert (RUN, raw) in kinds[USAGE]
    assert clean in [args[0] for args in kinds[GENERATION]]
    assert [s.args for s in again if s.kind is COMMUNICATION] == [
        (RUN, f"urn:uuid:{run_id('https://lab.example/fetch')}")
    ]
    # A source of explicit lineage is a dataset: its version is that of the inputs.
    assert (clean, raw) in kinds[DERIVATION]


def test_an_event_that_another_tool_changed_is_mapped_and_told() -> None:
    events = written(prov(STORY))
    last = next(each for each in events if each.get("outputs"))
    last["run"]["facets"]["lab_more"] = {"_producer": "p:x", "_schemaURL": "s:x", "a": 1}
    again = read(events)
    assert any(FACET in warning.message and "changed" in warning.message for warning in again.warnings)
    kept = [str(value) for s in again for key, value in s.attributes if key.endswith("#facet")]
    assert any("lab_more" in value for value in kept)


@pytest.mark.parametrize("document", [7, {"entity": 7}, {"entity": {"no-prefix:x": {}}}])
def test_a_facet_that_is_no_document_is_told(document: Any) -> None:
    from provrepo.importers.openlineage.writing.embedded import embed

    found = event("COMPLETE", inputs=[{"namespace": "lab", "name": "a"}])
    found["run"]["facets"] = {}
    embed(found, None)
    found["run"]["facets"][FACET]["document"] = document
    again = read([found])
    assert any(f"/run/facets/{FACET}/document" in warning.message for warning in again.warnings), again.warnings
    assert [s.args[1] for s in again if s.kind is USAGE] == [f"{BASE}version/lab/a/@unknown/{RUN[9:]}"]


def test_what_other_tools_do_not_read_is_counted() -> None:
    losses = prov(STORY).losses("openlineage")
    assert all(loss.kept for loss in losses)
    reasons = [loss.reason for loss in losses]
    assert sum("the time of wasGeneratedBy" in reason for reason in reasons) == 1
    assert sum("hadMember" in reason for reason in reasons) == 0, "columns have a place, but ex:raw's too"
    assert any(
        "wasInvalidatedBy" in loss.reason
        for loss in prov(f"{HEAD}wasInvalidatedBy(ex:e, ex:a, -)\nendDocument").losses("openlineage")
    )


@pytest.mark.parametrize(
    ("iri", "namespace", "name"),
    [
        ("s3://bucket/a/b.csv", "s3://bucket", "a/b.csv"),
        ("file:///tmp/x", "file", "/tmp/x"),
        ("https://h", "https://h", "https://h"),
        ("urn:uuid:1", "urn:uuid", "1"),
        ("doi:10.1/x", "doi", "10.1/x"),
        ("_:b0", "_", "b0"),
    ],
)
def test_names(iri: str, namespace: str, name: str) -> None:
    assert named(iri) == (namespace, name)


def test_names_that_were_minted_are_those_they_were_minted_from() -> None:
    table = {"namespace": "postgres://h:5432", "name": "db.public/t"}
    document = read([event("COMPLETE", inputs=[table])])
    through = formats.read(document.write("trig"), format="trig")
    (found,) = [each for each in written(through) if each.get("inputs")]
    assert (found["inputs"][0]["namespace"], found["inputs"][0]["name"]) == tuple(table.values())
    assert (found["job"]["namespace"], found["job"]["name"]) == ("lab", "clean")
    assert through.compare(formats.read(through.write("openlineage"), format="openlineage")).same


@pytest.mark.parametrize(
    ("lexical", "time"),
    [
        ("2026-11-20T10:00:00", "2026-11-20T10:00:00Z"),
        ("2026-11-20T10:00:00.50+02:00", "2026-11-20T10:00:00.50+02:00"),
        ("-0044-03-15T12:00:00Z", ""),
        ("12011-11-16T24:00:00Z", ""),
        (None, ""),
    ],
)
def test_times_of_events(lexical: str | None, time: str) -> None:
    assert event_time(lexical) == time


def test_bundles_and_an_empty_document() -> None:
    assert prov("document endDocument").write("openlineage") == b""
    bundled = prov(f"{HEAD}agent(ex:x) bundle ex:b agent(ex:y) endBundle endDocument")
    (one,) = written(bundled)
    assert [place for place, key, _ in facets_of(one) if key == FACET] == ["dataset"]
    assert bundled.compare(formats.read(bundled.write("openlineage"), format="openlineage")).same


def test_the_commands(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    (tmp_path / "run.provn").write_text(STORY)
    done = command("convert", tmp_path / "run.provn", tmp_path / "run.jsonl")
    assert "note: OpenLineage has no place for the time of wasGeneratedBy" in done.stderr
    assert "loss:" not in done.stderr
    check_events((tmp_path / "run.jsonl").read_bytes())
    command("submit", tmp_path / "run.provn")
    assert command("export", "default/run", "--to", "openlineage").stdout == (tmp_path / "run.jsonl").read_text("utf-8")
    assert "the same statements" in command("compare", tmp_path / "run.provn", tmp_path / "run.jsonl").stdout
    data = json.dumps(event("COMPLETE")).encode() + b"\n"
    command("import", "-", stdin=data)
    exported = command("export", f"default/run-{RUN[9:]}", "--to", "openlineage").stdout
    assert [json.loads(line) for line in exported.splitlines()] == [json.loads(data)]
    assert provrepo.read(exported.encode(), format="openlineage").warnings == []
