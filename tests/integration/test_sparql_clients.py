"""SPARQLWrapper and rdflib, each in its own environment, query a running server with each of their methods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python, run

RUN, USED, RAW = "http://example.org/run", "http://www.w3.org/ns/prov#used", "http://example.org/raw"
RDF_TYPE, ENTITY = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "http://www.w3.org/ns/prov#Entity"
EXPECTED: dict[str, object] = {
    "SELECT": [[RUN, RAW]],
    "ASK": True,
    "CONSTRUCT": [[RUN, USED, RAW]],
    "DESCRIBE": [[RAW, RDF_TYPE, ENTITY]],
    "select": [[RUN, RAW]],
    "ask": True,
    "construct": [[RUN, USED, RAW]],
    "walk": [RAW],
    "contains": True,
}


@pytest.fixture(scope="module")
def answers(server: str) -> dict[str, object]:
    try:
        interpreter = python("sparql_clients", ["SPARQLWrapper==2.0.0", "rdflib==7.6.0"])
    except NotHere as error:
        pytest.skip(f"SPARQLWrapper cannot be installed: {error}")
    ran = run([interpreter, Path(__file__).with_name("sparql_clients_runner.py"), f"{server}/projects/crops/sparql"])
    assert ran.returncode == 0, ran.stderr
    answers: dict[str, object] = json.loads(ran.stdout)
    return answers


@pytest.mark.parametrize("client", ["SPARQLWrapper", "rdflib"])
def test_every_way_of_asking_gives_the_answer(answers: dict[str, object], client: str) -> None:
    """The first word of a case is the form of SPARQLWrapper's query, the last one the operation of rdflib's store."""
    wanted = {
        way: EXPECTED[way.split()[0 if client == "SPARQLWrapper" else -1]]
        for way in answers
        if way.startswith("store") == (client == "rdflib")
    }
    assert len(wanted) >= 27
    assert {way: answers[way] for way in wanted if answers[way] != wanted[way]} == {}
