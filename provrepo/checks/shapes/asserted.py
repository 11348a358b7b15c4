"""Which results of SHACL stand: those that what the sender wrote violates as well.

Completion adds triples to a document so that shapes find what is there in other words. More triples can satisfy a
constraint, and they can also break one: a closed shape, a maximum, a negation, a kind of node. What is only broken by
triples that the sender did not write is no fault of the document. So the shapes that found something are asked once
more, of the asserted triples alone, and a result stands that is found both times.

There is one exception. Constraints that ask for something (``sh:minCount``, ``sh:hasValue``, ``sh:class``,
``sh:datatype``, and what combines nothing but these) ask it of a node however the document says what the node is: the
short form of a relation stands beside the qualified form, and whether something is an entity, an activity or an agent
may follow from a narrower class or from its relations.

A shape that finds nothing in the completed graph is not asked again, so a document that conforms is judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, TypeAlias

from provrepo.checks.shapes.instances import Sent
from provrepo.model.document import Quad

if TYPE_CHECKING:
    from provrepo.checks.shapes.layer import RawResult, Results

__all__ = ["held"]

Judge: TypeAlias = "Callable[[Iterable[Iterable[Quad]], Collection[str] | None], Results]"
"""Holds graphs against the shapes with the given IRIs."""

_Key: TypeAlias = "tuple[str | None, ...]"


def held(results: Results, sent: Sent, judge: Judge) -> Results:
    """The results that stand.

    Args:
        results: of the completed instances.
        sent: what of the instances their author wrote.
        judge: how to judge other graphs.
    """
    numbers = [n for n in range(len(results[0])) if any(by_instance[n] for by_instance in results)]
    completed: Results = [[by_instance[n] for n in numbers] for by_instance in results]
    asserted = judge([sent.asserted[n] for n in numbers], _roots(completed))
    if _unnamed(completed, asserted):
        # The blank nodes of a qualified form have other labels in the source than in PROV-O of the statements.
        completed = judge(sent.completed(numbers), _roots(asserted) | _roots(completed))
    found = _both(completed, asserted, lambda _: True)
    left = _roots(completed, lambda raw, n, p: raw["asks"] and _key(raw) not in found[p][n])
    if left:
        restated = _both(completed, judge([sent.restated[n] for n in numbers], left), _asks)
        for by_instance, more in zip(found, restated, strict=True):
            for keys, also in zip(by_instance, more, strict=True):
                keys.update(also)
    standing: Results = [[[] for _ in by_instance] for by_instance in results]
    for p, graphs in enumerate(completed):
        for place, (n, raws) in enumerate(zip(numbers, graphs, strict=True)):
            standing[p][n] = [raw for raw in raws if raw["component"] is None or _key(raw) in found[p][place]]
    return standing


def _asks(raw: RawResult) -> bool:
    return raw["asks"]


def _key(raw: RawResult) -> _Key:
    """What two results have in common that are about the same fault."""
    return raw["root"], raw["shape"], raw["component"], raw["focus"], raw["path"], raw["value"]


def _roots(results: Results, wanted: Callable[[RawResult, int, int], bool] = lambda _raw, _n, _p: True) -> set[str]:
    """The shapes with targets that have a result."""
    return {
        raw["root"]
        for p, by_instance in enumerate(results)
        for n, raws in enumerate(by_instance)
        for raw in raws
        if wanted(raw, n, p)
    }


def _both(one: Results, other: Results, wanted: Callable[[RawResult], bool]) -> list[list[set[_Key]]]:
    """For each profile and graph the keys of the results that both have."""
    return [
        [
            {_key(raw) for raw in mine if wanted(raw)} & {_key(raw) for raw in theirs}
            for mine, theirs in zip(ours, others, strict=True)
        ]
        for ours, others in zip(one, other, strict=True)
    ]


def _unnamed(completed: Results, asserted: Results) -> bool:
    """Whether what was asserted has a result on a blank node that the completed graph does not have."""
    for ours, others in zip(completed, asserted, strict=True):
        for mine, theirs in zip(ours, others, strict=True):
            keys = {_key(raw) for raw in mine}
            for raw in theirs:
                blank = any((raw[part] or "").startswith("_:") for part in ("focus", "value"))
                if blank and _key(raw) not in keys:
                    return True
    return False
