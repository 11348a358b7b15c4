"""The public names of ``provrepo``, their order, and the cost of the import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import provrepo
from provrepo import errors

PACKAGE = Path(provrepo.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py"
)
OF_TOOLS = {f"provrepo.hooks.{tool}" for tool in ("kedro", "luigi", "prefect")}
"""Modules that need a tool, and are used in its environment: ``tests/hooks``."""
HEAVY = {"SPARQLWrapper", "flask", "httpx", "lxml", "prov", "pyoxigraph", "pyshacl", "rdflib", "sqlite3", "waitress"}


def _fresh(code: str) -> str:
    """The output of a script in a new interpreter."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_all_has_the_public_names_in_order() -> None:
    visible = _fresh("import provrepo; print(*(n for n in dir(provrepo) if not n.startswith('_')))").split()
    promised = [name for name in provrepo.__all__ if name != "__version__"]
    assert sorted(visible) == sorted(promised)
    assert provrepo.__all__ == sorted(provrepo.__all__)
    assert all(getattr(provrepo, name) is not None for name in provrepo.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'writ'"):
        _ = provrepo.writ


def test_import_loads_nothing_heavy() -> None:
    heavy = (
        "{'rdflib', 'pyoxigraph', 'flask', 'prov', 'pyshacl', 'lxml', 'SPARQLWrapper', 'waitress', 'sqlite3', 'httpx'}"
    )
    assert _fresh(f"import sys, provrepo; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_a_repository_loads_no_http_client_before_it_needs_one() -> None:
    assert _fresh("import sys, provrepo.repository.repository; print('httpx' in sys.modules)") == "False"


def test_help_loads_nothing_heavy() -> None:
    heavy = (
        "{'rdflib', 'pyoxigraph', 'flask', 'prov', 'pyshacl', 'lxml', 'SPARQLWrapper', 'waitress', 'sqlite3', 'httpx'}"
    )
    assert _fresh(f"import sys, provrepo.cli.main; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_errors_have_one_root_and_are_in_the_docstring() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(cls, errors.Error) for cls in classes)
    assert errors.__all__ == sorted(errors.__all__)
    assert {n for n, v in vars(errors).items() if inspect.isclass(v) and issubclass(v, Exception)} == set(
        errors.__all__
    )
    drawn = errors.__doc__ or ""
    assert [cls.__name__ for cls in classes if cls.__name__ not in drawn] == []


@pytest.mark.parametrize("name", [name for name in MODULES if name not in OF_TOOLS])
def test_exported_names_exist(name: str) -> None:
    module = import_module(name)
    exported = getattr(module, "__all__", [])
    assert [export for export in exported if not hasattr(module, export)] == []
    assert len(set(exported)) == len(exported)
