"""The search box in a browser: suggestions, and the look-up of a file by its SHA-256."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.browsing import Screen, browsing, serving
from tests.support.paths import ROOT
from tests.support.serving import PROVN, Site, opened, sha256

DROP = """(() => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([BYTES], "run.provn"));
  const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  return document.getElementById("search").dispatchEvent(event);
})()"""
TYPE = """(() => {
  const box = document.getElementById("search");
  box.value = "harves";
  return box.dispatchEvent(new InputEvent("input", { bubbles: true }));
})()"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str, Site]]:
    with (
        opened(tmp_path_factory.mktemp("site")) as site,
        browsing(tmp_path_factory.mktemp("profile")) as screen,
        serving(site.app) as address,
    ):
        yield screen, address, site


def waited(screen: Screen, script: str) -> Any:
    """The value of a script once it is truthy."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(AssertionError, KeyError):  # while another page is loaded
            if found := screen.evaluate(script):
                return found
        time.sleep(0.05)
    raise AssertionError(f"never: {script}")


@pytest.mark.browser
def test_a_dropped_file_is_looked_up_by_its_digest(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    screen.evaluate(DROP.replace("BYTES", json.dumps(PROVN.decode())))
    waited(screen, f"location.search.includes('{sha256(PROVN)}') && document.readyState == 'complete'")
    assert "/projects/open/documents/run" in waited(screen, "document.querySelector('main').innerHTML")


@pytest.mark.browser
def test_suggestions_come_while_one_types(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    screen.evaluate(TYPE)
    listed = waited(screen, "[...document.querySelectorAll('#suggestions option')].map(each => each.value).join('|')")
    assert "harvest <b>2025</b>" in listed.split("|")


def test_the_scripts_of_all_pages_are_small() -> None:
    modules = sorted((ROOT / "web" / "static").glob("*.mjs"))
    assert modules
    assert sum(len(gzip.compress(module.read_bytes(), 9)) for module in modules) <= 20 << 10
