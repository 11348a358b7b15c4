"""Checks of input before it reaches a parser: input that would crash, stall or mislead parsers is rejected.

All checks are fast scans in C. Nesting is limited because recursive parsers overflow the stack of the process. A
DOCTYPE is rejected because entities expand without bound and external ones would be fetched. The number of prefixes is
limited because every name is compared with all of them. Text that is not UTF-8 is invalid in every format.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable

from provrepo.codecs.provxml.encoding import decoded_xml
from provrepo.errors import ReadError, TooLarge
from provrepo.model.document import Document
from provrepo.model.identifiers import Literal
from provrepo.model.statements import Span

__all__ = [
    "ARCHIVE_MARK",
    "MAX_ATTRIBUTES",
    "MAX_DEPTH",
    "MAX_LINE",
    "archived",
    "MAX_LITERAL",
    "MAX_PREFIXES",
    "check",
    "check_literal",
    "check_literals",
    "check_prefixes",
    "decode",
    "location",
    "prepared",
]

MAX_DEPTH = 64
"""The most levels of nesting."""

MAX_PREFIXES = 2_000
"""The most different prefixes that one document declares."""

MAX_ATTRIBUTES = 5_000
"""The most attributes, namespaces included, of one XML element: parsers compare each with all others."""

MAX_LINE = 16 * 1024 * 1024 - 1024
"""The most bytes of one line of N-Quads: Oxigraph's bulk loader reads lines of at most 16 MiB."""

MAX_LITERAL = MAX_LINE - 64 * 1024
"""The most bytes of one literal in N-Quads: UTF-8 with escapes. The rest of the line is for names."""

_WIDEST = 6
"""The most bytes of N-Quads for a byte of a source: ``\\u0001`` for a control character."""

_JSON = frozenset(
    {
        "croissant",
        "cromwell",
        "dbt",
        "git",
        "great_expectations",
        "intoto",
        "mlflow",
        "nextflow",
        "notebook",
        "openlineage",
        "provjson",
        "provjsonld",
        "rdfjsonld",
        "rocratejson",
        "snakemake",
    }
)
_XML = frozenset({"provxml", "rdfxml"})
_TURTLE = frozenset({"turtle", "trig", "ntriples", "nquads"})

_SIGNATURES = (
    (b"\x1f\x8b", "gzip-compressed data; decompress it first"),
    (b"PK\x03\x04", "a ZIP archive; extract the document first"),
    (b"BZh", "bzip2-compressed data; decompress it first"),
    (b"\xfd7zXZ\x00", "xz-compressed data; decompress it first"),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG", "a PNG image"),
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


ARCHIVE_MARK = ".provrepo-folder/"
"""The name of the first member of an archive of a folder, before the name of its format."""


def archived(data: bytes) -> str:
    """The name of the format in the first member of an archive of a folder (APPNOTE 4.3.7); empty for other bytes."""
    if not data.startswith(b"PK\x03\x04"):
        return ""
    name = data[30 : 30 + int.from_bytes(data[26:28], "little")].decode("utf-8", "replace")
    return name.removeprefix(ARCHIVE_MARK) if name.startswith(ARCHIVE_MARK) else ""


def _is_folder(format: str) -> bool:  # noqa: A002
    from provrepo.codecs.formats import by_name

    return bool(by_name(format).folder) or by_name(format).collects


def prepared(data: bytes, format: str) -> bytes:  # noqa: A002
    """The input for a parser: UTF-8 without a byte order mark, accepted by ``check``; or an archive of a folder.

    Strings of JSON lose unnecessary escapes, since scans search for keywords in their usual spelling. Every token keeps
    its location.

    Args:
        data: the whole input; XML in any encoding that it declares.
        format: the name of the format as which it will be read.

    Raises:
        ReadError: rejected by ``check``, or XML in another encoding than it declares.
    """
    if archived(data) == format and _is_folder(format):
        return data
    data = decoded_xml(data, format) if format in _XML else data.removeprefix(codecs.BOM_UTF8)
    if format in _JSON:
        data = _plainly_spelled(data)
    check(data, format)
    return data


def check(data: bytes, format: str) -> None:  # noqa: A002
    """Reject input that parsers must not get.

    Args:
        data: the whole input.
        format: the name of the format as which it will be read.

    Raises:
        ReadError: not UTF-8 text, a DOCTYPE, nested deeper than ``MAX_DEPTH``, or more than ``MAX_PREFIXES`` prefixes.
    """
    _check_text(data, format)
    if format in _JSON:
        _check_json(data, format)
    elif format in _XML:
        _check_xml(data, format)
    elif format in _TURTLE:
        _check_turtle(data, format)
    elif format == "provn":
        _check_prefixes(len(set(_PROVN_PREFIX.findall(data))), format)


_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_ANY_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def _plainly_spelled(data: bytes) -> bytes:
    r"""JSON without unnecessary escapes of ASCII characters, as in ``"pref\u0069x"``.

    A shortened string is padded with spaces after it, so that errors have the location in the source.
    """
    if not _ESCAPED_ASCII.search(data):
        return data

    def plain(string: re.Match[bytes]) -> bytes:
        spelled = string[0]
        if _ESCAPED_ASCII.search(spelled) is None:
            return spelled
        try:
            before = spelled.decode()
            after = json.dumps(json.loads(before, strict=False), ensure_ascii=False)
            return (after + " " * (len(before) - len(after))).encode()
        except ValueError:
            return spelled  # the parser reports the error

    return _ANY_JSON_STRING.sub(plain, data)


def decode(data: bytes, format: str) -> str:  # noqa: A002
    """The text of UTF-8 bytes, without a byte order mark.

    Raises:
        ReadError: not UTF-8; with the location of the first invalid byte.
    """
    try:
        return str(data.removeprefix(codecs.BOM_UTF8), "utf-8")
    except UnicodeDecodeError:
        raise _not_utf8(data, format) from None


_ESCAPED_SHORT = re.compile(r'["\\\t\b\n\r\f]')
_ESCAPED_LONG = re.compile("[\x00-\x07\x0b\x0e-\x1f\x7f\ufffe\uffff]")


def check_literal(lexical: str, where: Callable[[], str]) -> None:
    """Reject a literal larger than ``MAX_LITERAL``.

    Args:
        lexical: its lexical form.
        where: returns the name of its property and subject, for the message.

    Raises:
        TooLarge: the literal is larger.
    """
    if len(lexical) * _WIDEST <= MAX_LITERAL:
        return
    size = len(lexical.encode("utf-8", "surrogatepass"))
    size += len(_ESCAPED_SHORT.findall(lexical)) + 5 * len(_ESCAPED_LONG.findall(lexical))
    if size > MAX_LITERAL:
        raise TooLarge(
            f"a literal of {len(lexical):,} characters ({where()}) takes {size:,} bytes in N-Quads; at most "
            f"{MAX_LITERAL:,} are stored. Keep the value in a file and refer to the file"
        )


def check_literals(document: Document, size: int | None = None) -> None:
    """Reject a document with a literal larger than ``MAX_LITERAL``.

    Args:
        document: the document.
        size: bytes of its source, if known: in a small source no literal can be too large.

    Raises:
        TooLarge: there is one; the message names its property and subject.
    """
    if size is not None and size * _WIDEST <= MAX_LITERAL:
        return
    for statement in document:
        for attribute, value in statement.attributes:
            if isinstance(value, Literal):
                check_literal(value.lexical, lambda a=attribute, s=statement: f"{a} of {s.id or s.kind.name}")  # type: ignore[misc]
        for entry in statement.entries:
            if isinstance(entry.key, Literal):
                check_literal(entry.key.lexical, lambda s=statement: f"a key of {s.id or s.kind.name}")  # type: ignore[misc]
    for instance in document.instances():
        for extension in instance.extensions:
            for literal in extension.literals():
                check_literal(literal.lexical, lambda e=extension: str(e.name))  # type: ignore[misc]
    for quad in document.unmapped.quads:
        if isinstance(quad.object, Literal):
            check_literal(quad.object.lexical, lambda q=quad: f"{q.predicate} of {q.subject}")  # type: ignore[misc]


def check_prefixes(document: Document, format: str) -> None:  # noqa: A002
    """Reject a document with more than ``MAX_PREFIXES`` prefixes.

    Raises:
        ReadError: it has more.
    """
    declared = set(document.prefixes)
    for bundle in document.bundles:
        declared.update(bundle.prefixes)
    _check_prefixes(len(declared), format)


def location(text: str, offset: int) -> Span:
    """Line and column, both from 1, of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _place_in_bytes(data: bytes, offset: int) -> Span:
    start = data.rfind(b"\n", 0, offset) + 1
    before = data[start:offset].removeprefix(codecs.BOM_UTF8 if start == 0 else b"")
    return data.count(b"\n", 0, offset) + 1, len(before.decode("utf-8", "replace")) + 1


def _error(message: str, data: bytes, offset: int, format: str) -> ReadError:  # noqa: A002
    line, column = _place_in_bytes(data, offset)
    return ReadError(message, line=line, column=column, format=format)


# --- text --------------------------------------------------------------------------------------------------------


def _check_text(data: bytes, format: str) -> None:  # noqa: A002
    if data.startswith(_UTF16) or b"\0" in data[1:2] or (data[:1] == b"\0" and data[1:2].isascii()):
        raise ReadError("this is UTF-16 (or UTF-32) text; save it as UTF-8", line=1, column=1, format=format)
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise ReadError(f"this is {what}", line=1, column=1, format=format)
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            raise _not_utf8(data, format) from None
    zero = data.find(b"\0")
    if zero >= 0:
        raise _error("a NUL byte: this is binary data, not text", data, zero, format)


def _not_utf8(data: bytes, format: str) -> ReadError:  # noqa: A002
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start
        return _error(f"not UTF-8: byte 0x{data[offset]:02x} begins no character", data, offset, format)
    raise AssertionError("called with valid UTF-8")


def _check_prefixes(count: int, format: str) -> None:  # noqa: A002
    if count > MAX_PREFIXES:
        raise ReadError(f"{count} prefixes are declared; at most {MAX_PREFIXES} are read", format=format)


_PROVN_PREFIX = re.compile(rb"\bprefix\s+([^\s<]+)\s*<")


# --- nesting -----------------------------------------------------------------------------------------------------

_ALIKE = bytes.maketrans(b"[]{}", b"()()")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}()")))


def _may_be_deep(brackets: bytes) -> bool:
    """Whether brackets, all of them round, may be nested beyond the limit.

    Each iteration removes the innermost level, so the iterations count the depth: exact if brackets balance, otherwise
    an upper bound.
    """
    for depth in range(MAX_DEPTH + 1):
        rest = brackets.replace(b"()", b"")
        if len(rest) == len(brackets):
            return depth + rest.count(b"(") > MAX_DEPTH
        brackets = rest
    return True


def _check_depth(data: bytes, tokens: re.Pattern[bytes], format: str) -> None:  # noqa: A002
    """Count the depth exactly, but slower; group 1 of ``tokens`` opens a level, group 2 closes one."""
    depth = 0
    for token in tokens.finditer(data):
        if token.lastindex == 1:
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(f"nested more than {MAX_DEPTH} levels deep", data, token.start(), format)
        elif token.lastindex == 2 and depth:
            depth -= 1


_JSON_STRING = rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)'
_JSON_TOKENS = re.compile(_JSON_STRING + rb"|([\[{])|([\]}])", re.DOTALL)
_JSON_PREFIXES = re.compile(rb'"prefix"\s*+:\s*+\{([^{}]*)\}')
_JSON_PREFIX = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:', re.DOTALL)
_NOT_JSON_STRUCTURE = bytes(sorted(set(range(256)) - set(b'"[]{}')))


def _check_json(data: bytes, format: str) -> None:  # noqa: A002
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        # Backslashes occur in strings only. Without escapes a string ends at the next quotation mark, so all other
        # characters but brackets can be removed before strings are.
        plain = data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data
        structure = plain.translate(None, _NOT_JSON_STRUCTURE).replace(b'""', b"")
        if _may_be_deep(re.sub(rb'"[^"]*+"?', b"", structure).translate(_ALIKE)):
            _check_depth(data, _JSON_TOKENS, format)
    if format == "provjson":
        declared = {name for block in _JSON_PREFIXES.findall(data) for name in _JSON_PREFIX.findall(block)}
        _check_prefixes(len(declared), format)


# Triple terms and reified triples of RDF 1.2 nest like brackets. A backslash outside a string escapes the character
# after it, which is how "#" or "'" get into a local name. An unfinished string extends to the end: the parser
# will reject it, and the scan stays linear.
_TURTLE_NOISE = re.compile(
    rb"""
      "{3}(?:[^"\\]++|\\.|"(?!""))*+(?:"{3}|\Z)
    | '{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\Z)
    | "(?:[^"\\\r\n]++|\\.)*+"?
    | '(?:[^'\\\r\n]++|\\.)*+'?
    | <[^<>"{}\s]*+>
    | \#[^\r\n]*+
    | \\.
    """,
    re.DOTALL | re.VERBOSE,
)
_TURTLE_TOKENS = re.compile(
    _TURTLE_NOISE.pattern + rb"| (<<\(?|[\[({]) | (\)?>>|[\])}])",
    re.DOTALL | re.VERBOSE,
)
_TURTLE_PREFIX = re.compile(rb"(?i)(?<![\w:.-])@?prefix\s+([\w.-]*:)\s*<")


def _check_turtle(data: bytes, format: str) -> None:  # noqa: A002
    if sum(map(data.count, (b"[", b"(", b"{", b"<<"))) > MAX_DEPTH:
        bare = _TURTLE_NOISE.sub(b"", data)
        bare = bare.replace(b"<<(", b"(").replace(b")>>", b")").replace(b"<<", b"(").replace(b">>", b")")
        if _may_be_deep(bare.translate(_ALIKE, _NOT_BRACKETS)):
            _check_depth(data, _TURTLE_TOKENS, format)
    if data.lower().count(b"prefix") > MAX_PREFIXES:
        _check_prefixes(len(set(_TURTLE_PREFIX.findall(data))), format)


# An element's opening is group 1, its end group 2, a declaration group 3. An unfinished token extends to the end.
_XML_TOKENS = re.compile(
    rb"""
    <(?:
        !--(?:.*?-->|.*+)
      | !\[CDATA\[(?:.*?\]\]>|.*+)
      | \?(?:.*?\?>|.*+)
      | (?P<declaration>!)
      | (?P<end>/)
      | (?:[^>"'/]++|"[^"]*+"|'[^']*+'|/(?!>))*+(?:/>|(?P<start>>)|.*+)
    )
    """,
    re.DOTALL | re.VERBOSE,
)
_XML_ENCODING = re.compile(rb"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_XML_LIKE_ASCII = re.compile(r"(?i)us-ascii|ascii|iso-8859-\d+|latin-?1|windows-125\d")


_XML_ATTRIBUTE = re.compile(rb"""=\s*+(?:"[^"]*+"|'[^']*+')""")
_WIDE_TAG = len(b' a=""') * MAX_ATTRIBUTES
"""The least bytes of a tag with too many attributes."""


def _check_attributes(data: bytes, start: int, end: int, format: str) -> None:  # noqa: A002
    if data.startswith((b"<!", b"<?"), start):
        return
    count = sum(1 for _ in _XML_ATTRIBUTE.finditer(data, start, end))
    if count > MAX_ATTRIBUTES:
        have = f"an element has {count:,} attributes and namespaces; at most {MAX_ATTRIBUTES:,} are read"
        raise _error(have, data, start, format)


def _check_xml(data: bytes, format: str) -> None:  # noqa: A002
    encoding = _XML_ENCODING.match(data.removeprefix(codecs.BOM_UTF8))
    if encoding:
        # In another encoding the parser could read markup that these scans do not find.
        name = encoding.group(1).decode("ascii", "replace")
        if name.lower() not in ("utf-8", "utf8") and not (_XML_LIKE_ASCII.fullmatch(name) and data.isascii()):
            raise _error(f"the XML declares the encoding {name!r}; save it as UTF-8", data, encoding.start(1), format)
    if data.count(b"<") <= MAX_DEPTH and b"<!" not in data and data.count(b"=") <= MAX_ATTRIBUTES:
        return
    depth = 0
    for token in _XML_TOKENS.finditer(data):
        kind = token.lastgroup
        if token.end() - token.start() > _WIDE_TAG and kind != "declaration":
            _check_attributes(data, token.start(), token.end(), format)
        if kind == "start":
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(f"nested more than {MAX_DEPTH} levels deep", data, token.start(), format)
        elif kind == "end":
            depth = max(depth - 1, 0)
        elif kind == "declaration":
            raise _error(
                "a document type declaration (<!DOCTYPE …>) is not read: entities expand without bound; remove it",
                data,
                token.start(),
                format,
            )
