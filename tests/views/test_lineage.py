"""Lineage: the rule of each relation, and the index compared with a brute-force traversal of the quads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import NotFound, UsageError
from provrepo.model.identifiers import Literal, is_content
from provrepo.model.statements import KINDS
from provrepo.remote.decoding import decoded
from provrepo.repository.lineage.query import LineageQuery
from provrepo.repository.lineage.records import LineageGraph
from provrepo.repository.lineage.verbs import told
from provrepo.repository.records import Actor
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from provrepo.views.lineage.rules import RULES, Follow, markdown
from provrepo.vocab import PROV
from tests.support.paths import ROOT
from tests.support.sampling import examples

EX = "https://example.org/"
CONTENT = "ni:///sha-256;abc"
HEAD = f"document\nprefix ex <{EX}>\nprefix c <ni:///sha-256;>\n"


@contextmanager
def opened(data: Path) -> Iterator[tuple[Repository, Repository]]:
    """A repository with a public and a private project, for its owner and for an anonymous caller."""
    with Store.open(Settings(data=data, workers=1)) as store:
        owner = Repository(store, store.owner())
        owner.create_project("open", public=True)
        owner.create_project("secret")
        yield owner, Repository(store, store.anonymous())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, Repository]]:
    with opened(tmp_path_factory.mktemp("lineage")) as both:
        yield both


def put(owner: Repository, text: str, *, project: str = "open", name: str = "d") -> None:
    owner.submit(
        f"{HEAD}{text}\nendDocument".encode(), project=project, name=name, update=True, again=True, format="provn"
    )


def local(iris: object) -> list[str]:
    return sorted(str(iri).removeprefix(EX) for iri in iris)  # type: ignore[attr-defined]


def names(owner: Repository, start: str, direction: str = "upstream", **options: object) -> list[str]:
    graph = owner.lineage(EX + start, direction=direction, **options)  # type: ignore[arg-type]
    return local(node.iri for node in graph.nodes)


def test_every_relation_has_a_rule() -> None:
    assert {rule.kind for rule in RULES} == {kind for kind in KINDS.values() if not kind.element}
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_reference_has_the_table_of_relations() -> None:
    assert markdown() in (ROOT / "docs" / "reference" / "lineage.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("statements", "start", "found"),
    [
        ("wasGeneratedBy(ex:a, ex:r, -) used(ex:r, ex:b, -)", "a", "a b r"),
        ("wasDerivedFrom(ex:a, ex:b) wasDerivedFrom(ex:b, ex:c)", "a", "a b c"),
        ("wasAttributedTo(ex:a, ex:g) actedOnBehalfOf(ex:g, ex:h)", "a", "a g"),
        (
            "wasGeneratedBy(ex:a, ex:r, -) wasAssociatedWith(ex:r, ex:g, ex:p) wasDerivedFrom(ex:p, ex:q)",
            "a",
            "a g p r",
        ),
        ("wasStartedBy(ex:r, ex:t, ex:s, -) wasEndedBy(ex:r, ex:u, ex:v, -)", "r", "r s t"),
        ("wasInvalidatedBy(ex:a, ex:r, -)", "a", "a"),
        ("hadMember(ex:a, ex:b)", "a", "a b"),
        ("hadMember(ex:a, ex:b)", "b", "b"),
        ("alternateOf(ex:a, ex:b)", "a", "a"),
        # Neither other versions of a logical dataset nor its sources are upstream.
        (
            "specializationOf(ex:a, ex:g) specializationOf(ex:b, ex:g) specializationOf(ex:g, ex:h) "
            "wasDerivedFrom(ex:g, ex:x)",
            "a",
            "a g h",
        ),
        # Things with the same bytes are one thing.
        (
            "specializationOf(ex:a, c:abc) specializationOf(ex:b, c:abc) wasDerivedFrom(ex:b, ex:x)",
            "a",
            f"a b {CONTENT} x",
        ),
        (
            "wasGeneratedBy(ex:a, ex:r, 2025-01-01T12:00:00Z) used(ex:r, ex:b, 2025-01-01T11:00:00Z) "
            "used(ex:r, ex:c, 2025-01-01T14:00:00+01:00) used(ex:r, ex:d, 2025-01-01T11:00:00)",
            "a",
            "a b d r",
        ),
    ],
)
def test_what_is_upstream(shared: tuple[Repository, Repository], statements: str, start: str, found: str) -> None:
    owner, _ = shared
    put(owner, statements.replace(") ", ")\n"))
    assert names(owner, start) == sorted(found.split())


def test_options(shared: tuple[Repository, Repository]) -> None:
    owner, _ = shared
    put(
        owner,
        'entity(ex:a, [prov:label="a table"])\nwasGeneratedBy(ex:a, ex:r, -)\nused(ex:r, ex:b, -)\n'
        "wasDerivedFrom(ex:a, ex:c)\nwasDerivedFrom(ex:b, ex:d)\nalternateOf(ex:e, ex:a)",
    )
    assert names(owner, "a", strict=True) == ["a", "c"]
    assert names(owner, "a", alternates=True) == ["a", "b", "c", "d", "e", "r"]
    assert names(owner, "a", to=EX + "d") == ["a", "b", "d", "r"]
    assert names(owner, "d", "downstream") == ["a", "b", "d", "r"]
    assert names(owner, "b", "both") == ["a", "b", "d", "r"]
    graph = owner.lineage(EX + "a", depth=1)
    assert (local(node.iri for node in graph.nodes), graph.beyond, graph.truncated) == (["a", "c", "r"], 1, True)
    graph = owner.lineage(EX + "a", limit=2)
    assert (len(graph.nodes), graph.total_nodes, graph.truncated) == (2, 5, True)
    graph = owner.lineage(EX + "a")
    assert (graph.truncated, graph.nodes[0].label, graph.nodes[0].kinds) == (False, "a table", ("entity",))
    assert local(graph.roots) == ["c", "d"]
    assert [(edge.relation, edge.basis) for edge in graph.edges if edge.subject == EX + "a"] == [
        ("wasDerivedFrom", "asserted"),
        ("wasGeneratedBy", "via-activity"),
    ]
    assert owner.impact(EX + "d").kinds == {"entity": 2, "activity": 1}


def test_qualified_and_unqualified_relations_are_equal(shared: tuple[Repository, Repository]) -> None:
    owner, _ = shared
    when = "2025-01-01T12:00:00Z"
    qualified = f"""@prefix prov: <{PROV}> . @prefix ex: <{EX}> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    ex:r prov:generated ex:a .
    ex:a prov:qualifiedGeneration [ prov:activity ex:r ; prov:atTime "{when}"^^xsd:dateTime ] .
    ex:r prov:qualifiedUsage [ prov:entity ex:b ] ,
      [ prov:entity ex:c ; prov:atTime "2025-01-02T00:00:00Z"^^xsd:dateTime ] .
    ex:r prov:used ex:b , ex:c ."""
    found = []
    for text in (qualified, qualified.replace("ex:r prov:generated ex:a .", "")):
        owner.submit(text.encode(), project="open", name="d", update=True, format="turtle", allow_empty=True)
        found.append(names(owner, "a"))
    assert found == [["a", "b", "r"]] * 2


def test_the_result_can_be_written_as_prov(shared: tuple[Repository, Repository]) -> None:
    owner, _ = shared
    put(owner, "wasGeneratedBy(ex:a, ex:r, -)\nused(ex:r, ex:b, -)\nwasAssociatedWith(ex:r, -, ex:p)")
    graph = owner.lineage(EX + "a")
    document = graph.document()
    kinds = [statement.kind.name for statement in document.statements]
    assert kinds == ["entity", "activity", "entity", "entity", "wasGeneratedBy", "used", "wasAssociatedWith"]
    (bundle,) = graph.document(bundles=True).bundles
    assert bundle.id == graph.edges[0].sources[0].graph
    for form in ("turtle", "provjson", "svg"):
        assert document.write(form)


def test_anonymous_callers_do_not_see_private_projects(tmp_path: Path) -> None:
    with opened(tmp_path) as (owner, stranger):
        put(owner, "wasDerivedFrom(ex:a, ex:b)")
        put(owner, "wasDerivedFrom(ex:b, ex:private)\nwasDerivedFrom(ex:b, ex:c)", project="secret")
        assert names(owner, "a") == ["a", "b", "c", "private"]
        assert names(owner, "a", project="open") == ["a", "b"]
        graph = stranger.lineage(EX + "a")
        assert local(node.iri for node in graph.nodes) == ["a", "b"]
        assert (graph.total_nodes, graph.beyond, local(graph.roots)) == (2, 0, ["b"])
        assert stranger.lineage(EX + "a", depth=1).beyond == 0
        assert "secret" not in str(graph.to_dict())
        for iri in ("private", "nowhere"):
            for ask in (stranger.lineage, stranger.thing):
                with pytest.raises(NotFound, match=f"nothing that you may read speaks of {EX}{iri}"):
                    ask(EX + iri)
        with pytest.raises(NotFound):
            stranger.lineage(EX + "a", project="secret")
        owner.set_project("secret", public=True)
        assert names(stranger, "a") == ["a", "b", "c", "private"]
        owner.set_project("secret", public=False)
        assert names(stranger, "a") == ["a", "b"]


@pytest.mark.parametrize("options", [{"direction": "up"}, {"depth": 0}, {"limit": 0}, {"to": "no iri"}])
def test_invalid_arguments(shared: tuple[Repository, Repository], options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        shared[0].lineage(EX + "a", **options)  # type: ignore[arg-type]


# The reference implementation: it follows the table, one relation at a time, on the statements that SPARQL finds.

SHORTCUTS = "SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } FILTER(isIRI(?o)) }"
TIMES = """SELECT ?s ?kind ?o ?t ?n {
  { ?s prov:qualifiedGeneration ?n . ?n prov:activity ?o BIND("wasGeneratedBy" AS ?kind) }
  UNION { ?s prov:qualifiedUsage ?n . ?n prov:entity ?o BIND("used" AS ?kind) }
  OPTIONAL { ?n prov:atTime ?t } }"""
FURTHER = {
    "wasStartedBy:starter": "SELECT ?s ?o { ?s prov:qualifiedStart/prov:hadActivity ?o }",
    "wasAssociatedWith:plan": "SELECT ?s ?o { ?s prov:qualifiedAssociation/prov:hadPlan ?o }",
}

Relation = tuple[str, str, str, datetime | None]


def relations(owner: Repository, project: str) -> set[Relation]:
    """Every relation of a project's dataset by rule name, with its time where it has one."""
    known = {f"{PROV}{rule.kind.name}": rule.name for rule in RULES if rule.place == 1}
    catalogue = str(owner.context.store.minter().catalogue())
    timed: dict[tuple[str, str, str], set[datetime | None]] = {}
    for row in owner.query(TIMES, project=project).rows:
        kind, time = row["kind"], row.get("t")
        assert isinstance(kind, Literal)
        moment = datetime.fromisoformat(time.lexical) if isinstance(time, Literal) else None
        timed.setdefault((str(row["s"]), kind.lexical, str(row["o"])), set()).add(moment)
    found: set[Relation] = set()
    for row in owner.query(SHORTCUTS, project=project).rows:
        name = known.get(str(row["p"]))
        if name is not None and str(row["g"]) != catalogue:
            key = str(row["s"]), name, str(row["o"])
            found.update((*key, time) for time in timed.get(key, {None}))
    for name, query in FURTHER.items():
        found.update((str(row["s"]), name, str(row["o"]), None) for row in owner.query(query, project=project).rows)
    return found


def upstream(facts: set[Relation], start: str) -> set[str]:
    """Every node on a path upstream that the table allows."""
    follow = {rule.name: rule.follow for rule in RULES}
    seen: set[tuple[str, str, datetime | None]] = set()
    waiting: list[tuple[str, str, datetime | None]] = [(start, "any", None)]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        node, allowed, generated = here
        if allowed == "nothing":
            continue
        for subject, name, upper, time in facts:
            if subject == node and follow[name] is Follow.GENERAL:
                waiting.append((upper, "general", None))
            # Content may be asserted to be a specialization of itself: then both directions are followed.
            if upper == node and follow[name] is Follow.GENERAL and is_content(node):
                waiting.append((subject, "any", None))
            if subject != node or allowed == "general":
                continue
            if follow[name] is Follow.LEAF:
                waiting.append((upper, "nothing", None))
            elif follow[name] is Follow.YES and not (name == "used" and time and generated and time > generated):
                waiting.append((upper, "any", time if name == "wasGeneratedBy" else None))
    return {node for node, _, _ in seen}


NODES = ["ex:a", "ex:b", "ex:c", "ex:d", "c:abc"]
DOINGS = ["ex:r", "ex:s"]
TIMED = ["-", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z"]


def _statement(form: str, first: list[str], second: list[str]) -> st.SearchStrategy[str]:
    parts = (st.sampled_from(first), st.sampled_from(second), st.sampled_from(TIMED))
    return st.tuples(*parts).map(lambda picked: form.format(*picked))


STATEMENTS = st.one_of(
    _statement("wasGeneratedBy({0}, {1}, {2})", NODES, DOINGS),
    _statement("used({0}, {1}, {2})", DOINGS, NODES),
    _statement("wasDerivedFrom({0}, {1})", NODES, NODES),
    _statement("specializationOf({0}, {1})", NODES, NODES),
    _statement("hadMember({0}, {1})", NODES, NODES),
    _statement("alternateOf({0}, {1})", NODES, NODES),
    _statement("wasAttributedTo({0}, {1})", NODES, ["ex:g"]),
    _statement("wasAssociatedWith({0}, ex:g, {1})", DOINGS, NODES),
    _statement("wasInformedBy({0}, {1})", DOINGS, DOINGS),
    _statement("wasStartedBy({0}, {1}, ex:s, {2})", ["ex:r"], NODES),
    _statement("wasInvalidatedBy({0}, {1}, {2})", NODES, DOINGS),
    _statement("bundle ex:bundle\nwasDerivedFrom({0}, {1})\nendBundle", NODES, NODES),
)
PROJECTS = st.sampled_from(["open", "secret"])
DOCUMENTS = st.sampled_from(["d", "e"])
ACTS = st.one_of(
    st.tuples(st.just("submit"), PROJECTS, DOCUMENTS, st.lists(STATEMENTS, max_size=8, unique=True)),
    st.tuples(st.just("submit"), PROJECTS, DOCUMENTS, st.lists(STATEMENTS, max_size=8, unique=True)),
    st.tuples(st.sampled_from(["withdraw", "erase", "show", "hide"]), PROJECTS, DOCUMENTS, st.none()),
)


def act(owner: Repository, what: str, project: str, name: str, statements: list[str] | None) -> None:
    if what in ("show", "hide"):
        owner.set_project(project, public=what == "show")
    elif what == "submit":
        # At most one bundle, at the end, as PROV-N requires.
        plain = [text for text in statements or () if not text.startswith("bundle")]
        bundles = [text for text in statements or () if text.startswith("bundle")][:1]
        text = "\n".join([HEAD, *plain, *bundles, "endDocument"])
        owner.submit(
            text.encode(), project=project, name=name, update=True, again=True, format="provn", allow_empty=True
        )
    else:
        known = [info for info in owner.documents(project) if info.name == name]
        if known and what == "withdraw" and owner.history(project, name)[-1].state == "erased":
            return  # What was erased cannot be withdrawn as well.
        if known and what == "withdraw":
            owner.withdraw(project, name, reason="a mistake")
        elif known:
            owner.erase(project, name, known[0].current.version, reason="the law")


def told_as_recorded(asker: Repository, node: str, direction: str) -> None:
    """The JSON that is written without records is theirs, also where it was kept, and gives them at a distance."""
    query = LineageQuery(iri=node, direction=direction)
    graph = asker.lineage(node, direction=direction)
    for _ in range(2):
        found = told(asker.context, query)
        assert json.loads(found.json) == json.loads(json.dumps(graph.to_dict()))
        assert (found.nodes, found.edges) == (len(graph.nodes), len(graph.edges))
        assert found.projects == {project for each in graph.nodes for project in each.projects}
    assert decoded(LineageGraph, json.loads(found.json)) == graph


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(ACTS, min_size=1, max_size=7))
def test_lineage_is_what_a_traversal_by_the_table_finds(acts: list[tuple[str, str, str, list[str] | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as (owner, stranger):
        store = owner.context.store
        for each in acts:
            act(owner, *each)
        store.follower.catch_up()
        member = Repository(store, Actor("m", "member", projects=("secret",)))
        facts = {project: relations(owner, project) for project in ("open", "secret")}
        for asker in (owner, stranger, member):
            readable = {info.name for info in asker.projects()}
            seen = set().union(*(facts[project] for project in readable)) if readable else set()
            mentioned = {node for subject, _, upper, _ in seen for node in (subject, upper)}
            closures = {node: upstream(seen, node) for node in mentioned}
            for node in sorted(mentioned):
                assert {n.iri for n in asker.lineage(node).nodes} == closures[node]
                below = {other for other, closure in closures.items() if node in closure}
                assert {n.iri for n in asker.lineage(node, direction="downstream").nodes} == below | {node}
                for direction in ("upstream", "downstream", "both"):
                    told_as_recorded(asker, node, direction)
                for other in sorted(closures[node]):
                    path = asker.lineage(node, to=other)
                    assert {node, other} <= {n.iri for n in path.nodes}
                    assert {n.iri for n in path.nodes} <= closures[node]
            for iri in sorted({node for each in facts.values() for fact in each for node in (fact[0], fact[2])}):
                if iri not in mentioned:
                    with pytest.raises(NotFound):
                        asker.lineage(iri)


def test_roots(shared: tuple[Repository, Repository]) -> None:
    owner, _ = shared
    # b has the bytes of e, which came from f; c has bytes that only c has; d is attributed, which explains nothing.
    put(
        owner,
        "wasDerivedFrom(ex:a, ex:b)\nwasDerivedFrom(ex:a, ex:c)\nwasDerivedFrom(ex:a, ex:d)\n"
        "specializationOf(ex:b, c:abc)\nspecializationOf(ex:e, c:abc)\nwasDerivedFrom(ex:e, ex:f)\n"
        "specializationOf(ex:c, c:other)\nwasAttributedTo(ex:d, ex:g)\nspecializationOf(ex:d, ex:logical)",
    )
    assert local(owner.lineage(EX + "a").roots) == ["c", "d", "f"]
    assert local(owner.lineage(EX + "c").roots) == ["c"]
    assert owner.lineage(EX + "a", depth=1).roots == ()
    assert owner.lineage(EX + "f", direction="downstream").roots == ()
