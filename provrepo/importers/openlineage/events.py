"""The events of OpenLineage 2-0-2, read from JSON: one object, an array, or JSON lines.

https://openlineage.io/spec/2-0-2/OpenLineage.json. An event that cannot be understood is reported with its place and
left out; it does not affect the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from provrepo.errors import ReadError
from provrepo.importers.json_values import Problem, canonical, escaped, parse, unwritable
from provrepo.importers.masking import masked
from provrepo.importers.moments import Moment

__all__ = ["FORMAT", "Dataset", "Event", "events", "read_event"]

TYPES = ("OTHER", "START", "RUNNING", "COMPLETE", "ABORT", "FAIL")
"""Values of ``eventType``, in the order of events with the same time."""

FORMAT = "openlineage"

_MEMBERS = ("eventType", "eventTime", "producer", "schemaURL")
_OF_KINDS = {"run": ("run", "job"), "job": ("job",), "dataset": ("dataset",)}
_SIDES = {"run": ("inputs", "outputs"), "job": ("inputs", "outputs"), "dataset": ()}
"""Members of each kind of event: its objects, and its lists of datasets."""


class Dataset(NamedTuple):
    """The name of a dataset or job: unique as a pair.

    Attributes:
        namespace: of its source, such as ``postgres://host:5432``.
        name: in the namespace.
    """

    namespace: str
    name: str


@dataclass(frozen=True, eq=False)
class Event:
    """One event whose shape was checked.

    Attributes:
        data: the JSON object.
        kind: ``run``, ``job`` or ``dataset``; by its keys, since ``schemaURL`` is often wrong.
        time: its ``eventTime``.
        line: the line on which it starts, from 1.
        pointer: its JSON pointer in the source; empty where it is not in an array.
    """

    data: Mapping[str, Any]
    kind: str
    time: Moment
    line: int = 1
    pointer: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON, in hexadecimal: equal for repetitions."""
        return sha256(canonical(self.data)).hexdigest()

    @property
    def type(self) -> str:
        """Its ``eventType``, which may be absent: then it is OTHER."""
        value = str(self.data.get("eventType") or "OTHER").upper()
        return value if value in TYPES else "OTHER"

    @property
    def order(self) -> tuple[int, str, int, str]:
        """What events are ordered by. When they arrived does not count, so that any order gives the same result."""
        return self.time.instant, self.time.fraction, min(TYPES.index(self.type), 3), self.digest

    def member(self, name: str) -> Mapping[str, Any]:
        """A member that is an object; an empty one where it is absent."""
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}

    def datasets(self, side: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The well-formed members of ``inputs`` or ``outputs``, with their JSON pointers."""
        for number, item in enumerate(self.data.get(side) or ()):
            if _is_named(item):
                yield f"{self.pointer}/{side}/{number}", item


def events(
    data: bytes, failed: Callable[[ReadError], None] | None = None
) -> Iterator[tuple[Event | None, list[Problem], int, str]]:
    """The events of a text; arguments as ``parse``.

    Yields:
        For each value the event, None where it cannot be understood; its problems; its line; its JSON pointer.

    Raises:
        ReadError: the text is not JSON, with line and column.
    """
    for line, pointer, value in parse(data, FORMAT, failed):
        event, problems = read_event(value, line, pointer)
        yield event, problems, line, pointer


def read_event(value: Any, line: int = 1, pointer: str = "") -> tuple[Event | None, list[Problem]]:
    """One event from JSON, and what is unusual in it.

    Args:
        value: the JSON value.
        line: the line on which it starts.
        pointer: its JSON pointer in the source.

    Returns:
        The event, None where it cannot be understood; and its problems.
    """
    problems: list[Problem] = []
    if not isinstance(value, dict):
        return None, [Problem("", "an event is a JSON object", fatal=True)]
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:
        return None, [next(unwritable(value, ""))]
    kind = "run" if "run" in value else "job" if "job" in value else "dataset" if "dataset" in value else ""
    if not kind:
        return None, [Problem("", "neither a run event, nor a job event, nor a dataset event", fatal=True)]
    time = Moment.parse(value["eventTime"]) if isinstance(value.get("eventTime"), str) else None
    if time is None:
        problems.append(Problem("/eventTime", "a time such as 2026-01-31T10:00:00Z is needed", fatal=True))
    elif not time.zoned:
        problems.append(Problem("/eventTime", "a time without a zone, which is ordered as UTC"))
    run = value.get("run")
    if kind == "run" and not (isinstance(run, dict) and isinstance(run.get("runId"), str) and run["runId"]):
        problems.append(Problem("/run/runId", "an identifier of the run is needed", fatal=True))
    for name in ("dataset",) if kind == "dataset" else ("job",):
        if not _is_named(value.get(name)):
            problems.append(Problem(f"/{name}", "an object with a namespace and a name is needed", fatal=True))
    problems += _problems(value, kind)
    if time is None or any(problem.fatal for problem in problems):
        return None, problems
    return Event(value, kind, time, line, pointer), problems


def _problems(value: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    for name in ("producer", "schemaURL"):
        if not isinstance(value.get(name), str):
            yield Problem(f"/{name}", "missing, or not a string")
    if kind == "run" and value.get("eventType") is not None and str(value["eventType"]).upper() not in TYPES:
        yield Problem("/eventType", f"{masked(str(value['eventType']))[:40]!r} is read as OTHER")
    for side in _SIDES[kind]:
        found = value.get(side)
        if found is not None and not isinstance(found, list):
            yield Problem(f"/{side}", "not a list of datasets; it is not read", fatal=True)
        for number, item in enumerate(found if isinstance(found, list) else ()):
            if not _is_named(item):
                yield Problem(f"/{side}/{number}", "a dataset without a namespace and a name; it is not read")
            else:
                own = f"{side[:-1]}Facets"
                yield from _other_members(item, f"/{side}/{number}", ("namespace", "name", "facets", own))
                yield from _facet_problems(item, f"/{side}/{number}", ("facets", own))
    yield from _other_members(value, "", (*_MEMBERS, *_OF_KINDS[kind], *_SIDES[kind]))
    for name in _OF_KINDS[kind]:
        yield from _other_members(value.get(name), f"/{name}", ("runId", "namespace", "name", "facets"))
        if isinstance(value.get(name), dict):
            yield from _facet_problems(value[name], f"/{name}", ("facets",))


def _other_members(found: Any, pointer: str, known: tuple[str, ...]) -> Iterator[Problem]:
    """Members that the specification does not have: no statement is made of them."""
    for key in found if isinstance(found, dict) else ():
        if key not in known:
            yield Problem(f"{pointer}/{escaped(key)}", "no member of the specification; it stays in the event alone")


def _facet_problems(item: Mapping[str, Any], pointer: str, members: tuple[str, ...]) -> Iterator[Problem]:
    for member in members:
        facets = item.get(member)
        if facets is None:
            continue
        if not isinstance(facets, dict):
            yield Problem(f"{pointer}/{member}", "facets are an object; they are not read")
            continue
        for key, facet in facets.items():
            if not isinstance(facet, dict):
                yield Problem(f"{pointer}/{member}/{escaped(key)}", "a facet is an object; it is not read")


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("namespace"), str)
        and isinstance(value.get("name"), str)
        and bool(value["name"])
    )
