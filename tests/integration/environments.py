"""An environment for each tool, below ``.integration/``: installed from the registries at its first use, and reused.

Nothing is installed in the environment of provrepo itself. A tool that cannot be installed (no Java, no network) raises
`NotHere`, and the tests that need it are skipped with its message.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["ROOT", "NotHere", "go", "jar", "java", "python", "run"]

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".integration"
_STAMP = ".installed"


class NotHere(Exception):
    """A tool cannot be installed on this machine; the message says why."""


def run(command: Sequence[object], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a tool, without the settings of provrepo in its environment.

    Args:
        command: the program and its arguments.
        more: environment variables to add.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROVREPO_", "PYTHON"))}
    return subprocess.run(
        [str(part) for part in command], capture_output=True, encoding="utf-8", env={**kept, **more}, check=False
    )


def python(name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of a virtual environment that has only these packages.

    Args:
        name: the name of the environment.
        requirements: the packages with versions.

    Raises:
        NotHere: pip cannot install them.
    """
    place = PLACE / name
    interpreter = place / "bin" / "python"
    mark = _mark([sys.version, *requirements])
    if not _is_made(place, mark):
        _install([sys.executable, "-m", "venv", place])
        _install([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
        (place / _STAMP).write_text(mark, "utf-8")
    return interpreter


def java(folder: str) -> list[str]:
    """The command that runs classes of a folder beside this file: Java with the libraries of its ``pom.xml``.

    Args:
        folder: the folder with ``pom.xml`` and sources, which are compiled.

    Raises:
        NotHere: there is no Java compiler, no Maven, or the libraries cannot be had.
    """
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            raise NotHere(f"no {program} on the path")
    source = Path(__file__).parent / folder
    files = sorted(source.glob("*.java"))
    place = PLACE / folder
    mark = _mark(file.read_text("utf-8") for file in (source / "pom.xml", *files))
    path = place / "classpath"
    if not _is_made(place, mark):
        place.mkdir(parents=True)
        maven = ["mvn", "--batch-mode", "--quiet", "--file", source / "pom.xml"]
        _install([*maven, "dependency:build-classpath", f"-Dmdep.outputFile={path}"])
        libraries = path.read_text("utf-8").strip()
        compiled = run(["javac", "-cp", libraries, "-d", place, *files])
        if compiled.returncode:
            raise RuntimeError(f"{folder} does not compile: {compiled.stdout}{compiled.stderr}")
        (place / _STAMP).write_text(mark, "utf-8")
    classes = os.pathsep.join((str(place), path.read_text("utf-8").strip()))
    # A large stack for recursive searches. Without the other option, frequent exceptions have no message.
    return ["java", "-Xss256m", "-XX:-OmitStackTraceInFastThrow", "-cp", classes]


def go(folder: str) -> Path:
    """A program of Go, built from a folder beside this file with the modules of its ``go.mod``.

    Args:
        folder: the folder with ``go.mod``, ``go.sum`` and sources.

    Raises:
        NotHere: there is no Go, or the modules cannot be had.
    """
    if shutil.which("go") is None:
        raise NotHere("no go on the path")
    source = Path(__file__).parent / folder
    place = PLACE / folder
    mark = _mark(file.read_text("utf-8") for file in sorted(source.iterdir()))
    if not _is_made(place, mark):
        place.mkdir(parents=True)
        _install(["go", "-C", source, "mod", "download"])
        built = run(["go", "-C", source, "build", "-o", place / folder, "."])
        if built.returncode:
            raise RuntimeError(f"{folder} does not compile: {built.stdout}{built.stderr}")
        (place / _STAMP).write_text(mark, "utf-8")
    return place / folder


def jar(name: str, coordinates: str) -> Path:
    """A library of Maven Central with all that it needs in one file.

    Args:
        name: the name of the environment that it is for.
        coordinates: group, artifact and version, with colons between them.

    Raises:
        NotHere: there is no Java, no Maven, or the library cannot be had.
    """
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NotHere(f"no {program} on the path")
    place = PLACE / f"{name}-jar"
    mark = _mark([coordinates])
    if not _is_made(place, mark):
        copy = ["mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={coordinates}"]
        _install([*copy, f"-DoutputDirectory={place}"])
        (place / _STAMP).write_text(mark, "utf-8")
    (found,) = place.glob("*.jar")
    return found


def _mark(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _is_made(place: Path, mark: str) -> bool:
    """Whether the environment exists with these requirements; one with others is removed."""
    stamp = place / _STAMP
    if stamp.exists() and stamp.read_text("utf-8") == mark:
        return True
    if place.exists():
        shutil.rmtree(place)
    return False


def _install(command: Sequence[object]) -> None:
    ran = run(command)
    if ran.returncode:
        lines = (ran.stdout + ran.stderr).strip().splitlines()
        raise NotHere(f"{Path(str(command[0])).name} failed: {lines[0] if lines else 'without a word'}")
