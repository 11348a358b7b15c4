"""The number of quads that the check of a dataset reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyoxigraph as ox
import pytest

from provrepo.views.sparql import check


class Counted:
    """A view of one dataset that counts the quads read by a pattern."""

    def __init__(self, things: int) -> None:
        self.read = 0
        self.store = ox.Store()
        kind, label, entity = (ox.NamedNode(f"http://example.org/{name}") for name in ("type", "label", "Entity"))
        graphs = [ox.NamedNode(f"http://example.org/g{number}") for number in range(4)]
        self.store.extend(
            quad
            for number in range(things)
            for node in [ox.NamedNode(f"http://example.org/{number}")]
            for quad in (
                ox.Quad(node, kind, entity, graphs[number % 4]),
                ox.Quad(node, label, ox.Literal(str(number)), graphs[number % 4]),
            )
        )

    @contextmanager
    def reading(self, dataset: str) -> Iterator[Counted]:
        assert dataset == "p"
        yield self

    def __iter__(self) -> Iterator[ox.Quad]:
        return iter(self.store)

    def named_graphs(self) -> Iterator[ox.NamedNode | ox.BlankNode]:
        return self.store.named_graphs()

    def quads_for_pattern(self, *pattern: object) -> Iterator[ox.Quad]:
        for quad in self.store.quads_for_pattern(*pattern):  # type: ignore[arg-type]
            self.read += 1
            yield quad


def test_the_quads_read_grow_with_the_dataset_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_MAX_SMALL_PATTERNS", 50)
    counts = []
    for things in (500, 1000, 2000):
        view = Counted(things)
        assert check.unreadable(view, "p") is None  # type: ignore[arg-type]
        counts.append(view.read)
    assert counts[0] >= 500 * 2 * 6, "each quad by each of the six patterns"
    assert counts[2] <= 4.2 * counts[0]
