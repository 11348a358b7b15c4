"""Provenance that other tools wrote: every file is read or refused with its place, and comes back from every format."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from provrepo.codecs import formats
from provrepo.codecs.rdf import codec as rdf
from provrepo.errors import ReadError
from provrepo.model.compare import compare
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.unmapped import uses_prov_terms
from provrepo.vocab import XSD
from tests.support.corpus import CORPUS
from tests.support.round_trip import BOTH_WAYS
from tests.support.sampling import sample

BASE = "http://base.example/"

REFUSED = {
    "nidm-specs/nidm/container/scripts/cff-sample.provn": (5, 59, "the prefix 'nidm' of"),
    # [fsl:[FSLOUTPUTTYPE] = …]: a bracket too many.
    "nidm-specs/nidm/nidm-workflow/nipype-bet.provn": (47, 65, "expected ',' or ']'"),
    # Turtle that was escaped for a page: @prefix rdfs: &lt;http://…&gt;
    **{
        f"timrdf-prov-o/components/services/prov-o/includes/{name}.ttl": (1, 15, "'&' is not allowed")
        for name in (
            "eg-9-provrdf-owl-coverage.html",
            "eg16-journalism-qualified-association",
            "eg16-journalism-qualified-derivation",
            "eg16-journalism-qualified-generation",
            "eg16-journalism-qualified-usage",
            "eg16-journalism-simple-without-comments",
        )
    },
}
"""Malformed files, with the location and the message of the error."""

NOT_IN_JSON = {
    # prov:startTime and prov:endTime of an activity: not PROV-O's names, so attributes in RDF; arguments in PROV-JSON.
    "nidm-specs/nidm/nidm-workflow/nipype-bet.ttl",
}
"""RDF files with PROV statements that PROV-JSON cannot represent, by ``losses``."""

FOLDERS = {
    "documents": CORPUS / "documents",
    "cwltool": CORPUS.parent / "fixtures" / "cwltool" / "ro" / "metadata",
    "runcrate": CORPUS.parent / "fixtures" / "runcrate",
    "rocrate": CORPUS.parent / "fixtures" / "rocrate",
}


def _files() -> list[str]:
    return [
        f"{folder}/{path.relative_to(root).as_posix()}"
        for folder, root in FOLDERS.items()
        for path in sorted(root.rglob("*"))
        if path.is_file() and formats.by_suffix(path) is not None and (folder == "documents" or _is_prov(path))
    ]


def _is_prov(path: Path) -> bool:
    """Whether a file of a run that lies there whole is its provenance, and not its data."""
    return path.parent.name == "provenance" or path.name in ("manifest.json", "ro-crate-metadata.json")


FILES = _files()
READABLE = [name for name in FILES if name.removeprefix("documents/") not in REFUSED]
SAMPLE = sample(READABLE, 120)

pytestmark = pytest.mark.skipif(
    not FOLDERS["documents"].is_dir(), reason="no documents in the corpus: set PROVREPO_CORPUS to where it lies"
)


def path(name: str) -> Path:
    folder, _, rest = name.partition("/")
    return FOLDERS[folder] / rest


@cache
def document(name: str) -> Document:
    return formats.read(path(name), base=BASE)


def is_rdf(name: str) -> bool:
    source = document(name).format
    return source is not None and formats.by_name(source).rdf


def test_the_corpus_is_there() -> None:
    assert sum(name.startswith("documents/") for name in FILES) > 300
    assert len(FILES) - len(READABLE) == len(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_malformed_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(ReadError) as raised:
        formats.read(FOLDERS["documents"] / name, base=BASE)
    assert (raised.value.line, raised.value.column) == REFUSED[name][:2]
    assert REFUSED[name][2] in raised.value.message


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_every_format_without_losses_gives_it_back(name: str) -> None:
    original = document(name)
    carried = []
    for format_ in BOTH_WAYS:
        if not all(loss.kept for loss in original.losses(format_.name)):
            continue
        again = formats.read(original.write(format_.name), format=format_.name)
        found = compare(original, again)
        assert found.same, f"{format_.name}: {found.difference}"
        # Parts that are not read are named, and not kept.
        unread = Counter(part.reason for part in original.unmapped.unread)
        assert original.unmapped.reasons - unread == again.unmapped.reasons, format_.name
        carried.append(format_.name)
    # Two bundles of one identifier are the only thing here that RDF datasets cannot represent.
    assert "nquads" in carried or not is_rdf(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_every_quad_in_is_a_quad_out_in_its_spelling(name: str) -> None:
    source = document(name)
    if not is_rdf(name) or source.format is None:
        pytest.skip("not RDF")
    before = rdf.parse(path(name).read_bytes(), source.format, BASE).quads
    assert lost(before, rdf.parse(source.write("trig"), "trig").quads) == []
    # A qualified name in a literal is written where there are prefixes for it, and as an identifier elsewhere.
    plain = [quad for quad in before if not isinstance(quad.object, Literal) or quad.object.datatype != XSD + "QName"]
    assert lost(plain, rdf.parse(source.write("nquads"), "nquads").quads) == []
    if all(quad.graph is None for quad in before):
        assert lost(before, rdf.parse(source.write("turtle"), "turtle").quads) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_rdf_keeps_every_prov_statement_through_prov_json(name: str) -> None:
    original = document(name)
    if not is_rdf(name):
        pytest.skip("not RDF")
    through = formats.read(original.write("provjson"), format="provjson")
    back = formats.read(through.write("trig"), format="trig")
    found = compare(original, back)
    if name.removeprefix("documents/") in NOT_IN_JSON:
        assert not found.same
        assert any("as an argument" in loss.reason for loss in original.losses("provjson"))
    elif any(uses_prov_terms(quad, reason) for quad, reason in original.unmapped.triples()):
        # Only unmapped triples with terms of PROV are missing, and the difference lists them.
        assert not found.same
        assert not found.difference.right
        assert not found.difference.changed
        assert all(line.startswith("triple(") for line in found.difference.left)
        assert any("that make no statement" in loss.reason for loss in original.losses("provjson"))
    else:
        assert found.same, str(found.difference)


def lost(before: list[Quad], after: list[Quad]) -> list[Quad]:
    """The quads of one list that the other lacks, whatever its blank nodes are called.

    A blank node is preserved if some node in the same positions has all of its triples.
    """
    everything = set(after)
    named = [quad for quad in before if not any(_blank(term) for term in (quad.subject, quad.object, quad.graph))]
    missing = [quad for quad in named if quad not in everything]
    about: dict[object, list[Quad]] = defaultdict(list)
    for quad in before:
        about[quad.subject].append(quad)
    theirs: dict[object, list[Quad]] = defaultdict(list)
    leading: dict[object, list[Quad]] = defaultdict(list)
    for quad in after:
        theirs[quad.subject].append(quad)
        leading[quad.predicate, quad.graph].append(quad)

    def same_node(one: object, other: object, depth: int) -> bool:
        """Whether two nodes have the same triples, including those of the blank nodes below."""
        if not _blank(one):
            return one == other
        if not _blank(other):
            return False
        return depth == 0 or all(
            any(
                quad.predicate == triple.predicate and same_node(triple.object, quad.object, depth - 1)
                for quad in theirs[other]
            )
            for triple in about[one]
        )

    for quad in before:
        if quad in named:
            continue
        candidates = theirs[quad.subject] if not _blank(quad.subject) else leading[quad.predicate, quad.graph]
        if not any(
            quad.predicate == other.predicate
            and (quad.graph == other.graph or (_blank(quad.graph) and _blank(other.graph)))
            and same_node(quad.subject, other.subject, 4)
            and same_node(quad.object, other.object, 4)
            for other in candidates
        ):
            missing.append(quad)
    return missing


def _blank(term: object) -> bool:
    return isinstance(term, Identifier) and term.startswith("_:")


def test_what_is_lost_would_be_found() -> None:
    before = rdf.parse(b'<u:a> <u:p> [ <u:q> "x"@de-AT ; <u:r> <u:b> ] , "007" .', "turtle").quads
    assert lost(before, before[::-1]) == []
    assert lost(before, [quad for quad in before if quad.predicate != "u:r"])
    assert lost(before, rdf.parse(b'<u:a> <u:p> [ <u:q> "x"@de-at ; <u:r> <u:b> ] , "007" .', "turtle").quads)
    assert lost(before, rdf.parse(b'<u:a> <u:p> [ <u:q> "x"@de-AT ; <u:r> <u:b> ] , "7" .', "turtle").quads)
