"""Jobs and their runs, as the documents of a project describe them.

A job is a plan (``prov:Plan``) with runs; a run is an activity that is associated with the job as its plan. A run with
explicit lineage has parts, which are no runs of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from provrepo.importers.openlineage.names import TERMS
from provrepo.importers.openlineage.run_facets import WFPROV
from provrepo.repository.datasets.reading import named_thing, owners_of, run_of, tags_of
from provrepo.repository.datasets.records import JobInfo, JobUse, RunInfo
from provrepo.repository.datasets.source import Source, lexical, literal, reference, text_of, values
from provrepo.vocab import DCTERMS, PROV, RDFS_LABEL, SCHEMA

__all__ = ["consumers", "count_runs", "job_iris", "jobs", "producers", "run_iris", "runs"]

_NO_PART = 'FILTER(!(STRSTARTS(STR(?run), "urn:uuid:") && CONTAINS(STR(?run), "#")))'
"""A condition on ``?run``: it is no part of a run."""

_JOB = "FILTER EXISTS { { [] prov:hadPlan ?job } UNION { ?job ol:reads|ol:writes [] } }"

_PROPERTIES = (
    RDFS_LABEL,
    f"{DCTERMS}description",
    "http://www.w3.org/ns/dcat#keyword",
    f"{TERMS}processingType",
    f"{TERMS}integration",
    f"{TERMS}jobType",
    f"{SCHEMA}text",
    f"{SCHEMA}programmingLanguage",
    f"{SCHEMA}url",
    f"{TERMS}reads",
    f"{TERMS}writes",
)

_OF_RUNS = (
    f"{PROV}startedAtTime",
    f"{PROV}endedAtTime",
    f"{SCHEMA}actionStatus",
    f"{SCHEMA}error",
    f"{TERMS}state",
    f"{TERMS}nominalStartTime",
    f"{TERMS}nominalEndTime",
    f"{DCTERMS}isPartOf",
    f"{WFPROV}wasPartOfWorkflowRun",
)

_STATUS = {
    f"{SCHEMA}CompletedActionStatus": "completed",
    f"{SCHEMA}FailedActionStatus": "failed",
    f"{SCHEMA}ActiveActionStatus": "running",
}


def job_iris(source: Source, *, text: str = "", after: str = "", limit: int, namespace: str = "") -> list[str]:
    """The jobs, by IRI; arguments as for ``reading.dataset_iris``."""
    conditions = []
    if after:
        conditions.append(f"FILTER(STR(?job) > {literal(after)})")
    if namespace:
        conditions.append(f"FILTER(STRSTARTS(STR(?job), {literal(namespace)}))")
    if text:
        words = literal(text.lower())
        conditions.append(
            "OPTIONAL { ?job rdfs:label ?label } "
            f'FILTER(CONTAINS(LCASE(STR(?job)), {words}) || CONTAINS(LCASE(COALESCE(STR(?label), "")), {words}))'
        )
    rows = source.rows(
        f"SELECT DISTINCT ?job WHERE {{ ?job a prov:Plan . FILTER(isIRI(?job)) {_JOB} {' '.join(conditions)} }} "
        f"ORDER BY STR(?job) LIMIT {limit:d}"
    )
    return [str(row["job"]) for row in rows]


def jobs(source: Source, iris: Iterable[str]) -> list[JobInfo]:
    """The records of jobs, in their order; what no document describes as a plan is left out."""
    wanted = list(dict.fromkeys(iris))
    typed = source.rows_of("SELECT ?job WHERE { VALUES ?job { $things } ?job a prov:Plan }", wanted)
    known = {str(row["job"]) for row in typed}
    found = [iri for iri in wanted if iri in known]
    descriptions, owners = source.descriptions(found, _PROPERTIES), owners_of(source, found)
    records = []
    for iri in found:
        about = descriptions.get(iri, {})
        names = named_thing(iri, lexical(about, RDFS_LABEL))
        records.append(
            JobInfo(
                iri,
                names.namespace,
                names.name,
                lexical(about, f"{DCTERMS}description"),
                owners.get(iri, ()),
                tags_of(about),
                lexical(about, f"{TERMS}processingType"),
                lexical(about, f"{TERMS}integration"),
                lexical(about, f"{TERMS}jobType"),
                lexical(about, f"{SCHEMA}text"),
                lexical(about, f"{SCHEMA}programmingLanguage"),
                lexical(about, f"{SCHEMA}url"),
                reference(about, f"{TERMS}reads"),
                reference(about, f"{TERMS}writes"),
            )
        )
    return records


def run_iris(source: Source, job: str, *, offset: int = 0, limit: int) -> list[str]:
    """The runs of a job, the last started first; those without a start last.

    Args:
        source: the projects.
        job: the job.
        offset: the number of runs to leave out.
        limit: the most runs.
    """
    rows = source.rows(
        "SELECT ?run (MAX(?at) AS ?time) WHERE { "
        f"?run prov:qualifiedAssociation/prov:hadPlan {values([job])} {_NO_PART} "
        "OPTIONAL { ?run prov:startedAtTime ?started } OPTIONAL { ?run prov:endedAtTime ?ended } "
        "BIND(COALESCE(?started, ?ended) AS ?at) } "
        f"GROUP BY ?run ORDER BY DESC(?time) STR(?run) LIMIT {limit:d} OFFSET {offset:d}"
    )
    return [str(row["run"]) for row in rows]


def count_runs(source: Source, iris: Iterable[str]) -> dict[str, int]:
    """The number of runs of jobs, by IRI."""
    rows = source.rows_of(
        "SELECT ?job (COUNT(DISTINCT ?run) AS ?n) WHERE { VALUES ?job { $things } "
        f"?run prov:qualifiedAssociation/prov:hadPlan ?job {_NO_PART} }} GROUP BY ?job",
        iris,
    )
    return {str(row["job"]): int(text_of(row["n"])) for row in rows}


def runs(source: Source, iris: Iterable[str]) -> list[RunInfo]:
    """The records of runs, in their order; what no document describes as an activity with a plan is left out."""
    wanted = list(dict.fromkeys(iris))
    plans: dict[str, str] = {}
    for row in source.rows_of(
        "SELECT ?run ?job WHERE { VALUES ?run { $things } ?run prov:qualifiedAssociation/prov:hadPlan ?job }", wanted
    ):
        iri, job = str(row["run"]), str(row["job"])
        plans[iri] = min(job, plans.get(iri, job))
    found = [iri for iri in wanted if iri in plans]
    descriptions = source.descriptions(found, _OF_RUNS)
    read = _versions(source, found, "?activity prov:used ?thing")
    wrote = _versions(source, found, "?thing prov:wasGeneratedBy ?activity")
    records = []
    for iri in found:
        about = descriptions.get(iri, {})
        status = _STATUS.get(lexical(about, f"{SCHEMA}actionStatus"), "")
        whole = [part for part in reference(about, f"{DCTERMS}isPartOf") if part != iri]
        records.append(
            RunInfo(
                iri,
                plans[iri],
                "aborted" if lexical(about, f"{TERMS}state") == "ABORT" else status,
                lexical(about, f"{PROV}startedAtTime"),
                lexical(about, f"{PROV}endedAtTime"),
                lexical(about, f"{SCHEMA}error"),
                lexical(about, f"{TERMS}nominalStartTime"),
                lexical(about, f"{TERMS}nominalEndTime"),
                whole[0] if whole else "",
                read.get(iri, ()),
                wrote.get(iri, ()),
            )
        )
    return records


def producers(source: Source, dataset: str) -> list[JobUse]:
    """The jobs whose runs wrote versions of a dataset, by IRI; runs without a plan have an empty job."""
    return _uses(source, dataset, "?thing prov:wasGeneratedBy ?activity")


def consumers(source: Source, dataset: str) -> list[JobUse]:
    """The jobs whose runs read versions of a dataset, by IRI; runs without a plan have an empty job."""
    return _uses(source, dataset, "?activity prov:used ?thing")


def _uses(source: Source, dataset: str, relation: str) -> list[JobUse]:
    rows = source.rows(
        "SELECT ?job (COUNT(DISTINCT ?run) AS ?runs) (MAX(?ended) AS ?last) WHERE { "
        f"?version prov:specializationOf {values([dataset])} . ?version ^dcterms:isPartOf? ?thing . {relation} . "
        'BIND(IF(STRSTARTS(STR(?activity), "urn:uuid:") && CONTAINS(STR(?activity), "#"), '
        'STRBEFORE(STR(?activity), "#"), STR(?activity)) AS ?run) '
        "OPTIONAL { ?activity prov:endedAtTime ?ended } "
        "OPTIONAL { ?activity prov:qualifiedAssociation/prov:hadPlan ?job } } GROUP BY ?job ORDER BY ?job"
    )
    found = []
    for row in rows:
        count = int(text_of(row["runs"]))
        if count:
            job = text_of(row.get("job"))
            names = named_thing(job) if job else None
            found.append(
                JobUse(
                    job,
                    names.namespace if names else "",
                    names.name if names else "",
                    count,
                    text_of(row.get("last")),
                )
            )
    return found


def _versions(source: Source, iris: Iterable[str], relation: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """For each run the versions that it, or a part of it, is related to, each with its dataset."""
    parts: dict[str, str] = {iri: iri for iri in iris}
    for row in source.rows_of(
        "SELECT ?part ?run WHERE { VALUES ?run { $things } ?part dcterms:isPartOf ?run }", list(parts)
    ):
        if run_of(str(row["part"])) == str(row["run"]):
            parts[str(row["part"])] = str(row["run"])
    rows = source.rows_of(
        f"SELECT ?activity ?thing ?version ?dataset WHERE {{ VALUES ?activity {{ $things }} {relation} . "
        "?thing dcterms:isPartOf? ?version . ?version prov:specializationOf ?dataset . ?dataset a dcat:Dataset }",
        parts,
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(parts[str(row["activity"])], set()).add((str(row["version"]), str(row["dataset"])))
    return {iri: tuple(sorted(several)) for iri, several in found.items()}
