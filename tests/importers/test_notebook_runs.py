"""Notebooks that papermill, nbconvert or Jupyter ran, as nbformat and these programs describe them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError
from provrepo.importers.contents import content_of
from provrepo.importers.notebooks.cells import _assigned
from provrepo.importers.notebooks.codec import ROOT
from provrepo.importers.notebooks.codec import read as read_notebook
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, ASSOCIATION, ATTRIBUTION, GENERATION, SPECIALIZATION, START, USAGE, Kind
from provrepo.vocab import PROV_ROLE, PROV_VALUE, RDFS_LABEL, SCHEMA, SPDX
from tests.support.corpus import CORPUS

FIXTURES = CORPUS.parent / "fixtures" / "jupyter"
DAY = "2026-11-20T15:24:"


def cell(
    number: int, source: str, *, tags: list[str] | None = None, error: str = "", **metadata: Any
) -> dict[str, Any]:
    outputs = [{"output_type": "error", "ename": error, "evalue": "token=hunter2", "traceback": []}] if error else []
    return {
        "cell_type": "code", "id": f"c{number}", "source": source.splitlines(keepends=True), "outputs": outputs,
        "execution_count": number, "metadata": {"tags": tags or [], **metadata},
    }  # fmt: skip


def papermill(start: str, end: str | None, status: str = "completed") -> dict[str, Any]:
    times = {"start_time": f"{DAY}{start}+00:00", "end_time": end and f"{DAY}{end}+00:00", "duration": 1.0}
    return {"papermill": {**times, "exception": status == "failed", "status": status}}


def execution(start: str, end: str) -> dict[str, Any]:
    return {"execution": {"iopub.execute_input": f"{DAY}{start}Z", "shell.execute_reply": f"{DAY}{end}Z"}}


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    about = {
        "kernelspec": {"name": "python3", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {**about, **metadata}, "cells": list(cells)}


def papermilled(*, exception: bool | None = None, end: str | None = "52") -> dict[str, Any]:
    run = {
        "version": "2.7.0", "input_path": "crop.ipynb", "output_path": "out/crop_out.ipynb", "exception": exception,
        "start_time": f"{DAY}44+00:00", "end_time": end and f"{DAY}{end}+00:00", "default_parameters": {},
        "parameters": {"alpha": 2.0, "api_token": "hunter2", "plots": [1, 2], "nothing": None},
        "environment_variables": {"PATH": "/bin", "DB": "hunter2"},
    }  # fmt: skip
    last = "failed" if exception else "completed"
    return notebook(
        {"cell_type": "markdown", "id": "m", "source": "# Crop", "metadata": {}},
        cell(1, "src = 'raw.csv'\nalpha = 1.0\nrows = load()", tags=["parameters"], **papermill("45", "46")),
        cell(2, "# Parameters\nalpha = 2.0\n", tags=["injected-parameters"], **papermill("46", "47")),
        cell(3, "fit(alpha)", error="ValueError" if exception else "", **papermill("47", "51", last)),
        papermill=run,
        authors=[{"name": "Ada Lovelace", "orcid": "https://orcid.org/0000-0002-1825-0097"}, {"name": "Bo"}],
    )


def read(value: Any) -> Document:
    return provrepo.read(json.dumps(value).encode())


def labels(document: Document) -> dict[Any, str]:
    return {s.id: str(v) for s in document if s.kind.element for n, v in s.attributes if n == RDFS_LABEL}


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    names = labels(document)
    return {
        tuple(names.get(arg, "-" if arg is None else str(arg)) for arg in s.args) for s in document if s.kind is kind
    }


def statuses(document: Document) -> dict[str, str]:
    names = labels(document)
    return {
        names[s.id]: str(v).removeprefix(SCHEMA).removesuffix("ActionStatus")
        for s in document if s.kind is ACTIVITY for n, v in s.attributes if n == SCHEMA + "actionStatus"
    }  # fmt: skip


def conforms(document: Document, *profiles: str) -> bool:
    return bool(provrepo.validate(document, profiles=profiles or ["core", "pipeline"], constraints="gate").conforms)


def test_a_run_of_papermill() -> None:
    document = read(papermilled())
    assert conforms(document)
    assert statuses(document) == {
        "run of crop.ipynb": "Completed", "cell 1": "Completed", "parameters": "Completed", "cell 2": "Completed",
    }  # fmt: skip
    (run,) = [s for s in document if s.kind is ACTIVITY and "/cell/" not in str(s.id)]
    assert [str(time) for time in run.args] == [f"{DAY}44+00:00", f"{DAY}52+00:00"]
    assert {whole for part, _, whole, *_ in related(document, START)} == {"run of crop.ipynb"}
    values = {
        str(role): next(str(v) for e in document if e.id == s.args[1] for n, v in e.attributes if n == PROV_VALUE)
        for s in document if s.kind is USAGE for name, role in s.attributes if name == PROV_ROLE
    }  # fmt: skip
    assert values == {
        "src": "raw.csv", "alpha": "2.0", "api_token": "(masked)", "plots": "[1,2]", "nothing": "null",
    }  # fmt: skip
    assert {
        ("run of crop.ipynb", "papermill 2.7.0", "crop.ipynb"),
        ("cell 2", "python 3.11.7", "cell 2 of crop.ipynb"),
    } <= (related(document, ASSOCIATION))
    assert {("crop.ipynb", "Ada Lovelace"), ("crop.ipynb", "Bo")} <= related(document, ATTRIBUTION)
    assert "https://orcid.org/0000-0002-1825-0097" in {str(s.id) for s in document}
    assert "hunter2" not in document.write("provn").decode()


def test_the_output_is_the_file_itself() -> None:
    document = read(papermilled())
    (made,) = [s.args[0] for s in document if s.kind is GENERATION]
    (digest,) = {str(v) for s in document if s.id == made for n, v in s.attributes if n == SPDX + "checksumValue"}
    assert (str(made), content_of("sha256", digest)) in {
        tuple(map(str, s.args)) for s in document if s.kind is SPECIALIZATION
    }


def test_a_run_that_fails_generates_nothing() -> None:
    document = read(papermilled(exception=True))
    assert conforms(document)
    assert statuses(document)["run of crop.ipynb"] == statuses(document)["cell 2"] == "Failed"
    assert related(document, GENERATION) == set()
    errors = [str(v) for s in document if s.kind is ACTIVITY for n, v in s.attributes if n == SCHEMA + "error"]
    assert errors == ["ValueError", "ValueError"]  # the text of an exception may hold anything


def test_a_run_that_goes_on() -> None:
    assert statuses(read(papermilled(end=None)))["run of crop.ipynb"] == "Active"


def test_times_of_nbconvert_are_those_of_the_cells() -> None:
    value = notebook(
        cell(1, "1", **execution("07.1", "07.9")),
        cell(2, "2", error="KeyError", tags=["raises-exception"], **execution("08", "09")),
    )
    document = read(value)
    assert conforms(document)
    (run,) = [s for s in document if s.kind is ACTIVITY and "/cell/" not in str(s.id)]
    assert [str(time) for time in run.args] == [f"{DAY}07.1Z", f"{DAY}09Z"]
    assert set(statuses(document).values()) == {"Completed"}
    value["cells"][1]["metadata"]["tags"] = []
    assert statuses(read(value))["run of notebook"] == "Failed"


def test_cells_without_times_are_no_parts() -> None:
    document = read(notebook(cell(1, "1")))
    assert conforms(document, "core")
    assert list(statuses(document)) == ["run of notebook"]
    assert related(document, START) == set()


def test_what_is_not_in_a_notebook_is_said() -> None:
    (finding,) = read(papermilled()).warnings
    assert "`%load_ext provrepo`" in finding.message
    assert not finding.violation


def test_a_notebook_that_was_not_run_is_refused() -> None:
    plain = cell(1, "1")
    plain["execution_count"] = None
    document = read(notebook(plain))
    (finding,) = document.warnings
    assert finding.violation
    assert "no record of a run" in finding.message
    assert not conforms(document)


def test_nbformat_3() -> None:
    old = cell(1, "1", error="ValueError")
    old["input"], old["prompt_number"] = old.pop("source"), old.pop("execution_count")
    old["outputs"][0]["output_type"] = "pyerr"
    document = read({"nbformat": 3, "metadata": {"name": "old"}, "worksheets": [{"cells": [old]}]})
    assert conforms(document, "core")
    assert statuses(document) == {"run of old": "Failed"}


def test_paths_of_windows_and_strange_values_are_named() -> None:
    value = papermilled()
    value["metadata"]["papermill"] |= {
        "input_path": "C:\\lab\\crop.ipynb",
        "start_time": f"{DAY}44",
        "end_time": "soon",
    }
    value["cells"][1]["metadata"] = "none"
    document = read(value)
    assert "run of crop.ipynb" in labels(document).values()
    found = {warning.message.partition(" (")[0] for warning in document.warnings}
    assert {
        "/metadata/papermill/start_time: a time without a zone",
        "/cells/1/metadata: an object is needed; it is not read",
    } < found
    assert any(message.startswith("/metadata/papermill/end_time: no time") for message in found)


def test_the_same_run_has_the_same_name_and_the_same_code_is_the_same_plan() -> None:
    first, second = papermilled(), papermilled()
    second["metadata"]["papermill"]["start_time"] = f"{DAY}43+00:00"
    names = [{str(s.id) for s in read(value) if s.id and "/run/" in str(s.id)} for value in (first, first, second)]
    assert names[0] == names[1]
    assert names[0].isdisjoint(names[2])
    plans = [
        {str(s.id) for s in read(value) if s.id and str(s.id).startswith(f"{ROOT}code/")} for value in (first, second)
    ]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("data", [b'{"nbformat": 4, "cells": [', b'{"nbformat": 4, "cells": [], "cells": [1]}'])
def test_what_is_no_json_has_a_place(data: bytes) -> None:
    with pytest.raises(ReadError) as error:
        read_notebook(data, format="notebook", base=None)
    assert error.value.line == 1


@pytest.mark.parametrize("code", ["x = 1e999", "x = '\\ud800'", "x = {1, 2}", "x = y", "f(", "x = b'1'", "x: int"])
def test_what_is_no_literal_of_json_is_no_parameter(code: str) -> None:
    assert _assigned(code) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["papermill", "execution", "tags", "id", "source", "outputs", "metadata", "start_time"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["metadata", "cells", "worksheets"]), JSON),
    st.dictionaries(st.sampled_from(["cell_type", "metadata", "source", "id", "outputs", "execution_count"]), JSON),
)
def test_any_json_makes_a_document_or_a_finding(whole: dict[str, Any], one: dict[str, Any]) -> None:
    for value in (
        {"nbformat": 4, **whole},
        notebook({"cell_type": "code", "execution_count": 1, **one}, papermill=whole.get("metadata")),
    ):
        try:
            data = json.dumps(value).encode()
            document = read_notebook(data, format="notebook", base=None)
        except ReadError:
            continue
        assert document.warnings
        document.write("provn")


@pytest.mark.parametrize("name", ["crop_out", "crop_fail_out", "crop_nbconvert"])
def test_what_the_programs_wrote(name: str) -> None:
    path = FIXTURES / f"{name}.ipynb"
    if not path.exists():
        pytest.skip(f"no {path}")
    document = provrepo.read(path)
    assert conforms(document)
    assert sum("/cell/" in str(s.id) for s in document if s.kind is ACTIVITY) >= 3
