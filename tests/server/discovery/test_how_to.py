"""The commands of ``docs/how-to/be-found.md``, against a running server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import rdflib

from tests.conftest import TURTLE
from tests.support.command import Command, environment, serving
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "how-to" / "be-found.md").read_text("utf-8")


@pytest.mark.slow(one_in=2)
def test_what_the_page_shows_works(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    command("project", "create", "crops")
    (setting,) = re.findall(r"(?m)^provrepo (project set .*)$", PAGE)
    command(*re.findall(r'"[^"]*"|\S+', setting.replace('"Crop trials"', '"Crop_trials"')))
    (tmp_path / "run.ttl").write_bytes(TURTLE)
    command("submit", tmp_path / "run.ttl", "--project", "crops", "--name", "run-42")
    with serving(command.data, PROVREPO_QUERY_WORKERS="1") as url:
        variables = {**environment(), "SERVER": url, "NO_PROXY": "*"}

        def run(script: str) -> str:
            ran = subprocess.run(
                ["sh", "-e", "-c", script], capture_output=True, text=True, env=variables, cwd=tmp_path, check=False
            )
            assert ran.returncode == 0, script + ran.stdout + ran.stderr
            return ran.stdout

        links, catalogs, sitemap, interfaces = map(run, re.findall(r"(?s)<!-- live -->\n```sh\n(.*?)```", PAGE))
    signs, found = links.splitlines()[:3], json.loads("\n".join(links.splitlines()[3:]))
    assert [line.partition("; ")[2] for line in signs] == ['rel="cite-as"', 'rel="item"', 'rel="linkset"']
    assert f"{url}/projects/crops/documents/run-42" in {one["anchor"] for one in found["linkset"]}
    parts = catalogs.split("@prefix rdf:")
    assert all(len(rdflib.Graph().parse(data=f"@prefix rdf:{part}", format="turtle")) > 5 for part in parts[1:])
    assert f"{url}/sitemap.xml" in sitemap
    assert json.loads(interfaces)["linkset"]
