"""Projects of DVC: stages, tracked data, folders, imports, experiments, and the commits that recorded them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.archives import packed
from provrepo.importers.contents import content_of
from provrepo.importers.dvc.codec import collect
from provrepo.importers.dvc.codec import read as read_project
from provrepo.importers.parts import Part
from provrepo.importers.sources import files_of
from provrepo.model.document import Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DERIVATION,
    GENERATION,
    MEMBERSHIP,
    SPECIALIZATION,
    START,
    USAGE,
    Kind,
)
from provrepo.repository.repository import Repository
from provrepo.vocab import MLS, PROV_VALUE, RDFS_LABEL
from tests.importers.test_git import Clone

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

RAW, CLEAN, CODE = b"plot,ph\n1,6.5\n", b"plot,ph\n", b"print('clean')\n"


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def entry(path: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"path": path, "hash": "md5", "md5": md5(data), "size": len(data), **more}


PIPELINE: dict[str, Any] = {
    "vars": [{"out": "model.pkl"}],
    "stages": {
        "clean": {"cmd": "python clean.py", "deps": ["clean.py", "raw.csv"], "outs": ["clean.csv"]},
        "train": {
            "cmd": "python train.py ${train.alpha}",
            "deps": ["clean.csv"],
            "params": ["train.alpha"],
            "outs": ["${out}"],
            "metrics": [{"metrics.json": {"cache": False}}],
        },
    },
    "artifacts": {"yield": {"path": "model.pkl", "type": "model", "labels": ["ridge"]}},
}


def lock(alpha: float, model: bytes, metrics: bytes) -> dict[str, Any]:
    return {
        "schema": "2.0",
        "stages": {
            "clean": {
                "cmd": "python clean.py",
                "deps": [entry("clean.py", CODE), entry("raw.csv", RAW)],
                "outs": [entry("clean.csv", CLEAN)],
            },
            "train": {
                "cmd": f"python train.py {alpha}",
                "deps": [entry("clean.csv", CLEAN)],
                "params": {"params.yaml": {"train.alpha": alpha}},
                "outs": [entry("metrics.json", metrics), entry("model.pkl", model)],
            },
        },
    }


def text(value: Any) -> bytes:
    return json.dumps(value).encode()  # JSON is YAML


def document(folder: Path) -> Document:
    (found,) = collect(files_of(folder), folder)
    assert isinstance(found.part, Part)
    read = provrepo.read(found.part.data)
    assert read.format == "dvc"
    report = provrepo.validate(read, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)
    return read


def archive(**files: Any) -> Document:
    """A project of the given files, whose names have two underscores for a dot."""
    named = {name.replace("__", "."): data if isinstance(data, bytes) else text(data) for name, data in files.items()}
    return provrepo.read(packed("dvc", named))


def related(document: Document, kind: Kind) -> set[tuple[str, ...]]:
    """The labels of the first two arguments; identifiers of what has no label."""
    labels = {str(one.id): str(v) for one in document for name, v in one.attributes if one.id and name == RDFS_LABEL}
    return {tuple(labels.get(str(arg), str(arg)) for arg in one.args[:2]) for one in document if one.kind is kind}


def said(document: Document) -> str:
    return "\n".join(warning.message for warning in document.warnings)


FIRST, SECOND = b'{"r2": 0.7}', b'{"r2": 0.8, "of": {"plots": 3}}'


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A project with two states in Git, and an experiment."""
    clone = Clone(tmp_path / "clone")
    (clone.folder / ".gitignore").write_text("raw.csv\nclean.csv\nmodel.pkl\n")
    clone.commit(
        "first",
        dvc__yaml=text(PIPELINE),
        dvc__lock=text(lock(1.0, b"one", FIRST)),
        params__yaml=b"train: {alpha: 1.0}\n",
        raw__csv__dvc=text({"outs": [entry("raw.csv", RAW)]}),
        raw__csv=RAW,
        clean__csv=CLEAN,
        model__pkl=b"two",
        clean__py=CODE,
        metrics__json=FIRST,
    )
    clone.commit("second", dvc__lock=text(lock(5.0, b"two", SECOND)), metrics__json=SECOND)
    head = clone("rev-parse", "HEAD")
    clone.commit("dvc: commit experiment", dvc__lock=text(lock(9.0, b"nine", FIRST)))
    clone("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/e9", "HEAD")
    clone("update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")
    clone("reset", "-q", "--hard", head)
    return clone


@needs_git
def test_the_states_of_a_lock_are_runs_with_the_times_and_people_of_commits(clone: Clone) -> None:
    found = document(clone.folder)
    ends = {tuple(map(str, one.args)) for one in found if one.kind is ACTIVITY and "/run/" in str(one.id)}
    runs = [one for one in found if one.kind is ACTIVITY and "/run/" in str(one.id)]
    assert len(runs) == 4, "one clean, which three states have, and three of train"
    assert {end for _, end in ends} == {f"2026-11-20T10:0{minute}:00+01:00" for minute in (1, 2, 3)}
    assert related(found, USAGE) == {
        ("clean", "clean.py"),
        ("clean", "raw.csv"),
        ("train", "clean.csv"),
        ("train", "train.alpha"),
    }
    assert {("clean", "DVC"), ("clean", "Ana"), ("train", "Ana"), ("e9", "Ana")} <= related(found, ASSOCIATION)
    assert {("first", "clean"), ("first", "train"), ("second", "train")} <= related(found, COMMUNICATION)
    assert ("raw.csv", "Ana") in related(found, ATTRIBUTION)
    values = sorted(str(v) for one in found for name, v in one.attributes if name == PROV_VALUE)
    assert values == ["1.0", "5.0", "9.0"]
    # DVC keeps no metrics of the first state; Git has its file.
    metrics = sorted(str(v) for one in found for name, v in one.attributes if name == f"{MLS}hasValue")
    assert metrics == ["0.7", "0.7", "0.8", "3"]
    assert len([one for one in found if one.kind is START]) == 1
    assert said(found) == ""
    models = [one for one in found if any(str(v) == f"{MLS}Model" for _, v in one.attributes)]
    assert [("md5:" + md5(b"two")) in {str(v) for _, v in one.attributes} for one in models] == [True]


@needs_git
def test_what_is_there_has_every_hash_of_its_bytes(clone: Clone) -> None:
    found = document(clone.folder)
    contents = {(name, other) for name, other in related(found, SPECIALIZATION)}
    for name, data in (("raw.csv", RAW), ("clean.py", CODE), ("metrics.json", FIRST)):
        for algorithm in ("md5", "sha1", "sha256"):
            assert (name, content_of(algorithm, hashlib.new(algorithm, data).hexdigest())) in contents
    assert ("model.pkl", content_of("md5", md5(b"one"))) in contents
    assert ("model.pkl", content_of("sha256", hashlib.sha256(b"one").hexdigest())) not in contents, "it is not there"


@needs_git
def test_a_lock_that_is_not_committed_has_no_time(clone: Clone) -> None:
    (clone.folder / "dvc.lock").write_bytes(text(lock(7.0, b"seven", FIRST)))
    assert "dvc.lock is not committed as it is: 1 run (train)" in said(document(clone.folder))


def test_without_git_there_are_no_times(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_bytes(text(lock(1.0, b"one", FIRST)))
    found = document(tmp_path)
    assert {one.args for one in found if one.kind is ACTIVITY} == {(None, None)}
    assert "no times and no people" in said(found)
    assert related(found, ASSOCIATION) == {("clean", "DVC"), ("train", "DVC")}


def test_an_md5_of_an_old_version_names_no_content_unless_the_file_has_it(tmp_path: Path) -> None:
    outs = [{"path": name, "md5": md5(data)} for name, data in (("here.csv", RAW), ("gone.csv", b"x"))]
    (tmp_path / "here.csv").write_bytes(RAW)
    (tmp_path / "data.dvc").write_bytes(text({"outs": outs}))
    found = document(tmp_path)
    contents = {pair for pair in related(found, SPECIALIZATION) if "file/" not in pair[1]}
    named = {name for name, other in contents if other.startswith(("urn:", "ni:"))}
    assert named == {"here.csv"}
    assert "1 MD5 of a version of DVC before 3" in said(found)


def test_folders_are_collections_of_their_files(tmp_path: Path) -> None:
    listed = [{"relpath": "a.csv", "md5": md5(RAW)}, {"relpath": "../b", "md5": md5(CLEAN)}]
    name = f"{md5(text(listed))}.dir"
    place = tmp_path / ".dvc" / "cache" / "files" / "md5" / name[:2]
    place.mkdir(parents=True)
    (place / name[2:]).write_bytes(text(listed))
    (tmp_path / "parts.dvc").write_bytes(text({"outs": [{"path": "parts", "md5": name, "hash": "md5", "nfiles": 2}]}))
    other = {"path": "other", "md5": f"{'0' * 32}.dir", "hash": "md5"}
    stage = {"cmd": "x", "deps": [{"path": "parts", "md5": name, "hash": "md5"}], "outs": [other]}
    reader = {"cmd": "y", "deps": [entry("other/c.csv", RAW)], "outs": []}
    (tmp_path / "dvc.lock").write_bytes(text({"schema": "2.0", "stages": {"s": stage, "r": reader}}))
    found = document(tmp_path)
    assert related(found, MEMBERSHIP) == {("parts", "parts/a.csv"), ("other", "other/c.csv")}
    assert ("parts/a.csv", content_of("md5", md5(RAW))) in related(found, SPECIALIZATION)
    assert ("r", "other/c.csv") in related(found, USAGE)
    assert "/1/relpath: a path in the folder is needed" in said(found)
    assert "the files in 1 folder are not known" in said(found)


def test_imports_of_urls_and_repositories_are_activities() -> None:
    url = {"path": "https://ana:hush@lab.example/raw.csv", "etag": '"3f2a"', "size": 3}
    repo = {"path": "data/raw.csv", "repo": {"url": "https://lab.example/r.git", "rev_lock": "1" * 40}}
    found = archive(
        **{
            "a.dvc": {"frozen": True, "deps": [url], "outs": [entry("a", RAW)]},
            "b.dvc": {"deps": [repo], "outs": [entry("b", CLEAN)]},
            "c.dvc": {"deps": [{"path": "x", "repo": {"url": "u"}}], "outs": [entry("c", b"c")]},
        }
    )
    assert {("a", "https://lab.example/raw.csv"), ("b", "data/raw.csv")} <= related(found, DERIVATION)
    assert ("swh:1:rev:" + "1" * 40, "data/raw.csv") in related(found, MEMBERSHIP)
    assert {("a", "import a.dvc"), ("b", "import b.dvc")} <= related(found, GENERATION)
    assert "c.dvc/deps/0: a path and the commit (rev_lock) are needed" in said(found)
    assert b"hush" not in found.write("provn")


def test_stages_of_foreach_and_matrix_are_instances_with_replaced_templates() -> None:
    pipeline = {
        "stages": {
            "split": {"foreach": ["x", "y"], "do": {"cmd": "s ${item}", "metrics": [{"${item}/m.json": {}}]}},
            "build": {"foreach": {"uk": {"n": 3}}, "do": {"cmd": "b ${key} ${item.n}", "wdir": "w/${key}"}},
            "grid": {"matrix": {"a": [1, 2], "b": [{"c": 1}]}, "cmd": "g ${item.a} ${item.b.c} \\${kept}"},
            "odd": {"cmd": "o", "wdir": "${no.such}"},
            "from_file": {"foreach": "${sizes}", "do": {"cmd": "f"}},
        },
        "more": 1,
    }
    stages = {
        "split@x": {"cmd": "s x", "outs": [entry("x/m.json", FIRST)]},
        "build@uk": {"cmd": "b uk 3", "outs": [entry("model", RAW)]},
        "grid@1-b0": {"cmd": "g 1 1"},
    }
    found = archive(
        dvc__yaml=pipeline,
        params__yaml={"sizes": [1, 2]},
        dvc__lock={"schema": "2.0", "stages": stages},
        **{f".provrepo/objects/{md5(FIRST)}": FIRST},
    )
    plans = {pair for pair in related(found, SPECIALIZATION) if "@" in pair[0]}
    assert plans == {
        *((f"split@{item}", "split") for item in "xy"),
        ("build@uk", "build"),
        *((f"grid@{item}-b0", "grid") for item in "12"),
        *((f"from_file@{item}", "from_file") for item in "12"),
    }
    assert ("w/uk/model", "build@uk") in related(found, GENERATION)
    assert ("r2", "split@x") in related(found, GENERATION)
    assert "${no.such} is not known" in said(found)
    assert "dvc.yaml/more: no member of the specification" in said(found)
    assert "dvc.yaml/stages/from_file@1: dvc.lock has no such stage: it has not run yet (and 4 more)" in said(found)


def test_the_cache_of_runs_has_runs_that_no_lock_has(tmp_path: Path) -> None:
    stages = lock(1.0, b"one", FIRST)["stages"]
    (tmp_path / "dvc.lock").write_bytes(text({"schema": "2.0", "stages": stages}))
    place = tmp_path / ".dvc" / "cache" / "runs" / "ab" / ("ab" + "0" * 62)
    place.mkdir(parents=True)
    (place / ("1" * 64)).write_bytes(text(stages["train"]))
    (place / ("2" * 64)).write_bytes(text(lock(3.0, b"three", SECOND)["stages"]["train"]))
    (place / ("3" * 64)).write_bytes(b"[")
    found = document(tmp_path)
    assert ("model.pkl", "python train.py 3.0") in related(found, GENERATION)
    assert len([one for one in found if one.kind is ACTIVITY]) == 3
    assert "1 run of the cache of DVC alone" in said(found)
    assert "not YAML" in said(found)


def test_data_with_every_hash_joins_documents_of_three_tools(repository: Repository, tmp_path: Path) -> None:
    """DVC knows MD5, an attestation SHA-256, CWL SHA-1: the file that DVC saw has all of them."""
    (tmp_path / "clean.csv").write_bytes(CLEAN)
    (tmp_path / "dvc.lock").write_bytes(text(lock(1.0, b"one", FIRST)))
    subject = {"name": "clean.csv", "digest": {"sha256": hashlib.sha256(CLEAN).hexdigest()}}
    build = {
        "buildDefinition": {"buildType": "https://ci.example/t"},
        "runDetails": {"builder": {"id": "https://ci.example/r"}},
    }
    built = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicate": build}
    built["predicateType"] = "https://slsa.dev/provenance/v1"
    sha1 = f"urn:hash::sha1:{hashlib.sha1(CLEAN).hexdigest()}"
    cwl = f"""document
      prefix e <https://cwl.example/>
      entity(e:report) entity(e:input) activity(e:summarize, -, -)
      wasGeneratedBy(e:report, e:summarize, -) used(e:summarize, e:input, -)
      specializationOf(e:input, '{sha1}')
    endDocument""".replace(f"'{sha1}'", "h:" + sha1.rpartition(":")[2]).replace(
        "prefix e", "prefix h <urn:hash::sha1:>\n prefix e"
    )
    repository.import_documents(tmp_path, project="default", format="dvc")
    repository.import_documents(text(built), project="default")
    repository.submit(cwl.encode(), project="default", name="cwl", format="provn")
    iris = {str(node.iri) for node in repository.lineage("https://cwl.example/report").nodes}
    labels = {node.label for node in repository.lineage("https://cwl.example/report").nodes}
    assert {sha1, content_of("md5", md5(CLEAN)), content_of("sha256", hashlib.sha256(CLEAN).hexdigest())} <= iris
    assert {"clean", "raw.csv", "build", "https://ci.example/r"} <= labels
    down = {
        str(node.iri) for node in repository.lineage(str(content_of("md5", md5(RAW))), direction="downstream").nodes
    }
    assert "https://cwl.example/report" in down


@needs_git
def test_importing_again_stores_nothing_new(clone: Clone, repository: Repository) -> None:
    for created in (True, False):
        found = repository.import_documents(clone.folder)
        assert [(r.version.format, r.version.verdict, r.created) for r in found.receipts] == [
            ("dvc", "conforms", created)
        ]
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("files", "message", "violation"),
    [
        ({"dvc.lock": b"a: [1"}, "dvc.lock, line 1: not YAML", True),
        ({"dvc.lock": b"a: 1\na: 2"}, "dvc.lock, line 2: the key 'a' twice", True),
        ({"x.dvc": b"[1, 2]"}, "x.dvc: an object is needed", False),
        ({"dvc.lock": {"schema": "3.0", "stages": {}}}, "dvc.lock/schema: schema 3.0 is read as 2.0", False),
        (
            {"dvc.lock": {"stages": {"s": {"outs": [{"md5": "x"}]}}}},
            "dvc.lock/stages/s/outs/0/path: a path is needed",
            False,
        ),
        ({".provrepo/about.json": b"{", "x.dvc": {}}, ".provrepo/about.json: not read", True),
    ],
)
def test_what_is_not_understood_is_named(files: dict[str, Any], message: str, violation: bool) -> None:
    found = archive(**files)
    assert [warning.violation for warning in found.warnings if message in warning.message] == [violation]


def test_windows_paths_and_secrets() -> None:
    stage = {
        "cmd": "train --token hush-hush",
        "deps": [entry("data\\raw.csv", RAW), entry("C:\\lab\\x.csv", CLEAN)],
        "params": {"params.yaml": {"api_key": "hush-hush"}},
    }
    found = archive(dvc__lock={"schema": "2.0", "stages": {"s": stage}})
    assert {("s", "data/raw.csv"), ("s", "C:/lab/x.csv")} <= related(found, USAGE)
    assert b"hush-hush" not in found.write("provn")


def test_yaml_is_that_of_version_1_2() -> None:
    given = b"a: 1e-3\nb: no\nc: 0o17\nd: 017\ne: '1'\nf: &x {g: ~}\nh: {<<: *x, i: .inf}\n"
    assert parse_yaml(given, "dvc") == {
        **{"a": 0.001, "b": "no", "c": 15, "d": 17, "e": "1"},
        **{"f": {"g": None}, "h": {"g": None, "i": ".inf"}},
    }
    assert parse_yaml(b"", "dvc") is None


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"a: &a [" + b"x," * 999 + b"]\nb: &b [" + b"*a," * 999 + b"]\nc: [" + b"*b," * 999 + b"]",
        b"&a [*a]",
        b"{[1]: 2}",
        b"1\n---\n2",
        b"\xff",
        b"a: !!python/object/apply:os.system [x]\n\tb: 1",
    ],
)
def test_yaml_that_is_not_read(data: bytes) -> None:
    with pytest.raises(ReadError):
        parse_yaml(data, "dvc")


KEYS = [
    "stages",
    "s",
    "cmd",
    "deps",
    "outs",
    "path",
    "md5",
    "hash",
    "params",
    "repo",
    "foreach",
    "do",
    "matrix",
    "vars",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["a/b", "0" * 32, "${x.y}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["dvc.lock", "dvc.yaml", "x.dvc", ".provrepo/about.json", ".provrepo/runs/a"]), VALUES
    )
)
def test_any_json_makes_a_document_or_a_finding(files: dict[str, Any]) -> None:
    data = packed("dvc", {path: text(value) for path, value in files.items()})
    provrepo.validate(read_project(data, format="dvc", base=None))
