"""The examples of docs/how-to/work-at-a-distance.md have the results that the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import provrepo
from tests.support.command import environment
from tests.support.distance import started
from tests.support.paths import ROOT
from tests.support.transcripts import Shell, same, steps

PAGE = ROOT / "docs" / "how-to" / "work-at-a-distance.md"


def test_the_page_shows_real_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text("utf-8")
    with provrepo.open(tmp_path / "data") as repository:
        token, _ = repository.create_token("ada")
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(r"(?s)<!-- file: (\S+) -->\n```\w*\n(.*?)```", text):
        Path(name).write_text(content, "utf-8")
    with started(tmp_path / "data") as url:

        def here(command: str) -> str:
            return command.replace("https://prov.example/", url).replace("pvr_...", token)

        with Shell(tmp_path, environment(HOME=str(tmp_path))) as shell:
            for step in steps(text):
                printed = shell.run(here(step.command))
                assert step.printed is None or same(step.printed, printed), f"$ {step.command}\n{printed}"
        (block,) = re.findall(r"(?s)```python\n(.*?)```", text)
        found: dict[str, object] = {}
        with provrepo.connect(url, token=token) as repository:
            assert repository.document("crops", "run").withdrawn
        again = block.replace("update=True", "update=True, again=True")
        exec(compile(here(again), str(PAGE), "exec"), found)
    assert len(found["rows"]) == 2  # type: ignore[arg-type]
