"""The commands ``mirror`` and ``pull``, the schedule of a server, and the page that shows how to use them.

``python -m tests.exchange.test_mirror_commands`` updates the page.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import provrepo
from provrepo.repository.exchange.mirroring.background import start
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from tests.support.command import Command, serving
from tests.support.mirrored import entries
from tests.support.origins import Served, served
from tests.support.paths import ROOT
from tests.support.transcripts import play, rewritten, same

PAGE = ROOT / "docs" / "how-to" / "mirror-a-project.md"
ADDRESS = "https://lab-a.example/"
PREFIXES = b"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <http://example.org/> .\n"
RUN = PREFIXES + b"ex:clean prov:wasGeneratedBy ex:run . ex:run prov:used ex:raw .\n"


def fill(repository: Repository) -> None:
    repository.create_project("crops", public=True)
    repository.submit(RUN, project="crops", name="run")
    repository.submit(RUN + b"#\n", project="crops", name="gone")
    repository.withdraw("crops", "gone", reason="wrong sheet")


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Repository]:
    with provrepo.open(tmp_path / "there") as repository:
        fill(repository)
        yield repository


@pytest.fixture
def origin(there: Repository) -> Iterator[Served]:
    with served(there) as found:
        yield found


@pytest.mark.slow(one_in=2)
def test_the_page_shows_real_output(tmp_path: Path) -> None:
    compared = 0
    with provrepo.open(tmp_path / "lab-a") as repository:
        fill(repository)
    with serving(tmp_path / "lab-a") as url:
        page = PAGE.read_text("utf-8").replace(ADDRESS, f"{url}/")
        for step, printed in play(page, tmp_path):
            if step.printed is not None:
                assert same(step.printed, printed), f"$ {step.command}\n{printed}"
                compared += 1
    assert compared == 6


def test_the_commands_say_what_they_did(there: Repository, origin: Served, tmp_path: Path) -> None:
    here = Command(tmp_path / "here")
    made = here.json("mirror", origin.project(), "--name", "lab-a")
    assert (made["name"], made["origin"], made["sequence"], made["state"]) == ("lab-a", origin.project(), 4, "current")
    there.submit(RUN + b"##\n", project="crops", name="later")
    assert [one["sequence"] for one in here.json("pull")["mirrors"]] == [5]
    assert here("pull", "lab-a").stdout.startswith(f"lab-a: mirror of {origin.project()}, up to entry 5, current")
    assert "lab-a: mirror of" in here("project", "list").output
    assert here.json("project", "show", "lab-a")["mirror"]["sequence"] == 5
    assert "mirror of" in here.error("withdraw", "lab-a/run", "--reason", "no", code=1)
    assert "'x'" in here.error("mirror", "x", code=2)
    assert "--end" in here.error("mirror", code=2)
    assert "no mirror 'nothing'" in here.error("pull", "nothing", code=1)
    assert here.json("mirror", "--end", "lab-a")["state"] == "ended"
    assert here.json("pull") == {"mirrors": [], "failed": []}


def test_one_origin_that_fails_does_not_stop_the_others(there: Repository, origin: Served, tmp_path: Path) -> None:
    there.create_project("soil", public=True)
    here = Command(tmp_path / "here")
    for name in ("crops", "soil"):
        here("mirror", origin.project(name))
    there.set_project("crops", public=False)
    there.set_project("soil", title="Soil")
    found = here.json("pull", code=1)
    assert [one["name"] for one in found["mirrors"]] == ["soil"]
    assert [one["name"] for one in found["failed"]] == ["crops"]
    assert here.json("project", "show", "soil")["title"] == "Soil"


def test_changes_of_a_mirror_are_audited_with_the_names_of_its_origin(
    there: Repository, origin: Served, tmp_path: Path
) -> None:
    here = Command(tmp_path / "here")
    here("mirror", origin.project())
    events = here.json("audit", "crops")["events"]
    assert [event["action"] for event in events] == ["settings", "submit", "submit", "withdraw"]
    assert {event["name"] for event in events} == {there.actor.name}


def test_a_server_follows_and_stops_at_an_origin_that_was_reset(
    there: Repository, origin: Served, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path / "here", pull_every=1, workers=1)
    with Store.open(settings) as store:
        here = Repository(store)
        here.mirror(origin.project())
        start(store)
        there.submit(RUN + b"##\n", project="crops", name="later")
        until(lambda: entries(here, "crops") == entries(there))
        store.parts.mirroring.change("crops", actor="", setup="00000000-0000-4000-8000-000000000000")
        until(lambda: here.mirrors()[0].state == "reset")
        asked = len(origin.requests)
        time.sleep(2.5)
        assert len(origin.requests) <= asked + 2  # a pull that had begun
        assert here.pull("crops", after_reset=True).state == "current"


def test_a_server_with_no_interval_asks_nobody(there: Repository, origin: Served, tmp_path: Path) -> None:
    with Store.open(Settings(data=tmp_path / "here", pull_every=0, workers=1)) as store:
        Repository(store).mirror(origin.project())
        origin.requests.clear()
        start(store)
        time.sleep(0.5)
    assert origin.requests == []


def until(condition: object) -> None:
    """Wait for a condition; fail after a minute."""
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        with provrepo.open(Path(folder) / "lab-a") as made:
            fill(made)
        with serving(Path(folder) / "lab-a") as server:
            text = PAGE.read_text("utf-8").replace(ADDRESS, f"{server}/")
            PAGE.write_text(rewritten(text, Path(folder)).replace(f"{server}/", ADDRESS), "utf-8")
