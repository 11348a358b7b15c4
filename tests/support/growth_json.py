"""Sources in JSON formats with many elements of one kind, for ``tests.support.growth``."""

from __future__ import annotations

import json
from collections.abc import Callable

from provrepo.vocab import PROV
from tests.support.growth_documents import EX

__all__ = ["JSON_SOURCES"]


def _json(**parts: object) -> str:
    return json.dumps({"prefix": {"ex": EX}, **parts})


_LD = "https://openprovenance.org/prov-jsonld/context.jsonld"


def _jsonld(graph: list[object], *more: object) -> str:
    return json.dumps({"@context": [{"ex": EX}, *more, _LD], "@graph": graph})


JSON_SOURCES: dict[str, tuple[str, Callable[[int], str]]] = {
    "values in JSON": (
        "provjson",
        lambda n: _json(entity={"ex:e": {"ex:k": [{"$": str(i), "type": "xsd:string"} for i in range(n)]}}),
    ),
    "attributes in JSON": ("provjson", lambda n: _json(entity={"ex:e": {f"ex:k{i}": i for i in range(n)}})),
    "descriptions in JSON": ("provjson", lambda n: _json(entity={"ex:e": [{"ex:k": i} for i in range(n)]})),
    "relations of one key in JSON": (
        "provjson",
        lambda n: _json(used={"_:u": [{"prov:activity": "ex:a", "prov:entity": f"ex:e{i}"} for i in range(n)]}),
    ),
    "members in JSON": (
        "provjson",
        lambda n: _json(hadMember={"_:m": {"prov:collection": "ex:c", "prov:entity": [f"ex:e{i}" for i in range(n)]}}),
    ),
    "unknown keys in JSON": ("provjson", lambda n: _json(**{f"unknown{i}": {} for i in range(n)})),
    "unknown prefixes in JSON": (
        "provjson",
        lambda n: _json(entity={"ex:e": {"a": 1}}, wasUsedBy={f"ex:u{i}": {} for i in range(n)}),
    ),
    "bundles in JSON": (
        "provjson",
        lambda n: _json(bundle={f"ex:b{i}": {"entity": {f"ex:e{i}": {}}} for i in range(n)}),
    ),
    "prefixes of bundles in JSON": (
        "provjson",
        lambda n: _json(
            bundle={
                f"ex:b{i}": {
                    "prefix": {f"p{i % 1_900}": f"http://p{i % 1_900}.example/"},
                    "entity": {f"p{i % 1_900}:e{i}": {}},
                }
                for i in range(n)
            }
        ),
    ),
    "escapes in JSON": (
        "provjson",
        lambda n: '{"prefix":{"ex":"http://example.org/"},"entity":{"ex:e":{"prov:label":"' + "\\u0041" * n + '"}}}',
    ),
    "names that need repair": ("provjson", lambda n: _json(entity={f"ex:e {i}": {} for i in range(n)})),
    "nodes in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld([{"@type": "prov:Entity", "@id": f"ex:e{i}"} for i in range(n)]),
    ),
    "nodes of one name in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld([{"@type": "prov:Entity", "@id": "ex:e", "ex:k": [{"@value": str(i)}]} for i in range(n)]),
    ),
    "values in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld([{"@type": "prov:Entity", "@id": "ex:e", "ex:k": [{"@value": str(i)} for i in range(n)]}]),
    ),
    "attributes in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld(
            [{"@type": "prov:Entity", "@id": "ex:e", **{f"ex:k{i}": [{"@value": "v"}] for i in range(n)}}]
        ),
    ),
    "terms of a context in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld(
            [{"@type": "prov:Entity", "@id": f"t{i}:e"} for i in range(min(n, 1_900))],
            {f"t{i}": f"http://t{i}.example/" for i in range(1_900)},
        ),
    ),
    "contexts in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld([{"@type": "prov:Entity", "@id": "ex:e"}], *({"ex": EX} for _ in range(n))),
    ),
    "bundles in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld(
            [
                {"@type": "prov:Bundle", "@id": f"ex:b{i}", "@graph": [{"@type": "prov:Entity", "@id": "ex:e"}]}
                for i in range(n)
            ]
        ),
    ),
    "contexts of bundles in PROV-JSONLD": (
        "provjsonld",
        lambda n: _jsonld(
            [
                {
                    "@context": [{f"p{i % 1_900}": f"http://p{i % 1_900}.example/"}, _LD],
                    "@type": "prov:Bundle",
                    "@id": f"ex:b{i}",
                    "@graph": [{"@type": "prov:Entity", "@id": f"p{i % 1_900}:e"}],
                }
                for i in range(n)
            ]
        ),
    ),
    "nodes in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX},
                "@graph": [{"@id": f"ex:e{i}", "@type": "prov:Entity"} for i in range(n)],
            }
        ),
    ),
    "nodes of one name in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX},
                "@graph": [{"@id": "ex:e", "@type": "prov:Entity", "ex:k": i} for i in range(n)],
            }
        ),
    ),
    "a list in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX},
                "@id": "ex:e",
                "@type": "prov:Entity",
                "ex:list": {"@list": list(range(n))},
            }
        ),
    ),
    "values in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {"@context": {"prov": PROV, "ex": EX}, "@id": "ex:e", "@type": "prov:Entity", "ex:k": list(range(n))}
        ),
    ),
    "terms in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX, **{f"t{i}": f"ex:t{i}" for i in range(n)}},
                "@id": "ex:e",
                "@type": "prov:Entity",
            }
        ),
    ),
    "terms of terms in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX, "t0": EX, **{f"t{i + 1}": f"t{i}:a" for i in range(n)}},
                "@id": "ex:e",
                "@type": "prov:Entity",
            }
        ),
    ),
    "contexts in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": [{"prov": PROV, "ex": EX}, *({f"t{i}": EX} for i in range(n))],
                "@id": "ex:e",
                "@type": "prov:Entity",
            }
        ),
    ),
    "contexts of nodes in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX},
                "@graph": [{"@context": {f"t{i}": EX}, "@id": f"t{i}:e", "@type": "prov:Entity"} for i in range(n)],
            }
        ),
    ),
    "terms with contexts in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {
                    "prov": PROV,
                    "ex": EX,
                    **{f"t{i}": {"@id": f"ex:t{i}", "@context": {"u": EX}} for i in range(n)},
                },
                "@id": "ex:e",
                "@type": "prov:Entity",
            }
        ),
    ),
    "graphs in JSON-LD": (
        "rdfjsonld",
        lambda n: json.dumps(
            {
                "@context": {"prov": PROV, "ex": EX},
                "@graph": [{"@id": f"ex:g{i}", "@graph": [{"@id": "ex:e", "@type": "prov:Entity"}]} for i in range(n)],
            }
        ),
    ),
    "escapes in JSON-LD": (
        "rdfjsonld",
        lambda n: '{"@context":{"ex":"http://example.org/"},"@id":"ex:e","ex:k":"' + "\\u0041" * n + '"}',
    ),
}
"""The families of sources; see ``tests.support.growth_sources.SOURCES``."""
