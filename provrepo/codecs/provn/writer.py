"""Writing PROV-N: one statement a line, in the document's order, with names as short as the prefixes allow."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from provrepo.codecs.names import NameShortener, repair
from provrepo.codecs.provn.lexer import LANGUAGE, LOCAL, PREFIX, TIME, escape_local, escape_string
from provrepo.model.document import Bundle, Document, Loss
from provrepo.model.identifiers import Identifier, Literal, Value
from provrepo.model.statements import ASSOCIATION, DictionaryEntry, EntryForm, Statement
from provrepo.vocab import PROV_QUALIFIED_NAME, XSD_QNAME, XSD_STRING

__all__ = ["losses", "write"]

_NAMES_AS_LITERALS = (PROV_QUALIFIED_NAME, XSD_QNAME)


def write(document: Document, *, format: str) -> bytes:  # noqa: A002, ARG001 (one format in this module)
    """Write PROV-N.

    The prefixes of the document and its bundles are declared; ``ns1``, ``ns2`` … are added for other namespaces.
    """
    scope = _Spelling(document.prefixes)
    blocks = [scope.statements("  ", document)]
    blocks += [_bundle(bundle, scope) for bundle in document.bundles]
    blocks.insert(0, scope.declarations("  "))
    body = "\n\n".join("\n".join(block) for block in blocks if block)
    return "\n".join(filter(None, ["document", body, "endDocument", ""])).encode() + b"\n"


def losses(document: Document, *, format: str) -> list[Loss]:  # noqa: A002, ARG001
    """What PROV-N cannot represent of the document, which is rare in real documents."""
    found: list[Loss] = []
    for statement in document:
        subject = statement.id or repr(statement)
        kind = statement.kind
        if not _writable(statement):
            found.append(Loss("PROV-N cannot describe an element without an identifier", subject))
            continue
        if statement.id is not None and not kind.identified:
            found.append(Loss(f"PROV-N has no identifier for {kind.name}", subject))
        if statement.attributes and not kind.attributed:
            found.append(Loss(f"PROV-N has no attributes for {kind.name}", subject))
        for argument, term in zip(kind.arguments, statement.args, strict=True):
            if argument.time and term is not None and not TIME.fullmatch(term):
                found.append(Loss(f"PROV-N cannot write a time that begins with no digit ({argument.name})", subject))
        values = [value for _, value in statement.attributes] + [entry.key for entry in statement.entries]
        found += [Loss(reason, subject) for value in values for reason in _literal_losses(value)]
    return found


def _literal_losses(value: Value) -> list[str]:
    if isinstance(value, Identifier):
        return []
    lost = []
    if "\0" in value.lexical:
        lost.append("PROV-N cannot represent the character U+0000 in a literal")
    if value.language is not None and not LANGUAGE.fullmatch(f"@{value.language}"):
        lost.append(f"PROV-N cannot write the language tag {value.language!r}")
    if value.datatype in _NAMES_AS_LITERALS:
        lost.append(f"PROV-N reads a literal of datatype <{value.datatype}> as a name; written as a string")
    return lost


def _writable(statement: Statement) -> bool:
    return statement.id is not None or not statement.kind.element


def _bundle(bundle: Bundle, outer: _Spelling) -> list[str]:
    # A bundle with its own declarations has its own scope, in which the prefixes that it mints are declared.
    scope = _Spelling(bundle.prefixes, outer) if bundle.prefixes else outer
    statements = scope.statements("    ", bundle)
    # Its identifier is read with its own declarations too (example 60).
    name = scope.name(bundle.id) if bundle.id is not None else "_:bundle"
    declarations = [] if scope is outer else scope.declarations("    ")
    return [f"  bundle {name}", *declarations, *statements, "  endBundle"]


def _acceptable(local: str) -> bool:
    # A reader could parse the start of such a local name as a comment.
    return LOCAL.fullmatch(escape_local(local)) is not None and not local.startswith(("//", "/*"))


class _Spelling:
    """Writes names and statements with the prefixes of a document or bundle."""

    def __init__(self, prefixes: Mapping[str, str], outer: _Spelling | None = None) -> None:
        usable = {p: n for p, n in prefixes.items() if (not p or PREFIX.fullmatch(p)) and repair(n) == n}
        self._names: NameShortener = (
            NameShortener(usable, acceptable=_acceptable) if outer is None else outer._names.within(usable)
        )
        self._written: dict[str, str] = {}

    def declarations(self, indent: str) -> list[str]:
        # In the grammar the default namespace comes first, and ProvToolbox ignores all text after one that does not.
        return [
            f"{indent}prefix {prefix} <{iri}>" if prefix else f"{indent}default <{iri}>"
            for prefix, iri in sorted(self._names.beyond().items(), key=lambda declared: declared[0] != "")
        ]

    def keyword(self, iri: str) -> str:
        """The name of a statement that extends PROV-N, which needs a prefix."""
        prefix, _, local = self._names.prefixed(iri).partition(":")
        return f"{prefix}:{escape_local(local)}"

    def name(self, iri: str) -> str:
        known = self._written.get(iri)
        if known is None:
            prefix, local = self._names.split(iri)
            if prefix == "_" and not _acceptable(local):
                local = quote(local, safe="")
            known = self._written[iri] = (f"{prefix}:" if prefix else "") + escape_local(local)
        return known

    def statements(self, indent: str, instance: Bundle | Document) -> list[str]:
        written = [self.statement(indent, s) for s in instance.statements if _writable(s)]
        return written + [indent + extension.text(self) for extension in instance.extensions]

    def statement(self, indent: str, statement: Statement) -> str:
        kind, name = statement.kind, self.name
        parts: list[str] = []
        if kind.element:
            parts.append(name(statement.id or ""))
        # Optional arguments are omitted together or not at all (the grammar of section 3).
        # ProvToolbox cannot read an association without them.
        present = kind is ASSOCIATION or any(
            term is not None and not argument.required
            for argument, term in zip(kind.arguments, statement.args, strict=True)
        )
        for argument, term in zip(kind.arguments, statement.args, strict=True):
            if argument.required or present:
                if term is None or (argument.time and not TIME.fullmatch(term)):
                    parts.append("-")
                else:
                    parts.append(term if argument.time else name(term))
        if kind.entries is not None:
            parts.append(self.entries(kind.entries, statement.entries))
        if statement.attributes and kind.attributed:
            pairs = ", ".join([f"{name(a)}={self.value(v)}" for a, v in statement.attributes])
            parts.append(f"[{pairs}]")
        own = f"{name(statement.id)}; " if statement.id is not None and kind.identified and not kind.element else ""
        # PROV-Dictionary extends PROV-N: its keywords are prefixed names.
        keyword = kind.name if kind.entries is None else f"prov:{kind.name}"
        return f"{indent}{keyword}({own}{', '.join(parts)})"

    def entries(self, shape: EntryForm, entries: tuple[DictionaryEntry, ...]) -> str:
        members = [
            f"({self.value(key)}, {self.name(entity)})" if entity is not None else self.value(key)
            for key, entity in entries
        ]
        if shape is EntryForm.KEY:
            return members[0] if members else "-"
        return f"{{{', '.join(members)}}}"

    def value(self, value: Value) -> str:
        if not isinstance(value, Literal):
            return f"'{self.name(value)}'"
        # ProvToolbox does not read a datatype after three quotation marks.
        plain = value.language is not None or value.datatype == XSD_STRING or value.datatype in _NAMES_AS_LITERALS
        string = escape_string(value.lexical.replace("\0", "\ufffd"), lines=plain)
        if value.language is not None:
            tag = f"@{value.language}"
            return string + tag if LANGUAGE.fullmatch(tag) else string
        if value.datatype == XSD_STRING or value.datatype in _NAMES_AS_LITERALS:
            return string
        return f"{string} %% {self.name(value.datatype)}"
