"""The message about a pushed version: its metadata and its position in the chain of the sender.

The message contains the entry of the submission as it is in the sender's ledger. Name, format, base, note, title and
verdict are taken from it, and its SHA-256 covers them. The receiver checks that the bytes of the document are
those that the entry names. It cannot check that the entry is in the sender's chain: that needs the chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provrepo.codecs.formats import READABLE
from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import Damaged, Error, UsageError
from provrepo.ledger.entries import Entry
from provrepo.ledger.kinds import DIGEST, NAME, NUMBER, OBJECT, TEXT, UUID, FieldType
from provrepo.repository import access

__all__ = ["LONGEST", "Message", "compose", "parse"]

LONGEST = 256 << 10
"""The most bytes of a message."""

_LONGEST_TEXT = 2_000
"""The most characters of an IRI or a name in a message."""

_FORMAT = 1
_FIELDS: dict[str, FieldType] = {
    "identity": UUID,
    "setup": UUID,
    "project": NAME,
    "document": NAME,
    "version": NUMBER,
    "sequence": NUMBER,
    "entry": DIGEST,
    "head": OBJECT,
    "iri": TEXT,
    "submitter": TEXT,
    "license": TEXT,
    "content": TEXT,
}
_READABLE = frozenset(format_.name for format_ in READABLE)


@dataclass(frozen=True, slots=True)
class Message:
    """The message about one pushed version.

    Attributes:
        identity: the UUID of the sender's repository.
        setup: its set-up identifier.
        project: the project there.
        document: the document there.
        version: its version there.
        sequence: the sequence number of the entry of the submission.
        entry: SHA-256 of that entry.
        head: ``sequence`` and ``sha256`` of the last entry of the project there.
        iri: the IRI of the version.
        submitter: the name of its submitter; may be empty.
        license: the IRI of its license, or of that of its project; may be empty.
        fields: the fields of the entry of the submission.
    """

    identity: str
    setup: str
    project: str
    document: str
    version: int
    sequence: int
    entry: str
    head: Mapping[str, Any]
    iri: str
    submitter: str
    license: str
    fields: Mapping[str, Any]

    def origin(self, peer: str) -> dict[str, Any]:
        """Return the value of ``origin`` in entries of the receiver. It contains no names of people."""
        return {
            "peer": peer,
            "identity": self.identity,
            "setup": self.setup,
            "project": self.project,
            "document": self.document,
            "version": self.version,
            "sequence": self.sequence,
            "entry": self.entry,
            "head": dict(self.head),
            "iri": self.iri,
        }


def compose(
    entry: Entry,
    *,
    identity: str,
    setup: str,
    head: tuple[int, str],
    iri: str,
    submitter: str,
    license: str,  # noqa: A002
) -> bytes:
    """Return the message about a version.

    Args:
        entry: the entry of its submission.
        identity: the UUID of this repository.
        setup: its set-up identifier.
        head: sequence number and SHA-256 of the last entry of the project.
        iri: the IRI of the version.
        submitter: the name of its submitter.
        license: the IRI of the license of the project, which applies if the submission has none; may be empty.
    """
    values = {
        "push": _FORMAT,
        "identity": identity,
        "setup": setup,
        "project": entry.project,
        "document": entry.body["document"],
        "version": entry.body["version"],
        "sequence": entry.sequence,
        "entry": entry.sha256,
        "head": {"sequence": head[0], "sha256": head[1]},
        "iri": iri,
        "submitter": submitter[:_LONGEST_TEXT],
        "license": entry.body.get("license") or license,
        "content": entry.data.decode(),
    }
    return json.dumps(values, ensure_ascii=False).encode()


def parse(data: bytes, document: bytes) -> Message:
    """Return the message of some bytes, after checking it against the bytes of the document.

    Raises:
        UsageError: it is malformed, contradicts itself, or describes other bytes.
    """
    if len(data) > LONGEST:
        raise UsageError(f"the message of a push has at most {LONGEST:,} bytes, not {len(data):,}")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the message of the push is not JSON: {error}") from None
    if not isinstance(values, dict) or values.get("push") != _FORMAT:
        raise UsageError(f"the message of the push is not of format {_FORMAT}; upgrade provrepo to receive it")
    for name, type_ in _FIELDS.items():
        if not type_.check(values.get(name)):
            raise UsageError(f"{name!r} in the message of the push is not a {type_.name}")
    entry = _entry(values)
    fields = entry.fields
    _check_head(values["head"], entry)
    if fields["blob"] != hashlib.sha256(document).hexdigest() or fields["size"] != len(document):
        raise UsageError("the entry of the push is about other bytes than those of the document")
    _checked(lambda: access.text("note", fields["note"]))
    _checked(lambda: access.text("title", fields["title"]))
    for name, iri in (("iri", values["iri"]), ("license", values["license"]), ("base", fields["base"])):
        if len(iri) > _LONGEST_TEXT or (iri and not is_iri(iri)):
            raise UsageError(f"{name!r} of the push is not an absolute IRI")
    if len(values["submitter"]) > _LONGEST_TEXT or not _is_unicode(values["submitter"]):
        raise UsageError("'submitter' of the push is not a name")
    if fields["format"] not in _READABLE:
        raise UsageError(f"the push has the format {fields['format'][:40]!r}, which this version cannot read")
    chosen = {name: values[name] for name in _FIELDS if name not in ("content", "head")}
    head = {"sequence": values["head"]["sequence"], "sha256": values["head"]["sha256"]}
    return Message(**chosen, head=head, fields=fields)


def _entry(values: Mapping[str, Any]) -> Entry:
    try:
        entry = Entry.from_bytes(values["content"].encode("utf-8"))
    except (Damaged, UnicodeEncodeError) as error:
        raise UsageError(f"'content' of the push is not an entry of a ledger: {error}") from None
    if entry.kind != "submit":
        raise UsageError(f"'content' of the push is an entry of the kind {entry.kind[:40]!r}, not a submission")
    claimed = (values["project"], values["sequence"], values["entry"], values["document"], values["version"])
    found = (entry.project, entry.sequence, entry.sha256, entry.body["document"], entry.body["version"])
    if claimed != found:
        raise UsageError("the message of the push contradicts its entry in project, sequence, digest or version")
    return entry


def _check_head(head: Mapping[str, Any], entry: Entry) -> None:
    if not NUMBER.check(head.get("sequence")) or not DIGEST.check(head.get("sha256")):
        raise UsageError("'head' of the push is not the position of an entry")
    later = head["sequence"] > entry.sequence
    if not later and (head["sequence"], head["sha256"]) != (entry.sequence, entry.sha256):
        raise UsageError("'head' of the push contradicts its entry")


def _checked(check: Callable[[], object]) -> None:
    try:
        check()
    except Error as error:
        raise UsageError(f"the push cannot be taken: {error}") from None


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
