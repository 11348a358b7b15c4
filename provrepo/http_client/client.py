"""A client for one HTTP server: bounded, without redirects, with the errors of this package.

The server may be hostile. Nothing that it sends makes the client contact another address, use more memory than
``limit``, or wait longer than ``deadline``. Messages of errors contain no query strings and no tokens.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import inf
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote, urlencode, urljoin

import httpcore
import httpx

from provrepo import problems
from provrepo._version import __version__
from provrepo.errors import Busy, Denied, Error, RemoteError, TooLarge, Unreachable, UsageError, WorkerFailed
from provrepo.http_client.connections import Clock, pool
from provrepo.http_client.messages import Answer, Call, Stream, media_type, server_url, shown
from provrepo.settings import bearer
from provrepo.text import quoted
from provrepo.words import lasting

__all__ = ["HttpClient"]

ANSWER_BYTES = 64 << 20
"""The largest answer that is kept in memory, in bytes, where ``limit`` is not given."""

PROBLEM_BYTES = 64 << 20
"""The largest description of an error in bytes: it may contain the report of a document."""

CONNECT_SECONDS = 10.0
"""The longest that a connection may take, TLS included."""

LONGEST_WAIT = 30.0
"""The longest pause before another attempt, in seconds; a longer ``Retry-After`` ends the attempts."""

FIRST_WAIT = 0.25
"""The pause before the second attempt in seconds, without ``Retry-After``; it doubles with each attempt."""

_AGAIN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

Path = str | Sequence[str]
"""A path below the URL of the client: steps, which are quoted; or quoted text with ``/``, maybe with a query."""

Query = Mapping[str, object]
"""Parameters: text, number, truth value (sent as ``true`` or ``false``), or a sequence of texts; None is omitted."""

_Result = TypeVar("_Result")


class HttpClient:
    """A client for the addresses below one URL; several threads may use it. It is closed like a file.

    Redirects are errors: neither a request nor the token goes to another address than that of the URL. Certificates
    are verified. The proxy of the environment (``HTTPS_PROXY``, ``NO_PROXY``) is used, except for loopback addresses.

    Args:
        url: an http or https URL, maybe with a path; requests go to addresses below it.
        token: sent as a bearer token; empty for none.
        timeout: the longest silence of the server, in seconds.
        deadline: seconds for a whole request with all attempts and its answer; None for no such limit.
        attempts: how often a request is sent that may be repeated: GET and HEAD, and PUT and DELETE without a
            precondition, after a failed connection and after 502, 503 and 504; any request if no connection was made.
        public: whether to contact public addresses only, and without the proxy of the environment: for URLs that others
            than the operator have chosen.
        report: makes the ``report`` of ``Refused`` from its JSON object; without it the object is the report.

    Raises:
        UsageError: the URL or the token is not valid.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout: float = 60.0,
        deadline: float | None = 300.0,
        attempts: int = 3,
        public: bool = False,
        report: Callable[[Any], object] = lambda members: members,
    ) -> None:
        self.url = server_url(url)
        self._headers = {"User-Agent": f"provrepo/{__version__}", "Accept-Encoding": "identity"}
        if given := bearer(token):
            self._headers["Authorization"] = f"Bearer {given}"
        self._timeout = timeout
        self._deadline = deadline
        self._attempts = max(1, attempts)
        self._report = report
        self._clock = Clock()
        self._pool = pool(self.url, self._clock, public=public)

    def __repr__(self) -> str:
        return f"HttpClient({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def get(self, path: Path = "", **options: Any) -> Answer:
        """``request`` with GET."""
        return self.request("GET", path, **options)

    def head(self, path: Path = "", **options: Any) -> Answer:
        """``request`` with HEAD."""
        return self.request("HEAD", path, **options)

    def post(self, path: Path = "", content: bytes | BinaryIO = b"", **options: Any) -> Answer:
        """``request`` with POST."""
        return self.request("POST", path, content=content, **options)

    def put(self, path: Path = "", content: bytes | BinaryIO = b"", **options: Any) -> Answer:
        """``request`` with PUT."""
        return self.request("PUT", path, content=content, **options)

    def delete(self, path: Path = "", **options: Any) -> Answer:
        """``request`` with DELETE."""
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: Path = "",
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | BinaryIO | None = None,
        expect: Collection[int] = (),
        limit: int = ANSWER_BYTES,
        deadline: float | None = None,
    ) -> Answer:
        """Send a request and return the complete answer.

        Args:
            method: ``GET``, ``HEAD``, ``POST``, ``PUT`` or ``DELETE``.
            path: below the URL of the client.
            query: parameters.
            headers: header fields.
            content: the body: bytes, or a file, which is sent from its position to its end.
            expect: statuses that are returned instead of raised; 2xx always are.
            limit: the most bytes of the answer.
            deadline: instead of that of the client.

        Raises:
            Error: of the class that the problem of the server stands for (``provrepo.problems``).
            RemoteError: it answered with a redirect, an error without a problem, or more bytes than ``limit``.
            Unreachable: there is no connection, or no complete answer in time.
        """
        call = self._call(method, path, query, headers, content, expect, limit, deadline)
        return self._exchange(
            call, lambda answer: Answer(answer.status, answer.headers, b"".join(answer), answer.where)
        )

    @contextmanager
    def stream(
        self,
        method: str,
        path: Path = "",
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | BinaryIO | None = None,
        expect: Collection[int] = (),
        limit: int | None = None,
        deadline: float | None = None,
    ) -> Iterator[Stream]:
        """Send a request and read its answer in chunks; the arguments and errors are those of ``request``.

        Only what precedes the body is tried again. A caller continues a broken answer with a header ``Range``, and
        compares the status with 206. The deadline includes the time of the caller between chunks.
        """
        call = self._call(method, path, query, headers, content, expect, limit, deadline)
        answer = self._exchange(call, lambda answer: answer, keep=True)
        try:
            yield answer
        finally:
            answer.close()

    def path(self, reference: str, base: Path = "") -> str:
        """The path of a URI reference of the server, such as that of a ``Link``, for ``request``.

        Args:
            reference: relative or absolute.
            base: the path of the request whose answer contains it.

        Raises:
            RemoteError: it is not below the URL of the client.
        """
        try:
            target = str(httpx.URL(urljoin(self._address(base, {}), reference)))
        except (ValueError, httpx.InvalidURL):
            target = ""
        if not target.startswith(self.url):
            raise RemoteError(f"{self.url} refers to {shown(reference)}, which is another address")
        return target.removeprefix(self.url)

    def _address(self, path: Path, query: Query) -> str:
        """The address of a request, below the URL of this client.

        Raises:
            UsageError: the path leads elsewhere.
        """
        text = path if isinstance(path, str) else "/".join(quote(step, safe="") for step in path)
        values = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in query.items()
            if value is not None
        }
        if values:
            text += ("&" if "?" in text else "?") + urlencode(values, doseq=True)
        try:
            found = str(httpx.URL(self.url + text.lstrip("/")))
        except httpx.InvalidURL as error:
            raise UsageError(f"not a valid address below {self.url}: {error}") from None
        if not found.startswith(self.url):
            raise UsageError(f"{shown(found)} is not below {self.url}")
        return found

    def _call(
        self,
        method: str,
        path: Path,
        query: Query | None,
        headers: Mapping[str, str] | None,
        content: bytes | BinaryIO | None,
        expect: Collection[int],
        limit: int | None,
        deadline: float | None,
    ) -> Call:
        seconds = self._deadline if deadline is None else deadline
        fields = httpx.Headers({**self._headers, **(headers or {})})
        start = 0
        if content is not None and not isinstance(content, bytes):
            start = content.tell()
            fields["Content-Length"] = str(content.seek(0, 2) - start)
        elif content is not None or method in {"POST", "PUT"}:
            fields["Content-Length"] = str(len(content or b""))
        return Call(
            method,
            httpx.URL(self._address(path, query or {})),
            fields,
            content or b"",
            start,
            frozenset(expect),
            limit,
            inf if seconds is None else time.monotonic() + seconds,
            seconds,
        )

    def _exchange(self, call: Call, use: Callable[[Stream], _Result], *, keep: bool = False) -> _Result:
        """Send a request as often as needed, and return what ``use`` makes of its answer; ``keep`` leaves it open."""
        attempt = 1
        while True:
            try:
                answer = self._send(call)
                try:
                    self._check(call, answer)
                    result = use(answer)
                except BaseException:
                    answer.close()
                    raise
                if not keep:
                    answer.close()
                return result
            except Error as error:
                pause = self._pause(call, error, attempt)
                if pause is None:
                    raise
            time.sleep(pause)
            attempt += 1

    def _send(self, call: Call) -> Stream:
        """Send a request once and read the head of its answer."""
        url = call.url
        address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        fields = [(b"Host", url.netloc), *call.headers.raw]
        timeout = {"connect": CONNECT_SECONDS, "read": self._timeout, "write": self._timeout, "pool": self._timeout}
        request = httpcore.Request(
            call.method, address, headers=fields, content=call.body(), extensions={"timeout": timeout}
        )
        with self._clock.until(call.end), self._translated(call):
            response = self._pool.handle_request(request)
        headers = httpx.Headers(response.headers)
        return Stream(response.status, headers, call.where, self._chunks(call, response, headers), response.close)

    def _chunks(self, call: Call, response: httpcore.Response, headers: Mapping[str, str]) -> Iterator[bytes]:
        limit = PROBLEM_BYTES if response.status >= 400 and response.status not in call.expect else call.limit
        too_large = RemoteError(
            f"{call.where} sent an answer of more than {limit} bytes, the limit here", status=response.status
        )
        announced = headers.get("content-length", "")
        if limit is not None and call.method != "HEAD" and announced.isdecimal() and int(announced[:20]) > limit:
            raise too_large
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise RemoteError(f"{call.where} sent a compressed answer, which was not asked for", status=response.status)
        received = 0
        source = iter(response.iter_stream())
        while True:
            with self._clock.until(call.end), self._translated(call):
                chunk = next(source, None)
            if chunk is None:
                return
            received += len(chunk)
            if limit is not None and received > limit:
                raise too_large
            if chunk:
                yield chunk

    def _check(self, call: Call, answer: Stream) -> None:
        """Raise the error of an answer that is neither 2xx nor expected."""
        status = answer.status
        if 200 <= status < 300 or status in call.expect:
            return
        wait = _seconds(answer.headers.get("retry-after", ""))
        error = self._refusal(call, answer, wait)
        call.again = status in _AGAIN and not isinstance(error, WorkerFailed), wait
        raise error

    def _refusal(self, call: Call, answer: Stream, wait: float) -> Error:
        """The error of an answer that is neither 2xx nor expected."""
        status = answer.status
        location = answer.headers.get("location")
        if status < 400 and location:
            return RemoteError(
                f"{answer.where} redirects to {shown(location)}, and redirects are not followed; "
                "give that address if it is the right one",
                status=status,
            )
        said = ""
        if media_type(answer.headers) == problems.MEDIA_TYPE:
            problem = answer.complete().json() if call.method != "HEAD" else {}
            if isinstance(problem, dict):
                if not problem or str(problem.get("type")).startswith(problems.TYPES):
                    return problems.error(status, problem, retry_after=wait, report=self._report)
                # One of a proxy, or of another kind of server.
                words = problem.get("detail") or problem.get("title") or ""
                said = f" ({quoted(str(words), 500)})" if words else ""
        text = f"{answer.where} answered {status} {_phrase(status)}".rstrip() + said
        kind = Unreachable if status in _AGAIN else _KINDS.get(status)
        if kind is None:
            return RemoteError(f"{text}, not as a provrepo server would; is the address right?", status=status)
        error = kind(text)
        error.status, error.retry_after = status, wait
        return error

    def _pause(self, call: Call, error: Error, attempt: int) -> float | None:
        """Seconds to wait before another attempt, or None if there is to be none."""
        again, wait = call.again
        call.again = False, 0.0
        connected = not isinstance(error.__cause__, httpcore.ConnectError | httpcore.ConnectTimeout)
        if attempt >= self._attempts or not again or (connected and not call.repeatable):
            return None
        pause = wait or FIRST_WAIT * 2 ** (attempt - 1)
        return pause if pause <= LONGEST_WAIT and time.monotonic() + pause < call.end else None

    @contextmanager
    def _translated(self, call: Call) -> Iterator[None]:
        """Errors of the connection as ``Unreachable``, the only class for them."""
        try:
            yield
        except httpcore.LocalProtocolError as error:
            raise UsageError(f"a header field or the body cannot be sent to {self.url}: {error}") from error
        except _FAILURES as error:
            late = time.monotonic() >= call.end
            call.again = not late, 0.0
            raise Unreachable(self._failure(call, error, late)) from error

    def _failure(self, call: Call, error: Exception, late: bool) -> str:
        if late:
            return f"{call.where} did not answer completely within {lasting(call.seconds or 0)}"
        if isinstance(error, httpcore.ConnectTimeout):
            return f"cannot reach {self.url}: no connection within {lasting(CONNECT_SECONDS)}"
        if isinstance(error, httpcore.TimeoutException):
            return f"{call.where} did not go on within {lasting(self._timeout)}"
        if isinstance(error, httpcore.ConnectError | httpcore.ProxyError):
            return f"cannot reach {self.url}: {_reason(error)}"
        if isinstance(error, httpcore.ProtocolError):
            return f"{call.where} sent an invalid or incomplete answer: {_reason(error)}"
        return f"the connection to {self.url} was lost: {_reason(error)}"


_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpcore.TimeoutException)
_KINDS: dict[int, type[Error]] = {401: Denied, 403: Denied, 413: TooLarge, 429: Busy}
"""Errors for answers without a problem, as of a proxy."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _reason(error: Exception) -> str:
    """The reason of a failure in words of the system."""
    # httpcore wraps the error of the system.
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    text = getattr(cause, "verify_message", "") or getattr(cause, "strerror", "") or str(cause) or type(cause).__name__
    text = quoted(text, 200).rstrip(".")
    return f"the certificate is not valid: {text}" if hasattr(cause, "verify_message") else text[:1].lower() + text[1:]


def _seconds(retry_after: str) -> float:
    """The seconds of a Retry-After header, a number or a date (RFC 9110, section 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (date - datetime.now(date.tzinfo)).total_seconds())
