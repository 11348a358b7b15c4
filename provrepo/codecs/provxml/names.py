"""Names in PROV-XML: which names XML allows, and the two ways in which writers escape others.

PROV-XML spells identifiers as ``xs:QName`` and attributes as elements, so a strict writer needs an NCName after the
prefix. The Recommendation has no rule for other names. Two conventions exist:

* ``_x0030_tag``: a character that an NCName cannot have, as its code point. The `prov` package does this for elements
  and writes identifiers unchanged. So does this codec: every reader understands the identifiers, and only elements
  are escaped.
* ProvToolbox escapes both elements and identifiers: ``_2F`` for ``/``, ``__`` for ``_``, and one more ``_`` before
  a name that does not begin with a letter (``_0tag`` for ``0tag``). Names such as ``run_21`` are different
  names if they were not escaped, so this is decoded only if all names of the document agree with that escaping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provrepo.model.statements import EntryForm, Kind

__all__ = [
    "argument_names",
    "escape",
    "has_forbidden",
    "is_ncname",
    "toolbox_escaped",
    "toolbox_unescape",
    "unescape",
]

# Namespaces in XML 1.0, production 4: Name without the colon.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_REST = _START + "\\-.0-9\u00b7\u0300-\u036f\u203f\u2040"
_NCNAME = re.compile(f"[{_START}][{_REST}]*")
_NOT_START = re.compile(f"[^{_START}]")
_NOT_REST = re.compile(f"[^{_REST}]")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPE = re.compile("_x(?:[0-9A-F]{8}|[0-9A-F]{4})_")
# Wider than _ESCAPE: the next character may itself be escaped, which begins with the missing underscore.
_LOOKALIKE = re.compile("_(?=x[0-9A-F]{4})")

_DICTIONARIES = {"after": "newDictionary", "before": "oldDictionary"}


def argument_names(kind: Kind) -> tuple[str, ...]:
    """The element of each argument, in PROV's namespace: its name, except in PROV-Dictionary's schema.

    There the entity of a membership is not an element of the statement: it is with its key in a ``keyEntityPair``.
    """
    names = tuple(_DICTIONARIES.get(argument.name, argument.name) for argument in kind.arguments)
    return names[:1] if kind.entries is EntryForm.KEY else names


def is_ncname(name: str) -> bool:
    """Whether a text is a name of XML without a prefix."""
    return _NCNAME.fullmatch(name) is not None


def has_forbidden(text: str) -> bool:
    """Whether a text has a character that XML 1.0 cannot represent in any spelling (production 2)."""
    return _FORBIDDEN.search(text) is not None


def escape(local: str) -> str:
    """A local name as an NCName, which ``unescape`` decodes. The empty name has no NCName and stays empty."""
    if _NCNAME.fullmatch(local) and "_x" not in local:
        return local
    shielded = _LOOKALIKE.sub("_x005F_", local)
    return _NOT_START.sub(_code, shielded[:1]) + _NOT_REST.sub(_code, shielded[1:])


def _code(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"_x{code:04X}_" if code <= 0xFFFF else f"_x{code:08X}_"


def unescape(local: str) -> str:
    """Decode a name that ``escape`` returned."""
    return _ESCAPE.sub(_character, local) if "_x" in local else local


def _character(match: re.Match[str]) -> str:
    code = int(match.group()[2:-1], 16)
    return chr(code) if code <= 0x10FFFF else match.group()


_TOOLBOX_CHARACTERS = "='(),:;[]/\\?@~&+*#$!"
_TOOLBOX = {"__": "_", **{f"_{ord(character):02X}": character for character in _TOOLBOX_CHARACTERS}}
_TOOLBOX_ESCAPE = re.compile("|".join(map(re.escape, _TOOLBOX)))
_TOOLBOX_NAME = re.compile(f"(?:{_TOOLBOX_ESCAPE.pattern}|[{_REST.replace('_', '', 1)}])*")


def toolbox_escaped(locals_: Iterable[str]) -> bool:
    """Whether every local name of a document can be a result of ProvToolbox's escaping.

    A single ``my_run``, ``main/step`` or ``54b8b2f2`` shows that nothing was escaped.
    """
    for local in locals_:
        marked = local.startswith("_") and not _letter(local[1:2])
        if not marked and not _letter(local[:1]):
            return False
        if not _TOOLBOX_NAME.fullmatch(local, 1 if marked else 0):
            return False
    return True


def toolbox_unescape(local: str) -> str:
    """The name that ProvToolbox wrote as ``local``."""
    return _TOOLBOX_ESCAPE.sub(lambda match: _TOOLBOX[match.group()], local.removeprefix("_"))


def _letter(character: str) -> bool:
    # ProvToolbox treats only cased letters as letters: Hebrew and Japanese names get the extra underscore.
    return character.islower() or character.isupper()
