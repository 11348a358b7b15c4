"""The selection of integration tests and their known failures; the tests themselves run with ``make integration``."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import provrepo
from tests.integration import __main__ as runner
from tests.integration.documents import document
from tests.integration.groups import GROUPS, Group, changed, sampled, touched
from tests.integration.known import Known, judged
from tests.integration.round_trips import Outcome, outcomes
from tests.integration.rules import Rule, differs, instants
from tests.support.paths import ROOT


def names(groups: list[Group]) -> list[str]:
    return [group.name for group in groups]


def test_each_group_has_its_test_file_and_its_row_in_the_documentation() -> None:
    page = (ROOT / "docs" / "development" / "integration-tests.md").read_text("utf-8")
    files = {f"tests/integration/{path.name}" for path in (ROOT / "tests" / "integration").glob("test_*.py")}
    assert {group.file for group in GROUPS} == files
    assert [group.name for group in GROUPS if f"| `{group.name}` | {group.budget} |" not in page] == []


def test_a_change_selects_the_groups_of_its_files() -> None:
    assert names(touched(["provrepo/codecs/provn/reader.py"])) == ["provtoolbox", "prov"]
    assert names(touched(["provrepo/server/queries/sparql.py"])) == ["sparql_clients", "rdf4j", "jena", "openapi"]
    assert names(touched(["tests/integration/known/prov.toml"])) == ["prov"]
    assert names(touched(["tests/integration/test_jena.py", "README.md"])) == ["jena"]
    small = [group for group in GROUPS if not group.large]
    assert [group for group in touched(["tests/integration/peers.py"]) if not group.large] == small
    assert touched(["README.md"]) == []


def test_one_of_the_large_groups_is_run_for_a_change_and_those_whose_tests_changed() -> None:
    source = "provrepo/importers/openlineage/runs.py"
    small = ["openlineage_python", "dbt"]
    assert {tuple(names(touched([source], f"{number:08x}"))) for number in range(4)} == {
        (*small, "spark"),
        (*small, "airflow"),
    }
    both = [source, "tests/integration/test_spark.py", "tests/integration/test_airflow.py"]
    assert names(touched(both)) == [*small, "spark", "airflow"]
    drawn = [sampled(GROUPS, f"{number:08x}") for number in range(2 * len(GROUPS))]
    assert {(len(sample), sum(group.large for group in sample)) for sample in drawn} == {(2, 0), (2, 1)}


def test_the_sample_rotates_with_the_commit() -> None:
    assert names(sampled(GROUPS, "0000000400")) == ["jena", "openapi"]
    assert {sampled(GROUPS, f"{number:08x}")[0].name for number in range(len(GROUPS))} == set(names(list(GROUPS)))
    assert sampled([], "ab") == []


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    def run(*arguments: str, day: int = 1) -> str:
        moment = f"2026-01-{day:02}T12:00:00+00:00"
        who = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        configured = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
        environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
        ran = subprocess.run([*configured, *arguments], env=environment, check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    run("init", "--quiet", "--initial-branch", "main")
    for day, name in ((1, "old"), (9, "yesterday"), (9, "today")):
        (tmp_path / name).write_text(name, "utf-8")
        run("add", "--all")
        run("commit", "--quiet", "--message", name, day=day)
    return run


def test_on_main_the_last_day_is_the_change(git: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "loose").write_text("", "utf-8")
    assert changed(tmp_path) == (git("rev-parse", "HEAD"), ["today", "yesterday", "loose"])


def test_on_a_branch_its_own_commits_are_the_change(git: Callable[..., str], tmp_path: Path) -> None:
    git("checkout", "--quiet", "-b", "branch")
    (tmp_path / "mine").write_text("", "utf-8")
    git("add", "--all")
    git("commit", "--quiet", "--message", "mine", day=9)
    assert changed(tmp_path)[1] == ["mine"]


def test_without_a_history_no_file_has_changed(tmp_path: Path) -> None:
    assert changed(tmp_path) == ("", [])


def test_words_select_groups() -> None:
    assert runner.chosen([]) == list(GROUPS)
    assert names(runner.chosen(["jena", "prov", "jena"])) == ["prov", "jena"]
    with pytest.raises(ValueError, match="no group 'jean': there are all, touched, sample, provtoolbox"):
        runner.chosen(["jean"])


def test_a_group_beyond_the_limit_is_not_run() -> None:
    """Nor one that could not be stopped within it."""
    for more in (-1.0, 0.0, runner._GRACE - 1.0):
        assert runner.ran(GROUPS[0], left=GROUPS[0].budget + more).outcome == "not run"


def test_the_table_of_known_failures_is_strict_both_ways() -> None:
    found = [
        Outcome(0, "json", "read", "no dictionaries"),
        Outcome(1, "json", "write provx", "no dictionaries"),
        Outcome(2, "json", "read", ""),
        Outcome(3, "provn", "read", "no dictionaries"),
    ]
    texts = {0: "hadDictionaryMember", 1: "entity", 3: "entity"}
    right = Known(("json",), ("read", "write"), "no dict", "reason")
    unknown, stale = judged(found, [right], lambda outcome: texts[outcome.number])
    assert (unknown, stale) == (["003.provn: read: no dictionaries"], [])
    narrow = Known(("json",), ("read",), "no dict", "reason", where="entity")
    unknown, stale = judged(found, [narrow], lambda outcome: texts[outcome.number])
    assert len(unknown) == 3
    assert len(stale) == 1


def test_a_parser_that_skips_statements_has_not_read_the_file(tmp_path: Path) -> None:
    given = provrepo.read(b"document\nprefix ex <http://e/>\nentity(ex:a)\nentity(ex:b)\nendDocument", format="provn")
    found = outcomes(["000.provn\tread\tok\t1", "000.provn\twrite json\terror\tno"], [given], tmp_path)
    assert [one.problem for one in found] == ["1 of 2 statements missing", "no"]


def test_a_rule_accepts_one_difference_and_counts_its_use() -> None:
    written = b"document\nprefix ex <http://e/>\nactivity(ex:a, %s, -)\nendDocument"
    before = provrepo.read(written % b"2026-01-01T12:00:00Z", format="provn")
    rule = Rule("", instants, ("provn",), ("json",))
    assert differs(before, provrepo.read(written % b"2026-01-01T12:00:00.000+00:00", format="provn"), [rule]) == ""
    assert rule.needed == 1
    assert "startTime" in differs(before, provrepo.read(written % b"2026-01-02T12:00:00Z", format="provn"), [rule])
    assert rule.needed == 1


def test_the_documents_are_the_same_on_every_python() -> None:
    """The tables of known failures refer to them. After a change of the documents, run the groups again."""
    digest = hashlib.sha256()
    for number in range(100):
        for instance in document(number).instances():
            for one in instance.statements:
                fields = (instance.id, one.kind.name, one.id, one.args, one.attributes, one.entries)
                digest.update(repr(fields).encode())
    assert digest.hexdigest() == "0729c49cc4cc9a62b401e9ce89da37c5858425a83291ee7bd882b6952717213c"


def _stub(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)


def test_ci_takes_the_oldest_and_the_newest_python_and_closes_with_a_sum(tmp_path: Path) -> None:
    # Stubs replace make and the interpreters; the one of 3.12 fails.
    for name, body in {
        "make": 'echo "make $*"; echo "3 passed, 1 skipped in 1.50s"',
        "chromium": "exit 0",
        "python3.11": "exit 0",
        "python3.12": "exit 1",
        "python3.13": "exit 0",
        "python3.14": "exit 0",
    }.items():
        _stub(tmp_path, name, body)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYENV_ROOT": str(tmp_path), "CI": "true"}
    ran = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    calls = [line for line in ran.stdout.splitlines() if line.startswith("make ")]
    newest = "3.14" if "Python :: 3.14" in (ROOT / "pyproject.toml").read_text("utf-8") else "3.13"
    assert calls[0] == "make test PYTHON=python3.11 VENV=.venv-3.11"
    assert calls[1] == f"make test PYTHON=python{newest} VENV=.venv-{newest}"
    assert calls[2].startswith("make integration GROUPS=touched sample LIMIT=2")
    assert calls[2].endswith(f"PYTHON=python{newest} VENV=.venv-{newest}")
    assert ran.stdout.splitlines()[-1] == "9 passed, 0 failed, 3 skipped"
