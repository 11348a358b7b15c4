"""Invocations of dbt, from the folder of a project or its ``target/``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.importers.contents import content_of
from provrepo.importers.dbt import columns
from provrepo.importers.dbt.codec import collect
from provrepo.importers.dbt.codec import read as read_artifacts
from provrepo.importers.dbt.names import ROOT, TERMS, namespace_of
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.names import Names as LineageNames
from provrepo.importers.parts import Part, Skipped
from provrepo.importers.sources import files_of
from provrepo.model.document import Document
from provrepo.model.statements import ATTRIBUTION, DERIVATION, GENERATION, MEMBERSHIP, SPECIALIZATION, USAGE, Kind
from provrepo.vocab import DQV, RDFS_LABEL, SCHEMA

SEED = "plot_id,soil_ph\r\n1,6.5\r\n"
INVOCATION = "98e37c7c-b9f8-4087-ad92-077612b9bcde"


def node(kind: str, name: str, *reads: str, **more: Any) -> dict[str, Any]:
    key = f"{kind}.crops.{name}"
    return {
        "unique_id": key,
        "name": name,
        "alias": name,
        "database": "crops",
        "schema": "main",
        "resource_type": kind,
        "original_file_path": f"{kind}s/{name}.sql",
        "depends_on": {"nodes": list(reads), "macros": []},
        "config": {"materialized": "table"},
        **more,
    }


CLEAN = "model.crops.clean"
NODES = {
    each["unique_id"]: each
    for each in (
        node(
            "seed",
            "raw",
            original_file_path="seeds/raw.csv",
            checksum={"name": "sha256", "checksum": hashlib.sha256(SEED.strip().encode()).hexdigest()},
        ),
        node("model", "between", "seed.crops.raw", config={"materialized": "ephemeral"}),
        node(
            "model",
            "clean",
            "model.crops.between",
            "source.crops.lab.sites",
            columns={"plot_id": {"name": "plot_id", "description": "its number"}},
            compiled_code='with b as (select * from "crops"."main"."raw") select plot_id, soil_ph * 2 as twice from b',
        ),
        node("model", "broken", CLEAN),
        node("model", "later", "model.crops.broken"),
        node(
            "test",
            "not_null_clean_plot_id",
            CLEAN,
            column_name="plot_id",
            attached_node=CLEAN,
            config={"severity": "ERROR"},
            test_metadata={"name": "not_null", "kwargs": {"column_name": "plot_id", "model": "{{ ref }}"}},
        ),
    )
}
SOURCE = {
    "unique_id": "source.crops.lab.sites",
    "name": "sites",
    "identifier": "sites",
    "database": "crops",
    "schema": "lab",
    "resource_type": "source",
}
EXPOSURE = {
    "unique_id": "exposure.crops.report",
    "resource_type": "exposure",
    "name": "report",
    "type": "notebook",
    "owner": {"name": "Ana", "email": "ana@example.org"},
    "depends_on": {"nodes": [CLEAN]},
}


def manifest(version: int = 12) -> dict[str, Any]:
    return {
        "metadata": {
            "dbt_schema_version": f"https://schemas.getdbt.com/dbt/manifest/v{version}.json",
            "dbt_version": "1.11.16",
            "adapter_type": "duckdb",
            "project_name": "crops",
            "invocation_id": INVOCATION,
        },
        "nodes": NODES,
        "sources": {SOURCE["unique_id"]: SOURCE},
        "exposures": {EXPOSURE["unique_id"]: EXPOSURE},
        "macros": {"macro.dbt.run": {}},
    }


def result(key: str, status: str, second: int, **more: Any) -> dict[str, Any]:
    times = {"started_at": f"2026-11-20T15:12:{second}Z", "completed_at": f"2026-11-20T15:12:{second}.5Z"}
    return {"unique_id": key, "status": status, "timing": [{"name": "execute", **times}], **more}


def results(which: str = "build", invocation: str = INVOCATION) -> dict[str, Any]:
    return {
        "metadata": {
            "dbt_version": "1.11.16",
            "invocation_id": invocation,
            "invocation_started_at": "2026-11-20T15:12:09Z",
            "generated_at": "2026-11-20T15:12:30Z",
        },
        "args": {"which": which, "vars": {"api_token": "hush-hush"}},
        "elapsed_time": 1.0,
        "results": [
            result("test.crops.not_null_clean_plot_id", "fail", 14, failures=3),
            result(CLEAN, "success", 12),
            result("model.crops.broken", "error", 13, message="Catalog Error"),
            result("seed.crops.raw", "success", 11, adapter_response={"rows_affected": 1}),
            {"unique_id": "model.crops.later", "status": "skipped", "timing": []},
        ],
    }


def write(folder: Path, name: str, found: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found if isinstance(found, str) else json.dumps(found), "utf-8", newline="")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "crops"
    write(folder, "target/manifest.json", manifest())
    write(folder, "target/run_results.json", results())
    types = {"soil_ph": {"type": "DOUBLE"}, "plot_id": {"type": "INTEGER"}}
    write(folder, "target/catalog.json", {"nodes": {"seed.crops.raw": {"columns": types}}, "sources": {}})
    write(folder, "target/compiled/crops/models/clean.sql", "select 1")
    write(folder, "seeds/raw.csv", SEED)
    write(folder, "dbt_project.yml", "name: crops\nprofile: crops\n")
    profile = "crops:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: crops.duckdb, password: hush-hush}\n"
    write(folder, "profiles.yml", profile)
    return folder


def parts(folder: Path) -> list[Part | Skipped]:
    return [one.part for one in collect(files_of(folder), folder)]


def read(folder: Path) -> Document:
    (part,) = [each for each in parts(folder) if isinstance(each, Part)]
    return provrepo.read(part.data)


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    labels = {
        str(one.id): str(value) for one in document for name, value in one.attributes if one.id and name == RDFS_LABEL
    }
    found = [[labels.get(str(arg), str(arg)) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(args) for args in found}


def values(document: Document, name: str) -> list[str]:
    return [str(value) for one in document for found, value in one.attributes if found == name]


def test_a_build_with_its_versions_and_what_failed(project: Path) -> None:
    document = read(project)
    assert document.format == "dbt"
    raw, clean, sites = "crops.main.raw", "crops.main.clean", "crops.lab.sites"
    test = "not_null_clean_plot_id"
    used = {args[:2] for args in related(document, USAGE)}
    assert used == {("raw", "seeds/raw.csv"), ("clean", raw), ("clean", sites), ("broken", clean), (test, clean)}
    made = {args[:2] for args in related(document, GENERATION)}
    assert made == {(raw, "raw"), (clean, "clean"), (test, test)}
    derived = {args[:2] for args in related(document, DERIVATION)}
    assert {(raw, "seeds/raw.csv"), (clean, raw), (clean, sites), ("report", clean)} <= derived
    assert related(document, ATTRIBUTION) >= {("report", "Ana")}
    states = {str(one.id).rpartition("/")[2]: str(value) for one in document for name, value in one.attributes
              if name == f"{SCHEMA}actionStatus"}  # fmt: skip
    assert states["model.crops.broken"] == states[INVOCATION] == f"{SCHEMA}FailedActionStatus"
    assert states["test.crops.not_null_clean_plot_id"] == f"{SCHEMA}CompletedActionStatus"
    assert values(document, f"{TERMS}skipped") == ["model.crops.later"]
    assert document.warnings == []
    assert provrepo.validate(document, profiles=["pipeline"]).conforms
    (part,) = parts(project)
    assert isinstance(part, Part)
    assert b"hush" not in document.write("provn")
    assert b"password" not in part.data


def test_a_test_is_a_measurement_of_the_version_that_it_is_attached_to(project: Path) -> None:
    document = read(project)
    (found,) = [one for one in document if str(one.id).endswith("not_null_clean_plot_id#result/1") and one.attributes]
    about = {str(name): str(value) for name, value in found.attributes}
    assert about[f"{DQV}value"] == "false"
    assert (about[f"{TERMS}failures"], about[f"{TERMS}severity"], about[f"{TERMS}column"]) == ("3", "ERROR", "plot_id")
    assert about[f"{DQV}isMeasurementOf"] == LineageNames().metric("not_null")
    assert "/crops.main.clean/" in about[f"{DQV}computedOn"]


def test_relations_have_the_names_of_openlineage(project: Path) -> None:
    logical = {str(one.args[1]) for one in read(project) if one.kind is SPECIALIZATION}
    for name in ("crops.main.raw", "crops.main.clean", "crops.lab.sites"):
        assert LineageNames().dataset(Dataset("duckdb://crops.duckdb", name)) in logical
    (project / "profiles.yml").unlink()
    document = read(project)
    assert [warning.message.partition(":")[0] for warning in document.warnings] == ["/namespace"]
    logical = {str(one.args[1]) for one in document if one.kind is SPECIALIZATION}
    assert LineageNames().dataset(Dataset("dbt:duckdb:crops", "crops.main.raw")) in logical


@pytest.mark.parametrize(
    ("target", "namespace"),
    [
        ({"type": "postgres", "host": "db.lab", "port": 5433, "password": "hush"}, "postgres://db.lab:5433"),
        ({"type": "redshift", "host": "db.lab"}, "redshift://db.lab:5439"),
        ({"type": "snowflake", "account": "org-lab"}, "snowflake://org-lab"),
        ({"type": "snowflake", "account": "lab1"}, "snowflake://lab1.us-west-1.aws"),
        ({"type": "bigquery", "project": "p"}, "bigquery"),
        ({"type": "sqlserver", "server": "db.lab"}, "mssql://db.lab:1433"),
        ({"type": "athena", "region_name": "eu-west-1"}, "awsathena://athena.eu-west-1.amazonaws.com"),
        ({"type": "postgres", "host": "{{ env_var('HOST') }}"}, ""),
        ({"type": "other", "host": "db.lab"}, ""),
    ],
)
def test_the_namespace_of_a_database(target: dict[str, Any], namespace: str) -> None:
    assert namespace_of(target) == namespace


def test_columns_are_derived_through_the_sql(project: Path) -> None:
    document = read(project)
    derived = [tuple(str(arg) for arg in one.args[:2]) for one in document if one.kind is DERIVATION]
    pairs = {
        tuple(each.rpartition("/")[2] for each in pair)
        for pair in derived
        if all("#" in each and "#result" not in each for each in pair)
    }
    clean, raw = f"{INVOCATION}%2F{CLEAN}", f"{INVOCATION}%2Fseed.crops.raw"
    assert pairs == {(f"{clean}#plot_id", f"{raw}#plot_id"), (f"{clean}#twice", f"{raw}#soil_ph")}
    members = related(document, MEMBERSHIP)
    assert {("crops.main.clean", "plot_id"), ("crops.main.raw", "soil_ph")} <= members


def test_without_sqlglot_one_finding_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provrepo.importers.dbt.stating.available", lambda: False)
    messages = [warning.message for warning in read(project).warnings]
    assert len(messages) == 1
    assert columns.INSTALL in messages[0]


def test_a_seed_is_the_content_of_its_file_while_it_is_the_same(project: Path) -> None:
    content = content_of("sha256", hashlib.sha256(SEED.encode()).hexdigest())
    assert ("seeds/raw.csv", content) in related(read(project), SPECIALIZATION)
    write(project, "seeds/raw.csv", SEED + "2,7\n")
    found = {args for args in related(read(project), SPECIALIZATION) if args[0] == "seeds/raw.csv"}
    assert found == set()


@pytest.mark.parametrize("which", ["docs generate", "compile", "source freshness"])
def test_results_of_other_commands_are_refused(project: Path, which: str) -> None:
    write(project, "target/run_results.json", results(which.removeprefix("docs ")))
    (found,) = parts(project)
    assert isinstance(found, Skipped)
    assert f"dbt {which}" in found.reason
    assert "dbt build" in found.reason


def test_freshness_of_sources_is_measured(project: Path) -> None:
    (project / "target" / "run_results.json").unlink()
    fresh = {
        "unique_id": SOURCE["unique_id"],
        "status": "warn",
        "max_loaded_at": "2026-11-19T00:00:00Z",
        "snapshotted_at": "2026-11-20T00:00:00Z",
        "max_loaded_at_time_ago_in_s": 86400.0,
        "criteria": {"warn_after": {"count": 12, "period": "hour"}},
        "timing": [],
    }
    metadata = {"invocation_id": "f", "generated_at": "2026-11-20T15:12:30Z", "dbt_version": "1.11.16"}
    write(project, "target/sources.json", {"metadata": metadata, "results": [fresh], "elapsed_time": 1})
    document = read(project)
    assert values(document, f"{DQV}value") == ["false"]
    assert values(document, f"{TERMS}maxLoadedAt") == ["2026-11-19T00:00:00Z"]
    assert ("freshness of sites", "crops.lab.sites") in related(document, DERIVATION)
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_files_that_are_damaged_or_unknown_are_named(project: Path) -> None:
    write(project, "target/catalog.json", '{"nodes": ')
    write(project, "target/run_results.json", results(invocation="other"))
    found = parts(project)
    assert [Path(one.place).name for one in found if isinstance(one, Skipped)] == ["catalog.json"]
    assert ["another invocation" in warning.message for warning in read(project).warnings] == [True]
    write(project, "target/manifest.json", manifest(99))
    (one,) = parts(project)
    assert isinstance(one, Skipped)
    assert "version 99" in one.reason
    alone = read_artifacts(json.dumps(results()).encode(), format="dbt", base=None)
    assert [warning.violation for warning in alone.warnings] == [True]


def test_nodes_in_a_circle_and_unknown_nodes_end(project: Path) -> None:
    found = json.loads(json.dumps(manifest()))
    found["nodes"]["model.crops.between"]["depends_on"]["nodes"] = ["model.crops.between", CLEAN, "model.crops.gone"]
    del found["nodes"]["model.crops.broken"]
    write(project, "target/manifest.json", found)
    document = read(project)
    assert any("model.crops.broken is not in the manifest" in warning.message for warning in document.warnings)
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_a_project_is_imported_again_only_when_it_ran_again(project: Path, tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    first = repository.import_documents(project, format="dbt")
    assert [receipt.version.name for receipt in first.receipts] == [f"run-{INVOCATION}"]
    assert first.skipped == ()
    assert [receipt.created for receipt in repository.import_documents(project, format="dbt").receipts] == [False]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def some(names: Iterable[str], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, inner))


KEYS = st.sampled_from(["model.a", "seed.a", "test.a", "source.a", "exposure.a", "a"])
DEPENDS = st.fixed_dictionaries({"nodes": st.lists(KEYS | VALUES, max_size=3)})
NODE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("name", "alias", "database", "schema", "resource_type", "columns", "owner", "checksum"), VALUES
        ),
        "depends_on": DEPENDS | VALUES,
        "config": VALUES | st.just({"materialized": "ephemeral"}),
        "compiled_code": st.sampled_from(["select a from b", "with"]) | VALUES,
        "test_metadata": VALUES | some(("name", "kwargs"), VALUES),
    },
)
RESULT = st.fixed_dictionaries(
    {"unique_id": KEYS | VALUES},
    optional={
        "status": st.sampled_from(["success", "pass", "fail", "error", "warn", "skipped"]) | VALUES,
        "timing": st.lists(some(("name", "started_at", "completed_at"), VALUES), max_size=2) | VALUES,
        "adapter_response": VALUES,
        "failures": VALUES,
        "message": VALUES,
    },
)
RESULTS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries({"invocation_id": st.just("i") | VALUES}),
        "results": st.lists(RESULT, max_size=4),
    },
    optional={"args": VALUES},
)


@given(
    st.fixed_dictionaries(
        {"dbt_artifacts": st.just(1)},
        optional={
            "run_results": RESULTS | VALUES,
            "freshness": RESULTS | VALUES,
            "manifest": some(
                ("nodes", "sources", "exposures"), st.dictionaries(KEYS, NODE | VALUES, max_size=4) | VALUES
            ),
            "namespace": VALUES,
            "catalog": VALUES,
            "files": VALUES,
        },
    )
    | VALUES
)
def test_any_json_makes_a_document_or_a_finding(value: Any) -> None:
    document = read_artifacts(json.dumps(value).encode(), format="dbt", base=None)
    document.write("provn")
    runs = [one for one in document if str(one.id).startswith(f"{ROOT}run/")]
    assert runs or document.warnings or value == []
