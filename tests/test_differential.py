"""Command line, Python, server and submission report the same findings for a document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.cli.main import cli
from provrepo.errors import ReadError, Refused
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.resources import root
from provrepo.server.app import create_app
from provrepo.settings import load
from tests.support.corpus import present

BASE = "http://example.org/base/"
PROFILES = ("core", "exchange")


def documents() -> list[Path]:
    """Some documents of the corpus in each format, and the shipped examples."""
    found = [root() / "examples" / "incomplete.ttl", *sorted((root() / "shapes").glob("*/examples/bad/*.provn"))[::8]]
    suite = present("prov-suite-testcases")
    if suite is not None:
        for suffix in ("provn", "json", "provx", "trig", "ttl", "xml"):
            found += sorted(suite.rglob(f"*.{suffix}"))[::90]
    others = present("documents")
    if others is not None:
        wanted = [path for path in sorted(others.rglob("*")) if path.suffix in (".ttl", ".provn", ".json", ".jsonld")]
        found += [path for path in wanted if path.stat().st_size < 100_000][::60]
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(load({"data": tmp_path_factory.mktemp("data")}))
    with opened:
        Repository(opened, opened.owner()).create_project("crops")
        yield opened


def outcome(report: dict[str, Any]) -> Any:
    return {
        key: report[key] for key in ("verdict", "layers", "profiles", "statements", "format", "coverage", "findings")
    }


@pytest.mark.parametrize("path", documents(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_all_interfaces_report_the_same(path: Path, store: Store):
    repository = Repository(store, store.owner())
    options = {"profiles": PROFILES, "constraints": "gate"}
    try:
        document = provrepo.read(path, base=BASE)
    except ReadError as error:
        with pytest.raises(ReadError, match=""):
            repository.validate(path, base=BASE)
        pytest.skip(f"unreadable: {error}")
    source = path.read_bytes()
    expected = outcome(repository.validate(path, base=BASE, **options).to_dict())

    assert outcome(provrepo.validate(document, source=source, **options).to_dict()) == expected
    named = [word for profile in PROFILES for word in ("--profile", profile)]
    arguments = ["validate", str(path), *named, "--constraints", "gate", "--base", BASE, "--output", "json"]
    result = CliRunner().invoke(cli, arguments)
    assert outcome(json.loads(result.stdout)) == expected
    assert result.exit_code == (0 if expected["verdict"] == "conforms" else 1)

    client = create_app(store).test_client()
    query = {"profile": list(PROFILES), "constraints": "gate", "base": BASE, "format": "json"}
    media = {"Content-Type": provrepo.codecs.formats.by_name(document.format).media_type}
    answer = client.post("/validate", data=source, query_string=query, headers=media)
    assert answer.status_code == 200, answer.text
    assert outcome(answer.get_json()) == expected

    try:
        report = repository.submit(path, project="crops", name=None, base=BASE, profiles=PROFILES, update=True).report
    except Refused as refused:
        report = refused.report
    assert outcome(report.to_dict()) == expected
