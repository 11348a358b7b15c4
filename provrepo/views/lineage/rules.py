"""The rules of lineage: for each relation of PROV its upstream direction, and whether a traversal follows it.

Upstream leads from an effect to its cause. ``docs/reference/lineage.md`` shows this table and is checked
against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from provrepo.model.statements import (
    ALTERNATE,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    DICTIONARY_MEMBERSHIP,
    END,
    GENERATION,
    INFLUENCE,
    INSERTION,
    INVALIDATION,
    MEMBERSHIP,
    MENTION,
    REMOVAL,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)

__all__ = [
    "ASSERTED",
    "BY_RESOLUTION",
    "EDGES",
    "RESOLVED",
    "RULES",
    "VIA_ACTIVITY",
    "Follow",
    "Rule",
    "markdown",
]

ASSERTED = "asserted"
"""The basis of an edge that itself asserts that one thing came from the other."""

VIA_ACTIVITY = "via-activity"
"""The basis of an edge through an activity: what it generated may have come from what it used."""

BY_RESOLUTION = "resolved"
"""The basis of an edge that no document asserts: times tell which version an unknown read was of."""


class Follow(Enum):
    """Whether a traversal follows a relation."""

    YES = "yes"
    LEAF = "as a leaf"
    GENERAL = "to the general"
    REQUEST = "on request"
    IMPLIED = "by what it implies"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Rule:
    """One relation, or one of its further arguments.

    Attributes:
        kind: the kind of statement.
        follow: whether a traversal follows it.
        why: the reason, for people.
        place: the index of the argument that is upstream of the first one.
        basis: ``ASSERTED``, ``VIA_ACTIVITY`` or ``BY_RESOLUTION``.
    """

    kind: Kind
    follow: Follow
    why: str
    place: int = 1
    basis: str = ASSERTED

    @property
    def name(self) -> str:
        """Its name on edges: the relation, and the argument where that is not the second one, or how it is known."""
        if self.basis == BY_RESOLUTION:
            return f"{self.kind.name}:{self.basis}"
        return self.kind.name if self.place == 1 else f"{self.kind.name}:{self.kind.arguments[self.place].name}"


_NEVER, _YES, _LEAF, _GENERAL = Follow.NO, Follow.YES, Follow.LEAF, Follow.GENERAL

RULES: tuple[Rule, ...] = (
    Rule(GENERATION, _YES, "a thing comes from the activity that made it", basis=VIA_ACTIVITY),
    Rule(
        USAGE,
        _YES,
        "an activity depends on what it used; but a use that is timed after a generation does not explain it",
        basis=VIA_ACTIVITY,
    ),
    Rule(COMMUNICATION, _YES, "the informed activity used something that the informant made", basis=VIA_ACTIVITY),
    Rule(START, _YES, "the trigger is why the activity took place", basis=VIA_ACTIVITY),
    Rule(START, _YES, "the starter made the trigger", place=2, basis=VIA_ACTIVITY),
    Rule(END, _NEVER, "what ends an activity does not explain what it had made"),
    Rule(INVALIDATION, _NEVER, "what destroys a thing does not explain it"),
    Rule(DERIVATION, _YES, "this is what lineage is; narrower derivations are derivations"),
    Rule(ATTRIBUTION, _LEAF, "an agent is named, and not followed to everything else it did"),
    Rule(ASSOCIATION, _LEAF, "an agent is named, and not followed"),
    Rule(ASSOCIATION, _LEAF, "a plan is named, and not followed to every other use of it", place=2),
    Rule(DELEGATION, _NEVER, "it speaks of agents"),
    Rule(INFLUENCE, _YES, "whatever the influence was, it was one"),
    Rule(
        SPECIALIZATION,
        _GENERAL,
        "from the specific to the general, and from there only further up, or from content to its versions",
    ),
    Rule(ALTERNATE, Follow.REQUEST, "alternates are aspects of one thing; which came first is not said"),
    Rule(MEMBERSHIP, _YES, "a collection consists of its members"),
    Rule(MENTION, _GENERAL, "a mention is a specialization"),
    Rule(INSERTION, Follow.IMPLIED, "it implies a derivation, which the completion adds"),
    Rule(REMOVAL, Follow.IMPLIED, "it implies a derivation, which the completion adds"),
    Rule(DICTIONARY_MEMBERSHIP, Follow.IMPLIED, "it implies a membership, which the completion adds"),
)
"""Every relation. The index of a rule is its number in the tables, so the order is fixed."""

EDGES: tuple[Rule, ...] = (
    *RULES,
    Rule(
        ALTERNATE,
        _YES,
        "what a run read of a dataset is the version that was written last before the run started",
        basis=BY_RESOLUTION,
    ),
)
"""What edges of answers may be: the relations, and the resolution of an unknown read to a version."""

RESOLVED = len(RULES)
"""The number of the resolution in ``EDGES``."""


def markdown() -> str:
    """The table in Markdown, for the reference."""
    rows = ["| relation | upstream | followed | edges are | because |", "|---|---|---|---|---|"]
    for rule in EDGES:
        arguments = rule.kind.arguments
        direction = f"{arguments[0].name} → {arguments[rule.place].name}"
        basis = rule.basis if rule.follow not in (Follow.NO, Follow.IMPLIED) else ""
        rows.append(f"| `{rule.name}` | {direction} | {rule.follow.value} | {basis} | {rule.why} |")
    return "\n".join(rows) + "\n"
