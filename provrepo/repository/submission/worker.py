"""The function that reads, checks and converts the bytes of a submission to quads, in a worker process.

The process with the ledger parses only bytes that a worker has accepted before. It passes the path of the bytes, and
receives a JSON object and a file of N-Quads.
"""

from __future__ import annotations

import logging
import time
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provrepo.checks.emptiness import only_empty
from provrepo.importers.openlineage import index as openlineage
from provrepo.model.document import Document
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.minting import Minter
from provrepo.views.extraction import Extractor, extraction_file, move
from provrepo.vocab import DCTERMS, PROV, PROV_LABEL, PROV_TYPE, PROVREPO
from provrepo.workers.blob import read_blob

__all__ = ["MAPPING", "run", "run_several"]

_log = logging.getLogger("provrepo.repository.submission.worker")

MAPPING = "prov-o/1"
"""The version of the mapping from statements to quads, which each submission records."""


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
    table: str | None = None,
) -> dict[str, Any]:
    """Read a document, check it, and write its quads.

    Args:
        source: the path of the bytes.
        name: the submitted file name, by which the format is detected.
        format: the name of the format; detected by default.
        base: the IRI against which relative IRIs are resolved.
        check: whether to check the document; not needed for accepted submissions.
        profiles: the folders of the SHACL profiles to check it against, extended profiles first.
        constraints: ``gate``, ``report`` or ``off``; None for the effect that the profiles define.
        without_profiles: the value of ``constraints`` if there are no profiles either. Submissions are accepted with
            violations in the report (``report``), because existing tools write them; other checks fail (``gate``).
        target: where to write the quads (see ``content_files.target``): ``output`` (a path), ``partial`` (a temporary
            path of this call, since others may submit the same; ``output`` itself where that is one), ``version`` (its
            IRI), ``blob`` (SHA-256), ``minting`` (base IRI and identity, from which IRIs of blank nodes are minted).
            The data that views index goes to ``extraction_file`` of both paths. Nothing is written for None, or if the
            document fails.
        table: the path of the table of its statements (see ``repository.statements.table``), for which the same holds.
        allow_empty: for a submission without statements, False refuses it, and True accepts it even if its profiles
            do not. None for a check without submission.

    Returns:
        ``format``, ``statements``, ``title``, ``report`` (None without a check), ``accepted`` (whether it conforms,
        or is accepted although it is empty), ``written`` (whether quads were written), ``seconds`` (by step).

    Raises:
        ReadError: the bytes cannot be read.
        Damaged: the bytes do not have the digest ``target["blob"]``.
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
        from provrepo.checks.validation import check as check_document

        report = check_document(
            document,
            profiles=[read_profile(Path(folder)) for folder in profiles or []],
            constraints=constraints,
            without_profiles=without_profiles,
            allow_empty=allow_empty is not False,
            source=data,
        )
    checked = time.perf_counter()
    accepted = report is None or report.conforms or (bool(allow_empty) and only_empty(report))
    if table is not None and accepted:
        from provrepo.repository.statements.table import write as write_table

        write_table(document, Path(table))
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
        extraction = extractor.extraction()
        if chosen.name == openlineage.FORMAT:
            extraction.openlineage = openlineage.indexed(data)
        extraction.write(extraction_file(partial))
        if partial != output:
            move(partial, output)
    return {
        "format": chosen.name,
        "statements": len(document),
        "title": title(document),
        "report": None if report is None else report.to_dict(),
        "accepted": accepted,
        "written": written,
        "seconds": {
            "read": read - started,
            "check": checked - read,
            "quads": time.perf_counter() - checked,
        },
    }


def run_several(calls: list[dict[str, Any]]) -> None:
    """Call ``run`` for several documents that were accepted before, to write their quads.

    One that fails has no file afterwards. The caller repeats it alone, and learns the reason.

    Args:
        calls: the arguments for each of them.
    """
    for arguments in calls:
        try:
            run(**arguments)
        except MemoryError:  # the pool replaces this process
            raise
        except Exception as error:  # noqa: BLE001 (one document must not take the others with it)
            _log.info("%s is left to a call of its own: %s", arguments["source"], error)


def _name_bundles(file: Path, version: Identifier, bundles: Iterable[tuple[Identifier, Identifier]]) -> None:
    """Append the bundle of each graph. Graphs have minted IRIs, since two documents may use one bundle identifier."""
    graph = Minter.completed(version)
    with file.open("a", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"<{minted}> <{PROVREPO}bundle> <{bundle}> <{graph}> .\n" for minted, bundle in bundles)


_TITLES = (Identifier(DCTERMS + "title"), Identifier(PROV_LABEL))
_BUNDLE = (Identifier(PROV_TYPE), Identifier(PROV + "Bundle"))


def title(document: Document) -> str:
    """Return the title of a document: the title or label of a bundle that it describes, at most 200 characters."""
    for statement in document.statements:
        if statement.kind.element and _BUNDLE in statement.attributes:
            for wanted in _TITLES:
                for attribute, value in statement.attributes:
                    if attribute == wanted and isinstance(value, Literal) and value.lexical.strip():
                        return " ".join(value.lexical.split())[:200]
    return ""
