"""Filter for SHACL results: those that the asserted triples violate too.

Completion adds triples to a document, so that shapes also match equivalent forms of a statement. Added triples can
satisfy a constraint, and they can also break one: a closed shape, a maximum, a negation, a node kind. A violation that
needs added triples is not the document's fault. So the shapes with results are validated again, on the asserted
triples alone, and a result is confirmed when both graphs have it.

There is one exception. A monotone constraint (``sh:minCount``, ``sh:hasValue``, ``sh:class``, ``sh:datatype``, and
combinations of only these) applies to a node in whatever form the document describes it. For it the asserted triples
are extended by the unqualified form of each relation, and by the types entity, activity and agent where they follow
from a subclass or from relations.

A shape without results on the completed graph is not validated again, so a conforming document is validated once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.results import RawResult, Results
from provrepo.checks.shapes.instances import SourceTriples

__all__ = ["confirmed"]

Validate: TypeAlias = "Callable[[Iterable[Graph], Collection[str] | None], Results]"
"""Validates graphs against the shapes with the given IRIs; None is all shapes with targets."""

_Key: TypeAlias = "tuple[str | None, ...]"


def confirmed(results: Results, source_triples: SourceTriples, validate: Validate) -> Results:
    """The results that the asserted triples confirm.

    Args:
        results: of the completed instances.
        source_triples: the asserted triples of the instances.
        validate: validates other graphs against the same profiles.
    """
    numbers = [n for n in range(len(results[0])) if any(by_instance[n] for by_instance in results)]
    on_completed: Results = [[by_instance[n] for n in numbers] for by_instance in results]
    on_asserted = validate([source_triples.asserted[n] for n in numbers], _roots(on_completed))
    if _has_other_blank_nodes(on_completed, on_asserted):
        # The blank nodes of a qualified form have other labels in the source than in PROV-O of the statements.
        on_completed = validate(source_triples.completed(numbers), _roots(on_asserted) | _roots(on_completed))
    found = _common(on_completed, on_asserted, lambda _: True)
    unconfirmed = _roots(on_completed, lambda raw, n, p: raw["monotone"] and _key(raw) not in found[p][n])
    if unconfirmed:
        on_extended = validate([source_triples.extended[n] for n in numbers], unconfirmed)
        for by_instance, more in zip(found, _common(on_completed, on_extended, _is_monotone), strict=True):
            for keys, also in zip(by_instance, more, strict=True):
                keys.update(also)
    kept: Results = [[[] for _ in by_instance] for by_instance in results]
    for p, graphs in enumerate(on_completed):
        for index, (n, raws) in enumerate(zip(numbers, graphs, strict=True)):
            kept[p][n] = [raw for raw in raws if raw["component"] is None or _key(raw) in found[p][index]]
    return kept


def _is_monotone(raw: RawResult) -> bool:
    return raw["monotone"]


def _key(raw: RawResult) -> _Key:
    """The fields that are equal in two results about the same violation."""
    return raw["root"], raw["shape"], raw["component"], raw["focus"], raw["path"], raw["value"]


def _roots(results: Results, wanted: Callable[[RawResult, int, int], bool] = lambda _raw, _n, _p: True) -> set[str]:
    """IRIs of the shapes with targets that have a wanted result."""
    return {
        raw["root"]
        for p, by_instance in enumerate(results)
        for n, raws in enumerate(by_instance)
        for raw in raws
        if wanted(raw, n, p)
    }


def _common(first: Results, second: Results, wanted: Callable[[RawResult], bool]) -> list[list[set[_Key]]]:
    """For each profile and graph the keys of the wanted results that both have."""
    return [
        [
            {_key(raw) for raw in ours if wanted(raw)} & {_key(raw) for raw in theirs}
            for ours, theirs in zip(first_graphs, second_graphs, strict=True)
        ]
        for first_graphs, second_graphs in zip(first, second, strict=True)
    ]


def _has_other_blank_nodes(on_completed: Results, on_asserted: Results) -> bool:
    """Whether the asserted triples have a result on a blank node that the completed graph does not have."""
    for completed_graphs, asserted_graphs in zip(on_completed, on_asserted, strict=True):
        for completed, asserted in zip(completed_graphs, asserted_graphs, strict=True):
            keys = {_key(raw) for raw in completed}
            for raw in asserted:
                blank = any((raw[part] or "").startswith("_:") for part in ("focus", "value"))
                if blank and _key(raw) not in keys:
                    return True
    return False
