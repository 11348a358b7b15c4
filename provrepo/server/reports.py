"""A validation report as JSON, a page, or any other form that reports can be rendered in."""

from __future__ import annotations

from flask import Response

from provrepo.checks.report import Report
from provrepo.server import pages
from provrepo.server.negotiate import HTML, JSON, choose
from provrepo.server.respond import cached, json_response

__all__ = ["response"]


def response(report: Report, *, heading: str) -> Response:
    """The report in the negotiated form.

    Args:
        report: what the checks said.
        heading: of the page.
    """
    if choose((JSON, HTML)).name == HTML.name:
        return cached(pages.page("report.html", report=report.to_dict(), heading=heading))
    return json_response(report.to_dict())
