"""Samples of what takes long: much of it in CI (``CI=true``), elsewhere less, and another part in each run.

``CI=all`` runs everything before a release, also all of what is generated in thousands, such as queries.

The seed is printed at the end of a run; ``SAMPLE_SEED=NUMBER`` repeats it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["ALL", "FULL", "OVER", "SEED", "chosen", "examples", "numbers", "over", "rounds", "sample"]

_Item = TypeVar("_Item")

FULL = os.environ.get("CI", "").lower() not in ("", "0", "false")
"""Whether every test runs."""

ALL = os.environ.get("CI", "").lower() == "all"
"""Whether every test runs in full."""

# In the environment, so that all processes of pytest-xdist choose the same.
SEED = int(os.environ.setdefault("SAMPLE_SEED", str(random.SystemRandom().randrange(1_000_000))))
"""What samples depend on."""


OVER = "the time for tests was over (TEST_UNTIL)"
"""Why a test was skipped that would have begun too late."""


def over() -> bool:
    """Whether ``TEST_UNTIL``, seconds since 1970, has passed: in random order, what was run is a sample."""
    return time.time() > float(os.environ.get("TEST_UNTIL") or "inf")


def sample(items: Iterable[_Item], size: int) -> list[_Item]:
    """All items in CI, elsewhere some of them, in their order.

    Args:
        items: such as the parameters of a test.
        size: the number of them outside CI.
    """
    known = list(items)
    if FULL or size >= len(known):
        return known
    chosen = random.Random(SEED).sample(range(len(known)), size)  # not the state of ``random``: fixtures use it
    return [known[index] for index in sorted(chosen)]


def numbers(everything: int, *, ci: int, few: int) -> list[int]:
    """The numbers of generated cases, such as seeds: the first of them everywhere, and in CI any of the others too.

    Args:
        everything: the number of cases with ``CI=all``.
        ci: their number in CI.
        few: their number elsewhere, which are always the same.
    """
    if ALL or not FULL:
        return list(range(everything if ALL else few))
    return [*range(few), *sorted(random.Random(SEED).sample(range(few, everything), ci - few))]


def rounds(everything: int, *, ci: int, few: int) -> int:
    """The number of rounds, such as kills at random moments: with ``CI=all``, in CI, and elsewhere."""
    return everything if ALL else ci if FULL else few


def chosen(name: str, one_in: int) -> bool:
    """Whether a test runs: always in CI, elsewhere in one of some runs.

    Args:
        name: of the test.
        one_in: of how many runs.
    """
    return FULL or random.Random(f"{SEED} {name}").randrange(one_in) == 0


def examples(full: int) -> int:
    """The ``max_examples`` of a property: ``full`` in CI, elsewhere a third; each run draws others."""
    return full if FULL else max(10, full // 3)
