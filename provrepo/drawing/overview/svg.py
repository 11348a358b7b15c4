"""An overview as SVG with three sets of words for each thing, of which a style sheet shows one by the scale.

At a distance a thing has its short label; nearer the whole label with its type and agents; nearest also its kind and
where it is asserted. Places never change. There are no style attributes, as a strict content security policy wants it.
Each text is an element of its own, so that its direction does not change how its neighbors are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from provrepo.drawing.arrangement import Point
from provrepo.drawing.markup import coord, escaped, house, tooltip
from provrepo.drawing.overview.labels import FAR, initials, short_labels
from provrepo.drawing.overview.placing import BADGE, ROW, SIDE, Family, Line, Placement, Rect, named, placed
from provrepo.drawing.overview.records import GENERATED, Overview, Relation, Thing
from provrepo.drawing.text import clean, fit, width
from provrepo.words import counted

__all__ = ["OverviewPicture", "class_name", "picture", "relation_words"]

_MID, _MID_NOTE = 5.6, 5.1
_NEAR, _NEAR_NOTE = 3.8, 3.1
"""Font sizes of labels and of the lines below them, at the middle and the nearest distance; as in ``lineage.css``."""

_HEADING = 10.0
_SUM = 8.0
_TOLD = 4
"""Statements that the tooltip of an arrow lists."""
_LONGEST = 200
"""The most characters of a label in a tooltip of several, so that none hides the others."""


class OverviewPicture(NamedTuple):
    """A drawn overview.

    Attributes:
        svg: an ``svg`` element.
        scale: that at which it fits on a page of 1440 × 900 px.
        boxes: the number of families.
    """

    svg: str
    scale: float
    boxes: int


def picture(overview: Overview, name: str) -> OverviewPicture:
    """Draw an overview.

    Args:
        overview: at least one thing.
        name: what it shows, for people who do not see it.
    """
    short = short_labels(overview.things)
    placement = placed(overview, short)
    drawing = _Drawing(overview, short, placement)
    return OverviewPicture("".join(drawing.pieces(name)), placement.scale, len(placement.boxes))


class _Drawing:
    def __init__(self, overview: Overview, short: Mapping[str, str], placement: Placement) -> None:
        self.overview = overview
        self.short = short
        self.placement = placement
        self.number = {thing.id: f"n{index}" for index, thing in enumerate(overview.things, 1)}
        self.things = {thing.id: thing for thing in overview.things}
        self.between: dict[tuple[str, str], list[Relation]] = {}
        self.made: dict[str, Relation] = {}
        home = placement.home
        for relation in overview.relations:
            if relation.name == GENERATED and home[relation.subject] == relation.object:
                self.made[relation.subject] = relation
            else:
                self.between.setdefault((home[relation.subject], home[relation.object]), []).append(relation)

    def pieces(self, name: str) -> Iterator[str]:
        frame = self.placement.frame
        view = " ".join(map(coord, (frame.x, frame.y, frame.width, frame.height)))
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="overview far" role="group" aria-label={_quoted(name)} '
            f'viewBox="{view}" data-flow="{self.placement.flow}"><defs><marker id="tip" viewBox="0 0 10 10" refX="9.5" '
            f'refY="5" markerWidth="6" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path class="tip" d="M0 1 10 5 0 9z"/></marker></defs><g class="edges">'
        )
        for pair, lines in self.placement.lines.items():
            yield self._edge(pair, lines)
        yield "</g>"
        yield from self._headings()
        for id_, family in self.placement.families.items():
            yield from self._family(family, self.placement.boxes[id_])
        for pair, lines in self.placement.lines.items():
            yield self._sum(pair, lines)
        yield "</svg>"

    # Arrows

    def _edge(self, pair: tuple[str, str], lines: Sequence[Line]) -> str:
        relations = self.between[pair]
        classes = list(dict.fromkeys(f"r-{class_name(each.name)}" for each in relations))
        if all(each.resolved for each in relations):
            classes.append("resolved")
        ends = dict.fromkeys(f"{self.number[each.subject]}>{self.number[each.object]}" for each in relations)
        told = [self._told(each) for each in relations[:_TOLD]]
        if len(relations) > _TOLD:
            told.append(f"and {len(relations) - _TOLD:,} more")
        return (
            f'<g class="edge {" ".join(classes)}" data-pairs="{" ".join(ends)}" '
            f'data-count="{sum(each.count for each in relations)}">{tooltip(chr(10).join(told))}'
            f'<path d="{"".join(map(_path, lines))}" marker-end="url(#tip)"/></g>'
        )

    def _told(self, relation: Relation) -> str:
        ends = [_short(clean(self.things[end].label)) for end in (relation.subject, relation.object)]
        words = f" {relation_words(relation.name)} ".join(ends)
        return f"{words} ({counted(relation.count, 'statement')})" if relation.count > 1 else words

    def _sum(self, pair: tuple[str, str], lines: Sequence[Line]) -> str:
        """The number of statements of an arrow that stands for more than it joins things."""
        relations = self.between[pair]
        if all(each.count == 1 for each in relations):
            return ""
        names: Counter[str] = Counter()
        for each in relations:
            names[relation_words(each.name)] += each.count
        text = ", ".join(f"{count:,} {name}" for name, count in names.items())
        x, y = _middle(max(lines, key=lambda line: abs(line[0][0] - line[-1][0]) + abs(line[0][1] - line[-1][1])))
        return f'<text class="sum" x="{coord(x)}" y="{coord(y + _SUM / 3)}">{escaped(text)}</text>'

    # Headings

    def _headings(self) -> Iterator[str]:
        """Type and number of what stands in each column, where it is mostly of one type."""
        if self.placement.flow != "right":
            return
        columns: dict[tuple[float, int], list[str]] = {}
        tops = self.placement.ribbons or (min(box.y for box in self.placement.boxes.values()),)
        for id_, box in self.placement.boxes.items():
            ribbon = max((at for at in tops if at <= box.y + 1), default=tops[0])
            columns.setdefault((ribbon, round(box.x)), []).append(id_)
        for (ribbon, _), ids in columns.items():
            heads = [self.placement.families[id_].head for id_ in ids]
            type_, number = Counter(head.type for head in heads).most_common(1)[0]
            if not type_ or number * 2 <= len(heads) or (len(heads) == number == 1 and heads[0].group):
                continue
            if self.placement.ribbons and number == 1:
                continue
            count = sum(head.count for head in heads if head.type == type_)
            first = self.placement.boxes[min(ids, key=lambda id_: self.placement.boxes[id_].y)]
            y = ribbon - 9
            words = fit(f"{clean(type_)} ×{count:,}" if count > 1 else clean(type_), _HEADING, first.width + 14)
            yield f'<text class="column" x="{coord(first.x)}" y="{coord(y)}">{escaped(words)}</text>'

    # Things

    def _family(self, family: Family, box: Rect) -> Iterator[str]:
        head, rows = family.head, family.rows
        if not rows:
            yield self._thing(head, self._alone(head, box))
            return
        side = family.side
        inner = (
            f'<rect class="back" x="{coord(box.x)}" y="{coord(box.y + 1)}" width="{coord(box.width)}" '
            f'height="{coord(box.height - 2)}" rx="2"/>'
            f'<rect class="shape" x="{coord(box.x)}" y="{coord(box.y + 1.2)}" width="{coord(side)}" '
            f'height="{coord(box.height - 2.4)}"/>'
        )
        yield self._thing(head, inner + self._within_square(family, box))
        left = box.x + side + 2
        for index, row in enumerate(rows):
            middle = box.y + box.height / 2 + (index - (len(rows) - 1) / 2) * ROW
            place = Rect(left, middle - ROW / 2, box.x + box.width - left, ROW)
            yield self._thing(row, _outline(row, place) + self._words(row, place.x + 6, middle, place.width - 9))

    def _alone(self, thing: Thing, box: Rect) -> str:
        middle = box.y + box.height / 2
        badge = BADGE if thing.agents and thing.kind == "activity" else 0.0
        inner = _outline(thing, box) + self._words(thing, box.x + 6 + badge, middle, box.width - 9 - badge)
        return inner + (_badge(thing, box.x + 3, middle) if badge else "")

    def _within_square(self, family: Family, box: Rect) -> str:
        """What the square beside the rows says: initials at a distance, nearer the name or type and the agent."""
        head, middle, x, room = family.head, box.y + box.height / 2, box.x + 2, family.side - 3
        inner = ""
        for level, size, note, label in (
            ("t1", _MID, _MID_NOTE, named(head)),
            ("t2", _NEAR, _NEAR_NOTE, head.label),
        ):
            lift = 0.0 if head.agents else size * 0.35
            shown = escaped(fit(clean(label), size, room))
            inner += f'<text class="{level}" x="{coord(x)}" y="{coord(middle - 1 + lift)}">{shown}</text>'
            if head.agents:
                base = middle + note + 0.2
                roof = house(x, base - note * 0.75, note * 0.8, note * 0.8, note * 0.3)
                inner += (
                    f'<path class="agent {level}" d="{roof}"/><text class="{level} q" x="{coord(x + note)}" '
                    f'y="{coord(base)}">{escaped(fit(_agents(head), note, room - note))}</text>'
                )
        badge = 0.0
        if head.agents:
            badge = BADGE
            inner += _badge(head, box.x + (2 if family.roomy else (family.side - 19) / 2), middle, "t0")
        if family.roomy:
            shown = escaped(fit(clean(named(head)), SIDE, family.side - badge - 5))
            across, down = coord(box.x + badge + 4), coord(middle + SIDE * 0.35)
            inner += f'<text class="t0 within" x="{across}" y="{down}">{shown}</text>'
        return inner

    def _words(self, thing: Thing, x: float, middle: float, room: float) -> str:
        """The three sets of words beside each other."""
        label, far = clean(thing.label), self.short[thing.id]
        badge = BADGE - 2 if thing.agents and thing.kind != "activity" else 0.0
        if badge and width(far, FAR) + badge > room + 3:
            badge = 0.0
        stands = f"{counted(thing.count, 'thing')}; opens" if thing.group else ""
        note = stands or clean(thing.type)
        if thing.agents:
            note = " · ".join(part for part in (note, _agents(thing)) if part)
        kind = stands or f"{thing.kind} · {clean(thing.type)}".rstrip(" ·")
        where = ", ".join(thing.documents) or _agents(thing)
        lines = [
            ("t0", FAR, middle + 3.6, far, room + 6),
            ("t1", _MID, middle + (-0.8 if note else 2.0), label, room + 2),
            ("t1 q", _MID_NOTE, middle + 4.9, note, room + 2),
            ("t2", _NEAR, middle + (-2.2 if where else -0.6), label, room),
            ("t2 q", _NEAR_NOTE, middle + (1.4 if where else 3.4), kind, room + 2),
            ("t2 q", _NEAR_NOTE, middle + 4.9, where, room + 1),
        ]
        return "".join(
            f'<text class="{level}" x="{coord(x)}" y="{coord(y)}">'
            f"{escaped(text if level == 't0' else fit(text, size, most))}</text>"
            for level, size, y, text, most in lines
            if text
        )

    def _thing(self, thing: Thing, inner: str) -> str:
        classes = ["node", thing.kind]
        classes += [name for name, true in (("focus", thing.id == self.overview.start), ("group", thing.group)) if true]
        agents = ", ".join(clean(agent.label) for agent in thing.agents)
        named = [clean(thing.label), thing.kind, clean(thing.type) if not thing.group else "opens"]
        title = ", ".join(part for part in named if part) + (f", by {agents}" if agents else "")
        data = {"type": clean(thing.type), "label": clean(thing.label), "by": agents, "steps": str(thing.distance)}
        data["id" if thing.group else "iri"] = thing.id
        if thing.id in self.made:
            made = self.made[thing.id]
            data["made"] = self.number[made.object]
            if made.count > 1:
                data["times"] = str(made.count)
        if thing.count > 1:
            data["count"] = str(thing.count)
        written = "".join(f" data-{key}={quoteattr(value)}" for key, value in data.items() if value)
        link = f" href={_quoted(thing.href)}" if thing.href else ""
        chip = self._chip(thing) if thing.hidden else ""
        opening = f'<a class="{" ".join(classes)}" id="{self.number[thing.id]}"{link}{written}>'
        return f"{opening}{tooltip(title)}{inner}</a>{chip}"

    def _chip(self, thing: Thing) -> str:
        """``+n`` beside a thing whose neighbors are not all shown."""
        box = self.placement.boxes[self.placement.home[thing.id]]
        family = self.placement.families[self.placement.home[thing.id]]
        row = next((index for index, each in enumerate(family.rows) if each.id == thing.id), None)
        middle = box.y + box.height / 2
        right = row is not None
        if row is not None:
            middle += (row - (len(family.rows) - 1) / 2) * ROW
        words = f"+{thing.hidden:,}"
        size = max(15.0, width(words, 8.0) + 6)
        x = box.x + box.width + 1 if right else box.x - size - 1
        title = f"{thing.hidden:,} more beside {clean(thing.label)}: show them"
        return (
            f'<a class="chip" href={_quoted(thing.more)} data-of="{self.number[thing.id]}">{tooltip(title)}'
            f'<rect x="{coord(x)}" y="{coord(middle - 5.5)}" width="{coord(size)}" height="11" rx="5.5"/>'
            f'<text x="{coord(x + size / 2)}" y="{coord(middle + 2.9)}">{words}</text></a>'
        )


def _agents(thing: Thing) -> str:
    names = [clean(agent.label) for agent in thing.agents]
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _outline(thing: Thing, box: Rect) -> str:
    top, height = box.y + 1.2, box.height - 2.4
    if thing.kind == "agent":
        return f'<path class="shape" d="{house(box.x, top, box.width, height, 4)}"/>'
    corner = ' rx="7"' if thing.kind == "entity" else ""
    return (
        f'<rect class="shape" x="{coord(box.x)}" y="{coord(top)}" width="{coord(box.width)}" '
        f'height="{coord(height)}"{corner}/>'
    )


def _badge(thing: Thing, x: float, middle: float, level: str = "") -> str:
    """A house with initials; ``+`` stands for further agents."""
    more = "+" if len(thing.agents) > 1 else ""
    names = f"agent {level}".strip(), f"initials {level}".strip()
    return (
        f'<path class="{names[0]}" d="{house(x, middle - 6.4, 19, 12.4, 4.4)}"/>'
        f'<text class="{names[1]}" x="{coord(x + 9.5)}" y="{coord(middle + 4.4)}">'
        f"{escaped(initials(thing.agents[0].label) + more)}</text>"
    )


def _path(line: Line) -> str:
    (x, y), *rest = line
    path = f"M{coord(x)} {coord(y)}"
    for index in range(0, len(rest) - 2, 3):
        path += "C" + " ".join(f"{coord(px)} {coord(py)}" for px, py in rest[index : index + 3])
    return path


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _middle(line: Line) -> Point:
    """A point near the beginning of a curve, where few others are: the middle of its longest segment."""
    segments = [line[index : index + 4] for index in range(0, len(line) - 3, 3)]
    a, b, c, d = max(segments, key=lambda part: abs(part[0][0] - part[3][0]) + abs(part[0][1] - part[3][1]))
    return (a[0] + 3 * b[0] + 3 * c[0] + d[0]) / 8, (a[1] + 3 * b[1] + 3 * c[1] + d[1]) / 8


def relation_words(name: str) -> str:
    """A relation in words: ``wasGeneratedBy`` is "was generated by"."""
    name, _, more = name.partition(":")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return f"{words} ({more})" if more else words


def class_name(relation: str) -> str:
    """A relation as part of a class name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", relation)


def _quoted(value: str) -> str:
    return quoteattr(clean(value))
