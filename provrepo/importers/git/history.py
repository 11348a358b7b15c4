"""Asks git for the history of a repository: the records of commits, of which documents are made.

The records of a document are JSON: what git says, and digests of the contents of files. Nothing else of the files is
kept but pointers, which stand for files that are not in the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import new as new_hash
from pathlib import Path, PurePosixPath
from typing import Any

from provrepo.errors import ReadError
from provrepo.importers.commits import commit_record
from provrepo.importers.git.diffs import Change, File, changes, differences
from provrepo.importers.git.pointers import LONGEST, pointed
from provrepo.importers.git.runs import declared_in
from provrepo.importers.git_program import Git
from provrepo.importers.json_values import canonical
from provrepo.importers.parts import Part, Skipped
from provrepo.limits import GIT_COMMITS, GIT_HASHED
from provrepo.words import counted

__all__ = ["FORMAT", "history"]

FORMAT = "git"

_COMMITS = 500
_BYTES = 8 << 20
_LARGE = 16 << 20
_ALGORITHMS = ("md5", "sha1", "sha256")
_LINK, _SUBMODULE = "120000", "160000"
_RAW = ("--stdin", "--always", "--root", "-r", "-z", "--raw", "--no-abbrev", "--no-ext-diff", "--no-textconv")
_TAG = "%(refname:strip=2)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)%00%(taggername) %(taggeremail) %(taggerdate:raw)%00%(contents:subject)%00"  # noqa: E501


def history(folder: Path, wanted: str | None) -> Iterator[Part | Skipped]:
    """The documents of the history of a repository.

    Args:
        folder: the repository, or a folder in it.
        wanted: the range of commits, such as ``v1..v2``; None for all that the current commit comes from.

    Raises:
        ReadError: git is missing or says why it cannot, or the range is none of this repository.
    """
    git = Git(folder)
    since, until = _ends(git, wanted)
    asked = ["rev-list", "--topo-order", "--parents", f"--max-count={GIT_COMMITS + 1}", until]
    lines = [line.split() for line in git.text(*asked, *([f"^{since}"] if since else [])).splitlines()]
    more = len(lines) > GIT_COMMITS
    parents = {line[0]: line[1:] for line in reversed(lines[:GIT_COMMITS])}
    if not parents:
        yield Skipped(wanted or "HEAD", "there are no commits in this range")
        return
    first = git.text("rev-list", "--first-parent", "--max-parents=0", until).split()
    partial = _partial(git)
    about = {
        "gitHistory": 1,
        "root": None if git.shallow or not first else first[0],
        "range": wanted,
        "partial": partial,
    }
    collecting = _Collecting(git, parents, partial=partial)
    name = f"git-{(first or list(parents))[0][:12]}"
    tags = _tags(git, parents.keys())
    for number, records in enumerate(collecting.documents()):
        commits = {record["id"] for record in records}
        data = _document(about, records, [tag for tag in tags if tag["commit"] in commits], collecting)
        begins = number == 0 and not since and not more
        yield Part(name if begins else f"{name}-{records[0]['id'][:12]}", data, FORMAT, str(folder))
    if more:
        reason = f"only the newest {counted(GIT_COMMITS, 'commit')} are imported; name earlier ones with --range A..B"
        yield Skipped(f"commits before {next(iter(parents))[:12]}", reason)
    if collecting.unhashed:
        reason = f"more than {GIT_HASHED:,} bytes in all, or {_LARGE:,} in one file; they have the hash of git alone"
        yield Skipped(f"the digests of {counted(collecting.unhashed, 'content')}", reason)


def _ends(git: Git, wanted: str | None) -> tuple[str, str]:
    """The commits before and at the end of a range; an empty one for none before."""
    if wanted is None:
        return "", git.commit("HEAD")
    if "..." in wanted:
        raise ReadError(f"{wanted[:200]}: write a range as A..B, for the commits that B has and A has not")
    since, dots, until = wanted.partition("..")
    if not dots:
        since, until = "", wanted
    return (git.commit(since) if since else ""), git.commit(until or "HEAD")


def _partial(git: Git) -> bool:
    """Whether contents of files may be at another place, from which they are not fetched."""
    try:
        return bool(git.text("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$").strip())
    except ReadError:
        return False


def _tags(git: Git, commits: Iterable[str]) -> list[dict[str, Any]]:
    fields = git.text("for-each-ref", "--sort=refname", f"--format={_TAG}", "refs/tags").split("\0")
    known, found = set(commits), []
    for start in range(0, len(fields) - 6, 7):
        name, id_, kind, inner, inner_kind, tagger, subject = fields[start : start + 7]
        commit = id_ if kind == "commit" else inner if inner_kind == "commit" else ""
        if commit in known:
            annotated = {"tagger": tagger, "message": subject} if kind == "tag" else {}
            found.append({"name": name.lstrip("\n"), "commit": commit, **annotated})
    return found


@dataclass
class _Collecting:
    """Goes through a history, parents first.

    Attributes:
        git: the repository.
        parents: commit → its parents, as far as the repository has them, in this order.
        partial: whether contents may be missing.
        pointers: hash of a content → its text, if it is a pointer.
        digests: hash of a content → its digests.
        unhashed: the number of contents that are not hashed since there are too many bytes.
    """

    git: Git
    parents: Mapping[str, list[str]]
    partial: bool
    pointers: dict[str, str] = field(default_factory=dict)
    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    unhashed: int = 0
    _made: dict[str, dict[str, str]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _left: int = GIT_HASHED

    def documents(self) -> Iterator[list[dict[str, Any]]]:
        """The records of the commits of each document."""
        children: dict[str, int] = {}
        for parent in (parent for several in self.parents.values() for parent in several):
            children[parent] = children.get(parent, 0) + 1
        pending, size = list[dict[str, Any]](), 0
        ids = list(self.parents)
        for start in range(0, len(ids), _COMMITS):
            for record in self._records(ids[start : start + _COMMITS], children):
                length = len(canonical(record)) + 300 * len(record["changes"])
                if pending and (len(pending) >= _COMMITS or size + length > _BYTES):
                    yield pending
                    pending, size = [], 0
                pending.append(record)
                size += length
        yield pending

    def _records(self, ids: list[str], children: dict[str, int]) -> Iterator[dict[str, Any]]:
        asked = [" ".join((id_, *some)) for id_ in ids for some in ([[each] for each in self.parents[id_]] or [[]])]
        # Without the contents only equal ones can be recognized.
        alike = ("-M100%", "-C100%") if self.partial else ("-M", "-C")
        found = differences(self.git.text("diff-tree", *_RAW, *alike, given=asked))
        records, touched = [], list[tuple[str, str]]()
        for commit in self.git.objects(ids):
            record = commit_record(commit.id, commit.data)
            several = [next(found) for _ in self.parents[commit.id] or [""]]
            # A shallow clone has a commit and not its parents: that the commit has a file is then all that is known.
            record["changes"] = self._changes(commit.id, several, children, record)
            touched += [(each["content"], each["mode"]) for each in _files(record) if "content" in each]
            records.append(record)
        if len(records) != len(ids):
            raise ReadError(f"git has {len(records)} of {len(ids)} commits; `git fsck` says what is damaged")
        self._look(touched)
        yield from records

    def _changes(
        self, id_: str, found: list[Any], children: dict[str, int], record: dict[str, Any]
    ) -> list[dict[str, Any]]:
        parents = self.parents[id_]
        maps = [self._made.get(parent, {}) for parent in parents]
        before: dict[str, str] = maps[0] if maps else {}
        declared, _ = declared_in(record["message"])
        if declared is not None:
            record["inputs"] = self._inputs(parents[0] if parents else "", declared, before)
        alone = len(parents) == 1 and children[parents[0]] == 1
        made = before if alone else dict(before)
        listed = changes(id_, found, maps, made)
        for parent in parents:
            children[parent] -= 1
            if not children[parent]:
                self._made.pop(parent, None)
        if children.get(id_):
            self._made[id_] = made
        if record["parents"] and not parents:
            record["cut"] = True
        return [_recorded(change) for change in listed]

    def _inputs(self, parent: str, declared: list[str], made: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
        """The files of the parent that each declared input of a command stands for."""
        if not parent or not declared:
            return {path: [] for path in declared}
        globs = any(set(path) & set("*?[") for path in declared)
        wanted = [] if globs or "" in declared else ["--", *declared]
        listed = self.git.text("ls-tree", "-r", "-z", "--full-tree", parent, *wanted)
        files = []
        for line in filter(None, listed.split("\0")):
            about, _, path = line.partition("\t")
            mode, _, content = about.split(" ")
            files.append((path, mode, content, made.get(path, "")))
        return {path: [_file(each) for each in files if _belongs(each[0], path)] for path in declared}

    def _look(self, touched: list[tuple[str, str]]) -> None:
        """Read the contents that were not read before: pointers, and digests of all."""
        links = {content for content, mode in touched if mode == _LINK}
        new = dict.fromkeys(c for c, mode in touched if mode != _SUBMODULE and c not in self._seen)
        if self.partial or not new:
            return
        self._seen |= new.keys()
        wanted = []
        for content, size in self.git.sizes(new).items():
            if size > min(self._left, _LARGE):
                self.unhashed += 1
                continue
            self._left -= size
            wanted.append(content)
        for each in self.git.objects(wanted):
            text = each.data.decode("utf-8", "replace") if len(each.data) <= LONGEST else ""
            link = each.id in links
            if text and pointed(text, link=link):
                self.pointers[each.id] = text
            elif not link:
                found = {name: new_hash(name, each.data, usedforsecurity=False).hexdigest() for name in _ALGORITHMS}
                self.digests[each.id] = found


def _files(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The files of a commit: what it changed, what that comes from, and the inputs of a command."""
    for change in record["changes"]:
        yield change
        yield from change.get("sources", ())
    for files in record.get("inputs", {}).values():
        yield from files


def _file(found: File) -> dict[str, str]:
    names = ("path", "mode", "content", "commit")
    return {name: value for name, value in zip(names, found, strict=True) if value}


def _recorded(change: Change) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": change.kind, "path": change.path}
    if change.content:
        record |= {"mode": change.mode, "content": change.content}
    return record | ({"sources": [_file(each) for each in change.sources]} if change.sources else {})


def _belongs(path: str, declared: str) -> bool:
    if declared in ("", path) or path.startswith(f"{declared}/"):
        return True
    # Python's * crosses slashes, which DataLad's does not.
    return len(PurePosixPath(path).parts) == len(PurePosixPath(declared).parts) and fnmatchcase(path, declared)


def _document(
    about: Mapping[str, Any], records: list[dict[str, Any]], tags: list[dict[str, Any]], collecting: _Collecting
) -> bytes:
    """JSON with one commit in each line."""
    contents = {each["content"] for record in records for each in _files(record) if "content" in each}
    pointers = {key: text for key, text in collecting.pointers.items() if key in contents}
    digests = {key: found for key, found in collecting.digests.items() if key in contents}
    head = canonical(about)[:-1]
    lines = b",\n".join(canonical(record) for record in records)
    tail = canonical({"digests": digests, "pointers": pointers, "tags": tags})[1:]
    return head + b',"commits":[\n' + lines + b"\n]," + tail + b"\n"
