"""Checks of a dataset's quads: whether they can be read, and whether they are those that follow from the ledger.

Oxigraph has no check of its own in Python. RocksDB below it stores a checksum for each block of a file and compares it
when the block is read. So a dataset that was read through every index is as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from provrepo.errors import Damaged
from provrepo.views.sparql.store import Quads

__all__ = ["differing", "sample_differs", "unreadable"]

_SHOWN = 5
"""Sentences of each kind for one dataset; the others are counted."""

_MAX_SMALL_PATTERNS = 100_000
"""Patterns with few quads that are recorded as read."""

_SMALL_PATTERN = 16
"""Quads of a pattern that may be read again after the records were cleared. Larger patterns are read once, so that the
number of quads read grows with the dataset and not with its square: ``rdf:type`` has a quad for every thing."""

_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_Pattern = tuple[object, object, object, object]


def unreadable(view: Quads, dataset: str) -> str | None:
    """The error message of an attempt to read a whole dataset through every index; None where it succeeds."""
    try:
        with view.reading(dataset) as store:
            for _ in store.named_graphs():
                pass
            many: set[_Pattern] = set()
            few: set[_Pattern] = set()
            former: ox.Quad | None = None
            for quad in store:
                for pattern in _patterns(quad, former):
                    if pattern in few or pattern in many:
                        continue
                    if len(few) >= _MAX_SMALL_PATTERNS:
                        few.clear()
                    size = sum(1 for _ in store.quads_for_pattern(*pattern))  # type: ignore[arg-type, misc]
                    (few if size <= _SMALL_PATTERN else many).add(pattern)
                former = quad
    except Damaged as error:
        return str(error)
    return None


def differing(view: Quads, wanted: Quads, dataset: str) -> Iterator[str]:
    """The differences between a dataset in two views of the same entries, one sentence each.

    Args:
        view: the view to check.
        wanted: the view that was just built.
        dataset: the name of the dataset.

    Raises:
        Damaged: one of them cannot be read.
    """
    with view.reading(dataset) as store, wanted.reading(dataset) as other:
        for word, one, another in (("does not belong there", store, other), ("is missing", other, store)):
            found = (f"{quad} {word}" for quad in one if quad not in another)
            yield from _first(found)
            graphs = (f"graph {g} {word}" for g in one.named_graphs() if not another.contains_named_graph(g))
            yield from _first(graphs)


def sample_differs(view: Quads, dataset: str, content: Path) -> str | None:
    """A difference between the graphs of one version and its content file, as a sentence; None where there is none.

    Args:
        view: the view.
        dataset: a dataset in which the version is current.
        content: the version's content file.

    Raises:
        Damaged: the dataset cannot be read.
    """
    with view.reading(dataset) as store:
        # Loaded into a store first, which returns numbers and times in their canonical lexical form.
        made = ox.Store()
        made.bulk_load(path=str(content), format=ox.RdfFormat.N_QUADS)
        wanted = set(made)
        for quad in wanted:
            if quad not in store:
                return f"{quad} is missing"
            if ox.Quad(quad.subject, quad.predicate, quad.object) not in store:
                return f"{quad} is missing in the default graph"
        for graph in {quad.graph_name for quad in wanted}:
            for quad in store.quads_for_pattern(None, None, None, graph):
                if quad not in wanted:
                    return f"{quad} does not belong there"
    return None


def _patterns(quad: ox.Quad, former: ox.Quad | None) -> Iterator[_Pattern]:
    """The patterns that read a quad through all nine indexes: by subject, predicate and object, in all graphs or one.

    Quads are in the order of graph and subject. Where the former quad has the same subject, its pattern was just read.
    """
    if former is None or quad.subject != former.subject:
        yield (quad.subject, None, None, None)
    yield (None, quad.predicate, None, None)
    yield (None, None, quad.object, None)
    if not isinstance(quad.graph_name, ox.DefaultGraph):
        yield (None, None, None, quad.graph_name)
        yield (None, quad.predicate, None, quad.graph_name)
        yield (None, None, quad.object, quad.graph_name)


def _first(found: Iterator[str]) -> Iterator[str]:
    yield from islice(found, _SHOWN)
    more = sum(1 for _ in found)
    if more:
        yield f"{more:,} more of this kind"
