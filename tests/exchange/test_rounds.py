"""Rounds of a review: changes are asked for, and made at the same address; races and crashes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import Conflict, Denied, Error, NotFound, Refused, UsageError
from provrepo.ledger.appending import Appending
from provrepo.ledger.exchange.pending import PendingDocuments
from provrepo.repository.exchange import decisions
from provrepo.repository.people.roles import ROLES
from provrepo.repository.repository import Repository
from tests.exchange.test_pending import Crash, crash_at
from tests.exchange.test_reviews import ALL, BAD, acting, bearer, sent
from tests.support.laboratories import PROJECT, Laboratory, acquaint, document, laboratory

COMMENT = "name the plot"
PROVN = {"Content-Type": "text/provenance-notation"}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    with laboratory(tmp_path, "lab") as found:
        found.owner.set_project(PROJECT, review="submitters", profiles=["core"])
        for role in ROLES:
            found.owner.add_user(role)
            found.owner.set_member(PROJECT, role, role)
        yield found


@pytest.fixture
def people(lab: Laboratory) -> tuple[Repository, Repository]:
    return acting(lab, "submitter"), acting(lab, "curator")


def kinds(lab: Laboratory) -> list[str]:
    return [str(entry.body.get("decision", entry.kind)) for entry in lab.entries("pending", "review", "submit")]


# Rounds


def test_changes_are_asked_for_and_made_at_the_same_address(
    lab: Laboratory, people: tuple[Repository, Repository]
) -> None:
    submitter, curator = people
    first = sent(submitter)
    asked = curator.ask_pending(first.id, reason=COMMENT)
    assert (asked.state, asked.reason, asked.by, asked.needs_you) == ("changes", COMMENT, "curator", False)
    told = submitter.pending_document(first.id)
    assert (told.state, told.reason, told.by, told.needs_you) == ("changes", COMMENT, "", True)
    assert submitter.pending_original(first.id)[0] == document(1)
    for decide in (curator.accept_pending, lambda id_: curator.ask_pending(id_, reason="more")):
        with pytest.raises(Conflict, match="waits for changes by its sender"):
            decide(first.id)
    assert curator.pending_document(first.id).state == "changes"
    second = submitter.replace_pending(first.id, document(2))
    assert (second.id, second.name, second.state, second.reason) == (first.id, "run", "waiting", "")
    assert curator.pending_original(first.id)[0] == document(2)
    (former,) = curator.pending_document(first.id).rounds
    assert (former["sha256"], former["reason"], former["by"]) == (first.sha256, COMMENT, "curator")
    assert submitter.pending_document(first.id).rounds[0]["by"] == ""
    done = curator.accept_pending(first.id, if_match=second.sha256)
    assert (done.version, lab.owner.original(PROJECT, "run")[0]) == (1, document(2))
    assert kinds(lab) == ["pending", "changes", "pending", "accepted", "submit"]
    assert lab.owner.fsck().problems == ()


def test_to_submit_again_under_the_name_is_the_next_round(
    lab: Laboratory, people: tuple[Repository, Repository]
) -> None:
    submitter, curator = people
    first = sent(submitter)
    with pytest.raises(Conflict, match=f"run waits already, with other bytes, as {first.id}"):
        submitter.submit(document(2), project=PROJECT, name="run")
    assert sent(submitter, 2, update=True).id == first.id
    curator.ask_pending(first.id, reason=COMMENT)
    assert sent(submitter, 3).id == first.id
    assert [bool(each["reason"]) for each in submitter.pending_document(first.id).rounds] == [False, True]
    assert len(lab.owner.pending(PROJECT)) == 1
    again = sent(submitter, 3)
    assert (again.id, len(again.rounds)) == (first.id, 2), "the same bytes change nothing"


def test_the_same_bytes_may_answer_a_request_for_changes(
    lab: Laboratory, people: tuple[Repository, Repository]
) -> None:
    submitter, curator = people
    first = sent(submitter)
    curator.ask_pending(first.id, reason=COMMENT)
    assert submitter.replace_pending(first.id, document(1), note="it is named in line 3").state == "waiting"
    assert curator.accept_pending(first.id).version == 1


def test_a_refused_document_is_mended_at_its_address(lab: Laboratory, people: tuple[Repository, Repository]) -> None:
    submitter, curator = people
    with pytest.raises(Refused) as refused:
        submitter.submit(BAD, project=PROJECT, name="run", keep=True)
    kept: Any = refused.value.kept
    assert kept.needs_you
    still = submitter.replace_pending(kept.id, BAD.replace(b"harvest", b"yield"))
    assert (still.id, still.why) == (kept.id, "refused")
    found = sent(submitter)
    assert (found.id, found.why, found.verdict) == (kept.id, "review", "conforms")
    with pytest.raises(Refused):
        submitter.replace_pending(kept.id, BAD)
    assert submitter.pending_original(kept.id)[0] == document(1), "what waits is unchanged"
    assert curator.accept_pending(kept.id).version == 1
    assert [entry.body["why"] for entry in lab.entries("pending")] == ["refused", "refused", "review"]


def test_who_may_ask_and_who_may_replace(lab: Laboratory, people: tuple[Repository, Repository]) -> None:
    submitter, curator = people
    found = sent(submitter)
    with pytest.raises(Denied, match="only its submitter replaces it"):
        curator.replace_pending(found.id, document(2))
    with pytest.raises(Denied):
        submitter.ask_pending(found.id, reason=COMMENT)
    with pytest.raises(NotFound):
        acting(lab, "reader").replace_pending(found.id, document(2))
    with pytest.raises(UsageError, match="say what is to be changed"):
        curator.ask_pending(found.id, reason=" ")
    lab.owner.remove_member(PROJECT, "submitter")
    with pytest.raises((Denied, NotFound)):
        acting(lab, "submitter").replace_pending(found.id, document(2))
    assert curator.reject_pending(found.id).state == "rejected"


def test_a_pushed_version_is_accepted_or_rejected_as_it_is(tmp_path: Path) -> None:
    with laboratory(tmp_path, "lab-a") as one, laboratory(tmp_path, "lab-b") as other:
        acquaint(one, other)
        one.owner.submit(document(1), project=PROJECT, name="run")
        pushed = one.owner.push("lab-b", PROJECT, "run").pending
        with pytest.raises(UsageError, match="lab-a has pushed this version"):
            other.owner.ask_pending(pushed, reason=COMMENT)


def test_after_a_request_for_changes_it_is_given_up_or_rejected(
    lab: Laboratory, people: tuple[Repository, Repository]
) -> None:
    submitter, curator = people
    for number, repo in enumerate((submitter, curator), 1):
        found = sent(submitter, number, name=f"run-{number}")
        curator.ask_pending(found.id, reason=COMMENT)
        assert repo.reject_pending(found.id).state == "rejected"
    assert kinds(lab)[2::3] == ["given-up", "rejected"]
    assert lab.owner.fsck().problems == ()


# Over HTTP


def test_the_rounds_over_http(lab: Laboratory) -> None:
    client, submitter, curator = lab.client(), {**bearer(lab, "submitter"), **PROVN}, bearer(lab, "curator")
    first = client.post(f"/projects/{PROJECT}/documents?name=run", data=document(1), headers=submitter)
    at, sha256 = first.headers["Location"], first.get_json()["sha256"]
    assert client.post(f"{at}/ask", headers=curator).status_code == 400
    assert client.post(f"{at}/ask?reason=x", headers=submitter).status_code == 403
    assert client.post(f"{at}/ask?reason=plot&if_match={'0' * 64}", headers=curator).status_code == 409
    asked = client.post(f"{at}/ask?reason=plot&if_match={sha256}", headers=curator)
    assert (asked.status_code, asked.get_json()["state"]) == (200, "changes")
    assert client.post(f"{at}/accept", headers=curator).status_code == 409
    assert client.put(at, data=BAD, headers=submitter).status_code == 422
    assert client.put(at, data=b"nonsense", headers=submitter).status_code == 400
    assert client.put(at, data=document(2), headers={**curator, **PROVN}).status_code == 403
    assert client.put(at, data=document(2), headers={**bearer(lab, "reader"), **PROVN}).status_code == 403
    changed = client.put(at, data=document(2), headers=submitter)
    assert (changed.status_code, changed.get_json()["state"], len(changed.get_json()["rounds"])) == (200, "waiting", 1)
    late = client.post(f"{at}/accept?if_match={sha256}", headers=curator)
    assert (late.status_code, "its sender has replaced them" in late.get_json()["detail"]) == (409, True)
    assert client.post(f"{at}/accept", headers=curator).get_json()["version"] == 1
    assert client.put(at, data=document(3), headers=submitter).status_code == 409


def test_readers_learn_nothing_of_the_rounds(lab: Laboratory, people: tuple[Repository, Repository]) -> None:
    submitter, curator = people
    lab.owner.set_project(PROJECT, public=True)
    first = sent(submitter, name="kanarienvogel", note="kanarienvogel")
    curator.ask_pending(first.id, reason="kanarienvogel")
    submitter.replace_pending(first.id, document(2, label="kanarienvogel"))
    client = lab.client()
    ledger = client.get(f"/projects/{PROJECT}/ledger")
    assert "kanarienvogel" not in ledger.text
    assert first.sha256 not in ledger.text
    about = [each["entry"] for each in ledger.get_json()["entries"] if each["entry"]["kind"] in ("pending", "review")]
    assert len({entry["digest"] for entry in about}) == 3
    assert client.get(f"{ALL}/{first.id}").status_code == 401
    assert client.get(f"{ALL}/{first.id}", headers=bearer(lab, "reader")).status_code == 403


# Races


def both(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls at the same time; returns what each has returned, or its error."""
    found: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = calls[number]()
        except Error as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


RACES = {
    "accept and ask": (lambda s, c, f: c.accept_pending(f.id), lambda s, c, f: c.ask_pending(f.id, reason=COMMENT)),
    "accept and reject": (lambda s, c, f: c.accept_pending(f.id), lambda s, c, f: c.reject_pending(f.id)),
    "ask and ask": (
        lambda s, c, f: c.ask_pending(f.id, reason="a"),
        lambda s, c, f: c.ask_pending(f.id, reason="b"),
    ),
    "accept and replace": (
        lambda s, c, f: c.accept_pending(f.id, if_match=f.sha256),
        lambda s, c, f: s.replace_pending(f.id, document(2)),
    ),
    "accept and give up": (lambda s, c, f: c.accept_pending(f.id), lambda s, c, f: s.reject_pending(f.id)),
    "reject and replace": (
        lambda s, c, f: c.reject_pending(f.id),
        lambda s, c, f: s.replace_pending(f.id, document(2)),
    ),
}


@pytest.mark.parametrize("race", RACES.values(), ids=RACES)
def test_one_of_two_wins_and_the_other_is_told(
    lab: Laboratory, people: tuple[Repository, Repository], race: tuple[Callable[..., Any], ...]
) -> None:
    submitter, curator = people
    for number in range(3):
        first = sent(submitter, number + 10, name=f"run-{number}")
        found = both(*[partial(call, submitter, curator, first) for call in race])
        lost = [each for each in found if isinstance(each, Exception)]
        assert all(isinstance(each, Conflict) for each in lost), found
        entries = [e for e in lab.entries("pending", "review") if e.body["pending"] == first.id]
        final = [e.body["decision"] for e in entries if e.kind == "review" and e.body["decision"] != "changes"]
        assert len(final) <= 1
        state = lab.owner.pending_document(first.id).state
        assert {"accepted": "accepted", "rejected": "rejected", "given-up": "rejected"}.get(
            (final or [""])[0], state
        ) == state
        if state == "accepted":
            stored = lab.owner.original(PROJECT, f"run-{number}")[0]
            assert stored == document(number + 10), "what the curator has seen"
        if state in ("waiting", "changes"):
            lab.owner.reject_pending(first.id)
    assert lab.owner.fsck().problems == ()


def test_a_document_that_is_replaced_during_its_acceptance_is_not_accepted(
    lab: Laboratory, people: tuple[Repository, Repository], monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter, curator = people
    first = sent(submitter)
    original = decisions.submit

    def slow(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        submitter.replace_pending(first.id, document(2))
        return original(*args, **kwargs)

    monkeypatch.setattr(decisions, "submit", slow)
    with pytest.raises(Conflict, match="was replaced by its sender at"):
        curator.accept_pending(first.id)
    waiting = curator.pending_document(first.id)
    assert (waiting.state, waiting.sha256 != first.sha256) == ("waiting", True)
    assert lab.owner.documents(PROJECT) == []
    assert curator.accept_pending(first.id).version == 1


def test_what_expires_is_not_decided_on(
    lab: Laboratory, people: tuple[Repository, Repository], monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter, curator = people
    first = sent(submitter)
    original = decisions.submit

    def late(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setattr(decisions, "now", lambda: first.expires.replace("T", "U"))
        assert decisions.expire(lab.store) == 1
        monkeypatch.undo()
        return original(*args, **kwargs)

    monkeypatch.setattr(decisions, "submit", late)
    with pytest.raises((Conflict, NotFound)):
        curator.accept_pending(first.id)
    assert curator.pending_document(first.id).state == "expired"
    with pytest.raises(Conflict):
        submitter.replace_pending(first.id, document(2))
    assert kinds(lab) == ["pending", "expired"]


# Crashes


REPLACEMENT = {
    "before the row": (PendingDocuments, "replace", False),
    "after the row": (PendingDocuments, "replace", True),
    "before the entry": (Appending, "append", False),
    "in the transaction": (Appending, "append", True),
    "after the entry": (PendingDocuments, "change", False),
    "after the state": (PendingDocuments, "change", True),
}


@pytest.mark.parametrize("point", REPLACEMENT.values(), ids=REPLACEMENT)
def test_a_crash_while_a_document_is_replaced(
    lab: Laboratory, people: tuple[Repository, Repository], monkeypatch: pytest.MonkeyPatch, point: Any
) -> None:
    submitter, curator = people
    first = sent(submitter)
    curator.ask_pending(first.id, reason=COMMENT)
    owner, name, after = point
    with monkeypatch.context() as patch:
        crash_at(patch, owner, name, after=after, when=lambda *_, **__: True)
        with pytest.raises(Crash):
            submitter.replace_pending(first.id, document(2))
    submitter.replace_pending(first.id, document(2))
    found = curator.pending_document(first.id)
    assert (found.state, curator.pending_original(first.id)[0]) == ("waiting", document(2))
    assert found.rounds[0]["reason"] == COMMENT
    assert lab.owner.fsck().problems == ()
    assert curator.accept_pending(first.id).version == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_changes_are_asked_for(
    lab: Laboratory, people: tuple[Repository, Repository], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    submitter, curator = people
    first = sent(submitter)
    with monkeypatch.context() as patch:
        crash_at(patch, PendingDocuments, "change", after=after, when=lambda *_, **given: given["state"] == "changes")
        with pytest.raises(Crash):
            curator.ask_pending(first.id, reason=COMMENT)
    told = submitter.pending_document(first.id)
    assert (told.state, told.reason) == ("changes", COMMENT)
    assert submitter.replace_pending(first.id, document(2)).state == "waiting"


# Pages


def test_the_page_shows_comment_difference_and_rounds(lab: Laboratory, people: tuple[Repository, Repository]) -> None:
    submitter, curator = people
    lab.owner.submit(document(9), project=PROJECT, name="run")
    first = sent(submitter, update=True)
    curator.ask_pending(first.id, reason="<b>plot</b>")
    client, html = lab.client(), {"Accept": "text/html"}
    page = client.get(f"{ALL}/{first.id}", headers={**bearer(lab, "submitter"), **html}).text
    assert "&lt;b&gt;plot&lt;/b&gt;" in page
    assert "Change it" in page
    assert "Difference from the present version" in page
    assert re.search(r'<li class="good">\+ <code>[^<]*table-1', page)
    listed = client.get(ALL, headers={**bearer(lab, "submitter"), **html}).text
    assert '<span class="badge warn">you</span>' in listed
    assert "its sender" in client.get(ALL, headers={**bearer(lab, "curator"), **html}).text
    submitter.replace_pending(first.id, document(2))
    assert "Former rounds" in client.get(f"{ALL}/{first.id}", headers={**bearer(lab, "curator"), **html}).text
