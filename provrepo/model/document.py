"""PROV documents: statements, bundles, declared prefixes, and the parts of a source that PROV-DM cannot represent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from provrepo.model.extensions import Extension
from provrepo.model.identifiers import Identifier
from provrepo.model.operations import operations
from provrepo.model.quads import Quad
from provrepo.model.statements import Statement

if TYPE_CHECKING:
    from provrepo.model.compare import Comparison

__all__ = ["Bundle", "Document", "Loss", "Quad", "SourceBytes", "Unmapped", "UnreadPart", "ReaderWarning"]


class Loss(NamedTuple):
    """Something in a document that a format cannot represent.

    Attributes:
        reason: one sentence that names the concept and the format's limit; equal reasons are counted together.
        subject: the identifier or statement concerned, as text; may be empty.
        kept: whether reading gives it back all the same, since the format has a place for it that only provrepo reads.
    """

    reason: str
    subject: str = ""
    kept: bool = False


class ReaderWarning(NamedTuple):
    """A warning of a reader about its source. Each becomes a finding of the layer ``syntax``.

    Attributes:
        message: what was unusual and how it was read.
        line: 1-based line, or None.
        column: 1-based column, or None.
        rule: the name of the finding's rule.
        violation: whether it fails the document; otherwise the finding is a warning.
        focus: the identifier it is about, or None.
        repair: what to do about it, in plain words, or None.
    """

    message: str
    line: int | None = None
    column: int | None = None
    rule: str = "reading:remark"
    violation: bool = False
    focus: str | None = None
    repair: str | None = None


class UnreadPart(NamedTuple):
    """A part of a source, other than a triple, that no statement stands for: a JSON key, an XML element.

    Attributes:
        part: the part in a short form: a JSON pointer, an element's name.
        reason: why no statement stands for it; equal reasons are counted together.
        line: 1-based line, or None.
        column: 1-based column, or None.
    """

    part: str
    reason: str
    line: int | None = None
    column: int | None = None


class SourceBytes(NamedTuple):
    """The bytes of an RDF source, or of events, which state exactly what their author wrote; statements do not.

    Attributes:
        data: the bytes.
        format: the name of their format.
        base: the IRI against which relative IRIs in them are resolved, or None.
        statements: the number of statements read from them; a document with another number was changed since.
    """

    data: bytes
    format: str
    base: str | None
    statements: int


@dataclass(slots=True)
class Unmapped:
    """The triples and parts of a source that no statement stands for.

    Triples stay with the document and RDF formats write them again. Parts of other formats are only listed.

    Attributes:
        quads: the triples, in the order in which the reader added them.
        why: the reason for each of the triples.
        unread: parts of a source that is not RDF. Each becomes a finding ``reading:unread``.
        reasons: reason → number of triples and parts.
    """

    quads: list[Quad] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    unread: list[UnreadPart] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, quad: Quad, reason: str) -> None:
        """Keep one triple and count it under ``reason``."""
        self.quads.append(quad)
        self.why.append(reason)
        self.reasons[reason] += 1

    def add_part(self, part: UnreadPart) -> None:
        """List one part that is not read, and count it under its reason."""
        self.unread.append(part)
        self.reasons[part.reason] += 1

    def triples(self) -> Iterator[tuple[Quad, str]]:
        """Each triple with its reason."""
        return zip(self.quads, self.why, strict=True)

    def __len__(self) -> int:
        return len(self.quads) + len(self.unread)


@dataclass(slots=True)
class Bundle:
    """A named set of statements (PROV-DM section 5.4); also the top level of a document, where ``id`` is None.

    Attributes:
        id: the bundle's identifier, None for the top level.
        statements: in source order.
        prefixes: those declared inside the bundle, beyond the document's.
        extensions: statements in it that extend PROV-N, in source order.
    """

    id: Identifier | None = None
    statements: list[Statement] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)
    extensions: list[Extension] = field(default_factory=list)

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)


@dataclass(slots=True)
class Document:
    """A PROV document (PROV-DM section 5.4 calls its two levels instances).

    Attributes:
        statements: the top level's statements, in source order.
        bundles: in source order. Two may carry the same identifier: that is invalid PROV, not unreadable.
        prefixes: declared prefix → namespace IRI; the empty prefix is the default namespace.
        unmapped: triples of an RDF source that no statement stands for.
        variants: triples of an RDF source that state a statement in other terms than the writer uses, such as inverse
            properties; RDF formats write them too.
        warnings: what was unusual in the source.
        format: name of the format it was read from, or None.
        source: the bytes of the source if that was RDF or events, or None.
        extensions: statements of the top level that extend PROV-N, in source order; no statement of PROV-DM among them.
    """

    statements: list[Statement] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)
    unmapped: Unmapped = field(default_factory=Unmapped)
    variants: list[Quad] = field(default_factory=list)
    warnings: list[ReaderWarning] = field(default_factory=list)
    format: str | None = None
    source: SourceBytes | None = field(default=None, compare=False, repr=False)
    extensions: list[Extension] = field(default_factory=list)

    def instances(self) -> Iterator[Bundle]:
        """The top level, then each bundle: the units that PROV-CONSTRAINTS and SHACL validate one at a time."""
        yield Bundle(None, self.statements, self.prefixes, self.extensions)
        yield from self.bundles

    def __iter__(self) -> Iterator[Statement]:
        """Every statement, those in bundles included."""
        yield from self.statements
        for bundle in self.bundles:
            yield from bundle.statements

    def __len__(self) -> int:
        """How many statements there are, those in bundles included."""
        return len(self.statements) + sum(map(len, self.bundles))

    def __bool__(self) -> bool:
        """True: an empty document is a document."""
        return True

    def compare(self, other: Document) -> Comparison:
        """Whether both make the same statements; see ``provrepo.model.compare.compare``."""
        from provrepo.model.compare import compare

        return compare(self, other)

    def write(self, format: str) -> bytes:  # noqa: A002 (the public name)
        """The document in another format.

        Args:
            format: a format's name, such as ``"provjson"`` or ``"turtle"``.

        Raises:
            UnknownFormat: no such format.
            WriteError: the format cannot represent this document at all.
        """
        return operations().write(self, format)

    def losses(self, format: str) -> list[Loss]:  # noqa: A002
        """What the format cannot represent of this document; empty if it can represent everything."""
        return operations().losses(self, format)

    def normalized(self) -> Document:
        """The normal form of PROV-CONSTRAINTS (section 6), with ``_:n1``, ``_:n2`` … for existential variables.

        Raises:
            Refused: the document is invalid, so it has none; the report lists the violations.
            TooLarge: the normal form is beyond its limit.
        """
        return operations().normalized(self)

    def to_prov(self) -> Any:
        """The document as a ``prov.model.ProvDocument`` of the `prov` package, which may respell values.

        `prov` keeps values and not spellings: ``"007"^^xsd:int`` becomes 7, and instants become ``datetime`` objects.

        Raises:
            WriteError: `prov` cannot represent it, such as a time that is not an ``xsd:dateTime``.
        """
        return operations().to_prov(self)

    @classmethod
    def from_prov(cls, document: Any) -> Document:
        """A document from a ``prov.model.ProvDocument``, with values spelled as `prov` spells them.

        Raises:
            UsageError: ``document`` is not a ``ProvDocument``.
        """
        return operations().from_prov(document)
