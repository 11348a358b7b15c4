"""The test suite of views: the test class of an implementation inherits it and defines how a view is opened and read.

::

    class TestMine(ViewContract):
        def open(self, path): return Mine(path, base=BASE)
        def lines(self, view, dataset): return list(view.everything(dataset))

pytest collects the ``test_`` methods of the subclass and passes ``tmp_path``, an empty directory. This module does not
import pytest, so that implementations outside of this package can use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from provrepo.codecs.rdf import codec as rdf
from provrepo.model.document import Quad
from provrepo.model.minting import Minter
from provrepo.views.extraction import Extraction, Extractor
from provrepo.views.view import PUBLIC, Change, View
from provrepo.vocab import PROV

__all__ = ["BASE", "ChangeStream", "QuadsContract", "ViewContract", "extract", "rebuild"]

BASE = "https://repository.example/"
"""The base IRI of the suite; views must be opened with it."""

SHARED = f"<urn:shared:agent> <{PROV}actedOnBehalfOf> <urn:shared:laboratory>"
"""A triple that several documents contain."""


def _triple(subject: str) -> str:
    return f"<urn:doc:{subject}> <{PROV}used> <urn:raw:{subject}>"


class ChangeStream:
    """A series of entries of one project, numbered in the order of their creation.

    Attributes:
        project: the name of the project.
        changes: all entries so far, in order.
    """

    def __init__(self, folder: Path, project: str = "crops") -> None:
        """Write content files below ``folder``."""
        self.project = project
        self.changes: list[Change] = []
        self._folder = folder
        self._minter = Minter(BASE)
        self._versions: dict[str, int] = {}

    def submit(self, document: str, triples: Sequence[str] | None, *, completed: Sequence[str] = ()) -> Change:
        """A new version.

        Args:
            document: its name.
            triples: its triples, in N-Triples without the final dot; None for a version whose bytes were erased.
            completed: the triples of its completion.
        """
        number = self._versions[document] = self._versions.get(document, 0) + 1
        graph = self._minter.version(self.project, document, number)
        entry = {
            "document": document,
            "version": number,
            "blob": f"{number:064x}",
            "size": 10,
            "format": "turtle",
            "base": "",
            "title": f"Document {document}",
            "statements": len(triples or ()),
            "layers": ["syntax"],
            "profiles": ["core"],
            "mapping": "test",
            "verdict": "conforms",
            "report": "0" * 64,
            "note": "",
            "origin": None,
        }
        lines = [f"{triple} <{graph}> .\n" for triple in triples or ()]
        lines += [f"{triple} <{Minter.completed(graph)}> .\n" for triple in completed]
        return self._add("submit", entry, None if triples is None else lines)

    def withdraw(self, document: str) -> Change:
        """A withdrawal of the document's newest version."""
        return self._add("withdraw", {"document": document, "version": self._versions[document], "reason": "a mistake"})

    def erase(self, document: str, version: int) -> Change:
        """An erasure of the bytes of a version."""
        return self._add(
            "erase", {"document": document, "version": version, "blob": f"{version:064x}", "reason": "the law"}
        )

    def settings(self, **values: Any) -> Change:
        """A change of the project's settings."""
        return self._add("settings", values)

    def skipped(self) -> Change:
        """An entry that was set aside."""
        return self._add("skipped", {})

    def lose(self, document: str) -> Change:
        """A new version whose entry was set aside."""
        self._versions[document] = self._versions.get(document, 0) + 1
        return self.skipped()

    def version(self, document: str) -> str:
        """The IRI of the document's newest version."""
        return str(self._minter.version(self.project, document, self._versions[document]))

    def _add(self, kind: str, fields: dict[str, Any], lines: list[str] | None = None) -> Change:
        sequence = len(self.changes) + 1
        common = {
            "kind": kind,
            "project": self.project,
            "sequence": sequence,
            "actor": "somebody",
            "time": f"2026-01-01T00:00:{sequence % 60:02d}Z",
            "software": "contract",
        }
        content = extraction = None
        if lines is not None:
            content, extraction = self._writer(lines), lambda: extract("".join(lines).encode())
        change = Change(self.project, sequence, f"{sequence:064x}", {**common, **fields}, BASE, content, extraction)
        self.changes.append(change)
        return change

    def _writer(self, lines: list[str]) -> Callable[[], Path]:
        name = f"{self.project}-{len(self.changes) + 1}.nq"

        def write() -> Path:
            file = self._folder / name
            file.write_text("".join(lines), encoding="utf-8")
            return file

        return write


def extract(content: bytes) -> Extraction:
    """What is extracted from the lines of a content file."""
    extractor, graphs = Extractor(), dict[int, list[Quad]]()
    for quad in rdf.parse(content, "nquads").quads:
        bundle = re.search(r"#bundle-(\d+)(?:-completed)?$", quad.graph or "")
        graphs.setdefault(int(bundle[1]) if bundle else 0, []).append(quad)
    for number, quads in graphs.items():
        extractor.add(number, quads)
    return extractor.extraction()


def rebuild(view: View, dataset: str, streams: Iterable[ChangeStream]) -> None:
    """Clear the dataset and apply all entries again."""
    view.clear(dataset)
    for stream in streams:
        for change in stream.changes:
            view.apply(dataset, change)


def _same(found: object, wanted: object, what: str) -> None:
    if found == wanted:
        return
    if isinstance(found, list) and isinstance(wanted, list):
        extra, missing = [each for each in found if each not in wanted], [each for each in wanted if each not in found]
        raise AssertionError(f"{what}: beyond what should be there {extra!r}, missing {missing!r}, or out of order")
    raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


class ViewContract:
    """The suite for any view. Subclasses override ``open`` and ``lines``."""

    def open(self, path: Path) -> View:
        """Open or create the view in ``path``, with the base IRI ``BASE``."""
        raise NotImplementedError

    def lines(self, view: View, dataset: str) -> list[str]:
        """The content of a dataset in the view, as lines that contain the IRIs, in any order."""
        raise NotImplementedError

    def mentions(self, view: View, dataset: str, subject: str) -> bool:
        """Whether the dataset contains the assertion about ``subject``."""
        return any(f"urn:raw:{subject}" in line for line in self.lines(view, dataset))

    def test_reading_an_unknown_dataset_does_not_create_it(self, tmp_path: Path) -> None:
        """It is empty, and removal from it does nothing."""
        view = self.open(tmp_path / "view")
        _same(view.position("crops", "crops"), 0, "position")
        _same(view.stamp("crops"), None, "stamp")
        view.remove_project("crops", "crops")
        view.clear("crops")
        _same(view.datasets(), [], "datasets")
        view.close()

    def test_applying_moves_the_position_and_sets_the_stamp(self, tmp_path: Path) -> None:
        """Position, stamp and content are written together."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        _same(view.position("crops", "crops"), 1, "position")
        _same(view.stamp("crops"), view.STAMP, "stamp")
        _same(view.datasets(), ["crops"], "datasets")
        _same(self.mentions(view, "crops", "a1"), True, "content")
        view.close()

    def test_applying_twice_changes_nothing(self, tmp_path: Path) -> None:
        """An entry may be applied again after a crash."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        for change in (
            stream.submit("a", [_triple("a1")]),
            stream.submit("a", [_triple("a2")]),
            stream.withdraw("a"),
        ):
            view.apply("crops", change)
            before = self.lines(view, "crops")
            for earlier in stream.changes[: change.sequence]:
                view.apply("crops", earlier)
            _same(self.lines(view, "crops"), before, "lines after applying again")
        view.close()

    def test_out_of_order_is_refused(self, tmp_path: Path) -> None:
        """With a gap, the position would be wrong about the applied entries."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        first, _, third = (
            stream.submit("a", [_triple("a1")]),
            stream.withdraw("a"),
            stream.submit("b", [_triple("b1")]),
        )
        for change, known in ((third, []), (first, [first]), (third, [first])):
            try:
                view.apply("crops", change)
            except ValueError:
                _same(change is third, True, "the refused entry")
            else:
                _same(change is first, True, "the applied entry")
            _same(view.position("crops", "crops"), len(known), "position")
        _same(self.mentions(view, "crops", "b1"), False, "content of the refused entry")
        view.close()

    def test_content_files_are_deleted(self, tmp_path: Path) -> None:
        """The caller of ``Change.content`` owns the file."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        for _ in range(2):
            view.apply("crops", stream.submit("a", [_triple("a1")]))
        _same(list(tmp_path.glob("*.nq")), [], "content files")
        view.close()

    def test_everything_is_there_after_reopening(self, tmp_path: Path) -> None:
        """Closing a view writes all of it."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.settings(title="Crops"))
        before = self.lines(view, "crops")
        view.close()
        again = self.open(tmp_path / "view")
        _same(again.datasets(), ["crops"], "datasets")
        _same(again.position("crops", "crops"), 2, "position")
        _same(again.stamp("crops"), again.STAMP, "stamp")
        _same(self.lines(again, "crops"), before, "lines")
        again.apply("crops", stream.submit("a", [_triple("a2")]))
        _same(self.mentions(again, "crops", "a1"), False, "the former version's content")
        again.close()

    def test_a_new_version_replaces_the_former(self, tmp_path: Path) -> None:
        """Superseded versions are removed from the dataset."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("both"), _triple("old")], completed=[_triple("oldcompleted")]))
        view.apply("crops", stream.submit("a", [_triple("both"), _triple("new")]))
        found = [name for name in ("both", "old", "oldcompleted", "new") if self.mentions(view, "crops", name)]
        _same(found, ["both", "new"], "content")
        view.close()

    def test_a_withdrawn_document_is_removed_and_can_be_submitted_again(self, tmp_path: Path) -> None:
        """Withdrawal and resubmission."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.submit("b", [_triple("b1")]))
        view.apply("crops", stream.withdraw("a"))
        _same((self.mentions(view, "crops", "a1"), self.mentions(view, "crops", "b1")), (False, True), "content")
        view.apply("crops", stream.submit("a", [_triple("a2")]))
        _same((self.mentions(view, "crops", "a1"), self.mentions(view, "crops", "a2")), (False, True), "content")
        view.close()

    def test_erasing_the_current_version_removes_it(self, tmp_path: Path) -> None:
        """Erased content is in no answer."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.erase("a", 1))
        _same(self.mentions(view, "crops", "a1"), False, "content")
        _same(view.position("crops", "crops"), 2, "position")
        view.close()

    def test_erasing_a_former_version_does_not_change_the_current_one(self, tmp_path: Path) -> None:
        """The former version was removed before."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.submit("a", [_triple("a2")]))
        view.apply("crops", stream.erase("a", 1))
        _same(self.mentions(view, "crops", "a2"), True, "content")
        view.close()

    def test_a_version_whose_bytes_were_erased_replaces_the_former(self, tmp_path: Path) -> None:
        """A rebuild gets no content for a submission that a later entry erased or replaced."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.submit("a", None))
        _same(self.mentions(view, "crops", "a1"), False, "content")
        _same(view.position("crops", "crops"), 2, "position")
        view.close()

    def test_an_unreadable_entry_changes_the_position_only(self, tmp_path: Path) -> None:
        """The entry is skipped; the next ones are applied."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.skipped())
        _same(view.position("crops", "crops"), 1, "position")
        _same(view.stamp("crops"), view.STAMP, "stamp")
        view.apply("crops", stream.submit("a", [_triple("a1")]))
        view.apply("crops", stream.skipped())
        _same((view.position("crops", "crops"), self.mentions(view, "crops", "a1")), (3, True), "state")
        view.close()

    def test_an_unreadable_version_does_not_keep_the_former_one(self, tmp_path: Path) -> None:
        """The next entry of the document removes the current version, although that is not the version before."""
        for number, last in enumerate(("submit", "withdraw")):
            view, stream = self.open(tmp_path / f"view{number}"), ChangeStream(tmp_path)
            view.apply("crops", stream.submit("a", [_triple("a1")]))
            view.apply("crops", stream.lose("a"))
            _same(self.mentions(view, "crops", "a1"), True, "content so far")
            view.apply("crops", stream.submit("a", [_triple("a3")]) if last == "submit" else stream.withdraw("a"))
            _same(self.mentions(view, "crops", "a1"), False, "content of the first version")
            _same(self.mentions(view, "crops", "a3"), last == "submit", "content of the third version")
            view.apply(PUBLIC, ChangeStream(tmp_path, "soil").settings(title="Soil"))
            before = self.lines(view, PUBLIC)
            for change in stream.changes:
                view.apply(PUBLIC, change)
            view.remove_project(PUBLIC, "crops")
            _same(self.lines(view, PUBLIC), before, "lines after removing the project")
            view.close()

    def test_projects_in_one_dataset_are_independent(self, tmp_path: Path) -> None:
        """The public dataset merges projects whose documents may have equal names and equal content."""
        view = self.open(tmp_path / "view")
        crops, soil = ChangeStream(tmp_path, "crops"), ChangeStream(tmp_path, "soil")
        view.apply(PUBLIC, crops.submit("a", [_triple("crops"), SHARED]))
        only_crops = self.lines(view, PUBLIC)
        view.apply(PUBLIC, soil.submit("a", [_triple("soil"), SHARED]))
        view.apply(PUBLIC, soil.submit("a", [_triple("soil2"), SHARED]))
        _same((view.position(PUBLIC, "crops"), view.position(PUBLIC, "soil")), (1, 2), "positions")
        _same(view.datasets(), [PUBLIC], "datasets")
        view.remove_project(PUBLIC, "soil")
        _same((view.position(PUBLIC, "crops"), view.position(PUBLIC, "soil")), (1, 0), "positions")
        _same(self.lines(view, PUBLIC), only_crops, "lines after removing the other project")
        for change in soil.changes:
            view.apply(PUBLIC, change)
        _same(self.mentions(view, PUBLIC, "soil2"), True, "content that was applied again")
        view.close()

    def test_removing_the_last_project_removes_the_dataset(self, tmp_path: Path) -> None:
        """An empty dataset does not exist."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply(PUBLIC, stream.submit("a", [_triple("a1")]))
        view.remove_project(PUBLIC, "crops")
        _same(view.position(PUBLIC, "crops"), 0, "position")
        _same(view.datasets(), [], "datasets")
        _same(self.lines(view, PUBLIC), [], "lines")
        view.close()

    def test_clearing_a_dataset_does_not_change_the_others(self, tmp_path: Path) -> None:
        """Datasets share nothing."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        change = stream.submit("a", [_triple("a1")])
        view.apply("crops", change)
        view.apply(PUBLIC, change)
        before = self.lines(view, PUBLIC)
        view.clear("crops")
        _same(view.datasets(), [PUBLIC], "datasets")
        _same((view.position("crops", "crops"), view.stamp("crops")), (0, None), "position and stamp")
        _same(self.lines(view, PUBLIC), before, "lines of the other dataset")
        view.apply("crops", change)
        _same(self.mentions(view, "crops", "a1"), True, "content")
        view.close()

    def test_names_that_differ_in_case_are_two_datasets(self, tmp_path: Path) -> None:
        """On file systems that ignore case, too."""
        view = self.open(tmp_path / "view")
        for name in ("crops", "Crops"):
            view.apply(name, ChangeStream(tmp_path, name).submit("a", [_triple(name)]))
        _same(view.datasets(), ["Crops", "crops"], "datasets")
        _same(self.mentions(view, "Crops", "crops"), False, "content of the other dataset")
        view.close()

    def test_rebuilding_gives_the_same(self, tmp_path: Path) -> None:
        """A view contains only what follows from the ledger."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        for change in (
            stream.settings(title="Crops", profiles=["core"]),
            stream.submit("a", [_triple("a1"), SHARED]),
            stream.submit("b", [_triple("b1"), SHARED], completed=[_triple("b1completed")]),
            stream.submit("a", [_triple("a2")]),
            stream.withdraw("b"),
            stream.submit("c", [_triple("c1")]),
            stream.erase("a", 1),
            stream.erase("c", 1),
            stream.settings(title="Grain", profiles=[]),
            stream.submit("b", [_triple("b2")]),
        ):
            view.apply("crops", change)
        live = self.lines(view, "crops")
        for _ in range(2):
            rebuild(view, "crops", [stream])
            _same(self.lines(view, "crops"), live, "lines after rebuilding")
        view.close()


class QuadsContract(ViewContract):
    """The suite for views of quads, with tests of the default graph."""

    def default_graph(self, view: View, dataset: str) -> list[str]:
        """The triples of the default graph in N-Triples without the final dot, as often as a query returns them."""
        raise NotImplementedError

    def test_a_triple_of_many_documents_is_once_in_the_default_graph(self, tmp_path: Path) -> None:
        """A dozen documents share five agents: a query must not count a triple once for each document."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        agents = [f"<urn:agent:{n}> <{PROV}actedOnBehalfOf> <urn:laboratory>" for n in range(5)]
        for number in range(12):
            view.apply("crops", stream.submit(f"d{number}", [_triple(str(number)), *agents]))
        wanted = sorted([*agents, *(_triple(str(number)) for number in range(12))])
        _same(sorted(self.default_graph(view, "crops")), wanted, "default graph")
        view.close()

    def test_a_triple_stays_until_the_last_graph_with_it_is_removed(self, tmp_path: Path) -> None:
        """The other graph may be that of a document, or the completion of the same one."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        view.apply("crops", stream.submit("a", [SHARED, _triple("a1")], completed=[SHARED]))
        view.apply("crops", stream.submit("b", [_triple("b1")], completed=[SHARED]))
        view.apply("crops", stream.withdraw("a"))
        _same(sorted(self.default_graph(view, "crops")), sorted([SHARED, _triple("b1")]), "default graph")
        view.apply("crops", stream.submit("b", [_triple("b2")]))
        _same(self.default_graph(view, "crops"), [_triple("b2")], "default graph")
        view.close()

    def test_the_catalogue_is_not_in_the_default_graph(self, tmp_path: Path) -> None:
        """An equal triple in the catalogue does not keep the triple of a document in the default graph."""
        view, stream = self.open(tmp_path / "view"), ChangeStream(tmp_path)
        change = stream.submit("a", [])
        view.apply("crops", change)
        version, document = stream.version("a"), stream.version("a").rpartition("/versions/")[0]
        _same(self.default_graph(view, "crops"), [], "default graph")
        same_as_catalogue = f"<{version}> <{PROV}specializationOf> <{document}>"
        view.apply("crops", stream.submit("b", [same_as_catalogue]))
        _same(self.default_graph(view, "crops"), [same_as_catalogue], "default graph")
        view.apply("crops", stream.withdraw("b"))
        _same(self.default_graph(view, "crops"), [], "default graph")
        view.close()
