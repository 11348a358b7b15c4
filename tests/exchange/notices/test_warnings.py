"""What happened to a copy at its origin is shown wherever the copy is: its page and records, lineage and the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Denied, NotFound, UsageError
from provrepo.repository.exchange.notices import deriving
from provrepo.repository.exchange.notices.payload import read
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from tests.exchange.notices.notices import THERE, peer, receive, withdrawal
from tests.support.command import Command

CLEAN, RUN = "http://example.org/clean", "http://example.org/run"
OWN = b"""document
  prefix ex <http://example.org/>
  entity(ex:model)
  activity(ex:train, -, -)
  agent(ex:bob)
  wasGeneratedBy(ex:model, ex:train, -)
  used(ex:train, ex:clean, -)
  wasAssociatedWith(ex:train, ex:bob, -)
endDocument
"""


def copied(owner: Repository, name: str, version: int, origin: int, project: str = "crops") -> None:
    """Append a version to a document that is a copy of a version of lab-a's document crops/run."""
    ledger = owner.context.store.ledger
    source = ledger.version("crops", "run", 1)
    assert source is not None
    there = {"peer": "lab-a", "project": "crops", "document": "run", "version": origin, "iri": f"{THERE}{origin}"}
    with ledger.appending(project) as appending:
        body = {**source.body, "document": name, "version": version, "origin": there}
        appending.append("submit", body, actor=source.actor)


@pytest.fixture
def holder(owner: Repository) -> tuple[Repository, Repository]:
    """A repository with copies of three versions of lab-a's crops/run, and what is derived from them; and lab-a."""
    lab, _ = peer(owner)
    owner.create_project("copies")
    for version in (1, 2, 3):
        copied(owner, "run", version, version, "copies")
    owner.submit(OWN, project="copies", name="model")
    return owner, lab


def about(owner: Repository, name: str = "run", project: str = "copies") -> list[list[str]]:
    """What the warnings about each version of a document say."""
    return [[warning.what for warning in version.origin_warnings] for version in owner.history(project, name)]


def test_a_withdrawal_covers_all_versions_up_to_it(holder: tuple[Repository, Repository]) -> None:
    owner, lab = holder
    assert about(owner) == [[], [], []]
    receive(lab, withdrawal(version=2))
    assert about(owner) == [["withdrawn"], ["withdrawn"], []]
    receive(lab, withdrawal(about="erased", version=3, reason="a person asked"))
    assert about(owner) == [["withdrawn"], ["withdrawn"], ["erased"]]
    receive(lab, withdrawal(about="corrected", version=1, subject=f"{THERE}2"))
    receive(lab, withdrawal(about="corrected", version=3, subject=f"{THERE}4"))
    assert about(owner) == [["withdrawn", "corrected"], ["withdrawn", "corrected"], ["erased", "corrected"]]
    first, *_ = owner.history("copies", "run")
    assert first.origin_warnings[0].to_dict() == {
        "project": "copies",
        "document": "run",
        "version": 1,
        "what": "withdrawn",
        "peer": "lab-a",
        "by": "Ada",
        "when": "2026-03-01T10:00:00Z",
        "reason": "wrong unit",
        "see": f"{THERE}projects/crops/documents/run",
        "notice": first.origin_warnings[0].notice,
    }
    assert first.origin_warnings[1].see == f"{THERE}4", "of several corrections the last one is shown"
    assert about(owner, "model") == about(owner, "run", "crops")[:1] == [[]]


def test_the_order_is_that_of_the_events_and_not_of_the_arrival(holder: tuple[Repository, Repository]) -> None:
    """An older notice that could not be delivered is sent again after a newer one."""
    owner, lab = holder
    receive(lab, withdrawal(about="corrected", version=2, sequence=12, time="2026-03-03T10:00:00Z"))
    receive(lab, withdrawal(version=2, sequence=15, reason="wrong again", time="2026-03-02T10:00:00Z"))
    receive(lab, withdrawal(version=2, sequence=9, reason="wrong unit", time="2026-03-04T10:00:00Z"))
    _, second, _ = owner.history("copies", "run")
    assert [(one.what, one.reason) for one in second.origin_warnings] == [
        ("withdrawn", "wrong unit"),
        ("corrected", "wrong unit"),
        ("withdrawn", "wrong again"),
    ]
    receive(lab, withdrawal(about="erased", version=2, sequence=0, time="2026-03-01T10:00:00Z"))
    _, second, _ = owner.history("copies", "run")
    assert [one.what for one in second.origin_warnings] == ["erased", "withdrawn", "corrected", "withdrawn"], (
        "software that names no entries is ordered by time"
    )


def test_only_the_peer_itself_can_warn(holder: tuple[Repository, Repository]) -> None:
    owner, _ = holder
    other, _ = peer(owner, "lab-c", "https://lab-c.example/")
    for actor in (owner, other, owner.as_actor(owner.context.store.anonymous())):
        receive(actor, withdrawal())
    assert about(owner) == [[], [], []]


def test_a_notice_may_come_before_the_copy(holder: tuple[Repository, Repository]) -> None:
    owner, lab = holder
    receive(lab, withdrawal(version=9))
    copied(owner, "late", 1, 8)
    copied(owner, "later", 1, 10)
    assert about(owner, "late", "crops") == [["withdrawn"]]
    assert about(owner, "later", "crops") == [[]]


def test_answers_that_rest_on_it_say_so(holder: tuple[Repository, Repository]) -> None:
    owner, lab = holder
    model = "http://example.org/model"
    assert owner.lineage(model, project="copies").warnings == ()
    passed = owner.gate(model, sources=["http://example.org/raw"], project="copies")
    assert (passed.passed, passed.warnings) == (True, ())
    receive(lab, withdrawal(about="corrected", version=3))
    graph = owner.lineage(model, project="copies")
    assert [(one.document, one.version, one.what) for one in graph.warnings] == [("run", 3, "corrected")]
    assert graph.to_dict()["warnings"] == [graph.warnings[0].to_dict()]
    gate = owner.gate(model, sources=["http://example.org/raw"], project="copies")
    assert (gate.passed, [one.what for one in gate.warnings]) == (True, ["corrected"])
    receive(lab, withdrawal(version=3))
    gate = owner.gate(model, sources=["http://example.org/raw"], project="copies")
    assert (gate.passed, [one.what for one in gate.warnings]) == (False, ["corrected", "withdrawn"])
    assert gate.to_dict()["warnings"][1]["reason"] == "wrong unit"
    ends_before = owner.gate(model, sources=[CLEAN], project="copies")
    assert (ends_before.passed, ends_before.warnings) == (True, ()), "what is upstream of a source is left out"
    raw = "http://example.org/raw"
    for found in (owner.impact(raw, project="copies"), owner.common([model, CLEAN], project="copies")):
        assert [(one.version, one.what) for one in found.warnings] == [(3, "corrected"), (3, "withdrawn")]
        assert [one["what"] for one in found.to_dict()["warnings"]] == ["corrected", "withdrawn"]
    assert owner.impact(model, project="copies").warnings == (), "the copy does not speak of what depends on the model"
    assert owner.impact(raw, project="crops").warnings == owner.common([CLEAN, raw], project="crops").warnings == ()
    assert owner.lineage(CLEAN, project="crops").warnings == (), "another project has the same thing from elsewhere"


def test_an_agent_in_common_is_no_lineage(holder: tuple[Repository, Repository]) -> None:
    owner, lab = holder
    receive(lab, withdrawal(version=3))
    owner.submit(
        b"document\nprefix ex <http://example.org/>\nentity(ex:x)\nactivity(ex:y,-,-)\nagent(ex:alice)\n"
        b"wasGeneratedBy(ex:x,ex:y,-)\nused(ex:y,ex:z,-)\nentity(ex:z)\nwasAssociatedWith(ex:y,ex:alice,-)\nendDocument",
        project="copies",
        name="other",
    )
    graph = owner.lineage("http://example.org/x", project="copies")
    assert "http://example.org/alice" in {node.iri for node in graph.nodes}
    assert graph.warnings == ()
    assert owner.lineage(CLEAN, project="copies").warnings != ()


def test_pages_show_a_banner(holder: tuple[Repository, Repository]) -> None:
    owner, lab = holder
    receive(lab, withdrawal(version=3, reason="<b>wrong</b> unit", by="Ada & co"))
    app = create_app(owner.context.store)
    client = app.test_client()
    token, _ = owner.create_token("ada")
    headers = {"Accept": "text/html", "Authorization": f"Bearer {token}"}
    for path in (
        "/projects/copies/documents/run",
        "/projects/copies/documents/run/versions/1",
        f"/lineage?iri={CLEAN}&project=copies",
        f"/thing?iri={CLEAN}&project=copies",
        f"/lineage/common?iri={CLEAN}&iri=http://example.org/model&project=copies",
    ):
        page = client.get(path, headers=headers)
        assert page.status_code == 200
        assert "at its origin <strong>lab-a</strong>" in page.text, path
        assert "&lt;b&gt;wrong&lt;/b&gt; unit" in page.text, path
        assert "<b>wrong" not in page.text
    assert "Withdrawn at its origin" in client.get("/projects/copies", headers=headers).text
    assert "at its origin" not in client.get("/projects/copies/documents/model", headers=headers).text
    metadata = client.get("/projects/copies/documents/run/metadata", headers={**headers, "Accept": "*/*"}).get_json()
    assert [one["what"] for one in metadata["origin_warnings"]] == ["withdrawn"]
    listed = client.get("/projects/copies/documents", headers={**headers, "Accept": "application/json"}).get_json()
    found = {one["name"]: one["current"]["origin_warnings"] for one in listed["documents"]}
    assert (found["model"], found["run"][0]["reason"]) == ([], "<b>wrong</b> unit")
    answer = client.get(f"/lineage?iri={CLEAN}&project=copies&format=json", headers=headers).get_json()
    assert [one["document"] for one in answer["warnings"]] == ["run"]


def test_a_derivation_is_announced_once(holder: tuple[Repository, Repository]) -> None:
    owner, _ = holder
    (made,) = owner.announce("copies", "model")
    assert (made.about, made.peer, made.project, made.document, made.version) == (
        *("derived", "lab-a", "copies", "model", 1),
    )
    notice = read(made.body)
    assert (notice.object, notice.project, notice.document, notice.version) == (f"{THERE}3", "crops", "run", 3)
    assert notice.subject == owner.version("copies", "model").iri
    assert owner.announce("copies", "model", peers=["lab-a"]) == [made]
    peer(owner, "lab-c", "https://lab-c.example/")
    with pytest.raises(UsageError, match="lab-c"):
        owner.announce("copies", "model", peers=["lab-c"])
    owner.submit(OWN.replace(b"ex:clean", b"ex:unknown"), project="copies", name="unrelated")
    with pytest.raises(UsageError, match="uses nothing that came from a peer"):
        owner.announce("copies", "unrelated")
    with pytest.raises(NotFound):
        owner.announce("copies", "model", peers=["none"])
    token, _ = owner.create_token("ada")
    actor = owner.context.store.authenticate(token)
    assert actor is not None
    with pytest.raises(Denied):
        owner.as_actor(actor).announce("copies", "model")
    with pytest.raises(Denied):
        owner.as_actor(actor).set_project("copies", announce=True)


def test_a_project_announces_by_its_setting(holder: tuple[Repository, Repository]) -> None:
    owner, _ = holder
    deriving.announce_new(owner.context.store)
    assert owner.notices() == []
    assert owner.set_project("copies", announce=True).announce
    deriving.announce_new(owner.context.store)
    assert owner.notices() == [], "from now on, not what was accepted before"
    owner.submit(OWN.replace(b"train", b"fit"), project="copies", name="model", update=True)
    for _ in range(2):
        deriving.announce_new(owner.context.store)
    assert [one.to_dict()["version"] for one in owner.notices()] == [2]
    owner.set_project("copies", announce=False)
    owner.submit(OWN, project="copies", name="model", update=True)
    deriving.announce_new(owner.context.store)
    assert len(owner.notices()) == 1


def test_commands_show_it(owner: Repository, tmp_path: Path) -> None:
    lab, _ = peer(owner)
    copied(owner, "copy", 1, 2)
    receive(lab, withdrawal())
    owner.close()
    command = Command(tmp_path / "data")
    line = "crops/copy@1 was withdrawn at its origin lab-a, 2026-03-01T10:00:00Z by Ada: wrong unit"
    assert f"version 1: {line}" in command("history", "crops/copy").stdout
    assert f"warning: {line}" in command("list", "crops").stderr
    for options in ([], ["--impact"], ["--common", "http://example.org/raw"]):
        assert f"warning: {line}" in command("lineage", CLEAN, *options).stderr
    sources = tmp_path / "sources"
    sources.write_text("http://example.org/raw\n")
    assert line in command("gate", CLEAN, "--sources", sources, "--project", "crops", code=1).stdout
    (shown,) = command.json("notices", "list", "crops/copy")
    assert (shown["peer"], shown["proof"]) == ("lab-a", "token")
    assert "wrong unit" in command("notices", "show", shown["id"]).stdout


def test_a_version_that_was_copied_again_is_known(holder: tuple[Repository, Repository]) -> None:
    """The index over the ledger follows it, in this process and in another."""
    owner, lab = holder
    receive(lab, withdrawal(version=3))
    assert about(owner)[0] == ["withdrawn"]
    with provrepo.open(owner.settings.data, follow=False) as other:
        copied(other, "again", 1, 3)
        assert about(other, "again", "crops") == about(owner, "again", "crops") == [["withdrawn"]]
    assert [one.document for one in owner.lineage(CLEAN, project="crops").warnings] == ["again"]
