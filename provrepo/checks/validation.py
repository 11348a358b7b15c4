"""From a document to its report: the layers in order, each finding with its place.

The command line, the Python interface, the server and the submission all come through here, so that the same document
gets the same report everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from provrepo.checks import emptiness, places, syntax
from provrepo.checks.constraints.findings import LAYER as CONSTRAINTS
from provrepo.checks.constraints.judgement import check as judge
from provrepo.checks.coverage import Tally
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.profiles import Profile, resolve
from provrepo.checks.report import Report
from provrepo.checks.shapes import layer as shapes
from provrepo.checks.shapes.instances import SourceTriples, instance_graphs
from provrepo.checks.shapes.vetting import require_vetted
from provrepo.errors import UsageError
from provrepo.model.document import Document
from provrepo.workers.pool import Pool

__all__ = ["check", "validate"]


def validate(
    document: Document,
    *,
    profiles: Iterable[str | Profile] = (),
    constraints: str | None = None,
    source: bytes | None = None,
) -> Report:
    """Check a document.

    Args:
        document: what to check.
        profiles: the SHACL profiles to hold it against, such as ``"core"``, and with them all that they extend. A
            profile in a folder of one's own (``provrepo.checks.profiles.read``) is looked through as one that is added.
        constraints: whether PROV-CONSTRAINTS ``gate`` the verdict or are only told as warnings (``report``), or
            ``off``; None leaves it to the profiles, of which the strictest counts. Without any they gate.
        source: the bytes it was read from; findings on RDF then come with a line.

    Returns:
        The report; it fails on violations only.

    Raises:
        UsageError: no such profile, no such mode, or a profile that may not be used; the message says why.
        WorkerFailed: the shapes took too long or too much memory.
    """
    profiles = _profiles(profiles)
    for profile in profiles:
        require_vetted(profile)
    return check(document, profiles=profiles, constraints=constraints, source=source)


def check(
    document: Document,
    *,
    profiles: Iterable[str | Profile] = (),
    constraints: str | None = None,
    without_profiles: Literal["gate", "report"] = "gate",
    allow_empty: bool = True,
    source: bytes | None = None,
    timeout: float | None = None,
    pool: Pool | None = None,
) -> Report:
    """What ``validate`` does, with bounds.

    Args:
        document: as ``validate``.
        profiles: as ``validate``.
        constraints: as ``validate``.
        without_profiles: what is done with PROV-CONSTRAINTS where neither ``constraints`` nor a profile says so.
        allow_empty: whether a document without any statement may conform where no profile asks anything.
        source: as ``validate``.
        timeout: seconds that the shapes may take; by default what the settings say.
        pool: the worker processes for the shapes; by default the shared ones. Inside a worker they run in place.
    """
    chosen = _profiles(profiles)
    mode = _mode(constraints, chosen, without_profiles)
    findings = syntax.check(document)
    findings += emptiness.check(document, Severity.WARNING if allow_empty and not chosen else Severity.VIOLATION)
    layers = [syntax.LAYER]
    if mode != "off":
        findings += judge(document) if mode == "gate" else map(_told, judge(document))
        layers.append(CONSTRAINTS)
    lineage = Tally()
    if chosen:
        findings += shapes.check(
            lineage.over(instance_graphs(document)),
            chosen,
            source_triples=SourceTriples(document),
            timeout=timeout,
            pool=pool,
        )
        layers.append(shapes.LAYER)
    return Report.of(
        places.locate(findings, document, source),
        layers=layers,
        profiles=[profile.label for profile in chosen],
        statements=len(document),
        format=document.format,
        coverage=lineage.percent if chosen else None,
        unmapped=document.unmapped.reasons.most_common(),
    )


def _profiles(chosen: Iterable[str | Profile]) -> list[Profile]:
    if isinstance(chosen, str):
        raise UsageError(f"profiles are a list of names: write [{chosen!r}]")
    return resolve(chosen)


def _mode(constraints: str | None, chosen: list[Profile], otherwise: str) -> str:
    """What is done with PROV-CONSTRAINTS: what the caller says, or else the strictest of the profiles."""
    if constraints is not None:
        if constraints not in ("gate", "report", "off"):
            raise UsageError(f"constraints is 'gate', 'report' or 'off', not {constraints!r}")
        return constraints
    if not chosen:
        return otherwise
    return "gate" if any(profile.constraints == "gate" for profile in chosen) else "report"


def _told(finding: Finding) -> Finding:
    """A finding that is told and does not fail the document."""
    return replace(finding, severity=Severity.WARNING) if finding.severity is Severity.VIOLATION else finding
