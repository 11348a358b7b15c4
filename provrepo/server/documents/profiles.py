"""The profiles against which documents can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import Blueprint, Response

from provrepo.checks.profiles import load
from provrepo.repository.profiles.user_defined import SHIPPED
from provrepo.repository.records import ProfileInfo
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("profiles", __name__)


@blueprint.get("/profiles")
def index() -> Response:
    """The profiles that every project has; with ``?project=`` also those of that project."""
    project = parameters.text("project")
    found = auth.repository().profiles(project)
    if choose((JSON, HTML)).name == HTML.name:
        shown = [(info, *_examples(info)) for info in found]
        return conditional(pages.page("profiles.html", project=project, profiles=shown))
    return json_response({"profiles": [info.to_dict() for info in found]})


class _Example(NamedTuple):
    """One example of a profile: its file name, its text, and the rules that it violates."""

    name: str
    text: str
    violates: Sequence[str]


def _examples(info: ProfileInfo) -> tuple[list[_Example], list[_Example]]:
    """The good and bad examples of a profile that ships with provrepo; none of others."""
    if info.origin != SHIPPED:
        return [], []
    profile = load(info.name)
    good, bad = (
        [_Example(each.path.name, each.path.read_text("utf-8"), sorted(each.violates)) for each in examples]
        for examples in (profile.good(), profile.bad())
    )
    return good, bad
