"""The events of OpenLineage 2-0-2, read from JSON: one object, an array, or JSON lines.

https://openlineage.io/spec/2-0-2/OpenLineage.json. An event that cannot be understood is reported with its place and
left out; it does not affect the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from math import isfinite
from typing import Any, NamedTuple, NoReturn

from provrepo.errors import ReadError
from provrepo.importers.masking import masked, without_login

__all__ = ["FORMAT", "Dataset", "Event", "Moment", "Problem", "canonical", "events", "parse", "read_event"]

TYPES = ("OTHER", "START", "RUNNING", "COMPLETE", "ABORT", "FAIL")
"""Values of ``eventType``, in the order of events with the same time."""

FORMAT = "openlineage"

_MEMBERS = ("eventType", "eventTime", "producer", "schemaURL")
_OF_KINDS = {"run": ("run", "job"), "job": ("job",), "dataset": ("dataset",)}
_SIDES = {"run": ("inputs", "outputs"), "job": ("inputs", "outputs"), "dataset": ()}
"""Members of each kind of event: its objects, and its lists of datasets."""

_SPACE = re.compile(r"[ \t\r\n]*")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?[ ]?(?:([Zz])|([+-]\d\d):?(\d\d)?)?", re.ASCII
)


class Problem(NamedTuple):
    """Something in an event that is not as the specification says.

    Attributes:
        pointer: JSON pointer of the value (RFC 6901), from the event.
        message: what is wrong.
        fatal: whether the event cannot be understood without it.
    """

    pointer: str
    message: str
    fatal: bool = False


class Moment(NamedTuple):
    """A time of an event, which sorts by the instant at full precision; a time without a zone sorts as UTC.

    Attributes:
        instant: seconds since year 1, in UTC.
        fraction: digits of the fraction of a second, without zeros at the end.
        lexical: the time as an ``xsd:dateTime``, in the zone in which it was written.
        zoned: whether it was written with a zone.
    """

    instant: int
    fraction: str
    lexical: str
    zoned: bool

    @classmethod
    def parse(cls, text: str) -> Moment | None:
        """The time that a text states; None where it is not a time."""
        found = _TIME.fullmatch(text.strip())
        if found is None:
            return None
        day, minute, second, fraction, utc, hours, minutes = found.groups()
        clock = f"{day}T{minute}:{second or '00'}"
        zone = "Z" if utc else f"{hours}:{minutes or '00'}" if hours else ""
        try:
            moment = datetime.fromisoformat(clock + ("+00:00" if zone in ("", "Z") else zone))
        except ValueError:
            return None
        shift = moment.utcoffset() or timedelta()
        seconds = moment.toordinal() * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second
        lexical = clock + (f".{fraction}" if fraction else "") + zone
        return cls(seconds - int(shift.total_seconds()), (fraction or "").rstrip("0"), lexical, bool(zone))


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


def canonical(data: object) -> bytes:
    """A JSON value as one line of UTF-8, with sorted keys and without spaces."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def parse(data: bytes, failed: Callable[[ReadError], None] | None = None) -> Iterator[tuple[int, str, Any]]:
    """The values of a text: JSON lines, values one after the other, or the members of arrays.

    Args:
        data: UTF-8.
        failed: called for text that is not JSON; reading goes on at the next line. Without it the error is raised.

    Yields:
        For each value its line, its JSON pointer in the array that contains it (empty outside of arrays), and itself.

    Raises:
        ReadError: the text is not JSON, with line and column.
    """
    text = data.decode("utf-8")
    place = _Place(text)
    position = _skip(text, 0)
    while position < len(text):
        try:
            if text[position] == "[":
                position = yield from _members(text, position, place)
            else:
                value, end = _decoded(text, position, place)
                yield place.line(position), "", value
                position = end
        except ReadError as error:
            if failed is None:
                raise
            # The value is where it starts: a half one seems to end in a later line.
            failed(ReadError(error.message, line=place.line(position), format=FORMAT))
            position = text.find("\n", position) + 1 or len(text)
        position = _skip(text, position)


def _members(text: str, position: int, place: _Place) -> Generator[tuple[int, str, Any], None, int]:
    """The members of the array at an offset; returns the offset after it."""
    number, position = 0, _skip(text, position + 1)
    if text[position : position + 1] == "]":
        return position + 1
    while True:
        value, end = _decoded(text, position, place)
        yield place.line(position), f"/{number}", value
        number, position = number + 1, _skip(text, end)
        following = text[position : position + 1]
        if following == "]":
            return position + 1
        if following != ",":
            raise place.error("expected a comma or ']'", position)
        position = _skip(text, position + 1)


def events(
    data: bytes, failed: Callable[[ReadError], None] | None = None
) -> Iterator[tuple[Event | None, list[Problem], int, str]]:
    """The events of a text; arguments as ``parse``.

    Yields:
        For each value the event, None where it cannot be understood; its problems; its line; its JSON pointer.

    Raises:
        ReadError: the text is not JSON, with line and column.
    """
    for line, pointer, value in parse(data, failed):
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
        return None, [next(_unwritable(value, ""))]
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


def _unwritable(value: Any, pointer: str) -> Iterator[Problem]:
    """What Python reads from JSON and cannot write again: half a character, escaped, and numbers like ``1e999``."""
    if isinstance(value, float) and not isfinite(value):
        yield Problem(pointer, "a number beyond what computers exchange", fatal=True)
    elif isinstance(value, str) and not _is_unicode(value):
        yield Problem(pointer, "half a character (a lone surrogate), which is no Unicode", fatal=True)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unwritable(item, f"{pointer}/{number}")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not _is_unicode(key):
                yield Problem(
                    pointer, "a key with half a character (a lone surrogate), which is no Unicode", fatal=True
                )
            else:
                yield from _unwritable(item, f"{pointer}/{_escaped(key)}")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


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
            yield Problem(f"{pointer}/{_escaped(key)}", "no member of the specification; it stays in the event alone")


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
                yield Problem(f"{pointer}/{member}/{_escaped(key)}", "a facet is an object; it is not read")


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("namespace"), str)
        and isinstance(value.get("name"), str)
        and bool(value["name"])
    )


def _escaped(key: str) -> str:
    return without_login(key).replace("~", "~0").replace("/", "~1")


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Spark writes some facets twice; the same value again says nothing else."""
    result = dict(pairs)
    if len(result) != len(pairs) and any(canonical(result[key]) != canonical(value) for key, value in pairs):
        raise _DuplicateKeyError
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _decoded(text: str, position: int, place: _Place) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except _DuplicateKeyError:
        raise place.error("an object in this event has a key twice, with different values", position) from None
    except json.JSONDecodeError as error:
        raise place.error(f"not JSON: {error.msg}", error.pos) from None
    except ValueError as error:
        raise place.error(str(error), position) from None


class _Place:
    """Counts the lines of a text, which is read forwards."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._offset = 1, 0

    def line(self, offset: int) -> int:
        """The line of an offset that is not before the last one."""
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line

    def error(self, message: str, offset: int) -> ReadError:
        """An error at an offset."""
        line = self._text.count("\n", 0, offset) + 1
        return ReadError(message, line=line, column=offset - self._text.rfind("\n", 0, offset), format=FORMAT)


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
