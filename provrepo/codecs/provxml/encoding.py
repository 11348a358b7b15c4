"""XML in any encoding as UTF-8, so that guards, detection and the parser read the same text.

The encoding follows from the first bytes and from the declaration (XML 1.0, section 4.3.3 and appendix F).
"""

from __future__ import annotations

import codecs
import re

from provrepo.errors import ReadError

__all__ = ["decoded_xml", "is_wide"]

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""The first bytes of a text in UTF-16 or UTF-32, longer ones first → encoding."""

_ENCODING = re.compile(r"""(<\?xml\b[^>]*?\s)(encoding\s*=\s*(["'])([A-Za-z][A-Za-z0-9._-]*)\3)""")
_UTF8 = re.compile(r"(?i)utf-?8")
_LIKE_ASCII = re.compile(
    r"(?i)us-ascii|ascii|iso-8859-\d{1,2}|latin-?\d{1,2}|windows-125\d|cp125\d|koi8-[ru]|macintosh|"
    r"shift[_-]jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5"
)
"""Encodings in which ASCII characters have their ASCII bytes, so that the declaration is readable."""
_HEAD = 1_000


def is_wide(data: bytes) -> bool:
    """Whether a text begins as UTF-16 or UTF-32: with a byte order mark, or as XML without one."""
    return any(data.startswith(mark) for mark, _ in _WIDE)


def decoded_xml(data: bytes, format: str = "provxml", *, strict: bool = True) -> bytes:  # noqa: A002
    """XML as UTF-8 without a byte order mark, and without another encoding in its declaration.

    Every character of the text keeps its line and column.

    Args:
        data: the XML, or its beginning.
        format: the name for errors.
        strict: whether bytes that are invalid in the encoding are an error; otherwise they are replaced, for detection.

    Raises:
        ReadError: the XML is not in the encoding that it declares, or the encoding is unknown.
    """
    wide = next((name for mark, name in _WIDE if data.startswith(mark)), None)
    if wide is not None:
        text = _decoded(data, wide, format, strict=strict).removeprefix("\ufeff")
        declared = _ENCODING.match(text, 0, _HEAD)
        family = wide.removesuffix("-le").removesuffix("-be")
        if declared and strict and not declared[4].lower().replace("_", "-").startswith(family):
            raise _mismatch(declared, family.upper(), format)
        return _without(declared, text).encode("utf-8", "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    declared = _ENCODING.match(data[:_HEAD].decode("ascii", "replace"))
    if declared is None or _UTF8.fullmatch(declared[4]):
        return data
    if not _LIKE_ASCII.fullmatch(declared[4]):
        if not strict:
            return data
        if declared[4].lower().startswith(("utf-16", "utf-32", "ucs", "iso-10646")):
            raise _mismatch(declared, "text of one byte a character", format)
        raise ReadError(
            f"the XML declares the encoding {declared[4]!r}, which is not read; save it as UTF-8",
            line=1,
            column=declared.start(4) + 1,
            format=format,
        )
    text = _decoded(data, _python_name(declared[4]), format, strict=strict)
    return _without(_ENCODING.match(text, 0, _HEAD), text).encode("utf-8", "replace")


def _python_name(declared: str) -> str:
    # Text that Windows programs declare as ISO-8859-1 is read as declared; that encoding maps every byte.
    return {"macintosh": "mac-roman"}.get(declared.lower(), declared)


def _decoded(data: bytes, encoding: str, format: str, *, strict: bool) -> str:  # noqa: A002
    try:
        return data.decode(encoding, "strict" if strict else "replace")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not {encoding.upper()}, which it begins as or declares: {error.reason}"
        raise ReadError(message, line=line, column=column, format=format) from None
    except LookupError:
        raise ReadError(
            f"the XML declares the encoding {encoding!r}, which is not known; save it as UTF-8",
            line=1,
            format=format,
        ) from None


def _without(declared: re.Match[str] | None, text: str) -> str:
    """The text with spaces instead of the encoding in its declaration."""
    if declared is None:
        return text
    return text[: declared.start(2)] + " " * len(declared[2]) + text[declared.end(2) :]


def _mismatch(declared: re.Match[str], what: str, format: str) -> ReadError:  # noqa: A002
    # XML 1.0, section 4.3.3: a fatal error.
    return ReadError(
        f"the XML declares the encoding {declared[4]!r}, but is {what}; correct the declaration",
        line=1,
        column=declared.start(4) + 1,
        format=format,
    )
