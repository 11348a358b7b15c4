"""What was erased from the rows of the ledger's database is in none of its files."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path

from provrepo.ledger.accounts import Accounts
from provrepo.ledger.events import Events, NewEvent
from provrepo.ledger.ledger import Ledger

SOFTWARE = "provrepo test"


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_erased_events_leave_no_copies(tmp_path: Path) -> None:
    """Rows of different sizes come between others, for which SQLite moves rows from page to page."""
    draw = random.Random(7)
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        events = Events(ledger)
        for number in range(40):
            new = []
            for part in range(10):
                data = f'{{"run":"secret-{number:02}-","pad":"{"x" * draw.randrange(700)}","part":{part}}}'.encode()
                new.append(NewEvent(f"run-{number:02}", sha256(data).hexdigest(), data, ends=True))
            events.add("crops", new, actor="a", token="")
        erased = range(0, 40, 3)
        for number in erased:
            events.erase("crops", f"run-{number:02}")
        found = bytes_of(tmp_path)
        assert [number for number in erased if f"secret-{number:02}-".encode() in found] == []
        assert b"secret-01-" in found
        assert list(events.data("crops", "run-01"))
        assert list(ledger.verify()) == []


def test_erased_names_leave_no_copies(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        accounts = Accounts(ledger.database, software=SOFTWARE)
        tokens = [accounts.create(f"name-of-{number:03}")[1] for number in range(120)]
        for token in tokens[::5]:
            accounts.rename(token.actor, None)
        found = bytes_of(tmp_path)
        assert [number for number in range(0, 120, 5) if f"name-of-{number:03}".encode() in found] == []
        assert b"name-of-001" in found
