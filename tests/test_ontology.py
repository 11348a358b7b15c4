"""The repository's own terms: every term that the code uses is defined, labeled and explained."""

from __future__ import annotations

import re
from pathlib import Path

from provrepo import resources
from provrepo.codecs.rdf import codec as rdf
from provrepo.model.identifiers import Literal
from provrepo.vocab import DQV, OWL, PROVREPO, RDF_TYPE, RDFS

KINDS = {*(OWL + kind for kind in ("Class", "ObjectProperty", "DatatypeProperty")), DQV + "Metric"}
PACKAGE = Path(resources.__file__).parent


def defined() -> dict[str, dict[str, list[object]]]:
    terms: dict[str, dict[str, list[object]]] = {}
    for quad in rdf.parse((resources.root() / "ontology" / "provrepo.ttl").read_bytes(), "turtle").quads:
        if quad.subject.startswith(PROVREPO):
            terms.setdefault(quad.subject, {}).setdefault(quad.predicate, []).append(quad.object)
    return terms


def test_every_term_is_explained() -> None:
    for term, properties in defined().items():
        assert properties[RDF_TYPE][0] in KINDS, term
        for predicate in ("label", "comment"):
            (value,) = properties[RDFS + predicate]
            assert isinstance(value, Literal)
            assert value.language == "en", term
        assert properties[RDFS + "isDefinedBy"] == [PROVREPO.removesuffix("#")], term


def test_every_term_that_the_code_names_is_defined() -> None:
    terms = defined()
    for path in sorted(PACKAGE.rglob("*.py")):
        for local in re.findall(r'(?:PROVREPO \+ f?"|\{PROVREPO\})(\w+)', path.read_text("utf-8")):
            assert PROVREPO + local in terms, f"{path.name} names provrepo:{local}"


def test_every_term_that_queries_and_shapes_name_is_defined() -> None:
    terms = defined()
    files = [path for folder in ("queries", "shapes") for path in sorted((resources.root() / folder).rglob("*.*"))]
    named = {
        path: re.findall(r"(?<![\w:/-])provrepo:(\w+)", path.read_text("utf-8")) for path in files if path.is_file()
    }
    assert any(named.values())
    for path, locals_ in named.items():
        for local in locals_:
            assert PROVREPO + local in terms, f"{path.name} names provrepo:{local}"
