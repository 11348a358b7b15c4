"""The verb ``demo``: the main job on real provenance, step by step, each step checked."""

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

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.repository.repository import Repository

__all__ = ["demo"]

PLACE = Path(".demo")
MARKER = "made-by-provrepo-demo"
"""A directory that holds a file of this name was made by the demo, which may delete it again."""

PROJECT = "crops"
LAB = "https://crops.example/"
REPORT = LAB + "reports/report.md"
RAW = "urn:hash::sha1:653168802175a37572892c44a8128a1d53a67a39"
EXPECTED_RUNS = 4
"""The scripts clean twice; cwltool's workflow and its step each use the file."""

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
    """What the demo says, and whether all of it turned out as it should.

    Attributes:
        failed: what did not.
    """

    failed: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self, title: str, text: str) -> None:
        """A heading, and what is about to happen."""
        self.steps += 1
        output.result(f"\n{self.steps}. {title}")
        output.result(textwrap.indent(textwrap.fill(text, 96), "   "))

    def show(self, text: str) -> None:
        """What came out, indented."""
        output.result(textwrap.indent(text.rstrip("\n"), "     "))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows that came out, indented."""
        self.show("\n".join(output.columns(heads, rows)))

    def hold(self, condition: bool, claim: str) -> None:
        """A claim that has to be true for the demo to succeed."""
        output.result(f"   {'ok' if condition else 'NOT SO'}: {claim}")
        if not condition:
            self.failed.append(claim)


@click.command(short_help="See the main job done on shipped examples.")
@click.option("--no-serve", is_flag=True, help="Stop after the results instead of serving them on localhost.")
@pass_invocation
def demo(invocation: Invocation, no_serve: bool) -> int:
    """Do the main job on the shipped examples, in ./.demo, and then serve it on localhost.

    A pipeline runs and says what it did; its documents and those of cwltool are checked, stored, queried and
    exported, each in its own format. Every result is checked: exit 0 means that everything held. A second run starts
    afresh. Nothing outside ./.demo is touched, and no network is needed.
    """
    from provrepo.repository.repository import open as open_repository

    started = time.perf_counter()
    _fresh(PLACE)
    settings = replace(invocation.settings(), data=PLACE / "data", base="", token="")
    story = Story()
    output.result(f"provrepo keeps what programs say about how results came about. All of this is in {PLACE}/.")
    with open_repository(settings=settings) as repository:
        _tell(story, repository, PLACE / "work")
    seconds = time.perf_counter() - started
    if story.failed:
        output.note(f"\nerror: {len(story.failed)} of the claims did not hold: {'; '.join(story.failed)}")
        return 1
    output.result(f"\nEverything held, in {seconds:.1f} s. Try for yourself:")
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
    """What to type for the command: after `make demo` it is in an environment that is not on the path."""
    if shutil.which("provrepo"):
        return "provrepo"
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return str(shown.with_name("provrepo")) if python.with_name("provrepo").exists() else f"{shown} -m provrepo"


def _fresh(place: Path) -> None:
    """An empty directory that is marked as ours.

    Raises:
        Conflict: there is something that the demo did not make.
    """
    if place.exists():
        if not (place / MARKER).is_file():
            raise Conflict(f"{place} is in the way, and the demo did not make it: move it, or start the demo elsewhere")
        shutil.rmtree(place)
    place.mkdir()
    (place / MARKER).touch()


def _tell(story: Story, repository: Repository, work: Path) -> None:
    from provrepo.resources import root

    examples = root() / "examples"
    story.step(
        "A project",
        f"“{PROJECT}” is public, and asks of every document that it satisfies the profile “core”: what is used or "
        "made is described, and activities have times and somebody responsible.",
    )
    project = repository.create_project(PROJECT, public=True, title="Crop yield", profiles=["core"])
    story.hold(project.public and project.profiles == ("core",), f"project {project.name} is there, public, with core")

    story.step(
        "A pipeline runs",
        "Small scripts clean the data of 400 plots, fit a Ridge regression, label odd plots, publish a report and "
        "compare the month's runs. In pipeline.py one line for each function records what it does; the others write "
        "down what they did themselves, each in a format of its own.",
    )
    documents = list(_run_pipeline(story, examples / "crops", work))
    for suffix in ("provn", "xml", "json", "ttl", "nt", "jsonld"):
        documents.append((f"cwltool-{suffix}", examples / "cwltool" / f"primary.cwlprov.{suffix}"))

    story.step(
        "Submit",
        "Each document is read, checked and stored for good under its digest, then indexed. cwltool ran the same "
        "analysis and wrote its account in six formats: they go in as they are.",
    )
    _submit(story, repository, documents)

    story.step(
        "Refuse",
        "incomplete.ttl says too little. The repository says what is missing and what to do about it, and stores "
        "nothing.",
    )
    _refuse(story, repository, examples / "incomplete.ttl")

    story.step("Ask: who did what?", "In SPARQL, over all documents at once, whatever format they came in.")
    answer = _ask(story, repository, WHO_DID_WHAT)
    _holds(story, answer, "who", ["Ana Example", "Bo Example"], "people of different documents are in one answer")

    story.step(
        "Ask: what was the report derived from?",
        "The trail leads from the report through steps that three scripts tell of, each in its own format. Where one "
        "gives a file another name than the next, its content joins them.",
    )
    answer = _ask(story, repository, DERIVED_FROM)
    trail = ["metrics.json", "labels.csv", "clean.csv", "raw.csv"]
    _holds(story, answer, "label", trail, "it leads from the report to raw.csv")

    story.step(
        "Ask: which runs used this input?",
        "raw.csv is named by its content, so that runs which never heard of each other meet: the scripts' and "
        "cwltool's, though one says SHA-256 and the other SHA-1.",
    )
    answer = _ask(story, repository, USED_INPUT)
    enough = len({row["run"] for row in answer.rows}) >= EXPECTED_RUNS
    story.hold(enough, "runs of the scripts and of cwltool are found by the content of raw.csv")

    story.step(
        "Export",
        "One document leaves as PROV-JSON. It says the same as what went in, and the original is still there.",
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
    story.hold((work / "report.md").is_file(), (work / "report.md").read_text("utf-8").splitlines()[-1])


def _submit(story: Story, repository: Repository, documents: Sequence[tuple[str, Path]]) -> None:
    from provrepo.codecs.formats import by_name

    rows = []
    for name, path in documents:
        try:
            receipt = repository.submit(path, project=PROJECT, name=name)
        except Error as error:
            story.hold(False, f"{path.name} is accepted: {error}")
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
    story.hold(len(stored) == len(documents), f"{len(stored)} documents in {len(formats)} formats are stored")
    again = repository.submit(documents[0][1], project=PROJECT, name=documents[0][0])
    story.hold(not again.created, "the same bytes again are the same version")


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
    story.hold(report is not None and unchanged, f"{path.name} is refused, and nothing of it stored")


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
    story.hold(set(expected) <= found, claim)


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
    story.hold(same, "both make the same statements")
    story.hold(repository.export(PROJECT, name) == path.read_bytes(), "the original bytes come back unchanged")
