"""``http.client``: urllib, requests through urllib3, pandas."""

from __future__ import annotations

from typing import Any

from .observing import after, around, before
from .resources import Answer


def adapt(module: Any) -> None:
    """Adapt ``http.client``."""
    before(module.HTTPConnection, "putrequest", _request)
    after(module.HTTPConnection, "getresponse", _answer)
    for name in ("read", "read1", "readline"):
        _observe(module.HTTPResponse, name, lambda result, args: result)
    _observe(module.HTTPResponse, "readinto", lambda count, args: memoryview(args[0])[: count or 0])


def _request(connection: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
    if "://" not in url:
        host, port = connection.host, connection.port
        if getattr(connection, "_tunnel_host", None):
            host, port = connection._tunnel_host, connection._tunnel_port
        secure = connection.default_port == 443
        host = f"[{host}]" if ":" in host else host
        number = "" if port in (None, connection.default_port) else f":{port}"
        url = f"http{'s' if secure else ''}://{host}{number}{url}"
    connection.provrepo_request = (method, url)


def _answer(response: Any, connection: Any, *args: Any, **kwargs: Any) -> None:
    method, url = connection.provrepo_request
    # urllib3 wraps the response of http.client, from which it reads.
    inner = response if hasattr(response, "isclosed") and hasattr(response, "fp") else response._fp
    inner = getattr(response, "_original_response", None) or inner
    if not hasattr(inner, "provrepo_answer"):
        inner.provrepo_answer = Answer(method, url, response.status, response.headers)
        if inner.isclosed():  # it has no content
            inner.provrepo_answer.ended()


def _observe(kind: Any, name: str, data: Any) -> None:
    def first(response: Any, *args: Any, **kwargs: Any) -> None:
        answer = getattr(response, "provrepo_answer", None)
        if answer is not None:
            response.provrepo_depth = getattr(response, "provrepo_depth", 0) + 1

    def then(result: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        answer = getattr(response, "provrepo_answer", None)
        if answer is None:
            return
        response.provrepo_depth -= 1
        if response.provrepo_depth == 0:  # one of these methods calls another
            answer.read(data(result, args))
            if response.length == 0 or (response.length is None and response.isclosed()):
                answer.ended()

    around(kind, name, first, then)
