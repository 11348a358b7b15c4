"""The ledger: streams of entries, with concurrent threads, processes and kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from provrepo.errors import InvalidName, NotFound
from provrepo.ledger.entries import REPOSITORY, Entry
from provrepo.ledger.ledger import Ledger
from tests.support.ledgers import REPORT, SHA, SOFTWARE, submission, submit
from tests.support.paths import ROOT


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data", software=SOFTWARE) as opened:
        yield opened


def test_the_life_of_a_document(ledger: Ledger) -> None:
    assert ledger.current("crops", "run") is None
    first = submit(ledger, "crops", "run")
    second = submit(ledger, "crops", "run", blob="ef" * 32)
    assert (first.sequence, first.previous) == (1, "")
    assert (second.sequence, second.previous) == (2, first.sha256)
    assert ledger.versions("crops", "run") == [first, second]
    assert ledger.current("crops", "run") == ledger.last("crops", "run") == second
    assert ledger.documents("crops") == [("run", second, None)]
    with ledger.appending("crops") as appending:
        gone = appending.append("withdraw", {"document": "run", "version": 2, "reason": "wrong file"}, actor="x")
        assert appending.last("run") == gone
        assert appending.current("run") == second
    assert ledger.documents("crops") == [("run", second, gone)]
    assert ledger.count("crops") == 0
    third = submit(ledger, "crops", "run")
    assert ledger.documents("crops") == [("run", third, None)]
    assert ledger.count("crops") == 1
    assert [entry.kind for entry in ledger.entries("crops")] == ["submit", "submit", "withdraw", "submit"]
    assert ledger.entry("crops", 3) == gone
    assert ledger.length("crops") == 4
    assert list(ledger.verify()) == []
    with pytest.raises(NotFound, match="project crops has no entry 5"):
        ledger.entry("crops", 5)


def test_documents_come_in_pages_by_name(ledger: Ledger) -> None:
    for name in ("b", "a", "c", "B", "a-2"):
        submit(ledger, "crops", name)
    submit(ledger, "soil", "z")
    names = [name for name, _, _ in ledger.documents("crops")]
    assert names == ["B", "a", "a-2", "b", "c"]
    assert [name for name, _, _ in ledger.documents("crops", after="a", limit=2)] == ["a-2", "b"]
    assert ledger.documents("nothing") == []


def test_settings_are_merged_and_the_repository_has_its_own(ledger: Ledger) -> None:
    with ledger.appending("crops") as appending:
        assert not appending.exists()
        appending.append("settings", {"public": True, "title": "Crops", "profiles": ["core"]}, actor="x")
        appending.append("settings", {"title": "Crops 2"}, actor="x")
        assert appending.settings() == {"public": True, "title": "Crops 2", "profiles": ["core"]}
        assert appending.exists()
        assert appending.length() == 2
    with ledger.appending(REPOSITORY) as appending:
        appending.append("settings", {"base": "https://prov.example/"}, actor="x")
    assert ledger.settings("crops")["title"] == "Crops 2"
    assert ledger.settings(REPOSITORY) == {"base": "https://prov.example/"}
    assert ledger.settings("other") == {}
    assert ledger.projects() == ["crops"]


def test_an_exception_leaves_nothing(ledger: Ledger) -> None:
    def interrupted() -> None:
        with ledger.appending("crops") as appending:
            appending.append("submit", submission("run", 1), actor="x")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert ledger.length("crops") == ledger.count("crops") == 0
    assert ledger.position() == 1
    assert ledger.documents("crops") == []
    assert ledger.projects() == []
    submit(ledger, "crops", "run")
    assert list(ledger.verify()) == []


def test_versions_follow_one_another(ledger: Ledger) -> None:
    with ledger.appending("crops") as appending:
        with pytest.raises(ValueError, match="the next version of run is 1, not 2"):
            appending.append("submit", submission("run", 2), actor="x")
        with pytest.raises(ValueError, match="no version 1 to withdraw"):
            appending.append("withdraw", {"document": "run", "version": 1, "reason": ""}, actor="x")
        appending.append("submit", submission("run", 1), actor="x", time="2020-02-02T02:02:02Z")
    assert [entry.time for entry in ledger.entries("crops")] == ["2020-02-02T02:02:02Z"]


def test_a_stream_needs_a_name(ledger: Ledger) -> None:
    with pytest.raises(InvalidName), ledger.appending("../x"):
        pass


def test_blobs_that_are_needed(ledger: Ledger) -> None:
    submit(ledger, "crops", "run")
    submit(ledger, "soil", "run", report=SHA)
    assert ledger.references(SHA) == 2
    assert ledger.references(REPORT) == 1
    with ledger.appending("crops") as appending:
        appending.append("erase", {"document": "run", "version": 1, "blob": SHA, "reason": "law"}, actor="x")
        assert appending.references(SHA) == 1
    assert ledger.references(REPORT) == 0
    assert ledger.erased("crops") == {("run", 1)}
    assert ledger.erased("soil") == set()


def test_entries_come_in_pages_that_meet(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.ledger.ledger._PAGE", 3)
    written = [submit(ledger, "crops", f"d{i}") for i in range(10)]
    assert list(ledger.entries("crops")) == written
    assert list(ledger.entries("crops", after=2, limit=5)) == written[2:7]
    assert list(ledger.entries("crops", limit=0)) == []
    reading = ledger.entries("crops", after=8)
    assert next(reading) == written[8]
    # An unfinished iterator blocks no writer, and yields entries that are appended meanwhile.
    later = submit(ledger, "crops", "late")
    assert list(reading) == [written[9], later]


@pytest.mark.parametrize(
    "question",
    [
        lambda ledger: ledger.erased("crops"),
        lambda ledger: ledger.taken_back("crops", "new", "12" * 32),
        lambda ledger: ledger.last("crops", "new"),
        lambda ledger: ledger.versions("crops", "new"),
        lambda ledger: ledger.settings("crops"),
        lambda ledger: ledger.length("crops"),
        lambda ledger: ledger.position(),
    ],
)
def test_what_a_submission_asks_does_not_read_all_entries(ledger: Ledger, question: Callable[[Ledger], object]) -> None:
    steps: list[int] = []
    for documents in (20, 200):
        for number in range(ledger.length("crops"), documents):
            submit(ledger, "crops", f"d{number}", blob=f"{number:064x}")
        with ledger.database.reading() as connection:
            steps.append(0)
            connection.set_progress_handler(lambda: steps.append(steps.pop() + 1), 1)
            question(ledger)
            connection.set_progress_handler(None, 0)
    assert steps[1] <= steps[0] + 20


def test_followers_learn_what_changed(ledger: Ledger) -> None:
    submit(ledger, "crops", "run")
    before = ledger.position()
    assert ledger.projects_changed_since(before) == []
    submit(ledger, "soil", "run")
    submit(ledger, "crops", "run")
    with ledger.appending(REPOSITORY) as appending:
        appending.append("settings", {"base": ""}, actor="x")
    assert ledger.position() > before
    assert ledger.projects_changed_since(before) == [("soil", 1), ("crops", 2), (REPOSITORY, 2)]


class LedgerMachine(RuleBasedStateMachine):
    """Random operations on a ledger, compared with a model: lists of entries."""

    projects = st.sampled_from(["crops", "soil"])
    names = st.sampled_from(["a", "b", "c-1"])
    digests = st.sampled_from([SHA, REPORT, "ef" * 32])

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="provrepo-ledger-"))
        self.ledger = Ledger(self.directory, software=SOFTWARE)
        self.streams: dict[str, list[Entry]] = {}

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.directory)

    def of(self, project: str, document: str, *kinds: str) -> list[Entry]:
        entries = self.streams.get(project, [])
        return [entry for entry in entries if entry.kind in kinds and entry.body["document"] == document]

    @rule(project=projects, document=names, blob=digests, report=digests, keep=st.booleans())
    def submitted(self, project: str, document: str, blob: str, report: str, keep: bool) -> None:
        body = submission(document, len(self.of(project, document, "submit")) + 1, blob=blob, report=report)
        try:
            with self.ledger.appending(project) as appending:
                entry = appending.append("submit", body, actor="x")
                if not keep:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return
        self.streams.setdefault(project, []).append(entry)

    @rule(project=projects, document=names)
    def withdrawn(self, project: str, document: str) -> None:
        versions = self.of(project, document, "submit")
        if versions:
            body = {"document": document, "version": len(versions), "reason": "r"}
            with self.ledger.appending(project) as appending:
                self.streams[project].append(appending.append("withdraw", body, actor="y"))

    @rule(project=projects, document=names, data=st.data())
    def erased(self, project: str, document: str, data: st.DataObject) -> None:
        versions = self.of(project, document, "submit")
        if versions:
            entry = data.draw(st.sampled_from(versions))
            body = {name: entry.body[name] for name in ("document", "version", "blob")}
            with self.ledger.appending(project) as appending:
                self.streams[project].append(appending.append("erase", {**body, "reason": "r"}, actor="y"))

    @rule(project=projects, public=st.booleans())
    def set_public(self, project: str, public: bool) -> None:
        with self.ledger.appending(project) as appending:
            entry = appending.append("settings", {"public": public}, actor="y")
        self.streams.setdefault(project, []).append(entry)

    @precondition(lambda self: self.streams)
    @rule()
    def reopened(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.directory, software=SOFTWARE)

    @invariant()
    def agrees(self) -> None:
        ledger = self.ledger
        assert list(ledger.verify()) == []
        assert ledger.projects() == sorted(self.streams)
        for project, entries in self.streams.items():
            assert list(ledger.entries(project)) == entries
            assert ledger.length(project) == len(entries)
            flags = [entry.body["public"] for entry in entries if entry.kind == "settings"]
            assert ledger.settings(project) == ({"public": flags[-1]} if flags else {})
            listed = []
            for document in ("a", "b", "c-1"):
                versions = self.of(project, document, "submit")
                assert ledger.versions(project, document) == versions
                if versions:
                    last = self.of(project, document, "submit", "withdraw")[-1]
                    assert ledger.current(project, document) == versions[-1]
                    assert ledger.last(project, document) == last
                    listed.append((document, versions[-1], last if last.kind == "withdraw" else None))
            assert ledger.documents(project) == listed
            assert ledger.count(project) == sum(1 for _, _, gone in listed if gone is None)
            assert ledger.erased(project) == self.gone(project)
        for blob in (SHA, REPORT, "ef" * 32):
            assert ledger.references(blob) == sum(
                entry.kind == "submit"
                and blob in (entry.body["blob"], entry.body["report"])
                and (entry.body["document"], entry.body["version"]) not in self.gone(project)
                for project, entries in self.streams.items()
                for entry in entries
            )

    def gone(self, project: str) -> set[tuple[str, int]]:
        entries = self.streams[project]
        return {(e.body["document"], e.body["version"]) for e in entries if e.kind == "erase"}


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


# Threads and processes


def test_sixteen_writers_in_two_ledgers_leave_no_gap(tmp_path: Path) -> None:
    each = 20
    with Ledger(tmp_path, software="one") as one, Ledger(tmp_path, software="two") as two:

        def write(writer: int) -> list[int]:
            ledger = one if writer % 2 else two
            return [submit(ledger, "crops", "same", note=f"{writer}").sequence for _ in range(each)]

        with ThreadPoolExecutor(16) as pool:
            written = [sequence for sequences in pool.map(write, range(16)) for sequence in sequences]
        assert sorted(written) == list(range(1, 16 * each + 1))
        versions = one.versions("crops", "same")
        assert [entry.body["version"] for entry in versions] == list(range(1, 16 * each + 1))
        assert list(two.verify()) == []


def test_connections_of_finished_threads_are_closed(ledger: Ledger) -> None:
    for _ in range(20):
        thread = threading.Thread(target=ledger.length, args=("crops",))
        thread.start()
        thread.join()
    assert len(ledger.database._connections) <= 2


WRITER = """
import sys
from pathlib import Path
from provrepo.ledger.ledger import Ledger
from tests.support.ledgers import submit
with Ledger(Path(sys.argv[1]), software="writer") as ledger:
    while True:
        print(submit(ledger, "crops", "same", note=sys.argv[2]).sequence, flush=True)
"""


def writer(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_killed_writers_lose_nothing_that_they_reported(tmp_path: Path) -> None:
    reported = 0
    for _ in range(2):
        writers = [writer(tmp_path, "one"), writer(tmp_path, "two")]
        try:
            for process in writers:
                assert process.stdout is not None
                for _ in range(5):
                    reported = max(reported, int(process.stdout.readline()))
        finally:
            for process in writers:
                os.kill(process.pid, signal.SIGKILL)
        for process in writers:
            rest = process.communicate()[0].splitlines()
            # A kill may truncate the last number; every whole one was reported.
            reported = max([reported, *(int(line) for line in rest[:-1])])
        with Ledger(tmp_path, software=SOFTWARE) as ledger:
            assert list(ledger.verify()) == []
            assert ledger.length("crops") >= reported > 0
            submit(ledger, "crops", "same")


def test_a_commit_waits_for_the_medium_on_every_connection(ledger: Ledger) -> None:
    def pragmas() -> list[Any]:
        with ledger.database.reading() as connection:
            names = ("journal_mode", "synchronous", "foreign_keys", "fullfsync", "checkpoint_fullfsync")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(pragmas).result() == pragmas() == ["wal", 2, 1, 1, 1]


def test_transactions_do_not_nest(ledger: Ledger) -> None:
    with ledger.appending("crops") as appending:
        appending.append("settings", {}, actor="x")
        with pytest.raises(RuntimeError, match="do not nest"), ledger.appending("soil"):
            pass
    assert ledger.projects() == ["crops"]
