"""The JSON-LD of a Croissant description as nodes with short terms, whatever its context calls them. It fetches none.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, sections Namespaces, ID and Reference Mechanism, and
Appendix 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import without_login
from provrepo.importers.shapes import Shapes
from provrepo.vocab import DCTERMS, FOAF, PROV, PROVREPO, RDFS, XSD

__all__ = ["CR", "CROISSANT", "FORMAT", "SC", "Graph", "Node", "full", "json_of"]

FORMAT = "croissant"
CR = "http://mlcommons.org/croissant/"
SC = "http://schema.org/"
CROISSANT = ("http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/1.1")
"""What a description conforms to, by its version."""

_SHORT = {
    **{"sc": SC, "cr": CR, "dct": DCTERMS, "prov": PROV, "rai": f"{CR}RAI/", "foaf": FOAF, "rdfs": RDFS, "xsd": XSD},
    "provrepo": PROVREPO,
}
_FOREIGN = {"https://schema.org/": "sc", "http://mlcommons.org/croissant": "cr"}
_OTHER_NAMES = {"schema": SC, "croissant": CR, "ml": CR, "dcterms": DCTERMS, "dc": DCTERMS}
_TERMS = frozenset(
    {
        *("annotation", "arrayShape", "citeAs", "column", "containedIn", "data", "dataType", "equivalentProperty"),
        *("examples", "excludes", "extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes"),
        *("isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "readLines", "recordSet"),
        *("references", "regex", "repeated", "replace", "samplingRate", "sdVersion", "separator", "source"),
        *("subField", "transform", "unArchive", "value"),
    }
)
"""Names of the recommended context that are Croissant's; ``conformsTo`` is Dublin Core's, the rest are schema.org's."""

_JSON = ("cr:data", "cr:examples")
"""Terms whose values are JSON, of which no nodes are made."""


@dataclass(slots=True)
class Node:
    """An object of the description.

    Attributes:
        pointer: where it is.
        id: its ``@id`` as it is written; empty without one.
        types: its types, as short terms.
        values: by short term, its values with their pointers.
    """

    pointer: str
    id: str = ""
    types: list[str] = field(default_factory=list)
    values: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)

    def all(self, *terms: str) -> list[tuple[str, Any]]:
        """The values of some terms, with their pointers."""
        return [each for term in terms for each in self.values.get(term, [])]

    def nodes(self, *terms: str) -> list[Node]:
        """The values that are objects."""
        return [value for _, value in self.all(*terms) if isinstance(value, Node)]

    def text(self, *terms: str) -> str:
        """The first value that is a text or number; of an object its identifier, address or name."""
        for _, value in self.all(*terms):
            if isinstance(value, Node):
                found = value.id or value.text("sc:url", "sc:name")
                if found:
                    return found
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value)
        return ""

    @property
    def reference(self) -> bool:
        """Whether it only refers to another one."""
        return bool(self.id) and not self.types and not self.values


class Graph(Shapes):
    """A description.

    Attributes:
        root: the dataset.
        base: the beginning of the names of what has relative identifiers.
        ids: the nodes that are described, by their identifiers as they are written.
    """

    def __init__(self, data: Mapping[str, Any], base: str, problems: list[Problem]) -> None:
        super().__init__(problems, "description")
        self._terms: dict[str, str] = {}
        self._vocabulary = SC
        self.base = base
        self._contexts(data.get("@context"), "/@context")
        self.ids: dict[str, Node] = {}
        self.root = self._node(data, "")

    def iri(self, identifier: str) -> str:
        """The IRI of an identifier: itself, or one below the base."""
        shown = without_login(identifier)
        prefix, colon, local = shown.partition(":")
        if colon and prefix in self._terms and not local.startswith("//"):
            shown = self._terms[prefix] + local
        if is_iri(shown):
            return shown
        place = quote(shown.removeprefix("./"), safe="/#-._~")
        return urljoin(self.base, place) if self.base.startswith(("http:", "https:")) else f"{self.base}{place}"

    def term(self, name: str) -> str:
        """A name as a short term such as ``sc:name``, or as an IRI."""
        return _shortened(self._expanded(name, 0))

    def _contexts(self, context: Any, pointer: str) -> None:
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, str):
                if not part.startswith(("http://schema.org", "https://schema.org", CR)):
                    self.problems.append(
                        Problem(pointer, f"the context {part[:200]} is not fetched; its terms are not known")
                    )
                continue
            for name, meaning in self.object(part, pointer).items():
                target = meaning.get("@id") if isinstance(meaning, dict) else meaning
                if name == "@vocab" and isinstance(target, str):
                    self._vocabulary = target
                elif name == "@base" and isinstance(target, str) and is_iri(target):
                    self.base = target
                elif not name.startswith("@") and isinstance(target, str):
                    self._terms[name] = target

    def _expanded(self, name: str, depth: int) -> str:
        if name.startswith("@"):
            return name
        known = self._terms.get(name)
        if known is not None and known != name and depth < 5:
            return self._expanded(known, depth + 1)
        prefix, colon, local = name.partition(":")
        if colon:
            if local.startswith("//"):
                return name
            namespace = self._terms.get(prefix) or _SHORT.get(prefix) or _OTHER_NAMES.get(prefix)
            return namespace + local if namespace else name
        if name in _TERMS:
            return CR + name
        return DCTERMS + name if name == "conformsTo" else self._vocabulary + name

    def _node(self, found: Mapping[str, Any], pointer: str) -> Node:
        node = Node(pointer, self.text(found.get("@id"), f"{pointer}/@id"))
        kinds = found.get("@type")
        types = (
            self.texts(kinds, f"{pointer}/@type") if isinstance(kinds, list) else [self.text(kinds, f"{pointer}/@type")]
        )
        node.types = [self.term(kind) for kind in types if kind]
        for key, item in found.items():
            term = self.term(key)
            if key == "@context" or term in ("@id", "@type"):
                continue
            place = f"{pointer}/{escaped(key)}"
            node.values.setdefault(term, []).extend(self._values(term, item, place))
        if node.id and not node.reference:
            if node.id in self.ids and json_of(self.ids[node.id]) != json_of(node):
                self.problems.append(
                    Problem(f"{pointer}/@id", f"the identifier {without_login(node.id)} is described twice")
                )
            self.ids.setdefault(node.id, node)
        return node

    def _values(self, term: str, item: Any, pointer: str) -> Iterator[tuple[str, Any]]:
        if term in _JSON:
            yield pointer, item
            return
        for number, value in enumerate(item if isinstance(item, list) else [item]):
            place = f"{pointer}/{number}" if isinstance(item, list) else pointer
            if isinstance(value, dict) and "@value" in value:
                yield place, value["@value"]
            elif isinstance(value, dict):
                yield place, self._node(value, place)
            elif value is not None:
                yield place, value


def json_of(node: Node) -> dict[str, Any]:
    """A node as JSON with short terms."""
    found: dict[str, Any] = {"@id": node.id} if node.id else {}
    if node.types:
        found["@type"] = node.types
    for term, values in node.values.items():
        items = [json_of(item) if isinstance(item, Node) else item for _, item in values]
        found[term] = items[0] if len(items) == 1 else items
    return found


def _shortened(iri: str) -> str:
    for namespace, prefix in (*_FOREIGN.items(), *((space, prefix) for prefix, space in _SHORT.items())):
        local = iri.removeprefix(namespace)
        if local != iri and local and "/" not in local:
            return f"{prefix}:{local}"
    return iri


def full(term: str) -> str:
    """The IRI of a short term."""
    prefix, colon, local = term.partition(":")
    return _SHORT[prefix] + local if colon and prefix in _SHORT else term
