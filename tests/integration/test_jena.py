"""Jena reads our RDF as the same quads, and its client queries a running server."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph
import pytest

from tests.integration.documents import documents
from tests.integration.environments import NotHere, java, run

RUN, USED, RAW = "http://example.org/run", "http://www.w3.org/ns/prov#used", "http://example.org/raw"
FORMATS = {
    "turtle": "ttl",
    "trig": "trig",
    "ntriples": "nt",
    "nquads": "nq",
    "rdfxml": "rdf",
    "rdfjsonld": "rdf.jsonld",
}
NUMBER = 200
NO_UUID = (b"urn:uuid:", b"tag:example.org,2026:")
"""Jena refuses ``urn:uuid:`` names that are not UUIDs, in RDF/XML only; the documents have such names."""
EXPECTED = {
    "select": f"{RUN} {RAW}",
    "ask": "true",
    "construct": f"{RUN} {USED} {RAW}",
    "describe": f"{RAW} http://www.w3.org/1999/02/22-rdf-syntax-ns#type http://www.w3.org/ns/prov#Entity",
    "default graph": "true",
}


@pytest.fixture(scope="module")
def command() -> list[str]:
    try:
        return [*java("jena"), "Jena"]
    except NotHere as error:
        pytest.skip(f"Jena cannot be installed: {error}")


@pytest.fixture(scope="module")
def answers(command: list[str], server: str) -> dict[str, str]:
    project = f"{server}/projects/crops"
    ran = run([*command, "ask", f"{project}/sparql", f"{project}/graphs"])
    assert ran.returncode == 0, ran.stderr
    return dict(line.split("\t") for line in ran.stdout.splitlines())


def _canonical(data: bytes) -> pyoxigraph.Dataset:
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(data, pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


@pytest.mark.parametrize("name", FORMATS)
def test_it_reads_the_same_quads(command: list[str], name: str, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    expected = {}
    for number, document in enumerate(documents(NUMBER)):
        if document.losses(name):  # bundles, and properties that RDF/XML has no name for
            continue
        file = ours / f"{number:03}.{FORMATS[name]}"
        file.write_bytes(document.write(name).replace(*NO_UUID))
        expected[file.name] = document.write("nquads").replace(*NO_UUID)
    assert len(expected) > NUMBER / 2
    ran = run([*command, "read", ours, theirs])
    assert ran.returncode == 0, ran.stderr
    answers = dict(line.split("\t") for line in ran.stdout.splitlines())
    assert {file: answers.get(file) for file in expected if answers.get(file) != "ok"} == {}
    differing = [
        file
        for file, quads in expected.items()
        if _canonical(quads) != _canonical((theirs / f"{file}.nq").read_bytes())
    ]
    assert differing == []


@pytest.mark.parametrize("question", EXPECTED)
def test_the_answer(answers: dict[str, str], question: str) -> None:
    assert answers[question] == EXPECTED[question]


def test_a_refusal_is_shown_with_its_reason(answers: dict[str, str]) -> None:
    assert answers["refused"].startswith("QueryExceptionHTTP: "), answers["refused"]
