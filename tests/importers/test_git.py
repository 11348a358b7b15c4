"""Histories of Git repositories: commits, merges, renames, tags, pointers, and commands of DataLad."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError, UsageError
from provrepo.importers import git_program
from provrepo.importers.contents import content_of
from provrepo.importers.git import history as collecting
from provrepo.importers.git.codec import read as read_history
from provrepo.importers.git.history import history
from provrepo.importers.parts import Part, Skipped
from provrepo.model.document import Document
from provrepo.model.statements import (
    ACTIVITY,
    ASSOCIATION,
    COMMUNICATION,
    DERIVATION,
    GENERATION,
    INVALIDATION,
    MEMBERSHIP,
    SPECIALIZATION,
    USAGE,
    Kind,
)
from provrepo.repository.repository import Repository
from provrepo.vocab import DCTERMS, PROV_ROLE, RDFS_LABEL
from tests.support.command import Command

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

RAW = b"plot,ph\n1,6.5\n2,7.1\n"
EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


class Clone:
    """A repository that a test makes, with commits a minute apart."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.minute = folder, 0
        folder.mkdir()
        self("init", "-q", "-b", "main")

    def __call__(self, *words: str) -> str:
        time = f"2026-11-20T10:{self.minute:02}:00+0100"
        who = {"GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@lab.example", "GIT_AUTHOR_DATE": time}
        who |= {"GIT_COMMITTER_NAME": "Ben", "GIT_COMMITTER_EMAIL": "ben@lab.example", "GIT_COMMITTER_DATE": time}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        command = ["git", "-C", str(self.folder), *words]
        return subprocess.run(command, env=who | alone, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str = "work", **files: bytes | None) -> str:
        """Write or delete files, named with two underscores for a dot and three for a slash, and commit."""
        self.minute += 1
        for name, content in files.items():
            path = self.folder / name.replace("___", "/").replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def parts(clone: Clone, wanted: str | None = None) -> list[Part | Skipped]:
    return list(history(clone.folder, wanted))


def document(clone: Clone, wanted: str | None = None) -> Document:
    (part,) = parts(clone, wanted)
    assert isinstance(part, Part)
    found = provrepo.read(part.data)
    assert found.format == "git"
    report = provrepo.validate(found, profiles=["core"])
    assert (report.conforms, report.possible) == (True, True)
    return found


def short(name: object) -> str:
    """The name of a version of a file as its path and the beginning of its commit; others as they are."""
    found = str(name).removeprefix("https://w3id.org/provrepo/git/")
    if not found.startswith("commit/"):
        return found
    _, commit, *rest = found.split("/")
    return "/".join([*rest[1:], commit[:7]] if rest[:1] == ["file"] else [commit, *rest])


def related(document: Document, kind: Kind) -> set[tuple[str, str]]:
    """The first two arguments of relations of a kind."""
    return {(short(one.args[0]), short(one.args[1])) for one in document if one.kind is kind}


def files(document: Document, kind: Kind) -> set[tuple[str, str]]:
    """The same, of versions of files alone."""
    return {pair for pair in related(document, kind) if not any(name.startswith("swh:1:rev:") for name in pair)}


def v(path: str, commit: str) -> str:
    return f"{path}/{commit[:7]}"


def test_commits_make_versions_of_files(clone: Clone) -> None:
    one = clone.commit("add data\n\nmeasured in May\n\nCo-authored-by: Cleo <cleo@lab.example>", raw__csv=RAW)
    two = clone.commit("one more plot", raw__csv=RAW + b"3,6.0\n", empty__txt=b"")
    three = clone.commit("away", raw__csv=None)
    found = document(clone)
    assert files(found, GENERATION) == {(v("raw.csv", one), one), (v("raw.csv", two), two), (v("empty.txt", two), two)}
    assert files(found, DERIVATION) - {pair for pair in files(found, DERIVATION) if pair[0].startswith("import/")} == {
        (v("raw.csv", two), v("raw.csv", one))
    }
    assert related(found, INVALIDATION) == {(v("raw.csv", two), three)}
    assert {pair for pair in related(found, DERIVATION) if pair[0].startswith("swh:")} == {
        (f"swh:1:rev:{two}", f"swh:1:rev:{one}"),
        (f"swh:1:rev:{three}", f"swh:1:rev:{two}"),
    }
    assert (f"swh:1:rev:{two}", v("raw.csv", two)) in related(found, MEMBERSHIP)
    # The repository has the bytes, so that the file is a specialization of its content under each hash.
    blob = clone("rev-parse", f"{one}:raw.csv")
    expected = {content_of("gitBlob", blob)}
    expected |= {content_of(name, hashlib.new(name, RAW).hexdigest()) for name in ("md5", "sha1", "sha256")}
    general = {other for name, other in related(found, SPECIALIZATION) if name == v("raw.csv", one)}
    assert general == expected | {f"repository/{one}/file/raw.csv"}
    # Empty files have nothing in common.
    assert {other for name, other in related(found, SPECIALIZATION) if name == v("empty.txt", two)} == {
        f"repository/{one}/file/empty.txt"
    }
    assert related(found, ASSOCIATION) >= {(one, f"mailto:{who}@lab.example") for who in ("ana", "ben", "cleo")}
    times = {short(each.id): each.args for each in found if each.kind is ACTIVITY}
    assert times[one] == ("2026-11-20T10:01:00+01:00", "2026-11-20T10:01:00+01:00")
    texts = {(str(name), str(value)) for each in found if each.kind is ACTIVITY for name, value in each.attributes}
    assert (RDFS_LABEL, "add data") in texts
    assert any(name == f"{DCTERMS}description" and "measured in May" in value for name, value in texts)
    assert found.warnings == []


def test_renames_and_copies_come_from_the_other_path(clone: Clone) -> None:
    one = clone.commit(data___raw__csv=RAW * 20, other__csv=b"x\n" * 50)
    two = clone.commit(
        data___raw__csv=None, moved__csv=RAW * 20 + b"3,6.0\n", other__csv=b"x\n" * 51, copy__csv=b"x\n" * 50
    )
    found = document(clone)
    assert files(found, DERIVATION) >= {
        (v("moved.csv", two), v("data/raw.csv", one)),
        (v("copy.csv", two), v("other.csv", one)),
        (v("other.csv", two), v("other.csv", one)),
    }
    assert related(found, INVALIDATION) == {(v("data/raw.csv", one), two)}


def test_a_merge_makes_only_what_differs_from_both_parents(clone: Clone) -> None:
    base = clone.commit(a=b"1\n2\n3\n4\n5\n6\n7\n8\n9\n", b=b"b", gone=b"g")
    clone("checkout", "-q", "-b", "side")
    side = clone.commit(a=b"1\n2\n3\n4\n5\n6\n7\n8\nnine\n", b=b"bb", gone=None)
    clone("checkout", "-q", "main")
    main = clone.commit(a=b"one\n2\n3\n4\n5\n6\n7\n8\n9\n", c=b"c")
    clone.minute += 1
    clone("merge", "-q", "--no-edit", "side")
    merge = clone("rev-parse", "HEAD")
    after = clone.commit(b=b"bbb", c=b"cc", a=b"new")
    found = document(clone)
    assert {pair for pair in files(found, GENERATION) if pair[1] == merge} == {(v("a", merge), merge)}
    assert files(found, DERIVATION) >= {
        (v("a", merge), v("a", main)),
        (v("a", merge), v("a", side)),
        # What a parent of the merge had comes from the commit of that parent.
        (v("b", after), v("b", side)),
        (v("c", after), v("c", main)),
        (v("a", after), v("a", merge)),
    }
    assert related(found, INVALIDATION) == {(v("gone", base), side)}
    assert (f"swh:1:rev:{merge}", f"swh:1:rev:{side}") in related(found, DERIVATION)
    assert (f"swh:1:rev:{merge}", f"swh:1:rev:{main}") in related(found, DERIVATION)


def test_a_range_names_earlier_versions_by_their_content(clone: Clone) -> None:
    one = clone.commit(a=b"1", b=b"2")
    two = clone.commit(a=b"11")
    three = clone.commit(a=b"111")
    blob = clone("rev-parse", f"{one}:a")
    found = document(clone, f"{one}..")
    assert files(found, DERIVATION) >= {(v("a", two), f"content/{blob}/file/a"), (v("a", three), v("a", two))}
    assert ["1 version of files were made" in warning.message for warning in found.warnings] == [True]
    (part,) = parts(clone, "HEAD~1")
    assert json.loads(part.data)["commits"][-1]["id"] == two  # type: ignore[union-attr]
    assert parts(clone, "HEAD..HEAD") == [Skipped("HEAD..HEAD", "there are no commits in this range")]
    for wrong in ("nothing", "a..b", "HEAD...HEAD~1", "--output=/tmp/x", "-n1"):
        with pytest.raises(ReadError, match=r"range|no commit"):
            parts(clone, wrong)


def test_tags_name_revisions(clone: Clone) -> None:
    one = clone.commit(a=b"1")
    clone("tag", "plain")
    clone("tag", "-a", "v1.0", "-m", "first release")
    clone("tag", "of-a-file", clone("rev-parse", "HEAD:a"))
    found = document(clone)
    tags = {pair for pair in related(found, DERIVATION) if "/tag/" in pair[0]}
    assert tags == {(f"repository/{one}/tag/{name}/{one}", f"swh:1:rev:{one}") for name in ("plain", "v1.0")}
    texts = [str(value) for each in found for _, value in each.attributes]
    assert "first release" in texts


def pointer(oid: str, more: str = "") -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\n{more}oid sha256:{oid}\nsize 10609\n".encode()


def test_pointers_stand_for_the_content_that_they_name(clone: Clone) -> None:
    sha, md5 = hashlib.sha256(RAW).hexdigest(), hashlib.md5(RAW).hexdigest()
    folder = clone.folder / "annexed"
    folder.mkdir()
    for name, key in {
        "locked": f"SHA256E-s20--{sha}.csv",
        "md5": f"MD5-s20--{md5}",
        "worm": "WORM-s20-m1790000000--raw.csv",
        "url": "URL--http&c%%lab.example%raw.csv",
        "chunk": f"SHA256-s20-S10-C1--{sha}",
    }.items():
        (folder / name).symlink_to(f"../.git/annex/objects/Xx/Yy/{key}/{key}")
    (folder / "link").symlink_to("../other")
    (folder / "unlocked").write_text(f"/annex/objects/SHA256E-s20--{sha}.csv\n")
    commit = clone.commit(large__csv=pointer(sha), filtered=pointer("a" * 64, f"ext-0-case sha256:{sha}\n"), other=b"x")
    found = document(clone)
    contents = {
        name.partition("/")[2].rpartition("/")[0] or name.partition("/")[0]: other
        for name, other in related(found, SPECIALIZATION)
        if not other.startswith("repository/")
    }
    of_sha, of_md5 = content_of("sha256", sha), content_of("md5", md5)
    assert {path: content for path, content in contents.items() if path != "other"} == {
        "locked": of_sha,
        "md5": of_md5,
        "unlocked": of_sha,
        "large.csv": of_sha,
        "filtered": of_sha,
    }
    said = [warning.message for warning in found.warnings]
    assert len(said) == 3, "keys that are no hashes"
    assert any("URL--http://lab.example/raw.csv, which is no hash of it" in text for text in said)
    assert commit


def ran(**record: Any) -> str:
    whole = {"chain": [], "cmd": "clean", "dsid": "d", "exit": 0, "extra_inputs": [], "inputs": [], "outputs": []}
    text = json.dumps(whole | {"pwd": "."} | record, indent=1)
    before, after = "=== Do not change lines below ===", "^^^ Do not change lines above ^^^"
    return f"[DATALAD RUNCMD] clean the data\n\n{before}\n{text}\n{after}\n"


def test_commands_of_datalad_used_inputs_and_made_the_files_of_the_commit(clone: Clone) -> None:
    one = clone.commit(data___raw__csv=RAW, data___more__csv=b"2", code___clean__py=b"pass")
    two = clone.commit(
        ran(
            cmd=["python", "../code/clean.py"],
            pwd="data",
            inputs=["*.csv", "../../elsewhere"],
            extra_inputs=["../code"],
        ),
        out__csv=b"clean",
    )
    three = clone.commit(ran(exit=3, inputs=["none.csv"], chain=[two]), out__csv=b"half")
    found = document(clone)
    run = f"{two}/run"
    assert related(found, USAGE) == {
        (run, v("data/raw.csv", one)),
        (run, v("data/more.csv", one)),
        (run, v("code/clean.py", one)),
    }
    made = files(found, GENERATION)
    assert (v("out.csv", two), run) in made
    assert (v("out.csv", three), three) in made, "a command that failed made nothing; the commit has the file"
    assert related(found, COMMUNICATION) == {(two, run), (three, f"{three}/run")}
    plans = {(short(one.args[0]), short(one.args[2])) for one in found if one.kind is ASSOCIATION and one.args[2]}
    assert plans == {(run, f"{two}/command"), (f"{three}/run", f"{three}/command")}
    said = " ".join(warning.message for warning in found.warnings)
    assert "../../elsewhere is outside of the repository" in said
    assert "/inputs/none.csv: no file of the commit before has this path" in said


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not JSON"),
        ('"3f2a"', "is in the file .datalad/runinfo/3f2a"),
        ("[1]", "no JSON object"),
    ],
)
def test_other_records_of_datalad_are_named(clone: Clone, record: str, message: str) -> None:
    text = f"run\n\n=== Do not change lines below ===\n{record}\n^^^ Do not change lines above ^^^"
    clone.commit(text, a=b"1")
    (warning,) = document(clone).warnings
    assert message in warning.message
    assert warning.message.startswith("/commits/0/message")


def test_a_large_history_is_several_documents(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_COMMITS", 2)
    commits = [clone.commit(a=bytes(str(number), "ascii")) for number in range(5)]
    found = parts(clone)
    root = commits[0][:12]
    assert [part.name for part in found if isinstance(part, Part)] == [
        f"git-{root}",
        f"git-{root}-{commits[2][:12]}",
        f"git-{root}-{commits[4][:12]}",
    ]
    third = provrepo.read(found[2].data)  # type: ignore[union-attr]
    assert (v("a", commits[4]), v("a", commits[3])) in files(third, DERIVATION)
    assert third.warnings == []
    monkeypatch.setattr(collecting, "GIT_COMMITS", 2)
    *_, last = parts(clone)
    assert isinstance(last, Skipped)
    assert "only the newest 2 commits" in last.reason


def test_contents_beyond_the_limit_have_the_hash_of_git_alone(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "_LARGE", 3)
    clone.commit(a=b"12345", b=b"1")
    part, told = parts(clone)
    assert isinstance(part, Part)
    assert isinstance(told, Skipped)
    assert told.place == "the digests of 1 content"
    assert len(json.loads(part.data)["digests"]) == 1


def test_shallow_and_partial_clones_say_what_they_have_not(clone: Clone, tmp_path: Path) -> None:
    clone.commit(a=b"1", b=b"2")
    clone.commit(a=b"11")
    clone("config", "uploadpack.allowFilter", "true")
    source = f"file://{clone.folder}"
    subprocess.run(["git", "clone", "-q", "--depth=1", source, str(tmp_path / "shallow")], check=True)
    clone.folder = tmp_path / "shallow"
    found = document(clone)
    assert files(found, GENERATION) == set(), "who made these files is not known"
    assert ["this clone is shallow" in warning.message for warning in found.warnings] == [True]
    subprocess.run(["git", "clone", "-q", "-n", "--filter=blob:none", source, str(tmp_path / "partial")], check=True)
    clone.folder = tmp_path / "partial"
    before = sorted((clone.folder / ".git" / "objects").rglob("*"))
    found = document(clone)
    assert len(files(found, GENERATION)) == 3
    assert ["this clone is partial" in warning.message for warning in found.warnings] == [True]
    assert sorted((clone.folder / ".git" / "objects").rglob("*")) == before, "nothing was fetched"


HOSTILE = """
[core]
    fsmonitor = touch {mark}
    hooksPath = hooks
    pager = touch {mark}
    sshCommand = touch {mark}
    alternateRefsCommand = touch {mark}
    editor = touch {mark}
[diff]
    external = touch {mark}
[diff "evil"]
    textconv = touch {mark}
    command = touch {mark}
[filter "evil"]
    smudge = touch {mark}
    clean = touch {mark}
[credential]
    helper = !touch {mark}
[gpg]
    program = touch {mark}
[log]
    showSignature = true
[protocol "ext"]
    allow = always
[alias]
    rev-list = !touch {mark}
[remote "origin"]
    url = ext::sh -c touch% {mark}
    promisor = true
    uploadpack = touch {mark}
[extensions]
    partialClone = origin
"""


def test_a_hostile_repository_starts_nothing(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.commit(a=b"1" * 100, __gitattributes=b"* diff=evil filter=evil\n")
    clone.commit(a=b"1" * 101)
    mark = tmp_path / "mark"
    blob = clone("rev-parse", "HEAD:a")
    (clone.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    hooks = clone.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / name).chmod(0o755)
    with (clone.folder / ".git" / "config").open("a") as file:
        file.write(HOSTILE.format(mark=mark))
    found = parts(clone)
    assert isinstance(found[0], Part)
    # The configuration says that contents are elsewhere. Where they are asked for all the same, nothing is started.
    monkeypatch.setattr(collecting, "_partial", lambda _: False)
    with suppress(ReadError):
        parts(clone)
    assert not mark.exists()


def test_replaced_objects_and_grafts_are_not_read(clone: Clone) -> None:
    one, two = clone.commit(a=b"1"), clone.commit(a=b"2")
    clone("replace", two, one)
    (clone.folder / ".git" / "info" / "grafts").write_text(f"{two}\n")
    assert (f"swh:1:rev:{two}", f"swh:1:rev:{one}") in related(document(clone), DERIVATION)


def test_what_git_cannot_read_is_an_error(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReadError, match=r"git cannot read .*not a git repository"):
        list(history(tmp_path, None))
    with pytest.raises(ReadError, match="HEAD is no commit"):
        parts(clone)
    commit = clone.commit(a=b"1")
    (clone.folder / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    with pytest.raises(ReadError):
        parts(clone)
    monkeypatch.setattr(git_program.shutil, "which", lambda _: None)
    with pytest.raises(ReadError, match="the program git, which is not found"):
        parts(clone)


def test_git_is_stopped_at_its_limits(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.commit(a=b"1")
    monkeypatch.setattr(git_program, "GIT_BYTES", 10)
    with pytest.raises(ReadError, match="prints more than 10 bytes"):
        parts(clone)
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(git_program.shutil, "which", lambda _: str(slow))
    monkeypatch.setattr(git_program, "GIT_SECONDS", 0.2)
    with pytest.raises(ReadError, match=r"did not end within 0\.2 seconds"):
        parts(clone)


def test_unusual_commits_are_read(clone: Clone) -> None:
    text = "Grüße \U0001f33e password=hush-hush"
    clone.commit(text, **{"weird__name": b"1"})
    (clone.folder / b"sm\xff\tx\n".decode("utf-8", "surrogateescape")).write_bytes(b"2")
    clone.commit("x")
    tree = clone("rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nauthor <> 99999999999999 +9999\ncommitter Eve <eve> 1790000000 -0000\nencoding nonsense\n\nm"
    command = ["git", "-C", str(clone.folder), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"]
    odd = subprocess.run(command, input=raw.encode(), check=True, capture_output=True).stdout.decode().strip()
    clone("reset", "-q", "--soft", odd)
    found = document(clone)
    assert ["no time that can be written" in warning.message for warning in found.warnings] == [True]
    times = [each.args for each in found if each.kind is ACTIVITY]
    assert times == [("2026-09-21T14:13:20+00:00", "2026-09-21T14:13:20+00:00")]
    clone("reset", "-q", "--soft", clone("rev-parse", "ORIG_HEAD"))
    data = document(clone).write("provn")
    assert b"hush-hush" not in data
    assert "Grüße" in data.decode()


def test_the_same_history_gives_the_same_bytes(clone: Clone, tmp_path: Path) -> None:
    clone.commit(a=b"1")
    clone.commit(a=b"2")
    first = parts(clone)
    subprocess.run(["git", "clone", "-q", "--bare", str(clone.folder), str(tmp_path / "bare")], check=True)
    clone.folder = tmp_path / "bare"
    again = parts(clone)
    assert [part[:2] for part in first] == [part[:2] for part in again]


def test_a_lineage_leads_from_a_tag_through_commands_to_the_data(clone: Clone, repository: Repository) -> None:
    clone.commit(raw__csv=RAW)
    clone.commit(ran(inputs=["raw.csv"]), out__csv=b"clean")
    clone("tag", "v1")
    found = repository.import_documents(clone.folder, format="git")
    assert [receipt.version.verdict for receipt in found.receipts] == ["conforms"]
    content = content_of("sha256", hashlib.sha256(b"clean").hexdigest())
    assert content is not None
    assert {"out.csv", "clean the data", "raw.csv"} <= {node.label for node in repository.lineage(content).nodes}
    again = repository.import_documents(clone.folder, format="git")
    assert [receipt.created for receipt in again.receipts] == [False]


def test_the_command_line_reads_a_history_where_it_is_asked_to(clone: Clone, tmp_path: Path) -> None:
    one = clone.commit(run__provn=b"document\nprefix e <http://e/>\nentity(e:x)\nendDocument")
    clone.commit(a__txt=b"1")
    command = Command(tmp_path / "data")
    # A text in the folder is no record, so that the import as a whole is not successful.
    told = command("import", str(clone.folder), code=1).stderr
    assert f"`provrepo import {clone.folder} --from git` does that" in told
    assert [line.split()[0] for line in command("list", "default").stdout.splitlines()[1:]] == ["default/run"]
    named = command("import", str(clone.folder), "--from", "git", "--range", "HEAD~1..HEAD", "--name", "lab")
    assert f"lab-git-{one[:12]}-" in named.stdout
    assert "needs a folder and --from git" in command.error("import", str(clone.folder), "--range", "HEAD", code=2)
    assert "not followed" in command.error("import", str(clone.folder), "--from", "git", "--follow", code=2)


def test_a_range_of_what_has_no_history_is_refused(repository: Repository, tmp_path: Path) -> None:
    for source, format_ in ((tmp_path, None), (b"{}", "git"), (tmp_path, "openlineage")):
        with pytest.raises(UsageError, match="--from git"):
            repository.import_documents(source, format=format_, range="a..b")


COMMIT: dict[str, Any] = {
    "id": "1" * 40,
    "parents": [],
    "author": "Ana <ana@lab.example> 1790000000 +0200",
    "committer": "Ana <ana@lab.example> 1790000000 +0200",
    "message": "m",
    "changes": [{"kind": "A", "path": "a", "mode": "100644", "content": "2" * 40}],
}


def given_history(*commits: Any, **more: Any) -> bytes:
    return json.dumps({"gitHistory": 1, "commits": list(commits), **more}).encode()


@pytest.mark.parametrize(
    ("commit", "message", "violation"),
    [
        (COMMIT | {"id": "x"}, "/commits/0/id: the hash of a commit is needed", True),
        (COMMIT | {"author": 7}, "/commits/0/author: a text is needed", False),
        (COMMIT | {"parents": ["x"]}, "/commits/0/parents/0: no hash", False),
        (COMMIT | {"changes": [{"kind": "A"}]}, "/commits/0/changes/0: the path and the hash", False),
        (COMMIT | {"more": 1}, "/commits/0/more: no member", False),
        (7, "/commits/0: an object is needed", False),
    ],
)
def test_what_is_no_commit_is_named(commit: Any, message: str, violation: bool) -> None:
    found = provrepo.read(given_history(commit))
    said = [warning for warning in found.warnings if message in warning.message]
    assert [warning.violation for warning in said] == [violation]


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"gitHistory": 2, "commits": []}', b"{", b'{"gitHistory": 1} 7'])
def test_other_json_is_no_history(data: bytes) -> None:
    with pytest.raises(ReadError):
        provrepo.read(data, format="git")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["1" * 40, "120000", "a/../b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*COMMIT, "path", "content", "sources", "inputs", "name", "commit"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["commits", "digests", "pointers", "tags", "root", "range", "x"]), VALUES))
def test_any_json_makes_a_document_or_a_finding(found: dict[str, Any]) -> None:
    found = {"gitHistory": 1, "commits": [COMMIT | found, found]} | found
    document = read_history(json.dumps(found).encode(), format="git", base=None)
    provrepo.validate(document)


def test_the_order_of_the_commits_makes_no_difference() -> None:
    other = COMMIT | {"id": "3" * 40, "parents": ["1" * 40]}
    one, two = (provrepo.read(given_history(*order)) for order in ((COMMIT, other), (other, COMMIT)))
    difference = provrepo.compare(one, two).difference
    assert "import" in str(difference) or not difference
    roles = {str(value) for each in one for name, value in each.attributes if name == PROV_ROLE}
    assert roles == {"author", "committer"}


def test_a_content_of_git_is_none_for_an_empty_file() -> None:
    assert content_of("gitBlob", EMPTY_BLOB) is None
    assert content_of("gitBlob", "1" * 40) == "swh:1:cnt:" + "1" * 40
