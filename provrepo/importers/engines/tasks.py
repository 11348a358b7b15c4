"""What tasks of all engines have in common: prefixes, the plan with its code, the engine, the container."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from provrepo.importers.json_values import canonical
from provrepo.importers.masking import masked
from provrepo.importers.names import segment
from provrepo.importers.statements import Statements, json_value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import USAGE, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_ROLE, PROVREPO, RDF, RDFS, RDFS_LABEL, SCHEMA, SPDX, WFPROV, XSD

__all__ = ["PREFIXES", "details", "state_container", "state_engine", "state_plan"]

PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "ol": "https://w3id.org/provrepo/openlineage#",
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "wfprov": WFPROV,
    "xsd": XSD,
}


def details(found: Mapping[str, Any]) -> list[Attribute]:
    """An attribute with those members that no statement is made of, as JSON without secrets; none without any."""
    kept = {name: value for name, value in found.items() if value not in (None, "", [], {})}
    return [json_value(f"{PROVREPO}details", kept)] if kept else []


def state_plan(statements: Statements, root: str, name: str, code: str = "") -> Identifier:
    """Describe the rule, process or task that a run followed; another code is another plan."""
    shown = masked(code)
    place = f"{root}plan/{segment(name)}" + (f"/{sha256(canonical(code)).hexdigest()[:12]}" if code else "")
    return statements.entity(place, words(RDFS_LABEL, name), words(f"{SCHEMA}text", shown), types=[f"{PROV}Plan"])


def state_engine(statements: Statements, root: str, name: str, version: str = "") -> Identifier:
    """Describe the engine, in its version where a record has it."""
    place = f"{root}engine/{segment(name.lower())}" + (f"/{segment(version)}" if version else "")
    return statements.agent(
        place, words(RDFS_LABEL, name), words(f"{SCHEMA}softwareVersion", version), types=[f"{PROV}SoftwareAgent"]
    )


def state_container(statements: Statements, root: str, activity: str, image: str) -> None:
    """Describe the image of the container in which a task ran, which it used. A digest of an image is of no file."""
    if image:
        entity = statements.entity(
            f"{root}container/{segment(image)}", words(RDFS_LABEL, image), types=[f"{PROVREPO}Source"]
        )
        statements.relate(USAGE, activity, entity, attributes=words(PROV_ROLE, "container"))
