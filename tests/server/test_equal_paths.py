"""A private project is refused as one that does not exist: by the same calls and queries, with the same answer.

Nothing is timed. What is recorded is every function that is entered on the way, Python's and those in C, and every
statement that SQLite executes. Two requests that take the same steps cannot be told apart by how long they take, as far
as that follows from what is done.
"""

from __future__ import annotations

import gc
import io
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import unified_diff
from types import CodeType, FrameType
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provrepo.errors import Denied, NotFound
from provrepo.repository.access import ANONYMOUS
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.server.routing.openapi import OPERATIONS
from tests.support.contract import breaches
from tests.support.serving import BROWSER, PROVN, PROVN_TYPE, Site, opened

PRIVATE, MISSING = "secret", "absent"
assert len(PRIVATE) == len(MISSING)

EX = "https://example.org/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("equal") / "data") as made:
        # More settings than one, a document with versions, one withdrawn and one erased: all that could be looked at.
        made.owner.set_project(PRIVATE, title="First")
        made.owner.set_project(PRIVATE, title="Second", profiles=["core"])
        made.owner.set_project(PRIVATE, profiles=[])
        made.owner.submit(PROVN, project=PRIVATE, name="run", update=True, again=True)
        made.owner.submit(PROVN, project=PRIVATE, name="gone")
        made.owner.withdraw(PRIVATE, "gone", reason="a mistake")
        # Comparison with the description of the API is not a step of the server; ``assert_same`` makes it.
        made.client = FlaskClient(made.app, made.app.response_class)
        yield made


Steps = list[CodeType | str]


@contextmanager
def recorded(site: Site) -> Iterator[Steps]:
    """Record the calls and SQL statements of this thread."""
    steps: Steps = []

    def entered(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            steps.append(frame.f_code)
        elif event == "c_call":
            steps.append(getattr(arg, "__qualname__", None) or f"C {arg}")

    with site.store.ledger.database.reading() as connection:
        own: sqlite3.Connection = connection
    # The statement with its values: a look-up by the name of the project would show.
    own.set_trace_callback(lambda statement: steps.append(f"SQL {statement}"))
    gc.disable()  # what it finalizes belongs to other calls
    sys.setprofile(entered)
    try:
        yield steps
    finally:
        sys.setprofile(None)
        gc.enable()
        own.set_trace_callback(None)


def neutral(text: str) -> str:
    """Replace the names of both projects and random values in a text."""
    text = re.sub(rf"{PRIVATE}|{MISSING}", "PROJECT", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)


def alike(site: Site, call: Callable[[str], Any]) -> tuple[Any, Any]:
    """Call for the private and for the missing project, and compare every step."""
    for project in (PRIVATE, MISSING):
        call(project)  # what is imported, compiled or remembered at the first call is out of the way
    found = []
    for project in (PRIVATE, MISSING):
        with recorded(site) as steps:
            result = call(project)
        found.append((result, [neutral(s) if isinstance(s, str) and s.startswith("SQL ") else s for s in steps]))
    (private, one), (missing, other) = found
    assert one, "nothing was recorded"
    assert one == other, difference(one, other)
    return private, missing


def difference(one: Steps, other: Steps) -> str:
    """The difference of two lists of steps, for people."""
    lines = [
        [f"{step.co_filename}:{step.co_qualname}" if isinstance(step, CodeType) else step for step in steps]
        for steps in (one, other)
    ]
    return "\n".join(unified_diff(*lines, "private", "missing", n=2, lineterm=""))


def templates(site: Site) -> list[tuple[str, str]]:
    """The routes with a project in their path, with each of their methods."""
    found = []
    for rule in site.app.url_map.iter_rules():
        if "<project>" in rule.rule:
            found += [(method, rule.rule) for method in sorted(rule.methods or ()) if method != "OPTIONS"]
    return sorted(set(found))


def path(rule: str, project: str) -> str:
    place = {"project": project, "document": "run", "version": "1", "number": "1", "suffix": "json", "name": "x"} | {
        "pending": "0" * 32,
        "webhook": "0" * 32,
        "sha256": "0" * 64,
        "tile": "0/000.p/1",
        "who": "ada",
        "invitation": "0" * 32,
        **dict.fromkeys(("namespace", "job", "dataset", "run"), "x"),
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: place[found[1]], rule)


def answered(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    headers = [(name, value) for name, value in answer.headers if name != "X-Request-Id"]
    return answer.status_code, answer.data, headers


def assert_same(site: Site, private: TestResponse, missing: TestResponse, *, status: set[int]) -> None:
    assert breaches(site.app, private) == []
    one, other = answered(private), answered(missing)
    assert neutral(repr(one)) == neutral(repr(other))
    assert len(one[1]) == len(other[1])
    assert one[0] in status, one[0]


CALLERS = {"a stranger": "", "a token for another project": "open"}


@pytest.mark.parametrize("who", CALLERS.values(), ids=CALLERS)
def test_every_route_and_method_takes_the_same_steps(site: Site, who: str) -> None:
    routes = templates(site)
    assert len(routes) >= 40
    assert {endpoint for endpoint, _ in OPERATIONS} > {"documents.one", "submissions.submit"}
    for method, rule in routes:
        body = {"data": PROVN, "content_type": PROVN_TYPE} if method in {"POST", "PUT"} else {}

        def ask(project: str, method: str = method, rule: str = rule, body: dict[str, Any] = body) -> TestResponse:
            return site.client.open(path(rule, project), method=method, headers=site.auth(who), **body)

        assert_same(site, *alike(site, ask), status={404})


VARIED = [
    ("GET", "documents/run?format=nonsense", {}, None),
    ("GET", "documents/run?nonsense=1", {}, None),
    ("GET", "documents/gone", {"If-None-Match": "*"}, None),
    ("GET", "documents/run/versions/x", {}, None),
    ("GET", "documents/run/versions/1.nonsense", {"Accept": "image/png"}, None),
    ("GET", "documents/run/versions/1", {"Range": "bytes=0-1"}, None),
    ("GET", "documents/never", {"Accept": BROWSER}, None),
    ("GET", "documents/.", {}, None),
    ("GET", "documents?limit=0", {}, None),
    ("GET", "documents?withdrawn=maybe", {}, None),
    ("GET", "documents", {"Accept": BROWSER}, None),
    ("GET", "ledger?after=x", {}, None),
    ("GET", "ledger?after=1", {}, None),
    ("GET", "sparql?query=ASK%20%7B%7D", {}, None),
    ("GET", "sparql?query=nonsense", {"Accept": BROWSER}, None),
    ("GET", "graphs?default", {}, None),
    ("GET", "graphs?graph=x", {}, None),
    ("POST", "sparql", {"Content-Type": "application/sparql-query"}, b"ASK {}"),
    ("POST", "sparql", {"Content-Type": "application/sparql-update"}, b"DROP ALL"),
    ("POST", "documents?name=run", {}, PROVN),
    ("POST", "documents?name=..", {"Content-Type": "image/png"}, b"\x89PNG"),
    ("POST", "documents?again=perhaps", {}, b""),
    ("PUT", "documents/run", {}, PROVN),
    ("PUT", "documents/run", {"If-Match": "*"}, PROVN * 2),
    ("PUT", "documents/run", {"If-None-Match": "*", "Content-Encoding": "gzip"}, b"not gzip"),
    ("DELETE", "documents/run?reason=x&internal_reason=y", {}, None),
    ("DELETE", "documents/run", {"If-Match": '"x"'}, None),
    ("DELETE", "documents/run/pingbacks/1", {}, None),
    ("POST", "documents/run/pingback", {"Content-Type": "text/uri-list"}, b"https://e.org/x"),
    ("POST", "documents/run/pingback?iri=nonsense", {"Content-Type": "text/plain"}, b"x"),
]
"""Requests within a project whose response would differ if it were visible; some are refused for other reasons."""


@pytest.mark.parametrize("who", CALLERS.values(), ids=CALLERS)
def test_bad_and_conditional_requests_take_the_same_steps(site: Site, who: str) -> None:
    for method, below, headers, data in VARIED:

        def ask(
            project: str, method: str = method, below: str = below, headers: dict[str, str] = headers, data: Any = data
        ) -> TestResponse:
            url = f"/projects/{project}/{below}"
            return site.client.open(url, method=method, headers={**site.auth(who), **headers}, data=data)

        assert_same(site, *alike(site, ask), status={400, 404})


@pytest.mark.parametrize("who", CALLERS.values(), ids=CALLERS)
@pytest.mark.parametrize(
    "address",
    [
        "/lineage?iri={iri}&project={project}",
        "/lineage?iri={iri}&as_of={project}/1",
        "/lineage/impact?iri={iri}&project={project}",
        "/thing?iri={iri}&project={project}",
        "/thing?iri={iri}&as_of={project}/99",
        "/search?q=harvest&project={project}",
        "/validate?profile=core&project={project}",
        "/queries/agents?project={project}",
    ],
)
def test_parameters_that_name_a_project_take_the_same_steps(site: Site, who: str, address: str) -> None:
    method = "POST" if address.startswith("/validate") else "GET"
    data = PROVN if method == "POST" else None

    def ask(project: str) -> TestResponse:
        url = address.format(iri=f"{EX}table", project=project)
        return site.client.open(url, method=method, data=data, headers=site.auth(who))

    assert_same(site, *alike(site, ask), status={400, 404})


READER = Actor(id="x", name="x", projects=("open",), write=True, token="x")

VERBS: dict[str, Callable[[Repository, str], Any]] = {
    "project": lambda repo, p: repo.project(p),
    "set_project": lambda repo, p: repo.set_project(p, public=True),
    "documents": lambda repo, p: repo.documents(p, withdrawn=True),
    "document_pages": lambda repo, p: repo.document_pages(p, 10),
    "document": lambda repo, p: repo.document(p, "run"),
    "history": lambda repo, p: repo.history(p, "run"),
    "version": lambda repo, p: repo.version(p, "gone", 1),
    "original": lambda repo, p: repo.original(p, "run"),
    "export": lambda repo, p: repo.export(p, "run", format="turtle"),
    "report": lambda repo, p: repo.report(p, "run"),
    "submit": lambda repo, p: repo.submit(PROVN, project=p, name="run"),
    "withdraw": lambda repo, p: repo.withdraw(p, "run", reason="x"),
    "entries": lambda repo, p: repo.entries(p),
    "pack": lambda repo, p: repo.pack(p, io.BytesIO()),
    "query": lambda repo, p: repo.query("ASK {}", project=p),
    "query_version": lambda repo, p: repo.query_version(p, "run", 1, "ASK {}"),
    "lineage": lambda repo, p: repo.lineage(f"{EX}table", project=p),
    "as_of": lambda repo, p: repo.lineage(f"{EX}table", as_of=f"{p}/1"),
    "thing": lambda repo, p: repo.thing(f"{EX}table", project=p),
    "search": lambda repo, p: repo.search("harvest", project=p),
    "profiles": lambda repo, p: repo.profiles(p),
    "add_profile": lambda repo, p: repo.add_profile("nowhere", project=p),
    "backtest": lambda repo, p: repo.backtest("core", project=p),
    "gate": lambda repo, p: repo.gate(f"{EX}table", sources=[EX + "*"], project=p),
    "metrics": lambda repo, p: repo.metrics(p),
    "pingback": lambda repo, p: repo.pingback(p, "run", ["https://e.org/"]),
    "pingbacks": lambda repo, p: repo.pingbacks(p),
}


@pytest.mark.parametrize("actor", [ANONYMOUS, READER], ids=["a stranger", "a token for another project"])
def test_every_verb_takes_the_same_steps(site: Site, actor: Actor) -> None:
    repo = Repository(site.store, actor)
    for name, verb in VERBS.items():

        def call(project: str, verb: Callable[[Repository, str], Any] = verb) -> str:
            with pytest.raises((NotFound, Denied)) as refused:
                verb(repo, project)
            return f"{type(refused.value).__name__}: {refused.value}"

        private, missing = alike(site, call)
        assert neutral(private) == neutral(missing), name
        assert "NotFound" in private, name


def test_revoked_and_expired_tokens_are_refused_like_unknown_ones(site: Site) -> None:
    """Responses do not reveal whether a token was revoked, has expired, or never existed."""
    from datetime import UTC, datetime, timedelta

    accounts = site.store.accounts
    past = datetime.now(UTC) - timedelta(days=1)
    ended = {}
    for scope in (None, ["open"]):
        text, token = accounts.create("gone", projects=scope)
        accounts.revoke(token.id)
        ended[f"revoked {scope}"] = text
        ended[f"expired {scope}"], _ = accounts.create("late", projects=scope, expires=past)
        text, token = accounts.create("both", projects=scope, expires=past)
        accounts.revoke(token.id)
        ended[f"both {scope}"] = text
    known, _ = accounts.create("in force")
    ended["wrong secret"] = known[:-1] + ("A" if known[-1] != "A" else "B")
    ended["unknown"] = f"pvr_{'0' * 16}_{'A' * 43}"

    found = {}
    for name, token_text in ended.items():

        def ask(token_text: str = token_text) -> TestResponse:
            headers = {"Authorization": f"Bearer {token_text}"}
            return site.client.get("/projects/open", headers=headers)

        ask()
        with recorded(site) as steps:
            answer = ask()
        assert answer.status_code == 401, name
        without = [re.sub(r"pvr_\w+|'[0-9a-f]{16}'", "TOKEN", s) if isinstance(s, str) else s for s in steps]
        found[name] = (without, answered(answer))
    expected, same = found.pop("unknown")
    for name, (steps, answer) in found.items():
        assert neutral(repr(answer)) == neutral(repr(same)), name
        assert steps == expected, f"{name}:\n" + difference(steps, expected)


def test_one_more_step_is_seen(site: Site) -> None:
    """What all other tests here rely on."""
    database = site.store.ledger.database

    def statement(project: str, text: str) -> None:
        with database.reading() as connection:
            connection.execute(text, {"name": project, "differs": project == PRIVATE}).fetchall()

    for call in (
        lambda project: len(project) if project == PRIVATE else None,
        lambda project: neutral(project) if project == PRIVATE else None,
        lambda project: statement(project, "SELECT :differs"),
    ):
        with pytest.raises(AssertionError):
            alike(site, call)
    alike(site, lambda project: statement(project, "SELECT :name"))
