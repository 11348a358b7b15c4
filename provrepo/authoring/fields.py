"""The fields of a step that a person describes, as text, and what each of them may contain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from provrepo.capture.files.digests import absolute, sha256
from provrepo.capture.journal.attributes import content, file_attributes, is_a, text
from provrepo.errors import UsageError
from provrepo.importers import persons
from provrepo.importers.persons import Person
from provrepo.model.identifiers import Identifier
from provrepo.model.secrets import MASK, secret_name, whole
from provrepo.model.statements import Attribute
from provrepo.vocab import PROV, PROV_LABEL, PROVREPO

__all__ = [
    "FIELDS",
    "Field",
    "FieldError",
    "Item",
    "Person",
    "item",
    "item_of_bytes",
    "parameter",
    "person",
    "plan",
    "source",
    "times",
]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$", re.ASCII)
_LATER = timedelta(days=1)
"""A time may be this much after the present one: clocks and time zones differ."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form.

    Attributes:
        name: its name in options, mappings and requests.
        question: as a form asks it.
        hint: what may be written there.
        required: whether it has to have a value.
        several: whether it may have several values.
    """

    name: str
    question: str
    hint: str
    required: bool = False
    several: bool = False


_THING = "a file, or an IRI"

FIELDS = (
    Field("what", "What was done", "a few words, such as: calibrated the balance", required=True),
    Field(
        "who",
        "Who did it",
        "a name, an IRI such as an ORCID iD, or both: Ana Lima <https://orcid.org/0000-0002-1825-0097>",
        required=True,
        several=True,
    ),
    Field(
        "when",
        "When",
        "a time, 2026-01-31T09:30; START/END; or a day, 2026-01-31, which is all of that day",
        required=True,
    ),
    Field("input", "What was used", _THING, several=True),
    Field("output", "What was made", _THING, several=True),
    Field("why", "Why", "the reason"),
    Field("plan", "By which protocol", f"{_THING}, or its name"),
    Field("parameter", "With which settings", "NAME=VALUE", several=True),
)
"""The fields, in the order in which a form asks for them."""


class FieldError(UsageError):
    """A value that a field cannot have.

    Attributes:
        field: the name of the field.
        message: what is wrong with the value, and what to write.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


class Item(NamedTuple):
    """An input, an output or a plan.

    Attributes:
        iri: its IRI; None if it has one only in this document, as a file has.
        attributes: its description.
        content: the name of its bytes; None where they are not known.
    """

    iri: Identifier | None
    attributes: tuple[Attribute, ...] = ()
    content: Identifier | None = None


def item(field: str, value: str, *, here: bool) -> Item:
    """What a text names.

    Args:
        field: of the text.
        value: an absolute IRI or, with ``here``, the path of a file.
        here: whether paths are those of this machine. False for what comes from elsewhere: no file is read.

    Raises:
        FieldError: it names nothing.
        OSError: the file cannot be read.
    """
    if here and len(value) < 4096 and Path(value).exists():
        path = Path(value)
        if not path.is_file():
            raise FieldError(field, f"{value} is not a regular file; name the files in it one by one")
        found, full = path.stat(), absolute(value)
        digest = sha256(full)
        return Item(
            None, tuple(file_attributes(full, digest, found.st_size, found.st_mtime)), content(digest)
        )  # fmt: skip
    if persons.seems_absolute(value):
        return Item(_iri(field, value))
    raise FieldError(field, f"{value!r} is {'no file here, and ' if here else ''}not an absolute IRI")


def item_of_bytes(name: str, data: bytes) -> Item:
    """A file whose bytes were sent, for example with a form.

    Args:
        name: the name of the file, without folders.
        data: the bytes; they are not kept.
    """
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    return Item(None, tuple(file_attributes(Path(name).name, digest, len(data), None)), content(digest))


def plan(value: str, *, here: bool) -> Item:
    """The protocol that was followed: as ``item``, or else its name."""
    try:
        found = item("plan", value, here=here)
    except FieldError:
        if here and Path(value).exists():
            raise
        found = Item(None, (text(PROV_LABEL, value),))
    return found._replace(attributes=(is_a(PROV + "Plan"), *found.attributes))


def source(found: Item) -> Item:
    """A file as a source: it came from outside of the document."""
    return found._replace(attributes=(*found.attributes, is_a(PROVREPO + "Source")))


def person(value: str) -> Person:
    """Who did something, as ``provrepo.importers.persons.person`` reads it.

    Raises:
        FieldError: the identifier is none, or the check digit of the ORCID iD is wrong.
    """
    try:
        return persons.person(value)
    except ValueError as error:
        raise FieldError("who", str(error)) from None


def times(value: str, *, here: bool) -> tuple[str, str | None]:
    """Start and end, as xsd:dateTime; no end where only a start is given.

    Args:
        value: a time, two with a slash between them (ISO 8601), or a day.
        here: whether times without a zone are in that of this machine; else they stay without.

    Raises:
        FieldError: it is none of these, ends before it starts, or is in the future.
    """
    first, slash, second = (part.strip() for part in value.partition("/"))
    start, whole_day = _moment(first, value, here)
    end = start + timedelta(days=1, seconds=-1) if whole_day else None
    if slash:
        if _CLOCK.fullmatch(second):
            zone = "" if _ZONE.search(second) else (_ZONE.search(first[10:]) or [""])[0]
            second = f"{first[:10]}T{second}{zone}"
        end, whole_day = _moment(second, value, here)
        end += timedelta(days=1, seconds=-1) if whole_day else timedelta()
        if (start.tzinfo is None) != (end.tzinfo is None):
            raise FieldError("when", f"{value!r} has a time zone in one of its times only")
        if end < start:
            raise FieldError("when", f"{value!r} ends before it starts")
    if start.replace(tzinfo=start.tzinfo or UTC) > datetime.now(UTC) + _LATER:
        raise FieldError("when", f"{value!r} is in the future")
    return _dated(start), None if end is None else _dated(end)


def _moment(part: str, value: str, here: bool) -> tuple[datetime, bool]:
    day, clock = part[:10], part[11:]
    try:
        if not _DAY.fullmatch(day) or (part[10:] and (part[10] not in "T " or not _CLOCK.fullmatch(clock))):
            raise ValueError
        found = datetime.fromisoformat(f"{day}T{clock}" if clock else day)
    except ValueError:
        raise FieldError("when", f"{value!r} is not {FIELDS[2].hint}") from None
    return found.astimezone() if here and found.tzinfo is None else found, not clock


def _dated(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def parameter(value: str) -> tuple[str, str]:
    """Name and value of a setting; masked where the name is that of a secret.

    Raises:
        FieldError: there is no name.
    """
    name, equals, what = (part.strip() for part in value.partition("="))
    if not name or not equals:
        raise FieldError("parameter", f"{value!r} is not NAME=VALUE")
    return name, MASK if secret_name(name) else whole(what)


def _iri(field: str, value: str) -> Identifier:
    try:
        return persons.absolute_iri(value)
    except ValueError as error:
        raise FieldError(field, str(error)) from None
