"""A report in the forms that people and tools read it in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from provrepo.checks import render_tools
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.errors import UsageError

__all__ = ["FORMATS", "Group", "groups", "render"]

SHOWN = 10
"""Places of one cause that the forms for people show; those for tools have them all."""


class Group(NamedTuple):
    """Findings with one cause.

    Attributes:
        rule: as people read it, ``core:UsedEntity`` or ``prov-dm:mandatory``.
        findings: at least one; severity, rule and message are the same in all.
    """

    rule: str
    findings: list[Finding]

    @property
    def first(self) -> Finding:
        """The first of them, which speaks for all."""
        return self.findings[0]

    @property
    def number(self) -> int:
        """How many there are, those included that a check found and did not list."""
        return sum(finding.occurrences for finding in self.findings)


def groups(report: Report) -> list[Group]:
    """The findings by cause: worst first, then by how often."""
    causes: dict[tuple[Severity, str, str], list[Finding]] = {}
    for finding in report.findings:
        causes.setdefault((finding.severity, finding.rule, finding.message), []).append(finding)
    ordered = sorted(causes.values(), key=lambda found: (found[0].severity.rank, -len(found), found[0].order()))
    return [Group(rule_name(found[0]), found) for found in ordered]


def rule_name(finding: Finding) -> str:
    """A rule as people read it: of a shape the profile and the last part of its IRI."""
    if finding.profile is None:
        return finding.rule
    return f"{finding.profile}:{finding.rule.replace('/', '#').rsplit('#', 1)[-1]}"


def render(report: Report, format: str, name: str = "", *, color: bool = False) -> str:  # noqa: A002 (as everywhere)
    """A report as text in one of ``FORMATS``.

    Args:
        report: what the checks said.
        format: ``text``, ``json``, ``turtle``, ``html``, ``junit`` or ``sarif``.
        name: what was checked: a file's name or an IRI.
        color: whether ``text`` may use the colors of a terminal.

    Raises:
        UsageError: no such format.
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
    """One line: the verdict, whether it is possible, how many findings, and what was checked."""
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

    lines = [painted(printable(f"{name}: " if name else "") + summary(report), _BOLD)]
    if report.unmapped:
        lines.append(printable(f"{report.unmapped_text()}."))
    for group in groups(report):
        severity = group.first.severity
        times = f" ({group.number:,} times)" if group.number > 1 else ""
        lines += ["", painted(f"{severity.value}  {group.rule}{times}", _COLORS[severity])]
        lines.append(f"  {printable(group.first.message)}")
        for finding in group.findings[:SHOWN]:
            lines.append(f"  - {printable(', '.join(_where(finding)))}")
            lines += [f"    {printable(said)}" for said in (finding.lineage, finding.repair) if said]
        if len(group.findings) > SHOWN:
            lines.append(f"  … and {len(group.findings) - SHOWN:,} more")
    return "\n".join(lines) + "\n"


def _where(finding: Finding) -> list[str]:
    """Place, node and value, each as words; at least one."""
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


def printable(text: str) -> str:
    """Text from a document, safe on a terminal: control characters are shown and not obeyed."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


_POSSIBLE = {True: " possible", False: " impossible", None: ""}


def _html(report: Report, name: str) -> str:
    """A page of its own without styles or scripts, so that it obeys any Content-Security-Policy."""
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
            f"<h2>{escape(first.severity.value)}: {escape(first.message)}</h2>",
            f"<p>Rule <code>{escape(group.rule)}</code>, {_count(group.number, 'time')}</p>",
            "<ul>",
        ]
        for finding in group.findings[:SHOWN]:
            more = "".join(f"<br>{escape(said)}" for said in (finding.lineage, finding.repair) if said)
            parts.append(f"<li>{escape(', '.join(_where(finding)))}{more}</li>")
        if len(group.findings) > SHOWN:
            parts.append(f"<li>and {len(group.findings) - SHOWN:,} more</li>")
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
"""What a report can be written as, and the media type of each."""
