"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TURTLE
from tests.support.command import Command, serving

TRIG = b"""@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <http://example.org/> .
ex:report a prov:Entity ; prov:wasDerivedFrom ex:clean .
ex:bundle a prov:Bundle .
ex:bundle { ex:clean a prov:Entity ; prov:wasAttributedTo ex:alice ; ex:note "gereinigt"@de , 7 . }
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running ``provrepo serve``, without the final slash; the project ``crops`` is public."""
    work = tmp_path_factory.mktemp("served")
    command = Command(work / "data")
    command("project", "create", "crops", "--public", "--license", "https://spdx.org/licenses/CC-BY-4.0")
    for name, data in (("run.ttl", TURTLE), ("report.trig", TRIG)):
        (work / name).write_bytes(data)
        command("submit", work / name, "--project", "crops", "--name", Path(name).stem)
    with serving(command.data, PROVREPO_QUERY_WORKERS="1") as url:
        yield url
