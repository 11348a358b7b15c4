"""ProvToolbox: it reads what is written here, and what it writes is read here; both check documents alike."""

from __future__ import annotations

import pytest

from tests.integration.environments import NotHere, java
from tests.integration.peers import Peer, tried
from tests.integration.rules import Rule, instants, unescaped_names, unescaped_strings

ALL = ("provn", "provx", "json", "jsonld")


@pytest.fixture(scope="module")
def command() -> list[str]:
    try:
        return [*java("provtoolbox"), "Provtoolbox"]
    except NotHere as error:
        pytest.skip(f"ProvToolbox cannot be installed: {error}")


@pytest.fixture(scope="module")
def peer(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Peer:
    rules = (
        Rule("It writes times with milliseconds, and with Z where there is no zone.", instants, ALL, ALL),
        Rule("It keeps the backslashes of PROV-N's local names (PROV-N 3.7.1).", unescaped_names, ("provn",), ALL),
        Rule(
            "It keeps the backslashes of PROV-N's strings (PROV-N 3.7.3).",
            unescaped_strings,
            ("provn",),
            ALL,
            ours=False,
        ),
    )
    return tried("provtoolbox", [*command, "convert"], rules, tmp_path_factory.mktemp("provtoolbox"))


def test_every_failure_has_a_reason(peer: Peer) -> None:
    unknown, stale = peer.problems()
    assert (len(unknown), unknown[:20]) == (0, [])
    assert stale == []
