"""What import-linter cannot see: homes of packages within a layer, the environment, packaged data, and forks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "provrepo"
FILES = sorted(PACKAGE.rglob("*.py"))

HOMES = {
    "SPARQLWrapper": ("views/sparql/remote.py",),
    "click": ("cli/",),
    "flask": ("server/",),
    "jinja2": ("server/",),
    "lxml": ("codecs/",),
    "prov": ("codecs/",),
    "pyoxigraph": ("views/sparql/", "codecs/"),
    "pyshacl": ("checks/shapes/",),
    "rdflib": ("checks/shapes/",),
    "waitress": ("server/",),
    "werkzeug": ("server/",),
}
"""Third-party package → where it may be imported: a file, a folder, or the beginning of file names."""


CHILD = "capture/child/"
"""Runs in processes that have nothing else of this package: it looks after itself."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def violations(source: str, name: str) -> list[str]:
    """What a file of the package does that only others may do."""
    found: list[str] = []
    if name.startswith(CHILD):
        return found
    tree = ast.parse(source)
    for module, line in _imports(tree):
        homes = HOMES.get(module.partition(".")[0])
        if homes is not None and not name.startswith(homes):
            found.append(f"{name}:{line} imports {module}, whose home is {', '.join(homes)}")
        if module in {"os.environ", "os.getenv", "os.fork", "os.forkpty"} and name != "settings.py":
            found.append(f"{name}:{line} imports {module}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            # What WSGI calls the environment is that of a request.
            request = isinstance(node.value, ast.Name) and node.value.id == "request"
            if node.attr in {"environ", "environb", "getenv", "putenv"} and name != "settings.py" and not request:
                found.append(f"{name}:{node.lineno} touches the environment; settings.py does")
            if node.attr in {"fork", "forkpty"}:
                found.append(f"{name}:{node.lineno} forks; processes are spawned")
        elif isinstance(node, ast.Constant):
            if node.value == "fork" or node.value == "forkserver":
                found.append(f"{name}:{node.lineno} asks for forked processes; processes are spawned")
            if node.value == "_packaged" and name != "resources.py":
                found.append(f"{name}:{node.lineno} looks for packaged data; resources.root() does")
        elif isinstance(node, ast.Name) and node.id == "__file__" and name != "resources.py":
            found.append(f"{name}:{node.lineno} looks for files beside itself; resources.root() does")
    return found


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_everything_is_at_home(path: Path) -> None:
    assert violations(path.read_text("utf-8"), _name(path)) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import rdflib", "codecs/rdf/codec.py"),
        ("def f():\n    from pyoxigraph import parse", "checks/shapes/layer.py"),
        ("import SPARQLWrapper", "views/sparql/store.py"),
        ("import os\nos.environ['X']", "cli/main.py"),
        ("import os\nos.getenv('X')", "server/app.py"),
        ("from os import environ", "workers/pool.py"),
        ("import os\nos.fork()", "workers/pool.py"),
        ("get_context('fork')", "workers/pool.py"),
        ("root = __file__", "checks/profiles.py"),
        ("folder = package / '_packaged'", "server/pages/pages.py"),
    ],
)
def test_the_test_sees_what_is_not_at_home(source: str, name: str) -> None:
    assert violations(source, name) != []


def test_no_file_grows_without_end() -> None:
    long = {_name(path): lines for path in FILES if (lines := len(path.read_text("utf-8").splitlines())) > 700}
    assert long == {}
