"""Submissions that wait for a review: whose wait, what is kept, who decides, and what others see of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import Conflict, Denied, NotFound, Refused, Stale, Waits
from provrepo.repository.exchange import decisions
from provrepo.repository.people.roles import ROLES, Right
from provrepo.repository.repository import Repository
from tests.support.laboratories import PROJECT, Laboratory, document, laboratory

BAD = document(1).replace(b"  wasAssociatedWith(ex:run-1, ex:ada, -)\n", b"")
ALL = f"/projects/{PROJECT}/pending"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    with laboratory(tmp_path, "lab") as found:
        found.owner.set_project(PROJECT, review="submitters", profiles=["core"])
        for role in ROLES:
            found.owner.add_user(role)
            found.owner.set_member(PROJECT, role, role)
        yield found


def token(lab: Laboratory, name: str) -> str:
    return lab.owner.create_token(name, scopes=tuple(Right))[0]


def acting(lab: Laboratory, name: str) -> Repository:
    actor = lab.store.authenticate(token(lab, name))
    assert actor is not None
    return lab.owner.as_actor(actor)


def bearer(lab: Laboratory, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(lab, name)}"}


def sent(repo: Repository, number: int = 1, **more: Any) -> Any:
    """Submit a document that waits; returns its record."""
    with pytest.raises(Waits) as waits:
        repo.submit(document(number), project=PROJECT, **{"name": "run", **more})
    return waits.value.pending


# Whose submissions wait


def test_submissions_of_submitters_wait_and_those_of_curators_do_not(lab: Laboratory) -> None:
    found = sent(acting(lab, "submitter"))
    assert (found.state, found.why, found.own, found.decide) == ("waiting", "review", True, False)
    assert lab.owner.documents(PROJECT) == []
    assert acting(lab, "curator").submit(document(2), project=PROJECT, name="other").created
    assert acting(lab, "owner").submit(document(3), project=PROJECT, name="third").created
    curator = acting(lab, "curator")
    (shown,) = curator.pending(PROJECT)
    assert (shown.id, shown.own, shown.decide) == (found.id, False, True)
    assert curator.accept_pending(found.id, reason="fine").version == 1
    assert lab.owner.version(PROJECT, "run").submitter == "submitter"


def test_the_setting_is_shown_changed_and_checked(lab: Laboratory) -> None:
    assert lab.owner.project(PROJECT).review == "submitters"
    assert acting(lab, "reader").project(PROJECT).review == ""
    assert lab.owner.set_project(PROJECT, review="nobody").review == "nobody"
    assert acting(lab, "submitter").submit(document(1), project=PROJECT, name="run").created
    with pytest.raises(Exception, match="'all' is not whose submissions can wait"):
        lab.owner.set_project(PROJECT, review="all")
    changed = lab.client().patch(f"/projects/{PROJECT}", json={"review": "submitters"}, headers=bearer(lab, "owner"))
    assert changed.get_json()["review"] == "submitters"


def test_what_is_stored_already_does_not_wait(lab: Laboratory) -> None:
    submitter = acting(lab, "submitter")
    found = sent(submitter)
    lab.owner.accept_pending(found.id)
    receipt = submitter.submit(document(1), project=PROJECT, name="run")
    assert (receipt.created, receipt.version.version) == (False, 1)
    with pytest.raises(Conflict, match="is taken by other bytes"):
        submitter.submit(document(2), project=PROJECT, name="run")
    assert lab.owner.pending(PROJECT) == []


def test_a_submission_over_http_waits_at_its_location(lab: Laboratory) -> None:
    client, headers = lab.client(), {**bearer(lab, "submitter"), "Content-Type": "text/provenance-notation"}
    answer = client.post(f"/projects/{PROJECT}/documents?name=run", data=document(1), headers=headers)
    assert (answer.status_code, answer.get_json()["state"]) == (202, "waiting")
    at = answer.headers["Location"]
    assert at == f"{ALL}/{answer.get_json()['id']}"
    assert client.get(at, headers=headers).get_json()["own"]
    assert client.get(at, headers=bearer(lab, "reader")).status_code == 403
    assert client.put(f"/projects/{PROJECT}/documents/new", data=document(2), headers=headers).status_code == 428
    created = client.put(
        f"/projects/{PROJECT}/documents/new", data=document(2), headers={**headers, "If-None-Match": "*"}
    )
    assert created.status_code == 202


def test_a_precondition_holds_at_the_acceptance(lab: Laboratory) -> None:
    lab.owner.submit(document(1), project=PROJECT, name="run")
    before = lab.owner.version(PROJECT, "run").sha256
    submitter = acting(lab, "submitter")
    with pytest.raises(Stale):
        submitter.submit(document(2), project=PROJECT, name="run", if_match="0" * 64)
    found = sent(submitter, 2, if_match=before)
    lab.owner.submit(document(3), project=PROJECT, name="run", update=True)
    curator = acting(lab, "curator")
    with pytest.raises(Stale):
        curator.accept_pending(found.id)
    assert curator.pending_document(found.id).state == "waiting"
    assert curator.accept_pending(found.id, update=True).version == 3


def test_rejected_bytes_are_not_taken_again_and_those_given_up_are(lab: Laboratory) -> None:
    submitter, curator = acting(lab, "submitter"), acting(lab, "curator")
    found = sent(submitter)
    assert submitter.reject_pending(found.id).state == "rejected"
    assert lab.entries("review")[-1].body["decision"] == "given-up"
    again = sent(submitter)
    assert again.id != found.id
    curator.reject_pending(again.id, reason="no plot number")
    with pytest.raises(Conflict, match=r"these bytes were rejected as run at .*: no plot number; submit changed ones"):
        submitter.submit(document(1), project=PROJECT, name="run")


def test_what_waits_does_not_stop_an_import(lab: Laboratory, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"run-{number}.provn").write_bytes(document(number))
    found = acting(lab, "submitter").import_documents(folder, project=PROJECT)
    assert found.receipts == ()
    assert all("waits for a review as" in skipped.reason for skipped in found.skipped)
    assert len(lab.owner.pending(PROJECT)) == 2


# Who decides


def test_nobody_accepts_an_own_document_while_somebody_else_can(lab: Laboratory) -> None:
    curator = acting(lab, "curator")
    found, _ = curator.submit_for_review(document(1), project=PROJECT, name="run")
    assert (found.own, found.decide) == (True, False)
    with pytest.raises(Denied, match="curator has sent this document, and another curator of crops decides on it"):
        curator.accept_pending(found.id)
    lab.owner.remove_member(PROJECT, "owner")
    assert curator.pending_document(found.id).decide, "nobody else can"
    _, service = lab.owner.create_token("service", projects=[PROJECT])
    assert not curator.pending_document(found.id).decide, "a token that may write could"
    lab.owner.revoke_token(service.id)
    lab.owner.set_administrator("reader", True)
    assert not curator.pending_document(found.id).decide
    lab.owner.set_administrator("reader", False)
    assert curator.accept_pending(found.id).version == 1


def test_the_owner_of_the_directory_decides_on_everything(lab: Laboratory) -> None:
    found, _ = lab.owner.submit_for_review(document(1), project=PROJECT, name="run")
    assert lab.owner.accept_pending(found.id).state == "accepted"


# What was refused, and is kept


def test_a_refused_document_is_kept_if_its_submitter_asks_for_it(lab: Laboratory) -> None:
    for name in ("submitter", "curator"):
        repo = acting(lab, name)
        with pytest.raises(Refused) as refused:
            repo.submit(BAD, project=PROJECT, name=f"of-{name}")
        assert refused.value.kept is None
        assert lab.owner.pending(PROJECT) == []
        with pytest.raises(Refused) as refused:
            repo.submit(BAD, project=PROJECT, name=f"of-{name}", keep=True)
        kept: Any = refused.value.kept
        days = datetime.fromisoformat(kept.expires) - datetime.fromisoformat(kept.received)
        assert (kept.why, kept.verdict, kept.own, days.days) == ("refused", "fails", True, 14)
        assert repo.pending_original(kept.id)[0] == BAD
        assert not repo.pending_report(kept.id).conforms
        with pytest.raises((Refused, Denied)):
            acting(lab, "owner").accept_pending(kept.id)
        assert repo.reject_pending(kept.id).state == "rejected"
    assert [entry.body["why"] for entry in lab.entries("pending")] == ["refused", "refused"]


def test_a_kept_document_over_http(lab: Laboratory) -> None:
    client, headers = lab.client(), {**bearer(lab, "curator"), "Content-Type": "text/provenance-notation"}
    address = f"/projects/{PROJECT}/documents?name=run"
    plain = client.post(address, data=BAD, headers=headers)
    assert (plain.status_code, "Location" in plain.headers, "pending" in plain.get_json()) == (422, False, False)
    kept = client.post(f"{address}&keep=true", data=BAD, headers=headers)
    assert (kept.status_code, kept.get_json()["report"]["verdict"]) == (422, "fails")
    at = kept.headers["Location"]
    assert at == f"{ALL}/{kept.get_json()['pending']['id']}"
    assert client.get(f"{at}/original", headers=headers).data == BAD
    for stranger, status in (({}, 404), (bearer(lab, "reader"), 403), (bearer(lab, "submitter"), 404)):
        assert client.get(at, headers=stranger).status_code == status
        assert client.get(f"{at}/original", headers=stranger).status_code == status
    assert client.get(f"/projects/{PROJECT}/documents/run", headers=headers).status_code == 404
    again = client.post(f"{address}&keep=true", data=BAD, headers=headers)
    assert again.headers["Location"] == at


def test_what_is_kept_expires(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = acting(lab, "submitter")
    with pytest.raises(Refused) as refused:
        repo.submit(BAD, project=PROJECT, name="run", keep=True)
    kept: Any = refused.value.kept
    waits = sent(repo, 2, name="other")
    monkeypatch.setattr(decisions, "now", lambda: kept.expires.replace("T", "U"))
    assert decisions.expire(lab.store) == 1
    assert repo.pending_document(kept.id).state == "expired"
    assert repo.pending_document(waits.id).state == "waiting"
    with pytest.raises(NotFound):
        repo.pending_original(kept.id)
