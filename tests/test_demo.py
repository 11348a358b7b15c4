"""``provrepo demo`` and the examples it runs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import provrepo
from provrepo.cli.demo import MARKER
from provrepo.resources import root
from tests.support.command import environment
from tests.support.command import provrepo as run

EXAMPLES = root() / "examples"


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the output of the example's scripts."""
    work = tmp_path_factory.mktemp("work")
    for script, *arguments in (
        ("pipeline.py", "--alpha", "1"),
        ("pipeline.py", "--alpha", "10"),
        ("annotate.py",),
        ("publish.py",),
        ("monthly.py",),
    ):
        recorded = script == "pipeline.py"
        alone = [] if recorded else ["-I", "-c", _ISOLATED]
        command = [sys.executable, "-B", *alone, str(EXAMPLES / "crops" / script), str(work), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment())
    return work


# Without site-packages: writing PROV by hand needs the standard library only.
_ISOLATED = """
import runpy, sys
sys.argv = sys.argv[1:]
sys.path[:] = [p for p in sys.path if "site-packages" not in p]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_pipeline_computes_what_it_says(worked: Path) -> None:
    runs = sorted(worked.glob("runs/*/metrics.json"))
    assert len(runs) == 2
    for metrics in runs:
        assert 0.6 < json.loads(metrics.read_text())["r2"] < 1
    cleaned = {hashlib.sha1(path.read_bytes()).hexdigest() for path in worked.glob("runs/*/clean.csv")}
    # The same content as in the run of the same analysis with cwltool, by other code.
    assert cleaned == {"22d219ab5fa5972d5d8a46e21cb4a725de48fadf"}
    assert "22d219ab5fa5972d5d8a46e21cb4a725de48fadf" in (EXAMPLES / "cwltool/primary.cwlprov.provn").read_text()


def test_every_script_writes_its_own_format(worked: Path) -> None:
    written = {
        "turtle": next(worked.glob("runs/*/run.ttl")),
        "provn": worked / "annotate.provn",
        "provxml": worked / "publish.provx",
        "trig": worked / "monthly.trig",
    }
    for name, path in written.items():
        document = provrepo.read(path)
        assert document.format == name
        assert len(document) > 5
        assert len(document.unmapped) == 0
        assert document.warnings == []
        report = provrepo.validate(document, profiles=["core"])
        assert report.conforms, report.findings
    assert len(provrepo.read(worked / "monthly.trig").bundles) == 1


def test_what_steps_record_needs_nothing_added(worked: Path) -> None:
    for path in worked.glob("runs/*/run.ttl"):
        report = provrepo.validate(provrepo.read(path), profiles=["pipeline"])
        assert report.findings == ()


def test_a_pipeline_that_is_not_recorded_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-B", str(EXAMPLES / "crops" / "pipeline.py"), str(tmp_path)]
    ran = subprocess.run(command, env=environment(PROVREPO_CAPTURE="off"), capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "nothing was recorded: PROVREPO_CAPTURE says off\n"


def test_checksums_in_the_documents_are_those_of_the_files(worked: Path) -> None:
    for path, document in (
        (next(worked.glob("runs/*/clean.csv")), next(worked.glob("runs/*/run.ttl"))),
        (worked / "labels.csv", worked / "annotate.provn"),
        (worked / "report.md", worked / "publish.provx"),
        (worked / "monthly.csv", worked / "monthly.trig"),
    ):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in document.read_text("utf-8")


def test_the_incomplete_example_fails() -> None:
    report = provrepo.validate(provrepo.read(EXAMPLES / "incomplete.ttl"), profiles=["core"])
    assert not report.conforms
    assert any("mystery.csv" in f"{finding.focus} {finding.value} {finding.message}" for finding in report.findings)


def test_the_demo_does_the_main_job_and_starts_afresh(tmp_path: Path) -> None:
    first = run("demo", "--no-serve", cwd=tmp_path)
    text = first.stdout.decode()
    assert first.returncode == 0, text + first.stderr.decode()
    assert first.stderr == b""
    assert "FAILED" not in text
    assert text.count("   ok: ") >= 10
    assert "Ana Example" in text
    assert "mystery.csv" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == [".demo"]

    (tmp_path / ".demo" / "left-over").touch()
    second = run("demo", "--no-serve", cwd=tmp_path)
    assert second.returncode == 0
    assert not (tmp_path / ".demo" / "left-over").exists()
    listed = run("--data", ".demo/data", "list", "crops", "--output", "json", cwd=tmp_path)
    formats = {document["current"]["format"] for document in json.loads(listed.stdout)}
    assert formats >= {"turtle", "provn", "provxml", "trig", "provjson", "ntriples"}


def test_the_demo_deletes_only_its_own_files(tmp_path: Path) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".demo" / "thesis.tex").write_text("years of work")
    refused = run("demo", "--no-serve", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(b"error: .demo exists and was not made by the demo")
    assert (tmp_path / ".demo" / "thesis.tex").read_text() == "years of work"
    assert not (tmp_path / ".demo" / MARKER).exists()


def test_the_demo_serves_on_the_next_free_port(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "provrepo", "demo"],
            cwd=tmp_path,
            env=environment(PROVREPO_PORT=str(port)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        line = next(line for line in process.stderr if "http://" in line)
        url = next(word for word in line.split() if word.startswith("http://"))
        assert f":{port}/" not in url
        with urllib.request.urlopen(f"{url}projects/crops/documents") as answer:
            assert answer.status == 200
        process.terminate()
        process.stderr.read()
        assert process.wait(timeout=60) == 0
        process.stderr.close()
