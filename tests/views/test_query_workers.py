"""Queries run in worker processes, on checkpoints, with limits and without network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from provrepo.errors import AnswerTooLarge, QueryError, TimedOut, UsageError, WorkerFailed
from provrepo.repository.repository import Repository
from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from provrepo.views.sparql.checkpoints import Checkpoints
from provrepo.workers import network
from provrepo.workers.pool import Pool
from tests.conftest import PROVJSON
from tests.support.worker_reuse import ended_with_their_pool

RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n0 ?o . ?p ?q ?r }"
"""A query that does not end in time and is killed. Benchmarks measure how soon."""

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space need Linux")


def settings(data: Path, **more: object) -> Settings:
    return replace(Settings(data=data, workers=1, query_workers=2, query_rows=50, query_bytes=200_000), **more)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with open_repository(settings=settings(tmp_path / "data")) as repository:
        repository.submit(PROVJSON, name="run")
        yield repository


def _children() -> set[int]:
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if "workers.child" in line}


def _checkpoints(repository: Repository) -> Path:
    return repository.settings.data / "views" / "quads-checkpoints"


def test_a_query_after_a_submission_finds_its_content(repository: Repository) -> None:
    for number in range(5):
        document = f"document prefix e <https://example.org/> entity(e:n{number}) endDocument"
        repository.submit(document.encode(), name="changing", update=True, format="provn")
        found = repository.query("SELECT ?s { ?s a prov:Entity FILTER(STRSTARTS(STR(?s), 'https://example.org/n')) }")
        assert [row["s"] for row in found] == [f"https://example.org/n{number}"]
    repository.withdraw("default", "changing", reason="done")
    assert not repository.query("ASK { <https://example.org/n4> ?p ?o }")


def test_only_checkpoints_in_use_are_kept(repository: Repository) -> None:
    for number in range(4):
        repository.query("ASK {}")
        document = f"document prefix e <urn:> entity(e:n{number}) endDocument"
        repository.submit(document.encode(), name=f"n{number}", format="provn")
    repository.query("ASK {}")
    assert len(list((_checkpoints(repository) / "default").iterdir())) == 1


def test_closing_ends_processes_and_removes_checkpoints(tmp_path: Path) -> None:
    before = _children()
    with ended_with_their_pool(), open_repository(settings=settings(tmp_path / "data")) as repository:
        repository.submit(PROVJSON, name="run")
        repository.query("ASK {}")
        assert _children() - before
    assert _children() - before == set()
    assert not _checkpoints(repository).exists()


def test_checkpoints_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    left = tmp_path / "checkpoints" / "crops" / "7"
    left.mkdir(parents=True)
    (left / "CURRENT").write_text("x")
    Checkpoints(tmp_path / "checkpoints")
    assert not left.exists()


def test_a_query_is_killed_at_its_deadline(repository: Repository) -> None:
    repository.query("ASK {}")
    with pytest.raises(TimedOut, match="longer than 1 second"):
        repository.query(RUNAWAY, timeout=1)
    assert repository.query("ASK { ?s ?p ?o }")


def test_the_settings_limit_the_timeout_of_a_caller(tmp_path: Path) -> None:
    with open_repository(settings=settings(tmp_path / "data", query_timeout=0.7)) as repository:
        repository.submit(PROVJSON, name="run")
        with pytest.raises(TimedOut, match=r"longer than 0\.7 s"):
            repository.query(RUNAWAY, timeout=100)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_positive(repository: Repository, timeout: float) -> None:
    with pytest.raises(UsageError):
        repository.query("ASK {}", timeout=timeout)


def test_an_abandoned_query_ends(repository: Repository) -> None:
    gone = threading.Event()
    threading.Timer(0.3, gone.set).start()
    with pytest.raises(WorkerFailed, match="no longer needed"):
        repository.query(RUNAWAY, abandoned=gone.is_set)


@LINUX
def test_memory_has_a_limit(tmp_path: Path) -> None:
    text = "BIND('" + "x" * 1000 + "' AS ?v0) "
    text += " ".join(f"BIND(CONCAT(?v{i}, ?v{i}) AS ?v{i + 1})" for i in range(24))
    with open_repository(settings=settings(tmp_path / "data", query_memory=1000)) as repository:
        repository.submit(PROVJSON, name="run")
        with pytest.raises(WorkerFailed, match="memory"):
            repository.query(f"SELECT (STRLEN(?v24) AS ?n) {{ {text} }}", timeout=20)
        assert repository.query("ASK { ?s ?p ?o }")


def test_an_answer_with_too_many_rows_is_an_error(repository: Repository) -> None:
    values = " ".join(str(n) for n in range(50))
    assert len(repository.query(f"SELECT ?n {{ VALUES ?n {{ {values} }} }}")) == 50
    with pytest.raises(AnswerTooLarge, match="more than 50 rows"):
        repository.query(f"SELECT ?n {{ VALUES ?n {{ {values} 50 }} }}")
    with pytest.raises(AnswerTooLarge, match="more than 50 rows"):
        repository.query(f"CONSTRUCT {{ <urn:a> <urn:b> ?n }} {{ VALUES ?n {{ {values} 50 }} }}")
    # A line break within a string is not the end of a row.
    text = "},{" * 100
    assert len(repository.query(f'SELECT ?n {{ VALUES ?n {{ "{text}" }} }}')) == 1


def test_an_answer_with_too_many_bytes_is_an_error(repository: Repository) -> None:
    with pytest.raises(AnswerTooLarge, match="larger than 200,000 bytes"):
        repository.query(
            f"SELECT ?a ?b ?c {{ VALUES ?a {{ '{'x' * 50_000}' }} BIND(CONCAT(?a, ?a) AS ?b) "
            "BIND(CONCAT(?b, ?b) AS ?c) }"
        )


def test_a_long_answer_goes_through_a_file_that_is_removed(tmp_path: Path) -> None:
    with open_repository(settings=settings(tmp_path / "data", query_bytes=10_000_000)) as repository:
        repository.init()
        long = "x" * 60_000
        found = repository.query(f"SELECT ?a ?b {{ VALUES ?a {{ '{long}' }} BIND(CONCAT(?a, ?a, ?a, ?a, ?a) AS ?b) }}")
        assert found.rows[0]["b"].lexical == long * 5
        assert list(_checkpoints(repository).glob("answer-*")) == []


def test_errors_have_line_and_column(repository: Repository) -> None:
    with pytest.raises(QueryError) as caught:
        repository.query("SELECT * WHERE {\n ?s ?p }")
    assert (caught.value.line, caught.value.column) == (2, 9)


# No network.


class Listener:
    """Counts connections to a port of this machine."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"

    def connections(self) -> int:
        count = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except TimeoutError:
                return count
            count += 1


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


CALLS = [
    "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { SERVICE SILENT <URL> { ?s ?p ?o } }",
    "SELECT * { service<URL>{ ?s ?p ?o } }",
    "PREFIX ex: <URL> SELECT * { SERVICEex:x{ ?s ?p ?o } }",
    "PREFIX : <URL> SELECT * { SERVICE:x{ ?s ?p ?o } }",
    "SELECT * { BIND(<URL> AS ?u) SERVICE ?u { ?s ?p ?o } }",
    "SELECT * { VALUES ?u { <URL> } SeRvIcE?u{ ?s ?p ?o } }",
    "SELECT * { #\nSERVICE#\n<URL>#\n{ ?s ?p ?o } }",
    "SELECT * { FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { OPTIONAL { SERVICE SILENT <URL> { ?s ?p ?o } } }",
    "SELECT * { FILTER(1<2) SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { FILTER(?a<'x' && ?b>'y') SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * FROM <URL> { ?s ?p ?o }",
    "SELECT * FROM NAMED <URL> { GRAPH ?g { ?s ?p ?o } }",
    "SELECT * { GRAPH <URL> { ?s ?p ?o } }",
    "LOAD <URL>",
    "LOAD SILENT <URL> INTO GRAPH <urn:g>",
    "\\u004COAD <URL>",
    "SELECT * { \\u0053ERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { SERVIC\\u0045 <URL> { ?s ?p ?o } }",
    "INSERT { ?s ?p ?o } WHERE { SERVICE <URL> { ?s ?p ?o } }",
    "DESCRIBE <URL>",
]


@pytest.mark.parametrize("query", CALLS)
def test_no_query_connects_to_a_server(repository: Repository, listener: Listener, query: str) -> None:
    try:
        repository.query(query.replace("URL", listener.url), timeout=5)
    except QueryError:
        pass
    assert listener.connections() == 0


@pytest.mark.skipif(not network.available(), reason="this system cannot take the network from a process")
@pytest.mark.parametrize("query", [query for query in CALLS if "SERVICE" in query.upper()])
def test_the_kernel_refuses_connections_that_the_guard_does_not_find(
    tmp_path: Path, listener: Listener, query: str
) -> None:
    with Pool(1, 2048) as pool:
        # Without the guard, as if it had not found the clause.
        arguments = {"query": query.replace("URL", listener.url)}
        with suppress(WorkerFailed):
            pool.call("tests.views.test_query_workers:unguarded", arguments, timeout=60)
    assert listener.connections() == 0


def unguarded(query: str) -> int:
    import pyoxigraph

    result = pyoxigraph.Store().query(query)
    return len(list(result)) if isinstance(result, pyoxigraph.QuerySolutions) else 0


def test_the_listener_counts_connections(listener: Listener) -> None:
    script = f"import pyoxigraph; pyoxigraph.Store().query('SELECT * {{ SERVICE <{listener.url}> {{ ?s ?p ?o }} }}')"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as process:
        listener.socket.settimeout(20)
        listener.socket.accept()[0].close()
        process.kill()


@pytest.mark.skipif(not network.available(), reason="this system cannot take the network from a process")
def test_no_worker_can_have_a_socket() -> None:
    with Pool(1) as pool:
        assert pool.call("tests.views.test_query_workers:attempts", {}, timeout=60) == ["EPERM"] * 3


def attempts() -> list[str]:
    import errno

    found = []
    for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM)):
        try:
            socket.socket(family, kind).close()
        except OSError as error:
            found.append(errno.errorcode[error.errno or 0])
    # Processes that a worker starts have the same filter.
    script = "import socket\ntry: socket.socket()\nexcept PermissionError: print('EPERM')"
    found.append(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    )
    return found
