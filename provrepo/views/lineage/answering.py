"""Answers of the lineage index: traversals of a snapshot, with the records of what they found."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from provrepo.codecs.collector import collection_paused
from provrepo.codecs.provo.terms import BASE_CLASS
from provrepo.model.statements import ENTITY
from provrepo.views.lineage.adjacency import Adjacency
from provrepo.views.lineage.rules import RESOLVED
from provrepo.views.lineage.scopes import RowCaches
from provrepo.views.lineage.snapshot import Key, Snapshot, Source, Thing
from provrepo.views.lineage.states import Options
from provrepo.views.lineage.traversal import Found, Traversal, merged, reported_edges
from provrepo.workers.callers import client_gone

__all__ = ["Answer", "Reader", "first_nodes"]


class Answer(NamedTuple):
    """The result of ``traverse``.

    Attributes:
        walk: nodes and edges.
        things: the records of the first nodes, by distance and name.
        sources: the versions of the edges, by number.
        roots: the names of all roots, also beyond the limit, sorted.
        resolved: for edges that are resolutions, when the dataset was read, and when the version was written.
        contents: for roots that are versions of content, the names of that content.
    """

    walk: Found
    things: dict[int, Thing]
    sources: dict[int, Source]
    roots: tuple[str, ...] = ()
    resolved: Mapping[Key, tuple[int, int]] = MappingProxyType({})
    contents: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reader:
    """One query: a snapshot of the index, and the row caches that belong to it."""

    snapshot: Snapshot
    caches: RowCaches
    audience: Hashable
    generation: int
    deadline: float | None
    stack: ExitStack

    def adjacency(self, options: Options) -> Adjacency:
        """The adjacency for traversals with some options."""
        key = (self.audience, replace(options, depth=None, to=None))
        cache = self.stack.enter_context(self.caches.using(key, self.generation, self.snapshot))
        return Adjacency(cache, self.snapshot, options, self.deadline)

    def traverse(self, start: int, options: Options) -> Traversal:
        """Traverse from a node."""
        return Traversal(start, self.adjacency(options), self.snapshot, options)

    def answer(self, iri: str, walks: Sequence[Options], to: str | None, limit: int) -> Answer | None:
        """The answer for one thing; see ``provrepo.views.lineage.index.Lineage.traverse``."""
        snapshot, start = self.snapshot, self.snapshot.known(iri)
        end = None if to is None else snapshot.known(to)
        if start is None or (to is not None and end is None):
            return None
        traversals = [self.traverse(start, replace(options, to=end)) for options in walks]
        walk = merged(traversals, limit)
        entities = snapshot.of_type(walk.roots, [BASE_CLASS[ENTITY]])
        walk.roots = [root for root in walk.roots if root in entities]
        first, known = first_nodes(snapshot, walk.nodes, limit)
        with collection_paused():
            walk.edges = reported_edges(traversals, snapshot, first)
            things = snapshot.things(first, known)
        versions = sorted({version for sources in walk.edges.values() for version, _ in sources})
        names = snapshot.names(walk.roots)
        roots = tuple(sorted(names.values()))
        reads = [subject for subject, rule, _ in walk.edges if rule == RESOLVED]
        resolved = {each.key: (each.read_at, each.written_at) for each in snapshot.resolutions(reads)}
        sources, contents = snapshot.sources(versions), self._contents(names)
        return Answer(walk, things, sources, roots, resolved, contents)

    def _contents(self, names: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
        """The names of the content of some entities."""
        pairs = [(subject, upper) for subject, _, upper, _ in self.snapshot.contents(list(names))]
        of_content = self.snapshot.names(list({upper for _, upper in pairs}))
        found: dict[str, tuple[str, ...]] = {}
        for subject, upper in pairs:
            found[names[subject]] = (*found.get(names[subject], ()), of_content[upper])
        return found

    def late(self) -> bool:
        """Whether the deadline has passed, or the client is gone."""
        return client_gone() or (self.deadline is not None and time.monotonic() > self.deadline)


def first_nodes(snapshot: Snapshot, ranks: Mapping[int, object], limit: int) -> tuple[list[int], dict[int, str]]:
    """The first nodes by rank and name, and names of nodes; ``ranks`` is in the order of ranks."""
    groups: list[list[int]] = []
    found = 0
    for _, group in groupby(ranks.items(), key=itemgetter(1)):
        groups.append([node for node, _ in group])
        found += len(groups[-1])
        if found >= limit:
            break
    ordered = [node for group in groups for node in group]
    names = snapshot.names(ordered)
    return [node for group in groups for node in sorted(group, key=names.__getitem__)][:limit], names
