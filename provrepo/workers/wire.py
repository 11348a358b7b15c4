"""What passes between a pool and its workers: frames of JSON, and errors that come out as they went in."""

from __future__ import annotations

import errno
import json
import traceback
from typing import IO, Any

from provrepo import errors

__all__ = ["decode_error", "encode", "encode_error", "frame", "read_frame"]

_HEAD = 8
"""A frame is the length of its body, as so many big-endian bytes, and the body."""


def frame(message: dict[str, Any]) -> bytes:
    """A message as bytes. What JSON cannot hold is asked for its ``to_dict()``.

    Raises:
        TypeError: something in it is neither JSON nor has ``to_dict``.
    """
    body = json.dumps(message, default=encode).encode("ascii")
    return len(body).to_bytes(_HEAD, "big") + body


def encode(value: Any) -> Any:
    """``json``'s ``default``: reports and records say themselves how they are written."""
    to_dict = getattr(value, "to_dict", None)
    if to_dict is None:
        raise TypeError(f"what is a {type(value).__name__} cannot pass between processes; send a file's path, or JSON")
    return to_dict()


def read_frame(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message of a blocking stream; None at its end, also where that comes in the middle of a frame."""
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
    """The message that the bytes received so far amount to; None while some are missing."""
    if len(received) < _HEAD or len(received) - _HEAD < int.from_bytes(received[:_HEAD], "big"):
        return None
    message: dict[str, Any] = json.loads(bytes(received[_HEAD:]))
    return message


def encode_error(error: BaseException) -> dict[str, Any]:
    """An exception as JSON: of ``provrepo.errors`` with its attributes, any other by name and traceback.

    A full disk is an error of provrepo in every process.
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
    """The provrepo error in a reply, with the class and attributes it was raised with; None where there is none.

    An attribute that is a record, such as the report of ``Refused``, arrives as the dictionary of its ``to_dict``.
    """
    name = reply.get("error")
    if name is None:
        return None
    kind: type[errors.Error] = getattr(errors, name)
    # Constructors differ from class to class and build the text from their arguments; text and attributes are
    # known here, so the constructor is passed over.
    error = kind.__new__(kind)
    error.args = (reply["message"],)
    vars(error).update(reply["attributes"])
    return error
