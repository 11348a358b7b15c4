"""Publication of one document: what becomes visible is shown, and the bytes are submitted to a public project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.errors import Denied, NotFound, UsageError, Withdrawn
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from tests.repository.people.test_members import acting
from tests.support.command import Command
from tests.support.serving import BROWSER, Site, opened

DOCUMENT = b"""document
prefix ex <https://example.org/>
entity(ex:table, [prov:label="yields", prov:location="/home/ada/yields.csv"])
entity(ex:known)
agent(ex:ada, [prov:label="Ada Lovelace"])
wasAttributedTo(ex:table, ex:ada)
wasDerivedFrom(ex:table, ex:known)
bundle ex:b
  entity(ex:inner)
endBundle
endDocument
"""
KNOWN = b"document\nprefix ex <https://example.org/>\nentity(ex:known)\nendDocument\n"


@pytest.fixture
def owner(repository: Repository) -> Repository:
    for name in ("crops", "papers"):
        repository.create_project(name, public=name == "papers")
        for role in ROLES:
            if name == "crops":
                repository.add_user(role)
            repository.set_member(name, role, role)
    repository.submit(DOCUMENT, project="crops", name="run", format="provn", note="for the referee")
    repository.submit(KNOWN, project="papers", name="earlier", format="provn")
    return repository


def test_it_shows_what_becomes_visible(owner: Repository) -> None:
    before = owner.context.store.ledger.position()
    found = owner.publication("crops", "run", to="papers")
    assert (found.to, found.name, found.version, found.note) == ("papers", "run", 1, "for the referee")
    assert found.statements == 6
    assert [(agent.iri, agent.names) for agent in found.agents] == [("https://example.org/ada", ("Ada Lovelace",))]
    things = {thing.rpartition("/")[2] for thing in found.things}
    assert {"table", "ada", "inner"} <= things
    assert "known" not in things
    assert found.files == ("/home/ada/yields.csv",)
    assert owner.publication("crops", "run", to="papers", name="other", note="").note == ""
    assert owner.context.store.ledger.position() == before


def test_its_bytes_are_submitted_to_the_public_project(owner: Repository) -> None:
    receipt = owner.publish("crops", "run", to="papers", name="yields", note="final")
    assert (receipt.created, receipt.version.project, receipt.version.note) == (True, "papers", "final")
    assert owner.original("papers", "yields")[0] == DOCUMENT
    stranger = owner.as_actor(owner.context.store.anonymous())
    assert stranger.original("papers", "yields")[0] == DOCUMENT
    with pytest.raises(NotFound):
        stranger.original("crops", "run")
    public = json.dumps([entry.entry for entry in stranger.entries("papers")], default=str)
    assert "crops" not in public
    assert not owner.publish("crops", "run", to="papers", name="yields").created


def test_who_may_publish(owner: Repository) -> None:
    for who in ("reader", "submitter"):
        for call in ("publication", "publish"):
            with pytest.raises(Denied):
                getattr(acting(owner, who), call)("crops", "run", to="papers")
    own = acting(owner, "submitter")
    own.submit(DOCUMENT + b"\n", project="crops", name="own", format="provn")
    assert own.publish("crops", "own", to="papers").created
    owner.remove_member("papers", "curator")
    with pytest.raises(Denied):
        acting(owner, "curator").publish("crops", "run", to="papers")
    with pytest.raises(NotFound):
        owner.as_actor(owner.context.store.anonymous()).publish("crops", "run", to="papers")


def test_where_to(owner: Repository) -> None:
    owner.create_project("soil")
    with pytest.raises(UsageError, match="soil is not public"):
        owner.publish("crops", "run", to="soil")
    with pytest.raises(UsageError, match="another project"):
        owner.publish("crops", "run", to="crops")
    with pytest.raises(NotFound):
        owner.publish("crops", "run", to="none")
    owner.withdraw("crops", "run", reason="wrong")
    with pytest.raises((Withdrawn, NotFound)):
        owner.publish("crops", "run", to="papers")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        site.owner.submit(DOCUMENT, project="secret", name="yields", format="provn", note="mine")
        yield site


HERE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin"}


@pytest.mark.parametrize("preview", ["?to=open&preview", "?to=open&preview=true", "?to=open&preview=1"])
def test_a_preview_changes_nothing(site: Site, preview: str) -> None:
    before = site.store.ledger.position()
    answer = site.client.post(f"/projects/secret/documents/yields/publish{preview}", headers=site.auth("all"))
    assert (answer.status_code, answer.get_json()["files"]) == (200, ["/home/ada/yields.csv"])
    assert site.store.ledger.position() == before


def test_over_http(site: Site) -> None:
    path = "/projects/secret/documents/yields/publish"
    assert site.client.post(path, headers=site.auth("all")).status_code == 400
    assert site.client.post(f"{path}?to=open&version=x", headers=site.auth("all")).status_code == 400
    assert site.client.post(f"{path}?to=open").status_code == 404
    assert site.client.post(f"{path}?to=open", headers=site.auth("reader")).status_code == 403
    answer = site.client.post(f"{path}?to=open&name=over-http", headers=site.auth("all"))
    assert (answer.status_code, answer.headers["Location"]) == (201, "/projects/open/documents/over-http")
    again = site.client.post(f"{path}?to=open&name=over-http", headers=site.auth("all"))
    assert again.status_code == 200


def test_on_a_page(site: Site) -> None:
    client = site.app.test_client()
    assert client.post("/session", data={"token": site.tokens["all"]}, headers=HERE).status_code == 303
    path = "/projects/secret/documents/yields/publication"
    assert "Show what becomes visible" in client.get(path, headers=HERE).text
    page = client.get(f"{path}?to=open", headers=HERE).text
    for text in ("Ada Lovelace", "/home/ada/yields.csv", "no public project has yet", 'value="mine"'):
        assert text in page, text
    found = re.search('name="form_token" value="([^"]+)"', page)
    assert found
    sent = {"to": "open", "name": "on-a-page", "note": "", "version": "1", "form_token": found[1]}
    assert client.post(path, data={**sent, "form_token": "x"}, headers=HERE).status_code == 403
    answer = client.post(path, data=sent, headers=HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/open/documents/on-a-page")
    assert site.owner.version("open", "on-a-page", 1).note == ""
    assert path in client.get("/projects/secret/documents/yields", headers=HERE).text
    assert site.client.get(path, headers=HERE).status_code == 404


def test_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    command("project", "create", "papers", "--public")
    (tmp_path / "run.provn").write_bytes(DOCUMENT)
    command("submit", tmp_path / "run.provn", "--project", "crops")
    shown = command("publish", "crops/run", "--to", "papers", "--dry-run").output
    assert "everybody could read 6 statements" in shown
    assert "/home/ada/yields.csv" in shown
    assert "not published" in command("publish", "crops/run", "--to", "papers", code=1, stdin=b"n\n").output
    assert command("list", "papers", "--output", "json").output.strip() == "[]"
    done = command("publish", "crops/run", "--to", "papers", "--yes")
    assert "papers/run@1 published" in done.output
    assert "was public already" in command("publish", "crops/run", "--to", "papers", "--yes").output
