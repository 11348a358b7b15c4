"""The verb that imports records of other tools, at a distance: files are sent as they are, folders as a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provrepo.codecs.formats import by_name, check_base, content
from provrepo.errors import RemoteError
from provrepo.importers.parts import Part, Skipped, collected_in, history_of
from provrepo.importers.sources import SourceFile, files_of, is_hidden, store_of
from provrepo.limits import IMPORT_BYTES
from provrepo.remote.connection import JSON, Connection
from provrepo.remote.decoding import decoded
from provrepo.repository import access
from provrepo.repository.imports.verbs import Imported, has_history, mapped_logs, mapping_beside
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
    range: str | None = None,  # noqa: A002
    mapping: str | Path | bytes | None = None,
) -> Imported:
    """Store the records of another tool, or all files of a folder or zip archive, as documents."""
    with connection.checked(project):
        if format is not None:
            by_name(format)
        check_base(base)
        access.text("note", note)
        if name is not None:
            access.name("document", name)
    options: dict[str, Any] = {"profiles": profiles, "base": base, "note": note}
    chosen = by_name(format) if format else None
    asked = has_history(source, chosen, range)
    mapping = mapping or mapping_beside(source, format)
    if mapping is not None:
        parts = mapped_logs(source, mapping, name=name, format=format, file=file)
        return _joined(
            Imported((), (part,))
            if isinstance(part, Skipped)
            else _send(connection, part.data, project, name=part.name, format=part.format, file=None, **options)
            for part in parts
        )
    several = store_of(source)
    if several is None and (not isinstance(source, str | Path) or not Path(source).is_dir()):
        data, opened = content(source)
        return _send(connection, data, project, name=name, format=format, file=file or opened, **options)
    root = Path(source) if isinstance(source, str | Path) and several is None else None
    found: list[Imported] = []
    taken: set[str] = set()

    def send(data: bytes, **about: Any) -> None:
        found.append(_send(connection, data, project, **about, **options))

    def store(part: Part | Skipped) -> None:
        if isinstance(part, Skipped):
            found.append(Imported((), (part,)))
        else:
            send(part.data, name=part.name, format=part.format, file=None)

    if asked and chosen is not None and root is not None:
        for part in history_of(root, chosen, range, most=IMPORT_BYTES, called=name):
            store(part)
        return _joined(found)
    files = files_of(root) if root is not None else [several] if several is not None else []
    for part, paths in collected_in(files, chosen, root, most=IMPORT_BYTES, called=name):
        taken |= paths
        store(part)
    rest = [each for each in files if each.path not in taken and not is_hidden(each.path)]
    if not found or (rest and not (chosen and chosen.collects)):
        send(
            _zip(rest), name=name, format=format, file=file or (str(source) if isinstance(source, str | Path) else None)
        )
    return _joined(found)


def _joined(found: Iterable[Imported]) -> Imported:
    every = list(found)
    return Imported(
        tuple(receipt for each in every for receipt in each.receipts),
        tuple(skipped for each in every for skipped in each.skipped),
    )


def _send(
    connection: Connection,
    data: bytes,
    project: str,
    *,
    name: str | None,
    format: str | None,  # noqa: A002
    file: str | None,
    profiles: Sequence[str],
    base: str | None,
    note: str,
) -> Imported:
    """Send one file or archive."""
    query = {
        "source": format,
        "name": name,
        "profile": list(profiles) or None,
        "base": base,
        "note": note or None,
        "file": file,
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


def _zip(files: Sequence[SourceFile]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(file.path, file.read(file.size))
    return buffer.getvalue()
