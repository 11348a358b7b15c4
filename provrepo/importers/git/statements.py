"""The statements about commits: versions of files, what they come from, tags, and commands that DataLad recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provrepo.importers.commits import GIT_ROOT, Commit, read_person, revision, state_commit, state_person
from provrepo.importers.contents import state_file
from provrepo.importers.git.pointers import pointed
from provrepo.importers.git.runs import declared_in, record_in, without_record
from provrepo.importers.git_program import hashed
from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.masking import without_login
from provrepo.importers.names import segment
from provrepo.importers.runs import COMPLETED, FAILED, status
from provrepo.importers.shapes import Shapes
from provrepo.importers.statements import Statements, link, typed, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import (
    ASSOCIATION,
    ATTRIBUTION,
    COMMUNICATION,
    DERIVATION,
    GENERATION,
    INVALIDATION,
    MEMBERSHIP,
    SPECIALIZATION,
    USAGE,
    Attribute,
)
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_TYPE, PROVREPO, RDFS_LABEL, SCHEMA
from provrepo.words import counted

__all__ = ["Stating", "state"]

_LINK, _SUBMODULE = "120000", "160000"
_RECORD = ("chain", "cmd", "dsid", "exit", "extra_inputs", "inputs", "outputs", "pwd")


class Stating(Shapes):
    """Makes the statements of one history.

    Attributes:
        statements: the document.
    """

    def __init__(self, statements: Statements, problems: list[Problem], found: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            statements: the document.
            problems: more are added.
            found: the history.
        """
        super().__init__(problems, "history")
        self.statements = statements
        members = ("gitHistory", "root", "range", "partial", "commits", "digests", "pointers", "tags")
        self.known(found, members, "")
        root = found.get("root")
        self._repository = f"{GIT_ROOT}repository/{root}/" if isinstance(root, str) and hashed(root) else ""
        self._partial = found.get("partial") is True
        self._tags = self.objects(found.get("tags"), "/tags")
        self._digests = self.object(found.get("digests"), "/digests")
        self._pointers = self.object(found.get("pointers"), "/pointers")
        self._cut = self._outside = 0
        self._described: set[str] = set()

    def file(self, found: Mapping[str, Any], commit: str, pointer: str) -> Identifier | None:
        """Describe a version of a file; None if its record is none.

        Args:
            found: ``path``, ``mode`` and ``content``.
            commit: the commit that made it; empty if that is not among those that were asked for.
            pointer: where it is.
        """
        path, content = (self.text(found.get(name), f"{pointer}/{name}") for name in ("path", "content"))
        if not path or not hashed(content):
            self.problems.append(Problem(pointer, "the path and the hash of a file are needed; it is not read"))
            return None
        place = "/".join(map(segment, path.split("/")))
        name = f"{GIT_ROOT}commit/{commit}/file/{place}" if commit else f"{GIT_ROOT}content/{content}/file/{place}"
        if name in self._described:
            return Identifier(name)
        self._described.add(name)
        if not commit:
            self._outside += 1
        mode = self.text(found.get("mode"), f"{pointer}/mode")
        digests, attributes = self._bytes(content, mode, pointer)
        types = [] if commit else [f"{PROVREPO}Source"]
        entity = state_file(self.statements, name, without_login(path), digests, attributes, types=types)
        if self._repository:
            general = self.statements.entity(
                f"{self._repository}file/{place}", words(RDFS_LABEL, without_login(path)), types=[f"{DCAT}Dataset"]
            )
            self.statements.relate(SPECIALIZATION, entity, general)
        return entity

    def _bytes(self, content: str, mode: str, pointer: str) -> tuple[dict[str, str], list[Attribute]]:
        """The digests of the bytes of a file, and what else is known of them."""
        if mode == _SUBMODULE:
            return {"gitCommit": content}, []
        own = words(f"{SCHEMA}identifier", f"swh:1:cnt:{content}")
        text = self._pointers.get(content)
        found = pointed(text, link=mode == _LINK) if isinstance(text, str) else None
        if found is None:
            # A link is the path to another file, and has no bytes of its own.
            return ({}, own) if mode == _LINK else ({"gitBlob": content, **self._computed(content)}, [])
        if found.problem or not found.digests:
            what = found.problem or f"{found.by} names it by {without_login(found.key)[:100]}, which is no hash of it"
            self.problems.append(Problem(pointer, f"{what}; it is connected with no content"))
        size = [] if found.size is None else [typed(f"{DCAT}byteSize", str(found.size), "integer")]
        return found.digests, [*own, *words(f"{SCHEMA}identifier", found.key), *size]

    def _computed(self, content: str) -> dict[str, str]:
        found = self._digests.get(content)
        kept = found if isinstance(found, dict) else {}
        return {name: digest for name, digest in kept.items() if isinstance(digest, str)}

    def sources(self, change: Mapping[str, Any], pointer: str) -> list[Identifier]:
        """Describe the versions that a change was made of."""
        found = []
        for place, item in self.objects(change.get("sources"), f"{pointer}/sources"):
            commit = self.text(item.get("commit"), f"{place}/commit")
            found.append(self.file(item, commit if hashed(commit) else "", place))
        return [each for each in found if each is not None]

    def cut(self) -> None:
        """Count a commit of which the repository has no parents."""
        self._cut += 1

    def tags(self) -> None:
        """Describe the tags: each is a name of a revision."""
        for place, tag in self._tags:
            name, commit = (self.text(tag.get(key), f"{place}/{key}") for key in ("name", "commit"))
            if not name or not hashed(commit):
                self.problems.append(Problem(place, "a tag has a name and a commit; it is not read"))
                continue
            where = self._repository or f"{GIT_ROOT}commit/{commit}/"
            entity = self.statements.entity(
                f"{where}tag/{segment(name)}/{commit}",
                words(RDFS_LABEL, name),
                words(f"{DCTERMS}description", self.text(tag.get("message"), f"{place}/message")),
            )
            self.statements.entity(revision(commit))
            self.statements.relate(DERIVATION, entity, revision(commit))
            if "tagger" in tag:
                person = read_person(self, tag, "tagger", place)
                if person.time:
                    self.statements.entity(entity, [typed(f"{SCHEMA}dateCreated", person.time, "dateTime")])
                agent = state_person(self.statements, person)
                if agent is not None:
                    self.statements.relate(ATTRIBUTION, entity, agent)

    def notes(self) -> Iterable[str]:
        """What is not known of the whole history."""
        if self._outside:
            yield (
                f"{counted(self._outside, 'version')} of files were made by commits that are not in this range; they "
                "are named by their content"
            )
        if self._cut:
            yield (
                f"this clone is shallow: it has {counted(self._cut, 'commit')} without the commits before; which files "
                "they changed is not known. `git fetch --unshallow` completes it"
            )
        if self._partial:
            yield "this clone is partial: nothing is fetched, so contents have the hash of git alone"


def state(stating: Stating, commit: Commit, found: Mapping[str, Any], pointer: str) -> None:
    """State what a commit did.

    Args:
        stating: the history.
        commit: the commit.
        found: its record.
        pointer: where it is.
    """
    statements, time = stating.statements, commit.committer.time
    stating.known(found, ("id", "parents", "author", "committer", "message", "changes", "inputs", "cut"), pointer)
    activity = state_commit(statements, commit._replace(message=without_record(commit.message)))
    for parent in commit.parents:
        statements.entity(revision(parent))
        statements.relate(DERIVATION, revision(commit.id), revision(parent))
    cut = found.get("cut") is True
    if cut:
        stating.cut()
    run = _run(stating, commit, activity, found, pointer)
    maker = activity if run is None else run
    for place, change in stating.objects(found.get("changes"), f"{pointer}/changes"):
        kind = stating.text(change.get("kind"), f"{place}/kind")
        sources = stating.sources(change, place)
        if kind == "D":
            for source in sources:
                statements.relate(INVALIDATION, source, activity, time)
            continue
        version = stating.file(change, commit.id, place)
        if version is None:
            continue
        statements.entity(revision(commit.id), types=[f"{PROV}Collection"])
        statements.relate(MEMBERSHIP, revision(commit.id), version)
        if cut:
            statements.entity(version, types=[f"{PROVREPO}Source"])
            continue
        statements.relate(GENERATION, version, maker, time)
        revised = [link(PROV_TYPE, f"{PROV}Revision")] if kind in ("M", "R", "T") else []
        for source in sources:
            statements.relate(DERIVATION, version, source, attributes=revised)


def _run(
    stating: Stating, commit: Commit, activity: Identifier, found: Mapping[str, Any], pointer: str
) -> Identifier | None:
    """Describe the command that DataLad recorded in a commit: an activity that made the files of the commit.

    Returns:
        It, if it completed: a command that failed made nothing.
    """
    record, problem = record_in(commit.message)
    if problem:
        stating.problems.append(Problem(f"{pointer}/message", problem))
    if record is None:
        return None
    statements, at = stating.statements, f"{pointer}/message"
    stating.known(record, _RECORD, at)
    command = record.get("cmd")
    command = " ".join(map(str, command)) if isinstance(command, list) else stating.text(command, f"{at}/cmd")
    code = stating.number(record.get("exit"), f"{at}/exit")
    failed = code not in (None, 0)
    run = statements.activity(
        f"{GIT_ROOT}commit/{commit.id}/run",
        None,
        # DataLad keeps no times. It commits what the command made when that has ended.
        commit.committer.time,
        words(RDFS_LABEL, commit.subject.removeprefix("[DATALAD RUNCMD]").strip() or command[:100]),
        [] if code is None else status(FAILED if failed else COMPLETED),
        [] if code is None else [typed(f"{SCHEMA}exitCode", str(code), "integer")],
        words(f"{SCHEMA}isPartOf", record.get("dsid")),
        [
            link(f"{SCHEMA}isBasedOn", f"{GIT_ROOT}commit/{earlier}/run")
            for earlier in stating.texts(record.get("chain"), f"{at}/chain")
            if hashed(earlier)
        ],
    )
    agent = state_person(statements, commit.author)
    if agent is not None:
        kind, shown = [f"{PROV}Plan"], words(RDFS_LABEL, command)
        plan = statements.entity(f"{GIT_ROOT}commit/{commit.id}/command", shown, types=kind) if command else None
        statements.relate(ASSOCIATION, run, agent, plan)
    statements.relate(COMMUNICATION, activity, run)
    _, outside = declared_in(commit.message)
    for path in outside:
        stating.problems.append(Problem(at, f"the input {without_login(path)[:200]} is outside of the repository"))
    inputs = stating.object(found.get("inputs"), f"{pointer}/inputs")
    for declared, files in inputs.items():
        place = f"{pointer}/inputs/{escaped(declared)}"
        listed = stating.objects(files, place)
        if not listed:
            stating.problems.append(Problem(place, "no file of the commit before has this path; nothing is used"))
        for where, file in listed:
            maker = stating.text(file.get("commit"), f"{where}/commit")
            entity = stating.file(file, maker if hashed(maker) else "", where)
            if entity is not None:
                statements.relate(USAGE, run, entity)
    return None if failed else run
