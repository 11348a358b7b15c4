"""httpx, synchronous and asynchronous."""

from __future__ import annotations

import functools
from typing import Any

from .observing import after, contained, original_of, replace
from .resources import Answer


def adapt(module: Any) -> None:
    """Adapt ``httpx._transports.default``."""

    class Stream(module.SyncByteStream):  # type: ignore[misc]
        """A stream that tells what is read of it."""

        def __init__(self, stream: Any, answer: Answer) -> None:
            self._stream, self._answer = stream, answer

        def __iter__(self) -> Any:
            for data in self._stream:
                contained("httpx", self._answer.read, data)
                yield data
            contained("httpx", self._answer.ended)

        def close(self) -> None:
            self._stream.close()

    class AsyncStream(module.AsyncByteStream):  # type: ignore[misc]
        """The same, asynchronous."""

        def __init__(self, stream: Any, answer: Answer) -> None:
            self._stream, self._answer = stream, answer

        async def __aiter__(self) -> Any:
            async for data in self._stream:
                contained("httpx", self._answer.read, data)
                yield data
            contained("httpx", self._answer.ended)

        async def aclose(self) -> None:
            await self._stream.aclose()

    def observe(kind: Any, response: Any, request: Any) -> None:
        answer = Answer(request.method, str(request.url), response.status_code, response.headers)
        response.stream = kind(response.stream, answer)

    after(module.HTTPTransport, "handle_request", lambda response, _, request: observe(Stream, response, request))
    original = original_of(module.AsyncHTTPTransport, "handle_async_request")
    if original is None:
        return

    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:
        response = await original(self, request)
        contained("httpx", observe, AsyncStream, response, request)
        return response

    replace(module.AsyncHTTPTransport, "handle_async_request", handle_async_request, original)
