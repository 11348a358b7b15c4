"""Logical datasets and their versions, as the documents of a project describe them.

A logical dataset is an entity with the type ``dcat:Dataset``; its versions are specializations of it. The importers
make them (``provrepo.importers``), and documents of other origin may have them, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from provrepo.importers.openlineage.names import TERMS, named, version_name
from provrepo.model.unknown_versions import UNKNOWN, whole
from provrepo.repository.datasets.records import DatasetInfo, DatasetVersion, Field, Named, Owner, Quality
from provrepo.repository.datasets.source import (
    Description,
    Source,
    lexical,
    literal,
    number,
    reference,
    text_of,
    values,
)
from provrepo.vocab import DCAT, DCTERMS, DQV, PROV, RDFS_LABEL, SCHEMA

__all__ = ["dataset_iris", "dataset_versions", "datasets", "named_thing", "quality_of", "version_details"]

_KNOWN = f'FILTER(!CONTAINS(STR(?version), "/{UNKNOWN}/"))'
"""A condition on ``?version``: it is a version, and no read of an unknown one."""

_WRITTEN = (
    "?version (^dcterms:isPartOf)?/prov:wasGeneratedBy ?run . "
    "OPTIONAL { ?version prov:generatedAtTime ?generated } OPTIONAL { ?run prov:endedAtTime ?ended } "
    "BIND(COALESCE(?generated, ?ended) AS ?time)"
)
"""The activity that wrote ``?version`` or a part of it, and when."""

_PROPERTIES = (
    RDFS_LABEL,
    f"{DCTERMS}description",
    f"{DCTERMS}format",
    f"{DCAT}keyword",
    f"{DCAT}distribution",
    f"{SCHEMA}additionalType",
    f"{PROV}alternateOf",
)

_OF_VERSIONS = (
    f"{SCHEMA}version",
    f"{TERMS}rowCount",
    f"{DCAT}byteSize",
    f"{TERMS}fileCount",
    f"{TERMS}lifecycleStateChange",
    f"{PROV}hadMember",
)

_OF_COLUMNS = (
    RDFS_LABEL,
    f"{SCHEMA}additionalType",
    f"{DCTERMS}description",
    f"{TERMS}ordinalPosition",
    f"{DCAT}keyword",
    f"{PROV}hadMember",
)

_OF_MEASUREMENTS = (
    f"{DQV}isMeasurementOf",
    f"{DQV}computedOn",
    f"{DQV}value",
    f"{TERMS}column",
    f"{TERMS}severity",
    f"{TERMS}status",
    f"{PROV}wasGeneratedBy",
)

_NESTED = 32
"""The deepest nesting of columns that is read."""


def dataset_iris(source: Source, *, text: str = "", after: str = "", limit: int) -> list[str]:
    """The logical datasets, by IRI.

    Args:
        source: the projects.
        text: only those whose IRI or label contains it, whatever the case.
        after: only IRIs after this one, by code point.
        limit: the most datasets.
    """
    conditions = []
    if after:
        conditions.append(f"FILTER(STR(?dataset) > {literal(after)})")
    if text:
        words = literal(text.lower())
        conditions.append(
            f"OPTIONAL {{ ?dataset rdfs:label ?label }} "
            f'FILTER(CONTAINS(LCASE(STR(?dataset)), {words}) || CONTAINS(LCASE(COALESCE(STR(?label), "")), {words}))'
        )
    rows = source.rows(
        "SELECT DISTINCT ?dataset WHERE { ?dataset a dcat:Dataset . FILTER(isIRI(?dataset)) "
        f"{' '.join(conditions)} }} "
        f"ORDER BY STR(?dataset) LIMIT {limit:d}"
    )
    return [str(row["dataset"]) for row in rows]


def datasets(source: Source, iris: Iterable[str]) -> list[DatasetInfo]:
    """The records of logical datasets, in their order; what no document describes as one is left out.

    Args:
        source: the projects.
        iris: the datasets.
    """
    wanted = list(dict.fromkeys(iris))
    typed = source.rows_of("SELECT ?dataset WHERE { VALUES ?dataset { $things } ?dataset a dcat:Dataset }", wanted)
    known = {str(row["dataset"]) for row in typed}
    found = [iri for iri in wanted if iri in known]
    descriptions, owners = source.descriptions(found, _PROPERTIES), _owners_of(source, found)
    counts = _count_versions(source, found)
    newest = _latest(source, found)
    return [
        _dataset(iri, descriptions.get(iri, {}), owners.get(iri, ()), counts.get(iri, 0), newest.get(iri))
        for iri in found
    ]


def _count_versions(source: Source, iris: Iterable[str]) -> dict[str, int]:
    """The number of versions of datasets, by IRI; reads of unknown versions do not count."""
    rows = source.rows_of(
        "SELECT ?dataset (COUNT(DISTINCT ?version) AS ?n) WHERE { VALUES ?dataset { $things } "
        f"?version prov:specializationOf ?dataset {_KNOWN} }} GROUP BY ?dataset",
        iris,
    )
    return {str(row["dataset"]): int(text_of(row["n"])) for row in rows}


def dataset_versions(source: Source, dataset: str, *, offset: int = 0, limit: int) -> list[DatasetVersion]:
    """The versions of a dataset, the last written first; those without a time last.

    Args:
        source: the projects.
        dataset: the logical dataset.
        offset: the number of versions to leave out.
        limit: the most versions.
    """
    rows = source.rows(
        "SELECT ?version (MAX(?at) AS ?time) (SAMPLE(?by) AS ?run) WHERE { "
        f"?version prov:specializationOf {values([dataset])} {_KNOWN} "
        "OPTIONAL { ?version (^dcterms:isPartOf)?/prov:wasGeneratedBy ?by . OPTIONAL { ?by prov:endedAtTime ?ended } } "
        "OPTIONAL { ?version prov:generatedAtTime ?generated } BIND(COALESCE(?generated, ?ended) AS ?at) "
        f"}} GROUP BY ?version ORDER BY DESC(?time) STR(?version) LIMIT {limit:d} OFFSET {offset:d}"
    )
    wanted = {str(row["version"]): dataset for row in rows}
    return version_details(source, wanted)


def version_details(source: Source, versions: Mapping[str, str]) -> list[DatasetVersion]:
    """The records of versions, with columns and quality, in their order.

    Args:
        source: the projects.
        versions: version → logical dataset.
    """
    descriptions = source.descriptions(versions, _OF_VERSIONS)
    written = _written(source, versions)
    fields = _fields(source, {iri: reference(d, f"{PROV}hadMember") for iri, d in descriptions.items()})
    quality = _quality(source, versions)
    found = []
    for iri, dataset in versions.items():
        about = descriptions.get(iri, {})
        time, run, job = written.get(iri, ("", "", ""))
        found.append(
            DatasetVersion(
                iri,
                dataset,
                lexical(about, f"{SCHEMA}version") or version_name(iri),
                not whole(iri),
                run,
                job,
                time,
                fields.get(iri, ()),
                number(about, f"{TERMS}rowCount"),
                number(about, f"{DCAT}byteSize"),
                number(about, f"{TERMS}fileCount"),
                lexical(about, f"{TERMS}lifecycleStateChange"),
                quality.get(iri, ()),
            )
        )
    return found


def named_thing(iri: str, label: str = "") -> Named:
    """A dataset, job or metric by its IRI; its label is its name where the IRI has none."""
    found = named(iri)
    return Named(iri, found.namespace, found.name) if found is not None else Named(iri, "", label or iri)


def _owners_of(source: Source, iris: Iterable[str]) -> dict[str, tuple[Owner, ...]]:
    """The agents to whom things are attributed."""
    rows = source.rows_of(
        "SELECT DISTINCT ?thing ?agent ?label ?role WHERE { VALUES ?thing { $things } "
        "?thing prov:wasAttributedTo ?agent . OPTIONAL { ?agent rdfs:label ?label } "
        "OPTIONAL { ?thing prov:qualifiedAttribution ?a . ?a prov:agent ?agent ; prov:hadRole ?role } }",
        iris,
    )
    found: dict[str, set[Owner]] = {}
    for row in rows:
        owner = Owner(str(row["agent"]), text_of(row.get("label")), text_of(row.get("role")))
        found.setdefault(str(row["thing"]), set()).add(owner)
    return {iri: tuple(sorted(owners, key=lambda each: (each.iri, each.role))) for iri, owners in found.items()}


def _tags_of(description: Description) -> tuple[str, ...]:
    """The keywords of a thing, sorted."""
    return tuple(sorted({text_of(value) for value in description.get(f"{DCAT}keyword", ())}))


def _dataset(
    iri: str, about: Description, owners: tuple[Owner, ...], versions: int, latest: DatasetVersion | None
) -> DatasetInfo:
    _, namespace, name = _names(iri, about)
    return DatasetInfo(
        iri,
        namespace,
        name,
        lexical(about, f"{DCTERMS}description"),
        owners,
        _tags_of(about),
        lexical(about, f"{SCHEMA}additionalType"),
        lexical(about, f"{DCTERMS}format"),
        lexical(about, f"{DCAT}distribution"),
        tuple(other for other in reference(about, f"{PROV}alternateOf") if other != iri),
        versions,
        latest,
    )


def _names(iri: str, about: Description) -> tuple[str, str, str]:
    found = named_thing(iri, lexical(about, RDFS_LABEL))
    return found.iri, found.namespace, found.name


def _latest(source: Source, iris: Iterable[str]) -> dict[str, DatasetVersion]:
    """The version of each dataset that was written last, without columns and quality."""
    times = source.rows_of(
        "SELECT ?dataset (MAX(?time) AS ?last) WHERE { VALUES ?dataset { $things } "
        f"?version prov:specializationOf ?dataset {_KNOWN} {_WRITTEN} }} GROUP BY ?dataset",
        iris,
    )
    dated = [str(row["dataset"]) for row in times if "last" in row]
    last = {str(row["dataset"]): text_of(row["last"]) for row in times if "last" in row}
    rows = source.rows_of(
        "SELECT ?dataset ?version ?run ?job ?time WHERE { { SELECT ?dataset (MAX(?at) AS ?time) WHERE { "
        f"VALUES ?dataset {{ $things }} ?version prov:specializationOf ?dataset {_KNOWN} "
        f"{_WRITTEN.replace('?time', '?at')} }} GROUP BY ?dataset }} "
        f"?version prov:specializationOf ?dataset {_KNOWN} {_WRITTEN.replace('?time', '?same')} "
        "FILTER(?same = ?time) OPTIONAL { ?run prov:qualifiedAssociation/prov:hadPlan ?job } }",
        dated,
    )
    found: dict[str, DatasetVersion] = {}
    for row in sorted(rows, key=lambda row: (str(row["version"]), str(row["run"]), str(row.get("job")))):
        dataset, iri = str(row["dataset"]), str(row["version"])
        job = text_of(row.get("job"))
        version = DatasetVersion(
            iri, dataset, version_name(iri), not whole(iri), _run_of(str(row["run"])), job, last[dataset]
        )
        found.setdefault(dataset, version)
    return found


def _run_of(activity: str) -> str:
    """The run, for the IRI of a run or of a part of one that made one output."""
    return activity.partition("#")[0] if activity.startswith("urn:uuid:") else activity


def _written(source: Source, iris: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """When, by which run and by which job versions were written; of several runs the last."""
    rows = source.rows_of(
        f"SELECT ?version ?time ?run ?job WHERE {{ VALUES ?version {{ $things }} {_WRITTEN} "
        "OPTIONAL { ?run prov:qualifiedAssociation/prov:hadPlan ?job } }",
        iris,
    )
    found: dict[str, tuple[str, str, str]] = {}
    for row in rows:
        iri = str(row["version"])
        entry = text_of(row.get("time")), _run_of(str(row["run"])), text_of(row.get("job"))
        found[iri] = max(entry, found.get(iri, entry))
    return found


def _fields(source: Source, members: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Field, ...]]:
    """The columns of versions, nested ones after the one that contains them."""
    described: dict[str, Description] = {}
    waiting = {member for several in members.values() for member in several}
    for _ in range(_NESTED):
        if not waiting:
            break
        new = source.descriptions(waiting, _OF_COLUMNS)
        described.update(new)
        waiting = {inner for about in new.values() for inner in reference(about, f"{PROV}hadMember")} - described.keys()
    found = {}
    for version, several in members.items():
        fields: dict[str, Field] = {}
        _add_fields(several, described, fields)
        found[version] = tuple(fields.values())
    return found


def _add_fields(members: Iterable[str], described: Mapping[str, Description], fields: dict[str, Field]) -> None:
    columns = [
        Field(
            lexical(about, RDFS_LABEL) or member.rpartition("#")[2],
            lexical(about, f"{SCHEMA}additionalType"),
            lexical(about, f"{DCTERMS}description"),
            number(about, f"{TERMS}ordinalPosition"),
            _tags_of(about),
            member,
        )
        for member in members
        if (about := described.get(member)) is not None
    ]
    columns.sort(key=lambda field: (field.position is None, field.position or 0, field.name))
    for column in columns:
        if column.iri not in fields:
            fields[column.iri] = column
            _add_fields(reference(described[column.iri], f"{PROV}hadMember"), described, fields)


def quality_of(source: Source, dataset: str, *, limit: int) -> tuple[Quality, ...]:
    """The measurements of versions of a dataset, and of what runs read of it; the latest first.

    Args:
        source: the projects.
        dataset: the logical dataset.
        limit: the most measurements.
    """
    rows = source.rows(
        "SELECT ?measurement (MAX(?ended) AS ?time) WHERE { "
        f"?version prov:specializationOf {values([dataset])} . ?measurement dqv:computedOn ?version . "
        "OPTIONAL { ?measurement prov:wasGeneratedBy/prov:endedAtTime ?ended } "
        f"}} GROUP BY ?measurement ORDER BY DESC(?time) STR(?measurement) LIMIT {limit:d}"
    )
    times = {str(row["measurement"]): text_of(row.get("time")) for row in rows}
    found = {each.iri: each for several in _measurements(source, times).values() for each in several}
    return tuple(replace(found[iri], measured=time) for iri, time in times.items() if iri in found)


def _quality(source: Source, iris: Iterable[str]) -> dict[str, tuple[Quality, ...]]:
    rows = source.rows_of(
        "SELECT ?measurement WHERE { VALUES ?thing { $things } ?measurement dqv:computedOn ?thing }", iris
    )
    return _measurements(source, (str(row["measurement"]) for row in rows))


def _measurements(source: Source, iris: Iterable[str]) -> dict[str, tuple[Quality, ...]]:
    """Measurements, by what they are about."""
    found: dict[str, list[Quality]] = {}
    for iri, about in source.descriptions(iris, _OF_MEASUREMENTS).items():
        metric = lexical(about, f"{DQV}isMeasurementOf")
        result = lexical(about, f"{DQV}value", f"{TERMS}status")
        for thing in reference(about, f"{DQV}computedOn"):
            measured = Quality(
                iri,
                named_thing(metric).name if metric else "",
                result,
                {"true": True, "false": False}.get(result),
                lexical(about, f"{TERMS}column"),
                lexical(about, f"{TERMS}severity"),
                _run_of(lexical(about, f"{PROV}wasGeneratedBy")),
                thing,
            )
            found.setdefault(thing, []).append(measured)
    return {
        iri: tuple(sorted(several, key=lambda each: (each.metric, each.column, each.iri)))
        for iri, several in found.items()
    }
