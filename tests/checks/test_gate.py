"""Coverage of a lineage, and the verb ``gate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.checks.coverage import PROPERTIES, Coverage, Sources, count, measure
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shapes.instances import instance_graphs
from provrepo.cli.main import cli
from provrepo.errors import NotFound, UsageError
from provrepo.model.document import Quad
from provrepo.model.identifiers import Identifier
from provrepo.repository.repository import Repository
from provrepo.vocab import PROV, PROVREPO, RDF_TYPE
from tests.support.sampling import examples

EX = "http://example.org/"

CHAIN = b"""document
prefix ex <http://example.org/>
agent(ex:ana)
entity(ex:raw)
entity(ex:clean)
entity(ex:model)
activity(ex:cleaning)
activity(ex:training)
wasAssociatedWith(ex:cleaning, ex:ana, -)
wasAssociatedWith(ex:training, ex:ana, -)
used(ex:cleaning, ex:raw, -)
wasGeneratedBy(ex:clean, ex:cleaning, -)
used(ex:training, ex:clean, -)
wasGeneratedBy(ex:model, ex:training, -)
wasDerivedFrom(ex:model, ex:clean)
endDocument"""


def triples(document: bytes) -> list[tuple[str, str, str]]:
    (top,) = instance_graphs(provrepo.read(document, format="provn"))
    return [(str(q.subject), str(q.predicate), str(q.object)) for q in top.graph.quads()]


def found(document: bytes, *sources: str, start: str | None = "model") -> Coverage:
    wanted = Sources.parse("\n".join(EX + source for source in sources))
    return measure(triples(document), start=None if start is None else EX + start, sources=wanted)


def test_a_whole_lineage_is_covered():
    assert found(CHAIN, "raw") == Coverage(5, 5)
    assert found(CHAIN, "r*").percent == 100.0
    assert found(CHAIN, "raw", start="clean").things == 3
    assert found(CHAIN, "raw", start=None).things == 5


def test_things_without_a_declared_source_are_untrusted_downstream():
    coverage = found(CHAIN)
    assert coverage.untrusted == (EX + "clean", EX + "model", EX + "raw")
    assert [gap.thing for gap in coverage.gaps] == [EX + "raw"]
    assert coverage.percent == 80.0


def test_things_beyond_a_source_are_not_checked():
    assert found(CHAIN, "clean") == Coverage(3, 3)
    assert found(CHAIN, "model") == Coverage(1, 1)


@pytest.mark.parametrize(
    ("removed", "thing", "reason"),
    [
        (b"wasAssociatedWith(ex:cleaning, ex:ana, -)\n", "cleaning", "has no responsible agent"),
        (b"used(ex:cleaning, ex:raw, -)\n", "cleaning", "does not say what it used"),
        (b"wasGeneratedBy(ex:model, ex:training, -)\n", "model", "no activity generated it"),
    ],
)
def test_gaps_are_named(removed, thing, reason):
    (gap,) = found(CHAIN.replace(removed, b""), "raw").gaps
    assert gap.thing == EX + thing
    assert reason in gap.reason


def test_a_cycle_without_a_source_is_untrusted():
    circle = CHAIN.replace(b"used(ex:cleaning, ex:raw, -)", b"used(ex:cleaning, ex:model, -)")
    coverage = found(circle, "raw")
    assert coverage.percent == 100.0
    assert coverage.untrusted == (EX + "clean", EX + "model")


def test_sources_that_the_document_declares_are_accepted():
    declared = CHAIN.replace(b"entity(ex:raw)", b"entity(ex:raw, [prov:type='provrepo:Source'])").replace(
        b"prefix ex", b"prefix provrepo <https://w3id.org/provrepo/ns#>\nprefix ex"
    )
    assert measure(triples(declared)) == Coverage(5, 5)
    assert measure(triples(CHAIN)).complete == 4


def test_coverage_is_rounded_down():
    assert Coverage(3, 2).percent == 66.6
    assert Coverage(100_000, 99_999).percent == 99.9
    assert Coverage(0, 0).percent == 100.0


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=25), st.sets(st.integers(0, 8)))
@settings(max_examples=examples(60), deadline=None)
def test_things_without_a_path_to_a_source_are_untrusted(edges, trusted):
    """Compared with a traversal that follows every path."""
    up: dict[int, set[int]] = {}
    for below, above in edges:
        up.setdefault(below, set()).add(above)

    def leads(node: int, seen: frozenset[int]) -> bool:
        return node in trusted or any(leads(n, seen | {node}) for n in up.get(node, ()) if n not in seen | {node})

    triples = [(f"{EX}{a}", PROV + "wasDerivedFrom", f"{EX}{b}") for a, b in edges]
    coverage = measure(triples, start=EX + "0", sources=Sources(f"{EX}{n}" for n in trusted))
    reached, waiting = {0}, [0]
    while waiting:
        node = waiting.pop()
        for above in up.get(node, set()) if node not in trusted else ():
            if above not in reached:
                reached.add(above)
                waiting.append(above)
    assert coverage.things == len(reached)
    assert coverage.untrusted == tuple(f"{EX}{n}" for n in sorted(reached) if not leads(n, frozenset()))


_CLASSES = ("Entity", "Activity", "Agent", "Plan", "Bundle", "Person")
_NAMES = (*(f"{EX}{number}" for number in range(7)), *(f"ni:///sha-256;{letter}" for letter in "abc"))
_SUBJECTS = st.sampled_from(_NAMES).map(Identifier)
_TRIPLES = st.one_of(
    st.tuples(_SUBJECTS, st.sampled_from(PROPERTIES), _SUBJECTS),
    st.tuples(_SUBJECTS, st.just(RDF_TYPE), st.sampled_from([PROV + cls for cls in _CLASSES])),
    st.tuples(_SUBJECTS, st.just(RDF_TYPE), st.just(PROVREPO + "Source")),
)


@given(st.lists(_TRIPLES, max_size=25))
@settings(max_examples=examples(200), deadline=None)
def test_a_graph_is_counted_as_its_triples_are_measured(said):
    counted = count(Graph(Quad(subject, Identifier(name), Identifier(value)) for subject, name, value in said))
    measured = measure((str(subject), name, str(value)) for subject, name, value in said)
    assert counted == (measured.things, measured.complete)


COPY = b"""document
prefix ex <http://example.org/>
prefix ni <ni:///sha-256;>
agent(ex:ana)
entity(ex:raw)
entity(ex:made)
entity(ex:read)
entity(ex:report)
activity(ex:make)
activity(ex:write)
wasAssociatedWith(ex:make, ex:ana, -)
wasAssociatedWith(ex:write, ex:ana, -)
used(ex:make, ex:raw, -)
wasGeneratedBy(ex:made, ex:make, -)
specializationOf(ex:raw, ni:r)
specializationOf(ex:made, ni:m)
specializationOf(ex:read, ni:m)
used(ex:write, ex:read, -)
wasGeneratedBy(ex:report, ex:write, -)
specializationOf(ex:report, ni:p)
endDocument"""
"""What one run made and another read is linked by its content only."""


def of_copy(*sources: str, start: str | None = EX + "report", document: bytes = COPY) -> Coverage:
    return measure(triples(document), start=start, sources=Sources.parse("\n".join(sources)))


def test_content_leads_to_its_versions():
    for start in (EX + "report", "ni:///sha-256;p"):
        for source in (EX + "raw", "ni:///sha-256;r"):
            coverage = of_copy(source, start=start)
            assert (coverage.percent, coverage.untrusted, coverage.gaps) == (100.0, (), ()), (start, source)
    assert EX + "make" in of_copy(EX + "raw").names


def test_bytes_of_which_no_version_has_an_origin_are_a_gap():
    coverage = of_copy()
    assert [gap.thing for gap in coverage.gaps] == [EX + "raw", "ni:///sha-256;r"]
    assert {EX + "raw", "ni:///sha-256;r", EX + "report"} <= set(coverage.untrusted)
    unmade = COPY.replace(b"wasGeneratedBy(ex:made, ex:make, -)\n", b"")
    assert [gap.thing for gap in of_copy(EX + "raw", document=unmade).gaps] == [
        EX + "made",
        EX + "read",
        "ni:///sha-256;m",
    ]


def test_the_same_bytes_are_the_same_source():
    assert of_copy("ni:///sha-256;m") == of_copy(EX + "made") == of_copy(EX + "read")
    assert of_copy(EX + "made").things == 4
    # A general entity that is no content is another thing.
    other = COPY.replace(b"specializationOf(ex:read, ni:m)", b"specializationOf(ex:read, ex:series)")
    assert EX + "series" in of_copy(EX + "raw", document=other).untrusted


@pytest.mark.parametrize("pattern", ["*", "**", "http://*a*a*a*a*a*a*a*a*a"])
def test_sources_that_would_be_everything_are_refused(pattern):
    with pytest.raises(UsageError, match="is not a source"):
        Sources.parse(pattern)


def test_sources_are_iris_and_not_regular_expressions():
    known = Sources.parse("# data of our own\n\n  http://example.org/a.csv  \nhttps://data.example.org/*\n")
    assert "http://example.org/a.csv" in known
    assert "http://example.org/a-csv" not in known
    assert "https://data.example.org/2024/b.csv" in known
    assert "x https://data.example.org/" not in known
    assert "anything" not in Sources.parse("")


# The verb -------------------------------------------------------------------------------------------------------


@pytest.fixture
def crops(repository: Repository) -> Repository:
    """The chain in two documents: a lineage crosses them."""
    repository.create_project("crops")
    upper, lower = CHAIN.split(b"activity(ex:training)")
    names = b"entity(ex:clean)\nentity(ex:model)\nactivity(ex:cleaning)\n"
    cut = lower.index(b"used(ex:training")
    first = upper + lower[:cut].replace(b"wasAssociatedWith(ex:training, ex:ana, -)\n", b"") + b"endDocument"
    second = b"document\nprefix ex <http://example.org/>\n" + names + b"activity(ex:training)\n"
    second += b"wasAssociatedWith(ex:training, ex:ana, -)\n" + lower[cut:]
    repository.submit(first, project="crops", name="cleaning", format="provn")
    repository.submit(second, project="crops", name="training", format="provn")
    return repository


def test_the_gate_traverses_all_documents_of_a_project(crops):
    passed = crops.gate(EX + "model", sources=[EX + "raw"], min_coverage=100, project="crops")
    assert (passed.passed, passed.coverage, passed.things, passed.untrusted) == (True, 100.0, 5, ())
    refused = crops.gate(EX + "model", sources=[EX + "other"], min_coverage=50, project="crops")
    assert (refused.passed, refused.coverage) == (False, 80.0)
    assert EX + "raw" in refused.untrusted
    crops.withdraw("crops", "cleaning", reason="to test")
    poor = crops.gate(EX + "model", sources=[EX + "clean"], min_coverage=95, project="crops")
    assert poor.passed
    for chosen, where in (({"project": "crops"}, "project crops"), ({"public": True}, "the public projects")):
        with pytest.raises(NotFound, match=f"nothing is known of {EX}nobody in {where}"):
            crops.gate(EX + "nobody", sources=[EX + "raw"], **chosen)
    for wrong in ("model", "http://example.org/> ?x . <", ""):
        with pytest.raises(UsageError):
            crops.gate(wrong, sources=[EX + "raw"], project="crops")
    with pytest.raises(UsageError):
        crops.gate(EX + "model", sources=[EX + "raw"], min_coverage=101, project="crops")


def test_the_gate_has_exit_codes(crops, tmp_path: Path):
    data = str(crops.settings.data)
    crops.close()
    sources = tmp_path / "sources.txt"
    sources.write_text(f"# ours\n{EX}raw\n", "utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["--data", data, "gate", "--project", "crops", *arguments])
        return result.exit_code, result.output

    code, text = run(EX + "model", "--sources", str(sources), "--min-coverage", "95")
    assert (code, text.splitlines()[0]) == (
        0,
        f"passed: {EX}model, coverage 100 % of 5 (at least 95 %), 0 untrusted",
    )
    sources.write_text("http://other.example/*\n", "utf-8")
    code, text = run(EX + "model", "--sources", str(sources), "--output", "json")
    assert code == 1
    assert json.loads(text)["passed"] is False
    assert json.loads(text)["gaps"][0]["thing"] == EX + "raw"
    assert run(EX + "nobody", "--sources", str(sources))[0] == 1
    assert run("no iri", "--sources", str(sources))[0] == 2
    assert run(EX + "model", "--sources", str(sources), "--min-coverage", "101")[0] == 2
    assert RDF_TYPE not in text
