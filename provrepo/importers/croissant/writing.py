"""Documents as Croissant 1.1: a dataset of files, and all statements in terms of PROV-O beside them.

The statements are nodes of PROV-O in JSON-LD: those of the dataset and its files at these, the others below
``@included`` (JSON-LD 1.1, section 4.13). The member ``provrepo:statements`` has all of the document, as PROV-JSON, so
that reading gives it back. It is used only if the rest is as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from provrepo.codecs.provjson import reader, writer
from provrepo.codecs.rdf import codec as rdf
from provrepo.errors import ReadError
from provrepo.importers.croissant.checks import REQUIRED
from provrepo.importers.croissant.graph import CR, CROISSANT, FORMAT
from provrepo.importers.json_values import Problem, canonical
from provrepo.model.document import Document, Loss
from provrepo.model.statements import ATTRIBUTION, ENTITY, MEMBERSHIP, Statement
from provrepo.vocab import (
    DCAT,
    DCTERMS,
    MLS,
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_TYPE,
    PROVREPO,
    RDFS,
    RDFS_LABEL,
    SCHEMA,
    SPDX,
    XSD,
)

__all__ = ["embedded", "losses", "write"]

_HTTPS = "https://schema.org/"
"""schema.org as the validator of Croissant, mlcroissant, has it; the specification has ``http:``."""

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": _HTTPS,
    **{"sc": _HTTPS, "cr": CR, "rai": f"{CR}RAI/", "dct": DCTERMS, "prov": PROV, "rdfs": RDFS, "xsd": XSD},
    "provrepo": PROVREPO,
    **{
        name: f"cr:{name}"
        for name in (
            *(
                "citeAs",
                "column",
                "containedIn",
                "equivalentProperty",
                "extract",
                "field",
                "fileObject",
                "fileProperty",
            ),
            *("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
            *("recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
            *("subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
"""The recommended context (Appendix 1), and the prefixes of what is added."""

_STATEMENTS = "provrepo:statements"
_DATASETS = (f"{DCAT}Dataset", f"{SCHEMA}Dataset", f"{_HTTPS}Dataset", f"{MLS}Dataset", f"{CR}Dataset")
_COPIED = ("description", "license", "url", "version", "datePublished", "dateCreated", "dateModified", "keywords")


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001
    """A document as Croissant 1.1.

    Args:
        document: the document. Its dataset is the first collection of files that is a dataset; else all files are one.
        format: ``croissant``.

    Raises:
        WriteError: an identifier is not an absolute IRI.
    """
    found = _Description(document).made()
    found[_STATEMENTS] = json.dumps(
        {"digest": _digest(found), "document": json.loads(writer.write(document, format="provjson"))},
        ensure_ascii=False,
    )
    return json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n"


def embedded(found: Mapping[str, Any], problems: list[Problem]) -> Document | None:
    """The document that a description was written from; None without it, or if the description was changed since.

    Args:
        found: the description.
        problems: receives why it is not used.
    """
    text = found.get(_STATEMENTS)
    if not isinstance(text, str):
        return None
    pointer = f"/{_STATEMENTS}"
    try:
        kept = json.loads(text)
        if kept["digest"] != _digest(found):
            problems.append(Problem(pointer, "the description was changed since; these statements are not used"))
            return None
        return reader.read(canonical(kept["document"]), format=FORMAT, base=None)
    except (ReadError, ValueError, KeyError, TypeError, RecursionError):
        problems.append(Problem(pointer, "no statements in PROV-JSON; they are not used"))
        return None


def _digest(found: Mapping[str, Any]) -> str:
    return sha256(canonical({key: item for key, item in found.items() if key != _STATEMENTS})).hexdigest()


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """What a reader of Croissant does not find: members that it requires, and what is no statement of PROV-O."""
    description = _Description(document)
    made = description.made()
    lacking = [term for term in REQUIRED if not made.get(term.removeprefix("sc:"))]
    found = [
        Loss(f"Croissant 1.1 requires {term.removeprefix('sc:')}, which the document does not state of its dataset",
             description.name, kept=True)
        for term in lacking
    ]  # fmt: skip
    kept = f"the member {_STATEMENTS} keeps it, which other tools do not read"
    found += [
        Loss(f"{loss.reason}; {kept}", loss.subject, kept=True) for loss in rdf.losses(document, format="rdfjsonld")
    ]
    return [*found, *writer.losses(document, format="provjson")]


class _Description:
    """Makes the description of a document.

    Attributes:
        name: the IRI of the dataset; empty if the document has none.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._entities = {str(s.id): s for s in document if s.kind is ENTITY}
        members: dict[str, list[str]] = {}
        for statement in document:
            if statement.kind is MEMBERSHIP:
                members.setdefault(str(statement.args[0]), []).append(str(statement.args[1]))
        files = [name for name, entity in self._entities.items() if self._is_file(entity)]
        datasets = [name for name, entity in self._entities.items() if self._is_dataset(entity) and name in members]
        self.name = next((name for name in datasets if set(members[name]) & set(files)), "")
        self._files = [name for name in members[self.name] if name in set(files)] if self.name else files

    @staticmethod
    def _values(statement: Statement, *names: str) -> list[str]:
        return [str(value) for name in names for key, value in statement.attributes if key == name]

    def _is_file(self, entity: Statement) -> bool:
        return bool(self._digests(entity)) and bool(self._values(entity, PROV_LABEL, RDFS_LABEL, PROV_LOCATION))

    def _is_dataset(self, entity: Statement) -> bool:
        return any(kind in _DATASETS for kind in self._values(entity, PROV_TYPE))

    def _digests(self, entity: Statement) -> dict[str, str]:
        sha256s = self._values(entity, f"{SCHEMA}sha256")
        found = {"sha256": sha256s[0]} if sha256s else {}
        for text in self._values(entity, f"{SPDX}checksumValue"):
            algorithm, _, digest = text.rpartition(":")
            if algorithm.lower() == "md5" and len(digest) == 32:
                found["md5"] = digest
        return found

    def made(self) -> dict[str, Any]:
        """The description, without the member that keeps all statements."""
        nodes = self._nodes()
        found: dict[str, Any] = {"@context": CONTEXT, "@type": "sc:Dataset"}
        entity = self._entities.get(self.name)
        if entity is not None:
            found["@id"] = self.name
            found |= {
                key: value for key, value in nodes.pop(self.name, {}).items() if key.startswith(("prov:", "rdfs:"))
            }
        found |= self._about(entity)
        found["conformsTo"] = CROISSANT[-1]
        found["distribution"] = [self._file(name, nodes.pop(name, {})) for name in self._files]
        if nodes:
            found["@included"] = list(nodes.values())
        return found

    def _about(self, entity: Statement | None) -> dict[str, Any]:
        if entity is None:
            return {"name": "files of a PROV document"}
        names = self._values(entity, f"{SCHEMA}name", PROV_LABEL, RDFS_LABEL)
        found: dict[str, Any] = {"name": names[0] if names else self.name}
        for key in _COPIED:
            values = self._values(
                entity, f"{SCHEMA}{key}", f"{_HTTPS}{key}", *([f"{DCTERMS}license"] * (key == "license"))
            )
            if values:
                found[key] = values if key == "keywords" else values[0]
        creators = [s.args[1] for s in self._document if s.kind is ATTRIBUTION and s.args[0] == self.name]
        agents = {s.id: s for s in self._document if s.kind.name == "agent"}
        people = []
        for creator in creators:
            agent = agents.get(creator)  # type: ignore[arg-type]
            label = self._values(agent, PROV_LABEL, RDFS_LABEL) if agent else []
            types = self._values(agent, PROV_TYPE) if agent else []
            kind = "sc:Organization" if f"{PROV}Organization" in types else "sc:Person"
            people.append({"@type": kind, "@id": str(creator), "name": label[0] if label else str(creator)})
        return found | ({"creator": people} if people else {})

    def _file(self, name: str, node: dict[str, Any]) -> dict[str, Any]:
        entity = self._entities[name]
        label = (self._values(entity, PROV_LABEL, RDFS_LABEL) or self._values(entity, PROV_LOCATION))[0]
        media = self._values(entity, f"{SCHEMA}encodingFormat")
        size = self._values(entity, f"{SCHEMA}contentSize")
        found: dict[str, Any] = {
            "@type": "cr:FileObject",
            "@id": name,
            "name": label,
            "contentUrl": (self._values(entity, PROV_LOCATION) or [label])[0],
            "encodingFormat": media[0] if media else "application/octet-stream",
            **({"contentSize": f"{size[0]} B" if size[0].isdigit() else size[0]} if size else {}),
            **self._digests(entity),
        }
        return found | {key: value for key, value in node.items() if key.startswith("prov:")}

    def _nodes(self) -> dict[str, dict[str, Any]]:
        """The statements as nodes of PROV-O, by their identifiers, with the prefixes of the context."""
        written = json.loads(rdf.write(self._document, format="rdfjsonld"))
        nodes = written if isinstance(written, list) else written.get("@graph", [written])
        return {str(node["@id"]): _compacted(node) for node in nodes if isinstance(node, dict) and "@id" in node}


def _compacted(value: Any) -> Any:
    """Expanded JSON-LD with the prefixes of the context, and lists of one value as this value."""
    if isinstance(value, list):
        items = [_compacted(item) for item in value]
        return items[0] if len(items) == 1 else items
    if not isinstance(value, dict):
        return value
    return {_short(key) if not key.startswith("@") else key: _kept(key, item) for key, item in value.items()}


def _kept(key: str, item: Any) -> Any:
    if key == "@type":
        return [_short(kind) for kind in item] if isinstance(item, list) else _short(item)
    return item if key in ("@id", "@value", "@language") else _compacted(item)


_PREFIXES = {PROV: "prov:", RDFS: "rdfs:", XSD: "xsd:", DCTERMS: "dct:", PROVREPO: "provrepo:", CR: "cr:"}


def _short(iri: str) -> str:
    for namespace, prefix in _PREFIXES.items():
        if iri.startswith(namespace):
            return prefix + iri[len(namespace) :]
    return iri
