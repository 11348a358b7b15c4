"""Three servers on loopback: one publishes, one holds copies, one derives; what is taken back reaches all of them."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.repository.exchange.notices import tables
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON
from tests.exchange.notices.notices import kinds
from tests.support.command import environment

PATIENCE = 120.0
"""Seconds after which something that must happen counts as lost; the machine may be loaded."""

MODEL = "http://example.org/model"
OWN = b"""document
  prefix ex <http://example.org/>
  entity(ex:model)
  activity(ex:train, -, -)
  agent(ex:bob)
  wasGeneratedBy(ex:model, ex:train, -)
  used(ex:train, ex:clean, -)
  wasDerivedFrom(ex:model, ex:clean)
  wasAssociatedWith(ex:train, ex:bob, -)
endDocument
"""


def eventually(met: Callable[[], Any]) -> Any:
    """The first true value of a function."""
    end = time.monotonic() + PATIENCE
    while not (found := met()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


class Laboratory:
    """A data directory with a server that can be stopped, killed and started again at the same address."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[str] | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Laboratory:
        with self.owner() as owner:
            owner.init(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def owner(self) -> Repository:
        """The repository, as a process beside the server opens it."""
        return provrepo.open(self.data)

    def start(self) -> None:
        """Start the server."""
        command = [sys.executable, "-m", "provrepo", "--data", str(self.data), "serve", "--port", str(self.port)]
        variables = environment(PROVREPO_EXCHANGE_SECONDS="0.2", PROVREPO_WORKERS="1", PROVREPO_QUERY_WORKERS="1")
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=self.data.parent, env=variables)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if re.search(r"serves .* at http", line):
                break
        else:
            raise AssertionError("the server did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def kill(self) -> None:
        """End the server at once."""
        self.stop(signal.SIGKILL)


def introduce(one: Laboratory, other: Laboratory, names: tuple[str, str], **accepts: Any) -> None:
    """Make two laboratories peers of each other, each with a token of the other.

    Args:
        one: the first.
        other: the second.
        names: what each is called by the other.
        accepts: what the second accepts from the first.
    """
    with one.owner() as first, other.owner() as second:
        for_second, _ = first.create_token(names[1], projects=[], write=False)
        for_first, _ = second.create_token(names[0], projects=[], write=False)
        first.add_peer(names[1], other.url, token=for_first)
        second.add_peer(names[0], one.url, token=for_second, **accepts)


@pytest.fixture
def laboratories(tmp_path: Path) -> Iterator[tuple[Laboratory, Laboratory]]:
    """A publishes and has pushed a version to B, which accepts it at once. The servers do not run."""
    with ExitStack() as stack:
        a, b = (stack.enter_context(Laboratory(tmp_path / name)) for name in ("lab-a", "lab-b"))
        with a.owner() as owner:
            owner.create_project("crops", public=True)
            owner.submit(PROVJSON, project="crops", name="run")
        with b.owner() as owner:
            owner.create_project("trials")
        introduce(a, b, ("lab-a", "lab-b"), accepts="at-once", projects=["trials"])
        with a.owner() as owner:
            owner.set_peer("lab-b", project="trials")
        b.start()
        with a.owner() as owner:
            owner.push("lab-b", "crops", "run")
        eventually(lambda: held(b))
        yield a, b


def held(b: Laboratory) -> list[str]:
    """The names of the documents that B has from A."""
    with b.owner() as owner:
        return [document.name for document in owner.documents("trials")]


def warned(b: Laboratory) -> list[tuple[str, str]]:
    """What B shows about its copy: the event and its reason."""
    with b.owner() as owner:
        (version, *_) = owner.history("trials", "run")
    return [(warning.what, warning.reason) for warning in version.origin_warnings]


def states(a: Laboratory) -> list[tuple[str, str]]:
    """What A has announced, and whether it was acknowledged."""
    with a.owner() as owner:
        sent = (one.to_dict() for one in owner.notices(direction="sent"))
        return [(one["about"], one["state"]) for one in sent]


def entries(laboratory: Laboratory, *projects: str) -> list[str]:
    """The entries about notices in some streams."""
    with laboratory.owner() as owner:
        return [about for project in projects for about in kinds(owner, project)]


@pytest.mark.slow(one_in=2)
def test_a_withdrawal_reaches_who_holds_a_copy(laboratories: tuple[Laboratory, Laboratory]) -> None:
    a, b = laboratories
    with b.owner() as owner:
        owner.submit(OWN, project="trials", name="model")
        assert owner.lineage(MODEL, project="trials").warnings == ()
    a.start()
    with a.owner() as owner:
        assert [(one.peer, one.how) for one in owner.holders("crops")] == [("lab-b", "push")]
        owner.withdraw("crops", "run", reason="wrong unit")
    eventually(lambda: states(a) == [("withdrawn", "acknowledged")])
    assert warned(b) == [("withdrawn", "wrong unit")]
    with b.owner() as owner:
        graph = owner.lineage(MODEL, project="trials")
        assert [(one.document, one.what, one.peer) for one in graph.warnings] == [("run", "withdrawn", "lab-a")]
        gate = owner.gate(MODEL, sources=["http://example.org/raw"], project="trials")
        assert (gate.passed, len(gate.warnings)) == (False, 1)
        across = owner.lineage(MODEL, federated=True)
        assert [(one.document, one.what) for one in across.warnings] == [("run", "withdrawn")]
    for laboratory, projects in ((a, ("crops",)), (b, ("trials", ""))):
        eventually(lambda at=laboratory, of=projects: entries(at, *of) == ["withdrawn", "withdrawn"])
    for laboratory in (a, b):
        with laboratory.owner() as owner:
            assert owner.fsck().sound


@pytest.mark.slow(one_in=2)
def test_a_mirror_is_a_holder(laboratories: tuple[Laboratory, Laboratory], tmp_path: Path) -> None:
    a, _ = laboratories
    with Laboratory(tmp_path / "lab-c") as c:
        introduce(a, c, ("lab-a", "lab-c"))
        a.start()
        with c.owner() as owner:
            owner.mirror(f"{a.url}projects/crops")
        with a.owner() as owner:
            assert {(one.peer, one.how) for one in owner.holders("crops")} == {("lab-b", "push"), ("lab-c", "mirror")}
            owner.withdraw("crops", "run", reason="wrong unit")
        c.start()
        with a.owner() as owner:
            owner.send_notices()  # instead of waiting for the end of a pause
        eventually(lambda: states(a) == [("withdrawn", "acknowledged")] * 2)
        with c.owner() as owner:
            eventually(lambda: owner.history("crops", "run")[0].state == "withdrawn")  # by the stream in any case
            (version,) = owner.history("crops", "run")
            assert version.reason == "wrong unit"
            assert [one.what for one in version.origin_warnings] == ["withdrawn"]
            assert owner.fsck().sound
        eventually(lambda: entries(c, "") == ["withdrawn", "withdrawn"])


@pytest.mark.slow(one_in=2)
def test_who_derives_something_says_so(laboratories: tuple[Laboratory, Laboratory]) -> None:
    a, b = laboratories
    with a.owner() as owner:
        owner.submit(PROVJSON.replace(b"clean", b"other"), project="crops", name="other")
    a.start()
    with b.owner() as owner:
        owner.set_project("trials", announce=True)
        owner.submit(OWN, project="trials", name="model")
    with a.owner() as owner:
        (received,) = eventually(lambda: owner.notices("crops", "run", direction="received"))
        assert (received.about, received.peer, received.proof, received.version) == ("derived", "lab-b", "token", 1)
        assert received.subject.startswith(f"{b.url}projects/trials/documents/model/versions/1")
        assert owner.notices("crops", "other") == []
        # How it is known depends on what arrived first: the answer to the push, or this notice.
        assert [one.peer for one in owner.holders("crops")] == ["lab-b"]
    eventually(lambda: states(b) == [("derived", "acknowledged")])


@pytest.mark.slow(one_in=2)
def test_a_holder_that_is_down_learns_of_it_later(laboratories: tuple[Laboratory, Laboratory]) -> None:
    a, b = laboratories
    b.kill()
    a.start()
    with a.owner() as owner:
        owner.withdraw("crops", "run", reason="wrong unit")
        eventually(lambda: [one for one in owner.notices() if one.to_dict()["failure"]])
    a.kill()
    b.start()
    with a.owner() as owner:
        assert owner.send_notices().delivered == 1
    a.start()
    with b.owner() as owner:
        owner.send_notices()  # instead of waiting for the end of a pause
    eventually(lambda: states(a) == [("withdrawn", "acknowledged")])
    assert warned(b) == [("withdrawn", "wrong unit")]


@pytest.mark.slow(one_in=2)
def test_kills_on_both_sides_lose_and_repeat_nothing(laboratories: tuple[Laboratory, Laboratory]) -> None:
    a, b = laboratories
    a.start()
    for number in range(4):
        with a.owner() as owner:
            document = PROVJSON.replace(b"raw", b"raw%d" % number)
            owner.submit(document, project="crops", name="run", update=True, note=f"correction {number}")
        time.sleep(0.1 * number)  # at another step each time
        for laboratory in (a, b)[number % 2 :]:
            laboratory.kill()
        for laboratory in (a, b):
            if laboratory.process is None:
                laboratory.start()
    with a.owner() as owner:
        owner.withdraw("crops", "run", reason="all wrong")
    with a.owner() as owner, b.owner() as other:

        def settled() -> bool:
            """Whether all is acknowledged; both send without waiting for the end of a pause."""
            owner.send_notices()
            other.send_notices()
            return {state for _, state in states(a)} == {"acknowledged"}

        eventually(settled)
    assert [about for about, _ in states(a)] == ["corrected"] * 4 + ["withdrawn"]
    # In any order: a notice that failed waits for its next attempt, and a new one does not.
    assert sorted(warned(b)) == [("corrected", "correction 3"), ("withdrawn", "all wrong")]
    with b.owner() as owner:
        received = tables.incoming(owner.context.store).listed()
        assert len(received) == len({one.id for one in received}) == 5
    eventually(lambda: sorted(entries(a, "crops")) == ["corrected"] * 8 + ["withdrawn"] * 2)
    eventually(lambda: sorted(entries(b, "trials", "")) == ["corrected"] * 8 + ["withdrawn"] * 2)
    for laboratory in (a, b):
        with laboratory.owner() as owner:
            assert owner.fsck().sound


@pytest.mark.slow(one_in=2)
def test_a_notice_without_a_token_is_proven_by_the_ledger(laboratories: tuple[Laboratory, Laboratory]) -> None:
    a, b = laboratories
    with a.owner() as owner:
        owner.set_peer("lab-b", token="")
    a.start()
    with a.owner() as owner:
        owner.withdraw("crops", "run", reason="wrong unit")
    eventually(lambda: warned(b) == [("withdrawn", "wrong unit")])
    with b.owner() as owner:
        (received,) = owner.notices(direction="received")
        assert received.to_dict()["proof"] == "ledger"
    eventually(lambda: states(a) == [("withdrawn", "acknowledged")])
