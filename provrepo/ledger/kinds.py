"""The kinds of ledger entries and their fields, as one table.

``docs/reference/ledger.md`` is generated from it. A kind that is *reserved* is written by no verb yet: its fields are
fixed now, so that one revision of the format serves all that is planned. This version stores, reads and verifies such
entries, and they change nothing in what it shows.

Private words stay out of entries, since entries are never changed and readers of a project get them: names of people
and internal reasons stand in them as digests with a salt that is kept elsewhere and can be destroyed.
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
    """What a field may hold.

    Attributes:
        name: for the documentation.
        check: whether a value is one.
    """

    name: str
    check: Callable[[Any], bool]

    def or_null(self) -> Type:
        """The type that has null as well."""
        return Type(f"{self.name} or null", lambda value: value is None or self.check(value))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entry.

    Attributes:
        type: what it may hold.
        meaning: for the documentation.
        optional: whether an entry may lack it: fields that came later are, since earlier entries do.
    """

    type: Type
    meaning: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entry.

    Attributes:
        name: what ``kind`` holds.
        meaning: for the documentation.
        fields: by name, beside those of every entry.
        stream: in whose stream it may stand: ``project``, ``repository`` or ``both``.
        ignorable: whether software that does not know the kind may step over it.
        reserved: whether no verb writes it yet.
        open: whether fields beside those of the table are kept as they are.
    """

    name: str
    meaning: str
    fields: Mapping[str, Field]
    stream: str = "project"
    ignorable: bool = False
    reserved: bool = False
    open: bool = False


def is_name(value: Any) -> bool:
    """Whether a value can name a project or document."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_stream(value: Any) -> bool:
    """Whether a value can name a stream: a project, or the empty name of the repository's own stream."""
    return value == "" or is_name(value)


def is_profile(value: Any) -> bool:
    """Whether a value is what a setting ``profile:NAME`` holds."""
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
    "project": Field(STREAM, "whose stream it stands in; empty for the repository's own"),
    "sequence": Field(NUMBER, "its number in that stream, without gaps"),
    "previous": Field(LINK, "SHA-256 of the bytes of the entry before it; empty for the first"),
    "actor": Field(TEXT, "opaque identifier of who acted; empty where the software did so by itself"),
    "time": Field(TIME, "xsd:dateTime in UTC, ending in `Z`"),
    "software": Field(TEXT, "name and version of what wrote the entry"),
    "token": Field(TEXT, "identifier of the token with which it was asked for; absent for the local owner", True),
    "ignorable": Field(FLAG, "true where software that does not know the kind may step over the entry", True),
}
"""Fields of every entry."""

_DOCUMENT = Field(NAME, "the document's name")
_VERSION = Field(NUMBER, "the number of the version")
_REASON = Field(TEXT, "why, for everybody who may read the project")
_INTERNAL = Field(
    LINK, "SHA-256 of a salt of 32 bytes and a reason that readers are not shown; empty or absent without one", True
)
_MEMBER = Field(TEXT, "opaque identifier of the person or service")
_FOUND = Field(FLAG, "true where the ledger began to record this later, and took what it found", True)
_PEER = Field(TEXT, "the other repository, by the identifier under which it is configured")

SETTINGS: Mapping[str, Type] = {"public": FLAG, "title": TEXT, "profiles": TEXTS, "base": TEXT, "license": TEXT}
"""Settings whose type is checked; further keys are kept as they are."""


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
            "format": Field(TEXT, "in which they were read"),
            "base": Field(TEXT, "against which relative IRIs were resolved; may be empty"),
            "title": Field(TEXT, "for people; may be empty"),
            "statements": Field(COUNT, "how many were read"),
            "layers": Field(TEXTS, "the checks that ran"),
            "profiles": Field(TEXTS, "what it was held against"),
            "mapping": Field(TEXT, "version of the codec and mapping that read it"),
            "verdict": Field(_one_of("conforms", "fails"), "whether it conforms to its profiles"),
            "report": Field(DIGEST, "of the report, itself a blob"),
            "note": Field(TEXT, "what the submitter said; may be empty"),
            "origin": Field(OBJECT.or_null(), "where it came from, when a peer sent it"),
            "possible": Field(FLAG.or_null(), "whether it is valid by PROV-CONSTRAINTS; null when not asked", True),
            "warnings": Field(COUNT, "how many warnings the report has", True),
            "license": Field(TEXT, "IRI of the license under which it was submitted; may be empty", True),
            "signatures": Field(OBJECTS, "of each signature its `key`, and `envelope`, the SHA-256 of a blob", True),
            "atoms": Field(OBJECT.or_null(), "`root`, `count` and `codec` of its atom commitments", True),
        },
    ),
    Kind(
        "withdraw",
        "The document is no longer offered. Its versions stay, for those who may change the project.",
        {
            "document": _DOCUMENT,
            "version": Field(NUMBER, "the version that was current"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    Kind(
        "erase",
        "The bytes of one version are gone for good; its entries stay.",
        {
            "document": _DOCUMENT,
            "version": _VERSION,
            "blob": Field(DIGEST, "of the bytes that are gone"),
            "reason": _REASON,
            "internal": _INTERNAL,
        },
    ),
    Kind("settings", "What was changed, each value replacing the former one.", {}, stream="both", open=True),
    Kind(
        "identity",
        "In the repository's own stream: the repository was given its identity, once. In a project's stream: the "
        "entries before this one were there already.",
        {
            "id": Field(UUID, "the repository's identity"),
            "former": Field(FLAG, "whether what was there before has IRIs that do not depend on the identity"),
            "setup": Field(
                UUID,
                "in the repository's own stream: the set-up identifier, by which followers notice that this copy of "
                "the data is another one; a restore draws a new one (`gap`)",
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
            "name": Field(NAME, "what the project is called here"),
            "origin": Field(TEXT, "URL of the project that is mirrored"),
            "identity": Field(UUID, "of the repository that is mirrored"),
            "setup": Field(TEXT, "the set-up identifier that it gave"),
            "state": Field(_one_of("begun", "ended"), "whether it is followed"),
        },
    ),
    _reserved(
        "exchange",
        "A version was sent to a peer or came from one; both sides keep such a record.",
        fields={
            "document": _DOCUMENT,
            "version": Field(NUMBER.or_null(), "the number of the version here; null while it waits"),
            "blob": Field(DIGEST, "of the bytes"),
            "direction": Field(_one_of("sent", "received"), "from here, or to here"),
            "peer": _PEER,
            "entry": Field(LINK, "SHA-256 of the entry on the other side; empty while it is not known"),
            "state": Field(TEXT, "what became of it"),
            "signatures": Field(OBJECTS, "of both sides", True),
        },
    ),
    _reserved(
        "pending",
        "Bytes wait for a review, or were refused and are kept for their submitter. They are in no dataset.",
        fields={
            "pending": Field(TEXT, "names what waits"),
            "why": Field(_one_of("review", "push", "refused"), "why it waits"),
            "digest": Field(
                DIGEST,
                "salted digest of the canonical JSON of what waits: `document`, `blob`, `size`, `format`, `base`, "
                "`report`, `note`, `origin`. It is kept beside the ledger, since readers of the project may not know "
                "of it",
            ),
            "expires": Field(TIME.or_null(), "until when it is kept"),
        },
    ),
    _reserved(
        "review",
        "What waited was decided on. Where it was accepted a `submit` entry follows.",
        fields={
            "pending": Field(TEXT, "what waited"),
            "decision": Field(_one_of("accepted", "rejected", "changes", "expired", "given-up"), "the decision"),
            "digest": Field(LINK, "salted digest of the comment; empty without one"),
        },
    ),
    _reserved(
        "member",
        "Somebody has a role in the project from now on, or none.",
        fields={"member": _MEMBER, "role": Field(_one_of("reader", "submitter", "curator", "owner", "none"), "which")},
    ),
    _reserved(
        "role",
        "Somebody has a role in the whole repository from now on, or none.",
        stream="repository",
        fields={"member": _MEMBER, "role": Field(_one_of("administrator", "none"), "which")},
    ),
    _reserved(
        "invitation",
        "A link was made that gives a role, or lets a reviewer read without an account; or it was used or revoked.",
        fields={
            "invitation": Field(TEXT, "names the link"),
            "purpose": Field(_one_of("member", "review"), "what it is for"),
            "role": Field(TEXT, "the role that it gives; empty for a review"),
            "digest": Field(DIGEST, "of the link's secret"),
            "expires": Field(TIME.or_null(), "until when it works"),
            "state": Field(_one_of("made", "used", "revoked"), "what happened"),
        },
    ),
    _reserved(
        "embargo",
        "The project stays closed until a time, or no longer. It is opened by an entry of settings.",
        fields={"until": Field(TIME.or_null(), "when it is to be opened; null lifts the embargo"), "reason": _REASON},
    ),
    Kind(
        "token",
        "A token was granted or ended, with all that is kept of it: in a project's stream for that project, in the "
        "repository's own for all.",
        {
            "id": Field(TEXT, "identifier of the token"),
            "member": Field(TEXT, "opaque identifier of whom it speaks for"),
            "state": Field(_one_of("granted", "rotated", "revoked"), "what happened"),
            "scopes": Field(TEXTS, "what it may do: `read`, `write`"),
            "expires": Field(TIME.or_null(), "until when"),
            "projects": Field(
                LINK,
                "HMAC-SHA256 of the names of the projects it is for as a JSON list, its key a salt beside the ledger; "
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
        "A name was given to an actor, changed or erased. The name itself and the salt stand beside the ledger.",
        {
            "member": _MEMBER,
            "digest": Field(LINK, "HMAC-SHA256 of the name in UTF-8, its key the salt; empty where it was erased"),
            "owner": Field(FLAG, "whether it is the local owner of the data directory", True),
            "created": Field(TIME, "when the actor was first known", True),
            "found": _FOUND,
        },
        stream="repository",
        ignorable=True,
    ),
    _reserved(
        "notice",
        "A notice went to a peer or came from one.",
        stream="both",
        fields={
            "notice": Field(TEXT, "identifier of the notice"),
            "direction": Field(_one_of("sent", "received"), "from here, or to here"),
            "about": Field(TEXT, "what it announces"),
            "peer": _PEER,
            "document": Field(NAME.or_null(), "the document that it is about"),
            "version": Field(NUMBER.or_null(), "the version that it is about"),
            "answers": Field(TEXT, "identifier of the notice that it answers; may be empty"),
            "blob": Field(DIGEST.or_null(), "of its text"),
        },
    ),
    _reserved(
        "events",
        "A batch of events was received, from which documents are made.",
        fields={
            "source": Field(TEXT, "the system or format they come from"),
            "blob": Field(DIGEST, "of the events"),
            "size": Field(COUNT, "of the events in bytes"),
            "count": Field(COUNT, "how many events"),
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
            "purpose": Field(TEXT, "what it signs"),
            "member": Field(TEXT, "opaque identifier of whose key it is; empty for the repository's"),
            "state": Field(_one_of("created", "listed", "rotated", "revoked"), "what happened"),
            "successor": Field(TEXT, "identifier of the key that replaces it; may be empty"),
        },
    ),
    _reserved(
        "checkpoint",
        "A signed checkpoint of the stream's Merkle tree was published.",
        stream="both",
        fields={
            "size": Field(COUNT, "how many entries the tree had"),
            "root": Field(DIGEST, "the tree's root"),
            "note": Field(TEXT, "the signed note"),
        },
    ),
    _reserved(
        "atoms",
        "The commitments to the statements of a version that was submitted without them.",
        fields={
            "document": _DOCUMENT,
            "version": _VERSION,
            "root": Field(DIGEST, "the root of the tree of atoms"),
            "count": Field(COUNT, "how many atoms"),
            "codec": Field(TEXT, "version of the codec that made the atoms from the bytes"),
        },
    ),
    Kind(
        "gap",
        "The repository was restored from a backup: what was acknowledged between backup and restore is missing.",
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
"""The kinds that this version knows, the reserved ones included."""


def check(values: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
    """Compare values with the fields that they should be.

    Raises:
        ValueError: one is missing or of the wrong type.
    """
    for name, field in fields.items():
        if name not in values:
            if field.optional:
                continue
            raise ValueError(f"the field {name!r} is missing")
        if not field.type.check(values[name]):
            raise ValueError(f"the field {name!r} cannot be {str(values[name])[:80]!r}")
