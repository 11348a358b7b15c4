"""The drawing layer: rows, crossings, places, routes, and SVG that is safe to show."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provrepo.drawing import crossings
from provrepo.drawing.alignment import IMPLIED, LONG, USUAL, coordinates
from provrepo.drawing.boxes import boxes, joined, links
from provrepo.drawing.graph import Badge, Edge, Graph, Node, NodeGroup
from provrepo.drawing.layering import components, layers, opened
from provrepo.drawing.layout import Layout, PlacedNode, laid_out
from provrepo.drawing.outline import RelationText, outline, sentence
from provrepo.drawing.shapes import boundary, measured
from provrepo.drawing.svg import render
from provrepo.drawing.text import clean, fit, width
from provrepo.drawing.tightening import tightened
from tests.support.sampling import examples
from tests.support.work import bounded

SVG = "{http://www.w3.org/2000/svg}"
EDGES = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)


def group(*edges: str, title: str = "", implied: frozenset[str] = frozenset()) -> NodeGroup:
    """Entities and activities from ``"newer older"``; what begins with ``a`` is an activity."""
    names = dict.fromkeys(name for edge in edges for name in edge.split())
    nodes = [Node(name, "activity" if name.startswith("a") else "entity", name) for name in names]
    return NodeGroup(
        title,
        tuple(nodes),
        tuple(Edge(*edge.split(), kind="used", label="used", implied=edge in implied) for edge in edges),
    )


def places(layout: Layout) -> dict[str, PlacedNode]:
    return {placed.node.id: placed for placed in layout.nodes}


# Text


def test_width_grows_with_the_text_and_the_font() -> None:
    assert width("iiii", 10) < width("aaaa", 10) < width("WWWW", 10) < width("日本日本", 10)
    assert width("ab", 20) == 2 * width("ab", 10)
    assert width("e\u0301", 10) == width("e", 10)


@given(text=st.text(max_size=300), room=st.integers(20, 300))
@settings(max_examples=examples(60), deadline=None)
def test_fitted_text_fits(text: str, room: int) -> None:
    shown = fit(clean(text), 12, room)
    assert width(shown, 12) <= room
    assert shown == clean(text) or "…" in shown


def test_prose_loses_its_end_and_names_their_middle() -> None:
    assert fit("The harvest of the year 2025 in all fields", 12, 120).startswith("The harvest")
    assert fit("The harvest of the year 2025 in all fields", 12, 120).endswith("…")
    shown = fit("sha256-" + "0123456789abcdef" * 8, 12, 120)
    assert shown.startswith("sha256")
    assert shown.endswith("cdef")
    assert "…" in fit("x" * 5_000_000, 12, 120)


@given(st.text())
@example("#\x1b")  # an address of the page itself
@settings(max_examples=examples(60), deadline=None)
def test_cleaned_text_is_valid_xml(text: str) -> None:
    ElementTree.fromstring(render(Graph((NodeGroup(text, (Node(text, "entity", text, text, text, text),), ()),), text)))
    assert not re.search(r"[\x00-\x1f\x7f\u202e\ufffe]", clean(text + "\x00\x1b\u202e\ufffe"))


# Rows


@given(EDGES)
@settings(max_examples=examples(80), deadline=None)
def test_every_edge_leads_down_once_cycles_are_opened(pairs: list[tuple[int, int]]) -> None:
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    turned = opened(15, pairs)
    straight = [(b, a) if back else (a, b) for (a, b), back in zip(pairs, turned, strict=True)]
    rows = layers(15, straight, [1] * len(straight))
    assert all(rows[older] < rows[newer] for older, newer in straight)
    assert min(rows) == 0


def test_nothing_is_turned_around_without_a_cycle_and_one_edge_in_a_ring() -> None:
    assert not any(opened(4, [(0, 1), (1, 2), (0, 2), (2, 3)]))
    assert sum(opened(3, [(0, 1), (1, 2), (2, 0)])) == 1


def test_inputs_stand_near_their_use_and_outputs_near_their_origin() -> None:
    # 0 → 1 → 2 → 3 → 4 is a chain; 5 → 6 is only used by 4; 7 only comes from 0.
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 4), (0, 7)]
    rows = layers(8, pairs, [1] * len(pairs))
    assert rows[:5] == [0, 1, 2, 3, 4]
    assert (rows[5], rows[6], rows[7]) == (2, 3, 1)


def test_components_are_found_in_order() -> None:
    assert components(6, [(4, 1), (2, 5)]) == [[0], [1, 4], [2, 5], [3]]


# Crossings


def _links(rows: list[list[int]], edges: list[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    total = sum(map(len, rows))
    above: list[list[int]] = [[] for _ in range(total)]
    below: list[list[int]] = [[] for _ in range(total)]
    for upper, lower in edges:
        above[lower].append(upper)
        below[upper].append(lower)
    return above, below


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(7, 13)), max_size=25))
@settings(max_examples=examples(60), deadline=None)
def test_crossings_are_counted_as_by_hand(edges: set[tuple[int, int]]) -> None:
    rows = [list(range(7)), list(range(7, 14))]
    _, below = _links(rows, sorted(edges))
    by_hand = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(sorted(edges), 2))
    assert crossings.count(rows, below) == by_hand


def test_a_tangle_without_need_is_untangled() -> None:
    # Two trees, their leaves interleaved, and a ladder in reverse order.
    rows = [[0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]
    edges = [(0, 2), (1, 3), (0, 4), (1, 5), (2, 9), (3, 8), (4, 7), (5, 6)]
    above, below = _links(rows, edges)
    assert crossings.count(rows, below) > 0
    better = crossings.reduce(rows, above, below)
    assert crossings.count(better, below) == 0
    assert [sorted(row) for row in better] == [sorted(row) for row in rows]


# Coordinates


def test_a_long_edge_is_straight_and_what_is_implied_gives_way() -> None:
    # 0 and 1 above, 2 to 4 in the middle (2 and 3 are pieces of long edges), 5 and 6 below.
    rows = [[0, 1], [2, 3, 4], [5, 6]]
    above, _ = _links(rows, [(0, 2), (0, 3), (1, 4), (2, 5), (3, 6), (4, 6)])

    def rank(upper: int, lower: int) -> int:
        return IMPLIED if 2 in (upper, lower) else USUAL

    xs = coordinates(rows, above, rank, lambda a, b: 100.0)
    xs = tightened(rows, above, xs, rank, lambda a, b: 100.0)
    assert xs[0] == xs[3]
    assert all(xs[b] - xs[a] >= 99.99 for row in rows for a, b in pairwise(row))


@given(EDGES, st.randoms(use_true_random=False))
@settings(max_examples=examples(60), deadline=None)
def test_coordinates_keep_order_and_distance(pairs: list[tuple[int, int]], random) -> None:
    rows = [list(range(5)), list(range(5, 10)), list(range(10, 15))]
    edges = sorted({(a, b) for a, b in pairs if b // 5 == a // 5 + 1})
    above, _ = _links(rows, edges)
    ranks = {edge: random.choice([IMPLIED, USUAL, LONG]) for edge in edges}
    gap = [random.randint(10, 90) for _ in range(15)]
    rank, distance = (lambda u, v: ranks[u, v]), (lambda a, b: float(gap[a] + gap[b]))
    aligned = coordinates(rows, above, rank, distance)
    for xs in (aligned, tightened(rows, above, aligned, rank, distance)):
        assert all(xs[b] - xs[a] >= distance(a, b) - 1e-6 for row in rows for a, b in pairwise(row))


# Boxes and shapes


def test_nodes_whose_relations_have_other_words_are_not_stacked_together() -> None:
    names = [f"e{n}" for n in range(12)]
    parts = NodeGroup(
        "",
        tuple(Node(name, "entity", name) for name in (*names, "old")),
        tuple(
            Edge(name, "old", "wasDerivedFrom", "was revision of" if n % 2 else "was derived from")
            for n, name in enumerate(names)
        ),
    )
    joints = joined(parts)
    found = boxes(parts.nodes, [measured(node) for node in parts.nodes], joints)
    assert sorted(len(box.members) for box in found) == [1, 6, 6]
    assert sorted(link.joint.label for link in links(found, joints)) == ["was derived from", "was revision of"]


def test_equals_are_stacked_and_share_one_arrow() -> None:
    parts = group(*(f"e{n} a1" for n in range(12)), *(f"a2 e{n}" for n in range(12)), "a2 other", "a2 one")
    joints = joined(parts)
    found = boxes(parts.nodes, [measured(node) for node in parts.nodes], joints)
    assert sorted(len(box.members) for box in found) == [1, 1, 1, 1, 12]
    assert len(links(found, joints)) == 4
    layout = laid_out(Graph((parts,)))
    assert len(layout.nodes) == 16
    assert len(layout.frames) == 1
    assert layout.width < 900


def test_edges_between_the_same_two_are_one_arrow_with_each_word_once() -> None:
    both = NodeGroup(
        "",
        (Node("a", "activity", "a"), Node("e", "entity", "e")),
        (Edge("a", "e", "used", "used"), Edge("a", "e", "used", "used"), Edge("a", "e", "plan", "had plan")),
    )
    (joint,) = joined(both)
    assert joint.label == "used, had plan"
    assert render(Graph((both,))).count("marker-end") == 1


def test_an_edge_meets_the_outline() -> None:
    for kind in ("entity", "activity", "agent"):
        node = Node("n", kind, "label", "sublabel", badges=(Badge("Ada"),))
        shape = measured(node)
        assert boundary(node, shape, 0, upper=True) == -shape.height / 2
        assert boundary(node, shape, 0, upper=False) == shape.height / 2
    entity = Node("n", "entity", "label")
    assert abs(boundary(entity, measured(entity), measured(entity).width / 2, upper=True)) < 0.01


def test_many_badges_are_counted() -> None:
    shape = measured(Node("n", "activity", "x", badges=tuple(Badge(f"agent {n}") for n in range(9))))
    assert shape.badges == ("agent 0", "agent 1", "and 7 more")


# Layout


def overlapping(layout: Layout) -> list[tuple[str, str]]:
    return [
        (a.node.id, b.node.id)
        for a, b in combinations(layout.nodes, 2)
        if abs(a.x - b.x) < (a.shape.width + b.shape.width) / 2 - 0.01
        and abs(a.y - b.y) < (a.shape.height + b.shape.height) / 2 - 0.01
    ]


@given(EDGES)
@settings(max_examples=examples(50), deadline=None)
def test_nodes_never_overlap_and_stay_on_the_page(pairs: list[tuple[int, int]]) -> None:
    names = [("a" if n % 2 else "e") + str(n) for n in range(15)]
    layout = laid_out(Graph((group(*(f"{names[a]} {names[b]}" for a, b in pairs)),)))
    assert overlapping(layout) == []
    for placed in layout.nodes:
        assert placed.shape.width / 2 <= placed.x <= layout.width - placed.shape.width / 2
        assert placed.shape.height / 2 <= placed.y <= layout.height - placed.shape.height / 2
    for edge in layout.edges:
        assert len(edge.curve) % 3 == 1
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in edge.curve)


def test_older_things_are_at_the_top_and_arrows_end_there() -> None:
    layout = laid_out(Graph((group("e2 a1", "a1 e1", "a3 e2", "a3 e1"),)))
    at = places(layout)
    assert at["e1"].y < at["a1"].y < at["e2"].y < at["a3"].y
    for edge in layout.edges:
        source, target = layout.nodes[edge.joint.source], layout.nodes[edge.joint.target]
        start, end = edge.curve[0], edge.curve[-1]
        assert abs(start[1] - source.y) <= source.shape.height / 2 + 0.01
        assert abs(end[1] - target.y) <= target.shape.height / 2 + 0.01
        assert end[1] < start[1]


def test_a_chain_is_one_vertical_line() -> None:
    layout = laid_out(Graph((group("e2 a1", "a1 e1", "a2 e2", "e3 a2"),)))
    assert len({round(placed.x, 3) for placed in layout.nodes}) == 1


def test_labels_do_not_cover_each_other() -> None:
    layout = laid_out(Graph((group(*(f"a{n} e{m}" for n in range(4) for m in range(4)), "e9 a0"),)))
    spots = [edge.label for edge in layout.edges if edge.label]
    assert len(spots) > 8
    half = width("used", 11) / 2
    for a, b in combinations(spots, 2):
        assert abs(a[0] - b[0]) >= 2 * half or abs(a[1] - b[1]) >= 11


def test_groups_stand_below_each_other_in_frames() -> None:
    layout = laid_out(Graph((group("a1 e1"), group("a1 e1", title="Bundle b1"), group("e5 a7", title="Bundle b2"))))
    first, second = layout.frames
    assert [frame.title for frame in layout.frames] == ["Bundle b1", "Bundle b2"]
    assert first.y + first.height < second.y
    inside = layout.nodes[2]
    assert first.x < inside.x < first.x + first.width
    assert first.y < inside.y < first.y + first.height


def test_cycles_and_self_references_are_drawn() -> None:
    layout = laid_out(Graph((group("e1 e2", "e2 e3", "e3 e1", "e1 e1"),)))
    assert len(layout.edges) == 4
    assert overlapping(layout) == []


def test_edges_to_nowhere_and_empty_graphs_do_no_harm() -> None:
    lone = NodeGroup("", (Node("e", "entity", "e"),), (Edge("e", "missing", "used"),))
    assert laid_out(Graph((lone,))).edges == []
    ElementTree.fromstring(render(Graph(())))
    ElementTree.fromstring(render(Graph((NodeGroup("", (), ()),))))


# Time


def test_depth_and_long_edges_are_no_danger() -> None:
    """A chain of 400 in which everything also uses the beginning, its every tenth thing, and 5,000 isolated nodes."""
    edges = [f"x{n + 1} x{n}" for n in range(400)]
    edges += [f"x{n} x{n % 10}" for n in range(12, 400)]
    with bounded():
        layout = laid_out(Graph((group(*edges),)))
        lone = NodeGroup("", tuple(Node(str(n), "entity", f"thing {n}") for n in range(5_000)), ())
        laid_out(Graph((lone,)))
    assert len(layout.edges) == len(edges)


# SVG


def test_it_is_valid_and_breaks_no_policy() -> None:
    hostile = '"><script>alert(1)</script>'
    node = Node(
        "e", "entity", hostile, hostile, hostile + "\n\x00\ufffe", "javascript:alert(1)", (Badge(hostile, hostile),)
    )
    graph = Graph(
        (NodeGroup(hostile, (node, Node("a", "activity", "run")), (Edge("e", "a", hostile, hostile, hostile),)),),
        hostile,
    )
    text = render(graph)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "defs", "marker", "rect", "g", "path", "ellipse", "text"}
    for element in root.iter():
        assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]
    assert "alert" in "".join(e.text or "" for e in root.iter(f"{SVG}title"))
    assert "<script" not in text
    described = {
        element.get("id") for element in (root.find(f"{SVG}title"), root.find(f"{SVG}desc")) if element is not None
    }
    assert set((root.get("aria-labelledby") or "").split()) == described


@pytest.mark.parametrize(
    ("href", "followed"),
    [
        ("https://example.org/a?b=c&d", True),
        ("/thing?iri=x", True),
        ("javascript:alert(1)", False),
        ("//evil.example/", False),
        ("data:text/html,x", False),
        ("https://example.org/\nx", False),
    ],
)
def test_only_harmless_addresses_are_links(href: str, followed: bool) -> None:
    text = render(Graph((NodeGroup("", (Node("e", "entity", "e", href=href),), ()),)))
    assert ("<a " in text) is followed
    ElementTree.fromstring(text)


def test_what_the_drawing_is_about_has_a_bold_outline_and_an_id_of_its_own() -> None:
    nodes = (Node("a", "activity", "run", href="/a"), Node("e", "entity", "table", marked=True))
    text = render(Graph((NodeGroup("", nodes, (Edge("e", "a", "wasGeneratedBy"),)),)), prefix="p")
    root = ElementTree.fromstring(text)
    (marked,) = [group for group in root.iter(f"{SVG}g") if "prov-marked" in (group.get("class") or "")]
    assert marked.get("id") == "p-marked"
    (outline_,) = marked.iter(f"{SVG}ellipse")
    (other,) = [box for box in root.iter(f"{SVG}rect") if box.get("stroke")]
    assert float(outline_.get("stroke-width") or 0) > 2 * float(other.get("stroke-width") or 0)


def test_a_drawing_with_links_is_no_image() -> None:
    """Nothing inside an image can be reached by a keyboard or a screen reader."""
    plain, linked = Node("e", "entity", "e"), Node("e", "entity", "e", href="/thing?iri=e")
    assert 'role="img"' in render(Graph((NodeGroup("", (plain,), ()),)))
    assert 'role="group"' in render(Graph((NodeGroup("", (linked,), ()),)))


def test_ids_are_distinct_and_begin_with_the_prefix() -> None:
    text = render(Graph((group("a1 e1", "e2 a1"),)), prefix="p7")
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids)) == 6
    assert all(name.startswith("p7-") for name in ids)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) == {"p7-arrow"}


def test_what_is_implied_is_dashed_explained_and_unlabelled() -> None:
    plain = group("e2 a1", "a1 e1", "e2 e1")
    dashed = group("e2 a1", "a1 e1", "e2 e1", implied=frozenset({"e2 e1"}))
    assert "stroke-dasharray" not in render(Graph((plain,)))
    text = render(Graph((dashed,)))
    assert text.count("stroke-dasharray") == 1
    assert text.count("prov-edge-label") == 2
    assert "Dashed arrows" in text


def test_the_same_under_every_hash_seed() -> None:
    code = (
        "from tests.model.test_drawing import group; from provrepo.drawing.graph import Graph;"
        "from provrepo.drawing.svg import render;"
        "edges = [f'a{n} e{n * 7 % 11}' for n in range(30)] + [f'e{n + 1} a{n}' for n in range(9)];"
        "print(render(Graph((group(*edges),))))"
    )
    outputs = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


# In words


def test_the_list_says_what_the_picture_shows() -> None:
    nodes = (Node("a", "activity", "run", badges=(Badge("Ada"),)), Node("e", "entity", "table"))
    graph = Graph((NodeGroup("Bundle b", nodes, (Edge("a", "e", "used", "used"),)),))
    assert outline(graph) == [
        RelationText("run", "used", "table", "Bundle b"),
        RelationText("run", "by", "Ada", "Bundle b"),
    ]
    assert sentence(graph) == (
        "A provenance graph of 1 entity, 1 activity and 1 agent, with 2 relations. Arrows point to the past."
    )
    assert sentence(Graph(())) == "A provenance graph of nothing, with 0 relations. Arrows point to the past."
