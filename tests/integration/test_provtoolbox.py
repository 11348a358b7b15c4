"""ProvToolbox: it reads our files, we read its files, and both give the same verdicts by PROV-CONSTRAINTS."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

import provrepo
from tests.integration.environments import ROOT, NotHere, java, run
from tests.integration.peers import Peer, tried
from tests.integration.rules import Rule, instants, no_blanks, no_members, once, plain_attributes, unescaped_strings
from tests.support.corpus import corpus

ALL = ("provn", "provx", "json", "jsonld")


def provtoolbox(work: Path) -> Peer:
    """The outcomes of ProvToolbox for all documents.

    Args:
        work: an empty folder.

    Raises:
        NotHere: it cannot be installed.
    """
    rules = (
        Rule("It writes times with milliseconds, and with Z where there is no zone.", instants, ALL, ALL),
        Rule("It keeps the backslashes of strings (PROV-N 3.7.3).", unescaped_strings, ("provn",), ALL, ours=False),
        Rule(
            "It escapes the names of attributes in XML in its own way, which is undone only where a whole file has it.",
            plain_attributes,
            ("provn", "provx"),
            ("provx",),
        ),
        Rule("Its reader of XML leaves out text that is white space alone.", no_blanks, ("provx",), ALL),
        Rule(
            "It finds the members of a collection in XML only one element deeper than the schema has them.",
            no_members,
            ("provx",),
            ALL,
        ),
        Rule(
            "It writes one JSON object for each element: of several descriptions the last one is kept.",
            once,
            ("provn",),
            ("json",),
        ),
    )
    return tried("provtoolbox", [*java("provtoolbox"), "Provtoolbox", "convert"], rules, work)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Peer:
    try:
        return provtoolbox(tmp_path_factory.mktemp("provtoolbox"))
    except NotHere as error:
        pytest.skip(f"ProvToolbox cannot be installed: {error}")


@pytest.fixture(scope="module")
def command() -> list[str]:
    try:
        return [*java("provtoolbox"), "Provtoolbox"]
    except NotHere as error:
        pytest.skip(f"ProvToolbox cannot be installed: {error}")


def test_every_failure_has_a_reason(peer: Peer) -> None:
    unknown, stale = peer.problems()
    assert (len(unknown), unknown[:20]) == (0, [])
    assert stale == []


def _verdicts(command: list[str], folder: Path) -> dict[str, str]:
    """Its verdict on each document of a folder: ``valid``, ``invalid``, or the error."""
    ran = run([*command, "validate", folder])
    assert ran.returncode == 0, ran.stderr
    found = {}
    for line in ran.stdout.splitlines():
        file, step, outcome, message = line.split("\t")
        if outcome == "error":
            found[file] = message
        elif step == "validate":
            found[file] = "valid" if message == "valid" else "invalid"
    return found


def _ours(file: Path) -> str:
    report = provrepo.validate(provrepo.read(file), constraints="gate")
    return "valid" if report.conforms else "invalid"


def test_both_decide_alike_on_documents_about_one_rule_each(command: list[str]) -> None:
    folder = ROOT / "tests" / "constraints"
    theirs = _verdicts(command, folder)
    assert len(theirs) == len(list(folder.glob("*.provn")))
    rows = tomllib.loads((Path(__file__).parent / "known" / "verdicts.toml").read_text("utf-8"))["known"]
    differing = {name.removesuffix(".provn") for name, verdict in theirs.items() if verdict != _ours(folder / name)}
    known = {name for name in differing if any(re.fullmatch(row["files"], name) for row in rows)}
    assert differing - known == set()
    always = [row for row in rows if not row.get("sometimes")]
    assert [row for row in always if not any(re.fullmatch(row["files"], name) for name in known)] == []


def test_both_decide_alike_on_the_test_cases_of_the_recommendation(command: list[str], tmp_path: Path) -> None:
    folder = corpus("prov-constraints")
    for file in folder.glob("*.provn"):
        shutil.copy(file, tmp_path)
    theirs = _verdicts(command, tmp_path)
    assert len(theirs) > 90
    assert {name: verdict for name, verdict in theirs.items() if verdict != _ours(folder / name)} == {}
