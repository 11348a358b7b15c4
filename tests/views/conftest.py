"""Fixtures for tests of the quads view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.store import Quads


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Quads]:
    """An empty view."""
    opened = Quads(tmp_path / "view", base=BASE)
    yield opened
    opened.close()


@pytest.fixture
def stream(tmp_path: Path) -> ChangeStream:
    """Changes of one project."""
    return ChangeStream(tmp_path)
