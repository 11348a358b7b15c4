"""Ledger entries: the bytes that are kept for good, and what they mean.

An entry is one JSON object in canonical form (:func:`canonical`). Its identity is the SHA-256 of exactly these bytes,
and it holds the SHA-256 of its predecessor, so that the last digest of a stream vouches for all of it.

``provrepo.ledger.kinds`` is the table of kinds and fields; ``docs/reference/ledger.md`` is made from it. An entry of a
kind that this version does not know is stepped over where the entry itself says that it may be (``ignorable``), and
stops the reader otherwise: what it means for the documents cannot be guessed.

``settings``: what was changed, each value replacing the former one. Keys in use: for a project ``public`` (boolean),
``title`` (string) and ``profiles`` (list of strings); for the repository's own stream ``base`` (string); for both
``profile:NAME``, a profile of their own (an object: ``version``, ``title``, and ``blob``, the SHA-256 of what it
consists of). An entry has one of these at most. Further keys are kept as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from provrepo.errors import Damaged, InvalidName
from provrepo.ledger.kinds import COMMON, KINDS, SETTINGS, Field, Type, check, is_name, is_profile, is_stream

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

_OWN = {name: field for name, field in COMMON.items() if not field.optional}
"""The fields of every entry that are attributes of ``Entry``; ``token`` and ``ignorable`` are in its body."""

_PROFILE = Type("profile", is_profile)


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
            strict: refuse a kind that this version neither knows nor may step over; without it such an entry has the
                common fields checked only.

        Raises:
            Damaged: not an entry, or one of an unknown kind.
        """
        try:
            fields = parse(data)
            check(fields, COMMON)
            if fields["kind"] in KINDS:
                check(fields, KINDS[fields["kind"]].fields)
        except ValueError as error:
            raise Damaged(f"not a ledger entry: {error}") from error
        entry = _entry(fields, data)
        return entry.known() if strict else entry

    def known(self) -> Entry:
        """This entry, when this version knows its kind or may step over it.

        Raises:
            Damaged: neither, and what it means cannot be guessed.
        """
        if not self.understood:
            raise Damaged(
                f"{self.place} is of the kind {self.kind!r}, which this version of provrepo cannot apply and may not "
                f"step over; {self.software} wrote it: upgrade to read what comes after it"
            )
        return self

    @property
    def effective(self) -> bool:
        """Whether it is of a kind that means something to this version: neither unknown nor reserved."""
        return self.kind in KINDS and not KINDS[self.kind].reserved

    @property
    def understood(self) -> bool:
        """Whether what comes after it can be read: it means something to this version, or may be stepped over."""
        return self.effective or self.body.get("ignorable") is True

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
    if kind not in KINDS:
        raise ValueError(f"no entry is of the kind {kind!r}; there are: {', '.join(KINDS)}")
    check_name(project, stream=True)
    if "document" in body and not (kind == "notice" and body["document"] is None):
        check_name(body["document"])
    known = KINDS[kind]
    if known.stream not in ("both", "repository" if project == REPOSITORY else "project"):
        raise ValueError(f"{named(project)} holds no {kind} entry")
    taken = sorted(COMMON.keys() & body.keys() - {"token"})
    if taken:
        raise ValueError(f"{taken[0]!r} is a field of every entry and cannot stand in a body")
    unknown = [] if known.open else sorted(body.keys() - known.fields.keys() - {"token"})
    if unknown:
        raise ValueError(f"a {kind} entry has no field {unknown[0]!r}; there are: {', '.join(known.fields)}")
    check(body, _settings(body) if known.open else known.fields)
    fields = {
        "kind": kind,
        "project": project,
        "sequence": sequence,
        "previous": previous,
        "actor": actor,
        "time": time,
        "software": software,
        **({"ignorable": True} if known.ignorable else {}),
        **body,
    }
    check(fields, COMMON)
    data = canonical(fields)
    return _entry(parse(data), data)


def profile_blob(body: Mapping[str, Any]) -> str | None:
    """The SHA-256 of the profile that an entry of settings sets; None where it sets none."""
    return next((value["blob"] for key, value in body.items() if key.startswith(PROFILE) and is_profile(value)), None)


def _settings(body: Mapping[str, Any]) -> dict[str, Field]:
    profiles = [key for key in body if key.startswith(PROFILE)]
    if len(profiles) > 1:
        raise ValueError("an entry sets one profile at most")
    for key in profiles:
        check_name(key.removeprefix(PROFILE))
    return {name: Field(SETTINGS.get(name, _PROFILE), "") for name in body if name in SETTINGS or name in profiles}


def check_name(name: Any, *, stream: bool = False) -> None:
    """Refuse what cannot name a project or document.

    Args:
        name: the name.
        stream: whether ``REPOSITORY`` is allowed as well.

    Raises:
        InvalidName: it is none.
    """
    if not (is_stream(name) if stream else is_name(name)):
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


def _entry(fields: dict[str, Any], data: bytes) -> Entry:
    body = {name: value for name, value in fields.items() if name not in _OWN}
    common = {name: fields[name] for name in _OWN}
    return Entry(**common, body=MappingProxyType(body), data=data, sha256=hashlib.sha256(data).hexdigest())


def _unpickle(data: bytes) -> Entry:
    return Entry.from_bytes(data, strict=False)
