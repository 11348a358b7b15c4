"""The jobs whose runs write and read a dataset, as the documents of a project describe them.

A job is a plan (``prov:Plan``) of a run, which is an activity. A run with explicit lineage has parts, which are no runs
of their own.
"""

from __future__ import annotations

from provrepo.repository.datasets.reading import named_thing
from provrepo.repository.datasets.records import JobUse
from provrepo.repository.datasets.source import Source, text_of, values

__all__ = ["consumers", "producers"]


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
