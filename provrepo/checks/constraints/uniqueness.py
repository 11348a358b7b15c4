"""Findings on the uniqueness constraints 22–29: which rule, which statements clash, and what makes them one.

Advice is chosen so that following it does not break another of these rules: where an identifier of its own would make a
second generation by one activity, it is not proposed, and where a start has a time, the activity's is named with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from provrepo.checks.constraints import rules
from provrepo.checks.constraints.causes import EVENT_TIME, Chain, Origins, Times, activity_place
from provrepo.checks.constraints.instance import DERIVED, Row, source
from provrepo.checks.constraints.names import Names, Place
from provrepo.checks.constraints.terms import FRESH, NONE
from provrepo.checks.constraints.unify import KEYS, Clash, Unifier
from provrepo.checks.findings import Finding
from provrepo.model.statements import ACTIVITY, DERIVATION, END, GENERATION, INFLUENCE, START, Kind

__all__ = ["clashes"]

_VALUES = 4
"""Clashing values, and statements, that one finding lists."""

_MENTIONED, _INFLUENCE, _TIMED = 0, 15, (28, 29)
_MERGED = 22
"""Stands for all rules that merge rows, 22–27: which of them is to blame is asked of the statements."""

_EVENTS = {28: START, 29: END}


def clashes(place: Place, unifier: Unifier) -> Iterator[Finding]:
    """Rules 22–29, 15 and the unique mention; all that clashes with one row at one argument has one cause."""
    if not unifier.clashes:
        return
    origins = Origins(unifier)
    causes: dict[tuple[int, int, int], list[Clash]] = {}
    for clash in unifier.clashes:
        row = unifier.instance.standing(clash.rows[0])
        rule = clash.rule if clash.rule in (_MENTIONED, _INFLUENCE, *_TIMED) else _MERGED
        causes.setdefault((rule, clash.place, id(row)), []).append(clash)
    for (rule, _, _), found in causes.items():
        if rule in _TIMED:
            yield _of_times(place, unifier, origins, found[0])
        elif rule == _MERGED:
            yield _of_merged(place, unifier, origins, found)
        else:
            yield _of_pair(place, unifier, origins, found)


# What the rows were merged by -------------------------------------------------------------------------------------


def _of_merged(place: Place, unifier: Unifier, origins: Origins, found: list[Clash]) -> Finding:
    """Rules 22–27."""
    first, instance, names = found[0], unifier.instance, place.names
    kind, argument = first.kind, first.place
    merged = {id(row): row for clash in found for row in map(instance.standing, clash.rows)}
    rows = [origin for row in merged.values() for origin in origins.of(kind, row)]
    values = dict.fromkeys(instance.terms.find(term) for clash in found for term in clash.terms)
    chain = origins.chain(kind, rows, argument, values)
    givers: dict[int, Row] = {}
    for row in (*((chain.rows[0], chain.rows[-1]) if chain else ()), *rows):
        if row[argument] in values:
            givers.setdefault(row[argument], row)
    for clash in found:
        for row, term in zip(clash.rows, clash.terms, strict=True):
            givers.setdefault(instance.terms.find(term), row)
    applied = chain.rules if chain else [first.rule]
    # Where the chain needs a shared identifier too, the W3C's own cases call it a matter of rule 23.
    rule = min(applied)
    shown = {term: source(row) for term, row in islice(givers.items(), _VALUES)}
    shown = dict(sorted(shown.items(), key=lambda item: item[1]))
    one, other, *_ = givers.values()
    return place.finding(
        rules.rule_id(rule),
        f"{_because(rule, applied)}, so there is one {_argument(kind, argument)}; but "
        f"{_told(names, shown, len(givers))}{_between(names, chain)}.",
        # The later statement is what somebody added to what was there.
        max(shown.values()),
        focus=_subject(
            unifier, one if rule <= 23 and one[0] > NONE else instance.standing(first.rows[0]), keyed=rule > 23
        ),
        repair=_repair(names, origins, kind, argument, applied, (one, other), len(givers)),
    )


def _because(rule: int, applied: list[int]) -> str:
    others = sorted({*applied} - {rule})
    meaning = rules.RULES[rule].meaning[:-1]
    also = "".join(f", and {_lower(rules.RULES[n].meaning[:-1])} ({rules.title(n)})" for n in others)
    return f"{meaning} ({rules.title(rule)}){also}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _told(names: Names, shown: dict[int, int], count: int) -> str:
    """Who says what, and how many others differ."""
    told = [f"{names.told(number)} says {names.term(term)}" for term, number in shown.items()]
    more = f", and {count - len(shown):,} others differ too" if count > len(shown) else ""
    return f"{', and '.join(told)}{more}"


def _between(names: Names, chain: Chain | None) -> str:
    """The statements by way of which the values meet."""
    between = [source(row) for row in chain.rows[1:-1]] if chain else []
    if not between:
        return ""
    more = f" and {len(between) - _VALUES:,} others" if len(between) > _VALUES else ""
    return f" (the two meet through {', '.join(map(names.told, between[:_VALUES]))}{more})"


def _subject(unifier: Unifier, row: Row, *, keyed: bool) -> str | None:
    """What the finding is about: the identifier that is a key, or the thing that something happens to twice."""
    terms = unifier.instance.terms
    term = row[1] if keyed or row[0] <= NONE else row[0]
    return terms.names[terms.find(term)] or None


# Times of starts and ends -----------------------------------------------------------------------------------------


def _of_times(place: Place, unifier: Unifier, origins: Origins, clash: Clash) -> Finding:
    """Rules 28 and 29: the statements about an activity and about its starts, or its ends, give one time."""
    names = place.names
    timed = origins.times(_EVENTS[clash.rule], clash.rows[1][1])
    shown = dict(islice(timed.instants.items(), _VALUES))
    return place.finding(
        rules.rule_id(clash.rule),
        f"{_because(clash.rule, [])}, so there is one time; but {_told(names, shown, len(timed.instants))}.",
        max(shown.values()),
        focus=_subject(unifier, clash.rows[1], keyed=True),
        repair=_one_time(names, _EVENTS[clash.rule], timed),
    )


def _one_time(names: Names, event: Kind, timed: Times) -> str:
    """Advice that holds for all statements that give the time of one start or end."""
    numbers = timed.statements
    listed = [names.told(number) for number in numbers[:_VALUES]]
    if len(numbers) > _VALUES:
        listed.append(f"{len(numbers) - _VALUES:,} others")
    which = "start" if event is START else "end"
    return f"Give the same {which} time in all of these: {', '.join(listed[:-1])} and {listed[-1]}."


# Two rows that are not merged --------------------------------------------------------------------------------------


def _of_pair(place: Place, unifier: Unifier, origins: Origins, found: list[Clash]) -> Finding:
    """Inference 15 with rule 23, and the unique mention of PROV-Links."""
    first, terms, names = found[0], unifier.instance.terms, place.names
    givers: dict[int, int] = {}
    for clash in found:
        for row, term in zip(clash.rows, clash.terms, strict=True):
            givers.setdefault(terms.find(term), origins.giver(row, term))
    shown = dict(islice(givers.items(), _VALUES))
    number = max(shown.values())
    if first.rule == _MENTIONED:
        because = "An entity is a mention of one entity in one bundle (PROV-Links, unique-mention)"
        repair = "Keep the mention that is right, or let the other be about an entity of its own."
        rule = rules.MENTION
    else:
        because = f"By {rules.title(15)} both are one influence, and by {rules.title(23)} its identifier is a key"
        influences = any(names.statement(source(row)).kind is INFLUENCE for row in first.rows)
        same = f"Give both the same {_argument(first.kind, first.place)}, or give" if influences else "Give"
        repair = f"{same} one of the two another identifier."
        rule = rules.rule_id(23)
    return place.finding(
        rule,
        f"{because}, so there is one {_argument(first.kind, first.place)}; but {_told(names, shown, len(givers))}.",
        number,
        focus=_subject(unifier, first.rows[1], keyed=first.rule == _MENTIONED),
        repair=repair,
    )


# Advice -----------------------------------------------------------------------------------------------------------


def _repair(
    names: Names, origins: Origins, kind: Kind, place: int, applied: list[int], pair: tuple[Row, Row], count: int
) -> str:
    """What makes two statements one, or two things of them, without breaking another of the rules 22–29."""
    differing = _differing(pair)
    same = [place]
    if place == 0:
        # Rows with two identifiers were not merged, so nothing else that differs has a finding of its own.
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


def _named_too(names: Names, origins: Origins, kind: Kind, pair: tuple[Row, Row]) -> Iterator[str]:
    """Advice for the derivations that name a generation or a usage, which implies it (inference 11)."""
    numbers = origins.naming(kind, {row[0] for row in pair if row[0] > NONE})
    if numbers:
        listed = [names.told(number) for number in numbers[:_VALUES]]
        if len(numbers) > _VALUES:
            listed.append(f"{len(numbers) - _VALUES:,} more")
        which = "generation" if kind is GENERATION else "usage"
        yield f"Then name the right {which} in {' and in '.join(listed)}."


def _times_of(names: Names, origins: Origins, kind: Kind, places: list[int], pair: tuple[Row, Row]) -> str | None:
    """Advice for a time that the statements about an activity and about its starts, or its ends, have in common."""
    if kind in (START, END) and EVENT_TIME in places:
        timed = origins.times(kind, pair[0][1])
        return _one_time(names, kind, timed) if timed.statements else None
    if kind is ACTIVITY:
        event = START if places == [activity_place(START)] else END
        timed = origins.times(event, pair[0][0])
        if any(names.statement(number).kind is event for number in timed.statements):
            return _one_time(names, event, timed)
    return None


def _differing(pair: tuple[Row, Row]) -> list[int]:
    """The places at which both rows have a value, and not the same."""
    one, other = pair
    return [n for n in range(len(one) - 1) if one[n] != other[n] and FRESH not in (one[n], other[n])]


def _may_be_two(origins: Origins, kind: Kind, pair: tuple[Row, Row]) -> bool:
    """Whether two statements could have two identifiers."""
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
        # By inference 11 a named generation is of the first argument, by the activity; a usage of the second.
        activity, generation, usage = range(DERIVED.start, DERIVED.stop)
        if one[generation] == other[generation] > 1 and {1, activity} & {*differing}:
            return False
        if one[usage] == other[usage] > 1 and {2, activity} & {*differing}:
            return False
        return generation not in differing or bool({1, activity} & {*differing})
    return True


def _argument(kind: Kind, place: int) -> str:
    if place == 0:
        return "identifier"
    # ``startTime`` as words: ``start time``.
    return "".join(f" {c.lower()}" if c.isupper() else c for c in kind.arguments[place - 1].name)
