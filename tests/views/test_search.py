"""Search: the contract of views, matches, and erasure."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from provrepo.errors import UsageError
from provrepo.views.contract import BASE, ChangeStream, ViewContract
from provrepo.views.search import Search
from provrepo.views.view import View
from provrepo.vocab import PROV, RDFS_LABEL
from tests.views.test_lineage import EX, opened, put


class TestSearch(ViewContract):
    def open(self, path: Path) -> View:
        return Search(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Search", view).dump(dataset))


def test_words_of_erased_versions_are_not_in_the_file(tmp_path: Path) -> None:
    view, stream = Search(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    for name in ("open", "hidden"):
        label = f'<urn:{name}> <{RDFS_LABEL}> "{name}label"'
        view.apply("crops", stream.submit(name, [f"<urn:{name}> <{PROV}wasDerivedFrom> <urn:x>", label]))
    view.apply("crops", stream.erase("hidden", 1))
    data = b"".join(file.read_bytes() for file in (tmp_path / "view").iterdir())
    view.close()
    assert b"openlabel" in data
    assert b"hiddenlabel" not in data


def test_words_find_things(tmp_path: Path) -> None:
    with opened(tmp_path) as (owner, stranger):
        put(
            owner,
            'entity(ex:t, [prov:label="Müller\'s harvest table", prov:type=\'ex:SpreadSheet\', ex:sha256="abc123"])\n'
            'entity(ex:u, [prov:label="Harvest"])\nused(ex:run, ex:t, -)',
        )
        put(owner, 'entity(ex:h, [prov:label="hidden harvest"])', project="secret")

        def found(text: str) -> list[str]:
            return [node.iri.removeprefix(EX) for node in owner.search(text).things]

        assert found("harvest") == ["u", "h", "t"]
        assert found("HARV") == ["u", "h", "t"]
        assert found("harvest muller") == ["t"]
        assert found("spreadsheet") == ["t"]
        assert found("abc123") == ["t"]
        assert found("example run") == ["run"]
        assert found('"harvest" OR nothing*') == []
        assert found("- *") == []
        put(
            owner,
            'entity(ex:3, [prov:label="sheet-2.pgm"])\nentity(ex:4, [prov:label="sheet-3.pgm"])',
            name="scans",
        )
        assert found("sheet-3.pgm") == ["4"]
        assert found("3 sheet pgm") == ["3", "4"]
        result = owner.search("harvest", limit=1)
        assert (len(result.things), result.total) == (1, 3)
        assert [node.label for node in stranger.search("harvest").things] == ["Harvest", "Müller's harvest table"]
        assert stranger.search("hidden").total == 0
        assert owner.search("harvest", project="secret").total == 1
        with pytest.raises(UsageError):
            owner.search("x", limit=0)
        owner.withdraw("open", "d", reason="a mistake")
        assert found("harvest") == ["h"]
