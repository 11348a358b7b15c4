"""The wheel: small, complete, without tests, and able to do the main job from an empty directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.support import readme
from tests.support.command import environment

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release would be."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("provrepo-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and its dependencies only."""
    folder = tmp_path_factory.mktemp("plain") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    installed = subprocess.run([*pip, *constraints, str(wheel)], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"pip cannot install what the wheel needs: {installed.stderr.strip().splitlines()[-1:]}")
    return python


def _plain() -> dict[str, str]:
    """Environment variables without a reference to this checkout."""
    return {name: value for name, value in environment().items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}


@pytest.mark.slow(one_in=2)
def test_the_demo_runs_in_a_plain_environment(python: Path, tmp_path: Path) -> None:
    demo = [str(python.with_name("provrepo")), "demo", "--no-serve"]
    ran = subprocess.run(demo, cwd=tmp_path, env=_plain(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "FAILED" not in ran.stdout
    assert (ran.stderr, "All checks passed" in ran.stdout) == ("", True)


def test_the_server_answers_in_a_plain_environment(python: Path, tmp_path: Path) -> None:
    serve = [str(python.with_name("provrepo")), "--data", "data", "serve", "--port", "0"]
    process = subprocess.Popen(serve, cwd=tmp_path, env=_plain(), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        url = next(found.group() for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
        for path, media_type in (("health", "application/json"), ("", "text/html"), ("sparql", "text/html")):
            request = urllib.request.Request(url + path, headers={"Accept": media_type})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert (answer.status, answer.headers.get_content_type()) == (200, media_type)
                page = answer.read().decode()
        style = re.search(r'href="/(static/style[^"]*)"', page)
        assert style is not None
        with urllib.request.urlopen(url + style.group(1), timeout=60) as answer:
            assert answer.headers.get_content_type() == "text/css"
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 0


def test_the_readme_examples_run_in_a_plain_environment(python: Path, tmp_path: Path) -> None:
    where = "import provrepo.resources as r; print(r.root())"
    command = [str(python), "-c", where]
    root = subprocess.run(
        command, cwd=tmp_path, env=_plain(), check=True, capture_output=True, text=True
    ).stdout.strip()
    assert Path(root).is_relative_to(python.parents[1])
    (tmp_path / "examples").symlink_to(Path(root) / "examples")
    assert readme.wrong(str(python), tmp_path) == []


def test_the_wheel_is_small_and_complete(wheel: Path) -> None:
    # Less than a large picture or a vendored script that nobody meant to pack.
    assert wheel.stat().st_size <= 3 * MIB
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "provrepo/py.typed",
        "provrepo/_packaged/ontology/provrepo.ttl",
        "provrepo/_packaged/examples/crops/pipeline.py",
        "provrepo/_packaged/examples/crops/raw.csv",
        "provrepo/_packaged/examples/cwltool/primary.cwlprov.json",
        "provrepo/_packaged/examples/incomplete.ttl",
    ):
        assert needed in names
    for folder in ("shapes/core/", "web/templates/", "web/static/"):
        assert any(name.startswith(f"provrepo/_packaged/{folder}") for name in names), folder
    unwanted = re.compile(r"(^|/)(tests?|benchmarks|docs|__pycache__|\.[^/]+)/|\.pyc$|\.gitkeep$")
    assert [name for name in names if unwanted.search(name)] == []


def _environment(site: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROVREPO_", "PYTEST_"))}
    return {**kept, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_wheel_does_the_main_job_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    where = "import provrepo.resources as r; print(r.root())"
    environment = _environment(installed)
    root = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert Path(root.stdout.strip()) == installed / "provrepo" / "_packaged"

    demo = [sys.executable, "-m", "provrepo", "demo", "--no-serve"]
    ran = subprocess.run(demo, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "All checks passed" in ran.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == [".demo"]


def _requirements(name: str) -> list[str]:
    """The names that a distribution needs on this platform, without extras."""
    from packaging.requirements import Requirement

    needed = [Requirement(text) for text in metadata.requires(name) or []]
    return [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]


def _closure(name: str) -> dict[str, int]:
    """Every distribution that is installed with this one, with the size of its files."""
    sizes: dict[str, int] = {}
    waiting = [name]
    while waiting:
        distribution = metadata.distribution(waiting.pop())
        key = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if key not in sizes:
            files = (Path(str(distribution.locate_file(file))) for file in distribution.files or [])
            sizes[key] = sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
            waiting += _requirements(key)
    return sizes


def test_the_installed_closure_is_at_most_100_mb(wheel: Path) -> None:
    pytest.importorskip("packaging")
    sizes = _closure("provrepo")
    # An editable installation lists hardly any files, so the size of the unpacked wheel is used.
    sizes["provrepo"] = sum(info.file_size for info in zipfile.ZipFile(wheel).infolist())
    assert {"pyoxigraph", "rdflib", "prov", "flask", "click", "lxml"} <= set(sizes)
    assert sum(sizes.values()) <= 100_000_000, sorted(sizes.items(), key=lambda item: -item[1])


def test_each_dependency_is_explained() -> None:
    explained = (ROOT / "docs" / "explanation" / "dependencies.md").read_text("utf-8").lower()
    runtime = {re.split(r"[^A-Za-z0-9_-]", text)[0].lower() for text in metadata.requires("provrepo") or []}
    assert [name for name in sorted(runtime) if f"`{name}`" not in explained] == []
