"""The layer ``shapes``: validation of each instance of a document against SHACL profiles.

The completed graph is validated, so that both forms of a relation count and a plan is an entity. The results are then
confirmed on the asserted triples (``asserted``). ``validator`` decides which engine runs, and in which process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from provrepo.checks import repairs
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.profiles import Profile
from provrepo.checks.repairs import first_path
from provrepo.checks.shacl.graph import Graph
from provrepo.checks.shacl.messages import short
from provrepo.checks.shacl.ntriples import escaped_iri
from provrepo.checks.shacl.results import RawResult
from provrepo.checks.shapes.asserted import confirmed
from provrepo.checks.shapes.instances import InstanceGraph, SourceTriples
from provrepo.checks.shapes.validator import Validator
from provrepo.model.identifiers import Identifier, is_blank
from provrepo.vocab import SH
from provrepo.workers.pool import Pool

__all__ = ["LAYER", "check"]

LAYER = "shapes"


def check(
    graphs: Iterable[InstanceGraph],
    profiles: Sequence[Profile],
    *,
    source_triples: SourceTriples | None = None,
    timeout: float | None = None,
    pool: Pool | None = None,
) -> list[Finding]:
    """The findings of the profiles on each instance, without lines and columns (``places`` adds them).

    Args:
        graphs: of the instances, the top level first.
        profiles: to validate against.
        source_triples: the asserted triples of the instances. Results that they do not confirm are left out; None
            keeps all results.
        timeout: in seconds; by default the setting ``check_timeout``. Ignored inside a worker process, which has its
            own deadline.
        pool: the workers to use; by default the shared pool.

    Raises:
        WorkerFailed: it took too long or too much memory.
    """
    bundles: list[Identifier | None] = []

    def data() -> Iterator[Graph]:
        for instance in graphs:
            bundles.append(instance.bundle)
            yield instance.graph

    validate = Validator(profiles, timeout, pool)
    results = validate(data())
    if source_triples is not None and any(found for by_instance in results for found in by_instance):
        results = confirmed(results, source_triples, validate)
    return [
        _finding(raw, profile, bundle)
        for profile, by_instance in zip(profiles, results, strict=True)
        for bundle, found in zip(bundles, by_instance, strict=True)
        for raw in sorted(found, key=_order)
    ]


def _order(raw: RawResult) -> tuple[str, ...]:
    return tuple(str(part or "") for part in cast("dict[str, object]", raw).values())


# Findings ------------------------------------------------------------------------------------------------------


def _finding(raw: RawResult, profile: Profile, bundle: Identifier | None) -> Finding:
    component = (raw["component"] or "").removeprefix(SH)
    return Finding(
        layer=LAYER,
        rule=raw["shape"],
        # The meaning of a user-defined severity is unknown; in SHACL any result means that the graph does not conform.
        severity=Severity(raw["severity"]) if ":" not in raw["severity"] else Severity.VIOLATION,
        message=raw["message"] or f"This does not satisfy {short(raw['shape'])}.",
        focus=raw["focus"],
        profile=profile.name,
        component=raw["component"],
        path=raw["path"],
        value=raw["value"],
        bundle=bundle,
        repair=_repair(component, raw),
        patch=_patch(component, raw),
    )


def _repair(component: str, raw: RawResult) -> str | None:
    """Advice for the author: the shape's own, or one derived from the constraint component; None where neither."""
    if raw["repair"]:
        return raw["repair"]
    steps = first_path(raw["path"] or "")
    path = " with ".join(short(step.predicate) for step in steps)
    match component:
        case "MinCountConstraintComponent" | "QualifiedMinCountConstraintComponent" if not any(
            s.inverse for s in steps
        ):
            return f"Add {path} to {short(raw['focus'] or '')}."
        case "MaxCountConstraintComponent":
            return f"Keep one {path} of {short(raw['focus'] or '')}."
        case "ClassConstraintComponent" if (raw["value"] or "").startswith(("<", "_:")):
            return f"Describe {short((raw['value'] or '').strip('<>'))} in the same document or bundle."
        case "DatatypeConstraintComponent" if path.endswith("Time"):
            return "Write it as an xsd:dateTime, such as 2024-05-31T14:05:00Z."
        case _:
            return None


def _patch(component: str, raw: RawResult) -> str | None:
    focus = raw["focus"]
    if raw["patch"] and focus is not None and not is_blank(focus) and focus == escaped_iri(focus):
        return raw["patch"].replace("$this", f"<{focus}>")
    return repairs.patch(component, focus=focus, path=raw["path"], value=raw["value"], expected=raw["expected"])
