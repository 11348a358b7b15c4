"""Embargoes: a project is private until its embargo ends, whichever way is tried, and public after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Archived, Conflict, Denied, NotFound, UsageError
from provrepo.ledger.entries import timestamp
from provrepo.repository.governance import embargo
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.repository.people.test_members import acting
from tests.support.command import Command
from tests.support.ledgers import tamper
from tests.support.serving import Site, opened

LATER, EVEN_LATER = "2126-03-01", "2127-03-01T12:00:00+01:00"
Clock = Callable[[str], None]


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    repository.submit(PROVJSON, project="crops", name="run", format="provjson")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    return repository


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time by which embargoes end."""

    def at(time: str) -> None:
        monkeypatch.setattr(embargo, "now", lambda: timestamp(datetime.fromisoformat(time)))

    return at


def is_public(owner: Repository) -> bool:
    stranger = owner.as_actor(owner.context.store.anonymous())
    return [info.name for info in stranger.projects()] == ["crops"]


def test_a_project_becomes_public_at_its_end_and_never_before(owner: Repository, clock: Clock) -> None:
    assert owner.set_embargo("crops", LATER, reason="the paper").embargo == "2126-03-01T00:00:00.000Z"
    clock("2126-02-28T23:59:59.999+00:00")
    assert embargo.publish_due(owner.context.store) == []
    assert not is_public(owner)
    assert not owner.query("ASK { ?s ?p ?o }", public=True).boolean
    clock("2126-03-01T00:00:00+00:00")
    assert not is_public(owner)
    assert embargo.publish_due(owner.context.store) == ["crops"]
    assert embargo.publish_due(owner.context.store) == []
    assert is_public(owner)
    assert owner.query("ASK { ?s ?p ?o }", public=True).boolean
    assert owner.project("crops").embargo == ""
    last = owner.entries("crops")[-1].entry
    assert (last["kind"], last["public"], last["actor"]) == ("settings", True, "")
    assert owner.fsck().problems == ()


def test_the_clock_may_be_set_back(owner: Repository, clock: Clock) -> None:
    owner.set_embargo("crops", LATER)
    clock("1999-01-01T00:00:00+00:00")
    assert embargo.publish_due(owner.context.store) == []
    clock(f"{LATER}T00:00:01+00:00")
    embargo.publish_due(owner.context.store)
    clock("1999-01-01T00:00:00+00:00")
    embargo.publish_due(owner.context.store)
    assert is_public(owner)


def test_it_is_moved_and_lifted(owner: Repository, clock: Clock) -> None:
    owner.set_embargo("crops", LATER)
    assert owner.set_embargo("crops", EVEN_LATER).embargo == "2127-03-01T11:00:00.000Z"
    clock("2126-06-01T00:00:00+00:00")
    assert embargo.publish_due(owner.context.store) == []
    assert owner.set_embargo("crops", None).embargo == ""
    clock("2128-06-01T00:00:00+00:00")
    assert embargo.publish_due(owner.context.store) == []
    assert not is_public(owner)
    with pytest.raises(Conflict, match="has no embargo"):
        owner.set_embargo("crops", None)
    untils = [each.entry["until"] for each in owner.entries("crops") if each.entry["kind"] == "embargo"]
    assert untils == ["2126-03-01T00:00:00.000Z", "2127-03-01T11:00:00.000Z", None]
    assert owner.fsck().problems == ()


def test_nothing_else_makes_it_public(owner: Repository) -> None:
    owner.set_embargo("crops", LATER)
    for repo in (owner, acting(owner, "owner")):
        with pytest.raises(Conflict, match="under an embargo until 2126-03-01T00"):
            repo.set_project("crops", public=True, title="open")
    ledger = owner.context.store.ledger
    with pytest.raises(Conflict), ledger.appending("crops") as appending:
        appending.append("settings", {"public": True}, actor="somebody")
    assert not is_public(owner)
    assert owner.set_project("crops", title="Crops", public=False).title == "Crops"


def test_a_public_project_gets_none(owner: Repository) -> None:
    owner.set_project("crops", public=True)
    with pytest.raises(Conflict, match="--private"):
        owner.set_embargo("crops", LATER)


@pytest.mark.parametrize(
    "until", ["", "soon", "2020-01-01", "2126-03-01T12:00:00", "2126-13-01", "99999-01-01", "2126-W01", "0001-01-01"]
)
def test_what_is_no_time_in_the_future(owner: Repository, until: str) -> None:
    with pytest.raises(UsageError):
        owner.set_embargo("crops", until)


def test_owners_set_it(owner: Repository) -> None:
    for who in ("reader", "submitter", "curator"):
        with pytest.raises(Denied):
            acting(owner, who).set_embargo("crops", LATER)
    assert acting(owner, "owner").set_embargo("crops", LATER).embargo
    assert acting(owner, "reader").project("crops").embargo
    with pytest.raises(NotFound):
        owner.set_embargo("none", LATER)
    owner.set_project("crops", archived=True)
    with pytest.raises(Archived):
        owner.set_embargo("crops", None)


def test_an_archived_project_becomes_public_too(owner: Repository, clock: Clock) -> None:
    owner.set_embargo("crops", LATER)
    owner.set_project("crops", archived=True)
    clock("2126-06-01T00:00:00+00:00")
    assert embargo.publish_due(owner.context.store) == ["crops"]


def end(owner: Repository) -> None:
    """Let the embargo be over, as if time had passed while no process ran."""
    past = timestamp(datetime.now(UTC) - timedelta(days=1))
    tamper(owner.context.store.ledger, "UPDATE embargoes SET until = ?", past)


def test_it_ends_when_the_directory_is_opened_after_it(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.set_embargo("crops", LATER)
        end(repository)
        assert not repository.project("crops").public
    assert "crops: public" in command("project", "show", "crops").output


def test_it_does_not_end_by_itself_after_a_restore(owner: Repository, tmp_path: Path) -> None:
    owner.set_embargo("crops", LATER)
    owner.backup(tmp_path / "backup")
    owner.set_embargo("crops", EVEN_LATER)  # which the backup does not know
    Command(tmp_path / "restored")("restore", tmp_path / "backup")
    with provrepo.open(tmp_path / "restored") as restored:
        end(restored)
        assert embargo.publish_due(restored.context.store) == []
        assert not restored.project("crops").public
        assert restored.set_embargo("crops", EVEN_LATER).embargo
        end(restored)
        assert embargo.publish_due(restored.context.store) == ["crops"]


def test_fsck_compares_it_with_its_entry(owner: Repository) -> None:
    owner.set_embargo("crops", LATER)
    end(owner)
    assert "the embargo of project crops is not the one" in str(owner.fsck().problems)


def test_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    done = command("embargo", "crops", "--until", LATER, "--reason", "the paper")
    assert "embargo   private until 2126-03-01T00:00:00.000Z" in done.output
    assert "embargo   private" in command("project", "show", "crops").output
    command("embargo", "crops", code=2)
    command("embargo", "crops", "--until", LATER, "--lift", code=2)
    assert "embargo" not in command("embargo", "crops", "--lift").output


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        yield site


def test_over_http(site: Site) -> None:
    path = "/projects/secret/embargo"
    answer = site.client.put(path, json={"until": LATER, "reason": "the paper"}, headers=site.auth("all"))
    assert (answer.status_code, answer.get_json()["embargo"]) == (200, "2126-03-01T00:00:00.000Z")
    refused = site.client.patch("/projects/secret", json={"public": True}, headers=site.auth("all"))
    assert (refused.status_code, refused.get_json()["type"].rpartition("#")[2]) == (409, "conflict")
    page = site.client.get("/projects/secret", headers={**site.auth("all"), "Accept": "text/html"}).text
    assert "Under an embargo" in page
    assert site.client.put(path, json={"until": LATER}).status_code == 404
    assert site.client.put(path, json={"until": 7}, headers=site.auth("all")).status_code == 400
    assert site.client.put(path, json={"until": "soon"}, headers=site.auth("all")).status_code == 400
    assert site.client.delete(path, headers=site.auth("all")).get_json()["embargo"] == ""
    assert site.client.delete(path, headers=site.auth("all")).status_code == 409


PUBLIC_PLACES = ("/projects", "/search?q=harvest", "/catalog", "/.well-known/void", "/sitemap.xml", "/queries", "/")


def test_no_public_answer_has_it_before_its_end(site: Site) -> None:
    site.owner.set_embargo("secret", LATER)
    try:
        for path in PUBLIC_PLACES:
            assert "secret" not in site.client.get(path).text, path
        query = "SELECT ?g { GRAPH ?g { ?s ?p ?o } }"
        before = len(site.client.get("/sparql", query_string={"query": query}).get_json()["results"]["bindings"])
        for path in ("", "/documents", "/ledger", "/package", "/documents/run"):
            private, absent = site.client.get(f"/projects/secret{path}"), site.client.get(f"/projects/absent{path}")
            assert private.status_code == absent.status_code == 404
        end(site.owner)
        assert site.client.get("/projects/secret").status_code == 404
        embargo.publish_due(site.store)
        assert site.client.get("/projects/secret").status_code == 200
        after = len(site.client.get("/sparql", query_string={"query": query}).get_json()["results"]["bindings"])
        assert after > before
    finally:
        site.owner.set_project("secret", public=False)
