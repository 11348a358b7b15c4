"""What runs are about: files with their contents, collections, values, software, people; and everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import state_file
from provrepo.importers.json_values import Problem
from provrepo.importers.masking import masked, without_login
from provrepo.importers.names import segment
from provrepo.importers.rocrate.graph import WFRUN, Crate, Node, Ref, payload_path
from provrepo.importers.statements import Statements, link, typed, value, words
from provrepo.model.document import Quad, Unmapped
from provrepo.model.identifiers import Identifier
from provrepo.model.secrets import MASK, secret_name
from provrepo.model.statements import MEMBERSHIP, SPECIALIZATION, Attribute
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_LOCATION, PROV_VALUE, PROVREPO, RDF_TYPE, RDFS_LABEL, SCHEMA

__all__ = ["NO_PLACE", "Things", "did_run", "label_of"]

NO_PLACE = "a description of a crate for which PROV has no element"
_DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""Property of a file → hexadecimal digits (Provenance Run Crate 0.5, with the terms of workflow-run)."""

_PLANS = frozenset(("SoftwareSourceCode", "ComputationalWorkflow", "HowTo", "HowToStep", "MediaObject", "Dataset"))
_SOFTWARE = frozenset(("SoftwareApplication", "SoftwareSourceCode", "ComputationalWorkflow"))
_PEOPLE = {"Person": f"{PROV}Person", "Organization": f"{PROV}Organization"}
_IMAGES = frozenset(("ContainerImage", "DockerImage", "SIFImage"))
_COLLECTIONS = frozenset(("Dataset", "Collection", "RepositoryCollection", "http://pcdm.org/models#Collection"))
_FILES = frozenset(("MediaObject", "http://pcdm.org/models#File"))


class Things:
    """States the elements of a crate that are no runs, each when it is first needed.

    Attributes:
        crate: it.
        statements: the document.
        made: the identifiers of what runs generated.
    """

    def __init__(self, crate: Crate, statements: Statements, observed: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin.

        Args:
            crate: what is read.
            statements: the document.
            observed: path in the crate → what its files were found to have: ``size`` and digests.
        """
        self.crate, self.statements, self._observed = crate, statements, observed
        self.made: set[str] = set()
        self._done: set[str] = set()

    def entity(self, identifier: str) -> Identifier:
        """Describe what an identifier refers to as an entity; what is described nowhere is an entity, too."""
        node = self.crate.node(identifier)
        if node is None:
            iri = self.crate.iri(identifier)
            known = self._file(identifier, iri, None)
            return known if identifier in self.made else self._source(iri)
        name = self._version(node)
        if node.id not in self._done:
            self._done.add(node.id)
            self._describe(node, name)
        return Identifier(name)

    def agent(self, identifier: str) -> Identifier:
        """Describe who took part: a person, an organization, or software."""
        node = self.crate.node(identifier)
        iri = self.crate.iri(identifier)
        if node is None:
            return self.statements.agent(iri)
        types = [kind for name, kind in _PEOPLE.items() if name in node.types]
        if not types and node.types & _SOFTWARE:
            types = [f"{PROV}SoftwareAgent"]
        self._done.add(node.id)
        if self.is_plan(node):
            # The program itself is the agent: what it is, is said of the plan.
            return self.statements.agent(iri, words(RDFS_LABEL, label_of(node)), types=[f"{PROV}SoftwareAgent"])
        return self.statements.agent(iri, words(RDFS_LABEL, label_of(node)), self.attributes(node), types=types)

    def plan(self, identifier: str) -> Identifier:
        """Describe the instrument of a run as its plan."""
        entity = self.entity(identifier)
        return self.statements.entity(entity, types=[f"{PROV}Plan"])

    def is_plan(self, node: Node) -> bool:
        """Whether an instrument is a plan: code, a workflow, a step, or a tool with a description of its own.

        Other software, such as an engine, is an agent.
        """
        return bool(node.types & _PLANS) or any(
            node.values.get(name) for name in ("input", "output", "softwareRequirements", "buildInstructions")
        )

    def image(self, found: object, pointer: str) -> Identifier | None:
        """Describe a container image: a node, or its address (Process Run Crate 0.5, Specifying container images)."""
        if isinstance(found, Ref):
            entity = self.entity(found.id)
        elif isinstance(found, str) and found:
            shown = without_login(found)
            name = shown if is_iri(shown) else f"{self.crate.base}image/{segment(found)}"
            entity = self.statements.entity(name, words(RDFS_LABEL, shown), types=[f"{PROVREPO}Source"])
        else:
            self.crate.problems.append(Problem(pointer, "an image or its address is needed; it is not read"))
            return None
        return self.statements.entity(entity, types=[f"{WFRUN}ContainerImage"])

    def rest(self, unmapped: Unmapped) -> None:
        """Describe the files that no run refers to, and keep as triples what has no place in PROV."""
        for node in self.crate.nodes.values():
            if node.id not in self._done and node.id != self.crate.root and node.types & (_FILES | _COLLECTIONS):
                self.entity(node.id)
        for node in self.crate.nodes.values():
            if node.id in self._done or did_run(node):
                continue
            if node.types & _PEOPLE.keys():
                self.agent(node.id)
                continue
            types = [link(RDF_TYPE, self._type(kind)) for kind in sorted(node.types)]
            for name, found in [*types, *words(RDFS_LABEL, node.text("name")), *self.attributes(node, "hasPart")]:
                unmapped.add(Quad(Identifier(node.iri), Identifier(name), found), NO_PLACE)
        self._parts_of_crate()

    def attributes(self, node: Node, *known: str) -> list[Attribute]:
        """The properties of a node as attributes under the terms of the crate.

        Args:
            node: it.
            known: the properties that are stated otherwise.
        """
        found: list[Attribute] = []
        named = node.text("name")
        for name, values in node.values.items():
            if name in known or (name == "name" and values == [label_of(node)]):
                continue
            term = self.crate.term(name)
            for each in values:
                if isinstance(each, Ref):
                    found.append(link(term, self._referred(each.id)))
                elif name == "value" and each and secret_name(named):
                    found += words(term, MASK)
                elif isinstance(each, str):
                    found += words(term, each)
                else:
                    found += value(term, masked(each))
        return found

    def _parts_of_crate(self) -> None:
        """The files of the crate itself are parts of it; their membership would connect all that is in one crate."""
        root = self.crate.node(self.crate.root)
        if root is None:
            return
        for part in root.refs("hasPart"):
            member = self.crate.node(part)
            if member is not None and member.id in self._done and member is not root:
                self.statements.entity(self._version(member), [link(f"{DCTERMS}isPartOf", self.crate.iri(root.id))])

    # --- entities --------------------------------------------------------------------------------------------------

    def _describe(self, node: Node, name: str) -> None:
        types = [self._type(kind) for kind in sorted(node.types)]
        if node.id not in self.made:
            types.append(f"{PROVREPO}Source")
        if node.types & _FILES and "ContainerImage" not in node.types:
            self._file(node.id, name, node, types)
        elif node.types & _COLLECTIONS:
            self._collection(node, name, types)
        elif "PropertyValue" in node.types:
            self._value(node, name, types)
        else:
            self.statements.entity(name, words(RDFS_LABEL, label_of(node)), self.attributes(node), types=types)

    def _version(self, node: Node) -> str:
        """The IRI of what a node describes. A file of the web is one version of it, where its digest is known."""
        if f"{PROV}Entity" in node.refs("additionalType"):
            return node.iri
        web = node.types & _FILES and node.iri.startswith(("http://", "https://", "ftp://"))
        if web and any(node.text(name) for name in _DIGESTS) and not node.iri.startswith(self.crate.base):
            return f"{self.crate.base}web/{segment(node.iri)}"
        return node.iri

    def _file(self, identifier: str, name: str, node: Node | None, types: Iterable[str] = ()) -> Identifier:
        path = payload_path(identifier)
        observed = self._observed.get(path, {}) if path else {}
        digests = {key: text for key, text in observed.items() if key != "size"}
        stated = self._stated(node) if node is not None else {}
        wrong = sorted(key for key, digest in stated.items() if digests.get(key, digest) != digest)
        if wrong and node is not None:
            message = f"the file in the crate has another {wrong[0]}: it was changed since, or is another one"
            self.crate.problems.append(Problem(f"{node.pointer}/{wrong[0]}", message))
        if wrong:
            digests = stated
        size = observed.get("size")
        more = [typed(f"{DCAT}byteSize", str(size), "integer")] if size is not None and not wrong else []
        if node is not None and size is not None and not wrong and node.text("contentSize") not in ("", str(size)):
            message = f"the file in the crate has {size:,} bytes"
            self.crate.problems.append(Problem(f"{node.pointer}/contentSize", message))
        entity = state_file(
            self.statements,
            name,
            label_of(node) if node is not None else path or without_login(identifier),
            {**digests, **stated},
            self.attributes(node, *_DIGESTS, "hasPart") if node is not None else (),
            more,
            location=path,
            types=types,
        )
        if node is not None and name != node.iri:
            self.statements.entity(node.iri, types=[f"{PROVREPO}Source"])
            self.statements.relate(SPECIALIZATION, name, node.iri)
        return entity

    def _stated(self, node: Node) -> dict[str, str]:
        """The digests that a file has in the crate."""
        found = {}
        for algorithm, digits in _DIGESTS.items():
            text = node.text(algorithm).lower()
            if text and (len(text) != digits or not set(text) <= set("0123456789abcdef")):
                pointer = f"{node.pointer}/{algorithm}"
                self.crate.problems.append(Problem(pointer, f"no {algorithm}: {digits} hexadecimal digits are needed"))
            elif text:
                found[algorithm] = text
        return found

    def _collection(self, node: Node, name: str, types: list[str]) -> None:
        """A folder, or several files that belong together."""
        self.statements.entity(
            name,
            words(RDFS_LABEL, label_of(node)),
            words(PROV_LOCATION, payload_path(node.id)),
            self.attributes(node, "hasPart"),
            types=[*types, f"{PROV}Collection"],
        )
        for part in node.refs("hasPart"):
            if self._below(part, node.id):
                message = "a part has the whole as a part of its own; it is no member"
                self.crate.problems.append(Problem(f"{node.pointer}/hasPart", message))
            else:
                self.statements.relate(MEMBERSHIP, name, self.entity(part))

    def _below(self, part: str, whole: str) -> bool:
        """Whether a part leads back to the whole."""
        seen, left = set(), [part]
        while left:
            each = self.crate.node(left.pop())
            if each is None or each.id in seen:
                continue
            if each.id == whole:
                return True
            seen.add(each.id)
            left += each.refs("hasPart")
        return False

    def _value(self, node: Node, name: str, types: list[str]) -> None:
        """A parameter: its value; one that consists of other values and files has these as members."""
        values = node.values.get("value", [])
        parts = [each.id for each in values if isinstance(each, Ref)]
        plain = [each for each in values if not isinstance(each, Ref)]
        found = plain[0] if len(plain) == 1 else plain or None
        if found is not None and secret_name(node.text("name")):
            found = MASK
        self.statements.entity(
            name,
            value(PROV_VALUE, masked(found)),
            words(RDFS_LABEL, label_of(node)),
            self.attributes(node, "value"),
            types=[*types, *([f"{PROV}Collection"] if parts else [])],
        )
        for part in parts:
            if self._inside(part, node.id):
                message = "a value has itself as a part; it is no member"
                self.crate.problems.append(Problem(f"{node.pointer}/value", message))
            else:
                self.statements.relate(MEMBERSHIP, name, self.entity(part))

    def _inside(self, part: str, whole: str) -> bool:
        seen, left = set(), [part]
        while left:
            each = self.crate.node(left.pop())
            if each is not None and each.id not in seen:
                if each.id == whole:
                    return True
                seen.add(each.id)
                left += each.refs("value")
        return False

    def _source(self, iri: str) -> Identifier:
        return self.statements.entity(iri, types=[f"{PROVREPO}Source"])

    def _type(self, kind: str) -> str:
        term = self.crate.term(kind)
        return term if is_iri(term) else f"{SCHEMA}{segment(kind)}"

    def _referred(self, identifier: str) -> str:
        node = self.crate.node(identifier)
        return self._version(node) if node is not None else self.crate.iri(identifier)


def did_run(node: Node) -> bool:
    """Whether a node describes something that was done. What could be done is no run (``PotentialActionStatus``)."""
    status = node.text("actionStatus") or next(iter(node.refs("actionStatus")), "")
    return any(kind.endswith("Action") for kind in node.types) and not status.endswith("PotentialActionStatus")


def label_of(node: Node) -> str:
    """What people call a node: the name that a file had for its tool, its name, or its identifier."""
    names = ("alternateName", "name") if node.types & _FILES else ("name", "alternateName")
    return node.text(*names) or without_login(node.id)
