"""Queries to a SPARQL endpoint on the web, over the SPARQL 1.1 Protocol.

SPARQLWrapper forms the request. This module sends it, because the answer is not trusted: redirects are followed to http
and https only, never with the token to another host, and no more than ``MAX_BYTES`` of an answer are read.
"""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
import warnings
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provrepo.codecs import results
from provrepo.codecs.results import QueryResult
from provrepo.errors import QueryError, ReadError, RemoteError, TooLarge, UsageError
from provrepo.limits import QUERY_SECONDS
from provrepo.model.identifiers import web_address
from provrepo.settings import bearer
from provrepo.text import quoted
from provrepo.vocab import PREDECLARED
from provrepo.words import lasting

if TYPE_CHECKING:
    from SPARQLWrapper import SPARQLWrapper

__all__ = ["MAX_BYTES", "RemoteEndpoint", "query"]

MAX_BYTES = 256 << 20
"""The most bytes of an answer that are read."""

_MAX_URL_QUERY = 2_000
"""Characters of a query up to which it is sent in the URL: some servers and proxies refuse URLs of 8 KB."""

_MAX_MESSAGE = 500
"""Characters of an endpoint's error message that are shown."""

_CHUNK = 1 << 16
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "; it requires a token (PROVREPO_TOKEN)",
    HTTPStatus.NOT_FOUND: "; is this the address of the endpoint itself?",
}

_ROWS = "application/sparql-results+json, application/sparql-results+xml;q=0.9, application/json;q=0.5"
_TRIPLES = "application/n-triples, text/turtle;q=0.9, application/rdf+xml;q=0.8, application/ld+json;q=0.5"
_ACCEPT = {"SELECT": _ROWS, "ASK": _ROWS, "CONSTRUCT": _TRIPLES, "DESCRIBE": _TRIPLES}


class RemoteEndpoint:
    """A SPARQL endpoint.

    Attributes:
        url: its address.
        timeout: seconds for one query, until the last byte of its answer.
    """

    def __init__(self, url: str, token: str = "", timeout: float = QUERY_SECONDS) -> None:
        """Set the address; no request is sent yet.

        Args:
            url: an http or https URL.
            token: sent as ``Authorization: Bearer``, unless it is empty.
            timeout: in seconds.

        Raises:
            UsageError: not such a URL.
            SettingsError: the token contains a character that is not allowed in a token.
        """
        if web_address(url) is None:
            raise UsageError(f"{url!r} is not the http or https URL of an endpoint")
        self.url = url
        self.timeout = timeout
        self._token = bearer(token)

    def query(self, text: str) -> QueryResult:
        """Send a query and return its answer.

        Args:
            text: a SELECT, ASK, CONSTRUCT or DESCRIBE query. Prefixes of ``provrepo.vocab.PREDECLARED`` that it uses
                without a declaration are declared, as for queries to the repository itself.

        Raises:
            QueryError: the endpoint reports an error in the query; the message contains the endpoint's message,
                shortened.
            RemoteError: the endpoint cannot be reached, refuses, fails, or its answer cannot be read.
            TooLarge: the answer is longer than ``MAX_BYTES``.
        """
        wrapper = self._wrapper(text)
        if wrapper.queryType not in _ACCEPT:
            raise QueryError(f"only SELECT, ASK, CONSTRUCT and DESCRIBE queries can be sent, not {wrapper.queryType}")
        request = wrapper._createRequest()  # a private method, but the only one that returns the request
        request.add_header("Accept", _ACCEPT[wrapper.queryType])
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        data, media_type = self._send(request)
        try:
            return results.parse(data, media_type)
        except ReadError as error:
            raise RemoteError(f"{self.url} gave an answer that cannot be read: {error}") from error

    def _wrapper(self, text: str) -> SPARQLWrapper:
        from SPARQLWrapper import GET, POST, SPARQLWrapper

        wrapper = SPARQLWrapper(self.url, agent="provrepo")
        with warnings.catch_warnings():
            # It warns on standard error of queries that it cannot classify; the message of the endpoint is better.
            warnings.simplefilter("ignore", RuntimeWarning)
            wrapper.setQuery(_declared(text))
        # Otherwise it sends the format in five parameters, none of which is part of a standard.
        wrapper.setOnlyConneg(True)
        wrapper.setMethod(POST if len(text) > _MAX_URL_QUERY else GET)
        return wrapper

    def _send(self, request: urllib.request.Request) -> tuple[bytes, str]:
        deadline = time.monotonic() + self.timeout
        opener = urllib.request.build_opener(_OnlyHttp)
        try:
            with opener.open(request, timeout=self.timeout) as response:
                return self._read(response, deadline), response.headers.get("Content-Type", "")
        except urllib.error.HTTPError as error:
            with error:
                raise self._status(error) from None
        except TimeoutError as error:
            raise RemoteError(f"{self.url} did not answer within {lasting(self.timeout)}") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise RemoteError(f"{self.url} did not answer within {lasting(self.timeout)}") from error
            raise RemoteError(f"{self.url} cannot be reached: {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RemoteError(f"{self.url} cannot be queried: {error or type(error).__name__}") from error

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        # Read in pieces: the socket's timeout is for one piece, so a slow answer would never end.
        chunks, size = [], 0
        while chunk := response.read1(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BYTES:
                raise TooLarge(f"{self.url} answers more than {MAX_BYTES >> 20} MB; ask for less, or with LIMIT")
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(chunks)

    def _status(self, error: urllib.error.HTTPError) -> QueryError | RemoteError:
        message = _shortened(error)
        if error.code == HTTPStatus.BAD_REQUEST:
            return QueryError(f"{self.url} does not accept the query: {message}")
        return RemoteError(f"{self.url} answered {error.code}: {message}{_HINTS.get(error.code, '')}")


def query(url: str, text: str, *, token: str = "", timeout: float = QUERY_SECONDS) -> QueryResult:
    """Send one query to an endpoint; see ``RemoteEndpoint``."""
    return RemoteEndpoint(url, token, timeout).query(text)


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Redirects to http and https only, since ``file:`` and ``ftp:`` would reach this machine and its network."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The redirected request.

        Raises:
            urllib.error.URLError: the redirect leads to another scheme.
        """
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"it redirects to {newurl!r}, which is neither http nor https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _declared(text: str) -> str:
    """The query with declarations of the predeclared prefixes that it uses but does not declare."""
    missing = [
        f"PREFIX {prefix}: <{name}>\n"
        for prefix, name in PREDECLARED.items()
        if re.search(rf"(?<![\w:.-]){prefix}:", text) and not re.search(rf"(?i:prefix)\s+{prefix}\s*:", text)
    ]
    return "".join(missing) + text


def _shortened(error: urllib.error.HTTPError) -> str:
    """The body of an error answer, on one line, without markup, and shortened."""
    try:
        body = error.read(_CHUNK).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        body = ""
    if "<html" in body[:500].lower():
        body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", body)
    return quoted(body, _MAX_MESSAGE) or quoted(str(error.reason), _MAX_MESSAGE) or "nothing"
