"""Traversals of long paths: compared with the reference implementation, and what is read for them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.views.lineage import adjacency, prefetch
from provrepo.views.lineage.adjacency import RowCache
from provrepo.views.lineage.index import Answer
from provrepo.views.lineage.rules import RULES
from provrepo.views.lineage.traversal import Options
from tests.support.lineage_oracle import Fact, downstream, roots, upstream
from tests.views.test_lineage_index import ALL, World, chain, options, world

PLAIN: dict[str, Any] = {"depth": None, "strict": False, "alternates": False, "relations": None, "stop": frozenset()}
MODES = [
    PLAIN,
    {**PLAIN, "depth": 4},
    {**PLAIN, "alternates": True},
    {**PLAIN, "stop": frozenset({"prov:Activity"})},
    {**PLAIN, "relations": frozenset({"wasGeneratedBy", "used", "specializationOf"})},
]


def history(seed: int, size: int) -> list[list[Fact]]:
    """Steps that use what is mostly the newest, with what real documents say around it; a few to each document.

    Some lead back, so that there are circles.
    """
    random, facts, documents = Random(seed), list[Fact](), list[list[Fact]]()
    for number in range(size):
        doing, made = f"urn:a{number}", f"urn:t{number}"
        earlier = [f"urn:t{random.randrange(max(1, number - 3), max(2, number))}"]
        earlier += [f"urn:t{random.randrange(size)}" for _ in range(random.choice([0, 0, 0, 1, 3]))]
        timed = random.random() < 0.5
        facts += [Fact(doing, "used", thing, 2 * number + random.choice([0, 2]) if timed else 0) for thing in earlier]
        facts.append(Fact(made, "wasGeneratedBy", doing, 2 * number + 1 if timed else 0))
        facts.append(Fact(doing, "wasAssociatedWith", f"urn:g{number % 3}"))
        if random.random() < 0.6:
            facts.append(Fact(made, "specializationOf", f"ni:///sha-256;{random.randrange(size)}"))
            facts.append(Fact(made, "specializationOf", f"urn:logical{number % 4}"))
        if random.random() < 0.1:
            facts.append(Fact(f"urn:logical{number % 4}", "wasDerivedFrom", f"urn:t{random.randrange(size)}"))
            facts.append(Fact(made, "alternateOf", f"urn:t{random.randrange(size)}"))
        if number % 5 == 4:
            documents.append(list({fact.key: fact for fact in facts}.values()))
            facts = []
    return documents


def summary(w: World, node: str, options: Options, limit: int = ALL) -> tuple[Any, ...] | None:
    answer = w.view.traverse(node, ["open"], [options], limit=limit)
    return None if answer is None else (answer.walk.total, answer.walk.total_edges, answer.roots, _returned(answer))


def _returned(answer: Answer) -> tuple[Any, ...]:
    distances = {thing.iri: answer.walk.nodes[number] for number, thing in answer.things.items()}
    names = {number: thing.iri for number, thing in answer.things.items()}
    return distances, {(names[s], RULES[rule].name, names[o]) for s, rule, o in answer.walk.edges}


def below(w: World, node: str) -> None:
    """Compare what depends on a thing; the reference implementation looks at the upstream of everything for that."""
    distances, keys = downstream(w.query(["open"], None, **PLAIN), node)
    found = summary(w, node, Options(upstream=False))
    assert found == (len(distances), len(keys), (), (distances, keys))


def same(w: World, nodes: Sequence[str]) -> None:
    """Compare answers with those of the reference implementation."""
    for chosen in MODES:
        query = w.query(["open"], None, **chosen)
        known = {node for fact in query.facts for node in (fact.subject, fact.object)}
        for node in known.intersection(nodes):
            up = upstream(query, node)
            assert summary(w, node, options(chosen)) == (
                len(up.distances),
                len(up.keys),
                tuple(sorted(roots(query, node, up))),
                (up.distances, up.keys),
            )
            short = summary(w, node, options(chosen), 3)
            assert short is not None
            assert short[:2] == (len(up.distances), len(up.keys))
            first = sorted(up.distances, key=lambda each: (up.distances[each], each))[:3]
            assert short[3][0] == {each: up.distances[each] for each in first}


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(5, 20))
def test_long_paths_are_found_as_the_table_requires(seed: int, size: int) -> None:
    random, documents = Random(seed), history(seed, size)
    names = [f"urn:{what}{random.randrange(size)}" for what in "tta" * 3]
    names += [f"ni:///sha-256;{random.randrange(size)}", "urn:logical0", "urn:g1"]
    with world() as w:
        for number, facts in enumerate(documents):
            w.submit("open", f"d{number}", facts)
        same(w, names)
        if documents:
            below(w, "urn:t1")
        # Some rows are dropped: a document changes its assertions, another one repeats or extends them.
        for change in range(3):
            place = random.randrange(len(documents)) if documents else 0
            w.submit(
                "open",
                f"d{place}",
                [*history(seed + change, size)[-1], Fact("urn:logical1", "wasDerivedFrom", "urn:t0")],
            )
            same(w, random.sample(names, 4))
            w.withdraw("open", f"d{place}")
            same(w, random.sample(names, 2))


def test_versions_and_their_bytes_until_something_follows() -> None:
    facts = chain(9) + [Fact(f"urn:n{n}", "specializationOf", f"ni:///sha-256;{n}") for n in range(10)]
    facts += [Fact(f"urn:n{n}", "specializationOf", "urn:logical") for n in range(10)]
    with world() as w:
        w.submit("open", "d", facts)
        assert summary(w, "urn:n0", Options(), 1) == (21, 29, ("urn:n9",), ({"urn:n0": 0}, set()))
        w.submit(
            "open",
            "e",
            [Fact("urn:logical", "specializationOf", "urn:more"), Fact("urn:z", "wasDerivedFrom", "urn:n9")],
        )
        same(w, ["urn:n0"])
        w.submit("open", "f", [Fact("urn:elsewhere", "specializationOf", "ni:///sha-256;4")])
        w.submit("open", "g", [Fact("urn:elsewhere", "wasDerivedFrom", "urn:before")])
        found = summary(w, "urn:n0", Options(), 1)
        assert found is not None
        assert found[:3] == (24, 32, ("urn:before", "urn:n9"))


def test_a_cycle_into_a_path() -> None:
    with world() as w:
        w.submit(
            "open",
            "d",
            [*chain(9), Fact("urn:n9", "wasDerivedFrom", "urn:n2"), Fact("urn:q", "wasDerivedFrom", "urn:n0")],
        )
        same(w, ["urn:q", "urn:n5", "urn:n2", "urn:n1", "urn:n9"])


def test_large_versions_are_read_when_much_of_them_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_SMALL", 10)
    with world() as w:
        w.submit("open", "d", chain(60))
        looked: list[int] = []
        take = adjacency.Adjacency._read

        def counted(rows: adjacency.Adjacency, states: list[int]) -> None:
            looked.append(len(states))
            take(rows, states)

        for direction, start in ((True, "urn:n0"), (False, "urn:n60")):
            looked.clear()
            with mock.patch.object(adjacency.Adjacency, "_read", counted):
                assert summary(w, start, Options(upstream=direction), 1) is not None
            # Some rows are read one by one, and then the rest at once.
            assert len(looked) <= 8
            assert max(looked) >= 50


def test_large_versions_are_read_by_the_number_of_look_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_SMALL", 50)
    monkeypatch.setattr(prefetch, "_THINGS", 1)
    with world() as w:
        w.submit("open", "d", [Fact(f"urn:n{n}", "wasDerivedFrom", f"urn:p{n}") for n in range(60)])
        w.submit("open", "f", [Fact("urn:x", "wasDerivedFrom", f"urn:n{n}") for n in range(20)])
        found = summary(w, "urn:x", Options(), 1)
        assert found is not None
        assert found[:2] == (41, 40)
        (cache,) = w.view._caches._kept.values()
        # The other things of the first one are not read.
        assert cache.prefetch.versions == {2}


def test_a_full_cache_is_continued_with_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with world() as w:
        for number, facts in enumerate(history(11, 20)):
            w.submit("open", f"d{number}", facts)
        for most in (1, 30, 100):
            monkeypatch.setattr(adjacency, "MOST", most)
            w.view._caches.clear()
            same(w, ["urn:t19", "urn:t3", "urn:a12"])


def test_concurrent_traversals_give_the_same_answers() -> None:
    documents, random = history(5, 200), Random(5)
    starts = [f"urn:t{random.randrange(200)}" for _ in range(60)]
    with world() as w:
        for number, facts in enumerate(documents):
            w.submit("open", f"d{number}", facts)
        expected = [summary(w, start, Options(), 1) for start in starts]
        for _ in range(5):
            w.view._caches.clear()
            with ThreadPoolExecutor(6) as pool:
                assert list(pool.map(lambda start: summary(w, start, Options(), 1), starts)) == expected


def test_dropped_rows_are_not_counted() -> None:
    with world() as w:
        w.submit("open", "d", chain(20))
        w.submit("open", "e", [Fact("urn:x", "wasDerivedFrom", "urn:n5")])
        for start in ("urn:n0", "urn:x", "urn:n7"):
            assert summary(w, start, Options(), 1) is not None
        (cache,) = w.view._caches._kept.values()
        assert cache.size > 0
        cache.drop(range(100))
        assert cache.size == 0
        assert not cache.rows
        assert isinstance(cache, RowCache)
