"""The processor time of signed logs: a leaf in the commit of an entry, a receipt, its verification, and a rebuild."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import provrepo
from provrepo import verify
from provrepo.ledger.logs import trees
from provrepo.ledger.logs.trees import Tree
from provrepo.verify.merkle import SIZE, is_consistent, is_included

_ROUNDS = 300
_DOCUMENT = b"document\nprefix ex <http://example.org/>\nentity(ex:e)\nendDocument\n"


def table(sizes: Sequence[int], directory: Path) -> list[str]:
    """The tables as Markdown.

    Args:
        sizes: numbers of leaves.
        directory: where the repository is made.
    """
    rows = [
        "| leaves | rebuilt, s | leaf added, µs | root, µs | inclusion, µs | checked, µs "
        "| consistency, µs | checked, µs |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows += [_tree(size) for size in sizes]
    return [*rows, "", *_receipts(directory)]


def _tree(size: int) -> str:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(
        "CREATE TABLE tiles (project TEXT, level INTEGER, number INTEGER, hashes BLOB, UNIQUE (project, level, number))"
    )
    leaves = os.urandom(size * SIZE)
    began = time.process_time()
    tiles = list(trees.tiles_of(leaves))
    rebuilt = time.process_time() - began
    connection.executemany("INSERT INTO tiles VALUES ('p', ?, ?, ?)", tiles)
    index, former = size // 3, size // 2 + 1
    leaf, tree = leaves[index * SIZE : (index + 1) * SIZE], Tree(connection, "p")
    whole, part = tree.root(size), tree.root(former)
    included, consistent = tree.inclusion_proof(index, size), tree.consistency_proof(former, size)
    if not is_included(leaf, index, size, included, whole):
        raise RuntimeError("the proof is wrong")
    times = [
        _each(lambda: Tree(connection, "p").root(size)),
        _each(lambda: Tree(connection, "p").inclusion_proof(index, size)),
        _each(lambda: is_included(leaf, index, size, included, whole)),
        _each(lambda: Tree(connection, "p").consistency_proof(former, size)),
        _each(lambda: is_consistent(former, part, size, whole, consistent)),
    ]
    place = iter(range(size + 1, size + 10_000))
    added = _each(lambda: trees.append(connection, "p", next(place), "ab" * 32))
    connection.close()
    return f"| {size:,} | {rebuilt:.2f} | {added:.0f} | " + " | ".join(f"{each:.0f}" for each in times) + " |"


def _receipts(directory: Path) -> list[str]:
    with provrepo.open(directory / "logs", follow=False) as repository:
        repository.create_project("crops")
        given = repository.submit(_DOCUMENT, project="crops", name="run")
        with repository.context.store.ledger.appending("crops") as appending:
            for number in range(1_000):
                appending.append("settings", {"title": str(number)}, actor="x")
        log, entry = repository.context.store.parts.log, repository.context.store.ledger.entry("crops", 2)
        key = repository.log("crops").keys[0]

        def receipt() -> object:
            log._signed.clear()  # after each submission the checkpoint is another
            return log.receipt("crops", entry)

        made = log.receipt("crops", entry)
        if given.receipt is None or not verify.receipt(made, _DOCUMENT, key).proven:
            raise RuntimeError("the receipt is wrong")
        return [
            "| a receipt of one of 1,000 entries | µs |",
            "|---|---:|",
            f"| proof and signature, for each submission | {_each(receipt):.0f} |",
            f"| verified with its document and key | {_each(lambda: verify.receipt(made, _DOCUMENT, key)):.0f} |",
        ]


def _each(call: Callable[[], object]) -> float:
    """The median processor time of a call in microseconds."""
    times = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return median(times) * 1e6
