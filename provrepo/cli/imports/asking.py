"""A server of another tool, which is asked for its documents; each is imported as it comes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

from provrepo.codecs.formats import by_name
from provrepo.errors import UsageError

if TYPE_CHECKING:
    from provrepo.importers.parts import Asking, Skipped
    from provrepo.repository.imports.verbs import Imported
    from provrepo.repository.records import Receipt
    from provrepo.repository.repository import Repository

__all__ = ["asked", "asks"]


def asks(source: str, format_: str | None) -> bool:
    """Whether a source is the URL of a server of the tool whose format is named."""
    return source.startswith(("http://", "https://")) and format_ is not None and by_name(format_).asks


def asked(repository: Repository, url: str, chosen: Collection[str], options: dict[str, Any]) -> Imported:
    """Import what a server has.

    Args:
        repository: where it is stored, which may be at a distance: the server is asked from here.
        url: the address of the server.
        chosen: what of it, by the names of the tool; all without any.
        options: of ``import_documents``; ``format`` names the tool.

    Raises:
        UsageError: the URL is none of a server.
        Error: the server cannot be reached, or is none of the tool.
    """
    from provrepo.importers.parts import Part
    from provrepo.repository.imports.verbs import Imported

    receipts: list[Receipt] = []
    skipped: list[Skipped] = []
    if "?" in url or "#" in url:
        raise UsageError("give the address of the server, without a query")
    for part in cast("Asking", by_name(options["format"]).codec()).ask(url, chosen):
        if isinstance(part, Part):
            name = "-".join(filter(None, (options["name"], part.name)))
            found = repository.import_documents(part.data, **(options | {"name": name}))
            receipts += found.receipts
            skipped += found.skipped
        else:
            skipped.append(part)
    return Imported(tuple(receipts), tuple(skipped))
