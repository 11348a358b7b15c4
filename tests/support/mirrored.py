"""Mirrors without a network: the blobs of one repository for another in the same process."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provrepo.errors import NotFound
from provrepo.repository.exchange import serving
from provrepo.repository.exchange.begin import begin_mirror
from provrepo.repository.exchange.import_entries import Imported, import_entries
from provrepo.repository.repository import Repository

URL = "https://lab-a.example/projects/crops"


class LocalBlobs:
    """The blobs that a caller may read of a project of another repository.

    Attributes:
        asked: the digests that were requested.
        lies: digest → bytes that are sent for it.
    """

    parallel = 2

    def __init__(self, source: Repository, project: str = "crops") -> None:
        self.asked: list[str] = []
        self.lies: dict[str, bytes] = {}
        self._source = source
        self._project = project

    def fetch(self, digest: str, file: Path, most: int | None) -> str | None:
        self.asked.append(digest)
        if digest in self.lies:
            file.write_bytes(self.lies[digest])
            return None
        try:
            shutil.copyfile(serving.blob(self._source.context, self._project, digest), file)
        except NotFound as error:
            return str(error)
        return None


def entries(source: Repository, project: str = "crops", after: int = 0) -> list[bytes]:
    return serving.entry_bytes(source.context, project, after=after)


def copy(
    target: Repository,
    source: Repository,
    name: str = "copy",
    project: str = "crops",
    sent: Iterable[bytes] | None = None,
    **options: Any,
) -> Imported:
    """Mirror a project, or continue: all of its entries, or those that are given."""
    origin = serving.origin(source.context, project)
    begin_mirror(target.context, name, origin, url=URL, **options)
    blobs = LocalBlobs(source, project)
    return import_entries(target.context, name, entries(source, project) if sent is None else sent, blobs)


def differences(target: Repository, source: Repository, name: str = "copy", project: str = "crops") -> list[str]:
    """What of a project differs in its mirror, entry for entry and blob for blob."""
    found = []
    if entries(target, name) != entries(source, project):
        found.append("the entries differ")
    there, here = source.documents(project, withdrawn=True), target.documents(name, withdrawn=True)
    if [_plain(info.to_dict()) for info in there] != [_plain(info.to_dict()) for info in here]:
        found.append("the documents differ")
    for info in there:
        versions = source.history(project, info.name)
        if [_plain(one.to_dict()) for one in versions] != [
            _plain(one.to_dict()) for one in target.history(name, info.name)
        ]:
            found.append(f"the versions of {info.name} differ")
        for one in versions:
            if one.state == "erased":
                if target.context.store.blobs.exists(one.sha256):
                    found.append(f"{one.name}@{one.version} was erased and is here")
            elif source.context.store.blobs.get(one.sha256) != target.context.store.blobs.get(one.sha256):
                found.append(f"the bytes of {one.name}@{one.version} differ")
            elif source.report(project, one.name, one.version) != target.report(name, one.name, one.version):
                found.append(f"the reports of {one.name}@{one.version} differ")
    return found


def _plain(value: Any) -> Any:
    """A record without what differs on purpose: the name of the project, and texts beside the ledger."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in ("project", "internal_reason", "mirror")}
    return value
