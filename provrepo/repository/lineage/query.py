"""The queries about lineage, things and words: each option of a verb is one field here, with all that is known of it.

``docs/development/recipes.md`` explains how to add one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provrepo import limits
from provrepo.errors import UsageError
from provrepo.repository.options import Kind, check, option, required_iri
from provrepo.vocab import PREDECLARED

if TYPE_CHECKING:
    from provrepo.views.lineage.states import Options

__all__ = [
    "ASKED",
    "FEW",
    "MATCHED",
    "ORDERS",
    "PARTS",
    "DIRECTIONS",
    "MOST_COMMON",
    "CommonQuery",
    "ImpactQuery",
    "LineageQuery",
    "ScopedQuery",
    "SearchQuery",
    "ThingQuery",
    "TraversalQuery",
    "relations",
]

MOST_COMMON = 20
"""Things whose common lineage can be requested."""

DIRECTIONS = {"upstream": "Where it came from", "downstream": "What depends on it", "both": "Both ways"}
"""The directions of a lineage, with the words of a form for each."""

ASKED = {"all": "All things", "known": "Things that a peer is known to know"}
"""The things that peers are asked about."""

MATCHED = {"name": "In names, types and identifiers", "value": "In values"}
"""Where the words of a search are found."""

PARTS = {"things": "Things", "documents": "Documents"}
"""The parts of the answer of a search that have pages."""

ORDERS = {"best": "Best first", "label": "By label", "iri": "By IRI", "newest": "Newest first"}
"""The orders of what a search finds."""

FEW = 5
"""Documents, or things, in an answer whose pages are about the others."""

_ELEMENTS = {"entity": "Entity", "activity": "Activity", "agent": "Agent"}

_IRI = option("The entity, activity or agent.", Kind.THING, label="Thing (its IRI)", primary=True)
_DIRECTION = option(
    "`upstream` for what it came from, `downstream` for what depends on it, or `both`.",
    Kind.CHOICE,
    detail="The default is `upstream`; for an impact it is `downstream`.",
    choices=DIRECTIONS,
    label="Direction",
    primary=True,
)
_PROJECT = option(
    "Only this project, instead of all that the caller may read.",
    Kind.PROJECT,
    metavar="P",
    label="Only in this project",
    placeholder="all",
)
_COUNTED = "What exceeds it is counted."
_TIMEOUT = option(
    "Stop after so many seconds.",
    Kind.SECONDS,
    detail="The settings limit it for all callers but the owner of the data directory; this can only lower the limit.",
    metavar="SECONDS",
    repeated=False,
)


def relations() -> tuple[str, ...]:
    """The relations that lineage follows, by the names that edges have."""
    from provrepo.views.lineage.rules import EDGES, Follow

    kinds = [rule.kind for rule in EDGES]
    ordered = sorted(EDGES, key=lambda rule: kinds.index(rule.kind))
    return tuple(rule.name for rule in ordered if rule.follow not in (Follow.NO, Follow.IMPLIED))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedQuery:
    """A query over one project or all, now or as of a former state."""

    project: str | None = field(default=None, metadata=_PROJECT)
    as_of: str | None = field(
        default=None,
        metadata=option(
            "As it was after an entry, `PROJECT/SEQUENCE`, or at a time with its zone, such as 2026-01-31T12:00:00Z.",
            Kind.AS_OF,
            detail="The answer has what was current then, of what the caller may read today. Versions that were "
            "withdrawn since are left out, except in projects that the caller may change.",
            metavar="WHEN",
            label="As of an entry (PROJECT/SEQUENCE) or a time",
            placeholder="now",
        ),
    )
    timeout: float | None = field(default=None, metadata=_TIMEOUT)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraversalQuery(ScopedQuery):
    """A query that is answered by traversals of the lineage index."""

    depth: int | None = field(
        default=None,
        metadata=option(
            "Follow at most so many relations from the start.",
            Kind.NUMBER,
            metavar="N",
            most=limits.MAX_LINEAGE,
            label="Steps",
            placeholder="all",
            primary=True,
        ),
    )
    relations: Sequence[str] = field(
        default=(),
        metadata=option(
            "Follow only this relation.",
            Kind.TEXTS,
            detail="Relations have the names that edges have. Naming `alternateOf` requests alternates.",
            parameter="relation",
            flag="relation",
            metavar="NAME",
            label="Only along these relations",
        ),
    )
    stop: Sequence[str] = field(
        default=(),
        metadata=option(
            "Do not go beyond things of this type, such as `prov:Plan`.",
            Kind.TEXTS,
            detail="A type is an IRI, or has a prefix that SPARQL queries need not declare. Things of the type are "
            "part of the answer. The start is always followed. `prov:Entity`, `prov:Activity` and `prov:Agent` count "
            "as types.",
            metavar="TYPE",
            label="Not beyond things of this type",
            placeholder="prov:Plan",
        ),
    )
    strict: bool = field(
        default=False,
        metadata=option(
            "Only along derivations, not through activities.",
            Kind.FLAG,
            label="Only along derivations, not through activities",
        ),
    )
    alternates: bool = field(
        default=False, metadata=option("Also along alternates.", Kind.FLAG, label="Also along alternates")
    )

    def __post_init__(self) -> None:
        super(TraversalQuery, self).__post_init__()  # with slots, a dataclass is a copy that super() does not know
        known = relations() if self.relations else ()
        for name in self.relations:
            if name not in known:
                raise UsageError(f"lineage follows no relation {name[:100]!r}; it follows: {', '.join(known)}")
        if self.strict and self.relations and "wasDerivedFrom" not in self.relations:
            raise UsageError("strict lineage follows wasDerivedFrom alone, which is not among the relations")
        for name in self.stop:
            _type(name)

    def traversals(self, direction: str = "upstream") -> list[Options]:
        """The options of the traversals of the index: one for a direction, two for ``both``."""
        from provrepo.views.lineage.states import Options

        return [
            Options(
                each == "upstream",
                None if self.depth is None else min(self.depth, sys.maxsize),
                self.strict,
                self.alternates or "alternateOf" in self.relations,
                relations=frozenset(self.relations) or None,
                stop=frozenset(map(_type, self.stop)),
            )
            for each in ("upstream", "downstream")
            if direction in (each, "both")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageQuery(TraversalQuery):
    """What a thing came from, or what depends on it."""

    iri: str = field(kw_only=False, metadata=_IRI)
    direction: str = field(default="upstream", metadata=_DIRECTION)
    to: str | None = field(
        default=None,
        metadata=option(
            "Only what is on a path to this thing.",
            Kind.THING,
            metavar="THING",
            label="Only what is on a path to this thing (its IRI)",
        ),
    )
    sources: Sequence[str] | None = field(
        default=None,
        metadata=option(
            "Report which roots are among these declared sources: IRIs, in which `*` stands for any characters.",
            Kind.LINES,
            parameter="source",
            metavar="FILE",
        ),
    )
    federated: bool = field(
        default=False,
        metadata=option(
            "Go on in the repositories of the configured peers, and say which of them says what.",
            Kind.FLAG,
            detail="It sends the IRIs of things to the peers, with the operator's tokens. Only the owner of the data "
            "directory and tokens that may write can request it.",
            label="Go on in other laboratories",
        ),
    )
    ask: str = field(
        default="all",
        metadata=option(
            "Which things the peers are asked about: `all`, or those that a peer is `known` to know.",
            Kind.CHOICE,
            detail="Known are content, what is below the URL of the peer, what a mirrored document or a pingback "
            "connects with it, and what it has named itself.",
            choices=ASKED,
        ),
    )
    limit: int = field(
        default=limits.LINEAGE_NODES,
        metadata=option(
            "The most things, and roots, in the answer.",
            Kind.NUMBER,
            detail=_COUNTED,
            most=limits.MAX_LINEAGE,
            varies=True,
            command_default=limits.PRINTED_NODES,
        ),
    )

    def __post_init__(self) -> None:
        super(LineageQuery, self).__post_init__()
        if self.ask != "all" and not self.federated:
            raise UsageError("ask is for a federated lineage")
        if self.federated and (self.project is not None or self.as_of is not None):
            name = "project" if self.project is not None else "as_of"
            raise UsageError(
                f"{name} cannot be combined with federated: peers have other projects and other times of acceptance"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactQuery(TraversalQuery):
    """How much depends on a thing."""

    iri: str = field(kw_only=False, metadata=_IRI)
    direction: str = field(default="downstream", metadata=_DIRECTION)
    limit: int = field(
        default=limits.IMPACT_GROUPS,
        metadata=option(
            "The most types, agents and projects in the answer.",
            Kind.NUMBER,
            detail=_COUNTED,
            most=limits.MAX_LINEAGE,
            varies=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonQuery(TraversalQuery):
    """What several things came from."""

    iris: Sequence[str] = field(
        kw_only=False,
        metadata=option(
            f"The things, 2 to {MOST_COMMON}.",
            Kind.THINGS,
            detail="One that another came from is common to both.",
            parameter="iri",
        ),
    )
    limit: int = field(
        default=limits.LINEAGE_NODES,
        metadata=option(
            "The most things in the answer.", Kind.NUMBER, detail=_COUNTED, most=limits.MAX_LINEAGE, varies=True
        ),
    )

    def __post_init__(self) -> None:
        super(CommonQuery, self).__post_init__()
        if not 2 <= len(self.starts()) <= MOST_COMMON:
            raise UsageError(f"name 2 to {MOST_COMMON} different things to find what they have in common")

    def starts(self) -> tuple[str, ...]:
        """The things, each once."""
        return tuple(dict.fromkeys(self.iris))


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingQuery(ScopedQuery):
    """The assertions about one thing."""

    iri: str = field(kw_only=False, metadata=_IRI)
    versions: int = field(
        default=limits.THING_VERSIONS,
        metadata=option(
            "The most versions to read, by project and document.",
            Kind.NUMBER,
            detail=_COUNTED,
            most=limits.MAX_THING_VERSIONS,
        ),
    )
    limit: int = field(
        default=limits.THING_STATEMENTS,
        metadata=option(
            "The most statements in the answer.",
            Kind.NUMBER,
            detail=f"Each version has some before one has many. {_COUNTED}",
            most=limits.MAX_LINEAGE,
            varies=True,
        ),
    )
    abandoned: Callable[[], bool] | None = field(
        default=None,
        metadata=option("Returns whether the answer is no longer needed; called several times a second.", Kind.PYTHON),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """The projects, documents and things that contain all words of a text."""

    text: str = field(
        kw_only=False,
        metadata=option(
            "Words; the last may be the beginning of one.",
            Kind.TEXT,
            label="Words of names, labels, types, values, notes, dates and checksums",
            detail="Case and accents make no difference. Things are found by IRI, label, types, identifiers and "
            "values; documents by name, title, note, IRI, digest, submitter and day; projects by name and title.",
            parameter="q",
        ),
    )
    project: str | None = field(default=None, metadata=_PROJECT)
    kind: str | None = field(
        default=None,
        metadata=option("Only things of this kind.", Kind.CHOICE, choices=_ELEMENTS, detail="It narrows things alone."),
    )
    type: str | None = field(
        default=None,
        metadata=option("Only things of this type, an IRI.", Kind.TEXT, detail="It narrows things alone."),
    )
    document: str | None = field(
        default=None,
        metadata=option("Only things in this document, `PROJECT/NAME`.", Kind.TEXT, detail="It narrows things alone."),
    )
    matched: str | None = field(
        default=None,
        metadata=option(
            "Only things whose names, types and identifiers contain the words (`name`), or only the others (`value`).",
            Kind.CHOICE,
            choices=MATCHED,
        ),
    )
    part: str = field(
        default="things",
        metadata=option(
            "What `page` and `limit` are about: `things` or `documents`.",
            Kind.CHOICE,
            choices=PARTS,
            detail=f"Of the other one, the first {FEW} are in the answer.",
        ),
    )
    sort: str = field(
        default="best",
        metadata=option(
            "The order.",
            Kind.CHOICE,
            choices=ORDERS,
            detail="`best` are names before values, then the shortest; `newest` is for documents, which otherwise "
            "are in the order of their names.",
        ),
    )
    page: int = field(
        default=1, metadata=option("The number of the page.", Kind.NUMBER, metavar="N", most=limits.MAX_LINEAGE)
    )
    limit: int = field(
        default=limits.SEARCH_HITS,
        metadata=option(
            "The most things or documents of a page.", Kind.NUMBER, detail=_COUNTED, most=limits.MAX_SEARCH_HITS
        ),
    )
    timeout: float | None = field(default=None, metadata=_TIMEOUT)

    def __post_init__(self) -> None:
        check(self)
        if self.sort == "newest" and self.part != "documents":
            raise UsageError("newest is an order of documents; ask for the part documents")
        if self.sort in ("label", "iri") and self.part != "things":
            raise UsageError(f"{self.sort} is an order of things, and not of documents")


def _type(name: str) -> str:
    """The IRI of a type, which may be written with a prefix."""
    prefix, colon, local = name.partition(":")
    iri = PREDECLARED[prefix] + local if colon and prefix in PREDECLARED else name
    try:
        required_iri(iri)
    except UsageError:
        prefixes = ", ".join(PREDECLARED)
        raise UsageError(
            f"stop at {name[:200]!r}: a type is an absolute IRI, or has one of the prefixes {prefixes}"
        ) from None
    return iri
