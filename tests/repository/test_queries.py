"""The named queries: their files, their parameters, and their answers on the examples' data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.cli.demo import Story, _run_pipeline
from provrepo.errors import Damaged, NotFound, UsageError
from provrepo.repository.queries.named import by_name, load, read
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.resources import root
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.command import Command

MORE = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix schema: <http://schema.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix e: <https://example.org/> .
e:failed a prov:Activity ; prov:startedAtTime "2026-01-01T10:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
  schema:actionStatus schema:FailedActionStatus ; schema:error "disk full" ; prov:used e:image, e:settings ;
  prov:qualifiedUsage [ a prov:Usage ; prov:entity e:settings ; prov:hadRole e:config-file ] ;
  prov:qualifiedAssociation [ a prov:Association ; prov:agent e:engine ; prov:hadPlan e:script ] ;
  prov:wasAssociatedWith e:engine ; schema:additionalProperty e:memory .
e:memory schema:propertyID "memory" ; schema:value 512 ; schema:unitCode "MB" .
e:engine a prov:SoftwareAgent ; rdfs:label "engine" ; schema:softwareVersion "1.2" .
e:script a prov:Plan, prov:Entity ; schema:softwareRequirements e:library ;
  <https://codemeta.github.io/terms/buildInstructions> e:environment .
e:image a prov:Entity, <https://w3id.org/ro/terms/workflow-run#DockerImage> .
e:settings a prov:Entity .
e:alone a prov:Entity ; rdfs:label "alone" .
e:unused prov:wasDerivedFrom e:image .
"""
EX = "https://example.org/"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the examples in the public project crops."""
    work = tmp_path_factory.mktemp("examples")
    examples = root() / "examples"
    (work / "work").mkdir()
    with Store.open(Settings(data=work / "data", workers=1)) as store:
        repository = Repository(store, store.owner())
        repository.create_project("crops", public=True)
        for name, path in _run_pipeline(Story(), examples / "crops", work / "work"):
            repository.submit(path, project="crops", name=name)
        repository.submit(examples / "cwltool" / "primary.cwlprov.provn", project="crops", name="cwltool")
        repository.submit(MORE, project="crops", name="more", format="turtle")
    return work / "data"


@pytest.fixture(scope="module")
def store(data: Path) -> Iterator[Store]:
    with Store.open(Settings(data=data, workers=1, query_workers=2)) as store:
        yield store


def rows(store: Store, name: str, **values: str) -> list[dict[str, str]]:
    repository = Repository(store, store.owner())
    found = repository.query(by_name(name).bind(values), project="crops")
    return [{k: str(getattr(v, "lexical", v)) for k, v in row.items()} for row in found.rows]


ANSWERS = {
    "agents": {"name": "Ana Example"},
    "configuration": {"activity": EX + "failed", "file": EX + "settings"},
    "containers": {"image": EX + "image"},
    "durations": {"label": "Run of workflow/packed.cwl#main"},
    "environments": {"file": EX + "environment"},
    "failures": {"activity": EX + "failed", "reason": "disk full", "input": EX + "settings"},
    "inputs-outputs": {"direction": "output", "label": "report.md"},
    "longest-chains": {"name": "report.md"},
    "orphans": {"thing": EX + "alone", "label": "alone"},
    "outcomes": {"activity": EX + "failed", "outcome": "FailedActionStatus"},
    "parameters": {"value": "1"},
    "resources": {"property": "memory", "value": "512", "unit": "MB"},
    "scripts": {"script": EX + "script", "requires": EX + "library"},
    "software-versions": {"software": EX + "engine", "version": "1.2"},
    "unfinished": {"activity": EX + "failed"},
    "without-source": {"entity": EX + "image"},
    "workflow-duration": {"label": "Run of workflow/packed.cwl#main"},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_query_finds_what_it_asks_for(store: Store, name: str) -> None:
    found = rows(store, name)
    wanted = ANSWERS[name].items()
    assert any(wanted <= row.items() for row in found), found


def test_changed_inputs_are_those_of_one_run_alone(store: Store) -> None:
    runs = sorted({row["activity"] for row in rows(store, "durations") if row.get("label") == "clean"})
    assert len(runs) == 2
    assert rows(store, "changed-inputs", first=runs[0], second=runs[1]) == []
    found = rows(store, "changed-inputs", first=runs[0], second=EX + "failed")
    assert {row["input"] for row in found if row["run"] == EX + "failed"} == {EX + "image", EX + "settings"}
    assert [row for row in found if row["run"] == runs[0]]


def test_every_query_is_tested() -> None:
    of_runs = {"changed-inputs", "compare-runs", "equal-values", "runs"}
    of_datasets = {"schema-changes", "not-refreshed", "to-run-again", "training-in-test"}  # datasets/test_questions.py
    assert {query.name for query in load()} == {*ANSWERS, *of_runs, *of_datasets}


def test_an_optional_parameter_narrows_the_answer(store: Store) -> None:
    assert {row["activity"] for row in rows(store, "outcomes", run=EX + "failed")} == {EX + "failed"}
    assert rows(store, "outcomes", run=EX + "nothing") == []


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("changed-inputs", {"first": EX}, "needs second"),
        ("changed-inputs", {"first": EX, "second": "x> } DROP ALL #"}, "not an absolute IRI"),
        ("changed-inputs", {"first": EX, "second": EX, "third": EX}, "no parameter 'third'"),
        ("outcomes", {"run": "relative"}, "not an absolute IRI"),
    ],
)
def test_wrong_parameters_are_refused(name: str, values: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        by_name(name).bind(values)


@pytest.mark.parametrize("value", ['")) } #', "\\", '"""', "'\n", "$run", "\\u0022", "}"])
def test_text_stays_text(store: Store, value: str) -> None:
    assert rows(store, "configuration", role=value) == []


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="changed-inputs"):
        by_name("nothing")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# title: t\n\nASK {}",
        "# title: t\n# question: q\n# parameter x: y\n\nASK {}",
        "# title: t\n# question: q\n\nASK { ?s ?p $o }",
        "# title: t\n# question: q\n# parameter x iri: y\n\nASK {}",
    ],
)
def test_a_file_that_is_not_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "q.rq"
    file.write_text(text)
    with pytest.raises(Damaged):
        read(file)


def test_kinds_of_parameters(tmp_path: Path) -> None:
    file = tmp_path / "q.rq"
    file.write_text(
        "# title: t\n# question: q\n# parameter n integer: y\n# parameter t time: z\n\nASK { FILTER($n < 1 && $t < 1) }"
    )
    query = read(file)
    assert '"7"^^<http://www.w3.org/2001/XMLSchema#integer>' in query.bind({"n": "7", "t": "2026-01-01T00:00:00Z"})
    for wrong in ({"n": "7.5", "t": "2026-01-01T00:00:00Z"}, {"n": "7", "t": "yesterday"}):
        with pytest.raises(UsageError):
            query.bind(wrong)


def test_over_http(store: Store) -> None:
    client = create_app(store).test_client()
    listed = client.get("/queries").get_json()["queries"]
    assert [query["name"] for query in listed] == [query.name for query in load()]
    page = client.get("/queries", headers={"Accept": "text/html"})
    assert page.mimetype == "text/html"
    assert all(query.title in page.text for query in load())
    for parameters in ({}, {"project": "crops"}, {"run": EX + "failed", "timeout": "5"}):
        answer = client.get(
            "/queries/failures" if "run" not in parameters else "/queries/outcomes",
            query_string={**parameters, "format": "csv"},
        )
        assert answer.status_code == 200
        assert EX + "failed" in answer.text
    assert client.get("/queries/changed-inputs").status_code == 400
    assert client.get("/queries/nothing").status_code == 400
    assert client.get("/queries/failures?project=none").status_code == 404
    asked = client.get("/queries/failures", headers={"Accept": "text/html"})
    assert "disk full" in asked.text


def test_on_the_command_line(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    run = Command(copy)
    run("project", "create", "crops")
    document = tmp_path / "more.ttl"
    document.write_bytes(MORE)
    run("submit", document, "--project", "crops", "--name", "more")
    found = json.loads(
        run(
            "query", "--name", "outcomes", "--param", f"run={EX}failed", "--project", "crops", "--output", "json"
        ).stdout
    )
    assert len(found["results"]["bindings"]) == 1
    assert "changed-inputs" in run("query", "--name", "list").stdout
    assert "KEY=VALUE" in run.error("query", "--name", "outcomes", "--param", "run", code=2)
    assert "--name" in run.error("query", "--param", "a=b", "ASK {}", code=2)
    assert "there are" in run.error("query", "--name", "nothing", code=1)
