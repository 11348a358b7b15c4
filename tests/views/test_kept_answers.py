"""Answers to queries that are kept: equal to evaluated ones after any change, for those who may read the dataset."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs.results import QueryResult
from provrepo.model.identifiers import Literal
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.query import SparqlQuery
from provrepo.views.sparql.querying.answers import Answers
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PROV, XSD
from tests.support.sampling import examples
from tests.support.serving import Site, opened

QUERIES = (
    f"SELECT ?a ?b {{ ?a <{PROV}used> ?b }} ORDER BY ?a ?b",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "ASK { <urn:a> ?p ?o }",
    f"CONSTRUCT {{ ?b <urn:of> ?a }} {{ ?a <{PROV}used> ?b }}",
)
DATASETS = ("crops", "others")
NAMES = st.sampled_from(["a", "b", "c"])
ACTS = st.one_of(
    *[st.tuples(st.just("submit"), st.sampled_from(DATASETS), NAMES, st.integers(0, 9))] * 3,
    st.tuples(st.sampled_from(["withdraw", "erase", "flush", "clear"]), st.sampled_from(DATASETS), NAMES, st.just(0)),
)


def act(view: Quads, streams: dict[str, ChangeStream], known: set[tuple[str, str]], each: tuple[Any, ...]) -> None:
    what, dataset, name, number = each
    stream = streams[dataset]
    if what == "submit":
        view.apply(dataset, stream.submit(name, [f"<urn:{name}> <{PROV}used> <urn:{number}>"]))
        known.add((dataset, name))
    elif what == "flush":
        view.flush(dataset)
    elif what == "clear":
        view.clear(dataset)
        for change in stream.changes:
            view.apply(dataset, change)
    elif (dataset, name) in known:
        known.discard((dataset, name))
        view.apply(dataset, stream.withdraw(name) if what == "withdraw" else stream.erase(name, 1))


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(ACTS, min_size=1, max_size=8))
def test_a_kept_answer_is_that_of_the_present_content(acts: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        view = Quads(Path(folder) / "view", base=BASE)
        view.defer(lambda projects, error: pytest.fail(f"{projects}: {error}"))
        streams = {dataset: ChangeStream(Path(folder), dataset) for dataset in DATASETS}
        known: set[tuple[str, str]] = set()
        for each in acts:
            act(view, streams, known, each)
            for dataset in DATASETS:
                for text in QUERIES:
                    query = SparqlQuery(text)
                    found = [view.query(dataset, query) for _ in range(2)]
                    view._checkpoints.answers.forget(dataset)
                    assert found == [view.query(dataset, query)] * 2
        view.close()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    evaluated: list[str] = []
    incremented = Quads._incremented

    def noting(self: Quads, dataset: str, run: Any) -> QueryResult | None:
        evaluated.append(dataset)
        return incremented(self, dataset, run)

    monkeypatch.setattr(Quads, "_incremented", noting)
    return evaluated


def test_a_query_is_evaluated_once_until_something_changes(
    view: Quads, stream: ChangeStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated, query = counted(monkeypatch), QUERIES[0]
    view.apply("crops", stream.submit("a", [f"<urn:a> <{PROV}used> <urn:b>"]))
    assert len(view.query("crops", query).rows) == 1
    answer = view.query("crops", query)
    answer.rows.clear()
    assert len(view.query("crops", query).rows) == 1, "callers have results of their own"
    assert len(evaluated) == 1
    for other in (
        SparqlQuery(query, base="https://example.org/"),
        SparqlQuery(query, default_graphs=["urn:g"]),
        SparqlQuery(query, named_graphs=["urn:g"]),
        SparqlQuery(query + " "),
    ):
        view.query("crops", other)
    view.query("others", query)
    assert len(evaluated) == 6
    view.apply("crops", stream.submit("b", [f"<urn:b> <{PROV}used> <urn:c>"]))
    assert len(view.query("crops", query).rows) == 2
    view.query("others", query)
    assert len(evaluated) == 7


@pytest.mark.parametrize("function", ["NOW()", "rand ()", "StrUUID()", "UUID( )"])
def test_what_differs_each_time_is_not_kept(view: Quads, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    evaluated = counted(monkeypatch)
    for _ in range(2):
        assert len(view.query("crops", f"SELECT ({function} AS ?x) {{}}").rows) == 1
    assert len(evaluated) == 2


def of(answers: Answers, text: str, size: int = 1) -> bool:
    """Whether a query has to be evaluated, with an answer of some size."""
    called = []

    def evaluate() -> QueryResult:
        called.append(text)
        return QueryResult("bindings", ("x",), [{"x": Literal("v" * size, XSD + "string")}])

    assert len(answers.of("crops", lambda _: (), SparqlQuery(text), evaluate).rows) == 1
    return bool(called)


def test_the_answers_used_last_are_kept_within_a_size() -> None:
    answers = Answers(lambda _: 1, most=25_000)
    assert [of(answers, name, 9_000) for name in ("a", "b", "a", "c", "a", "b")] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert [of(answers, "large", 100_000) for _ in range(2)] == [True, True]
    assert not of(answers, "b")


def test_an_answer_from_before_a_change_is_not_kept() -> None:
    state: list[int | None] = [1]
    answers = Answers(lambda _: state[0])

    def changing() -> QueryResult:
        state[0] = 2
        return QueryResult("boolean", boolean=True)

    answers.of("crops", lambda _: (), SparqlQuery("q"), changing)
    assert of(answers, "q")
    assert not of(answers, "q")
    state[0] = None
    assert of(answers, "q"), "it is being changed"
    state[0] = 3
    assert of(answers, "q")
    answers.forget("others")
    assert not of(answers, "q")
    answers.forget("crops")
    assert of(answers, "q")


def test_readers_see_what_was_applied_before_they_asked(tmp_path: Path) -> None:
    view = Quads(tmp_path / "view", base=BASE)
    view.defer(lambda projects, error: None)
    stream, applied, failures = ChangeStream(tmp_path), [0], list[str]()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            least = applied[0]
            found = len(view.query("crops", QUERIES[0]).rows)
            if found < least:
                failures.append(f"{found} after {least}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(40):
        view.apply("crops", stream.submit(f"d{number}", [f"<urn:{number}> <{PROV}used> <urn:x>"]))
        applied[0] = number + 1
        if number % 7 == 0:
            view.flush("crops")
    over.set()
    for reader in readers:
        reader.join()
    view.close()
    assert failures == []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with opened(tmp_path / "site") as site:
        site.submit("here", project="open")
        site.submit("there", project="secret")
        yield site


def test_nobody_gets_the_kept_answer_of_another(site: Site) -> None:
    def asked(path: str, who: str = "", **headers: str) -> tuple[int, str, str | None]:
        given = {"Accept": "application/sparql-results+json", **site.auth(who), **headers}
        answer = site.client.get(path, query_string={"query": "SELECT ?g ?s { GRAPH ?g { ?s ?p ?o } }"}, headers=given)
        return answer.status_code, answer.text, answer.headers.get("ETag")

    secret = "/projects/secret/sparql"
    for _ in range(2):
        status, text, tag = asked(secret, "all")
        assert status == 200
        assert asked(secret)[0] == 404
        assert asked(secret, "open")[0] == 404
    assert tag is not None
    assert asked(secret, "all", **{"If-None-Match": tag})[:2] == (304, "")
    # A tag is no right.
    assert asked(secret, **{"If-None-Match": tag})[0] == 404
    public = asked("/sparql")
    assert asked("/sparql") == public
    site.owner.set_project("open", public=False)
    assert asked("/sparql")[1] != public[1]
    site.owner.set_project("open", public=True)
    assert asked("/sparql")[1] == public[1]
    site.submit("more", project="secret")
    assert asked(secret, "all", **{"If-None-Match": tag})[0] == 200
    assert asked(secret, "all")[1] != text
