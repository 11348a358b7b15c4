"""What the hooks of all tools have in common."""

from __future__ import annotations

import subprocess
import sys

import pytest

from provrepo.hooks.runs import local_path


@pytest.mark.parametrize("tool", ["kedro", "luigi", "prefect"])
def test_without_the_tool_the_error_names_the_command(tool: str) -> None:
    code = f"import sys; sys.modules['{tool}'] = None; import provrepo.hooks.{tool}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1] == (
        f"ImportError: {tool.title()} is not installed in this environment, and provrepo.hooks.{tool} is for its runs: "
        f"pip install {tool}"
    )


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/srv/a b.csv", "/srv/a b.csv"), ("file:///srv/a%20b.csv", "/srv/a b.csv"), ("s3://lab/a.csv", None),
        (None, None), (7, None),
    ],
)  # fmt: skip
def test_the_path_of_a_location(location: object, path: str | None) -> None:
    assert local_path(location) == path
