"""Crates as folders, zip archives and bags: the digests of what is there, and lineage over tools by content."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

import provrepo
from provrepo.codecs import formats
from provrepo.importers.archives import packed, unpacked
from provrepo.importers.contents import content_of
from provrepo.importers.rocrate.collecting import OBSERVED
from provrepo.importers.rocrate.graph import METADATA
from provrepo.model.statements import SPECIALIZATION
from provrepo.repository.repository import Repository
from tests.support.corpus import CORPUS
from tests.support.crates import metadata, process

CLEAN = b"ph,yield\n6.5,3\n"
MD5, SHA1, SHA256 = (hashlib.new(name, CLEAN).hexdigest() for name in ("md5", "sha1", "sha256"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return provrepo.open(tmp_path / "data")


def folder(root: Path, *, clean: bytes = CLEAN) -> Path:
    root.mkdir(parents=True)
    (root / METADATA).write_bytes(metadata(*process()))
    (root / "clean.csv").write_bytes(clean)
    (root / "notes.provn").write_text("document\nprefix e <http://e/>\nentity(e:x)\nendDocument")
    (root / "other.txt").write_text("of the crate, and described nowhere")
    return root


def contents(repository: Repository, label: str) -> set[str]:
    rows = repository.query(
        f'SELECT ?c {{ ?e rdfs:label "{label}" ; prov:specializationOf ?c }}', project="default"
    ).rows
    return {str(row["c"]) for row in rows}


OF_CLEAN = {content_of("md5", MD5), content_of("sha1", SHA1), content_of("sha256", SHA256)}


def test_a_folder_is_read_with_the_digests_of_its_files(repository: Repository, tmp_path: Path) -> None:
    found = repository.import_documents(folder(tmp_path / "in" / "seven"), project="default")
    assert [(r.version.name, r.version.format) for r in found.receipts] == [("crate", "rocrate"), ("notes", "provn")]
    assert found.skipped == ()
    assert contents(repository, "clean data") == OF_CLEAN
    data, _ = repository.original("default", "crate")
    assert set(unpacked(data, "rocrate")) == {METADATA, OBSERVED}
    assert json.loads(unpacked(data, "rocrate")[OBSERVED]) == {
        "clean.csv": {"size": len(CLEAN), "md5": MD5, "sha1": SHA1, "sha256": SHA256}
    }
    repository.rebuild()
    assert contents(repository, "clean data") == OF_CLEAN


def test_an_archive_of_the_folder_is_the_same_document(repository: Repository, tmp_path: Path) -> None:
    root = folder(tmp_path / "in")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in root.iterdir():
            archive.write(path, f"seven/{path.name}")
    first = repository.import_documents(buffer.getvalue(), project="default", file="seven.zip")
    assert [r.version.name for r in first.receipts] == ["seven", "seven-notes"]
    again = repository.import_documents(root, project="default", name="again")
    assert {r.version.sha256 for r in again.receipts} == {r.version.sha256 for r in first.receipts}


def bag(root: Path, *, manifest: str = SHA256) -> Path:
    folder(root / "data")
    (root / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    lines = [f"{manifest}  data/clean.csv", f"{'a' * 64}  data/clean%25.csv", "no line"]
    (root / "manifest-sha256.txt").write_text("\n".join(lines) + "\n")
    (root / "tagmanifest-sha256.txt").write_text("")
    return root


def test_a_bag_is_read_with_its_manifest(repository: Repository, tmp_path: Path) -> None:
    root = bag(tmp_path / "in" / "bag")
    (root / "data" / "clean.csv").unlink()
    found = repository.import_documents(tmp_path / "in", project="default")
    assert [r.version.name for r in found.receipts] == ["bag", "bag-data-notes"]
    assert contents(repository, "clean data") == {content_of("sha256", SHA256)}
    report = repository.report("default", "bag")
    assert [f.message for f in report.findings if "manifest" in f.message] == [
        "manifest-sha256.txt: line 3: a digest and a path are needed; the line is not read"
    ]


def test_files_that_were_changed_are_named(repository: Repository, tmp_path: Path) -> None:
    repository.import_documents(bag(tmp_path / "bag", manifest="b" * 64), project="default", name="bag")
    messages = [f.message for f in repository.report("default", "bag-crate").findings]
    assert "manifest-sha256.txt: clean.csv has another sha256: the bag was changed since" in messages
    root = tmp_path / "in"
    root.mkdir()
    node = {"@id": "clean.csv", "@type": "File", "sha256": "c" * 64, "contentSize": 7}
    (root / METADATA).write_bytes(metadata(*process()[3:], node))
    (root / "clean.csv").write_bytes(CLEAN)
    repository.import_documents(root, project="default", name="changed")
    messages = [f.message for f in repository.report("default", "changed-crate").findings]
    assert [m for m in messages if "/sha256: the file in the crate has another sha256" in m]
    assert contents(repository, "clean.csv") == {content_of("sha256", "c" * 64)}


def test_a_crate_without_runs_is_not_collected(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    whole = json.loads(metadata({"@id": "x", "@type": "File"}))
    whole["@graph"][1].pop("conformsTo")
    (tmp_path / "in" / METADATA).write_text(json.dumps(whole))
    found = repository.import_documents(tmp_path / "in", project="default", base="https://lab.example/")
    assert found.receipts == ()
    assert "makes no statement of PROV" in found.skipped[0].reason


def test_a_crate_in_a_crate_is_another_document(repository: Repository, tmp_path: Path) -> None:
    root = folder(tmp_path / "in")
    folder(root / "inner")
    found = repository.import_documents(root, project="default")
    assert sorted(r.version.name for r in found.receipts) == ["crate", "inner", "inner-notes", "notes"]


def test_an_archive_without_metadata_is_unreadable() -> None:
    with pytest.raises(provrepo.ReadError, match=r"the archive has no ro-crate-metadata\.json"):
        formats.read(packed("rocrate", {"x": b""}))


@pytest.mark.skipif(not (CORPUS.parent / "fixtures").is_dir(), reason="no fixtures beside the corpus")
def test_one_content_of_raw_csv_in_crates_of_two_tools(repository: Repository) -> None:
    for name in ("rocrate", "runcrate"):
        repository.import_documents(CORPUS.parent / "fixtures" / name, project="default", name=name)
    raw = content_of("sha1", "653168802175a37572892c44a8128a1d53a67a39")
    assert raw is not None
    assert raw in contents(repository, "raw.csv")
    labels = {node.label for node in repository.lineage(raw, direction="downstream").nodes}
    assert {"model.pkl", "metrics.json", "train", "Run of workflow/packed.cwl#main/train"} <= labels


def test_digests_of_one_file_name_one_file() -> None:
    found = {METADATA: metadata(*process()), OBSERVED: b'{"clean.csv": {"size": 3}, "x": 7}'}
    document = formats.read(packed("rocrate", found))
    assert len([one for one in document if one.kind is SPECIALIZATION]) == 1
