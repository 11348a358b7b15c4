"""Each command gives the same output, messages and exit code on a directory and on a server over it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import provrepo
from provrepo.cli.main import cli
from tests.support.distance import EX, INVALID, NEXT, RUN, Pair, filled, pair, started
from tests.support.lying import lying, response
from tests.support.sampling import FULL

RESULTS = ("json", "csv", "tsv", "xml")
DRAWN = ("json", "svg", "turtle", "provn", "trig", "provjson")
LABELS = "SELECT ?s ?l { ?s a prov:Entity OPTIONAL { ?s rdfs:label ?l } } ORDER BY ?s ?l"

READS: list[tuple[str, ...]] = [
    ("peers", "list"),
    ("peers", "show", "far"),
    ("peers", "show", "far", "--output", "json"),
    ("pushes", "list"),
    ("pushes", "list", "crops"),
    ("notices", "list"),
    ("notices", "list", "crops/run", "--direction", "sent"),
    ("notices", "holders", "list"),
    ("notices", "holders", "list", "crops", "--output", "json"),
    ("list",),
    ("list", "--withdrawn", "--output", "json"),
    ("list", "empty"),
    ("history", "crops/run"),
    ("history", "crops/gone", "--output", "json"),
    ("history", "crops/gone"),
    ("receipt", "crops/run@1"),
    ("log", "show", "crops"),
    ("log", "keys", "crops"),
    ("export", "crops/run"),
    ("export", "crops/run@1", "--original"),
    ("export", "crops/run", "--to", "provxml"),
    ("export", "crops/next", "--to", "provn"),
    ("export", "crops/run", "--to", "svg"),
    ("export", "crops/gone@1"),
    ("query", LABELS, "--project", "crops"),
    *(("query", LABELS, "--project", "crops", "--output", style) for style in RESULTS),
    ("query", LABELS, "--project", "crops", "--output", "csv", "--quote-formulas"),
    ("query", "CONSTRUCT WHERE { ?s a ?o }", "--public", "--output", "turtle"),
    ("query", "DESCRIBE <https://lab.example/table>", "--project", "crops"),
    ("query", "ASK {}"),
    ("query", 'SELECT (1/0 AS ?x) ("a\\"b\\n" AS ?y) ("c"@en-GB AS ?z) (1.50 AS ?d) {}', "--timeout", "20"),
    ("query", "SELECT (COUNT(*) AS ?n) { ?s a prov:Entity }", "--project", "crops", "--project", "default"),
    ("query", "SELECT * { ?s prov:used ?o }", "--version", "crops/run@1"),
    ("query", "ASK {}", "--version", "crops/run"),
    ("query", "--name", "list"),
    *(("lineage", f"{EX}report", "--output", style) for style in DRAWN),
    ("lineage", f"{EX}report"),
    ("lineage", f"{EX}report", "--depth", "1"),
    ("lineage", f"{EX}report", "--limit", "1"),
    ("lineage", f"{EX}report", "--depth", "20000", "--limit", "20000"),
    ("lineage", f"{EX}raw", "--direction", "downstream", "--project", "crops"),
    ("lineage", f"{EX}raw", "--impact"),
    ("lineage", f"{EX}raw", "--impact", "--output", "json"),
    ("lineage", f"{EX}report", "--common", f"{EX}figure"),
    ("lineage", f"{EX}report", "--common", f"{EX}figure", "--output", "json"),
    ("lineage", f"{EX}report", "--to", f"{EX}raw"),
    ("lineage", f"{EX}report", "--as-of", "crops/4"),
    ("lineage", f"{EX}report", "--strict", "--timeout", "20"),
    ("lineage", f"{EX}report", "--relation", "wasDerivedFrom", "--relation", "used", "--stop", "prov:Agent"),
    ("lineage", f"{EX}report", "--federated"),
    ("lineage", f"{EX}report", "--federated", "--output", "json"),
    ("lineage", f"{EX}report", "--federated", "--output", "trig"),
    *(("thing", f"{EX}table", "--output", style) for style in ("table", "json", "provn", "trig", "provjson")),
    ("thing", f"{EX}ada", "--limit", "1"),
    ("thing", f"{EX}report"),
    ("search", "table"),
    ("search", "table", "--output", "json"),
    ("search", ""),
    ("search", "table", "--limit", "1", "--project", "crops"),
    ("search", "table", "--limit", "5000"),
    ("profile", "list"),
    ("profile", "list", "--project", "crops", "--output", "json"),
    ("profile", "show", "core"),
    ("profile", "metrics", "--project", "crops"),
    ("project", "list"),
    ("project", "list", "--output", "json"),
    ("project", "show", "strict"),
    ("project", "set", "empty", "--public", "--dry-run"),
    ("project", "set", "crops", "--public", "--dry-run", "--output", "json"),
    ("audit", "crops", "--action", "submit"),
    ("audit", "crops/run", "--action", "submit", "--output", "json"),
    ("audit", "crops", "--action", "submit", "--output", "csv", "--limit", "2"),
    ("pingbacks", "list", "crops"),
    ("pingbacks", "discard", "crops/run"),
    ("review", "list"),
    ("review", "list", "crops", "--output", "json"),
    ("review", "show", "WAITING-0"),
    ("review", "show", "WAITING-1", "--output", "json"),
    ("review", "show", "WAITING-1", "--original"),
]

MISTAKES: list[tuple[str, ...]] = [
    ("peers", "show", "nowhere"),
    ("peers", "show", "../x"),
    ("pushes", "list", "nowhere"),
    ("notices", "list", "nowhere"),
    ("notices", "list", "crops/nowhere"),
    ("notices", "show", "urn:none"),
    ("notices", "holders", "list", "nowhere"),
    ("list", "nowhere"),
    ("list", ".."),
    ("list", "a/b"),
    ("list", "x" * 300),
    ("history", "crops/none"),
    ("receipt", "crops/none"),
    ("log", "show", "nowhere"),
    ("history", "crops/.."),
    ("history", "crops/run.ttl"),
    ("history", "nowhere/x"),
    ("history", "/x"),
    ("history", "crops/run@1"),
    ("export", "crops/run@9"),
    ("export", "crops/run@9999999999"),
    ("export", "crops/gone"),
    ("export", "crops/run", "--to", "nonsense"),
    ("query", ""),
    ("query", " \n "),
    ("query", LABELS, "--project", "crops", "--output", "turtle"),
    ("query", "ASK {}", "--output", "csv"),
    ("query", "SELECT *\n{ ?s ?p ", "--project", "crops"),
    ("query", "INSERT DATA { <a:b> <a:b> 1 }"),
    ("query", "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"),
    ("query", "ASK {}", "--project", "nowhere"),
    ("query", "ASK {}", "--project", "crops", "--project", "nowhere"),
    ("query", "ASK {}", "--project", ""),
    ("query", "ASK {}", "--version", "crops/gone"),
    ("query", "ASK {}", "--version", "crops/none"),
    ("lineage", f"{EX}unknown"),
    ("lineage", f"{EX}report", "--to", f"{EX}unknown"),
    ("lineage", f"{EX}report", "--common", f"{EX}unknown"),
    ("lineage", f"{EX}report", "--common", f"{EX}report"),
    ("lineage", "nonsense"),
    ("lineage", "a: b"),
    ("lineage", f"{EX}report", "--project", "nowhere"),
    ("lineage", f"{EX}report", "--project", ""),
    ("lineage", f"{EX}report", "--as-of", "crops/99"),
    ("lineage", f"{EX}report", "--as-of", "nowhere/1"),
    ("lineage", f"{EX}report", "--as-of", "yesterday"),
    ("lineage", f"{EX}report", "--as-of", "2001-01-01T00:00:00Z"),
    ("lineage", f"{EX}report", "--relation", "none"),
    ("lineage", f"{EX}report", "--stop", "x"),
    ("lineage", f"{EX}report", "--federated", "--project", "crops"),
    ("lineage", f"{EX}unknown", "--federated"),
    ("thing", f"{EX}unknown"),
    ("search", "table", "--project", "nowhere"),
    ("profile", "list", "--project", "nowhere"),
    ("profile", "show", "none"),
    ("profile", "metrics", "--project", "nowhere"),
    ("project", "show", "nowhere"),
    ("project", "create", "crops"),
    ("project", "create", ".."),
    ("project", "create", "new", "--profile", "none"),
    ("project", "create", "new", "--title", "x" * 10_001),
    ("project", "set", "nowhere", "--title", "x"),
    ("project", "set", "empty", "--profile", "none"),
    ("project", "set", "nowhere", "--public", "--dry-run"),
    ("audit", "nowhere"),
    ("audit", "crops/none"),
    ("audit", "crops", "--since", "soon"),
    ("audit", "crops", "--limit", "5000"),
    ("pingbacks", "list", "crops/none"),
    ("pingbacks", "discard", "crops/run", "3"),
    ("withdraw", "crops/none", "--reason", "x"),
    ("withdraw", "crops/gone", "--reason", "x"),
    ("withdraw", "crops/run", "--reason", " "),
    ("withdraw", "nowhere/run", "--reason", " "),
    ("withdraw", "crops/run", "--reason", "x" * 10_001),
    ("submit", "INVALID", "--project", "strict"),
    ("submit", "INVALID", "--project", "strict", "--output", "json"),
    ("submit", "INVALID", "--project", "crops", "--name", "run"),
    ("submit", "INVALID", "--project", "crops", "--profile", "none"),
    ("submit", "INVALID", "--base", "x"),
    ("submit", "INVALID", "--note", "x" * 10_001),
    ("submit", "INVALID", "--name", "a b"),
    ("submit", "INVALID", "--project", "a b"),
    ("submit", "INVALID", "--project", "nowhere", "--from", "x"),
    ("submit", "BROKEN", "--project", "crops"),
    ("submit", "BROKEN", "--project", "nowhere"),
    ("submit", "UNKNOWN", "--project", "crops"),
    ("submit", "MISSING", "--project", "crops"),
    ("submit", "EMPTY", "--project", "crops"),
    ("submit", "TAKEN", "--project", "crops", "--name", "gone"),
    ("submit", "RUN", "--project", "crops", "--name", "run"),
    ("review", "list", "nowhere"),
    ("review", "show", "none"),
    ("review", "show", "../../crops"),
    ("review", "accept", "none"),
    ("review", "accept", "WAITING-0", "--name", "run"),
    ("review", "accept", "WAITING-0", "--reason", "x" * 10_001),
    ("review", "reject", "none"),
    ("nonsense",),
    ("list", "--nonsense"),
]

FILES = {
    "INVALID": INVALID,
    "BROKEN": b"document entity( endDocument",
    "UNKNOWN": b"hello",
    "EMPTY": b"document endDocument",
    "TAKEN": NEXT.replace(b"figure", b"plot"),
    "RUN": RUN,
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("both") / "data") as found:
        for name, content in FILES.items():
            (found.data.parent / f"{name}.provn").write_bytes(content)
        (found.data.parent / "UNKNOWN.provn").rename(found.data.parent / "UNKNOWN.xyz")
        (found.data.parent / "TAKEN.provn").rename(found.data.parent / "TAKEN.ttl")
        yield found


def _same(both: Pair, *arguments: str) -> int:
    """Compare a command on the directory and on the server; returns its exit code."""
    given = [_file(both.data.parent, word) for word in arguments]
    local, remote = both.local(*given), both.remote(*given)
    assert (remote.exit_code, remote.stderr) == (local.exit_code, local.stderr)
    assert remote.stdout == local.stdout
    return local.exit_code


def _file(folder: Path, word: str) -> str:
    if word.startswith("WAITING-"):
        with provrepo.open(next(path for path in (folder / "data", folder / "here") if path.exists())) as repository:
            return next(one.id for one in repository.pending("crops") if one.name == f"wait-{word[-1]}")
    return next((str(path) for path in folder.glob(f"{word}.*")), word) if word.isupper() else word


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
def test_reads_are_the_same(both: Pair, arguments: tuple[str, ...]) -> None:
    assert _same(both, *arguments) == 0


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda words: " ".join(words)[:80])
def test_mistakes_are_the_same(both: Pair, arguments: tuple[str, ...]) -> None:
    assert _same(both, *arguments) in (1, 2)


@pytest.mark.parametrize("count", [0, 2, 150])
def test_declared_sources_are_the_same(both: Pair, count: int, tmp_path: Path) -> None:
    (tmp_path / "sources").write_text("# sources\n\n" + "".join(f"{EX}raw{n or ''}\n" for n in range(count)))
    sources = ("--sources", str(tmp_path / "sources"))
    _same(both, "lineage", f"{EX}report", *sources)
    _same(both, "gate", f"{EX}report", *sources, "--project", "crops", "--min-coverage", "10")
    _same(both, "gate", f"{EX}report", *sources, "--public", "--output", "json")


@pytest.mark.parametrize("more", [("--project", "nowhere"), ("--project", "crops"), ()])
def test_a_gate_about_nothing_is_the_same(both: Pair, more: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "sources").write_text(f"{EX}raw\n")
    _same(both, "gate", f"{EX}unknown", "--sources", str(tmp_path / "sources"), *more)
    _same(both, "gate", "nonsense", "--sources", str(tmp_path / "sources"), *more)
    (tmp_path / "sources").write_text("*\n")
    _same(both, "gate", f"{EX}report", "--sources", str(tmp_path / "sources"), *more)


def test_many_sources_and_a_part_of_the_roots_are_refused(both: Pair, tmp_path: Path) -> None:
    (tmp_path / "sources").write_text("".join(f"{EX}s{n}\n" for n in range(101)))
    arguments = ("lineage", f"{EX}merged", "--sources", str(tmp_path / "sources"))
    assert _same(both, *arguments) == 0
    found = both.remote(*arguments, "--limit", "1")
    assert (found.exit_code, found.stdout, "more roots than the limit" in found.stderr) == (2, "", True)


WRITES: list[tuple[str, ...]] = [
    ("submit", "FIRST", "--project", "crops", "--note", "a note"),
    ("submit", "FIRST", "--project", "crops"),
    ("submit", "FIRST", "--project", "crops", "--name", "run"),
    ("submit", "FIRST", "--project", "crops", "--name", "run", "--update", "--profile", "core", "--output", "json"),
    ("submit", "-", "--project", "crops", "--output", "json"),
    ("submit", "EMPTY", "--project", "crops", "--allow-empty"),
    ("submit", "SECOND", "--project", "crops", "--base", "https://base.example/", "--from", "turtle"),
    ("withdraw", "crops/SECOND", "--reason", "wrong – ünit", "--internal-reason", "inside"),
    ("submit", "SECOND", "--project", "crops", "--base", "https://base.example/"),
    ("submit", "SECOND", "--project", "crops", "--base", "https://base.example/", "--again"),
    ("withdraw", "crops/run", "--reason", "enough", "--output", "json"),
    ("history", "crops/run"),
    ("review", "accept", "WAITING-0", "--reason", "good"),
    ("review", "accept", "WAITING-1", "--name", "run", "--update", "--output", "json"),
    ("review", "reject", "WAITING-2", "--reason", "bad"),
    ("review", "list"),
    ("project", "create", "new", "--public", "--title", "New “one”", "--profile", "core"),
    ("project", "set", "new", "--private", "--no-profiles", "--title", ""),
    ("project", "set", "new", "--profile", "core", "--output", "json"),
    ("list", "--withdrawn"),
    ("query", LABELS, "--project", "crops"),
    ("export", "crops/SECOND"),
    ("audit", "crops", "--action", "withdraw", "--output", "json"),
]

SLOW = [
    arguments for arguments in WRITES if arguments[:2] in {("submit", "-"), ("submit", "EMPTY"), ("review", "accept")}
]
"""Writes that check a document, of which others are tried everywhere."""

VARYING = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z"  # times
    r'|"(actor|submitter|token|name|ended_by)": "[^"]*"'
    r'|"(entry|review|accepted|previous)": "[0-9a-f]{64}"'
    r'|"(proof|checkpoint)": "[^"]*"'
    r"|(?<=<time>, )\S+( \[\w+\])?"  # the submitter of a receipt
)


def _steady(text: str, names: tuple[str, ...]) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r'\n {6}"token": "[^"]*",', "", text)  # in the entry of a receipt, where the owner has none
    text = VARYING.sub("<varies>", text)
    for name in names:
        text = text.replace(name, "<who>")
    return re.sub(r" +", " ", text)


@pytest.mark.slow
def test_writes_are_the_same_but_for_time_and_submitter(tmp_path: Path) -> None:
    for name, content in {
        "FIRST.provn": RUN.replace(b"raw data", b"first data"),
        "SECOND.ttl": NEXT.replace(b"report", b"thesis"),
        "EMPTY.provn": b"document endDocument",
    }.items():
        (tmp_path / name).write_bytes(content)
    here, there = tmp_path / "here", tmp_path / "there"
    filled(here)
    with provrepo.open(here) as repository:
        token, info = repository.create_token("ada")
        owner = repository.actor.name
    shutil.copytree(here, there)
    with started(there) as url:
        both = Pair(here, url, token)
        for arguments in WRITES if FULL else [each for each in WRITES if each not in SLOW]:
            given = [_file(tmp_path, word) for word in arguments]
            stdin = RUN.replace(b"raw data", b"piped data") if "-" in given else None
            local, remote = both.local(*given, stdin=stdin), both.remote(*given, stdin=stdin)
            names = (f"ada [{info.id}]", owner, "ada", info.id)
            assert remote.exit_code == local.exit_code, (arguments, remote.stderr)
            assert _steady(remote.stderr, names) == _steady(local.stderr, names), arguments
            assert _steady(remote.stdout, names) == _steady(local.stdout, names), arguments


NEEDS_THE_DIRECTORY: list[tuple[str, ...]] = [
    ("init",),
    ("init", "--base", "https://prov.example/"),
    ("erase", "crops/run@1", "--reason", "x"),
    ("rebuild",),
    ("fsck",),
    ("backup", "TARGET"),
    ("restore", "TARGET"),
    ("serve", "--port", "0"),
    ("token", "list"),
    ("token", "create", "ada"),
    ("token", "revoke", "0123456789abcdef"),
    ("profile", "add", "FILE"),
    ("profile", "backtest", "core", "--project", "crops"),
    ("audit",),
]


@pytest.mark.parametrize("arguments", NEEDS_THE_DIRECTORY, ids=" ".join)
def test_verbs_of_the_directory_say_so(both: Pair, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("")
    given = [str(tmp_path / word) if word.isupper() else word for word in arguments]
    found = both.remote(*given)
    assert (found.exit_code, found.stdout) == (2, "")
    (line,) = found.stderr.splitlines()
    assert "is a server" in line or "names a server" in line
    assert line.endswith("on the machine that has the directory")
    assert both.token not in line


def test_verbs_that_need_no_repository_work(both: Pair, tmp_path: Path) -> None:
    (tmp_path / "run.provn").write_bytes(RUN)
    for arguments in (("validate", tmp_path / "run.provn"), ("convert", tmp_path / "run.provn", tmp_path / "run.json")):
        local, remote = both.local(*arguments), both.remote(*arguments)
        assert (remote.exit_code, remote.stdout, remote.stderr) == (local.exit_code, local.stdout, local.stderr)
    assert json.loads((tmp_path / "run.json").read_text())


@pytest.mark.parametrize("way", ["data", "to"])
def test_a_submission_under_review_says_where_it_waits(both: Pair, way: str, tmp_path: Path) -> None:
    (tmp_path / "reviewed.provn").write_bytes(RUN.replace(b"raw data", f"reviewed {way}".encode()))
    with provrepo.open(both.data) as repository:
        token, _ = repository.create_token("bob", projects=["crops"])
    submit = ("submit", tmp_path / "reviewed.provn", "--project", "crops", "--name", f"reviewed-{way}")
    if way == "data":
        found = both.remote(*submit, token=token)
    else:
        found = CliRunner(env={"PROVREPO_TOKEN": token}).invoke(cli, [*map(str, submit), "--to", both.url])
    with provrepo.open(both.data) as repository:
        (waiting,) = (one for one in repository.pending("crops") if one.name == f"reviewed-{way}")
        repository.reject_pending(waiting.id)
    at = f"{both.url.rstrip('/')}/projects/crops/pending/{waiting.id}"
    assert (found.exit_code, found.stderr) == (3, "")
    assert found.stdout == f"crops/reviewed-{way} waits for a review: {at}\n"


def test_a_refused_submission_is_kept_where_the_command_says(both: Pair, tmp_path: Path) -> None:
    (tmp_path / "bad.provn").write_bytes(INVALID)
    found = both.remote("submit", tmp_path / "bad.provn", "--project", "strict", "--keep")
    with provrepo.open(both.data) as repository:
        (kept,) = repository.pending("strict")
        repository.reject_pending(kept.id)
    assert found.exit_code == 1
    assert f"{both.url.rstrip('/')}/projects/strict/pending/{kept.id}" in found.stderr
    local = both.local("submit", tmp_path / "bad.provn", "--project", "strict", "--keep")
    with provrepo.open(both.data) as repository:
        (kept,) = repository.pending("strict")
        repository.reject_pending(kept.id)
    assert local.exit_code == 1
    assert f"kept until {kept.expires}: provrepo review show {kept.id}" in local.stderr


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _leaves(each, (*path, name))
    else:
        yield path, command


ELSEWHERE = {("demo",), ("run",)}
"""Commands that run something else, and use no repository that is named."""


@pytest.mark.parametrize("path", [path for path, _ in _leaves(cli) if path not in ELSEWHERE], ids=" ".join)
def test_every_command_works_or_says_why_not(both: Pair, path: tuple[str, ...], tmp_path: Path) -> None:
    """With arguments that are not there: new commands are tried too."""
    command = dict(_leaves(cli))[path]
    (tmp_path / "file").write_text("")
    given: list[str] = []
    for parameter in command.params:
        if parameter.required:
            value = str(tmp_path / "file") if isinstance(parameter.type, click.Path) else "x"
            given += [value] if isinstance(parameter, click.Argument) else [max(parameter.opts, key=len), value]
    found = both.remote(*path, *given)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    assert found.exit_code in (0, 1, 2)
    assert found.exit_code == 0 or found.stderr.splitlines()[-1].startswith("error: "), found.output


def test_the_export_of_a_project_is_the_same(both: Pair, tmp_path: Path) -> None:
    target = tmp_path / "out"
    for options in (("csv",), ("csv", "--after", "2"), ("graphml",), ("neo4j",)):
        here = both.local("export", "crops/", "--to", *options, "-o", target)
        written = target.read_bytes()
        there = both.remote("export", "crops/", "--to", *options, "-o", target)
        assert (here.exit_code, there.exit_code, there.stdout, there.stderr) == (0, 0, here.stdout, here.stderr)
        assert target.read_bytes() == written
        assert "last entry" in here.stderr
    for project, options in (("nowhere/", ("--to", "csv")), ("crops/", ("--to", "turtle")), ("crops/", ())):
        here, there = (run("export", project, *options) for run in (both.local, both.remote))
        assert (there.exit_code, there.stderr) == (here.exit_code, here.stderr)
        assert here.exit_code in (1, 2)


def test_a_package_is_the_same(both: Pair, tmp_path: Path) -> None:
    target = tmp_path / "crops.zip"
    for options in ((), ("--for-readers",), ("--since", "3"), ("--output", "json")):
        here = both.local("pack", "crops", target, *options)
        written = target.read_bytes()
        target.unlink()
        there = both.remote("pack", "crops", target, *options)
        assert (there.exit_code, there.stdout, there.stderr) == (here.exit_code, here.stdout, here.stderr)
        assert target.read_bytes() == written
        target.unlink()
    for project, options in (("nowhere", ()), ("crops", ("--since", "999"))):
        here, there = (run("pack", project, target, *options) for run in (both.local, both.remote))
        assert (there.exit_code, there.stderr) == (here.exit_code, here.stderr)
        assert there.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_damaged_on_its_way_is_not_written(both: Pair, tmp_path: Path) -> None:
    target = tmp_path / "crops.zip"
    both.local("pack", "crops", target)
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(b"the one before")
    known = response(body=b'{"name": "crops"}', Content_Type="application/json")
    with lying(known, response(body=bytes(data), Content_Type="application/zip")) as server:
        ran = CliRunner().invoke(cli, ["--data", server.url, "pack", "crops", str(target)])
    assert ran.exit_code == 2, ran.output
    assert ran.stderr.startswith(f"error: {server.url}projects/crops/package")
    assert target.read_bytes() == b"the one before"


NEEDS_THE_DIRECTORY = [
    *("init", "serve", "rebuild", "fsck", "backup x", "restore x", "erase crops/run@1 --reason x", "unpack FILE"),
    *("token create x", "token list", "token revoke 0123456789abcdef"),
    *("peers add x http://127.0.0.1:9/", "peers set x --project p", "peers remove x"),
    *("mirror http://127.0.0.1:9/projects/p", "mirror --end p", "pull", "pull p"),
    *("push x crops/run", "pushes send", "pushes cancel 1", "notices send", "notices announce crops/run"),
    *("notices holders add crops http://x.example/inbox", "notices holders remove 1"),
]


@pytest.mark.parametrize("command", NEEDS_THE_DIRECTORY)
def test_a_command_that_needs_the_directory_says_why_and_what_to_do(both: Pair, command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    ran = both.remote(*(str(tmp_path / "file") if part == "FILE" else part for part in command.split()))
    assert (ran.exit_code, ran.stdout) == (2, "")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: this needs the data directory itself")
    assert line.endswith("run it on the machine that has the directory")
