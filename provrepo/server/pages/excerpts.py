"""The lines of submitted bytes at which the findings of a report are."""

from __future__ import annotations

from collections.abc import Callable

from provrepo.checks.render import groups
from provrepo.checks.report import Report
from provrepo.errors import NotFound, Withdrawn

__all__ = ["excerpts"]

_WIDTH = 160
"""Characters of a source line that are shown."""


def excerpts(report: Report, most: int, read: Callable[[], bytes]) -> dict[int, str]:
    """The source lines of the findings that a page shows, by number, each cut around the column of the finding.

    Args:
        report: a report.
        most: findings that are shown of each group.
        read: reads the bytes that were checked; not called without findings that have a line.

    Returns:
        Nothing for bytes that are no text, and for those of which only the report is left.
    """
    places = [(f.line, f.column or 1) for group in groups(report) for f in group.findings[:most] if f.line]
    if not places:
        return {}
    try:
        data = read()
    except (NotFound, Withdrawn):
        return {}
    if b"\0" in data[:4096]:
        return {}
    lines = data.splitlines()
    found: dict[int, str] = {}
    for number, column in places:
        if number <= len(lines) and number not in found:
            text = lines[number - 1].decode("utf-8", "replace").rstrip()
            start = max(0, column - 1 - _WIDTH // 2) if len(text) > _WIDTH else 0
            end = start + _WIDTH
            found[number] = ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
    return found
