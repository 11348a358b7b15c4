"""Sources of ``provrepo import``: URLs, and folders and files that are followed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import provrepo
from provrepo.cli.imports.following import PATIENCE, Follower
from provrepo.errors import Busy, Error, ReadError
from tests.importers.test_import import RUNS, both, lines, names
from tests.support.command import Command, environment

PAGES = {"/in/events.jsonl": lines(*both(0)), "/in/events?run=1&x=": lines(*both(1)), "/in/big.jsonl": b" " * 5000}


class Handler(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        if self.path == "/in/moved":
            self.send_response(302)
            self.send_header("Location", "/in/events.jsonl")
            self.end_headers()
            return
        data = PAGES.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Recording", (Handler,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PROVREPO_TOKEN", "pvr_0123456789abcdef_" + "x" * 43)
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_a_url_is_imported_as_it_was_named(tmp_path: Path, web: tuple[str, list[tuple[str, str | None]]]) -> None:
    url, asked = web
    command = Command(tmp_path / "data")
    assert f"run-{RUNS[0]}@1 stored" in command("import", f"{url}/in/events.jsonl").stdout
    assert f"run-{RUNS[1]}@1 stored" in command("import", f"{url}/in/events?run=1&x=").stdout
    assert asked == [("/in/events.jsonl", None), ("/in/events?run=1&x=", None)], "no token goes there"


def test_what_is_not_imported_from_a_url(
    tmp_path: Path, web: tuple[str, list[tuple[str, str | None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = web
    command = Command(tmp_path / "data")
    assert "redirects are not followed" in command.error("import", f"{url}/in/moved", code=1)
    assert asked == [("/in/moved", None)]
    assert "404" in command.error("import", f"{url}/none", code=1)
    monkeypatch.setenv("PROVREPO_MAX_BODY", "4000")
    assert "more than 4000 bytes" in command.error("import", f"{url}/in/big.jsonl", code=1)
    for other in ("ftp://h/x", "file:///etc/passwd", "gopher://h/", "//h/x"):
        assert command.error("import", other, code=2)
    assert not (tmp_path / "data").exists()


class Watched:
    """A follower, and what it imported."""

    def __init__(self, place: Path) -> None:
        self.stored: list[str] = []
        self.failures: list[str] = []
        self.problem: Error | None = None
        self.follower = Follower(place, self.store, lambda path, error: self.failures.append(f"{path.name}: {error}"))

    def store(self, _: Path, inside: str) -> None:
        if self.problem is not None:
            raise self.problem
        self.stored.append(inside)

    def looks(self, count: int = 2) -> list[str]:
        self.stored.clear()
        for _ in range(count):
            self.follower.look()
        return list(self.stored)


def test_files_are_imported_once_they_rest_and_when_they_change(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a.jsonl", "deep/b.jsonl", ".hidden/c.jsonl", ".d.jsonl"):
        (tmp_path / name).write_text("1")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "a.jsonl")
    assert watched.looks(1) == [], "it may be half"
    assert watched.looks(1) == ["a.jsonl", "deep/b.jsonl"]
    assert watched.looks(3) == []
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("2")
    assert watched.looks() == ["a.jsonl"]
    new = tmp_path / "deep" / ".new"
    new.write_text("1")
    os.utime(new, ns=((tmp_path / "deep" / "b.jsonl").stat().st_mtime_ns,) * 2)
    new.replace(tmp_path / "deep" / "b.jsonl")
    assert watched.looks() == ["deep/b.jsonl"], "another file of the same size and time"
    (tmp_path / "a.jsonl").unlink()
    assert watched.looks() == []
    (tmp_path / "a.jsonl").write_text("1")
    assert watched.looks() == ["a.jsonl"]


def test_a_file_that_never_rests_is_imported_now_and_then(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    path, imported = tmp_path / "log.jsonl", []
    for number in range(3 * PATIENCE):
        with path.open("a") as file:
            file.write(f"{number}\n")
        imported += watched.looks(1)
    assert 2 <= len(imported) <= 3


def test_an_error_of_one_file_does_not_end_the_following(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    (tmp_path / "a.txt").write_text("1")
    watched.problem = ReadError("not recognized")
    assert watched.looks(4) == []
    assert watched.failures == ["a.txt: not recognized"], "told once"
    (tmp_path / "b.txt").write_text("1")
    watched.problem = Busy("all workers are busy")
    assert watched.looks(3) == []
    assert watched.failures[1:] == ["b.txt: all workers are busy"] * 2
    watched.problem = None
    assert watched.looks(1) == ["b.txt"]


def test_documents_of_a_followed_folder_have_the_names_of_an_import(tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    text = "document\nprefix e <http://e/>\nentity(e:x)\nendDocument"
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "run.provn").write_text(text)
    repository.import_documents(tmp_path / "in")
    before = names(repository)
    assert [name for name, _ in before] == ["a-run", "b-run"]
    for name in ("a", "b"):
        repository.import_documents(tmp_path / "in" / name / "run.provn", file=f"{name}/run.provn")
    assert names(repository) == before


def test_following_is_killed_and_started_again(tmp_path: Path) -> None:
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    (folder / "1.jsonl").write_bytes(lines(both(0)[0]))
    (folder / "notes.txt").write_text("notes")
    repository = provrepo.open(data)
    repository.init()
    for number, expected in ((0, 1), (1, 2)):
        process = follow(data, folder)
        try:
            if number:
                with (folder / "1.jsonl").open("ab") as file:
                    file.write(lines(both(0)[1]))
            wait(lambda expected=expected: names(repository) == [(f"run-{RUNS[0]}", expected)])  # type: ignore[misc]
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert [version.version for version in repository.history("default", f"run-{RUNS[0]}")] == [1, 2]


def follow(data: Path, folder: Path) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "provrepo", "--data", str(data), "import", str(folder), "--follow"]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())


def wait(reached: object) -> None:
    assert callable(reached)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if reached():
            return
        time.sleep(0.1)
    raise AssertionError("it was not imported")
