"""Data directories of every earlier schema, with the answers of their time: ``tests/data/upgrade-vN.tar.gz``.

``python -m tests.support.upgrades tests/data/upgrade-vN.tar.gz`` creates the archive of schema N, when it runs with the
software of that schema. A new migration comes with the archive of the schema before it, created by the last commit that
has it::

    git worktree add ../before COMMIT && cp tests/support/upgrades.py ../before/tests/
    cd ../before && python -m tests.support.upgrades OUT.tar.gz

This module uses verbs of the library only. Features that the software of an old schema does not have are omitted from
its archive and its answers.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import provrepo
from provrepo.errors import Error
from provrepo.repository.repository import Repository

__all__ = ["TOKENS", "answers", "fill", "missing", "unpack"]

PREFIXES = b"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <http://example.org/> .\n"
FIRST = PREFIXES + (
    b'ex:clean a prov:Entity ; prov:label "gereinigt \\u00fc" ;\n'
    b"  prov:qualifiedGeneration [ a prov:Generation ; prov:activity ex:run ] .\n"
    b"ex:run a prov:Activity ; prov:used ex:raw . ex:raw a prov:Entity .\n"
)
"""A document with a blank node, for which the dataset has a minted IRI, and a letter that is not ASCII."""

SECOND = FIRST + b"ex:more a prov:Entity ; prov:wasDerivedFrom ex:clean .\n"
BUNDLED = PREFIXES + b"ex:inside a prov:Bundle .\nex:inside { ex:part a prov:Entity . ex:whole a prov:Entity . }\n"
PROVN = b"document\nprefix ex <http://example.org/>\nentity(ex:table)\nentity(ex:raw)\n" + (
    b"wasDerivedFrom(ex:table, ex:raw)\nendDocument\n"
)
SHAPES = b"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix prov: <http://www.w3.org/ns/prov#> .
<http://example.org/shapes#Used> a sh:NodeShape ; sh:targetClass prov:Activity ;
  sh:property [ sh:path prov:used ; sh:minCount 1 ; sh:message "An activity that used nothing." ] .
"""

TOKENS = ("writer", "reader", "revoked")
"""The names of tokens in the archive, which has their texts."""

SET_ASIDE = "aside"
"""The document of the entry that is set aside."""

_QUERIES = (
    "SELECT ?s ?o { ?s prov:used ?o } ORDER BY ?s ?o",
    "SELECT ?s ?o { ?s prov:wasDerivedFrom ?o } ORDER BY ?s ?o",
    "SELECT (COUNT(*) AS ?n) { ?e prov:label ?l }",
)
_THINGS = tuple(f"http://example.org/{name}" for name in ("clean", "more", "table"))


def fill(repository: Repository, place: Path) -> dict[str, str]:
    """Create one of everything that a data directory of its time can have.

    Args:
        repository: a new repository.
        place: an empty folder for files.

    Returns:
        The texts of ``TOKENS``.
    """
    repository.create_project("crops", public=True, title="Crops \u00fc")
    repository.create_project("soil", title="Not public")
    repository.submit(FIRST, project="crops", name="run", note="first")
    repository.submit(SECOND, project="crops", name="run", update=True)
    repository.submit(PROVN, project="crops", name="table", format="provn")
    repository.submit(BUNDLED, project="crops", name="bundled", format="trig")
    repository.submit(FIRST, project="crops", name="gone")
    repository.withdraw("crops", "gone", reason="wrong file")
    repository.submit(FIRST, project="soil", name="back")
    repository.withdraw("soil", "back", reason="by mistake")
    repository.submit(SECOND, project="soil", name="back")
    repository.submit(SECOND, project="soil", name="erased")
    repository.submit(FIRST, project="soil", name="erased", update=True)
    repository.erase("soil", "erased", 1, reason="court order")
    repository.submit(PROVN, name="own", format="provn")
    tokens = {
        "writer": repository.create_token("ada", projects=["crops"])[0],
        "reader": repository.create_token("eve", write=False)[0],
    }
    text, revoked = repository.create_token("mallory")
    repository.revoke_token(revoked.id)
    _fill_newer(repository, place)
    return {**tokens, "revoked": text}


def _fill_newer(repository: Repository, place: Path) -> None:
    """Create things that early versions of the software of schema 1 do not have."""
    if hasattr(repository, "add_profile"):
        (place / "shapes.ttl").write_bytes(SHAPES)
        repository.add_profile(place / "shapes.ttl", name="used", project="crops")
        repository.submit(PROVN + b"\n", project="crops", name="held", profiles=["used"], format="provn")
    if hasattr(repository, "pingback"):
        repository.pingback("crops", "run", ["https://elsewhere.example/records/1", "https://elsewhere.example/2"])
        repository.pingback("crops", "table", ["https://elsewhere.example/records/3"])
    repository.submit(FIRST, project="soil", name=SET_ASIDE)
    if hasattr(repository.context.store, "set_aside") and hasattr(repository.context.store.set_aside, "add"):
        sequence = repository.version("soil", SET_ASIDE).sequence
        repository.context.store.set_aside.add("soil", sequence, "quads", "it has a literal that is too long")


def answers(repository: Repository) -> dict[str, Any]:
    """The answers of the verbs, as JSON. The names of members are the current ones; missing verbs are omitted."""
    projects = [info.name for info in repository.projects()]
    found: dict[str, Any] = {
        "projects": {info.name: _but(info.to_dict(), "entries") for info in repository.projects()},
        "documents": {name: _documents(repository, name) for name in projects},
        "versions": {name: _versions(repository, name) for name in projects},
        "queries": {
            f"{name} {query}": json.loads(repository.query(query, project=name).write("json"))["results"]["bindings"]
            for name in projects
            for query in _QUERIES
        },
        "lineage": {iri: sorted(node.iri for node in repository.lineage(iri).nodes) for iri in _THINGS},
        "search": sorted(thing.iri for thing in repository.search("gereinigt").things),
        "tokens": {token.name: _but(token.to_dict(), "used") for token in repository.tokens()},
    }
    if hasattr(repository, "entries"):
        # The members of bodies do not change; further entries may follow.
        found["entries"] = {
            name: {str(entry.sequence): entry.to_dict() for entry in repository.entries(name)} for name in projects
        }
    if hasattr(repository, "pingbacks"):
        found["pingbacks"] = {
            name: [_but(ping.to_dict(), "seen") for ping in repository.pingbacks("crops", name)]
            for name in ("run", "table")
        }
    if hasattr(repository, "add_profile"):
        found["profiles"] = {one.name: one.to_dict() for one in repository.profiles("crops") if one.blob}
    return found


def _documents(repository: Repository, project: str) -> dict[str, Any]:
    return {info.name: info.to_dict() for info in repository.documents(project, withdrawn=True)}


def _versions(repository: Repository, project: str) -> dict[str, Any]:
    """Each version with the digest of its bytes, its statements in another format, and its verdict."""
    found: dict[str, Any] = {}
    for document in repository.documents(project, withdrawn=True):
        for info in repository.history(project, document.name):
            facts: dict[str, Any] = {"info": info.to_dict()}
            if info.state in ("current", "superseded"):
                data, _ = repository.original(project, info.name, info.version)
                facts["original"] = hashlib.sha256(data).hexdigest()
                facts["statements"] = len(repository.read(project, info.name, info.version))
                facts["conforms"] = repository.report(project, info.name, info.version).conforms
            else:
                facts["refused"] = _refused(repository, project, info.name, info.version)
            found[f"{info.name}@{info.version}"] = facts
    return found


def _refused(repository: Repository, project: str, name: str, version: int) -> str:
    """The error of reading an erased version; empty for a withdrawn one, which its owner may read."""
    try:
        repository.original(project, name, version)
    except Error as error:
        return type(error).__name__
    return ""


def _but(found: dict[str, Any], member: str) -> dict[str, Any]:
    """The value without members that may change: an upgrade adds entries, and reading sets the time of use."""
    return {name: value for name, value in found.items() if name != member}


def missing(expected: Any, found: Any, place: str = "") -> list[str]:
    """The differences between former and current answers. Objects may have new members; nothing else may change."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            problem
            for name, value in expected.items()
            for problem in (
                missing(value, found[name], f"{place}/{name}") if name in found else [f"{place}/{name} is not there"]
            )
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [problem for number, (a, b) in pairs for problem in missing(a, b, f"{place}/{number}")]
    return [] if expected == found else [f"{place}: {expected!r} is now {found!r}"]


def make(archive: Path) -> None:
    """Write a data directory, its tokens and its answers to an archive."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        with provrepo.open(data) as repository:
            tokens = fill(repository, Path(folder))
            expected = {"tokens": tokens, "answers": answers(repository)}
        Path(folder, "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True), "utf-8")
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(data, "data", filter=_kept)
            packed.add(Path(folder, "expected.json"), "expected.json")


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A filter that omits the log of RocksDB, and the names of users."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if Path(member.name).name.startswith("LOG") and "quads" in member.name else member


def unpack(archive: Path, target: Path) -> dict[str, Any]:
    """Unpack an archive; returns the expected answers. The data directory is ``target / "data"``."""
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    expected: dict[str, Any] = json.loads((target / "expected.json").read_text("utf-8"))
    return expected


if __name__ == "__main__":
    make(Path(sys.argv[1]))
