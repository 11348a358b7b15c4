"""Hooks of Schemathesis. They run in its environment, so this module imports nothing of provrepo.

They put existing names and valid documents into generated requests, so that these pass the first checks of the server.
They also count answers by operation and status, in the file that ``OPENAPI_COUNTS`` names. Values that violate a schema
are unchanged.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
PROJECTS = ("crops", "crops", "crops", "closed", "closed", "elsewhere")
DOCUMENTS = (
    "run",
    "report",
    "fresh",
    "a",
    "b1",
    "c-2",
    "run",
    "fresh",
    "run.ttl",
    "run.json",
    "run.svg",
    "report.trig",
)
VERSIONS = ("1", "2", "1.ttl", "1.provn", "9")
THING = "http://example.org/"
THINGS = tuple(THING + name for name in ("run", "raw", "clean", "report", "alice", "none"))
QUERIES = (
    "SELECT * { ?s ?p ?o } LIMIT 5",
    "ASK { ?s a prov:Entity }",
    "CONSTRUCT WHERE { ?s a prov:Activity }",
    "DESCRIBE <http://example.org/run>",
    "SELECT ?s { ?s prov:used ?o } ORDER BY ?s",
    "SELECT {",
)
VALUES: dict[str, tuple[Any, ...]] = {
    "iri": THINGS,
    "note": ("a note", "ü"),
    "to": THINGS,
    "graph": (*THINGS, "default"),
    "q": ("run", "cle", "alice raw", "é"),
    "query": QUERIES,
    "nodeId": tuple(f"{kind}:{THING}:{name}" for kind in ("job", "dataset") for name in ("run", "raw")),
    "format": ("json", "turtle", "html", "provn", "csv", "xml", "trig", "provjson", "none"),
    "project": ("crops", "closed", "none"),
    "as_of": ("2026-01-01T00:00:00Z", "2100-01-01T00:00:00+01:00", "crops/1", "never"),
    "base": ("https://base.example/", "http://example.org/x"),
    "profile": ("core", "core", "core", "core", "none"),
    "after": ("run",),  # where it is a number, a text that violates the schema must still do so
    "relation": ("used", "wasDerivedFrom", "none"),
    "timeout": (0.5, 1, 5),
}
"""Meaningful values of parameters."""

MANY = ("profile", "relation")
"""Parameters that may be repeated."""

IDS = ("a", "b", "run", "raw", "clean", "report")
STATEMENTS = (
    "entity(ex:{a})",
    'entity(ex:{a}, [prov:label="{b} ü \\u00e9", ex:n="7" %% xsd:int])',
    "activity(ex:{a}, 2026-01-01T00:00:00Z, 2026-01-02T00:00:00Z)",
    "agent(ex:{a})",
    "used(ex:{a}, ex:{b}, -)",
    "wasGeneratedBy(ex:{a}, ex:{b}, 2026-01-01T00:00:00Z)",
    "wasDerivedFrom(ex:{a}, ex:{b})",
    "wasAssociatedWith(ex:{a}, ex:{b}, -)",
    "specializationOf(ex:{a}, ex:{b})",
    "hadMember(ex:{a}, ex:{b})",
    "bundle ex:{a}\n entity(ex:{b})\nendBundle",
)


def provn(lines: list[tuple[str, str, str]]) -> bytes:
    body = "\n".join(line.replace("{a}", a).replace("{b}", b) for line, a, b in lines)
    return f"document\nprefix ex <{THING}>\n{body}\nendDocument\n".encode()


def turtle(things: list[tuple[str, str]]) -> bytes:
    head = f"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <{THING}> .\n"
    return (head + "".join(f"ex:{a} a prov:Entity ; prov:wasDerivedFrom ex:{b} .\n" for a, b in things)).encode()


def provjson(things: list[tuple[str, str]]) -> bytes:
    entities = {f"ex:{a}": {"prov:label": b} for a, b in things}
    used = {f"_:u{n}": {"prov:activity": f"ex:{a}", "prov:entity": f"ex:{b}"} for n, (a, b) in enumerate(things)}
    return json.dumps({"prefix": {"ex": THING}, "entity": entities, "used": used}).encode()


names = st.sampled_from(IDS) | st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
pairs = st.lists(st.tuples(names, names), min_size=1, max_size=4)
some_provn = st.lists(st.tuples(st.sampled_from(STATEMENTS), names, names), min_size=1, max_size=6).map(provn)
some_turtle, some_json = pairs.map(turtle), pairs.map(provjson)
broken = st.binary(max_size=200) | some_provn.map(lambda data: data[: len(data) // 2])
some_xml = names.map(
    lambda a: (
        f'<p:document xmlns:p="http://www.w3.org/ns/prov#" xmlns:ex="{THING}"><p:entity p:id="ex:{a}"/></p:document>'
    )
)
some_rdfxml = names.map(
    lambda a: (
        '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://www.w3.org/ns/prov#">'
        f'<p:Entity r:about="{THING}{a}"/></r:RDF>'
    )
)
some_triples = pairs.map(
    lambda things: "".join(
        f"<{THING}{a}> <http://www.w3.org/ns/prov#wasDerivedFrom> <{THING}{b}> .\n" for a, b in things
    )
)


def or_broken(good: Any) -> Any:
    """Documents, of which one in five cannot be read."""
    return st.integers(0, 4).flatmap(lambda place: good if place else broken)


BODIES = {
    "text/provenance-notation": or_broken(some_provn),
    "application/provenance+xml": or_broken(some_xml.map(str.encode)),
    "application/ld+json": or_broken(some_json),
    'application/ld+json; profile="http://www.w3.org/ns/prov#"': or_broken(some_json),
    "application/rdf+xml": or_broken(some_rdfxml.map(str.encode)),
    **dict.fromkeys(("text/turtle", "application/trig"), or_broken(some_turtle)),
    **dict.fromkeys(("application/n-triples", "application/n-quads"), or_broken(some_triples.map(str.encode))),
    "application/octet-stream": or_broken(some_provn | some_turtle | some_json),
    "application/sparql-query": st.sampled_from(QUERIES).map(str.encode) | st.binary(max_size=50),
    "text/uri-list": st.lists(st.sampled_from(["https://elsewhere.example/1", "# no", "x"]), max_size=3).map(
        lambda lines: "\r\n".join(lines).encode()
    ),
}
for media_type, strategy in BODIES.items():
    schemathesis.openapi.media_type(media_type, strategy)


def mostly(values: tuple[Any, ...], drawn: Any) -> Any:
    """One of some values, or with a probability of one sixth the generated value."""
    return st.integers(0, 5).flatmap(lambda place: st.sampled_from(values) if place else st.just(drawn))


@schemathesis.hook
def flatmap_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> Any:
    known = {"project": PROJECTS, "document": DOCUMENTS, "version": VERSIONS, "number": ("1", "2", "9")}
    drawn = path_parameters or {}
    kept = {name for name in drawn if name not in known or (name == "project" and not NAME.fullmatch(str(drawn[name])))}
    found = {name: st.just(value) if name in kept else mostly(known[name], value) for name, value in drawn.items()}
    return st.fixed_dictionaries(found) if drawn else st.just(path_parameters)


@schemathesis.hook
def flatmap_query(context: Any, query: dict[str, Any] | None) -> Any:
    """Replace a generated name; values that violate the schema are unchanged."""
    found = {}
    for name, value in (query or {}).items():
        one = value[0] if isinstance(value, list) and value else value
        plain = name in VALUES and isinstance(one, str) and (name != "project" or NAME.fullmatch(one))
        # A string is sent like a list of one element, so where the schema requires a list, it must stay invalid.
        plain = plain and (isinstance(value, list) if name in MANY else True)
        values = tuple([each] for each in VALUES[name]) if plain and one is not value else VALUES.get(name, ())
        found[name] = mostly(values, value) if plain else st.just(value)
    return st.fixed_dictionaries(found) if query else st.just(query)


@schemathesis.hook
def flatmap_headers(context: Any, headers: Any) -> Any:
    """Replace most generated conditions by one that is true for every version, or for none."""
    drawn = headers or {}
    if context.operation.method.upper() != "PUT" and not {"If-Match", "If-None-Match"} & set(drawn):
        return st.just(headers)
    rest = {name: value for name, value in drawn.items() if name not in ("If-Match", "If-None-Match")}
    conditions = ({**rest, "If-Match": "*"}, {**rest, "If-Match": "*"}, {**rest, "If-None-Match": "*"})
    return mostly(conditions, headers)


counts: Counter[str] = Counter()
lock = threading.Lock()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    with lock:
        counts[f"{case.operation.method.upper()} {case.operation.path} {response.status_code}"] += 1


@atexit.register
def _() -> None:
    Path(os.environ["OPENAPI_COUNTS"]).write_text(json.dumps(counts, indent=1, sort_keys=True), "utf-8")
