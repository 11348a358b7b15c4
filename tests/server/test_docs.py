"""The HTTP reference describes every route, format and problem type."""

from __future__ import annotations

import re
from pathlib import Path

from provrepo import problems
from provrepo.codecs.formats import FORMATS
from tests.support.paths import ROOT
from tests.support.serving import opened

REFERENCE = (ROOT / "docs" / "reference" / "http.md").read_text("utf-8")


def test_every_route_is_described(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        for rule in site.app.url_map.iter_rules():
            path = re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule.rule)
            # Addresses of a document exist for each of its versions too, and are described once.
            once = re.sub(r"/versions/\{version\}/(?=.)", "/", path)
            # So do those of Marquez, for each project.
            once = re.sub(r"/projects/\{project\}/api/v1/(?!lineage)", "/api/v1/", once)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                line = re.compile(rf"^\|.*`?{method}\b.*(?:{re.escape(path)}|{re.escape(once)})`", re.MULTILINE)
                assert line.search(REFERENCE), f"{method} {path}"


def test_every_type_of_problem_is_described() -> None:
    for row in {*problems.ERRORS.values(), *problems.HTTP.values()}:
        pattern = rf"^\| [^|]*`{row.name}`[^|]* \| (?:{row.status}|any other) \|"
        assert re.search(pattern, REFERENCE, re.MULTILINE), row


def test_every_format_is_described() -> None:
    for format_ in FORMATS:
        row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| `{format_.name}` |"))
        assert f"`{format_.suffixes[0]}`" in row
        assert format_.media_type in row
