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


FAKE = """(() => {
  const event = new DragEvent("drop", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { files: FILES } });
  document.getElementById("search").dispatchEvent(event);
  return event.defaultPrevented;
})()"""
SAID = "document.getElementById('search-status')?.textContent ?? ''"


@pytest.mark.browser
def test_a_file_that_was_not_submitted_is_said_to_be_unknown(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    screen.evaluate(DROP.replace("BYTES", json.dumps("nobody sent this")))
    waited(screen, f"location.search.includes('{sha256(b'nobody sent this')}') && document.readyState == 'complete'")
    assert "A file with this checksum was not submitted" in waited(screen, "document.querySelector('main').innerText")


@pytest.mark.browser
def test_a_file_that_is_too_large_is_left_to_a_command(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    large = f'[{{ name: "it\'s large.nc", size: {256 * 1024 * 1024 + 1} }}]'
    assert screen.evaluate(FAKE.replace("FILES", large)) is True
    said = waited(screen, SAID)
    assert "is larger than 256 MB" in said
    assert "sha256sum 'it'\\''s large.nc'" in said
    assert screen.evaluate("location.search") == ""


@pytest.mark.browser
def test_without_a_secure_context_the_command_is_shown(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    screen.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false }) && 1")
    screen.evaluate(DROP.replace("BYTES", json.dumps("x")))
    said = waited(screen, SAID)
    assert "not in a secure context" in said
    assert "sha256sum 'run.provn'" in said
    assert screen.evaluate("location.search") == ""


@pytest.mark.browser
def test_several_files_are_not_looked_up_as_one(shown: tuple[Screen, str, Site]) -> None:
    screen, address, _ = shown
    screen.show(f"{address}/", width=1280)
    assert screen.evaluate(FAKE.replace("FILES", "[new File(['a'], 'a'), new File(['b'], 'b')]")) is True
    assert waited(screen, SAID) == "2 files were dropped. One is looked up at a time."
    assert screen.evaluate("location.search") == ""
    # A text that is dropped goes into the box.
    assert screen.evaluate(FAKE.replace("FILES", "[]")) is False


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
