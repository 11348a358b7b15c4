"""Journeys over the pages in a browser, driven by Playwright in its own environment, in light and dark."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.environments import NotHere, python, run
from tests.support.command import Command, serving

pytestmark = pytest.mark.browser
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The address of a server with a project that asks for the profile core, and a token for it."""
    command = Command(tmp_path_factory.mktemp("journeys") / "data")
    command("project", "create", "crops", "--public", "--profile", "core")
    token = str(command("token", "create", "ada").stdout).split()[0]
    with serving(command.data, PROVREPO_RATE_CHECK="0") as url:
        yield url, token


@pytest.fixture(scope="module")
def seen(served: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    try:
        client = python("journeys", ["playwright==1.65.2", "axe-core-python==0.1.0"])
    except NotHere as error:
        pytest.skip(f"Playwright cannot be installed: {error}")
    pictures = tmp_path_factory.mktemp("pictures")
    ran = run([client, Path(__file__).with_name("journeys_runner.py"), *served, chromium, pictures])
    assert ran.returncode == 0, ran.stderr
    assert len(list(pictures.glob("*.png"))) >= 40
    found: dict[str, dict[str, Any]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_journeys_end_where_they_should(seen: dict[str, dict[str, Any]], scheme: str) -> None:
    shown = seen[scheme]["shown"]
    assert shown["line"].startswith("activity(ex:run")
    assert shown["clicks"] == 2
    assert shown["label"]
    assert shown["digest"]
    assert shown["upstream"]
    assert shown["downstream"]
    assert shown["export"]
    assert shown["charted"]
    assert shown["shared"]
    assert shown["csv"]
    assert f"ex:in{scheme}" in shown["diff"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_violates_axe_policy_or_width(seen: dict[str, dict[str, Any]], scheme: str) -> None:
    found = seen[scheme]
    assert found["axe"] == {}
    assert found["console"] == []
    assert found["outside"] == []
    assert found["wide"] == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_has_a_character_that_turns_its_neighbors(seen: dict[str, dict[str, Any]], scheme: str) -> None:
    assert seen[scheme]["bidi"] == 0


def test_firefox_renders_the_pages(served: tuple[str, str], tmp_path: Path) -> None:
    firefox = shutil.which("firefox-esr")
    if firefox is None:
        pytest.skip("no firefox-esr on this machine")
    for name, path in (("submit", "/submit"), ("project", "/projects/crops"), ("home", "/")):
        picture = tmp_path / f"{name}.png"
        command = [firefox, "--headless", "--profile", str(tmp_path), f"--screenshot={picture}", served[0] + path]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        assert picture.stat().st_size > 5000
