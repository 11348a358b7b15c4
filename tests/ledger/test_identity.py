"""The identity of a repository: drawn once; IRIs without a base IRI depend on it."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.ledger.entries import REPOSITORY
from provrepo.ledger.ledger import Ledger
from provrepo.model.minting import Minter
from provrepo.repository.repository import Repository
from tests.support.command import environment
from tests.support.directories import BUNDLED, FIRST, SECOND, fill, iris, unpack
from tests.support.ledgers import SOFTWARE, submit, tamper
from tests.support.paths import ROOT, TESTS

ARCHIVES = sorted((TESTS / "data").glob("directory-v*.tar.gz"))


def minted(found: dict[str, Any]) -> set[str]:
    """All IRIs that a repository minted, as ``directories.iris`` lists them."""
    names = {name for names in found["datasets"].values() for name in names}
    return names | set(found["versions"].values()) | set(found["sources"])


def assert_kept(repository: Repository, expected: dict[str, Any]) -> None:
    """Check that all former IRIs exist; another mapping may have added some."""
    found = iris(repository)
    assert found["versions"] == expected["versions"]
    assert found["sources"] == expected["sources"]
    for project, names in expected["datasets"].items():
        assert set(names) <= set(found["datasets"][project])


def test_two_repositories_never_give_one_iri_to_different_things(tmp_path: Path) -> None:
    found = []
    shared: set[str] = set()
    for name in ("a", "b"):
        with provrepo.open(tmp_path / name) as repository:
            fill(repository)
            repository.create_project("same")
            repository.submit(BUNDLED, project="same", name="run", format="trig")
            found.append(minted(iris(repository)))
            for project in repository.projects():
                rows = repository.query(
                    "PREFIX provrepo: <https://w3id.org/provrepo/ns#> SELECT ?s "
                    "{ GRAPH ?g { ?s ?p ?o } FILTER(CONTAINS(STR(?g), 'completed')) }",
                    project=project.name,
                ).rows
                shared |= {str(row["s"]) for row in rows}
    assert found[0]
    assert {name for name in found[0] & found[1] if name not in shared} == set()
    # IRIs that completion mints from the triple alone are the same in both.
    assert all("#" not in name for name in found[0] & found[1])


def test_the_identity_is_an_entry_and_stays(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        first = ledger.identity()
        (entry,) = ledger.entries(REPOSITORY)
    assert entry.body == {"id": first.id, "former": False, "setup": entry.body["setup"]}
    assert uuid.UUID(entry.body["setup"]).version == 4
    assert entry.body["setup"] != first.id
    assert uuid.UUID(first.id).version == 4
    assert first.before == {}
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        assert ledger.identity() == first
        assert ledger.length(REPOSITORY) == 1


def test_names_come_from_the_identity_until_there_is_a_base(tmp_path: Path) -> None:
    with provrepo.open(tmp_path / "data") as repository:
        repository.init()
        identity = repository.identity()
        receipt = repository.submit(FIRST, name="run")
        path = "projects/default/documents/run/versions/1"
        assert receipt.version.iri == f"urn:uuid:{uuid.uuid5(uuid.UUID(identity), path)}"
        repository.init("https://prov.example/")
        assert repository.version("default", "run").iri == f"https://prov.example/{path}"
        assert repository.identity() == identity


OPENER = """
import json, sys
import provrepo
with provrepo.open(sys.argv[1]) as repository:
    repository.submit(b"document\\n entity(a)\\nendDocument" if False else
        b'{"prefix": {"ex": "http://example.org/"}, "entity": {"ex:a": {}}}', name="run-" + sys.argv[2])
    print(json.dumps([repository.identity(), repository.version("default", "run-" + sys.argv[2]).iri]))
"""


def test_processes_that_open_a_new_directory_at_once_agree(tmp_path: Path) -> None:
    for attempt in range(3):
        data = tmp_path / str(attempt)
        started = [
            subprocess.Popen(
                [sys.executable, "-c", OPENER, str(data), str(number)],
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for number in range(4)
        ]
        results = [process.communicate() for process in started]
        assert [process.returncode for process in started] == [0] * 4, results
        found = [json.loads(output) for output, _ in results]
        assert len({identity for identity, _ in found}) == 1
        assert len({iri for _, iri in found}) == 4
        with Ledger(data, software=SOFTWARE) as ledger:
            assert [entry.kind for entry in ledger.entries(REPOSITORY)] == ["identity", "key", "name"]
            assert list(ledger.verify()) == []


# Upgrading


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_an_earlier_directory_keeps_its_names(archive: Path, tmp_path: Path) -> None:
    expected = unpack(archive, tmp_path)
    with provrepo.open(tmp_path / "data") as repository:
        assert_kept(repository, expected)
        assert repository.fsck().problems == ()
        uuid.UUID(repository.identity())
        repository.rebuild()
        assert_kept(repository, expected)
        assert repository.fsck().problems == ()
    with provrepo.open(tmp_path / "data") as repository:
        assert_kept(repository, expected)


def test_what_comes_after_an_upgrade_is_named_by_the_identity(tmp_path: Path) -> None:
    added = []
    for name in ("a", "b"):
        before = unpack(ARCHIVES[0], tmp_path / name)
        with provrepo.open(tmp_path / name / "data") as repository:
            old = repository.version("crops", "run").iri
            iri = repository.submit(FIRST + b"ex:new a prov:Entity .\n", project="crops", name="run", update=True)
            repository.submit(BUNDLED, project="crops", name="other", format="trig")
            repository.create_project("new")
            repository.submit(SECOND, project="new", name="run")
            after = iris(repository)
            repository.rebuild()
            assert iris(repository) == after
        assert old in set(before["versions"].values())
        assert iri.version.iri not in minted(before)
        # Older versions and their document keep their IRIs.
        assert before["versions"].items() <= after["versions"].items()
        added.append({value for key, value in after["versions"].items() if key not in before["versions"]})
        assert len(added[-1]) == 3
    assert not added[0] & added[1]


def test_the_upgrade_divides_each_stream(tmp_path: Path) -> None:
    unpack(ARCHIVES[0], tmp_path)
    with Ledger(tmp_path / "data", software=SOFTWARE) as ledger:
        identity = ledger.identity()
        streams = [REPOSITORY, *ledger.projects()]
        assert set(identity.before) == set(streams)
        for project in streams:
            last = [entry for entry in ledger.entries(project) if entry.kind not in ("name", "token")][-1]
            assert (last.kind, last.sequence) == ("identity", identity.before[project])
            expected = {"id": identity.id, "former": True}
            assert last.body == (expected if project else {**expected, "setup": last.body["setup"]})
        assert list(ledger.verify()) == []


def test_names_do_not_change_where_a_mark_is_damaged(tmp_path: Path) -> None:
    expected = unpack(ARCHIVES[0], tmp_path)
    with Ledger(tmp_path / "data", software=SOFTWARE) as ledger:
        sequence = ledger.identity().before["crops"]
        tamper(ledger, "UPDATE entries SET data = x'00' WHERE project = 'crops' AND sequence = ?", sequence)
    with provrepo.open(tmp_path / "data") as repository:
        found = {f"crops/run@{info.version}": info.iri for info in repository.history("crops", "run")}
        assert found.items() <= expected["versions"].items()
        assert any("crops" in problem for problem in repository.fsck().problems)


def test_a_ledger_without_identity_is_reported(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        submit(ledger, "crops", "run")
        tamper(ledger, "DELETE FROM entries WHERE kind = 'identity'")
        assert any("identity" in problem for problem in ledger.verify())


def test_names_of_a_version_depend_on_its_number() -> None:
    class Old:
        def any(self) -> bool:
            return True

        def project(self, project: str) -> bool:
            return project == "crops"

        def versions(self, project: str, document: str) -> int:
            return 2 if (project, document) == ("crops", "run") else 0

    identity = str(uuid.UUID(int=7))
    old, new, both = Minter(), Minter("", identity), Minter("", identity, Old())
    assert both.catalogue() == old.catalogue() != new.catalogue()
    assert both.project("crops") == old.project("crops") != new.project("crops")
    assert both.project("soil") == new.project("soil")
    assert both.document("crops", "run") == old.document("crops", "run")
    assert both.document("crops", "other") == new.document("crops", "other")
    assert both.version("crops", "run", 2) == old.version("crops", "run", 2)
    assert both.version("crops", "run", 3) == new.version("crops", "run", 3) != old.version("crops", "run", 3)
    assert both.of("crops", "run", 2).genid("ab", 1) == old.genid("ab", 1)
    assert both.of("crops", "run", 3).genid("ab", 1) == new.genid("ab", 1) != old.genid("ab", 1)
    based = Minter("https://prov.example/", identity, Old())
    assert based.version("crops", "run", 1) == "https://prov.example/projects/crops/documents/run/versions/1"
