"""Rendering of reports as text, HTML and JSON; ``render_tools`` has the formats of other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from provrepo.checks import render_tools
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.errors import UsageError
from provrepo.text import on_one_line

__all__ = ["FORMATS", "FindingGroup", "groups", "render"]

SHOWN = 10
"""The most findings of one group in text and HTML; the other formats have all."""

_MESSAGES = 3
"""The most messages of a rule that make a group each: those of some rules name things, and differ in all findings."""


class FindingGroup(NamedTuple):
    """Findings with the same severity and rule, and the same message unless the rule has many.

    Attributes:
        rule: its short name, such as ``core:UsedEntity`` or ``prov-dm:mandatory``.
        findings: at least one.
        message: of all of them; empty if each has its own.
    """

    rule: str
    findings: list[Finding]
    message: str

    @property
    def first(self) -> Finding:
        """The first finding, as an example of the group."""
        return self.findings[0]

    @property
    def number(self) -> int:
        """The number of findings, including occurrences that are not listed."""
        return sum(finding.occurrences for finding in self.findings)

    @property
    def left_out(self) -> int:
        """The number of findings after the first ``SHOWN``, including occurrences that are not listed."""
        return sum(finding.occurrences for finding in self.findings[SHOWN:])


def groups(report: Report) -> list[FindingGroup]:
    """The findings in groups: worst severity first, then largest first."""
    rules: dict[tuple[Severity, str], dict[str, list[Finding]]] = {}
    for finding in report.findings:
        rules.setdefault((finding.severity, finding.rule), {}).setdefault(finding.message, []).append(finding)
    found: list[tuple[list[Finding], str]] = []
    for messages in rules.values():
        if len(messages) > _MESSAGES:
            found.append(([finding for each in messages.values() for finding in each], ""))
        else:
            found += [(each, message) for message, each in messages.items()]
    found.sort(key=lambda group: (group[0][0].severity.rank, -len(group[0]), group[0][0].order()))
    return [FindingGroup(rule_name(findings[0]), findings, message) for findings, message in found]


def rule_name(finding: Finding) -> str:
    """The short name of a rule: for a shape its profile and the last part of its IRI."""
    if finding.profile is None:
        return finding.rule
    return f"{finding.profile}:{finding.rule.replace('/', '#').rsplit('#', 1)[-1]}"


def render(report: Report, format: str, name: str = "", *, color: bool = False) -> str:  # noqa: A002 (as everywhere)
    """A report as text in one of ``FORMATS``.

    Args:
        report: to render.
        format: ``text``, ``json``, ``turtle``, ``html``, ``junit`` or ``sarif``.
        name: of the document: a file name or an IRI.
        color: whether ``text`` uses the colors of a terminal.

    Raises:
        UsageError: there is no such format.
    """
    if format == "text":
        return _text(report, name, color)
    try:
        return _RENDERERS[format](report, name)
    except KeyError:
        raise UsageError(f"a report cannot be written as {format!r}, only as: {', '.join(FORMATS)}") from None


# For people -----------------------------------------------------------------------------------------------------

_COLORS = {Severity.VIOLATION: "\x1b[31m", Severity.WARNING: "\x1b[33m", Severity.INFO: "\x1b[36m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def summary(report: Report) -> str:
    """One line: the verdict, the validity, the numbers of findings and statements, layers and profiles."""
    counts = [_count(report.count(severity), severity.value) for severity in Severity if report.count(severity)]
    against = f" against {', '.join(report.profiles)}" if report.profiles else ""
    return (
        f"{report.words()}: {', '.join(counts) or 'nothing found'} in {_count(report.statements, 'statement')} "
        f"(checked {_listed(report.layers)}{against})"
    )


def _listed(words: Sequence[str]) -> str:
    """``syntax, constraints and shapes``."""
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])


def _text(report: Report, name: str, color: bool) -> str:
    def painted(text: str, code: str) -> str:
        return f"{code}{text}{_PLAIN}" if color else text

    lines = [painted((f"{on_one_line(name)}: " if name else "") + summary(report), _BOLD)]
    if report.unmapped:
        lines.append(on_one_line(f"{report.unmapped_text()}."))
    for group in groups(report):
        severity = group.first.severity
        times = f" ({group.number:,} times)" if group.number > 1 else ""
        lines += ["", painted(f"{severity.value}  {group.rule}{times}", _COLORS[severity])]
        if group.message:
            lines.append(f"  {on_one_line(group.message)}")
        for finding in group.findings[:SHOWN]:
            lines.append(f"  - {on_one_line(', '.join(_where(finding)))}")
            details = ("" if group.message else finding.message, finding.lineage, finding.repair)
            lines += [f"    {on_one_line(detail)}" for detail in details if detail]
        if group.left_out:
            lines.append(f"  … and {group.left_out:,} more")
    return "\n".join(lines) + "\n"


def _where(finding: Finding) -> list[str]:
    """Location, focus node, value and bundle as words; at least one item."""
    parts = []
    if finding.line is not None:
        column = "" if finding.column is None else f", column {finding.column}"
        parts.append(f"{'near ' if finding.approximate else ''}line {finding.line}{column}")
    if finding.focus is not None:
        parts.append(f"{finding.label} ({finding.focus})" if finding.label else finding.focus)
    if finding.value is not None and finding.value not in (f"<{finding.focus}>", finding.focus):
        parts.append(f"value {finding.value}")
    if finding.bundle is not None and finding.bundle != finding.focus:
        parts.append(f"in bundle {finding.bundle}")
    return parts or ["the document as a whole"]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 or noun == 'info' else 's'}"


_POSSIBLE = {True: " possible", False: " impossible", None: ""}


def _html(report: Report, name: str) -> str:
    """A complete page without styles or scripts, so that it satisfies any Content-Security-Policy."""
    title = escape(f"Report on {name}" if name else "Report")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        f'<head><meta charset="utf-8"><title>{title}</title></head>',
        "<body>",
        f"<h1>{title}</h1>",
        f'<p class="verdict {report.verdict}{_POSSIBLE[report.possible]}">{escape(summary(report))}</p>',
    ]
    if report.unmapped:
        parts.append(f"<p>{escape(report.unmapped_text())}.</p>")
    for group in groups(report):
        first = group.first
        parts += [
            f'<section class="finding {first.severity.value}">',
            f"<h2>{escape(first.severity.value)}: {escape(group.message or group.rule)}</h2>",
            f"<p>Rule <code>{escape(group.rule)}</code>, {_count(group.number, 'time')}</p>",
            "<ul>",
        ]
        for finding in group.findings[:SHOWN]:
            details = ("" if group.message else finding.message, finding.lineage, finding.repair)
            more = "".join(f"<br>{escape(detail)}" for detail in details if detail)
            parts.append(f"<li>{escape(', '.join(_where(finding)))}{more}</li>")
        if group.left_out:
            parts.append(f"<li>and {group.left_out:,} more</li>")
        parts += ["</ul>", "</section>"]
    return "\n".join([*parts, "</body>", "</html>"]) + "\n"


def _json(report: Report, name: str) -> str:
    named = {"file": name} if name else {}
    return json.dumps({**named, **report.to_dict()}, indent=2, ensure_ascii=False) + "\n"


_RENDERERS: dict[str, Callable[[Report, str], str]] = {
    "json": _json,
    "turtle": lambda report, _: render_tools.turtle(report),
    "html": _html,
    "junit": lambda report, name: render_tools.junit(report, name, [(g.rule, g.findings) for g in groups(report)]),
    "sarif": lambda report, name: render_tools.sarif(report, name, {g.first.rule: g.rule for g in groups(report)}),
}

FORMATS: dict[str, str] = {
    "text": "text/plain",
    "json": "application/json",
    "turtle": "text/turtle",
    "html": "text/html",
    "junit": "application/xml",
    "sarif": "application/sarif+json",
}
"""The formats of reports, each with its media type."""
