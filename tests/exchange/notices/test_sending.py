"""The outbox of notices: what is announced to whom, retries, acknowledgments, and receivers that lie."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Denied, NotFound, UsageError
from provrepo.ledger.exchange.outgoing_notices import OutgoingNotices
from provrepo.repository.exchange.notices import announcing, recording, sending, tables
from provrepo.repository.exchange.notices.payload import Notice, read
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.exchange.notices.notices import derivation, kinds, peer, receive, states, withdrawal
from tests.support.lying import LyingServer, lying, response

CREATED = response("201 Created", Location="http://elsewhere.example/1")
DOWN = "http://127.0.0.1:9/inbox"
"""Nothing listens on the discard port."""


def bodies(server: LyingServer) -> list[Notice]:
    """The notices that a receiver got."""
    return [read(request.partition(b"\r\n\r\n")[2]) for request in server.requests]


def told(owner: Repository) -> list[tuple[str, str, int, str]]:
    """What was announced about which version to whom."""
    sent = (one.to_dict() for one in owner.notices(direction="sent"))
    return [(one["about"], one["document"], one["version"], one["url"] or one["peer"]) for one in sent]


def test_each_holder_is_told_of_what_it_holds(owner: Repository) -> None:
    for number, place in enumerate([("crops",), ("crops", "run"), ("crops", "run", 1), ("crops", "run", 2)]):
        owner.add_holder(*place, url=f"http://{number}.example/inbox")
    owner.add_holder("crops", "other", url="http://9.example/inbox")
    past = [("corrected", "run", 1, "http://2.example/inbox")]
    assert told(owner) == past, "the holder of version 1 does not have version 2"
    owner.erase("crops", "run", 1, reason="a person asked")
    owner.submit(PROVJSON.replace(b"raw", b"row"), project="crops", name="run", update=True)
    owner.withdraw("crops", "run", reason="wrong")
    assert told(owner) == [
        *past,
        *[("erased", "run", 1, f"http://{number}.example/inbox") for number in (0, 1, 2)],
        *[("corrected", "run", 2, f"http://{number}.example/inbox") for number in (0, 1, 2, 3)],
        *[("withdrawn", "run", 3, f"http://{number}.example/inbox") for number in (0, 1, 2, 3)],
    ]


def test_a_notice_says_what_who_when_and_why(owner: Repository) -> None:
    owner.init("https://lab-a.example/")
    with lying(CREATED) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.submit(PROVJSON.replace(b"raw", b"row"), project="crops", name="run", update=True, note="the right unit")
        owner.withdraw("crops", "run", reason="wrong\x00 unit\nin all", internal_reason="never shown")
        done = owner.send_notices()
        assert (done.delivered, done.failed, done.waiting, done.unacknowledged) == (2, 0, 0, 2)
        corrected, withdrawn = bodies(server)
    there = "https://lab-a.example/projects/crops/documents/run"
    assert (corrected.about, corrected.subject, corrected.object) == (
        "corrected",
        f"{there}/versions/3",
        f"{there}/versions/2",
    )
    assert corrected.reason == "the right unit"
    assert (withdrawn.about, withdrawn.subject, withdrawn.object) == ("withdrawn", there, f"{there}/versions/3")
    assert withdrawn.reason == "wrong\N{REPLACEMENT CHARACTER} unit\nin all"
    assert (withdrawn.project, withdrawn.document, withdrawn.version) == ("crops", "run", 3)
    info = owner.history("crops", "run")[-1]
    assert (withdrawn.time, withdrawn.by, withdrawn.sha256) == (info.ended, info.ended_by, info.sha256)
    entry = next(entry for entry in owner.entries("crops") if entry.entry["kind"] == "withdraw")
    assert (withdrawn.sequence, withdrawn.entry) == (entry.sequence, entry.sha256)
    assert (withdrawn.origin, withdrawn.origin_inbox) == ("https://lab-a.example/", "https://lab-a.example/inbox")
    assert withdrawn.target_inbox == server.url + "inbox"
    assert b"never shown" not in b"".join(server.requests)
    head = server.requests[0].partition(b"\r\n\r\n")[0].lower()
    assert b"post /inbox http/1.1" in head
    assert b'content-type: application/ld+json; profile="https://www.w3.org/ns/activitystreams"' in head
    assert b"authorization" not in head


def test_nothing_is_announced_twice_or_lost(owner: Repository) -> None:
    with lying(CREATED) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        for _ in range(3):
            owner.send_notices()
        owner.withdraw("crops", "other", reason="wrong")
        for _ in range(3):
            owner.send_notices()
        found = bodies(server)
    assert [one.document for one in found] == ["run", "other"]
    assert len({one.id for one in found}) == 2
    assert kinds(owner, "crops") == ["withdrawn", "withdrawn"], "the entries about notices announce nothing themselves"
    assert owner.fsck().sound


def test_a_holder_of_an_older_copy_is_told_of_the_past(owner: Repository) -> None:
    owner.add_holder("crops", url="http://1.example/inbox")
    owner.withdraw("crops", "run", reason="wrong")
    assert told(owner) == [("withdrawn", "run", 2, "http://1.example/inbox")]
    owner.add_holder("crops", url="http://2.example/inbox")
    owner.add_holder("crops", url="http://3.example/inbox", since=0)
    assert told(owner)[1:] == [
        ("corrected", "run", 1, "http://3.example/inbox"),
        ("withdrawn", "run", 2, "http://3.example/inbox"),
    ], "and the others are not told again"


def test_a_removed_holder_is_told_nothing_more(owner: Repository) -> None:
    made = owner.add_holder("crops", url="http://1.example/inbox")
    assert owner.remove_holder(made.id) == made
    owner.withdraw("crops", "run", reason="wrong")
    assert (told(owner), owner.holders()) == ([], [])
    with pytest.raises(NotFound):
        owner.remove_holder(made.id)
    again = owner.add_holder("crops", url="http://1.example/inbox", since=made.since)
    assert (again.id, owner.holders("crops")) == (made.id, [again])
    assert told(owner) == [("withdrawn", "run", 2, "http://1.example/inbox")]


def test_a_receiver_that_is_down_delays_no_other(owner: Repository) -> None:
    with lying(CREATED) as server:
        owner.add_holder("crops", url=DOWN)
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        owner.withdraw("crops", "other", reason="wrong")
        done = owner.send_notices()
        assert (done.delivered, done.failed, done.waiting) == (2, 1, 2), "after a failure nothing more is tried there"
        assert len(server.requests) == 2
    waiting = [one.to_dict() for one in owner.notices() if one.to_dict()["state"] == "waiting"]
    assert [one["attempts"] for one in waiting] == [1, 0]
    assert waiting[0]["failure"]
    assert owner.send_notices().failed == 1
    assert sending.send_due(owner.context.store), "nothing is due before the pause has ended"
    assert [one.to_dict()["attempts"] for one in owner.notices() if one.to_dict()["url"] == DOWN] == [2, 0]


REDIRECT = response("307 Temporary Redirect", Location="http://169.254.169.254/latest/meta-data")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (REDIRECT, "waiting"),
        (response("303 See Other", Location="/inbox2"), "waiting"),
        (response("500 Internal Server Error"), "waiting"),
        (response("503 Service Unavailable", Retry_After="1"), "waiting"),
        (response("429 Too Many Requests"), "waiting"),
        (response("401 Unauthorized"), "waiting"),
        (response("404 Not Found"), "waiting"),
        (response("400 Bad Request"), "refused"),
        (response("415 Unsupported Media Type"), "refused"),
        (response("422 Unprocessable Content"), "refused"),
        (response("201 Created", b"x" * 3_000_000), "waiting"),
        (b"not HTTP at all", "waiting"),
        (response("200 OK"), "delivered"),
        (response("202 Accepted"), "delivered"),
    ],
    ids=range(14),
)
def test_a_lying_receiver_harms_itself_alone(owner: Repository, answer: bytes, state: str) -> None:
    with lying(answer) as server, lying(CREATED) as good:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.add_holder("crops", url=good.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        owner.send_notices()
        assert len(server.requests) == 1
        assert states(owner) == [
            ("withdrawn", server.url + "inbox", state),
            ("withdrawn", good.url + "inbox", "delivered"),
        ]
        if state == "refused":
            assert owner.send_notices().refused == 1
            assert len(server.requests) == 1
            owner.send_notices(again=True)
            assert len(server.requests) == 2


def test_a_slow_receiver_ends_at_the_deadline(owner: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_SECONDS", 0.5)

    def never(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        while not server.gone.wait(0.1):
            connection.sendall(b"H")

    with lying(never) as server, lying(CREATED) as good:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.add_holder("crops", url=good.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        done = owner.send_notices()
    assert (done.delivered, done.failed) == (1, 1)


def test_a_missing_acknowledgment_is_asked_for_a_few_times(owner: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ASK_AGAIN", (0.0, 0.0, 0.0))
    with lying(CREATED) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        for _ in range(8):
            sending.send_due(owner.context.store)
        assert len(server.requests) == 4, "once, and asked again three times"
        assert len({one.id for one in bodies(server)}) == 1, "it is the same notice"
    assert states(owner)[0][2] == "delivered"
    assert kinds(owner, "crops") == ["withdrawn"]


def test_an_acknowledgment_must_come_from_the_peer(owner: Repository) -> None:
    with lying(CREATED) as server:
        lab, _ = peer(owner, "lab-b", server.url)
        other, _ = peer(owner, "lab-c", "http://lab-c.example/")
        owner.add_holder("crops", peer="lab-b")
        owner.withdraw("crops", "run", reason="wrong")
        owner.send_notices()
        (sent,) = bodies(server)
    answer = replace(sent, id="urn:x:answer", answers=sent.id, origin=server.url)
    for actor in (owner, owner.as_actor(owner.context.store.anonymous()), other):
        receive(actor, answer)
        assert states(owner) == [("withdrawn", "lab-b", "delivered")]
    receive(lab, replace(answer, id="urn:x:none", answers="urn:x:never-sent"))
    assert states(owner) == [("withdrawn", "lab-b", "delivered")]
    receive(lab, answer)
    assert states(owner) == [("withdrawn", "lab-b", "acknowledged")]
    assert owner.notices(direction="sent")[0].to_dict()["acknowledged"]
    assert owner.send_notices(again=True).delivered == 0, "an acknowledgment is not acknowledged, nor asked for again"


def test_a_page_is_not_the_answer_of_an_inbox(owner: Repository) -> None:
    """As from the login page of a network, or a wrong address: the notice was not delivered."""
    with lying(response(body=b"<html>Welcome</html>", Content_Type="text/html; charset=utf-8")) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        assert owner.send_notices().failed == 1
    (sent,) = owner.notices(direction="sent")
    assert sent.to_dict()["state"] == "waiting"
    assert "inbox answered with a page, as no inbox does" in sent.to_dict()["failure"]


def test_a_repository_with_two_names_is_told_once(owner: Repository) -> None:
    """The names have one URL, or one identity. Either name may acknowledge it, and its removal is that of both."""
    with lying(CREATED) as server:
        peer(owner, "lab-b", server.url)
        again, _ = peer(owner, "lab-b2", server.url)
        peer(owner, "elsewhere", server.url + "other/")
        for name in ("lab-b", "elsewhere"):
            owner.set_peer(name, identity="2f1e3b52-7c64-4f4c-a0c0-1f0d9f1c7e5a")
        for name in ("elsewhere", "lab-b2", "lab-b"):
            owner.add_holder("crops", peer=name)
        owner.add_holder("crops", "run", peer="lab-b2")
        assert [(one.document, one.peer) for one in owner.holders("crops")] == [("", "elsewhere"), ("run", "lab-b2")]
        owner.withdraw("crops", "run", reason="wrong")
        owner.send_notices()
        (sent,) = bodies(server)
        assert states(owner) == [("withdrawn", "lab-b", "delivered")]
        receive(again, replace(sent, id="urn:x:answer", answers=sent.id, origin=server.url))
    assert states(owner) == [("withdrawn", "lab-b", "acknowledged")]
    first, second = owner.holders()
    owner.remove_holder(first.id)
    assert owner.holders() == [second]


def test_a_peer_is_answered_and_answered_again(owner: Repository) -> None:
    with lying(CREATED) as server:
        lab, _ = peer(owner, "lab-a", server.url)
        owner.set_peer("lab-a", token="pvr_0123456789abcdef_secret")
        notice = withdrawal()
        receive(lab, notice)
        assert owner.send_notices().delivered == 1
        receive(lab, notice)
        receive(lab, notice)
        assert owner.send_notices().delivered == 1, "it asked again, and gets the same acknowledgment"
        first, second = bodies(server)
        assert b"authorization: bearer pvr_0123456789abcdef_secret" in server.requests[0].lower()
    assert first == second
    assert (first.answers, first.object, first.subject) == (notice.id, notice.object, notice.subject)
    assert first.id != notice.id
    assert owner.notices(direction="sent") == [], "acknowledgments are not listed"


def test_a_pingback_goes_to_those_who_know_only_that(owner: Repository) -> None:
    owner.init("https://lab-a.example/")
    with lying(response("204 No Content")) as server:
        owner.add_holder("crops", "run", url=server.url + "pingback?of=run", protocol="pingback")
        owner.withdraw("crops", "run", reason="wrong")
        assert owner.send_notices().unacknowledged == 0
        (request,) = server.requests
    assert request.startswith(b"POST /pingback?of=run ")
    assert b"content-type: text/uri-list" in request.lower()
    assert request.endswith(b"\r\n\r\nhttps://lab-a.example/projects/crops/documents/run\r\n")
    assert states(owner)[0][2] == "delivered"


def test_a_process_that_is_killed_loses_and_repeats_nothing(owner: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after each step: the same notice arrives at least once, and has one entry."""

    class KilledError(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise KilledError

    with lying(CREATED) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        steps = [
            (OutgoingNotices, "announce"),
            (sending, "_deliver"),
            (OutgoingNotices, "delivered"),
            (recording, "_append"),
            (OutgoingNotices, "recorded"),
        ]
        for place, name in steps:
            with monkeypatch.context() as patched:
                patched.setattr(place, name, kill)
                # The threads of receivers report it as a failure.
                patched.setattr(threading, "excepthook", lambda _: None)
                try:
                    owner.send_notices()
                except KilledError:
                    pass
        owner.send_notices()
        found = bodies(server)
    assert {one.id for one in found} == {one.to_dict()["id"] for one in owner.notices()}
    assert len({one.id for one in found}) == 1
    assert states(owner)[0][2] == "delivered"
    assert kinds(owner, "crops") == ["withdrawn"]


def test_two_processes_do_not_send_at_the_same_time(owner: Repository, tmp_path: Path) -> None:
    def turn(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        with provrepo.open(owner.settings.data, follow=False) as other:
            busy.append(sending.send_due(other.context.store))
        connection.sendall(CREATED)

    busy: list[bool] = []
    with lying(turn) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        owner.send_notices()
        assert (busy, len(server.requests)) == ([False], 1)


def test_what_cannot_be_a_holder_is_refused(owner: Repository) -> None:
    peer(owner, "lab-b", "http://lab-b.example/")
    wrong = [
        {"url": "ftp://a.example/"},
        {"url": "inbox"},
        {"url": "http://me:secret@a.example/inbox"},
        {"url": "http://a.example/#inbox"},
        {"url": "http://a.example/inbox", "peer": "lab-b"},
        {},
        {"peer": "lab-b", "protocol": "pingback"},
        {"peer": "lab-b", "protocol": "mail"},
        {"peer": "lab-b", "since": 99},
        {"peer": "lab-b", "version": 1},
    ]
    for given in wrong:
        with pytest.raises(UsageError):
            owner.add_holder("crops", **given)
    for place, given in [
        (("none",), {"peer": "lab-b"}),
        (("crops", "none"), {"peer": "lab-b"}),
        (("crops", "run", 9), {"peer": "lab-b"}),
        (("crops",), {"peer": "none"}),
    ]:
        with pytest.raises(NotFound):
            owner.add_holder(*place, **given)
    assert owner.holders() == []


def test_a_peer_that_was_removed_is_told_nothing(owner: Repository) -> None:
    peer(owner, "lab-b", "http://127.0.0.1:9/")
    owner.add_holder("crops", peer="lab-b")
    owner.withdraw("crops", "run", reason="wrong")
    assert states(owner) == [("withdrawn", "lab-b", "waiting")]
    owner.remove_peer("lab-b")
    assert owner.send_notices().refused == 1
    owner.withdraw("crops", "other", reason="wrong")
    assert len(owner.notices()) == 1


def test_without_holders_nothing_is_written(owner: Repository) -> None:
    owner.withdraw("crops", "run", reason="wrong")
    owner.notices()
    announcing.announce_all(owner.context.store)
    assert not owner.context.store.exchange.exists


def test_a_peer_is_asked_whether_it_said_so(owner: Repository) -> None:
    entry = {
        "kind": "withdraw",
        "project": "crops",
        "sequence": 7,
        "document": "run",
        "version": 2,
        "time": "2026-03-02T10:00:00Z",
        "reason": "the true reason",
    }
    body = json.dumps({"project": "crops", "entries": [{"sequence": 7, "sha256": "ef" * 32, "entry": entry}]}).encode()
    anybody = owner.as_actor(owner.context.store.anonymous())
    with lying(response("200 OK", body, Content_Type="application/json")) as server:
        owner.add_peer("lab-a", server.url)
        true = withdrawal(origin=server.url, id="urn:x:true")
        wrong = [
            {"version": 3},
            {"document": "other"},
            {"project": "soil"},
            {"sequence": 8},
            {"about": "erased"},
            {"about": "corrected"},
        ]
        for number, changes in enumerate(wrong):
            receive(anybody, withdrawal(origin=server.url, id=f"urn:x:{number}", **changes))
        receive(anybody, withdrawal(origin=server.url, id="urn:x:no-number", sequence=0))
        receive(anybody, true)
        assert server.requests == [], "no request of a stranger causes another one"
        owner.send_notices()
        asked = [request.partition(b" HTTP")[0] for request in server.requests]
        assert asked.count(b"GET /projects/crops/ledger?after=6&limit=1") == 5
        assert {request.partition(b"?")[0] for request in asked} <= {
            b"GET /projects/crops/ledger",
            b"GET /projects/soil/ledger",
            b"POST /inbox",
        }
    (found,) = owner.notices(direction="received")
    assert (found.id, found.to_dict()["proof"], found.to_dict()["reason"]) == (
        "urn:x:true",
        "ledger",
        "the true reason",
    )
    assert (found.to_dict()["time"], found.to_dict()["by"]) == ("2026-03-02T10:00:00Z", "")


@pytest.mark.parametrize(
    "answer",
    [
        response("200 OK", b"[" * 100_000, Content_Type="application/json"),
        response("200 OK", b'{"entries": 7}', Content_Type="application/json"),
        response("200 OK", b'{"entries": [7]}', Content_Type="application/json"),
        response("200 OK", b"[]", Content_Type="application/json"),
        response("200 OK", b"<html>", Content_Type="text/html"),
        response("302 Found", Location="http://169.254.169.254/"),
        response("503 Service Unavailable"),
        response("200 OK", b"x" * (2 << 20), Content_Type="application/json"),
    ],
    ids=range(8),
)
def test_a_peer_that_answers_nonsense_is_asked_later(owner: Repository, answer: bytes) -> None:
    anybody = owner.as_actor(owner.context.store.anonymous())
    with lying(answer) as server:
        owner.add_peer("lab-a", server.url)
        receive(anybody, withdrawal(origin=server.url))
        for _ in range(3):
            owner.send_notices()
        assert len(server.requests) == 1, "it is asked again after a pause"
    assert [one.to_dict()["proof"] for one in owner.notices()] == [""]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"kind": "withdraw", "project": "crops", "sequence": 7, "document": "run", "version": 2},
        {"kind": "withdraw", "project": "crops", "sequence": 7, "document": "run", "version": "2", "reason": ""},
        {"kind": ["withdraw"], "project": "crops", "sequence": 7, "document": "run", "version": 2, "reason": 7},
    ],
    ids=range(4),
)
def test_an_entry_that_is_none_proves_nothing(owner: Repository, entry: dict[str, object]) -> None:
    body = json.dumps({"entries": [{"sequence": 7, "entry": entry}]}).encode()
    with lying(response("200 OK", body, Content_Type="application/json")) as server:
        owner.add_peer("lab-a", server.url)
        receive(owner.as_actor(owner.context.store.anonymous()), withdrawal(origin=server.url))
        owner.send_notices()
    assert owner.notices() == []


def test_derivations_are_acknowledged_too(owner: Repository) -> None:
    with lying(CREATED) as server:
        lab, _ = peer(owner, "lab-a", server.url)
        notice = derivation(owner, "crops", "run", 2)
        receive(lab, notice)
        owner.withdraw("crops", "run", reason="wrong")
        owner.send_notices()
        answers = {one.answers for one in bodies(server)}
    assert answers == {notice.id, ""}, "the acknowledgment, and the withdrawal, since it holds the version now"


def test_actors_without_rights_send_nothing(owner: Repository) -> None:
    token, _ = owner.create_token("ada")
    actor = owner.context.store.authenticate(token)
    assert actor is not None
    with pytest.raises(Denied):
        owner.as_actor(actor).send_notices()


def test_the_tables_of_another_process_are_read(owner: Repository) -> None:
    owner.add_holder("crops", url="http://1.example/inbox")
    with provrepo.open(owner.settings.data, follow=False) as other:
        assert other.holders() == owner.holders()
        other.withdraw("crops", "run", reason="wrong")
        assert told(other) == told(owner)
        assert tables.outgoing(other.context.store).unrecorded() == []


def test_the_attempts_of_a_notice_are_counted_with_the_last(owner: Repository) -> None:
    with lying(response("503 Service Unavailable"), CREATED) as server:
        owner.add_holder("crops", url=server.url + "inbox")
        owner.withdraw("crops", "run", reason="wrong")
        assert owner.send_notices().failed == 1
        assert owner.send_notices().delivered == 1
        (sent,) = (one.to_dict() for one in owner.notices(direction="sent"))
        assert (sent["state"], sent["attempts"]) == ("delivered", 2)
        owner.send_notices(again=True)
        (sent,) = (one.to_dict() for one in owner.notices(direction="sent"))
        assert (sent["state"], sent["attempts"], sent["asked"]) == ("delivered", 1, 1)


def test_a_notice_of_this_repository_to_itself_is_refused(owner: Repository) -> None:
    me, _ = peer(owner, "me", "http://me.example/")
    itself = f"urn:uuid:{owner.context.store.ledger.identity().id}"
    with pytest.raises(UsageError, match="this repository itself"):
        receive(me, withdrawal(origin=itself))
    assert owner.notices() == []
