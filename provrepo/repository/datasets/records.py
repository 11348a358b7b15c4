"""The records of logical datasets, their versions, and the jobs that read and write them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "DatasetDetails",
    "DatasetInfo",
    "DatasetVersion",
    "Field",
    "JobUse",
    "Named",
    "Owner",
    "REASONS",
    "Quality",
    "RunAgain",
    "RunsAgain",
    "SchemaChange",
]

REASONS = ("superseded", "dropped", "failed", "withdrawn")
"""Why an input is no longer good."""


@dataclass(frozen=True, slots=True)
class Named:
    """A dataset or job.

    Attributes:
        iri: its IRI.
        namespace: the namespace in which its tool names it; empty where its IRI has none.
        name: its name there; otherwise its label, or its IRI.
    """

    iri: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Owner:
    """An agent to whom something is attributed.

    Attributes:
        iri: the agent.
        label: its label; empty where it has none.
        role: its role, such as ``MAINTAINER``; empty where none is stated.
    """

    iri: str
    label: str
    role: str


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a version.

    Attributes:
        name: its name; of a nested field the path, separated by dots.
        type: its type, in the words of the tool; empty if unknown.
        description: its description; empty where there is none.
        position: its number in the table; None if unknown.
        tags: its keywords, sorted.
        iri: the entity.
    """

    name: str
    type: str
    description: str
    position: int | None
    tags: tuple[str, ...]
    iri: str


@dataclass(frozen=True, slots=True)
class Quality:
    """A measurement of the quality of a dataset (``dqv:QualityMeasurement``).

    Attributes:
        iri: the measurement.
        metric: what was measured.
        value: the result, in its lexical form; empty where there is none.
        passed: of an assertion or test, whether it succeeded; None for other measurements.
        column: the column that it is about; empty for the whole.
        severity: the severity of an assertion; empty where none is stated.
        run: the run that measured it; empty if unknown.
        on: the version, or the read of one, that was measured.
        measured: the end of that run; xsd:dateTime, empty if unknown.
    """

    iri: str
    metric: str
    value: str
    passed: bool | None
    column: str
    severity: str
    run: str
    on: str = ""
    measured: str = ""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A version of a logical dataset, or what a run read of it without saying which version that was.

    Attributes:
        iri: the entity.
        dataset: the logical dataset.
        name: the name that the tool gives it, or the run that wrote it.
        known: whether it is a version; False for a read of an unknown version.
        run: the activity that wrote it; empty where none is known.
        job: the plan of that activity; empty where none is known.
        written: when it was written: the time of the generation, else the end of the run; xsd:dateTime, or empty.
        fields: its columns, by position and name.
        rows: the number of rows; None if unknown.
        size: bytes; None if unknown.
        files: the number of files; None if unknown.
        change: the change of its life cycle, such as ``OVERWRITE``; empty where none is stated.
        quality: the measurements of its quality, by metric and column.
    """

    iri: str
    dataset: str
    name: str
    known: bool
    run: str
    job: str
    written: str
    fields: tuple[Field, ...] = ()
    rows: int | None = None
    size: int | None = None
    files: int | None = None
    change: str = ""
    quality: tuple[Quality, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A logical dataset.

    Attributes:
        iri: the entity.
        namespace: as of ``Named``.
        name: as of ``Named``.
        description: its description; empty where there is none.
        owners: the agents to whom it is attributed, by IRI and role.
        tags: its keywords, sorted.
        type: its type in the words of the tool, such as ``TABLE``; empty if unknown.
        format: the format of its files; empty if unknown.
        source: where it is: the address of its data source; empty if unknown.
        alternates: other names of the same dataset, sorted.
        versions: the number of versions.
        latest: the version that was written last; None where no time is known.
    """

    iri: str
    namespace: str
    name: str
    description: str = ""
    owners: tuple[Owner, ...] = ()
    tags: tuple[str, ...] = ()
    type: str = ""
    format: str = ""
    source: str = ""
    alternates: tuple[str, ...] = ()
    versions: int = 0
    latest: DatasetVersion | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class JobUse:
    """A job that reads or writes a dataset.

    Attributes:
        job: the job; empty for runs whose job is unknown.
        namespace: as of ``Named``.
        name: as of ``Named``.
        runs: the number of its runs that did.
        last: the end of the last of them; xsd:dateTime, empty if unknown.
    """

    job: str
    namespace: str
    name: str
    runs: int
    last: str


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What a version changed in the columns of a dataset.

    Attributes:
        version: the version.
        written: when it was written; empty if unknown.
        former: the version that it is compared with: the one before it that has columns.
        added: names of columns.
        removed: names of columns.
        retyped: name, former type and type of columns with another type.
    """

    version: str
    written: str
    former: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    retyped: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class DatasetDetails:
    """A logical dataset, with its history.

    Attributes:
        info: the dataset.
        versions: the latest first; those without a time last.
        schema_changes: what ``versions`` changed in its columns, the latest first.
        quality: measurements, the latest first: of its versions, and of what runs read of it.
        producers: the jobs that write it.
        consumers: the jobs that read it.
        offset: the number of versions before ``versions``.
    """

    info: DatasetInfo
    versions: tuple[DatasetVersion, ...]
    schema_changes: tuple[SchemaChange, ...]
    quality: tuple[Quality, ...]
    producers: tuple[JobUse, ...]
    consumers: tuple[JobUse, ...]
    offset: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunAgain:
    """A result that rests on an input that is no longer good.

    Attributes:
        job: the job to run again; empty if unknown.
        run: its run that made the result.
        result: the version of a dataset that the run wrote.
        input: the dataset that the run read.
        reason: ``superseded``, ``dropped``, ``failed`` or ``withdrawn``.
        since: since when; xsd:dateTime.
    """

    job: str
    run: str
    result: str
    input: str
    reason: str
    since: str


@dataclass(frozen=True, slots=True)
class RunsAgain:
    """What has to be run again.

    Attributes:
        results: sorted by job, result, input and reason.
        complete: whether withdrawn documents were read, too, as far as they were asked for: that needs the right to
            change the project.
    """

    results: tuple[RunAgain, ...]
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
