"""Findings for the violations of one instance, with the statements that cause them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from provrepo.checks.constraints import impossible, rules, times
from provrepo.checks.constraints.inferences import Facts
from provrepo.checks.constraints.instance import source
from provrepo.checks.constraints.names import LAYER, FindingContext, Wording
from provrepo.checks.constraints.ordering import Order, OrderStep, Unlisted, conflicts
from provrepo.checks.constraints.terms import FRESH
from provrepo.checks.constraints.unify import Unifier
from provrepo.checks.constraints.uniqueness import clashes
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
    SPECIALIZATION,
    START,
    USAGE,
)

__all__ = ["LAYER", "instance_findings", "repeated_bundles"]

_SHOWN = 12
"""The most steps of a cycle in a message; of a longer one the first and the last are shown."""

_TIMES = 100
"""The most findings about times of one instance; one more stands for the others."""


def instance_findings(bundle: Bundle, unifier: Unifier, document: Document) -> Iterator[Finding]:
    """All findings on one unified instance."""
    instance = unifier.instance
    names = Wording(instance.terms, instance.statements, {**document.prefixes, **bundle.prefixes})
    context = FindingContext(names, bundle.id)
    facts = Facts(unifier)
    yield from clashes(context, unifier)
    yield from _impossible(context, facts, unifier)
    order = Order(facts, unifier)
    nodes, components = order.graph.ordered()
    for cycle in conflicts(order, components):
        if isinstance(cycle, Unlisted):
            yield _unlisted_finding(context, cycle)
        else:
            yield _cycle_finding(context, order, cycle)
    yield from _contradicting_times(context, order, nodes, components)


def repeated_bundles(document: Document) -> Iterator[Finding]:
    """Findings for bundles with the same identifier (section 7.2)."""
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
                repair="Give each bundle an identifier of its own, or merge them where they describe the same.",
            )
        seen.add(bundle.id or "")


# Impossibility --------------------------------------------------------------------------------------------------


def _impossible(context: FindingContext, facts: Facts, unifier: Unifier) -> Iterator[Finding]:
    names = context.names
    for row in impossible.unspecified(facts):
        yield context.finding(
            rules.rule_id(51),
            f"{names.short(row[-1])} names a generation or a usage but no activity ({rules.title(51)}).",
            row[-1],
            repair=_specified(names, impossible.activity_of(unifier, row)),
        )
    for cycle in impossible.specialization_cycles(facts):
        listed = ", ".join(names.short(number) for number in cycle[:_SHOWN])
        listed += f", and {len(cycle) - _SHOWN:,} more" if len(cycle) > _SHOWN else ""
        follows = "" if len(cycle) == 1 else f", and with {rules.title(19)} these form a cycle"
        yield context.finding(
            rules.rule_id(52),
            f"Nothing is a specialization of itself ({rules.title(52)}){follows}: {listed}.",
            max(cycle),
            repair="One of these statements is wrong: correct it, or leave it out.",
        )
    for term, one, other in impossible.overlaps(unifier):
        yield context.finding(
            rules.rule_id(53),
            f"{names.term(term)} cannot be both a {one[0].name} and a {other[0].name} ({rules.title(53)}): "
            f"{names.short(one[1])}, {names.short(other[1])}.",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Give each relation an identifier of its own.",
        )
    for term, one, other in impossible.things_and_relations(facts, unifier):
        yield context.finding(
            rules.rule_id(54),
            f"{names.term(term)} cannot be both an {one[0].name} and a {other[0].name} ({rules.title(54)}): "
            f"{names.short(one[1])}, {names.short(other[1])}.",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Give the relation an identifier of its own.",
        )
    for term, one, other in impossible.entities_and_activities(facts):
        yield context.finding(
            rules.rule_id(55),
            f"{names.term(term)} cannot be both an entity and an activity ({rules.title(55)}): by its position it is "
            f"an entity in {names.short(one[1])} and an activity in {names.short(other[1])} (rule 50).",
            max(one[1], other[1]),
            focus=facts.instance.terms.names[term],
            repair="Use two identifiers, one for the thing and one for what happened.",
        )
    for rows, number in impossible.members_of_empty(facts):
        more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield context.finding(
            rules.rule_id(56),
            f"{names.term(rows[0][1])} is an empty collection by {names.short(number)}, so it has no members "
            f"({rules.title(56)}); but {names.short(source(rows[0]))}{more}.",
            source(rows[0]),
            repair="Type it as prov:Collection, or leave the members out.",
        )


def _specified(names: Wording, activity: int | None) -> str:
    """Advice for a derivation with a generation or a usage, but no activity."""
    if activity is None:
        return "Leave generation and usage out: no single activity used the one entity and generated the other by them."
    named = "" if activity == FRESH else f" {names.term(activity)}"
    return f"Name the activity{named}, or leave generation and usage out."


# Order ----------------------------------------------------------------------------------------------------------


def _cycle_finding(context: FindingContext, order: Order, cycle: list[OrderStep]) -> Finding:
    """The finding for a cycle, whose message lists the steps from an event back to itself."""
    names = context.names
    shown = cycle if len(cycle) <= _SHOWN else [*cycle[: _SHOWN - 2], *cycle[-2:]]
    sentences = [_sentence(names, order, step) for step in shown]
    if len(cycle) > _SHOWN:
        sentences.insert(_SHOWN - 2, f"and so on, {len(cycle) - _SHOWN:,} steps further")
    last = sentences.pop()
    preceding = "; ".join(sentences)
    involved = ", ".join(str(rule) for rule in sorted({step.rule for step in cycle} - {42}))
    with_others = f", with {'rules' if ',' in involved else 'rule'} {involved}" if involved else ""
    event = names.event(order, cycle[0].before)
    numbers = [step.statement for step in cycle if step.statement is not None]
    steps = f"{preceding}; but {last}" if preceding else last
    rule = f"{rules.title(42)}{with_others}"
    return context.finding(
        rules.rule_id(42),
        f"The order of events has a cycle: {steps}. So {event} would have come before itself ({rule}).",
        max(numbers),
        focus=names.subject(order, cycle[0].after),
        repair="One of these statements is wrong: correct it, or leave it out.",
    )


def _unlisted_finding(context: FindingContext, unlisted: Unlisted) -> Finding:
    return context.finding(
        rules.rule_id(42),
        f"More cycles are connected with these and not listed: {unlisted.listed} are listed, and {unlisted.strict:,} "
        "derivations are on cycles here.",
        unlisted.statement,
        severity=Severity.INFO,
        repair="Correct what is listed and check again.",
    )


def _sentence(names: Wording, order: Order, step: OrderStep) -> str:
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


def _reason(names: Wording, step: OrderStep) -> str:
    """The statement of a step in words where its kind is that of the rule, otherwise in short form."""
    number = step.statement
    if number is None:
        return ""
    statement = names.statement(number)
    parties = [statement.id] if statement.kind.element else statement.args[:2]
    shown = [names.identifier(party) for party in parties if isinstance(party, str)]
    words = _REASONS.get((step.rule, statement.kind))
    if words is None or words.count("{}") != len(shown):
        return names.short(number)
    return words.format(*shown) + names.line(number)


def _contradicting_times(
    context: FindingContext, order: Order, nodes: list[int], components: list[list[int]]
) -> Iterator[Finding]:
    names = context.names
    found = times.contradictions(order, nodes, components)
    for earlier, later in islice(found, _TIMES):
        yield context.finding(
            rules.TIMES,
            f"The times contradict the order of events: {names.event(order, earlier.node)} came no later than "
            f"{names.event(order, later.node)}, but it has the time {earlier.time.isoformat()}"
            f"{names.line(earlier.statement)} and the other {later.time.isoformat()}{names.line(later.statement)}.",
            later.statement,
            focus=names.subject(order, later.node),
            severity=Severity.WARNING,
            repair=_CLOCKS,
        )
    more = list(found)
    if more:
        yield context.finding(
            rules.TIMES,
            f"The times of {len(more):,} more events contradict their order; the first {_TIMES} are listed.",
            more[0].later.statement,
            focus=names.subject(order, more[0].later.node),
            severity=Severity.WARNING,
            repair=_CLOCKS,
            occurrences=len(more),
        )


_CLOCKS = "Check the clocks and the times; PROV itself does not relate them to the order of events."
