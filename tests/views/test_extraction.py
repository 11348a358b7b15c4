"""The extraction for lineage and search: from quads in memory and from the content file it is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from provrepo.errors import Error
from provrepo.model.document import Document
from provrepo.model.minting import Minter
from provrepo.repository.submission import worker
from provrepo.views.contract import BASE, extract
from provrepo.views.extraction import Extraction, extraction_file
from tests.support.corpus import corpus
from tests.support.paths import ROOT
from tests.support.sampling import examples
from tests.support.strategies import documents


def check(source: Path) -> Extraction:
    """Compare both extractions of one file; returns the extraction."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "content.nq"
        target = {
            "output": str(output),
            "partial": str(output.with_suffix(".part")),
            "version": str(Minter(BASE).version("p", "d", 1)),
            "blob": hashlib.sha256(source.read_bytes()).hexdigest(),
            "minting": {"base": BASE, "identity": ""},
        }
        worker.run(str(source), name=source.name, check=False, target=target)
        assert sorted(file.name for file in Path(folder).iterdir()) == ["content.json", "content.nq"]
        found, wanted = Extraction.read(extraction_file(output)), extract(output.read_bytes())
    assert found.kinds == wanted.kinds
    assert found.labels == wanted.labels
    assert found.types.keys() == wanted.types.keys()
    assert {k: sorted(v) for k, v in found.identifiers.items()} == {k: sorted(v) for k, v in wanted.identifiers.items()}
    assert _plain(found) == _plain(wanted)
    return found


def _plain(extraction: Extraction) -> dict[tuple[int, int], dict[tuple[str, str], list[int]]]:
    return {key: {pair: sorted(times) for pair, times in pairs.items()} for key, pairs in extraction.edges.items()}


def test_documents_about_one_rule_each() -> None:
    found = [check(file) for file in sorted((ROOT / "tests" / "constraints").glob("*.provn"))]
    assert len({rule for extraction in found for rule, _ in extraction.edges}) > 15
    assert any(graph > 0 for extraction in found for _, graph in extraction.edges)
    assert any(
        times != [0] for extraction in found for pairs in _plain(extraction).values() for times in pairs.values()
    )


def test_documents_of_the_corpus() -> None:
    checked = 0
    for file in sorted(corpus("prov-suite-testcases").rglob("*.*")):
        if file.is_file() and file.suffix in (".provn", ".ttl", ".trig", ".json", ".provx", ".jsonld"):
            try:
                check(file)
            except Error:
                continue
            checked += 1
    assert checked > 100


@settings(max_examples=examples(100))
@given(documents())
def test_any_document(document: Document) -> None:
    with TemporaryDirectory() as folder:
        source = Path(folder) / "document.provn"
        source.write_bytes(document.write("provn"))
        check(source)
