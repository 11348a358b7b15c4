"""The write buffer: entries that share a transaction give the same tables, and failures lose no rows.

Whatever waits, fails or is cut off, the tables are those that the same entries leave one by one.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from provrepo.errors import Damaged
from provrepo.views import sqlite_view
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.lineage import schema, write_buffer
from provrepo.views.lineage.index import Lineage
from provrepo.views.view import Change
from provrepo.vocab import PROV, RDFS_LABEL

Tables = dict[str, list[tuple[object, ...]]]
NAMES = ("counter", "term", "edge", "edge_into", "sort", "about", "content", "version", "position")


@pytest.fixture(params=[0, 5, 1_000_000])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the buffer: none, very small, or large."""
    monkeypatch.setattr(write_buffer, "_MANY", request.param)


@contextmanager
def opened(folder: Path) -> Iterator[Lineage]:
    view = Lineage(folder / "view", base=BASE)
    try:
        yield view
    finally:
        view.close()


def tables(folder: Path) -> Tables:
    """All rows of the file. Both tables of edges must have the same ones."""
    with closing(sqlite3.connect(folder / "view" / "view.sqlite")) as connection:
        found = {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in NAMES}
        keys = "SELECT DISTINCT object, rule, subject FROM edge ORDER BY 1, 2, 3"
        assert found["edge_into"] == connection.execute(keys).fetchall()
        for version, *_ in found["version"]:
            rows = connection.execute("SELECT term FROM about WHERE version = ? ORDER BY 1", (version,)).fetchall()
            assert [term for (term,) in rows] == schema.terms_of(connection, version)
    return found


def one_by_one(folder: Path, changes: Sequence[Change]) -> Tables:
    with opened(folder) as view:
        for change in changes:
            view.apply("crops", change)
    return tables(folder)


def submitted(stream: ChangeStream, document: str, *pairs: str) -> Change:
    """A version that asserts for each pair of letters that the one was derived from the other."""
    lines = [f"<urn:{effect}> <{PROV}wasDerivedFrom> <urn:{cause}>" for effect, cause in pairs]
    return stream.submit(document, [*lines, f'<urn:{pairs[0][0]}> <{RDFS_LABEL}> "{document}"'])


def history(stream: ChangeStream, seed: int) -> list[Change]:
    """Versions, withdrawals and erasures about the same few things."""
    random, versions, changes = Random(seed), dict[str, int](), list[Change]()
    for _ in range(30):
        document = random.choice("pqrs")
        number = versions.get(document, 0)
        what = random.choice(["submit"] * 4 + ["withdraw", "erase"]) if number else "submit"
        if what == "submit":
            versions[document] = number + 1
            pairs = ["".join(random.sample("abcdefghijkl", 2)) for _ in range(random.randrange(1, 6))]
            changes.append(submitted(stream, document, *pairs))
        elif what == "withdraw":
            changes.append(stream.withdraw(document))
        else:
            changes.append(stream.erase(document, random.randrange(1, number + 1)))
    return changes


def disk_error() -> sqlite3.Error:
    """An error of SQLite, as after a failure of the disk."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


class Failing:
    """A step of an entry that fails after its execution, while it is switched on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception) -> None:
        self.on = False
        self.before: Callable[[sqlite3.Connection], object] = bool
        taken = getattr(schema, step)

        def fails(connection: sqlite3.Connection, *arguments: object) -> object:
            result = taken(connection, *arguments)
            if self.on:
                self.before(connection)
                raise error
            return result

        monkeypatch.setattr(schema, step, fails)

    @contextmanager
    def now(self, expected: type[Exception]) -> Iterator[None]:
        self.on = True
        with pytest.raises(expected):
            yield
        self.on = False


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("seed", range(6))
def test_a_shared_transaction_gives_the_same_tables(tmp_path: Path, seed: int) -> None:
    (tmp_path / "one").mkdir()
    changes = history(ChangeStream(tmp_path), seed)
    wanted = one_by_one(tmp_path / "one", changes)
    with opened(tmp_path) as view, view.together():
        for change in changes:
            view.apply("crops", change)
    assert tables(tmp_path) == wanted


@pytest.mark.usefixtures("many")
def test_a_failed_entry_leaves_no_buffered_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    failing = Failing(monkeypatch, "_type_sets", ValueError("in the middle of an entry"))
    changes = history(ChangeStream(tmp_path), 3)
    wanted = one_by_one(tmp_path / "one", changes)
    with opened(tmp_path) as view, view.together():
        other = ChangeStream(tmp_path)
        for number, change in enumerate(changes):
            failed = submitted(other, f"other-{number}", "al", "ka", "lb", "ck")
            with failing.now(ValueError):
                view.apply("crops", failed)
            view.apply("crops", change)
    assert tables(tmp_path) == wanted


@pytest.mark.usefixtures("many")
def test_a_failed_erasure_keeps_the_rows_that_were_buffered_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    failing = Failing(monkeypatch, "take", disk_error())
    stream = ChangeStream(tmp_path)
    changes = [submitted(stream, "p", "ab", "bc"), submitted(stream, "q", "ab", "cb", "da"), stream.erase("p", 1)]
    changes += [submitted(stream, "q", "ba"), submitted(stream, "r", "bd")]
    wanted = one_by_one(tmp_path / "one", changes)
    with opened(tmp_path) as view, view.together():
        for change in changes:
            if change.kind == "erase":
                with failing.now(Damaged):
                    view.apply("crops", change)
            view.apply("crops", change)
    assert tables(tmp_path) == wanted


@pytest.mark.usefixtures("many")
def test_rows_of_a_failed_block_are_not_written_later(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    changes = history(ChangeStream(tmp_path), 4)
    wanted = one_by_one(tmp_path / "one", changes)
    with opened(tmp_path) as view:
        with suppress(KeyboardInterrupt), view.together():
            for change in history(ChangeStream(tmp_path), 9)[:20]:
                view.apply("crops", change)
            raise KeyboardInterrupt
        assert view.position("crops", "crops") == 0
        for change in changes:
            view.apply("crops", change)
    assert tables(tmp_path) == wanted


@pytest.mark.usefixtures("many")
def test_a_transaction_that_sqlite_ends_discards_buffered_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    failing = Failing(monkeypatch, "_type_sets", disk_error())
    # As SQLite does after some errors of the disk.
    failing.before = lambda connection: connection.execute("ROLLBACK")
    changes = history(ChangeStream(tmp_path), 4)
    wanted = one_by_one(tmp_path / "one", changes)
    others = history(ChangeStream(tmp_path), 9)
    last = max(number for number, other in enumerate(others) if other.content is not None)
    with opened(tmp_path) as view, view.together():
        for other in others[:last]:
            view.apply("crops", other)
        with failing.now(Damaged):
            view.apply("crops", others[last])
        for change in changes:
            view.apply("crops", change)
        assert view.position("crops", "crops") == 0
    assert tables(tmp_path) == wanted


@pytest.mark.usefixtures("many")
def test_after_a_kill_the_first_entries_are_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = history(ChangeStream(tmp_path), 5)
    beginnings = []
    for length in range(len(changes) + 1):
        folder = tmp_path / f"beginning-{length}"
        folder.mkdir()
        beginnings.append(one_by_one(folder, changes[:length]))
    seen = set()
    with opened(tmp_path) as view, view.together():
        for number, change in enumerate(changes):
            monkeypatch.setattr(sqlite_view, "_MIN_COMMIT_INTERVAL", 60 if number % 7 else 0)
            view.apply("crops", change)
            # The files of a process that is killed here.
            shutil.copytree(tmp_path / "view", tmp_path / f"killed-{number}" / "view")
            left = tables(tmp_path / f"killed-{number}")
            seen.add(beginnings.index(left))
            assert view.position("crops", "crops") == beginnings.index(left)
    assert seen == {1, 8, 15, 22, 29}
    assert tables(tmp_path) == beginnings[-1]
