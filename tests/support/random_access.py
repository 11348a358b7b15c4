"""Random operations of random callers over HTTP, beside a simple model of who may do and see what.

``python -m tests.support.random_access --operations 10000`` runs that many, and ``tests/server/test_random_access.py``
fewer. Each operation has to end as the model says. After each, one caller reads at random: lists, counts, SPARQL,
lineage and search have to contain exactly what the caller may see, and no answer, in any representation, may contain a
text of a project that the caller may not read, or of a withdrawn document. Each document has a word of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provrepo.errors import Denied
from tests.support.serving import PROVN_TYPE, Site, reopened

__all__ = ["Walk", "walked"]

RIGHTS = ("read", "submit", "curate", "manage")
"""Each right, after those that it needs."""

ROLES = {"reader": RIGHTS[:1], "submitter": RIGHTS[:2], "curator": RIGHTS[:3], "owner": RIGHTS}
PEOPLE = ("ada", "bob", "cyn", "dan")
PROJECTS = ("kanaripa", "kanaripb", "kanaripc")
DOCUMENTS = ("one", "two")
SHARED = "https://example.org/shared"
"""All documents derive from it, so that its lineage leads into every project."""

TYPES = ("application/json", "text/html", "*/*")
LABELS = "SELECT ?label { ?thing <http://www.w3.org/2000/01/rdf-schema#label> ?label }"
EVERYWHERE = (
    "/", "/projects", "/catalog", "/.well-known/void", "/sitemap.xml", "/metrics", "/health", "/queries", "/notices",
    "/holders", "/pushes", "/peers", "/mirrors", "/api/v1/namespaces", "/api/v1/search?q=kanari", "/session",
    "/search?q=kanari&limit=500", f"/lineage?direction=downstream&iri={SHARED}", f"/lineage/impact?iri={SHARED}",
    f"/thing?iri={SHARED}", f"/lineage/common?iri={SHARED}&iri={SHARED}x", f"/sparql?query={quote(LABELS)}",
    "/queries/agents", "/sparql/terms?q=kanari", "/robots.txt",
)  # fmt: skip
"""Paths of the whole repository."""

WITHIN = (
    "", "/documents", "/ledger", "/audit", "/members", "/exposure", "/catalog", "/invitations",
    "/datasets", "/dataset", "/metrics",
    "/graphs", "/pending", "/pingbacks", "/holders", "/notices", "/pushes", "/package", "/to-run-again", "/mirror",
    "/documents?withdrawn=true",
    f"/sparql?query={quote(LABELS)}",
    *(f"/documents/one{rest}" for rest in (
        "", "/versions", "/metadata", "/original", "/report", "/statements", "/versions/1", "/versions/1/original",
        "/versions/1/statements", "/diff?from=1&to=2", "/linkset", "/citation", "/pingbacks",
    )),
)  # fmt: skip
"""Paths below a project."""


@dataclass
class Kept:
    """A document of the model: its submitter, the word of each version, and whether it is withdrawn."""

    submitter: str
    words: list[str]
    withdrawn: bool = False


@dataclass
class Known:
    """A project of the model."""

    public: bool = False
    title: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Kept] = field(default_factory=dict)
    archived: bool = False
    embargo: bool = False

    def keeps_an_owner(self, who: str) -> bool:
        """Whether the project has an owner besides somebody, or that one is no owner."""
        owners = {name for name, role in self.roles.items() if role == "owner"}
        return owners != {who}


@dataclass(frozen=True)
class Caller:
    """Who sends a request.

    Attributes:
        name: the name of the actor; empty for anonymous.
        scopes: of the token; None for a token that gives access by itself.
        projects: of the token; None for all.
        write: for a token without scopes.
        token: its text.
    """

    name: str
    scopes: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    write: bool = False
    token: str = ""
    cookie: str = ""
    """Of the session of a review link, which reads one project."""


class Walk:
    """A repository with its model.

    Attributes:
        problems: one sentence each.
        done: the number of operations and reads by name and result.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.problems = site, list[str]()
        self.done: Counter[str] = Counter()
        self._draw = random.Random(seed)
        self._projects: dict[str, Known] = {}
        self._administrators: set[str] = set()
        self._words = 0
        self._callers = [Caller("")]
        self._links: dict[str, Caller] = {}
        for person in PEOPLE:
            site.owner.add_user(person)
            self._issue(person, RIGHTS)
            self._issue(person, ("read", "submit"))
        self._issue("ada", RIGHTS, PROJECTS[:1])
        self._issue("service", None, write=True)
        self._issue("dashboard", None)

    # The model --------------------------------------------------------------------------------------------------------

    def rights(self, caller: Caller, project: str) -> tuple[str, ...]:
        """What a caller may do in a project; nothing if there is none."""
        known = self._projects.get(project)
        if known is None:
            return ()
        found: tuple[str, ...] = ()
        if caller.name and (caller.projects is None or project in caller.projects):
            if caller.scopes is None:
                found = RIGHTS if caller.write and caller.projects is None else RIGHTS[: 3 if caller.write else 1]
            else:
                role = "owner" if caller.name in self._administrators else known.roles.get(caller.name, "")
                found = tuple(right for right in ROLES.get(role, ()) if right in caller.scopes)
        return found or (("read",) if known.public else ())

    def administers(self, caller: Caller) -> bool:
        """Whether a caller may create projects."""
        if caller.scopes is None:
            return caller.write and caller.projects is None
        return caller.name in self._administrators and "manage" in caller.scopes and caller.projects is None

    def readable(self, caller: Caller) -> set[str]:
        """The projects that a caller may read."""
        return {name for name in self._projects if self.rights(caller, name)}

    def current(self, projects: Iterable[str]) -> set[str]:
        """The words of the current versions in some projects."""
        kept = (kept for name in projects for kept in self._projects[name].documents.values())
        return {one.words[-1] for one in kept if not one.withdrawn}

    def hidden(self, caller: Caller) -> set[str]:
        """The texts that no answer to a caller may contain."""
        found: set[str] = set()
        for name, known in self._projects.items():
            rights = self.rights(caller, name)
            for kept in known.documents.values():
                if not rights or (kept.withdrawn and "curate" not in rights):
                    found.update(kept.words)
            if not rights and known.title:
                found.add(known.title)
        return found

    # Operations -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One operation of a random caller, and one read of another."""
        operation, project = self._draw.choice(self._OPERATIONS), self._draw.choice(PROJECTS)
        operation(self, self._someone(project), project, self._draw.choice(DOCUMENTS))
        self.read(self._draw.choice(self._reviewers) if self._draw.random() < 0.1 else self._someone(project))

    @property
    def _reviewers(self) -> list[Caller]:
        """The callers with a review link; everybody while there is none."""
        return list(self._links.values()) or self._callers

    def _someone(self, project: str) -> Caller:
        """A caller; more often one who may do something in a project, so that something happens."""
        entitled = [one for one in self._callers if self.rights(one, project) or self.administers(one)]
        return self._draw.choice(entitled if entitled and self._draw.random() < 0.6 else self._callers)

    def _create(self, caller: Caller, project: str, _: str) -> None:
        title, public = self._word(), self._draw.random() < 0.3
        answer = self._send(caller, "POST", "/projects", json={"name": project, "title": title, "public": public})
        allowed = {409} if project in self._projects else {201}
        if self._ended("create", caller, answer, allowed if self.administers(caller) else self._denied(caller)):
            self._projects[project] = Known(public, title)

    def _settings(self, caller: Caller, project: str, _: str) -> None:
        title, public = self._word(), self._draw.random() < 0.4
        answer = self._send(caller, "PATCH", f"/projects/{project}", json={"title": title, "public": public})
        allowed = {409} if public and self._projects.get(project, Known()).embargo else {200}
        if self._ended("settings", caller, answer, self._expected(caller, project, "manage", allowed)):
            self._projects[project].title, self._projects[project].public = title, public

    def _member(self, caller: Caller, project: str, _: str) -> None:
        who, role = self._draw.choice(PEOPLE), self._draw.choice(list(ROLES))
        kept = role == "owner" or self._projects.get(project, Known()).keeps_an_owner(who)
        allowed = {200} if kept or self.administers(caller) else {409}
        answer = self._send(caller, "POST", f"/projects/{project}/members", json={"who": who, "role": role})
        if self._ended("member", caller, answer, self._expected(caller, project, "manage", allowed)):
            self._projects[project].roles[who] = role

    def _leave(self, caller: Caller, project: str, _: str) -> None:
        who = self._draw.choice(PEOPLE)
        known = self._projects.get(project, Known())
        allowed = {204} if who in known.roles else {404}
        if not known.keeps_an_owner(who) and not self.administers(caller):
            allowed = {409}
        answer = self._send(caller, "DELETE", f"/projects/{project}/members/{who}")
        if self._ended("no member", caller, answer, self._expected(caller, project, "manage", allowed)):
            known.roles.pop(who, None)

    def _transfer(self, caller: Caller, project: str, _: str) -> None:
        who, known = self._draw.choice(PEOPLE), self._projects.get(project, Known())
        owners = {name for name, role in known.roles.items() if role == "owner"}
        former = ({caller.name} if caller.name in owners else owners) - {who}
        answer = self._send(caller, "POST", f"/projects/{project}/transfer", json={"who": who})
        allowed = {200} if former or who not in owners else {409}
        if self._ended("transfer", caller, answer, self._expected(caller, project, "manage", allowed)):
            known.roles |= {**dict.fromkeys(former, "curator"), who: "owner"}

    def _archive(self, caller: Caller, project: str, _: str) -> None:
        wanted, known = self._draw.random() < 0.3, self._projects.get(project, Known())
        answer = self._send(caller, "PATCH", f"/projects/{project}", json={"archived": wanted})
        expected = self._expected(caller, project, "manage", {200}, ends=not wanted)
        if self._ended("archive", caller, answer, expected):
            known.archived = wanted

    def _close(self, caller: Caller, project: str, _: str) -> None:
        lift, known = self._draw.random() < 0.5, self._projects.get(project, Known())
        path = f"/projects/{project}/embargo"
        if lift:
            answer = self._send(caller, "DELETE", path)
        else:
            answer = self._send(caller, "PUT", path, json={"until": f"21{self._draw.randrange(30, 99)}-01-01"})
        allowed = {409} if known.public or (lift and not known.embargo) else {200}
        if self._ended("embargo", caller, answer, self._expected(caller, project, "manage", allowed)):
            known.embargo = not lift

    def _review(self, _: Caller, project: str, __: str) -> None:
        """The owner makes a link, which somebody follows, or revokes it."""
        known = self._projects.get(project)
        if known is None or known.archived:
            return
        try:
            if project in self._links:
                self.site.owner.revoke_invitation(project, self._links.pop(project).token)
                return
            secret, link = self.site.owner.invite(project, "review")
        except Denied as error:
            self._problem(Caller("the owner"), str(error))
            return
        client = FlaskClient(self.site.app, self.site.app.response_class)
        answer = client.post(f"/invitations/{link.id}", data={"secret": secret}, headers=_HERE)
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        self._links[project] = Caller("review link", None, (project,), token=link.id, cookie=cookie)

    def _administrate(self, *_: object) -> None:
        who = self._draw.choice(PEOPLE)
        if self._draw.random() < 0.3:
            self.site.owner.set_administrator(who, who not in self._administrators)
            self._administrators ^= {who}

    def _submit(self, caller: Caller, project: str, document: str) -> None:
        kept = self._projects.get(project, Known()).documents.get(document)
        word = self._word()
        expected = self._expected(caller, project, "submit", {201})
        if kept is not None and expected == {201}:
            expected = {201 if kept.withdrawn else 409} if self._may_change(caller, project, kept) else {403, 409}
        answer = self._send(caller, "POST", f"/projects/{project}/documents?name={document}", **_content(word))
        if self._ended("submit", caller, answer, expected):
            if kept is None:
                self._projects[project].documents[document] = Kept(caller.name, [word])
            else:  # it stays the document of whoever submitted its first version
                kept.words.append(word)
                kept.withdrawn = False

    def _replace(self, caller: Caller, project: str, document: str) -> None:
        kept = self._projects.get(project, Known()).documents.get(document)
        word = self._word()
        expected = self._expected(caller, project, "submit", {200, 201})
        if 201 in expected and (kept is None or kept.withdrawn):
            expected = (
                {404, 409, 410, 412} if kept is None or self._may_change(caller, project, kept) else {403, 410, 412}
            )
        elif 201 in expected and kept is not None and not self._may_change(caller, project, kept):
            expected = {403}
        more = {**_content(word), "headers": {"If-Match": "*"}}
        answer = self._send(caller, "PUT", f"/projects/{project}/documents/{document}", **more)
        if self._ended("replace", caller, answer, expected) and kept is not None:
            kept.words.append(word)

    def _withdraw(self, caller: Caller, project: str, document: str) -> None:
        kept = self._projects.get(project, Known()).documents.get(document)
        expected = self._expected(caller, project, "submit", {200, 204})
        if 204 in expected and (kept is None or kept.withdrawn):
            expected = {404, 410} if kept is None or self._may_change(caller, project, kept) else {403, 404, 410}
        elif 204 in expected and kept is not None and not self._may_change(caller, project, kept):
            expected = {403}
        answer = self._send(caller, "DELETE", f"/projects/{project}/documents/{document}?reason=wrong")
        if self._ended("withdraw", caller, answer, expected) and kept is not None:
            kept.withdrawn = True

    _OPERATIONS: ClassVar[list[Callable[..., None]]] = [
        _create, _settings, _member, _leave, _administrate, *([_submit, _replace] * 2), _withdraw, _transfer, _archive,
        _close, _review,
    ]  # fmt: skip

    # Reading ----------------------------------------------------------------------------------------------------------

    def read(self, caller: Caller) -> None:
        """One caller reads: one path at random, and one of the lists that have to be exact."""
        project = self._draw.choice(PROJECTS)
        path = self._draw.choice([*EVERYWHERE, *(f"/projects/{project}{rest}" for rest in WITHIN)])
        answer = self._send(caller, "GET", path, headers={"Accept": self._draw.choice(TYPES)})
        self.done[f"read {answer.status_code}"] += 1
        if answer.status_code >= 500:
            self._problem(caller, f"GET {path} is {answer.status_code}")
        text = str(answer.headers) + answer.get_data().decode("utf-8", "replace")
        # A package is an archive, which nobody gets who may not read the project.
        for word in sorted(word for word in self.hidden(caller) if word in text):
            self._problem(caller, f"GET {path} contains {word}")
        # A token knows the projects for which it was made.
        if not path.startswith("/projects/") and path != "/session":
            for name in sorted(name for name in self._projects if name in text and name not in self.readable(caller)):
                self._problem(caller, f"GET {path} names {name}")
        if path.startswith("/projects/") and not self.rights(caller, project) and answer.status_code != 404:
            self._problem(caller, f"GET {path} is {answer.status_code}")
        self._draw.choice(self._EXACT)(self, caller, project)

    def _listed(self, caller: Caller, _: str) -> None:
        found = {each["name"]: each["documents"] for each in self._json(caller, "/projects")["projects"]}
        counts = {name: len(self.current([name])) for name in self.readable(caller)}
        self._same(caller, "/projects", found, counts)

    def _documents(self, caller: Caller, project: str) -> None:
        if self.rights(caller, project):
            path = f"/projects/{project}/documents"
            found = {each["name"] for each in self._json(caller, path)["documents"]}
            kept = self._projects[project].documents
            self._same(caller, path, found, {name for name, one in kept.items() if not one.withdrawn})

    def _queried(self, caller: Caller, project: str) -> None:
        if self.rights(caller, project):
            self._labels(caller, f"/projects/{project}/sparql", self.current([project]))
        self._labels(caller, "/sparql", self.current(name for name, known in self._projects.items() if known.public))

    def _labels(self, caller: Caller, path: str, expected: set[str]) -> None:
        bindings = self._json(caller, f"{path}?query={quote(LABELS)}")["results"]["bindings"]
        self._same(caller, path, {each["label"]["value"].removeprefix("kanari ") for each in bindings}, expected)

    def _searched(self, caller: Caller, _: str) -> None:
        found = self._json(caller, "/search?q=kanari&limit=500")
        labels = {each["label"].removeprefix("kanari ") for each in found["things"]}
        self._same(caller, "/search", labels, self.current(self.readable(caller)))

    def _traced(self, caller: Caller, _: str) -> None:
        expected = self.current(self.readable(caller))
        path = f"/lineage?direction=downstream&iri={SHARED}"
        found = self._json(caller, path, {200} if expected else {200, 404})
        labels = {each["label"].removeprefix("kanari ") for each in found.get("nodes", ()) if each["iri"] != SHARED}
        self._same(caller, path, labels, expected)

    _EXACT: ClassVar[list[Callable[..., None]]] = [_listed, _documents, _queried, _searched, _traced]

    # Requests ---------------------------------------------------------------------------------------------------------

    def _issue(
        self, name: str, scopes: tuple[str, ...] | None, projects: tuple[str, ...] | None = None, *, write: bool = False
    ) -> None:
        # Those of a person are made before the projects that they name, with the whole set of names.
        for project in projects or ():
            self.site.owner.create_project(project)
            self._projects[project] = Known()
        write_ = {"write": write} if scopes is None else {"scopes": list(scopes)}
        token, _ = self.site.owner.create_token(name, projects=projects and list(projects), **write_)
        self._callers.append(Caller(name, scopes, projects, write, token))

    def _send(self, caller: Caller, method: str, path: str, **more: Any) -> TestResponse:
        signed = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        if caller.cookie:
            signed = {"Cookie": caller.cookie, "Sec-Fetch-Site": "same-origin"}
        headers = {**more.pop("headers", {}), **signed}
        # Not the client of the tests, which fails at the first answer that does not match the OpenAPI description.
        client = FlaskClient(self.site.app, self.site.app.response_class, use_cookies=False)
        return client.open(path, method=method, headers={"Accept": "application/json", **headers}, **more)

    def _json(self, caller: Caller, path: str, statuses: Iterable[int] = (200,)) -> Any:
        answer = self._send(caller, "GET", path)
        if answer.status_code not in statuses:
            self._problem(caller, f"GET {path} is {answer.status_code}: {answer.get_data()[:200]!r}")
        return json.loads(answer.get_data() or b"{}")

    def _expected(self, caller: Caller, project: str, right: str, allowed: set[int], *, ends: bool = False) -> set[int]:
        """How an operation may end; ``ends`` if it ends that the project is archived."""
        rights = self.rights(caller, project)
        if not rights:
            return {404}
        if right not in rights:
            return self._denied(caller)
        return {403} if self._projects[project].archived and not ends else allowed

    def _may_change(self, caller: Caller, project: str, kept: Kept) -> bool:
        return "curate" in self.rights(caller, project) or kept.submitter == caller.name

    @staticmethod
    def _denied(caller: Caller) -> set[int]:
        return {403} if caller.name else {401}

    def _ended(self, what: str, caller: Caller, answer: TestResponse, expected: set[int]) -> bool:
        """Note how an operation ended; returns whether it changed something."""
        self.done[f"{what} {answer.status_code}"] += 1
        if answer.status_code not in expected:
            self._problem(caller, f"{what} is {answer.status_code}, expected {expected}: {answer.get_data()[:300]!r}")
        return answer.status_code in (200, 201, 204)

    def _same(self, caller: Caller, path: str, found: object, expected: object) -> None:
        self.done["compared"] += 1
        if found != expected:
            self._problem(caller, f"GET {path} has {found}, expected {expected}")

    def _problem(self, caller: Caller, what: str) -> None:
        shown = f"{caller.name or 'anonymous'} {caller.scopes} {caller.projects}"
        self.problems.append(f"after {sum(self.done.values())}: {shown}: {what}")

    def _word(self) -> str:
        self._words += 1
        return f"w{self._words}kanari"


_HERE = {"Sec-Fetch-Site": "same-origin"}


def _content(word: str) -> dict[str, Any]:
    text = (
        f'document prefix ex <https://example.org/> entity(ex:{word}, [prov:label="kanari {word}"]) '
        f"wasDerivedFrom(ex:{word}, ex:shared) endDocument"
    )
    return {"data": text.encode(), "content_type": PROVN_TYPE}


def walked(folder: Path, operations: int, seed: int) -> Walk:
    """Run operations on a new repository in a folder that does not exist yet; stops at the tenth problem."""
    with reopened(folder) as site:
        walk = Walk(site, seed)
        for _ in range(operations):
            walk.step()
            if len(walk.problems) >= 10:
                break
        walk.problems += [f"fsck: {problem}" for problem in site.owner.fsck().problems]
    return walk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        walk = walked(Path(folder) / "data", arguments.operations, arguments.seed)
    print(f"seed {arguments.seed}: {dict(sorted(walk.done.items()))}")
    print("\n".join(walk.problems) or "no difference")
    return 1 if walk.problems else 0


if __name__ == "__main__":
    sys.exit(main())
