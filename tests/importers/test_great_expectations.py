"""Results of validations of Great Expectations, in the layouts of 0.15 to 1.x."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError
from provrepo.importers.great_expectations.codec import read as read_results
from provrepo.importers.great_expectations.names import ROOT, TERMS
from provrepo.model.document import Document
from provrepo.model.statements import ASSOCIATION, DERIVATION, GENERATION, SPECIALIZATION, USAGE, Kind
from provrepo.vocab import DQV, PROV_LOCATION, RDFS_LABEL, SPDX


def result(kind: str, success: bool, **kwargs: Any) -> dict[str, Any]:
    return {
        "success": success,
        "expectation_config": {"type": kind, "kwargs": {"batch_id": "b", **kwargs}, "severity": "critical"},
        "exception_info": {"raised_exception": False, "exception_message": None},
        "result": {"unexpected_count": 1, "partial_unexpected_list": ["hush"], "observed_value": 400},
    }


PRESENT: dict[str, Any] = {
    "success": False,
    "suite_name": "plots",
    "suite_parameters": {},
    "statistics": {"evaluated_expectations": 2},
    "results": [
        result("expect_column_values_to_not_be_null", False, column="soil_ph"),
        result("expect_table_row_count_to_be_between", True, min_value=1),
    ],
    "meta": {
        "active_batch_definition": {
            "datasource_name": "crops",
            "data_asset_name": "raw_csv",
            "batch_identifiers": {"path": "raw.csv"},
        },
        "batch_markers": {"ge_load_time": "20261120T151532.985523Z", "pandas_data_fingerprint": "25bf"},
        "batch_spec": {"path": "raw.csv", "reader_method": "read_csv"},
        "checkpoint_id": "609e91fe",
        "great_expectations_version": "1.24.1",
        "run_id": {"run_name": None, "run_time": "2026-11-20T15:15:32.968147+00:00"},
        "validation_id": "6c5a5d41",
        "validation_time": "2026-11-20T15:15:32.968147+00:00",
    },
}


def former() -> dict[str, Any]:
    """The same in the layout of 0.18."""
    found = json.loads(json.dumps(PRESENT))
    for each in found["results"]:
        each["expectation_config"]["expectation_type"] = each["expectation_config"].pop("type")
        del each["expectation_config"]["severity"]
    meta = found["meta"]
    del found["suite_name"], found["suite_parameters"], meta["validation_id"], meta["checkpoint_id"]
    meta |= {
        "expectation_suite_name": "plots",
        "checkpoint_name": "nightly",
        "great_expectations_version": "0.18.22",
        "validation_time": "20261120T151532.968147Z",
    }
    found["evaluation_parameters"] = {"lowest": 3}
    return found  # type: ignore[no-any-return]


def read(*values: Any) -> Document:
    return provrepo.read("\n".join(json.dumps(value) for value in values).encode())


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    labels = {
        str(one.id): str(value) for one in document for name, value in one.attributes if one.id and name == RDFS_LABEL
    }
    found = [[labels.get(str(arg), str(arg)) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(args) for args in found}


def values(document: Document, name: str) -> list[str]:
    return [str(value) for one in document for found, value in one.attributes if found == name]


@pytest.mark.parametrize(("found", "checkpoint"), [(PRESENT, "609e91fe"), (former(), "nightly")])
def test_a_validation_measures_its_batch(found: dict[str, Any], checkpoint: str) -> None:
    document = read(found)
    assert document.format == "great_expectations"
    null, rows = "expect_column_values_to_not_be_null", "expect_table_row_count_to_be_between"
    assert related(document, USAGE) == {("validation of plots", "batch of raw_csv", "2026-11-20T15:15:32.985523Z")}
    assert related(document, GENERATION) == {(null, "validation of plots"), (rows, "validation of plots")}
    assert {(null, "batch of raw_csv"), (rows, "batch of raw_csv")} < related(document, DERIVATION)
    assert related(document, SPECIALIZATION) == {("batch of raw_csv", "raw_csv")}
    assert related(document, ASSOCIATION) == {
        ("validation of plots", "Great Expectations", "suite plots"),
        ("validation of plots", "Great Expectations", f"checkpoint {checkpoint}"),
    }
    assert values(document, f"{DQV}value") == ["false", "true"]
    assert values(document, f"{TERMS}column") == ["soil_ph"]
    assert values(document, PROV_LOCATION) == ["raw.csv"]
    assert document.warnings == []
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_a_fingerprint_names_no_content_and_samples_stay_in_the_record() -> None:
    document = read(PRESENT)
    assert values(document, f"{TERMS}pandasDataFingerprint") == ["25bf"]
    assert values(document, f"{SPDX}checksumValue") == []
    assert b"hush" not in document.write("provn")


def test_what_is_not_as_expected_has_its_place() -> None:
    broken = json.loads(json.dumps(PRESENT))
    broken["results"][0]["success"] = "yes"
    broken["results"][1]["expectation_config"] = {}
    broken["meta"]["validation_time"] = "2026-11-20T15:15:32"
    broken["meta"]["active_batch_definition"] = None
    document = read(broken)
    assert [warning.message.partition(":")[0] for warning in document.warnings] == [
        "/meta/active_batch_definition/data_asset_name",
        "/meta/validation_time",
        "/results/0/success",
        "/results/1/expectation_config",
    ]
    assert not [warning for warning in document.warnings if warning.violation]
    assert [warning.violation for warning in read(PRESENT, [1]).warnings] == [True]
    with pytest.raises(ReadError, match="line 1"):
        provrepo.read(json.dumps(PRESENT).encode()[:-9])


def test_a_project_is_imported_and_each_validation_is_a_document(tmp_path: Path) -> None:
    store = tmp_path / "gx" / "uncommitted" / "validations" / "plots" / "__none__"
    for number in (1, 2):
        folder = store / f"20261120T15153{number}.968147Z"
        folder.mkdir(parents=True)
        changed = json.loads(json.dumps(PRESENT))
        changed["meta"]["validation_time"] = f"2026-11-20T15:15:3{number}Z"
        (folder / "crops-raw_csv.json").write_text(json.dumps(changed), "utf-8")
    (store / "torn.json").write_text('{"results": [', "utf-8")
    (tmp_path / "gx" / "expectations").mkdir()
    (tmp_path / "gx" / "expectations" / "plots.json").write_text('{"expectations": [], "name": "plots"}', "utf-8")
    repository = provrepo.open(tmp_path / "data")
    found = repository.import_documents(tmp_path / "gx")
    assert len({receipt.version.name for receipt in found.receipts}) == 2
    assert [Path(skipped.place).name for skipped in found.skipped] == ["torn.json"]
    again = repository.import_documents(tmp_path / "gx")
    assert [receipt.created for receipt in again.receipts] == [False, False]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = ("results", "statistics", "success", "meta", "suite_name", "suite_parameters")
META = (*PRESENT["meta"], "batch_kwargs", "expectation_suite_name", "checkpoint_name")


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, VALUES))
    | st.fixed_dictionaries(
        {
            "results": st.lists(VALUES | st.fixed_dictionaries({"expectation_config": VALUES, "result": VALUES})),
            "statistics": VALUES,
            "success": VALUES,
            "meta": st.fixed_dictionaries({}, optional=dict.fromkeys(META, VALUES)),
        }
    )
    | VALUES
)
def test_any_json_makes_a_document_or_a_finding(value: Any) -> None:
    document = read_results(json.dumps(value).encode(), format="great_expectations", base=None)
    validations = [one for one in document if str(one.id).startswith(f"{ROOT}validation/")]
    assert validations or document.warnings or value == []
