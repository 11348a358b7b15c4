"""The named query ``compare-runs``: what differs between two sessions, and nothing that follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.capture import log_metrics, log_params, session, step
from provrepo.repository.queries.named import by_name
from provrepo.settings import load
from tests.support.work import ENDLESS


@step
def scan(target: Path, text: str) -> None:
    """Where the input comes from, in the first run only."""
    target.write_text(text, "utf-8")


@step(derives=True)
def clean(source: Path, target: Path) -> None:
    """An intermediate result."""
    target.write_text(source.read_text("utf-8").upper(), "utf-8")


@step
def fit(cleaned: Path, alpha: float, depth: int) -> None:
    """Measures something, given parameters as arguments and as what they are."""
    log_params({"alpha": alpha}, seed=depth)
    log_metrics({"length": len(cleaned.read_text("utf-8"))})


def _run(name: str, alpha: float, depth: int, *, first: bool = False) -> None:
    raw, cleaned = Path("raw.txt"), Path(f"{name}.txt")
    with session(name, out=f"{name}.trig"):
        if first:
            scan(raw, "wheat\n")
        clean(raw, cleaned)
        fit(cleaned, alpha, depth)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> provrepo.Repository:
    """Sessions: one, the same again, one with other parameters, one with another input."""
    monkeypatch.chdir(tmp_path)
    _run("one", 0.1, 8, first=True)
    _run("same", 0.1, 8)
    _run("other", 0.5, 9)
    Path("raw.txt").write_text("rye\n", "utf-8")
    _run("rye", 0.1, 8)
    repository = provrepo.open("data")
    for name in ("one", "same", "other", "rye"):
        repository.submit(f"{name}.trig", name=name)
    yield repository
    repository.close()


def _differences(
    repository: provrepo.Repository, first: str, second: str
) -> dict[tuple[str, str, str], tuple[str, str]]:
    sessions = {
        row["label"].lexical: str(row["run"])
        for row in repository.query(
            "SELECT ?run ?label { ?run rdfs:label ?label FILTER(STRENDS(STR(?run), '#session')) }"
        )
    }
    found = repository.query(by_name("compare-runs").bind({"first": sessions[first], "second": sessions[second]}))
    said = [{name: value.lexical for name, value in row.items()} for row in found]
    return {(row["aspect"], row["step"], row["name"]): (row["in_first"], row["in_second"]) for row in said}


def test_what_two_runs_share_is_not_told(repository: provrepo.Repository) -> None:
    assert _differences(repository, "same", "same") == {}
    told = _differences(repository, "one", "same")
    # The one made the raw file, the other found it: the bytes are the same.
    assert {step for _, step, _ in told} == {"scan"}


def test_parameters_are_set_side_by_side(repository: provrepo.Repository) -> None:
    assert _differences(repository, "same", "other") == {
        ("parameter", "fit", "alpha"): ("0.1", "0.5"),
        ("parameter", "fit", "depth"): ("8", "9"),
        ("parameter", "fit", "seed"): ("8", "9"),
    }


def test_an_input_differs_and_what_was_made_of_it_follows(repository: provrepo.Repository) -> None:
    told = _differences(repository, "one", "rye")
    wheat, rye = told.pop(("input", "clean", "raw.txt"))
    assert wheat.startswith("ni:///sha-256;")
    assert rye.startswith("ni:///sha-256;")
    assert wheat != rye
    assert told.pop(("measure", "fit", "length")) == ("6.0", "4.0")
    assert {step for _, step, _ in told} == {"scan"}


def test_runs_of_two_thousand_steps_are_compared(tmp_path: Path) -> None:
    """A NOT EXISTS with a path in it takes longer than a query has, however busy the machine is."""
    with provrepo.open(settings=load({"data": tmp_path / "data", "query_timeout": ENDLESS})) as repository:
        for run, alpha in (("a", 1), ("b", 2)):
            repository.submit(_long(run, alpha), name=run, format="turtle")
        bound = {side: f"https://lab.example/{run}/session" for side, run in (("first", "a"), ("second", "b"))}
        found = repository.query(by_name("compare-runs").bind(bound))
        assert [(row["name"].lexical, row["in_first"].lexical, row["in_second"].lexical) for row in found] == [
            ("alpha", "1", "2")
        ]


def _long(run: str, alpha: int) -> bytes:
    steps = "".join(
        f"r:step{n} a prov:Activity ; rdfs:label 'work' ; dcterms:isPartOf r:session ; prov:used r:file{n} ;\n"
        f"  schema:additionalProperty 'alpha={alpha}', 'source={run}/{n}.txt' .\n"
        f"r:file{n + 1} a prov:Entity ; rdfs:label '{n + 1}.txt' ; prov:wasGeneratedBy r:step{n} .\n"
        for n in range(2000)
    )
    return f"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix schema: <http://schema.org/> .
@prefix r: <https://lab.example/{run}/> .
<https://lab.example/{run}/file0> a prov:Entity ; rdfs:label "0.txt" ; prov:specializationOf <https://lab.example/raw> .
r:session a prov:Activity .
{steps}""".encode()
