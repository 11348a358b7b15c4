"""The facets of datasets: of the logical dataset, and of the version that a run read or wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.masking import masked
from provrepo.importers.openlineage.columns import COLUMNS
from provrepo.importers.openlineage.common_facets import DOCUMENTATION, OWNERSHIP, TAG_FIELDS, tags
from provrepo.importers.openlineage.events import Dataset
from provrepo.importers.openlineage.explicit import LINEAGE
from provrepo.importers.openlineage.facets import Context, FacetMapping, Shape, Table, items, shape, text_of
from provrepo.importers.openlineage.names import TERMS, column
from provrepo.importers.openlineage.quality import ASSERTIONS, METRICS
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
        if not other.name:
            continue
        name = described(context, other)
        context.statements.entity(name, words(f"{TERMS}symlinkType", item.get("type")))
        if other != context.dataset:
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
    found = {member: masked(facet[member]) for member in _CATALOG if facet.get(member) is not None}
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
        member = context.statements.entity(
            column(context.subject, path),
            words(RDFS_LABEL, path),
            words(f"{SCHEMA}additionalType", field.get("type")),
            words(f"{DCTERMS}description", field.get("description")),
            value(f"{TERMS}ordinalPosition", field.get("ordinal_position")),
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


def _other_condition(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """The condition of the other side; that of this one is mapped by ``runs``."""
    member = "inputCondition" if context.output else "outputCondition"
    return value(f"{TERMS}{member}", facet.get(member))


def _nothing(_: Context, __: Mapping[str, Any]) -> list[Attribute]:
    """Mapped together with other facets: by ``quality``, ``columns``, ``explicit`` or ``runs``."""
    return []


_QUALITY = "a `dqv:QualityMeasurement` for each, computed on the version and generated by the run"
_CATALOG = ("framework", "type", "name", "metadataUri", "warehouseUri", "source", "catalogProperties")
_STATISTICS = shape("rowCount", "size", "fileCount")
_SYMLINKS = shape("identifiers[].name!", "identifiers[].namespace?", "identifiers[].type")

_FIELDS: Shape = {"name": "!", "type": "", "description": "", "ordinal_position": ""}
_FIELDS["fields"] = {"[]": _FIELDS}

LOGICAL: Table = {
    "documentation": DOCUMENTATION,
    "ownership": OWNERSHIP,
    "dataSource": FacetMapping("`dcat:distribution`, without login", shape("name", "uri"), _data_source),
    "symlinks": FacetMapping("`prov:alternateOf` between logical datasets", _SYMLINKS, _symlinks),
    "storage": FacetMapping("`dcterms:format`", shape("storageLayer", "fileFormat"), _storage),
    "datasetType": FacetMapping("`schema:additionalType`", shape("datasetType", "subType"), _type),
    "catalog": FacetMapping("`dcat:inCatalog`, without logins", shape(*_CATALOG), _catalog),
    "hierarchy": FacetMapping("`dcterms:isPartOf`, with its levels in order", shape("hierarchy[].*"), _hierarchy),
    "tags": FacetMapping("`dcat:keyword`; of a field, on the column of the version", TAG_FIELDS, _dataset_tags),
}
"""Key of a facet of a logical dataset → what it becomes."""

VERSION: Table = {
    "schema": FacetMapping(
        "members of the version; nested fields have dotted names", {"fields": {"[]": _FIELDS}}, _schema
    ),
    "version": FacetMapping("the name of the version, and `schema:version`", shape("datasetVersion!"), _version),
    "columnLineage": FacetMapping(
        "`prov:wasDerivedFrom` between columns, `prov:wasInfluencedBy` for INDIRECT; `dataset` on the whole version",
        COLUMNS,
        _nothing,
    ),
    "lineage": FacetMapping(
        "a part of the run for each target, with its inputs alone; an empty list declares a source",
        LINEAGE,
        _nothing,
    ),
    "lifecycleStateChange": FacetMapping(
        "ALTER, RENAME, TRUNCATE: a revision; DROP, and the old name of RENAME: invalidated",
        shape("lifecycleStateChange?", "previousIdentifier.name?", "previousIdentifier.namespace?"),
        _nothing,
    ),
    "dataQualityMetrics": FacetMapping(_QUALITY, METRICS, _nothing),
    "dataQualityAssertions": FacetMapping(_QUALITY, ASSERTIONS, _nothing),
    "tags": FacetMapping("", TAG_FIELDS, _column_tags),
}
"""Key of a facet of a dataset that is about the version → what it becomes."""

OF_RUNS = ("columnLineage", "lineage", "lifecycleStateChange")
"""Facets of a dataset that say what a run did to it. They are mapped for the outputs of a run, and otherwise kept."""

OWN: Table = {
    "inputStatistics": FacetMapping("attributes of the usage", _STATISTICS, _nothing),
    "outputStatistics": FacetMapping("attributes of the version", _STATISTICS, _nothing),
    "subset": FacetMapping(
        "a part of the version, which is used or generated",
        shape("inputCondition", "outputCondition"),
        _other_condition,
    ),
    "dataQualityMetrics": FacetMapping(_QUALITY, METRICS, _nothing),
    "dataQualityAssertions": FacetMapping(_QUALITY, ASSERTIONS, _nothing),
}
"""Key of a facet of an input or output → what it becomes."""
