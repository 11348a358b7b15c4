"""What was deleted from ``exchange.sqlite`` is in none of its files."""

from __future__ import annotations

import random
from pathlib import Path

from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.peers import Peer, Peers
from tests.ledger.test_erased_rows import bytes_of


def test_deleted_rows_leave_no_copies(tmp_path: Path) -> None:
    """Rows come, grow and go. In this order SQLite leaves a copy of a row that it has moved from page to page."""
    draw = random.Random(44)
    database = ExchangeDatabase(tmp_path / "exchange.sqlite")
    peers = Peers(database)
    present: dict[str, str] = {}
    removed: list[str] = []
    with database.together():
        for number in range(260):
            chance = draw.random()
            if chance < 0.5 or not present:
                name = f"p{draw.getrandbits(40)}"
                present[name] = f"token-{number:04}-"
                url = "http://a.example/" + "u" * draw.randrange(1200)
                peers.add(Peer(name, url, "", "nothing", (), (), 0, 0, False), present[name])
            elif chance < 0.75:
                peers.failed(draw.choice(list(present)), "f" * draw.randrange(1400))
            else:
                name = draw.choice(list(present))
                peers.remove(name)
                removed.append(present.pop(name))
    found = bytes_of(tmp_path)
    assert [token for token in removed if token.encode() in found] == []
    assert [token for token in present.values() if token.encode() not in found] == []
    assert len(removed) > 50
    assert database.verify() == []
    database.close()


def test_the_file_is_written_anew_at_once_where_nothing_else_is_deleted(tmp_path: Path) -> None:
    database = ExchangeDatabase(tmp_path / "exchange.sqlite")
    peers = Peers(database)
    for number in range(3):
        peers.add(Peer(f"p{number}", "http://a.example/", "", "nothing", (), (), 0, 0, False), f"token-{number}")
    peers.remove("p1")
    assert b"token-1" not in bytes_of(tmp_path)
    assert b"token-2" in bytes_of(tmp_path)
    database.close()
