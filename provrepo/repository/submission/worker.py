"""Read → check → quads: everything that touches a submission's bytes, as one function run in a worker process.

The process that keeps the ledger parses nothing that a worker has not read and accepted before. It hands over a path,
and gets back plain JSON and the path of a file of N-Quads.
"""

from __future__ import annotations

import time
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provrepo.checks.emptiness import only_empty
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.minting import Minter
from provrepo.views.extraction import Extractor, extraction_file
from provrepo.vocab import DCTERMS, PROV, PROV_LABEL, PROV_TYPE, PROVREPO
from provrepo.workers.blob import read_blob

__all__ = ["MAPPING", "run"]

MAPPING = "prov-o/1"
"""Version of the mapping from statements to quads; recorded with each submission."""


def run(
    source: str,
    *,
    name: str | None = None,
    format: str | None = None,  # noqa: A002
    base: str | None = None,
    check: bool = True,
    profiles: list[str] | None = None,
    constraints: str | None = None,
    without_profiles: typing.Literal["gate", "report"] = "gate",
    allow_empty: bool | None = None,
    target: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Read a document, check it, and write its quads.

    Args:
        source: path of the bytes.
        name: the file name under which they came, for detecting the format.
        format: a format's name; detected where it is not given.
        base: against which relative IRIs are resolved.
        check: whether to check; not when entries that were accepted before are indexed again.
        profiles: folders of the SHACL profiles to hold it against, what is extended first.
        constraints: ``gate``, ``report`` or ``off``; None leaves it to the profiles.
        without_profiles: what ``constraints`` is where there are no profiles either. What is submitted is then told of
            violations and accepted (``report``), because real tools write them; what is only checked fails.
        target: where the quads go: ``output`` (a path), ``partial`` (a path of this call's own, where they are written
            first: others may submit the same; what views index of them goes to ``extraction_file`` of both),
            ``version`` (its IRI), ``blob`` (SHA-256), ``minting`` (base IRI and
            identity, with which blank nodes are named). Without one, or where the document fails, no quads are
            written.
        allow_empty: what a submission says of a document without statements: False refuses it, True stores it whatever
            the profiles ask. None where it is only checked.

    Returns:
        ``format``, ``statements``, ``title``, ``report`` (None where nothing was checked), ``written`` (whether there
        are quads), ``seconds`` (by step).

    Raises:
        ReadError: the bytes cannot be read.
        Damaged: they are not those of the blob that ``target`` names.
    """
    from provrepo.codecs import formats
    from provrepo.codecs.rdf import dataset

    started = time.perf_counter()
    data = Path(source).read_bytes() if target is None else read_blob(Path(source), target["blob"])
    chosen = formats.by_name(format) if format else formats.detect(data, name)
    document, quads = dataset.read_for_dataset(data, chosen, base)
    read = time.perf_counter()

    report = None
    if check:
        from provrepo.checks.profiles import read as read_profile
        from provrepo.checks.validation import check as judge

        report = judge(
            document,
            profiles=[read_profile(Path(folder)) for folder in profiles or []],
            constraints=constraints,
            without_profiles=without_profiles,
            allow_empty=allow_empty is not False,
            source=data,
        )
    checked = time.perf_counter()

    accepted = report is None or report.conforms or (bool(allow_empty) and only_empty(report))
    written = target is not None and accepted
    if target is not None and written:
        minter = Minter(**target["minting"])
        version, output = Identifier(target["version"]), Path(target["output"])
        partial = Path(target["partial"])
        extractor = Extractor()
        counts = dataset.write_nquads(
            data,
            document,
            chosen,
            base,
            version=version,
            mint_blank=lambda number: minter.genid(target["blob"], number),
            output=partial,
            quads=quads,
            observe=extractor.add,
        )
        _name_bundles(partial, version, counts.bundles)
        extractor.extraction().write(extraction_file(partial))
        # The content file last: where it is, the other is too.
        extraction_file(partial).replace(extraction_file(output))
        partial.replace(output)
    return {
        "format": chosen.name,
        "statements": len(document),
        "title": title(document),
        "report": None if report is None else report.to_dict(),
        "written": written,
        "seconds": {
            "read": read - started,
            "check": checked - read,
            "quads": time.perf_counter() - checked,
        },
    }


def _name_bundles(file: Path, version: Identifier, bundles: Iterable[tuple[Identifier, Identifier]]) -> None:
    """Say which bundle each graph holds: their graphs are minted, because two documents may use one identifier."""
    graph = Minter.completed(version)
    with file.open("a", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"<{holder}> <{PROVREPO}bundle> <{bundle}> <{graph}> .\n" for holder, bundle in bundles)


_TITLES = (Identifier(DCTERMS + "title"), Identifier(PROV_LABEL))
_BUNDLE = (Identifier(PROV_TYPE), Identifier(PROV + "Bundle"))


def title(document: Document) -> str:
    """What the document calls itself: the title or label of the bundle it describes, at most 200 characters."""
    for statement in document.statements:
        if statement.kind.element and _BUNDLE in statement.attributes:
            for wanted in _TITLES:
                for attribute, value in statement.attributes:
                    if attribute == wanted and isinstance(value, Literal) and value.lexical.strip():
                        return " ".join(value.lexical.split())[:200]
    return ""
