"""A repository with some of everything, and a server on it: for comparisons of a directory with a server over it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

import provrepo
from provrepo.cli.main import cli
from tests.support.command import environment
from tests.support.paths import ROOT

__all__ = ["EX", "INVALID", "NEXT", "RUN", "Pair", "filled", "pair", "started"]

EX = "https://lab.example/"

RUN = b"""document
  prefix ex <https://lab.example/>
  entity(ex:raw, [prov:label="raw data \xc3\xbc"])
  entity(ex:table, [prov:label="=table", prov:type='ex:Table', ex:size="007" %% xsd:int])
  activity(ex:clean, 2026-01-01T10:00:00Z, 2026-01-01T11:00:00Z)
  agent(ex:ada, [prov:type='prov:Person', prov:label="Ada"])
  wasGeneratedBy(ex:table, ex:clean, 2026-01-01T11:00:00Z)
  used(ex:clean, ex:raw, -)
  wasAssociatedWith(ex:clean, ex:ada, -)
  bundle ex:b
    prefix ex <https://lab.example/>
    entity(ex:table, [prov:label="table in a bundle"@en])
  endBundle
endDocument
"""
NEXT = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <https://lab.example/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:report a prov:Entity ; prov:wasDerivedFrom ex:table ; rdfs:label "report" ; ex:note [ ex:text "beyond PROV" ] .
ex:figure a prov:Entity ; prov:wasDerivedFrom ex:table ; prov:wasAttributedTo ex:ada .
ex:merged a prov:Entity ; prov:wasDerivedFrom ex:left , ex:right .
"""
INVALID = (
    b"document prefix ex <https://lab.example/> activity(ex:a) entity(ex:a) wasGeneratedBy(ex:e, ex:a, -) endDocument"
)


def filled(data: Path) -> None:
    """Make a data directory with projects, versions, a withdrawal with an internal reason, and several formats."""
    with provrepo.open(data) as repository:
        repository.create_project("crops", public=True, title="Crops – Ähren")
        repository.create_project("empty")
        repository.create_project("strict", profiles=["core"])
        repository.submit(RUN, project="crops", name="run", note="first", format="provn")
        repository.submit(RUN.replace(b"raw data", b"raw  data"), project="crops", name="run", update=True)
        repository.submit(NEXT, project="crops", name="next", base="https://base.example/")
        repository.submit(NEXT.replace(b"figure", b"plot"), project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="wrong unit", internal_reason="a secret reason")
        repository.submit(RUN.replace(b"lab.example", b"own.example"), name="own")
        repository.add_peer("far", "http://127.0.0.1:1/")  # nothing listens there
        # What bob submits waits for a review.
        token, _ = repository.create_token("bob", projects=["crops"])
        repository.set_project("crops", reviewed=["bob"])
        bob = repository.context.store.authenticate(token)
        assert bob is not None
        for number in range(3):
            waiting = RUN.replace(b"raw data", f"waiting {number}".encode())
            repository.as_actor(bob).submit_for_review(waiting, project="crops", name=f"wait-{number}", format="provn")


@dataclass
class Pair:
    """A data directory, and a server on it.

    Attributes:
        data: the directory.
        url: the URL of the server.
        token: a token that may write to all projects.
    """

    data: Path
    url: str
    token: str

    def local(self, *arguments: object, stdin: bytes | None = None) -> Result:
        """Run a command on the directory."""
        return _run(self.data, "", arguments, stdin)

    def remote(self, *arguments: object, stdin: bytes | None = None, token: str | None = None) -> Result:
        """Run a command on the server."""
        return _run(self.url, self.token if token is None else token, arguments, stdin)


def _run(place: object, token: str, arguments: tuple[object, ...], stdin: bytes | None) -> Result:
    result = CliRunner(env={"PROVREPO_TOKEN": token or None}).invoke(
        cli, ["--data", str(place), *map(str, arguments)], input=stdin
    )
    assert "Traceback" not in result.output
    return result


@contextmanager
def started(data: Path, **variables: str) -> Iterator[str]:
    """Run a server on a data directory; yields its URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
        cwd=ROOT,
        env=environment(**variables),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        line = next((line for line in server.stderr if "provrepo serves" in line), "")
        assert " at http" in line, "the server did not start"
        yield line.partition(" at ")[2].partition(" ")[0]
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 0
        if server.stderr is not None:
            server.stderr.close()


@contextmanager
def pair(data: Path, **variables: str) -> Iterator[Pair]:
    """A filled directory, and a server on it."""
    filled(data)
    with provrepo.open(data) as repository:
        token, _ = repository.create_token("ada")
    with started(data, **variables) as url:
        yield Pair(data, url, token)
