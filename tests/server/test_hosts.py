"""The hosts for which the server answers, and the client address behind a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from provrepo.server.connections.hosts import Hosts
from tests.support.wire import wire

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("prov.example", 200),
        ("PROV.example.:8443", 200),
        ("other.example", 200),
        ("xn--bcher-kva.example", 200),
        ("192.0.2.9", 200),
        ("[2001:db8:0::1]", 200),
        ("localhost", 200),
        ("127.9.9.9", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("prov.example.evil.example", 421),
        ("evil-prov.example", 421),
        ("192.0.2.10", 421),
        ("127.1", 421),
        ("2130706433", 421),
        ("[2001:db8::2]", 421),
        ("%6cocalhost", 421),
        ("127.0.0.1%25evil.example", 421),
        ("127.0.0.1%evil.example", 421),
        ("192.0.2.9%evil.example", 421),
    ],
)
def test_hosts_of_base_settings_and_loopback_are_accepted(host: str, status: int) -> None:
    hosts = Hosts.of(
        "https://prov.example:8443/x/", ["", "other.example", "bücher.example", "192.0.2.9", "2001:DB8::1"]
    )
    with wire(hosts=hosts) as served:
        sent = f"GET / HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n\r\n"
        with served.connect(sent.encode()) as client:
            assert client.answers(number=1)[0].status == status


def test_the_local_address_of_the_connection_is_accepted() -> None:
    """Health checks of load balancers name the server by its address."""
    hosts = Hosts()
    hosts.check("192.0.2.3:8000", "192.0.2.3")
    hosts.check("[fe80::1]", "fe80::1%eth0")
    hosts.check("192.0.2.3", "::ffff:192.0.2.3")
    for local in ("192.0.2.4", ""):
        with pytest.raises(Exception, match="does not answer"):
            hosts.check("192.0.2.3", local)


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ('"nonsense, x, 192.0.2.1', "192.0.2.1"),
        ("192.0.2.7, 2001:db8::1", "2001:db8::1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("192.0.2.1, :", "127.0.0.1"),
        ("", "127.0.0.1"),
        ('192.0.2.1, "', "127.0.0.1"),
        ("unknown", "127.0.0.1"),
    ],
)
def test_only_the_address_added_by_the_proxy_identifies_the_client(sent: str, address: str) -> None:
    def who(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(environ["REMOTE_ADDR"])))])
        return [environ["REMOTE_ADDR"].encode()]

    with wire(who, proxy="127.0.0.1") as served:
        (answer,) = served.ask(GET[:-2] + f"X-Forwarded-For: {sent}\r\n\r\n".encode())
        assert (answer.status, answer.body.decode()) == (200, address)
