"""The two stories about lineage show the output of their commands, and the pictures that these draw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.extras import needs_examples
from tests.support.paths import ROOT
from tests.support.sampling import sample
from tests.support.transcripts import play, same

DOCS = ROOT / "docs"
STORIES = {"find-a-root-cause.md": "cause.svg", "assess-an-impact.md": "impact.svg"}
"""Each story with the picture that it draws."""


def drawn(picture: Path) -> list[str]:
    """The text of a picture, with equal digests: those of a model differ between releases."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text("utf-8"))
    return sorted(re.sub(r"sha-256 .*", "content", text) for text in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", sample(STORIES, 1))
def test_the_story_shows_real_output(name: str, tmp_path: Path) -> None:
    needs_examples()
    compared = 0
    for step, printed in play((DOCS / "how-to" / name).read_text("utf-8"), tmp_path):
        if step.printed is not None:
            assert same(step.printed, printed), f"$ {step.command}\n{printed}"
            compared += 1
    assert compared >= 8
    assert drawn(tmp_path / "digits" / STORIES[name]) == drawn(DOCS / "pictures" / STORIES[name])


@pytest.mark.parametrize("name", STORIES)
def test_the_stories_use_every_form_of_query(name: str) -> None:
    """Both together show search, paths, common causes, groups and former states."""
    text = "".join((DOCS / "how-to" / story).read_text("utf-8") for story in STORIES)
    for way in ("provrepo search", "--to ", "--common ", "--impact", "--as-of ", "--direction downstream"):
        assert f"{way}" in text
    assert f"../pictures/{STORIES[name]}" in (DOCS / "how-to" / name).read_text("utf-8")


def test_pictures_of_the_documentation_are_small_and_shown() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "README.md", *DOCS.rglob("*.md")))
    for picture in (DOCS / "pictures").iterdir():
        assert picture.stat().st_size < (60_000 if picture.suffix == ".webp" else 40_000)
        assert f"pictures/{picture.name})" in pages
