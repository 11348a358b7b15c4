"""The advice of a finding of PROV-CONSTRAINTS, followed to the letter, does not break another rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import pytest

import provrepo
from provrepo.checks.constraints.validity import check
from provrepo.checks.findings import Finding, Severity

EARLY, LATE, LATER = (f"2024-05-31T{hour}:00:00Z" for hour in (10, 11, 12))

ARGUMENTS = {
    "activity": ("start time", "end time"),
    "wasGeneratedBy": ("entity", "activity", "time"),
    "wasInvalidatedBy": ("entity", "activity", "time"),
    "used": ("activity", "entity", "time"),
    "wasStartedBy": ("activity", "trigger", "starter", "time"),
    "wasEndedBy": ("activity", "trigger", "ender", "time"),
    "wasDerivedFrom": ("generated entity", "used entity", "activity", "generation", "usage"),
    "wasAssociatedWith": ("activity", "agent", "plan"),
    "actedOnBehalfOf": ("delegate", "responsible", "activity"),
    "wasInfluencedBy": ("influencee", "influencer"),
    "mentionOf": ("specific entity", "general entity", "bundle"),
}


class Line(NamedTuple):
    kind: str
    id: str
    args: tuple[str, ...]

    def __str__(self) -> str:
        separator = ", " if self.kind == "activity" else "; "
        head = f"{self.id}{separator}" if self.id else ""
        return f"{self.kind}({head}{', '.join(self.args)})"

    def place(self, argument: str) -> int:
        """Where an argument is; every relation is an influence of the first of two on the second (inference 15)."""
        if argument in ("influencee", "influencer"):
            return ("influencee", "influencer").index(argument)
        return ARGUMENTS[self.kind].index(argument)

    def given(self, argument: str) -> str:
        return self.id if argument == "identifier" else self.args[self.place(argument)]

    def giving(self, argument: str, value: str) -> Line:
        if argument == "identifier":
            return self._replace(id=value)
        place = self.place(argument)
        return self._replace(args=(*self.args[:place], value, *self.args[place + 1 :]))


FIRST = 3
"""The line of the first statement."""


def violations(statements: list[Line]) -> list[Finding]:
    lines = ["document", "prefix ex <http://example.org/>", *map(str, statements), "endDocument"]
    found = check(provrepo.read("\n".join(lines).encode(), format="provn"))
    return [finding for finding in found if finding.severity is Severity.VIOLATION]


def mended(statements: list[Line], finding: Finding) -> Iterator[list[Line]]:
    """The document after each alternative of the repair."""
    assert finding.repair is not None
    values = finding.message.split(" (connected through")[0]
    clashing = [int(line) - FIRST for line in re.findall(r"\(line (\d+)\) states", values)]
    common = list(statements)
    repair = finding.repair
    timed = re.match(r"Give the same (start|end) time in all of these: (.*\(line \d+\))\.(?: |$)", repair)
    if timed:
        lines = [int(line) - FIRST for line in re.findall(r"\(line (\d+)\)", timed[2])]
        repair = repair[timed.end() :]
        place = {n: f"{timed[1]} time" if common[n].kind == "activity" else "time" for n in lines}
        instant = next(common[n].given(place[n]) for n in lines if common[n].given(place[n]) != "-")
        for n in lines:
            common[n] = common[n].giving(place[n], instant)
    if not repair:
        yield common
        return
    same = re.match(r"Give (?:both|all of them) the same ([^,.]*)", repair)
    assert same or repair == "Give one of the two another identifier.", repair
    if same:
        result = list(common)
        for argument in same[1].split(" and the same "):
            if finding.rule == "prov-constraints:24" and all(common[n].kind == "wasDerivedFrom" for n in clashing):
                argument = "generation"  # noqa: PLW2901 (what identifies the generation that a derivation implies)
            values = [result[n].given(argument) for n in clashing]
            value = next(value for value in values if value not in ("-", ""))
            for n in clashing:
                result[n] = result[n].giving(argument, value)
        yield result
    if "leave one of the two statements out" in repair or "leave all statements but one out" in repair:
        yield [one for n, one in enumerate(common) if n not in clashing[1:]]
    if "another identifier" in repair or "its own identifier" in repair:
        result = list(common)
        for n in clashing[1:]:
            result[n] = result[n].giving("identifier", f"ex:new{n}")
        yield result


def assert_advice_helps(statements: list[Line]) -> int:
    """Follow all alternatives of all advice until nothing is violated; return the number of first findings."""
    found = violations(statements)
    before = {finding.rule for finding in found}
    waiting = [(statements, found)] if found else []
    while waiting:
        document, left = waiting.pop()
        # One finding at a time; those of other rules may remain, but the rule followed gives no new one.
        for result in mended(document, left[0]):
            rest = violations(result)
            assert {f.rule for f in rest} <= before, (list(map(str, document)), left[0].repair, rest[0].message)
            assert len(rest) < len(left), (list(map(str, document)), left[0].repair, rest[0].message)
            if rest:
                waiting.append((result, rest))
    return len(found)


def statements(kind: str, *choices: tuple[str, ...]) -> list[Line]:
    return [Line(kind, name, tuple(args)) for name, *args in product(*choices)]


NAMES = ("", "ex:r1", "ex:r2")
TIMES = ("-", EARLY, LATE)

PAIRS = {
    "wasGeneratedBy": statements("wasGeneratedBy", NAMES, ("ex:e1",), ("-", "ex:a1", "ex:a2"), TIMES),
    "wasInvalidatedBy": statements("wasInvalidatedBy", NAMES, ("ex:e1",), ("-", "ex:a1"), TIMES),
    "used": statements("used", ("ex:r1",), ("ex:a1", "ex:a2"), ("ex:e1", "ex:e2"), TIMES),
    "wasStartedBy": statements("wasStartedBy", NAMES, ("ex:a",), ("-", "ex:t1", "ex:t2"), ("-", "ex:b1"), TIMES),
    "wasEndedBy": statements("wasEndedBy", NAMES[:2], ("ex:a",), ("-", "ex:t1"), ("-", "ex:b1", "ex:b2"), TIMES),
    "wasDerivedFrom": statements(
        "wasDerivedFrom", ("ex:r1",), ("ex:e2",), ("ex:e1",), ("ex:a1", "ex:a2"), ("-", "ex:g1", "ex:g2"), ("-", "ex:u")
    ),
    "wasAssociatedWith": statements("wasAssociatedWith", ("ex:r1",), ("ex:a1", "ex:a2"), ("ex:ag",), ("-", "ex:p")),
    "actedOnBehalfOf": statements("actedOnBehalfOf", ("ex:r1",), ("ex:x", "ex:y"), ("ex:z",), ("-", "ex:a1", "ex:a2")),
}
FACTS = {
    "wasStartedBy": [Line("activity", "ex:a", (EARLY, "-"))],
    "wasEndedBy": [Line("activity", "ex:a", ("-", LATER))],
}


@pytest.mark.parametrize("kind", PAIRS)
def test_following_the_advice_on_any_two_statements_breaks_no_other_rule(kind):
    counted = 0
    for context in ([], FACTS.get(kind)):
        if context is not None:
            for one, other in combinations_with_replacement(PAIRS[kind], 2):
                counted += assert_advice_helps([*context, one, other])
    assert counted > 1


@pytest.mark.parametrize(
    "lines",
    [
        [Line("activity", "ex:a", (time, "-")) for time in (EARLY, LATE)]
        + [Line("wasStartedBy", "", ("ex:a", "-", "-", EARLY))],
        [Line("activity", "ex:a", ("-", time)) for time in (EARLY, LATE, LATER)],
        [Line("wasGeneratedBy", f"ex:g{n}", ("ex:e", "ex:a", time)) for n, time in enumerate((EARLY, LATE, LATER))],
        [
            Line("wasGeneratedBy", "ex:g", ("ex:e", "-", EARLY)),
            Line("wasGeneratedBy", "ex:g", ("ex:e", "ex:a", "-")),
            Line("wasGeneratedBy", "", ("ex:e", "ex:a", LATE)),
        ],
        [
            Line("activity", "ex:a", ("-", "-")),
            Line("wasStartedBy", "", ("ex:a", "-", "ex:b1", EARLY)),
            Line("wasStartedBy", "", ("ex:a", "-", "ex:b2", LATE)),
        ],
        [
            Line("wasDerivedFrom", "ex:x", ("ex:e2", "ex:e1", "-", "-", "-")),
            Line("used", "ex:x", ("ex:a", "ex:e1", "-")),
        ],
        [Line("used", "ex:x", ("ex:a", "ex:e1", "-")), Line("wasInfluencedBy", "ex:x", ("ex:a", "ex:e2"))],
        [
            Line("wasDerivedFrom", "", ("ex:e2", "ex:e1", "ex:a", "ex:g1", "-")),
            Line("wasDerivedFrom", "", ("ex:e2", "ex:e0", "ex:a", "ex:g2", "-")),
        ],
    ],
)
def test_following_the_advice_where_several_rules_meet(lines):
    assert assert_advice_helps(lines)


# Which rule -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("wasGeneratedBy", 24), ("wasInvalidatedBy", 25), ("wasStartedBy", 26), ("wasEndedBy", 27)],
)
@pytest.mark.parametrize("named", [False, True])
def test_two_events_of_one_activity_and_entity_violate_the_uniqueness_rule(kind, rule, named):
    between = ("ex:x", "-", "ex:b") if "ed" in kind and kind[3:] in ("StartedBy", "EndedBy") else ("ex:x", "ex:b")
    lines = [Line(kind, "ex:r" if named and n else "", (*between, time)) for n, time in enumerate((EARLY, LATE))]
    (finding,) = violations(lines)
    assert finding.rule == f"prov-constraints:{rule}"
    assert finding.repair == "Give both the same time, or leave one of the two statements out."
    assert finding.focus == "http://example.org/x"


def test_a_shared_identifier_violates_the_key_rule_before_the_uniqueness_rule():
    lines = [Line("wasGeneratedBy", "ex:g", ("ex:e", "ex:a", time)) for time in (EARLY, LATE)]
    (finding,) = violations(lines)
    assert (finding.rule, finding.focus) == ("prov-constraints:23", "http://example.org/g")
    assert finding.repair == "Give both the same time."


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_the_cause_does_not_depend_on_the_order_of_statements(order):
    lines = [
        Line("wasGeneratedBy", "ex:g", ("ex:e", "-", EARLY)),
        Line("wasGeneratedBy", "ex:g", ("ex:e", "ex:a", "-")),
        Line("wasGeneratedBy", "", ("ex:e", "ex:a", LATE)),
    ]
    (finding,) = violations([lines[n] for n in order])
    assert finding.rule == "prov-constraints:23"
    assert "rule 24 (unique-generation)" in finding.message
    assert f"connected through wasGeneratedBy(ex:g; ex:e, ex:a) (line {order.index(1) + FIRST})" in finding.message


def test_a_derivation_without_activity_gets_the_activity_of_its_generation_as_advice():
    derived = Line("wasDerivedFrom", "", ("ex:e2", "ex:e1", "-", "ex:g", "-"))
    generated = Line("wasGeneratedBy", "ex:g", ("ex:e2", "ex:a", "-"))
    (finding,) = violations([derived, generated])
    assert finding.repair == "Name the activity ex:a, or leave generation and usage out."
    assert violations([derived.giving("activity", "ex:a"), generated]) == []
    (finding,) = violations([derived, generated.giving("entity", "ex:e3")])
    assert finding.repair is not None
    assert finding.repair.startswith("Leave generation and usage out")


@pytest.mark.parametrize(
    ("lines", "rule", "right"),
    [
        # The identifiers of two generations that are one, of which a derivation names one or both.
        ([("wasGeneratedBy", "ex:g1", "ex:e2", "ex:a", "-"), ("wasGeneratedBy", "ex:g2", "ex:e2", "ex:a", "-")], 24, 1),
        ([("wasGeneratedBy", "ex:g2", "ex:e2", "ex:a", "-")], 24, 0),
        # A generation, and a usage, of something else than the derivation says.
        ([("wasGeneratedBy", "ex:g1", "ex:e3", "ex:a", "-")], 23, None),
        ([("used", "ex:u", "ex:a", "ex:e3", "-")], 23, None),
    ],
)
def test_advice_names_the_derivations_that_name_a_generation_or_a_usage(lines, rule, right):
    derived = Line("wasDerivedFrom", "ex:d", ("ex:e2", "ex:e1", "ex:a", "ex:g1", "ex:u"))
    others = [Line(kind, name, tuple(args)) for kind, name, *args in lines]
    (finding,) = violations([derived, *others])
    assert finding.rule == f"prov-constraints:{rule}"
    which = "usage" if others[0].kind == "used" else "generation"
    assert finding.repair.endswith(f"Then name the right {which} in {derived} (line {FIRST}).")
    if right is not None:
        name = others[right].id
        followed = [derived.giving("generation", name), *(one.giving("identifier", name) for one in others)]
    else:
        followed = [derived.giving(which, "ex:new"), *others]
    assert not violations(followed)
