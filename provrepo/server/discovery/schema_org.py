"""Descriptions in schema.org as JSON-LD, which pages embed for search engines.

The element is a data block: no browser runs it, and the security policy of pages allows no script. Every ``<`` is
escaped, so that no text can end the element.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import url_for
from markupsafe import Markup

from provrepo.codecs.formats import WRITABLE, by_name
from provrepo.repository.records import ProjectInfo, VersionInfo
from provrepo.server.protocol import auth
from provrepo.server.protocol.addresses import absolute
from provrepo.words import counted

__all__ = ["block", "document", "project", "repository"]

_CONTEXT = "https://schema.org/"
_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""``<`` begins tags and comments (HTML, section 13.2.5.15); the others are escaped for processors that read the page
in another way."""


def block(description: dict[str, Any]) -> Markup:
    """The element with a description."""
    written = json.dumps(description, ensure_ascii=False).translate(_ESCAPED)
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(written))  # noqa: S704 (escaped above)


def repository(projects: Iterable[ProjectInfo]) -> dict[str, Any]:
    """The repository as a catalog of projects."""
    return {
        "@context": _CONTEXT,
        "@type": "DataCatalog",
        "@id": str(auth.store().minter().repository()),
        "url": absolute(url_for("pages.home")),
        "name": "Provenance documents",
        "description": "A repository for documents in W3C PROV.",
        "hasPart": [_project(info) for info in projects],
    }


def project(info: ProjectInfo) -> dict[str, Any]:
    """A project as a catalog."""
    return {"@context": _CONTEXT, **_project(info), "isAccessibleForFree": info.public}


def document(info: VersionInfo, title: str, of: ProjectInfo) -> dict[str, Any]:
    """A version of a document as a dataset.

    Args:
        info: the version.
        title: the title of its document.
        of: its project.
    """
    at = absolute(url_for("documents.one", project=info.project, document=info.name, version=info.version))
    statements = counted(info.statements, "statement")
    about = f"Provenance in W3C PROV: {statements}, document {info.name} of project {info.project}."
    optional = {
        "license": of.license,
        "creativeWorkStatus": "" if info.state == "current" else info.state,
        "creator": {"@id": str(auth.store().minter().actor(info.project, info.actor)), "name": info.submitter}
        if info.actor
        else {},
    }
    return {
        "@context": _CONTEXT,
        "@type": "Dataset",
        "@id": info.iri,
        "identifier": info.iri,
        "url": at,
        "name": title,
        "description": f"{info.note} {about}" if info.note else about,
        "version": str(info.version),
        "dateCreated": info.time,
        "isAccessibleForFree": of.public,
        **{name: value for name, value in optional.items() if value},
        "includedInDataCatalog": _project(of),
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": f"{at}/original",
                "encodingFormat": by_name(info.format).media_type,
                "contentSize": f"{info.size} B",
                "sha256": info.sha256,
            },
            *(
                {"@type": "DataDownload", "contentUrl": at + other.suffixes[0], "encodingFormat": other.media_type}
                for other in WRITABLE
                if other.name != info.format
            ),
        ],
    }


def _project(info: ProjectInfo) -> dict[str, Any]:
    return {
        "@type": "DataCatalog",
        "@id": str(auth.store().minter().project(info.name)),
        "url": absolute(url_for("projects.one", project=info.name)),
        "name": info.title or info.name,
        **({"license": info.license} if info.license else {}),
    }
