"""The terms and shapes that ship with provrepo, so that their IRIs can lead here.

Where the base IRI is ``https://w3id.org/provrepo/``, the addresses are the IRIs themselves. Everywhere else they are
stable addresses, which ``/.well-known/api-catalog`` lists.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Response

from provrepo import resources
from provrepo.checks import profiles
from provrepo.codecs import results
from provrepo.errors import NotFound
from provrepo.server.protocol.negotiate import choose, content_type
from provrepo.server.protocol.respond import conditional
from provrepo.server.routing.offers import DESCRIPTION

__all__ = ["blueprint"]

blueprint = Blueprint("vocabularies", __name__)


@blueprint.get("/ns")
def ontology() -> Response:
    """The terms of the namespace ``https://w3id.org/provrepo/ns#``."""
    return _response(resources.root() / "ontology" / "provrepo.ttl")


@blueprint.get("/shapes/<profile>")
def shapes(profile: str) -> Response:
    """The shapes of a profile that ships with provrepo: the namespace ``https://w3id.org/provrepo/shapes/{profile}#``."""
    known = {found.name: found.folder for found in profiles.available()}
    if profile not in known:
        raise NotFound(f"provrepo ships with no profile {profile[:40]!r}; it ships with: {', '.join(known)}")
    return _response(known[profile] / "shapes.ttl")


def _response(file: Path) -> Response:
    choice = choose(DESCRIPTION)
    return conditional(Response(_written(file, choice.name), content_type=content_type(choice.media_type)))


@cache
def _written(file: Path, format_name: str) -> bytes:
    """A file in Turtle in a format; in Turtle unchanged."""
    data = file.read_bytes()
    return data if format_name == "turtle" else results.parse(data, "text/turtle").write(format_name)
