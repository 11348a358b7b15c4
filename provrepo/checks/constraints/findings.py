"""What the rules found, as findings for people: rule, clashing statements, and for a cycle the story."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from provrepo.checks.constraints import impossible, rules, times
from provrepo.checks.constraints.inferences import Facts
from provrepo.checks.constraints.instance import Row, source
from provrepo.checks.constraints.names import Names
from provrepo.checks.constraints.ordering import Order, Step, conflicts
from provrepo.checks.constraints.unify import Clash, Unifier
from provrepo.checks.findings import Finding, Severity
from provrepo.model.document import Bundle, Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    END,
    ENTITY,
    GENERATION,
    MENTION,
    SPECIALIZATION,
    START,
    USAGE,
)

__all__ = ["LAYER", "judge", "repeated_bundles"]

LAYER = "constraints"

_SHOWN = 12
"""Steps of a cycle that a story tells; of a longer one the first and the last."""

_VALUES = 4
"""Clashing values that one finding lists."""

_TIMES = 100
"""Contradicting times that are told of one instance."""


class _Place(NamedTuple):
    """What all findings of one instance need."""

    names: Names
    bundle: str | None

    def finding(
        self,
        rule: str,
        message: str,
        number: int,
        *,
        focus: str | None = None,
        severity: Severity = Severity.VIOLATION,
        repair: str | None = None,
    ) -> Finding:
        """A finding at the statement of that number."""
        statement = self.names.statement(number)
        line, column = statement.span or (None, None)
        if focus is None:
            focus = statement.id if statement.id is not None else next(iter(statement.identifiers()), None)
        return Finding(
            LAYER,
            rule,
            severity,
            message,
            focus=focus,
            line=line,
            column=column,
            bundle=self.bundle,
            repair=repair,
        )


def judge(bundle: Bundle, unifier: Unifier, document: Document) -> Iterator[Finding]:
    """Every finding on one instance that has been unified."""
    instance = unifier.instance
    names = Names(instance.terms, instance.statements, {**document.prefixes, **bundle.prefixes})
    place = _Place(names, bundle.id)
    facts = Facts(unifier)
    yield from _clashes(place, unifier)
    yield from _impossible(place, facts, unifier)
    order = Order(facts, unifier)
    nodes, components = order.graph.ordered()
    for cycle in conflicts(order, components):
        yield _story(place, order, cycle)
    yield from _contradicting_times(place, order, nodes, components)


def repeated_bundles(document: Document) -> Iterator[Finding]:
    """Section 7.2: the bundles of a document have different identifiers."""
    seen: set[str] = set()
    for bundle in document.bundles:
        if bundle.id is not None and bundle.id in seen:
            span = next((s.span for s in bundle.statements if s.span is not None), None)
            yield Finding(
                LAYER,
                rules.BUNDLES,
                Severity.VIOLATION,
                "The bundles of a document must have different identifiers (PROV-CONSTRAINTS section 7.2), and more "
                "than one has this one.",
                focus=bundle.id,
                line=span and span[0],
                approximate=span is not None,
                bundle=bundle.id,
                repair="Merge the bundles, or give each an identifier of its own.",
            )
        seen.add(bundle.id or "")


# Uniqueness -----------------------------------------------------------------------------------------------------


def _clashes(place: _Place, unifier: Unifier) -> Iterator[Finding]:
    """Rules 22–29; all that clashes with one row at one argument has one cause."""
    if not unifier.clashes:
        return
    said = _Said(unifier)
    causes: dict[tuple[int, int, int], list[Clash]] = {}
    for clash in unifier.clashes:
        row = unifier.instance.standing(clash.rows[0])
        causes.setdefault((clash.rule, clash.place, id(row)), []).append(clash)
    for found in causes.values():
        yield _clash(place, unifier, said, found)


def _clash(place: _Place, unifier: Unifier, said: _Said, found: list[Clash]) -> Finding:
    first, names = found[0], place.names
    values: dict[int, Row] = {}
    for clash in found:
        for row, term in zip(clash.rows, clash.terms, strict=True):
            values.setdefault(term, row)
    shown = {term: said.where(row, term) for term, row in islice(values.items(), _VALUES)}
    told = [f"{names.told(number)} says {names.term(term)}" for term, number in shown.items()]
    more = f", and {len(values) - _VALUES} others differ too" if len(values) > _VALUES else ""
    kind = first.kind
    argument = "identifier" if first.place == 0 else _words(kind.arguments[first.place - 1].name)
    rule = rules.MENTION if first.rule == 0 else rules.rule_id(23 if first.rule == 15 else first.rule)
    # The later statement is what somebody added to what was there.
    return place.finding(
        rule,
        f"{_because(first)}, so there is one {argument}; but {', and '.join(told)}{more}.",
        max(shown.values()),
        focus=_subject(unifier, first),
        repair=_REPAIRS.get(first.rule, "Keep the value that is right, or give one of them another identifier."),
    )


class _Said:
    """Which statement gives a value, where rows were merged from several."""

    def __init__(self, unifier: Unifier) -> None:
        instance = self._instance = unifier.instance
        self._merged: dict[int, list[Row]] = {}
        # The times of an activity may be those of its starts and ends (rules 28 and 29).
        self._events: dict[int, list[Row]] = {}
        for kind, rows in instance.rows.items():
            for row in rows:
                if id(row) in instance.dead:
                    self._merged.setdefault(id(instance.standing(row)), []).append(row)
                if kind in (START, END):
                    self._events.setdefault(instance.terms.find(row[1]), []).append(row)

    def where(self, row: Row, term: int) -> int:
        """The number of a statement that gives this value to this row."""
        instance = self._instance
        row = instance.standing(row)
        lexical = instance.terms.names[term]
        for other in (row, *self._merged.get(id(row), ()), *self._events.get(row[0], ())):
            statement = instance.statements[source(other)]
            if lexical == statement.id or lexical in statement.args:
                return source(other)
        return source(row)


def _because(clash: Clash) -> str:
    if clash.kind is MENTION and clash.rule == 0:
        return "An entity is a mention of one entity in one bundle (PROV-Links, unique-mention)"
    if clash.rule == 15:
        return f"By {rules.title(15)} both are one influence, and by {rules.title(23)} its identifier is a key"
    rule = rules.RULES[clash.rule]
    return f"{rule.meaning[:-1]} ({rules.title(clash.rule)})"


_REPAIRS = {
    24: "Use one identifier for both, or leave one of the two statements out.",
    25: "Use one identifier for both, or leave one of the two statements out.",
    26: "Use one identifier for both, or name the activities that started it.",
    27: "Use one identifier for both, or name the activities that ended it.",
    28: "Give the start and the activity the same time; two different triggers of one start have one time.",
    29: "Give the end and the activity the same time; two different triggers of one end have one time.",
}


def _subject(unifier: Unifier, clash: Clash) -> str | None:
    """What the finding is about: the identifier that is a key, or the thing that something happens to twice."""
    terms = unifier.instance.terms
    row = clash.rows[1]
    term = row[0] if clash.rule in (15, 22, 23) and row[0] > 1 else row[1]
    return terms.names[terms.find(term)] or None


# Impossibility --------------------------------------------------------------------------------------------------


def _impossible(place: _Place, facts: Facts, unifier: Unifier) -> Iterator[Finding]:
    names = place.names
    for row in impossible.unspecified(facts):
        yield place.finding(
            rules.rule_id(51),
            f"{names.told(row[-1])} names a generation or a usage but no activity ({rules.title(51)}).",
            row[-1],
            repair="Name the activity, or leave generation and usage out.",
        )
    for cycle in impossible.specialization_cycles(facts):
        told = ", ".join(names.told(number) for number in cycle[:_SHOWN])
        follows = "" if len(cycle) == 1 else f", and with {rules.title(19)} these lead back to where they began"
        yield place.finding(
            rules.rule_id(52),
            f"Nothing is a specialization of itself ({rules.title(52)}){follows}: {told}.",
            max(cycle),
            repair="Turn the wrong one of these round, or leave it out.",
        )
    for term, one, other in impossible.overlaps(unifier):
        yield place.finding(
            rules.rule_id(53),
            f"{names.term(term)} cannot be both a {one[0].name} and a {other[0].name} ({rules.title(53)}): "
            f"{names.told(one[1])}, {names.told(other[1])}.",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Give each relation an identifier of its own.",
        )
    for term, one, other in impossible.things_and_relations(facts, unifier):
        yield place.finding(
            rules.rule_id(54),
            f"{names.term(term)} cannot be both an {one[0].name} and a {other[0].name} ({rules.title(54)}): "
            f"{names.told(one[1])}, {names.told(other[1])}.",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Give the relation an identifier of its own.",
        )
    for term, one, other in impossible.both(facts):
        yield place.finding(
            rules.rule_id(55),
            f"{names.term(term)} cannot be both an entity and an activity ({rules.title(55)}): by its place it is an "
            f"entity in {names.told(one[1])} and an activity in {names.told(other[1])} (rule 50).",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Use two identifiers, one for the thing and one for what happened.",
        )
    for rows, number in impossible.members_of_nothing(facts):
        more = f", and {len(rows) - 1} more say so" if len(rows) > 1 else ""
        yield place.finding(
            rules.rule_id(56),
            f"{names.term(rows[0][1])} is an empty collection by {names.told(number)}, so it has no members "
            f"({rules.title(56)}); but {names.told(source(rows[0]))}{more}.",
            source(rows[0]),
            repair="Type it as prov:Collection, or leave the members out.",
        )


# Order ----------------------------------------------------------------------------------------------------------


def _story(place: _Place, order: Order, cycle: list[Step]) -> Finding:
    """The cycle as a story that ends where it began."""
    names = place.names
    told = cycle if len(cycle) <= _SHOWN else [*cycle[: _SHOWN - 2], *cycle[-2:]]
    sentences = [_sentence(names, order, step) for step in told]
    if len(cycle) > _SHOWN:
        sentences.insert(_SHOWN - 2, f"and so on, {len(cycle) - _SHOWN:,} steps further")
    last = sentences.pop()
    story = "; ".join(sentences)
    involved = ", ".join(str(rule) for rule in sorted({step.rule for step in cycle} - {42}))
    with_others = f", with {'rules' if ',' in involved else 'rule'} {involved}" if involved else ""
    what = names.event(order, cycle[0].before)
    numbers = [step.statement for step in cycle if step.statement is not None]
    begun = f"{story}; but {last}" if story else last
    rule = f"{rules.title(42)}{with_others}"
    return place.finding(
        rules.rule_id(42),
        f"The order of events goes round in a circle: {begun}. So {what} would have come before itself ({rule}).",
        max(numbers),
        focus=names.subject(order, cycle[0].after),
        repair="One of these statements is wrong: turn it round, or leave it out.",
    )


def _sentence(names: Names, order: Order, step: Step) -> str:
    before, after = names.event(order, step.before), names.event(order, step.after)
    relation = "came before" if step.rule == 42 else "came no later than"
    reason = "" if step.statement is None else f"{_reason(names, step)}, so "
    return f"{reason}{before} {relation} {after}"


_REASONS = {
    (30, ACTIVITY): "{} is an activity",
    (33, USAGE): "{} used {}",
    (34, GENERATION): "{} was generated by {}",
    (35, COMMUNICATION): "{} was informed by {}",
    (36, ENTITY): "{} is an entity",
    (37, USAGE): "{} used {}",
    (38, USAGE): "{} used {}",
    (42, DERIVATION): "{} was derived from {}",
    (43, START): "{} was started by {}",
    (44, END): "{} was ended by {}",
    (45, SPECIALIZATION): "{} is a specialization of {}",
    (46, SPECIALIZATION): "{} is a specialization of {}",
    (47, ASSOCIATION): "{} was associated with {}",
    (48, ATTRIBUTION): "{} was attributed to {}",
    (49, DELEGATION): "{} acted on behalf of {}",
}


def _reason(names: Names, step: Step) -> str:
    """The statement in words where it is of the kind that the rule is about, and as it is written where not."""
    number = step.statement
    if number is None:
        return ""
    statement = names.statement(number)
    parties = [statement.id] if statement.kind.element else statement.args[:2]
    shown = [names.identifier(party) for party in parties if isinstance(party, str)]
    words = _REASONS.get((step.rule, statement.kind))
    if words is None or words.count("{}") != len(shown):
        return names.told(number)
    return words.format(*shown) + names.at(number)


def _contradicting_times(
    place: _Place, order: Order, nodes: list[int], components: list[list[int]]
) -> Iterator[Finding]:
    names = place.names
    found: Iterable[times.Contradiction] = times.contradictions(order, nodes, components)
    for count, (earlier, later) in enumerate(found):
        if count == _TIMES:
            break
        yield place.finding(
            rules.TIMES,
            f"The times contradict the order of events: {names.event(order, earlier.node)} came no later than "
            f"{names.event(order, later.node)}, but it has the time {earlier.time.isoformat()}"
            f"{names.at(earlier.statement)} and the other {later.time.isoformat()}{names.at(later.statement)}.",
            later.statement,
            focus=names.subject(order, later.node),
            severity=Severity.WARNING,
            repair="Check the clocks and the times; PROV itself does not relate them to the order of events.",
        )


def _words(name: str) -> str:
    """``startTime`` as words: ``start time``."""
    return "".join(f" {c.lower()}" if c.isupper() or c.isdigit() else c for c in name)
