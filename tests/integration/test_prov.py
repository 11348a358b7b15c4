"""The Python package prov: it reads our files, and we read its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python
from tests.integration.peers import PROV_FORMATS, Peer, tried
from tests.integration.rules import Rule, instants, values

ALL = ("provn", "provx", "json", "jsonld", "trig")
PACKAGES = ["prov[rdf,xml]==3.2.3"]


def prov(work: Path) -> Peer:
    """The outcomes of prov for all documents.

    Args:
        work: an empty folder.

    Raises:
        NotHere: it cannot be installed.
    """
    rules = (
        Rule("It writes times as Python's datetime does.", instants, ALL, ALL),
        Rule("It keeps the value of a number or truth value, not its spelling.", values, ALL, ALL),
    )
    command = [python("prov", PACKAGES), Path(__file__).with_name("prov_runner.py")]
    return tried("prov", command, rules, work, (*PROV_FORMATS, "trig"))


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    try:
        return prov(tmp_path_factory.mktemp("prov"))
    except NotHere as error:
        pytest.skip(f"prov cannot be installed: {error}")


def test_every_failure_has_a_reason(peer: Peer) -> None:
    unknown, stale = peer.problems()
    assert (len(unknown), unknown[:20]) == (0, [])
    assert stale == []
