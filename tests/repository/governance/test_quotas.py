"""Quotas of projects: set by administrators, shown to members, and never exceeded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provrepo.errors import Denied, OverQuota, ProjectFull, UsageError
from provrepo.repository.events.making import make_documents
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.repository.people.test_members import acting
from tests.support.command import Command
from tests.support.ledgers import tamper
from tests.support.openlineage_events import run
from tests.support.serving import PROVN, PROVN_TYPE, Site, opened


def document(number: int) -> bytes:
    return PROVJSON.replace(b"cleaned", f"cleaned {number:04}".encode())


SIZE = len(document(0))


@pytest.fixture
def owner(repository: Repository) -> Repository:
    repository.create_project("crops")
    for role in ROLES:
        repository.add_user(role)
        repository.set_member("crops", role, role)
    return repository


def submit(owner: Repository, number: int, name: str = "", **more: object) -> object:
    return owner.submit(document(number), project="crops", name=name or f"d{number}", format="provjson", **more)  # type: ignore[arg-type]


def test_the_use_is_counted(owner: Repository) -> None:
    submit(owner, 0)
    submit(owner, 1, "d0", update=True)
    submit(owner, 2)
    owner.withdraw("crops", "d2", reason="wrong")
    quota = owner.project("crops").quota
    assert quota is not None
    assert (quota.used_documents, quota.used_bytes, quota.used_submissions) == (1, 3 * SIZE, 3)
    owner.erase("crops", "d0", 1, reason="private")
    quota = owner.project("crops").quota
    assert quota is not None
    assert quota.used_bytes == 2 * SIZE
    assert owner.fsck().problems == ()


def test_fsck_compares_the_bytes(owner: Repository) -> None:
    submit(owner, 0)
    tamper(owner.context.store.ledger, "UPDATE streams SET bytes = 1 WHERE project = 'crops'")
    assert "the number of bytes of its versions" in str(owner.fsck().problems)


def test_documents(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=1)
    submit(owner, 0)
    submit(owner, 1, "d0", update=True)
    with pytest.raises(ProjectFull, match=r"is 1 document, and it has 1; withdraw one"):
        submit(owner, 2)
    owner.withdraw("crops", "d0", reason="wrong")
    submit(owner, 2)
    with pytest.raises(ProjectFull):
        submit(owner, 3, "d0", update=True)


def test_bytes(owner: Repository) -> None:
    owner.set_project("crops", quota_bytes=2 * SIZE)
    submit(owner, 0)
    submit(owner, 1, "d0", update=True)
    with pytest.raises(ProjectFull, match=rf"of which its versions use {2 * SIZE:,}"):
        submit(owner, 2, "d0", update=True)
    owner.set_project("crops", quota_bytes=0)
    submit(owner, 2, "d0", update=True)


def test_submissions_a_day(owner: Repository) -> None:
    owner.set_project("crops", quota_submissions=2)
    submit(owner, 0)
    submit(owner, 0)  # the same bytes are no submission
    submit(owner, 1)
    with pytest.raises(OverQuota, match="2 were accepted today") as found:
        submit(owner, 2)
    assert 0 < found.value.retry_after <= 86_400
    tamper(owner.context.store.ledger, "UPDATE streams SET day = '2026-01-01' WHERE project = 'crops'")
    submit(owner, 2)


def test_what_is_refused_leaves_no_bytes(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=1)
    submit(owner, 0)
    before = sorted(path for path in (owner.settings.data / "blobs").rglob("*") if path.is_file())
    with pytest.raises(ProjectFull):
        submit(owner, 1)
    assert sorted(path for path in (owner.settings.data / "blobs").rglob("*") if path.is_file()) == before


def test_sixteen_writers_do_not_exceed_it(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=5, quota_bytes=4 * SIZE)

    def attempt(number: int) -> bool:
        try:
            submit(owner, number)
        except ProjectFull:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(attempt, range(16))) == 4
    assert owner.project("crops").documents == 4


def test_reviews_and_imports_count(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=2, reviewed=["*"])
    submitter = acting(owner, "submitter")
    first, _ = submitter.submit_for_review(document(0), project="crops", name="d0", format="provjson")
    submitter.submit_for_review(document(1), project="crops", name="d1", format="provjson")
    with pytest.raises(ProjectFull, match="2 more are waiting to be accepted"):
        submitter.submit_for_review(document(2), project="crops", name="d2", format="provjson")
    owner.set_project("crops", quota_documents=1)
    submit(owner, 3)
    with pytest.raises(ProjectFull):
        owner.accept_pending(first.id)
    assert owner.pending("crops")[0].state == "waiting"
    imported = owner.import_documents(document(4), project="crops", name="d4", format="provjson")
    assert "the quota of project crops" in imported.skipped[0].reason


def test_events_count(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=1)
    owner.receive_events(run(1, "plot", None, "10:00", writes=["plots"]), project="crops")
    with pytest.raises(ProjectFull):
        owner.receive_events(run(2, "plot", None, "10:00", writes=["plots"]), project="crops")
    store = owner.context.store
    assert make_documents(store, quiet=0).documents == 1
    owner.set_project("crops", quota_documents=2)
    owner.receive_events(run(2, "plot", None, "10:00", writes=["plots"]), project="crops")
    owner.set_project("crops", quota_documents=1)
    # It waits, and does not stop the documents of others.
    made = make_documents(store, quiet=0)
    assert (made.documents, made.refused, made.waiting) == (0, 1, 1)


@pytest.mark.parametrize("quota", [-1, 2**60])
def test_a_quota_is_a_number(owner: Repository, quota: int) -> None:
    with pytest.raises(UsageError, match="0 for no limit"):
        owner.set_project("crops", quota_bytes=quota)


def test_only_administrators_set_it(owner: Repository) -> None:
    with pytest.raises(Denied, match="an administrator can"):
        acting(owner, "owner").set_project("crops", quota_documents=3)
    owner.add_user("boss")
    owner.set_administrator("boss", True)
    assert acting(owner, "boss").set_project("crops", quota_documents=3).quota is not None


def test_members_see_it_and_others_do_not(owner: Repository) -> None:
    owner.set_project("crops", quota_documents=3, public=True)
    assert acting(owner, "reader").project("crops").quota is not None
    assert owner.as_actor(owner.context.store.anonymous()).project("crops").quota is None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site") / "data") as site:
        yield site


def test_over_http(site: Site) -> None:
    answer = site.client.patch("/projects/secret", json={"quota_documents": 1}, headers=site.auth("all"))
    assert answer.get_json()["quota"]["documents"] == 1
    refused = site.client.patch("/projects/secret", json={"quota_documents": True}, headers=site.auth("all"))
    assert refused.status_code == 400

    def sent(name: str, data: bytes) -> object:
        path = f"/projects/secret/documents?name={name}"
        return site.client.post(path, data=data, content_type=PROVN_TYPE, headers=site.auth("all"))

    full = sent("more", PROVN)
    assert (full.status_code, full.get_json()["type"].rpartition("#")[2]) == (507, "project-full")  # type: ignore[attr-defined]
    site.client.patch("/projects/secret", json={"quota_documents": 0, "quota_submissions": 1}, headers=site.auth("all"))
    late = sent("more", PROVN)
    assert (late.status_code, late.get_json()["type"].rpartition("#")[2]) == (429, "quota")  # type: ignore[attr-defined]
    assert 0 < int(late.headers["Retry-After"]) <= 86_400  # type: ignore[attr-defined]
    page = site.client.get("/projects/secret", headers={**site.auth("all"), "Accept": "text/html"}).text
    assert "Quota: 1 of 1 submission today" in page


def test_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    done = command("project", "set", "crops", "--quota-documents", "2", "--quota-bytes", "1000")
    assert "quota     0 of 2 documents, 0 of 1,000 bytes" in done.output
