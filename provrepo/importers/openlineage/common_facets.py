"""The facets that jobs, datasets and runs have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provrepo.importers.openlineage.columns import column_of
from provrepo.importers.openlineage.facets import Context, FacetMapping, items, shape, text_of
from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.statements import json_value, unknown_members, words
from provrepo.model.statements import ATTRIBUTION, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_ROLE, RDFS_LABEL

__all__ = ["DOCUMENTATION", "OWNERSHIP", "TAGS", "TAG_FIELDS", "tags"]

_OWNERS = {"user": "Person", "person": "Person", "team": "Organization", "group": "Organization", "org": "Organization"}


def tags(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    """``dcat:keyword`` with key and value; a tag of a field is one of the column."""
    attributes = []
    for tag in items(facet.get("tags")):
        keyword = words(f"{DCAT}keyword", f"{text_of(tag.get('key'))}={text_of(tag.get('value'))}")
        rest = unknown_members(tag, ("key", "value", "field"))
        if rest:
            keyword.append(json_value(f"{TERMS}tag", tag))
        field = text_of(tag.get("field"))
        if field:
            context.statements.entity(column_of(context, context.subject, field), keyword)
        else:
            attributes += keyword
    return attributes


def _documentation(_: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    return [
        *words(f"{DCTERMS}description", facet.get("description")),
        *words(f"{TERMS}descriptionFormat", facet.get("contentType")),
    ]


def _ownership(context: Context, facet: Mapping[str, Any]) -> list[Attribute]:
    for owner in items(facet.get("owners")):
        name = text_of(owner.get("name"))
        kind, colon, rest = name.partition(":")
        type_ = _OWNERS.get(kind.lower() if colon else "")
        agent = context.statements.agent(
            context.names.owner(name),
            words(RDFS_LABEL, rest if type_ else name),
            types=[PROV + type_] if type_ else [],
        )
        role = words(PROV_ROLE, owner.get("type"))
        context.statements.relate(ATTRIBUTION, context.subject, agent, attributes=role)
    return []


DOCUMENTATION = FacetMapping("`dcterms:description`", shape("description", "contentType"), _documentation)
OWNERSHIP = FacetMapping(
    "`prov:wasAttributedTo`, with the type of the owner as role", shape("owners[].name!", "owners[].type"), _ownership
)
TAG_FIELDS = shape("tags[].key!", "tags[].value?", "tags[].field?", "tags[].*")
TAGS = FacetMapping("`dcat:keyword`; of a field, on the column", TAG_FIELDS, tags)
