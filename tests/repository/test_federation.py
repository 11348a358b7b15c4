"""Generated federations: a lineage across repositories is that of one repository with all documents."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import fields

import pytest

from provrepo.repository.federation.lineage import lineage_of
from provrepo.repository.federation.records import FederatedLineage
from provrepo.repository.federation.walk import Budget
from provrepo.repository.lineage.query import LineageQuery
from tests.support.federations import NAMES, World, asked, asserted, comparable, federation, parts, query
from tests.support.sampling import numbers, rounds

FEDERATIONS = numbers(1_000, ci=250, few=40)
SOME = rounds(60, ci=60, few=15)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("federations"), [federation(number) for number in FEDERATIONS])
    yield world
    world.close()


@pytest.fixture(autouse=True)
def up(world: World) -> None:
    for client in world.clients.values():
        client.answers, client.asked = None, 0


def across(world: World, question: LineageQuery, budget: Budget | None = None) -> FederatedLineage:
    return lineage_of(question, world.clients.values(), budget or Budget(time.monotonic() + 600))


def together(world: World, question: LineageQuery) -> object:
    values = {each.name: getattr(question, each.name) for each in fields(question)}
    return world.merged.lineage(values.pop("iri"), **values)


def test_the_answer_is_that_of_one_repository_with_all_documents(world: World) -> None:
    sizes, crossed = [], 0
    for each in world.federations:
        question = query(each)
        expected = asked(lambda question=question: together(world, question))
        found = asked(lambda question=question: across(world, question))
        assert comparable(found) == comparable(expected), (each.number, question)
        if isinstance(found, FederatedLineage):
            assert found.complete, each.number
            sizes.append(found.total_nodes)
            crossed += len({source.laboratory for edge in found.edges for source in edge.sources}) > 1
    # Small answers show little.
    assert sum(sizes) > 3 * len(world.federations)
    assert crossed > len(world.federations) / 4


def test_what_may_be_missing_is_always_declared(world: World) -> None:
    differed = 0
    for each in world.federations:
        chance, question = random.Random(each.number + 7), query(each)
        down = set(chance.sample(NAMES[1:], chance.randrange(1, 4)))
        after = chance.choice([0, 0, 1, 2])
        for name, client in world.clients.items():
            client.asked, client.answers = 0, after if name in down else None
        found = asked(lambda question=question: across(world, question))
        failed = {name for name in down if world.clients[name].asked > after}
        expected = asked(lambda question=question: together(world, question))
        if found is None:
            differed += expected is not None
            continue
        assert expected is not None
        assert found.complete == (not failed), (each.number, question)
        assert {missing.laboratory for missing in found.missing} == failed
        assert {report.name for report in found.laboratories if report.state == "unreachable"} == failed
        assert all(missing.things and missing.total for missing in found.missing)
        differed += comparable(found) != comparable(expected)
        # Without the types and times that others assert, a path may be longer; but nothing is invented.
        assert parts(found) <= asserted(each)
    assert differed > len(world.federations) / 4


@pytest.mark.parametrize("budget", [{"things": 4}, {"requests": 2}, {"deadline": 0.0}])
def test_a_limit_that_was_reached_is_declared(world: World, budget: dict[str, float]) -> None:
    reached = 0
    for each in world.federations[:SOME]:
        question = query(each)
        found = asked(
            lambda question=question: across(world, question, Budget(**{"deadline": time.monotonic() + 600, **budget}))
        )
        expected = asked(lambda question=question: together(world, question))
        if found is not None and comparable(found) != comparable(expected):
            assert not found.complete, each.number
            assert any(word in missing.reason for missing in found.missing for word in ("limit of", "no time left")), (
                found.missing
            )
            reached += 1
    assert reached > 2 or "deadline" in budget


def test_a_thing_with_too_many_relations_is_declared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.views.lineage.surroundings.MOST_RELATIONS", 2)
    declared = 0
    for each in world.federations[:SOME]:
        question = query(each)
        found = asked(lambda question=question: across(world, question))
        expected = asked(lambda question=question: together(world, question))
        if comparable(found) != comparable(expected):
            assert found is not None
            assert not found.complete
            assert {missing.reason for missing in found.missing} == {"it has more relations than one answer has"}
            declared += 1
    assert declared > 2


@pytest.mark.parametrize("limit", [1, 3])
def test_short_answers_are_continued(world: World, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer says of each thing how far it was followed; what is left is asked for in the next round."""
    monkeypatch.setattr("provrepo.repository.federation.walk.SURROUNDING_THINGS", limit)
    monkeypatch.setattr("provrepo.repository.federation.walk.MOST_ASKED", limit)
    monkeypatch.setattr("provrepo.views.lineage.surroundings._PART", 1)
    for each in world.federations[:SOME]:
        question = query(each)
        found = asked(lambda question=question: across(world, question))
        expected = asked(lambda question=question: together(world, question))
        assert comparable(found) == comparable(expected), (each.number, question)
