"""A server that is not there, refuses, fails, lies, or is no provrepo server: one sentence, and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provrepo import errors, problems
from provrepo.cli.main import cli
from provrepo.http_client import client
from tests.support.command import environment
from tests.support.distance import RUN
from tests.support.lying import LyingServer, lying, response

TOKEN = "pvr_secret_token"
JSON = {"Content_Type": "application/json"}
PROBLEM = {"Content_Type": problems.MEDIA_TYPE}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)


def _run(url: str, *arguments: object, **variables: str) -> Result:
    """Run a command on a server; nothing is on stdout, and at most one line on stderr."""
    found = CliRunner(env={"PROVREPO_TOKEN": TOKEN, **variables}).invoke(cli, ["--data", url, *map(str, arguments)])
    assert "Traceback" not in found.output
    assert TOKEN not in found.output
    assert len(found.stderr.splitlines()) <= 1, found.stderr
    return found


def _problem(status: int, name: str, **members: object) -> bytes:
    body = {"type": problems.TYPES + name, "title": "T", "status": status, "detail": "the detail", **members}
    return response(f"{status} X", json.dumps(body).encode(), **PROBLEM)


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = _run(f"http://127.0.0.1:{port}", "list")
    assert found.stderr == f"error: cannot reach http://127.0.0.1:{port}/: connection refused\n"
    assert (found.exit_code, found.stdout) == (1, "")


@pytest.mark.parametrize(
    ("answer", "text", "code"),
    [
        (_problem(401, "unauthorized"), "the detail", 1),
        (_problem(403, "denied"), "the detail", 1),
        (_problem(404, "not-found"), "the detail", 1),
        (_problem(413, "too-large"), "the detail", 2),
        (_problem(422, "refused"), "the detail (without a readable report)", 1),
        (_problem(429, "rate"), "the detail", 1),
        (_problem(503, "busy"), "the detail", 1),
        (_problem(500, "error"), "the detail", 1),
        (_problem(507, "no-space"), "the detail", 1),
        (_problem(499, "from-the-future"), "the detail", 1),
        (response("404 Not Found", b"<html>", Content_Type="text/html"), "is the address right?", 1),
        (response("200 OK", b"<html>", Content_Type="text/html"), "is it the address of a provrepo server?", 1),
        (response(body=b"{}", **JSON), "is it a provrepo server of the same version?", 1),
        (response(body=b'{"projects": 3}', **JSON), "is it a provrepo server of the same version?", 1),
        (response(body=b'{"projects": [{"name": "x"}]}', **JSON), "ProjectInfo.public is missing", 1),
        (response("302 Found", Location="http://169.254.169.254/"), "redirects to http://169.254.169.254/", 1),
        (response("503 Down"), "answered 503 Service Unavailable", 1),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "sent an invalid or incomplete answer", 1),
        (response(body=b"{", length=100, **JSON), "sent an invalid or incomplete answer", 1),
    ],
)
def test_answers_of_other_kinds(answer: bytes, text: str, code: int) -> None:
    with lying(answer) as server:
        found = _run(server.url, "project", "list")
    assert (found.exit_code, found.stdout) == (code, "")
    assert text in found.stderr
    assert found.stderr.startswith("error: ")


def test_a_list_that_does_not_go_on_ends() -> None:
    page = {"projects": [{"name": "same", "public": True}] * 1000}
    with lying(response(body=json.dumps(page).encode(), **JSON)) as server:
        found = _run(server.url, "project", "list")
    assert (found.exit_code, "the list of projects does not go on" in found.stderr) == (1, True)


def test_other_bytes_than_the_digest_are_refused() -> None:
    version = {
        **dict.fromkeys(("iri", "format", "base", "time", "actor", "submitter", "verdict", "software"), "x"),
        **{"project": "p", "name": "d", "version": 1, "sequence": 1, "sha256": "0" * 64, "size": 1, "statements": 1},
        **{"layers": [], "profiles": []},
    }
    with lying(response(body=json.dumps(version).encode(), **JSON), response(body=b"other")) as server:
        found = _run(server.url, "export", "p/d")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "sent other bytes than those of p/d@1" in found.stderr


def test_control_characters_of_a_server_are_not_printed() -> None:
    with lying(_problem(403, "denied", detail="a\x1b]0;title\x07b")) as server:
        found = _run(server.url, "list")
    assert found.stderr == "error: a<U+001B>]0;title<U+0007>b\n"


@pytest.mark.parametrize(
    "url",
    ["http://", "https://ada:secret@prov.example/", "http://prov.example/?token=secret", "http://[/", "http://a:b"],
)
def test_urls_that_are_none(url: str) -> None:
    found = _run(url, "list")
    assert (found.exit_code, "secret" in found.output) == (2, False)
    assert "URL of a server" in found.stderr


def test_the_environment_and_the_file_name_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = response(body=b'{"projects": []}', **JSON)
    with lying(page) as server, lying(page) as other:
        Path("provrepo.toml").write_text(f'data = "{server.url}repo"\ntoken = "{TOKEN}"\n')
        assert CliRunner().invoke(cli, ["project", "list"]).exit_code == 0
        assert b"GET /repo/projects?" in server.requests[0]
        assert f"Bearer {TOKEN}".encode() in server.requests[0]
        runner = CliRunner(env={"PROVREPO_DATA": other.url})
        assert runner.invoke(cli, ["project", "list"]).exit_code == 0
        assert runner.invoke(cli, ["--data", server.url, "project", "list"]).exit_code == 0
        assert (len(server.requests), len(other.requests)) == (2, 1)


def test_a_token_that_is_none() -> None:
    found = CliRunner(env={"PROVREPO_TOKEN": "sec ret"}).invoke(cli, ["--data", "http://127.0.0.1:1/", "list"])
    assert (found.exit_code, "sec ret" in found.output) == (2, False)
    assert "is not a token" in found.stderr


def test_a_submission_is_sent_once_if_its_answer_is_lost(tmp_path: Path) -> None:
    (tmp_path / "run.provn").write_bytes(RUN)
    with lying(b"") as server:
        found = _run(server.url, "submit", tmp_path / "run.provn")
        assert len(server.requests) == 1
    assert (found.exit_code, found.stdout) == (1, "")


def test_a_server_of_another_version_says_so(tmp_path: Path) -> None:
    (tmp_path / "run.provn").write_bytes(RUN)
    with lying(response("201 Created", b'{"version": "one"}', **JSON)) as server:
        found = _run(server.url, "submit", tmp_path / "run.provn")
    assert (found.exit_code, "is it a provrepo server of the same version?" in found.stderr) == (1, True)


def test_ctrl_c_ends_a_command_that_waits(tmp_path: Path) -> None:
    asked = threading.Event()

    def silent(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        asked.set()
        server.gone.wait(120)

    with lying(silent) as server:
        command = [sys.executable, "-m", "provrepo", "--data", server.url, "list"]
        process = subprocess.Popen(command, env=environment(), cwd=tmp_path, stdout=-1, stderr=-1, text=True)
        assert asked.wait(120)
        os.kill(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert (process.returncode, out, error.strip()) == (130, "", "")


def test_errors_of_the_connection_have_a_class() -> None:
    assert issubclass(errors.Unreachable, errors.RemoteError)
