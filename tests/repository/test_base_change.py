"""A base IRI that changes while a server has readers: they get answers of one base IRI, or are asked to try again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Busy
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.checkpoints import Checkpoints
from provrepo.views.sparql.store import Quads

ASK = "ASK { <http://example.org/e> a prov:Entity }"
DOCUMENT = b"document\nprefix ex <http://example.org/>\nentity(ex:e)\nendDocument"


def test_no_reader_gets_an_answer_before_all_is_indexed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.repository.upkeep.follower.INTERVAL", 3600.0)
    with provrepo.open(tmp_path / "data") as repository:
        repository.create_project("crops")
        follower = repository.context.store.follower
        follower.start()
        repository.submit(DOCUMENT, project="crops", name="d")
        update: Callable[[str], None] = follower._update
        asked: list[str] = []

        def updating(project: str) -> None:
            for _ in range(2):
                with pytest.raises(Busy, match="base IRI was changed"):
                    repository.query(ASK, project="crops")
            asked.append(project)
            update(project)

        monkeypatch.setattr(follower, "_update", updating)
        repository.init("https://prov.example/")
        follower.catch_up()
        assert asked
        assert repository.query(ASK, project="crops").boolean


def test_a_reader_of_a_view_that_was_replaced_is_asked_to_try_again(tmp_path: Path) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.apply("crops", ChangeStream(tmp_path).submit("a", ["<urn:a> <urn:b> <urn:c>"]))
    view.close(forever=True)
    again = Quads(tmp_path / "view", base=BASE)
    with pytest.raises(Busy, match="built again"):
        view.query("crops", "ASK { <urn:a> <urn:b> <urn:c> }")
    assert again.query("crops", "ASK { <urn:a> <urn:b> <urn:c> }").boolean
    again.close()


def test_a_checkpoint_that_is_being_created_is_complete_before_all_are_removed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    started, go_on = threading.Event(), threading.Event()
    seen: list[bool] = []

    def make(path: Path) -> bool:
        path.mkdir()
        started.set()
        assert go_on.wait(30)
        seen.append(path.is_dir())
        return True

    def read() -> None:
        with checkpoints.use("crops", make) as path:
            seen.append(path is not None and path.is_dir())

    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(30)
    closing = threading.Thread(target=lambda: checkpoints.close(forever=True))
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    go_on.set()
    reader.join()
    closing.join()
    assert seen == [True, True]
    assert not checkpoints.root.exists()
    with pytest.raises(Busy), checkpoints.use("crops", make):
        pass
