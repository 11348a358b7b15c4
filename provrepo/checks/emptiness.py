"""Test for documents without any PROV statement.

A document without statements can be read and converted, and satisfies every shape and constraint. Then any file that is
read in the wrong format would conform. So an empty document does not conform to any profile, and a submission of it is
refused unless the caller allows it.
"""

from __future__ import annotations

from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.model.document import Document
from provrepo.words import counted

__all__ = ["RULE", "check", "only_empty"]

RULE = "prov-dm:empty"

_LAYER = "syntax"


def check(document: Document, severity: Severity) -> list[Finding]:
    """One finding if there is no statement, at the top level or in any bundle; otherwise none.

    Args:
        document: to check.
        severity: of the finding: a violation where statements are required, otherwise a warning.
    """
    if len(document):
        return []
    message = "The document makes no statement of PROV" + _contents(document) + "."
    repair = "Check that it is the right file, and that its format and the namespace of PROV are what you mean."
    return [Finding(_LAYER, RULE, severity, message, repair=repair)]


def _contents(document: Document) -> str:
    found = []
    if document.bundles:
        found.append("no statement in its bundles" if len(document.bundles) > 1 else "no statement in its bundle")
    for number, what in ((len(document.unmapped.quads), "triple"), (len(document.unmapped.unread), "part")):
        if number:
            found.append(f"{counted(number, what)} that PROV has no meaning for")
    return f": there {'is' if found[0][:2] in ('1 ', 'no') else 'are'} {' and '.join(found)}" if found else ""


def only_empty(report: Report) -> bool:
    """Whether all violations of a report are that the document has no statement; False without violations."""
    violations = [finding for finding in report.findings if finding.severity is Severity.VIOLATION]
    return bool(violations) and all(finding.rule == RULE for finding in violations)
