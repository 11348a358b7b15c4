"""Receipts: an entry of a ledger with the proof that it is in the tree of a signed checkpoint.

A receipt can be verified years later and offline. This module needs the standard library and ``cryptography`` only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.canonical_json import canonical, strict_json
from provrepo.errors import ReadError
from provrepo.verify.merkle import leaf_hash
from provrepo.verify.notes import VerifierKey, parse_keys, signers
from provrepo.verify.proofs import InclusionProof, parse_proof

__all__ = ["ORIGIN", "ReceiptResult", "composed", "log_of", "origin_of", "receipt", "receipt_object"]

ORIGIN = "w3id.org/provrepo/log"
"""What the origins of all logs of provrepo begin with."""

_LARGEST = 16 << 20
"""The most bytes of a receipt, which may be inside of the answer to a submission."""

_FIELDS: Mapping[str, type] = {
    **dict.fromkeys(("kind", "project", "previous", "actor", "time", "software"), str),
    "sequence": int,
}
"""The fields of every entry that a receipt relies on."""

_ORIGIN = re.compile(
    re.escape(ORIGIN) + r"/([0-9a-f-]{36})/[0-9a-f]{1,8}(?:/([A-Za-z0-9][A-Za-z0-9_-]{0,99}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """The result of verifying a receipt.

    Attributes:
        proven: whether all that was checked holds.
        problem: why not; empty if it is proven.
        pinned: whether the signature is by one of the keys that the caller gave. Otherwise it is by a key that the
            receipt itself names, and anybody can make such a receipt with a key of their own.
        origin: the log.
        signer: the key that signed the checkpoint, as text.
        size: the number of entries that the checkpoint covers.
        kind: the kind of the entry.
        project: its project.
        sequence: its number in the project.
        time: the time of the entry, as the repository states it.
        document: the document that it is about; may be empty.
        version: the version of it; None if it has none.
        sha256: the SHA-256 of the submitted bytes; may be empty.
        compared: whether a document was given and has this SHA-256.
    """

    proven: bool
    problem: str = ""
    pinned: bool = False
    origin: str = ""
    signer: str = ""
    size: int = 0
    kind: str = ""
    project: str = ""
    sequence: int = 0
    time: str = ""
    document: str = ""
    version: int | None = None
    sha256: str = ""
    compared: bool = False

    @property
    def statement(self) -> str:
        """What is proven, in a sentence; or why nothing is."""
        if not self.proven:
            return f"Not proven: {self.problem}."
        what = f"entry {self.sequence} of {f'project {self.project}' if self.project else 'the repository'}"
        if self.kind == "submit":
            bytes_ = "these bytes" if self.compared else f"the bytes with SHA-256 {self.sha256}"
            what += f" records {bytes_} as {self.document} version {self.version}"
        else:
            what += f" is of the kind {self.kind}" + (f", about {self.document}" if self.document else "")
        who = "a key that you trust" if self.pinned else "the key that the receipt itself names"
        return (
            f"Proven: {what}, and {who} signed a list of {self.size:,} "
            f"{'entry' if self.size == 1 else 'entries'} that contains it."
        )

    @property
    def limits(self) -> str:
        """What is not proven, in a sentence."""
        open_ = [
            "that the content is true",
            f"that the clock of the repository was right ({self.time})",
            "that everybody is shown the same list (provrepo log monitor)",
        ]
        if not self.compared and self.sha256:
            open_.insert(0, "that a document has this SHA-256, as none was given")
        if not self.pinned:
            open_.insert(0, "whose key it is, as anybody can make a receipt with a key of their own (--key)")
        return f"Not proven: {', '.join(open_[:-1])}, and {open_[-1]}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return {**shown, "statement": self.statement, "limits": self.limits if self.proven else ""}


def receipt(
    receipt: bytes | str | Path | Mapping[str, Any],
    document: bytes | str | Path | None = None,
    key: str | Path | None = None,
) -> ReceiptResult:
    """Verify a receipt, offline.

    Args:
        receipt: its JSON, a file with it, or its object; also the answer to a submission, which contains it.
        document: the bytes that were submitted, or a file with them; None for none.
        key: a file with the keys that are trusted, one a line, or one such line (``NAME+ID+BASE64``). None to use the
            key that the receipt names, which does not prove whose key it is.

    Raises:
        ReadError: the receipt or the keys cannot be read, or are not in the one form that they have.
    """
    if isinstance(receipt, Mapping):
        given: Mapping[str, Any] = receipt
    else:
        given = _object(receipt if isinstance(receipt, bytes) else _read(receipt, "receipt", _LARGEST))
    found = receipt_object(given)
    proof, entry, own = _parts(found)
    keys = [own] if key is None else _keys(key)
    facts = _facts(entry, proof, pinned=key is not None)
    problem = _problem(entry, proof, keys, facts)
    compared = False
    if not problem and document is not None:
        compared, problem = _compare(entry, document)
    return ReceiptResult(not problem, problem, compared=compared, **facts)


def origin_of(identity: str, setup: str, project: str) -> str:
    """Return the origin of a log.

    A restore draws a new set-up identifier. So a repository that was restored, and may lack entries, signs for other
    origins than before.

    Args:
        identity: UUID of the repository.
        setup: its set-up identifier, a UUID; empty if it has none.
        project: the project; empty for the repository's own stream.
    """
    return "/".join([ORIGIN, identity, setup[:8] or "0", *([project] if project else [])])


def log_of(origin: str) -> tuple[str, str] | None:
    """Return the identity of the repository and the project of an origin; None if it is not one of provrepo."""
    found = _ORIGIN.fullmatch(origin)
    return None if found is None else (found[1], found[2] or "")


def receipt_object(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the receipt in an object: itself, or its member ``receipt`` in the answer to a submission.

    Raises:
        ReadError: it contains no receipt.
    """
    found = given.get("receipt") if "proof" not in given else given
    if not isinstance(found, Mapping) or not {"entry", "proof", "checkpoint", "key"} <= found.keys():
        raise ReadError("not a receipt: an object with entry, proof, checkpoint and key")
    return found


def _parts(found: Mapping[str, Any]) -> tuple[InclusionProof, Mapping[str, Any], VerifierKey]:
    if not isinstance(found["entry"], Mapping):
        raise ReadError("the entry of the receipt is not an object")
    for member in ("proof", "checkpoint", "key"):
        if not isinstance(found[member], str):
            raise ReadError(f"the member {member} of the receipt is not a text")
    proof = parse_proof(found["proof"])
    if str(proof.note) != found["checkpoint"]:
        raise ReadError("the checkpoint of the receipt is not the one of its proof")
    entry = found["entry"]
    for name, kind in _FIELDS.items():
        if not isinstance(entry.get(name), kind) or isinstance(entry[name], bool):
            raise ReadError(f"the entry of the receipt has no field {name}, or one of another type")
    return proof, entry, VerifierKey.from_text(found["key"])


def _facts(entry: Mapping[str, Any], proof: InclusionProof, *, pinned: bool) -> dict[str, Any]:
    document, version, blob = entry.get("document"), entry.get("version"), entry.get("blob")
    return {
        "pinned": pinned,
        "origin": proof.checkpoint.origin,
        "size": proof.checkpoint.size,
        **{name: entry[name] for name in ("kind", "project", "sequence", "time")},
        "document": document if isinstance(document, str) else "",
        "version": version if isinstance(version, int) else None,
        "sha256": blob if isinstance(blob, str) and entry["kind"] == "submit" else "",
        "signer": "",
    }


def _problem(entry: Mapping[str, Any], proof: InclusionProof, keys: list[VerifierKey], facts: dict[str, Any]) -> str:
    """Return why a receipt proves nothing; empty if it does. Adds the signer to the facts."""
    stated = proof.checkpoint
    own = _ORIGIN.fullmatch(stated.origin)
    if own is None or (own[2] or "") != entry["project"]:
        return f"the checkpoint is of {stated.origin}, which is not the log of project {entry['project'] or '(none)'}"
    if proof.index + 1 != entry["sequence"]:
        return f"the proof is about entry {proof.index + 1}, and the entry has the number {entry['sequence']}"
    try:
        digest = hashlib.sha256(canonical(entry)).digest()
    except ValueError as error:
        return f"the entry is not one of a ledger: {error}"
    if not proof.proves(leaf_hash(digest)):
        return "the entry is not in the tree of the checkpoint: entry, proof or checkpoint was changed"
    try:
        signed = signers(proof.note, stated.origin, keys)
    except ReadError as error:
        return error.message
    if not signed:
        return f"no key that is trusted signed the checkpoint of {stated.origin}"
    facts["signer"] = signed[0].text
    return ""


def _compare(entry: Mapping[str, Any], document: bytes | str | Path) -> tuple[bool, str]:
    data = document if isinstance(document, bytes) else _read(document, "document", None)
    found = hashlib.sha256(data).hexdigest()
    if entry["kind"] != "submit":
        return False, f"the receipt is of an entry of the kind {entry['kind']}, which no document belongs to"
    if entry.get("blob") != found:
        return False, f"the document has the SHA-256 {found}, and the receipt is for {entry.get('blob')}"
    return True, ""


def _keys(key: str | Path) -> list[VerifierKey]:
    if isinstance(key, str) and "\n" not in key and key.startswith(ORIGIN):
        return [VerifierKey.from_text(key.strip())]
    if isinstance(key, str) and "\n" in key:
        return parse_keys(key)
    return parse_keys(_text(_read(key, "key file", 1 << 20)))


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > _LARGEST:
        raise ReadError(f"a receipt has at most {_LARGEST:,} bytes")
    try:
        return strict_json(data)
    except ValueError as error:
        raise ReadError(f"the receipt is not JSON that can be read: {error}") from error


def _read(path: str | Path, what: str, most: int | None) -> bytes:
    try:
        if most is not None and Path(path).stat().st_size > most:
            raise ReadError(f"the {what} {path} has more than {most:,} bytes")
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReadError(f"cannot read the {what} {path}: {reason}") from error


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ReadError("the keys are not in UTF-8") from error


def composed(entry: bytes, proof: InclusionProof, key: VerifierKey) -> dict[str, Any]:
    """Return the receipt of an entry.

    Args:
        entry: its canonical bytes.
        proof: the proof of inclusion.
        key: the key that signed the checkpoint, under its name.
    """
    return {
        "entry": json.loads(entry),
        "proof": str(proof),
        "checkpoint": str(proof.note),
        "key": key.text,
    }
