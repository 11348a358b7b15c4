"""``provrepo project set P --public --dry-run``: compared with what anonymous clients can read afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Denied, NotFound
from provrepo.ledger.pingbacks import Pinged
from provrepo.repository import exposure
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from tests.support.command import Command

EX = "https://example.org/"


def provn(thing: str, agent: str) -> bytes:
    return f"""document
  prefix ex <{EX}>
  prefix foaf <http://xmlns.com/foaf/0.1/>
  entity(ex:{thing})
  agent(ex:{agent}, [prov:type='prov:Person', prov:label="Label of {agent}", foaf:name="Name of {agent}",
    foaf:mbox='ex:box-of-{agent}', foaf:mbox="mailto:{agent}@example.org"])
  wasAttributedTo(ex:{thing}, ex:{agent})
endDocument
""".encode()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("p", title="A former title")
        owner.set_project("p", title="Crops")
        owner.submit(provn("one", "ada"), project="p", name="a", note="a first try")
        owner.submit(provn("two", "bob"), project="p", name="a", update=True)
        owner.submit(provn("three", "eve"), project="p", name="gone")
        owner.withdraw("p", "gone", reason="wrong sheet", internal_reason="patient 17")
        owner.submit(provn("four", "joe"), project="p", name="again")
        owner.withdraw("p", "again", reason="wrong scale")
        owner.submit(provn("five", "joe"), project="p", name="again")
        owner.submit(provn("six", "zoe"), project="p", name="erased")
        owner.erase("p", "erased", 1, reason="the law")
        owner.pingback(
            "p", "a", ["https://elsewhere.example/p"], links=[Pinged("has_provenance", "https://e.example/")]
        )
        owner.create_project("other")
        owner.submit(provn("seven", "max"), project="other", name="z")
        yield owner


def test_it_lists_what_everybody_then_reads(repository: Repository) -> None:
    before = [entry.sha256 for entry in repository.entries("p")]
    found = repository.exposure("p")
    assert [entry.sha256 for entry in repository.entries("p")] == before, "nothing is changed"
    assert not repository.project("p").public
    assert not found.public
    with pytest.raises(NotFound):
        repository.as_actor(ANONYMOUS).project("p")

    repository.set_project("p", public=True)
    stranger = repository.as_actor(ANONYMOUS)
    documents = stranger.documents("p", withdrawn=True)
    readable = {
        name: tuple(info.version for info in versions)
        for name in (document.name for document in documents)
        if (versions := [i for i in stranger.history("p", name) if not i.withdrawn and i.state != "erased"])
    }
    assert {document.name: document.versions for document in found.documents} == readable
    assert readable == {"a": (1, 2), "again": (2,)}
    for name, versions in readable.items():
        assert all(stranger.original("p", name, number) for number in versions)
    statements = sum(stranger.version("p", n, v).statements for n, versions in readable.items() for v in versions)
    assert (found.versions, found.statements) == (3, statements)
    assert found.documents[0].notes == ("a first try",)
    ended = {
        (info.name, info.state, info.reason) for d in documents for info in stranger.history("p", d.name) if info.ended
    }
    assert {(ending.document, ending.state, ending.reason) for ending in found.endings} == ended
    assert len(found.endings) == 3
    assert found.submitters == (stranger.version("p", "a").submitter,)
    # The further entry is the one that makes it public.
    assert found.entries == len(stranger.entries("p")) - 1
    assert found.titles == ("A former title", "Crops")
    assert (found.pingbacks, found.internal_reasons) == (2, 1)


def test_it_lists_the_agents_of_current_versions(repository: Repository) -> None:
    found = {agent.iri.removeprefix(EX): agent for agent in repository.exposure("p").agents}
    assert found.keys() == {"bob", "joe"}
    assert found["bob"].names == ("Label of bob", "Name of bob")
    assert found["bob"].emails == ("bob@example.org", f"{EX}box-of-bob")


def test_a_list_of_agents_that_is_cut_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "MOST_AGENTS", 1)
    found = repository.exposure("p")
    assert (len(found.agents), found.more_agents) == (1, True)


def test_what_it_says_of_a_public_and_of_an_empty_project(repository: Repository) -> None:
    repository.create_project("empty", public=True)
    found = repository.exposure("empty")
    assert (found.public, found.documents, found.agents, found.more_agents) == (True, (), (), False)
    assert found.entries == 1


def test_only_who_may_do_it_may_look(repository: Repository) -> None:
    writer = Actor("w", "w", projects=("p",), write=True, token="t")
    with pytest.raises(Denied):
        repository.as_actor(writer).exposure("p")
    for project in ("p", "nowhere"):
        with pytest.raises(NotFound):
            repository.as_actor(ANONYMOUS).exposure(project)
    with pytest.raises(NotFound):
        repository.exposure("nowhere")


def test_the_command_line(repository: Repository, tmp_path: Path) -> None:
    repository.close()
    command = Command(tmp_path / "data")
    told = command("project", "set", "p", "--public", "--dry-run").stdout
    for part in ("would be public", "wrong sheet", "bob@example.org", "A former title", "Nothing was changed"):
        assert part in told
    assert "patient 17" not in told
    body = command.json("project", "set", "p", "--public", "--dry-run")
    assert (body["total_versions"], body["public"], len(body["endings"])) == (3, False, 3)
    assert command.json("project", "show", "p")["public"] is False
    for more in ([], ["--private"], ["--public", "--title", "x"], ["--public", "--profile", "core"]):
        assert "--public only" in command.error("project", "set", "p", "--dry-run", *more, code=2)
    assert command.error("project", "set", "nowhere", "--public", "--dry-run", code=1)
