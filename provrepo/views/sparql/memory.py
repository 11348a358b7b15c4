"""The reference implementation of the quads view: Python sets without an engine, with which ``Quads`` is compared.

It is neither fast nor durable. The default graph is not stored but computed from the named graphs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.views.sparql.catalog import AGENT, OWN_PROJECT, STAMP, TYPE, WITH, Catalogue
from provrepo.views.sparql.content import check_graph, split
from provrepo.views.view import Change
from provrepo.vocab import XSD_STRING

__all__ = ["Memory"]


@dataclass(slots=True)
class _Dataset:
    """The state of one dataset.

    Attributes:
        graphs: project and document → graph → triples in N-Triples syntax.
        catalogue: its quads.
        positions: project → the last entry applied.
    """

    graphs: dict[tuple[str, str], dict[str, set[str]]] = field(default_factory=dict)
    catalogue: set[Quad] = field(default_factory=set)
    positions: dict[str, int] = field(default_factory=dict)


class Memory:
    """A view in memory; see ``provrepo.views.view.View``.

    Attributes:
        STAMP: the stamp that was given.
    """

    MERGES = True
    HISTORY = False

    def __init__(self, *, base: str, stamp: str = "memory") -> None:
        self.STAMP = stamp
        self._catalogue = Catalogue(base)
        self._datasets: dict[str, _Dataset] = {}

    def datasets(self) -> list[str]:
        """The datasets that exist, sorted."""
        return sorted(self._datasets)

    def stamp(self, dataset: str) -> str | None:
        """The stamp under which the dataset was built; None for an empty one."""
        return self.STAMP if dataset in self._datasets else None

    def position(self, dataset: str, project: str) -> int:
        """The sequence number of the last entry of ``project`` applied to ``dataset``; 0 before the first."""
        return self._datasets[dataset].positions.get(project, 0) if dataset in self._datasets else 0

    def apply(self, dataset: str, change: Change) -> None:
        """Apply one entry.

        Raises:
            ValueError: not the entry after the last one applied, or of an unknown kind.
        """
        position = self.position(dataset, change.project)
        if change.sequence <= position:
            return
        if change.sequence != position + 1:
            raise ValueError(f"entry {change.sequence} of {change.project} cannot follow entry {position}")
        state = self._datasets.get(dataset, _Dataset())
        edit = self._catalogue.edit(change, lambda subject, predicate: _values(state, subject, predicate))
        incoming = _content(change, self._catalogue)
        for replaced in edit.replaced:
            _discard(state, *replaced)
        state.catalogue.update(edit.added)
        state.catalogue.add(
            Quad(self._catalogue.repository, STAMP, Literal(self.STAMP, XSD_STRING), self._catalogue.graph)
        )
        self._put(state, change, incoming)
        state.positions[change.project] = change.sequence
        self._datasets[dataset] = state

    def remove_project(self, dataset: str, project: str) -> None:
        """Remove everything of one project from a dataset, its position included."""
        if not self.position(dataset, project):
            return
        state, iri = self._datasets[dataset], self._catalogue.minter.project(project)
        del state.positions[project]
        if not state.positions:
            self.clear(dataset)
            return
        state.graphs = {key: graphs for key, graphs in state.graphs.items() if key[0] != project}
        gone = {quad.subject for quad in state.catalogue if quad.predicate == OWN_PROJECT and quad.object == iri}
        state.catalogue = {quad for quad in state.catalogue if quad.subject not in gone and quad.subject != iri}
        acting = {quad.object for quad in state.catalogue if quad.predicate == WITH}
        state.catalogue = {
            quad
            for quad in state.catalogue
            if not (quad.predicate == TYPE and quad.object == AGENT and quad.subject not in acting)
        }

    def clear(self, dataset: str) -> None:
        """Remove the dataset."""
        self._datasets.pop(dataset, None)

    def reset(self) -> None:
        """Remove every dataset."""
        self._datasets.clear()

    def close(self) -> None:
        """Do nothing."""

    def count(self, dataset: str) -> int:
        """The number of quads of a dataset."""
        return len(list(self.dump(dataset)))

    def dump(self, dataset: str) -> Iterator[str]:
        """Every quad of a dataset as a line of N-Quads, sorted."""
        state = self._datasets.get(dataset, _Dataset())
        lines = {_line(quad) for quad in state.catalogue}
        for graphs in state.graphs.values():
            for graph, triples in graphs.items():
                lines.update(f"{triple} <{graph}> ." for triple in triples)
                lines.update(f"{triple} ." for triple in triples)
        return iter(sorted(lines))

    def _put(self, state: _Dataset, change: Change, incoming: dict[str, set[str]]) -> None:
        """Replace the graphs of a document by those of its current version after an entry, which may be none."""
        if change.kind not in ("submit", "withdraw", "erase"):
            return
        key, version = (change.project, change.entry["document"]), self._catalogue.version(change)
        present = state.graphs.get(key, {})
        for graph in present:
            own = Identifier(graph.partition("#")[0])
            if change.kind != "erase" or own == version:
                for replaced in self._catalogue.emptied(own, [Identifier(graph)]):
                    _discard(state, *replaced)
        if change.kind == "erase":
            state.graphs[key] = {graph: present[graph] for graph in present if graph.partition("#")[0] != version}
            return
        state.graphs[key] = incoming
        if change.kind == "submit" and change.content is not None:
            state.catalogue.update(self._catalogue.graphs(change, incoming))


def _content(change: Change, catalogue: Catalogue) -> dict[str, set[str]]:
    if change.kind != "submit" or change.content is None:
        return {}
    graphs: dict[str, set[str]] = {}
    file = change.content()
    try:
        for line in file.read_bytes().splitlines():
            triple, graph = split(line)
            name = graph[1:-1].decode()
            check_graph(name, catalogue.version(change))
            graphs.setdefault(name, set()).add(triple.decode())
    finally:
        file.unlink()
    return graphs


def _values(state: _Dataset, subject: Identifier, predicate: Identifier) -> list[Value]:
    return [quad.object for quad in state.catalogue if quad.subject == subject and quad.predicate == predicate]


def _discard(state: _Dataset, subject: Identifier, predicate: Identifier | None) -> None:
    state.catalogue = {
        quad
        for quad in state.catalogue
        if not (quad.subject == subject and (predicate is None or quad.predicate == predicate))
    }


def _line(quad: Quad) -> str:
    if isinstance(quad.object, Identifier):
        value = f"<{quad.object}>"
    else:
        lexical = (
            quad.object.lexical.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
        )
        value = f'"{lexical}"' + ("" if quad.object.datatype == XSD_STRING else f"^^<{quad.object.datatype}>")
    return f"<{quad.subject}> <{quad.predicate}> {value} <{quad.graph}> ."
