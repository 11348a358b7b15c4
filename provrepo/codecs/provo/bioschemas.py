"""The newest IRI of each term of Bioschemas. The terms have another IRI in each of RO-Crate 1.1, 1.2 and 1.3.

The triples of a crate keep the IRIs of its version of the context. ``completion`` adds the newest IRI, so that queries
find it in crates of all versions. ``ontology/contexts/bioschemas.json`` is the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from provrepo.codecs.provo.terms import TYPE
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.resources import root

__all__ = ["moved", "renamed"]


@cache
def moved() -> Mapping[str, Identifier]:
    """Former IRI → newest IRI."""
    table = json.loads((root() / "ontology" / "contexts" / "bioschemas.json").read_bytes())["versions"]
    *former, newest = table.values()
    return {iri: Identifier(newest[term]) for terms in former for term, iri in terms.items() if iri != newest[term]}


def renamed(quads: Iterable[Quad]) -> Iterator[Quad]:
    """The quads with a former IRI as their property or type, with the newest IRI instead."""
    newest = moved()
    for quad in quads:
        if quad.predicate in newest:
            yield quad._replace(predicate=newest[quad.predicate])
        elif quad.predicate == TYPE and isinstance(quad.object, Identifier) and quad.object in newest:
            yield quad._replace(object=newest[quad.object])
