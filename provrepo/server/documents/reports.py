"""A validation report as JSON, a page, or any other form that reports can be rendered in."""

from __future__ import annotations

from flask import Response

from provrepo.checks.render import render
from provrepo.checks.report import Report
from provrepo.server.pages import pages
from provrepo.server.protocol.negotiate import HTML, JSON, Offer, choose, content_type
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["OFFERS", "response"]

OFFERS = (
    JSON,
    HTML,
    Offer("turtle", ("text/turtle",), (".ttl",)),
    Offer("text", ("text/plain",), (".txt",)),
    Offer("sarif", ("application/sarif+json",)),
    Offer("junit", ("application/xml",)),
)


def response(report: Report, *, heading: str, name: str = "") -> Response:
    """The report in the negotiated form.

    Args:
        report: what the checks said.
        heading: of the page.
        name: what was checked; empty for something that is not kept.
    """
    choice = choose(OFFERS)
    if choice.name == HTML.name:
        return conditional(pages.page("report.html", report=report, heading=heading))
    if choice.name == JSON.name:
        return json_response(report.to_dict())
    return conditional(Response(render(report, choice.name, name), content_type=content_type(choice.media_type)))
