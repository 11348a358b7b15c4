"""Links with a secret: invitations that give a role, and review links that read one project without an account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provrepo.errors import Archived, Conflict, Denied, NotFound, UsageError
from provrepo.ledger.governance.invitations import Invitation
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.repository.people.test_members import acting
from tests.support.command import Command
from tests.support.ledgers import tamper
from tests.support.serving import BROWSER, Site, opened

HERE = {"Accept": BROWSER, "Sec-Fetch-Site": "same-origin"}
WRONG = "A" * 43


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    repository.submit(PROVJSON, project="crops", name="run", format="provjson")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    repository.add_user("zoe")
    return repository


def roles(repository: Repository) -> dict[str, str]:
    return {member.name: member.role for member in repository.members("crops")}


def end(repository: Repository, id_: str) -> None:
    tamper(repository.context.store.ledger, "UPDATE invitations SET expires = '2020-01-01T00:00:00.000Z'")


def test_an_invitation_gives_its_role_once(owner: Repository) -> None:
    secret, made = acting(owner, "owner").invite("crops", "curator", label="for Zoe")
    assert (made.project, made.purpose, made.role, made.by, made.most) == ("crops", "member", "curator", "owner", 1)
    zoe = acting(owner, "zoe")
    assert zoe.invitation(made.id) == made
    member = zoe.accept_invitation(made.id, secret)
    assert (member.name, member.role, member.by) == ("zoe", "curator", "zoe")
    assert roles(owner)["zoe"] == "curator"
    with pytest.raises(NotFound):
        acting(owner, "reader").accept_invitation(made.id, secret)
    (listed,) = owner.invitations("crops")
    assert (listed.uses, bool(listed.used)) == (1, True)
    recorded = [each.entry for each in owner.entries("crops") if each.entry["kind"] == "invitation"]
    assert [(each["state"], each["role"]) for each in recorded] == [("made", "curator"), ("used", "curator")]
    assert owner.fsck().problems == ()


def test_wrong_expired_used_up_and_revoked_ones_answer_alike(owner: Repository) -> None:
    zoe = acting(owner, "zoe")
    texts = set()

    def refused(id_: str, secret: str) -> None:
        with pytest.raises(NotFound) as found:
            zoe.accept_invitation(id_, secret)
        texts.add(str(found.value))

    secret, made = owner.invite("crops", "reader")
    refused("0" * 32, secret)
    for wrong in (WRONG, "", secret[:-1], "\ud800"):
        refused(made.id, wrong)
    owner.revoke_invitation("crops", made.id)
    refused(made.id, secret)
    secret, made = owner.invite("crops", "reader")
    end(owner, made.id)
    refused(made.id, secret)
    secret, made = owner.invite("crops", "reader")
    zoe.accept_invitation(made.id, secret)
    refused(made.id, secret)
    assert len(texts) == 1
    for link in owner.invitations("crops"):
        with pytest.raises(NotFound) as found:
            zoe.invitation(link.id)
        assert str(found.value) in texts


def test_sixteen_people_do_not_use_it_more_often_than_it_allows(owner: Repository) -> None:
    people = [f"person {number}" for number in range(16)]
    for name in people:
        owner.add_user(name)
    secret, made = owner.invite("crops", "reader", uses=3)

    def follow(name: str) -> bool:
        try:
            acting(owner, name).accept_invitation(made.id, secret)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(follow, people)) == 3
    assert owner.fsck().problems == ()


def test_nobody_gets_less_than_before(owner: Repository) -> None:
    secret, made = owner.invite("crops", "reader")
    for who in ("reader", "curator"):
        with pytest.raises(Conflict, match=f"is {who} of project crops already"):
            acting(owner, who).accept_invitation(made.id, secret)
    assert owner.invitations("crops")[0].uses == 0


def test_only_people_and_services_accept(owner: Repository) -> None:
    secret, made = owner.invite("crops", "reader")
    reviewing, link = owner.invite("crops", "review")
    reviewer = owner.as_actor(owner.follow_review_link(link.id, reviewing))
    for repo in (owner, owner.as_actor(owner.context.store.anonymous()), reviewer):
        with pytest.raises(Denied, match="sign in"):
            repo.accept_invitation(made.id, secret)
    for call in (lambda: acting(owner, "zoe").accept_invitation(link.id, reviewing),
                 lambda: owner.follow_review_link(made.id, secret)):  # fmt: skip
        with pytest.raises(NotFound):
            call()


def test_owners_invite(owner: Repository) -> None:
    secret, made = owner.invite("crops", "reader")
    for who in ("reader", "submitter", "curator"):
        repo = acting(owner, who)
        for call in (lambda r=repo: r.invite("crops", "owner"), lambda r=repo: r.invitations("crops"),
                     lambda r=repo: r.revoke_invitation("crops", made.id)):  # fmt: skip
            with pytest.raises(Denied):
                call()
    with pytest.raises(NotFound):
        owner.revoke_invitation("crops", "0" * 32)
    owner.create_project("soil")
    with pytest.raises(NotFound):
        owner.revoke_invitation("soil", made.id)
    owner.revoke_invitation("crops", made.id)
    with pytest.raises(Conflict, match="revoked already"):
        owner.revoke_invitation("crops", made.id)
    assert secret


@pytest.mark.parametrize(
    "given", [{"role": "king"}, {"days": 0}, {"days": 4_000}, {"uses": -1}, {"uses": 10**9}, {"label": "x" * 20_000}]
)
def test_what_is_no_invitation(owner: Repository, given: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        owner.invite("crops", **{"role": "reader", **given})  # type: ignore[arg-type]


def test_the_links_of_a_former_owner_end(owner: Repository) -> None:
    maker = acting(owner, "owner")
    secret, made = maker.invite("crops", "owner")
    _, review = maker.invite("crops", "review")
    _, other = owner.invite("crops", "reader")
    owner.set_member("crops", "owner", "curator")
    ended = {link.id: bool(link.ended) for link in owner.invitations("crops")}
    assert ended == {made.id: True, review.id: True, other.id: False}
    with pytest.raises(NotFound):
        acting(owner, "zoe").accept_invitation(made.id, secret)
    assert owner.fsck().problems == ()


def test_an_archived_project_takes_no_members_and_is_read_by_reviewers(owner: Repository) -> None:
    secret, made = owner.invite("crops", "reader")
    reviewing, link = owner.invite("crops", "review")
    owner.set_project("crops", archived=True)
    with pytest.raises(Archived):
        acting(owner, "zoe").accept_invitation(made.id, secret)
    with pytest.raises(Archived):
        owner.invite("crops", "reader")
    assert owner.as_actor(owner.follow_review_link(link.id, reviewing)).project("crops").archived


def test_fsck_compares_links_with_their_entries(owner: Repository) -> None:
    secret, made = owner.invite("crops", "reader")
    tamper(owner.context.store.ledger, "UPDATE invitations SET role = 'owner'")
    assert made.id in str(owner.fsck().problems)
    tamper(owner.context.store.ledger, "UPDATE invitations SET role = 'reader', uses = 4")
    assert made.id in str(owner.fsck().problems)
    assert secret


# Review links


@pytest.fixture
def reviewed(owner: Repository) -> tuple[Repository, Repository, Invitation]:
    """The owner, the repository of a review link, and the link."""
    owner.create_project("soil")
    secret, link = owner.invite("crops", "review", label="referee 2")
    return owner, owner.as_actor(owner.follow_review_link(link.id, secret)), link


def test_a_reviewer_reads_one_project_and_changes_nothing(
    reviewed: tuple[Repository, Repository, Invitation],
) -> None:
    owner, reviewer, _ = reviewed
    assert [info.name for info in reviewer.projects()] == ["crops"]
    assert reviewer.original("crops", "run")[0] == PROVJSON
    assert reviewer.query("ASK { ?s ?p ?o }", project="crops").boolean
    with pytest.raises(NotFound):
        reviewer.project("soil")
    before = owner.context.store.ledger.position()
    calls = (
        lambda: reviewer.submit(PROVJSON, project="crops", name="more"),
        lambda: reviewer.withdraw("crops", "run", reason="x"),
        lambda: reviewer.set_project("crops", title="x"),
        lambda: reviewer.members("crops"),
        lambda: reviewer.audit("crops"),
        lambda: reviewer.invite("crops", "owner"),
        lambda: reviewer.invitations("crops"),
        lambda: reviewer.create_project("more"),
        lambda: reviewer.create_token("me"),
        lambda: reviewer.pending("crops"),
    )
    for call in calls:
        with pytest.raises(Denied):
            call()
    assert owner.context.store.ledger.position() == before


def test_a_reviewer_is_nobody_else(reviewed: tuple[Repository, Repository, Invitation]) -> None:
    owner, reviewer, link = reviewed
    assert reviewer.actor.id not in owner.context.store.accounts.names()
    (used,) = [event for event in owner.audit("crops", action="invitation").events if event.actor == reviewer.actor.id]
    assert (used.name, link.id in used.actor) == (reviewer.actor.id, True)


def test_it_ends(reviewed: tuple[Repository, Repository, Invitation]) -> None:
    owner, reviewer, link = reviewed
    store = owner.context.store
    assert store.actor_of(reviewer.actor.token) == reviewer.actor
    owner.revoke_invitation("crops", link.id)
    assert store.actor_of(reviewer.actor.token) is None
    secret, other = owner.invite("crops", "review", uses=1)
    actor = owner.follow_review_link(other.id, secret)
    assert store.actor_of(actor.token) == actor
    with pytest.raises(NotFound):
        owner.follow_review_link(other.id, secret)
    end(owner, other.id)
    assert store.actor_of(actor.token) is None


def test_an_invitation_is_no_review_link(owner: Repository) -> None:
    _, made = owner.invite("crops", "reader")
    assert owner.context.store.actor_of(f"review-link:{made.id}") is None


# Over HTTP, and on pages


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        for name in ("boss", "zoe", "amy"):
            site.owner.add_user(name)
            site.tokens[name] = site.owner.create_token(name, scopes=list(Right))[0]
        site.owner.set_member("secret", "boss", "owner")
        yield site


def made(site: Site, **given: object) -> tuple[str, str]:
    """Make a link over HTTP; returns its path and its secret."""
    answer = site.client.post("/projects/secret/invitations", json=given, headers=site.auth("boss"))
    assert answer.status_code == 201, answer.text
    found = re.fullmatch(r"http://[^/]+(/invitations/[0-9a-f]{32})#([\w-]{43})", answer.get_json()["link"])
    assert found
    assert answer.headers["Cache-Control"] == "no-store"
    return found[1], found[2]


def signed_in(site: Site, who: str) -> FlaskClient:
    client = site.app.test_client()
    assert client.post("/session", data={"token": site.tokens[who]}, headers=HERE).status_code == 303
    return client


def form_token(text: str) -> str:
    found = re.search('name="form_token" value="([^"]*)"', text)
    assert found
    return found[1]


def test_a_person_accepts_on_the_page(site: Site) -> None:
    path, secret = made(site, role="submitter", label="Zoe")
    assert "sign in" in site.client.get(path, headers=HERE).text
    client = signed_in(site, "zoe")
    page = client.get(path, headers=HERE).text
    assert "<strong>boss</strong> invites you" in page
    assert "<strong>submitter</strong>" in page
    assert secret not in page
    sent = {"secret": f"http://localhost{path}#{secret}"}
    assert client.post(path, data={**sent, "form_token": "wrong"}, headers=HERE).status_code == 403
    elsewhere = {"Origin": "https://evil.example"}
    sent["form_token"] = form_token(page)
    assert client.post(path, data=sent, headers=elsewhere).status_code in (403, 404)
    answer = client.post(path, data=sent, headers=HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/secret")
    assert {member.name: member.role for member in site.owner.members("secret")}["zoe"] == "submitter"
    assert client.get("/projects/secret", headers=HERE).status_code == 200


def test_links_that_cannot_be_followed_have_the_same_answer(site: Site) -> None:
    path, secret = made(site, role="reader")
    client = signed_in(site, "amy")
    token = form_token(client.get(path, headers=HERE).text)

    def answers(where: str, given: str) -> tuple[str, ...]:
        json_wanted = {**HERE, "Accept": "application/json"}
        found = client.post(where, data={"secret": given, "form_token": token}, headers=json_wanted)
        page = client.get(where, headers=HERE)
        assert found.status_code == 404
        return found.get_json()["detail"], str(page.status_code), re.sub("request.*", "", page.text)

    unknown = answers("/invitations/" + "0" * 32, secret)
    assert answers(path, WRONG)[0] == unknown[0]
    site.owner.revoke_invitation("secret", path.rpartition("/")[2])
    assert answers(path, secret)[:2] == unknown[:2]
    assert "secret" not in client.get(path, headers=HERE).text.replace("secret:", "")


def test_a_reviewer_reads_by_a_link_and_each_page_says_so(site: Site) -> None:
    path, secret = made(site, role="review", label="referee 2", uses=1)
    client = site.app.test_client()
    page = client.get(path, headers=HERE).text
    assert "without an account" in page
    answer = client.post(path, data={"secret": secret, "form_token": form_token(page)}, headers=HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/secret")
    for where in ("/projects/secret", "/projects/secret/documents/run", "/", "/session", "/projects"):
        found = client.get(where, headers=HERE)
        assert found.status_code == 200, where
        assert "by a review link of boss" in found.text, where
        assert secret not in found.text
    assert "Submit</a> <a" not in client.get("/projects/secret", headers=HERE).text
    assert client.get("/projects/secret/members", headers=HERE).status_code == 403
    assert client.get("/projects/secret/audit", headers=HERE).status_code == 403
    events = site.owner.audit("secret", action="read").events
    assert {event.name for event in events} == {f"review-link:{path.rpartition('/')[2]}"}
    assert client.post(path, data={"secret": secret, "form_token": ""}, headers=HERE).status_code in (403, 404)
    site.owner.revoke_invitation("secret", path.rpartition("/")[2])
    assert client.get("/projects/secret", headers=HERE).status_code == 404
    assert "review link" not in client.get("/", headers=HERE).text


def test_no_secret_is_in_any_file(site: Site) -> None:
    path, secret = made(site, role="review")
    client = site.app.test_client()
    client.post(path, data={"secret": secret}, headers={**HERE, "Referer": f"http://localhost{path}#{secret}"})
    site.owner.audit("secret")
    data = site.owner.settings.data
    for file in (each for each in data.rglob("*") if each.is_file()):
        assert secret.encode() not in file.read_bytes(), file


def test_malformed_bodies_are_refused(site: Site) -> None:
    for given in (
        {},
        {"role": 7},
        {"role": "reader", "days": True},
        {"role": "reader", "more": 1},
        [],
        {"role": "king"},
    ):
        answer = site.client.post("/projects/secret/invitations", json=given, headers=site.auth("boss"))
        assert answer.status_code == 400, given


def test_they_are_listed_and_revoked(site: Site) -> None:
    path, _ = made(site, role="reader", label="for a list")
    listed = site.client.get("/projects/secret/invitations", headers=site.auth("boss")).get_json()["invitations"]
    assert (listed[0]["label"], listed[0]["open"], "secret" in listed[0]) == ("for a list", True, False)
    where = f"/projects/secret{path}"
    site.owner.set_member("secret", "amy", "curator")
    assert site.client.delete(where, headers=site.auth("amy")).status_code == 403
    assert site.client.delete(where).status_code == 404
    assert site.client.delete(where, headers=site.auth("boss")).get_json()["open"] is False
    assert site.client.delete(where, headers=site.auth("boss")).status_code == 409
    assert site.client.get(path).status_code == 404


def test_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    link = command("invite", "crops", "reader", "--label", "Ada").output
    assert re.search(r"/invitations/[0-9a-f]{32}#[\w-]{43}\n", link)
    found = json.loads(command("invitation", "list", "crops", "--output", "json").output)
    assert [(each["label"], each["role"]) for each in found] == [("Ada", "reader")]
    assert "revoked" in command("invitation", "revoke", "crops", found[0]["id"]).output
    assert "revoked" in command("invitation", "list", "crops").output
    command("invite", "crops", "king", code=2)
