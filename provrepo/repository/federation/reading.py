"""Reading of what a peer says: everything in it is checked, since a peer may be mistaken or lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from provrepo.ledger.kinds import is_name
from provrepo.limits import SURROUNDING_THINGS
from provrepo.repository.federation.records import FederatedSource
from provrepo.repository.lineage.answers import MOST_SOURCES
from provrepo.repository.lineage.records import KINDS
from provrepo.views.extraction import UNTIMED
from provrepo.views.lineage.rules import EDGES
from provrepo.views.lineage.states import LEVELS
from provrepo.views.lineage.surroundings import MOST_RELATIONS

__all__ = ["Answered", "DescribedThing", "MalformedAnswer", "read"]

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`]*")
_UUID = re.compile(r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?")
_LONGEST_IRI = 8_192
_LONGEST_LABEL = 100_000
_MOST_TYPES = 1_000
_MOST_PROJECTS = 100_000
_MOST_THINGS = 2 * SURROUNDING_THINGS + 2_000
"""Things after which none is followed, those of the last part, and those that were asked for."""

_MOST_RELATIONS = 3 * MOST_RELATIONS
_RULES = {rule.name: number for number, rule in enumerate(EDGES)}
_KINDS = {kind.name: 1 << place for place, kind in enumerate(KINDS)}
_LEVELS = {name: level for level, name in enumerate(LEVELS)}
_MOST_TIME = 1 << 62


class MalformedAnswer(Exception):
    """An answer that is not what a peer answers; its text says what is wrong."""


@dataclass(frozen=True, slots=True)
class DescribedThing:
    """What one repository says about a thing.

    Attributes:
        iri: its IRI.
        kinds: its kinds as bits.
        label: one of its labels, or empty.
        types: its types.
        sources: the first versions that mention it.
        total_sources: the number of versions that mention it.
        projects: the projects of all of them.
        level: the level at which all of its relations are in the answer.
    """

    iri: str
    kinds: int
    label: str
    types: tuple[str, ...]
    sources: tuple[FederatedSource, ...]
    total_sources: int
    projects: tuple[str, ...]
    level: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What one repository says around some things.

    Attributes:
        things: the things.
        relations: subject, the number of the rule, object, time (as in ``views.extraction``), and the graph.
        cut: the things of which some relations were left out.
        repository: the UUID of the repository; empty where it does not tell it.
    """

    things: tuple[DescribedThing, ...]
    relations: tuple[tuple[str, int, str, int, FederatedSource], ...]
    cut: tuple[str, ...]
    repository: str


def read(answer: Any, laboratory: str | None, direction: str, asked: Mapping[str, int]) -> Answered:
    """Read an answer to a question about surroundings.

    Args:
        answer: its JSON.
        laboratory: the name of the peer; None for this repository.
        direction: of the question.
        asked: for each thing of the question its level.

    Raises:
        MalformedAnswer: it is not an answer to this question.
    """
    members = _object(answer, "the answer")
    if members.get("direction") != direction:
        raise MalformedAnswer("it is not about the direction that was asked for")
    sources = [_source(each, laboratory) for each in _list(members, "sources", _MOST_RELATIONS)]
    things = tuple(_thing(each, laboratory) for each in _list(members, "things", _MOST_THINGS))
    relations = tuple(_relation(each, sources) for each in _list(members, "relations", _MOST_RELATIONS))
    cut = tuple(_iri(each, "an element of cut") for each in _list(members, "cut", _MOST_THINGS))
    found = {thing.iri: thing.level for thing in things}
    if len(found) != len(things):
        raise MalformedAnswer("it has one thing twice")
    # Otherwise the same question would be asked for ever.
    if all(found.get(iri, level) < level for iri, level in asked.items()):
        raise MalformedAnswer("it says nothing about any of the things that were asked for")
    repository = members.get("repository", "")
    if not isinstance(repository, str) or not _UUID.fullmatch(repository):
        raise MalformedAnswer("it does not say by a UUID which repository it is from")
    return Answered(things, relations, cut, repository)


def _thing(value: Any, laboratory: str | None) -> DescribedThing:
    members = _object(value, "a thing")
    kinds = 0
    for name in _list(members, "kinds", len(_KINDS)):
        if not isinstance(name, str) or name not in _KINDS:
            raise MalformedAnswer("a thing has a kind that PROV does not know")
        kinds |= _KINDS[name]
    level = members.get("followed")
    if not isinstance(level, str) or level not in _LEVELS:
        raise MalformedAnswer("a thing does not say how far its relations were followed")
    label = _text(members, "label", _LONGEST_LABEL)
    types = tuple(_iri(each, "a type") for each in _list(members, "types", _MOST_TYPES))
    sources = tuple(_source(each, laboratory) for each in _list(members, "sources", MOST_SOURCES))
    projects = tuple(_name(each, "a project") for each in _list(members, "projects", _MOST_PROJECTS))
    total = members.get("total_sources")
    if not _whole(total) or not len(sources) <= total < _MOST_TIME:
        raise MalformedAnswer("a thing has a wrong number of sources")
    return DescribedThing(
        _iri(members.get("iri"), "a thing"), kinds, label, types, sources, total, projects, _LEVELS[level]
    )


def _relation(value: Any, sources: list[FederatedSource]) -> tuple[str, int, str, int, FederatedSource]:
    members = _object(value, "a relation")
    name, time, source = members.get("relation"), members.get("time"), members.get("source")
    if not isinstance(name, str) or name not in _RULES:
        raise MalformedAnswer("a relation has a name that PROV does not know")
    if not _whole(source) or not 0 <= source < len(sources):
        raise MalformedAnswer("a relation has no source")
    if time is None:
        at = UNTIMED
    elif _whole(time) and -_MOST_TIME < time < _MOST_TIME:
        at = time + (time >= 0)
    else:
        raise MalformedAnswer("a relation has a time that is not a number of microseconds")
    subject, upper = (_iri(members.get(end), f"the {end} of a relation") for end in ("subject", "object"))
    return subject, _RULES[name], upper, at, sources[source]


def _source(value: Any, laboratory: str | None) -> FederatedSource:
    members = _object(value, "a source")
    version = members.get("version")
    if not _whole(version) or not 1 <= version < _MOST_TIME:
        raise MalformedAnswer("a source has no number of a version")
    return FederatedSource(
        _name(members.get("project"), "the project of a source"),
        _name(members.get("document"), "the document of a source"),
        version,
        _iri(members.get("graph"), "the graph of a source"),
        laboratory,
    )


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedAnswer(f"{what} is not a JSON object")
    return value


def _list(members: Mapping[str, Any], name: str, most: int) -> list[Any]:
    value = members.get(name)
    if not isinstance(value, list):
        raise MalformedAnswer(f"{name} is not a list")
    if len(value) > most:
        raise MalformedAnswer(f"{name} has {len(value):,} elements, and at most {most:,} are accepted")
    return value


def _text(members: Mapping[str, Any], name: str, most: int) -> str:
    value = members.get(name)
    if not isinstance(value, str) or len(value) > most or not _is_unicode(value):
        raise MalformedAnswer(f"{name} is not a text of at most {most:,} characters")
    return value


def _iri(value: Any, what: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_IRI or not _IRI.fullmatch(value) or not _is_unicode(value):
        raise MalformedAnswer(f"{what} is not an IRI")
    return value


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise MalformedAnswer(f"{what} is not a name")
    return value


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_unicode(value: str) -> bool:
    """Whether a text has no lone surrogates, which JSON can escape and SQLite cannot store."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
