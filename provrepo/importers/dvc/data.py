"""The data of a project of DVC: versions of files and folders, with their contents, and metrics in them."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provrepo.codecs.rdf.terms import is_iri
from provrepo.codecs.yaml_values import parse_yaml
from provrepo.errors import ReadError
from provrepo.importers.commits import GIT_ROOT, revision
from provrepo.importers.contents import state_file
from provrepo.importers.dvc.records import ABOUT, FORMAT, kept_name
from provrepo.importers.git_program import hashed
from provrepo.importers.json_values import Problem, unwritable
from provrepo.importers.masking import without_login
from provrepo.importers.names import segment
from provrepo.importers.runs import state_metric
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, typed, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import DERIVATION, MEMBERSHIP, SPECIALIZATION, Attribute
from provrepo.vocab import DCAT, PROV, PROV_LOCATION, PROVREPO, RDFS_LABEL, SCHEMA
from provrepo.words import counted

__all__ = ["Data"]

_ENTRY = (
    *("path", "md5", "hash", "size", "nfiles", "isexec", "cache", "persist", "remote", "push", "desc", "type"),
    *("labels", "meta", "metric", "plot", "repo", "etag", "checksum", "cloud", "files", "db", "fs_config"),
)
_ELSEWHERE = re.compile(r"/|[A-Za-z]:/|[A-Za-z][A-Za-z0-9+.-]*://")
_MEMBERS = 10_000


class Data(Shapes):
    """Describes data.

    Attributes:
        statements: the document.
        root: the beginning of minted IRIs.
        scope: the beginning of those of this project: a clone of the same repository has the same.
        about: what was found beside the files of DVC.
        objects_kept: path in the archive → bytes: lists of folders, and files of metrics.
        latest: path in the project → its version in the folder, or in the newest commit.
        imported: path and digest of data that came from elsewhere.
    """

    def __init__(
        self, statements: Statements, root: str, digest: str, about: Mapping[str, Any], problems: list[Problem]
    ) -> None:
        super().__init__(problems, "file")
        self.statements, self.root, self.about = statements, root, about
        self.objects_kept: dict[str, bytes] = {}
        self.latest: dict[str, Identifier] = {}
        self.imported: set[tuple[str, str]] = set()
        self._ran: set[tuple[str, str]] = set()
        self._unlisted = self._normalized = 0
        self._digests = self.object(about.get("digests"), f"{ABOUT}/digests")
        self._seen = self.object(about.get("seen"), f"{ABOUT}/seen")
        first = about.get("root")
        self._repository = first if isinstance(first, str) and hashed(first) else ""
        self._folder = self.text(about.get("folder"), f"{ABOUT}/folder")
        place = f"{segment(self._folder.strip('/'))}/" if self._folder else ""
        self.scope = f"{root}{self._repository or digest}/{place}"

    def key(self, folder: str, entry: Mapping[str, Any]) -> tuple[str, str] | None:
        """The path in the project and the digest of an entry; None without a path."""
        path = entry.get("path")
        if not isinstance(path, str) or not path:
            return None
        digest = next((str(entry[name]) for name in ("md5", "etag", "checksum") if entry.get(name)), "")
        return self._inside(folder, path), digest

    def _inside(self, folder: str, path: str) -> str:
        plain = path.replace("\\", "/") if "/" not in path else path
        return plain if _ELSEWHERE.match(plain) else posixpath.normpath(posixpath.join(folder, plain))

    def read(
        self,
        entry: Mapping[str, Any],
        pointer: str,
        folder: str,
        made: Mapping[tuple[str, str], str],
        *,
        source: bool = True,
    ) -> Identifier | None:
        """Describe data that was read: the version that a run of the same state made, or one that no run made.

        Args:
            entry: the dependency.
            pointer: where it is.
            folder: the folder from which its path is.
            made: path and digest → the run that made it.
            source: whether nothing is known of where it comes from, unless a run made it.
        """
        key = self._checked(entry, pointer, folder)
        if key is None:
            return None
        path, digest = key
        if key in made:
            return Identifier(f"{made[key]}/out/{segment(path)}")
        for (other, listed), run in made.items():
            # A file in a folder that a run made as a whole.
            if listed.endswith(".dir") and path.startswith(f"{other}/"):
                return self._member(f"{run}/out/{segment(other)}", path.removeprefix(f"{other}/"), path, entry)
        name = f"{self.scope}version/{segment(path)}/{segment(digest) or 'unknown'}"
        known = not source or key in self.imported
        return self._version(name, path, entry, pointer, types=[] if known else [f"{PROVREPO}Source"])

    def made(
        self, entry: Mapping[str, Any], pointer: str, folder: str, run: str, kinds: Mapping[str, str]
    ) -> Identifier | None:
        """Describe data that a run made, with the metrics in it.

        Args:
            entry: the output.
            pointer: where it is.
            folder: the folder from which its path is.
            run: the run.
            kinds: path in the project → ``metric`` or ``plot``.
        """
        key = self._checked(entry, pointer, folder)
        if key is None:
            return None
        path, digest = key
        kind = next((found for other, found in kinds.items() if path == other or other.startswith(f"{path}/")), "")
        entity = self._version(
            f"{run}/out/{segment(path)}", path, entry, pointer, words(f"{SCHEMA}additionalType", kind)
        )
        if kind == "metric" and (content := self.objects_kept.get(kept_name(digest))) is not None:
            self._metrics(run, path, content, entity)
        return entity

    def elsewhere(self, entry: Mapping[str, Any], pointer: str) -> Identifier | None:
        """Describe data of another place: a URL or path, or a file of another repository at one of its commits."""
        repo = self.object(entry.get("repo"), f"{pointer}/repo")
        path = self.text(entry.get("path"), f"{pointer}/path")
        if not repo:
            return self.read(entry, pointer, "", {})
        self.known(repo, ("url", "rev", "rev_lock", "config", "remote"), f"{pointer}/repo")
        url, commit = (self.text(repo.get(key), f"{pointer}/repo/{key}") for key in ("url", "rev_lock"))
        if not path or not hashed(commit):
            self.problems.append(Problem(pointer, "a path and the commit (rev_lock) are needed; it is not read"))
            return None
        entity = self.statements.entity(
            f"{GIT_ROOT}revision/{commit}/file/{'/'.join(map(segment, path.split('/')))}",
            words(RDFS_LABEL, without_login(path)),
            words(PROV_LOCATION, without_login(url)),
            types=[f"{PROVREPO}Source"],
        )
        self.statements.entity(revision(commit), types=[f"{PROV}Collection"])
        self.statements.relate(MEMBERSHIP, revision(commit), entity)
        return entity

    def _checked(self, entry: Mapping[str, Any], pointer: str, folder: str) -> tuple[str, str] | None:
        self.known(entry, _ENTRY, pointer)
        key = self.key(folder, entry)
        if key is None:
            self.problems.append(Problem(f"{pointer}/path", "a path is needed; it is not read"))
        return key

    def _version(
        self,
        name: str,
        path: str,
        entry: Mapping[str, Any],
        pointer: str,
        *attributes: Iterable[Attribute],
        types: Iterable[str] = (),
    ) -> Identifier:
        digests, normalized = self._known(entry, path)
        size = entry.get("size")
        directory = str(entry.get("md5", "")).endswith(".dir") or isinstance(entry.get("files"), list)
        entity = state_file(
            self.statements,
            name,
            without_login(path),
            digests,
            [typed(f"{DCAT}byteSize", str(size), "integer")] if type(size) is int else [],
            [each for key in ("etag", "checksum") for each in words(f"{SCHEMA}identifier", entry.get(key))],
            normalized,
            *attributes,
            types=[*types, *([f"{PROV}Collection"] if directory else [])],
        )
        self.statements.relate(SPECIALIZATION, entity, self._general(path))
        if directory:
            self._listed(entity, path, entry, pointer)
        return entity

    def _general(self, path: str) -> Identifier:
        """Describe the file in all its versions: that of the history of Git, if the repository is known."""
        shown = without_login(path)
        if "://" in path and is_iri(shown):
            name = shown
        elif self._repository and not _ELSEWHERE.match(path) and not path.startswith("../"):
            whole = posixpath.normpath(posixpath.join(self._folder, path))
            name = f"{GIT_ROOT}repository/{self._repository}/file/{'/'.join(map(segment, whole.split('/')))}"
        else:
            name = f"{self.scope}file/{segment(path)}"
        return self.statements.entity(name, words(RDFS_LABEL, shown), types=[f"{DCAT}Dataset"])

    def _known(self, entry: Mapping[str, Any], path: str) -> tuple[dict[str, str], list[Attribute]]:
        """The digests of the bytes of a file, and digests that are of something else.

        ``hash: md5`` says that the MD5 is of the bytes. Without it a version of DVC before 3 wrote it, which replaced
        the ends of lines of texts first: then it is of the bytes only if the file that is there has it, too.
        """
        digest = entry.get("md5")
        if not isinstance(digest, str):
            return {}, []
        if digest.endswith(".dir"):
            return {}, words(f"{SCHEMA}identifier", f"md5:{digest}")
        computed = self._digests.get(digest)
        all_known = {k: v for k, v in computed.items() if isinstance(v, str)} if isinstance(computed, dict) else {}
        if entry.get("hash") == "md5" or self._seen.get(path) == digest:
            return {"md5": digest, **all_known}, []
        self._normalized += 1
        return {}, words(f"{SCHEMA}identifier", f"md5-dos2unix:{digest}")

    def _listed(self, folder: Identifier, path: str, entry: Mapping[str, Any], pointer: str) -> None:
        """Describe the files of a folder, of the list in the entry or in the cache."""
        listed, place = entry.get("files"), f"{pointer}/files"
        if not isinstance(listed, list):
            place = kept_name(str(entry.get("md5")))
            content = self.objects_kept.get(place)
            if content is None:
                self._unlisted += 1
                return
            try:
                listed = json.loads(content)
            except (ValueError, RecursionError) as error:
                self.problems.append(Problem(place, f"no list of a folder: {error}"))
                return
            if next(unwritable(listed, place), None) is not None:
                self.problems.append(Problem(place, "no list of a folder: a text or number that cannot be written"))
                return
        for where, member in self.objects(listed, place)[:_MEMBERS]:
            inside = self.text(member.get("relpath"), f"{where}/relpath")
            if not inside or posixpath.normpath(inside).startswith(("..", "/")):
                self.problems.append(Problem(f"{where}/relpath", "a path in the folder is needed; it is not read"))
                continue
            about = {"hash": entry.get("hash"), **member}
            self._member(folder, inside, posixpath.join(path, inside), about)
        if isinstance(listed, list) and len(listed) > _MEMBERS:
            self.problems.append(Problem(place, f"only the first {_MEMBERS:,} files of this folder are stated"))

    def _member(self, folder: str, inside: str, path: str, entry: Mapping[str, Any]) -> Identifier:
        digests, normalized = self._known(entry, path)
        entity = state_file(self.statements, f"{folder}/{segment(inside)}", without_login(path), digests, normalized)
        self.statements.entity(folder, types=[f"{PROV}Collection"])
        self.statements.relate(MEMBERSHIP, folder, entity)
        return entity

    def _metrics(self, run: str, path: str, content: bytes, entity: Identifier) -> None:
        """Describe each number in a file of metrics; they are in the version that the run made."""
        try:
            if path.endswith(".json"):
                found = json.loads(content)
            elif path.endswith(".toml"):
                found = tomllib.loads(content.decode())
            else:
                found = parse_yaml(content, FORMAT)
        except (ReadError, ValueError, RecursionError) as error:
            self.problems.append(Problem(path, f"no metrics are read: {error}"))
            return
        for name, number in _numbers(found, ""):
            metric = state_metric(
                self.statements, f"{run}/metric/{segment(path)}/{segment(name)}", run, without_login(name), number
            )
            self.statements.relate(DERIVATION, metric, entity)

    def notes(self) -> Iterator[str]:
        """What is not known of the data."""
        if self._unlisted:
            yield f"the files in {counted(self._unlisted, 'folder')} are not known: the cache of DVC is not there"
        if self._normalized:
            hashes = counted(self._normalized, "MD5")
            yield (
                f"{hashes} of a version of DVC before 3, which replaced the ends of lines of texts before hashing: "
                "these files have no content. `dvc commit --force` with DVC 3 computes the MD5 of the bytes"
            )


def _numbers(found: Any, before: str) -> Iterator[tuple[str, int | float]]:
    """The numbers in a value, with their keys joined by dots."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from _numbers(value, f"{before}.{key}" if before else str(key))
    elif isinstance(found, int | float) and not isinstance(found, bool) and found - found == 0:
        yield before or "value", found
