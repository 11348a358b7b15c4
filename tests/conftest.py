"""Fixtures of several test files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import provrepo
from provrepo.repository.repository import Repository
from tests.support import sampling
from tests.support.templates import compiled_once
from tests.support.temporary import use_memory
from tests.support.worker_reuse import reused

settings.register_profile(
    "provrepo",
    deadline=None,
    max_examples=sampling.examples(100),
    print_blob=True,  # a failure can be repeated with what is printed
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("provrepo")  # whatever else the machine does
use_memory()  # before pytest makes its first temporary folder

PROVJSON = b"""{
  "prefix": {"ex": "http://example.org/"},
  "entity": {"ex:raw": {}, "ex:clean": {"prov:label": "cleaned"}},
  "activity": {"ex:run": {"prov:startTime": "2026-01-01T10:00:00Z"}},
  "agent": {"ex:alice": {"prov:label": "Alice"}},
  "used": {"_:u1": {"prov:activity": "ex:run", "prov:entity": "ex:raw"}},
  "wasGeneratedBy": {"_:g1": {"prov:entity": "ex:clean", "prov:activity": "ex:run"}},
  "wasAssociatedWith": {"_:a1": {"prov:activity": "ex:run", "prov:agent": "ex:alice"}}
}"""
"""A small complete document that the profile core accepts."""

TURTLE = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <http://example.org/> .
ex:clean a prov:Entity ; prov:wasGeneratedBy ex:run ; prov:wasDerivedFrom ex:raw .
ex:raw a prov:Entity .
ex:run a prov:Activity ; prov:used ex:raw ; prov:wasAssociatedWith ex:alice ;
    prov:startedAtTime "2026-01-01T10:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
ex:alice a prov:Agent .
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests with ``slow(one_in=…)`` that are not in the sample."""
    for item in items:
        mark = item.get_closest_marker("slow")
        one_in = mark.kwargs.get("one_in", 1) if mark else 1
        if one_in > 1 and not sampling.chosen(item.nodeid, one_in):
            item.add_marker(pytest.mark.skip(f"runs in CI, elsewhere in one of {one_in} runs"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test when the time for tests is over."""
    if sampling.over():
        pytest.skip(sampling.OVER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was not run, and how to repeat the run: its order and numbers, and its samples."""
    late = [report for report in terminalreporter.stats.get("skipped", []) if sampling.OVER in str(report.longrepr)]
    if late:
        terminalreporter.write_line(f"{len(late)} tests were not run: {sampling.OVER}")
    order = getattr(config.option, "randomly_seed", None)
    if order is None:
        return  # the tests beside other tools run in the order of their files
    terminalreporter.write_line(
        f"to repeat this: SAMPLE_SEED={sampling.SEED} make test PYTEST_ARGS='-n 2 --randomly-seed={order}'"
    )


@pytest.fixture(scope="session", autouse=True)
def _shared() -> Iterator[None]:
    """Pools of this process share their workers, except in tests of the pools themselves; applications, templates."""
    with reused(), compiled_once():
        yield


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """An empty repository, closed afterwards."""
    with provrepo.open(tmp_path / "data") as opened:
        opened.init()
        yield opened
