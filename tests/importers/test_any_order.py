"""Generated events in any order, repeated, with losses and late ones: the same as in order, in every form that is made.

The events are of runs, jobs and datasets, with facets that later events replace or delete, and with explicit lineage.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.importers.openlineage.codec import merge, split
from provrepo.importers.openlineage.index import indexed
from provrepo.importers.parts import Part
from tests.importers.test_openlineage import read, stated
from tests.support.sampling import examples

NAMES = ["a", "b", "c"]
ONE = st.fixed_dictionaries({"namespace": st.just("lab"), "name": st.sampled_from(NAMES)})
RUN_IDS = [f"00000000-0000-7000-8000-00000000000{number}" for number in range(3)]


def sources(**more: Any) -> st.SearchStrategy[Any]:
    """Inputs of explicit lineage: datasets, jobs, and runs of jobs."""
    of_dataset = st.builds(lambda one: {"type": "DATASET", **one, **more}, ONE)
    of_job = st.builds(
        lambda one, run: {"type": "JOB", **one, **({"runId": run} if run else {})},
        ONE,
        st.sampled_from([None, *RUN_IDS]),
    )
    return st.lists(of_dataset | of_job, max_size=2)


COLUMNS = st.builds(
    lambda one, kind: {
        "fields": {"x": {"inputFields": [{**one, "field": "y", "transformations": [{"type": kind}]}]}},
    },
    ONE,
    st.sampled_from(["DIRECT", "INDIRECT"]),
)
LINEAGE = st.builds(
    lambda inputs, of_x: {"inputs": inputs, **({"fields": {"x": {"inputs": of_x}}} if of_x else {})},
    sources(),
    sources(field="y"),
)
ENTRIES = st.builds(
    lambda target, facet: {"entries": [{**target, **facet}]},
    st.builds(lambda one, kind: {"type": kind, **one}, ONE, st.sampled_from(["DATASET", "JOB"])),
    LINEAGE,
)
DELETED = st.just({"_deleted": True})


def facets(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the facets, each of which may be deleted."""
    return st.fixed_dictionaries({}, optional={key: found | DELETED for key, found in strategies.items()})


OF_DATASETS = facets(
    version=st.builds(lambda name: {"datasetVersion": name}, st.sampled_from(["v1", "v2"])),
    schema=st.builds(lambda type_: {"fields": [{"name": "x", "type": type_}]}, st.sampled_from(["int", "text"])),
    columnLineage=COLUMNS,
    lineage=LINEAGE,
    lifecycleStateChange=st.builds(
        lambda state: {"lifecycleStateChange": state}, st.sampled_from(["CREATE", "ALTER", "DROP", "TRUNCATE"])
    ),
    documentation=st.builds(lambda text: {"description": text}, st.sampled_from(["old", "new"])),
)
OF_JOBS = facets(
    lineage=ENTRIES,
    jobType=st.builds(lambda kind: {"processingType": kind}, st.sampled_from(["BATCH", "STREAMING"])),
    sql=st.builds(lambda number: {"query": f"select {number}"}, st.integers(0, 2)),
)
SIDE = st.lists(st.builds(lambda one, some: {**one, "facets": some}, ONE, OF_DATASETS), max_size=3)
JOBS = st.builds(lambda some: {"namespace": "lab", "name": "clean", "facets": some}, OF_JOBS)


def events() -> st.SearchStrategy[dict[str, Any]]:
    """One event of any kind."""
    head = {
        "eventTime": st.builds(lambda number: f"2026-11-20T10:0{number}:00Z", st.integers(0, 5)),
        "producer": st.sampled_from(["https://lab.example/producer/1", "https://lab.example/producer/2"]),
        "schemaURL": st.just("https://openlineage.io/spec/2-0-2/OpenLineage.json"),
    }
    sides = {"inputs": SIDE, "outputs": SIDE}
    kinds = ["START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER"]
    run = st.builds(lambda id_: {"runId": id_}, st.sampled_from(RUN_IDS))
    of_run = st.fixed_dictionaries({**head, **sides, "eventType": st.sampled_from(kinds), "run": run, "job": JOBS})
    of_job = st.fixed_dictionaries({**head, **sides, "job": JOBS})
    about = st.builds(lambda one, some: {**one, "facets": some}, ONE, OF_DATASETS)
    return of_run | of_job | st.fixed_dictionaries({**head, "dataset": about})


HISTORIES = st.lists(events(), min_size=1, max_size=8)
CHANCE = st.randoms(use_true_random=False)


def sent(found: Iterable[Any]) -> bytes:
    return "\n".join(map(json.dumps, found)).encode()


def arrived(history: list[Any], chance: random.Random) -> tuple[list[Any], list[Any]]:
    """What is left of a history after losses, in order; and the same as it arrives, with repetitions."""
    left = [event for event in history if chance.random() < 0.8] or history[:1]
    mixed = left + chance.sample(left, chance.randint(0, len(left)))
    chance.shuffle(mixed)
    return left, mixed


@given(HISTORIES, CHANCE)
@settings(max_examples=examples(120), deadline=None)
def test_statements_and_index_do_not_depend_on_order_and_repetition(history: list[Any], chance: random.Random) -> None:
    left, mixed = arrived(history, chance)
    in_order = {part.data for part in split(sent(left)) if isinstance(part, Part)}
    assert {part.data for part in split(sent(mixed)) if isinstance(part, Part)} == in_order
    for data in in_order:
        again = [json.loads(line) for line in data.splitlines()]
        assert stated(read(chance.sample(again, len(again)))) == stated(read(again))
    assert sorted(map(json.dumps, indexed(sent(mixed)))) == sorted(map(json.dumps, indexed(sent(left))))
    report = provrepo.validate(read(mixed), profiles=["core"])
    assert report.conforms, [finding.message for finding in report.findings]


@given(HISTORIES, CHANCE)
@settings(max_examples=examples(120), deadline=None)
def test_the_last_versions_of_documents_do_not_depend_on_when_events_came(
    history: list[Any], chance: random.Random
) -> None:
    left, mixed = arrived(history, chance)
    versions: dict[str, list[bytes]] = {}
    while mixed:
        some = chance.randint(1, len(mixed))
        batch, mixed = mixed[:some], mixed[some:]
        for part in split(sent(batch)):
            assert isinstance(part, Part)
            of_document = versions.setdefault(part.name, [])
            of_document.append(merge(of_document[-1] if of_document else b"", part.data))
    in_order = {part.name: part.data for part in split(sent(left)) if isinstance(part, Part)}
    assert {name: made[-1] for name, made in versions.items()} == in_order
    for made in versions.values():
        # A version says all that the one before said: no event is lost by a later one.
        for former, later in pairwise(made):
            assert set(former.splitlines()) <= set(later.splitlines())
