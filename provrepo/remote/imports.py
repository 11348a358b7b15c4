"""The verb that imports records of other tools, at a distance: files are sent as they are, folders as a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.codecs.formats import by_name, check_base, content
from provrepo.errors import RemoteError
from provrepo.importers.parts import Skipped, files_of
from provrepo.remote.connection import JSON, Connection
from provrepo.remote.decoding import decoded
from provrepo.repository import access
from provrepo.repository.imports.verbs import Imported
from provrepo.repository.records import DEFAULT, Receipt

if TYPE_CHECKING:
    from provrepo.codecs.formats import Source

__all__ = ["import_documents"]


def import_documents(
    connection: Connection,
    source: Source,
    *,
    project: str = DEFAULT,
    name: str | None = None,
    format: str | None = None,  # noqa: A002
    profiles: Sequence[str] = (),
    base: str | None = None,
    note: str = "",
    file: str | None = None,
) -> Imported:
    """Store the records of another tool, or all files of a folder or zip archive, as documents."""
    folder = isinstance(source, str | Path) and Path(source).is_dir()
    data, opened = (_zip(Path(str(source))), str(source)) if folder else content(source)
    with connection.checked(project):
        if format is not None:
            by_name(format)
        check_base(base)
        access.text("note", note)
        if name is not None:
            access.name("document", name)
    query = {
        "source": format,
        "name": name,
        "profile": list(profiles) or None,
        "base": base,
        "note": note or None,
        "file": file or opened,
    }
    answer = connection.send(
        "POST",
        connection.project(project, "import"),
        project=project,
        query=query,
        headers={**JSON, "Content-Type": "application/octet-stream"},
        content=data,
        expect=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    )
    with connection.understanding():
        found = decoded(dict[str, Any], answer.json())
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and "skipped" not in found:
            raise RemoteError(str(found.get("detail", "")))
        return Imported(
            tuple(decoded(Receipt, each) for each in found.get("receipts", ())),
            tuple(Skipped(decoded(str, each["place"]), decoded(str, each["reason"])) for each in found["skipped"]),
        )


def _zip(folder: Path) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files_of(folder):
            archive.writestr(file.path, file.read(file.size))
    return buffer.getvalue()
