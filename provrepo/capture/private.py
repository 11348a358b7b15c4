"""What may be told of a value: short text in which nothing secret stands."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit, urlunsplit

from provrepo.capture.values import ATOMS

__all__ = ["MASK", "clean", "command", "secret_name", "shown", "text"]

MASK = "(masked)"
LONGEST = 200
"""Characters of a parameter that are kept."""
WIDEST = 20
"""Members of a list or dictionary that are kept."""
DEEPEST = 3

_SECRET = re.compile(
    r"pass(?:wd|word|phrase|code)?(?:$|[^a-z])|pwd|secret|token|credential|api_?key|access_?key|private_?key|"
    r"auth(?:$|[^o])|bearer|cookie|session_?id|signature|(?:^|_)(?:key|pin|sas)$|salt",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"\b(?:pvr_|gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA|ASIA|eyJ)[\w./+=-]{8,}|(?i:\bbearer\s+)\S+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
)
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_ASSIGNED = re.compile(r"(?P<name>[\w-]+)(?P<sign>\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&]+)")


def secret_name(name: str) -> bool:
    """Whether something of this name is likely to be nobody else's business."""
    return _SECRET.search(name.replace("-", "_")) is not None


def clean(value: str) -> str:
    """Text without what no format can hold: control characters, and halves of characters."""
    return _UNWRITABLE.sub("\ufffd", value)


def text(value: str) -> str:
    """Text without what looks secret in it: users and queries of URLs, known kinds of token, ``password=...``."""
    value = _URL.sub(lambda found: _url(found.group()), value[: 4 * LONGEST])
    value = _TOKENS.sub(MASK, value)
    value = _ASSIGNED.sub(lambda m: f"{m['name']}{m['sign']}{MASK}" if secret_name(m["name"]) else m.group(), value)
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def shown(name: str, value: object) -> str:
    """A parameter as text.

    Nothing of the user's own is called: only values of the built-in types are shown, of others their type.
    """
    return MASK if secret_name(name) else text(_plain(value, 0))


def _plain(value: object, depth: int) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bytes:
        return f"{len(value)} bytes"  # type: ignore[arg-type]
    if kind in ATOMS:
        return repr(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, enum.Enum):
        return f"{kind.__qualname__}.{value.name}"
    if kind in (list, tuple, set, frozenset) and depth < DEEPEST:
        return f"[{', '.join(_some(value, depth))}]"  # type: ignore[arg-type]
    if kind is dict and depth < DEEPEST:
        pairs = [_pair(key, member, depth) for key, member in list(value.items())[:WIDEST]]  # type: ignore[attr-defined]
        return "{" + ", ".join(pairs) + ("" if len(pairs) == len(value) else ", …") + "}"  # type: ignore[arg-type]
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _some(values: Iterable[object], depth: int) -> list[str]:
    members = list(values)
    return [text(_plain(member, depth + 1)) for member in members[:WIDEST]] + ["…"] * (len(members) > WIDEST)


def _pair(key: object, member: object, depth: int) -> str:
    name = _plain(key, depth + 1)
    return f"{name}: {MASK if secret_name(name) else text(_plain(member, depth + 1))}"


def command(words: Sequence[str]) -> list[str]:
    """The words of a command without the secret ones: ``--token X`` as well as ``--token=X`` and ``TOKEN=X``."""
    told: list[str] = []
    hide = False
    for word in words:
        told.append(MASK if hide else text(word))
        hide = word.startswith("-") and "=" not in word and secret_name(word)
    return told
