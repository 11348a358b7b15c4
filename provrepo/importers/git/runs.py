"""The commands that DataLad recorded in the messages of commits (``datalad run``)."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

__all__ = ["declared_in", "record_in", "without_record"]

_RECORD = re.compile(
    r"(?ms)^=== Do not change lines below ===[ \t]*\n(.*?)\n\^\^\^ Do not change lines above \^\^\^[ \t]*$"
)
_MOST = 10_000


def record_in(message: str) -> tuple[dict[str, Any] | None, str]:
    """The record of a command in a message, and what is wrong with it; None and nothing in other messages."""
    found = _RECORD.search(message)
    if found is None:
        return None, ""
    try:
        record = json.loads(found[1])
    except (ValueError, RecursionError) as error:
        return None, f"the record of DataLad is not JSON ({error}); no command is stated"
    if isinstance(record, str):
        return None, f"the record of DataLad is in the file .datalad/runinfo/{record[:100]}, which is not read"
    if not isinstance(record, dict):
        return None, "the record of DataLad is no JSON object; no command is stated"
    return record, ""


def without_record(message: str) -> str:
    """A message without the record of a command."""
    return _RECORD.sub("", message)


def declared_in(message: str) -> tuple[list[str] | None, list[str]]:
    """The declared inputs of a command in a message, as paths of the repository, and those that are none.

    Paths are relative to the folder in which the command ran, which is relative to the repository.
    """
    record, _ = record_in(message)
    if record is None:
        return None, []
    inside, outside = dict[str, None](), []
    folder = record.get("pwd") if isinstance(record.get("pwd"), str) else "."
    for name in ("inputs", "extra_inputs"):
        listed = record.get(name)
        for path in (listed if isinstance(listed, list) else [])[:_MOST]:
            if not isinstance(path, str) or not path or "\0" in path or "\n" in path:
                continue
            whole = posixpath.normpath(posixpath.join(str(folder), path))
            if whole.startswith(("/", "../")) or whole == "..":
                outside.append(path)
            else:
                inside["" if whole == "." else whole] = None
    return list(inside), outside
