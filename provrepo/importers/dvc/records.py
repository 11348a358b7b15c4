"""Finds the records of DVC in a folder: its files, their former states in Git, and digests of the data.

The bytes of a document are an archive: the files of DVC as they are, and below ``.provrepo`` in ``states`` those of
commits and experiments, in ``runs`` those of the cache of runs, in ``objects`` the lists of folders and files of
metrics by MD5, and in ``about.json`` which commit recorded what, and the digests of the data that is there.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provrepo.codecs.formats import by_suffix
from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.archives import packed
from provrepo.importers.commits import commit_record
from provrepo.importers.dvc.pipelines import parameter_files
from provrepo.importers.git_program import Git
from provrepo.importers.json_values import canonical
from provrepo.importers.parts import Collected, Part, Skipped
from provrepo.importers.sources import SourceFile, digests_of
from provrepo.limits import GIT_HASHED

__all__ = ["ABOUT", "FORMAT", "OBJECTS", "RUNS", "collect", "entries_of", "is_record", "kept_name"]

FORMAT = "dvc"
ABOUT, STATES, RUNS, OBJECTS = (f".provrepo/{name}" for name in ("about.json", "states/", "runs/", "objects/"))
"""Places in the archive beside the files of the project."""

_LARGEST = 8 << 20
"""Bytes of a file of DVC, of a list of a folder, or of metrics."""

_STATES, _RUNS = 500, 5_000
_METRICS = (".json", ".yaml", ".yml", ".toml")
_HASH = re.compile(r"[0-9a-f]{32}")
_ALGORITHMS = ("md5", "sha1", "sha256")


def is_record(path: str) -> bool:
    """Whether a file is one of DVC, by its name."""
    name = posixpath.basename(path)
    return name in ("dvc.yaml", "dvc.lock") or (name.endswith(".dvc") and name != ".dvc")


def kept_name(digest: str) -> str:
    """The place in the archive of a file that is kept by its MD5."""
    return f"{OBJECTS}{digest}"


def entries_of(found: Any) -> Iterator[Mapping[str, Any]]:
    """The dependencies and outputs in a ``dvc.lock``, a ``.dvc`` file, or the record of a run."""
    if not isinstance(found, dict):
        return
    stages = found.get("stages")
    listed = stages if isinstance(stages, dict) else found
    for stage in [found] if "outs" in found or "deps" in found else listed.values():
        for member in ("deps", "outs"):
            several = stage.get(member) if isinstance(stage, dict) else None
            yield from (each for each in (several if isinstance(several, list) else []) if isinstance(each, dict))


def collect(files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:
    """The projects of DVC in a folder: a document for each.

    Args:
        files: of the folder.
        root: the folder; None if it is an archive, which has neither the cache of DVC nor Git.
    """
    records = [file for file in files if is_record(file.path)]
    projects: dict[str, list[SourceFile]] = {}
    for file in records:
        projects.setdefault(_project(file.path, root), []).append(file)
    for folder, own in sorted(projects.items()):
        place = folder.rstrip("/") or "the folder"
        inside = {file.path.removeprefix(folder): file for file in files if file.path.startswith(folder)}
        try:
            yield _Project(inside, [file.path.removeprefix(folder) for file in own], root and root / folder).collected(
                folder, place
            )
        except OSError as error:
            yield Collected(Skipped(place, error.strerror or str(error)))


def _project(path: str, root: Path | None) -> str:
    """The folder with ``.dvc`` in which a file is, with a slash at the end; the whole folder if there is none."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        if root is not None and (root.joinpath(*parts[:length]) / ".dvc").is_dir():
            return "/".join(parts[:length]) + "/"
    return ""


@dataclass
class _Project:
    """One project.

    Attributes:
        files: all files of its folder.
        records: the paths of those of DVC.
        root: the folder; None in an archive.
    """

    files: Mapping[str, SourceFile]
    records: Sequence[str]
    root: Path | None
    kept: dict[str, bytes] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _digests: dict[str, dict[str, str]] = field(default_factory=dict)
    _left: int = GIT_HASHED

    def collected(self, folder: str, place: str) -> Collected:
        """The document."""
        for path in self.records:
            self._keep(path, self.files[path].read(_LARGEST + 1))
        for path in [path for path in self.kept if path.endswith("dvc.yaml")]:
            base = posixpath.dirname(path)
            for name in dict.fromkeys(parameter_files(self._values.get(path))):
                self._keep_file(posixpath.normpath(posixpath.join(base, name)))
        self.about |= {"dvc": 1, "root": None, "folder": "", "commits": {}, "states": [], "tracked": {}}
        self._history()
        self._cached_runs()
        self._data()
        data = packed(FORMAT, {**self.kept, ABOUT: canonical(self.about)})
        name = "-".join(filter(None, ["dvc", (self.about["root"] or "")[:12], *folder.strip("/").split("/")]))
        paths = {*self.records, *self._taken} & self.files.keys()
        return Collected(Part(name, data, FORMAT, place), frozenset(folder + path for path in paths))

    def _keep(self, path: str, data: bytes) -> None:
        if len(data) > _LARGEST:
            self.about.setdefault("large", []).append(path)
            return
        self.kept[path] = data
        try:
            self._values[path] = parse_yaml(data, FORMAT)
        except ReadError:
            pass  # the reader of the archive says what is wrong

    def _keep_file(self, path: str) -> None:
        if path in self.files and path not in self.kept and self.files[path].size <= _LARGEST:
            self._keep(path, self.files[path].read(_LARGEST))
            self._taken.add(path)

    # --- Git -------------------------------------------------------------------------------------------------------

    def _history(self) -> None:
        """Who recorded what when: the states of each file in the commits of Git that changed it, and in experiments."""
        if self.root is None:
            self.about["git"] = "an archive has no history of Git"
            return
        try:
            git = Git(self.root)
            folder, head = git.folder_in_tree, git.commit("HEAD")
            first = git.text("rev-list", "--first-parent", "--max-parents=0", head).split()
            self.about |= {"root": None if git.shallow else first[0], "folder": folder}
            tracked: dict[str, str] = {}
            for path in self.records:
                self._states(git, head, folder, path, tracked)
            self._experiments(git, folder)
            self._committed(git, folder)
            self.about["tracked"] = tracked
            wanted = {*tracked.values(), *(state["commit"] for state in self.about["states"])}
            commits = [each for each in git.objects(sorted(wanted)) if each.kind == "commit"]
            self.about["commits"] = {each.id: commit_record(each.id, each.data) for each in commits}
        except ReadError as error:
            self.about["git"] = error.message

    def _states(self, git: Git, head: str, folder: str, path: str, tracked: dict[str, str]) -> None:
        listed = git.text("rev-list", f"--max-count={_STATES + 1}", head, "--", path).split()
        if len(listed) > _STATES:
            self.about.setdefault("cut", []).append(path)
        former = git.contents([f"{commit}:{folder}{path}" for commit in listed[:_STATES]], _LARGEST)
        for commit, data in zip(reversed(listed[:_STATES]), reversed(former), strict=True):
            if data is not None and path.endswith("dvc.lock"):
                self._state(path, data, commit)
        if former and former[0] is not None and former[0] == self.kept.get(path):
            tracked[path] = listed[0]

    def _experiments(self, git: Git, folder: str) -> None:
        """Experiments are commits below ``refs/exps``; other references there are those of DVC's own work."""
        form = "--format=%(refname)%00%(objectname)"
        for line in git.text("for-each-ref", "--sort=refname", form, "refs/exps").splitlines()[:_STATES]:
            reference, _, commit = line.partition("\0")
            parts = reference.split("/")
            if len(parts) < 5 or len(parts[2]) != 2:
                continue
            for path in self.records:
                if path.endswith("dvc.lock"):
                    for data in git.contents([f"{commit}:{folder}{path}"], _LARGEST):
                        if data is not None:
                            self._state(path, data, commit, "/".join(parts[4:]))

    def _state(self, path: str, data: bytes, commit: str, experiment: str = "") -> None:
        name = f"{STATES}{hashlib.sha256(data).hexdigest()}"
        self._keep(name, data)
        state = {"lock": path, "file": name, "commit": commit}
        self.about["states"].append(state | ({"experiment": experiment} if experiment else {}))

    def _committed(self, git: Git, folder: str) -> None:
        """Hash the data that Git has, such as scripts, and metrics that DVC does not keep in its cache."""
        asked: dict[str, str] = {}
        for state in self.about["states"]:
            base = posixpath.dirname(state["lock"])
            for entry in entries_of(self._values.get(state["file"])):
                path, digest = entry.get("path"), entry.get("md5")
                if isinstance(path, str) and isinstance(digest, str) and _HASH.fullmatch(digest) and "\n" not in path:
                    whole = posixpath.normpath(posixpath.join(base, path))
                    asked.setdefault(digest, f"{state['commit']}:{folder}{whole}")
        # A path of another repository or out of this one names nothing here.
        for (digest, name), data in zip(asked.items(), git.contents(list(asked.values()), _LARGEST), strict=True):
            if data is None or len(data) > self._left:
                continue
            self._left -= len(data)
            found = {name: hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in _ALGORITHMS}
            if found["md5"] == digest:
                self._digests[digest] = found
                if name.endswith(_METRICS):
                    self.kept.setdefault(kept_name(digest), data)

    # --- what DVC and the folder have ---------------------------------------------------------------------------------

    def _cached_runs(self) -> None:
        runs = self.root / ".dvc" / "cache" / "runs" if self.root else None
        if runs is None or not runs.is_dir():
            return
        found = [path for path in sorted(runs.glob("*/*/*")) if path.is_file() and not path.is_symlink()]
        if len(found) > _RUNS:
            self.about.setdefault("cut", []).append(".dvc/cache/runs")
        for path in found[:_RUNS]:
            if path.suffix == "" and path.stat().st_size <= _LARGEST:
                self._keep(f"{RUNS}{path.parent.name}-{path.name}", path.read_bytes())

    def _data(self) -> None:
        """Hash the data that is there, in the folder or the cache; keep the lists of folders, and files of metrics."""
        digests = self._digests
        seen: dict[str, dict[str, str]] = {}
        for source in list(self._values):
            base = posixpath.dirname(source) if is_record(source) else ""
            for entry in entries_of(self._values[source]):
                path, digest = entry.get("path"), entry.get("md5")
                if (
                    not isinstance(path, str)
                    or not isinstance(digest, str)
                    or not _HASH.fullmatch(digest.removesuffix(".dir"))
                ):
                    continue
                whole = posixpath.normpath(posixpath.join(base, path))
                if digest.endswith(".dir"):
                    self._object(digest, entry)
                    for inside in sorted(name for name in self.files if name.startswith(f"{whole}/")):
                        self._see(inside, seen)
                        if found := seen[inside]:
                            digests[found["md5"]] = found
                    continue
                if whole in self.files:
                    self._see(whole, seen)
                if seen.get(whole, {}).get("md5") == digest:
                    digests[digest] = seen[whole]
                    if whole.endswith(_METRICS):
                        self._metrics(digest, self.files[whole])
                elif digest not in digests:
                    self._from_cache(digest, entry, whole)
        self.about["digests"] = digests
        self.about["seen"] = {path: found["md5"] for path, found in seen.items() if found}

    def _see(self, path: str, seen: dict[str, dict[str, str]]) -> None:
        """Hash a file that is there. It is imported on its own only if it is a record by its name."""
        if path not in seen:
            seen[path] = self._hashed(self.files[path])
            if by_suffix(path) is None or path.endswith(_METRICS):
                self._taken.add(path)

    def _hashed(self, file: SourceFile) -> dict[str, str]:
        if file.size > self._left:
            self.about["unhashed"] = self.about.get("unhashed", 0) + 1
            return {}
        self._left -= file.size
        return digests_of(file, _ALGORITHMS)

    def _metrics(self, digest: str, file: SourceFile) -> None:
        if file.size <= _LARGEST:
            self.kept.setdefault(kept_name(digest), file.read(_LARGEST))

    def _cache(self, digest: str, entry: Mapping[str, Any]) -> Path | None:
        """The file of the cache with an MD5: since DVC 3 below ``files/md5``, before at the top."""
        if self.root is None:
            return None
        cache = self.root / ".dvc" / "cache"
        cache = cache / "files" / "md5" if entry.get("hash") == "md5" else cache
        path = cache / digest[:2] / digest[2:]
        return path if path.is_file() and not path.is_symlink() else None

    def _object(self, digest: str, entry: Mapping[str, Any]) -> None:
        path = self._cache(digest, entry)
        if path is not None and path.stat().st_size <= _LARGEST:
            self.kept.setdefault(kept_name(digest), path.read_bytes())

    def _from_cache(self, digest: str, entry: Mapping[str, Any], whole: str) -> None:
        path = self._cache(digest, entry)
        if path is None:
            return
        size = path.stat().st_size
        file = SourceFile(whole, str(path), size, lambda most: path.read_bytes()[:most], lambda: path.open("rb"))
        found = self._hashed(file)
        if found.get("md5") == digest:
            self._digests[digest] = found
            if whole.endswith(_METRICS):
                self._metrics(digest, file)
