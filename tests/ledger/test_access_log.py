"""The files of the access log: rotation, retention, limit of space, full disks, and damaged lines."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provrepo.ledger.access_log import _PIECES, LONGEST, AccessLog
from tests.support.sampling import examples


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 30, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(folder: Path, clock: Clock, **changed: Any) -> AccessLog:
    return AccessLog(folder / "access", clock=clock, **{"days": 3, "most": 1 << 20, **changed})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "access").glob("*"))


def numbers(log: AccessLog, **asked: Any) -> list[int]:
    return [line["n"] for _, line in log.lines(**asked) if line is not None]


def test_lines_are_of_one_day_and_for_the_owner_alone(tmp_path: Path, clock: Clock) -> None:
    before = os.umask(0)
    try:
        log = opened(tmp_path, clock)
        assert not (tmp_path / "access").exists(), "nothing is made before something is written"
        log.write({"n": 1}, stranger=False)
        clock.at += timedelta(hours=13)
        log.write({"n": 2}, stranger=False)
        log.write({"n": 3}, stranger=True)
    finally:
        os.umask(before)
    assert names(tmp_path) == [
        "strangers-2026-01-31-0001.jsonl",
        "tokens-2026-01-30-0001.jsonl",
        "tokens-2026-01-31-0001.jsonl",
    ]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "access").iterdir()}
    assert (modes, stat.S_IMODE((tmp_path / "access").stat().st_mode)) == ({0o600}, 0o700)
    assert sorted(numbers(log)) == [1, 2, 3]
    assert numbers(log, last="2026-01-30") == [1]
    assert sorted(numbers(log, first="2026-01-31")) == [2, 3]
    assert numbers(log, having=b'"n":2') == [2]
    log.close()


def test_files_go_after_some_days(tmp_path: Path, clock: Clock) -> None:
    log = opened(tmp_path, clock, days=3)
    for number in range(6):
        log.write({"n": number}, stranger=False)
        clock.at += timedelta(days=1)
    assert numbers(log) == [3, 4, 5], "today and the two days before"
    (tmp_path / "access" / "notes.txt").write_text("of somebody else")
    (tmp_path / "access" / "tokens-backup.jsonl").write_text("{}")
    clock.at += timedelta(days=30)
    log.write({"n": 9}, stranger=False)
    assert numbers(log) == [9]
    assert len(names(tmp_path)) == 3, "files of others are left alone"
    log.close()


def test_all_files_have_a_bound_and_strangers_push_out_strangers_alone(tmp_path: Path, clock: Clock) -> None:
    most = 64_000
    log = opened(tmp_path, clock, most=most)
    log.write({"n": -1}, stranger=False)
    for number in range(3000):
        log.write({"n": number, "filler": "x" * 50}, stranger=True)
    sizes = [path.stat().st_size for path in (tmp_path / "access").iterdir()]
    assert sum(sizes) <= most
    assert max(sizes) <= most // 2 // _PIECES
    found = numbers(log)
    assert -1 in found
    kept = [number for number in found if number >= 0]
    assert kept == list(range(kept[0], 3000)), "the oldest go, and nothing between"
    assert len(kept) > 200
    log.close()


def test_a_file_is_gone_on_with_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        log = opened(tmp_path, clock)
        log.write({"n": number}, stranger=False)
        log.close()
    assert len(names(tmp_path)) == 1
    assert numbers(opened(tmp_path, clock)) == [0, 1, 2]


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path, clock: Clock) -> None:
    log = opened(tmp_path, clock)
    log.write({"n": 1}, stranger=False)
    log.close()
    [file] = (tmp_path / "access").iterdir()
    with file.open("ab") as written:
        written.write(b'{"time":"2026-01-30T12:00:00.000Z","n":')
    log = opened(tmp_path, clock)
    log.write({"n": 2}, stranger=False)
    assert numbers(log) == [1, 2]
    assert [line for _, line in log.lines()].count(None) == 1
    log.close()


def test_a_clock_that_is_set_back_keeps_the_order(tmp_path: Path, clock: Clock) -> None:
    log = opened(tmp_path, clock)
    for number in range(3):
        log.write({"n": number}, stranger=False)
        clock.at -= timedelta(days=40)
    times = [line["time"] for _, line in log.lines() if line]
    assert times == sorted(times)
    assert numbers(log) == [0, 1, 2], "and removes nothing"
    log.close()


def test_none_is_written_where_the_settings_say_so(tmp_path: Path, clock: Clock) -> None:
    assert not opened(tmp_path, clock, days=0).write({"n": 1}, stranger=False)
    assert not (tmp_path / "access").exists()


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_fails_nothing_and_is_logged_once(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = opened(tmp_path, clock)
    assert log.write({"n": 1}, stranger=False)
    write = os.write
    with caplog.at_level(logging.WARNING), monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert [log.write({"n": 2}, stranger=False) for _ in range(50)] == [False] * 50
        patched.setattr(os, "write", lambda file, data: write(file, data[:10]))
        assert not log.write({"n": 3}, stranger=False), "a part of a line is none"
        assert log.lost == 51
        for number in range(4, 8):
            patched.setattr(os, "write", write)
            assert log.write({"n": number}, stranger=False)
            patched.setattr(os, "write", full)
            assert not log.write({"n": 3}, stranger=False)
    assert len(caplog.records) == 1, "however often it changes"
    clock.at += timedelta(minutes=1)
    assert log.write({"n": 8}, stranger=False)
    assert (log.lost, numbers(log)) == (0, [1, 4, 5, 6, 7, 8])
    assert "55 requests are not in it" in caplog.text
    log.close()


def test_a_folder_that_cannot_be_made_fails_nothing(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "access").write_text("a file is in its place")
    log = opened(tmp_path, clock)
    assert not log.write({"n": 1}, stranger=False)
    assert list(log.lines()) == []


def test_no_line_is_written_through_a_symbolic_link(tmp_path: Path, clock: Clock) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"of somebody else\n")
    folder = tmp_path / "access"
    folder.mkdir()
    log = opened(tmp_path, clock)
    (folder / f"tokens-{clock():%Y-%m-%d}-0001.jsonl").symlink_to(other)
    assert not log.write({"n": 1}, stranger=False)
    assert other.read_bytes() == b"of somebody else\n"
    assert log.lost == 1


def test_the_space_that_submissions_leave_free_is_left_free(tmp_path: Path, clock: Clock) -> None:
    room = [True]
    log = opened(tmp_path, clock, room=lambda: room[0])
    assert log.write({"n": 1}, stranger=True)
    room[0] = False
    assert not log.write({"n": 2}, stranger=True)
    room[0] = True
    assert log.write({"n": 3}, stranger=True)
    assert numbers(log) == [1, 3]
    log.close()


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=80), st.just(b"{" * 2000 + b"}"), st.just(b"{1}")), max_size=6))
def test_damage_is_reported_and_stepped_over(tmp_path_factory: pytest.TempPathFactory, damage: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = opened(folder, Clock())
    log.write({"n": 1}, stranger=False)
    log.close()
    [file] = (folder / "access").iterdir()
    good = file.read_bytes()
    file.write_bytes(b"".join([good, *(piece + b"\n" for piece in damage), good]))
    found = [line for _, line in log.lines()]
    assert [line["n"] for line in found if line and "n" in line] == [1, 1]
    assert len({place for place, _ in log.lines()}) == len(found)


def test_a_line_without_an_end_is_read_in_pieces(tmp_path: Path, clock: Clock) -> None:
    log = opened(tmp_path, clock)
    log.write({"n": 1}, stranger=False)
    log.close()
    [file] = (tmp_path / "access").iterdir()
    with file.open("ab") as written:
        written.write(b"x" * (3 * LONGEST))
    assert [line for _, line in log.lines()].count(None) == 3


def test_lines_hold_no_line_end(tmp_path: Path, clock: Clock) -> None:
    log = opened(tmp_path, clock)
    log.write({"n": 1, "text": "a\nb\r\u2028\ud800"}, stranger=False)
    [file] = (tmp_path / "access").iterdir()
    assert file.read_bytes().count(b"\n") == 1
    assert json.loads(file.read_bytes())["text"] == "a\nb\r\u2028\ud800"
    log.close()
