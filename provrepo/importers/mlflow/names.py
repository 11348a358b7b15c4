"""The IRIs of what MLflow tracks. Runs and models have identifiers that are unique; the rest is named within these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from provrepo.importers.names import below, segment

__all__ = ["FORMAT", "ROOT", "TERMS", "Names", "scope"]

FORMAT = "mlflow"

ROOT = "https://w3id.org/provrepo/mlflow/"
"""The beginning of all names, where the caller gives no base IRI: a run has the same name whichever way it was read."""

TERMS = "https://w3id.org/provrepo/mlflow#"
"""The namespace of terms for which no vocabulary has one."""

_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")


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

    def run(self, id_: str) -> str:
        """A run."""
        return f"{self.root}run/{segment(id_)}"

    def model(self, id_: str) -> str:
        """A logged model."""
        return f"{self.root}model/{segment(id_)}"

    def saved(self, run: str, path: str) -> str:
        """A model that MLflow before 3 saved among the artifacts of a run."""
        return f"{self.run(run)}#model/{segment(path)}"

    def dataset(self, scope: str, name: str, digest: str = "") -> str:
        """A logical dataset; with a digest, a version of it.

        Args:
            scope: the experiment within which MLflow tells datasets apart (``scope``).
            name: of the dataset.
            digest: what MLflow computed of a part of the data.
        """
        version = f"/{segment(digest)}" if digest else ""
        return f"{self.root}{'version' if digest else 'dataset'}/{segment(scope)}/{segment(name)}{version}"

    def registered(self, name: str, version: str, created: Any) -> str:
        """A version of a registered model, by the time at which it was registered."""
        return f"{self.root}registered/{segment(name)}/{segment(version)}@{segment(str(created or ''))}"

    def source(self, run: str, name: str, commit: str) -> str:
        """What was run: a script, notebook or project of a commit; without a commit, that of the run."""
        return f"{self.root}source/{segment(commit)}/{segment(name)}" if commit else f"{self.run(run)}#source"

    def user(self, name: str) -> str:
        """A user, by ORCID where that is the name."""
        found = _ORCID.fullmatch(name)
        return f"https://orcid.org/{found[1]}" if found else f"{self.root}user/{segment(name)}"

    def software(self, version: str) -> str:
        """MLflow in a version."""
        return f"{self.root}software" + (f"/{segment(version)}" if version else "")

    def made(self, digest: str) -> str:
        """What was made from a payload by this mapping."""
        return f"{self.root}import/{digest}"


def scope(experiment: str, created: object, run: str) -> str:
    """What tells an experiment from those of other servers, whose numbers are the same: when it was created.

    Args:
        experiment: its number.
        created: milliseconds; None where no record says it: then a run is alone.
        run: the run.
    """
    return f"{experiment}-{created}" if isinstance(created, int) else f"run-{run}"
