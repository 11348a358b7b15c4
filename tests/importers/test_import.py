"""The verb ``import``: files, folders and streams of events; what cannot be stored is named and stops nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import provrepo
from provrepo.errors import Denied, NotFound
from provrepo.importers import parts, sources
from provrepo.repository.repository import Repository
from tests.importers.test_openlineage import BASE, event, stated
from tests.support.command import Command

RUNS = [f"00000000-0000-7000-8000-0000000000{number:02}" for number in range(3)]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return provrepo.open(tmp_path / "data")


def lines(*events: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


def both(number: int) -> tuple[object, object]:
    first = event("START", "2026-11-20T10:00:00Z", RUNS[number], inputs=[{"namespace": "lab", "name": "raw"}])
    last = event("COMPLETE", "2026-11-20T10:05:00Z", RUNS[number], outputs=[{"namespace": "lab", "name": "out"}])
    return first, last


def names(repository: Repository) -> list[tuple[str, int]]:
    return [(info.name, info.versions) for info in repository.documents("default")]


def test_each_run_becomes_a_document(repository: Repository, tmp_path: Path) -> None:
    job = {
        "eventTime": "2026-11-20T10:00:00Z",
        "producer": "p",
        "schemaURL": "s",
        "job": {"namespace": "a", "name": "b"},
    }
    source = tmp_path / "events.jsonl"
    source.write_bytes(lines(*both(0), *both(1), job))
    found = repository.import_documents(source, base=BASE)
    assert found.skipped == ()
    assert [receipt.version.name for receipt in found.receipts][1:] == [f"run-{RUNS[0]}", f"run-{RUNS[1]}"]
    assert found.receipts[0].version.name.startswith("job-")
    assert stated(repository.read("default", f"run-{RUNS[0]}")) == stated(
        provrepo.read(lines(*both(0)), format="openlineage", base=BASE)
    )
    again = repository.import_documents(source, base=BASE)
    assert [receipt.created for receipt in again.receipts] == [False] * 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_events_that_come_apart_make_the_same_bytes(repository: Repository, order: tuple[int, int]) -> None:
    for number in order:
        (receipt,) = repository.import_documents(lines(both(0)[number])).receipts
    assert receipt.version.version == 2
    whole = provrepo.open(repository.settings.data.parent / "whole")
    (expected,) = whole.import_documents(lines(*both(0), *both(0))).receipts
    assert receipt.version.sha256 == expected.version.sha256
    (late,) = repository.import_documents(lines(both(0)[0])).receipts
    assert (late.created, late.version.version) == (False, 2), "nothing new came"


def test_a_folder_is_imported_file_by_file(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "1.jsonl").write_bytes(lines(both(0)[0]))
    (folder / "deep" / "2.json").write_text(json.dumps([both(0)[1]]))
    (folder / "deep" / "run.provn").write_text("document\nprefix e <http://e/>\nentity(e:x)\nendDocument")
    (folder / ".hidden" / "no.jsonl").write_bytes(lines(*both(1)))
    (folder / "notes.txt").write_text("notes")
    (folder / "link.jsonl").symlink_to(folder / "1.jsonl")
    found = repository.import_documents(folder)
    assert names(repository) == [("deep-run", 1), (f"run-{RUNS[0]}", 2)]
    assert [(Path(skipped.place).name, skipped.reason) for skipped in found.skipped] == [
        ("notes.txt", "not recognized as a format that can be read")
    ]


def test_one_name_makes_one_document(repository: Repository) -> None:
    found = repository.import_documents(lines(*both(0), *both(1)), name="nightly")
    assert [receipt.version.name for receipt in found.receipts] == ["nightly"]


def test_what_cannot_be_stored_is_named_and_stops_nothing(repository: Repository) -> None:
    data = lines(*both(0)) + b'{"half": \n' + lines(7, {"eventTime": "soon", "run": {}}) + lines(*both(1))
    found = repository.import_documents(data)
    assert [receipt.version.name for receipt in found.receipts] == [f"run-{RUNS[0]}", f"run-{RUNS[1]}"]
    assert [skipped.place for skipped in found.skipped] == ["line 3", "line 4", "line 5"]
    assert [skipped.reason.split(":")[0] for skipped in found.skipped] == [
        "not JSON",
        "an event is a JSON object",
        "/eventTime",
    ]


def test_a_refused_document_stops_nothing(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.provn").write_text("document\nprefix e <http://e/>\nwasGeneratedBy(e:x, e:y, -)\nendDocument")
    (folder / "b.provn").write_text("document\nprefix e <http://e/>\nactivity(e:x)\nentity(e:x)\nendDocument")
    (folder / "c.provn").write_text("document\nprefix e <http://e/>\nentity(e:x)\nendDocument")
    found = repository.import_documents(folder, profiles=["core"])
    assert [receipt.version.name for receipt in found.receipts] == ["c"]
    assert [Path(skipped.place.partition(":")[0]).name for skipped in found.skipped] == ["a.provn", "b.provn"]
    assert all("does not conform" in skipped.reason for skipped in found.skipped)


def test_an_unknown_project_or_actor_is_an_error(repository: Repository) -> None:
    with pytest.raises(NotFound):
        repository.import_documents(lines(*both(0)), project="nowhere")
    repository.create_project("p", public=True)
    store = repository.context.store
    secret, _ = repository.create_token("eve", projects=["p"], write=False)
    actor = store.authenticate(secret)
    assert actor is not None
    with pytest.raises(Denied):
        repository.as_actor(actor).import_documents(lines(*both(0)), project="p")
    assert names(repository) == []


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository) -> None:
    monkeypatch.setattr(sources, "IMPORT_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(*both(number)))
    with pytest.raises(provrepo.ReadError, match="at most 2"):
        repository.import_documents(tmp_path)


def test_the_command(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    (tmp_path / "events.jsonl").write_bytes(lines(*both(0)) + b"{\n")
    done = command("import", tmp_path / "events.jsonl", code=1)
    assert done.stdout.startswith(f"default/run-{RUNS[0]}@1 stored: ")
    assert "not imported: " in done.stderr
    assert "line 3" in done.stderr
    found = json.loads(command("import", "-", "--output", "json", stdin=lines(*both(1))).stdout)
    assert [receipt["name"] for receipt in found["receipts"]] == [f"run-{RUNS[1]}"]
    listed = {row["name"]: row for row in command.json("import", "--list")}
    assert listed["openlineage"]["recognized"][0] == ["eventTime", "run"]
    assert "Airflow" in listed["openlineage"]["systems"]
    shown = command("import", "--list").stdout
    assert shown.startswith("openlineage  OpenLineage: Airflow, ")
    assert "\n    file names: *.jsonl *.ndjson\n    keys: eventTime+run or " in shown
    assert "missing" in command.error("import", tmp_path / "missing", code=2)
    assert "name a file" in command.error("import", code=2)


def many(count: int) -> list[object]:
    """The events of runs that overlap: each ends long after it began."""
    runs = [f"00000000-0000-7000-8000-{number:012}" for number in range(count)]
    output = [{"namespace": "lab", "name": "out"}]
    starts = [event("START", f"2026-11-20T10:{number % 60:02}:00Z", run) for number, run in enumerate(runs)]
    ends = [event("COMPLETE", "2026-11-20T12:00:00Z", run, outputs=output) for run in runs]
    return [*starts, *ends]


@pytest.mark.parametrize("folder", [False, True])
def test_a_large_file_is_read_in_blocks_of_lines(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, folder: bool
) -> None:
    monkeypatch.setattr(parts, "BLOCK", 2_000)
    events = many(12)
    wrong = len(events) - 3
    whole = [*events[:wrong], {"run": {}}, *events[wrong:]]
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "events.jsonl"
    source.write_bytes(b"\n" + lines(*whole))
    found = repository.import_documents(source.parent if folder else source)
    assert [skipped.place.rpartition(": ")[2] for skipped in found.skipped] == [f"line {wrong + 2}"]
    assert len(names(repository)) == 12
    expected = provrepo.open(tmp_path / "whole")
    monkeypatch.setattr(parts, "BLOCK", 1 << 24)
    expected.import_documents(source)
    for info in repository.documents("default"):
        assert info.current.sha256 == expected.document("default", info.name).current.sha256


def test_a_line_that_is_too_long_for_a_block_is_said(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BLOCK", 2_000)
    source = tmp_path / "events.jsonl"
    source.write_bytes(lines(*both(0)) + lines(event("START", producer="x" * 3_000)) + lines(*both(1)))
    found = repository.import_documents(source)
    (skipped,) = found.skipped
    assert skipped.place.endswith("line 3")
    assert "a line of more than 2,000 bytes" in skipped.reason
    assert len(found.receipts) == 1


def test_a_large_array_is_read_at_once(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "BLOCK", 2_000)
    source = tmp_path / "events.json"
    source.write_text(json.dumps(many(12)))
    assert repository.import_documents(source).skipped == ()
    assert len(names(repository)) == 12
