"""Go's packages `sumdb/note` and `sumdb/tlog` verify our checkpoints, tiles and proofs, and refuse changed ones."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path

import pytest

import provrepo
from provrepo.canonical_json import canonical
from provrepo.verify.notes import VerifierKey
from tests.conftest import PROVJSON
from tests.integration.environments import NotHere, go, run

FORMER, SIZE = 600, 1_000


@pytest.fixture(scope="module")
def checker() -> Path:
    try:
        return go("sumdb")
    except NotHere as error:
        pytest.skip(f"the checker cannot be built: {error}")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 1,000 entries as files: its tiles, two checkpoints, and receipts."""
    place = tmp_path_factory.mktemp("log")
    with provrepo.open(place / "data", follow=False) as repository:
        repository.create_project("crops")
        for number in range(6):
            repository.submit(PROVJSON, project="crops", name=f"run-{number}")
        ledger = repository.context.store.ledger

        def fill(until: int) -> None:
            with ledger.appending("crops") as appending:
                while appending.length() < until:
                    appending.append("settings", {"title": str(appending.length())}, actor="x")

        fill(FORMER)
        former = repository.log("crops")
        fill(SIZE)
        found = repository.log("crops")
        (place / "former").write_text(former.checkpoint)
        (place / "checkpoint").write_text(found.checkpoint)
        (place / "key").write_text(VerifierKey.from_text(found.keys[0]).named(found.origin).text)
        proof = repository.context.store.parts.log.consistency_proof("crops", FORMER, SIZE)
        (place / "consistency").write_text("\n".join(base64.b64encode(each).decode() for each in proof))
        for path in ("0/000", "0/001", "0/002", "0/003.p/232", "1/000.p/3"):
            file = place / "tile" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(repository.log_tile("crops", path))
        (place / "receipts").mkdir()
        for number in range(6):
            receipt = repository.receipt("crops", f"run-{number}")
            (place / "receipts" / f"{number}.proof").write_text(receipt["proof"])
            leaf = hashlib.sha256(canonical(receipt["entry"])).hexdigest()
            (place / "receipts" / f"{number}.leaf").write_text(leaf)
    shutil.rmtree(place / "data")
    return place


def test_go_verifies_the_log(checker: Path, log: Path) -> None:
    done = run([checker, log])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "1000 entries after 600, 6 receipts\n"


@pytest.mark.parametrize(
    ("file", "doing"),
    [
        ("checkpoint", "note: "),
        ("former", "note: "),
        ("key", "key: "),
        ("tile/0/000", "check their record: "),
        ("consistency", "our consistency proof: "),
        ("receipts/3.proof", ""),
        ("receipts/3.leaf", "check record: "),
    ],
)
def test_go_refuses_a_changed_one(checker: Path, log: Path, file: str, doing: str, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(log, tmp_path / "changed"))
    data = bytearray((changed / file).read_bytes())
    place = len(data) - 8 if file == "key" else len(data) // 2
    data[place] = ord("1") if data[place] == ord("0") else ord("0")
    (changed / file).write_bytes(data)
    done = run([checker, changed])
    assert done.returncode == 1
    assert done.stdout.startswith(doing)
