"""The statements of in-toto in their envelopes: bare, in DSSE, or in a bundle of Sigstore. Signatures are not verified.

https://github.com/in-toto/attestation/tree/main/spec/v1, https://github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.json_values import Problem, canonical, parse, unwritable

__all__ = ["FORMAT", "Attestation", "attestations"]

FORMAT = "intoto"

PAYLOAD = "application/vnd.in-toto+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle"
TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")


@dataclass
class Attestation:
    """One statement.

    Attributes:
        data: its JSON object; an empty one if it cannot be read.
        digest: SHA-256 of the signed bytes, or of the canonical JSON of a statement without an envelope.
        signatures: the number of its signatures.
        line: the line on which its envelope starts.
        pointer: the JSON pointer of the envelope in the source.
        problems: what is not as the specifications say.
    """

    data: Mapping[str, Any]
    digest: str
    signatures: int
    line: int
    pointer: str
    problems: list[Problem] = field(default_factory=list)


def attestations(data: bytes) -> Iterator[Attestation]:
    """The attestations of a text: JSON, JSON lines, or an array.

    Raises:
        ReadError: the text is not JSON, with line and column.
    """
    for line, pointer, value in parse(data, FORMAT):
        yield _attestation(value, line, pointer)


def _attestation(value: Any, line: int, pointer: str) -> Attestation:
    found = Attestation({}, sha256(repr(value).encode("utf-8", "replace")).hexdigest(), 0, line, pointer)
    wrong = next(unwritable(value, ""), None)
    if wrong is not None or not isinstance(value, dict):
        found.problems.append(wrong or Problem("", "an attestation is a JSON object", fatal=True))
        return found
    inside = ""
    if isinstance(value.get("mediaType"), str) and value["mediaType"].startswith(_BUNDLE):
        value, inside = value.get("dsseEnvelope"), "/dsseEnvelope"
        if not isinstance(value, dict):
            found.problems.append(Problem("", "this bundle signs a file, and has no statement about it", fatal=True))
            return found
    if "payload" in value:
        return _signed(value, found, inside)
    found.digest = sha256(canonical(value)).hexdigest()
    return _checked(value, found, "")


def _signed(envelope: Mapping[str, Any], found: Attestation, inside: str) -> Attestation:
    if envelope.get("payloadType") != PAYLOAD:
        found.problems.append(Problem(f"{inside}/payloadType", f"{PAYLOAD} is needed", fatal=True))
        return found
    try:
        text = envelope["payload"].encode("ascii")
        payload = b64decode(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4), validate=True)
        values = list(parse(payload, FORMAT))
    except (AttributeError, UnicodeError, binascii.Error):
        found.problems.append(Problem(f"{inside}/payload", "not UTF-8 in base64", fatal=True))
        return found
    except ReadError as error:
        found.problems.append(
            Problem(f"{inside}/payload", f"line {error.line} of the payload: {error.message}", fatal=True)
        )
        return found
    found.digest = sha256(payload).hexdigest()
    signatures = envelope.get("signatures")
    found.signatures = len(signatures) if isinstance(signatures, list) else 0
    if not found.signatures:
        found.problems.append(Problem(f"{inside}/signatures", "a list of signatures is needed"))
    if len(values) != 1:
        found.problems.append(Problem(f"{inside}/payload", "one JSON object is needed", fatal=True))
        return found
    wrong = next(unwritable(values[0][2], f"{inside}/payload"), None)
    if wrong is not None:
        found.problems.append(wrong)
        return found
    return _checked(values[0][2], found, f"{inside}/payload")


def _checked(value: Any, found: Attestation, inside: str) -> Attestation:
    if not isinstance(value, dict) or value.get("_type") not in TYPES:
        found.problems.append(Problem(f"{inside}/_type", f"no statement of in-toto, {TYPES[0]}", fatal=True))
    elif not isinstance(value.get("subject"), list) or not value["subject"]:
        found.problems.append(Problem(f"{inside}/subject", "a list of what it is about is needed", fatal=True))
    elif not isinstance(value.get("predicateType"), str):
        found.problems.append(Problem(f"{inside}/predicateType", "a type is needed", fatal=True))
    else:
        found.data = value
    found.pointer += inside
    return found
