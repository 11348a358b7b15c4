"""The trees of streams: they follow the entries, in the same transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.errors import Damaged, NotFound
from provrepo.ledger import migrations
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs import trees
from provrepo.ledger.logs.trees import WIDTH, Tree
from provrepo.verify import merkle
from tests.support.ledgers import SOFTWARE, submit, tamper

SIZE = 600


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A project with 600 entries: three tiles."""
    with Ledger(tmp_path_factory.mktemp("trees"), software=SOFTWARE) as ledger:
        with ledger.appending("crops") as appending:
            for number in range(SIZE):
                appending.append("settings", {"title": str(number)}, actor="x")
        yield ledger


def leaves(ledger: Ledger, project: str) -> list[bytes]:
    return [merkle.leaf_hash(hashlib.sha256(entry.data).digest()) for entry in ledger.entries(project)]


def by_definition(hashes: list[bytes]) -> bytes:
    if len(hashes) <= 1:
        return hashes[0] if hashes else merkle.EMPTY
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return merkle.node_hash(by_definition(hashes[:split]), by_definition(hashes[split:]))


def test_the_root_is_that_of_the_entries(filled: Ledger) -> None:
    hashes = leaves(filled, "crops")
    with filled.database.reading() as connection:
        assert Tree(connection, "crops").size() == SIZE
        for size in (1, 2, 3, 255, 256, 257, 511, 512, 513, SIZE):
            assert Tree(connection, "crops").root(size) == by_definition(hashes[:size])
        with pytest.raises(NotFound, match="fewer than"):
            Tree(connection, "crops").root(SIZE + 1)
        assert Tree(connection, "nothing").size() == 0


def test_every_entry_and_every_earlier_tree_is_proven(filled: Ledger) -> None:
    hashes = leaves(filled, "crops")
    with filled.database.reading() as connection:
        tree = Tree(connection, "crops")
        whole = tree.root(SIZE)
        for index in range(SIZE):
            assert merkle.is_included(hashes[index], index, SIZE, tree.inclusion_proof(index, SIZE), whole)
        for first in range(1, SIZE + 1, 7):
            proof = tree.consistency_proof(first, SIZE)
            assert merkle.is_consistent(first, tree.root(first), SIZE, whole, proof)


def test_tiles_are_those_of_the_specification(filled: Ledger) -> None:
    hashes = leaves(filled, "crops")
    with filled.database.reading() as connection:
        tree = Tree(connection, "crops")
        assert tree.tile(0, 1, WIDTH) == b"".join(hashes[256:512])
        assert tree.tile(0, 2, 88) == b"".join(hashes[512:])
        assert tree.tile(0, 2, 5) == b"".join(hashes[512:517])  # of a size that was published before
        assert tree.tile(1, 0, 2) == by_definition(hashes[:256]) + by_definition(hashes[256:512])
        for level, number, width in ((0, 2, 89), (0, 3, 1), (1, 0, 3), (1, 1, 1), (2, 0, 1), (0, 0, 0)):
            with pytest.raises(NotFound):
                tree.tile(level, number, width)
        rows = connection.execute("SELECT level, number FROM tiles WHERE project = 'crops' ORDER BY 1, 2").fetchall()
    assert rows == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_each_stream_has_its_own_tree(filled: Ledger) -> None:
    submit(filled, "soil", "run")
    with filled.database.reading() as connection:
        assert Tree(connection, "soil").size() == 1
        assert Tree(connection, REPOSITORY).size() == filled.length(REPOSITORY)


def test_a_transaction_that_fails_leaves_no_leaf(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        submit(ledger, "crops", "run")
        with pytest.raises(ValueError, match="no field"), ledger.appending("crops") as appending:  # noqa: PT012
            appending.append("settings", {}, actor="x")
            appending.append("embargo", {"wrong": 1}, actor="x")
        submit(ledger, "crops", "run")
        with ledger.database.reading() as connection:
            assert Tree(connection, "crops").size() == 2
        assert list(ledger.verify()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tiles SET hashes = zeroblob(64) WHERE project = 'crops'",
        "DELETE FROM tiles WHERE project = 'crops'",
        "UPDATE tiles SET hashes = substr(hashes, 1, 32) WHERE project = 'crops'",
        "INSERT INTO tiles (project, level, number, hashes) VALUES ('crops', 1, 0, zeroblob(32))",
    ],
)
def test_a_changed_tree_is_found(tmp_path: Path, statement: str) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        submit(ledger, "crops", "run")
        submit(ledger, "crops", "run")
        tamper(ledger, statement)
        (problem,) = ledger.verify()
        assert "project crops: its Merkle tree is not that of its entries" in problem


def test_nothing_is_appended_to_a_tree_that_lacks_entries(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        submit(ledger, "crops", "run")
        tamper(ledger, "DELETE FROM tiles WHERE project = 'crops'")
        with pytest.raises(Damaged, match="does not have 1 leaves"):
            submit(ledger, "crops", "run")
        assert ledger.length("crops") == 1


def test_an_earlier_schema_gets_its_trees(tmp_path: Path) -> None:
    """A directory without trees, as schema 7 left it: its entries are the same, and the tree is that of all of them."""
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        with ledger.appending("crops") as appending:
            for number in range(300):
                appending.append("settings", {"title": str(number)}, actor="x")
        before = [entry.data for entry in ledger.entries("crops")]
        with ledger.database.reading() as connection:
            root = Tree(connection, "crops").root(300)
    file = sqlite3.connect(tmp_path / "ledger.sqlite")
    file.executescript("DROP TABLE tiles; DROP TABLE checkpoints; DROP INDEX entries_key; PRAGMA user_version = 7;")
    file.close()
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        assert [entry.data for entry in ledger.entries("crops")] == before
        with ledger.database.reading() as connection:
            assert Tree(connection, "crops").root(300) == root
            assert connection.execute("PRAGMA user_version").fetchone() == (migrations.SCHEMA,)
        assert list(ledger.verify()) == []
        submit(ledger, "crops", "run")
        assert list(ledger.verify()) == []


def test_a_tree_of_many_tiles_is_built_at_once_as_leaf_by_leaf() -> None:
    file = sqlite3.connect(":memory:")
    file.execute("CREATE TABLE tiles (project, level, number, hashes, UNIQUE (project, level, number))")
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000)]
    for sequence, digest in enumerate(digests, 1):
        trees.append(file, "crops", sequence, digest)
    found = file.execute("SELECT level, number, hashes FROM tiles ORDER BY level, number").fetchall()
    hashes = b"".join(merkle.leaf_hash(bytes.fromhex(digest)) for digest in digests)
    assert found == list(trees.tiles_of(hashes))
    assert [(level, number, len(data) // 32) for level, number, data in found] == [
        *((0, 0, 256), (0, 1, 256), (0, 2, 256), (0, 3, 232), (1, 0, 3)),
    ]
    file.close()
