"""Rules that import-linter cannot check: the places of third-party packages, the environment, packaged data, forks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "provrepo"
FILES = sorted(PACKAGE.rglob("*.py"))

HOMES = {
    "authlib": ("server/sign_in/",),
    "joserfc": ("server/sign_in/",),
    "kedro": ("hooks/",),
    "luigi": ("hooks/",),
    "prefect": ("hooks/",),
    "SPARQLWrapper": ("views/sparql/remote.py",),
    "click": ("cli/",),
    "flask": ("server/",),
    "httpcore": ("http_client/",),
    "httpx": ("http_client/",),
    "jinja2": ("server/",),
    "lxml": ("codecs/",),
    "prov": ("codecs/",),
    "pyoxigraph": ("views/sparql/", "codecs/"),
    "pyshacl": ("checks/shapes/",),
    "rdflib": ("checks/shapes/",),
    "waitress": ("server/",),
    "werkzeug": ("server/",),
}
"""Third-party package → the files or folders that may import it, as prefixes of paths."""


CHILD = "capture/child/"
"""This folder runs in processes without the rest of this package, so it may do all that others must not."""


DYNAMIC = {
    "__init__.py": "public names and the operations of documents, loaded at their first use",
    "cli/verbs.py": "the command of each verb, loaded when it is called",
    "codecs/rows.py": "codecs and importers, loaded at their first use",
    "workers/child.py": "the entry points that a worker process is called with",
}
"""Files that import modules of this package by a name in a string, which import-linter does not see."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _dynamic(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Imports by a string that is, or may be, the name of a module of this package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "importlib":
            yield from ((f"{alias.name} as {alias.asname}", node.lineno) for alias in node.names if alias.asname)
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if called in {"import_module", "__import__"}:
            module = node.args[0] if node.args else None
            if not (isinstance(module, ast.Constant) and str(module.value).partition(".")[0] != PACKAGE.name):
                yield f"{called}({'' if module is None else ast.unparse(module)})", node.lineno


def violations(source: str, name: str) -> list[str]:
    """The violations of the rules in a file of the package."""
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
    if name not in DYNAMIC:
        found += [f"{name}:{line} imports by a string: {text}" for text, line in _dynamic(tree)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            # The environment of WSGI is that of a request.
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
def test_files_follow_the_rules(path: Path) -> None:
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
        ("import_module('provrepo.checks.report')", "model/document.py"),
        ("import_module(name)", "model/document.py"),
        ("import importlib\nimportlib.import_module(f'provrepo.{name}')", "model/document.py"),
        ("__import__('provrepo.checks.report')", "model/document.py"),
        ("from importlib import import_module as load", "model/document.py"),
    ],
)
def test_violations_are_found(source: str, name: str) -> None:
    assert violations(source, name) != []


def test_third_party_modules_may_be_imported_by_a_string() -> None:
    assert violations("import_module('re._parser')", "checks/shapes/patterns.py") == []


def test_each_file_on_the_list_imports_by_a_string() -> None:
    assert [name for name in DYNAMIC if not list(_dynamic(ast.parse((PACKAGE / name).read_text("utf-8"))))] == []


def _entry_points() -> Iterator[str]:
    """The entry points of worker processes, ``module:function``: the first arguments of ``….call(…)``."""
    for path in FILES:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if ".call(" in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
                first = node.args[0]
                if isinstance(first, ast.Constant | ast.JoinedStr):
                    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
                    yield eval(ast.unparse(first), vars(import_module(module)))


ENTRY_POINTS = sorted(set(_entry_points()))


def test_entry_points_of_workers_are_found() -> None:
    assert {"provrepo.repository.submission.worker:run", "provrepo.views.sparql.query:run"} < set(ENTRY_POINTS)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_of_workers_exists(name: str) -> None:
    module, _, function = name.partition(":")
    assert module.partition(".")[0] == PACKAGE.name
    assert callable(getattr(import_module(module), function))


def test_no_file_is_too_long() -> None:
    long = {_name(path): lines for path in FILES if (lines := len(path.read_text("utf-8").splitlines())) > 500}
    assert long == {}


def test_no_folder_has_too_many_modules() -> None:
    sizes = Counter(path.parent.relative_to(PACKAGE).as_posix() for path in FILES if path.name != "__init__.py")
    assert {folder: size for folder, size in sizes.items() if size > 18} == {}


def _dependencies() -> dict[str, set[str]]:
    """Module → the modules of the package that it imports anywhere, also for types only."""
    names = {}
    for path in FILES:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for name, path in names.items():
        imported = {module for module, _ in _imports(ast.parse(path.read_text("utf-8")))}
        # Of ``from package import module`` the module is meant.
        packages = {module for module in imported if any(other.startswith(f"{module}.") for other in imported)}
        found[name] = ((imported - packages) & names.keys()) - {name}
    return found


def _circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The strongly connected components of more than one module."""
    reached = {}
    for start in graph:
        seen, stack = {start}, [start]
        while stack:
            for other in graph[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        reached[start] = seen
    circles = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return [set(circle) for circle in circles if len(circle) > 1]


def test_circles_of_imports_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert _circles(graph) == [{"a", "b", "c"}]


def test_no_circle_of_imports_is_large() -> None:
    assert [sorted(circle) for circle in _circles(_dependencies()) if len(circle) > 4] == []
