"""Events that real tools sent to a server, as ``make integration`` records them (``tests/data/openlineage``).

``every-facet.jsonl`` is from openlineage-python 1.54.0 and ``tests/integration/openlineage_python_runner.py``: every
facet class of the package in every place, each value different from the others; without ``_producer`` and
``_schemaURL``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import provrepo
from provrepo.importers.openlineage.codec import split
from provrepo.importers.parts import Part
from tests.support.paths import ROOT
from tests.support.told import missing

RECORDED = ROOT / "tests" / "data" / "openlineage"

MASKED = {"every-facet": ["/run/facets/environmentVariables/environmentVariables/0/value"]}
"""Values that are not kept, since they may be secrets."""


def parts(name: str) -> list[tuple[Part, list[dict[str, Any]]]]:
    """The documents of a recording, each with its events."""
    found = list(split((RECORDED / f"{name}.jsonl").read_bytes()))
    assert all(isinstance(part, Part) for part in found)
    return [(part, list(map(json.loads, part.data.splitlines()))) for part in found if isinstance(part, Part)]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.jsonl")))
def test_nothing_of_the_events_is_lost_and_documents_conform(name: str) -> None:
    lost: list[str] = []
    for part, events in parts(name):
        document = provrepo.read(part.data, format="openlineage")
        assert document.warnings == []
        lost += missing(document, events)
        report = provrepo.validate(document, profiles=["pipeline"])
        assert report.conforms, [str(finding) for finding in report.findings]
    assert lost == MASKED.get(name, [])


@pytest.mark.parametrize("state", ["FAIL", "ABORT", "RUNNING", "OTHER"])
def test_nothing_is_lost_however_a_run_ends(state: str) -> None:
    (events,) = [found for part, found in parts("every-facet") if part.name.startswith("run-")]
    changed = [{**event, "eventType": state} if event["eventType"] == "COMPLETE" else event for event in events]
    document = provrepo.read("\n".join(map(json.dumps, changed)).encode(), format="openlineage")
    assert missing(document, changed) == MASKED["every-facet"]
    assert provrepo.validate(document, profiles=["core"]).conforms
