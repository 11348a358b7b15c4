"""The cost of recording a pipeline of pandas, Parquet, HDF5 and scikit-learn, compared with MLflow and noWorkflow.

``python -m benchmarks.peers DIR --install`` creates a virtual environment for each tool below DIR, which needs the
network and about 1.5 GB, and measures. Without ``--install`` it measures the tools that are installed there. Nothing is
installed in the environment of provrepo itself. Each tool is compared with the same pipeline without it, in the same
environment; the two runs alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = ROOT / "benchmarks" / "learning.py"
PACKAGES = ("h5py", "pandas", "pyarrow", "scikit-learn")
ROUNDS = 5
QUIET = {
    "OMP_NUM_THREADS": "1",  # the scheduling of threads on two cores varies by more than a few per cent
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "",  # an installed package has its bytecode
    "MLFLOW_ALLOW_FILE_STORE": "true",  # the store that needs no database
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class Tool:
    """A tool that records a pipeline.

    Attributes:
        name: its name in the table.
        needs: the arguments of pip that install it; what the pipeline imports is installed in any case.
        package: the distribution that has its version.
        command: the command that runs the pipeline with it, in its environment.
        output: the folder to which it writes.
    """

    name: str
    needs: tuple[str, ...]
    package: str
    command: tuple[str, ...]
    output: str


TOOLS = (
    Tool("provrepo", ("--editable", str(ROOT)), "provrepo", ("python", "learning.py", "provrepo"), "prov"),
    Tool("MLflow autolog", ("mlflow-skinny",), "mlflow-skinny", ("python", "learning.py", "mlflow"), "mlruns"),
    Tool("noWorkflow", ("noworkflow",), "noworkflow", ("now", "run", "learning.py", "plain"), ".noworkflow"),
)
PLAIN = ("python", "learning.py", "plain")


@dataclass
class Run:
    """One run: processor and wall-clock seconds, peak memory, bytes that the tool wrote, and seconds of hashing."""

    cpu: float
    wall: float
    peak_mib: float
    output: int
    hashing: float


def table(place: Path, rounds: int = ROUNDS) -> list[str]:
    """The rows of the Markdown table.

    Args:
        place: the folder of the environments.
        rounds: the number of runs of each command; the best counts.
    """
    rows = [
        "| tool | CPU s | with tool | overhead | of it hashing | wall s | with tool | more peak MiB | output kB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for tool in TOOLS:
        version = _version(tool, place)
        if version is None:
            rows.append(f"| {tool.name} | not installed |  |  |  |  |  |  |  |")
            continue
        pairs = [(_run(PLAIN, tool, place), _run(tool.command, tool, place)) for _ in range(rounds + 1)]
        found = pairs[1:]  # the first writes bytecode
        without, with_ = (min(run.cpu for run in runs) for runs in zip(*found, strict=True))
        before, after = (min(run.wall for run in runs) for runs in zip(*found, strict=True))
        memory = min(run.peak_mib for _, run in found) - min(run.peak_mib for run, _ in found)
        hashing = min(run.hashing for _, run in found) / without
        rows.append(
            f"| {tool.name} {version} | {without:.2f} | {with_:.2f} | {with_ / without - 1:.1%} "
            f"| {f'{hashing:.1%}' if tool.name == 'provrepo' else ''} | {before:.2f} | {after:.2f} | {memory:.0f} "
            f"| {found[-1][1].output / 1e3:.0f} |"
        )
    return rows


def _environment(tool: Tool, place: Path) -> Path:
    return place.absolute() / tool.package / "bin"


def _version(tool: Tool, place: Path) -> str | None:
    code = f"import importlib.metadata as m, h5py, pandas, pyarrow, sklearn; print(m.version('{tool.package}'))"
    python = _environment(tool, place) / "python"
    if not python.exists():
        return None
    printed = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return printed.stdout.strip() or None


def _run(command: tuple[str, ...], tool: Tool, place: Path) -> Run:
    program, *arguments = command
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as printed:
        shutil.copy(PIPELINE, folder)
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(_environment(tool, place) / program), *arguments], cwd=folder, env={**os.environ, **QUIET},
            stdout=printed, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed in {_environment(tool, place).parent}")
        printed.seek(0)
        times = json.loads(printed.read().splitlines()[-1])
        output = sum(path.stat().st_size for path in (Path(folder) / tool.output).rglob("*") if path.is_file())
        return Run(
            used.ru_utime + used.ru_stime,
            wall,
            used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024),
            output,
            times["hashing"],
        )


def install(place: Path) -> None:
    """Create the missing environments; a tool that cannot be installed is reported and skipped."""
    for tool in TOOLS:
        if _version(tool, place) is not None:
            continue
        home = place / tool.package
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *tool.needs, *PACKAGES], check=False)
        if done.returncode:
            print(f"{tool.name} cannot be installed here and is not measured", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path, help="the folder of the tools' environments")
    parser.add_argument("--install", action="store_true", help="create missing environments with pip")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="the number of runs of each tool; the best counts")
    arguments = parser.parse_args()
    if arguments.install:
        arguments.place.mkdir(parents=True, exist_ok=True)
        install(arguments.place)
    print("\n".join(table(arguments.place, arguments.rounds)))


if __name__ == "__main__":
    main()
