"""An attack on access control: requests to every route with every method and caller, with names of a private project.

``python -m tests.support.attack_access --cases 20000`` sends that many requests; ``tests/server/test_attack.py`` sends
fewer. It looks for texts that occur only in the private project (canaries), for answers that differ between a private
project and one that does not exist, for entries that were written without permission, and for failures of the server.
"""

from __future__ import annotations

import argparse
import io
import itertools
import random
import re
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import TestResponse

from provrepo.server.routing.openapi import describe
from tests.support.contract import breaches
from tests.support.serving import PROVN, PROVN_TYPE, Site, opened

__all__ = ["CANARIES", "Attack", "Found", "attacked", "attacks", "prepared"]

SECRET, ABSENT = "secret", "absent"
"""A private project, and a name of the same length, of a project that does not exist."""

CANARIES = ("kanarititle", "kanarilabel", "kanarinote", "kanarireason", "kanaridoc", "kanariuser", "kanariuri")
"""Texts of the private project that no request sends: its title, and a label, note, reason, name and so on in it."""

THING = "https://example.org/private-thing"
CALLERS = ("", "open", "bad", "other scheme")
"""Callers that may not read the private project: anonymous, a token for another project, and invalid credentials."""

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
PRIVATE = (
    b"document\nprefix ex <https://example.org/>\n"
    b"entity(ex:private-thing, [prov:label=\"kanarilabel\", prov:type='ex:T'])\nagent(ex:ada)\n"
    b"wasAttributedTo(ex:private-thing, ex:ada)\nwasDerivedFrom(ex:table, ex:private-thing)\nendDocument\n"
)
IN_PATH = {
    "document": ("run", "run.ttl", "none", "private"),
    "version": ("1", "1.json", "7", "x"),
    "number": ("1", "x"),
    "name": ("failures", "agents", "none"),
    "filename": ("style.css", "../app.py"),
    "profile": ("core", "../ontology"),
    "pending": ("0" * 32, "x"),
    "webhook": ("0" * 32, "x"),
    "who": ("ada", "x"),
    "token": ("0" * 16, "x"),
    "session": ("0" * 16, "x"),
    "invitation": ("0" * 32, "x"),
    "key": ("0" * 32, "x"),
    "sha256": ("0" * 64, "x"),
    "tile": ("0/000.p/1", "entries/000.p/1", "x"),
    "namespace": ("lab", ""),
    "job": ("plot", "%2F"),
    "dataset": ("plots", "%25"),
    "run": ("0", "x"),
}
QUERY = {
    "iri": (THING, "https://example.org/table", "https://example.org/ada"),
    "to": (THING,),
    "q": ("kanaril", "private", "harvest"),
    "query": ("SELECT * { GRAPH ?g { ?s ?p ?o } }", "ASK { ?s ?p ?o }", f"DESCRIBE <{THING}>"),
    "project": (SECRET, ABSENT, "open"),
    "graph": (THING, "default"),
    "nodeId": ("dataset:https%3A//example.org/:private-thing", "dataset:https://example.org/:private-thing"),
    "as_of": (f"{SECRET}/1", f"{ABSENT}/1", "open/1", "2100-01-01T00:00:00Z"),
    "default-graph-uri": (f"urn:{SECRET}", "https://example.org/private-thing"),
    "after": ("a", "0"),
    "withdrawn": ("true",),
    "format": ("json", "html", "turtle", "csv"),
    "name": ("new", "run"),
    "reason": ("no",),
    "profile": ("core", "own"),
    "direction": ("both",),
}
BODIES = {
    PROVN_TYPE: (PROVN, b"document", b"\xff"),
    "application/json": (b'{"name": "secret"}', b'{"name": "absent"}', b"["),
    "application/sparql-query": (b"SELECT * { ?s ?p ?o }",),
    "application/x-www-form-urlencoded": (b"query=ASK+%7B%7D",),
    "text/uri-list": (b"https://elsewhere.example/1",),
}
ACCEPT = ("*/*", "text/html", "application/json", "text/turtle", "nothing/at-all")


@dataclass(frozen=True)
class Attack:
    """One request.

    Attributes:
        rule: the route of the application.
        method: the HTTP method.
        caller: one of ``CALLERS``.
        names: the values of the parameters in the path, without the project.
        rest: query, body and headers.
    """

    rule: str
    method: str
    caller: str
    names: dict[str, str]
    rest: dict[str, Any]

    def sent(self, site: Site, project: str = SECRET) -> TestResponse:
        """Send it for a project and return the answer."""
        names = {**self.names, "project": project}
        path = re.sub(r"<(?:[^:>]*:)?([^>]*)>", lambda found: names[found[1]], self.rule)
        known = {"bad": {"Authorization": "Bearer pvr_bad"}, "other scheme": {"Authorization": "Basic YTpi"}}
        headers = {**(known.get(self.caller) or site.auth(self.caller)), **self.rest["headers"]}
        changed = {key: [value.replace(SECRET, project) for value in one] for key, one in self.rest["query"].items()}
        body = {"data": self.rest["data"], "content_type": self.rest["type"]} if self.rest["type"] else {}
        # Not the client of the tests, which fails at the first answer that does not match the OpenAPI description.
        client = FlaskClient(site.app, site.app.response_class)
        return client.open(path, method=self.method, headers=headers, query_string=changed, **body)


@dataclass
class Found:
    """The result of an attack.

    Attributes:
        problems: one sentence each.
        statuses: the number of answers by status.
        entries: the number of ledger entries that were written without permission.
    """

    problems: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    entries: int = 0


def prepared(site: Site) -> None:
    """Put canaries into everything that belongs to a private project."""
    owner = site.owner
    owner.set_project(SECRET, title="kanarititle")
    owner.submit(PRIVATE, project=SECRET, name="private", format="provn", note="kanarinote")
    owner.submit(PRIVATE + b"\n", project=SECRET, name="kanaridoc", format="provn")
    owner.submit(PRIVATE + b"\n\n", project=SECRET, name="left", format="provn")
    owner.withdraw(SECRET, "left", reason="kanarireason")
    owner.pingback(SECRET, "private", ["https://elsewhere.example/kanariuri"])
    token, _ = owner.create_token("kanariuser", projects=[SECRET])
    answer = site.client.post(
        f"/projects/{SECRET}/documents?name=by-user",
        data=PRIVATE + b"\n\n\n",
        content_type=PROVN_TYPE,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201


def attacks(site: Site, chance: random.Random) -> Iterator[Attack]:
    """An endless series of requests: every route, method and caller, with random parameters, bodies and headers."""
    described = describe(site.app)["paths"]
    rules = sorted({rule.rule for rule in site.app.url_map.iter_rules()})
    while True:
        every = list(itertools.product(rules, METHODS, CALLERS))
        chance.shuffle(every)
        for rule, method, caller in every:
            address = re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule)
            operation = described[address].get(method.lower()) or next(iter(described[address].values()))
            known = [one for one in operation["parameters"] if one["in"] == "query" and one["name"] in QUERY]
            given = [one["name"] for one in known if one.get("required") or chance.random() < 0.4]
            takes = [name for name in operation.get("requestBody", {}).get("content", {}) if name in BODIES]
            kind = chance.choice(takes or ["", *BODIES]) if method not in ("GET", "HEAD") else ""
            conditions = chance.choice(
                ({}, {"If-Match": "*"}, {"If-None-Match": "*"}, {"If-Match": '"' + "0" * 64 + '"'})
            )
            yield Attack(
                rule,
                method,
                caller,
                {name: chance.choice(values) for name, values in IN_PATH.items()},
                {
                    "query": {name: [chance.choice(QUERY[name])] for name in given},
                    "type": kind,
                    "data": chance.choice(BODIES[kind]) if kind else b"",
                    "headers": {"Accept": chance.choice(ACCEPT), **conditions},
                },
            )


def attacked(site: Site, cases: int, seed: int = 0) -> Found:
    """Send some requests and check the answers; ``prepared`` must have been called."""
    found = Found()
    before = site.store.ledger.position()
    opened_before = len(site.owner.entries("open"))
    for attack in itertools.islice(attacks(site, random.Random(seed)), cases):
        answer = attack.sent(site)
        found.statuses[answer.status_code] += 1
        text = _text(answer)
        where = f"{attack.method} {answer.request.path} as {attack.caller or 'a stranger'}: {answer.status_code}"
        if answer.status_code >= 500 and answer.status_code != 503:
            found.problems.append(where)
        found.problems += breaches(site.app, answer)
        found.problems += [f"{where} has {canary}" for canary in CANARIES if canary in text]
        if SECRET in text.replace("secret=", "") and SECRET not in _sent(answer):
            found.problems.append(f"{where} names the private project")
        if "<project>" in attack.rule or SECRET in str(attack.rest["query"]):
            other = attack.sent(site, ABSENT)
            if (other.status_code, _text(other).replace(ABSENT, SECRET)) != (answer.status_code, text):
                found.problems.append(f"{where}, and {other.status_code} or other words where there is no such project")
    # A token for the public project may write there, and did.
    found.entries = site.store.ledger.position() - before - (len(site.owner.entries("open")) - opened_before)
    if found.entries:
        found.problems.append(f"{found.entries} entries were written without permission")
    return found


_OWN = ("X-Request-Id", "Date")


def _text(answer: TestResponse) -> str:
    """Head and body of an answer, without values that differ between equal requests."""
    head = "\n".join(f"{name}: {value}" for name, value in sorted(answer.headers.items()) if name not in _OWN)
    request_id = answer.headers.get("X-Request-Id", "no id")
    return f"{head}\n\n{_body(answer.get_data())}".replace(request_id, "ID")


def _body(data: bytes) -> str:
    """A body as text, with the members of a package, which are compressed."""
    if not data.startswith(b"PK\x03\x04"):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return "\n".join(f"{name}\n{package.read(name).decode('utf-8', 'replace')}" for name in package.namelist())


def _sent(answer: TestResponse) -> str:
    request = answer.request
    try:
        body = request.get_data(as_text=True)
    except ClientDisconnected:  # the server has read the form, which has no canary
        body = ""
    return f"{request.path}?{request.query_string.decode()} {body}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.attack_access", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder, "data")) as site:
        prepared(site)
        found = attacked(site, options.cases, options.seed)
    print(dict(sorted(found.statuses.items())))
    print("\n".join(found.problems) or "nothing found")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
