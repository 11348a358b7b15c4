"""Each command at a distance, against servers that lie: one sentence that names the address, and nothing of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from provrepo.cli.main import cli
from provrepo.http_client import client
from tests.conftest import PROVJSON
from tests.support.lying import lying, response
from tests.support.sampling import sample

JSON, PROBLEM = {"Content_Type": "application/json"}, {"Content_Type": "application/problem+json"}
NAMES = (
    "projects",
    "documents",
    "versions",
    "results",
    "nodes",
    "things",
    "notices",
    "peers",
    "pushes",
    "profiles",
    "name",
)

COMMANDS: list[tuple[str, ...]] = [
    ("list",),
    ("history", "crops/d"),
    ("export", "crops/d", "--original"),
    ("export", "crops/d", "--to", "trig"),
    ("query", "ASK {}"),
    ("query", "SELECT * { ?s ?p ?o }", "--project", "crops", "--output", "csv"),
    ("lineage", "https://lab.example/x"),
    ("lineage", "https://lab.example/x", "--federated"),
    ("lineage", "https://lab.example/x", "--impact"),
    ("thing", "https://lab.example/x"),
    ("search", "x"),
    ("profile", "list"),
    ("profile", "metrics", "--project", "crops"),
    ("project", "list"),
    ("project", "show", "crops"),
    ("audit", "crops"),
    ("peers", "list"),
    ("pushes", "list"),
    ("notices", "list"),
    ("notices", "holders", "list"),
    ("review", "list"),
    ("pingbacks", "list", "crops"),
    ("submit", "FILE", "--project", "crops"),
    ("withdraw", "crops/d", "--reason", "x"),
    ("pack", "crops", "PACKAGE"),
]

LIES = {
    "closes": b"",
    "is none": b"\x00\xff SSH-2.0\x1b[2J\r\n\r\n",
    "a page": response(body=b"<html>secret</html>", Content_Type="text/html"),
    "nothing": response("204 No Content"),
    "an object": response(body=b"{}", **JSON),
    "a list": response(body=b"[]", **JSON),
    "null": response(body=b"null", **JSON),
    "texts": response(body=json.dumps(dict.fromkeys(NAMES, "secret\x1b[31m")).encode(), **JSON),
    "deep": response(body=b"[" * 100_000, **JSON),
    "cut": response(body=b'{"projects"', length=900, **JSON),
    "compressed": response(body=b"x", Content_Encoding="gzip", **JSON),
    "a redirect": response("302 Found", Location="http://169.254.169.254/latest/"),
    "a failure": response("500 Internal Server Error", b"secret trace", Content_Type="text/plain"),
    "a proxy": response("401 Unauthorized", b'{"title": "Sign in\\u001b[2J"}', **PROBLEM),
}
CASES = [(command, lie) for command in COMMANDS for lie in LIES]


@pytest.mark.parametrize(
    ("command", "lie"), sample(CASES, 60), ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_a_command_says_which_server_does_not_answer(
    command: tuple[str, ...], lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    files = {"FILE": tmp_path / "d.json", "PACKAGE": tmp_path / "crops.zip"}
    files["FILE"].write_bytes(PROVJSON)
    with lying(LIES[lie]) as server:
        words = [str(files.get(word, word)) for word in command]
        ran = CliRunner(env={"PROVREPO_TOKEN": "secret-token"}).invoke(cli, ["--data", server.url, *words])
        assert 1 <= len(server.requests) <= 3
    assert isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code in (1, 2)
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert server.url.rstrip("/") in last
    assert ran.stdout == ""
    assert "secret" not in ran.stderr
    assert ran.stderr.rstrip("\n").isprintable(), ran.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["d.json"]
