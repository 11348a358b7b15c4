"""urllib3, and requests through it: chunks of an answer, which no method of ``http.client`` reads."""

from __future__ import annotations

from typing import Any

from .observing import after


def adapt(module: Any) -> None:
    """Adapt ``urllib3.response``."""
    after(module.HTTPResponse, "_handle_chunk", _chunk)
    after(module.HTTPResponse, "_update_chunk_length", _length)


def _chunk(data: Any, response: Any, *args: Any, **kwargs: Any) -> None:
    answer = getattr(response._fp, "provrepo_answer", None)
    if answer is not None:
        answer.read(data)


def _length(_: Any, response: Any) -> None:
    answer = getattr(response._fp, "provrepo_answer", None)
    if answer is not None and response.chunk_left == 0:
        answer.ended()
