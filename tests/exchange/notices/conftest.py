"""Fixtures: copies of repositories that are made once, since submissions start worker processes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.conftest import PROVJSON, TURTLE
from tests.exchange.notices.notices import peer
from tests.support.serving import Site, opened


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory: a project with a document of two versions, and one of one version."""
    data = tmp_path_factory.mktemp("notices") / "data"
    with provrepo.open(data) as repository:
        repository.create_project("crops")
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, project="crops", name="run", update=True, note="a better unit")
        repository.submit(PROVJSON, project="crops", name="other")
    return data


@pytest.fixture
def owner(crops: Path, tmp_path: Path) -> Iterator[Repository]:
    """The owner of a copy of ``crops``."""
    shutil.copytree(crops, tmp_path / "data")
    with provrepo.open(tmp_path / "data") as repository:
        yield repository


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The data directory of a ``Site`` with the peer lab-a, and its tokens."""
    data = tmp_path_factory.mktemp("notices") / "served"
    with opened(data) as site:
        _, site.tokens["lab-a"] = peer(site.owner)
        return data, site.tokens


@pytest.fixture
def site(served: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Site]:
    """A copy of that site."""
    data, tokens = served
    shutil.copytree(data, tmp_path / "data")
    with Store.open(Settings(data=tmp_path / "data", workers=1, threads=4)) as store:
        app = create_app(store)
        yield Site(store, Repository(store), app, app.test_client(), dict(tokens))
