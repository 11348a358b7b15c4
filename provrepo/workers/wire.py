"""The protocol between a pool and its workers: JSON in frames, and exceptions as JSON."""

from __future__ import annotations

import errno
import json
import traceback
from typing import IO, Any

from provrepo import errors

__all__ = ["decode_error", "encode", "encode_error", "frame", "read_frame"]

_HEAD = 8
"""Bytes of the length at the beginning of a frame, big-endian; the body follows."""


def frame(message: dict[str, Any]) -> bytes:
    """A message as one frame. Values that are not JSON are converted by their ``to_dict()``.

    Raises:
        TypeError: a value is not JSON and has no ``to_dict``.
    """
    body = json.dumps(message, default=encode).encode("ascii")
    return len(body).to_bytes(_HEAD, "big") + body


def encode(value: Any) -> Any:
    """The ``default`` function for ``json.dumps``: calls ``to_dict()`` of reports and records."""
    to_dict = getattr(value, "to_dict", None)
    if to_dict is None:
        raise TypeError(
            f"a value of type {type(value).__name__} cannot pass between processes; send JSON, or the path of a file"
        )
    return to_dict()


def read_frame(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message of a blocking stream; None at its end, even within a frame."""
    head = stream.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size)
    if len(body) < size:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def complete(received: bytes | bytearray) -> dict[str, Any] | None:
    """The message in a complete frame; None while bytes are missing."""
    if len(received) < _HEAD or len(received) - _HEAD < int.from_bytes(received[:_HEAD], "big"):
        return None
    message: dict[str, Any] = json.loads(bytes(received[_HEAD:]))
    return message


def encode_error(error: BaseException) -> dict[str, Any]:
    """An exception as JSON: one of ``provrepo.errors`` with its attributes, any other with name and traceback.

    An ``OSError`` for a full disk becomes ``NoSpace``.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = errors.NoSpace(f"the disk is full: {error}")
    name = next((c.__name__ for c in type(error).__mro__ if getattr(errors, c.__name__, None) is c), None)
    if name is None:
        return {
            "exception": type(error).__name__,
            "message": str(error),
            "traceback": "".join(traceback.format_exception(error)),
        }
    return {"error": name, "message": str(error), "attributes": vars(error)}


def decode_error(reply: dict[str, Any]) -> errors.Error | None:
    """The exception of ``provrepo.errors`` in a reply, with its class and attributes; None where there is none.

    An attribute that is a record, such as the report of ``Refused``, is the dictionary of its ``to_dict``.
    """
    name = reply.get("error")
    if name is None:
        return None
    kind: type[errors.Error] = getattr(errors, name)
    # Constructors differ by class and build the text from their arguments; here text and attributes are known, so the
    # constructor is not called.
    error = kind.__new__(kind)
    error.args = (reply["message"],)
    vars(error).update(reply["attributes"])
    return error
