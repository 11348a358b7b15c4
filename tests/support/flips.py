"""Flips of one bit in a data directory: ``fsck --views`` must find the flip, or no answer may change.

``python -m tests.support.flips --flips 100 --seed 1`` creates a small data directory whose write-ahead log contains
accepted entries, as after a kill. For each flip a kind of file, a file and a bit are chosen at random. ``provrepo fsck
--views`` checks a copy with this bit flipped. Commands run on a second such copy, and their output is compared with
that on an unchanged copy. It is a failure if an answer changes and neither ``fsck`` nor an error shows it, and so is a
traceback. Problems that ``fsck`` finds in the views must not exist after ``rebuild``.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

import provrepo
from provrepo.cli.main import cli
from provrepo.ledger.pingbacks import Pinged
from tests.support.directories import BUNDLED, fill

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list", "--withdrawn", "--output", "json"),
    ("history", "crops/run", "--output", "json"),
    ("history", "soil/gone", "--output", "json"),
    ("export", "crops/run"),
    ("export", "crops/run@1", "--to", "provn"),
    ("export", "crops/bundled", "--to", "provjson"),
    ("query", "--project", "crops", "--output", "csv", "SELECT * { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g ?s ?p ?o"),
    ("query", "--project", "soil", "--output", "csv", "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o"),
    ("query", "--public", "--output", "csv", "SELECT * { ?s prov:used ?o } ORDER BY ?s ?o"),
    ("lineage", "http://example.org/clean", "--direction", "both", "--output", "json"),
    ("lineage", "http://example.org/labeled", "--output", "json"),
    ("search", "clean", "--output", "json"),
    ("search", "harvest", "--output", "json"),
    ("token", "list", "--output", "json"),
    ("project", "list", "--output", "json"),
    ("pingbacks", "list", "crops/run", "--output", "json"),
)
"""The commands; they only read."""

PINGED = Pinged("has_provenance", "https://elsewhere.example/prov")

LABELED = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix ex: <http://example.org/> .
ex:labeled a prov:Entity ; rdfs:label "harvest of 2025" ; prov:wasDerivedFrom ex:raw .
ex:raw a prov:Entity ; rdfs:label "raw counts" .
"""


@dataclass
class Tally:
    """The results of the flips.

    Attributes:
        found: the number of flips that ``fsck`` found.
        unchanged: the number of flips that changed no answer.
        failures: the others, one sentence each.
        kinds: found and unchanged by kind of file.
    """

    found: int = 0
    unchanged: int = 0
    failures: list[str] = field(default_factory=list)
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def make(data: Path) -> None:
    """Create a data directory as after a kill: the last entries are in the write-ahead log only."""
    first = data.with_name("first")
    with provrepo.open(first) as repository:
        fill(repository)
    with provrepo.open(first) as repository:
        repository.submit(LABELED, project="crops", name="labeled", format="turtle")
        repository.submit(BUNDLED, project="soil", name="late", format="trig")
        repository.create_token("late", projects=["soil"], write=False)
        repository.context.store.pingbacks.store("crops", "run", None, [PINGED], most=10)
        repository.query("ASK {}", project="crops")
        shutil.copytree(first, data)
    shutil.rmtree(first)


def files(data: Path) -> dict[str, list[Path]]:
    """The files of a data directory that are not empty, by kind."""
    found = defaultdict(list)
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.stat().st_size:
            found[kind(path.relative_to(data))].append(path.relative_to(data))
    return found


def kind(path: Path) -> str:
    """The kind of a file."""
    if path.parts[0] == "blobs":
        return "blobs"
    if "quads-checkpoints" in path.parts:
        return "checkpoints"
    if "quads" in path.parts:
        return "quads LOG" if path.name.startswith("LOG") else f"quads {path.suffix or path.name.split('-')[0]}"
    return str(path)


def run(data: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a command."""
    result = CliRunner().invoke(cli, ["--data", str(data), *arguments])
    trace = result.exception if not isinstance(result.exception, SystemExit | None) else None
    if trace is not None or "Traceback" in result.output:
        return -1, result.stdout, f"traceback: {trace!r}"
    return result.exit_code, result.stdout, result.stderr


def answers(data: Path) -> list[tuple[int, str, str]]:
    """The results of all commands."""
    return [run(data, *command) for command in COMMANDS]


@contextmanager
def copy(data: Path, flip: tuple[Path, int] | None = None) -> Iterator[Path]:
    """A copy with a bit of a file flipped; its path is always the same."""
    place = data.with_name("copy")
    shutil.copytree(data, place)
    try:
        if flip is not None:
            file, bit = place / flip[0], flip[1]
            file.chmod(0o600)
            with file.open("r+b") as opened:
                opened.seek(bit // 8)
                byte = opened.read(1)[0]
                opened.seek(bit // 8)
                opened.write(bytes([byte ^ 1 << bit % 8]))
        yield place
    finally:
        shutil.rmtree(place)


def flips(data: Path, count: int, seed: int, tally: Tally, *, verbose: bool = False) -> None:
    """Flip ``count`` bits, one after the other."""
    draw = random.Random(seed)
    kinds = files(data)
    with copy(data) as untouched:
        wanted = answers(untouched)
    assert all(code == 0 for code, _, _ in wanted), wanted
    for number in range(count):
        # The kinds take turns, so that small files are included; from the second round on, files are chosen by size.
        names = sorted(kinds)
        chosen = kinds[names[number % len(names)]] if number < 2 * len(names) else [f for k in names for f in kinds[k]]
        file = draw.choice(chosen)
        bit = draw.randrange((data / file).stat().st_size * 8)
        one(data, (file, bit), wanted, tally, verbose=verbose)


def one(
    data: Path, flip: tuple[Path, int], wanted: list[tuple[int, str, str]], tally: Tally, *, verbose: bool = False
) -> None:
    """Flip one bit and check the result."""
    where = f"{flip[0]} bit {flip[1]}"
    with copy(data, flip) as damaged:
        code, out, err = run(damaged, "fsck", "--views")
    if code < 0:
        tally.failures.append(f"{where}: fsck: {err}")
    found = code > 0
    with copy(data, flip) as damaged:
        got = answers(damaged)
        if found and "rebuild" in out and "backup" not in out:
            run(damaged, "rebuild")
            code, again, _ = run(damaged, "fsck", "--views")
            if code:
                tally.failures.append(f"{where}: a rebuild leaves {again}")
    traces = [f"{where}: {command}: {err}" for command, (code, _, err) in zip(COMMANDS, got, strict=True) if code < 0]
    tally.failures += traces
    # An error is not an answer; only answers are compared.
    changed = [
        command
        for command, (code, text, _), (_, former, _) in zip(COMMANDS, got, wanted, strict=True)
        if code == 0 and text != former
    ]
    errors = sum(code != 0 for code, _, _ in got)
    outcome = "found" if found else "unchanged" if not changed and not errors else "neither"
    tally.kinds[kind(flip[0])][outcome] += 1
    tally.found += outcome == "found"
    tally.unchanged += outcome == "unchanged"
    if outcome == "neither":
        tally.failures.append(f"{where}: fsck finds nothing, changed {changed}, {errors} errors")
    if verbose:
        first = (out.strip() or err.strip()).splitlines()[:1]
        print(f"{where}: {outcome}{', answers changed' if changed else ''} {errors or ''} {first if found else ''}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        make(data)
        flips(data, chosen.flips, chosen.seed, tally, verbose=chosen.verbose)
    for name, outcomes in sorted(tally.kinds.items()):
        print(f"{name}: {dict(outcomes)}")
    print(f"{chosen.flips} flips: {tally.found} found, {tally.unchanged} unchanged, {len(tally.failures)} failures")
    for failure in tally.failures:
        print(f"FAILURE {failure}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
