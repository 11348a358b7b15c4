"""The data directory of every earlier schema can be opened, and gives the same answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import provrepo
from provrepo.ledger import migrations
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.paths import TESTS
from tests.support.upgrades import FIRST, SET_ASIDE, answers, missing, unpack

DATA = TESTS / "data"
SCHEMAS = range(1, max(migrations.SCHEMA, 3))
"""The earlier schemas, at least 1 and 2."""

MEANT = {
    1: ("/versions/soil/back@1/",),  # withdrawn before the document came again: was superseded, and stays withdrawn
}
"""Schema → paths whose answers were changed on purpose by later versions."""


OF_THE_DAY = "/quota/used_submissions: "
"""A part of the places whose values are those of today."""


def otherwise(schema: int, expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    meant = MEANT.get(schema, ())
    return [
        problem for problem in missing(expected, found) if not problem.startswith(meant) and OF_THE_DAY not in problem
    ]


def archive(schema: int) -> Path:
    return DATA / f"upgrade-v{schema}.tar.gz"


def test_there_is_an_archive_of_every_earlier_schema() -> None:
    assert {path.name for path in DATA.glob("upgrade-v*.tar.gz")} == {archive(schema).name for schema in SCHEMAS}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_directory_of_an_earlier_schema_answers_as_it_did(schema: int, tmp_path: Path) -> None:
    expected = unpack(archive(schema), tmp_path)
    assert {"projects", "documents", "versions", "queries", "lineage", "entries", "profiles", "pingbacks"} <= set(
        expected["answers"]
    )
    with provrepo.open(tmp_path / "data") as repository:
        assert otherwise(schema, expected["answers"], answers(repository)) == []
        problems = [problem for problem in repository.fsck().problems if SET_ASIDE not in problem]
        sequence = expected["answers"]["documents"]["soil"][SET_ASIDE]["current"]["sequence"]
        assert [problem for problem in problems if f"soil/{sequence}" not in problem] == []
        # Later versions read it from the ledger alone.
        repository.rebuild()
        healed = otherwise(schema, expected["answers"], answers(repository))
        assert [problem for problem in healed if "set_aside" not in problem] == []
        assert repository.fsck().problems == ()
        added = repository.submit(FIRST + b"ex:new a prov:Entity .\n", project="crops", name="run", update=True)
        assert added.version.version == 3
    # Opening it again upgrades nothing.
    with provrepo.open(tmp_path / "data") as repository:
        assert repository.fsck().problems == ()
        assert repository.version("crops", "run").version == 3


@pytest.mark.parametrize("schema", SCHEMAS)
def test_tokens_of_an_earlier_schema_hold_and_stay_revoked(schema: int, tmp_path: Path) -> None:
    tokens = unpack(archive(schema), tmp_path)["tokens"]
    with Store.open(Settings(data=tmp_path / "data", workers=1)) as store:
        client = create_app(store).test_client()

        def status(who: str, method: str, path: str) -> int:
            headers = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
            body = {"data": FIRST + b"#\n", "content_type": "text/turtle"} if method == "POST" else {}
            return client.open(path, method=method, headers=headers, **body).status_code

        assert [status(who, "GET", "/projects/crops") for who in ("", "writer", "reader")] == [200] * 3
        assert [status(who, "GET", "/projects/soil") for who in ("", "writer", "reader")] == [404, 404, 200]
        assert [status(who, "POST", "/projects/crops/documents") for who in ("", "reader", "revoked")] == [
            401,
            403,
            401,
        ]
        assert status("writer", "POST", "/projects/crops/documents?name=new") == 201
        assert status("writer", "POST", "/projects/soil/documents") == 404
        assert status("revoked", "GET", "/projects/crops") == 401


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_earlier_directory_is_the_same_where_only_its_ledger_is_left(schema: int, tmp_path: Path) -> None:
    """Views of an earlier version, or missing ones, are rebuilt."""
    expected = unpack(archive(schema), tmp_path)
    shutil.rmtree(tmp_path / "data" / "views")
    with provrepo.open(tmp_path / "data") as repository:
        problems = otherwise(schema, expected["answers"], answers(repository))
        assert [problem for problem in problems if "set_aside" not in problem] == []


def test_what_is_missing_is_found() -> None:
    before = {"a": [1, {"b": 2}], "c": None}
    assert missing(before, {"a": [1, {"b": 2, "new": 3}], "c": None, "more": 1}) == []
    assert missing(before, {"a": [1, {"b": 3}]}) == ["/a/1/b: 2 is now 3", "/c is not there"]
    assert missing(before, {"a": [1], "c": None}) == ["/a: [1, {'b': 2}] is now [1]"]
