"""Documents as GraphML and as CSV for Neo4j, checked by the rules of their specifications."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from xml.etree import ElementTree

from hypothesis import given

import provrepo
from provrepo.model.document import Document
from tests.support import strategies

_GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
RUN = b"""document
prefix ex <http://example.org/>
entity(ex:out, [prov:label="a table", prov:label="another", prov:type="Table", prov:value="1" %% xsd:int,
    ex:p="x \\"y\\" \\\\"])
activity(ex:run, 2026-01-01T10:00:00Z, 2026-01-01T11:00:00)
wasGeneratedBy(ex:g; ex:out, ex:run, 2026-01-01T10:30:00+01:00, [prov:role="result"])
used(ex:run, -, -)
wasAssociatedWith(ex:run, ex:ana, ex:plan)
wasDerivedFrom(ex:out, ex:in, ex:run, ex:g, -, [prov:type='prov:Revision'])
bundle ex:b
  entity(ex:in, [prov:location="a|b, c\\nd"])
  wasAttributedTo(ex:in, ex:ana)
endBundle
endDocument"""


def document() -> Document:
    return provrepo.read(RUN, format="provn")


def graphml(data: bytes) -> tuple[dict[str, dict[str, str]], list[tuple[str, str, dict[str, str]]]]:
    """The nodes and edges, after the rules that are not in a DTD: keys are declared, ends exist, ids are unique."""
    root = ElementTree.fromstring(data)
    keys = {key.attrib["id"]: (key.attrib["for"], key.attrib["attr.name"]) for key in root.iter(f"{_GRAPHML}key")}
    assert {key.attrib["attr.type"] for key in root.iter(f"{_GRAPHML}key")} <= {"string", "int", "long"}
    nodes: dict[str, dict[str, str]] = {}
    edges = []
    for element in root.find(f"{_GRAPHML}graph") or ():
        kind = element.tag.removeprefix(_GRAPHML)
        values = {}
        for child in element:
            scope, name = keys[child.attrib["key"]]
            assert scope == kind
            values[name] = child.text or ""
        if kind == "node":
            assert re.fullmatch(r"[\w.:-]+", element.attrib["id"])
            assert element.attrib["id"] not in nodes
            nodes[element.attrib["id"]] = values
        else:
            edges.append((element.attrib["source"], element.attrib["target"], values))
    assert {end for source, target, _ in edges for end in (source, target)} <= nodes.keys()
    return nodes, edges


def neo4j(data: bytes) -> tuple[dict[str, dict[str, str]], list[dict[str, str]], str]:
    """The rows, after the rules of neo4j-admin: typed heads, one ID each, ends that exist, labels, types."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["nodes.csv", "relationships.csv", "load.cypher"]
        tables = [
            list(csv.reader(io.StringIO(archive.read(name).decode(), newline=""))) for name in archive.namelist()[:2]
        ]
        script = archive.read("load.cypher").decode()
    head = re.compile(r"(\w+:ID)|(:LABEL|:START_ID|:END_ID|:TYPE)|\w+:(string|datetime|long)(\[\])?")
    for rows in tables:
        assert [name for name in rows[0] if not head.fullmatch(name)] == []
        assert {len(row) for row in rows} == {len(rows[0])}
    found = [dict(zip(tables[0][0], row, strict=True)) for row in tables[0][1:]]
    nodes = {row["iri:ID"]: row for row in found}
    assert len(nodes) == len(found)
    edges = [dict(zip(tables[1][0], row, strict=True)) for row in tables[1][1:]]
    for row in edges:
        assert {row[":START_ID"], row[":END_ID"]} <= nodes.keys()
        assert f"CREATE (a)-[:`{row[':TYPE']}`" in script
        for name, value in row.items():
            if value and name.endswith(":long"):
                int(value)
    for row in (*nodes.values(), *edges):
        for name, value in row.items():
            assert not (value and name.endswith(":datetime")) or re.search(
                r"T\d\d:\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$", value
            )
    return nodes, edges, script


def test_graphml() -> None:
    nodes, edges = graphml(document().write("graphml"))
    by_name = {values["iri"].rpartition("/")[2]: values for values in nodes.values()}
    assert by_name.keys() == {"out", "run", "ana", "plan", "in"}
    assert by_name["out"] == {
        "labelV": "Entity",
        "iri": "http://example.org/out",
        "label": "a table",
        "kinds": "entity",
        "types": "Table",
        "value": "1",
        "attributes": '{"http://example.org/p":"x \\u0022y\\u0022 \\u005c","http://www.w3.org/ns/prov#label":"another",'
        '"http://www.w3.org/ns/prov#value":{"datatype":"http://www.w3.org/2001/XMLSchema#int","value":"1"}}',
    }
    assert (by_name["run"]["startTime"], by_name["run"]["endTime"]) == ("2026-01-01T10:00:00Z", "2026-01-01T11:00:00")
    assert by_name["ana"]["labelV"] == "Agent"
    named = {key: values["iri"].rpartition("/")[2] for key, values in nodes.items()}
    assert [(named[source], values["labelE"], named[target]) for source, target, values in edges] == [
        ("out", "wasGeneratedBy", "run"),
        ("run", "wasAssociatedWith", "ana"),
        ("run", "wasAssociatedWith:plan", "plan"),
        ("out", "wasDerivedFrom", "in"),
        ("in", "wasAttributedTo", "ana"),
    ]
    generation, derivation, attribution = edges[0][2], edges[3][2], edges[4][2]
    assert (generation["role"], generation["time"]) == ("result", "2026-01-01T10:30:00+01:00")
    assert generation["id"].endswith("/g")
    assert (derivation["subtype"], derivation["activity"]) == ("wasRevisionOf", "http://example.org/run")
    assert derivation["attributes"] == '{"http://www.w3.org/ns/prov#generation":{"iri":"http://example.org/g"}}'
    assert attribution["bundle"] == "http://example.org/b"


def test_neo4j() -> None:
    nodes, edges, _ = neo4j(document().write("neo4j"))
    run = nodes["http://example.org/run"]
    assert (run[":LABEL"], run["startTime:datetime"], run["endTime:datetime"], run["endedAt:string"]) == (
        "Thing|Activity",
        "2026-01-01T10:00:00Z",
        "",
        "2026-01-01T11:00:00",
    )
    assert nodes["http://example.org/in"]["location:string"] == "a|b, c\nd"
    assert [row[":TYPE"] for row in edges][:2] == ["wasGeneratedBy", "wasAssociatedWith"]


def test_losses_name_relations_that_are_no_edges() -> None:
    for format_ in ("graphml", "neo4j"):
        first, second = document().losses(format_)
        assert "documents cannot be read from it" in first.reason
        assert second.reason.endswith("has no edge for a relation without its second argument")
        assert second.subject == "http://example.org/run"


def test_any_document_is_a_graph_and_the_same_each_time() -> None:
    @given(strategies.documents())
    def check(given_: Document) -> None:
        nodes, edges = graphml(given_.write("graphml"))
        rows, relations, _ = neo4j(given_.write("neo4j"))
        assert {values["iri"] for values in nodes.values()} == set(rows)
        assert len(edges) == len(relations)
        assert given_.write("neo4j") == given_.write("neo4j")

    check()
