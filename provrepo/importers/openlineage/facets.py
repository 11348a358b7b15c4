"""What a facet becomes: the type of the rows of the tables, and the attributes that keep what has no row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.fold import Facets
from provrepo.importers.openlineage.names import TERMS, Names
from provrepo.importers.statements import Statements, json_value, unknown_members
from provrepo.model.statements import Attribute

__all__ = ["Context", "FacetMapping", "Table", "items", "mapped", "text_of"]


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


Apply: TypeAlias = Callable[[Context, Mapping[str, Any]], list[Attribute]]


@dataclass(frozen=True, slots=True)
class FacetMapping:
    """One row: what a facet becomes.

    Attributes:
        becomes: for the documentation.
        fields: the members that ``apply`` maps; others are kept as JSON.
        apply: states relations, and returns the attributes of the element.
    """

    becomes: str
    fields: tuple[str, ...]
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
        The attributes of the element. A facet without a row is kept whole, as are members that its row does not name.
    """
    attributes: list[Attribute] = []
    for key, facet in sorted(facets.items()):
        row = table.get(key)
        if row is not None:
            attributes += row.apply(context, facet)
            rest = unknown_members(facet, row.fields)
        elif elsewhere is not None and key in elsewhere:
            continue
        else:
            rest = dict(facet)
        if rest:
            attributes.append(json_value(f"{TERMS}facet", {key: rest}))
    return attributes


def items(found: Any) -> list[Mapping[str, Any]]:
    """The objects in a JSON list; empty for anything else."""
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(found: Any) -> str:
    """A JSON value that should be a string; empty for other values than strings and numbers."""
    return found if isinstance(found, str) else str(found) if isinstance(found, int | float) else ""
