"""``provrepo serve`` as a process, and the verbs that talk to it: ``submit --to``, ``query --endpoint``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.conftest import PROVJSON, TURTLE
from tests.support.command import Command, environment, provrepo


@dataclass
class Served:
    """A served data directory."""

    url: str
    token: str
    data: Path
    work: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    work = tmp_path_factory.mktemp("served")
    command = Command(work / "data")
    command("project", "create", "crops", "--public")
    token = command("token", "create", "nightly", "--project", "crops").stdout.strip()
    (work / "run.json").write_bytes(PROVJSON)
    (work / "run.ttl").write_bytes(TURTLE)
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "--data", str(command.data), "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=work,
        env=environment(),
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if "http://127.0.0.1" in line)
    url = next(word for word in line.split() if word.startswith("http://"))
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    yield Served(url, token, command.data, work)
    process.terminate()
    assert process.wait(timeout=60) == 0
    drain.join()


def _submit(served: Served, file: str, *more: str, token: str | None = None) -> subprocess.CompletedProcess[bytes]:
    arguments = ("submit", file, "--to", served.url, "--project", "crops", *more)
    ran = provrepo(*arguments, cwd=served.work, PROVREPO_TOKEN=served.token if token is None else token)
    assert b"Traceback" not in ran.stderr
    return ran


def test_a_submission_arrives_and_can_be_asked_for(served: Served) -> None:
    ran = _submit(served, "run.json", "--name", "arrives", "--output", "json")
    assert ran.returncode == 0, ran.stderr
    receipt = json.loads(ran.stdout)
    assert (receipt["name"], receipt["version"], receipt["submitter"]) == ("arrives", 1, "nightly")
    with urllib.request.urlopen(f"{served.url}projects/crops/documents/arrives/original") as answer:
        assert answer.read() == PROVJSON
    asked = provrepo(
        "query", "ASK { ?s prov:used ?o }", "--endpoint", f"{served.url}projects/crops/sparql", cwd=served.work
    )
    assert (asked.returncode, asked.stdout) == (0, b"yes\n"), asked.stderr


def test_again_other_bytes_and_update(served: Served) -> None:
    assert _submit(served, "run.json", "--name", "again").stdout.startswith(b"crops/again@1 stored")
    assert _submit(served, "run.json", "--name", "again").stdout.startswith(b"crops/again@1 is these bytes already")
    taken = _submit(served, "run.ttl", "--name", "again")
    assert taken.returncode == 1
    assert b"the name again is taken by other bytes (version 1" in taken.stderr
    assert b"submit an update, or choose another name" in taken.stderr
    assert _submit(served, "run.ttl", "--name", "again", "--update").stdout.startswith(b"crops/again@2 stored")


def test_without_a_token_or_with_a_wrong_one(served: Served) -> None:
    for token, said in (("", b"a token for it is needed"), ("pvr_wrong_token", b"this token is unknown, expired or")):
        refused = _submit(served, "run.json", token=token)
        assert refused.returncode == 1
        assert refused.stderr.startswith(b"error: ")
        assert said in refused.stderr


@pytest.mark.parametrize("url", ["", "prov.example", "ftp://prov.example/", "https://u:secret@prov.example/"])
def test_what_is_no_server_is_no_data_directory_either(tmp_path: Path, url: str) -> None:
    (tmp_path / "run.json").write_bytes(PROVJSON)
    ran = provrepo("submit", "run.json", "--to", url, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"URL of a server" in ran.stderr
    assert b"secret" not in ran.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]


def test_a_refusal_brings_its_report(served: Served) -> None:
    from provrepo.resources import root

    refused = _submit(served, str(root() / "examples" / "incomplete.ttl"), "--profile", "core")
    assert refused.returncode == 1
    assert b"mystery.csv" in refused.stdout
    assert refused.stderr.startswith(b"error: ")


def test_an_empty_document_goes_where_that_is_asked(served: Served) -> None:
    (served.work / "nothing.ttl").write_text("# nothing\n")
    refused = _submit(served, "nothing.ttl")
    assert refused.returncode == 1
    assert b"--allow-empty" in refused.stderr
    stored = _submit(served, "nothing.ttl", "--allow-empty")
    assert stored.returncode == 0, stored.stderr
    assert b"1 warning" in stored.stdout


def test_what_the_server_cannot_read(served: Served) -> None:
    (served.work / "broken.json").write_bytes(PROVJSON[:-30])
    refused = _submit(served, "broken.json")
    assert refused.returncode == 2
    assert b"line " in refused.stderr


def test_beside_a_server_submissions_are_indexed_by_it(served: Served) -> None:
    ran = provrepo(
        "--data", served.data, "submit", "run.ttl", "--project", "crops", "--name", "beside", cwd=served.work
    )
    assert ran.returncode == 0, ran.stderr
    assert f"the running server ({served.url}) indexes it".encode() in ran.stderr
    again = provrepo(
        "--data", served.data, "submit", "run.ttl", "--project", "crops", "--name", "beside", cwd=served.work
    )
    assert again.stdout.startswith(b"crops/beside@1 is these bytes already\n")
    assert again.stderr == b"", "nothing was stored"
    asked = provrepo("--data", served.data, "query", "ASK {}", "--project", "crops", cwd=served.work)
    assert (asked.returncode, asked.stdout) == (0, b"yes\n"), asked.stderr


@pytest.fixture
def redirecting() -> Iterator[str]:
    """A server that sends everybody elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_does_not_follow_a_redirect(redirecting: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(PROVJSON)
    ran = provrepo("submit", "run.json", "--to", redirecting, cwd=tmp_path, PROVREPO_TOKEN="pvr_secret")
    assert ran.returncode == 1
    assert redirecting.encode() in ran.stderr
    assert b"redirects to http://127.0.0.1:9/" in ran.stderr
    assert b"pvr_secret" not in ran.stderr
