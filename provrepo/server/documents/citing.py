"""The citation of a version: its IRI, BibTeX, and schema.org as JSON-LD."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from flask import url_for

from provrepo.repository.records import ProjectInfo, VersionInfo
from provrepo.server.discovery import schema_org
from provrepo.server.protocol.addresses import absolute

__all__ = ["Citation", "citation"]


class Citation(NamedTuple):
    """How to cite a version.

    Attributes:
        iri: its IRI.
        bibtex: an entry for BibTeX, with a final line break.
        json_ld: its description in schema.org, with a final line break.
    """

    iri: str
    bibtex: str
    json_ld: str


def citation(info: VersionInfo, title: str, of: ProjectInfo) -> Citation:
    """The citation of a version.

    Args:
        info: the version.
        title: the title of its document.
        of: its project.
    """
    described = schema_org.document(info, title, of)
    at = absolute(url_for("documents.one", project=info.project, document=info.name, version=str(info.version)))
    fields = {
        "title": f"{{{_tex(title)}}}",
        "author": f"{{{_tex(info.submitter)}}}" if info.submitter else "",
        "year": info.time[:4],
        "month": str(int(info.time[5:7])),
        "howpublished": f"Provenance document in W3C PROV, version {info.version}",
        "publisher": _tex(of.title or of.name),
        "url": _address(at),
        "note": f"{_tex(info.iri)}, SHA-256 {info.sha256}",
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    key = f"{info.project}-{info.name}-v{info.version}"
    return Citation(
        info.iri,
        f"@misc{{{key},\n" + ",\n".join(lines) + "\n}\n",
        json.dumps(described, ensure_ascii=False, indent=2) + "\n",
    )


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "{}%&#_$"},
}
"""Characters that act in TeX, with what writes them."""


def _tex(text: str) -> str:
    """A text in TeX, on one line."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def _address(address: str) -> str:
    """An address in a field that styles of BibTeX show as a URL, where only braces and the backslash act."""
    return re.sub(r"[{}\\]", lambda found: f"%{ord(found[0]):02X}", address)
