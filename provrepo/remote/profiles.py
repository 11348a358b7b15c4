"""Verbs about quality at a distance: profiles, the gate, metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provrepo.checks.coverage import Sources
from provrepo.errors import Busy, NotFound, UsageError
from provrepo.problems import HIDDEN
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded
from provrepo.repository.profiles.gate import check
from provrepo.repository.records import DEFAULT, GateResult, ProfileInfo

__all__ = ["gate", "metrics", "profile", "profiles"]


def profiles(connection: Connection, project: str | None = None) -> list[ProfileInfo]:
    """Return the profiles against which submissions to a project can be checked, by name."""
    if project is not None:
        connection.project(project)
    found = connection.json("GET", ("profiles",), project=project, query={"project": project})
    with connection.understanding():
        return [decoded(ProfileInfo, item) for item in found["profiles"]]


def profile(connection: Connection, name: str, project: str | None = None) -> ProfileInfo:
    """Return one profile."""
    found = {info.name: info for info in profiles(connection, project)}
    if name not in found:
        raise UsageError(f"no profile is called {name!r}; there are: {', '.join(found)}")
    return found[name]


def gate(
    connection: Connection,
    iri: str,
    *,
    sources: Iterable[str],
    min_coverage: float = 100.0,
    project: str | None = None,
    public: bool = False,
) -> GateResult:
    """Check whether everything upstream of a thing comes from declared sources, and enough of it is complete."""
    listed = list(sources)
    Sources.parse("\n".join(listed))
    check(iri, min_coverage)
    where = None if public else project or DEFAULT
    wanted = {"iri": iri, "sources": listed, "min_coverage": min_coverage, "project": where, "public": public}
    if where is not None:
        connection.project(where)
    try:
        return connection.record(
            GateResult,
            "POST",
            ("gate",),
            headers={"Content-Type": "application/json"},
            content=json.dumps(wanted).encode("ascii"),
        )
    except NotFound as error:
        if str(error) != HIDDEN:
            raise
    if where is not None:
        connection.require(where)
    raise NotFound(f"nothing is known of {iri} in {'the public projects' if public else f'project {where}'}")


def metrics(connection: Connection, project: str | None = None) -> dict[str, Any]:
    """Return metrics of the documents of a project, or of all that the token may read, as a JSON object."""
    if project is None:
        found = connection.json("GET", ()).get("metrics")
        if found is None:
            raise Busy(f"{connection.url} is still counting its versions; try again in a moment")
    else:
        found = connection.json("GET", connection.project(project, "metrics"), project=project)
    with connection.understanding():
        decoded(_Metrics, found)
    return dict(found)


@dataclass(frozen=True)
class _Share:
    """How many documents conform to a profile."""

    profile: str
    conforming: int
    share: float


@dataclass(frozen=True)
class _Summary:
    """The metrics of some versions."""

    documents: int
    without_findings: int
    profiles: tuple[_Share, ...]
    coverage: float | None


@dataclass(frozen=True)
class _Month(_Summary):
    """Those of the submissions of a month."""

    month: str


@dataclass(frozen=True)
class _Metrics(_Summary):
    """Those of a project: the members that the answer must have."""

    project: str | None
    over_time: tuple[_Month, ...]
