"""Repeated submission of withdrawn or erased bytes: refused with actor, time and reason, unless ``again`` is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.checks.findings import Severity
from provrepo.errors import Denied, TakenBack
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command
from tests.support.serving import LATER, Site, opened

OTHER = TURTLE + b"ex:other a prov:Entity .\n"


def states(repository: Repository, name: str = "run") -> list[tuple[int, str, str]]:
    return [(info.version, info.state, info.reason) for info in repository.history("default", name)]


def test_withdrawn_bytes_are_refused_and_taken_again_as_a_new_version(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    gone = repository.withdraw("default", "run", reason="wrong sensor")
    with pytest.raises(TakenBack, match="wrong sensor") as caught:
        repository.submit(PROVJSON, name="run")
    error = caught.value
    assert (error.state, error.document, error.version) == ("withdrawn", "run", 1)
    assert (error.time, error.by, error.reason) == (gone.withdrawn_at, repository.actor.name, "wrong sensor")
    assert [info.name for info in repository.documents("default")] == []
    assert repository.submit(PROVJSON, name="run", again=True).version.version == 2
    assert states(repository) == [(1, "withdrawn", "wrong sensor"), (2, "current", "")]
    # Submitting the current bytes is not a new submission.
    assert not repository.submit(PROVJSON, name="run").created
    first = repository.history("default", "run")[0]
    assert (first.ended, first.ended_by) == (gone.withdrawn_at, repository.actor.name)


def test_other_bytes_may_follow_a_withdrawal(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.withdraw("default", "run", reason="wrong sensor")
    assert repository.submit(TURTLE, name="run").version.version == 2
    # Other documents are not affected.
    assert repository.submit(PROVJSON, name="fresh").created


def test_an_update_does_not_bring_withdrawn_bytes_back(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.withdraw("default", "run", reason="wrong sensor")
    repository.submit(TURTLE, name="run")
    with pytest.raises(TakenBack) as caught:
        repository.submit(PROVJSON, name="run", update=True)
    assert caught.value.version == 1
    assert repository.submit(PROVJSON, name="run", update=True, again=True).version.version == 3
    # Accepted again and replaced later: there is no later withdrawal.
    repository.submit(TURTLE, name="run", update=True)
    assert repository.submit(PROVJSON, name="run", update=True).version.version == 5


def test_a_withdrawal_takes_earlier_versions_along(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(TURTLE, name="run", update=True)
    repository.withdraw("default", "run", reason="wrong sensor")
    for data in (PROVJSON, TURTLE):
        with pytest.raises(TakenBack):
            repository.submit(data, name="run")
    assert states(repository) == [(1, "superseded", ""), (2, "withdrawn", "wrong sensor")]


def test_what_was_replaced_and_not_withdrawn_may_come_back(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(TURTLE, name="run", update=True)
    assert repository.submit(PROVJSON, name="run", update=True).version.version == 3


def test_erased_bytes_are_the_owners_to_take_in_again(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(TURTLE, name="run", update=True)
    repository.erase("default", "run", 1, reason="court order")
    text, _ = repository.create_token("pipeline")
    pipeline = repository.context.store.authenticate(text)
    assert pipeline is not None
    for name in ("run", "elsewhere"):
        with pytest.raises(TakenBack, match="court order") as caught:
            repository.submit(PROVJSON, name=name, update=True)
        assert (caught.value.state, caught.value.document) == ("erased", "run")
        with pytest.raises(Denied, match="only the owner"):
            repository.as_actor(pipeline).submit(PROVJSON, name=name, update=True, again=True)
    assert states(repository) == [(1, "erased", "court order"), (2, "current", "")]
    assert repository.submit(PROVJSON, name="run", update=True, again=True).version.version == 3
    assert repository.original("default", "run")[0] == PROVJSON
    assert repository.fsck().sound


def test_a_version_that_shares_erased_bytes_is_still_the_same_submission(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    repository.submit(PROVJSON, name="twin")
    repository.erase("default", "run", 1, reason="court order")
    assert not repository.submit(PROVJSON, name="twin").created


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as found:
        yield found


def test_over_http(site: Site) -> None:
    headers = {**site.auth("open"), "Content-Type": "application/json"}
    documents = "/projects/open/documents"
    token = next(token.id for token in site.owner.tokens() if token.name == "bob")
    client = site.client
    assert client.post(f"{documents}?name=back", data=PROVJSON, headers=headers).status_code == 201
    gone = client.delete(f"{documents}/back?reason=wrong+sensor", headers=headers).get_json()
    for answer in (
        client.post(f"{documents}?name=back", data=PROVJSON, headers=headers),
        client.put(f"{documents}/back", data=PROVJSON, headers={**headers, "If-None-Match": "*"}),
        client.put(f"{documents}/back", data=PROVJSON, headers={**headers, "If-Match": "*"}),
    ):
        assert answer.status_code == 409
        problem = answer.get_json()
        assert problem["type"].endswith("#taken-back")
        expected = {"state": "withdrawn", "document": "back", "version": 1, "time": gone["withdrawn_at"]}
        assert problem["withdrawal"] == {**expected, "by": "bob", "reason": "wrong sensor"}
    again = client.post(f"{documents}?name=back&again=true", data=PROVJSON, headers=headers)
    receipt = again.get_json()
    assert (again.status_code, receipt["version"], receipt["token"]) == (201, 2, token)
    answer = client.get(f"{documents}/back/versions", headers={**headers, "Accept": "application/json"}).get_json()
    found = [(each["version"], each["state"], each["ended_by"], each["reason"]) for each in answer["versions"]]
    assert found == [(1, "withdrawn", "bob", "wrong sensor"), (2, "current", "", "")]
    client.delete(f"{documents}/back", headers=headers)
    put = {**headers, "If-Match": "*"}
    assert client.put(f"{documents}/back?again=true", data=PROVJSON, headers=put).get_json()["version"] == 3
    assert client.put(f"{documents}/back?again=perhaps", data=PROVJSON, headers=put).status_code == 400


def test_two_tokens_of_one_name_are_told_apart(repository: Repository) -> None:
    repository.submit(OTHER, name="first")
    used = []
    for data in (PROVJSON, TURTLE):
        text, token = repository.create_token("pipeline")
        actor = repository.context.store.authenticate(text)
        assert actor is not None
        receipt = repository.as_actor(actor).submit(data, name="run", update=True)
        assert receipt.to_dict()["token"] == token.id
        used.append(token.id)
    repository.submit(OTHER, name="run", update=True)
    found = [(info.submitter, info.token) for info in repository.history("default", "run")]
    assert found == [("pipeline", used[0]), ("pipeline", used[1]), (repository.actor.name, "")]
    entries = [entry.entry for entry in repository.entries("default") if entry.entry["kind"] == "submit"]
    assert [entry.get("token") for entry in entries] == [None, *used, None]


def test_what_the_report_said_is_in_the_entry(repository: Repository) -> None:
    repository.submit(PROVJSON, name="run")
    (entry,) = [entry.entry for entry in repository.entries("default") if entry.entry["kind"] == "submit"]
    assert entry["warnings"] == repository.report("default", "run").count(Severity.WARNING)
    assert entry["possible"] in (True, False, None)
    assert repository.version("default", "run").warnings == entry["warnings"]


def test_pages_show_withdrawals_of_versions_and_tokens(site: Site) -> None:
    site.submit("seen")
    site.owner.withdraw("open", "seen", reason="wrong <i>scale</i>")
    site.owner.submit(PROVJSON, project="open", name="seen")
    token = next(token.id for token in site.owner.tokens() if token.name == "bob")
    headers = {**site.auth("open"), "Content-Type": "application/json"}
    site.client.post("/projects/open/documents?name=sent", data=PROVJSON, headers=headers)
    page = {"Accept": "text/html"}
    versions = site.client.get("/projects/open/documents/seen/versions", headers=page).get_data(as_text=True)
    assert "Withdrawn" in versions
    assert "wrong &lt;i&gt;scale&lt;/i&gt;" in versions
    first = site.client.get("/projects/open/documents/seen/versions/1", headers={**page, **site.auth("all")}).text
    assert "This version was withdrawn" in first
    assert "This is not the newest version" in first
    assert token in site.client.get("/projects/open/documents/sent/versions", headers=page).get_data(as_text=True)


def test_lists_say_that_a_newest_version_was_erased(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        path = site.submit("doomed")
        site.owner.erase("open", "doomed", 1, reason="court order")
        [listed] = [info for info in site.owner.documents("open") if info.name == "doomed"]
        assert (listed.current.state, listed.current.reason, listed.withdrawn) == ("erased", "court order", False)
        assert site.owner.document("open", "doomed").current.state == "erased"
        found = site.client.get("/projects/open/documents").get_json()["documents"]
        assert {d["name"]: d["current"]["state"] for d in found}["doomed"] == "erased"
        page = site.client.get("/projects/open/documents", headers={"Accept": "text/html"}).text
        assert "Erased" in page
        # A later version is current again.
        site.submit("doomed", LATER)
        assert site.owner.document("open", "doomed").current.state == "current"
        assert site.client.get(path).status_code == 200
    assert "erased" not in Command(site.store.settings.data)("list", "open").stdout


def test_erasing_says_where_other_versions_keep_the_bytes(tmp_path: Path) -> None:
    call = Command(tmp_path / "data")
    file = tmp_path / "a.json"
    file.write_bytes(PROVJSON)
    for name in "abc":
        call("submit", file, "--name", name)
    notes = [call("erase", f"default/{name}@1", "--reason", "law").stderr for name in "abc"]
    assert "still stored: 2 other versions consist of them" in notes[0]
    assert "still stored: another version consists of them" in notes[1]
    assert "still stored" not in notes[2]
    assert call("list").stdout.count("erased") == 3
