"""What the runs of all tools have in common: status, the run that they are a part of, parameters, metrics, quality."""

from __future__ import annotations

from collections.abc import Iterable

from provrepo.importers.statements import Statements, link, value, words
from provrepo.model.identifiers import Identifier
from provrepo.model.secrets import MASK, secret_name
from provrepo.model.statements import DERIVATION, GENERATION, START, USAGE, Attribute
from provrepo.vocab import DCTERMS, DQV, MLS, PROV_ROLE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA, WFPROV

__all__ = ["ACTIVE", "COMPLETED", "FAILED", "part_of", "state_measurement", "state_metric", "state_parameter", "status"]

COMPLETED, FAILED, ACTIVE = (f"{SCHEMA}{name}ActionStatus" for name in ("Completed", "Failed", "Active"))


def status(found: str) -> list[Attribute]:
    """An attribute with the status of a run: ``COMPLETED``, ``FAILED`` or ``ACTIVE``; none for an empty one."""
    return [link(f"{SCHEMA}actionStatus", found)] if found else []


def part_of(statements: Statements, run: str, whole: str, workflow: str = "") -> list[Attribute]:
    """State that a run was started by the run that it is a part of.

    Args:
        statements: the document.
        run: the part.
        whole: the run that it is directly a part of.
        workflow: the run of the whole workflow, where that is known.

    Returns:
        Attributes of the part.
    """
    statements.relate(START, run, None, whole)
    outer = [link(f"{WFPROV}wasPartOfWorkflowRun", workflow)] if workflow else []
    return [link(f"{DCTERMS}isPartOf", whole), *outer]


def state_parameter(
    statements: Statements, name: str, run: str, role: str, found: object, *, types: Iterable[str] = ()
) -> Identifier:
    """Describe a parameter as an entity that a run used, in the role of its name. A secret is masked.

    Args:
        statements: the document.
        name: the IRI of the parameter.
        run: the run.
        role: the name of the parameter.
        found: its value.
        types: more IRIs of types, such as ``mls:HyperParameterSetting``.
    """
    kept = MASK if secret_name(role) and found else found
    entity = statements.entity(
        name, value(PROV_VALUE, kept), words(RDFS_LABEL, role), types=[f"{PROVREPO}Source", *types]
    )
    statements.relate(USAGE, run, entity, attributes=words(PROV_ROLE, role))
    return entity


def state_metric(
    statements: Statements, name: str, run: str, label: str, found: object, *more: Iterable[Attribute], time: str = ""
) -> Identifier:
    """Describe a metric as an entity that a run generated (MLS: ``mls:ModelEvaluation``).

    Args:
        statements: the document.
        name: the IRI of the metric.
        run: the run.
        label: the name of the metric.
        found: its value.
        more: further attributes, such as the step.
        time: when it was generated, as ``xsd:dateTime``; empty where that is not known.
    """
    entity = statements.entity(
        name, value(f"{MLS}hasValue", found), words(RDFS_LABEL, label), *more, types=[f"{MLS}ModelEvaluation"]
    )
    statements.relate(GENERATION, entity, run, time or None)
    return entity


def state_measurement(
    statements: Statements, name: str, metric: str, about: str, run: str, *attributes: Iterable[Attribute]
) -> Identifier:
    """Describe the result of a check of quality (DQV: ``dqv:QualityMeasurement``).

    Args:
        statements: the document.
        name: the IRI of the result.
        metric: the IRI of what was measured.
        about: the IRI of the entity that was checked; empty where no record says it.
        run: the run that checked it; empty where nothing ran.
        attributes: of the result, such as ``dqv:value``.
    """
    computed = [link(f"{DQV}computedOn", about)] if about else []
    measurement = statements.entity(
        name,
        [*computed, link(f"{DQV}isMeasurementOf", metric)],
        *attributes,
        types=[f"{DQV}QualityMeasurement", *([] if run else [f"{PROVREPO}Source"])],
    )
    if run:
        statements.relate(GENERATION, measurement, run)
    if about:
        statements.relate(DERIVATION, measurement, about)
    return measurement
