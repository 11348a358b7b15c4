"""The values of settings: their kinds, bounds and checks, from text to the value."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from provrepo.errors import SettingsError

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

__all__ = [
    "PREFIX",
    "bearer",
    "check_together",
    "host_names",
    "is_loopback",
    "kind_of",
    "linked",
    "networks",
    "read",
    "shown",
]

PREFIX = "PROVREPO_"
"""With which the environment variables of settings begin."""


def bearer(token: str, where: str = "the token") -> str:
    """A token for a header, without surrounding space or line ends, as from a file.

    Messages of errors do not contain the token.

    Args:
        token: visible ASCII characters (RFC 6750, section 2.1, allows fewer); or empty for none.
        where: its name in messages.

    Raises:
        SettingsError: it contains a character that a token may not have.
    """
    text = token.strip()
    wrong = next((position for position, character in enumerate(text, 1) if not "!" <= character <= "~"), None)
    if wrong is not None:
        raise SettingsError(
            f"{where} is not a token: character {wrong} of it is a space, a line end or not ASCII; a token is one word"
        )
    return text


def linked(name: str, value: str = "") -> str:
    """Advice about variables that Kubernetes sets for a service called provrepo; empty for others."""
    if re.match(rf"{PREFIX}(SERVICE|PORT)_", name) or re.match(r"(tcp|udp)://", value):
        return "; Kubernetes sets it for a service called provrepo unless enableServiceLinks is false"
    return ""


def shown(field: dataclasses.Field[Any], value: object) -> str:
    """A value for a message; a token is not shown."""
    return "what is given" if field.name in _SECRET else repr(value)


class _Kind(NamedTuple):
    """A type of settings.

    Attributes:
        toml: the types of the TOML value.
        pattern: matches its text.
        make: text → value.
        words: the type in words, for messages.
    """

    toml: type | tuple[type, ...]
    pattern: re.Pattern[str]
    make: Callable[[str], Any]
    words: str


def host_names(text: str) -> list[str]:
    """The names and addresses in a value, such as that of ``hosts``."""
    return text.replace(",", " ").split()


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """The networks in the value of ``sign_in_proxies``; an address is a network of one.

    Raises:
        ValueError: one of them is neither an address nor a network.
    """
    from ipaddress import ip_network  # needed by servers only

    return [ip_network(part) for part in host_names(text)]


def is_loopback(host: str) -> bool:
    """Whether the name or address of a host is one of this machine."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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


def kind_of(field: dataclasses.Field[Any]) -> _Kind:
    """The kind of a setting."""
    return _KINDS.get(str(field.type), _TEXT)


_LEAST = {
    "audit_bytes": 1 << 20,
    "queue": 1,
    "threads": 1,
    "workers": 1,
    "query_workers": 1,
    "worker_memory": 64,
    "query_memory": 64,
    "session_idle": 1,
    "session_hours": 1,
}
_MANY, _PEBIBYTE = 4096, 1 << 30
_MOST = {
    "port": 65535,
    "audit_days": 36_500,
    "pending_days": 36_500,
    "kept_days": 36_500,
    "webhook_days": 365,
    "exchange_seconds": 86_400,
    "session_idle": 10_080,
    "session_hours": 8_760,
    **dict.fromkeys(("threads", "workers", "query_workers"), _MANY),
    **dict.fromkeys(
        ("worker_memory", "query_memory"), _PEBIBYTE
    ),  # in MiB; larger values do not fit into a limit of the system
}
_SECRET = ("token", "peer_token", "sign_in_secret")
_CHOICES = {
    "webhook_addresses": ("public", "any"),
    "capture": ("on", "off"),
    "rate_loopback": ("on", "off"),
    "audit_networks": ("on", "off"),
    "sign_in_people": ("known", "anyone"),
}


def read(field: dataclasses.Field[Any], text: str, where: str) -> object:
    """The value of a setting from its text.

    Raises:
        SettingsError: the text is invalid; with its location.
    """
    if field.name in _SECRET:
        return bearer(text, where)
    kind = kind_of(field)
    shown_ = shown(field, text)
    if not kind.pattern.fullmatch(text.strip()):
        raise SettingsError(f"{where}: {shown_} is not {kind.words}{linked('', text)}")
    if field.name in _CHOICES and text not in _CHOICES[field.name]:
        raise SettingsError(f"{where}: {shown_} is neither {' nor '.join(_CHOICES[field.name])}")
    if field.name == "trusted_proxy" and text:
        from ipaddress import ip_address

        try:
            ip_address(text)
        except ValueError:
            # Requests have an address: a name would never match, and the setting would have no effect.
            raise SettingsError(f"{where}: {shown_} is not the IP address of a proxy") from None
    if field.name == "hosts" and (wrong := [name for name in host_names(text) if not _is_host(name)]):
        raise SettingsError(
            f"{where}: {wrong[0]!r} is not a host: write names or addresses without scheme and port, "
            "with commas between them"
        )
    if text and (check := _CHECKS.get(field.name)) is not None and (wrong_because := check(text)):
        raise SettingsError(f"{where}: {shown_} {wrong_because}")
    if kind.make is Path and not text:
        raise SettingsError(f"{where}: {shown_} is not the path of a directory")
    result = kind.make(text)
    if isinstance(result, int | float):
        if result < 0:
            raise SettingsError(f"{where}: {shown_} is negative")
        if not _LEAST.get(field.name, 0) <= result <= _MOST.get(field.name, result):
            most = f" and at most {_MOST[field.name]}" if field.name in _MOST else ""
            raise SettingsError(f"{where}: {shown_} has to be at least {_LEAST.get(field.name, 0)}{most}")
    return result


def _is_issuer(text: str) -> str:
    """What is wrong with the address of a provider; empty for a valid one (OpenID Connect Discovery 1.0, section 2)."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "?" in text or "#" in text:
        return "is not the https URL of a provider without user, query and fragment"
    if parts.scheme == "http" and not is_loopback(host):
        return "begins with http: whoever is between could sign in as anybody; give an https URL"
    return ""


def _are_networks(text: str) -> str:
    try:
        networks(text)
    except ValueError as error:
        return f"is not a list of addresses and networks: {error}"
    return ""


_CHECKS: dict[str, Callable[[str], str]] = {
    "sign_in_issuer": _is_issuer,
    "sign_in_scopes": lambda text: "" if "openid" in text.split() else "needs the scope openid",
    "sign_in_header": lambda text: "" if re.fullmatch(r"[A-Za-z0-9-]{1,100}", text) else "is not a header field",
    "sign_in_proxies": _are_networks,
}
"""What is wrong with a value, in words that follow it; empty for a valid one."""


def check_together(values: Mapping[str, Any]) -> None:
    """Check settings that need one another.

    Args:
        values: the settings that were chosen, by name.

    Raises:
        SettingsError: one is there without another that it needs.
    """
    for one, other, reason in _NEEDED:
        if values.get(one) and not values.get(other):
            raise SettingsError(f"{one} needs {other} too: {reason}")
    if values.get("sign_in_secret") and values.get("sign_in_secret_file"):
        raise SettingsError("sign_in_secret and sign_in_secret_file are both given: give one of them")


_NEEDED = (
    ("sign_in_issuer", "sign_in_client", "the provider knows this server by it"),
    ("sign_in_client", "sign_in_issuer", "it names the provider"),
    ("sign_in_header", "sign_in_proxies", "from other addresses than those, anybody could send the header field"),
    ("sign_in_proxies", "sign_in_header", "it names the header field that counts from there"),
)
