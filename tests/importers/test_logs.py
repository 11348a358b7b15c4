"""Logs of one's own, by a mapping file: tables and JSON lines, files of several documents, rows that cannot be read."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError, UsageError
from provrepo.importers.archives import packed
from provrepo.importers.contents import content_of
from provrepo.importers.logs import archive
from provrepo.importers.logs.suggesting import suggested
from provrepo.model.document import Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    DELEGATION,
    GENERATION,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)
from provrepo.repository.repository import Repository
from provrepo.vocab import DCTERMS, PROV_VALUE, PROVREPO, SCHEMA
from tests.support.command import Command

ROOT = "https://w3id.org/provrepo/log/bench/"
RAW = "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea"

MAPPING = """
[log]
name = "bench"
[time]
format = "%d.%m.%Y %H:%M"
zone = "Europe/Berlin"
[run]
id = "run"
name = "step"
start = "from"
end = "to"
status = "state"
agent = "who"
[[input]]
column = "in"
separator = ";"
hash = "in_hash"
[[output]]
column = "out"
[[parameter]]
column = "rate"
hyperparameter = true
[[metric]]
column = "rmse"
"""

LOG = f"""run;step;from;to;state;who;in;in_hash;out;rate;rmse;sky
1;clean;01.03.2026 09:00;01.03.2026 09:05;ok;Ana Lima <0000-0002-1825-0097>;raw.csv;{RAW};clean.csv;;;blue
2;train;01.03.2026 09:10;01.03.2026 09:20;ok;ben@lab.example;clean.csv;;model.pkl;0.1;0.42;
3;train;01.03.2026 09:30;01.03.2026 09:31;error;ben@lab.example;clean.csv;;worse.pkl;0.2;9;
""".replace("0.42", '"0.42"')


def read(log: str | bytes, mapping: str = MAPPING, name: str = "runs.csv") -> Document:
    data = log.encode() if isinstance(log, str) else log
    return provrepo.read(packed("log", {"mapping.toml": mapping.encode(), f"log/{name}": data}))


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    found = [[str(arg).removeprefix(ROOT) for arg in one.args if arg] for one in document if one.kind is kind]
    return {tuple(args) for args in found}


def attributes(document: Document, name: str, term: str) -> list[str]:
    return sorted(
        str(value)
        for one in document
        if str(one.id) == ROOT + name
        for key, value in one.attributes
        if str(key) == term
    )


def messages(document: Document) -> list[str]:
    return [warning.message for warning in document.warnings]


def simple(columns: str, *rows: str, more: str = "") -> Document:
    """A log with the columns ``in`` and ``out`` and others of ``[run]``, without a zone."""
    run = "".join(f'{name} = "{name}"\n' for name in columns.split(",") if name not in ("in", "out"))
    mapping = (
        f'[log]\nname = "bench"\n{more}\n[run]\n{run}[constants]\nagent = "Ana"\n[[input]]\ncolumn = "in"\n'
        '[[output]]\ncolumn = "out"\n'
    )
    return read("\n".join([columns, *rows]), mapping)


def test_a_table_by_the_rules_of_its_mapping() -> None:
    document = read(LOG)
    assert document.warnings == []
    assert related(document, ACTIVITY) == {
        ("2026-03-01T09:00:00+01:00", "2026-03-01T09:05:00+01:00"),
        ("2026-03-01T09:10:00+01:00", "2026-03-01T09:20:00+01:00"),
        ("2026-03-01T09:30:00+01:00", "2026-03-01T09:31:00+01:00"),
    }
    raw = f"version/raw.csv/sha256%3A{RAW}"
    assert related(document, USAGE) == {
        ("run/1", raw),
        ("run/2", "version/clean.csv/1"),
        ("run/2", "run/2/parameter/rate"),
        ("run/3", "version/clean.csv/1"),
        ("run/3", "run/3/parameter/rate"),
    }
    # The third run failed: it generated nothing, neither its output nor its metric.
    assert related(document, GENERATION) == {
        ("version/clean.csv/1", "run/1", "2026-03-01T09:05:00+01:00"),
        ("version/model.pkl/2", "run/2", "2026-03-01T09:20:00+01:00"),
        ("run/2/metric/rmse", "run/2", "2026-03-01T09:20:00+01:00"),
    }
    assert attributes(document, "run/3", "https://w3id.org/provrepo/openlineage#intendedOutput") == [
        f"{ROOT}file/worse.pkl"
    ]
    assert related(document, ASSOCIATION) == {
        ("run/1", "https://orcid.org/0000-0002-1825-0097", "plan/clean"),
        ("run/2", "mailto:ben@lab.example", "plan/train"),
        ("run/3", "mailto:ben@lab.example", "plan/train"),
    }
    assert related(document, SPECIALIZATION) == {
        (raw, content_of("sha256", RAW)),
        (raw, "file/raw.csv"),
        ("version/clean.csv/1", "file/clean.csv"),
        ("version/model.pkl/2", "file/model.pkl"),
    }
    assert attributes(document, "run/1", f"{PROVREPO}details") == ['{"sky":"blue"}']
    assert attributes(document, "run/3", f"{PROVREPO}details") == ['{"metrics":{"rmse":["9"]}}']
    assert attributes(document, "run/2/parameter/rate", PROV_VALUE) == ["0.1"]
    report = provrepo.validate(document, profiles=["pipeline"])
    assert report.conforms, report.findings
    assert report.possible


def test_any_order_of_rows_is_the_same_document() -> None:
    head, *rows = LOG.splitlines()
    expected = sorted(map(str, read(LOG)))
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        found = sorted(map(str, read("\n".join([head, *rows]))))
        assert [one for one in found if "import" not in one and "sha-256" not in one] == [
            one for one in expected if "import" not in one and "sha-256" not in one
        ]


def test_json_lines_with_members_and_pointers() -> None:
    mapping = """
    [log]
    name = "bench"
    [time]
    format = "unix"
    [run]
    id = "/job/id"
    start = "t0"
    duration = "took"
    status = "rc"
    software = "tool"
    software_version = "/job/version"
    agent = "user"
    [[input]]
    column = "inputs"
    item = "path"
    hash = "md5"
    role = "data"
    [[output]]
    column = ["outputs"]
    [[metric]]
    column = "/metrics/loss"
    step = "epoch"
    """
    job = {"id": 7, "version": "1.2"}
    lines: list[Any] = [
        {
            "job": job, "t0": 1772355600, "took": 90.5, "rc": 0, "tool": "fit", "user": "Ana", "metrics": {"loss": 0.5},
            "epoch": 1, "inputs": [{"path": "raw.csv", "md5": "24394e434866823e1367e511a54aa482"}, {"path": 7}],
        },
        {"job": job, "outputs": ["a.pkl", "b.pkl"], "metrics": {"loss": 0.25}, "epoch": 2, "api_token": "hush-hush"},
    ]  # fmt: skip
    document = read("\n".join(map(json.dumps, lines)), mapping, "runs.jsonl")
    assert related(document, ACTIVITY) == {("2026-03-01T09:00:00Z", "2026-03-01T09:01:30.500000Z")}
    assert {args[0] for args in related(document, GENERATION)} == {
        "version/a.pkl/7",
        "version/b.pkl/7",
        "run/7/metric/loss/1",
        "run/7/metric/loss/2",
    }
    assert ("run/7", "version/raw.csv/md5%3A24394e434866823e1367e511a54aa482") in related(document, USAGE)
    assert ("run/7", "version/7/@unknown/7") in related(document, USAGE)
    assert related(document, DELEGATION) == {("software/fit/1.2", "agent/Ana", "run/7")}
    assert messages(document) == []
    assert b"hush" not in document.write("provn")
    # An array is read as lines are.
    array = read(json.dumps(lines, indent=1), mapping, "runs.json")
    assert related(array, USAGE) == related(document, USAGE)


def test_rows_that_cannot_be_read_are_named_and_the_others_are_read() -> None:
    rows = [
        '4;"open;;;;;;;;;;',
        "5;too;many;cells;;;;;;;;;more",
        ";no id;;;;;;;x;;;",
        "6;train;soon;01.03.2026 10:00;perhaps;Ana <nobody>;raw.csv;abc;z.pkl;;;",
        '7;"two\nlines";01.03.2026 10:00;;ok;Ana;5" pipe.csv;;y.pkl;;;',
    ]
    document = read(LOG + "\n".join(rows))
    assert [(warning.line, warning.rule, warning.violation) for warning in document.warnings] == [
        (5, "log:row-left-out", False),
        (6, "log:row-left-out", False),
        (7, "log:row-left-out", False),
        *[(8, "log:unusual", False)] * 4,
    ]
    assert [message for message in messages(document) if "left out" in message] == [
        'runs.csv, line 5: a quotation mark (") that is not closed; the row is left out',
        "runs.csv, line 6: 13 cells, but there are 12 headings; the row is left out",
        "runs.csv, line 7: no value in run, which identifies the run; the row is left out",
    ]
    unusual = "".join(messages(document)[3:])
    for text in (
        "'soon' is no time of the format",
        "'perhaps' is not in [status]",
        "'nobody' is neither",
        "'abc' is no",
    ):
        assert text in unusual
    made = {args[0] for args in related(document, GENERATION)}
    assert "version/y.pkl/7" in made
    assert "version/z.pkl/6" not in made, "nobody knows whether this run completed"
    assert ("run/7", "version/5%22%20pipe.csv/@unknown/7") in related(document, USAGE)
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_bytes_of_another_encoding_are_named_and_stated() -> None:
    log = "step,in,out\nDrüse,ä.csv,b.csv\nnext,a.csv,c.csv\n".encode("cp1252")
    mapping = '[log]\nname = "bench"\n{}\n[run]\nname = "step"\n[[input]]\ncolumn = "in"\n[[output]]\ncolumn = "out"\n'
    document = read(log, mapping.format(""))
    assert "line 2: bytes that are not utf-8; state the encoding" in messages(document)[0]
    assert len(related(document, GENERATION)) == 1
    right = read(log, mapping.format('encoding = "cp1252"'))
    assert any("%C3%A4.csv" in args[1] for args in related(right, USAGE))
    for encoding in ("utf-8-sig", "utf-16"):
        assert related(read(log.decode("cp1252").encode(encoding), mapping.format("")), USAGE) == related(right, USAGE)
    with pytest.raises(ReadError, match=r"line 1 is not utf-16"):
        read(log[:-1], mapping.format('encoding = "utf-16"'))


def test_a_table_without_headings_with_comments_and_texts_for_nothing() -> None:
    mapping = """
    [log]
    name = "bench"
    columns = ["t", "step", "in", "out"]
    delimiter = "|"
    quote = ""
    skip = 1
    comment = "#"
    empty = ["-"]
    [run]
    name = "step"
    time = "t"
    [constants]
    agent = "Ana"
    [[input]]
    column = "in"
    [[output]]
    column = "out"
    """
    document = read('LOG 1.0\n# nothing\n2026-03-01|a "b|-|x\n# more\n2026-03-02|b|x|-\n', mapping)
    # A day is all of that day.
    assert related(document, ACTIVITY) == {
        ("2026-03-01T00:00:00", "2026-03-01T23:59:59"),
        ("2026-03-02T00:00:00", "2026-03-02T23:59:59"),
    }
    ((made, _, _),) = related(document, GENERATION)
    ((_, used),) = related(document, USAGE)
    assert made == used
    assert ["times have no zone" in message for message in messages(document)] == [True]


def test_headings_that_occur_twice() -> None:
    log = "in,in,when,when,out\na.csv,b.csv,2026-03-01T09:00Z,2026-03-01T10:00Z,c.csv\n"
    mapping = '[log]\nname = "bench"\n[run]\nstart = "{}"\nend = "when#2"\n[[input]]\ncolumn = "in"\n'
    mapping += '[[output]]\ncolumn = "out"\n'
    document = read(log, mapping.format("when#1"))
    assert {args[1].split("/")[1] for args in related(document, USAGE)} == {"a.csv", "b.csv"}
    assert related(document, ACTIVITY) == {("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")}
    with pytest.raises(
        ReadError, match=r"several columns are called 'when'; write 'when#1' or 'when#2' in \[run\] start"
    ):
        read(log, mapping.format("when"))


def test_windows_paths_urls_and_logins() -> None:
    document = simple(
        "in,out",
        r"C:\data\raw.csv,https://ana:hush@lab.example/x.csv",
        r"C:/data/raw.csv,s3://lab/y",
        r"https://lab.example/x.csv,.\z",
    )
    read_ = {args[1] for args in related(document, SPECIALIZATION)}
    assert "file/C%3A%2Fdata%2Fraw.csv" in read_
    assert {"https://lab.example/x.csv", "s3://lab/y", "file/z"} <= read_
    assert b"hush" not in document.write("provn")


def test_which_version_was_read() -> None:
    rows = ("1,2026-01-01T10:00,,a", "2,2026-01-02T10:00,,a", "3,2026-01-03T10:00,a,b", "4,2026-01-01T09:00,a,c")
    used = related(simple("id,time,in,out", *rows), USAGE)
    assert used == {("run/3", "version/a/2"), ("run/4", "version/a/@unknown/4")}
    # Without times it is known only if one run wrote it.
    assert related(simple("id,in,out", "1,,a", "2,a,b"), USAGE) == {("run/2", "version/a/1")}
    assert related(simple("id,in,out", "1,,a", "2,a,b", "3,,a"), USAGE) == {("run/2", "version/a/@unknown/2")}
    # Rows of one day, in the order of the log, if the mapping says so.
    day = ("1,2026-01-01,,a", "2,2026-01-01,a,b", "3,2026-01-01,,a", "4,2026-01-01,a,c")
    assert {args[1] for args in related(simple("id,time,in,out", *day), USAGE)} == {
        "version/a/@unknown/2",
        "version/a/@unknown/4",
    }
    ordered = simple("id,time,in,out", *day, more='order = "oldest-first"')
    assert related(ordered, USAGE) == {("run/2", "version/a/1"), ("run/4", "version/a/3")}
    reversed_ = simple("id,time,in,out", *day[::-1], more='order = "newest-first"')
    assert related(reversed_, USAGE) == {("run/2", "version/a/1"), ("run/4", "version/a/3")}


def test_two_runs_that_read_what_the_other_wrote_are_possible() -> None:
    document = simple("id,in,out", "1,a,b", "2,b,a")
    assert related(document, USAGE) == {("run/1", "version/a/2"), ("run/2", "version/b/1")}
    report = provrepo.validate(document, profiles=["core"])
    assert report.conforms
    assert report.possible


def test_parts_of_runs_and_a_run_within_itself() -> None:
    document = simple("id,part_of,in,out", "1,,a,b", "2,1,b,c", "3,elsewhere,c,d", "4,5,d,e", "5,4,e,f", "6,6,f,g")
    assert related(document, START) == {("run/2", "run/1")}
    assert attributes(document, "run/3", f"{DCTERMS}isPartOf") == [f"{ROOT}run/elsewhere"]
    assert len([text for text in messages(document) if "would be a part of itself" in text]) == 3
    assert provrepo.validate(document, profiles=["core"]).conforms


def test_equal_rows_and_different_values_of_one_run() -> None:
    twice = simple("name,in,out", "x,a,b", "x,a,b")
    assert messages(twice) == ["runs.csv, line 3: the same as that of line 2: they are one run"]
    two = simple("id,name,in,out", "1,x,a,b", "1,y,a,c")
    assert messages(two) == ["runs.csv, line 2: run 1 has 2 values of name: 'x', 'y'; the first counts"]
    assert len(related(two, GENERATION)) == 2


def test_clocks_that_were_changed_are_named() -> None:
    mapping = MAPPING.replace('format = "%d.%m.%Y %H:%M"', 'format = "iso"')
    row = "1;x;2026-10-25T02:30;2026-10-25T04:00;ok;Ana;;;a;;;"
    document = read(f"{LOG.splitlines()[0]}\n{row}", mapping)
    assert messages(document) == [
        "runs.csv, line 2: 2026-10-25T02:30:00 is not one time in this zone: clocks were changed then"
    ]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("[log", "mapping.toml: "),
        ("[log]\n", "[log] name: is needed"),
        ('[log]\nname = "x"\n', "has no [[input]]"),
        (MAPPING + "[what]\n", "has no 'what'; it has: log, time"),
        (MAPPING.replace('id = "run"', 'idd = "run"'), "[run]: has no 'idd'; it has: id, name"),
        (MAPPING.replace("Europe/Berlin", "Europe/Nowhere"), "'Europe/Nowhere' is no zone"),
        (MAPPING.replace("%d.%m.%Y %H:%M", "%H:%M"), "has no year or no day"),
        (MAPPING.replace("%d.%m.%Y %H:%M", "soon"), "'soon' has no year or no day"),
        (MAPPING.replace('"run"', '"nowhere"'), "the log has no column 'nowhere'; it has: 'run', 'step'"),
        (MAPPING.replace('name = "bench"', 'name = "bench"\nencoding = "idna"'), "encoding: 'idna' is not known"),
        (MAPPING.replace('name = "bench"', 'name = "bench"\ndelimiter = ";;"'), "';;' is not one character"),
        (MAPPING.replace('column = "out"', "column = 7"), "[[output]] 1 column: a text or a list of texts"),
        (MAPPING.replace("[[output]]", "[output]"), "[[output]]: is written with two brackets"),
        (MAPPING.replace('start = "from"', 'time = "from"'), "[run] time: is for a log with one time"),
        (MAPPING + '[constants]\nagent = "Ana <0000-0002-1825-0098>"', "its check digit is wrong"),
    ],
)
def test_what_is_no_mapping_says_where_and_what_to_write(mapping: str, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(LOG, mapping)
    assert message in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")), st.booleans())
def test_any_text_makes_a_document_or_an_error(text: str, headed: bool) -> None:
    data = ("in,out,id\n" if headed else "") + text
    mapping = '[log]\nname = "b"\n[run]\nid = "id"\n[[input]]\ncolumn = "in"\n[[output]]\ncolumn = "out"\n'
    try:
        document = read(data.encode("utf-8", "surrogatepass"), mapping)
    except ReadError:
        if headed:
            raise
    else:
        assert document.write("provn")
        assert document.write("provxml")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["in", "out", "id", "t", "p"]), inner),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_JSON, min_size=1, max_size=4))
def test_any_json_makes_a_document_or_a_finding(values: list[Any]) -> None:
    mapping = """
    [log]
    name = "b"
    format = "jsonl"
    [run]
    id = "id"
    start = "t"
    agent = "p"
    part_of = "/p/id"
    [[input]]
    column = "in"
    item = "p"
    hash = "id"
    [[output]]
    column = "out"
    [[metric]]
    column = "t"
    step = "p"
    """
    document = read("\n".join(map(json.dumps, values)), mapping)
    for format_ in ("provn", "provxml", "turtle"):
        assert document.write(format_)
    reasons = [warning for warning in document.warnings if warning.rule == "log:row-left-out"]
    runs = [one for one in document if one.kind is ACTIVITY]
    assert reasons or runs or isinstance(values[0], list)


# --- the verb ----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "runs.csv").write_text(LOG)
    (folder / "map.toml").write_text(MAPPING)
    return folder


def stored(repository: Repository) -> list[tuple[str, int]]:
    return sorted((info.name, info.version) for info in repository.documents("default"))


def test_a_log_is_imported_and_mapped_again_at_a_rebuild(repository: Repository, files: Path) -> None:
    found = repository.import_documents(files / "runs.csv", mapping=files / "map.toml")
    assert [(r.version.name, r.version.format, r.version.verdict) for r in found.receipts] == [
        ("runs", "log", "conforms")
    ]
    data, _ = repository.original("default", "runs")
    assert data == packed("log", {"mapping.toml": MAPPING.encode(), "log/runs.csv": LOG.encode()})
    before = repository.export("default", "runs", format="provn")
    repository.rebuild()
    assert repository.export("default", "runs", format="provn") == before
    graph = repository.lineage(f"{ROOT}version/model.pkl/2")
    assert content_of("sha256", RAW) in {node.iri for node in graph.nodes}
    again = repository.import_documents((files / "runs.csv").read_bytes(), file="runs.csv", mapping=MAPPING.encode())
    assert [r.created for r in again.receipts] == [False]


def test_a_mapping_beside_the_log_and_in_a_folder_is_found(repository: Repository, files: Path) -> None:
    (files / "runs.csv.mapping.toml").write_text(MAPPING)
    (files / "lost.csv.mapping.toml").write_text(MAPPING)
    assert [r.version.name for r in repository.import_documents(files / "runs.csv").receipts] == ["runs"]
    found = repository.import_documents(files)
    assert [(r.version.name, r.created) for r in found.receipts] == [("runs", False)]
    reasons = {Path(skipped.place).name: skipped.reason for skipped in found.skipped}
    assert reasons["lost.csv.mapping.toml"] == "there is no log of this name beside it"


def test_a_mapping_for_all_files_of_a_folder(repository: Repository, files: Path) -> None:
    (files / "in" / "2026").mkdir(parents=True)
    for number in (1, 2):
        (files / "in" / "2026" / f"day{number}.csv").write_text(LOG.replace("\n1;", f"\n{number}1;"))
    (files / "in" / "other.csv").write_text("a,b\n1,2\n")
    found = repository.import_documents(files / "in", mapping=files / "map.toml", name="lab")
    assert [r.version.name for r in found.receipts] == ["lab-2026-day1", "lab-2026-day2"]
    assert "has no column" in found.skipped[0].reason


def test_rows_that_cannot_be_read_are_named_by_the_import(repository: Repository, files: Path) -> None:
    (files / "runs.csv").write_text(LOG + ";nobody;;;;;;;;;;\n")
    found = repository.import_documents(files / "runs.csv", mapping=files / "map.toml")
    assert len(found.receipts) == 1
    assert [tuple(each) for each in found.skipped] == [
        (f"{files / 'runs.csv'}: line 5", "no value in run, which identifies the run")
    ]
    with pytest.raises(ReadError, match="the log has no column"):
        repository.import_documents(
            files / "runs.csv", mapping=MAPPING.replace('"sky"', "").replace('"in"', '"x"').encode()
        )
    with pytest.raises(UsageError, match="not for provn"):
        repository.import_documents(files / "runs.csv", mapping=files / "map.toml", format="provn")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_large_log_becomes_several_documents(
    repository: Repository, files: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(archive, "MAX_ROWS", 2)
    mapping = MAPPING if encoding != "cp1252" else MAPPING.replace("[time]", 'encoding = "cp1252"\n[time]')
    (files / "runs.csv").write_bytes(LOG.replace("blue", '"bl\nü"').encode(encoding))
    found = repository.import_documents(files / "runs.csv", mapping=mapping.encode())
    assert [r.version.name for r in found.receipts] == ["runs", "runs-2"]
    assert found.skipped == ()
    graph = repository.lineage(f"{ROOT}run/3")
    # The read of the second document is resolved by the times of both.
    assert {f"{ROOT}version/clean.csv/@unknown/3", f"{ROOT}version/clean.csv/1"} <= {node.iri for node in graph.nodes}
    # A log that grows keeps its first documents.
    with (files / "runs.csv").open("ab") as file:
        file.write("4;next;;;;;;;last.csv;;;\n".encode(encoding.replace("16", "16-le").replace("-sig", "")))
    more = repository.import_documents(files / "runs.csv", mapping=mapping.encode())
    assert [(r.version.name, r.created) for r in more.receipts] == [("runs", False), ("runs-2", True)]


def test_archives_of_another_content_are_refused() -> None:
    for members in ({"mapping.toml": b""}, {"log/a": b"", "log/b": b"", "mapping.toml": b""}):
        with pytest.raises(ReadError, match=r"one log beside it"):
            provrepo.read(packed("log", members))
    with pytest.raises(ReadError, match=r"provrepo import LOG --mapping FILE"):
        provrepo.read(b"a,b\n", format="log")


# --- suggestions -------------------------------------------------------------------------------------------------


def test_a_suggested_mapping_is_used_as_it_is(repository: Repository, tmp_path: Path) -> None:
    log = tmp_path / "bench 3.csv"
    log.write_text(
        "Run ID,Date,Operator,Exit code,Input files,Output_1,Output_2,Output_1 MD5,Learning rate,Val loss,Sky\n"
        f"1,31.12.2026 10:00,Ana,0,a.csv|b.csv,c.csv,d.csv,{'1' * 32},0.1,0.5,blue\n"
        "2,31.12.2026 11:00,Ben,1,c.csv,e.csv,,,0.2,,grey\n"
    )
    text = suggested(log)
    for line in ('id = "Run ID"', 'time = "Date"', 'format = "%d.%m.%Y %H:%M"', 'separator = "|"', "# Sky"):
        assert line in text
    found = repository.import_documents(log, mapping=text.encode())
    assert [(r.version.name, r.version.verdict) for r in found.receipts] == [("bench-3", "conforms")]


@pytest.mark.parametrize("text", ["timestamp,input,output\n", '{"ts": 1772355600, "src": "a", "dst": "b"}\n', "x\n1\n"])
def test_a_suggestion_for_any_log_is_a_mapping(tmp_path: Path, text: str) -> None:
    log = tmp_path / "a.csv"
    log.write_text(text)
    assert '[log]\nname = "a"' in suggested(log)


@settings(max_examples=60, deadline=None)
@given(headings=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1))
def test_any_headings_have_a_suggestion(tmp_path_factory: pytest.TempPathFactory, headings: list[str]) -> None:
    import csv

    buffer = io.StringIO()
    csv.writer(buffer).writerow(headings)
    log = tmp_path_factory.mktemp("any") / "log.csv"
    log.write_bytes(buffer.getvalue().encode())
    try:
        text = suggested(log)
    except ReadError:
        if any(heading.strip() for heading in headings) and not buffer.getvalue().lstrip().startswith(("{", "[")):
            raise
    else:
        assert "[log]" in text


def test_the_command(files: Path) -> None:
    log, mapping, provrepo_command = files / "runs.csv", files / "map.toml", Command(files / "data")
    written = provrepo_command("import", "--suggest-mapping", log)
    assert 'id = "run"' in written.stdout
    provrepo_command("import", log, "--mapping", mapping)
    log.write_text(LOG + ";;;;;;;;x;;;\n")
    again = provrepo_command("import", log, "--mapping", mapping, code=1)
    assert "runs.csv: line 5: no value in run" in again.stderr
    provrepo_command("import", "--suggest-mapping", files / "none.csv", code=2)


def test_status_of_a_run() -> None:
    for text, made in (("0", True), ("OK", True), ("1", False), ("-9", False), ("FAILED", False), ("running", False)):
        document = simple("id,status,in,out", f"1,{text},a,b")
        assert bool(related(document, GENERATION)) is made
        assert attributes(document, "run/1", f"{SCHEMA}actionStatus")
