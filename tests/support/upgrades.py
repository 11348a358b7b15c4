"""Data directories of every earlier schema, with what they answered then: ``tests/data/upgrade-vN.tar.gz``.

``python -m tests.support.upgrades tests/data/upgrade-vN.tar.gz`` makes the one of schema N, with the software of that
schema. A new step of the schema comes with the archive of the schema before it, made by the last commit that has it::

    git worktree add ../before COMMIT && cp tests/support/upgrades.py ../before/tests/
    cd ../before && python -m tests.support.upgrades OUT.tar.gz

Only verbs of the library are used. What the software of an old schema does not have yet is left out of its archive, and
of the answers beside it.
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
"""With a blank node, whose name in the dataset is minted, and a letter beyond ASCII."""

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
"""Names under which the archive keeps the text of tokens."""

SET_ASIDE = "aside"
"""The document that a view is said to be unable to take."""

_QUERIES = (
    "SELECT ?s ?o { ?s prov:used ?o } ORDER BY ?s ?o",
    "SELECT ?s ?o { ?s prov:wasDerivedFrom ?o } ORDER BY ?s ?o",
    "SELECT (COUNT(*) AS ?n) { ?e prov:label ?l }",
)
_THINGS = tuple(f"http://example.org/{name}" for name in ("clean", "more", "table"))


def fill(repository: Repository, place: Path) -> dict[str, str]:
    """One of everything that a data directory of its time may have.

    Args:
        repository: new.
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
    _later(repository, place)
    return {**tokens, "revoked": text}


def _later(repository: Repository, place: Path) -> None:
    """What the software of schema 1 did not always have."""
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
    """What the verbs answer, as JSON. Names of members are those of today; a verb that is not there yet is left out."""
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
        # Bodies keep their members; entries may come behind these.
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
            said: dict[str, Any] = {"info": info.to_dict()}
            if info.state in ("current", "superseded"):
                data, _ = repository.original(project, info.name, info.version)
                said["original"] = hashlib.sha256(data).hexdigest()
                said["statements"] = len(repository.read(project, info.name, info.version))
                said["conforms"] = repository.report(project, info.name, info.version).conforms
            else:
                said["refused"] = _refused(repository, project, info.name, info.version)
            found[f"{info.name}@{info.version}"] = said
    return found


def _refused(repository: Repository, project: str, name: str, version: int) -> str:
    """The error that reading an erased version ends with; empty for a withdrawn one, which its owner may read."""
    try:
        repository.original(project, name, version)
    except Error as error:
        return type(error).__name__
    return ""


def _but(found: dict[str, Any], member: str) -> dict[str, Any]:
    """Without a member that changes by itself: an upgrade adds entries, and reading marks what was read."""
    return {name: value for name, value in found.items() if name != member}


def missing(expected: Any, found: Any, place: str = "") -> list[str]:
    """What is no longer as it was. Members may have come to objects, and nothing else may have changed."""
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
    """Without the log of the quads' engine, and without who made it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if Path(member.name).name.startswith("LOG") and "quads" in member.name else member


def unpack(archive: Path, target: Path) -> dict[str, Any]:
    """Unpack an archive; what is expected of the data directory ``target / "data"``."""
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    expected: dict[str, Any] = json.loads((target / "expected.json").read_text("utf-8"))
    return expected


if __name__ == "__main__":
    make(Path(sys.argv[1]))
