"""Receipts: what they prove, and 10,000 changed ones of which none is believed."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import provrepo
from provrepo import verify
from provrepo.canonical_json import canonical
from provrepo.errors import ReadError
from provrepo.repository.repository import Repository
from provrepo.verify.notes import VerifierKey, sign
from provrepo.verify.proofs import parse_proof

Receipt = dict[str, Any]


def document(number: int) -> bytes:
    return f"document\nprefix ex <http://example.org/>\nentity(ex:e{number})\nendDocument\n".encode()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    with provrepo.open(tmp_path_factory.mktemp("receipts") / "data", follow=False) as opened:
        for project in ("crops", "soil"):
            opened.create_project(project)
        for number in range(12):
            opened.submit(document(number), project="crops", name="run", update=True)
            opened.submit(document(number), project="soil", name="run", update=True)
        yield opened


@pytest.fixture(scope="module")
def receipt(repository: Repository) -> Receipt:
    return repository.receipt("crops", "run", 5)


@pytest.fixture(scope="module")
def key(repository: Repository) -> str:
    return repository.log("crops").keys[0]


def test_a_receipt_proves_the_bytes(receipt: Receipt, key: str, tmp_path: Path) -> None:
    found = verify.receipt(receipt, document(4), key)
    assert found.proven
    assert (found.project, found.document, found.version, found.sequence, found.size) == ("crops", "run", 5, 6, 13)
    assert found.pinned
    assert found.compared
    assert "a key that you trust signed a list of 13 entries" in found.statement
    assert "whose key it is" not in found.limits
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    (tmp_path / "document.provn").write_bytes(document(4))
    (tmp_path / "keys").write_text(f"# ours\n{key}\n")
    again = verify.receipt(tmp_path / "receipt.json", tmp_path / "document.provn", tmp_path / "keys")
    assert again == found


def test_without_a_key_it_says_that_anybody_could_have_made_it(receipt: Receipt) -> None:
    found = verify.receipt(receipt)
    assert found.proven
    assert not found.pinned
    assert "the key that the receipt itself names" in found.statement
    assert "whose key it is" in found.limits
    assert "as none was given" in found.limits


def test_the_answer_to_a_submission_contains_it(repository: Repository, key: str) -> None:
    answer = repository.submit(document(11), project="crops", name="run").to_dict()
    assert verify.receipt(json.dumps(answer).encode(), document(11), key).proven


def test_another_document_or_key_proves_nothing(receipt: Receipt, key: str) -> None:
    assert "the document has the SHA-256" in verify.receipt(receipt, document(5), key).problem
    other = VerifierKey(VerifierKey.from_text(key).name, bytes(32)).text
    found = verify.receipt(receipt, key=other)
    assert found.problem.startswith("no key that is trusted signed the checkpoint")
    assert found.statement.startswith("Not proven: ")


def forged(receipt: Receipt, private: Ed25519PrivateKey, **changes: Any) -> Receipt:
    """A receipt with a changed entry, in a tree of one leaf that another key has signed."""
    from provrepo.verify.merkle import leaf_hash
    from provrepo.verify.notes import Checkpoint
    from provrepo.verify.proofs import InclusionProof

    entry = {**receipt["entry"], "sequence": 1, **changes}
    origin = parse_proof(receipt["proof"]).checkpoint.origin
    import hashlib

    root = leaf_hash(hashlib.sha256(canonical(entry)).digest())
    note = sign(Checkpoint(origin, 1, root).text, origin, [private])
    name = VerifierKey.from_text(receipt["key"]).name
    made = VerifierKey(name, private.public_key().public_bytes_raw()).text
    return {"entry": entry, "proof": str(InclusionProof(0, (), note)), "checkpoint": str(note), "key": made}


def test_a_forged_receipt_is_found_by_the_key(receipt: Receipt, key: str) -> None:
    made = forged(receipt, Ed25519PrivateKey.generate(), actor="somebody else")
    assert not verify.receipt(made, key=key).proven
    assert verify.receipt(made).proven  # anybody can make such a one, as its sentence says


def pieces(receipt: Receipt) -> tuple[bytes, str, int, tuple[bytes, ...]]:
    """All of a receipt that is signed or proven."""
    proof = parse_proof(receipt["proof"])
    return canonical(receipt["entry"]), proof.note.text, proof.index, proof.hashes


def parts_of_text(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(5)
    if how == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif how == 1:
        del lines[one]
    elif how == 2:
        lines.insert(one, lines[two])
    elif how == 3:
        lines[one] = bits(lines[one], chance)
    else:
        lines[one] = lines[one].replace(*chance.sample(["A", "B", "C", "0", "1", "+", "/", "=", " ", "x"], 2), 1)
    return "\n".join(lines)


def bits(text: str, chance: random.Random) -> str:
    """Change one character to another of base64: often the spare bits at the end."""
    if not text:
        return "A"
    place = chance.choice([chance.randrange(len(text)), max(0, len(text) - 2)])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
    return text[:place] + chance.choice(letters) + text[place + 1 :]


def mutations(receipt: Receipt, others: list[Receipt]) -> list[Callable[[random.Random], bytes]]:
    """Ways to change a receipt."""

    def flipped(chance: random.Random) -> bytes:
        data = bytearray(json.dumps(receipt, ensure_ascii=False).encode())
        for _ in range(chance.choice([1, 1, 2, 5])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(data)

    def cut(chance: random.Random) -> bytes:
        data = json.dumps(receipt).encode()
        start = chance.randrange(len(data))
        return data[:start] + data[start + chance.randrange(1, 40) :]

    def member(chance: random.Random) -> bytes:
        made = deepcopy(receipt)
        name = chance.choice(["proof", "checkpoint", "key"])
        made[name] = parts_of_text(made[name], chance)
        if chance.random() < 0.5:  # both of them, so that they agree
            made["checkpoint"] = made["proof"].partition("\n\n")[2]
        return json.dumps(made).encode()

    def mixed(chance: random.Random) -> bytes:
        names = chance.sample(["entry", "proof", "checkpoint", "key"], chance.randrange(1, 4))
        other = chance.choice(others)
        return json.dumps({**receipt, **{name: other[name] for name in names}}).encode()

    def entry(chance: random.Random) -> bytes:
        made = deepcopy(receipt)
        name = chance.choice(list(made["entry"]))
        wrong = [None, "", 0, 1, -1, 2, True, [], {}, "crops", "soil", 10**20, 1.5, made["entry"][name]]
        wrong += [each["entry"][name] for each in others]
        if chance.random() < 0.2:
            del made["entry"][name]
        else:
            made["entry"][chance.choice([name, "more"])] = chance.choice(wrong)
        return json.dumps(made).encode()

    def size(chance: random.Random) -> bytes:
        made = deepcopy(receipt)
        wanted = chance.randrange(40)
        made["checkpoint"] = made["checkpoint"].replace("\n13\n", f"\n{wanted}\n")
        index, note = chance.randrange(20), made["checkpoint"]
        made["proof"] = made["proof"].partition("\n\n")[0].replace("index 5", f"index {index}") + f"\n\n{note}"
        return json.dumps(made).encode()

    def signature(chance: random.Random) -> bytes:
        made = deepcopy(receipt)
        private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        note = parse_proof(made["proof"]).note
        origin = note.text.partition("\n")[0]
        more = str(sign(note.text, chance.choice([origin, "witness.example"]), [private])).splitlines()[-1] + "\n"
        made["checkpoint"] = chance.choice([str(note) + more, f"{note.text}\n{more}", f"{note.text}\n{more}{more}"])
        made["proof"] = made["proof"].partition("\n\n")[0] + f"\n\n{made['checkpoint']}"
        if chance.random() < 0.3:
            extra = base64.b64encode(chance.randbytes(9)).decode()
            made["proof"] = made["proof"].replace("\nindex", f"\nextra {extra}\nindex")
        return json.dumps(made).encode()

    return [flipped, cut, member, member, mixed, entry, size, signature]


def test_no_changed_receipt_is_believed(repository: Repository, receipt: Receipt, key: str) -> None:
    """Changed, cut, mixed with others of the project, and with those of another project, 10,000 times."""
    chance = random.Random(24)
    others = [repository.receipt("crops", "run", number) for number in (1, 4, 6, 12)]
    others += [repository.receipt("soil", "run", number) for number in (5, 6)]
    ways = mutations(receipt, others)
    originals = [pieces(each) for each in (receipt, *others)]
    accepted = refused = 0
    for number in range(10_000):
        changed = chance.choice(ways)(chance)
        try:
            found = verify.receipt(changed, key=None if number % 4 == 0 else key)
        except ReadError:
            refused += 1
            continue
        if not found.proven:
            refused += 1
            continue
        accepted += 1
        # What is accepted is one of the receipts that were given out, but for what nothing authenticates.
        assert pieces(json.loads(changed)) in originals, changed
    assert refused > 0.7 * (accepted + refused)
    assert accepted  # those with further lines of signatures


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"proof": 7}, "proof of the receipt is not a text"),
        ({"entry": []}, "entry of the receipt is not an object"),
        ({"key": "x"}, "not a key"),
        ({"checkpoint": "x"}, "not the one of its proof"),
        ({"proof": "x"}, "not a proof"),
    ],
)
def test_what_is_malformed_is_said(receipt: Receipt, change: Receipt, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        verify.receipt({**receipt, **change})


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"{}", b'{"proof": 1}', b"\xff", b'{"a": 1, "a": 1}', b"[" * 100_000]
)
def test_what_is_no_receipt_is_said(text: bytes) -> None:
    with pytest.raises(ReadError):
        verify.receipt(text)


def test_files_that_cannot_be_read_are_named(receipt: Receipt, tmp_path: Path) -> None:
    for arguments in (
        (tmp_path / "none",),
        (receipt, tmp_path / "none"),
        (receipt, None, tmp_path / "none"),
        (receipt, None, str(tmp_path / "none")),
    ):
        with pytest.raises(ReadError, match="cannot read the"):
            verify.receipt(*arguments)


def test_it_imports_nothing_but_cryptography() -> None:
    code = (
        "import sys; from provrepo import verify; verify.receipt; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), "
        "*sorted(name for name in sys.modules if name.startswith('provrepo.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    found = set(run.stdout.split())
    assert not found & {"flask", "click", "httpx", "lxml", "rdflib", "pyoxigraph", "prov", "sqlite3", "cryptography"}
    ours = {name for name in found if name.startswith("provrepo.") and not name.startswith("provrepo.verify")}
    # `import provrepo` itself needs the version and the table of the operations of documents.
    assert ours <= {
        *("provrepo._version", "provrepo.canonical_json", "provrepo.errors"),
        *("provrepo.model", "provrepo.model.operations"),
    }
