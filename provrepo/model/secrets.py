"""Secrets in texts: text without what looks like a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from urllib.parse import urlsplit

__all__ = ["LONGEST", "MASK", "READ", "clean", "command", "secret_name", "text", "whole", "without_secrets"]

MASK = "(masked)"
LONGEST = 200
"""Characters that are returned, unless a caller asks for more."""
READ = 1 << 16
"""Characters of a text that are searched for secrets; the rest is cut."""

_SECRET = re.compile(
    r"pass(?:wd|word|phrase|code)?s?(?:$|[^a-z])|pwd|secret|token|credential|(?:api|access|account|private|shared)_?key|"
    r"auth(?:$|[^o])|authorization|bearer|cookie|session_?id|signature|(?:^|_)(?:key|pin|sas|sig)$|salt",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[-.]")
_KNOWN = (
    r"\b(?:pvr_|gh[pousr]_|github_pat_|glpat-|hf_|npm_|sk-|xox[abprs]-|AKIA|ASIA|eyJ)[\w./+=-]{8,}"
    r"|(?i:(?:\bbearer[\s\"']+)+)\S+|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*"
)
_TOKENS = re.compile(
    _KNOWN
    # An AWS secret key is forty characters of Base64; forty of hexadecimal are a commit.
    + r"|(?<![\w/+])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*[0-9])[\w/+]{40}(?![\w/+=])"
)
_HEADER = re.compile(r"(?i:\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*[:=]\s*))[^\"'\r\n]+")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Each pattern starts at the beginning of a run of its characters: matching at every character is quadratic.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+://[^\s\"'<>]+")
_LOGIN = re.compile(r"(?<![\w/.%+-])([\w.%+-]+):[^\s@/:\"']+(?=@[\w.-])")
_ASSIGNED = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)(?P<sign>\\*[\"']?\s*[=:]\s*)")
_VALUE = re.compile(
    # In JSON within JSON, quotation marks are escaped.
    r"\"[^\"]*\"|'[^']*'|\\+\"[^\"\\]*\\+\"|\{[^{}]*\}|\[[^\[\]]*\]|[^\s,;&]+"
)
_COLUMN = re.compile(r"(?:\w+\.)+(\w+)\)*")
_KNOWN_TOKEN = re.compile(_KNOWN)

# An escaped quote does not open a quotation. An unclosed quotation is searched to the end only once.
_WORD = re.compile(r"""(?:\\["\\]|[^\s"'\\]|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""", re.DOTALL)
_QUOTED = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_JOINED = re.compile(r"-p(?![0-9]{1,5}$|ath$|arallel$|edantic$|erm$|ipe$|rint0?$|rune$|thread$)\S{3,}")
"""``-pSECRET`` as in MySQL; a port, and options of find and compilers, are no secrets."""
_APART = {"ldapsearch": "-w", "redis-cli": "-a", "sshpass": "-p"}
"""Programs, and the option of each that a password follows."""
_LOGINS = ("-u", "--user", "--proxy-user")
"""Options that ``NAME:PASSWORD`` may follow."""


def secret_name(name: str) -> bool:
    """Whether a value of this name is likely to be a secret."""
    return _SECRET.search(_SEPARATOR.sub("_", name)) is not None


def clean(value: str) -> str:
    """Replace the characters that no format can represent: control characters and lone surrogates."""
    return _UNWRITABLE.sub("\ufffd", value)


def text(value: str, longest: int = LONGEST) -> str:
    """Mask what looks like a secret in a text: users and queries of URLs, known kinds of token, ``password=...``.

    Args:
        value: any text.
        longest: characters that are returned.
    """
    # Cut after masking: half a URL or half a token would not be recognized.
    value = whole(value[:READ])
    return value if len(value) <= longest else value[: longest - 1] + "…"


def whole(value: str) -> str:
    """Mask what looks like a secret in a text of any length, and return all of it."""
    return _line(value) if " -" in value else _masked(value)


def without_secrets(value: str) -> str:
    """Mask known kinds of token, ``user:password@host`` and parameters like ``?sig=...`` in a name or URL.

    All else stays, so that two names stay two: also what ``whole`` takes for a secret in a text, such as ``key=7`` in
    the path of a partition.
    """
    value = _assigned(_LOGIN.sub(rf"\1:{MASK}", _KNOWN_TOKEN.sub(MASK, value)), parameters=True)
    return _options(value) if " -" in value else value


def _masked(value: str) -> str:
    value = _URL.sub(lambda found: _url(found.group()), value)
    value = _HEADER.sub(rf"\1\2{MASK}", value)
    value = _TOKENS.sub(MASK, value)
    value = _LOGIN.sub(rf"\1:{MASK}", value)
    return _assigned(value)


def _assigned(value: str, *, parameters: bool = False) -> str:
    """Mask the values of secret names in ``name=value`` and ``"name": value``.

    Args:
        value: any text.
        parameters: only in JSON, and where ``name=value`` begins the text, a parameter or a word.
    """
    found, place = [], 0
    for each in _ASSIGNED.finditer(value):
        if each.start() < place or not secret_name(each["name"]):
            continue
        quoted = any(mark in each["sign"] for mark in "\"'")
        begins = value[max(each.start() - 1, 0) : each.start()] in "?&;, \t\r\n\"'" and "=" in each["sign"]
        secret = _VALUE.match(value, each.end())
        if secret is not None and (quoted or begins or not parameters) and not _is_column(secret.group()):
            found += [value[place : each.end()], MASK]
            place = secret.end()
    return "".join([*found, value[place:]])


def _is_column(value: str) -> bool:
    """Whether a value is the name of a column and no secret, as in ``a.customer_key = b.customer_key`` of SQL."""
    found = _COLUMN.fullmatch(value)
    return found is not None and secret_name(found[1])


def _url(url: str) -> str:
    # What stands before the colon need be no scheme: ``2.https`` in a dotted name.
    scheme, _, rest = url.partition("://")
    try:
        parts = urlsplit(f"scheme://{rest}")
        _ = parts.port  # raises ValueError where a password contains a slash
    except ValueError:
        return MASK
    return f"{scheme.lower()}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def command(words: Iterable[str], longest: int = LONGEST) -> list[str]:
    """Mask the secrets in a command: ``--token X``, ``--token=X`` and ``TOKEN=X``.

    Args:
        words: the command and its arguments; a shell command line is parsed too.
        longest: characters of each word that are returned.
    """
    mask = _Masker()
    return [mask(word, lambda word: text(word, longest)) for word in words]


def _line(line: str) -> str:
    """Mask the secrets in a shell command line; spaces and quotes stay."""
    return _options(_masked(line))


def _options(line: str) -> str:
    """Mask the values of secret options."""
    mask = _Masker()
    return _WORD.sub(lambda found: mask(found.group(), _inside), line)


def _inside(word: str) -> str:
    """Mask the secrets in a word, which may quote a command line."""
    if " -" not in word:
        return word
    return _QUOTED.sub(lambda found: f"{found[1]}{_line(found[2])}{found[1]}", word)


class _Masker:
    """Masks the words of a command, in order, that the words before them mark as secrets."""

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
