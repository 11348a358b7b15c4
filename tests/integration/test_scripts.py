"""The modules of pages are type-checked with TypeScript, and the vendored editor is what its build makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.environments import PLACE, ROOT, run

EDITOR = ROOT / "web" / "editor"
OPTIONS = {
    "allowJs": True,
    "checkJs": True,
    "noEmit": True,
    "strict": True,
    "target": "es2022",
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "lib": ["es2023", "dom", "dom.iterable"],
}


@pytest.fixture(scope="module")
def node() -> Path:
    """A folder with the packages of ``web/editor``."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine, so that modules are not type-checked")
    place = PLACE / "scripts"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(EDITOR / name, place)
    done = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", place])
    if done.returncode != 0:
        pytest.skip(f"npm cannot install TypeScript: {done.stderr[-300:]}")
    return place


def test_modules_are_type_checked(node: Path) -> None:
    (node / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": OPTIONS, "include": [str(ROOT / "web" / "static" / "**" / "*.mjs")]})
    )
    done = run([node / "node_modules" / ".bin" / "tsc", "-p", node])
    assert done.returncode == 0, done.stdout


def test_the_editor_is_what_its_build_makes(node: Path) -> None:
    done = run(["sh", EDITOR / "build.sh", "--check"])
    assert done.returncode == 0, done.stderr + done.stdout
