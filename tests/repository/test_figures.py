"""The figures of versions: what is summed in steps equals what entries and reports say when all are read."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from provrepo.repository.catalog import current_submissions, stored_report
from provrepo.repository.profiles.figures import Figures
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.settings import Settings
from tests.support.sampling import numbers
from tests.support.serving import LATER, PROVN

POSSIBLE = b"document\n  prefix ex <https://example.org/>\n  entity(ex:a)\n"
IMPOSSIBLE = POSSIBLE + b"  activity(ex:a)\nendDocument\n"
BYTES = (PROVN, LATER, POSSIBLE + b"endDocument\n", IMPOSSIBLE)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Store.open(Settings(data=tmp_path / "data", workers=1), follow=False) as store:
        repository = Repository(store)
        repository.create_project("open", public=True)
        repository.create_project("other")
        yield repository


def summary(store: Store, entries: Sequence[Any]) -> dict[str, Any]:
    """The metrics of some submissions, each report read."""
    reports = [stored_report(store, entry) for entry in entries]
    measured = [report.coverage for report in reports if report.coverage is not None]
    labels = [label for entry in entries for label in entry.fields["profiles"]]
    shares = {label: round(100 * labels.count(label) / len(entries), 1) for label in labels}
    return {
        "documents": len(entries),
        "without_findings": sum(not report.findings for report in reports),
        "profiles": [
            {"profile": label, "conforming": labels.count(label), "share": shares[label]} for label in sorted(shares)
        ],
        "coverage": round(sum(measured) / len(measured), 1) if measured else None,
    }


def expected(repository: Repository, *projects: str) -> dict[str, Any]:
    store = repository.context.store
    months: dict[str, list[Any]] = {}
    for project in projects:
        erased = store.ledger.erased(project)
        for entry in store.ledger.entries(project):
            if entry.kind == "submit" and (entry.fields["document"], entry.fields["version"]) not in erased:
                months.setdefault(entry.time[:7], []).append(entry)
    current = [entry for project in projects for entry in current_submissions(store, project)]
    over_time = [{"month": month, **summary(store, months[month])} for month in sorted(months)]
    return {**summary(store, current), "over_time": over_time}


def change(repository: Repository, draw: random.Random, number: int) -> None:
    """Submit, withdraw or erase a document, whatever its state allows."""
    project, name = draw.choice(["open", "other"]), f"d{draw.randrange(4)}"
    known = {info.name: info for info in repository.documents(project, withdrawn=True)}
    kind = draw.choice(["submit"] * 4 + ["withdraw", "erase"])
    if kind == "submit":
        profiles = draw.choice([[], ["core"]])
        data = draw.choice(BYTES[:2] if profiles else BYTES) + b"\n" * number
        repository.submit(data, project=project, name=name, format="provn", update=True, profiles=profiles)
    elif name in known and kind == "withdraw" and known[name].current.state == "current":
        repository.withdraw(project, name, reason="x")
    elif name in known and kind == "erase":
        version = draw.randint(1, known[name].versions)
        if repository.history(project, name)[version - 1].state != "erased":
            repository.erase(project, name, version, reason="x")


@pytest.mark.parametrize("seed", numbers(40, ci=6, few=2))
def test_sums_in_steps_are_those_of_all_entries_and_reports(repository: Repository, seed: int) -> None:
    draw = random.Random(seed)
    for number in range(25):
        change(repository, draw, number)
        if draw.randrange(3) == 0:
            for names in (["open"], ["open", "other"]):
                found = repository.metrics(names[0] if len(names) == 1 else None)
                assert found.pop("project") == (names[0] if len(names) == 1 else None)
                assert found == expected(repository, *names)
    made = Figures(repository.context.store)
    before = [repository.metrics(name) for name in ("open", None)]
    made.forget()
    assert [repository.metrics(name) for name in ("open", None)] == before


def test_failing_documents_come_first_then_the_newest(repository: Repository) -> None:
    for number, data in enumerate(BYTES):
        repository.submit(data, project="open", name=f"d{number}", format="provn")
    repository.submit(LATER + b"\n", project="open", name="d0", format="provn", update=True)
    repository.submit(PROVN + b"\n\n", project="open", name="gone", format="provn")
    repository.submit(PROVN + b"\n\n\n", project="open", name="erased", format="provn")
    repository.withdraw("open", "gone", reason="x")
    repository.erase("open", "erased", 1, reason="x")
    names = [info.name for info in repository.newest_documents("open")]
    assert names == ["d3", "erased", "d0", "d2", "d1"]
    assert sorted(names) == [info.name for info in repository.documents("open")]
    parts = [info.name for at in range(0, 6, 2) for info in repository.newest_documents("open", offset=at, limit=2)]
    assert parts == names
    repository.context.store.set_aside.add("open", repository.document("open", "d1").current.sequence, "search", "x")
    assert [info.name for info in repository.newest_documents("open", limit=3)] == ["d3", "d1", "erased"]


def test_a_damaged_table_is_made_again(repository: Repository) -> None:
    repository.submit(PROVN, project="open", name="run", format="provn")
    before = repository.metrics("open")
    file = repository.context.store.derived / "figures.sqlite"
    file.write_bytes(b"no database" * 1000)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    assert repository.metrics("open") == before


def test_a_report_that_cannot_be_read_is_not_counted_as_one_without_findings(
    repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    repository.submit(LATER, project="open", name="run", format="provn", profiles=["core"])
    store = repository.context.store
    store.blobs.erase(store.ledger.entry("open", store.ledger.length("open")).fields["report"])
    found = repository.metrics("open")
    assert (found["documents"], found["without_findings"], found["coverage"]) == (1, 0, None)
    assert "the report of" in caplog.text


def test_what_is_behind_is_counted_in_entries(repository: Repository) -> None:
    figures = repository.context.store.figures
    figures.catch_up()
    assert figures.behind() == 0
    repository.submit(PROVN, project="open", name="run", format="provn")
    repository.create_token("ada")  # in the stream of the repository
    assert figures.behind() == 1
    figures.catch_up(stop=lambda: True)
    figures.catch_up()
    assert figures.behind() == 0
    assert json.loads(json.dumps(repository.metrics()))["documents"] == 1
