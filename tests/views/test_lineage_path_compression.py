"""Traversals with path compression give the same answers as without it, on histories with long paths."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.views.lineage import adjacency, path_compression, prefetch
from provrepo.views.lineage.adjacency import RowCache
from provrepo.views.lineage.index import Answer
from provrepo.views.lineage.path_compression import CacheFull, Chains
from provrepo.views.lineage.traversal import Options
from provrepo.vocab import PROV
from tests.support.lineage_oracle import Fact
from tests.views.test_lineage_index import ALL, World, chain, world

MODES = [
    Options(),
    Options(upstream=False),
    Options(alternates=True),
    Options(stop=frozenset({f"{PROV}Activity"})),
    Options(relations=frozenset({"wasGeneratedBy", "used", "specializationOf"})),
]


@contextmanager
def by_levels() -> Iterator[None]:
    with mock.patch.object(Chains, "closure", side_effect=CacheFull):
        yield


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
    return distances, set(answer.walk.edges)


def same(w: World, nodes: Sequence[str]) -> None:
    for options in MODES:
        for node in nodes:
            found = [summary(w, node, options, limit) for limit in (ALL, 3)]
            with by_levels():
                assert found == [summary(w, node, options, limit) for limit in (ALL, 3)]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(5, 40))
def test_chains_give_the_same_answers_as_levels(seed: int, size: int) -> None:
    random, documents = Random(seed), history(seed, size)
    names = [f"urn:{what}{random.randrange(size)}" for what in "tta" * 3]
    names += [f"ni:///sha-256;{random.randrange(size)}", "urn:logical0", "urn:g1"]
    with world() as w:
        for number, facts in enumerate(documents):
            w.submit("open", f"d{number}", facts)
        same(w, names)
        # Some cached chains are dropped: a document changes its assertions, another one repeats or extends them.
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


def test_a_path_without_branches_is_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    # Most states are needed, so the chains of all states are computed.
    monkeypatch.setattr(prefetch, "_MANY", 0)
    with world() as w:
        w.submit("open", "d", chain(50))
        w.submit("open", "e", [Fact("urn:x", "wasDerivedFrom", "urn:n30"), Fact("urn:x", "wasDerivedFrom", "urn:n45")])
        assert summary(w, "urn:n10", Options(), 1) is not None
        # The first state belongs to no other chain, and the last one is a head.
        assert lengths(w) == [39]
        # The start does not change the cached chains.
        assert summary(w, "urn:n20", Options(), 1) is not None
        assert lengths(w) == [39]
        assert summary(w, "urn:x", Options(), 1) is not None
        assert sorted(lengths(w)) == [5, 15, 19]
        same(w, ["urn:x", "urn:n10", "urn:n29", "urn:n44", "urn:n45", "urn:n50"])


def lengths(w: World) -> list[int]:
    (cache,) = w.view._caches._kept.values()
    return [len(states) for states in cache.chains._states if states]


def test_versions_and_their_bytes_are_heads_until_something_follows() -> None:
    facts = chain(9) + [Fact(f"urn:n{n}", "specializationOf", f"ni:///sha-256;{n}") for n in range(10)]
    facts += [Fact(f"urn:n{n}", "specializationOf", "urn:logical") for n in range(10)]
    with world() as w:
        w.submit("open", "d", facts)
        assert summary(w, "urn:n0", Options(), 1) == (21, 29, ("urn:n9",), ({"urn:n0": 0}, set()))
        # The start's content leads back to the start, which is one of its versions.
        assert sorted(lengths(w)) == [2, 9]
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


def test_a_cycle_into_its_own_chain() -> None:
    with world() as w:
        w.submit(
            "open",
            "d",
            [*chain(9), Fact("urn:n9", "wasDerivedFrom", "urn:n2"), Fact("urn:q", "wasDerivedFrom", "urn:n0")],
        )
        same(w, ["urn:q", "urn:n5", "urn:n2", "urn:n1", "urn:n9"])


def test_chains_have_a_maximal_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_compression, "_LONGEST", 7)
    with world() as w:
        w.submit("open", "d", chain(30))
        assert summary(w, "urn:n0", Options(), 1) == (31, 30, ("urn:n30",), ({"urn:n0": 0}, set()))
        assert max(lengths(w)) == 7


def test_large_versions_are_read_when_much_of_them_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_SMALL", 10)
    with world() as w:
        w.submit("open", "d", chain(60))
        looked: list[int] = []
        take = adjacency.Adjacency._read

        def counted(rows: adjacency.Adjacency, states: list[int]) -> None:
            looked.append(len(states))
            take(rows, states)

        with mock.patch.object(adjacency.Adjacency, "_read", counted):
            assert summary(w, "urn:n0", Options(), 1) is not None
        # A third of its rows are read one by one, and then the rest at once.
        assert len(looked) <= 25
        assert max(looked) >= 35


def test_a_large_version_is_not_read_for_rows_of_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_SMALL", 50)
    with world() as w:
        w.submit("open", "d", [Fact(f"urn:n{n}", "wasDerivedFrom", f"urn:p{n}") for n in range(60)])
        w.submit("open", "e", [Fact(f"urn:m{n}", "wasDerivedFrom", f"urn:q{n}") for n in range(60)])
        needed = [*[f"urn:n{n}" for n in range(50)], "urn:m0"]
        w.submit("open", "f", [Fact("urn:x", "wasDerivedFrom", thing) for thing in needed])
        found = summary(w, "urn:x", Options(), 1)
        assert found is not None
        assert found[:2] == (103, 102)
        (cache,) = w.view._caches._kept.values()
        assert (cache.prefetch.versions, cache.prefetch.needed_things) == ({1}, {1: 50, 2: 1, 3: 1})


@pytest.mark.parametrize(("most", "complete"), [(1_000, True), (100, False)])
def test_all_is_read_where_a_third_was_needed_and_there_is_room(
    monkeypatch: pytest.MonkeyPatch, most: int, complete: bool
) -> None:
    monkeypatch.setattr(adjacency, "MOST", most)
    with world() as w:
        for number in range(12):
            w.submit("open", f"d{number}", [Fact(f"urn:n{number}", "wasDerivedFrom", f"urn:n{number + 1}")])
        for number in range(12, 14):
            w.submit(
                "open", f"d{number}", [Fact(f"urn:m{number}-{n}", "wasDerivedFrom", f"urn:l{n}") for n in range(9)]
            )
        assert summary(w, "urn:n2", Options(), 1) == (11, 10, ("urn:n12",), ({"urn:n2": 0}, set()))
        (cache,) = w.view._caches._kept.values()
        assert cache.prefetch.complete is complete
        assert (len(cache.prefetch.versions) == 14) is complete
        same(w, ["urn:n0", "urn:m12-1", "urn:l3"])


def test_concurrent_traversals_give_the_same_answers() -> None:
    documents, random = history(5, 200), Random(5)
    starts = [f"urn:t{random.randrange(200)}" for _ in range(60)]
    with world() as w:
        for number, facts in enumerate(documents):
            w.submit("open", f"d{number}", facts)
        with by_levels():
            expected = [summary(w, start, Options(), 1) for start in starts]
        for _ in range(5):
            w.view._caches.clear()
            with ThreadPoolExecutor(6) as pool:
                assert list(pool.map(lambda start: summary(w, start, Options(), 1), starts)) == expected


def test_a_traversal_finds_all_of_a_chain_that_is_split_meanwhile() -> None:
    """Between two levels of a traversal, another one splits a chain that the first has passed."""
    with world() as w:
        w.submit("open", "d", [*chain(9), *[Fact("urn:n9", "wasDerivedFrom", f"urn:m{n}") for n in range(3)]])
        w.submit("open", "e", [Fact("urn:x", "wasDerivedFrom", "urn:n4"), Fact("urn:x", "wasDerivedFrom", "urn:n6")])
        w.submit("open", "f", [Fact("urn:y", "wasDerivedFrom", "urn:n0"), Fact("urn:y", "wasDerivedFrom", "urn:m0")])
        with by_levels():
            expected = summary(w, "urn:y", Options(), 1)
        assert summary(w, "urn:n1", Options(), 1) is not None
        linked, between = Chains._linked, threading.Event()

        def interrupted(chains: Chains, numbers: set[int], rows: adjacency.Adjacency) -> set[int]:
            found = linked(chains, numbers, rows)
            if not between.is_set():
                between.set()
                assert summary(w, "urn:x", Options(), 1) is not None
            return found

        with mock.patch.object(Chains, "_linked", interrupted):
            assert summary(w, "urn:y", Options(), 1) == expected
        assert summary(w, "urn:y", Options(), 1) == expected


def test_a_chain_keeps_its_heads_when_it_is_split_beside_dropped_rows() -> None:
    facts = [*chain(9), *[Fact("urn:n9", "wasDerivedFrom", f"urn:m{n}") for n in range(2)]]
    facts += [Fact(f"urn:m{n}", "wasDerivedFrom", f"urn:l{n}") for n in range(2)]
    facts.append(Fact("urn:n9", "wasAttributedTo", "urn:agent"))
    with world() as w:
        w.submit("open", "d", facts)
        w.submit("open", "e", [Fact("urn:x", "wasDerivedFrom", "urn:n5"), Fact("urn:x", "wasDerivedFrom", "urn:n7")])
        assert summary(w, "urn:n0", Options(), 1) is not None
        w.submit("open", "f", [Fact("urn:y", "wasDerivedFrom", "urn:m0")])
        same(w, ["urn:x"])
        assert summary(w, "urn:x", Options(), 1) == (11, 11, ("urn:l0", "urn:l1"), ({"urn:x": 0}, set()))


def test_dropped_rows_are_not_counted() -> None:
    with world() as w:
        w.submit("open", "d", chain(20))
        w.submit("open", "e", [Fact("urn:x", "wasDerivedFrom", "urn:n5")])
        for start in ("urn:n0", "urn:x", "urn:n7"):
            assert summary(w, start, Options(), 1) is not None
        (cache,) = w.view._caches._kept.values()
        assert cache.chains.size > 0
        cache.drop(range(100))
        assert cache.size == 0
        assert not cache.chains._inside
        assert isinstance(cache, RowCache)
