"""openlineage-python, in its own environment, sends events to a running server, which is disturbed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.repository.repository import Repository
from tests.integration.environments import NotHere, python, run
from tests.integration.receiving import PROJECT, Answered, Receiver, receiver
from tests.support.told import missing

REQUIREMENTS = ["openlineage-python==1.54.0"]

DISTURBED = ("http", "gzip", "async")
"""Transports, while the server is disturbed."""

PLAIN = ("url", "endpoint")
"""Configurations by the short variables, to the server and to one of its projects."""

RUNS = 6
"""The number of runs of a flow, beside the one that fails."""

PLAN = [*["pass"] * 3, "503", "503", *["pass"] * 4, "lost", *["pass"] * 3, "killed"]
"""Of the requests of a flow, two are refused, the answer to one is lost, and one finds the server killed."""

PATIENT = {"OPENLINEAGE__TRANSPORT__RETRY": '{"total": 10, "connect": 10, "read": 10}'}
"""A busy machine may need longer to start the server again than the client waits by default."""


@pytest.fixture(scope="module")
def interpreter() -> Path:
    try:
        return python("openlineage_python", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"openlineage-python cannot be installed: {error}")


def configured(here: Receiver, way: str) -> dict[str, str]:
    """The environment variables of a producer, as the documentation has them."""
    if way in ("url", "endpoint"):
        found = {"OPENLINEAGE_URL": here.url, "OPENLINEAGE_API_KEY": here.token}
        return found if way == "url" else {**found, "OPENLINEAGE_ENDPOINT": f"projects/{PROJECT}/api/v1/lineage"}
    found = {
        "OPENLINEAGE__TRANSPORT__TYPE": "async_http" if way == "async" else "http",
        "OPENLINEAGE__TRANSPORT__URL": here.url,
        "OPENLINEAGE__TRANSPORT__AUTH": json.dumps({"type": "api_key", "apiKey": here.token}),
        **PATIENT,
    }
    return {**found, "OPENLINEAGE__TRANSPORT__COMPRESSION": "gzip"} if way == "gzip" else found


def send(interpreter: Path, here: Receiver, way: str, *arguments: object) -> list[dict[str, Any]]:
    """Run the client; returns the events that it sent."""
    script = Path(__file__).with_name("openlineage_python_runner.py")
    ran = run([interpreter, script, *arguments], **configured(here, way))
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def key(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["run"]["runId"], event["eventType"], event["eventTime"]


@dataclass
class Ran:
    """All ways of sending, one after the other to the same server.

    Attributes:
        here: the receiver.
        repository: what it stored.
        sent: the events that the client sent, by way.
        answered: the requests, by way.
    """

    here: Receiver
    repository: Repository
    sent: dict[str, list[dict[str, Any]]]
    answered: dict[str, list[Answered]]


@pytest.fixture(scope="module")
def ran(interpreter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    sent, answered = {}, {}
    with receiver(tmp_path_factory.mktemp("received")) as here:
        for way in (*DISTURBED, *PLAIN):
            before = len(here.answered)
            here.plan = list(PLAN) if way in DISTURBED else []
            sent[way] = send(interpreter, here, way, *(("flow", RUNS) if way in DISTURBED else ("facets",)))
            assert here.plan == []
            answered[way] = here.answered[before:]
        with here.opened() as repository:
            yield Ran(here, repository, sent, answered)


@pytest.mark.parametrize("way", DISTURBED)
def test_nothing_is_lost_while_the_server_is_disturbed(ran: Ran, way: str) -> None:
    requests = ran.answered[way]
    # The request that finds the server killed is answered with 502 by the gateway.
    assert {one.status for one in requests} >= {201, 503, 502, 0}
    assert {one.headers.get("content-encoding") for one in requests} == {"gzip" if way == "gzip" else None}
    stored = [event for events in ran.here.stored(ran.repository).values() for event in events if "run" in event]
    sent = set(map(key, ran.sent[way]))
    assert len(sent) == 3 * RUNS + 2
    assert sent <= set(map(key, stored))


def test_what_is_stored_is_what_was_sent(ran: Ran) -> None:
    ran.here.nothing_lost(ran.repository)
    flows = len(DISTURBED) * (RUNS + 1)
    assert len(ran.repository.documents(PROJECT)) == flows + len(PLAIN) + 2, "and a job and a dataset"
    for info in ran.repository.documents(PROJECT):
        assert provrepo.validate(ran.repository.read(PROJECT, info.name), profiles=["core"]).conforms


@pytest.mark.parametrize("way", PLAIN)
def test_every_facet_of_the_package_becomes_statements(ran: Ran, way: str) -> None:
    prefix = f"/projects/{PROJECT}" if way == "endpoint" else ""
    assert {one.path for one in ran.answered[way]} == {f"{prefix}/api/v1/lineage"}
    assert [one.status for one in ran.answered[way]] == [201] * len(ran.sent[way])
    runs = {f"run-{event['run']['runId']}" for event in ran.sent[way] if "run" in event}
    lost: list[str] = []
    for name, events in ran.here.stored(ran.repository).items():
        if name in runs or not name.startswith("run-"):
            document = ran.repository.read(PROJECT, name)
            lost += missing(document, events)
            assert provrepo.validate(document, profiles=["pipeline"]).conforms
    # The value of a variable that is not on the short list may be a secret.
    assert lost == ["/run/facets/environmentVariables/environmentVariables/0/value"]
