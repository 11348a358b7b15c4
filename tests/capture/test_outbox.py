"""``provrepo outbox``: what waits is sent once, whatever the server, the disk and the processes do."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from provrepo.capture import session, step
from provrepo.capture.delivery import outbox, sending
from provrepo.checks.report import Report
from provrepo.errors import Busy, Error, RemoteError
from provrepo.http_client.client import _seconds
from provrepo.problems import HTTP, TYPES
from tests.cli.test_http import Served, served  # noqa: F401 (a fixture)
from tests.support.command import Command, environment, provrepo

TOKEN = "canarytoken7f3a"


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("b\na\n")
    monkeypatch.setattr(sending, "FIRST", 0.01)


def record(name: str = "nightly") -> None:
    @step
    def copy() -> None:
        Path("copy.csv").write_bytes(Path("raw.csv").read_bytes())

    with session(name):
        copy()


class Clock:
    """A clock in place of the module ``time``, which goes on when somebody sleeps and at no other time."""

    localtime, strftime = staticmethod(time.localtime), staticmethod(time.strftime)

    def __init__(self) -> None:
        self._now = time.time()
        self.pauses: list[float] = []

    def time(self) -> float:
        return self._now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._now += seconds


PROBLEMS = {409: "conflict", 422: "refused", 412: "stale"}
"""The problem types of provrepo for statuses that ``HTTP`` does not have."""
REPORT = Report().to_dict()


class Peer(http.server.ThreadingHTTPServer):
    """A server that answers as it is told: a status, perhaps with headers, or ``None`` to hang up half-way.

    With ``plain`` its errors are pages, as those of a proxy; otherwise problems, as those of provrepo.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: list[Any] = []
        self.plain = False
        self.received: list[tuple[str, bytes, str]] = []
        self.arrived, self.answering = threading.Event(), threading.Event()
        self.answering.set()
        self.stored: dict[str, bytes] = {}

    def handle_error(self, *_: Any) -> None:
        """Whoever asked has left: some of these tests kill it."""


class Answers(http.server.BaseHTTPRequestHandler):
    server: Peer

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.set()
        self.server.answering.wait()
        self.server.received.append((self.path, data, self.headers.get("Authorization", "")))
        answer = self.server.answers.pop(0) if self.server.answers else 201
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status is None:
            self.wfile.write(b"HTTP/1.1 201 Crea")
            self.close_connection = True
            return
        if status in (200, 201):
            status = 200 if self.server.stored.get(self.path) == data else 201
            self.server.stored[self.path] = data
        receipt = {"iri": "https://x.example/1", "sha256": hashlib.sha256(data).hexdigest()}
        answered, kind = json.dumps(receipt), "application/json"
        if status >= 400:
            named = PROBLEMS.get(status) or HTTP[status].name if status in HTTP or status in PROBLEMS else "http"
            problem = {"type": TYPES + named, "detail": f"said {status}", "report": REPORT}
            answered, kind = json.dumps(problem), "application/problem+json"
        if status >= 400 and self.server.plain:
            answered, kind = f"<p>said {status}</p>", "text/html"
        body = answered.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST  # noqa: N815 (the name that is looked for)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.answering.set()
    server.shutdown()
    server.server_close()


command = Command(Path("unused"))


def states() -> dict[str, str]:
    return {item["document"]: item["state"] for item in command.json("outbox", "list")}


def reason(name: str = "nightly.trig") -> str:
    (found,) = [item["reason"] for item in command.json("outbox", "list") if item["document"] == name]
    return str(found)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it does not happen")


# Sending by hand ------------------------------------------------------------------------------------------------------


def test_the_outbox_is_sent_once(served: Served) -> None:  # noqa: F811
    record()
    assert command.json("outbox", "list") == [
        {"document": "nightly.trig", "state": "waiting", "attempts": 0, "reason": None}
    ]
    arguments = ("outbox", "send", "--to", served.url, "--project", "crops")
    sent = provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.startswith(b"nightly.trig: ")
    assert states() == {"nightly.trig": "sent"}
    assert provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token).stdout == b""
    record()  # another document: none is replaced
    assert states() == {"nightly-2.trig": "waiting", "nightly.trig": "sent"}
    document = Path("prov/nightly.trig")
    document.write_bytes(document.read_bytes() + b"\n")
    assert states()["nightly.trig"] == "changed"
    assert provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token).returncode == 0
    assert states() == {"nightly-2.trig": "sent", "nightly.trig": "sent"}
    assert json.loads(Path("prov/nightly.trig.sent").read_text())["receipt"]["version"] == 2


def test_what_cannot_be_sent_waits() -> None:
    record()
    result = command("outbox", "send", "--to", "http://127.0.0.1:9", code=1)
    assert result.stderr.count("trying again") == 3
    assert states() == {"nightly.trig": "waiting"}
    assert reason() == "cannot reach http://127.0.0.1:9/: connection refused"


def test_an_outbox_that_is_not_there_is_empty() -> None:
    assert command.json("outbox", "list", "nowhere") == []
    command("outbox", "send", "nowhere", "--to", "http://127.0.0.1:9")


def test_a_server_has_to_be_named() -> None:
    assert "PROVREPO_SEND_TO" in command.error("outbox", "send", code=2)
    record()
    said = command.error("outbox", "send", "--to", f"https://u:{TOKEN}@x.example/", code=2)
    assert TOKEN not in said


def test_the_first_failure_is_that_of_the_server(peer: Peer) -> None:
    for name in ("a", "b", "c"):
        record(name)
    peer.answers = [500, 201, 502, None]
    result = command("outbox", "send", "--to", peer.url)
    assert result.stderr.count("trying again") == 3
    assert set(states().values()) == {"sent"}
    assert len(peer.received) == 6


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("status", [400, 406, 409, 413, 415, 422])
def test_what_is_refused_is_set_aside(peer: Peer, status: int, plain: bool) -> None:
    record("a")
    record("b")
    peer.answers, peer.plain = [status], plain
    command("outbox", "send", "--to", peer.url, code=1)
    assert states() == {"a.trig": "refused", "b.trig": "sent"}
    assert (f"answered {status}" if plain else f"said {status}") in reason("a.trig")
    command("outbox", "send", "--to", peer.url)
    assert states()["a.trig"] == "refused"
    command("outbox", "send", "--again", "--to", peer.url)
    assert states()["a.trig"] == "sent"


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_may_not_send_waits(peer: Peer, status: int, plain: bool) -> None:
    record("a")
    record("b")
    peer.answers, peer.plain = [status] * 9, plain
    command("outbox", "send", "--to", peer.url, code=1)
    assert states() == {"a.trig": "waiting", "b.trig": "waiting"}
    assert ((f"answered {status}" if plain else f"said {status}") in reason("a.trig"), len(peer.received)) == (True, 1)


@pytest.mark.parametrize("name", ["settings", "no-repository", "worker", "error"])
def test_a_server_that_fails_is_asked_again_whatever_it_calls_that(
    peer: Peer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROBLEMS, 500, name)
    record()
    peer.answers = [500]
    command("outbox", "send", "--to", peer.url)
    assert (states(), len(peer.received)) == ({"nightly.trig": "sent"}, 2)


def test_a_project_that_the_token_may_not_see_is_named(served: Served) -> None:  # noqa: F811
    record()
    said = command.error("outbox", "send", "--to", served.url, "--project", "no-such", code=1)
    assert "'no-such'" in said
    assert "PROVREPO_TOKEN" in said
    assert states() == {"nightly.trig": "waiting"}


@pytest.mark.parametrize("kind", ["plain", "busy", "worker", "timed-out", "quota"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_is_believed(
    peer: Peer, status: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    monkeypatch.setitem(PROBLEMS, status, kind)
    peer.answers, peer.plain = [(status, {"Retry-After": "20"})], kind == "plain"
    clock = Clock()
    monkeypatch.setattr(sending, "time", clock)
    command("outbox", "send", "--to", peer.url)
    assert sum(clock.pauses) >= 20
    assert states() == {"nightly.trig": "sent"}


def test_a_server_that_says_later_is_not_asked_again_before(peer: Peer) -> None:
    record()
    peer.answers = [(503, {"Retry-After": "3600"})]
    command("outbox", "send", "--to", peer.url, code=1)
    assert "asked not to be asked" in command.error("outbox", "send", "--to", peer.url, code=1)
    assert (states(), len(peer.received)) == ({"nightly.trig": "waiting"}, 1)


def test_when_to_come_back_may_be_a_date() -> None:
    assert _seconds("7") == 7
    assert 3000 < _seconds(formatdate(time.time() + 3600, usegmt=True)) <= 3600
    assert [_seconds(text) for text in ("", "soon", "-1", formatdate(0, usegmt=True))] == [0, 0, 0, 0]


def test_what_is_discarded_stays_and_is_not_sent(peer: Peer) -> None:
    record()
    command("outbox", "discard", "prov/nightly.trig")
    assert states() == {"nightly.trig": "discarded"}
    command("outbox", "send", "--to", peer.url)
    assert peer.received == []
    document = Path("prov/nightly.trig")
    document.write_bytes(document.read_bytes() + b"\n")
    assert states() == {"nightly.trig": "waiting"}
    command("outbox", "discard", "prov/none.trig", code=2)
    assert "not a document" in command.error("outbox", "discard", "raw.csv", code=2)


def test_a_table_for_people(peer: Peer) -> None:
    record()
    peer.answers = [422]
    command("outbox", "send", "--to", peer.url, code=1)
    shown = command("outbox", "list").stdout.splitlines()
    assert [line.split()[:2] for line in shown] == [["DOCUMENT", "STATE"], ["nightly.trig", "refused"]]
    assert "said 422" in shown[1]


# What may happen meanwhile --------------------------------------------------------------------------------------------


def deliver_all(delivered: list[str], pause: float = 0.0) -> Callable[[Path, bytes], dict[str, Any]]:
    def deliver(path: Path, data: bytes) -> dict[str, Any]:
        time.sleep(pause)
        delivered.append(path.name)
        return {}

    return deliver


def silent(*_: Any) -> None:
    pass


def test_several_senders_send_each_document_once() -> None:
    for number in range(6):
        record(f"n{number}")
    delivered: list[str] = []
    senders = [
        threading.Thread(target=sending.now, args=(Path("prov"), deliver_all(delivered, 0.03), silent))
        for _ in range(4)
    ]  # fmt: skip
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(delivered) == [f"n{number}.trig" for number in range(6)]


def test_a_receipt_is_noted_before_the_next_sender_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    note, free = outbox.sent, []

    def noted(*arguments: Any) -> None:
        with outbox.lock(Path("prov"), outbox.SENDING) as alone:
            free.append(alone)
        note(*arguments)

    monkeypatch.setattr(sending, "sent", noted)
    assert sending.now(Path("prov"), deliver_all([]), silent)
    assert free == [False]


def test_a_receipt_that_cannot_be_written_stops_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    delivered: list[str] = []

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "_note", full)
        with pytest.raises(OSError, match="No space"):
            sending.now(Path("prov"), deliver_all(delivered), silent)
    assert sending.now(Path("prov"), deliver_all(delivered), silent)
    assert delivered == ["nightly.trig"] * 2


def test_half_a_receipt_is_none() -> None:
    record()
    Path("prov/nightly.trig.sent").write_text('{"sha256": "12')
    Path("prov/nightly.trig.unsent").write_text('["x"]')
    assert states() == {"nightly.trig": "waiting"}


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    clock = Clock()
    monkeypatch.setattr(sending, "time", clock)
    tried = 0

    def fails(path: Path, data: bytes) -> dict[str, Any]:
        nonlocal tried
        tried += 1
        raise RemoteError("no")

    assert not sending.now(Path("prov"), fails, silent, limits=sending.Limits(5, 30.0))
    assert (tried, len(clock.pauses)) == (5, 4)
    assert clock.pauses[3] > clock.pauses[0]
    assert not sending.now(Path("prov"), fails, silent, limits=sending.Limits(1000, 0.2))
    assert tried < 20
    assert sum(clock.pauses[4:]) < 0.2


def test_only_one_background_sender_is_at_work() -> None:
    Path("prov").mkdir()
    with outbox.lock(Path("prov"), outbox.SENDER) as first, outbox.lock(Path("prov"), outbox.SENDER) as second:
        assert (first, second) == (True, False)
        sending.in_background(Path("prov"), deliver_all([]))


def test_a_file_system_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    delivered: list[str] = []

    def none(*_: Any) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    assert sending.now(Path("prov"), deliver_all(delivered), silent)
    assert delivered == ["nightly.trig"]


# In the background ----------------------------------------------------------------------------------------------------

PIPELINE = """
import sys, time
from pathlib import Path
from provrepo.capture import session, step
@step
def copy(): Path("copy.csv").write_bytes(Path("raw.csv").read_bytes())
for name in sys.argv[1:]:
    with session(name):
        copy()
"""


def pipeline(*names: str, **variables: str) -> None:
    """A pipeline, from its start to its end."""
    done = subprocess.run(
        [sys.executable, "-c", PIPELINE, *names], env=environment(**variables), capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_sessions_send_in_the_background(peer: Peer) -> None:
    pipeline("a", "b", PROVREPO_SEND_TO=peer.url, PROVREPO_TOKEN=TOKEN, PROVREPO_SEND_PROJECT="crops")
    until(lambda: set(states().values()) == {"sent"})
    assert [(path, token) for path, _, token in sorted(peer.received)] == [
        (f"/projects/crops/documents?name={name}&update=true", f"Bearer {TOKEN}") for name in ("a", "b")
    ]
    for file in Path("prov").iterdir():
        assert TOKEN not in file.read_text()


def test_nothing_is_sent_unasked(peer: Peer) -> None:
    Path("prov").mkdir()
    Path("prov/mine.ttl").write_text("<http://x.example/a> a <http://www.w3.org/ns/prov#Entity> .")
    pipeline("a")
    assert not list(Path("prov").glob("*.unsent"))
    pipeline("b", PROVREPO_SEND_TO=peer.url)
    until(lambda: states()["b.trig"] == "sent")
    assert states() == {"a.trig": "waiting", "b.trig": "sent", "mine.ttl": "waiting"}


def test_a_pipeline_does_not_wait_for_a_server(peer: Peer) -> None:
    peer.answering.clear()
    pipeline("a", PROVREPO_SEND_TO=peer.url)
    assert states() == {"a.trig": "waiting"}
    peer.answering.set()
    until(lambda: states() == {"a.trig": "sent"})


def sender(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "provrepo", "outbox", "send", *words], env=environment(**variables),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_killed_sender_loses_nothing(peer: Peer) -> None:
    record()
    peer.answering.clear()
    process = sender("--to", peer.url)
    assert peer.arrived.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert states() == {"nightly.trig": "waiting"}
    peer.answering.set()
    command("outbox", "send", "--to", peer.url)
    assert states() == {"nightly.trig": "sent"}
    assert len({data for _, data, _ in peer.received}) <= 1


def test_the_next_session_sends_what_the_last_could_not(peer: Peer) -> None:
    pipeline("a", PROVREPO_SEND_TO="http://127.0.0.1:9")
    until(lambda: Path("prov/a.trig.unsent").exists() and "cannot reach" in Path("prov/a.trig.unsent").read_text())
    for pid in senders():
        os.kill(pid, signal.SIGKILL)
    pipeline("b", PROVREPO_SEND_TO=peer.url)
    until(lambda: set(states().values()) == {"sent"})


def senders() -> list[int]:
    """The background senders of this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words, folder = (path / "cmdline").read_bytes().split(b"\0"), (path / "cwd").readlink()
        except OSError:
            continue
        if b"--background" in words and folder == Path.cwd():
            found.append(int(path.name))
    return found


def test_what_is_queued_while_a_sender_is_at_work_is_sent(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that finds a sender leaves its document to it."""
    monkeypatch.setenv("PROVREPO_SEND_TO", peer.url)
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "wake", silent)
        record("a")
    delivered: list[str] = []

    def deliver(path: Path, data: bytes) -> dict[str, Any]:
        if not delivered:
            record("b")
        delivered.append(path.name)
        return {}

    sending.in_background(Path("prov"), deliver)
    assert delivered == ["a.trig", "b.trig"]
    assert peer.received == []


def test_a_queue_that_cannot_be_written_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVREPO_SEND_TO", "http://127.0.0.1:9")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outbox, "_note", full)
    record()
    assert Path("prov/nightly.trig").exists()


def test_errors_know_when_to_come_back() -> None:
    assert (Busy("x").retry_after, Busy("x", retry_after=2.0).retry_after) == (0.0, 2.0)
    assert issubclass(Busy, Error)
