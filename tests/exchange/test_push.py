"""Versions that are sent to a peer: they wait there, are decided on, and both sides know what became of them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import Conflict, Denied, Mirrored, NotFound, OverQuota, Refused, UsageError, Withdrawn
from provrepo.ledger.confidential import digest
from provrepo.ledger.entries import canonical
from provrepo.ledger.exchange.pushes import Push
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.exchange import arrivals, rounds
from tests.support.laboratories import PROJECT, Laboratory, document, laboratories, laboratory
from tests.support.lying import lying, response

IMPOSSIBLE = b"document\n  prefix ex <https://example.org/>\n  wasDerivedFrom(ex:e, ex:e)\nendDocument\n"
"""A document that a repository takes as it is, and no profile."""

Pair = tuple[Laboratory, Laboratory]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with laboratories(tmp_path) as found:
        yield found


def pushed(lab: Laboratory, number: int = 1, *, name: str = "run", **more: Any) -> Push:
    """Submit a document and push it."""
    lab.owner.submit(document(number), project=PROJECT, name=name, update=True, **more)
    return lab.owner.push("lab-b", PROJECT, name)


def test_a_version_waits_and_is_accepted(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one, note="the first run")
    assert (sent.state, sent.failure) == ("pending", "")
    (waiting,) = other.owner.pending(PROJECT)
    assert (waiting.id, waiting.peer, waiting.name, waiting.note) == (sent.pending, "lab-a", "run", "the first run")
    assert (waiting.verdict, waiting.state, waiting.submitter) == ("conforms", "waiting", one.owner.actor.name)
    assert other.owner.documents(PROJECT) == []
    submitted, other_sent = one.entries("submit")[0], one.entries("exchange")
    assert waiting.origin is not None
    assert (waiting.origin["entry"], waiting.origin["sequence"]) == (submitted.sha256, submitted.sequence)
    assert [entry.body["entry"] for entry in other_sent] == [other.entries("pending")[0].sha256]
    data, _ = other.owner.pending_original(waiting.id)
    assert data == document(1)

    decided = other.owner.accept_pending(waiting.id, reason="thanks")
    assert (decided.state, decided.version, decided.reason) == ("accepted", 1, "thanks")
    assert other.owner.original(PROJECT, "run")[0] == document(1) == one.owner.original(PROJECT, "run")[0]
    info = other.owner.version(PROJECT, "run")
    assert info.origin == waiting.origin
    assert (info.submitter, info.note) == ("lab-a", "the first run")
    kinds = [entry.kind for entry in other.entries()]
    assert kinds == ["settings", "pending", "review", "submit", "exchange"]
    accepted, received = other.entries("submit", "exchange")
    assert received.body["entry"] == submitted.sha256
    assert (received.body["direction"], received.body["state"]) == ("received", "accepted")
    assert other.owner.pending(PROJECT) == []

    one.send()
    (told,) = one.owner.pushes(PROJECT)
    assert (told.state, told.there["version"], told.there["reason"]) == ("accepted", 1, "thanks")
    assert one.entries("exchange")[-1].body["entry"] == accepted.sha256
    assert one.owner.peer("lab-b").identity == other.store.ledger.identity().id
    assert other.owner.peer("lab-a").identity == one.store.ledger.identity().id
    assert other.owner.lineage("https://example.org/table-1", project=PROJECT).nodes
    for lab in pair:
        assert lab.owner.fsck().problems == ()


def test_a_rejected_version_leaves_no_bytes(pair: Pair) -> None:
    one, other = pair
    one.owner.submit(document(1, label="kanarienvogel"), project=PROJECT, name="run")
    sent = one.owner.push("lab-b", PROJECT, "run")

    def stored() -> bytes:
        files = (path for path in sorted(other.store.settings.data.rglob("*")) if path.is_file())
        return b"".join(path.read_bytes() for path in files)

    assert b"kanarienvogel" in stored()
    other.owner.reject_pending(sent.pending, reason="not ours")
    assert b"kanarienvogel" not in stored()
    with pytest.raises(NotFound, match="no longer stored"):
        other.owner.pending_original(sent.pending)
    one.send()
    (told,) = one.owner.pushes()
    assert (told.state, told.there["reason"]) == ("rejected", "not ours")
    (review,) = other.entries("review")
    assert told.there["entry"] == review.sha256 == one.entries("exchange")[-1].body["entry"]
    assert other.store.ledger.confidential(review.body["digest"]) == "not ours"
    with pytest.raises(Conflict, match="rejected"):
        other.owner.accept_pending(sent.pending)
    assert one.owner.push("lab-b", PROJECT, "run").state == "rejected"
    assert len(other.entries("pending")) == 1


def test_the_same_version_waits_once(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one)
    for _ in range(3):
        assert one.owner.push("lab-b", PROJECT, "run", version=1) == replace(
            sent, due=one.owner.pushes()[0].due, attempts=one.owner.pushes()[0].attempts
        )
    # The answer was lost: it is sent again.
    with one.store.exchange.writing() as connection:
        connection.execute("UPDATE pushes SET state = 'queued', pending = '', there = '{}'")
    one.send()
    assert one.owner.pushes()[0].pending == sent.pending
    assert [len(lab.entries("pending", "exchange")) for lab in pair] == [1, 1]
    assert len(other.owner.pending()) == 1


def test_the_entry_has_a_salted_digest_of_what_waits(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one)
    (entry,) = other.entries("pending")
    row = other.store.parts.pending.get(sent.pending)
    assert set(row.private) == {"document", "blob", "size", "format", "base", "report", "note", "origin"}
    assert entry.body["digest"] == digest(row.salt, canonical(row.private).decode())
    assert b"run" not in entry.data.replace(b"software", b"")
    assert row.private["blob"].encode() not in entry.data


def test_a_later_version_replaces_what_came_from_the_same_document(pair: Pair) -> None:
    one, other = pair
    for number in (1, 2):
        sent = pushed(one, number)
        assert other.owner.accept_pending(sent.pending).version == number
    other.owner.submit(document(9), project=PROJECT, name="own")
    sent = pushed(one, 3, name="own")
    with pytest.raises(Conflict, match="taken by other bytes"):
        other.owner.accept_pending(sent.pending)
    assert [info.id for info in other.owner.pending()] == [sent.pending], "it still waits"
    assert other.owner.accept_pending(sent.pending, name="theirs").document == "theirs"
    assert other.owner.original(PROJECT, "own")[0] == document(9)
    one.send()
    assert one.owner.pushes()[-1].there["name"] == "theirs"


@pytest.mark.parametrize("setting", ["peer", "project"])
def test_a_version_is_accepted_at_once(pair: Pair, setting: str) -> None:
    one, other = pair
    if setting == "peer":
        other.owner.set_peer("lab-a", accepts="at-once")
    else:
        other.owner.set_project(PROJECT, pushes="at-once")
    sent = pushed(one)
    assert (sent.state, sent.there["version"]) == ("accepted", 1)
    assert [entry.kind for entry in other.entries()] == ["settings"] * (1 + (setting == "project")) + [
        "submit",
        "exchange",
    ]
    assert pushed(one).state == "accepted"
    assert len(other.entries("submit")) == 1
    other.owner.submit(document(9), project=PROJECT, name="own")
    assert pushed(one, 3, name="own").state == "pending", "a reviewer decides about the name"
    other.owner.set_project(PROJECT, pushes="pending")
    assert pushed(one, 4, name="more").state == "pending"


def test_what_does_not_conform_is_refused(pair: Pair) -> None:
    one, other = pair
    other.owner.set_project(PROJECT, profiles=["core"])
    one.owner.submit(IMPOSSIBLE, project=PROJECT, name="bare")
    sent = one.owner.push("lab-b", PROJECT, "bare")
    assert sent.state == "refused"
    assert "does not conform" in sent.failure
    assert other.entries("pending") == []
    assert not other.store.parts.pending.listed()
    other.owner.set_project(PROJECT, profiles=[])
    assert one.owner.push("lab-b", PROJECT, "bare").state == "pending", "once more, when it may conform"
    other.owner.set_project(PROJECT, profiles=["core"])
    with pytest.raises(Refused):
        other.owner.accept_pending(one.owner.pushes()[0].pending)
    assert len(other.owner.pending()) == 1


def test_the_profiles_of_the_peer_apply_as_well(pair: Pair) -> None:
    one, other = pair
    other.owner.set_peer("lab-a", profiles=["core"])
    one.owner.submit(IMPOSSIBLE, project=PROJECT, name="bare")
    assert one.owner.push("lab-b", PROJECT, "bare").state == "refused"
    assert pushed(one).state == "pending"
    assert other.owner.accept_pending(other.owner.pending()[0].id).version == 1
    assert any("core" in profile for profile in other.owner.version(PROJECT, "run").profiles)


def test_a_quota_is_named_and_becomes_free_again(pair: Pair) -> None:
    one, other = pair
    other.owner.set_peer("lab-a", quota_documents=1, quota_bytes=len(document(1)) + 10)
    first = pushed(one, 1, name="first")
    second = pushed(one, 2, name="second")
    assert (first.state, second.state) == ("pending", "queued")
    assert "quota of lab-a" in second.failure
    assert second.due > first.due
    one.owner.submit(document(3, label="x" * 100), project=PROJECT, name="large")
    large = one.owner.push("lab-b", PROJECT, "large")
    assert (large.state, "quota" in large.failure) == ("refused", True)
    other.owner.reject_pending(first.pending)
    one.send()
    assert [push.state for push in one.owner.pushes()] == ["rejected", "pending", "refused"]


def test_the_answers_about_a_quota(pair: Pair) -> None:
    one, other = pair
    other.owner.set_peer("lab-a", quota_documents=0)
    actor = other.store.authenticate(one.store.peers.token("lab-b"))
    assert actor is not None
    one.owner.submit(document(1), project=PROJECT, name="run")
    assert one.owner.push("lab-b", PROJECT, "run").state == "refused"
    other.owner.set_peer("lab-a", quota_documents=1, quota_bytes=1 << 20)
    assert one.owner.push("lab-b", PROJECT, "run").state == "pending"
    pushed(one, 2, name="more")
    assert "429" not in one.owner.pushes()[1].failure
    with pytest.raises(OverQuota) as caught:
        arrivals._within_quota(other.store, other.owner.peer("lab-a"), 10)
    assert caught.value.retry_after > 60


def test_a_document_expires(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one)
    with other.store.exchange.writing() as connection:
        connection.execute("UPDATE pending SET expires = '2020-01-01T00:00:00.000Z'")
    assert other.owner.pending() == []
    assert [entry.body["decision"] for entry in other.entries("review")] == ["expired"]
    one.send()
    assert one.owner.pushes()[0].state == "expired"
    assert one.owner.push("lab-b", PROJECT, "run").state == "pending", "it may be sent once more"
    assert one.owner.pushes()[0].pending != sent.pending
    assert len(other.entries("pending")) == 2


def test_old_decisions_are_deleted(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one)
    other.owner.reject_pending(sent.pending)
    with other.store.exchange.writing() as connection:
        connection.execute("UPDATE pending SET decided = '2020-01-01T00:00:00.000Z'")
    other.owner.pending()
    with pytest.raises(NotFound):
        other.owner.pending_document(sent.pending)
    one.send()
    assert one.owner.pushes()[0].state == "queued", "the peer does not know it any more"
    one.send()
    assert one.owner.pushes()[0].state == "pending"


# Who may


def test_only_a_named_peer_may_send(pair: Pair, tmp_path: Path) -> None:
    one, other = pair
    token, _ = other.owner.create_token("stranger", projects=(), write=False)
    one.owner.set_peer("lab-b", token=token)
    sent = pushed(one)
    assert (sent.state, bool(sent.failure)) == ("queued", True)
    token, _ = other.owner.create_token("writer")
    one.owner.set_peer("lab-b", token=token)
    one.send()
    assert "is not a peer" in one.owner.pushes()[0].failure
    for accepts, projects in (("nothing", [PROJECT]), ("pending", [])):
        other.owner.set_peer("lab-a", accepts=accepts, projects=projects)
        one.owner.set_peer("lab-b", token=other.owner.create_token("lab-a", projects=(), write=False)[0])
        one.send()
        assert one.owner.pushes()[0].state == "queued"
    assert other.entries("pending") == []
    with pytest.raises(Denied):
        one.owner.as_actor(ANONYMOUS).push("lab-b", PROJECT, "run")


def test_another_repository_behind_the_same_name_is_refused(pair: Pair, tmp_path: Path) -> None:
    one, other = pair
    pushed(one)
    with laboratory(tmp_path, "lab-x") as impostor:
        impostor.owner.add_peer("lab-b", other.url, token=one.store.peers.token("lab-b"))
        impostor.owner.submit(document(5), project=PROJECT, name="fake")
        sent = impostor.owner.push("lab-b", PROJECT, "fake")
        assert sent.state == "queued"
        assert "--identity" in sent.failure
        # And a sender notices that the repository of its peer is another one.
        one.owner.set_peer("lab-b", identity=impostor.store.ledger.identity().id)
        sent = pushed(one, 2, name="second")
        assert "says that it is the repository" in sent.failure
    assert [info.name for info in other.owner.pending()] == ["run", "second"]


def test_what_was_withdrawn_is_not_sent(pair: Pair) -> None:
    one, _ = pair
    one.owner.submit(document(1), project=PROJECT, name="run")
    one.owner.push("lab-b", PROJECT, "run", deliver=False)
    one.owner.withdraw(PROJECT, "run", reason="wrong")
    one.send()
    (push,) = one.owner.pushes()
    assert (push.state, "withdrawn" in push.failure) == ("cancelled", True)
    with pytest.raises((Withdrawn, UsageError)):
        one.owner.push("lab-b", PROJECT, "run")
    with pytest.raises(NotFound):
        one.owner.push("lab-c", PROJECT, "run")
    with pytest.raises(NotFound):
        one.owner.push("lab-b", PROJECT, "none")


# Every version of a project


def test_a_project_pushes_each_version_from_then_on(pair: Pair) -> None:
    one, other = pair
    other.owner.set_peer("lab-a", accepts="at-once")
    one.owner.submit(document(0), project=PROJECT, name="before")
    with pytest.raises(UsageError, match="no peer"):
        one.owner.set_project(PROJECT, push=["lab-z"])
    assert one.owner.set_project(PROJECT, push=["lab-b"]).push == ("lab-b",)
    for number in range(1, 4):
        one.owner.submit(document(number), project=PROJECT, name="run", update=True)
    one.owner.submit(document(7), project=PROJECT, name="more")
    for _ in range(3):
        one.owner.send_pushes()
    there = [(entry.body["document"], entry.body["version"]) for entry in other.entries("submit")]
    assert there == [("run", 1), ("run", 2), ("run", 3), ("more", 1)]
    assert [entry.body["blob"] for entry in other.entries("submit")] == [
        hashlib.sha256(document(number)).hexdigest() for number in (1, 2, 3, 7)
    ]
    one.owner.set_project(PROJECT, push=[])
    one.owner.submit(document(8), project=PROJECT, name="meanwhile")
    one.owner.set_project(PROJECT, push=["lab-b"])
    one.owner.submit(document(9), project=PROJECT, name="after")
    one.owner.send_pushes()
    assert [entry.body["document"] for entry in other.entries("submit")][-1] == "after"
    assert len(other.entries("submit")) == 5


def test_two_that_push_to_each_other_come_to_an_end(pair: Pair) -> None:
    one, other = pair
    token, _ = one.owner.create_token("lab-b", projects=(), write=False)
    one.owner.set_peer("lab-b", accepts="at-once", projects=[PROJECT])
    other.owner.set_peer("lab-a", accepts="at-once", url=one.url, token=token)
    one.owner.set_project(PROJECT, push=["lab-b"])
    other.owner.set_project(PROJECT, push=["lab-a"])
    one.owner.submit(document(1), project=PROJECT, name="run")
    other.owner.submit(document(2), project=PROJECT, name="back")
    for _ in range(3):
        for lab in pair:
            lab.owner.send_pushes()
    for lab in pair:
        assert sorted(entry.body["document"] for entry in lab.entries("submit")) == ["back", "run"]
        assert len(lab.owner.pushes()) == 1


def test_a_mirror_is_not_pushed_by_the_settings_of_its_origin(pair: Pair) -> None:
    one, other = pair
    one.owner.set_project(PROJECT, push=["lab-b"], public=True)
    one.owner.submit(document(1), project=PROJECT, name="run")
    other.owner.mirror(f"{one.url}projects/{PROJECT}", name="copy")
    assert other.owner.original("copy", "run")[0] == document(1)
    other.owner.add_peer("lab-b", one.url)
    assert other.owner.send_pushes() == 0
    with pytest.raises(Mirrored):
        other.owner.push("lab-b", "copy", "run")
    other.owner.set_peer("lab-a", projects=["copy"])
    one.owner.set_peer("lab-b", project="copy")
    sent = one.owner.push("lab-b", PROJECT, "run")
    assert (sent.state, bool(sent.failure)) == ("queued", True)
    assert not other.store.parts.pending.listed()


# Peers that are down, slow or lie


def test_a_peer_that_is_down_is_tried_again(pair: Pair) -> None:
    one, _ = pair
    url = one.owner.peer("lab-b").url
    one.owner.set_peer("lab-b", url="http://127.0.0.1:9/")
    sent = pushed(one)
    assert sent.state == "queued"
    assert "127.0.0.1:9" in sent.failure
    peer = one.owner.peer("lab-b")
    assert (peer.failure, bool(peer.failed)) == (sent.failure, True)
    one.send()
    assert one.owner.pushes()[0].attempts == 2
    one.owner.set_peer("lab-b", url=url)
    one.send()
    assert one.owner.pushes()[0].state == "pending"
    assert one.owner.peer("lab-b").failed == ""


LIES = {
    "a redirect": response("302 Found", location="http://169.254.169.254/latest/"),
    "a redirect of the method": response("307 Temporary Redirect", location="http://127.0.0.1:9/"),
    "no JSON": response(body=b"<html>", content_type="text/html"),
    "an empty object": response("201 Created", b"{}", content_type="application/json"),
    "an array": response("201 Created", b"[]", content_type="application/json"),
    "an error": response("500 Internal Server Error", b"?"),
    "deep JSON": response("201 Created", b"[" * 100_000, content_type="application/json"),
    "too much": response("201 Created", b"{}", length=1 << 40, content_type="application/json"),
    "half an answer": response("201 Created", b"{", length=100, content_type="application/json"),
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES)
def test_a_lying_peer_is_named_and_blocks_no_other(pair: Pair, answer: bytes) -> None:
    one, _ = pair
    with lying(answer) as liar:
        one.owner.add_peer("liar", liar.url, token="pvr_secret")
        one.owner.submit(document(1), project=PROJECT, name="run")
        one.owner.push("liar", PROJECT, "run", deliver=False)
        one.owner.push("lab-b", PROJECT, "run", deliver=False)
        one.send()
        first, second = one.owner.pushes()
        assert (first.peer, first.state, second.state) == ("liar", "queued", "pending")
        assert first.failure
        assert one.owner.peer("liar").failure == first.failure
        assert "pvr_secret" not in first.failure
        assert len(liar.requests) == 1
    assert one.entries("exchange")[0].body["peer"] == "lab-b"
    assert len(one.entries("exchange")) == 1


def _told(**changes: Any) -> dict[str, Any]:
    texts = ("document", "iri", "reason", "entry", "review", "accepted", "identity", "setup")
    return {
        **dict.fromkeys(texts, ""),
        "id": "00000000-0000-4000-8000-000000000000",
        "state": "waiting",
        "version": None,
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"id": "../../x"},
        {"state": "granted"},
        {"state": "accepted", "version": None},
        {"state": "accepted", "version": 1, "accepted": ""},
        {"state": "accepted", "version": True, "accepted": "1" * 64},
        {"version": -1},
        {"entry": "x"},
        {"reason": 7},
        {"reason": "x" * 20_000},
    ],
)
def test_answers_that_cannot_be_true_are_not_believed(pair: Pair, changes: dict[str, Any]) -> None:
    one, _ = pair
    one.owner.submit(document(1), project=PROJECT, name="run")
    blob = hashlib.sha256(document(1)).hexdigest()
    body = json.dumps({**_told(sha256=blob), **changes}).encode()
    with lying(response("201 Created", body, content_type="application/json")) as liar:
        one.owner.set_peer("lab-b", url=liar.url)
        sent = one.owner.push("lab-b", PROJECT, "run")
    assert sent.state == "queued"
    assert sent.failure
    assert one.entries("exchange") == []


def test_a_slow_peer_delays_no_other(pair: Pair) -> None:
    one, other = pair

    def slow(server: Any, connection: Any, request: bytes) -> None:
        server.gone.wait(60)

    with ExitStack() as stack:
        liar = stack.enter_context(lying(slow))
        one.owner.add_peer("a-slow-one", liar.url)
        one.owner.submit(document(1), project=PROJECT, name="run")
        one.owner.push("a-slow-one", PROJECT, "run", deliver=False)
        one.owner.push("lab-b", PROJECT, "run", deliver=False)
        working = rounds.start(one.store)
        for _ in range(6000):
            if other.entries("pending") and one.owner.pushes()[1].state == "pending":
                break
            liar.gone.wait(0.01)
        assert [push.state for push in one.owner.pushes()] == ["queued", "pending"]
        liar.gone.set()
        working.stop()


def test_rounds_work_everything_off(pair: Pair) -> None:
    one, other = pair
    other.owner.set_peer("lab-a", accepts="at-once")
    one.owner.set_project(PROJECT, push=["lab-b"])
    working = rounds.start(one.store)
    for number in range(5):
        one.owner.submit(document(number), project=PROJECT, name=f"run-{number}")
    waited = threading.Event()
    for _ in range(6000):
        if len(other.entries("submit")) == 5 and {push.state for push in one.owner.pushes()} == {"accepted"}:
            break
        waited.wait(0.01)
    working.stop()
    assert len(other.entries("submit")) == 5
    assert len(one.entries("exchange")) == 5


def test_a_push_that_cannot_be_delivered_is_given_up(pair: Pair) -> None:
    one, _ = pair
    one.owner.set_peer("lab-b", url="http://127.0.0.1:9/")
    pushed(one)
    with one.store.exchange.writing() as connection:
        connection.execute("UPDATE pushes SET created = '2020-01-01T00:00:00.000Z'")
    one.send()
    assert one.owner.pushes()[0].state == "given-up"
    assert one.owner.cancel_push(1).state == "given-up"


def test_a_push_is_cancelled(pair: Pair) -> None:
    one, other = pair
    sent = pushed(one)
    assert one.owner.cancel_push(sent.id).state == "cancelled"
    other.owner.accept_pending(sent.pending)
    one.send()
    assert one.owner.pushes()[0].state == "cancelled"
    assert one.owner.push("lab-b", PROJECT, "run").state == "accepted"
    with pytest.raises(NotFound):
        one.owner.cancel_push(99)


def test_what_is_queued_goes_to_the_project_that_the_peer_has_now(pair: Pair) -> None:
    one, other = pair
    other.owner.create_project("trials")
    other.owner.set_peer("lab-a", projects=[PROJECT, "trials"])
    one.owner.submit(document(1), project=PROJECT, name="run")
    one.owner.push("lab-b", PROJECT, "run", deliver=False)
    one.owner.set_peer("lab-b", project="trials")
    one.send()
    assert [push.target for push in one.owner.pushes()] == ["trials"]
    assert [waiting.project for waiting in other.owner.pending()] == ["trials"]
    one.owner.submit(document(2), project=PROJECT, name="more")
    one.owner.push("lab-b", PROJECT, "more", deliver=False)
    one.owner.set_peer("lab-b", project="")
    one.send()
    assert [push.target for push in one.owner.pushes()] == ["trials", PROJECT], "what waits there stays there"


def test_a_change_that_may_mend_a_failure_ends_the_pause(pair: Pair) -> None:
    one, _ = pair
    token = one.store.peers.token("lab-b")
    one.owner.set_peer("lab-b", token="pvr_0123456789abcdef_" + "0" * 64)
    assert pushed(one).state == "queued"
    later = "2999-01-01T00:00:00.000Z"
    one.store.parts.pushes.postpone("lab-b", later)
    one.owner.set_peer("lab-b", quota_documents=7)
    assert one.owner.pushes()[0].due == later
    one.owner.set_peer("lab-b", token=token)
    assert one.owner.pushes()[0].due < later


def test_a_repository_is_no_peer_of_itself(tmp_path: Path) -> None:
    with laboratory(tmp_path, "lab-a") as lab:
        identity = lab.store.ledger.identity().id
        with pytest.raises(UsageError, match="is the identity of this repository"):
            lab.owner.add_peer("me", lab.url, identity=identity)
        lab.owner.init("https://lab-a.example/")
        with pytest.raises(UsageError, match="is the base IRI of this repository"):
            lab.owner.add_peer("me", "https://lab-a.example/")
        token, _ = lab.owner.create_token("me", projects=(), write=False)
        lab.owner.add_peer("me", lab.url, token=token, accepts="at-once", projects=[PROJECT])
        lab.owner.submit(document(1), project=PROJECT, name="run")
        sent = lab.owner.push("me", PROJECT, "run")
        assert sent.state == "refused"
        assert "from this repository itself" in sent.failure
        assert lab.owner.pending() == []
        assert [len(lab.entries(kind)) for kind in ("submit", "pending", "exchange")] == [1, 0, 0]
