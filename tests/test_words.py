"""Numbers in messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import provrepo
from provrepo.words import counted, lasting

SOURCE = Path(provrepo.__file__).parent

COUNTED = re.compile(
    r"\{([^{}]*)\} ?(?:things|relations|documents|blobs|warnings|entries|versions|statements|types|agents|seconds|rows|"
    r"problems|lines)\b"
)
"""A number in a text, and the plural of what was counted."""

LIMITS = re.compile(r"[A-Z_.]+(:,)?|.*(\.[A-Z_]+|_limit|_budget\.[a-z]+)(:,)?")
"""Expressions for limits, which are large."""


def test_a_number_with_its_noun() -> None:
    assert counted(0, "thing") == "0 things"
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(1234, "entry", "entries") == "1,234 entries"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7.99934, "8 seconds"),
        (1.0, "1 second"),
        (1.04, "1 second"),
        (2.55, "2.5 seconds"),
        (0.2512, "0.25 seconds"),
        (0.0004, "0.0004 seconds"),
        (299.96, "300 seconds"),
        (9.96, "10 seconds"),
        (660, "660 seconds"),
    ],
)
def test_lengths_of_time_are_rounded(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


def test_no_message_has_a_number_with_a_plural_whatever_the_number_is() -> None:
    found = [
        f"{file.relative_to(SOURCE)}: {match.group()}"
        for file in sorted(SOURCE.rglob("*.py"))
        for match in COUNTED.finditer(file.read_text("utf-8"))
        if not LIMITS.fullmatch(match.group(1))
    ]
    assert found == [], "use provrepo.words.counted and lasting"
