"""MLflow tracks runs into files; they are moved to SQLite and served: the three give the same statements."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.importers.mlflow.codec import ask, collect
from provrepo.importers.mlflow.names import ROOT
from provrepo.importers.parts import Part, Skipped
from provrepo.importers.sources import SourceFile, files_of
from provrepo.vocab import MLS, PROV_TYPE, RDFS_LABEL
from tests.integration.environments import NotHere, python, run

REQUIREMENTS = ["mlflow==3.17.2", "pandas==3.1.1", "scikit-learn==1.9.1", "skops==0.16.0"]

SECONDS = 120
"""The longest that the server may take to start."""


@dataclass
class Tracked:
    """The documents of each store, by name.

    Attributes:
        files: of the FileStore.
        rows: of the database.
        answers: of the server.
        skipped: what could not be read.
    """

    files: dict[str, bytes]
    rows: dict[str, bytes]
    answers: dict[str, bytes]
    skipped: list[Skipped]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    try:
        interpreter = python("mlflow", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"MLflow cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("mlflow")
    names = {
        "PATH": f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_TRACKING_URI": f"file:{folder}/mlruns",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    for command in (
        ["git", "init", "-q"],
        ["git", *["-c", "user.name=a", "-c", "user.email=a@b.c"], *["commit", "-q", "--allow-empty", "-m", "x"]],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    script = folder / "train.py"
    script.write_text(Path(__file__).with_name("mlflow_runner.py").read_text("utf-8"), "utf-8")
    ran = run(["env", "-C", folder, interpreter, script], **names)
    assert ran.returncode == 0, ran.stderr[-3000:]
    database = f"sqlite:///{folder}/mlflow.db"
    moved = run(
        [interpreter.parent / "mlflow", "migrate-filestore", "--source", folder / "mlruns", "--target", database],
        **names,
    )
    assert moved.returncode == 0, moved.stderr[-3000:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [interpreter.parent / "mlflow", "server", "--backend-store-uri", database, "--port", str(port)]
    served = subprocess.Popen(
        [str(part) for part in [*command, "--workers", "1"]],
        env={**os.environ, **names, "MLFLOW_TRACKING_URI": database},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _started(url)
        files = files_of(folder / "mlruns")
        found = files_of(folder)
        skipped: list[Skipped] = []
        yield Tracked(
            _documents((one.part for one in collect(files, folder)), skipped),
            _documents((one.part for one in collect([each for each in found if not _is_meta(each)], folder)), skipped),
            _documents(ask(url, ["crop-yield"]), skipped),
            skipped,
        )
    finally:
        os.killpg(served.pid, 15)
        served.wait()


def _is_meta(file: SourceFile) -> bool:
    return file.path.endswith("meta.yaml")


def _documents(parts: Any, skipped: list[Skipped]) -> dict[str, bytes]:
    found = {}
    for part in parts:
        if isinstance(part, Part):
            found[part.name] = part.data
        else:
            skipped.append(part)
    return found


def _started(url: str) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health") as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.5)


def without(found: Any, name: str) -> Any:
    if isinstance(found, dict):
        return {key: without(each, name) for key, each in found.items() if key != name}
    return [without(each, name) for each in found] if isinstance(found, list) else found


def test_files_database_and_server_say_the_same(tracked: Tracked) -> None:
    assert tracked.skipped == []
    assert len(tracked.files) == 8
    assert tracked.rows == tracked.files
    # A server lists artifacts: their digests are not known.
    assert {name: json.loads(data) for name, data in tracked.answers.items()} == {
        name: without(json.loads(data), "digests") for name, data in tracked.files.items()
    }


def test_training_runs_conform_to_ml_training_and_all_to_core(tracked: Tracked) -> None:
    trained = 0
    for data in tracked.answers.values():
        document = provrepo.read(data)
        assert document.warnings == []
        assert provrepo.validate(document, profiles=["core"]).conforms
        labels = [str(value) for one in document for name, value in one.attributes
                  if name == RDFS_LABEL and str(one.id).startswith(f"{ROOT}run/")]  # fmt: skip
        models = [one for one in document for name, value in one.attributes
                  if name == PROV_TYPE and str(value) == f"{MLS}Model"]  # fmt: skip
        if models:
            trained += 1
            assert any(label.startswith("train ") for label in labels)
            assert provrepo.validate(document, profiles=["ml-training"]).conforms
    assert trained == 2


def test_no_secret_is_in_a_statement(tracked: Tracked) -> None:
    for data in tracked.files.values():
        assert b"hush" not in provrepo.read(data).write("provn")


def test_lineage_leads_from_a_registered_model_to_its_data(tracked: Tracked, tmp_path: Path) -> None:
    repository = provrepo.open(tmp_path / "data")
    for name, data in tracked.answers.items():
        repository.submit(data, name=name, format="mlflow")
    (version,) = {
        str(one.id)
        for data in tracked.answers.values()
        for one in provrepo.read(data)
        if str(one.id).startswith(f"{ROOT}registered/ridge/2@")
    }
    found = {node.iri for node in repository.lineage(version, direction="upstream").nodes}
    assert any("/version/" in iri and "/plots/" in iri for iri in found)
    assert any(iri.startswith(f"{ROOT}run/") for iri in found)
