"""Lineage of columns: the facet ``columnLineage`` in its present and in its former form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.facets import Context, items, shape, text_of
from provrepo.importers.openlineage.names import TERMS, column
from provrepo.importers.statements import unknown_members, value, words
from provrepo.model.statements import DERIVATION, INFLUENCE, MEMBERSHIP, Attribute
from provrepo.vocab import DCTERMS, PROV, RDFS_LABEL

__all__ = ["COLUMNS", "SourceColumn", "column_of", "input_columns", "relate_columns", "stated"]

_SOURCE = ("name!", "namespace?", "field?", "transformations[].type?", "transformations[].*")

COLUMNS = shape(
    "fields{}.transformationType",
    "fields{}.transformationDescription",
    *(f"{inputs}[].{member}" for inputs in ("fields{}.inputFields!", "dataset") for member in _SOURCE),
)
"""What is mapped of the facet."""

SourceColumn = tuple[Dataset, str, list[Mapping[str, Any]]]
"""The dataset, the field (empty for the whole dataset) and the transformations of one input of a target."""


def input_columns(facet: Mapping[str, Any]) -> Iterator[tuple[str, SourceColumn, list[Attribute]]]:
    """The inputs of a facet ``columnLineage``.

    Yields:
        The target column, empty for the whole dataset; the source; attributes that the former form has for the target.
    """
    fields = facet.get("fields")
    for target, entry in fields.items() if isinstance(fields, dict) else ():
        if not isinstance(entry, dict):
            continue
        former = [
            *words(f"{TERMS}transformationType", entry.get("transformationType")),
            *words(f"{DCTERMS}description", entry.get("transformationDescription")),
        ]
        for item in items(entry.get("inputFields")):
            source = _source(item)
            if source is not None:
                yield str(target), source, former
    for item in items(facet.get("dataset")):
        source = _source(item)
        if source is not None:
            yield "", source, []


def _source(item: Mapping[str, Any]) -> SourceColumn | None:
    name = text_of(item.get("name"))
    if not name:
        return None
    dataset = Dataset(text_of(item.get("namespace")), name)
    return dataset, text_of(item.get("field")), items(item.get("transformations"))


def column_of(context: Context, version: str, field: str) -> str:
    """Describe a column of a version, and return its IRI; the version itself for no field."""
    if not field:
        return version
    statements = context.statements
    name = statements.entity(column(version, field), words(RDFS_LABEL, field))
    statements.entity(version, types=[f"{PROV}Collection"])
    statements.relate(MEMBERSHIP, version, name)
    return name


def stated(transformation: Mapping[str, Any]) -> list[Attribute]:
    """The attributes of a transformation."""
    type_ = text_of(transformation.get("type"))
    attributes = [
        *words(f"{TERMS}transformationType", "" if type_.upper() in ("DIRECT", "INDIRECT") else type_),
        *words(f"{TERMS}subtype", transformation.get("subtype")),
        *words(f"{DCTERMS}description", transformation.get("description")),
        *value(f"{TERMS}masking", transformation.get("masking")),
    ]
    for key, item in unknown_members(transformation, ("type", "subtype", "description", "masking")).items():
        attributes += value(f"{TERMS}transformation-{key}" if key.isalnum() else f"{TERMS}transformation", item)
    return attributes


def relate_columns(
    context: Context,
    target: str,
    source: str,
    transformations: list[Mapping[str, Any]],
    attributes: list[Attribute],
    activity: str,
) -> None:
    """State how a target depends on a source: a direct transformation derives, an indirect one influences.

    Args:
        context: the document.
        target: the IRI of a column or version.
        source: the IRI of a column or version.
        transformations: of the facet; without any, the target is derived.
        attributes: of each relation.
        activity: the run or the part of it.
    """
    for transformation in transformations or [{}]:
        found = [*attributes, *stated(transformation)]
        if text_of(transformation.get("type")).upper() == "INDIRECT":
            context.statements.relate(INFLUENCE, target, source, attributes=found)
        else:
            context.statements.relate(DERIVATION, target, source, activity, attributes=found)
