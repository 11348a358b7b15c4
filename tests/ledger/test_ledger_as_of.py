"""The state of the ledger as of a time or an entry, over all streams in the order of appending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from provrepo.errors import NotFound
from provrepo.ledger.entries import REPOSITORY, timestamp
from provrepo.ledger.ledger import Ledger
from tests.support.ledgers import SOFTWARE, submission, submit, tamper

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "data", software=SOFTWARE) as opened:
        yield opened


def at(ledger: Ledger, project: str, minute: int) -> None:
    """Append a submission with a time of so many minutes after ``START``."""
    with ledger.appending(project) as appending:
        body = submission("run", appending.newest("run") + 1)
        appending.append("submit", body, actor="x", time=timestamp(START + timedelta(minutes=minute)))


def held(ledger: Ledger, minute: float, zone: timezone = UTC) -> dict[str, int]:
    moment = (START + timedelta(minutes=minute)).astimezone(zone)
    return ledger.lengths(ledger.position_at(moment))


def test_an_empty_ledger_has_nothing_at_any_time(ledger: Ledger) -> None:
    assert ledger.position_at(START) == 0
    assert ledger.lengths(0) == {}


def test_all_streams_at_a_moment(ledger: Ledger) -> None:
    for minute, project in enumerate(["crops", "soil", "crops", "crops", "soil"]):
        at(ledger, project, minute)
    with ledger.appending(REPOSITORY) as appending:
        appending.append("settings", {"base": "https://prov.example/"}, actor="x", time=timestamp(START))
    assert held(ledger, -1) == {}
    assert held(ledger, 0) == {"crops": 1}
    assert held(ledger, 0.99) == {"crops": 1}
    assert held(ledger, 1) == held(ledger, 1.5, timezone(timedelta(hours=-7))) == {"crops": 1, "soil": 1}
    assert held(ledger, 3) == {"crops": 3, "soil": 1}
    assert held(ledger, 1e6) == {"crops": 3, "soil": 2}


def test_entries_of_one_instant_belong_together(ledger: Ledger) -> None:
    for project in ("a", "b", "c", "d"):
        at(ledger, project, 1)
    at(ledger, "a", 2)
    assert held(ledger, 1) == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_the_place_of_an_entry_says_what_came_before_it(ledger: Ledger) -> None:
    for project in ("crops", "soil", "crops", "water"):
        submit(ledger, project, "run")
    assert ledger.lengths(ledger.position_of("crops", 2)) == {"crops": 2, "soil": 1}
    assert ledger.lengths(ledger.position_of("soil", 1)) == {"crops": 1, "soil": 1}
    with pytest.raises(NotFound, match="project crops has no entry 3"):
        ledger.position_of("crops", 3)


def test_an_entry_that_cannot_be_read_is_stepped_over(ledger: Ledger) -> None:
    for minute, project in enumerate(["crops", "soil", "crops", "crops"]):
        at(ledger, project, minute)
    tamper(ledger, "UPDATE entries SET data = x'00' WHERE position IN (3, 5)")
    # An entry without a readable time counts from the next entry with one.
    assert held(ledger, 0) == {"crops": 1}
    assert held(ledger, 1) == {"crops": 1}
    assert held(ledger, 2) == {"crops": 2, "soil": 1}


def test_every_moment_of_many_entries(ledger: Ledger) -> None:
    with ledger.appending("crops") as appending:
        for minute in range(200):
            time = timestamp(START + timedelta(minutes=minute))
            appending.append("settings", {"title": str(minute)}, actor="x", time=time)
    assert [held(ledger, minute)["crops"] for minute in range(200)] == list(range(1, 201))


def test_one_version(ledger: Ledger) -> None:
    first, second = submit(ledger, "crops", "run"), submit(ledger, "crops", "run")
    assert ledger.version("crops", "run", 1) == first
    assert ledger.version("crops", "run", 2) == second
    assert ledger.version("crops", "run", 3) is None


def test_a_clock_that_was_set_back_is_logged_once(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    at(ledger, "crops", 10)
    caplog.clear()  # the entry of the identity has the current time
    for minute in (11, 5, 6, 7):
        at(ledger, "crops", minute)
    assert [record.levelname for record in caplog.records if "set back" in record.message] == ["WARNING"]
    assert [place.position - ledger.position_of("crops", 3) for place in ledger.setbacks()] == [0]
    at(ledger, "soil", 1)
    assert len(ledger.setbacks()) == 2
    assert len([record for record in caplog.records if "set back" in record.message]) == 2


@pytest.mark.parametrize("minutes", [(10, 11, 5, 6, 12), (1, 2, 90, 3, 4), (5, 4, 3, 2, 1), (1, 9, 1, 9, 1)])
def test_as_of_is_the_last_entry_that_is_not_later(ledger: Ledger, minutes: tuple[int, ...]) -> None:
    """With calls in between, so that the cached setbacks are updated."""
    for number, minute in enumerate(minutes, 1):
        at(ledger, "crops", minute)
        for asked in range(95):
            fitting = [index for index, one in enumerate(minutes[:number], 1) if one <= asked]
            assert held(ledger, asked) == ({"crops": fitting[-1]} if fitting else {}), asked
