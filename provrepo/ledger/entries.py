"""Ledger entries: their canonical bytes and their meaning.

An entry is one JSON object in canonical form (``provrepo.canonical_json``). Its identity is the SHA-256 of exactly
these bytes. It contains the SHA-256 of its predecessor, so that the last digest of a stream covers the whole stream.

``provrepo.ledger.kinds`` is the table of kinds and fields, from which ``docs/reference/ledger.md`` is generated. A
reader skips an entry of an unknown kind if the entry has ``ignorable``, and stops otherwise, since the effect on the
documents is unknown.

The body of a ``settings`` entry contains the settings that were changed; each value replaces the former one. Keys in
use: for a project ``public`` (boolean), ``title`` (string), ``profiles`` (list of strings), ``push`` (list of strings:
the peers to which each accepted version is sent), ``pushes`` (string: what happens with documents that peers send) and
``reviewed`` (list of strings: identifiers of actors whose submissions wait for a review), ``review`` (string:
``submitters`` if those of all wait who may submit and not curate) and ``announce`` (boolean:
whether peers are told that a version was derived from their documents); for the repository's own
stream ``base`` (string); for both ``profile:NAME``, a user-defined profile (an object with ``version``, ``title`` and
``blob``, the SHA-256 of its content), of which an entry has at most one. Other keys are stored unchanged.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from provrepo.canonical_json import canonical, parse
from provrepo.errors import Damaged, InvalidName
from provrepo.ledger.kinds import COMMON, KINDS, SETTINGS, EntryField, FieldType, check, is_name, is_profile, is_stream

__all__ = [
    "KINDS",
    "PROFILE",
    "REPOSITORY",
    "Entry",
    "canonical",
    "check_name",
    "check_settings",
    "compose",
    "events_digest",
    "named",
    "now",
    "parse",
    "profile_blob",
    "recent",
    "timestamp",
    "undamaged",
]

REPOSITORY = ""
"""The name of the repository's own stream, which contains settings such as the base IRI."""

PROFILE = "profile:"
"""The prefix of the key of a user-defined profile, in an entry of settings."""

_RECENT = 512
"""Entries that stay in memory in parsed form."""

_RECENT_SIZE = 8 << 10
"""The most bytes of such an entry; most have about 1,000."""

_OWN = {name: field for name, field in COMMON.items() if not field.optional}
"""The fields of every entry that are attributes of ``Entry``; ``token`` and ``ignorable`` are in its body."""

_PROFILE = FieldType("profile", is_profile)


def events_digest(digests: Iterable[str]) -> str:
    """Return the ``blob`` of an entry ``events``: the SHA-256 of the digests of its events, one a line."""
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger entry. Two entries are equal when their bytes are.

    Attributes:
        kind: one of ``KINDS``, unless a newer version wrote the entry.
        project: the stream; ``REPOSITORY`` for the repository's own. For an entry of a mirror it is the name of the
            mirror, while ``data`` has the name that the project has at its origin.
        sequence: its number in the stream, from 1.
        previous: SHA-256 of its predecessor's bytes, in hexadecimal; empty for the first.
        actor: opaque identifier of the actor; empty for the software itself.
        time: xsd:dateTime in UTC.
        software: name and version of the program that wrote the entry.
        body: the fields of the kind, and ``token`` and ``ignorable`` where present; read-only.
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
        """Parse an entry.

        Args:
            data: its canonical bytes.
            strict: refuse an unknown kind that is not ignorable. Otherwise only the common fields of such an entry are
                checked.

        Raises:
            Damaged: the bytes are not an entry, or the kind is refused.
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
        """Return this entry if this version knows its kind or may skip it.

        Raises:
            Damaged: neither.
        """
        if not self.understood:
            raise Damaged(
                f"{self.place} is of the kind {self.kind!r}, which this version of provrepo cannot apply and may not "
                f"skip; {self.software} wrote it: upgrade to read the entries after it"
            )
        return self

    def here(self, project: str) -> Entry:
        """Return this entry as one of a stream that has another name here: see ``ledger.exchange.mirrors``."""
        return self if project == self.project else replace(self, project=project)

    @property
    def effective(self) -> bool:
        """Whether this version applies entries of this kind: it is neither unknown nor reserved."""
        return self.kind in KINDS and not KINDS[self.kind].reserved

    @property
    def understood(self) -> bool:
        """Whether the entries after it can be read: this version applies it, or may skip it."""
        return self.effective or self.body.get("ignorable") is True

    @property
    def place(self) -> str:
        """Its number and stream, for messages."""
        return f"entry {self.sequence} of {named(self.project)}"

    @property
    def fields(self) -> dict[str, Any]:
        """A new copy of the whole decoded object: the common fields and those of the kind."""
        decoded: dict[str, Any] = json.loads(self.data)
        return decoded

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self.data, self.project)


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
    """Create an entry after checking every field.

    Raises:
        InvalidName: the name of the project or document is malformed.
        ValueError: an unknown kind; a field that is missing, unknown, or of the wrong type.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of entry {kind!r}; there are: {', '.join(KINDS)}")
    check_name(project, stream=True)
    if "document" in body and not (kind == "notice" and body["document"] is None):
        check_name(body["document"])
    known = KINDS[kind]
    if known.stream not in ("both", "repository" if project == REPOSITORY else "project"):
        raise ValueError(f"{named(project)} cannot contain a {kind} entry")
    taken = sorted(COMMON.keys() & body.keys() - {"token"})
    if taken:
        raise ValueError(f"{taken[0]!r} is a field of every entry and cannot be in a body")
    unknown = [] if known.open else sorted(body.keys() - known.fields.keys() - {"token"})
    if unknown:
        raise ValueError(f"a {kind} entry has no field {unknown[0]!r}; there are: {', '.join(known.fields)}")
    check(body, check_settings(body) if known.open else known.fields)
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
    return _remembered(_entry(json.loads(data), data))  # the values as JSON has them, such as lists for tuples


_parsed: dict[bytes, Entry] = {}
_guard = threading.Lock()


def recent(data: bytes) -> Entry:
    """Return ``Entry.from_bytes(data, strict=False)``, without parsing what was parsed or composed a moment ago.

    The same entries are read many times: a new one by each view, and the settings of a project by each request.

    Raises:
        Damaged: the bytes are not an entry.
    """
    return _parsed.get(data) or _remembered(Entry.from_bytes(data, strict=False))


def undamaged(rows: Iterable[Sequence[Any]]) -> Iterator[Entry]:
    """Yield the entries of rows with their bytes. Those that cannot be read are left to the check of their stream.

    Args:
        rows: each with the column ``data``.
    """
    for (data,) in rows:
        with suppress(Damaged):
            yield Entry.from_bytes(data, strict=False)


def _remembered(entry: Entry) -> Entry:
    if len(entry.data) > _RECENT_SIZE:
        return entry
    with _guard:
        if len(_parsed) >= _RECENT:
            del _parsed[next(iter(_parsed))]
        _parsed[entry.data] = entry
    return entry


def profile_blob(body: Mapping[str, Any]) -> str | None:
    """The SHA-256 of the profile that an entry of settings sets; None where it sets none."""
    return next((value["blob"] for key, value in body.items() if key.startswith(PROFILE) and is_profile(value)), None)


def check_settings(body: Mapping[str, Any]) -> dict[str, EntryField]:
    """Return the fields of an entry of settings whose types are known.

    Raises:
        InvalidName: the name of a profile is malformed.
        ValueError: there are several profiles.
    """
    profiles = [key for key in body if key.startswith(PROFILE)]
    if len(profiles) > 1:
        raise ValueError("an entry sets one profile at most")
    for key in profiles:
        check_name(key.removeprefix(PROFILE))
    return {name: EntryField(SETTINGS.get(name, _PROFILE), "") for name in body if name in SETTINGS or name in profiles}


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
    """Return the name of a stream for messages."""
    return "the repository's own stream" if project == REPOSITORY else f"project {project}"


def timestamp(time: datetime) -> str:
    """Return a time as xsd:dateTime in UTC with milliseconds. These strings sort by time.

    Raises:
        ValueError: the time has no time zone.
    """
    if time.tzinfo is None:
        raise ValueError("a time without a time zone")
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """Return the current time as a ``timestamp``."""
    return timestamp(datetime.now(UTC))


def _entry(fields: dict[str, Any], data: bytes) -> Entry:
    body = {name: value for name, value in fields.items() if name not in _OWN}
    common = {name: fields[name] for name in _OWN}
    return Entry(**common, body=MappingProxyType(body), data=data, sha256=hashlib.sha256(data).hexdigest())


def _unpickle(data: bytes, project: str) -> Entry:
    return Entry.from_bytes(data, strict=False).here(project)
