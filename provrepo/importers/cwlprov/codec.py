"""The codec of CWLProv: the research object that ``cwltool --provenance`` writes, with the bag that it is.

Its document of PROV is in ``metadata/provenance/`` in six formats. The best of them is read, what is known to be wrong
in it is mended (``mending.py``), and its contents are joined with those of the files that are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from provrepo.codecs.formats import Format, by_name, by_suffix
from provrepo.codecs.guards import prepared
from provrepo.errors import ReadError
from provrepo.importers.archives import packed, unpacked
from provrepo.importers.bags import BAG, MANIFEST, digests_in
from provrepo.importers.cwlprov.mending import Mending
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem
from provrepo.importers.names import below
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.payload import state_payload
from provrepo.importers.sources import SourceFile, digests_of, is_hidden
from provrepo.importers.statements import Statements
from provrepo.model.document import Document, ReaderWarning
from provrepo.words import counted

__all__ = ["FORMAT", "MAPPING", "ROOT", "collect", "read"]

FORMAT = "cwlprov"
MAPPING = "cwlprov/1"
"""The version of the mapping, which a better one raises."""

ROOT = "https://w3id.org/provrepo/cwlprov/"
"""The beginning of minted names, where the caller gives no base IRI; the digest of the archive follows."""

OBSERVED = "provrepo-observed.json"
"""The member of the stored archive with what was found of the files in ``data/``: SHA-1 in their name → digests."""

_PRIMARY = "metadata/provenance/primary.cwlprov."
_BEST = ("provn", "json", "xml", "ttl", "nt", "jsonld")
"""Suffixes, the best first: in the RDF of cwltool, associations have lost their plans, and numbers their precision."""

_KEPT = ("workflow/primary-job.json", "workflow/primary-output.json")
_ALGORITHMS = ("md5", "sha1", "sha256")


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """Find the research objects of a folder; all of their files belong to them.

    Args:
        files: of the folder.
        root: the folder; not needed.
    """
    by_path = {file.path: file for file in files if not is_hidden(file.path)}
    folders = sorted({path[: path.index(_PRIMARY)] for path in by_path if _of_research_object(path)})
    for folder in folders:
        inside = {path.removeprefix(folder): file for path, file in by_path.items() if path.startswith(folder)}
        place = folder.rstrip("/") or "the research object"
        try:
            data = packed(FORMAT, _members(inside))
        except OSError as error:
            yield Collected(Skipped(place, error.strerror or str(error)))
            continue
        yield Collected(Part(folder.rstrip("/") or FORMAT, data, FORMAT, place), frozenset(map(folder.__add__, inside)))


def _of_research_object(path: str) -> bool:
    before, found, suffix = path.partition(_PRIMARY)
    return bool(found) and suffix in _BEST and (not before or before.endswith("/"))


def _members(inside: Mapping[str, SourceFile]) -> dict[str, bytes]:
    suffix = next(each for each in _BEST if f"{_PRIMARY}{each}" in inside)
    kept = [
        path
        for path in inside
        if path in (BAG, *_KEPT)
        or MANIFEST.fullmatch(path)
        or (path.startswith("metadata/provenance/") and path.endswith(f".cwlprov.{suffix}"))
    ]
    members = {path: inside[path].read(inside[path].size) for path in kept}
    observed = {
        path.rpartition("/")[2]: {"size": file.size, **digests_of(file, _ALGORITHMS)}
        for path, file in sorted(inside.items())
        if path.startswith("data/")
    }
    if observed:
        members[OBSERVED] = json.dumps(observed, indent=1, sort_keys=True).encode()
    return members


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
    """Read a research object as a document.

    Args:
        data: an archive that ``collect`` made of it.
        format: ``cwlprov``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: no such archive, or its document of PROV cannot be read, with line and column.
    """
    members = unpacked(data, format)
    documents = [_provenance(members, path) for path in _documents(members)]
    if not documents:
        raise ReadError(f"the archive has no {_PRIMARY}*", format=FORMAT)
    digest = sha256(data).hexdigest()
    problems: list[Problem] = []
    known, wrong = _known(members, problems)
    mending = Mending(below(base, f"{ROOT}{digest}/"), known, _names(members, problems))
    statements = mending.mended(each for document in documents for each in document.statements)
    payload = Statements()
    state_payload(payload, f"{below(base, ROOT)}import/{digest}", data, MAPPING, [])
    made = payload.document({})
    document = Document([*made.statements, *statements], prefixes=dict(documents[0].prefixes))
    document.bundles = [bundle for each in documents for bundle in each.bundles]
    document.warnings = [warning for each in documents for warning in each.warnings]
    findings = Findings(FORMAT, "research object")
    findings.add([*problems, *wrong], None, "")
    document.warnings += findings.warnings()
    document.warnings += [ReaderWarning(text, None, None, f"{FORMAT}:mended") for text in mending.findings()]
    if mending.zoneless:
        text = f"{counted(mending.zoneless, 'time')} without a zone: compared with others they may be off by hours"
        document.warnings.append(ReaderWarning(text, None, None, f"{FORMAT}:no-zone"))
    return document


def _documents(members: Mapping[str, bytes]) -> list[str]:
    """The documents of PROV, that of the primary run first, in the format in which they are there."""
    found = sorted(path for path in members if path.startswith("metadata/provenance/"))
    return sorted(found, key=lambda path: not path.startswith(_PRIMARY))


def _provenance(members: Mapping[str, bytes], path: str) -> Document:
    format_ = by_suffix(path) or by_name("provjson")
    if path.endswith(".jsonld"):
        format_ = by_name("rdfjsonld")  # cwltool writes PROV-O
    return _read(members[path], format_, path)


def _read(data: bytes, format_: Format, path: str) -> Document:
    try:
        return format_.codec().read(prepared(data, format_.name), format=format_.name, base=None)
    except ReadError as error:
        raise ReadError(f"{path}: {error.message}", line=error.line, column=error.column, format=FORMAT) from error


def _known(members: Mapping[str, bytes], problems: list[Problem]) -> tuple[dict[str, dict[str, object]], list[Problem]]:
    """SHA-1 of a file in the bag → its size and digests; and what is wrong with the bag."""
    wrong: list[Problem] = []
    digests, malformed = digests_in(members)
    problems += [Problem(place, message) for place, message in malformed]
    known: dict[str, dict[str, object]] = {}
    for name, found in _json(members, OBSERVED, problems).items():
        if not isinstance(found, dict):
            continue
        if found.get("sha1") == name:
            known[name] = found
        else:
            wrong.append(Problem(f"data/{name[:2]}/{name}", "the file has another SHA-1: it was changed since"))
    for path, stated in digests.items():
        name = path.rpartition("/")[2]
        if stated.get("sha1", name) != name and path.startswith("data/"):
            wrong.append(Problem("manifest-sha1.txt", f"{path} has another SHA-1 than its name"))
        elif path.startswith("data/"):
            known.setdefault(name, dict(stated))
    return known, wrong


def _names(members: Mapping[str, bytes], problems: list[Problem]) -> dict[str, str]:
    """SHA-1 of a file → the name that the job or the output of the workflow gives it."""
    found: dict[str, str] = {}
    for path in _KEPT:
        for each in _files(_json(members, path, problems)):
            checksum, name = each.get("checksum"), each.get("basename")
            if isinstance(checksum, str) and checksum.startswith("sha1$") and isinstance(name, str):
                found.setdefault(checksum.removeprefix("sha1$"), name)
    return found


def _json(members: Mapping[str, bytes], path: str, problems: list[Problem]) -> dict[str, object]:
    try:
        found = json.loads(members.get(path, b"{}"))
    except (ValueError, RecursionError):
        problems.append(Problem(path, "not JSON; it is not read"))
        return {}
    return found if isinstance(found, dict) else {}


def _files(value: object) -> Iterable[dict[str, object]]:
    """The files in the inputs or outputs of a workflow, at any depth."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if each.get("class") == "File":
                yield each
            left += each.values()
        elif isinstance(each, list):
            left += each
