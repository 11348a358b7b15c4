"""Linksets (RFC 9264) as answers, and the catalog of this server's interfaces at ``/.well-known/api-catalog``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, url_for

from provrepo.checks import profiles
from provrepo.server.discovery.signposts import LINKSET
from provrepo.server.protocol.addresses import absolute
from provrepo.server.protocol.respond import Links, conditional

__all__ = ["API_CATALOG", "blueprint", "response"]

blueprint = Blueprint("linksets", __name__)

API_CATALOG = LINKSET + '; profile="https://www.rfc-editor.org/info/rfc9727"'
"""The media type of the catalog of interfaces (RFC 9727, section 4)."""

_JSON, _TURTLE, _PAGE = "application/json", "text/turtle", "text/html"


def response(contexts: Iterable[Mapping[str, Any]], media_type: str = LINKSET) -> Response:
    """The answer with a linkset in JSON.

    Args:
        contexts: link context objects (RFC 9264, section 4.2.2); those of one anchor are merged.
        media_type: the value of ``Content-Type``.
    """
    merged: dict[str, dict[str, Any]] = {}
    for context in contexts:
        own = merged.setdefault(context["anchor"], {"anchor": context["anchor"]})
        for relation, targets in context.items():
            if relation != "anchor":
                own[relation] = [*own.get(relation, []), *(t for t in targets if t not in own.get(relation, []))]
    body = json.dumps({"linkset": list(merged.values())}, ensure_ascii=False, indent=2) + "\n"
    return conditional(Response(body, content_type=media_type))


@blueprint.get("/.well-known/api-catalog")
def api_catalog() -> Response:
    """The interfaces of this server and their descriptions (RFC 9727); the same for all callers."""
    here = url_for("linksets.api_catalog")
    answer = response(_interfaces(here), API_CATALOG)
    links = Links()
    links.add(here, "api-catalog", LINKSET)
    answer.headers["Link"] = str(links)
    return answer


def _interfaces(here: str) -> list[dict[str, Any]]:
    """The link context objects: the catalog with an ``item`` for each interface, and each with its descriptions."""
    home, sparql, service = url_for("pages.home"), url_for("sparql.public"), url_for("provaq.service")
    names = [profile.name for profile in profiles.available()]
    catalog = url_for("catalogs.catalog")
    described = {
        home: {
            "service-desc": [(url_for("openapi.own"), _JSON)],
            "service-doc": [(home, _PAGE)],
            "status": [(url_for("health.health"), _JSON)],
        },
        sparql: {
            "service-desc": [(sparql, _TURTLE)],
            "service-doc": [(sparql, _PAGE)],
            "service-meta": [(url_for("descriptions.void"), _TURTLE)],
        },
        service: {"service-desc": [(service, _TURTLE)]},
        catalog: {"service-meta": [(catalog, _TURTLE), (url_for("sitemaps.sitemap"), "application/xml")]},
    }
    vocabularies = [url_for("vocabularies.ontology"), *(url_for("vocabularies.shapes", profile=name) for name in names)]
    items = [
        *({"href": absolute(address)} for address in described),
        *({"href": absolute(address), "type": _TURTLE} for address in vocabularies),
    ]
    return [
        {"anchor": absolute(here), "item": items},
        *(
            {
                "anchor": absolute(address),
                **{
                    relation: [{"href": absolute(target), "type": media_type} for target, media_type in targets]
                    for relation, targets in relations.items()
                },
            }
            for address, relations in described.items()
        ),
    ]
