"""What the catalogue of a store has recorded: positions, and the graphs of versions."""

from __future__ import annotations

import pyoxigraph as ox

from provrepo.codecs.results import value_of
from provrepo.model.identifiers import Identifier, Value
from provrepo.views.sparql.catalog import CURRENT, GRAPH, POSITION, Catalogue
from provrepo.views.view import Change

__all__ = ["Recorded"]


class Recorded:
    """Reads the catalogue of the stores of one view."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Read by the names of a catalogue."""
        self._catalogue = catalogue
        self._graph = ox.NamedNode(catalogue.graph)

    def position(self, store: ox.Store, project: str) -> int:
        """The sequence number of the last entry of a project that was applied; 0 before the first."""
        found = self.values(store, self._catalogue.minter.project(project), POSITION)
        return int(str(found[0])) if found else 0

    def values(self, store: ox.Store, subject: Identifier, predicate: Identifier) -> list[Value]:
        """The values of a property in the catalogue."""
        pattern = store.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, self._graph)
        return [value_of(quad.object) for quad in pattern]

    def subjects(self, store: ox.Store, predicate: Identifier, value: Identifier) -> list[Identifier]:
        """The subjects that have a value, sorted."""
        pattern = store.quads_for_pattern(None, ox.NamedNode(predicate), ox.NamedNode(value), self._graph)
        return sorted(Identifier(quad.subject.value) for quad in pattern if isinstance(quad.subject, ox.NamedNode))

    def graphs_of(self, store: ox.Store, version: Identifier) -> list[Identifier]:
        """The graphs of a version, sorted."""
        return sorted(value for value in self.values(store, version, GRAPH) if isinstance(value, Identifier))

    def graphs_to_remove(self, store: ox.Store, change: Change) -> dict[Identifier, list[Identifier]]:
        """The graphs that an entry removes from the dataset, by version.

        They are those of the current version. They are also those of the entry's own version where it has no content:
        an attempt that a crash interrupted may have loaded bytes that have been erased since.
        """
        if change.kind not in ("submit", "withdraw", "erase"):
            return {}
        own = self._catalogue.version(change)
        versions = {own}
        if change.kind != "erase":
            current = self.values(store, self._catalogue.document(change), CURRENT)
            versions |= {version for version in current if isinstance(version, Identifier)}
        if change.kind == "submit" and change.content is not None:
            versions.discard(own)
        return {version: graphs for version in sorted(versions) if (graphs := self.graphs_of(store, version))}
