"""Known failures of other tools, each with its reason: ``known/TOOL.toml``.

An entry applies to one or more formats and steps. It covers the outcomes whose problem matches its pattern and, where
it has a second pattern, whose document matches that. The table is strict in both directions: an outcome with a problem
that no entry covers fails the test, and so does an entry that covers no outcome.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.integration.round_trips import Outcome

__all__ = ["Known", "entries", "judged"]


@dataclass(frozen=True, slots=True)
class Known:
    """One entry.

    Attributes:
        formats: the suffixes of the files that the tool reads.
        steps: ``read``, ``write``, ``again`` or ``same``, or one of these with the suffix of the written file.
        problem: a pattern for the error message or the difference.
        where: a pattern for the text of the file that the tool read; empty for all files.
        sometimes: whether the tool fails in some runs only, because it iterates over sets in the order of memory
            addresses. Such an entry need not cover an outcome.
        reason: the error of the tool, or the thing that the format cannot represent.
    """

    formats: tuple[str, ...]
    steps: tuple[str, ...]
    problem: str
    reason: str
    where: str = ""
    sometimes: bool = False

    def covers(self, outcome: Outcome, text: Callable[[Outcome], str]) -> bool:
        """Whether this entry explains the problem of an outcome."""
        return (
            outcome.suffix in self.formats
            and (outcome.step in self.steps or outcome.step.partition(" ")[0] in self.steps)
            and re.search(self.problem, outcome.problem) is not None
            and re.search(self.where, text(outcome)) is not None
        )


def entries(tool: str) -> list[Known]:
    """The table of one tool."""
    file = Path(__file__).parent / "known" / f"{tool}.toml"
    rows = tomllib.loads(file.read_text("utf-8"))["known"]
    return [Known(tuple(row.pop("formats")), tuple(row.pop("steps")), **row) for row in rows]


def judged(
    outcomes: Iterable[Outcome], known: Iterable[Known], text: Callable[[Outcome], str]
) -> tuple[list[str], list[str]]:
    """The differences between outcomes and the table.

    Args:
        outcomes: of the tool.
        known: its table, or the part of it that these outcomes can use.
        text: gives the text of the file that an outcome is about.

    Returns:
        The problems that no entry covers, and the entries that cover no problem, both as text.
    """
    unused = dict.fromkeys(known)
    table = list(unused)
    unknown = []
    for outcome in outcomes:
        if not outcome.problem:
            continue
        found = [entry for entry in table if entry.covers(outcome, text)]
        for entry in found:
            unused.pop(entry, None)
        if not found:
            unknown.append(f"{outcome.number:03}.{outcome.suffix}: {outcome.step}: {outcome.problem}")
    return unknown, [f"covers nothing any longer: {entry}" for entry in unused if not entry.sometimes]
