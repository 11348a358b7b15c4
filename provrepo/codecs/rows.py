"""A row of the table of formats (``provrepo.codecs.formats``)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from provrepo.model.document import Document, Loss

__all__ = ["Codec", "Format"]


class Codec(Protocol):
    """The functions of a format's module; ``format`` is the name of a row of the table.

    A module whose formats can only be read has ``read`` alone.
    """

    def read(self, data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002
        """The document in some bytes. Raises ReadError, with line and column if known."""

    def write(self, document: Document, *, format: str) -> bytes:  # noqa: A002
        """A document as bytes, the same bytes for the same document."""

    def losses(self, document: Document, *, format: str) -> list[Loss]:  # noqa: A002
        """What the format cannot represent of the document, beyond the losses that ``formats.losses`` adds."""


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    Attributes:
        name: its identifier for callers.
        title: its name for people.
        suffixes: file name endings, the usual one first.
        media_types: the registered one first; a media type may carry a ``profile`` parameter.
        rdf: whether it is a serialization of RDF, that is, of PROV-O.
        bundles: whether it can represent bundles.
        module: the module below ``provrepo``, imported at its first use.
        specification: the URL of the definition of the format.
        reads: whether documents can be read from it.
        writes: whether documents can be written in it. Formats of other tools may be read only.
        keys: sets of keys of a JSON object, by each of which documents of another tool are recognized.
        folder: names of files by which a folder is recognized, if a document is a folder of another tool. The bytes of
            such a document are an archive of the folder (``provrepo.importers.archives``).
        members: patterns of the paths of further files of the folder that belong to the document.
        collects: whether its module has ``collect``, which finds its documents among the files of a folder
            (``provrepo.importers.parts.Collected``).
        history: whether its module has ``history``, which asks a program for the documents of a folder, if the format
            is named (``provrepo.importers.parts.history_of``).
        asks: whether its module has ``ask``, which asks a server of the tool for its documents.
        magic: the beginning of the files of the tool that contain several documents, for which ``collect`` is called
            with this file alone.
        hidden: names of hidden files and folders in which the tool keeps its records, or paths that begin with one,
            such as ``.tool/runs``; others are not looked at.
        systems: the tools that write it, by the names under which people know them; by default its title.
        readers: the tools that read it.
        versions: the versions of the tools, or of their records, that the reader or writer knows.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    rdf: bool
    bundles: bool
    module: str
    specification: str
    reads: bool = True
    writes: bool = True
    keys: tuple[frozenset[str], ...] = ()
    folder: frozenset[str] = frozenset()
    members: tuple[str, ...] = ()
    collects: bool = False
    history: bool = False
    asks: bool = False
    magic: bytes = b""
    hidden: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    versions: str = ""

    @property
    def media_type(self) -> str:
        """The media type to send."""
        return self.media_types[0]

    def codec(self) -> Codec:
        """The module that reads and writes it."""
        return cast("Codec", import_module(f"provrepo.{self.module}"))
