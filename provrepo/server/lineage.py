"""Where things come from, what is known of them, and things by words: over all that the caller may read."""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.codecs.formats import by_name
from provrepo.server import auth, lineage_pages, provaq, targets
from provrepo.server.negotiate import HTML, JSON, Offer, choose, content_type
from provrepo.server.rejections import Rejected
from provrepo.server.respond import cached, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("lineage", __name__)

_BUNDLED = ("trig", "provjson")
_FORMATS = ("turtle", "provn", *_BUNDLED)
_SVG = Offer("svg", ("image/svg+xml",), (".svg",))
_OFFERS = (JSON, *(Offer(name, by_name(name).media_types, by_name(name).suffixes) for name in _FORMATS), _SVG, HTML)
_PAGES = (JSON, HTML)
_MOST = 10_000
_MOST_WRITTEN = 1000
_MOST_DRAWN = 200


@blueprint.get("/lineage")
def lineage() -> Response:
    """What ``?iri=`` came from, or what depends on it."""
    repo = auth.repository()
    choice = choose(_OFFERS)
    if choice.name == HTML.name and not request.args.get("iri"):
        return cached(lineage_pages.lineage_page(None))
    most = {JSON.name: _MOST, _SVG.name: _MOST_DRAWN, HTML.name: lineage_pages.MOST_LISTED}.get(
        choice.name, _MOST_WRITTEN
    )
    iri = targets.asked(repo, project=request.args.get("project") or None)
    graph = repo.lineage(
        iri,
        direction=request.args.get("direction") or "upstream",
        depth=_number("depth", _MOST),
        to=request.args.get("to") or None,
        strict=_flag("strict"),
        alternates=_flag("alternates"),
        project=request.args.get("project") or None,
        limit=_number("limit", most) or most,
    )
    provaq.lineage(iri)
    if choice.name == HTML.name:
        return cached(lineage_pages.lineage_page(graph, graph.impact() if graph.direction == "downstream" else None))
    if choice.name == JSON.name:
        return json_response(graph.to_dict())
    data = graph.document(bundles=choice.name in _BUNDLED).write(choice.name)
    response = Response(data, content_type=content_type(choice.media_type))
    # These formats have no place for what was left out.
    response.headers["Provrepo-Nodes"] = f"{len(graph.nodes)}/{graph.total_nodes}"
    response.headers["Provrepo-Edges"] = f"{len(graph.edges)}/{graph.total_edges}"
    return cached(response)


@blueprint.get("/thing")
def thing() -> Response:
    """What ``?iri=`` is, and which versions speak of it."""
    page = choose(_PAGES).name == HTML.name
    if page and not request.args.get("iri"):
        return cached(lineage_pages.thing_page(None))
    repo, project = auth.repository(), request.args.get("project") or None
    found = repo.thing(targets.asked(repo, project=project), project=project)
    provaq.thing(found)
    return cached(lineage_pages.thing_page(found)) if page else json_response(found.to_dict())


@blueprint.get("/search")
def search() -> Response:
    """The things of which the words of ``?q=`` are said."""
    page = choose(_PAGES).name == HTML.name
    if page and not request.args.get("q"):
        return cached(lineage_pages.search_page(None, ""))
    text = _required("q")
    found = auth.repository().search(
        text, project=request.args.get("project") or None, limit=_number("limit", 1000) or 50
    )
    return cached(lineage_pages.search_page(found, text)) if page else json_response(found.to_dict())


def _required(name: str) -> str:
    value = request.args.get(name, "")
    if not value:
        raise Rejected(400, f"say what is asked for: ?{name}=")
    return value


def _number(name: str, most: int) -> int | None:
    value = request.args.get(name)
    if not value:  # what a form sends of a field that was left empty
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= most):
        raise Rejected(400, f"{name}={value[:40]} is not a whole number from 1 to {most}")
    return int(value)


def _flag(name: str) -> bool:
    value = request.args.get(name, "false")
    if value not in ("true", "false"):
        raise Rejected(400, f"{name}={value[:40]} is neither true nor false")
    return value == "true"
