"""The graph of a crate: its nodes with the names of their terms, and the IRIs that their identifiers stand for.

``ro-crate-metadata.json`` is flattened JSON-LD: an array of nodes that refer to each other (RO-Crate 1.1, appendix
RO-Crate JSON-LD). So it is read as JSON, with the terms of the contexts that the package ships. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from provrepo.codecs.jsonld import contexts
from provrepo.codecs.provo.bioschemas import moved
from provrepo.codecs.rdf.terms import is_iri
from provrepo.errors import ReadError
from provrepo.importers.json_values import Problem, canonical, escaped, parse, unwritable
from provrepo.importers.masking import without_login
from provrepo.importers.names import below, segment
from provrepo.importers.shapes import Shapes

__all__ = ["FORMAT", "METADATA", "OF_METADATA", "ROOT", "WFRUN", "Crate", "Node", "Ref", "parsed"]

FORMAT = "rocrate"
OF_METADATA = "rocratejson"
"""The format of the metadata alone."""

METADATA = "ro-crate-metadata.json"
ROOT = "https://w3id.org/provrepo/rocrate/"
"""The beginning of minted names, where the caller gives no base IRI; the digest of the crate follows."""

WFRUN = "https://w3id.org/ro/terms/workflow-run#"
_NEWEST = ("https://w3id.org/ro/crate/1.3/context", "https://w3id.org/ro/terms/workflow-run/context")
_SHORT = re.compile(
    r"(?:https?://schema\.org/|https?://bioschemas\.org/(?:terms/|properties/|ComputationalWorkflow#)?"
    r"|https://w3id\.org/ro/terms/workflow-run#|https://codemeta\.github\.io/terms/|http://purl\.org/dc/terms/)([\w-]+)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DRIVE = re.compile(r"(?:file:/*)?[A-Za-z]:[\\/]")
_SUSPECT = re.compile(rb"\\u[dD]|[0-9][eE]\+?[0-9]{3}")
_PLAIN = re.compile(r"#?[A-Za-z0-9_-][A-Za-z0-9/_-]*(?:\.[A-Za-z0-9_-]+)*")
_SAFE = "/%#?&=:;,+@!$'()*~-._"


class Ref(NamedTuple):
    """A reference to a node: its ``@id`` as it is spelled."""

    id: str


class Node(NamedTuple):
    """A node of the graph.

    Attributes:
        id: its ``@id`` as it is spelled.
        iri: what it stands for.
        types: the short names of its types, such as ``CreateAction``; IRIs of other vocabularies.
        values: short name of a property → its values: references, texts, numbers, booleans, and JSON of other shape.
        pointer: its JSON pointer.
    """

    id: str
    iri: str
    types: frozenset[str]
    values: dict[str, list[Any]]
    pointer: str

    def refs(self, name: str) -> list[str]:
        """The identifiers that the references of a property have."""
        return [value.id for value in self.values.get(name, ()) if isinstance(value, Ref)]

    def text(self, *names: str) -> str:
        """The first text or number of the first of these properties that has one."""
        for name in names:
            for value in self.values.get(name, ()):
                if isinstance(value, str) and value:
                    return value
                if isinstance(value, int | float) and not isinstance(value, bool):
                    return str(value)
        return ""


class Crate(Shapes):
    """A crate that is read.

    Attributes:
        nodes: by identifier.
        base: the IRI of the crate, which ends with a slash or hash.
        digest: of its metadata, in hexadecimal; it does not depend on the order of nodes.
        root: the identifier of the root data entity; empty where there is none.
        zoneless: the number of times without a zone.
    """

    def __init__(
        self, data: Mapping[str, Any], base: str | None, problems: list[Problem], *, careful: bool = True
    ) -> None:
        """Read the nodes.

        Args:
            data: the metadata.
            base: the base IRI of the caller.
            problems: gets what is not as the specification says.
            careful: whether it may have what cannot be written again (``may_be_unwritable``).
        """
        super().__init__(problems, "crate")
        self._terms = dict(_table(_NEWEST))
        self._own = self._contexts(data.get("@context"))
        self._names: dict[str, str] = {}
        self._iris: dict[str, str] = {}
        self._said: set[str] = set()
        found = data.get("@graph")
        lines = sorted(map(canonical, found)) if isinstance(found, list) else [canonical(found)]
        rest = canonical({key: value for key, value in data.items() if key != "@graph"})
        self.digest = sha256(b"\n".join([rest, *lines])).hexdigest()
        self._careful = careful
        self.base = below(base, f"{ROOT}{self.digest}/")
        self.zoneless = 0
        self.nodes: dict[str, Node] = {}
        for pointer, item in self.objects(found, "/@graph"):
            self._node(item, pointer)
        self._plain_references()
        self.root = self._root()

    def iri(self, identifier: str) -> str:
        """The IRI that an identifier stands for: itself, or one below that of the crate."""
        known = self._iris.get(identifier)
        if known is None:
            known = self._iris[identifier] = self._resolved(identifier)
        return known

    def term(self, name: str) -> str:
        """The IRI of a term, as it is today: terms of Bioschemas have had three (RO-Crate 1.1, 1.2, 1.3)."""
        iri = self._names.get(name) or self._terms.get(name) or name
        iri = iri.replace("https://schema.org/", "http://schema.org/", 1)
        return str(moved().get(iri, iri))

    def node(self, identifier: str) -> Node | None:
        """The node with an identifier; references to files may be spelled with and without ``./``."""
        return self.nodes.get(identifier) or self.nodes.get(identifier.removeprefix("./"))

    def moment(self, node: Node, name: str) -> str | None:
        """A time of a node as ``xsd:dateTime``; one without a zone is counted."""
        values = node.values.get(name, [])
        if len(values) > 1:
            self.problems.append(Problem(f"{node.pointer}/{name}", "more than one time; the first is read"))
        time = self.time(values[0] if values else None, f"{node.pointer}/{name}")
        if time and not re.search(r"(?:Z|[+-]\d\d:\d\d)$", time):
            self.zoneless += 1
        return time

    # --- reading ---------------------------------------------------------------------------------------------------

    def _contexts(self, context: Any) -> dict[str, str]:
        """The terms that the contexts of the crate define."""
        terms: dict[str, str] = {}
        parts = context if isinstance(context, list) else [context]
        for number, part in enumerate(parts):
            pointer = f"/@context/{number}" if isinstance(context, list) else "/@context"
            if isinstance(part, str):
                found = contexts.find(part)
                if found is None:
                    shown = without_login(part)
                    self.problems.append(
                        Problem(pointer, f"the context {shown} is not known, and contexts are never fetched")
                    )
                terms.update(_flat(found))
            elif isinstance(part, dict):
                terms.update(_flat(part))
            elif part is not None:
                self.problems.append(Problem(pointer, "no context; it is not read"))
        return terms

    def _short(self, name: str, pointer: str) -> str | None:
        """The short name of a term; None where nothing says what it means."""
        if name in self._names:
            return _shortened(self._names[name])
        prefix, colon, rest = name.partition(":")
        iri = self._own.get(name)
        if iri is None and colon:
            iri = f"{self._own[prefix]}{rest}" if prefix in self._own else name if is_iri(name) else None
        if iri is None and not colon and name in self._terms:
            iri = self._terms[name]
            self._say(name, pointer, f"no context of the crate has the term; it is read as {iri}")
        if iri is None or not is_iri(iri):
            self._say(name, pointer, "no context of the crate has this term; it stays in the crate alone")
            return None
        self._names[name] = iri
        short = _shortened(iri)
        self._terms.setdefault(short, iri)
        return short

    def _say(self, name: str, pointer: str, message: str) -> None:
        if name not in self._said:
            self._said.add(name)
            self.problems.append(Problem(f"{pointer}/{escaped(name)}", message))

    def _node(self, item: Mapping[str, Any], pointer: str) -> None:
        identifier = item.get("@id")
        if not isinstance(identifier, str) or not identifier:
            self.problems.append(Problem(f"{pointer}/@id", "an identifier is needed; the node is not read"))
            return
        problem = next(unwritable(item, pointer), None) if self._careful else None
        if problem is not None:
            self.problems.append(problem._replace(fatal=False))
            return
        if "\\" in identifier or _DRIVE.match(identifier):
            self.problems.append(
                Problem(f"{pointer}/@id", "a path of one machine, with backslashes or a drive, and no URI")
            )
        types = item.get("@type")
        named = [name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)]
        if not named:
            self.problems.append(Problem(f"{pointer}/@type", "a type is needed"))
        short = frozenset(filter(None, (self._short(name, f"{pointer}/@type") for name in named)))
        values: dict[str, list[Any]] = {}
        for key, value in item.items():
            if key.startswith("@"):
                continue
            name = self._short(key, pointer)
            if name is not None:
                values.setdefault(name, []).extend(self._values(value, f"{pointer}/{escaped(key)}"))
        former = self.nodes.get(identifier)
        if former is not None:
            self.problems.append(
                Problem(f"{pointer}/@id", f"the node is described at {former.pointer}, too; both are read as one")
            )
            short |= former.types
            for key, found in former.values.items():
                values[key] = [*found, *(each for each in values.get(key, ()) if each not in found)]
            pointer = former.pointer
        self.nodes[identifier] = Node(identifier, self.iri(identifier), short, values, pointer)

    def _values(self, value: Any, pointer: str) -> Iterator[Any]:
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self._values(item, f"{pointer}/{number}")
        elif not isinstance(value, dict):
            if value is not None:
                yield value
        elif isinstance(value.get("@id"), str) and value["@id"]:
            if len(value) > 1:
                self.problems.append(Problem(pointer, "a node inside of another one; only the reference to it is read"))
            yield Ref(value["@id"])
        elif "@value" in value:
            yield value["@value"]
        elif "@list" in value:
            yield from self._values(value["@list"], pointer)
        else:
            self.problems.append(Problem(pointer, "a node without an identifier; it is kept as JSON"))
            yield value

    def _plain_references(self) -> None:
        """Texts that are identifiers of nodes, where the specification has references, as its own examples write."""
        for node in self.nodes.values():
            for name in _REFERENCES & node.values.keys():
                for number, value in enumerate(node.values[name]):
                    if isinstance(value, str) and value in self.nodes:
                        node.values[name][number] = Ref(value)

    def _root(self) -> str:
        """The root data entity: what the metadata descriptor is about (RO-Crate 1.1, root data entity)."""
        for identifier, node in self.nodes.items():
            if identifier.rpartition("/")[2] in (METADATA, "ro-crate-metadata.jsonld"):
                for root in node.refs("about"):
                    if root in self.nodes:
                        return root
        if "./" in self.nodes:
            return "./"
        self.problems.append(Problem("/@graph", "no metadata descriptor says which node is the crate"))
        return ""

    def _resolved(self, identifier: str) -> str:
        shown = without_login(identifier)
        if _PLAIN.fullmatch(shown):
            return f"{self.base}{shown}"
        if _DRIVE.match(shown):
            return f"{self.base}{segment(shown)}"
        quoted = quote(shown, safe=_SAFE)
        if re.search(r"%(?![0-9A-Fa-f]{2})", quoted) or quoted.count("#") > 1:
            return f"{self.base}{segment(shown)}"
        if _SCHEME.match(quoted) and is_iri(quoted):
            return quoted
        local = re.sub(r"^(?:\.?/)+", "", quoted)
        resolved = f"{self.base}{local}"
        return resolved if is_iri(resolved) and "/../" not in f"/{local}/" else f"{self.base}{segment(shown)}"


_REFERENCES = frozenset(
    (
        *("about", "agent", "buildInstructions", "connection", "containerImage", "environment", "exampleOfWork"),
        *("hasPart", "input", "instrument", "mainEntity", "mentions", "object", "output", "resourceUsage", "result"),
        *("softwareRequirements", "sourceParameter", "step", "subjectOf", "targetParameter", "workExample"),
    )
)
"""Properties whose values are nodes."""


def parsed(data: bytes) -> Mapping[str, Any]:
    """The JSON object of a crate.

    Raises:
        ReadError: not JSON, or not one object with a graph, with the line.
    """
    values = list(parse(data, FORMAT))
    if len(values) != 1 or values[0][1] or not isinstance(values[0][2], dict):
        raise ReadError("one JSON object is needed, with @context and @graph", line=1, format=FORMAT)
    found: dict[str, Any] = values[0][2]
    if not isinstance(found.get("@graph"), list):
        raise ReadError("a crate has its nodes in an array, @graph", line=values[0][0], format=FORMAT)
    return found


def may_be_unwritable(data: bytes) -> bool:
    """Whether JSON may have half a character or a number beyond what computers exchange; a fast search."""
    return _SUSPECT.search(data) is not None


def payload_path(identifier: str) -> str:
    """The path in the crate that an identifier of a file stands for; empty for what is not in it."""
    if _SCHEME.match(identifier) or _DRIVE.match(identifier) or identifier.startswith("#"):
        return ""
    return unquote(re.sub(r"^(?:\.?/)+", "", identifier.partition("#")[0]))


def _shortened(iri: str) -> str:
    found = _SHORT.fullmatch(iri)
    return found[1] if found else iri


def _table(addresses: Iterable[str]) -> Iterator[tuple[str, str]]:
    for address in addresses:
        yield from _flat(contexts.find(address)).items()


def _flat(context: Any) -> dict[str, str]:
    """The terms of a context: name → IRI."""
    if isinstance(context, list):
        found: dict[str, str] = {}
        for part in context:
            found.update(_flat(part))
        return found
    if not isinstance(context, dict):
        return {}
    named: dict[str, str] = {}
    for term, meaning in context.items():
        iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
        if isinstance(iri, str) and not term.startswith("@"):
            prefix, colon, rest = iri.partition(":")
            inner = context.get(prefix)
            named[term] = f"{inner}{rest}" if colon and isinstance(inner, str) and not rest.startswith("//") else iri
    return named
