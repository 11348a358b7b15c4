"""Settings in one frozen object; flags override environment variables, ``provrepo.toml`` and defaults, in that order.

The environment is read in this module only.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from provrepo.errors import SettingsError, UsageError
from provrepo.limits import BODY_BYTES, QUERY_BYTES, QUERY_ROWS, QUERY_SECONDS
from provrepo.setting_values import PREFIX, bearer, check_together, host_names, kind_of, linked, networks, read, shown

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
    "mlflow_token",
    "networks",
    "notebook_name",
    "reports",
]


def _user_data() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "provrepo"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "provrepo"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. The environment variable of ``query_timeout`` is ``PROVREPO_QUERY_TIMEOUT``.

    Attributes:
        data: the data directory; for commands also the URL of a server, which is sent ``token``.
        base: the base IRI to record with ``init``; empty until one is chosen.
        host: the address that ``serve`` listens on.
        port: the port that ``serve`` listens on; 0 takes a free one.
        hosts: further names and addresses for which the server answers, with commas between them; it always answers
            for the host of the base IRI, for loopback names, and for the address that it is reached at.
        threads: request threads of the server; there are four at least, and strangers have at most half of them.
        queue: requests of one class of callers (strangers, readers, writers) that may wait for a request thread;
            further ones are answered 503.
        max_body: the largest document accepted, in bytes.
        min_free: bytes that submissions leave free on the disk of the data directory; beyond that they are refused,
            since what indexes them needs room to start again. 0 lets the disk fill up.
        query_timeout: the longest that a SPARQL query may run, in seconds; it is killed within half a second of that.
        query_timeout_public: the same for callers without a token, if that is less.
        query_workers: worker processes that answer queries, so how many run at once; a server keeps two threads free,
            and strangers have at most half of them.
        query_memory: address space of a worker process that answers queries, in MiB.
        query_rows: the most rows or triples of an answer.
        query_bytes: the most bytes of an answer, counted as SPARQL JSON results or N-Triples.
        check_timeout: the longest that reading and checking one submission may take, in seconds.
        check_timeout_public: the same for callers without a token, if that is less: to check a document, and
            to write a large one in another format.
        worker_memory: address space of a worker process that reads and checks, in MiB.
        workers: worker processes kept for reading and checking.
        pingbacks: the most pingbacks kept for one project; 0 takes none.
        pingback_rate: pingback requests taken in an hour from one address about one project.
        inbox: the most notices kept whose sender is not proven to be a peer; 0 takes no notices at all.
        inbox_rate: notices taken in an hour from one address without a token.
        pull_every: seconds between two pulls of all mirrors by a server; 0 for none.
        event_projects: the projects of events that are received without one: pairs ``NAMESPACE=PROJECT`` with spaces
            between them, where ``*`` in a namespace stands for any text; the first that fits decides.
        rate_read: requests that read, in a minute, with one token or from one address; 0 for no limit, here and in the
            next three.
        rate_query: requests for queries, lineage and search, counted in the same way.
        rate_check: requests to check a document that is not stored.
        rate_write: requests that change something.
        rate_loopback: ``on`` limits requests from this machine's own addresses too; pingbacks and notices without a
            token are always limited.
        audit_days: days for which the access log of a server is kept; 0 writes none.
        audit_bytes: the most bytes of the whole access log; the oldest files are deleted first.
        audit_networks: ``on`` writes the network of a request without a token to the access log (/24 in IPv4, /48 in
            IPv6); ``off`` writes nothing of its address.
        pending_days: days for which documents wait for a review, and for which decisions on them are kept; 0 for ever.
        kept_days: days for which a refused document is kept whose submitter has asked for that; 0 for ever.
        webhook_addresses: ``public``: webhooks, which owners of projects add, are sent to public addresses only;
            ``any``: also to those of the own network and machine.
        webhook_days: days of failures after which a webhook is disabled.
        exchange_seconds: seconds between the rounds in which a server works off what it has for peers; 0 for no rounds.
        session_idle: minutes after its last request at which a session of a browser ends.
        session_hours: hours after which it ends in any case.
        sign_in_issuer: the address of the provider of OpenID Connect with which people sign in; empty for none.
        sign_in_client: the client identifier under which the provider knows this server.
        sign_in_secret: the client secret; empty for a public client, which has none.
        sign_in_secret_file: a file with the client secret, instead of ``sign_in_secret``.
        sign_in_scopes: the scopes that the provider is asked for, with spaces between them.
        sign_in_label: the text of the button on the page ``/session``.
        sign_in_name: the claim that has the name of a person.
        sign_in_orcid: the claim that has the ORCID, if the provider has authenticated it; for ORCID itself ``sub``.
        sign_in_people: who may sign in: ``known`` for people who were added or invited, ``anyone`` for everybody whom
            the provider knows; new people then have no roles.
        sign_in_header: the header field in which a proxy names the person whom it has authenticated; empty for none.
        sign_in_proxies: the addresses and networks from which that field counts, with commas between them.
        trusted_proxy: the address of the proxy whose X-Forwarded-For has the client's address, and whose
            X-Forwarded-Proto says whether the client speaks TLS; empty for none.
        token: sent to the server that ``data`` names, and by ``submit --to``, ``query --endpoint`` and
            ``outbox send``.
        peer_token: the token for a peer that ``peers add`` and ``peers set`` store.
        send_to: the URL of a server to which sessions send their documents in the background, showing it ``token``.
        send_project: the project there.
        log_key: a file for the private keys that sign checkpoints of logs, outside of the data directory; empty for a
            file in it.
        contexts: a folder of user-defined JSON-LD contexts, used instead of URLs in documents; empty for none.
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
    inbox: int = 1000
    inbox_rate: int = 60
    pull_every: int = 300
    event_projects: str = ""
    rate_read: int = 1200
    rate_query: int = 300
    rate_check: int = 60
    rate_write: int = 600
    rate_loopback: str = "off"
    audit_days: int = 90
    audit_bytes: int = 256 * 1024 * 1024
    audit_networks: str = "off"
    pending_days: int = 90
    kept_days: int = 14
    webhook_addresses: str = "public"
    webhook_days: int = 7
    exchange_seconds: float = 30.0
    session_idle: int = 120
    session_hours: int = 12
    sign_in_issuer: str = ""
    sign_in_client: str = ""
    sign_in_secret: str = dataclasses.field(default="", repr=False)
    sign_in_secret_file: str = ""
    sign_in_scopes: str = "openid profile email"
    sign_in_label: str = "Sign in with your institution"
    sign_in_name: str = "name"
    sign_in_orcid: str = ""
    sign_in_people: str = "known"
    sign_in_header: str = ""
    sign_in_proxies: str = ""
    trusted_proxy: str = ""
    token: str = dataclasses.field(default="", repr=False)
    peer_token: str = dataclasses.field(default="", repr=False)
    send_to: str = ""
    send_project: str = "default"
    log_key: str = ""
    contexts: str = ""
    capture: str = "on"

    @property
    def server(self) -> str:
        """The URL of the server that ``data`` names instead of a directory; empty for a directory.

        A path has no empty steps, so that ``data`` has one slash after the scheme.
        """
        found = re.fullmatch(r"(https?):(/.*)?", str(self.data), re.IGNORECASE | re.DOTALL)
        return f"{found[1].lower()}://{(found[2] or '').lstrip('/')}" if found else ""

    def require_directory(self) -> None:
        """Raise UsageError if ``data`` names a server."""
        if self.server:
            raise UsageError(
                "this needs the data directory itself, and --data (PROVREPO_DATA) names a server; run it on the "
                "machine that has the directory"
            )


def environment_name(field: str) -> str:
    """The environment variable that sets a field."""
    return f"{PREFIX}{field.upper()}"


RUN, REPORT = "PROVREPO_RUN", "PROVREPO_REPORT"

OTHERS = {
    RUN: "set by `provrepo run` for its command: the IRI of the activity that is running",
    REPORT: "set by `provrepo run` for its command: the folder in which Python processes report files",
    "PROVREPO_CORPUS": "the folder of further documents for the tests",
}
"""Environment variables that are not settings; any other variable with their prefix is an error."""

_LONGEST = 60
"""The most characters of an unknown name that are compared with known names."""


def facts(names: Iterable[str]) -> dict[str, str]:
    """Those of some environment variables that have a short plain value."""
    found = {name: os.environ.get(name, "") for name in names}
    return {name: value for name, value in found.items() if _PLAIN.fullmatch(value)}


_PLAIN = re.compile(r"[\w.,:@+/\[\]-]{1,200}", re.ASCII)


def contexts_folder() -> Path | None:
    """The folder of user-defined JSON-LD contexts of the environment or ``provrepo.toml``.

    Raises:
        SettingsError: a setting is invalid.
    """
    found = load().contexts
    return Path(found) if found else None


def enclosing_run() -> str | None:
    """The IRI of the activity that this process is part of: of ``provrepo run``, or of a step that started it."""
    found = os.environ.get(RUN, "")
    return found if re.fullmatch(r"urn:uuid:[0-9a-f-]{36}#(step-[0-9a-f-]+|session)", found) else None


def mlflow_token(url: str) -> str:
    """The token that MLflow's own clients send to a tracking server; empty unless they are set up for this address."""
    own = os.environ.get("MLFLOW_TRACKING_URI", "").rstrip("/") == url.rstrip("/")
    return os.environ.get("MLFLOW_TRACKING_TOKEN", "") if own else ""


def notebook_name() -> str:
    """The path of the notebook of this kernel, as the Jupyter server tells its kernels; empty if it does not."""
    return os.environ.get("JPY_SESSION_NAME", "")


def reports() -> list[str]:
    """The folder in which this process reports files to ``provrepo run``, with a final separator; empty if none."""
    found = os.environ.get(REPORT)
    return [os.path.join(found, "")] if found else []  # noqa: PTH118


def for_command(**more: str) -> dict[str, str]:
    """The environment for a child process: that of this process with ``more``, whose empty variables are removed."""
    return {name: value for name, value in {**os.environ, **more}.items() if value or name not in more}


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """The settings in effect.

    Args:
        flags: the options of the command line; None values are ignored.
        environment: instead of ``os.environ``.
        file: instead of ``./provrepo.toml``.

    Raises:
        SettingsError: a name in the file or environment is unknown, or a value has the wrong type; with its location.
    """
    environment = os.environ if environment is None else environment
    file = Path("provrepo.toml") if file is None else file
    fields = dataclasses.fields(Settings)
    variables = {environment_name(field.name): field for field in fields}
    for name in environment:
        if name.startswith(PREFIX) and name not in variables and name not in OTHERS:
            raise SettingsError(f"{name}: no setting has this variable{_close(name, variables)}{linked(name)}")
    chosen: dict[str, Any] = {}
    for written in _from_file(file):
        chosen[written.field.name] = written.value()
    for name, field in variables.items():
        flag = (flags or {}).get(field.name)
        if flag is not None:
            chosen[field.name] = read(field, str(flag), f"--{field.name.replace('_', '-')}")
        elif environment.get(name):
            chosen[field.name] = read(field, environment[name], name)
    folder = chosen.get("contexts")
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"contexts: {folder} is not a folder")
    check_together(chosen)
    return Settings(**chosen)


class _Written(NamedTuple):
    """A setting in the file, its TOML value, and its location."""

    field: dataclasses.Field[Any]
    given: object
    where: str

    def value(self) -> object:
        """The value, with the type of the setting.

        Raises:
            SettingsError: it has another type.
        """
        kind = kind_of(self.field)
        # In Python the value true is a number, and in TOML a number in quotation marks is text.
        if isinstance(self.given, bool) or not isinstance(self.given, kind.toml):
            raise SettingsError(f"{self.where}: {shown(self.field, self.given)} is not {kind.words}")
        return read(self.field, str(self.given), self.where)


def _from_file(file: Path) -> list[_Written]:
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {file}: {error}") from error
    import tomllib  # slow to import, and most processes have no such file

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
    """The line of a TOML key as text, if the key is not quoted unusually; the parser does not return it."""
    found = re.search(rf"""^[ \t]*\[*[ \t]*(["']?){re.escape(name)}\1[ \t]*[].=]""", text, re.MULTILINE)
    return "" if found is None else f", line {text.count(chr(10), 0, found.start()) + 1}"


def _close(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # needed for errors only

    found = get_close_matches(name[:_LONGEST], list(known), n=1, cutoff=0.75)
    return f"; did you mean {found[0]}?" if found else ""
