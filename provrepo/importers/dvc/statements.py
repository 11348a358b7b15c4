"""The statements about a project of DVC.

A run is an entry of ``dvc.lock``: a command with what it read and made. The entry has no time and nobody: these are of
the commit that recorded it first. The states of ``dvc.lock`` in Git, in experiments and in the folder have many entries
in common; an entry is one run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from provrepo.importers.commits import Commit, read_commit, state_commit, state_person
from provrepo.importers.dvc.data import Data
from provrepo.importers.dvc.pipelines import Pipeline, Stage, parameter_files, read_pipeline
from provrepo.importers.dvc.records import ABOUT, RUNS, entries_of
from provrepo.importers.json_values import Problem, canonical, escaped
from provrepo.importers.masking import without_login
from provrepo.importers.names import segment
from provrepo.importers.runs import COMPLETED, part_of, state_parameter, status
from provrepo.importers.statements import Statements, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DELEGATION,
    DERIVATION,
    GENERATION,
    SPECIALIZATION,
    USAGE,
)
from provrepo.vocab import DCTERMS, MLS, PROV, RDFS_LABEL, SCHEMA
from provrepo.words import counted

__all__ = ["ROOT", "Project"]

ROOT = "https://w3id.org/provrepo/dvc/"
"""The beginning of minted names, where the caller gives no base IRI."""

_RUN = ("cmd", "deps", "params", "outs")
_FILE = ("md5", "frozen", "deps", "outs", "desc", "meta", "wdir", "always_changed")


class _State(NamedTuple):
    """One state of a ``dvc.lock``.

    Attributes:
        lock: the path of the file in the project.
        place: where it is in the archive.
        commit: the commit that has it; None if it is not committed.
        experiment: the name of the experiment of this commit; empty if it is none.
    """

    lock: str
    place: str
    commit: Commit | None
    experiment: str = ""


class Project(Data):
    """Makes the statements of a project.

    Attributes:
        values: path in the archive → value of the file.
    """

    def __init__(
        self, statements: Statements, root: str, digest: str, about: Mapping[str, Any], problems: list[Problem]
    ) -> None:
        """Begin.

        Args:
            statements: the document.
            root: the beginning of minted IRIs.
            digest: of the archive.
            about: what was found beside the files of DVC.
            problems: more are added.
        """
        super().__init__(statements, root, digest, about, problems)
        self.values: dict[str, Any] = {}
        self._runs: set[str] = set()
        self._without_commit: list[str] = []
        self._without_stage = 0
        self._dvc = statements.agent(f"{root}agent", words(RDFS_LABEL, "DVC"), types=[f"{PROV}SoftwareAgent"])
        commits = self.object(about.get("commits"), f"{ABOUT}/commits")
        self._commits = {
            name: commit
            for name, found in commits.items()
            if (commit := read_commit(self, self.object(found, ABOUT), f"{ABOUT}/commits/{escaped(name)}"))
        }

    def state(self) -> None:
        """State all of it."""
        pipelines = {path: self._pipeline(path) for path in self.values if posixpath.basename(path) == "dvc.yaml"}
        for path, pipeline in pipelines.items():
            for stage in pipeline.stages.values():
                self._plan(posixpath.dirname(path), stage)
        for path in self.values:
            body = self.values[path]
            if path.endswith(".dvc") and isinstance(body, dict) and body.get("deps"):
                folder = self._folder_of(path)
                keys = (self.key(folder, entry) for entry in entries_of({"outs": body.get("outs")}))
                self.imported |= {key for key in keys if key is not None}
        for state in self._states():
            base = posixpath.dirname(state.lock)
            self._lock(state, pipelines.get(posixpath.join(base, "dvc.yaml"), Pipeline()))
        for path in self.values:
            if path.endswith(".dvc"):
                self._tracked(path)
        for path in self.values:
            if path.startswith(RUNS):
                self._cached(path)
        for path, pipeline in pipelines.items():
            self._artifacts(posixpath.dirname(path), pipeline)
            ran = {name for name, lock in self._ran if lock == posixpath.join(posixpath.dirname(path), "dvc.lock")}
            for name in sorted(pipeline.stages.keys() - ran):
                self.problems.append(
                    Problem(f"{path}/stages/{escaped(name)}", "dvc.lock has no such stage: it has not run yet")
                )

    # --- stages ----------------------------------------------------------------------------------------------------

    def _pipeline(self, path: str) -> Pipeline:
        base = posixpath.dirname(path)
        files = {
            name: self.values.get(posixpath.normpath(posixpath.join(base, name)))
            for name in parameter_files(self.values[path])
        }
        return read_pipeline(self, self.values[path], files, path)

    def _plan(self, base: str, stage: Stage) -> Identifier:
        plan = self.statements.entity(
            f"{self.scope}stage/{segment(base)}:{segment(stage.name)}",
            words(RDFS_LABEL, stage.name),
            words(f"{DCTERMS}description", stage.description),
            types=[f"{PROV}Plan"],
        )
        if stage.group != stage.name:
            group = self._plan(base, Stage(stage.group, stage.group))
            self.statements.relate(SPECIALIZATION, plan, group)
        return plan

    def _states(self) -> Iterator[_State]:
        """The states of locks: those of commits, the older ones first, of experiments, and what is not committed."""
        known = set()
        for place, found in self.objects(self.about.get("states"), f"{ABOUT}/states"):
            lock, file, commit = (self.text(found.get(key), f"{place}/{key}") for key in ("lock", "file", "commit"))
            if file not in self.values:
                continue  # a problem of the file says why
            known.add((lock, canonical(self.values[file])))
            name = self.text(found.get("experiment"), f"{place}/experiment")
            yield _State(lock, file, self._commits.get(commit), name)
        for path in self.values:
            if posixpath.basename(path) == "dvc.lock" and (path, canonical(self.values[path])) not in known:
                yield _State(path, path, None)

    def _lock(self, state: _State, pipeline: Pipeline) -> None:
        whole = self.object(self.values[state.place], state.place)
        schema = whole.get("schema")
        if schema is not None and schema != "2.0":
            self.problems.append(Problem(f"{state.place}/schema", f"schema {str(schema)[:20]} is read as 2.0"))
        listed = whole.get("stages") if "stages" in whole or schema is not None else whole
        place = f"{state.place}/stages" if listed is not whole else state.place
        stages = self.object(listed, place)
        base = posixpath.dirname(state.lock)
        bodies = {name: self.object(body, f"{place}/{escaped(name)}") for name, body in stages.items()}
        folders = {
            name: posixpath.normpath(posixpath.join(base, pipeline.stages.get(name, Stage(name, name)).wdir))
            for name in bodies
        }
        runs = {name: self._run_name(body) for name, body in bodies.items()}
        # What each stage made, so that the others of this state read it.
        made = {}
        for name, body in bodies.items():
            for _, entry in self.objects(body.get("outs"), f"{place}/{escaped(name)}/outs"):
                if (key := self.key(folders[name], entry)) is not None:
                    made[key] = runs[name]
        if not state.experiment:
            outs = {path: Identifier(f"{run}/out/{segment(path)}") for (path, _), run in made.items()}
            self.latest |= outs
        for name, body in bodies.items():
            stage = pipeline.stages.get(name, Stage(name, name.partition("@")[0]))
            self._ran.add((name, state.lock))
            if runs[name] in self._runs:
                continue
            if state.commit is None:
                self._without_commit.append(name)
            kinds = {**pipeline.kinds, **stage.kinds}
            kinds = {posixpath.normpath(posixpath.join(base, path)): kind for path, kind in kinds.items()}
            plan = self._plan(base, stage)
            self._run(runs[name], body, f"{place}/{escaped(name)}", folders[name], name, plan, state, made, kinds)

    def _run_name(self, body: Mapping[str, Any]) -> str:
        kept = {key: body[key] for key in _RUN if key in body}
        return f"{self.scope}run/{sha256(canonical(kept)).hexdigest()}"

    def _run(
        self,
        name: str,
        body: Mapping[str, Any],
        pointer: str,
        folder: str,
        label: str,
        plan: Identifier,
        state: _State,
        made: Mapping[tuple[str, str], str],
        kinds: Mapping[str, str],
    ) -> None:
        """Describe a run: what it used and made, when it had ended at the latest, and who recorded that."""
        self._runs.add(name)
        self.known(body, _RUN, pointer)
        commands = body.get("cmd")
        command = "\n".join(map(str, commands)) if isinstance(commands, list) else self.text(commands, f"{pointer}/cmd")
        end = state.commit.committer.time if state.commit else None
        run = self.statements.activity(
            name,
            None,
            end,
            words(RDFS_LABEL, label),
            words(f"{SCHEMA}description", command),
            status(COMPLETED),
        )
        self._responsible(run, plan, state.commit)
        if state.experiment and state.commit:
            self.statements.activity(run, None, None, part_of(self.statements, run, self._experiment(state)))
        self._parameters(run, body, pointer)
        for place, entry in self.objects(body.get("deps"), f"{pointer}/deps"):
            source = self.read(entry, place, folder, made)
            if source is not None:
                self.statements.relate(USAGE, run, source)
        for place, entry in self.objects(body.get("outs"), f"{pointer}/outs"):
            product = self.made(entry, place, folder, run, kinds)
            if product is not None:
                self.statements.relate(GENERATION, product, run, end)

    def _responsible(self, run: Identifier, plan: Identifier, commit: Commit | None) -> None:
        """DVC ran it, on behalf of who recorded the result."""
        self.statements.relate(ASSOCIATION, run, self._dvc, plan)
        if commit is None:
            return
        self.statements.relate(COMMUNICATION, state_commit(self.statements, commit), run)
        person = state_person(self.statements, commit.author)
        if person is not None:
            self.statements.relate(ASSOCIATION, run, person, plan)
            self.statements.relate(DELEGATION, self._dvc, person, run)

    def _experiment(self, state: _State) -> Identifier:
        commit = state.commit
        assert commit is not None  # noqa: S101  # callers ask for experiments with a commit
        experiment = self.statements.activity(
            f"{self.scope}experiment/{commit.id}",
            None,
            commit.committer.time,
            words(RDFS_LABEL, state.experiment),
            types=[f"{MLS}Experiment"],
        )
        person = state_person(self.statements, commit.author)
        self.statements.relate(ASSOCIATION, experiment, person or self._dvc)
        return experiment

    def _parameters(self, run: Identifier, body: Mapping[str, Any], pointer: str) -> None:
        for file, values in self.object(body.get("params"), f"{pointer}/params").items():
            for key, found in self.object(values, f"{pointer}/params/{escaped(file)}").items():
                state_parameter(
                    self.statements,
                    f"{run}/parameter/{segment(file)}/{segment(key)}",
                    run,
                    without_login(key),
                    found,
                    types=[f"{MLS}HyperParameterSetting"],
                )

    def _cached(self, path: str) -> None:
        """Describe a run that the cache of DVC has; one that a lock has, too, is described already."""
        body = self.object(self.values[path], path)
        name = self._run_name(body)
        if not body or name in self._runs:
            return
        self._without_stage += 1
        command = body.get("cmd")
        label = str(command if isinstance(command, str) else name.rpartition("/")[2])[:100]
        plan = self.statements.entity(f"{name}/command", words(RDFS_LABEL, label), types=[f"{PROV}Plan"])
        self._run(name, body, path, "", label, plan, _State("", path, None), {}, {})

    # --- tracked data ----------------------------------------------------------------------------------------------

    def _tracked(self, path: str) -> None:
        """Describe what a ``.dvc`` file tracks: data that people added, or that came from elsewhere."""
        body = self.object(self.values[path], path)
        self.known(body, _FILE, path)
        folder = self._folder_of(path)
        commit = self._commits.get(str(self.object(self.about.get("tracked"), f"{ABOUT}/tracked").get(path)))
        if commit is not None:
            state_commit(self.statements, commit)
        person = state_person(self.statements, commit.author) if commit else None
        deps = self.objects(body.get("deps"), f"{path}/deps")
        for place, entry in self.objects(body.get("outs"), f"{path}/outs"):
            data = self.read(entry, place, folder, {}, source=not deps)
            if data is None:
                continue
            if (key := self.key(folder, entry)) is not None:
                self.latest[key[0]] = data
            self.statements.entity(data, words(f"{DCTERMS}description", self.text(body.get("desc"), f"{path}/desc")))
            if person is not None:
                self.statements.relate(ATTRIBUTION, data, person)
            if deps:
                self._imported(path, data, deps, commit)

    def _folder_of(self, path: str) -> str:
        """The folder from which the paths of a ``.dvc`` file are."""
        body = self.values[path]
        wdir = self.text(body.get("wdir"), f"{path}/wdir") if isinstance(body, dict) else ""
        return posixpath.normpath(posixpath.join(posixpath.dirname(path), wdir))

    def _imported(
        self, path: str, data: Identifier, deps: list[tuple[str, Mapping[str, Any]]], commit: Commit | None
    ) -> None:
        """Describe an import: the activity that made data of a URL, or of a file of another repository."""
        end = commit.committer.time if commit else None
        digest = sha256(canonical(self.values[path])).hexdigest()
        run = self.statements.activity(
            f"{self.scope}run/{digest}",
            None,
            end,
            words(RDFS_LABEL, f"import {without_login(path)}"),
            status(COMPLETED),
        )
        self.statements.relate(ASSOCIATION, run, self._dvc)
        person = state_person(self.statements, commit.author) if commit else None
        if person is not None:
            self.statements.relate(ASSOCIATION, run, person)
        self.statements.relate(GENERATION, data, run, end)
        for place, entry in deps:
            source = self.elsewhere(entry, place)
            if source is not None:
                self.statements.relate(USAGE, run, source)
                self.statements.relate(DERIVATION, data, source)

    def _artifacts(self, base: str, pipeline: Pipeline) -> None:
        """Describe what people say of an output: the version of the folder is meant."""
        for path, about in pipeline.artifacts.items():
            entity = self.latest.get(posixpath.normpath(posixpath.join(base, path)))
            place = f"{posixpath.join(base, 'dvc.yaml')}/artifacts/{escaped(str(about['name']))}"
            self.known(about, ("name", "path", "type", "desc", "labels", "meta"), place)
            if entity is None:
                self.problems.append(Problem(place, "no stage made this path, and it is not tracked"))
                continue
            kind = self.text(about.get("type"), f"{place}/type")
            labels = self.texts(about.get("labels"), f"{place}/labels")
            self.statements.entity(
                entity,
                words(f"{SCHEMA}name", about["name"]),
                words(f"{SCHEMA}additionalType", kind),
                words(f"{DCTERMS}description", self.text(about.get("desc"), f"{place}/desc")),
                [each for label in labels for each in words(f"{SCHEMA}keywords", label)],
                types=[f"{MLS}Model"] if kind == "model" else [],
            )

    def notes(self) -> Iterator[str]:
        """What is not known of the whole project."""
        git = self.about.get("git")
        if isinstance(git, str):
            yield f"there are no times and no people, since Git is not read: {without_login(git)}"
        elif self._without_commit:
            yield (
                f"dvc.lock is not committed as it is: {counted(len(self._without_commit), 'run')} "
                f"({', '.join(sorted(self._without_commit)[:5])}) without a time and people"
            )
        if self._without_stage:
            runs = counted(self._without_stage, "run")
            yield f"{runs} of the cache of DVC alone, which has no stage, time and people of them"
        if self.about.get("cut"):
            yield f"only the newest records of {self.about['cut']} are read"
        if self.about.get("large"):
            yield f"too large to be read: {self.about['large']}"
        if isinstance(self.about.get("unhashed"), int):
            yield f"{counted(self.about['unhashed'], 'file')} too large to be hashed: they have the MD5 of DVC alone"
        yield from super().notes()
