"""The client ``signposting``, in its own environment, finds everything from the address of a document alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python, run

RELATIONS = ("linkset", "cite-as", "type", "author", "license", "item", "describedby")


@pytest.fixture(scope="module")
def client() -> Path:
    try:
        return python("signposting", ["signposting==0.9.9", "setuptools==80.9.0"])
    except NotHere as error:
        pytest.skip(f"signposting cannot be installed: {error}")


@pytest.fixture(scope="module")
def found(client: Path, server: str) -> dict[str, dict[str, dict[str, list[list[str]]]]]:
    """By what is after the address of the document and by source (header, page, linkset): pairs of target and type."""
    ran = run([client, Path(__file__).with_name("signposting_runner.py"), f"{server}/projects/crops/documents/run"])
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, dict[str, dict[str, list[list[str]]]]] = json.loads(ran.stdout)
    return answer


def test_it_reads_the_header_the_page_and_the_linkset(found: dict[str, dict[str, dict[str, list[list[str]]]]]) -> None:
    for below in ("", "/versions/1"):
        signs = found[below]
        assert signs["header"] == signs["page"]
        assert set(signs["header"]) == set(RELATIONS)
        assert {name: signs["linkset"][name] for name in RELATIONS} == signs["header"]
    assert set(found["/original"]["header"]) >= {"collection", "cite-as", "type", "license", "linkset"}
    assert set(found["/metadata"]["header"]) >= {"describes", "license", "linkset"}
    for below in ("/original", "/metadata"):
        header = found[below]["header"]
        assert {name: found[below]["linkset"][name] for name in header} == header


def test_its_targets_answer_with_their_types(client: Path, server: str) -> None:
    address = f"{server}/projects/crops/documents/run"
    printed = run([client, "-m", "signposting", address])
    assert printed.returncode == 0, printed.stderr
    assert "CiteAs: <urn:uuid:" in printed.stdout
    assert f"<{address}/versions/1/original> text/turtle" in printed.stdout
    linkset = run([client, "-m", "signposting", "--linkset", f"{address}/linkset"])
    assert (linkset.returncode, linkset.stderr) == (0, "")
    assert f"Collection: <{address}/versions/1>" in linkset.stdout


def test_what_is_not_there_has_no_signposts(client: Path, server: str) -> None:
    ran = run([client, "-m", "signposting", f"{server}/projects/crops/documents/nothing"])
    assert ran.returncode != 0
    assert "CiteAs" not in ran.stdout
