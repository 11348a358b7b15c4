"""Research objects of CWLProv: the best of their documents, what is mended in it, and the files in the bag."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.codecs import formats
from provrepo.importers.archives import packed, unpacked
from provrepo.importers.contents import content_of
from provrepo.importers.cwlprov.codec import OBSERVED, collect
from provrepo.importers.sources import files_of
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, DELEGATION, ENTITY, SPECIALIZATION, START, USAGE
from provrepo.repository.repository import Repository
from provrepo.resources import root
from provrepo.vocab import DCTERMS, PROV_VALUE, RDFS_LABEL
from tests.support.corpus import CORPUS
from tests.support.sampling import examples

EXAMPLE = root() / "examples" / "cwltool"
RAW = b"ph,yield\n"
SHA1 = hashlib.sha1(RAW, usedforsecurity=False).hexdigest()
EMPTY = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
RUN, CLEAN = "urn:uuid:3ac74199-f898-44fe-8f59-8c2c5cf6b25d", "urn:uuid:c6e044ed-bf40-4dba-b961-db3733bd2aeb"
ENGINE = "urn:uuid:207791d4-5bf5-4982-b3f9-2442aa0d6d61"

PRIMARY = "metadata/provenance/primary.cwlprov.provn"
TEXT = f"""document
prefix e <http://e/>
prefix data <urn:hash::sha1:>
prefix cwlprov <https://w3id.org/cwl/prov#>
agent(e:engine) agent(e:account)
wasStartedBy(e:engine, -, e:account, 2026-01-01T09:59:00)
activity(e:run, 2026-01-01T10:00:00, -)
wasAssociatedWith(e:run, e:engine, e:plan)
wasStartedBy(e:run, -, e:engine, 2026-01-01T10:00:01)
activity(e:step, -, -)
wasStartedBy(e:step, -, e:run, 2026-01-01T10:00:02Z)
entity(data:{SHA1}) entity(e:raw, [cwlprov:basename="raw.csv"]) specializationOf(e:raw, data:{SHA1})
entity(data:{EMPTY}) entity(e:nothing) specializationOf(e:nothing, data:{EMPTY})
entity(data:{"a" * 40}, [prov:value="clean.csv"])
used(e:step, e:raw, -) used(e:step, data:{"a" * 40}, -, [prov:role='e:name']) used(e:step, e:nothing, -)
wasEndedBy(e:step, -, e:run, 2026-01-01T10:00:03)
wasEndedBy(e:run, -, e:engine, 2026-01-01T10:00:04)
endDocument
"""


def read(text: str = TEXT, more: Mapping[str, bytes] | None = None) -> Document:
    return formats.read(packed("cwlprov", {PRIMARY: text.encode(), **(more or {})}))


def test_what_is_wrong_is_mended_and_named() -> None:
    document = read()
    (run,) = [one for one in document if one.kind is ACTIVITY and str(one.id) == "http://e/run"]
    assert run.args == ("2026-01-01T10:00:01", "2026-01-01T10:00:04")
    (step,) = [one for one in document if one.kind is ACTIVITY and str(one.id) == "http://e/step"]
    assert step.args == ("2026-01-01T10:00:02Z", "2026-01-01T10:00:03")
    assert [str(value) for name, value in step.attributes if name == f"{DCTERMS}isPartOf"] == ["http://e/run"]
    assert {one.args[:2] for one in document if one.kind is DELEGATION} == {("http://e/engine", "http://e/account")}
    assert {one.args[::2] for one in document if one.kind is START} == {
        ("http://e/run", None),
        ("http://e/step", "http://e/run"),
    }
    (value,) = [one for one in document if one.kind is ENTITY and any(n == PROV_VALUE for n, _ in one.attributes)]
    assert str(value.id).endswith(f"/value/{'a' * 40}")
    assert value.id in {one.args[1] for one in document if one.kind is USAGE}
    assert {one.args for one in document if one.kind is SPECIALIZATION} == {("http://e/raw", f"urn:hash::sha1:{SHA1}")}
    assert [(w.rule, w.message.partition(";")[0].partition(":")[0]) for w in document.warnings] == [
        ("cwlprov:mended", "an activity has two times of its start, in activity and wasStartedBy"),
        ("cwlprov:mended", "an agent that is no activity starts or ends something"),
        ("cwlprov:mended", "a value has the digest of its text as its name, which other runs use, too"),
        ("cwlprov:mended", "an empty file is a version of the content of all empty files"),
        ("cwlprov:no-zone", "5 times without a zone"),
    ]
    report = provrepo.validate(document, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)


def test_two_runs_with_an_equal_value_are_not_connected() -> None:
    first, second = read(), read(TEXT.replace("e:run", "e:other"))
    values = [
        {str(one.id) for one in document if one.kind is ENTITY and any(n == PROV_VALUE for n, _ in one.attributes)}
        for document in (first, second)
    ]
    assert len(values[0] | values[1]) == 2


def research_object(place: Path, *suffixes: str) -> Path:
    """The example as cwltool writes it: a bag, with a file in it."""
    provenance = place / "metadata" / "provenance"
    provenance.mkdir(parents=True)
    for path in EXAMPLE.glob("primary.cwlprov.*"):
        if not suffixes or path.suffix[1:] in suffixes:
            shutil.copy(path, provenance)
    (place / "bagit.txt").write_text("BagIt-Version: 0.97\n")
    (place / "manifest-sha1.txt").write_text(f"{SHA1}  data/{SHA1[:2]}/{SHA1}\n")
    (place / "data" / SHA1[:2]).mkdir(parents=True)
    (place / "data" / SHA1[:2] / SHA1).write_bytes(RAW)
    (place / "workflow").mkdir()
    job = {"raw": {"class": "File", "basename": "field.csv", "checksum": f"sha1${SHA1}"}}
    (place / "workflow" / "primary-job.json").write_text(json.dumps(job))
    for path in provenance.iterdir():
        text = path.read_text().replace("653168802175a37572892c44a8128a1d53a67a39", SHA1)
        path.write_text(text)
    return place


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return provrepo.open(tmp_path / "data")


def test_a_folder_is_one_document_with_the_digests_of_its_files(repository: Repository, tmp_path: Path) -> None:
    research_object(tmp_path / "in" / "ro")
    found = repository.import_documents(tmp_path / "in", project="default")
    assert [(r.version.name, r.version.format) for r in found.receipts] == [("ro", "cwlprov")]
    assert found.skipped == ()
    data, _ = repository.original("default", "ro")
    names = set(unpacked(data, "cwlprov"))
    assert names == {PRIMARY, OBSERVED, "bagit.txt", "manifest-sha1.txt", "workflow/primary-job.json"}
    asked = 'SELECT ?c { ?e rdfs:label "field.csv" ; prov:specializationOf ?c }'
    rows = repository.query(asked, project="default").rows
    digests = {name: hashlib.new(name, RAW).hexdigest() for name in ("md5", "sha1", "sha256")}
    assert {str(row["c"]) for row in rows} == {content_of(name, digest) for name, digest in digests.items()}
    steps = repository.query(f"SELECT ?s {{ ?s dcterms:isPartOf <{RUN}> }}", project="default").rows
    assert CLEAN in {str(row["s"]) for row in steps}
    labels = {node.label for node in repository.lineage(f"urn:hash::sha1:{SHA1}", direction="downstream").nodes}
    assert {"model.pkl", "metrics.json"} <= labels


@pytest.mark.parametrize("suffix", ["provn", "json", "xml", "ttl", "nt", "jsonld"])
def test_each_of_the_six_formats_is_read_where_it_is_alone(tmp_path: Path, suffix: str) -> None:
    folder = research_object(tmp_path / "ro", suffix)
    (found,) = collect(files_of(folder), folder)
    document = formats.read(found.part.data)  # type: ignore[union-attr]
    assert document.format == "cwlprov"
    report = provrepo.validate(document, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)
    assert any(str(one.id) == CLEAN and one.args[0] and one.args[1] for one in document if one.kind is ACTIVITY)
    assert any(
        one.args[:2] == (ENGINE, "urn:uuid:61a3bb1e-421b-410c-8832-eb919901761f")
        for one in document
        if one.kind is DELEGATION
    )


def test_the_best_format_is_taken(tmp_path: Path) -> None:
    folder = research_object(tmp_path / "ro", "ttl", "json", "xml")
    (found,) = collect(files_of(folder), folder)
    names = unpacked(found.part.data, "cwlprov")  # type: ignore[union-attr]
    assert [name for name in names if "provenance" in name] == ["metadata/provenance/primary.cwlprov.json"]


def test_what_is_wrong_with_the_bag_is_named() -> None:
    observed = json.dumps({SHA1: {"sha1": "b" * 40, "size": 3}, "x": 7}).encode()
    manifest = f"{'c' * 40}  data/aa/{'d' * 40}\nno line\n".encode()
    more = {
        PRIMARY: TEXT.encode(),
        OBSERVED: observed,
        "manifest-sha1.txt": manifest,
        "workflow/primary-job.json": b"[",
    }
    messages = [warning.message for warning in formats.read(packed("cwlprov", more)).warnings]
    assert messages[:4] == [
        "manifest-sha1.txt: line 2: a digest and a path are needed; the line is not read",
        "workflow/primary-job.json: not JSON; it is not read",
        f"data/{SHA1[:2]}/{SHA1}: the file has another SHA-1: it was changed since",
        f"manifest-sha1.txt: data/aa/{'d' * 40} has another SHA-1 than its name",
    ]


def test_a_nested_workflow_has_one_start() -> None:
    nested = (
        "document\nprefix e <http://e/>\nagent(e:engine)\nactivity(e:step, 2026-01-01T10:00:02.5, -)\n"
        "wasStartedBy(e:step, -, e:engine, 2026-01-01T10:00:02.7)\nactivity(e:inner, -, -)\n"
        "wasStartedBy(e:inner, -, e:step, 2026-01-01T10:00:02.8)\nendDocument"
    )
    document = read(TEXT.replace("10:00:02Z", "10:00:02"), {"metadata/provenance/w.cwlprov.provn": nested.encode()})
    assert provrepo.validate(document).possible
    (step, *others) = {one.args for one in document if one.kind is ACTIVITY and str(one.id) == "http://e/step"}
    assert (step[0], others) == ("2026-01-01T10:00:02", [])
    (inner,) = [one for one in document if one.kind is ACTIVITY and str(one.id) == "http://e/inner"]
    workflow = "http://purl.org/wf4ever/wfprov#wasPartOfWorkflowRun"
    assert [str(value) for name, value in inner.attributes if name == workflow] == ["http://e/run"]


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "the archive has no"), ({PRIMARY: b"document\nentity(e:"}, "primary.cwlprov.provn: ")],
)
def test_what_cannot_be_read_says_why(files: dict[str, bytes], message: str) -> None:
    with pytest.raises(provrepo.ReadError, match=message):
        formats.read(packed("cwlprov", files))


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
@settings(max_examples=examples(100), deadline=None)
def test_any_json_beside_the_document_is_read_or_named(value: object) -> None:
    data = json.dumps(value).encode()
    found = read(more={OBSERVED: data, "workflow/primary-job.json": data, "manifest-sha1.txt": data})
    assert len(found) > 10


@pytest.mark.skipif(not (CORPUS / "documents").is_dir(), reason="no documents in the corpus")
def test_the_research_objects_of_the_corpus_conform_to_core() -> None:
    read_ = 0
    for folder in [*(CORPUS / "documents" / name for name in ("runcrate", "cwlprov", "cwlprov-py"))]:
        for found in collect(files_of(folder), folder):
            document = formats.read(found.part.data)  # type: ignore[union-attr]
            report = provrepo.validate(document, profiles=["core"])
            assert (report.conforms, report.possible) == (True, True), found.part
            read_ += 1
    assert read_ >= 20


def test_files_without_a_label_are_called_by_their_names() -> None:
    labels = {str(v) for one in read() if str(one.id) == "http://e/raw" for n, v in one.attributes if n == RDFS_LABEL}
    assert labels == {"raw.csv"}
