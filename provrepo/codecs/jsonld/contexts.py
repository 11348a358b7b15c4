"""JSON-LD contexts that documents refer to by URL: inlined from tables, and never fetched.

The package ships tables in ``ontology/contexts``. Those of RO-Crate contain the names that it takes from schema.org. A
name that no context defines has no meaning in JSON-LD, so each is reported (``keys``). The folder of user-defined
contexts (the setting ``contexts``) comes first: ``user_contexts`` maps a URL to a file in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from provrepo.codecs.guards import decode, location
from provrepo.codecs.jsonld.user_contexts import advice, user_context
from provrepo.codecs.provjsonld.terms import KNOWN_CONTEXTS
from provrepo.errors import ReadError
from provrepo.limits import NESTED_CONTEXTS
from provrepo.resources import root

__all__ = ["KNOWN", "InlinedText", "find", "is_shipped", "resolved", "inlined"]

_CRATE = ("schema-org", "ro-crate")

KNOWN: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(address), tables)
    for address, tables in (
        (r"https?://(?:www\.)?w3\.org/ns/prov(?:-o)?(?:\.jsonld|\.json|#)?", ("prov-o",)),
        (r"https://w3id\.org/ro/crate/1\.1(?:\.\d+)?(?:-DRAFT)?/context", (*_CRATE, "ro-crate-1.1", "bioschemas@1.1")),
        (r"https://w3id\.org/ro/crate/1\.2(?:\.\d+)?(?:-DRAFT)?/context", (*_CRATE, "ro-crate-1.2", "bioschemas@1.2")),
        (r"https://w3id\.org/ro/crate/1\.3(?:\.\d+)?(?:-DRAFT)?/context", (*_CRATE, "ro-crate-1.2", "bioschemas@1.3")),
        (r"https://w3id\.org/ro/terms/workflow-run(?:/context)?", ("workflow-run",)),
        (r"https?://(?:www\.)?schema\.org/?(?:docs/jsonldcontext\.jsonld?)?", ("schema-org", "schema-org-other")),
        (r"https://spdx\.org/rdf/3\.0(?:\.0)?/spdx-context\.jsonld", ("spdx-3.0.0", "spdx-3")),
        (r"https://spdx\.org/rdf/3\.0\.1/spdx-context\.jsonld", ("spdx-3.0.1", "spdx-3")),
        (r"https://w3id\.org/bundle/context", ("research-object-bundle",)),
    )
)
"""The URLs at which contexts are published, with the tables for each; ``file@version`` is one version in a file."""

_CONTEXT = re.compile(r'(?<!\\)"@context"[ \t\r\n]*:[ \t\r\n]*')


def is_shipped(address: str) -> bool:
    """Whether a URL is that of a context in ``KNOWN``; that of PROV-JSONLD is not."""
    return any(pattern.fullmatch(address) for pattern, _ in KNOWN)


def find(address: str) -> Any | None:
    """The context at a URL: the user-defined one, or else the shipped one; None if there is neither.

    Raises:
        ReadError: the user-defined file is not a context.
    """
    found = user_context(address)
    if found is not None:
        return found
    names = next((names for pattern, names in KNOWN if pattern.fullmatch(address)), None)
    if names is None and KNOWN_CONTEXTS.fullmatch(address):
        names = ("prov-jsonld",)
    return None if names is None else [_shipped(name) for name in names]


class InlinedText(NamedTuple):
    """A JSON-LD text with its contexts inlined.

    Attributes:
        data: the text, with the same number of lines.
        null_identifiers: the number of nodes with null as their identifier, as cwltool writes them. JSON-LD does not
            allow that; they are read as nodes without an identifier.
    """

    data: bytes
    null_identifiers: int = 0


def inlined(data: bytes, format: str) -> InlinedText:  # noqa: A002
    """A JSON-LD text with known contexts instead of their URLs.

    Raises:
        ReadError: a context is not known.
    """
    if b'"@context"' not in data and b"null" not in data:
        return InlinedText(data)
    text = decode(data, format)
    pieces, end = [], 0
    contexts: list[Any] = []
    for found in _CONTEXT.finditer(text):
        if found.start() < end:
            continue
        try:
            value, after = json.JSONDecoder().raw_decode(text, found.end())
        except ValueError:
            break  # the RDF parser reports the error
        try:
            inner = resolved(value)
        except _UnknownError as error:
            line, column = location(text, text.find(json.dumps(error.address)[1:-1], found.end()))
            raise ReadError(
                f"the JSON-LD context {error.address} is not known, and contexts are never fetched; "
                f"write its content instead of its URL, or {advice(error.address)}",
                line=line,
                column=column,
                format=format,
            ) from None
        contexts.append(inner)
        if inner != value:
            lines = "\n" * text.count("\n", found.end(), after)
            pieces += [text[end : found.end()], json.dumps(inner, ensure_ascii=False), lines]
            end = after
    whole, null_identifiers = _without_null("".join([*pieces, text[end:]]), contexts)
    if not pieces and not null_identifiers:
        return InlinedText(data)
    return InlinedText(whole.encode("utf-8"), null_identifiers)


class _UnknownError(Exception):
    """A context that is neither user-defined nor shipped."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def resolved(context: Any, within: tuple[str, ...] = ()) -> Any:
    """A context with its URLs replaced by contexts, within the definitions of its terms as well.

    Args:
        context: the context.
        within: the URLs of the contexts around it.
    """
    if isinstance(context, str):
        found = None if context in within or len(within) >= NESTED_CONTEXTS else find(context)
        if found is None:
            raise _UnknownError(context)
        inner = resolved(found, (*within, context))
        return inner if isinstance(inner, list) else [inner]
    if isinstance(context, list):
        parts = [(part, resolved(part, within)) for part in context]
        return [item for part, found in parts for item in (found if isinstance(part, str) else [found])]
    if not isinstance(context, dict):
        return context
    if isinstance(context.get("@import"), str):
        raise _UnknownError(context["@import"])
    return {
        term: {**meaning, "@context": resolved(meaning["@context"], within)}
        if isinstance(meaning, dict) and "@context" in meaning
        else meaning
        for term, meaning in context.items()
    }


@cache
def _shipped(name: str) -> dict[str, Any]:
    file, _, version = name.partition("@")
    table = json.loads((root() / "ontology" / "contexts" / f"{file}.json").read_bytes())
    if version:
        context: dict[str, Any] = table["versions"][version]
        return context
    names = " ".join(table.get("names", ())).split()
    return {**{term: table["namespace"] + term for term in names}, **table["@context"]}


def _without_null(text: str, contexts: list[Any]) -> tuple[str, int]:
    """The text without null as an identifier, and the number of replacements.

    The key of such a member is replaced by one that no context defines; its value null then has no meaning.
    """
    if "null" not in text:
        return text, 0
    names = {"@id", *(term for part in _parts(contexts) for term, meaning in part.items() if meaning == "@id")}
    pattern = rf'(?<!\\)"(?:{"|".join(map(re.escape, sorted(names)))})"(?=[ \t\r\n]*:[ \t\r\n]*null\b)'
    return re.subn(pattern, '"no identifier"', text)


def _parts(context: Any) -> Iterator[dict[str, Any]]:
    if isinstance(context, list):
        for part in context:
            yield from _parts(part)
    elif isinstance(context, dict):
        yield context
        for meaning in context.values():
            if isinstance(meaning, dict) and "@context" in meaning:
                yield from _parts(meaning["@context"])
