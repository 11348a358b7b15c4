"""aiohttp, and fsspec through it. The digest is that of ``read``, ``text`` and ``json``; a stream has none."""

from __future__ import annotations

import functools
from typing import Any

from .observing import contained, original_of, replace
from .resources import Answer


def adapt(module: Any) -> None:
    """Adapt ``aiohttp.client_reqrep``."""
    _observe(module.ClientResponse, "start", _begun)
    _observe(module.ClientResponse, "read", _read)


def _observe(kind: Any, name: str, observe: Any) -> None:
    original = original_of(kind, name)
    if original is None:
        return

    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await original(self, *args, **kwargs)
        contained(f"aiohttp.{name}", observe, self, result)
        return result

    replace(kind, name, call, original)


_answers: dict[int, tuple[Any, Answer]] = {}
"""The answers by the addresses of responses, which have no place for more attributes; one a response."""


def _begun(response: Any, _: Any) -> None:
    if len(_answers) >= 100:
        _answers.clear()
    answer = Answer(response.method, str(response.url), response.status, response.headers, decoded=True)
    _answers[id(response)] = (response, answer)


def _read(response: Any, data: bytes) -> None:
    known, answer = _answers.pop(id(response), (None, None))
    if known is response and answer is not None:
        answer.read(data)
        answer.ended()
