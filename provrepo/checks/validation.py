"""From a document to its report: the layers in order, each finding with its place.

The command line, the Python interface, the server and the submission all come through here, so that the same document
gets the same report everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from provrepo.checks import places, shapes, syntax
from provrepo.checks.instances import instances
from provrepo.checks.profiles import Profile, resolve
from provrepo.checks.report import Report
from provrepo.errors import NotAvailable, UsageError
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
        profiles: the SHACL profiles to hold it against, such as ``"core"``, and with them all that they extend.
        constraints: whether PROV-CONSTRAINTS ``gate`` the verdict or are only told (``report``), or ``off``; None
            leaves it to the profiles.
        source: the bytes it was read from; findings on RDF then come with a line.

    Returns:
        The report; it fails on violations only.

    Raises:
        UsageError: no such profile, or no such mode.
        NotAvailable: PROV-CONSTRAINTS are asked for, which this version does not check.
        WorkerFailed: the shapes took too long or too much memory.
    """
    return check(document, profiles=profiles, constraints=constraints, source=source)


def check(
    document: Document,
    *,
    profiles: Iterable[str | Profile] = (),
    constraints: str | None = None,
    source: bytes | None = None,
    timeout: float | None = None,
    pool: Pool | None = None,
) -> Report:
    """What ``validate`` does, with bounds.

    Args:
        document: as ``validate``.
        profiles: as ``validate``.
        constraints: as ``validate``.
        source: as ``validate``.
        timeout: seconds that the shapes may take; by default what the settings say.
        pool: the worker processes for the shapes; by default the shared ones. Inside a worker they run in place.
    """
    chosen = _profiles(profiles)
    _require_known(constraints)
    findings = syntax.check(document)
    layers = [syntax.LAYER]
    if chosen:
        findings += shapes.check(instances(document), chosen, timeout=timeout, pool=pool)
        layers.append(shapes.LAYER)
    return Report.of(
        places.locate(findings, document, source),
        layers=layers,
        profiles=[profile.label for profile in chosen],
        statements=len(document),
        format=document.format,
    )


def _profiles(chosen: Iterable[str | Profile]) -> list[Profile]:
    if isinstance(chosen, str):
        raise UsageError(f"profiles are a list of names: write [{chosen!r}]")
    return resolve(chosen)


def _require_known(constraints: str | None) -> None:
    if constraints in ("gate", "report"):
        raise NotAvailable("this version does not check PROV-CONSTRAINTS; leave constraints out, or say 'off'")
    if constraints not in (None, "off"):
        raise UsageError(f"constraints is 'gate', 'report' or 'off', not {constraints!r}")
