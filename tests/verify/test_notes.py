"""Signed notes: the example of the specification, and what is refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provrepo.errors import ReadError
from provrepo.verify.notes import (
    Checkpoint,
    VerifierKey,
    decoded_base64,
    parse_checkpoint,
    parse_keys,
    parse_note,
    sign,
    signers,
)

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The key and the note in the documentation of Go's package note, which C2SP signed-note describes."""

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("lab.example/log", PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint("lab.example/log", 1000, bytes(32))


def signed(text: str = CHECKPOINT.text) -> str:
    return str(sign(text, KEY.name, [PRIVATE]))


def test_the_note_of_the_specification() -> None:
    key = VerifierKey.from_text(NEUMANN)
    assert key.text == NEUMANN
    note = parse_note(NOTE)
    assert str(note) == NOTE
    assert signers(note, "PeterNeumann", [key]) == [key]
    with pytest.raises(ReadError, match="is not by the key that it names"):
        signers(parse_note(NOTE.replace("your problem is", "my problem is")), "PeterNeumann", [key])
    assert signers(note, "PeterNeumann", [KEY]) == []


def test_a_checkpoint_comes_back() -> None:
    note = parse_note(signed())
    assert parse_checkpoint(note) == CHECKPOINT
    assert note.text == f"lab.example/log\n1000\n{'A' * 43}=\n"
    assert signers(note, CHECKPOINT.origin, [KEY]) == [KEY]


def test_lines_of_unknown_keys_are_ignored() -> None:
    other = Ed25519PrivateKey.generate()
    both = sign(CHECKPOINT.text, KEY.name, [other, PRIVATE])
    assert signers(both, CHECKPOINT.origin, [KEY]) == [KEY]
    assert signers(parse_note(str(both)), CHECKPOINT.origin, [KEY]) == [KEY]
    foreign = str(sign(CHECKPOINT.text, "witness.example", [other])).splitlines()[-1]
    assert signers(parse_note(signed() + foreign + "\n"), CHECKPOINT.origin, [KEY]) == [KEY]


def test_a_key_covers_its_name_and_what_continues_it() -> None:
    key = KEY.named("w3id.org/provrepo/log/x")
    note = sign(CHECKPOINT.text, "w3id.org/provrepo/log/x/1/crops", [PRIVATE])
    assert signers(note, "w3id.org/provrepo/log/x/1/crops", [key]) == [key]
    assert signers(note, "w3id.org/provrepo/log/xy/1/crops", [key]) == []
    assert not key.covers("w3id.org/provrepo/log/xy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        signed().removesuffix("\n"),
        signed().replace("— ", "- "),
        signed().replace("lab.example/log\n1000", "lab.example/log\r\n1000"),
        signed().replace("=\n\n", "=\n \n"),
        signed().replace("— lab.example/log ", "— lab.example/log  "),
        signed().replace("— lab.example/log ", "— lab+example/log "),
        signed() + "\n",
        "x" * (1 << 20) + signed(),
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(ReadError):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "lab\n1\n",
        f"lab\n01\n{'A' * 43}=\n",
        f"lab\n-1\n{'A' * 43}=\n",
        f"lab\n+1\n{'A' * 43}=\n",
        f"lab\n1_0\n{'A' * 43}=\n",
        f"lab\n١\n{'A' * 43}=\n",
        f"lab\n1\n{'A' * 42}B=\n",
        f"lab\n1\n{'A' * 43}\n",
        f"lab\n1\n{'A' * 40}\n",
        f"l ab\n1\n{'A' * 43}=\n",
        f"lab\n1\n{'A' * 43}=\nextension\n",
        f"lab\n{'9' * 40}\n{'A' * 43}=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ReadError):
        parse_checkpoint(parse_note(str(sign(text, "lab", [PRIVATE]))))


def test_base64_has_one_form() -> None:
    assert decoded_base64("AA==") == b"\x00"
    # The last bits of the second letter are no bits of the byte, and Python's decoder ignores them.
    assert base64.b64decode("AB==") == b"\x00"
    for other in ("AB==", "AA=", "AA", "AA==\n", " AA==", "A-==", "A A==", "ÄA=="):
        assert decoded_base64(other) is None


def test_keys_are_read_with_their_lines() -> None:
    other = VerifierKey("other", bytes(32))
    assert parse_keys(f"# ours\n\n{KEY.text}\n  {other.text}\n") == [KEY, other]
    with pytest.raises(ReadError, match="line 2: the identifier of the key of other"):
        parse_keys(f"{KEY.text}\n{other.text.replace(other.id.hex(), '00000000')}\n")
    with pytest.raises(ReadError, match="there is no key"):
        parse_keys("# nothing\n")
    for wrong in ("no key", "a b+00000000+AAAA", NEUMANN.replace("+AR", "+BR"), NEUMANN[:-1]):
        with pytest.raises(ReadError):
            VerifierKey.from_text(wrong)
