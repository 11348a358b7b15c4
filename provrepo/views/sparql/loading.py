"""Loading of content files into Oxigraph: as an update, in one bulk load, or in several."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from provrepo.codecs.rdf.lines import LineWriter
from provrepo.errors import Damaged
from provrepo.model.document import Quad
from provrepo.views.sparql.catalog import POSITION, Catalogue, Edit
from provrepo.views.sparql.content import BulkLoad, Content, check_graph
from provrepo.views.sparql.updates import Updates
from provrepo.views.sparql.waiting.deferred import Waiting
from provrepo.views.view import Change

__all__ = ["Loader"]

_PART = 8 << 20
"""Bytes of content in one bulk load, which takes about ten times as much memory."""


_CHUNK = 1 << 20
"""Bytes that are written at a time."""


class Loader:
    """Loads the content of submissions, with the catalogue's records of their graphs."""

    def __init__(self, catalogue: Catalogue, updates: Updates) -> None:
        """Load for one view."""
        self._catalogue = catalogue
        self._updates = updates

    def insertion(self, change: Change, content: Path) -> str:
        """The operation that inserts a content file and the records of its graphs."""
        quads = list(_read(content))
        graphs = sorted({"" if isinstance(q.graph_name, ox.DefaultGraph) else q.graph_name.value for q in quads})
        for graph in graphs:
            check_graph(graph, self._catalogue.version(change))
        return self._updates.insertion(quads, self._catalogue.graphs(change, graphs))

    def bulk_load(self, store: ox.Store, changes: Sequence[Waiting], edits: Sequence[Edit]) -> None:
        """Load the content of submissions and what their edits add, without positions, as one atomic change.

        Args:
            store: the store.
            changes: the submissions.
            edits: the edit of the catalogue for each of them.
        """
        with self._together(changes, edits) as stream:
            store.bulk_load(stream, ox.RdfFormat.N_QUADS)

    def write(self, changes: Sequence[Waiting], edits: Sequence[Edit], target: Path) -> None:
        """Write to a file what ``bulk_load`` loads, as N-Quads."""
        with self._together(changes, edits) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)

    @contextmanager
    def _together(self, changes: Sequence[Waiting], edits: Sequence[Edit]) -> Iterator[IO[bytes]]:
        writer = LineWriter()
        with ExitStack() as files:
            contents = [
                self._content(files, writer, each.change, each.content, edit.added)
                for each, edit in zip(changes, edits, strict=True)
            ]
            with BulkLoad(contents) as stream:
                yield cast("IO[bytes]", stream)

    def load_in_parts(self, store: ox.Store, change: Change, content: Path) -> None:
        """Load large content in parts: a bulk load keeps all of its quads in memory.

        Readers of the store see the parts one by one.
        """
        size = content.stat().st_size
        with ExitStack() as files:
            part = self._content(files, LineWriter(), change, content)
            while part.lines.tell() < size:
                with BulkLoad([part], most=_PART) as stream:
                    store.bulk_load(cast("IO[bytes]", stream), ox.RdfFormat.N_QUADS)

    def _content(
        self, files: ExitStack, writer: LineWriter, change: Change, content: Path, added: Iterable[Quad] = ()
    ) -> Content:
        file = files.enter_context(content.open("rb"))
        return Content(file, self._catalogue.version(change), self._records(writer, change, added))

    def _records(self, writer: LineWriter, change: Change, added: Iterable[Quad]) -> Callable[[Iterable[str]], bytes]:
        """Makes the catalogue's records of the graphs of a version and of what is added, as N-Quads."""

        def records(graphs: Iterable[str]) -> bytes:
            quads = [*self._catalogue.graphs(change, graphs), *(quad for quad in added if quad.predicate != POSITION)]
            return b"".join(writer.pieces(quads))

        return records


def _read(content: Path) -> Iterator[ox.Quad]:
    # Parsed and written again, not copied: the text of an update must consist of whole terms only.
    try:
        yield from ox.parse(path=str(content), format=ox.RdfFormat.N_QUADS)
    except SyntaxError as error:
        raise Damaged(f"the content is not N-Quads: {error.msg}") from error
