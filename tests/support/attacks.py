"""Queries that are designed to block, crash or fill a server, or to make it send requests, with accepted statuses."""

from __future__ import annotations

__all__ = ["ATTACKS", "EITHER", "GROUPS"]

REFUSED, STOPPED, TOO_LARGE, ANSWERED = {400}, {503}, {422}, {200}
EITHER = {200, 400, 422, 503}


def _star(arms: int) -> str:
    return "SELECT * { " + " . ".join(f"?s ?p{n} ?o{n}" for n in range(arms)) + " }"


def _cartesian(factors: int) -> str:
    return " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(factors))


def _doubling(times: int) -> str:
    steps = " ".join(f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(times))
    return f"SELECT (STRLEN(?v{times}) AS ?n) {{ BIND('xxxxxxxxxxxxxxxx' AS ?v0) {steps} }}"


GROUPS: dict[str, dict[str, tuple[str, set[int]]]] = {
    # Nesting, which overflows the stack of a recursive parser.
    "nesting": {
        "exists": ("ASK {" + "FILTER EXISTS {" * 1000 + "}" * 1001, REFUSED),
        "not exists": ("ASK {" + "FILTER NOT EXISTS {" * 70 + "}" * 71, REFUSED),
        "groups": ("ASK " + "{" * 3000 + "}" * 3000, REFUSED),
        "groups that do not end": ("ASK " + "{" * 30_000, REFUSED),
        "parentheses": ("ASK { FILTER(" + "(" * 5000 + "1" + ")" * 5000 + ") }", REFUSED),
        "brackets": ("ASK { ?s ?p " + "[ ?p " * 3000 + "1" + "]" * 3000 + " }", REFUSED),
        "collections": ("ASK { ?s ?p " + "(" * 3000 + ")" * 3000 + " }", REFUSED),
        "subqueries": ("SELECT * {" + "{ SELECT * {" * 500 + "}}" * 500 + "}", REFUSED),
        "optional": ("ASK {" + "OPTIONAL {" * 200 + "}" * 201, REFUSED),
        "functions": ("ASK { FILTER(" + "STR(" * 2000 + "1" + ")" * 2000 + ") }", REFUSED),
        "triple terms": ("ASK { ?s ?p " + "<<( ?s ?p " * 500 + "1" + ")>>" * 500 + " }", REFUSED),
        "paths in parentheses": ("ASK { ?s " + "(" * 2000 + "prov:used" + ")*" * 2000 + " ?o }", REFUSED),
        "at the depth that is allowed": ("ASK {" + "FILTER EXISTS {" * 60 + "}" * 61, ANSWERED),
    },
    # Chains, in which each operator adds a level.
    "chains": {
        "not": ("ASK { FILTER(" + "!" * 20_000 + "true) }", REFUSED),
        "plus": ("ASK { FILTER(1" + "+1" * 20_000 + " > 0) }", REFUSED),
        "or": ("ASK { FILTER(" + "||".join(["true"] * 10_000) + ") }", REFUSED),
        "unions": ("ASK { " + " UNION ".join(["{}"] * 5_000) + " }", REFUSED),
        "path sequence": ("ASK { ?s " + "/".join(["prov:used"] * 2_000) + " ?o }", REFUSED),
        "path alternatives": ("ASK { ?s " + "|".join(["prov:used"] * 2_000) + " ?o }", REFUSED),
        "inverse path": ("ASK { ?s " + "^" * 3_000 + "prov:used ?o }", REFUSED),
        "binds": ("SELECT * { " + " ".join(f"BIND(1 AS ?v{n})" for n in range(3_000)) + " }", REFUSED),
    },
    # The planner.
    "planner": {
        "star of 200": (_star(200), REFUSED),
        "star of 61 by semicolons": ("SELECT * { ?s " + " ; ".join(f"?p{n} ?o{n}" for n in range(62)) + " }", REFUSED),
        "star of 59": (_star(59), EITHER),
        "clique": ("ASK { " + " . ".join(f"?v{a} ?e{a} ?v{b}" for a in range(8) for b in range(a)) + " }", EITHER),
    },
    # Work without end.
    "endless work": {
        "cartesian count": (f"SELECT (COUNT(*) AS ?n) {{ {_cartesian(8)} }}", STOPPED),
        "cartesian rows": (f"SELECT * {{ {_cartesian(8)} }}", {422, 503}),
        "cartesian order": (f"SELECT * {{ {_cartesian(8)} }} ORDER BY RAND() ?a1", STOPPED),
        "cartesian distinct": (f"SELECT DISTINCT * {{ {_cartesian(8)} }}", {422, 503}),
        "cartesian group": (f"SELECT ?a0 (COUNT(DISTINCT ?c7) AS ?n) {{ {_cartesian(8)} }} GROUP BY ?a0", STOPPED),
        "cartesian concatenation": (f"SELECT (GROUP_CONCAT(?c0) AS ?n) {{ {_cartesian(8)} }}", STOPPED),
        "cartesian construct": (f"CONSTRUCT {{ ?a0 prov:used ?c7 }} {{ {_cartesian(8)} }}", {422, 503}),
        "cartesian ask": (f"ASK {{ {_cartesian(8)} FILTER(RAND() > 2) }}", EITHER),
        "cartesian describe": (f"DESCRIBE ?a0 {{ {_cartesian(8)} FILTER(RAND() > 2) }}", EITHER),
        "cartesian limit behind": (f"SELECT * {{ {_cartesian(8)} }} ORDER BY ?c3 OFFSET 100000000 LIMIT 1", STOPPED),
        "cartesian minus": (
            f"SELECT (COUNT(*) AS ?n) {{ {_cartesian(8)} MINUS {{ ?a0 ?x ?y }} FILTER(RAND() > 2) }}",
            EITHER,
        ),
        "values": (
            "SELECT (COUNT(*) AS ?n) { "
            + " ".join(f"VALUES ?x{n} {{ {' '.join(map(str, range(99)))} }}" for n in range(8))
            + " }",
            STOPPED,
        ),
        "path chains": (
            "SELECT * { ?a (!<urn:x>)* ?b . ?c (!<urn:y>)* ?d . ?e (!<urn:z>)* ?f . ?g (!<urn:q>)* ?h }",
            {422, 503},
        ),
        "paths within paths": (
            "SELECT (COUNT(*) AS ?n) { ?a ((!<urn:x>|^!<urn:y>)*)* ?b . ?c ((!<urn:x>)+)* ?d }",
            EITHER,
        ),
    },
    # Memory.
    "memory": {
        "doubling": (_doubling(40), STOPPED),
        "replace": (
            "SELECT (STRLEN(?d) AS ?n) { BIND(REPLACE('" + "a" * 9000 + "', 'a', '" + "b" * 9000 + "') AS ?a) "
            "BIND(CONCAT(?a, ?a, ?a, ?a, ?a, ?a, ?a, ?a) AS ?b) BIND(CONCAT(?b, ?b, ?b, ?b) AS ?d) }",
            STOPPED,
        ),
        "encoding": (_doubling(22).replace("STRLEN(?v22)", "STRLEN(ENCODE_FOR_URI(?v22))"), EITHER),
    },
    # Expressions.
    "expressions": {
        "regular expression": ("ASK { FILTER(REGEX('" + "a" * 20_000 + "!', '^(a+)+$')) }", EITHER),
        "repetition": ("ASK { FILTER(REGEX('a', '((a{1,1000}){1,1000}){1,1000}')) }", EITHER),
        "decimal": ("SELECT (" + "9" * 10_000 + " * " + "9" * 10_000 + " AS ?n) {}", EITHER),
        "exponent": ("SELECT ('1E999999999'^^xsd:decimal * 2 AS ?n) {}", EITHER),
        "duration": ("SELECT ('P" + "9" * 5_000 + "Y'^^xsd:duration AS ?n) {}", EITHER),
    },
    # Text.
    "text": {
        "too long": ("ASK {} #" + "x" * 70_000, REFUSED),
        "comparisons that may be IRIs": ("ASK { FILTER(" + "?a<?b && ?c>?d && " * 3_000 + "true) }", REFUSED),
        "a string that does not end": ("ASK { ?s ?p '" + "x" * 60_000, REFUSED),
        "escapes": ("ASK { ?s ?p '" + "\\u0041" * 9_000 + "' }", ANSWERED),
        "no character": ("ASK { ?s ?p '\x00' }", EITHER),
        "empty": (" \n", REFUSED),
    },
    # Requests to other servers, and updates.
    "calls and writing": {
        "service": ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", REFUSED),
        "service glued to a prefix": ("PREFIX ex: <http://127.0.0.1:1/> SELECT * { SERVICEex:x{ ?s ?p ?o } }", REFUSED),
        "service behind a comment": ("SELECT * { #'\n SERVICE#\n<http://127.0.0.1:1/>{ ?s ?p ?o } }", REFUSED),
        "service within": ("ASK { FILTER NOT EXISTS { { SERVICE SILENT ?u { ?s ?p ?o } } } }", REFUSED),
        "service behind a comparison": ("ASK { FILTER(?a<'x'&&?b>'y') SERVICE<http://127.0.0.1:1/>{} }", REFUSED),
        "service in escapes": ("SELECT * { S\\u0045RVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", REFUSED),
        "load": ("LOAD <http://127.0.0.1:1/>", REFUSED),
        "load in escapes": ("LO\\u0041D <http://127.0.0.1:1/>", REFUSED),
        "load behind a query": ("ASK {} ; LOAD <http://127.0.0.1:1/>", REFUSED),
        "load of a file": ("LOAD <file:///etc/passwd>", REFUSED),
        "insert": ("INSERT DATA { <urn:a> <urn:b> <urn:c> }", REFUSED),
        "drop": ("DROP ALL", REFUSED),
        "from elsewhere": ("SELECT * FROM <http://127.0.0.1:1/> { ?s ?p ?o }", ANSWERED),
        "from a file": ("SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }", ANSWERED),
    },
}
"""Group → name → query and accepted statuses: 503 for a query stopped at its deadline, 400 for one that is refused."""

ATTACKS = {name: attack for group in GROUPS.values() for name, attack in group.items()}
