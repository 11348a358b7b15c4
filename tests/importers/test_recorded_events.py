"""Events that real tools sent to a server, as ``make integration`` records them (``tests/data/openlineage``).

``every-facet.jsonl`` is from openlineage-python 1.54.0 and ``tests/integration/openlineage_python_runner.py``: every
facet class of the package in every place, each value different from the others. ``dbt.jsonl`` is from openlineage-dbt
1.54.0 with dbt-core 1.11.16 and dbt-duckdb 1.11.1, ``spark.jsonl`` from openlineage-spark_2.12 1.53.0 with Spark 3.5.8,
``airflow.jsonl`` from apache-airflow-providers-openlineage 2.20.3 with Airflow 3.3.2; some of the events of the runs of
``tests/integration``. ``_producer`` and ``_schemaURL`` are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

import provrepo
from provrepo.importers.openlineage.codec import split
from provrepo.importers.parts import Part
from tests.importers.test_openlineage_facets import read
from tests.support.paths import ROOT
from tests.support.told import missing

RECORDED = ROOT / "tests" / "data" / "openlineage"

MASKED = {
    "every-facet": ["/run/facets/environmentVariables/environmentVariables/0/value"],
    "airflow": ["/run/facets/airflow/taskInstance/log_url"],
}
"""Values that are not kept, since they may be secrets: of unknown variables, and the queries of URLs."""

UNKNOWN = {"airflow": {"Start"}, "spark": {"End"}}
"""What producers do not say: ``airflow dags test`` when the DAG started, Spark when a job of an RDD ended."""


def parts(name: str) -> list[tuple[Part, list[dict[str, Any]]]]:
    """The documents of a recording, each with its events."""
    found = list(split((RECORDED / f"{name}.jsonl").read_bytes()))
    assert all(isinstance(part, Part) for part in found)
    return [(part, list(map(json.loads, part.data.splitlines()))) for part in found if isinstance(part, Part)]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.jsonl")))
def test_nothing_of_the_events_is_lost_and_documents_conform(name: str) -> None:
    lost: set[str] = set()
    violated: set[str] = set()
    for part, events in parts(name):
        document = provrepo.read(part.data, format="openlineage")
        assert document.warnings == []
        lost.update(missing(document, events))
        report = provrepo.validate(document, profiles=["pipeline"])
        violated.update(one.rule.rpartition("#")[2] for one in report.findings if one.severity == "violation")
    assert sorted(lost) == MASKED.get(name, [])
    assert violated == UNKNOWN.get(name, set())


@pytest.mark.parametrize("state", ["FAIL", "ABORT", "RUNNING", "OTHER"])
def test_nothing_is_lost_however_a_run_ends(state: str) -> None:
    (events,) = [found for part, found in parts("every-facet") if part.name.startswith("run-")]
    changed = [{**event, "eventType": state} if event["eventType"] == "COMPLETE" else event for event in events]
    document = provrepo.read("\n".join(map(json.dumps, changed)).encode(), format="openlineage")
    assert missing(document, changed) == MASKED["every-facet"]
    assert provrepo.validate(document, profiles=["core"]).conforms


def changed(value: Any, at: Callable[[str, Any], Any], pointer: str = "") -> Any:
    """A JSON value in which each value is what a function makes of its pointer and of itself."""
    if isinstance(value, dict):
        value = {key: changed(item, at, f"{pointer}/{key}") for key, item in value.items()}
    elif isinstance(value, list):
        value = [changed(item, at, f"{pointer}/{number}") for number, item in enumerate(value)]
    return at(pointer, value)


def more(pointer: str, value: Any) -> Any:
    """An object with one more member."""
    return (
        {**value, "lab_more": f"more at {pointer.split('/')}"}
        if isinstance(value, dict) and "acets/" in pointer
        else value
    )


def other_type(pointer: str, value: Any) -> Any:
    """A list or an object, where a facet has a text or a number."""
    inside = re.search(r"acets/[^/]+/", pointer) and not pointer.endswith(("/_producer", "/_schemaURL", "/key"))
    if isinstance(value, dict | list) or not inside:
        return value
    return [f"list at {pointer.split('/')}"] if len(pointer) % 2 else {"odd": f"object at {pointer.split('/')}"}


def other_list(pointer: str, value: Any) -> Any:
    """An object where a facet has a list."""
    return {"odd": f"list at {pointer.split('/')}"} if isinstance(value, list) and "acets/" in pointer else value


@pytest.mark.parametrize("change", [more, other_type, other_list])
@pytest.mark.parametrize("state", ["COMPLETE", "FAIL"])
def test_what_no_facet_of_the_specification_has_is_kept(change: Callable[[str, Any], Any], state: str) -> None:
    (events,) = [found for part, found in parts("every-facet") if part.name.startswith("run-")]
    strange = [changed({**event, "eventType": state}, change) for event in events]
    document = provrepo.read("\n".join(map(json.dumps, strange)).encode(), format="openlineage")
    lost = [pointer for pointer in missing(document, strange) if "/environmentVariables/" not in pointer]
    assert lost == []
    assert provrepo.validate(document, profiles=["core"]).conforms


PARENT = {
    "run": {"runId": "00000000-0000-7000-8000-00000000000c", "facets": {"processing_engine": {"version": "3.5.8"}}},
    "job": {"namespace": "lab", "name": "all", "facets": {"jobType": {"processingType": "BATCH"}}},
}


@pytest.mark.parametrize(
    ("place", "facets"),
    [
        ("run", {"parent": {**PARENT, "root": PARENT}}),
        ("run", {"parent": {"run": {"noRunId": "x-1"}, "job": {"namespace": "lab", "name": "all"}}}),
        ("job", {"ownership": {"owners": [{"nickname": "ann of the lab"}]}}),
        ("out", {"schema": {"fields": [{"type": "int of nothing"}, "a text"]}}),
        ("out", {"columnLineage": {"fields": {"one": {"inputFields": [], "transformationDescription": "always 1"}}}}),
        ("out", {"lineage": {"inputs": [{"type": "DATASET", "namespace": "lab-7"}], "fields": {}}}),
        ("out", {"lifecycleStateChange": {"lifecycleStateChange": "RENAME", "previousIdentifier": {"namespace": "n"}}}),
        ("o", {"subset": {"inputCondition": {"type": "location", "locations": ["s3://a"]}}}),
    ],
)
def test_what_other_producers_send_is_kept(place: str, facets: dict[str, Any]) -> None:
    assert missing(read(**{place: facets}), [facets]) in ([], ["/lineage/inputs/0/type"])
