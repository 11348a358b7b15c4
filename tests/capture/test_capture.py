"""Steps and sessions: what is recorded of functions, files and values."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.capture import log_data, log_model, session, step
from provrepo.codecs import formats
from provrepo.vocab import DCTERMS, PROV, PROV_TYPE, PROVREPO, RDFS, SCHEMA, SPDX
from tests.support.captured import Captured
from tests.support.command import environment


class Table:
    """Something that steps hand on."""


class Model:
    """Something else."""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("a,b\n")
    return tmp_path


def capture(pipeline: Callable[[], Any], out: str = "run.trig") -> Captured:
    with session("run", out=out) as recorded:
        pipeline()
    assert recorded.path is not None
    found = Captured(recorded.path)
    assert found.problems() == []
    return found


@step
def load(path: str) -> Table:
    Path(path).read_text()
    return Table()


@step(why="outliers are errors of the balance")
def clean(table: Table, limit: int = 3) -> Table:
    return Table()


@step
def save(table: Table, path: str) -> None:
    Path(path).write_text("saved")


def test_a_pipeline_of_files_and_values(work: Path) -> None:
    found = capture(lambda: save(clean(load("raw.csv")), "clean.csv"))
    name = f"{__name__}.Table"
    assert found.used == {("load", "raw.csv"), ("clean", name), ("save", name)}
    assert found.generated == {(name, "load"), (name, "clean"), ("clean.csv", "save")}
    assert found.derived == {(name, "raw.csv"), (name, name), ("clean.csv", name)}
    assert found.sources() == {"raw.csv"}
    assert found.digests("raw.csv") == [hashlib.sha256(b"a,b\n").hexdigest()]
    assert found.parameters("clean") == {"limit=3"}
    assert found.values(found.one("clean"), RDFS + "comment") == ["outliers are errors of the balance"]
    assert len(found.elements(name)) == 2


@pytest.mark.parametrize("ending", [".ttl", ".provn", ".json", ".provx", ".jsonld", ".nq"])
def test_the_ending_says_the_format(work: Path, ending: str) -> None:
    found = capture(lambda: save(load("raw.csv"), "out.csv"), out=f"run{ending}")
    assert ("out.csv", "save") in found.generated


def test_the_default_place_and_the_journal_is_gone(work: Path) -> None:
    with session("night run/1"):
        load("raw.csv")
    assert [path.name for path in Path("prov").iterdir()] == ["night-run-1.trig"]


def test_a_failed_step_used_things_and_generated_nothing(work: Path) -> None:
    @step
    def explode(table: Table) -> Table:
        Path("half.csv").write_text("half")
        raise ValueError("secret detail")

    def pipeline() -> None:
        with pytest.raises(ValueError, match="secret detail"):
            explode(load("raw.csv"))
        load("half.csv")

    found = capture(pipeline)
    assert found.status("explode") == "Failed"
    assert ("explode", f"{__name__}.Table") in found.used
    assert "explode" not in {activity for _, activity in found.generated}
    assert "half.csv" not in found.sources()
    assert PROVREPO + "Unrecorded" in found.values(found.one("half.csv"), PROV_TYPE)
    assert "secret detail" not in found.path.read_text()


def test_a_file_that_is_read_and_overwritten_keeps_the_hash_of_what_was_read(work: Path) -> None:
    @step
    def double(path: str) -> None:
        text = Path(path).read_text()
        Path(path).write_text(2 * text)

    found = capture(lambda: (double("raw.csv"), double("raw.csv")))
    contents = [b"a,b\n", 2 * b"a,b\n", 4 * b"a,b\n"]
    assert found.digests("raw.csv") == [hashlib.sha256(content).hexdigest() for content in contents]
    assert found.document.statements
    assert len(found.sources()) == 1


def test_the_same_bytes_written_again_are_another_version(work: Path) -> None:
    found = capture(lambda: (save(Table(), "a.csv"), save(Table(), "a.csv")))
    assert len(found.elements("a.csv")) == 2


def test_renaming_what_was_written(work: Path) -> None:
    @step
    def atomically() -> None:
        Path("a.tmp").write_text("whole")
        Path("a.tmp").replace("a.csv")

    found = capture(atomically)
    assert found.generated == {("a.csv", "atomically")}
    assert not found.elements("a.tmp")


def test_renaming_what_was_there_is_using_it(work: Path) -> None:
    @step
    def publish() -> None:
        Path("raw.csv").rename("public.csv")

    found = capture(publish)
    assert (found.used, found.generated) == ({("publish", "raw.csv")}, {("public.csv", "publish")})


def test_opening_without_success_or_change_is_no_use(work: Path) -> None:
    @step
    def nothing() -> None:
        with pytest.raises(FileNotFoundError):
            Path("missing.csv").read_text()
        with pytest.raises(FileNotFoundError):
            Path("missing/file.csv").write_text("x")
        with pytest.raises(FileExistsError):
            Path("raw.csv").touch(exist_ok=False)
        Path("gone.tmp").write_text("x")
        Path("gone.tmp").unlink()

    found = capture(nothing)
    assert (found.used, found.generated) == (set(), set())


def test_appending_uses_and_generates(work: Path) -> None:
    @step
    def append() -> None:
        with Path("raw.csv").open("a") as file:
            file.write("1,2\n")

    found = capture(append)
    assert (found.used, found.generated) == ({("append", "raw.csv")}, {("raw.csv", "append")})
    assert found.derived == {("raw.csv", "raw.csv")}


def test_relative_paths_are_those_of_their_moment(work: Path) -> None:
    @step
    def elsewhere() -> None:
        Path("sub").mkdir()
        os.chdir("sub")
        Path("x.csv").write_text("x")
        os.chdir("..")

    assert capture(elsewhere).generated == {("x.csv", "elsewhere")}


def test_files_outside_of_steps_belong_to_the_session(work: Path) -> None:
    found = capture(lambda: Path("copy.csv").write_text(Path("raw.csv").read_text()))
    assert (found.used, found.generated) == ({("run", "raw.csv")}, {("copy.csv", "run")})


def test_nested_steps_and_what_passes_through(work: Path) -> None:
    @step
    def outer(path: str) -> Table:
        with Path("log.txt").open("w") as log:
            log.write("begun")
        return load(path)

    @step
    def inspect_log() -> None:
        Path("log.txt").read_text()

    @step
    def both() -> Table:
        table = outer("raw.csv")
        inspect_log()
        return table

    found = capture(both)
    assert (found.inside("both"), found.inside("outer"), found.inside("load")) == ("run", "both", "outer")
    assert found.generated == {(f"{__name__}.Table", "load"), ("log.txt", "outer")}
    assert ("inspect_log", "log.txt") in found.used


def test_a_nested_step_reads_what_its_outer_step_wrote(work: Path) -> None:
    @step
    def outer() -> None:
        Path("half.csv").write_text("x")
        load("half.csv")

    found = capture(outer)
    assert (found.used, ("half.csv", "outer") in found.generated) == ({("load", "half.csv")}, True)
    assert len(found.elements("half.csv")) == 1


def test_methods_generators_and_async_functions(work: Path) -> None:
    class Lab:
        @step
        def measure(self, table: Table) -> Model:
            return Model()

        @step
        @staticmethod
        def still(table: Table) -> Model:
            return Model()

    @step
    def parts(table: Table) -> Generator[Table, str, None]:
        received = yield Table()
        assert received == "more"
        yield Table()

    @step
    async def fetch(path: str) -> Table:
        await asyncio.sleep(0)
        Path(path).read_text()
        return Table()

    @step
    async def stream() -> AsyncIterator[Model]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield Model()

    async def asynchronous() -> None:
        Lab().measure(await fetch("raw.csv"))
        Lab.still(Table())
        async for _ in stream():
            load("raw.csv")

    def pipeline() -> None:
        asyncio.run(asynchronous())
        generator = parts(Table())
        next(generator)
        load("raw.csv")  # the consumer runs outside of the generator's step
        generator.send("more")
        assert list(generator) == []

    found = capture(pipeline)
    table, model = f"{__name__}.Table", f"{__name__}.Model"
    generated = [s for s in found.document if s.kind.name == "wasGeneratedBy"]
    assert sorted(found.label(s.args[1]) for s in generated) == sorted(
        ["measure", "still", "parts", "parts", "fetch", "stream", "stream", "load", "load", "load"]
    )
    assert {("measure", table), ("fetch", "raw.csv"), ("parts", table)} <= found.used
    assert {(model, "measure"), (model, "stream"), (model, "still")} <= found.generated
    assert {found.label(o) for s in found.elements("load") for o in found.values(s, DCTERMS + "isPartOf")} == {"run"}


def test_threads_belong_to_the_step_that_started_them(work: Path) -> None:
    @step
    def fan_out() -> None:
        thread = threading.Thread(target=load, args=("raw.csv",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: Path(f"{n}.csv").write_text("x"), range(3)))

    found = capture(fan_out)
    assert found.inside("load") == "fan_out"
    assert {(f"{n}.csv", "fan_out") for n in range(3)} <= found.generated


def test_blocks_and_the_explicit_interface(work: Path) -> None:
    def pipeline() -> None:
        with step("train", why="to know") as run:
            run.parameter("depth", 8)
            run.used("raw.csv", role="training")
            run.generated("model.bin")
            subprocess.run([sys.executable, "-c", "open('model.bin', 'w').write('m')"], check=True)
        with pytest.raises(KeyError), step("broken"):
            raise KeyError

    found = capture(pipeline)
    assert (found.used, found.generated) == ({("train", "raw.csv")}, {("model.bin", "train")})
    assert found.parameters("train") == {"depth=8"}
    assert found.status("broken") == "Failed"


def test_derivation_only_where_declared_or_evident(work: Path) -> None:
    @step
    def join(left: Table, right: Table) -> Model:
        return Model()

    @step(derives="left")
    def mostly(left: Table, right: Table) -> Model:
        return Model()

    @step(derives=True)
    def wholly(left: Table, right: Table) -> Model:
        return Model()

    @step(derives=False)
    def apart(left: Table) -> Model:
        return Model()

    def derivations(pipeline: Callable[[], Any]) -> int:
        found = capture(pipeline)
        return sum(s.kind.name == "wasDerivedFrom" for s in found.document)

    first, second = Table(), Table()
    assert derivations(lambda: join(first, second)) == 0
    assert derivations(lambda: mostly(first, second)) == 1
    assert derivations(lambda: wholly(first, second)) == 2
    assert derivations(lambda: apart(first)) == 0


def test_members_of_containers_and_small_lists_are_followed(work: Path) -> None:
    @step
    def split(table: Table) -> tuple[Table, Model]:
        return Table(), Model()

    @step
    def rows() -> list[dict[str, int]]:
        return [{"a": 1}, {"a": 2}]

    @step
    def count(rows: list[dict[str, int]], names: dict[str, Table]) -> int:
        return len(rows)

    found = capture(lambda: count(rows(), {"one": split(Table())[0]}))
    assert found.generated == {
        (f"{__name__}.Table", "split"), (f"{__name__}.Model", "split"), ("list", "rows"), ("int", "count"),
    }  # fmt: skip
    assert {("count", "list"), ("count", f"{__name__}.Table")} <= found.used


def test_values_are_not_kept_alive(work: Path) -> None:
    import gc
    import weakref

    def pipeline() -> None:
        table = load("raw.csv")
        alive = weakref.ref(table)
        clean(table)
        del table
        gc.collect()
        assert alive() is None

    with session("run", out="run.trig") as running:
        pipeline()
        assert running._recorder is not None
        assert running._recorder.values._known == {}


def test_what_is_changed_in_place_and_declared_is_a_new_thing(work: Path) -> None:
    @step
    def build() -> Model:
        return Model()

    @step
    def fit(model: Model, table: Table) -> Model:
        log_data(table, "training")
        log_model(model, name="forest")
        return model

    @step
    def predict(model: Model) -> None: ...

    def pipeline() -> None:
        model = build()
        predict(model)
        predict(fit(model, load("raw.csv")))

    found = capture(pipeline)
    kind = f"{__name__}.Model"
    first, second = (s.id for s in found.elements(kind))
    assert found.generated == {(kind, "build"), (kind, "fit"), (f"{__name__}.Table", "load")}
    uses = [(found.label(s.args[0]), s.args[1]) for s in found.document if s.kind.name == "used"]
    assert [use for use in uses if use[1] in (first, second)] == [
        ("predict", first), ("fit", first), ("predict", second),
    ]  # fmt: skip
    assert {(kind, kind), (kind, f"{__name__}.Table")} <= found.derived
    assert found.sources() == {"raw.csv"}


def test_what_is_read_while_it_is_being_written_is_the_writers(work: Path) -> None:
    @step
    def write() -> None:
        Path("log.txt").write_text("begun")
        load("log.txt")
        Path("log.txt").write_text("done")

    found = capture(write)
    assert found.generated == {("log.txt", "write"), (f"{__name__}.Table", "load")}
    assert len(found.elements("log.txt")) == 2
    assert found.sources() == set()


def test_tasks_and_executors_of_an_event_loop(work: Path) -> None:
    @step
    async def fetch(path: str) -> Table:
        await asyncio.sleep(0.01)
        Path(path).read_text()
        await asyncio.sleep(0)
        return await asyncio.to_thread(load, path)

    @step
    async def gather() -> None:
        await asyncio.gather(*(fetch(path) for path in ("a.csv", "b.csv")))
        await asyncio.get_running_loop().run_in_executor(None, save, Table(), "c.csv")

    for name in ("a.csv", "b.csv"):
        Path(name).write_text(name)
    found = capture(lambda: asyncio.run(gather()))
    assert {found.inside_of(s) for s in found.elements("fetch")} == {"gather"}
    assert {found.inside_of(s) for s in found.elements("load")} == {"fetch"}
    assert found.inside("save") == "gather"
    assert {(a, b) for a, b in found.used if b.endswith(".csv")} == {
        (name, file) for name in ("fetch", "load") for file in ("a.csv", "b.csv")
    }
    per_step = [s.args[0] for s in found.document if s.kind.name == "used" and found.label(s.args[0]) == "fetch"]
    assert len(per_step) == len(set(per_step)) == 2


def test_callables_of_all_kinds(work: Path) -> None:
    class Called:
        def __call__(self, table: Table) -> Table:
            return Table()

    length, first, instance = step("length")(len), step(functools.partial(load, "raw.csv")), step(Called())
    bound = step(Table.__init__)

    def pipeline() -> None:
        assert length([1, 2]) == 2
        bound(instance(first()))

    found = capture(pipeline)
    assert found.parameters("length") == {"argument 1=[1, 2]"} or found.parameters("length") == {"obj=[1, 2]"}


def test_a_session_in_which_nothing_happens_writes_nothing(work: Path) -> None:
    with session("idle", out="idle.trig"):
        pass
    assert [path.name for path in work.iterdir()] == ["raw.csv"]


def test_a_decorated_function_is_a_session_of_its_own(work: Path) -> None:
    @session(out="run.trig")
    def main() -> Table:
        return load("raw.csv")

    main()
    assert Captured(Path("run.trig")).used == {("load", "raw.csv")}


def test_a_session_within_a_step_of_another(work: Path) -> None:
    @step
    def outer() -> None:
        with session("inner", out="inner.trig"):
            load("raw.csv")
        save(Table(), "a.csv")

    found = capture(outer)
    inner = Captured(Path("inner.trig"))
    assert (inner.used, inner.inside("load")) == ({("load", "raw.csv")}, "inner")
    assert (found.used, found.elements("load")) == ({("save", f"{__name__}.Table")}, [])
    assert found.inside("save") == "outer"


def test_sessions_of_tasks_and_threads_at_once(work: Path) -> None:
    def threaded(number: int) -> None:
        with session(f"thread {number}", out=f"t{number}.trig"):
            barrier.wait()
            save(Table(), f"t{number}.csv")
            barrier.wait()

    @session(out="a.trig")
    async def task(number: int) -> None:
        with session(f"task {number}", out=f"a{number}.trig"):
            await asyncio.sleep(0.01)
            save(Table(), f"a{number}.csv")
            await asyncio.sleep(0.01)

    async def all_tasks() -> None:
        await asyncio.gather(*map(task, range(3)))

    barrier = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(threaded, range(3)))
    asyncio.run(all_tasks())
    for name in (f"{kind}{number}" for kind in "ta" for number in range(3)):
        found = Captured(Path(f"{name}.trig"))
        assert found.problems() == []
        assert {file for file, _ in found.generated} == {f"{name}.csv"}


def test_threads_that_begin_at_once_share_one_session(work: Path) -> None:
    script = """
import threading
from provrepo.capture import step
barrier = threading.Barrier(8)
@step
def f(): pass
def go():
    barrier.wait()
    f()
threads = [threading.Thread(target=go) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    run(script, work)
    (path,) = Path("prov").iterdir()
    assert len(Captured(path).elements("f")) == 8


def test_a_failed_session(work: Path) -> None:
    @session("run", out="run.trig")
    def fail() -> None:
        load("raw.csv")
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    found = Captured(Path("run.trig"))
    assert found.status("run") == "Failed"
    assert found.problems() == []


SCRIPT = """
from provrepo.capture import step
@step
def copy(a, b):
    open(b, "w").write(open(a).read())
if __name__ == "__main__":
    copy("raw.csv", "copy.csv")
"""


def run(script: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (cwd / "pipeline.py").write_text(script)
    return subprocess.run(
        [sys.executable, "pipeline.py"],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_script_without_a_session(work: Path) -> None:
    run(SCRIPT, work)
    (path,) = Path("prov").iterdir()
    found = Captured(path)
    assert found.problems() == []
    assert (found.used, found.generated) == ({("copy", "raw.csv")}, {("copy.csv", "copy")})
    plan = found.one("pipeline.py")
    assert found.values(plan, SPDX + "checksumValue") == [hashlib.sha256(SCRIPT.encode()).hexdigest()]


def test_off_means_off(work: Path) -> None:
    code = SCRIPT + "    assert not hasattr(copy, '__wrapped__')\n    with step('x') as s: s.used('raw.csv')\n"
    run(code, work, PROVREPO_CAPTURE="off")
    assert not Path("prov").exists()
    assert Path("copy.csv").read_text() == "a,b\n"


def test_workers_of_multiprocessing_belong_to_the_session(work: Path) -> None:
    code = SCRIPT + (
        "    from multiprocessing import get_context\n"
        "    with get_context('spawn').Pool(1) as pool:\n"
        "        pool.starmap(copy, [('raw.csv', 'other.csv')])\n"
    )
    run(code, work)
    (path,) = Path("prov").iterdir()
    found = Captured(path)
    assert found.problems() == []
    assert found.generated == {("copy.csv", "copy"), ("other.csv", "copy")}


def test_the_commit_and_whether_files_differ(work: Path) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        done = subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    (work / "pipeline.py").write_text(SCRIPT)
    git("init", "-q")
    git("add", "pipeline.py")
    git("commit", "-qm", "x")
    run(SCRIPT, work)
    (path,) = Path("prov").iterdir()
    plan = Captured(path).one("pipeline.copy")
    assert Captured.values(plan, PROVREPO + "commit") == [git("rev-parse", "HEAD")]
    assert Captured.values(plan, PROVREPO + "dirty") == ["false"]
    path.unlink()
    git("mv", "pipeline.py", "other.py")
    git("commit", "-qm", "y")
    run(SCRIPT, work)
    (path,) = Path("prov").iterdir()
    plan = Captured(path).one("pipeline.copy")
    assert Captured.values(plan, PROVREPO + "dirty") == ["true"], "git does not know the file"


@pytest.mark.parametrize(
    ("words", "name"),
    [(["pipeline.py"], "pipeline.copy"), (["-m", "pipeline"], "pipeline.copy"), (["-m", "lab"], "lab.copy"),
     (["lab"], "lab.copy"), (["-m", "lab.sub"], "lab.sub.copy"), (["-c", SCRIPT], "__main__.copy")],
)  # fmt: skip
def test_functions_of_the_script_are_named_after_it(work: Path, words: list[str], name: str) -> None:
    Path("lab").mkdir()
    for file in ("pipeline.py", "lab/__main__.py", "lab/sub.py"):
        Path(file).write_text(SCRIPT)
    subprocess.run([sys.executable, *words], env=environment(), check=True)
    (path,) = Path("prov").iterdir()
    assert Captured(path).one(name)


def test_compiled_code_is_no_result(work: Path) -> None:
    Path("helper.py").write_text("")
    script = SCRIPT.replace("    open(b", "    import helper\n    open(b")
    Path("script.py").write_text(script)
    variables = {name: value for name, value in environment().items() if not name.startswith("PYTHON")}
    subprocess.run([sys.executable, "script.py"], env=variables, check=True)
    assert list(Path("__pycache__").glob("helper.*.pyc"))
    (path,) = Path("prov").iterdir()
    assert Captured(path).generated == {("copy.csv", "copy")}


def test_who_is_named_by_an_iri_is_not_called_like_the_account(work: Path) -> None:
    someone = "https://orcid.example/1"
    with session("named", out="named.trig", agent=someone):
        load("raw.csv")
    found = Captured(Path("named.trig"))
    (agent,) = [statement for statement in found.document if statement.id == someone]
    assert found.values(agent, RDFS + "label") == []
    assert found.values(agent, PROV_TYPE) == [PROV + "Person"]


MODULE = """
import sys
from provrepo.capture import session, step
@step
def nothing(): pass
for number in range(2):
    with session("run", out=f"run{number}" + sys.argv[1]):
        nothing()
"""


@pytest.mark.parametrize("ending", [ending for format_ in formats.WRITABLE for ending in format_.suffixes[:1]])
def test_what_writing_documents_imports_is_no_requirement_of_the_program(work: Path, ending: str) -> None:
    """The second session of a process runs on the same packages as the first, whatever the format."""
    script = (
        MODULE + "import json, provrepo\nfrom provrepo.capture.facts.environment import packages\nprint(packages())"
    )
    Path("script.py").write_text(script)
    command = [sys.executable, "script.py", ending]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    assert done.stdout.strip() == f"['provrepo=={provrepo.__version__}']"


def test_what_the_program_imports_itself_is_a_requirement(work: Path) -> None:
    Path("script.py").write_text("import pyoxigraph\n" + MODULE)
    subprocess.run([sys.executable, "script.py", ".trig"], env=environment(), check=True)
    for path in ("run0.trig", "run1.trig"):
        told = Captured(Path(path)).values(Captured(Path(path)).one("run"), SCHEMA + "softwareRequirements")
        assert [package.partition("==")[0] for package in told] == ["provrepo", "pyoxigraph"]


def test_a_session_ends_without_what_only_reading_and_checking_need(work: Path) -> None:
    Path("script.py").write_text(MODULE + "print(*sys.modules)")
    command = [sys.executable, "script.py", ".trig"]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert {"provrepo.codecs.rdf.codec", "pyoxigraph"} <= loaded
    unwanted = ("provo.reader", "provo.losses", "jsonld.contexts", "guards")
    assert not loaded & {
        "rdflib",
        "prov",
        "lxml",
        "pyshacl",
        "flask",
        "click",
        "asyncio",
        "logging",
        "typing_extensions",
    }
    assert not loaded & {f"provrepo.codecs.{name}" for name in unwanted}


def test_importing_takes_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import provrepo.capture\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['provrepo']"
