"""The inbox (Linked Data Notifications): notices of peers and others.

No address in a notice is fetched.
"""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.errors import NotFound, TooLarge
from provrepo.ledger.exchange.incoming_notices import ReceivedNotice
from provrepo.repository.exchange.notices.payload import MEDIA_TYPE, MOST_BYTES
from provrepo.server.protocol import addresses, auth, body
from provrepo.server.protocol.negotiate import choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import Links, conditional, json_response
from provrepo.server.routing.offers import INBOX

__all__ = ["LDP_INBOX", "blueprint"]

blueprint = Blueprint("inbox", __name__)

LDP_INBOX = "http://www.w3.org/ns/ldp#inbox"
"""The relation of a link to an inbox (Linked Data Notifications, section 3.1)."""

_LD_JSON = "application/ld+json"


@blueprint.post("/inbox")
def receive() -> Response:
    """Receive a notice. That of a peer is stored; any other waits until the peer that it names has confirmed it."""
    if request.mimetype != _LD_JSON:
        raise Rejected(415, f"send a notice with Content-Type: {MEDIA_TYPE}", headers={"Accept-Post": _LD_JSON})
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge(f"a notice has at most {MOST_BYTES:,} bytes")
    found = auth.repository().receive_notice(body.decoded(MOST_BYTES))
    if not found.key:
        return Response(status=202)
    return Response(status=201, headers={"Location": _address(found.key)})


@blueprint.get("/inbox")
def listed() -> Response:
    """The received notices that the caller may see: those about projects that the caller may change."""
    choose(INBOX)
    found = auth.repository().inbox() if not auth.is_stranger() else []
    response = json_response(
        {
            "@context": "http://www.w3.org/ns/ldp",
            "@id": f"{addresses.address()}inbox",
            "contains": [_address(notice.key) for notice in found],
        }
    )
    return _as_json_ld(response)


@blueprint.get("/inbox/<key>")
def one(key: str) -> Response:
    """A received notice, as it was sent."""
    choose(INBOX)
    found = auth.repository().notice(key)
    if not isinstance(found, ReceivedNotice):
        raise NotFound("there is no such notice that you may see")
    return _as_json_ld(conditional(Response(found.body)))


def _address(key: str) -> str:
    return addresses.address() + f"inbox/{key}"


def _as_json_ld(response: Response) -> Response:
    response.content_type = _LD_JSON
    links = Links()
    links.add(url_for("inbox.receive"), LDP_INBOX)
    response.headers["Link"] = str(links)
    response.headers["Accept-Post"] = _LD_JSON
    return response
