"""Ledger entries: the bytes that are kept for good, and what they mean.

An entry is one JSON object in canonical form (:func:`canonical`). Its identity is the SHA-256 of exactly these bytes,
and it holds the SHA-256 of its predecessor, so that the last digest of a stream vouches for all of it.

Fields of every entry:

============  =======  ===================================================================================
field         type     meaning
============  =======  ===================================================================================
``kind``      string   ``submit``, ``withdraw``, ``erase`` or ``settings``
``project``   string   whose stream it stands in; empty for the repository's own
``sequence``  integer  its number in that stream, from 1 without gaps
``previous``  string   SHA-256 of the bytes of entry ``sequence - 1``; empty for the first
``actor``     string   opaque identifier of who acted; names live elsewhere, since they may have to change
``time``      string   xsd:dateTime in UTC, ending in ``Z``
``software``  string   name and version of what wrote the entry
============  =======  ===================================================================================

``submit``: a document's bytes were accepted as a new version.

==============  ===============  ===========================================================================
``document``    string           the document's name in the project
``version``     integer          from 1 without gaps
``blob``        SHA-256          of the submitted bytes
``size``        integer          of the submitted bytes
``format``      string           in which they were read
``base``        string           against which relative IRIs were resolved; may be empty
``title``       string           for people; may be empty
``statements``  integer          how many were read
``layers``      list of strings  the checks that ran
``profiles``    list of strings  what it was held against
``mapping``     string           version of the codec and mapping that read it
``verdict``     string           ``conforms`` or ``fails``
``report``      SHA-256          of the report, itself a blob
``note``        string           what the submitter said; may be empty
``origin``      object or null   where it came from, when a peer sent it
==============  ===============  ===========================================================================

``withdraw``: the document is no longer offered. Its versions stay.

==============  ===============  ===========================================================================
``document``    string           the document's name
``version``     integer          the version that was current
``reason``      string           why
==============  ===============  ===========================================================================

``erase``: the bytes of one version are gone for good; its entries stay.

==============  ===============  ===========================================================================
``document``    string           the document's name
``version``     integer          whose bytes
``blob``        SHA-256          of the bytes that are gone
``reason``      string           why
==============  ===============  ===========================================================================

``settings``: what was changed, each value replacing the former one. Keys in use: for a project ``public`` (boolean),
``title`` (string) and ``profiles`` (list of strings); for the repository's own stream ``base`` (string); for both
``profile:NAME``, a profile of their own (an object: ``version``, ``title``, and ``blob``, the SHA-256 of what it
consists of). An entry has one of these at most. Further keys are kept as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from provrepo.errors import Damaged, InvalidName

__all__ = [
    "KINDS",
    "PROFILE",
    "REPOSITORY",
    "Entry",
    "canonical",
    "check_name",
    "compose",
    "named",
    "now",
    "parse",
    "profile_blob",
    "timestamp",
]

REPOSITORY = ""
"""The name of the repository's own stream, which holds settings such as the base IRI."""

PROFILE = "profile:"
"""What the key of a profile begins with, in an entry of settings."""

_LARGEST = 2**53
_DEEPEST = 32

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def canonical(value: Any) -> bytes:
    """A value as canonical JSON: RFC 8785 (JCS) without its fractional numbers.

    Keys are sorted by UTF-16 code units (RFC 8785, 3.2.3), there is no whitespace, and the text is UTF-8. Equal values
    give equal bytes.

    Args:
        value: objects with string keys, lists or tuples, strings, integers within ±2^53, booleans, None.

    Raises:
        ValueError: a float, an integer out of range, a lone surrogate, a key that is not a string, nesting deeper
            than 32, or any other type.
    """
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def parse(data: bytes) -> dict[str, Any]:
    """The object that canonical JSON bytes hold: the inverse of :func:`canonical`, and as strict.

    Raises:
        ValueError: not the canonical form of an object, with the reason.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    if canonical(value) != data:
        raise ValueError("not in canonical form")
    return value


def _ordered(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError(f"nested deeper than {_DEEPEST}")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ValueError("an integer beyond 2^53")
        return int(value)
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, list | tuple):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        keys = sorted(map(_encodable, value), key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key], depth + 1) for key in keys}
    raise ValueError(f"a {type(value).__name__} has no canonical form")


def _encodable(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError(f"a key that is a {type(text).__name__}")
    text.encode("utf-8")  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    return str(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _integer(text: str) -> int:
    if len(text) > len(str(-_LARGEST)):
        raise ValueError("an integer beyond 2^53")
    return int(text)


def _no_float(text: str) -> Any:
    raise ValueError(f"a number that is not an integer: {text[:40]}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return _is_count(value) and value >= 1


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_verdict(value: Any) -> bool:
    return value in ("conforms", "fails")


def _is_origin(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_link(value: Any) -> bool:
    return value == "" or _is_digest(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _is_stream(value: Any) -> bool:
    return value == REPOSITORY or _is_name(value)


_Check = Callable[[Any], bool]

_COMMON: dict[str, _Check] = {
    "kind": _is_text,
    "project": _is_stream,
    "sequence": _is_number,
    "previous": _is_link,
    "actor": _is_text,
    "time": _is_time,
    "software": _is_text,
}

_BODIES: dict[str, dict[str, _Check]] = {
    "submit": {
        "document": _is_name,
        "version": _is_number,
        "blob": _is_digest,
        "size": _is_count,
        "format": _is_text,
        "base": _is_text,
        "title": _is_text,
        "statements": _is_count,
        "layers": _is_texts,
        "profiles": _is_texts,
        "mapping": _is_text,
        "verdict": _is_verdict,
        "report": _is_digest,
        "note": _is_text,
        "origin": _is_origin,
    },
    "withdraw": {"document": _is_name, "version": _is_number, "reason": _is_text},
    "erase": {"document": _is_name, "version": _is_number, "blob": _is_digest, "reason": _is_text},
    "settings": {},
}


def _is_profile(value: Any) -> bool:
    fields = {"version": _is_text, "title": _is_text, "blob": _is_digest}
    return isinstance(value, Mapping) and value.keys() == fields.keys() and all(fields[k](value[k]) for k in fields)


_SETTINGS: dict[str, _Check] = {"public": _is_flag, "title": _is_text, "profiles": _is_texts, "base": _is_text}

KINDS: tuple[str, ...] = tuple(_BODIES)
"""The kinds of entry that this version knows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger entry. Two entries are equal when their bytes are.

    Attributes:
        kind: what happened; one of ``KINDS``, unless a newer version wrote the entry.
        project: whose stream it stands in; ``REPOSITORY`` for the repository's own.
        sequence: its number in that stream, from 1.
        previous: SHA-256 of its predecessor's bytes, in hexadecimal; empty for the first.
        actor: opaque identifier of who acted.
        time: xsd:dateTime in UTC.
        software: what wrote the entry.
        body: the fields of the kind (see the module's tables), read-only.
        data: the canonical bytes.
        sha256: the digest of ``data``, in hexadecimal.
    """

    kind: str = field(compare=False)
    project: str = field(compare=False)
    sequence: int = field(compare=False)
    previous: str = field(compare=False)
    actor: str = field(compare=False)
    time: str = field(compare=False)
    software: str = field(compare=False)
    body: Mapping[str, Any] = field(compare=False)
    data: bytes = field(repr=False)
    sha256: str = field(compare=False)

    @classmethod
    def from_bytes(cls, data: bytes, *, strict: bool = True) -> Entry:
        """Read an entry.

        Args:
            data: its bytes.
            strict: refuse a kind that this version does not know; without it such an entry has the common fields
                checked only.

        Raises:
            Damaged: not an entry, or one of an unknown kind.
        """
        try:
            fields = parse(data)
            _check(fields, _COMMON)
            _check(fields, _BODIES.get(fields["kind"], {}))
        except ValueError as error:
            raise Damaged(f"not a ledger entry: {error}") from error
        entry = _entry(fields, data)
        return entry.known() if strict else entry

    def known(self) -> Entry:
        """This entry, when its kind is one that this version knows.

        Raises:
            Damaged: it is not, and what it means cannot be guessed.
        """
        if self.kind not in _BODIES:
            raise Damaged(
                f"{self.place} is of the kind {self.kind!r}, written by a newer version of provrepo: upgrade to read it"
            )
        return self

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"entry {self.sequence} of {named(self.project)}"

    @property
    def fields(self) -> dict[str, Any]:
        """The whole decoded object, common fields and those of the kind: the caller's own copy."""
        decoded: dict[str, Any] = json.loads(self.data)
        return decoded

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self.data,)


def compose(
    kind: str,
    body: Mapping[str, Any],
    *,
    project: str,
    sequence: int,
    previous: str,
    actor: str,
    time: str,
    software: str,
) -> Entry:
    """Make an entry, checking every field.

    Raises:
        InvalidName: the name of the project or document is none.
        ValueError: an unknown kind; a field that is missing, unknown, or of the wrong type.
    """
    if kind not in _BODIES:
        raise ValueError(f"no entry is of the kind {kind!r}; there are: {', '.join(KINDS)}")
    if project == REPOSITORY and kind != "settings":
        raise ValueError(f"the repository's own stream holds settings only, not {kind!r}")
    check_name(project, stream=True)
    if "document" in body:
        check_name(body["document"])
    taken = sorted(_COMMON.keys() & body.keys())
    if taken:
        raise ValueError(f"{taken[0]!r} is a field of every entry and cannot stand in a body")
    wanted = _BODIES[kind]
    unknown = sorted(body.keys() - wanted.keys()) if wanted else []
    if unknown:
        raise ValueError(f"a {kind} entry has no field {unknown[0]!r}; there are: {', '.join(wanted)}")
    _check(body, wanted or _settings(body))
    fields = {
        "kind": kind,
        "project": project,
        "sequence": sequence,
        "previous": previous,
        "actor": actor,
        "time": time,
        "software": software,
        **body,
    }
    _check(fields, _COMMON)
    data = canonical(fields)
    return _entry(parse(data), data)


def profile_blob(body: Mapping[str, Any]) -> str | None:
    """The SHA-256 of the profile that an entry of settings sets; None where it sets none."""
    return next((value["blob"] for key, value in body.items() if key.startswith(PROFILE) and _is_profile(value)), None)


def _settings(body: Mapping[str, Any]) -> dict[str, _Check]:
    profiles = [key for key in body if key.startswith(PROFILE)]
    if len(profiles) > 1:
        raise ValueError("an entry sets one profile at most")
    for key in profiles:
        check_name(key.removeprefix(PROFILE))
    return {name: _SETTINGS.get(name, _is_profile) for name in body if name in _SETTINGS or name in profiles}


def check_name(name: Any, *, stream: bool = False) -> None:
    """Refuse what cannot name a project or document.

    Args:
        name: the name.
        stream: whether ``REPOSITORY`` is allowed as well.

    Raises:
        InvalidName: it is none.
    """
    if not (_is_stream(name) if stream else _is_name(name)):
        raise InvalidName(
            f"{name!r} is not a name: 1 to 100 letters A-Z a-z, digits, _ and -, starting with a letter or digit"
        )


def named(project: str) -> str:
    """How messages call a stream."""
    return "the repository's own stream" if project == REPOSITORY else f"project {project}"


def timestamp(moment: datetime) -> str:
    """A moment as the ledger writes it: xsd:dateTime in UTC with milliseconds; such texts sort by time.

    Raises:
        ValueError: a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The present moment as the ledger writes it."""
    return timestamp(datetime.now(UTC))


def _check(fields: Mapping[str, Any], checks: Mapping[str, _Check]) -> None:
    for name, check in checks.items():
        if name not in fields:
            raise ValueError(f"the field {name!r} is missing")
        if not check(fields[name]):
            raise ValueError(f"the field {name!r} cannot be {str(fields[name])[:80]!r}")


def _entry(fields: dict[str, Any], data: bytes) -> Entry:
    body = {name: value for name, value in fields.items() if name not in _COMMON}
    common = {name: fields[name] for name in _COMMON}
    return Entry(**common, body=MappingProxyType(body), data=data, sha256=hashlib.sha256(data).hexdigest())


def _unpickle(data: bytes) -> Entry:
    return Entry.from_bytes(data, strict=False)
