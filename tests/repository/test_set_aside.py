"""An entry on which a view fails never blocks another; transient failures are tried again."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.errors import Busy, Damaged, NoSpace, TooLarge
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.repository.upkeep.set_aside import SetAside, is_transient
from provrepo.server.app import create_app
from provrepo.settings import Settings
from provrepo.views.lineage.index import Lineage
from provrepo.views.search import Search
from provrepo.views.sparql.store import Quads
from provrepo.views.view import Change
from provrepo.vocab import PROV
from tests.support.command import Command

VIEWS = (Quads, Lineage, Search)


def entity(name: str) -> bytes:
    return f"<http://example.org/{name}> a <{PROV}Entity> .".encode()


def failing(monkeypatch: pytest.MonkeyPatch, view: type, fails: Callable[[Change], BaseException | None]) -> None:
    """Make a view raise for some changes."""
    apply = view.apply

    def wrapped(self: Any, dataset: str, change: Change) -> None:
        error = fails(change)
        if error is not None:
            raise error
        apply(self, dataset, change)

    monkeypatch.setattr(view, "apply", wrapped)


def found(repository: Repository, name: str) -> bool:
    return bool(repository.query(f"ASK {{ <http://example.org/{name}> a prov:Entity }}").boolean)


LASTING = [
    ValueError("no"),
    Damaged("no"),
    RuntimeError("no"),
    KeyError("no"),
    sqlite3.DatabaseError("no"),
    OSError(5, "no"),
]
"""Permanent failures of a view."""


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("view", VIEWS)
def test_an_entry_that_a_view_cannot_take_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: type, error: Exception
) -> None:
    with provrepo.open(tmp_path) as repository:
        with monkeypatch.context() as patch:
            failing(patch, view, lambda change: error if change.content and change.entry["document"] == "b" else None)
            receipts = {name: repository.submit(entity(name), name=name, format="turtle") for name in "abc"}
        assert [receipts[name].indexed for name in "abc"] == [True, False, True]
        assert found(repository, "a")
        assert found(repository, "c")
        assert found(repository, "b") is (view is not Quads)
        health = repository.context.store.health()
        assert health["status"] == "degraded"
        [(where, why)] = health["set_aside"].items()
        assert where == f"default/{receipts['b'].version.sequence}"
        assert "no" in why
        assert "provrepo rebuild" in why
    # The positions are after it, so that only the record shows it.
    with provrepo.open(tmp_path) as repository:
        [problem] = repository.fsck().problems
        assert where in problem
        repository.rebuild()
        assert repository.fsck().sound
        assert found(repository, "b")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_views_that_fail_at_random_never_block_another_entry(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = [f"n{number}" for number in range(6)]
    bad = {view: data.draw(st.sets(st.sampled_from(names))) for view in VIEWS}
    error = data.draw(st.sampled_from(LASTING))
    together = data.draw(st.booleans())
    with pytest.MonkeyPatch.context() as monkeypatch:
        for view in VIEWS:

            def fails(change: Change, bad: set[str] = bad[view]) -> BaseException | None:
                return error if change.content and change.entry["document"] in bad else None

            failing(monkeypatch, view, fails)
        folder = tmp_path_factory.mktemp("random")
        with provrepo.open(folder, follow=not together) as repository:
            for name in names:
                repository.submit(entity(name), name=name, format="turtle")
        with provrepo.open(folder) as repository:
            store = repository.context.store
            for view in VIEWS:
                assert store.view(view).position("default", "default") == store.ledger.length("default")
            assert [found(repository, name) for name in names] == [name not in bad[Quads] for name in names]
            wanted = {repository.version("default", name).sequence for name in set().union(*bad.values())}
            assert {int(where.split("/")[1]) for where, _ in store.set_aside.items()} == wanted


SCARCE = [
    NoSpace("the disk is full"),
    Busy("taken"),
    MemoryError(),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EMFILE, "Too many open files"),
    RuntimeError("IO error: While open a file for appending: No space left on device"),
]


@pytest.mark.parametrize("error", SCARCE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("view", VIEWS)
def test_want_of_resources_is_tried_again_and_sets_nothing_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: type, error: Exception
) -> None:
    with provrepo.open(tmp_path) as repository:
        repository.submit(entity("a"), name="a", format="turtle")
        with monkeypatch.context() as patch:
            failing(patch, view, lambda change: error)
            receipt = repository.submit(entity("b"), name="b", format="turtle")
            assert receipt.created
            assert not receipt.indexed
            health = repository.context.store.health()
            assert health["status"] == "degraded"
            assert list(health["waiting"]) == ["default"]
            assert health["set_aside"] == {}
        assert found(repository, "b")
        assert repository.context.store.health()["waiting"] == {}
        assert repository.fsck().sound


def test_causes_tell_whether_another_try_may_help() -> None:
    error = Damaged("dataset x cannot be written")
    error.__cause__ = OSError(errno.EMFILE, "Too many open files")
    assert is_transient(error)
    error.__cause__ = error
    assert not is_transient(error)
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert is_transient(full)
    assert not is_transient(sqlite3.OperationalError("no such table"))


def test_what_was_set_aside_survives_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    aside = SetAside(tmp_path / "file" / "set-aside.json")
    (tmp_path / "file").write_text("a file where a folder should be")
    aside.add("p", 1, "quads", "first")
    assert dict(aside.items())["p/1"].startswith("quads: first")
    (tmp_path / "file").unlink()
    aside.add("p", 2, "quads", "second")
    assert [where for where, _ in SetAside(tmp_path / "file" / "set-aside.json").items()] == ["p/1", "p/2"]


@pytest.mark.slow
def test_a_literal_that_escapes_make_too_long_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    # 18 MB in PROV-JSON and in N-Quads; a line of a bulk load is at most 16 MiB.
    large = b'{"prefix": {"ex": "http://example.org/"}, "entity": {"ex:x": {"ex:p": "%s"}}}' % (b'\\"' * 9_000_000)
    with provrepo.open(tmp_path) as repository:
        with pytest.raises(TooLarge, match="9,000,000 characters"):
            repository.submit(large, name="large", format="provjson")
        repository.submit(entity("a"), name="a", format="turtle")
        assert found(repository, "a")
        assert [info.name for info in repository.documents("default")] == ["a"]


@pytest.mark.parametrize("view", VIEWS)
def test_what_was_set_aside_is_said_of_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: type) -> None:
    name = view.__name__.lower()
    file = tmp_path / "b.ttl"
    file.write_bytes(entity("b"))
    data = tmp_path / "data"
    with provrepo.open(data) as repository:
        repository.create_project("default", public=True)
    with monkeypatch.context() as patch:
        failing(patch, view, lambda change: ValueError("no") if change.content else None)
        submitted = Command(data)("submit", file)
    assert f"set aside   by {name}" in submitted.stdout
    assert "index it" not in submitted.stderr
    assert f"version 1 set aside by {name}" in Command(data)("history", "default/b").stdout
    store = Store.open(Settings(data=data, min_free=0))
    try:
        client = create_app(store).test_client()
        here = "/projects/default/documents/b"
        assert client.get(f"{here}/metadata").get_json()["set_aside"] == [name]
        assert [v["set_aside"] for v in client.get(f"{here}/versions").get_json()["versions"]] == [[name]]
        assert client.get("/projects/default/documents").get_json()["documents"][0]["current"]["set_aside"] == [name]
        for path in (here, f"{here}/versions"):
            assert f"set aside by {name}" in client.get(path, headers={"Accept": "text/html"}).text
        Repository(store, store.owner()).rebuild()
        assert client.get(f"{here}/metadata").get_json()["set_aside"] == []
        for path in (here, f"{here}/versions"):
            assert "set aside" not in client.get(path, headers={"Accept": "text/html"}).text
    finally:
        store.close()


def test_what_another_process_set_aside_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "views" / "set-aside.json"
    holder, reader = SetAside(file), SetAside(file)
    assert reader.views("p", 1) == ()
    holder.add("p", 1, "quads", "no")
    assert reader.views("p", 1) == ("quads",)
    holder.add("p", 1, "content", "no")
    assert reader.views("p", 1) == ("every view",)
    holder.clear()
    assert reader.views("p", 1) == ()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("error", [ValueError("broken"), Damaged("broken"), OSError(errno.EACCES, "broken")], ids=repr)
def test_what_is_stored_is_acknowledged_where_the_views_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: type, error: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    file = tmp_path / "b.ttl"
    file.write_bytes(entity("b"))
    call = Command(tmp_path / "data")
    for name in "ac":
        call("submit", file, "--name", name)
    with monkeypatch.context() as patch:
        patch.setattr(view, "__init__", refuse)
        for arguments in (
            ["submit", file],
            ["submit", file],  # the same bytes again
            ["project", "set", "default", "--public"],
            ["withdraw", "default/a", "--reason", "why"],
            ["erase", "default/c@1", "--reason", "why"],
        ):
            result = call(*arguments)
            assert "broken" in result.stderr
        states = {name: call.json("history", f"default/{name}")[0]["state"] for name in "abc"}
        assert states == {"a": "withdrawn", "b": "current", "c": "erased"}
    # The next command applies all entries to the views.
    assert call.json("query", "--public", "SELECT (COUNT(*) AS ?n) { ?s a prov:Entity }") is not None
    with provrepo.open(tmp_path / "data") as repository:
        assert found(repository, "b")
        assert repository.waiting() == ""
        assert repository.fsck().sound


def test_the_command_line_checks_what_was_set_aside(tmp_path: Path) -> None:
    call = Command(tmp_path / "data")
    with provrepo.open(tmp_path / "data") as repository:
        sequence = repository.submit(entity("b"), name="b", format="turtle").version.sequence
        repository.context.store.set_aside.add("default", sequence, "quads", "no")
    assert f"entry default/{sequence} is set aside: quads: no" in call("fsck", code=1).stdout


def test_a_worker_that_cannot_be_started_is_no_fault_of_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provrepo.open(tmp_path / "data", follow=False) as repository:
        repository.submit(entity("b"), name="b", format="turtle")
    shutil.rmtree(tmp_path / "data" / "views", ignore_errors=True)
    with monkeypatch.context() as patch, provrepo.open(tmp_path / "data") as repository:
        patch.setattr(sys, "executable", str(tmp_path / "no python"))
        for views in (False, True):
            assert any("cannot start a worker process" in problem for problem in repository.fsck(views=views).problems)
        assert repository.context.store.health()["set_aside"] == {}
    with provrepo.open(tmp_path / "data") as repository:
        assert found(repository, "b")


def test_fsck_names_what_is_set_aside_while_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path / "data", follow=False) as repository:
        sequence = repository.submit(entity("b"), name="b", format="turtle").version.sequence
    shutil.rmtree(tmp_path / "data" / "views", ignore_errors=True)
    failing(monkeypatch, Quads, lambda change: ValueError("no") if change.content is not None else None)
    with provrepo.open(tmp_path / "data") as repository:
        problems = repository.fsck().problems
    assert any(f"entry default/{sequence} is set aside" in problem for problem in problems)
