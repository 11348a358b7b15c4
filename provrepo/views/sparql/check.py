"""Whether the quads of a dataset are what the ledger yields.

Oxigraph has no check of its own in Python. RocksDB below it has a checksum for each block of a file and compares it
when the block is read, so what has been read by way of every index is known to be as it was written.
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
"""Quads of one dataset that messages show of each kind."""

_REMEMBERED = 100_000
"""Patterns with few quads of which it is remembered that they have been read."""

_FEW = 16
"""Quads up to which a pattern may be read once more, because it was forgotten. With a bound on their number, what is
read grows with the dataset and not with its square: `rdf:type` alone has a quad for every thing."""

_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_Pattern = tuple[object, object, object, object]


def unreadable(view: Quads, dataset: str) -> str | None:
    """What an attempt to read a whole dataset by way of every index says; None where it succeeds."""
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
                    if len(few) >= _REMEMBERED:
                        few.clear()
                    size = sum(1 for _ in store.quads_for_pattern(*pattern))  # type: ignore[arg-type, misc]
                    (few if size <= _FEW else many).add(pattern)
                former = quad
    except Damaged as error:
        return str(error)
    return None


def differing(view: Quads, wanted: Quads, dataset: str) -> Iterator[str]:
    """Where a dataset differs from the same one in another view of the same entries, one sentence each.

    Args:
        view: the one to check.
        wanted: the one that was just made.
        dataset: its name.

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
    """How the graphs of one version differ from its content file, in words; None where they do not.

    Args:
        view: the view.
        dataset: where the version is current.
        content: the version's quads, as N-Quads.

    Raises:
        Damaged: the dataset cannot be read.
    """
    with view.reading(dataset) as store:
        # By way of a store: it gives numbers and times back in their canonical lexical form.
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
    """What is asked to read each of the nine indexes: by subject, predicate and object, of all graphs and of one.

    Quads come in the order of graph and subject, so a subject that is the former one's has just been read.
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
