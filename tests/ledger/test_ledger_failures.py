"""Failures of a ledger: busy, full, damaged or forged, too old or too new."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Busy, Damaged, Error, NoSpace, NotAvailable
from provrepo.ledger import migrations
from provrepo.ledger.entries import REPOSITORY, Entry, canonical
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.storage import database
from provrepo.ledger.storage.blobs import Blobs
from tests.support.ledgers import SOFTWARE, submit, tamper
from tests.support.paths import TESTS
from tests.support.sampling import examples


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data", software=SOFTWARE) as opened:
        yield opened


def test_a_writer_that_waits_too_long_is_told(tmp_path: Path) -> None:
    with Ledger(tmp_path, software="one") as one, Ledger(tmp_path, software="two", timeout=0.05) as two:
        with one.appending("crops"), pytest.raises(Busy, match="try again"), two.appending("crops"):
            pass
        # Threads of one process wait for each other without SQLite, with the same timeout.
        with two.appending("crops"), ThreadPoolExecutor(1) as pool:
            assert isinstance(pool.submit(submit, two, "crops", "run").exception(), Busy)
        submit(two, "crops", "run")


def test_a_full_disk_stores_nothing_and_says_so(ledger: Ledger) -> None:
    submit(ledger, "crops", "run")
    with ledger.database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpace, match="the disk is full"):
        submit(ledger, "crops", "run", note="x" * 100_000)
    with ledger.database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert ledger.length("crops") == 1
    submit(ledger, "crops", "run")
    assert list(ledger.verify()) == []


def test_a_closed_ledger_says_so(ledger: Ledger) -> None:
    reading = ledger.entries("crops")
    ledger.close()
    ledger.close()
    with pytest.raises(NotAvailable, match="has been closed"):
        next(reading)
    with pytest.raises(NotAvailable), ledger.appending("crops"):
        pass


def test_closing_waits_for_a_transaction_of_another_thread(ledger: Ledger) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Entry:
        with ledger.appending("crops") as appending:
            inside.set()
            go_on.wait(10)
            return appending.append("settings", {}, actor="x")

    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(slow)
        inside.wait(10)
        closing = pool.submit(ledger.close)
        time.sleep(0.05)
        assert not closing.done()
        go_on.set()
        assert working.result().sequence == 1
        closing.result()


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(Damaged, match="cannot make the data directory"):
        Ledger(tmp_path / "file" / "data", software=SOFTWARE)
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Damaged, match="not an SQLite database"):
        Ledger(tmp_path, software=SOFTWARE)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("CREATE TABLE ledger (amount)")
    connection.commit()
    connection.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with pytest.raises(Damaged, match="another program"):
        Ledger(tmp_path, software=SOFTWARE)
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def test_the_directory_of_a_newer_version_is_not_opened(ledger: Ledger, tmp_path: Path) -> None:
    tamper(ledger, f"PRAGMA user_version = {migrations.SCHEMA + 1}")
    with pytest.raises(Damaged, match="newer version of provrepo"):
        Ledger(ledger.database.file.parent, software=SOFTWARE)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (done)")
        raise sqlite3.OperationalError("as if interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_STEPS", (*migrations._STEPS, broken))
        patch.setattr(migrations, "SCHEMA", 2)
        with pytest.raises(Damaged, match="as if interrupted"):
            Ledger(tmp_path, software=SOFTWARE)
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        submit(ledger, "crops", "run")
        assert list(ledger.verify()) == []


def test_many_open_a_new_directory_at_once(tmp_path: Path) -> None:
    def use(number: int) -> None:
        with Ledger(tmp_path, software=SOFTWARE) as ledger:
            submit(ledger, "crops", f"d{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        assert ledger.count("crops") == 8
        assert list(ledger.verify()) == []


def primary_codes() -> dict[str, int]:
    codes = {name: getattr(sqlite3, name) for name in dir(sqlite3) if name.startswith("SQLITE_")}
    return {name: code for name, code in codes.items() if name.count("_") == 1 and isinstance(code, int)}


@pytest.mark.parametrize("name", ["SQLITE_BUSY", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_READONLY"])
def test_each_failure_of_sqlite_has_its_own_text(name: str) -> None:
    texts = set()
    for code in primary_codes().values():
        error = sqlite3.OperationalError("reason")
        error.sqlite_errorcode = code
        translated = database.translate(error, Path("ledger.sqlite"))
        assert isinstance(translated, Error)
        texts.add(str(translated))
    error = sqlite3.OperationalError("reason")
    error.sqlite_errorcode = primary_codes()[name] | 1 << 8  # an extended code of the same family
    assert str(database.translate(error, Path("ledger.sqlite"))) in texts


def test_every_exception_of_sqlite_is_translated_but_those_of_misuse(ledger: Ledger) -> None:
    classes = [kind for kind in vars(sqlite3).values() if isinstance(kind, type) and issubclass(kind, sqlite3.Error)]
    misuse = (sqlite3.ProgrammingError, sqlite3.InterfaceError)
    assert len(classes) >= 8
    for kind in classes:
        expected: type[Exception] = kind if kind in misuse else Error
        with pytest.raises(expected), ledger.database.reading():
            raise kind("reason")


# Tampering


def test_the_database_refuses_changes(ledger: Ledger) -> None:
    submit(ledger, "crops", "run")
    connection = sqlite3.connect(ledger.database.file)
    row = connection.execute("SELECT * FROM entries").fetchone()
    for statement, values in (
        ("UPDATE entries SET data = x'00'", ()),
        ("UPDATE entries SET kind = 'erase'", ()),
        ("DELETE FROM entries", ()),
        ("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row),
        ("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (9, "crops", 3, *row[3:])),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="ledger entries are"):
            connection.execute(statement, values)
    connection.close()


@pytest.fixture(scope="module")
def four_entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("four") / "data"
    with Ledger(path, software=SOFTWARE) as ledger:
        for number in range(1, 5):
            submit(ledger, "crops", f"d{number}")
    return path


@given(sequence=st.integers(1, 4), place=st.integers(0), mask=st.integers(1, 255))
@settings(max_examples=examples(40), deadline=None)
def test_a_changed_byte_is_found_and_its_entry_set_aside(
    four_entries: Path, tmp_path_factory: pytest.TempPathFactory, sequence: int, place: int, mask: int
) -> None:
    data = shutil.copytree(four_entries, tmp_path_factory.mktemp("tampered") / "data")
    with Ledger(data, software=SOFTWARE) as ledger:
        changed = bytearray(ledger.entry("crops", sequence).data)
        changed[place % len(changed)] ^= mask
        tamper(ledger, "UPDATE entries SET data = ? WHERE sequence = ? AND project <> ''", bytes(changed), sequence)
        problems = list(ledger.verify())
        assert problems
        assert all(f"entry {sequence} of project crops" in problem for problem in problems)
        assert [entry.sequence for entry in ledger.entries("crops")] == [n for n in range(1, 5) if n != sequence]
        assert ledger.current("crops", f"d{sequence}") is None
        with pytest.raises(Damaged, match="not those that were appended"):
            ledger.entry("crops", sequence)
        # It blocks nothing: the stream continues.
        assert submit(ledger, "crops", "after").sequence == 5


def forged(ledger: Ledger, sequence: int, **changes: Any) -> Entry:
    """Replace an entry by another valid one."""
    entry = Entry.from_bytes(canonical({**ledger.entry("crops", sequence).fields, **changes}))
    tamper(
        ledger,
        "UPDATE entries SET data = ?, sha256 = ? WHERE sequence = ? AND project = ?",
        entry.data,
        entry.sha256,
        entry.sequence,
        entry.project,
    )
    return entry


def test_a_forged_entry_breaks_the_chain(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger, "crops", "run")
    forged(ledger, 2, note="I said so")
    assert list(ledger.verify("crops")) == [
        "entry 3 of project crops: the chain is broken, it does not follow the entry before it",
        "project crops: its Merkle tree is not that of its entries, first in tile 0 of level 0",
    ]
    assert list(ledger.verify("soil")) == []


def test_a_forged_last_entry_is_found(ledger: Ledger) -> None:
    for _ in range(3):
        submit(ledger, "crops", "run")
    last = forged(ledger, 3, actor="somebody else")
    end, tree = ledger.verify()
    assert last.sha256 in end
    assert "its Merkle tree is not that of its entries" in tree


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM entries WHERE sequence = 2", "entries 2 to 2 are missing"),
        ("DELETE FROM entries WHERE sequence = 1", "entries 1 to 1 are missing"),
        ("DELETE FROM entries WHERE sequence = 3", "it has 2 entries"),
        ("DELETE FROM entries", "it has 0 entries"),
        ("UPDATE entries SET sequence = 4 WHERE sequence = 3", "entries 3 to 3 are missing"),
        ("UPDATE entries SET project = 'soil' WHERE sequence = 3", "it contains entry 3 of project crops"),
        ("UPDATE entries SET document = 'other' WHERE sequence = 2", "the columns that index it differ"),
        ("UPDATE entries SET kind = 'erase' WHERE sequence = 2", "the columns that index it differ"),
        ("UPDATE entries SET blob = NULL WHERE sequence = 2", "the columns that index it differ"),
        ("UPDATE entries SET sha256 = 'x' WHERE sequence = 2", "their SHA-256 is not x"),
        ("UPDATE entries SET data = 'text' WHERE sequence = 2", "contains values that were never appended"),
        ("UPDATE entries SET data = x'ff' WHERE sequence = 2", "not a ledger entry"),
        ("UPDATE documents SET version = 7", "the index of document run differs"),
        ("UPDATE documents SET withdrawn = 1", "the index of document run differs"),
        ("DELETE FROM documents", "the index of document run differs"),
        ("DELETE FROM streams", "recorded are no entries"),
        ("UPDATE streams SET documents = 2", "the number of its documents"),
        ("UPDATE streams SET length = 9", "recorded are 9 entries"),
    ],
)
def test_tampering_is_found(ledger: Ledger, statement: str, expected: str) -> None:
    for _ in range(3):
        submit(ledger, "crops", "run")
    tamper(ledger, statement)
    assert any(expected in problem for problem in ledger.verify()), list(ledger.verify())


def test_a_damaged_current_version_falls_back_but_keeps_its_number(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    first = submit(ledger, "crops", "run")
    submit(ledger, "crops", "run")
    tamper(ledger, "UPDATE entries SET data = x'00' WHERE sequence = 2")
    assert ledger.current("crops", "run") == first
    assert ledger.documents("crops") == [("run", first, None)]
    assert "set aside: entry 2 of project crops" in caplog.text
    assert submit(ledger, "crops", "run").body["version"] == 3


def append_unknown(ledger: Ledger) -> None:
    """Return an entry as a newer version might append it."""
    last = list(ledger.entries("crops"))[-1]
    fields = {**last.fields, "kind": "merge", "sequence": last.sequence + 1, "previous": last.sha256}
    entry = Entry.from_bytes(canonical(fields), strict=False)
    tamper(
        ledger,
        "INSERT INTO entries (project, sequence, sha256, kind, data) VALUES ('crops', ?, ?, 'merge', ?)",
        entry.sequence,
        entry.sha256,
        entry.data,
    )


def test_reading_stops_at_a_kind_that_is_not_known(ledger: Ledger) -> None:
    submit(ledger, "crops", "run")
    submit(ledger, "crops", "run")
    append_unknown(ledger)
    reading = ledger.entries("crops")
    assert [next(reading).sequence, next(reading).sequence] == [1, 2]
    with pytest.raises(
        Damaged, match=r"entry 3 of project crops is of the kind 'merge', which .* provrepo test wrote it: upgrade"
    ):
        next(reading)
    with pytest.raises(Damaged, match="upgrade"):
        ledger.entry("crops", 3)
    assert any("may not skip" in problem for problem in ledger.verify())


@pytest.mark.parametrize("offset", [0, 20, 100, 4096, 9000, 20000])
def test_a_broken_file_is_an_error_of_ours(tmp_path: Path, offset: int) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        for number in range(30):
            submit(ledger, "crops", f"d{number}")
    with (tmp_path / "ledger.sqlite").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * 3000)

    def found() -> list[str]:
        try:
            with Ledger(tmp_path, software=SOFTWARE) as ledger:
                return list(ledger.verify())
        except Error as error:
            return [str(error)]

    assert any("ledger" in problem for problem in found())


# Upgrading

OLD = TESTS / "data"


@pytest.mark.parametrize("schema", range(1, migrations.SCHEMA + 1))
def test_a_data_directory_of_every_schema_still_opens(schema: int, tmp_path: Path) -> None:
    data = shutil.copytree(OLD / f"ledger-v{schema}", tmp_path / "data")
    with Ledger(data, software=SOFTWARE) as ledger:
        assert list(ledger.verify()) == []
        assert ledger.projects() == ["crops", "soil"]
        assert ledger.settings(REPOSITORY) == {"base": "https://prov.example/"}
        assert ledger.settings("crops") == {"public": True, "title": "Crops", "profiles": ["core"]}
        (name, current, withdrawn), (other, _, gone) = ledger.documents("crops")
        assert (name, current.body["version"], withdrawn) == ("run", 2, None)
        assert other == "trial"
        assert gone is not None
        assert gone.body["reason"] == "wrong file"
        assert ledger.erased("crops") == {("run", 1)}
        blobs = Blobs(data / "blobs")
        assert json.loads(blobs.get(current.body["report"])) == {"verdict": "conforms"}
        assert len(blobs.get(current.body["blob"])) == current.body["size"]
        assert not blobs.exists(ledger.versions("crops", "run")[0].body["blob"])
        assert submit(ledger, "crops", "run").body["version"] == 3
        assert list(ledger.verify()) == []
