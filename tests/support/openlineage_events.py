"""Events of OpenLineage for tests: the runs of jobs that read and write datasets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

__all__ = ["NAMES", "dataset", "lines", "run"]

NAMES = "https://w3id.org/provrepo/openlineage/"


def dataset(name: str, **facets: Any) -> dict[str, Any]:
    """A dataset of the namespace ``lab`` as an input or output; ``own`` are its inputFacets or outputFacets."""
    own = facets.pop("own", {})
    return {"namespace": "lab", "name": name, "facets": facets, "inputFacets": own, "outputFacets": own}


def run(
    number: int,
    job: str,
    start: str | None,
    end: str | None,
    *,
    reads: Iterable[Any] = (),
    writes: Iterable[Any] = (),
    state: str = "COMPLETE",
    facets: Any = None,
    job_facets: Any = None,
) -> list[dict[str, Any]]:
    """The events of a run: START, where it has a start, and the event that ends it.

    Args:
        number: the last digits of its identifier.
        job: the name of its job.
        start: time of day, such as ``10:00``; None for no START.
        end: time of day; None for no end.
        reads: names of inputs, or what ``dataset`` returns.
        writes: outputs, likewise.
        state: the type of the event that ends it.
        facets: of the run.
        job_facets: of the job.
    """

    def event(type_: str, time: str) -> dict[str, Any]:
        return {
            "eventType": type_,
            "eventTime": time if "T" in time else f"2026-11-20T{time}:00Z",
            "producer": "https://lab.example/producer/1.0",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "run": {"runId": f"00000000-0000-7000-8000-{number:012}", "facets": facets or {}},
            "job": {"namespace": "lab", "name": job, "facets": job_facets or {}},
            "inputs": [dataset(item) if isinstance(item, str) else item for item in reads],
            "outputs": [dataset(item) if isinstance(item, str) else item for item in writes],
        }

    found = [event("START", start)] if start is not None else []
    return found + ([event(state, end)] if end is not None else [])


def lines(*runs: Iterable[dict[str, Any]]) -> bytes:
    """Events as JSON lines."""
    return b"".join(json.dumps(event).encode() + b"\n" for events in runs for event in events)
