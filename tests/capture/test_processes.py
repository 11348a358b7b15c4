"""Steps in other processes belong to the session, whichever way the processes start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provrepo.vocab import DCTERMS, PROVREPO
from tests.support.captured import Captured
from tests.support.command import environment
from tests.support.extras import needs_examples

METHODS = ["fork", "spawn", "forkserver"]

HEAD = """
import multiprocessing, os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from provrepo.capture import session, step

class Table:
    def __init__(self, name):
        self.name = name

class Model(Table):
    pass

@step
def load(path):
    return Table(Path(path).read_text())

@step
def fit(table, path):
    Path(path).write_text(table.name)
    return Model(table.name)

@step
def save(model, path):
    Path(path).write_text(model.name)

context = multiprocessing.get_context(sys.argv[1])
"""


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("a,b\n")


def run(body: str, method: str, code: int = 0, **variables: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    Path("pipeline.py").write_text(f"{HEAD}\n{DEFINITIONS}\nif __name__ == '__main__':\n{lines}")
    command = [sys.executable, "pipeline.py", method]
    done = subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == code, done.stderr
    assert "provenance is incomplete" not in done.stderr
    return done.stderr


DEFINITIONS = """
def quietly(path):
    Path(path).write_text(Path("raw.csv").read_text())

@step
def fan_out(values):
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(fit, values, ["m0.bin", "m1.bin"]))

@step
def by_hand():
    process = context.Process(target=quietly, args=("copy.csv",))
    process.start()
    process.join()

class Worker(multiprocessing.Process):
    def run(self):
        quietly("worker.csv")

@step
def overwrite(path, text):
    before = Path(path).read_text()
    Path(path).write_text(text)
    return Table(before)

@step
def die():
    Path("half.csv").write_text("half")
    load("raw.csv")
    os.kill(os.getpid(), signal.SIGKILL)

@step
def explode(path):
    Path(path).write_text("half")
    raise ValueError("expected")

@step
def failing():
    process = context.Process(target=quietly, args=("copy.csv",))
    process.start()
    process.join()
    raise ValueError("expected")
"""


def captured(name: str = "run.trig") -> Captured:
    found = Captured(Path(name))
    assert found.problems() == []
    return found


@pytest.mark.parametrize("method", METHODS)
def test_values_keep_their_entities_on_the_way_there_and_back(method: str) -> None:
    run(
        """
with session("run", out="run.trig"):
    tables = [load("raw.csv"), load("raw.csv")]
    models = fan_out(tables)
    for number, model in enumerate(models):
        save(model, f"out{number}.bin")
""",
        method,
    )
    found = captured()
    table, model = "__main__.Table", "__main__.Model"
    assert found.used == {("load", "raw.csv"), ("fan_out", table), ("fit", table), ("save", model)}
    assert found.generated == {
        (table, "load"), (model, "fit"), ("m0.bin", "fit"), ("m1.bin", "fit"),
        ("out0.bin", "save"), ("out1.bin", "save"),
    }  # fmt: skip
    assert len(found.elements(table)) == len(found.elements(model)) == 2
    assert {found.inside_of(s) for s in found.elements("fit")} == {"fan_out"}
    assert {(a, b) for a, b in found.derived if a.startswith("out")} == {("out0.bin", model), ("out1.bin", model)}
    assert found.sources() == {"raw.csv"}
    assert len(found.elements("pipeline.fit")) == 1  # the plan, though two processes followed it


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_without_a_session(method: str) -> None:
    run(
        """
with context.Pool(2) as pool:
    tables = pool.map(load, ["raw.csv", "raw.csv"])
    models = pool.starmap(fit, [(tables[0], "a.bin"), (tables[1], "b.bin")], chunksize=1)
    pool.apply(save, (models[0], "c.bin"))
    pool.apply_async(save, kwds={"model": models[1], "path": "d.bin"}).get()
    more = [*pool.imap(load, iter(["a.bin"])), *pool.imap_unordered(load, ["b.bin"])]
assert [type(value) for value in (*tables, *models, *more)] == [Table] * 2 + [Model] * 2 + [Table] * 2
""",
        method,
    )
    (path,) = Path("prov").iterdir()
    found = captured(str(path))
    table, model = "__main__.Table", "__main__.Model"
    assert found.used == {
        ("load", "raw.csv"), ("load", "a.bin"), ("load", "b.bin"), ("fit", table), ("save", model),
    }  # fmt: skip
    assert {("a.bin", "fit"), ("b.bin", "fit"), ("c.bin", "save"), ("d.bin", "save")} <= found.generated
    assert (len(found.elements(table)), len(found.elements(model))) == (4, 2)
    assert len(found.elements("a.bin")) == 1
    assert found.sources() == {"raw.csv"}


@pytest.mark.parametrize("method", METHODS)
def test_processes_are_part_of_the_step_that_starts_them(method: str) -> None:
    run(
        """
with session("run", out="run.trig"):
    by_hand()
    with step("subclass"):
        worker = Worker()
        worker.start()
        worker.join()
""",
        method,
    )
    found = captured()
    assert found.generated == {("copy.csv", "by_hand"), ("worker.csv", "subclass")}
    assert found.used == {("by_hand", "raw.csv"), ("subclass", "raw.csv")}


def test_a_file_that_processes_overwrite_one_after_another_keeps_its_versions() -> None:
    run(
        """
with session("run", out="run.trig"), ProcessPoolExecutor(1, mp_context=context) as pool:
    for text in ("one", "one", "two"):
        pool.submit(overwrite, "raw.csv", text).result()
    load("raw.csv")
    overwrite("raw.csv", "two")
    pool.submit(load, "raw.csv").result()
""",
        "spawn",
    )
    found = captured()
    assert len(found.elements("raw.csv")) == 5
    assert len(set(found.digests("raw.csv"))) == 3
    uses = [s for s in found.document if s.kind.name == "used" and found.label(s.args[1]) == "raw.csv"]
    assert len(uses) == 6
    assert found.sources() == {"raw.csv"}
    assert len({s.args[1] for s in uses}) == 5


@pytest.mark.parametrize("method", METHODS)
def test_failures_in_other_processes(method: str) -> None:
    run(
        """
with session("run", out="run.trig"):
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert isinstance(pool.submit(explode, "x.csv").exception(), ValueError)
        assert "pickle" in str(pool.submit(lambda: 1).exception())
    try:
        failing()
    except ValueError:
        pass
""",
        method,
    )
    found = captured()
    assert found.generated == set()
    assert (found.status("explode"), found.status("failing")) == ("Failed", "Failed")
    assert found.used == {("failing", "raw.csv")}


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_is_killed(method: str) -> None:
    run(
        """
with session("run", out="run.trig"):
    process = context.Process(target=die)
    process.start()
    process.join()
    load("half.csv")
""",
        method,
    )
    found = Captured(Path("run.trig"))
    assert {rule.rpartition("#")[2] for rule in found.rules()} == {"End"}
    assert found.status("die") == "Active"
    assert found.values(found.one("die"), PROVREPO + "incomplete") == ["true"]
    assert not found.values(found.one("run"), PROVREPO + "incomplete")
    assert not found.elements("die")[0].args[1]
    assert found.used == {("load", "raw.csv"), ("load", "half.csv")}
    assert Path("half.csv").read_text() == "half"


@pytest.mark.parametrize("method", METHODS)
def test_the_session_is_killed_with_its_pool(method: str) -> None:
    from provrepo.capture.delivery.outbox import recover

    run(
        """
with session("run", out="prov/run.trig"):
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(fit, load("raw.csv"), "m.bin").result()
    with step("last"):
        os.kill(os.getpid(), signal.SIGKILL)
""",
        method,
        -9,
    )
    (path,) = recover(Path("prov"))
    found = Captured(path)
    assert {rule.rpartition("#")[2] for rule in found.rules()} == {"End"}
    assert ("m.bin", "fit") in found.generated
    assert found.used == {("load", "raw.csv"), ("fit", "__main__.Table")}


def test_forking_by_hand() -> None:
    run(
        """
with session("run", out="run.trig"):
    with step("outer"):
        child = os.fork()
        if child == 0:
            load("raw.csv")
            os._exit(0)
        os.waitpid(child, 0)
""",
        "fork",
    )
    found = captured()
    assert found.used == {("load", "raw.csv")}
    assert found.inside("load") == "outer"


def test_a_forked_child_that_ends_as_programs_do() -> None:
    run(
        """
load("raw.csv")
if os.fork() == 0:
    load("raw.csv")
    sys.exit(0)
os.wait()
""",
        "fork",
    )
    (path,) = Path("prov").iterdir()
    assert len(captured(str(path)).elements("load")) == 2


def test_forking_while_another_thread_learns_the_parameters_of_a_step() -> None:
    run(
        """
import inspect, threading
signature, asked, go = inspect.signature, threading.Event(), threading.Event()
def slow(function):
    if threading.current_thread() is not threading.main_thread():
        asked.set(), go.wait()
    return signature(function)
inspect.signature = slow
with session("run", out="run.trig"):
    thread = threading.Thread(target=load, args=("raw.csv",))
    thread.start()
    asked.wait()
    child = context.Process(target=load, args=("raw.csv",))
    child.start()
    child.join(20)
    code = child.exitcode
    child.kill()
    go.set()
    thread.join()
    assert code == 0, code
""",
        "fork",
    )
    captured()


def test_forking_while_other_threads_are_at_work() -> None:
    run(
        """
import threading
going = True
def work():
    while going:
        load("raw.csv")
with session("run", out="run.trig"):
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    children = [context.Process(target=load, args=("raw.csv",)) for _ in range(5)]
    for child in children:
        child.start()
    for child in children:
        child.join(20)
    going = False
    for thread in threads:
        thread.join()
    assert [child.exitcode for child in children] == [0] * 5
""",
        "fork",
    )
    captured()


def test_processes_of_a_program_that_took_no_step_leave_nothing() -> None:
    run("pool = context.Pool(1)\nassert pool.map(abs, [-1]) == [1]\npool.terminate()", "spawn")
    assert sorted(path.name for path in Path().iterdir() if path.name != "__pycache__") == ["pipeline.py", "raw.csv"]


def test_other_processes_are_left_alone_where_capture_is_off() -> None:
    run(
        "fan_out([Table('a')])\nassert 'provrepo.capture.context_propagation' not in sys.modules",
        "spawn",
        PROVREPO_CAPTURE="off",
    )
    assert not Path("prov").exists()


def test_a_child_outlives_its_session() -> None:
    run(
        """
with session("run", out="run.trig"):
    load("raw.csv")
    process = context.Process(target=time.sleep, args=(0.3,))
    process.start()
os.rename("run.trig", "done.trig")
process.join()
""",
        "fork",
    )
    assert captured("done.trig").used == {("load", "raw.csv")}


def test_nested_pools() -> None:
    run(
        """
with session("run", out="run.trig"):
    process = context.Process(target=fan_out, args=([Table("a"), Table("b")],))
    process.start()
    process.join()
""",
        "spawn",
    )
    found = captured()
    assert found.inside("fan_out") == "run"
    assert {str(o) for s in found.elements("fit") for o in found.values(s, DCTERMS + "isPartOf")} == {
        str(found.one("fan_out").id)
    }


LOKY = """
from pathlib import Path
from joblib import Parallel, delayed
from provrepo.capture import session, step

class Table:
    pass

@step
def load(path):
    Path(path).read_text()
    return Table()

@step
def fit(table, out):
    Path(out).write_text("fitted")

def plain(out):
    Path(out).write_text("plain")

@step
def fan_out(tables):
    parallel = Parallel(n_jobs=2)
    parallel(delayed(fit)(table, f"fitted{number}.bin") for number, table in enumerate(tables))
    parallel(delayed(plain)(f"plain{number}.bin") for number in range(2))

if __name__ == "__main__":
    for name in ("first", "second"):  # with the same workers
        with session(name, out=f"{name}.trig"):
            fan_out([load("raw.csv"), load("raw.csv")])
"""


def test_workers_of_joblib_that_live_on_belong_to_each_session_in_turn() -> None:
    needs_examples()
    Path("pipeline.py").write_text(LOKY)
    subprocess.run([sys.executable, "-B", "pipeline.py"], env=environment(), check=True, timeout=120)
    for name in ("first", "second"):
        found = captured(f"{name}.trig")
        table = "__main__.Table"
        assert found.used >= {("load", "raw.csv"), ("fit", table), ("fan_out", table)}
        made = {
            (f"{what}{number}.bin", by) for what, by in (("fitted", "fit"), ("plain", "fan_out")) for number in (0, 1)
        }
        assert found.generated >= {*made, (table, "load")}
        assert found.derived >= {("fitted0.bin", table), ("fitted1.bin", table)}
        assert {found.inside_of(statement) for statement in found.elements("fit")} == {"fan_out"}
