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

from provrepo.capture import failures, log_params, session, step
from provrepo.capture.delivery.outbox import items, recover
from provrepo.capture.files import digests
from provrepo.capture.journal import events
from provrepo.vocab import PROVREPO
from tests.support import kill_capture, unprivileged
from tests.support.captured import Captured
from tests.support.command import environment


class Table:
    """Something that steps hand on."""


@step
def double(table: Table, number: int) -> int:
    Path("out.txt").write_text(str(2 * number))
    return 2 * number


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(failures, "_warned", set())


def fails(*args: Any, **kwargs: Any) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (events.Journal, "write"),
        (events.Journal, "__init__"),
        (digests, "signature"),
        (digests, "sha256"),
        (digests.Files, "content"),
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


def test_a_directory_that_cannot_be_written() -> None:
    Path("prov").mkdir(mode=0o500)
    program = (
        "from provrepo.capture import session, step\n"
        "double = step(lambda number: 2 * number)\n"
        "with session('run', out='prov/run.trig'):\n"
        "    print(double(4))\n"
    )
    done = unprivileged.run("-c", program, cwd=Path.cwd())
    assert (done.returncode, done.stdout.strip()) == (0, b"8"), done.stderr
    assert list(Path("prov").iterdir()) == []


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
        recorder.journal._identity = events._identity(recorder.journal._file)
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


def test_what_fails_again_and_again_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(digests, "sha256", fails)
    with session("run", out="prov/run.trig"):
        for number in range(50):
            assert double(Table(), number) == 2 * number
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(set(told)) == 1


def test_a_place_that_nobody_can_write() -> None:
    with session("run", out="/proc/nowhere/run.trig"):
        assert double(Table(), 4) == 8


def test_a_working_directory_that_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "run.trig"

    @step
    def leave() -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()

    @step
    def nowhere() -> None:
        with pytest.raises(FileNotFoundError):
            Path("x.csv").write_text("x")

    with session("run", out=out):
        leave()
        nowhere()
        with session("inner"):
            nowhere()
        (tmp_path / "y.csv").write_text("y")
    os.chdir(tmp_path)
    assert ("y.csv", "run") in Captured(out).generated


def test_a_signal_handler_that_raises_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    class Alarm(Exception):
        """What the program made of a signal."""

    def ring(number: int, frame: Any) -> None:
        raise Alarm

    def interrupted(path: str) -> str:
        os.kill(os.getpid(), signal.SIGUSR1)
        return "0" * 64

    before = signal.signal(signal.SIGUSR1, ring)
    monkeypatch.setattr(digests, "sha256", interrupted)
    try:
        with session("run", out="run.trig"), pytest.raises(Alarm):
            double(Table(), 4)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_program_that_closes_all_descriptors() -> None:
    with session("run", out="run.trig") as running:
        recorder = running._recorder
        assert recorder is not None
        number = recorder.journal._file
        assert number is not None
        os.close(number)
        with Path("own.txt").open("w") as own:
            assert own.fileno() == number
            assert double(Table(), 4) == 8
    assert Path("own.txt").read_text() == ""
    assert ("out.txt", "double") in Captured(Path("run.trig")).generated


def test_a_lazy_value_stays_lazy() -> None:
    class Lazy:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise AssertionError("it was computed")

    @step
    def through(value: Any) -> Any:
        return value

    value = Lazy()
    with session("run", out="run.trig"):
        assert through(value) is value
    assert Captured(Path("run.trig")).elements(f"{__name__}.test_a_lazy_value_stays_lazy.<locals>.Lazy")


def program(code: str, *, shell: str = "exec {} script.py", **variables: str) -> subprocess.CompletedProcess[str]:
    Path("script.py").write_text("import atexit, os, sys, threading, time\nfrom provrepo.capture import step\n" + code)
    command = ["sh", "-c", shell.format(sys.executable)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(**variables), timeout=120
    )  # fmt: skip


def test_nobody_can_be_told() -> None:
    Path("prov").write_text("a file")
    done = program("@step\ndef f(): return 1\nprint(f())", shell="exec {} script.py 2>&-")
    assert (done.returncode, done.stdout) == (0, "1\n")
    done = program("sys.stderr.close()\n@step\ndef f(): return 1\nprint(f())")
    assert (done.returncode, done.stdout) == (0, "1\n")


SHUTDOWN = {
    "a step when the program ends": "atexit.register(f)\nf()",
    "a step after the session has ended": "f()\natexit.register(f)",
    "only at the end": "atexit.register(f)",
    "a thread that goes on": (
        "def forever():\n    while True: f()\nthreading.Thread(target=forever, daemon=True).start()\ntime.sleep(0.1)"
    ),
    "an object that dies last": "class X:\n    def __del__(self): f()\nsys.modules['x'] = x = X()\nf()",
    "a generator that is not exhausted": "@step\ndef g():\n    yield 1\n    yield 2\nit = g()\nnext(it)",
    "a block that is not left": "block = step('b')\nblock.__enter__()\nf()",
    "an end in a step": "@step\ndef main():\n    f()\n    sys.exit(0)\nmain()",
    "an end without ado": "f()\nsys.stdout.flush()\nos._exit(0)",
}


@pytest.mark.parametrize("code", SHUTDOWN.values(), ids=SHUTDOWN)
def test_the_end_of_the_interpreter(code: str) -> None:
    done = program(f"@step\ndef f(): return 1\n{code}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    recover(Path("prov"))
    for path in Path("prov").glob("*") if Path("prov").is_dir() else []:
        assert {problem.rpartition("#")[2] for problem in Captured(path).rules()} <= {"End"}


def test_ending_the_program_in_a_step_is_no_failure() -> None:
    assert program("@step\ndef main(): sys.exit(0)\nmain()").returncode == 0
    assert program("@step\ndef main(): sys.exit(3)\nmain()").returncode == 3
    found = [Captured(path) for path in Path("prov").iterdir()]
    assert sorted(document.status("main") for document in found) == ["Completed", "Failed"]


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
    assert CANARY not in str(recorder.journal._lines)
    assert CANARY not in caplog.text
    assert "https://data.example/x.csv" in Path("run.trig").read_text()
