"""Reads a tracking store of MLflow in files: ``mlruns/`` with a folder for each experiment, run and model.

Layout: ``mlflow/store/tracking/file_store.py`` and ``mlflow/store/model_registry/file_store.py`` of MLflow 1 to 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.json_values import canonical
from provrepo.importers.mlflow.artifacts import artifacts_in, described
from provrepo.importers.mlflow.names import FORMAT
from provrepo.importers.mlflow.records import (
    DATASET,
    EXPERIMENT,
    LINK,
    MODEL,
    MODEL_STATUSES,
    RUN,
    STATUSES,
    VERSION,
    Tracked,
    history,
    kept,
)
from provrepo.importers.parts import Skipped
from provrepo.importers.sources import SourceFile

__all__ = ["FileStore", "stores_in"]

_META = "meta.yaml"
_RUN = re.compile(r"(.*/)?([^/]+)/([0-9a-f]{32})/meta\.yaml")
_BYTES = 8 << 20
"""The most bytes of one file of the store that are read."""

_OWN = re.compile(
    r"(?:[^/]+/)?meta\.yaml|[^/]+/(?:tags/.*|[0-9a-f]{32}/.*|datasets/[^/]+/meta\.yaml|models/m-[^/]+/.*|traces/.*)"
    r"|models/[^/]+/(?:version-\d+/.*|tags/.*|aliases/.*|meta\.yaml)"
)
"""The files of a store, below it."""


def stores_in(files: Sequence[SourceFile]) -> Iterator[FileStore]:
    """The stores among the files of a folder: those with a run of an experiment."""
    paths = {file.path for file in files}
    runs = [place for path in sorted(paths) if (place := _RUN.fullmatch(path))]
    found = {place[1] or "" for place in runs if f"{place[1] or ''}{place[2]}/{_META}" in paths}
    for folder in sorted(found):
        inside = {file.path.removeprefix(folder): file for file in files if file.path.startswith(folder)}
        yield FileStore(folder, {path: file for path, file in inside.items() if _OWN.fullmatch(path)})


class FileStore:
    """One store.

    Attributes:
        folder: its path, with a slash at the end; empty if it is the folder that is imported.
        files: its files, by their paths in it.
        skipped: what cannot be read.
    """

    def __init__(self, folder: str, files: dict[str, SourceFile]) -> None:
        self.folder, self.files = folder, files
        self.skipped: list[Skipped] = []
        self._folders: dict[str, list[str]] = {}
        for path in sorted(files):
            parts = path.split("/")
            for number in range(1, len(parts)):
                self._folders.setdefault("/".join(parts[:number]), []).append("/".join(parts[number:]))

    def tracked(self) -> Tracked:
        """What the store has tracked.

        Raises:
            OSError: a file cannot be read.
        """
        found = Tracked()
        artifacts = artifacts_in(self.files.values())
        for path in sorted(path for path in self.files if path.count("/") == 1 and path.endswith(f"/{_META}")):
            folder = path.removesuffix(f"/{_META}")
            row = self._meta(folder)
            if row is not None and "experiment_id" in row:
                tags = self._texts(f"{folder}/tags")
                found.experiments[str(row["experiment_id"])] = {
                    **kept({**row, "experiment_id": str(row["experiment_id"])}, EXPERIMENT),
                    **kept({"tags": tags}, ["tags"]),
                }
        for path in sorted(self.files):
            place = _RUN.fullmatch(path)
            row = (
                self._meta(path.removesuffix(f"/{_META}"))
                if place is not None and not place[1] and place[2] in found.experiments
                else None
            )
            if place is not None and row is not None:
                found.runs.append(self._run(place[2], place[3], row, artifacts))
        for path in sorted(path for path in self.files if re.fullmatch(r"[^/]+/models/m-[^/]+/meta\.yaml", path)):
            row = self._meta(folder := path.removesuffix(f"/{_META}"))
            if row is not None:
                id_ = folder.rpartition("/")[2]
                found.models[id_] = self._model(folder, id_, row, artifacts)
                found.links += self._links(folder, id_)
        for path in sorted(path for path in self.files if re.fullmatch(r"models/[^/]+/version-\d+/meta\.yaml", path)):
            row = self._meta(folder := path.removesuffix(f"/{_META}"))
            if row is not None:
                found.versions.append(self._version(folder, row))
        return found

    def _meta(self, folder: str) -> dict[str, Any] | None:
        file = self.files.get(f"{folder}/{_META}")
        if file is None:
            return None
        try:
            found = parse_yaml(file.read(_BYTES), FORMAT)
        except ReadError as error:
            self.skipped.append(Skipped(file.place, str(error)))
            return None
        if isinstance(found, dict):
            return found
        self.skipped.append(Skipped(file.place, "an object is needed"))
        return None

    def _text(self, path: str) -> str:
        return self.files[path].read(_BYTES).decode("utf-8", "replace")

    def _texts(self, folder: str) -> dict[str, str]:
        """Parameters or tags: a file for each, whose name may have folders."""
        return {name: self._text(f"{folder}/{name}") for name in self._folders.get(folder, [])}

    def _lines(self, folder: str) -> Iterator[tuple[str, list[str]]]:
        """Metrics: a file for each, with a line for each point."""
        for name in self._folders.get(folder, []):
            for number, line in enumerate(self._text(f"{folder}/{name}").splitlines(), 1):
                fields = line.split()
                if len(fields) >= 2:
                    yield name, fields
                elif fields:
                    place = f"{self.files[f'{folder}/{name}'].place}, line {number}"
                    self.skipped.append(Skipped(place, "a time, a value and a step are needed; the point is left out"))

    def _run(
        self, experiment: str, id_: str, row: dict[str, Any], artifacts: dict[str, list[tuple[str, SourceFile]]]
    ) -> dict[str, Any]:
        folder = f"{experiment}/{id_}"
        points: dict[str, list[tuple[Any, Any, Any]]] = {}
        for name, fields in self._lines(f"{folder}/metrics"):
            points.setdefault(name, []).append((fields[2] if len(fields) > 2 else 0, fields[0], fields[1]))
        used, models = [], []
        for each in self._linked(f"{folder}/inputs"):
            tags = each.get("tags") if isinstance(each.get("tags"), dict) else {}
            if each.get("source_type") == "DATASET":
                row_of = self._meta(f"{experiment}/datasets/{each.get('source_id')}")
                if row_of is not None:
                    used.append({**kept(row_of, DATASET), **kept({"tags": tags}, ["tags"])})
            elif each.get("source_type") == "MODEL":
                models.append(str(each.get("source_id")))
        more = {
            "params": self._texts(f"{folder}/params"),
            "tags": self._texts(f"{folder}/tags"),
            "metrics": {key: history(each) for key, each in points.items()},
            "datasets": sorted(used, key=canonical),
            "inputs": sorted(models),
            "outputs": sorted(str(each.get("destination_id")) for each in self._linked(f"{folder}/outputs")),
            "files": described(artifacts.get(id_, [])),
        }
        about = {
            **row,
            "run_id": id_,
            "experiment_id": str(row.get("experiment_id", experiment)),
            "status": STATUSES.get(row.get("status"), str(row.get("status"))),  # type: ignore[arg-type]
        }
        return {**kept(about, RUN), **kept(more, more)}

    def _linked(self, folder: str) -> Iterator[dict[str, Any]]:
        for name in self._folders.get(folder, []):
            row = self._meta(f"{folder}/{name.removesuffix(f'/{_META}')}")
            if row is not None:
                yield row

    def _model(
        self, folder: str, id_: str, row: dict[str, Any], artifacts: dict[str, list[tuple[str, SourceFile]]]
    ) -> dict[str, Any]:
        more = {
            "params": self._texts(f"{folder}/params"),
            "tags": self._texts(f"{folder}/tags"),
            "files": described(artifacts.get(id_, [])),
        }
        about = {
            **row,
            "model_id": id_,
            "artifact_uri": row.get("artifact_location"),
            "creation_timestamp_ms": row.get("creation_timestamp"),
            "experiment_id": str(row.get("experiment_id")),
            "lifecycle_stage": None if row.get("lifecycle_stage") == "active" else row.get("lifecycle_stage"),
            "status": MODEL_STATUSES.get(row.get("status"), str(row.get("status"))),  # type: ignore[arg-type]
        }
        return {**kept(about, MODEL), **kept(more, more)}

    def _links(self, folder: str, id_: str) -> Iterator[dict[str, Any]]:
        for name, fields in self._lines(f"{folder}/metrics"):
            if len(fields) >= 4:
                dataset = dict(zip(("dataset_name", "dataset_digest"), fields[4:6], strict=False))
                yield kept({"key": name, "run_id": fields[3], "model_id": id_, **dataset}, LINK)

    def _version(self, folder: str, row: dict[str, Any]) -> dict[str, Any]:
        number = str(row.get("version"))
        aliases = self._texts(f"{folder.rpartition('/')[0]}/aliases")
        more = {
            "aliases": sorted(name for name, version in aliases.items() if version.strip() == number),
            "tags": self._texts(f"{folder}/tags"),
        }
        return {**kept({**row, "version": number}, VERSION), **kept(more, more)}
