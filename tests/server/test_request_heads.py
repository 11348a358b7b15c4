"""The request parser: accepted and refused requests, received whole and in pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.server.connections.head import LONGEST_LINE, METHODS, read_line
from provrepo.server.connections.limits import ConnectionLimits
from provrepo.server.connections.refusal import Refusal
from provrepo.server.connections.request import Request
from tests.support.sampling import examples
from tests.support.wire import Wire, wire

HOST = b"Host: localhost\r\n"
POST = b"POST /x HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"

REFUSED: dict[str, tuple[bytes, int]] = {
    # The request line (RFC 9112, section 3).
    "no request": (b"NONSENSE\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "version 0.9": (b"GET / HTTP/0.9\r\n\r\n", 505),
    "version 2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "version 1.2": (b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    "version 9.9": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 505),
    "version of two digits": (b"GET / HTTP/1.10\r\n" + HOST + b"\r\n", 400),
    "version in small letters": (b"GET / http/1.1\r\n" + HOST + b"\r\n", 400),
    "version of another protocol": (b"OPTIONS rtsp://localhost/ RTSP/1.0\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a space at the end": (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
    "a space in the path": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a tab": (b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a NUL in the path": (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a control character in the path": (b"GET /\x1b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "bytes beyond ASCII in the path": ("GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n", 400),
    "a fragment": (b"GET /#a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a relative path": (b"GET x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a star": (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a tunnel": (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a method that is not a token": (b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a method without end": (b"A" * (LONGEST_LINE + 10), 414),
    "a path without end": (b"GET /" + b"a" * (LONGEST_LINE + 10), 414),
    "a path too long": (b"GET /" + b"a" * LONGEST_LINE + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a proxy protocol": (b"\r\n\r\n\x00\r\nQUIT\n", 400),
    "empty lines": (b"\r\n" * 5 + b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    # Lines (RFC 9112, section 2.2) and fields (section 5).
    "LF in the request line": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
    "LF in a field": (b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400),
    "LF alone": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "CR in the request line": (b"GET /\r HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "CR in a field": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n", 400),
    "CR twice": (b"GET / HTTP/1.1\r\r\n" + HOST + b"\r\n", 400),
    "a line that continues": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
    "a tab that continues": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n\tb\r\n\r\n", 400),
    "a first line that continues": (b"GET / HTTP/1.1\r\n " + HOST + b"\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "a tab before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"X\t: localhost\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\n" + HOST + b"X\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n", 400),
    "a NUL in a value": (b"GET / HTTP/1.1\r\n" + HOST + b"X: \x00\r\n\r\n", 400),
    "a NUL in a name": (b"GET / HTTP/1.1\r\n" + HOST + b"X\x00: y\r\n\r\n", 400),
    "a control character in a value": (b"GET / HTTP/1.1\r\n" + HOST + b"X: \x0b\r\n\r\n", 400),
    "DEL in a value": (b"GET / HTTP/1.1\r\n" + HOST + b"X: \x7f\r\n\r\n", 400),
    "a name beyond ASCII": ("GET / HTTP/1.1\r\nHost: localhost\r\né: y\r\n\r\n".encode(), 400),
    "fields too long": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431),
    "a field without end": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 70_000, 431),
    "too many fields": (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 128 + b"\r\n", 431),
    # Fields that may come once (RFC 9110, section 5.3).
    "two types": (POST + b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 400),
    "two tokens": (b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n", 400),
    # Host (RFC 9112, section 3.2).
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\n" + HOST + b"Host: localhost\r\n\r\n", 400),
    "two different Hosts": (b"GET / HTTP/1.1\r\n" + HOST + b"host: evil.example\r\n\r\n", 400),
    "a Host of two": (b"GET / HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n", 400),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400),
    "a Host with a user": (b"GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n", 400),
    "a Host with a space": (b"GET / HTTP/1.1\r\nHost: local host\r\n\r\n", 400),
    "a Host with markup": (b'GET / HTTP/1.1\r\nHost: "><script>\r\n\r\n', 400),
    "a Host with a port that is none": (b"GET / HTTP/1.1\r\nHost: localhost:http\r\n\r\n", 400),
    "a Host with a port too large": (b"GET / HTTP/1.1\r\nHost: localhost:65536\r\n\r\n", 400),
    "a Host in broken brackets": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    "a Host in brackets that is not an address": (b"GET / HTTP/1.1\r\nHost: [::1::]\r\n\r\n", 400),
    "a Host too long": (b"GET / HTTP/1.1\r\nHost: " + b"a" * 1000 + b"\r\n\r\n", 400),
    "another Host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "an empty Host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 421),
    "another Host in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
    "a Host that begins well": (b"GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421),
    "another address": (b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", 421),
    "another Host in the target": (b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n", 421),
    "a target without a Host beside it": (b"GET http://localhost/ HTTP/1.1\r\n\r\n", 400),
    "a target with a user": (b"GET http://u@localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a target without a host": (b"GET http:/// HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a target of another scheme": (b"GET ftp://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    # The length of the body (RFC 9112, section 6).
    "both": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "both, the other way": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "two equal lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "a list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "a negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "a length with a sign": (POST + b"Content-Length: +5\r\n\r\nabcde", 400),
    "a length with an underscore": (POST + b"Content-Length: 1_0\r\n\r\nabcde", 400),
    "a length in other digits": (POST + "Content-Length: ٣\r\n\r\nabc".encode(), 400),
    "a hexadecimal length": (POST + b"Content-Length: 0x5\r\n\r\nabcde", 400),
    "a length with a point": (POST + b"Content-Length: 5.0\r\n\r\nabcde", 400),
    "no length": (POST + b"Content-Length:\r\n\r\n", 400),
    "a length of 30 digits": (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 413),
    "a length of 5000 digits": (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    "a length beyond the limit": (POST + b"Content-Length: 1001\r\n\r\n", 413),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
    "chunked in two fields": (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked before another": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    "another before chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "another coding": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", 501),
    "something like chunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "chunked with a parameter": (POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n", 501),
    "chunked in quotation marks": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n', 501),
    "chunked with another space": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n", 400),
    "chunked with a space beyond ASCII": (POST + b"Transfer-Encoding: \xa0chunked\r\n\r\n", 501),
    "no coding": (POST + b"Transfer-Encoding:\r\n\r\n", 400),
    "an empty coding": (POST + b"Transfer-Encoding: ,chunked\r\n\r\n", 400),
    # Chunks (RFC 9112, section 7.1).
    "a negative chunk": (CHUNKED + b"\r\n-1\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk with a sign": (CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk with a prefix": (CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk with an underscore": (CHUNKED + b"\r\n1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n", 400),
    "a chunk without a size": (CHUNKED + b"\r\n\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk size with spaces": (CHUNKED + b"\r\n 3\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk size that overflows": (CHUNKED + b"\r\n" + b"f" * 16 + b"3\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk size with LF": (CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n", 400),
    "a chunk size with LF and CR LF": (CHUNKED + b"\r\n3\n\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk size with CR": (CHUNKED + b"\r\n3\rx\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk longer than its size": (CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    "a chunk that ends with LF": (CHUNKED + b"\r\n3\r\nabc\n0\r\n\r\n", 400),
    "an extension with a NUL": (CHUNKED + b"\r\n3;\x00\r\nabc\r\n0\r\n\r\n", 400),
    "an extension without end": (CHUNKED + b"\r\n3;" + b"a" * 5000, 400),
    "many extensions": (CHUNKED + b"\r\n" + (b"1;" + b"a" * 3000 + b"\r\nx\r\n") * 6 + b"0\r\n\r\n", 400),
    "a trailer that is none": (CHUNKED + b"\r\n0\r\nnonsense\r\n\r\n", 400),
    "a trailer without end": (CHUNKED + b"\r\n0\r\n" + (b"X: " + b"y" * 3000 + b"\r\n") * 6 + b"\r\n", 400),
    "a trailer that continues": (CHUNKED + b"\r\n0\r\nX: y\r\n z\r\n\r\n", 400),
    "chunks beyond the limit": (CHUNKED + b"\r\n3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n", 413),
    # Expect (RFC 9110, section 10.1.1).
    "another expectation": (POST + b"Content-Length: 3\r\nExpect: 200-ok\r\n\r\nabc", 417),
    "two expectations": (POST + b"Content-Length: 3\r\nExpect: 100-continue, x\r\n\r\nabc", 417),
}

ACCEPTED: dict[str, tuple[bytes, bytes]] = {
    "a path": (b"GET /a%20b?c=%20 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /a b c=%20 "),
    "HTTP/1.0 without a Host": (b"GET / HTTP/1.0\r\n\r\n", b"GET /  "),
    "empty lines before": (b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /  "),
    "an absolute target": (b"GET http://localhost:80/x?y HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"GET /x y "),
    "an absolute target without a path": (b"GET HTTP://LOCALHOST?y HTTP/1.1\r\n" + HOST + b"\r\n", b"GET / y "),
    "all options": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", b"OPTIONS *  "),
    "slashes": (b"GET ////x HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /x  "),
    "a body": (POST + b"Content-Length: 3\r\n\r\nabc", b"POST /x  abc"),
    "a length with zeros": (POST + b"Content-Length: 003\r\n\r\nabc", b"POST /x  abc"),
    "chunks": (CHUNKED + b'\r\n3\r\nabc\r\n00a;x="y"\r\n0123456789\r\n0\r\n\r\n', b"POST /x  abc0123456789"),
    "chunks with a trailer": (CHUNKED + b"\r\n3 ; x\r\nabc\r\n0\r\nX: y\r\nZ:\r\n\r\n", b"POST /x  abc"),
    "no chunks": (CHUNKED + b"\r\n0\r\n\r\n", b"POST /x  "),
    "CHUNKED": (POST + b"Transfer-Encoding: CHUNKED \r\n\r\n1\r\na\r\n0\r\n\r\n", b"POST /x  a"),
    "an expectation in HTTP/1.0": (b"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", b"POST /  a"),
    "an expectation without a body": (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n\r\n", b"GET /  "),
    "a body on a GET": (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na", b"GET /  a"),
    "the largest body": (POST + b"Content-Length: 1000\r\n\r\n" + b"a" * 1000, b"POST /x  " + b"a" * 1000),
    "the most fields": (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 127 + b"\r\n", b"GET /  "),
    "values beyond ASCII": ("GET / HTTP/1.1\r\nHost: localhost\r\nX: é\r\n\r\n".encode(), b"GET /  "),
    "a Host with a port": (b"GET / HTTP/1.1\r\nHost: LocalHost.:9\r\n\r\n", b"GET /  "),
    "an address of loopback": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", b"GET /  "),
    "an address of loopback in IPv6": (b"GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", b"GET /  "),
}
LIMIT = 1000


@pytest.fixture(scope="module")
def served() -> Wire:
    with wire(body=LIMIT) as found:
        yield found


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_request_gets_a_problem_and_the_connection_is_closed(served: Wire, name: str) -> None:
    """Data that follows on the connection is not parsed as a request."""
    data, status = REFUSED[name]
    smuggled = (
        b"" if data[-1:].isalnum() and status in (413, 414, 431) else b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    )
    with served.connect(data + smuggled) as client:
        client.wire.until(lambda: client.read().count(b"\r\n\r\n"))
        client.socket.shutdown(1)
        client.wire.until(client.gone)
        (answer,) = client.answers()
    assert answer.status == status, answer.body
    problem = json.loads(answer.body)
    assert problem["status"] == status
    assert problem["instance"].startswith("urn:uuid:")
    assert problem["detail"]
    assert answer.response.headers["Content-Type"] == "application/problem+json"
    assert answer.response.headers["Connection"] == "close"
    assert answer.response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(client.data) < 2000
    assert b"evil" not in client.data
    assert b"script>" not in client.data


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_valid_request_is_accepted(served: Wire, name: str) -> None:
    data, body = ACCEPTED[name]
    (answer,) = served.ask(data)
    assert (answer.status, answer.body) == (200, body)


def _read(pieces: list[bytes]) -> tuple[object, ...]:
    """Parse pieces; return the request and the number of bytes that belong to it."""

    def judge(_: object) -> None:
        pass

    request, used = Request(ConnectionLimits(body=LIMIT), judge, lambda: False), 0
    for piece in pieces:
        rest = piece
        while rest and not request.completed:
            taken = request.received(rest)
            used += taken
            rest = rest[taken:]
    if request.error is not None:
        return request.completed, request.error.code
    body = request.get_body_stream().read()
    request.close()
    return request.completed, request.command, request.path, request.headers, body, used


@pytest.mark.parametrize("name", [*ACCEPTED, *(name for name, (data, _) in REFUSED.items() if len(data) < 3000)])
def test_the_result_does_not_depend_on_how_the_data_is_split(name: str) -> None:
    """A proxy may split a request anywhere; the result is the same."""
    data = ACCEPTED[name][0] if name in ACCEPTED else REFUSED[name][0]
    whole = _read([data])
    assert _read([data[at : at + 1] for at in range(len(data))]) == whole
    if len(data) < 300:
        for at in range(1, len(data)):
            assert _read([data[:at], data[at:]]) == whole, at


PARTS = [
    *(b"GET ", b"POST ", b"/x ", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b":", b";", b","),
    *(b"\x00", b"\xff", b"abc", b"Host: localhost\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"3\r\nabc\r\n", b"0\r\n\r\n", b"5\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n"),
]


@given(st.lists(st.sampled_from(PARTS), max_size=14), st.data())
@settings(max_examples=examples(300), deadline=None)
def test_any_data_is_a_request_or_refused(parts: list[bytes], data: st.DataObject) -> None:
    """Also after a valid beginning, and however the data is split."""
    sent = data.draw(st.sampled_from([b"", POST, CHUNKED, CHUNKED + b"\r\n"])) + b"".join(parts)
    at = data.draw(st.integers(0, len(sent)))
    assert _read([sent[:at], sent[at:]]) == _read([sent])


def test_pipelined_requests_are_answered_in_order(served: Wire) -> None:
    """RFC 9112, section 9.3.2."""
    first = POST + b"Content-Length: 3\r\n\r\nabc"
    data = (
        first
        + CHUNKED
        + b"\r\n2\r\nde\r\n0\r\n\r\n"
        + b"GET /last HTTP/1.1\r\n"
        + HOST
        + b"Connection: x, Close\r\n\r\n"
    )
    with served.connect(data) as client:
        answers = client.answers(number=3)
        assert [answer.body for answer in answers] == [b"POST /x  abc", b"POST /x  de", b"GET /last  "]
        client.wire.until(client.gone)


def test_nothing_after_a_refused_request_is_answered(served: Wire) -> None:
    good, bad = b"GET /good HTTP/1.1\r\n" + HOST + b"\r\n", REFUSED["both"][0]
    with served.connect(good + bad + good) as client:
        client.socket.shutdown(1)
        client.wire.until(client.gone)
    assert [answer.status for answer in client.answers()] == [200, 400]


def test_a_client_that_expects_100_continue_gets_it(served: Wire) -> None:
    with served.connect(POST + b"Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n") as client:
        assert client.read() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"abc")
        assert client.answers(number=1)[0].body == b"POST /x  abc"


def test_an_answer_to_head_has_no_body(served: Wire) -> None:
    with served.connect(b"HEAD / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n") as client:
        client.wire.until(lambda: b"\r\n\r\n" in client.read())
        assert client.data.startswith(b"HTTP/1.1 400 ")
        assert client.data.endswith(b"\r\n\r\n")


def test_fields_with_underscores_are_dropped(served: Wire) -> None:
    """WSGI maps ``_`` and ``-`` to the same name."""
    sent = POST + b"Content_Length: 3\r\nTransfer_Encoding: chunked\r\nContent-Length: 1\r\n\r\na"
    assert served.ask(sent)[0].body == b"POST /x  a"


def test_parsing_a_head_is_linear() -> None:
    """Even byte by byte, only a few bytes are scanned again: the longest head is parsed fast."""
    request = Request(ConnectionLimits(), lambda _: None, lambda: False)
    data = b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"
    for at in range(len(data)):
        request.received(data[at : at + 1])
    assert request.completed
    assert request.error is None
    assert len(request.path) == 200_001


def test_a_refusal_has_a_reason_phrase() -> None:
    assert (Refusal(421, "x").reason, str(Refusal(400, "x"))) == ("Misdirected Request", "x")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_standard_methods_reach_the_application(method: str) -> None:
    assert {"QUERY", "TRACE", "PATCH"} < METHODS
    assert read_line(method.encode() + b" / HTTP/1.1").method == method
