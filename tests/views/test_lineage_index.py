"""The lineage index compared with the reference implementation, on histories of versions and as of former entries.

One view answers all questions of a history, so that rows kept from former questions are part of what is tested.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.provo.terms import BASE_CLASS, RELATIONS
from provrepo.errors import Damaged, TimedOut
from provrepo.model.minting import Minter
from provrepo.model.statements import ACTIVITY, AGENT, ENTITY
from provrepo.views.contract import extract
from provrepo.views.extraction import Extraction
from provrepo.views.lineage import adjacency, scopes
from provrepo.views.lineage.index import Answer, Lineage
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.traversal import Options
from provrepo.views.view import Change
from provrepo.vocab import PROV, RDF_TYPE
from tests.support.lineage_oracle import Fact, OracleQuery, downstream, roots, upstream

BASE = "https://repository.example/"
CONTENT = "ni:///sha-256;abc"
THINGS = ["urn:a", "urn:b", "urn:c", "urn:d", CONTENT]
DOINGS = ["urn:r", "urn:s"]
MODEL = "urn:Model"
QUALIFIED = {"wasGeneratedBy": ("Generation", "activity"), "used": ("Usage", "entity")}
NAMES = {BASE_CLASS[ENTITY]: "prov:Entity", BASE_CLASS[ACTIVITY]: "prov:Activity", BASE_CLASS[AGENT]: "prov:Agent"}
KINDS = {"entity": "prov:Entity", "activity": "prov:Activity", "agent": "prov:Agent"}


def moment(number: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).isoformat()


@dataclass
class Version:
    """The assertions of a version, and the entries between which it is current."""

    project: str
    document: str
    number: int
    facts: list[Fact]
    models: list[str]
    since: int
    until: int | None = None


@dataclass
class World:
    """A view, and all versions that it got."""

    view: Lineage
    folder: Path
    versions: list[Version] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)

    def submit(self, project: str, document: str, facts: Sequence[Fact], models: Sequence[str] = ()) -> None:
        number = 1 + max((v.number for v in self.versions if (v.project, v.document) == (project, document)), default=0)
        version = Version(project, document, number, list(facts), list(models), self.entries.get(project, 0) + 1)
        self._end(project, document, version.since)
        self.versions.append(version)
        graph = Minter(BASE).version(project, document, number)
        lines = [line for fact in facts for line in _lines(fact)]
        lines += [f"<{node}> <{RDF_TYPE}> <{cls}>" for node in models for cls in (MODEL, BASE_CLASS[ENTITY])]
        extraction = extract("".join(f"{line} <{graph}> .\n" for line in lines).encode())
        self._apply(project, {"kind": "submit", "document": document, "version": number}, lambda: extraction)

    def withdraw(self, project: str, document: str) -> None:
        if self._end(project, document, self.entries.get(project, 0) + 1):
            self._apply(project, {"kind": "withdraw", "document": document, "version": 1})

    def erase(self, project: str, document: str, number: int) -> None:
        gone = [v for v in self.versions if (v.project, v.document, v.number) == (project, document, number)]
        self.versions = [version for version in self.versions if version not in gone]
        self._apply(project, {"kind": "erase", "document": document, "version": number})

    def query(self, projects: Sequence[str], as_of: dict[str, int] | None, **options: Any) -> OracleQuery:
        """A query of the reference implementation on the content of some projects."""
        facts, types = set(), dict[str, set[str]]()
        for version in self.seen(projects, as_of):
            facts.update(version.facts)
            for fact in version.facts:
                rule = next(rule for rule in RULES if rule.name == fact.rule)
                for node, end in zip((fact.subject, fact.object), RELATIONS[rule.kind].ends, strict=False):
                    types.setdefault(node, set()).update([NAMES[BASE_CLASS[end]]] if end in BASE_CLASS else [])
            for node in version.models:
                types.setdefault(node, set()).update([MODEL, "prov:Entity"])
        return OracleQuery(frozenset(facts), types, **options)

    def seen(self, projects: Sequence[str], as_of: dict[str, int] | None) -> list[Version]:
        def holds(version: Version) -> bool:
            entry = 1 << 40 if as_of is None else as_of.get(version.project, 0)
            return version.since <= entry and (version.until is None or version.until > entry)

        return [v for v in self.versions if v.project in projects and holds(v)]

    def _end(self, project: str, document: str, entry: int) -> bool:
        current = [v for v in self.versions if (v.project, v.document, v.until) == (project, document, None)]
        for version in current:
            version.until = entry
        return bool(current)

    def _apply(self, project: str, entry: dict[str, Any], extraction: Callable[[], Extraction] | None = None) -> None:
        sequence = self.entries[project] = self.entries.get(project, 0) + 1
        self.view.apply(project, Change(project, sequence, "", entry, BASE, extraction=extraction))


def _lines(fact: Fact) -> Iterator[str]:
    yield f"<{fact.subject}> <{PROV}{fact.rule}> <{fact.object}>"
    if fact.time:
        name, place = QUALIFIED[fact.rule]
        node = f"<urn:q:{fact.subject}:{fact.rule}:{fact.object}>"
        yield f"<{fact.subject}> <{PROV}qualified{name}> {node}"
        yield f"{node} <{PROV}{place}> <{fact.object}>"
        yield f'{node} <{PROV}atTime> "{moment(fact.time)}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        view = Lineage(Path(folder) / "view", base=BASE)
        yield World(view, Path(folder))
        view.close()


def found(answer: Answer | None) -> tuple[Any, ...]:
    assert answer is not None
    names = {number: thing.iri for number, thing in answer.things.items()}
    keys = {(names[s], RULES[rule].name, names[o]) for s, rule, o in answer.walk.edges}
    distances = {names[node]: distance for node, distance in answer.walk.nodes.items()}
    return distances, keys, answer.walk.total_edges, answer.walk.beyond


ALL = 1 << 30
TIMES = st.sampled_from([0, 0, 1, 2, 3])
UNTIMED = st.just(0)


def _facts(rule: str, first: list[str], second: list[str], times: st.SearchStrategy[int] = UNTIMED) -> Any:
    return st.builds(Fact, st.sampled_from(first), st.just(rule), st.sampled_from(second), times)


FACTS = st.one_of(
    _facts("wasGeneratedBy", THINGS, DOINGS, TIMES),
    _facts("used", DOINGS, THINGS, TIMES),
    _facts("wasGeneratedBy", THINGS, DOINGS, TIMES),
    _facts("used", DOINGS, THINGS, TIMES),
    _facts("wasDerivedFrom", THINGS, THINGS),
    _facts("specializationOf", THINGS, THINGS),
    _facts("specializationOf", THINGS, [CONTENT]),
    _facts("mentionOf", THINGS, THINGS),
    _facts("alternateOf", THINGS, THINGS),
    _facts("wasAttributedTo", THINGS, ["urn:g", "urn:h"]),
    _facts("wasAssociatedWith", DOINGS, ["urn:g"]),
    _facts("wasInfluencedBy", [*THINGS, *DOINGS], [*THINGS, *DOINGS]),
    _facts("wasInvalidatedBy", THINGS, DOINGS),
)
PROJECTS = st.sampled_from(["open", "secret"])
DOCUMENTS = st.sampled_from(["d", "e"])
ACTS = st.one_of(
    *[
        st.tuples(
            st.just("submit"),
            PROJECTS,
            DOCUMENTS,
            st.lists(FACTS, max_size=9, unique_by=lambda fact: fact.key),
            st.lists(st.sampled_from(THINGS), max_size=1),
        )
    ]
    * 3,
    st.tuples(st.just("withdraw"), PROJECTS, DOCUMENTS),
    st.tuples(st.just("erase"), PROJECTS, DOCUMENTS, st.integers(1, 3)),
)
ASKED = st.fixed_dictionaries(
    {
        "depth": st.sampled_from([None, None, 1, 2, 3]),
        "strict": st.sampled_from([False, False, False, True]),
        "alternates": st.booleans(),
        "relations": st.sampled_from(
            [None, None, None, frozenset({"wasGeneratedBy", "used"}), frozenset({"wasDerivedFrom", "specializationOf"})]
        ),
        "stop": st.sampled_from([frozenset(), frozenset(), frozenset({MODEL}), frozenset({"prov:Activity"})]),
    }
)


def options(chosen: dict[str, Any], *, up: bool = True) -> Options:
    stop = frozenset(each.replace("prov:", PROV) for each in chosen["stop"])
    return Options(upstream=up, **{**chosen, "stop": stop})


def check(w: World, chosen: dict[str, Any], projects: Sequence[str], as_of: dict[str, int] | None) -> None:
    query = w.query(projects, as_of, **chosen)
    known = sorted({node for v in w.seen(projects, as_of) for f in v.facts for node in (f.subject, f.object)})
    for node in known:
        answer = w.view.traverse(node, projects, [options(chosen)], limit=ALL, as_of=as_of)
        up = upstream(query, node)
        assert found(answer) == (up.distances, up.keys, len(up.keys), len(up.beyond))
        assert answer is not None
        assert set(answer.roots) == roots(query, node, up)
        distances, keys = downstream(query, node)
        walks = [options(chosen, up=False)]
        answer = w.view.traverse(node, projects, walks, limit=ALL, as_of=as_of)
        assert found(answer)[:3] == (distances, keys, len(keys))
        answer = w.view.traverse(node, projects, [options(chosen), *walks], limit=ALL, as_of=as_of)
        both = {n: min(each.get(n, ALL) for each in (up.distances, distances)) for n in {**up.distances, **distances}}
        assert found(answer)[:3] == (both, up.keys | keys, len(up.keys | keys))
        short = w.view.traverse(node, projects, [options(chosen)], limit=2, as_of=as_of)
        assert short is not None
        first = sorted(up.distances, key=lambda each: (up.distances[each], each))[:2]
        assert [thing.iri for thing in short.things.values()] == first
        assert (short.walk.total, short.walk.total_edges) == (len(up.distances), len(up.keys))
        impact = w.view.impact(node, projects, [options(chosen)], as_of=as_of)
        assert impact is not None
        others = up.distances.keys() - {node}
        assert impact.total == len(others)
        for kind, name in KINDS.items():
            assert impact.kinds.get(kind, 0) == sum(name in query.types.get(n, ()) for n in others)
        assert impact.types.get(MODEL, 0) == sum(MODEL in query.types.get(n, ()) for n in others)
        assert impact.agents == agents(query, others)
    for iri in {*THINGS, *DOINGS} - {*known, *(m for v in w.seen(projects, as_of) for m in v.models)}:
        assert w.view.traverse(iri, projects, [options(chosen)], limit=1, as_of=as_of) is None
        assert w.view.thing(iri, projects, as_of=as_of) is None


def agents(query: OracleQuery, nodes: set[str]) -> dict[str, int]:
    def objects(node: str, rule: str) -> set[str]:
        return {fact.object for fact in query.facts if (fact.subject, fact.rule) == (node, rule)}

    counted: dict[str, int] = {}
    for node in nodes:
        attributed = objects(node, "wasAttributedTo")
        doing = {node} | (set() if attributed else objects(node, "wasGeneratedBy"))
        for agent in attributed.union(*(objects(each, "wasAssociatedWith") for each in doing)):
            counted[agent] = counted.get(agent, 0) + 1
    return counted


def perform(w: World, act: tuple[Any, ...]) -> None:
    getattr(w, act[0])(*act[1:])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(ACTS, ASKED), min_size=1, max_size=6))
def test_the_index_finds_what_the_table_requires(history: list[tuple[tuple[Any, ...], dict[str, Any]]]) -> None:
    plain = {"depth": None, "strict": False, "alternates": False, "relations": None, "stop": frozenset()}
    with world() as w:
        for act, chosen in history:
            perform(w, act)
            check(w, plain, ["open", "secret"], None)
            check(w, chosen, ["open"], None)
            check(w, chosen, ["open", "secret"], None)
        for _, chosen in history[-2:]:
            entries = {project: max(1, length - 1) for project, length in w.entries.items()}
            check(w, chosen, ["open", "secret"], entries)
            check(w, plain, ["open", "secret"], {"open": entries.get("open", 0)})


def chain(length: int) -> list[Fact]:
    return [Fact(f"urn:n{n}", "wasDerivedFrom", f"urn:n{n + 1}") for n in range(length)]


def size(w: World, start: str = "urn:n0", **chosen: Any) -> int:
    answer = w.view.traverse(start, ["open"], [Options()], limit=1, **chosen)
    assert answer is not None
    return answer.walk.total


def test_erased_versions_are_in_no_former_state(tmp_path: Path) -> None:
    with world() as w:
        w.submit("open", "d", [Fact("urn:a", "wasDerivedFrom", "urn:b")])
        w.submit("open", "d", [Fact("urn:a", "wasDerivedFrom", "urn:c")])
        then = w.view.thing("urn:a", ["open"], as_of={"open": 1})
        assert then is not None
        assert [source.version for source in then.sources] == [1]
        assert w.view.thing("urn:b", ["open"]) is None
        w.erase("open", "d", 1)
        assert w.view.traverse("urn:a", ["open"], [Options()], limit=1, as_of={"open": 1}) is None
        assert size(w, "urn:a", as_of={"open": 2}) == 2
        data = b"".join(file.read_bytes() for file in (w.folder / "view").iterdir())
        assert b"urn:c" in data
        assert b"urn:b" not in data


def test_an_alternate_of_what_specializes_itself_is_a_root() -> None:
    facts = [
        Fact("urn:c", "alternateOf", "urn:a"),
        Fact("urn:a", "specializationOf", "urn:a"),
        Fact("urn:a", "wasDerivedFrom", "urn:d"),
    ]
    with world() as w:
        w.submit("open", "d", facts)
        answer = w.view.traverse("urn:c", ["open"], [Options(alternates=True)], limit=9)
        assert answer is not None
        assert answer.roots == ("urn:c", "urn:d")
        query = w.query(["open"], None, alternates=True)
        assert roots(query, "urn:c", upstream(query, "urn:c")) == set(answer.roots)


def test_another_view_of_the_same_file_sees_every_change() -> None:
    with world() as w:
        other = Lineage(w.folder / "view", base=BASE)
        for length in (3, 5, 2):
            w.submit("open", "d", chain(length))
            for view in (w.view, other):
                answer = view.traverse("urn:n0", ["open"], [Options()], limit=1)
                assert answer is not None
                assert answer.walk.total == length + 1
        other.close()


def test_a_cached_empty_row_is_dropped_after_a_change() -> None:
    with world() as w:
        w.submit("open", "d", [Fact("urn:n0", "specializationOf", "urn:n1")])
        assert size(w) == 2
        w.submit("open", "e", [Fact("urn:n1", "specializationOf", "urn:n2")])
        assert size(w) == 3


def test_a_change_that_was_rolled_back_is_not_recorded() -> None:
    """Its generation is used again by another change."""
    with world() as w:
        w.submit("p", "d", [Fact("urn:a", "wasDerivedFrom", "urn:b")])
        file = w.folder / "content.json"
        file.write_text("{}", "utf-8")
        with pytest.raises(Damaged):
            w._apply("p", {"kind": "submit", "document": "d", "version": 2}, lambda: Extraction.read(file))
        assert not w.view._touched


def test_cached_rows_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adjacency, "MOST", 100)
    monkeypatch.setattr(scopes, "MOST", 100)
    with world() as w:
        w.submit("open", "d", chain(600))
        assert size(w) == 601
        assert w.view._caches.size <= 100
        assert size(w, "urn:n590") == 11
        assert 0 < w.view._caches.size <= 100


def test_recorded_changes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "_REMEMBERED", 10)
    with world() as w:
        w.submit("open", "d", [Fact("urn:n0", "specializationOf", "urn:n1")])
        assert size(w) == 2
        for length in (3, 20, 5, 2):
            w.submit("open", "e", chain(length))
            assert w.view._caches._remembered <= 10
            assert size(w, "urn:n1") == length
        assert size(w) == 3


def test_a_traversal_ends_at_its_deadline() -> None:
    with world() as w:
        w.submit("open", "d", chain(5))
        with pytest.raises(TimedOut, match="took too long"):
            size(w, deadline=time.monotonic() - 1)
        assert size(w, deadline=time.monotonic() + 60) == 6


def test_concurrent_readers_see_the_state_before_or_after_a_change() -> None:
    with world() as w:
        w.submit("open", "d", chain(4))
        seen, done = set[int](), threading.Event()

        def look() -> None:
            while not done.is_set():
                seen.add(size(w))

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for length in (9, 4, 9, 4, 9):
            w.submit("open", "d", chain(length))
            assert size(w) == length + 1
        done.set()
        for thread in threads:
            thread.join()
        assert seen <= {5, 10}


def test_common_nodes() -> None:
    with world() as w:
        links = ["ac", "bc", "cd", "ad", "bx", "xy", "yx", "ax"]
        w.submit("open", "d", [Fact(f"urn:{first}", "wasDerivedFrom", f"urn:{second}") for first, second in links])
        shared = w.view.common(["urn:a", "urn:b"], ["open"], Options(), limit=3)
        assert shared is not None
        names = {number: thing.iri for number, thing in shared.things.items()}
        assert shared.total == 4
        # d is upstream of c; x and y are upstream of each other, and of no other common node.
        assert sorted(names[node] for node in shared.nearest) == ["urn:c", "urn:x", "urn:y"]
        assert {names[node]: shared.distances[node] for node in shared.nearest}["urn:y"] == (2, 2)
        assert w.view.common(["urn:a", "urn:nowhere"], ["open"], Options(), limit=3) is None


def test_entries_that_share_a_transaction_give_the_same_index() -> None:
    with world() as one, world() as many:
        with many.view.together():
            for w in (one, many):
                w.submit("open", "d", chain(3))
                w.submit("open", "e", chain(5))
                w.submit("open", "e", chain(2))
                w.erase("open", "d", 1)
        assert list(one.view.dump("open")) == list(many.view.dump("open"))
        assert many.view.position("open", "open") == 4
        assert size(many) == size(one) == 3
