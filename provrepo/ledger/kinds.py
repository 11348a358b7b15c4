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

__all__ = [
    "COMMON",
    "KINDS",
    "SETTINGS",
    "EntryField",
    "EntryKind",
    "FieldType",
    "check",
    "is_name",
    "is_profile",
    "is_stream",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of a field.

    Attributes:
        name: its name in the documentation.
        check: returns whether a value has the type.
    """

    name: str
    check: Callable[[Any], bool]

    def or_null(self) -> FieldType:
        """Return the union of this type and null."""
        return FieldType(f"{self.name} or null", lambda value: value is None or self.check(value))


@dataclass(frozen=True, slots=True)
class EntryField:
    """A field of an entry.

    Attributes:
        type: its type.
        meaning: for the documentation.
        optional: whether it may be absent, as fields that were added later are in earlier entries.
    """

    type: FieldType
    meaning: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class EntryKind:
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
    fields: Mapping[str, EntryField]
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


def _one_of(*values: str) -> FieldType:
    return FieldType(" or ".join(f"`{value}`" for value in values), lambda value: value in values)


TEXT = FieldType("string", lambda value: isinstance(value, str))
TEXTS = FieldType("list of strings", _is_texts)
FLAG = FieldType("boolean", lambda value: isinstance(value, bool))
COUNT = FieldType("integer from 0", _is_count)
NUMBER = FieldType("integer from 1", lambda value: _is_count(value) and value >= 1)
NAME = FieldType("name", is_name)
STREAM = FieldType("name or empty", is_stream)
DIGEST = FieldType("SHA-256", _matches(_SHA256))
LINK = FieldType("SHA-256 or empty", lambda value: value == "" or DIGEST.check(value))
TIME = FieldType("time", _matches(_TIME))
UUID = FieldType("UUID", _matches(_UUID))
OBJECT = FieldType("object", lambda value: isinstance(value, Mapping))
OBJECTS = FieldType("list of objects", _is_objects)

COMMON: Mapping[str, EntryField] = {
    "kind": EntryField(TEXT, "what happened"),
    "project": EntryField(STREAM, "the stream; empty for the repository's own"),
    "sequence": EntryField(NUMBER, "its number in the stream, without gaps"),
    "previous": EntryField(LINK, "SHA-256 of the bytes of the entry before it; empty for the first"),
    "actor": EntryField(TEXT, "opaque identifier of the actor; empty for the software itself"),
    "time": EntryField(TIME, "xsd:dateTime in UTC, ending in `Z`"),
    "software": EntryField(TEXT, "name and version of the program that wrote the entry"),
    "token": EntryField(TEXT, "identifier of the token of the request; absent for the local owner", True),
    "ignorable": EntryField(FLAG, "true if software that does not know the kind may skip the entry", True),
}
"""Fields of every entry."""

_DOCUMENT = EntryField(NAME, "the document's name")
_VERSION = EntryField(NUMBER, "the number of the version")
_REASON = EntryField(TEXT, "the reason, which every reader of the project may see")
_INTERNAL = EntryField(
    LINK,
    "SHA-256 of a salt of 32 bytes and an internal reason, which readers do not see; empty or absent without one",
    True,
)
_MEMBER = EntryField(TEXT, "opaque identifier of the person or service")
_FOUND = EntryField(FLAG, "true if the row is older than these entries, which began with a later version", True)
_PEER = EntryField(TEXT, "the other repository, by the identifier under which it is configured")

SETTINGS: Mapping[str, FieldType] = {
    **{"public": FLAG, "title": TEXT, "profiles": TEXTS, "base": TEXT, "license": TEXT},
    **{"push": TEXTS, "pushes": _one_of("as-peer", "pending", "at-once"), "reviewed": TEXTS},
    "review": _one_of("nobody", "submitters"),
    **{"announce": FLAG, "archived": FLAG},
    **dict.fromkeys(("quota_documents", "quota_bytes", "quota_submissions"), COUNT),
}
"""The settings whose types are checked. Other keys are stored unchanged."""


def _reserved(
    name: str, meaning: str, *, stream: str = "project", ignorable: bool = True, fields: Mapping[str, EntryField]
) -> EntryKind:
    return EntryKind(name, meaning, fields, stream, ignorable, reserved=True)


_TABLE = (
    EntryKind(
        "submit",
        "A document's bytes were accepted as a new version.",
        {
            "document": _DOCUMENT,
            "version": EntryField(NUMBER, "without gaps"),
            "blob": EntryField(DIGEST, "of the submitted bytes"),
            "size": EntryField(COUNT, "of the submitted bytes"),
            "format": EntryField(TEXT, "the format in which they were read"),
            "base": EntryField(TEXT, "the IRI against which relative IRIs were resolved; may be empty"),
            "title": EntryField(TEXT, "the title of the document; may be empty"),
            "statements": EntryField(COUNT, "the number of statements"),
            "layers": EntryField(TEXTS, "the checks that ran"),
            "profiles": EntryField(TEXTS, "the profiles that it was checked against"),
            "mapping": EntryField(TEXT, "version of the mapping from statements to quads"),
            "verdict": EntryField(_one_of("conforms", "fails"), "whether it conforms to its profiles"),
            "report": EntryField(DIGEST, "of the report, itself a blob"),
            "note": EntryField(TEXT, "the note of the submitter; may be empty"),
            "origin": EntryField(OBJECT.or_null(), "its origin, if a peer sent it"),
            "possible": EntryField(
                FLAG.or_null(), "whether it is valid by PROV-CONSTRAINTS; null if that was not checked", True
            ),
            "warnings": EntryField(COUNT, "the number of warnings in the report", True),
            "license": EntryField(TEXT, "IRI of the license under which it was submitted; may be empty", True),
            "signatures": EntryField(
                OBJECTS, "for each signature its `key`, and `envelope`, the SHA-256 of a blob", True
            ),
            "atoms": EntryField(OBJECT.or_null(), "`root`, `count` and `codec` of its atom commitments", True),
        },
    ),
    EntryKind(
        "withdraw",
        "The document was withdrawn. Its versions stay, for the actors who may change the project.",
        {
            "document": _DOCUMENT,
            "version": EntryField(NUMBER, "the version that was current"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    EntryKind(
        "erase",
        "The bytes of one version were deleted; its entries stay.",
        {
            "document": _DOCUMENT,
            "version": _VERSION,
            "blob": EntryField(DIGEST, "of the deleted bytes"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    EntryKind(
        "settings", "The settings that were changed; each value replaces the former one.", {}, stream="both", open=True
    ),
    EntryKind(
        "identity",
        "In the repository's own stream: the identity of the repository, once. In a project's stream: the entries "
        "before this one are older than the identity.",
        {
            "id": EntryField(UUID, "the repository's identity"),
            "former": EntryField(FLAG, "whether the entries before it have IRIs that do not depend on the identity"),
            "setup": EntryField(
                UUID,
                "in the repository's own stream: the set-up identifier, by which followers detect that this is another "
                "copy of the data; a restore draws a new one (`gap`)",
                optional=True,
            ),
        },
        stream="both",
    ),
    EntryKind(
        "mirror",
        "A project of this repository is a copy of another's, entry by entry. The last such entry about a project "
        "applies.",
        {
            "name": EntryField(NAME, "the name of the project here"),
            "origin": EntryField(TEXT, "URL of the project that is mirrored; empty if it came in a package"),
            "identity": EntryField(UUID, "of the repository that is mirrored"),
            "setup": EntryField(TEXT, "its set-up identifier"),
            "state": EntryField(_one_of("begun", "ended"), "whether the mirror is active"),
            "stream": EntryField(NAME, "the name of the project there, which its entries contain", True),
            "base": EntryField(TEXT, "the base IRI there; may be empty", True),
            "former": EntryField(FLAG, "whether there were entries before the identity there", True),
            "before": EntryField(
                COUNT, "number of the entry `identity` of the project; 0 if there was none before the identity", True
            ),
            "public": EntryField(
                FLAG, "whether anonymous clients may read the copy, if the project is public there", True
            ),
        },
        stream="repository",
    ),
    EntryKind(
        "exchange",
        "A version was sent to a peer or received from one; both sides append such an entry.",
        {
            "document": _DOCUMENT,
            "version": EntryField(NUMBER.or_null(), "the number of the version here; null while it is pending"),
            "blob": EntryField(DIGEST, "of the bytes"),
            "direction": EntryField(_one_of("sent", "received"), "from here, or to here"),
            "peer": _PEER,
            "entry": EntryField(LINK, "SHA-256 of the entry on the other side; empty while it is not known"),
            "state": EntryField(TEXT, "the outcome"),
            "signatures": EntryField(OBJECTS, "of both sides", True),
        },
        ignorable=True,
    ),
    EntryKind(
        "pending",
        "Bytes wait for a review, or were refused and are stored for their submitter. They are in no dataset.",
        {
            "pending": EntryField(TEXT, "identifier of the pending bytes"),
            "why": EntryField(_one_of("review", "push", "refused"), "the reason"),
            "digest": EntryField(
                DIGEST,
                "salted digest of the canonical JSON of `document`, `blob`, `size`, `format`, `base`, `report`, `note` "
                "and `origin`, which is stored beside the ledger, since readers of the project may not see it",
            ),
            "expires": EntryField(TIME.or_null(), "the end of its storage"),
        },
        ignorable=True,
    ),
    EntryKind(
        "review",
        "A decision on pending bytes. If they were accepted, a `submit` entry follows.",
        {
            "pending": EntryField(TEXT, "identifier of the pending bytes"),
            "decision": EntryField(_one_of("accepted", "rejected", "changes", "expired", "given-up"), "the decision"),
            "digest": EntryField(LINK, "salted digest of the comment; empty without one"),
        },
        ignorable=True,
    ),
    EntryKind(
        "member",
        "A person or service has a role in the project from now on, or none.",
        {
            "member": _MEMBER,
            "role": EntryField(_one_of("reader", "submitter", "curator", "owner", "none"), "the role"),
        },
        ignorable=True,
    ),
    EntryKind(
        "role",
        "A person or service has a role in the whole repository from now on, or none.",
        {"member": _MEMBER, "role": EntryField(_one_of("administrator", "none"), "the role")},
        stream="repository",
        ignorable=True,
    ),
    EntryKind(
        "invitation",
        "A link that gives a role, or lets a reviewer read without an account, was created, used or revoked.",
        {
            "invitation": EntryField(TEXT, "identifier of the link"),
            "purpose": EntryField(_one_of("member", "review"), "its purpose"),
            "role": EntryField(TEXT, "the role that it gives; empty for a review"),
            "digest": EntryField(DIGEST, "of the link's secret"),
            "expires": EntryField(TIME.or_null(), "its end"),
            "state": EntryField(_one_of("made", "used", "revoked"), "what happened"),
        },
        ignorable=True,
    ),
    EntryKind(
        "embargo",
        "The project stays private until a time, or no longer. An entry of settings makes it public.",
        {"until": EntryField(TIME.or_null(), "the end of the embargo; null lifts it"), "reason": _REASON},
        ignorable=True,
    ),
    EntryKind(
        "token",
        "A token was granted or revoked, with its whole record: in a project's stream for that project, in the "
        "repository's own for all.",
        {
            "id": EntryField(TEXT, "identifier of the token"),
            "member": EntryField(TEXT, "opaque identifier of the actor that it authenticates"),
            "state": EntryField(_one_of("granted", "rotated", "revoked"), "what happened"),
            "scopes": EntryField(
                TEXTS,
                "the access that it gives: `read`, `write` by itself; after a first `role`, the rights to which it "
                "limits the roles of its actor",
            ),
            "expires": EntryField(TIME.or_null(), "its end; null for none"),
            "projects": EntryField(
                LINK,
                "HMAC-SHA256 of the JSON list of its projects, its key a salt that is stored beside the ledger; "
                "empty for all",
                True,
            ),
            "created": EntryField(TIME, "when it was granted", True),
            "revoked": EntryField(TIME.or_null(), "when it was revoked", True),
            "secret": EntryField(DIGEST, "of its secret, which has 256 random bits", True),
            "found": _FOUND,
        },
        stream="both",
        ignorable=True,
    ),
    EntryKind(
        "name",
        "The name of an actor was set, changed or erased. The name and the salt are stored beside the ledger.",
        {
            "member": _MEMBER,
            "digest": EntryField(
                LINK, "HMAC-SHA256 of the name in UTF-8, with the salt as the key; empty if it was erased"
            ),
            "owner": EntryField(FLAG, "whether it is the local owner of the data directory", True),
            "created": EntryField(TIME, "when the actor was created", True),
            "found": _FOUND,
        },
        stream="repository",
        ignorable=True,
    ),
    EntryKind(
        "notice",
        "A notice was sent to a peer or received from one.",
        {
            "notice": EntryField(TEXT, "identifier of the notice"),
            "direction": EntryField(_one_of("sent", "received"), "from here, or to here"),
            "about": EntryField(TEXT, "its topic: `withdrawn`, `corrected`, `erased`, `derived` or `other`"),
            "peer": EntryField(TEXT, "the name of the peer; empty for an address that the operator named"),
            "document": EntryField(NAME.or_null(), "the document that it is about"),
            "version": EntryField(NUMBER.or_null(), "the version that it is about"),
            "answers": EntryField(TEXT, "identifier of the notice that it answers; may be empty"),
            "blob": EntryField(DIGEST.or_null(), "of its text"),
        },
        stream="both",
        ignorable=True,
    ),
    EntryKind(
        "events",
        "Events were received, from which documents are created. They are stored beside the ledger.",
        {
            "source": EntryField(TEXT, "the system or format of the events"),
            "blob": EntryField(DIGEST, "of the list of the SHA-256 digests of the events, one a line"),
            "size": EntryField(COUNT, "of the events in bytes"),
            "count": EntryField(COUNT, "the number of events"),
        },
        ignorable=True,
    ),
    EntryKind(
        "key",
        "A key for signatures was created, replaced by another (`rotated`), or revoked.",
        {
            "key": EntryField(TEXT, "identifier of the key: the first 16 digits of the SHA-256 of the public key"),
            "algorithm": EntryField(TEXT, "such as `ed25519`"),
            "public": EntryField(TEXT, "the public key in base64"),
            "purpose": EntryField(TEXT, "its use: `log` for a key that signs checkpoints"),
            "member": EntryField(TEXT, "opaque identifier of its holder; empty for the repository"),
            "state": EntryField(_one_of("created", "listed", "rotated", "revoked"), "what happened"),
            "successor": EntryField(TEXT, "identifier of the key that replaces it; may be empty"),
        },
        stream="both",
        ignorable=True,
    ),
    _reserved(
        "checkpoint",
        "A signed checkpoint of the stream's Merkle tree was published.",
        stream="both",
        fields={
            "size": EntryField(COUNT, "the number of entries in the tree"),
            "root": EntryField(DIGEST, "the tree's root"),
            "note": EntryField(TEXT, "the signed note"),
        },
    ),
    _reserved(
        "atoms",
        "Commitments to the statements of a version that was submitted without commitments.",
        fields={
            "document": _DOCUMENT,
            "version": _VERSION,
            "root": EntryField(DIGEST, "the root of the tree of atoms"),
            "count": EntryField(COUNT, "the number of atoms"),
            "codec": EntryField(TEXT, "version of the codec that made the atoms from the bytes"),
        },
    ),
    EntryKind(
        "gap",
        "The repository was restored from a backup: entries between backup and restore are missing.",
        {
            "setup": EntryField(UUID, "the set-up identifier from now on"),
            "former": EntryField(TEXT, "the set-up identifier until then; may be empty"),
            "size": EntryField(
                COUNT.or_null(), "the largest size of the stream that was published; null where unknown"
            ),
            "reason": _REASON,
        },
        stream="both",
        ignorable=True,
    ),
)

KINDS: Mapping[str, EntryKind] = {kind.name: kind for kind in _TABLE}
"""The kinds that this version knows, including reserved kinds."""


def check(values: Mapping[str, Any], fields: Mapping[str, EntryField]) -> None:
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
