"""What changed from one version of a document to another, as sentences; those that differ in one thing are merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provrepo.model.compare import statement_difference
from provrepo.model.difference import ChangedPair, PlacedStatement
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.rendering import Renderer
from provrepo.repository.records import VersionInfo
from provrepo.vocab import PROV_LABEL, PROV_TYPE
from provrepo.words import counted, spaced

__all__ = ["Changes", "Named", "Sentence", "changes"]

NAMED = 3
"""The most things that a sentence names."""

_VERBS = {
    "specializationOf": "is a specialization of",
    "alternateOf": "is an alternate of",
    "mentionOf": "is a mention of",
    "hadMember": "had the member",
    "hadDictionaryMember": "had the dictionary member",
    "derivedByInsertionFrom": "was derived by insertion from",
    "derivedByRemovalFrom": "was derived by removal from",
}
_PLURALS = {"entity": "entities", "activity": "activities", "agent": "agents"}


@dataclass(frozen=True, slots=True)
class Named:
    """A thing in a sentence.

    Attributes:
        iri: its IRI, or the label of a blank node; empty where an argument is missing.
        name: its label, or its identifier with a prefix.
    """

    iri: str
    name: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement, or several of one kind that differ in one thing alone.

    Attributes:
        change: ``added``, ``removed`` or ``changed``.
        kind: the PROV-N keyword; empty for statements that extend PROV-N.
        text: the sentence.
        subjects: what it is about, all of them.
        objects: what it relates them to; empty for an entity, an activity or an agent.
        types: of an entity, an activity or an agent.
        before: the parts that only the former statement has; of ``changed``.
        after: the parts that only the later one has.
        statements: the statements in PROV-N; empty for ``changed``.
    """

    change: str
    kind: str
    text: str
    subjects: tuple[Named, ...] = ()
    objects: tuple[Named, ...] = ()
    types: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of statements."""
        return len(self.statements) or len(self.subjects)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        things = {
            role: [{"iri": thing.iri, "name": thing.name} for thing in listed]
            for role, listed in (("subjects", self.subjects), ("objects", self.objects))
        }
        texts = {
            role: list(listed)
            for role, listed in (
                ("types", self.types),
                ("before", self.before),
                ("after", self.after),
                ("statements", self.statements),
            )
        }
        return {"change": self.change, "kind": self.kind, "number": self.number, "text": self.text, **things, **texts}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Sentence:
        """The inverse of ``to_dict``."""
        subjects, objects = (
            tuple(Named(each["iri"], each["name"]) for each in found[role]) for role in ("subjects", "objects")
        )
        texts = (tuple(found[role]) for role in ("types", "before", "after", "statements"))
        return cls(found["change"], found["kind"], found["text"], subjects, objects, *texts)


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from one version of a document to another.

    Attributes:
        before: the first version.
        after: the second one.
        sentences: the changes: added, then removed, then changed.
    """

    before: VersionInfo
    after: VersionInfo
    sentences: tuple[Sentence, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both make the same statements."""
        return not self.sentences

    @property
    def counts(self) -> dict[str, int]:
        """The number of statements that were added, removed and changed."""
        return {
            change: sum(each.number for each in self.sentences if each.change == change)
            for change in ("added", "removed", "changed")
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "project": self.after.project,
            "name": self.after.name,
            "from": _version(self.before),
            "to": _version(self.after),
            "same": self.same,
            "counts": self.counts,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
        }

    @classmethod
    def from_dict(cls, before: VersionInfo, after: VersionInfo, found: Mapping[str, Any]) -> Changes:
        """The changes from what ``changes`` returned."""
        return cls(before, after, tuple(map(Sentence.from_dict, found["sentences"])))


def _version(info: VersionInfo) -> dict[str, Any]:
    return {"version": info.version, "iri": info.iri, "sha256": info.sha256, "time": info.time, "note": info.note}


def changes(left: Document, right: Document) -> dict[str, Any]:
    """What changed between two documents: ``{"sentences": […]}``.

    Raises:
        TooLarge: they have too many similar blank nodes.
    """
    found = statement_difference(left, right)
    # The later document comes first where both give a label or a prefix.
    writer = _Writer(Renderer.of(right, left), {**_labels(left), **_labels(right)})
    removed, added = found.extensions
    sentences = [
        *writer.sentences("added", found.right),
        *(Sentence("added", "", text, statements=(text,)) for text in added),
        *writer.sentences("removed", found.left),
        *(Sentence("removed", "", text, statements=(text,)) for text in removed),
        *writer.changed(found.changed),
    ]
    return {"sentences": [sentence.to_dict() for sentence in sentences]}


def _labels(document: Document) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in document:
        if statement.kind.element and statement.id is not None:
            for name, value in statement.attributes:
                if name == PROV_LABEL and isinstance(value, Literal) and value.lexical.strip():
                    found.setdefault(statement.id, " ".join(value.lexical.split()))
    return found


class _Writer:
    """Writes sentences with the names of things."""

    def __init__(self, renderer: Renderer, labels: Mapping[str, str]) -> None:
        self._renderer, self._labels = renderer, labels

    def sentences(self, change: str, placed: Sequence[PlacedStatement]) -> list[Sentence]:
        """The sentences for statements that were added or removed: elements, then relations; the largest first."""
        elements: dict[object, list[PlacedStatement]] = {}
        relations: dict[object, list[PlacedStatement]] = {}
        for each in placed:
            statement = each.statement
            if statement.kind.element:
                key: object = (statement.kind.name, tuple(sorted(self._types(each))), each.bundle)
                elements.setdefault(key, []).append(each)
            else:
                relations.setdefault((statement.kind.name, _argument(each, 1), each.bundle), []).append(each)
        # What is alone with its object may share its subject with others.
        alone: dict[object, list[PlacedStatement]] = {}
        for key in [key for key, group in relations.items() if len(group) == 1]:
            (each,) = relations.pop(key)
            alone.setdefault((each.statement.kind.name, _argument(each, 0), each.bundle), []).append(each)
        groups = [*elements.values(), *sorted([*relations.values(), *alone.values()], key=len, reverse=True)]
        return [self._sentence(change, group) for group in groups]

    def changed(self, pairs: Iterable[ChangedPair]) -> list[Sentence]:
        """The sentences for statements with other parts; those with equal changes are one."""
        groups: dict[object, list[ChangedPair]] = {}
        for pair in pairs:
            parts = pair.parts
            groups.setdefault((parts.kind, parts.left, parts.right, pair.left.bundle), []).append(pair)
        found = []
        for group in groups.values():
            parts = group[0].parts
            subjects = tuple(self._subject(pair.right) for pair in group)
            objects = () if group[0].right.statement.kind.element else (self._named(_argument(group[0].right, 1)),)
            if len(group) > 1:
                objects = ()
            verb = "" if group[0].right.statement.kind.element else f" {_verb(parts.kind)}"
            text = _listed(subjects) + verb + (f" {objects[0].name}" if objects else "")
            found.append(Sentence("changed", parts.kind, text, subjects, objects, before=parts.left, after=parts.right))
        return found

    def _sentence(self, change: str, group: Sequence[PlacedStatement]) -> Sentence:
        first = group[0]
        kind = first.statement.kind
        subjects = tuple(dict.fromkeys(self._subject(each) for each in group))
        where = "" if first.bundle is None else f" in bundle {self._named(first.bundle).name}"
        statements = tuple(self._renderer.statement(each.statement) + where for each in group)
        if kind.element:
            types = tuple(self._types(first))
            typed = f", of type {' and '.join(types)}" if types else ""
            new = "new " if change == "added" else ""
            what = f"{new}{kind.name}" if len(group) == 1 else f"{len(group):,} {new}{_PLURALS[kind.name]}:"
            text = f"{what} {_listed(subjects)}{typed}{where}"
            return Sentence(change, kind.name, text, subjects, types=types, statements=statements)
        if kind.name == "triple" or len(first.statement.args) < 2:
            return Sentence(change, kind.name, statements[0], subjects, statements=statements)
        objects = tuple(dict.fromkeys(self._named(_argument(each, 1)) for each in group))
        times = {_time(each) for each in group}
        when = f" at {times.pop()}" if len(times) == 1 and "" not in times else ""
        text = f"{_listed(subjects)} {_verb(kind.name)} {_listed(objects)}{when}{where}"
        return Sentence(change, kind.name, text, subjects, objects, statements=statements)

    def _subject(self, placed: PlacedStatement) -> Named:
        return self._named(placed.statement.id if placed.statement.kind.element else _argument(placed, 0))

    def _named(self, name: str | None) -> Named:
        if name is None:
            return Named("", "something")
        return Named(name, self._labels.get(name) or self._renderer.identifier(Identifier(name)))

    def _types(self, placed: PlacedStatement) -> list[str]:
        values = (value for name, value in placed.statement.attributes if name == PROV_TYPE)
        return [value.lexical if isinstance(value, Literal) else self._renderer.identifier(value) for value in values]


def _argument(placed: PlacedStatement, place: int) -> str | None:
    args = placed.statement.args
    return args[place] if len(args) > place else None


def _time(placed: PlacedStatement) -> str:
    arguments = zip(placed.statement.kind.arguments, placed.statement.args, strict=False)
    return next((value for argument, value in arguments if argument.time and value is not None), "")


def _verb(kind: str) -> str:
    return _VERBS.get(kind) or spaced(kind)


def _listed(things: Sequence[Named]) -> str:
    """``a``, ``a and b``, ``a, b, c and 4 more``."""
    names = [thing.name for thing in things[:NAMED]]
    if len(things) > NAMED:
        return f"{', '.join(names)} and {counted(len(things) - NAMED, 'more', 'more')}"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
