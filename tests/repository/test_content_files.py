"""Content files of submissions: none stays, whatever becomes of the submission."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.errors import Conflict, Damaged, Error, ReadError, Refused, WorkerFailed
from provrepo.repository.submission import checking, content_files, submit
from provrepo.views.extraction import extraction_file
from provrepo.views.sparql import store as of_quads
from provrepo.workers.pool import Pool
from tests.conftest import TURTLE
from tests.support.mirrored import copy


def entity(name: str) -> bytes:
    return f"document\nprefix ex <http://example.org/>\nentity(ex:{name})\nendDocument".encode()


def left(data: Path) -> list[str]:
    """The files of submissions below the spool."""
    return sorted(file.name for file in (data / "spool").rglob("*") if file.is_file() and file.suffix != ".lock")


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Do something once, while the next submission is with a worker."""
    run, done = submit.run_worker, []

    def worker(*arguments: Any) -> dict[str, Any]:
        if not done:
            done.append(True)
            work()
        return run(*arguments)

    monkeypatch.setattr(submit, "run_worker", worker)


def test_bytes_that_another_submits_at_the_same_time_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        meanwhile(monkeypatch, lambda: repository.submit(entity("a"), project="crops", name="d"))
        assert not repository.submit(entity("a"), project="crops", name="d").created
        assert left(tmp_path / "data") == []


def test_a_conflict_that_is_found_late_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        meanwhile(monkeypatch, lambda: repository.submit(entity("a"), project="crops", name="d"))
        with pytest.raises(Conflict):
            repository.submit(entity("b"), project="crops", name="d")
        assert left(tmp_path / "data") == []


def test_a_version_number_that_another_takes_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        meanwhile(monkeypatch, lambda: repository.submit(entity("a"), project="crops", name="d"))
        assert repository.submit(entity("b"), project="crops", name="d", update=True).version.version == 2
        assert left(tmp_path / "data") == []
        assert repository.query("ASK { <http://example.org/b> a prov:Entity }", project="crops").boolean


def test_a_base_iri_that_changes_meanwhile_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        meanwhile(monkeypatch, lambda: repository.init("https://prov.example/"))
        assert repository.submit(entity("a"), project="crops", name="d").indexed
        assert left(tmp_path / "data") == []
        assert repository.fsck(views=True).sound


@pytest.mark.parametrize("error", [Refused, WorkerFailed])
def test_a_submission_that_fails_after_its_quads_were_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Error]
) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")

        def fails(*arguments: Any) -> dict[str, Any]:
            target = Path(arguments[-1]["target"]["output"])
            extraction_file(target).write_text("{}")
            raise WorkerFailed("killed") if error is WorkerFailed else Refused("no", None)  # type: ignore[arg-type]

        monkeypatch.setattr(submit, "run_worker", fails)
        with pytest.raises(error):
            repository.submit(entity("a"), project="crops", name="d")
        assert left(tmp_path / "data") == []


def test_a_content_file_without_its_extraction_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = submit._Content.publish

    def incomplete(self: submit._Content, version: int) -> None:
        publish(self, version)
        extraction_file(self._expected).unlink()

    monkeypatch.setattr(submit._Content, "publish", incomplete)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        assert repository.submit(entity("a"), project="crops", name="d").indexed
        assert left(tmp_path / "data") == []
        assert repository.fsck(views=True).sound


def test_no_file_has_the_text_of_an_erased_document(tmp_path: Path) -> None:
    data, text = tmp_path / "data", "zqxsecretvk7734"
    with provrepo.open(data) as repository:
        repository.create_project("crops", public=True)
        repository.context.store.follower.start()
        repository.submit(entity("a"), project="crops", name="a")
        repository.submit(entity(text), project="crops", name="b")
        thing = f"<http://example.org/{text}>"
        asked = f"ASK {{ {{ {thing} ?p ?o }} UNION {{ GRAPH ?g {{ {thing} ?p ?o }} }} }}"
        assert repository.query(asked, project="crops").boolean
        assert repository.query(asked, public=True).boolean
        repository.erase("crops", "b", 1, reason="the law")
        assert _with(data, text) == []
        assert not repository.query(asked, project="crops").boolean
        assert not repository.query(asked, public=True).boolean
        assert repository.query("ASK { <http://example.org/a> ?p ?o }", public=True).boolean
        assert repository.fsck(views=True).sound


@pytest.mark.parametrize("before", ["withdrawn", "replaced", "made private"])
def test_no_file_has_the_text_of_an_erased_version_that_left_a_dataset_before(tmp_path: Path, before: str) -> None:
    data, text = tmp_path / "data", "zqxsecretvk7734"
    with provrepo.open(data) as repository:
        repository.create_project("other", public=True)
        repository.submit(entity("o"), project="other", name="o")
        repository.create_project("crops", public=True)
        repository.submit(entity(text), project="crops", name="b")
        if before == "withdrawn":
            repository.withdraw("crops", "b", reason="wrong")
        elif before == "replaced":
            repository.submit(entity("c"), project="crops", name="b", if_match="*")
        else:
            repository.set_project("crops", public=False)
        repository.erase("crops", "b", 1, reason="the law")
        assert _with(data, text) == []
        assert repository.query("ASK { <http://example.org/o> ?p ?o }", public=True).boolean
        assert repository.fsck(views=True).sound


def test_a_full_disk_delays_the_removal_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, text = tmp_path / "data", "zqxsecretvk7734"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with provrepo.open(data) as repository:
        repository.submit(entity(text), name="b")
        repository.submit(entity("a"), name="a")
        with monkeypatch.context() as patch:
            patch.setattr(of_quads, "copy_store", full)
            repository.erase("default", "b", 1, reason="the law")
            store = repository.context.store
            assert "disk is full" in str(store.health()["waiting"])
            assert _with(data / "views", text)
    # What a killed process left is completed by the next one.
    with provrepo.open(data) as repository:
        assert repository.query("ASK { <http://example.org/a> ?p ?o }", project="default").boolean
        assert _with(data, text) == []


def test_a_rebuild_writes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.submit(entity("a"), name="a")
        repository.submit(entity("b"), name="b")
        repository.erase("default", "b", 1, reason="the law")
        monkeypatch.setattr(of_quads, "copy_store", lambda *_: pytest.fail("nothing that was erased has been loaded"))
        repository.rebuild()


def _with(folder: Path, text: str) -> list[Path]:
    """The files below a folder that contain a text."""
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


# Large documents are checked by one worker while another writes the quads


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of the calls of workers. Every document counts as a large one."""
    found: list[dict[str, Any]] = []
    call = Pool.call

    def counted(pool: Pool, function: str, arguments: dict[str, Any], **options: Any) -> Any:
        if function.endswith("submission.worker:run"):
            found.append(arguments)
        return call(pool, function, arguments, **options)

    monkeypatch.setattr(Pool, "call", counted)
    monkeypatch.setattr(checking, "APART", 0)
    return found


def test_two_workers_do_what_one_does(tmp_path: Path, calls: list[dict[str, Any]]) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops", profiles=["core"])
        with pytest.raises(ReadError):
            repository.submit(b"document\nentity(\nendDocument", project="crops", name="broken")
        with pytest.raises(Refused) as refused:
            repository.submit(entity("a"), project="crops", name="incomplete", profiles=["pipeline"])
        assert not refused.value.report.conforms
        assert left(tmp_path / "data") == []
        assert {bool(call.get("target")) for call in calls} == {True, False}
        del calls[:]
        receipt = repository.submit(TURTLE, project="crops")
        assert sorted((call.get("check", True), bool(call.get("target"))) for call in calls) == [
            (False, True),
            (True, False),
        ]
        assert receipt.indexed
        assert receipt.report.conforms
        assert receipt.report.profiles == ("core/1.0",)
        empty = repository.submit(b"document\nendDocument", project="crops", name="empty", allow_empty=True)
        assert empty.indexed
        assert left(tmp_path / "data") == []
        assert repository.fsck(views=True).sound


def test_one_worker_does_all_where_the_others_are_busy(
    tmp_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        monkeypatch.setattr(Pool, "free", lambda _: 1)
        assert repository.submit(entity("a"), project="crops", name="d").indexed
        assert len(calls) == 1


def test_a_worker_that_fails_to_write_the_quads_fails_the_submission(
    tmp_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Pool.call

    def fails(pool: Pool, function: str, arguments: dict[str, Any], **options: Any) -> Any:
        if arguments.get("target"):
            raise WorkerFailed("killed")
        return counted(pool, function, arguments, **options)

    monkeypatch.setattr(Pool, "call", fails)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        with pytest.raises(WorkerFailed):
            repository.submit(entity("a"), project="crops", name="d")
        assert repository.documents("crops") == []
        assert left(tmp_path / "data") == []
        assert calls


def test_a_document_at_fault_takes_no_other_with_it(tmp_path: Path) -> None:
    """Several are derived in one call of a worker; the reason of a failure comes from a call for one."""
    with provrepo.open(tmp_path / "data", follow=False) as repository:
        for name in ("a", "b", "c"):
            repository.submit(entity(name), name=name)
        store = repository.context.store
        entries = [entry for entry in store.ledger.entries("default") if entry.kind == "submit"]
        damaged, erased = (store.blobs.path(entry.body["blob"]) for entry in entries[:2])
        damaged.chmod(0o600)
        damaged.write_bytes(damaged.read_bytes().replace(b"ex:a", b"ex:z"))
        folder, minter = tmp_path / "derived", store.minter()
        folder.mkdir()
        found = content_files.derive_several(store, entries, folder, minter)
        assert found == [folder / content_files.name_of(entry, minter) for entry in entries[1:]]
        assert {file.suffix for file in folder.iterdir()} == {".nq", ".json"}
        assert len(list(folder.iterdir())) == 4
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        with pytest.raises(Damaged):
            content_files.derive(store, entries[0], folder, minter)
        assert content_files.derive_several(store, entries[1:], folder, minter) == found
        erased.unlink()
        assert content_files.derive_several(store, entries[1:], tmp_path / "data" / "spool", minter) == [
            tmp_path / "data" / "spool" / found[1].name
        ]
        for file in found:
            file.unlink()
        assert content_files.derive(store, entries[1], folder, minter) is None
        alone = content_files.derive(store, entries[2], folder, minter)
        assert alone == found[1]
        assert {name: (folder / name).read_bytes() for name in (alone.name, extraction_file(alone).name)} == {
            name: before[name] for name in (alone.name, extraction_file(alone).name)
        }


def test_a_worker_that_dies_of_several_documents_leaves_them_to_the_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provrepo.open(tmp_path / "there") as there, provrepo.open(tmp_path / "here") as here:
        there.create_project("crops")
        for name in ("a", "b", "c"):
            there.submit(entity(name), project="crops", name=name)
        call, failed = Pool.call, []

        def dying(pool: Pool, function: str, arguments: dict[str, Any], **options: Any) -> Any:
            if function.endswith(":run_several"):
                failed.append(len(arguments["calls"]))
                raise WorkerFailed("out of memory")
            return call(pool, function, arguments, **options)

        monkeypatch.setattr(Pool, "call", dying)
        copy(here, there)
        assert failed == [3]
        assert here.query("ASK { <http://example.org/c> a prov:Entity }", project="copy").boolean
        assert here.fsck(views=True).sound
        assert left(tmp_path / "here") == []
