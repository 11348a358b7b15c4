"""Changes of names and tokens are recorded, and changes by other means are detected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Conflict, NotFound
from provrepo.ledger.accounts import Accounts
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger
from tests.support.directories import unpack
from tests.support.ledgers import SOFTWARE, tamper
from tests.support.paths import TESTS

DATA = TESTS / "data"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An owner, a valid token for one project, and a revoked token."""
    with Ledger(tmp_path, software=SOFTWARE) as opened:
        accounts = Accounts(opened.database, software=SOFTWARE)
        owner = accounts.owner("olga")
        ends = datetime.now(UTC) + timedelta(days=9)
        accounts.create("Alice", projects=["crops"], write=False, expires=ends, by=owner)
        accounts.revoke(accounts.create("Bob", by=owner)[1].id, by=owner)
        assert list(opened.verify()) == []
        yield opened


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE actors SET name = 'Mallory' WHERE name = 'Alice'", "the name"),
        ("UPDATE actors SET salt = '00' WHERE name = 'Alice'", "the name"),
        ("UPDATE actors SET salt = NULL WHERE name = 'Alice'", "the name"),
        ("UPDATE actors SET name = 'erased-' || substr(id, 1, 8), salt = NULL WHERE name = 'Alice'", "the name"),
        ("UPDATE actors SET salt = 'no hexadecimal' WHERE name = 'Alice'", "its content"),
        ("UPDATE actors SET owner = 1 WHERE name = 'Alice'", "owner"),
        ("UPDATE actors SET created = '2020-01-01T00:00:00.000Z' WHERE name = 'Alice'", "created"),
        ("INSERT INTO actors VALUES ('ff', 'Mallory', 1, '2026-01-01T00:00:00.000Z', '00')", "never recorded"),
        ("DELETE FROM tokens WHERE revoked IS NULL", "is gone"),
        ("UPDATE tokens SET revoked = NULL", "revoked"),
        ("UPDATE tokens SET revoked = '2020-01-01T00:00:00.000Z' WHERE revoked IS NOT NULL", "revoked"),
        ("UPDATE tokens SET projects = NULL WHERE projects IS NOT NULL", "projects"),
        ("""UPDATE tokens SET projects = '["crops","soil"]' WHERE projects IS NOT NULL""", "projects"),
        ("UPDATE tokens SET write = 1 WHERE write = 0", "its access"),
        ("UPDATE tokens SET expires = NULL WHERE expires IS NOT NULL", "expires"),
        ("UPDATE tokens SET created = '2020-01-01T00:00:00.000Z' WHERE write = 0", "created"),
        ("UPDATE tokens SET secret = '" + "ab" * 32 + "' WHERE write = 0", "secret"),
        ("UPDATE tokens SET actor = (SELECT id FROM actors WHERE owner) WHERE write = 0", "the actor"),
        (
            "INSERT INTO tokens (id, actor, secret, projects, write, created, expires, revoked, salt, scopes) "
            "SELECT 'ff', actor, secret, projects, 1, created, expires, revoked, salt, scopes "
            "FROM tokens WHERE write = 0",
            "never recorded",
        ),
    ],
)
def test_what_was_changed_by_sql_is_found(ledger: Ledger, statement: str, words: str) -> None:
    tamper(ledger, statement)
    problems = list(ledger.verify())
    assert problems
    assert words in problems[0]
    assert problems[0].startswith(("actor ", "token "))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TRIGGER entries_unchanged", "trigger entries_unchanged is missing"),
        ("CREATE TRIGGER more AFTER INSERT ON entries BEGIN SELECT 1; END", "trigger more is not part of"),
        ("CREATE TABLE more (a)", "table more is not part of"),
        ("DROP INDEX entries_blob", "index entries_blob is missing"),
        ("UPDATE streams SET position = position + 1", "position of its last entry"),
        (
            "UPDATE entries SET position = position + 100 WHERE position = (SELECT max(position) FROM entries)",
            "positions",
        ),
        ("UPDATE sqlite_sequence SET seq = seq + 1", "positions"),
    ],
)
def test_a_schema_and_positions_that_were_changed_are_found(ledger: Ledger, statement: str, words: str) -> None:
    if "TRIGGER" in statement:
        with ledger.database.writing() as connection:
            connection.execute(statement)
    else:
        tamper(ledger, statement)
    assert any(words in problem for problem in ledger.verify())


def test_names_change_and_are_erased_while_entries_stay(ledger: Ledger) -> None:
    accounts = Accounts(ledger.database)
    alice = next(actor for actor, name in accounts.names().items() if name == "Alice")
    before = [entry.data for entry in ledger.entries(REPOSITORY)]
    accounts.rename(alice, "Alice B.")
    assert accounts.actor(alice) == "Alice B."
    accounts.rename(alice, None)
    assert "Alice" not in accounts.actor(alice)
    assert list(ledger.verify()) == []
    entries = list(ledger.entries(REPOSITORY))
    assert [entry.data for entry in entries[: len(before)]] == before
    assert [entry.kind for entry in entries[len(before) :]] == ["name", "name"]
    assert entries[-1].body["digest"] == ""
    with ledger.database.reading() as connection:
        assert connection.execute("SELECT salt FROM actors WHERE id = ?", (alice,)).fetchone() == (None,)
    accounts.create("Bob B.")
    with pytest.raises(Conflict, match="another name"):
        accounts.rename(alice, "Bob B.")
    with pytest.raises(NotFound):
        accounts.rename("nobody", "x")


def test_no_private_word_stands_in_an_entry(ledger: Ledger) -> None:
    """The repository's own stream may be published; it contains no names of people and projects."""
    text = b"".join(entry.data for entry in ledger.entries(REPOSITORY))
    for word in (b"Alice", b"Bob", b"olga", b"crops"):
        assert word not in text
    names = [entry for entry in ledger.entries(REPOSITORY) if entry.kind == "name"]
    assert len({entry.body["digest"] for entry in names}) == 3


def test_one_name_of_two_actors_has_two_digests(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        accounts = Accounts(ledger.database)
        accounts.owner("alice")
        accounts.create("alice")
        first, second = (entry for entry in ledger.entries(REPOSITORY) if entry.kind == "name")
        assert first.body["digest"] != second.body["digest"]


def test_revoking_again_records_nothing(ledger: Ledger) -> None:
    accounts = Accounts(ledger.database)
    length = ledger.length(REPOSITORY)
    accounts.revoke(next(token.id for token in accounts.list() if token.revoked))
    assert ledger.length(REPOSITORY) == length


@pytest.mark.parametrize("archive", ["directory-v1.tar.gz", "directory-v2.tar.gz"])
def test_an_upgrade_records_what_it_finds(archive: str, tmp_path: Path) -> None:
    unpack(DATA / archive, tmp_path)
    with provrepo.open(tmp_path / "data") as repository:
        tokens = {token.id: token for token in repository.tokens()}
        entries = list(repository.context.store.ledger.entries(REPOSITORY))
        found = {entry.body["id"]: entry for entry in entries if entry.kind == "token" and entry.body.get("found")}
        assert found.keys() == tokens.keys()
        assert {id_: entry.body["state"] for id_, entry in found.items()} == {
            id_: "revoked" if token.revoked else "granted" for id_, token in tokens.items()
        }
        assert [entry.kind for entry in entries if entry.body.get("found")].count("name") >= 2
        assert repository.fsck(views=True).problems == ()
        tamper(repository.context.store.ledger, "UPDATE tokens SET projects = NULL, revoked = NULL, expires = NULL")
        assert not repository.fsck().sound
