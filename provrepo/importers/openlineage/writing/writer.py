"""Writes a document as events: those that it was read from, or events of its activities and entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provrepo.codecs.provjson import writer as provjson
from provrepo.importers.json_values import canonical
from provrepo.importers.openlineage.writing.embedded import embed
from provrepo.importers.openlineage.writing.graph import Graph
from provrepo.importers.openlineage.writing.losses import without_place
from provrepo.importers.openlineage.writing.mapping import Mapping
from provrepo.model.document import Document, Loss
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import MEMBERSHIP, SPECIALIZATION, Statement

__all__ = ["losses", "write"]


def write(document: Document) -> bytes:
    """The events of a document as canonical JSON lines; see ``Carriers`` for what each of them has."""
    return b"".join(canonical(event) + b"\n" for event in _events(document, Graph(document)))


def losses(document: Document) -> list[Loss]:
    """What the events cannot carry, and what they carry in a facet that other tools do not know."""
    found = [
        loss._replace(reason=loss.reason.replace("PROV-JSON", "OpenLineage"))
        for loss in provjson.losses(document, format="provjson")
    ]
    graph = Graph(document)
    for _ in _events(document, graph):
        pass  # the mapping notes what has a place
    return found + without_place(document, graph)


def _events(document: Document, graph: Graph) -> Iterator[dict[str, object]]:
    times = [term for s in document for a, term in zip(s.kind.arguments, s.args, strict=True) if a.time]
    mapping = Mapping(graph, times)
    carriers = Carriers(document, graph, mapping)
    for name in carriers.runs:
        *before, last = mapping.run(name)
        for event in before:
            embed(event, None)
            yield event
        embed(last, carriers.fragment(name))
        yield last
    for name in carriers.datasets:
        event = mapping.dataset(name)
        embed(event, carriers.fragment(name))
        yield event
    rest = carriers.fragment(None)
    if rest is not None:
        event = mapping.remainder()
        embed(event, rest)
        yield event


class Carriers:
    """Which event carries each statement: that of a run where it names one, or what a run used, generated or followed.

    Each statement is in one event. Bundles stay whole. Statements with blank nodes stay together, since these have a
    meaning inside of one document only.

    Attributes:
        runs: the activities, in the order of their events.
        datasets: the entities with an event of their own.
    """

    def __init__(self, document: Document, graph: Graph, mapping: Mapping) -> None:
        self.runs = list(graph.activities)
        self._document = document
        self._owner: dict[str, Identifier] = {}
        for run in self.runs:
            self._owner[run] = run
        for run in self.runs:
            self._own(run, mapping.outputs(run))
        for run in self.runs:
            self._own(run, [*mapping.inputs(run), *mapping.parameters(run)])
            self._own(run, filter(None, [mapping.plan(run), *(mapping.engine(run) or ())[:1]]))
        for kind in (SPECIALIZATION, MEMBERSHIP):
            for entity in list(self._owner):
                for statement in graph.of(kind, entity):
                    other = statement.args[1]
                    if other is not None and (kind is SPECIALIZATION or other.startswith(f"{entity}#")):
                        self._owner.setdefault(other, self._owner[entity])
        self.datasets = [entity for entity in graph.entities if entity not in self._owner]
        for entity in self.datasets:
            self._owner[entity] = entity
        self._first = next(iter([*self.runs, *self.datasets]), None)
        self._fragments: dict[Identifier | None, Document] = {}
        for statement in document.statements:
            self._fragment(self._carrier(statement)).statements.append(statement)
        for bundle in document.bundles:
            carrier = next(map(self._carrier, bundle.statements), self._first)
            self._fragment(carrier).bundles.append(bundle)
        for fragment in self._fragments.values():
            self._declare(fragment)
        if self._first in self._fragments:
            self._fragments[self._first].prefixes.update(document.prefixes)

    def fragment(self, carrier: Identifier | None) -> Document | None:
        """The statements that the event of a thing carries; None for none."""
        return self._fragments.get(carrier)

    def _own(self, run: Identifier, things: Iterable[str]) -> None:
        for thing in things:
            self._owner.setdefault(thing, run)

    def _carrier(self, statement: Statement) -> Identifier | None:
        names = [*filter(None, [statement.id]), *statement.identifiers()]
        if any(name.startswith("_:") for name in _all(statement)):
            return self._first
        owners = [(name, self._owner[name]) for name in names if name in self._owner]
        own = next((owner for name, owner in owners if name == owner), None)
        return own or (owners[0][1] if owners else self._first)

    def _fragment(self, carrier: Identifier | None) -> Document:
        return self._fragments.setdefault(carrier, Document())

    def _declare(self, fragment: Document) -> None:
        """Declare the prefixes of the document that a fragment uses."""
        used = {name for statement in fragment for name in _all(statement)}
        for prefix, namespace in self._document.prefixes.items():
            if any(name.startswith(namespace) for name in used):
                fragment.prefixes[prefix] = namespace


def _all(statement: Statement) -> Iterator[str]:
    """All IRIs of a statement, those of datatypes included."""
    if statement.id is not None:
        yield statement.id
    yield from statement.identifiers()
    for name, value in (*statement.attributes, *((entry.key, entry.key) for entry in statement.entries)):
        if isinstance(name, Identifier):
            yield name
        yield value.datatype if isinstance(value, Literal) else value
