"""The story of `examples/seven-tools`: records of seven tools are joined by the contents of one file."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.importers.contents import content_of
from tests.support.paths import ROOT
from tests.support.transcripts import play, same

README = ROOT / "examples" / "seven-tools" / "README.md"
DIGESTS = {
    "md5": "24394e434866823e1367e511a54aa482",
    "sha1": "653168802175a37572892c44a8128a1d53a67a39",
    "sha256": "f8afde172821fb322d42be1e3761af11f53698e9c403c75a9550eaa524d8dfea",
}


@pytest.mark.slow
def test_the_story_shows_real_output_and_joins_every_tool_that_knows_a_hash(tmp_path: Path) -> None:
    compared = 0
    for step, printed in play(README.read_text("utf-8"), tmp_path):
        if step.printed is not None:
            assert same(step.printed, printed), f"$ {step.command}\n{printed}"
            compared += 1
    assert compared >= 11
    with provrepo.open(tmp_path / "data") as repository:
        found = [
            (source.document.partition("-")[0], node.label)
            for algorithm, digest in DIGESTS.items()
            for node in repository.lineage(str(content_of(algorithm, digest)), direction="downstream").nodes
            for source in node.sources
        ]
    models = {tool for tool, label in found if label.startswith("model") or label.endswith("#main/train")}
    assert models == {"datalad", "flow", "cwltool", "rocrate", "attestation"}, (
        "the lineage of each model leads to the file"
    )
    assert {tool for tool, _ in found} == models | {"season", "large"}, (
        "Git and Git LFS keep the file and make no model"
    )
