"""Settings: flag before environment before ``provrepo.toml`` before default, in one frozen object.

The environment is read here and nowhere else.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.errors import SettingsError
from provrepo.limits import BODY_BYTES, QUERY_BYTES, QUERY_ROWS, QUERY_SECONDS

__all__ = [
    "OTHERS",
    "REPORT",
    "RUN",
    "Settings",
    "bearer",
    "contexts_folder",
    "enclosing_run",
    "environment_name",
    "facts",
    "for_command",
    "host_names",
    "load",
    "reports",
]


def _user_data() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "provrepo"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "provrepo"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. The environment variable of ``query_timeout`` is ``PROVREPO_QUERY_TIMEOUT``.

    Attributes:
        data: the data directory.
        base: the base IRI to record with ``init``; empty until one is chosen.
        host: the address that ``serve`` listens on.
        port: the port that ``serve`` listens on; 0 takes a free one.
        hosts: further names and addresses for which the server answers, with commas between them; it always answers
            for the host of the base IRI, for loopback names, and for the address that it is reached at.
        threads: request threads of the server; there are four at least, and strangers have at most half of them.
        queue: requests of one class of callers (strangers, readers, writers) that may wait for a request thread; the
            next ones are answered 503.
        max_body: the largest document accepted, in bytes.
        min_free: bytes that submissions leave free on the disk of the data directory; beyond that they are refused,
            since what indexes them needs room to start again. 0 lets the disk fill up.
        query_timeout: the longest that a SPARQL query may run, in seconds; it is killed within half a second of that.
        query_timeout_public: the same for whoever asks without a token, where that is less.
        query_workers: worker processes that answer queries, so how many run at once; a server keeps two threads free,
            and strangers have at most half of them.
        query_memory: address space of a worker process that answers queries, in MiB.
        query_rows: the most rows or triples of an answer.
        query_bytes: the most bytes of an answer, counted as SPARQL JSON results or N-Triples.
        check_timeout: the longest that reading and checking one submission may take, in seconds.
        check_timeout_public: the same for whoever comes without a token, where that is less: to check a document, and
            to write a large one in another format.
        worker_memory: address space of a worker process that reads and checks, in MiB.
        workers: worker processes kept for reading and checking.
        pingbacks: the most pingbacks kept for one project; 0 takes none.
        pingback_rate: pingback requests taken in an hour from one address about one project.
        rate_read: requests that read, in a minute, with one token or from one address; 0 for no limit, here and in the
            next three.
        rate_query: requests for queries, lineage and search, counted in the same way.
        rate_check: requests to check a document that is not stored.
        rate_write: requests that change something.
        rate_loopback: ``on`` limits requests from this machine's own addresses too; pingbacks are limited either way.
        audit_days: days for which the access log of a server is kept; 0 writes none.
        audit_bytes: bytes of the whole access log; where there are more, the oldest files go first.
        audit_networks: what the access log has of the address of a request without a token: ``off``, or ``on`` for its
            network (/24 in IPv4, /48 in IPv6).
        trusted_proxy: the address of the proxy whose X-Forwarded-For says who the client is; empty for none.
        token: sent to the other server by ``submit --to``, ``query --endpoint`` and ``outbox send``.
        send_to: the URL of a server to which sessions send their documents in the background, showing it ``token``.
        send_project: the project there.
        contexts: a folder of JSON-LD contexts of one's own, which stand in for addresses in documents; empty for none.
        capture: ``off`` turns ``provrepo.capture`` off; steps are then the plain functions.
    """

    data: Path = dataclasses.field(default_factory=_user_data)
    base: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    hosts: str = ""
    threads: int = 8
    queue: int = 100
    max_body: int = BODY_BYTES
    min_free: int = 256 * 1024 * 1024
    query_timeout: float = QUERY_SECONDS
    query_timeout_public: float = QUERY_SECONDS
    query_workers: int = 6
    query_memory: int = 2048
    query_rows: int = QUERY_ROWS
    query_bytes: int = QUERY_BYTES
    check_timeout: float = 300.0
    check_timeout_public: float = 30.0
    worker_memory: int = 4096
    workers: int = 2
    pingbacks: int = 1000
    pingback_rate: int = 60
    rate_read: int = 1200
    rate_query: int = 300
    rate_check: int = 60
    rate_write: int = 600
    rate_loopback: str = "off"
    audit_days: int = 90
    audit_bytes: int = 256 * 1024 * 1024
    audit_networks: str = "off"
    trusted_proxy: str = ""
    token: str = dataclasses.field(default="", repr=False)
    send_to: str = ""
    send_project: str = "default"
    contexts: str = ""
    capture: str = "on"


def environment_name(field: str) -> str:
    """The environment variable that sets a field."""
    return f"{_PREFIX}{field.upper()}"


def bearer(token: str, where: str = "the token") -> str:
    """A token as a header can carry it, without the space or line end that came with it from a file.

    The message of what is raised does not hold it, and neither does that of any exception on the way.

    Args:
        token: visible ASCII characters (RFC 6750, section 2.1, asks for fewer still); or empty for none.
        where: what it is called in messages.

    Raises:
        SettingsError: it holds a character that no token has.
    """
    text = token.strip()
    wrong = next((place for place, character in enumerate(text, 1) if not "!" <= character <= "~"), None)
    if wrong is not None:
        raise SettingsError(
            f"{where} is no token: character {wrong} of it is a space, a line end or not ASCII; a token is one word"
        )
    return text


RUN, REPORT = "PROVREPO_RUN", "PROVREPO_REPORT"

OTHERS = {
    RUN: "set by `provrepo run` for its command: the IRI of the activity that is running",
    REPORT: "set by `provrepo run` for its command: the folder in which Python processes report files",
    "PROVREPO_CORPUS": "where the tests find the documents of others",
}
"""Environment variables that are no settings; any further one that begins like these is an error."""

_PREFIX = "PROVREPO_"
_LONGEST = 60
"""Characters of an unknown name that are compared with the known ones."""


def facts(names: Iterable[str]) -> dict[str, str]:
    """Those of some environment variables that are set and hold a short plain value."""
    found = {name: os.environ.get(name, "") for name in names}
    return {name: value for name, value in found.items() if _PLAIN.fullmatch(value)}


_PLAIN = re.compile(r"[\w.,:@+/\[\]-]{1,200}", re.ASCII)


def contexts_folder() -> Path | None:
    """The folder of JSON-LD contexts of one's own that the environment or ``provrepo.toml`` names.

    Raises:
        SettingsError: a setting that has no meaning.
    """
    found = load().contexts
    return Path(found) if found else None


def enclosing_run() -> str | None:
    """The IRI of the activity of ``provrepo run`` that this process is part of."""
    found = os.environ.get(RUN, "")
    return found if re.fullmatch(r"urn:uuid:[0-9a-f-]{36}#step-1", found) else None


def reports() -> list[str]:
    """The folder in which this process reports files to ``provrepo run``, if it does, with a separator at its end."""
    found = os.environ.get(REPORT)
    return [os.path.join(found, "")] if found else []  # noqa: PTH118


def for_command(**more: str) -> dict[str, str]:
    """The environment of this process, to be given to another with some variables more, or empty ones left out."""
    return {name: value for name, value in {**os.environ, **more}.items() if value or name not in more}


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """The settings in force.

    Args:
        flags: what the command line says; None values are as if absent.
        environment: instead of ``os.environ``.
        file: instead of ``./provrepo.toml``.

    Raises:
        SettingsError: a name in the file or in the environment that is unknown, or a value of the wrong type, naming
            where it stands.
    """
    environment = os.environ if environment is None else environment
    file = Path("provrepo.toml") if file is None else file
    fields = dataclasses.fields(Settings)
    variables = {environment_name(field.name): field for field in fields}
    for name in environment:
        if name.startswith(_PREFIX) and name not in variables and name not in OTHERS:
            raise SettingsError(f"{name}: no setting has this variable{_close(name, variables)}{_linked(name)}")
    chosen: dict[str, Any] = {}
    for written in _from_file(file):
        chosen[written.field.name] = written.value()
    for name, field in variables.items():
        flag = (flags or {}).get(field.name)
        if flag is not None:
            chosen[field.name] = _read(field, str(flag), f"--{field.name.replace('_', '-')}")
        elif environment.get(name):
            chosen[field.name] = _read(field, environment[name], name)
    folder = chosen.get("contexts")
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"contexts: {folder} is no folder")
    return Settings(**chosen)


class _Written(NamedTuple):
    """One line of the file: a setting, its value of TOML, and where it stands."""

    field: dataclasses.Field[Any]
    given: object
    where: str

    def value(self) -> object:
        """The value, of the type that the setting has.

        Raises:
            SettingsError: it has another.
        """
        kind = _KINDS.get(str(self.field.type), _TEXT)
        # In TOML true is a number to Python, and a number in quotation marks is text to TOML.
        if isinstance(self.given, bool) or not isinstance(self.given, kind.toml):
            raise SettingsError(f"{self.where}: {_shown(self.field, self.given)} is not {kind.words}")
        return _read(self.field, str(self.given), self.where)


def _from_file(file: Path) -> list[_Written]:
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {file}: {error}") from error
    import tomllib  # what has no such file need not wait for its reader

    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"cannot read {file}: {error}") from error
    known = {field.name: field for field in dataclasses.fields(Settings)}
    found = []
    for name, value in written.items():
        where = f"{file}{_line(text, name)}"
        if name not in known:
            listed = ", ".join(sorted(known))
            raise SettingsError(f"{where}: no setting is called {name!r}{_close(name, known)}; there are: {listed}")
        found.append(_Written(known[name], value, f"{name} in {where}"))
    return found


def _line(text: str, name: str) -> str:
    """Where a key of TOML stands, as far as it is written plainly: the reader does not say."""
    found = re.search(rf"""^[ \t]*\[*[ \t]*(["']?){re.escape(name)}\1[ \t]*[].=]""", text, re.MULTILINE)
    return "" if found is None else f", line {text.count(chr(10), 0, found.start()) + 1}"


def _close(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # needed where something is wrong alone

    found = get_close_matches(name[:_LONGEST], list(known), n=1, cutoff=0.75)
    return f"; did you mean {found[0]}?" if found else ""


def _linked(name: str, value: str = "") -> str:
    """A word about variables that Kubernetes sets for every service, here for one that is called provrepo."""
    if re.match(rf"{_PREFIX}(SERVICE|PORT)_", name) or re.match(r"(tcp|udp)://", value):
        return "; Kubernetes sets it for a service called provrepo unless enableServiceLinks is false"
    return ""


def _shown(field: dataclasses.Field[Any], value: object) -> str:
    """A value in a message; a token is in none."""
    return "what is given" if field.name == "token" else repr(value)


class _Kind(NamedTuple):
    """A type of settings.

    Attributes:
        toml: what TOML has to give.
        pattern: of its text.
        make: the value from the text.
        words: for people.
    """

    toml: type | tuple[type, ...]
    pattern: re.Pattern[str]
    make: Callable[[str], Any]
    words: str


def host_names(text: str) -> list[str]:
    """The names and addresses in the value of ``hosts``."""
    return text.replace(",", " ").split()


def _is_host(name: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return re.fullmatch(r"[\w.-]{1,253}", name) is not None
    return True


_TEXT = _Kind(str, re.compile(r".*", re.DOTALL), str, "text: write it in quotation marks")
_KINDS = {
    "int": _Kind(int, re.compile(r"[+-]?[0-9]+"), int, "a whole number"),
    "float": _Kind(
        (int, float), re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?"), float, "a number"
    ),
    "Path": _TEXT._replace(make=Path),
}
_LEAST = {
    "audit_bytes": 1 << 20,
    "queue": 1,
    "threads": 1,
    "workers": 1,
    "query_workers": 1,
    "worker_memory": 64,
    "query_memory": 64,
}
_MANY, _PEBIBYTE = 4096, 1 << 30
_MOST = {
    "port": 65535,
    "audit_days": 36_500,
    **dict.fromkeys(("threads", "workers", "query_workers"), _MANY),
    **dict.fromkeys(("worker_memory", "query_memory"), _PEBIBYTE),  # in MiB; what follows does not fit a limit
}
_CHOICES = {"capture": ("on", "off"), "rate_loopback": ("on", "off"), "audit_networks": ("on", "off")}


def _read(field: dataclasses.Field[Any], text: str, where: str) -> object:
    """The value of a setting from its text.

    Raises:
        SettingsError: it is none, saying where it stands.
    """
    if field.name == "token":
        return bearer(text, where)
    kind = _KINDS.get(str(field.type), _TEXT)
    shown = _shown(field, text)
    if not kind.pattern.fullmatch(text.strip()):
        raise SettingsError(f"{where}: {shown} is not {kind.words}{_linked('', text)}")
    if field.name in _CHOICES and text not in _CHOICES[field.name]:
        raise SettingsError(f"{where}: {shown} is neither {' nor '.join(_CHOICES[field.name])}")
    if field.name == "trusted_proxy" and text:
        from ipaddress import ip_address

        try:
            ip_address(text)
        except ValueError:
            # Requests come from an address: a name would never be theirs, and be passed over in silence.
            raise SettingsError(f"{where}: {shown} is not the IP address of a proxy") from None
    if field.name == "hosts" and (wrong := [name for name in host_names(text) if not _is_host(name)]):
        raise SettingsError(
            f"{where}: {wrong[0]!r} is not a host: write names or addresses without scheme and port, "
            "with commas between them"
        )
    if kind.make is Path and not text:
        raise SettingsError(f"{where}: {shown} is not the path of a directory")
    result = kind.make(text)
    if isinstance(result, int | float):
        if result < 0:
            raise SettingsError(f"{where}: {shown} is negative")
        if not _LEAST.get(field.name, 0) <= result <= _MOST.get(field.name, result):
            most = f" and at most {_MOST[field.name]}" if field.name in _MOST else ""
            raise SettingsError(f"{where}: {shown} has to be at least {_LEAST.get(field.name, 0)}{most}")
    return result
