"""What an overview shows: things and relations, independent of PROV documents, pages and SVG."""

from __future__ import annotations

from dataclasses import dataclass

from provrepo.drawing.graph import NodeKind

__all__ = ["GENERATED", "Overview", "Relation", "Responsible", "Thing"]

GENERATED = "wasGeneratedBy"
"""The relation within a family."""


@dataclass(frozen=True, slots=True)
class Responsible:
    """An agent shown on what it is responsible for.

    Attributes:
        id: its identifier.
        label: its name.
        count: the number of statements that this stands for.
    """

    id: str
    label: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Thing:
    """A box of the picture, or a row of one.

    Attributes:
        id: its identifier; of a group a text that is no IRI.
        kind: its shape.
        label: its name for people.
        type: the name of its first type, or empty.
        type_id: the identifier of that type, or empty.
        agents: those responsible for it.
        distance: the number of relations from the start; of a group the smallest.
        count: the number of things that it stands for.
        group: of a group, the key that opens it; empty for one thing.
        plan: the identifier of the plan of an activity, or empty.
        project: the first project that mentions it, or empty.
        documents: where it is asserted, for people.
        href: the address that it links to, or empty.
        hidden: the number of its neighbors that are not shown.
        more: the address that shows them, or empty.
    """

    id: str
    kind: NodeKind
    label: str
    type: str = ""
    type_id: str = ""
    agents: tuple[Responsible, ...] = ()
    distance: int = 0
    count: int = 1
    group: str = ""
    plan: str = ""
    project: str = ""
    documents: tuple[str, ...] = ()
    href: str = ""
    hidden: int = 0
    more: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """An arrow from something newer to something older.

    Attributes:
        subject: identifier of the newer thing.
        name: the relation, such as ``used``.
        object: identifier of the older thing.
        count: the number of statements that it stands for.
        resolved: whether no document asserts it, but it follows.
    """

    subject: str
    name: str
    object: str
    count: int = 1
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """The picture's content.

    Attributes:
        start: identifier of the thing in question.
        things: the nearest first.
        relations: between them.
    """

    start: str
    things: tuple[Thing, ...]
    relations: tuple[Relation, ...]

    @property
    def number(self) -> int:
        """The number of things that the picture stands for, without agents that are badges only."""
        return sum(thing.count for thing in self.things)
