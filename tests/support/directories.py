"""Data directories of earlier versions, as archives in ``tests/data``, with the IRIs that they must keep.

``python -m tests.support.directories tests/data/directory-vN.tar.gz`` creates the archive of schema N, when it runs
with the software of that schema; ``directory-v1`` was created with the last commit before schema 2. The archive has a
whole data directory without a base IRI, with its views, and ``expected.json``: the IRIs of its versions and graphs.
This module uses verbs of the library only, so that it runs with any version.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import provrepo
from provrepo.repository.repository import Repository

FIRST = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <http://example.org/> .
ex:clean a prov:Entity ; prov:qualifiedGeneration [ a prov:Generation ; prov:activity ex:run ] .
ex:run a prov:Activity ; prov:used ex:raw .
ex:raw a prov:Entity .
"""
"""A document with a blank node, for which the dataset has a minted IRI."""

SECOND = FIRST + b"ex:more a prov:Entity ; prov:wasDerivedFrom ex:clean .\n"

BUNDLED = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <http://example.org/> .
ex:inside a prov:Bundle .
ex:inside { ex:part a prov:Entity ; prov:qualifiedDerivation [ a prov:Derivation ; prov:entity ex:whole ] .
            ex:whole a prov:Entity . }
"""


def fill(repository: Repository) -> None:
    """Create projects, versions, a withdrawal, an erasure, and tokens, of which one is revoked."""
    repository.create_project("crops", public=True, title="Crops")
    repository.create_project("soil")
    repository.submit(FIRST, project="crops", name="run", note="first")
    repository.submit(SECOND, project="crops", name="run", update=True)
    repository.submit(BUNDLED, project="crops", name="bundled", format="trig")
    repository.submit(FIRST, project="soil", name="gone")
    repository.withdraw("soil", "gone", reason="wrong file")
    repository.submit(SECOND, project="soil", name="erased")
    repository.submit(FIRST, project="soil", name="erased", update=True)
    repository.erase("soil", "erased", 1, reason="court order")
    repository.submit(FIRST, name="own")
    repository.create_token("pipeline", projects=["crops"])
    _, left = repository.create_token("pipeline", days=30)
    repository.revoke_token(left.id)


def iris(repository: Repository) -> dict[str, Any]:
    """The IRIs that must not change: those of versions, and all minted IRIs in quads and in the lineage index."""
    versions, datasets = {}, {}
    for project in repository.projects():
        for document in repository.documents(project.name, withdrawn=True):
            for version in repository.history(project.name, document.name):
                versions[f"{project.name}/{version.name}@{version.version}"] = version.iri
        found = repository.query("SELECT ?s ?g { GRAPH ?g { ?s ?p ?o } }", project=project.name)
        names = {value for row in found.rows for value in row.values()}
        datasets[project.name] = sorted(name for name in map(str, names) if re.match("urn:uuid:", name))
    graph = repository.lineage("http://example.org/clean")
    sources = sorted({source.graph for node in graph.nodes for source in node.sources})
    return {"versions": versions, "datasets": datasets, "sources": sources}


def make(archive: Path) -> None:
    """Write a data directory and its IRIs to an archive."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        with provrepo.open(data) as repository:
            fill(repository)
            Path(folder, "expected.json").write_text(json.dumps(iris(repository), indent=1, sort_keys=True))
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(data, "data", filter=_kept)
            packed.add(Path(folder, "expected.json"), "expected.json")


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A filter that omits the log of RocksDB, and the names of users."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if Path(member.name).name.startswith("LOG") and "quads" in member.name else member


def unpack(archive: Path, target: Path) -> dict[str, Any]:
    """Unpack an archive; returns the content of ``expected.json``. The data directory is ``target / "data"``."""
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    expected: dict[str, Any] = json.loads((target / "expected.json").read_text())
    return expected


if __name__ == "__main__":
    make(Path(sys.argv[1]))
