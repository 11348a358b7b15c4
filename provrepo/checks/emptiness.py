"""Whether a document says anything of PROV at all.

A document without statements can be read and converted. Nothing of it can be wrong, so that every shape and every
constraint is satisfied by it: that it "conforms" would be said of any file that is taken for the wrong format. So it
does not conform where a profile asks anything, and a submission of it is refused unless it is asked for.
"""

from __future__ import annotations

from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.model.document import Document

__all__ = ["RULE", "check", "only_empty"]

RULE = "prov-dm:empty"

_LAYER = "syntax"


def check(document: Document, severity: Severity) -> list[Finding]:
    """The finding that there is no statement, at the top level or in any bundle; none where there is one.

    Args:
        document: what to check.
        severity: a violation where statements are asked for, otherwise a warning.
    """
    if len(document):
        return []
    message = "The document makes no statement of PROV" + _instead(document) + "."
    repair = "Check that it is the right file, and that its format and the namespace of PROV are what you mean."
    return [Finding(_LAYER, RULE, severity, message, repair=repair)]


def _instead(document: Document) -> str:
    held = []
    if document.bundles:
        held.append("no statement in its bundles" if len(document.bundles) > 1 else "no statement in its bundle")
    for number, what in ((len(document.unmapped.quads), "triple"), (len(document.unmapped.unread), "part")):
        if number:
            held.append(f"{number:,} {what}{'' if number == 1 else 's'} that PROV has no meaning for")
    return f": there {'is' if held[0][:2] in ('1 ', 'no') else 'are'} {' and '.join(held)}" if held else ""


def only_empty(report: Report) -> bool:
    """Whether a document fails by nothing but having no statement."""
    violations = [finding for finding in report.findings if finding.severity is Severity.VIOLATION]
    return bool(violations) and all(finding.rule == RULE for finding in violations)
