"""Validation: runs all layers on a document and makes the report, each finding with its location.

The command line, the Python interface, the server and submissions all use this function, so that the same document gets
the same report everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from provrepo.checks import emptiness, locations, syntax
from provrepo.checks.constraints import validity
from provrepo.checks.constraints.findings import LAYER as CONSTRAINTS
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
        document: to check.
        profiles: SHACL profiles to check it against, such as ``"core"``; the profiles that they extend are added. A
            user-defined profile (``provrepo.checks.profiles.read``) is vetted as by ``profile add``.
        constraints: ``gate`` if violations of PROV-CONSTRAINTS make the document fail, ``report`` if they are
            only warnings, or ``off``; None uses the strictest mode of the profiles, or ``gate`` without any.
        source: the bytes that it was read from; findings on RDF then have lines.

    Returns:
        The report; only violations make it fail.

    Raises:
        UsageError: there is no such profile or mode, or a profile may not be used; the message states why.
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
    """``validate`` with further options, without vetting of profiles.

    Args:
        document: as ``validate``.
        profiles: as ``validate``.
        constraints: as ``validate``.
        without_profiles: the mode of PROV-CONSTRAINTS where ``constraints`` is None and there are no profiles.
        allow_empty: whether a document without any statement may conform where there are no profiles.
        source: as ``validate``.
        timeout: for the shapes, in seconds; by default the setting ``check_timeout``.
        pool: the workers for the shapes; by default the shared pool. Inside a worker the shapes run in its process.
    """
    chosen = _profiles(profiles)
    mode = _mode(constraints, chosen, without_profiles)
    findings = syntax.check(document)
    findings += emptiness.check(document, Severity.WARNING if allow_empty and not chosen else Severity.VIOLATION)
    layers = [syntax.LAYER]
    if mode != "off":
        found = validity.check(document)
        findings += found if mode == "gate" else map(_as_warning, found)
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
        locations.locate(findings, document, source),
        layers=layers,
        profiles=[profile.label for profile in chosen],
        statements=len(document),
        format=document.format,
        coverage=lineage.percent if chosen else None,
        unmapped=document.unmapped.reasons.most_common(),
    )


def _profiles(chosen: Iterable[str | Profile]) -> list[Profile]:
    if isinstance(chosen, str):
        raise UsageError(f"profiles has to be a list of names: write [{chosen!r}]")
    return resolve(chosen)


def _mode(constraints: str | None, chosen: list[Profile], otherwise: str) -> str:
    """The mode of PROV-CONSTRAINTS: the caller's choice, or else the strictest mode of the profiles."""
    if constraints is not None:
        if constraints not in ("gate", "report", "off"):
            raise UsageError(f"constraints is 'gate', 'report' or 'off', not {constraints!r}")
        return constraints
    if not chosen:
        return otherwise
    return "gate" if any(profile.constraints == "gate" for profile in chosen) else "report"


def _as_warning(finding: Finding) -> Finding:
    """A finding that is reported but does not make the document fail."""
    return replace(finding, severity=Severity.WARNING) if finding.severity is Severity.VIOLATION else finding
