"""The files of documents: recording again never replaces one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from provrepo.capture import session, step
from provrepo.capture.commands.command import run
from provrepo.capture.journal.document import free_path, save_new
from provrepo.model.document import Document


@step
def write(text: str) -> None:
    Path("result.txt").write_text(text, "utf-8")


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_recording_again_keeps_the_first_document(caplog: pytest.LogCaptureFixture) -> None:
    kept = []
    with caplog.at_level(logging.WARNING, "provrepo.capture"):
        for number in range(3):
            with session("run", out="run.trig") as recorded:
                write(f"{number}")
            assert recorded.path is not None
            kept.append((recorded.path, recorded.path.read_bytes()))
    assert [path.name for path, _ in kept] == ["run.trig", "run-2.trig", "run-3.trig"]
    assert [path.read_bytes() for path, _ in kept] == [content for _, content in kept]
    assert f"{Path('run.trig').absolute()} exists; this recording is in {Path('run-2.trig').absolute()}" in caplog.text


def test_a_command_that_is_recorded_again_keeps_the_first_document() -> None:
    Path("run.ttl").write_text("not ours", "utf-8")
    assert run(["true"], [], [], Path("run.ttl")) == 0
    assert Path("run.ttl").read_text("utf-8") == "not ours"
    assert "true" in Path("run-2.ttl").read_text("utf-8")


def test_a_session_that_does_nothing_takes_no_name() -> None:
    for _ in range(2):
        with session("run", out="run.trig"):
            pass
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("a.trig", "a-2.trig"),
        ("a.rdf.jsonld", "a-2.rdf.jsonld"),
        (".a.ttl", ".a-2.ttl"),
        ("a", "a-2"),
        ("b.c.d", "b-2.c.d"),
    ],
)
def test_the_number_stands_before_the_suffixes(name: str, second: str) -> None:
    assert free_path(Path(name)) == Path(name)
    Path(name).touch()
    assert free_path(Path(name)) == Path(second)


def test_a_file_that_appears_meanwhile_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.trig").write_text("faster", "utf-8")
    monkeypatch.setattr("provrepo.capture.journal.document.free_path", lambda path: found.pop(0))
    found = [Path("a.trig").absolute(), Path("a-2.trig").absolute()]
    assert save_new(Document([]), Path("a.trig").absolute()).name == "a-2.trig"
    assert Path("a.trig").read_text("utf-8") == "faster"
