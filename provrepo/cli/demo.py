"""The verb ``demo``: stores, queries and exports the example documents, and checks each result."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, pass_invocation
from provrepo.cli.repository import POSSIBLE
from provrepo.errors import Conflict, Damaged, Error, Refused
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.repository.repository import Repository

__all__ = ["demo"]

PLACE = Path(".demo")
MARKER = "made-by-provrepo-demo"
"""The name of a file that marks a directory as made by the demo, which may delete it."""

PROJECT = "crops"
LAB = "https://crops.example/"
REPORT = LAB + "reports/report.md"
RAW = "urn:hash::sha1:653168802175a37572892c44a8128a1d53a67a39"
EXPECTED_RUNS = 4
"""The number of activities that use raw.csv: two of the scripts, and two of cwltool (workflow and step)."""

WHO_DID_WHAT = """\
SELECT ?who ?did (MIN(?time) AS ?started) WHERE {
  ?activity prov:wasAssociatedWith ?agent ; rdfs:label ?did .
  ?agent rdfs:label ?who .
  OPTIONAL { ?activity prov:startedAtTime ?time }
} GROUP BY ?activity ?who ?did ORDER BY ?started ?who"""

DERIVED_FROM = f"""\
SELECT DISTINCT ?label ?source WHERE {{
  <{REPORT}>
      (prov:wasDerivedFrom|prov:wasGeneratedBy/prov:used|prov:specializationOf/^prov:specializationOf)+ ?source .
  ?source rdfs:label ?label .
  FILTER(?source != <{REPORT}>)
}} ORDER BY ?label ?source"""

USED_INPUT = f"""\
SELECT ?run ?what (GROUP_CONCAT(DISTINCT ?who; separator=", ") AS ?by) WHERE {{
  ?run prov:used/(prov:specializationOf/^prov:specializationOf)?/prov:specializationOf? <{RAW}> ;
      rdfs:label ?what ;
      prov:wasAssociatedWith/rdfs:label ?who .
}} GROUP BY ?run ?what ORDER BY ?what ?run"""


@dataclass
class Story:
    """The output of the demo, and its failed checks.

    Attributes:
        failed: the claims that were not true.
        steps: the number of steps so far.
    """

    failed: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self, title: str, text: str) -> None:
        """Print the heading and the description of a step."""
        self.steps += 1
        output.result(f"\n{self.steps}. {title}")
        output.result(textwrap.indent(textwrap.fill(text, 96), "   "))

    def show(self, text: str) -> None:
        """Print a result, indented."""
        output.result(textwrap.indent(text.rstrip("\n"), "     "))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print the rows of a result, indented."""
        self.show("\n".join(output.columns(heads, rows)))

    def check(self, condition: bool, claim: str) -> None:
        """Print a claim and whether it is true; the demo fails if it is not."""
        output.result(f"   {'ok' if condition else 'FAILED'}: {claim}")
        if not condition:
            self.failed.append(claim)


@click.command(short_help="Store and query the example documents, then serve them.")
@click.option("--no-serve", is_flag=True, help="Stop after the results instead of serving them on localhost.")
@pass_invocation
def demo(invocation: Invocation, no_serve: bool) -> int:
    """Store, query and export the example documents in ./.demo, then serve them on localhost.

    A pipeline runs and records its provenance. Its documents and those of cwltool, in several formats, are validated,
    stored, queried and exported. Every result is checked: exit 0 means that all are as expected. A second run starts
    again. Nothing outside ./.demo is changed, and no network is needed.
    """
    from provrepo.repository.repository import open as open_repository

    started = time.perf_counter()
    _fresh(PLACE)
    settings = replace(invocation.settings(), data=PLACE / "data", base="", token="")
    story = Story()
    output.result(
        f"This demo stores provenance documents of several programs and queries them. All files are in {PLACE}/."
    )
    with open_repository(settings=settings) as repository:
        _run_steps(story, repository, PLACE / "work")
    seconds = time.perf_counter() - started
    if story.failed:
        output.note(f"error: {counted(len(story.failed), 'check')} failed: {'; '.join(story.failed)}")
        return 1
    output.result(f"\nAll checks passed, in {seconds:.1f} s. Try these commands:")
    program = f"{_program()} --data {settings.data}"
    output.result(f"     {program} list {PROJECT}")
    output.result(f"     {program} query --project {PROJECT} 'SELECT * {{ ?a prov:used ?e }}'")
    output.result(f"     {program} lineage {REPORT}")
    if no_serve:
        output.result(f"     {program} serve")
        return 0
    from provrepo.cli.serve import free_port, run

    output.result("")
    run(free_port(settings))
    return 0


def _program() -> str:
    """Return how to call the command: after `make demo` it is in an environment that is not on the path."""
    if shutil.which("provrepo"):
        return "provrepo"
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return str(shown.with_name("provrepo")) if python.with_name("provrepo").exists() else f"{shown} -m provrepo"


def _fresh(place: Path) -> None:
    """Make an empty directory and mark it as made by the demo.

    Raises:
        Conflict: the directory exists and was not made by the demo.
    """
    if place.exists():
        if not (place / MARKER).is_file():
            raise Conflict(
                f"{place} exists and was not made by the demo: move it, or start the demo in another directory"
            )
        shutil.rmtree(place)
    place.mkdir()
    (place / MARKER).touch()


def _run_steps(story: Story, repository: Repository, work: Path) -> None:
    from provrepo.resources import root

    examples = root() / "examples"
    story.step(
        "A project",
        f"“{PROJECT}” is public, and its documents must conform to the profile “core”: used and generated entities are "
        "described, and activities have a responsible agent.",
    )
    project = repository.create_project(PROJECT, public=True, title="Crop yield", profiles=["core"])
    story.check(
        project.public and project.profiles == ("core",),
        f"project {project.name} exists, is public, and has the profile core",
    )

    story.step(
        "A pipeline runs",
        "Small scripts clean the data of 400 plots, fit a Ridge regression, label odd plots, publish a report and "
        "compare the runs of a month. In pipeline.py each function has one additional line that records provenance. "
        "The other scripts write PROV documents in different formats.",
    )
    documents = list(_run_pipeline(story, examples / "crops", work))
    for suffix in ("provn", "xml", "json", "ttl", "nt", "jsonld"):
        documents.append((f"cwltool-{suffix}", examples / "cwltool" / f"primary.cwlprov.{suffix}"))

    story.step(
        "Submit",
        "Each document is read, validated, stored under its digest, and indexed. cwltool ran the same analysis and "
        "wrote its provenance in six formats, which are submitted unchanged.",
    )
    _submit(story, repository, documents)

    story.step(
        "Refuse",
        "incomplete.ttl does not conform. The report lists what is missing and how to repair it. Nothing is stored.",
    )
    _refuse(story, repository, examples / "incomplete.ttl")

    story.step("Query: who did what?", "A SPARQL query over all documents, whatever their format.")
    answer = _ask(story, repository, WHO_DID_WHAT)
    _holds(story, answer, "who", ["Ana Example", "Bo Example"], "one result contains persons from several documents")

    story.step(
        "Query: what was the report derived from?",
        "The path leads from the report through the documents of three scripts. If two scripts use different names for "
        "a file, the digest of its content connects them.",
    )
    answer = _ask(story, repository, DERIVED_FROM)
    sources = ["metrics.json", "labels.csv", "clean.csv", "raw.csv"]
    _holds(story, answer, "label", sources, "the path leads from the report to raw.csv")

    story.step(
        "Query: which runs used this input?",
        "raw.csv is identified by its content. So the query finds the runs of the scripts, which use SHA-256, and "
        "those of cwltool, which use SHA-1.",
    )
    answer = _ask(story, repository, USED_INPUT)
    enough = len({row["run"] for row in answer.rows}) >= EXPECTED_RUNS
    story.check(enough, "runs of the scripts and of cwltool are found by the content of raw.csv")

    story.step(
        "Export",
        "One document is exported as PROV-JSON, with the same statements. The original is still stored.",
    )
    _export(story, repository, *documents[0])


def _run_pipeline(story: Story, crops: Path, work: Path) -> Iterable[tuple[str, Path]]:
    for name, script, *arguments in (
        ("pipeline-alpha-1", "pipeline.py", "--alpha", "1"),
        ("pipeline-alpha-10", "pipeline.py", "--alpha", "10"),
        ("labels", "annotate.py"),
        ("report", "publish.py"),
        ("monthly", "monthly.py"),
    ):
        # -B: the examples may lie where nothing should be written, or where nothing can.
        command = [sys.executable, "-B", str(crops / script), str(work), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if ran.returncode:
            raise Damaged(f"{script} failed: {ran.stderr.strip().splitlines()[-1:] or ran.returncode}")
        written = Path(ran.stdout.strip())
        story.show(f"python {' '.join([script, *arguments]):<26} wrote {written}")
        yield name, written
    story.check((work / "report.md").is_file(), (work / "report.md").read_text("utf-8").splitlines()[-1])


def _submit(story: Story, repository: Repository, documents: Sequence[tuple[str, Path]]) -> None:
    from provrepo.codecs.formats import by_name

    rows = []
    for name, path in documents:
        try:
            receipt = repository.submit(path, project=PROJECT, name=name)
        except Error as error:
            story.check(False, f"{path.name} is accepted: {error}")
            continue
        version = receipt.version
        rows.append(
            [
                f"{version.project}/{version.name}",
                by_name(version.format).title,
                version.statements,
                version.verdict,
                POSSIBLE[version.possible],
            ]
        )
    story.table(["DOCUMENT", "FORMAT", "STATEMENTS", "VERDICT", "POSSIBLE"], rows)
    stored = repository.documents(PROJECT)
    formats = {document.current.format for document in stored}
    story.check(
        len(stored) == len(documents), f"{counted(len(stored), 'document')} in {len(formats)} formats are stored"
    )
    again = repository.submit(documents[0][1], project=PROJECT, name=documents[0][0])
    story.check(not again.created, "the same bytes again are the same version")


def _refuse(story: Story, repository: Repository, path: Path) -> None:
    from provrepo.checks.render import render
    from provrepo.checks.report import Report

    before = repository.project(PROJECT)
    report = None
    try:
        repository.submit(path, project=PROJECT)
    except Refused as refusal:
        report = refusal.report
    if isinstance(report, Report):
        story.show(render(report, "text"))
    unchanged = repository.project(PROJECT) == before
    story.check(report is not None and unchanged, f"{path.name} is refused, and not stored")


def _ask(story: Story, repository: Repository, query: str) -> QueryResult:
    from provrepo.cli.query import shown

    story.show(query)
    story.show("")
    answer = repository.query(query, project=PROJECT)
    story.table(
        [f"?{name}" for name in answer.variables],
        [[shown(row.get(name)) for name in answer.variables] for row in answer.rows],
    )
    return answer


def _holds(story: Story, answer: QueryResult, variable: str, expected: Iterable[str], claim: str) -> None:
    found = {getattr(row.get(variable), "lexical", None) for row in answer.rows}
    story.check(set(expected) <= found, claim)


def _export(story: Story, repository: Repository, name: str, path: Path) -> None:
    from provrepo.codecs.formats import read
    from provrepo.model.compare import compare

    exported = repository.export(PROJECT, name, format="provjson")
    target = path.with_suffix(".json")
    target.write_bytes(exported)
    story.show(
        f"{path.name}, {path.stat().st_size} bytes of Turtle → {target.name}, {len(exported)} bytes of PROV-JSON"
    )
    same = compare(read(path), read(exported, format="provjson")).same
    story.check(same, "both documents make the same statements")
    story.check(repository.export(PROJECT, name) == path.read_bytes(), "the original bytes are unchanged")
