"""A script that queries an endpoint with SPARQLWrapper and rdflib, in their environment, without provrepo.

``python sparql_clients_runner.py ENDPOINT`` prints an object of JSON: for each way of asking what came back, in a form
that does not depend on the format, or the error.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rdflib import PROV, Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, URLENCODED, XML
from SPARQLWrapper import SPARQLWrapper as Client

SELECT = "SELECT ?run ?input WHERE { ?run prov:used ?input }"
ASK = "ASK { ?run prov:used ?input }"
CONSTRUCT = "CONSTRUCT { ?run prov:used ?input } WHERE { ?run prov:used ?input }"
DESCRIBE = "DESCRIBE <http://example.org/raw>"
RUN, RAW = URIRef("http://example.org/run"), URIRef("http://example.org/raw")
PREFIX = "PREFIX prov: <http://www.w3.org/ns/prov#> "
WAYS = ((GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY))


def _rows(got: Any, form: str | None) -> list[list[str]]:
    """The rows of a result in any format that SPARQLWrapper returns."""
    if form == JSON:
        names = got["head"]["vars"]
        return [[row[name]["value"] for name in names] for row in got["results"]["bindings"]]
    if form in (CSV, TSV):
        lines = csv.reader(io.StringIO(got.decode("utf-8")), delimiter="," if form == CSV else "\t")
        return [[cell.strip("<>") for cell in line] for line in lines][1:]
    found = got.getElementsByTagName("result")
    return [[node.firstChild.data for node in row.getElementsByTagName("uri")] for row in found]


def _truth(got: Any, form: str | None) -> bool:
    if form == JSON:
        return bool(got["boolean"])
    return bool(got.getElementsByTagName("boolean")[0].firstChild.data == "true")


def _triples(got: Any, form: str | None) -> list[list[str]]:
    graph = got if isinstance(got, Graph) else Graph().parse(data=got, format="turtle" if form == TURTLE else "n3")
    return sorted([str(term) for term in triple] for triple in graph)


def _wrapped(endpoint: str) -> Iterator[tuple[str, Callable[[], object]]]:
    forms = (
        (SELECT, (None, JSON, XML, CSV, TSV), _rows),
        (ASK, (None, JSON, XML), _truth),
        (CONSTRUCT, (None, RDFXML, N3, TURTLE, JSONLD, XML), _triples),
        (DESCRIBE, (None, RDFXML, N3, TURTLE, JSONLD, XML), _triples),
    )
    for query, formats, read in forms:
        for form in formats:
            for method, sent in WAYS:

                def ask(sent: tuple[str, str] = (method, sent), case: Any = (query, form, read)) -> object:
                    client = Client(endpoint)
                    client.setMethod(sent[0])
                    client.setRequestMethod(sent[1])
                    query, form, read = case
                    if form is not None:
                        client.setReturnFormat(form)
                    client.setQuery(PREFIX + query)
                    return read(client.queryAndConvert(), form)

                yield f"{query.partition(' ')[0]} {form} {method} {sent}", ask


def _stored(endpoint: str) -> Iterator[tuple[str, Callable[[], object]]]:
    for form in ("xml", "json"):
        for method in ("GET", "POST", "POST_FORM"):
            store = SPARQLStore(endpoint, returnFormat=form, method=method)
            for name, ask in _questions(Graph(store), graphs=form == "xml").items():
                yield f"store {form} {method} {name}", ask


def _questions(graph: Graph, graphs: bool) -> dict[str, Callable[[], object]]:
    """Queries on a graph of a store; ``graphs`` states whether the store's format can represent triples."""
    questions: dict[str, Callable[[], object]] = {
        "select": lambda: [[str(cell) for cell in row] for row in graph.query(PREFIX + SELECT)],
        "ask": lambda: graph.query(PREFIX + ASK).askAnswer,
        "walk": lambda: sorted(map(str, graph.objects(RUN, PROV.used))),
        "contains": lambda: (RUN, PROV.used, RAW) in graph,
    }
    if graphs:
        # With "json" rdflib accepts tables only, not RDF.
        questions["construct"] = lambda: _triples(graph.query(PREFIX + CONSTRUCT).graph, None)
    return questions


def main(endpoint: str) -> None:
    found: dict[str, object] = {}
    for way, ask in (*_wrapped(endpoint), *_stored(endpoint)):
        try:
            found[way] = ask()
        except Exception as error:  # noqa: BLE001 (whatever it raises is the result)
            found[way] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
