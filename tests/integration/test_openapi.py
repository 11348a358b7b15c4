"""Schemathesis sends requests to a running server that match or violate the description ``/openapi.json``."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TURTLE
from tests.integration.conftest import TRIG
from tests.integration.environments import NotHere, python, run
from tests.support.command import Command, serving

CASES = int(os.environ.get("OPENAPI_CASES", "10000"))
"""The least number of requests."""

SEED = os.environ.get("OPENAPI_SEED", "1")
"""The seed of the generated cases."""

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method"),
)
"""Without ``ignored_auth``: private resources are 404 and not 401 without a token, which ``tests/server`` checks."""

WRITTEN = {
    ("POST", "/projects"): 201,
    ("POST", "/projects/{project}/documents"): 201,
    ("PUT", "/projects/{project}/documents/{document}"): 200,
    ("DELETE", "/projects/{project}/documents/{document}"): 200,
    ("POST", "/projects/{project}/documents/{document}/pingback"): 204,
}
"""Requests that must succeed, so that the cases include those that pass permissions and preconditions."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """The address of a server, a token for all of its projects, of which ``crops`` is public, and its log."""
    work = tmp_path_factory.mktemp("described")
    command = Command(work / "data")
    command("project", "create", "crops", "--public")
    command("project", "create", "closed")
    for name, data in (("run.ttl", TURTLE), ("report.trig", TRIG)):
        (work / name).write_bytes(data)
        for project in ("crops", "closed"):
            command("submit", work / name, "--project", project, "--name", Path(name).stem)
    token = str(command("token", "create", "ada").stdout).split()[0]
    log = work / "server.log"
    with serving(command.data, PROVREPO_QUERY_WORKERS="2", PROVREPO_PINGBACK_RATE="1000000") as url:
        yield url, token, log


@pytest.fixture(scope="module")
def ran(served: tuple[str, str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Counter[str]]:
    """The report of Schemathesis, and the number of answers by method, path and status."""
    try:
        interpreter = python("openapi", ["schemathesis==4.32.5"])
    except NotHere as error:
        pytest.skip(f"Schemathesis cannot be installed: {error}")
    url, token, log = served
    work = tmp_path_factory.mktemp("ran")
    report, counts = work / "report.json", work / "counts.json"
    # A failed condition or a withdrawn version can also be the answer to an invalid request.
    refused = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428]
    more = f'include-method = ["POST", "PUT", "DELETE"]\ngeneration.max-examples = {CASES // 120 + 1}\n'
    settings = f"[checks]\nnegative_data_rejection.expected-statuses = {refused}\n[[operations]]\n{more}"
    (work / "schemathesis.toml").write_text(settings, "utf-8")
    command = [interpreter.with_name("st"), "--config-file", work / "schemathesis.toml", "run", f"{url}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {token}", "--workers", "2", "--phases", "coverage,fuzzing,stateful"]
    # The coverage phase has more than 8,000 cases. Each operation has further ones, more where it writes.
    command += ["--max-examples", CASES // 600 + 1, "--seed", SEED, "--no-shrink", "--continue-on-failure"]
    command += ["--checks", ",".join(CHECKS), "--suppress-health-check", "all", "--request-timeout", "60"]
    command += ["--warnings", "off", "--report", "json", "--report-json-path", report]
    hooks = {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(Path(__file__).parent)}
    storage = {"OPENAPI_COUNTS": str(counts), "HYPOTHESIS_STORAGE_DIRECTORY": str(work / "hypothesis")}
    done = run(command, **hooks, **storage)
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return {"text": done.stdout, "code": done.returncode, "log": log.read_text("utf-8")}, Counter(
        json.loads(counts.read_text("utf-8"))
    )


def test_the_server_does_what_it_says(ran: tuple[dict[str, Any], Counter[str]]) -> None:
    report, counts = ran
    failed = [f"{where}: {number}" for where, number in counts.items() if where.split()[2] >= "500"]
    assert failed == [], report["log"][-8000:]
    assert report["code"] == 0, report["text"][-8000:]


def test_the_cases_reach_writing(ran: tuple[dict[str, Any], Counter[str]]) -> None:
    _, counts = ran
    assert counts.total() >= CASES
    reached = {operation: counts[f"{' '.join(operation)} {status}"] for operation, status in WRITTEN.items()}
    assert [operation for operation, number in reached.items() if number < CASES // 10_000] == [], reached
    assert sum(reached.values()) >= CASES // 400, reached
