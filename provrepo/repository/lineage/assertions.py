"""The assertions about one thing, read again from the bytes of the versions that make them.

The datasets could be queried instead: a query about a version of 100,000 statements takes a millisecond, and reading it
again a second. But datasets contain values and not spellings (``"007"`` becomes 7), PROV-O and not the statements that
were submitted, and current versions alone; a usual version of some sixty statements is read in less than one
millisecond. So what was asserted is shown as it was asserted, for any moment, and how much is read is limited.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from provrepo.errors import AnswerTooLarge, Damaged, ReadError
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.minting import Minter
from provrepo.model.statements import KINDS, DictionaryEntry, Statement
from provrepo.workers.pool import Pool

__all__ = [
    "Assertion",
    "ThingAssertions",
    "VersionBytes",
    "read",
    "run",
    "shares",
    "statement_from_dict",
    "statement_to_dict",
    "value_from_dict",
    "value_to_dict",
]

_T = TypeVar("_T")

ID = "id"
"""The role of the thing that a statement describes, or of the identifier of a relation."""

ENTRY = "entry"
"""The role of the entity under a key of a dictionary."""

KEY = "key"
"""The role of a key of a dictionary, which may be an IRI."""

ATTRIBUTE = "attribute"
"""The role of the value of an attribute."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """One statement about a thing.

    Attributes:
        statement: as it was asserted; blank nodes have the IRIs that they have in the dataset.
        roles: the roles of the thing in it: ``id``, names of arguments, ``entry``, ``key``, ``attribute``.
        graph: its graph in the dataset: that of the version, or of one of its bundles.
        bundle: the IRI of the bundle; empty at the top level.
    """

    statement: Statement
    roles: tuple[str, ...]
    graph: str
    bundle: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **statement_to_dict(self.statement),
            "roles": list(self.roles),
            "graph": self.graph,
            "bundle": self.bundle or None,
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Assertion:
        """The inverse of ``to_dict``."""
        return cls(statement_from_dict(found), tuple(found["roles"]), found["graph"], found["bundle"] or "")


class VersionBytes(NamedTuple):
    """The bytes of a version, to be read again.

    Attributes:
        source: the file with its bytes.
        format: the format in which they were read.
        base: the IRI against which their relative IRIs are resolved; may be empty.
        blob: the digest of the bytes.
        version: the version's IRI.
        minting: the base IRI of the repository that accepted it, for the IRIs of its blank nodes; may be empty.
        identity: the identity of that repository; may be empty.
    """

    source: str
    format: str
    base: str
    blob: str
    version: str
    minting: str = ""
    identity: str = ""


class ThingAssertions(NamedTuple):
    """The assertions of one version about a thing.

    Attributes:
        assertions: the first ones: those that describe it, then its relations, in the order of the source.
        total: the number of all assertions.
        triples: the triples about it of an RDF source that are not PROV statements.
    """

    assertions: tuple[Assertion, ...]
    total: int
    triples: tuple[Quad, ...]


def read(
    workers: Pool,
    iri: str,
    versions: Sequence[VersionBytes],
    *,
    limit: int,
    size: int,
    timeout: float,
    patience: float,
    abandoned: Callable[[], bool] | None = None,
) -> list[ThingAssertions]:
    """Read versions in a worker process.

    Args:
        workers: the worker processes.
        iri: the thing.
        versions: the versions to read.
        limit: the most assertions in all. Each version has some before one has many.
        size: the most bytes of the result as JSON.
        timeout: the most seconds for reading.
        patience: seconds to wait for a worker.
        abandoned: returns whether the result is no longer needed.

    Raises:
        TimedOut: it took too long.
        AnswerTooLarge: the assertions are longer than ``size``.
        WorkerFailed: it took too much memory.
        Busy: no worker came free.
        Damaged: a version that was read when it was submitted cannot be read any more.
    """
    reply = workers.call(
        f"{__name__}:run",
        {
            "iri": iri,
            "versions": [version._asdict() for version in versions],
            "limit": limit,
            "size": size,
        },
        timeout=timeout,
        queue_timeout=patience,
        abandoned=abandoned,
    )
    return [
        ThingAssertions(
            tuple(map(Assertion.from_dict, found["assertions"])),
            found["total"],
            tuple(Quad(Identifier(iri), Identifier(name), value_from_dict(value)) for name, value in found["triples"]),
        )
        for found in reply
    ]


def shares(counts: Sequence[int], limit: int) -> list[int]:
    """The share of each of some counts in ``limit``: small counts in full, the others equal parts of the rest."""
    given = [0] * len(counts)
    left = limit
    waiting = sorted(range(len(counts)), key=lambda place: counts[place])
    for done, place in enumerate(waiting):
        given[place] = min(counts[place], -(-left // (len(waiting) - done)))
        left -= given[place]
    return given


# In a worker


def run(*, iri: str, versions: list[dict[str, str]], limit: int, size: int) -> list[dict[str, Any]]:
    """The assertions of versions about a thing, as JSON; see ``read`` for the arguments."""
    found = [_assertions_of(iri, VersionBytes(**version), limit) for version in versions]
    given = shares([len(each.assertions) for each in found], limit)
    reply = [
        {
            "total": each.total,
            "assertions": [assertion.to_dict() for assertion in each.assertions[:share]],
            "triples": [[quad.predicate, value_to_dict(quad.object)] for quad in each.triples],
        }
        for each, share in zip(found, given, strict=True)
    ]
    if len(json.dumps(reply)) > size:
        raise AnswerTooLarge(
            f"the assertions about it are longer than {size} bytes; request fewer statements or versions"
        )
    return reply


def _assertions_of(iri: str, wanted: VersionBytes, limit: int) -> ThingAssertions:
    from provrepo.codecs import formats
    from provrepo.codecs.rdf import dataset

    row = formats.by_name(wanted.format)
    try:
        document, _ = dataset.read_for_dataset(Path(wanted.source).read_bytes(), row, wanted.base or None)
    except ReadError as error:
        raise Damaged(f"{wanted.version} was accepted and cannot be read any more: {error}") from error
    minter = Minter(wanted.minting, wanted.identity)
    blank = dataset.blank_names(document, row, lambda number: minter.genid(wanted.blob, number))
    names = {Identifier(iri), *(label for label, name in blank.items() if name == iri)}
    found = list(_assertions(document, names, blank, wanted.version))
    describing = [assertion for assertion in found if assertion.statement.kind.element and ID in assertion.roles]
    others = [assertion for assertion in found if not (assertion.statement.kind.element and ID in assertion.roles)]
    triples = tuple(
        Quad(Identifier(iri), quad.predicate, _renamed(quad.object, blank))
        for quad in document.unmapped.quads
        if quad.subject in names
    )
    return ThingAssertions(tuple([*describing, *others][:limit]), len(found), triples[:limit])


def _assertions(
    document: Document, names: set[Identifier], blank: Mapping[Identifier, Identifier], version: str
) -> Iterator[Assertion]:
    for number, instance in enumerate(document.instances()):
        graph = Minter.bundle(version, number) if number else version
        for statement in instance.statements:
            roles = _roles(statement, names)
            if roles:
                yield Assertion(_named(statement, blank), roles, graph, instance.id or "")


def _roles(statement: Statement, names: set[Identifier]) -> tuple[str, ...]:
    found = [ID] if statement.id in names else []
    for argument, value in zip(statement.kind.arguments, statement.args, strict=False):
        if value in names and not argument.time:
            found.append(argument.name)
    if any(entry.entity in names for entry in statement.entries):
        found.append(ENTRY)
    if any(entry.key in names for entry in statement.entries):
        found.append(KEY)
    if any(value in names for _, value in statement.attributes):
        found.append(ATTRIBUTE)
    return tuple(found)


def _named(statement: Statement, blank: Mapping[Identifier, Identifier]) -> Statement:
    """A statement with the IRIs that its blank nodes have in the dataset."""
    if not blank:
        return statement
    return Statement(
        statement.kind,
        _renamed(statement.id, blank),
        tuple(_renamed(term, blank) for term in statement.args),
        tuple((key, _renamed(value, blank)) for key, value in statement.attributes),
        statement.span,
        tuple(DictionaryEntry(_renamed(key, blank), _renamed(entity, blank)) for key, entity in statement.entries),
    )


def _renamed(value: _T, blank: Mapping[Identifier, Identifier]) -> _T:
    return cast("_T", blank.get(value, value)) if isinstance(value, Identifier) else value


# As JSON


def statement_to_dict(statement: Statement) -> dict[str, Any]:
    """A statement as JSON: ``kind``, ``id``, ``arguments`` by name, ``attributes``, ``entries``, ``line``."""
    arguments = zip(statement.kind.arguments, statement.args, strict=False)
    found: dict[str, Any] = {
        "kind": statement.kind.name,
        "id": statement.id,
        "arguments": {argument.name: value for argument, value in arguments if value is not None},
        "attributes": [{"name": name, "value": value_to_dict(value)} for name, value in statement.attributes],
    }
    if statement.kind.entries is not None:
        found["entries"] = [{"key": value_to_dict(key), "entity": entity} for key, entity in statement.entries]
    found["line"] = None if statement.span is None else statement.span[0]
    return found


def value_to_dict(value: Value) -> dict[str, str]:
    """A value as JSON: ``iri``; or ``text`` with its ``datatype``, and its ``language`` where it has one."""
    if isinstance(value, Identifier):
        return {"iri": value}
    found = {"text": value.lexical, "datatype": value.datatype}
    return found if value.language is None else {**found, "language": value.language}


def value_from_dict(found: Mapping[str, str]) -> Value:
    """The inverse of ``value_to_dict``."""
    if "iri" in found:
        return Identifier(found["iri"])
    return Literal(found["text"], found["datatype"], found.get("language"))


def statement_from_dict(found: Mapping[str, Any]) -> Statement:
    """The inverse of ``statement_to_dict``; the span has the line alone."""
    kind = KINDS[found["kind"]]
    given = found["arguments"]

    def identifier(name: str | None) -> Identifier | None:
        return None if name is None else Identifier(name)

    return Statement(
        kind,
        identifier(found["id"]),
        tuple(
            given.get(argument.name) if argument.time else identifier(given.get(argument.name))
            for argument in kind.arguments
        ),
        tuple((Identifier(each["name"]), value_from_dict(each["value"])) for each in found["attributes"]),
        None if found["line"] is None else (found["line"], 1),
        tuple(
            DictionaryEntry(value_from_dict(each["key"]), identifier(each["entity"]))
            for each in found.get("entries", ())
        ),
    )
