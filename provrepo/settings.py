"""Settings: flag before environment before ``provrepo.toml`` before default, in one frozen object.

The environment is read here and nowhere else.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provrepo.errors import SettingsError

__all__ = [
    "REPORT",
    "RUN",
    "Settings",
    "bearer",
    "enclosing_run",
    "environment_name",
    "facts",
    "for_command",
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
        threads: request threads of the server.
        max_body: the largest document accepted, in bytes.
        min_free: bytes that submissions leave free on the disk of the data directory; beyond that they are refused,
            since what indexes them needs room to start again. 0 lets the disk fill up.
        query_timeout: the longest that a SPARQL query may run, in seconds; it is killed within half a second of that.
        query_timeout_public: the same for whoever asks without a token, where that is less.
        query_workers: worker processes that answer queries, so how many run at once; a server keeps two threads free.
        query_memory: address space of a worker process that answers queries, in MiB.
        query_rows: the most rows or triples of an answer.
        query_bytes: the most bytes of an answer, counted as SPARQL JSON results or N-Triples.
        check_timeout: the longest that reading and checking one submission may take, in seconds.
        worker_memory: address space of a worker process that reads and checks, in MiB.
        workers: worker processes kept for reading and checking.
        pingbacks: the most pingbacks kept for one project; 0 takes none.
        pingback_rate: pingback requests taken in an hour from one address about one project.
        trusted_proxy: the address of the proxy whose X-Forwarded-For says who the client is; empty for none.
        token: sent to the other server by ``submit --to``, ``query --endpoint`` and ``outbox send``.
        send_to: the URL of a server to which sessions send their documents in the background, showing it ``token``.
        send_project: the project there.
        capture: ``off`` turns ``provrepo.capture`` off; steps are then the plain functions.
    """

    data: Path = dataclasses.field(default_factory=_user_data)
    base: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    max_body: int = 32 * 1024 * 1024
    min_free: int = 256 * 1024 * 1024
    query_timeout: float = 30.0
    query_timeout_public: float = 30.0
    query_workers: int = 4
    query_memory: int = 2048
    query_rows: int = 1_000_000
    query_bytes: int = 64 * 1024 * 1024
    check_timeout: float = 300.0
    worker_memory: int = 4096
    workers: int = 2
    pingbacks: int = 1000
    pingback_rate: int = 60
    trusted_proxy: str = ""
    token: str = dataclasses.field(default="", repr=False)
    send_to: str = ""
    send_project: str = "default"
    capture: str = "on"


def environment_name(field: str) -> str:
    """The environment variable that sets a field."""
    return f"PROVREPO_{field.upper()}"


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
"""Set by ``provrepo run`` for its command: the activity's IRI, and where Python processes report files."""


def facts(names: Iterable[str]) -> dict[str, str]:
    """Those of some environment variables that are set and hold a short plain value."""
    found = {name: os.environ.get(name, "") for name in names}
    return {name: value for name, value in found.items() if _PLAIN.fullmatch(value)}


_PLAIN = re.compile(r"[\w.,:@+/\[\]-]{1,200}", re.ASCII)


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
        SettingsError: an unknown name in the file, or a value of the wrong type, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    file = Path("provrepo.toml") if file is None else file
    chosen: dict[str, Any] = {}
    written = _from_file(file)
    for field in dataclasses.fields(Settings):
        name = environment_name(field.name)
        flag = (flags or {}).get(field.name)
        if flag is not None:
            chosen[field.name] = _typed(field, flag, f"--{field.name.replace('_', '-')}")
        elif environment.get(name):
            chosen[field.name] = _typed(field, environment[name], name)
        elif field.name in written:
            chosen[field.name] = _typed(field, written[field.name], f"{field.name} in {file}")
    return Settings(**chosen)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {file}: {error}") from error
    import tomllib  # whoever has no such file need not wait for its reader

    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"cannot read {file}: {error}") from error
    known = {field.name for field in dataclasses.fields(Settings)}
    unknown = sorted(set(written) - known)
    if unknown:
        raise SettingsError(f"{file}: no setting is called {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    return written


def _typed(field: dataclasses.Field[Any], value: object, where: str) -> object:
    if field.name == "token":
        return bearer(str(value), where)
    kind = {"Path": Path, "int": int, "float": float}.get(str(field.type), str)
    try:
        result = kind(str(value))
    except ValueError:
        raise SettingsError(f"{where}: {value!r} is not {'a whole number' if kind is int else 'a number'}") from None
    if isinstance(result, int | float) and result < 0:
        raise SettingsError(f"{where}: {value!r} is negative")
    return result
