"""Each test that ``SECURITY.md`` names exists."""

from __future__ import annotations

import ast
import re

from tests.support.paths import ROOT

NAMED = re.compile(r"(tests/[\w/]+\.py)?::(test_\w+)")


def rows() -> list[list[str]]:
    text = (ROOT / "SECURITY.md").read_text("utf-8").partition("## Threats")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return found[2:]


def test_each_threat_has_a_measure_and_a_test() -> None:
    assert len(rows()) > 25
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []
    assert len({row[0] for row in rows()}) == len(rows())


def test_each_named_test_exists() -> None:
    missing = []
    for threat, _, named in rows():
        tests = NAMED.findall(named)
        assert tests, threat
        assert re.sub(r"[\s,]", "", NAMED.sub("", named)) == "", named
        file = ""
        for path, name in tests:
            file = path or file
            tree = ast.parse((ROOT / file).read_text("utf-8")) if (ROOT / file).is_file() else ast.Module([], [])
            if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
                missing.append(f"{file}::{name}")
    assert missing == []
