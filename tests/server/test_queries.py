"""Queries on a server whose client disconnects, or which is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from tests.conftest import PROVJSON
from tests.support.command import environment
from tests.views.test_query_workers import RUNAWAY

PATH = "/sparql?query="


class Served:
    """A process of ``provrepo serve`` with one query worker."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with open_repository(settings=Settings(data=data, workers=1)) as repository:
            repository.create_project("open", public=True)
            repository.submit(PROVJSON, project="open", name="run")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "provrepo", "--data", str(data), "serve", "--port", "0"],
            env=environment(PROVREPO_QUERY_WORKERS="1", PROVREPO_WORKERS="1", PROVREPO_QUERY_TIMEOUT="600"),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            found = re.search(r"serves .* at (http://127\.0\.0\.1:(\d+)/)", line)
            if found:
                self.url, self.port = found.group(1), int(found.group(2))
                return
        raise AssertionError("the server did not start")

    def ask(self, query: str) -> bytes:
        with urlopen(self.url.rstrip("/") + PATH + quote(query), timeout=120) as answer:
            found: bytes = answer.read()
        return found

    def run_away(self) -> socket.socket:
        """Send a query that does not end, and leave the connection open."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall(f"GET {PATH}{quote(RUNAWAY)}&timeout=600 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(1)
        return connection


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "data")
    yield served
    served.process.kill()
    served.process.wait()
    assert served.process.stderr is not None
    served.process.stderr.close()


def test_a_query_ends_when_its_client_disconnects(served: Served) -> None:
    assert b"true" in served.ask("ASK { ?s ?p ?o }")
    served.run_away().close()
    # There is one worker, and the query would have kept it for ten minutes: until it is free again, this is 503.
    for _ in range(60):
        with suppress(HTTPError):
            assert b"true" in served.ask("ASK { ?s ?p ?o }")
            return
        time.sleep(1)
    raise AssertionError("the query goes on")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_killed_server_leaves_no_process_and_cleans_up_at_the_next_start(served: Served) -> None:
    served.ask("ASK {}")
    connection = served.run_away()
    workers = _children(served.process.pid)
    assert workers
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    connection.close()
    deadline = time.monotonic() + 60
    while (left := [pid for pid in workers if _alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    checkpoints = served.data / "views" / "quads-checkpoints"
    assert list(checkpoints.rglob("CURRENT"))
    with open_repository(settings=Settings(data=served.data, workers=1)) as repository:
        assert repository.query("ASK { ?s ?p ?o }", public=True)
        assert len(list(checkpoints.rglob("CURRENT"))) == 1


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, ValueError):
        return False
