"""Adapted libraries: their files and tables are recorded, and the program notices nothing."""

from __future__ import annotations

import inspect
import logging
import os
import pickle
import sqlite3
import sys
import types
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from provrepo.capture import session, step
from provrepo.capture.child import provrepo_libraries
from provrepo.capture.child.provrepo_libraries import observing
from provrepo.capture.child.provrepo_libraries.after_import import AfterImport
from provrepo.capture.child.provrepo_libraries.databases.sql import named
from provrepo.model.statements import GENERATION, USAGE
from provrepo.vocab import PROVREPO
from tests.support.captured import Captured
from tests.support.command import provrepo


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tables(found: Captured, kind: object) -> set[tuple[str, str]]:
    """Activities and the tables that they read or wrote."""
    at = 0 if kind is USAGE else 1
    return {
        (found.label(s.args[at]), table)
        for s in found.document
        if s.kind is kind
        for table in found.values(s, PROVREPO + "table")
    }


DATABASE = """
first = sqlite3.connect("file:crops.db?mode=rwc", uri=True)
first.execute("CREATE TABLE raw (name, yield)")
first.execute("INSERT INTO raw VALUES ('oats', 3)")
first.commit()
first.execute("ATTACH 'other.db' AS other")
first.execute("CREATE TABLE other.clean AS SELECT * FROM raw WHERE yield > 1")
first.commit()
first.close()
"""


@pytest.mark.parametrize("way", ["step", "run"])
def test_tables_of_sqlite(way: str) -> None:
    if way == "run":
        Path("work.py").write_text(f"import sqlite3\n{DATABASE}")
        done = provrepo("run", "--out", "run.trig", "--", sys.executable, "work.py", cwd=Path.cwd())
        assert done.returncode == 0, done.stderr
    else:
        with session("run", out="run.trig"):
            step("work.py")(lambda: exec(DATABASE, {"sqlite3": sqlite3}))()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert found.generated == {("crops.db", "work.py"), ("other.db", "work.py")}
    assert tables(found, GENERATION) == {("work.py", "raw"), ("work.py", "clean")}


def test_steps_share_a_connection_that_is_older() -> None:
    with sqlite3.connect("crops.db") as made:
        made.execute("CREATE TABLE raw (name)")
    with session("run", out="run.trig"):
        connection = sqlite3.connect("crops.db")

        @step
        def fill() -> None:
            connection.execute("INSERT INTO raw VALUES ('oats')")
            connection.commit()

        @step
        def count() -> None:
            connection.execute("SELECT count(name) FROM raw").fetchall()

        fill(), count()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert ("count", "crops.db") in found.used
    assert ("crops.db", "fill") in found.generated
    assert (tables(found, USAGE), tables(found, GENERATION)) == ({("count", "raw")}, {("fill", "raw")})
    connection.close()


def test_the_program_may_have_an_authorizer_and_a_factory_of_its_own() -> None:
    class Own(sqlite3.Connection):
        def execute(self, *args: Any) -> Any:
            raise AssertionError("capture calls no code of the program")

    with session("run", out="run.trig"), step("work"):
        assert type(sqlite3.connect("crops.db", factory=Own)) is Own
        connection = sqlite3.connect("crops.db")
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            connection.execute("CREATE TABLE t (a)")
        with pytest.raises(sqlite3.OperationalError):
            sqlite3.connect("missing/folder/x.db")
    assert Captured(Path("run.trig")).generated == {("crops.db", "work")}, "it is made, and empty"


def test_what_joblib_writes_and_reads() -> None:
    with session("run", out="run.trig"):
        step("save")(lambda: joblib.dump({"a": np.arange(5)}, "model.joblib"))()
        step("load")(lambda: joblib.load("model.joblib", mmap_mode="r")["a"].sum())()
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert ("model.joblib", "save") in found.generated
    assert ("load", "model.joblib") in found.used


def library(monkeypatch: pytest.MonkeyPatch, source: str) -> Any:
    """A module that stands for a compiled library."""
    module = types.ModuleType("compiled")
    exec(source, module.__dict__)
    monkeypatch.setitem(sys.modules, "compiled", module)
    return module


def test_functions_that_were_imported_before_are_observed_and_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    module = library(monkeypatch, COMPILED)
    package, program = types.ModuleType("package"), types.ModuleType("program")
    for other in (package, program):
        monkeypatch.setitem(sys.modules, other.__name__, other)
        other.read = module.read  # type: ignore[attr-defined]
    observing.before(package, "read", observing.argument(0, "path", observing.READ))
    for function in (package.read, program.read):
        assert pickle.loads(pickle.dumps(function)) is function
    observing.rebind()
    Path("a.bin").write_text("a")
    with session("run", out="run.trig"):
        step("work")(lambda: [program.read("a.bin")])()
    assert ("work", "a.bin") in Captured(Path("run.trig")).used
    assert pickle.loads(pickle.dumps(program.read)) is package.read


COMPILED = """
def read(path, *, rows: int = 10) -> int:
    '''Read rows.'''
    if rows < 0:
        raise ValueError("rows")
    return rows
class File:
    def __init__(self, path):
        self.path = path
"""


def test_a_wrapper_keeps_signature_exceptions_results_and_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    module = library(monkeypatch, COMPILED)
    before = inspect.signature(module.read)
    observing.before(module, "read", observing.argument(0, "path", observing.READ))
    observing.before(module.File, "__init__", observing.argument(1, "path", observing.READ))
    wrapped = module.read
    observing.before(module, "read", observing.argument(0, "path", observing.READ))
    assert module.read is wrapped, "it is wrapped once"
    assert inspect.signature(module.read) == before
    assert (module.read.__doc__, module.read.__name__) == ("Read rows.", "read")
    assert pickle.loads(pickle.dumps(module.read)) is module.read
    Path("a.bin").write_text("a")
    with session("run", out="run.trig"):
        assert step("work")(lambda: module.read("a.bin", rows=3))() == 3
        assert module.File(Path("a.bin")).path == Path("a.bin")
        with pytest.raises(ValueError, match="rows"):
            module.read("a.bin", rows=-1)
        with pytest.raises(TypeError):
            module.read()
        module.read(None), module.read(7), module.read("https://example.org/a.bin")
    found = Captured(Path("run.trig"))
    assert {label for _, label in found.used} == {"a.bin"}


@pytest.mark.parametrize("way", ["step", "run"])
def test_an_error_in_a_wrapper_is_counted_and_told(
    way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if way == "step":
        module = library(monkeypatch, COMPILED)
        observing.before(module, "read", lambda path, rows: None)
        with caplog.at_level(logging.WARNING, "provrepo.capture"), session("run", out="run.trig"), step("work"):
            assert [module.read("x", rows=1, **{}) for _ in range(2)] == [1, 1]
            assert [module.read("x") for _ in range(3)] == [10, 10, 10]
        said = caplog.text
    else:
        program = (
            "import sys\nfrom provrepo_libraries import observing\nimport compiled\n"
            "observing.before(compiled, 'read', lambda path, rows: None)\n"
            "assert [compiled.read('x') for _ in range(3)] == [10, 10, 10]\n"
        )
        Path("compiled.py").write_text(COMPILED)
        Path("work").write_text(program)
        done = provrepo("run", "--out", "run.trig", "--", sys.executable, "work", cwd=Path.cwd())
        assert done.returncode == 0, done.stderr
        said = done.stderr.decode()
    found = Captured(Path("run.trig"))
    (activity,) = [one for one in found.activities() if found.values(one, PROVREPO + "unobserved")]
    assert found.label(activity.id) == "work"
    assert found.values(activity, PROVREPO + "unobserved") == ["compiled.read: TypeError (3 times)"]
    assert said.count("what compiled.read opens could not be observed (TypeError)") == 1


def test_a_library_that_has_changed_breaks_no_import(caplog: pytest.LogCaptureFixture) -> None:
    module = types.ModuleType("pyarrow.parquet.core")  # without the classes that are adapted
    with caplog.at_level(logging.WARNING, "provrepo.capture"), session("run", out="run.trig"), step("work"):
        Path("a.txt").write_text("a")
        provrepo_libraries.adapt(module)
    found = Captured(Path("run.trig"))
    assert found.values(found.one("work"), PROVREPO + "unobserved") == ["pyarrow.parquet.core: AttributeError"]


def test_an_import_hook_adapts_the_module_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    with zipfile.ZipFile("both.zip", "w") as archive:  # one loader for both modules
        archive.writestr("first_of_two.py", "")
        archive.writestr("second_of_two.py", "")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "both.zip"), *sys.path])
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    adapted: list[str] = []
    AfterImport({"first_of_two": lambda module: adapted.append(module.__name__)}).install()
    import first_of_two  # type: ignore[import-not-found]
    import second_of_two  # type: ignore[import-not-found]

    assert (adapted, first_of_two.__name__, second_of_two.__name__) == (
        ["first_of_two"], "first_of_two", "second_of_two",
    )  # fmt: skip


def test_every_library_has_its_file_and_none_is_imported_by_capture() -> None:
    folder = Path(provrepo_libraries.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "after_import", "observing", "resources"}
    files |= {f"databases.{path.stem}" for path in (folder / "databases").glob("*.py")}
    assert files - {"databases.__init__", "databases.sql"} == set(provrepo_libraries.TABLE.values())
    code = (
        "import sys, provrepo.capture\nfrom provrepo.capture import session, step\n"
        "with session('run', out='run.trig'):\n    step(lambda: open('a', 'w').close())()\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    import subprocess

    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVREPO_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept)
    named = {name.partition(".")[0] for name in provrepo_libraries.TABLE}
    assert set(done.stdout.split()) & named == set()


STATEMENTS = {
    "SELECT * FROM a, b x JOIN c.d ON a.x = c.y WHERE a.z IN (SELECT q FROM e)": ({"a", "b", "c.d", "e"}, set()),
    "WITH w AS (SELECT extract(year FROM at) FROM src) SELECT * FROM w WHERE a IS DISTINCT FROM b": ({"src"}, set()),
    "INSERT INTO t (a) SELECT a FROM t2; DELETE FROM t3; UPDATE t4 SET a = 1 FROM t5": (
        {"t2", "t5"}, {"t", "t3", "t4"},
    ),
    "CREATE TABLE n AS SELECT 1 -- FROM x\n; CREATE TEMP TABLE m (a); SELECT ' FROM z'": (set(), {"n"}),
    "SELECT * FROM (a JOIN b ON 1 = 1) q, c; SELECT substring(x FROM 2) FROM range(3)": ({"a", "b", "c"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("text", STATEMENTS)
def test_tables_that_a_statement_names(text: str) -> None:
    found = named(text)
    assert (found.reads, found.writes) == STATEMENTS[text]


def test_files_that_a_statement_names() -> None:
    found = named(
        "SELECT * FROM read_csv(['x.csv', 'y.csv'], delim=',') r, 'z.parquet' WHERE a = 'no.csv';"
        "COPY (SELECT * FROM t) TO 'out.parquet' (FORMAT parquet); COPY u FROM 'u.csv'; ATTACH 'other.db' AS o"
    )
    assert found.sources == {"x.csv", "y.csv", "z.parquet", "u.csv"}
    assert (found.targets, found.databases, found.writes) == ({"out.parquet"}, {"other.db"}, {"u"})
