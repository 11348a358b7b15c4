"""The lineage view: the contract, and that nothing of what has left stays in its file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from provrepo.views.contract import BASE, Stream, ViewContract
from provrepo.views.lineage import Lineage
from provrepo.views.view import View
from provrepo.vocab import PROV


class TestLineage(ViewContract):
    def open(self, path: Path) -> View:
        return Lineage(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Lineage", view).dump(dataset))


def test_a_name_leaves_with_the_last_that_is_said_about_it(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), Stream(tmp_path)
    view.apply("crops", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:secret-name>"]))
    view.apply("crops", stream.submit("b", [f"<urn:run> <{PROV}used> <urn:open-name>"]))
    view.apply("crops", stream.erase("a", 1))
    data = b"".join(file.read_bytes() for file in (tmp_path / "view").iterdir())
    view.close()
    assert b"open-name" in data
    assert b"secret-name" not in data


def test_a_file_of_something_else_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "view.sqlite").write_bytes(
        b"this is no database at all, and long enough to be read as one" * 99
    )
    view, stream = Lineage(tmp_path / "view", base=BASE), Stream(tmp_path)
    view.apply("crops", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:data>"]))
    assert len(list(view.dump("crops"))) == 1
    view.close()
