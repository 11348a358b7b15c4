"""Statements as text for people: as PROV-N writes them, with the prefixes that documents declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from provrepo.model.document import Document
from provrepo.model.extensions import Extension
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import Statement, Term
from provrepo.vocab import PROV, XSD, XSD_STRING

__all__ = ["Renderer"]


class Renderer:
    """Shortens identifiers with prefixes; an IRI that no namespace fits is in angle brackets."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        known = {"prov": PROV, "xsd": XSD, **{p: n for p, n in prefixes.items() if p and n}}
        self._namespaces = sorted(known.items(), key=lambda pair: (-len(pair[1]), pair[0]))

    @classmethod
    def of(cls, *documents: Document) -> Renderer:
        """A renderer with the prefixes of documents and their bundles; the first declaration of a prefix is used."""
        prefixes: dict[str, str] = {}
        for document in documents:
            for instance in document.instances():
                for prefix, namespace in instance.prefixes.items():
                    prefixes.setdefault(prefix, namespace)
        return cls(prefixes)

    def name(self, iri: str) -> str:
        """The same as ``identifier``."""
        return self.identifier(iri)

    def keyword(self, iri: str) -> str:
        """The name of a statement that extends PROV-N."""
        return self.identifier(iri)

    def identifier(self, name: str) -> str:
        """A prefixed name, a blank node label, or the IRI in angle brackets."""
        if name.startswith("_:"):
            return name
        for prefix, namespace in self._namespaces:
            if name.startswith(namespace) and len(name) > len(namespace):
                return f"{prefix}:{name[len(namespace) :]}"
        return f"<{name}>"

    def value(self, value: Value) -> str:
        """An identifier, or a literal with its datatype or language."""
        if not isinstance(value, Literal):
            return self.identifier(value)
        quoted = '"' + value.lexical.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if value.language is not None:
            return f"{quoted}@{value.language}"
        return quoted if value.datatype == XSD_STRING else f"{quoted} %% {self.identifier(value.datatype)}"

    def term(self, term: Term) -> str:
        """An argument: an identifier, a time, or ``-`` if absent."""
        return "-" if term is None else self.identifier(term) if isinstance(term, Identifier) else term

    def statement(self, statement: Statement) -> str:
        """The whole statement on one line."""
        name = "" if statement.id is None else self.identifier(statement.id)
        args = [self.term(term) for term in statement.args]
        if statement.kind.entries is not None:
            args.append("{" + ", ".join(self._entries(statement)) + "}")
        attributes = [f"{self.identifier(name)}={self.value(value)}" for name, value in statement.attributes]
        if attributes:
            args.append(f"[{', '.join(attributes)}]")
        if statement.kind.element:
            return f"{statement.kind.name}({', '.join([name, *args])})"
        return f"{statement.kind.name}({name + '; ' if name else ''}{', '.join(args)})"

    def extension(self, extension: Extension) -> str:
        """A statement that extends PROV-N, on one line. Its attributes are sorted, since they have no order."""
        ordered = replace(extension, attributes=tuple(sorted(extension.attributes)))
        return ordered.text(self)

    def subject(self, statement: Statement, other: Statement) -> str:
        """The identifier that two statements of one kind share, or else their equal arguments."""
        if statement.id is not None and statement.id == other.id:
            return self.identifier(statement.id)
        shared = [a if a == b else None for a, b in zip(statement.args, other.args, strict=True)]
        while len(shared) > 1 and shared[-1] is None:
            shared.pop()
        return ", ".join(map(self.term, shared))

    def parts(self, statement: Statement) -> Iterator[str]:
        """The parts of a statement as text: its identifier, arguments, entries and attributes."""
        if statement.id is not None:
            yield f"identifier {self.identifier(statement.id)}"
        for argument, term in zip(statement.kind.arguments, statement.args, strict=False):
            if term is not None:
                yield f"{argument.name} {self.term(term)}"
        yield from (f"key {entry}" for entry in self._entries(statement))
        for name, value in statement.attributes:
            yield f"{self.identifier(name)} {self.value(value)}"

    def _entries(self, statement: Statement) -> Iterator[str]:
        for key, entity in statement.entries:
            shown = self.value(key)
            yield shown if entity is None else f"({shown}, {self.identifier(entity)})"
