"""Notices as JSON: Linked Data Notifications in the pattern *Announce Relationship* of COAR Notify 1.0.

A notice states that a subject has a relationship to an object. ``RELATIONSHIPS`` lists those that have a meaning here.
For a withdrawal or an erasure the subject is the document, whose address answers 410 with the reason; for a correction
it is the new version. The object is the version that was taken back. An acknowledgment is the same notice sent back
with ``inReplyTo``.

JSON-LD is read as JSON of this one shape. No context, and no other address in a notice, is ever fetched.

Sources: https://www.w3.org/TR/ldn/, https://coar-notify.net/specification/1.0.0/announce-relationship/,
https://www.w3.org/TR/activitystreams-core/.
"""

from __future__ import annotations

import json
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provrepo.codecs.json_source import Integer, JsonSource
from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import ReadError, TooLarge
from provrepo.ledger.kinds import is_name
from provrepo.model.identifiers import web_address
from provrepo.vocab import PROV, PROVREPO

__all__ = ["CONTEXT", "DERIVED", "MEDIA_TYPE", "MOST_BYTES", "RELATIONSHIPS", "TAKEN_BACK", "Notice", "read", "write"]

MEDIA_TYPE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
"""The media type of a notice."""

MOST_BYTES = 64 * 1024
"""The largest notice in bytes."""

MOST_DEPTH = 12
"""The most levels of nesting of a notice."""

LONGEST_IRI = 2000
"""The most characters of an IRI in a notice."""

LONGEST_TEXT = 10_000
"""The most characters of a text in a notice, as of a reason in the ledger."""

DERIVED = "derived"
"""The relationship of a document that was derived from a document of the receiver."""

TAKEN_BACK = ("withdrawn", "corrected", "erased")
"""The relationships that say what happened to a version at its origin."""

RELATIONSHIPS: Mapping[str, str] = {
    "withdrawn": PROVREPO + "withdrawalOf",
    "corrected": PROVREPO + "correctionOf",
    "erased": PROVREPO + "erasureOf",
    DERIVED: PROV + "wasDerivedFrom",
}
"""The relationships with a meaning, by the name that commands and records use."""

_ABOUT = {iri: about for about, iri in RELATIONSHIPS.items()}

CONTEXT: tuple[str | dict[str, str], ...] = (
    "https://www.w3.org/ns/activitystreams",
    "https://coar-notify.net",
    {"provrepo": PROVREPO},
)
"""The ``@context`` of a notice from here."""

_PATTERN = ("Announce", "coar-notify:RelationshipAction")
_FORMAT = "a notice"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice.

    Attributes:
        id: its identifier, an absolute IRI.
        about: the key of its relationship in ``RELATIONSHIPS``; empty for any other notice.
        subject: the IRI of the new state or of the derived version; empty if the notice states no relationship.
        relationship: the IRI of the relationship; may be empty.
        object: the IRI of the version that it is about; may be empty.
        origin: the IRI of the sender, which is not proven by the notice.
        origin_inbox: the address of the sender's inbox; may be empty.
        target: the IRI of the receiver.
        target_inbox: the address of the receiver's inbox; may be empty.
        answers: the identifier of the notice that it acknowledges; empty for none.
        summary: a sentence for people; may be empty.
        project: the name of the object's project where it is stored; may be empty, as all that follow.
        document: the name of its document there.
        version: its version there; 0 if it is unknown.
        sha256: SHA-256 of its bytes.
        sequence: the number of the ledger entry of the event there; 0 if it is unknown.
        entry: SHA-256 of that entry.
        time: the time of the event, xsd:dateTime in UTC.
        by: the name of its actor.
        reason: its published reason.
    """

    id: str
    about: str
    subject: str
    relationship: str
    object: str
    origin: str
    origin_inbox: str
    target: str
    target_inbox: str
    answers: str = ""
    summary: str = ""
    project: str = ""
    document: str = ""
    version: int = 0
    sha256: str = ""
    sequence: int = 0
    entry: str = ""
    time: str = ""
    by: str = ""
    reason: str = ""


def write(notice: Notice) -> bytes:
    """Return a notice as JSON-LD. The same notice always gives the same bytes."""
    relation: dict[str, Any] = {
        "id": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, notice.id)}",
        "type": "Relationship",
        "as:subject": notice.subject,
        "as:relationship": notice.relationship,
        "as:object": notice.object,
        "provrepo:entryNumber": notice.sequence or None,
        "provrepo:entry": notice.entry,
        "provrepo:time": notice.time,
        "provrepo:by": notice.by,
        "provrepo:statedReason": notice.reason,
    }
    context: dict[str, Any] = {
        "id": notice.object,
        "type": ["Page", "sorg:AboutPage"],
        "provrepo:projectName": notice.project,
        "provrepo:documentName": notice.document,
        "provrepo:version": notice.version or None,
        "provrepo:sha256": notice.sha256,
    }
    written: dict[str, Any] = {
        "@context": list(CONTEXT),
        "id": notice.id,
        "type": list(_PATTERN),
        "origin": _service(notice.origin, notice.origin_inbox),
        "target": _service(notice.target, notice.target_inbox),
        "object": _given(relation),
        "context": _given(context),
        "summary": notice.summary,
        "inReplyTo": notice.answers,
    }
    return json.dumps(_given(written), ensure_ascii=False, indent=1).encode()


def _service(iri: str, inbox: str) -> dict[str, Any]:
    return _given({"id": iri, "inbox": inbox, "type": "Service"})


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "")}


def read(data: bytes) -> Notice:
    """Read a notice. Members that are not known are ignored.

    Raises:
        ReadError: it is not JSON, has a key twice, is nested too deeply, or a member is missing or of the wrong type.
        TooLarge: it has more than ``MOST_BYTES``.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"a notice has at most {MOST_BYTES:,} bytes, not {len(data):,}")
    source = JsonSource(data, _FORMAT)
    found = source.value(source.start())
    source.finish()
    _check_depth(found)
    members = _Members(found, "")
    if CONTEXT[0] not in _texts(members.any("@context")):
        raise ReadError(f"@context does not contain {CONTEXT[0]}", format=_FORMAT)
    types = _texts(members.any("type"))
    if not types:
        raise ReadError("type is a text or a list of texts", format=_FORMAT)
    origin, target, stated = members.object("origin"), members.object("target"), members.object("object")
    # The vocabulary of the receiver decides; another type is stored for people, without any effect.
    relation = stated if set(_PATTERN) <= set(types) and "Relationship" in _texts(stated.any("type")) else None
    context = members.object("context", optional=relation is None)
    relationship = relation.iri("as:relationship") if relation else ""
    return Notice(
        id=members.iri("id"),
        about=_ABOUT.get(relationship, ""),
        subject=relation.iri("as:subject") if relation else "",
        relationship=relationship,
        object=relation.iri("as:object") if relation else stated.iri("id", optional=True),
        origin=origin.iri("id"),
        origin_inbox=origin.address("inbox"),
        target=target.iri("id"),
        target_inbox=target.address("inbox"),
        answers=members.iri("inReplyTo", optional=True),
        summary=members.text("summary"),
        project=context.name("provrepo:projectName"),
        document=context.name("provrepo:documentName"),
        version=context.number("provrepo:version"),
        sha256=context.digest("provrepo:sha256"),
        sequence=stated.number("provrepo:entryNumber"),
        entry=stated.digest("provrepo:entry"),
        time=stated.time("provrepo:time"),
        by=stated.text("provrepo:by"),
        reason=stated.text("provrepo:statedReason"),
    )


class _Members:
    """The members of an object of a notice, each with a check of its type; errors name its path."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise ReadError(f"{path or 'the whole'} is not an object", format=_FORMAT)
        self._value, self._path = value, path

    def any(self, name: str) -> object:
        """A value of any type; None if it is missing."""
        return self._value.get(name)

    def object(self, name: str, *, optional: bool = False) -> _Members:
        """An object; an empty one if it is missing and optional."""
        value = self._value.get(name)
        if value is None and optional:
            value = {}
        elif value is None:
            raise self._error(name, "is missing")
        return _Members(value, f"{self._path}.{name}" if self._path else name)

    def text(self, name: str, most: int = LONGEST_TEXT) -> str:
        """A text without control characters other than line ends and tabs; empty if it is missing."""
        value = self._value.get(name)
        if value is None:
            return ""
        # Numbers are read as subclasses of str, which keep their spelling.
        if type(value) is not str:
            raise self._error(name, "is not a text")
        if len(value) > most:
            raise self._error(name, f"has {len(value):,} characters; it can have at most {most:,}")
        if any(unicodedata.category(character) == "Cc" and character not in "\r\n\t" for character in value):
            raise self._error(name, "contains a control character")
        return value

    def iri(self, name: str, *, optional: bool = False) -> str:
        """An absolute IRI; empty if it is missing and optional."""
        value = self.text(name, LONGEST_IRI)
        if not value and not optional:
            raise self._error(name, "is missing")
        # Invisible characters would let an IRI look like another one.
        if value and (not is_iri(value) or any(unicodedata.category(character)[0] in "CZ" for character in value)):
            raise self._error(name, "is not an absolute IRI")
        return value

    def address(self, name: str) -> str:
        """An http or https URL; empty if it is missing."""
        value = self.iri(name, optional=True)
        if value and (web_address(value) is None or "@" in value.partition("//")[2].partition("/")[0]):
            raise self._error(name, "is not an http or https URL")
        return value

    def name(self, name: str) -> str:
        """A name of a project or document; empty if it is missing."""
        value = self.text(name)
        if value and not is_name(value):
            raise self._error(name, "is not a name")
        return value

    def number(self, name: str) -> int:
        """A number from 1; 0 if it is missing."""
        value = self._value.get(name)
        if value is None:
            return 0
        if not isinstance(value, Integer) or not value.isdigit() or not 0 < len(value) <= 15 or int(value) < 1:
            raise self._error(name, "is not a whole number from 1")
        return int(value)

    def digest(self, name: str) -> str:
        """A SHA-256 in hexadecimal; empty if it is missing."""
        value = self.text(name)
        if value and not _SHA256.fullmatch(value):
            raise self._error(name, "is not a SHA-256 in lower-case hexadecimal digits")
        return value

    def time(self, name: str) -> str:
        """An xsd:dateTime in UTC, ending in ``Z``; empty if it is missing."""
        value = self.text(name, 40)
        try:
            if value and (not value.endswith("Z") or datetime.fromisoformat(value).tzinfo is None):
                raise ValueError
        except ValueError:
            raise self._error(name, "is not a time in UTC, such as 2026-03-01T10:00:00Z") from None
        return value

    def _error(self, name: str, problem: str) -> ReadError:
        return ReadError(f"{self._path}{'.' if self._path else ''}{name} {problem}", format=_FORMAT)


def _texts(value: object) -> list[str]:
    """The texts of a text or a list; empty for anything else."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if type(text) is str]


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
        if not level:
            return
    raise ReadError(f"nested deeper than {MOST_DEPTH} levels", format=_FORMAT)
