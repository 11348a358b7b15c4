"""All that is said of one thing: exactly as asserted, by which version and submitter, and for whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats
from provrepo.errors import AnswerTooLarge, Damaged, NotFound, UsageError
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import Statement
from provrepo.repository.lineage.answers import MOST_SOURCES
from provrepo.repository.lineage.assertions import Assertion, run, shares
from provrepo.repository.lineage.records import LineageNode
from provrepo.repository.lineage.things import VersionAssertions
from provrepo.repository.repository import Repository
from tests.support.sampling import examples
from tests.support.strategies import documents
from tests.views.test_lineage import EX, opened, put

XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Repository, Repository]]:
    with opened(tmp_path) as found:
        yield found


def lines(account: VersionAssertions) -> list[str]:
    return [
        f"{assertion.statement!r} as {'+'.join(assertion.roles)}".replace(EX, "") for assertion in account.assertions
    ]


def test_every_statement_in_which_it_stands(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(
        owner,
        "used(ex:r, ex:a, 2025-01-01T00:00:00Z)\n"
        'entity(ex:a, [prov:label="A", ex:n="007" %% xsd:int])\n'
        "wasGeneratedBy(ex:g; ex:a, ex:q, -)\n"
        "wasDerivedFrom(ex:b, ex:a, ex:r, -, -)\n"
        "wasAssociatedWith(ex:r, ex:ada, ex:a)\n"
        "specializationOf(ex:a, ex:a2)\n"
        "entity(ex:c, [prov:location='ex:a'])\n"
        "entity(ex:unrelated)\n"
        "bundle ex:inner\n  entity(ex:a)\nendBundle",
    )
    found = owner.thing(EX + "a")
    (account,) = found.versions
    assert lines(account) == [
        "entity(a, [2 attributes]) as id",
        "entity(a) as id",
        "used(r, a, 2025-01-01T00:00:00Z) as entity",
        "wasGeneratedBy(g; a, q, -) as entity",
        "wasDerivedFrom(b, a, r, -, -) as usedEntity",
        "wasAssociatedWith(r, ada, a) as plan",
        "specializationOf(a, a2) as specificEntity",
        "entity(c, [1 attributes]) as attribute",
    ], "what describes it first, then relations as in the source, and nothing that was completed"
    assert account.assertions[0].statement.attributes[1] == (Identifier(EX + "n"), Literal("007", XSD + "int"))
    version = account.version
    assert [assertion.graph for assertion in account.assertions[:2]] == [version.iri, version.iri + "#bundle-1"]
    assert [assertion.bundle for assertion in account.assertions[:2]] == ["", EX + "inner"]
    assert (account.total, found.total_statements, found.truncated) == (8, 8, False)
    assert (found.node.label, found.node.kinds) == ("A", ("entity",))


def test_who_said_it_in_which_version(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "entity(ex:a)", name="one")
    put(owner, "entity(ex:a, [prov:label='wrong'])".replace("'", '"'), name="two")
    put(owner, "wasDerivedFrom(ex:a, ex:b)", name="two")
    put(owner, "wasDerivedFrom(ex:a, ex:hidden)", project="secret", name="three")
    _, token = owner.create_token("ada", projects=["open"])
    ada = owner.as_actor(type(owner.actor)(token.actor, "ada", projects=("open",), write=True))
    ada.submit(b"document\nprefix ex <https://example.org/>\nentity(ex:a)\nendDocument", project="open", name="zoe")
    found = owner.thing(EX + "a")
    told = [(a.version.project, a.version.name, a.version.version, a.version.submitter) for a in found.versions]
    name = owner.actor.name
    assert told == [
        ("open", "one", 1, name),
        ("open", "two", 2, name),
        ("open", "zoe", 1, "ada"),
        ("secret", "three", 1, name),
    ]
    assert found.versions[0].version == owner.version("open", "one"), "as the history has it"
    assert "wrong" not in str(found.to_dict()), "what was corrected is no longer said"
    seen = stranger.thing(EX + "a")
    assert (seen.total_versions, [a.version.name for a in seen.versions]) == (3, ["one", "two", "zoe"])
    assert "hidden" not in str(seen.to_dict())
    assert "secret" not in str(seen.to_dict())
    assert [a.version.name for a in owner.thing(EX + "a", project="secret").versions] == ["three"]
    for wrong in ("secret", "nowhere"):
        with pytest.raises(NotFound, match=f"there is no project '{wrong}'"):
            stranger.thing(EX + "a", project=wrong)
    with pytest.raises(NotFound):
        stranger.thing(EX + "hidden")


@pytest.mark.parametrize("format", ["turtle", "provjson", "provn"])
def test_nodes_without_a_name_are_found_by_the_name_they_were_given(
    both: tuple[Repository, Repository],
    format: str,  # noqa: A002
) -> None:
    owner, _ = both
    turtle = f"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <{EX}> .
    ex:k prov:wasDerivedFrom _:x , ex:a ; prov:qualifiedGeneration [ prov:activity ex:r ] .
    _:x a prov:Entity ; ex:size 7 ; prov:wasAttributedTo _:who . ex:r a prov:Activity ."""
    data = formats.read(turtle.encode(), format="turtle").write(format) if format != "turtle" else turtle.encode()
    owner.submit(data, project="open", name="d", format=format)
    nodes = [node.iri for node in owner.lineage(EX + "k").nodes if not node.iri.startswith(EX)]
    assert len(nodes) == 2
    kinds: list[list[str]] = []
    for iri in nodes:
        (account,) = owner.thing(iri).versions
        kinds.append([assertion.statement.kind.name for assertion in account.assertions])
        for assertion in account.assertions:
            named = [*assertion.statement.identifiers(), assertion.statement.id]
            assert iri in named
            assert not any(str(name).startswith("_:") for name in named)
    assert sorted(map(sorted, kinds)) == [["entity", "wasAttributedTo", "wasDerivedFrom"], ["wasAttributedTo"]]


def test_what_rdf_says_beside_prov(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    turtle = f"""@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <{EX}> .
    ex:a a prov:Entity ; prov:wasDerivedFrom "a literal" ; ex:note "kept" ."""
    owner.submit(turtle.encode(), project="open", name="d", format="turtle")
    (account,) = owner.thing(EX + "a").versions
    assert [(quad.predicate, str(quad.object)) for quad in account.triples] == [
        ("http://www.w3.org/ns/prov#wasDerivedFrom", "a literal")
    ]
    assert account.to_dict()["triples"][0]["object"]["text"] == "a literal"


def test_limits_are_stated_and_fair(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, "\n".join(f"used(ex:r{n}, ex:a, -)" for n in range(50)), name="a-large")
    for number in range(4):
        put(owner, "entity(ex:a)", name=f"b{number}")
    found = owner.thing(EX + "a", limit=10)
    assert [len(account.assertions) for account in found.versions] == [6, 1, 1, 1, 1]
    assert (found.total_statements, found.returned_statements, found.truncated) == (54, 10, True)
    found = owner.thing(EX + "a", versions=2)
    assert (len(found.versions), found.total_versions, len(found.node.sources), found.truncated) == (2, 5, 2, True)
    with pytest.raises(UsageError):
        owner.thing(EX + "a", limit=0)
    with pytest.raises(UsageError):
        owner.thing(EX + "a", versions=-1)
    for iri in ("", "a", "http://a b", "x" * 10_000):
        with pytest.raises(UsageError, match="not an absolute IRI"):
            owner.thing(iri)


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.integers(1, 50), max_size=8), st.integers(0, 100))
def test_shares(counts: list[int], limit: int) -> None:
    given = shares(counts, limit)
    assert sum(given) == min(limit, sum(counts))
    assert all(share <= count for share, count in zip(given, counts, strict=True))
    cut = [share for share, count in zip(given, counts, strict=True) if share < count]
    assert all(share <= min(cut, default=0) + 1 for share in cut)


def test_an_answer_that_is_too_large(both: tuple[Repository, Repository]) -> None:
    from dataclasses import replace

    owner, _ = both
    put(owner, f'entity(ex:a, [prov:label="{"long " * 2000}"])')
    owner.context.store.settings = replace(owner.settings, query_bytes=5000)
    with pytest.raises(AnswerTooLarge, match="fewer"):
        owner.thing(EX + "a")


def test_bytes_that_are_gone_or_broken(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, "entity(ex:a)", name="one")
    put(owner, "entity(ex:a)\nentity(ex:b)", name="two")
    # Erased by another process, and not applied to the views yet.
    owner.context.store.blobs.path(owner.version("open", "one").sha256).unlink()
    found = owner.thing(EX + "a")
    assert ([a.version.name for a in found.versions], found.total_versions, found.truncated) == (["two"], 2, True)
    blob = owner.context.store.blobs.path(owner.version("open", "two").sha256)
    blob.chmod(0o600)
    blob.write_bytes(b"document nonsense(")
    with pytest.raises(Damaged, match="cannot be read any more"):
        owner.thing(EX + "a")


def test_as_prov_each_version_is_a_bundle_of_its_submitter(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, "used(ex:a, ex:b, -)", name="one")
    put(owner, 'entity(ex:a, [prov:label="A"])\nbundle ex:inner\n  wasDerivedFrom(ex:a, ex:c)\nendBundle', name="two")
    document = owner.thing(EX + "a").document()
    for name in ("trig", "provjson", "provn"):
        again = formats.read(document.write(name), format=name)
        assert [len(bundle.statements) for bundle in again.bundles if bundle.id] == [1, 1, 1]
        attributed = [statement.args[0] for statement in again.statements if statement.kind.name == "wasAttributedTo"]
        assert sorted(map(str, attributed)) == sorted(str(bundle.id) for bundle in again.bundles)


def test_statements_survive_the_way_from_the_worker() -> None:
    text = f"""document
      prefix ex <{EX}>
      prefix xsd <{XSD}>
      default <{EX}>
      activity(ex:a, 2025-01-01T00:00:00Z, -, [prov:label="l"@en, ex:n="007" %% xsd:int, prov:type='ex:T'])
      wasStartedBy(ex:s; ex:a, -, ex:b, 2025-01-01T00:00:00Z)
      prov:derivedByInsertionFrom(ex:d; ex:e, ex:f, {{("k", ex:g), ("k2" %% xsd:string, ex:h)}})
      wasAssociatedWith(ex:a, -, ex:p)
    endDocument"""
    for statement in formats.read(text.encode(), format="provn").statements:
        assertion = Assertion(statement, ("id",), "urn:g", "")
        again = Assertion.from_dict(assertion.to_dict())
        assert again == assertion
        assert again.statement.span is not None


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("said") / "source"


@settings(deadline=None, max_examples=examples(25))
@given(document=documents(), format=st.sampled_from(["provn", "provjson", "trig", "provxml"]))
def test_nothing_is_left_out_and_nothing_changed(file: Path, document: Document, format: str) -> None:  # noqa: A002
    """For everything that a document names: what the document says of it, in whichever format it was sent."""
    file.write_bytes(document.write(format))
    source = formats.read(file.read_bytes(), format=format)
    names = sorted({name for statement in source for name in _named(statement) if not name.startswith("_:")})
    version = {"source": str(file), "format": format, "base": "", "blob": "ab" * 32, "version": "urn:v"}
    for iri in names[:4]:
        (found,) = run(iri=iri, versions=[version], limit=1000, size=1 << 24)
        said = [Assertion.from_dict(each) for each in found["assertions"]]
        true = [
            (number, statement)
            for number, instance in enumerate(source.instances())
            for statement in instance.statements
            if iri in _named(statement)
        ]
        assert found["total"] == len(said) == len(true)
        graphs = [f"urn:v#bundle-{number}" if number else "urn:v" for number, _ in true]
        assert sorted(assertion.graph for assertion in said) == sorted(graphs)
        if not any(name.startswith("_:") for _, statement in true for name in _named(statement)):
            assert {assertion.statement for assertion in said} == {statement for _, statement in true}
        assert all(assertion.roles for assertion in said)


def _named(statement: Statement) -> set[str]:
    values = (value for _, value in statement.attributes if isinstance(value, Identifier))
    return {str(name) for name in (statement.id, *statement.identifiers(), *values) if name is not None}


def test_what_things_are_called(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, 'entity(ex:a, [prov:label="First"])\nwasDerivedFrom(ex:a, ex:b)')
    then = f"open/{owner.version('open', 'd').sequence}"
    put(owner, 'entity(ex:a, [prov:label="Second"])\nwasDerivedFrom(ex:a, ex:b)')
    put(owner, 'entity(ex:a, [prov:label="Hidden"])\nentity(ex:b, [prov:label="B"])', project="secret", name="s")
    asked = [EX + "a", EX + "b", EX + "unknown", ""]
    assert owner.labels(asked) == {EX + "a": "Hidden", EX + "b": "B"}
    assert stranger.labels(asked) == owner.labels(asked, project="open") == {EX + "a": "Second"}
    assert owner.labels(asked, as_of=then) == stranger.labels(asked, as_of=then) == {EX + "a": "First"}
    assert owner.labels(f"{EX}{number}" for number in range(50_000)) == owner.labels([]) == {}
    with pytest.raises(NotFound):
        stranger.labels(asked, project="secret")
    with pytest.raises(UsageError):
        owner.labels(asked, as_of="yesterday")


def test_what_else_its_statements_name(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(
        owner,
        "entity(ex:a, [prov:type='ex:T', prov:label=\"A\"])\nwasGeneratedBy(ex:g; ex:a, ex:r, -)\n"
        "wasAssociatedWith(ex:r, ex:ada, ex:a)\nentity(ex:c, [prov:location='ex:a'])\n"
        "bundle ex:inner\n  wasDerivedFrom(ex:a, ex:d)\nendBundle",
    )
    others = owner.thing(EX + "a").others()
    assert sorted(others) == [EX + name for name in ("T", "ada", "c", "d", "g", "inner", "r")]


def test_the_node_alone(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "entity(ex:a)", project="secret")
    node: Any = owner.node(EX + "a")
    assert isinstance(node, LineageNode)
    assert node == owner.thing(EX + "a").node
    with pytest.raises(NotFound):
        stranger.node(EX + "a")
    for number in range(MOST_SOURCES + 5):
        put(owner, "wasDerivedFrom(ex:b, ex:a)", name=f"d{number}")
    node = owner.node(EX + "a")
    assert (len(node.sources), node.total_sources, node.projects) == (20, 26, ("open", "secret"))
    told = owner.lineage(EX + "a").to_dict()["nodes"][0]
    assert (len(told["sources"]), told["total_sources"], told["projects"]) == (20, 26, ["open", "secret"])
    assert owner.thing(EX + "a").total_statements == 26
