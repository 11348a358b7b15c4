"""Records from the JSON of a server: the inverse of their ``to_dict``, with a check of every type.

The server may be hostile or have another version, so that nothing is taken on trust. Unknown members are ignored; a
missing member has its default, if it has one.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from provrepo.checks.report import Report
from provrepo.repository.federation.records import FederatedLineage, FederatedSource
from provrepo.repository.lineage.assertions import Assertion
from provrepo.repository.lineage.records import (
    JSON_FORMAT,
    CommonNode,
    LineageEdge,
    LineageGraph,
    LineageNode,
    SourceReference,
)
from provrepo.repository.records import GateResult, Receipt, VersionInfo

__all__ = ["Unexpected", "decoded"]

T = TypeVar("T")


class Unexpected(ValueError):
    """A value that the record cannot have; its text names the member."""


def decoded(kind: type[T], value: Any) -> T:
    """A record, or a plain value.

    Args:
        kind: a dataclass of ``provrepo``, or a type of a field of one.
        value: the JSON value.

    Raises:
        Unexpected: it is not the JSON of such a record.
    """
    try:
        return cast("T", _value(kind, value, kind.__name__))
    except Unexpected:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unexpected(f"not the JSON of a {kind.__name__}: {type(error).__name__} {error}") from error


def _value(kind: Any, value: Any, where: str) -> Any:
    if kind in _MADE:
        return _MADE[kind](_object(value, where))
    if is_dataclass(kind):
        return _record(cast("type", kind), _object(value, where))
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (needed,) = (member for member in inner if member is not type(None))
        return None if value is None else _value(needed, value, where)
    if origin is tuple:
        return _tuple(inner, value, where)
    if origin in (Mapping, dict):
        return {name: _value(inner[1], each, where) for name, each in _object(value, where).items()}
    if origin is Literal:
        return _plain(value, value in inner, where)
    if kind is Any:
        return value
    if kind is float:
        return float(_plain(value, isinstance(value, int | float) and not isinstance(value, bool), where))
    return _plain(value, isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), where)


def _tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    listed = _plain(value, isinstance(value, list), where)
    if inner[1:] == (...,):
        return tuple(_value(inner[0], each, where) for each in listed)
    return tuple(_value(kind, each, where) for kind, each in zip(inner, listed, strict=True))


def _record(kind: type, value: Mapping[str, Any], **given: Any) -> Any:
    for field in fields(kind):
        if field.name in given:
            continue
        where = f"{kind.__name__}.{field.name}"
        if field.name in value:
            given[field.name] = _value(_hints(kind)[field.name], value[field.name], where)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Unexpected(f"{where} is missing")
    return kind(**given)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _object(value: Any, where: str) -> dict[str, Any]:
    return cast("dict[str, Any]", _plain(value, isinstance(value, dict), where))


def _plain(value: Any, right: bool, where: str) -> Any:
    if not right:
        raise Unexpected(f"{where} is a JSON value of another type")
    return value


def _receipt(value: dict[str, Any]) -> Receipt:
    return Receipt(
        _record(VersionInfo, value),
        _value(bool, value["created"], "created"),
        _value(bool, value["indexed"], "indexed"),
        _value(str, value["entry"], "entry"),
        Report.from_dict(value["report"]),
        None if value.get("receipt") is None else _object(value["receipt"], "receipt"),
    )


def _gate(value: dict[str, Any]) -> GateResult:
    gaps = [[gap["thing"], gap["reason"]] for gap in value["gaps"]]
    return cast("GateResult", _record(GateResult, {**value, "gaps": gaps}))


def _lineage(kind: type[LineageGraph], value: dict[str, Any]) -> LineageGraph:
    if value.get("format") != JSON_FORMAT:
        raise Unexpected(
            f"a lineage in format {value.get('format', 1)!r}, and this version of provrepo reads format {JSON_FORMAT}"
        )
    sources = [_source(_object(source, "sources")) for source in value["sources"]]
    nodes = tuple(_record(LineageNode, node, sources=_numbered(sources, node["sources"])) for node in value["nodes"])
    edges = tuple(
        LineageEdge(
            _value(str, edge["subject"], "subject"),
            _value(str, edge["relation"], "relation"),
            _value(str, edge["object"], "object"),
            _value(str, value["relations"][edge["relation"]], "relations"),
            _numbered(sources, edge["sources"]),
            _value(str, edge.get("reason", ""), "reason"),
        )
        for edge in value["edges"]
    )
    ordered = tuple(sorted(edges, key=lambda edge: (edge.subject, edge.relation, edge.object)))
    return cast("LineageGraph", _record(kind, value, nodes=nodes, edges=ordered))


def _numbered(sources: Sequence[SourceReference], numbers: Any) -> tuple[SourceReference, ...]:
    return tuple(_nth(sources, number) for number in numbers)


def _nth(items: Sequence[T], number: Any) -> T:
    place = cast("int", _value(int, number, "number"))
    if not 0 <= place < len(items):
        raise Unexpected(f"there is no number {place} in a list of {len(items)}")
    return items[place]


def _common(value: dict[str, Any]) -> CommonNode:
    distances = _value(tuple[int, ...], value["distances"], "distances")
    return CommonNode(_record(LineageNode, value), distances, _value(bool, value["nearest"], "nearest"))


def _source(value: dict[str, Any]) -> SourceReference:
    # Only a federated lineage names the repository of a source.
    return cast("SourceReference", _record(FederatedSource if "laboratory" in value else SourceReference, value))


_MADE: dict[Any, Callable[[dict[str, Any]], Any]] = {
    Report: Report.from_dict,
    Receipt: _receipt,
    GateResult: _gate,
    CommonNode: _common,
    LineageGraph: partial(_lineage, LineageGraph),
    FederatedLineage: partial(_lineage, FederatedLineage),
    SourceReference: _source,
    Assertion: Assertion.from_dict,
}
"""Records whose JSON has another shape than their fields."""
