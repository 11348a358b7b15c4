"""The picture of a lineage: each number in it is true, labels stay true when they are cut, and hundreds can be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provrepo.drawing.overview.folding import MOST_OPENED, folded
from provrepo.drawing.overview.labels import FAR, initials, short_labels
from provrepo.drawing.overview.placing import placed
from provrepo.drawing.overview.records import GENERATED, Overview, Relation, Thing
from provrepo.drawing.overview.svg import picture
from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.lineage.walks import Walk
from provrepo.server.lineage.overview import MOST_SHOWN, ShownLineage, shown
from provrepo.server.lineage.page_query import PageQuery
from tests.support.lineages import BULLETIN, HYDRO, deep, outlook
from tests.support.serving import Site, opened

DEEP = "https://deep.example/data79"
ARCHIVE = "https://archive.example/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("outlook", outlook())
        site.submit("chain", deep())
        site.submit("archive", outlook(200, 12, 60).replace(HYDRO.encode(), ARCHIVE.encode()))
        yield site


def drawn(site: Site, iri: str, **parameters: str) -> tuple[LineageGraph, ShownLineage]:
    graph = site.owner.lineage(iri)
    query = PageQuery((("iri", iri),))
    for name, value in parameters.items():
        query = query.adding(name, value)
    return graph, shown(Walk(graph), query, address="/lineage", depth=int(query.get("depth") or 0) or None)


def total(overview: Overview) -> int:
    """The number of statements that arrows, families and badges stand for."""
    badges = sum(agent.count for thing in overview.things for agent in thing.agents)
    return sum(relation.count for relation in overview.relations) + badges


def test_two_hundred_things_are_seen_at_once_with_readable_labels(site: Site) -> None:
    graph, found = drawn(site, BULLETIN)
    assert graph.total_nodes == found.things == 203
    assert found.by == ""
    assert found.svg.count('class="node ') == 199, "agents are badges"
    scale = placed(found.overview, short_labels(found.overview.things)).scale
    assert scale * FAR >= 9


def test_a_deep_lineage_is_cut_into_ribbons(site: Site) -> None:
    _, found = drawn(site, DEEP)
    placement = placed(found.overview, short_labels(found.overview.things))
    assert len(placement.ribbons) > 2
    assert placement.scale * FAR >= 9
    frame = placement.frame
    for box in placement.boxes.values():
        assert frame.x <= box.x
        assert box.x + box.width <= frame.x + frame.width
    boxes = sorted(placement.boxes.values(), key=lambda box: (box.x, box.y))
    for one in boxes:
        for other in boxes:
            apart = (
                one is other
                or one.x + one.width <= other.x + 0.01
                or other.x + other.width <= one.x + 0.01
                or one.y + one.height <= other.y + 0.01
                or other.y + other.height <= one.y + 0.01
            )
            assert apart, (one, other)


@pytest.mark.parametrize("collapse", ["", "type", "plan", "project"])
@pytest.mark.parametrize("iri", [BULLETIN, ARCHIVE + "bulletin.html"])
def test_each_statement_and_each_thing_is_counted_once(site: Site, iri: str, collapse: str) -> None:
    graph, found = drawn(site, iri, **({"collapse": collapse} if collapse else {}))
    assert total(found.overview) == graph.total_edges
    assert found.things == graph.total_nodes
    agents = {agent.id for thing in found.overview.things for agent in thing.agents}
    assert found.overview.number + len(agents) == graph.total_nodes
    if found.by:
        assert len(found.overview.things) <= MOST_SHOWN


def test_a_summary_states_the_numbers_of_what_it_folds(site: Site) -> None:
    """Numbers of groups and of their arrows are those of the document, and the drawing has the same."""
    graph, found = drawn(site, ARCHIVE + "bulletin.html")
    assert found.by == "type"
    types = Counter(type_.rpartition("/")[2] for node in graph.nodes for type_ in node.types)
    labels = [thing.label for thing in found.overview.things if thing.group]
    assert "200× Calibration" in labels
    for thing in found.overview.things:
        if thing.group and thing.kind == "activity":
            assert thing.label == f"{types[thing.type]:,}× {thing.type}"
    assert ">200 used</text>" in found.svg
    assert 'data-count="200"' in found.svg
    arrows = sum(map(int, re.findall(r'<g class="edge .*?data-count="(\d+)"', found.svg)))
    made = [each for each in found.overview.relations if each.name == GENERATED]
    families = sum(map(int, re.findall(r'data-made="n\d+" data-times="(\d+)"', found.svg)))
    families += len(re.findall(r'data-made="n\d+"(?! data-times)', found.svg))
    assert families == sum(each.count for each in made)
    badges = sum(agent.count for thing in found.overview.things for agent in thing.agents)
    assert arrows + families + badges == graph.total_edges


def test_a_group_opens_in_part_and_the_rest_is_counted(site: Site) -> None:
    _, whole = drawn(site, ARCHIVE + "bulletin.html")
    (calibrations,) = [thing for thing in whole.overview.things if thing.label == "200× Calibration"]
    graph, opened_ = drawn(site, ARCHIVE + "bulletin.html", open=calibrations.group)
    single = [thing for thing in opened_.overview.things if thing.type == "Calibration" and not thing.group]
    assert len(single) == MOST_OPENED
    (rest,) = [thing for thing in opened_.overview.things if thing.group == calibrations.group]
    assert (rest.count, rest.label) == (200 - MOST_OPENED, f"{200 - MOST_OPENED} more Calibration")
    assert total(opened_.overview) == graph.total_edges


def test_what_is_beyond_the_steps_is_counted_and_shown_by_a_link(site: Site) -> None:
    graph, found = drawn(site, BULLETIN, depth="4")
    visible = {node.iri for node in graph.nodes if node.distance <= 4}
    beside: dict[str, set[str]] = {}
    for edge in graph.edges:
        if edge.subject in visible and edge.object not in visible:
            beside.setdefault(edge.subject, set()).add(edge.object)
    chips = {thing.id: thing.hidden for thing in found.overview.things if thing.hidden}
    assert chips == {iri: len(others) for iri, others in beside.items()}
    assert found.svg.count('class="chip"') == len(chips)
    first = next(iter(chips))
    _, more = drawn(site, BULLETIN, depth="4", expand=first)
    shown_now = {thing.id for thing in more.overview.things}
    agents = {agent.id for thing in more.overview.things for agent in thing.agents}
    assert shown_now | agents >= visible | beside[first]


def things(*labels: str, type_: str = "T") -> list[Thing]:
    return [Thing(f"urn:{n}", "entity", label, type_, type_) for n, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "short"),
    [
        (
            ("Danube gauge S01 raw.csv", "Inn gauge S02 raw.csv", "Isar gauge S03 raw.csv"),
            ("Danube S01", "Inn S02", "Isar S03"),
        ),
        # A number without its word would be read as a count.
        (("basin 6 gaps filled", "basin 7 gaps filled", "basin 8 gaps filled"), ("basin 6", "basin 7", "basin 8")),
        # At least four characters are left.
        (("run of A", "run of B", "run of C"), ("of A", "of B", "of C")),
        # What a change makes equal stays as it was.
        (("plan.csv", "plan.pdf", "map.csv"), ("plan.csv", "plan.pdf", "map")),
        (("same words", "same words", "same words"), ("same words", "same words", "same words")),
        # Of two, nothing is shared by more than half that tells anything.
        (("draft one", "draft two"), ("draft one", "draft two")),
        (("version 1.2", "version 1.3", "version 1.4"), ("version 1.2", "version 1.3", "version 1.4")),
    ],
)
def test_short_labels_stay_true(labels: tuple[str, ...], short: tuple[str, ...]) -> None:
    assert tuple(short_labels(things(*labels)).values()) == short


def test_where_a_cut_would_make_two_equal_the_middle_is_cut() -> None:
    long = "a very long description of the same thing, part"
    found = list(short_labels(things(f"{long} first", f"{long} second")).values())
    assert len(set(found)) == 2
    assert all("…" in label for label in found)
    assert found[0].endswith("first")


@given(st.lists(st.text(st.sampled_from("ab1 .,x"), min_size=1, max_size=40), min_size=1, max_size=12))
def test_labels_that_differ_differ_when_short(labels: list[str]) -> None:
    given_ = things(*labels)
    short = short_labels(given_)
    for one in given_:
        for other in given_:
            plain = [" ".join(each.label.split()) for each in (one, other)]
            if plain[0] != plain[1] and max(map(len, plain)) < 9:
                assert short[one.id] != short[other.id] or plain[0].strip(" .,") == plain[1].strip(" .,")


@pytest.mark.parametrize(
    ("name", "letters"), [("Ana Kovač", "AK"), ("lin", "LI"), ("jo.okafor", "JO"), ("", "?"), ("x", "X")]
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_loop_within_a_group_is_an_arrow_with_its_number() -> None:
    chain = [Thing(f"urn:{n}", "entity", f"version {n}") for n in range(10)]
    relations = [Relation(f"urn:{n}", "wasDerivedFrom", f"urn:{n + 1}") for n in range(9)]
    found = folded(Overview("urn:0", tuple(chain), tuple(relations)), "type")
    assert [(thing.label, thing.count) for thing in found.things] == [("version 0", 1), ("9× entity", 9)]
    assert sorted(relation.count for relation in found.relations) == [1, 8]
    assert ">8 was derived from</text>" in picture(found, "Lineage").svg


def test_hostile_labels_are_text_of_their_own() -> None:
    evil = replace(things("<script>alert(1)</script> \u202e x")[0], href="/lineage?iri=a&b", type='"><img>')
    svg = picture(Overview("urn:0", (evil,), ()), 'a "name"').svg
    assert "<script" not in svg
    assert "<img" not in svg
    assert "\u202e" not in svg
    assert "iri=a&amp;b" in svg
