"""Pictures of pages in the documentation: each has a place, words in its stead, and shows what the page has today."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.browsing import Screen
from tests.support.paths import ROOT
from tests.support.pictures import FOLDER, MOST_BYTES, PICTURES, Picture, exhibited, shot

PLACES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
VISIBLE = """(() => [...document.querySelectorAll(%r)].some(each => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && box.top < innerHeight && box.bottom > 0 && box.left < innerWidth;
}))()"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Screen, str, str]]:
    folder = tmp_path_factory.mktemp("pictures")
    with exhibited(folder / "data", folder / "profile") as (_, screen, address, pending):
        yield screen, address, pending


def used() -> list[tuple[str, str]]:
    """Words and file of each picture in the documentation."""
    return [
        (words, target.rpartition("/")[2])
        for place in PLACES
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", place.read_text("utf-8"))
    ]


def test_each_picture_has_a_place_and_words_in_its_stead() -> None:
    found = used()
    assert {file for _, file in found} == {path.name for path in FOLDER.iterdir()}
    assert {f"{picture.name}.webp" for picture in PICTURES} == {path.name for path in FOLDER.glob("*.webp")}
    assert [(words, file) for words, file in found if len(words) < 30] == []


def test_each_picture_is_small() -> None:
    assert {path.name: path.stat().st_size for path in FOLDER.glob("*.webp") if path.stat().st_size > MOST_BYTES} == {}


@pytest.mark.browser
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_the_page_has(shown: tuple[Screen, str, str], picture: Picture) -> None:
    screen, address, pending = shown
    shot(screen, address, pending, picture)
    missing = [each for each in picture.seen if not screen.evaluate(VISIBLE % each)]
    assert missing == [], "if the page is right, take the pictures again: python -m tests.support.pictures"
