"""The folder of user-defined JSON-LD contexts: which file is used for a URL, and the advice about unknown URLs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.cli.main import cli
from provrepo.codecs import formats
from provrepo.codecs.jsonld.user_contexts import contexts_from, user_context
from provrepo.errors import ReadError, SettingsError
from provrepo.model.identifiers import Identifier, text
from provrepo.settings import Settings, load
from provrepo.vocab import PROV

ADDRESS = "https://contexts.example/ns/run.jsonld"
CONTEXT = {"@context": {"Step": PROV + "Activity", "reads": {"@id": PROV + "used", "@type": "@id"}}}
RDF = json.dumps({"@context": ADDRESS, "@id": "urn:x:a", "@type": "Step", "reads": "urn:x:e"}).encode()
JSONLD = json.dumps(
    {
        "@context": [ADDRESS, {"ex": "http://example.org/"}],
        "@graph": [{"@type": "Entity", "@id": "ex:e", "lab:by": [{"@value": "x"}]}],
    }
).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "contexts"
    (found / "contexts.example" / "ns").mkdir(parents=True)
    (found / "contexts.example" / "ns" / "run.jsonld").write_text(json.dumps(CONTEXT))
    return found


def kinds(document: provrepo.Document) -> list[str]:
    return sorted(statement.kind.name for statement in document)


def test_a_context_of_ones_own_stands_in_for_its_address(folder: Path) -> None:
    with contexts_from(folder):
        document = formats.read(RDF)
    assert document.format == "rdfjsonld"
    assert kinds(document) == ["activity", "used"]
    assert not document.unmapped
    with pytest.raises(ReadError, match="not known"):
        formats.read(RDF)


def test_prov_jsonld_takes_prefixes_from_it(folder: Path) -> None:
    (folder / "contexts.example" / "ns" / "run.jsonld").write_text('{"@context": {"lab": "http://lab.example/"}}')
    with contexts_from(folder):
        document = formats.read(JSONLD)
    assert document.format == "provjsonld"
    assert document.statements[0].attributes == ((Identifier("http://lab.example/by"), text("x")),)
    with pytest.raises(ReadError, match="is not PROV-JSONLD's"):
        formats.read(JSONLD)


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("https://contexts.example/ns/run", "contexts.example/ns/run.jsonld"),
        ("http://contexts.example/ns/run/", "contexts.example/ns/run.json"),
        ("https://Contexts.example/ns#", "contexts.example/ns.json"),
        ("https://contexts.example:8443/", "contexts.example:8443.jsonld"),
    ],
)
def test_where_an_address_stands(tmp_path: Path, address: str, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_bytes(b'\xef\xbb\xbf{"@context": []}')
    with contexts_from(tmp_path):
        assert user_context(address) == []
        assert user_context(address.replace("contexts", "others").replace("Contexts", "others")) is None


def test_an_index_names_other_files(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"urn:x:context": "x.json", "http://e/missing": "no.json"}')
    (tmp_path / "x.json").write_text(json.dumps(CONTEXT))
    with contexts_from(tmp_path):
        assert user_context("urn:x:context") == CONTEXT["@context"]
        with pytest.raises(ReadError, match=r"file 'no\.json' for"):
            user_context("http://e/missing")


@pytest.mark.parametrize(
    "address",
    ["https://contexts.example/../../secret", "https://../secret", "file:///secret", "secret", "https://e/a\\b"],
)
def test_no_address_leads_out_of_the_folder(tmp_path: Path, address: str) -> None:
    (tmp_path / "secret.json").write_text('{"@context": []}')
    (tmp_path / "contexts").mkdir()
    with contexts_from(tmp_path / "contexts"):
        assert user_context(address) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "[" * 100_000, "\xff"])
def test_a_file_that_is_no_context_is_an_error_that_names_it(folder: Path, content: str) -> None:
    (folder / "contexts.example" / "ns" / "run.jsonld").write_bytes(content.encode("latin-1"))
    with contexts_from(folder), pytest.raises(ReadError, match=r"run\.jsonld"):
        formats.read(RDF)


def test_contexts_that_name_each_other_end(folder: Path) -> None:
    (folder / "contexts.example" / "ns" / "run.jsonld").write_text(json.dumps({"@context": [ADDRESS]}))
    for data in (RDF, JSONLD):
        with contexts_from(folder), pytest.raises(ReadError, match=r"run\.jsonld"):
            formats.read(data, format="rdfjsonld" if data is RDF else "provjsonld")


@pytest.mark.parametrize(("data", "name"), [(RDF, "rdfjsonld"), (JSONLD, "provjsonld")])
def test_an_unknown_context_says_where_to_save_it(tmp_path: Path, data: bytes, name: str) -> None:
    with pytest.raises(ReadError) as without:
        formats.read(data, format=name)
    assert "contexts.example/ns/run.jsonld" in without.value.message
    assert "setting 'contexts' (--contexts, PROVREPO_CONTEXTS)" in without.value.message
    with contexts_from(tmp_path), pytest.raises(ReadError) as within:
        formats.read(data, format=name)
    assert f"{tmp_path} as contexts.example/ns/run.jsonld" in within.value.message


def test_the_setting_reaches_readers_and_workers(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with provrepo.open(settings=Settings(data=tmp_path / "data", contexts=str(folder))) as repository:
        repository.submit(RDF, project="default", name="d")
        assert kinds(repository.read("default", "d")) == ["activity", "used"]
        assert b"Activity" in repository.export("default", "d", format="turtle")
    monkeypatch.setenv("PROVREPO_CONTEXTS", str(folder))
    assert kinds(provrepo.read(RDF)) == ["activity", "used"]
    monkeypatch.setenv("PROVREPO_CONTEXTS", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="not a folder"):
        load()


def test_the_flag_of_the_command_line(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "run.jsonld"
    source.write_bytes(RDF)
    run = CliRunner().invoke(cli, ["--contexts", str(folder), "convert", str(source), "-", "--to", "provn"])
    assert run.exit_code == 0, run.output
    assert "used(" in run.stdout
    run = CliRunner().invoke(cli, ["convert", str(source), "-", "--to", "provn"])
    assert run.exit_code == 2
    assert "PROVREPO_CONTEXTS" in run.output
    run = CliRunner().invoke(
        cli, ["--contexts", str(folder), "--data", str(tmp_path / "d"), "submit", str(source), "--name", "n"]
    )
    assert run.exit_code == 0, run.output
