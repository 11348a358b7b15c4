"""Generated queries on a dataset have the answers of a plain store that contains the same triples once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pyoxigraph as ox
import pytest

from provrepo.codecs.results import QueryResult, from_pyoxigraph
from provrepo.repository.records import PUBLIC
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.columns import ordered
from provrepo.views.sparql.query import QueryLimits
from provrepo.views.sparql.store import Quads
from provrepo.vocab import PREDECLARED, PROV
from provrepo.workers.pool import Pool
from tests.support.sampling import numbers

QUERIES = 300
ALL_QUERIES = 10_000

PREDICATES = [PROV + name for name in ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAssociatedWith")]
THINGS = [f"urn:thing:{n}" for n in range(12)]
SECRET = "urn:secret"
VARIABLES = ["?a", "?b", "?c", "?d"]


def _triple(chance: random.Random, names: list[str]) -> str:
    return f"<{chance.choice(names)}> <{chance.choice(PREDICATES)}> <{chance.choice(names)}>"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Quads, dict[str, ox.Store], list[str]]]:
    """A view with a public and a private project, the plain stores, and the names of the public graphs."""
    chance = random.Random(7)
    folder = tmp_path_factory.mktemp("oracle")
    plain = {name: ox.Store() for name in ("crops", PUBLIC, "hidden")}
    graphs: list[str] = []
    with Pool(1, 2048) as workers:
        view = Quads(folder / "view", base=BASE, workers=workers, limits=QueryLimits(seconds=30))
        crops, hidden = ChangeStream(folder, "crops"), ChangeStream(folder, "hidden")
        for stream, datasets in ((crops, ["crops", PUBLIC]), (hidden, ["hidden"])):
            names = THINGS + ([f"{SECRET}:{n}" for n in range(5)] if stream is hidden else [])
            for document in ("a", "b", "c", "a"):
                triples = sorted({_triple(chance, names) for _ in range(14)})
                completed = sorted({_triple(chance, names) for _ in range(6)})
                change = stream.submit(document, triples, completed=completed)
                for dataset in datasets:
                    view.apply(dataset, change)
        for dataset, store in plain.items():
            for line in view.dump(dataset):
                quad = next(iter(ox.parse(line, ox.RdfFormat.N_QUADS)))
                if quad.graph_name != ox.DefaultGraph():
                    store.add(quad)
                    if not str(quad.graph_name.value).endswith("catalogue"):
                        store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
            if dataset == "crops":
                names_ = {quad.graph_name.value for quad in store if quad.graph_name != ox.DefaultGraph()}
                graphs = sorted(name for name in names_ if not name.endswith("catalogue"))
        yield view, plain, graphs
        view.close()


class Generator:
    """Makes queries of every kind from a seed."""

    def __init__(self, seed: int, graphs: list[str]) -> None:
        self.chance = random.Random(seed)
        self.graphs = graphs

    def query(self) -> str:
        pick = self.chance.choice
        body = f"{{ {self.group(2)} }}"
        dataset = self.dataset()
        form = pick(["rows", "rows", "rows", "distinct", "ask", "construct", "describe", "count", "groups"])
        if form == "ask":
            return f"ASK {dataset} {body}"
        if form == "construct":
            return f"CONSTRUCT {{ ?a prov:wasInfluencedBy ?b }} {dataset} WHERE {body}"
        if form == "describe":
            return f"DESCRIBE <{pick(THINGS)}> {dataset}"
        if form == "count":
            return f"SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?m) {dataset} {body}"
        if form == "groups":
            return (
                f"SELECT ?a (COUNT(?b) AS ?n) (MIN(STR(?c)) AS ?m) {dataset} {body} GROUP BY ?a HAVING(COUNT(?b) > 0)"
            )
        return f"SELECT {'DISTINCT ' if form == 'distinct' else ''}* {dataset} {body}"

    def dataset(self) -> str:
        count = self.chance.choice([0, 0, 0, 1])
        clauses = [f"FROM <{self.chance.choice(self.graphs)}>" for _ in range(count)]
        return " ".join(clauses + [f"FROM NAMED <{self.chance.choice(self.graphs)}>" for _ in range(count)])

    def group(self, depth: int) -> str:
        pick, parts = self.chance.choice, [self.pattern()]
        for _ in range(self.chance.randrange(3)):
            kind = pick(["pattern", "optional", "union", "minus", "exists", "not exists", "graph", "filter", "values"])
            inner = self.group(depth - 1) if depth else self.pattern()
            parts.append(
                {
                    "pattern": self.pattern(),
                    "optional": f"OPTIONAL {{ {inner} }}",
                    "union": f"{{ {inner} }} UNION {{ {self.pattern()} }}",
                    "minus": f"MINUS {{ {inner} }}",
                    "exists": f"FILTER EXISTS {{ {inner} }}",
                    "not exists": f"FILTER NOT EXISTS {{ {inner} }}",
                    "graph": f"GRAPH {pick(['?g', '?g', f'<{pick(self.graphs)}>'])} {{ {inner} }}",
                    "filter": f"FILTER({pick(VARIABLES)} != <{pick(THINGS)}>)",
                    "values": f"VALUES {pick(VARIABLES)} {{ <{pick(THINGS)}> <{pick(THINGS)}> }}",
                }[kind]
            )
        return " ".join(parts)

    def pattern(self) -> str:
        pick = self.chance.choice
        subject = pick([*VARIABLES, f"<{pick(THINGS)}>"])
        value = pick([*VARIABLES, f"<{pick(THINGS)}>"])
        one, other = f"<{pick(PREDICATES)}>", f"<{pick(PREDICATES)}>"
        path = pick(
            [one, one, one, "?p", f"{one}/{other}", f"({one}|{other})", f"^{one}", f"{one}+", f"{one}?", f"!{one}"]
        )
        return f"{subject} {path} {value} ."


def canonical(result: QueryResult) -> tuple[object, ...]:
    rows = Counter(tuple(sorted((name, repr(value)) for name, value in row.items())) for row in result.rows)
    return result.kind, result.variables, result.boolean, rows, frozenset(map(repr, result.triples))


def compare(world: tuple[Quads, dict[str, ox.Store], list[str]], seeds: Sequence[int]) -> None:
    view, plain, graphs = world
    full = 0
    for seed in seeds:
        query = Generator(seed, graphs).query()
        for dataset in ("crops", PUBLIC):
            expected = from_pyoxigraph(plain[dataset].query(query, prefixes=dict(PREDECLARED)))
            expected.variables = ordered(query, expected.variables)  # SPARQL gives those of SELECT * no order
            found = view.query(dataset, query)
            assert canonical(found) == canonical(expected), f"seed {seed}: {query}"
            assert SECRET not in repr(canonical(found))
            full += bool(found)
    # Empty answers show little.
    assert full > len(seeds) / 2


def test_generated_queries(world: tuple[Quads, dict[str, ox.Store], list[str]]) -> None:
    compare(world, range(QUERIES))


@pytest.mark.slow
def test_many_generated_queries(world: tuple[Quads, dict[str, ox.Store], list[str]]) -> None:
    compare(world, numbers(ALL_QUERIES, ci=3_000, few=QUERIES + 100)[QUERIES:])


def test_the_generator_makes_every_kind_of_query() -> None:
    queries = [Generator(seed, ["urn:g"]).query() for seed in range(QUERIES)]
    for word in ("ASK", "CONSTRUCT", "DESCRIBE", "COUNT", "GRAPH", "FROM", "EXISTS", "MINUS", "UNION", "OPTIONAL", "+"):
        assert any(word in query for query in queries), word


def test_the_private_dataset_has_triples_that_must_not_be_found(
    world: tuple[Quads, dict[str, ox.Store], list[str]],
) -> None:
    view, _, _ = world
    assert view.query("hidden", f"ASK {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), '{SECRET}')) }}").boolean
