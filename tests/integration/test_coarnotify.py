"""coarnotify, in its own environment, sends notices to our inbox, and reads and validates those that we send."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.repository.exchange.notices import tables
from tests.conftest import PROVJSON
from tests.exchange.notices.notices import peer, receive, withdrawal
from tests.integration.environments import NotHere, python
from tests.support.command import serving
from tests.support.lying import lying, response

BASE, PEER = "https://lab-a.example/", "https://lab-b.example/"


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return python("coarnotify", ["coarnotify==1.0.1.4"])
    except NotHere as error:
        pytest.skip(f"coarnotify cannot be installed: {error}")


def ours(data: Path) -> list[str]:
    """The notices that a repository with a base IRI sends: one of each event, and acknowledgments.

    The peer has derived something from version 2, and so is told of its withdrawal, too.
    """
    with provrepo.open(data) as owner, lying(response("201 Created")) as server:
        owner.init(BASE)
        owner.create_project("crops")
        owner.submit(PROVJSON, project="crops", name="run")
        owner.add_holder("crops", url=server.url + "inbox")
        owner.submit(PROVJSON.replace(b"raw", b"row"), project="crops", name="run", update=True, note="a typo")
        owner.erase("crops", "run", 1, reason="a person asked")
        owner.withdraw("crops", "run", reason='wrong unit, with a quotation mark " and \N{GREEK SMALL LETTER MU}')
        lab, _ = peer(owner, "lab-b", server.url)
        receive(lab, withdrawal(origin=PEER))
        receive(lab, withdrawal(about="derived", sequence=0, origin=PEER))
        owner.send_notices()
        return [request.partition(b"\r\n\r\n")[2].decode() for request in server.requests]


def test_both_understand_each_other(interpreter: Path, tmp_path: Path) -> None:
    notices = ours(tmp_path / "lab-a")
    assert len(notices) == 6
    with provrepo.open(tmp_path / "data") as owner:
        owner.create_project("crops", public=True)
        owner.submit(PROVJSON, project="crops", name="run")
    with serving(tmp_path / "data") as server:
        ran = subprocess.run(
            [interpreter, Path(__file__).with_name("coarnotify_runner.py")],
            input=json.dumps({"inbox": f"{server}/inbox", "notices": notices}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["sent"] == {"relationship": "accepted", "review": "accepted"}
    with provrepo.open(tmp_path / "data") as owner:
        kept = tables.incoming(owner.context.store).listed()
    assert [one.about for one in kept] == ["derived", ""]
    assert kept[0].proof == "", "nobody has proven to have sent it"
    assert found["received"] == 6
    read = found["read"]
    assert {(one["pattern"], one["valid"], one["origin"]) for one in read} == {("AnnounceRelationship", True, BASE)}
    there = f"{BASE}projects/crops/documents/run"
    stated = {one["relationship"].rpartition("#")[2]: (one["subject"], one["object"]) for one in read}
    assert stated["correctionOf"] == (f"{there}/versions/2", f"{there}/versions/1")
    assert stated["erasureOf"] == (there, f"{there}/versions/1")
    answers = [one for one in read if one["answers"]]
    assert [one["relationship"].rpartition("#")[2] for one in answers] == ["withdrawalOf", "wasDerivedFrom"]
    assert all(one["context"] == one["object"] for one in read)
