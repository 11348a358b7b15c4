"""The JSON schemas of OpenLineage's specification, which are not part of this repository."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.corpus import CORPUS

__all__ = ["FIXTURES", "check_events", "facets_of"]

FIXTURES = CORPUS.parent / "fixtures" / "openlineage"
_SPEC = FIXTURES / "upstream" / "spec"


def check_events(data: bytes) -> int:
    """Validate events, in JSON lines, and each facet against the schema of its key; returns the number of events."""
    if not _SPEC.is_dir():
        pytest.skip(f"no schemas of OpenLineage in {_SPEC}")
    event_schema, facet_schemas = _schemas()
    events = [json.loads(line) for line in data.splitlines()]
    for event in events:
        event_schema.validate(event)
        for place, key, facet in facets_of(event):
            for validator in facet_schemas.get((place, key), ()):
                validator.validate({key: facet})
    return len(events)


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The facets of an event: place, key and content."""
    for place in ("run", "job", "dataset"):
        for key, facet in event.get(place, {}).get("facets", {}).items():
            yield place, key, facet
    for side in ("inputs", "outputs"):
        for item in event.get(side, ()):
            for key, facet in item.get("facets", {}).items():
                yield "dataset", key, facet
            for key, facet in item.get(f"{side[:-1]}Facets", {}).items():
                yield side[:-1], key, facet


@cache
def _schemas() -> tuple[Any, dict[tuple[str, str], list[Any]]]:
    files = [_SPEC / "OpenLineage.json", *sorted((_SPEC / "facets").glob("*.json"))]
    schemas = {path: json.loads(path.read_text("utf-8")) for path in files}
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas.values()])
    found: dict[tuple[str, str], list[Any]] = {}
    for path, schema in schemas.items():
        for key in schema.get("properties", {}):
            validator = jsonschema_rs.validator_for(schema, registry=registry, validate_formats=True)
            for place in _places(path):
                found.setdefault((place, key), []).append(validator)
    event = jsonschema_rs.validator_for(schemas[files[0]], registry=registry, validate_formats=True)
    return event, found


def _places(path: Path) -> tuple[str, ...]:
    """Where a facet stands, by the name of its file; two of them stand in more than one place."""
    name = path.stem.removesuffix("Facet")
    if name == "Lineage":
        return "dataset", "job"
    if name.startswith("BaseSubset"):
        return ()
    ends = {"InputDataset": "input", "OutputDataset": "output", "Dataset": "dataset", "Run": "run", "Job": "job"}
    return (next(place for end, place in ends.items() if name.endswith(end)),)
