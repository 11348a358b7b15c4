"""The facets of datasets: of the logical dataset, and of the version that a run read or wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.masking import masked
from provrepo.importers.openlineage.common_facets import DOCUMENTATION, OWNERSHIP, tags
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.facets import Context, FacetMapping, Table, items, text_of
from provrepo.importers.openlineage.names import TERMS, column
from provrepo.importers.statements import json_value, value, words
from provrepo.model.statements import ALTERNATE, MEMBERSHIP, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV, RDFS_LABEL, SCHEMA

__all__ = ["LOGICAL", "OF_RUNS", "OWN", "VERSION", "described", "statistics"]


def described(context: Context, dataset: Dataset) -> str:
    """Describe a logical dataset by its name; returns its IRI."""
    name = context.names.dataset(dataset)
    context.statements.entity(name, words(RDFS_LABEL, dataset.name), types=[f"{DCAT}Dataset"])
    return name


def statistics(facet: Mapping[str, Any]) -> list[Attribute]:
    """The attributes of ``inputStatistics`` and ``outputStatistics``."""
    return [
        *value(f"{TERMS}rowCount", facet.get("rowCount")),
        *value(f"{DCAT}byteSize", facet.get("size")),
        *value(f"{TERMS}fileCount", facet.get("fileCount")),
    ]


def _data_source(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [*words(f"{DCAT}distribution", facet.get("uri")), *words(f"{TERMS}dataSource", facet.get("name"))]


def _symlinks(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    for item in items(facet.get("identifiers")):
        other = Dataset(text_of(item.get("namespace")), text_of(item.get("name")))
        if not other.name or other == context.dataset:
            continue
        name = described(context, other)
        context.statements.entity(name, words(f"{TERMS}symlinkType", item.get("type")))
        context.statements.relate(ALTERNATE, context.subject, name)
    return []


def _storage(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{DCTERMS}format", facet.get("fileFormat")),
        *words(f"{TERMS}storageLayer", facet.get("storageLayer")),
    ]


def _type(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{SCHEMA}additionalType", facet.get("datasetType")),
        *words(f"{TERMS}subType", facet.get("subType")),
    ]


def _catalog(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    members = ("framework", "type", "name", "metadataUri", "warehouseUri", "source", "catalogProperties")
    found = {member: masked(facet[member]) for member in members if facet.get(member) is not None}
    return [*words(f"{DCAT}inCatalog", facet.get("name")), json_value(f"{TERMS}catalog", found)]


def _hierarchy(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The levels from the outermost to the innermost; a list of JSON keeps their order."""
    levels = items(facet.get("hierarchy"))
    path = "/".join(text_of(level.get("name")) for level in levels)
    return [*words(f"{DCTERMS}isPartOf", path), json_value(f"{TERMS}hierarchy", levels)]


def _schema(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    _fields(context, context.subject, "", items(facet.get("fields")))
    return []


def _fields(context: Context, collection: str, before: str, fields: list[Mapping[str, Any]]) -> None:
    for field in fields:
        name = text_of(field.get("name"))
        if not name:
            continue
        path = f"{before}{name}"
        position = field.get("ordinal_position")
        member = context.statements.entity(
            column(context.subject, path),
            words(RDFS_LABEL, path),
            words(f"{SCHEMA}additionalType", field.get("type")),
            words(f"{DCTERMS}description", field.get("description")),
            value(f"{TERMS}ordinalPosition", position if isinstance(position, int) else None),
        )
        context.statements.entity(collection, types=[f"{PROV}Collection"])
        context.statements.relate(MEMBERSHIP, collection, member)
        nested = items(field.get("fields"))
        if nested:
            _fields(context, member, f"{path}.", nested)


def _version(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return words(f"{SCHEMA}version", facet.get("datasetVersion"))


def _column_tags(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The tags of fields, on the columns of the version."""
    tags(context, {"tags": [tag for tag in items(facet.get("tags")) if text_of(tag.get("field"))]})
    return []


def _dataset_tags(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return tags(context, {"tags": [tag for tag in items(facet.get("tags")) if not text_of(tag.get("field"))]})


def _nothing(_: Context, __: Mapping[str, Any]) -> list[Attribute]:
    """Mapped together with other facets: by ``quality``, ``columns``, ``explicit`` or ``runs``."""
    return []


_QUALITY = "a `dqv:QualityMeasurement` for each, computed on the version and generated by the run"
_METRICS = ("rowCount", "bytes", "fileCount", "lastUpdated", "columnMetrics")

LOGICAL: Table = {
    "documentation": DOCUMENTATION,
    "ownership": OWNERSHIP,
    "dataSource": FacetMapping("`dcat:distribution`, without login", ("name", "uri"), _data_source),
    "symlinks": FacetMapping("`prov:alternateOf` between logical datasets", ("identifiers",), _symlinks),
    "storage": FacetMapping("`dcterms:format`", ("storageLayer", "fileFormat"), _storage),
    "datasetType": FacetMapping("`schema:additionalType`", ("datasetType", "subType"), _type),
    "catalog": FacetMapping(
        "`dcat:inCatalog`, without logins",
        ("framework", "type", "name", "metadataUri", "warehouseUri", "source", "catalogProperties"),
        _catalog,
    ),
    "hierarchy": FacetMapping("`dcterms:isPartOf`, with its levels in order", ("hierarchy",), _hierarchy),
    "tags": FacetMapping("`dcat:keyword`; of a field, on the column of the version", ("tags",), _dataset_tags),
}
"""Key of a facet of a logical dataset → what it becomes."""

VERSION: Table = {
    "schema": FacetMapping("members of the version; nested fields have dotted names", ("fields",), _schema),
    "version": FacetMapping("the name of the version, and `schema:version`", ("datasetVersion",), _version),
    "columnLineage": FacetMapping(
        "`prov:wasDerivedFrom` between columns, `prov:wasInfluencedBy` for INDIRECT; `dataset` on the whole version",
        ("fields", "dataset"),
        _nothing,
    ),
    "lineage": FacetMapping(
        "a part of the run for each target, with its inputs alone; an empty list declares a source",
        ("inputs", "fields"),
        _nothing,
    ),
    "lifecycleStateChange": FacetMapping(
        "ALTER, RENAME, TRUNCATE: a revision; DROP, and the old name of RENAME: invalidated",
        ("lifecycleStateChange", "previousIdentifier"),
        _nothing,
    ),
    "dataQualityMetrics": FacetMapping(_QUALITY, _METRICS, _nothing),
    "dataQualityAssertions": FacetMapping(_QUALITY, ("assertions",), _nothing),
    "tags": FacetMapping("", ("tags",), _column_tags),
}
"""Key of a facet of a dataset that is about the version → what it becomes."""

OF_RUNS = ("columnLineage", "lineage", "lifecycleStateChange")
"""Facets of a dataset that say what a run did to it. They are mapped for the outputs of a run, and otherwise kept."""

OWN: Table = {
    "inputStatistics": FacetMapping("attributes of the usage", ("rowCount", "size", "fileCount"), _nothing),
    "outputStatistics": FacetMapping("attributes of the version", ("rowCount", "size", "fileCount"), _nothing),
    "subset": FacetMapping(
        "a part of the version, which is used or generated", ("inputCondition", "outputCondition"), _nothing
    ),
    "dataQualityMetrics": FacetMapping(_QUALITY, _METRICS, _nothing),
    "dataQualityAssertions": FacetMapping(_QUALITY, ("assertions",), _nothing),
}
"""Key of a facet of an input or output → what it becomes."""
