"""Processes that steps start with ``subprocess`` and ``os.system``, and files that are standard input and output."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provrepo.capture import session, step
from provrepo.capture.delivery.outbox import recover
from provrepo.vocab import DCTERMS, PROV_TYPE, PROVREPO
from tests.support.captured import Captured
from tests.support.command import environment, provrepo

PYTHON = shlex.quote(sys.executable)
CHILD = """
import sys
source = open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin
target = open(sys.argv[2], "w") if len(sys.argv) > 2 else sys.stdout
target.write(source.read().upper())
"""


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("child.py").write_text(CHILD)
    Path("raw.csv").write_text("a\n")


STARTED = {
    "run": "subprocess.run([sys.executable, 'child.py', 'raw.csv', 'out.csv'], check=True)",
    "an environment": "subprocess.run([sys.executable, 'child.py', 'raw.csv', 'out.csv'], env={'A': 'b'}, check=True)",
    "an environment by position": (
        "subprocess.Popen([sys.executable, 'child.py', 'raw.csv', 'out.csv'], -1, None, None, None, None, None, True, "
        "False, None, {'A': 'b'}).wait()"
    ),
    "files as streams": (
        "subprocess.run([sys.executable, 'child.py'], stdin=open('raw.csv'), stdout=open('out.csv', 'w'), check=True)"
    ),
    "a shell": f"subprocess.run('{PYTHON} child.py < raw.csv > out.csv', shell=True, check=True)",
    "system": f"assert os.system('{PYTHON} child.py raw.csv out.csv') == 0",
    "system with bytes": f"assert os.system(b'{PYTHON} child.py raw.csv out.csv') == 0",
    "posix_spawn": (
        "assert os.waitpid(os.posix_spawn(sys.executable, [sys.executable, 'child.py', 'raw.csv', 'out.csv'], "
        "dict(os.environ)), 0)[1] == 0"
    ),
    "posix_spawnp": (
        "words = [sys.executable, 'child.py', 'raw.csv', 'out.csv']\n"
        "assert os.waitpid(os.posix_spawnp(sys.executable, words, os.environ), 0)[1] == 0"
    ),
    "execv": "in_child(lambda: os.execv(sys.executable, WORDS))",
    "execve": "in_child(lambda: os.execve(sys.executable, WORDS, {'A': 'b'}))",
    "execlp": "in_child(lambda: os.execlp(sys.executable, *WORDS))",
    "spawnv": "assert os.spawnv(os.P_WAIT, sys.executable, WORDS) == 0",
    "spawnlpe": "assert os.spawnlpe(os.P_WAIT, sys.executable, *WORDS, {'A': 'b'}) == 0",
    "fork": "in_child(lambda: (work(), os._exit(0)))",
    "popen": f"os.popen('{PYTHON} child.py raw.csv out.csv').close()",
}


def work() -> None:
    Path("out.csv").write_text(Path("raw.csv").read_text().upper())


def in_child(action: Callable[[], object]) -> None:
    """Do something in a forked child, and wait for it."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("how", STARTED)
def test_a_child_of_a_step(how: str) -> None:
    words = [sys.executable, "child.py", "raw.csv", "out.csv"]
    names = {"os": os, "subprocess": subprocess, "sys": sys, "in_child": in_child, "work": work, "WORDS": words}

    @step
    def start() -> None:
        exec(STARTED[how], names)

    @step
    def take() -> None:
        assert Path("out.csv").read_text() == "A\n"

    with session("run", out="run.provn"):
        start(), take()
    found = Captured(Path("run.provn"))
    assert found.problems() == []
    assert found.used == {("start", "raw.csv"), ("take", "out.csv")}
    assert found.generated == {("out.csv", "start")}
    assert found.derived == {("out.csv", "raw.csv")}
    assert sorted(path.name for path in Path().iterdir()) == ["child.py", "out.csv", "raw.csv", "run.provn"]


def test_a_forked_child_that_ends_like_a_program() -> None:
    Path("forks.py").write_text(
        "import os, sys\nfrom provrepo.capture import session, step\n"
        "def start():\n"
        "    if not os.fork():\n"
        "        open('out.csv', 'w').write(open('raw.csv').read())\n"
        "        sys.exit(0)\n"
        "    assert os.wait()[1] == 0\n"
        "with session('run', out='run.provn'):\n"
        "    step(start)()\n"
    )
    subprocess.run([sys.executable, "forks.py"], check=True, env=environment())
    found = Captured(Path("run.provn"))
    assert (found.used, found.generated) == ({("start", "raw.csv")}, {("out.csv", "start")})


UNSEEN = {
    "sort": ["sort", "raw.csv", "-o", "out.csv"],
    "env": ["env", "-i", sys.executable, "child.py", "raw.csv", "out.csv"],
    Path(sys.executable).name: [sys.executable, "-I", "child.py", "raw.csv", "out.csv"],
}


@pytest.mark.parametrize("program", UNSEEN)
def test_a_process_that_does_not_report_is_named(program: str) -> None:
    @step
    def start() -> None:
        for _ in range(2):
            subprocess.run(UNSEEN[program], check=True)
        subprocess.run([sys.executable, "child.py", "raw.csv", "other.csv"], check=True)

    with session("run", out="run.provn"):
        start()
    found = Captured(Path("run.provn"))
    assert found.values(found.one("start"), PROVREPO + "unobserved") == [f"process {program} (2 times)"]
    assert found.generated == {("other.csv", "start")}
    if sys.platform == "linux":
        assert found.values(found.one("run"), PROVREPO + "unexplained") == ["changed out.csv"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
def test_what_a_step_has_read_and_an_unseen_process_changes_is_unexplained() -> None:
    @step
    def start() -> None:
        Path("raw.csv").read_text()
        subprocess.run("echo b >> raw.csv", shell=True, check=True)

    @step
    def killed() -> None:
        if not os.fork():
            Path("half.csv").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()

    with session("run", out="run.provn"):
        start(), killed()
    found = Captured(Path("run.provn"))
    assert found.values(found.one("run"), PROVREPO + "unexplained") == ["changed half.csv", "changed raw.csv"]
    assert (found.used, found.generated) == ({("start", "raw.csv")}, set())


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
def test_a_new_link_to_a_file_is_no_change() -> None:
    @step
    def read() -> None:
        Path("link.csv").symlink_to("raw.csv")
        Path("link.csv").read_text()

    with session("run", out="run.provn"):
        read()
    found = Captured(Path("run.provn"))
    assert found.used == {("read", "link.csv")}
    assert found.values(found.one("run"), PROVREPO + "unexplained") == []


def test_what_an_unseen_process_made_is_no_source() -> None:
    os.utime("raw.csv", (0, 0))

    @step
    def start() -> None:
        subprocess.run(UNSEEN["sort"], check=True)

    @step
    def take(*paths: str) -> None:
        for path in paths:
            Path(path).read_text()

    with session("run", out="run.provn"):
        start(), take("raw.csv", "out.csv")
    found = Captured(Path("run.provn"))
    assert found.used == {("take", "raw.csv"), ("take", "out.csv")}
    kinds = {path: found.values(found.one(path), PROV_TYPE) for path in ("raw.csv", "out.csv")}
    assert (PROVREPO + "Source" in kinds["raw.csv"], PROVREPO + "Unrecorded" in kinds["raw.csv"]) == (True, False)
    assert (PROVREPO + "Source" in kinds["out.csv"], PROVREPO + "Unrecorded" in kinds["out.csv"]) == (False, True)
    assert found.rules("pipeline") == []


def test_what_another_part_of_a_command_made_is_no_source() -> None:
    os.utime("raw.csv", (0, 0))
    Path("work.sh").write_text(f"sort raw.csv > sorted.csv\n{PYTHON} child.py sorted.csv out.csv\n")
    done = provrepo("run", "--out", "run.provn", "--", "sh", "work.sh", cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    found = Captured(Path("run.provn"))
    assert found.used == {("work.sh", "sorted.csv")}
    assert PROVREPO + "Source" not in found.values(found.one("sorted.csv"), PROV_TYPE)
    if sys.platform == "linux":
        assert b"sorted.csv (changed)" in done.stderr


def test_a_child_of_a_step_that_fails_and_one_outside_of_steps() -> None:
    @step
    def fail() -> None:
        subprocess.run([sys.executable, "child.py", "raw.csv", "half.csv"], check=True)
        raise ZeroDivisionError

    with session("run", out="run.provn"):
        with pytest.raises(ZeroDivisionError):
            fail()
        subprocess.run([sys.executable, "child.py", "half.csv", "out.csv"], check=True)
    found = Captured(Path("run.provn"))
    assert found.used == {("fail", "raw.csv"), ("run", "half.csv")}
    assert found.generated == {("out.csv", "run")}


def test_a_child_that_outlives_its_step() -> None:
    @step
    def start() -> subprocess.Popen[str]:
        code = "print(flush=True); input(); open('late.csv', 'w').write(open('raw.csv').read())"
        child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        return child

    with session("run", out="run.provn"):
        start().communicate("\n")
    found = Captured(Path("run.provn"))
    assert (found.used, found.generated - {("subprocess.Popen", "start")}) == (
        {("run", "raw.csv")}, {("late.csv", "run")},
    )  # fmt: skip


def test_a_child_with_a_session_of_its_own() -> None:
    Path("own.py").write_text(
        "from provrepo.capture import session, step\n"
        "with session('own', out='own.provn'):\n    step('inner')(lambda: open('raw.csv').read())()\n"
        "open('late.csv', 'w').close()\n"
    )

    @step
    def start() -> None:
        subprocess.run([sys.executable, "own.py"], env=environment(), check=True)

    with session("run", out="run.provn"):
        start()
    found, own = Captured(Path("run.provn")), Captured(Path("own.provn"))
    assert (found.used, found.generated) == (set(), {("late.csv", "start")})
    assert own.used == {("inner", "raw.csv")}
    assert own.values(own.one("own"), DCTERMS + "isPartOf") == [str(found.one("start").id)]


def test_children_of_a_killed_session() -> None:
    Path("killed.py").write_text(
        "import os, signal, subprocess, sys\nfrom provrepo.capture import session, step\n"
        "@step\ndef work():\n    subprocess.run([sys.executable, 'child.py', 'raw.csv', 'out.csv'], check=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "with session('run', out='run.provn'):\n    work()\n"
    )
    done = subprocess.run([sys.executable, "killed.py"], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert recover(Path.cwd()) == [Path.cwd() / "run.provn"]
    assert Captured(Path("run.provn")).used == {("work", "raw.csv")}
    assert [path.name for path in Path().iterdir() if "report" in path.name or "journal" in path.name] == []


LINES = {
    "in and out": ("{py} child.py < raw.csv > out.csv", {"raw.csv"}, {"out.csv"}),
    "appended": ("{py} child.py < raw.csv >> log.txt", {"raw.csv", "log.txt"}, {"log.txt"}),
    "output and errors": ("{py} child.py raw.csv > out.csv 2>&1", {"raw.csv"}, {"out.csv"}),
    "all that follows": ("exec > out.csv; {py} child.py raw.csv", {"raw.csv"}, {"out.csv"}),
    "a variable": ("o=out; {py} child.py < raw.csv > $o.csv", {"raw.csv"}, {"out.csv"}),
    "input that is not read": ("{py} -c pass < raw.csv > out.csv", set(), set()),
    "input that another program has read": ("{{ cat; {py} -c pass; }} < raw.csv > /dev/null", set(), set()),
    "pipes": ("cat raw.csv | {py} child.py | cat", set(), set()),
    "output of one that is input of another": (
        "{py} child.py < raw.csv > mid.csv; {py} child.py < mid.csv > out.csv",
        {"raw.csv", "mid.csv"}, {"mid.csv", "out.csv"},
    ),
    "a name that is gone": ("{py} child.py raw.csv > out.csv; mv out.csv new.csv", {"raw.csv"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_redirections_inside_of_a_shell(case: str) -> None:
    line, used, generated = LINES[case]
    Path("log.txt").write_text("before\n")
    done = provrepo("run", "--out", "run.provn", "--", "sh", "-c", line.format(py=PYTHON), cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    if not used and not generated:
        assert not Path("run.provn").exists() or Captured(Path("run.provn")).used == set()
        return
    found = Captured(Path("run.provn"))
    assert {thing for _, thing in found.used} == used
    assert {thing for thing, _ in found.generated} == generated


def test_redirections_of_provrepo_run_reach_any_program() -> None:
    Path("raw.csv").write_text("b\na\n")
    words = [sys.executable, "-m", "provrepo", "run", "--out", "run.provn", "--", "sort"]
    with Path("raw.csv").open() as source, Path("out.csv").open("w") as target:
        subprocess.run(words, stdin=source, stdout=target, env=environment(), check=True)
    found = Captured(Path("run.provn"))
    assert Path("out.csv").read_text() == "a\nb\n"
    assert (found.used, found.generated) == ({("sort", "raw.csv")}, {("out.csv", "sort")})
    assert found.derived == {("out.csv", "raw.csv")}
