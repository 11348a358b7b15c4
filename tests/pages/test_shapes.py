"""Two hundred things of several shapes are seen at once on a page of 1440 × 900 px, with readable and true labels."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from provrepo.drawing.overview.labels import FAR, short_labels
from provrepo.drawing.overview.placing import Rect, placed
from provrepo.drawing.overview.records import Overview, Relation, Thing
from provrepo.drawing.overview.svg import picture
from provrepo.drawing.text import ELLIPSIS

MANY = 200


class Graph:
    def __init__(self) -> None:
        self.things: list[Thing] = []
        self.relations: list[Relation] = []

    def entity(self, name: str, type_: str = "Data") -> str:
        self.things.append(Thing(name, "entity", name, type_, type_))
        return name

    def activity(self, name: str, type_: str = "Step") -> str:
        self.things.append(Thing(name, "activity", name, type_, type_))
        return name

    def join(self, newer: str, relation: str, older: str) -> None:
        self.relations.append(Relation(newer, relation, older))


def chain(graph: Graph) -> None:
    names = [graph.entity(f"draft {n}") for n in range(MANY)]
    for newer, older in pairwise(names):
        graph.join(newer, "wasDerivedFrom", older)


def fan(graph: Graph) -> None:
    hub = graph.entity("index")
    for n in range(MANY - 1):
        graph.join(hub, "wasDerivedFrom", graph.entity(f"page {n}"))


def families(graph: Graph) -> None:
    result, merge = graph.entity("map of all stations"), graph.activity("merge")
    graph.join(result, "wasGeneratedBy", merge)
    for n in range((MANY - 2) // 3):
        raw, step = graph.entity(f"station {n} raw.csv", "Raw"), graph.activity(f"calibrate station {n}")
        series = graph.entity(f"station {n} calibrated.csv", "Series")
        graph.join(step, "used", raw)
        graph.join(series, "wasGeneratedBy", step)
        graph.join(merge, "used", series)


def layered(graph: Graph) -> None:
    chance, before = random.Random(3), list[str]()
    for layer in range(5):
        names = [graph.entity(f"value {layer}.{n}", f"Level {layer}") for n in range(MANY // 5)]
        for name in names:
            for older in chance.sample(before, min(len(before), 2)):
                graph.join(name, "wasDerivedFrom", older)
        before = names
    graph.things.reverse()


def tree(graph: Graph) -> None:
    for n in range(MANY):
        graph.entity(f"part {n}")
        if n:
            graph.join(f"part {(n - 1) // 2}", "wasDerivedFrom", f"part {n}")


def wide_step(graph: Graph) -> None:
    step = graph.activity("the run")
    for n in range(MANY // 2):
        graph.join(step, "used", graph.entity(f"input {n}.csv", "Input"))
        graph.join(graph.entity(f"output {n}.csv", "Output"), "wasGeneratedBy", step)


SHAPES = [chain, fan, families, layered, tree, wide_step]


def apart(one: Rect, other: Rect) -> bool:
    return (
        one.x + one.width <= other.x + 0.01
        or other.x + other.width <= one.x + 0.01
        or one.y + one.height <= other.y + 0.01
        or other.y + other.height <= one.y + 0.01
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_two_hundred_things_are_readable_and_apart(shape: Callable[[Graph], None]) -> None:
    graph = Graph()
    shape(graph)
    overview = Overview(graph.things[0].id, tuple(graph.things), tuple(graph.relations))
    short = short_labels(overview.things)
    placement = placed(overview, short)
    assert placement.scale * FAR >= 9
    frame, boxes = placement.frame, list(placement.boxes.values())
    for place, one in enumerate(boxes):
        assert frame.x <= one.x
        assert one.x + one.width <= frame.x + frame.width
        assert frame.y <= one.y
        assert one.y + one.height <= frame.y + frame.height
        assert all(apart(one, other) for other in boxes[place + 1 :])
    # Each arrow ends beside what it points to.
    for (_, older), lines in placement.lines.items():
        x, y = lines[-1][-1]
        box = placement.boxes[older]
        assert box.x - 1 <= x <= box.x + box.width + 1
        assert box.y - 1 <= y <= box.y + box.height + 1
    svg = picture(overview, "Lineage").svg
    assert svg.count('class="node ') == len(overview.things)
    assert sum(map(int, re.findall(r'data-count="(\d+)"', svg))) + svg.count("data-made=") == len(overview.relations)


@pytest.mark.parametrize("shape", SHAPES)
def test_short_labels_are_words_of_the_label_and_tell_things_apart(shape: Callable[[Graph], None]) -> None:
    graph = Graph()
    shape(graph)
    short = short_labels(graph.things)
    seen = Counter((thing.kind, thing.type_id, short[thing.id]) for thing in graph.things)
    assert set(seen.values()) == {1}
    for thing in graph.things:
        whole = thing.label.rpartition(".csv")[0] or thing.label
        for word in short[thing.id].replace(ELLIPSIS, " ").split():
            assert word in whole
