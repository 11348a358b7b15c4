"""The codec of projects of DVC: stages that ran, the data that is tracked, parameters, metrics and experiments."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.archives import unpacked
from provrepo.importers.commits import GIT_ROOT
from provrepo.importers.dvc.records import ABOUT, FORMAT, OBJECTS, collect, is_record
from provrepo.importers.dvc.statements import ROOT, Project
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, parse, unwritable
from provrepo.importers.names import below
from provrepo.importers.payload import state_payload
from provrepo.importers.statements import Statements
from provrepo.model.document import Document, SourceBytes
from provrepo.vocab import DCAT, DCTERMS, MLS, PROVREPO, RDFS, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "collect", "read"]

MAPPING = "dvc/1"
"""The version of the mapping from the files of DVC to statements."""

_PREFIXES = {
    "commit": f"{GIT_ROOT}commit/",
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "dvc": ROOT,
    "mls": MLS,
    "provrepo": PROVREPO,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read a project of DVC as a document.

    Args:
        data: the archive that ``collect`` makes.
        format: ``dvc``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: no such archive.
    """
    files = unpacked(data, FORMAT)
    problems: list[Problem] = []
    digest = sha256(data).hexdigest()
    root = below(base, ROOT)
    statements = Statements()
    project = Project(statements, root, digest, _about(files, problems), problems)
    for path, content in files.items():
        if path == ABOUT:
            continue
        if path.startswith(OBJECTS):
            project.objects_kept[path] = content
            continue
        try:
            value = parse_yaml(content, FORMAT)
        except ReadError as error:
            line = f", line {error.line}" if error.line else ""
            # What people wrote must be readable; a former state or a file of variables is not the record itself.
            problems.append(Problem(path + line, error.message, fatal=is_record(path)))
            continue
        if (wrong := next(unwritable(value, path), None)) is not None:
            problems.append(wrong)
            continue
        project.values[path] = value
    project.state()
    state_payload(statements, f"{root}import/{digest}", data, MAPPING, [])
    findings = Findings(FORMAT, "file")
    findings.add(problems, None, "")
    for note in project.notes():
        findings.note(note)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


def _about(files: dict[str, bytes], problems: list[Problem]) -> dict[str, Any]:
    """What was found beside the files of DVC; an empty object where that cannot be read."""
    if ABOUT not in files:
        return {}
    try:
        found = next((value for _, pointer, value in parse(files[ABOUT], FORMAT) if not pointer), None)
    except (ReadError, UnicodeDecodeError) as error:
        problems.append(Problem(ABOUT, f"not read: {error}", fatal=True))
        return {}
    wrong = next(unwritable(found, ABOUT), None)
    if wrong is not None or not isinstance(found, dict):
        problems.append(wrong or Problem(ABOUT, "a JSON object is needed", fatal=True))
        return {}
    return found
