"""RDF4J's SPARQL repository queries a running server."""

from __future__ import annotations

import pytest

from tests.integration.environments import NotHere, java, run

RUN, USED, RAW = "http://example.org/run", "http://www.w3.org/ns/prov#used", "http://example.org/raw"
EXPECTED = {
    "select": f"{RUN} {RAW}",
    "bound": f"[{RAW}]",
    "long": "1",
    "ask": "true",
    "construct": f"{RUN} {USED} {RAW}",
    "describe": f"{RAW} http://www.w3.org/1999/02/22-rdf-syntax-ns#type http://www.w3.org/ns/prov#Entity",
    "statements": f"{RUN} {USED} {RAW}",
    "contains": "true",
    "graphs": "true",
}


@pytest.fixture(scope="module")
def answers(server: str) -> dict[str, str]:
    try:
        command = java("rdf4j")
    except NotHere as error:
        pytest.skip(f"RDF4J cannot be installed: {error}")
    ran = run([*command, "Rdf4j", f"{server}/projects/crops/sparql"])
    assert ran.returncode == 0, ran.stderr
    return dict(line.split("\t") for line in ran.stdout.splitlines())


@pytest.mark.parametrize("question", EXPECTED)
def test_the_answer(answers: dict[str, str], question: str) -> None:
    assert answers[question] == EXPECTED[question]


def test_an_error_in_a_query_is_shown_with_its_place(answers: dict[str, str]) -> None:
    assert answers["not a query"].startswith("QueryEvaluationException: "), answers["not a query"]
    assert "line 1, column 16" in answers["not a query"]
