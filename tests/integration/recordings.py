"""Recordings of programs that use a library, in the environment of the library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from provrepo.model.statements import GENERATION, USAGE
from provrepo.vocab import PROV_LOCATION, PROVREPO
from tests.integration.capture_libraries_runner import CASES
from tests.integration.environments import ROOT
from tests.support.captured import Captured
from tests.support.command import provrepo

__all__ = ["OURS", "beside", "check_case", "files", "recorded"]

OURS = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
"""provrepo and what it needs are from our environment, the libraries from theirs."""


def beside(interpreter: Path, words: Sequence[object], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a tool in its environment, with provrepo: their packages come before ours.

    Args:
        interpreter: of the environment of the tool.
        words: the arguments of the interpreter.
        folder: the working folder.
        more: environment variables to add.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVREPO_")}
    code = "import site; print(site.getsitepackages()[0])"
    theirs = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True)
    found = os.pathsep.join([theirs.stdout.strip(), OURS])
    return subprocess.run(
        [str(interpreter), *map(str, words)],
        cwd=folder,
        env=kept | {"PYTHONPATH": found, "DO_NOT_TRACK": "1"} | more,
        capture_output=True,
        text=True,
        check=False,
    )


RUNNER = Path(__file__).with_name("capture_libraries_runner.py")


def recorded(interpreter: Path, case: str, way: str, folder: Path) -> Captured:
    """What is recorded of a case, after its preparation."""
    done = subprocess.run(
        [interpreter, RUNNER, case, "prepare"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if way == "run":
        ended = provrepo("run", "--out", "run.trig", "--", interpreter, RUNNER, case, "work", cwd=folder)
        assert ended.returncode == 0, ended.stderr
    else:
        late = (
            f"import sys, runpy; sys.path += {OURS.split(os.pathsep)!r}; sys.argv = ['work', {case!r}, 'work', 'late'];"
            f"runpy.run_path({str(RUNNER)!r}, run_name='__main__')"
        )
        ran = subprocess.run([interpreter, "-c", late], cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr == ""
    return Captured(folder / "run.trig")


def files(found: Captured, kind: object) -> set[str]:
    """Where the files are that were used or generated, below the folder of the document."""
    named = {s.args[1 if kind is USAGE else 0] for s in found.document if s.kind is kind}
    paths = {p for s in found.document if s.kind.element and s.id in named for p in found.values(s, PROV_LOCATION)}
    return {str(Path(path).relative_to(found.path.parent)) for path in paths}


def check_case(interpreter: Path, case: str, way: str, folder: Path) -> None:
    """Exactly the files are recorded that the docstring of a case names."""
    found = recorded(interpreter, case, way, folder)
    used, generated = (set(side.split()) for side in CASES[case].__doc__.rstrip(".").split("->"))
    assert (files(found, USAGE), files(found, GENERATION)) == (used, generated)
    assert found.problems() == []
    unobserved = [what for one in found.activities() for what in found.values(one, PROVREPO + "unobserved")]
    assert [what for what in unobserved if not what.startswith("process ")] == []  # joblib asks lscpu, say
