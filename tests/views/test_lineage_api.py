"""Lineage in Python: relations, stop types, sources, former states, impact, common nodes, and answers as PROV."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provrepo.checks.validation import validate
from provrepo.codecs import formats
from provrepo.errors import NotFound, TimedOut, UsageError
from provrepo.model.document import Document
from provrepo.repository.lineage.query import MOST_COMMON, relations
from provrepo.repository.repository import Repository
from tests.support.work import bounded
from tests.views.test_lineage import EX, local, names, opened, put


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Repository, Repository]]:
    """A repository for its owner and for an anonymous caller."""
    with opened(tmp_path) as found:
        yield found


MODEL = """
entity(ex:model, [prov:label="model", prov:type='ex:Model'])
wasGeneratedBy(ex:model, ex:train, -)
used(ex:train, ex:table, -)
wasAssociatedWith(ex:train, ex:ada, ex:plan)
wasGeneratedBy(ex:table, ex:clean, -)
used(ex:clean, ex:raw, -)
used(ex:clean, ex:units, -)
wasDerivedFrom(ex:table, ex:raw)
entity(ex:table, [prov:type='ex:Table'])
"""


# Relations, depth and stop types


def test_relations_are_a_filter(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)
    assert names(owner, "table", relations=["wasDerivedFrom"]) == ["raw", "table"]
    assert names(owner, "table", relations=["used", "wasGeneratedBy"]) == ["clean", "raw", "table", "units"]
    assert names(owner, "model", relations=["wasGeneratedBy", "wasAssociatedWith:plan"]) == ["model", "plan", "train"]
    put(owner, "alternateOf(ex:x, ex:y)", name="alternates")
    assert names(owner, "x", relations=["alternateOf"]) == ["x", "y"], "who names it asks for it"
    assert owner.impact(EX + "raw", relations=["wasDerivedFrom"]).total == 1
    assert owner.common([EX + "model", EX + "table"], relations=["wasDerivedFrom"]).total == 0


@pytest.mark.parametrize("name", ["wasEndedBy", "derivedByInsertionFrom", "", "prov:used", "x" * 1000])
def test_a_relation_that_is_not_followed_is_refused(both: tuple[Repository, Repository], name: str) -> None:
    owner, _ = both
    with pytest.raises(UsageError, match=r"it follows: wasGeneratedBy, used, .*mentionOf$") as refused:
        owner.lineage(EX + "a", relations=["used", name])
    assert len(str(refused.value)) < 600


def test_strict_follows_derivations_only(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)
    assert names(owner, "table", strict=True, relations=["wasDerivedFrom", "used"]) == ["raw", "table"]
    with pytest.raises(UsageError, match="strict"):
        owner.lineage(EX + "table", strict=True, relations=["used"])


def test_stop_at_types(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)
    assert names(owner, "model", stop=[EX + "Table"]) == ["ada", "model", "plan", "table", "train"]
    assert names(owner, "model", stop=["prov:Activity"]) == ["model", "train"]
    assert "raw" in names(owner, "model", stop=["http://www.w3.org/ns/prov#Agent", "schema:Dataset"])
    assert owner.impact(EX + "raw", stop=[EX + "Table"]).kinds == {"activity": 1, "entity": 1}
    for wrong in ("Table", "", "no such:thing", "prov:two words"):
        with pytest.raises(UsageError, match="stop at"):
            owner.lineage(EX + "model", stop=[wrong])


# Roots and sources


def test_all_roots_are_returned_and_counted(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)
    graph = owner.lineage(EX + "model")
    assert local(graph.roots) == ["raw", "units"]
    assert (graph.declared, graph.undeclared, graph.coverage, graph.total_roots) == (None, None, None, 2)
    near = owner.lineage(EX + "model", limit=1)
    assert (len(near.nodes), len(near.roots), near.total_roots, near.truncated) == (1, 1, 2, True)
    assert "1 of 2 roots" in near.left_out()


def test_a_node_is_not_a_root_while_other_versions_of_its_bytes_are_not_visited(
    both: tuple[Repository, Repository],
) -> None:
    owner, _ = both
    content = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    put(
        owner,
        f"""prefix ni <{content}>
  wasDerivedFrom(ex:report, ex:m)
  specializationOf(ex:m, ni:)
  specializationOf(ex:v, ni:)
  wasDerivedFrom(ex:v, ex:raw)""",
    )
    for depth in (1, 2, 3):
        assert owner.lineage(EX + "report", depth=depth).roots == (), depth
    assert local(owner.lineage(EX + "report", depth=5).roots) == local(owner.lineage(EX + "report").roots) == ["raw"]


def test_declared_sources(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)

    def coverage(*patterns: str, start: str = "model", **options: Any) -> tuple[list[str], list[str], float | None]:
        graph = owner.lineage(EX + start, sources=patterns, **options)
        return local(graph.declared or ()), local(graph.undeclared or ()), graph.coverage

    assert coverage(EX + "raw", EX + "elsewhere") == (["raw"], ["units"], 50.0)
    assert coverage("https://*/raw", EX + "uni*") == (["raw", "units"], [], 100.0)
    assert coverage() == ([], ["raw", "units"], 0.0)
    assert coverage("# a comment", "  ") == ([], ["raw", "units"], 0.0)
    assert coverage(EX + "raw", limit=1)[2] == 50.0, "the share is of all roots, returned or not"
    put(owner, "wasDerivedFrom(ex:o, ex:p)\nwasDerivedFrom(ex:p, ex:o)", name="circle")
    assert coverage(EX + "*", start="o") == ([], [], None)
    for wrong in ("*", "a*b*c*d*e*f*g*h*i*j"):
        with pytest.raises(UsageError, match="is not a source"):
            coverage(wrong)


def test_patterns_of_sources_are_matched_in_linear_time() -> None:
    from provrepo.checks.coverage import Sources

    hostile = Sources.parse("x*a*a*a*a*a*a*a*b")
    with bounded():
        assert "x" + "a" * 100_000 not in hostile
        assert "x" + "a" * 100_000 + "b" in hostile
    some = Sources(["urn:a*", "*:z", "urn:b*c*d", "urn:exact"])
    inside = ["urn:a", "urn:abc", "urn:z", "urn:bcd", "urn:b-c-c-d", "urn:exact"]
    outside = ["urn", "urn:exactly", "urn:bdc", "urn:bd", "xurn:a", "", "urn:zz"]
    assert [iri for iri in [*inside, *outside] if iri in some] == inside


# Former states


def test_as_of(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, "wasDerivedFrom(ex:a, ex:b)")
    first = owner.version("open", "d").sequence
    between = owner.version("open", "d").time
    time.sleep(0.01)
    put(owner, "wasDerivedFrom(ex:c, ex:d)", project="secret", name="s")
    put(owner, "wasDerivedFrom(ex:a, ex:c)")
    second = owner.version("open", "d").sequence
    owner.withdraw("open", "d", reason="a mistake")
    for when in (f"open/{first}", between):
        assert names(owner, "a", as_of=when) == ["a", "b"]
        assert owner.lineage(EX + "a", as_of=when).as_of == when
        with pytest.raises(NotFound, match="spoke then"):
            owner.lineage(EX + "c", as_of=when)
    assert names(owner, "a", as_of=f"open/{second}") == ["a", "c", "d"]
    assert owner.impact(EX + "d", as_of=f"open/{second}").total == 2
    assert local(n.node.iri for n in owner.common([EX + "a", EX + "c"], as_of=f"open/{second}").nodes) == ["c", "d"]
    thing = owner.thing(EX + "a", as_of=f"open/{first}")
    assert [(a.version.version, a.version.state) for a in thing.versions] == [(1, "superseded")]
    assert thing.as_of == f"open/{first}"
    assert owner.thing(EX + "a", as_of=f"open/{second}").versions[0].version.state == "withdrawn"
    with pytest.raises(NotFound, match="speaks"):
        owner.lineage(EX + "a")


@pytest.mark.parametrize(
    "when",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00+99:00",
        "open/0",
        "open/-1",
        "open/1.5",
        "open/" + "9" * 30,
        "/1",
        "a/b/1",
        "٣/٣",
        "2026-01-31T12:00:00Z\n",
    ],
)
def test_an_invalid_as_of_is_refused(both: tuple[Repository, Repository], when: str) -> None:
    owner, _ = both
    with pytest.raises(UsageError, match="write PROJECT/SEQUENCE"):
        owner.lineage(EX + "a", as_of=when)


def test_as_of_a_private_project_is_like_as_of_an_unknown_one(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "wasDerivedFrom(ex:a, ex:b)")
    messages = []
    for when in ("secret/1", "nowhere/1", "open/999", "open/" + "9" * 15):
        with pytest.raises(NotFound) as missing:
            stranger.lineage(EX + "a", as_of=when)
        messages.append(str(missing.value))
    assert messages[0].replace("secret", "nowhere") == messages[1]
    assert names(stranger, "a", as_of="open/2") == ["a", "b"]


def test_erased_and_private_content_is_in_no_former_state(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "wasDerivedFrom(ex:a, ex:b)")
    put(owner, "wasDerivedFrom(ex:a, ex:c)")
    then, later = (f"open/{owner.version('open', 'd', number).sequence}" for number in (1, 2))
    assert names(stranger, "a", as_of=then) == ["a", "b"]
    owner.erase("open", "d", 1, reason="a name in it")
    with pytest.raises(NotFound):
        owner.lineage(EX + "a", as_of=then)
    with pytest.raises(NotFound):
        owner.thing(EX + "b", as_of=then)
    assert names(stranger, "a", as_of=later) == ["a", "c"]
    owner.set_project("open", public=False)
    for call in (stranger.lineage, stranger.impact, stranger.thing, stranger.node):
        with pytest.raises(NotFound):
            call(EX + "a", as_of="2999-01-01T00:00:00Z")
        with pytest.raises(NotFound, match="no project"):
            call(EX + "a", as_of=later)
    assert names(owner, "a", as_of=later) == ["a", "c"]


# Impact and common nodes


def test_impact_counts_everything_whatever_the_limit(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, MODEL)
    put(owner, "wasDerivedFrom(ex:report, ex:model)\nwasAttributedTo(ex:report, ex:eve)", project="secret", name="s")
    found = owner.impact(EX + "raw")
    assert (found.total, found.kinds) == (5, {"entity": 3, "activity": 2})
    assert found.types == {EX + "Model": 1, EX + "Table": 1}
    assert found.projects == {"open": 4, "secret": 2}
    assert found.agents == {EX + "ada": 2, EX + "eve": 1}
    assert list(found.groups()) == ["kinds", "types", "agents", "projects"]
    assert owner.lineage(EX + "raw", direction="downstream", limit=1).total_nodes == found.total + 1
    cut = owner.impact(EX + "raw", limit=1)
    assert (cut.types, cut.total_types, cut.truncated, found.truncated) == ({EX + "Model": 1}, 2, True, False)
    seen = stranger.impact(EX + "raw")
    assert (seen.total, seen.projects, seen.agents) == (4, {"open": 4}, {EX + "ada": 2})
    assert owner.impact(EX + "model", direction="upstream").kinds["agent"] == 1
    assert owner.impact(EX + "report", project="secret").total == 0
    for wrong in ({"direction": "sideways"}, {"limit": 0}, {"depth": 0}, {"project": "nowhere"}):
        with pytest.raises((UsageError, NotFound)):
            owner.impact(EX + "raw", **wrong)
    with pytest.raises(NotFound):
        stranger.impact(EX + "report")


def test_impact_has_labels_of_agents(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, MODEL + 'agent(ex:ada, [prov:label="Ada B"])\nwasAttributedTo(ex:table, ex:eve)')
    then = f"open/{owner.version('open', 'd').sequence}"
    put(owner, MODEL + 'agent(ex:ada, [prov:label="Ada"])\nwasAttributedTo(ex:table, ex:eve)')
    put(owner, 'agent(ex:ada, [prov:label="A. L."])\nagent(ex:eve, [prov:label="Eve"])', project="secret", name="s")
    assert owner.impact(EX + "raw").labels == {EX + "ada": "A. L.", EX + "eve": "Eve"}
    assert stranger.impact(EX + "raw").labels == {EX + "ada": "Ada"}, "what is private names nobody"
    assert owner.impact(EX + "raw", project="open").labels == {EX + "ada": "Ada"}
    assert owner.impact(EX + "raw", as_of=then).labels == {EX + "ada": "Ada B"}
    assert owner.impact(EX + "raw", limit=1).labels == {EX + "ada": "A. L."}, "of agents that are returned"
    assert stranger.impact(EX + "raw").to_dict()["labels"] == {EX + "ada": "Ada"}
    assert owner.impact(EX + "model").labels == {}


def test_common_nodes_of_two_models(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, MODEL)
    put(
        owner,
        "wasGeneratedBy(ex:other, ex:again, -)\nused(ex:again, ex:table, -)\nused(ex:again, ex:units, -)",
        name="e",
    )
    put(owner, "wasDerivedFrom(ex:model, ex:leak)\nwasDerivedFrom(ex:other, ex:leak)", project="secret", name="s")
    found = owner.common([EX + "model", EX + "other"])
    nearest = [each for each in found.nodes if each.nearest]
    assert local(each.node.iri for each in nearest) == ["leak", "table"]
    assert found.nodes[: len(nearest)] == tuple(nearest), "the nearest come first"
    assert local(each.node.iri for each in found.nodes) == ["clean", "leak", "raw", "table", "units"]
    table = next(each for each in found.nodes if each.node.iri == EX + "table")
    assert (table.distances, table.node.distance, table.node.types) == ((2, 2), 2, (EX + "Table",))
    units = next(each for each in found.nodes if each.node.iri == EX + "units")
    assert units.distances == (4, 2)
    assert (found.total, found.truncated, found.starts) == (5, False, (EX + "model", EX + "other"))
    cut = owner.common([EX + "model", EX + "other"], limit=1)
    assert (len(cut.nodes), cut.total, cut.truncated, cut.nodes[0].nearest) == (1, 5, True, True)
    seen = stranger.common([EX + "model", EX + "other"])
    assert (seen.total, "leak" in str(seen.to_dict())) == (4, False)
    assert local(n.node.iri for n in owner.common([EX + "model", EX + "raw"]).nodes) == ["raw"], "one may be the cause"
    with pytest.raises(NotFound, match="all of"):
        owner.common([EX + "model", EX + "nothing"])
    with pytest.raises(NotFound):
        stranger.common([EX + "model", EX + "leak"])


@pytest.mark.parametrize("starts", [[], [EX], [EX, EX], [f"{EX}{n}" for n in range(MOST_COMMON + 1)], [EX, "no iri"]])
def test_things_without_common_nodes(both: tuple[Repository, Repository], starts: list[str]) -> None:
    with pytest.raises(UsageError):
        both[0].common(starts)


# Deadlines


def test_a_deadline_that_has_passed(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "\n".join(f"wasDerivedFrom(ex:e{n + 1}, ex:e{n})" for n in range(3000)))
    start = EX + "e3000"
    for who in (owner, stranger):
        for call in (
            lambda: who.lineage(start, timeout=1e-4),  # noqa: B023
            lambda: who.impact(EX + "e0", timeout=1e-4),  # noqa: B023
            lambda: who.common([start, EX + "e2999"], timeout=1e-4),  # noqa: B023
            lambda: who.thing(start, timeout=1e-4),  # noqa: B023
        ):
            with pytest.raises(TimedOut):
                call()
        for wrong in (0, -1, float("nan")):
            with pytest.raises(UsageError):
                who.lineage(start, timeout=wrong)
    assert owner.lineage(start, timeout=1e9).total_nodes == 3001


def test_settings_limit_every_caller_but_the_owner(both: tuple[Repository, Repository]) -> None:
    owner, stranger = both
    put(owner, "wasDerivedFrom(ex:a, ex:b)")
    owner.context.store.settings = replace(owner.settings, query_timeout=1e-9)
    with pytest.raises(TimedOut):
        stranger.thing(EX + "a", timeout=100)
    assert owner.thing(EX + "a").total_statements == 1


# As PROV


CONTRADICTING = {
    "a cycle": ("wasDerivedFrom(ex:a, ex:b)", "wasDerivedFrom(ex:b, ex:a)"),
    "entity and activity": (
        'wasDerivedFrom(ex:a, ex:b)\nentity(ex:b, [prov:label="data"])',
        "used(ex:b, ex:c, -)\nactivity(ex:b)",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTING)
@pytest.mark.parametrize("format", ["trig", "provjson", "provn"])
def test_bundles_are_valid_where_their_union_is_not(
    both: tuple[Repository, Repository],
    case: str,
    format: str,  # noqa: A002
) -> None:
    owner, _ = both
    for number, text in enumerate(CONTRADICTING[case]):
        put(owner, text, name=f"d{number}")
        assert validate(owner.read("open", f"d{number}")).conforms
    graph = owner.lineage(EX + "a")
    assert graph.total_edges == 2
    assert not validate(graph.document()).conforms, "side by side they contradict each other"
    written = formats.read(graph.write(format), format=format)
    assert validate(written).conforms
    assert len(written.bundles) == 2
    graphs = {source.graph for edge in graph.edges for source in edge.sources}
    assert {str(bundle.id) for bundle in written.bundles} == graphs
    for bundle in written.bundles:
        assert validate(Document(statements=list(bundle.statements))).conforms, "each by itself"


def test_every_followed_relation_can_be_written(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(
        owner,
        "wasInformedBy(ex:r, ex:q)\nwasStartedBy(ex:r, ex:t, ex:s, -)\nwasAttributedTo(ex:a, ex:g)\n"
        "wasAssociatedWith(ex:r, -, ex:p)\nwasGeneratedBy(ex:a, ex:r, -)\nused(ex:r, ex:b, -)\n"
        "wasInfluencedBy(ex:a, ex:i)\nspecializationOf(ex:a, ex:b2)\nalternateOf(ex:a, ex:c)\nhadMember(ex:a, ex:m)\n"
        "mentionOf(ex:a, ex:n, ex:bundle)\nwasDerivedFrom(ex:a, ex:b)\nwasAssociatedWith(ex:q, ex:g, -)",
    )
    graph = owner.lineage(EX + "a", alternates=True)
    # Resolutions are inferred from versions of datasets, of which there are none.
    assert {edge.relation for edge in graph.edges} == set(relations()) - {"alternateOf:resolved"}
    written = formats.read(graph.write("provn"), format="provn")
    assert validate(written).conforms
    assert len(written.bundles) == 1


def test_a_picture_states_what_is_omitted(both: tuple[Repository, Repository]) -> None:
    owner, _ = both
    put(owner, MODEL)
    assert "things" not in owner.lineage(EX + "model").write("svg").decode()
    cut = owner.lineage(EX + "model", limit=3)
    assert (
        f'<text class="prov-heading" x="24" y="32" font-size="15">{cut.left_out()}</text>' in cut.write("svg").decode()
    )
    near = owner.lineage(EX + "model", depth=1)
    assert "more things one relation beyond the depth" in near.write("svg").decode()
