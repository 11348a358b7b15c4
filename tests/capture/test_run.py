"""``provrepo run``."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from provrepo.capture import log_data, log_metrics, log_model, log_params
from provrepo.capture.delivery.outbox import recover
from provrepo.model.statements import GENERATION, USAGE
from provrepo.vocab import DCTERMS, PROV, PROV_LOCATION, PROV_TYPE, SCHEMA, SPDX
from tests.support.captured import Captured
from tests.support.command import environment, provrepo
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("b\na\n")


def run(*arguments: object, code: int = 0, **variables: str) -> None:
    done = provrepo("run", *arguments, cwd=Path.cwd(), **variables)
    assert done.returncode == code, done.stderr


def test_a_command_with_its_files() -> None:
    Path("old.csv").write_text("untouched")
    run("-i", "raw.*", "-o", "*.csv", "--out", "run.ttl", "--", "sort", "raw.csv", "-o", "sorted.csv")
    found = Captured(Path("run.ttl"))
    assert found.problems() == []
    assert (found.used, found.generated) == ({("sort", "raw.csv")}, {("sorted.csv", "sort")})
    assert found.derived == {("sorted.csv", "raw.csv")}
    assert found.parameters("sort") == {"command=sort raw.csv -o sorted.csv"}
    assert Path("sorted.csv").read_text() == "a\nb\n"


def test_a_command_that_overwrites_what_it_reads() -> None:
    run("-i", "raw.csv", "-o", "raw.csv", "--out", "run.trig", "--", "sort", "raw.csv", "-o", "raw.csv")
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert len(set(found.digests("raw.csv"))) == 2


@pytest.mark.parametrize("code", [1, 3, 255])
def test_the_exit_status_is_the_commands(code: int) -> None:
    line = f"echo half > x; exit {code}"
    run("-o", "x", "--out", "run.trig", "--", "sh", "-c", line, code=code)
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert (found.status(line), found.generated) == ("Failed", set())


def test_commands_that_cannot_run() -> None:
    run("--", "no-such-command-here", code=127)
    run("--", "./raw.csv", code=126)


def test_a_script_that_does_not_say_what_runs_it() -> None:
    Path("bare").write_text("exit 7\n")
    Path("bare").chmod(0o755)
    run("--", "./bare", code=7)


def test_capture_can_be_off_and_the_command_still_runs() -> None:
    run("--", "touch", "done", PROVREPO_CAPTURE="off")
    assert Path("done").exists()
    assert not Path("prov").exists()


def test_capture_that_fails_leaves_the_command_alone() -> None:
    Path("prov").write_text("a file")
    run("--", "sh", "-c", "exit 5", code=5)


def test_secrets_in_a_command_are_masked() -> None:
    run("--out", "run.trig", "--", "true", "--token", "canary1", "--password=canary2", "KEY_SECRET=canary3")
    assert "canary" not in Path("run.trig").read_text()
    assert Path("run.trig").read_text().count("(masked)") == 3


def started(*arguments: object, script: str, **more: Any) -> subprocess.Popen[bytes]:
    """``provrepo run`` with a line of shell that says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "run", *map(str, arguments), "--", "sh", "-c", script],
        env=environment(), **more,
    )  # fmt: skip
    for _ in range(2400):
        if Path("ready").exists():
            return process
        time.sleep(0.05)
    raise AssertionError("it does not start")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_command(number: signal.Signals) -> None:
    script = f"trap 'echo told > told; exit 9' {number.name[3:]}; echo > ready; while :; do sleep 0.05; done"
    process = started("--out", "run.trig", script=script)
    process.send_signal(number)
    assert process.wait(timeout=60) == 9
    assert Path("told").exists()
    assert [Captured(Path("run.trig")).status(s) for s in labels("run.trig") if "trap" in s] == ["Failed"]


def labels(document: str) -> list[str]:
    found = Captured(Path(document))
    return [found.label(activity.id) for activity in found.activities()]


def test_an_ignored_signal_stays_ignored() -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = started(script="echo > ready; until [ -e sent ]; do sleep 0.05; done; exit 3", preexec_fn=ignore)
    process.send_signal(signal.SIGHUP)
    Path("sent").touch()
    assert process.wait(timeout=60) == 3


def test_a_command_that_a_signal_ends() -> None:
    run("--out", "run.trig", "--", "sh", "-c", "kill -KILL $$", code=137)


def test_a_command_that_is_interrupted_ends_this_in_the_same_way() -> None:
    # Whatever runs the tests may have it ignored, which a shell would leave as it is.
    code = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGINT)"
    run("--out", "run.trig", "--", sys.executable, "-c", code, code=-signal.SIGINT)
    assert Path("run.trig").exists()


def test_whoever_wants_to_wait_no_longer_gets_the_status_of_the_command() -> None:
    """A signal while the document is being written ends that and nothing else."""
    code = """
import os, signal, sys
from provrepo.capture.commands import command as commands; from provrepo.capture.files import reports
reports.merge = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)
sys.exit(commands.run(["sh", "-c", "exit 4"], [], [], None))
"""
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 4
    assert [path.suffix for path in Path("prov").iterdir() if path.is_file()] == [".journal"]


def test_what_goes_in_and_comes_out_is_untouched() -> None:
    data = bytes(range(256)) * 5000
    done = provrepo("run", "--out", "run.trig", "--", "cat", cwd=Path.cwd(), stdin=data)
    assert (done.stdout, done.stderr) == (data, b"")


def test_other_descriptors_are_the_commands_too() -> None:
    read, write = os.pipe()
    words = ["run", "--", sys.executable, "-c", f"import os; os.write({write}, b'through')"]
    subprocess.run([sys.executable, "-m", "provrepo", *words], env=environment(), check=True, pass_fds=[write])
    os.close(write)
    with os.fdopen(read, "rb") as file:
        assert file.read() == b"through"


@pytest.mark.skipif(sys.platform != "linux", reason="needs script(1) of util-linux")
def test_a_terminal_stays_one() -> None:
    if shutil.which("script") is None:
        pytest.skip("there is no script(1)")
    command = f"{sys.executable} -m provrepo run -- sh -c 'test -t 0 && test -t 1 && test -t 2'"
    done = subprocess.run(["script", "-qec", command, "/dev/null"], env=environment(), check=False, timeout=60)
    assert done.returncode == 0


# Python processes -----------------------------------------------------------------------------------------------------


def python(source: str, *arguments: object, out: str = "run.trig", code: int = 0, **variables: str) -> Captured:
    """What is recorded of a Python script, without a word about its files."""
    Path("script.py").write_text(source)
    run("--out", out, *arguments, "--", sys.executable, "script.py", code=code, **variables)
    return Captured(Path(out))


def test_python_says_itself_which_files_it_opens() -> None:
    found = python("open('out.csv', 'w').write(open('raw.csv').read())")
    assert found.problems() == []
    assert (found.used, found.generated) == ({("script.py", "raw.csv")}, {("out.csv", "script.py")})
    assert found.derived == {("out.csv", "raw.csv")}
    version = ".".join(map(str, sys.version_info[:3]))
    session = found.one(next(label for label in labels("run.trig") if label != "script.py"))
    assert found.values(session, SCHEMA + "softwareRequirements") == [f"cpython=={version}"]


def test_processes_further_down_are_seen_too() -> None:
    Path("other.csv").write_text("o")
    Path("inner.py").write_text("open('inner.csv', 'w').write(open('other.csv').read())")
    found = python(
        """
import multiprocessing, subprocess, sys
def work(how):
    open(how + '.csv', 'w').write(open('raw.csv').read())
if __name__ == '__main__':
    subprocess.run(['sh', '-c', sys.executable + ' inner.py'], check=True)
    for how in 'spawn', 'fork':
        with multiprocessing.get_context(how).Pool(1) as pool:
            pool.map(work, [how])
"""
    )
    assert found.problems() == []
    assert {name for _, name in found.used} == {"raw.csv", "other.csv"}
    assert {name for name, _ in found.generated} == {"inner.csv", "spawn.csv", "fork.csv"}


def test_what_is_read_keeps_its_hash_when_it_is_overwritten() -> None:
    digest = hashlib.sha256(Path("raw.csv").read_bytes()).hexdigest()
    source = "d = open('raw.csv').read(); import os; open('new', 'w').write(d * 2); os.replace('new', 'raw.csv')"
    found = python(source)
    assert found.problems() == []
    assert [found.label(s.args[0]) for s in found.document if s.kind is GENERATION] == ["raw.csv"]
    assert found.digests("raw.csv")[0] == digest
    assert found.digests("raw.csv")[1] == hashlib.sha256(b"b\na\n" * 2).hexdigest()


def test_what_is_written_and_read_again_is_used_as_it_was_left() -> None:
    found = python(
        "open('mid', 'w').write('m'); open('out', 'w').write(open('mid').read())\n"
        "open('more', 'w').write('1'); open('more').close(); open('more', 'a').write('2')\n"
        "import os; open('gone', 'w').write('g'); open('gone').close(); os.remove('gone')"
    )
    assert found.used == {("script.py", "mid")}
    assert found.generated == {(name, "script.py") for name in ("mid", "more", "out")}
    assert found.derived == set()


def test_the_file_that_an_opener_meant_is_read_again() -> None:
    found = python(
        "import functools, os; os.mkdir('right'); open('right/data.csv', 'w').write('right')\n"
        "open('data.csv', 'w').write('wrong')\n"
        "folder = os.open('right', os.O_RDONLY)\n"
        "open('data.csv', opener=functools.partial(os.open, dir_fd=folder)).read()"
    )
    (usage,) = [statement for statement in found.document if statement.kind is USAGE]
    (used,) = [statement for statement in found.elements("data.csv") if statement.id == usage.args[1]]
    assert found.values(used, PROV_LOCATION) == [str(Path("right/data.csv").resolve())]


def test_files_that_are_appended_to_or_only_opened() -> None:
    Path("log").write_text("one\n")
    Path("same").write_text("s")
    found = python("open('log', 'a').write('two'); open('same', 'r+').close(); open('none')", code=1)
    assert found.used == {("script.py", "log"), ("script.py", "same")}
    found = python("open('log', 'a').write('two'); open('same', 'r+').close()", out="again.trig")
    assert found.used == {("script.py", "log"), ("script.py", "same")}
    assert found.generated == {("log", "script.py")}


def test_folders_that_get_their_name_when_they_are_full() -> None:
    found = python(
        "import os; os.mkdir('new'); open('new/a', 'w').write('1'); open('new/b', 'w').write('2');"
        "os.rename('new', 'done')"
    )
    assert {name for name, _ in found.generated} == {"a", "b"}
    assert found.values(found.one("a"), PROV_LOCATION) == [str(Path("done/a").absolute())]


def test_a_database_of_sqlite() -> None:
    with sqlite3.connect("d.sqlite") as database:
        database.execute("create table t (x)")
    database.close()
    source = """
import sqlite3
d = sqlite3.connect('d.sqlite'); {}; d.commit()
sqlite3.connect(':memory:')
"""
    found = python(source.format("d.execute('select * from t')"))
    assert (found.used, found.generated) == ({("script.py", "d.sqlite")}, set())
    found = python(source.format("d.execute('insert into t values (1)')"), out="two.trig")
    assert found.generated == {("d.sqlite", "script.py")}


def test_large_files_are_hashed_when_the_command_is_over() -> None:
    source = (
        "import sys; p = sys.modules['provrepo_child']; p.Reporter._read.__defaults__ = (3,);"
        "open('raw.csv').read(); open('kept.csv').read(); open('raw.csv', 'w').write('new')"
    )
    Path("kept.csv").write_text("kept kept")
    before = hashlib.sha256(Path("raw.csv").read_bytes()).hexdigest()
    found = python(source)
    assert found.used == {("script.py", "raw.csv"), ("script.py", "kept.csv")}
    assert found.digests("raw.csv")[0] == before
    assert found.digests("kept.csv") == [hashlib.sha256(b"kept kept").hexdigest()]


def test_globs_and_what_is_seen_are_one_record() -> None:
    Path("script.py").write_text("open('py.csv', 'w').write(open('raw.csv').read())")
    line = f"{sys.executable} script.py && sort raw.csv > sorted.csv"
    run("-i", "raw.csv", "-o", "*.csv", "--out", "run.trig", "--", "sh", "-c", line)
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert [name for _, name in found.used] == ["raw.csv"]
    assert len(found.elements("raw.csv")) == 1
    assert {name for name, _ in found.generated} == {"py.csv", "sorted.csv"}


def test_the_script_is_the_plan() -> None:
    found = python("pass", "-i", "raw.csv")
    plan = next(s for s in found.document if PROV + "Plan" in found.values(s, PROV_TYPE))
    assert found.values(plan, SPDX + "checksumValue") == [hashlib.sha256(b"pass").hexdigest()]


def test_a_sitecustomize_of_the_users_own_still_runs() -> None:
    Path("mine").mkdir()
    Path("mine/sitecustomize.py").write_text("import sys; sys.mine = True")
    source = "import sys, sitecustomize; assert sys.mine; assert 'mine' in sitecustomize.__file__; print(sys.path)"
    python(source, PYTHONPATH=str(Path("mine").absolute()))
    Path("mine/sitecustomize.py").write_text("import no_such_module_here")
    done = provrepo("run", "--", sys.executable, "-c", "", cwd=Path.cwd(), PYTHONPATH="mine")
    assert b"no_such_module_here" in done.stderr


def test_the_path_is_as_it_would_be() -> None:
    source = "import sys; open('path.txt', 'w').write(repr(sys.path))"
    python(source)
    seen = Path("path.txt").read_text()
    subprocess.run([sys.executable, "script.py"], check=True, env=environment())
    assert Path("path.txt").read_text() == seen


@pytest.mark.parametrize("flag", ["-I", "-E", "-S"])
def test_an_isolated_interpreter_is_not_seen_and_not_harmed(flag: str) -> None:
    run("--out", "run.trig", "--", sys.executable, flag, "-c", "open('out.csv', 'w').write(open('raw.csv').read())")
    assert Path("out.csv").exists()
    assert Captured(Path("run.trig")).used == set()


def test_a_virtual_environment_works_as_it_is() -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "env"], check=True, env=environment())
    source = "import sys; assert sys.prefix != sys.base_prefix; open('out.csv', 'w').write(open('raw.csv').read())"
    run("--out", "run.trig", "--", "env/bin/python", "-c", source)
    assert Captured(Path("run.trig")).generated == {("out.csv", "python")}


def others() -> list[str]:
    """Other versions of Python on this machine."""
    names = [f"python3.{minor}" for minor in range(6, 16)] + ["python2.7"]
    found = []
    for name in names:
        path = shutil.which(name)
        works = path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        if works:
            found.append(name)
    return found


def test_other_versions_of_python_report_or_do_not_notice() -> None:
    for name in others():
        source = f"open('{name}.csv', 'w').write(open('raw.csv').read())"
        done = provrepo("run", "--out", f"{name}.trig", "--", name, "-c", source, cwd=Path.cwd())
        assert (done.returncode, done.stderr) == (0, b""), name
        if name.startswith("python3.") and int(name[8:]) >= 8:
            assert Captured(Path(f"{name}.trig")).generated == {(f"{name}.csv", name)}, name


CHILD = ROOT / "provrepo" / "capture" / "child"


@pytest.mark.parametrize("file", sorted(path.relative_to(CHILD).as_posix() for path in CHILD.rglob("*.py")))
def test_what_runs_in_commands_is_of_an_old_syntax(file: str) -> None:
    tree = ast.parse((CHILD / file).read_text(), feature_version=(3, 8))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    absolute = {n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level}
    imported |= {n.module or "" for n in absolute}
    standing_alone = {
        "__future__",
        "_thread",
        "atexit",
        "fcntl",
        "hashlib",
        "os",
        "stat",
        "struct",
        "sys",
        "time",
        "typing",
    }
    standard = {"collections.abc", "functools", "glob", "importlib", "re", "types", "urllib.parse"}
    own = {
        "sitecustomize",
        "provrepo_child",
        "provrepo_digests",
        "provrepo_libraries",
        "provrepo_noise",
        "provrepo_paths",
    }
    own |= {"provrepo_libraries.observing"}
    own |= {f"provrepo.capture.child.{name}" for name in own} | {"provrepo.capture.child"}
    assert imported <= standing_alone | standard | own


def test_a_handler_of_a_signal_may_raise_while_a_file_is_hashed() -> None:
    """What it raises is the program's, which asked for it with an alarm, say."""
    source = """
import signal, sys
class Late(Exception): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
child = sys.modules['provrepo_child']
def slow(path):
    signal.raise_signal(signal.SIGALRM)
    return '0' * 64
child.sha256 = slow
try:
    open('raw.csv')
except Late:
    sys.exit(3)
"""
    python(source, code=3)


def test_a_reporter_that_fails_does_no_harm() -> None:
    found = python(
        "import sys; sys.modules['provrepo_child']._signature = None\n"
        "open('out.csv', 'w').write(open('raw.csv').read())"
    )
    assert (Path("out.csv").read_text(), found.used) == ("b\na\n", set())


def test_a_program_that_closes_all_descriptors_writes_only_its_own_files() -> None:
    python("import os; open('raw.csv'); os.closerange(3, 100); open('out.csv', 'w').write('o')")
    assert Path("out.csv").read_text() == "o"


def test_steps_inside_a_command_are_told_once_and_say_what_they_are_part_of() -> None:
    found = python(
        """
from provrepo.capture import step, session
@step
def copy(): open('copy.csv', 'w').write(open('raw.csv').read())
open('outside.csv', 'w').write('o')
with session('inner', out='inner.trig'):
    copy()
""",
        "-o", "*",
    )  # fmt: skip
    inner = Captured(Path("inner.trig"))
    assert (found.problems(), inner.problems()) == ([], [])
    assert (inner.used, inner.generated) == ({("copy", "raw.csv")}, {("copy.csv", "copy")})
    assert (found.used, found.generated) == (set(), {("outside.csv", "script.py")})
    assert inner.values(inner.one("inner"), DCTERMS + "isPartOf") == [str(found.one("script.py").id)]


def test_a_run_inside_a_run_says_what_it_is_part_of() -> None:
    words = [sys.executable, "-m", "provrepo", "run", "--out", "inner.trig", "--", sys.executable, "-c"]
    run("--out", "outer.trig", "--", *words, "open('out.csv', 'w').write(open('raw.csv').read())")
    outer, inner = Captured(Path("outer.trig")), Captured(Path("inner.trig"))
    assert (outer.used, outer.generated) == (set(), set())
    assert len(inner.used) == len(inner.generated) == 1
    (whole,) = [a for a in inner.activities() if a.id.endswith("#session")]
    (step,) = [a for a in outer.activities() if a.id.endswith("#step-1")]
    assert inner.values(whole, DCTERMS + "isPartOf") == [str(step.id)]


def test_a_killed_run_leaves_what_was_read() -> None:
    Path("script.py").write_text(
        "import os, time; open('raw.csv').read(); open('out.csv', 'w').write('o'); open('ready', 'w').close()\n"
        "while not os.path.exists('over'): time.sleep(0.05)"
    )
    process = started("--out", "run.trig", script=f"{sys.executable} script.py")
    process.kill()
    process.wait()
    assert recover(Path()) == [Path("run.trig")]
    Path("over").touch()
    found = Captured(Path("run.trig"))
    assert {name for _, name in found.used} == {"raw.csv"}
    assert {problem.rpartition("#")[2] for problem in found.rules()} == {"End"}
    assert [path for path in Path().iterdir() if "run.trig." in path.name] == []


# make -----------------------------------------------------------------------------------------------------------------

MAKEFILE = """
all: sorted.csv counted.csv
sorted.csv: raw.csv
	sort raw.csv > sorted.csv
counted.csv: raw.csv
	@python count.py
	@test -f counted.csv
bad:
	exit 3
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_recipes_of_make() -> None:
    Path("Makefile").write_text(MAKEFILE.replace("python", sys.executable))
    Path("count.py").write_text("open('counted.csv', 'w').write(str(len(open('raw.csv').read())))")
    shell = f"{sys.executable} -m provrepo run $(addprefix -i ,$^) $(addprefix -o ,$@) -- sh"
    done = subprocess.run(["make", "-j4", f"SHELL={shell}"], env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    found = [Captured(path) for path in Path("prov").iterdir()]
    assert [document.problems() for document in found] == [[]] * 3
    assert sorted((name for document in found for name, _ in document.generated)) == ["counted.csv", "sorted.csv"]
    assert {pair for document in found for pair in document.derived} == {
        ("counted.csv", "raw.csv"), ("sorted.csv", "raw.csv"),
    }  # fmt: skip
    failed = subprocess.run(["make", "bad", f"SHELL={shell}"], env=environment(), capture_output=True, check=False)
    assert (failed.returncode, b"Error 3" in failed.stderr) == (2, True)


class Model:
    """What training gives."""


def test_a_training_run_satisfies_its_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("test.csv").write_text("c")
    for words in (["init", "-q"], ["add", "raw.csv"]):
        subprocess.run(["git", *words], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *identity, "commit", "-qm", "x"], check=True)
    script = """
from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step
class Model: pass
@step
def train():
    log_data("raw.csv", "training")
    log_data("test.csv", "test")
    log_params({"depth": 8, "api_key": "canary"}, seed=42)
    model = Model()
    log_model(model, name="forest")
    open("model.bin", "w").write("m")
    log_model("model.bin")
    log_metrics({"accuracy": 0.93})
    return model
with session("train", out="train.trig"):
    train()
"""
    Path("pipeline.py").write_text(script)
    subprocess.run([sys.executable, "pipeline.py"], check=True, env=environment())
    found = Captured(Path("train.trig"))
    assert found.problems("ml-training") == []
    assert {("__main__.Model", "raw.csv"), ("model.bin", "raw.csv")} <= found.derived
    assert not any(source == "test.csv" for _, source in found.derived)
    assert "canary" not in found.path.read_text()


def test_logging_outside_of_a_session_does_nothing() -> None:
    log_params({"a": 1})
    log_metrics({"b": 2.0})
    log_model(Model())
    log_data("raw.csv", "training")
    assert not Path("prov").exists()
