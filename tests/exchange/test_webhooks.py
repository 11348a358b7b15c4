"""Webhooks: events, signatures, failures, which addresses are contacted, and who may manage them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from provrepo.errors import Conflict, Denied, NotFound, Refused, UsageError
from provrepo.ledger.exchange.webhooks import Webhooks
from provrepo.repository.exchange.notices.sending import send_all
from provrepo.repository.exchange.webhooks import announcing, delivering, watching
from provrepo.repository.people.roles import ROLES
from tests.exchange.test_reviews import BAD, acting, bearer, sent
from tests.support.laboratories import PROJECT, Laboratory, document, laboratory

Message = tuple[dict[str, str], bytes]


class Receiver:
    """A server that takes messages and answers with a status."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=geheim"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies()]


@contextmanager
def receiving() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@contextmanager
def with_people(folder: Path, **settings: Any) -> Iterator[Laboratory]:
    # No rounds of the server: the tests send.
    with laboratory(folder, "lab", exchange_seconds=0, **settings) as found:
        found.owner.set_project(PROJECT, profiles=["core"], review="submitters")
        for role in ROLES:
            found.owner.add_user(role)
            found.owner.set_member(PROJECT, role, role)
        yield found


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    with with_people(tmp_path, webhook_addresses="any") as found:
        yield found


def signed(secret: str, message: Message) -> str:
    """The signature by the text of Standard Webhooks, written here again."""
    headers, body = message
    key = base64.b64decode(secret.split("_", 1)[1])
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


# Events


def test_a_receiver_gets_each_event_once_and_signed(lab: Laboratory, receiver: Receiver) -> None:
    lab.owner.submit(document(1), project=PROJECT, name="before")
    made = lab.owner.add_webhook(PROJECT, receiver.url)
    assert made.events == ("submitted", "refused", "pending", "withdrawn", "failing")
    lab.owner.submit(document(2), project=PROJECT, name="run", note="first")
    found = sent(acting(lab, "submitter"), 3, name="waits")
    with pytest.raises(Refused):
        lab.owner.submit(BAD, project=PROJECT, name="bad")
    with pytest.raises(Refused):
        lab.owner.submit(BAD, project=PROJECT, name="kept", keep=True)
    lab.owner.withdraw(PROJECT, "run", reason="wrong plot")
    send_all(lab.store)
    send_all(lab.store)
    by_type = {body["type"]: body for body in receiver.bodies()}
    assert sorted(receiver.types()) == ["pending", "refused", "refused", "submitted", "withdrawn"]
    about = by_type["submitted"]["data"]
    assert (about["project"], about["document"], about["version"], about["note"]) == (PROJECT, "run", 1, "first")
    assert about["sha256"] == hashlib.sha256(document(2)).hexdigest()
    assert (by_type["pending"]["data"]["pending"], by_type["pending"]["data"]["document"]) == (found.id, "waits")
    assert by_type["withdrawn"]["data"]["reason"] == "wrong plot"
    assert sorted(b["data"]["kept"] for b in receiver.bodies() if b["type"] == "refused") == [False, True]
    for headers, body in receiver.got:
        assert headers["webhook-id"] == json.loads(body)["id"]
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 600
        assert headers["webhook-signature"] == signed(made.secret, (headers, body))
        assert "authorization" not in headers
    assert lab.owner.notices(PROJECT) == [], "the outbox of notices does not list them"
    assert lab.entries("notice") == []
    (listed,) = lab.owner.webhooks(PROJECT)
    assert (listed.secret, listed.waiting, bool(listed.delivered)) == ("", 0, True)


def test_a_version_that_fails_is_an_event(lab: Laboratory, receiver: Receiver) -> None:
    lab.owner.set_project(PROJECT, profiles=[])
    lab.owner.add_webhook(PROJECT, receiver.url, events=["failing"])
    lab.owner.submit(BAD, project=PROJECT, name="fine")
    entry = lab.entries("submit")[-1]
    webhook = Webhooks(lab.store.exchange).listed(PROJECT)[0]
    assert list(announcing._about(lab.store, webhook, entry)) == []
    failing = entry.__class__(**{**vars_of(entry), "body": {**entry.body, "verdict": "fails"}})
    ((_, notice),) = announcing._about(lab.store, webhook, failing)
    assert json.loads(notice.body)["type"] == "failing"


def vars_of(entry: Any) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__ if entry.__dataclass_fields__[name].init}


def test_silence_is_told_once_until_something_is_submitted(lab: Laboratory, receiver: Receiver) -> None:
    lab.owner.add_webhook(PROJECT, receiver.url, events=["silent"], hours=24)
    lab.owner.submit(document(1), project=PROJECT, name="run")
    later = datetime.now(UTC) + timedelta(hours=23)
    for hours, expected in ((0, 0), (2, 1), (30, 1)):
        watching.watch(lab.store, at=later + timedelta(hours=hours))
        send_all(lab.store)
        assert len(receiver.got) == expected
    assert receiver.bodies()[0]["data"]["limit"] == 24
    lab.owner.submit(document(2), project=PROJECT, name="run-2")
    watching.watch(lab.store, at=later + timedelta(hours=60))
    send_all(lab.store)
    assert receiver.types() == ["silent", "silent"]


def test_coverage_below_the_limit_is_told_when_it_falls(
    lab: Laboratory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.owner.add_webhook(PROJECT, receiver.url, events=["coverage"], coverage=80)
    for number, (coverage, expected) in enumerate(((90.0, 0), (70.0, 1), (60.0, 1), (None, 1), (85.0, 1), (75.0, 2))):
        monkeypatch.setattr(watching, "metrics", lambda *_, value=coverage: {"coverage": value})
        lab.owner.submit(document(number), project=PROJECT, name=f"run-{number}")
        watching.watch(lab.store)
        send_all(lab.store)
        assert len(receiver.got) == expected, coverage
    assert receiver.bodies()[0]["data"] == {"project": PROJECT, "coverage": 70.0, "limit": 80}


def test_changed_columns_are_told(lab: Laboratory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    from provrepo.repository.datasets.records import DatasetInfo, DatasetVersion, Field

    lab.owner.add_webhook(PROJECT, receiver.url, events=["schema"])
    names: list[str] = ["plot"]

    def datasets(*_: object, **__: object) -> list[DatasetInfo]:
        fields = tuple(Field(name, "text", "", None, (), f"urn:{name}") for name in names)
        version = DatasetVersion("urn:v", "urn:d", "1", True, "", "", "", fields=fields)
        return [DatasetInfo("urn:d", "lab", "table", latest=version)]

    monkeypatch.setattr(watching, "datasets", datasets)
    for number, change in enumerate(([], [], ["yield"])):
        names += change
        lab.owner.submit(document(number), project=PROJECT, name=f"run-{number}")
        watching.watch(lab.store)
    send_all(lab.store)
    (body,) = receiver.bodies()
    assert (body["type"], body["data"]["dataset"]) == ("schema", "urn:d")
    assert [column["name"] for column in body["data"]["columns"]] == ["plot", "yield"]


# Failures


def test_a_dead_receiver_delays_nothing_and_gets_all_later(lab: Laboratory, receiver: Receiver) -> None:
    made = lab.owner.add_webhook(PROJECT, receiver.url)
    receiver.status = 500
    for number in range(3):
        lab.owner.submit(document(number), project=PROJECT, name=f"run-{number}")
    send_all(lab.store)
    assert len(receiver.got) == 1, "the others wait for it"
    (failing,) = lab.owner.webhooks(PROJECT)
    assert (failing.state, failing.waiting, "answered 500" in failing.failure) == ("active", 3, True)
    assert "geheim" not in failing.failure
    assert made.secret not in failing.failure
    receiver.status = 200
    send_all(lab.store, at_once=True)
    assert [body["data"]["document"] for body in receiver.bodies()] == ["run-0", "run-0", "run-1", "run-2"]
    assert receiver.bodies()[0]["id"] == receiver.bodies()[1]["id"], "the receiver can tell a repetition"
    (well,) = lab.owner.webhooks(PROJECT)
    assert (well.failing_since, well.failure, well.waiting) == ("", "", 0)


@pytest.mark.parametrize("how", ["days", "gone"])
def test_it_is_disabled_after_days_of_failures_and_enabled_again(
    lab: Laboratory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    made = lab.owner.add_webhook(PROJECT, receiver.url)
    receiver.status = 410 if how == "gone" else 503
    lab.owner.submit(document(1), project=PROJECT, name="run")
    send_all(lab.store)
    if how == "days":
        assert lab.owner.webhooks(PROJECT)[0].state == "active"

        class Later(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.now(tz) + timedelta(days=8)

        monkeypatch.setattr(delivering, "datetime", Later)
        send_all(lab.store, at_once=True)
    (found,) = lab.owner.webhooks(PROJECT)
    assert (found.state, found.waiting, bool(found.failing_since)) == ("disabled", 0, True)
    assert "is disabled, it has failed since" in caplog.text
    before = len(receiver.got)
    lab.owner.submit(document(2), project=PROJECT, name="run-2")
    send_all(lab.store, at_once=True)
    assert len(receiver.got) == before
    receiver.status = 200
    assert lab.owner.enable_webhook(PROJECT, made.id).state == "active"
    lab.owner.submit(document(3), project=PROJECT, name="run-3")
    send_all(lab.store)
    assert [body["data"]["document"] for body in receiver.bodies()[before:]] == ["run-3"]


def test_a_queue_that_is_full_does_not_grow(
    lab: Laboratory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "MOST_WAITING", 2)
    monkeypatch.setattr(announcing, "_AT_ONCE", 1)
    lab.owner.add_webhook(PROJECT, receiver.url)
    receiver.status = 500
    for number in range(5):
        lab.owner.submit(document(number), project=PROJECT, name=f"run-{number}")
        send_all(lab.store)
    assert lab.owner.webhooks(PROJECT)[0].waiting == 2
    with pytest.raises(Refused):
        lab.owner.submit(BAD, project=PROJECT, name="bad")
    assert lab.owner.webhooks(PROJECT)[0].waiting == 2
    receiver.status = 200
    for _ in range(5):
        send_all(lab.store, at_once=True)
    assert {body["data"]["document"] for body in receiver.bodies()} == {f"run-{number}" for number in range(5)}


# Addresses


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"]
)
def test_private_addresses_are_not_contacted(tmp_path: Path, receiver: Receiver, host: str) -> None:
    with with_people(tmp_path) as lab:
        port = receiver.server.server_port
        made = lab.owner.add_webhook(PROJECT, f"http://{host}:{port}/hook")
        found = lab.owner.test_webhook(PROJECT, made.id)
        assert not found.delivered
        assert "no public address" in found.failure
        assert "webhook_addresses" in found.failure
        assert receiver.got == []


def test_a_name_that_leads_to_a_private_address_is_not_contacted(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def lookup(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host == "hooks.example" else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with with_people(tmp_path) as lab:
        made = lab.owner.add_webhook(PROJECT, f"http://hooks.example:{receiver.server.server_port}/hook")
        assert "no public address" in lab.owner.test_webhook(PROJECT, made.id).failure
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example/", "https://u:p@x.example/", "https://x.example/#a", "x", "https://x.example/" + "a" * 2000, ""],
)
def test_what_is_no_address_is_refused(lab: Laboratory, url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a receiver"):
        lab.owner.add_webhook(PROJECT, url)


# Who manages them


def test_owners_and_administrators_manage_them(lab: Laboratory, receiver: Receiver) -> None:
    made = lab.owner.add_webhook(PROJECT, receiver.url)
    for role in ("reader", "submitter", "curator"):
        repo = acting(lab, role)
        calls: list[Any] = [
            lambda repo=repo: repo.webhooks(PROJECT),
            lambda repo=repo: repo.add_webhook(PROJECT, "https://x.example/"),
            *(
                lambda repo=repo, verb=verb: getattr(repo, verb)(PROJECT, made.id)
                for verb in ("remove_webhook", "rotate_webhook", "enable_webhook", "test_webhook")
            ),
        ]
        for call in calls:
            with pytest.raises(Denied):
                call()
    owner = acting(lab, "owner")
    assert [one.id for one in owner.webhooks(PROJECT)] == [made.id]
    assert owner.test_webhook(PROJECT, made.id).delivered
    assert receiver.types() == ["test"]
    with pytest.raises(Conflict):
        owner.add_webhook(PROJECT, receiver.url)
    lab.owner.create_project("soil")
    with pytest.raises(NotFound):
        lab.owner.remove_webhook("soil", made.id)
    owner.remove_webhook(PROJECT, made.id)
    assert owner.webhooks(PROJECT) == []


def test_a_new_secret_signs_beside_the_former_one(lab: Laboratory, receiver: Receiver) -> None:
    made = lab.owner.add_webhook(PROJECT, receiver.url)
    changed = lab.owner.rotate_webhook(PROJECT, made.id)
    lab.owner.test_webhook(PROJECT, made.id)
    (message,) = receiver.got
    assert message[0]["webhook-signature"].split() == [signed(changed.secret, message), signed(made.secret, message)]
    assert made.secret != changed.secret


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"events": ["done"]}, "'done' is not an event"),
        ({"events": ["coverage"]}, "belong together"),
        ({"coverage": 50}, "belong together"),
        ({"events": ["coverage"], "coverage": 101}, "at most 100"),
        ({"events": ["silent"], "hours": 0}, "1 to 8,760"),
    ],
)
def test_events_and_limits_are_checked(lab: Laboratory, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lab.owner.add_webhook(PROJECT, "https://x.example/", **options)


def test_over_http_and_on_the_page(lab: Laboratory, receiver: Receiver) -> None:
    client, owner, all_ = lab.client(), bearer(lab, "owner"), f"/projects/{PROJECT}/webhooks"
    made = client.post(all_, json={"url": receiver.url, "events": ["submitted"]}, headers=owner)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    secret, one = made.get_json()["secret"], f"{all_}/{made.get_json()['id']}"
    assert secret.startswith("whsec_")
    for given in (
        {},
        {"url": 7},
        {"url": "https://x.example/", "more": 1},
        {"url": "https://x.example/", "hours": True},
    ):
        assert client.post(all_, json=given, headers=owner).status_code == 400
    listed = client.get(all_, headers=owner)
    assert secret not in listed.text
    assert listed.get_json()["webhooks"][0]["events"] == ["submitted"]
    for name, status in (("reader", 403), ("curator", 403)):
        headers = bearer(lab, name)
        assert client.get(all_, headers=headers).status_code == status
        assert client.delete(one, headers=headers).status_code == status
    assert client.get(all_).status_code == 404
    assert client.post(f"{one}/test", headers=owner).get_json() == {"delivered": True, "failure": ""}
    assert client.post(f"{one}/rotate", headers=owner).get_json()["secret"] != secret
    assert client.post(f"{one}/enable", headers=owner).get_json()["state"] == "active"
    page = client.get(all_, headers={**owner, "Accept": "text/html"})
    assert (page.status_code, "Add one" in page.text, secret in page.text) == (200, True, False)
    assert client.delete(one, headers=owner).status_code == 204
    assert client.delete(one, headers=owner).status_code == 404
