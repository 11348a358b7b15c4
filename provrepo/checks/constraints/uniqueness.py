"""Findings for clashes by the uniqueness constraints 22–29: the rule, the clashing statements, and the connection.

Advice must not break another of these rules when it is followed: a separate identifier is not proposed where it would
make a second generation by one activity, and for the time of a start the statement of its activity is listed too.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from provrepo.checks.constraints import rules
from provrepo.checks.constraints.causes import EVENT_TIME, Chain, Origins, Times, activity_index
from provrepo.checks.constraints.instance import DERIVED, Row, source
from provrepo.checks.constraints.names import FindingContext, Wording
from provrepo.checks.constraints.terms import FRESH, NONE
from provrepo.checks.constraints.unify import KEYS, Clash, Unifier
from provrepo.checks.findings import Finding
from provrepo.model.statements import ACTIVITY, DERIVATION, END, GENERATION, INFLUENCE, START, Kind

__all__ = ["clashes"]

_VALUES = 4
"""The most clashing values, and statements, in one finding."""

_MENTIONED, _INFLUENCE, _TIMED = 0, 15, (28, 29)
_MERGED = 22
"""Stands for all rules that merge rows, 22–27; ``Origins.chain`` finds the one that applies."""

_EVENTS = {28: START, 29: END}


def clashes(context: FindingContext, unifier: Unifier) -> Iterator[Finding]:
    """The findings for rules 22–29, 15 and the unique mention: one for all clashes of one row at one argument."""
    if not unifier.clashes:
        return
    origins = Origins(unifier)
    causes: dict[tuple[int, int, int], list[Clash]] = {}
    for clash in unifier.clashes:
        row = unifier.instance.representative(clash.rows[0])
        rule = clash.rule if clash.rule in (_MENTIONED, _INFLUENCE, *_TIMED) else _MERGED
        causes.setdefault((rule, clash.argument, id(row)), []).append(clash)
    for (rule, _, _), found in causes.items():
        if rule in _TIMED:
            yield _of_times(context, unifier, origins, found[0])
        elif rule == _MERGED:
            yield _of_merged(context, unifier, origins, found)
        else:
            yield _of_pair(context, unifier, origins, found)


# Rows that were merged --------------------------------------------------------------------------------------------


def _of_merged(context: FindingContext, unifier: Unifier, origins: Origins, found: list[Clash]) -> Finding:
    """The finding for clashes by rules 22–27 in one merged row."""
    first, instance, names = found[0], unifier.instance, context.names
    kind, argument = first.kind, first.argument
    merged = {id(row): row for clash in found for row in map(instance.representative, clash.rows)}
    rows = [origin for row in merged.values() for origin in origins.of(kind, row)]
    values = dict.fromkeys(instance.terms.find(term) for clash in found for term in clash.terms)
    chain = origins.chain(kind, rows, argument, values)
    rows_with: dict[int, Row] = {}
    for row in (*((chain.rows[0], chain.rows[-1]) if chain else ()), *rows):
        if row[argument] in values:
            rows_with.setdefault(row[argument], row)
    for clash in found:
        for row, term in zip(clash.rows, clash.terms, strict=True):
            rows_with.setdefault(instance.terms.find(term), row)
    applied = chain.rules if chain else [first.rule]
    # Where the chain needs a shared identifier too, the W3C's test cases attribute the clash to rule 23.
    rule = min(applied)
    shown = {term: source(row) for term, row in islice(rows_with.items(), _VALUES)}
    shown = dict(sorted(shown.items(), key=lambda item: item[1]))
    one, other, *_ = rows_with.values()
    return context.finding(
        rules.rule_id(rule),
        f"{_because(rule, applied)}, so there is one {_argument(kind, argument)}; but "
        f"{_stated_values(names, shown, len(rows_with))}{_connection(names, chain)}.",
        # At the later statement, which was probably added to the others.
        max(shown.values()),
        focus=_subject(
            unifier, one if rule <= 23 and one[0] > NONE else instance.representative(first.rows[0]), keyed=rule > 23
        ),
        repair=_repair(names, origins, kind, argument, applied, (one, other), len(rows_with)),
    )


def _because(rule: int, applied: list[int]) -> str:
    others = sorted({*applied} - {rule})
    meaning = rules.RULES[rule].meaning[:-1]
    also = "".join(f", and {_lower(rules.RULES[n].meaning[:-1])} ({rules.title(n)})" for n in others)
    return f"{meaning} ({rules.title(rule)}){also}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _stated_values(names: Wording, shown: dict[int, int], count: int) -> str:
    """The statements with their values, and the number of further values."""
    stated = [f"{names.short(number)} states {names.term(term)}" for term, number in shown.items()]
    more = f", and {count - len(shown):,} others differ too" if count > len(shown) else ""
    return f"{', and '.join(stated)}{more}"


def _connection(names: Wording, chain: Chain | None) -> str:
    """The statements between the first and the last of a chain, in parentheses; empty where there are none."""
    between = [source(row) for row in chain.rows[1:-1]] if chain else []
    if not between:
        return ""
    more = f" and {len(between) - _VALUES:,} others" if len(between) > _VALUES else ""
    return f" (connected through {', '.join(map(names.short, between[:_VALUES]))}{more})"


def _subject(unifier: Unifier, row: Row, *, keyed: bool) -> str | None:
    """The focus of a finding: the identifier of the relation, or its first argument where the key has that."""
    terms = unifier.instance.terms
    term = row[1] if keyed or row[0] <= NONE else row[0]
    return terms.names[terms.find(term)] or None


# Times of starts and ends -----------------------------------------------------------------------------------------


def _of_times(context: FindingContext, unifier: Unifier, origins: Origins, clash: Clash) -> Finding:
    """The finding for rules 28 and 29: an activity and its starts, or its ends, have different times."""
    names = context.names
    timed = origins.times(_EVENTS[clash.rule], clash.rows[1][1])
    shown = dict(islice(timed.instants.items(), _VALUES))
    return context.finding(
        rules.rule_id(clash.rule),
        f"{_because(clash.rule, [])}, so there is one time; but {_stated_values(names, shown, len(timed.instants))}.",
        max(shown.values()),
        focus=_subject(unifier, clash.rows[1], keyed=True),
        repair=_one_time(names, _EVENTS[clash.rule], timed),
    )


def _one_time(names: Wording, event: Kind, timed: Times) -> str:
    """Advice that lists all statements with the time of one start or end."""
    numbers = timed.statements
    listed = [names.short(number) for number in numbers[:_VALUES]]
    if len(numbers) > _VALUES:
        listed.append(f"{len(numbers) - _VALUES:,} others")
    which = "start" if event is START else "end"
    return f"Give the same {which} time in all of these: {', '.join(listed[:-1])} and {listed[-1]}."


# Two rows that are not merged --------------------------------------------------------------------------------------


def _of_pair(context: FindingContext, unifier: Unifier, origins: Origins, found: list[Clash]) -> Finding:
    """The finding for inference 15 with rule 23, or for the unique mention of PROV-Links."""
    first, terms, names = found[0], unifier.instance.terms, context.names
    statements_with: dict[int, int] = {}
    for clash in found:
        for row, term in zip(clash.rows, clash.terms, strict=True):
            statements_with.setdefault(terms.find(term), origins.statement_with(row, term))
    shown = dict(islice(statements_with.items(), _VALUES))
    number = max(shown.values())
    if first.rule == _MENTIONED:
        because = "An entity is a mention of one entity in one bundle (PROV-Links, unique-mention)"
        repair = "Keep the correct mention, or give the other one a different entity."
        rule = rules.MENTION
    else:
        because = f"By {rules.title(15)} both are one influence, and by {rules.title(23)} its identifier is a key"
        influences = any(names.statement(source(row)).kind is INFLUENCE for row in first.rows)
        same = f"Give both the same {_argument(first.kind, first.argument)}, or give" if influences else "Give"
        repair = f"{same} one of the two another identifier."
        rule = rules.rule_id(23)
    return context.finding(
        rule,
        f"{because}, so there is one {_argument(first.kind, first.argument)}; but "
        f"{_stated_values(names, shown, len(statements_with))}.",
        number,
        focus=_subject(unifier, first.rows[1], keyed=first.rule == _MENTIONED),
        repair=repair,
    )


# Advice -----------------------------------------------------------------------------------------------------------


def _repair(
    names: Wording, origins: Origins, kind: Kind, index: int, applied: list[int], pair: tuple[Row, Row], count: int
) -> str:
    """Advice to make the statements agree, or to separate them, that does not break another of the rules 22–29."""
    differing = _differing(pair)
    same = [index]
    if index == 0:
        # Rows with two identifiers were not merged, so that their other differences have no findings.
        same += [n for n in differing if n > 0]
    timed = _times_of(names, origins, kind, same, pair)
    if timed:
        same = [n for n in same if n != EVENT_TIME] if kind is not ACTIVITY else []
    advice = [timed] if timed else []
    if same:
        both = "both" if count == 2 else "all of them"
        unified = f"Give {both} the same {' and the same '.join(_argument(kind, n) for n in same)}"
        if max(applied) > 23:
            unified += f", or leave {'one of the two statements' if count == 2 else 'all statements but one'} out"
        elif _may_be_two(origins, kind, pair):
            unified += f", or give {'one of the two another identifier' if count == 2 else 'each its own identifier'}"
        advice.append(f"{unified}.")
        if "identifier" in unified:
            advice += _named_too(names, origins, kind, pair)
    return " ".join(advice)


def _named_too(names: Wording, origins: Origins, kind: Kind, pair: tuple[Row, Row]) -> Iterator[str]:
    """Advice for the derivations that name the generation or the usage, since they imply it (inference 11)."""
    numbers = origins.naming(kind, {row[0] for row in pair if row[0] > NONE})
    if numbers:
        listed = [names.short(number) for number in numbers[:_VALUES]]
        if len(numbers) > _VALUES:
            listed.append(f"{len(numbers) - _VALUES:,} more")
        which = "generation" if kind is GENERATION else "usage"
        yield f"Then name the right {which} in {' and in '.join(listed)}."


def _times_of(names: Wording, origins: Origins, kind: Kind, indexes: list[int], pair: tuple[Row, Row]) -> str | None:
    """Advice for a time that an activity and its starts, or its ends, share; None where there is none."""
    if kind in (START, END) and EVENT_TIME in indexes:
        timed = origins.times(kind, pair[0][1])
        return _one_time(names, kind, timed) if timed.statements else None
    if kind is ACTIVITY:
        event = START if indexes == [activity_index(START)] else END
        timed = origins.times(event, pair[0][0])
        if any(names.statement(number).kind is event for number in timed.statements):
            return _one_time(names, event, timed)
    return None


def _differing(pair: tuple[Row, Row]) -> list[int]:
    """The indexes at which both rows have a value, and a different one."""
    one, other = pair
    return [n for n in range(len(one) - 1) if one[n] != other[n] and FRESH not in (one[n], other[n])]


def _may_be_two(origins: Origins, kind: Kind, pair: tuple[Row, Row]) -> bool:
    """Whether two statements may have different identifiers, by the rules 22–29."""
    one, other = pair
    differing = _differing(pair)
    if kind in KEYS:
        _, first, second = KEYS[kind]
        if one[first] == other[first] and one[second] == other[second] != FRESH:
            return False
    if kind in (START, END) and EVENT_TIME in differing and one[1] == other[1]:
        # Two starts of an activity that is described have one time (28, 29).
        return not origins.times(kind, one[1]).statements
    if kind is DERIVATION:
        # By inference 11 a named generation is of the first argument, by the activity; and a usage of the second.
        activity, generation, usage = range(DERIVED.start, DERIVED.stop)
        if one[generation] == other[generation] > 1 and {1, activity} & {*differing}:
            return False
        if one[usage] == other[usage] > 1 and {2, activity} & {*differing}:
            return False
        return generation not in differing or bool({1, activity} & {*differing})
    return True


def _argument(kind: Kind, index: int) -> str:
    if index == 0:
        return "identifier"
    # ``startTime`` as words: ``start time``.
    return "".join(f" {c.lower()}" if c.isupper() else c for c in kind.arguments[index - 1].name)
