"""The codec of the history of a Git repository: commits, versions of files, and commands that DataLad recorded."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.commits import GIT_ROOT, read_commit
from provrepo.importers.findings import Findings
from provrepo.importers.git.history import FORMAT, history
from provrepo.importers.git.statements import Stating, state
from provrepo.importers.json_values import Problem, parse, unwritable
from provrepo.importers.names import below
from provrepo.importers.payload import state_payload
from provrepo.importers.statements import Statements, words
from provrepo.model.document import Document, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, PROVREPO, RDFS, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "history", "read"]

MAPPING = "git/1"
"""The version of the mapping from commits to statements."""

_PREFIXES = {
    "commit": f"{GIT_ROOT}commit/",
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "git": GIT_ROOT,
    "provrepo": PROVREPO,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read a history as a document.

    Args:
        data: UTF-8: the JSON object that ``history`` makes of commits.
        format: ``git``.
        base: the beginning of the IRI of the import alone; commits and their files have the same names everywhere.

    Raises:
        ReadError: not JSON, with line and column; or another object.
    """
    values = list(parse(data, FORMAT))
    found: Any = values[0][2] if len(values) == 1 and not values[0][1] else None
    if not isinstance(found, dict) or found.get("gitHistory") != 1:
        raise ReadError("no history of git: an object with gitHistory 1 is needed, as `provrepo import` makes it")
    wrong = next(unwritable(found, ""), None)
    if wrong is not None:
        raise ReadError(f"{wrong.pointer}: {wrong.message}", format=FORMAT)
    statements, findings = Statements(), Findings(FORMAT, "commit")
    problems: list[Problem] = []
    stating = Stating(statements, problems, found)
    records = stating.objects(found.get("commits"), "/commits")
    findings.add(problems, None, "")
    for place, record in records:
        problems.clear()
        commit = read_commit(stating, record, place)
        if commit is not None:
            state(stating, commit, record, place)
        findings.add(problems, None, "")
    problems.clear()
    stating.tags()
    findings.add(problems, None, "")
    for note in stating.notes():
        findings.note(note)
    root = below(base, GIT_ROOT)
    state_payload(
        statements,
        f"{root}import/{sha256(data).hexdigest()}",
        data,
        MAPPING,
        words(f"{SCHEMA}text", found.get("range")),
    )
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document
