"""Exchange of documents with another tool, and comparison of the outcomes with its known failures."""

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
"""The formats of PROV that are not RDF."""


@dataclass
class Peer:
    """The outcomes of one tool for all documents.

    Attributes:
        name: the name of its table of known failures.
        found: the outcomes.
        rules: the accepted differences of documents.
        ours: the folder of the files that it read.
    """

    name: str
    found: list[Outcome]
    rules: Sequence[Rule]
    ours: Path
    _texts: dict[Path, str] = field(default_factory=dict, repr=False)

    def text(self, outcome: Outcome) -> str:
        """The text of the file of an outcome."""
        file = self.ours / outcome.suffix / f"{outcome.number:03}.{outcome.suffix}"
        if file not in self._texts:
            self._texts[file] = file.read_text("utf-8")
        return self._texts[file]

    def problems(self) -> tuple[list[str], list[str]]:
        """The unknown problems, and the entries and rules that cover no outcome."""
        unknown, stale = judged(self.found, entries(self.name), self.text)
        return unknown, stale + [f"no document needs this rule: {rule}" for rule in self.rules if not rule.needed]

    def counts(self, suffix: str) -> tuple[int, int, int]:
        """The numbers of files of a format: all, those that it read completely, those that it wrote unchanged in it."""
        steps = [one for one in self.found if one.suffix == suffix]
        read = [not one.problem for one in steps if one.step == "read"]
        same = [not one.problem for one in steps if one.step == f"same {suffix}"]
        return len(read), sum(read), sum(same)


def tried(
    name: str, command: Sequence[object], rules: Sequence[Rule], work: Path, formats: Sequence[str] = PROV_FORMATS
) -> Peer:
    """Let a tool read and write every document in each format, and read its files.

    Args:
        name: the name of the tool.
        command: the command, to which the folders to read from and to write to, and suffixes, are appended.
        rules: the accepted differences of documents.
        work: an empty folder.
        formats: the formats that the tool reads and writes. It writes each file in the same format, and files of the
            first of these in all of them.

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
        # Where the format loses something, the tool must return the document without it.
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
