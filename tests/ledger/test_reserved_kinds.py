"""Entries of reserved kinds and of kinds of newer versions: stored, verified, and skipped or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Damaged
from provrepo.ledger.entries import REPOSITORY, Entry, canonical
from provrepo.ledger.kinds import KINDS
from provrepo.ledger.ledger import Ledger
from provrepo.ledger.logs import trees
from provrepo.repository.repository import Repository
from tests.conftest import PROVJSON, TURTLE
from tests.ledger.test_entries import whole
from tests.support.ledgers import tamper

RESERVED = [kind for kind in KINDS.values() if kind.reserved and kind.ignorable]


def append_all(repository: Repository, project: str) -> None:
    """Append one entry of each reserved kind, in the project's stream or in the repository's own."""
    for kind in RESERVED:
        body: dict[str, Any] = whole(kind)
        stream = REPOSITORY if kind.stream == "repository" else project
        with repository.context.store.ledger.appending(stream) as appending:
            appending.append(kind.name, body, actor=repository.actor.id)


def newer(ledger: Ledger, project: str, **fields: Any) -> Entry:
    """Append an entry of an unknown kind, as a newer version would."""
    last = ledger.entry(project, ledger.length(project))
    head = {name: last.fields[name] for name in ("actor", "time")}
    head |= {"kind": "merge", "project": project, "sequence": last.sequence + 1, "previous": last.sha256}
    entry = Entry.from_bytes(canonical({**head, "software": "provrepo/9.9", **fields}), strict=False)
    insert = "INSERT INTO entries (project, sequence, sha256, kind, document, data) VALUES (?, ?, ?, 'merge', ?, ?)"
    tamper(ledger, insert, project, entry.sequence, entry.sha256, fields.get("document"), entry.data)
    update = (
        "UPDATE streams SET length = ?, sha256 = ?, position = (SELECT max(position) FROM entries) WHERE project = ?"
    )
    tamper(ledger, update, entry.sequence, entry.sha256, project)
    with ledger.database.writing() as connection:
        trees.append(connection, project, entry.sequence, entry.sha256)
    return entry


def number(repository: Repository, label: str = "cleaned") -> bool | None:
    return repository.query(f"ASK {{ ?s rdfs:label '{label}' }}", project="crops").boolean


def test_reserved_kinds_change_nothing_that_is_shown(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
        before = [info.to_dict() for info in repository.documents("crops", withdrawn=True)]
        append_all(repository, "crops")
        assert [info.to_dict() for info in repository.documents("crops", withdrawn=True)] == before
        assert number(repository)
        repository.submit(TURTLE, project="crops", name="later")
        assert len(repository.lineage("http://example.org/clean").nodes) > 1
        assert repository.fsck().problems == ()
        assert repository.fsck().notes == ()
        repository.rebuild()
        assert number(repository)
        kinds = [entry.entry["kind"] for entry in repository.entries("crops")]
        assert {"atoms", "checkpoint"} <= set(kinds)
    with provrepo.open(tmp_path / "data") as repository:
        assert number(repository)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_kind_that_may_be_stepped_over_is(tmp_path: Path, at_once: bool) -> None:
    with provrepo.open(tmp_path / "data", follow=False) as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
    with provrepo.open(tmp_path / "data") as repository:
        if not at_once:
            assert number(repository)
        newer(repository.context.store.ledger, "crops", ignorable=True, document="run", what="something new")
        repository.submit(PROVJSON.replace(b"cleaned", b"cleaner"), project="crops", name="run", update=True)
        assert number(repository, "cleaner")
        assert len(repository.context.store.set_aside) == 0
        assert repository.fsck().problems == ()
        assert [info.version for info in repository.history("crops", "run")] == [1, 2]


def test_a_kind_that_may_not_be_stepped_over_stops_its_project_alone(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        repository.create_project("soil")
        repository.submit(PROVJSON, project="crops", name="run")
        newer(repository.context.store.ledger, "crops")
        repository.submit(PROVJSON.replace(b"cleaned", b"cleaner"), project="crops", name="run", update=True)
        repository.submit(PROVJSON, project="soil", name="run")
        ((_, reason),) = repository.context.store.set_aside.items()
        for word in ("crops", "'merge'", "provrepo/9.9", "upgrade"):
            assert word in reason
        assert repository.query("ASK { ?s rdfs:label 'cleaned' }", project="soil").boolean
        assert not number(repository, "cleaner")
        with pytest.raises(Damaged, match=r"provrepo/9\.9 wrote it"):
            repository.entries("crops", after=2)
        assert any("'merge'" in problem for problem in repository.fsck().problems)
