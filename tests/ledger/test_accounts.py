"""Accounts: names of actors, and valid tokens."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Damaged, InvalidName, NotFound
from provrepo.ledger.accounts import Accounts
from provrepo.ledger.storage.database import Database
from tests.support.sampling import examples


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


def test_a_token_speaks_for_its_actor(accounts: Accounts) -> None:
    text, token = accounts.create("Alice", projects=["soil", "crops", "soil"], write=False)
    assert re.fullmatch(r"pvr_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    assert text.startswith(f"pvr_{token.id}_")
    assert accounts.authenticate(text) == token
    assert (token.name, token.projects, token.write, token.expires) == ("Alice", ("crops", "soil"), False, None)
    assert accounts.actor(token.actor) == "Alice"
    assert "Alice" not in token.actor


def test_all_projects_and_none_are_not_the_same(accounts: Accounts) -> None:
    everything, nothing = accounts.create("a")[0], accounts.create("b", projects=[])[0]
    found = [accounts.authenticate(text) for text in (everything, nothing)]
    assert [token.projects for token in found if token] == [None, ()]
    assert [token.write for token in found if token] == [True, True]


def test_tokens_of_one_name_speak_for_one_actor(accounts: Accounts) -> None:
    first, second, other = (accounts.create(name)[1] for name in ("ci", "ci", "someone"))
    assert first.actor == second.actor != other.actor
    assert first.id != second.id


def test_the_owner_is_made_once_and_no_token_speaks_for_it(accounts: Accounts) -> None:
    with ThreadPoolExecutor(8) as pool:
        owners = set(pool.map(accounts.owner, ["alice"] * 16))
    (owner,) = owners
    assert accounts.actor(owner) == "alice"
    assert accounts.create("alice")[1].actor != owner
    assert accounts.owner("bob") != owner
    assert sorted(accounts.names().values()) == ["alice", "alice", "bob"]


def test_a_revoked_token_is_over(accounts: Accounts) -> None:
    text, token = accounts.create("a")
    kept, _ = accounts.create("a")
    revoked = accounts.revoke(token.id)
    assert revoked.revoked is not None
    assert not revoked.valid
    assert accounts.authenticate(text) is None
    assert accounts.authenticate(kept) is not None
    assert accounts.revoke(token.id) == revoked
    assert [entry.revoked is None for entry in accounts.list()].count(True) == 1
    with pytest.raises(NotFound, match="no token"):
        accounts.revoke("0" * 16)


def test_an_expired_token_is_over(accounts: Accounts) -> None:
    now = datetime.now(UTC)
    over, _ = accounts.create("a", expires=now - timedelta(milliseconds=2))
    good, token = accounts.create("a", expires=now + timedelta(days=1))
    assert accounts.authenticate(over) is None
    assert accounts.authenticate(good) == token
    assert len(accounts.list()) == 2
    with pytest.raises(ValueError, match="time zone"):
        accounts.create("a", expires=datetime(2030, 1, 1))


@pytest.mark.parametrize("change", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: t + "A", str.upper])
def test_a_changed_token_is_nobody(accounts: Accounts, change: object) -> None:
    text, _ = accounts.create("a")
    assert accounts.authenticate(change(text)) is None  # type: ignore[operator]


def test_secrets_do_not_stand_in_for_each_other(accounts: Accounts) -> None:
    (first, one), (second, two) = accounts.create("a"), accounts.create("a")
    assert accounts.authenticate(first.replace(one.id, two.id)) is None
    assert accounts.authenticate(second.replace(two.id, "0" * 16)) is None


@given(st.text(max_size=80) | st.from_regex(r"pvr_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n?", fullmatch=True))
@settings(max_examples=examples(40), deadline=None)
def test_anything_else_is_nobody(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    opened = Database(tmp_path_factory.getbasetemp() / "anything" / "ledger.sqlite")
    assert Accounts(opened).authenticate(text) is None
    opened.close()


def test_no_secret_is_kept_or_logged(accounts: Accounts, database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text, token = accounts.create("a")
    accounts.authenticate(text)
    accounts.revoke(token.id)
    secret = text.split("_", 2)[2]
    dump = "\n".join(sqlite3.connect(database.file).iterdump())
    assert hashlib.sha256(secret.encode()).hexdigest() in dump
    assert secret not in dump + caplog.text + repr(accounts.list())


def test_names_of_projects_are_checked(accounts: Accounts) -> None:
    with pytest.raises(InvalidName):
        accounts.create("a", projects=["no such name"])
    assert accounts.list() == []
    assert accounts.names() == {}


def test_nobody_has_no_name(accounts: Accounts) -> None:
    with pytest.raises(NotFound, match="no actor"):
        accounts.actor("nobody")


@pytest.mark.parametrize("value", ["0", "x'00ff'", "'no JSON'", "'[7]'", "'{}'", "'5'", "''"])
@pytest.mark.parametrize("column", ["projects", "expires", "revoked", "created"])
def test_a_row_that_others_changed_is_no_token(accounts: Accounts, database: Database, column: str, value: str) -> None:
    text, _ = accounts.create("Alice", projects=["crops"])
    with database.writing() as connection:
        stored = "CAST({} AS BLOB)" if value == "0" and column != "projects" else "{}"
        connection.execute(f"UPDATE tokens SET {column} = {stored.format(value)}")
    if column != "projects" and value[0] == "'":
        assert [token.name for token in accounts.list()] == ["Alice"]  # a valid type, whose change `fsck` reports
        return
    with pytest.raises(Damaged, match="restore it from a backup"):
        accounts.list()
    if column == "revoked":
        assert accounts.authenticate(text) is None  # any other value than NULL counts as revoked or is an error
        return
    with pytest.raises(Damaged, match="restore it from a backup"):
        accounts.authenticate(text)
