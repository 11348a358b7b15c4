"""Regular expressions matched in linear time: the same results as Python's engine, also on hostile texts."""

from __future__ import annotations

import random
import re

import pytest

from provrepo.checks.shapes.matching import Matcher, Unmatchable, python_flags
from provrepo.checks.shapes.patterns import why_refused

ATOMS = (
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\w",
    r"\d",
    r"\s",
    r"\b",
    r"\B",
    "^",
    "$",
    "(a|b)",
    "(ab|a)",
    r"\n",
    "A",
    "[a-c1]",
)
AROUND = ("(?=a)", "(?!a)", "(?=.*b)", "(?!.*b$)", "(?<=a)", "(?<!b)", "(?=a(?!b))")
QUANTIFIERS = ("*", "+", "?", "{1,2}", "*?", "{2}", "{0,3}?", "{2,}")
FLAGS = (0, re.IGNORECASE, re.MULTILINE, re.DOTALL, re.MULTILINE | re.DOTALL)


def expression(chance: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(chance.randint(1, 4)):
        if depth < 3 and chance.random() < 0.3:
            inner = expression(chance, depth + 1)
            part = f"({inner}|{expression(chance, depth + 1)})" if chance.random() < 0.5 else f"(?:{inner})"
        elif chance.random() < 0.1:
            parts.append(chance.choice(AROUND))
            continue
        else:
            part = chance.choice(ATOMS)
        if part not in (r"\b", r"\B", "^", "$") and chance.random() < 0.4:
            part += chance.choice(QUANTIFIERS)
        parts.append(part)
    return "".join(parts)


def test_results_are_those_of_python():
    chance = random.Random(13)
    compared = matched = 0
    for _ in range(1500):
        pattern, flags = expression(chance), chance.choice(FLAGS)
        known = re.compile(pattern, flags)
        ours = Matcher(pattern, flags)
        for _ in range(6):
            text = "".join(chance.choice("abA1 \n") for _ in range(chance.randint(0, 7)))
            if text.endswith("\n") or (not text and r"\B" in pattern):
                continue  # Python's $ is another one, and before 3.14 its \B is nowhere in an empty text
            assert ours.search(text) == (known.search(text) is not None), (pattern, flags, text)
            compared += 1
            matched += ours.search(text)
    assert compared > 5000
    assert matched > 1000


def test_the_end_of_a_text_is_its_end():
    assert not Matcher("a$").search("a\n")
    assert Matcher("a$", re.MULTILINE).search("a\n")


def test_flags_are_those_of_xpath():
    assert Matcher("a.b", python_flags("s")).search("a\nb")
    assert Matcher("a b", python_flags("xi")).search("AB")
    assert Matcher("^b", python_flags("m")).search("a\nb")


@pytest.mark.parametrize(
    ("pattern", "attack"),
    [
        # From the literature on catastrophic backtracking: OWASP, and Weideman et al. (CIAA 2016).
        (r"^(a|a)*$", "a"),
        (r"^(a+)+$", "a"),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a"),
        (r"^([a-zA-Z]+)*$", "a"),
        (r"^(a|aa)+$", "a"),
        (r"^(ab?b?)*$", "ab"),
        (r"^(.*)*$\b", "a"),
        (r"^.*.*.*.*b$", "a"),
        (r"^\s+|\s+$", " "),
        (r"a*a*a*a*a*b", "a"),
        (r"^\d+\d+\d+x", "1"),
        (r"(x+x+)+y", "x"),
        (r"^(?=(a+)+$)a", "a"),
        (r"(?!(a|a)*b)a+c", "a"),
        (r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}([a-z]{2,3})$", "a"),
    ],
)
def test_a_hostile_text_takes_as_many_steps_as_it_has_characters(pattern, attack, monkeypatch):
    matcher = Matcher(pattern)
    text = attack * 20_000 + "!"
    steps = 0
    for automaton in automata(matcher):
        close = automaton._close

        def counted(states, context, close=close):
            nonlocal steps
            steps += 1
            return close(states, context)

        monkeypatch.setattr(automaton, "_close", counted)
    matcher.search(text)
    # One step for each position, one more for each position of the lookaround, and one without lookarounds.
    assert 0 < steps <= 3 * (len(text) + 1)
    assert max(len(automaton._state_sets) for automaton in automata(matcher)) < 50


def automata(matcher: Matcher) -> list:
    found = [automaton for automaton in (matcher._automaton, matcher._relaxed) if automaton is not None]
    for automaton in found:
        found += automaton._lookarounds
    return found


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?P<x>a)(?(x)b|c)", r"(?>a+)b", r"a++b", r"(a{50}){100}", "("])
def test_unsupported_expressions_raise_an_error(pattern):
    with pytest.raises(Unmatchable):
        Matcher(pattern)
    assert why_refused(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(a|a)*$",
        r"^.*.*.*.*b$",
        r"(.*)(.*)b",
        r"(?:ab|cd|ab)*x",
        r"^\d+\d*$",
        r"[a-z]+\w+@",
        r"(a|a|b)(c|c)*",
        r"(\w|\w)+",
    ],
)
def test_a_profile_may_not_have_patterns_with_exponential_backtracking(pattern):
    assert why_refused(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\w+\.?\w*$",
        r"foo.*bar",
        r"^.*foo.*$",
        r"^\s+\S+$",
        r"\d+-\d+",
        r"[A-Z]{2}\d{1,5}",
        r"^(?!.*x)a*",
        r"^https?://\S+$",
    ],
)
def test_a_profile_may_have_patterns_with_few_ways_to_match(pattern):
    assert why_refused(pattern) is None
