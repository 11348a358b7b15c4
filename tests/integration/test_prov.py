"""The Python package prov: it reads what is written here, and what it writes is read here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python
from tests.integration.peers import PROV_FORMATS, Peer, tried
from tests.integration.rules import Rule, instants, values

ALL = ("provn", "provx", "json", "jsonld", "trig")
PACKAGES = ["prov[rdf,xml]==3.2.3"]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    try:
        interpreter = python("prov", PACKAGES)
    except NotHere as error:
        pytest.skip(f"prov cannot be installed: {error}")
    rules = (
        Rule("It writes times as Python's datetime does.", instants, ALL, ALL),
        Rule("It keeps the value of a number or truth value, not its spelling.", values, ALL, ALL),
    )
    command = [interpreter, Path(__file__).with_name("prov_runner.py")]
    return tried("prov", command, rules, tmp_path_factory.mktemp("prov"), (*PROV_FORMATS, "trig"))


def test_every_failure_has_a_reason(peer: Peer) -> None:
    unknown, stale = peer.problems()
    assert (len(unknown), unknown[:20]) == (0, [])
    assert stale == []
