"""The lineage view: the contract, and the content of its file after removals."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from provrepo.errors import Damaged, TimedOut
from provrepo.views import sqlite_view
from provrepo.views.contract import BASE, ChangeStream, ViewContract
from provrepo.views.extraction import Extraction
from provrepo.views.lineage import index
from provrepo.views.lineage.index import Lineage
from provrepo.views.lineage.traversal import Options
from provrepo.views.view import View
from provrepo.vocab import PROV, RDF_TYPE


class TestLineage(ViewContract):
    def open(self, path: Path) -> View:
        return Lineage(path, base=BASE)

    def lines(self, view: View, dataset: str) -> list[str]:
        return list(cast("Lineage", view).dump(dataset))


def test_a_name_is_deleted_with_the_last_assertion_about_it(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    view.apply("crops", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:secret-name>"]))
    view.apply("crops", stream.submit("b", [f"<urn:run> <{PROV}used> <urn:open-name>"]))
    view.apply("crops", stream.erase("a", 1))
    data = b"".join(file.read_bytes() for file in (tmp_path / "view").iterdir())
    view.close()
    assert b"open-name" in data
    assert b"secret-name" not in data


def test_a_file_with_other_tables_is_recreated(tmp_path: Path) -> None:
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "view.sqlite").write_bytes(
        b"this is no database at all, and long enough to be read as one" * 99
    )
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    view.apply("crops", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:data>"]))
    assert len(list(view.dump("crops"))) == 1
    view.close()


def test_escaped_names_are_equal_to_plain_ones(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    lines = ["<urn:caf\\u00e9> <{0}wasDerivedFrom> <urn:b>", "<urn:a> <{0}wasDerivedFrom> <urn:caf\\u00E9>"]
    view.apply("crops", stream.submit("a", [line.format(PROV) for line in lines]))
    view.apply("crops", stream.submit("b", [f"<urn:c> <{PROV}wasDerivedFrom> <urn:café>"]))
    edges = [line.split(" ")[:3] for line in view.dump("crops")]
    view.close()
    assert edges == [
        [s, "wasDerivedFrom", o] for s, o in (("urn:a", "urn:café"), ("urn:c", "urn:café"), ("urn:café", "urn:b"))
    ]


EDGE = '"names":["urn:a","urn:b"],"kinds":[2,1],"edges":[[0,0,%s,[]]],"types":[],"labels":[],"identifiers":[]'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{" + EDGE % "[0]" + "}",
        "{" + EDGE % "[0,2]" + "}",
        "{" + EDGE % '["0",1]' + "}",
        ("{" + EDGE % "[0,1]" + "}").replace("[2,1]", '[2,"x"]'),
        ("{" + EDGE % "[0,1]" + "}").replace('"urn:b"', "7"),
    ],
)
def test_what_no_worker_has_extracted_is_refused_and_changes_nothing(tmp_path: Path, text: str) -> None:
    view, stream, file = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path), tmp_path / "content.json"
    change = stream.submit("a", [f"<urn:run> <{PROV}used> <urn:data>"])
    file.write_text(text, "utf-8")
    with pytest.raises(Damaged):
        view.apply("crops", replace(change, extraction=lambda: Extraction.read(file)))
    assert view.position("crops", "crops") == 0
    file.write_text("{" + EDGE % "[0,1]" + "}", "utf-8")
    view.apply("crops", replace(change, extraction=lambda: Extraction.read(file)))
    assert len(list(view.dump("crops"))) == 1
    view.close()


def test_type_sets_are_deleted_with_their_last_use(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    for document, cls in (("a", "urn:Sample"), ("b", "urn:Sample"), ("c", "urn:Model")):
        view.apply("crops", stream.submit(document, [f"<urn:{document}> <{t}> <{c}>" for t, c in typed(cls)]))
    for document in ("a", "c"):
        view.apply("crops", stream.erase(document, 1))
    with closing(sqlite3.connect(tmp_path / "view" / "view.sqlite")) as connection:
        rows = connection.execute("SELECT types, uses FROM sort").fetchall()
    view.close()
    assert rows == [('["urn:Sample"]', 1)]


def typed(cls: str) -> list[tuple[str, str]]:
    return [(RDF_TYPE, cls), (RDF_TYPE, f"{PROV}Entity")]


def test_after_a_crash_the_first_of_many_entries_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    changes = [stream.submit(name, [f"<urn:{name}> <{PROV}used> <urn:data>"]) for name in "abcd"]
    try:
        with view.together():
            for number, change in enumerate(changes):
                monkeypatch.setattr(sqlite_view, "_MIN_COMMIT_INTERVAL", 0 if number == 1 else 60)
                view.apply("crops", change)
                assert view.position("crops", "crops") == (0 if number == 0 else 2)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert view.position("crops", "crops") == len(list(view.dump("crops"))) == 2
    for change in changes[2:]:
        view.apply("crops", change)
    assert view.position("crops", "crops") == len(list(view.dump("crops"))) == 4
    view.close()


def test_a_block_can_end_long_after_its_last_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    with view.together():
        view.apply("crops", stream.submit("a", [f"<urn:a> <{PROV}used> <urn:data>"]))
        monkeypatch.setattr(sqlite_view, "_MIN_COMMIT_INTERVAL", 0)
    assert view.position("crops", "crops") == 1
    view.close()


def test_slow_commits_are_less_frequent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    monkeypatch.setattr(sqlite_view, "_MIN_COMMIT_INTERVAL", 0)
    monkeypatch.setattr(sqlite_view, "_COMMIT_SHARE", 1e-9)
    with view.together():
        for name in "abc":
            view.apply("crops", stream.submit(name, [f"<urn:{name}> <{PROV}used> <urn:data>"]))
            assert view.position("crops", "crops") == 1
    assert view.position("crops", "crops") == 3
    view.close()


def test_a_relation_has_each_of_its_times_once(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    lines = [f"<urn:run> <{PROV}used> <urn:{name}>" for name in ("data", "untimed")]
    for node, day in (("one", "1970-01-02"), ("two", "1970-01-03"), ("again", "1970-01-02")):
        lines += [f"<urn:run> <{PROV}qualifiedUsage> <urn:{node}>", f"<urn:{node}> <{PROV}entity> <urn:data>"]
        lines += [f'<urn:{node}> <{PROV}atTime> "{day}T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>']
    view.apply("crops", stream.submit("a", lines))
    edges = [line.split(" ")[:4] for line in view.dump("crops")]
    view.close()
    day = 86_400_000_000
    assert edges == [
        ["urn:run", "used", name, str(time)]
        for name, time in (("urn:data", 2 * day + 1), ("urn:data", day + 1), ("urn:untimed", 0))
    ]


def test_connections_are_reused(tmp_path: Path) -> None:
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    view.apply("crops", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:data>"]))
    with view._reading() as first:
        pass
    with view._reading() as second:
        assert second is first
    with pytest.raises(ZeroDivisionError), view._reading() as failed:
        1 / 0  # noqa: B018
    assert failed is first
    assert view._idle == []
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(view._reading())
    assert len(view._idle) == 2
    view.close()
    assert view._idle == []


def test_a_reused_connection_has_neither_snapshot_nor_deadline_of_the_former_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_STEPS", 1)
    view, stream = Lineage(tmp_path / "view", base=BASE), ChangeStream(tmp_path)
    view.apply("secret", stream.submit("a", [f"<urn:run> <{PROV}used> <urn:data>"]))
    began = time.monotonic()
    assert view.traverse("urn:run", ["secret"], [Options()], limit=1, deadline=began + 600) is not None
    (kept,) = view._idle
    assert view.traverse("urn:run", ["open"], [Options()], limit=1) is None
    assert view.traverse("urn:run", ["secret"], [Options()], limit=1, deadline=began + 600) is not None
    with monkeypatch.context() as later:
        later.setattr(time, "monotonic", lambda: began + 1200)
        assert view.datasets() == ["secret"]
        assert view._idle == [kept]
    with pytest.raises(TimedOut):
        view.traverse("urn:run", ["secret"], [Options()], limit=1, deadline=time.monotonic() - 1)
    assert view._idle == []
    view.close()
