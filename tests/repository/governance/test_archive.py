"""Archived projects: every change is refused with the reason, reading stays, and owners can end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from provrepo.errors import Archived, Denied
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from provrepo.server.routing.operations import Permission
from provrepo.server.routing.routes import OPERATIONS
from tests.conftest import PROVJSON, TURTLE
from tests.repository.people.test_members import acting
from tests.support.serving import PROVN, Site, opened

CHANGES: dict[str, Callable[[Repository], object]] = {
    "submit": lambda repo: repo.submit(TURTLE, project="crops", name="more"),
    "the same bytes": lambda repo: repo.submit(PROVJSON, project="crops", name="run", format="provjson"),
    "for review": lambda repo: repo.submit_for_review(TURTLE, project="crops", name="more"),
    "import": lambda repo: repo.import_documents(PROVJSON, project="crops", name="more"),
    "events": lambda repo: repo.receive_events([], project="crops"),
    "withdraw": lambda repo: repo.withdraw("crops", "run", reason="wrong"),
    "settings": lambda repo: repo.set_project("crops", title="Crops"),
    "archived again": lambda repo: repo.set_project("crops", archived=True),
    "member": lambda repo: repo.set_member("crops", "reader", "curator"),
    "no member": lambda repo: repo.remove_member("crops", "reader"),
    "transfer": lambda repo: repo.transfer_project("crops", "reader"),
    "pingback": lambda repo: repo.pingback("crops", "run", ["https://elsewhere.example/1"]),
    "no pingback": lambda repo: repo.discard_pingbacks("crops", "run"),
}


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops", public=True)
    repository.submit(PROVJSON, project="crops", name="run", format="provjson")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    repository.set_project("crops", archived=True)
    return repository


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("who", ["", "owner"])
def test_every_change_is_refused(owner: Repository, change: str, who: str) -> None:
    repo = acting(owner, who) if who else owner
    before = owner.context.store.ledger.position()
    with pytest.raises(Archived, match=r"is archived, so nothing in it can be changed.*--no-archived"):
        CHANGES[change](repo)
    assert owner.context.store.ledger.position() == before


@pytest.mark.parametrize("change", ["submit", "withdraw", "settings", "member"])
def test_those_without_the_right_get_the_refusal_of_before(owner: Repository, change: str) -> None:
    with pytest.raises(Denied) as found:
        CHANGES[change](acting(owner, "reader"))
    assert not isinstance(found.value, Archived)


def test_reading_stays(owner: Repository) -> None:
    assert owner.project("crops").archived
    assert acting(owner, "curator").audit("crops")
    assert acting(owner, "submitter").members("crops")
    assert owner.original("crops", "run")[0] == PROVJSON
    assert owner.query("ASK { ?s ?p ?o }", project="crops").boolean


def test_an_owner_ends_it_and_may_change_something_at_once(owner: Repository) -> None:
    with pytest.raises(Denied):
        acting(owner, "curator").set_project("crops", archived=False)
    changed = acting(owner, "owner").set_project("crops", archived=False, title="Crops")
    assert (changed.archived, changed.title) == (False, "Crops")
    assert owner.submit(TURTLE, project="crops", name="more").created
    recorded = [entry.entry["archived"] for entry in owner.entries("crops") if "archived" in entry.entry]
    assert recorded == [True, False]


def test_the_transaction_refuses_what_began_before(owner: Repository) -> None:
    ledger = owner.context.store.ledger
    with pytest.raises(Archived), ledger.appending("crops") as appending:
        appending.append("withdraw", {"document": "run", "version": 1, "reason": "x"}, actor="somebody")


def test_a_person_can_be_removed_who_has_a_role(owner: Repository) -> None:
    owner.remove_user("reader")
    assert "reader" not in [member.role for member in owner.members("crops")]
    assert owner.fsck().problems == ()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        site.owner.set_project("open", archived=True)
        yield site


IN_PATH = {
    **dict.fromkeys(("project", "number"), "open"),
    **{"document": "run", "version": "1", "pending": "0" * 32, "who": "bob", "key": "0" * 32, "id": "0" * 32},
    **dict.fromkeys(("invitation", "webhook"), "0" * 32),
}


def test_every_route_that_changes_a_project_refuses_before_it_reads_the_body(site: Site) -> None:
    changing = {Permission.WRITE, Permission.CURATE, Permission.MANAGE, Permission.SEND}
    tried = 0
    for rule in site.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            row = OPERATIONS[rule.endpoint, method]
            if rule.endpoint in ("managing.change", "publications.publish", "publishing.send"):
                continue  # a form may end it, and the others change another project
            if "project" not in rule.arguments or row.access.permission not in changing:
                continue
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<{name}>", IN_PATH[name]).replace(f"<path:{name}>", IN_PATH[name])
            answer = site.client.open(path, method=method, headers=site.auth("all"), data=b"{}", json=None)
            if rule.endpoint == "projects.change":
                answer = site.client.patch(path, headers=site.auth("all"), json={"title": "x"})
            assert (answer.status_code, answer.get_json()["type"].rpartition("#")[2]) == (403, "archived"), path
            tried += 1
    assert tried > 10


def test_strangers_are_told_why_too(site: Site) -> None:
    answer = site.client.post(
        "/projects/open/documents/run/pingback", data=b"https://elsewhere.example/1", content_type="text/uri-list"
    )
    assert (answer.status_code, answer.get_json()["type"].rpartition("#")[2]) == (403, "archived")
    assert site.client.get("/projects/open").get_json()["archived"] is True
    assert (
        "Archived: nothing in this project" in site.client.get("/projects/open", headers={"Accept": "text/html"}).text
    )


def test_a_form_does_not_offer_the_project(site: Site) -> None:
    offered = site.client.get("/submit", headers=site.auth("all")).get_json()["projects"]
    assert "open" not in [each["name"] for each in offered]
    assert PROVN
