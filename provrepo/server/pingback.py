"""Pingbacks (PROV-AQ, section 5): who used what a document tells of says so here, and curators read it.

The addresses that are sent are looked at as text and never fetched. The sender's own address is counted in memory, for
the rate, and kept nowhere.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from flask import Blueprint, Flask, Response, current_app, request

from provrepo.errors import NotAvailable, TooLarge
from provrepo.repository.pingbacks import Pinged
from provrepo.server import auth, body, provaq
from provrepo.server.links import parse
from provrepo.server.negotiate import JSON, choose
from provrepo.server.rejections import Rejected
from provrepo.server.respond import json_response, numbered

__all__ = ["Rates", "blueprint", "register"]

blueprint = Blueprint("pingback", __name__)

LARGEST = 64 * 1024
"""Bytes of a list, and characters of the ``Link`` headers: one pingback says where a few records are."""

_DOCUMENT = "/projects/<project>/documents/<document>"
_EXTENSION = "provrepo.pingbacks"
_LIST = "text/uri-list"
_RELATIONS = {provaq.HAS_PROVENANCE: "has_provenance", provaq.HAS_QUERY_SERVICE: "has_query_service"}


class Rates:
    """How many requests each sender has left: a bucket that fills up evenly over an hour.

    A server that starts again has forgotten them, and so has a full table of whoever has been quiet for longest.
    """

    KNOWN = 10_000
    """Senders that are remembered."""

    def __init__(self, hourly: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._hourly = hourly
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, sender: tuple[str, str]) -> int:
        """Count one request.

        Returns:
            0, or after how many seconds the sender may come again; then nothing is counted.
        """
        with self._lock:
            at = self._clock()
            left, before = self._left.pop(sender, (float(self._hourly), at))
            left = min(self._hourly, left + (at - before) * self._hourly / 3600)
            allowed = left >= 1
            self._left[sender] = (left - allowed, at)
            if len(self._left) > self.KNOWN:
                self._left.popitem(last=False)
        if allowed:
            return 0
        return math.ceil(round((1 - left) * 3600 / self._hourly, 3)) if self._hourly else 3600


def register(app: Flask, *, hourly: int) -> None:
    """Add the addresses, with so many requests an hour for each sender and project."""
    app.extensions[_EXTENSION] = Rates(hourly)
    app.register_blueprint(blueprint)


@blueprint.post(f"{_DOCUMENT}/pingback", endpoint="received", defaults={"version": None})
@blueprint.post(f"{_DOCUMENT}/versions/<version>/pingback", endpoint="received_for_version")
def received(project: str, document: str, version: str | None) -> Response:
    """Where, as the sender says, more is known of what a document tells of; with ``?iri=`` of that one thing."""
    repo = auth.repository()
    number = None if version is None else numbered(version)
    repo.version(project, document, number)
    if not auth.store().settings.pingbacks:
        raise NotAvailable("this repository takes no pingbacks")
    _count(project)
    about = request.args.get("iri", "")
    listed = [Pinged("has_provenance", uri, about) for uri in _listed()]
    repo.pingback(project, document, version=number, links=[*listed, *_linked()])
    return Response(status=204)


@blueprint.get(f"{_DOCUMENT}/pingbacks")
def of_document(project: str, document: str) -> Response:
    """What came about one document; for those who may change the project."""
    repo = auth.writer(project)
    return _shown(project, document, [found.to_dict() for found in repo.pingbacks(project, document)])


@blueprint.get("/projects/<project>/pingbacks")
def of_project(project: str) -> Response:
    """What came about all documents of a project."""
    repo = auth.writer(project)
    return _shown(project, None, [found.to_dict() for found in repo.pingbacks(project)])


@blueprint.delete(f"{_DOCUMENT}/pingbacks", defaults={"number": None})
@blueprint.delete(f"{_DOCUMENT}/pingbacks/<number>")
def discard(project: str, document: str, number: str | None) -> Response:
    """Forget one, or all of a document."""
    repo = auth.writer(project)
    repo.discard_pingbacks(project, document, None if number is None else [numbered(number)])
    return Response(status=204)


def _shown(project: str, document: str | None, found: list[dict[str, object]]) -> Response:
    choose((JSON,))
    return json_response({"project": project, "document": document, "pingbacks": found})


def _count(project: str) -> None:
    rates = cast("Rates", current_app.extensions[_EXTENSION])
    seconds = rates.take((_sender(), project))
    if seconds:
        raise Rejected(
            429,
            f"there were more pingbacks about {project} from your address than are taken in an hour; "
            f"come again in {seconds} seconds",
            headers={"Retry-After": str(seconds)},
        )


def _sender() -> str:
    """Whose request it is: an IPv4 address, or the network that one customer has in IPv6.

    Behind a proxy that the settings name, the server has put in the address that this proxy saw.
    """
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))


def _listed() -> list[str]:
    """The IRIs of the body (RFC 2483, section 5): one on each line, lines with ``#`` are comments.

    Raises:
        Rejected: 415, it is something else.
        TooLarge: it is longer than ``LARGEST``.
    """
    if request.mimetype != _LIST:
        raise Rejected(415, f"send the IRIs of provenance records with Content-Type: {_LIST}, one on each line")
    if (request.content_length or 0) > LARGEST:
        raise TooLarge(f"a pingback has at most {LARGEST:,} bytes")
    lines = (line.strip() for line in body.text(LARGEST).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _linked() -> list[Pinged]:
    """The records and services that ``Link`` headers name; other relations are none of ours."""
    header = ", ".join(request.headers.getlist("Link"))
    if len(header) > LARGEST:
        raise Rejected(400, f"the Link headers have more than {LARGEST:,} characters")
    return [
        Pinged(_RELATIONS[relation], link.target, link.parameters.get("anchor", ""))
        for link in parse(header)
        for relation in link.relations
        if relation in _RELATIONS
    ]
