"""The statements of a snapshot: a run with what it used and made, its models, and their registered versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from provrepo.importers.contents import state_file
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import without_login
from provrepo.importers.mlflow.artifacts import ARTIFACTS, environment
from provrepo.importers.mlflow.names import TERMS, Names, scope
from provrepo.importers.mlflow.records import model_of
from provrepo.importers.names import segment
from provrepo.importers.runs import ACTIVE, COMPLETED, FAILED, part_of, state_parameter, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, json_value, link, typed, value, words
from provrepo.model.statements import (
    ASSOCIATION,
    DERIVATION,
    GENERATION,
    INFLUENCE,
    MEMBERSHIP,
    SPECIALIZATION,
    USAGE,
    Attribute,
)
from provrepo.vocab import (
    DCAT,
    DCTERMS,
    MLS,
    PROV,
    PROV_LOCATION,
    PROV_ROLE,
    PROVREPO,
    RDFS_LABEL,
    SCHEMA,
)

__all__ = ["Stating"]

_STATUS = {"FINISHED": COMPLETED, "FAILED": FAILED, "KILLED": FAILED, "RUNNING": ACTIVE, "SCHEDULED": ACTIVE}
_ROLES = {
    **dict.fromkeys(("train", "training"), "training"),
    **dict.fromkeys(("eval", "evaluation", "val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""The context of a dataset, which is any text, → its split."""

_SEED = re.compile(r"(?:.*[^a-z])?(?:seed|random_state|random_seed)", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_OF_RUN = re.compile(r"(?:runs:/|.*/)([0-9a-f]{32})/(?:artifacts/)?(.+)")
_NUMBERS = {"NaN": "NaN", "Infinity": "INF", "-Infinity": "-INF"}
_PLANS = ("mlflow.source.name", "mlflow.source.git.repoURL", "mlflow.project.entryPoint", "mlflow.source.type")
_TAGS = {
    *_PLANS,
    *("mlflow.runName", "mlflow.user", "mlflow.parentRunId", "mlflow.source.git.commit"),
    *("mlflow.log-model.history", "mlflow.note.content"),
}
"""Tags of which statements are made; others are JSON."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stating(Shapes):
    """Makes the statements of one snapshot."""

    def __init__(self, statements: Statements, names: Names, problems: list[Problem]) -> None:
        """Begin.

        Args:
            statements: the document.
            names: mints IRIs.
            problems: what is found unusual is added.
        """
        super().__init__(problems, "snapshot")
        self._statements, self._names = statements, names
        self._scope, self._made = "", True

    def state(self, found: Mapping[str, Any]) -> None:
        """State all that a snapshot says."""
        experiment = self.object(found.get("experiment"), "/experiment")
        run = self.object(found.get("run"), "/run")
        id_ = self.text(run.get("run_id"), "/run/run_id")
        number = self.text(experiment.get("experiment_id") or run.get("experiment_id"), "/experiment/experiment_id")
        self._scope = scope(number, experiment.get("creation_time"), id_)
        models = self.objects(found.get("models"), "/models")
        if id_:
            self._run(id_, run, experiment, models, self.objects(found.get("links"), "/links"))
        elif found.get("run") is not None:
            self.problems.append(Problem("/run/run_id", "a run has an identifier", fatal=True))
        for pointer, model in models:
            self._model(model, pointer, run)
        for pointer, version in self.objects(found.get("versions"), "/versions"):
            self._version(version, pointer)

    # --- The run ---------------------------------------------------------------------------------------------------

    def _run(
        self,
        id_: str,
        run: Mapping[str, Any],
        experiment: Mapping[str, Any],
        models: list[tuple[str, Mapping[str, Any]]],
        links: list[tuple[str, Mapping[str, Any]]],
    ) -> None:
        name = self._names.run(id_)
        tags = self._texts(run.get("tags"), "/run/tags")
        state = self.text(run.get("status"), "/run/status")
        if state not in _STATUS:
            self.problems.append(Problem("/run/status", "no status of MLflow"))
        # A run that failed generated nothing; what it logged before is influenced by it.
        self._made = _STATUS.get(state) != FAILED
        params = self._texts(run.get("params"), "/run/params")
        files = [file for pointer, model in models for file in self._files(model, pointer)]
        files += self._files(run, "/run")
        python, packages, version = environment(file for _, file in files)
        label = self.text(run.get("run_name"), "/run/run_name") or tags.get("mlflow.runName") or id_
        start, end = (self._time(run.get(key), f"/run/{key}") for key in ("start_time", "end_time"))
        commit = tags.get("mlflow.source.git.commit", "")
        commit = commit if _COMMIT.fullmatch(commit) else ""
        rest = {key: each for key, each in tags.items() if key not in _TAGS}
        attributes = [
            *words(RDFS_LABEL, label),
            *status(_STATUS.get(state, "")),
            *words(f"{TERMS}status", state),
            *words(f"{TERMS}runId", id_),
            *words(f"{TERMS}experiment", experiment.get("name")),
            *words(f"{TERMS}experimentId", self.text(run.get("experiment_id"), "/run/experiment_id")),
            *words(f"{DCTERMS}description", tags.get("mlflow.note.content")),
            *words(f"{TERMS}artifacts", without_login(self.text(run.get("artifact_uri"), "/run/artifact_uri"))),
            *self._lifecycle(run),
            *words(f"{PROVREPO}commit", commit),
            *self._json("tags", rest),
            *(each for key, found in sorted(params.items()) for each in self._seed(key, found)),
            *self._environment(python, packages),
        ]
        parent = tags.get("mlflow.parentRunId", "")
        if parent and parent != id_:
            attributes += part_of(self._statements, name, self._names.run(parent))
        self._statements.activity(name, start, end, attributes, types=[f"{MLS}Run"])
        self._responsible(id_, run, tags, commit, version)
        for key, found in sorted(params.items()):
            iri = f"{name}#parameter/{segment(key)}"
            state_parameter(
                self._statements, iri, name, without_login(key), found, types=[f"{MLS}HyperParameterSetting"]
            )
        self._datasets(name, run)
        for model in self.texts(run.get("inputs"), "/run/inputs"):
            self._uses_model(name, model)
        self._metrics(name, run, links, {str(model.get("model_id")) for _, model in models})
        self._saved(id_, run, tags)
        for pointer, file in self._files(run, "/run"):
            self._file(name, f"{name}#artifact", pointer, file)

    def _responsible(
        self, id_: str, run: Mapping[str, Any], tags: Mapping[str, str], commit: str, version: str
    ) -> None:
        """The user, who followed what was run; MLflow where no user is known."""
        plan = None
        source = tags.get("mlflow.source.name", "")
        if source:
            plan = self._statements.entity(
                self._names.source(id_, source, commit),
                words(RDFS_LABEL, source),
                words(f"{PROVREPO}commit", commit),
                words(f"{SCHEMA}codeRepository", without_login(tags.get("mlflow.source.git.repoURL", ""))),
                words(f"{TERMS}entryPoint", tags.get("mlflow.project.entryPoint")),
                words(f"{TERMS}sourceType", tags.get("mlflow.source.type")),
                types=[f"{PROV}Plan"],
            )
        user = tags.get("mlflow.user") or self.text(run.get("user_id"), "/run/user_id")
        if user and user != "unknown":
            agent = self._statements.agent(self._names.user(user), words(RDFS_LABEL, user))
        else:
            agent = self._statements.agent(
                self._names.software(version),
                words(RDFS_LABEL, "MLflow"),
                words(f"{SCHEMA}softwareVersion", version),
                types=[f"{PROV}SoftwareAgent"],
            )
        self._statements.relate(ASSOCIATION, self._names.run(id_), agent, plan)

    def _datasets(self, run: str, found: Mapping[str, Any]) -> None:
        for pointer, dataset in self.objects(found.get("datasets"), "/run/datasets"):
            tags = self._texts(dataset.get("tags"), f"{pointer}/tags")
            version = self._dataset(dataset, pointer)
            if version:
                self._statements.relate(USAGE, run, version, attributes=words(PROV_ROLE, _role(tags)))

    def _dataset(self, found: Mapping[str, Any], pointer: str) -> str:
        """Describe a version of a dataset; returns its IRI."""
        name = self.text(found.get("name"), f"{pointer}/name")
        digest = self.text(found.get("digest"), f"{pointer}/digest")
        if not name or not digest:
            self.problems.append(Problem(pointer, "a dataset has a name and a digest; it is left out"))
            return ""
        logical = self._names.dataset(self._scope, name)
        self._statements.entity(logical, words(RDFS_LABEL, name), types=[f"{DCAT}Dataset"])
        source = found.get("source")
        parsed = _parsed(source)
        places = (parsed.get(key) for key in ("uri", "url", "path", "table_name"))
        place = next((each for each in places if isinstance(each, str)), "")
        entity = self._statements.entity(
            self._names.dataset(self._scope, name, digest),
            words(RDFS_LABEL, f"{name} {digest}"),
            # A digest of a part of the data, as MLflow computes it: no digest of a file, and it names no content.
            words(f"{DCAT}version", digest),
            words(PROV_LOCATION, without_login(place)),
            words(f"{TERMS}sourceType", found.get("source_type")),
            self._json("source", parsed) if parsed else words(f"{TERMS}source", source),
            self._json("schema", _parsed(found.get("schema"))),
            self._json("profile", _parsed(found.get("profile"))),
            types=[f"{MLS}Dataset"],
        )
        self._statements.relate(SPECIALIZATION, entity, logical)
        return entity

    def _metrics(
        self, run: str, found: Mapping[str, Any], links: list[tuple[str, Mapping[str, Any]]], own: set[str]
    ) -> None:
        metrics = self.object(found.get("metrics"), "/run/metrics")
        for key, metric in sorted(metrics.items()):
            pointer = f"/run/metrics/{escaped(key)}"
            last = self.object(metric, pointer).get("last")
            if not isinstance(last, list) or len(last) != 3:
                self.problems.append(Problem(f"{pointer}/last", "step, time and value are needed; it is left out"))
                continue
            step, time, result = last
            shown = (
                [typed(f"{MLS}hasValue", _NUMBERS[result], "double")]
                if isinstance(result, str) and result in _NUMBERS
                else value(f"{MLS}hasValue", result)
            )
            points = metric.get("points") if isinstance(metric.get("points"), list) else []
            entity = self._statements.entity(
                f"{run}#metric/{segment(key)}",
                shown,
                words(RDFS_LABEL, key),
                value(f"{TERMS}step", step),
                value(f"{TERMS}points", metric.get("count")),
                self._json("history", points) if len(points) > 1 else [],
                types=[f"{MLS}ModelEvaluation"],
            )
            self._comes_from(entity, run, self._time(time, f"{pointer}/last"))
            for place, each in links:
                if each.get("key") == key:
                    self._about(entity, run, each, place, own)

    def _about(self, metric: str, run: str, found: Mapping[str, Any], pointer: str, own: set[str]) -> None:
        """What a metric was computed of: a model and a dataset."""
        model = self.text(found.get("model_id"), f"{pointer}/model_id")
        if model:
            iri = self._names.model(model)
            if model not in own:
                self._uses_model(run, model)
            self._statements.relate(DERIVATION, metric, iri)
        if found.get("dataset_name"):
            dataset = {key: found.get(f"dataset_{key}") for key in ("name", "digest")}
            if version := self._dataset(dataset, pointer):
                self._statements.relate(DERIVATION, metric, version)

    def _uses_model(self, run: str, model: str) -> None:
        """A model of another run, which is not described here."""
        entity = self._statements.entity(self._names.model(model), types=[])
        self._statements.relate(USAGE, run, entity, attributes=words(PROV_ROLE, "model"))

    # --- Models ----------------------------------------------------------------------------------------------------

    def _model(self, found: Mapping[str, Any], pointer: str, run: Mapping[str, Any]) -> None:
        id_ = self.text(found.get("model_id"), f"{pointer}/model_id")
        if not id_:
            self.problems.append(Problem(pointer, "a model has an identifier; it is left out"))
            return
        state = self.text(found.get("status"), f"{pointer}/status")
        files = self._files(found, pointer)
        python, packages, version = environment(file for _, file in files)
        name = self.text(found.get("name"), f"{pointer}/name")
        entity = self._statements.entity(
            self._names.model(id_),
            words(RDFS_LABEL, name or id_),
            words(f"{TERMS}modelId", id_),
            words(f"{TERMS}modelType", found.get("model_type")),
            words(f"{TERMS}status", state),
            words(PROV_LOCATION, without_login(self.text(found.get("artifact_uri"), f"{pointer}/artifact_uri"))),
            self._lifecycle(found),
            self._json("params", self._texts(found.get("params"), f"{pointer}/params")),
            self._json("tags", self._others(found.get("tags"), f"{pointer}/tags")),
            self._environment(python, packages),
            words(f"{TERMS}mlflowVersion", version),
            types=[f"{MLS}Model"],
        )
        source = self.text(found.get("source_run_id"), f"{pointer}/source_run_id")
        created = self._time(found.get("creation_timestamp_ms"), f"{pointer}/creation_timestamp_ms")
        self._of_run(entity, source, created, files, run, ready=state not in ("PENDING", "FAILED"))

    def _saved(self, id_: str, run: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Models that MLflow before 3 saved among the artifacts of a run, and listed in a tag of it."""
        for each in _parsed_list(tags.get("mlflow.log-model.history")):
            path = each.get("artifact_path")
            if not isinstance(path, str) or not path or each.get("model_id"):
                continue
            files = [
                (pointer, {**file, "path": str(file.get("path")).removeprefix(f"{path}/")})
                for pointer, file in self._files(run, "/run")
                if str(file.get("path")).startswith(f"{path}/")
            ]
            python, packages, version = environment(file for _, file in files)
            entity = self._statements.entity(
                self._names.saved(id_, path),
                words(RDFS_LABEL, path),
                words(f"{TERMS}modelUuid", each.get("model_uuid")),
                self._environment(python, packages),
                words(f"{TERMS}mlflowVersion", version or each.get("mlflow_version")),
                types=[f"{MLS}Model"],
            )
            self._of_run(entity, id_, None, [], run, ready=True)
            if files:
                self._statements.entity(entity, types=[f"{PROV}Collection"])
            for _, file in files:
                whole = f"{path}/{file['path']}"
                self._statements.relate(MEMBERSHIP, entity, f"{self._names.run(id_)}#artifact/{segment(whole)}")

    def _of_run(
        self,
        model: str,
        source: str,
        created: str | None,
        files: list[tuple[str, Mapping[str, Any]]],
        run: Mapping[str, Any],
        *,
        ready: bool,
    ) -> None:
        """State which run made a model, of which data, and which files it has."""
        activity = self._names.run(source) if source else ""
        if activity and ready:
            self._comes_from(model, activity, created)
        elif activity:
            self._statements.relate(INFLUENCE, model, activity)
        elif created:
            self._statements.relate(GENERATION, model, None, created)
        if activity and run.get("run_id") == source and ready:
            for dataset in _learned_from(run):
                name, digest = dataset.get("name"), dataset.get("digest")
                if isinstance(name, str) and name and isinstance(digest, str) and digest:
                    self._statements.relate(DERIVATION, model, self._names.dataset(self._scope, name, digest))
        if files:
            self._statements.entity(model, types=[f"{PROV}Collection"])
        for pointer, file in files:
            member = self._file(activity, f"{model}/artifact", pointer, file)
            self._statements.relate(MEMBERSHIP, model, member)

    def _version(self, found: Mapping[str, Any], pointer: str) -> None:
        """Describe a version of a registered model."""
        name = self.text(found.get("name"), f"{pointer}/name")
        number = self.text(found.get("version"), f"{pointer}/version")
        if not name or not number:
            self.problems.append(Problem(pointer, "a version has a name and a number; it is left out"))
            return
        source = self.text(found.get("source"), f"{pointer}/source")
        of_run = _OF_RUN.fullmatch(source)
        model = self._names.model(model_of(source)) if model_of(source) else ""
        if not model and of_run:
            model = self._names.saved(of_run[1], of_run[2])
        created = self._time(found.get("creation_timestamp"), f"{pointer}/creation_timestamp")
        stage = found.get("current_stage")
        names = self.texts(found.get("aliases"), f"{pointer}/aliases")
        aliases = [each for name_ in names for each in words(f"{TERMS}alias", name_)]
        entity = self._statements.entity(
            self._names.registered(name, number, found.get("creation_timestamp")),
            words(RDFS_LABEL, f"{name} {number}"),
            words(f"{TERMS}registeredModel", name),
            words(f"{SCHEMA}version", number),
            aliases,
            words(f"{TERMS}stage", None if stage == "None" else stage),
            words(f"{TERMS}status", found.get("status")),
            words(f"{DCTERMS}description", found.get("description")),
            [typed(f"{DCTERMS}issued", created, "dateTime")] if created else [],
            self._json("tags", self._texts(found.get("tags"), f"{pointer}/tags")),
            [link(f"{DCTERMS}source", model)] if model else words(f"{DCTERMS}source", without_login(source)),
        )
        if model:
            self._statements.entity(model)
            self._statements.relate(SPECIALIZATION, entity, model)
            # Lineage of a general thing is not that of its specializations; this one was made from it.
            self._statements.relate(DERIVATION, entity, model)

    # --- Parts -----------------------------------------------------------------------------------------------------

    def _comes_from(self, entity: str, run: str, time: str | None) -> None:
        if self._made:
            self._statements.relate(GENERATION, entity, run, time)
        else:
            self._statements.relate(INFLUENCE, entity, run)

    def _files(self, found: Mapping[str, Any], pointer: str) -> list[tuple[str, Mapping[str, Any]]]:
        files = self.objects(found.get("files"), f"{pointer}/files")
        if len(files) >= ARTIFACTS and not any(each.pointer == f"{pointer}/files" for each in self.problems):
            self.problems.append(Problem(f"{pointer}/files", f"at most {ARTIFACTS:,} files are described"))
        return files[:ARTIFACTS]

    def _file(self, run: str, root: str, pointer: str, found: Mapping[str, Any]) -> str:
        path = self.text(found.get("path"), f"{pointer}/path")
        digests = self._texts(found.get("digests"), f"{pointer}/digests")
        size = found.get("size")
        entity = state_file(
            self._statements,
            f"{root}/{segment(path)}",
            without_login(path),
            digests,
            [typed(f"{DCAT}byteSize", str(size), "integer")] if isinstance(size, int) and size >= 0 else [],
        )
        if run:
            self._comes_from(entity, run, None)
        return entity

    def _environment(self, python: str, packages: Iterable[str]) -> list[Attribute]:
        platform = words(f"{SCHEMA}runtimePlatform", f"Python {python}") if python else []
        return [*platform, *(each for line in packages for each in words(f"{SCHEMA}softwareRequirements", line))]

    def _seed(self, key: str, found: str) -> list[Attribute]:
        if _SEED.fullmatch(key) and re.fullmatch(r"-?\d{1,20}", found):
            return [typed(f"{PROVREPO}seed", str(int(found)), "integer")]
        return []

    def _lifecycle(self, found: Mapping[str, Any]) -> list[Attribute]:
        stage = found.get("lifecycle_stage")
        return words(f"{TERMS}lifecycleStage", stage) if stage != "active" else []

    def _others(self, found: Any, pointer: str) -> dict[str, str]:
        """Tags that do not repeat those of the run, or what the registry says."""
        skipped = {*_TAGS, "mlflow.modelVersions", "mlflow.source.git.branch"}
        return {key: each for key, each in self._texts(found, pointer).items() if key not in skipped}

    def _texts(self, found: Any, pointer: str) -> dict[str, str]:
        kept: dict[str, str] = {}
        for key, each in self.object(found, pointer).items():
            if isinstance(each, str):
                kept[key] = each
            else:
                self.problems.append(Problem(f"{pointer}/{escaped(key)}", "a text is needed; it is not read"))
        return kept

    def _json(self, term: str, found: Any) -> list[Attribute]:
        return [json_value(TERMS + term, found)] if found not in (None, {}, [], "") else []

    def _time(self, found: Any, pointer: str) -> str | None:
        """Milliseconds since 1970 as ``xsd:dateTime``."""
        if found is None:
            return None
        try:
            if not isinstance(found, int) or isinstance(found, bool):
                raise ValueError
            moment = _EPOCH + timedelta(milliseconds=found)
        except (ValueError, OverflowError):
            self.problems.append(Problem(pointer, "milliseconds since 1970 are needed; it is not read"))
            return None
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _role(tags: Mapping[str, str]) -> str:
    context = tags.get("mlflow.data.context", "")
    return _ROLES.get(context.lower(), context)


def _learned_from(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The datasets of which a model of a run was made: those for training, or else those without any context."""
    datasets = run.get("datasets")
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in datasets if isinstance(datasets, list) else []:
        tags = each.get("tags") if isinstance(each, dict) else None
        context = tags.get("mlflow.data.context") if isinstance(tags, dict) else None
        if isinstance(each, dict):
            role = _role({"mlflow.data.context": context if isinstance(context, str) else ""})
            found.setdefault(role, []).append(each)
    return found.get("training") or found.get("", [])


def _parsed(found: Any) -> dict[str, Any]:
    """A JSON object in a text; empty for another text."""
    try:
        value_ = json.loads(found) if isinstance(found, str) else None
    except (ValueError, RecursionError):
        return {}
    return value_ if isinstance(value_, dict) else {}


def _parsed_list(found: Any) -> list[dict[str, Any]]:
    try:
        value_ = json.loads(found) if isinstance(found, str) else None
    except (ValueError, RecursionError):
        return []
    return [each for each in value_ if isinstance(each, dict)] if isinstance(value_, list) else []
