"""The license of a project: a setting that descriptions and links state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provrepo.errors import UsageError
from provrepo.repository.repository import Repository
from tests.support.command import Command
from tests.support.serving import opened

URL = "https://spdx.org/licenses/CC-BY-4.0"
WRONG = [
    "CC-BY-4.0",
    "ftp://example.org/license",
    "https://",
    "https://example.org/a b",
    'https://example.org/">',
    "\ud800",
]


def test_it_is_set_changed_and_removed(tmp_path: Path) -> None:
    import provrepo

    with provrepo.open(tmp_path / "data") as repo:
        assert repo.create_project("a", license=URL).license == URL
        assert repo.create_project("b").license == ""
        before = len(repo.entries("b"))
        assert repo.set_project("b", license="").license == ""
        assert len(repo.entries("b")) == before, "nothing was changed"
        assert repo.set_project("b", license=URL).license == URL
        assert repo.set_project("b", title="B").license == URL
        assert repo.set_project("b", license="").license == ""
        assert repo.project("a").to_dict()["license"] == URL


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_web_address_is_refused_and_nothing_is_stored(tmp_path: Path, wrong: str) -> None:
    import provrepo

    with provrepo.open(tmp_path / "data") as repo:
        with pytest.raises(UsageError, match="license"):
            repo.create_project("a", license=wrong)
        repo.init()
        assert repo.projects() == []
        repo.create_project("a")
        with pytest.raises(UsageError, match="license"):
            repo.set_project("a", title="new", license=wrong)
        assert repo.project("a").title == ""


def test_commands(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    assert f"license   {URL}" in command("project", "create", "a", "--license", URL).stdout
    refused = command("project", "set", "a", "--license", "CC-BY-4.0", code=2)
    assert "https://spdx.org/licenses/CC-BY-4.0" in refused.stderr
    shown = json.loads(command("project", "show", "a", "--output", "json").stdout)
    assert shown["license"] == URL
    assert "license" not in command("project", "set", "a", "--license", "").stdout
    assert command("project", "set", "a", "--public", "--dry-run", "--license", URL, code=2).stdout == ""


def test_over_http(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        made = site.client.post("/projects", json={"name": "a", "license": URL}, headers=site.auth("all"))
        assert (made.status_code, made.get_json()["license"]) == (201, URL)
        for wrong in ("CC-BY-4.0", 7):
            refused = site.client.post("/projects", json={"name": "b", "license": wrong}, headers=site.auth("all"))
            assert refused.status_code == 400
            assert "web address" in refused.get_json()["detail"]
        assert "b" not in [info.name for info in Repository(site.store).projects()]
        changed = site.client.patch("/projects/a", json={"license": ""}, headers=site.auth("all"))
        assert (changed.status_code, changed.get_json()["license"]) == (200, "")
