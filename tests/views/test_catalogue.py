"""The catalogue, and the examples of ``docs/reference/graphs.md``."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from provrepo.model.identifiers import Identifier, text
from provrepo.model.minting import Minter
from provrepo.resources import root
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PROV, PROVREPO
from tests.support.paths import ROOT
from tests.support.quads import CATALOGUE, triple


def catalogue(view: Quads, pattern: str) -> list[dict[str, Any]]:
    return view.query("crops", f"SELECT * {{ GRAPH <{CATALOGUE}> {{ {pattern} }} }}").rows


def test_the_catalogue_has_the_history_of_a_document(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", [triple("a")]), stream.submit("a", [triple("b")]), stream.withdraw("a")):
        view.apply("crops", change)
    found = catalogue(
        view,
        """
        ?document a provrepo:Document ; dcterms:identifier "a" .
        ?version provrepo:document ?document ; provrepo:state ?state ; dcat:version ?number ;
            provrepo:sha256 ?sha256 ; provrepo:format "turtle" ; provrepo:verdict "conforms" ;
            prov:wasGeneratedBy [ a provrepo:Submission ; prov:wasAssociatedWith ?who ; prov:endedAtTime ?when ] .
        ?who a prov:Agent .
        OPTIONAL { ?version prov:wasRevisionOf ?former }
        OPTIONAL { ?version prov:invalidatedAtTime ?invalidated ;
                   prov:wasInvalidatedBy [ a provrepo:Withdrawal ; provrepo:reason ?reason ] }
        """,
    )
    first, second = sorted(found, key=lambda row: str(row["number"]))
    minter = Minter(BASE)
    assert first["version"] == minter.version("crops", "a", 1)
    assert (first["state"], second["state"]) == (text("superseded"), text("withdrawn"))
    assert second["former"] == first["version"]
    assert first["sha256"] == text(f"{1:064x}")
    assert first["who"] == minter.actor("crops", "somebody")
    assert second["reason"] == text("a mistake")
    assert "reason" not in first
    assert str(second["invalidated"]).startswith("2026-01-01T00:00:03")


def test_a_resubmitted_document_is_current_and_its_former_version_stays_withdrawn(
    view: Quads, stream: ChangeStream
) -> None:
    for change in (stream.submit("a", []), stream.withdraw("a"), stream.submit("a", [])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "withdrawn", "2": "current"}
    current = catalogue(view, "?d dcat:hasCurrentVersion ?v")
    assert [row["v"] for row in current] == [stream.version("a")]


def test_there_is_one_current_version_after_an_unreadable_entry(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", []), stream.lose("a"), stream.submit("a", [])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "superseded", "3": "current"}
    view.apply("crops", stream.lose("a"))
    view.apply("crops", stream.withdraw("a"))
    states = {str(row["v"])[-1]: str(row["s"]) for row in catalogue(view, "?v provrepo:state ?s")}
    assert states == {"1": "superseded", "3": "superseded", "4": "withdrawn"}
    assert catalogue(view, "?d dcat:hasCurrentVersion ?v") == []


def test_an_erased_version_stays_erased(view: Quads, stream: ChangeStream) -> None:
    for change in (stream.submit("a", [triple("a")]), stream.erase("a", 1), stream.submit("a", [triple("b")])):
        view.apply("crops", change)
    states = {str(row["n"]): str(row["s"]) for row in catalogue(view, "?v dcat:version ?n ; provrepo:state ?s")}
    assert states == {"1": "erased", "2": "current"}
    assert [str(row["r"]) for row in catalogue(view, "?e a provrepo:Erasure ; provrepo:reason ?r")] == ["the law"]


def test_new_settings_replace_former_ones(view: Quads, stream: ChangeStream) -> None:
    for change in (
        stream.settings(title="Crops", profiles=["core", "pipeline"]),
        stream.settings(title="Grain"),
        stream.settings(profiles=["core"]),
    ):
        view.apply("crops", change)
    found = catalogue(view, "?p a provrepo:Project ; dcterms:title ?title ; provrepo:profile ?profile")
    assert [(row["title"], row["profile"]) for row in found] == [(text("Grain"), Minter(BASE).profile("crops", "core"))]


def test_the_catalogue_lists_the_graphs_of_a_version_while_they_exist(view: Quads, stream: ChangeStream) -> None:
    view.apply("crops", stream.submit("a", [triple("a")], completed=[triple("b")]))
    version = stream.version("a")
    graphs = [str(row["g"]) for row in catalogue(view, f"<{version}> provrepo:graph ?g")]
    assert sorted(graphs) == [version, f"{version}#completed"]
    view.apply("crops", stream.withdraw("a"))
    assert catalogue(view, "?v provrepo:graph ?g") == []
    assert catalogue(view, "?v provrepo:completedBy ?g") == []


def test_graphs_of_bundles_are_described(view: Quads, stream: ChangeStream, tmp_path: Path) -> None:
    change = stream.submit("a", [])
    version, file = stream.version("a"), tmp_path / "bundles.nq"
    file.write_text(
        f"<urn:a> <urn:p> <urn:b> <{version}#bundle-1> .\n<urn:a> <urn:q> <urn:b> <{version}#bundle-1-completed> .\n"
    )
    view.apply("crops", replace(change, sequence=1, content=lambda: file))
    found = catalogue(view, "?v provrepo:graph ?bundle . ?bundle a prov:Bundle ; provrepo:completedBy ?completed")
    assert found == [
        {
            "bundle": Identifier(f"{version}#bundle-1"),
            "v": Identifier(version),
            "completed": Identifier(f"{version}#bundle-1-completed"),
        }
    ]
    view.apply("crops", stream.withdraw("a"))
    assert not any("#bundle-1" in line for line in view.dump("crops"))


def test_every_term_of_the_catalogue_is_in_the_ontology(view: Quads, stream: ChangeStream) -> None:
    ontology = ox.Store()
    ontology.load(path=str(root() / "ontology" / "provrepo.ttl"), format=ox.RdfFormat.TURTLE)
    for change in (
        stream.settings(title="Crops", profiles=["core"]),
        stream.submit("a", [triple("a")], completed=[triple("b")]),
        stream.submit("a", [triple("a")], completed=[triple("b")]),
        stream.withdraw("a"),
        stream.erase("a", 1),
    ):
        view.apply("crops", change)
    rows = catalogue(view, "?s ?p ?o")
    used = {str(row[name]) for row in rows for name in "po" if str(row[name]).startswith(PROVREPO)}
    assert len(used) > 20
    defined = {quad.subject for quad in ontology}
    assert [term for term in sorted(used) if ox.NamedNode(term) not in defined] == []


# The examples of the documentation.

GRAPHS = ROOT / "docs" / "reference" / "graphs.md"
EXAMPLES = re.findall(r"(?s)```sparql\n(.*?)```", GRAPHS.read_text("utf-8"))


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_queries_of_the_reference_find_something(view: Quads, tmp_path: Path, number: int) -> None:
    stream = ChangeStream(tmp_path)
    view.apply("crops", stream.submit("old", [triple("old")]))
    view.apply("crops", stream.withdraw("old"))
    for _ in range(2):
        change = stream.submit("run", [])
        version, file = stream.version("run"), tmp_path / "run.nq"
        quads = {
            "": [
                ("run", "used", "raw"),
                ("run", "wasAssociatedWith", "ada"),
                ("result", "wasGeneratedBy", "run"),
                ("result", "wasDerivedFrom", "raw"),
            ],
            "#completed": [("raw", "wasUsedBy", "run")],
            "#bundle-1": [("inner", "wasGeneratedBy", "run")],
        }
        lines = [
            f"<https://example.org/{s}> <{PROV}{p}> <https://example.org/{o}> <{version}{graph}> .\n"
            for graph, triples in quads.items()
            for s, p, o in triples
        ]
        lines.append(f"<{version}#bundle-1> <{PROVREPO}bundle> <https://example.org/b> <{version}#completed> .\n")
        file.write_text("".join(lines))
        view.apply("crops", replace(change, content=lambda file=file: file))
    assert len(view.query("crops", EXAMPLES[number])) > 0


def test_the_reference_has_examples() -> None:
    assert len(EXAMPLES) >= 6
