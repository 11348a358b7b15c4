"""Bad input: one clear line on stderr, the right exit code, nothing stored, and never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROVJSON, TURTLE
from tests.support import unprivileged
from tests.support.command import Command, environment, provrepo

NONSENSE = {
    "empty.json": (b"", "line 1"),
    "truncated.json": (PROVJSON[: len(PROVJSON) // 2], "line "),
    "truncated.ttl": (TURTLE[: len(TURTLE) // 2], "line "),
    "truncated.provn": (b"document\nprefix ex <http://example.org/>\nentity(ex:a", "line 3"),
    "truncated.provx": (b'<prov:document xmlns:prov="http://www.w3.org/ns/prov#"><prov:entity', "line 1"),
    "binary.ttl": (bytes(range(256)) * 4, ""),
    "binary.json": (b"\x89PNG\r\n\x1a\n\x00\x00", ""),
    "latin1.provn": ("document\n// Größe\nendDocument".encode("latin-1"), "UTF-8"),
    "utf16.json": (PROVJSON.decode().encode("utf-16"), "UTF-8"),
    "doctype.provx": (
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<prov:document xmlns:prov="http://www.w3.org/ns/prov#"><prov:entity prov:id="e">&x;</prov:entity>'
        b"</prov:document>",
        "DOCTYPE",
    ),
    "doctype.rdf": (
        b'<!DOCTYPE d [<!ENTITY x "y">]><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        "DOCTYPE",
    ),
    "deep.json": (b'{"entity":' * 5000 + b"{}" + b"}" * 5000, "nest"),
    "deep.jsonld": (b'{"@context":{},"@graph":' + b"[" * 5000 + b"]" * 5000 + b"}", "nest"),
    "remote.rdf.jsonld": (b'{"@context":"https://evil.example/context","@id":"urn:x"}', "evil.example"),
    "prefix.provn": (b"document\nentity(ex:undeclared)\nendDocument", "ex"),
    "prose.txt": (b"The quick brown fox jumps over the lazy dog.\n", "format"),
}
VERBS = {
    "convert": ("convert", "{}", "-", "--to", "turtle"),
    "validate": ("validate", "{}"),
    "submit": ("submit", "{}", "--project", "crops"),
}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_in_one_clear_line(command: Command, tmp_path: Path, name: str, verb: str) -> None:
    content, hint = NONSENSE[name]
    path = tmp_path / name
    path.write_bytes(content)
    if verb == "submit":
        command("project", "create", "crops")
    arguments = [argument.format(path) for argument in VERBS[verb]]
    complaint = command.error(*arguments, code=2)
    assert hint.lower() in complaint.lower()
    assert len(complaint) < 600
    if verb == "submit":
        assert command.json("list", "crops") == []


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("convert", "missing.json", "x.ttl"), 2, "missing.json"),
        (("convert", ".", "x.ttl"), 2, "directory"),
        (("convert", "run.json", "x.unknown"), 2, "--to"),
        (("convert", "run.json", "-"), 2, "--to"),
        (("convert", "run.json", "x", "--to", "word"), 2, "'word'"),
        (("convert", "run.json", "x.ttl", "--from", "excel"), 2, "'excel'"),
        (("convert", "run.json", "no/such/directory/x.ttl"), 2, "x.ttl"),
        (("convert", "run.json"), 2, "provrepo convert --help"),
        (("frobnicate",), 2, "frobnicate"),
        (("validate", "run.json", "--profile", "nonexistent"), 2, "nonexistent"),
        (("validate", "run.json", "--output", "pdf"), 2, "pdf"),
        (("compare", "-", "-"), 2, "stdin"),
        (("submit", "run.json", "--project", "unknown"), 1, "unknown"),
        (("submit", "run.json", "--project", "../etc"), 2, "../etc"),
        (("submit", "run.json", "--name", "a name"), 2, "a name"),
        (("submit", "run.json", "--from", "turtle"), 2, "line 1"),
        (("submit", "run.json", "--to", "ftp://x"), 2, "ftp://x"),
        (("submit", "run.json", "--to", "http://127.0.0.1:9/"), 1, "127.0.0.1:9"),
        (("export", "default/none"), 1, "default"),
        (("export", "none/none"), 1, "none"),
        (("export", "a/b/c"), 2, "a/b/c"),
        (("export", "a/b@zero"), 2, "zero"),
        (("export", "a/b", "--to", "word"), 2, "word"),
        (("export", "a/b", "--to", "turtle", "--original"), 2, "--original"),
        (("history", "default/none"), 1, "default"),
        (("withdraw", "default/none", "--reason", "x"), 1, "default"),
        (("withdraw", "default/none"), 2, "--reason"),
        (("withdraw", "default/none@1", "--reason", "x"), 2, "without a version"),
        (("erase", "default/none", "--reason", "x"), 2, "@1"),
        (("list", "unknown"), 1, "unknown"),
        (("query",), 2, "-f"),
        (("query", "SELECT", "-f", "x"), 2, "-f"),
        (("query", "-f", "missing.rq"), 2, "missing.rq"),
        (("query", "SELECT * WHERE {"), 2, ""),
        (("query", "INSERT DATA { <urn:a> <urn:b> <urn:c> }"), 2, ""),
        (("query", "ASK {}", "--project", "unknown"), 1, "unknown"),
        (("query", "ASK {}", "--project", "a", "--public"), 2, "exclude"),
        (("query", "ASK {}", "--output", "csv"), 2, "csv"),
        (("query", "ASK {}", "--endpoint", "http://127.0.0.1:9/sparql"), 1, "127.0.0.1:9"),
        (("project", "create", "bad name"), 2, "bad name"),
        (("project", "create", "x", "--profile", "nonexistent"), 2, "nonexistent"),
        (("project", "show", "unknown"), 1, "unknown"),
        (("project", "set", "unknown", "--public"), 1, "unknown"),
        (("project", "set", "x", "--profile", "core", "--no-profiles"), 2, "contradict"),
        (("token", "create", "bot", "--project", "unknown"), 1, "unknown"),
        (("token", "create", "bot", "--days", "0"), 2, "days"),
        (("token", "revoke", "unknown"), 1, "unknown"),
        (("init", "--base", "not an iri"), 2, "not an iri"),
        (("serve", "--port", "99999"), 2, "99999"),
        (("serve", "--host", "0.0.0.0", "--port", "0"), 2, "base"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_wrong_usage(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_bytes(PROVJSON)
    command("init")
    assert hint in command.error(*arguments, code=code)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_bytes(PROVJSON)
    path.chmod(0)
    done = unprivileged.run("-m", "provrepo", "convert", path, "-", "--to", "turtle", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert b"secret.json: Permission denied" in done.stderr


def test_a_body_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(PROVJSON + b" " * 2000)
    ran = provrepo("--data", "data", "submit", path, cwd=tmp_path, PROVREPO_MAX_BODY="1000")
    assert ran.returncode == 2
    assert ran.stderr.startswith(b"error: ")
    assert b"1,000" in ran.stderr


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no directory")
    ran = provrepo("list", cwd=tmp_path, PROVREPO_DATA=str(tmp_path / "data"))
    assert ran.returncode in (1, 2)
    assert ran.stderr.startswith(b"error: ")
    assert b"Traceback" not in ran.stderr


def test_a_setting_without_meaning(tmp_path: Path) -> None:
    ran = provrepo("list", cwd=tmp_path, PROVREPO_PORT="many")
    assert ran.returncode == 2
    assert ran.stderr == b"error: PROVREPO_PORT: 'many' is not a whole number\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file or directory"),
        ("x = = 1", "Invalid value"),
        ('constraints = "maybe"', "'maybe'"),
        ('constraints = "gate"\ntitle = 3\nversion = "1"\npurpose = "p"', "title is not a text"),
        ('constraints = "gate"\ntitle = "t"\nversion = "1"', "it has no purpose"),
        ("\ufeff# \ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "cannot understand"),
    ],
)
def test_a_profile_that_cannot_be_read_is_no_verdict(tmp_path: Path, text: str | None, words: str) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "shapes.ttl").write_text("")
    if text is not None:
        (folder / "profile.toml").write_bytes(text.encode("latin-1"))
    file = tmp_path / "a.ttl"
    file.write_bytes(TURTLE)
    call = Command(tmp_path / "data")
    for arguments in (("validate", "--profile", folder, file), ("profile", "add", folder)):
        error = call.error(*arguments, code=2)
        assert "profile.toml" in error
        assert words in error or arguments[0] == "profile"
        assert "Errno" not in error


def test_an_output_that_cannot_be_written_is_called_by_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "a.ttl"
    file.write_bytes(TURTLE)
    call = Command(tmp_path / "data")
    call("submit", file)
    target = tmp_path / "nowhere" / "x.json"
    for arguments in (("convert", file, target), ("export", "default/a", "-o", target)):
        assert call.error(*arguments, code=2) == f"{target}: No such file or directory"


def test_a_file_that_is_missing_is_named_once(tmp_path: Path) -> None:
    missing = tmp_path / "missing.ttl"
    assert Command(tmp_path)("validate", missing, code=2).stderr.count(str(missing)) == 1


NO_BASE = ["nonsense", "http://[::1/", "http://a b/", "http://x:y/", "//x.org/"]


@pytest.mark.parametrize("base", NO_BASE)
@pytest.mark.parametrize("suffix", ["ttl", "provn", "json", "provx", "nt"])
def test_a_base_that_is_no_iri_is_refused_in_every_format(tmp_path: Path, base: str, suffix: str) -> None:
    turtle, file = tmp_path / "a.ttl", tmp_path / f"b.{suffix}"
    turtle.write_bytes(TURTLE)
    call = Command(tmp_path / "data")
    call("convert", turtle, file)
    for arguments in (
        ("convert", file, tmp_path / "c.trig"),
        ("validate", file),
        ("normalize", file),
        ("submit", file),
    ):
        assert "cannot be a base IRI" in call.error(*arguments, "--base", base, code=2)
    assert "not a base IRI" in Command(tmp_path / "other").error("init", "--base", base, code=2)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("address", ["http://[::1/", "http://a b/", "http://x:y/", "http://x:99999/", "http://"])
def test_an_address_that_is_none_is_wrong_usage(tmp_path: Path, address: str) -> None:
    file = tmp_path / "a.ttl"
    file.write_bytes(TURTLE)
    call = Command(tmp_path / "data")
    for arguments in (("submit", file, "--to", address), ("query", "ASK {}", "--endpoint", address)):
        assert "URL" in call.error(*arguments, code=2)


HUGE = 10**30


def test_numbers_beyond_all_measure_are_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "a.ttl"
    file.write_bytes(TURTLE)
    call = Command(tmp_path / "data")
    call("submit", file)
    for thing in ("http://example.org/clean", "http://example.org/nothing"):
        known = thing.endswith("clean")
        assert call("lineage", thing, "--depth", HUGE, code=0 if known else 1).stdout == (
            call("lineage", thing, code=0 if known else 1).stdout
        )
    call("search", "clean", "--limit", HUGE)
    call("query", "ASK {}", "--timeout", HUGE)
    assert "expire" in call.error("token", "create", "ci", "--days", HUGE, code=2)
    assert "expire" in call.error("token", "create", "ci", "--days", 10**9, code=2)
    assert call.json("token", "list") == []
    call.error("export", f"default/a@{HUGE}", code=2)
    assert "no version" in call.error("export", f"default/a@{10**9}", code=1)


@pytest.mark.parametrize("name", ["THREADS", "WORKERS", "QUERY_WORKERS", "WORKER_MEMORY", "QUERY_MEMORY", "PORT"])
def test_settings_beyond_all_measure_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for value in (str(HUGE), "1" if name.endswith("MEMORY") else "-1"):
        monkeypatch.setenv(f"PROVREPO_{name}", value)
        assert f"PROVREPO_{name}" in Command(tmp_path).error("list", code=2)


def test_a_history_is_that_of_all_versions(tmp_path: Path) -> None:
    assert "without a version" in Command(tmp_path).error("history", "default/a@1", code=2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_takes_no_more_is_told_from_a_store_that_does(tmp_path: Path) -> None:
    file = tmp_path / "a.ttl"
    file.write_bytes(TURTLE)
    data = tmp_path / "data"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "provrepo", "--data", str(data), "submit", str(file)],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"error: the output cannot be written: " in done.stderr
    # The receipt could not be shown; what it is for is there.
    assert Command(data).json("history", "default/a")[0]["state"] == "current"
