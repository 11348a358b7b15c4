"""What a facet becomes: the type of the rows of the tables, and the attributes that keep what has no row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from provrepo.importers.moments import Moment
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.fold import Facets
from provrepo.importers.openlineage.names import TERMS, Names
from provrepo.importers.statements import Statements, json_value, typed, unknown_members, value
from provrepo.model.statements import Attribute

__all__ = ["Context", "FacetMapping", "Shape", "Table", "date_time", "items", "mapped", "shape", "text_of", "unmapped"]


@dataclass(frozen=True, slots=True)
class Context:
    """Where the facets of one element are mapped.

    Attributes:
        statements: the document.
        names: mints the IRIs.
        subject: the IRI of the element that the attributes are for.
        run: ``runId``; empty where nothing ran.
        dataset: the dataset or job that the facets are about.
        output: whether the dataset is an output; it may be an input of the same run, too.
    """

    statements: Statements
    names: Names
    subject: str
    run: str
    dataset: Dataset
    output: bool = False


Shape: TypeAlias = "dict[str, Shape | str]"
"""The members of a JSON object by name, as ``shape`` makes it: each with its own shape, or how it is mapped."""

_NEEDED, _TEXT, _ANY = "!", "?", ""

_MAPPED = object()

Apply: TypeAlias = Callable[[Context, Mapping[str, Any]], list[Attribute]]


@dataclass(frozen=True, slots=True)
class FacetMapping:
    """One row: what a facet becomes.

    Attributes:
        becomes: for the documentation.
        fields: what ``apply`` maps; all else is kept as JSON.
        apply: states relations, and returns the attributes of the element.
    """

    becomes: str
    fields: Shape
    apply: Apply


Table: TypeAlias = Mapping[str, FacetMapping]


def mapped(context: Context, facets: Facets, table: Table, *, elsewhere: Table | None = None) -> list[Attribute]:
    """Map the facets of one element.

    Args:
        context: the element.
        facets: by key.
        table: the facets that are mapped here.
        elsewhere: the facets of the same member of the event that are mapped for another element.

    Returns:
        The attributes of the element. A facet without a row is kept whole, as is what its row does not map.
    """
    attributes: list[Attribute] = []
    for key, facet in sorted(facets.items()):
        row = table.get(key)
        if row is not None:
            attributes += row.apply(context, facet)
            rest = unmapped(facet, row.fields)
        elif elsewhere is not None and key in elsewhere:
            continue
        else:
            rest = dict(facet)
        if rest:
            attributes.append(json_value(f"{TERMS}facet", {key: rest}))
    return attributes


def shape(*paths: str) -> Shape:
    """The shape of a facet.

    Args:
        paths: of the members that are mapped, such as ``owners[].name!``. ``[]`` is each item of a list, ``{}`` each
            member of an object, and ``*`` all other members. After ``?`` the value is a text or number, and after ``!``
            it must be there, too: otherwise the object that should contain it is kept whole. A member without a mark is
            mapped whatever it is.
    """
    root: Shape = {}
    for path in paths:
        node = root
        *above, last = path.replace("[]", ".[]").replace("{}", ".{}").split(".")
        for step in above:
            name = step.rstrip(_NEEDED)
            node = cast("Shape", node.setdefault(name, {}))
            if step != name:
                node[_NEEDED] = _ANY
        name = last.rstrip(_NEEDED + _TEXT)
        node[name] = last[len(name) :]
    return root


def unmapped(found: Mapping[str, Any], mapped_: Shape) -> dict[str, Any]:
    """What a facet has that its row does not map. Items of lists, and members of any name, are kept whole."""
    rest = _rest(found, mapped_)
    return {} if rest is _MAPPED else dict(rest)


def _rest(found: Any, mapped_: Shape | str) -> Any:
    if found is None or isinstance(mapped_, str):
        return _MAPPED
    if "[]" in mapped_:
        if not isinstance(found, list):
            return found
        return [item for item in found if _rest(item, mapped_["[]"]) is not _MAPPED] or _MAPPED
    if not isinstance(found, dict):
        return found
    if "{}" in mapped_:
        kept = {key: item for key, item in found.items() if _rest(item, mapped_["{}"]) is not _MAPPED}
        return kept or _MAPPED
    if not all(_is_understood(found.get(key), how) for key, how in mapped_.items()):
        return unknown_members(found, ())
    other = mapped_.get("*")
    members = {
        key: item if how is None else _rest(item, how)
        for key, item in unknown_members(found, ()).items()
        for how in (mapped_.get(key, other),)
    }
    return {key: item for key, item in members.items() if item is not _MAPPED} or _MAPPED


def _is_understood(found: Any, how: Shape | str) -> bool:
    """Whether a member is a text where it must be one, and is there if it must be."""
    if isinstance(how, dict):
        return bool(found) or _NEEDED not in how
    return (
        how == _ANY
        or (found is None and how == _TEXT)
        or (isinstance(found, str | int | float) and (how == _TEXT or found != ""))
    )


def date_time(name: str, found: Any) -> list[Attribute]:
    """An attribute with a time, or with what stands in its place."""
    moment = Moment.parse(text_of(found))
    return value(name, found) if moment is None else [typed(name, moment.lexical, "dateTime")]


def items(found: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; empty for anything else."""
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(found: Any) -> str:
    """A JSON value that should be a string; empty for other values than strings and numbers."""
    return found if isinstance(found, str) else str(found) if isinstance(found, int | float) else ""
