"""Unknown reads are resolved to the version that was current, whatever the order of arrival."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from provrepo.views.lineage.index import Lineage
from tests.support.openlineage_events import NAMES, dataset, lines, run

PROJECTS = ("one", "two")
DATASETS = ("a", "b", "c")


def uuid(number: int) -> str:
    return f"urn:uuid:00000000-0000-7000-8000-{number:012}"


def written(name: str, number: int) -> str:
    return f"{NAMES}version/lab/{name}/00000000-0000-7000-8000-{number:012}"


def read(name: str, number: int) -> str:
    return f"{NAMES}version/lab/{name}/@unknown/00000000-0000-7000-8000-{number:012}"


def resolved(graph: LineageGraph) -> set[tuple[str, str]]:
    return {(edge.subject, edge.object) for edge in graph.edges if edge.basis == "resolved"}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Store.open(Settings(data=tmp_path / "data", workers=1)) as store:
        repository = Repository(store, store.owner())
        for project in PROJECTS:
            repository.create_project(project)
        yield repository


# Generated runs, and an oracle that knows the rule and nothing of the index -------------------------------------------


@dataclass
class Made:
    """A run, with times in minutes of the day."""

    number: int
    project: str
    start: int | None
    end: int
    reads: list[str]
    writes: list[str]
    complete: bool = True
    dropped: list[str] = field(default_factory=list)

    def data(self) -> bytes:
        drops = [
            dataset(name, lifecycleStateChange={"lifecycleStateChange": "DROP"})
            for name in self.dropped
            if name not in self.writes
        ]
        return lines(
            run(
                self.number,
                "job",
                None if self.start is None else f"{self.start // 60:02}:{self.start % 60:02}",
                f"{self.end // 60:02}:{self.end % 60:02}",
                reads=self.reads,
                writes=[*self.writes, *drops],
                state="COMPLETE" if self.complete else "FAIL",
            )
        )

    def drops(self) -> set[str]:
        return set(self.dropped) - set(self.writes) if self.complete else set()


def current(made: list[Made], name: str, before: int) -> set[str]:
    """The versions of a dataset that were written last before a time."""
    writes = [(run.end, run.number) for run in made if run.complete and name in run.writes and run.end < before]
    drops = [run.end for run in made if name in run.drops() and run.end < before]
    last = max((end for end, _ in writes), default=None)
    if last is None or any(drop > last for drop in drops):
        return set()
    return {written(name, number) for end, number in writes if end == last}


def upstream(made: list[Made], number: int) -> set[str]:
    """The runs upstream of a run."""
    by_version = {written(name, run.number): run for run in made if run.complete for name in run.writes}
    found, waiting = set[int](), [number]
    runs = {run.number: run for run in made}
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found.add(here)
        one = runs[here]
        for name in one.reads:
            if one.start is not None:
                waiting += [by_version[version].number for version in current(made, name, one.start)]
    return {uuid(each) for each in found}


def of_runs(graph: LineageGraph) -> set[str]:
    return {node.iri for node in graph.nodes if node.iri.startswith("urn:uuid:00000000")}


SOME = st.lists(st.sampled_from(DATASETS), max_size=2, unique=True)
RUNS = st.lists(
    st.builds(
        lambda project, start, length, reads, writes, complete, dropped: (
            project, start, length, reads, writes, complete, dropped,
        ),
        st.sampled_from(PROJECTS),
        st.one_of(st.none(), st.integers(0, 12)),
        st.integers(0, 4),
        SOME,
        SOME,
        st.sampled_from([True, True, True, False]),
        st.one_of(st.just([]), st.just([]), st.lists(st.sampled_from(DATASETS), max_size=1)),
    ),
    min_size=2,
    max_size=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(Settings(data=tmp_path_factory.mktemp("resolution") / "data", workers=1)) as store:
        yield store


COUNT = iter(range(10**6))


@given(RUNS, st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_arrival_gives_the_answers_of_the_oracle(
    store: Store, drawn: list[tuple[str, int | None, int, list[str], list[str], bool, list[str]]], chance: random.Random
) -> None:
    owner, example = Repository(store, store.owner()), next(COUNT)
    names = {project: f"{project}-{example}" for project in PROJECTS}
    for project in names.values():
        owner.create_project(project)
    made = [
        Made(number, names[project], start, (start or 0) + length, reads, writes, complete, dropped)
        for number, (project, start, length, reads, writes, complete, dropped) in enumerate(drawn, 1)
    ]
    arrivals = list(made)
    chance.shuffle(arrivals)
    readers = [tuple(names.values()), (names["one"],)]
    came: list[Made] = []
    for one in arrivals:
        owner.submit(one.data(), project=one.project, name=f"run-{one.number}")
        came.append(one)
        if chance.random() < 0.3:
            # Rows of the cache from before a late event must not survive it.
            check(owner, came, readers[0])
    for projects in readers:
        check(owner, [one for one in made if one.project in projects], projects)
    withdrawn = chance.choice(made)
    owner.withdraw(withdrawn.project, f"run-{withdrawn.number}", reason="wrong")
    check(owner, [one for one in made if one is not withdrawn], readers[0])


def check(owner: Repository, made: list[Made], projects: tuple[str, ...]) -> None:
    reader = owner.as_actor(Actor("reader", "reader", projects=projects))
    expected: dict[str, set[str]] = {}
    for one in made:
        expected[uuid(one.number)] = upstream(made, one.number)
        graph = reader.lineage(uuid(one.number))
        assert of_runs(graph) == expected[uuid(one.number)]
        wanted = {
            (read(name, one.number), version)
            for name in one.reads
            if one.start is not None
            for version in current(made, name, one.start)
        }
        assert {pair for pair in resolved(graph) if pair[0] in {read(name, one.number) for name in one.reads}} == wanted
        used = {edge.object for edge in graph.edges if edge.relation == "used" and edge.subject == uuid(one.number)}
        # What is not resolved is a root, and what is resolved is none.
        assert {root for root in graph.roots if root in used} == used - {subject for subject, _ in wanted}
    for one in made:
        down = reader.lineage(uuid(one.number), direction="downstream")
        assert of_runs(down) == {iri for iri, above in expected.items() if uuid(one.number) in above}


# Cases ---------------------------------------------------------------------------------------------------------------


def submit(repository: Repository, number: int, *args: object, project: str = "one", **kwargs: object) -> None:
    repository.submit(lines(run(number, "job", *args, **kwargs)), project=project, name=f"run-{number}")  # type: ignore[arg-type]


def test_an_edge_says_that_it_was_inferred_and_why(repository: Repository) -> None:
    submit(repository, 2, "11:00", "11:10", reads=["a"], writes=["b"])
    submit(repository, 1, "10:00", "10:10", writes=["a"], project="two")
    (edge,) = [edge for edge in repository.lineage(uuid(2)).edges if edge.basis == "resolved"]
    assert (edge.subject, edge.relation, edge.object) == (read("a", 2), "alternateOf:resolved", written("a", 1))
    assert edge.reason == "written at 2026-11-20T10:10:00Z, the last before the read at 2026-11-20T11:00:00Z"
    assert [(source.project, source.document) for source in edge.sources] == [("one", "run-2"), ("two", "run-1")]
    assert edge.to_dict()["reason"] == edge.reason
    others = [edge for edge in repository.lineage(uuid(2)).edges if edge.basis != "resolved"]
    assert all("reason" not in edge.to_dict() for edge in others)


def test_no_document_of_an_answer_says_what_was_inferred(repository: Repository) -> None:
    submit(repository, 1, "10:00", "10:10", writes=["a"])
    submit(repository, 2, "11:00", "11:10", reads=["a"], writes=["b"])
    document = repository.lineage(uuid(2)).document(bundles=True)
    assert [statement.kind.name for statement in document.statements if statement.kind.name == "alternateOf"]
    assert not [s for bundle in document.bundles for s in bundle.statements if s.kind.name == "alternateOf"]


def test_a_version_that_a_reader_may_not_read_does_not_count(repository: Repository) -> None:
    submit(repository, 1, "10:00", "10:10", writes=["a"])
    submit(repository, 2, "10:20", "10:30", writes=["a"], project="two")
    submit(repository, 3, "11:00", "11:10", reads=["a"])
    one = repository.as_actor(Actor("reader", "reader", projects=("one",)))
    assert resolved(repository.lineage(uuid(3))) == {(read("a", 3), written("a", 2))}
    assert resolved(one.lineage(uuid(3))) == {(read("a", 3), written("a", 1))}
    assert resolved(repository.lineage(uuid(3), project="one")) == {(read("a", 3), written("a", 1))}


def test_as_of_an_entry_later_events_are_not_known(repository: Repository) -> None:
    submit(repository, 1, "10:00", "10:10", writes=["a"])
    submit(repository, 3, "11:00", "11:10", reads=["a"])
    submit(repository, 2, "10:20", "10:30", writes=["a"])
    last = repository.history("one", "run-3")[0].sequence
    assert resolved(repository.lineage(uuid(3), as_of=f"one/{last}")) == {(read("a", 3), written("a", 1))}
    assert resolved(repository.lineage(uuid(3))) == {(read("a", 3), written("a", 2))}
    assert of_runs(repository.lineage(uuid(1), direction="downstream", as_of=f"one/{last}")) == {uuid(1), uuid(3)}
    assert of_runs(repository.lineage(uuid(1), direction="downstream")) == {uuid(1)}


def test_columns_go_on_to_columns_of_the_version(repository: Repository) -> None:
    schema = {"fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}
    mapping = {"fields": {"z": {"inputFields": [{"namespace": "lab", "name": "a", "field": "x"}]}}}
    submit(repository, 1, "10:00", "10:10", writes=[dataset("a", schema=schema)])
    submit(repository, 2, "11:00", "11:10", reads=["a"], writes=[dataset("b", columnLineage=mapping)])
    for strict in (False, True):
        graph = repository.lineage(f"{written('b', 2)}#z", strict=strict)
        assert (f"{read('a', 2)}#x", f"{written('a', 1)}#x") in resolved(graph)
        assert f"{written('a', 1)}#y" not in {node.iri for node in graph.nodes if strict}
    down = repository.lineage(f"{written('a', 1)}#x", direction="downstream")
    assert f"{written('b', 2)}#z" in {node.iri for node in down.nodes}


def test_only_named_relations_are_followed(repository: Repository) -> None:
    submit(repository, 1, "10:00", "10:10", writes=["a"])
    submit(repository, 2, "11:00", "11:10", reads=["a"])
    assert of_runs(repository.lineage(uuid(2), relations=["used", "wasGeneratedBy"])) == {uuid(2)}
    named = ["used", "wasGeneratedBy", "alternateOf:resolved"]
    assert of_runs(repository.lineage(uuid(2), relations=named)) == {uuid(1), uuid(2)}


def test_a_part_that_was_read_or_written_leads_to_the_run(repository: Repository) -> None:
    condition = {"type": "partition", "partitions": [{"dimensions": {"day": "1"}}]}
    some = dataset("a", own={"subset": {"inputCondition": condition, "outputCondition": condition}})
    submit(repository, 1, "10:00", "10:10", writes=[some])
    submit(repository, 2, "11:00", "11:10", reads=[some], writes=["b"])
    assert of_runs(repository.lineage(written("b", 2))) == {uuid(1), uuid(2)}
    assert of_runs(repository.lineage(uuid(1), direction="downstream")) == {uuid(1), uuid(2)}


def test_prov_documents_of_other_origin_take_part(repository: Repository) -> None:
    written_by_hand = f"""document
      prefix d <{NAMES}dataset/lab/>
      prefix e <https://lab.example/>
      prefix dcat <http://www.w3.org/ns/dcat#>
      entity(d:a, [prov:type='dcat:Dataset'])
      entity(e:copy)
      specializationOf(e:copy, d:a)
      wasGeneratedBy(e:copy, e:copying, 2026-11-20T10:30:00Z)
    endDocument"""
    repository.submit(written_by_hand.encode(), project="one", name="hand", format="provn")
    submit(repository, 2, "11:00", "11:10", reads=["a"])
    assert resolved(repository.lineage(uuid(2))) == {(read("a", 2), "https://lab.example/copy")}


def test_a_rebuilt_index_has_the_same_moments(repository: Repository) -> None:
    submit(repository, 2, "11:00", "11:10", reads=["a"], writes=["b"])
    submit(repository, 1, "10:00", "10:10", writes=["a"])
    before = repository.lineage(uuid(2)).to_dict()
    assert repository.check_views(whole=True) == []
    repository.rebuild()
    assert repository.lineage(uuid(2)).to_dict() == before
    repository.erase("one", "run-1", 1, reason="secret")
    assert resolved(repository.lineage(uuid(2))) == set()


def test_the_profile_pipeline_takes_unresolved_reads_for_sources(repository: Repository) -> None:
    data = lines(run(1, "job", "10:00", "10:10", reads=["a"], writes=["b"]))
    report = repository.validate(data, profiles=["pipeline"])
    # What the events do not have, such as the version of the engine, is missing; the origin of what was read is not.
    assert {finding.focus for finding in report.findings if finding.layer == "shapes"} == {
        "https://lab.example/producer/1.0"
    }


def test_a_new_run_leaves_the_cached_rows_of_other_times(repository: Repository) -> None:
    for hour in range(8, 14):
        submit(repository, hour, f"{hour:02}:00", f"{hour:02}:10", reads=["a"], writes=["a"])
    assert of_runs(repository.lineage(uuid(13))) == {uuid(hour) for hour in range(8, 14)}
    caches = repository.context.store.view(Lineage)._caches
    (cache,) = caches._kept.values()
    ((_, noted),) = cache.resolved.items()
    assert len(noted) == 12
    # A run between those of 10 and 11 o'clock, which comes late, changes what the latter read and whom the former had.
    submit(repository, 20, "10:20", "10:30", writes=["a"])
    with caches.using(next(iter(caches._kept)), cache.generation + 1, None):  # type: ignore[arg-type]
        assert len(noted) == 10
    assert of_runs(repository.lineage(uuid(13))) == {uuid(11), uuid(12), uuid(13), uuid(20)}
