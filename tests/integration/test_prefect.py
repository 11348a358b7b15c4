"""Prefect runs flows: attempts, assets, a flow inside of a flow, an asynchronous one, and one that fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from provrepo.model.statements import COMMUNICATION
from provrepo.vocab import PROVREPO, SCHEMA
from tests.integration.environments import NotHere, python
from tests.integration.recordings import beside
from tests.support.captured import Captured

SOURCE = Path(__file__).with_name("prefect") / "flow.py"
# The newest fastapi that pip resolves breaks the server of this Prefect.
REQUIREMENTS = ["prefect==3.8.8", "fastapi==0.145.0"]


def test_flows_are_recorded(tmp_path: Path) -> None:
    try:
        interpreter = python("prefect", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"prefect cannot be installed: {error}")
    shutil.copy(SOURCE, tmp_path)
    (tmp_path / "raw.csv").write_text("1,2,3\n4,,6\n", "utf-8")
    home = {"PREFECT_HOME": str(tmp_path / ".prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    home["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"  # on a machine with other work
    done = beside(interpreter, ["flow.py"], tmp_path, **home)
    assert done.stdout == "failed\n", done.stderr
    assert "provenance is incomplete" not in done.stderr
    paths = sorted((tmp_path / "prov").glob("crops-*.trig"), key=lambda path: path.stat().st_mtime)
    good, bad = map(Captured, paths)
    (later,) = map(Captured, (tmp_path / "prov").glob("several-*.trig"))
    for found in (good, bad, later):
        assert found.problems("core", "pipeline") == []
    assert {("clean", "raw.csv"), ("train", "list"), ("publish", "dict")} <= good.used
    made = {("clean.csv", "clean"), ("list", "clean"), ("model.bin", "train"), ("dict", "train")}
    assert made | {("crop", "publish")} <= good.generated
    attempts = [
        (*good.values(s, PROVREPO + "attempt"), *good.values(s, SCHEMA + "error")) for s in good.elements("train")
    ]
    assert sorted(attempts) == [("1", "ValueError"), ("2",)]
    told = {(good.label(s.args[0]), good.label(s.args[1])) for s in good.document if s.kind is COMMUNICATION}
    assert told == {("train", "note")}
    assert {"crops", "inner"} >= {good.inside_of(s).partition("-")[0] for s in good.elements("note")}
    assert bad.status("publish") == "Failed"
    assert ("crop", "publish") not in bad.generated
    assert later.generated >= {("list", "later")}
