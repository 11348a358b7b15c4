"""``fsck`` compares the views, the blobs and the tables with the ledger."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.pingbacks import Pingbacks, Pinged
from provrepo.ledger.storage.write_ahead import damaged
from provrepo.repository.repository import Repository
from provrepo.views.sparql.store import Quads
from tests.support import flips
from tests.support.command import Command, serving
from tests.support.directories import FIRST, fill
from tests.support.ledgers import SOFTWARE, leftovers, submit
from tests.support.sampling import sample


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with all kinds of content."""
    data = tmp_path_factory.mktemp("sound") / "data"
    with provrepo.open(data) as repository:
        fill(repository)
        repository.submit(flips.LABELED, project="crops", name="labeled", format="turtle")
        assert repository.fsck().problems == ()
        assert repository.fsck(views=True).problems == ()
    return data


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "data"))


def change(data: Path, view: str, *statements: str) -> None:
    """Change a view with a statement of SQLite, by other means than provrepo."""
    connection = sqlite3.connect(data / "views" / view / "view.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def mended(repository: Repository) -> bool:
    """Return whether ``fsck`` finds no problem after a rebuild."""
    repository.rebuild()
    return repository.fsck(views=True).problems == ()


SAMPLED = [
    ("lineage", "UPDATE about SET label = 'harvest of 2024' WHERE label = 'harvest of 2025'"),
    ("lineage", "UPDATE about SET label = NULL"),
    ("lineage", "UPDATE edge SET time = 7"),
    ("lineage", "UPDATE edge SET graph = 9"),
    ("lineage", "UPDATE OR IGNORE edge SET object = subject"),
    ("lineage", "DELETE FROM edge"),
    ("lineage", "UPDATE sort SET kinds = kinds + 8"),
    ("lineage", "UPDATE sort SET types = 'no JSON ' || id"),
    ("lineage", "UPDATE content SET terms = x'00'"),
    ("lineage", "UPDATE term SET iri = iri || 'x'"),
    ("lineage", "DELETE FROM version"),
    ("lineage", "CREATE INDEX more ON edge (time)"),
    ("search", "UPDATE words SET label = 'changed'"),
    ("search", "DELETE FROM thing"),
    ("search", "DELETE FROM version"),
]
WHOLE = [
    ("lineage", "UPDATE version SET since = since - 1 WHERE since > 1"),
    ("lineage", "UPDATE version SET until = 2"),
    ("lineage", "UPDATE version SET withdrawn = 1 - withdrawn"),
    ("search", "UPDATE version SET withdrawn = 1"),
    ("lineage", "UPDATE dataset SET stamp = 'another'"),
    ("lineage", "DELETE FROM edge_into"),
    ("lineage", "INSERT INTO edge_into VALUES (0, 0, 0)"),
    ("lineage", "INSERT INTO edge VALUES (2, 0, 2, 99, 0, 0)"),
    ("lineage", "INSERT INTO about VALUES (2, 99, 1, 'x')"),
    ("lineage", "INSERT INTO term VALUES (4000, 'urn:new')"),
    ("lineage", "UPDATE sort SET uses = uses + 1"),
    ("lineage", "UPDATE counter SET value = 1"),
    ("lineage", "DELETE FROM counter WHERE name = 'generation'"),
    ("lineage", "INSERT INTO content VALUES (99, 0, x'')"),
    ("lineage", "INSERT INTO version (dataset, project, document, number, since) VALUES (1, 'crops', 'no', 1, 1)"),
    ("search", "INSERT INTO thing (version, kinds) VALUES (1, 1)"),
    ("search", "INSERT INTO words (iri, label) VALUES ('urn:new', 'new')"),
    ("search", "UPDATE words_content SET c1 = 'changed' WHERE id = 1"),
    ("search", "UPDATE words_data SET block = x'00' WHERE id > 10"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("view", "statement"), sample(SAMPLED, 7))
def test_a_sample_is_compared_always(data: Path, view: str, statement: str) -> None:
    change(data, view, statement)
    with provrepo.open(data) as repository:
        problems = repository.fsck().problems
        assert problems
        assert all(view in problem and "provrepo rebuild" in problem for problem in problems)
        assert mended(repository)


def test_numbers_and_times_that_a_store_writes_in_another_way_are_no_difference(tmp_path: Path) -> None:
    lexical = (
        "1e+00",
        "+01",
        "01.50",
        "'1'^^xsd:boolean",
        "'2026-01-01T00:00:00+00:00'^^xsd:dateTime",
        "'P0Y'^^xsd:duration",
    )
    with provrepo.open(tmp_path / "data") as repository:
        values = ", ".join(lexical)
        repository.submit(
            (
                "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
                f"<urn:a> a prov:Entity ; <urn:p> {values} ."
            ).encode(),
            name="values",
            format="turtle",
        )
        assert repository.fsck().problems == ()
        assert repository.fsck(views=True).problems == ()


@pytest.mark.slow
@pytest.mark.parametrize(("view", "statement"), sample(WHOLE, 7))
def test_everything_is_compared_with_views(data: Path, view: str, statement: str) -> None:
    change(data, view, statement)
    with provrepo.open(data) as repository:
        if "stamp" in statement:
            # Of another mapping: it is cleared and rebuilt before the first query.
            assert repository.fsck(views=True).problems == ()
            return
        problems = repository.fsck(views=True).problems
        assert problems
        assert all(view in problem and "provrepo rebuild" in problem for problem in problems)
        assert mended(repository)


QUADS = [
    ("DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(?o = 'harvest of 2025') } }", True),
    ("DELETE { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?o = 'harvest of 2025') }", True),
    (
        "INSERT { GRAPH ?g { ?s ?p 'another' } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(?o = 'harvest of 2025') } }",
        True,
    ),
    ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", False),
    ("INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:b> <urn:c> } }", False),
    ("CREATE GRAPH <urn:empty>", False),
    ("DELETE WHERE { GRAPH ?g { ?s <http://purl.org/dc/terms/title> ?o } }", False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("update", "sampled"), sample(QUADS, 4))
def test_quads_are_compared(data: Path, update: str, sampled: bool) -> None:
    with provrepo.open(data) as repository:
        with repository.context.store.view(Quads).reading("crops") as store:
            store.update(update)
            del store  # deleting the last reference closes it, which a rebuild requires
        assert bool(repository.fsck().problems) == sampled
        problems = repository.fsck(views=True).problems
        assert problems
        assert all("dataset crops of quads" in problem and "provrepo rebuild" in problem for problem in problems)
        assert mended(repository)


def test_a_changed_label_is_found_by_the_command_and_beside_a_server(data: Path) -> None:
    change(data, "lineage", "UPDATE about SET label = 'changed' WHERE label = 'raw counts'")
    command = Command(data)
    assert "raw counts" in command("fsck", code=1).stdout
    with serving(data):
        for arguments in (["fsck"], ["fsck", "--views"]):
            found = command.json(*arguments, code=1)
            assert any("raw counts" in problem for problem in found["problems"])
    command("rebuild")
    assert command.json("fsck", "--views")["sound"]


@pytest.mark.parametrize("view", ["lineage", "search"])
def test_commands_on_a_view_that_cannot_be_read_say_so(data: Path, view: str) -> None:
    """Neither a traceback nor an incomplete answer."""
    tables = {
        "lineage": ["UPDATE content SET terms = x'00'", "UPDATE sort SET types = 'no JSON ' || id"],
        "search": ["UPDATE words_data SET block = x'ffffffffffffffff'"],
    }
    change(data, view, *tables[view])
    command = Command(data)
    verb = {"lineage": ("lineage", "http://example.org/clean", "--direction", "both"), "search": ("search", "clean")}
    assert "provrepo rebuild" in command.error(*verb[view], code=1)
    command("rebuild")
    command(*verb[view])


def test_a_blob_that_changed_makes_no_answer(data: Path) -> None:
    """Every reader compares it with its digest: a rebuild, a conversion, a query of one version."""
    command = Command(data)
    digest = command.json("history", "crops/run")[-1]["sha256"]
    blob = data / "blobs" / digest[:2] / digest[2:4] / digest
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes().replace(b"ex:more", b"ex:mire"))
    assert any("backup" in problem for problem in command.json("fsck", code=1)["problems"])
    for arguments in (["export", "crops/run"], ["export", "crops/run", "--to", "provn"]):
        assert "restore" in command.error(*arguments, code=1)
    command("rebuild")
    assert "mire" not in command("query", "--project", "crops", "SELECT * { ?s ?p ?o }").stdout


def test_a_list_of_what_was_set_aside_that_cannot_be_read_is_found(data: Path) -> None:
    for text in ("{", "[]", '{"crops/1": "x"}', '{"crops/1": {"quads": 7}}'):
        (data / "views" / "set-aside.json").write_text(text)
        with provrepo.open(data) as repository:
            assert any("set-aside.json" in problem for problem in repository.fsck().problems)
            assert mended(repository)


def test_nothing_is_left_behind(data: Path) -> None:
    with provrepo.open(data) as repository:
        repository.fsck()
        repository.fsck(views=True)
        assert leftovers(data) == []
        assert any((data / "views").iterdir())
    (data / "spool" / "fsck-killed" / "quads").mkdir(parents=True)
    with provrepo.open(data) as repository:
        repository.query("ASK {}")
        assert leftovers(data) == []


def test_what_is_appended_meanwhile_is_no_difference(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(data) as repository, provrepo.open(data, follow=False) as other:
        seen: list[str] = []

        def progress(project: str, _: int) -> None:
            seen.append(project)
            if len(seen) < 8:
                other.submit(FIRST, project="crops", name=f"meanwhile-{len(seen)}")

        assert repository.fsck(progress, views=True).problems == ()
        assert seen


# SQLite's log


def log_of(tmp_path: Path) -> tuple[Path, bytes]:
    """A ledger of a killed process with its log, whose last frames are left from an earlier log."""
    with Ledger(tmp_path / "first", software=SOFTWARE) as ledger:
        for number in range(6):
            submit(ledger, "crops", f"d{number}")
        with ledger.database.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        submit(ledger, "crops", "last")
        copy = Path(shutil.copytree(tmp_path / "first", tmp_path / "copy"))
    return copy, (copy / "ledger.sqlite-wal").read_bytes()


def test_each_flipped_bit_of_the_log_that_loses_an_entry_is_found(tmp_path: Path) -> None:
    _, log = log_of(tmp_path)
    assert damaged(log) is None
    page = 4096 + 24
    own = int.from_bytes(log[32 + 8 : 32 + 12], "big")
    frames = [n for n in range((len(log) - 32) // page) if int.from_bytes(log[32 + n * page + 8 :][:4], "big") == own]
    assert 0 < len(frames) < (len(log) - 32) // page, "a remainder follows"
    for place in [*range(32), *(32 + n * page + offset for n in frames for offset in (0, 5, 8, 15, 16, 23, 24, 4000))]:
        for bit in (1, 128):
            changed = bytearray(log)
            changed[place] ^= bit
            assert damaged(bytes(changed)), place
    torn = bytearray(log)
    start = 32 + frames[-1] * page
    torn[start + 4 : start + 8] = bytes(4)
    assert damaged(bytes(torn)) is None, "what no commit follows was not acknowledged"
    behind = bytearray(log)
    behind[-100] ^= 1
    assert damaged(bytes(behind)) is None, "a remainder says nothing"


def test_fsck_finds_a_log_that_loses_entries(tmp_path: Path) -> None:
    copy, log = log_of(tmp_path)
    changed = bytearray(log)
    changed[32 + 24 + 100] ^= 1
    (copy / "ledger.sqlite-wal").write_bytes(changed)
    with Ledger(copy, software=SOFTWARE) as ledger:
        assert any("ledger.sqlite-wal" in problem for problem in ledger.verify())


# Pingbacks


@pytest.fixture
def pingbacks(tmp_path: Path) -> Iterator[Pingbacks]:
    opened = Pingbacks(tmp_path / "pingbacks.sqlite")
    opened.store("crops", "run", 1, [Pinged("has_provenance", "https://a.example/p"), Pinged("x", "urn:y")], most=9)
    opened.mark_seen(opened.stored("crops")[:1])
    assert opened.verify() == []
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pingbacks SET document = x'00ff' WHERE id = 1",
        "UPDATE pingbacks SET uri = 'https://b.example/p' WHERE id = 1",
        "UPDATE pingbacks SET seen = 1 - seen WHERE id = 2",
        "UPDATE pingbacks SET version = 0 WHERE id = 1",
        "UPDATE pingbacks SET received = '' WHERE id = 1",
        "UPDATE pingbacks SET digest = '' WHERE id = 1",
        "CREATE TABLE more (a)",
    ],
)
def test_a_pingback_that_was_changed_is_found(pingbacks: Pingbacks, tmp_path: Path, statement: str) -> None:
    connection = sqlite3.connect(tmp_path / "pingbacks.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert len(pingbacks.verify()) == 1


def test_pingbacks_of_the_first_schema_are_taken_over(pingbacks: Pingbacks, tmp_path: Path) -> None:
    kept = pingbacks.stored("crops")
    pingbacks.close()
    connection = sqlite3.connect(tmp_path / "pingbacks.sqlite")
    connection.execute("ALTER TABLE pingbacks DROP COLUMN digest")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    again = Pingbacks(tmp_path / "pingbacks.sqlite")
    assert again.stored("crops") == kept
    assert again.verify() == []
    again.close()


# Bits


def test_a_flipped_bit_is_found_or_changes_no_answer(tmp_path: Path) -> None:
    """A sample of flipped bits; ``python -m tests.support.flips`` flips more."""
    tally = flips.Tally()
    flips.make(tmp_path / "data")
    flips.flips(tmp_path / "data", 4, 11, tally)
    assert tally.failures == []
    assert tally.found + tally.unchanged == 4
