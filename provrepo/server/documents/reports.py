"""A validation report as a response: JSON, a page, or another format of reports."""

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
    """The response with a report in the negotiated format.

    Args:
        report: the report.
        heading: the heading of the page.
        name: the IRI of the checked version; empty for a document that is not stored.
    """
    choice = choose(OFFERS)
    if choice.name == HTML.name:
        return conditional(pages.page("report.html", report=report, heading=heading))
    if choice.name == JSON.name:
        return json_response(report.to_dict())
    return conditional(Response(render(report, choice.name, name), content_type=content_type(choice.media_type)))
