"""What may be told of a value: short text in which nothing secret stands."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from urllib.parse import urlsplit, urlunsplit

from provrepo.capture.facts.values import ATOMS

__all__ = ["MASK", "clean", "command", "secret_name", "shown", "text"]

MASK = "(masked)"
LONGEST = 200
"""Characters of a parameter that are kept."""
READ = 1 << 16
"""Characters of a text that are looked at."""
WIDEST = 20
"""Members of a list or dictionary that are kept."""
DEEPEST = 3

_SECRET = re.compile(
    r"pass(?:wd|word|phrase|code)?(?:$|[^a-z])|pwd|secret|token|credential|(?:api|access|account|private|shared)_?key|"
    r"auth(?:$|[^o])|authorization|bearer|cookie|session_?id|signature|(?:^|_)(?:key|pin|sas|sig)$|salt",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"\b(?:pvr_|gh[pousr]_|github_pat_|glpat-|hf_|npm_|sk-|xox[abprs]-|AKIA|ASIA|eyJ)[\w./+=-]{8,}"
    r"|(?i:(?:\bbearer[\s\"']+)+)\S+|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
    # An AWS secret key is forty characters of Base64; forty of hexadecimal are a commit.
    r"|(?<![\w/+])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*[0-9])[\w/+]{40}(?![\w/+=])"
)
_HEADER = re.compile(r"(?i:\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*[:=]\s*))[^\"'\r\n]+")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Each of these begins where a run of its characters does: tried at every character, long texts would take minutes.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://[^\s\"'<>]+")
_LOGIN = re.compile(r"(?<![\w/.%+-])([\w.%+-]+):[^\s@/:\"']+(?=@[\w.-])")
_ASSIGNED = re.compile(r"(?<![\w-])(?P<name>[\w-]+)(?P<sign>[\"']?\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&]+)")

# An escaped quote opens nothing: one that does, and is never closed, is looked for to the end only once.
_WORD = re.compile(r"""(?:\\["\\]|[^\s"'\\]|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""", re.DOTALL)
_QUOTED = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_JOINED = re.compile(r"-p(?![0-9]{1,5}$|ath$|arallel$|edantic$|erm$|ipe$|rint0?$|rune$|thread$)\S{3,}")
"""``-pSECRET`` as MySQL and others have it; a port, and options of find and compilers, are not."""
_APART = {"ldapsearch": "-w", "redis-cli": "-a", "sshpass": "-p"}
"""Programs, and the option of each after which a password stands."""
_LOGINS = ("-u", "--user", "--proxy-user")
"""Options after which ``NAME:PASSWORD`` may stand."""


def secret_name(name: str) -> bool:
    """Whether something of this name is likely to be nobody else's business."""
    return _SECRET.search(name.replace("-", "_")) is not None


def clean(value: str) -> str:
    """Text without what no format can hold: control characters, and halves of characters."""
    return _UNWRITABLE.sub("\ufffd", value)


def text(value: str, longest: int = LONGEST) -> str:
    """Text without what looks secret in it: users and queries of URLs, known kinds of token, ``password=...``.

    Args:
        value: any text.
        longest: characters that are kept.
    """
    # Cut only afterwards: of half a URL or half a token nobody could tell what it is.
    value = _line(value[:READ]) if " -" in value else _masked(value[:READ])
    return value if len(value) <= longest else value[: longest - 1] + "…"


def _masked(value: str) -> str:
    value = _URL.sub(lambda found: _url(found.group()), value)
    value = _HEADER.sub(rf"\1\2{MASK}", value)
    value = _TOKENS.sub(MASK, value)
    value = _LOGIN.sub(rf"\1:{MASK}", value)
    return _ASSIGNED.sub(lambda m: f"{m['name']}{m['sign']}{MASK}" if secret_name(m["name"]) else m.group(), value)


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is a number, unless a password holds a slash
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
    if members and all(type(member) is str for member in members):
        return command(members[:WIDEST]) + ["…"] * (len(members) > WIDEST)  # type: ignore[arg-type]
    return [text(_plain(member, depth + 1)) for member in members[:WIDEST]] + ["…"] * (len(members) > WIDEST)


def _pair(key: object, member: object, depth: int) -> str:
    name = _plain(key, depth + 1)
    return f"{name}: {MASK if secret_name(name) else text(_plain(member, depth + 1))}"


def command(words: Iterable[str], longest: int = LONGEST) -> list[str]:
    """The words of a command without the secret ones: ``--token X`` as well as ``--token=X`` and ``TOKEN=X``.

    Args:
        words: the command and its arguments; a line for a shell is looked into.
        longest: characters of each that are kept.
    """
    hidden = _Hidden()
    return [hidden(word, lambda word: text(word, longest)) for word in words]


def _line(line: str) -> str:
    """A line of shell without the secret words, with its spaces and quotes."""
    hidden = _Hidden()
    return _WORD.sub(lambda found: hidden(found.group(), _inside), _masked(line))


def _inside(word: str) -> str:
    """A word of a line; what is quoted may be a line again."""
    if " -" not in word:
        return word
    return _QUOTED.sub(lambda found: f"{found[1]}{_line(found[2])}{found[1]}", word)


class _Hidden:
    """Goes through the words of a command, and hides those that the words before them show to be secret."""

    def __init__(self) -> None:
        self._before = ""
        self._apart: set[str] = set()

    def __call__(self, word: str, show: Callable[[str], str]) -> str:
        before, self._before = self._before, word
        self._apart |= {_APART[name] for name in (PurePath(word).name,) if name in _APART}
        if before in self._apart or (before.startswith("-") and "=" not in before and secret_name(before)):
            return MASK
        if before in _LOGINS or word.startswith("-u"):
            name, colon, rest = word.partition(":")
            if colon and not rest.isdigit():
                return f"{name}:{MASK}"
        return f"-p{MASK}" if _JOINED.fullmatch(word) else show(word)
