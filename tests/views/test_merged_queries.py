"""Queries over several projects: the merge has each triple once, and is made again only after a change."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.errors import NotFound, QueryError, UsageError
from provrepo.repository.repository import Repository
from provrepo.repository.repository import open as open_repository
from provrepo.settings import Settings
from provrepo.views.contract import BASE, ChangeStream
from provrepo.views.sparql.querying import merging
from provrepo.views.sparql.store import Quads
from tests.support.command import Command
from tests.support.sampling import FULL
from tests.support.serving import BROWSER, PROVN, Site, opened

WORLDS = 12 if FULL else 3
PROJECTS = ("crops", "soil", "weather")
TOGETHER = "together"
EX = "https://example.org/"


def generated(chance: random.Random, number: int) -> bytes:
    """A document in Turtle about things that other documents mention too, with blank nodes and a qualified relation."""
    things = [f"e:t{place}" for place in range(8)]
    lines = ["@prefix prov: <http://www.w3.org/ns/prov#> .", f"@prefix e: <{EX}> ."]
    for _ in range(chance.randrange(1, 8)):
        one, other = chance.sample(things, 2)
        run = f"e:run{chance.randrange(4)}"
        lines.append(
            chance.choice(
                [
                    f"{one} prov:wasDerivedFrom {other} .",
                    f"{run} prov:used {one} .",
                    f"{one} prov:wasGeneratedBy {run} .",
                    f"{run} a prov:Activity ; prov:qualifiedUsage [ a prov:Usage ; prov:entity {one} ] .",
                    f"{one} prov:wasAttributedTo [ a prov:Agent ; e:number {number % 3} ] .",
                ]
            )
        )
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merged")


def world(folder: Path, seed: int) -> Repository:
    """Documents that are split over projects, and all of them in one."""
    chance = random.Random(seed)
    repository = open_repository(settings=Settings(data=folder / str(seed), workers=1, query_workers=1))
    repository.init(base=BASE)
    for name in (*PROJECTS, TOGETHER):
        repository.create_project(name)
    contents = [generated(chance, number) for number in range(3)]
    for number in range(6):
        # Some documents have the same bytes.
        content = chance.choice(contents) if number % 2 else generated(chance, number)
        project = chance.choice(PROJECTS[:2])
        for where, name in ((project, f"d{number}"), (TOGETHER, f"{project}-d{number}")):
            repository.submit(content, project=where, name=name, format="turtle")
    return repository


def as_if_apart(iri: str) -> str:
    """The name of a graph of the project with all documents, as the graph is named in its own project."""
    return re.sub(rf"projects/{TOGETHER}/documents/(\w+)-", r"projects/\1/documents/", iri)


def quads(repository: Repository, project: object) -> Counter[tuple[str, ...]]:
    """All rows of the default graph and of the named graphs but the catalogue, with their numbers."""
    default = repository.query("SELECT * { ?s ?p ?o }", project=project)
    named = repository.query(
        "SELECT * { GRAPH ?g { ?s ?p ?o } FILTER(!STRENDS(STR(?g), '/catalogue')) }", project=project
    )
    rows = [("", *(as_if_apart(str(row[name])) for name in "spo")) for row in default]
    rows += [tuple(as_if_apart(str(row[name])) for name in "gspo") for row in named]
    return Counter(rows)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_a_merge_is_what_one_project_with_all_documents_would_be(data: Path, seed: int) -> None:
    with world(data, seed) as repository:
        names = [info.name for info in repository.projects() if info.name not in (TOGETHER, "default")]
        expected = quads(repository, TOGETHER)
        assert quads(repository, names) == expected
        assert quads(repository, list(reversed(names)) + names) == expected
        assert set(expected.values()) == {1}
        counts = "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?subjects) { ?s ?p ?o }"
        assert repository.query(counts, project=names).rows == repository.query(counts, project=TOGETHER).rows
        versions = "SELECT ?v { GRAPH ?c { ?v a provrepo:Version } }"
        found = {str(row["v"]) for row in repository.query(versions, project=names)}
        assert found == {as_if_apart(str(row["v"])) for row in repository.query(versions, project=TOGETHER)}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    settings = Settings(data=tmp_path / "data", workers=1, query_workers=2)
    with open_repository(settings=settings) as repository:
        for project in PROJECTS:
            repository.create_project(project)
            document = f"document prefix e <{EX}> entity(e:{project}) entity(e:shared) endDocument"
            repository.submit(document.encode(), project=project, name="run", format="provn")
        yield repository


ENTITIES = f"SELECT ?s {{ ?s a prov:Entity FILTER(STRSTARTS(STR(?s), '{EX}')) }} ORDER BY ?s"


def entities(repository: Repository, *projects: str) -> list[str]:
    return [str(row["s"]).removeprefix(EX) for row in repository.query(ENTITIES, project=projects)]


def kept(repository: Repository) -> set[Path]:
    root = repository.settings.data / "views" / "quads-checkpoints" / ".merged"
    return set(root.glob("*/*"))


def test_a_merge_is_kept_until_one_of_its_projects_changes(repository: Repository) -> None:
    assert entities(repository, "crops", "soil") == ["crops", "shared", "soil"]
    first = kept(repository)
    assert len(first) == 1
    assert entities(repository, "soil", "crops", "soil") == ["crops", "shared", "soil"]
    assert kept(repository) == first
    repository.submit(
        b"document prefix e <https://example.org/> entity(e:new) endDocument", project="weather", name="n"
    )
    assert entities(repository, "crops", "soil") == ["crops", "shared", "soil"]
    assert kept(repository) == first
    repository.withdraw("soil", "run", reason="wrong")
    assert not kept(repository), "withdrawn content must not stay in a copy"
    assert entities(repository, "crops", "soil") == ["crops", "shared"]
    assert entities(repository, *PROJECTS) == ["crops", "new", "shared", "weather"]


def test_few_merges_are_kept(repository: Repository) -> None:
    for number in range(7):
        repository.create_project(f"p{number}")
        repository.submit(PROVN, project=f"p{number}", name="run", format="provn")
        assert "crops" in entities(repository, "crops", f"p{number}")
    assert len(kept(repository)) == 4


def test_one_project_and_empty_ones_need_no_merge(repository: Repository) -> None:
    repository.create_project("empty")
    assert entities(repository, "crops") == ["crops", "shared"]
    assert not kept(repository)
    assert entities(repository, "crops", "empty", "default") == ["crops", "shared"]


def test_too_much_to_merge_is_an_error_that_says_what_to_do(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MERGED_QUADS", 5)
    with pytest.raises(QueryError, match=r"at most 5 can be merged .* query fewer projects at once"):
        entities(repository, "crops", "soil")
    assert not kept(repository)
    assert entities(repository, "crops") == ["crops", "shared"]
    monkeypatch.setattr(merging, "MAX_DATASETS", 2)
    with pytest.raises(QueryError, match="names 3 projects; at most 2"):
        entities(repository, *PROJECTS)


def test_bad_queries_and_projects_are_refused(repository: Repository) -> None:
    with pytest.raises(QueryError, match="SERVICE"):
        repository.query("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", project=["crops", "soil"])
    with pytest.raises(QueryError):
        repository.query("SELECT nonsense", project=["crops", "soil"])
    with pytest.raises(UsageError, match="names no project"):
        repository.query(ENTITIES, project=[])
    with pytest.raises(NotFound, match="'nowhere'"):
        repository.query(ENTITIES, project=["crops", "nowhere"])


def test_graphs_of_both_projects_can_be_selected(repository: Repository) -> None:
    graphs = [str(repository.version(project, "run").iri) for project in ("crops", "soil")]
    found = repository.query(ENTITIES, project=["crops", "soil", "weather"], default_graphs=graphs)
    assert [str(row["s"]).removeprefix(EX) for row in found] == ["crops", "shared", "soil"]


def test_a_view_without_workers_merges_too(view: Quads, stream: ChangeStream, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = ChangeStream(tmp_path / "other", project="soil")
    for dataset, changes in (("crops", stream), ("soil", other)):
        view.apply(dataset, changes.submit("run", [f"<{EX}{dataset}> <{EX}p> <{EX}o>", f"<{EX}a> <{EX}p> <{EX}o>"]))
    found = view.query(["crops", "soil"], f"SELECT ?s {{ ?s <{EX}p> ?o }} ORDER BY ?s")
    assert [str(row["s"]).removeprefix(EX) for row in found] == ["a", "crops", "soil"]


def test_the_command_line_merges(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    for project in ("crops", "soil"):
        file = tmp_path / f"{project}.provn"
        file.write_text(f"document prefix e <{EX}> entity(e:{project}) entity(e:shared) endDocument")
        command("project", "create", project)
        command("submit", file, "--project", project, "--name", "run")
    text = command("query", ENTITIES, "--project", "crops", "--project", "soil", "--output", "csv").output
    assert text.split() == ["s", f"{EX}crops", f"{EX}shared", f"{EX}soil"]
    assert "exclude each other" in command.error("query", ENTITIES, "--project", "crops", "--public", code=2)
    assert "'no'" in command.error("query", ENTITIES, "--project", "crops", "--project", "no", code=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.create_project("more", public=True)
        site.submit("other", PROVN.replace(b"ex:table", b"ex:chart"), project="more")
        yield site


TABLES = "SELECT ?t { ?t prov:wasGeneratedBy ?run } ORDER BY ?t"


def test_http_merges_what_the_caller_may_read(site: Site) -> None:
    both = [("project", "open"), ("project", "more")]
    for answer in (
        site.client.get("/sparql", query_string=[*both, ("query", TABLES)]),
        site.client.post("/sparql", data={"query": TABLES, "project": ["open", "more"]}),
        site.client.post("/sparql", query_string=both, data=TABLES, content_type="application/sparql-query"),
    ):
        assert answer.status_code == 200
        rows = answer.get_json()["results"]["bindings"]
        assert [row["t"]["value"] for row in rows] == [f"{EX}chart", f"{EX}table"]
    one = site.client.get("/sparql", query_string={"project": "more", "query": TABLES}).get_json()
    assert [row["t"]["value"] for row in one["results"]["bindings"]] == [f"{EX}chart"]


@pytest.mark.parametrize("who", ["", "open"])
def test_a_project_that_the_caller_may_not_read_does_not_exist(site: Site, who: str) -> None:
    problems = []
    for name in ("secret", "nowhere"):
        for query in ({"query": TABLES}, {}):
            answer = site.client.get(
                "/sparql", query_string=[("project", "open"), ("project", name), *query.items()], headers=site.auth(who)
            )
            assert answer.status_code == 404
            problems.append(answer.get_json()["detail"].replace(name, "NAME"))
    assert len(set(problems)) == 1
    merged = [("project", "open"), ("project", "secret"), ("query", TABLES)]
    assert site.client.get("/sparql", query_string=merged, headers=site.auth("reader")).status_code == 200


def test_the_query_page_keeps_the_projects(site: Site) -> None:
    both = [("project", "open"), ("project", "more")]
    page = site.client.get("/sparql", query_string=[*both, ("query", TABLES)], headers={"Accept": BROWSER})
    assert page.status_code == 200
    assert "Query the projects open and more" in page.text
    assert '<input type="hidden" name="project" value="more">' in page.text
    assert "project=open&amp;project=more&amp;query=" in page.text
    described = site.client.get("/sparql", query_string=both, headers={"Accept": "text/turtle"})
    assert described.status_code == 200
    assert "the projects open and more" in described.text


def test_the_address_of_a_project_takes_no_other_project(site: Site) -> None:
    answer = site.client.get("/projects/open/sparql", query_string={"query": TABLES, "project": "more"})
    assert answer.status_code == 400
    assert "to query several" in answer.get_json()["detail"]


def test_the_access_log_has_the_projects(site: Site) -> None:
    merged = [("project", "open"), ("project", "secret"), ("query", TABLES)]
    assert site.client.get("/sparql", query_string=merged, headers=site.auth("all")).status_code == 200
    for project in ("open", "secret"):
        assert site.owner.audit(project, action="query").events, project
