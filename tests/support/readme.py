"""Execution of the README's examples with the command and the library of any environment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.command import environment
from tests.support.paths import ROOT


def wrong(python: str, folder: Path) -> list[str]:
    """The differences between the README and the results of its examples.

    The commands of its console run from top to bottom. Then its Python examples run twice on a document that they
    created.

    Args:
        python: the interpreter of the environment.
        folder: the working directory, which contains ``examples``.
    """
    text = (ROOT / "README.md").read_text("utf-8")
    consoles, programs = (re.findall(rf"(?s)```{kind}\n(.*?)```", text) for kind in ("console", "python"))
    if not consoles or not programs:
        return ["the README shows nothing"]
    steps = [step.partition("\n") for console in consoles for step in re.split(r"(?m)^\$ ", console)[1:]]
    found = []
    for script, _, expected in steps:
        ran = _shell(script, python, folder)
        if ran.returncode not in (0, 1) or ran.stdout.split() != expected.split():
            found.append(f"$ {script}\n{ran.stdout}{ran.stderr}")
    made = _shell("provrepo convert examples/cwltool/primary.cwlprov.ttl run.provn; rm -rf data", python, folder)
    found += [made.stderr] if made.returncode else []
    for program in programs:
        (folder / "example.py").write_text(program)
        ran = [_shell("python example.py", python, folder) for _ in range(2)]
        if any(run.returncode or not run.stdout for run in ran) or ran[0].stdout != ran[1].stdout:
            found.append("".join(f"{program}\n{run.stdout}{run.stderr}" for run in ran))
    return found


def _shell(script: str, python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script in which ``provrepo`` and ``python`` are those of the environment."""
    head = f'set -e\nprovrepo() {{ "{python}" -m provrepo "$@"; }}\npython() {{ "{python}" "$@"; }}\n'
    variables = environment(PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(
        ["bash", "-c", head + script], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
