"""Imports of zip archives, here and over HTTP; and folders that become one document as a whole."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import provrepo
from provrepo.codecs import formats
from provrepo.codecs.formats import Format
from provrepo.errors import NotFound, ReadError
from provrepo.importers import sources
from provrepo.importers.archives import packed, unpacked
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ENTITY, Statement
from provrepo.repository.imports import zips
from provrepo.repository.repository import Repository
from provrepo.repository.submission import worker
from provrepo.workers.pool import Pool
from tests.importers.test_import import RUNS, both, lines, names
from tests.support.serving import Site, opened

PROVN = b"document\nprefix e <http://e/>\nentity(e:x)\nendDocument"


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


MEMBERS = {
    "events.jsonl": lines(*both(0), *both(1)),
    "deep/run.provn": PROVN,
    "deep/notes.txt": b"notes",
    ".hidden/no.provn": PROVN,
    "__MACOSX/deep/._run.provn": b"\0",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return provrepo.open(tmp_path / "data")


def test_an_archive_is_imported_file_by_file(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "in.zip"
    path.write_bytes(archive(MEMBERS))
    found = repository.import_documents(path)
    assert names(repository) == [("deep-run", 1), (f"run-{RUNS[0]}", 1), (f"run-{RUNS[1]}", 1)]
    assert [skipped.place for skipped in found.skipped] == [f"{path}: deep/notes.txt"]
    again = repository.import_documents(path.read_bytes(), file="in.zip")
    assert [receipt.created for receipt in again.receipts] == [False] * 3


def with_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.provn", PROVN)
        info = zipfile.ZipInfo("link.provn")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "a.provn")
    return buffer.getvalue()


def damaged() -> bytes:
    data = bytearray(archive({"a.provn": PROVN, "b.provn": PROVN}, zipfile.ZIP_STORED))
    data[data.rindex(PROVN) + 3] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: archive({"a.provn": PROVN, "../b.provn": PROVN}), "'../b.provn'"),
        (lambda: archive({"a.provn": PROVN, "/etc/b.provn": PROVN}), "'/etc/b.provn'"),
        (lambda: archive({"a.provn": PROVN, "C:\\b.provn": PROVN}), "b.provn"),
        (lambda: archive({"a.provn": PROVN, "A.provn": PROVN}), "by case"),
        (with_link, "'link.provn' is a link"),
        (damaged, "'b.provn' cannot be unpacked"),
        (lambda: b"#!/bin/sh\n" + archive({"a.provn": PROVN}), ""),
        (lambda: archive({"a.provn": PROVN})[:-9], "whole zip archive"),
        (lambda: archive({"a.provn": PROVN}) + b"more", "zip archive"),
        (lambda: archive({"a.provn": b" " * 5000}), "more than 4,000 bytes"),
        (lambda: archive({f"{number}.provn": PROVN for number in range(11)}), "11 members"),
    ],
)
def test_an_archive_is_refused_whole_and_its_member_named(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, make: Callable[[], bytes], words: str
) -> None:
    monkeypatch.setattr(zips, "IMPORT_BYTES", 4000)
    monkeypatch.setattr(zips, "IMPORT_FILES", 10)
    with pytest.raises(ReadError, match=r".") as raised:
        repository.import_documents(make())
    assert words in raised.value.message
    assert not repository.context.store.exists(), "nothing was stored"


def test_members_that_are_too_large_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVREPO_MAX_BODY", "2000")
    repository = provrepo.open(tmp_path / "data")
    found = repository.import_documents(archive({"a.provn": PROVN, "b.provn": PROVN + b"\n" * 3000}))
    assert [receipt.version.name for receipt in found.receipts] == ["a"]
    assert [skipped.reason for skipped in found.skipped] == ["it has more than 2,000 bytes, the limit for one document"]


# --- over HTTP ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("imports")) as found:
        yield found


def post(site: Site, data: bytes, query: str = "", token: str = "open", project: str = "open") -> Any:
    headers = {"Authorization": f"Bearer {site.tokens[token]}", "Content-Type": "application/octet-stream"}
    return site.client.post(f"/projects/{project}/import{query}", data=data, headers=headers)


def test_a_server_imports_files_and_archives(site: Site) -> None:
    answer = post(site, archive(MEMBERS), "?file=in.zip")
    assert answer.status_code == 201
    found = answer.get_json()
    assert [receipt["name"] for receipt in found["receipts"]] == ["deep-run", f"run-{RUNS[0]}", f"run-{RUNS[1]}"]
    assert found["skipped"] == [
        {"place": "in.zip: deep/notes.txt", "reason": "not recognized as a format that can be read"}
    ]
    assert post(site, archive(MEMBERS)).status_code == 200
    one = post(site, lines(*both(2)), "?source=openlineage&name=nightly")
    assert [receipt["name"] for receipt in one.get_json()["receipts"]] == ["nightly"]


def test_a_server_says_why_nothing_was_imported(site: Site) -> None:
    answer = post(site, b'{"eventTime": "soon", "run": {}}\n', "?source=openlineage")
    assert answer.status_code == 422
    assert answer.get_json()["skipped"][0]["place"] == "line 1"
    refused = post(site, archive({"../x.provn": PROVN}))
    assert refused.status_code == 400
    assert "'../x.provn'" in refused.get_json()["detail"]
    assert post(site, b"").status_code == 400
    assert post(site, PROVN, "?source=nothing").status_code == 400
    assert post(site, PROVN, "?source=svg").status_code == 400
    assert post(site, PROVN, token="reader").status_code == 403
    assert post(site, PROVN, project="nowhere").status_code == 404


@pytest.mark.parametrize("path", ["import", "pending", "documents", "api/v1/lineage"])
def test_events_that_are_no_unicode_are_refused_everywhere(site: Site, path: str) -> None:
    first, _ = both(0)
    data = json.dumps({**first, "run": {"runId": "\\ud800"}}).replace("\\\\", "\\").encode()
    headers = {"Authorization": f"Bearer {site.tokens['open']}", "Content-Type": "application/vnd.openlineage+json"}
    if path == "api/v1/lineage":
        headers["Content-Type"] = "application/json"
    answer = site.client.post(f"/projects/open/{path}", data=data, headers=headers)
    assert answer.status_code == 422
    assert "/run/runId" in answer.get_data(as_text=True)


# --- a folder as one document ------------------------------------------------------------------------------------

LOG = Format(
    "lablog",
    "Log of a laboratory",
    (".lablog.zip",),
    ("application/vnd.lablog+zip",),
    rdf=False,
    bundles=False,
    module="importers.lablog.codec",
    specification="https://lab.example/log",
    writes=False,
    folder=frozenset({"log.txt"}),
    members=("runs/*.txt",),
)


def read_log(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    files = unpacked(data, format)
    named = [line for path in sorted(files) for line in files[path].decode().split()]
    return Document([Statement(ENTITY, Identifier(f"https://lab.example/{name}"), ()) for name in named])


@pytest.fixture
def lablog(monkeypatch: pytest.MonkeyPatch) -> None:
    """An importer of folders; the workers, which do not know it, run in this process."""
    monkeypatch.setattr(Format, "codec", _codec(Format.codec))
    for name in ("FORMATS", "READABLE"):
        monkeypatch.setattr(formats, name, (*getattr(formats, name), LOG))
    monkeypatch.setattr("provrepo.importers.parts.FORMATS", formats.FORMATS)
    monkeypatch.setitem(formats._BY_NAME, LOG.name, LOG)

    called = Pool.call

    def call(self: Pool, function: str, arguments: dict[str, Any], **options: Any) -> Any:
        if function == "provrepo.repository.submission.worker:run":
            return worker.run(**arguments)
        return called(self, function, arguments, **options)

    monkeypatch.setattr(Pool, "call", call)


def _codec(real: Callable[[Format], Any]) -> Callable[[Format], Any]:
    return lambda self: SimpleNamespace(read=read_log, collect=collect) if self.name == LOG.name else real(self)


def folder(root: Path) -> Path:
    (root / "a" / "runs").mkdir(parents=True)
    (root / "a" / "log.txt").write_text("one")
    (root / "a" / "runs" / "1.txt").write_text("two three")
    (root / "a" / "big.bin").write_bytes(b"\0" * 100)
    (root / "b").mkdir()
    (root / "b" / "run.provn").write_bytes(PROVN)
    return root


def described(repository: Repository, name: str) -> list[str]:
    rows = repository.query("SELECT ?s { ?s a prov:Entity } ORDER BY ?s", project="default").rows
    assert name in [info.name for info in repository.documents("default")]
    return [str(row["s"]).rpartition("/")[2] for row in rows]


@pytest.mark.usefixtures("lablog")
def test_a_folder_becomes_one_archive_that_is_kept_and_mapped_again(repository: Repository, tmp_path: Path) -> None:
    found = repository.import_documents(folder(tmp_path / "in"))
    assert [(r.version.name, r.version.format) for r in found.receipts] == [("a", "lablog"), ("b-run", "provn")]
    assert [Path(skipped.place).name for skipped in found.skipped] == ["big.bin"]
    data, info = repository.original("default", "a")
    assert data == packed("lablog", {"runs/1.txt": b"two three", "log.txt": b"one"})
    assert (info.format, formats.detect(data).name) == ("lablog", "lablog")
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        assert whole.namelist() == [".provrepo-folder/lablog", "log.txt", "runs/1.txt"]
    assert described(repository, "a") == ["x", "one", "three", "two"]
    repository.rebuild()
    assert described(repository, "a") == ["x", "one", "three", "two"]
    # The same files again, from an archive that somebody else made, and the archive itself.
    members = {path.relative_to(tmp_path / "in").as_posix(): path.read_bytes() for path in _files(tmp_path / "in")}
    again = repository.import_documents(archive(members))
    assert [receipt.created for receipt in again.receipts] == [False, False]
    assert repository.submit(data, name="a").created is False
    assert [r.version.name for r in repository.import_documents(data, name="copy").receipts] == ["copy"]


def collect(files: Any, root: Path | None) -> Iterator[Collected]:
    """One document of all diaries, which the tool hides, and of the size of the results they are about."""
    diaries = [file for file in files if file.path.startswith(".lab/")]
    if diaries:
        sizes = [str(file.size).encode() for file in files if file.path.endswith(".bin")]
        data = packed("lablog", {"log.txt": b" ".join([*(file.read(100) for file in diaries), *sizes])})
        paths = frozenset(file.path for file in files if not file.path.endswith(".provn"))
        yield Collected(Part("diary", data, "lablog", str(root)), paths)
        yield Collected(Skipped("page 7", "torn out"))


@pytest.mark.usefixtures("lablog")
def test_a_format_collects_what_a_tool_keeps_in_hidden_places(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collecting = replace(LOG, folder=frozenset(), members=(), collects=True, hidden=(".lab",))
    monkeypatch.setattr("provrepo.importers.parts.FORMATS", (*formats.FORMATS[:-1], collecting))
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS[:-1], collecting))
    monkeypatch.setitem(formats._BY_NAME, LOG.name, collecting)
    sources._kept.cache_clear()
    root = folder(tmp_path / "in")
    (root / ".lab").mkdir()
    (root / ".lab" / "monday").write_text("four")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("five")
    found = repository.import_documents(root, name="week")
    assert [r.version.name for r in found.receipts] == ["week-diary", "week-b-run"]
    assert [tuple(skipped) for skipped in found.skipped] == [("page 7", "torn out")]
    assert described(repository, "week-diary") == ["x", "100", "four"]
    only = repository.import_documents(root, format="lablog")
    assert [r.version.name for r in only.receipts] == ["diary"]
    members = {path.relative_to(root).as_posix(): path.read_bytes() for path in _files(root)}
    again = repository.import_documents(archive(members), name="week")
    assert [r.created for r in again.receipts] == [False, False], "an archive of the folder gives the same documents"
    sources._kept.cache_clear()


def _files(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*")) if path.is_file()]


@pytest.mark.usefixtures("lablog")
@pytest.mark.parametrize(
    "data",
    [
        archive({"log.txt": b"one"}),
        archive({".provrepo-folder/lablog": b"", "log.txt": b"one"}),
        packed("lablog", {"log.txt": b"one"}) + b"more",
        packed("lablog", {"log.txt": b"one"})[:-30],
        b"no archive",
    ],
)
def test_other_archives_than_those_of_import_are_unreadable(data: bytes) -> None:
    with pytest.raises(ReadError):
        formats.read(data, format="lablog")


def test_archives_depend_on_names_and_contents_alone() -> None:
    one = packed("x", {"b": b"2", "a": b"1"})
    assert one == packed("x", {"a": b"1", "b": b"2"}) != packed("x", {"a": b"1", "b": b"3"})
    assert unpacked(one, "x") == {"a": b"1", "b": b"2"}


def test_an_unknown_project_is_an_error_before_anything_is_read(repository: Repository) -> None:
    with pytest.raises(NotFound):
        repository.import_documents(b"nothing that can be read", project="nowhere")


def test_records_are_json(repository: Repository) -> None:
    found = repository.import_documents(archive(MEMBERS))
    assert json.loads(json.dumps(found.to_dict()))["skipped"][0]["reason"]
