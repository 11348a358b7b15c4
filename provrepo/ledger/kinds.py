"""The kinds of ledger entries and their fields, as one table.

``docs/reference/ledger.md`` is generated from it. No verb writes a *reserved* kind yet. Its fields are fixed now, so
that the format need not be revised again for planned features. This version stores, reads and verifies such entries,
and they have no effect on documents and views.

Entries contain no private text, since they are never changed and every reader of a project gets them. Names of people
and internal reasons are represented by salted digests, whose salts are stored elsewhere and can be deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["COMMON", "KINDS", "SETTINGS", "Field", "Kind", "Type", "check", "is_name", "is_profile", "is_stream"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a field.

    Attributes:
        name: its name in the documentation.
        check: returns whether a value has the type.
    """

    name: str
    check: Callable[[Any], bool]

    def or_null(self) -> Type:
        """Return the union of this type and null."""
        return Type(f"{self.name} or null", lambda value: value is None or self.check(value))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entry.

    Attributes:
        type: its type.
        meaning: for the documentation.
        optional: whether it may be absent, as fields that were added later are in earlier entries.
    """

    type: Type
    meaning: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entry.

    Attributes:
        name: the value of ``kind``.
        meaning: for the documentation.
        fields: by name, in addition to ``COMMON``.
        stream: the streams that may contain it: ``project``, ``repository`` or ``both``.
        ignorable: whether software that does not know the kind may skip it.
        reserved: whether no verb writes it yet.
        open: whether fields that are not in the table are allowed, and stored unchanged.
    """

    name: str
    meaning: str
    fields: Mapping[str, Field]
    stream: str = "project"
    ignorable: bool = False
    reserved: bool = False
    open: bool = False


def is_name(value: Any) -> bool:
    """Return whether a value is a name of a project or document."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_stream(value: Any) -> bool:
    """Return whether a value is a name of a project, or the empty name of the repository's own stream."""
    return value == "" or is_name(value)


def is_profile(value: Any) -> bool:
    """Return whether a value is a valid value of a setting ``profile:NAME``."""
    fields = {"version": TEXT, "title": TEXT, "blob": DIGEST}
    if not isinstance(value, Mapping) or value.keys() != fields.keys():
        return False
    return all(type_.check(value[name]) for name, type_ in fields.items())


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_objects(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(*values: str) -> Type:
    return Type(" or ".join(f"`{value}`" for value in values), lambda value: value in values)


TEXT = Type("string", lambda value: isinstance(value, str))
TEXTS = Type("list of strings", _is_texts)
FLAG = Type("boolean", lambda value: isinstance(value, bool))
COUNT = Type("integer from 0", _is_count)
NUMBER = Type("integer from 1", lambda value: _is_count(value) and value >= 1)
NAME = Type("name", is_name)
STREAM = Type("name or empty", is_stream)
DIGEST = Type("SHA-256", _matches(_SHA256))
LINK = Type("SHA-256 or empty", lambda value: value == "" or DIGEST.check(value))
TIME = Type("time", _matches(_TIME))
UUID = Type("UUID", _matches(_UUID))
OBJECT = Type("object", lambda value: isinstance(value, Mapping))
OBJECTS = Type("list of objects", _is_objects)

COMMON: Mapping[str, Field] = {
    "kind": Field(TEXT, "what happened"),
    "project": Field(STREAM, "the stream; empty for the repository's own"),
    "sequence": Field(NUMBER, "its number in the stream, without gaps"),
    "previous": Field(LINK, "SHA-256 of the bytes of the entry before it; empty for the first"),
    "actor": Field(TEXT, "opaque identifier of the actor; empty for the software itself"),
    "time": Field(TIME, "xsd:dateTime in UTC, ending in `Z`"),
    "software": Field(TEXT, "name and version of the program that wrote the entry"),
    "token": Field(TEXT, "identifier of the token of the request; absent for the local owner", True),
    "ignorable": Field(FLAG, "true if software that does not know the kind may skip the entry", True),
}
"""Fields of every entry."""

_DOCUMENT = Field(NAME, "the document's name")
_VERSION = Field(NUMBER, "the number of the version")
_REASON = Field(TEXT, "the reason, which every reader of the project may see")
_INTERNAL = Field(
    LINK,
    "SHA-256 of a salt of 32 bytes and an internal reason, which readers do not see; empty or absent without one",
    True,
)
_MEMBER = Field(TEXT, "opaque identifier of the person or service")
_FOUND = Field(FLAG, "true if the row is older than these entries, which began with a later version", True)
_PEER = Field(TEXT, "the other repository, by the identifier under which it is configured")

SETTINGS: Mapping[str, Type] = {"public": FLAG, "title": TEXT, "profiles": TEXTS, "base": TEXT, "license": TEXT}
"""The settings whose types are checked. Other keys are stored unchanged."""


def _reserved(
    name: str, meaning: str, *, stream: str = "project", ignorable: bool = True, fields: Mapping[str, Field]
) -> Kind:
    return Kind(name, meaning, fields, stream, ignorable, reserved=True)


_TABLE = (
    Kind(
        "submit",
        "A document's bytes were accepted as a new version.",
        {
            "document": _DOCUMENT,
            "version": Field(NUMBER, "without gaps"),
            "blob": Field(DIGEST, "of the submitted bytes"),
            "size": Field(COUNT, "of the submitted bytes"),
            "format": Field(TEXT, "the format in which they were read"),
            "base": Field(TEXT, "the IRI against which relative IRIs were resolved; may be empty"),
            "title": Field(TEXT, "the title of the document; may be empty"),
            "statements": Field(COUNT, "the number of statements"),
            "layers": Field(TEXTS, "the checks that ran"),
            "profiles": Field(TEXTS, "the profiles that it was checked against"),
            "mapping": Field(TEXT, "version of the mapping from statements to quads"),
            "verdict": Field(_one_of("conforms", "fails"), "whether it conforms to its profiles"),
            "report": Field(DIGEST, "of the report, itself a blob"),
            "note": Field(TEXT, "the note of the submitter; may be empty"),
            "origin": Field(OBJECT.or_null(), "its origin, if a peer sent it"),
            "possible": Field(
                FLAG.or_null(), "whether it is valid by PROV-CONSTRAINTS; null if that was not checked", True
            ),
            "warnings": Field(COUNT, "the number of warnings in the report", True),
            "license": Field(TEXT, "IRI of the license under which it was submitted; may be empty", True),
            "signatures": Field(OBJECTS, "for each signature its `key`, and `envelope`, the SHA-256 of a blob", True),
            "atoms": Field(OBJECT.or_null(), "`root`, `count` and `codec` of its atom commitments", True),
        },
    ),
    Kind(
        "withdraw",
        "The document was withdrawn. Its versions stay, for the actors who may change the project.",
        {
            "document": _DOCUMENT,
            "version": Field(NUMBER, "the version that was current"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    Kind(
        "erase",
        "The bytes of one version were deleted; its entries stay.",
        {
            "document": _DOCUMENT,
            "version": _VERSION,
            "blob": Field(DIGEST, "of the deleted bytes"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    Kind(
        "settings", "The settings that were changed; each value replaces the former one.", {}, stream="both", open=True
    ),
    Kind(
        "identity",
        "In the repository's own stream: the identity of the repository, once. In a project's stream: the entries "
        "before this one are older than the identity.",
        {
            "id": Field(UUID, "the repository's identity"),
            "former": Field(FLAG, "whether the entries before it have IRIs that do not depend on the identity"),
            "setup": Field(
                UUID,
                "in the repository's own stream: the set-up identifier, by which followers detect that this is another "
                "copy of the data; a restore draws a new one (`gap`)",
                optional=True,
            ),
        },
        stream="both",
    ),
    _reserved(
        "mirror",
        "A project of this repository is a copy of another's, entry by entry.",
        stream="repository",
        ignorable=False,
        fields={
            "name": Field(NAME, "the name of the project here"),
            "origin": Field(TEXT, "URL of the project that is mirrored"),
            "identity": Field(UUID, "of the repository that is mirrored"),
            "setup": Field(TEXT, "its set-up identifier"),
            "state": Field(_one_of("begun", "ended"), "whether the mirror is active"),
        },
    ),
    _reserved(
        "exchange",
        "A version was sent to a peer or received from one; both sides append such an entry.",
        fields={
            "document": _DOCUMENT,
            "version": Field(NUMBER.or_null(), "the number of the version here; null while it is pending"),
            "blob": Field(DIGEST, "of the bytes"),
            "direction": Field(_one_of("sent", "received"), "from here, or to here"),
            "peer": _PEER,
            "entry": Field(LINK, "SHA-256 of the entry on the other side; empty while it is not known"),
            "state": Field(TEXT, "the outcome"),
            "signatures": Field(OBJECTS, "of both sides", True),
        },
    ),
    _reserved(
        "pending",
        "Bytes wait for a review, or were refused and are stored for their submitter. They are in no dataset.",
        fields={
            "pending": Field(TEXT, "identifier of the pending bytes"),
            "why": Field(_one_of("review", "push", "refused"), "the reason"),
            "digest": Field(
                DIGEST,
                "salted digest of the canonical JSON of `document`, `blob`, `size`, `format`, `base`, `report`, `note` "
                "and `origin`, which is stored beside the ledger, since readers of the project may not see it",
            ),
            "expires": Field(TIME.or_null(), "the end of its storage"),
        },
    ),
    _reserved(
        "review",
        "A decision on pending bytes. If they were accepted, a `submit` entry follows.",
        fields={
            "pending": Field(TEXT, "identifier of the pending bytes"),
            "decision": Field(_one_of("accepted", "rejected", "changes", "expired", "given-up"), "the decision"),
            "digest": Field(LINK, "salted digest of the comment; empty without one"),
        },
    ),
    _reserved(
        "member",
        "A person or service has a role in the project from now on, or none.",
        fields={
            "member": _MEMBER,
            "role": Field(_one_of("reader", "submitter", "curator", "owner", "none"), "the role"),
        },
    ),
    _reserved(
        "role",
        "A person or service has a role in the whole repository from now on, or none.",
        stream="repository",
        fields={"member": _MEMBER, "role": Field(_one_of("administrator", "none"), "the role")},
    ),
    _reserved(
        "invitation",
        "A link that gives a role, or lets a reviewer read without an account, was created, used or revoked.",
        fields={
            "invitation": Field(TEXT, "identifier of the link"),
            "purpose": Field(_one_of("member", "review"), "its purpose"),
            "role": Field(TEXT, "the role that it gives; empty for a review"),
            "digest": Field(DIGEST, "of the link's secret"),
            "expires": Field(TIME.or_null(), "its end"),
            "state": Field(_one_of("made", "used", "revoked"), "what happened"),
        },
    ),
    _reserved(
        "embargo",
        "The project stays private until a time, or no longer. An entry of settings makes it public.",
        fields={"until": Field(TIME.or_null(), "the end of the embargo; null lifts it"), "reason": _REASON},
    ),
    Kind(
        "token",
        "A token was granted or revoked, with its whole record: in a project's stream for that project, in the "
        "repository's own for all.",
        {
            "id": Field(TEXT, "identifier of the token"),
            "member": Field(TEXT, "opaque identifier of the actor that it authenticates"),
            "state": Field(_one_of("granted", "rotated", "revoked"), "what happened"),
            "scopes": Field(TEXTS, "the access that it gives: `read`, `write`"),
            "expires": Field(TIME.or_null(), "its end; null for none"),
            "projects": Field(
                LINK,
                "HMAC-SHA256 of the JSON list of its projects, its key a salt that is stored beside the ledger; "
                "empty for all",
                True,
            ),
            "created": Field(TIME, "when it was granted", True),
            "revoked": Field(TIME.or_null(), "when it was revoked", True),
            "secret": Field(DIGEST, "of its secret, which has 256 random bits", True),
            "found": _FOUND,
        },
        stream="both",
        ignorable=True,
    ),
    Kind(
        "name",
        "The name of an actor was set, changed or erased. The name and the salt are stored beside the ledger.",
        {
            "member": _MEMBER,
            "digest": Field(LINK, "HMAC-SHA256 of the name in UTF-8, with the salt as the key; empty if it was erased"),
            "owner": Field(FLAG, "whether it is the local owner of the data directory", True),
            "created": Field(TIME, "when the actor was created", True),
            "found": _FOUND,
        },
        stream="repository",
        ignorable=True,
    ),
    _reserved(
        "notice",
        "A notice was sent to a peer or received from one.",
        stream="both",
        fields={
            "notice": Field(TEXT, "identifier of the notice"),
            "direction": Field(_one_of("sent", "received"), "from here, or to here"),
            "about": Field(TEXT, "its topic"),
            "peer": _PEER,
            "document": Field(NAME.or_null(), "the document that it is about"),
            "version": Field(NUMBER.or_null(), "the version that it is about"),
            "answers": Field(TEXT, "identifier of the notice that it answers; may be empty"),
            "blob": Field(DIGEST.or_null(), "of its text"),
        },
    ),
    _reserved(
        "events",
        "A batch of events was received, from which documents are created.",
        fields={
            "source": Field(TEXT, "the system or format of the events"),
            "blob": Field(DIGEST, "of the events"),
            "size": Field(COUNT, "of the events in bytes"),
            "count": Field(COUNT, "the number of events"),
        },
    ),
    _reserved(
        "key",
        "A key for signatures was created, listed, rotated or revoked.",
        stream="both",
        fields={
            "key": Field(TEXT, "identifier of the key"),
            "algorithm": Field(TEXT, "such as `ed25519`"),
            "public": Field(TEXT, "the public key in base64"),
            "purpose": Field(TEXT, "its use"),
            "member": Field(TEXT, "opaque identifier of its holder; empty for the repository"),
            "state": Field(_one_of("created", "listed", "rotated", "revoked"), "what happened"),
            "successor": Field(TEXT, "identifier of the key that replaces it; may be empty"),
        },
    ),
    _reserved(
        "checkpoint",
        "A signed checkpoint of the stream's Merkle tree was published.",
        stream="both",
        fields={
            "size": Field(COUNT, "the number of entries in the tree"),
            "root": Field(DIGEST, "the tree's root"),
            "note": Field(TEXT, "the signed note"),
        },
    ),
    _reserved(
        "atoms",
        "Commitments to the statements of a version that was submitted without commitments.",
        fields={
            "document": _DOCUMENT,
            "version": _VERSION,
            "root": Field(DIGEST, "the root of the tree of atoms"),
            "count": Field(COUNT, "the number of atoms"),
            "codec": Field(TEXT, "version of the codec that made the atoms from the bytes"),
        },
    ),
    Kind(
        "gap",
        "The repository was restored from a backup: entries between backup and restore are missing.",
        {
            "setup": Field(UUID, "the set-up identifier from now on"),
            "former": Field(TEXT, "the set-up identifier until then; may be empty"),
            "size": Field(COUNT.or_null(), "the largest size of the stream that was published; null where unknown"),
            "reason": _REASON,
        },
        stream="both",
        ignorable=True,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _TABLE}
"""The kinds that this version knows, including reserved kinds."""


def check(values: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
    """Check that every mandatory field is present and every value has the type of its field.

    Raises:
        ValueError: a field is missing or has the wrong type.
    """
    for name, field in fields.items():
        if name not in values:
            if field.optional:
                continue
            raise ValueError(f"the field {name!r} is missing")
        if not field.type.check(values[name]):
            raise ValueError(f"the field {name!r} cannot be {str(values[name])[:80]!r}")
