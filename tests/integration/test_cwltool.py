"""cwltool runs a workflow with --provenance, and runcrate makes a crate of it: both are read, and have one raw.csv."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

import provrepo
from provrepo.importers.contents import content_of
from provrepo.repository.queries.named import by_name
from provrepo.repository.repository import Repository
from tests.integration.environments import NotHere, python, run

CWLTOOL = ["cwltool==3.3.20260925135507"]
RUNCRATE = ["runcrate==0.5.0", "lxml==6.1.3"]  # prov reads PROV-XML with lxml

RAW = "ph,yield\n6.5,3\n,4\n7.0,5\n"
CLEAN = "import sys\nlines = open(sys.argv[1]).read().split()\nopen('clean.csv', 'w').write('\\n'.join(lines[:2]))\n"
TRAIN = "import sys\nopen('model.txt', 'w').write(str(float(sys.argv[2]) * len(open(sys.argv[1]).read())))\n"
TOOL = """cwlVersion: v1.2
class: CommandLineTool
baseCommand: {python}
inputs:
  script: {{type: File, inputBinding: {{position: 1}}}}
  data: {{type: File, inputBinding: {{position: 2}}}}
  rate: {{type: float?, inputBinding: {{position: 3}}}}
outputs:
  made: {{type: File, outputBinding: {{glob: {made}}}}}
"""
WORKFLOW = """cwlVersion: v1.2
class: Workflow
inputs: {raw: File, clean_script: File, train_script: File, rate: float}
outputs:
  model: {type: File, outputSource: train/made}
steps:
  clean: {run: clean.cwl, in: {script: clean_script, data: raw}, out: [made]}
  train: {run: train.cwl, in: {script: train_script, data: clean/made, rate: rate}, out: [made]}
"""
JOB = """raw: {class: File, path: raw.csv}
clean_script: {class: File, path: clean.py}
train_script: {class: File, path: train.py}
rate: 0.5
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the research object ``ro`` and the crate ``crate``."""
    try:
        cwltool, runcrate = python("cwltool", CWLTOOL), python("runcrate", RUNCRATE)
    except NotHere as error:
        pytest.skip(f"cwltool cannot be installed: {error}")
    folder = tmp_path_factory.mktemp("cwl")
    files = {"raw.csv": RAW, "clean.py": CLEAN, "train.py": TRAIN, "wf.cwl": WORKFLOW, "job.yml": JOB}
    for name, made in (("clean", "clean.csv"), ("train", "model.txt")):
        files[f"{name}.cwl"] = TOOL.format(python=sys.executable, made=made)
    for name, text in files.items():
        (folder / name).write_text(text)
    options = ["--outdir", folder / "out", "--provenance", folder / "ro", "--full-name", "Ana Example"]
    orcid = ["--orcid", "https://orcid.org/0000-0002-1825-0097"]
    done = run([cwltool.parent / "cwltool", *options, *orcid, folder / "wf.cwl", folder / "job.yml"])
    assert done.returncode == 0, done.stderr
    done = run([runcrate.parent / "runcrate", "convert", folder / "ro", "-o", folder / "crate"])
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def repository(tmp_path: Path, work: Path) -> Repository:
    opened = provrepo.open(tmp_path / "data")
    for name in ("ro", "crate"):
        found = opened.import_documents(work / name, project="default", name=name, profiles=["core"])
        assert found.skipped == ()
        assert len(found.receipts) == 1
    return opened


def test_both_are_read(repository: Repository) -> None:
    assert {repository.version("default", info.name).format for info in repository.documents("default")} == {
        "cwlprov",
        "rocrate",
    }
    for info in repository.documents("default"):
        report = repository.report("default", info.name)
        assert (report.conforms, report.possible) == (True, True)


def test_one_content_of_raw_csv_leads_to_the_model_in_both(repository: Repository) -> None:
    digests = {name: hashlib.new(name, RAW.encode()).hexdigest() for name in ("md5", "sha1", "sha256")}
    for algorithm, digest in digests.items():
        content = content_of(algorithm, digest)
        rows = repository.query(f"SELECT ?e {{ ?e prov:specializationOf <{content}> }}", project="default").rows
        assert len(rows) >= 2, "versions of both documents"
        labels = [node.label for node in repository.lineage(str(content), direction="downstream").nodes]
        assert labels.count("model.txt") >= 2


def test_the_questions_are_answered_alike(repository: Repository) -> None:
    rows = repository.query(by_name("workflow-duration").bind({}), project="default").rows
    assert len(rows) == 2
    assert len({str(row["label"]) for row in rows}) == 1
    rows = repository.query(by_name("outcomes").bind({}), project="default").rows
    assert len(rows) >= 6
