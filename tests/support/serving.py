"""A small repository with the application, for tests of the server: a public and a private project, four callers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.contract import Checked

PROVN = b"""document
  prefix ex <https://example.org/>
  entity(ex:table, [prov:label="harvest <b>2025</b>"])
  activity(ex:run, 2025-03-01T10:00:00Z, 2025-03-01T10:05:00Z)
  agent(ex:ada, [prov:type='prov:Person'])
  wasGeneratedBy(ex:table, ex:run, 2025-03-01T10:04:00Z)
  used(ex:run, ex:raw, -)
  entity(ex:raw)
  wasAssociatedWith(ex:run, ex:ada, -)
endDocument
"""
LATER = PROVN.replace(b"endDocument", b"  wasDerivedFrom(ex:table, ex:raw)\nendDocument")
HOSTILE = rb"""document
  prefix ex <https://example.org/>
  entity(ex:x, [prov:label="<script>alert(1)</script>", ex:note="\"><img src=x onerror=alert(2)>"])
endDocument
"""
PROVN_TYPE = "text/provenance-notation"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
MAX_BODY = 200_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Site:
    store: Store
    owner: Repository
    app: Flask
    client: FlaskClient
    tokens: dict[str, str]

    def auth(self, who: str) -> dict[str, str]:
        """The headers of a caller: ``all``, ``open`` (this project only) or ``reader``; empty for anonymous."""
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}

    def submit(self, name: str, data: bytes = PROVN, project: str = "open") -> str:
        """Store a document; returns its path."""
        self.owner.submit(data, project=project, name=name, update=True, format="provn", again=True)
        return f"/projects/{project}/documents/{name}"


@contextmanager
def opened(data: Path) -> Iterator[Site]:
    """A new repository in a folder that does not exist yet."""
    with reopened(data) as site:
        owner = site.owner
        owner.create_project("open", public=True, title="Open crops")
        owner.create_project("secret", title="Hidden")
        site.tokens |= {
            "all": owner.create_token("ada")[0],
            "open": owner.create_token("bob", projects=["open"])[0],
            "reader": owner.create_token("eve", write=False)[0],
        }
        site.submit("run")
        site.submit("run", project="secret")
        site.submit("twice")
        site.submit("twice", LATER)
        site.submit("gone")
        owner.withdraw("open", "gone", reason="wrong <i>unit</i>")
        yield site


@contextmanager
def reopened(data: Path, tokens: dict[str, str] | None = None) -> Iterator[Site]:
    """The repository in a folder, and its tokens, of which it stores hashes only."""
    settings = Settings(data=data, max_body=MAX_BODY, workers=1, threads=4)
    with Store.open(settings) as store:
        app = create_app(store)
        app.test_client_class = Checked
        yield Site(store, Repository(store, store.owner()), app, app.test_client(), dict(tokens or {}))


Made = tuple[Path, dict[str, str]]
"""The folder of a repository that ``opened`` made, which is closed, and its tokens."""


def made(data: Path) -> Made:
    """Make a repository of which tests take copies: that is faster than to make one for each."""
    with opened(data) as site:
        return data, site.tokens


@contextmanager
def copied(source: Made, data: Path) -> Iterator[Site]:
    """A copy of a repository in a folder that does not exist yet."""
    shutil.copytree(source[0], data)
    with reopened(data, source[1]) as site:
        yield site
