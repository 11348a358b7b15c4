"""SHACL beside other processors: whole processes, from a file of Turtle to results.

``python -m benchmarks.shacl_peers DIR --install`` makes an environment for each processor below DIR, which takes the
network, and measures. Without ``--install`` those that are there are measured, and the others are named. All validate
the same file against the profile ``core``. The peers get its triples as they are, provrepo completes them first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.generate import bare
from provrepo.checks.profiles import load, resolve

ROUNDS = 3
PYSHACL, RUDOF, JENA = "0.40.0", "0.3.35", "5.6.0"

_RUDOF = """
import sys
from pyrudof import RDFFormat, Rudof, RudofConfig, ShaclFormat, ShaclValidationMode
rudof = Rudof(RudofConfig())
rudof.read_data(sys.argv[1], RDFFormat.Turtle)
rudof.read_shacl(sys.argv[2], ShaclFormat.Turtle)
rudof.validate_shacl(ShaclValidationMode.Native)
"""
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>benchmarks</groupId><artifactId>jena</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.jena</groupId><artifactId>jena-cmds</artifactId>
<version>{JENA}</version></dependency></dependencies></project>
"""


@dataclass(frozen=True)
class Processor:
    """A SHACL processor.

    Attributes:
        name: with its version.
        command: the command that validates a file of data against one of shapes; None where it is not installed.
        install: makes its environment; None where it needs none.
    """

    name: str
    command: Callable[[Path, Path], list[str]] | None
    install: Callable[[], None] | None = None


def processors(place: Path) -> list[Processor]:
    """All processors, of which some may not be installed.

    Args:
        place: the folder with their environments.
    """
    python = sys.executable
    ours = [python, "-m", "benchmarks.shacl_peers", "--ours"]
    command = [python, "-m", "provrepo", "validate", "--profile", "core"]
    rudof, jena = place / "rudof" / "bin" / "python", place / "jena" / "classpath"
    java = shutil.which("java")
    return [
        Processor("provrepo, SHACL alone, completed", lambda data, _: [*ours, str(data)]),
        Processor("provrepo validate --profile core", lambda data, _: [*command, str(data)]),
        Processor(
            f"pySHACL {PYSHACL}",
            lambda data, shapes: [python, "-m", "pyshacl", "--shacl", str(shapes), "-df", "turtle", str(data)],
        ),
        Processor(
            f"rudof {RUDOF}",
            (lambda data, shapes: [str(rudof), "-c", _RUDOF, str(data), str(shapes)]) if rudof.exists() else None,
            lambda: _install_rudof(place / "rudof"),
        ),
        Processor(
            f"Jena {JENA}",
            (lambda data, shapes: _jena(str(java), jena, data, shapes)) if java and jena.exists() else None,
            lambda: _install_jena(place / "jena"),
        ),
    ]


def _jena(java: str, classpath: Path, data: Path, shapes: Path) -> list[str]:
    path = classpath.read_text("utf-8").strip()
    return [java, "-cp", path, "shacl.shacl", "validate", "--shapes", str(shapes), "--data", str(data)]


def _install_rudof(home: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", f"pyrudof=={RUDOF}"], check=True)


def _install_jena(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "pom.xml").write_text(_POM, "utf-8")
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={home.absolute() / 'classpath'}"]
    subprocess.run(["mvn", "--batch-mode", "--quiet", "--file", str(home / "pom.xml"), *goal], check=True)


def install(place: Path) -> None:
    """Make the environments that are missing. A processor that cannot be installed is named and left out."""
    place.mkdir(parents=True, exist_ok=True)
    for processor in processors(place):
        if processor.command is None and processor.install is not None:
            try:
                processor.install()
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"{processor.name} cannot be installed here, and is left out: {error}", file=sys.stderr)


def ours(data: Path) -> None:
    """Validate a file of Turtle without making a document of it."""
    from provrepo.checks.shacl.completion import complete
    from provrepo.checks.shacl.engine import shapes_of
    from provrepo.checks.shacl.graph import Graph
    from provrepo.checks.shapes.instances import HIERARCHY
    from provrepo.codecs.collector import collection_paused
    from provrepo.codecs.provo.declared import DECLARATIONS, Declared
    from provrepo.codecs.rdf.codec import parse_into

    with collection_paused():
        graph = Graph()
        parse_into(data.read_bytes(), "turtle", None, graph.add)
        complete(graph, Declared(list(graph.quads(DECLARATIONS))))
        graph.add(HIERARCHY)
        found = [shapes_of(profile.shapes).validate(graph) for profile in resolve(["core"])]
    print(f"{sum(map(len, found)):,} results")


def table(place: Path, steps: int, rounds: int = ROUNDS) -> list[str]:
    """The rows of the Markdown table: the median of some rounds, in which the processors take turns."""
    rows = ["| processor | wall s | CPU s | peak MiB |", "|---|---:|---:|---:|"]
    shapes = load("core").shapes
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.ttl"
        data.write_bytes(bare(steps).write("turtle"))
        runs: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(rounds):
            for processor in processors(place):
                if processor.command is not None:
                    runs.setdefault(processor.name, []).append(_run(processor.command(data, shapes)))
        for processor in processors(place):
            if processor.name not in runs:
                rows.append(f"| {processor.name} | not installed |  |  |")
                continue
            wall, cpu, peak = (statistics.median(column) for column in zip(*runs[processor.name], strict=True))
            rows.append(f"| {processor.name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |")
    return rows


def _run(command: list[str]) -> tuple[float, float, float]:
    """Seconds on the wall, seconds of the processor, and peak MiB of one process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    output = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: the data do not conform
        raise SystemExit(f"{command[0]} failed: {output.decode(errors='replace')[-500:]}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def main(arguments: Any = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path, help="where the environments of the processors are, or are to be made")
    parser.add_argument("--install", action="store_true", help="make those that are missing, with pip and Maven")
    parser.add_argument("--steps", type=int, default=13_000, help="size of the document; 13,000 are 133,012 triples")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each runs; the median counts")
    parser.add_argument("--ours", action="store_true", help="validate the file PLACE, and nothing else")
    given = parser.parse_args(arguments)
    if given.ours:
        ours(given.place)
        return
    if given.install:
        install(given.place)
    print("\n".join(table(given.place, given.steps, given.rounds)))


if __name__ == "__main__":
    main()
