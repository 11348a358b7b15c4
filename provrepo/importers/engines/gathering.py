"""The many small record files of an engine as the bytes of one document: a JSON object, path → record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.errors import ReadError
from provrepo.importers.json_values import canonical, parse, unwritable
from provrepo.importers.shapes import Shapes
from provrepo.importers.sources import SourceFile

__all__ = ["Gathered", "gather", "gathered", "project_of", "within"]

_MOST = 4 * 1024 * 1024
"""Bytes of one record file that are read."""


class Gathered(NamedTuple):
    """What ``gather`` put together.

    Attributes:
        project: what the folder of the workflow is called in IRIs.
        records: path → the JSON value of the file, or its text where it is no JSON.
        more: what the importer found beside the records.
    """

    project: str
    records: Mapping[str, Any]
    more: Mapping[str, Any]


def within(
    files: Sequence[SourceFile], marker: str, elsewhere: Callable[[SourceFile], tuple[str, str] | None]
) -> dict[str, dict[str, SourceFile]]:
    """The record files of each workflow among some files.

    Args:
        files: of a folder.
        marker: the path of the engine's folder in that of the workflow, with a slash at the end.
        elsewhere: recognizes a record that is in another place, such as a copy of the engine's folder: returns the
            folder of its workflow, empty or with a slash at the end, and its path in the engine's folder.

    Returns:
        The folder of the workflow → the path of a record in the engine's folder → its file.
    """
    found: dict[str, dict[str, SourceFile]] = {}
    for file in files:
        before, mark, after = f"/{file.path}".partition(f"/{marker}")
        place = (f"{before}/".removeprefix("/"), after) if mark else elsewhere(file)
        if place is not None:
            found.setdefault(place[0], {})[place[1]] = file
    return found


def project_of(folder: str, root: Path | None) -> str:
    """A name for the folder of a workflow: its own, and where it is on a disk, a digest of its place."""
    name = folder.rstrip("/").rpartition("/")[2]
    if root is None:
        return name or "workflow"
    path = (root / folder).resolve()
    return f"{name or path.name}-{sha256(str(path).encode()).hexdigest()[:8]}"


def gather(key: str, project: str, records: Mapping[str, SourceFile], more: Mapping[str, Any]) -> bytes:
    """The bytes of a document.

    Args:
        key: the key by which the format is recognized; its value is the name of the project.
        project: that name.
        records: path → file.
        more: what belongs to it beside the records.

    Raises:
        OSError: a file cannot be read.
    """
    return canonical({key: project, "records": {path: _value(file) for path, file in records.items()}, **more})


def _value(file: SourceFile) -> Any:
    text = file.read(_MOST).decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=_no_json)
        wrong = next(unwritable(value, ""), None)
    except (ValueError, RecursionError):
        return text
    return text if wrong is not None or not re.match(r"\s*\{", text) else value


def _no_json(name: str) -> None:
    raise ValueError(name)


def gathered(data: bytes, format: str, key: str) -> Gathered:  # noqa: A002
    """What the bytes of a document contain.

    Raises:
        ReadError: not the JSON of ``gather``, with line and column if it is no JSON.
    """
    values = list(parse(data, format))
    found = values[0][2] if len(values) == 1 and not values[0][1] else None
    if not isinstance(found, dict) or not isinstance(found.get(key), str) or not isinstance(found.get("records"), dict):
        message = f"an object with {key} and records is needed, as `provrepo import FOLDER` makes it"
        raise ReadError(message, format=format)
    wrong = next(unwritable(found, ""), None)
    if wrong is not None:
        raise ReadError(f"{wrong.pointer}: {wrong.message}", format=format)
    shapes = Shapes([], "record")
    return Gathered(found[key], found["records"], shapes.object({**found}, ""))
