"""OpenLineage events as documents: expected statements, any order, and what is not understood."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.codecs import formats
from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.names import TERMS
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY, GENERATION, USAGE, Statement
from tests.support.sampling import examples

CASES = Path(__file__).parents[1] / "cases" / "openlineage"
NAMES = sorted(path.stem for path in CASES.glob("*.jsonl"))
BASE = "https://lab.example/ol/"
RUN = "00000000-0000-7000-8000-0000000000aa"


def stated(document: Document) -> set[Statement]:
    """The statements without those about the import itself."""

    def own(name: str | None) -> bool:
        return name is not None and ("/import/" in name or "/importers/" in name or name.startswith("ni:"))

    return {s for s in document if not own(s.id) and not any(map(own, s.args))}


def expected(name: str) -> set[Statement]:
    text = (CASES / f"{name}.provn").read_text("utf-8").replace(f"{BASE}terms#", TERMS)
    return set(formats.read(text.encode(), format="provn"))


def read(events: list[dict[str, Any]], base: str | None = BASE) -> Document:
    return formats.read("\n".join(map(json.dumps, events)).encode(), format="openlineage", base=base)


@pytest.mark.parametrize("name", NAMES)
def test_the_events_of_a_case_make_its_statements(name: str) -> None:
    document = formats.read(CASES / f"{name}.jsonl", base=BASE)
    assert document.format == "openlineage"
    assert document.warnings == []
    assert stated(document) == expected(name)
    assert provrepo.validate(document, profiles=["core"]).conforms


@pytest.mark.parametrize("name", NAMES)
def test_order_repetition_and_form_do_not_matter(name: str) -> None:
    events = [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines()]
    for number in range(5):
        mixed = events * 2
        random.Random(number).shuffle(mixed)
        assert stated(read(mixed)) == expected(name)
    assert stated(formats.read(json.dumps(events).encode(), base=BASE)) == expected(name)
    assert stated(formats.read(json.dumps(events, indent=2).encode(), base=BASE)) == expected(name)
    # The same objects with other spaces and another order of keys are the same events.
    spaced = [dict(reversed(event.items())) for event in events]
    assert stated(read(events + spaced)) == expected(name)


def event(type_: str | None = "COMPLETE", time: str = "2026-11-20T10:00:00Z", run: str = RUN, **more: Any) -> Any:
    head = {} if type_ is None else {"eventType": type_}
    return {
        **head,
        "eventTime": time,
        "producer": "https://lab.example/producer/1.0",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": run},
        "job": {"namespace": "lab", "name": "clean"},
        **more,
    }


def activity(document: Document) -> Statement:
    (found,) = [s for s in document if s.kind is ACTIVITY]
    return found


DATASETS = st.lists(
    st.builds(lambda name: {"namespace": "lab", "name": name}, st.sampled_from(["a", "b", "c"])), max_size=3
)
EVENTS = st.builds(
    lambda type_, time, run, inputs, outputs, rows: event(
        type_,
        f"2026-11-20T10:0{time}:00Z",
        f"00000000-0000-7000-8000-00000000000{run}",
        inputs=inputs,
        outputs=[{**item, "outputFacets": {"outputStatistics": {"rowCount": rows}}} for item in outputs],
    ),
    st.sampled_from([None, "START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"]),
    st.integers(0, 5),
    st.integers(0, 2),
    DATASETS,
    DATASETS,
    st.integers(0, 3),
)


@given(st.lists(EVENTS, min_size=1, max_size=8))
@settings(max_examples=examples(50), deadline=None)
def test_a_run_is_the_same_alone_and_among_others(events: list[Any]) -> None:
    together = stated(read(events))
    apart: set[Statement] = set()
    for run in {each["run"]["runId"] for each in events}:
        apart |= stated(read([each for each in events if each["run"]["runId"] == run]))
    # Datasets that several runs name are described once, with what any of the runs says of them.
    merged = {(s.kind.name, s.id, s.args) for s in apart}
    assert {(s.kind.name, s.id, s.args) for s in together} == merged


@pytest.mark.parametrize(
    ("types", "times", "end", "status"),
    [
        (["START", "COMPLETE"], [0, 5], 5, "CompletedActionStatus"),
        (["COMPLETE", "FAIL"], [5, 5], 5, "FailedActionStatus"),
        (["COMPLETE", "FAIL"], [6, 5], 6, "CompletedActionStatus"),
        (["COMPLETE", "OTHER"], [5, 9], 5, "CompletedActionStatus"),
        (["COMPLETE", "START"], [5, 6], 5, "CompletedActionStatus"),
        (["START"], [0], None, "ActiveActionStatus"),
        (["RUNNING"], [3], None, "ActiveActionStatus"),
    ],
)
def test_the_end_of_a_run(types: list[str], times: list[int], end: int | None, status: str) -> None:
    document = read([event(t, f"2026-11-20T10:0{m}:00Z") for t, m in zip(types, times, strict=True)])
    found = activity(document)
    assert found.args[1] == (None if end is None else f"2026-11-20T10:0{end}:00Z")
    assert [value for _, value in found.attributes if str(value).endswith("ActionStatus")] == [
        f"http://schema.org/{status}"
    ]


def test_the_first_start_counts() -> None:
    document = read([event("START", f"2026-11-20T10:0{minute}:00Z") for minute in (3, 1, 2)])
    assert activity(document).args[0] == "2026-11-20T10:01:00Z"


def test_a_stream_writes_while_it_runs_and_starts_again() -> None:
    job = {"namespace": "lab", "name": "s", "facets": {"jobType": {"processingType": "STREAMING", "integration": "X"}}}
    out = [{"namespace": "lab", "name": "topic"}]
    running = [
        event("START", "2026-11-20T10:00:00Z", job=job),
        event("RUNNING", "2026-11-20T10:01:00Z", job=job, outputs=out),
    ]
    assert [s.args[0] for s in read(running) if s.kind is GENERATION] == [f"{BASE}version/lab/topic/{RUN}"]
    ended = [*running, event("COMPLETE", "2026-11-20T10:02:00Z", job=job)]
    assert activity(read(ended)).args[1] == "2026-11-20T10:02:00Z"
    again = [*ended, event("START", "2026-11-20T10:03:00Z", job=job)]
    assert activity(read(again)).args == ("2026-11-20T10:00:00Z", None)


@pytest.mark.parametrize(
    ("text", "lexical"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("2026-11-20T10:00:00.123456789Z", "2026-11-20T10:00:00.123456789Z"),
        ("2026-11-20 10:00:00+0200", "2026-11-20T10:00:00+02:00"),
        ("2026-11-20T10:00-05", "2026-11-20T10:00:00-05:00"),
        ("2026-11-20T10:00:00", "2026-11-20T10:00:00"),
        ("2026-13-20T10:00:00Z", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_times(text: str, lexical: str | None) -> None:
    moment = Moment.parse(text)
    assert (moment and moment.lexical) == lexical


def test_times_sort_by_instant_at_full_precision() -> None:
    texts = [
        "2026-11-20T10:00:00.1Z",
        "2026-11-20T10:00:00.10000000001Z",
        "2026-11-20T09:00:00.2-01:00",
        "2026-11-20T10:00:01",
        "2026-11-20T12:00:02+02:00",
    ]
    moments = [Moment.parse(text) for text in texts]
    keys = [(moment.instant, moment.fraction) for moment in moments if moment]
    assert keys == sorted(keys)
    assert len(set(keys)) == 5


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (7, ""),
        ({"eventTime": "2026-11-20T10:00:00Z"}, ""),
        ({**event(), "eventTime": "soon"}, "/eventTime"),
        ({**event(), "run": {}}, "/run/runId"),
        ({**event(), "run": 1}, "/run/runId"),
        ({**event(), "job": {"name": "x"}}, "/job"),
        ({**event(), "inputs": {}}, "/inputs"),
        (event(run="\ud800"), "/run/runId"),
        (
            event(inputs=[{"namespace": "a", "name": "b", "facets": {"x": {"~/": ["\udfff"]}}}]),
            "/inputs/0/facets/x/~0~1/0",
        ),
        ({**event(), "\ud800": 1}, ""),
        ({"eventTime": "2026-11-20T10:00:00Z", "dataset": {"namespace": "lab"}}, "/dataset"),
    ],
)
def test_an_event_that_cannot_be_understood_is_named_and_does_not_stop_the_others(value: Any, pointer: str) -> None:
    document = read([event(inputs=[{"namespace": "lab", "name": "a"}]), value])
    fatal = [warning for warning in document.warnings if warning.violation]
    assert [(warning.line, warning.message.startswith(f"{pointer}: " if pointer else "")) for warning in fatal] == [
        (2, True)
    ]
    assert [s.args[1] for s in document if s.kind is USAGE] == [f"{BASE}version/lab/a/@unknown/{RUN}"]
    assert not provrepo.validate(document).conforms


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({**event(), "eventTime": "2026-11-20T10:00:00"}, "/eventTime: a time without a zone"),
        ({**event(), "producer": None}, "/producer: missing"),
        ({**event(), "eventType": "STOP"}, "/eventType: 'STOP' is read as OTHER"),
        ({**event(), "inputs": [{"name": "x"}]}, "/inputs/0: a dataset without a namespace"),
        (
            {**event(), "outputs": [{"namespace": "a", "name": "x", "facets": {"schema": []}}]},
            "/outputs/0/facets/schema",
        ),
        ({**event(), "job": {"namespace": "a", "name": "x", "facets": 1}}, "/job/facets: facets are an object"),
        ({**event(), "dataset": {"namespace": "a", "name": "x"}}, "/dataset: no member of the specification"),
        ({**event(), "job": {"namespace": "a", "name": "x", "tags": 1}}, "/job/tags: no member"),
        (
            {**event(), "inputs": [{"namespace": "a", "name": "x", "outputFacets": {}}]},
            "/inputs/0/outputFacets: no member",
        ),
    ],
)
def test_what_is_unusual_is_a_finding_with_its_place(value: Any, words: str) -> None:
    warnings = read([value]).warnings
    assert [warning.line for warning in warnings] == [1]
    assert warnings[0].message.startswith(words)
    assert not warnings[0].violation


def test_equal_findings_are_told_once() -> None:
    document = read([event(run=f"run-{number}", producer=None) for number in range(50)])
    (warning,) = document.warnings
    assert warning.message == "/producer: missing, or not a string (and 49 more)"


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        (b'{"eventTime": 1', "not JSON", (1, 16)),
        (b'{"eventTime": "x", "run": {}}\n{"a": NaN}', "NaN", (2, 1)),
        (b'{"eventTime": "x", "run": {}}\n{"a": 1, "a": 2}', "twice", (2, 1)),
        (b'[{"eventTime": "x", "run": {}} {}]', "comma", (1, 32)),
        (b'[{"eventTime": "x", "run": {}},', "not JSON", (1, 32)),
        (b"[" * 100 + b"]" * 100, "nested", (1, 65)),
    ],
)
def test_what_is_not_json_is_a_read_error_with_its_place(text: bytes, words: str, place: tuple[int, int]) -> None:
    with pytest.raises(provrepo.ReadError, match=words) as raised:
        formats.read(text, format="openlineage")
    assert (raised.value.line, raised.value.column) == place


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.ndjson", None])
def test_events_are_detected_by_their_keys(name: str | None) -> None:
    one = json.dumps(event()).encode()
    for data in (one, one + b"\n" + one, b"[" + one + b"]", json.dumps(event(), indent=1).encode()):
        assert formats.detect(data, name).name == "openlineage"
    assert formats.detect(b'{"entity": {"ex:a": {}}, "prefix": {"ex": "http://e/"}}', "x.json").name == "provjson"


def test_without_a_base_datasets_are_named_alike_everywhere() -> None:
    document = read([event(inputs=[{"namespace": "postgres://u:secret@h:5432", "name": "db.t"}])], base=None)
    (used,) = [s for s in document if s.kind is USAGE]
    assert (
        used.args[1] == f"https://w3id.org/provrepo/openlineage/version/postgres%3A%2F%2Fh%3A5432/db.t/@unknown/{RUN}"
    )
    assert "secret" not in formats.write(document, "provn").decode()


def test_a_run_identifier_that_is_no_uuid() -> None:
    first, second = (activity(read([event(run=run)])).id for run in ("nightly-1", "nightly-2"))
    assert first is not None
    assert first.startswith("urn:uuid:")
    assert first != second
    assert activity(read([event(run="nightly-1")])).id == first


def test_the_document_names_importer_mapping_and_payload() -> None:
    data = json.dumps(event()).encode()
    document = formats.read(data, base=BASE)
    agents = [s.id for s in document if s.kind is AGENT]
    assert "https://w3id.org/provrepo/importers/openlineage/1" in agents
    assert [s for s in document if s.kind is ENTITY and s.id and s.id.startswith("ni:///sha-256;")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from(["/run/facets", "/job/facets", "/inputs/0/facets", "/outputs/0/outputFacets", "/inputs", ""]),
    st.sampled_from(["schema", "columnLineage", "lineage", "parent", "tags", "version", "ownership", "subset", "x y"]),
)
@settings(max_examples=examples(200), deadline=None)
def test_any_json_makes_a_document_or_a_finding(value: Any, place: str, key: str) -> None:
    found = event(inputs=[{"namespace": "n", "name": "a"}], outputs=[{"namespace": "n", "name": "b"}])
    match place:
        case "":
            found = value
        case "/inputs":
            found["inputs"] = value
        case "/run/facets" | "/job/facets":
            found[place.split("/")[1]]["facets"] = {key: value}
        case _:
            _, side, _, member = place.split("/")
            found[side][0][member] = {key: value}
    document = read([found])
    again = formats.read(formats.write(document, "nquads"), format="nquads")
    assert len(document) > 0
    assert len(again) > 0


@pytest.mark.parametrize(("again", "accepted"), [('{"x":1}', True), ('{"x":true}', False), ('{"x":1.0}', False)])
def test_a_facet_that_is_written_twice_says_it_once_or_is_refused(again: str, accepted: bool) -> None:
    """Spark writes ``processing_engine`` twice into the events of jobs of RDDs."""
    data = json.dumps(event()).replace('"runId"', f'"facets": {{"own": {{"x":1}}, "own": {again}}}, "runId"').encode()
    if accepted:
        assert formats.read(data, format="openlineage").warnings == []
    else:
        with pytest.raises(provrepo.ReadError, match="has a key twice, with different values"):
            formats.read(data, format="openlineage")


def test_a_number_that_cannot_be_written_again_is_named() -> None:
    text = json.dumps(event(rows=7)).replace("7}", "1e999}")
    (warning,) = formats.read(text.encode(), format="openlineage").warnings
    assert warning.message.startswith("/rows: a number")
