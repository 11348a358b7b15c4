"""The crates of a folder or archive: their metadata, and what their files are found to have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provrepo.codecs.formats import detect
from provrepo.errors import Error
from provrepo.importers.archives import packed
from provrepo.importers.bags import BAG, MANIFEST, is_bag
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.rocrate.graph import FORMAT, METADATA, OF_METADATA, payload_path
from provrepo.importers.sources import SourceFile, digests_of, is_hidden

__all__ = ["DOCUMENT", "OBSERVED", "collect"]

OBSERVED = "provrepo-observed.json"
"""The member of the stored archive with what was found of each file: path → size and digests."""

DOCUMENT = "provenance.json"
"""The file of a crate that provrepo wrote, with the document that it was written from, as PROV-JSON."""

_NAMES = (METADATA, "ro-crate-metadata.jsonld")
_PROV = (".provn", ".pn", ".provx", ".provjson", ".provjsonld")
_ALGORITHMS = ("md5", "sha1", "sha256")
"""Those that name contents in other tools: who has seen the file knows that they are of the same bytes."""


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:  # noqa: ARG001
    """Find the crates that describe runs. A crate is read with the digests of its files that are there.

    Documents of PROV in a crate are documents of their own.

    Args:
        files: of the folder.
        root: the folder; not needed.
    """
    paths = {file.path for file in files}
    metadata = [file for file in files if file.path.rpartition("/")[2] in _NAMES and not is_hidden(file.path)]
    folders = [file.path.rpartition("/")[0] for file in metadata]
    for file in metadata:
        folder = file.path.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        inner = [f"{other}/" for other in folders if other != folder and f"{other}/".startswith(prefix)]
        bag = prefix.removesuffix("data/")
        outside = bag if bag != prefix and is_bag(bag, paths) else prefix
        inside = [
            each
            for each in files
            if each.path.startswith(outside) and not any(each.path.startswith(other) for other in inner)
        ]
        try:
            data = file.read(file.size)
            if detect(data, METADATA).name != OF_METADATA:
                continue
            found = packed(FORMAT, _members(data, inside, prefix, outside))
        except OSError as error:
            yield Collected(Skipped(file.place, error.strerror or str(error)))
            continue
        except Error:
            continue  # no JSON that is recognized: it is read on its own, which says what is wrong
        taken = frozenset(each.path for each in inside if not each.path.lower().endswith(_PROV))
        name = outside.rstrip("/") or "crate"
        yield Collected(Part(name, found, FORMAT, outside.rstrip("/") or "the crate"), taken)


def _members(data: bytes, inside: Sequence[SourceFile], prefix: str, outside: str) -> dict[str, bytes]:
    members = {METADATA: data}
    by_path = {each.path: each for each in inside}
    if f"{prefix}{DOCUMENT}" in by_path:
        members[DOCUMENT] = by_path[f"{prefix}{DOCUMENT}"].read(by_path[f"{prefix}{DOCUMENT}"].size)
    if outside != prefix:
        for each in inside:
            name = each.path.removeprefix(outside)
            if name == BAG or MANIFEST.fullmatch(name):
                members[f"bag/{name}"] = each.read(each.size)
    observed = {
        path: {"size": by_path[f"{prefix}{path}"].size, **digests_of(by_path[f"{prefix}{path}"], _ALGORITHMS)}
        for path in sorted(_described(data))
        if f"{prefix}{path}" in by_path
    }
    if observed:
        members[OBSERVED] = json.dumps(observed, indent=1, sort_keys=True).encode()
    return members


def _described(data: bytes) -> set[str]:
    """The paths of the nodes of a crate."""
    try:
        graph = json.loads(data).get("@graph")
    except (ValueError, AttributeError, RecursionError):
        return set()  # reading it says what is wrong
    nodes = graph if isinstance(graph, list) else []
    found = {payload_path(node["@id"]) for node in nodes if isinstance(node, dict) and isinstance(node.get("@id"), str)}
    return found - {"", *_NAMES}


def observed_in(members: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What an archive says about the files of its crate: path → size and digests."""
    try:
        found = json.loads(members.get(OBSERVED, b"{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {path: each for path, each in found.items() if isinstance(path, str) and isinstance(each, dict)}
