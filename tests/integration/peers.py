"""A tool beside which documents go back and forth, and the test that its known failures are all there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import provrepo
from tests.integration.documents import documents
from tests.integration.environments import run
from tests.integration.known import entries, judged
from tests.integration.round_trips import SUFFIXES, Outcome, outcomes, written
from tests.integration.rules import Rule

__all__ = ["PROV_FORMATS", "Peer", "tried"]

PROV_FORMATS = ("provn", "provxml", "provjson", "provjsonld")
"""The formats that are PROV's own."""


@dataclass
class Peer:
    """What a tool made of all documents.

    Attributes:
        name: of its table of known failures.
        found: the outcomes.
        rules: how documents may differ afterwards.
        ours: the folder of the files that it was given.
    """

    name: str
    found: list[Outcome]
    rules: Sequence[Rule]
    ours: Path
    _texts: dict[Path, str] = field(default_factory=dict, repr=False)

    def text(self, outcome: Outcome) -> str:
        """The text of the file that an outcome is about."""
        file = self.ours / outcome.suffix / f"{outcome.number:03}.{outcome.suffix}"
        if file not in self._texts:
            self._texts[file] = file.read_text("utf-8")
        return self._texts[file]

    def problems(self) -> tuple[list[str], list[str]]:
        """The problems that are not known, and what is known and no longer there."""
        unknown, stale = judged(self.found, entries(self.name), self.text)
        return unknown, stale + [f"no document needs this any longer: {rule}" for rule in self.rules if not rule.needed]

    def counts(self, suffix: str) -> tuple[int, int, int]:
        """Files of a format: how many there were, how many it read whole, how many came back the same in it."""
        steps = [one for one in self.found if one.suffix == suffix]
        read = [not one.problem for one in steps if one.step == "read"]
        same = [not one.problem for one in steps if one.step == f"same {suffix}"]
        return len(read), sum(read), sum(same)


def tried(
    name: str, command: Sequence[object], rules: Sequence[Rule], work: Path, formats: Sequence[str] = PROV_FORMATS
) -> Peer:
    """Give a tool every document in each format, and read what it writes.

    Args:
        name: of the tool.
        command: takes a folder to read from, one to write to, and endings.
        rules: how documents may differ afterwards.
        work: an empty folder.
        formats: what the tool reads and writes. It writes each file in the same format, and files of the first of
            these in all of them.

    Raises:
        RuntimeError: the tool ended with an error.
    """
    given = documents()
    found: list[Outcome] = []
    for format_name in formats:
        suffix = SUFFIXES[format_name]
        ours, theirs = work / "ours" / suffix, work / "theirs" / suffix
        theirs.mkdir(parents=True)
        written(given, ours, format_name)
        # What a format has no place for is a loss that is reported here, and not the tool's matter.
        kept = [
            provrepo.read(ours / f"{number:03}.{suffix}") if document.losses(format_name) else document
            for number, document in enumerate(given)
        ]
        targets = [SUFFIXES[one] for one in formats] if format_name == formats[0] else [suffix]
        ran = run([*command, ours, theirs, *targets])
        if ran.returncode:
            raise RuntimeError(f"{name} ended with {ran.returncode}: {ran.stderr[-2000:]}")
        found += outcomes(ran.stdout.splitlines(), kept, theirs, rules)
    return Peer(name, found, rules, work / "ours")
