"""The IRIs of what OpenLineage names by namespace and name."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import unquote

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.masking import without_login
from provrepo.importers.names import below, segment
from provrepo.importers.openlineage.events import Dataset
from provrepo.model.unknown_versions import UNKNOWN

__all__ = ["ROOT", "TERMS", "Names", "column", "named", "version_name"]

ROOT = "https://w3id.org/provrepo/openlineage/"
"""The beginning of all names, where the caller gives no base IRI: the same dataset has the same name everywhere."""

TERMS = "https://w3id.org/provrepo/openlineage#"
"""The namespace of terms for which no vocabulary has one."""

_NAMED = re.compile(
    r".*/(?:(?:dataset|job)/([^/#]+)/([^/#]+)|version/([^/#]+)/([^/#]+)/([^#]+)|quality/metric/([^/#]+))"
)

_RUNS = uuid.UUID("5b0a1f0e-52b1-5d5e-9d35-7d1d3c8b6c0f")
"""The namespace of runs whose identifier is not a UUID."""


@dataclass(frozen=True, slots=True)
class Names:
    """Mints IRIs.

    Attributes:
        root: their beginning, which ends with a slash.
    """

    root: str = ROOT

    @classmethod
    def below(cls, base: str | None) -> Names:
        """Names below a base IRI; below ``ROOT`` without one."""
        return cls(below(base, ROOT))

    def dataset(self, dataset: Dataset) -> str:
        """A logical dataset: all of its versions."""
        return f"{self.root}dataset/{_path(dataset)}"

    def version(self, dataset: Dataset, version: str) -> str:
        """A version of a dataset, by the value of the facet ``version``, or by the run that wrote it."""
        return f"{self.root}version/{_path(dataset)}/{segment(version)}"

    def unknown(self, dataset: Dataset, run: str) -> str:
        """What a run read of a dataset, where no event says which version that was."""
        return f"{self.root}version/{_path(dataset)}/{UNKNOWN}/{segment(run)}"

    def job(self, job: Dataset) -> str:
        """A job, which is the plan of its runs."""
        return f"{self.root}job/{_path(job)}"

    def code(self, job: Dataset, version: str) -> str:
        """A version of the code of a job."""
        return f"{self.job(job)}/{segment(version)}"

    @staticmethod
    def run(id_: str) -> str:
        """A run: ``urn:uuid:``; a UUID is computed from an identifier that is none."""
        try:
            return f"urn:uuid:{uuid.UUID(id_)}"
        except ValueError:
            return f"urn:uuid:{uuid.uuid5(_RUNS, id_)}"

    @classmethod
    def part_of_run(cls, id_: str, dataset: Dataset) -> str:
        """The part of a run that made one output."""
        return f"{cls.run(id_)}#{_path(dataset)}"

    def producer(self, producer: str) -> str:
        """The software that sent an event, which names itself by a URI."""
        address = without_login(producer)
        return address if is_iri(address) else f"{self.root}producer/{segment(producer)}"

    def engine(self, name: str, version: str) -> str:
        """An engine in a version."""
        return f"{self.root}agent/{segment(name)}" + (f"/{segment(version)}" if version else "")

    def owner(self, name: str) -> str:
        """An owner, whose name may begin with a type: ``user:ann``, ``team:data``."""
        return f"{self.root}agent/" + "/".join(segment(part) for part in without_login(name).split(":", 1))

    def quality(self, run: str, dataset: Dataset | None, number: str) -> str:
        """A measurement of the quality of a dataset, by a run."""
        about = f"/{_path(dataset)}" if dataset is not None else ""
        return f"{self.root}quality/{segment(run)}{about}/{number}"

    def metric(self, name: str) -> str:
        """What a measurement measures."""
        return f"{self.root}quality/metric/{segment(name)}"

    def parameter(self, run: str, name: str) -> str:
        """A parameter of a run."""
        return f"{self.run(run)}#parameter/{segment(name)}"

    def made(self, digest: str) -> str:
        """What was made from a payload by this mapping."""
        return f"{self.root}import/{digest}"


def column(version: str, field: str) -> str:
    """A column of a version of a dataset."""
    return f"{version}#{segment(field)}"


def named(iri: str) -> Dataset | None:
    """The namespace and name in the IRI of a dataset or job; None for other IRIs.

    What masking removed from the names is not in the IRI. A metric has a name and no namespace.
    """
    found = _NAMED.fullmatch(iri)
    if found is None:
        return None
    namespace, name, _, _, version, metric = found.groups()
    return None if version else Dataset(unquote(namespace or ""), unquote(name or metric))


def version_name(iri: str) -> str:
    """The name of a version in its IRI: that of its facet, or the run that wrote it; empty for other IRIs."""
    found = _NAMED.fullmatch(iri)
    return unquote(found[5]) if found is not None and found[5] else ""


def _path(dataset: Dataset) -> str:
    return f"{segment(dataset.namespace)}/{segment(dataset.name)}"
