"""The dataset of a description with its resources, record sets, fields and, where it has them, records.

Croissant 1.1, sections Dataset-level Information, Resources, RecordSets, Annotating Data and Provenance Representation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import state_file
from provrepo.importers.croissant.graph import CR, Graph, Node, full, json_of
from provrepo.importers.croissant.provenance import RELATIONS, Provenance, plain
from provrepo.importers.json_values import Problem
from provrepo.importers.masking import without_login
from provrepo.importers.names import segment
from provrepo.importers.statements import Statements, json_value, link, value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ATTRIBUTION, DERIVATION, MEMBERSHIP, SPECIALIZATION, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL

__all__ = ["Dataset"]

_COLLECTION = f"{PROV}Collection"
_ORCID = re.compile(r"https?://orcid\.org/(\d{4}-\d{4}-\d{4}-\d{3}[\dX])/?")
_SOURCES = ("cr:fileObject", "cr:fileSet", "cr:recordSet", "cr:field")
_HOW = ("cr:extract", "cr:transform", "cr:format")


class Dataset:
    """Makes the statements of one description.

    Args:
        graph: the description.
        statements: the document.
        name: the IRI of this version of the dataset.
    """

    def __init__(self, graph: Graph, statements: Statements, name: str) -> None:
        self._graph, self._statements, self.name = graph, statements, name
        self._prov = Provenance(graph, statements)

    def state(self) -> None:
        """State all of it."""
        root = self._graph.root
        types = [f"{DCAT}Dataset", _COLLECTION]
        known = ("sc:name", "dct:conformsTo", "sc:creator", "sc:distribution", "cr:recordSet")
        self._statements.entity(
            self.name,
            words(RDFS_LABEL, root.text("sc:name")),
            self._rest(root, *known),
            types=[*types, *self._types(root)],
        )
        logical = self._graph.iri(root.id) if root.id else root.text("sc:url")
        if is_iri(logical) and logical != self.name:
            self._statements.entity(logical, types=[f"{DCAT}Dataset"])
            self._statements.relate(SPECIALIZATION, self.name, logical)
        for _, creator in root.all("sc:creator"):
            self._agent(creator, "creator")
        self._prov.state(root, self.name, "entity")
        for node in root.nodes("sc:distribution"):
            resource = self._resource(node)
            self._statements.relate(MEMBERSHIP, self.name, resource)
        for node in root.nodes("cr:recordSet"):
            self._record_set(node)
        self._prov.included(root.nodes("@included"))

    def _agent(self, found: Any, role: str) -> None:
        node = found if isinstance(found, Node) else None
        name = node.text("sc:name") if node else str(found)
        places = [node.id, node.text("sc:sameAs"), node.text("sc:identifier"), node.text("sc:url")] if node else [name]
        orcid = next(filter(None, map(_ORCID.fullmatch, places)), None)
        iri = f"https://orcid.org/{orcid[1]}" if orcid else next(filter(is_iri, places[:1]), "")
        iri = iri or f"{self._graph.base}agent/{segment(name or role)}"
        kinds = [f"{PROV}{kind}" for kind in ("Person", "Organization") if node and f"sc:{kind}" in node.types]
        agent = self._statements.agent(
            without_login(iri), words(RDFS_LABEL, name), self._rest(node, "sc:name") if node else [], types=kinds
        )
        self._statements.relate(ATTRIBUTION, self.name, agent, attributes=words(PROV_ROLE, role))

    # Resources ------------------------------------------------------------------------------------------------------

    def _iri(self, node: Node, inside: str = "") -> str:
        """The name of a node: its identifier, or its name within what contains it."""
        if node.id:
            return self._graph.iri(node.id)
        name = node.text("sc:name") or node.pointer.strip("/")
        return f"{inside or self._graph.base}{'/' if inside else ''}{segment(name)}"

    def _resource(self, node: Node) -> Identifier:
        """A file, or a set of files."""
        name = self._iri(node)
        label = node.text("sc:name") or node.id or node.text("sc:contentUrl")
        if "cr:FileSet" in node.types:
            made = self._statements.entity(
                name, words(RDFS_LABEL, label), self._rest(node, "sc:name", "cr:containedIn"),
                types=[*self._types(node), _COLLECTION],
            )  # fmt: skip
        else:
            digests = {}
            for algorithm, terms in (("sha256", ("sc:sha256",)), ("md5", ("cr:md5", "sc:md5"))):
                for place, digest in node.all(*terms):
                    text = digest.lower() if isinstance(digest, str) else ""
                    if re.fullmatch(r"[0-9a-f]{64}" if algorithm == "sha256" else r"[0-9a-f]{32}", text):
                        digests[algorithm] = text
                    else:
                        self._say(place, f"no {algorithm} of a file in hexadecimal; it names no content")
            known = ("sc:name", "sc:sha256", "cr:md5", "sc:md5", "sc:contentUrl", "cr:containedIn")
            location = without_login(node.text("sc:contentUrl"))
            made = state_file(
                self._statements, name, label, digests, self._rest(node, *known), location=location,
                types=self._types(node),
            )  # fmt: skip
        for place, container in node.all("cr:containedIn"):
            self._derive(made, container, place, inside=True)
        self._prov.state(node, name, "entity")
        return made

    def _derive(self, made: Identifier, found: Any, place: str, *, inside: bool = False) -> None:
        """State of what a resource or field was extracted, and how.

        Args:
            made: it.
            found: a reference, or a data source.
            place: where that is.
            inside: whether it is a part of it.
        """
        if not isinstance(found, Node):
            if isinstance(found, str) and found in self._graph.ids:
                found = Node(place, found)
            else:
                self._say(place, 'no reference to a resource, {"@id": …}; it is not read')
                return
        sources = [source for term in _SOURCES for source in found.nodes(term)] or ([found] if found.id else [])
        how = {term: json_of(found)[term] for term in _HOW if term in found.values}
        details = [json_value(f"{PROVREPO}details", how)] if how else []
        for source in sources:
            known = self._graph.ids.get(source.id)
            if known is None:
                self._say(source.pointer, f"nothing is described with the identifier {without_login(source.id)}")
            name = self._graph.iri(source.id)
            if known is None or name == made:
                continue
            self._statements.relate(DERIVATION, made, name, attributes=details)
            if inside:
                self._statements.entity(made, [link(f"{DCTERMS}isPartOf", name)])

    # Record sets ----------------------------------------------------------------------------------------------------

    def _record_set(self, node: Node) -> None:
        name = self._iri(node)
        known = ("sc:name", "cr:field", "cr:annotation", "cr:data", "cr:examples")
        made = self._statements.entity(
            name, words(RDFS_LABEL, node.text("sc:name") or node.id), self._rest(node, *known),
            [link(f"{DCTERMS}isPartOf", self.name)], types=[*self._types(node), _COLLECTION],
        )  # fmt: skip
        self._prov.state(node, name, "entity")
        for each in node.nodes("cr:field"):
            self._statements.relate(MEMBERSHIP, made, self._field(each, name))
        for each in node.nodes("cr:annotation"):
            self._field(each, name)
        self._records(node, name)

    def _field(self, node: Node, inside: str) -> Identifier:
        """A field, with the fields inside of it and those that annotate it."""
        name = self._iri(node, inside)
        known = ("sc:name", "cr:source", "cr:subField", "cr:annotation", "cr:equivalentProperty")
        same = [link(f"{CR}equivalentProperty", full(self._graph.term(text))) for text in self._equivalent(node)]
        made = self._statements.entity(
            name, words(RDFS_LABEL, node.text("sc:name") or node.id), self._rest(node, *known), same,
            [link(f"{DCTERMS}isPartOf", inside)], types=self._types(node),
        )  # fmt: skip
        for place, source in node.all("cr:source"):
            self._derive(made, source, place)
        self._prov.state(node, name, "entity")
        for each in node.nodes("cr:subField", "cr:annotation"):
            self._field(each, name)
        return made

    def _equivalent(self, node: Node) -> list[str]:
        return [text for _, each in node.all("cr:equivalentProperty") if (text := _text(each))]

    def _records(self, node: Node, name: str) -> None:
        """Values of records that the description contains: what annotations of PROV say of each of them.

        Croissant 1.1, section Data-level Provenance.
        """
        annotating = list(self._annotations(node))
        if not annotating:
            return
        rows = [row for _, found in node.all("cr:data") for row in (found if isinstance(found, list) else [found])]
        if not rows:
            text = "of each value; these are in the data, which is not read"
            for _, annotation, property_ in annotating:
                self._say(annotation.pointer, f"prov:{property_} is said {text}")
            return
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                self._say(node.pointer, "a record is an object; it is not read")
                continue
            for about, annotation, property_ in annotating:
                self._value(row, f"{name}/record/{number}", name, about, annotation, property_)

    def _annotations(self, node: Node) -> Iterator[tuple[Node | None, Node, str]]:
        """The annotations that are properties of PROV: what each is about (None: the record), it, and the property."""
        for about in (None, *node.nodes("cr:field")):
            for annotation in (about or node).nodes("cr:annotation"):
                for text in self._equivalent(annotation):
                    property_ = self._graph.term(text).removeprefix("prov:")
                    if property_ in RELATIONS and RELATIONS[property_].of == "entity":
                        yield about, annotation, property_

    def _value(
        self, row: dict[str, Any], record: str, record_set: str, about: Node | None, annotation: Node, property_: str
    ) -> None:
        key = next((key for key in (annotation.id, annotation.id.rpartition("/")[2]) if key in row), None)
        found = row.get(key) if key is not None else None
        if not isinstance(found, str | int | float):
            return
        place, text = record, ""
        if about is not None:
            local = about.id.rpartition("/")[2]
            place = f"{record}/{segment(local)}"
            text = str(row.get(about.id, row.get(local, "")))
        held = [link(f"{DCTERMS}isPartOf", record_set)]
        self._statements.entity(place, value(PROV_VALUE, text or None), held, types=[f"{PROVREPO}Part"])
        item = str(found)
        relation = RELATIONS[property_]
        iri = (
            self._graph.iri(item) if is_iri(item) or ":" in item else f"{self._graph.base}{relation.to}/{segment(item)}"
        )
        state = {"agent": self._statements.agent, "entity": self._statements.entity}.get(relation.to)
        if state is not None:
            state(iri, words(RDFS_LABEL, item))
        else:
            self._statements.activity(iri, None, None, words(RDFS_LABEL, item))
        self._statements.relate(relation.kind, place, iri)

    # What is left ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _types(node: Node) -> list[str]:
        return [full(kind) for kind in node.types if kind not in ("prov:Entity", "sc:Dataset")]

    @staticmethod
    def _rest(node: Node, *known: str) -> list[Attribute]:
        """Attributes for the members of which no statement is made; those of PROV are stated elsewhere."""
        return [
            attribute
            for term, found in node.values.items()
            if term not in known and not term.startswith("prov:")
            for _, item in found
            for attribute in plain(term, item)
        ]

    def _say(self, pointer: str, message: str) -> None:
        self._graph.problems.append(Problem(pointer, message))


def _text(found: Any) -> str:
    if isinstance(found, Node):
        return found.id
    return found if isinstance(found, str) else ""
