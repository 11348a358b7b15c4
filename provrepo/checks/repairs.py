"""Patches for findings: the missing triples in Turtle, with placeholders.

A placeholder is an IRI ``urn:fill-in:…``, a time ``YYYY-MM-DDThh:mm:ssZ`` or the text ``FILL IN``, which cannot be
mistaken for real values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from provrepo.checks.findings import Finding
from provrepo.checks.report import Report
from provrepo.model.identifiers import is_blank
from provrepo.vocab import PREDECLARED, PROV, XSD

__all__ = ["first_path", "patch", "template"]

_FILL_IN = "urn:fill-in:"

_TIMES = frozenset(
    PROV + name for name in ("startedAtTime", "endedAtTime", "atTime", "generatedAtTime", "invalidatedAtTime")
)

# The properties of PROV-O whose values are things, each with the name of the thing in its placeholder.
_THINGS = {
    PROV + name: thing
    for thing, names in {
        "agent": ("agent", "wasAssociatedWith", "wasAttributedTo", "actedOnBehalfOf"),
        "activity": ("activity", "hadActivity", "wasGeneratedBy", "wasInvalidatedBy", "wasInformedBy", "wasStartedBy"),
        "entity": ("entity", "used", "wasDerivedFrom", "hadPrimarySource", "hadMember", "specializationOf"),
        "plan": ("hadPlan",),
    }.items()
    for name in names
}


class PathStep(NamedTuple):
    """One step of a property path.

    Attributes:
        predicate: its IRI.
        inverse: whether it is followed from object to subject.
    """

    predicate: str
    inverse: bool = False


_TOKEN = re.compile(r"<([^<>]*)>|([\^/|()*+?])")


def first_path(path: str) -> list[PathStep]:
    """The steps of a path in SPARQL syntax; of alternatives, those of the first, which the author prefers."""
    if "<" not in path:
        return [PathStep(path)]
    tokens = [(match[1] or "", match[2] or "") for match in _TOKEN.finditer(path)]
    return _alternatives(tokens)


def _alternatives(tokens: list[tuple[str, str]]) -> list[PathStep]:
    first = _steps(tokens)
    while tokens and tokens[0][1] == "|":
        tokens.pop(0)
        _steps(tokens)
    return first


def _steps(tokens: list[tuple[str, str]]) -> list[PathStep]:
    found: list[PathStep] = []
    inverse = False
    while tokens and tokens[0][1] not in ("|", ")"):
        iri, sign = tokens.pop(0)
        if sign == "^":
            inverse = not inverse
        elif sign == "(" or not sign:
            inner = [PathStep(iri)] if not sign else _alternatives(tokens)
            if sign and tokens:
                tokens.pop(0)
            inverted = [PathStep(step.predicate, not step.inverse) for step in reversed(inner)] if inverse else inner
            found += inverted
            inverse = False
    return found


def patch(
    component: str, *, focus: str | None, path: str | None, value: str | None, expected: str | None
) -> str | None:
    """The triples that are missing by a SHACL result, in Turtle without prefixes; None where they are not known.

    Args:
        component: the local name of the constraint component.
        focus: the focus node: an IRI or a blank node's label.
        path: as ``Finding.path``.
        value: in N-Triples syntax.
        expected: the class or datatype that the shape requires.
    """
    if focus is None or is_blank(focus) or _NO_IRI.search(focus):
        return None
    if component == "ClassConstraintComponent" and expected and value and value.startswith("<"):
        return f"{value} a <{expected}> ."
    if path is None or component not in _ADDED:
        return None
    steps = first_path(path)
    # An inverse step beyond the first would need a subject that only the author can choose.
    if not steps or any(step.inverse for step in steps[1:]) or (steps[0].inverse and len(steps) > 1):
        return None
    ending = _placeholder(steps[-1], expected)
    if steps[0].inverse:
        return f"{ending} <{steps[0].predicate}> <{focus}> ."
    for step in reversed(steps[1:]):
        ending = f"[ <{step.predicate}> {ending} ]"
    return f"<{focus}> <{steps[0].predicate}> {ending} ."


# Characters of identifiers that an IRI in Turtle cannot have. A literal, which cannot be a subject, starts with one.
_NO_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')

_ADDED = frozenset(
    ("MinCountConstraintComponent", "DatatypeConstraintComponent", "QualifiedMinCountConstraintComponent")
)


def _placeholder(step: PathStep, expected: str | None) -> str:
    if step.inverse:
        return f"<{_FILL_IN}thing>"
    if step.predicate in _TIMES or expected == XSD + "dateTime":
        return f'"YYYY-MM-DDThh:mm:ssZ"^^<{XSD}dateTime>'
    if step.predicate in _THINGS:
        return f"<{_FILL_IN}{_THINGS[step.predicate]}>"
    return f'"FILL IN"^^<{expected}>' if expected else '"FILL IN"'


# The file -------------------------------------------------------------------------------------------------------


def template(reports: Mapping[str, Report]) -> str:
    """One Turtle file with all patches of some reports, each after comments with its findings.

    Args:
        reports: by the name of the document.
    """
    used = {prefix: namespace for prefix, namespace in PREDECLARED.items() if _needed(namespace, reports.values())}
    lines = [f"@prefix {prefix}: <{namespace}> ." for prefix, namespace in sorted(used.items())]
    lines += [
        "",
        f"# Fill in what is marked: <{_FILL_IN}…>, YYYY-MM-DDThh:mm:ssZ and FILL IN. Delete what does not apply.",
    ]
    for name, report in reports.items():
        lines += _of_document(name, report.findings, used)
    return "\n".join(lines) + "\n"


def _needed(namespace: str, reports: Iterable[Report]) -> bool:
    return any(f.patch and f"<{namespace}" in f.patch for report in reports for f in report.findings)


def _of_document(name: str, findings: Sequence[Finding], prefixes: Mapping[str, str]) -> list[str]:
    lines = ["", f"# {_comment(name)}"]
    bundle: str | None = None
    patched: dict[tuple[str | None, str], list[Finding]] = {}
    for finding in findings:
        if finding.patch:
            patched.setdefault((finding.bundle, finding.patch), []).append(finding)
    for (patch_bundle, triples), causes in sorted(patched.items(), key=lambda item: item[0][0] or ""):
        if patch_bundle != bundle:
            bundle = patch_bundle
            lines += ["", f"# In the bundle {_comment(patch_bundle or '')}:"]
        lines.append("")
        for message in dict.fromkeys(cause.message for cause in causes):
            lines.append(f"# {causes[0].severity}: {_comment(message)}")
        lines += [f"# The present value is {_comment(causes[0].value)}."] if _replaces(causes[0]) else []
        lines.append(_shortened(triples, prefixes))
    rest = [finding for finding in findings if not finding.patch]
    if rest:
        lines += ["", f"# {len(rest)} more that no triples can be proposed for:"]
        for finding in rest:
            lines.append(f"# {finding.severity}: {_comment(finding.focus or '')} {_comment(finding.message)}")
            lines += [f"#   {_comment(finding.repair)}"] if finding.repair else []
    return lines


def _replaces(finding: Finding) -> bool:
    return finding.value is not None and (finding.component or "").endswith("DatatypeConstraintComponent")


def _comment(text: str | None) -> str:
    return " ".join((text or "").split())


_IRI = re.compile(r"<([^<>]*)>")
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def _shortened(triples: str, prefixes: Mapping[str, str]) -> str:
    def short(match: re.Match[str]) -> str:
        for prefix, namespace in prefixes.items():
            local = match[1].removeprefix(namespace)
            if match[1].startswith(namespace) and _LOCAL.fullmatch(local):
                return f"{prefix}:{local}"
        return match[0]

    return _IRI.sub(short, triples)
