"""URLs and databases on servers that a step reads: what is known of them, and no secret."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import sys
import threading
import types
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from provrepo.capture import session, step
from provrepo.capture.child.provrepo_libraries.databases import psycopg, sqlalchemy
from provrepo.model.statements import ASSOCIATION, GENERATION, SPECIALIZATION, USAGE, Statement
from provrepo.vocab import PROV_LOCATION, PROV_VALUE, PROVREPO, SCHEMA
from tests.support.captured import Captured
from tests.support.command import provrepo

DATA = b"crop,yield\noats,3\n" * 50


class Handler(BaseHTTPRequestHandler):
    """A server of data in several ways."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/old.csv":
            self.send_response(302)
            self.send_header("Location", "/data.csv?token=SECRET")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/chunks.csv":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (DATA[:10], DATA[10:], b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        elif path == "/missing.csv":
            self.send_error(404)
        else:
            data = gzip.compress(DATA, mtime=0) if path == "/packed.csv" else DATA
            self.send_response(200)
            self.send_header("ETag", '"v1"')
            self.send_header("Last-Modified", "Sat, 28 Nov 2026 10:00:00 GMT")
            self.send_header("Content-Type", "text/csv")
            self.send_header("x-amz-version-id", "7")
            if path == "/packed.csv":
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_PUT()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def whole(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        found: bytes = answer.read()
        return found


def by_parts(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return b"".join(iter(lambda: answer.read(100), b""))


def by_lines(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        return b"".join(answer)


def into(url: str) -> bytes:
    urllib.request.urlretrieve(url, "copy.csv")
    return Path("copy.csv").read_bytes()


def by_httpx(url: str) -> bytes:
    return httpx.get(url, follow_redirects=True).content


def record(work: Any) -> Captured:
    with session("run", out="run.trig"):
        step("fetch")(work)()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert "SECRET" not in Path("run.trig").read_text()
    return found


def resource(found: Captured) -> Statement:
    (one,) = [s for s in found.document if s.kind.element and any("://" in v for v in found.values(s, PROV_LOCATION))]
    return one


READERS = [whole, by_parts, by_lines, into, by_httpx]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("name", ["data.csv", "chunks.csv"])
def test_a_url_is_a_source_with_the_digest_of_what_was_read(url: str, name: str, read: Any) -> None:
    found = record(lambda: read(f"{url}/{name}") == DATA or pytest.fail("other data"))
    one = resource(found)
    assert ("fetch", name) in found.used
    assert name in found.sources()
    assert found.values(one, PROV_LOCATION) == [f"{url}/{name}"]
    assert found.values(one, SCHEMA + "sha256") == [hashlib.sha256(DATA).hexdigest()]
    assert found.values(one, SCHEMA + "contentSize") == [str(len(DATA))]
    assert [s for s in found.document if s.kind is SPECIALIZATION and s.args[0] == one.id]
    if name == "data.csv":
        assert found.values(one, PROVREPO + "etag") == ['"v1"']
        assert found.values(one, SCHEMA + "version") == ["7"]
        assert found.values(one, PROVREPO + "lastModified") == ["Sat, 28 Nov 2026 10:00:00 GMT"]
        assert found.values(one, SCHEMA + "encodingFormat") == ["text/csv"]


def test_a_url_whose_content_was_not_read_to_the_end_has_no_digest(url: str) -> None:
    def part() -> None:
        with urllib.request.urlopen(f"{url}/data.csv") as answer:
            answer.read(10)

    one = resource(record(part))
    assert not [value for name, value in one.attributes if name == SCHEMA + "sha256"]


def test_the_digest_of_coded_content_is_no_name_of_the_content(url: str) -> None:
    found = record(lambda: whole(f"{url}/packed.csv"))
    one = resource(found)
    assert found.values(one, PROVREPO + "contentCoding") == ["gzip"]
    assert found.values(one, SCHEMA + "sha256") == [hashlib.sha256(gzip.compress(DATA, mtime=0)).hexdigest()]
    assert not [s for s in found.document if s.kind is SPECIALIZATION and s.args[0] == one.id]


@pytest.mark.parametrize("read", [whole, by_httpx], ids=lambda read: read.__name__)
def test_a_redirection_has_both_urls_and_no_credentials(url: str, read: Any) -> None:
    asked = url.replace("//", "//ada:SECRET@") if read is by_httpx else url
    found = record(lambda: read(f"{asked}/old.csv?key=SECRET"))
    assert found.values(resource(found), PROV_LOCATION) == [f"{url}/data.csv", f"{url}/old.csv"]


def test_two_steps_that_read_the_same_use_one_entity(url: str) -> None:
    with session("run", out="run.trig"):
        step("first")(lambda: whole(f"{url}/data.csv"))()
        step("second")(lambda: by_httpx(f"{url}/data.csv"))()
    found = Captured(Path("run.trig"))
    assert found.used == {("first", "data.csv"), ("second", "data.csv")}
    assert len(found.elements("data.csv")) == 1


def test_what_is_sent_is_generated_or_named_and_errors_are_nothing(url: str) -> None:
    def work() -> None:
        for method in ("PUT", "POST"):
            request = urllib.request.Request(f"{url}/{method.lower()}.csv", data=DATA, method=method)
            urllib.request.urlopen(request).close()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{url}/missing.csv")
        connection = http.client.HTTPConnection(url.partition("//")[2])
        connection.putrequest("GET", "/a")
        with pytest.raises(http.client.CannotSendRequest):
            connection.putrequest("GET", "/b")

    found = record(work)
    assert (found.used, found.generated) == (set(), {("put.csv", "fetch")})
    assert found.values(found.one("fetch"), PROVREPO + "unexplained") == [f"POST {url}/post.csv"]


def test_a_url_below_provrepo_run(url: str) -> None:
    Path("work.py").write_text(f"import urllib.request\nurllib.request.urlopen('{url}/data.csv?key=SECRET').read()\n")
    done = provrepo("run", "--out", "run.trig", "--", sys.executable, "work.py", cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    found = Captured(Path("run.trig"))
    assert found.used == {("work.py", "data.csv")}
    assert found.values(resource(found), SCHEMA + "sha256") == [hashlib.sha256(DATA).hexdigest()]
    assert "SECRET" not in Path("run.trig").read_text()


class Url:
    """The URL of an engine of SQLAlchemy."""

    host, port, database = "db.example.org", 5432, "farm"

    def get_backend_name(self) -> str:
        return "postgresql"


def execute(statement: str) -> None:
    """Execute a statement as an engine of SQLAlchemy tells it to listeners."""
    engine = types.SimpleNamespace(url=Url())
    sqlalchemy._execute(types.SimpleNamespace(engine=engine), None, statement, {}, None, False)


class Composed:
    """A statement of ``psycopg.sql``."""

    def as_string(self, cursor: object) -> str:
        return "SELECT crop FROM clean"


class Cursor:
    """A cursor of psycopg, without a server."""

    def __init__(self, host: str = "/var/run/postgresql", port: int = 5432) -> None:
        self.connection = types.SimpleNamespace(info=types.SimpleNamespace(host=host, port=port, dbname="farm"))

    def execute(self, query: object, given: object = None) -> int:
        return 1

    executemany = copy = execute


def test_statements_of_psycopg_are_plans_and_tell_tables() -> None:
    class Plain(Cursor):
        pass

    psycopg.adapt(types.SimpleNamespace(__name__="psycopg", Cursor=Cursor))
    psycopg.adapt(types.SimpleNamespace(__name__="psycopg2.extras", DictCursor=Plain))

    @step
    def fill() -> None:
        assert Cursor().execute("CREATE TABLE raw (crop text)") == 1
        Cursor().executemany("INSERT INTO raw VALUES (%s)", [("rye",)])
        Cursor().copy(b"COPY clean FROM STDIN")

    @step
    def look() -> None:
        Plain().execute(Composed())
        Cursor().execute("SELECT 1")
        Cursor("db.example.org", 6543).execute(query="SELECT * FROM other WHERE password = 'SECRET'")

    with session("run", out="run.trig"):
        fill(), look()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert "SECRET" not in Path("run.trig").read_text()
    tables = {(s.kind, table) for s in found.document for table in found.values(s, PROVREPO + "table")}
    assert tables == {(GENERATION, "raw"), (GENERATION, "clean"), (USAGE, "clean"), (USAGE, "other")}
    assert {v for s in found.elements("farm") for v in found.values(s, PROV_LOCATION)} == {
        "postgresql://localhost/farm", "postgresql://db.example.org:6543/farm",
    }  # fmt: skip
    assert "COPY clean FROM STDIN" in {v for s in found.document for v in found.values(s, PROV_VALUE)}


def test_a_database_on_a_server_has_its_tables_and_the_statements_are_plans() -> None:
    with session("run", out="run.trig"):
        step("fill")(lambda: execute("INSERT INTO clean SELECT crop FROM raw WHERE password = 'SECRET'"))()
        step("count")(lambda: execute("SELECT count(*) FROM clean"))()
        step("look")(lambda: execute("SELECT * FROM pg_catalog.pg_class"))()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert "SECRET" not in Path("run.trig").read_text()
    assert found.used == {("fill", "farm"), ("count", "farm")}
    assert found.generated == {("farm", "fill")}
    tables = [(s.kind, found.values(s, PROVREPO + "table")) for s in found.document if s.kind in (USAGE, GENERATION)]
    assert sorted(tables, key=str) == sorted([(USAGE, ["raw"]), (USAGE, ["clean"]), (GENERATION, ["clean"])], key=str)
    assert {v for s in found.elements("farm") for v in found.values(s, PROV_LOCATION)} == {
        "postgresql://db.example.org/farm"
    }
    followed = {s.args[2] for s in found.document if s.kind is ASSOCIATION}
    texts = {v for s in found.document if s.kind.element and s.id in followed for v in found.values(s, PROV_VALUE)}
    assert "SELECT count(*) FROM clean" in texts
