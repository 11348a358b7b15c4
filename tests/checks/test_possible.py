"""The verdict by the profiles of a document, and its validity by PROV-CONSTRAINTS (``possible``)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import provrepo
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.render import FORMATS, render
from provrepo.checks.report import Report
from provrepo.cli.main import cli
from provrepo.ledger.entries import canonical
from provrepo.repository import catalog
from provrepo.repository.repository import Repository
from tests.support.paths import TESTS
from tests.support.serving import opened

IMPOSSIBLE = TESTS / "cases" / "check" / "impossible-order.provn"
POSSIBLE = b"document\nprefix ex <http://example.org/>\nentity(ex:e)\nendDocument"
LATE = (
    "document\nprefix ex <http://example.org/>\nwasGeneratedBy(ex:e, -, 2024-05-31T11:00:00Z)\n"
    "used(ex:a, ex:e, 2024-05-31T10:00:00Z)\nendDocument"
)
WORDS = "conforms to the profiles; impossible by PROV-CONSTRAINTS"


def validate(source: bytes | Path, **options: object) -> Report:
    read = provrepo.read(source, format="provn") if isinstance(source, bytes) else provrepo.read(source)
    return provrepo.validate(read, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "options", "verdict", "possible"),
    [
        (IMPOSSIBLE, {"profiles": ["core"]}, "conforms", False),
        (IMPOSSIBLE, {"constraints": "report"}, "conforms", False),
        (IMPOSSIBLE, {"constraints": "gate"}, "fails", False),
        (IMPOSSIBLE, {"constraints": "off"}, "conforms", None),
        (POSSIBLE, {}, "conforms", True),
        (POSSIBLE, {"constraints": "off"}, "conforms", None),
        (LATE.encode(), {}, "conforms", True),
    ],
)
def test_verdict_and_validity_of_a_report(source, options, verdict, possible):
    report = validate(source, **options)
    assert (report.verdict, report.possible) == (verdict, possible)
    fields = report.to_dict()
    assert (fields["verdict"], fields["possible"]) == (verdict, possible)
    # The validity of an old report follows from its findings.
    del fields["possible"]
    assert Report.from_dict(fields).possible is possible


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_a_report_has_both(form):
    report = validate(IMPOSSIBLE, profiles=["core"])
    assert report.count(Severity.WARNING) == 1
    written = render(report, form, "run.provn")
    if form in ("text", "html"):
        assert f"{WORDS}: 1 warning" in written
    elif form == "junit":
        assert ElementTree.fromstring(written).get("name") == f"{WORDS}: 1 warning"
    elif form == "json":
        assert (json.loads(written)["verdict"], json.loads(written)["possible"]) == ("conforms", False)
    elif form == "sarif":
        assert json.loads(written)["runs"][0]["properties"] == {"verdict": "conforms", "possible": False}
    else:
        assert "provrepo:possible false" in written
        assert 'provrepo:verdict "conforms"' in written


@pytest.fixture
def kept(repository: Repository) -> Repository:
    repository.create_project("p", profiles=["core"])
    repository.submit(IMPOSSIBLE, project="p", name="impossible")
    repository.create_project("free")
    repository.submit(POSSIBLE, project="free", name="possible", format="provn")
    return repository


def test_lists_receipts_and_histories_have_both_and_the_number_of_warnings(kept):
    (document,) = kept.documents("p")
    assert (document.current.verdict, document.current.possible, document.current.warnings) == ("conforms", False, 1)
    fields = document.to_dict()["current"]
    assert (fields["verdict"], fields["possible"], fields["warnings"]) == ("conforms", False, 1)
    (version,) = kept.history("free", "possible")
    assert (version.possible, version.warnings) == (True, 0)
    receipt = kept.submit(IMPOSSIBLE, project="p", name="impossible")
    assert (receipt.to_dict()["possible"], receipt.to_dict()["warnings"]) == (False, 1)
    assert receipt.to_dict()["report"]["possible"] is False


def before_both(entry):
    """An old entry, from before verdict and validity were recorded."""
    fields = {key: value for key, value in entry.fields.items() if key not in ("possible", "warnings")}
    return replace(entry, data=canonical(fields))


def test_a_list_reads_no_whole_report_of_documents_without_warnings(kept, monkeypatch):
    (entry,) = kept.context.store.ledger.versions("free", "possible")
    bare = before_both(entry)
    monkeypatch.setattr(kept.context.store.blobs, "get", lambda digest: pytest.fail(f"{digest} is read"))
    assert catalog.validity(kept.context.store, bare) == (True, 0)


def test_a_missing_report_has_neither(kept):
    (entry,) = kept.context.store.ledger.versions("p", "impossible")
    bare = before_both(entry)
    assert catalog.validity(kept.context.store, bare) == (False, 1)
    kept.context.store.blobs.path(bare.fields["report"]).unlink()
    assert catalog.validity(kept.context.store, bare) == (None, None)


def test_the_command_line_shows_both(tmp_path):
    data = ["--data", str(tmp_path / "data")]
    run = CliRunner().invoke
    assert run(cli, [*data, "project", "create", "p", "--profile", "core"]).exit_code == 0
    receipt = run(cli, [*data, "submit", str(IMPOSSIBLE), "--project", "p"])
    assert "possible    no, by PROV-CONSTRAINTS; 1 warning\n" in receipt.output
    for verb in (["list", "p"], ["history", "p/impossible-order"]):
        header, row = run(cli, [*data, *verb]).output.splitlines()
        cells = dict(zip(header.split(), row.split(), strict=False))
        assert (cells["VERDICT"], cells["POSSIBLE"], cells["WARNINGS"]) == ("conforms", "impossible", "1")
    checked = run(cli, ["validate", str(IMPOSSIBLE), "--profile", "core"])
    assert checked.exit_code == 0
    assert f"{WORDS}: 1 warning in 8 statements" in checked.output


def test_pages_and_json_of_the_server_show_both(tmp_path):
    with opened(tmp_path) as site:
        site.submit("impossible", IMPOSSIBLE.read_bytes())
        at = "/projects/open/documents/impossible"
        metadata = site.client.get(f"{at}/metadata").json
        assert (metadata["verdict"], metadata["possible"], metadata["warnings"]) == ("conforms", False, 1)
        listed = {d["name"]: d["current"] for d in site.client.get("/projects/open/documents").json["documents"]}
        assert listed["impossible"]["possible"] is False
        for page in ("/projects/open", at, f"{at}/versions", f"{at}/report"):
            text = site.client.get(page, headers={"Accept": "text/html"}).text
            assert "Conforms</span>" in text
            assert 'title="Impossible by PROV-CONSTRAINTS">Impossible</span>' in text
            assert "1 warning" in text


# The true number --------------------------------------------------------------------------------------------------


def test_contradicting_times_beyond_those_that_are_listed_are_counted():
    lines = "\n".join(
        f"wasGeneratedBy(ex:e{n}, -, 2024-05-31T11:00:00Z)\nused(ex:a{n}, ex:e{n}, 2024-05-31T10:00:00Z)"
        for n in range(250)
    )
    report = validate(f"document\nprefix ex <http://example.org/>\n{lines}\nendDocument".encode())
    assert report.count(Severity.WARNING) == 250
    assert report.to_dict()["counts"]["warning"] == 250
    assert len(report.findings) == 101
    (rest,) = [finding for finding in report.findings if finding.occurrences > 1]
    assert rest.message.startswith("The times of 150 more events contradict their order")
    assert Finding.from_dict(rest.to_dict()) == rest
    assert "250 warnings" in render(report, "text")
    text = render(report, "text")
    assert "(250 times)" in text
    shown = text.count("\n  - ")
    assert f"… and {250 - shown} more" in text


def test_cycles_beyond_those_that_are_listed_are_named():
    lines = "entity(ex:e0)\n" + "\n".join(
        f"entity(ex:e{n})\nwasDerivedFrom(ex:e{n}, ex:e0)\nwasDerivedFrom(ex:e0, ex:e{n})" for n in range(1, 40)
    )
    report = validate(f"document\nprefix ex <http://example.org/>\n{lines}\nendDocument".encode())
    assert report.count(Severity.VIOLATION) == 20
    (rest,) = [finding for finding in report.findings if finding.severity is Severity.INFO]
    assert "20 are listed, and 78 derivations are on cycles here" in rest.message


def test_a_long_cycle_of_specializations_reports_its_length():
    lines = "\n".join(f"specializationOf(ex:e{n}, ex:e{(n + 1) % 30})" for n in range(30))
    report = validate(f"document\nprefix ex <http://example.org/>\n{lines}\nendDocument".encode())
    (message,) = [f.message for f in report.findings if f.rule == "prov-constraints:52"]
    assert message.endswith("and 18 more.")
