"""The HTTP client against servers that lie."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpcore._backends.sync import SyncStream

from provrepo import errors, problems
from provrepo.checks.report import Report
from provrepo.http_client import HttpClient, client, connections, server_url
from provrepo.http_client.client import ANSWER_BYTES
from tests.support.lying import LyingServer, lying, response

TOKEN = "secret-token"
JSON = {"Content_Type": "application/json"}
PROBLEM = {"Content_Type": problems.MEDIA_TYPE}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)


def _problem(status: int, name: str, **members: object) -> bytes:
    body = {"type": problems.TYPES + name, "title": "Title", "status": status, "detail": "What is wrong.", **members}
    return response(f"{status} Reason", json.dumps(body).encode(), **PROBLEM)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_an_answer_has_status_headers_and_content() -> None:
    with lying(response(body=b'{"a": 1}', **JSON)) as server, HttpClient(server.url + "x", token=TOKEN) as http:
        answer = http.get(
            ("projects", "a b", "ü/?"), query={"q": "1 2", "all": True, "n": None, "p": ["a", "b"], "e": ""}
        )
        assert (answer.status, answer.json(), answer.headers["CONTENT-type"]) == (200, {"a": 1}, "application/json")
        head = server.requests[0].decode()
        assert head.startswith("GET /x/projects/a%20b/%C3%BC%2F%3F?q=1+2&all=true&p=a&p=b&e= HTTP/1.1\r\n")
        assert f"authorization: bearer {TOKEN}\r\n" in head.lower()


def test_the_connection_is_used_again() -> None:
    def twice(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        answer = response(body=b"ok", Connection="keep-alive")
        connection.sendall(answer)
        assert connection.recv(65536).startswith(b"GET /second")
        connection.sendall(answer)

    with lying(twice) as server, HttpClient(server.url) as http:
        assert [http.get(name).content for name in ("first", "second")] == [b"ok", b"ok"]
        assert len(server.requests) == 1


@pytest.mark.parametrize(("content", "sent"), [(b"body", b"body"), (b"", b""), (io.BytesIO(b"xbody"), b"body")])
def test_a_body_is_sent_with_its_length(content: bytes | io.BytesIO, sent: bytes) -> None:
    if isinstance(content, io.BytesIO):
        content.seek(1)
    with lying(response("201 Created")) as server, HttpClient(server.url) as http:
        assert http.post("documents", content).status == 201
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert (body, f"content-length: {len(sent)}".encode() in head.lower()) == (sent, True)
        assert b"transfer-encoding" not in head.lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://169.254.169.254/latest?secret=1", "//other.example/x", "/elsewhere"])
def test_redirects_are_errors_that_name_the_location(status: int, location: str) -> None:
    with lying(response(f"{status} Moved", Location=location)) as server, HttpClient(server.url, token=TOKEN) as http:
        with pytest.raises(errors.RemoteError, match="redirects to ") as caught:
            http.get("x")
        assert location.partition("?")[0] in str(caught.value)
        assert "secret" not in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("length", ["announced", "endless"])
def test_answers_are_bounded(length: str) -> None:
    def endless(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.gone.is_set():
            connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")

    answer = response(body=b"x", length=10**12) if length == "announced" else endless
    with lying(answer) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.RemoteError, match="more than 10000 bytes"):
            http.get(limit=10_000)
        with pytest.raises(errors.RemoteError, match="more than 10000 bytes"), http.stream("GET", limit=10_000) as all_:
            assert sum(map(len, all_)) == "not reached"


def test_a_description_of_an_error_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PROBLEM_BYTES", 100)
    with (
        lying(response("400 Bad", b" " * 101, **PROBLEM)) as server,
        HttpClient(server.url) as http,
        pytest.raises(errors.RemoteError, match="more than 100 bytes"),
    ):
        http.get()


def test_a_large_number_of_bytes_is_announced() -> None:
    with (
        lying(response(body=b"x", Content_Length="9" * 5000)) as server,
        HttpClient(server.url, attempts=1) as http,
        pytest.raises(errors.RemoteError),
    ):
        http.get()


def _drip(server: LyingServer, connection: socket.socket, data: bytes) -> None:
    for byte in data * 10_000:
        connection.sendall(bytes([byte]))
        if server.gone.wait(0.05):
            return


@pytest.mark.parametrize("part", ["nothing", "head", "body"])
def test_a_slow_answer_ends_at_the_deadline(part: str) -> None:
    def slow(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        if part == "head":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            _drip(server, connection, b"A: b\r\n")
        elif part == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            _drip(server, connection, b"x")
        server.gone.wait(60)

    with (
        lying(slow) as server,
        HttpClient(server.url, deadline=0.5) as http,
        pytest.raises(errors.Unreachable, match=r"did not answer completely within 0\.5 seconds"),
    ):
        http.get("x", query={"secret": 1})


def test_silence_ends_the_attempts() -> None:
    def silent(server: LyingServer, connection: socket.socket, request: bytes) -> None:
        server.gone.wait(60)

    with lying(silent) as server, HttpClient(server.url, timeout=0.1, attempts=2) as http:
        with pytest.raises(errors.Unreachable, match=r"x did not go on within 0\.1 seconds"):
            http.get("x?secret=1")
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        response(body=b"short", length=10),
        response(body=b"5\r\nhello", Transfer_Encoding="chunked")[:-3],
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=["length", "chunk", "nothing", "ssh", "status", "number", "nul", "large"],
)
def test_broken_answers_are_unreachable_servers(answer: bytes) -> None:
    with (
        lying(answer) as server,
        HttpClient(server.url, attempts=1) as http,
        pytest.raises(errors.Unreachable, match=r"sent an invalid or incomplete answer: |was lost: "),
    ):
        http.get()


def test_a_compressed_answer_is_refused() -> None:
    with lying(response(body=b"\x1f\x8b", Content_Encoding="gzip")) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.RemoteError, match="compressed"):
            http.get()
        assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_refused_connection_is_named() -> None:
    url = f"http://127.0.0.1:{_closed_port()}/"
    with HttpClient(url) as http, pytest.raises(errors.Unreachable) as caught:
        http.get("x?secret=1")
    assert str(caught.value) == f"cannot reach {url}: connection refused"


def test_an_unknown_host_is_named() -> None:
    with (
        HttpClient("http://nowhere.invalid/", attempts=1) as http,
        pytest.raises(errors.Unreachable, match=r"^cannot reach http://nowhere\.invalid/: "),
    ):
        http.get()


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%lo", "::ffff:169.254.169.254"])
def test_a_name_that_leads_to_a_link_local_address_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with lying(response(body=b"credentials")) as server:
        monkeypatch.setattr(
            SyncStream, "get_extra_info", lambda _, info: (address, 80) if info == "server_addr" else None
        )
        with (
            HttpClient(server.url.replace("127.0.0.1", "localhost"), token=TOKEN, attempts=1) as http,
            pytest.raises(errors.Unreachable, match=f"localhost leads to the link-local address {re.escape(address)}"),
        ):
            http.get()
        assert server.requests == []
        # An address that the operator has named is used.
        monkeypatch.setattr(connections, "_is_link_local", lambda host: True)
        with HttpClient(server.url) as http:
            assert http.get().content == b"credentials"


def test_a_server_without_tls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.5)
    with (
        lying(response()) as server,
        HttpClient(server.url.replace("http:", "https:"), attempts=1) as http,
        pytest.raises(errors.Unreachable, match="cannot reach https://"),
    ):
        http.get()


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_idempotent_requests_are_repeated(status: int, method: str) -> None:
    with lying(response(f"{status} Down"), response(body=b"")) as server, HttpClient(server.url) as http:
        assert http.request(method, "x", content=b"c" if method == "PUT" else None).status == 200
        assert len(server.requests) == 2
        assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("broken", [b"", response("503 Down"), response(body=b"short", length=10)])
def test_a_broken_answer_is_asked_again(broken: bytes) -> None:
    with lying(broken, response(body=b"ok")) as server, HttpClient(server.url) as http:
        assert http.get().content == b"ok"


def test_a_file_is_sent_again_from_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 200_000)
    with lying(response("503 Down"), response()) as server, HttpClient(server.url) as http:
        with (tmp_path / "file").open("rb") as file:
            http.put("x", file)
        assert [request.count(b"x" * 200_000) for request in server.requests] == [1, 1]


@pytest.mark.parametrize(
    ("method", "headers"), [("POST", {}), ("PUT", {"If-Match": '"1"'}), ("DELETE", {"If-Match": "*"})]
)
@pytest.mark.parametrize("answer", [b"", response("503 Down")])
def test_other_requests_are_sent_once(method: str, headers: dict[str, str], answer: bytes) -> None:
    with lying(answer, response()) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.Unreachable):
            http.request(method, "x", content=b"c", headers=headers)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "requests"), [(response("503 Down"), 3), (response("503 Down", Retry_After="0"), 3)]
)
def test_attempts_are_bounded(answer: bytes, requests: int) -> None:
    with lying(answer) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.Unreachable, match="answered 503 Service Unavailable") as caught:
            http.get("x?secret=1")
        assert (len(server.requests), caught.value.status, "secret" in str(caught.value)) == (3, 503, False)


@pytest.mark.parametrize("wait", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_retry_after_is_not_waited_for(wait: str) -> None:
    with lying(_with_wait(wait)) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.Busy) as caught:
            http.get()
        assert (len(server.requests), caught.value.retry_after > 3000) == (1, True)


def _with_wait(wait: str) -> bytes:
    return _problem(503, "busy").replace(b"\r\n\r\n", f"\r\nRetry-After: {wait}\r\n\r\n".encode(), 1)


def test_a_retry_after_is_waited_for() -> None:
    with lying(_with_wait("1"), response(body=b"ok")) as server, HttpClient(server.url) as http:
        assert http.get().content == b"ok"


@pytest.mark.parametrize("name", ["worker", "timed-out"])
def test_work_that_reached_a_limit_is_not_repeated(name: str) -> None:
    with lying(_problem(503, name)) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.WorkerFailed):
            http.get()
        assert len(server.requests) == 1


PROBLEMS = [kind for kind, row in problems.ERRORS.items() if kind is not errors.Error and row.status >= 400]


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_problem_is_the_error_that_it_stands_for(kind: type[errors.Error]) -> None:
    row = problems.ERRORS[kind]
    report = Report((), (), (), 0, "provn").to_dict()
    with (
        lying(_problem(row.status, row.name, report=report)) as server,
        HttpClient(server.url, attempts=1, report=Report.from_dict) as http,
        pytest.raises(errors.Error) as caught,
    ):
        http.get()
    assert (type(caught.value), str(caught.value)) == (kind, "What is wrong.")
    if isinstance(caught.value, errors.Refused):
        assert isinstance(caught.value.report, Report)


@pytest.mark.parametrize("error", [
    errors.ReadError("bad", line=3, column=4, format="provn"),
    errors.QueryError("bad", line=3),
    errors.ReadError("bad"),
])  # fmt: skip
def test_a_position_is_kept(error: errors.ReadError) -> None:
    members = {"line": error.line, "column": error.column, "format": error.format}
    row = problems.ERRORS[type(error)]
    found = problems.error(row.status, {"type": problems.TYPES + row.name, "detail": str(error), **members})
    assert isinstance(found, type(error))
    assert vars(found) == {**vars(error), "status": 400, "retry_after": 0.0}
    assert str(found) == str(error)


def test_what_was_taken_back_is_kept() -> None:
    given = {"state": "erased", "document": "d", "version": 2, "time": "2026", "by": "ada", "reason": "why"}
    found = problems.error(409, {"type": problems.TYPES + "taken-back", "detail": "no", "withdrawal": given})
    assert isinstance(found, errors.TakenBack)
    assert {name: getattr(found, name) for name in given} == given


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (401, "unauthorized", errors.Denied),
        (405, "method", errors.RemoteError),
        (406, "not-acceptable", errors.UnknownFormat),
        (415, "media-type", errors.ReadError),
        (428, "precondition", errors.Conflict),
        (429, "rate", errors.Busy),
        (418, "http", errors.RemoteError),
        (500, "error", errors.RemoteError),
        (499, "of-another-version", errors.RemoteError),
    ],
)
def test_problems_of_the_protocol_have_classes(status: int, name: str, kind: type[errors.Error]) -> None:
    found = problems.error(status, {"type": problems.TYPES + name, "detail": "no"})
    assert (type(found), str(found), found.status) == (kind, "no", status)


@pytest.mark.parametrize("report", [None, {}, 3, {"layers": 1}, {"layers": [], "findings": [{}]}])
def test_an_unreadable_report_is_an_error_of_the_server(report: object) -> None:
    problem = {"type": problems.TYPES + "refused", "detail": "no", "report": report}
    found = problems.error(422, problem, report=Report.from_dict)
    assert (type(found), str(found)) == (errors.RemoteError, "no (without a readable report)")


@pytest.mark.parametrize(
    "value", [None, 3, [], "x", {"detail": {}}, {"type": 3, "detail": 4}, {"type": problems.TYPES}]
)
def test_nonsense_in_a_problem_is_an_error_of_the_server(value: object) -> None:
    body = json.dumps(value).encode()
    with lying(response("409 Conflict", body, **PROBLEM)) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.RemoteError) as caught:
            http.get()
        assert caught.value.status == 409


def test_a_problem_is_one_line_without_control_characters() -> None:
    problem = {"type": problems.TYPES + "not-found", "detail": "no\x1b]0;x\x07\nsecond line"}
    assert str(problems.error(404, problem)) == "no<U+001B>]0;x<U+0007> second line"


def test_the_answer_to_a_head_request_has_the_class_of_its_status() -> None:
    with (
        lying(response("404 Not Found", **PROBLEM)) as server,
        HttpClient(server.url) as http,
        pytest.raises(errors.NotFound, match="404"),
    ):
        http.head()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, errors.RemoteError), (401, errors.Denied), (403, errors.Denied), (404, errors.RemoteError),
     (413, errors.TooLarge), (429, errors.Busy), (500, errors.RemoteError), (503, errors.Unreachable)],
)  # fmt: skip
def test_an_error_without_a_problem_names_address_and_status(status: int, kind: type[errors.Error]) -> None:
    answer = response(f"{status} Whatever", b"<html>", Content_Type="text/html")
    with lying(answer) as server, HttpClient(server.url, attempts=1) as http:
        with pytest.raises(errors.Error, match=rf"^{server.url}x answered {status} ") as caught:
            http.get("x?secret=1")
        assert type(caught.value) is kind


@pytest.mark.parametrize(("status", "kind"), [(401, errors.Denied), (429, errors.Busy), (500, errors.RemoteError)])
@pytest.mark.parametrize("members", [{}, {"type": "about:blank"}, {"type": "https://proxy.example/blocked"}])
def test_a_problem_of_another_server_names_address_and_status(
    status: int, kind: type[errors.Error], members: dict[str, str]
) -> None:
    body = json.dumps({**members, "title": "Blocked", "detail": "by\x1b[2J rule 7"}).encode()
    with lying(response(f"{status} Whatever", body, **PROBLEM)) as server, HttpClient(server.url, attempts=1) as http:
        with pytest.raises(errors.Error) as caught:
            http.get("x?secret=1")
        assert re.match(rf"{server.url}x answered {status} [A-Z].* \(by<U\+001B>\[2J rule 7\)", str(caught.value))
        assert type(caught.value) is kind


def test_expected_statuses_are_returned() -> None:
    with lying(response("304 Not Modified")) as server, HttpClient(server.url) as http:
        assert http.get(headers={"If-None-Match": '"1"'}, expect={304}).status == 304
        with pytest.raises(errors.RemoteError, match="answered 304"):
            http.get()


@pytest.mark.parametrize(
    "answer", [response(body=b"<html>", Content_Type="text/html"), response(body=b"{", **JSON), response()]
)
def test_an_answer_that_is_not_json_is_named(answer: bytes) -> None:
    with (
        lying(answer) as server,
        HttpClient(server.url) as http,
        pytest.raises(errors.RemoteError, match="is it the address of a provrepo server"),
    ):
        http.get().json()


def test_deep_json_is_not_a_crash() -> None:
    with (
        lying(response(body=b"[" * 200_000, **JSON)) as server,
        HttpClient(server.url) as http,
        pytest.raises(errors.RemoteError, match="not JSON"),
    ):
        http.get().json()


def test_a_stream_yields_chunks_and_accepts_ranges() -> None:
    answer = response("206 Partial Content", b"x" * 300_000, Content_Range="bytes 5-300004/300005")
    with lying(answer) as server, HttpClient(server.url) as http:
        with http.stream("GET", "blob", headers={"Range": "bytes=5-"}) as stream:
            chunks = list(stream)
            assert (stream.status, stream.headers["content-range"]) == (206, "bytes 5-300004/300005")
        assert (len(b"".join(chunks)), all(chunks), len(chunks) > 1) == (300_000, True, True)
        assert b"range: bytes=5-" in server.requests[0].lower()


def test_a_stream_that_ends_early_is_an_error_after_its_chunks() -> None:
    with lying(response(body=b"half", length=8)) as server, HttpClient(server.url) as http:
        received = []
        with pytest.raises(errors.Unreachable), http.stream("GET") as stream:
            received.extend(stream)
        assert (received, len(server.requests)) == ([b"half"], 1)


def test_a_stream_may_be_left_early() -> None:
    with lying(response(body=b"x" * 10_000_000), response(body=b"next")) as server, HttpClient(server.url) as http:
        with http.stream("GET") as stream:
            assert next(iter(stream))
        assert http.get().content == b"next"


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient("https://prov.example:8443/repo", token=TOKEN) as found:
        yield found


@pytest.mark.parametrize("reference", ["/repo/x?after=1", "x?after=1", "https://prov.example:8443/repo/x?after=1"])
def test_references_below_the_url_are_paths(http: HttpClient, reference: str) -> None:
    assert http.path(reference) == "x?after=1"


@pytest.mark.parametrize(
    "reference",
    ["/other/x", "../x", "/repo/../x", "//prov.example/repo/x",
     "http://prov.example:8443/repo/x",
     "https://prov.example:8443@evil.example/repo/x", "https://evil.example/repo/?secret=1",
     "file:///etc/passwd", "http://["],
)  # fmt: skip
def test_references_elsewhere_are_refused(http: HttpClient, reference: str) -> None:
    with pytest.raises(errors.RemoteError, match="another address") as caught:
        http.path(reference)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["../x", "a/../../x", ("..", "x"), ("a", "..", "..", "x")])
def test_paths_stay_below_the_url(http: HttpClient, path: str) -> None:
    with pytest.raises(errors.UsageError, match="not below"):
        http.get(path)


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://prov.example/", "file:///etc", "http://", "http:///x", "https://prov.example/?token=secret",
     "https://prov.example/#x", "https://ada:secret@prov.example/", "http://prov.example:99999/", "http://[::1/",
     "http://a b/", "http://" + "a" * 5000],
)  # fmt: skip
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(errors.UsageError, match="URL of a server") as caught:
        HttpClient(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "normal"),
    [("http://Prov.Example", "http://prov.example/"), ("http://x:80/a//", "http://x/a/"), ("https://[::1]:8/", "https://[::1]:8/"),
     ("https://prøv.example/", "https://xn--prv-1na.example/")],
)  # fmt: skip
def test_urls_are_normalized(url: str, normal: str) -> None:
    assert server_url(url) == normal


def test_a_token_that_cannot_be_one_is_refused_without_naming_it() -> None:
    with pytest.raises(errors.SettingsError) as caught:
        HttpClient("http://127.0.0.1/", token="sec ret")
    assert "sec" not in str(caught.value).replace("seconds", "")


def test_a_header_with_a_line_end_is_refused() -> None:
    with lying(response()) as server, HttpClient(server.url) as http:
        with pytest.raises(errors.UsageError, match="cannot be sent"):
            http.get(headers={"X": "a\r\nB: c"})
        assert server.requests == []


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with lying(response()) as server, HttpClient(server.url, token=TOKEN) as http:
        http.get(query={"q": "confidential"})
        assert TOKEN not in repr(http)
    assert "connect_tcp" in caplog.text  # httpcore logs, so the test sees what it logs
    assert TOKEN not in caplog.text
    assert "confidential" not in caplog.text


def test_the_proxy_of_the_environment_is_used_except_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with lying(response(body=b"by the proxy")) as proxy, lying(response(body=b"direct")) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with HttpClient("http://prov.example/") as http:
            assert http.get("x").content == b"by the proxy"
        with HttpClient(server.url) as http:
            assert http.get("x").content == b"direct"
        assert proxy.requests[0].startswith(b"GET http://prov.example/x HTTP/1.1\r\n")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://x", "http://["])
def test_other_proxies_are_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(errors.UsageError, match="proxy"):
        HttpClient("https://prov.example/")


def test_the_default_limit_is_that_of_answers_in_memory() -> None:
    with (
        lying(response(body=b"x", length=ANSWER_BYTES + 1)) as server,
        HttpClient(server.url) as http,
        pytest.raises(errors.RemoteError, match=f"more than {ANSWER_BYTES} bytes"),
    ):
        http.get()
