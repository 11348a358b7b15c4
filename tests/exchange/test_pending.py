"""Documents that wait: who sees them, what is refused, reviewed submissions, and crashes between two steps."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Denied, NotFound, Waits
from provrepo.ledger.appending import Appending
from provrepo.ledger.exchange.pending import PendingDocuments
from provrepo.repository.exchange import arrivals, decisions
from provrepo.repository.repository import Repository
from provrepo.repository.upkeep.restore import restore
from tests.support import unprivileged
from tests.support.laboratories import PROJECT, Laboratory, document, laboratories
from tests.support.serving import BROWSER

Pair = tuple[Laboratory, Laboratory]
ALL = f"/projects/{PROJECT}/pending"
ABSENT = "00000000-0000-4000-8000-000000000000"
CANARY = "kanarienvogel"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with laboratories(tmp_path) as found:
        yield found


def bearer(lab: Laboratory, name: str, **more: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {lab.owner.create_token(name, **more)[0]}"}


def waiting(pair: Pair, *, label: str = CANARY) -> str:
    """Push a document; returns its identifier at the peer."""
    one, _ = pair
    one.owner.submit(document(1, label=label), project=PROJECT, name=CANARY, note=CANARY)
    return one.owner.push("lab-b", PROJECT, CANARY).pending


# Who sees them


@pytest.mark.parametrize("public", [True, False])
def test_what_waits_is_invisible_to_readers_and_strangers(pair: Pair, public: bool) -> None:
    _, other = pair
    other.owner.set_project(PROJECT, public=public)
    id_ = waiting(pair)
    client = other.client()
    callers = {
        "stranger": {},
        "reader": bearer(other, "eve", projects=[PROJECT], write=False),
        "another peer": bearer(other, "lab-c", projects=(), write=False),
    }
    other.owner.add_peer("lab-c", "http://127.0.0.1:1/", accepts="pending", projects=[PROJECT])
    for who, headers in callers.items():
        for method, below in (
            *(("GET", text) for text in ("", "/original", "/report", "?format=html")),
            *(("POST", text) for text in ("/accept", "/reject?reason=x", "/accept?name=y")),
        ):
            found = [client.open(f"{ALL}/{one}{below}", method=method, headers=headers) for one in (id_, ABSENT)]
            real, absent = [
                (a.status_code, re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", a.text)) for a in found
            ]
            assert real == absent, (who, method, below)
            assert real[0] in (401, 403, 404), (who, method, below)
        assert client.get(ALL, headers=headers).status_code in (401, 403, 404)
    assert [info.id for info in other.owner.pending()] == [id_]


def test_nothing_of_what_waits_is_in_any_answer(pair: Pair) -> None:
    _, other = pair
    other.owner.set_project(PROJECT, public=True)
    other.owner.submit(document(2), project=PROJECT, name="run")
    waiting(pair)
    client, reader = other.client(), bearer(other, "eve", projects=[PROJECT], write=False)
    addresses = [
        *("/", "/projects", f"/projects/{PROJECT}", f"/projects/{PROJECT}/documents?withdrawn=true"),
        *(
            f"/projects/{PROJECT}/ledger",
            f"/projects/{PROJECT}/metrics",
            f"/projects/{PROJECT}/sparql?query=SELECT * {{ ?s ?p ?o }}",
        ),
        *("/search?q=harvest", "/thing?iri=https://example.org/table-1", "/metrics", "/health"),
        "/lineage?iri=https://example.org/run-1",
    ]
    for address in addresses:
        for headers in ({}, reader, {**reader, "Accept": BROWSER}):
            assert CANARY not in client.get(address, headers=headers).text, address
    assert client.get(f"/search?q={CANARY}", headers=reader).get_json()["total"] == 0
    assert client.get(f"/projects/{PROJECT}/documents/{CANARY}", headers=reader).status_code == 404
    ledger = client.get(f"/projects/{PROJECT}/ledger", headers=reader).get_json()
    (entry,) = [found["entry"] for found in ledger["entries"] if found["entry"]["kind"] == "pending"]
    assert set(entry) - {"project", "sequence", "previous", "actor", "time", "software", "kind"} == {
        "pending", "why", "digest", "expires", "token", "ignorable"
    }  # fmt: skip


def test_reviewers_and_the_sender_see_them_over_http(pair: Pair) -> None:
    one, other = pair
    id_ = waiting(pair)
    client = other.client()
    sender = {"Authorization": f"Bearer {one.store.peers.token('lab-b')}"}
    writer = bearer(other, "ada", projects=[PROJECT])
    for headers in (sender, writer):
        found = client.get(f"{ALL}/{id_}", headers=headers)
        assert (found.status_code, found.get_json()["state"]) == (200, "waiting")
        original = client.get(f"{ALL}/{id_}/original", headers=headers)
        assert original.data == document(1, label=CANARY)
        assert original.headers["Content-Disposition"].startswith("attachment")
        assert client.get(f"{ALL}/{id_}/report", headers=headers).get_json()["verdict"] == "conforms"
    assert [one["id"] for one in client.get(ALL, headers=writer).get_json()["pending"]] == [id_]
    assert client.get(ALL, headers=sender).status_code == 404
    assert client.post(f"{ALL}/{id_}/accept", headers=sender).status_code == 404
    for address in (ALL, f"{ALL}/{id_}"):
        page = client.get(address, headers={**writer, "Accept": BROWSER})
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert CANARY in page.text
    accepted = client.post(f"{ALL}/{id_}/accept?reason=fine&name=renamed", headers=writer)
    assert (accepted.status_code, accepted.get_json()["document"], accepted.get_json()["by"]) == (200, "renamed", "ada")
    assert client.post(f"{ALL}/{id_}/reject", headers=writer).status_code == 409
    told = client.get(f"{ALL}/{id_}", headers=sender).get_json()
    assert (told["state"], told["reason"], told["by"]) == ("accepted", "fine", "")
    assert client.get(f"{ALL}/{id_}/original", headers=writer).status_code == 404
    assert "Accepted as" in client.get(f"{ALL}/{id_}", headers={**writer, "Accept": BROWSER}).text


def test_a_document_is_found_in_its_own_project_only(pair: Pair) -> None:
    _, other = pair
    id_ = waiting(pair)
    other.owner.create_project("soil")
    client, writer = other.client(), bearer(other, "ada")
    for method, below in (("GET", ""), ("GET", "/original"), ("POST", "/accept"), ("POST", "/reject")):
        answer = client.open(f"/projects/soil/pending/{id_}{below}", method=method, headers=writer)
        assert answer.status_code == 404
    assert other.owner.pending("soil") == []


# What is refused


def sent(lab: Laboratory, headers: dict[str, str], parts: Any) -> Any:
    return lab.client().post(ALL, data=parts, headers=headers, content_type="multipart/form-data")


def parts_of(pair: Pair) -> tuple[dict[str, str], dict[str, Any], bytes]:
    """The headers of the peer, and a valid message with its document."""
    from provrepo.repository.exchange import messages

    one, _ = pair
    one.owner.submit(document(1), project=PROJECT, name="run")
    entry = one.entries("submit")[0]
    message = messages.compose(
        entry,
        identity=one.store.ledger.identity().id,
        setup=one.store.ledger.setup(),
        head=(entry.sequence, entry.sha256),
        iri="urn:x",
        submitter="ana",
        license="",
    )
    return {"Authorization": f"Bearer {one.store.peers.token('lab-b')}"}, json.loads(message), document(1)


def form(message: Any, data: bytes) -> dict[str, Any]:
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return {"push": (io.BytesIO(text), "push.json"), "document": (io.BytesIO(data), "document")}


CHANGES: dict[str, Any] = {
    "no identity": {"identity": None},
    "another project": {"project": "soil"},
    "another sequence": {"sequence": 9},
    "another digest": {"entry": "0" * 64},
    "another version": {"version": 2},
    "another document": {"document": "walk"},
    "a head before it": {"head": {"sequence": 1, "sha256": "0" * 64}},
    "a head that contradicts it": {"head": {"sequence": 2, "sha256": "0" * 64}},
    "no head": {"head": {}},
    "a future format": {"push": 2},
    "a lone surrogate": {"submitter": "\ud800"},
    "a long name": {"submitter": "x" * 3000},
    "no IRI": {"iri": "no iri"},
    "no license": {"license": "<script>"},
    "no entry": {"content": "{}"},
    "no text": {"content": "\ud800"},
    "a number": {"content": 7},
}


def test_nonsense_is_refused_and_leaves_nothing(pair: Pair) -> None:
    _, other = pair
    headers, message, data = parts_of(pair)
    tried: dict[str, Any] = {what: form({**message, **changes}, data) for what, changes in CHANGES.items()}
    entry = json.loads(message["content"])
    changed = json.dumps({**entry, "note": "changed"}, sort_keys=True, separators=(",", ":"))
    tried |= {
        "a changed entry": form({**message, "content": changed}, data),
        "other bytes": form(message, document(2)),
        "no bytes": form(message, b""),
        "no JSON": form(b"{", data),
        "an array": form(b"[]", data),
        "deep JSON": form(b"[" * 50_000, data),
        "a large message": form(b" " * (300 << 10) + json.dumps(message).encode(), data),
        "no message": {"document": (io.BytesIO(data), "document")},
        "no document": {"push": (io.BytesIO(json.dumps(message).encode()), "push")},
        "nothing": {},
        "another part": {**form(message, data), "more": "x"},
        "two documents": {**form(message, data), "document": [(io.BytesIO(data), "a"), (io.BytesIO(data), "b")]},
    }
    for what, parts in tried.items():
        answer = sent(other, headers, parts)
        assert answer.status_code == 400, (what, answer.status_code, answer.text)
        assert answer.mimetype == "application/problem+json", what
    part = b'--y\r\nContent-Disposition: form-data; name="push"\r\n\r\n{}\r\n'
    unnamed = b'--y\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx\r\n'
    headless = b"--y\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
    for body in (
        b"--x\r\n",
        part + unnamed + b"--y--\r\n",
        part + headless + b"--y--\r\n",
        unnamed + headless + b"--y--\r\n",
    ):
        broken = other.client().post(ALL, data=body, headers=headers, content_type="multipart/form-data; boundary=y")
        assert broken.status_code == 400, (body, broken.text)
    plain = other.client().post(ALL, data=data, headers=headers, content_type="text/provenance-notation")
    assert plain.status_code == 404, "a peer that may not write sends pushes only"
    assert other.entries() == other.entries("settings")
    assert not other.store.parts.pending.listed()
    assert sent(other, headers, form(message, data)).status_code == 201
    assert sent(other, headers, form(message, data)).status_code == 200


def test_a_message_whose_head_is_later_is_taken(pair: Pair) -> None:
    headers, message, data = parts_of(pair)
    later = {**message, "head": {"sequence": 99, "sha256": "1" * 64}}
    found = sent(pair[1], headers, form(later, data))
    assert found.get_json()["origin"]["head"] == later["head"]


# Submissions under review


def test_submissions_of_some_wait_for_a_review(pair: Pair) -> None:
    _, other = pair
    student, teacher = bearer(other, "student", projects=[PROJECT]), bearer(other, "teacher", projects=[PROJECT])
    other.owner.set_project(PROJECT, reviewed=["student"])
    settings = other.entries("settings")[-1]
    assert "student" not in settings.data.decode(), "entries contain no names of people"
    client = other.client()
    address, provn = f"/projects/{PROJECT}/documents", "text/provenance-notation"
    first = client.post(f"{address}?name=run&note=mine", data=document(1), headers=student, content_type=provn)
    again = client.post(f"{address}?name=run&note=mine", data=document(1), headers=student, content_type=provn)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json()["id"] == again.get_json()["id"]
    id_ = first.get_json()["id"]
    assert other.owner.documents(PROJECT) == []
    assert [each["id"] for each in client.get(ALL, headers=student).get_json()["pending"]] == [id_], "its own"
    assert client.post(f"{ALL}/{id_}/accept", headers=student).status_code == 403
    assert client.get(f"{ALL}/{id_}", headers=student).get_json()["state"] == "waiting"
    accepted = client.post(f"{ALL}/{id_}/accept", headers=teacher).get_json()
    info = other.owner.version(PROJECT, "run")
    assert (info.submitter, info.note, info.origin, accepted["by"]) == ("student", "mine", None, "teacher")
    assert [entry.kind for entry in other.entries()][-3:] == ["pending", "review", "submit"]
    replaced = client.put(f"{address}/run", data=document(2), headers={**student, "If-Match": "*"}, content_type=provn)
    assert replaced.status_code == 202
    assert other.owner.version(PROJECT, "run").version == 1
    client.post(f"{ALL}/{replaced.get_json()['id']}/accept", headers=teacher)
    assert other.owner.version(PROJECT, "run").version == 2
    assert client.post(f"{address}?name=own", data=document(3), headers=teacher, content_type=provn).status_code == 201
    actor = other.store.authenticate(student["Authorization"].removeprefix("Bearer "))
    assert actor is not None
    as_student = Repository(other.store, actor)
    with pytest.raises(Waits, match=f"{PROJECT}/run-4 waits for a review as ") as waits:
        as_student.submit(document(4), project=PROJECT, name="run-4")
    four: Any = waits.value.pending
    assert (four.state, four.own, four.decide) == ("waiting", True, False)
    assert as_student.reject_pending(four.id, reason="a mistake").state == "rejected"
    assert other.entries("review")[-1].body["decision"] == "given-up"
    mine = as_student.submit_for_review(document(4), project=PROJECT, name="mine")[0]
    colleague = other.store.authenticate(teacher["Authorization"].removeprefix("Bearer "))
    assert colleague is not None
    as_teacher = Repository(other.store, colleague)
    theirs = as_teacher.submit_for_review(document(9), project=PROJECT, name="theirs", refused=True)[0]
    assert [each.id for each in as_student.pending(PROJECT)] == [each.id for each in as_student.pending()] == [mine.id]
    assert [each.id for each in as_teacher.pending(PROJECT)] == [mine.id, theirs.id]
    with pytest.raises(NotFound):
        as_student.reject_pending(theirs.id)
    other.owner.set_project(PROJECT, reviewed=["*"])
    assert client.post(address, data=document(5), headers=teacher, content_type=provn).status_code == 202
    assert other.owner.submit(document(6), project=PROJECT, name="owner").created
    other.owner.set_project(PROJECT, reviewed=[])
    assert client.post(address, data=document(7), headers=student, content_type=provn).status_code == 201


# Crashes between two steps


class Crash(BaseException):
    """Stands for the end of the process."""


def crash_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool, when: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def crashing(*args: Any, **kwargs: Any) -> Any:
        if not when(*args, **kwargs):
            return original(*args, **kwargs)
        if after:
            original(*args, **kwargs)
        monkeypatch.undo()
        raise Crash

    monkeypatch.setattr(owner, name, crashing)


def _state(wanted: str) -> Callable[..., bool]:
    return lambda *_, **values: values.get("state") == wanted


def _kind(wanted: str) -> Callable[..., bool]:
    return lambda _self, kind, *_, **__: kind == wanted


ARRIVAL = {
    "before the row": (PendingDocuments, "add", False, lambda *_, **__: True),
    "after the row": (PendingDocuments, "add", True, lambda *_, **__: True),
    "before the entry": (Appending, "append", False, _kind("pending")),
    "in the transaction of the entry": (Appending, "append", True, _kind("pending")),
    "after the entry": (PendingDocuments, "change", False, _state("waiting")),
    "after the state": (PendingDocuments, "change", True, _state("waiting")),
    "before the answer": (arrivals, "pending_info", True, lambda *_, **__: True),
}


@pytest.mark.parametrize("point", ARRIVAL.values(), ids=ARRIVAL)
def test_a_crash_while_a_document_arrives(pair: Pair, monkeypatch: pytest.MonkeyPatch, point: Any) -> None:
    one, other = pair
    headers, message, data = parts_of(pair)
    actor = other.store.authenticate(headers["Authorization"].removeprefix("Bearer "))
    assert actor is not None
    peer = Repository(other.store, actor)
    owner, name, after, when = point
    with monkeypatch.context() as patch:
        crash_at(patch, owner, name, after=after, when=when)
        with pytest.raises(Crash):
            peer.receive(PROJECT, data, json.dumps(message).encode())
    assert len(other.owner.pending()) <= 1
    found, _ = peer.receive(PROJECT, data, json.dumps(message).encode())
    assert [info.id for info in other.owner.pending()] == [found.id]
    assert [entry.sha256 for entry in other.entries("pending")] == [found.entry]
    assert one.owner.push("lab-b", PROJECT, "run").pending == found.id
    assert other.owner.fsck().problems == ()
    assert other.owner.accept_pending(found.id).version == 1


DECISION = {
    "before it is marked": (PendingDocuments, "change", False, _state("deciding")),
    "after it is marked": (PendingDocuments, "change", True, _state("deciding")),
    "before the review": (Appending, "append", False, _kind("review")),
    "between review and submission": (Appending, "append", False, _kind("submit")),
    "before the exchange": (Appending, "append", False, _kind("exchange")),
    "in the transaction": (Appending, "append", True, _kind("exchange")),
    "before the row": (PendingDocuments, "change", False, _state("accepted")),
    "after the row": (PendingDocuments, "change", True, _state("accepted")),
}


@pytest.mark.parametrize("at_once", [False, True], ids=["reviewed", "at once"])
@pytest.mark.parametrize("point", DECISION.values(), ids=DECISION)
def test_a_crash_while_a_document_is_accepted(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, point: Any, at_once: bool
) -> None:
    one, other = pair
    owner, name, after, when = point
    headers, message, data = parts_of(pair)
    actor = other.store.authenticate(headers["Authorization"].removeprefix("Bearer "))
    assert actor is not None
    peer, text = Repository(other.store, actor), json.dumps(message).encode()
    if at_once:
        other.owner.set_peer("lab-a", accepts="at-once")
        with monkeypatch.context() as patch:
            crash_at(patch, owner, name, after=after, when=when)
            try:
                peer.receive(PROJECT, data, text)
            except Crash:
                pass
        found, _ = peer.receive(PROJECT, data, text)
    else:
        id_ = peer.receive(PROJECT, data, text)[0].id
        with monkeypatch.context() as patch:
            crash_at(patch, owner, name, after=after, when=when)
            # The clean-up after an exception does not happen when a process is killed.
            patch.setattr(decisions, "WAITING", "deciding")
            with pytest.raises(Crash):
                other.owner.accept_pending(id_, reason="fine")
        try:
            found = other.owner.accept_pending(id_, reason="fine")
        except Conflict:
            found = other.owner.pending_document(id_)
    assert (found.state, found.document, found.version) == ("accepted", "run", 1)
    (submitted,) = other.entries("submit")
    assert found.accepted == submitted.sha256
    assert len(other.entries("exchange")) == 1
    assert [entry.sha256 for entry in other.entries("review")] == ([] if at_once else [found.review])
    assert other.owner.original(PROJECT, "run")[0] == data
    assert one.owner.push("lab-b", PROJECT, "run").state == "accepted"
    assert [entry.body["entry"] for entry in one.entries("exchange")] == [submitted.sha256]
    assert other.owner.fsck().problems == ()


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_of_the_sender_after_the_answer(pair: Pair, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    from provrepo.repository.exchange import sending

    one, other = pair
    one.owner.submit(document(1), project=PROJECT, name="run")
    with monkeypatch.context() as patch:
        crash_at(patch, sending, "_record", after=after, when=lambda *_, **__: True)
        with pytest.raises(Crash):
            one.owner.push("lab-b", PROJECT, "run")
    assert one.owner.pushes()[0].state == "queued"
    one.send()
    assert one.owner.pushes()[0].state == "pending"
    assert [len(one.entries("exchange")), len(other.entries("pending"))] == [1, 1]


def test_two_reviewers_cannot_both_decide(pair: Pair) -> None:
    _, other = pair
    id_ = waiting(pair)
    row = other.store.parts.pending.get(id_)
    other.owner.accept_pending(id_)
    with pytest.raises(Conflict):
        decisions.reject(other.store, row, by=other.owner.actor, reason="")
    with pytest.raises(Conflict):
        decisions.accept(other.store, row, by=other.owner.actor)
    assert [entry.body["decision"] for entry in other.entries("review")] == ["accepted"]
    assert other.owner.pending_document(id_).state == "accepted"


# Backups, checks and read-only directories


def test_backup_and_restore_include_what_waits(pair: Pair, tmp_path: Path) -> None:
    one, other = pair
    id_ = waiting(pair)
    other.owner.backup(tmp_path / "backup")
    other.owner.reject_pending(id_)
    restore(tmp_path / "backup", tmp_path / "again")
    with provrepo.open(tmp_path / "again") as again:
        assert [info.id for info in again.pending()] == [id_]
        assert again.fsck().problems == ()
        assert again.accept_pending(id_).version == 1
        assert again.original(PROJECT, CANARY)[0] == document(1, label=CANARY)
    assert one.entries("exchange")[-1].body["state"] == "pending"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pending SET bytes = x'00'",
        "UPDATE pending SET private = replace(private, 'kanarienvogel', 'walross')",
        "UPDATE pending SET salt = zeroblob(32)",
    ],
)
def test_fsck_finds_what_was_changed(pair: Pair, statement: str) -> None:
    _, other = pair
    waiting(pair)
    assert other.owner.fsck().problems == ()
    connection = sqlite3.connect(other.store.exchange.file)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert any("pending" in problem for problem in other.owner.fsck().problems)


def test_a_read_only_directory_lists_what_waits() -> None:
    with unprivileged.folder() as place:
        with laboratories(place) as both:
            waiting(both)
        unprivileged.take_permissions(place / "lab-b")
        done = unprivileged.run("-m", "provrepo", "--data", place / "lab-b", "review", "list", cwd=place)
        assert (done.returncode, CANARY.encode() in done.stdout) == (0, True), done.stderr
        done = unprivileged.run("-m", "provrepo", "--data", place / "lab-a", "pushes", "list", cwd=place)
        assert done.returncode == 0, done.stderr


def test_only_the_owner_or_a_writer_lists(pair: Pair) -> None:
    _, other = pair
    waiting(pair)
    reader = other.store.authenticate(other.owner.create_token("eve", write=False)[0])
    assert reader is not None
    as_reader = Repository(other.store, reader)
    with pytest.raises(Denied):
        as_reader.pending(PROJECT)
    assert as_reader.pending() == []
    with pytest.raises(NotFound):
        as_reader.pending_document(other.owner.pending()[0].id)
