"""The catalogue: the repository's records of projects, documents and versions, as triples of one named graph.

It uses PROV-O for submissions, withdrawals and erasures with their actors and times, DCAT and DCTERMS for the usual
properties of catalogues, and the repository's own terms (``ontology/provrepo.ttl``) for the rest. All of it is derived
from ledger entries.

Each subject but the repository itself, the agents and the projects has the property ``provrepo:project``, by which the
records of a project are found when it is removed from a dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyoxigraph as ox

from provrepo.codecs.results import value_of
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.minting import Minter
from provrepo.views.view import Change
from provrepo.vocab import DCAT, DCTERMS, PROV, PROVREPO, RDF_TYPE, XSD, XSD_DATETIME

__all__ = [
    "AGENT",
    "CURRENT",
    "GRAPH",
    "OWN_PROJECT",
    "POSITION",
    "STAMP",
    "TYPE",
    "WITH",
    "Catalogue",
    "Edit",
    "Recorded",
]

TYPE = Identifier(RDF_TYPE)
AGENT = Identifier(PROV + "Agent")
CURRENT = Identifier(DCAT + "hasCurrentVersion")
WITH = Identifier(PROV + "wasAssociatedWith")
GRAPH = Identifier(PROVREPO + "graph")
OWN_PROJECT = Identifier(PROVREPO + "project")
POSITION = Identifier(PROVREPO + "position")
STAMP = Identifier(PROVREPO + "stamp")

_ENTITY = Identifier(PROV + "Entity")
_ACTIVITY = Identifier(PROV + "Activity")
_BUNDLE = Identifier(PROV + "Bundle")
_ATTRIBUTED = Identifier(PROV + "wasAttributedTo")
_GENERATED_BY = Identifier(PROV + "wasGeneratedBy")
_GENERATED_AT = Identifier(PROV + "generatedAtTime")
_INVALIDATED_BY = Identifier(PROV + "wasInvalidatedBy")
_INVALIDATED_AT = Identifier(PROV + "invalidatedAtTime")
_ENDED = Identifier(PROV + "endedAtTime")
_REVISION = Identifier(PROV + "wasRevisionOf")
_SPECIALIZATION = Identifier(PROV + "specializationOf")

_TITLE = Identifier(DCTERMS + "title")
_IDENTIFIER = Identifier(DCTERMS + "identifier")
_DESCRIPTION = Identifier(DCTERMS + "description")
_CONFORMS = Identifier(DCTERMS + "conformsTo")
_PART = Identifier(DCTERMS + "isPartOf")
_DATASET = Identifier(DCAT + "dataset")
_DCAT_DATASET = Identifier(DCAT + "Dataset")
_DCAT_CATALOG = Identifier(DCAT + "Catalog")
_DCAT_VERSION = Identifier(DCAT + "version")

_OWN_DOCUMENT = Identifier(PROVREPO + "document")
_STATE = Identifier(PROVREPO + "state")
_REASON = Identifier(PROVREPO + "reason")
_COMPLETED_BY = Identifier(PROVREPO + "completedBy")

_FACTS = ("blob", "sha256"), ("format", "format"), ("verdict", "verdict")
_NUMBERS = ("version", "size", "statements", "sequence")


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the catalogue.

    Attributes:
        replaced: pairs of subject and predicate, all of whose values are deleted; without a predicate, all triples of
            the subject.
        added: quads to insert after that.
    """

    replaced: list[tuple[Identifier, Identifier | None]] = field(default_factory=list)
    added: list[Quad] = field(default_factory=list)

    @classmethod
    def merged(cls, edits: Sequence[Edit]) -> Edit:
        """One edit for several of different new documents, in the order of their entries."""
        positions = {quad.subject: quad for edit in edits for quad in edit.added if quad.predicate == POSITION}
        others = [quad for edit in edits for quad in edit.added if quad.predicate != POSITION]
        replaced = dict.fromkeys(pair for edit in edits for pair in edit.replaced)
        return cls(list(replaced), [*positions.values(), *dict.fromkeys(others)])

    def positions(self) -> Edit:
        """The part of the edit that moves the positions of projects."""
        return Edit(
            [pair for pair in self.replaced if pair[1] == POSITION],
            [quad for quad in self.added if quad.predicate == POSITION],
        )


class Catalogue:
    """Converts ledger entries into edits of the catalogue.

    Attributes:
        graph: the name of its graph.
        repository: the repository's own IRI.
        minter: mints the IRIs.
    """

    def __init__(self, base: str, minter: Minter | None = None) -> None:
        self.minter = minter or Minter(base)
        self.graph = self.minter.catalogue()
        self.repository = self.minter.repository()

    def edit(self, change: Change, values: Callable[[Identifier, Identifier], Sequence[Value]]) -> Edit:
        """The edit for an entry, the new position included.

        Args:
            change: the entry.
            values: returns the values that the catalogue has for a subject and a predicate before the edit.

        Raises:
            ValueError: the kind of the entry is unknown.
        """
        project = self.minter.project(change.project)
        edit = Edit([(project, POSITION)], [self._quad(project, POSITION, _number(change.sequence))])
        if change.kind == "skipped":
            return edit
        edit.added.extend(self._project(project, change.project))
        match change.kind:
            case "submit":
                self._submit(edit, change, project, values)
            case "withdraw":
                self._end(edit, change, project, "withdrawn", values)
            case "erase":
                self._end(edit, change, project, "erased", values)
            case "settings":
                self._settings(edit, change, project)
            case other:
                raise ValueError(f"no view knows entries of the kind {other!r}")
        return edit

    def document(self, change: Change) -> Identifier:
        """The IRI of the document of an entry."""
        return self.minter.document(change.project, change.entry["document"])

    def version(self, change: Change) -> Identifier:
        """The IRI of the version of an entry."""
        return self.minter.version(change.project, change.entry["document"], change.entry["version"])

    def graphs(self, change: Change, graphs: Iterable[str]) -> list[Quad]:
        """The records of the graphs of a version, by which they are found when they are removed.

        Args:
            change: the submission.
            graphs: the names of the graphs in its content.
        """
        version, project = self.version(change), self.minter.project(change.project)
        filled = set(graphs)
        quads = [
            self._quad(version, _OWN_DOCUMENT, self.document(change)),
            self._quad(version, OWN_PROJECT, project),
        ]
        for graph in map(Identifier, sorted(filled)):
            quads.append(self._quad(version, GRAPH, graph))
            source = _completes(graph, version)
            if source in filled:
                quads.append(self._quad(Identifier(source), _COMPLETED_BY, graph))
            elif graph != version and not source:
                quads += [self._quad(graph, TYPE, _BUNDLE), self._quad(graph, OWN_PROJECT, project)]
        return quads

    @staticmethod
    def emptied(version: Identifier, graphs: Iterable[Identifier]) -> list[tuple[Identifier, Identifier | None]]:
        """The records to delete when the graphs of a version are removed; in the form of ``Edit.replaced``."""
        own: list[tuple[Identifier, Identifier | None]] = [(version, GRAPH), (version, _COMPLETED_BY)]
        return own + [(graph, None) for graph in graphs if graph != version]

    def _quad(self, subject: Identifier, predicate: Identifier, value: Value) -> Quad:
        return Quad(subject, predicate, value, self.graph)

    def _project(self, project: Identifier, name: str) -> Iterator[Quad]:
        # A mirror is a part of the repository that it was copied from.
        repository = self.minter.home(name).minter.repository()
        yield self._quad(repository, TYPE, Identifier(PROVREPO + "Repository"))
        yield self._quad(project, TYPE, Identifier(PROVREPO + "Project"))
        yield self._quad(project, TYPE, _DCAT_CATALOG)
        yield self._quad(project, _PART, repository)
        yield self._quad(project, _IDENTIFIER, text(name))

    def _settings(self, edit: Edit, change: Change, project: Identifier) -> None:
        if "title" in change.entry:
            edit.replaced.append((project, _TITLE))
            edit.added.extend(self._text(project, _TITLE, change.entry["title"]))
        if "profiles" in change.entry:
            predicate = Identifier(PROVREPO + "profile")
            edit.replaced.append((project, predicate))
            edit.added.extend(
                self._quad(project, predicate, self.minter.profile(change.project, name))
                for name in change.entry["profiles"]
            )

    def _submit(
        self,
        edit: Edit,
        change: Change,
        project: Identifier,
        values: Callable[[Identifier, Identifier], Sequence[Value]],
    ) -> None:
        document, version, number = self.document(change), self.version(change), change.entry["version"]
        edit.replaced.extend([(document, CURRENT), (document, _TITLE), (version, _STATE)])
        edit.added.extend(
            [
                self._quad(project, _DATASET, document),
                self._quad(document, TYPE, Identifier(PROVREPO + "Document")),
                self._quad(document, TYPE, _DCAT_DATASET),
                self._quad(document, _IDENTIFIER, text(change.entry["document"])),
                self._quad(document, OWN_PROJECT, project),
                self._quad(document, CURRENT, version),
                *self._text(document, _TITLE, change.entry.get("title", "")),
                *self._version(change, version, document, project),
            ]
        )
        if number > 1:
            previous = self.minter.version(change.project, change.entry["document"], number - 1)
            edit.added.append(self._quad(version, _REVISION, previous))
            self._supersede(edit, [previous, *values(document, CURRENT)], values)

    def _supersede(
        self,
        edit: Edit,
        versions: Iterable[Value],
        values: Callable[[Identifier, Identifier], Sequence[Value]],
    ) -> None:
        """Change the state of versions from current to superseded. Withdrawn and erased versions are unchanged.

        The version before the new one is not always the current one: its entry may have been unreadable.
        """
        for version in dict.fromkeys(versions):
            if isinstance(version, Identifier) and text("current") in values(version, _STATE):
                edit.replaced.append((version, _STATE))
                edit.added.append(self._quad(version, _STATE, text("superseded")))

    def _version(
        self, change: Change, version: Identifier, document: Identifier, project: Identifier
    ) -> Iterator[Quad]:
        entry, time = change.entry, _time(change.entry["time"])
        submission, actor = Identifier(f"{version}#submission"), self.minter.actor(change.project, entry["actor"])
        yield self._quad(version, TYPE, Identifier(PROVREPO + "Version"))
        yield self._quad(version, TYPE, _ENTITY)
        yield self._quad(version, OWN_PROJECT, project)
        yield self._quad(version, _OWN_DOCUMENT, document)
        yield self._quad(version, _SPECIALIZATION, document)
        yield self._quad(version, _DCAT_VERSION, text(str(entry["version"])))
        yield self._quad(version, _STATE, text("current"))
        yield self._quad(version, _GENERATED_AT, time)
        yield self._quad(version, _GENERATED_BY, submission)
        yield self._quad(version, _ATTRIBUTED, actor)
        for name, term in _FACTS:
            yield self._quad(version, Identifier(PROVREPO + term), text(entry[name]))
        for name in _NUMBERS:
            yield self._quad(version, Identifier(PROVREPO + name), _number(entry[name]))
        for layer in entry.get("layers", ()):
            yield self._quad(version, Identifier(PROVREPO + "layer"), text(layer))
        for name in entry.get("profiles", ()):
            yield self._quad(version, Identifier(PROVREPO + "profile"), self.minter.profile(change.project, name))
            if entry["verdict"] == "conforms":
                yield self._quad(version, _CONFORMS, self.minter.profile(change.project, name))
        yield from self._text(version, _TITLE, entry.get("title", ""))
        yield from self._text(version, _DESCRIPTION, entry.get("note", ""))
        yield from self._activity(submission, "Submission", actor, time, project)

    def _end(
        self,
        edit: Edit,
        change: Change,
        project: Identifier,
        state: str,
        values: Callable[[Identifier, Identifier], Sequence[Value]],
    ) -> None:
        """Add a withdrawal or an erasure to an edit. The first of the two sets the version's time of invalidation."""
        document, version, entry = self.document(change), self.version(change), change.entry
        kind = "Withdrawal" if state == "withdrawn" else "Erasure"
        activity, time = Identifier(f"{version}#{kind.lower()}"), _time(entry["time"])
        current = values(document, CURRENT)
        if state == "withdrawn" or version in current:
            edit.replaced.append((document, CURRENT))
            self._supersede(edit, [former for former in current if former != version], values)
        edit.replaced.append((version, _STATE))
        edit.added.extend(
            [
                self._quad(version, OWN_PROJECT, project),
                self._quad(version, _OWN_DOCUMENT, document),
                self._quad(version, _STATE, text(state)),
                self._quad(version, _INVALIDATED_BY, activity),
                *self._activity(activity, kind, self.minter.actor(change.project, entry["actor"]), time, project),
                *self._text(activity, _REASON, entry.get("reason", "")),
            ]
        )
        if not values(version, _INVALIDATED_AT):
            edit.added.append(self._quad(version, _INVALIDATED_AT, time))

    def _activity(
        self, activity: Identifier, kind: str, actor: Identifier, time: Literal, project: Identifier
    ) -> Iterator[Quad]:
        yield self._quad(activity, TYPE, Identifier(PROVREPO + kind))
        yield self._quad(activity, TYPE, _ACTIVITY)
        yield self._quad(activity, OWN_PROJECT, project)
        yield self._quad(activity, WITH, actor)
        yield self._quad(activity, _ENDED, time)
        yield self._quad(actor, TYPE, AGENT)

    def _text(self, subject: Identifier, predicate: Identifier, value: str) -> Iterator[Quad]:
        if value:
            yield self._quad(subject, predicate, text(value))


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

    def has(self, store: ox.Store, project: Identifier) -> bool:
        """Whether there are records of a project: its position, or records of its documents."""
        node = ox.NamedNode(project)
        found = (
            store.quads_for_pattern(node, ox.NamedNode(POSITION), None, self._graph),
            store.quads_for_pattern(None, ox.NamedNode(OWN_PROJECT), node, self._graph),
        )
        return any(next(quads, None) is not None for quads in found)

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


def _completes(graph: str, version: str) -> str:
    """The graph of which ``graph`` is the completion, or the empty string; the inverse of ``Minter.completed``."""
    if graph == Minter.completed(version):
        return version
    return graph.removesuffix("-completed") if graph.endswith("-completed") else ""


def _number(value: int) -> Literal:
    return Literal(str(value), XSD + "integer")


def _time(value: str) -> Literal:
    return Literal(value, XSD_DATETIME)
