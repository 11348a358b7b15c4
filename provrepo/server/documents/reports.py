"""A validation report as a response: JSON, a page, or another format of reports."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from provrepo.checks.render import render
from provrepo.checks.report import Report
from provrepo.server.pages import pages
from provrepo.server.pages.excerpts import excerpts
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


MOST = 50
"""Findings of one group on a page."""


def response(
    report: Report,
    *,
    heading: str,
    name: str = "",
    read: Callable[[], bytes] | None = None,
    project: str = "",
    document: str = "",
) -> Response:
    """The response with a report in the negotiated format.

    Args:
        report: the report.
        heading: the heading of the page.
        name: the IRI of the checked version; empty for a document that is not stored.
        read: reads the bytes that were checked; None where they are not kept.
        project: where the document is, for the page; may be empty.
        document: its name; empty for one that is not stored.
    """
    choice = choose(OFFERS)
    if choice.name == HTML.name:
        lines = excerpts(report, MOST, read) if read else {}
        return conditional(
            pages.page("report.html", report=report, heading=heading, lines=lines, project=project, document=document)
        )
    if choice.name == JSON.name:
        return json_response(report.to_dict())
    return conditional(Response(render(report, choice.name, name), content_type=content_type(choice.media_type)))
