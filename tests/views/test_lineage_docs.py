"""The examples in the reference of lineage are real answers, and it describes every field of them.

``python -m tests.views.test_lineage_docs`` writes the answers into the page.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provrepo.repository.lineage.query import relations
from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.settings import Settings
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "reference" / "lineage.md"
EXAMPLE = re.compile(r"<!-- json: (\S+) -->\n```json\n(.*?)```", re.DOTALL)
SHOWN = {
    "time": "2026-01-31T12:00:00.000Z",
    "actor": "5f0c9d…",
    "submitter": "ana",
    "agent": "https://prov.example/actors/5f0c9d…",
    "sha256": "9f86d0…",
}
"""Values that differ in each run, as the page shows them."""


def answers() -> dict[str, str]:
    """The answers of a server with the document of the page only, by address."""
    text = PAGE.read_text("utf-8")
    found = re.search(r"<!-- file: run\.provn -->\n```\n(.*?)```", text, re.DOTALL)
    assert found is not None
    with tempfile.TemporaryDirectory() as place, Store.open(Settings(data=Path(place), workers=1)) as store:
        owner = Repository(store, store.owner())
        owner.init("https://prov.example/")
        owner.create_project("crops", public=True)
        owner.submit(found[1].encode(), project="crops", name="run", format="provn")
        client = create_app(store).test_client()
        return {address: _shown(client.get(address).get_json()) for address, _ in EXAMPLE.findall(text)}


def _shown(value: Any) -> str:
    text = json.dumps(_steady(value), ensure_ascii=False, indent=2)
    # Lists of words on one line.
    return re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: SHOWN.get(key, _steady(member)) for key, member in value.items()}
    return [_steady(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def true() -> dict[str, str]:
    return answers()


def test_the_examples_are_real_answers(true: dict[str, str]) -> None:
    shown = dict(EXAMPLE.findall(PAGE.read_text("utf-8")))
    assert len(shown) == 4
    assert shown == true, "run `python -m tests.views.test_lineage_docs`"


def test_every_field_is_described(true: dict[str, str]) -> None:
    prose = EXAMPLE.sub("", PAGE.read_text("utf-8"))
    fields = {field for answer in true.values() for field in _fields(json.loads(answer))}
    assert {"total_edges", "roles", "nearest", "agents", "labels"} <= fields
    assert sorted(field for field in fields if f"`{field}`" not in prose) == []


def _fields(value: Any, *, counts: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _fields(each)
    elif isinstance(value, dict):
        for key, member in value.items():
            if not counts:
                yield key
            # The names of members of these are those of things, not of fields.
            yield from _fields(member, counts=key in ("kinds", "types", "agents", "projects", "labels", "arguments"))


def test_every_relation_is_in_the_table() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert [name for name in relations() if not any(row.startswith(f"| `{name}` |") for row in rows)] == []


if __name__ == "__main__":
    written = answers()
    page = EXAMPLE.sub(
        lambda found: f"<!-- json: {found[1]} -->\n```json\n{written[found[1]]}```", PAGE.read_text("utf-8")
    )
    sys.exit(0 if PAGE.write_text(page, "utf-8") else 1)
