"""Which file was opened: names in a folder by descriptor, openers, links, truncation, folders with new names."""

from __future__ import annotations

import copy
import hashlib
import inspect
import os
import pickle
import shutil
import sys
import weakref
from pathlib import Path

import pytest

from provrepo.capture import session, step
from provrepo.vocab import PROV_LOCATION, PROVREPO
from tests.support.captured import Captured
from tests.support.command import provrepo

IMPORTS = "import functools, os, tempfile, time\nfrom pathlib import Path\n"
BEFORE = f"""{IMPORTS}
os.mkdir("right")
Path("right/data.csv").write_text("right")
Path("data.csv").write_text("wrong")
os.mkdir("far"), os.mkdir("far/deep"), os.symlink("far/deep", "near")
Path("far/up.csv").write_text("up")
Path("up.csv").write_text("wrong")
Path("old.txt").write_text("old text")
"""

CASES = {
    "os.open with a folder": (
        "folder = os.open('right', os.O_RDONLY)\nos.close(os.open('data.csv', os.O_RDONLY, dir_fd=folder))",
        {"right/data.csv"},
        set(),
    ),
    "an opener": (
        "folder = os.open('right', os.O_RDONLY)\n"
        "def opener(path, flags):\n    return os.open(path, flags, dir_fd=folder)\n"
        "with open('data.csv', opener=opener) as source, open('new.csv', 'w', opener=opener) as target:\n"
        "    target.write(source.read())",
        {"right/data.csv"},
        {"right/new.csv"},
    ),
    "an opener that is a partial function": (
        "folder = os.open('right', os.O_RDONLY)\n"
        "[open('data.csv', opener=functools.partial(os.open, dir_fd=folder)).close() for _ in range(2)]",
        {"right/data.csv"},
        set(),
    ),
    "an opener of another name": (
        "def opener(path, flags):\n    path = 'right/' + path\n    return os.open(path, flags)\n"
        "open('data.csv', opener=opener).close()\nopen('old.txt', 'w', opener=opener).close()",
        {"right/data.csv"},
        {"right/old.txt"},
    ),
    "an opener without an event": (
        "time.sleep(0.05)\nnumber = os.memfd_create('x')\n"
        "open('old.txt', 'w', opener=lambda path, flags: os.dup(number)).close()",
        set(),
        set(),
    ),
    "the same call of open and of a function that calls os.open": (
        "for function in (open, lambda path: os.fdopen(os.open(path, os.O_RDONLY))):\n"
        "    function('data.csv' if function is open else 'right/data.csv').close()",
        {"data.csv", "right/data.csv"},
        set(),
    ),
    "rename with folders": (
        "folder = os.open('right', os.O_RDONLY)\nPath('right/part').write_text('x')\nPath('part').write_text('wrong')\n"
        "os.remove('part')\nos.rename('part', 'whole', src_dir_fd=folder, dst_dir_fd=folder)",
        set(),
        {"right/whole"},
    ),
    "a link that replaces a name": (
        "Path('part').write_text('x')\nos.link('part', 'whole')\nos.unlink('part')", set(), {"whole"},
    ),
    "a link of an existing file": ("os.link('old.txt', 'copy.txt')", {"old.txt"}, {"copy.txt"}),
    "a file without a name until it is linked": (
        "number = os.open('.', os.O_TMPFILE | os.O_WRONLY)\nos.write(number, b'x')\n"
        "os.link(f'/proc/self/fd/{number}', 'whole', dst_dir_fd=os.open('.', os.O_RDONLY))",
        set(),
        {"whole"},
    ),
    "truncate by path": ("os.truncate('old.txt', 3)", {"old.txt"}, {"old.txt"}),
    "truncate by descriptor": (
        "number = os.open('old.txt', os.O_WRONLY)\nos.ftruncate(number, 0)\nos.close(number)", set(), {"old.txt"},
    ),
    "a folder that gets its name at the end": (
        "os.mkdir('part')\nPath('part/x.csv').write_text('x')\nos.rename('part', 'whole')", set(), {"whole/x.csv"},
    ),
    "what lies above a link": ("open('near/../up.csv').close()", {"far/up.csv"}, set()),
    "the name of a descriptor": (
        "number = os.open('right/data.csv', os.O_RDONLY)\nopen(f'/dev/fd/{number}').close()", {"right/data.csv"}, set(),
    ),
    "temporary files": (
        "with tempfile.TemporaryFile('w', dir='.') as file:\n    file.write('x')\n"
        "with tempfile.NamedTemporaryFile('w', dir='.') as file:\n    file.write('x')",
        set(),
        set(),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def locations(found: Captured, kind: str) -> set[str]:
    """Where the files are that were used or generated."""
    named = {s.args[1 if kind == "used" else 0] for s in found.document if s.kind.name == kind}
    paths = {p for s in found.document if s.kind.element and s.id in named for p in found.values(s, PROV_LOCATION)}
    return {os.path.relpath(path) for path in paths}


def record(code: str, way: str) -> Captured:
    """What is recorded of code, in a step or below ``provrepo run``."""
    exec(BEFORE, {})
    if way == "step":
        names: dict[str, object] = {}
        exec(IMPORTS, names)
        with session("run", out="run.provn"):
            step("work")(lambda: exec(code, names))()
    else:
        Path("work.py").write_text(IMPORTS + code)
        done = provrepo("run", "--out", "run.provn", "--", sys.executable, "work.py", cwd=Path.cwd())
        assert done.returncode == 0, done.stderr
    found = Captured(Path("run.provn"))
    assert found.problems() == []
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", ["step", "run"])
def test_the_file_that_was_opened(case: str, way: str) -> None:
    code, used, generated = CASES[case]
    if sys.platform != "linux" and ("memfd" in code or "O_TMPFILE" in code):
        pytest.skip("only on Linux")
    found = record(code, way)
    assert (locations(found, "used"), locations(found, "wasGeneratedBy")) == (used, generated)
    digests = {digest for path in used for digest in found.digests(Path(path).name)}
    assert {hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in used - generated} <= digests


@pytest.mark.parametrize("way", ["step", "run"])
def test_a_file_that_is_not_known_is_named(way: str) -> None:
    code = (
        "os.mkdir('gone')\nfolder = os.open('gone', os.O_RDONLY)\nos.rmdir('gone')\n"
        "for name in ('data.csv', 'data.csv'):\n"
        "    try:\n        os.open(name, os.O_RDONLY, dir_fd=folder)\n    except OSError:\n        pass"
    )
    found = record(code, way)
    (activity,) = [s for s in found.activities() if found.values(s, PROVREPO + "unresolved")]
    assert found.label(activity.id) == ("work" if way == "step" else "work.py")
    assert found.values(activity, PROVREPO + "unresolved") == ["data.csv"]
    assert (found.used, found.generated) == (set(), set())


def test_versions_keep_their_lineage_when_their_folder_is_renamed() -> None:
    @step
    def make() -> None:
        Path("part").mkdir()
        Path("part/x.csv").write_text("x")

    @step
    def publish() -> None:
        Path("part").rename("whole")

    @step
    def take() -> None:
        Path("whole/x.csv").read_text()

    with session("run", out="run.provn"):
        make(), publish(), take()
    found = Captured(Path("run.provn"))
    assert (found.generated, found.used) == ({("x.csv", "make")}, {("take", "x.csv")})
    assert found.sources() == set()


def test_the_program_does_not_notice_that_os_open_is_watched() -> None:
    with session("run", out="run.provn"):
        Path("file").touch()
    assert pickle.loads(pickle.dumps(os.open)) is os.open
    assert copy.deepcopy(os.open) is os.open
    assert os.open in os.supports_dir_fd
    assert shutil.rmtree.avoids_symlink_attacks
    assert list(inspect.signature(os.open).parameters) == ["path", "flags", "mode", "dir_fd"]
    kind = type("Kind", (), {"open": os.open})
    os.close(kind().open("file", os.O_RDONLY))
    with pytest.raises(TypeError):
        os.open()  # type: ignore[call-arg]
    with pytest.raises(FileNotFoundError):
        os.open("missing", os.O_RDONLY)


def test_an_open_keeps_no_variables_of_the_program_alive() -> None:
    class Held:
        pass

    def use() -> weakref.ref[Held]:
        held = Held()
        Path("run.txt").write_text("x")
        return weakref.ref(held)

    with session("run", out="run.provn"):
        assert step(use)()() is None
