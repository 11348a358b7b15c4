"""Capture never breaks or changes a program, and a killed session leaves what it noted."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provrepo.capture import edge, files, journal, log_params, session, step
from provrepo.capture.outbox import items, recover
from provrepo.vocab import PROVREPO
from tests import kill_capture
from tests.captured import Captured
from tests.command import environment


class Table:
    """Something that steps hand on."""


@step
def double(table: Table, number: int) -> int:
    Path("out.txt").write_text(str(2 * number))
    return 2 * number


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(edge, "_told", set())


def fails(*args: Any, **kwargs: Any) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (journal.Journal, "write"),
        (journal.Journal, "__init__"),
        (files, "signature"),
        (files, "sha256"),
        (files.Files, "content"),
        (os, "fsync"),
    ],
)
def test_whatever_fails_the_program_goes_on(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(owner, name, fails)
    with session("run", out="prov/run.trig"):
        assert double(Table(), 4) == 8
    assert Path("out.txt").read_text() == "8"
    assert "provrepo.capture" in {record.name for record in caplog.records}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written() -> None:
    Path("prov").mkdir(mode=0o500)
    with session("run", out="prov/run.trig"):
        assert double(Table(), 4) == 8


def test_a_place_that_is_no_directory(caplog: pytest.LogCaptureFixture) -> None:
    Path("prov").write_text("a file")
    with session("run", out="prov/run.trig"):
        assert double(Table(), 4) == 8
    assert Path("prov").read_text() == "a file"
    assert caplog.records


def test_a_full_disk_leaves_the_document_that_memory_holds() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with session("run", out="run.trig") as running:
        recorder = running._recorder
        assert recorder is not None
        recorder.journal._file = os.open("/dev/full", os.O_WRONLY)
        recorder.journal._identity = journal._identity(recorder.journal._file)
        assert double(Table(), 4) == 8
    assert ("out.txt", "double") in Captured(Path("run.trig")).generated


class Weird:
    """Refuses whatever can be refused."""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("no members")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class Slotted:
    """Nothing can refer to it weakly."""

    __slots__ = ()


class Text(str):
    """A string that is not only one."""

    __slots__ = ()

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    "value",
    [Weird(), Slotted(), Text("t"), [Weird()], {"a": Weird()}, float("nan"), "\ud800", "\x00\x1b", b"\xff", 10**5000,
     "x" * 10**6, [[]] * 3, object, len, {1, 2}, range(3), Ellipsis],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_whatever_is_passed_comes_through(value: Any) -> None:
    @step
    def through(value: Any, *rest: Any, **more: Any) -> Any:
        return value

    with session("run", out="run.trig"):
        assert through(value) is value
        assert through(value, value, other=value) is value
    assert Captured(Path("run.trig")).problems() == []


def test_a_list_that_holds_itself() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    @step
    def through(value: Any) -> Any:
        return value

    with session("run", out="run.trig"):
        assert through(cycle) is cycle


def test_a_wrong_call_fails_as_without_capture() -> None:
    with session("run", out="run.trig"), pytest.raises(TypeError, match="missing 1 required positional argument"):
        double(Table())  # type: ignore[call-arg]


def test_the_wrapped_function_still_looks_like_itself() -> None:
    assert (double.__name__, double.__module__) == ("double", __name__)


def test_a_broken_settings_file_does_no_harm(tmp_path: Path) -> None:
    Path("provrepo.toml").write_text("nonsense = 1")
    code = "from provrepo.capture import step\n@step\ndef f(): return 1\nassert f() == 1"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(), capture_output=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from provrepo.capture import session, step
class Table: pass
@step
def load(path):
    Path(path).read_text()
    return Table()
@step
def stuck(table):
    Path("half.csv").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
with session("killed", out="prov/killed.trig"):
    stuck(load("raw.csv"))
"""


def kill() -> None:
    Path("raw.csv").write_text("a,b\n")
    done = subprocess.run([sys.executable, "-c", KILLED], check=False, env=environment())
    assert done.returncode == -signal.SIGKILL


def test_a_killed_session_is_recovered() -> None:
    kill()
    assert Path("half.csv").read_text() == "half"
    (path,) = recover(Path("prov"))
    found = Captured(path)
    assert [file.name for file in Path("prov").iterdir()] == ["killed.trig"]
    assert found.values(found.one("killed"), PROVREPO + "incomplete") == ["true"]
    assert ("load", "raw.csv") in found.used
    assert {activity for _, activity in found.generated} == {"load"}
    assert {problem.rpartition("#")[2] for problem in found.rules()} == {"End"}
    assert (found.status("load"), found.status("stuck")) == ("Completed", "Active")


@pytest.mark.parametrize("cut", [1, 20, 200, 700, 1500])
def test_a_journal_that_is_cut_anywhere_is_a_valid_document(cut: int) -> None:
    kill()
    (path,) = Path("prov").iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    for recovered in recover(Path("prov")):
        assert {problem.rpartition("#")[2] for problem in Captured(recovered).rules()} == {"End"}
    assert not list(Path("prov").glob("*.journal"))


def test_killed_at_random_moments() -> None:
    assert kill_capture.rounds(8, seed=random.randrange(10**6)) == []


def test_the_next_session_recovers_it_and_keeps_both() -> None:
    kill()
    with session("next", out="prov/killed.trig"):
        double(Table(), 1)
    labels = {Captured(path).label(Captured(path).activities()[0].id) for path in Path("prov").iterdir()}
    assert labels == {"killed", "next"}


def test_a_running_session_is_left_alone() -> None:
    with session("run", out="prov/run.trig"):
        double(Table(), 1)
        assert recover(Path("prov")) == []
        assert [item.state for item in items(Path("prov"))] == ["running"]
    assert [item.state for item in items(Path("prov"))] == ["waiting"]


CANARY = "canary7f3a9"


def test_nothing_secret_is_told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("AWS_SECRET_ACCESS_KEY", "HARMLESS", "PROVREPO_TOKEN"):
        monkeypatch.setenv(name, CANARY)

    @step
    def fetch(url: str, password: str, options: dict[str, Any], *rest: str, **more: Any) -> None:
        raise ValueError(CANARY)

    def pipeline() -> None:
        log_params({"api_key": CANARY, "dsn": f"postgres://u:{CANARY}@db.example/x?sslkey={CANARY}"}, seed=1)
        with step("block") as run:
            run.parameter("token", CANARY)
            run.parameter("header", f"Authorization: Bearer {CANARY}")
            run.parameter("line", f"password={CANARY} user=ana")
            run.used(f"https://u:{CANARY}@x.example/a?sig={CANARY}")
        fetch(
            f"https://ana:{CANARY}@data.example/x.csv?token={CANARY}#{CANARY}", CANARY,
            {"secret_key": CANARY, "nested": {"auth": CANARY, "list": [f"ftp://a:{CANARY}@b.example/"]}},
            f"--token={CANARY}", f"ghp_{CANARY}{CANARY}", client_secret=[CANARY], passphrase={"a": CANARY},
        )  # fmt: skip

    with session("run", out="run.trig") as running:
        recorder = running._recorder
        with pytest.raises(ValueError, match=CANARY):
            pipeline()
    assert recorder is not None
    assert CANARY not in Path("run.trig").read_text()
    assert CANARY not in str(recorder.journal.events)
    assert CANARY not in caplog.text
    assert "https://data.example/x.csv" in Path("run.trig").read_text()
